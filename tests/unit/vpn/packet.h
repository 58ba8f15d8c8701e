/* SPDX-License-Identifier: Apache-2.0 */
/* Plain packets of the rig's two hosts, built and checked without the library. */
#ifndef S2_TESTS_VPN_PACKET_H
#define S2_TESTS_VPN_PACKET_H

#include "s2svpn/types.h"

#define PACKET_ROOM 66000

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_PSH = 8, TCP_ACK = 16 };

/* Zero means: the usual value. */
struct packet_spec {
    const char *from, *to; /* host 192.168.10.20 to instance 10.0.1.10; IPv6 too */
    uint8_t protocol;      /* UDP; TCP, ICMP of either version (an echo request) or anything */
    uint8_t ttl, tos;      /* ttl: 64 */
    bool dont_fragment;
    uint16_t id, from_port, to_port;
    uint32_t seq;
    uint8_t flags;    /* TCP: ACK */
    uint16_t mss;     /* TCP: an MSS option */
    bool mss_at_odd;  /* a NOP before it and one behind, so that it lies at an odd offset */
    size_t payload;   /* bytes, each of its own value */
    uint8_t salt;     /* of the payload */
    bool no_checksum; /* the transport's holds the pseudo-header's sum, as NEEDS_CSUM asks */
};
/* Returns the length; out has PACKET_ROOM. */
size_t packet_write(uint8_t *out, const struct packet_spec *spec);
/* Lengths of the headers. */
size_t packet_ip_len(const uint8_t *p);
size_t packet_header_len(const uint8_t *p);
/* Are lengths and every checksum right? */
bool packet_right(const uint8_t *p, size_t len);
/* The TCP MSS option's value; 0: none. */
uint16_t packet_mss(const uint8_t *p, size_t len);
uint16_t packet_get16(const uint8_t *p);
uint32_t packet_get32(const uint8_t *p);
void packet_put16(uint8_t *p, uint16_t v);
/* Recompute the IPv4 header's checksum. */
void packet_fix_ip(uint8_t *p);

#endif
