/* SPDX-License-Identifier: Apache-2.0 */
/* Making and ending SAs and lanes, and what an SA says about its limits. */
#include "esp/esp.h"

#include <string.h>

#include "harness.h"
#include "pair.h"

#define CRYPTO (&s2_fake_crypto_gather)

static struct s2_esp_spec gcm(void)
{
    return s2_pair_spec(CRYPTO, S2SVPN_ENCR_AES_GCM_16, 128, 0);
}

static struct s2_esp_spec cbc(void)
{
    return s2_pair_spec(CRYPTO, S2SVPN_ENCR_AES_CBC, 128, S2SVPN_INTEG_HMAC_SHA1_96);
}

static void no_suite(struct s2_esp_spec *s)
{
    s->suite.encr = 3;
}
static void no_spi(struct s2_esp_spec *s)
{
    s->spi = 0;
}
static void no_salt(struct s2_esp_spec *s)
{
    s->encr_key.len -= 4;
}
static void long_integ_key(struct s2_esp_spec *s)
{
    s->integ_key.len = 20;
}
static void tiny_window(struct s2_esp_spec *s)
{
    s->window = 32;
}
static void huge_window(struct s2_esp_spec *s)
{
    s->window = S2_ESP_WINDOW_MAX + 1;
}

static const struct {
    const char *row;
    void (*spoil)(struct s2_esp_spec *s);
    s2svpn_status rc;
    const char *field;
} bad[] = {
    {"a suite without a row", no_suite, S2SVPN_E_UNSUPPORTED, "suite"},
    {"SPI 0", no_spi, S2SVPN_E_ARGUMENT, "spi"},
    {"a GCM key without its salt", no_salt, S2SVPN_E_ARGUMENT, "encr_key"},
    {"an AEAD with a second key", long_integ_key, S2SVPN_E_ARGUMENT, "integ_key"},
    {"a window below 64", tiny_window, S2SVPN_E_ARGUMENT, "window"},
    {"a window above the limit", huge_window, S2SVPN_E_ARGUMENT, "window"},
};

static void a_wrong_spec_is_refused_and_the_field_named(void)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct s2_fake_env env;
        struct s2_fake_crypto fake = {.env = &env.env};
        struct s2_esp_spec spec = gcm();
        struct s2_esp_sa *sa = NULL;

        s2_fake_env_init(&env, 1);
        bad[i].spoil(&spec);
        CHECK_ROW(bad[i].row, s2_esp_sa_new(&env.env, CRYPTO, &fake, &spec, &sa) == bad[i].rc);
        CHECK_ROW(bad[i].row, strcmp(env.error.field, bad[i].field) == 0);
        CHECK_ROW(bad[i].row, sa == NULL && env.live == 0);
    }
}

static void a_backend_that_refuses_a_session_leaves_nothing(void)
{
    struct s2_fake_env env;
    struct s2_fake_crypto fake = {.env = &env.env, .refuse_session = true};
    struct s2_esp_spec spec = gcm();
    struct s2_esp_sa *sa = NULL;

    s2_fake_env_init(&env, 1);
    CU_ASSERT_EQUAL(s2_esp_sa_new(&env.env, CRYPTO, &fake, &spec, &sa), S2SVPN_E_CRYPTO);
    CU_ASSERT_EQUAL(env.live, 0);
    CU_ASSERT_PTR_NULL(sa);
}

static void a_table_without_esp_makes_no_sa(void)
{
    struct s2_fake_env env;
    struct s2_esp_spec spec = gcm();
    struct s2_esp_sa *sa = NULL;
    s2svpn_crypto_ops without = *CRYPTO;

    s2_fake_env_init(&env, 1);
    without.esp_session_new = NULL;
    CU_ASSERT_EQUAL(s2_esp_sa_new(&env.env, &without, NULL, &spec, &sa), S2SVPN_E_UNSUPPORTED);
    without = *CRYPTO;
    without.algorithms = NULL;
    CU_ASSERT_EQUAL(s2_esp_sa_new(&env.env, &without, NULL, &spec, &sa), S2SVPN_E_UNSUPPORTED);
}

static void windows_are_rounded_up_to_words(void)
{
    static const struct {
        uint32_t asked, given;
    } rows[] = {{0, 0}, {64, 64}, {65, 128}, {1000, 1024}, {8129, 8192}, {8192, 8192}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s2_esp_spec spec = gcm();
        struct s2_pair p;

        spec.window = rows[i].asked;
        if (!s2_pair_begin(&p, CRYPTO, &spec))
            CU_FAIL_FATAL("no pair of SAs");
        CU_ASSERT_EQUAL(p.in->window, rows[i].given);
        CU_ASSERT_EQUAL(p.in->window_used, rows[i].given > 0);
        CU_ASSERT_FALSE(p.out->window_used);
        s2_pair_end(&p);
    }
}

static bool make_both(struct s2_fake_env *f, void *arg)
{
    struct s2_fake_crypto fake = {.env = &f->env};
    struct s2_esp_spec spec = cbc();
    struct s2_esp_sa *sa = NULL;
    struct s2_esp_lane lane;

    (void)arg;
    if (s2_esp_lane_init(&lane, CRYPTO, &fake) != S2SVPN_OK)
        return false;
    const bool good = s2_esp_sa_new(&f->env, CRYPTO, &fake, &spec, &sa) == S2SVPN_OK;
    s2_esp_sa_free(&f->env, sa);
    s2_esp_lane_clear(&lane);
    return good;
}

static void every_failing_allocation_is_survived(void)
{
    s2_fail_every_allocation(make_both, NULL);
}

static void a_backend_without_workers_has_lanes_too(void)
{
    s2svpn_crypto_ops without = *CRYPTO;
    struct s2_esp_lane lane;

    without.esp_worker_new = NULL;
    without.esp_worker_free = NULL;
    CU_ASSERT_EQUAL(s2_esp_lane_init(&lane, &without, NULL), S2SVPN_OK);
    CU_ASSERT_PTR_NULL(lane.crypto_worker);
    memset(lane.trailer, 0xaa, sizeof(lane.trailer));
    s2_esp_lane_clear(&lane);
    for (size_t i = 0; i < sizeof(lane.trailer); i++)
        CU_ASSERT_EQUAL(((const uint8_t *)lane.trailer)[i], 0);
}

static void the_soft_limit_comes_with_packets_bytes_or_the_sequence_s_end(void)
{
    static const struct {
        const char *row;
        uint64_t soft_packets, soft_bytes;
        bool esn;
        uint64_t seq, begun;
        bool expected;
    } rows[] = {
        {"no limit", 0, 0, false, 1000000, 1000000, false},
        {"below packets", 10, 0, false, 9, 0, false},
        {"packets", 10, 0, false, 10, 0, true},
        {"below bytes", 0, 1000, false, 1, 999, false},
        {"bytes", 0, 1000, false, 1, 1000, true},
        {"the sequence's end is far", 0, 0, false, UINT32_C(0xe0000000), 0, false},
        {"the sequence's end is near", 0, 0, false, UINT32_C(0xf0000000), 0, true},
        {"not with ESN", 0, 0, true, UINT32_C(0xf0000000), 0, false},
        {"but at the end of ESN", 0, 0, true, UINT64_C(0xfffffffff0000000), 0, true},
        {"half of what an AES key may encrypt", 0, 0, true, 1, UINT64_C(1) << 51, true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s2_esp_spec spec = gcm();
        struct s2_pair p;

        spec.soft_packets = rows[i].soft_packets;
        spec.soft_bytes = rows[i].soft_bytes;
        spec.esn = rows[i].esn;
        if (!s2_pair_begin(&p, CRYPTO, &spec))
            CU_FAIL_FATAL("no pair of SAs");
        p.out->seq = p.in->seq = rows[i].seq;
        p.out->begun = rows[i].begun;
        s2_esp_count(&p.in->counters.packets, rows[i].seq);
        s2_esp_count(&p.in->counters.bytes, rows[i].begun);
        CHECK_ROW(rows[i].row, s2_esp_soft_limit(p.out) == rows[i].expected);
        CHECK_ROW(rows[i].row, s2_esp_soft_limit(p.in) == rows[i].expected);
        s2_pair_end(&p);
    }
}

const CU_TestInfo s2_test_sa[] = {
    {"a wrong spec is refused and the field named", a_wrong_spec_is_refused_and_the_field_named},
    {"a backend that refuses a session leaves nothing",
     a_backend_that_refuses_a_session_leaves_nothing},
    {"a table without ESP makes no SA", a_table_without_esp_makes_no_sa},
    {"windows are rounded up to words", windows_are_rounded_up_to_words},
    {"every failing allocation is survived", every_failing_allocation_is_survived},
    {"a backend without workers has lanes too", a_backend_without_workers_has_lanes_too},
    {"the soft limit comes with packets, bytes or the sequence's end",
     the_soft_limit_comes_with_packets_bytes_or_the_sequence_s_end},
    CU_TEST_INFO_NULL,
};
