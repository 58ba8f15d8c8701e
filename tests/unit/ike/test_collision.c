/* SPDX-License-Identifier: Apache-2.0 */
/* v2/collision.c: the tables, and both sides doing things at once in every order in
 * which their messages can arrive or get lost. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "harness.h"
#include "ike/pair.h"
#include "ike/sa.h"
#include "ike/v2/v2.h"

/* ---- the tables */

#define A S2_IKE_ACCEPT
#define C S2_IKE_COLLIDE
#define B S2_IKE_BUSY
#define M S2_IKE_MISSING

/* RFC 7296 section 2.25, read once more. Columns: nothing, check, make child, rekey
 * child, delete child, rekey IKE, close IKE. */
static const struct {
    const char *row;
    enum s2_ike_making_kind kind;
    enum s2_ike_child_is child;
    enum s2_ike_verdict verdict[S2_IKE_OURS_COUNT];
} verdicts[] = {
    {"new child", S2_IKE_MAKE_CHILD, S2_IKE_CHILD_IS_UNKNOWN, {A, A, C, C, A, B, B}},
    {"rekey of a child unknown here",
     S2_IKE_REKEY_CHILD,
     S2_IKE_CHILD_IS_UNKNOWN,
     {M, M, B, B, M, B, B}},
    {"rekey of the current child",
     S2_IKE_REKEY_CHILD,
     S2_IKE_CHILD_IS_CURRENT,
     {A, A, C, C, A, B, B}},
    {"rekey of a replaced child",
     S2_IKE_REKEY_CHILD,
     S2_IKE_CHILD_IS_REPLACED,
     {B, B, B, B, B, B, B}},
    {"rekey of a child that we delete",
     S2_IKE_REKEY_CHILD,
     S2_IKE_CHILD_IS_DELETING,
     {B, B, B, B, B, B, B}},
    {"rekey of the IKE SA", S2_IKE_REKEY_IKE, S2_IKE_CHILD_IS_UNKNOWN, {A, A, B, B, B, C, B}},
};

static void each_meeting_has_the_verdict_of_the_rfc(void)
{
    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        for (size_t ours = 0; ours < S2_IKE_OURS_COUNT; ours++)
            CHECK_ROW(verdicts[i].row,
                      s2_ike_judge(verdicts[i].kind, (enum s2_ike_ours)ours, verdicts[i].child) ==
                          verdicts[i].verdict[ours]);
    }
}

static void nonces_compare_octet_by_octet(void)
{
    static const struct {
        const char *row;
        uint8_t a[4];
        size_t a_len;
        uint8_t b[4];
        size_t b_len;
        int order;
    } rows[] = {
        {"first octet", {1, 9}, 2, {2, 0}, 2, -1},
        {"last octet", {1, 3}, 2, {1, 2}, 2, 1},
        {"octets have no sign", {0x80}, 1, {0x7f}, 1, 1},
        {"a beginning is lower", {1, 2}, 2, {1, 2, 0}, 3, -1},
        {"equal", {1, 2, 3}, 3, {1, 2, 3}, 3, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const int forth = s2_ike_nonce_compare(s2_span(rows[i].a, rows[i].a_len),
                                               s2_span(rows[i].b, rows[i].b_len));
        const int back = s2_ike_nonce_compare(s2_span(rows[i].b, rows[i].b_len),
                                              s2_span(rows[i].a, rows[i].a_len));

        CHECK_ROW(rows[i].row, (forth > 0) - (forth < 0) == rows[i].order);
        CHECK_ROW(rows[i].row, (back > 0) - (back < 0) == -rows[i].order);
    }
}

/* ---- every interleaving */

/* Either side's nonces are the lowest in some of these; a test sees to it. */
#define FIRST_SEED 6
#define LAST_SEED 11

enum act { NOTHING, REKEY_CHILD, REKEY_IKE, DELETE_CHILD, CLOSE, CHECK_PEER, START, ACTS };
static const char *const act_names[ACTS] = {
    "nothing", "rekey child", "rekey IKE", "delete child", "close", "check", "start",
};

static void act(struct s2_pair *p, unsigned number, enum act what)
{
    struct s2_pair_end *e = &p->end[number];
    struct s2_ike_sa *sa = s2_ike_find_up(e->ike, e);

    switch (what) {
    case REKEY_CHILD:
        (void)!s2_ike_rekey_child(e->ike, e, s2_pair_only_child(e)->spi_in, p->now_ns);
        break;
    case REKEY_IKE:
        (void)!s2_ike_rekey_sa(e->ike, e, p->now_ns);
        break;
    case DELETE_CHILD:
        s2_ike_enter(e->ike, p->now_ns);
        s2_ike_child_delete(sa, s2_ike_child_current(sa), S2_IKE_REASON_LOCAL);
        s2_ike_leave(e->ike);
        break;
    case CLOSE:
        s2_ike_terminate(e->ike, e, true, p->now_ns);
        break;
    case CHECK_PEER:
        (void)!s2_ike_check(e->ike, e, p->now_ns);
        break;
    case START:
        (void)s2_pair_initiate(p, number);
        break;
    default:
        break;
    }
}

/* What must be true whatever happened in between. */
static const char *judge(struct s2_pair *p, const enum act what[2], bool connected)
{
    const bool closed = what[0] == CLOSE || what[1] == CLOSE;
    const bool childless = what[0] == DELETE_CHILD || what[1] == DELETE_CHILD;

    for (size_t e = 0; e < 2; e++) {
        if (!s2_pair_balances(&p->end[e]))
            return "SPIs balance";
        if (p->end[e].job_count != 0)
            return "no job is left";
    }
    if (closed) {
        if (s2_pair_sas(&p->end[0]) + s2_pair_sas(&p->end[1]) != 0)
            return "all is closed";
        return p->end[0].last && p->end[1].last ? NULL : "the last one says so";
    }
    if (s2_pair_sas(&p->end[0]) != 1 || s2_pair_sas(&p->end[1]) != 1)
        return "one IKE SA remains";
    if (childless && s2_pair_children_up(&p->end[0]) == 0 && s2_pair_children_up(&p->end[1]) == 0)
        return NULL; /* deleted by both, or before it was rekeyed */
    if (!s2_pair_is_settled(p))
        return "one child with the same keys remains";
    if (connected && !childless && p->lost_packets > 0)
        return "no packet is lost";
    return NULL;
}

/* Follow one script: each digit says to which end the oldest datagram goes next, or
 * whose is lost. False if the script asks for a datagram that isn't there. */
static bool follow(struct s2_pair *p, unsigned script, unsigned depth, unsigned base)
{
    for (unsigned i = 0; i < depth; i++, script /= base) {
        const unsigned to = script % base % 2;
        const bool lose = script % base >= 2;
        const unsigned loss = p->end[to].received;

        if (lose) {
            struct s2_ike *ike = p->end[to].ike;

            p->end[to].ike = NULL; /* the network delivers to nobody */
            const bool was_there = s2_pair_deliver(p, to);
            p->end[to].ike = ike;
            p->end[to].received = loss;
            if (!was_there)
                return false;
        } else if (!s2_pair_deliver(p, to)) {
            return false;
        }
        s2_pair_run_for(p, 2 * S2_MS); /* jobs */
    }
    return true;
}

static void play(const enum act what[2], unsigned depth, unsigned base, uint64_t seed, bool later)
{
    unsigned scripts = 1;

    for (unsigned i = 0; i < depth; i++)
        scripts *= base;
    for (unsigned script = 0; script < scripts; script++) {
        const bool connected = what[0] != START;
        struct s2_pair p;
        char row[128];

        s2_pair_init(&p, seed);
        for (size_t e = 0; e < 2; e++) {
            p.end[e].config.ike.ke[0] = p.end[e].config.esp.ke[0] = S2SVPN_KE_CURVE25519;
            p.end[e].defer_jobs = later;
            p.end[e].config.dpd_delay_s = 60;
        }
        CU_ASSERT_TRUE_FATAL(connected ? s2_pair_connect(&p) : s2_pair_open(&p));
        p.traffic = connected;
        p.manual = true;
        for (unsigned e = 0; e < 2; e++)
            act(&p, e, what[e]);
        s2_pair_run_for(&p, 2 * S2_MS);
        const bool possible = follow(&p, script, depth, base);
        p.manual = false;
        if (possible) {
            s2_pair_run_for(&p, 200 * S2_SECOND);
            const char *wrong = judge(&p, what, connected);
            s2_print(row, sizeof(row), "%s / %s, seed %u, script %u of depth %u base %u: %s",
                     act_names[what[0]], act_names[what[1]], (unsigned)seed, script, depth, base,
                     wrong != NULL ? wrong : "all is well");
            CHECK_ROW(row, wrong == NULL);
        }
        s2_pair_close(&p);
        CU_ASSERT_EQUAL(p.end[0].fake.live + p.end[1].fake.live, 0);
    }
}

/* Without loss to the end, with loss for the first messages; jobs at once and later;
 * seeds for either order of nonces. */
static void play_all(enum act first, enum act second)
{
    const enum act what[2] = {first, second};

    for (uint64_t seed = FIRST_SEED; seed <= LAST_SEED; seed++) {
        play(what, 8, 2, seed, false);
        play(what, 6, 2, seed, true);
        play(what, 4, 4, seed, seed % 2 == 0);
    }
}

static void two_child_rekeys_leave_one_child(void)
{
    play_all(REKEY_CHILD, REKEY_CHILD);
}

static void two_ike_rekeys_leave_one_sa(void)
{
    play_all(REKEY_IKE, REKEY_IKE);
}

static void an_ike_rekey_meets_a_child_rekey(void)
{
    play_all(REKEY_IKE, REKEY_CHILD);
    play_all(REKEY_CHILD, REKEY_IKE);
}

static void a_deleted_child_meets_its_rekey(void)
{
    play_all(REKEY_CHILD, DELETE_CHILD);
    play_all(DELETE_CHILD, DELETE_CHILD);
}

static void a_deleted_child_meets_an_ike_rekey(void)
{
    play_all(REKEY_IKE, DELETE_CHILD);
}

static void closing_meets_everything(void)
{
    for (int other = NOTHING; other < START; other++)
        play_all((enum act)other, CLOSE);
}

static void a_check_meets_everything(void)
{
    play_all(CHECK_PEER, REKEY_CHILD);
    play_all(CHECK_PEER, REKEY_IKE);
    play_all(CHECK_PEER, CHECK_PEER);
}

static void both_sides_starting_leave_one_sa(void)
{
    play_all(START, START);
}

/* Both nonce orders do occur in the seeds above, and the rule is the RFC's: the
 * loser's creator closes it. */
static void the_lowest_nonce_loses(void)
{
    unsigned lost_by[2] = {0};

    for (uint64_t seed = FIRST_SEED; seed <= LAST_SEED; seed++) {
        struct s2_pair p;

        s2_pair_init(&p, seed);
        CU_ASSERT_TRUE_FATAL(s2_pair_connect(&p));
        p.manual = true;
        act(&p, 0, REKEY_CHILD);
        act(&p, 1, REKEY_CHILD);
        struct s2_ike_making *m[2];
        for (size_t e = 0; e < 2; e++)
            m[e] = s2_ike_find_up(p.end[e].ike, &p.end[e])->asking;
        CU_ASSERT_TRUE(s2_pair_deliver(&p, 0));
        CU_ASSERT_TRUE(s2_pair_deliver(&p, 1));
        /* Each has answered the other: all four nonces are drawn. */
        CU_ASSERT_TRUE(m[0]->collided && m[1]->collided);
        const s2svpn_span low[2] = {s2_span(m[0]->rival_low, m[0]->rival_low_len),
                                    s2_span(m[1]->rival_low, m[1]->rival_low_len)};
        /* rival_low of 0 is the low of the exchange that 1 began. */
        const unsigned loser = s2_ike_nonce_compare(low[0], low[1]) < 0 ? 1 : 0;
        p.manual = false;
        s2_pair_run_for(&p, S2_SECOND);
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        /* The survivor is the child that the winner asked for: it installed it last. */
        const struct s2_pair_child *child = s2_pair_only_child(&p.end[loser]);
        CU_ASSERT_EQUAL(child, &p.end[loser].child[1]);
        lost_by[loser]++;
        s2_pair_close(&p);
    }
    CU_ASSERT_TRUE(lost_by[0] > 0 && lost_by[1] > 0);
}

/* The table, and the file that was read by a human. */
static void the_state_table_is_the_reviewed_one(void)
{
    static char reviewed[16384];
    struct s2_buffer now;
    char path[512];
    size_t len = 0;

    s2_buffer_init(&now, s2_memory_default(), sizeof(reviewed));
    s2_ike_print_states(&now);
    const char *source = getenv("S2_SRC");
    s2_print(path, sizeof(path), "%s/tests/unit/ike/v2_states.txt", source != NULL ? source : ".");
    FILE *f = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL(f);
    if (f != NULL) {
        len = fread(reviewed, 1, sizeof(reviewed), f);
        fclose(f);
    }
    CU_ASSERT_EQUAL(now.rc, S2SVPN_OK);
    CU_ASSERT_EQUAL(now.len, len);
    CU_ASSERT_TRUE(now.len == len && memcmp(now.data, reviewed, len) == 0);
    s2_buffer_clear(&now);
}

const CU_TestInfo s2_test_collision[] = {
    {"each meeting has the verdict of the RFC", each_meeting_has_the_verdict_of_the_rfc},
    {"nonces compare octet by octet", nonces_compare_octet_by_octet},
    {"the state table is the reviewed one", the_state_table_is_the_reviewed_one},
    {"the lowest nonce loses", the_lowest_nonce_loses},
    {"two child rekeys leave one child", two_child_rekeys_leave_one_child},
    {"two IKE rekeys leave one SA", two_ike_rekeys_leave_one_sa},
    {"an IKE rekey meets a child rekey", an_ike_rekey_meets_a_child_rekey},
    {"a deleted child meets its rekey", a_deleted_child_meets_its_rekey},
    {"a deleted child meets an IKE rekey", a_deleted_child_meets_an_ike_rekey},
    {"closing meets everything", closing_meets_everything},
    {"a check meets everything", a_check_meets_everything},
    {"both sides starting leave one SA", both_sides_starting_leave_one_sa},
    CU_TEST_INFO_NULL,
};
