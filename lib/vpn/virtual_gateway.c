/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual gateways: a router with a name, attached to a VPC or not. */
#include "s2svpn/virtual_gateway.h"

#include "vpn/vpn.h"

static s2svpn_virtual_gateway *self(struct s2_object *o)
{
    return (s2svpn_virtual_gateway *)(void *)o;
}

static void print(struct s2_buffer *b, const struct s2_object *o)
{
    const s2svpn_virtual_gateway *vgw = (const s2svpn_virtual_gateway *)(const void *)o;

    s2_record_number(b, "amazon_asn", vgw->router.asn);
    if (vgw->router.ecmp_paths)
        s2_record_number(b, "ecmp_paths", vgw->router.ecmp_paths);
    if (vgw->router.vpc)
        s2_record_text(b, "vpc", vgw->router.vpc->object.id.text);
}

static void destroy(struct s2_object *o)
{
    s2_router_clear(&self(o)->router);
    s2_free(&o->ctx->env, o);
}

static const struct s2_class class = {
    .kind = S2SVPN_KIND_VIRTUAL_GATEWAY,
    .prefix = "vgw",
    .size = sizeof(s2svpn_virtual_gateway),
    .print = print,
    .destroy = destroy,
};

static bool is_private_asn(uint32_t asn)
{
    return (asn >= 64512 && asn <= 65534) || (asn >= 4200000000u && asn <= 4294967294u);
}

/* The document of another gateway may carry any ASN (AWS's legacy 7224 among them),
 * so playing one skips the range. */
s2svpn_status s2_virtual_gateway_make(s2svpn_context *ctx, const s2svpn_id *id, uint32_t asn,
                                      uint32_t ecmp_paths, s2svpn_virtual_gateway **out)
{
    s2svpn_virtual_gateway *vgw;
    void *o;
    s2svpn_status rc = s2_object_new(ctx, &class, id, &o);

    if (rc != S2SVPN_OK)
        return rc;
    vgw = o;
    rc = s2_router_init(&vgw->router, ctx, vgw, asn);
    vgw->router.ecmp_paths = (uint8_t)ecmp_paths;
    if (rc != S2SVPN_OK) {
        s2_object_discard(&vgw->object);
        return rc;
    }
    rc = s2_object_create(&vgw->object);
    if (rc == S2SVPN_OK)
        *out = vgw;
    return rc;
}

s2svpn_status s2svpn_virtual_gateway_new(s2svpn_context *ctx,
                                         const s2svpn_virtual_gateway_spec *spec,
                                         s2svpn_virtual_gateway **out)
{
    s2svpn_status rc;

    s2_enter(ctx, 0);
    *out = NULL;
    if (ctx->options.role != S2SVPN_ROLE_GATEWAY)
        rc = s2_fail(&ctx->env, S2SVPN_E_STATE, "", "the context is a device");
    else if (!is_private_asn(spec->amazon_asn))
        rc = s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "amazon_asn",
                     "64512 to 65534 or 4200000000 to 4294967294");
    else if (spec->ecmp_paths > S2SVPN_ECMP_PATHS_MAX)
        rc = s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "ecmp_paths", "at most %d",
                     S2SVPN_ECMP_PATHS_MAX);
    else
        rc = s2_virtual_gateway_make(ctx, NULL, spec->amazon_asn, spec->ecmp_paths, out);
    s2_leave(ctx);
    return rc;
}

s2svpn_status s2svpn_virtual_gateway_delete(s2svpn_virtual_gateway *vgw)
{
    return s2_object_delete_public(&vgw->object);
}

s2svpn_status s2svpn_virtual_gateway_hold(s2svpn_context *ctx, const char *id,
                                          s2svpn_virtual_gateway **vgw)
{
    void *o = NULL;
    s2svpn_status rc = s2_object_hold(ctx, S2SVPN_KIND_VIRTUAL_GATEWAY, id, &o);

    *vgw = o;
    return rc;
}

void s2svpn_virtual_gateway_release(s2svpn_virtual_gateway *vgw)
{
    if (vgw)
        s2_object_release(&vgw->object);
}

/* ---- attachment */

struct attachment {
    s2svpn_vpc *vpc; /* NULL: detach */
};

static void print_attachment(struct s2_buffer *b, struct s2_object *o, void *arg)
{
    const struct attachment *a = arg;

    s2_record_number(b, "amazon_asn", self(o)->router.asn);
    if (self(o)->router.ecmp_paths)
        s2_record_number(b, "ecmp_paths", self(o)->router.ecmp_paths);
    if (a->vpc)
        s2_record_text(b, "vpc", a->vpc->object.id.text);
}

static void detach(s2svpn_virtual_gateway *vgw)
{
    s2svpn_vpc *vpc = vgw->router.vpc;

    S2_LIST_EACH(&vpc->tables, l)
        s2_table_gateway_gone(S2_CONTAINER(l, s2svpn_route_table, in_vpc), vgw);
    s2_vpc_leave(vpc, &vgw->router);
    vgw->router.vpc = NULL;
    vpc->vgw = NULL;
    vpc->object.children--;
    vgw->object.children--;
}

/* While the store hasn't answered, the VPC may neither go nor be attached elsewhere. */
static void claim(s2svpn_vpc *vpc)
{
    vpc->claimed = true;
    vpc->object.children++;
}

static void unclaim(s2svpn_vpc *vpc)
{
    vpc->claimed = false;
    vpc->object.children--;
}

static void apply_attachment(struct s2_object *o, void *arg, s2svpn_status result)
{
    s2svpn_virtual_gateway *vgw = self(o);
    const struct attachment *a = arg;

    if (a->vpc)
        unclaim(a->vpc);
    if (result != S2SVPN_OK)
        return;
    if (a->vpc == NULL) {
        detach(vgw);
        return;
    }
    if (s2_vpc_join(a->vpc, &vgw->router) != S2SVPN_OK)
        return;
    vgw->router.vpc = a->vpc;
    a->vpc->vgw = vgw;
    a->vpc->object.children++;
    vgw->object.children++;
    S2_LIST_EACH(&a->vpc->tables, l)
        s2_table_gateway_back(S2_CONTAINER(l, s2svpn_route_table, in_vpc), vgw);
}

static s2svpn_status change_attachment(s2svpn_virtual_gateway *vgw, s2svpn_vpc *vpc)
{
    struct s2_change change = {
        .object = &vgw->object, .print = print_attachment, .apply = apply_attachment};
    struct attachment *a = s2_alloc(&vgw->object.ctx->env, sizeof(*a));
    s2svpn_status rc;

    if (a == NULL)
        return s2_fail(&vgw->object.ctx->env, S2SVPN_E_MEMORY, "", "no memory");
    a->vpc = vpc;
    change.arg = a;
    if (vpc)
        claim(vpc);
    rc = s2_object_change(&change);
    if (rc != S2SVPN_OK) {
        if (vpc)
            unclaim(vpc);
        s2_free(&vgw->object.ctx->env, a);
    } else if (vpc && !vpc->claimed && vgw->router.vpc != vpc) {
        rc = S2SVPN_E_MEMORY; /* answered at once, but its route found no room */
    }
    return rc;
}

s2svpn_status s2svpn_virtual_gateway_attach(s2svpn_virtual_gateway *vgw, s2svpn_vpc *vpc)
{
    s2svpn_context *ctx = vgw->object.ctx;
    s2svpn_status rc;

    s2_enter(ctx, 0);
    rc = s2_object_check(&vgw->object, "virtual_gateway");
    if (rc == S2SVPN_OK && vpc->object.ctx != ctx)
        rc = s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "vpc", "it is another context's");
    if (rc == S2SVPN_OK)
        rc = s2_object_check(&vpc->object, "vpc");
    if (rc == S2SVPN_OK && vgw->router.vpc)
        rc = s2_fail(&ctx->env, S2SVPN_E_STATE, "virtual_gateway", "%s is attached to %s",
                     vgw->object.id.text, vgw->router.vpc->object.id.text);
    if (rc == S2SVPN_OK && vpc->vgw)
        rc = s2_fail(&ctx->env, S2SVPN_E_STATE, "vpc", "%s has %s attached already",
                     vpc->object.id.text, vpc->vgw->object.id.text);
    if (rc == S2SVPN_OK && vpc->claimed)
        rc = s2_fail(&ctx->env, S2SVPN_E_STATE, "vpc", "%s is being attached", vpc->object.id.text);
    if (rc == S2SVPN_OK)
        rc = change_attachment(vgw, vpc);
    s2_leave(ctx);
    return rc;
}

s2svpn_status s2svpn_virtual_gateway_detach(s2svpn_virtual_gateway *vgw)
{
    s2svpn_context *ctx = vgw->object.ctx;
    s2svpn_status rc;

    s2_enter(ctx, 0);
    rc = s2_object_check(&vgw->object, "virtual_gateway");
    if (rc == S2SVPN_OK && vgw->router.vpc == NULL)
        rc = s2_fail(&ctx->env, S2SVPN_E_STATE, "virtual_gateway", "%s is attached to no VPC",
                     vgw->object.id.text);
    if (rc == S2SVPN_OK)
        rc = change_attachment(vgw, NULL);
    s2_leave(ctx);
    return rc;
}

void s2svpn_virtual_gateway_get_info(const s2svpn_virtual_gateway *vgw,
                                     s2svpn_virtual_gateway_info *out)
{
    s2svpn_virtual_gateway_info info = {
        .size = out->size,
        .id = vgw->object.id,
        .state = vgw->object.state,
        .amazon_asn = vgw->router.asn,
        .ecmp_paths = vgw->router.ecmp_paths,
    };

    if (vgw->router.vpc)
        info.vpc = vgw->router.vpc->object.id;
    if (vgw->router.connections.next) {
        S2_LIST_EACH(&vgw->router.connections, l)
            info.connections++;
    }
    if (vgw->router.rib)
        info.prefixes = (uint32_t)s2_rib_count(vgw->router.rib);
    s2_info_copy(out, out->size, &info, sizeof(info));
}
