/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of IKEv1's states, of phase 1 and of quick mode, as text: each is what somebody
 * has read, line by line, with RFC 2409 beside it. Which events a state takes is there too:
 * what isn't in the text is dropped and changes nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "base/text.h"
#include "harness.h"
#include "ike/v1/v1.h"

static void compare(void (*print)(struct s2_buffer *out), const char *name)
{
    static char reviewed[8192];
    const char *source = getenv("S2_SRC");
    struct s2_buffer now;
    char path[512];
    size_t len = 0;

    s2_buffer_init(&now, s2_memory_default(), sizeof(reviewed));
    print(&now);
    s2_print(path, sizeof(path), "%s/tests/unit/ike/%s", source != NULL ? source : ".", name);
    FILE *f = fopen(path, "r");
    CHECK_ROW(path, f != NULL);
    if (f != NULL) {
        len = fread(reviewed, 1, sizeof(reviewed), f);
        fclose(f);
    }
    CHECK_ROW(path, now.len > 0 && now.len == len && memcmp(now.data, reviewed, len) == 0);
    s2_buffer_clear(&now);
}

static void the_table_of_phase_1_is_the_reviewed_one(void)
{
    compare(s2_ike1_print_states, "v1_states.txt");
}

static void the_table_of_quick_mode_is_the_reviewed_one(void)
{
    compare(s2_ike1_print_quick_states, "v1_quick_states.txt");
}

const CU_TestInfo s2_test_v1_states[] = {
    {"the table of phase 1 is the reviewed one", the_table_of_phase_1_is_the_reviewed_one},
    {"the table of quick mode is the reviewed one", the_table_of_quick_mode_is_the_reviewed_one},
    CU_TEST_INFO_NULL,
};
