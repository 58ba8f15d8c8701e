/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that fails on demand and looks at what is given back. */
#ifndef S2_TESTS_STORE_HEAP_H
#define S2_TESTS_STORE_HEAP_H

#include "s2svpn/types.h"

struct s2_heap {
    s2svpn_memory memory;
    size_t live, allocations, fail_at;
    const char *watched; /* text that must never be given back */
    size_t watched_len;
    unsigned leaks;
};

/* After the fields were zeroed. */
void s2_heap_init(struct s2_heap *h);

#endif
