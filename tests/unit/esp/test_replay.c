/* SPDX-License-Identifier: Apache-2.0 */
/* The window: numbers in and verdicts out, for several sizes, against a slow model,
 * and where the lower half of the number wraps. */
#include "esp/esp.h"

#include <string.h>

#include "harness.h"
#include "pair.h"

static const uint32_t windows[] = {64, 128, 1024, 8192};
#define WINDOWS (sizeof(windows) / sizeof(windows[0]))

/* An inbound SA with a window and nothing else. */
static void begin(struct s2_pair *p, uint32_t window, bool esn)
{
    struct s2_esp_spec spec = s2_pair_spec(&s2_fake_crypto_gather, S2SVPN_ENCR_AES_GCM_16, 128, 0);

    spec.window = window;
    spec.esn = esn;
    if (!s2_pair_begin(p, &s2_fake_crypto_gather, &spec))
        CU_FAIL_FATAL("no pair of SAs");
}

/* What a packet with this number meets. */
static bool take(struct s2_esp_sa *sa, uint64_t seq)
{
    if (!s2_esp_replay_ok(sa, seq))
        return false;
    s2_esp_replay_accept(sa, seq);
    return true;
}

#define T(n, expected) CHECK_ROW(#n " " #expected, take(p.in, (n)) == (expected))

static void each_number_passes_once_and_old_ones_never(void)
{
    for (size_t i = 0; i < WINDOWS; i++) {
        const uint64_t w = windows[i];
        struct s2_pair p;

        begin(&p, windows[i], true);
        T(0, false);
        T(1, true);
        T(1, false);
        T(9, true);
        T(8, true);
        T(7, true);
        T(7, false);
        T(w, true);
        T(w - 1, true);
        T(w - 1, false);
        T(2, true);
        T(w + 1, true); /* 2 is now the oldest of the window */
        T(2, false);
        T(1, false);
        T(3, true);
        T(w + 16, true);
        T(w + 16, false);
        T(17, true); /* the oldest */
        T(16, false);
        T(w + 15, true);
        T(w + 14, true);
        T(w * 4, true);
        T(w * 4 - w, false);
        T(w * 4 - w + 1, true);
        T(w * 4 - w + 1, false);
        T(w * 4 - 1, true);
        T(w * 1000 + 63, true); /* far ahead: every word is fresh */
        T(w * 4, false);
        T(w * 1000 + 1, true);
        T(w * 999 + 64, true);
        T(w * 999 + 64, false);
        T(w * 999 + 63, false);
        T(UINT64_MAX, true);
        T(UINT64_MAX, false);
        T(UINT64_MAX - w + 1, true);
        T(UINT64_MAX - w, false);
        T(0, false);
        s2_pair_end(&p);
    }
}

/* Counting up, down, and every second one first. */
static void orders_of_a_whole_window_all_pass(void)
{
    for (size_t i = 0; i < WINDOWS; i++) {
        const uint64_t w = windows[i];
        struct s2_pair p;
        uint64_t refused = 0, passed = 0;

        begin(&p, windows[i], true);
        for (uint64_t n = 1; n <= w; n++)
            refused += !take(p.in, n);
        for (uint64_t n = 2 * w; n > w; n--)
            refused += !take(p.in, n);
        for (uint64_t n = 2 * w + 2; n <= 3 * w; n += 2)
            refused += !take(p.in, n);
        for (uint64_t n = 2 * w + 1; n <= 3 * w; n += 2)
            refused += !take(p.in, n);
        CU_ASSERT_EQUAL(refused, 0);
        for (uint64_t n = 0; n <= 3 * w; n++)
            passed += take(p.in, n);
        CU_ASSERT_EQUAL(passed, 0);
        s2_pair_end(&p);
    }
}

/* The model keeps a flag for every number. */
#define MODEL 40000
struct model {
    bool seen[MODEL];
    uint64_t top, window;
};

static bool model_take(struct model *m, uint64_t n)
{
    if (n == 0 || m->seen[n] || (n <= m->top && m->top - n >= m->window))
        return false;
    m->seen[n] = true;
    m->top = n > m->top ? n : m->top;
    return true;
}

static void random_numbers_meet_what_a_slow_model_says(void)
{
    static struct model m; /* too large for a stack */

    for (size_t i = 0; i < WINDOWS; i++) {
        struct s2_pair p;
        size_t wrong = 0;

        begin(&p, windows[i], false);
        memset(&m, 0, sizeof(m));
        m.window = windows[i];
        for (size_t k = 0; k < 20000; k++) {
            uint8_t r[8];
            uint64_t n = 0;

            if (s2_random(&p.env.env, r, sizeof(r)) != S2SVPN_OK)
                CU_FAIL_FATAL("no random bytes");
            memcpy(&n, r, sizeof(n));
            /* mostly around the window, sometimes a leap */
            n = n % 31 == 0 ? m.top + n % 3000 : m.top + n % 40 - n % (windows[i] + 40);
            if (n >= MODEL)
                n %= m.top < MODEL / 2 ? MODEL / 2 : MODEL;
            wrong += take(p.in, n) != model_take(&m, n);
        }
        CU_ASSERT_EQUAL(wrong, 0);
        s2_pair_end(&p);
    }
}

/* RFC 4303 appendix A2.2, with a window of 64. */
static const struct {
    const char *row;
    uint64_t top;
    uint32_t low;
    uint64_t expected;
} extensions[] = {
    {"first packet", 0, 1, 1},
    {"nothing before the first subspace", 0, UINT32_MAX, UINT32_MAX},
    {"nor with a few packets seen", 10, UINT32_C(0xfffffff0), UINT32_C(0xfffffff0)},
    {"A: ahead", 1000, 1001, 1001},
    {"A: in the window", 1000, 937, 937},
    {"A: left of the window means the next subspace", 1000, 936, UINT64_C(0x1000003a8)},
    {"A: at the window's narrowest", 63, 0, 0},
    {"A: at the window's narrowest, later", UINT64_C(0x10000003f), 0, UINT64_C(0x100000000)},
    {"across the wrap, forward", UINT64_C(0xffffffff), 0, UINT64_C(0x100000000)},
    {"across the wrap, a little later", UINT64_C(0xfffffff0), 5, UINT64_C(0x100000005)},
    {"B: behind the wrap, late packet", UINT64_C(0x100000005), UINT32_C(0xfffffff0),
     UINT64_C(0xfffffff0)},
    {"B: the oldest of the window", UINT64_C(0x100000005), UINT32_C(0xffffffc6),
     UINT64_C(0xffffffc6)},
    {"B: older means far ahead", UINT64_C(0x100000005), UINT32_C(0xffffffc5),
     UINT64_C(0x1ffffffc5)},
    {"B: ahead", UINT64_C(0x100000005), 6, UINT64_C(0x100000006)},
    {"deep in a later subspace", UINT64_C(0x7fffffff80000000), UINT32_C(0x80000001),
     UINT64_C(0x7fffffff80000001)},
    {"behind the last subspace there is none", UINT64_C(0xffffffffffffffff), 0, 0},
};

static void the_upper_half_is_guessed_as_appendix_a2_says(void)
{
    struct s2_pair p;

    begin(&p, 64, true);
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
        p.in->seq = extensions[i].top;
        CHECK_ROW(extensions[i].row,
                  s2_esp_replay_extend(p.in, extensions[i].low) == extensions[i].expected);
    }
    p.in->esn = false;
    p.in->seq = UINT32_MAX;
    CU_ASSERT_EQUAL(s2_esp_replay_extend(p.in, 5), 5);
    s2_pair_end(&p);
}

static void a_wrap_of_the_lower_half_is_crossed_in_any_order(void)
{
    for (size_t i = 0; i < WINDOWS; i++) {
        const uint64_t wrap = UINT64_C(1) << 32;
        const uint64_t half = windows[i] / 2;
        struct s2_pair p;
        uint64_t wrong = 0;

        begin(&p, windows[i], true);
        p.in->seq = wrap - windows[i];
        for (uint64_t n = wrap - half; n < wrap + half; n++) {
            const uint64_t seq = n ^ 7; /* shuffled in eights */

            wrong += s2_esp_replay_extend(p.in, (uint32_t)seq) != seq;
            wrong += !take(p.in, seq);
        }
        for (uint64_t n = wrap - half; n < wrap + half; n++) {
            wrong += s2_esp_replay_extend(p.in, (uint32_t)n) != n;
            wrong += take(p.in, n);
        }
        CU_ASSERT_EQUAL(wrong, 0);
        CU_ASSERT_EQUAL(p.in->seq, wrap + half - 1);
        s2_pair_end(&p);
    }
}

static void without_a_window_everything_passes_and_the_nearest_number_is_guessed(void)
{
    struct s2_pair p;

    begin(&p, 0, true);
    T(5, true);
    T(5, true);
    T(1, true);
    CU_ASSERT_EQUAL(p.in->seq, 5);
    T(UINT64_C(0xfffffff0), true);
    CU_ASSERT_EQUAL(s2_esp_replay_extend(p.in, 3), UINT64_C(0x100000003));
    CU_ASSERT_EQUAL(s2_esp_replay_extend(p.in, UINT32_C(0x90000000)), UINT64_C(0x90000000));
    T(UINT64_C(0x100000003), true);
    CU_ASSERT_EQUAL(s2_esp_replay_extend(p.in, UINT32_C(0xfffffff0)), UINT64_C(0xfffffff0));
    s2_pair_end(&p);
}

const CU_TestInfo s2_test_replay[] = {
    {"each number passes once and old ones never", each_number_passes_once_and_old_ones_never},
    {"orders of a whole window all pass", orders_of_a_whole_window_all_pass},
    {"random numbers meet what a slow model says", random_numbers_meet_what_a_slow_model_says},
    {"the upper half is guessed as appendix A2 says",
     the_upper_half_is_guessed_as_appendix_a2_says},
    {"a wrap of the lower half is crossed in any order",
     a_wrap_of_the_lower_half_is_crossed_in_any_order},
    {"without a window everything passes and the nearest number is guessed",
     without_a_window_everything_passes_and_the_nearest_number_is_guessed},
    CU_TEST_INFO_NULL,
};
