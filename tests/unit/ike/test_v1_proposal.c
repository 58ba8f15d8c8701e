/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/ike/v1/proposal.c. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "harness.h"
#include "ike/fake_crypto.h"
#include "ike/hex.h"
#include "ike/v1/proposal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { CBC = S2SVPN_ENCR_AES_CBC, GCM = S2SVPN_ENCR_AES_GCM_16 };

/* As AWS evaluates: the lowest first. */
static const struct s2_ike_choices all = {
    .encr = {{CBC, 128}, {CBC, 256}, {GCM, 128}, {GCM, 256}},
    .integ = {S2SVPN_INTEG_HMAC_SHA1_96, S2SVPN_INTEG_HMAC_SHA2_256_128,
              S2SVPN_INTEG_HMAC_SHA2_512_256},
    .prf = {S2SVPN_PRF_HMAC_SHA1, S2SVPN_PRF_HMAC_SHA2_256, S2SVPN_PRF_HMAC_SHA2_384,
            S2SVPN_PRF_HMAC_SHA2_512},
    .ke = {2, 14, 19, 31},
    .encr_count = 4,
    .integ_count = 3,
    .prf_count = 4,
    .ke_count = 4,
};
static const struct s2_ike_choices no_pfs = {.encr = {{CBC, 128}, {GCM, 128}},
                                             .integ = {S2SVPN_INTEG_HMAC_SHA1_96},
                                             .encr_count = 2,
                                             .integ_count = 1};

static struct s2_ike1_terms terms_of(uint8_t protocol, const struct s2_ike_choices *choices)
{
    return (struct s2_ike1_terms){
        .crypto = s2_fake_crypto_ops(), .choices = choices, .protocol = protocol};
}

/* The transforms of a text, "e7/128 h2 g2 m1": phase 1; "i12/128 a2 g14 n1": phase 2, with
 * n the encapsulation; a comma begins another transform, a bar another proposal. x: odd,
 * s: extended numbers, l: seconds. */
static void add_value(struct s2_ike1_transform *t, const char **text)
{
    const char letter = *(*text)++;
    char *end;
    const uint16_t value = (uint16_t)strtoul(*text, &end, 10);

    if (*end == '/')
        t->key_bits = (uint16_t)strtoul(end + 1, &end, 10);
    t->encr = letter == 'e' ? value : t->encr;
    t->hash = letter == 'h' ? value : t->hash;
    t->method = letter == 'm' ? value : t->method;
    t->group = letter == 'g' ? value : t->group;
    t->integ = letter == 'a' ? value : t->integ;
    t->encapsulation = letter == 'n' ? value : t->encapsulation;
    t->id = letter == 'i' ? (uint8_t)value : t->id;
    t->life_s = letter == 'l' ? value : t->life_s;
    t->odd |= letter == 'x';
    t->esn |= letter == 's';
    *text = end;
}

static struct s2_ike1_sa_payload sa_of(uint8_t protocol, const char *text)
{
    struct s2_ike1_sa_payload sa = {0};
    bool more = true;

    while (more) {
        struct s2_ike1_proposal *p = &sa.proposal[sa.count++];

        *p = (struct s2_ike1_proposal){
            .number = sa.count, .protocol = protocol, .first = sa.transforms};
        p->spi_len = protocol == S2_IKE1_PROTO_ISAKMP ? 0 : 4;
        memcpy(p->spi, "spi.", p->spi_len);
        do {
            struct s2_ike1_transform *t = &sa.transform[sa.transforms++];

            *t = (struct s2_ike1_transform){.number = ++p->count, .id = S2_IKE1_KEY_IKE};
            text += *text == ',';
            while (*text != '\0' && *text != ',' && *text != '|') {
                add_value(t, &text);
                text += *text == ' ';
            }
        } while (*text == ',');
        more = *text == '|';
        text += more;
    }
    return sa;
}

static bool same_suite(const struct s2_ike1_suite *a, const struct s2_ike1_suite *b)
{
    return a->encr == b->encr && a->key_bits == b->key_bits && a->integ == b->integ &&
           a->prf == b->prf && a->hash == b->hash && a->ke == b->ke &&
           a->encapsulation == b->encapsulation && a->life_s == b->life_s &&
           a->life_kb == b->life_kb;
}

/* ---- offer */

static void an_offer_is_every_combination_in_our_order(void)
{
    struct s2_ike1_terms terms = terms_of(S2_IKE1_PROTO_ISAKMP, &all);
    struct s2_ike1_sa_payload sa;
    uint16_t ke = 77;

    terms.life_s = 28800;
    CU_ASSERT_EQUAL_FATAL(s2_ike1_offer(&terms, s2_span(NULL, 0), &sa, &ke), S2SVPN_OK);
    CU_ASSERT_EQUAL(sa.count, 1);
    CU_ASSERT_EQUAL(sa.transforms, 2 * 4 * 3); /* no AEAD, and curve25519 has no number */
    CU_ASSERT_EQUAL(ke, 0);
    const struct s2_ike1_transform *first = &sa.transform[0], *last = &sa.transform[23];
    CU_ASSERT_TRUE(first->encr == 7 && first->key_bits == 128 && first->hash == 2 &&
                   first->group == 2 && first->method == 1 && first->life_s == 28800);
    CU_ASSERT_TRUE(sa.transform[1].group == 14 && sa.transform[1].hash == 2);
    CU_ASSERT_TRUE(last->encr == 7 && last->key_bits == 256 && last->hash == 6 &&
                   last->group == 19 && last->number == 24 && last->id == S2_IKE1_KEY_IKE);
    CU_ASSERT_TRUE(first->encapsulation == 0 && first->integ == 0);
}

static void phase_2_has_one_group_in_all(void)
{
    struct s2_ike1_terms terms = terms_of(S2_IKE1_PROTO_ESP, &all);
    struct s2_ike1_sa_payload sa;
    uint16_t ke = 77;

    CU_ASSERT_EQUAL_FATAL(s2_ike1_offer(&terms, s2_span("spi.", 4), &sa, &ke), S2SVPN_OK);
    CU_ASSERT_EQUAL(sa.transforms, 2 * 3 + 2);
    CU_ASSERT_EQUAL(ke, S2SVPN_KE_MODP_1024);
    CU_ASSERT_TRUE(sa.proposal[0].spi_len == 4 && memcmp(sa.proposal[0].spi, "spi.", 4) == 0);
    for (size_t i = 0; i < sa.transforms; i++) {
        CU_ASSERT_EQUAL(sa.transform[i].group, 2);
        CU_ASSERT_EQUAL(sa.transform[i].encapsulation, S2_IKE1_TUNNEL);
        CU_ASSERT_EQUAL(sa.transform[i].integ == 0, sa.transform[i].id == S2_IKE1_ESP_AES_GCM_16);
    }
    terms.udp = true;
    CU_ASSERT_EQUAL_FATAL(s2_ike1_offer(&terms, s2_span("spi.", 4), &sa, NULL), S2SVPN_OK);
    CU_ASSERT_EQUAL(sa.transform[0].encapsulation, 3);
    terms.draft = true;
    CU_ASSERT_EQUAL_FATAL(s2_ike1_offer(&terms, s2_span("spi.", 4), &sa, NULL), S2SVPN_OK);
    CU_ASSERT_EQUAL(sa.transform[0].encapsulation, 61443);
    terms.choices = &no_pfs;
    CU_ASSERT_EQUAL_FATAL(s2_ike1_offer(&terms, s2_span("spi.", 4), &sa, &ke), S2SVPN_OK);
    CU_ASSERT_TRUE(ke == S2SVPN_KE_NONE && sa.transform[0].group == 0);
}

static void what_can_not_be_offered_is_not(void)
{
    const struct s2_ike_choices aead = {.encr = {{GCM, 128}},
                                        .prf = {2},
                                        .ke = {2},
                                        .encr_count = 1,
                                        .prf_count = 1,
                                        .ke_count = 1};
    const struct s2_ike_choices curve = {.encr = {{CBC, 128}},
                                         .integ = {2},
                                         .prf = {2},
                                         .ke = {31},
                                         .encr_count = 1,
                                         .integ_count = 1,
                                         .prf_count = 1,
                                         .ke_count = 1};
    const struct s2_ike_choices lacking = {.encr = {{CBC, 192}},
                                           .prf = {2},
                                           .ke = {2},
                                           .encr_count = 1,
                                           .prf_count = 1,
                                           .ke_count = 1};
    const struct {
        const char *row;
        uint8_t protocol;
        const struct s2_ike_choices *choices;
        size_t spi;
        s2svpn_status rc;
    } rows[] = {
        {"AEAD alone in phase 1", 1, &aead, 0, S2SVPN_E_UNSUPPORTED},
        {"curve25519 alone", 1, &curve, 0, S2SVPN_E_UNSUPPORTED},
        {"curve25519 alone for PFS", 3, &curve, 4, S2SVPN_E_UNSUPPORTED},
        {"a cipher that the backend lacks", 1, &lacking, 0, S2SVPN_E_UNSUPPORTED},
        {"an SPI in phase 1", 1, &all, 4, S2SVPN_E_ARGUMENT},
        {"no SPI in phase 2", 3, &all, 0, S2SVPN_E_ARGUMENT},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct s2_ike1_terms terms = terms_of(rows[i].protocol, rows[i].choices);
        struct s2_ike1_sa_payload sa;

        CHECK_ROW(rows[i].row,
                  s2_ike1_offer(&terms, s2_span("spi.", rows[i].spi), &sa, NULL) == rows[i].rc);
        CHECK_ROW(rows[i].row, sa.count == 0 && sa.transforms == 0);
    }
}

static void an_offer_ends_where_the_payload_is_full(void)
{
    struct s2_ike_choices many = all;
    struct s2_ike1_sa_payload sa;

    many.encr_count = 8;
    many.prf_count = 8;
    many.ke_count = 16;
    for (size_t i = 0; i < 16; i++) {
        many.encr[i % 8].id = CBC;
        many.encr[i % 8].key_bits = 128;
        many.prf[i % 8] = S2SVPN_PRF_HMAC_SHA1;
        many.ke[i] = 14;
    }
    const struct s2_ike1_terms terms = terms_of(S2_IKE1_PROTO_ISAKMP, &many);
    CU_ASSERT_EQUAL_FATAL(s2_ike1_offer(&terms, s2_span(NULL, 0), &sa, NULL), S2SVPN_OK);
    CU_ASSERT_EQUAL(sa.transforms, S2_IKE1_TRANSFORMS_MAX);
    CU_ASSERT_EQUAL(sa.proposal[0].count, S2_IKE1_TRANSFORMS_MAX);
}

/* ---- choice */

static const struct {
    const char *row;
    uint8_t protocol;
    const struct s2_ike_choices *choices;
    bool udp;
    const char *offer;
    int chosen; /* place of the transform; -1: none */
} offers[] = {
    {"the lowest of ours, whatever the peer's order", 1, &all, false,
     "e7/256 h4 m1 g14,e7/128 h4 m1 g14,e7/128 h2 m1 g14,e7/128 h2 m1 g2", 3},
    {"the cipher goes before the hash", 1, &all, false, "e7/256 h2 m1 g2,e7/128 h6 m1 g19", 1},
    {"the hash goes before the group", 1, &all, false, "e7/128 h4 m1 g2,e7/128 h2 m1 g19", 1},
    {"the first of equal ones", 1, &all, false, "e7/128 h2 m1 g2 l100,e7/128 h2 m1 g2", 0},
    {"in another proposal", 1, &all, false, "e7/128 h2 m3 g2|e7/128 h2 m1 g2", 1},
    {"in the first of several proposals", 1, &all, false, "e7/128 h2 m1 g2|e7/128 h2 m3 g2", 0},
    {"signatures", 1, &all, false, "e7/128 h2 m3 g2", -1},
    {"no method", 1, &all, false, "e7/128 h2 g2", -1},
    {"3DES", 1, &all, false, "e5 h2 m1 g2", -1},
    {"MD5", 1, &all, false, "e7/128 h1 m1 g2", -1},
    {"group 1", 1, &all, false, "e7/128 h2 m1 g1", -1},
    {"a group that we haven't named", 1, &all, false, "e7/128 h2 m1 g5", -1},
    {"curve25519's number", 1, &all, false, "e7/128 h2 m1 g31", -1},
    {"no key length", 1, &all, false, "e7 h2 m1 g2", -1},
    {"a key length that is none", 1, &all, false, "e7/192 h2 m1 g2", -1},
    {"an attribute that we don't know", 1, &all, false, "e7/128 h2 m1 g2 x0", -1},
    {"another transform than KEY_IKE", 1, &all, false, "i2 e7/128 h2 m1 g2", -1},
    {"GCM's number in phase 1", 1, &all, false, "e20/128 m1 g2", -1},
    {"ESP", 3, &all, false, "i12/128 a2 g2 n1", 0},
    {"ESP, encapsulation left out", 3, &all, false, "i12/128 a2 g2", 0},
    {"transport mode", 3, &all, false, "i12/128 a2 g2 n2", -1},
    {"in UDP, where there is none", 3, &all, false, "i12/128 a2 g2 n3", -1},
    {"in UDP", 3, &all, true, "i12/128 a2 g2 n3", 0},
    {"in UDP, the drafts' number", 3, &all, true, "i12/128 a2 g2 n61443", 0},
    {"not in UDP, where there is a NAT", 3, &all, true, "i12/128 a2 g2 n1", -1},
    {"transport in UDP", 3, &all, true, "i12/128 a2 g2 n4", -1},
    {"AEAD", 3, &all, false, "i20/256 g14 n1,i20/128 g14 n1", 1},
    {"AEAD with an integrity algorithm", 3, &all, false, "i20/128 a2 g2 n1", -1},
    {"no integrity algorithm", 3, &all, false, "i12/128 g2 n1", -1}, /* CVE-2024-3652's class */
    {"NULL", 3, &all, false, "i11 a2 g2 n1", -1},
    {"no PFS, which we want", 3, &all, false, "i12/128 a2 n1", -1},
    {"no PFS", 3, &no_pfs, false, "i12/128 a2 n1", 0},
    {"PFS, which we don't want", 3, &no_pfs, false, "i12/128 a2 g2 n1", -1},
    {"extended numbers", 3, &all, false, "i12/128 a2 g2 n1 s1", -1},
};

static void the_first_of_our_order_is_chosen(void)
{
    for (size_t i = 0; i < COUNT(offers); i++) {
        struct s2_ike1_sa_payload offer = sa_of(offers[i].protocol, offers[i].offer);
        struct s2_ike1_terms terms = terms_of(offers[i].protocol, offers[i].choices);
        struct s2_ike1_sa_payload answer = {.count = 77};
        struct s2_ike1_suite suite = {.encr = 77}, checked;

        terms.udp = offers[i].udp;
        for (size_t t = 0; t < offer.transforms; t++)
            offer.transform[t].attributes = s2_span(&offers[i], t + 1); /* its mark */
        const bool good = s2_ike1_choose(&terms, &offer, &suite, &answer) == S2SVPN_OK;
        CHECK_ROW(offers[i].row, good == (offers[i].chosen >= 0));
        if (!good) {
            CHECK_ROW(offers[i].row, suite.encr == 77 && answer.count == 77);
            continue;
        }
        CHECK_ROW(offers[i].row, answer.count == 1 && answer.transforms == 1);
        CHECK_ROW(offers[i].row,
                  answer.transform[0].attributes.len == (size_t)offers[i].chosen + 1);
        CHECK_ROW(offers[i].row, answer.proposal[0].first == 0 && answer.proposal[0].count == 1);
        CHECK_ROW(offers[i].row, answer.proposal[0].spi_len == offer.proposal[0].spi_len);
        offer.count = 1;
        offer.proposal[0].first = (uint8_t)offers[i].chosen;
        offer.proposal[0].count = 1;
        CHECK_ROW(offers[i].row, s2_ike1_check_answer(&offer, &answer, &checked) == S2SVPN_OK);
        CHECK_ROW(offers[i].row, same_suite(&checked, &suite));
    }
}

static void numbers_are_told_in_the_seam_s(void)
{
    static const struct {
        const char *row;
        uint8_t protocol;
        const char *offer;
        struct s2_ike1_suite suite;
    } rows[] = {
        {"SHA-1",
         1,
         "e7/128 h2 m1 g2 l900",
         {.encr = CBC, .key_bits = 128, .prf = 2, .hash = 1, .ke = 2, .life_s = 900}},
        {"SHA2-256",
         1,
         "e7/256 h4 m1 g14",
         {.encr = CBC, .key_bits = 256, .prf = 5, .hash = 2, .ke = 14}},
        {"SHA2-384",
         1,
         "e7/256 h5 m1 g19",
         {.encr = CBC, .key_bits = 256, .prf = 6, .hash = 3, .ke = 19}},
        {"SHA2-512",
         1,
         "e7/256 h6 m1 g19",
         {.encr = CBC, .key_bits = 256, .prf = 7, .hash = 4, .ke = 19}},
        {"ESP, SHA-1",
         3,
         "i12/128 a2 g2 n1",
         {.encr = CBC, .key_bits = 128, .integ = 2, .ke = 2, .encapsulation = 1}},
        {"ESP, SHA2-256",
         3,
         "i12/256 a5 g14 n1",
         {.encr = CBC, .key_bits = 256, .integ = 12, .ke = 14, .encapsulation = 1}},
        {"ESP, SHA2-512",
         3,
         "i12/256 a7 g14 n1",
         {.encr = CBC, .key_bits = 256, .integ = 14, .ke = 14, .encapsulation = 1}},
        {"ESP, GCM",
         3,
         "i20/256 g19 n1",
         {.encr = GCM, .key_bits = 256, .ke = 19, .encapsulation = 1}},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct s2_ike1_sa_payload offer = sa_of(rows[i].protocol, rows[i].offer);
        const struct s2_ike1_terms terms = terms_of(rows[i].protocol, &all);
        struct s2_ike1_sa_payload answer;
        struct s2_ike1_suite suite;

        CHECK_ROW(rows[i].row, s2_ike1_choose(&terms, &offer, &suite, &answer) == S2SVPN_OK);
        CHECK_ROW(rows[i].row, same_suite(&suite, &rows[i].suite));
    }
}

/* The same number twice is an AND of protocols, which we can't do. */
static void bundles_are_never_chosen(void)
{
    for (uint8_t place = 0; place < 2; place++) {
        struct s2_ike1_sa_payload offer =
            sa_of(S2_IKE1_PROTO_ESP, "i12/128 a2 g2 n1|i12/128 a2 g2 n1|i12/256 a2 g2 n1");
        const struct s2_ike1_terms terms = terms_of(S2_IKE1_PROTO_ESP, &all);
        struct s2_ike1_sa_payload answer;
        struct s2_ike1_suite suite;

        offer.proposal[0].number = offer.proposal[1].number = 1;
        offer.proposal[place].protocol = S2_IKE1_PROTO_AH;
        CU_ASSERT_EQUAL_FATAL(s2_ike1_choose(&terms, &offer, &suite, &answer), S2SVPN_OK);
        CU_ASSERT_EQUAL(suite.key_bits, 256);
        CU_ASSERT_EQUAL(answer.proposal[0].number, 3);
    }
}

/* ---- the answer */

static const struct {
    const char *row, *answer;
    bool good;
} answers[] = {
    {"the first", "i12/128 a2 g2 n1 l3600", true},
    {"the second", "i12/256 a5 g2 n1 l3600", true},
    {"a shorter life", "i12/128 a2 g2 n1 l600", true},
    {"a longer life", "i12/128 a2 g2 n1 l65000", true},
    {"no life", "i12/128 a2 g2 n1", true},
    {"mixed of both", "i12/128 a5 g2 n1 l3600", false},
    {"a shorter key", "i12/192 a2 g2 n1 l3600", false},
    {"no key length", "i12 a2 g2 n1 l3600", false},
    {"another cipher", "i11 a2 g2 n1 l3600", false},
    {"no integrity algorithm", "i12/128 g2 n1 l3600", false},
    {"another group", "i12/128 a2 g1 n1 l3600", false},
    {"no group", "i12/128 a2 n1 l3600", false},
    {"another mode", "i12/128 a2 g2 n2 l3600", false},
    {"in UDP", "i12/128 a2 g2 n3 l3600", false},
    {"extended numbers", "i12/128 a2 g2 n1 s1", false},
    {"an attribute more", "i12/128 a2 g2 n1 x1", false},
    {"two transforms", "i12/128 a2 g2 n1,i12/256 a5 g2 n1", false},
    {"two proposals", "i12/128 a2 g2 n1|i12/256 a5 g2 n1", false},
};

static void an_answer_is_one_of_the_offered(void)
{
    const struct s2_ike1_sa_payload offer =
        sa_of(S2_IKE1_PROTO_ESP, "i12/128 a2 g2 n1 l3600,i12/256 a5 g2 n1 l3600");

    for (size_t i = 0; i < COUNT(answers); i++) {
        const struct s2_ike1_sa_payload answer = sa_of(S2_IKE1_PROTO_ESP, answers[i].answer);
        struct s2_ike1_suite suite = {.encr = 77};

        CHECK_ROW(answers[i].row,
                  (s2_ike1_check_answer(&offer, &answer, &suite) == S2SVPN_OK) == answers[i].good);
        CHECK_ROW(answers[i].row, suite.encr == (answers[i].good ? CBC : 77));
        if (answers[i].good)
            CHECK_ROW(answers[i].row,
                      suite.life_s == (answer.transform[0].life_s == 600 ? 600 : 3600));
    }
}

static void an_answer_of_another_protocol_is_none(void)
{
    const struct s2_ike1_sa_payload offer = sa_of(S2_IKE1_PROTO_ESP, "i12/128 a2 g2 n1");
    struct s2_ike1_sa_payload answer = offer;
    struct s2_ike1_suite suite;

    answer.proposal[0].protocol = S2_IKE1_PROTO_AH;
    CU_ASSERT_EQUAL(s2_ike1_check_answer(&offer, &answer, &suite), S2SVPN_E_NOT_FOUND);
    answer = offer;
    answer.proposal[0].spi_len = 16;
    CU_ASSERT_EQUAL(s2_ike1_check_answer(&offer, &answer, &suite), S2SVPN_E_NOT_FOUND);
    answer = offer;
    answer.count = 0;
    answer.transforms = 0;
    CU_ASSERT_EQUAL(s2_ike1_check_answer(&offer, &answer, &suite), S2SVPN_E_NOT_FOUND);
}

static void an_answer_s_spi_in_phase_1_means_nothing(void)
{
    const struct s2_ike1_sa_payload offer = sa_of(S2_IKE1_PROTO_ISAKMP, "e7/128 h2 m1 g2");
    struct s2_ike1_sa_payload answer = offer;
    struct s2_ike1_suite suite;

    answer.proposal[0].spi_len = 8;
    CU_ASSERT_EQUAL(s2_ike1_check_answer(&offer, &answer, &suite), S2SVPN_OK);
}

/* Whatever we offer, over the wire, chosen by ourselves, over the wire, is accepted. */
static void offer_choice_and_check_agree(void)
{
    for (uint8_t protocol = 1; protocol <= 3; protocol += 2) {
        struct s2_ike1_terms terms = terms_of(protocol, &all);
        struct s2_ike1_sa_payload sent, offer, answer, got;
        struct s2_ike1_suite chosen, checked;
        uint8_t wire[4096], back[256];
        struct s2_reader r;
        struct s2_writer w;

        terms.life_s = 86400;
        CU_ASSERT_EQUAL_FATAL(
            s2_ike1_offer(&terms, s2_span("spi.", protocol == 1 ? 0 : 4), &sent, NULL), S2SVPN_OK);
        s2_writer_init(&w, wire, sizeof(wire));
        s2_ike1_write_sa(&w, &sent);
        s2_reader_init(&r, wire, w.len);
        CU_ASSERT_EQUAL_FATAL(s2_ike1_parse_sa(&r, &offer), S2SVPN_OK);
        CU_ASSERT_EQUAL_FATAL(s2_ike1_choose(&terms, &offer, &chosen, &answer), S2SVPN_OK);
        s2_writer_init(&w, back, sizeof(back));
        s2_ike1_write_sa(&w, &answer);
        s2_reader_init(&r, back, w.len);
        CU_ASSERT_EQUAL_FATAL(s2_ike1_parse_sa(&r, &got), S2SVPN_OK);
        CU_ASSERT_TRUE(s2_span_equal(got.transform[0].attributes, offer.transform[0].attributes));
        CU_ASSERT_EQUAL_FATAL(s2_ike1_check_answer(&sent, &got, &checked), S2SVPN_OK);
        CU_ASSERT_TRUE(same_suite(&chosen, &checked));
        CU_ASSERT_TRUE(chosen.key_bits == 128 && chosen.ke == 2 && chosen.life_s == 86400);
    }
}

/* First messages of main mode as ike-scan 1.9.5 sends them: --trans=7/128,2,1,2
 * --trans=7/256,4,1,14 with DPD's vendor ID; and without options, which is 3DES and DES. */
static void ike_scan_s_probes_are_read_and_judged(void)
{
    static const struct {
        const char *row, *wire;
        size_t transforms, payloads;
        bool good;
    } rows[] = {
        {"AES",
         "3156e959dd77b1f200000000000000000110020000000000000000940d0000640000000100000001"
         "0000005801010002030000280101000080010007800200028003000180040002800e0080800b0001"
         "000c00040000708000000028020100008001000780020004800300018004000e800e0100800b0001"
         "000c00040000708000000014afcad71368a1f1c96b8696fc77570100",
         2, 2, true},
        {"nothing of ours",
         "2809149377a0e5cb0000000000000000011002000000000000000150000001340000000100000001"
         "0000012801010008030000240101000080010005800200028003000180040002800b0001000c0004"
         "00007080030000240201000080010005800200018003000180040002800b0001000c000400007080"
         "030000240301000080010001800200028003000180040002800b0001000c00040000708003000024"
         "0401000080010001800200018003000180040002800b0001000c0004000070800300002405010000"
         "80010005800200028003000180040001800b0001000c000400007080030000240601000080010005"
         "800200018003000180040001800b0001000c00040000708003000024070100008001000180020002"
         "8003000180040001800b0001000c0004000070800000002408010000800100018002000180030001"
         "80040001800b0001000c000400007080",
         8, 1, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct s2_hex wire = s2_hex(rows[i].wire);
        const struct s2_ike1_terms terms = terms_of(S2_IKE1_PROTO_ISAKMP, &all);
        struct s2_ike1_sa_payload offer, answer;
        struct s2_ike1_payloads list;
        struct s2_ike1_suite suite;
        struct s2_ike1_header h;
        struct s2_reader r;

        s2_reader_init(&r, wire.bytes, wire.len);
        CU_ASSERT_EQUAL_FATAL(s2_ike1_parse_header(&r, &h), S2SVPN_OK);
        CHECK_ROW(rows[i].row, h.exchange == S2_IKE1_MAIN && h.version == S2_IKE1_VERSION);
        CU_ASSERT_EQUAL_FATAL(s2_ike1_parse_payloads(&r, h.next_payload, false, &list), S2SVPN_OK);
        CHECK_ROW(rows[i].row, list.count == rows[i].payloads);
        CHECK_ROW(rows[i].row,
                  s2_ike1_vendors(&list) == (rows[i].payloads == 2 ? 1u << S2_IKE1_VENDOR_DPD : 0));
        s2_reader_init(&r, list.item[0].body.p, list.item[0].body.len);
        CU_ASSERT_EQUAL_FATAL(s2_ike1_parse_sa(&r, &offer), S2SVPN_OK);
        CHECK_ROW(rows[i].row, offer.transforms == rows[i].transforms);
        CHECK_ROW(rows[i].row, offer.transform[0].life_s == 28800 && !offer.transform[0].odd);
        CHECK_ROW(rows[i].row,
                  (s2_ike1_choose(&terms, &offer, &suite, &answer) == S2SVPN_OK) == rows[i].good);
        if (rows[i].good)
            CHECK_ROW(rows[i].row, suite.key_bits == 128 && suite.prf == S2SVPN_PRF_HMAC_SHA1 &&
                                       suite.ke == S2SVPN_KE_MODP_1024);
    }
}

const CU_TestInfo s2_test_v1_proposal[] = {
    {"an offer is every combination in our order", an_offer_is_every_combination_in_our_order},
    {"phase 2 has one group in all", phase_2_has_one_group_in_all},
    {"what can not be offered is not", what_can_not_be_offered_is_not},
    {"an offer ends where the payload is full", an_offer_ends_where_the_payload_is_full},
    {"the first of our order is chosen", the_first_of_our_order_is_chosen},
    {"numbers are told in the seam's", numbers_are_told_in_the_seam_s},
    {"bundles are never chosen", bundles_are_never_chosen},
    {"an answer is one of the offered", an_answer_is_one_of_the_offered},
    {"an answer of another protocol is none", an_answer_of_another_protocol_is_none},
    {"an answer's spi in phase 1 means nothing", an_answer_s_spi_in_phase_1_means_nothing},
    {"offer, choice and check agree", offer_choice_and_check_agree},
    {"ike-scan's probes are read and judged", ike_scan_s_probes_are_read_and_judged},
    CU_TEST_INFO_NULL,
};
