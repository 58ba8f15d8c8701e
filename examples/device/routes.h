/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host's table and the TUN device hold of ours. Nothing, unless we were told to.
 *
 * With --install-routes each prefix that the tunnels learned (BGP), and each static one of
 * an open connection, is routed into the TUN device. A prefix that covers the outside
 * address of a tunnel's other end must not take the tunnel's own packets with it. So that
 * end gets, before the prefix, and only as long as a prefix covers it:
 *
 *   - a host route by the way that the host has without us, followed when it changes;
 *   - behind it an unreachable host route of the last metric, so that in the moment when
 *     the way is lost the packets are refused and not captured.
 *
 * In a table of its own (--table) a throw route does for both: the host's other rules
 * decide then.
 */
#ifndef S2_DEVICE_ROUTES_H
#define S2_DEVICE_ROUTES_H

#include <s2svpn/context.h>

#include "control/text.h"
#include "device/netlink.h"

#define LEARNED_MAX 8192

struct device;
struct event;

/* A prefix that has a path. */
struct learned {
    s2svpn_prefix prefix;
};

/* A route that we want, or have. */
struct kept_route {
    struct host_route route;
    uint8_t rank;   /* in what order they are put there: below */
    bool installed; /* in the kernel, as far as we know */
    bool seen;      /* in its last listing */
    int failed;     /* why it isn't there: an errno */
};
enum { RANK_BACKSTOP = 1, RANK_BYPASS = 2, RANK_TUNNEL = 3 };

struct kept_address {
    s2svpn_address address;
    int failed;
};

struct routes {
    struct netlink netlink;
    bool open;
    int monitor;
    struct event *changed, *due;
    uint32_t interface; /* the TUN device's */
    struct learned *learned;
    size_t learned_count, learned_room;
    struct kept_route *kept;
    size_t kept_count;
    struct kept_address *address;
    size_t address_count;
    bool full; /* more prefixes than we take: said once */
};

/* Undo what was left over; with privileges, before the drop. False: the log says why. */
bool routes_init(struct device *d);
/* A prefix came, changed or went. */
void routes_on_event(struct device *d, const s2svpn_event *event);
/* Connections were opened or closed: done in the loop's next turn, but bypasses at once. */
void routes_changed(struct device *d);
/* Make the host's table what it should be. */
void routes_update(struct device *d);
/* The TUN device was made anew, and is empty. */
void routes_on_new_tun(struct device *d);
/* Take all away again. */
void routes_clear(struct device *d);

/* Put the addresses on the TUN device that belong there: addresses.c. */
void addresses_update(struct device *d);

/* Why a route isn't installed, in words. */
const char *routes_why(int failed);

#endif
