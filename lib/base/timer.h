/* SPDX-License-Identifier: Apache-2.0 */
/* Timers without allocation: a pairing heap whose nodes live inside the owners.
 * The next deadline is exact and equal deadlines fire in the order in which they
 * were set, so a simulated run repeats itself. (A wheel is cheaper a step but
 * rounds; control planes have few timers that fire.) */
#ifndef S2_BASE_TIMER_H
#define S2_BASE_TIMER_H

#include "s2svpn/types.h"

struct s2_timer {
    struct s2_timer *child, *sibling, *back; /* back: left sibling or parent */
    uint64_t at_ns;
    uint64_t order;
    bool armed;
    void (*fire)(void *arg, uint64_t now_ns);
    void *arg;
};

struct s2_timers {
    struct s2_timer *root;
    uint64_t next_order;
};

void s2_timers_init(struct s2_timers *t);
/* Once before first use. */
void s2_timer_init(struct s2_timer *timer, void (*fire)(void *arg, uint64_t now_ns), void *arg);
/* Arm or move; S2SVPN_NEVER cancels. */
void s2_timer_set(struct s2_timers *t, struct s2_timer *timer, uint64_t at_ns);
void s2_timer_cancel(struct s2_timers *t, struct s2_timer *timer);
/* Fire all that are due, in order. A timer is disarmed before it fires; what it
 * sets at or before now_ns fires in the same call. Returns how many fired;
 * stops after limit of them (a guard against a loop of our own making). */
size_t s2_timers_advance(struct s2_timers *t, uint64_t now_ns, size_t limit);
/* S2SVPN_NEVER if none. */
uint64_t s2_timers_next(const struct s2_timers *t);

#define S2_MS UINT64_C(1000000)
#define S2_SECOND UINT64_C(1000000000)
/* now + delta without wrapping past never. */
static inline uint64_t s2_after(uint64_t now_ns, uint64_t delta_ns)
{
    return delta_ns >= S2SVPN_NEVER - now_ns ? S2SVPN_NEVER - 1 : now_ns + delta_ns;
}

#endif
