/* SPDX-License-Identifier: Apache-2.0 */
/* The VPN connection: a virtual gateway, a customer gateway and two tunnels between
 * them. On a device the same object stands for the other end of the same thing.
 *
 * A connection's tunnels carry one version of IP, whatever the outside addresses are:
 *
 *   inside_ip_version  4                        6
 *   selectors          0.0.0.0/0                ::/0
 *   inside addresses   hosts 1 (the gateway's)  hosts 1 and 2 of a /126 of fd00::/8, and
 *                      and 2 of a /30           a /30 that is kept for it as at AWS
 *   BGP over them      IPv4 unicast             IPv6 unicast (RFC 4760, RFC 2545)
 *   static routes      IPv4                     IPv6
 *
 * Other packets aren't in the selectors and are dropped. With 6 BGP's session runs over
 * the IPv6 inside addresses, offers IPv6 unicast alone and goes on with it where the peer
 * offers IPv4 as well; the global inside address is the one next hop, and a link-local
 * one behind it is taken and not used; the identifier is the gateway's host of the /30.
 * AWS has IPv6 inside on transit gateways only; here every gateway has it, if asked. */
#ifndef S2SVPN_CONNECTION_H
#define S2SVPN_CONNECTION_H

#include "s2svpn/error.h"
#include "s2svpn/tunnel.h"
#include "s2svpn/types.h"

S2SVPN_BEGIN

typedef struct s2svpn_connection_spec {
    size_t size;
    bool static_routes_only;   /* false: BGP */
    uint8_t inside_ip_version; /* 4 or 6: what the tunnels carry; 0: 4 */
    uint8_t reserved[6];
    /* The customer's side of the selectors, of the inside IP version (AWS's
     * LocalIpv4NetworkCidr or LocalIpv6NetworkCidr); family 0: 0.0.0.0/0 or ::/0. */
    s2svpn_prefix local_network;
    s2svpn_prefix remote_network; /* the cloud's side; as above */
    s2svpn_tunnel_options tunnel[2];
    s2svpn_id id; /* to play an existing connection; empty: made */
} s2svpn_connection_spec;
#define S2SVPN_CONNECTION_INIT                                                                     \
    {                                                                                              \
        .size = sizeof(s2svpn_connection_spec)                                                     \
    }

/**
 * Make a connection; its tunnels answer the device at once (startup action add).
 * @param spec       NULL: AWS's defaults; borrowed for the call.
 * @param[out] conn  a handle, give it back with s2svpn_connection_release().
 * @return E_ARGUMENT with the field, "tunnel[1].phase1_lifetime_s"; E_STATE: one of
 *         the gateways is being deleted, or their ASNs are equal; E_EXISTS: a pair
 *         of outside addresses or an inside CIDR is in use; E_LIMIT: no outside
 *         address or inside CIDR is free; E_MEMORY; E_RANDOM; E_STORE.
 * @threads one call at a time on the context.
 * @since 0.1
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_connection_new(s2svpn_virtual_gateway *vgw,
                                                                s2svpn_customer_gateway *cgw,
                                                                const s2svpn_connection_spec *spec,
                                                                s2svpn_connection **conn);
/** Close its tunnels, tell the peer, forget its routes. @threads as above. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_connection_delete(s2svpn_connection *conn);
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_connection_hold(s2svpn_context *ctx,
                                                                 const char *id,
                                                                 s2svpn_connection **conn);
/** NULL is allowed. */
S2SVPN_API void s2svpn_connection_release(s2svpn_connection *conn);

/** Keep the tunnels up from this side: start them, and again whenever they are
 * down, with back-off; where UDP port 500 stays silent, from port 4500 (RFC 7296 section
 * 2.23) and in turns. A device's connection does nothing before, and one that was opened
 * with startup action add only answers from then on, as one does whose customer gateway has
 * no address. E_STATE while the context is being stopped. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_connection_start(s2svpn_connection *conn);
/** Close the tunnels politely and answer nobody until start. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_connection_stop(s2svpn_connection *conn);

/** A prefix of the customer's side, for connections without BGP, of the inside IP
 * version. E_ARGUMENT: "prefix"; E_EXISTS, E_LIMIT. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status
s2svpn_connection_add_static_route(s2svpn_connection *conn, const s2svpn_prefix *prefix);
S2SVPN_API S2SVPN_NODISCARD s2svpn_status
s2svpn_connection_remove_static_route(s2svpn_connection *conn, const s2svpn_prefix *prefix);

/** A tunnel that carries a prefix. */
typedef struct s2svpn_path {
    s2svpn_id connection;
    uint32_t tunnel; /* 0 or 1 */
} s2svpn_path;
/** Which tunnels carry packets to a prefix of the other side right now: of all connections
 * of @p conn's virtual gateway, or of its device. More than one with ecmp_paths.
 * @param prefix  exactly as it was announced or added; borrowed for the call.
 * @return how many there are, at most S2SVPN_ECMP_PATHS_MAX; 0: none is up, or nobody
 *         has this prefix. At most @p max are written.
 * @threads one call at a time on the context.
 * @since 0.1 */
S2SVPN_API size_t s2svpn_connection_paths(const s2svpn_connection *conn,
                                          const s2svpn_prefix *prefix, s2svpn_path *out,
                                          size_t max);

typedef struct s2svpn_connection_info {
    size_t size; /* set by the caller */
    s2svpn_id id;
    uint32_t state; /* enum s2svpn_state */
    bool static_routes_only;
    bool device;                                 /* this is the device's end */
    uint8_t inside_ip_version;                   /* 4 or 6 */
    bool external_bgp;                           /* s2svpn_device_options.external_bgp */
    s2svpn_id customer_gateway, virtual_gateway; /* a device knows them from its file */
    uint32_t customer_asn, amazon_asn;           /* 0: no BGP */
    uint32_t up;                                 /* tunnels that are up: 0, 1 or 2 */
    s2svpn_address customer_address;
} s2svpn_connection_info;
S2SVPN_API void s2svpn_connection_get_info(const s2svpn_connection *conn,
                                           s2svpn_connection_info *out);

/** One of the two tunnels, 0 or 1; borrowed as long as the connection's handle. */
S2SVPN_API s2svpn_tunnel *s2svpn_connection_tunnel(const s2svpn_connection *conn, size_t index);
/** @threads one call at a time on the context. */
S2SVPN_API void s2svpn_tunnel_get_info(const s2svpn_tunnel *tunnel, s2svpn_tunnel_info *out);
/** The options in force, defaults filled in. pre_shared_key is borrowed as long as
 * the connection's handle. */
S2SVPN_API void s2svpn_tunnel_get_options(const s2svpn_tunnel *tunnel, s2svpn_tunnel_options *out);
/** Close it and, where this side starts tunnels, start it anew. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_tunnel_reset(s2svpn_tunnel *tunnel);
/** Rekey its child SA now; E_STATE if it has none. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_tunnel_rekey(s2svpn_tunnel *tunnel);
/** Rekey its IKE SA now, which keeps the child; E_STATE if it has none that is up. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_tunnel_rekey_ike(s2svpn_tunnel *tunnel);
/**
 * Change a tunnel's options while it is there: AWS's ModifyVpnTunnelOptions. Where anything
 * differs, that tunnel is closed and begun anew, by whoever starts it; the other one isn't
 * touched. Where BGP runs and the other tunnel is up, the traffic moves to it first: its MED
 * becomes the lower one for as long as this takes, the gateway uses it itself, and 10
 * seconds later this one closes, so that nothing is lost. Called again meanwhile: the newer
 * options count.
 * @param options  all of them, as s2svpn_tunnel_get_options() gives them; borrowed for the
 *                 call. 0: the profile's default. Addresses of family 0 and a pre_shared_key
 *                 that is NULL stay; the outside address can't change.
 * @return E_ARGUMENT with the field, "options.phase1_lifetime_s"; E_EXISTS: another tunnel
 *         uses the inside CIDR; E_STATE: the connection is a device's, or being deleted, or
 *         its other tunnel is about to be changed; E_MEMORY. Nothing has changed then.
 * @threads one call at a time on the context.
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status
s2svpn_tunnel_modify(s2svpn_tunnel *tunnel, const s2svpn_tunnel_options *options);
/** Move the tunnel to a new endpoint with the same addresses and options, what AWS does for
 * maintenance and by ReplaceVpnTunnel: as above, with nothing different. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_tunnel_replace(s2svpn_tunnel *tunnel);
/**
 * Change the selectors: AWS's ModifyVpnConnectionOptions. Both tunnels are closed at once and
 * begun anew if they differ.
 * @param local_network, remote_network  as in s2svpn_connection_spec; NULL: it stays.
 * @return E_ARGUMENT: "local_network", "remote_network"; E_STATE and E_MEMORY as above.
 * @threads one call at a time on the context.
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status
s2svpn_connection_modify(s2svpn_connection *conn, const s2svpn_prefix *local_network,
                         const s2svpn_prefix *remote_network);
/** Swallow every packet of this tunnel, both ways, without a word: what a failed
 * path looks like. For tests and rehearsals. */
S2SVPN_API void s2svpn_tunnel_set_blackhole(s2svpn_tunnel *tunnel, bool on);

/**
 * Write the connection as the customerGatewayConfiguration document that AWS lets
 * its owner download. It holds both pre-shared keys.
 * @param[out] xml  given to the caller: free with s2svpn_text_free(), which wipes
 *                  it; untouched after a failure.
 * @return E_STATE if the connection is deleted, or a device's; E_MEMORY.
 * @threads one call at a time on the context.
 * @since 0.1
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status
s2svpn_connection_device_config(const s2svpn_connection *conn, s2svpn_text *xml);

S2SVPN_END
#endif
