/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs that are answered later than asked, or never. */
#include "io/sim/sim.h"

#include "fake_context.h"
#include "harness.h"

#include <string.h>

#define SECOND 1000000000u

struct bench {
    struct lab lab;
    struct fake_crypto crypto;
    s2svpn_options *o; /* as prepared */
    uint8_t in[3], out[3];
    s2svpn_job job;
};

/* Prepared with the fake crypto, and attached if wanted. */
static void bench_open(struct bench *b, bool attach)
{
    *b = (struct bench){.in = {1, 2, 3}};
    lab_open(&b->lab, 1, 2);
    s2svpn_sim_detach(b->lab.node[0]);
    lab_options(&b->lab, 0);
    b->o = &b->lab.ctx[0]->options;
    b->o->crypto = &fake_crypto_ops;
    b->o->crypto_user = &b->crypto;
    s2svpn_sim_prepare(b->lab.node[0], b->o);
    if (attach)
        CU_ASSERT_EQUAL(s2svpn_sim_attach(b->lab.node[0], b->lab.ctx[0], b->o), S2SVPN_OK);
    b->job = (s2svpn_job){.size = sizeof(b->job), .in = {b->in, 3}, .out = b->out, .out_len = 3};
}

static s2svpn_job_state start(struct bench *b)
{
    s2svpn_status result = S2SVPN_E_STATE;
    const s2svpn_job_state state = b->o->crypto->start_job(b->o->crypto_user, &b->job, &result);

    CU_ASSERT(state == S2SVPN_JOB_DONE || result == S2SVPN_E_STATE);
    return state;
}

static void cancel(struct bench *b)
{
    b->o->crypto->cancel_job(b->o->crypto_user, &b->job);
}

static void a_job_is_answered_after_the_call(void)
{
    struct bench b;

    bench_open(&b, true);
    CU_ASSERT_EQUAL(start(&b), S2SVPN_JOB_PENDING);
    CU_ASSERT_EQUAL(b.lab.ctx[0]->jobs_done, 0);
    CU_ASSERT_EQUAL(b.out[0], 0); /* nor is its memory touched before */
    s2svpn_sim_run(b.lab.sim, SECOND + 1);
    CU_ASSERT(b.lab.ctx[0]->jobs_done == 1 && b.lab.ctx[0]->done == &b.job);
    CU_ASSERT_EQUAL(b.lab.ctx[0]->done_result, S2SVPN_OK);
    CU_ASSERT_EQUAL(b.lab.ctx[0]->done_ns, SECOND + 1);
    CU_ASSERT(b.out[0] == 3 && b.out[1] == 2 && b.out[2] == 1);
    CU_ASSERT_EQUAL(lab_counters(&b.lab).jobs, 1);
    CU_ASSERT(!s2svpn_sim_step(b.lab.sim));
    lab_close(&b.lab);
}

static void a_failure_is_handed_on(void)
{
    struct bench b;

    bench_open(&b, true);
    b.job.in.len = 0;
    CU_ASSERT_EQUAL(start(&b), S2SVPN_JOB_PENDING);
    s2svpn_sim_run(b.lab.sim, 2 * (uint64_t)SECOND);
    CU_ASSERT_EQUAL(b.lab.ctx[0]->done_result, S2SVPN_E_ARGUMENT);
    lab_close(&b.lab);
}

static void the_delay_is_between_its_bounds(void)
{
    uint64_t earliest = S2SVPN_NEVER, latest = 0;
    struct bench b;

    bench_open(&b, true);
    s2svpn_sim_set_job_delay(b.lab.sim, 1000, 3000);
    for (int i = 0; i < 500; i++) {
        const uint64_t before = s2svpn_sim_now(b.lab.sim);

        CU_ASSERT_EQUAL(start(&b), S2SVPN_JOB_PENDING);
        s2svpn_sim_run(b.lab.sim, before + 5000);
        const uint64_t took = b.lab.ctx[0]->done_ns - before;
        earliest = took < earliest ? took : earliest;
        latest = took > latest ? took : latest;
    }
    CU_ASSERT_EQUAL(b.lab.ctx[0]->jobs_done, 500);
    CU_ASSERT(earliest >= 1000 && earliest < 1100);
    CU_ASSERT(latest <= 3000 && latest > 2900);
    s2svpn_sim_set_job_delay(b.lab.sim, 2000, 1000); /* least counts */
    const uint64_t before = s2svpn_sim_now(b.lab.sim);
    CU_ASSERT_EQUAL(start(&b), S2SVPN_JOB_PENDING);
    s2svpn_sim_run(b.lab.sim, before + 5000);
    CU_ASSERT_EQUAL(b.lab.ctx[0]->done_ns - before, 2000);
    lab_close(&b.lab);
}

static void a_cancelled_job_is_never_done(void)
{
    struct bench b;

    bench_open(&b, true);
    CU_ASSERT_EQUAL(start(&b), S2SVPN_JOB_PENDING);
    cancel(&b);
    s2svpn_sim_run(b.lab.sim, 2 * (uint64_t)SECOND);
    CU_ASSERT(b.lab.ctx[0]->jobs_done == 0 && b.crypto.started == 0 && b.crypto.cancelled == 0);
    CU_ASSERT_EQUAL(start(&b), S2SVPN_JOB_PENDING); /* the same memory, another job */
    s2svpn_sim_run(b.lab.sim, 3 * (uint64_t)SECOND);
    CU_ASSERT_EQUAL(b.lab.ctx[0]->jobs_done, 1);
    lab_close(&b.lab);
}

static void a_backend_that_answers_later_itself_is_cancelled_itself(void)
{
    struct bench b;

    bench_open(&b, true);
    b.crypto.pending = true;
    CU_ASSERT_EQUAL(start(&b), S2SVPN_JOB_PENDING);
    s2svpn_sim_run(b.lab.sim, 2 * (uint64_t)SECOND);
    CU_ASSERT(b.crypto.started == 1 && b.lab.ctx[0]->jobs_done == 0);
    cancel(&b);
    CU_ASSERT_EQUAL(b.crypto.cancelled, 1);
    lab_close(&b.lab);
}

static void jobs_started_before_the_attach_are_done_after_it(void)
{
    struct bench b;

    bench_open(&b, false);
    CU_ASSERT_EQUAL(start(&b), S2SVPN_JOB_PENDING);
    s2svpn_sim_run(b.lab.sim, 2 * (uint64_t)SECOND);
    CU_ASSERT_EQUAL(b.crypto.started, 0);
    CU_ASSERT_EQUAL(s2svpn_sim_attach(b.lab.node[0], b.lab.ctx[0], b.o), S2SVPN_OK);
    s2svpn_sim_run(b.lab.sim, 3 * (uint64_t)SECOND);
    CU_ASSERT_EQUAL(b.lab.ctx[0]->jobs_done, 1);
    lab_close(&b.lab);
}

static void a_detached_contexts_jobs_are_forgotten(void)
{
    struct bench b;

    bench_open(&b, true);
    CU_ASSERT_EQUAL(start(&b), S2SVPN_JOB_PENDING);
    s2svpn_sim_detach(b.lab.node[0]);
    CU_ASSERT_EQUAL(s2svpn_sim_attach(b.lab.node[0], b.lab.ctx[0], b.o), S2SVPN_OK);
    s2svpn_sim_run(b.lab.sim, 2 * (uint64_t)SECOND);
    CU_ASSERT(b.lab.ctx[0]->jobs_done == 0 && b.crypto.started == 0);
    cancel(&b); /* as the library does when the context is freed */
    CU_ASSERT_EQUAL(b.crypto.cancelled, 0);
    lab_close(&b.lab);
}

static void a_queue_that_is_full_fails_the_job_at_once(void)
{
    s2svpn_status result = S2SVPN_OK;
    struct bench b;

    bench_open(&b, true);
    b.lab.sim->queue.count_max = 0;
    CU_ASSERT_EQUAL(b.o->crypto->start_job(b.o->crypto_user, &b.job, &result), S2SVPN_JOB_DONE);
    CU_ASSERT_EQUAL(result, S2SVPN_E_MEMORY);
    CU_ASSERT_EQUAL(b.crypto.started, 0);
    lab_close(&b.lab);
}

static void other_members_reach_the_real_table_with_its_user(void)
{
    uint8_t out[64] = {0}, random[8] = {0};
    struct bench b;

    bench_open(&b, true);
    CU_ASSERT_STRING_EQUAL(b.o->crypto->name, "fake");
    CU_ASSERT_PTR_EQUAL(b.o->crypto->algorithms, fake_crypto_ops.algorithms);
    CU_ASSERT_EQUAL(b.o->crypto->hash(b.o->crypto_user, 1, NULL, 0, out), S2SVPN_OK);
    CU_ASSERT(out[0] == 0x77 && b.crypto.hashes == 1);
    CU_ASSERT_PTR_NULL(b.o->crypto->esp_seal); /* as in the real one */
    CU_ASSERT_EQUAL(b.o->crypto->random(b.o->crypto_user, random, 8), S2SVPN_OK);
    CU_ASSERT_NOT_EQUAL(random[0] + random[1], 0xaa); /* but this is the simulation's */
    lab_close(&b.lab);
}

/* A restart reuses the options, or another node is given a copy of them. */
static void options_prepared_twice_defer_once(void)
{
    struct bench b;

    bench_open(&b, false);
    s2svpn_options copy = *b.o;
    s2svpn_sim_prepare(b.lab.node[0], b.o);
    CU_ASSERT_PTR_EQUAL(b.o->crypto, &b.lab.node[0]->crypto);
    CU_ASSERT_PTR_EQUAL(b.lab.node[0]->real_crypto, &fake_crypto_ops);
    CU_ASSERT_PTR_EQUAL(b.lab.node[0]->real_crypto_user, &b.crypto);
    s2svpn_sim_detach(b.lab.node[1]);
    s2svpn_sim_prepare(b.lab.node[1], &copy);
    CU_ASSERT_PTR_EQUAL(copy.crypto, &b.lab.node[1]->crypto);
    CU_ASSERT_PTR_EQUAL(b.lab.node[1]->real_crypto, &fake_crypto_ops);
    CU_ASSERT_PTR_EQUAL(b.lab.node[1]->real_crypto_user, &b.crypto);
    lab_close(&b.lab);
}

const CU_TestInfo s2_test_jobs[] = {
    {"a job is answered after the call", a_job_is_answered_after_the_call},
    {"a failure is handed on", a_failure_is_handed_on},
    {"the delay is between its bounds", the_delay_is_between_its_bounds},
    {"a cancelled job is never done", a_cancelled_job_is_never_done},
    {"a backend that answers later itself is cancelled itself",
     a_backend_that_answers_later_itself_is_cancelled_itself},
    {"jobs started before the attach are done after it",
     jobs_started_before_the_attach_are_done_after_it},
    {"a detached context's jobs are forgotten", a_detached_contexts_jobs_are_forgotten},
    {"a queue that is full fails the job at once", a_queue_that_is_full_fails_the_job_at_once},
    {"other members reach the real table with its user",
     other_members_reach_the_real_table_with_its_user},
    {"options prepared twice defer once", options_prepared_twice_defer_once},
    CU_TEST_INFO_NULL,
};
