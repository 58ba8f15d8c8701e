/* SPDX-License-Identifier: Apache-2.0 */
/* Is the other end of a tunnel there? Pings between its two inside addresses, which tell
 * whether it carries packets and how long they may be, and questions to its IKE. Routes play
 * no part. */
#ifndef S2SVPN_PING_H
#define S2SVPN_PING_H

#include "s2svpn/error.h"
#include "s2svpn/types.h"

S2SVPN_BEGIN

/**
 * Send an ICMP echo request from this end's inside address to the other end's, through this
 * tunnel and no other, with the don't-fragment bit. It may get lost like any packet.
 * @param sequence  what the reply will say.
 * @param len       of the packet, IP header included; 0: 36 with IPv4, 56 with IPv6, which is
 *                  the least. At most the tunnel's MTU.
 * @return E_STATE: it has no SA, or its inside addresses are the host's (external_bgp);
 *         E_ARGUMENT: "len".
 * @threads one call at a time on the context.
 * @since 0.1
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_tunnel_ping(s2svpn_tunnel *tunnel,
                                                             uint16_t sequence, uint16_t len);

/** Since its IPsec came up. */
typedef struct s2svpn_tunnel_pings {
    size_t size;       /* set by the caller */
    uint64_t answered; /* replies to s2svpn_tunnel_ping() */
    uint64_t asked;    /* requests to our inside address, all of which it answers */
    uint16_t sequence; /* of the last reply */
    uint16_t len;      /* of the last reply's packet */
    uint32_t reserved;
} s2svpn_tunnel_pings;
/** @threads as above. */
S2SVPN_API void s2svpn_tunnel_get_pings(const s2svpn_tunnel *tunnel, s2svpn_tunnel_pings *out);

/**
 * Ask the other end of the IKE SA now whether it is there, as dead peer detection does when
 * nothing came for a while: RFC 7296 section 1.4, RFC 3706. s2svpn_tunnel_info.ike_asks tells
 * until when there is no answer; if none comes, the tunnel ends as dead.
 * @return E_STATE: it has no IKE SA; E_UNSUPPORTED: with IKEv1, the other end has no dead peer
 *         detection.
 * @threads as above.
 * @since 0.1
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_tunnel_check(s2svpn_tunnel *tunnel);

S2SVPN_END
#endif
