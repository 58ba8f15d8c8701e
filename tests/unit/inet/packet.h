/* SPDX-License-Identifier: Apache-2.0 */
/* Packets for tests, built byte by byte and checksummed the slow way, without the
 * library's own builders. */
#ifndef S2_TESTS_INET_PACKET_H
#define S2_TESTS_INET_PACKET_H

#include "inet/inet.h"

#define PACKET_ROOM 70000

/* Zero means: the usual value. */
struct s2_packet {
    uint8_t version;  /* 4 */
    uint8_t protocol; /* TCP */
    uint8_t tos, ttl; /* ttl: 64 */
    bool dont_fragment;
    uint16_t id;
    uint16_t place;         /* IPv4: MF and fragment offset, as on the wire */
    s2svpn_span ip_options; /* IPv4: options; IPv6: extension headers */
    uint8_t next_header;    /* IPv6, with extension headers: the first one's number */
    uint16_t from_port, to_port;
    uint32_t seq, ack;
    uint8_t flags; /* TCP; 0: ACK */
    uint16_t window, urgent;
    s2svpn_span tcp_options;
    s2svpn_span payload;
    bool swapped; /* the other direction's addresses */
};

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64, CWR = 128 };

/* Writes the packet with right checksums and returns its length. Transports other
 * than TCP, UDP and ICMP are payload alone. out has PACKET_ROOM. */
size_t s2_write_packet(uint8_t *out, const struct s2_packet *k);
/* Recompute the IPv4 header's checksum after a change. */
void s2_fix_ip(uint8_t *p);
/* Is every checksum of the packet right? Transport: TCP, UDP, ICMP in whole packets;
 * no extension headers. */
bool s2_check_packet(const uint8_t *p, size_t len);
/* A view, which must be there. */
struct s2_inet_view s2_must_view(const uint8_t *p, size_t len);
/* Where the transport's header begins. */
size_t s2_ip_len(const uint8_t *p);

/* A generator for property tests: the same numbers every run. */
uint32_t s2_next_random(uint64_t *state);

#endif
