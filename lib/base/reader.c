/* SPDX-License-Identifier: Apache-2.0 */
/* The cursor over foreign bytes: every length is compared with what is left
 * before a byte is touched, and take() is the only place that moves. */
#include "base/reader.h"

#include <string.h>

#include "base/bytes.h"

void s2_reader_init(struct s2_reader *r, const uint8_t *p, size_t len)
{
    *r = (struct s2_reader){.p = p, .left = len};
}

/* The next n bytes, passed over; NULL after a failure, or if n is 0 and there is
 * no buffer at all. */
static const uint8_t *take(struct s2_reader *r, size_t n, const char *field)
{
    const uint8_t *p = r->p;

    if (r->rc != S2SVPN_OK)
        return NULL;
    if (n > r->left) {
        s2_reader_fail(r, S2SVPN_E_MALFORMED, field);
        return NULL;
    }
    if (n > 0)
        r->p += n;
    r->left -= n;
    r->offset += n;
    return p;
}

uint8_t s2_read_u8(struct s2_reader *r, const char *field)
{
    const uint8_t *p = take(r, 1, field);

    return p != NULL ? p[0] : 0;
}

uint16_t s2_read_u16(struct s2_reader *r, const char *field)
{
    const uint8_t *p = take(r, 2, field);

    return p != NULL ? s2_get_u16(p) : 0;
}

uint32_t s2_read_u24(struct s2_reader *r, const char *field)
{
    const uint8_t *p = take(r, 3, field);

    return p != NULL ? (uint32_t)p[0] << 16 | s2_get_u16(p + 1) : 0;
}

uint32_t s2_read_u32(struct s2_reader *r, const char *field)
{
    const uint8_t *p = take(r, 4, field);

    return p != NULL ? s2_get_u32(p) : 0;
}

uint64_t s2_read_u64(struct s2_reader *r, const char *field)
{
    const uint8_t *p = take(r, 8, field);

    return p != NULL ? s2_get_u64(p) : 0;
}

void s2_read_copy(struct s2_reader *r, void *dst, size_t n, const char *field)
{
    const uint8_t *p = take(r, n, field);

    if (n == 0)
        return;
    if (p != NULL)
        memcpy(dst, p, n);
    else
        memset(dst, 0, n);
}

s2svpn_span s2_read_span(struct s2_reader *r, size_t n, const char *field)
{
    const uint8_t *p = take(r, n, field);

    return s2_span(p, p != NULL ? n : 0);
}

s2svpn_span s2_read_rest(struct s2_reader *r)
{
    return s2_read_span(r, r->left, NULL);
}

void s2_read_skip(struct s2_reader *r, size_t n, const char *field)
{
    (void)take(r, n, field);
}

struct s2_reader s2_read_sub(struct s2_reader *r, size_t n, const char *field)
{
    struct s2_reader sub = *r;
    const uint8_t *p = take(r, n, field);

    if (r->rc != S2SVPN_OK) {
        sub = *r;
        sub.left = 0;
        return sub;
    }
    sub.p = p;
    sub.left = n;
    return sub;
}

s2svpn_status s2_reader_join(struct s2_reader *r, const struct s2_reader *sub)
{
    if (r->rc == S2SVPN_OK && sub->rc != S2SVPN_OK) {
        r->rc = sub->rc;
        r->field = sub->field;
        r->fail_offset = sub->fail_offset;
    }
    return r->rc;
}

s2svpn_status s2_reader_fail(struct s2_reader *r, s2svpn_status rc, const char *field)
{
    if (r->rc == S2SVPN_OK) {
        r->rc = rc;
        r->field = field;
        r->fail_offset = r->offset;
    }
    return r->rc;
}

s2svpn_status s2_reader_finish(struct s2_reader *r)
{
    if (r->rc == S2SVPN_OK && r->left > 0)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "trailing bytes");
    return r->rc;
}
