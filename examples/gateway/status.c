/* SPDX-License-Identifier: Apache-2.0 */
/* Status and routes, as text or as JSON. */
#include "gateway/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/show.h"

/* ---- the status */

static void begin(const struct gateway *g, const s2svpn_connection_info *info, bool json,
                  struct text *out)
{
    const char *routing = info->static_routes_only ? "static" : json ? "bgp" : "BGP";

    if (!json) {
        text_add(out, "%s: %u of 2 tunnels up, %s, %s\n", info->id.text, info->up, routing,
                 g->document);
        return;
    }
    json_open(out, NULL, '{');
    json_string(out, "version", s2svpn_version());
    json_number(out, "pid", (unsigned long long)getpid());
    json_number(out, "for_s", show_seconds_since(g->started_ns));
    json_open(out, "connections", '[');
    json_open(out, NULL, '{');
    json_string(out, "id", info->id.text);
    json_string(out, "file", g->document);
    json_string(out, "routing", routing);
    json_number(out, "up", info->up);
    json_number(out, "customer_asn", info->customer_asn);
    json_number(out, "amazon_asn", info->amazon_asn);
    json_open(out, "tunnels", '[');
}

static void text_certificate(const struct certificates *c, struct text *out)
{
    char date[32];

    if (certificates_given(c))
        text_add(out, "our certificate: %s, valid until %s\n", c->subject,
                 certificates_date(c->not_after_s, date, sizeof(date)));
}

void status_print(const struct gateway *g, bool json, struct text *out)
{
    s2svpn_connection_info info = {.size = sizeof(info)};
    const s2svpn_tunnel *t;

    s2svpn_connection_get_info(g->connection, &info);
    begin(g, &info, json, out);
    for (size_t i = 0; (t = s2svpn_connection_tunnel(g->connection, i)) != NULL; i++) {
        struct shown_tunnel shown = {.info = {.size = sizeof(shown.info)},
                                     .connection = &info.id,
                                     .number = (unsigned)i + 1,
                                     .gateway = true,
                                     .faults = s2svpn_tunnel_faults(t)};

        s2svpn_tunnel_get_info(t, &shown.info);
        show_tunnel(&shown, json, out);
    }
    if (json) {
        json_close(out, ']');
        json_close(out, '}');
        json_close(out, ']');
    } else {
        text_certificate(&g->certificates, out);
    }
    show_drops(g->program.ctx, json, out);
    if (json) {
        json_close(out, '}');
        text_add(out, "\n");
    }
}

/* ---- routes */

static const char *origin_of(const s2svpn_route *r)
{
    return r->target == S2SVPN_TARGET_GATEWAY ? "propagated" : "local";
}

static const char *state_of(const s2svpn_route *r)
{
    return r->blackhole                                       ? "blackhole"
           : r->target == S2SVPN_TARGET_GATEWAY && !r->usable ? "no path"
                                                              : "active";
}

static void print_route(const struct gateway *g, const s2svpn_route *r, bool json, struct text *out)
{
    char prefix[S2SVPN_PREFIX_TEXT];
    s2svpn_path path[S2SVPN_ECMP_PATHS_MAX];
    size_t paths = 0;

    if (r->target == S2SVPN_TARGET_GATEWAY)
        paths = s2svpn_connection_paths(g->connection, &r->prefix, path, S2SVPN_ECMP_PATHS_MAX);
    s2svpn_prefix_print(&r->prefix, prefix);
    if (json) {
        json_open(out, NULL, '{');
        json_string(out, "prefix", prefix);
        json_string(out, "origin", origin_of(r));
        json_string(out, "state", state_of(r));
        json_open(out, "tunnels", '[');
        for (size_t i = 0; i < paths; i++)
            json_number(out, NULL, path[i].tunnel + 1);
        json_close(out, ']');
        json_close(out, '}');
        return;
    }
    text_add(out, "%-18s %s, %s", prefix, origin_of(r), state_of(r));
    for (size_t i = 0; i < paths; i++)
        text_add(out, "%s %u", i ? " and" : ", by tunnel", path[i].tunnel + 1);
    text_add(out, "\n");
}

struct announced {
    struct text *out;
    unsigned tunnel;
    bool json;
};

static bool print_announced(void *arg, const s2svpn_bgp_route *route)
{
    const struct announced *a = arg;
    char prefix[S2SVPN_PREFIX_TEXT];

    s2svpn_prefix_print(&route->prefix, prefix);
    if (!a->json) {
        text_add(a->out, "%-18s announced by tunnel %u, MED %u, path", prefix, a->tunnel,
                 route->med);
        for (size_t i = 0; i < route->as_count; i++)
            text_add(a->out, " %u", route->as_path[i]);
        text_add(a->out, "\n");
        return true;
    }
    json_open(a->out, NULL, '{');
    json_number(a->out, "tunnel", a->tunnel);
    json_string(a->out, "prefix", prefix);
    json_number(a->out, "med", route->med);
    json_open(a->out, "as_path", '[');
    for (size_t i = 0; i < route->as_count; i++)
        json_number(a->out, NULL, route->as_path[i]);
    json_close(a->out, ']');
    json_close(a->out, '}');
    return true;
}

static void print_table(const struct gateway *g, bool json, struct text *out)
{
    const size_t room = s2svpn_route_table_list(g->table, NULL, 0);
    s2svpn_route *route = calloc(room ? room : 1, sizeof(*route));
    size_t n;

    if (route == NULL) {
        out->failed = true;
        return;
    }
    n = s2svpn_route_table_list(g->table, route, room);
    for (size_t i = 0; i < n && i < room; i++)
        print_route(g, &route[i], json, out);
    free(route);
}

void status_print_routes(const struct gateway *g, bool json, struct text *out)
{
    const s2svpn_tunnel *t;

    if (json) {
        json_open(out, NULL, '{');
        json_open(out, "routes", '[');
    }
    print_table(g, json, out);
    if (json) {
        json_close(out, ']');
        json_open(out, "bgp", '[');
    }
    for (size_t i = 0; (t = s2svpn_connection_tunnel(g->connection, i)) != NULL; i++) {
        struct announced a = {.out = out, .tunnel = (unsigned)i + 1, .json = json};

        s2svpn_tunnel_each_bgp_route(t, print_announced, &a);
    }
    if (json) {
        json_close(out, ']');
        json_close(out, '}');
        text_add(out, "\n");
    }
}
