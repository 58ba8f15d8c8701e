/* SPDX-License-Identifier: Apache-2.0 */
/* Routers: what the RIB decides becomes what packets look up, what the VPC's tables
 * show, and what peers are told. */
#include "vpn/router.h"

#include "base/text.h"
#include "vpn/vpn.h"

#define NAMES_MAX 4 /* of tunnels in an event's text */

/* The one that carries all of it. */
static uint64_t single_target(const struct s2_router *r, const struct s2_rib_path *best)
{
    if (best == NULL)
        return s2_target_make(NULL, S2_TARGET_NO_PATH);
    if (best->kind == S2_ROUTE_LOCAL)
        return s2_target_make(best->source, r->vgw ? S2_TARGET_VPC : S2_TARGET_PORT);
    return s2_target_make(best->source, S2_TARGET_TUNNEL);
}

static size_t members_of(const struct s2_rib_choice *choice, struct s2_group_member *out)
{
    for (size_t i = 0; i < choice->count; i++) {
        out[i].value = s2_target_make(choice->path[i]->source, S2_TARGET_TUNNEL);
        out[i].salt = s2_group_mix(choice->path[i]->order);
    }
    return choice->count;
}

/* What the FIB shall hold. If it is a group it has one use more. */
static uint64_t take_target(struct s2_router *r, const struct s2_rib_choice *choice)
{
    struct s2_group_member member[S2_GROUP_MAX];
    struct s2_group *group;

    if (choice->count > 1) {
        group = s2_groups_take(&r->groups, member, members_of(choice, member));
        if (group)
            return s2_target_make(group, S2_TARGET_GROUP);
        s2_router_repair(r);
    }
    return single_target(r, choice->best);
}

static void give_back(struct s2_router *r, uint64_t value)
{
    if (s2_target_kind(value) == S2_TARGET_GROUP)
        s2_groups_give_back(&r->groups, s2_target_pointer(value));
}

/* Does it lead where it should? */
static bool leads_there(const struct s2_router *r, uint64_t value,
                        const struct s2_rib_choice *choice)
{
    struct s2_group_member member[S2_GROUP_MAX];

    if (choice->count <= 1)
        return value == single_target(r, choice->best);
    return s2_target_kind(value) == S2_TARGET_GROUP &&
           s2_group_is_of(s2_target_pointer(value), member, members_of(choice, member));
}

/* "tunnels vpn-1.1, vpn-1.2" */
static void print_tunnels(const struct s2_rib_choice *choice, char *out, size_t size)
{
    size_t len = 0;

    for (size_t i = 0; i < choice->count; i++) {
        const s2svpn_tunnel *t = choice->path[i]->source;

        if (i == NAMES_MAX) {
            s2_print(out + len, size - len, " and %zu more", choice->count - i);
            return;
        }
        len += s2_print(out + len, size - len, "%s%s", i ? ", " : "", t->name);
    }
}

static void tell(const struct s2_router *r, const s2svpn_prefix *prefix,
                 const struct s2_rib_choice *choice)
{
    const struct s2_rib_path *best = choice->best;
    s2svpn_event event = {.kind = S2SVPN_EVENT_ROUTE,
                          .tunnel = UINT32_MAX,
                          .up = best != NULL,
                          .prefix = *prefix,
                          .reason = best ? "best" : "gone"};
    char text[S2SVPN_PREFIX_TEXT], names[160];

    s2svpn_prefix_print(prefix, text);
    if (best && best->kind != S2_ROUTE_LOCAL) {
        const s2svpn_tunnel *t = best->source;

        event.tunnel = t->index;
        print_tunnels(choice, names, sizeof(names));
        if (choice->count > 1)
            s2_emit(r->ctx, &event, &t->connection->object, "route %s goes by tunnels %s", text,
                    names);
        else
            s2_emit(r->ctx, &event, &t->connection->object, "route %s goes by tunnel %u", text,
                    t->index + 1);
    } else if (best == NULL) {
        s2_emit(r->ctx, &event, r->vgw ? &r->vgw->object : NULL, "route %s has no path", text);
    }
}

/* Without memory for it there is no entry: the old one may lead to what goes now. */
static void publish(struct s2_router *r, const s2svpn_prefix *prefix,
                    const struct s2_rib_choice *choice, bool gone)
{
    const uint64_t old = s2_groups_count(&r->groups) > 0 ? s2_fib_get(r->fib, prefix) : 0;
    const uint64_t value = gone ? 0 : take_target(r, choice);

    if (gone) {
        s2_fib_unset(r->fib, prefix);
    } else if (s2_fib_set(r->fib, prefix, value) != S2SVPN_OK) {
        s2_fib_unset(r->fib, prefix);
        give_back(r, value);
        s2_router_repair(r);
    }
    give_back(r, old); /* nothing leads to it from here any more */
}

static void on_best(void *user, const s2svpn_prefix *prefix, const struct s2_rib_choice *choice,
                    size_t count, uint64_t now_ns)
{
    struct s2_router *r = user;
    const struct s2_rib_path *best = choice->best;
    const bool local = best && best->kind == S2_ROUTE_LOCAL;

    (void)now_ns;
    publish(r, prefix, choice, count == 0);
    tell(r, prefix, choice);
    s2_hub_route(r, prefix, best);
    if (!local)
        s2_tables_route(r, prefix, count > 0, best != NULL);
}

static void on_release(void *user, void *attributes)
{
    struct s2_router *r = user;

    s2_free(&r->ctx->env, attributes);
}

/* ---- what memory was missing for */

void s2_router_repair(struct s2_router *r)
{
    s2_log(&r->ctx->env, S2_LOG_ERROR, "no memory for a route: trying again in a second");
    if (!r->repair.armed)
        s2_timer_set(&r->ctx->timers, &r->repair, s2_after(r->ctx->now_ns, S2_SECOND));
}

static bool look_over(void *arg, const s2svpn_prefix *prefix, const struct s2_rib_path *path,
                      size_t count, bool best_usable)
{
    struct s2_router *r = arg;
    struct s2_rib_choice choice;

    s2_rib_get_choice(r->rib, prefix, &choice);
    if (!leads_there(r, s2_fib_get(r->fib, prefix), &choice))
        publish(r, prefix, &choice, false);
    if (best_usable && path[0].kind != S2_ROUTE_LOCAL)
        s2_tables_route(r, prefix, true, true);
    for (size_t i = 0; i < count; i++) {
        const s2svpn_tunnel *t = path[i].kind == S2_ROUTE_LOCAL ? NULL : path[i].source;

        if (t && s2_fib_get(t->connection->sources, prefix) == 0 &&
            s2_fib_set(t->connection->sources, prefix, 1) != S2SVPN_OK)
            s2_router_repair(r);
    }
    return true;
}

static void on_repair(void *arg, uint64_t now_ns)
{
    struct s2_router *r = arg;

    s2_rib_each(r->rib, look_over, r);
    s2_tables_repair(r);
    S2_LIST_EACH(&r->connections, l) {
        s2svpn_connection *c = S2_CONTAINER(l, s2svpn_connection, in_router);

        for (size_t i = 0; i < c->tunnel_count; i++) {
            s2_router_advertise_all(r, &c->tunnel[i]);
            s2_inside_repair(&c->tunnel[i], now_ns);
        }
    }
}

s2svpn_status s2_router_init(struct s2_router *r, s2svpn_context *ctx, s2svpn_virtual_gateway *vgw,
                             uint32_t asn)
{
    static const struct s2_rib_ops ops = {.best = on_best, .release = on_release};
    s2svpn_status rc;

    r->ctx = ctx;
    r->vgw = vgw;
    r->asn = asn;
    s2_list_init(&r->connections);
    s2_list_init(&r->tables);
    s2_timer_init(&r->repair, on_repair, r);
    s2_hub_init(r);
    s2_groups_init(&r->groups, &ctx->env, &ctx->epochs);
    rc = s2_fib_new(&ctx->env, &ctx->epochs, &r->fib);
    if (rc == S2SVPN_OK)
        rc = s2_rib_new(&ctx->env, NULL, &ops, r, &r->rib);
    return rc == S2SVPN_OK ? rc : s2_fail(&ctx->env, rc, "", "no memory for a router");
}

void s2_router_clear(struct s2_router *r)
{
    if (r->ctx) {
        s2_timer_cancel(&r->ctx->timers, &r->repair);
        s2_timer_cancel(&r->ctx->timers, &r->hub);
    }
    s2_rib_free(r->rib);
    s2_fib_free(r->fib);
    s2_groups_clear(&r->groups);
    r->rib = NULL;
    r->fib = NULL;
}

static void advertise_to_all(struct s2_router *r, const s2svpn_prefix *prefix, bool withdraw)
{
    S2_LIST_EACH(&r->connections, l) {
        s2svpn_connection *c = S2_CONTAINER(l, s2svpn_connection, in_router);

        for (size_t i = 0; i < c->tunnel_count; i++)
            s2_bgp_advertise_to(&c->tunnel[i], prefix, withdraw);
    }
}

s2svpn_status s2_router_add_local(struct s2_router *r, const s2svpn_prefix *prefix, void *source)
{
    const struct s2_rib_path path = {.source = source, .kind = S2_ROUTE_LOCAL, .usable = true};
    s2svpn_status rc = s2_rib_set(r->rib, prefix, &path, r->ctx->now_ns);

    if (rc == S2SVPN_OK && s2_fib_get(r->fib, prefix) != single_target(r, &path)) {
        s2_rib_unset(r->rib, prefix, source, r->ctx->now_ns);
        rc = S2SVPN_E_MEMORY;
    }
    if (rc != S2SVPN_OK)
        return s2_fail(&r->ctx->env, rc, "", "no room for a local route");
    advertise_to_all(r, prefix, false);
    return S2SVPN_OK;
}

void s2_router_remove_local(struct s2_router *r, const s2svpn_prefix *prefix, void *source)
{
    /* In this order: a site's route for it may take its place. */
    advertise_to_all(r, prefix, true);
    s2_rib_unset(r->rib, prefix, source, r->ctx->now_ns);
}

static bool advertise_one(void *arg, const s2svpn_prefix *prefix, const struct s2_rib_path *path,
                          size_t count, bool best_usable)
{
    s2svpn_tunnel *t = arg;

    s2_hub_tell(t->connection, prefix, best_usable ? &path[0] : NULL);
    for (size_t i = 0; i < count; i++) {
        if (path[i].kind == S2_ROUTE_LOCAL) {
            s2_bgp_advertise_to(t, prefix, false);
            break;
        }
    }
    return true;
}

void s2_router_advertise_all(struct s2_router *r, s2svpn_tunnel *t)
{
    s2_rib_each(r->rib, advertise_one, t);
}

/* ---- what the host sees */

size_t s2svpn_connection_paths(const s2svpn_connection *conn, const s2svpn_prefix *prefix,
                               s2svpn_path *out, size_t max)
{
    struct s2_rib_choice choice;

    if (s2_list_empty(&conn->in_router)) /* deleted, and its gateway perhaps too */
        return 0;
    if (!s2_rib_get_choice(conn->router->rib, prefix, &choice) ||
        choice.best->kind == S2_ROUTE_LOCAL)
        return 0;
    for (size_t i = 0; i < choice.count && i < max; i++) {
        const s2svpn_tunnel *t = choice.path[i]->source;

        out[i] = (s2svpn_path){.connection = t->connection->object.id, .tunnel = t->index};
    }
    return choice.count;
}
