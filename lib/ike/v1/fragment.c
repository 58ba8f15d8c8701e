/* SPDX-License-Identifier: Apache-2.0 */
/* Vendors' fragments of IKEv1: payload 132 read and written, messages cut and put together
 * again. Whether a peer knows fragments is the exchange's business. The format is that of
 * the implementations (VID "FRAGMENTATION"); no RFC describes it. */
#include "ike/v1/fragment.h"

#include <string.h>

#include "base/bytes.h"

#define LAST 0x01
#define GENERIC_HEADER_LEN 4
#define FRAGMENT_HEADER_LEN 4 /* id, number, flags */
#define OVERHEAD (S2_IKE1_HEADER_LEN + GENERIC_HEADER_LEN + FRAGMENT_HEADER_LEN)

/* ---- the payload */

s2svpn_status s2_ike1_parse_fragment(struct s2_reader *r, struct s2_ike1_fragment *out)
{
    struct s2_ike1_fragment f = {.id = s2_read_u16(r, "fragment.id")};

    f.number = s2_read_u8(r, "fragment.number");
    if (f.number == 0)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "fragment.number");
    f.last = (s2_read_u8(r, "fragment.flags") & LAST) != 0;
    f.piece = s2_read_rest(r);
    if (f.piece.len == 0)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "fragment.piece");
    if (r->rc == S2SVPN_OK)
        *out = f;
    return r->rc;
}

void s2_ike1_write_fragment(struct s2_writer *w, const struct s2_ike1_fragment *f)
{
    s2_write_u16(w, f->id);
    s2_write_u8(w, f->number);
    s2_write_u8(w, f->last ? LAST : 0);
    s2_write_span(w, f->piece);
}

/* ---- together */

void s2_ike1_fragments_free(const struct s2_env *env, struct s2_ike1_fragments **set)
{
    if (*set == NULL)
        return;
    for (size_t i = 0; i < S2_IKE1_FRAGMENTS_MAX; i++)
        s2_free(env, (*set)->part[i].p);
    s2_free(env, *set);
    *set = NULL;
}

/* Does it contradict what is there? */
static bool contradicts(const struct s2_ike1_fragments *s, const struct s2_ike1_fragment *f)
{
    if (s->last != 0 && (f->number > s->last || (f->last && f->number != s->last)))
        return true;
    if (s->part[f->number - 1].p != NULL && f->last != (s->last == f->number))
        return true;
    for (size_t i = f->number; f->last && i < S2_IKE1_FRAGMENTS_MAX; i++) {
        if (s->part[i].p != NULL) /* part[i] is number i + 1 */
            return true;
    }
    return false;
}

/* Put it where it belongs. The set is of its id. */
static s2svpn_status put(const struct s2_env *env, struct s2_ike1_fragments *s,
                         const struct s2_ike1_fragment *f, size_t limit)
{
    const size_t slot = f->number - 1u;

    if (s->part[slot].p != NULL)
        return S2SVPN_OK;
    if (f->piece.len > limit || s->len > limit - f->piece.len)
        return S2SVPN_E_LIMIT;
    uint8_t *p = s2_alloc(env, f->piece.len);
    if (p == NULL)
        return S2SVPN_E_MEMORY;
    memcpy(p, f->piece.p, f->piece.len);
    s->part[slot].p = p;
    s->part[slot].len = f->piece.len;
    s->len += f->piece.len;
    s->count++;
    if (f->last)
        s->last = f->number;
    return S2SVPN_OK;
}

s2svpn_status s2_ike1_fragments_add(const struct s2_env *env, struct s2_ike1_fragments **set,
                                    const struct s2_ike1_fragment *f, size_t limit)
{
    struct s2_ike1_fragments *s = *set;

    if (f->number == 0 || f->piece.len == 0)
        return S2SVPN_E_MALFORMED;
    if (f->number > S2_IKE1_FRAGMENTS_MAX)
        return S2SVPN_E_LIMIT;
    if (s == NULL || s->id != f->id || s->message_id != f->message_id || contradicts(s, f)) {
        s = s2_alloc(env, sizeof(*s));
        if (s == NULL)
            return S2SVPN_E_MEMORY;
        s->id = f->id;
        s->message_id = f->message_id;
    }
    s2svpn_status rc = put(env, s, f, limit);
    if (s == *set)
        return rc;
    if (rc != S2SVPN_OK) {
        s2_ike1_fragments_free(env, &s);
        return rc;
    }
    s2_ike1_fragments_free(env, set);
    *set = s;
    return S2SVPN_OK;
}

bool s2_ike1_fragments_complete(const struct s2_ike1_fragments *set)
{
    return set != NULL && set->last != 0 && set->count == set->last;
}

s2svpn_status s2_ike1_fragments_take(const struct s2_env *env, struct s2_ike1_fragments **set,
                                     uint8_t **p, size_t *len)
{
    struct s2_ike1_fragments *s = *set;
    size_t at = 0;

    if (!s2_ike1_fragments_complete(s)) {
        s2_ike1_fragments_free(env, set);
        return S2SVPN_E_STATE;
    }
    uint8_t *whole = s2_alloc(env, s->len);
    if (whole == NULL) {
        s2_ike1_fragments_free(env, set);
        return S2SVPN_E_MEMORY;
    }
    for (size_t i = 0; i < s->last; i++) {
        memcpy(whole + at, s->part[i].p, s->part[i].len);
        at += s->part[i].len;
    }
    s2_ike1_fragments_free(env, set);
    *p = whole;
    *len = at;
    return S2SVPN_OK;
}

/* ---- apart */

size_t s2_ike1_split_count(size_t len, size_t size)
{
    if (len <= size)
        return 1;
    if (size <= OVERHEAD)
        return 0;
    const size_t room = size - OVERHEAD, count = (len - 1) / room + 1;
    return count <= S2_IKE1_FRAGMENTS_MAX ? count : 0;
}

s2svpn_status s2_ike1_split_write(struct s2_writer *w, s2svpn_span message, size_t size,
                                  uint16_t id, uint8_t number)
{
    const size_t count = s2_ike1_split_count(message.len, size);
    struct s2_ike1_header h;
    struct s2_ike1_chain chain;
    struct s2_reader r;

    if (count < 2 || number == 0 || number > count)
        return S2SVPN_E_ARGUMENT;
    s2_reader_init(&r, message.p, message.len);
    const s2svpn_status rc = s2_ike1_parse_header(&r, &h);
    if (rc != S2SVPN_OK)
        return rc;
    const size_t room = size - OVERHEAD, at = (number - 1u) * room, left = message.len - at;
    const struct s2_ike1_fragment f = {.id = id,
                                       .number = number,
                                       .last = number == count,
                                       .piece = s2_span(message.p + at, left < room ? left : room)};
    /* The piece's bytes say whether the whole is encrypted; the payload is plain. */
    h.flags &= (uint8_t)~S2_IKE1_FLAG_ENCRYPTED;
    s2_ike1_write_header(w, &h);
    s2_ike1_chain_begin(&chain, w);
    s2_ike1_payload_begin(&chain, S2_IKE1_PAYLOAD_FRAGMENT);
    s2_ike1_write_fragment(w, &f);
    s2_ike1_payload_end(&chain);
    return s2_ike1_write_end(w);
}
