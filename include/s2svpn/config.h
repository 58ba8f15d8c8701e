/* SPDX-License-Identifier: Apache-2.0 */
/* The customerGatewayConfiguration document that AWS lets people download, as a
 * plain struct; and a device's connection made from it. Writing the document:
 * s2svpn_connection_device_config() in connection.h.
 *
 * Inside addresses are IPv4, or in both tunnels IPv6: then the tunnels carry IPv6.
 * How AWS writes the latter isn't known; we read and write addresses of a /126 in the
 * same elements (s2svpn_config(5)). */
#ifndef S2SVPN_CONFIG_H
#define S2SVPN_CONFIG_H

#include "s2svpn/error.h"
#include "s2svpn/types.h"

S2SVPN_BEGIN

/** Longest document that is read. */
#define S2SVPN_CONFIG_MAX 1048576

/** One end of one tunnel. */
typedef struct s2svpn_config_end {
    s2svpn_address outside;
    s2svpn_address inside;
    uint32_t asn;         /* 0: no BGP */
    uint16_t hold_time_s; /* 0: no BGP */
    uint16_t reserved;
} s2svpn_config_end;

/** What phase 1 or phase 2 shall use: numbers of crypto.h. The document names one
 * of each; an endpoint usually allows more. */
typedef struct s2svpn_config_phase {
    uint16_t encr, key_bits; /* enum s2svpn_encr */
    uint16_t integ;          /* enum s2svpn_integ; NONE with an AEAD, but phase 1's may
                              * then name the hash that its PRF is made of */
    uint16_t ke;             /* enum s2svpn_ke */
    uint32_t lifetime_s;
} s2svpn_config_phase;

typedef struct s2svpn_config_tunnel {
    s2svpn_config_end customer, gateway;
    uint8_t inside_length; /* prefix length of the inside network: 30; IPv6: 126 */
    bool clear_df;
    bool fragment_before_encryption;
    uint8_t reserved;
    s2svpn_config_phase ike, ipsec;
    char pre_shared_key[256]; /* ended by a zero byte; "": certificates take its place
                               * (certificate.h), in both tunnels, and customer.outside may be
                               * of family 0: the device comes from anywhere */
    uint16_t tcp_mss;
    uint16_t dpd_interval_s, dpd_retries;
    uint16_t reserved2;
} s2svpn_config_tunnel;

typedef struct s2svpn_device_config {
    size_t size;
    s2svpn_id connection, customer_gateway, virtual_gateway; /* the last may be empty */
    bool static_routes; /* vpn_connection_attributes contains NoBGP */
    uint8_t reserved[7];
    size_t tunnel_count; /* 2 in every document of AWS's; 1 is read too */
    s2svpn_config_tunnel tunnel[2];
} s2svpn_device_config;

/**
 * Read a customerGatewayConfiguration document: UTF-8, no document type, no
 * entities of its own.
 * @param text        borrowed for the call; need not end with a zero byte.
 * @param[out] config given to the caller, end it with s2svpn_config_free(), which
 *                    wipes it. NULL after a failure.
 * @param why         may be NULL: code, field ("ipsec_tunnel[1]/ike/lifetime"), line
 *                    and a sentence that says what was expected. Never holds a key.
 * @return E_MALFORMED: no XML, or an element that must be there isn't, or has a
 *         value that can't be; E_UNSUPPORTED: an algorithm or mode that we haven't;
 *         E_LIMIT: too long; E_MEMORY.
 * @threads any
 * @since 0.1
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_config_read(const char *text, size_t len,
                                                             s2svpn_device_config **config,
                                                             s2svpn_error *why);
/** NULL is allowed. @threads any */
S2SVPN_API void s2svpn_config_free(s2svpn_device_config *config);

/** Write the document; the other direction of s2svpn_config_read.
 * @param[out] xml  given to the caller: free with s2svpn_text_free(), which wipes it.
 * @return E_ARGUMENT with the field; E_MEMORY. @threads any */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_config_write(const s2svpn_device_config *config,
                                                              s2svpn_text *xml, s2svpn_error *why);

/** What a device offers for algorithms. The document names one of each kind, and AWS's
 * endpoint takes the lowest that both sides allow: whoever offers the minimum gets it. */
enum s2svpn_offers {
    S2SVPN_OFFERS_AUTO = 0,    /* first everything that an endpoint of AWS may allow but SHA-1 and
                                * groups 2, 5 and 22 to 24; after NO_PROPOSAL_CHOSEN what the document
                                * names too, remembered for the tunnel's life and told as a warning */
    S2SVPN_OFFERS_EXACT = 1,   /* the document's alone */
    S2SVPN_OFFERS_MINIMUM = 2, /* the document's and everything above, from the first try on */
};

/** Which IKE a device begins with; the document doesn't say. */
enum s2svpn_device_ike {
    S2SVPN_DEVICE_IKE_AUTO = 0, /* IKEv2; where that isn't answered or finds no common proposal,
                                 * IKEv1, and in turns. What came up is remembered for the
                                 * tunnel's life, and a peer that has spoken IKEv2 is never
                                 * asked for IKEv1; IKEv1 is told as a warning */
    S2SVPN_DEVICE_IKE_V1 = 1,
    S2SVPN_DEVICE_IKE_V2 = 2,
    /* IKEv1 in aggressive mode, RFC 2409 section 5.4, for a gateway that knows no other; AWS
     * has none. Weak: who we are goes in the clear, and so does a hash over the pre-shared
     * key, on which whoever has recorded it, or asks the gateway for one, tries keys offline
     * for as long as he likes. Only a key of 128 random bits stands that. The group is the
     * first of what is offered. A gateway of ours refuses aggressive mode always. */
    S2SVPN_DEVICE_IKE_V1_AGGRESSIVE = 3,
};

/** How a device uses a document. All zero is right for most. */
typedef struct s2svpn_device_options {
    size_t size;
    /** Ports that the cloud side listens at; 0: the context's peer ports. */
    uint16_t peer_ike_port, peer_natt_port;
    uint8_t offers;         /* enum s2svpn_offers */
    uint8_t esn;            /* enum s2svpn_esn */
    uint8_t dpd_action;     /* enum s2svpn_dpd_action, plus 1; 0: restart */
    uint8_t startup_action; /* enum s2svpn_startup_action, plus 1; 0: start. With add the
                             * gateway alone starts the tunnels */
    /** Send from this local address instead of the document's customer gateway
     * address, which is then only our identity (we are behind NAT); family 0: the
     * document's if it is one of the context's local addresses, else its first. */
    s2svpn_address local;
    uint32_t replay_window; /* packets, 64 to 8192; 0: 1024 */
    /** BGP and routing are the host's: each tunnel is a link of its own, whose other side is
     * the port that is made with s2svpn_port_spec.tunnel. What enters there goes into this
     * tunnel, and what comes out of the tunnel comes out there, to and from whatever address
     * the selectors allow: no route is asked and no hop counted. A tunnel is up when IPsec is;
     * its inside addresses are the host's to use. */
    bool external_bgp;
    /** Equal-cost multipath: at most so many tunnels carry a prefix together (2 to
     * S2SVPN_ECMP_PATHS_MAX), and each flow takes one of them; 0 or 1: the best one alone.
     * Tunnels are equal if the prefix is static in both, or if their BGP routes are equal
     * in local preference, length of the AS path, first AS and MED. A virtual private
     * gateway of AWS's prefers a tunnel by its MED, and is heeded; a transit gateway
     * doesn't. Tunnels of several documents of the context go together too, if each has
     * this option. */
    uint8_t ecmp_paths;
    uint8_t ike;          /* enum s2svpn_device_ike; with the hardened profile auto means IKEv2 */
    uint8_t log, bgp_log; /* enum s2svpn_log_output: the tunnels' own logs, tunnel_log.h */
    uint8_t reserved[7];
    /** With certificates: who the gateway must be. A distinguished name, "CN=vpn.example,
     * O=Example", must be its certificate's subject; a domain name or an address must be what
     * it calls itself in IKE and among the certificate's alternative names. NULL: whoever has
     * a certificate by one of the authorities is taken for the gateway, so that any other
     * device of the same authority can stand in for it: leave it out only where an authority
     * certifies gateways alone. Borrowed for the call. */
    const char *peer_identity;
} s2svpn_device_options;
#define S2SVPN_DEVICE_OPTIONS_INIT                                                                 \
    {                                                                                              \
        .size = sizeof(s2svpn_device_options)                                                      \
    }

/**
 * Make a device's connection from a document; s2svpn_connection_start() begins it.
 * @param config   borrowed for the call; copied, so it may be freed at once.
 * @param options  NULL: as all zero; borrowed for the call.
 * @param[out] conn a handle, give it back with s2svpn_connection_release().
 * @return E_STATE: the context is a gateway; E_EXISTS: it is open already;
 *         E_ARGUMENT with the field; E_LIMIT; E_MEMORY.
 * @threads one call at a time on the context.
 * @since 0.1
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_device_open(s2svpn_context *ctx,
                                                             const s2svpn_device_config *config,
                                                             const s2svpn_device_options *options,
                                                             s2svpn_connection **conn);

/**
 * Make one tunnel of a device's connection be as a newer document says; the other one
 * isn't touched. If nothing of it changed, nothing happens; else it is closed, changed
 * and, if the connection is started, started anew. Change one tunnel, wait until it is
 * up, change the other: so keys rotate without an outage.
 * @param conn    a device's.
 * @param index   0 or 1.
 * @param config  borrowed for the call; of the same connection.
 * @param[out] changed  may be NULL: whether there was anything to change.
 * @return E_STATE: not a device's connection, or deleted; E_ARGUMENT with the field:
 *         another connection's document, or what can't change on a tunnel (the kind of
 *         routing, ASNs and hold time, the inside IP version); E_EXISTS: an address is another tunnel's;
 *         E_MEMORY. A failed call changes nothing.
 * @threads one call at a time on the context.
 * @since 0.1
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_device_change_tunnel(
    s2svpn_connection *conn, size_t index, const s2svpn_device_config *config, bool *changed);

/**
 * Play the cloud's end of a document: a virtual gateway, a customer gateway and a
 * connection with the document's addresses, keys and numbers, whose outside
 * addresses must be among the context's local ones. It allows all that AWS does, and
 * group 31 where the document names it.
 * @param[out] vgw, conn  handles; either pointer may be NULL.
 * @return as s2svpn_connection_new(). @threads one call at a time on the context.
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_gateway_play(s2svpn_context *ctx,
                                                              const s2svpn_device_config *config,
                                                              s2svpn_virtual_gateway **vgw,
                                                              s2svpn_connection **conn);

/** How a document is played. */
typedef struct s2svpn_play_options {
    size_t size;
    /** PEM: the customer gateway's certificate, where the document has no pre-shared key.
     * Borrowed for the call. */
    const char *device_certificate;
} s2svpn_play_options;
#define S2SVPN_PLAY_OPTIONS_INIT                                                                   \
    {                                                                                              \
        .size = sizeof(s2svpn_play_options)                                                        \
    }

/** The same with options; NULL: all zero.
 * @return besides E_ARGUMENT: "device_certificate", if it or the document's key is missing, or
 *         both are there. @threads one call at a time on the context. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_gateway_play_with(
    s2svpn_context *ctx, const s2svpn_device_config *config, const s2svpn_play_options *options,
    s2svpn_virtual_gateway **vgw, s2svpn_connection **conn);

S2SVPN_END
#endif
