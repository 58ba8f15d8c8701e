/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scene with many sites: one gateway context with one virtual gateway or more, each
 * with a VPC of its own and sites of its own.
 *
 *    instance 10.0.1.10 ── VPC 10.0.0.0/16 ── virtual gateway g, AS 64512 + g
 *                                              │ 198.51.100.1 and .2, two tunnels a site
 *                                              └─ 203.0.113.(1 + site), device
 *    host 20.S.0.10 ── LAN 20.S.0.0/24, 20.S.1.0/24 … ── AS 65000 + S
 *
 * S is the site's number among those of its gateway: the gateways' networks overlap on
 * purpose. The site's first network is behind one port, the others behind a second one
 * and a third, which can be taken away and come back. Hosts answer pings to any address
 * .10 of theirs; a ping carries its gateway's number, and one of another's is a leak, be it
 * only a part of it in an ICMP error.
 */
#ifndef S2_TESTS_SIM_HUB_H
#define S2_TESTS_SIM_HUB_H

#include "scene.h"
#include "watch.h"

#define HUB_SITES 50
#define HUB_GATEWAYS 4
#define HUB_EXTRA_PORTS 2 /* of up to 64 networks each */

struct hub_plan {
    uint64_t seed;
    size_t gateways, sites; /* sites of each */
    size_t networks;        /* of a site */
    uint32_t asn[4];        /* of the first sites; 0: 65000 + S */
    size_t defaults;        /* the first sites' extra networks include 0.0.0.0/0 */
    size_t statics;         /* the last sites have static routes, to their first network */
    bool no_vpc;            /* the gateways aren't attached */
    s2svpn_sim_link link;
    struct watch *watch; /* sees keys and wire; NULL: nobody does */
};
#define HUB_PLAN_INIT                                                                              \
    {                                                                                              \
        .gateways = 1, .sites = 3, .networks = 2, .link = S2SVPN_SIM_LINK_INIT                     \
    }

struct hub_site {
    struct hub *hub;
    size_t gateway, number;
    bool is_static;
    char name[48];
    s2svpn_sim_node *node;
    s2svpn_context *ctx;
    s2svpn_options options;
    s2svpn_endpoint local[3];
    s2svpn_address outside;
    s2svpn_port *port, *extra[HUB_EXTRA_PORTS];
    s2svpn_port_id first_port;
    s2svpn_customer_gateway *cgw;
    s2svpn_connection *cloud, *site;
    unsigned asked, answered;
};

struct hub_gateway {
    s2svpn_vpc *vpc;
    s2svpn_subnet *subnet;
    s2svpn_port *instance;
    s2svpn_route_table *table;
    s2svpn_virtual_gateway *vgw;
    unsigned asked, answered;
};

struct hub {
    struct hub_plan plan;
    s2svpn_sim *sim;
    s2svpn_sim_node *node;
    s2svpn_context *ctx;
    s2svpn_options options;
    s2svpn_endpoint local[6];
    struct hub_gateway gateway[HUB_GATEWAYS];
    struct hub_site site[HUB_SITES];
    size_t sites;             /* of all gateways */
    unsigned leaks, mistaken; /* pings of another gateway's; packets that are none */
};

/* All objects, and all devices started; CHECKs. */
bool hub_open(struct hub *h, const struct hub_plan *plan);
void hub_close(struct hub *h);
void hub_run(struct hub *h, uint64_t ns);
/* Until all tunnels are up at both ends; CHECKs. */
bool hub_wait_up(struct hub *h, uint64_t ns);
bool hub_is_up(void *hub);
/* Until it holds; asked once in 100 ms. */
bool hub_wait(struct hub *h, bool (*done)(void *hub), uint64_t ns);

s2svpn_tunnel_info hub_tunnel(const s2svpn_connection *conn, size_t index);
void hub_cut(struct hub *h, size_t site, size_t tunnel, bool down);
/* The connection goes, at both ends; it is made anew, at both ends, and started. */
void hub_disconnect(struct hub_site *s);
bool hub_connect(struct hub *h, struct hub_site *s);
/* The extra networks of a site come or go. */
void hub_set_extra(struct hub *h, size_t site, bool there);
bool hub_has_extra(const struct hub_site *s);
/* A ping from a site's host to a network of another site of its gateway, or to its
 * instance (to NULL). */
void hub_ping(struct hub_site *from, const struct hub_site *to, size_t network);
void hub_ping_from_instance(struct hub *h, size_t gateway, const struct hub_site *to,
                            size_t network);
/* A ping with any addresses, from a site, or from the instance of a gateway (NULL). */
void hub_echo(struct hub *h, size_t gateway, const struct hub_site *from, uint32_t source,
              uint32_t to, uint16_t seq);
void hub_count_anew(struct hub *h);
uint64_t hub_drops(const struct hub *h, enum s2svpn_drop reason); /* of all contexts */
void hub_describe(struct hub *h);

#endif
