/* SPDX-License-Identifier: Apache-2.0 */
/* ESP sessions and workers: what specs are refused, which key a packet gets, what is
 * allocated when. */
#include <openssl/err.h>
#include <pthread.h>
#include <string.h>

#include "esp_packet.h"
#include "harness.h"

#define SPI 77

static const struct {
    const char *row;
    s2svpn_status rc;
    size_t size;
    uint16_t encr, key_bits, integ;
    size_t encr_len, integ_len;
} bad[] = {
    {"size of an older header", S2SVPN_E_ARGUMENT, 8, 20, 128, 0, 20, 0},
    {"key without salt", S2SVPN_E_UNSUPPORTED, 0, 20, 128, 0, 16, 0},
    {"key of other bits", S2SVPN_E_UNSUPPORTED, 0, 20, 256, 0, 20, 0},
    {"no key", S2SVPN_E_UNSUPPORTED, 0, 12, 128, 2, 0, 20},
    {"AEAD with INTEG", S2SVPN_E_UNSUPPORTED, 0, 20, 128, 12, 20, 32},
    {"AEAD with INTEG's key", S2SVPN_E_ARGUMENT, 0, 20, 128, 0, 20, 32},
    {"CBC without INTEG", S2SVPN_E_UNSUPPORTED, 0, 12, 128, 0, 16, 0},
    {"NULL without INTEG", S2SVPN_E_UNSUPPORTED, 0, 11, 0, 0, 0, 0},
    {"short INTEG key", S2SVPN_E_ARGUMENT, 0, 12, 128, 12, 16, 31},
    {"long INTEG key", S2SVPN_E_ARGUMENT, 0, 12, 128, 2, 16, 21},
    {"unknown ENCR", S2SVPN_E_UNSUPPORTED, 0, 3, 0, 2, 24, 20},
    {"unknown INTEG", S2SVPN_E_UNSUPPORTED, 0, 12, 128, 5, 16, 16},
};

static void specs_that_make_no_session_are_refused(void)
{
    static const uint8_t key[64];

    for (size_t i = 0; i < COUNT(bad); i++) {
        s2svpn_esp_session_spec spec = {
            .size = bad[i].size != 0 ? bad[i].size : sizeof(spec),
            .encr = bad[i].encr,
            .key_bits = bad[i].key_bits,
            .integ = bad[i].integ,
            .encr_key = {key, bad[i].encr_len},
            .integ_key = {key, bad[i].integ_len},
        };
        void *session = NULL;

        CHECK_ROW(bad[i].row,
                  s2svpn_crypto_openssl()->esp_session_new(NULL, &spec, &session) == bad[i].rc);
        CHECK_ROW(bad[i].row, session == NULL);
    }
}

static void freeing_nothing_is_allowed(void)
{
    session_free(NULL);
    worker_free(NULL);
    CU_ASSERT_EQUAL(ERR_peek_error(), 0);
}

/* Seal with one session and open with another; the result. */
static uint8_t seal_and_open(void *worker, const struct suite *s, void *out, void *in, uint64_t seq)
{
    struct packet p;

    packet_lay(&p, s, 64, SPI, seq, 5);
    s2svpn_esp_op op = packet_op(&p, out, p.text, SPI, seq);
    s2svpn_crypto_openssl()->esp_seal(NULL, worker, &op, 1);
    if (op.result != S2SVPN_ESP_OK)
        return op.result;
    op = packet_op(&p, in, p.text, SPI, seq);
    s2svpn_crypto_openssl()->esp_open(NULL, worker, &op, 1);
    return op.result;
}

/* More sessions than a worker's cache has slots, twice round. */
static void more_sessions_than_slots_all_keep_working(void)
{
    enum { N = 700 };
    static void *out[N], *in[N];
    void *worker = worker_new();
    size_t good = 0;

    for (size_t i = 0; i < N; i++) {
        out[i] = session_new(&suites[i % SUITES], false, true, (unsigned)i);
        in[i] = session_new(&suites[i % SUITES], false, false, (unsigned)i);
    }
    for (size_t i = 0; i < 2 * (size_t)N; i++)
        good += seal_and_open(worker, &suites[i % N % SUITES], out[i % N], in[i % N], i) ==
                S2SVPN_ESP_OK;
    CU_ASSERT_EQUAL(good, 2 * N);
    for (size_t i = 0; i < N; i++) {
        session_free(out[i]);
        session_free(in[i]);
    }
    worker_free(worker);
}

/* Allocators like to give the same address again: then only the serial tells the old
 * key in the worker's cache from the new one. */
static void a_new_session_at_a_freed_one_s_address_has_its_own_key(void)
{
    const struct suite *gcm = &suites[0];
    void *worker = worker_new();
    size_t wrong = 0, again = 0;

    memory_reuse(true);
    for (unsigned i = 0; i < 64; i++) {
        void *in = session_new(gcm, false, false, 2 * i);
        void *out = session_new(gcm, false, true, 2 * i);
        const void *const last = out;

        wrong += seal_and_open(worker, gcm, out, in, i) != S2SVPN_ESP_OK;
        session_free(out);
        void *other = session_new(gcm, false, true, 2 * i + 1);
        again += other == last;
        wrong += seal_and_open(worker, gcm, other, in, i) != S2SVPN_ESP_AUTH;
        session_free(other);
        session_free(in);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(again, 64);
    memory_reuse(false);
    worker_free(worker);
}

static void the_hot_path_allocates_nothing(void)
{
    void *worker = worker_new();

    for (size_t i = 0; i < SUITES; i++) {
        void *out = session_new(&suites[i], true, true, 1);
        void *in = session_new(&suites[i], true, false, 1);

        CHECK_ROW(suites[i].row, seal_and_open(worker, &suites[i], out, in, 1) == S2SVPN_ESP_OK);
        const size_t before = memory_count();
        for (uint64_t seq = 2; seq < 200; seq++)
            (void)seal_and_open(worker, &suites[i], out, in, seq);
        CHECK_ROW(suites[i].row, memory_count() == before);
        session_free(out);
        session_free(in);
    }
    worker_free(worker);
}

static bool one_packet(void *arg)
{
    const struct suite *s = arg;
    void *out = session_new(s, true, true, 1), *in = session_new(s, true, false, 1);
    void *worker = worker_new();
    const bool good = out != NULL && in != NULL && worker != NULL &&
                      seal_and_open(worker, s, out, in, 1) == S2SVPN_ESP_OK;

    session_free(out);
    session_free(in);
    worker_free(worker);
    return good;
}

static void running_out_of_memory_refuses_and_leaves_nothing(void)
{
    memory_fail_each(one_packet, (void *)&suites[0]);
    memory_fail_each(one_packet, (void *)&suites[3]);
    memory_fail_each(one_packet, (void *)&suites[4]);
    memory_fail_each(one_packet, (void *)&suites[19]);
}

/* A worker that couldn't get memory for a packet can for the next one. */
static void a_worker_recovers_from_a_failed_allocation(void)
{
    for (size_t i = 0; i < 16; i += 4) {
        const struct suite *s = &suites[i];
        void *out = session_new(s, false, true, 1), *in = session_new(s, false, false, 1);
        size_t refused = 0;

        bool reached = true;

        for (size_t n = 1; reached; n++) {
            void *worker = worker_new();

            CU_ASSERT_PTR_NOT_NULL_FATAL(worker);
            const size_t before = memory_count();
            memory_fail_next(n);
            const uint8_t first = seal_and_open(worker, s, out, in, 1);
            memory_fail_next(0);
            CHECK_ROW(s->row, first == S2SVPN_ESP_OK || first == S2SVPN_ESP_REFUSED);
            refused += first == S2SVPN_ESP_REFUSED;
            reached = memory_count() - before >= n;
            CHECK_ROW(s->row, seal_and_open(worker, s, out, in, 1) == S2SVPN_ESP_OK);
            worker_free(worker);
        }
        CHECK_ROW(s->row, refused > 0);
        session_free(out);
        session_free(in);
    }
}

/* When a slot is taken over and there is no memory, the session that had it must not
 * find an empty context there. */
static void a_failed_change_of_key_leaves_no_trap(void)
{
    enum { N = 600 };
    static void *out[N], *in[N];
    void *worker = worker_new();
    size_t good = 0, refused = 0;

    for (size_t i = 0; i < N; i++) {
        out[i] = session_new(&suites[0], false, true, (unsigned)i);
        in[i] = session_new(&suites[0], false, false, (unsigned)i);
        good += seal_and_open(worker, &suites[0], out[i], in[i], i) == S2SVPN_ESP_OK;
    }
    CU_ASSERT_EQUAL(good, N);
    for (size_t i = 0; i < N; i++) {
        memory_fail_next(1 + i % 2);
        refused += seal_and_open(worker, &suites[0], out[i], in[i], i) == S2SVPN_ESP_REFUSED;
        memory_fail_next(0);
        for (size_t k = 0; k < 8; k++) {
            const size_t other = (i * 7 + k * 71) % N;

            good += seal_and_open(worker, &suites[0], out[other], in[other], i) == S2SVPN_ESP_OK;
        }
    }
    CU_ASSERT(refused > 0);
    CU_ASSERT_EQUAL(good, N + 8 * N);
    for (size_t i = 0; i < N; i++) {
        session_free(out[i]);
        session_free(in[i]);
    }
    worker_free(worker);
}

struct thread {
    pthread_t id;
    void *const *out, *const *in;
    size_t good;
};

static void *run_thread(void *arg)
{
    struct thread *t = arg;
    void *worker = worker_new();

    for (uint64_t i = 0; i < 2000; i++)
        t->good += seal_and_open(worker, &suites[i % SUITES], t->out[i % SUITES], t->in[i % SUITES],
                                 i) == S2SVPN_ESP_OK;
    worker_free(worker);
    return NULL;
}

static void workers_use_a_session_at_the_same_time(void)
{
    void *out[SUITES], *in[SUITES];
    struct thread threads[3] = {{0}};

    for (size_t i = 0; i < SUITES; i++) {
        out[i] = session_new(&suites[i], false, true, 1);
        in[i] = session_new(&suites[i], false, false, 1);
    }
    for (size_t i = 0; i < COUNT(threads); i++) {
        threads[i].out = out;
        threads[i].in = in;
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i].id, NULL, run_thread, &threads[i]), 0);
    }
    for (size_t i = 0; i < COUNT(threads); i++) {
        pthread_join(threads[i].id, NULL);
        CU_ASSERT_EQUAL(threads[i].good, 2000);
    }
    for (size_t i = 0; i < SUITES; i++) {
        session_free(out[i]);
        session_free(in[i]);
    }
}

const CU_TestInfo s2_test_openssl_session[] = {
    {"specs that make no session are refused", specs_that_make_no_session_are_refused},
    {"freeing nothing is allowed", freeing_nothing_is_allowed},
    {"more sessions than slots all keep working", more_sessions_than_slots_all_keep_working},
    {"a new session at a freed one's address has its own key",
     a_new_session_at_a_freed_one_s_address_has_its_own_key},
    {"the hot path allocates nothing", the_hot_path_allocates_nothing},
    {"running out of memory refuses and leaves nothing",
     running_out_of_memory_refuses_and_leaves_nothing},
    {"a worker recovers from a failed allocation", a_worker_recovers_from_a_failed_allocation},
    {"a failed change of key leaves no trap", a_failed_change_of_key_leaves_no_trap},
    {"workers use a session at the same time", workers_use_a_session_at_the_same_time},
    CU_TEST_INFO_NULL,
};
