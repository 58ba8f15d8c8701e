/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The quickstart's scene: the whole of a Site-to-Site VPN connection in one process,
 * on the public API alone. Who plays:
 *
 *   office ── LAN ── device ══ tunnels 1 and 2 ══ gateway ── VPC ── instance
 *
 * Device and gateway are two contexts on two hosts that share one event loop and
 * talk by UDP on loopback. Office host and instance are functions of this program:
 * what they send enters at a port, what they get leaves at one.
 */
#ifndef S2_EXAMPLES_QUICKSTART_H
#define S2_EXAMPLES_QUICKSTART_H

#include <s2svpn/host.h>
#include <s2svpn/s2svpn.h>
#include <stdio.h>

#define SECOND_NS 1000000000ull
#define PING_EVERY_NS (SECOND_NS / 5)
#define PINGS_MAX 1024

/* What has been seen of one side; quickstart_stage.c keeps it up to date. */
struct side {
    struct quickstart *scene;
    const char *name;
    s2svpn_host *host;
    s2svpn_context *ctx;
    s2svpn_connection *conn;
    s2svpn_port *port;
    s2svpn_port_id port_number;
    s2svpn_prefix learned; /* what BGP shall bring to this side */
    bool has_route;
    uint32_t route_tunnel;     /* by which tunnel the learned prefix goes now */
    uint64_t moved_ns;         /* when it went over from the cut one; 0: it didn't */
    s2svpn_tunnel_info was[2]; /* as the tunnels came up: a closed one forgets its algorithms */
};

struct ping {
    uint64_t sent_ns, answered_ns; /* 0: not yet */
};

struct quickstart {
    const char *pcap_path, *keylog_path; /* NULL: none */
    bool fast, gcm;

    struct event_base *base;
    uint64_t start_ns;
    uint16_t ike_port, natt_port; /* the same at all addresses */
    struct side gateway, device;
    s2svpn_vpc *vpc;
    s2svpn_route_table *table;
    FILE *pcap;

    struct event *ping_timer;
    struct ping ping[PINGS_MAX];
    size_t ping_count;

    bool cut;
    size_t cut_tunnel;
    uint64_t cut_ns;   /* when */
    size_t first_lost; /* the first ping that was sent after it */
    uint64_t moved_ns; /* the first answer to one of those; 0: none yet */
};

/* ---- quickstart_stage.c: contexts and objects */

/* Set everything up; nothing is started. Says what is wrong on standard error. */
bool stage_open(struct quickstart *q);
bool stage_start(struct quickstart *q);
void stage_close(struct quickstart *q);
s2svpn_tunnel_info stage_tunnel(const struct side *side, size_t index);
/* The route that propagation brings into the main route table; false: there is none. */
bool stage_propagated(const struct quickstart *q, s2svpn_route *out);

/* ---- quickstart_ping.c: the office host and the instance */

bool ping_begin(struct quickstart *q);
void ping_end(struct quickstart *q);
/* Of those from this one on; waiting: sent less than a second ago. */
struct ping_sum {
    size_t sent, answered, waiting;
    double least_ms, mean_ms, most_ms;
};
struct ping_sum ping_sum(const struct quickstart *q, size_t from, size_t to);
/* What the hosts of the two sides call. */
void ping_at_instance(void *user, s2svpn_context *ctx, s2svpn_port_id port, const s2svpn_packet *p,
                      size_t n, uint64_t now_ns);
void ping_at_office(void *user, s2svpn_context *ctx, s2svpn_port_id port, const s2svpn_packet *p,
                    size_t n, uint64_t now_ns);

/* ---- quickstart_tap.c: what Wireshark opens */

bool tap_open(struct quickstart *q);
/* false: the capture could not be written. */
bool tap_close(struct quickstart *q);
void tap_on_wire(void *user, const s2svpn_datagram *d, bool sent, uint64_t now_ns);
void tap_on_keylog(void *user, enum s2svpn_keylog_kind kind, const char *line);

/* ---- quickstart_show.c: what is to be seen */

void show_begin(const struct quickstart *q);
/* A line of the timeline. */
void show(const struct quickstart *q, const char *who, const char *format, ...) S2SVPN_PRINTF(3, 4);
void show_table(const struct quickstart *q);
/* The last line; NULL: all went well. */
void show_verdict(const struct quickstart *q, const char *what_not);

#endif
