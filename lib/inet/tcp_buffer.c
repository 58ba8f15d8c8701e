/* SPDX-License-Identifier: Apache-2.0 */
/* The ring that a stream keeps bytes in: grows by doubling, wraps, knows nothing
 * of sequence numbers. Its size is a power of two. */
#include "inet/tcp.h"

#include <string.h>

bool s2_tcp_ring_reserve(struct s2_tcp_ring *r, const struct s2_env *env, uint32_t used,
                         uint32_t need)
{
    struct s2_tcp_ring bigger = {.size = r->size ? r->size : S2_TCP_BUFFER_FIRST};

    if (need <= r->size)
        return true;
    if (need > S2_TCP_BUFFER)
        return false;
    while (bigger.size < need)
        bigger.size *= 2;
    bigger.p = s2_alloc(env, bigger.size);
    if (!bigger.p)
        return false;
    s2_tcp_ring_get(r, 0, bigger.p, s2_tcp_min(used, r->size));
    s2_free(env, r->p);
    *r = bigger;
    return true;
}

void s2_tcp_ring_put(struct s2_tcp_ring *r, uint32_t offset, const uint8_t *p, uint32_t len)
{
    if (len == 0)
        return;
    const uint32_t at = (r->start + offset) & (r->size - 1);
    const uint32_t first = s2_tcp_min(len, r->size - at);

    memcpy(r->p + at, p, first);
    memcpy(r->p, p + first, len - first);
}

void s2_tcp_ring_get(const struct s2_tcp_ring *r, uint32_t offset, uint8_t *out, uint32_t len)
{
    if (len == 0)
        return;
    const uint32_t at = (r->start + offset) & (r->size - 1);
    const uint32_t first = s2_tcp_min(len, r->size - at);

    memcpy(out, r->p + at, first);
    memcpy(out + first, r->p, len - first);
}

void s2_tcp_ring_skip(struct s2_tcp_ring *r, uint32_t len)
{
    if (r->size)
        r->start = (r->start + len) & (r->size - 1);
}

void s2_tcp_ring_free(struct s2_tcp_ring *r, const struct s2_env *env)
{
    s2_free(env, r->p);
    *r = (struct s2_tcp_ring){0};
}
