/* SPDX-License-Identifier: Apache-2.0 */
/* The store of contract.c: SQLite, in a new file each time. */
#include "lab.h"

#include <stdlib.h>

bool s2_contract_open(struct s2_contract_store *s)
{
    struct s2_lab *lab = malloc(sizeof(*lab));

    if (lab == NULL)
        return false;
    s2_lab_make(lab);
    if (s2_lab_open(lab) != S2SVPN_OK) {
        s2_lab_clear(lab);
        free(lab);
        return false;
    }
    *s = lab->s;
    s->user = lab;
    return true;
}

void s2_contract_close(struct s2_contract_store *s)
{
    s2_lab_clear(s->user);
    free(s->user);
}

bool s2_contract_wait(struct s2_contract_store *s)
{
    return s2_lab_wait(s->user);
}
