/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tunnel's two logs, with the fields that AWS's have: one stream a tunnel for IKE, one for
 * BGP, off unless the tunnel's options ask for them. The library writes the lines and hands
 * them to the host; where they go is the host's business.
 *
 *   IKE, JSON: event_timestamp (seconds), timestamp, details, dpd_enabled, nat_t_detected,
 *              ike_phase1_state, ike_phase2_state (down, negotiating, established, rekeying)
 *   BGP, JSON: resource_id, event_timestamp (milliseconds), timestamp, type, status, message
 *   text:      the same values, in that order
 *
 * Lines hold no secrets and no newline; what a peer sent is in them only as checked values.
 */
#ifndef S2SVPN_TUNNEL_LOG_H
#define S2SVPN_TUNNEL_LOG_H

#include "s2svpn/error.h"
#include "s2svpn/types.h"

S2SVPN_BEGIN

enum s2svpn_tunnel_log_kind {
    S2SVPN_TUNNEL_LOG_IKE = 1,
    S2SVPN_TUNNEL_LOG_BGP = 2,
};

/** What a tunnel option says of a log. */
enum s2svpn_log_output {
    S2SVPN_LOG_OUTPUT_OFF = 0,
    S2SVPN_LOG_OUTPUT_JSON = 1,
    S2SVPN_LOG_OUTPUT_TEXT = 2,
};

/** One line. Texts are borrowed for the call. */
typedef struct s2svpn_tunnel_log_line {
    size_t size;
    uint32_t kind;   /* enum s2svpn_tunnel_log_kind */
    uint32_t tunnel; /* 0 or 1 */
    s2svpn_id connection;
    uint64_t unix_ns;   /* wall clock, 0 if not set */
    const char *stream; /* "vpn-0123456789abcdef0-203.0.113.7-IKE.log" */
    const char *line;
} s2svpn_tunnel_log_line;

/** Called when state is whole, as events are, and in order; @p fn may call nothing of the
 * context. */
typedef void s2svpn_tunnel_log_fn(void *user, const s2svpn_tunnel_log_line *line);

S2SVPN_END
#endif
