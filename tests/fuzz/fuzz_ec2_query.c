/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of a request, and what a row's check makes of them. */
#include <stdlib.h>
#include <string.h>

#include "ec2/action.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct s2_env env = {.memory = s2_memory_default()};
    const struct s2_ec2_action *a;
    struct s2_ec2_fault fault = {.id = S2_EC2_NONE};
    struct s2_ec2_filters filters;
    struct s2_ec2_query q;

    if (s2_ec2_query_parse(&q, &env, (s2svpn_span){data, size}, &fault) != S2SVPN_OK) {
        if (fault.id == S2_EC2_NONE || q.count != 0)
            abort();
        return 0;
    }
    for (size_t i = 0; i < q.count; i++) {
        if (s2_ec2_query_find(&q, q.param[i].name) != &q.param[i])
            abort();
        q.param[i].used = false;
    }
    for (size_t i = 0; (a = s2_ec2_action_at(i)) != NULL; i++) {
        struct s2_ec2_fault f = {.id = S2_EC2_NONE};
        if (s2_ec2_filters_parse(&filters, &q, a->filters, &f) == S2SVPN_OK &&
            s2_ec2_check(a, &q, &f) != S2SVPN_OK && f.id == S2_EC2_NONE)
            abort();
    }
    s2_ec2_query_clear(&q);
    return 0;
}
