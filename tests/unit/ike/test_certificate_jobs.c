/* SPDX-License-Identifier: Apache-2.0 */
/* v2/: signatures that take their time: what comes and goes while a tunnel that goes by
 * certificates waits for one, and what is left when it fails. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "base/text.h"
#include "harness.h"
#include "ike/certificates.h"
#include "ike/sa.h"
#include "ike/v2/v2.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MOST 3000
#define LOSSY_SEEDS 60
#define FIRST_AT 16 /* in an IKE header */

static struct s2_fake_credentials mine[2];

static void judge(struct s2_pair *p, const char *row)
{
    s2_pair_close(p);
    CHECK_ROW(row, s2_pair_balances(&p->end[0]) && s2_pair_balances(&p->end[1]));
    CHECK_ROW(row, p->end[0].fake.live + p->end[1].fake.live == 0);
    CHECK_ROW(row, p->end[0].job_count + p->end[1].job_count == 0);
    CHECK_ROW(row, mine[0].credentials.users + mine[1].credentials.users == 0);
}

/* ---- waiting */

static const struct {
    const char *row;
    unsigned end;
    enum s2_ike_state state;
    uint16_t kind;
} waits[] = {
    {"initiator signs", 0, S2_IKE_STATE_AUTH_SIGNING, S2SVPN_JOB_SIGN},
    {"initiator verifies", 0, S2_IKE_STATE_AUTH_VERIFYING, S2SVPN_JOB_VERIFY},
    {"responder verifies", 1, S2_IKE_STATE_HALF_VERIFYING, S2SVPN_JOB_VERIFY},
    {"responder signs", 1, S2_IKE_STATE_HALF_SIGNING, S2SVPN_JOB_SIGN},
};

static struct s2_ike_sa *only_sa(const struct s2_pair_end *end)
{
    struct s2_table_cursor c = {0};
    struct s2_table_node *n = s2_table_next(&end->ike->by_spi, &c);

    CU_ASSERT_PTR_NOT_NULL_FATAL(n);
    return S2_CONTAINER(n, struct s2_ike_sa, spi_node);
}

/* Run until that end waits for that job, and let it wait. */
static struct s2_ike_sa *run_into(struct s2_pair *p, size_t i, uint64_t seed)
{
    struct s2_pair_end *end = &p->end[waits[i].end];

    s2_certificates_init(p, seed, mine);
    end->defer_jobs = true;
    s2_certificates_attempt(p, 0);
    for (size_t n = 0; n < 2000; n++) {
        if (end->job_count == 1 && end->job[0].job->kind == waits[i].kind) {
            end->job[0].at_ns = S2SVPN_NEVER;
            CHECK_ROW(waits[i].row, only_sa(end)->state == waits[i].state);
            CHECK_ROW(waits[i].row, mine[waits[i].end].credentials.users == 1);
            return only_sa(end);
        }
        s2_pair_run_for(p, S2_MS / 10);
    }
    CU_FAIL_FATAL("it waits");
    return NULL;
}

static void let_it_finish(struct s2_pair *p, size_t i)
{
    p->end[waits[i].end].job[0].at_ns = p->now_ns;
}

/* The initiator's retransmissions, for those states that see some. */
static void a_slow_signature_is_waited_for_whatever_comes_again(void)
{
    for (size_t i = 0; i < COUNT(waits); i++) {
        struct s2_pair p;

        (void)run_into(&p, i, i);
        p.twice = 100;
        s2_pair_run_for(&p, 12 * S2_SECOND);
        CHECK_ROW(waits[i].row, only_sa(&p.end[waits[i].end])->state == waits[i].state);
        CHECK_ROW(waits[i].row, p.end[1].received > p.end[0].received || waits[i].end == 0);
        let_it_finish(&p, i);
        s2_pair_run_for(&p, 20 * S2_SECOND);
        CHECK_ROW(waits[i].row, s2_pair_is_settled(&p));
        for (size_t e = 0; e < 2; e++)
            CHECK_ROW(waits[i].row, p.end[e].signs == 1 && p.end[e].verifies == 1);
        judge(&p, waits[i].row);
    }
}

enum end_by { TERMINATE_POLITELY, TERMINATE, FORGET, FREE, ENDS };

static void whatever_ends_the_sa_cancels_the_job(void)
{
    for (size_t i = 0; i < COUNT(waits) * ENDS; i++) {
        const size_t w = i / ENDS;
        struct s2_pair p;
        struct s2_pair_end *end = &p.end[waits[w].end];

        struct s2_ike_sa *sa = run_into(&p, w, 10 + i);
        const uint64_t ticket = sa->spi_own;
        if (i % ENDS <= TERMINATE) /* a responder has no owner yet: it isn't found */
            s2_ike_terminate(end->ike, end, i % ENDS == TERMINATE_POLITELY, p.now_ns);
        if (i % ENDS == FORGET)
            s2_pair_forget(&p, waits[w].end);
        if (i % ENDS != FREE && (waits[w].end == 0 || i % ENDS == FORGET)) {
            CHECK_ROW(waits[w].row, s2_pair_sas(end) == 0);
            CHECK_ROW(waits[w].row, end->jobs_cancelled == 1);
            CHECK_ROW(waits[w].row, mine[waits[w].end].credentials.users == 0);
            CHECK_ROW(waits[w].row, end->sa_downs == (i % ENDS != FORGET));
            s2_ike_identified(end->ike, ticket, end->live, p.now_ns); /* too late */
        }
        judge(&p, waits[w].row);
        CHECK_ROW(waits[w].row, end->jobs_cancelled == 1);
    }
}

static void a_responder_doesnt_wait_for_ever(void)
{
    for (size_t i = 2; i < COUNT(waits); i++) {
        struct s2_pair p;

        (void)run_into(&p, i, 50 + i);
        s2_pair_run_for(&p, 31 * S2_SECOND);
        CHECK_ROW(waits[i].row, s2_pair_sas(&p.end[1]) == 0);
        CHECK_ROW(waits[i].row, p.end[1].jobs_cancelled == 1);
        s2_pair_run_for(&p, 100 * S2_SECOND);
        CHECK_ROW(waits[i].row, p.end[0].sa_downs == 1 && p.end[0].sa_ups == 0);
        judge(&p, waits[i].row);
    }
}

/* It is answered only once: another answer, or one to another question, is none. */
static void a_choice_that_comes_again_changes_nothing(void)
{
    for (size_t i = 2; i < COUNT(waits); i++) {
        static struct s2_ike_config other;
        struct s2_pair p;

        struct s2_ike_sa *sa = run_into(&p, i, 60 + i);
        other = *p.end[1].live;
        s2_ike_identified(p.end[1].ike, sa->spi_own, &other, p.now_ns);
        s2_ike_identified(p.end[1].ike, sa->spi_own, NULL, p.now_ns);
        CHECK_ROW(waits[i].row, sa->config == p.end[1].live);
        let_it_finish(&p, i);
        s2_pair_run_for(&p, 5 * S2_SECOND);
        CHECK_ROW(waits[i].row, s2_pair_is_settled(&p));
        judge(&p, waits[i].row);
    }
}

/* New ones are for the next handshake; this one keeps the old ones alive. */
static void credentials_live_on_while_they_are_in_use(void)
{
    for (size_t i = 0; i < COUNT(waits); i++) {
        struct s2_fake_credentials next;
        struct s2_pair p;
        const unsigned e = waits[i].end;

        (void)run_into(&p, i, 70 + i);
        s2_fake_credentials_init(&next, e == 0 ? 'L' : 'R');
        s2_fake_credentials_add(&next, 'A', e == 0 ? 'L' : 'R', '-', 500);
        p.end[e].live->credentials = &next.credentials;
        CHECK_ROW(waits[i].row, mine[e].credentials.users == 1);
        let_it_finish(&p, i);
        s2_pair_run_for(&p, 5 * S2_SECOND);
        CHECK_ROW(waits[i].row, s2_pair_is_settled(&p));
        CHECK_ROW(waits[i].row, mine[e].credentials.users == 0);
        CHECK_ROW(waits[i].row, next.credentials.users == 0);
        s2_ike_terminate(p.end[0].ike, &p.end[0], true, p.now_ns);
        s2_pair_run_for(&p, S2_SECOND);
        CHECK_ROW(waits[i].row, s2_pair_initiate(&p, 0));
        s2_pair_run_for(&p, S2_SECOND);
        CHECK_ROW(waits[i].row, s2_pair_is_settled(&p));
        CHECK_ROW(waits[i].row, e == 1 || p.end[1].shown_len == 500);
        judge(&p, waits[i].row);
    }
}

/* ---- failing */

static void a_signature_that_cant_be_made_or_checked_is_named(void)
{
    for (size_t i = 0; i < 2 * COUNT(waits); i++) {
        const size_t w = i / 2;
        const char *row = waits[w].row;
        struct s2_pair p;
        struct s2_pair_end *end = &p.end[waits[w].end];

        s2_certificates_init(&p, 80 + i, mine);
        end->defer_jobs = i % 2 == 1;
        end->fail_job_with = S2SVPN_E_CRYPTO;
        end->fail_job = w == 0 || w == 2 ? 3 : 4; /* behind both of the key exchange */
        s2_certificates_attempt(&p, 3 * S2_SECOND);
        CHECK_ROW(row, p.end[0].sa_ups == 0 && p.end[0].sa_downs == 1);
        CHECK_ROW(row, p.end[0].reason == (waits[w].end == 0 ? S2_IKE_REASON_CRYPTO
                                                             : S2_IKE_REASON_PEER_AUTHENTICATION));
        CHECK_ROW(row, waits[w].end == 0 || p.end[1].notes == 1);
        CHECK_ROW(row, w != 3 || strstr(p.end[1].note, "our signature") != NULL);
        s2_pair_run_for(&p, 60 * S2_SECOND);
        CHECK_ROW(row, s2_pair_sas(&p.end[0]) + s2_pair_sas(&p.end[1]) == 0);
        judge(&p, row);
    }
}

/* A backend that says OK and has made nothing, or too much, has failed. */
static size_t bad_len;

static void make_nonsense(struct s2_pair_end *end, const char *callback)
{
    if (strcmp(callback, "start_job") == 0)
        mine[end->number].identity.signature_len = bad_len;
}

static void a_signature_of_no_length_is_none(void)
{
    struct s2_pair p;

    bad_len = 0;
    s2_certificates_init(&p, 90, mine);
    p.end[0].hook = make_nonsense;
    s2_certificates_attempt(&p, S2_SECOND);
    CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_CRYPTO);
    CU_ASSERT_EQUAL(p.end[1].verifies, 0);
    s2_pair_run_for(&p, 60 * S2_SECOND);
    judge(&p, "no signature");
}

static void lengthen(struct s2_fake_credentials *c)
{
    const char subject = c->identity.subject;

    c->credentials.chain_count = 0;
    s2_fake_credentials_add(c, 'I', subject, '-', 1200);
    s2_fake_credentials_add(c, 'A', 'I', '-', 1200);
}

/* A life with long chains in fragments, and once more when nothing fails. */
static const char *live(struct s2_pair *p)
{
    lengthen(&mine[0]);
    lengthen(&mine[1]);
    if (!s2_pair_open(p))
        return NULL; /* the failure was reported */
    (void)s2_pair_initiate(p, 0);
    s2_pair_run_for(p, 3 * S2_SECOND);
    s2_ike_terminate(p->end[0].ike, &p->end[0], true, p->now_ns);
    s2_pair_run_for(p, 100 * S2_SECOND);
    for (size_t e = 0; e < 2; e++) {
        p->end[e].fake.fail_at = p->end[e].crypto.fail_at = 0;
        p->end[e].fail_job = 0;
    }
    for (size_t i = 0; i < 20 && !s2_pair_is_settled(p); i++) {
        if (s2_pair_children_up(&p->end[0]) == 0)
            (void)s2_pair_initiate(p, 0);
        s2_pair_run_for(p, 20 * S2_SECOND);
    }
    return s2_pair_is_settled(p) ? NULL : "it comes back";
}

static void judge_life(struct s2_pair *p, const char *what, size_t n, const char *wrong)
{
    char row[96];

    s2_print(row, sizeof(row), "%s %u fails: %s", what, (unsigned)n,
             wrong != NULL ? wrong : "well");
    CHECK_ROW(row, wrong == NULL);
    judge(p, row);
}

static void every_allocation_fails_once(void)
{
    for (unsigned e = 0; e < 4; e++) {
        size_t n = 1;

        for (bool failed = true; failed && n < MOST; n++) {
            struct s2_pair p;

            s2_certificates_init(&p, 100, mine);
            p.end[e % 2].fake.fail_at = n;
            p.end[0].defer_jobs = p.end[1].defer_jobs = e > 1;
            const char *wrong = live(&p);
            failed = p.end[e % 2].fake.failed;
            judge_life(&p, "allocation", n, wrong);
        }
        CU_ASSERT_TRUE(n > 20 && n < MOST);
    }
}

static void every_crypto_call_and_every_job_fails_once(void)
{
    static const s2svpn_status with[] = {S2SVPN_E_CRYPTO, S2SVPN_E_ARGUMENT, S2SVPN_E_MEMORY,
                                         S2SVPN_E_AUTHENTICATION};

    for (unsigned e = 0; e < 2; e++) {
        size_t n = 1;

        for (bool failed = true; failed && n < MOST; n++) {
            struct s2_pair p;

            s2_certificates_init(&p, 101, mine);
            p.end[e].crypto.fail_at = n;
            const char *wrong = live(&p);
            failed = p.end[e].crypto.failed;
            judge_life(&p, "crypto call", n, wrong);
        }
        CU_ASSERT_TRUE(n > 20 && n < MOST);
        for (n = 0; n < 8 * COUNT(with); n++) {
            struct s2_pair p;

            s2_certificates_init(&p, 102, mine);
            p.end[e].fail_job = (unsigned)(n % 8) + 1;
            p.end[e].fail_job_with = with[n / 8];
            p.end[0].defer_jobs = p.end[1].defer_jobs = n % 2 == 1;
            judge_life(&p, "job", n, live(&p));
        }
    }
}

/* ---- a network that loses, doubles and reorders fragments */

static void fragments_may_be_lost_and_reordered(void)
{
    unsigned up = 0;

    for (uint64_t seed = 0; seed < LOSSY_SEEDS; seed++) {
        struct s2_pair p;

        s2_certificates_init(&p, 200 + seed, mine);
        for (size_t e = 0; e < 2; e++) {
            p.end[e].options.fragment_size = 576;
            p.end[e].options.retransmit_tries = 12; /* while the responder waits */
            p.end[e].options.retransmit_base_percent = 100;
            p.end[e].defer_jobs = seed % 2 == 0;
            p.end[e].defer_identify = seed % 3 == 0;
            lengthen(&mine[e]);
        }
        p.loss = seed % 4 * 10;
        p.twice = 10;
        p.jitter_ms = 50;
        s2_certificates_attempt(&p, 100 * S2_SECOND);
        up += p.end[0].sa_ups > 0;
        p.loss = 0;
        for (size_t i = 0; i < 10 && !s2_pair_is_settled(&p); i++) {
            if (s2_pair_children_up(&p.end[0]) == 0)
                (void)s2_pair_initiate(&p, 0);
            s2_pair_run_for(&p, 60 * S2_SECOND);
        }
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        judge(&p, "a lossy life");
    }
    CU_ASSERT_TRUE(up > LOSSY_SEEDS * 3 / 4);
}

/* Each fragment of a request lost in turn, once: the next transmission brings it. */
static unsigned lose_nth, seen_fragments;

static bool lose_one(struct s2_pair *p, struct s2_pair_datagram *d)
{
    (void)p;
    return d->p[FIRST_AT] != S2_IKE_PAYLOAD_SKF || ++seen_fragments != lose_nth;
}

static void any_fragment_may_be_lost(void)
{
    for (lose_nth = 1; lose_nth <= 10; lose_nth++) {
        struct s2_pair p;

        s2_certificates_init(&p, 300, mine);
        p.end[0].options.fragment_size = p.end[1].options.fragment_size = 700;
        lengthen(&mine[0]);
        lengthen(&mine[1]);
        p.filter = lose_one;
        seen_fragments = 0;
        s2_certificates_attempt(&p, 10 * S2_SECOND);
        CU_ASSERT_TRUE(seen_fragments >= lose_nth);
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        CU_ASSERT_EQUAL(p.end[1].verifies, 1);
        CU_ASSERT_EQUAL(p.end[0].verifies, 1);
        judge(&p, "one is lost");
    }
}

const CU_TestInfo s2_test_certificate_jobs[] = {
    {"a slow signature is waited for whatever comes again",
     a_slow_signature_is_waited_for_whatever_comes_again},
    {"whatever ends the SA cancels the job", whatever_ends_the_sa_cancels_the_job},
    {"a responder doesn't wait for ever", a_responder_doesnt_wait_for_ever},
    {"a choice that comes again changes nothing", a_choice_that_comes_again_changes_nothing},
    {"credentials live on while they are in use", credentials_live_on_while_they_are_in_use},
    {"a signature that can't be made or checked is named",
     a_signature_that_cant_be_made_or_checked_is_named},
    {"a signature of no length is none", a_signature_of_no_length_is_none},
    {"every allocation fails once", every_allocation_fails_once},
    {"every crypto call and every job fails once", every_crypto_call_and_every_job_fails_once},
    {"fragments may be lost and reordered", fragments_may_be_lost_and_reordered},
    {"any fragment may be lost", any_fragment_may_be_lost},
    CU_TEST_INFO_NULL,
};
