/* SPDX-License-Identifier: Apache-2.0 */
/* Pings as packets at a port, for programs that play a host behind a gateway without a TUN
 * device. RFC 791, RFC 792; RFC 8200, RFC 4443. */
#ifndef S2_EXAMPLES_ECHO_H
#define S2_EXAMPLES_ECHO_H

#include <s2svpn/types.h>

/* The longest that is written. */
#define ECHO_MAX 4096

struct echo {
    s2svpn_address from, to;
    bool reply;
    bool dont_fragment; /* IPv4 */
    uint16_t id, sequence;
    uint16_t len; /* of the packet, IP header included */
};

/* @return its length, or 0: it doesn't fit, or is too short for a ping. */
size_t echo_write(const struct echo *e, uint8_t *out, size_t room);
/* A whole, right echo request or reply? Fragments are none. */
bool echo_read(const uint8_t *p, size_t len, struct echo *out);

/* Of a ping's fragments (IPv4): how many bytes of it this one carries, 0: it is none of an ICMP
 * packet between these two. */
size_t echo_fragment(const uint8_t *p, size_t len, const s2svpn_address *from,
                     const s2svpn_address *to);

#endif
