/* SPDX-License-Identifier: Apache-2.0 */
/* AS paths parsed, merged, measured and written. RFC 4271 sections 4.3 and
 * 9.1.2.2 a, 6793 section 4.2.3, 7607. Confederation segments are malformed here:
 * we are nobody's member. */
#include "bgp/path.h"

#include <string.h>

#include "bgp/message.h"

struct s2_bgp_path_view s2_bgp_path_view(const struct s2_bgp_path *path)
{
    return (struct s2_bgp_path_view){path->as_count, path->segment_count, path->as, path->segment};
}

static s2svpn_status parse_segment(struct s2_reader *r, size_t as_size, struct s2_bgp_path *out)
{
    const uint8_t type = s2_read_u8(r, "path.type");
    const uint8_t count = s2_read_u8(r, "path.count");
    struct s2_reader body = s2_read_sub(r, count * as_size, "path.count");

    if (r->rc != S2SVPN_OK)
        return r->rc;
    if ((type != S2_BGP_AS_SET && type != S2_BGP_AS_SEQUENCE) || count == 0)
        return s2_reader_fail(r, S2SVPN_E_MALFORMED, "path.type");
    if (count > S2_BGP_AS_PATH_MAX - out->as_count)
        return s2_reader_fail(r, S2SVPN_E_LIMIT, "path.count");
    for (unsigned i = 0; i < count; i++) {
        const uint32_t asn =
            as_size == 4 ? s2_read_u32(&body, "path.as") : s2_read_u16(&body, "path.as");

        if (asn == 0) /* RFC 7607 section 2 */
            return s2_reader_fail(r, S2SVPN_E_MALFORMED, "path.as");
        out->as[out->as_count++] = asn;
    }
    out->segment[out->segment_count++] = (struct s2_bgp_segment){type, count};
    return S2SVPN_OK;
}

s2svpn_status s2_bgp_parse_path(struct s2_reader *r, size_t as_size, struct s2_bgp_path *out)
{
    out->as_count = out->segment_count = 0;
    while (r->left > 0 && parse_segment(r, as_size, out) == S2SVPN_OK)
        continue;
    return r->rc;
}

s2svpn_status s2_bgp_parse_as4_path(struct s2_reader *r, struct s2_bgp_path *out)
{
    out->as_count = out->segment_count = 0;
    while (r->left > 0 && r->rc == S2SVPN_OK) {
        struct s2_reader look = *r;
        const uint8_t type = s2_read_u8(&look, "path.type");
        const uint8_t count = s2_read_u8(&look, "path.count");

        if (type != S2_BGP_AS_CONFED_SEQUENCE && type != S2_BGP_AS_CONFED_SET) {
            (void)!parse_segment(r, 4, out);
        } else {
            s2_read_skip(&look, count * (size_t)4, "path.count");
            *r = look;
        }
    }
    return r->rc;
}

uint16_t s2_bgp_path_length(const struct s2_bgp_path_view *path)
{
    unsigned length = 0;

    for (size_t i = 0; i < path->segment_count; i++)
        length += path->segment[i].type == S2_BGP_AS_SET ? 1u : path->segment[i].count;
    return (uint16_t)length;
}

/* Keep of a path what makes up its first length steps. */
static void cut(struct s2_bgp_path *path, unsigned length)
{
    size_t i = 0, ases = 0;

    for (; length > 0; i++) {
        struct s2_bgp_segment *s = &path->segment[i];

        if (s->type == S2_BGP_AS_SEQUENCE && s->count > length)
            s->count = (uint8_t)length;
        length -= s->type == S2_BGP_AS_SEQUENCE ? s->count : 1;
        ases += s->count;
    }
    path->segment_count = (uint16_t)i;
    path->as_count = (uint16_t)ases;
}

s2svpn_status s2_bgp_merge_path(struct s2_bgp_path *path, const struct s2_bgp_path *as4)
{
    const struct s2_bgp_path_view all = s2_bgp_path_view(path), tail = s2_bgp_path_view(as4);
    const unsigned length = s2_bgp_path_length(&all), tail_length = s2_bgp_path_length(&tail);
    struct s2_bgp_path out = *path;

    if (tail_length > length)
        return S2SVPN_OK;
    cut(&out, length - tail_length);
    if (as4->as_count > S2_BGP_AS_PATH_MAX - out.as_count)
        return S2SVPN_E_LIMIT;
    /* as many segments as ASNs at most */
    memcpy(out.as + out.as_count, as4->as, as4->as_count * sizeof(as4->as[0]));
    memcpy(out.segment + out.segment_count, as4->segment,
           as4->segment_count * sizeof(as4->segment[0]));
    out.as_count = (uint16_t)(out.as_count + as4->as_count);
    out.segment_count = (uint16_t)(out.segment_count + as4->segment_count);
    *path = out;
    return S2SVPN_OK;
}

bool s2_bgp_path_contains(const struct s2_bgp_path_view *path, uint32_t asn)
{
    for (size_t i = 0; i < path->as_count; i++) {
        if (path->as[i] == asn)
            return true;
    }
    return false;
}

uint32_t s2_bgp_path_first(const struct s2_bgp_path_view *path)
{
    return path->segment_count > 0 && path->segment[0].type == S2_BGP_AS_SEQUENCE ? path->as[0] : 0;
}

size_t s2_bgp_path_size(const struct s2_bgp_path_view *path, size_t as_size)
{
    return path->segment_count * (size_t)2 + path->as_count * as_size;
}

void s2_bgp_write_path(struct s2_writer *w, const struct s2_bgp_path_view *path, size_t as_size)
{
    const uint32_t *as = path->as;

    for (size_t i = 0; i < path->segment_count; i++) {
        s2_write_u8(w, path->segment[i].type);
        s2_write_u8(w, path->segment[i].count);
        for (unsigned n = 0; n < path->segment[i].count; n++, as++) {
            if (as_size == 4)
                s2_write_u32(w, *as);
            else
                s2_write_u16(w, (uint16_t)(*as <= UINT16_MAX ? *as : S2_BGP_AS_TRANS));
        }
    }
}
