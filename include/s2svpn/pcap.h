/* SPDX-License-Identifier: Apache-2.0 */
/* Captures that Wireshark opens: bytes of the pcap format (link type RAW, time
 * stamps in nanoseconds), made from the I/O seam's packets. Writing them to a file
 * is the host's business. */
#ifndef S2SVPN_PCAP_H
#define S2SVPN_PCAP_H

#include "s2svpn/io.h"
#include "s2svpn/types.h"

S2SVPN_BEGIN

#define S2SVPN_PCAP_HEADER_LEN 24
/** Most bytes that a record adds to a packet: record, IPv6 and UDP headers. */
#define S2SVPN_PCAP_OVERHEAD 64

/** Write the file's header: S2SVPN_PCAP_HEADER_LEN bytes. @threads any */
S2SVPN_API void s2svpn_pcap_header(uint8_t *out);

/** Write one datagram as a record: an IP and a UDP header are put before it (with
 * role RAW only the IP header). Of a train, @p index names the datagram.
 * @param sent     from local to remote; else the other way.
 * @param unix_ns  time stamp.
 * @return bytes written; 0 if @p room is too small or the train has no such one.
 * @threads any */
S2SVPN_API size_t s2svpn_pcap_datagram(uint8_t *out, size_t room, const s2svpn_datagram *d,
                                       size_t index, bool sent, uint64_t unix_ns);

/** Write one plain IP packet as a record. @threads any */
S2SVPN_API size_t s2svpn_pcap_packet(uint8_t *out, size_t room, const uint8_t *p, size_t len,
                                     uint64_t unix_ns);

S2SVPN_END
#endif
