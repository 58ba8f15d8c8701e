/* SPDX-License-Identifier: Apache-2.0 */
/* The host's table made what it should be: what is wanted is computed anew each time, then
 * compared with what is there. */
#include "device/routes.h"

#include <errno.h>
#include <event2/event.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device/device.h"
#include "device/wanted.h"

#define DEBOUNCE_US 20000 /* other programs change several routes at once */

/* ---- what is there */

static bool same_route(const struct host_route *a, const struct host_route *b)
{
    if (memcmp(&a->prefix, &b->prefix, sizeof(a->prefix)) != 0 || a->type != b->type ||
        a->table != b->table || a->metric != b->metric)
        return false;
    return a->type != RTN_UNICAST || (a->interface == b->interface &&
                                      memcmp(&a->gateway, &b->gateway, sizeof(a->gateway)) == 0);
}

static void on_listed(void *user, const struct listed_route *listed)
{
    struct wanted *u = user;
    struct routes *r = &u->d->routes;

    if (listed->protocol == NETLINK_PROTOCOL) {
        for (size_t i = 0; i < r->kept_count; i++)
            r->kept[i].seen |= same_route(&r->kept[i].route, &listed->route);
        return;
    }
    if (listed->route.table != RT_TABLE_MAIN || listed->route.type != RTN_UNICAST || listed->dead ||
        listed->route.interface == r->interface)
        return;
    wanted_way(u, &listed->route);
}

static bool list_all(struct wanted *u)
{
    static const uint8_t families[] = {S2SVPN_FAMILY_IPV4, S2SVPN_FAMILY_IPV6};
    struct routes *r = &u->d->routes;

    for (size_t i = 0; i < r->kept_count; i++)
        r->kept[i].seen = false;
    for (size_t i = 0; i < 2; i++) {
        const int failed = netlink_list(&r->netlink, families[i], on_listed, u);

        if (failed) {
            log_line(&u->d->log, S2SVPN_LOG_ERROR, NULL, "the host's routes can't be read: %s",
                     strerror(failed));
            return false;
        }
    }
    return true;
}

/* ---- from what is there to what is wanted */

static void take_over(struct wanted *u)
{
    struct routes *r = &u->d->routes;

    for (size_t i = 0; i < u->count; i++) {
        const struct kept_route *old = wanted_find(r->kept, r->kept_count, &u->list[i]);

        if (old == NULL)
            continue;
        u->list[i].installed = old->installed && old->seen;
        u->list[i].failed = old->failed;
    }
}

/* Room for both lists in one, without what goes with the TUN device. */
static size_t collect(struct host_route *out, size_t n, const struct kept_route *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].rank != RANK_TUNNEL)
            out[n++] = list[i].route;
    }
    return n;
}

/* All that could stay behind us, whether it is to come or was there before. */
static bool write_down(struct device *d, const struct kept_route *list, size_t count)
{
    const struct routes *r = &d->routes;
    struct host_route *all = calloc(count + r->kept_count + 1, sizeof(*all));
    size_t n = 0;
    int failed = ENOMEM;

    if (all) {
        n = collect(all, n, list, count);
        n = collect(all, n, r->kept, r->kept_count);
        failed = undo_write(&d->undo, all, n);
    }
    free(all);
    if (failed)
        log_line(&d->log, S2SVPN_LOG_ERROR, d->undo.path, "%s: no routes are installed",
                 strerror(failed));
    return failed == 0;
}

static int try_install(struct wanted *u, const struct kept_route *k)
{
    if (k->rank == RANK_TUNNEL && wanted_is_endpoint(u, &k->route.prefix))
        return EADDRINUSE;
    if (k->rank == RANK_TUNNEL && !wanted_is_safe(u, &k->route.prefix))
        return EHOSTUNREACH;
    return netlink_route(&u->d->routes.netlink, &k->route, true);
}

static void install(struct wanted *u, bool last_try)
{
    char text[S2SVPN_PREFIX_TEXT];

    for (size_t i = 0; i < u->count; i++) {
        struct kept_route *k = &u->list[i];
        const int before = k->failed;

        if (k->installed)
            continue;
        k->failed = try_install(u, k);
        k->installed = k->failed == 0;
        if (k->failed && k->failed != before && (last_try || k->failed != EEXIST))
            log_line(&u->d->log, S2SVPN_LOG_WARNING, NULL, "route %s isn't installed: %s",
                     s2svpn_prefix_print(&k->route.prefix, text), routes_why(k->failed));
    }
}

static void remove_route(struct device *d, struct kept_route *k)
{
    char text[S2SVPN_PREFIX_TEXT];
    int failed;

    if (!k->installed)
        return;
    failed = netlink_route(&d->routes.netlink, &k->route, false);
    if (failed && failed != ESRCH && failed != ENODEV)
        log_line(&d->log, S2SVPN_LOG_WARNING, NULL, "route %s can't be removed: %s",
                 s2svpn_prefix_print(&k->route.prefix, text), strerror(failed));
    k->installed = false;
}

static void remove_unwanted(struct wanted *u)
{
    struct routes *r = &u->d->routes;

    for (size_t i = r->kept_count; i-- > 0;) {
        if (wanted_find(u->list, u->count, &r->kept[i]) == NULL)
            remove_route(u->d, &r->kept[i]);
    }
}

static void update_routes(struct device *d)
{
    struct routes *r = &d->routes;
    struct wanted *u = calloc(1, sizeof(*u));

    if (u == NULL)
        return;
    wanted_begin(u, d);
    if ((u->count == 0 && r->kept_count == 0) || !list_all(u))
        goto out;
    wanted_finish(u);
    take_over(u);
    if (!write_down(d, u->list, u->count))
        goto out;
    install(u, false);
    remove_unwanted(u);
    install(u, true); /* what stood in each other's way */
    free(r->kept);
    r->kept = u->list;
    r->kept_count = u->count;
    u->list = NULL;
    write_down(d, NULL, 0);
out:
    free(u->list);
    free(u);
}

void routes_update(struct device *d)
{
    if (!d->routes.open)
        return;
    addresses_update(d);
    update_routes(d);
}

/* ---- life */

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    routes_update(arg);
}

static void on_changed(evutil_socket_t fd, short what, void *arg)
{
    struct device *d = arg;
    const struct timeval soon = {0, DEBOUNCE_US};

    (void)what;
    if (netlink_drain(fd) && !event_pending(d->routes.due, EV_TIMEOUT, NULL))
        event_add(d->routes.due, &soon);
}

void routes_changed(struct device *d)
{
    if (d->ready)
        routes_update(d);
}

void routes_on_new_tun(struct device *d)
{
    struct routes *r = &d->routes;

    r->interface = if_nametoindex(d->tun);
    if (!r->open)
        return;
    for (size_t i = 0; i < r->kept_count; i++) {
        if (r->kept[i].rank == RANK_TUNNEL)
            r->kept[i].installed = false;
    }
    r->address_count = 0;
    netlink_up(&r->netlink, r->interface);
    routes_update(d);
}

static bool open_all(struct device *d)
{
    struct routes *r = &d->routes;
    int failed = netlink_open(&r->netlink);

    if (failed == 0)
        failed = netlink_up(&r->netlink, r->interface);
    if (failed == 0) {
        r->monitor = netlink_monitor();
        failed = r->monitor < 0 ? errno : 0;
    }
    if (failed)
        log_line(&d->log, S2SVPN_LOG_ERROR, NULL, "routes of the host: %s", strerror(failed));
    return failed == 0;
}

bool routes_init(struct device *d)
{
    struct routes *r = &d->routes;

    r->monitor = -1;
    r->netlink.fd = -1;
    r->interface = if_nametoindex(d->tun);
    if (!options_manage_host(&d->options))
        return true;
    if (!open_all(d))
        return false;
    r->changed = event_new(d->program.base, r->monitor, EV_READ | EV_PERSIST, on_changed, d);
    r->due = evtimer_new(d->program.base, on_due, d);
    if (r->changed == NULL || r->due == NULL || event_add(r->changed, NULL) != 0)
        return false;
    r->open = true;
    return true;
}

void routes_clear(struct device *d)
{
    struct routes *r = &d->routes;

    for (size_t i = r->kept_count; i-- > 0;)
        remove_route(d, &r->kept[i]);
    r->open = false;
    if (r->changed)
        event_free(r->changed);
    if (r->due)
        event_free(r->due);
    if (r->monitor >= 0)
        close(r->monitor);
    netlink_close(&r->netlink);
    free(r->learned);
    free(r->kept);
    free(r->address);
    memset(r, 0, sizeof(*r));
    r->monitor = r->netlink.fd = -1;
}
