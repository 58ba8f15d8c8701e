/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scene that the simulator's scenarios play on:
 *
 *    instance 10.0.1.10 ── VPC 10.0.0.0/16 ── virtual gateway, AS 64512
 *                                              │ 198.51.100.1   │ 198.51.100.2
 *                                              │ tunnel 0       │ tunnel 1
 *                                              └─ 203.0.113.7 ──┘
 *    host 192.168.10.20 ── LAN 192.168.0.0/16 ── device, AS 65000
 *
 * With plan.inside_ipv6 the tunnels carry IPv6; the VPC has 2001:db8:a::/56 as well, its
 * instance 2001:db8:a:1::10, and the LAN 2001:db8:b::/48; their pings are the scenario's.
 * With plan.outside_ipv6 the ends are 2001:db8:51::1 and ::2, and 2001:db8:7::7.
 * With plan.nat the device is 192.0.2.7 behind a translator that is 203.0.113.7.
 * The device speaks IKEv2 alone, or IKEv1 alone in tests that are played for that; the gateway
 * takes both.
 * Instance and host answer pings. A scenario is a program with tests; each test plays
 * with one seed or with many, and a failure names its seed.
 */
#ifndef S2_TESTS_SIM_SCENE_H
#define S2_TESTS_SIM_SCENE_H

#include "packet.h"
#include "s2svpn/s2svpn.h"

#define MILLISECOND 1000000ull
#define SECOND 1000000000ull
#define MINUTE (60 * SECOND)
#define SCENE_PSK "scene.of.a.simulation"

/* ---- the programs */

struct scene_test {
    const char *name; /* a promise in words */
    void (*play)(uint64_t seed);
    unsigned seeds; /* played with as many, from 1 */
};
/* Plays the tests and prints as CONTRIBUTING.md says. --seed N: with this one alone;
 * --seeds N: with 1 to N; -v: with logs, events and what is on the wire. Returns main's exit status. */
int scene_main(int argc, char **argv, const char *suite, const struct scene_test *tests, size_t n);
/* The same, and afterwards v1 of these with a device that speaks IKEv1, each under its name
 * with "ikev1: " before it. --ike 1, --ike 2: with this version alone. */
int scene_main_versions(int argc, char **argv, const char *suite, const struct scene_test *tests,
                        size_t n, const struct scene_test *v1_tests, size_t v1_n);
/* And then those with a device that speaks either, "either ike: " before their names;
 * --ike auto: these alone. */
struct scene_plays {
    const struct scene_test *v2, *v1, *either;
    size_t v2_count, v1_count, either_count;
};
int scene_main_plays(int argc, char **argv, const char *suite, const struct scene_plays *plays);
/* The pass that is under way is IKEv1's, or the one with a device that speaks either. */
bool scene_is_ikev1(void);
bool scene_is_ike_auto(void);

/* A failed check is printed with its seed and fails the test; it goes on. */
#define CHECK(cond) scene_check((cond), #cond, __FILE__, __LINE__)
bool scene_check(bool ok, const char *what, const char *file, int line);
/* Like printf, for -v and for what belongs to a failure. */
void scene_say(const char *format, ...) S2SVPN_PRINTF(1, 2);
bool scene_is_verbose(void);

/* ---- the scene */

struct watch;

struct scene_plan {
    uint64_t seed;
    bool static_routes; /* else BGP */
    bool inside_ipv6, outside_ipv6;
    uint8_t ecmp_paths;           /* of both ends; 0: no equal-cost multipath */
    bool udp_only;                /* neither side has protocol 50 */
    bool store;                   /* the gateway keeps its objects in a memory store */
    s2svpn_tunnel_options tunnel; /* of both; a key of NULL: SCENE_PSK */
    const char *device_psk;       /* what the device believes, NULL: the same */
    s2svpn_sim_link link;         /* everywhere */
    uint64_t job_min_ns, job_max_ns;
    const s2svpn_memory *memory;      /* of both contexts */
    bool nat;                         /* before the device */
    s2svpn_sim_nat_options nat_how;   /* expiry_ns and symmetric count */
    s2svpn_tunnel_log_fn *tunnel_log; /* gets the side; what asks for logs is in tunnel */
    struct watch *watch;              /* sees keys and wire; NULL: nobody does */
    bool count_log;                   /* scene_side.log_lines */
};
#define SCENE_PLAN_INIT                                                                            \
    {                                                                                              \
        .link = S2SVPN_SIM_LINK_INIT                                                               \
    }

struct scene_side {
    struct scene *scene;
    const char *name;
    s2svpn_sim_node *node;
    s2svpn_context *ctx;
    s2svpn_options options;
    s2svpn_endpoint local[6];
    unsigned tunnel_ups, tunnel_downs, bgp_ups, notes, stopped; /* events */
    uint64_t sequence;                                          /* the last event's */
    bool gap;                                                   /* one was missing */
    char last_note[192];
    unsigned log_lines; /* of what is logged without being asked: from INFO up */
    uint32_t address;   /* of its host */
    s2svpn_port_id port;
    unsigned asked, answered; /* pings of its host */
    unsigned first;           /* answers to earlier ones don't count, scene_count_anew() */
    unsigned errors, wrong;   /* ICMP errors that came to it; packets that were broken */
    uint64_t last_answer_ns;
    uint8_t seen[65536 / 8]; /* answers, by sequence number */
    /* If set, it sees what arrives at the port first; true: it has taken it. */
    bool (*taker)(struct scene_side *side, const s2svpn_packet *p, size_t n);
    void *taker_user;
};

struct scene {
    struct scene_plan plan;
    s2svpn_sim *sim;
    s2svpn_sim_nat *nat; /* NULL: none */
    s2svpn_memory_store *store;
    struct scene_side gateway, device;
    s2svpn_vpc *vpc;
    s2svpn_subnet *subnet;
    s2svpn_route_table *table;
    s2svpn_virtual_gateway *vgw;
    s2svpn_customer_gateway *cgw;
    s2svpn_port *instance, *lan;
    s2svpn_connection *cloud, *site; /* the connection's two ends */
    s2svpn_device_config config;     /* what the device was opened with */
    bool spoke_ikev1;                /* at least once */
    bool pinging;                    /* a timer is under way */
    uint64_t ping_every_ns, ping_until_ns;
};

/* Set everything up; nothing is started. After a failure, too, close it. */
s2svpn_status scene_open(struct scene *s, const struct scene_plan *plan);
void scene_close(struct scene *s);
/* Let the device begin. */
s2svpn_status scene_start(struct scene *s);
/* Open, start, and wait until both tunnels are up at both ends; CHECKs. */
bool scene_bring_up(struct scene *s, const struct scene_plan *plan);

/* Take one end away without a word, and make it anew. */
void scene_kill(struct scene_side *side);
s2svpn_status scene_revive_device(struct scene *s);
s2svpn_status scene_revive_gateway(struct scene *s);

/* Time. */
void scene_run(struct scene *s, uint64_t ns);
bool scene_wait(struct scene *s, bool (*done)(void *scene), uint64_t ns);
bool scene_both_up(void *scene); /* both tunnels, at both ends */
bool scene_one_up(void *scene);  /* at least one tunnel, the same one at both ends */

s2svpn_address scene_gateway_address(size_t tunnel);
s2svpn_address scene_device_address(void);        /* as the outside sees it */
s2svpn_address scene_device_own(struct scene *s); /* as it knows itself */

s2svpn_tunnel_info scene_tunnel(const s2svpn_connection *conn, size_t index);
/* The way between the gateway's address of this tunnel and the device. */
void scene_set_path(struct scene *s, size_t tunnel, const s2svpn_sim_link *link);
void scene_cut(struct scene *s, size_t tunnel, bool down);

/* A ping from one end's host to the other's. */
void scene_ping(struct scene_side *from, size_t payload_len);
/* Both hosts ping each other every so often, for so long. */
void scene_ping_for(struct scene *s, uint64_t every_ns, uint64_t ns);
/* All pings so far were answered once and rightly. */
bool scene_nothing_lost(const struct scene *s);
/* Count from here on: what was asked before no longer matters. */
void scene_count_anew(struct scene *s);
/* Say how things stand, for -v and after failures. */
void scene_describe(struct scene *s);

#endif
