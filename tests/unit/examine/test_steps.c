/* SPDX-License-Identifier: Apache-2.0 */
/* examples/examine/steps.c: the table, and the plan that is made of it. */
#include "examine/steps.h"

#include <string.h>

#include "harness.h"

static size_t place(const struct planned *plan, size_t n, const char *wanted)
{
    char id[40];

    for (size_t i = 0; i < n; i++) {
        step_id(plan[i].step, plan[i].tunnel, id, sizeof(id));
        if (strcmp(id, wanted) == 0)
            return i;
    }
    return SIZE_MAX;
}

static void the_plan_goes_from_ike_to_maintenance(void)
{
    static const char *const order[] = {"ike-1",
                                        "ike-2",
                                        "ipsec-1",
                                        "inside-1",
                                        "bgp-1",
                                        "prefixes-2",
                                        "through",
                                        "mtu-1",
                                        "rekey-1",
                                        "failover-1",
                                        "failover-return-1",
                                        "failover-2",
                                        "failover-return-2",
                                        "over-limit-1",
                                        "maintenance-2"};
    struct planned plan[PLAN_MAX];
    const char *bad;
    const size_t n = plan_make(NULL, 2, plan, &bad);

    CU_ASSERT_PTR_NULL(bad);
    CU_ASSERT_TRUE(n > step_count && n < PLAN_MAX);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        CHECK_ROW(order[i], place(plan, n, order[i]) != SIZE_MAX);
        CHECK_ROW(order[i], i == 0 || place(plan, n, order[i]) > place(plan, n, order[i - 1]));
    }
    CU_ASSERT_EQUAL(place(plan, n, "through-1"), SIZE_MAX);
    CU_ASSERT_TRUE(plan_make(NULL, 1, plan, &bad) < n);
}

static void only_the_named_ones_are_taken(void)
{
    static const struct {
        const char *only;
        size_t count;
        const char *bad;
    } rows[] = {
        {"ike", 2, NULL},
        {"ike-1", 1, NULL},
        {"ike-2,bgp,through", 4, NULL},
        {"failover", 2, NULL},
        {"failover-return-2", 1, NULL},
        {"ik", 0, "ik"},
        {"ike-3", 0, "ike-3"},
        {"ike,nonsense,bgp", 0, "nonsense,bgp"},
        {"", 0, ""},
        {"ike,", 0, ""},
    };
    struct planned plan[PLAN_MAX];
    const char *bad;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK_ROW(rows[i].only, plan_make(rows[i].only, 2, plan, &bad) == rows[i].count);
        CHECK_ROW(rows[i].only, rows[i].bad ? bad && strcmp(bad, rows[i].bad) == 0 : bad == NULL);
    }
}

static void each_row_is_whole(void)
{
    for (size_t i = 0; i < step_count; i++) {
        const struct step *s = &steps[i];

        CHECK_ROW(s->id, s->judge != NULL && s->what != NULL && s->what[0] != 0);
        CHECK_ROW(s->id, strlen(s->id) < 30);
        /* What goes on is ended by the next row of its group. */
        CHECK_ROW(s->id,
                  !s->keeps || (s->group != 0 && i + 1 < step_count &&
                                steps[i + 1].group == s->group && steps[i + 1].deed == DEED_CLEAR));
        CHECK_ROW(s->id, s->deed != DEED_CLEAR || (i > 0 && steps[i - 1].keeps));
        CHECK_ROW(s->id, s->deed == DEED_PROVOKE || s->fault == 0);
    }
}

static void what_a_step_lacks_is_said(void)
{
    struct facts now = {.bgp = true};
    struct planned plan[PLAN_MAX];
    const char *bad;

    CU_ASSERT_EQUAL_FATAL(plan_make("failover-1", 2, plan, &bad), 1);
    CU_ASSERT_PTR_NOT_NULL(step_lacks(plan[0].step, 0, &now, false));
    now.tunnel[0].info.up = true;
    CU_ASSERT_STRING_EQUAL(step_lacks(plan[0].step, 0, &now, false), "not both tunnels are up");
    now.tunnel[1].info.up = true;
    CU_ASSERT_PTR_NULL(step_lacks(plan[0].step, 0, &now, false));
    CU_ASSERT_EQUAL_FATAL(plan_make("withdraw-1", 2, plan, &bad), 1);
    CU_ASSERT_PTR_NOT_NULL(step_lacks(plan[0].step, 0, &now, true)); /* no --ping */
    now.through.asked = true;
    CU_ASSERT_PTR_NOT_NULL(step_lacks(plan[0].step, 0, &now, false));
    CU_ASSERT_PTR_NULL(step_lacks(plan[0].step, 0, &now, true));
    now.bgp = false;
    CU_ASSERT_STRING_EQUAL(step_lacks(plan[0].step, 0, &now, true),
                           "the connection has static routes");
}

const CU_TestInfo s2_test_steps[] = {
    {"the plan goes from IKE to maintenance", the_plan_goes_from_ike_to_maintenance},
    {"only the named ones are taken", only_the_named_ones_are_taken},
    {"each row is whole", each_row_is_whole},
    {"what a step lacks is said", what_a_step_lacks_is_said},
    CU_TEST_INFO_NULL,
};
