/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions: between which addresses nothing passes, and when. Links know nothing
 * of them. */
#include "io/sim/sim.h"

#include <stdlib.h>
#include <string.h>

static s2svpn_address *addresses(struct s2_sim_partition *p)
{
    return (s2svpn_address *)(p + 1);
}

static bool has(const s2svpn_address *set, size_t n, const s2svpn_endpoint *e,
                const s2svpn_endpoint *seen)
{
    for (size_t i = 0; i < n; i++)
        if (s2_sim_same_address(&set[i], &e->address) ||
            s2_sim_same_address(&set[i], &seen->address))
            return true;
    return false;
}

static bool parts(const struct s2_sim_partition *p, const struct s2_sim_ends *e)
{
    const s2svpn_address *a = (const s2svpn_address *)(p + 1), *b = a + p->a_count;
    const bool sender_a = has(a, p->a_count, &e->sender, &e->seen_sender);
    const bool receiver_a = has(a, p->a_count, &e->receiver, &e->seen_receiver);

    if (p->b_count == 0)
        return sender_a != receiver_a;
    return (sender_a && has(b, p->b_count, &e->receiver, &e->seen_receiver)) ||
           (receiver_a && has(b, p->b_count, &e->sender, &e->seen_sender));
}

bool s2_sim_is_parted(const s2svpn_sim *sim, const struct s2_sim_ends *e)
{
    for (const struct s2_sim_partition *p = sim->partitions; p; p = p->next)
        if (sim->now_ns >= p->from_ns && sim->now_ns < p->until_ns && parts(p, e))
            return true;
    return false;
}

static void forget_past(s2svpn_sim *sim)
{
    struct s2_sim_partition **link = &sim->partitions;

    while (*link) {
        struct s2_sim_partition *p = *link;

        if (p->until_ns > sim->now_ns) {
            link = &p->next;
            continue;
        }
        *link = p->next;
        sim->partition_count--;
        free(p);
    }
}

s2svpn_status s2svpn_sim_partition(s2svpn_sim *sim, const s2svpn_address *a, size_t a_count,
                                   const s2svpn_address *b, size_t b_count, uint64_t from_ns,
                                   uint64_t until_ns)
{
    if (!a || a_count == 0 || (b != NULL) != (b_count > 0) || until_ns < from_ns)
        return S2SVPN_E_ARGUMENT;
    forget_past(sim);
    if (sim->partition_count == S2_SIM_PARTITIONS_MAX || a_count > S2_SIM_ENDPOINTS_MAX ||
        b_count > S2_SIM_ENDPOINTS_MAX)
        return S2SVPN_E_LIMIT;

    struct s2_sim_partition *p = malloc(sizeof(*p) + (a_count + b_count) * sizeof(*a));
    if (!p)
        return S2SVPN_E_MEMORY;
    *p = (struct s2_sim_partition){
        .from_ns = from_ns, .until_ns = until_ns, .a_count = a_count, .b_count = b_count};
    memcpy(addresses(p), a, a_count * sizeof(*a));
    if (b)
        memcpy(addresses(p) + a_count, b, b_count * sizeof(*b));
    p->next = sim->partitions;
    sim->partitions = p;
    sim->partition_count++;
    return S2SVPN_OK;
}

void s2_sim_partitions_free(s2svpn_sim *sim)
{
    while (sim->partitions) {
        struct s2_sim_partition *p = sim->partitions;

        sim->partitions = p->next;
        free(p);
    }
}
