/* SPDX-License-Identifier: Apache-2.0 */
/* Fragments: the codec and the set of lib/ike/fragment.c and sk.c. What two engines do
 * with them: test_fragment_exchange.c. Some tests are named for a class of faults that
 * other implementations were published for. */
#include "ike/fragment.h"

#include <CUnit/CUnit.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "fake_env.h"
#include "harness.h"
#include "ike/fake_crypto.h"
#include "ike/keys.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- SKF's form */

static void impossible_numbers_are_refused(void)
{
    static const struct {
        const char *name;
        uint16_t number, total;
        size_t len;
        s2svpn_status rc;
    } rows[] = {
        {"the only one", 1, 1, 40, S2SVPN_OK},
        {"the first of many", 1, 64, 40, S2SVPN_OK},
        {"the last of many", 64, 64, 40, S2SVPN_OK},
        {"number 0", 0, 1, 40, S2SVPN_E_MALFORMED},
        {"number and total 0", 0, 0, 40, S2SVPN_E_MALFORMED},
        {"total 0", 1, 0, 40, S2SVPN_E_MALFORMED},
        {"behind the last", 2, 1, 40, S2SVPN_E_MALFORMED},
        {"far behind the last", 65535, 64, 40, S2SVPN_E_MALFORMED},
        {"one too many", 1, 65, 40, S2SVPN_E_LIMIT},
        {"as many as can be written", 65535, 65535, 40, S2SVPN_E_LIMIT},
        {"cut off", 1, 1, 3, S2SVPN_E_MALFORMED},
        {"nothing else", 1, 1, 4, S2SVPN_OK},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t body[40] = {0};
        struct s2_ike_skf out = {77, 78};
        struct s2_reader r;

        s2_put_u16(body, rows[i].number);
        s2_put_u16(body + 2, rows[i].total);
        s2_reader_init(&r, body, rows[i].len);
        const s2svpn_status rc = s2_ike_parse_skf(&r, &out);
        CHECK_ROW(rows[i].name, rc == rows[i].rc);
        if (rows[i].rc == S2SVPN_OK)
            CHECK_ROW(rows[i].name, out.number == rows[i].number && out.total == rows[i].total);
        else
            CHECK_ROW(rows[i].name, out.number == 77 && out.total == 78);
    }
}

static const struct {
    const char *name;
    struct s2_ike_suite suite;
} suites[] = {
    {"CBC",
     {.encr = S2SVPN_ENCR_AES_CBC,
      .key_bits = 128,
      .integ = S2SVPN_INTEG_HMAC_SHA2_256_128,
      .prf = S2SVPN_PRF_HMAC_SHA2_256}},
    {"GCM", {.encr = S2SVPN_ENCR_AES_GCM_16, .key_bits = 256, .prf = S2SVPN_PRF_HMAC_SHA2_256}},
};

static struct s2_ike_keys keys_of(const struct s2_ike_crypto *c, const struct s2_ike_suite *suite)
{
    const s2svpn_span text = s2_span("what both know, and nonces too", 30);
    struct s2_ike_keys k = {0};

    CU_ASSERT_EQUAL_FATAL(s2_ike_derive_keys(c, suite, text, text, text, 1, 2, NULL, &k),
                          S2SVPN_OK);
    return k;
}

static size_t write_fragment(const struct s2_ike_crypto *c, const struct s2_env *env,
                             const struct s2_ike_keys *k, uint16_t number, s2svpn_span plain,
                             uint8_t *out, size_t size)
{
    const struct s2_ike_header h = {.spi_i = 1,
                                    .spi_r = 2,
                                    .version = S2_IKE_VERSION_2,
                                    .exchange = S2_IKE_AUTH,
                                    .flags = S2_IKE_FLAG_INITIATOR,
                                    .message_id = 1};
    struct s2_ike_sk_writer s;
    struct s2_writer w;

    s2_writer_init(&w, out, size);
    s2_ike_write_header(&w, &h);
    CU_ASSERT_EQUAL(s2_ike_skf_begin(&s, &w, env, k, number, 3, S2_IKE_PAYLOAD_IDI), S2SVPN_OK);
    s2_write_span(&w, plain);
    CU_ASSERT_EQUAL(s2_ike_sk_end(&s, c, k, true, number), S2SVPN_OK);
    return w.len;
}

static s2svpn_status read_fragment(const struct s2_ike_crypto *c, const struct s2_ike_keys *k,
                                   uint8_t *message, size_t len, struct s2_ike_skf *skf,
                                   uint8_t *first, s2svpn_span *plain)
{
    struct s2_ike_payloads list;
    struct s2_ike_header h;
    struct s2_reader r;

    s2_reader_init(&r, message, len);
    if (s2_ike_parse_header(&r, &h) != S2SVPN_OK ||
        s2_ike_parse_payloads(&r, h.next_payload, &list) != S2SVPN_OK)
        return S2SVPN_E_MALFORMED;
    const struct s2_ike_payload *payload = s2_ike_find(&list, S2_IKE_PAYLOAD_SKF);
    if (payload == NULL)
        return S2SVPN_E_MALFORMED;
    s2_reader_init(&r, payload->body.p, payload->body.len);
    s2svpn_status rc = s2_ike_parse_skf(&r, skf);
    *first = payload->next;
    return rc == S2SVPN_OK ? s2_ike_sk_open(c, k, false, message, len, payload, plain) : rc;
}

static void go_round(const char *name, const struct s2_ike_crypto *c, const struct s2_ike_keys *k)
{
    struct s2_fake_env fake;
    uint8_t plain[100], message[300];

    s2_fake_env_init(&fake, 1);
    for (size_t i = 0; i < sizeof(plain); i++)
        plain[i] = (uint8_t)i;
    for (size_t len = 0; len <= sizeof(plain); len++) {
        const uint16_t number = (uint16_t)(1 + len % 3);
        struct s2_ike_skf skf = {0};
        s2svpn_span got = {0};
        uint8_t first = 0;

        const size_t size =
            write_fragment(c, &fake.env, k, number, s2_span(plain, len), message, sizeof(message));
        CHECK_ROW(name,
                  size == S2_IKE_HEADER_LEN + 8 + k->encr->iv_len + s2_ike_sk_sealed_len(k, len));
        CHECK_ROW(name, read_fragment(c, k, message, size, &skf, &first, &got) == S2SVPN_OK &&
                            skf.number == number && skf.total == 3 && got.len == len &&
                            first == (number == 1 ? S2_IKE_PAYLOAD_IDI : S2_IKE_PAYLOAD_NONE) &&
                            memcmp(got.p, plain, len) == 0);
    }
}

static void fragments_go_round_with_cbc_and_gcm(void)
{
    struct s2_fake_crypto user = {0};
    const struct s2_ike_crypto c[] = {{s2_fake_crypto_ops(), &user},
                                      {s2svpn_crypto_openssl(), NULL}};

    for (size_t i = 0; i < COUNT(c); i++) {
        for (size_t s = 0; c[i].ops != NULL && s < COUNT(suites); s++) {
            const struct s2_ike_keys k = keys_of(&c[i], &suites[s].suite);

            go_round(suites[s].name, &c[i], &k);
        }
    }
}

/* RFC 7383 section 2.5: number and total are under the checksum, AEAD or not. */
static void no_byte_of_a_fragment_can_be_changed(void)
{
    struct s2_fake_crypto user = {0};
    const struct s2_ike_crypto c[] = {{s2_fake_crypto_ops(), &user},
                                      {s2svpn_crypto_openssl(), NULL}};

    for (size_t i = 0; i < 2 * COUNT(c); i++) {
        const struct s2_ike_crypto *one = &c[i / 2];
        struct s2_fake_env fake;
        uint8_t message[300], changed[300];

        if (one->ops == NULL)
            continue;
        s2_fake_env_init(&fake, 1);
        const struct s2_ike_keys k = keys_of(one, &suites[i % 2].suite);
        const size_t len = write_fragment(one, &fake.env, &k, 2, s2_span("a piece of it", 13),
                                          message, sizeof(message));
        for (size_t at = 0; at < len; at++) {
            struct s2_ike_skf skf;
            s2svpn_span got;
            uint8_t first;

            memcpy(changed, message, len);
            changed[at] ^= 1;
            CHECK_ROW(suites[i % 2].name,
                      read_fragment(one, &k, changed, len, &skf, &first, &got) != S2SVPN_OK);
        }
        /* and no shorter one, not even without room for what must be there */
        for (size_t cut = S2_IKE_HEADER_LEN + 4; cut < len; cut++) {
            struct s2_ike_skf skf;
            s2svpn_span got;
            uint8_t first;

            memcpy(changed, message, len);
            s2_put_u32(changed + 24, (uint32_t)cut);
            s2_put_u16(changed + S2_IKE_HEADER_LEN + 2, (uint16_t)(cut - S2_IKE_HEADER_LEN));
            CHECK_ROW(suites[i % 2].name,
                      read_fragment(one, &k, changed, cut, &skf, &first, &got) != S2SVPN_OK);
        }
    }
}

static void plain_room_is_the_most_that_fits(void)
{
    struct s2_fake_crypto user = {0};
    const struct s2_ike_crypto c = {s2_fake_crypto_ops(), &user};

    for (size_t s = 0; s < COUNT(suites); s++) {
        const struct s2_ike_keys k = keys_of(&c, &suites[s].suite);

        for (size_t sealed = 0; sealed < 400; sealed++) {
            const size_t room = s2_ike_sk_plain_room(&k, sealed);

            CHECK_ROW(suites[s].name, room == 0 || s2_ike_sk_sealed_len(&k, room) <= sealed);
            CHECK_ROW(suites[s].name, s2_ike_sk_sealed_len(&k, room + 1) > sealed);
        }
    }
}

/* ---- the set */

static uint8_t pattern[S2_IKE_MESSAGE_MAX];

static s2svpn_status add(struct s2_fake_env *fake, struct s2_ike_fragments **set, uint16_t number,
                         uint16_t total, size_t at, size_t len, size_t limit)
{
    const struct s2_ike_fragment f = {.skf = {number, total},
                                      .exchange = S2_IKE_AUTH,
                                      .first = (uint8_t)(number == 1 ? 35 : 0),
                                      .hash = number,
                                      .plain = s2_span(pattern + at, len)};

    return s2_ike_fragments_add(&fake->env, set, &f, limit);
}

static void fill_pattern(void)
{
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (uint8_t)(i * 7 + i / 256);
}

static uint16_t number_in(unsigned order, uint16_t i, uint16_t total)
{
    switch (order) {
    case 0:
        return (uint16_t)(i + 1);
    case 1:
        return (uint16_t)(total - i);
    case 2: /* from both ends to the middle */
        return (uint16_t)(i % 2 == 0 ? i / 2 + 1 : total - i / 2);
    default: /* all but the first, which is last */
        return (uint16_t)(i + 1 < total ? i + 2 : 1);
    }
}

/* CVE-2016-10396: an order of fragments that makes each arrival look at all others.
 * Here each costs one allocation, its own, whatever came before. */
static void no_order_costs_more_than_another(void)
{
    fill_pattern();
    for (unsigned order = 0; order < 4; order++) {
        struct s2_fake_env fake;
        struct s2_ike_fragments *set = NULL;
        uint8_t *p = NULL;
        size_t len = 0;

        s2_fake_env_init(&fake, 1);
        for (uint16_t i = 0; i < S2_IKE_FRAGMENTS_MAX; i++) {
            const uint16_t n = number_in(order, i, S2_IKE_FRAGMENTS_MAX);
            const struct s2_ike_skf skf = {n, S2_IKE_FRAGMENTS_MAX};

            CU_ASSERT_FALSE(s2_ike_fragments_complete(set));
            CU_ASSERT_TRUE(s2_ike_fragments_want(set, S2_IKE_AUTH, &skf));
            CU_ASSERT_EQUAL(
                add(&fake, &set, n, S2_IKE_FRAGMENTS_MAX, (n - 1u) * 100, 100, S2_IKE_MESSAGE_MAX),
                S2SVPN_OK);
            CU_ASSERT_FALSE(s2_ike_fragments_want(set, S2_IKE_AUTH, &skf));
            CU_ASSERT_EQUAL(fake.allocations, i + 2u);
        }
        CU_ASSERT_TRUE_FATAL(s2_ike_fragments_complete(set));
        CU_ASSERT_TRUE(set->first == 35 && set->hash == 1);
        CU_ASSERT_EQUAL(s2_ike_fragments_take(&fake.env, &set, &p, &len), S2SVPN_OK);
        CU_ASSERT_EQUAL(fake.allocations, S2_IKE_FRAGMENTS_MAX + 2u);
        CU_ASSERT_TRUE(set == NULL && len == 6400 && memcmp(p, pattern, len) == 0);
        s2_free(&fake.env, p);
        CU_ASSERT_EQUAL(fake.live, 0);
    }
}

/* CVE-2016-1287: a length check and the queue that disagree. Here both are one sum. */
static void the_sum_of_all_lengths_is_limited(void)
{
    static const size_t first[] = {0, 1, 499, 500, 999, 1000};
    struct s2_fake_env fake;

    s2_fake_env_init(&fake, 1);
    for (size_t i = 0; i < COUNT(first); i++) {
        struct s2_ike_fragments *set = NULL;
        uint8_t *p = NULL;
        size_t len = 0;

        CU_ASSERT_EQUAL(add(&fake, &set, 1, 2, 0, first[i], 1000), S2SVPN_OK);
        const size_t live = fake.live;
        CU_ASSERT_EQUAL(add(&fake, &set, 2, 2, first[i], 1001 - first[i], 1000), S2SVPN_E_LIMIT);
        CU_ASSERT_TRUE(set->count == 1 && set->len == first[i] && fake.live == live);
        CU_ASSERT_EQUAL(add(&fake, &set, 1, 3, 0, 1001, 1000), S2SVPN_E_LIMIT);
        CU_ASSERT_TRUE(set->total == 2 && fake.live == live);
        CU_ASSERT_EQUAL(add(&fake, &set, 2, 2, first[i], 1000 - first[i], 1000), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2_ike_fragments_take(&fake.env, &set, &p, &len), S2SVPN_OK);
        CU_ASSERT_TRUE(len == 1000 && memcmp(p, pattern, len) == 0);
        s2_free(&fake.env, p);
    }
    CU_ASSERT_EQUAL(fake.live, 0);
}

static void more_pieces_replace_and_fewer_are_not_wanted(void)
{
    static const struct {
        const char *name;
        uint8_t exchange;
        uint16_t number, total;
        bool wanted;
    } rows[] = {
        {"the same", S2_IKE_AUTH, 2, 4, false},
        {"another", S2_IKE_AUTH, 1, 4, true},
        {"another of another exchange", S2_IKE_INFORMATIONAL, 1, 4, false},
        {"of fewer", S2_IKE_AUTH, 1, 3, false},
        {"of one", S2_IKE_AUTH, 1, 1, false},
        {"of more", S2_IKE_AUTH, 2, 5, true},
    };
    struct s2_fake_env fake;
    struct s2_ike_fragments *set = NULL;

    s2_fake_env_init(&fake, 1);
    CU_ASSERT_EQUAL(add(&fake, &set, 2, 4, 0, 10, 1000), S2SVPN_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct s2_ike_skf skf = {rows[i].number, rows[i].total};

        CHECK_ROW(rows[i].name,
                  s2_ike_fragments_want(set, rows[i].exchange, &skf) == rows[i].wanted);
    }
    CU_ASSERT_EQUAL(add(&fake, &set, 5, 5, 0, 7, 1000), S2SVPN_OK);
    CU_ASSERT_TRUE(set->total == 5 && set->count == 1 && set->len == 7);
    CU_ASSERT_EQUAL(fake.live, 2);
    s2_ike_fragments_free(&fake.env, &set);
    CU_ASSERT_TRUE(set == NULL && fake.live == 0);
}

static bool build_set(struct s2_fake_env *fake, void *arg)
{
    struct s2_ike_fragments *set = NULL;
    uint8_t *p = NULL;
    size_t len;

    (void)arg;
    const bool good = add(fake, &set, 1, 2, 0, 10, 1000) == S2SVPN_OK &&
                      add(fake, &set, 3, 3, 0, 10, 1000) == S2SVPN_OK &&
                      add(fake, &set, 1, 3, 0, 10, 1000) == S2SVPN_OK &&
                      add(fake, &set, 2, 3, 0, 0, 1000) == S2SVPN_OK &&
                      s2_ike_fragments_take(&fake->env, &set, &p, &len) == S2SVPN_OK;
    s2_ike_fragments_free(&fake->env, &set);
    s2_free(&fake->env, p);
    return good;
}

static void a_set_survives_every_failed_allocation(void)
{
    s2_fail_every_allocation(build_set, NULL);
}

const CU_TestInfo s2_test_fragment[] = {
    {"impossible numbers are refused", impossible_numbers_are_refused},
    {"fragments go round with CBC and GCM", fragments_go_round_with_cbc_and_gcm},
    {"no byte of a fragment can be changed", no_byte_of_a_fragment_can_be_changed},
    {"plain room is the most that fits", plain_room_is_the_most_that_fits},
    {"no order costs more than another (CVE-2016-10396)", no_order_costs_more_than_another},
    {"the sum of all lengths is limited (CVE-2016-1287)", the_sum_of_all_lengths_is_limited},
    {"more pieces replace and fewer are not wanted", more_pieces_replace_and_fewer_are_not_wanted},
    {"a set survives every failed allocation", a_set_survives_every_failed_allocation},
    CU_TEST_INFO_NULL,
};
