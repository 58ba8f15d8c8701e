/* SPDX-License-Identifier: Apache-2.0 */
/* Memory with its size in front, so that release can look through it. */
#include "heap.h"

#include <stdlib.h>
#include <string.h>

#define HEAD sizeof(max_align_t)

static void *allocate(void *user, size_t len)
{
    struct s2_heap *h = user;
    uint8_t *p;

    if (++h->allocations == h->fail_at)
        return NULL;
    p = malloc(HEAD + len);
    if (!p)
        return NULL;
    memcpy(p, &len, sizeof(len));
    h->live++;
    return p + HEAD;
}

static void release(void *user, void *p)
{
    struct s2_heap *h = user;
    size_t len;

    if (!p)
        return;
    memcpy(&len, (uint8_t *)p - HEAD, sizeof(len));
    for (size_t i = 0; h->watched && i + h->watched_len <= len; i++)
        h->leaks += memcmp((uint8_t *)p + i, h->watched, h->watched_len) == 0;
    h->live--;
    free((uint8_t *)p - HEAD);
}

void s2_heap_init(struct s2_heap *h)
{
    h->memory = (s2svpn_memory){
        .size = sizeof(s2svpn_memory), .user = h, .allocate = allocate, .release = release};
}
