/* SPDX-License-Identifier: Apache-2.0 */
/* How soon a peer is tried again after a failure: RFC 4271 section 8.1.1 and 10, RFC 4486
 * section 4. */
#include <string.h>

#include "world.h"

static void a_refused_connection_is_tried_again_less_and_less_often(void)
{
    world_open_pair();
    w.side[0].refuses = true;
    s2_bgp_start(w.side[1].peer, w.now_ns);
    world_run(S2_SECOND);
    CU_ASSERT_STRING_EQUAL(w.side[1].states, " Connect Active");
    CU_ASSERT_STRING_EQUAL(w.side[1].why, "refused");
    world_run(30 * S2_SECOND);
    CU_ASSERT_EQUAL(w.side[1].connects, 2);
    world_run(60 * S2_SECOND);
    CU_ASSERT_EQUAL(w.side[1].connects, 3);
    world_run(3600 * S2_SECOND); /* every 90 to 120 seconds in the end */
    CU_ASSERT(w.side[1].connects >= 3 + 29 && w.side[1].connects <= 3 + 41);
    w.side[0].refuses = false;
    s2_bgp_start(w.side[0].peer, w.now_ns);
    world_run(120 * S2_SECOND);
    CU_ASSERT(world_both_established());
    world_close();
}

/* A peer that closes each session at once is met less and less often, up to two
 * minutes; once a session has lasted, a failure is forgiven. */
static void flapping_is_damped(void)
{
    struct s2_bgp_spec a = world_spec(0), b = world_spec(1);

    a.peer_asn = 65099; /* refuses the other's OPEN */
    a.passive = true;
    world_open(&a, &b);
    world_start();
    world_run(S2_SECOND / 2);
    CU_ASSERT(w.side[1].code == 2 && w.side[1].subcode == 2);
    CU_ASSERT_STRING_EQUAL(w.side[1].why, "received OPEN Message Error/Bad Peer AS");
    CU_ASSERT_STRING_EQUAL(w.side[0].text, "its OPEN names AS 65001, not 65099");
    world_run(3600 * S2_SECOND);
    CU_ASSERT(w.side[1].connects > 20 && w.side[1].connects < 60);
    CU_ASSERT_EQUAL(w.side[1].established, 0);
    world_close();
}

/* Sessions that come up and break within a second. */
static void sessions_that_do_not_last_are_damped_too(void)
{
    world_open_pair();
    world_start();
    for (unsigned i = 0; i < 3600; i++) {
        world_run(S2_SECOND);
        if (world_both_established())
            world_cut();
    }
    CU_ASSERT(w.side[0].established > 20 && w.side[0].established < 60);
    world_close();
}

static void a_session_that_lasted_comes_back_within_a_second(void)
{
    world_open_pair();
    world_start();
    for (unsigned i = 0; i < 10; i++) {
        world_run(100 * S2_SECOND);
        CU_ASSERT(world_both_established());
        world_cut();
        CU_ASSERT(!world_both_established());
        world_run(3 * S2_SECOND / 2);
        CU_ASSERT(world_both_established());
    }
    world_close();
}

/* ---- too many prefixes */

/* Side 0 takes four; side 1 has five, and comes as soon as it is let. */
static void open_over_limit(void)
{
    struct s2_bgp_spec a = world_spec(0), b = world_spec(1);

    a.max_prefixes = 4;
    b.connect_retry_s = 1;
    world_open(&a, &b);
    for (unsigned i = 0; i < 5; i++)
        world_advertise(1, S2SVPN_FAMILY_IPV4, i, 1);
    world_start();
}

static void a_peer_with_too_many_prefixes_is_met_less_and_less_often(void)
{
    open_over_limit();
    world_run(S2_SECOND);
    CU_ASSERT(w.side[0].established == 1 && !world_both_established());
    CU_ASSERT(w.side[1].received == 1 && w.side[1].code == 6 && w.side[1].subcode == 1);
    CU_ASSERT_STRING_EQUAL(w.side[0].why, "sent Cease/Maximum Number of Prefixes Reached");
    CU_ASSERT_STRING_EQUAL(w.side[1].why, "received Cease/Maximum Number of Prefixes Reached");
    world_run(19 * S2_SECOND); /* 22.5 to 30 seconds */
    CU_ASSERT_EQUAL(w.side[0].established, 1);
    world_run(15 * S2_SECOND);
    CU_ASSERT_EQUAL(w.side[0].established, 2);
    world_run(3600 * S2_SECOND); /* 60, 120, 240, 480, then 900 s, up to a quarter less */
    CU_ASSERT(w.side[0].established >= 2 + 6 && w.side[0].established <= 2 + 9);
    CU_ASSERT_EQUAL(w.side[0].sent, w.side[0].established);
    world_close();
}

/* The operator of either side mends it. */
static void another_policy_ends_the_rest(void)
{
    const s2svpn_bgp_prefix_match zero = {.prefix = world_prefix(S2SVPN_FAMILY_IPV4, 0)};
    const s2svpn_bgp_rule rule = {.prefixes = &zero, .prefix_count = 1, .accept = false};
    s2svpn_bgp_policy p = S2SVPN_BGP_POLICY_INIT;

    p.rules = &rule;
    p.rule_count = 1;
    for (int side = 0; side < 2; side++) {
        open_over_limit();
        world_run(600 * S2_SECOND);
        CU_ASSERT(!world_both_established());
        CU_ASSERT_EQUAL(s2_bgp_set_policies(w.side[side].peer, side == 0 ? &p : NULL,
                                            side == 1 ? &p : NULL, w.now_ns),
                        S2SVPN_OK);
        world_run(900 * S2_SECOND); /* the other side rests on */
        CU_ASSERT(world_both_established());
        CU_ASSERT_EQUAL(world_info(0).prefixes_in, 4);
        world_close();
    }
}

static void near_the_limit_is_told_once_on_the_way_up(void)
{
    struct s2_bgp_spec a = world_spec(0), b = world_spec(1);

    a.max_prefixes = 100;
    a.passive = true;
    world_open(&a, &b);
    world_start();
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 74; i++)
            world_advertise(1, S2SVPN_FAMILY_IPV4, i, 1);
        world_run(S2_SECOND);
        CU_ASSERT_EQUAL(w.side[0].near_limit, round);
        for (unsigned i = 74; i < 100; i++) {
            world_advertise(1, S2SVPN_FAMILY_IPV4, i, 1);
            world_run(S2_SECOND);
        }
        CU_ASSERT_EQUAL(w.side[0].near_limit, round + 1);
        CU_ASSERT(w.side[0].near_count == 75 && w.side[0].near_most == 100);
        for (unsigned i = 100; i-- > 49;) {
            const s2svpn_prefix p = world_prefix(S2SVPN_FAMILY_IPV4, i);

            if (i == 60) /* up again, which is no news */
                world_advertise(1, S2SVPN_FAMILY_IPV4, 99, 1);
            s2_bgp_withdraw(w.side[1].peer, &p, w.now_ns);
        }
        const s2svpn_prefix last = world_prefix(S2SVPN_FAMILY_IPV4, 99);
        s2_bgp_withdraw(w.side[1].peer, &last, w.now_ns);
        world_run(S2_SECOND);
        CU_ASSERT_EQUAL(world_info(0).prefixes_in, 49);
    }
    CU_ASSERT(world_both_established());
    world_close();
}

const CU_TestInfo s2_test_damping[] = {
    {"a refused connection is tried again less and less often",
     a_refused_connection_is_tried_again_less_and_less_often},
    {"flapping is damped", flapping_is_damped},
    {"sessions that do not last are damped too", sessions_that_do_not_last_are_damped_too},
    {"a session that lasted comes back within a second",
     a_session_that_lasted_comes_back_within_a_second},
    {"a peer with too many prefixes is met less and less often",
     a_peer_with_too_many_prefixes_is_met_less_and_less_often},
    {"another policy ends the rest", another_policy_ends_the_rest},
    {"near the limit is told once on the way up", near_the_limit_is_told_once_on_the_way_up},
    CU_TEST_INFO_NULL,
};
