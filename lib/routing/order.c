/* SPDX-License-Identifier: Apache-2.0 */
/* Sorts the RIB's lists by prefix, in place: a natural merge sort, which takes one
 * pass over a list that is sorted but for a few. Family first, then address, then
 * length: a prefix stands before what it covers. */
#include "routing/rib.h"

#include "base/address.h"

typedef const s2svpn_prefix *prefix_of(const struct s2_link *member);

static const s2svpn_prefix *of_entry(const struct s2_link *member)
{
    return &S2_CONTAINER(member, struct s2_rib_entry, in_order)->prefix;
}

static const s2svpn_prefix *of_candidate(const struct s2_link *member)
{
    return &S2_CONTAINER(member, struct s2_rib_candidate, of_source)->entry->prefix;
}

static bool in_order(prefix_of *get, const struct s2_link *a, const struct s2_link *b)
{
    const s2svpn_prefix *p = get(a), *q = get(b);
    const int order = s2_address_compare(&p->address, &q->address);

    return order != 0 ? order < 0 : p->length <= q->length;
}

/* Cut the sorted run off that begins at first; returns what is behind it. Chains
 * here are linked by next alone and end with NULL. */
static struct s2_link *cut_run(prefix_of *get, struct s2_link *first)
{
    struct s2_link *last = first;

    while (last->next != NULL && in_order(get, last, last->next))
        last = last->next;
    struct s2_link *rest = last->next;
    last->next = NULL;
    return rest;
}

static struct s2_link *merge(prefix_of *get, struct s2_link *a, struct s2_link *b,
                             struct s2_link **end)
{
    struct s2_link head, *last = &head;

    while (a != NULL && b != NULL) {
        struct s2_link **from = in_order(get, a, b) ? &a : &b;

        last->next = *from;
        last = *from;
        *from = (*from)->next;
    }
    last->next = a != NULL ? a : b;
    while (last->next != NULL)
        last = last->next;
    *end = last;
    return head.next;
}

/* One pass: neighbouring runs become one. Returns whether there was only one. */
static bool merge_runs(prefix_of *get, struct s2_link **chain)
{
    struct s2_link *left = *chain, **tail = chain;
    size_t runs = 0;

    while (left != NULL) {
        struct s2_link *a = left, *b = cut_run(get, a), *end;

        left = b != NULL ? cut_run(get, b) : NULL;
        *tail = merge(get, a, b, &end);
        tail = &end->next;
        runs++;
    }
    return runs <= 1;
}

static void sort(struct s2_link *list, prefix_of *get)
{
    if (s2_list_empty(list))
        return;
    struct s2_link *chain = list->next;
    list->prev->next = NULL;
    while (!merge_runs(get, &chain))
        continue;
    list->next = chain;
    struct s2_link *last = list;
    for (struct s2_link *l = chain; l != NULL; l = l->next) {
        l->prev = last;
        last = l;
    }
    last->next = list;
    list->prev = last;
}

void s2_rib_sort(struct s2_rib *rib)
{
    if (rib->unsorted)
        sort(&rib->all, of_entry);
    rib->unsorted = false;
}

void s2_rib_sort_source(struct s2_rib_source *source)
{
    if (source->unsorted)
        sort(&source->candidates, of_candidate);
    source->unsorted = false;
}
