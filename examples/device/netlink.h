/* SPDX-License-Identifier: Apache-2.0 */
/* Routes, addresses and links of the host by rtnetlink(7): one request and its answer, a
 * listing, and a socket that tells of changes. What should be there: routes.h. */
#ifndef S2_DEVICE_NETLINK_H
#define S2_DEVICE_NETLINK_H

#include <s2svpn/types.h>

/* The protocol that our routes bear, so that nobody's else are ever taken for ours. */
#define NETLINK_PROTOCOL 117

/* One route. All bytes of one that isn't used are zero, so that two are compared whole. */
struct host_route {
    uint8_t type; /* RTN_UNICAST, RTN_UNREACHABLE, RTN_THROW */
    uint8_t reserved[3];
    uint32_t table, metric;
    uint32_t interface; /* 0: none */
    s2svpn_prefix prefix;
    s2svpn_address gateway; /* family 0: on the link */
    s2svpn_address source;  /* preferred; family 0: none */
};

/* A route of the host's as it is listed. */
struct listed_route {
    struct host_route route;
    uint8_t protocol;
    bool dead; /* its link is down */
};

struct netlink {
    int fd;
    uint32_t sequence;
};

/* Each returns 0 or an errno. */
int netlink_open(struct netlink *nl);
void netlink_close(struct netlink *nl);
int netlink_route(struct netlink *nl, const struct host_route *route, bool add);
/* With its full length: no route to a network comes with it. */
int netlink_address(struct netlink *nl, uint32_t interface, const s2svpn_address *a, bool add);
/* With the link's other end, and the route to the network of both. */
int netlink_link_address(struct netlink *nl, uint32_t interface, const s2svpn_address *a,
                         const s2svpn_address *peer, uint8_t length, bool add);
int netlink_up(struct netlink *nl, uint32_t interface);
int netlink_delete(struct netlink *nl, uint32_t interface);

typedef void netlink_route_fn(void *user, const struct listed_route *route);
/* All unicast, unreachable and throw routes of a family, of all tables. */
int netlink_list(struct netlink *nl, uint8_t family, netlink_route_fn *fn, void *user);

/* A socket, not blocking, that gets readable when routes or links change; -1 and errno. */
int netlink_monitor(void);
/* Read all that is there; true if there was anything. */
bool netlink_drain(int fd);

#endif
