/* SPDX-License-Identifier: Apache-2.0 */
/* Timers in a pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986): arming is
 * one comparison, firing and cancelling are logarithmic in the long run. No
 * allocation, no recursion, no clock.
 *
 * A node's children hang at child and are chained by sibling; back points at the
 * left sibling, or from the first child at the parent. The root has neither. */
#include "base/timer.h"

static bool earlier(const struct s2_timer *a, const struct s2_timer *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

/* Two roots become one; either may be NULL. */
static struct s2_timer *meld(struct s2_timer *a, struct s2_timer *b)
{
    if (a == NULL)
        return b;
    if (b == NULL)
        return a;
    if (earlier(b, a)) {
        struct s2_timer *swap = a;
        a = b;
        b = swap;
    }
    b->back = a;
    b->sibling = a->child;
    if (b->sibling != NULL)
        b->sibling->back = b;
    a->child = b;
    return a;
}

/* A chain of siblings becomes one tree: pairs from left to right, then all of
 * them from right to left. The pairs are stacked through sibling meanwhile. */
static struct s2_timer *meld_siblings(struct s2_timer *first)
{
    struct s2_timer *pairs = NULL, *root = NULL;

    while (first != NULL) {
        struct s2_timer *a = first, *b = a->sibling;

        first = b != NULL ? b->sibling : NULL;
        a->back = a->sibling = NULL;
        if (b != NULL)
            b->back = b->sibling = NULL;
        a = meld(a, b);
        a->sibling = pairs;
        pairs = a;
    }
    while (pairs != NULL) {
        struct s2_timer *next = pairs->sibling;

        pairs->sibling = NULL;
        root = meld(root, pairs);
        pairs = next;
    }
    return root;
}

/* Take an armed timer out of the heap. */
static void unlink_timer(struct s2_timers *t, struct s2_timer *timer)
{
    struct s2_timer *rest = meld_siblings(timer->child);

    if (t->root == timer) {
        t->root = rest;
    } else {
        if (timer->back->child == timer)
            timer->back->child = timer->sibling;
        else
            timer->back->sibling = timer->sibling;
        if (timer->sibling != NULL)
            timer->sibling->back = timer->back;
        t->root = meld(t->root, rest);
    }
    timer->child = timer->sibling = timer->back = NULL;
    timer->armed = false;
}

void s2_timers_init(struct s2_timers *t)
{
    *t = (struct s2_timers){0};
}

void s2_timer_init(struct s2_timer *timer, void (*fire)(void *arg, uint64_t now_ns), void *arg)
{
    *timer = (struct s2_timer){.at_ns = S2SVPN_NEVER, .fire = fire, .arg = arg};
}

void s2_timer_set(struct s2_timers *t, struct s2_timer *timer, uint64_t at_ns)
{
    s2_timer_cancel(t, timer);
    if (at_ns == S2SVPN_NEVER)
        return;
    timer->at_ns = at_ns;
    timer->order = t->next_order++;
    timer->armed = true;
    t->root = meld(t->root, timer);
}

void s2_timer_cancel(struct s2_timers *t, struct s2_timer *timer)
{
    if (timer->armed)
        unlink_timer(t, timer);
    timer->at_ns = S2SVPN_NEVER;
}

size_t s2_timers_advance(struct s2_timers *t, uint64_t now_ns, size_t limit)
{
    size_t fired = 0;

    while (fired < limit && t->root != NULL && t->root->at_ns <= now_ns) {
        struct s2_timer *timer = t->root;

        s2_timer_cancel(t, timer);
        fired++;
        timer->fire(timer->arg, now_ns); /* may free the timer */
    }
    return fired;
}

uint64_t s2_timers_next(const struct s2_timers *t)
{
    return t->root != NULL ? t->root->at_ns : S2SVPN_NEVER;
}
