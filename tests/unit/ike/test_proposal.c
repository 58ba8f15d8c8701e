/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/ike/proposal.c. */
#include "ike/message.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "harness.h"
#include "ike/fake_crypto.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { CBC = 12, GCM = 20 };

/* The transforms of a text, "e12/128 i12 p5 k14 n0": encr with its key length, integ,
 * prf, ke, esn; x and y are types that nobody has assigned. */
static void add_transforms(struct s2_ike_proposal *p, const char *text)
{
    static const char letters[] = "?epiknx"; /* by type */

    while (*text != '\0') {
        struct s2_ike_transform *t = &p->transform[p->count++];
        const char *letter = strchr(letters, *text);
        char *end;

        *t = (struct s2_ike_transform){.type = letter != NULL ? (uint8_t)(letter - letters) : 255};
        t->id = (uint16_t)strtoul(text + 1, &end, 10);
        if (*end == '/')
            t->key_bits = (uint16_t)strtoul(end + 1, &end, 10);
        text = *end == ' ' ? end + 1 : end;
    }
}

static struct s2_ike_proposal proposal(uint8_t number, uint8_t protocol, const char *text)
{
    struct s2_ike_proposal p = {.number = number, .protocol = protocol};

    p.spi_len = protocol == S2_IKE_PROTO_IKE ? 0 : 4;
    memcpy(p.spi, "spi.", p.spi_len);
    add_transforms(&p, text);
    return p;
}

static bool same_transforms(const struct s2_ike_proposal *p, const char *text)
{
    const struct s2_ike_proposal good = proposal(0, S2_IKE_PROTO_IKE, text);

    for (size_t i = 0; i < p->count && i < good.count; i++) {
        const struct s2_ike_transform *a = &p->transform[i], *b = &good.transform[i];

        if (a->type != b->type || a->id != b->id || a->key_bits != b->key_bits)
            return false;
    }
    return p->count == good.count;
}

/* What the transforms of a text make together. */
static struct s2_ike_suite suite_of(const char *text)
{
    const struct s2_ike_proposal p = proposal(0, S2_IKE_PROTO_IKE, text);
    struct s2_ike_suite s = {0};

    for (size_t i = 0; i < p.count; i++) {
        const struct s2_ike_transform *t = &p.transform[i];

        s.encr = t->type == S2SVPN_TRANSFORM_ENCR ? t->id : s.encr;
        s.key_bits = t->type == S2SVPN_TRANSFORM_ENCR ? t->key_bits : s.key_bits;
        s.prf = t->type == S2SVPN_TRANSFORM_PRF ? t->id : s.prf;
        s.integ = t->type == S2SVPN_TRANSFORM_INTEG ? t->id : s.integ;
        s.ke = t->type == S2SVPN_TRANSFORM_KE ? t->id : s.ke;
        s.esn = t->type == S2SVPN_TRANSFORM_ESN ? t->id != 0 : s.esn;
    }
    return s;
}

static bool same_suite(const struct s2_ike_suite *a, const struct s2_ike_suite *b)
{
    return a->encr == b->encr && a->key_bits == b->key_bits && a->integ == b->integ &&
           a->prf == b->prf && a->ke == b->ke && a->esn == b->esn;
}

static const struct s2_ike_choices ike_choices = {
    .encr = {{CBC, 128}, {GCM, 128}, {CBC, 256}, {GCM, 256}},
    .encr_count = 4,
    .integ = {12, 14},
    .integ_count = 2,
    .prf = {5, 7},
    .prf_count = 2,
    .ke = {14, 19},
    .ke_count = 2,
};
static const struct s2_ike_choices esp_choices = {
    .encr = {{GCM, 128}, {CBC, 256}},
    .encr_count = 2,
    .integ = {12},
    .integ_count = 1,
    .ke = {14, 19},
    .ke_count = 2,
};

static s2svpn_status offer_with(uint8_t protocol, const struct s2_ike_choices *c, bool with_ke,
                                uint8_t esn, struct s2_ike_sa_payload *out)
{
    const struct s2_ike_terms terms = {s2_fake_crypto_ops(), c, protocol, with_ke, esn};

    return s2_ike_offer(&terms, s2_span("spi.", protocol == S2_IKE_PROTO_IKE ? 0 : 4), out);
}

static s2svpn_status offer(uint8_t protocol, const struct s2_ike_choices *c, bool with_ke,
                           struct s2_ike_sa_payload *out)
{
    return offer_with(protocol, c, with_ke, 0, out);
}

static s2svpn_status choose(uint8_t protocol, const struct s2_ike_choices *c, bool with_ke,
                            uint8_t esn, const struct s2_ike_sa_payload *sa,
                            struct s2_ike_suite *suite, struct s2_ike_proposal *answer)
{
    const struct s2_ike_terms terms = {s2_fake_crypto_ops(), c, protocol, with_ke, esn};

    return s2_ike_choose(&terms, sa, suite, answer);
}

/* ---- offers */

static void an_ike_offer_is_one_proposal_of_each_kind(void)
{
    struct s2_ike_sa_payload sa;

    CU_ASSERT_EQUAL_FATAL(offer(S2_IKE_PROTO_IKE, &ike_choices, true, &sa), S2SVPN_OK);
    CU_ASSERT_EQUAL(sa.count, 2);
    CU_ASSERT_EQUAL(sa.proposal[0].number, 1);
    CU_ASSERT_EQUAL(sa.proposal[0].protocol, S2_IKE_PROTO_IKE);
    CU_ASSERT_EQUAL(sa.proposal[0].spi_len, 0);
    CU_ASSERT_TRUE(same_transforms(&sa.proposal[0], "e12/128 e12/256 i12 i14 p5 p7 k14 k19"));
    CU_ASSERT_EQUAL(sa.proposal[1].number, 2);
    CU_ASSERT_TRUE(same_transforms(&sa.proposal[1], "e20/128 e20/256 p5 p7 k14 k19"));
}

static void an_esp_offer_has_no_esn_and_groups_only_where_allowed(void)
{
    struct s2_ike_choices no_pfs = esp_choices;
    struct s2_ike_sa_payload sa;

    CU_ASSERT_EQUAL_FATAL(offer(S2_IKE_PROTO_ESP, &esp_choices, false, &sa), S2SVPN_OK);
    CU_ASSERT_EQUAL(sa.count, 2);
    CU_ASSERT_EQUAL(sa.proposal[0].spi_len, 4);
    CU_ASSERT_EQUAL(memcmp(sa.proposal[1].spi, "spi.", 4), 0);
    CU_ASSERT_TRUE(same_transforms(&sa.proposal[0], "e20/128 n0"));
    CU_ASSERT_TRUE(same_transforms(&sa.proposal[1], "e12/256 i12 n0"));
    CU_ASSERT_EQUAL_FATAL(offer(S2_IKE_PROTO_ESP, &esp_choices, true, &sa), S2SVPN_OK);
    CU_ASSERT_TRUE(same_transforms(&sa.proposal[0], "e20/128 k14 k19 n0"));
    no_pfs.ke_count = 0;
    CU_ASSERT_EQUAL_FATAL(offer(S2_IKE_PROTO_ESP, &no_pfs, true, &sa), S2SVPN_OK);
    CU_ASSERT_TRUE(same_transforms(&sa.proposal[0], "e20/128 n0"));
}

/* RFC 7296 section 3.3.2, type 5; the configuration says which numbers. */
static void an_esp_offer_has_the_sequence_numbers_that_are_configured(void)
{
    static const char *const numbers[] = {"n0", "n1 n0", "n1"};
    char first[32], second[32];

    for (uint8_t esn = 0; esn < COUNT(numbers); esn++) {
        struct s2_ike_sa_payload sa;

        CU_ASSERT_EQUAL_FATAL(offer_with(S2_IKE_PROTO_ESP, &esp_choices, true, esn, &sa),
                              S2SVPN_OK);
        s2_print(first, sizeof(first), "e20/128 k14 k19 %s", numbers[esn]);
        s2_print(second, sizeof(second), "e12/256 i12 k14 k19 %s", numbers[esn]);
        CHECK_ROW(numbers[esn], same_transforms(&sa.proposal[0], first));
        CHECK_ROW(numbers[esn], same_transforms(&sa.proposal[1], second));
        /* An IKE SA has none, whatever is configured. */
        CU_ASSERT_EQUAL_FATAL(offer_with(S2_IKE_PROTO_IKE, &ike_choices, true, esn, &sa),
                              S2SVPN_OK);
        CHECK_ROW(numbers[esn], same_transforms(&sa.proposal[1], "e20/128 e20/256 p5 p7 k14 k19"));
    }
}

static void what_the_backend_lacks_is_not_offered(void)
{
    const struct s2_ike_choices c = {
        .encr = {{CBC, 0}, {28, 0}, {11, 0}, {CBC, 192}, {CBC, 128}},
        .encr_count = 5,
        .integ = {13, 0, 12},
        .integ_count = 3,
        .prf = {99, 5},
        .prf_count = 2,
        .ke = {0, 24, 14},
        .ke_count = 3,
    };
    struct s2_ike_sa_payload sa;

    CU_ASSERT_EQUAL_FATAL(offer(S2_IKE_PROTO_IKE, &c, true, &sa), S2SVPN_OK);
    CU_ASSERT_EQUAL(sa.count, 1);
    CU_ASSERT_TRUE(same_transforms(&sa.proposal[0], "e12/128 i12 p5 k14"));
    CU_ASSERT_EQUAL_FATAL(offer(S2_IKE_PROTO_ESP, &c, false, &sa), S2SVPN_OK);
    CU_ASSERT_TRUE(same_transforms(&sa.proposal[0], "e11 e12/128 i12 n0"));
}

static void the_same_choice_twice_is_offered_once(void)
{
    struct s2_ike_choices c = {.encr = {{CBC, 128}, {CBC, 128}},
                               .encr_count = 2,
                               .integ = {12, 12},
                               .integ_count = 2,
                               .prf = {5, 5, 5},
                               .prf_count = 3,
                               .ke = {14, 14},
                               .ke_count = 2};
    struct s2_ike_sa_payload sa;

    CU_ASSERT_EQUAL_FATAL(offer(S2_IKE_PROTO_IKE, &c, true, &sa), S2SVPN_OK);
    CU_ASSERT_TRUE(same_transforms(&sa.proposal[0], "e12/128 i12 p5 k14"));
}

static void an_offer_of_nothing_is_refused(void)
{
    static const struct {
        const char *row;
        size_t offset; /* of the count in the choices that is made 0 */
        uint8_t proposals;
    } rows[] = {
        {"no cipher", offsetof(struct s2_ike_choices, encr_count), 0},
        {"no integ: AEADs are left", offsetof(struct s2_ike_choices, integ_count), 1},
        {"no prf", offsetof(struct s2_ike_choices, prf_count), 0},
        {"no group", offsetof(struct s2_ike_choices, ke_count), 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct s2_ike_choices c = ike_choices;
        struct s2_ike_sa_payload sa;

        ((uint8_t *)&c)[rows[i].offset] = 0;
        CHECK_ROW(rows[i].row, offer(S2_IKE_PROTO_IKE, &c, true, &sa) ==
                                   (rows[i].proposals > 0 ? S2SVPN_OK : S2SVPN_E_UNSUPPORTED));
        CHECK_ROW(rows[i].row, sa.count == rows[i].proposals);
    }
}

static void an_spi_that_is_none_is_refused(void)
{
    struct s2_ike_sa_payload sa;

    const struct s2_ike_terms terms = {s2_fake_crypto_ops(), &ike_choices, S2_IKE_PROTO_IKE, true,
                                       0};

    CU_ASSERT_EQUAL(s2_ike_offer(&terms, s2_span("123456789", 9), &sa), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(sa.count, 0);
}

/* ---- choices. Each row is one proposal, or two. */

#define GOOD_IKE "e12/128 i12 p5 k14"

static const struct {
    const char *row;
    uint8_t protocol;
    bool with_ke, pfs;
    const char *first, *second; /* proposals 1 and 2 */
    uint8_t number;             /* of the chosen one; 0: none acceptable */
    const char *answer;
} choices[] = {
    {"what is needed", 1, true, true, GOOD_IKE, "", 1, GOOD_IKE},
    {"our order, not the peer's", 1, true, true, "k19 k14 p7 p5 i14 i12 e12/256 e12/128", "", 1,
     GOOD_IKE},
    {"our order among proposals", 1, true, true, "e20/256 p5 k14", GOOD_IKE, 2, GOOD_IKE},
    {"equal ones: the peer's first", 1, true, true, GOOD_IKE, GOOD_IKE, 1, GOOD_IKE},
    {"second one is good", 1, true, true, "e12/192 i12 p5 k14", GOOD_IKE, 2, GOOD_IKE},
    {"a better integ breaks the tie", 1, true, true, "e12/128 i14 p5 k14", GOOD_IKE, 2, GOOD_IKE},
    {"a better prf breaks the tie", 1, true, true, "e12/128 i12 p7 k14", GOOD_IKE, 2, GOOD_IKE},
    {"a better group breaks the tie", 1, true, true, "e12/128 i12 p5 k19", GOOD_IKE, 2, GOOD_IKE},
    {"AEAD without INTEG", 1, true, true, "e20/256 p7 k19", "", 1, "e20/256 p7 k19"},
    {"AEAD with INTEG NONE", 1, true, true, "e20/128 i0 p5 k14", "", 1, "e20/128 i0 p5 k14"},
    {"AEAD with INTEG and NONE", 1, true, true, "e20/128 i12 i0 p5 k14", "", 1,
     "e20/128 i0 p5 k14"},
    {"AEAD that insists on INTEG", 1, true, true, "e20/128 i12 p5 k14", "", 0, ""},
    {"both kinds in one proposal", 1, true, true, "e20/128 e12/256 i12 p5 k14", "", 1,
     "e12/256 i12 p5 k14"},
    {"AES without key length", 1, true, true, "e12 i12 p5 k14", "", 0, ""},
    {"key length on a PRF", 1, true, true, "e12/128 i12 p5/128 k14", "", 0, ""},
    {"empty", 1, true, true, "", "", 0, ""},
    {"no ENCR", 1, true, true, "i12 p5 k14", "", 0, ""},
    {"no INTEG", 1, true, true, "e12/128 p5 k14", "", 0, ""},
    {"INTEG NONE without AEAD", 1, true, true, "e12/128 i0 p5 k14", "", 0, ""},
    {"no PRF", 1, true, true, "e12/128 i12 k14", "", 0, ""},
    {"no KE, CVE-2016-5391", 1, true, true, "e12/128 i12 p5", "", 0, ""},
    {"KE NONE for IKE", 1, true, true, "e12/128 i12 p5 k0", "", 0, ""},
    {"private group, CVE-2014-9221", 1, true, true, "e12/128 i12 p5 k1025", "", 0, ""},
    {"unknown type", 1, true, true, GOOD_IKE " x1", "", 0, ""},
    {"last unknown type", 1, true, true, GOOD_IKE " y0", "", 0, ""},
    {"unknown type, then a plain one", 1, true, true, GOOD_IKE " x1", GOOD_IKE, 2, GOOD_IKE},
    {"ESN for IKE", 1, true, true, GOOD_IKE " n0", "", 0, ""},
    {"KE even if told to leave it out", 1, false, true, "e12/128 i12 p5", GOOD_IKE, 2, GOOD_IKE},
    {"ESP in IKE_AUTH", 3, false, true, "e20/128 n0", "", 1, "e20/128 n0"},
    {"groups in IKE_AUTH are left out", 3, false, true, "e20/128 k24 n0", "", 1, "e20/128 n0"},
    {"ESP with PFS", 3, true, true, "e12/256 i12 k19 n1 n0", "", 1, "e12/256 i12 k19 n0"},
    {"no PFS where we want it", 3, true, true, "e20/128 n0", "", 0, ""},
    {"PFS NONE where we want it", 3, true, true, "e20/128 k0 n0", "", 0, ""},
    {"no PFS, as we want", 3, true, false, "e20/128 n0", "", 1, "e20/128 n0"},
    {"PFS NONE, as we want", 3, true, false, "e20/128 k0 k14 n0", "", 1, "e20/128 k0 n0"},
    {"PFS where we want none", 3, true, false, "e20/128 k14 n0", "", 0, ""},
    {"only ESN", 3, false, true, "e20/128 n1", "", 0, ""},
    {"no ESN type", 3, false, true, "e20/128", "", 0, ""},
    {"PRF for ESP", 3, false, true, "e20/128 p5 n0", "", 0, ""},
};

/* RFC 7296 section 3.3.2, type 5, in IKE_AUTH. */
static const struct {
    const char *row;
    uint8_t esn; /* struct s2_ike_config's */
    const char *first, *second;
    uint8_t number;
    const char *answer;
} esn_choices[] = {
    {"ESN where it is allowed", 1, "e20/128 n0 n1", "", 1, "e20/128 n1"},
    {"plain numbers where ESN is allowed", 1, "e20/128 n0", "", 1, "e20/128 n0"},
    {"ESN alone where it is allowed", 1, "e20/128 n1", "", 1, "e20/128 n1"},
    {"ESN among others where we want nothing else", 2, "e12/256 i12 n0 n1", "", 1,
     "e12/256 i12 n1"},
    {"plain numbers where we want ESN", 2, "e20/128 n0", "", 0, ""},
    {"both where we want plain ones", 0, "e20/128 n1 n0", "", 1, "e20/128 n0"},
    {"plain numbers first, ESN second", 1, "e20/128 n0", "e20/128 n1", 2, "e20/128 n1"},
    {"the cipher counts before ESN", 1, "e12/256 i12 n1", "e20/128 n0", 2, "e20/128 n0"},
    {"numbers that nobody has assigned", 1, "e20/128 n2", "", 0, ""},
    {"those, beside some that are", 1, "e20/128 n2 n1", "", 1, "e20/128 n1"},
    {"ESN with a key length", 1, "e20/128 n1/64", "", 0, ""},
    {"no numbers at all", 1, "e20/128", "", 0, ""},
};

static void check_choice(const char *row, const struct s2_ike_terms *terms, const char *first,
                         const char *second, uint8_t number, const char *text)
{
    const uint8_t protocol = terms->protocol;
    struct s2_ike_sa_payload sa = {.count = 1};
    struct s2_ike_suite suite = {.encr = 77};
    struct s2_ike_proposal answer = {.number = 77};

    sa.proposal[0] = proposal(1, protocol, first);
    if (second[0] != '\0')
        sa.proposal[sa.count++] = proposal(2, protocol, second);
    const s2svpn_status rc = s2_ike_choose(terms, &sa, &suite, &answer);
    if (number == 0) {
        CHECK_ROW(row, rc == S2SVPN_E_NOT_FOUND);
        CHECK_ROW(row, suite.encr == 77 && answer.number == 77);
        return;
    }
    const struct s2_ike_suite good = suite_of(text);
    CHECK_ROW(row, rc == S2SVPN_OK);
    CHECK_ROW(row, answer.number == number);
    CHECK_ROW(row, same_suite(&suite, &good));
    CHECK_ROW(row, same_transforms(&answer, text));
}

static void choices_follow_our_order_and_the_rfc(void)
{
    for (size_t i = 0; i < COUNT(choices); i++) {
        const uint8_t protocol = choices[i].protocol;
        struct s2_ike_choices ours = protocol == S2_IKE_PROTO_IKE ? ike_choices : esp_choices;
        const struct s2_ike_terms terms = {s2_fake_crypto_ops(), &ours, protocol,
                                           choices[i].with_ke, 0};

        if (!choices[i].pfs)
            ours.ke_count = 0;
        check_choice(choices[i].row, &terms, choices[i].first, choices[i].second, choices[i].number,
                     choices[i].answer);
    }
}

static void sequence_numbers_are_chosen_as_configured(void)
{
    for (size_t i = 0; i < COUNT(esn_choices); i++) {
        const struct s2_ike_terms terms = {s2_fake_crypto_ops(), &esp_choices, S2_IKE_PROTO_ESP,
                                           false, esn_choices[i].esn};

        check_choice(esn_choices[i].row, &terms, esn_choices[i].first, esn_choices[i].second,
                     esn_choices[i].number, esn_choices[i].answer);
    }
}

static void the_answer_still_has_the_peer_s_spi(void)
{
    struct s2_ike_sa_payload sa = {.count = 1};
    struct s2_ike_suite suite;
    struct s2_ike_proposal answer;

    sa.proposal[0] = proposal(9, S2_IKE_PROTO_ESP, "e20/128 n0");
    CU_ASSERT_EQUAL_FATAL(choose(S2_IKE_PROTO_ESP, &esp_choices, false, 0, &sa, &suite, &answer),
                          S2SVPN_OK);
    CU_ASSERT_EQUAL(answer.number, 9);
    CU_ASSERT_EQUAL(answer.protocol, S2_IKE_PROTO_ESP);
    CU_ASSERT_EQUAL(answer.spi_len, 4);
    CU_ASSERT_EQUAL(memcmp(answer.spi, "spi.", 4), 0);
}

static void another_protocol_is_not_chosen(void)
{
    struct s2_ike_sa_payload sa = {.count = 1};
    struct s2_ike_suite suite;
    struct s2_ike_proposal answer;

    sa.proposal[0] = proposal(1, S2_IKE_PROTO_AH, "i12 e20/128 n0");
    CU_ASSERT_EQUAL(choose(S2_IKE_PROTO_ESP, &esp_choices, false, 0, &sa, &suite, &answer),
                    S2SVPN_E_NOT_FOUND);
}

static void our_own_offer_is_acceptable_to_us(void)
{
    static const struct {
        const char *row;
        uint8_t protocol;
        bool with_ke;
        uint8_t esn;
    } rows[] = {{"IKE", 1, true, 0},
                {"ESP in IKE_AUTH", 3, false, 0},
                {"ESP with PFS", 3, true, 0},
                {"ESP with ESN allowed", 3, true, 1},
                {"ESP with ESN alone", 3, false, 2}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct s2_ike_choices *c = rows[i].protocol == 1 ? &ike_choices : &esp_choices;
        struct s2_ike_sa_payload sa, answer = {.count = 1};
        struct s2_ike_suite chosen, checked;

        CHECK_ROW(rows[i].row,
                  offer_with(rows[i].protocol, c, rows[i].with_ke, rows[i].esn, &sa) == S2SVPN_OK);
        CHECK_ROW(rows[i].row, choose(rows[i].protocol, c, rows[i].with_ke, rows[i].esn, &sa,
                                      &chosen, &answer.proposal[0]) == S2SVPN_OK);
        CHECK_ROW(rows[i].row,
                  s2_ike_check_answer(&sa, &answer, rows[i].with_ke, &checked) == S2SVPN_OK);
        CHECK_ROW(rows[i].row, same_suite(&chosen, &checked));
        CHECK_ROW(rows[i].row, chosen.esn == (rows[i].esn != 0));
    }
}

/* ---- answers to our offer, which is {CBC 128, CBC 256 …} and {GCM 128, GCM 256 …} */

static const struct {
    const char *row;
    uint8_t offered, protocol; /* of our offer, of the answer */
    bool with_ke;
    uint8_t number, spi_len;
    const char *answer;
    bool good;
} answers[] = {
    {"the first", 1, 1, true, 1, 0, GOOD_IKE, true},
    {"the second", 1, 1, true, 2, 0, "e20/256 p7 k19", true},
    {"INTEG NONE, which means nothing", 1, 1, true, 2, 0, "e20/256 i0 p7 k19", true},
    {"a number that we didn't use", 1, 1, true, 3, 0, GOOD_IKE, false},
    {"the other number", 1, 1, true, 2, 0, GOOD_IKE, false},
    {"an SPI that we didn't ask for", 1, 1, true, 1, 8, GOOD_IKE, false},
    {"another protocol", 1, 3, true, 1, 0, GOOD_IKE, false},
    {"empty", 1, 1, true, 1, 0, "", false},
    {"a cipher that we didn't offer", 1, 1, true, 1, 0, "e12/192 i12 p5 k14", false},
    {"a cipher without its key length", 1, 1, true, 1, 0, "e12 i12 p5 k14", false},
    {"a group that we didn't offer", 1, 1, true, 1, 0, "e12/128 i12 p5 k2", false},
    {"INTEG NONE instead of ours", 1, 1, true, 1, 0, "e12/128 i0 p5 k14", false},
    {"two ciphers", 1, 1, true, 1, 0, "e12/256 " GOOD_IKE, false},
    {"the same cipher twice", 1, 1, true, 1, 0, "e12/128 " GOOD_IKE, false},
    {"no cipher", 1, 1, true, 1, 0, "i12 p5 k14", false},
    {"no INTEG", 1, 1, true, 1, 0, "e12/128 p5 k14", false},
    {"no PRF", 1, 1, true, 1, 0, "e12/128 i12 k14", false},
    {"no KE", 1, 1, true, 1, 0, "e12/128 i12 p5", false},
    {"unknown type", 1, 1, true, 1, 0, GOOD_IKE " x0", false},
    {"ESP", 3, 3, false, 1, 4, "e20/128 n0", true},
    {"ESP with ESN", 3, 3, false, 1, 4, "e20/128 n1", false},
    {"ESP without ESN's type", 3, 3, false, 1, 4, "e20/128", false},
    {"ESP without SPI", 3, 3, false, 1, 0, "e20/128 n0", false},
    {"a group in IKE_AUTH", 3, 3, false, 1, 4, "e20/128 k14 n0", false},
    {"no group, said aloud", 3, 3, false, 1, 4, "e20/128 k0 n0", true},
    {"a group where asked for", 3, 3, true, 1, 4, "e20/128 k19 n0", true},
    {"no group where asked for", 3, 3, true, 1, 4, "e20/128 n0", false},
    {"NONE where a group was asked for", 3, 3, true, 1, 4, "e20/128 k0 n0", false},
};

static void answers_that_we_did_not_offer_are_refused(void)
{
    for (size_t i = 0; i < COUNT(answers); i++) {
        const bool ike = answers[i].offered == S2_IKE_PROTO_IKE;
        struct s2_ike_sa_payload sa, answer = {.count = 1};
        struct s2_ike_suite suite = {.encr = 77};

        CHECK_ROW(answers[i].row, offer(answers[i].offered, ike ? &ike_choices : &esp_choices,
                                        answers[i].with_ke, &sa) == S2SVPN_OK);
        answer.proposal[0] = proposal(answers[i].number, answers[i].protocol, answers[i].answer);
        answer.proposal[0].spi_len = answers[i].spi_len;
        CHECK_ROW(answers[i].row, s2_ike_check_answer(&sa, &answer, answers[i].with_ke, &suite) ==
                                      (answers[i].good ? S2SVPN_OK : S2SVPN_E_NOT_FOUND));
        CHECK_ROW(answers[i].row, (suite.encr != 77) == answers[i].good);
    }
}

static void an_answer_is_exactly_one_proposal(void)
{
    struct s2_ike_sa_payload sa, answer = {.count = 2};
    struct s2_ike_suite suite;

    CU_ASSERT_EQUAL_FATAL(offer(S2_IKE_PROTO_IKE, &ike_choices, true, &sa), S2SVPN_OK);
    answer.proposal[0] = proposal(1, S2_IKE_PROTO_IKE, "e12/128 i12 p5 k14");
    answer.proposal[1] = proposal(2, S2_IKE_PROTO_IKE, "e20/128 p5 k14");
    CU_ASSERT_EQUAL(s2_ike_check_answer(&sa, &answer, true, &suite), S2SVPN_E_NOT_FOUND);
    answer.count = 0;
    CU_ASSERT_EQUAL(s2_ike_check_answer(&sa, &answer, true, &suite), S2SVPN_E_NOT_FOUND);
    answer.count = 1;
    CU_ASSERT_EQUAL(s2_ike_check_answer(&sa, &answer, true, &suite), S2SVPN_OK);
    CU_ASSERT_EQUAL(suite.encr, CBC);
    CU_ASSERT_EQUAL(suite.ke, 14);
}

static void an_answer_s_esn_is_told(void)
{
    struct s2_ike_sa_payload sa = {.count = 1}, answer = {.count = 1};
    struct s2_ike_suite suite;

    sa.proposal[0] = answer.proposal[0] = proposal(1, S2_IKE_PROTO_ESP, "e20/128 n1");
    CU_ASSERT_EQUAL(s2_ike_check_answer(&sa, &answer, false, &suite), S2SVPN_OK);
    CU_ASSERT_TRUE(suite.esn);
}

const CU_TestInfo s2_test_proposal[] = {
    {"an ike offer is one proposal of each kind", an_ike_offer_is_one_proposal_of_each_kind},
    {"an esp offer has no esn and groups only where allowed",
     an_esp_offer_has_no_esn_and_groups_only_where_allowed},
    {"an esp offer has the sequence numbers that are configured",
     an_esp_offer_has_the_sequence_numbers_that_are_configured},
    {"what the backend lacks is not offered", what_the_backend_lacks_is_not_offered},
    {"the same choice twice is offered once", the_same_choice_twice_is_offered_once},
    {"an offer of nothing is refused", an_offer_of_nothing_is_refused},
    {"an spi that is none is refused", an_spi_that_is_none_is_refused},
    {"choices follow our order and the rfc", choices_follow_our_order_and_the_rfc},
    {"sequence numbers are chosen as configured", sequence_numbers_are_chosen_as_configured},
    {"the answer still has the peer's spi", the_answer_still_has_the_peer_s_spi},
    {"another protocol is not chosen", another_protocol_is_not_chosen},
    {"our own offer is acceptable to us", our_own_offer_is_acceptable_to_us},
    {"answers that we did not offer are refused", answers_that_we_did_not_offer_are_refused},
    {"an answer is exactly one proposal", an_answer_is_exactly_one_proposal},
    {"an answer's esn is told", an_answer_s_esn_is_told},
    CU_TEST_INFO_NULL,
};
