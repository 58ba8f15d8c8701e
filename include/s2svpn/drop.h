/* SPDX-License-Identifier: Apache-2.0 */
/* Why a packet was refused: a counter and an event, never a failed call. */
#ifndef S2SVPN_DROP_H
#define S2SVPN_DROP_H

#include "s2svpn/types.h"

S2SVPN_BEGIN

/* X(NAME, words) */
#define S2SVPN_DROP_LIST(X)                                                                        \
    X(NONE, "not dropped")                                                                         \
    X(IO_BUSY, "the host took no more packets")                                                    \
    X(NO_ROOM, "no room in the output batch")                                                      \
    X(HANDOFF_FULL, "the owning worker's ring is full")                                            \
    X(CONTROL_FULL, "the control ring is full")                                                    \
    X(OUTSIDE_UNKNOWN, "no local endpoint of this context")                                        \
    X(OUTSIDE_SHORT, "a datagram too short to be anything")                                        \
    X(IKE_MALFORMED, "malformed IKE message")                                                      \
    X(IKE_VERSION, "IKE major version not spoken")                                                 \
    X(IKE_UNKNOWN_SPI, "IKE message for no known SA")                                              \
    X(IKE_NO_TUNNEL, "IKE request from an address that no tunnel expects")                         \
    X(IKE_AUTHENTICATION, "IKE message with a wrong checksum")                                     \
    X(IKE_WINDOW, "IKE message ID outside the window")                                             \
    X(IKE_LIMIT, "too many IKE SAs at once")                                                       \
    X(IKE_STATE, "IKE message not expected in this state")                                         \
    X(ESP_SHORT, "ESP packet too short")                                                           \
    X(ESP_UNKNOWN_SPI, "ESP packet for no known SA")                                               \
    X(ESP_REPLAY, "ESP packet replayed or older than the window")                                  \
    X(ESP_AUTHENTICATION, "ESP packet with a wrong ICV")                                           \
    X(ESP_PADDING, "ESP packet with malformed padding")                                            \
    X(ESP_NEXT_HEADER, "ESP packet that carries no IP packet")                                     \
    X(ESP_DUMMY, "ESP dummy packet (RFC 4303 section 2.6)")                                        \
    X(ESP_SEQUENCE, "outbound sequence numbers exhausted")                                         \
    X(ESP_LIMIT, "the SA's hard limit is reached")                                                 \
    X(ESP_BACKEND, "the crypto backend refused a packet")                                          \
    X(INNER_MALFORMED, "malformed inner packet")                                                   \
    X(INNER_SELECTOR, "inner addresses outside the SA's selectors")                                \
    X(INNER_SOURCE, "inner source has no route to this connection")                                \
    X(CONGESTION, "marked congested outside, and its sender can't be told (RFC 6040)")             \
    X(REASSEMBLY, "inner fragment that contradicts others, or one too many")                       \
    X(NO_PORT, "no port with this number or address")                                              \
    X(NO_ROUTE, "no route to the destination")                                                     \
    X(BLACKHOLE, "the route is a blackhole")                                                       \
    X(NO_PATH, "a route, but no usable path: no tunnel is up")                                     \
    X(NO_CHILD, "the tunnel has no outbound SA")                                                   \
    X(TTL, "time to live exceeded")                                                                \
    X(TOO_BIG, "packet too big and not to be fragmented")                                          \
    X(HOST, "not for the in-tunnel host")                                                          \
    X(SOURCE_DEST_CHECK, "source or destination isn't the address of a port that checks it")       \
    X(SECURITY_GROUP, "no rule of the port's security groups allows it")                           \
    X(TRACKING_FULL, "a new flow, and no room for it in the table of flows")

enum s2svpn_drop {
#define S2SVPN_DROP_ENUM(name, words) S2SVPN_DROP_##name,
    S2SVPN_DROP_LIST(S2SVPN_DROP_ENUM)
#undef S2SVPN_DROP_ENUM
        S2SVPN_DROP_COUNT
};

/** The reason's name, "ESP_REPLAY"; "?" for a number that is none.
 * @threads any */
S2SVPN_API const char *s2svpn_drop_name(enum s2svpn_drop drop);
/** The reason in words.
 * @threads any */
S2SVPN_API const char *s2svpn_drop_text(enum s2svpn_drop drop);

S2SVPN_END
#endif
