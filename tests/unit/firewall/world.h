/* SPDX-License-Identifier: Apache-2.0 */
/* A firewall with one reader, and packets told in a line: what a test says passes or
 * doesn't. Times are seconds since the world began. */
#ifndef S2_TESTS_FIREWALL_WORLD_H
#define S2_TESTS_FIREWALL_WORLD_H

#include "fake_env.h"
#include "firewall/firewall.h"
#include "harness.h"

/* A packet's fields at the end are left out where they don't matter. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define SECOND_NS UINT64_C(1000000000)

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };
enum { ICMP = 1, TCP = 6, UDP = 17, ESP = 50, ICMPV6 = 58 };
#define ECHO 0x0800
#define ECHO_REPLY 0
#define ECHO_V6 0x8000
#define ECHO_REPLY_V6 0x8100
#define UNREACHABLE 0x0301

struct world {
    struct s2_fake_env fake;
    struct s2_epochs epochs;
    struct s2_firewall *fw;
    uint64_t now_ns;
};
void world_open(struct world *w, const struct s2_firewall_limits *limits);
/* Checks that nothing is left over. */
void world_close(struct world *w);
void world_wait(struct world *w, uint64_t seconds);
struct s2_firewall_counts world_counts(struct world *w);

struct packet {
    const char *from, *to;
    uint8_t protocol;
    uint16_t source, destination; /* ports; ICMP: type and code, identifier */
    uint8_t flags;                /* TCP's */
    bool fragment, first;
    uint32_t id;
    const struct packet *quote; /* ICMP errors */
    size_t cut;                 /* not 0: the transport header has only so many bytes */
};
/* What s2_firewall_packet borrows. */
struct wire {
    s2svpn_address source, destination;
    uint8_t transport[128];
    struct s2_firewall_packet packet;
};
void wire_write(struct wire *wire, struct s2_firewall_port *port, const struct packet *p);

enum s2svpn_drop world_send(struct world *w, enum s2_firewall_direction direction,
                            struct s2_firewall_port *port, const struct packet *p);
#define PASSES_IN(w, port, ...)                                                                    \
    (world_send(w, S2_FIREWALL_IN, port, &(struct packet){__VA_ARGS__}) == S2SVPN_DROP_NONE)
#define PASSES_OUT(w, port, ...)                                                                   \
    (world_send(w, S2_FIREWALL_OUT, port, &(struct packet){__VA_ARGS__}) == S2SVPN_DROP_NONE)

s2svpn_address addr(const char *text);
struct s2_firewall_rule rule(int protocol, int from, int to, const char *prefix);
struct s2_firewall_rule group_rule(int protocol, int from, int to, struct s2_firewall_group *g);
struct s2_firewall_rule list_rule(int protocol, int from, int to, struct s2_firewall_list *l);

/* Rules in, everything out. */
struct s2_firewall_group *new_group(struct world *w, const struct s2_firewall_rule *in, size_t n);
void set_in(struct s2_firewall_group *g, const struct s2_firewall_rule *in, size_t n);
void set_out(struct s2_firewall_group *g, const struct s2_firewall_rule *out, size_t n);
/* A port in one group, or in none. */
struct s2_firewall_port *new_port(struct world *w, const char *address,
                                  struct s2_firewall_group *g);
void free_group(struct s2_firewall_group *g);

#endif
