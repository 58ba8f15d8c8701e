/* SPDX-License-Identifier: Apache-2.0 */
/* All of v1/ and v2/ when memory, crypto, jobs or randomness fail once: nothing leaks, no
 * SPI is lost, and the tunnel comes back when it is started again. */
#include <CUnit/CUnit.h>

#include "base/text.h"
#include "harness.h"
#include "ike/v1_pair.h"

#define MOST 3000 /* no scenario makes more allocations, calls or jobs */

static const struct version {
    const char *name;
    void (*init)(struct s2_pair *p, uint64_t seed);
    uint64_t settle_ns; /* after a rekey */
} versions[] = {
    {"IKEv1", s2_pair_init_v1, S2_V1_SETTLE_NS},
    {"IKEv2", s2_pair_init, 3 * S2_SECOND},
};
#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

static void restart(struct s2_pair *p)
{
    for (unsigned e = 0; e < 2; e++) {
        if (p->end[e].ike != NULL && s2_pair_children_up(&p->end[e]) == 0)
            (void)s2_pair_initiate(p, e);
    }
}

static void rekey(struct s2_pair *p, const struct version *v, unsigned number)
{
    struct s2_pair_end *e = &p->end[number];

    for (size_t i = 0; i < e->children; i++) {
        if (e->child[i].up)
            (void)!s2_ike_rekey_child(e->ike, e, e->child[i].spi_in, p->now_ns);
    }
    s2_pair_run_for(p, v->settle_ns);
    (void)!s2_ike_rekey_sa(e->ike, e, p->now_ns);
    s2_pair_run_for(p, v->settle_ns);
}

/* A life: handshake, rekeys of both kinds by both sides, checks, the end; and then
 * once more, when nothing fails. */
static const char *live(struct s2_pair *p, const struct version *v)
{
    if (!s2_pair_open(p))
        return NULL; /* the failure was reported */
    (void)s2_pair_initiate(p, 0);
    s2_pair_run_for(p, 3 * S2_SECOND);
    rekey(p, v, 0);
    rekey(p, v, 1);
    s2_pair_run_for(p, 30 * S2_SECOND);
    s2_ike_terminate(p->end[0].ike, &p->end[0], true, p->now_ns);
    s2_pair_run_for(p, 100 * S2_SECOND);

    for (size_t e = 0; e < 2; e++) {
        p->end[e].fake.fail_at = p->end[e].crypto.fail_at = 0;
        p->end[e].fail_job = 0;
    }
    for (size_t i = 0; i < 20 && !s2_pair_is_settled(p); i++) {
        restart(p);
        s2_pair_run_for(p, 20 * S2_SECOND);
    }
    if (!s2_pair_is_settled(p))
        return "it comes back";
    for (size_t e = 0; e < 2; e++) {
        if (!s2_pair_balances(&p->end[e]))
            return "SPIs balance";
    }
    return NULL;
}

static void judge(struct s2_pair *p, const struct version *v, const char *what, size_t n,
                  const char *wrong)
{
    char row[96];

    s2_pair_close(p);
    if (wrong == NULL && p->end[0].fake.live + p->end[1].fake.live != 0)
        wrong = "nothing leaks";
    if (wrong == NULL && p->end[0].job_count + p->end[1].job_count != 0)
        wrong = "no job is left";
    s2_print(row, sizeof(row), "%s, %s %u fails: %s", v->name, what, (unsigned)n,
             wrong != NULL ? wrong : "well");
    CHECK_ROW(row, wrong == NULL);
}

static void every_allocation_fails_once_of(const struct version *v)
{
    for (unsigned e = 0; e < 2; e++) {
        size_t n = 1;

        for (bool failed = true; failed && n < MOST; n++) {
            struct s2_pair p;

            v->init(&p, 1);
            p.end[e].fake.fail_at = n;
            const char *wrong = live(&p, v);
            failed = p.end[e].fake.failed;
            judge(&p, v, "allocation", n, wrong);
        }
        CU_ASSERT_TRUE(n > 30 && n < MOST); /* it was a whole life */
    }
}

static void every_allocation_fails_once(void)
{
    for (size_t i = 0; i < VERSIONS; i++)
        every_allocation_fails_once_of(&versions[i]);
}

static void every_crypto_call_fails_once_of(const struct version *v)
{
    for (unsigned e = 0; e < 2; e++) {
        size_t n = 1;

        for (bool failed = true; failed && n < MOST; n++) {
            struct s2_pair p;

            v->init(&p, 2);
            p.end[e].crypto.fail_at = n;
            const char *wrong = live(&p, v);
            failed = p.end[e].crypto.failed;
            judge(&p, v, "crypto call", n, wrong);
        }
        CU_ASSERT_TRUE(n > 30 && n < MOST); /* it was a whole life */
    }
}

static void every_crypto_call_fails_once(void)
{
    for (size_t i = 0; i < VERSIONS; i++)
        every_crypto_call_fails_once_of(&versions[i]);
}

static void every_job_fails_once_of(const struct version *v)
{
    static const s2svpn_status with[] = {S2SVPN_E_CRYPTO, S2SVPN_E_ARGUMENT, S2SVPN_E_MEMORY};

    for (size_t i = 0; i < 2 * sizeof(with) / sizeof(with[0]); i++) {
        for (unsigned e = 0; e < 2; e++) {
            for (unsigned n = 1; n < 20; n++) {
                struct s2_pair p;

                v->init(&p, 3);
                p.end[e].fail_job = n;
                p.end[e].fail_job_with = with[i / 2];
                p.end[0].defer_jobs = p.end[1].defer_jobs = i % 2 == 1;
                const char *wrong = live(&p, v);
                judge(&p, v, "job", n, wrong);
            }
        }
    }
}

static void every_job_fails_once(void)
{
    for (size_t i = 0; i < VERSIONS; i++)
        every_job_fails_once_of(&versions[i]);
}

static void randomness_fails_for_a_while_of(const struct version *v)
{
    for (unsigned start_ms = 0; start_ms < 20000; start_ms += 250) {
        struct s2_pair p;

        v->init(&p, 4);
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        for (unsigned ms = 0; ms < 20000; ms += 250) {
            p.end[ms / 250 % 2].fake.random_fails = ms == start_ms;
            if (ms % 5000 == 0)
                restart(&p);
            if (ms % 5000 == 2500 && s2_pair_children_up(&p.end[0]) > 0)
                (void)!s2_ike_rekey_sa(p.end[0].ike, &p.end[0], p.now_ns);
            s2_pair_run_for(&p, 250 * S2_MS);
        }
        p.end[0].fake.random_fails = p.end[1].fake.random_fails = false;
        for (size_t i = 0; i < 20 && !s2_pair_is_settled(&p); i++) {
            restart(&p);
            s2_pair_run_for(&p, 20 * S2_SECOND);
        }
        judge(&p, v, "randomness at", start_ms, s2_pair_is_settled(&p) ? NULL : "it comes back");
    }
}

static void randomness_fails_for_a_while(void)
{
    for (size_t i = 0; i < VERSIONS; i++)
        randomness_fails_for_a_while_of(&versions[i]);
}

const CU_TestInfo s2_test_failure[] = {
    {"every allocation fails once", every_allocation_fails_once},
    {"every crypto call fails once", every_crypto_call_fails_once},
    {"every job fails once", every_job_fails_once},
    {"randomness fails for a while", randomness_fails_for_a_while},
    CU_TEST_INFO_NULL,
};
