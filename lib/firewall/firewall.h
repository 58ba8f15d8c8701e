/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security groups: which packets may leave and reach a port. Stateful, allow only, as
 * AWS defines them; no routes, no objects with names. Packets are plain fields here:
 * who reads IP headers fills them in.
 *
 *      control's thread                     workers, inside an epoch
 *   group ── rules in, rules out ─┐
 *     │ members (addresses)       ├─ published, replaced whole, retired ──> match
 *   prefix list ──────────────────┤                                          │
 *   port ── up to 5 groups ───────┘                                          ▼
 *                              generation ──────────────> s2_firewall_check: flows
 *
 * A packet of a flow that is known passes, whatever the rules of its direction say;
 * any other is judged by the rules of the port's groups: nothing matches, it is
 * refused. A group that is made has no rules; s2_firewall_allow_all() is what AWS gives
 * it for its way out.
 *
 * Flows belong to a port: its end is "local", so that both directions of a flow, and
 * no other port's, find the same entry. Between two ports of a VPC a flow has two.
 *
 *   TCP     opening ─answer─> answered ─opener─> established ─FIN─> … ─FIN, RST─> closing
 *   UDP     one way ─answer─> answered ─opener─> again ─answer─> stream
 *   ICMP    a request opens a flow for its replies (by type and identifier); errors
 *           that quote a packet of a known flow pass; all else is judged each time
 *   others  addresses and protocol number
 *
 * TCP in the middle of a connection that isn't known is judged as any packet. A TCP SYN
 * from the side that answers, in a connection that is past its opening, is judged as an
 * opening one of its own.
 *
 * Every change of rules, members, lists or a port's groups makes a new generation. A
 * flow that was judged in an older one is judged again, by the packet that opened it,
 * when its next packet comes. AWS lets what it tracks run on; here changes apply to the
 * next packet. A flow that is no longer allowed stays known as refused, both ways, until
 * it is quiet: otherwise what its other end still sends would open it anew.
 *
 * Fragments: the first has the ports and is judged; those behind it are judged by its
 * ports, if it passed. One that comes before the first is refused.
 *
 * Timeouts are AWS's where it names any: TCP established 350 s (its newer interfaces';
 * 432000 s on older ones), UDP 30 s, UDP streams, which have seen more than one request
 * and response, 180 s, protocols without ports 600 s. Others are ours.
 *
 * The table is bounded, and so is what a port may have of it. Where there is no room,
 * the oldest flow that is closing or has been seen one way only gives way; if there is
 * none, the packet is refused: flows that are in use aren't pushed out.
 *
 * Memory: entries are made in chunks when first used, and kept. No call of a worker
 * allocates otherwise. Locks: one a shard, held for the packets of a batch that belong
 * there, spinning; rules are read without any.
 */
#ifndef S2_FIREWALL_FIREWALL_H
#define S2_FIREWALL_FIREWALL_H

#include "base/env.h"
#include "base/epoch.h"
#include "s2svpn/drop.h"

#define S2_FIREWALL_PORT_GROUPS 5       /* AWS's quota, security groups per interface */
#define S2_FIREWALL_RULES_MAX 1000      /* a group and direction; AWS's quota is 60 */
#define S2_FIREWALL_PREFIXES_MAX 1000   /* of a list */
#define S2_FIREWALL_ADDRESSES_MAX 256   /* of a port */
#define S2_FIREWALL_MEMBERS_MAX 1000000 /* addresses of a group's ports */
#define S2_FIREWALL_BATCH 64            /* packets that are worked on together */

/* Seen from the port: what its owner receives, and what it sends. */
enum s2_firewall_direction { S2_FIREWALL_IN, S2_FIREWALL_OUT };

struct s2_firewall;
struct s2_firewall_group;
struct s2_firewall_list;
struct s2_firewall_port;

/* ---- the firewall: generation and flows. One a context. */

struct s2_firewall_limits {
    uint32_t flows;      /* 0: 262144 */
    uint32_t port_flows; /* of one port; 0: a quarter of flows */
    /* Seconds; 0: the default. AWS's ranges: 60 to 432000, 30 to 60, 60 to 180. */
    uint32_t tcp_established_s, udp_s, udp_stream_s;
};

struct s2_firewall_counts {
    uint64_t flows;   /* now, those that are past their time but not yet found so too */
    uint64_t opened;  /* since the beginning, as the rest */
    uint64_t expired; /* quiet for too long */
    uint64_t evicted; /* gave way to others */
    uint64_t full;    /* packets refused for want of room */
    uint64_t revoked; /* flows that rules no longer allow */
};

/* limits NULL: the defaults. env and epochs outlive the firewall. */
S2SVPN_NODISCARD s2svpn_status s2_firewall_new(const struct s2_env *env, struct s2_epochs *epochs,
                                               const struct s2_firewall_limits *limits,
                                               struct s2_firewall **out);
/* No worker may be inside; groups, lists and ports are gone. Accepts NULL. Frees what
 * the epochs still hold (s2_epochs_clear). */
void s2_firewall_free(struct s2_firewall *fw);
/* Forget flows that are past their time: housekeeping, every few seconds, from any one
 * thread. Flows are right without it; ports are then held to their limit by old ones. */
void s2_firewall_expire(struct s2_firewall *fw, uint64_t now_ns);
void s2_firewall_get_counts(struct s2_firewall *fw, struct s2_firewall_counts *out);

/* ---- rules; all of this is the control thread's. A failed call changes nothing. */

#define S2_FIREWALL_ANY (-1)

struct s2_firewall_rule {
    int16_t protocol; /* a number, or S2_FIREWALL_ANY */
    /* TCP and UDP: first and last port. ICMP, ICMPv6: type and code, each may be
     * S2_FIREWALL_ANY (a code needs a type). Not looked at for others. */
    int32_t from, to;
    /* The other end, one of: */
    s2svpn_prefix prefix;            /* if both below are NULL */
    struct s2_firewall_group *group; /* the addresses of its ports; borrowed, held */
    struct s2_firewall_list *list;   /* borrowed, held */
};
/* Everything to everywhere, of both families: AWS's rules out of a new group. */
void s2_firewall_allow_all(struct s2_firewall_rule rules[2]);

S2SVPN_NODISCARD s2svpn_status s2_firewall_group_new(struct s2_firewall *fw,
                                                     struct s2_firewall_group **out);
/* E_IN_USE while a port has the group, or another group's rule names it; its own may. */
S2SVPN_NODISCARD s2svpn_status s2_firewall_group_free(struct s2_firewall_group *group);
/* Does a port have it, or another group's rule name it? */
bool s2_firewall_group_in_use(const struct s2_firewall_group *group);
/* The group's rules of one direction, replaced whole. E_ARGUMENT with the rule's number
 * for what isn't a rule; E_LIMIT. The rules are copied. */
S2SVPN_NODISCARD s2svpn_status s2_firewall_group_set_rules(struct s2_firewall_group *group,
                                                           enum s2_firewall_direction direction,
                                                           const struct s2_firewall_rule *rules,
                                                           size_t count);

/* Prefix lists. */
S2SVPN_NODISCARD s2svpn_status s2_firewall_list_new(struct s2_firewall *fw,
                                                    struct s2_firewall_list **out);
/* E_IN_USE while a rule names it. */
S2SVPN_NODISCARD s2svpn_status s2_firewall_list_free(struct s2_firewall_list *list);
S2SVPN_NODISCARD s2svpn_status s2_firewall_list_set(struct s2_firewall_list *list,
                                                    const s2svpn_prefix *prefixes, size_t count);

/* ---- ports: a network interface. A port without groups refuses everything; one that
 * nothing is to be checked for has none of these. */

S2SVPN_NODISCARD s2svpn_status s2_firewall_port_new(struct s2_firewall *fw,
                                                    struct s2_firewall_port **out);
/* Its flows end; what workers hold of it is freed by the epochs. Accepts NULL. */
void s2_firewall_port_free(struct s2_firewall_port *port);
S2SVPN_NODISCARD s2svpn_status s2_firewall_port_set_groups(struct s2_firewall_port *port,
                                                           struct s2_firewall_group *const *groups,
                                                           size_t count);
/* What rules that name a group of the port's mean by it. */
S2SVPN_NODISCARD s2svpn_status s2_firewall_port_set_addresses(struct s2_firewall_port *port,
                                                              const s2svpn_address *addresses,
                                                              size_t count);

/* ---- packets */

struct s2_firewall_packet {
    struct s2_firewall_port *port;              /* as the worker found it in what is published */
    const s2svpn_address *source, *destination; /* of one family */
    uint8_t protocol;                           /* of the transport */
    bool fragment;                              /* any fragment */
    bool first_fragment;                        /* has the transport header */
    uint32_t fragment_id;                       /* of a fragment: the IP header's, or the
                                                 * fragment header's identification */
    /* Where the transport header is there: ports; ICMP: type and code, and the
     * identifier of what has one. Otherwise 0. */
    uint16_t source_port, destination_port;
    s2svpn_span transport; /* from the transport header to the packet's end */
    enum s2svpn_drop drop; /* set: NONE, it passes; SECURITY_GROUP; TRACKING_FULL */
};
/* Judge packets, which all leave (OUT: before they are routed) or all reach (IN: when
 * they are delivered) their ports. Any number; their ports may differ. In a superpacket
 * the header is looked at. The caller is inside an epoch. Returns how many pass.
 *
 * @threads  any number of workers at a time. */
size_t s2_firewall_check(struct s2_firewall *fw, enum s2_firewall_direction direction,
                         struct s2_firewall_packet *p, size_t n, uint64_t now_ns);

#endif
