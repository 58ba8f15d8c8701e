/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The FIB's writer. It knows nothing of where routes come from.
 *
 * Nodes are never changed but for single atomic stores: a value that is replaced,
 * a child pointer. Everything else makes a new node, publishes it with a release
 * store into the one slot that points at it, and retires the old. So a change
 * costs at most three nodes, whatever the depth, and a reader sees a route's
 * change whole or not at all.
 */
#include "routing/trie.h"

#include "base/list.h"

/* Retired nodes are reclaimed every so many changes, so that a burst of routes
 * doesn't hold the memory of every step. */
#define RECLAIM_EVERY 64

/* What a node is to become: its bitmaps, and what the bits that are new hold. */
struct shape {
    uint64_t inner, leaves, children;
    uint64_t value;
    struct s2_fib_node *child;
};

static void publish(_Atomic(struct s2_fib_node *) *slot, struct s2_fib_node *n)
{
    atomic_store_explicit(slot, n, memory_order_release);
}

/* ---- nodes */

static void free_node(void *arg, struct s2_retired *retired)
{
    const struct s2_env *env = arg;

    s2_free(env, S2_CONTAINER(retired, struct s2_fib_node, retired));
}

/* n was unlinked. The environment outlives the FIB; the FIB may go first. */
static void retire(struct s2_fib *fib, struct s2_fib_node *n)
{
    s2_epoch_retire(fib->epochs, &n->retired, free_node, (void *)fib->env);
    if (++fib->changes % RECLAIM_EVERY == 0)
        s2_epoch_reclaim(fib->epochs);
}

/* The bitmaps of old without its tombstones. */
static struct shape shape_of(const struct s2_fib_node *old)
{
    struct shape s = {.children = old->children};
    unsigned i = 0;

    for (uint64_t left = old->inner; left != 0; left &= left - 1)
        s.inner |= s2_fib_value(old, i++) != 0 ? left & -left : 0;
    for (uint64_t left = old->leaves; left != 0; left &= left - 1)
        s.leaves |= s2_fib_value(old, i++) != 0 ? left & -left : 0;
    return s;
}

/* Fill to[] with the values of the bits in now; from[] has those of before. */
static void copy_values(union s2_fib_slot *to, uint64_t now, const union s2_fib_slot *from,
                        uint64_t before, uint64_t added)
{
    for (uint64_t left = now | before; left != 0; left &= left - 1) {
        const uint64_t b = left & -left;
        uint64_t v = added;

        if (before & b)
            v = atomic_load_explicit(&from++->value, memory_order_relaxed);
        if (now & b)
            atomic_init(&to++->value, v);
    }
}

static void copy_children(union s2_fib_slot *to, uint64_t now, const union s2_fib_slot *from,
                          uint64_t before, struct s2_fib_node *added)
{
    for (uint64_t left = now | before; left != 0; left &= left - 1) {
        const uint64_t b = left & -left;
        struct s2_fib_node *child = added;

        if (before & b)
            child = atomic_load_explicit(&from++->child, memory_order_relaxed);
        if (now & b)
            atomic_init(&to++->child, child);
    }
}

/* A node like old in its new shape, or NULL. Nothing else is touched. */
static struct s2_fib_node *rebuild(const struct s2_fib *fib, const struct s2_fib_node *old,
                                   const struct shape *s)
{
    const unsigned inner = s2_fib_count_bits(s->inner);
    const unsigned values = inner + s2_fib_count_bits(s->leaves);
    const unsigned children = s2_fib_count_bits(s->children);
    struct s2_fib_node *n =
        s2_alloc(fib->env, sizeof(*n) + (values + (size_t)children) * sizeof(n->slot[0]));

    if (n == NULL)
        return NULL;
    n->key = old->key;
    n->depth = old->depth;
    n->inner = s->inner;
    n->leaves = s->leaves;
    n->children = s->children;
    n->inner_count = (uint8_t)inner;
    n->value_count = (uint8_t)values;
    n->child_count = (uint8_t)children;
    copy_values(n->slot, n->inner, old->slot, old->inner, s->value);
    copy_values(n->slot + inner, n->leaves, old->slot + old->inner_count, old->leaves, s->value);
    copy_children(n->slot + values, n->children, old->slot + old->value_count, old->children,
                  s->child);
    return n;
}

static void add_place(struct shape *s, const struct s2_fib_place *at, uint64_t value)
{
    *(at->leaf ? &s->leaves : &s->inner) |= s2_fib_bit(at->bit);
    s->value = value;
}

/* A node that holds this value alone, and child below it if not NULL. */
static struct s2_fib_node *new_node(const struct s2_fib *fib, const struct s2_fib_place *at,
                                    uint64_t value, struct s2_fib_node *child)
{
    const struct s2_fib_node blank = {.key = at->key, .depth = at->depth};
    struct shape s = {.child = child};

    add_place(&s, at, value);
    if (child != NULL)
        s.children = s2_fib_bit(s2_fib_step(&child->key, at->depth));
    return rebuild(fib, &blank, &s);
}

/* A node without values over two that part behind depth. */
static struct s2_fib_node *new_branch(const struct s2_fib *fib, unsigned depth,
                                      struct s2_fib_node *a, struct s2_fib_node *b)
{
    const struct s2_fib_node blank = {.key = a->key, .depth = (uint8_t)depth};
    struct shape s = {.children = s2_fib_bit(s2_fib_step(&a->key, depth)), .child = a};
    struct s2_fib_node *one = rebuild(fib, &blank, &s), *both;

    if (one == NULL)
        return NULL;
    s.children |= s2_fib_bit(s2_fib_step(&b->key, depth));
    s.child = b;
    both = rebuild(fib, one, &s);
    s2_free(fib->env, one);
    return both;
}

/* ---- set */

/* The node n is in the way: the prefix belongs above it or beside it. */
static struct s2_fib_node *put_above(const struct s2_fib *fib, struct s2_fib_node *n,
                                     const struct s2_fib_place *at, uint64_t value)
{
    const unsigned shared = s2_fib_common(&at->key, &n->key) / S2_FIB_STRIDE * S2_FIB_STRIDE;

    if (at->depth <= shared)
        return new_node(fib, at, value, n);
    struct s2_fib_node *leaf = new_node(fib, at, value, NULL);
    struct s2_fib_node *branch = leaf != NULL ? new_branch(fib, shared, n, leaf) : NULL;
    if (branch == NULL)
        s2_free(fib->env, leaf);
    return branch;
}

/* The prefix belongs below n, where no child is yet. */
static struct s2_fib_node *put_below(const struct s2_fib *fib, const struct s2_fib_node *n,
                                     const struct s2_fib_place *at, uint64_t value)
{
    struct shape s = shape_of(n);

    s.child = new_node(fib, at, value, NULL);
    if (s.child == NULL)
        return NULL;
    s.children |= s2_fib_bit(s2_fib_step(&at->key, n->depth));
    struct s2_fib_node *now = rebuild(fib, n, &s);
    if (now == NULL)
        s2_free(fib->env, s.child);
    return now;
}

/* The prefix belongs to n itself, which doesn't hold it yet. */
static struct s2_fib_node *put_into(const struct s2_fib *fib, const struct s2_fib_node *n,
                                    const struct s2_fib_place *at, uint64_t value)
{
    struct shape s = shape_of(n);

    add_place(&s, at, value);
    return rebuild(fib, n, &s);
}

/* Put a node into slot that holds the value; *old: the one it stands for, or NULL
 * if that lives on below it. NULL: no memory. */
static struct s2_fib_node *put(const struct s2_fib *fib, _Atomic(struct s2_fib_node *) *slot,
                               const struct s2_fib_place *at, uint64_t value,
                               struct s2_fib_node **old)
{
    struct s2_fib_node *n = s2_fib_load(slot);

    *old = NULL;
    if (n == NULL)
        return new_node(fib, at, value, NULL);
    if (n->depth > at->depth || !s2_fib_below(&at->key, n))
        return put_above(fib, n, at, value);
    *old = n;
    return n->depth < at->depth ? put_below(fib, n, at, value) : put_into(fib, n, at, value);
}

static _Atomic(struct s2_fib_node *) *root_of(struct s2_fib *fib, const s2svpn_prefix *prefix)
{
    return prefix->address.family == S2SVPN_FAMILY_IPV4 ? &fib->ipv4 : &fib->ipv6;
}

s2svpn_status s2_fib_set(struct s2_fib *fib, const s2svpn_prefix *prefix, uint64_t value)
{
    struct s2_fib_place at;
    struct s2_fib_node *n, *now, *old;

    if (value == 0 || !s2_fib_locate(prefix, &at))
        return s2_fail(fib->env, S2SVPN_E_ARGUMENT, "prefix", "no prefix or no value");
    _Atomic(struct s2_fib_node *) *slot = root_of(fib, prefix);
    for (n = s2_fib_load(slot); s2_fib_goes_on(n, &at); n = s2_fib_load(slot))
        slot = &n->slot[s2_fib_child_index(n, s2_fib_step(&at.key, n->depth))].child;
    if (s2_fib_holds(n, &at)) {
        const unsigned i = s2_fib_value_index(n, at.leaf, at.bit);

        fib->count += s2_fib_value(n, i) == 0;
        atomic_store_explicit(&n->slot[i].value, value, memory_order_release);
        return S2SVPN_OK;
    }
    now = put(fib, slot, &at, value, &old);
    if (now == NULL)
        return s2_fail(fib->env, S2SVPN_E_MEMORY, NULL, "no memory for a route");
    publish(slot, now);
    fib->count++;
    if (old != NULL)
        retire(fib, old);
    return S2SVPN_OK;
}

/* ---- unset */

/* Publish the parent without its child n, which is empty; false: no memory. */
static bool cut(struct s2_fib *fib, _Atomic(struct s2_fib_node *) *slot, struct s2_fib_node *parent,
                struct s2_fib_node *n)
{
    struct shape s = shape_of(parent);
    struct s2_fib_node *now;

    s.children &= ~s2_fib_bit(s2_fib_step(&n->key, parent->depth));
    if (s.inner == 0 && s.leaves == 0 && parent->child_count == 2)
        now = s2_fib_load(
            &parent->slot[s2_fib_child_index(parent, s2_fib_highest(s.children))].child);
    else
        now = rebuild(fib, parent, &s);
    if (now == NULL)
        return false;
    publish(slot, now);
    retire(fib, parent);
    return true;
}

/* Take the value out of n by what gives the smallest trie; false: no memory. */
static bool take_out(struct s2_fib *fib, _Atomic(struct s2_fib_node *) *above,
                     struct s2_fib_node *parent, _Atomic(struct s2_fib_node *) *slot,
                     struct s2_fib_node *n, const struct s2_fib_place *at)
{
    struct shape s = shape_of(n);

    *(at->leaf ? &s.leaves : &s.inner) &= ~s2_fib_bit(at->bit);
    if (s.inner != 0 || s.leaves != 0 || n->child_count > 1) {
        struct s2_fib_node *now = rebuild(fib, n, &s);

        if (now == NULL)
            return false;
        publish(slot, now);
    } else if (n->child_count == 0 && parent != NULL) {
        if (!cut(fib, above, parent, n))
            return false;
    } else {
        publish(slot, n->child_count == 1 ? s2_fib_load(&n->slot[n->value_count].child) : NULL);
    }
    retire(fib, n);
    return true;
}

void s2_fib_unset(struct s2_fib *fib, const s2svpn_prefix *prefix)
{
    struct s2_fib_place at;
    struct s2_fib_node *n, *parent = NULL;

    if (!s2_fib_locate(prefix, &at))
        return;
    _Atomic(struct s2_fib_node *) *slot = root_of(fib, prefix), *above = NULL;
    for (n = s2_fib_load(slot); s2_fib_goes_on(n, &at); n = s2_fib_load(slot)) {
        above = slot;
        parent = n;
        slot = &n->slot[s2_fib_child_index(n, s2_fib_step(&at.key, n->depth))].child;
    }
    if (!s2_fib_holds(n, &at))
        return;
    const unsigned i = s2_fib_value_index(n, at.leaf, at.bit);
    if (s2_fib_value(n, i) == 0)
        return;
    fib->count--;
    if (!take_out(fib, above, parent, slot, n, &at))
        atomic_store_explicit(&n->slot[i].value, 0, memory_order_release);
}

/* ---- the whole */

s2svpn_status s2_fib_new(const struct s2_env *env, struct s2_epochs *epochs, struct s2_fib **fib)
{
    struct s2_fib *f = s2_alloc(env, sizeof(*f));

    *fib = f;
    if (f == NULL)
        return s2_fail(env, S2SVPN_E_MEMORY, NULL, "no memory for a FIB");
    f->env = env;
    f->epochs = epochs;
    atomic_init(&f->ipv4, NULL);
    atomic_init(&f->ipv6, NULL);
    return S2SVPN_OK;
}

/* Depth first, with the way down on a stack of fixed size. */
static void free_trie(const struct s2_env *env, struct s2_fib_node *root)
{
    struct {
        struct s2_fib_node *n;
        unsigned next; /* child to go to */
    } way[S2_FIB_DEEPEST / S2_FIB_STRIDE + 1];
    size_t depth = 0;

    if (root == NULL)
        return;
    way[depth].n = root;
    way[depth++].next = 0;
    while (depth > 0) {
        struct s2_fib_node *n = way[depth - 1].n;
        const unsigned i = way[depth - 1].next++;

        if (i < n->child_count) {
            way[depth].n = s2_fib_load(&n->slot[n->value_count + i].child);
            way[depth++].next = 0;
        } else {
            s2_free(env, n);
            depth--;
        }
    }
}

void s2_fib_free(struct s2_fib *fib)
{
    if (fib == NULL)
        return;
    free_trie(fib->env, s2_fib_load(&fib->ipv4));
    free_trie(fib->env, s2_fib_load(&fib->ipv6));
    s2_free(fib->env, fib);
}

size_t s2_fib_count(const struct s2_fib *fib)
{
    return fib->count;
}
