/* SPDX-License-Identifier: Apache-2.0 */
/* VPCs: what makes and ends them. Their CIDR blocks are vpc_block.c's. */
#include "s2svpn/vpc.h"

#include <string.h>

#include "vpn/vpn.h"

static s2svpn_vpc *vpc_of(struct s2_object *o)
{
    return (s2svpn_vpc *)(void *)o;
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
    s2_vpc_blocks_free(vpc_of(o));
    s2_free(&o->ctx->env, o);
}

static const struct s2_class vpc_class = {
    .kind = S2SVPN_KIND_VPC,
    .prefix = "vpc",
    .size = sizeof(s2svpn_vpc),
    .print = s2_vpc_print,
    .end = end_vpc,
    .destroy = destroy_vpc,
};

static s2svpn_status vpc_new(s2svpn_context *ctx, const s2svpn_vpc_spec *spec, s2svpn_vpc **out)
{
    struct s2_vpc_block *block;
    s2svpn_vpc *vpc;
    void *o;
    s2svpn_status rc;

    if (ctx->options.role != S2SVPN_ROLE_GATEWAY)
        return s2_fail(&ctx->env, S2SVPN_E_STATE, "", "the context is a device");
    rc = s2_cidr_check(&ctx->env, "cidr", &spec->cidr);
    if (rc == S2SVPN_OK)
        rc = s2_ipv6_cidr_check(&ctx->env, "ipv6_cidr", &spec->ipv6_cidr, 60);
    if (rc != S2SVPN_OK)
        return rc;
    rc = s2_object_new(ctx, &vpc_class, NULL, &o);
    if (rc != S2SVPN_OK)
        return rc;
    vpc = o;
    s2_list_init(&vpc->blocks);
    s2_list_init(&vpc->tables);
    s2_list_init(&vpc->subnets);
    rc = s2_vpc_block_new(vpc, &spec->cidr, S2SVPN_STATE_AVAILABLE, &block);
    if (rc == S2SVPN_OK && spec->ipv6_cidr.address.family != S2SVPN_FAMILY_NONE)
        rc = s2_vpc_block_new(vpc, &spec->ipv6_cidr, S2SVPN_STATE_AVAILABLE, &block);
    if (rc == S2SVPN_OK)
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
        .cidr = S2_CONTAINER(vpc->blocks.next, struct s2_vpc_block, in_vpc)->prefix,
    };

    S2_LIST_EACH(&vpc->blocks, l) {
        const struct s2_vpc_block *b = S2_CONTAINER(l, struct s2_vpc_block, in_vpc);

        if (b->prefix.address.family == S2SVPN_FAMILY_IPV6 && s2_vpc_block_counts(b) &&
            info.ipv6_cidr.address.family == S2SVPN_FAMILY_NONE)
            info.ipv6_cidr = b->prefix;
    }
    S2_LIST_EACH(&vpc->subnets, l)
        info.subnets++;
    if (vpc->main)
        info.main_route_table = vpc->main->object.id;
    if (vpc->vgw)
        info.virtual_gateway = vpc->vgw->object.id;
    s2_info_copy(out, out->size, &info, sizeof(info));
}
