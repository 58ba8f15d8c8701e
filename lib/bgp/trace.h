/* SPDX-License-Identifier: Apache-2.0 */
/* What a session does beyond its states, for a tunnel's own log: facts, no texts. */
#ifndef S2_BGP_TRACE_H
#define S2_BGP_TRACE_H

#include "bgp/message.h"

enum s2_bgp_trace_kind {
    S2_BGP_TRACE_OPEN,         /* sent or received, and accepted: open */
    S2_BGP_TRACE_OPEN_BAD,     /* received: open as far as it was read, error, asn: expected */
    S2_BGP_TRACE_HOLD_EXPIRED, /* hold_time_s */
    S2_BGP_TRACE_LIMIT,        /* one prefix more than most */
    S2_BGP_TRACE_END_OF_RIB,   /* sent or received: families */
    S2_BGP_TRACE_ROUTE,        /* sent or received: prefix, attributes, fresh; why: refused */
};

struct s2_bgp_trace {
    uint8_t kind; /* enum s2_bgp_trace_kind */
    bool sent;
    bool fresh;       /* the prefix wasn't known before */
    uint8_t families; /* S2_BGP_IPV4, S2_BGP_IPV6 */
    uint16_t hold_time_s;
    uint32_t asn, most; /* asn 0: any but ours */
    /* all borrowed for the call */
    const struct s2_bgp_open *open;
    const struct s2_bgp_error *error;
    const s2svpn_prefix *prefix;
    const struct s2_bgp_attributes *attributes; /* NULL: withdrawn */
    const char *why;
};

#endif
