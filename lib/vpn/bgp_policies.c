/* SPDX-License-Identifier: Apache-2.0 */
/* s2svpn/bgp_tunnel.h: a device's policies kept with the tunnel, so that every session of
 * it has them, and what its peer announced. What policies do is done in bgp/. */
#include "bgp/policy.h"
#include "s2svpn/bgp_tunnel.h"
#include "vpn/bgp_show.h"
#include "vpn/vpn.h"

static s2svpn_status check(const s2svpn_tunnel *t)
{
    const s2svpn_connection *c = t->connection;
    const s2svpn_context *ctx = c->object.ctx;
    const s2svpn_status rc = s2_object_check(&c->object, "connection");

    if (rc != S2SVPN_OK)
        return rc;
    if (!c->device)
        return s2_fail(&ctx->env, S2SVPN_E_STATE, "connection", "it is not a device's");
    if (!s2_speaks_bgp(c))
        return s2_fail(&ctx->env, S2SVPN_E_STATE, "connection", "it has no BGP of ours");
    return S2SVPN_OK;
}

static void tell_if_import_waits(s2svpn_tunnel *t)
{
    const s2svpn_event event = {
        .kind = S2SVPN_EVENT_NOTE, .tunnel = t->index, .reason = "bgp import policy"};
    struct s2_bgp_info info;

    s2_bgp_get_info(t->bgp, &info);
    if (info.import_waits)
        s2_warn(t->connection->object.ctx, &event, &t->connection->object,
                "tunnel %u: BGP: the peer can't announce its routes again: those that are there "
                "meet the new import policy in the next session",
                t->index + 1);
}

static s2svpn_status set(s2svpn_tunnel *t, s2svpn_bgp_policy *in, s2svpn_bgp_policy *out)
{
    s2svpn_context *ctx = t->connection->object.ctx;

    if (t->bgp) {
        const s2svpn_status rc = s2_bgp_set_policies(t->bgp, in, out, ctx->now_ns);

        if (rc != S2SVPN_OK)
            return rc;
        tell_if_import_waits(t);
    }
    s2_bgp_policies_clear(t);
    t->bgp_import = in;
    t->bgp_export = out;
    return S2SVPN_OK;
}

s2svpn_status s2svpn_tunnel_set_bgp_policies(s2svpn_tunnel *t,
                                             const s2svpn_bgp_policy *import_policy,
                                             const s2svpn_bgp_policy *export_policy)
{
    s2svpn_context *ctx = t->connection->object.ctx;
    s2svpn_bgp_policy *in = NULL, *out = NULL;
    s2svpn_status rc;

    s2_enter(ctx, 0);
    rc = check(t);
    if (rc == S2SVPN_OK)
        rc = s2_bgp_policy_copy(&ctx->env, "import_policy", import_policy, &in);
    if (rc == S2SVPN_OK)
        rc = s2_bgp_policy_copy(&ctx->env, "export_policy", export_policy, &out);
    if (rc == S2SVPN_OK)
        rc = set(t, in, out);
    if (rc != S2SVPN_OK) {
        s2_free(&ctx->env, in);
        s2_free(&ctx->env, out);
    }
    s2_leave(ctx);
    return rc;
}

void s2_bgp_policies_clear(s2svpn_tunnel *t)
{
    const struct s2_env *env = &t->connection->object.ctx->env;

    s2_free(env, t->bgp_import);
    s2_free(env, t->bgp_export);
    t->bgp_import = t->bgp_export = NULL;
}

void s2svpn_tunnel_each_bgp_route(const s2svpn_tunnel *t,
                                  bool (*each)(void *arg, const s2svpn_bgp_route *route), void *arg)
{
    if (t->bgp)
        s2_bgp_show_routes(t->bgp, each, arg);
}
