/* SPDX-License-Identifier: Apache-2.0 */
/* Two hosts and a pipe between them, in virtual time: it loses, repeats, delays
 * and so reorders, as its seed says. Each end sends a stream of its own pattern
 * and checks the other's. */
#ifndef S2_TESTS_TCP_NET_H
#define S2_TESTS_TCP_NET_H

#include "fake_env.h"
#include "inet/tcp.h"

struct net;

struct net_end {
    struct net *net;
    struct s2_host *host;
    struct s2_tcp *tcp;
    uint64_t to_send, sent, received; /* bytes */
    bool closes;                      /* once all is sent and as much received */
    bool opened, closed, wrong;
    enum s2_tcp_end end;
    unsigned lost_in_row;
};

struct net_packet {
    uint64_t at_ns, order;
    struct net_end *to;
    size_t len;
    uint8_t *p;
};

struct net {
    struct s2_fake_env fake;
    struct net_end end[2]; /* 0 connects to 1 */
    uint64_t now_ns, random, order;
    /* Of 1000 packets; milliseconds. No more than lost_in_row_max in one direction. */
    unsigned loss, repeat, delay, jitter, lost_in_row_max;
    bool at_once; /* no pipe: deliver before send returns */
    struct net_packet *waiting;
    size_t count, size, carried;
    uint8_t *pattern;
};

/* False if a host can't be made. */
bool net_init(struct net *net, uint64_t seed, bool ipv6);
void net_clear(struct net *net);
/* Connect; each end sends so many bytes. */
bool net_connect(struct net *net, uint64_t first, uint64_t second);
/* Until nothing is left to happen before end_ns. */
void net_run(struct net *net, uint64_t end_ns);
/* All sent, all received, nothing wrong, closed in order. */
bool net_is_done(const struct net *net);

#endif
