/* SPDX-License-Identifier: Apache-2.0 */
/* Expat's memory: a block keeps what it holds when it is resized, and an impossible
 * size is refused. */
#include <stdint.h>
#include <string.h>

#include "config/config.h"
#include "harness.h"

static void a_resized_block_keeps_its_content(void)
{
    const struct s2_config_memory *m = s2_config_memory_default();
    char *p = m->allocate(10);

    CU_ASSERT_FATAL(p != NULL);
    CU_ASSERT((uintptr_t)p % _Alignof(max_align_t) == 0);
    memcpy(p, "123456789", 10);
    p = m->resize(p, 1000);
    CU_ASSERT_FATAL(p != NULL);
    CU_ASSERT_STRING_EQUAL(p, "123456789");
    p = m->resize(p, 3);
    CU_ASSERT_FATAL(p != NULL);
    CU_ASSERT(memcmp(p, "123", 3) == 0);
    m->release(p);
    m->release(NULL);
}

static void a_block_can_begin_by_resizing(void)
{
    const struct s2_config_memory *m = s2_config_memory_default();
    char *p = m->resize(NULL, 4);

    CU_ASSERT_FATAL(p != NULL);
    m->release(p);
}

static void an_impossible_size_is_refused_and_the_block_stays(void)
{
    const struct s2_config_memory *m = s2_config_memory_default();
    char *p = m->allocate(4);

    CU_ASSERT_FATAL(p != NULL);
    memcpy(p, "abc", 4);
    CU_ASSERT(m->allocate(SIZE_MAX) == NULL);
    CU_ASSERT(m->resize(p, SIZE_MAX - 2) == NULL);
    CU_ASSERT_STRING_EQUAL(p, "abc");
    m->release(p);
}

extern const CU_TestInfo s2_test_memory[];
const CU_TestInfo s2_test_memory[] = {
    {"a resized block keeps its content", a_resized_block_keeps_its_content},
    {"a block can begin by resizing", a_block_can_begin_by_resizing},
    {"an impossible size is refused and the block stays",
     an_impossible_size_is_refused_and_the_block_stays},
    CU_TEST_INFO_NULL,
};
