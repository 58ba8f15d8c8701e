/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses on the TUN device. They vanish with it. */
#include <stdlib.h>
#include <string.h>

#include "device/device.h"

#define ADDRESSES_MAX (HOST_ADDRESSES_MAX + DOCUMENTS_MAX * 2)

static struct kept_address *find(struct kept_address *list, size_t n, const s2svpn_address *a)
{
    for (size_t i = 0; i < n; i++) {
        if (memcmp(&list[i].address, a, sizeof(*a)) == 0)
            return &list[i];
    }
    return NULL;
}

static void keep(struct device *d, struct kept_address *list, size_t *n, const s2svpn_address *a)
{
    struct routes *r = &d->routes;
    const struct kept_address *old = find(r->address, r->address_count, a);
    struct kept_address *k = &list[*n];
    char text[S2SVPN_ADDRESS_TEXT];

    if (find(list, *n, a))
        return;
    k->address = *a;
    ++*n;
    if (old && old->failed == 0)
        return;
    k->failed = netlink_address(&r->netlink, r->interface, a, true);
    if (k->failed && (old == NULL || old->failed != k->failed))
        log_line(&d->log, S2SVPN_LOG_WARNING, NULL, "address %s can't be put on %s: %s",
                 s2svpn_address_print(a, text), d->tun, strerror(k->failed));
}

void addresses_update(struct device *d)
{
    const struct options *o = &d->options;
    struct routes *r = &d->routes;
    struct kept_address *list = calloc(ADDRESSES_MAX, sizeof(*list));
    size_t n = 0;

    if (list == NULL)
        return;
    for (size_t i = 0; i < o->address_count; i++)
        keep(d, list, &n, &o->address[i]);
    for (size_t i = 0; o->inside_addresses && i < d->connections.count; i++) {
        const s2svpn_device_config *config = d->connections.item[i].document.config;

        for (size_t k = 0; k < config->tunnel_count; k++)
            keep(d, list, &n, &config->tunnel[k].customer.inside);
    }
    for (size_t i = 0; i < r->address_count; i++) {
        if (r->address[i].failed == 0 && find(list, n, &r->address[i].address) == NULL)
            netlink_address(&r->netlink, r->interface, &r->address[i].address, false);
    }
    free(r->address);
    r->address = list;
    r->address_count = n;
}
