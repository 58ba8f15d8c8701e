/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two contexts back to back in memory, a gateway and a device, with a host made of
 * queues between them: no simulator, no sockets, time only when a test says so.
 *
 *    instance 10.0.1.10 ── VPC 10.0.0.0/16 ── virtual gateway, AS 64512
 *                                              │ 198.51.100.1   │ 198.51.100.2
 *                                              └─ 203.0.113.7 ──┘
 *    host 192.168.10.20 ── LAN 192.168.0.0/16 ── device, AS 65000
 *
 * With plan.ipv6 the tunnels carry IPv6; the VPC has 2001:db8:a::/56 as well, its
 * instance 2001:db8:a:1::10, and the LAN 2001:db8:b::/48 with our end ::1.
 *
 * With plan.certificate both ends show certificates, which plan.certify gives them.
 *
 * What a context sends is copied and waits in a queue until rig_pump gives it to the
 * other one, in memory of exactly its size, so that a sanitizer sees every byte too
 * many. Diffie-Hellman is a fake and quick; all other crypto is OpenSSL's.
 */
#ifndef S2_TESTS_VPN_RIG_H
#define S2_TESTS_VPN_RIG_H

#include <CUnit/CUnit.h>

#include "s2svpn/s2svpn.h"

#define RIG_SECOND UINT64_C(1000000000)
#define RIG_PSK "a.key.of.the.rig"
#define RIG_EVENTS 256

struct rig;
struct rig_side;

/* Something that a context gave to its host. */
struct rig_item {
    struct rig_item *next;
    bool inside;
    s2svpn_port_id port; /* inside */
    s2svpn_packet packet;
    s2svpn_datagram datagram; /* outside */
    uint8_t *data;
    size_t len;
    const s2svpn_worker *worker;
};
struct rig_queue {
    struct rig_item *first, **last;
    size_t count;
};

struct rig_heap {
    s2svpn_memory memory;
    size_t live, live_bytes;
    size_t allocations; /* so far, failed ones included */
    size_t fail_at;     /* this one (from 1) fails; 0: none */
    bool failed;
};

struct rig_event {
    uint32_t kind, tunnel;
    bool up;
    uint64_t sequence;
    char id[S2SVPN_ID_SIZE];
    char reason[64], text[192];
};

struct rig_side {
    struct rig *rig;
    struct rig_side *peer;
    const char *name;
    s2svpn_context *ctx;
    s2svpn_options options;
    s2svpn_crypto_ops crypto;
    s2svpn_endpoint local[8];
    struct rig_heap heap;
    uint64_t random_state;
    bool random_fails;
    size_t draws;
    uint64_t deadline_ns;
    unsigned deadlines; /* times that it was told */
    struct rig_queue outside, inside;
    size_t take_outside, take_inside; /* what the host takes at once; default all */
    bool woken[4];                    /* workers, and behind them the control plane */
    unsigned turn;                    /* whose turn it is to get a datagram */
    bool direct; /* outside packets go to the peer inside the callback: nested calls */
    /* Before anything is taken, from inside the callback; may be NULL. */
    void (*hook)(struct rig_side *side, bool inside);
    void (*on_deadline)(struct rig_side *side); /* likewise */
    void *hook_user;
    bool deferred; /* jobs wait for rig_pump */
    s2svpn_job *job[64];
    size_t jobs;
    s2svpn_port *port; /* the instance's, or the LAN */
    struct rig_event event[RIG_EVENTS];
    size_t events; /* so far; the last RIG_EVENTS are kept */
};

struct rig_plan {
    bool static_routes;
    bool raw;                                      /* both sides have protocol 50 */
    bool ipv6;                                     /* inside: both hosts have it too */
    uint8_t offers;                                /* the device's, enum s2svpn_offers */
    const s2svpn_device_options *device_options;   /* NULL: offers alone */
    uint32_t ecmp_paths;                           /* the virtual gateway's */
    bool quiet;                                    /* nobody subscribes to events */
    s2svpn_tunnel_options tunnel;                  /* of both tunnels; inside and outside: chosen */
    s2svpn_prefix customer_network, cloud_network; /* selectors; family 0: all */
    const s2svpn_store_ops *store;
    void *store_user;
    const s2svpn_limits *limits;
    enum s2svpn_profile profile;
    size_t fail_gateway, fail_device;      /* rig_heap.fail_at */
    void (*adjust)(struct rig_side *side); /* options, before the context is made */
    const char *certificate;               /* PEM, the device's, in place of keys; NULL: keys */
    bool anywhere;                         /* with it: the customer gateway has no address */
    s2svpn_status (*certify)(struct rig_side *side); /* after it is made; NULL: nothing to do */
};

struct rig {
    struct rig_plan plan;
    uint64_t now_ns;
    struct rig_side gateway, device;
    s2svpn_vpc *vpc;
    s2svpn_subnet *subnet;
    s2svpn_route_table *table;
    s2svpn_virtual_gateway *vgw;
    s2svpn_customer_gateway *cgw;
    s2svpn_connection *cloud, *site;
    s2svpn_error why;
    /* Which datagrams are lost on the way; NULL: none. */
    bool (*loses)(struct rig *rig, const struct rig_side *from, const s2svpn_datagram *d);
    /* As it arrives: a NAT on the way; NULL: none. */
    void (*translates)(struct rig *rig, s2svpn_datagram *d);
    void *user;
};

/* Zeros and queues; then the steps, each of which may fail, or rig_open for all. What
 * is there is freed by rig_close, which checks that both heaps are empty. */
void rig_init(struct rig *rig, const struct rig_plan *plan);
s2svpn_status rig_make_gateway(struct rig *rig); /* the context alone */
s2svpn_status rig_make_device(struct rig *rig);
s2svpn_status rig_make_vpc(struct rig *rig); /* with subnet, port, virtual gateway */
s2svpn_status rig_make_connection(struct rig *rig);
s2svpn_status rig_make_site(struct rig *rig); /* the device's end of the connection */
s2svpn_status rig_open(struct rig *rig, const struct rig_plan *plan);
void rig_close(struct rig *rig);
/* rig_open, and both tunnels up at both ends: CHECKed. */
bool rig_up(struct rig *rig, const struct rig_plan *plan);

/* Deliver, a microsecond each, and advance until nothing moves. */
void rig_pump(struct rig *rig);
/* Let time pass, deadline by deadline. */
void rig_run(struct rig *rig, uint64_t ns);
bool rig_both_up(const struct rig *rig);
s2svpn_tunnel_info rig_tunnel(const s2svpn_connection *conn, size_t index);

/* Take the oldest item of a queue, NULL if none; free it with rig_item_free. */
struct rig_item *rig_take(struct rig_queue *queue);
void rig_item_free(struct rig_item *item);
void rig_drop_all(struct rig_queue *queue);
/* Give an outside item to a context, in memory of its own; the workers take turns. */
void rig_deliver(struct rig *rig, struct rig_side *to, const struct rig_item *item);
void rig_deliver_to(struct rig *rig, s2svpn_worker *worker, const struct rig_item *item);

/* Enter at the side's port; the bytes are copied to memory of exactly their size. */
void rig_send(struct rig_side *side, const uint8_t *p, size_t len);
void rig_send_packets(struct rig_side *side, s2svpn_port_id port, const s2svpn_packet *p, size_t n);

/* The newest event of this kind, NULL if none is kept. */
const struct rig_event *rig_last_event(const struct rig_side *side, uint32_t kind);
size_t rig_count_events(const struct rig_side *side, uint32_t kind);
/* Does the reason why it is down hold the words? If not, it is printed. */
bool rig_reason_says(const s2svpn_tunnel_info *info, const char *words);
bool rig_event_says(const struct rig_side *side, uint32_t kind, const char *words);

/* Values from texts; abort on nonsense. */
s2svpn_address rig_address(const char *text);
s2svpn_prefix rig_prefix(const char *text);

/* A gateway's context alone, for tests of objects; the caller ends it with rig_close. */
s2svpn_context *rig_gateway(struct rig *rig, const struct rig_plan *plan);
/* The last error's field and code; a failing row prints its name. */
void rig_check_error(const s2svpn_context *ctx, s2svpn_status rc, s2svpn_status wanted,
                     const char *field, const char *row);

#endif
