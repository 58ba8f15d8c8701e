/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IP packets as values: reading, checking, building, cutting and joining. No
 * routes, no tunnels. RFC 791, 8200, 792, 4443, 768, 9293 (headers), 1812
 * section 4.3 (ICMP errors), 6691 (MSS).
 *
 * Superpackets follow virtio_net_hdr: one IP and TCP (or UDP, "USO") header with
 * up to 64 KiB behind it, to be cut into segments of gso_size. segment.c cuts
 * (software TSO), coalesce.c joins (software GRO); between them the pieces are
 * sealed and opened without another copy.
 */
#ifndef S2_INET_INET_H
#define S2_INET_INET_H

#include "base/env.h"
#include "s2svpn/drop.h"

enum s2_ip_protocol {
    S2_IP_ICMP = 1,
    S2_IP_IPIP = 4,
    S2_IP_TCP = 6,
    S2_IP_UDP = 17,
    S2_IP_IPV6 = 41,
    S2_IP_ESP = 50,
    S2_IP_ICMPV6 = 58,
    S2_IP_NONE = 59,
};

/* What routing, firewall and clamping need to know of a packet. */
struct s2_inet_view {
    uint8_t version;  /* 4 or 6 */
    uint8_t protocol; /* of the transport; behind IPv6 extension headers */
    uint8_t tos;      /* DSCP and ECN */
    uint8_t ttl;
    bool dont_fragment;  /* always for IPv6 */
    bool fragment;       /* any fragment */
    bool first_fragment; /* of a fragmented packet: has the transport header */
    uint16_t header_len; /* IP header with extension headers */
    uint16_t total_len;  /* of the packet; bytes behind it are padding (RFC 4303 section 2.7) */
    /* 0 if there are none; ICMP: type and code, and the identifier of what has one */
    uint16_t source_port, destination_port;
    s2svpn_address source, destination;
};
/* Check and read a packet's headers. False if malformed: lengths, version,
 * header checksum, more extension headers than 8, a fragment that ends behind
 * 65535. Transport headers are looked at for their ports only. */
S2SVPN_NODISCARD bool s2_inet_view(const uint8_t *p, size_t len, struct s2_inet_view *v);

/* Lower the TTL by one (IPv4: checksum too). p is a packet that s2_inet_view
 * accepted, with a TTL above 1. */
void s2_inet_lower_ttl(uint8_t *p, const struct s2_inet_view *v);
/* The packet has come out of a tunnel whose outside header had outer_tos: take over its
 * congestion mark, RFC 6040 (IPv4: checksum too). False: it must be dropped. */
S2SVPN_NODISCARD bool s2_inet_leave_tunnel(uint8_t *p, struct s2_inet_view *v, uint8_t outer_tos);
/* Lower the MSS option of a TCP SYN to at most mss, updating the checksum. */
void s2_inet_clamp_mss(uint8_t *p, const struct s2_inet_view *v, uint16_t mss);

/* The sum of a pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1), to be
 * carried on with s2_checksum_add(). len: transport header and payload. */
uint64_t s2_inet_pseudo_sum(const s2svpn_address *from, const s2svpn_address *to, uint8_t protocol,
                            size_t len);
/* The transport's checksum of a packet that is no fragment, in a TCP, UDP or ICMP
 * header that is there: is it right? (UDP over IPv4 may have none.) */
bool s2_inet_checksum_right(const uint8_t *p, const struct s2_inet_view *v);

/* ---- building. Each writes a whole IP packet with checksums into out and returns
 * its length, or 0 if room is too small. What we send is never fragmented on its
 * way: it carries DF, and so needs no identification (RFC 6864 section 4.1). */

/* An IP header alone (20 or 40 bytes), for payload_len bytes that the caller lays
 * behind it; room is for both. ttl 0 means 64. */
size_t s2_inet_write_ip(uint8_t *out, size_t room, const s2svpn_address *from,
                        const s2svpn_address *to, uint8_t protocol, uint8_t tos, uint8_t ttl,
                        size_t payload_len);

size_t s2_inet_write_icmp_echo(uint8_t *out, size_t room, const s2svpn_address *from,
                               const s2svpn_address *to, bool reply, uint16_t id, uint16_t seq,
                               s2svpn_span data);
/* The echo reply to a request, or 0 if p is none (fragments too). */
size_t s2_inet_answer_echo(uint8_t *out, size_t room, const uint8_t *p,
                           const struct s2_inet_view *v);
/* The neighbour advertisement that answers a solicitation of ours (RFC 4861 section
 * 7.2.4), or 0 if p is none that may be answered. */
size_t s2_inet_answer_solicitation(uint8_t *out, size_t room, const uint8_t *p,
                                   const struct s2_inet_view *v, const s2svpn_address *ours);
/* Is it the multicast address that asks for ours? */
bool s2_inet_is_solicited_node(const s2svpn_address *to, const s2svpn_address *ours);
enum s2_inet_error {
    S2_INET_TTL_EXCEEDED,
    S2_INET_NO_ROUTE,
    S2_INET_TOO_BIG, /* with mtu */
};
#define S2_INET_ERROR_MAX 1280 /* none is longer, RFC 4443 section 2.4 (c) */
/* The ICMP error about p (RFC 1812 section 4.3.2, RFC 4443 section 2.4), or 0
 * where none may be sent: about ICMP errors, non-first fragments, multicast. */
size_t s2_inet_write_error(uint8_t *out, size_t room, const s2svpn_address *from,
                           enum s2_inet_error error, uint16_t mtu, const uint8_t *p,
                           const struct s2_inet_view *v);
size_t s2_inet_write_udp(uint8_t *out, size_t room, const s2svpn_address *from, uint16_t from_port,
                         const s2svpn_address *to, uint16_t to_port, s2svpn_span data);

/* ---- fragments (IPv4), RFC 791 section 3.2. Cut p into packets of at most mtu:
 * writes fragment number index (from 0) into out and its length, 0 behind the
 * last. p may itself be a fragment. */
size_t s2_inet_write_fragment(uint8_t *out, size_t room, const uint8_t *p,
                              const struct s2_inet_view *v, uint16_t mtu, unsigned index);

/* ---- superpackets */

enum s2_inet_gso { S2_GSO_NONE = 0, S2_GSO_TCPV4 = 1, S2_GSO_UDP_L4 = 5, S2_GSO_TCPV6 = 4 };

struct s2_inet_super {
    uint8_t *p;
    uint32_t len;
    uint8_t gso_type;    /* enum s2_inet_gso: the numbers of virtio_net_hdr, without its ECN bit */
    bool needs_checksum; /* virtio's NEEDS_CSUM: from csum_start, store at + csum_offset */
    uint16_t hdr_len;    /* IP and transport header */
    uint16_t gso_size;   /* payload of a segment */
    uint16_t csum_start, csum_offset;
    uint16_t segments; /* joined so far */
};

/* Cutting. begin checks everything that foreign code may have got wrong: types,
 * sizes, header lengths (hdr_len is a hint that may be too long, as Linux's is),
 * flags that don't go into several segments; next gives header by header. The
 * header's checksums, lengths, IPv4 id, sequence number and flags are the
 * segment's own. A packet that is not GSO comes out as one segment, its partial
 * checksum completed; what it has of IP, TCP and UDP headers is in header, so
 * s2_inet_clamp_mss() works on header with c->view. */
#define S2_INET_HEADER_MAX 120 /* 60 + 60; longer headers are refused for cutting */
struct s2_inet_cut {
    const struct s2_inet_super *s;
    struct s2_inet_view view;
    uint64_t pseudo; /* sum of the pseudo-header, its length left out */
    uint32_t next;   /* offset of the next payload byte */
    uint32_t index;  /* number of the next segment */
    uint16_t header_len;
    uint16_t step; /* payload of a segment */
    bool done;
};
S2SVPN_NODISCARD bool s2_inet_cut_begin(struct s2_inet_cut *c, const struct s2_inet_super *s);
/* False behind the last segment. header has S2_INET_HEADER_MAX bytes; payload is
 * borrowed from the superpacket. */
bool s2_inet_cut_next(struct s2_inet_cut *c, uint8_t *header, size_t *header_len,
                      s2svpn_span *payload);

/* Joining TCP, one open superpacket at a time. begin: a checked packet in memory
 * that has room behind it. append: true if the packet at p continues it (same flow
 * and options, next sequence number, right checksums, no flags but ACK, PSH last,
 * equal size but the last, next IPv4 id: cut again, every packet would come out as
 * it went in); its payload is then moved to the end of s, so p must lie behind s
 * in the same buffer. end: make the header that of the whole; a packet that stayed
 * alone stays as it was. A packet is joined up to 65535 bytes. */
void s2_inet_join_begin(struct s2_inet_super *s, uint8_t *p, const struct s2_inet_view *v);
bool s2_inet_join_append(struct s2_inet_super *s, const uint8_t *p, const struct s2_inet_view *v);
void s2_inet_join_end(struct s2_inet_super *s);

#endif
