/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for what holds keys: a size before each block, so that it can be wiped when
 * it is given back. */
#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "config/config.h"

union head {
    size_t size; /* of head and block */
    max_align_t align;
};

static void *allocate(size_t len)
{
    const s2svpn_memory *memory = s2_memory_default();

    if (len > SIZE_MAX - sizeof(union head))
        return NULL;
    union head *head = memory->allocate(memory->user, sizeof(*head) + len);
    if (head == NULL)
        return NULL;
    head->size = sizeof(*head) + len;
    return head + 1;
}

static void release(void *p)
{
    const s2svpn_memory *memory = s2_memory_default();

    if (p == NULL)
        return;
    union head *head = (union head *)p - 1;
    s2_wipe(head, head->size);
    memory->release(memory->user, head);
}

static void *resize(void *p, size_t len)
{
    void *fresh = allocate(len);

    if (p == NULL || fresh == NULL)
        return fresh;
    const size_t had = ((union head *)p - 1)->size - sizeof(union head);
    memcpy(fresh, p, had < len ? had : len);
    release(p);
    return fresh;
}

const struct s2_config_memory *s2_config_memory_default(void)
{
    static const struct s2_config_memory memory = {allocate, resize, release};

    return &memory;
}
