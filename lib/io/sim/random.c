/* SPDX-License-Identifier: Apache-2.0 */
/* Dice for simulations: SplitMix64, a counter that is scrambled (Steele, Lea, Flood,
 * "Fast splittable pseudorandom number generators", OOPSLA 2014). Repeatable, and so
 * of no use for keys outside of a simulation. */
#include "io/sim/sim.h"

#define GOLDEN 0x9e3779b97f4a7c15u

static uint64_t scramble(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

void s2_sim_seed(struct s2_sim_random *r, uint64_t seed, uint64_t stream)
{
    r->state = scramble(seed) ^ scramble(scramble(stream + GOLDEN));
}

uint64_t s2_sim_next(struct s2_sim_random *r)
{
    r->state += GOLDEN;
    return scramble(r->state);
}

uint64_t s2_sim_roll(struct s2_sim_random *r, uint64_t most)
{
    if (most == UINT64_MAX)
        return s2_sim_next(r);

    /* Numbers from the last, incomplete round of 0 to most are thrown away. */
    const uint64_t sides = most + 1;
    const uint64_t incomplete = (UINT64_MAX % sides + 1) % sides;
    uint64_t x;

    do {
        x = s2_sim_next(r);
    } while (x > UINT64_MAX - incomplete);
    return x % sides;
}

bool s2_sim_happens(struct s2_sim_random *r, uint32_t ppm)
{
    return ppm != 0 && s2_sim_roll(r, 999999) < ppm;
}

void s2_sim_fill(struct s2_sim_random *r, uint8_t *out, size_t len)
{
    uint64_t x = 0;

    for (size_t i = 0; i < len; i++) {
        if (i % 8 == 0)
            x = s2_sim_next(r);
        out[i] = (uint8_t)(x >> (i % 8 * 8));
    }
}
