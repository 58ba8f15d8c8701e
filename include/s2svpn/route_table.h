/* SPDX-License-Identifier: Apache-2.0 */
/* A VPC's route table: local, manual and propagated routes, and the look-up that
 * packets take. What wins: local over everything, manual over propagated for the
 * same prefix, else the longest prefix. */
#ifndef S2SVPN_ROUTE_TABLE_H
#define S2SVPN_ROUTE_TABLE_H

#include "s2svpn/error.h"
#include "s2svpn/types.h"

S2SVPN_BEGIN

enum s2svpn_route_origin {
    S2SVPN_ORIGIN_CREATE_ROUTE_TABLE = 1, /* local */
    S2SVPN_ORIGIN_CREATE_ROUTE = 2,       /* manual */
    S2SVPN_ORIGIN_PROPAGATED = 3,         /* EnableVgwRoutePropagation */
};
enum s2svpn_route_target {
    S2SVPN_TARGET_LOCAL = 1,
    S2SVPN_TARGET_GATEWAY = 2, /* a virtual gateway */
    S2SVPN_TARGET_PORT = 3,    /* a network interface */
};

/** A route as it stands in a table. */
typedef struct s2svpn_route {
    s2svpn_prefix prefix;
    uint8_t origin; /* enum s2svpn_route_origin */
    uint8_t target; /* enum s2svpn_route_target */
    bool blackhole; /* the target is gone: packets are dropped */
    bool usable;    /* target gateway: it has a path right now */
    uint8_t paths;  /* propagated: tunnels that carry it right now; more than 1 only with
                     * s2svpn_virtual_gateway_spec.ecmp_paths */
    uint8_t reserved[3];
    s2svpn_id target_id; /* empty for local */
} s2svpn_route;

/** Another table of a VPC.
 * @threads one call at a time on the context, here and below. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_route_table_new(s2svpn_vpc *vpc,
                                                                 s2svpn_route_table **table);
/** E_IN_USE: the main table, or one with associations. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_route_table_delete(s2svpn_route_table *table);
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_route_table_hold(s2svpn_context *ctx,
                                                                  const char *id,
                                                                  s2svpn_route_table **table);
S2SVPN_API void s2svpn_route_table_release(s2svpn_route_table *table);
/** The table's identifier; borrowed as long as the handle. */
S2SVPN_API const char *s2svpn_route_table_id(const s2svpn_route_table *table);

/** The subnet uses this table from the next packet on, the VPC's main one too, and whichever
 * becomes main. NULL table: its association ends, and it uses what is main. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_route_table_associate(s2svpn_route_table *table,
                                                                       s2svpn_subnet *subnet);
/** Make this the main table of its VPC, as ReplaceRouteTableAssociation does: subnets
 * without an association of their own use it from the next packet on, or with a store
 * once that has agreed. The old one becomes a custom table. Nothing happens if it is the
 * main one.
 * @return E_STATE: the table isn't available, or the VPC has a change with the store;
 *         E_MEMORY; E_STORE. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_route_table_set_main(s2svpn_route_table *table);
typedef struct s2svpn_route_table_info {
    size_t size; /* set by the caller */
    s2svpn_id id;
    s2svpn_id vpc;         /* empty: the table is deleted */
    s2svpn_id propagating; /* the gateway whose routes come in; empty: none */
    uint32_t state;        /* enum s2svpn_state */
    uint32_t routes;       /* as many as s2svpn_route_table_list() tells */
    uint32_t associations; /* subnets that have one with it; not those without any */
    bool main;
} s2svpn_route_table_info;
S2SVPN_API void s2svpn_route_table_get_info(const s2svpn_route_table *table,
                                            s2svpn_route_table_info *out);
/** Propagate the gateway's routes into the table. E_STATE: it isn't attached to
 * the table's VPC; E_EXISTS. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status
s2svpn_route_table_enable_propagation(s2svpn_route_table *table, s2svpn_virtual_gateway *vgw);
/** Its propagated routes go at once. E_NOT_FOUND. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status
s2svpn_route_table_disable_propagation(s2svpn_route_table *table, s2svpn_virtual_gateway *vgw);

/** A manual route to a gateway (attached to this VPC) or a port of this VPC: exactly
 * one of both. The port of an appliance needs its source and destination check off. A
 * route whose gateway is detached or whose port is deleted is a blackhole; if the same
 * gateway is attached to this VPC again, the route leads to it again.
 * @return E_EXISTS: there is a manual or local one for the prefix; E_ARGUMENT "prefix",
 *         "target", "port"; E_STATE "virtual_gateway"; E_LIMIT; E_MEMORY. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_route_table_add(s2svpn_route_table *table,
                                                                 const s2svpn_prefix *prefix,
                                                                 s2svpn_virtual_gateway *vgw,
                                                                 s2svpn_port *port);
/** Another target for the manual route of this prefix, as ReplaceRoute; no packet in
 * between finds none. What was a blackhole is one no more.
 * @return E_NOT_FOUND "prefix": there is no manual route for it; else as for add. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_route_table_replace(s2svpn_route_table *table,
                                                                     const s2svpn_prefix *prefix,
                                                                     s2svpn_virtual_gateway *vgw,
                                                                     s2svpn_port *port);
/** Remove the manual route; E_NOT_FOUND. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_route_table_remove(s2svpn_route_table *table,
                                                                    const s2svpn_prefix *prefix);

/** All routes in address order, manual before propagated ones of the same prefix.
 * @return how many there are; at most @p max are written. */
S2SVPN_API size_t s2svpn_route_table_list(const s2svpn_route_table *table, s2svpn_route *out,
                                          size_t max);
/** Which route would a packet to @p a take? E_NOT_FOUND: none. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_route_table_lookup(const s2svpn_route_table *table,
                                                                    const s2svpn_address *a,
                                                                    s2svpn_route *out);

S2SVPN_END
#endif
