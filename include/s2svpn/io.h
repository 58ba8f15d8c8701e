/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The I/O seam: the host pushes packets in, the context calls out; both in
 * arrays. Two kinds of packets: outside ones (UDP with IKE or ESP, or IP protocol
 * 50) and plain ones (IP packets at a port). The library opens no socket.
 *
 * Threads: a context's control functions are called by one thread at a time; a
 * worker's (receive_outside, receive_inside, worker_poll) by one thread at a time
 * each. With the default of one inline worker that is one thread for everything.
 * With workers of their own (options.workers) see s2svpn_threads(7).
 */
#ifndef S2SVPN_IO_H
#define S2SVPN_IO_H

#include "s2svpn/error.h"
#include "s2svpn/types.h"

S2SVPN_BEGIN

/** A UDP datagram or the payload of an IP packet of protocol 50; or, with
 * segment, a train of them that all have this length but the last, which may be
 * shorter: what UDP_GRO delivers and UDP_SEGMENT sends. */
typedef struct s2svpn_datagram {
    s2svpn_endpoint local;  /* its role says what it is */
    s2svpn_endpoint remote; /* port 0 with role RAW */
    uint8_t *data;          /* UDP payload, or ESP packet */
    uint32_t len;
    uint16_t segment;   /* 0: one datagram */
    uint8_t tos;        /* DSCP and ECN of the IP header */
    uint8_t hop_limit;  /* received: 0 if not known; to send: 0 means the host's default */
    bool dont_fragment; /* to send: the DF bit */
    uint8_t reserved[3];
    uint32_t interface_index; /* received: 0 if not known */
} s2svpn_datagram;

/** virtio_net_hdr's numbers. */
enum s2svpn_gso {
    S2SVPN_GSO_NONE = 0,
    S2SVPN_GSO_TCPV4 = 1,
    S2SVPN_GSO_TCPV6 = 4,
    S2SVPN_GSO_UDP_L4 = 5,
};

/** A plain IP packet, or a superpacket with the fields of virtio_net_hdr. */
typedef struct s2svpn_packet {
    uint8_t *data; /* at the IP header */
    uint32_t len;
    uint8_t gso_type;    /* enum s2svpn_gso */
    bool needs_checksum; /* sum from csum_start into csum_start + csum_offset */
    uint16_t hdr_len;    /* GSO: IP and transport header */
    uint16_t gso_size;   /* GSO: payload bytes a segment */
    uint16_t csum_start, csum_offset;
    uint16_t reserved;
} s2svpn_packet;

/** What the host gives the context to call. A const table; members are called
 * only from within the library's entry points, on the caller's thread. They may
 * call any function of the library but s2svpn_context_free. */
typedef struct s2svpn_io_ops {
    size_t size;
    /**
     * Send outside packets. What isn't taken is dropped and counted (IKE keeps its
     * message and sends again after s2svpn_writable).
     * @param worker  whose output it is; NULL: the control plane's.
     * @param d       borrowed for the call.
     * @return how many were taken, from the array's front.
     */
    size_t (*send_outside)(void *io, s2svpn_worker *worker, const s2svpn_datagram *d, size_t n);
    /** Deliver plain packets at a port. Borrowed for the call; as above. */
    size_t (*send_inside)(void *io, s2svpn_worker *worker, s2svpn_port_id port,
                          const s2svpn_packet *p, size_t n);
    /** Call s2svpn_advance at @p at_ns or soon after; it replaces what was said
     * before; S2SVPN_NEVER: no deadline; 0: at once. Called only when it changes. */
    void (*deadline)(void *io, uint64_t at_ns);
    /** Optional, needed with workers on threads of their own: @p worker has
     * something to do, call s2svpn_worker_poll on its thread; NULL: the control
     * thread has, call s2svpn_advance. May be called from any worker's thread. */
    void (*wake)(void *io, s2svpn_worker *worker);
    /** send_inside takes superpackets. Otherwise what comes out of a tunnel is given
     * packet by packet; superpackets that the host itself pushed in from port to port
     * within a VPC stay whole. */
    bool superpackets;
} s2svpn_io_ops;

enum s2svpn_io_error {
    S2SVPN_IO_TOO_BIG = 1,     /* with mtu: of the path, IP header included */
    S2SVPN_IO_UNREACHABLE = 2, /* host, network or port */
};

/**
 * Take datagrams that arrived from outside: IKE, and ESP in UDP or as IP
 * protocol 50. Bad ones are counted and dropped, never an error of this call
 * (RFC 7296 section 2.21). Output and events leave before the call returns.
 *
 * @param worker  see s2svpn_context_worker(); with one inline worker: that one.
 * @param d       borrowed for the call; the bytes are changed (decrypted in
 *                place); order within a train is kept.
 * @param n       number of elements in @p d; 0 is allowed.
 * @param now_ns  host's monotonic clock, nanoseconds; going back is clamped.
 *
 * @threads  the worker's.
 * @since    0.1
 */
S2SVPN_API void s2svpn_receive_outside(s2svpn_worker *worker, s2svpn_datagram *d, size_t n,
                                       uint64_t now_ns);

/**
 * Take plain packets that entered at a port, to be routed. Superpackets are cut.
 * Parameters and threads as above; an unknown port's packets are dropped.
 * @since 0.1
 */
S2SVPN_API void s2svpn_receive_inside(s2svpn_worker *worker, s2svpn_port_id port, s2svpn_packet *p,
                                      size_t n, uint64_t now_ns);

/** An ICMP error or an entry of the socket's error queue about what we sent from
 * @p local to @p remote. It is only a hint: anyone can forge one. TOO_BIG lowers the MTU
 * of the tunnel whose ESP goes there, if @p mtu is at least 576 (IPv6: 1280); after ten
 * minutes the path is probed anew with one datagram of full length, dont_fragment set.
 * @param local   as the datagram had it, with its role.
 * @param remote  likewise; port 0: not known.
 * @param mtu     TOO_BIG: of the path, IP header included; else 0.
 * @threads one call at a time on the context.
 * @since 0.1 */
S2SVPN_API void s2svpn_receive_outside_error(s2svpn_context *ctx, const s2svpn_endpoint *local,
                                             const s2svpn_endpoint *remote,
                                             enum s2svpn_io_error kind, uint32_t mtu,
                                             uint64_t now_ns);

/** send_outside took less than it was given, and now would take more.
 * @threads one call at a time on the context.
 * @since 0.1 */
S2SVPN_API void s2svpn_writable(s2svpn_context *ctx, uint64_t now_ns);

/** Let time pass: fire what is due, take what workers left for the control plane.
 * @threads one call at a time on the context.
 * @since 0.1 */
S2SVPN_API void s2svpn_advance(s2svpn_context *ctx, uint64_t now_ns);

/** Do what others left for this worker: packets handed over by other workers,
 * packets from the control plane. Nothing to do with an inline worker.
 * @threads the worker's.
 * @since 0.1 */
S2SVPN_API void s2svpn_worker_poll(s2svpn_worker *worker, uint64_t now_ns);

/** What kind of packet is this, and for whom? For hosts whose contexts share
 * sockets: compare @c spi with the contexts' SPI prefixes (context.h). */
typedef struct s2svpn_classification {
    bool ike;              /* else ESP, or a keepalive */
    bool keepalive;        /* RFC 3948 section 2.3: one byte 0xff */
    uint64_t spi_i, spi_r; /* IKE; spi_r 0 in a first message */
    uint32_t spi;          /* ESP */
} s2svpn_classification;
/** @return false if it is nothing that a context would take.
 * @threads any */
S2SVPN_API S2SVPN_NODISCARD bool s2svpn_classify(uint8_t role, const uint8_t *data, size_t len,
                                                 s2svpn_classification *out);

S2SVPN_END
#endif
