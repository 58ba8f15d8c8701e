/* SPDX-License-Identifier: Apache-2.0 */
/* Routes, as text or as JSON. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "device/device.h"
#include "device/status.h"

const char *routes_why(int failed)
{
    switch (failed) {
    case EADDRINUSE:
        return "it is the outside address of a tunnel's other end";
    case EHOSTUNREACH:
        return "it covers the outside address of a tunnel's other end, which couldn't be exempted";
    case EEXIST:
        return "the host has it already";
    default:
        return strerror(failed);
    }
}

/* The tunnels that carry the prefix, of all connections. */
static size_t find_paths(const struct device *d, const s2svpn_prefix *p, s2svpn_path *out)
{
    for (size_t i = 0; i < d->connections.count; i++) {
        const s2svpn_connection *conn = d->connections.item[i].handle;

        if (conn) /* they share one table */
            return s2svpn_connection_paths(conn, p, out, S2SVPN_ECMP_PATHS_MAX);
    }
    return 0;
}

/* "vpn-….1", or "" without a path. */
static char *print_tunnel(const s2svpn_path *path, char *out, size_t size)
{
    out[0] = 0;
    if (path)
        snprintf(out, size, "%.*s.%u", (int)sizeof(path->connection.text) - 1,
                 path->connection.text, path->tunnel + 1);
    return out;
}

static const struct kept_route *find_kept(const struct device *d, const s2svpn_prefix *p)
{
    for (size_t i = 0; i < d->routes.kept_count; i++) {
        const struct kept_route *k = &d->routes.kept[i];

        if (k->rank == RANK_TUNNEL && memcmp(&k->route.prefix, p, sizeof(*p)) == 0)
            return k;
    }
    return NULL;
}

static void print_prefix(const struct device *d, const s2svpn_prefix *p, bool statically, bool json,
                         struct text *out)
{
    const struct kept_route *k = find_kept(d, p);
    const char *why = k && !k->installed && k->failed ? routes_why(k->failed) : NULL;
    char prefix[S2SVPN_PREFIX_TEXT], tunnel[S2SVPN_ID_SIZE + 16];
    s2svpn_path path[S2SVPN_ECMP_PATHS_MAX];
    const size_t paths = find_paths(d, p, path);

    s2svpn_prefix_print(p, prefix);
    print_tunnel(paths ? &path[0] : NULL, tunnel, sizeof(tunnel));
    if (json) {
        json_open(out, NULL, '{');
        json_string(out, "prefix", prefix);
        json_string(out, "origin", statically ? "static" : "bgp");
        json_string(out, "tunnel", tunnel[0] ? tunnel : NULL);
        json_open(out, "tunnels", '[');
        for (size_t i = 0; i < paths; i++)
            json_string(out, NULL, print_tunnel(&path[i], tunnel, sizeof(tunnel)));
        json_close(out, ']');
        json_bool(out, "installed", k && k->installed);
        json_string(out, "why_not", why);
        json_close(out, '}');
        return;
    }
    text_add(out, "%-18s %-6s by %s", prefix, statically ? "static" : "BGP",
             tunnel[0] ? tunnel : "no tunnel");
    for (size_t i = 1; i < paths; i++)
        text_add(out, " and %s", print_tunnel(&path[i], tunnel, sizeof(tunnel)));
    text_add(out, ", %s%s%s\n", k && k->installed ? "installed" : "not installed", why ? ": " : "",
             why ? why : "");
}

static void print_exemption(const struct kept_route *k, bool json, struct text *out)
{
    char prefix[S2SVPN_PREFIX_TEXT], gateway[S2SVPN_ADDRESS_TEXT], name[IF_NAMESIZE] = "";
    const char *kind = k->route.type == RTN_THROW         ? "throw"
                       : k->route.type == RTN_UNREACHABLE ? "unreachable"
                                                          : "host route";

    s2svpn_prefix_print(&k->route.prefix, prefix);
    s2svpn_address_print(&k->route.gateway, gateway);
    if (k->route.interface && if_indextoname(k->route.interface, name) == NULL)
        snprintf(name, sizeof(name), "%u", k->route.interface);
    if (json) {
        json_open(out, NULL, '{');
        json_string(out, "endpoint", prefix);
        json_string(out, "kind", kind);
        json_string(out, "gateway", k->route.gateway.family == S2SVPN_FAMILY_NONE ? NULL : gateway);
        json_string(out, "interface", name[0] ? name : NULL);
        json_bool(out, "installed", k->installed);
        json_close(out, '}');
        return;
    }
    text_add(out, "%-18s exempt by %s", prefix, kind);
    if (k->route.gateway.family != S2SVPN_FAMILY_NONE)
        text_add(out, " via %s", gateway);
    if (name[0])
        text_add(out, " on %s", name);
    text_add(out, ", %s\n", k->installed ? "installed" : "not installed");
}

static bool is_static(const struct device *d, const s2svpn_prefix *p)
{
    for (size_t i = 0; i < d->program.route_count; i++) {
        if (memcmp(&d->program.route[i], p, sizeof(*p)) == 0)
            return true;
    }
    return false;
}

static void print_addresses(const struct device *d, bool json, struct text *out)
{
    char text[S2SVPN_ADDRESS_TEXT];

    if (json)
        json_open(out, "addresses", '[');
    for (size_t i = 0; i < d->routes.address_count; i++) {
        const struct kept_address *k = &d->routes.address[i];

        s2svpn_address_print(&k->address, text);
        if (json && k->failed == 0)
            json_string(out, NULL, text);
        else if (!json)
            text_add(out, "%-18s address on %s%s%s\n", text, d->tun, k->failed ? ": " : "",
                     k->failed ? strerror(k->failed) : "");
    }
    if (json)
        json_close(out, ']');
}

/* ---- what is advertised, and to whom */

#define ESTABLISHED 6 /* RFC 4271 section 8.2.2 */

/* Does the tunnel's peer hear of prefixes of this family? */
static bool hears(const s2svpn_tunnel *t, uint8_t family)
{
    s2svpn_tunnel_info info = {.size = sizeof(info)};

    s2svpn_tunnel_get_info(t, &info);
    return info.bgp_state == ESTABLISHED && info.inside_local.family == family;
}

static void print_advertised(const struct device *d, const s2svpn_prefix *p, bool json,
                             struct text *out)
{
    char prefix[S2SVPN_PREFIX_TEXT], name[S2SVPN_ID_SIZE + 16];
    unsigned count = 0;

    s2svpn_prefix_print(p, prefix);
    if (json) {
        json_open(out, NULL, '{');
        json_string(out, "prefix", prefix);
        json_open(out, "tunnels", '[');
    } else {
        text_add(out, "%-18s advertised to", prefix);
    }
    for (size_t i = 0; i < d->connections.count; i++) {
        const struct connection *c = &d->connections.item[i];
        const s2svpn_tunnel *t;

        for (size_t k = 0; (t = s2svpn_connection_tunnel(c->handle, k)) != NULL; k++) {
            if (!hears(t, p->address.family))
                continue;
            snprintf(name, sizeof(name), "%s.%zu", c->document.config->connection.text, k + 1);
            if (json)
                json_string(out, NULL, name);
            else
                text_add(out, "%s %s", count ? "," : "", name);
            count++;
        }
    }
    if (json) {
        json_close(out, ']');
        json_close(out, '}');
    } else {
        text_add(out, "%s\n", count ? "" : " nobody");
    }
}

/* ---- the whole */

static void print_routes(const struct device *d, bool json, struct text *out)
{
    const struct routes *r = &d->routes;

    if (json)
        json_open(out, "routes", '[');
    for (size_t i = 0; i < d->program.route_count; i++)
        print_prefix(d, &d->program.route[i], true, json, out);
    for (size_t i = 0; i < r->learned_count; i++) {
        if (!is_static(d, &r->learned[i].prefix))
            print_prefix(d, &r->learned[i].prefix, false, json, out);
    }
    if (json) {
        json_close(out, ']');
        json_open(out, "advertised", '[');
    }
    for (size_t i = 0; i < d->options.lan_count; i++)
        print_advertised(d, &d->options.lan[i], json, out);
    if (json)
        json_close(out, ']');
}

void routes_print(struct device *d, bool json, struct text *out)
{
    const struct routes *r = &d->routes;

    if (json) {
        json_open(out, NULL, '{');
        json_string(out, "interface", d->tun[0] ? d->tun : NULL);
        json_number(out, "table", d->options.table);
        json_bool(out, "external", d->options.device.external_bgp);
    }
    if (!json && d->options.device.external_bgp)
        text_add(out, "routes are the host's (--external-bgp)\n");
    print_routes(d, json, out);
    routes_print_bgp(d, json, out);
    if (json)
        json_open(out, "exempt", '[');
    for (size_t i = 0; i < r->kept_count; i++) {
        if (r->kept[i].rank != RANK_TUNNEL)
            print_exemption(&r->kept[i], json, out);
    }
    if (json)
        json_close(out, ']');
    print_addresses(d, json, out);
    if (json) {
        json_close(out, '}');
        text_add(out, "\n");
    }
}
