/* SPDX-License-Identifier: Apache-2.0 */
/* What workers read of groups, lists and ports: each value is immutable once it is
 * published, replaced whole, and retired. */
#ifndef S2_FIREWALL_RULES_H
#define S2_FIREWALL_RULES_H

#include "firewall/firewall.h"

/* An address of either family as two words; IPv4 has the upper half of the first. */
struct s2_firewall_words {
    uint64_t high, low;
};
struct s2_firewall_words s2_firewall_words_of(const s2svpn_address *a);

struct s2_firewall_net {
    struct s2_firewall_words value, mask;
    uint8_t family;
};

/* The addresses of a group's ports, sorted; one that two ports have is there twice. One
 * that has left is only marked: who leaves needs no memory. */
struct s2_firewall_member {
    s2svpn_address address;
    atomic_bool gone;
};
struct s2_firewall_members {
    struct s2_retired retired;
    size_t count, live;
    struct s2_firewall_member member[];
};
/* The first that isn't below the address, or count. */
size_t s2_firewall_member_at(const struct s2_firewall_members *m, const s2svpn_address *a);

struct s2_firewall_prefixes {
    struct s2_retired retired;
    size_t count;
    struct s2_firewall_net net[];
};

struct s2_firewall_compiled {
    struct s2_firewall_net net;
    bool any_protocol, any_ports;
    uint8_t protocol;
    uint16_t first, last; /* ports; ICMP: type << 8 | code */
    struct s2_firewall_group *group;
    struct s2_firewall_list *list;
};

struct s2_firewall_rules {
    struct s2_retired retired;
    size_t count;
    struct s2_firewall_compiled rule[];
};

struct s2_firewall_group {
    struct s2_retired retired;
    struct s2_firewall *fw;
    size_t ports, named; /* that have it; that name it in rules of others */
    _Atomic(struct s2_firewall_members *) members; /* NULL: none */
    _Atomic(struct s2_firewall_rules *) rules[2];  /* by direction; NULL: none */
};

struct s2_firewall_list {
    struct s2_retired retired;
    struct s2_firewall *fw;
    size_t named;
    _Atomic(struct s2_firewall_prefixes *) prefixes;
};

struct s2_firewall_groups {
    struct s2_retired retired;
    size_t count;
    struct s2_firewall_group *group[S2_FIREWALL_PORT_GROUPS];
};

struct s2_firewall_port {
    struct s2_retired retired;
    struct s2_firewall *fw;
    uint64_t serial;                             /* no other port ever has it */
    _Atomic uint32_t flows;                      /* entries of the table */
    _Atomic(struct s2_firewall_groups *) groups; /* NULL: none */
    s2svpn_address *address;                     /* the control thread's */
    size_t addresses;
};

/* One packet, as rules see it. */
struct s2_firewall_subject {
    const s2svpn_address *remote;
    uint8_t protocol;
    uint16_t value; /* local port of what comes in, remote of what goes out; ICMP: type, code */
};
bool s2_firewall_allows(const struct s2_firewall_port *port, enum s2_firewall_direction direction,
                        const struct s2_firewall_subject *s);

/* rules.c, for group.c. The compiled rules aren't published yet. E_ARGUMENT, E_MEMORY. */
S2SVPN_NODISCARD s2svpn_status s2_firewall_compile(const struct s2_env *env,
                                                   const struct s2_firewall_rule *rules,
                                                   size_t count, struct s2_firewall_rules **out);
struct s2_firewall_net s2_firewall_net_of(const s2svpn_prefix *p);
bool s2_firewall_prefix_valid(const s2svpn_prefix *p);

#endif
