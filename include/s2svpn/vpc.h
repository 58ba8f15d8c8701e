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
    s2svpn_prefix cidr;      /* IPv4, /16 to /28 */
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
    s2svpn_prefix cidr;
    s2svpn_id main_route_table, virtual_gateway; /* gateway empty: none */
    s2svpn_prefix ipv6_cidr;                     /* family 0: none */
} s2svpn_vpc_info;
S2SVPN_API void s2svpn_vpc_get_info(const s2svpn_vpc *vpc, s2svpn_vpc_info *out);

typedef struct s2svpn_subnet_spec {
    size_t size;
    s2svpn_prefix cidr;      /* /16 to /28, inside the VPC, overlapping no other */
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
 * @return E_ARGUMENT: "subnet", "address", "ipv6_address", "prefix[n]", "tunnel"; E_EXISTS: the
 *         address or prefix is in use, or the tunnel has a port; E_STATE: its connection is
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
} s2svpn_port_info;
S2SVPN_API void s2svpn_port_get_info(const s2svpn_port *port, s2svpn_port_info *out);

S2SVPN_END
#endif
