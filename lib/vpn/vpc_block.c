/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CIDR blocks of a VPC, which come and go while it runs. Each has a local route in
 * every table of the VPC, and is a local prefix of the attached gateway's router, which
 * announces it. Blocks never overlap, so that a prefix lies in one at most.
 *
 *   add:    PENDING ── the store agrees ──> AVAILABLE: local routes, then the router
 *   remove: DELETING ── the store agrees ──> out of the list, the tables, the router
 */
#include "s2svpn/vpc.h"
#include "vpn/route_list.h"
#include "vpn/vpn.h"

s2svpn_status s2_cidr_check(const struct s2_env *env, const char *field, const s2svpn_prefix *cidr)
{
    if (cidr->address.family != S2SVPN_FAMILY_IPV4 || cidr->length < 16 || cidr->length > 28)
        return s2_fail(env, S2SVPN_E_ARGUMENT, field, "IPv4, /16 to /28");
    if (s2_prefix_has_host_bits(cidr))
        return s2_fail(env, S2SVPN_E_ARGUMENT, field, "bits behind its length are not zero");
    return S2SVPN_OK;
}

/* AWS's lengths are /44, /48 and so on. */
s2svpn_status s2_ipv6_cidr_check(const struct s2_env *env, const char *field,
                                 const s2svpn_prefix *cidr, uint8_t most)
{
    if (cidr->address.family == S2SVPN_FAMILY_NONE)
        return S2SVPN_OK;
    if (cidr->address.family != S2SVPN_FAMILY_IPV6 || cidr->length < 44 || cidr->length > most ||
        cidr->length % 4 != 0)
        return s2_fail(env, S2SVPN_E_ARGUMENT, field, "IPv6, /44 to /%u in steps of 4", most);
    if (cidr->address.bytes[0] >> 5 != 1 && cidr->address.bytes[0] >> 1 != 0x7e)
        return s2_fail(env, S2SVPN_E_ARGUMENT, field, "of 2000::/3 or fc00::/7");
    if (s2_prefix_has_host_bits(cidr))
        return s2_fail(env, S2SVPN_E_ARGUMENT, field, "bits behind its length are not zero");
    return S2SVPN_OK;
}

/* ---- the list */

static struct s2_vpc_block *block_at(struct s2_link *l)
{
    return S2_CONTAINER(l, struct s2_vpc_block, in_vpc);
}

s2svpn_status s2_vpc_block_new(s2svpn_vpc *vpc, const s2svpn_prefix *prefix,
                               enum s2svpn_state state, struct s2_vpc_block **out)
{
    struct s2_env *env = &vpc->object.ctx->env;
    struct s2_vpc_block *b = s2_alloc(env, sizeof(*b));
    s2svpn_status rc;

    if (b == NULL)
        return s2_fail(env, S2SVPN_E_MEMORY, "", "no memory for a CIDR block");
    b->prefix = *prefix;
    b->state = (uint8_t)state;
    rc = s2_object_draw_id(vpc->object.ctx, "vpc-cidr-assoc", &b->association);
    if (rc != S2SVPN_OK) {
        s2_free(env, b);
        return rc;
    }
    s2_list_append(&vpc->blocks, &b->in_vpc);
    *out = b;
    return S2SVPN_OK;
}

static void drop(s2svpn_vpc *vpc, struct s2_vpc_block *b)
{
    s2_list_remove(&b->in_vpc);
    s2_free(&vpc->object.ctx->env, b);
}

void s2_vpc_blocks_free(s2svpn_vpc *vpc)
{
    while (!s2_list_empty(&vpc->blocks))
        drop(vpc, block_at(vpc->blocks.next));
}

const struct s2_vpc_block *s2_vpc_block_of(const s2svpn_vpc *vpc, const s2svpn_prefix *prefix)
{
    S2_LIST_EACH(&vpc->blocks, l) {
        if (s2_prefix_covers(&block_at(l)->prefix, prefix))
            return block_at(l);
    }
    return NULL;
}

/* As the VPC shall be: with what is being added, without what is being removed. */
void s2_vpc_print(struct s2_buffer *b, const struct s2_object *o)
{
    const s2svpn_vpc *vpc = (const s2svpn_vpc *)(const void *)o;
    const s2svpn_route_table *main = vpc->next_main ? vpc->next_main : vpc->main;

    S2_LIST_EACH(&vpc->blocks, l) {
        const struct s2_vpc_block *block = block_at(l);
        const bool ipv6 = block->prefix.address.family == S2SVPN_FAMILY_IPV6;

        if (block->state == S2SVPN_STATE_DELETING)
            continue;
        s2_record_prefix(b, ipv6 ? "ipv6_cidr" : "cidr", &block->prefix);
        s2_record_text(b, "association", block->association.text);
    }
    if (main)
        s2_record_text(b, "main", main->object.id.text);
}

/* ---- the attached gateway */

s2svpn_status s2_vpc_join(s2svpn_vpc *vpc, struct s2_router *r)
{
    S2_LIST_EACH(&vpc->blocks, l) {
        s2svpn_status rc;

        if (!s2_vpc_block_counts(block_at(l)))
            continue;
        rc = s2_router_add_local(r, &block_at(l)->prefix, vpc);
        if (rc == S2SVPN_OK)
            continue;
        for (struct s2_link *done = l->prev; done != &vpc->blocks; done = done->prev) {
            if (s2_vpc_block_counts(block_at(done)))
                s2_router_remove_local(r, &block_at(done)->prefix, vpc);
        }
        return rc;
    }
    return S2SVPN_OK;
}

void s2_vpc_leave(s2svpn_vpc *vpc, struct s2_router *r)
{
    S2_LIST_EACH(&vpc->blocks, l) {
        if (s2_vpc_block_counts(block_at(l)))
            s2_router_remove_local(r, &block_at(l)->prefix, vpc);
    }
}

/* ---- changes */

static void print_changed(struct s2_buffer *b, struct s2_object *o, void *arg)
{
    (void)arg;
    s2_vpc_print(b, o);
}

static void on_corrected(struct s2_object *o, void *arg, s2svpn_status result)
{
    (void)arg;
    if (result != S2SVPN_OK)
        s2_log(&o->ctx->env, S2_LOG_ERROR, "the record of %s has a CIDR block too many",
               o->id.text);
}

static void leave_tables(s2svpn_vpc *vpc, const s2svpn_prefix *prefix)
{
    S2_LIST_EACH(&vpc->tables, l)
        s2_routes_remove_local(S2_CONTAINER(l, s2svpn_route_table, in_vpc), prefix);
}

/* Into the tables, then to the gateway, which peers would hear of: all or nothing. */
static s2svpn_status begin(s2svpn_vpc *vpc, struct s2_vpc_block *b)
{
    s2svpn_status rc = S2SVPN_OK;

    b->state = S2SVPN_STATE_AVAILABLE;
    S2_LIST_EACH(&vpc->tables, l) {
        if (rc == S2SVPN_OK)
            rc = s2_routes_add_local(S2_CONTAINER(l, s2svpn_route_table, in_vpc), &b->prefix);
    }
    if (rc == S2SVPN_OK && vpc->vgw)
        rc = s2_router_add_local(&vpc->vgw->router, &b->prefix, vpc);
    if (rc != S2SVPN_OK) {
        b->state = S2SVPN_STATE_PENDING;
        leave_tables(vpc, &b->prefix);
    }
    return rc;
}

static void apply_add(struct s2_object *o, void *arg, s2svpn_status result)
{
    const struct s2_change correction = {
        .object = o, .print = print_changed, .apply = on_corrected};
    s2svpn_vpc *vpc = (s2svpn_vpc *)(void *)o;
    struct s2_vpc_block *b = *(struct s2_vpc_block **)arg;
    const bool stored = result == S2SVPN_OK;

    if (stored)
        result = begin(vpc, b);
    vpc->changed = result;
    if (result == S2SVPN_OK)
        return;
    s2_log(&o->ctx->env, S2_LOG_ERROR, "%s gets no further CIDR block: %s", o->id.text,
           s2svpn_status_text(result));
    drop(vpc, b);
    if (stored && s2_object_change(&correction) != S2SVPN_OK)
        on_corrected(o, NULL, S2SVPN_E_STORE);
    vpc->changed = s2_fail(&o->ctx->env, result, "", "no room for the local routes of a block");
}

/* Out of the list first: from then on nothing is hidden by it. */
static void apply_remove(struct s2_object *o, void *arg, s2svpn_status result)
{
    s2svpn_vpc *vpc = (s2svpn_vpc *)(void *)o;
    struct s2_vpc_block *b = *(struct s2_vpc_block **)arg;
    const s2svpn_prefix prefix = b->prefix;

    vpc->changed = result;
    if (result != S2SVPN_OK) {
        b->state = S2SVPN_STATE_AVAILABLE;
        return;
    }
    drop(vpc, b);
    leave_tables(vpc, &prefix);
    if (vpc->vgw)
        s2_router_remove_local(&vpc->vgw->router, &prefix, vpc);
}

/* Ask the store. *asked: apply has run, or will; the block is its. */
static s2svpn_status ask(s2svpn_vpc *vpc, struct s2_vpc_block *b,
                         void (*apply)(struct s2_object *, void *, s2svpn_status), bool *asked)
{
    struct s2_env *env = &vpc->object.ctx->env;
    struct s2_change change = {.object = &vpc->object, .print = print_changed, .apply = apply};
    struct s2_vpc_block **arg = s2_alloc(env, sizeof(*arg));
    s2svpn_status rc;

    *asked = false;
    if (arg == NULL)
        return s2_fail(env, S2SVPN_E_MEMORY, "", "no memory for a change");
    *arg = b;
    change.arg = arg;
    vpc->changed = S2SVPN_OK;
    rc = s2_object_change(&change);
    if (rc != S2SVPN_OK) {
        s2_free(env, arg);
        return rc;
    }
    *asked = true;
    return vpc->changed;
}

/* ---- add */

/* AWS's rule: a block may be part of a route's destination, and not the other way round. */
static s2svpn_status check_routes(const s2svpn_route_table *t, const s2svpn_prefix *prefix)
{
    S2_LIST_EACH(&t->routes, l) {
        const struct s2_table_route *r = S2_CONTAINER(l, struct s2_table_route, in_table);
        char text[S2SVPN_PREFIX_TEXT];

        if (s2_prefix_covers(prefix, &r->prefix))
            return s2_fail(&t->object.ctx->env, S2SVPN_E_EXISTS, "route", "%s has a route for %s",
                           t->object.id.text, s2svpn_prefix_print(&r->prefix, text));
    }
    return S2SVPN_OK;
}

static s2svpn_status check_beside_others(const s2svpn_vpc *vpc, const s2svpn_prefix *prefix)
{
    const struct s2_env *env = &vpc->object.ctx->env;
    const uint32_t most = vpc->object.ctx->limits.vpc_cidrs;
    uint32_t count = 0;

    S2_LIST_EACH(&vpc->blocks, l) {
        if (s2_prefix_overlaps(&block_at(l)->prefix, prefix))
            return s2_fail(env, S2SVPN_E_EXISTS, "prefix", "it overlaps another block of %s",
                           vpc->object.id.text);
        count += block_at(l)->prefix.address.family == prefix->address.family;
    }
    if (count >= most)
        return s2_fail(env, S2SVPN_E_LIMIT, "prefix", "%s has %u CIDR blocks of this version",
                       vpc->object.id.text, most);
    S2_LIST_EACH(&vpc->tables, l) {
        s2svpn_status rc = check_routes(S2_CONTAINER(l, s2svpn_route_table, in_vpc), prefix);

        if (rc != S2SVPN_OK)
            return rc;
    }
    return S2SVPN_OK;
}

static s2svpn_status add(s2svpn_vpc *vpc, const s2svpn_prefix *prefix, s2svpn_id *association)
{
    const struct s2_env *env = &vpc->object.ctx->env;
    s2svpn_status rc = s2_object_check(&vpc->object, "vpc");
    struct s2_vpc_block *b;
    s2svpn_id id;
    bool asked;

    if (rc == S2SVPN_OK && prefix->address.family == S2SVPN_FAMILY_IPV6)
        rc = s2_ipv6_cidr_check(env, "prefix", prefix, 60);
    else if (rc == S2SVPN_OK)
        rc = s2_cidr_check(env, "prefix", prefix);
    if (rc == S2SVPN_OK)
        rc = check_beside_others(vpc, prefix);
    if (rc == S2SVPN_OK)
        rc = s2_vpc_block_new(vpc, prefix, S2SVPN_STATE_PENDING, &b);
    if (rc != S2SVPN_OK)
        return rc;
    id = b->association;
    rc = ask(vpc, b, apply_add, &asked);
    if (!asked)
        drop(vpc, b);
    if (rc == S2SVPN_OK && association)
        *association = id;
    return rc;
}

s2svpn_status s2svpn_vpc_add_cidr(s2svpn_vpc *vpc, const s2svpn_prefix *prefix,
                                  s2svpn_id *association)
{
    s2svpn_status rc;

    s2_enter(vpc->object.ctx, 0);
    rc = add(vpc, prefix, association);
    s2_leave(vpc->object.ctx);
    return rc;
}

/* ---- remove */

static s2svpn_status check_unused(const s2svpn_vpc *vpc, const struct s2_vpc_block *b)
{
    S2_LIST_EACH(&vpc->subnets, l) {
        const s2svpn_subnet *s = S2_CONTAINER(l, s2svpn_subnet, in_vpc);

        if (s2_prefix_covers(&b->prefix, &s->cidr) || s2_prefix_covers(&b->prefix, &s->ipv6_cidr))
            return s2_fail(&vpc->object.ctx->env, S2SVPN_E_IN_USE, "prefix", "%s lies in it",
                           s->object.id.text);
    }
    return S2SVPN_OK;
}

static struct s2_vpc_block *find_exact(s2svpn_vpc *vpc, const s2svpn_prefix *prefix)
{
    S2_LIST_EACH(&vpc->blocks, l) {
        if (s2_prefix_equal(&block_at(l)->prefix, prefix))
            return block_at(l);
    }
    return NULL;
}

static s2svpn_status take_away(s2svpn_vpc *vpc, const s2svpn_prefix *prefix)
{
    const struct s2_env *env = &vpc->object.ctx->env;
    s2svpn_status rc = s2_object_check(&vpc->object, "vpc");
    struct s2_vpc_block *b = find_exact(vpc, prefix);
    bool asked;

    if (rc != S2SVPN_OK)
        return rc;
    if (b == NULL)
        return s2_fail(env, S2SVPN_E_NOT_FOUND, "prefix", "%s has no such block",
                       vpc->object.id.text);
    if (b->in_vpc.prev == &vpc->blocks)
        return s2_fail(env, S2SVPN_E_STATE, "prefix", "the primary block stays");
    if (b->state != S2SVPN_STATE_AVAILABLE)
        return s2_fail(env, S2SVPN_E_STATE, "prefix", "it is %s",
                       s2svpn_state_text((enum s2svpn_state)b->state));
    rc = check_unused(vpc, b);
    if (rc != S2SVPN_OK)
        return rc;
    b->state = S2SVPN_STATE_DELETING;
    rc = ask(vpc, b, apply_remove, &asked);
    if (!asked)
        b->state = S2SVPN_STATE_AVAILABLE;
    return rc;
}

s2svpn_status s2svpn_vpc_remove_cidr(s2svpn_vpc *vpc, const s2svpn_prefix *prefix)
{
    s2svpn_status rc;

    s2_enter(vpc->object.ctx, 0);
    rc = take_away(vpc, prefix);
    s2_leave(vpc->object.ctx);
    return rc;
}

size_t s2svpn_vpc_list_cidrs(const s2svpn_vpc *vpc, s2svpn_vpc_cidr *out, size_t max)
{
    size_t n = 0;

    S2_LIST_EACH(&vpc->blocks, l) {
        const struct s2_vpc_block *b = block_at(l);

        if (n < max)
            out[n] = (s2svpn_vpc_cidr){.prefix = b->prefix,
                                       .association = b->association,
                                       .state = b->state,
                                       .primary = n == 0};
        n++;
    }
    return n;
}
