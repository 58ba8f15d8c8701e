/* SPDX-License-Identifier: Apache-2.0 */
/* Which candidates of a prefix carry it: the order of choice (routing.h), and the equals
 * of the best one. RFC 4271 section 9.1.2.2; no candidate is changed. */
#include "routing/rib.h"

int s2_rib_compare(const struct s2_rib_path *a, const struct s2_rib_path *b)
{
    if (a->usable != b->usable)
        return a->usable ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->local_pref != b->local_pref)
        return a->local_pref > b->local_pref ? -1 : 1;
    if (a->as_path_len != b->as_path_len)
        return a->as_path_len < b->as_path_len ? -1 : 1;
    return 0;
}

/* The steps behind MED. */
static int compare_last(const struct s2_rib_path *a, const struct s2_rib_path *b)
{
    if (a->since_ns != b->since_ns)
        return a->since_ns < b->since_ns ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

/* Is c beaten by the MED of another that is as good up to there? MED compares
 * only paths of the same neighbour, so this is no order of all of them, and the
 * beaten are set aside before the last steps: then the answer doesn't depend on
 * the order in which paths came (RFC 4271 section 9.1.2.2 c). */
static bool beaten(const struct s2_rib_entry *e, const struct s2_rib_candidate *c)
{
    for (const struct s2_rib_candidate *d = e->first; d != NULL; d = d->next) {
        if (!d->taken && d->path.first_as == c->path.first_as && d->path.med < c->path.med &&
            s2_rib_compare(&d->path, &c->path) == 0)
            return true;
    }
    return false;
}

/* The best of those that aren't taken, usable or not. */
static struct s2_rib_candidate *choose(const struct s2_rib_entry *e)
{
    struct s2_rib_candidate *best = NULL;

    for (struct s2_rib_candidate *c = e->first; c != NULL; c = c->next) {
        if (c->taken)
            continue;
        const int order = best == NULL ? -1 : s2_rib_compare(&c->path, &best->path);
        if (order > 0 || (order == 0 && compare_last(&c->path, &best->path) >= 0))
            continue;
        if (!beaten(e, c))
            best = c;
    }
    return best;
}

const struct s2_rib_path *s2_rib_best(const struct s2_rib_entry *e)
{
    const struct s2_rib_candidate *c = choose(e);

    return c != NULL && c->path.usable ? &c->path : NULL;
}

size_t s2_rib_list(const struct s2_rib_entry *e, struct s2_rib_path *out, size_t max)
{
    size_t n = 0;

    for (struct s2_rib_candidate *c; n < max && (c = choose(e)) != NULL; n++) {
        c->taken = true;
        out[n] = c->path;
    }
    for (struct s2_rib_candidate *c = e->first; c != NULL; c = c->next)
        c->taken = false;
    return n;
}

/* ---- equals */

static bool is_equal(const struct s2_rib_path *p, const struct s2_rib_path *best)
{
    return p->together > 1 && p->first_as == best->first_as && p->med == best->med &&
           s2_rib_compare(p, best) == 0;
}

/* Put p among the max that come first by their age, in the order of age. */
static size_t insert(const struct s2_rib_path **list, size_t n, size_t max,
                     const struct s2_rib_path *p)
{
    size_t i = n < max ? n : max - 1;

    if (n == max && compare_last(p, list[max - 1]) >= 0)
        return n;
    for (; i > 0 && compare_last(p, list[i - 1]) < 0; i--)
        list[i] = list[i - 1];
    list[i] = p;
    return n < max ? n + 1 : max;
}

/* Age decides who is among them, but not where: the same members are the same list. */
static void sort_by_order(const struct s2_rib_path **list, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const struct s2_rib_path *p = list[i];
        size_t j = i;

        for (; j > 0 && list[j - 1]->order > p->order; j--)
            list[j] = list[j - 1];
        list[j] = p;
    }
}

void s2_rib_choose(const struct s2_rib_entry *e, struct s2_rib_choice *out)
{
    const struct s2_rib_path *best = s2_rib_best(e);
    size_t max = S2_RIB_TOGETHER_MAX;

    *out = (struct s2_rib_choice){.best = best, .count = best != NULL, .path = {best}};
    if (best == NULL || best->together <= 1)
        return;
    if (best->together < max)
        max = best->together;
    out->count = 0;
    for (const struct s2_rib_candidate *c = e->first; c != NULL; c = c->next) {
        if (is_equal(&c->path, best))
            out->count = insert(out->path, out->count, max, &c->path);
    }
    sort_by_order(out->path, out->count);
}
