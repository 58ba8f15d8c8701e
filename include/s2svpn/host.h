/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The default host, in libs2svpn-host: a libevent loop with sockets (UDP, and IP
 * protocol 50) and TUN devices for one context, on Linux. It uses the public API
 * alone; whoever has an event loop of his own writes the same from io.h
 * (examples/embed.c).
 *
 *     s2svpn_host_new(base, &host_options, &host, &why);
 *     s2svpn_host_prepare(host, &options);
 *     s2svpn_context_new(&options, &ctx, &why);
 *     s2svpn_host_attach(host, ctx);
 *     event_base_dispatch(base);
 *
 * Threads: a host, its loop and its context live on one thread, so the context's
 * one worker is the inline one (options.workers 0).
 */
#ifndef S2SVPN_HOST_H
#define S2SVPN_HOST_H

#include "s2svpn/context.h"

S2SVPN_BEGIN

struct event_base;
typedef struct s2svpn_host s2svpn_host;

/** IP protocol 50 at a local address: ESP without UDP, where there is no NAT and the peer
 * has it as well. Needs CAP_NET_RAW. */
enum s2svpn_host_raw {
    S2SVPN_HOST_RAW_OFF = 0,
    S2SVPN_HOST_RAW_REQUIRED = 1, /* the host can't be made without it */
    S2SVPN_HOST_RAW_AUTO = 2,     /* if the system lets us; s2svpn_host_prepare() shows it:
                                   * local then has an endpoint of role RAW */
};

/** A local address to receive at and send from. */
typedef struct s2svpn_host_address {
    s2svpn_address address;
    uint16_t ike_port;  /* 0: 500 */
    uint16_t natt_port; /* 0: 4500 */
    bool no_ike;        /* only the NAT traversal port */
    uint8_t raw;        /* enum s2svpn_host_raw */
    uint8_t reserved[10];
} s2svpn_host_address;

typedef struct s2svpn_host_options {
    size_t size;
    const s2svpn_host_address *address;   /* borrowed for the call */
    size_t address_count;                 /* 1 to 64 */
    uint32_t receive_buffer, send_buffer; /* of each socket, bytes; 0: 4 MiB */
    uint32_t batch;                       /* datagrams or packets a read; 0: 64, at most 256 */
    /* Kernel offloads are probed one by one; one that fails all the same is left alone
     * from then on, and a train that is refused is cut. Each can be switched off; the
     * packets are the same either way. */
    bool no_udp_segment; /* UDP_SEGMENT: a train in one call */
    bool no_udp_gro;     /* UDP_GRO: trains received */
    bool no_tun_offload; /* TUN devices give superpackets. What they are given may be
                          * superpackets nevertheless: every device takes those, and the
                          * kernel cuts them where a receiver needs it. */
    uint8_t reserved;
} s2svpn_host_options;
#define S2SVPN_HOST_OPTIONS_INIT                                                                   \
    {                                                                                              \
        .size = sizeof(s2svpn_host_options)                                                        \
    }

/**
 * Open the sockets on a loop.
 * @param base     borrowed until the host is freed.
 * @param[out] host given to the caller, free with s2svpn_host_free().
 * @return E_ARGUMENT with the field; E_SYSTEM: "address[1].ike_port: Address already
 *         in use", and so for natt_port and raw; E_MEMORY.
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_host_new(struct event_base *base,
                                                          const s2svpn_host_options *options,
                                                          s2svpn_host **host, s2svpn_error *why);
/** Close everything. Free the context before. NULL is allowed. */
S2SVPN_API void s2svpn_host_free(s2svpn_host *host);

/** Set io, io_ops, local endpoints and clock of options. What they point to lives
 * as long as the host. */
S2SVPN_API void s2svpn_host_prepare(s2svpn_host *host, s2svpn_options *options);
/** Begin to serve the context that was made with these options; what it asked for
 * before is done in the loop's next turn. NULL: end. */
S2SVPN_API void s2svpn_host_attach(s2svpn_host *host, s2svpn_context *ctx);
/** The monotonic clock that the host gives its context. @threads any */
S2SVPN_API uint64_t s2svpn_host_now(void);

/** Packets delivered at a port that has no TUN device. Borrowed for the call. */
typedef void s2svpn_host_inside_fn(void *user, s2svpn_context *ctx, s2svpn_port_id port,
                                   const s2svpn_packet *p, size_t n, uint64_t now_ns);
S2SVPN_API void s2svpn_host_on_inside(s2svpn_host *host, s2svpn_host_inside_fn *fn, void *user);

/**
 * Make a TUN device the other side of a port: what the kernel routes into it enters
 * at the port. The device vanishes with the host. Addresses, routes and up/down are
 * the caller's business.
 * @param name  of the device, at most 15 bytes; "" or NULL: the kernel chooses.
 * @param mtu   0: the kernel's default, 1500.
 * @param[out] actual  the device's name, room for 16 bytes; may be NULL.
 * @return E_ARGUMENT: "port", "name"; E_EXISTS: "port" has a device; E_SYSTEM: "name"
 *         or "mtu" with the reason; E_LIMIT: 32 devices.
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_host_add_tun(s2svpn_host *host,
                                                              s2svpn_port_id port, const char *name,
                                                              uint16_t mtu, char *actual,
                                                              s2svpn_error *why);

/** Be told that a TUN device is gone (somebody deleted it): its port's packets are
 * refused until it has another. @p name is borrowed for the call, which may call
 * s2svpn_host_add_tun(). */
typedef void s2svpn_host_gone_fn(void *user, s2svpn_port_id port, const char *name);
S2SVPN_API void s2svpn_host_on_gone(s2svpn_host *host, s2svpn_host_gone_fn *fn, void *user);

/** See every outside datagram or train once, as received, or when it has been sent;
 * for captures. NULL: none. */
typedef void s2svpn_host_wire_fn(void *user, const s2svpn_datagram *d, bool sent, uint64_t now_ns);
S2SVPN_API void s2svpn_host_on_wire(s2svpn_host *host, s2svpn_host_wire_fn *fn, void *user);

/** A train counts as its datagrams, a superpacket as one packet. */
typedef struct s2svpn_host_counters {
    size_t size; /* set by the caller */
    uint64_t datagrams_in, datagrams_out;
    uint64_t datagrams_refused; /* given to the kernel in vain */
    uint64_t datagrams_missed;  /* arrived when a socket's receive buffer was full */
    uint64_t errors_in;         /* ICMP and the like, from the sockets' error queues */
    uint64_t packets_in, packets_out, packets_refused; /* TUN devices */
    uint64_t reads, writes;                            /* system calls */
    uint64_t trains_in, trains_out, superpackets_in, superpackets_out;
} s2svpn_host_counters;
S2SVPN_API void s2svpn_host_get_counters(const s2svpn_host *host, s2svpn_host_counters *out);

S2SVPN_END
#endif
