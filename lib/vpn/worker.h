/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker: the data path of one thread. An SA, both directions, is owned by one
 * worker; what arrives elsewhere goes to it through its ring.
 *
 *        receive_outside                         receive_inside
 *              │ inbound.c                             │ outbound.c
 *   IKE ─> control    ESP ─> open ─> check ─> route    view ─> route ─> cut ─> seal
 *              │                        │      │                          │
 *              ▼                        ▼      └── hub: to a tunnel ──────┤
 *       control (ring or call)       port                                 ▼
 *                                       └────────── output.c ── io.send_inside, _outside
 *
 * The inline worker (options.workers 0) runs on the thread that holds the context and
 * calls the control plane directly. Others have two bounded rings towards it, one for
 * unauthenticated IKE and one for trusted matters, so that a flood of the one can't
 * starve the other, and a ring from everyone else to the worker.
 */
#ifndef S2_VPN_WORKER_H
#define S2_VPN_WORKER_H

#include "base/ring.h"
#include "inet/inet.h"
#include "s2svpn/context.h"
#include "vpn/sa.h"

#define S2_OUTPUT_MAX 256         /* datagrams or packets that wait for the host */
#define S2_ARENA_LEN (192 * 1024) /* sealed bytes that wait; two superpackets fit */
#define S2_TRAIN_MAX 64           /* datagrams in a train: the kernel's UDP_MAX_SEGMENTS */
#define S2_TRAIN_BYTES 65000      /* and its limit of bytes */
#define S2_PACKET_MAX 9216        /* longest packet that crosses a ring */

/* What goes through a ring. */
enum s2_parcel_kind {
    S2_PARCEL_IKE = 1,     /* to control: message with endpoints */
    S2_PARCEL_INNER = 2,   /* to control: packet for the in-tunnel host; spi_in names the tunnel */
    S2_PARCEL_FIRST = 3,   /* to control: first packet on spi_in */
    S2_PARCEL_SOFT = 4,    /* to control: a soft limit of spi_in's child is reached */
    S2_PARCEL_OUTSIDE = 5, /* to a worker: an ESP packet that it owns */
    S2_PARCEL_TUNNEL = 6,  /* to a worker: a plain packet to be sealed for spi_in's tunnel */
    S2_PARCEL_HARD = 7,    /* to control: a hard limit of it is reached */
    S2_PARCEL_MOVED = 9,   /* to control: the peer of spi_in sends from another place, remote */
    S2_PARCEL_PROBE = 8,   /* to a worker: a dummy of from_number bytes into spi_in's tunnel */
};
struct s2_parcel_head {
    uint8_t kind; /* enum s2_parcel_kind */
    uint32_t spi_in;
    s2svpn_endpoint local, remote;
    uint8_t tos;          /* OUTSIDE: of the IP header */
    uint8_t from;         /* TUNNEL: enum s2_parcel_from, where ICMP errors go */
    uint32_t from_number; /* its port, or an inbound SPI of its tunnel; PROBE: a length */
    uint32_t len;
};
enum s2_parcel_from { S2_PARCEL_FROM_US = 0, S2_PARCEL_FROM_PORT, S2_PARCEL_FROM_TUNNEL };
struct s2_parcel {
    struct s2_parcel_head head;
    uint8_t bytes[S2_PACKET_MAX];
};

/* Where a plain packet entered, and so where an ICMP error about it goes: a port, or a
 * tunnel. Neither: it is our own, and needs none. */
struct s2_origin {
    s2svpn_port *port;
    s2svpn_tunnel *tunnel;
    const s2svpn_tunnel *through; /* the tunnel that it was to take, once that is known */
};

struct s2_seal_note {
    s2svpn_tunnel *tunnel;
    const struct s2_sa_out *out;
    uint8_t tos;
    bool probe; /* of the path: no inner packet, alone, with the DF bit */
};

/* Made when the first packet comes: a context that idles stays small. */
struct s2_lane {
    struct s2_esp_lane esp;
    struct s2_esp_seal seal[S2_ESP_BATCH];
    struct s2_seal_note seal_note[S2_ESP_BATCH];
    uint8_t header[S2_ESP_BATCH][S2_INET_HEADER_MAX];
    size_t seals;
    bool sealing, opening; /* a batch is being worked on */
    struct s2_esp_open open[S2_ESP_BATCH];
    struct s2_sa_in *open_sa[S2_ESP_BATCH];
    bool open_moved[S2_ESP_BATCH];      /* it came from where nothing is sent to … */
    s2svpn_endpoint moved_to;           /* … the last of them from here */
    uint32_t open_buffer[S2_ESP_BATCH]; /* packets of one buffer may be joined in it */
    uint8_t open_tos[S2_ESP_BATCH];     /* of the outside header */
    size_t opens;

    s2svpn_datagram datagram[S2_OUTPUT_MAX];
    size_t datagrams, datagrams_sent;
    s2svpn_packet packet[S2_OUTPUT_MAX];
    s2svpn_port_id packet_port[S2_OUTPUT_MAX];
    size_t packets, packets_sent;
    struct s2_inet_super joining; /* p NULL: none */
    s2svpn_port_id joining_port;
    uint32_t joining_buffer;
    uint8_t scratch[S2_PACKET_MAX]; /* one built packet: ICMP errors, fragments */
    uint8_t own[S2_PACKET_MAX];     /* one packet of the in-tunnel host */

    size_t used; /* of arena */
    uint8_t arena[S2_ARENA_LEN];
};

struct s2svpn_worker {
    s2svpn_context *ctx;
    size_t index;
    bool on_thread;  /* not the inline worker */
    bool delivering; /* the host is being given output: what comes now is appended */
    unsigned depth;  /* of nested calls */
    uint64_t now_ns;
    uint32_t buffer; /* the last number that s2_inbound_buffer gave out */
    struct s2_lane *lane;
    struct s2_ring in;             /* from other workers and control */
    struct s2_ring ike;            /* to control */
    struct s2_ring trusted;        /* to control */
    uint64_t icmp_tokens, icmp_ns; /* rate limit of ICMP errors */
    _Atomic uint64_t drops[S2SVPN_DROP_COUNT];
};

S2SVPN_NODISCARD s2svpn_status s2_workers_new(s2svpn_context *ctx, size_t count);
void s2_workers_free(s2svpn_context *ctx);

/* Around every entry of the data path. */
void s2_worker_enter(s2svpn_worker *w, uint64_t now_ns);
void s2_worker_finish(s2svpn_worker *w); /* seal and open the batches, deliver nothing */
void s2_worker_leave(s2svpn_worker *w);  /* seals, opens and delivers what is left */
/* NULL if there is no memory. */
struct s2_lane *s2_worker_lane(s2svpn_worker *w);
void s2_drop(s2svpn_worker *w, enum s2svpn_drop reason);
void s2_drop_n(s2svpn_worker *w, enum s2svpn_drop reason, uint64_t n);

/* outbound.c: route a plain packet that entered at a port, or seal it for a tunnel. */
void s2_outbound_packet(s2svpn_worker *w, s2svpn_port *from, struct s2_inet_super *packet);
void s2_outbound_tunnel(s2svpn_worker *w, s2svpn_tunnel *t, const struct s2_origin *from,
                        struct s2_inet_super *packet, struct s2_inet_view *view);
/* An ICMP error about p to where it came from, if one may be sent and not too many were. */
void s2_outbound_error(s2svpn_worker *w, const struct s2_origin *from, enum s2_inet_error error,
                       uint16_t mtu, const uint8_t *p, const struct s2_inet_view *view);
/* A dummy packet (RFC 4303 section 2.6) of so many inner bytes, whose datagram no router
 * may cut. */
void s2_outbound_probe(s2svpn_worker *w, s2svpn_tunnel *t, size_t len);
/* Deliver a plain packet at a port, as it came: cut, joined, checksum and all. */
void s2_outbound_port(s2svpn_worker *w, const s2svpn_port *to, struct s2_inet_super *packet);
bool s2_selectors_allow(const struct s2_selectors *s, const struct s2_inet_view *view, bool out);
/* Look a value of a FIB up to its end for a packet: a tunnel, port, or why not. */
uint64_t s2_route_resolve(const s2svpn_worker *w, uint64_t value, const struct s2_inet_view *view);
/* May it cross from one link to another at all? */
bool s2_route_crosses(const struct s2_inet_view *view);

/* flow.c: which flow the packet belongs to, for the choice between tunnels of equal cost.
 * One way; the key is 16 bytes. */
uint64_t s2_flow_hash(const uint8_t *key, const struct s2_inet_view *view);

/* inbound.c. buffer: number of the memory that p lies in, which stays until output has
 * left; 0: it doesn't stay, the packet is opened into the arena. */
void s2_inbound_esp(s2svpn_worker *w, const s2svpn_datagram *from, uint8_t *p, size_t len,
                    uint32_t buffer);
uint32_t s2_inbound_buffer(s2svpn_worker *w); /* the next number, never 0 */
void s2_inbound_flush(s2svpn_worker *w);      /* open and deliver the batch */

/* After each packet of an SA (spi_in names its child): tell control, once each, that a
 * soft limit is reached or that a hard one has stopped it. */
void s2_tell_limits(s2svpn_worker *w, struct s2_esp_sa *sa, uint32_t spi_in, enum s2svpn_drop drop);

/* output.c: all of it appends; flush gives to the host unless it is being given.
 * Before a packet is built: ready sees to it that len bytes, a place in the batch and
 * in the output are free. It alone may hand out early, and then the host's nested calls
 * use the lane: nothing that a batch doesn't hold yet survives it. */
S2SVPN_NODISCARD bool s2_output_ready(s2svpn_worker *w, size_t len);
uint8_t *s2_output_room(s2svpn_worker *w, size_t len); /* NULL: none */
void s2_output_seal(s2svpn_worker *w);                 /* seal the batch into datagrams */
void s2_output_port(s2svpn_worker *w, s2svpn_port_id port, uint8_t *p,
                    const struct s2_inet_view *view, uint32_t buffer);
void s2_output_super(s2svpn_worker *w, s2svpn_port_id port, const struct s2_inet_super *s);
/* What is being joined is complete: before bytes behind it are kept for later. */
void s2_output_end(s2svpn_worker *w);
void s2_output_flush(s2svpn_worker *w);
/* Hand out early if much waits; for the outermost call, where state is whole. */
void s2_output_relieve(s2svpn_worker *w);

/* Copy into a ring; false and a drop of this reason if it is full or p too long. */
bool s2_post(s2svpn_worker *w, struct s2_ring *ring, enum s2svpn_drop full,
             const struct s2_parcel_head *head, const uint8_t *p);
/* To the worker that owns the tunnel of spi_in. */
void s2_hand_over(s2svpn_worker *w, size_t owner, const struct s2_parcel_head *head,
                  const uint8_t *p);

/* control.c: a worker has something for the control plane; a call or a ring. */
void s2_to_control_ike(s2svpn_worker *w, const s2svpn_datagram *d, uint8_t *p, size_t len);
void s2_to_control_inner(s2svpn_worker *w, struct s2_sa_in *sa, const uint8_t *p, size_t len);
void s2_to_control_moved(s2svpn_worker *w, uint32_t spi_in, const s2svpn_endpoint *remote);
void s2_to_control_event(s2svpn_worker *w, enum s2_parcel_kind kind, uint32_t spi_in);
/* Drain the workers' rings; the control thread. */
void s2_control_drain(s2svpn_context *ctx);
/* A probe of the path into a tunnel; the control thread. */
void s2_control_probe(s2svpn_tunnel *t, size_t len);
/* A packet of our own (BGP, ping) into a tunnel; the control thread. */
void s2_control_send(s2svpn_tunnel *t, const uint8_t *p, size_t len);

#endif
