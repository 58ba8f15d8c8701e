/* SPDX-License-Identifier: Apache-2.0 */
/* Proposals: what we offer, what we choose, and whether an answer is one that we
 * may have got. Bytes are payload_sa.c's. RFC 7296 sections 2.7, 3.3 and 3.3.6, RFC
 * 5282 section 8 (an AEAD stands without INTEG). */
#include "ike/message.h"

#include <string.h>

#define TYPES 6 /* transform types are 1 to 5 */

enum { NO_ESN = 0, ESN = 1 };                            /* transform IDs, section 3.3.2 */
enum { ESN_OFF = 0, ESN_ALLOWED = 1, ESN_REQUIRED = 2 }; /* struct s2_ike_config's */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- what the backend has */

static const s2svpn_algorithm *find_row(const s2svpn_crypto_ops *crypto, uint8_t type, uint16_t id,
                                        uint16_t key_bits)
{
    for (const s2svpn_algorithm *a = crypto->algorithms; a->type != 0; a++) {
        if (a->type == type && a->id == id && a->key_bits == key_bits)
            return a;
    }
    return NULL;
}

static bool usable(const s2svpn_algorithm *row, uint8_t protocol)
{
    if (row == NULL)
        return false;
    if (row->type == S2SVPN_TRANSFORM_PRF || row->type == S2SVPN_TRANSFORM_KE)
        return true; /* only IKE runs them, for ESP as well */
    return (row->use & (protocol == S2_IKE_PROTO_IKE ? S2SVPN_USE_IKE : S2SVPN_USE_ESP)) != 0;
}

static bool have(const s2svpn_crypto_ops *crypto, uint8_t protocol, uint8_t type, uint16_t id)
{
    return id != 0 && usable(find_row(crypto, type, id, 0), protocol);
}

static bool is_aead(const s2svpn_algorithm *encr)
{
    return encr->out_len > 0;
}

/* ---- sets of transforms */

static bool same(const struct s2_ike_transform *a, const struct s2_ike_transform *b)
{
    return a->type == b->type && a->id == b->id && a->key_bits == b->key_bits;
}

static bool has(const struct s2_ike_proposal *p, const struct s2_ike_transform *t)
{
    for (size_t i = 0; i < p->count; i++) {
        if (same(&p->transform[i], t))
            return true;
    }
    return false;
}

static bool has_id(const struct s2_ike_proposal *p, uint8_t type, uint16_t id)
{
    return has(p, &(struct s2_ike_transform){.type = type, .id = id});
}

/* How many of each type; false if there is one that doesn't belong to the
 * protocol, which makes the proposal unacceptable (section 3.3.6). */
static bool count_types(const struct s2_ike_proposal *p, size_t count[TYPES])
{
    const uint8_t foreign =
        p->protocol == S2_IKE_PROTO_IKE ? S2SVPN_TRANSFORM_ESN : S2SVPN_TRANSFORM_PRF;

    memset(count, 0, TYPES * sizeof(count[0]));
    for (size_t i = 0; i < p->count; i++) {
        const uint8_t type = p->transform[i].type;

        if (type == 0 || type >= TYPES || type == foreign)
            return false;
        count[type]++;
    }
    return true;
}

static void add(struct s2_ike_proposal *p, uint8_t type, uint16_t id, uint16_t key_bits)
{
    const struct s2_ike_transform t = {.type = type, .id = id, .key_bits = key_bits};

    if (p->count < S2_IKE_TRANSFORMS_MAX && !has(p, &t))
        p->transform[p->count++] = t;
}

/* ---- offer */

/* No groups in the choices for ESP: no PFS. */
static bool offers_groups(const struct s2_ike_terms *t)
{
    return t->protocol == S2_IKE_PROTO_IKE || (t->with_ke && t->choices->ke_count > 0);
}

/* Adds what of a list the backend has; returns whether anything of it was added. */
static bool add_list(const struct s2_ike_terms *terms, struct s2_ike_proposal *p, uint8_t type,
                     const uint16_t *id, size_t n)
{
    const uint8_t before = p->count;

    for (size_t i = 0; i < n; i++) {
        if (have(terms->crypto, terms->protocol, type, id[i]))
            add(p, type, id[i], 0);
    }
    return p->count > before;
}

/* Adds the ciphers that are AEADs, or those that are not. */
static bool add_encr(const struct s2_ike_terms *terms, struct s2_ike_proposal *p, bool aead)
{
    for (size_t i = 0; i < terms->choices->encr_count; i++) {
        const uint16_t id = terms->choices->encr[i].id, bits = terms->choices->encr[i].key_bits;
        const s2svpn_algorithm *row = find_row(terms->crypto, S2SVPN_TRANSFORM_ENCR, id, bits);

        if (usable(row, terms->protocol) && is_aead(row) == aead)
            add(p, S2SVPN_TRANSFORM_ENCR, id, bits);
    }
    return p->count > 0;
}

/* One proposal, behind those that are there; none if a type would stay empty. */
static void offer_one(const struct s2_ike_terms *terms, bool aead, s2svpn_span spi,
                      struct s2_ike_sa_payload *out)
{
    const struct s2_ike_choices *c = terms->choices;
    struct s2_ike_proposal *p = &out->proposal[out->count];

    *p = (struct s2_ike_proposal){.number = (uint8_t)(out->count + 1),
                                  .protocol = terms->protocol,
                                  .spi_len = (uint8_t)spi.len};
    if (spi.len > 0)
        memcpy(p->spi, spi.p, spi.len);
    if (!add_encr(terms, p, aead))
        return;
    if (!aead && !add_list(terms, p, S2SVPN_TRANSFORM_INTEG, c->integ, c->integ_count))
        return;
    if (terms->protocol == S2_IKE_PROTO_IKE &&
        !add_list(terms, p, S2SVPN_TRANSFORM_PRF, c->prf, c->prf_count))
        return;
    if (offers_groups(terms) && !add_list(terms, p, S2SVPN_TRANSFORM_KE, c->ke, c->ke_count))
        return;
    if (terms->protocol != S2_IKE_PROTO_IKE && terms->esn != ESN_OFF)
        add(p, S2SVPN_TRANSFORM_ESN, ESN, 0);
    if (terms->protocol != S2_IKE_PROTO_IKE && terms->esn != ESN_REQUIRED)
        add(p, S2SVPN_TRANSFORM_ESN, NO_ESN, 0);
    out->count++;
}

/* Is the first cipher that we could use an AEAD? Then those go first. */
static bool aead_first(const struct s2_ike_terms *terms)
{
    for (size_t i = 0; i < terms->choices->encr_count; i++) {
        const s2svpn_algorithm *row =
            find_row(terms->crypto, S2SVPN_TRANSFORM_ENCR, terms->choices->encr[i].id,
                     terms->choices->encr[i].key_bits);

        if (usable(row, terms->protocol))
            return is_aead(row);
    }
    return false;
}

s2svpn_status s2_ike_offer(const struct s2_ike_terms *terms, s2svpn_span spi,
                           struct s2_ike_sa_payload *out)
{
    out->count = 0;
    if (spi.len > sizeof(out->proposal[0].spi))
        return S2SVPN_E_ARGUMENT;
    const bool first = aead_first(terms);
    offer_one(terms, first, spi, out);
    offer_one(terms, !first, spi, out);
    return out->count > 0 ? S2SVPN_OK : S2SVPN_E_UNSUPPORTED;
}

/* ---- choice */

/* What one proposal would give, and how high it stands in our order. */
struct pick {
    struct s2_ike_suite suite;
    size_t rank[5]; /* places in our lists, the most important first */
};

static bool better(const struct pick *a, const struct pick *b)
{
    for (size_t i = 0; i < COUNT(a->rank); i++) {
        if (a->rank[i] != b->rank[i])
            return a->rank[i] < b->rank[i];
    }
    return false;
}

/* The first of our list that the proposal has too. */
static bool pick_id(const struct s2_ike_terms *terms, const struct s2_ike_proposal *p, uint8_t type,
                    const uint16_t *id, size_t n, size_t *rank, uint16_t *out)
{
    for (size_t i = 0; i < n; i++) {
        if (has_id(p, type, id[i]) && have(terms->crypto, terms->protocol, type, id[i])) {
            *rank = i;
            *out = id[i];
            return true;
        }
    }
    return false;
}

/* The first of our ciphers that the proposal has, an AEAD only where INTEG is
 * absent or may be NONE, another only with an INTEG that we have as well. */
static bool pick_encr(const struct s2_ike_terms *terms, const struct s2_ike_proposal *p,
                      const size_t count[TYPES], struct pick *pick)
{
    const struct s2_ike_choices *c = terms->choices;
    const bool no_integ =
        count[S2SVPN_TRANSFORM_INTEG] == 0 || has_id(p, S2SVPN_TRANSFORM_INTEG, S2SVPN_INTEG_NONE);
    const bool integ = pick_id(terms, p, S2SVPN_TRANSFORM_INTEG, c->integ, c->integ_count,
                               &pick->rank[1], &pick->suite.integ);

    for (size_t i = 0; i < c->encr_count; i++) {
        const struct s2_ike_transform t = {S2SVPN_TRANSFORM_ENCR, c->encr[i].id,
                                           c->encr[i].key_bits};
        const s2svpn_algorithm *row = find_row(terms->crypto, t.type, t.id, t.key_bits);

        if (!usable(row, terms->protocol) || !has(p, &t) || !(is_aead(row) ? no_integ : integ))
            continue;
        pick->suite.encr = t.id;
        pick->suite.key_bits = t.key_bits;
        pick->rank[0] = i;
        if (is_aead(row)) {
            pick->suite.integ = S2SVPN_INTEG_NONE;
            pick->rank[1] = 0;
        }
        return true;
    }
    return false;
}

/* Of an offer groups are looked at even where ours has none: it may insist on one. */
static bool counts_groups(const struct s2_ike_terms *t)
{
    return t->protocol == S2_IKE_PROTO_IKE || t->with_ke;
}

static bool pick_ke(const struct s2_ike_terms *terms, const struct s2_ike_proposal *p,
                    const size_t count[TYPES], struct pick *pick)
{
    const struct s2_ike_choices *c = terms->choices;

    if (!counts_groups(terms))
        return true;
    if (terms->protocol != S2_IKE_PROTO_IKE && c->ke_count == 0)
        return count[S2SVPN_TRANSFORM_KE] == 0 || has_id(p, S2SVPN_TRANSFORM_KE, S2SVPN_KE_NONE);
    return pick_id(terms, p, S2SVPN_TRANSFORM_KE, c->ke, c->ke_count, &pick->rank[3],
                   &pick->suite.ke);
}

/* Extended numbers where both allow them. */
static bool pick_esn(const struct s2_ike_terms *terms, const struct s2_ike_proposal *p,
                     struct pick *pick)
{
    pick->suite.esn = terms->esn != ESN_OFF && has_id(p, S2SVPN_TRANSFORM_ESN, ESN);
    pick->rank[4] = pick->suite.esn ? 0 : 1;
    return pick->suite.esn ||
           (terms->esn != ESN_REQUIRED && has_id(p, S2SVPN_TRANSFORM_ESN, NO_ESN));
}

static bool pick_suite(const struct s2_ike_terms *terms, const struct s2_ike_proposal *p,
                       const size_t count[TYPES], struct pick *pick)
{
    const struct s2_ike_choices *c = terms->choices;

    *pick = (struct pick){0};
    if (!pick_encr(terms, p, count, pick) || !pick_ke(terms, p, count, pick))
        return false;
    if (terms->protocol == S2_IKE_PROTO_IKE)
        return pick_id(terms, p, S2SVPN_TRANSFORM_PRF, c->prf, c->prf_count, &pick->rank[2],
                       &pick->suite.prf);
    return pick_esn(terms, p, pick);
}

/* The chosen proposal: one transform of each type that was offered, a NONE
 * included where the peer wrote it. */
static void answer_with(const struct s2_ike_terms *terms, const struct s2_ike_proposal *p,
                        const struct s2_ike_suite *s, struct s2_ike_proposal *out)
{
    size_t count[TYPES];

    (void)count_types(p, count);
    *out = *p;
    out->count = 0;
    add(out, S2SVPN_TRANSFORM_ENCR, s->encr, s->key_bits);
    if (count[S2SVPN_TRANSFORM_INTEG] > 0)
        add(out, S2SVPN_TRANSFORM_INTEG, s->integ, 0);
    if (count[S2SVPN_TRANSFORM_PRF] > 0)
        add(out, S2SVPN_TRANSFORM_PRF, s->prf, 0);
    if (counts_groups(terms) && count[S2SVPN_TRANSFORM_KE] > 0)
        add(out, S2SVPN_TRANSFORM_KE, s->ke, 0);
    if (count[S2SVPN_TRANSFORM_ESN] > 0)
        add(out, S2SVPN_TRANSFORM_ESN, s->esn ? ESN : NO_ESN, 0);
}

s2svpn_status s2_ike_choose(const struct s2_ike_terms *terms, const struct s2_ike_sa_payload *offer,
                            struct s2_ike_suite *suite, struct s2_ike_proposal *answer)
{
    const struct s2_ike_proposal *best = NULL;
    struct pick best_pick = {0};

    for (size_t i = 0; i < offer->count; i++) {
        const struct s2_ike_proposal *p = &offer->proposal[i];
        size_t count[TYPES];
        struct pick pick;

        if (p->protocol != terms->protocol || !count_types(p, count) ||
            !pick_suite(terms, p, count, &pick))
            continue;
        if (best == NULL || better(&pick, &best_pick)) {
            best = p;
            best_pick = pick;
        }
    }
    if (best == NULL)
        return S2SVPN_E_NOT_FOUND;
    *suite = best_pick.suite;
    answer_with(terms, best, suite, answer);
    return S2SVPN_OK;
}

/* ---- the answer to our offer */

static const struct s2_ike_proposal *find_offered(const struct s2_ike_sa_payload *offer,
                                                  const struct s2_ike_proposal *answer)
{
    for (size_t i = 0; i < offer->count; i++) {
        const struct s2_ike_proposal *p = &offer->proposal[i];

        if (p->number == answer->number && p->protocol == answer->protocol &&
            p->spi_len == answer->spi_len)
            return p;
    }
    return NULL;
}

/* An explicit NONE says the same as no transform of the type, section 3.3.2. */
static bool is_none(const struct s2_ike_transform *t)
{
    return (t->type == S2SVPN_TRANSFORM_INTEG || t->type == S2SVPN_TRANSFORM_KE) && t->id == 0 &&
           t->key_bits == 0;
}

static void put_in_suite(struct s2_ike_suite *s, const struct s2_ike_transform *t)
{
    switch (t->type) {
    case S2SVPN_TRANSFORM_ENCR:
        s->encr = t->id;
        s->key_bits = t->key_bits;
        break;
    case S2SVPN_TRANSFORM_PRF:
        s->prf = t->id;
        break;
    case S2SVPN_TRANSFORM_INTEG:
        s->integ = t->id;
        break;
    case S2SVPN_TRANSFORM_KE:
        s->ke = t->id;
        break;
    case S2SVPN_TRANSFORM_ESN:
        s->esn = t->id != NO_ESN;
        break;
    }
}

s2svpn_status s2_ike_check_answer(const struct s2_ike_sa_payload *offer,
                                  const struct s2_ike_sa_payload *answer, bool with_ke,
                                  struct s2_ike_suite *suite)
{
    const struct s2_ike_proposal *got = &answer->proposal[0];
    const struct s2_ike_proposal *ours = answer->count == 1 ? find_offered(offer, got) : NULL;
    size_t offered[TYPES], answered[TYPES];
    struct s2_ike_suite s = {0};

    if (ours == NULL || !count_types(ours, offered) || !count_types(got, answered))
        return S2SVPN_E_NOT_FOUND;
    for (size_t i = 0; i < got->count; i++) {
        const struct s2_ike_transform *t = &got->transform[i];

        if (!has(ours, t) && !(is_none(t) && offered[t->type] == 0))
            return S2SVPN_E_NOT_FOUND;
        put_in_suite(&s, t);
    }
    for (size_t type = 1; type < TYPES; type++) {
        const bool needed = offered[type] > 0 && (type != S2SVPN_TRANSFORM_KE || with_ke);

        if (answered[type] > 1 || (needed && answered[type] == 0))
            return S2SVPN_E_NOT_FOUND;
    }
    if (!with_ke)
        s.ke = S2SVPN_KE_NONE;
    *suite = s;
    return S2SVPN_OK;
}
