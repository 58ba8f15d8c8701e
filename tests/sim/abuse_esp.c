/* SPDX-License-Identifier: Apache-2.0 */
/* Storms of ESP and of what it carries. */
#include <string.h>

#include "abuse.h"

#define MARKER_LEN 4
#define UDP 17
#define TCP 6

/* ---- outside */

static s2svpn_endpoint any_esp_gateway(struct abuse *a)
{
    return abuse_gateway(abuse_roll(a, 0, 1),
                         abuse_roll(a, 0, 1) ? S2SVPN_ROLE_NATT : S2SVPN_ROLE_RAW);
}

void abuse_esp_strange_spi(struct abuse *a)
{
    const s2svpn_endpoint from = abuse_roll(a, 0, 1) ? abuse_customer(a) : abuse_stranger(a),
                          to = any_esp_gateway(a);
    uint8_t p[120];

    abuse_random(a, p, sizeof(p));
    p[0] |= 1; /* no marker */
    abuse_send(a, &from, &to, p, abuse_roll(a, 8, sizeof(p)));
}

static const struct abuse_kept *to_gateway(struct abuse *a)
{
    const struct abuse_kept *k = abuse_pick(a, &a->esp);

    return k && k->remote.address.bytes[0] == 198 ? k : NULL;
}

/* The SPI is known; the rest is noise with a sequence number of any kind. */
void abuse_esp_known_spi(struct abuse *a)
{
    const struct abuse_kept *k = to_gateway(a);
    uint8_t p[1500];

    if (!k)
        return;
    memcpy(p, k->data, k->len);
    abuse_put32(p + 4, (uint32_t)abuse_roll(a, 0, abuse_roll(a, 0, 1) ? 100000 : UINT32_MAX));
    abuse_random(a, p + 8, 8);
    abuse_send(a, &k->local, &k->remote, p, k->len);
}

void abuse_replays_esp(struct abuse *a)
{
    const struct abuse_kept *k = to_gateway(a);

    if (k)
        abuse_send(a, &k->local, &k->remote, k->data, k->len);
}

/* Replays from everywhere: as if the peer's NAT gave it a new port every time. */
void abuse_hops(struct abuse *a)
{
    const struct abuse_kept *k = to_gateway(a);
    s2svpn_endpoint from = abuse_roll(a, 0, 1) ? abuse_customer(a) : abuse_stranger(a);

    if (k)
        abuse_send(a, &from, &k->remote, k->data, k->len);
}

void abuse_keepalives(struct abuse *a)
{
    static const uint8_t keepalive = 0xff;
    const s2svpn_endpoint from = abuse_roll(a, 0, 1) ? abuse_customer(a) : abuse_stranger(a),
                          to = abuse_gateway(abuse_roll(a, 0, 1), S2SVPN_ROLE_NATT);

    abuse_send(a, &from, &to, &keepalive, 1);
}

void abuse_nat_rebinds(struct abuse *a)
{
    a->sent++;
    if (a->sent % 100 == 0)
        s2svpn_sim_nat_flush(a->s.nat);
}

/* ---- inside: a host of the LAN's */

static void write_ipv4(uint8_t *p, size_t len, uint8_t protocol, uint16_t id, uint16_t fragment,
                       uint32_t to)
{
    uint32_t sum = 0;

    memset(p, 0, 20);
    p[0] = 0x45;
    abuse_put16(p + 2, (uint16_t)len);
    abuse_put16(p + 4, id);
    abuse_put16(p + 6, fragment);
    p[8] = 64;
    p[9] = protocol;
    abuse_put32(p + 12, packet_address(192, 168, 10, 99));
    abuse_put32(p + 16, to);
    for (size_t i = 0; i < 20; i += 2)
        sum += abuse_get16(p + i);
    sum = (sum & 0xffff) + (sum >> 16);
    abuse_put16(p + 10, (uint16_t) ~(sum + (sum >> 16)));
}

static void inject(struct abuse *a, uint8_t *p, size_t len)
{
    s2svpn_packet packet = {.data = p, .len = (uint32_t)len};

    a->sent++;
    if (a->s.device.ctx)
        CHECK(s2svpn_sim_inject(a->s.device.node, a->s.device.port, &packet, 1) == S2SVPN_OK);
}

/* The gateway's near end of a tunnel, or its instance. */
static uint32_t some_inside(struct abuse *a)
{
    switch (abuse_roll(a, 0, 2)) {
    case 0:
        return packet_address(169, 254, 10, 5);
    case 1:
        return packet_address(169, 254, 11, 5);
    default:
        return packet_address(10, 0, 1, 77); /* nobody's */
    }
}

/* Never whole, overlapping, beyond the end, of length 0. */
void abuse_inner_fragments(struct abuse *a)
{
    uint8_t p[300] = {0};
    const size_t len = 20 + abuse_roll(a, 0, 33) * 8 + (abuse_roll(a, 0, 3) == 0 ? 3 : 0);
    const uint16_t more = abuse_roll(a, 0, 3) ? 0x2000 : 0;

    write_ipv4(p, len, abuse_roll(a, 0, 1) ? UDP : TCP, (uint16_t)abuse_roll(a, 0, 65535),
               (uint16_t)(more | abuse_roll(a, 0, 0x1fff)), some_inside(a));
    inject(a, p, len);
}

/* To BGP's port, with and without a right checksum. */
void abuse_inner_syn(struct abuse *a)
{
    uint8_t p[40] = {0};
    uint32_t sum = 0, to = some_inside(a);

    write_ipv4(p, sizeof(p), TCP, (uint16_t)abuse_roll(a, 0, 65535), 0x4000, to);
    abuse_put16(p + 20, (uint16_t)abuse_roll(a, 1024, 65535));
    abuse_put16(p + 22, 179);
    abuse_put32(p + 24, (uint32_t)abuse_roll(a, 0, UINT32_MAX));
    p[32] = 0x50;
    p[33] = (uint8_t)(abuse_roll(a, 0, 3) ? 2 : abuse_roll(a, 0, 63)); /* SYN, or any flags */
    abuse_put16(p + 34, 1000);
    for (size_t i = 12; i < 40; i += 2)
        sum += abuse_get16(p + i);
    sum += TCP + 20;
    sum = (sum & 0xffff) + (sum >> 16);
    if (abuse_roll(a, 0, 3))
        abuse_put16(p + 36, (uint16_t) ~(sum + (sum >> 16)));
    inject(a, p, sizeof(p));
}
