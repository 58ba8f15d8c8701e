/* SPDX-License-Identifier: Apache-2.0 */
/* Fragments of one protected message, see fragment.h. RFC 7383 sections 2.5, 2.6. */
#include "ike/fragment.h"

#include <string.h>

#include "base/bytes.h"

s2svpn_status s2_ike_parse_skf(struct s2_reader *r, struct s2_ike_skf *out)
{
    struct s2_ike_skf got;

    got.number = s2_read_u16(r, "skf.number");
    got.total = s2_read_u16(r, "skf.total");
    (void)s2_read_rest(r); /* sealed */
    if (r->rc == S2SVPN_OK && (got.number == 0 || got.number > got.total))
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "skf.number");
    if (r->rc == S2SVPN_OK && got.total > S2_IKE_FRAGMENTS_MAX)
        s2_reader_fail(r, S2SVPN_E_LIMIT, "skf.total");
    if (r->rc == S2SVPN_OK)
        *out = got;
    return r->rc;
}

bool s2_ike_fragments_want(const struct s2_ike_fragments *set, uint8_t exchange,
                           const struct s2_ike_skf *skf)
{
    if (set == NULL || skf->total > set->total)
        return true;
    return skf->total == set->total && exchange == set->exchange &&
           set->part[skf->number - 1].p == NULL;
}

bool s2_ike_fragments_complete(const struct s2_ike_fragments *set)
{
    return set != NULL && set->count == set->total;
}

/* Memory for len bytes, of which there may be none. */
static uint8_t *room_for(const struct s2_env *env, size_t len)
{
    return s2_alloc(env, len > 0 ? len : 1);
}

static void put(struct s2_ike_fragments *set, const struct s2_ike_fragment *f, uint8_t *copy)
{
    const size_t i = f->skf.number - 1u;

    if (f->plain.len > 0)
        memcpy(copy, f->plain.p, f->plain.len);
    set->part[i].p = copy;
    set->part[i].len = f->plain.len;
    set->len += f->plain.len;
    set->count++;
    if (f->skf.number == 1) {
        set->first = f->first;
        set->hash = f->hash;
    }
}

s2svpn_status s2_ike_fragments_add(const struct s2_env *env, struct s2_ike_fragments **set,
                                   const struct s2_ike_fragment *f, size_t limit)
{
    const bool anew = *set == NULL || f->skf.total > (*set)->total;
    const size_t before = anew ? 0 : (*set)->len;
    struct s2_ike_fragments *to = *set;

    if (f->plain.len > limit || before > limit - f->plain.len)
        return S2SVPN_E_LIMIT;
    uint8_t *copy = room_for(env, f->plain.len);
    if (anew)
        to = s2_alloc(env, sizeof(*to));
    if (copy == NULL || to == NULL) {
        s2_free(env, copy);
        if (anew)
            s2_free(env, to);
        return s2_fail(env, S2SVPN_E_MEMORY, NULL, "no memory for an IKE fragment");
    }
    if (anew) {
        to->total = f->skf.total;
        to->exchange = f->exchange;
        s2_ike_fragments_free(env, set);
        *set = to;
    }
    put(to, f, copy);
    return S2SVPN_OK;
}

s2svpn_status s2_ike_fragments_take(const struct s2_env *env, struct s2_ike_fragments **set,
                                    uint8_t **p, size_t *len)
{
    const struct s2_ike_fragments *from = *set;
    uint8_t *whole = room_for(env, from->len);
    size_t at = 0;

    for (size_t i = 0; whole != NULL && i < from->total; i++) {
        memcpy(whole + at, from->part[i].p, from->part[i].len);
        at += from->part[i].len;
    }
    s2_ike_fragments_free(env, set);
    if (whole == NULL)
        return s2_fail(env, S2SVPN_E_MEMORY, NULL, "no memory for an IKE message");
    *p = whole;
    *len = at;
    return S2SVPN_OK;
}

void s2_ike_fragments_free(const struct s2_env *env, struct s2_ike_fragments **set)
{
    struct s2_ike_fragments *s = *set;

    if (s == NULL)
        return;
    for (size_t i = 0; i < s->total; i++) {
        if (s->part[i].p != NULL)
            s2_wipe(s->part[i].p, s->part[i].len);
        s2_free(env, s->part[i].p);
    }
    s2_free(env, s);
    *set = NULL;
}
