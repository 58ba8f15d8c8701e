/* SPDX-License-Identifier: Apache-2.0 */
/* Two IKE engines alone, and nothing but rekeys and deletes that cross: who asks what
 * and when, how long each message takes, which are lost and how slow the key exchanges
 * are is the seed's choice, so that the orders of RFC 7296 sections 2.8.1, 2.8.2 and
 * 2.25 come about, one inside the other too. In the end there is one IKE SA and one
 * child, the same at both ends, and no packet of theirs was lost. The unit tests walk
 * through the orders of one meeting; this scene is of several. It goes through the
 * engine's door, where deletes of a child can be asked for, too. */
#include <CUnit/CUnit.h>

#include "campaign.h"

#include "ike/pair.h"
#include "ike/sa.h"
#include "ike/v1/v1.h"
#include "ike/v1_pair.h"
#include "ike/v2/v2.h"

#define ACTS 6
/* Of a seed: the tries leave after 0, 2, 5.6, 12.1 and 23.8 s, and with the slowest delays
 * both ways the fourth is answered within the 30 s after which a peer counts as dead. */
#define LOSSES 3

/* What the pair's own files check, where CUnit isn't running. */
CU_BOOL CU_assertImplementation(CU_BOOL value, unsigned line, const char *condition,
                                const char *file, const char *function, CU_BOOL fatal)
{
    (void)function;
    (void)fatal;
    return scene_check(value, condition, file, (int)line);
}

enum act { REKEY_CHILD, REKEY_IKE, DELETE_CHILD, ACT_KINDS };

struct play {
    struct s2_pair pair;
    s2svpn_sim *dice;
    unsigned loss_percent, losses;
    unsigned slowest; /* of the list below */
    bool deleted, v1_deletes;
};

static uint64_t roll(struct play *p, uint64_t low, uint64_t high)
{
    return campaign_roll(p->dice, low, high);
}

/* Around the round trip, the key exchange, the first and second retransmission and the
 * time that an old child is kept. */
static const uint64_t delay_ms[] = {1, 5, 10, 12, 50, 300, 1990, 2010, 3700, 5200};
#define DELAYS (sizeof(delay_ms) / sizeof(delay_ms[0]))

static bool each_message_takes_its_time(struct s2_pair *pair, struct s2_pair_datagram *d)
{
    struct play *p = pair->filter_arg;

    /* Nobody agrees to IKEv1's deletes, and of the current child nothing else tells. */
    const bool may_be_lost = !p->v1_deletes || d->p[18] != INFORMATIONAL_1;

    if (may_be_lost && p->losses > 0 && roll(p, 1, 100) <= p->loss_percent) {
        p->losses--;
        return false;
    }
    d->at_ns = pair->now_ns + delay_ms[roll(p, 0, p->slowest)] * S2_MS;
    return true;
}

static void act(struct play *p, unsigned number, enum act what)
{
    struct s2_pair_end *e = &p->pair.end[number];
    struct s2_ike_sa *sa = s2_ike_find_up(e->ike, e);
    struct s2_ike_child_sa *child = sa ? s2_ike_child_current(sa) : NULL;

    if (!child)
        return;
    /* What the peer hasn't yet can't be deleted: the delete would be there first. */
    if (scene_is_ikev1() && what == DELETE_CHILD &&
        !S2_CONTAINER(child, struct s2_ike1_child, base)->complete)
        return;
    if (scene_is_verbose())
        scene_say("%llu ms: end %u, act %u", (unsigned long long)(p->pair.now_ns / S2_MS), number,
                  (unsigned)what);
    switch (what) {
    case REKEY_CHILD: /* fails while another exchange is under way */
        (void)!s2_ike_rekey_child(e->ike, e, child->spi_in, p->pair.now_ns);
        break;
    case REKEY_IKE:
        (void)!s2_ike_rekey_sa(e->ike, e, p->pair.now_ns);
        break;
    default:
        p->deleted = true;
        s2_ike_enter(e->ike, p->pair.now_ns);
        (scene_is_ikev1() ? s2_ike1_child_delete : s2_ike_child_delete)(sa, child,
                                                                        S2_IKE_REASON_LOCAL);
        s2_ike_leave(e->ike);
    }
}

static void judge(struct play *p)
{
    struct s2_pair *pair = &p->pair;

    /* Deleted by both, or before the other one had it: nothing is rekeyed any more, the
     * IKE SA may be closed, and whoever starts it makes another. */
    if (p->deleted && s2_pair_children_up(&pair->end[0]) == 0 &&
        s2_pair_children_up(&pair->end[1]) == 0) {
        const bool another_child_can_be_made = s2_pair_initiate(pair, 0);

        CHECK(another_child_can_be_made);
        s2_pair_run_for(pair, 20 * S2_SECOND);
    }

    const bool one_ike_sa_at_each_end =
        s2_pair_sas(&pair->end[0]) == 1 && s2_pair_sas(&pair->end[1]) == 1;
    const bool one_child_the_same_at_both_ends = s2_pair_is_settled(pair),
               no_packet_was_lost = p->deleted || pair->lost_packets == 0,
               every_spi_is_accounted_for =
                   s2_pair_balances(&pair->end[0]) && s2_pair_balances(&pair->end[1]),
               no_job_is_left = pair->end[0].job_count == 0 && pair->end[1].job_count == 0;
    CHECK(one_ike_sa_at_each_end);
    CHECK(one_child_the_same_at_both_ends);
    CHECK(no_packet_was_lost);
    CHECK(every_spi_is_accounted_for);
    CHECK(no_job_is_left);
}

static void cross(uint64_t seed, unsigned kinds)
{
    static struct play p; /* big: every child that was ever seen */

    p = (struct play){.deleted = false};
    if (!CHECK(s2svpn_sim_new(seed, &p.dice) == S2SVPN_OK))
        return;
    (scene_is_ikev1() ? s2_pair_init_v1 : s2_pair_init)(&p.pair, seed);
    p.pair.trace = scene_is_verbose();
    p.slowest = (unsigned)roll(&p, 0, DELAYS - 1);
    p.loss_percent = roll(&p, 0, 1) ? (unsigned)roll(&p, 5, 40) : 0;
    p.losses = LOSSES;
    p.v1_deletes = scene_is_ikev1() && kinds > DELETE_CHILD;
    for (unsigned e = 0; e < 2; e++) {
        struct s2_ike_config *c = &p.pair.end[e].config;

        c->dpd_delay_s = roll(&p, 0, 1) ? 10 : 60;
        c->ike.ke[0] = c->esp.ke[0] = S2SVPN_KE_CURVE25519;
        p.pair.end[e].defer_jobs = roll(&p, 0, 1);
    }
    if (CHECK(s2_pair_connect(&p.pair))) {
        p.pair.filter = each_message_takes_its_time;
        p.pair.filter_arg = &p;
        p.pair.traffic = true;
        const uint64_t spread_ms = delay_ms[roll(&p, 2, DELAYS - 1)];
        const unsigned acts = (unsigned)roll(&p, 2, ACTS);
        for (unsigned i = 0; i < acts; i++) {
            act(&p,
                i == 0   ? 0
                : i == 1 ? 1
                         : (unsigned)roll(&p, 0, 1),
                (enum act)roll(&p, 0, kinds - 1));
            s2_pair_run_for(&p.pair, roll(&p, 0, spread_ms) * S2_MS);
        }
        s2_pair_run_for(&p.pair, 400 * S2_SECOND); /* retransmissions, and the grace behind */
        judge(&p);
    }
    s2_pair_close(&p.pair);
    const bool no_memory_is_left = p.pair.end[0].fake.live + p.pair.end[1].fake.live == 0;
    CHECK(no_memory_is_left);
    s2svpn_sim_free(p.dice);
}

static void child_rekeys(uint64_t seed)
{
    cross(seed, REKEY_CHILD + 1);
}

static void rekeys_of_both_kinds(uint64_t seed)
{
    cross(seed, REKEY_IKE + 1);
}

static void rekeys_and_deletes(uint64_t seed)
{
    cross(seed, ACT_KINDS);
}

int main(int argc, char **argv)
{
    const struct scene_test tests[] = {
        {"child rekeys that cross leave one child", child_rekeys, campaign_seeds(500)},
        {"rekeys of both kinds that cross leave one of each", rekeys_of_both_kinds,
         campaign_seeds(1000)},
        {"rekeys and deletes that cross leave one of each", rekeys_and_deletes,
         campaign_seeds(500)},
    };
    const struct scene_test v1_tests[] = {
        {"child rekeys that cross leave one child", child_rekeys, campaign_seeds(300)},
        {"rekeys of both kinds that cross leave one of each", rekeys_of_both_kinds,
         campaign_seeds(500)},
        {"rekeys and deletes that cross leave one of each", rekeys_and_deletes,
         campaign_seeds(300)},
    };

    return scene_main_versions(argc, argv, "sim/crossing_exchanges_leave_one_child", tests,
                               sizeof(tests) / sizeof(tests[0]), v1_tests,
                               sizeof(v1_tests) / sizeof(v1_tests[0]));
}
