/* SPDX-License-Identifier: Apache-2.0 */
/* A TUN device a tunnel: made, given its addresses, made anew, taken away. */
#include "device/links.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "device/device.h"

/* ---- addresses */

static void put_address(struct device *d, const struct tunnel_link *l, bool add)
{
    const uint32_t interface = if_nametoindex(l->name);
    char local[S2SVPN_ADDRESS_TEXT], peer[S2SVPN_ADDRESS_TEXT];
    const int failed =
        netlink_link_address(&d->links_netlink, interface, &l->local, &l->peer, l->length, add);

    if (failed && add)
        log_line(&d->log, S2SVPN_LOG_WARNING, NULL, "%s peer %s/%u can't be put on %s: %s",
                 s2svpn_address_print(&l->local, local), s2svpn_address_print(&l->peer, peer),
                 l->length, l->name, strerror(failed));
}

static void take_inside(struct tunnel_link *l, const s2svpn_config_tunnel *tunnel)
{
    l->local = tunnel->customer.inside;
    l->peer = tunnel->gateway.inside;
    l->length = tunnel->inside_length;
}

void links_update(struct device *d, struct connection *c, size_t index,
                  const s2svpn_config_tunnel *tunnel)
{
    struct tunnel_link *l = &c->link[index];
    const struct tunnel_link old = *l;

    if (l->port == NULL)
        return;
    take_inside(l, tunnel);
    if (memcmp(&l->local, &old.local, sizeof(l->local)) == 0 &&
        memcmp(&l->peer, &old.peer, sizeof(l->peer)) == 0 && l->length == old.length)
        return;
    put_address(d, &old, false);
    put_address(d, l, true);
}

/* ---- devices */

/* wanted "" is the kernel's choice. */
static bool make_device(struct device *d, struct tunnel_link *l, const char *wanted)
{
    s2svpn_error why = {0};
    int failed;

    if (s2svpn_host_add_tun(d->program.host, s2svpn_port_number(l->port), wanted, TUN_MTU, l->name,
                            &why) != S2SVPN_OK) {
        l->name[0] = 0;
        log_line(&d->log, S2SVPN_LOG_ERROR, wanted[0] ? wanted : NULL, "%s", why.message);
        return false;
    }
    failed = netlink_up(&d->links_netlink, if_nametoindex(l->name));
    if (failed)
        log_line(&d->log, S2SVPN_LOG_WARNING, l->name, "can't be set up: %s", strerror(failed));
    put_address(d, l, true);
    return true;
}

/* The first numbers that no other connection's devices have. */
static unsigned find_place(const struct device *d)
{
    for (unsigned place = 0;; place++) {
        bool taken = false;

        for (size_t i = 0; i < d->connections.count; i++)
            taken |= d->connections.item[i].place == place;
        if (!taken)
            return place;
    }
}

static bool open_link(struct device *d, struct connection *c, size_t index, s2svpn_tunnel *tunnel,
                      const s2svpn_device_config *config)
{
    struct tunnel_link *l = &c->link[index];
    s2svpn_port_spec spec = S2SVPN_PORT_INIT;
    char wanted[16] = "";

    spec.tunnel = tunnel;
    take_inside(l, &config->tunnel[index]);
    if (d->options.tun)
        snprintf(wanted, sizeof(wanted), "%s%u", d->options.tun,
                 2 * c->place + (unsigned)index + 1);
    if (s2svpn_port_new(d->program.ctx, &spec, &l->port) != S2SVPN_OK) {
        log_line(&d->log, S2SVPN_LOG_ERROR, config->connection.text, "%s",
                 s2svpn_context_error(d->program.ctx)->message);
        return false;
    }
    if (!make_device(d, l, wanted))
        return false;
    log_line(&d->log, S2SVPN_LOG_INFO, config->connection.text, "tunnel %zu: TUN device %s",
             index + 1, l->name);
    return true;
}

/* What its descriptor's end would do, but now. The host hears of it in the loop. */
static void delete_device(struct device *d, const struct tunnel_link *l)
{
    const uint32_t interface = if_nametoindex(l->name);
    const int failed = interface ? netlink_delete(&d->links_netlink, interface) : 0;

    if (failed)
        log_line(&d->log, S2SVPN_LOG_WARNING, l->name, "can't be taken away: %s", strerror(failed));
}

bool links_open(struct device *d, struct connection *c, s2svpn_connection *handle,
                const s2svpn_device_config *config)
{
    c->place = find_place(d);
    memset(c->link, 0, sizeof(c->link));
    for (size_t i = 0; d->options.device.external_bgp && i < config->tunnel_count; i++) {
        if (!open_link(d, c, i, s2svpn_connection_tunnel(handle, i), config)) {
            links_close(d, c);
            return false;
        }
    }
    return true;
}

void links_close(struct device *d, struct connection *c)
{
    for (size_t i = 0; i < 2; i++) {
        struct tunnel_link *l = &c->link[i];

        if (l->port && s2svpn_port_delete(l->port) != S2SVPN_OK)
            log_line(&d->log, S2SVPN_LOG_ERROR, l->name, "%s",
                     s2svpn_context_error(d->program.ctx)->message);
        if (l->port && l->name[0])
            delete_device(d, l);
    }
    links_release(c);
}

void links_release(struct connection *c)
{
    for (size_t i = 0; i < 2; i++)
        s2svpn_port_release(c->link[i].port);
    memset(c->link, 0, sizeof(c->link));
}

static struct tunnel_link *find(struct device *d, s2svpn_port_id port)
{
    for (size_t i = 0; i < d->connections.count; i++) {
        struct connection *c = &d->connections.item[i];

        for (size_t k = 0; k < 2; k++) {
            if (c->link[k].port && s2svpn_port_number(c->link[k].port) == port)
                return &c->link[k];
        }
    }
    return NULL;
}

void links_on_gone(struct device *d, s2svpn_port_id port, const char *name)
{
    struct tunnel_link *l = find(d, port);
    char wanted[16];

    if (l == NULL)
        return; /* it was ours to delete */
    log_line(&d->log, S2SVPN_LOG_WARNING, NULL, "TUN device %s is gone", name);
    snprintf(wanted, sizeof(wanted), "%s", name);
    if (make_device(d, l, wanted))
        log_line(&d->log, S2SVPN_LOG_INFO, NULL, "TUN device %s is made anew", l->name);
    else
        log_line(&d->log, S2SVPN_LOG_ERROR, NULL, "and its tunnel is out of reach until a restart");
}

/* ---- life */

bool links_init(struct device *d)
{
    int failed;

    d->links_netlink.fd = -1;
    if (!d->options.device.external_bgp)
        return true;
    failed = netlink_open(&d->links_netlink);
    if (failed)
        log_line(&d->log, S2SVPN_LOG_ERROR, NULL, "addresses of the host: %s", strerror(failed));
    return failed == 0;
}

void links_clear(struct device *d)
{
    netlink_close(&d->links_netlink);
}
