/* SPDX-License-Identifier: Apache-2.0 */
/* What every store asks of a transaction before it looks at what is stored, and how
 * bytes are wiped. The stores are in two libraries, so this is inline. */
#ifndef S2_STORE_FORM_H
#define S2_STORE_FORM_H

#include <string.h>

#include "s2svpn/store.h"

#define S2_STORE_CHANGES_MAX 4096 /* of one transaction */

/* Not memset: it could be left out for memory that is freed next. */
static inline void s2_store_wipe(void *p, size_t len)
{
    volatile uint8_t *byte = p;

    while (len-- > 0)
        *byte++ = 0;
}

static inline bool s2_store_same_id(const s2svpn_id *a, const s2svpn_id *b)
{
    return strncmp(a->text, b->text, sizeof(a->text)) == 0;
}

/* An id may stand in a transaction once: the order would have to mean something. */
static inline s2svpn_status s2_store_check_form(const s2svpn_change *changes, size_t n)
{
    if (n > S2_STORE_CHANGES_MAX)
        return S2SVPN_E_LIMIT;
    for (size_t i = 0; i < n; i++) {
        if (changes[i].record.revision == 0)
            return S2SVPN_E_ARGUMENT;
        for (size_t j = 0; j < i; j++)
            if (s2_store_same_id(&changes[i].record.id, &changes[j].record.id))
                return S2SVPN_E_ARGUMENT;
    }
    return S2SVPN_OK;
}

#endif
