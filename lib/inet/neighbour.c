/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour solicitations and their answer. A tunnel is point-to-point and nobody needs
 * to ask, but a peer whose system thinks of its end as of an Ethernet does; it learns that
 * we are there, and of no link-layer address. Keeps no neighbours and asks for none. RFC
 * 4861 sections 4.3, 4.4, 7.1.1 and 7.2.4; RFC 4291 section 2.7.1. */
#include <string.h>

#include "base/address.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "base/reader.h"
#include "base/writer.h"
#include "inet/inet.h"

#define SOLICITATION 135
#define ADVERTISEMENT 136
#define ADVERTISEMENT_LEN 24
#define HOP_LIMIT 255 /* no router has passed it on */
#define FLAG_SOLICITED UINT32_C(0x40000000)
#define FLAG_OVERRIDE UINT32_C(0x20000000)
#define OPTION_SOURCE 1
#define OPTIONS_MAX 64

static const s2svpn_address all_nodes = {
    .family = S2SVPN_FAMILY_IPV6,
    .bytes = {0xff, 0x02, [15] = 1},
};

bool s2_inet_is_solicited_node(const s2svpn_address *to, const s2svpn_address *ours)
{
    static const uint8_t start[13] = {0xff, 0x02, [11] = 1, [12] = 0xff};

    return to->family == S2SVPN_FAMILY_IPV6 && ours->family == S2SVPN_FAMILY_IPV6 &&
           memcmp(to->bytes, start, sizeof(start)) == 0 &&
           memcmp(to->bytes + 13, ours->bytes + 13, 3) == 0;
}

static bool is_unspecified(const s2svpn_address *a)
{
    static const uint8_t zeros[16];

    return memcmp(a->bytes, zeros, sizeof(zeros)) == 0;
}

/* None of length 0, and no link-layer address of someone who has no address. */
static bool options_good(struct s2_reader *r, bool unspecified)
{
    for (size_t i = 0; r->rc == S2SVPN_OK && r->left > 0; i++) {
        const uint8_t type = s2_read_u8(r, "option.type");
        const uint8_t len = s2_read_u8(r, "option.len");

        if (len == 0 || i == OPTIONS_MAX || (unspecified && type == OPTION_SOURCE))
            return false;
        s2_read_skip(r, 8u * len - 2, "option.value");
    }
    return r->rc == S2SVPN_OK;
}

/* Does it ask for us? */
static bool asks_for(const uint8_t *p, const struct s2_inet_view *v, const s2svpn_address *ours)
{
    const bool unspecified = is_unspecified(&v->source);
    struct s2_reader r;

    s2_reader_init(&r, p, v->total_len);
    s2_read_skip(&r, v->header_len, "ip.header");
    const uint8_t type = s2_read_u8(&r, "icmp.type");
    const uint8_t code = s2_read_u8(&r, "icmp.code");
    s2_read_skip(&r, 2 + 4, "icmp.header");
    const s2svpn_span target = s2_read_span(&r, 16, "target");
    return r.rc == S2SVPN_OK && type == SOLICITATION && code == 0 &&
           s2_span_equal(target, s2_span(ours->bytes, 16)) && options_good(&r, unspecified) &&
           (!unspecified || s2_inet_is_solicited_node(&v->destination, ours));
}

size_t s2_inet_answer_solicitation(uint8_t *out, size_t room, const uint8_t *p,
                                   const struct s2_inet_view *v, const s2svpn_address *ours)
{
    const bool unspecified = is_unspecified(&v->source);
    const s2svpn_address *to = unspecified ? &all_nodes : &v->source;
    uint8_t icmp[ADVERTISEMENT_LEN];
    struct s2_writer w;
    uint64_t sum;

    if (v->version != 6 || v->protocol != S2_IP_ICMPV6 || v->fragment || v->ttl != HOP_LIMIT ||
        v->source.bytes[0] == 0xff || !s2_inet_checksum_right(p, v) || !asks_for(p, v, ours))
        return 0;
    s2_writer_init(&w, icmp, sizeof(icmp));
    s2_write_u8(&w, ADVERTISEMENT);
    s2_write_u8(&w, 0);
    s2_write_u16(&w, 0); /* checksum */
    s2_write_u32(&w, FLAG_OVERRIDE | (unspecified ? 0 : FLAG_SOLICITED));
    s2_write_bytes(&w, ours->bytes, 16);
    sum = s2_inet_pseudo_sum(ours, to, S2_IP_ICMPV6, sizeof(icmp));
    s2_put_u16(icmp + 2, s2_checksum_finish(s2_checksum_add(sum, icmp, sizeof(icmp))));

    const size_t header =
        s2_inet_write_ip(out, room, ours, to, S2_IP_ICMPV6, 0, HOP_LIMIT, sizeof(icmp));
    if (header == 0 || s2_writer_finish(&w) != S2SVPN_OK)
        return 0;
    memcpy(out + header, icmp, sizeof(icmp));
    return header + sizeof(icmp);
}
