/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of communities found and edited. What they mean is for others to say. RFC 1997, 8092. */
#include "bgp/community.h"

#include <string.h>

#include "base/bytes.h"

/* The next attribute of an opaque part, which we wrote ourselves. */
static s2svpn_span take(struct s2_reader *r, uint8_t *type, s2svpn_span *whole)
{
    const struct s2_reader begin = *r;
    const uint8_t flags = s2_read_u8(r, "flags");

    *type = s2_read_u8(r, "type");
    const size_t len =
        flags & S2_BGP_FLAG_EXTENDED ? s2_read_u16(r, "length") : s2_read_u8(r, "length");
    const s2svpn_span value = s2_read_span(r, len, "value");
    *whole = s2_span(begin.p, begin.left - r->left);
    return value;
}

s2svpn_span s2_bgp_opaque_value(s2svpn_span opaque, uint8_t type)
{
    s2svpn_span whole;
    struct s2_reader r;
    uint8_t t;

    s2_reader_init(&r, opaque.p, opaque.len);
    while (r.left > 0 && r.rc == S2SVPN_OK) {
        const s2svpn_span value = take(&r, &t, &whole);

        if (t == type && r.rc == S2SVPN_OK)
            return value;
    }
    return s2_span(NULL, 0);
}

bool s2_bgp_list_has(s2svpn_span list, const uint8_t *element, size_t len)
{
    for (size_t at = 0; at + len <= list.len; at += len) {
        if (memcmp(list.p + at, element, len) == 0)
            return true;
    }
    return false;
}

bool s2_bgp_put_list(struct s2_bgp_values *v, uint8_t type, s2svpn_span list)
{
    uint8_t out[sizeof(v->opaque)];
    bool due = list.len > 0;
    s2svpn_span whole;
    struct s2_writer w;
    struct s2_reader r;

    s2_writer_init(&w, out, sizeof(out));
    s2_reader_init(&r, v->opaque, v->opaque_len);
    do {
        uint8_t t = UINT8_MAX;

        whole = s2_span(NULL, 0);
        if (r.left > 0)
            (void)take(&r, &t, &whole);
        if (due && (t >= type || whole.len == 0)) {
            s2_bgp_write_attribute_header(&w, S2_BGP_FLAG_OPTIONAL | S2_BGP_FLAG_TRANSITIVE, type,
                                          list.len);
            s2_write_span(&w, list);
            due = false;
        }
        if (t != type)
            s2_write_span(&w, whole);
    } while (whole.len > 0);
    if (s2_writer_finish(&w) != S2SVPN_OK || r.rc != S2SVPN_OK)
        return false;
    if (w.len > 0)
        memcpy(v->opaque, out, w.len);
    v->opaque_len = (uint16_t)w.len;
    return true;
}

void s2_bgp_write_community(uint8_t *out, uint32_t community)
{
    s2_put_u32(out, community);
}

void s2_bgp_write_large(uint8_t *out, const s2svpn_bgp_large_community *community)
{
    s2_put_u32(out, community->administrator);
    s2_put_u32(out + 4, community->data1);
    s2_put_u32(out + 8, community->data2);
}

size_t s2_bgp_read_communities(s2svpn_span list, uint32_t *out)
{
    struct s2_reader r;
    size_t n = 0;

    s2_reader_init(&r, list.p, list.len);
    for (; r.left > 0 && r.rc == S2SVPN_OK; n++)
        out[n] = s2_read_u32(&r, "community");
    return n;
}

size_t s2_bgp_read_large(s2svpn_span list, s2svpn_bgp_large_community *out)
{
    struct s2_reader r;
    size_t n = 0;

    s2_reader_init(&r, list.p, list.len);
    for (; r.left > 0 && r.rc == S2SVPN_OK; n++) {
        out[n].administrator = s2_read_u32(&r, "large_community");
        out[n].data1 = s2_read_u32(&r, "large_community");
        out[n].data2 = s2_read_u32(&r, "large_community");
    }
    return n;
}

size_t s2_bgp_edit_list(const struct s2_bgp_edit *edit, s2svpn_span list, uint8_t *out, size_t size)
{
    struct s2_writer w;

    s2_writer_init(&w, out, size);
    for (size_t at = 0; at + edit->len <= list.len; at += edit->len) {
        if (!edit->strip_all && !s2_bgp_list_has(edit->strip, list.p + at, edit->len))
            s2_write_bytes(&w, list.p + at, edit->len);
    }
    for (size_t at = 0; at + edit->len <= edit->add.len; at += edit->len) {
        if (!s2_bgp_list_has(s2_span(out, w.len), edit->add.p + at, edit->len))
            s2_write_bytes(&w, edit->add.p + at, edit->len);
    }
    return s2_writer_finish(&w) == S2SVPN_OK ? w.len : SIZE_MAX;
}
