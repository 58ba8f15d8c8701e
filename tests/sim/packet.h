/* SPDX-License-Identifier: Apache-2.0 */
/* Plain IPv4 packets as hosts send them: ICMP echo, TCP segments and superpackets.
 * A test's own reading and writing, so that the library's is checked by another. */
#ifndef S2_TESTS_SIM_PACKET_H
#define S2_TESTS_SIM_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ECHO_REQUEST 8
#define ECHO_REPLY 0
#define IPV4_LEN 20
#define TCP_LEN 20

/* Both return the packet's length; out has room for header and payload. */
size_t packet_echo(uint8_t *out, uint8_t type, uint32_t from, uint32_t to, uint16_t id,
                   uint16_t seq, size_t payload_len);
/* partial: the checksum field holds the sum of the pseudo header, as a sender leaves
 * it to its interface (virtio_net_hdr's NEEDS_CSUM). */
size_t packet_tcp(uint8_t *out, uint32_t from, uint32_t to, uint32_t seq, size_t payload_len,
                  bool partial);

struct echo {
    uint8_t type;
    uint32_t from, to;
    uint16_t id, seq;
    size_t payload_len;
};
/* false if it is none or a byte of it is wrong: checksums, lengths, payload. */
bool packet_read_echo(const uint8_t *p, size_t len, struct echo *out);
/* Unreachable or time exceeded, with a right checksum and the packet that it is about. */
bool packet_is_icmp_error(const uint8_t *p, size_t len);
/* The identifier of the echo that such an error is about; false: it is about another thing. */
bool packet_error_about(const uint8_t *p, size_t len, uint16_t *id);
/* The IPv4 header is well-formed and its checksum right. */
bool packet_ip_is_right(const uint8_t *p, size_t len);
/* The payload is what packet_tcp() fills in for these sequence numbers. */
bool packet_tcp_payload_is_right(const uint8_t *p, size_t len);
uint32_t packet_address(uint8_t a, uint8_t b, uint8_t c, uint8_t d);

#endif
