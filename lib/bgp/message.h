/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wire forms of BGP messages but UPDATE: header, OPEN with its capabilities,
 * KEEPALIVE, NOTIFICATION, ROUTE-REFRESH. Values in, bytes out and back; no state.
 *
 *      0                   1                   2
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 …
 *     +-------------------------------+
 *     | marker: sixteen times 0xff    |
 *     +-------------+-------+---------+
 *     | length (2)  | type  | body …
 *     +-------------+-------+---------+
 */
#ifndef S2_BGP_MESSAGE_H
#define S2_BGP_MESSAGE_H

#include "bgp/bgp.h"

#include "base/reader.h"
#include "base/writer.h"

#define S2_BGP_HEADER_LEN 19
#define S2_BGP_AS_TRANS 23456 /* RFC 6793 section 9 */
#define S2_BGP_AFI_IPV4 1
#define S2_BGP_AFI_IPV6 2
#define S2_BGP_SAFI_UNICAST 1

enum s2_bgp_type {
    S2_BGP_TYPE_OPEN = 1,
    S2_BGP_TYPE_UPDATE = 2,
    S2_BGP_TYPE_NOTIFICATION = 3,
    S2_BGP_TYPE_KEEPALIVE = 4,
    S2_BGP_TYPE_REFRESH = 5,
};

/* Address families as bits. */
#define S2_BGP_IPV4 1u
#define S2_BGP_IPV6 2u

/* X(NAME, code, words), RFC 4271 section 4.5; RFC 7313 adds 7, RFC 9687 8 */
#define S2_BGP_ERROR_LIST(X)                                                                       \
    X(HEADER, 1, "Message Header Error")                                                           \
    X(OPEN, 2, "OPEN Message Error")                                                               \
    X(UPDATE, 3, "UPDATE Message Error")                                                           \
    X(HOLD, 4, "Hold Timer Expired")                                                               \
    X(FSM, 5, "Finite State Machine Error")                                                        \
    X(CEASE, 6, "Cease")                                                                           \
    X(REFRESH, 7, "ROUTE-REFRESH Message Error")                                                   \
    X(SEND_HOLD, 8, "Send Hold Timer Expired")
enum s2_bgp_error_code {
#define S2_BGP_ERROR_ENUM(name, code, words) S2_BGP_ERROR_##name = (code),
    S2_BGP_ERROR_LIST(S2_BGP_ERROR_ENUM)
#undef S2_BGP_ERROR_ENUM
};

/* X(NAME, code, subcode, words), RFC 4271 section 6, 4486, 5492, 6608, 7313, 8538 */
#define S2_BGP_SUBCODE_LIST(X)                                                                     \
    X(HEADER_MARKER, 1, 1, "Connection Not Synchronized")                                          \
    X(HEADER_LENGTH, 1, 2, "Bad Message Length")                                                   \
    X(HEADER_TYPE, 1, 3, "Bad Message Type")                                                       \
    X(OPEN_VERSION, 2, 1, "Unsupported Version Number")                                            \
    X(OPEN_PEER_AS, 2, 2, "Bad Peer AS")                                                           \
    X(OPEN_ID, 2, 3, "Bad BGP Identifier")                                                         \
    X(OPEN_PARAMETER, 2, 4, "Unsupported Optional Parameter")                                      \
    X(OPEN_HOLD_TIME, 2, 6, "Unacceptable Hold Time")                                              \
    X(OPEN_CAPABILITY, 2, 7, "Unsupported Capability")                                             \
    X(UPDATE_LIST, 3, 1, "Malformed Attribute List")                                               \
    X(UPDATE_UNKNOWN, 3, 2, "Unrecognized Well-known Attribute")                                   \
    X(UPDATE_MISSING, 3, 3, "Missing Well-known Attribute")                                        \
    X(UPDATE_FLAGS, 3, 4, "Attribute Flags Error")                                                 \
    X(UPDATE_LENGTH, 3, 5, "Attribute Length Error")                                               \
    X(UPDATE_ORIGIN, 3, 6, "Invalid ORIGIN Attribute")                                             \
    X(UPDATE_NEXT_HOP, 3, 8, "Invalid NEXT_HOP Attribute")                                         \
    X(UPDATE_OPTIONAL, 3, 9, "Optional Attribute Error")                                           \
    X(UPDATE_NETWORK, 3, 10, "Invalid Network Field")                                              \
    X(UPDATE_AS_PATH, 3, 11, "Malformed AS_PATH")                                                  \
    X(FSM_OPEN_SENT, 5, 1, "Unexpected Message in OpenSent State")                                 \
    X(FSM_OPEN_CONFIRM, 5, 2, "Unexpected Message in OpenConfirm State")                           \
    X(FSM_ESTABLISHED, 5, 3, "Unexpected Message in Established State")                            \
    X(CEASE_PREFIXES, 6, 1, "Maximum Number of Prefixes Reached")                                  \
    X(CEASE_SHUTDOWN, 6, 2, "Administrative Shutdown")                                             \
    X(CEASE_DECONFIGURED, 6, 3, "Peer De-configured")                                              \
    X(CEASE_RESET, 6, 4, "Administrative Reset")                                                   \
    X(CEASE_REJECTED, 6, 5, "Connection Rejected")                                                 \
    X(CEASE_CONFIGURATION, 6, 6, "Other Configuration Change")                                     \
    X(CEASE_COLLISION, 6, 7, "Connection Collision Resolution")                                    \
    X(CEASE_RESOURCES, 6, 8, "Out of Resources")                                                   \
    X(CEASE_HARD_RESET, 6, 9, "Hard Reset")                                                        \
    X(CEASE_BFD, 6, 10, "BFD Down")                                                                \
    X(REFRESH_LENGTH, 7, 1, "Invalid Message Length")
enum s2_bgp_subcode {
#define S2_BGP_SUBCODE_ENUM(name, code, subcode, words) S2_BGP_SUB_##name = (subcode),
    S2_BGP_SUBCODE_LIST(S2_BGP_SUBCODE_ENUM)
#undef S2_BGP_SUBCODE_ENUM
};

/* What the peer is told, or tells. */
#define S2_BGP_ERROR_DATA 256
struct s2_bgp_error {
    uint8_t code, subcode;
    uint16_t len;
    uint8_t data[S2_BGP_ERROR_DATA];
};
/* Fill *e; data that is too long is left out. Returns E_MALFORMED. */
s2svpn_status s2_bgp_error_set(struct s2_bgp_error *e, uint8_t code, uint8_t subcode,
                               const void *data, size_t len);
/* Put RFC 9003's text in as its data, cut at 255 bytes. */
void s2_bgp_error_set_text(struct s2_bgp_error *e, const char *text);
/* RFC 9003's text of a Cease that carries one, without anything that could upset
 * a terminal or a log; "" if none. out has at least 256 bytes. */
void s2_bgp_error_text(const struct s2_bgp_error *e, char *out);

/* OPEN, as sent and as received. */
struct s2_bgp_open {
    uint32_t asn;
    uint32_t router_id;
    uint16_t hold_time_s;
    uint8_t families;   /* S2_BGP_IPV4, S2_BGP_IPV6 */
    bool four_octet_as; /* RFC 6793 */
    bool refresh;       /* RFC 2918 */
    /* RFC 4724. Ours names no family: we help others to restart and keep no forwarding state
     * of our own. The peer's says what it can preserve. */
    bool graceful_restart;
    uint8_t graceful;   /* families that it announces after a restart, with End-of-RIB */
    uint8_t forwarding; /* of them: those whose forwarding state outlived this restart */
    uint16_t restart_time_s;
};

/* A failed parse says in *why what to tell the peer. */
S2SVPN_NODISCARD s2svpn_status s2_bgp_parse_header(const uint8_t header[S2_BGP_HEADER_LEN],
                                                   uint8_t *type, uint16_t *len,
                                                   struct s2_bgp_error *why);
S2SVPN_NODISCARD s2svpn_status s2_bgp_parse_open(s2svpn_span body, struct s2_bgp_open *out,
                                                 struct s2_bgp_error *why);
/* Does the peer's OPEN fit what we were told of it? */
S2SVPN_NODISCARD s2svpn_status s2_bgp_check_open(const struct s2_bgp_open *open,
                                                 const struct s2_bgp_spec *spec,
                                                 struct s2_bgp_error *why);
/* A NOTIFICATION can't be answered with an error: a short one has code 0. */
void s2_bgp_parse_notification(s2svpn_span body, struct s2_bgp_error *out);
/* The family that is to be sent again, or 0: none that we know, or a subtype of
 * RFC 7313, which we don't offer. */
unsigned s2_bgp_parse_refresh(s2svpn_span body);

/* Header now, length when the body is written. */
void s2_bgp_write_begin(struct s2_writer *w, uint8_t type);
void s2_bgp_write_end(struct s2_writer *w);
void s2_bgp_write_open(struct s2_writer *w, const struct s2_bgp_open *open);
void s2_bgp_write_notification(struct s2_writer *w, const struct s2_bgp_error *e);

void s2_bgp_write_refresh(struct s2_writer *w, uint8_t family); /* RFC 2918 section 3 */

uint16_t s2_bgp_afi(uint8_t family);               /* enum s2svpn_family */
uint8_t s2_bgp_family(uint16_t afi, uint8_t safi); /* 0: not ours */
unsigned s2_bgp_family_bit(uint8_t family);        /* 0: none */

#endif
