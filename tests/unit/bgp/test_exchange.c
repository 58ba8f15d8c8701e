/* SPDX-License-Identifier: Apache-2.0 */
/* Routes between two peers, and what policies make of them on the way. */
#include <string.h>

#include "world.h"

static bool count_family(void *arg, const s2svpn_prefix *p, const struct s2_bgp_attributes *a)
{
    unsigned *n = arg;

    CU_ASSERT_EQUAL(a->as_count, 1);
    n[p->address.family == S2SVPN_FAMILY_IPV6]++;
    return true;
}

static void ten_thousand_prefixes_go_each_way(void)
{
    world_open_pair();
    world_start();
    world_run(S2_SECOND);
    for (unsigned i = 0; i < 10000; i++) {
        world_advertise(0, S2SVPN_FAMILY_IPV4, i, i % 3);
        world_advertise(1, i % 2 ? S2SVPN_FAMILY_IPV6 : S2SVPN_FAMILY_IPV4, i, 7);
    }
    world_run(S2_SECOND);
    unsigned n[2] = {0, 0};
    CU_ASSERT_EQUAL(world_info(1).prefixes_in, 10000);
    CU_ASSERT_EQUAL(world_info(0).prefixes_in, 10000);
    s2_bgp_each_route(w.side[0].peer, count_family, n);
    CU_ASSERT(n[0] == 5000 && n[1] == 5000);
    CU_ASSERT(world_info(0).updates_out < 20 && world_info(1).updates_out < 30);
    for (unsigned i = 0; i < 10000; i++) {
        const s2svpn_prefix p = world_prefix(S2SVPN_FAMILY_IPV4, i);

        s2_bgp_withdraw(w.side[0].peer, &p, w.now_ns);
    }
    world_run(S2_SECOND);
    CU_ASSERT_EQUAL(world_info(1).prefixes_in, 0);
    CU_ASSERT(world_both_established());
    world_close();
}

/* The same through a pipe that holds 64 bytes and hands on 7: both directions stand
 * still and go on all the time. */
static void a_narrow_pipe_changes_nothing_but_time(void)
{
    world_open_pair();
    w.window = 64;
    w.piece = 7;
    for (unsigned i = 0; i < 500; i++) {
        world_advertise(0, S2SVPN_FAMILY_IPV4, i, i);
        world_advertise(1, S2SVPN_FAMILY_IPV6, i, i);
    }
    world_start();
    world_run(S2_SECOND);
    CU_ASSERT(world_both_established());
    CU_ASSERT_EQUAL(world_info(0).prefixes_in, 500);
    CU_ASSERT_EQUAL(world_info(1).prefixes_in, 500);
    world_close();
}

const CU_TestInfo s2_test_exchange[] = {
    {"ten thousand prefixes go each way", ten_thousand_prefixes_go_each_way},
    {"a narrow pipe changes nothing but time", a_narrow_pipe_changes_nothing_but_time},
    CU_TEST_INFO_NULL,
};
