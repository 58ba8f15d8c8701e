/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of bgp-collector share. */
#ifndef S2_EXAMPLES_COLLECTOR_H
#define S2_EXAMPLES_COLLECTOR_H

#include <stdint.h>
#include <sys/socket.h>

#include <s2svpn/s2svpn.h>

#include "policy.h"

#define PEERS_MAX 64
#define ADVERTISED_MAX 1024

struct collector {
    struct event_base *base;
    struct event *timer;
    s2svpn_bgp *bgp;
    s2svpn_bgp_peer_spec spec; /* but for the addresses */
    struct peer {
        struct collector *collector;
        s2svpn_bgp_peer *bgp;
        struct sockaddr_storage address;
        socklen_t address_len;
        char name[S2SVPN_ENDPOINT_TEXT];
        uint64_t up_ns;
    } peer[PEERS_MAX];
    size_t peer_count;
    s2svpn_prefix advertise[ADVERTISED_MAX];
    size_t advertise_count;
    uint32_t until; /* end when a peer's table is complete with so many prefixes; 0: don't */
    const char *import_file, *export_file;
    struct policy *import, *export; /* NULL: none */
    bool json, quiet, done;
};

struct stream {
    struct peer *peer;
    struct bufferevent *bytes;
    bool ours, up, closing;
};

/* main.c */
uint64_t collector_now(void);
/* Says why on standard error and ends the program. */
void collector_die(const char *what, const char *why);
s2svpn_address collector_address(const struct sockaddr_storage *from);

/* table.c */
void table_print(struct collector *c);

/* streams.c: a TCP connection, or one that is to be opened (number -1); NULL: no memory. */
struct stream *stream_new(struct peer *p, int number, bool ours);
void stream_free(struct stream *s);
extern const s2svpn_bgp_ops collector_ops;

#endif
