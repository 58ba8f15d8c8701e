/* SPDX-License-Identifier: Apache-2.0 */
/* Which flow a packet belongs to, or an ICMP error is about. Asks no table. RFC 792,
 * 4443 (errors quote the packet that they are about), 791, 8200 (its header). */
#include "base/bytes.h"
#include "base/hash.h"
#include "base/reader.h"
#include "firewall/flow.h"

#define TCP_FIN 1
#define TCP_SYN 2
#define TCP_RST 4
#define TCP_ACK 16
#define TCP_FLAGS_AT 13
#define EXTENSION_HEADERS_MAX 8

bool s2_firewall_has_ports(uint8_t protocol)
{
    return protocol == S2_FIREWALL_TCP || protocol == S2_FIREWALL_UDP ||
           protocol == S2_FIREWALL_ICMP || protocol == S2_FIREWALL_ICMPV6;
}

s2svpn_address s2_firewall_address_of(struct s2_firewall_words w, uint8_t family)
{
    s2svpn_address a = {.family = family};

    s2_put_u64(a.bytes, w.high);
    s2_put_u64(a.bytes + 8, w.low);
    return a;
}

static bool is_icmp(uint8_t protocol)
{
    return protocol == S2_FIREWALL_ICMP || protocol == S2_FIREWALL_ICMPV6;
}

/* ---- ICMP */

/* The type of the request that has such a reply, or -1. */
static int request_of(uint8_t protocol, uint8_t type)
{
    if (protocol == S2_FIREWALL_ICMPV6)
        return type == 129 ? 128 : -1;
    switch (type) {
    case 0:
        return 8;
    case 14: /* timestamp, information and mask: RFC 792, 950 */
    case 16:
    case 18:
        return type - 1;
    default:
        return -1;
    }
}

static bool is_request(uint8_t protocol, uint8_t type)
{
    if (protocol == S2_FIREWALL_ICMPV6)
        return type == 128;
    return type == 8 || type == 13 || type == 15 || type == 17;
}

static bool is_error(uint8_t protocol, uint8_t type)
{
    if (protocol == S2_FIREWALL_ICMPV6)
        return type >= 1 && type <= 4;
    return type == 3 || type == 4 || type == 11 || type == 12; /* no redirects */
}

/* ---- keys */

struct tuple {
    s2svpn_address source, destination;
    uint8_t protocol;
    uint16_t source_port, destination_port;
};

/* False: no packet of a flow. answers: it is a reply, which opens none. */
static bool make_key(const struct s2_firewall_port *port, enum s2_firewall_direction direction,
                     const struct tuple *t, struct s2_flow_key *key, bool *answers)
{
    const bool out = direction == S2_FIREWALL_OUT;

    *answers = false;
    *key = (struct s2_flow_key){
        .port = port->serial,
        .local = s2_firewall_words_of(out ? &t->source : &t->destination),
        .remote = s2_firewall_words_of(out ? &t->destination : &t->source),
        .local_port = out ? t->source_port : t->destination_port,
        .remote_port = out ? t->destination_port : t->source_port,
        .protocol = t->protocol,
        .family = t->source.family,
    };
    if (is_icmp(t->protocol)) {
        const uint8_t type = (uint8_t)(t->source_port >> 8), code = (uint8_t)t->source_port;
        const int request = request_of(t->protocol, type);

        *answers = request >= 0;
        if ((!*answers && !is_request(t->protocol, type)) || code != 0 ||
            (t->protocol == S2_FIREWALL_ICMP) != (t->source.family == S2SVPN_FAMILY_IPV4))
            return false;
        key->local_port = t->destination_port;
        key->remote_port = (uint16_t)((*answers ? request : type) << 8);
        key->opener = out != *answers ? S2_FIREWALL_OUT : S2_FIREWALL_IN;
    } else if (!s2_firewall_has_ports(t->protocol)) {
        key->local_port = key->remote_port = 0;
    }
    return true;
}

/* ---- what an error quotes */

static bool read_ipv4(struct s2_reader *r, struct tuple *t)
{
    const uint8_t len = (s2_read_u8(r, "quote.length") & 15) * 4;
    s2_read_skip(r, 5, "quote.ip");
    const uint16_t fragment = s2_read_u16(r, "quote.fragment");

    s2_read_skip(r, 1, "quote.ttl");
    t->protocol = s2_read_u8(r, "quote.protocol");
    s2_read_skip(r, 2, "quote.checksum");
    t->source.family = t->destination.family = S2SVPN_FAMILY_IPV4;
    s2_read_copy(r, t->source.bytes, 4, "quote.source");
    s2_read_copy(r, t->destination.bytes, 4, "quote.destination");
    if (len < 20 || (fragment & 0x1fff) != 0)
        return false;
    s2_read_skip(r, len - 20U, "quote.options");
    return r->rc == S2SVPN_OK;
}

static bool read_ipv6(struct s2_reader *r, struct tuple *t)
{
    s2_read_skip(r, 6, "quote.ip");
    t->protocol = s2_read_u8(r, "quote.next_header");
    s2_read_skip(r, 1, "quote.hop_limit");
    t->source.family = t->destination.family = S2SVPN_FAMILY_IPV6;
    s2_read_copy(r, t->source.bytes, 16, "quote.source");
    s2_read_copy(r, t->destination.bytes, 16, "quote.destination");
    for (unsigned n = 0; n < EXTENSION_HEADERS_MAX && r->rc == S2SVPN_OK; n++) {
        const uint8_t kind = t->protocol;

        if (kind != 0 && kind != 43 && kind != 44 && kind != 60)
            return true;
        t->protocol = s2_read_u8(r, "quote.next_header");
        const uint8_t len = s2_read_u8(r, "quote.extension");
        if (kind == 44 && (s2_read_u16(r, "quote.fragment") & 0xfff8) != 0)
            return false;
        s2_read_skip(r, kind == 44 ? 4 : len * 8U + 6, "quote.extension");
    }
    return false;
}

/* Enough of the packet that an error is about to know its flow. */
static bool read_quote(s2svpn_span quote, struct tuple *t)
{
    struct s2_reader r, peek;

    *t = (struct tuple){0};
    s2_reader_init(&r, quote.p, quote.len);
    peek = r;
    const uint8_t version = s2_read_u8(&peek, "quote.version") >> 4;
    if (version != 4 && version != 6)
        return false;
    if (!(version == 4 ? read_ipv4(&r, t) : read_ipv6(&r, t)))
        return false;
    if (!s2_firewall_has_ports(t->protocol))
        return true;
    t->source_port = s2_read_u16(&r, "quote.ports");
    t->destination_port = s2_read_u16(&r, "quote.ports");
    if (is_icmp(t->protocol)) /* that was the checksum */
        t->destination_port = s2_read_u16(&r, "quote.identifier");
    return r.rc == S2SVPN_OK;
}

/* ---- packets */

static enum s2_flow_event tcp_event(uint8_t flags)
{
    if (flags & TCP_RST)
        return S2_FLOW_OPENER_RST;
    if (flags & TCP_FIN)
        return S2_FLOW_OPENER_FIN;
    return (flags & (TCP_SYN | TCP_ACK)) == TCP_SYN ? S2_FLOW_OPENER_SYN : S2_FLOW_OPENER_PLAIN;
}

/* Has the packet what its protocol is judged by? A first fragment that keeps it for
 * later is one of RFC 1858. */
static bool has_header(const struct s2_firewall_packet *p)
{
    if (p->protocol == S2_FIREWALL_TCP)
        return p->transport.len > TCP_FLAGS_AT;
    return !s2_firewall_has_ports(p->protocol) || p->transport.len >= 4;
}

static void look_at_error(enum s2_firewall_direction direction, const struct s2_firewall_packet *p,
                          struct s2_flow_look *look)
{
    const enum s2_firewall_direction back =
        direction == S2_FIREWALL_IN ? S2_FIREWALL_OUT : S2_FIREWALL_IN;
    struct tuple quoted;
    bool answers;

    /* It goes to who has sent what it quotes. */
    if (p->fragment || p->transport.len < 8 ||
        !read_quote(s2_span(p->transport.p + 8, p->transport.len - 8), &quoted))
        return;
    const struct s2_firewall_words to = s2_firewall_words_of(p->destination);
    const struct s2_firewall_words source = s2_firewall_words_of(&quoted.source);
    if (quoted.source.family == p->destination->family && to.high == source.high &&
        to.low == source.low && make_key(p->port, back, &quoted, &look->key, &answers))
        look->kind = S2_FLOW_RELATED;
}

void s2_flow_look_at(const struct s2_firewall *fw, enum s2_firewall_direction direction,
                     const struct s2_firewall_packet *p, struct s2_flow_look *look)
{
    const bool later = p->fragment && !p->first_fragment;
    const struct tuple t = {
        .source = *p->source,
        .destination = *p->destination,
        .protocol = look->protocol,
        .source_port = look->source_port,
        .destination_port = look->destination_port,
    };
    bool answers;

    look->tcp = S2_FLOW_OPENER_PLAIN;
    look->may_open = true;
    if (!later && !has_header(p)) {
        look->kind = S2_FLOW_REFUSED;
        return;
    }
    if (look->protocol == S2_FIREWALL_TCP && !later) {
        look->tcp = tcp_event(p->transport.p[TCP_FLAGS_AT]);
        look->may_open = look->tcp != S2_FLOW_OPENER_RST; /* nothing comes after it */
    }
    look->kind = S2_FLOW_STATELESS;
    /* An echo cut off before its identifier is of no flow. */
    if (is_icmp(look->protocol) && is_error(look->protocol, (uint8_t)(look->source_port >> 8)))
        look_at_error(direction, p, look);
    else if ((later || !is_icmp(look->protocol) || p->transport.len >= 8) &&
             make_key(p->port, direction, &t, &look->key, &answers)) {
        look->kind = S2_FLOW_TRACKED;
        look->may_open = look->may_open && !answers;
    }
    if (look->kind == S2_FLOW_TRACKED || look->kind == S2_FLOW_RELATED)
        look->hash = s2_siphash(fw->env->hash_key, &look->key, sizeof(look->key));
}
