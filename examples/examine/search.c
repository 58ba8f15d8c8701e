/* SPDX-License-Identifier: Apache-2.0 */
/* The longest packet that passes: the MTU at first, then by halves. A ping may be lost for
 * other reasons, so three of a length must be. */
#include "examine/examine.h"

#define LEAST 68 /* what IPv4 promises */
#define TRIES 3
#define ANSWER_NS (SECOND_NS / 2)
#define EXACT 8 /* bytes: near enough */

void search_begin(struct search *s, uint16_t mtu)
{
    *s = (struct search){.bad = (uint16_t)(mtu + 1), .now = mtu};
}

static void next(struct search *s)
{
    s->tries = 0;
    s->sent_ns = 0;
    if (s->good == 0 && s->bad > LEAST)
        s->now = s->now > 576 ? 576 : LEAST;
    else
        s->now = (uint16_t)((s->good + s->bad) / 2);
    if (s->bad - s->good <= EXACT || s->bad <= LEAST)
        s->now = 0;
}

uint16_t search_step(struct search *s, uint16_t answered_len, uint64_t now_ns)
{
    if (s->now == 0)
        return 0;
    if (answered_len == s->now) {
        s->good = s->now;
        next(s);
    } else if (s->sent_ns != 0 && now_ns - s->sent_ns < ANSWER_NS) {
        return 0;
    } else if (s->tries == TRIES) {
        s->bad = s->now;
        next(s);
    }
    if (s->now == 0)
        return 0;
    s->tries++;
    s->sent_ns = now_ns;
    return s->now;
}
