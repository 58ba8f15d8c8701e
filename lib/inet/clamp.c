/* SPDX-License-Identifier: Apache-2.0 */
/* Lowers the MSS option of TCP SYNs, so that no segment needs to be fragmented in
 * the tunnel. Adds no option where there is none. RFC 9293 section 3.2, 6691. */
#include "inet/inet.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/reader.h"

#define TCP_HEADER_LEN 20
#define TCP_SYN 0x02

enum tcp_option { OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2 };

/* Where the MSS option's value stands, counted from the TCP header's first byte;
 * 0 if there is none or the options are malformed before it. */
static size_t find_mss(const uint8_t *tcp, size_t header_len)
{
    struct s2_reader r;

    s2_reader_init(&r, tcp, header_len);
    s2_read_skip(&r, TCP_HEADER_LEN, "tcp");
    while (r.rc == S2SVPN_OK && r.left > 0) {
        const uint8_t kind = s2_read_u8(&r, "tcp.option");

        if (kind == OPTION_END)
            return 0;
        if (kind == OPTION_NOP)
            continue;
        const uint8_t len = s2_read_u8(&r, "tcp.option.length");
        if (r.rc != S2SVPN_OK || len < 2)
            return 0;
        if (kind == OPTION_MSS && len == 4)
            return r.left >= 2 ? r.offset : 0;
        s2_read_skip(&r, len - 2U, "tcp.option");
    }
    return 0;
}

static uint16_t swap(uint16_t v)
{
    return (uint16_t)(v << 8 | v >> 8);
}

void s2_inet_clamp_mss(uint8_t *p, const struct s2_inet_view *v, uint16_t mss)
{
    const size_t len = (size_t)v->total_len - v->header_len;
    uint8_t *tcp = p + v->header_len;

    if (v->protocol != S2_IP_TCP || (v->fragment && !v->first_fragment) || len < TCP_HEADER_LEN ||
        (tcp[13] & TCP_SYN) == 0)
        return;
    const size_t header_len = (size_t)(tcp[12] >> 4) * 4;
    if (header_len < TCP_HEADER_LEN || header_len > len)
        return;
    const size_t at = find_mss(tcp, header_len);
    if (at == 0 || s2_get_u16(tcp + at) <= mss)
        return;

    uint16_t before = s2_get_u16(tcp + at), after = mss;
    s2_put_u16(tcp + at, mss);
    if (at % 2 != 0) { /* behind an odd number of NOPs: the value lies across two words */
        before = swap(before);
        after = swap(after);
    }
    s2_put_u16(tcp + 16, s2_checksum_update(s2_get_u16(tcp + 16), before, after));
}
