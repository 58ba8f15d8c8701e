/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The default host's insides, on libevent and Linux. One thread; everything hangs on
 * struct s2svpn_host (loop.c), which has sockets (socket.c opens UDP ones, raw.c those of
 * IP protocol 50; receive.c, send.c) and TUN devices (tun.c).
 *
 *   socket readable ─ recvmmsg ─> s2svpn_receive_outside ─> send_inside ─ writev ─> TUN
 *   TUN readable ─── read ─────> s2svpn_receive_inside ──> send_outside ─ sendmmsg ─> wire
 *   error queue ──── recvmsg ──> s2svpn_receive_outside_error
 *   timer ─────────────────────> s2svpn_advance
 *
 * A turn of the loop takes at most one batch from each socket and device: libevent's
 * polling is level-triggered, so what is left comes with the next turn, and none starves.
 */
#ifndef S2_IO_DRIVER_H
#define S2_IO_DRIVER_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "s2svpn/host.h"

#define S2_IO_ADDRESSES_MAX 64
#define S2_IO_SOCKETS_MAX (3 * S2_IO_ADDRESSES_MAX)
#define S2_IO_TUNS_MAX 32
#define S2_IO_BATCH_MAX 256
#define S2_IO_READ_LEN 65600  /* one datagram, train or superpacket with its header */
#define S2_IO_CONTROL_LEN 128 /* TOS, hop limit, segment, overflow: 24 bytes each */
#define S2_IO_NAME_LEN 16     /* IFNAMSIZ */

union s2_io_name {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* The arrays of one recvmmsg or sendmmsg, made once. */
struct s2_io_batch {
    struct mmsghdr message[S2_IO_BATCH_MAX];
    struct iovec piece[S2_IO_BATCH_MAX];
    union s2_io_name name[S2_IO_BATCH_MAX];
    _Alignas(struct cmsghdr) char control[S2_IO_BATCH_MAX][S2_IO_CONTROL_LEN];
};

struct s2_io_socket {
    s2svpn_host *host;
    int fd;
    s2svpn_endpoint local;
    struct event readable, writable;
    bool segments;      /* UDP_SEGMENT works */
    bool gro;           /* UDP_GRO is on */
    bool dont_fragment; /* what it sends has the DF bit */
    bool errors;        /* a call said that the error queue isn't empty */
    uint32_t missed;    /* what the kernel has counted so far (SO_RXQ_OVFL) */
};

struct s2_io_tun {
    s2svpn_host *host; /* NULL: a free place */
    int fd;
    s2svpn_port_id port;
    struct event readable;
    char name[S2_IO_NAME_LEN];
};

struct s2svpn_host {
    struct event_base *base;
    s2svpn_context *ctx;
    s2svpn_host_options options;
    struct event timer;
    uint64_t wall_ns; /* when the context was last told the wall clock */
    size_t socket_count;
    struct s2_io_socket socket[S2_IO_SOCKETS_MAX];
    s2svpn_endpoint local[S2_IO_SOCKETS_MAX];
    struct s2_io_tun tun[S2_IO_TUNS_MAX];
    s2svpn_host_inside_fn *inside;
    void *inside_user;
    s2svpn_host_wire_fn *wire;
    void *wire_user;
    s2svpn_host_gone_fn *gone;
    void *gone_user;
    s2svpn_host_counters counters;
    uint8_t *buffer; /* options.batch pieces of S2_IO_READ_LEN: what is being received */
    s2svpn_datagram datagram[S2_IO_BATCH_MAX];
    s2svpn_packet packet[S2_IO_BATCH_MAX];
    struct s2_io_batch in, out;
};

/* loop.c */
s2svpn_status s2_io_error(s2svpn_error *why, s2svpn_status code, const char *field, const char *fmt,
                          ...) S2SVPN_PRINTF(4, 5);

/* socket.c */
socklen_t s2_io_name_write(const s2svpn_endpoint *e, union s2_io_name *out);
void s2_io_name_read(const union s2_io_name *a, s2svpn_endpoint *out); /* role is left */
/* Datagrams in a train, or 1. */
size_t s2_io_count(const s2svpn_datagram *d);
s2svpn_status s2_io_socket_open(s2svpn_host *host, const s2svpn_endpoint *local, const char *field,
                                s2svpn_error *why);
void s2_io_socket_close(struct s2_io_socket *s);
/* What is sent from now on has the DF bit or not. */
void s2_io_socket_set_df(struct s2_io_socket *s, bool dont_fragment);
/* Begin or end to listen. */
void s2_io_socket_listen(struct s2_io_socket *s, bool on);

/* raw.c */
int s2_io_raw_socket(int family); /* -1 and errno */
/* Does the system let this process have one? */
bool s2_io_raw_allowed(const s2svpn_address *a);
/* What a raw socket of IPv4 delivers begins with the IP header: take it off, and its TOS
 * and TTL into the datagram. False if it isn't whole. */
S2SVPN_NODISCARD bool s2_io_raw_strip(s2svpn_datagram *d);

/* receive.c */
void s2_io_receive_init(s2svpn_host *host);
void s2_io_on_readable(evutil_socket_t fd, short what, void *arg);

/* send.c */
size_t s2_io_send_outside(void *io, s2svpn_worker *worker, const s2svpn_datagram *d, size_t n);
void s2_io_on_writable(evutil_socket_t fd, short what, void *arg);

/* tun.c */
void s2_io_tun_close(struct s2_io_tun *t);
void s2_io_tun_listen(struct s2_io_tun *t, bool on);
size_t s2_io_tun_write(struct s2_io_tun *t, const s2svpn_packet *p, size_t n);

#endif
