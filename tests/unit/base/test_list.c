/* SPDX-License-Identifier: Apache-2.0 */
/* Lists whose links live inside the members. */
#include "base/list.h"

#include "harness.h"

struct member {
    int value;
    struct s2_link link;
};

static void members_come_out_in_the_order_they_went_in(void)
{
    struct s2_link list;
    struct member m[3] = {{.value = 0}, {.value = 1}, {.value = 2}};
    int n = 0;

    s2_list_init(&list);
    CU_ASSERT(s2_list_empty(&list));
    CU_ASSERT(s2_list_take_first(&list) == NULL);
    for (int i = 0; i < 3; i++)
        s2_list_append(&list, &m[i].link);
    S2_LIST_EACH(&list, it) {
        CU_ASSERT(S2_CONTAINER(it, struct member, link)->value == n);
        n++;
    }
    CU_ASSERT(n == 3);
    for (int i = 0; i < 3; i++)
        CU_ASSERT(s2_list_take_first(&list) == &m[i].link);
    CU_ASSERT(s2_list_empty(&list));
}

static void the_current_member_may_be_removed(void)
{
    struct s2_link list;
    struct member m[5];

    s2_list_init(&list);
    for (int i = 0; i < 5; i++) {
        m[i].value = i;
        s2_list_append(&list, &m[i].link);
    }
    S2_LIST_EACH(&list, it) {
        if (S2_CONTAINER(it, struct member, link)->value % 2 == 0)
            s2_list_remove(it);
    }
    CU_ASSERT(list.next == &m[1].link);
    CU_ASSERT(list.prev == &m[3].link);
    CU_ASSERT(m[1].link.next == &m[3].link);
}

static void removing_twice_is_harmless(void)
{
    struct s2_link list;
    struct member m;

    s2_list_init(&list);
    s2_list_append(&list, &m.link);
    s2_list_remove(&m.link);
    s2_list_remove(&m.link);
    CU_ASSERT(s2_list_empty(&list));
    CU_ASSERT(s2_list_empty(&m.link));
}

const CU_TestInfo s2_test_list[] = {
    {"members come out in the order they went in", members_come_out_in_the_order_they_went_in},
    {"the current member may be removed", the_current_member_may_be_removed},
    {"removing twice is harmless", removing_twice_is_harmless},
    CU_TEST_INFO_NULL,
};
