/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BGP in a connection's tunnels: what a device lets in and out of each, and what the other
 * end announced. So one tunnel of two is preferred: for what leaves by a local preference
 * of the import policy, for what comes back by prepending on the other one's export.
 */
#ifndef S2SVPN_BGP_TUNNEL_H
#define S2SVPN_BGP_TUNNEL_H

#include "s2svpn/bgp.h"
#include "s2svpn/bgp_policy.h"
#include "s2svpn/error.h"
#include "s2svpn/types.h"

S2SVPN_BEGIN

/**
 * Filter what the tunnel's session lets in and out, from now on and in the sessions that
 * follow; NULL: everything passes as it is, which is so at the beginning.
 *
 * The session goes on. What is advertised goes through the export policy at once, and the
 * peer is told of what is different. If the import policy says another thing, the peer is
 * asked for its table (RFC 2918); one that can't be asked is left alone, an event of kind
 * NOTE says "bgp import policy", and what it announced before is filtered in its next
 * session.
 *
 * @param import_policy, export_policy  borrowed for the call; copied with all they point to.
 * @return E_STATE: the connection is no device's, or deleted, or has no BGP of ours
 *         (static routes, or external_bgp); E_ARGUMENT with the field, "import_policy";
 *         E_LIMIT; E_MEMORY. A failed call changes nothing.
 * @threads one call at a time on the context.
 * @since 0.1
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status
s2svpn_tunnel_set_bgp_policies(s2svpn_tunnel *tunnel, const s2svpn_bgp_policy *import_policy,
                               const s2svpn_bgp_policy *export_policy);

/** Walk what the tunnel's peer announced and the import policy let in, in no order; @p each
 * returns false to stop, and changes nothing meanwhile. Any connection's. Without a session
 * there is nothing.
 * @threads one call at a time on the context. */
S2SVPN_API void s2svpn_tunnel_each_bgp_route(const s2svpn_tunnel *tunnel,
                                             bool (*each)(void *arg, const s2svpn_bgp_route *route),
                                             void *arg);

S2SVPN_END
#endif
