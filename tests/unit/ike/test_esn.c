/* SPDX-License-Identifier: Apache-2.0 */
/* Extended sequence numbers from configuration to child: RFC 7296 section 3.3.2, type
 * 5, in IKE_AUTH and in CREATE_CHILD_SA. What is chosen from which offer:
 * test_proposal.c. */
#include <CUnit/CUnit.h>

#include "harness.h"
#include "ike/forge.h"

/* What two configurations come to. */
static const struct {
    const char *row;
    uint8_t left, right;
    bool up, esn;
} meetings[] = {
    {"plain, plain", 0, 0, true, false},      {"plain, allowed", 0, 1, true, false},
    {"plain, required", 0, 2, false, false},  {"allowed, plain", 1, 0, true, false},
    {"allowed, allowed", 1, 1, true, true},   {"allowed, required", 1, 2, true, true},
    {"required, plain", 2, 0, false, false},  {"required, allowed", 2, 1, true, true},
    {"required, required", 2, 2, true, true},
};

static bool both_have(struct s2_pair *p, bool esn)
{
    const struct s2_pair_child *a = s2_pair_only_child(&p->end[0]);
    const struct s2_pair_child *b = s2_pair_only_child(&p->end[1]);

    return s2_pair_is_settled(p) && a->esn == esn && b->esn == esn;
}

static void two_configurations_come_to_the_numbers_that_both_allow(void)
{
    for (size_t i = 0; i < sizeof(meetings) / sizeof(meetings[0]); i++) {
        struct s2_pair p;

        s2_pair_init(&p, i);
        p.end[0].config.esn = meetings[i].left;
        p.end[1].config.esn = meetings[i].right;
        CHECK_ROW(meetings[i].row, s2_pair_connect(&p) == meetings[i].up);
        CHECK_ROW(meetings[i].row, !meetings[i].up || both_have(&p, meetings[i].esn));
        CHECK_ROW(meetings[i].row, meetings[i].up || p.end[0].reason == S2_IKE_REASON_NO_PROPOSAL);
        s2_pair_close(&p);
        CHECK_ROW(meetings[i].row, p.end[0].fake.live + p.end[1].fake.live == 0);
    }
}

/* The child's rekey, a child of its own, and a child of the rekeyed IKE SA, by either
 * side. */
static void rekeys_keep_the_numbers(void)
{
    for (size_t i = 0; i < sizeof(meetings) / sizeof(meetings[0]); i++) {
        struct s2_pair p;

        if (!meetings[i].up)
            continue;
        s2_pair_init(&p, i);
        p.end[0].config.esn = meetings[i].left;
        p.end[1].config.esn = meetings[i].right;
        CU_ASSERT_TRUE_FATAL(s2_pair_connect(&p));
        for (unsigned e = 0; e < 4; e++) {
            struct s2_pair_end *end = &p.end[e % 2];
            const unsigned before = end->children_up;

            CHECK_ROW(meetings[i].row, e < 2 || s2_ike_rekey_sa(end->ike, end, p.now_ns) == 0);
            s2_pair_run_for(&p, S2_SECOND);
            CHECK_ROW(meetings[i].row,
                      s2_ike_rekey_child(end->ike, end, s2_pair_only_child(end)->spi_in,
                                         p.now_ns) == S2SVPN_OK);
            s2_pair_run_for(&p, S2_SECOND);
            CHECK_ROW(meetings[i].row, end->children_up == before + 1);
            CHECK_ROW(meetings[i].row, both_have(&p, meetings[i].esn));
        }
        s2_pair_close(&p);
    }
}

/* A configuration that changed since: the peer's offer of a rekey is refused, and the
 * child in use stays. */
static void numbers_that_are_not_allowed_any_more_are_refused_in_a_rekey(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 1);
    CU_ASSERT_TRUE_FATAL(s2_pair_connect(&p));
    p.end[1].live->esn = 2;
    CU_ASSERT_EQUAL(s2_ike_rekey_child(p.end[0].ike, &p.end[0], p.end[0].child[0].spi_in, p.now_ns),
                    S2SVPN_OK);
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_TRUE(both_have(&p, false));
    CU_ASSERT_EQUAL(p.end[1].children_up, 1);
    p.end[0].live->esn = 1;
    CU_ASSERT_EQUAL(s2_ike_rekey_child(p.end[0].ike, &p.end[0], p.end[0].child[0].spi_in, p.now_ns),
                    S2SVPN_OK);
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_TRUE(both_have(&p, true));
    s2_pair_close(&p);
}

const CU_TestInfo s2_test_esn[] = {
    {"two configurations come to the numbers that both allow",
     two_configurations_come_to_the_numbers_that_both_allow},
    {"rekeys keep the numbers", rekeys_keep_the_numbers},
    {"numbers that are not allowed any more are refused in a rekey",
     numbers_that_are_not_allowed_any_more_are_refused_in_a_rekey},
    CU_TEST_INFO_NULL,
};
