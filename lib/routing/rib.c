/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The RIB: every candidate of every prefix, and who is told when the choice changes
 * (choice.c makes it). It doesn't forward and follows no source's pointer.
 *
 *     table ──> entry (a prefix) ──> candidate ──> candidate …   unsorted, few
 *                                        │
 *     table ──> source ──────────────────┴── all candidates of that source
 *
 * Entries and a source's candidates are lists that are sorted when somebody wants
 * them in order: a list that was sorted before and grew by few is cheap to sort.
 */
#include "routing/rib.h"

#include <string.h>

#include "base/address.h"

#define DEFAULT_PREFIXES 1000000
#define DEFAULT_PATHS 64

/* ---- what was chosen before a change */

struct before {
    bool any;
    struct s2_rib_path path;
    size_t count;
    const void *source[S2_RIB_TOGETHER_MAX];
};

static struct before look(const struct s2_rib_entry *e)
{
    struct s2_rib_choice now;
    struct before b = {.any = false};

    s2_rib_choose(e, &now);
    if (now.best == NULL)
        return b;
    b.any = true;
    b.path = *now.best;
    b.count = now.count;
    for (size_t i = 0; i < now.count; i++)
        b.source[i] = now.path[i]->source;
    return b;
}

/* Everything that a user of the choice could see; age isn't. */
static bool is_as(const struct s2_rib_choice *now, const struct before *b)
{
    const struct s2_rib_path *best = now->best;

    if ((best != NULL) != b->any || now->count != b->count)
        return false;
    for (size_t i = 0; i < now->count; i++) {
        if (now->path[i]->source != b->source[i])
            return false;
    }
    return best == NULL ||
           (best->source == b->path.source && best->med == b->path.med &&
            best->first_as == b->path.first_as && best->order == b->path.order &&
            best->attributes == b->path.attributes && s2_rib_compare(best, &b->path) == 0);
}

/* ---- finding */

static uint64_t hash_prefix(const struct s2_rib *rib, const s2svpn_prefix *p)
{
    uint8_t key[18] = {p->address.family, p->length};

    memcpy(key + 2, p->address.bytes, 16);
    return s2_siphash(rib->env->hash_key, key, 2 + s2_address_len(&p->address));
}

static uint64_t hash_source(const struct s2_rib *rib, const void *source)
{
    return s2_siphash(rib->env->hash_key, &source, sizeof(source));
}

static bool is_prefix(const struct s2_table_node *n, const void *key)
{
    const struct s2_rib_entry *e = S2_CONTAINER(n, struct s2_rib_entry, node);

    return s2_prefix_equal(&e->prefix, key);
}

static bool is_source(const struct s2_table_node *n, const void *key)
{
    return S2_CONTAINER(n, struct s2_rib_source, node)->source == key;
}

static struct s2_rib_entry *find_entry(const struct s2_rib *rib, const s2svpn_prefix *prefix)
{
    struct s2_table_node *n =
        s2_table_find(&rib->entries, hash_prefix(rib, prefix), is_prefix, prefix);

    return n != NULL ? S2_CONTAINER(n, struct s2_rib_entry, node) : NULL;
}

static struct s2_rib_source *find_source(const struct s2_rib *rib, const void *source)
{
    struct s2_table_node *n =
        s2_table_find(&rib->sources, hash_source(rib, source), is_source, source);

    return n != NULL ? S2_CONTAINER(n, struct s2_rib_source, node) : NULL;
}

static struct s2_rib_candidate *find_candidate(const struct s2_rib_entry *e, const void *source)
{
    struct s2_rib_candidate *c = e->first;

    while (c != NULL && c->path.source != source)
        c = c->next;
    return c;
}

/* How many entries have a length, for lookups by length. */
static uint32_t *length_count(struct s2_rib *rib, const s2svpn_prefix *p)
{
    return &rib->lengths[p->address.family == S2SVPN_FAMILY_IPV6][p->length];
}

/* ---- change */

/* Tell what changed: the choice, or that the prefix is new or gone. */
static void report(struct s2_rib *rib, const struct s2_rib_entry *e, const struct before *before,
                   bool is_new, uint64_t now_ns)
{
    struct s2_rib_choice now;

    s2_rib_choose(e, &now);
    if (is_new || e->count == 0 || !is_as(&now, before))
        rib->ops.best(rib->user, &e->prefix, &now, e->count, now_ns);
}

static struct s2_rib_entry *add_entry(struct s2_rib *rib, const s2svpn_prefix *prefix,
                                      s2svpn_status *rc)
{
    struct s2_rib_entry *e = s2_alloc(rib->env, sizeof(*e));

    *rc = e != NULL ? s2_table_insert(&rib->entries, &e->node, hash_prefix(rib, prefix))
                    : S2SVPN_E_MEMORY;
    if (*rc != S2SVPN_OK) {
        s2_free(rib->env, e);
        return NULL;
    }
    e->prefix = *prefix;
    s2_list_append(&rib->all, &e->in_order);
    rib->unsorted = true;
    ++*length_count(rib, prefix);
    return e;
}

static void remove_entry(struct s2_rib *rib, struct s2_rib_entry *e)
{
    --*length_count(rib, &e->prefix);
    s2_list_remove(&e->in_order);
    s2_table_remove(&rib->entries, &e->node);
    s2_free(rib->env, e);
}

static struct s2_rib_source *add_source(struct s2_rib *rib, void *source)
{
    struct s2_rib_source *s = s2_alloc(rib->env, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->source = source;
    s2_list_init(&s->candidates);
    if (s2_table_insert(&rib->sources, &s->node, hash_source(rib, source)) != S2SVPN_OK) {
        s2_free(rib->env, s);
        return NULL;
    }
    return s;
}

static void remove_source_if_empty(struct s2_rib *rib, struct s2_rib_source *s)
{
    if (!s2_list_empty(&s->candidates))
        return;
    s2_table_remove(&rib->sources, &s->node);
    s2_free(rib->env, s);
}

static struct s2_rib_candidate *add_candidate(struct s2_rib *rib, struct s2_rib_entry *e,
                                              void *source, s2svpn_status *rc)
{
    struct s2_rib_candidate *c = NULL;
    struct s2_rib_source *s = find_source(rib, source);

    *rc = S2SVPN_E_LIMIT;
    if (e->count >= rib->limits.paths)
        return NULL;
    *rc = S2SVPN_E_MEMORY;
    if (s == NULL)
        s = add_source(rib, source);
    if (s == NULL)
        return NULL;
    c = s2_alloc(rib->env, sizeof(*c));
    if (c == NULL) {
        remove_source_if_empty(rib, s);
        return NULL;
    }
    c->entry = e;
    c->next = e->first;
    e->first = c;
    e->count++;
    s2_list_append(&s->candidates, &c->of_source);
    s->unsorted = true;
    *rc = S2SVPN_OK;
    return c;
}

static void release(const struct s2_rib *rib, void *attributes)
{
    if (attributes != NULL && rib->ops.release != NULL)
        rib->ops.release(rib->user, attributes);
}

/* The candidate goes, and its entry with the last one. The source stays. */
static void remove_candidate(struct s2_rib *rib, struct s2_rib_candidate *c, uint64_t now_ns)
{
    struct s2_rib_entry *e = c->entry;
    const struct before before = look(e);
    struct s2_rib_candidate **at = &e->first;
    void *attributes = c->path.attributes;

    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    e->count--;
    s2_list_remove(&c->of_source);
    s2_free(rib->env, c);
    report(rib, e, &before, false, now_ns);
    release(rib, attributes);
    if (e->count == 0)
        remove_entry(rib, e);
}

static bool is_clean(const s2svpn_prefix *p)
{
    const s2svpn_prefix clean = s2_prefix_make(&p->address, p->length);

    return s2_family_bits(p->address.family) > 0 && s2_prefix_equal(&clean, p);
}

s2svpn_status s2_rib_set(struct s2_rib *rib, const s2svpn_prefix *prefix,
                         const struct s2_rib_path *path, uint64_t now_ns)
{
    s2svpn_status rc = S2SVPN_OK;

    if (!is_clean(prefix))
        return s2_fail(rib->env, S2SVPN_E_ARGUMENT, "prefix", "no prefix");
    if (path->kind < S2_ROUTE_LOCAL || path->kind > S2_ROUTE_BGP)
        return s2_fail(rib->env, S2SVPN_E_ARGUMENT, "kind", "no kind of route");
    struct s2_rib_entry *e = find_entry(rib, prefix);
    const bool is_new = e == NULL;
    if (is_new)
        e = add_entry(rib, prefix, &rc);
    if (e == NULL)
        return s2_fail(rib->env, rc, "prefix", "no room for another prefix");
    const struct before before = look(e);
    struct s2_rib_candidate *c = find_candidate(e, path->source);
    if (c == NULL)
        c = add_candidate(rib, e, path->source, &rc);
    if (c == NULL) {
        if (is_new)
            remove_entry(rib, e);
        return s2_fail(rib->env, rc, "prefix", "no room for another path");
    }
    void *old = c->path.attributes;
    c->path = *path;
    if (c->path.since_ns == 0)
        c->path.since_ns = now_ns;
    report(rib, e, &before, is_new, now_ns);
    if (old != path->attributes)
        release(rib, old);
    return S2SVPN_OK;
}

void s2_rib_unset(struct s2_rib *rib, const s2svpn_prefix *prefix, const void *source,
                  uint64_t now_ns)
{
    struct s2_rib_entry *e = find_entry(rib, prefix);
    struct s2_rib_candidate *c = e != NULL ? find_candidate(e, source) : NULL;

    if (c == NULL)
        return;
    remove_candidate(rib, c, now_ns);
    remove_source_if_empty(rib, find_source(rib, source));
}

static void set_usable(struct s2_rib *rib, struct s2_rib_candidate *c, bool usable, uint64_t now_ns)
{
    const struct before before = look(c->entry);

    if (c->path.usable == usable)
        return;
    c->path.usable = usable;
    report(rib, c->entry, &before, false, now_ns);
}

void s2_rib_set_usable(struct s2_rib *rib, const void *source, bool usable, uint64_t now_ns)
{
    struct s2_rib_source *s = find_source(rib, source);

    if (s == NULL)
        return;
    s2_rib_sort_source(s);
    S2_LIST_EACH(&s->candidates, it) {
        set_usable(rib, S2_CONTAINER(it, struct s2_rib_candidate, of_source), usable, now_ns);
    }
}

void s2_rib_drop(struct s2_rib *rib, const void *source, uint64_t now_ns)
{
    struct s2_rib_source *s = find_source(rib, source);

    if (s == NULL)
        return;
    s2_rib_sort_source(s);
    S2_LIST_EACH(&s->candidates, it) {
        remove_candidate(rib, S2_CONTAINER(it, struct s2_rib_candidate, of_source), now_ns);
    }
    remove_source_if_empty(rib, s);
}

void s2_rib_drop_unusable(struct s2_rib *rib, const void *source, uint64_t now_ns)
{
    struct s2_rib_source *s = find_source(rib, source);

    if (s == NULL)
        return;
    s2_rib_sort_source(s);
    S2_LIST_EACH(&s->candidates, it) {
        struct s2_rib_candidate *c = S2_CONTAINER(it, struct s2_rib_candidate, of_source);

        if (!c->path.usable)
            remove_candidate(rib, c, now_ns);
    }
    remove_source_if_empty(rib, s);
}

/* ---- questions */

size_t s2_rib_count(const struct s2_rib *rib)
{
    return rib->entries.count;
}

size_t s2_rib_get(const struct s2_rib *rib, const s2svpn_prefix *prefix, struct s2_rib_path *out,
                  size_t max)
{
    const struct s2_rib_entry *e = find_entry(rib, prefix);

    if (e == NULL)
        return 0;
    s2_rib_list(e, out, max);
    return e->count;
}

bool s2_rib_get_choice(const struct s2_rib *rib, const s2svpn_prefix *prefix,
                       struct s2_rib_choice *out)
{
    const struct s2_rib_entry *e = find_entry(rib, prefix);

    *out = (struct s2_rib_choice){.best = NULL};
    if (e != NULL)
        s2_rib_choose(e, out);
    return out->best != NULL;
}

/* The entry of the longest prefix of at most *length bits that contains a; NULL:
 * none. *length becomes its. One probe for each length that is in use. */
static const struct s2_rib_entry *longest(const struct s2_rib *rib, const s2svpn_address *a,
                                          int *length)
{
    const uint32_t *lengths = rib->lengths[a->family == S2SVPN_FAMILY_IPV6];

    for (; *length >= 0; --*length) {
        if (lengths[*length] == 0)
            continue;
        const s2svpn_prefix p = s2_prefix_make(a, (uint8_t)*length);
        const struct s2_rib_entry *e = find_entry(rib, &p);
        if (e != NULL)
            return e;
    }
    return NULL;
}

const struct s2_rib_path *s2_rib_lookup(const struct s2_rib *rib, const s2svpn_address *a,
                                        s2svpn_prefix *matched)
{
    const struct s2_rib_entry *e;

    for (int length = s2_family_bits(a->family); (e = longest(rib, a, &length)) != NULL; length--) {
        const struct s2_rib_path *best = s2_rib_best(e);

        if (best == NULL)
            continue;
        if (matched != NULL)
            *matched = e->prefix;
        return best;
    }
    return NULL;
}

bool s2_rib_source_covers(const struct s2_rib *rib, const void *source, const s2svpn_address *a)
{
    const struct s2_rib_entry *e;

    for (int length = s2_family_bits(a->family); (e = longest(rib, a, &length)) != NULL; length--) {
        if (find_candidate(e, source) != NULL)
            return true;
    }
    return false;
}

void s2_rib_each(const struct s2_rib *rib,
                 bool (*each)(void *arg, const s2svpn_prefix *prefix,
                              const struct s2_rib_path *path, size_t count, bool best_usable),
                 void *arg)
{
    s2_rib_sort(rib->self);
    S2_LIST_EACH(&rib->self->all, it) {
        const struct s2_rib_entry *e = S2_CONTAINER(it, struct s2_rib_entry, in_order);
        const size_t n = s2_rib_list(e, rib->shown, rib->limits.paths);

        if (!each(arg, &e->prefix, rib->shown, n, n > 0 && rib->shown[0].usable))
            return;
    }
}

/* ---- the whole */

s2svpn_status s2_rib_new(const struct s2_env *env, const struct s2_rib_limits *limits,
                         const struct s2_rib_ops *ops, void *user, struct s2_rib **rib)
{
    struct s2_rib *r = s2_alloc(env, sizeof(*r));

    *rib = NULL;
    if (r == NULL)
        goto fail;
    r->self = r;
    r->env = env;
    r->ops = *ops;
    r->user = user;
    if (limits != NULL)
        r->limits = *limits;
    if (r->limits.prefixes == 0)
        r->limits.prefixes = DEFAULT_PREFIXES;
    if (r->limits.paths == 0)
        r->limits.paths = DEFAULT_PATHS;
    r->shown = s2_alloc_array(env, r->limits.paths, sizeof(*r->shown));
    if (r->shown == NULL)
        goto fail;
    s2_table_init(&r->entries, env, r->limits.prefixes);
    s2_table_init(&r->sources, env, SIZE_MAX); /* each has a candidate at least */
    s2_list_init(&r->all);
    *rib = r;
    return S2SVPN_OK;
fail:
    s2_free(env, r);
    return s2_fail(env, S2SVPN_E_MEMORY, NULL, "no memory for a RIB");
}

static void free_entry(const struct s2_rib *rib, struct s2_rib_entry *e)
{
    while (e->first != NULL) {
        struct s2_rib_candidate *c = e->first;

        e->first = c->next;
        release(rib, c->path.attributes);
        s2_free(rib->env, c);
    }
    s2_free(rib->env, e);
}

void s2_rib_free(struct s2_rib *rib)
{
    struct s2_table_cursor c = {0};

    if (rib == NULL)
        return;
    for (struct s2_table_node *n; (n = s2_table_next(&rib->sources, &c)) != NULL;)
        s2_free(rib->env, S2_CONTAINER(n, struct s2_rib_source, node));
    S2_LIST_EACH(&rib->all, it) {
        free_entry(rib, S2_CONTAINER(it, struct s2_rib_entry, in_order));
    }
    s2_table_clear(&rib->sources);
    s2_table_clear(&rib->entries);
    s2_free(rib->env, rib->shown);
    s2_free(rib->env, rib);
}
