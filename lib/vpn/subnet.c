/* SPDX-License-Identifier: Apache-2.0 */
/* Subnets: parts of a VPC's CIDR blocks, and which route table their ports use. */
#include <string.h>

#include "s2svpn/vpc.h"
#include "vpn/vpn.h"

static s2svpn_subnet *self(struct s2_object *o)
{
    return (s2svpn_subnet *)(void *)o;
}

static void print(struct s2_buffer *b, const struct s2_object *o)
{
    const s2svpn_subnet *s = (const s2svpn_subnet *)(const void *)o;

    s2_record_prefix(b, "cidr", &s->cidr);
    if (s->ipv6_cidr.address.family != S2SVPN_FAMILY_NONE)
        s2_record_prefix(b, "ipv6_cidr", &s->ipv6_cidr);
    s2_record_text(b, "vpc", s->vpc->object.id.text);
}

static void end(struct s2_object *o)
{
    s2svpn_subnet *s = self(o);

    if (s->table)
        s->table->object.children--;
    s->table = NULL;
    s2_list_remove(&s->in_vpc);
    s->vpc->object.children--;
}

static void destroy(struct s2_object *o)
{
    s2_free(&o->ctx->env, o);
}

static const struct s2_class class = {
    .kind = S2SVPN_KIND_SUBNET,
    .prefix = "subnet",
    .size = sizeof(s2svpn_subnet),
    .print = print,
    .end = end,
    .destroy = destroy,
};

static bool lies_in(const s2svpn_vpc *vpc, const s2svpn_prefix *cidr)
{
    const struct s2_vpc_block *b = s2_vpc_block_of(vpc, cidr);

    return b && b->state == S2SVPN_STATE_AVAILABLE;
}

static s2svpn_status check(const s2svpn_vpc *vpc, const s2svpn_subnet_spec *spec)
{
    s2svpn_context *ctx = vpc->object.ctx;
    s2svpn_status rc = s2_object_check(&vpc->object, "vpc");

    if (rc == S2SVPN_OK)
        rc = s2_cidr_check(&ctx->env, "cidr", &spec->cidr);
    if (rc == S2SVPN_OK)
        rc = s2_ipv6_cidr_check(&ctx->env, "ipv6_cidr", &spec->ipv6_cidr, 64);
    if (rc != S2SVPN_OK)
        return rc;
    if (!lies_in(vpc, &spec->cidr))
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "cidr", "not inside the VPC's");
    if (spec->ipv6_cidr.address.family != S2SVPN_FAMILY_NONE && !lies_in(vpc, &spec->ipv6_cidr))
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "ipv6_cidr", "not inside the VPC's");
    S2_LIST_EACH(&vpc->subnets, l) {
        const s2svpn_subnet *other = S2_CONTAINER(l, s2svpn_subnet, in_vpc);

        if (s2_prefix_overlaps(&other->cidr, &spec->cidr))
            return s2_fail(&ctx->env, S2SVPN_E_EXISTS, "cidr", "it overlaps another subnet's");
        if (s2_prefix_overlaps(&other->ipv6_cidr, &spec->ipv6_cidr))
            return s2_fail(&ctx->env, S2SVPN_E_EXISTS, "ipv6_cidr", "it overlaps another subnet's");
    }
    return S2SVPN_OK;
}

static s2svpn_status subnet_new(s2svpn_vpc *vpc, const s2svpn_subnet_spec *spec,
                                s2svpn_subnet **out)
{
    s2svpn_context *ctx = vpc->object.ctx;
    s2svpn_subnet *s;
    void *o;
    s2svpn_status rc = check(vpc, spec);

    if (rc != S2SVPN_OK)
        return rc;
    rc = s2_object_new(ctx, &class, NULL, &o);
    if (rc != S2SVPN_OK)
        return rc;
    s = o;
    s->vpc = vpc;
    s->cidr = spec->cidr;
    s->ipv6_cidr = spec->ipv6_cidr;
    s2_list_init(&s->ports);
    s2_list_init(&s->in_vpc);
    rc = s2_object_create(&s->object);
    if (rc != S2SVPN_OK)
        return rc;
    s2_list_append(&vpc->subnets, &s->in_vpc);
    vpc->object.children++;
    *out = s;
    return S2SVPN_OK;
}

s2svpn_status s2svpn_subnet_new(s2svpn_vpc *vpc, const s2svpn_subnet_spec *spec,
                                s2svpn_subnet **out)
{
    s2svpn_subnet_spec full = S2SVPN_SUBNET_INIT;
    s2svpn_status rc;

    s2_enter(vpc->object.ctx, 0);
    *out = NULL;
    memcpy(&full, spec, spec->size < sizeof(full) ? spec->size : sizeof(full));
    rc = subnet_new(vpc, &full, out);
    s2_leave(vpc->object.ctx);
    return rc;
}

s2svpn_status s2svpn_subnet_delete(s2svpn_subnet *subnet)
{
    return s2_object_delete_public(&subnet->object);
}

s2svpn_status s2svpn_subnet_hold(s2svpn_context *ctx, const char *id, s2svpn_subnet **subnet)
{
    void *o = NULL;
    s2svpn_status rc = s2_object_hold(ctx, S2SVPN_KIND_SUBNET, id, &o);

    *subnet = o;
    return rc;
}

void s2svpn_subnet_release(s2svpn_subnet *subnet)
{
    if (subnet)
        s2_object_release(&subnet->object);
}

void s2svpn_subnet_get_info(const s2svpn_subnet *s, s2svpn_subnet_info *out)
{
    s2svpn_subnet_info info = {
        .size = out->size,
        .id = s->object.id,
        .state = s->object.state,
        .cidr = s->cidr,
        .ipv6_cidr = s->ipv6_cidr,
        .associated = s->table != NULL,
    };
    const s2svpn_route_table *table = s->table;

    if (s->object.state != S2SVPN_STATE_DELETED) {
        info.vpc = s->vpc->object.id;
        table = table ? table : s->vpc->main;
        if (table)
            info.route_table = table->object.id;
    }
    S2_LIST_EACH(&s->ports, l)
        info.ports++;
    s2_info_copy(out, out->size, &info, sizeof(info));
}

const struct s2_fib *s2_subnet_fib(const s2svpn_subnet *s)
{
    return s->table ? s->table->fib : s->vpc->main->fib;
}

void s2_subnet_publish(s2svpn_subnet *s)
{
    S2_LIST_EACH(&s->ports, l)
        atomic_store_explicit(&S2_CONTAINER(l, s2svpn_port, in_subnet)->fib, s2_subnet_fib(s),
                              memory_order_release);
}
