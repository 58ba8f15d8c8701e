/* SPDX-License-Identifier: Apache-2.0 */
/* Groups: who is chosen (evenly, always the same, and only the lost one's flows move), and
 * who owns them. */
#include "routing/group.h"

#include <stdio.h>
#include <string.h>

#include "fake_env.h"
#include "harness.h"

#define FLOWS 10000

struct world {
    struct s2_fake_env f;
    struct s2_epochs epochs;
    struct s2_groups groups;
};

static void open_world(struct world *w)
{
    s2_fake_env_init(&w->f, 1);
    s2_epochs_init(&w->epochs, 1);
    s2_groups_init(&w->groups, &w->f.env, &w->epochs);
}

static void close_world(struct world *w)
{
    s2_groups_clear(&w->groups);
    s2_epochs_clear(&w->epochs);
    CU_ASSERT_EQUAL(w->f.live, 0);
}

/* A group of those whose bits are set; the value is the number of the bit, plus 1. */
static struct s2_group group_of(unsigned bits)
{
    struct s2_group g;

    memset(&g, 0, sizeof(g));
    for (unsigned i = 0; i < 32 && g.count < S2_GROUP_MAX; i++) {
        if (bits >> i & 1)
            g.member[g.count++] = (struct s2_group_member){.value = i + 1, .salt = s2_group_mix(i)};
    }
    return g;
}

static bool all_fit(uint64_t value)
{
    (void)value;
    return true;
}

static bool none_fits(uint64_t value)
{
    (void)value;
    return false;
}

static bool all_but_the_second_fit(uint64_t value)
{
    return value != 2;
}

/* Flows as they come: numbers in a row, and numbers that differ in their high bits. */
static uint64_t flow(unsigned i, bool high)
{
    return high ? (uint64_t)i << 48 : i;
}

static void ten_thousand_flows_spread_within_a_tenth_of_even(void)
{
    for (unsigned n = 2; n <= S2_GROUP_MAX; n++) {
        const struct s2_group g = group_of((1u << n) - 1);

        for (unsigned high = 0; high < 2; high++) {
            unsigned count[S2_GROUP_MAX + 1] = {0};
            char row[32];

            snprintf(row, sizeof(row), "%u members", n);
            for (unsigned i = 0; i < FLOWS; i++)
                count[s2_group_pick(&g, flow(i, high), all_fit)]++;
            for (unsigned i = 1; i <= n; i++)
                CHECK_ROW(row, count[i] * n >= FLOWS * 9 / 10 && count[i] * n <= FLOWS * 11 / 10);
        }
    }
}

static void a_flow_goes_the_same_way_whatever_the_order_of_members(void)
{
    const struct s2_group g = group_of(0xff);
    struct s2_group turned = g;

    for (unsigned i = 0; i < S2_GROUP_MAX; i++)
        turned.member[i] = g.member[S2_GROUP_MAX - 1 - i];
    for (unsigned i = 0; i < FLOWS; i++) {
        const uint64_t value = s2_group_pick(&g, i, all_fit);

        CU_ASSERT_EQUAL(s2_group_pick(&g, i, all_fit), value);
        CU_ASSERT_EQUAL(s2_group_pick(&turned, i, all_fit), value);
    }
}

/* And those that move do so to all of the others. */
static void only_the_lost_member_s_flows_move(void)
{
    for (unsigned lost = 0; lost < S2_GROUP_MAX; lost++) {
        const struct s2_group whole = group_of(0xff), rest = group_of(0xffu & ~(1u << lost));
        unsigned stayed = 0, moved[S2_GROUP_MAX + 1] = {0}, all = 0;

        for (unsigned i = 0; i < FLOWS; i++) {
            const uint64_t before = s2_group_pick(&whole, i, all_fit);
            const uint64_t after = s2_group_pick(&rest, i, all_fit);

            stayed += before != lost + 1 && before == after;
            moved[before == lost + 1 ? after : 0]++;
            all += before == lost + 1;
        }
        CU_ASSERT_EQUAL(stayed + all, FLOWS);
        CU_ASSERT_EQUAL(moved[lost + 1], 0);
        for (unsigned i = 1; i <= S2_GROUP_MAX; i++)
            CU_ASSERT(i == lost + 1 || moved[i] * 7 * 2 > all);
    }
}

static void who_does_not_fit_is_as_good_as_gone(void)
{
    const struct s2_group whole = group_of(0xf), rest = group_of(0xd);

    for (unsigned i = 0; i < FLOWS; i++) {
        CU_ASSERT_EQUAL(s2_group_pick(&whole, i, all_but_the_second_fit),
                        s2_group_pick(&rest, i, all_fit));
        CU_ASSERT_EQUAL(s2_group_pick(&whole, i, none_fits), s2_group_pick(&whole, i, all_fit));
    }
}

/* ---- who owns them */

static void the_same_members_are_the_same_group_until_nobody_uses_it(void)
{
    const struct s2_group two = group_of(3), other = group_of(5), three = group_of(7);
    struct world w;

    open_world(&w);
    struct s2_group *a = s2_groups_take(&w.groups, two.member, 2);
    struct s2_group *b = s2_groups_take(&w.groups, other.member, 2);
    struct s2_group *c = s2_groups_take(&w.groups, three.member, 3);
    CU_ASSERT_FATAL(a != NULL && b != NULL && c != NULL);
    CU_ASSERT(a != b && b != c && a != c);
    CU_ASSERT_EQUAL(s2_groups_count(&w.groups), 3);
    for (unsigned i = 0; i < 100; i++) /* prefixes */
        CU_ASSERT_PTR_EQUAL(s2_groups_take(&w.groups, two.member, 2), a);
    CU_ASSERT_EQUAL(s2_groups_count(&w.groups), 3);
    CU_ASSERT(s2_group_is_of(a, two.member, 2));
    CU_ASSERT(!s2_group_is_of(a, other.member, 2) && !s2_group_is_of(a, three.member, 3));
    for (unsigned i = 0; i < 100; i++)
        s2_groups_give_back(&w.groups, a);
    CU_ASSERT_EQUAL(s2_groups_count(&w.groups), 3);
    s2_groups_give_back(&w.groups, a);
    s2_groups_give_back(&w.groups, NULL);
    CU_ASSERT_EQUAL(s2_groups_count(&w.groups), 2);
    close_world(&w); /* the others go with it */
}

static void a_reader_keeps_what_nobody_uses(void)
{
    const struct s2_group two = group_of(3);
    struct world w;

    open_world(&w);
    struct s2_group *a = s2_groups_take(&w.groups, two.member, 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    s2_epoch_enter(&w.epochs, 0);
    s2_groups_give_back(&w.groups, a);
    CU_ASSERT_EQUAL(s2_epoch_reclaim(&w.epochs), 1);
    CU_ASSERT(s2_group_pick(a, 7, all_fit) != 0); /* a sanitizer looks on */
    s2_epoch_leave(&w.epochs, 0);
    CU_ASSERT_EQUAL(s2_epoch_reclaim(&w.epochs), 0);
    CU_ASSERT_EQUAL(s2_groups_count(&w.groups), 0);
    close_world(&w);
}

static void one_member_or_too_many_are_no_group(void)
{
    const struct s2_group g = group_of(0xff);
    struct world w;

    open_world(&w);
    CU_ASSERT_PTR_NULL(s2_groups_take(&w.groups, g.member, 0));
    CU_ASSERT_PTR_NULL(s2_groups_take(&w.groups, g.member, 1));
    CU_ASSERT_PTR_NULL(s2_groups_take(&w.groups, g.member, S2_GROUP_MAX + 1));
    CU_ASSERT_PTR_NOT_NULL(s2_groups_take(&w.groups, g.member, S2_GROUP_MAX));
    close_world(&w);
}

static bool build(struct s2_fake_env *f, void *arg)
{
    const struct s2_group two = group_of(3), three = group_of(7);
    struct s2_epochs epochs;
    struct s2_groups groups;

    (void)arg;
    s2_epochs_init(&epochs, 1);
    s2_groups_init(&groups, &f->env, &epochs);
    struct s2_group *a = s2_groups_take(&groups, two.member, 2);
    struct s2_group *b = s2_groups_take(&groups, three.member, 3);
    const bool done = a != NULL && b != NULL;
    CU_ASSERT_EQUAL(s2_groups_count(&groups), (a != NULL) + (b != NULL));
    s2_groups_give_back(&groups, a);
    s2_groups_give_back(&groups, b);
    CU_ASSERT_EQUAL(s2_groups_count(&groups), 0);
    s2_groups_clear(&groups);
    s2_epochs_clear(&epochs);
    return done;
}

static void every_allocation_may_fail(void)
{
    s2_fail_every_allocation(build, NULL);
}

const CU_TestInfo s2_test_group[] = {
    {"ten thousand flows spread within a tenth of even",
     ten_thousand_flows_spread_within_a_tenth_of_even},
    {"a flow goes the same way, whatever the order of members",
     a_flow_goes_the_same_way_whatever_the_order_of_members},
    {"only the lost member's flows move", only_the_lost_member_s_flows_move},
    {"who does not fit is as good as gone", who_does_not_fit_is_as_good_as_gone},
    {"the same members are the same group until nobody uses it",
     the_same_members_are_the_same_group_until_nobody_uses_it},
    {"a reader keeps what nobody uses", a_reader_keeps_what_nobody_uses},
    {"one member or too many are no group", one_member_or_too_many_are_no_group},
    {"every allocation may fail", every_allocation_may_fail},
    CU_TEST_INFO_NULL,
};
