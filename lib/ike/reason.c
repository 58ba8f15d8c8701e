/* SPDX-License-Identifier: Apache-2.0 */
/* The words for why an IKE SA or a child ended. */
#include "ike/ike.h"

const char *s2_ike_reason_text(enum s2_ike_reason reason)
{
    static const char *const words[] = {
#define ROW(name, text) [S2_IKE_REASON_##name] = text,
        S2_IKE_REASON_LIST(ROW)
#undef ROW
    };

    /* The number may come from anywhere; enum signs differ between compilers. */
    return (unsigned)reason < S2_IKE_REASON_COUNT ? words[(unsigned)reason] : "?";
}
