/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-2-4 (Aumasson and Bernstein, 2012, 64-bit result) and chained hash
 * tables that grow by doubling. Not for secrets: chains are walked in time that
 * depends on what is found. */
#include "base/hash.h"

#define FIRST_BUCKETS 8

/* Spelt out, since then compilers make one load of it. */
static uint64_t load_le64(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

static uint64_t rotate(uint64_t v, unsigned bits)
{
    return v << bits | v >> (64 - bits);
}

/* The state goes by value, which keeps it in registers. */
struct sip {
    uint64_t a, b, c, d;
};

static inline struct sip sip_round(struct sip v)
{
    v.a += v.b;
    v.c += v.d;
    v.b = rotate(v.b, 13) ^ v.a;
    v.d = rotate(v.d, 16) ^ v.c;
    v.a = rotate(v.a, 32);
    v.c += v.b;
    v.a += v.d;
    v.b = rotate(v.b, 17) ^ v.c;
    v.d = rotate(v.d, 21) ^ v.a;
    v.c = rotate(v.c, 32);
    return v;
}

static inline struct sip sip_word(struct sip v, uint64_t m)
{
    v.d ^= m;
    v = sip_round(sip_round(v));
    v.a ^= m;
    return v;
}

uint64_t s2_siphash(const uint8_t key[16], const void *data, size_t len)
{
    const uint8_t *p = data;
    const uint64_t k0 = load_le64(key), k1 = load_le64(key + 8);
    /* The four constants spell "somepseudorandomlygeneratedbytes". */
    struct sip v = {
        .a = k0 ^ UINT64_C(0x736f6d6570736575),
        .b = k1 ^ UINT64_C(0x646f72616e646f6d),
        .c = k0 ^ UINT64_C(0x6c7967656e657261),
        .d = k1 ^ UINT64_C(0x7465646279746573),
    };
    uint64_t last = (uint64_t)len << 56; /* its low byte, above the tail's */
    size_t left = len;

    for (; left >= 8; left -= 8, p += 8)
        v = sip_word(v, load_le64(p));
    for (size_t i = 0; i < left; i++)
        last |= (uint64_t)p[i] << (8 * i);
    v = sip_word(v, last);

    v.c ^= 0xff;
    v = sip_round(sip_round(sip_round(sip_round(v))));
    return v.a ^ v.b ^ v.c ^ v.d;
}

void s2_table_init(struct s2_table *t, const struct s2_env *env, size_t limit)
{
    *t = (struct s2_table){.env = env, .limit = limit};
}

void s2_table_clear(struct s2_table *t)
{
    if (t->buckets != NULL)
        s2_free(t->env, t->buckets);
    t->buckets = NULL;
    t->bucket_count = 0;
    t->count = 0;
}

static struct s2_table_node **bucket_of(const struct s2_table *t, uint64_t hash)
{
    return &t->buckets[(size_t)hash & (t->bucket_count - 1)];
}

static void push(struct s2_table *t, struct s2_table_node *n)
{
    struct s2_table_node **bucket = bucket_of(t, n->hash);

    n->next = *bucket;
    *bucket = n;
}

/* Twice the buckets. Without memory for them the table goes on with longer
 * chains; only a table without any bucket can't. */
static void grow(struct s2_table *t)
{
    struct s2_table_node **old = t->buckets;
    const size_t old_count = t->bucket_count;
    const size_t count = old_count == 0 ? FIRST_BUCKETS : old_count * 2;

    if (count < old_count)
        return;
    struct s2_table_node **buckets = s2_alloc_array(t->env, count, sizeof(struct s2_table_node *));
    if (buckets == NULL)
        return;
    t->buckets = buckets;
    t->bucket_count = count;
    for (size_t i = 0; i < old_count; i++) {
        for (struct s2_table_node *n = old[i], *next; n != NULL; n = next) {
            next = n->next;
            push(t, n);
        }
    }
    if (old != NULL)
        s2_free(t->env, old);
}

s2svpn_status s2_table_insert(struct s2_table *t, struct s2_table_node *n, uint64_t hash)
{
    if (t->count >= t->limit)
        return S2SVPN_E_LIMIT;
    if (t->count >= t->bucket_count)
        grow(t);
    if (t->buckets == NULL)
        return S2SVPN_E_MEMORY;
    n->hash = hash;
    push(t, n);
    t->count++;
    return S2SVPN_OK;
}

struct s2_table_node *s2_table_find(const struct s2_table *t, uint64_t hash,
                                    bool (*equal)(const struct s2_table_node *n, const void *key),
                                    const void *key)
{
    if (t->buckets == NULL)
        return NULL;
    for (struct s2_table_node *n = *bucket_of(t, hash); n != NULL; n = n->next) {
        if (n->hash == hash && equal(n, key))
            return n;
    }
    return NULL;
}

void s2_table_remove(struct s2_table *t, struct s2_table_node *n)
{
    if (t->buckets == NULL)
        return;
    for (struct s2_table_node **at = bucket_of(t, n->hash); *at != NULL; at = &(*at)->next) {
        if (*at == n) {
            *at = n->next;
            n->next = NULL;
            t->count--;
            return;
        }
    }
}

struct s2_table_node *s2_table_next(const struct s2_table *t, struct s2_table_cursor *c)
{
    struct s2_table_node *n = c->next;

    if (!c->started) {
        c->started = true;
        c->bucket = 0;
        n = NULL;
    }
    while (n == NULL && c->bucket < t->bucket_count)
        n = t->buckets[c->bucket++];
    c->next = n != NULL ? n->next : NULL;
    return n;
}
