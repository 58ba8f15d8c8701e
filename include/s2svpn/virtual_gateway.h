/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual private gateway: the cloud side's end of VPN connections. */
#ifndef S2SVPN_VIRTUAL_GATEWAY_H
#define S2SVPN_VIRTUAL_GATEWAY_H

#include "s2svpn/error.h"
#include "s2svpn/types.h"

S2SVPN_BEGIN

typedef struct s2svpn_virtual_gateway_spec {
    size_t size;
    uint32_t amazon_asn; /* 64512 to 65534 or 4200000000 to 4294967294; 64512 by default */
    /** Equal-cost multipath, as AWS's transit gateway has it: at most so many tunnels carry
     * a prefix together (2 to S2SVPN_ECMP_PATHS_MAX), of one connection or of several, and
     * each flow takes one of them. 0 or 1: the best one alone, as AWS's virtual private
     * gateway. Equal are tunnels whose static prefix it is, and those whose BGP routes are
     * equal in length of the AS path, first AS and MED; the devices are told the same MED
     * in both tunnels, so that they may do likewise. */
    uint32_t ecmp_paths;
} s2svpn_virtual_gateway_spec;
#define S2SVPN_VIRTUAL_GATEWAY_INIT                                                                \
    {                                                                                              \
        .size = sizeof(s2svpn_virtual_gateway_spec), .amazon_asn = 64512                           \
    }

/**
 * Make a virtual gateway, attached to no VPC.
 * @param spec      borrowed for the call.
 * @param[out] vgw  a handle, give it back with s2svpn_virtual_gateway_release().
 * @return E_ARGUMENT: "amazon_asn", "ecmp_paths"; E_STATE: the context is a device; E_LIMIT;
 *         E_MEMORY; E_STORE.
 * @threads one call at a time on the context.
 * @since 0.1
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_virtual_gateway_new(
    s2svpn_context *ctx, const s2svpn_virtual_gateway_spec *spec, s2svpn_virtual_gateway **vgw);
/** E_IN_USE while it is attached or has connections. @threads as above. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status
s2svpn_virtual_gateway_delete(s2svpn_virtual_gateway *vgw);
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_virtual_gateway_hold(s2svpn_context *ctx,
                                                                      const char *id,
                                                                      s2svpn_virtual_gateway **vgw);
/** NULL is allowed. */
S2SVPN_API void s2svpn_virtual_gateway_release(s2svpn_virtual_gateway *vgw);

/** One VPC a gateway and one gateway a VPC: E_STATE otherwise. Its CIDR blocks are
 * advertised to the connections' devices from then on. @threads as above. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_virtual_gateway_attach(s2svpn_virtual_gateway *vgw,
                                                                        s2svpn_vpc *vpc);
/** Propagation from it stops; routes that name it become blackholes. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status
s2svpn_virtual_gateway_detach(s2svpn_virtual_gateway *vgw);

typedef struct s2svpn_virtual_gateway_info {
    size_t size; /* set by the caller */
    s2svpn_id id;
    uint32_t state; /* enum s2svpn_state */
    uint32_t amazon_asn;
    s2svpn_id vpc; /* empty: not attached */
    uint32_t connections;
    uint32_t prefixes; /* in its table of routes, usable or not */
    uint32_t ecmp_paths;
} s2svpn_virtual_gateway_info;
S2SVPN_API void s2svpn_virtual_gateway_get_info(const s2svpn_virtual_gateway *vgw,
                                                s2svpn_virtual_gateway_info *out);

S2SVPN_END
#endif
