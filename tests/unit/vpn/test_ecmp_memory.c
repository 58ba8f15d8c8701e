/* SPDX-License-Identifier: Apache-2.0 */
/* Equal-cost multipath without memory: whatever allocation fails while a tunnel or a
 * connection comes or goes, every entry of the table leads to something that is there, and
 * a moment later all is as it should be. */
#include "harness.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"
#include "vpn/ways.h"

static const struct rig_plan statics = {.static_routes = true, .ecmp_paths = 2};

/* Is a target one of what lives? The groups are the router's own. */
static bool is_alive(struct rig *rig, uint64_t value)
{
    struct s2_router *r = &rig->vgw->router;
    const struct s2_group *g;
    bool alive = true;

    if (s2_target_kind(value) == S2_TARGET_TUNNEL)
        return s2_target_pointer(value) == &rig->cloud->tunnel[0] ||
               s2_target_pointer(value) == &rig->cloud->tunnel[1];
    if (s2_target_kind(value) != S2_TARGET_GROUP)
        return true;
    g = s2_target_pointer(value);
    alive = s2_groups_count(&r->groups) > 0 && g->uses > 0;
    for (uint32_t i = 0; i < g->count; i++)
        alive = alive && is_alive(rig, g->member[i].value);
    return alive;
}

static bool leads(void *arg, const s2svpn_prefix *prefix, const struct s2_rib_path *path,
                  size_t count, bool best_usable)
{
    struct rig *rig = arg;
    const uint64_t value = s2_fib_get(rig->vgw->router.fib, prefix);

    (void)path;
    (void)count;
    CU_ASSERT_TRUE(is_alive(rig, value));
    CU_ASSERT(best_usable || s2_target_kind(value) != S2_TARGET_GROUP);
    return true;
}

static void check_table(struct rig *rig)
{
    s2_rib_each(rig->vgw->router.rib, leads, rig);
}

/* What a tunnel's state does to its routes. */
static void set_up(struct rig *rig, size_t tunnel, bool up)
{
    s2svpn_context *ctx = rig->gateway.ctx;

    s2_enter(ctx, 0);
    s2_rib_set_usable(rig->vgw->router.rib, &rig->cloud->tunnel[tunnel], up, rig->now_ns);
    s2_leave(ctx);
}

static void fail_from_now(struct rig_heap *heap, size_t n)
{
    heap->failed = false;
    heap->fail_at = n ? heap->allocations + n : 0;
}

/* The LAN's prefix alone leads to the one group that there is. */
static void check_whole(struct rig *rig)
{
    const s2svpn_prefix lan = rig_prefix("192.168.0.0/16");
    const uint64_t value = s2_fib_get(rig->vgw->router.fib, &lan);
    static struct ways w;

    check_table(rig);
    ways_look(&rig->gateway, &w);
    CU_ASSERT_TRUE(ways_are_even(&w));
    CU_ASSERT_EQUAL(s2_groups_count(&rig->vgw->router.groups), 1);
    CU_ASSERT_EQUAL(s2_target_kind(value), S2_TARGET_GROUP);
    if (s2_target_kind(value) == S2_TARGET_GROUP)
        CU_ASSERT_EQUAL(((const struct s2_group *)s2_target_pointer(value))->uses, 1);
}

/* One pass with the n-th allocation failing; true: it was reached. */
static bool change_without_memory(struct rig *rig, size_t n)
{
    const s2svpn_prefix extra = rig_prefix("172.16.0.0/16");
    struct rig_heap *heap = &rig->gateway.heap;
    static struct ways w;

    fail_from_now(heap, n);
    set_up(rig, 0, false);
    check_table(rig);
    set_up(rig, 0, true);
    check_table(rig);
    (void)!s2svpn_connection_add_static_route(rig->cloud, &extra);
    check_table(rig);
    set_up(rig, 1, false);
    set_up(rig, 1, true);
    check_table(rig);
    (void)!s2svpn_connection_remove_static_route(rig->cloud, &extra);
    check_table(rig);
    const bool failed = heap->failed;
    fail_from_now(heap, 0);
    ways_look(&rig->gateway, &w); /* a sanitizer looks on */
    CU_ASSERT(failed || ways_are_even(&w));
    rig_run(rig, 2 * RIG_SECOND); /* what was missing is made good */
    check_whole(rig);
    return failed;
}

static void no_entry_leads_to_what_is_gone(void)
{
    static struct rig rig;
    size_t n = 1;

    if (rig_up(&rig, &statics)) {
        while (n < 200 && change_without_memory(&rig, n))
            n++;
        CU_ASSERT(n > 10 && n < 200); /* and the last pass had all that it asked for */
    }
    rig_close(&rig);
}

/* Until there is memory for the group, the best tunnel carries everything. */
static void the_best_tunnel_carries_all_until_there_is_a_group(void)
{
    static struct rig rig;
    static struct ways w;
    unsigned single = 0;
    bool failed = true;

    if (rig_up(&rig, &statics)) {
        for (size_t n = 1; n < 50 && failed; n++) {
            set_up(&rig, 0, false);
            fail_from_now(&rig.gateway.heap, n);
            set_up(&rig, 0, true);
            failed = rig.gateway.heap.failed;
            fail_from_now(&rig.gateway.heap, 0);
            ways_look(&rig.gateway, &w);
            CU_ASSERT_EQUAL(w.count[NO_WAY], 0);
            single += !ways_are_even(&w);
            rig_run(&rig, 2 * RIG_SECOND);
            check_whole(&rig);
        }
        CU_ASSERT(single > 0 && !failed);
    }
    rig_close(&rig);
}

/* The entry is missing, as after a failure; while it is made good the next one follows. */
static void an_entry_without_memory_holds_no_group(void)
{
    const s2svpn_prefix lan = rig_prefix("192.168.0.0/16");
    static struct rig rig;
    unsigned failures = 0;

    if (rig_up(&rig, &statics)) {
        struct s2_router *r = &rig.vgw->router;

        for (size_t n = 1; n < 8; n++) {
            s2_groups_give_back(&r->groups, s2_target_pointer(s2_fib_get(r->fib, &lan)));
            s2_fib_unset(r->fib, &lan);
            s2_enter(rig.gateway.ctx, 0);
            s2_router_repair(r);
            s2_leave(rig.gateway.ctx);
            fail_from_now(&rig.gateway.heap, n);
            rig_run(&rig, RIG_SECOND + RIG_SECOND / 2);
            failures += rig.gateway.heap.failed;
            fail_from_now(&rig.gateway.heap, 0);
            check_table(&rig);
            rig_run(&rig, 2 * RIG_SECOND);
            check_whole(&rig);
        }
        CU_ASSERT(failures > 0);
    }
    rig_close(&rig);
}

/* The entries go with the connection, even where nothing can be allocated. */
static void a_connection_goes_without_memory(void)
{
    const s2svpn_prefix lan = rig_prefix("192.168.0.0/16");
    static struct rig rig;

    for (size_t n = 1; n < 8; n++) {
        if (rig_up(&rig, &statics)) {
            fail_from_now(&rig.gateway.heap, n);
            (void)!s2svpn_connection_delete(rig.cloud);
            fail_from_now(&rig.gateway.heap, 0);
            if (rig.cloud->object.state == S2SVPN_STATE_DELETED) {
                CU_ASSERT_EQUAL(s2_fib_get(rig.vgw->router.fib, &lan), 0);
                CU_ASSERT_EQUAL(s2_groups_count(&rig.vgw->router.groups), 0);
            }
        }
        rig_close(&rig);
    }
}

const CU_TestInfo s2_test_ecmp_memory[] = {
    {"no entry leads to what is gone", no_entry_leads_to_what_is_gone},
    {"the best tunnel carries all until there is a group",
     the_best_tunnel_carries_all_until_there_is_a_group},
    {"an entry without memory holds no group", an_entry_without_memory_holds_no_group},
    {"a connection goes without memory", a_connection_goes_without_memory},
    CU_TEST_INFO_NULL,
};
