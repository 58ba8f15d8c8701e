/* SPDX-License-Identifier: Apache-2.0 */
/* The status: one pass over the connections, as text or as JSON. */
#include "device/status.h"

#include <stdio.h>
#include <unistd.h>

#include "device/device.h"

static const char *phase_name(enum s2svpn_tunnel_phase phase)
{
    static const char *const names[] = {
#define PHASE_NAME(name, words) #name,
        S2SVPN_TUNNEL_PHASE_LIST(PHASE_NAME)
#undef PHASE_NAME
    };

    return (unsigned)phase < sizeof(names) / sizeof(names[0]) ? names[phase] : "?";
}

static const char *bgp_name(uint32_t state)
{
    static const char *const names[] = {"none",     "Idle",        "Connect",    "Active",
                                        "OpenSent", "OpenConfirm", "Established"};

    return state < sizeof(names) / sizeof(names[0]) ? names[state] : "?";
}

static uint64_t seconds_since(uint64_t then_ns)
{
    const uint64_t now = s2svpn_host_now();

    return then_ns == 0 || then_ns > now ? 0 : (now - then_ns) / 1000000000u;
}

/* "12 s", "3 min 20 s", "5 h 12 min", "9 d 4 h" */
static char *print_duration(uint64_t s, char *out, size_t size)
{
    const unsigned long long v = s;

    if (s < 60)
        snprintf(out, size, "%llu s", v);
    else if (s < 3600)
        snprintf(out, size, "%llu min %llu s", v / 60, v % 60);
    else if (s < 86400)
        snprintf(out, size, "%llu h %llu min", v / 3600, v / 60 % 60);
    else
        snprintf(out, size, "%llu d %llu h", v / 86400, v / 3600 % 24);
    return out;
}

/* ---- text */

static const char *path_of(const s2svpn_tunnel_info *t)
{
    if (t->phase != S2SVPN_TUNNEL_UP && t->phase != S2SVPN_TUNNEL_IPSEC_UP)
        return "";
    if (!t->udp)
        return ", ESP as IP protocol 50";
    return t->nat_local && t->nat_remote ? ", ESP in UDP, NAT on both sides"
           : t->nat_local                ? ", ESP in UDP, NAT on our side"
           : t->nat_remote               ? ", ESP in UDP, NAT on their side"
                                         : ", ESP in UDP";
}

static void text_tunnel(const s2svpn_tunnel_info *t, const struct tunnel_link *l, unsigned number,
                        struct text *out)
{
    char local[S2SVPN_ENDPOINT_TEXT], remote[S2SVPN_ENDPOINT_TEXT], since[64];

    text_add(out, "  tunnel %u: %s%s%s", number, s2svpn_tunnel_phase_text(t->phase),
             t->reason[0] ? ": " : "", t->reason);
    if (t->changed_ns)
        text_add(out, " (for %s)",
                 print_duration(seconds_since(t->changed_ns), since, sizeof(since)));
    text_add(out, "\n    %s -> %s%s\n", s2svpn_endpoint_print(&t->local, local),
             s2svpn_endpoint_print(&t->remote, remote), path_of(t));
    if (t->esp_algorithms[0])
        text_add(out, "    IKE %s; ESP %s, %u rekeys; MTU %u, MSS %u\n", t->ike_algorithms,
                 t->esp_algorithms, t->rekeys, t->mtu, t->mss);
    if (l->port)
        text_add(out, "    TUN device %s, %s peer %s/%u\n", l->name[0] ? l->name : "none",
                 s2svpn_address_print(&l->local, local), s2svpn_address_print(&l->peer, remote),
                 l->length);
    if (t->bgp_state)
        text_add(out, "    BGP %s, %u routes\n", bgp_name(t->bgp_state), t->accepted_routes);
    text_add(out, "    in %llu packets, %llu bytes; out %llu packets, %llu bytes",
             (unsigned long long)t->packets_in, (unsigned long long)t->bytes_in,
             (unsigned long long)t->packets_out, (unsigned long long)t->bytes_out);
    if (t->last_in_ns)
        text_add(out, "; last in %s ago",
                 print_duration(seconds_since(t->last_in_ns), since, sizeof(since)));
    text_add(out, "\n");
}

static void text_connection(const struct connection *c, const s2svpn_connection_info *info,
                            struct text *out)
{
    text_add(out, "%s: %u of %zu tunnels up, %s, %s%s\n", info->id.text, info->up,
             c->document.config->tunnel_count,
             info->external_bgp         ? "BGP and routes by the host (--external-bgp)"
             : info->static_routes_only ? "static"
                                        : "BGP",
             c->document.path, c->down ? ", told to be down" : "");
}

/* ---- JSON */

static void json_tunnel(const s2svpn_tunnel_info *t, const struct tunnel_link *l,
                        const s2svpn_id *id, unsigned number, struct text *out)
{
    char text[S2SVPN_ID_SIZE + 32];

    json_open(out, NULL, '{');
    snprintf(text, sizeof(text), "%s.%u", id->text, number);
    json_string(out, "name", text);
    json_string(out, "phase", phase_name(t->phase));
    json_bool(out, "up", t->up);
    json_number(out, "for_s", seconds_since(t->changed_ns));
    json_string(out, "reason", t->reason);
    json_string(out, "local", s2svpn_endpoint_print(&t->local, text));
    json_string(out, "remote", s2svpn_endpoint_print(&t->remote, text));
    json_string(out, "inside_local", s2svpn_address_print(&t->inside_local, text));
    json_string(out, "inside_remote", s2svpn_address_print(&t->inside_remote, text));
    json_string(out, "tun", l->name[0] ? l->name : NULL);
    json_bool(out, "initiator", t->initiator);
    json_bool(out, "nat_local", t->nat_local);
    json_bool(out, "nat_remote", t->nat_remote);
    json_bool(out, "udp", t->udp);
    json_string(out, "ike", t->ike_algorithms);
    json_string(out, "esp", t->esp_algorithms);
    json_number(out, "mtu", t->mtu);
    json_number(out, "mss", t->mss);
    json_number(out, "rekeys", t->rekeys);
    json_string(out, "bgp", t->bgp_state ? bgp_name(t->bgp_state) : NULL);
    json_number(out, "routes", t->accepted_routes);
    json_number(out, "packets_in", t->packets_in);
    json_number(out, "packets_out", t->packets_out);
    json_number(out, "bytes_in", t->bytes_in);
    json_number(out, "bytes_out", t->bytes_out);
    json_number(out, "silent_s", seconds_since(t->last_in_ns));
    json_close(out, '}');
}

static void json_connection(const struct connection *c, const s2svpn_connection_info *info,
                            struct text *out)
{
    json_open(out, NULL, '{');
    json_string(out, "id", info->id.text);
    json_string(out, "file", c->document.path);
    json_string(out, "routing",
                info->external_bgp         ? "external"
                : info->static_routes_only ? "static"
                                           : "bgp");
    json_bool(out, "down", c->down);
    json_number(out, "up", info->up);
    json_number(out, "customer_asn", info->customer_asn);
    json_number(out, "amazon_asn", info->amazon_asn);
    json_open(out, "tunnels", '[');
}

static void json_drops(const struct device *d, struct text *out)
{
    json_open(out, "drops", '{');
    for (int i = 1; i < S2SVPN_DROP_COUNT; i++) {
        const uint64_t n = s2svpn_context_drops(d->program.ctx, (enum s2svpn_drop)i);

        if (n > 0)
            json_number(out, s2svpn_drop_name((enum s2svpn_drop)i), n);
    }
    json_close(out, '}');
}

static void json_begin(const struct device *d, struct text *out)
{
    json_open(out, NULL, '{');
    json_string(out, "version", s2svpn_version());
    json_number(out, "pid", (unsigned long long)getpid());
    json_number(out, "for_s", seconds_since(d->started_ns));
    json_string(out, "tun", d->tun[0] ? d->tun : NULL);
    json_bool(out, "reloading", d->reload.running);
    json_open(out, "connections", '[');
}

/* ---- both */

static void text_end(const struct device *d, struct text *out)
{
    for (int i = 1; i < S2SVPN_DROP_COUNT; i++) {
        const uint64_t n = s2svpn_context_drops(d->program.ctx, (enum s2svpn_drop)i);

        if (n > 0)
            text_add(out, "dropped %llu: %s\n", (unsigned long long)n,
                     s2svpn_drop_text((enum s2svpn_drop)i));
    }
}

void status_print(struct device *d, bool json, struct text *out)
{
    if (json)
        json_begin(d, out);
    for (size_t i = 0; i < d->connections.count; i++) {
        const struct connection *c = &d->connections.item[i];
        s2svpn_connection_info info = {.size = sizeof(info)};
        const s2svpn_tunnel *t;

        s2svpn_connection_get_info(c->handle, &info);
        (json ? json_connection : text_connection)(c, &info, out);
        for (size_t k = 0; (t = s2svpn_connection_tunnel(c->handle, k)) != NULL; k++) {
            s2svpn_tunnel_info tunnel = {.size = sizeof(tunnel)};

            s2svpn_tunnel_get_info(t, &tunnel);
            if (json)
                json_tunnel(&tunnel, &c->link[k], &info.id, (unsigned)k + 1, out);
            else
                text_tunnel(&tunnel, &c->link[k], (unsigned)k + 1, out);
        }
        if (json) {
            json_close(out, ']');
            json_close(out, '}');
        }
    }
    if (!json) {
        text_end(d, out);
        return;
    }
    json_close(out, ']');
    json_drops(d, out);
    json_close(out, '}');
    text_add(out, "\n");
}
