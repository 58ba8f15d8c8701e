/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which tunnel a peer without a known address is for.
 *
 * IKE_SA_INIT shows no more than the local address: any such tunnel there may be meant, and
 * all that matters is which algorithms to agree on. So tunnels are kept by kind (local address
 * and phase 1's sets), and one of each kind stands for all, however many thousand there are.
 * IKE_AUTH brings a certificate, whose subject has its tunnel in a hash table. From then on its
 * place is known, for what comes from there without a name: a path's MTU, and what is to be
 * swallowed.
 */
#include <string.h>

#include "vpn/vpn.h"

#define KINDS_MAX (S2_IKE_CANDIDATES_MAX - 1) /* at a local address: one is left for a pair */
#define LOOKS 32                              /* for one that isn't stopped, a first message */

static s2svpn_context *ctx_of(const s2svpn_tunnel *t)
{
    return t->connection->object.ctx;
}

static s2svpn_tunnel *tunnel_of(struct s2_link *l)
{
    return S2_CONTAINER(l, s2svpn_tunnel, roaming.link);
}

/* ---- by subject */

struct subject_key {
    const s2svpn_address *local;
    s2svpn_span subject;
};

static uint64_t hash_key(const s2svpn_context *ctx, const struct subject_key *key)
{
    uint8_t bytes[17 + S2_IKE_ID_MAX] = {0};

    bytes[0] = key->local->family;
    memcpy(bytes + 1, key->local->bytes, 16);
    memcpy(bytes + 17, key->subject.p, key->subject.len);
    return s2_siphash(ctx->env.hash_key, bytes, 17 + key->subject.len);
}

static bool has_key(const struct s2_table_node *n, const void *arg)
{
    const s2svpn_tunnel *t = S2_CONTAINER(n, s2svpn_tunnel, roaming.by_subject);
    const struct subject_key *key = arg;

    return s2_address_equal(&t->ike.local.address, key->local) &&
           t->ike.remote_subject.len == key->subject.len &&
           memcmp(t->ike.remote_subject.p, key->subject.p, key->subject.len) == 0;
}

s2svpn_tunnel *s2_tunnel_by_subject(const s2svpn_context *ctx, const s2svpn_address *local,
                                    s2svpn_span subject)
{
    const struct subject_key key = {local, subject};
    struct s2_table_node *n;

    if (subject.len == 0 || subject.len > S2_IKE_ID_MAX)
        return NULL;
    n = s2_table_find(&ctx->certificates.by_subject, hash_key(ctx, &key), has_key, &key);
    return n ? S2_CONTAINER(n, s2svpn_tunnel, roaming.by_subject) : NULL;
}

/* ---- kinds */

static bool same_ids(const uint16_t *a, const uint16_t *b, size_t a_count, size_t b_count)
{
    return a_count == b_count && memcmp(a, b, a_count * sizeof(*a)) == 0;
}

static bool same_choices(const struct s2_ike_choices *a, const struct s2_ike_choices *b)
{
    if (a->encr_count != b->encr_count)
        return false;
    for (size_t i = 0; i < a->encr_count; i++) {
        if (a->encr[i].id != b->encr[i].id || a->encr[i].key_bits != b->encr[i].key_bits)
            return false;
    }
    return same_ids(a->integ, b->integ, a->integ_count, b->integ_count) &&
           same_ids(a->prf, b->prf, a->prf_count, b->prf_count) &&
           same_ids(a->ke, b->ke, a->ke_count, b->ke_count);
}

static bool same_kind(const s2svpn_tunnel *a, const s2svpn_tunnel *b)
{
    return s2_address_equal(&a->ike.local.address, &b->ike.local.address) &&
           same_choices(&a->ike.ike, &b->ike.ike);
}

bool s2_roaming_crowded(const s2svpn_tunnel *t)
{
    size_t kinds = 0;

    S2_LIST_EACH(&ctx_of(t)->certificates.roaming, l) {
        const s2svpn_tunnel *first = tunnel_of(l);

        if (same_kind(first, t))
            return false;
        kinds += s2_address_equal(&first->ike.local.address, &t->ike.local.address);
    }
    return kinds >= KINDS_MAX;
}

static void join(s2svpn_tunnel *t)
{
    struct s2_link *firsts = &ctx_of(t)->certificates.roaming;

    s2_list_init(&t->roaming.link);
    s2_list_init(&t->roaming.fellows);
    t->roaming.joined = true;
    t->roaming.first = false;
    S2_LIST_EACH(firsts, l) {
        if (same_kind(tunnel_of(l), t)) {
            s2_list_append(&tunnel_of(l)->roaming.fellows, &t->roaming.link);
            return;
        }
    }
    t->roaming.first = true;
    s2_list_append(firsts, &t->roaming.link);
}

/* All of a list moves to another, which is empty. */
static void move_all(struct s2_link *from, struct s2_link *to)
{
    if (s2_list_empty(from))
        return;
    *to = *from;
    to->next->prev = to;
    to->prev->next = to;
    s2_list_init(from);
}

/* A first one goes: the next of its kind takes its place. NULL: it was the last. */
static s2svpn_tunnel *step_down(s2svpn_tunnel *t)
{
    struct s2_link *l = s2_list_take_first(&t->roaming.fellows);
    s2svpn_tunnel *next = l ? tunnel_of(l) : NULL;

    if (next) {
        next->roaming.first = true;
        move_all(&t->roaming.fellows, &next->roaming.fellows);
        s2_list_append(&t->roaming.link, &next->roaming.link);
    }
    s2_list_remove(&t->roaming.link);
    t->roaming.first = false;
    return next;
}

static s2svpn_tunnel *step_down_or_stay(s2svpn_tunnel *t)
{
    return s2_list_empty(&t->roaming.fellows) ? t : step_down(t);
}

static void leave(s2svpn_tunnel *t)
{
    if (!t->roaming.joined)
        return;
    if (t->roaming.first)
        (void)step_down(t);
    s2_list_remove(&t->roaming.link);
    t->roaming.joined = false;
}

void s2_roaming_regroup(s2svpn_tunnel *t)
{
    if (!t->roaming.joined)
        return;
    leave(t);
    join(t);
}

/* ---- where they are */

/* Several peers of one NAT have the address in common. */
static uint64_t hash_place(const s2svpn_context *ctx, const s2svpn_address *local,
                           const s2svpn_address *remote)
{
    uint8_t bytes[34];

    bytes[0] = local->family;
    bytes[1] = remote->family;
    memcpy(bytes + 2, local->bytes, 16);
    memcpy(bytes + 18, remote->bytes, 16);
    return s2_siphash(ctx->env.hash_key, bytes, sizeof(bytes));
}

void s2_roaming_place(s2svpn_tunnel *t, const s2svpn_endpoint *local, const s2svpn_endpoint *remote)
{
    struct s2_roaming *r = &t->roaming;
    struct s2_table *places = &ctx_of(t)->certificates.by_place;

    if (r->placed)
        s2_table_remove(places, &r->by_place);
    r->placed = false;
    if (remote == NULL || s2_can_start(t))
        return;
    r->place_local = local->address;
    r->place = *remote;
    r->placed =
        s2_table_insert(places, &r->by_place,
                        hash_place(ctx_of(t), &r->place_local, &r->place.address)) == S2SVPN_OK;
}

struct visit {
    const s2svpn_endpoint *local, *remote;
    void (*fn)(s2svpn_tunnel *t, void *arg); /* NULL: find one */
    void *arg;
};

static bool is_there(const struct s2_table_node *n, const void *arg)
{
    const struct visit *v = arg;
    s2svpn_tunnel *t = S2_CONTAINER((uintptr_t)n, s2svpn_tunnel, roaming.by_place);

    if (!s2_address_equal(&t->roaming.place_local, &v->local->address) ||
        !s2_address_equal(&t->roaming.place.address, &v->remote->address) ||
        (v->remote->port != 0 && v->remote->port != t->roaming.place.port))
        return false;
    if (v->fn == NULL)
        return true;
    v->fn(t, v->arg);
    return false;
}

s2svpn_tunnel *s2_tunnel_at(const s2svpn_context *ctx, const s2svpn_endpoint *local,
                            const s2svpn_endpoint *remote)
{
    const struct visit one = {.local = local, .remote = remote};
    s2svpn_tunnel *t = s2_tunnel_by_outside(ctx, &local->address, &remote->address);
    struct s2_table_node *n;

    if (t || ctx->certificates.by_place.count == 0)
        return t;
    n = s2_table_find(&ctx->certificates.by_place,
                      hash_place(ctx, &local->address, &remote->address), is_there, &one);
    return n ? S2_CONTAINER(n, s2svpn_tunnel, roaming.by_place) : NULL;
}

void s2_roaming_each_at(s2svpn_context *ctx, const s2svpn_endpoint *local,
                        const s2svpn_endpoint *remote, void (*fn)(s2svpn_tunnel *t, void *arg),
                        void *arg)
{
    const struct visit each = {local, remote, fn, arg};

    (void)s2_table_find(&ctx->certificates.by_place,
                        hash_place(ctx, &local->address, &remote->address), is_there, &each);
}

s2svpn_status s2_roaming_list(s2svpn_tunnel *t)
{
    s2svpn_context *ctx = ctx_of(t);
    const struct subject_key key = {&t->ike.local.address, t->ike.remote_subject};
    const bool roams = t->ike.remote.family == S2SVPN_FAMILY_NONE;
    s2svpn_status rc;

    if (s2_tunnel_by_subject(ctx, key.local, key.subject))
        return s2_fail(&ctx->env, S2SVPN_E_EXISTS, "outside_address",
                       "another tunnel at this address is for the same certificate's subject");
    if (roams && s2_roaming_crowded(t))
        return s2_fail(&ctx->env, S2SVPN_E_LIMIT, "outside_address",
                       "at most %d sets of algorithms of tunnels without the customer gateway's "
                       "address",
                       KINDS_MAX);
    rc =
        s2_table_insert(&ctx->certificates.by_subject, &t->roaming.by_subject, hash_key(ctx, &key));
    if (rc != S2SVPN_OK)
        return s2_fail(&ctx->env, rc, "", "no room for another tunnel");
    t->roaming.listed = true;
    if (roams)
        join(t);
    return S2SVPN_OK;
}

void s2_roaming_unlist(s2svpn_tunnel *t)
{
    leave(t);
    s2_roaming_place(t, NULL, NULL);
    if (t->roaming.listed)
        s2_table_remove(&ctx_of(t)->certificates.by_subject, &t->roaming.by_subject);
    t->roaming.listed = false;
}

size_t s2_roaming_candidates(s2svpn_context *ctx, const s2svpn_address *local,
                             bool (*serves)(const s2svpn_tunnel *t, const s2svpn_address *local),
                             const struct s2_ike_config **out, size_t max)
{
    size_t n = 0;

    S2_LIST_EACH(&ctx->certificates.roaming, l) {
        s2svpn_tunnel *t = tunnel_of(l);

        if (!s2_address_equal(&t->ike.local.address, local))
            continue;
        /* One that is stopped goes behind the others. */
        for (size_t i = 0; i < LOOKS && !serves(t, local); i++) {
            s2svpn_tunnel *next = step_down_or_stay(t);

            if (next == t)
                break;
            s2_list_append(&next->roaming.fellows, &t->roaming.link);
            t = next;
        }
        if (n < max && serves(t, local))
            out[n++] = &t->ike;
    }
    return n;
}
