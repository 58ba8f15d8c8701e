/* SPDX-License-Identifier: Apache-2.0 */
/* What each tunnel's peer announced, as the import policy made it, as text or as JSON. */
#include <stdio.h>

#include "device/device.h"
#include "device/status.h"

#define LOCAL_PREF_DEFAULT 100 /* of a route to which no policy gave one */

struct walk {
    const char *tunnel; /* "vpn-….1" */
    bool json;
    struct text *out;
};

static void json_path(const s2svpn_bgp_route *r, struct text *out)
{
    json_open(out, "as_path", '[');
    for (uint16_t i = 0; i < r->as_count; i++)
        json_number(out, NULL, r->as_path[i]);
    json_close(out, ']');
}

static void json_communities(const s2svpn_bgp_route *r, struct text *out)
{
    char text[48];

    json_open(out, "communities", '[');
    for (uint16_t i = 0; i < r->community_count; i++) {
        snprintf(text, sizeof(text), "%u:%u", r->communities[i] >> 16, r->communities[i] & 0xffff);
        json_string(out, NULL, text);
    }
    for (uint16_t i = 0; i < r->large_community_count; i++) {
        const s2svpn_bgp_large_community *c = &r->large_communities[i];

        snprintf(text, sizeof(text), "%u:%u:%u", c->administrator, c->data1, c->data2);
        json_string(out, NULL, text);
    }
    json_close(out, ']');
}

static bool json_route(void *arg, const s2svpn_bgp_route *r)
{
    const struct walk *w = arg;
    char prefix[S2SVPN_PREFIX_TEXT];

    s2svpn_prefix_print(&r->prefix, prefix);
    json_open(w->out, NULL, '{');
    json_string(w->out, "tunnel", w->tunnel);
    json_string(w->out, "prefix", prefix);
    json_number(w->out, "local_pref", r->has_local_pref ? r->local_pref : LOCAL_PREF_DEFAULT);
    if (r->has_med)
        json_number(w->out, "med", r->med);
    json_path(r, w->out);
    json_communities(r, w->out);
    json_close(w->out, '}');
    return true;
}

static bool text_route(void *arg, const s2svpn_bgp_route *r)
{
    const struct walk *w = arg;
    char prefix[S2SVPN_PREFIX_TEXT];

    s2svpn_prefix_print(&r->prefix, prefix);
    text_add(w->out, "%-18s announced to %s: local preference %u, path", prefix, w->tunnel,
             r->has_local_pref ? r->local_pref : LOCAL_PREF_DEFAULT);
    for (uint16_t i = 0; i < r->as_count; i++)
        text_add(w->out, " %u", r->as_path[i]);
    if (r->has_med)
        text_add(w->out, ", MED %u", r->med);
    text_add(w->out, "\n");
    return true;
}

void routes_print_bgp(const struct device *d, bool json, struct text *out)
{
    char name[S2SVPN_ID_SIZE + 16];

    if (json)
        json_open(out, "bgp", '[');
    for (size_t i = 0; i < d->connections.count; i++) {
        const struct connection *c = &d->connections.item[i];
        const s2svpn_tunnel *t;

        for (size_t k = 0; (t = s2svpn_connection_tunnel(c->handle, k)) != NULL; k++) {
            struct walk w = {name, json, out};

            snprintf(name, sizeof(name), "%s.%zu", c->document.config->connection.text, k + 1);
            s2svpn_tunnel_each_bgp_route(t, json ? json_route : text_route, &w);
        }
    }
    if (json)
        json_close(out, ']');
}
