/* SPDX-License-Identifier: Apache-2.0 */
/* The network that a virtual gateway is attached to: VPC, subnets, and network
 * interfaces, called ports here; and a device's LAN, which is a port too. */
#ifndef S2SVPN_VPC_H
#define S2SVPN_VPC_H

#include "s2svpn/error.h"
#include "s2svpn/types.h"

S2SVPN_BEGIN

typedef struct s2svpn_vpc_spec {
    size_t size;
    s2svpn_prefix cidr;      /* the primary block: IPv4, /16 to /28 */
    s2svpn_prefix ipv6_cidr; /* /44 to /60 in steps of 4; family 0: none */
} s2svpn_vpc_spec;
#define S2SVPN_VPC_INIT                                                                            \
    {                                                                                              \
        .size = sizeof(s2svpn_vpc_spec)                                                            \
    }

/** Make a VPC with its main route table.
 * @return E_ARGUMENT: "cidr", "ipv6_cidr"; E_STATE: the context is a device; E_LIMIT; E_MEMORY;
 *         E_STORE.
 * @threads one call at a time on the context, here and below. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_vpc_new(s2svpn_context *ctx,
                                                         const s2svpn_vpc_spec *spec,
                                                         s2svpn_vpc **vpc);
/** E_IN_USE while it has subnets, custom route tables or a gateway. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_vpc_delete(s2svpn_vpc *vpc);
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_vpc_hold(s2svpn_context *ctx, const char *id,
                                                          s2svpn_vpc **vpc);
S2SVPN_API void s2svpn_vpc_release(s2svpn_vpc *vpc);
/** A handle on the main route table: give it back with s2svpn_route_table_release(). */
S2SVPN_API s2svpn_route_table *s2svpn_vpc_main_route_table(s2svpn_vpc *vpc);

typedef struct s2svpn_vpc_info {
    size_t size; /* set by the caller */
    s2svpn_id id;
    uint32_t state; /* enum s2svpn_state */
    uint32_t subnets;
    s2svpn_prefix cidr;                          /* the primary one */
    s2svpn_id main_route_table, virtual_gateway; /* gateway empty: none */
    s2svpn_prefix ipv6_cidr;                     /* the oldest; family 0: none */
} s2svpn_vpc_info;
S2SVPN_API void s2svpn_vpc_get_info(const s2svpn_vpc *vpc, s2svpn_vpc_info *out);

/**
 * Give the VPC another CIDR block while it runs: IPv4, /16 to /28, or IPv6, /44 to /60 in
 * steps of 4, be it the first. At once every route table of the VPC has a local route for
 * it, subnets may lie in it, and the attached gateway takes packets for it and announces
 * it by BGP. With a store that answers later it is PENDING until then; should the store
 * refuse, or memory be short when it agrees, the block is gone from the list.
 * @param prefix       borrowed for the call.
 * @param association  its identifier, "vpc-cidr-assoc-…"; may be NULL.
 * @return E_ARGUMENT "prefix"; E_EXISTS "prefix": it overlaps a block of this VPC; E_EXISTS
 *         "route": a route of one of its tables, of any origin, has this destination or one
 *         inside it; E_LIMIT "prefix": limits.vpc_cidrs of this version; E_STATE: the VPC
 *         isn't available, or has a change with the store; E_MEMORY; E_RANDOM; E_STORE. A
 *         failed call changes nothing.
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_vpc_add_cidr(s2svpn_vpc *vpc,
                                                              const s2svpn_prefix *prefix,
                                                              s2svpn_id *association);
/**
 * Take a block away: its local routes go, and the gateway withdraws it. What other routes
 * there are for these addresses count again.
 * @return E_NOT_FOUND "prefix": no such block; E_IN_USE "prefix": subnets lie in it; E_STATE
 *         "prefix": the primary one stays; E_STATE; E_MEMORY; E_STORE.
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_vpc_remove_cidr(s2svpn_vpc *vpc,
                                                                 const s2svpn_prefix *prefix);
typedef struct s2svpn_vpc_cidr {
    s2svpn_prefix prefix;
    s2svpn_id association; /* "vpc-cidr-assoc-…" */
    uint32_t state;        /* PENDING, AVAILABLE, DELETING: AWS's associating and so on */
    bool primary;
    uint8_t reserved[7];
} s2svpn_vpc_cidr;
/** Its blocks in the order in which they came, the primary one first.
 * @return how many there are; at most @p max are written. */
S2SVPN_API size_t s2svpn_vpc_list_cidrs(const s2svpn_vpc *vpc, s2svpn_vpc_cidr *out, size_t max);

typedef struct s2svpn_subnet_spec {
    size_t size;
    s2svpn_prefix cidr;      /* /16 to /28, inside a block of the VPC, overlapping no other */
    s2svpn_prefix ipv6_cidr; /* likewise, /44 to /64 in steps of 4; family 0: none */
} s2svpn_subnet_spec;
#define S2SVPN_SUBNET_INIT                                                                         \
    {                                                                                              \
        .size = sizeof(s2svpn_subnet_spec)                                                         \
    }
/** @return E_ARGUMENT: "cidr", "ipv6_cidr"; E_EXISTS: it overlaps another; E_LIMIT; E_MEMORY;
 * E_STORE. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_subnet_new(s2svpn_vpc *vpc,
                                                            const s2svpn_subnet_spec *spec,
                                                            s2svpn_subnet **subnet);
/** E_IN_USE while it has ports. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_subnet_delete(s2svpn_subnet *subnet);
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_subnet_hold(s2svpn_context *ctx, const char *id,
                                                             s2svpn_subnet **subnet);
S2SVPN_API void s2svpn_subnet_release(s2svpn_subnet *subnet);
typedef struct s2svpn_subnet_info {
    size_t size;                    /* set by the caller */
    s2svpn_id id, vpc, route_table; /* the table in force: associated, or the main one */
    uint32_t state;
    uint32_t ports;
    s2svpn_prefix cidr;
    s2svpn_prefix ipv6_cidr; /* family 0: none */
    bool associated;         /* with that table by an association of its own */
} s2svpn_subnet_info;
S2SVPN_API void s2svpn_subnet_get_info(const s2svpn_subnet *subnet, s2svpn_subnet_info *out);

typedef struct s2svpn_port_spec {
    size_t size;
    s2svpn_subnet *subnet;  /* gateway: where the interface is; device: NULL */
    s2svpn_address address; /* gateway: inside the subnet, not one of the five reserved;
                             * device: the LAN's own address, family 0: none */
    /* device: what lies behind the port; borrowed for the call */
    const s2svpn_prefix *prefix;
    size_t prefix_count; /* at most 64 */
    /* gateway: likewise inside the subnet's IPv6 block; device: the LAN's own IPv6
     * address; family 0: none */
    s2svpn_address ipv6_address;
    /* device: the port is the near end of this tunnel, of a connection with external_bgp
     * (config.h), and has no prefixes; NULL: it is the LAN */
    s2svpn_tunnel *tunnel;
    /* gateway: switch AWS's sourceDestCheck off, as an appliance needs it that a route
     * table sends packets to */
    bool no_source_dest_check;
} s2svpn_port_spec;
#define S2SVPN_PORT_INIT                                                                           \
    {                                                                                              \
        .size = sizeof(s2svpn_port_spec)                                                           \
    }
/**
 * Make a port. On the cloud side it is an instance's network interface, on a device
 * it is the LAN; its prefixes are advertised over BGP. ICMP errors come to it from the
 * subnet's router, or from the LAN's own address; without one of the packet's family,
 * from the inside address of the tunnel that the packet was too long for. A tunnel's port
 * hears them from the gateway's inside address; its connection can't be deleted before it.
 *
 * An instance's port checks addresses, unless told not to: what enters with a source that
 * isn't the port's, and what a route table sends to it for a destination that isn't its,
 * is dropped and counted as SOURCE_DEST_CHECK, silently as at AWS.
 * @return E_ARGUMENT: "subnet", "address", "ipv6_address", "prefix[n]", "tunnel",
 *         "no_source_dest_check" (a device has none); E_EXISTS: the address or prefix is in use, or the tunnel has a port; E_STATE: its connection is
 *         being deleted; E_LIMIT; E_MEMORY; E_STORE.
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_port_new(s2svpn_context *ctx,
                                                          const s2svpn_port_spec *spec,
                                                          s2svpn_port **port);
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_port_delete(s2svpn_port *port);
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_port_hold(s2svpn_context *ctx, const char *id,
                                                           s2svpn_port **port);
S2SVPN_API void s2svpn_port_release(s2svpn_port *port);
/** The number that the I/O seam knows it by. */
S2SVPN_API s2svpn_port_id s2svpn_port_number(const s2svpn_port *port);
typedef struct s2svpn_port_info {
    size_t size;          /* set by the caller */
    s2svpn_id id, subnet; /* subnet empty: a device's */
    uint32_t state;
    s2svpn_port_id number;
    s2svpn_address address;
    s2svpn_address ipv6_address; /* family 0: none */
    bool source_dest_check;      /* a device's port has none */
} s2svpn_port_info;
S2SVPN_API void s2svpn_port_get_info(const s2svpn_port *port, s2svpn_port_info *out);
/** Switch the check of an instance's port on or off; workers follow with their next packet.
 * With a store, once that has agreed.
 * @return E_ARGUMENT "port": it is a device's; E_STATE; E_MEMORY; E_STORE. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_port_set_source_dest_check(s2svpn_port *port,
                                                                            bool on);

S2SVPN_END
#endif
