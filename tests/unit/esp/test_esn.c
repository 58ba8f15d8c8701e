/* SPDX-License-Identifier: Apache-2.0 */
/* Extended sequence numbers over the real suites: the wrap of the lower half, in order
 * and out of it, for every window; replays there; what happens when more packets were
 * lost than the lower half can count (RFC 4303 appendix A). */
#include "esp/esp.h"

#include <string.h>

#include "base/bytes.h"
#include "harness.h"
#include "pair.h"

#define WRAP (UINT64_C(1) << 32)
#define PACKETS 200
#define PACKET_LEN 160

static const struct {
    const char *name;
    uint16_t encr, key_bits, integ;
} suites[] = {
    {"GCM-128", S2SVPN_ENCR_AES_GCM_16, 128, S2SVPN_INTEG_NONE},
    {"GCM-256", S2SVPN_ENCR_AES_GCM_16, 256, S2SVPN_INTEG_NONE},
    {"CBC-128, SHA1", S2SVPN_ENCR_AES_CBC, 128, S2SVPN_INTEG_HMAC_SHA1_96},
    {"CBC-128, SHA2-256", S2SVPN_ENCR_AES_CBC, 128, S2SVPN_INTEG_HMAC_SHA2_256_128},
    {"CBC-128, SHA2-384", S2SVPN_ENCR_AES_CBC, 128, S2SVPN_INTEG_HMAC_SHA2_384_192},
    {"CBC-128, SHA2-512", S2SVPN_ENCR_AES_CBC, 128, S2SVPN_INTEG_HMAC_SHA2_512_256},
    {"CBC-256, SHA1", S2SVPN_ENCR_AES_CBC, 256, S2SVPN_INTEG_HMAC_SHA1_96},
    {"CBC-256, SHA2-256", S2SVPN_ENCR_AES_CBC, 256, S2SVPN_INTEG_HMAC_SHA2_256_128},
    {"CBC-256, SHA2-384", S2SVPN_ENCR_AES_CBC, 256, S2SVPN_INTEG_HMAC_SHA2_384_192},
    {"CBC-256, SHA2-512", S2SVPN_ENCR_AES_CBC, 256, S2SVPN_INTEG_HMAC_SHA2_512_256},
};
#define SUITES (sizeof(suites) / sizeof(suites[0]))

static const uint32_t windows[] = {64, 128, 1024, 2048, 8192};
#define WINDOWS (sizeof(windows) / sizeof(windows[0]))

/* Both ends stand at the number before first. False without OpenSSL. */
static bool begin(struct s2_pair *p, size_t suite, uint32_t window, bool esn, uint64_t first)
{
    const s2svpn_crypto_ops *crypto = s2svpn_crypto_openssl();

    if (crypto == NULL) {
        CU_PASS("built without OpenSSL");
        return false;
    }
    struct s2_esp_spec spec =
        s2_pair_spec(crypto, suites[suite].encr, suites[suite].key_bits, suites[suite].integ);
    spec.window = window;
    spec.esn = esn;
    if (!s2_pair_begin(p, crypto, &spec))
        CU_FAIL_FATAL("no pair of SAs");
    p->out->seq = first - 1;
    if (first > 1)
        s2_esp_replay_accept(p->in, first - 1);
    return true;
}

static const uint8_t inner[40] = {0x45, 1, 2, 3};

static void seal(struct s2_pair *p, uint8_t packet[PACKET_LEN], size_t *len)
{
    if (s2_pair_seal(p, s2_span(inner, sizeof(inner)), 4, packet, len) != S2SVPN_DROP_NONE)
        CU_FAIL_FATAL("not sealed");
}

static enum s2svpn_drop open(struct s2_pair *p, const uint8_t *packet, size_t len)
{
    uint8_t copy[PACKET_LEN];
    s2svpn_span opened;

    memcpy(copy, packet, len);
    const enum s2svpn_drop drop = s2_pair_open(p, copy, len, &opened);
    if (drop == S2SVPN_DROP_NONE && !s2_span_equal(opened, s2_span(inner, sizeof(inner))))
        CU_FAIL("another packet came out");
    return drop;
}

/* 200 packets around 2^32, given in this order; then each of them again. */
static void cross(const char *name, struct s2_pair *p, size_t (*place)(size_t i))
{
    static uint8_t packet[PACKETS][PACKET_LEN];
    size_t len = 0, passed = 0, replayed = 0;

    for (size_t i = 0; i < PACKETS; i++) {
        seal(p, packet[i], &len);
        CHECK_ROW(name, s2_get_u32(packet[i] + 4) == (uint32_t)(WRAP - PACKETS / 2 + i));
    }
    for (size_t i = 0; i < PACKETS; i++)
        passed += open(p, packet[place(i)], len) == S2SVPN_DROP_NONE;
    CHECK_ROW(name, passed == PACKETS);
    CHECK_ROW(name, p->in->seq == WRAP + PACKETS / 2 - 1);
    for (size_t i = 0; i < PACKETS; i++) {
        const enum s2svpn_drop drop = open(p, packet[i], len);

        /* One that is older than the window looks like one of the next subspace, whose
         * ICV is another. */
        replayed += drop == S2SVPN_DROP_ESP_REPLAY || drop == S2SVPN_DROP_ESP_AUTHENTICATION;
    }
    CHECK_ROW(name, replayed == PACKETS);
    CHECK_ROW(name, p->in->seq == WRAP + PACKETS / 2 - 1);
}

static size_t in_order(size_t i)
{
    return i;
}

/* Sixteen at a time, backwards. */
static size_t in_runs(size_t i)
{
    const size_t run = i / 16 * 16, last = run + 16 < PACKETS ? run + 15 : PACKETS - 1;

    return last - (i - run);
}

static void every_suite_crosses_the_wrap(void)
{
    for (size_t s = 0; s < SUITES; s++) {
        struct s2_pair p;

        for (size_t w = 0; w < WINDOWS; w++) {
            if (!begin(&p, s, windows[w], true, WRAP - PACKETS / 2))
                return;
            cross(suites[s].name, &p, w % 2 == 0 ? in_runs : in_order);
            s2_pair_end(&p);
        }
    }
}

static size_t backwards(size_t i)
{
    return PACKETS - 1 - i;
}

/* The window is wider than the run: its last packet may come first. */
static void a_wide_window_takes_the_wrap_backwards(void)
{
    for (size_t w = 2; w < WINDOWS; w++) {
        struct s2_pair p;

        if (!begin(&p, 0, windows[w], true, WRAP - PACKETS / 2))
            return;
        cross("backwards", &p, backwards);
        s2_pair_end(&p);
    }
}

/* The ICV covers all 64 bits, so who has other ideas of the upper half opens nothing. */
static void both_ends_must_agree_on_it(void)
{
    for (size_t s = 0; s < SUITES; s++) {
        struct s2_pair with, without;
        uint8_t packet[PACKET_LEN];
        size_t len = 0;

        if (!begin(&with, s, 64, true, 1))
            return;
        CU_ASSERT_TRUE_FATAL(begin(&without, s, 64, false, 1));
        seal(&with, packet, &len);
        CHECK_ROW(suites[s].name, open(&without, packet, len) == S2SVPN_DROP_ESP_AUTHENTICATION);
        seal(&without, packet, &len);
        CHECK_ROW(suites[s].name, open(&with, packet, len) == S2SVPN_DROP_ESP_AUTHENTICATION);
        s2_pair_end(&with);
        s2_pair_end(&without);
    }
}

/* ---- loss of synchronization */

/* So many packets until one passes; PACKETS if none does. */
static size_t packets_until_one_passes(struct s2_pair *p, size_t most)
{
    uint8_t packet[PACKET_LEN];
    size_t len = 0;

    for (size_t i = 0; i < most; i++) {
        seal(p, packet, &len);
        if (open(p, packet, len) == S2SVPN_DROP_NONE)
            return i;
    }
    return most;
}

static void a_gap_of_more_than_four_billion_is_caught_up(void)
{
    static const struct {
        const char *name;
        uint64_t at, resumes;
        size_t tries; /* rows of wrong ICVs before it is found; SIZE_MAX: never */
    } gaps[] = {
        {"within the lower half", 1000, 1000 + WRAP / 2, 0},
        {"the next subspace, found without", 100000, WRAP + 500, 0},
        {"the next subspace, in front of us", 1000, WRAP + 5000, 1},
        {"one more", 1000, 2 * WRAP + 5000, 2},
        {"the last that is tried", 1000, S2_ESP_LEAPS * WRAP + 5000, S2_ESP_LEAPS},
        {"too far", 1000, (S2_ESP_LEAPS + 1) * WRAP + 5000, SIZE_MAX},
        {"from the end of a subspace", WRAP - 5, 2 * WRAP + 7, 2},
        {"from a late one", 77 * WRAP + 9, 79 * WRAP + 5000, 2},
    };

    for (size_t s = 0; s < SUITES; s += 2) {
        for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
            struct s2_pair p;

            if (!begin(&p, s, 1024, true, gaps[i].at))
                return;
            p.out->seq = gaps[i].resumes;
            const size_t most = 20 * S2_ESP_RETRY_AFTER;
            const size_t lost = packets_until_one_passes(&p, most);
            if (gaps[i].tries == SIZE_MAX) {
                CHECK_ROW(gaps[i].name, lost == most);
            } else {
                CHECK_ROW(gaps[i].name, lost <= gaps[i].tries * (S2_ESP_RETRY_AFTER + 1));
                CHECK_ROW(gaps[i].name, p.in->seq == p.out->seq);
                /* and from now on all of them */
                CHECK_ROW(gaps[i].name, packets_until_one_passes(&p, 1) == 0);
            }
            s2_pair_end(&p);
        }
    }
}

/* Rows of forged packets between genuine ones: none of these is lost. */
static void forged_packets_lose_no_genuine_one(void)
{
    uint8_t packet[PACKET_LEN], forged[PACKET_LEN];
    size_t len = 0, lost = 0;
    struct s2_pair p;

    if (!begin(&p, 0, 64, true, WRAP - 3))
        return;
    for (size_t i = 0; i < 10; i++) {
        seal(&p, packet, &len);
        memcpy(forged, packet, len);
        for (size_t k = 0; k < 3 * S2_ESP_RETRY_AFTER; k++) {
            s2_put_u32(forged + 4, (uint32_t)(k * 1234567));
            forged[len - 1] = (uint8_t)(packet[len - 1] ^ 1);
            lost += open(&p, forged, len) == S2SVPN_DROP_NONE;
        }
        lost += open(&p, packet, len) != S2SVPN_DROP_NONE;
    }
    CU_ASSERT_EQUAL(lost, 0);
    CU_ASSERT_EQUAL(p.in->seq, p.out->seq);
    s2_pair_end(&p);
}

/* A whole batch in one call, with forged and genuine packets; memory of its own each. */
static void a_batch_is_caught_up_too(void)
{
    static uint8_t packet[S2_ESP_BATCH][PACKET_LEN];
    struct s2_esp_open v[S2_ESP_BATCH] = {{0}};
    struct s2_pair p;
    size_t passed = 0;

    if (!begin(&p, 1, 1024, true, 500))
        return;
    p.out->seq = 3 * WRAP;
    for (size_t round = 0; round < 8; round++) {
        passed = 0;
        for (size_t i = 0; i < S2_ESP_BATCH; i++) {
            size_t len = 0;

            seal(&p, packet[i], &len);
            v[i] = (struct s2_esp_open){.sa = p.in,
                                        .p = packet[i],
                                        .len = len,
                                        .out = packet[i] + S2_ESP_HEADER_LEN + p.form.iv_len};
        }
        s2_esp_open(&p.lane, v, S2_ESP_BATCH, 1);
        for (size_t i = 0; i < S2_ESP_BATCH; i++) {
            passed += v[i].drop == S2SVPN_DROP_NONE &&
                      s2_span_equal(v[i].inner, s2_span(inner, sizeof(inner)));
        }
    }
    CU_ASSERT_EQUAL(passed, S2_ESP_BATCH); /* the last round */
    s2_pair_end(&p);
}

/* Plain numbers know no second try: nothing lies behind 2^32. */
static void plain_numbers_are_never_retried(void)
{
    uint8_t packet[PACKET_LEN];
    struct s2_pair p;
    size_t len = 0;

    if (!begin(&p, 0, 64, false, 1))
        return;
    seal(&p, packet, &len);
    packet[len - 1] ^= 1;
    for (size_t k = 0; k < 2 * S2_ESP_RETRY_AFTER; k++)
        CU_ASSERT_EQUAL(open(&p, packet, len), S2SVPN_DROP_ESP_AUTHENTICATION);
    packet[len - 1] ^= 1;
    CU_ASSERT_EQUAL(open(&p, packet, len), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(p.in->strangers, 0);
    s2_pair_end(&p);
}

const CU_TestInfo s2_test_esn[] = {
    {"every suite crosses the wrap", every_suite_crosses_the_wrap},
    {"a wide window takes the wrap backwards", a_wide_window_takes_the_wrap_backwards},
    {"both ends must agree on it", both_ends_must_agree_on_it},
    {"a gap of more than four billion is caught up", a_gap_of_more_than_four_billion_is_caught_up},
    {"forged packets lose no genuine one", forged_packets_lose_no_genuine_one},
    {"a batch is caught up too", a_batch_is_caught_up_too},
    {"plain numbers are never retried", plain_numbers_are_never_retried},
    CU_TEST_INFO_NULL,
};
