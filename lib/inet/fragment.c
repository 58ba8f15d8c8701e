/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts IPv4 packets into fragments, each call making one: nothing is kept between
 * them. Doesn't ask for DF, which is the caller's decision, and clears it; doesn't
 * put fragments together. RFC 791 section 3.2. */
#include "inet/inet.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/reader.h"

#define IPV4_HEADER_LEN 20
#define IPV4_HEADER_MAX 60
#define MORE_FRAGMENTS 0x2000
#define OFFSET_MASK 0x1fff
#define OPTION_COPIED 0x80 /* RFC 791 section 3.1: goes into every fragment */
#define FRAGMENTS_MAX 8192 /* 65535 bytes in pieces of 8 */

enum ip_option { OPTION_END = 0, OPTION_NOP = 1 };

/* Copy of a header with those options that belong into fragments behind the first.
 * Malformed options end the list. Returns its length. */
static size_t copy_header(uint8_t *out, const uint8_t *p, size_t header_len)
{
    size_t len = IPV4_HEADER_LEN;
    struct s2_reader r;

    memcpy(out, p, IPV4_HEADER_LEN);
    s2_reader_init(&r, p + IPV4_HEADER_LEN, header_len - IPV4_HEADER_LEN);
    while (r.left > 0) {
        const uint8_t kind = s2_read_u8(&r, "ip.option");

        if (kind == OPTION_END)
            break;
        if (kind == OPTION_NOP)
            continue;
        const uint8_t option_len = s2_read_u8(&r, "ip.option.length");
        if (r.rc != S2SVPN_OK || option_len < 2)
            break;
        const s2svpn_span body = s2_read_span(&r, option_len - 2U, "ip.option");
        if (r.rc != S2SVPN_OK)
            break;
        if ((kind & OPTION_COPIED) == 0)
            continue;
        out[len] = kind;
        out[len + 1] = option_len;
        if (body.len > 0)
            memcpy(out + len + 2, body.p, body.len);
        len += option_len;
    }
    while (len % 4 != 0)
        out[len++] = OPTION_END;
    out[0] = (uint8_t)(0x40 | len / 4);
    return len;
}

size_t s2_inet_write_fragment(uint8_t *out, size_t room, const uint8_t *p,
                              const struct s2_inet_view *v, uint16_t mtu, unsigned index)
{
    const size_t carried = (size_t)v->total_len - v->header_len;
    uint8_t later[IPV4_HEADER_MAX];

    if (v->version != 4 || index >= FRAGMENTS_MAX)
        return 0;
    if (v->total_len <= mtu) { /* nothing to cut */
        if (index > 0 || room < v->total_len)
            return 0;
        memcpy(out, p, v->total_len);
        return v->total_len;
    }

    const size_t later_len = copy_header(later, p, v->header_len);
    if (mtu < v->header_len + 8U)
        return 0;
    const size_t first_step = (mtu - v->header_len) / 8U * 8U;
    const size_t step = (mtu - later_len) / 8 * 8;
    const size_t from = index == 0 ? 0 : first_step + (index - 1) * step;
    /* The last fragment need not end at a multiple of 8, so one before this may
     * have taken all that this step would begin with. */
    if (from >= carried || (index > 1 && carried - (from - step) <= mtu - later_len))
        return 0;

    const size_t header_len = index == 0 ? v->header_len : later_len;
    const bool last = carried - from <= mtu - header_len;
    const size_t n = last ? carried - from : index == 0 ? first_step : step;
    if (room < header_len + n)
        return 0;
    memcpy(out, index == 0 ? p : later, header_len);
    memcpy(out + header_len, p + v->header_len + from, n);

    const uint16_t place = s2_get_u16(p + 6);
    s2_put_u16(out + 2, (uint16_t)(header_len + n));
    s2_put_u16(out + 6, (uint16_t)(((place & OFFSET_MASK) + from / 8) |
                                   (last ? place & MORE_FRAGMENTS : MORE_FRAGMENTS)));
    s2_put_u16(out + 10, 0);
    s2_put_u16(out + 10, s2_checksum_finish(s2_checksum_add(0, out, header_len)));
    return header_len + n;
}
