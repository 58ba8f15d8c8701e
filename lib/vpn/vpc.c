/* SPDX-License-Identifier: Apache-2.0 */
/* VPCs and their subnets. */
#include "s2svpn/vpc.h"

#include <string.h>

#include "vpn/vpn.h"

static s2svpn_vpc *vpc_of(struct s2_object *o)
{
    return (s2svpn_vpc *)(void *)o;
}

static void print_vpc(struct s2_buffer *b, const struct s2_object *o)
{
    const s2svpn_vpc *vpc = (const s2svpn_vpc *)(const void *)o;

    s2_record_prefix(b, "cidr", &vpc->cidr);
    if (vpc->ipv6_cidr.address.family != S2SVPN_FAMILY_NONE)
        s2_record_prefix(b, "ipv6_cidr", &vpc->ipv6_cidr);
}

/* The main table goes with its VPC, and with the handle that the VPC has on it. */
static void end_main(s2svpn_route_table *table)
{
    s2_route_table_end(table);
    s2svpn_route_table_release(table);
}

static void end_vpc(struct s2_object *o)
{
    if (vpc_of(o)->main)
        end_main(vpc_of(o)->main);
}

static void destroy_vpc(struct s2_object *o)
{
    end_vpc(o); /* it never began; at the context's end the table went before */
    s2_fib_free(vpc_of(o)->addresses);
    s2_free(&o->ctx->env, o);
}

static const struct s2_class vpc_class = {
    .kind = S2SVPN_KIND_VPC,
    .prefix = "vpc",
    .size = sizeof(s2svpn_vpc),
    .print = print_vpc,
    .end = end_vpc,
    .destroy = destroy_vpc,
};

static s2svpn_status check_cidr(s2svpn_context *ctx, const s2svpn_prefix *cidr)
{
    const s2svpn_prefix masked = s2_prefix_make(&cidr->address, cidr->length);

    if (cidr->address.family != S2SVPN_FAMILY_IPV4 || cidr->length < 16 || cidr->length > 28)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "cidr", "IPv4, /16 to /28");
    if (!s2_prefix_equal(&masked, cidr))
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "cidr", "bits behind its length are not zero");
    return S2SVPN_OK;
}

/* AWS's lengths are /44, /48 and so on. */
static s2svpn_status check_ipv6_cidr(s2svpn_context *ctx, const s2svpn_prefix *cidr, uint8_t most)
{
    const s2svpn_prefix masked = s2_prefix_make(&cidr->address, cidr->length);

    if (cidr->address.family == S2SVPN_FAMILY_NONE)
        return S2SVPN_OK;
    if (cidr->address.family != S2SVPN_FAMILY_IPV6 || cidr->length < 44 || cidr->length > most ||
        cidr->length % 4 != 0)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "ipv6_cidr", "IPv6, /44 to /%u in steps of 4",
                       most);
    if (cidr->address.bytes[0] >> 5 != 1 && cidr->address.bytes[0] >> 1 != 0x7e)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "ipv6_cidr", "of 2000::/3 or fc00::/7");
    if (!s2_prefix_equal(&masked, cidr))
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "ipv6_cidr",
                       "bits behind its length are not zero");
    return S2SVPN_OK;
}

static s2svpn_status vpc_new(s2svpn_context *ctx, const s2svpn_vpc_spec *spec, s2svpn_vpc **out)
{
    s2svpn_vpc *vpc;
    void *o;
    s2svpn_status rc;

    if (ctx->options.role != S2SVPN_ROLE_GATEWAY)
        return s2_fail(&ctx->env, S2SVPN_E_STATE, "", "the context is a device");
    rc = check_cidr(ctx, &spec->cidr);
    if (rc == S2SVPN_OK)
        rc = check_ipv6_cidr(ctx, &spec->ipv6_cidr, 60);
    if (rc != S2SVPN_OK)
        return rc;
    rc = s2_object_new(ctx, &vpc_class, NULL, &o);
    if (rc != S2SVPN_OK)
        return rc;
    vpc = o;
    vpc->cidr = spec->cidr;
    vpc->ipv6_cidr = spec->ipv6_cidr;
    s2_list_init(&vpc->tables);
    s2_list_init(&vpc->subnets);
    rc = s2_fib_new(&ctx->env, &ctx->epochs, &vpc->addresses);
    if (rc == S2SVPN_OK)
        rc = s2_route_table_make(vpc, true, &vpc->main);
    if (rc != S2SVPN_OK) {
        s2_object_discard(&vpc->object);
        return s2_fail(&ctx->env, rc, "", "no memory for a VPC");
    }
    rc = s2_object_create(&vpc->object);
    if (rc == S2SVPN_OK)
        *out = vpc;
    return rc;
}

s2svpn_status s2svpn_vpc_new(s2svpn_context *ctx, const s2svpn_vpc_spec *spec, s2svpn_vpc **out)
{
    s2svpn_vpc_spec full = S2SVPN_VPC_INIT;
    s2svpn_status rc;

    s2_enter(ctx, 0);
    *out = NULL;
    memcpy(&full, spec, spec->size < sizeof(full) ? spec->size : sizeof(full));
    rc = vpc_new(ctx, &full, out);
    s2_leave(ctx);
    return rc;
}

s2svpn_status s2svpn_vpc_delete(s2svpn_vpc *vpc)
{
    return s2_object_delete_public(&vpc->object);
}

s2svpn_status s2svpn_vpc_hold(s2svpn_context *ctx, const char *id, s2svpn_vpc **vpc)
{
    void *o = NULL;
    s2svpn_status rc = s2_object_hold(ctx, S2SVPN_KIND_VPC, id, &o);

    *vpc = o;
    return rc;
}

void s2svpn_vpc_release(s2svpn_vpc *vpc)
{
    if (vpc)
        s2_object_release(&vpc->object);
}

s2svpn_route_table *s2svpn_vpc_main_route_table(s2svpn_vpc *vpc)
{
    if (vpc->main)
        vpc->main->object.handles++;
    return vpc->main;
}

void s2svpn_vpc_get_info(const s2svpn_vpc *vpc, s2svpn_vpc_info *out)
{
    s2svpn_vpc_info info = {
        .size = out->size,
        .id = vpc->object.id,
        .state = vpc->object.state,
        .cidr = vpc->cidr,
        .ipv6_cidr = vpc->ipv6_cidr,
    };

    S2_LIST_EACH(&vpc->subnets, l)
        info.subnets++;
    if (vpc->main)
        info.main_route_table = vpc->main->object.id;
    if (vpc->vgw)
        info.virtual_gateway = vpc->vgw->object.id;
    s2_info_copy(out, out->size, &info, sizeof(info));
}

/* ---- subnets */

static s2svpn_subnet *subnet_of(struct s2_object *o)
{
    return (s2svpn_subnet *)(void *)o;
}

static void print_subnet(struct s2_buffer *b, const struct s2_object *o)
{
    const s2svpn_subnet *s = (const s2svpn_subnet *)(const void *)o;

    s2_record_prefix(b, "cidr", &s->cidr);
    if (s->ipv6_cidr.address.family != S2SVPN_FAMILY_NONE)
        s2_record_prefix(b, "ipv6_cidr", &s->ipv6_cidr);
    s2_record_text(b, "vpc", s->vpc->object.id.text);
}

static void leave_vpc(struct s2_object *o)
{
    s2svpn_subnet *s = subnet_of(o);

    if (s->table)
        s->table->object.children--;
    s->table = NULL;
    s2_list_remove(&s->in_vpc);
    s->vpc->object.children--;
}

static void destroy_subnet(struct s2_object *o)
{
    s2_free(&o->ctx->env, o);
}

static const struct s2_class subnet_class = {
    .kind = S2SVPN_KIND_SUBNET,
    .prefix = "subnet",
    .size = sizeof(s2svpn_subnet),
    .print = print_subnet,
    .end = leave_vpc,
    .destroy = destroy_subnet,
};

static s2svpn_status check_subnet(const s2svpn_vpc *vpc, const s2svpn_subnet_spec *spec)
{
    s2svpn_context *ctx = vpc->object.ctx;
    s2svpn_status rc = s2_object_check(&vpc->object, "vpc");

    if (rc == S2SVPN_OK)
        rc = check_cidr(ctx, &spec->cidr);
    if (rc == S2SVPN_OK)
        rc = check_ipv6_cidr(ctx, &spec->ipv6_cidr, 64);
    if (rc != S2SVPN_OK)
        return rc;
    if (!s2_prefix_covers(&vpc->cidr, &spec->cidr))
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "cidr", "not inside the VPC's");
    if (spec->ipv6_cidr.address.family != S2SVPN_FAMILY_NONE &&
        !s2_prefix_covers(&vpc->ipv6_cidr, &spec->ipv6_cidr))
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
    s2svpn_status rc = check_subnet(vpc, spec);

    if (rc != S2SVPN_OK)
        return rc;
    rc = s2_object_new(ctx, &subnet_class, NULL, &o);
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
