/* SPDX-License-Identifier: Apache-2.0 */
/* Random packets, each with a number of its own among its gateway's, followed by it. */
#include "crowd.h"

#include <string.h>

#include "campaign.h"

#define FIRST_ID 100 /* hub.h: and the gateway's number */
#define IPV4_OF_ERROR (IPV4_LEN + 8)

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* Bit 0: the gateways' node; 1 and up: the sites. */
static uint16_t bit_of(size_t node)
{
    return (uint16_t)(1u << node);
}

/* The outside address tells the node. */
static size_t node_of(const s2svpn_address *a)
{
    return a->bytes[0] == 203 ? a->bytes[3] : 0;
}

static void enter(struct crowd *c, size_t gateway, size_t kind, uint16_t seq, size_t node)
{
    uint16_t *been = &c->been[gateway][kind][seq];

    if (*been & bit_of(node))
        c->again++;
    *been |= bit_of(node);
    if (node > 0 && c->h->site[node - 1].gateway != gateway)
        c->astray++;
}

static void on_inner(void *user, const uint8_t *p, size_t len, const s2svpn_datagram *d)
{
    struct crowd *c = user;
    size_t kind;

    if (len < IPV4_LEN + 8 || p[9] != 1)
        return; /* BGP, between the nodes themselves */
    kind = p[IPV4_LEN] == ECHO_REQUEST ? 0 : p[IPV4_LEN] == ECHO_REPLY ? 1 : 2;
    if (kind == 2) {
        p += IPV4_OF_ERROR;
        len -= IPV4_OF_ERROR;
    }
    if (len < IPV4_LEN + 8)
        return;
    const size_t gateway = (size_t)get16(p + IPV4_LEN + 4) - FIRST_ID;
    if (gateway >= HUB_GATEWAYS)
        return;
    c->followed++;
    enter(c, gateway, kind, get16(p + IPV4_LEN + 6), node_of(&d->remote.address));
}

void crowd_begin(struct crowd *c, struct hub *h, s2svpn_sim *dice)
{
    memset(c, 0, sizeof(*c));
    c->h = h;
    c->dice = dice;
    c->watch.inner = on_inner;
    c->watch.inner_user = c;
}

void crowd_end(struct crowd *c)
{
    watch_clear(&c->watch);
}

/* Mostly of a host that may be there; else of a router's inside, or of nobody. */
static uint32_t some_address(struct crowd *c)
{
    const uint8_t a = (uint8_t)campaign_roll(c->dice, 0, 5),
                  b = (uint8_t)campaign_roll(c->dice, 0, 5);

    switch (campaign_roll(c->dice, 0, 9)) {
    case 0:
        return packet_address(10, 0, 1, 10);
    case 1:
        return packet_address(10, 0, a, (uint8_t)campaign_roll(c->dice, 1, 254));
    case 2: /* of what connections get, in pieces of four */
        return packet_address(169, 254, (uint8_t)campaign_roll(c->dice, 0, 255),
                              (uint8_t)campaign_roll(c->dice, 0, 255));
    case 3:
        return packet_address(30, a, b, 10);
    default:
        return packet_address(20, a, b, 10);
    }
}

void crowd_send(struct crowd *c)
{
    const size_t pick = campaign_roll(c->dice, 0, c->h->sites + c->h->plan.gateways - 1);
    const struct hub_site *site = pick < c->h->sites ? &c->h->site[pick] : NULL;
    const size_t gateway = site ? site->gateway : pick - c->h->sites;
    const uint32_t own =
        site ? packet_address(20, (uint8_t)site->number, 0, 10) : packet_address(10, 0, 1, 10);
    const uint32_t from = campaign_roll(c->dice, 0, 3) ? own : some_address(c);
    const uint16_t seq = c->seq[gateway]++;

    CHECK(c->seq[gateway] != 0); /* or numbers come twice */
    enter(c, gateway, 0, seq, site ? pick + 1 : 0);
    hub_echo(c->h, gateway, site, from, some_address(c), seq);
}
