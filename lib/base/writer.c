/* SPDX-License-Identifier: Apache-2.0 */
/* The cursor that writes wire forms: what doesn't fit is not written at all, and
 * nothing is written after it. */
#include "base/writer.h"

#include <string.h>

#include "base/bytes.h"

void s2_writer_init(struct s2_writer *w, uint8_t *p, size_t size)
{
    *w = (struct s2_writer){.p = p, .size = size};
}

uint8_t *s2_write_room(struct s2_writer *w, size_t n)
{
    if (w->overflow || n > w->size - w->len) {
        w->overflow = true;
        return NULL;
    }
    uint8_t *room = w->len > 0 ? w->p + w->len : w->p;
    w->len += n;
    return room;
}

void s2_write_u8(struct s2_writer *w, uint8_t v)
{
    uint8_t *p = s2_write_room(w, 1);

    if (p != NULL)
        p[0] = v;
}

void s2_write_u16(struct s2_writer *w, uint16_t v)
{
    uint8_t *p = s2_write_room(w, 2);

    if (p != NULL)
        s2_put_u16(p, v);
}

void s2_write_u24(struct s2_writer *w, uint32_t v)
{
    uint8_t *p = s2_write_room(w, 3);

    if (p == NULL)
        return;
    p[0] = (uint8_t)(v >> 16);
    s2_put_u16(p + 1, (uint16_t)v);
}

void s2_write_u32(struct s2_writer *w, uint32_t v)
{
    uint8_t *p = s2_write_room(w, 4);

    if (p != NULL)
        s2_put_u32(p, v);
}

void s2_write_u64(struct s2_writer *w, uint64_t v)
{
    uint8_t *p = s2_write_room(w, 8);

    if (p != NULL)
        s2_put_u64(p, v);
}

void s2_write_bytes(struct s2_writer *w, const void *src, size_t n)
{
    uint8_t *p = s2_write_room(w, n);

    if (p != NULL && n > 0)
        memcpy(p, src, n);
}

void s2_write_span(struct s2_writer *w, s2svpn_span s)
{
    s2_write_bytes(w, s.p, s.len);
}

void s2_write_zero(struct s2_writer *w, size_t n)
{
    uint8_t *p = s2_write_room(w, n);

    if (p != NULL && n > 0)
        memset(p, 0, n);
}

/* A patch behind the written part is an overflow too: our own mistake, and it
 * must not become a message. */
static uint8_t *written(struct s2_writer *w, size_t at, size_t n)
{
    if (w->overflow || at > w->len || n > w->len - at) {
        w->overflow = true;
        return NULL;
    }
    return w->p + at;
}

void s2_write_patch_u8(struct s2_writer *w, size_t at, uint8_t v)
{
    uint8_t *p = written(w, at, 1);

    if (p != NULL)
        p[0] = v;
}

void s2_write_patch_u16(struct s2_writer *w, size_t at, uint16_t v)
{
    uint8_t *p = written(w, at, 2);

    if (p != NULL)
        s2_put_u16(p, v);
}

void s2_write_patch_u32(struct s2_writer *w, size_t at, uint32_t v)
{
    uint8_t *p = written(w, at, 4);

    if (p != NULL)
        s2_put_u32(p, v);
}

s2svpn_status s2_writer_finish(const struct s2_writer *w)
{
    return w->overflow ? S2SVPN_E_NO_ROOM : S2SVPN_OK;
}
