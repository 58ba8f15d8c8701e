/* SPDX-License-Identifier: Apache-2.0 */
/* IKEv1's proposals: what we offer, what we choose, whether an answer is one that we may
 * have got. Bytes are payload_sa.c's. RFC 2409 sections 5 and 5.5, RFC 2407 section 4.5,
 * RFC 2408 section 4.2. */
#include "ike/v1/proposal.h"

#include <string.h>

#include "base/bytes.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- what we could use */

static const s2svpn_algorithm *find_row(const struct s2_ike1_terms *terms, uint8_t type,
                                        uint16_t id, uint16_t key_bits)
{
    for (const s2svpn_algorithm *a = terms->crypto->algorithms; a->type != 0; a++) {
        if (a->type == type && a->id == id && a->key_bits == key_bits)
            return a;
    }
    return NULL;
}

static bool phase1(const struct s2_ike1_terms *terms)
{
    return terms->protocol == S2_IKE1_PROTO_ISAKMP;
}

static bool usable(const struct s2_ike1_terms *terms, const s2svpn_algorithm *row)
{
    return row != NULL && (row->use & (phase1(terms) ? S2SVPN_USE_IKE : S2SVPN_USE_ESP)) != 0;
}

/* The n-th cipher of ours, IKEv1's number of it, 0 if it can't be used. */
struct cipher {
    uint16_t number, key_bits;
    bool aead;
};

static struct cipher cipher_of(const struct s2_ike1_terms *terms, size_t n)
{
    const uint16_t id = terms->choices->encr[n].id, bits = terms->choices->encr[n].key_bits;
    const s2svpn_algorithm *row = find_row(terms, S2SVPN_TRANSFORM_ENCR, id, bits);

    if (!usable(terms, row))
        return (struct cipher){0};
    return (struct cipher){
        s2_ike1_number(phase1(terms) ? S2_IKE1_NUMBER_ENCR : S2_IKE1_NUMBER_ESP, id), bits,
        row->out_len > 0};
}

/* Phase 1 has a hash where phase 2 has an integrity algorithm. */
static size_t mac_count(const struct s2_ike1_terms *terms)
{
    return phase1(terms) ? terms->choices->prf_count : terms->choices->integ_count;
}

static uint16_t mac_of(const struct s2_ike1_terms *terms, size_t n)
{
    const struct s2_ike_choices *c = terms->choices;

    if (phase1(terms))
        return find_row(terms, S2SVPN_TRANSFORM_PRF, c->prf[n], 0) != NULL
                   ? s2_ike1_number(S2_IKE1_NUMBER_PRF, c->prf[n])
                   : 0;
    return usable(terms, find_row(terms, S2SVPN_TRANSFORM_INTEG, c->integ[n], 0))
               ? s2_ike1_number(S2_IKE1_NUMBER_INTEG, c->integ[n])
               : 0;
}

static uint16_t group_of(const struct s2_ike1_terms *terms, size_t n)
{
    const uint16_t ke = terms->choices->ke[n];

    return find_row(terms, S2SVPN_TRANSFORM_KE, ke, 0) != NULL
               ? s2_ike1_number(S2_IKE1_NUMBER_GROUP, ke)
               : 0;
}

/* ---- offer */

static uint16_t our_encapsulation(const struct s2_ike1_terms *terms)
{
    if (phase1(terms))
        return 0;
    if (!terms->udp)
        return S2_IKE1_TUNNEL;
    return terms->draft ? S2_IKE1_UDP_TUNNEL_DRAFT : S2_IKE1_UDP_TUNNEL;
}

static void add(const struct s2_ike1_terms *terms, struct s2_ike1_sa_payload *out,
                const struct cipher *cipher, uint16_t mac, uint16_t group)
{
    if (out->transforms == S2_IKE1_TRANSFORMS_MAX)
        return;
    struct s2_ike1_transform *t = &out->transform[out->transforms++];
    *t = (struct s2_ike1_transform){.number = out->transforms,
                                    .key_bits = cipher->key_bits,
                                    .group = group,
                                    .encapsulation = our_encapsulation(terms),
                                    .life_s = terms->life_s,
                                    .life_kb = terms->life_kb};
    if (phase1(terms)) {
        t->id = S2_IKE1_KEY_IKE;
        t->encr = cipher->number;
        t->hash = mac;
        t->method = S2_IKE1_METHOD_PSK;
    } else {
        t->id = (uint8_t)cipher->number;
        t->integ = mac;
    }
}

/* Phase 1: one for every group of ours; phase 2: with the one that was chosen. */
static void add_groups(const struct s2_ike1_terms *terms, struct s2_ike1_sa_payload *out,
                       const struct cipher *cipher, uint16_t mac, uint16_t group)
{
    if (!phase1(terms)) {
        add(terms, out, cipher, mac, group);
        return;
    }
    for (size_t i = 0; i < terms->choices->ke_count; i++) {
        if (group_of(terms, i) != 0)
            add(terms, out, cipher, mac, group_of(terms, i));
    }
}

static void add_macs(const struct s2_ike1_terms *terms, struct s2_ike1_sa_payload *out,
                     const struct cipher *cipher, uint16_t group)
{
    if (cipher->aead) {
        add_groups(terms, out, cipher, 0, group);
        return;
    }
    for (size_t i = 0; i < mac_count(terms); i++) {
        if (mac_of(terms, i) != 0)
            add_groups(terms, out, cipher, mac_of(terms, i), group);
    }
}

/* Phase 2's one group; false: we want PFS, and the backend has none of the groups. */
static bool pick_group(const struct s2_ike1_terms *terms, uint16_t *group)
{
    *group = 0;
    if (phase1(terms) || terms->choices->ke_count == 0)
        return true;
    for (size_t i = 0; i < terms->choices->ke_count && *group == 0; i++)
        *group = group_of(terms, i);
    return *group != 0;
}

s2svpn_status s2_ike1_offer(const struct s2_ike1_terms *terms, s2svpn_span spi,
                            struct s2_ike1_sa_payload *out, uint16_t *ke)
{
    uint16_t group;

    out->count = 0;
    out->transforms = 0;
    if (spi.len != (phase1(terms) ? 0 : 4))
        return S2SVPN_E_ARGUMENT;
    if (!pick_group(terms, &group))
        return S2SVPN_E_UNSUPPORTED;
    for (size_t i = 0; i < terms->choices->encr_count; i++) {
        const struct cipher cipher = cipher_of(terms, i);

        if (cipher.number != 0 && !(phase1(terms) && cipher.aead))
            add_macs(terms, out, &cipher, group);
    }
    if (out->transforms == 0)
        return S2SVPN_E_UNSUPPORTED;
    out->count = 1;
    out->proposal[0] = (struct s2_ike1_proposal){.number = 1,
                                                 .protocol = terms->protocol,
                                                 .spi_len = (uint8_t)spi.len,
                                                 .count = out->transforms};
    if (spi.len > 0)
        memcpy(out->proposal[0].spi, spi.p, spi.len);
    if (ke != NULL)
        *ke = s2_ike1_number_back(S2_IKE1_NUMBER_GROUP, group);
    return S2SVPN_OK;
}

/* ---- choice */

/* How high a transform stands in our order: places in our lists, most important first. */
struct rank {
    size_t place[3]; /* cipher, hash or integrity, group */
};

static bool higher(const struct rank *a, const struct rank *b)
{
    for (size_t i = 0; i < COUNT(a->place); i++) {
        if (a->place[i] != b->place[i])
            return a->place[i] < b->place[i];
    }
    return false;
}

static bool rank_cipher(const struct s2_ike1_terms *terms, const struct s2_ike1_transform *t,
                        size_t *place, bool *aead)
{
    const uint16_t number = phase1(terms) ? t->encr : t->id;

    for (size_t i = 0; i < terms->choices->encr_count; i++) {
        const struct cipher ours = cipher_of(terms, i);

        if (ours.number != 0 && ours.number == number && ours.key_bits == t->key_bits) {
            *place = i;
            *aead = ours.aead;
            return true;
        }
    }
    return false;
}

/* An AEAD stands without one, everything else with one. */
static bool rank_mac(const struct s2_ike1_terms *terms, const struct s2_ike1_transform *t,
                     bool aead, size_t *place)
{
    const uint16_t number = phase1(terms) ? t->hash : t->integ;

    *place = 0;
    if (aead)
        return number == 0;
    for (size_t i = 0; i < mac_count(terms); i++) {
        if (mac_of(terms, i) != 0 && mac_of(terms, i) == number) {
            *place = i;
            return true;
        }
    }
    return false;
}

/* Groups that we have not named are not wanted: without any there is no PFS. */
static bool rank_group(const struct s2_ike1_terms *terms, const struct s2_ike1_transform *t,
                       size_t *place)
{
    *place = 0;
    if (!phase1(terms) && terms->choices->ke_count == 0)
        return t->group == 0;
    for (size_t i = 0; i < terms->choices->ke_count; i++) {
        if (group_of(terms, i) != 0 && group_of(terms, i) == t->group) {
            *place = i;
            return true;
        }
    }
    return false;
}

/* What a tunnel is called differs by the peer's version of NAT-T, RFC 3947 section 5.1;
 * whoever leaves it out means a tunnel without UDP. */
static bool encapsulation_fits(const struct s2_ike1_terms *terms, uint16_t encapsulation)
{
    if (!terms->udp)
        return encapsulation == 0 || encapsulation == S2_IKE1_TUNNEL;
    return encapsulation == S2_IKE1_UDP_TUNNEL || encapsulation == S2_IKE1_UDP_TUNNEL_DRAFT;
}

static bool acceptable(const struct s2_ike1_terms *terms, const struct s2_ike1_transform *t,
                       struct rank *rank)
{
    bool aead;

    if (t->odd || t->esn)
        return false;
    if (phase1(terms) ? t->id != S2_IKE1_KEY_IKE || t->method != S2_IKE1_METHOD_PSK
                      : !encapsulation_fits(terms, t->encapsulation))
        return false;
    return rank_cipher(terms, t, &rank->place[0], &aead) && !(phase1(terms) && aead) &&
           rank_mac(terms, t, aead, &rank->place[1]) && rank_group(terms, t, &rank->place[2]);
}

/* Several of one number are "all of these together", RFC 2408 section 4.2: not for us. */
static bool stands_alone(const struct s2_ike1_sa_payload *sa, size_t n)
{
    return !(n > 0 && sa->proposal[n - 1].number == sa->proposal[n].number) &&
           !(n + 1u < sa->count && sa->proposal[n + 1].number == sa->proposal[n].number);
}

static struct s2_ike1_suite suite_of(uint8_t protocol, const struct s2_ike1_transform *t)
{
    struct s2_ike1_suite s = {.key_bits = t->key_bits,
                              .ke = s2_ike1_number_back(S2_IKE1_NUMBER_GROUP, t->group),
                              .life_s = t->life_s,
                              .life_kb = t->life_kb};

    if (protocol == S2_IKE1_PROTO_ISAKMP) {
        s.encr = s2_ike1_number_back(S2_IKE1_NUMBER_ENCR, t->encr);
        s.prf = s2_ike1_number_back(S2_IKE1_NUMBER_PRF, t->hash);
        s.hash = s2_ike1_number_back(S2_IKE1_NUMBER_HASH, t->hash);
    } else {
        s.encr = s2_ike1_number_back(S2_IKE1_NUMBER_ESP, t->id);
        s.integ = s2_ike1_number_back(S2_IKE1_NUMBER_INTEG, t->integ);
        s.encapsulation = t->encapsulation;
    }
    return s;
}

s2svpn_status s2_ike1_choose(const struct s2_ike1_terms *terms,
                             const struct s2_ike1_sa_payload *offer, struct s2_ike1_suite *suite,
                             struct s2_ike1_sa_payload *answer)
{
    const struct s2_ike1_proposal *best = NULL;
    const struct s2_ike1_transform *chosen = NULL;
    struct rank best_rank = {0};

    for (size_t i = 0; i < offer->count; i++) {
        const struct s2_ike1_proposal *p = &offer->proposal[i];

        if (p->protocol != terms->protocol || !stands_alone(offer, i))
            continue;
        for (size_t n = 0; n < p->count; n++) {
            const struct s2_ike1_transform *t = &offer->transform[p->first + n];
            struct rank rank;

            if (!acceptable(terms, t, &rank) || (best != NULL && !higher(&rank, &best_rank)))
                continue;
            best = p;
            chosen = t;
            best_rank = rank;
        }
    }
    if (best == NULL)
        return S2SVPN_E_NOT_FOUND;
    *suite = suite_of(terms->protocol, chosen);
    answer->transform[0] = *chosen;
    answer->proposal[0] = *best;
    answer->proposal[0].first = 0;
    answer->proposal[0].count = 1;
    answer->count = 1;
    answer->transforms = 1;
    return S2SVPN_OK;
}

/* ---- the answer to our offer */

static bool same(const struct s2_ike1_transform *a, const struct s2_ike1_transform *b)
{
    return a->id == b->id && a->esn == b->esn && a->key_bits == b->key_bits &&
           a->group == b->group && a->encr == b->encr && a->hash == b->hash &&
           a->method == b->method && a->integ == b->integ && a->encapsulation == b->encapsulation;
}

/* 0 is as long as may be. */
static uint32_t shorter(uint32_t a, uint32_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

s2svpn_status s2_ike1_check_answer(const struct s2_ike1_sa_payload *offer,
                                   const struct s2_ike1_sa_payload *answer,
                                   struct s2_ike1_suite *suite)
{
    if (offer->count != 1 || answer->count != 1 || answer->transforms != 1)
        return S2SVPN_E_NOT_FOUND;
    const struct s2_ike1_proposal *ours = &offer->proposal[0], *got = &answer->proposal[0];
    const struct s2_ike1_transform *t = &answer->transform[0];
    /* phase 1's SPI means nothing, and some answer with one */
    if (got->protocol != ours->protocol || t->odd ||
        (got->protocol != S2_IKE1_PROTO_ISAKMP && got->spi_len != ours->spi_len))
        return S2SVPN_E_NOT_FOUND;
    for (size_t i = 0; i < ours->count; i++) {
        const struct s2_ike1_transform *offered = &offer->transform[ours->first + i];

        if (!same(offered, t))
            continue;
        *suite = suite_of(ours->protocol, t);
        suite->life_s = shorter(offered->life_s, t->life_s);
        suite->life_kb = shorter(offered->life_kb, t->life_kb);
        return S2SVPN_OK;
    }
    return S2SVPN_E_NOT_FOUND;
}
