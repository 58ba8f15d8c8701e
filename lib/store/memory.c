/* SPDX-License-Identifier: Apache-2.0 */
/* The store in memory: a hash table of records by id. It answers inside submit and
 * keeps nothing beyond its own life. Records may hold keys: their bytes are wiped
 * when they are replaced, removed or freed. */
#include "s2svpn/store.h"

#include <stdlib.h>
#include <string.h>

#include "store/form.h"

#define FIRST_BUCKETS 64

struct entry {
    struct entry *next;
    s2svpn_record record; /* its bytes are behind the struct */
};

struct s2svpn_memory_store {
    s2svpn_memory memory;
    struct entry **buckets;
    size_t bucket_count; /* a power of two */
    size_t count;
};

/* ---- memory */

static void *std_allocate(void *user, size_t len)
{
    (void)user;
    return malloc(len);
}

static void std_release(void *user, void *p)
{
    (void)user;
    free(p);
}

static const s2svpn_memory std_memory = {
    .size = sizeof(std_memory), .allocate = std_allocate, .release = std_release};

static void free_entry(const s2svpn_memory_store *s, struct entry *e)
{
    s2_store_wipe(e, sizeof(*e) + e->record.len);
    s->memory.release(s->memory.user, e);
}

static void free_chain(const s2svpn_memory_store *s, struct entry *e)
{
    while (e) {
        struct entry *next = e->next;

        free_entry(s, e);
        e = next;
    }
}

static struct entry *copy_record(const s2svpn_memory_store *s, const s2svpn_record *r)
{
    struct entry *e = NULL;

    if (r->len <= SIZE_MAX - sizeof(*e))
        e = s->memory.allocate(s->memory.user, sizeof(*e) + r->len);
    if (!e)
        return NULL;
    *e = (struct entry){.record = *r};
    e->record.data = (uint8_t *)(e + 1);
    if (r->len > 0)
        memcpy(e + 1, r->data, r->len);
    return e;
}

/* ---- the table */

/* FNV-1a; ids are the library's own, no peer chooses them. */
static size_t bucket_of(const s2svpn_memory_store *s, const s2svpn_id *id)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < sizeof(id->text) && id->text[i] != '\0'; i++)
        h = (h ^ (uint8_t)id->text[i]) * 0x100000001b3u;
    return (size_t)(h ^ h >> 32) & (s->bucket_count - 1);
}

/* The link that leads to the record, or to where it would be hung. */
static struct entry **find(const s2svpn_memory_store *s, const s2svpn_id *id)
{
    struct entry **link = &s->buckets[bucket_of(s, id)];

    while (*link && !s2_store_same_id(&(*link)->record.id, id))
        link = &(*link)->next;
    return link;
}

/* Make the table large enough for n more records. */
static s2svpn_status grow(s2svpn_memory_store *s, size_t n)
{
    size_t want = s->bucket_count;

    while (want < s->count + n)
        want *= 2;
    if (want == s->bucket_count)
        return S2SVPN_OK;

    struct entry **buckets = s->memory.allocate(s->memory.user, want * sizeof(struct entry *));
    if (!buckets)
        return S2SVPN_E_MEMORY;
    for (size_t i = 0; i < want; i++)
        buckets[i] = NULL;

    s2svpn_memory_store bigger = {.buckets = buckets, .bucket_count = want};
    for (size_t i = 0; i < s->bucket_count; i++) {
        while (s->buckets[i]) {
            struct entry *e = s->buckets[i];
            struct entry **to = &buckets[bucket_of(&bigger, &e->record.id)];

            s->buckets[i] = e->next;
            e->next = *to;
            *to = e;
        }
    }
    s->memory.release(s->memory.user, s->buckets);
    s->buckets = buckets;
    s->bucket_count = want;
    return S2SVPN_OK;
}

/* ---- transactions */

static bool revisions_fit(const s2svpn_memory_store *s, const s2svpn_change *changes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct entry *e = *find(s, &changes[i].record.id);

        if ((e ? e->record.revision : 0) != changes[i].record.revision - 1)
            return false;
    }
    return true;
}

/* All new records, in the order of the changes. */
static s2svpn_status copy_changes(const s2svpn_memory_store *s, const s2svpn_change *changes,
                                  size_t n, struct entry **out)
{
    struct entry *first = NULL, **last = &first;

    for (size_t i = 0; i < n; i++) {
        if (changes[i].remove)
            continue;
        *last = copy_record(s, &changes[i].record);
        if (!*last) {
            free_chain(s, first);
            return S2SVPN_E_MEMORY;
        }
        last = &(*last)->next;
    }
    *out = first;
    return S2SVPN_OK;
}

static void apply(s2svpn_memory_store *s, const s2svpn_change *change, struct entry **fresh)
{
    struct entry **link = find(s, &change->record.id);
    struct entry *old = *link;

    if (old) {
        *link = old->next;
        free_entry(s, old);
        s->count--;
    }
    if (!change->remove) {
        struct entry *e = *fresh;

        *fresh = e->next;
        e->next = *link;
        *link = e;
        s->count++;
    }
}

static s2svpn_status submit(void *store, const s2svpn_change *changes, size_t n,
                            s2svpn_store_done *done, void *arg)
{
    s2svpn_memory_store *s = store;
    struct entry *fresh = NULL;

    s2svpn_status rc = s2_store_check_form(changes, n);
    if (rc != S2SVPN_OK)
        return rc;
    if (!revisions_fit(s, changes, n)) {
        done(arg, S2SVPN_E_CONFLICT);
        return S2SVPN_OK;
    }
    rc = copy_changes(s, changes, n, &fresh);
    if (rc != S2SVPN_OK)
        return rc;
    rc = grow(s, n);
    if (rc != S2SVPN_OK) {
        free_chain(s, fresh);
        return rc;
    }
    for (size_t i = 0; i < n; i++)
        apply(s, &changes[i], &fresh);
    done(arg, S2SVPN_OK); /* last: it may submit again */
    return S2SVPN_OK;
}

static int by_id(const void *a, const void *b)
{
    const struct entry *const *x = a, *const *y = b;

    return strncmp((*x)->record.id.text, (*y)->record.id.text, S2SVPN_ID_SIZE);
}

static s2svpn_status load(void *store, bool (*each)(void *arg, const s2svpn_record *record),
                          void *arg)
{
    s2svpn_memory_store *s = store;
    size_t n = 0;

    if (s->count == 0)
        return S2SVPN_OK;
    struct entry **sorted = s->memory.allocate(s->memory.user, s->count * sizeof(struct entry *));
    if (!sorted)
        return S2SVPN_E_MEMORY;
    for (size_t i = 0; i < s->bucket_count; i++)
        for (struct entry *e = s->buckets[i]; e; e = e->next)
            sorted[n++] = e;
    qsort(sorted, n, sizeof(struct entry *), by_id);
    for (size_t i = 0; i < n && each(arg, &sorted[i]->record); i++)
        ;
    s->memory.release(s->memory.user, sorted);
    return S2SVPN_OK;
}

static const s2svpn_store_ops ops = {
    .size = sizeof(ops), .name = "memory", .submit = submit, .load = load};

const s2svpn_store_ops *s2svpn_memory_store_ops(void)
{
    return &ops;
}

/* ---- life */

s2svpn_status s2svpn_memory_store_new(const s2svpn_memory *memory, s2svpn_memory_store **store)
{
    *store = NULL;
    if (!memory)
        memory = &std_memory;
    if (!memory->allocate || !memory->release)
        return S2SVPN_E_ARGUMENT;

    s2svpn_memory_store *s = memory->allocate(memory->user, sizeof(*s));
    if (!s)
        return S2SVPN_E_MEMORY;
    *s = (s2svpn_memory_store){.memory = *memory, .bucket_count = FIRST_BUCKETS};
    s->buckets = memory->allocate(memory->user, FIRST_BUCKETS * sizeof(struct entry *));
    if (!s->buckets) {
        memory->release(memory->user, s);
        return S2SVPN_E_MEMORY;
    }
    for (size_t i = 0; i < FIRST_BUCKETS; i++)
        s->buckets[i] = NULL;
    *store = s;
    return S2SVPN_OK;
}

void s2svpn_memory_store_free(s2svpn_memory_store *store)
{
    if (!store)
        return;

    const s2svpn_memory memory = store->memory;
    for (size_t i = 0; i < store->bucket_count; i++)
        free_chain(store, store->buckets[i]);
    memory.release(memory.user, store->buckets);
    memory.release(memory.user, store);
}
