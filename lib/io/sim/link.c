/* SPDX-License-Identifier: Apache-2.0 */
/* Who has an address, and how packets get there: the two sorted tables that a
 * datagram is looked up in. It moves no packet. */
#include "io/sim/sim.h"

#include <stdlib.h>
#include <string.h>

static const s2svpn_sim_link perfect = S2SVPN_SIM_LINK_INIT;
static const s2svpn_address any;

static int compare_address(const s2svpn_address *a, const s2svpn_address *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    if (a->family == S2SVPN_FAMILY_NONE)
        return 0;
    return memcmp(a->bytes, b->bytes, a->family == S2SVPN_FAMILY_IPV4 ? 4 : 16);
}

bool s2_sim_same_address(const s2svpn_address *a, const s2svpn_address *b)
{
    return compare_address(a, b) == 0;
}

/* Room for n more rows of a table. */
static s2svpn_status make_room(void **rows, size_t *capacity, size_t count, size_t n, size_t most,
                               size_t row_size)
{
    if (n > most - count)
        return S2SVPN_E_LIMIT;
    if (count + n <= *capacity)
        return S2SVPN_OK;

    const size_t want = (count + n) * 2;
    void *bigger = realloc(*rows, want * row_size);
    if (!bigger)
        return S2SVPN_E_MEMORY;
    *rows = bigger;
    *capacity = want;
    return S2SVPN_OK;
}

/* ---- settings */

static int compare_setting(const struct s2_sim_setting *s, const s2svpn_address *from,
                           const s2svpn_address *to)
{
    const int first = compare_address(&s->from, from);

    return first != 0 ? first : compare_address(&s->to, to);
}

/* The row of these two, or where it would stand. */
static size_t setting_place(const s2svpn_sim *sim, const s2svpn_address *from,
                            const s2svpn_address *to)
{
    size_t low = 0, high = sim->link_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (compare_setting(&sim->links[middle], from, to) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const s2svpn_sim_link *exact(const s2svpn_sim *sim, const s2svpn_address *from,
                                    const s2svpn_address *to)
{
    const size_t i = setting_place(sim, from, to);

    if (i < sim->link_count && compare_setting(&sim->links[i], from, to) == 0)
        return &sim->links[i].link;
    return NULL;
}

const s2svpn_sim_link *s2_sim_find_link(const s2svpn_sim *sim, const s2svpn_address *from,
                                        const s2svpn_address *to)
{
    const s2svpn_address *const order[][2] = {{from, to}, {from, &any}, {&any, to}, {&any, &any}};

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        const s2svpn_sim_link *link = exact(sim, order[i][0], order[i][1]);

        if (link)
            return link;
    }
    return &perfect;
}

static bool valid_link(const s2svpn_sim_link *l)
{
    return l && l->size >= sizeof(*l) && l->loss_ppm <= 1000000 && l->duplicate_ppm <= 1000000 &&
           l->reorder_ppm <= 1000000;
}

static bool valid_family(const s2svpn_address *a)
{
    return a->family == S2SVPN_FAMILY_NONE || a->family == S2SVPN_FAMILY_IPV4 ||
           a->family == S2SVPN_FAMILY_IPV6;
}

s2svpn_status s2svpn_sim_set_link(s2svpn_sim *sim, const s2svpn_address *from,
                                  const s2svpn_address *to, const s2svpn_sim_link *link)
{
    from = from ? from : &any;
    to = to ? to : &any;
    if (!valid_link(link) || !valid_family(from) || !valid_family(to))
        return S2SVPN_E_ARGUMENT;

    const size_t i = setting_place(sim, from, to);
    if (i == sim->link_count || compare_setting(&sim->links[i], from, to) != 0) {
        s2svpn_status rc = make_room((void **)&sim->links, &sim->link_capacity, sim->link_count, 1,
                                     S2_SIM_LINKS_MAX, sizeof(*sim->links));
        if (rc != S2SVPN_OK)
            return rc;
        memmove(&sim->links[i + 1], &sim->links[i], (sim->link_count - i) * sizeof(*sim->links));
        sim->links[i].from = *from;
        sim->links[i].to = *to;
        sim->link_count++;
    }
    sim->links[i].link = *link;
    return S2SVPN_OK;
}

/* ---- endpoints */

/* The first row with this address, or where it would stand. */
static size_t endpoint_place(const s2svpn_sim *sim, const s2svpn_address *a)
{
    size_t low = 0, high = sim->endpoint_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (compare_address(&sim->endpoints[middle].endpoint.address, a) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool has_address(const s2svpn_sim *sim, size_t i, const s2svpn_address *a)
{
    return i < sim->endpoint_count && compare_address(&sim->endpoints[i].endpoint.address, a) == 0;
}

bool s2_sim_has_address(const s2svpn_sim *sim, const s2svpn_address *a)
{
    return has_address(sim, endpoint_place(sim, a), a);
}

const struct s2_sim_endpoint *s2_sim_find_endpoint(const s2svpn_sim *sim, const s2svpn_endpoint *to,
                                                   bool raw)
{
    for (size_t i = endpoint_place(sim, &to->address); has_address(sim, i, &to->address); i++) {
        const struct s2_sim_endpoint *e = &sim->endpoints[i];

        if (raw ? e->endpoint.role == S2SVPN_ROLE_RAW
                : e->endpoint.role != S2SVPN_ROLE_RAW && e->endpoint.port == to->port)
            return e;
    }
    return NULL;
}

s2svpn_status s2_sim_add_endpoints(s2svpn_sim_node *node, const s2svpn_endpoint *e, size_t n)
{
    s2svpn_sim *sim = node->sim;

    for (size_t i = 0; i < n; i++) {
        if (e[i].address.family == S2SVPN_FAMILY_NONE || !valid_family(&e[i].address))
            return S2SVPN_E_ARGUMENT;
        if (s2_sim_has_address(sim, &e[i].address) || s2_sim_is_nat(sim, &e[i].address))
            return S2SVPN_E_EXISTS;
    }

    s2svpn_status rc =
        make_room((void **)&sim->endpoints, &sim->endpoint_capacity, sim->endpoint_count, n,
                  S2_SIM_ENDPOINTS_MAX, sizeof(*sim->endpoints));
    if (rc != S2SVPN_OK)
        return rc;
    for (size_t i = 0; i < n; i++) {
        size_t at = endpoint_place(sim, &e[i].address);

        while (has_address(sim, at, &e[i].address)) /* behind its own: the first one counts */
            at++;
        memmove(&sim->endpoints[at + 1], &sim->endpoints[at],
                (sim->endpoint_count - at) * sizeof(*sim->endpoints));
        sim->endpoints[at] = (struct s2_sim_endpoint){e[i], node};
        sim->endpoint_count++;
    }
    return S2SVPN_OK;
}

void s2_sim_remove_endpoints(const s2svpn_sim_node *node)
{
    s2svpn_sim *sim = node->sim;
    size_t kept = 0;

    for (size_t i = 0; i < sim->endpoint_count; i++)
        if (sim->endpoints[i].node != node)
            sim->endpoints[kept++] = sim->endpoints[i];
    sim->endpoint_count = kept;
}
