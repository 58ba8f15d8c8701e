/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash against its authors' vectors, and the tables. */
#include "base/hash.h"

#include <string.h>

#include "base/list.h"
#include "base/text.h"
#include "fake_env.h"
#include "harness.h"

/* Key 00 01 .. 0f, message 00 01 .. of length i. Source: vectors.h of the
 * SipHash authors' reference implementation, as little-endian numbers; row 15 is
 * also appendix A of "SipHash: a fast short-input PRF". */
static const uint64_t sip_vectors[64] = {
    UINT64_C(0x726fdb47dd0e0e31), UINT64_C(0x74f839c593dc67fd), UINT64_C(0x0d6c8009d9a94f5a),
    UINT64_C(0x85676696d7fb7e2d), UINT64_C(0xcf2794e0277187b7), UINT64_C(0x18765564cd99a68d),
    UINT64_C(0xcbc9466e58fee3ce), UINT64_C(0xab0200f58b01d137), UINT64_C(0x93f5f5799a932462),
    UINT64_C(0x9e0082df0ba9e4b0), UINT64_C(0x7a5dbbc594ddb9f3), UINT64_C(0xf4b32f46226bada7),
    UINT64_C(0x751e8fbc860ee5fb), UINT64_C(0x14ea5627c0843d90), UINT64_C(0xf723ca908e7af2ee),
    UINT64_C(0xa129ca6149be45e5), UINT64_C(0x3f2acc7f57c29bdb), UINT64_C(0x699ae9f52cbe4794),
    UINT64_C(0x4bc1b3f0968dd39c), UINT64_C(0xbb6dc91da77961bd), UINT64_C(0xbed65cf21aa2ee98),
    UINT64_C(0xd0f2cbb02e3b67c7), UINT64_C(0x93536795e3a33e88), UINT64_C(0xa80c038ccd5ccec8),
    UINT64_C(0xb8ad50c6f649af94), UINT64_C(0xbce192de8a85b8ea), UINT64_C(0x17d835b85bbb15f3),
    UINT64_C(0x2f2e6163076bcfad), UINT64_C(0xde4daaaca71dc9a5), UINT64_C(0xa6a2506687956571),
    UINT64_C(0xad87a3535c49ef28), UINT64_C(0x32d892fad841c342), UINT64_C(0x7127512f72f27cce),
    UINT64_C(0xa7f32346f95978e3), UINT64_C(0x12e0b01abb051238), UINT64_C(0x15e034d40fa197ae),
    UINT64_C(0x314dffbe0815a3b4), UINT64_C(0x027990f029623981), UINT64_C(0xcadcd4e59ef40c4d),
    UINT64_C(0x9abfd8766a33735c), UINT64_C(0x0e3ea96b5304a7d0), UINT64_C(0xad0c42d6fc585992),
    UINT64_C(0x187306c89bc215a9), UINT64_C(0xd4a60abcf3792b95), UINT64_C(0xf935451de4f21df2),
    UINT64_C(0xa9538f0419755787), UINT64_C(0xdb9acddff56ca510), UINT64_C(0xd06c98cd5c0975eb),
    UINT64_C(0xe612a3cb9ecba951), UINT64_C(0xc766e62cfcadaf96), UINT64_C(0xee64435a9752fe72),
    UINT64_C(0xa192d576b245165a), UINT64_C(0x0a8787bf8ecb74b2), UINT64_C(0x81b3e73d20b49b6f),
    UINT64_C(0x7fa8220ba3b2ecea), UINT64_C(0x245731c13ca42499), UINT64_C(0xb78dbfaf3a8d83bd),
    UINT64_C(0xea1ad565322a1a0b), UINT64_C(0x60e61c23a3795013), UINT64_C(0x6606d7e446282b93),
    UINT64_C(0x6ca4ecb15c5f91e1), UINT64_C(0x9f626da15c9625f3), UINT64_C(0xe51b38608ef25f57),
    UINT64_C(0x958a324ceb064572),
};

static void siphash_gives_the_authors_vectors(void)
{
    uint8_t key[16], message[65];

    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)i;
    for (size_t shift = 0; shift < 2; shift++) { /* at any alignment */
        for (size_t i = 0; i < 64; i++)
            message[shift + i] = (uint8_t)i;
        for (size_t len = 0; len < 64; len++) {
            char row[16];

            s2_print(row, sizeof(row), "length %zu", len);
            CHECK_ROW(row, s2_siphash(key, message + shift, len) == sip_vectors[len]);
        }
    }
}

struct item {
    struct s2_table_node node;
    unsigned key;
};

static bool same_key(const struct s2_table_node *n, const void *key)
{
    return S2_CONTAINER(n, const struct item, node)->key == *(const unsigned *)key;
}

static uint64_t hash_of(const struct s2_env *env, unsigned key)
{
    return s2_siphash(env->hash_key, &key, sizeof(key));
}

static struct item *find(const struct s2_table *t, unsigned key)
{
    struct s2_table_node *n = s2_table_find(t, hash_of(t->env, key), same_key, &key);

    return n != NULL ? S2_CONTAINER(n, struct item, node) : NULL;
}

#define ITEMS 1000

static s2svpn_status insert_all(struct s2_table *t, struct item *items, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        items[i].key = i;
        const s2svpn_status rc = s2_table_insert(t, &items[i].node, hash_of(t->env, i));
        if (rc != S2SVPN_OK)
            return rc;
    }
    return S2SVPN_OK;
}

static void members_are_found_until_removed(void)
{
    static struct item items[ITEMS];
    struct s2_fake_env f;
    struct s2_table t;

    s2_fake_env_init(&f, 2);
    s2_table_init(&t, &f.env, ITEMS);
    CU_ASSERT(find(&t, 1) == NULL);
    CU_ASSERT_FATAL(insert_all(&t, items, ITEMS) == S2SVPN_OK);
    CU_ASSERT(t.count == ITEMS);
    CU_ASSERT(t.bucket_count >= ITEMS / 2);
    for (unsigned i = 0; i < ITEMS; i++)
        CU_ASSERT(find(&t, i) == &items[i]);
    CU_ASSERT(find(&t, ITEMS) == NULL);
    for (unsigned i = 0; i < ITEMS; i += 2)
        s2_table_remove(&t, &items[i].node);
    CU_ASSERT(t.count == ITEMS / 2);
    for (unsigned i = 0; i < ITEMS; i++)
        CU_ASSERT(find(&t, i) == (i % 2 ? &items[i] : NULL));
    s2_table_clear(&t);
    CU_ASSERT(t.count == 0);
    CU_ASSERT(find(&t, 1) == NULL);
    CU_ASSERT(f.live == 0);
}

static void members_with_one_hash_are_told_apart(void)
{
    struct item items[20];
    struct s2_fake_env f;
    struct s2_table t;

    s2_fake_env_init(&f, 2);
    s2_table_init(&t, &f.env, 100);
    for (unsigned i = 0; i < 20; i++) {
        items[i].key = i;
        CU_ASSERT(s2_table_insert(&t, &items[i].node, 7) == S2SVPN_OK);
    }
    for (unsigned i = 0; i < 20; i++)
        CU_ASSERT(s2_table_find(&t, 7, same_key, &i) == &items[i].node);
    CU_ASSERT(s2_table_find(&t, 7 + t.bucket_count, same_key, &items[0].key) == NULL);
    s2_table_remove(&t, &items[10].node);
    CU_ASSERT(s2_table_find(&t, 7, same_key, &items[10].key) == NULL);
    CU_ASSERT(s2_table_find(&t, 7, same_key, &items[11].key) != NULL);
    s2_table_clear(&t);
}

static void a_full_table_refuses_and_room_reopens_it(void)
{
    struct item items[3];
    struct s2_fake_env f;
    struct s2_table t;

    s2_fake_env_init(&f, 2);
    s2_table_init(&t, &f.env, 2);
    CU_ASSERT(insert_all(&t, items, 3) == S2SVPN_E_LIMIT);
    CU_ASSERT(t.count == 2);
    CU_ASSERT(find(&t, 2) == NULL);
    s2_table_remove(&t, &items[0].node);
    CU_ASSERT(s2_table_insert(&t, &items[2].node, hash_of(&f.env, 2)) == S2SVPN_OK);
    CU_ASSERT(find(&t, 2) == &items[2]);
    s2_table_clear(&t);

    s2_table_init(&t, &f.env, 0);
    CU_ASSERT(insert_all(&t, items, 1) == S2SVPN_E_LIMIT);
    CU_ASSERT(f.live == 0);
}

static void a_walk_sees_each_member_once_and_may_remove_it(void)
{
    static struct item items[ITEMS];
    struct s2_fake_env f;
    struct s2_table t;
    uint8_t seen[ITEMS] = {0};
    size_t n = 0;

    s2_fake_env_init(&f, 2);
    s2_table_init(&t, &f.env, ITEMS);
    struct s2_table_cursor c = {0};
    CU_ASSERT(s2_table_next(&t, &c) == NULL);
    CU_ASSERT_FATAL(insert_all(&t, items, ITEMS) == S2SVPN_OK);
    c = (struct s2_table_cursor){0};
    for (struct s2_table_node *node; (node = s2_table_next(&t, &c)) != NULL; n++) {
        struct item *item = S2_CONTAINER(node, struct item, node);

        seen[item->key]++;
        if (item->key % 3 == 0)
            s2_table_remove(&t, node);
    }
    CU_ASSERT(n == ITEMS);
    for (unsigned i = 0; i < ITEMS; i++)
        CU_ASSERT(seen[i] == 1);
    CU_ASSERT(t.count == ITEMS - (ITEMS + 2) / 3);
    CU_ASSERT(s2_table_next(&t, &c) == NULL);
    s2_table_clear(&t);
}

static bool fill_table(struct s2_fake_env *f, void *arg)
{
    static struct item items[ITEMS];
    struct s2_table t;

    (void)arg;
    s2_table_init(&t, &f->env, ITEMS);
    const s2svpn_status rc = insert_all(&t, items, ITEMS);
    if (f->failed && f->fail_at == 1) {
        CU_ASSERT(rc == S2SVPN_E_MEMORY);
        CU_ASSERT(t.count == 0);
    } else {
        CU_ASSERT(rc == S2SVPN_OK); /* a failed growth only makes chains longer */
        for (unsigned i = 0; i < ITEMS; i++)
            CU_ASSERT(find(&t, i) == &items[i]);
    }
    s2_table_clear(&t);
    return rc == S2SVPN_OK;
}

static void only_the_first_allocation_can_refuse_a_member(void)
{
    s2_fail_every_allocation(fill_table, NULL);
}

static void tables_of_different_keys_hash_differently(void)
{
    struct s2_fake_env a, b;

    s2_fake_env_init(&a, 1);
    s2_fake_env_init(&b, 2);
    CU_ASSERT(hash_of(&a.env, 5) != hash_of(&b.env, 5));
    CU_ASSERT(hash_of(&a.env, 5) != hash_of(&a.env, 6));
}

const CU_TestInfo s2_test_hash[] = {
    {"siphash gives the authors' vectors", siphash_gives_the_authors_vectors},
    {"members are found until removed", members_are_found_until_removed},
    {"members with one hash are told apart", members_with_one_hash_are_told_apart},
    {"a full table refuses and room reopens it", a_full_table_refuses_and_room_reopens_it},
    {"a walk sees each member once and may remove it",
     a_walk_sees_each_member_once_and_may_remove_it},
    {"only the first allocation can refuse a member",
     only_the_first_allocation_can_refuse_a_member},
    {"tables of different keys hash differently", tables_of_different_keys_hash_differently},
    CU_TEST_INFO_NULL,
};
