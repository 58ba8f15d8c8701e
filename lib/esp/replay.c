/* SPDX-License-Identifier: Apache-2.0 */
/* The anti-replay window: a ring of words that is never shifted (RFC 6479), over
 * 64-bit sequence numbers of which the wire carries half (RFC 4303 section 3.4.3
 * and appendix A2). Authenticates nothing. */
#include "esp/esp.h"

#define WORD_BITS 64

/* A word of the ring holds 64 numbers. The ring has at least one word more than
 * the window, so the words that the window touches are always whole. */
bool s2_esp_replay_ok(const struct s2_esp_sa *sa, uint64_t seq)
{
    if (!sa->window_used)
        return true;
    if (seq == 0) /* RFC 4303 section 3.3.3: the first packet carries 1 */
        return false;
    if (seq > sa->seq)
        return true;
    if (sa->seq - seq >= sa->window)
        return false;
    return (sa->bitmap[seq / WORD_BITS & sa->bitmap_mask] >> seq % WORD_BITS & 1) == 0;
}

void s2_esp_replay_accept(struct s2_esp_sa *sa, uint64_t seq)
{
    if (seq > sa->seq) {
        if (sa->window_used) {
            const uint64_t old = sa->seq / WORD_BITS;
            uint64_t fresh = seq / WORD_BITS - old;

            /* Words that the window now enters for the first time are cleared. */
            if (fresh > sa->bitmap_mask)
                fresh = (uint64_t)sa->bitmap_mask + 1;
            for (uint64_t i = 1; i <= fresh; i++)
                sa->bitmap[(seq / WORD_BITS - fresh + i) & sa->bitmap_mask] = 0;
        }
        sa->seq = seq;
    }
    if (sa->window_used)
        sa->bitmap[seq / WORD_BITS & sa->bitmap_mask] |= UINT64_C(1) << seq % WORD_BITS;
}

/* Appendix A2.2. Without a window the nearest number is taken. Wrong guesses fail
 * at the ICV, which covers the upper half. */
uint64_t s2_esp_replay_extend(const struct s2_esp_sa *sa, uint32_t low)
{
    const uint32_t window = sa->window_used ? sa->window : UINT32_C(1) << 31;
    const uint32_t top_low = (uint32_t)sa->seq;
    const uint32_t bottom = top_low - window + 1; /* modulo 2^32 */
    uint32_t high = (uint32_t)(sa->seq >> 32);

    if (!sa->esn)
        return low;
    if (top_low >= window - 1) {
        if (low < bottom) /* case A: the window lies in one subspace */
            high++;
    } else if (low >= bottom && high > 0) {
        high--; /* case B: it lies across two; before the first there is none */
    }
    return (uint64_t)high << 32 | low;
}
