/* SPDX-License-Identifier: Apache-2.0 */
/* The world of the firewall's tests. */
#include "firewall/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

void world_open(struct world *w, const struct s2_firewall_limits *limits)
{
    memset(w, 0, sizeof(*w));
    s2_fake_env_init(&w->fake, 7);
    s2_epochs_init(&w->epochs, 1);
    w->now_ns = 1000 * SECOND_NS;
    if (s2_firewall_new(&w->fake.env, &w->epochs, limits, &w->fw) != S2SVPN_OK)
        abort();
}

void world_close(struct world *w)
{
    s2_firewall_free(w->fw);
    s2_epochs_clear(&w->epochs);
    CU_ASSERT_EQUAL(w->fake.live, 0);
}

void world_wait(struct world *w, uint64_t seconds)
{
    w->now_ns += seconds * SECOND_NS;
}

struct s2_firewall_counts world_counts(struct world *w)
{
    struct s2_firewall_counts c;

    s2_firewall_get_counts(w->fw, &c);
    return c;
}

s2svpn_address addr(const char *text)
{
    s2svpn_address a;

    if (!s2svpn_address_read(text, &a))
        abort();
    return a;
}

/* ---- packets */

static size_t write_transport(uint8_t *out, const struct packet *p)
{
    size_t len = p->protocol == TCP ? 20 : 8;

    memset(out, 0, len);
    s2_put_u16(out, p->source);
    s2_put_u16(out + 2, p->destination);
    if (p->protocol == TCP)
        out[13] = p->flags;
    if (p->protocol == ICMP || p->protocol == ICMPV6) {
        s2_put_u16(out + 2, 0);
        s2_put_u16(out + 4, p->destination);
    }
    return p->cut ? p->cut : len;
}

/* An IP header and 8 bytes. */
static size_t write_quote(uint8_t *out, const struct packet *p)
{
    const s2svpn_address from = addr(p->from), to = addr(p->to);
    const bool v4 = from.family == S2SVPN_FAMILY_IPV4;
    uint8_t transport[20];

    memset(out, 0, 40);
    out[0] = v4 ? 0x45 : 0x60;
    out[v4 ? 9 : 6] = p->protocol;
    memcpy(out + (v4 ? 12 : 8), from.bytes, v4 ? 4 : 16);
    memcpy(out + (v4 ? 16 : 24), to.bytes, v4 ? 4 : 16);
    write_transport(transport, p);
    memcpy(out + (v4 ? 20 : 40), transport, 8);
    return (v4 ? 20 : 40) + (p->cut ? p->cut : 8);
}

void wire_write(struct wire *wire, struct s2_firewall_port *port, const struct packet *p)
{
    const bool later = p->fragment && !p->first;
    const bool ports =
        p->protocol == TCP || p->protocol == UDP || p->protocol == ICMP || p->protocol == ICMPV6;
    size_t len = write_transport(wire->transport, p);

    if (p->quote)
        len += write_quote(wire->transport + 8, p->quote);
    wire->source = addr(p->from);
    wire->destination = addr(p->to);
    wire->packet = (struct s2_firewall_packet){
        .port = port,
        .source = &wire->source,
        .destination = &wire->destination,
        .protocol = p->protocol,
        .fragment = p->fragment,
        .first_fragment = p->fragment && p->first,
        .fragment_id = p->id,
        .source_port = later || !ports ? 0 : p->source,
        .destination_port = later || !ports || p->quote ? 0 : p->destination,
        .transport = s2_span(wire->transport, len),
        .drop = S2SVPN_DROP_COUNT,
    };
}

enum s2svpn_drop world_send(struct world *w, enum s2_firewall_direction direction,
                            struct s2_firewall_port *port, const struct packet *p)
{
    struct wire wire;
    size_t passed;

    wire_write(&wire, port, p);
    s2_epoch_enter(&w->epochs, 0);
    passed = s2_firewall_check(w->fw, direction, &wire.packet, 1, w->now_ns);
    s2_epoch_leave(&w->epochs, 0);
    CU_ASSERT_EQUAL(passed, wire.packet.drop == S2SVPN_DROP_NONE ? 1 : 0);
    return wire.packet.drop;
}

/* ---- rules, groups, ports */

struct s2_firewall_rule rule(int protocol, int from, int to, const char *prefix)
{
    struct s2_firewall_rule r = {.protocol = (int16_t)protocol, .from = from, .to = to};

    if (!s2svpn_prefix_read(prefix, &r.prefix))
        abort();
    return r;
}

struct s2_firewall_rule group_rule(int protocol, int from, int to, struct s2_firewall_group *g)
{
    return (struct s2_firewall_rule){
        .protocol = (int16_t)protocol, .from = from, .to = to, .group = g};
}

struct s2_firewall_rule list_rule(int protocol, int from, int to, struct s2_firewall_list *l)
{
    return (struct s2_firewall_rule){
        .protocol = (int16_t)protocol, .from = from, .to = to, .list = l};
}

void set_in(struct s2_firewall_group *g, const struct s2_firewall_rule *in, size_t n)
{
    if (s2_firewall_group_set_rules(g, S2_FIREWALL_IN, in, n) != S2SVPN_OK)
        abort();
}

void set_out(struct s2_firewall_group *g, const struct s2_firewall_rule *out, size_t n)
{
    if (s2_firewall_group_set_rules(g, S2_FIREWALL_OUT, out, n) != S2SVPN_OK)
        abort();
}

struct s2_firewall_group *new_group(struct world *w, const struct s2_firewall_rule *in, size_t n)
{
    struct s2_firewall_rule all[2];
    struct s2_firewall_group *g;

    if (s2_firewall_group_new(w->fw, &g) != S2SVPN_OK)
        abort();
    s2_firewall_allow_all(all);
    set_out(g, all, 2);
    set_in(g, in, n);
    return g;
}

struct s2_firewall_port *new_port(struct world *w, const char *address, struct s2_firewall_group *g)
{
    const s2svpn_address a = addr(address);
    struct s2_firewall_port *port;

    if (s2_firewall_port_new(w->fw, &port) != S2SVPN_OK ||
        s2_firewall_port_set_addresses(port, &a, 1) != S2SVPN_OK ||
        s2_firewall_port_set_groups(port, &g, g ? 1 : 0) != S2SVPN_OK)
        abort();
    return port;
}

void free_group(struct s2_firewall_group *g)
{
    CU_ASSERT_EQUAL(s2_firewall_group_free(g), S2SVPN_OK);
}
