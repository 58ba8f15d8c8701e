/* SPDX-License-Identifier: Apache-2.0 */
/* Captures of the pcap format, nanosecond variant, link type RAW: a packet begins with
 * its IP header. It makes bytes and opens no file. RFC 791, 768, 8200. */
#include "s2svpn/pcap.h"

#include <string.h>

#define MAGIC_NS 0xa1b23c4du
#define SNAP_LEN 262144u
#define LINKTYPE_RAW 101u
#define RECORD_LEN 16
#define IPV4_LEN 20
#define IPV6_LEN 40
#define UDP_LEN 8
#define PROTOCOL_UDP 17
#define PROTOCOL_ESP 50
#define DEFAULT_HOP_LIMIT 64
#define IPV4_DF 0x4000u

/* The format's numbers have the writer's byte order; ours is always the little one.
 * Those of IP have the big one. */
static uint8_t *little16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    return p + 2;
}

static uint8_t *little32(uint8_t *p, uint32_t v)
{
    return little16(little16(p, v & 0xffff), v >> 16);
}

static uint8_t *big16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
    return p + 2;
}

/* RFC 1071: the sum of 16-bit words; pieces but the last have an even length. */
static uint64_t add(uint64_t sum, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint64_t)p[i] << 8 | p[i + 1];
    return len % 2 ? sum + ((uint64_t)p[len - 1] << 8) : sum;
}

static uint16_t fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

void s2svpn_pcap_header(uint8_t *out)
{
    uint8_t *p = little32(out, MAGIC_NS);

    p = little16(p, 2);
    p = little16(p, 4);
    p = little32(p, 0); /* time zone and accuracy: always 0 */
    p = little32(p, 0);
    p = little32(p, SNAP_LEN);
    little32(p, LINKTYPE_RAW);
}

static uint8_t *record(uint8_t *p, uint64_t unix_ns, size_t len)
{
    p = little32(p, (uint32_t)(unix_ns / 1000000000u));
    p = little32(p, (uint32_t)(unix_ns % 1000000000u));
    p = little32(p, (uint32_t)len);
    return little32(p, (uint32_t)len);
}

size_t s2svpn_pcap_packet(uint8_t *out, size_t room, const uint8_t *p, size_t len, uint64_t unix_ns)
{
    if (len > SNAP_LEN || room < RECORD_LEN || room - RECORD_LEN < len)
        return 0;
    out = record(out, unix_ns, len);
    if (len > 0)
        memcpy(out, p, len);
    return RECORD_LEN + len;
}

/* What stands before a payload. */
struct outer {
    const s2svpn_endpoint *from, *to;
    unsigned protocol, tos, hop_limit, flags;
    size_t payload_len; /* of IP */
};

static uint8_t *ipv4(uint8_t *p, const struct outer *o)
{
    uint8_t *const start = p;

    *p++ = 0x45;
    *p++ = (uint8_t)o->tos;
    p = big16(p, (unsigned)(IPV4_LEN + o->payload_len));
    p = big16(p, 0); /* identification */
    p = big16(p, o->flags);
    *p++ = (uint8_t)o->hop_limit;
    *p++ = (uint8_t)o->protocol;
    p = big16(p, 0); /* checksum, below */
    memcpy(p, o->from->address.bytes, 4);
    memcpy(p + 4, o->to->address.bytes, 4);
    big16(start + 10, fold(add(0, start, IPV4_LEN)));
    return start + IPV4_LEN;
}

static uint8_t *ipv6(uint8_t *p, const struct outer *o)
{
    uint8_t *const start = p;

    p = big16(p, 0x6000u | o->tos << 4);
    p = big16(p, 0); /* flow label */
    p = big16(p, (unsigned)o->payload_len);
    *p++ = (uint8_t)o->protocol;
    *p++ = (uint8_t)o->hop_limit;
    memcpy(p, o->from->address.bytes, 16);
    memcpy(p + 16, o->to->address.bytes, 16);
    return start + IPV6_LEN;
}

/* The checksum is over the addresses, the protocol, the length and all of UDP; 0
 * would mean none, and is sent as 0xffff. */
static uint8_t *udp(uint8_t *p, const struct outer *o, const uint8_t *data, size_t len)
{
    const size_t address_len = o->from->address.family == S2SVPN_FAMILY_IPV4 ? 4 : 16;
    uint8_t *const start = p;
    uint64_t sum = PROTOCOL_UDP + UDP_LEN + len;

    p = big16(p, o->from->port);
    p = big16(p, o->to->port);
    p = big16(p, (unsigned)(UDP_LEN + len));
    sum = add(sum, o->from->address.bytes, address_len);
    sum = add(sum, o->to->address.bytes, address_len);
    sum = add(sum, start, UDP_LEN - 2);
    sum = add(sum, data, len);
    const uint16_t checksum = fold(sum);
    return big16(p, checksum ? checksum : 0xffff);
}

/* The bytes of one datagram; false if the train has no such one. */
static bool pick(const s2svpn_datagram *d, size_t index, s2svpn_span *out)
{
    if (d->segment == 0 || d->len <= d->segment) {
        *out = (s2svpn_span){d->data, d->len};
        return index == 0;
    }
    if (index > (d->len - 1) / d->segment)
        return false;

    const size_t start = index * d->segment;
    const size_t rest = d->len - start;
    *out = (s2svpn_span){d->data + start, rest < d->segment ? rest : d->segment};
    return true;
}

size_t s2svpn_pcap_datagram(uint8_t *out, size_t room, const s2svpn_datagram *d, size_t index,
                            bool sent, uint64_t unix_ns)
{
    const bool raw = d->local.role == S2SVPN_ROLE_RAW;
    const uint8_t family = d->local.address.family;
    struct outer o = {.from = sent ? &d->local : &d->remote,
                      .to = sent ? &d->remote : &d->local,
                      .protocol = raw ? PROTOCOL_ESP : PROTOCOL_UDP,
                      .tos = d->tos,
                      .hop_limit = d->hop_limit ? d->hop_limit : DEFAULT_HOP_LIMIT,
                      .flags = d->dont_fragment ? IPV4_DF : 0};
    s2svpn_span data;

    if (family != d->remote.address.family || !pick(d, index, &data))
        return 0;
    if (family != S2SVPN_FAMILY_IPV4 && family != S2SVPN_FAMILY_IPV6)
        return 0;
    o.payload_len = data.len + (raw ? 0 : UDP_LEN);
    const size_t ip_len = family == S2SVPN_FAMILY_IPV4 ? IPV4_LEN : IPV6_LEN;
    const size_t len = ip_len + o.payload_len;
    if ((family == S2SVPN_FAMILY_IPV4 ? len : o.payload_len) > UINT16_MAX)
        return 0;
    if (room < RECORD_LEN + len)
        return 0;

    uint8_t *p = record(out, unix_ns, len);
    p = family == S2SVPN_FAMILY_IPV4 ? ipv4(p, &o) : ipv6(p, &o);
    if (!raw)
        p = udp(p, &o, data.p, data.len);
    if (data.len > 0)
        memcpy(p, data.p, data.len);
    return RECORD_LEN + len;
}
