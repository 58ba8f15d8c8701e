/* SPDX-License-Identifier: Apache-2.0 */
/* The status: one pass over the connections, as text or as JSON. */
#include "device/status.h"

#include <stdio.h>
#include <unistd.h>

#include "control/show.h"
#include "device/device.h"

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

static void json_begin(const struct device *d, struct text *out)
{
    const struct certificates *c = &d->options.certificates;

    json_open(out, NULL, '{');
    json_string(out, "version", s2svpn_version());
    json_number(out, "pid", (unsigned long long)getpid());
    json_number(out, "for_s", show_seconds_since(d->started_ns));
    json_string(out, "tun", d->tun[0] ? d->tun : NULL);
    json_bool(out, "reloading", d->reload.running);
    json_string(out, "certificate", certificates_given(c) ? c->subject : NULL);
    json_number(out, "certificate_not_after", c->not_after_s);
    json_open(out, "connections", '[');
}

/* ---- both */

/* With --external-bgp each tunnel is a link of the host's. */
static void print_tunnel(const struct connection *c, size_t index, const s2svpn_tunnel *t,
                         const s2svpn_id *id, bool json, struct text *out)
{
    const struct tunnel_link *l = &c->link[index];
    char local[S2SVPN_ADDRESS_TEXT], peer[S2SVPN_ADDRESS_TEXT], link[256];
    struct shown_tunnel shown = {.info = {.size = sizeof(shown.info)},
                                 .connection = id,
                                 .number = (unsigned)index + 1,
                                 .tun = l->name[0] ? l->name : NULL};

    s2svpn_tunnel_get_info(t, &shown.info);
    if (l->port) {
        snprintf(link, sizeof(link), "    TUN device %s, %s peer %s/%u\n",
                 l->name[0] ? l->name : "none", s2svpn_address_print(&l->local, local),
                 s2svpn_address_print(&l->peer, peer), l->length);
        shown.link = link;
    }
    show_tunnel(&shown, json, out);
}

static void text_certificate(const struct certificates *c, struct text *out)
{
    char date[32];

    if (certificates_given(c))
        text_add(out, "our certificate: %s, valid until %s\n", c->subject,
                 certificates_date(c->not_after_s, date, sizeof(date)));
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
        for (size_t k = 0; (t = s2svpn_connection_tunnel(c->handle, k)) != NULL; k++)
            print_tunnel(c, k, t, &info.id, json, out);
        if (json) {
            json_close(out, ']');
            json_close(out, '}');
        }
    }
    if (json)
        json_close(out, ']');
    else
        text_certificate(&d->options.certificates, out);
    show_drops(d->program.ctx, json, out);
    if (!json)
        return;
    json_close(out, '}');
    text_add(out, "\n");
}
