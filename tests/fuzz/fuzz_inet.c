/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IP packets from anyone: read, clamped, fragmented, answered; superpackets with any
 * fields: cut; runs of segments: joined and cut again. The first byte chooses; its
 * upper bits say whether checksums are made right first, without which hardly any
 * input would get past the view.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "inet/inet.h"

#define ROOM 70000
#define PACKETS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good)
        abort();
}

static void check_view(const struct s2_inet_view *v, size_t len)
{
    check(v->version == 4 || v->version == 6);
    check(v->header_len >= (v->version == 4 ? 20 : 40));
    check(v->header_len <= v->total_len && v->total_len <= len);
    check(!v->first_fragment || v->fragment);
}

static void fix_ip(uint8_t *p, size_t len)
{
    const size_t header_len = len > 0 ? (p[0] & 15U) * 4 : 0;

    if (header_len < 20 || header_len > len || p[0] >> 4 != 4)
        return;
    s2_put_u16(p + 10, 0);
    s2_put_u16(p + 10, s2_checksum_finish(s2_checksum_add(0, p, header_len)));
}

static void fix_transport(uint8_t *p, size_t len)
{
    struct s2_inet_view v;

    if (!s2_inet_view(p, len, &v) || v.fragment || v.protocol != S2_IP_TCP ||
        v.total_len - v.header_len < 20)
        return;
    const size_t tcp_len = (size_t)v.total_len - v.header_len;
    s2_put_u16(p + v.header_len + 16, 0);
    const uint64_t sum = s2_inet_pseudo_sum(&v.source, &v.destination, S2_IP_TCP, tcp_len);
    s2_put_u16(p + v.header_len + 16,
               s2_checksum_finish(s2_checksum_add(sum, p + v.header_len, tcp_len)));
}

/* ---- one packet ---- */

static void check_fragments(const uint8_t *p, const struct s2_inet_view *v, uint16_t mtu)
{
    static uint8_t out[ROOM];
    struct s2_inet_view f;
    size_t carried = 0, n;

    for (unsigned i = 0; (n = s2_inet_write_fragment(out, sizeof(out), p, v, mtu, i)) > 0; i++) {
        check(n <= mtu && s2_inet_view(out, n, &f) && f.total_len == n);
        carried += n - f.header_len;
    }
    check(carried == 0 || carried == (size_t)v->total_len - v->header_len);
}

static void one_packet(uint8_t *p, size_t len, uint16_t number)
{
    static uint8_t out[ROOM], copy[ROOM];
    struct s2_inet_view v, again;

    if (!s2_inet_view(p, len, &v))
        return;
    check_view(&v, len);
    const bool right = !v.fragment && s2_inet_checksum_right(p, &v);
    memcpy(copy, p, len);
    size_t n = s2_inet_answer_solicitation(out, sizeof(out), p, &v, &v.destination);
    check(n == 0 || (s2_inet_view(out, n, &again) && s2_inet_checksum_right(out, &again) &&
                     again.ttl == 255));
    s2_inet_clamp_mss(p, &v, number);
    if (right && s2_get_u16(copy + v.header_len + 16) != 0xffff)
        check(s2_inet_checksum_right(p, &v) || v.protocol != S2_IP_TCP);
    if (v.ttl > 1) {
        s2_inet_lower_ttl(p, &v);
        check(s2_inet_view(p, len, &again) && again.ttl == v.ttl - 1);
    }
    check_fragments(p, &v, number);
    n = s2_inet_answer_echo(out, sizeof(out), p, &v);
    check(n == 0 || (s2_inet_view(out, n, &again) && s2_inet_checksum_right(out, &again)));
    n = s2_inet_write_error(out, sizeof(out), &v.destination, (enum s2_inet_error)(number % 3),
                            number, p, &v);
    check(n <= 1280);
    check(n == 0 || (s2_inet_view(out, n, &again) && s2_inet_checksum_right(out, &again)));
}

/* ---- a superpacket ---- */

static void one_super(uint8_t *p, size_t len, const uint8_t *fields)
{
    const struct s2_inet_super s = {
        .p = p,
        .len = (uint32_t)len,
        .gso_type = fields[0] & 15,
        .needs_checksum = (fields[0] & 16) != 0,
        .hdr_len = (fields[0] & 32) != 0 ? (uint16_t)len : s2_get_u16(fields + 1),
        .gso_size = s2_get_u16(fields + 3),
        .csum_start = fields[5],
        .csum_offset = fields[6],
    };
    uint8_t header[S2_INET_HEADER_MAX];
    static uint8_t whole[ROOM];
    struct s2_inet_cut c;
    s2svpn_span payload;
    size_t header_len, carried = 0;

    if (!s2_inet_cut_begin(&c, &s))
        return;
    while (s2_inet_cut_next(&c, header, &header_len, &payload)) {
        struct s2_inet_view v;

        check(header_len <= sizeof(header) && header_len == c.header_len);
        check(payload.p + payload.len <= p + len);
        if (payload.len > 0)
            memcpy(whole + header_len, payload.p, payload.len);
        if (header_len > 0)
            memcpy(whole, header, header_len);
        check(s2_inet_view(whole, header_len + payload.len, &v));
        check(v.total_len == header_len + payload.len);
        if (s.gso_type != S2_GSO_NONE && !s.needs_checksum && v.header_len == 40)
            check(s2_inet_checksum_right(whole, &v));
        carried += payload.len;
        s2_inet_clamp_mss(header_len > 0 ? header : p, &c.view, 1000);
    }
    check(carried == (size_t)c.view.total_len - c.header_len);
}

/* ---- a run of packets ---- */

static size_t start[PACKETS + 1];

static void check_cut(const struct s2_inet_super *s, const uint8_t *original, size_t first)
{
    uint8_t header[S2_INET_HEADER_MAX];
    struct s2_inet_cut c;
    s2svpn_span payload;
    size_t header_len, i = first;

    check(s2_inet_cut_begin(&c, s));
    while (s2_inet_cut_next(&c, header, &header_len, &payload)) {
        struct s2_inet_view v;

        check(s2_inet_view(original + start[i], start[i + 1] - start[i], &v));
        check(v.total_len == header_len + payload.len); /* padding behind a packet is gone */
        check(header_len == 0 || memcmp(header, original + start[i], header_len) == 0);
        check(payload.len == 0 ||
              memcmp(payload.p, original + start[i] + header_len, payload.len) == 0);
        i++;
    }
    check(i == first + s->segments);
}

/* Packets with two bytes of length each; a length above 32767 repeats the packet
 * before, as the next segment, so that runs are easy to find. */
static size_t lay_run(uint8_t *p, const uint8_t *data, size_t size, bool fix)
{
    size_t n = 0;

    while (n < PACKETS && size >= 2) {
        const uint16_t word = s2_get_u16(data);
        size_t len = word & 0x7fff;
        uint8_t *q = p + start[n];

        data += 2;
        size -= 2;
        if (word > 0x7fff && n > 0) {
            struct s2_inet_view v;

            len = start[n] - start[n - 1];
            if (start[n] + len > ROOM)
                break;
            memcpy(q, p + start[n - 1], len);
            if (s2_inet_view(q, len, &v) && v.protocol == S2_IP_TCP &&
                v.total_len >= v.header_len + 20) {
                const size_t tcp_len = (size_t)(q[v.header_len + 12] >> 4) * 4;
                const uint32_t seq = s2_get_u32(q + v.header_len + 4);

                s2_put_u32(q + v.header_len + 4,
                           (uint32_t)(seq + v.total_len - v.header_len - tcp_len));
                if (v.version == 4)
                    s2_put_u16(q + 4, (uint16_t)(s2_get_u16(q + 4) + 1));
            }
        } else {
            if (len > size || start[n] + len > ROOM)
                break;
            memcpy(q, data, len);
            data += len;
            size -= len;
        }
        if (fix) {
            fix_ip(q, len);
            fix_transport(q, len);
        }
        start[n + 1] = start[n] + len;
        n++;
    }
    return n;
}

static void one_run(const uint8_t *data, size_t size, bool fix)
{
    static uint8_t buffer[ROOM], original[ROOM];
    const size_t n = lay_run(buffer, data, size, fix);
    size_t i = 0;

    memcpy(original, buffer, start[n]);
    while (i < n) {
        const size_t first = i;
        struct s2_inet_super s;
        struct s2_inet_view v;

        if (!s2_inet_view(buffer + start[i], start[i + 1] - start[i], &v)) {
            i++;
            continue;
        }
        s2_inet_join_begin(&s, buffer + start[i], &v);
        for (i++; i < n; i++) {
            if (!s2_inet_view(buffer + start[i], start[i + 1] - start[i], &v) ||
                !s2_inet_join_append(&s, buffer + start[i], &v))
                break;
        }
        s2_inet_join_end(&s);
        check(s.segments == i - first && s.len <= 65535);
        check_cut(&s, original, first);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 9 || size > 65535)
        return 0;
    const bool fix = (data[0] & 0x80) != 0;
    if ((data[0] & 3) == 3) {
        one_run(data + 1, size - 1, fix);
        return 0;
    }
    const size_t len = size - 8;
    uint8_t *p = malloc(len); /* of the exact size: a read behind it is seen */
    if (p == NULL)
        return 0;
    memcpy(p, data + 8, len);
    if (fix) {
        fix_ip(p, len);
        fix_transport(p, len);
    }
    if ((data[0] & 3) == 2)
        one_super(p, len, data + 1);
    else
        one_packet(p, len, s2_get_u16(data + 1));
    free(p);
    return 0;
}
