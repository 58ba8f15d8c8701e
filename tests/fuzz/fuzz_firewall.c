/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets at a port with security groups: transport headers and what ICMP errors quote,
 * by anyone. Input is a run of packets: a byte of flags (1 out, 2 IPv6, 4 fragment, 8 its
 * first, 16 the peer's other address, 32 time passes, 64 rules change), the protocol, the
 * length of the transport's bytes, and these. What is refused by every rule and belongs
 * to no flow must not pass.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "firewall/firewall.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECOND_NS UINT64_C(1000000000)
#define PACKETS 256

struct world {
    struct s2_env env;
    struct s2_epochs epochs;
    struct s2_firewall *fw;
    struct s2_firewall_group *group;
    struct s2_firewall_port *port;
    uint64_t now_ns;
    bool open; /* are rules in */
};

static void check(bool good)
{
    if (!good)
        abort();
}

static void set_rules(struct world *w)
{
    struct s2_firewall_rule all[2];

    s2_firewall_allow_all(all);
    check(s2_firewall_group_set_rules(w->group, S2_FIREWALL_IN, all, w->open ? 2 : 0) == S2SVPN_OK);
    check(s2_firewall_group_set_rules(w->group, S2_FIREWALL_OUT, all, 2) == S2SVPN_OK);
}

static void make(struct world *w)
{
    const struct s2_firewall_limits limits = {.flows = 256};

    *w = (struct world){.env.memory = s2_memory_default(), .now_ns = 1000 * SECOND_NS};
    s2_epochs_init(&w->epochs, 1);
    check(s2_firewall_new(&w->env, &w->epochs, &limits, &w->fw) == S2SVPN_OK);
    check(s2_firewall_group_new(w->fw, &w->group) == S2SVPN_OK);
    check(s2_firewall_port_new(w->fw, &w->port) == S2SVPN_OK);
    check(s2_firewall_port_set_groups(w->port, &w->group, 1) == S2SVPN_OK);
    set_rules(w);
}

static void unmake(struct world *w)
{
    s2_firewall_port_free(w->port);
    check(s2_firewall_group_free(w->group) == S2SVPN_OK);
    s2_firewall_free(w->fw);
    s2_epochs_clear(&w->epochs);
}

static s2svpn_address address(bool v6, uint8_t last)
{
    s2svpn_address a = {.family = v6 ? S2SVPN_FAMILY_IPV6 : S2SVPN_FAMILY_IPV4};

    a.bytes[0] = 10;
    a.bytes[v6 ? 15 : 3] = last;
    return a;
}

/* As the reader of IP headers gives them. */
static void set_ports(struct s2_firewall_packet *p)
{
    const bool icmp = p->protocol == 1 || p->protocol == 58;

    if ((p->fragment && !p->first_fragment) || p->transport.len < 4)
        return;
    if (icmp || p->protocol == 6 || p->protocol == 17)
        p->source_port = s2_get_u16(p->transport.p);
    if (icmp && p->transport.len >= 8)
        p->destination_port = s2_get_u16(p->transport.p + 4);
    else if (!icmp && p->source_port != 0)
        p->destination_port = s2_get_u16(p->transport.p + 2);
}

static void send(struct world *w, uint8_t flags, uint8_t protocol, s2svpn_span transport)
{
    const bool out = flags & 1;
    const s2svpn_address here = address(flags & 2, 1),
                         there = address(flags & 2, flags & 16 ? 3 : 2);
    uint8_t *copy = malloc(transport.len + 1); /* so that a read behind it shows */
    struct s2_firewall_counts before, after;
    struct s2_firewall_packet p = {
        .port = w->port,
        .source = out ? &here : &there,
        .destination = out ? &there : &here,
        .protocol = protocol,
        .fragment = flags & 4,
        .first_fragment = (flags & 12) == 12,
        .fragment_id = 7,
    };

    check(copy != NULL);
    memcpy(copy + 1, transport.p, transport.len);
    p.transport = s2_span(copy + 1, transport.len);
    set_ports(&p);
    s2_firewall_get_counts(w->fw, &before);
    s2_epoch_enter(&w->epochs, 0);
    const size_t passed =
        s2_firewall_check(w->fw, out ? S2_FIREWALL_OUT : S2_FIREWALL_IN, &p, 1, w->now_ns);
    s2_epoch_leave(&w->epochs, 0);
    s2_firewall_get_counts(w->fw, &after);
    check(passed == (p.drop == S2SVPN_DROP_NONE));
    check(p.drop == S2SVPN_DROP_NONE || p.drop == S2SVPN_DROP_SECURITY_GROUP ||
          p.drop == S2SVPN_DROP_TRACKING_FULL);
    check(after.opened <= before.opened + 1 && after.flows <= 256);
    if (!out && !w->open) { /* nothing opens a flow, and without one nothing passes */
        check(after.opened == before.opened);
        check(before.flows > 0 || passed == 0);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w;

    make(&w);
    for (unsigned n = 0; n < PACKETS && size >= 3; n++) {
        const size_t len = data[2] < size - 3 ? data[2] : size - 3;

        if (data[0] & 32)
            w.now_ns += 20 * SECOND_NS;
        if (data[0] & 64) {
            w.open = !w.open;
            set_rules(&w);
        }
        send(&w, data[0], data[1], s2_span(data + 3, len));
        data += 3 + len;
        size -= 3 + len;
    }
    unmake(&w);
    return 0;
}
