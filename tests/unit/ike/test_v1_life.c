/* SPDX-License-Identifier: Apache-2.0 */
/* An IKEv1 tunnel's life: liveness, lifetimes, rekeys of both phases by either side and
 * both, deletes, fresh starts, a phase 1 that goes before its children. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "base/text.h"
#include "harness.h"
#include "ike/v1/v1.h"
#include "ike/v1_pair.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void up(struct s2_pair *p, uint64_t seed)
{
    s2_pair_init_v1(p, seed);
    CU_ASSERT_TRUE_FATAL(s2_pair_connect(p));
}

static void done(struct s2_pair *p)
{
    s2_pair_close(p);
    CU_ASSERT_EQUAL(p->end[0].fake.live + p->end[1].fake.live, 0);
}

static void rekey_child(struct s2_pair *p, unsigned number)
{
    struct s2_pair_end *e = &p->end[number];
    unsigned current = 0;

    for (size_t i = 0; i < e->children && current == 0; i++) {
        if (e->child[i].up)
            current += s2_ike_rekey_child(e->ike, e, e->child[i].spi_in, p->now_ns) == S2SVPN_OK;
    }
    CU_ASSERT_EQUAL(current, 1);
}

static void rekey_sa(struct s2_pair *p, unsigned number)
{
    CU_ASSERT_EQUAL(s2_ike_rekey_sa(p->end[number].ike, &p->end[number], p->now_ns), S2SVPN_OK);
}

/* ---- liveness */

static bool drop_all(struct s2_pair *p, struct s2_pair_datagram *d)
{
    (void)p;
    (void)d;
    return false;
}

static void a_silent_peer_is_found_dead(void)
{
    struct s2_pair p;

    up(&p, 1);
    p.filter = drop_all;
    s2_pair_run_for(&p, 35 * S2_SECOND);
    CU_ASSERT_EQUAL(p.end[0].sa_downs, 0); /* ten seconds of silence, thirty of asking */
    s2_pair_run_for(&p, 10 * S2_SECOND);
    for (unsigned e = 0; e < 2; e++) {
        CU_ASSERT_EQUAL(p.end[e].sa_downs, 1);
        CU_ASSERT_EQUAL(p.end[e].reason, S2_IKE_REASON_DPD);
        CU_ASSERT_TRUE(p.end[e].last);
        CU_ASSERT_EQUAL(s2_pair_children_up(&p.end[e]), 0);
    }
    done(&p);
}

static void a_quiet_peer_is_asked_and_answers(void)
{
    struct s2_pair p;

    up(&p, 2);
    s2_pair_run_for(&p, 300 * S2_SECOND);
    CU_ASSERT_TRUE(p.end[0].sent > 20);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    CU_ASSERT_EQUAL(p.end[0].sa_downs + p.end[1].sa_downs, 0);
    done(&p);
}

static void packets_on_a_child_are_a_sign_of_life(void)
{
    struct s2_pair p;

    up(&p, 3);
    const unsigned sent = p.end[0].sent;
    for (unsigned i = 0; i < 30; i++) {
        p.end[0].esp_inbound_ns = p.end[1].esp_inbound_ns = p.now_ns;
        s2_pair_run_for(&p, 5 * S2_SECOND);
    }
    CU_ASSERT_EQUAL(p.end[0].sent, sent);
    p.filter = drop_all; /* asked once, it is heard on a child */
    s2_pair_run_for(&p, 12 * S2_SECOND);
    CU_ASSERT_TRUE(p.end[0].sent > sent);
    p.end[0].esp_inbound_ns = p.end[1].esp_inbound_ns = p.now_ns;
    s2_pair_run_for(&p, 8 * S2_SECOND);
    for (unsigned i = 0; i < 10; i++) {
        p.end[0].esp_inbound_ns = p.end[1].esp_inbound_ns = p.now_ns;
        s2_pair_run_for(&p, 8 * S2_SECOND);
    }
    CU_ASSERT_EQUAL(p.end[0].sa_downs + p.end[1].sa_downs, 0);
    done(&p);
}

/* Somebody sends again what the peer sent when it was alive. */
static uint8_t kept[16][2048];
static size_t kept_len[16], kept_count;

static bool keep_informational(struct s2_pair *p, struct s2_pair_datagram *d)
{
    (void)p;
    if (d->to == 0 && d->p[18] == S2_IKE1_INFORMATIONAL && kept_count < 16) {
        memcpy(kept[kept_count], d->p, d->len);
        kept_len[kept_count++] = d->len;
    }
    return true;
}

static void old_answers_are_no_sign_of_life(void)
{
    struct s2_pair p;

    kept_count = 0;
    s2_pair_init_v1(&p, 4);
    p.filter = keep_informational;
    CU_ASSERT_TRUE_FATAL(s2_pair_connect(&p));
    s2_pair_run_for(&p, 60 * S2_SECOND);
    CU_ASSERT_TRUE(kept_count > 2);
    p.filter = drop_all;
    for (unsigned s = 0; s < 60 && p.end[0].sa_downs == 0; s++) {
        for (size_t i = 0; i < kept_count; i++)
            (void)s2_ike_receive(
                p.end[0].ike, &p.end[0].config.local,
                &(s2svpn_endpoint){
                    .address = p.end[0].config.remote, .port = 500, .role = S2SVPN_ROLE_IKE},
                memcpy((uint8_t[2048]){0}, kept[i], kept_len[i]), kept_len[i], p.now_ns);
        s2_pair_run_for(&p, S2_SECOND);
    }
    CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_DPD);
    done(&p);
}

/* ---- rekeys */

static const struct {
    const char *row;
    bool child[2], sa[2]; /* which end rekeys what, at the same moment */
} rekey_rows[] = {
    {"phase 2 by the initiator", {true, false}, {false, false}},
    {"phase 2 by the responder", {false, true}, {false, false}},
    {"phase 2 by both", {true, true}, {false, false}},
    {"phase 1 by the initiator", {false, false}, {true, false}},
    {"phase 1 by the responder", {false, false}, {false, true}},
    {"phase 1 by both", {false, false}, {true, true}},
    {"both phases by one", {true, false}, {true, false}},
    {"each phase by another", {true, false}, {false, true}},
    {"all at once", {true, true}, {true, true}},
};

static void rekeys_by_either_side_and_both_lose_nothing(void)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        for (size_t i = 0; i < COUNT(rekey_rows); i++) {
            const char *row = rekey_rows[i].row;
            struct s2_ike_sa_info info;
            struct s2_pair p;

            up(&p, 100 + seed);
            p.end[0].defer_jobs = seed % 2 == 1;
            p.end[1].defer_jobs = seed % 3 == 1;
            p.traffic = true;
            const uint32_t spi = p.end[0].child[0].spi_in;
            const uint64_t cookie = p.end[0].info.spi_i;
            for (unsigned e = 0; e < 2; e++) {
                if (rekey_rows[i].child[e])
                    rekey_child(&p, e);
                if (rekey_rows[i].sa[e])
                    rekey_sa(&p, e);
                s2_pair_run_for(&p, seed * S2_MS);
            }
            s2_pair_run_for(&p, 140 * S2_SECOND);
            CHECK_ROW(row, s2_pair_is_settled(&p));
            CHECK_ROW(row, p.lost_packets == 0);
            CHECK_ROW(row, s2_pair_balances(&p.end[0]) && s2_pair_balances(&p.end[1]));
            const struct s2_pair_child *child = s2_pair_only_child(&p.end[0]);
            const bool any_child = rekey_rows[i].child[0] || rekey_rows[i].child[1];
            const bool any_sa = rekey_rows[i].sa[0] || rekey_rows[i].sa[1];
            CHECK_ROW(row, child != NULL && (child->spi_in != spi) == any_child);
            CHECK_ROW(row, s2_ike_get_info(p.end[0].ike, &p.end[0], &info) &&
                               (info.spi_i != cookie) == any_sa);
            done(&p);
        }
    }
}

static void lifetimes_rekey_before_they_end(void)
{
    struct s2_pair p;

    s2_pair_init_v1(&p, 5);
    p.traffic = true;
    p.end[0].config.ike_lifetime_s = p.end[1].config.ike_lifetime_s = 7200;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
    s2_pair_run_for(&p, S2_SECOND);
    p.lost_packets = 0;
    s2_pair_run_for(&p, 4 * 3600 * S2_SECOND);
    s2_pair_run_for(&p, 200 * S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    CU_ASSERT_EQUAL(p.lost_packets, 0);
    CU_ASSERT_TRUE(p.end[0].children >= 4 && p.end[0].children <= 6);
    CU_ASSERT_TRUE(p.end[0].sa_ups >= 2 && p.end[0].sa_ups <= 4);
    done(&p);
}

/* The shorter one counts, whoever has it: in the transform, or in a notification. */
static void the_shorter_lifetime_is_agreed_on(void)
{
    for (unsigned e = 0; e < 2; e++) {
        struct s2_pair p;

        s2_pair_init_v1(&p, 6 + e);
        p.end[e].config.child_lifetime_s = 1200;
        p.end[0].config.rekey_margin_s = p.end[1].config.rekey_margin_s = 100;
        p.end[0].config.rekey_fuzz_percent = p.end[1].config.rekey_fuzz_percent = 0;
        CU_ASSERT_TRUE_FATAL(s2_pair_connect(&p));
        s2_pair_run_for(&p, 1090 * S2_SECOND);
        CU_ASSERT_EQUAL(p.end[0].children, 1);
        s2_pair_run_for(&p, 15 * S2_SECOND);
        CU_ASSERT_TRUE(p.end[0].children > 1);
        done(&p);
    }
}

static void kilobytes_are_agreed_on(void)
{
    static const struct {
        const char *row;
        uint32_t kb[2];
        uint32_t agreed;
    } rows[] = {
        {"none", {0, 0}, 0},
        {"of the initiator", {5000, 0}, 5000},
        {"of the responder", {0, 6000}, 6000},
        {"the smaller", {5000, 4000}, 4000},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct s2_pair p;

        s2_pair_init_v1(&p, 8);
        for (unsigned e = 0; e < 2; e++)
            p.end[e].config.child_lifetime_kb = rows[i].kb[e];
        CHECK_ROW(rows[i].row, s2_pair_connect(&p));
        for (unsigned e = 0; e < 2; e++)
            CHECK_ROW(rows[i].row, p.end[e].child[0].lifetime_kb == rows[i].agreed);
        s2_pair_close(&p);
    }
}

/* ---- one pair a tunnel */

/* The peer's second quick mode has other selectors: they displace the first. */
static void a_second_pair_displaces_the_first(void)
{
    struct s2_ike_config *live;
    struct s2_pair p;

    up(&p, 9);
    live = p.end[0].live;
    live->remote_net.length = 24;
    rekey_child(&p, 0);
    s2_pair_run_for(&p, S2_V1_SETTLE_NS);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    CU_ASSERT_EQUAL(p.end[1].child[1].replaces, p.end[1].child[0].spi_in);
    CU_ASSERT_EQUAL(p.end[1].child[1].local_ts.last[2], 0);
    done(&p);
}

/* ---- ends */

static void closing_tells_the_peer(void)
{
    for (unsigned e = 0; e < 2; e++) {
        struct s2_pair p;

        up(&p, 10 + e);
        s2_ike_terminate(p.end[e].ike, &p.end[e], true, p.now_ns);
        CU_ASSERT_EQUAL(p.end[e].reason, S2_IKE_REASON_LOCAL);
        s2_pair_run_for(&p, S2_SECOND);
        CU_ASSERT_EQUAL(p.end[1 - e].sa_downs, 1);
        CU_ASSERT_EQUAL(p.end[1 - e].reason, S2_IKE_REASON_PEER_DELETE);
        CU_ASSERT_EQUAL(s2_pair_sas(&p.end[0]) + s2_pair_sas(&p.end[1]), 0);
        done(&p);
    }
}

/* Without its child a phase 1 SA stays, and may be told to make another. */
static void a_deleted_child_can_be_made_again(void)
{
    struct s2_pair p;

    up(&p, 12);
    struct s2_ike_sa *sa = s2_ike_find_up(p.end[1].ike, &p.end[1]);
    s2_ike_enter(p.end[1].ike, p.now_ns);
    s2_ike1_child_delete(sa, s2_ike_child_current(sa), S2_IKE_REASON_LOCAL);
    s2_ike_touch(sa);
    s2_ike_leave(p.end[1].ike);
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_EQUAL(p.end[0].child_reason, S2_IKE_REASON_PEER_DELETE);
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[0]), 1);
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    done(&p);
}

/* End 1 loses all it knows and starts again: INITIAL-CONTACT takes the old down. */
static void a_fresh_start_takes_the_old_down(void)
{
    for (unsigned e = 0; e < 2; e++) {
        struct s2_pair p;

        up(&p, 13 + e);
        s2_pair_forget(&p, e);
        for (size_t i = 0; i < p.end[e].children; i++)
            p.end[e].child[i].up = false;
        CU_ASSERT_TRUE(s2_pair_initiate(&p, e));
        s2_pair_run_for(&p, S2_SECOND);
        CU_ASSERT_EQUAL(p.end[1 - e].sa_downs, 1);
        CU_ASSERT_EQUAL(p.end[1 - e].reason, S2_IKE_REASON_INITIAL_CONTACT);
        CU_ASSERT_FALSE(p.end[1 - e].last);
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        done(&p);
    }
}

static void both_may_start_at_once(void)
{
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct s2_pair p;

        s2_pair_init_v1(&p, 200 + seed);
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
        s2_pair_run_for(&p, seed * 3 * S2_MS);
        CU_ASSERT_TRUE(s2_pair_initiate(&p, 1) || s2_pair_sas(&p.end[1]) > 0);
        s2_pair_run_for(&p, 140 * S2_SECOND);
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        done(&p);
    }
}

/* ---- a phase 1 that goes before its children */

static void delete_phase_1(struct s2_pair *p, unsigned by)
{
    struct s2_ike_sa *sa = s2_ike_find_up(p->end[by].ike, &p->end[by]);

    s2_ike_enter(p->end[by].ike, p->now_ns);
    s2_ike1_send_delete(sa, 0);
    s2_ike_leave(p->end[by].ike);
    s2_pair_run_for(p, 100 * S2_MS);
}

static void a_phase_1_may_go_before_its_children(void)
{
    struct s2_pair p;

    up(&p, 15);
    delete_phase_1(&p, 1);
    CU_ASSERT_EQUAL(s2_pair_children_up(&p.end[0]), 1);
    CU_ASSERT_EQUAL(p.end[0].sa_downs, 0);
    CU_ASSERT_EQUAL(s2_ike_check(p.end[0].ike, &p.end[0], p.now_ns), S2SVPN_E_NOT_FOUND);
    s2_pair_run_for(&p, 15 * S2_SECOND); /* it needs one to ask whether the peer lives */
    CU_ASSERT_EQUAL(p.end[0].sa_ups, 2);
    CU_ASSERT_EQUAL(s2_pair_children_up(&p.end[0]), 1);
    CU_ASSERT_EQUAL(p.end[0].children, 1); /* the same one */
    CU_ASSERT_FALSE(p.end[0].last);
    s2_pair_run_for(&p, 140 * S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    done(&p);
}

static void an_orphan_nobody_adopts_goes_down(void)
{
    struct s2_pair p;

    up(&p, 16);
    delete_phase_1(&p, 1);
    p.filter = drop_all;
    s2_pair_run_for(&p, 200 * S2_SECOND);
    CU_ASSERT_EQUAL(p.end[0].sa_downs, 1);
    CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_PEER_DELETE);
    CU_ASSERT_EQUAL(s2_pair_children_up(&p.end[0]), 0);
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[0]), 0);
    done(&p);
}

/* ---- callbacks may do anything */

static const char *hook_at;
static void (*hook_does)(struct s2_pair_end *end);
static bool hooked;

static void hook(struct s2_pair_end *end, const char *callback)
{
    if (hooked || strcmp(callback, hook_at) != 0)
        return;
    hooked = true;
    hook_does(end);
}

static void do_forget(struct s2_pair_end *end)
{
    s2_pair_forget(end->pair, end->number);
    for (size_t i = 0; i < end->children; i++)
        end->child[i].up = false;
}

static void do_kill(struct s2_pair_end *end)
{
    s2_ike_terminate(end->ike, end, false, end->pair->now_ns);
}

static void do_close(struct s2_pair_end *end)
{
    s2_ike_terminate(end->ike, end, true, end->pair->now_ns);
}

static void do_rekey(struct s2_pair_end *end)
{
    (void)!s2_ike_rekey_sa(end->ike, end, end->pair->now_ns);
    (void)!s2_ike_initiate(end->ike, end->live, end->pair->now_ns);
}

static void callbacks_may_do_anything(void)
{
    static const char *const callbacks[] = {"sa_up", "child_up",   "child_down", "sa_down",
                                            "note",  "peer_moved", "keepalive",  "send"};
    static void (*const acts[])(struct s2_pair_end *) = {do_forget, do_kill, do_close, do_rekey};

    for (size_t i = 0; i < COUNT(callbacks); i++) {
        for (size_t k = 0; k < COUNT(acts); k++) {
            for (unsigned e = 0; e < 2; e++) {
                struct s2_pair p;

                s2_pair_init_v1(&p, 300 + i);
                p.nat = i % 2 == 1;
                if (p.nat)
                    p.end[1].config.remote.family = S2SVPN_FAMILY_NONE;
                hook_at = callbacks[i];
                hook_does = acts[k];
                hooked = false;
                p.end[e].hook = hook;
                CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
                for (unsigned round = 0; round < 4; round++) {
                    (void)s2_pair_initiate(&p, 0);
                    s2_pair_run_for(&p, 2 * S2_SECOND);
                    for (size_t c = 0; c < p.end[0].children; c++)
                        (void)!s2_ike_rekey_child(p.end[0].ike, &p.end[0], p.end[0].child[c].spi_in,
                                                  p.now_ns);
                    s2_pair_run_for(&p, 15 * S2_SECOND);
                    (void)!s2_ike_rekey_sa(p.end[1].ike, &p.end[1], p.now_ns);
                    p.nat_shift = (uint16_t)(p.nat_shift + p.nat);
                    s2_pair_run_for(&p, 30 * S2_SECOND);
                }
                done(&p);
            }
        }
    }
}

/* ---- both versions */

/* Whichever came up first: what both ends have of IKEv2, and answers, is what is left. */
static void ikev1_goes_where_ikev2_answers(void)
{
    for (unsigned first = 1; first <= 2; first++) {
        const char *row = first == 1 ? "IKEv1 first" : "IKEv2 first";
        struct s2_ike_sa_info info;
        struct s2_pair p;

        s2_pair_init(&p, 30 + first);
        for (unsigned e = 0; e < 2; e++) {
            p.end[e].config.versions = S2_IKE_ALLOW_V1 | S2_IKE_ALLOW_V2;
            p.end[e].config.ikev1_first = (e == 0) == (first == 1);
        }
        CHECK_ROW(row, s2_pair_connect(&p) && p.end[0].info.version == first);
        p.traffic = true;
        CHECK_ROW(row, s2_pair_initiate(&p, 1));
        s2_pair_run_for(&p, 45 * S2_SECOND);
        CHECK_ROW(row, p.end[0].sa_ups == 2 && s2_pair_is_settled(&p));
        CHECK_ROW(row, s2_ike_get_info(p.end[0].ike, &p.end[0], &info) && info.version == 2);
        CHECK_ROW(row, p.lost_packets == 0);
        done(&p);
    }
}

const CU_TestInfo s2_test_v1_life[] = {
    {"ikev1 goes where ikev2 answers", ikev1_goes_where_ikev2_answers},
    {"a silent peer is found dead", a_silent_peer_is_found_dead},
    {"a quiet peer is asked and answers", a_quiet_peer_is_asked_and_answers},
    {"packets on a child are a sign of life", packets_on_a_child_are_a_sign_of_life},
    {"old answers are no sign of life", old_answers_are_no_sign_of_life},
    {"rekeys by either side and both lose nothing", rekeys_by_either_side_and_both_lose_nothing},
    {"lifetimes rekey before they end", lifetimes_rekey_before_they_end},
    {"the shorter lifetime is agreed on", the_shorter_lifetime_is_agreed_on},
    {"kilobytes are agreed on", kilobytes_are_agreed_on},
    {"a second pair displaces the first", a_second_pair_displaces_the_first},
    {"closing tells the peer", closing_tells_the_peer},
    {"a deleted child can be made again", a_deleted_child_can_be_made_again},
    {"a fresh start takes the old down", a_fresh_start_takes_the_old_down},
    {"both may start at once", both_may_start_at_once},
    {"a phase 1 may go before its children", a_phase_1_may_go_before_its_children},
    {"an orphan nobody adopts goes down", an_orphan_nobody_adopts_goes_down},
    {"callbacks may do anything", callbacks_may_do_anything},
    CU_TEST_INFO_NULL,
};
