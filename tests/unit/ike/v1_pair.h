/* SPDX-License-Identifier: Apache-2.0 */
/* The pair of engines, speaking IKEv1. */
#ifndef S2_TESTS_IKE_V1_PAIR_H
#define S2_TESTS_IKE_V1_PAIR_H

#include "ike/pair.h"

static inline void s2_pair_init_v1(struct s2_pair *p, uint64_t seed)
{
    s2_pair_init(p, seed);
    for (unsigned e = 0; e < 2; e++)
        p->end[e].config.versions = S2_IKE_ALLOW_V1;
}

/* What is replaced goes after a grace of ten seconds. */
#define S2_V1_SETTLE_NS (45 * S2_SECOND)

#endif
