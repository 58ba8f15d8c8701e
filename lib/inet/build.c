/* SPDX-License-Identifier: Apache-2.0 */
/* Builds whole packets: ICMP echo, ICMP errors, UDP. Decides nothing but whether
 * an answer is allowed at all. RFC 791, 8200 section 3, 792, 4443, 768; 1122
 * section 3.2.2 and 1812 section 4.3.2 (when no error may be sent). */
#include "inet/inet.h"

#include "base/address.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "base/writer.h"

#define TTL_DEFAULT 64
#define TOS_CONTROL 0xc0 /* precedence of errors: RFC 1812 section 4.3.2.5 */
#define IPV4_DONT_FRAGMENT 0x4000
#define ICMP_HEADER_LEN 8
#define ERROR_MAX_IPV4 576  /* RFC 1812 section 4.3.2.3 */
#define ERROR_MAX_IPV6 1280 /* RFC 4443 section 2.4 (c) */

enum icmp_type {
    ICMP_ECHO_REPLY = 0,
    ICMP_UNREACHABLE = 3,
    ICMP_ECHO = 8,
    ICMP_TIME_EXCEEDED = 11,
    ICMPV6_UNREACHABLE = 1,
    ICMPV6_TOO_BIG = 2,
    ICMPV6_TIME_EXCEEDED = 3,
    ICMPV6_ECHO = 128,
    ICMPV6_ECHO_REPLY = 129,
    ICMPV6_REDIRECT = 137,
};

struct header {
    const s2svpn_address *from, *to;
    uint8_t protocol, tos, ttl;
    bool may_fragment; /* IPv4: no DF, so id matters */
    uint16_t id;
};

/* An IPv4 or IPv6 header and no options. Overflow, or lengths that don't fit into
 * the header, leave w failed. */
static void write_header(struct s2_writer *w, const struct header *h, size_t payload_len)
{
    const size_t header_len = h->from->family == S2SVPN_FAMILY_IPV6 ? 40 : 20;
    const size_t at = w->len;

    if (payload_len > 65535 - header_len || h->from->family != h->to->family ||
        s2_address_len(h->from) == 0) {
        w->overflow = true;
        return;
    }
    if (h->from->family == S2SVPN_FAMILY_IPV6) {
        s2_write_u32(w, UINT32_C(6) << 28 | (uint32_t)h->tos << 20);
        s2_write_u16(w, (uint16_t)payload_len);
        s2_write_u8(w, h->protocol);
        s2_write_u8(w, h->ttl);
        s2_write_bytes(w, h->from->bytes, 16);
        s2_write_bytes(w, h->to->bytes, 16);
        return;
    }
    s2_write_u8(w, 0x45);
    s2_write_u8(w, h->tos);
    s2_write_u16(w, (uint16_t)(payload_len + 20));
    s2_write_u16(w, h->id);
    s2_write_u16(w, h->may_fragment ? 0 : IPV4_DONT_FRAGMENT);
    s2_write_u8(w, h->ttl);
    s2_write_u8(w, h->protocol);
    s2_write_u16(w, 0); /* checksum */
    s2_write_bytes(w, h->from->bytes, 4);
    s2_write_bytes(w, h->to->bytes, 4);
    if (!w->overflow)
        s2_write_patch_u16(w, at + 10, s2_checksum_finish(s2_checksum_add(0, w->p + at, 20)));
}

/* Fill in the transport's checksum, whose field stands zero at offset at of the
 * transport's bytes, and give the packet's length. */
static size_t finish(struct s2_writer *w, const struct header *h, size_t header_len, size_t at)
{
    if (s2_writer_finish(w) != S2SVPN_OK)
        return 0;
    const size_t len = w->len - header_len;
    uint64_t sum = 0;
    if (h->protocol != S2_IP_ICMP)
        sum = s2_inet_pseudo_sum(h->from, h->to, h->protocol, len);
    uint16_t checksum = s2_checksum_finish(s2_checksum_add(sum, w->p + header_len, len));
    if (h->protocol == S2_IP_UDP && checksum == 0)
        checksum = 0xffff; /* RFC 768: zero says "none" */
    s2_write_patch_u16(w, header_len + at, checksum);
    return s2_writer_finish(w) == S2SVPN_OK ? w->len : 0;
}

size_t s2_inet_write_ip(uint8_t *out, size_t room, const s2svpn_address *from,
                        const s2svpn_address *to, uint8_t protocol, uint8_t tos, uint8_t ttl,
                        size_t payload_len)
{
    struct s2_writer w;

    s2_writer_init(&w, out, room);
    write_header(&w,
                 &(struct header){.from = from,
                                  .to = to,
                                  .protocol = protocol,
                                  .tos = tos,
                                  .ttl = ttl != 0 ? ttl : TTL_DEFAULT},
                 payload_len);
    if (s2_writer_finish(&w) != S2SVPN_OK || payload_len > room - w.len)
        return 0;
    return w.len;
}

static size_t write_icmp(uint8_t *out, size_t room, struct header h, uint8_t type, uint8_t code,
                         uint32_t rest, s2svpn_span data)
{
    struct s2_writer w;

    if (data.len > 65535)
        return 0;
    s2_writer_init(&w, out, room);
    write_header(&w, &h, ICMP_HEADER_LEN + data.len);
    const size_t header_len = w.len;
    s2_write_u8(&w, type);
    s2_write_u8(&w, code);
    s2_write_u16(&w, 0); /* checksum */
    s2_write_u32(&w, rest);
    s2_write_span(&w, data);
    return finish(&w, &h, header_len, 2);
}

/* A header for ICMP of the addresses' family. */
static struct header icmp_header(const s2svpn_address *from, const s2svpn_address *to, uint8_t tos)
{
    return (struct header){
        .from = from,
        .to = to,
        .protocol = from->family == S2SVPN_FAMILY_IPV6 ? S2_IP_ICMPV6 : S2_IP_ICMP,
        .tos = tos,
        .ttl = TTL_DEFAULT,
    };
}

static uint8_t echo_type(uint8_t family, bool reply)
{
    if (family == S2SVPN_FAMILY_IPV6)
        return reply ? ICMPV6_ECHO_REPLY : ICMPV6_ECHO;
    return reply ? ICMP_ECHO_REPLY : ICMP_ECHO;
}

size_t s2_inet_write_icmp_echo(uint8_t *out, size_t room, const s2svpn_address *from,
                               const s2svpn_address *to, bool reply, uint16_t id, uint16_t seq,
                               s2svpn_span data)
{
    return write_icmp(out, room, icmp_header(from, to, 0), echo_type(from->family, reply), 0,
                      (uint32_t)id << 16 | seq, data);
}

size_t s2_inet_answer_echo(uint8_t *out, size_t room, const uint8_t *p,
                           const struct s2_inet_view *v)
{
    const uint8_t protocol = v->version == 6 ? S2_IP_ICMPV6 : S2_IP_ICMP;

    /* A right checksum promises a whole packet and the eight bytes that are read here. */
    if (v->protocol != protocol || !s2_inet_checksum_right(p, v))
        return 0;
    const uint8_t *icmp = p + v->header_len;
    if (icmp[0] != echo_type(v->source.family, false) || icmp[1] != 0)
        return 0;

    struct header h = icmp_header(&v->destination, &v->source, v->tos);
    if (v->version == 4) {
        /* The answer is as long as the request and may be cut where that might. */
        h.may_fragment = !v->dont_fragment;
        h.id = s2_get_u16(p + 4);
    }
    return write_icmp(
        out, room, h, echo_type(v->source.family, true), 0, s2_get_u32(icmp + 4),
        s2_span(icmp + ICMP_HEADER_LEN, (size_t)v->total_len - v->header_len - ICMP_HEADER_LEN));
}

static bool is_multicast(const s2svpn_address *a)
{
    return a->family == S2SVPN_FAMILY_IPV6 ? a->bytes[0] == 0xff : a->bytes[0] >> 4 == 0xe;
}

/* Does the address stand for one host, to which an error could go? Class E takes
 * the limited broadcast along. */
static bool is_one_host(const s2svpn_address *a)
{
    static const uint8_t zero[15];

    if (is_multicast(a))
        return false;
    if (a->family == S2SVPN_FAMILY_IPV4)
        return a->bytes[0] != 0 && a->bytes[0] != 127 && a->bytes[0] < 240;
    return !(s2_span_equal(s2_span(a->bytes, 15), s2_span(zero, 15)) && a->bytes[15] <= 1);
}

/* Is it an ICMP message that no error may answer? All but the known questions and
 * answers (IPv4), all errors and redirects (IPv6); also one too short to tell. */
static bool is_icmp_error(const uint8_t *p, const struct s2_inet_view *v)
{
    if (v->total_len - v->header_len < 1)
        return v->protocol == S2_IP_ICMP || v->protocol == S2_IP_ICMPV6;
    const uint8_t type = p[v->header_len];

    if (v->protocol == S2_IP_ICMPV6)
        return type < ICMPV6_ECHO || type == ICMPV6_REDIRECT;
    if (v->protocol != S2_IP_ICMP)
        return false;
    return type != ICMP_ECHO && type != ICMP_ECHO_REPLY && !(type >= 13 && type <= 18);
}

static bool may_answer(const uint8_t *p, const struct s2_inet_view *v, enum s2_inet_error error)
{
    if (v->fragment && !v->first_fragment)
        return false;
    if (!is_one_host(&v->source) || is_icmp_error(p, v))
        return false;
    /* RFC 4443 section 2.4 (e.3): path MTU discovery works for multicast too. */
    if (v->version == 6 && error == S2_INET_TOO_BIG)
        return true;
    return !is_multicast(&v->destination) &&
           !(v->version == 4 && s2_address_ipv4_value(&v->destination) == UINT32_MAX);
}

size_t s2_inet_write_error(uint8_t *out, size_t room, const s2svpn_address *from,
                           enum s2_inet_error error, uint16_t mtu, const uint8_t *p,
                           const struct s2_inet_view *v)
{
    static const struct {
        uint8_t type, code;
    } codes[][2] = {
        [S2_INET_TTL_EXCEEDED] = {{ICMP_TIME_EXCEEDED, 0}, {ICMPV6_TIME_EXCEEDED, 0}},
        [S2_INET_NO_ROUTE] = {{ICMP_UNREACHABLE, 0}, {ICMPV6_UNREACHABLE, 0}},
        [S2_INET_TOO_BIG] = {{ICMP_UNREACHABLE, 4}, {ICMPV6_TOO_BIG, 0}},
    };
    const bool ipv6 = v->version == 6;
    const size_t header_len = ipv6 ? 40 : 20;
    const size_t most = (ipv6 ? ERROR_MAX_IPV6 : ERROR_MAX_IPV4) - header_len - ICMP_HEADER_LEN;

    if (from->family != v->source.family || !may_answer(p, v, error))
        return 0;
    /* The MTU is the lower half of the word (RFC 1191 section 4) or all of it. */
    return write_icmp(out, room, icmp_header(from, &v->source, TOS_CONTROL),
                      codes[error][ipv6].type, codes[error][ipv6].code,
                      error == S2_INET_TOO_BIG ? mtu : 0,
                      s2_span(p, v->total_len < most ? v->total_len : most));
}

size_t s2_inet_write_udp(uint8_t *out, size_t room, const s2svpn_address *from, uint16_t from_port,
                         const s2svpn_address *to, uint16_t to_port, s2svpn_span data)
{
    const struct header h = {.from = from, .to = to, .protocol = S2_IP_UDP, .ttl = TTL_DEFAULT};
    struct s2_writer w;

    if (data.len > 65535)
        return 0;
    s2_writer_init(&w, out, room);
    write_header(&w, &h, 8 + data.len);
    const size_t header_len = w.len;
    s2_write_u16(&w, from_port);
    s2_write_u16(&w, to_port);
    s2_write_u16(&w, (uint16_t)(8 + data.len));
    s2_write_u16(&w, 0); /* checksum */
    s2_write_span(&w, data);
    return finish(&w, &h, header_len, 6);
}
