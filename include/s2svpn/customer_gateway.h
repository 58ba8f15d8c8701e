/* SPDX-License-Identifier: Apache-2.0 */
/* The customer gateway: what the cloud side knows of a device at a customer's site. */
#ifndef S2SVPN_CUSTOMER_GATEWAY_H
#define S2SVPN_CUSTOMER_GATEWAY_H

#include "s2svpn/error.h"
#include "s2svpn/types.h"

S2SVPN_BEGIN

typedef struct s2svpn_customer_gateway_spec {
    size_t size;
    uint32_t bgp_asn; /* 1 to 4294967295, not 23456; 65000 by default */
    uint32_t reserved;
    const char *address;     /* the device's outside address, or of the NAT before it; NULL with a
                              * certificate: it comes from anywhere, and the tunnels can't be
                              * started from the cloud's side */
    const char *device_name; /* NULL: none; at most 255 bytes */
    const char *certificate; /* PEM: the device's, which it is known by (certificate.h); a renewed
                              * one with the same subject is the same device. NULL: its tunnels
                              * use pre-shared keys */
} s2svpn_customer_gateway_spec;
#define S2SVPN_CUSTOMER_GATEWAY_INIT                                                               \
    {                                                                                              \
        .size = sizeof(s2svpn_customer_gateway_spec), .bgp_asn = 65000                             \
    }

/**
 * Make a customer gateway.
 * @param spec      borrowed for the call.
 * @param[out] cgw  a handle, give it back with s2svpn_customer_gateway_release().
 * @return E_ARGUMENT: "bgp_asn", "address", "device_name" or "certificate"; E_STATE: the context
 *         is a device; E_UNSUPPORTED: "certificate", and the crypto backend has none; E_LIMIT;
 *         E_MEMORY; E_STORE.
 * @threads one call at a time on the context.
 * @since 0.1
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_customer_gateway_new(
    s2svpn_context *ctx, const s2svpn_customer_gateway_spec *spec, s2svpn_customer_gateway **cgw);
/** E_IN_USE while a connection uses it. @threads as above. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status
s2svpn_customer_gateway_delete(s2svpn_customer_gateway *cgw);
/** A handle by identifier; E_NOT_FOUND. @threads as above. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status
s2svpn_customer_gateway_hold(s2svpn_context *ctx, const char *id, s2svpn_customer_gateway **cgw);
/** NULL is allowed. @threads as above. */
S2SVPN_API void s2svpn_customer_gateway_release(s2svpn_customer_gateway *cgw);

typedef struct s2svpn_customer_gateway_info {
    size_t size; /* set by the caller */
    s2svpn_id id;
    uint32_t state; /* enum s2svpn_state, context.h */
    uint32_t bgp_asn;
    s2svpn_address address;
    char device_name[256];
    char certificate_subject[256]; /* "": no certificate */
} s2svpn_customer_gateway_info;
/** Fill @p out, whose size the caller has set. @threads as above. */
S2SVPN_API void s2svpn_customer_gateway_get_info(const s2svpn_customer_gateway *cgw,
                                                 s2svpn_customer_gateway_info *out);

S2SVPN_END
#endif
