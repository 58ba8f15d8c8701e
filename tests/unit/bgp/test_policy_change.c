/* SPDX-License-Identifier: Apache-2.0 */
/* Policies that change: what was advertised goes through the new one and only differences
 * are told; what was announced comes again. Between two peers, each the other's witness. */
#include <string.h>

#include "base/address.h"
#include "world.h"

#define IPV4 S2SVPN_FAMILY_IPV4

static s2svpn_bgp_policy policy_of(const s2svpn_bgp_rule *rules, size_t n, bool deny_others)
{
    s2svpn_bgp_policy p = S2SVPN_BGP_POLICY_INIT;

    p.rules = rules;
    p.rule_count = n;
    p.deny_others = deny_others;
    return p;
}

static s2svpn_status change(int side, const s2svpn_bgp_policy *in, const s2svpn_bgp_policy *out)
{
    return s2_bgp_set_policies(w.side[side].peer, in, out, w.now_ns);
}

/* Side 1 advertises n prefixes with MED 1 and 2 in turns, and side 0 has them. */
static void establish(unsigned n)
{
    world_open_pair();
    for (unsigned i = 0; i < n; i++)
        world_advertise(1, IPV4, i, 1 + i % 2);
    world_start();
    world_run(S2_SECOND);
    CU_ASSERT_FATAL(world_both_established());
    CU_ASSERT_EQUAL_FATAL(world_info(0).prefixes_in, n);
    w.side[0].changed = w.side[0].gone = 0;
}

struct found {
    s2svpn_prefix prefix;
    bool there;
    struct s2_bgp_attributes a;
};

static bool look_for(void *arg, const s2svpn_prefix *p, const struct s2_bgp_attributes *a)
{
    struct found *f = arg;

    if (!s2_prefix_equal(p, &f->prefix))
        return true;
    f->there = true;
    f->a = *a;
    return false;
}

/* What side 0 has of side 1's n-th prefix. */
static struct found look(unsigned n)
{
    struct found f = {.prefix = world_prefix(IPV4, n)};

    s2_bgp_each_route(w.side[0].peer, look_for, &f);
    return f;
}

static s2svpn_bgp_prefix_match match(unsigned n)
{
    return (s2svpn_bgp_prefix_match){.prefix = world_prefix(IPV4, n)};
}

/* ---- export */

static void an_export_change_tells_what_is_different_and_no_more(void)
{
    const s2svpn_bgp_prefix_match three = match(3), four = match(4);
    const s2svpn_bgp_rule rules[] = {
        {.prefixes = &three, .prefix_count = 1, .accept = true, .prepend = 2},
        {.prefixes = &four, .prefix_count = 1, .accept = false},
        {.accept = true, .set_med = true, .med = 2}, /* odd ones have it */
    };
    const s2svpn_bgp_policy some = policy_of(rules, 2, false), all = policy_of(rules, 3, true);

    establish(10);
    const uint64_t before = world_info(1).updates_out;
    CU_ASSERT_EQUAL(change(1, NULL, &some), S2SVPN_OK);
    world_run(S2_SECOND);
    CU_ASSERT(w.side[0].changed == 1 && w.side[0].gone == 1);
    CU_ASSERT_EQUAL(world_info(1).updates_out, before + 2);
    CU_ASSERT(look(3).a.as_path_len == 3 && !look(4).there && look(5).a.as_path_len == 1);
    CU_ASSERT(world_info(1).prefixes_out == 9 && world_info(0).prefixes_in == 9);
    CU_ASSERT_EQUAL(change(1, NULL, &all), S2SVPN_OK);
    world_run(S2_SECOND);
    CU_ASSERT_EQUAL(w.side[0].changed, 1 + 4); /* 0, 2, 6 and 8 */
    CU_ASSERT(look(2).a.med == 2 && look(3).a.med == 2 && look(3).a.as_path_len == 3);
    CU_ASSERT_EQUAL(change(1, NULL, &all), S2SVPN_OK); /* the same once more */
    world_run(S2_SECOND);
    CU_ASSERT(w.side[0].changed == 5 && w.side[0].gone == 1);
    CU_ASSERT_EQUAL(change(1, NULL, NULL), S2SVPN_OK);
    world_run(S2_SECOND);
    CU_ASSERT(look(4).there && look(2).a.med == 1 && look(3).a.as_path_len == 1);
    CU_ASSERT(w.side[0].established == 1 && world_info(1).prefixes_out == 10);
    world_close();
}

/* What one set held goes to the other's place and back: no set is lost between. */
static void sets_may_change_places(void)
{
    const s2svpn_bgp_prefix_match even[] = {match(0), match(2)};
    const s2svpn_bgp_rule rules[] = {
        {.prefixes = even, .prefix_count = 2, .accept = true, .set_med = true, .med = 2},
        {.accept = true, .set_med = true, .med = 1},
    };
    const s2svpn_bgp_policy swap = policy_of(rules, 2, true);

    establish(4);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(change(1, NULL, &swap), S2SVPN_OK);
        world_run(S2_SECOND);
        CU_ASSERT(look(0).a.med == 2 && look(1).a.med == 1 && look(3).a.med == 1);
        CU_ASSERT_EQUAL(change(1, NULL, NULL), S2SVPN_OK);
        world_run(S2_SECOND);
        CU_ASSERT(look(0).a.med == 1 && look(1).a.med == 2);
    }
    CU_ASSERT_EQUAL(w.side[1].peer->out.buckets.count, 2);
    world_close();
}

static void what_is_denied_is_remembered_over_sessions_until_it_is_withdrawn(void)
{
    const s2svpn_bgp_rule deny = {.accept = false};
    const s2svpn_bgp_policy none = policy_of(&deny, 1, false);
    const s2svpn_prefix zero = world_prefix(IPV4, 0);

    establish(3);
    CU_ASSERT_EQUAL(change(1, NULL, &none), S2SVPN_OK);
    s2_bgp_withdraw(w.side[1].peer, &zero, w.now_ns);
    world_run(S2_SECOND);
    CU_ASSERT(w.side[0].gone == 3 && world_info(1).prefixes_out == 0);
    world_cut();
    world_run(10 * S2_SECOND);
    CU_ASSERT(world_both_established());
    CU_ASSERT(w.side[0].changed == 0 && w.side[0].gone == 3); /* nothing is known, nor withdrawn */
    world_advertise(1, IPV4, 7, 1);
    CU_ASSERT_EQUAL(change(1, NULL, NULL), S2SVPN_OK);
    world_run(S2_SECOND);
    CU_ASSERT(!look(0).there && look(1).there && look(2).there && look(7).there);
    CU_ASSERT_EQUAL(world_info(0).prefixes_in, 3);
    world_close();
}

/* Denied and accepted again before anything has left: the peer hears nothing that isn't so. */
static void a_change_that_is_taken_back_at_once_leaves_all_as_it_was(void)
{
    const s2svpn_bgp_rule deny = {.accept = false};
    const s2svpn_bgp_policy none = policy_of(&deny, 1, false);

    establish(3);
    w.window = 0; /* nothing leaves */
    CU_ASSERT_EQUAL(change(1, NULL, &none), S2SVPN_OK);
    CU_ASSERT_EQUAL(change(1, NULL, NULL), S2SVPN_OK);
    w.window = SIZE_MAX;
    world_run(15 * S2_SECOND); /* a KEEPALIVE at the latest makes room */
    CU_ASSERT(look(0).there && look(1).there && look(2).there);
    CU_ASSERT_EQUAL(world_info(1).prefixes_out, 3);
    world_close();
}

static void a_route_without_room_for_the_new_rule_stays_at_home(void)
{
    uint32_t ases[230];
    const s2svpn_bgp_rule rule = {.accept = true, .prepend = 32};
    const s2svpn_bgp_policy p = policy_of(&rule, 1, false);
    struct s2_bgp_announcement a = {
        .prefix = world_prefix(IPV4, 9), .path_count = 230, .path = ases};

    for (size_t i = 0; i < 230; i++)
        ases[i] = 65100;
    establish(1);
    CU_ASSERT_EQUAL(s2_bgp_advertise(w.side[1].peer, &a, w.now_ns), S2SVPN_OK);
    world_run(S2_SECOND);
    CU_ASSERT(look(9).there);
    CU_ASSERT_EQUAL(change(1, NULL, &p), S2SVPN_OK);
    world_run(S2_SECOND);
    CU_ASSERT(!look(9).there && look(0).a.as_path_len == 33);
    CU_ASSERT_EQUAL(s2_bgp_advertise(w.side[1].peer, &a, w.now_ns), S2SVPN_E_LIMIT);
    CU_ASSERT_STRING_EQUAL(w.f.error.field, "export_policy");
    CU_ASSERT_EQUAL(change(1, NULL, NULL), S2SVPN_OK);
    world_run(S2_SECOND);
    CU_ASSERT(look(9).there);
    world_close();
}

/* Without memory a change fails, and all that was advertised is as it was. Sets change
 * places, so that a bucket is empty between. */
static bool change_exports(struct s2_fake_env *f, void *arg)
{
    const s2svpn_bgp_prefix_match zero = match(0), two = match(2), three = match(3);
    const s2svpn_bgp_rule rules[] = {
        {.prefixes = &zero, .prefix_count = 1, .accept = true, .set_med = true, .med = 2},
        {.prefixes = &two, .prefix_count = 1, .accept = false},
        {.prefixes = &three, .prefix_count = 1, .accept = true, .prepend = 1},
        {.accept = true, .set_med = true, .med = 1},
    };
    const s2svpn_bgp_policy p = policy_of(rules, 4, false);
    const struct s2_bgp_ops ops = {.connect = NULL};
    struct s2_bgp_spec spec = world_spec(1);
    struct s2_bgp_peer *peer = NULL;
    struct s2_bgp *bgp = NULL;
    bool done = false;

    (void)arg;
    spec.passive = true;
    if (s2_bgp_new(&f->env, &ops, &bgp) != S2SVPN_OK)
        return false;
    bool good = s2_bgp_peer_new(bgp, &spec, NULL, &peer) == S2SVPN_OK;
    for (unsigned i = 0; good && i < 4; i++) {
        const struct s2_bgp_announcement a = {
            .prefix = world_prefix(IPV4, i), .has_med = true, .med = 1 + i % 2};

        good = s2_bgp_advertise(peer, &a, 0) == S2SVPN_OK;
    }
    if (good) {
        done = s2_bgp_set_policies(peer, NULL, &p, 0) == S2SVPN_OK;
        CU_ASSERT_EQUAL(peer->out.advertised, done ? 3 : 4);
        CU_ASSERT_EQUAL(peer->out.buckets.count, done ? 3 : 2);
        CU_ASSERT_EQUAL(bgp->sets.count, done ? 3 : 2);
        CU_ASSERT((peer->spec.export_policy == &p) == done);
    }
    s2_bgp_peer_free(peer);
    CU_ASSERT_EQUAL(bgp->sets.count, 0);
    s2_bgp_free(bgp);
    return done;
}

static void a_change_without_memory_changes_nothing(void)
{
    s2_fail_every_allocation(change_exports, NULL);
}

/* ---- import */

static void an_import_change_is_applied_to_the_whole_table_without_a_reset(void)
{
    const s2svpn_bgp_prefix_match three = match(3);
    const s2svpn_bgp_rule rules[] = {
        {.prefixes = &three, .prefix_count = 1, .accept = false},
        {.accept = true, .set_local_pref = true, .local_pref = 200},
    };
    const s2svpn_bgp_policy p = policy_of(rules, 2, true);

    establish(5);
    CU_ASSERT_EQUAL(change(0, &p, NULL), S2SVPN_OK);
    CU_ASSERT(!world_info(0).import_waits);
    world_run(S2_SECOND);
    CU_ASSERT(w.side[0].gone == 1 && w.side[0].changed == 4);
    CU_ASSERT(!look(3).there && look(1).a.has_local_pref && look(1).a.local_pref == 200);
    CU_ASSERT_EQUAL(change(0, NULL, NULL), S2SVPN_OK);
    world_run(S2_SECOND);
    CU_ASSERT(look(3).there && !look(1).a.has_local_pref);
    CU_ASSERT(w.side[0].established == 1 && w.side[0].notifications == 0);
    world_close();
}

const CU_TestInfo s2_test_policy_change[] = {
    {"an export change tells what is different and no more",
     an_export_change_tells_what_is_different_and_no_more},
    {"sets may change places", sets_may_change_places},
    {"what is denied is remembered over sessions until it is withdrawn",
     what_is_denied_is_remembered_over_sessions_until_it_is_withdrawn},
    {"a change that is taken back at once leaves all as it was",
     a_change_that_is_taken_back_at_once_leaves_all_as_it_was},
    {"a route without room for the new rule stays at home",
     a_route_without_room_for_the_new_rule_stays_at_home},
    {"a change without memory changes nothing", a_change_without_memory_changes_nothing},
    {"an import change is applied to the whole table without a reset",
     an_import_change_is_applied_to_the_whole_table_without_a_reset},
    CU_TEST_INFO_NULL,
};
