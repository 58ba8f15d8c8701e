/* SPDX-License-Identifier: Apache-2.0 */
/* Two peers back to back in virtual time, through pipes that delay, cut, hold back and
 * lose. What a host would see of both. */
#ifndef S2_TESTS_BGP_WORLD_H
#define S2_TESTS_BGP_WORLD_H

#include "bgp/peer.h"
#include "fake_env.h"
#include "harness.h"

#define WORLD_PIPES 8
#define WORLD_LATENCY (5 * S2_MS)

struct side;
struct world;

/* One end of a pipe is the stream of its side. */
struct end {
    struct pipe *pipe;
    struct side *side; /* NULL: the side is done with it */
    uint8_t *bytes;    /* on their way to this end */
    size_t len;
    bool closing, hungry; /* the other end closed in order; is told when there is room */
};

struct pipe {
    bool used, connected;
    uint64_t at_ns; /* of the connection */
    struct end end[2];
};

struct side {
    struct world *w;
    int number;
    struct s2_bgp *bgp;
    struct s2_bgp_peer *peer;
    bool refuses; /* no listener */
    enum s2_bgp_state state;
    char states[256], why[128], text[256];
    unsigned established, notifications, sent, received, ended, connects, end_of_ribs;
    unsigned changed, gone; /* routes, one by one */
    unsigned near_limit;
    uint32_t near_count, near_most; /* of the last */
    uint8_t code, subcode;
    size_t keepalives;
};

struct world {
    struct s2_fake_env f;
    uint64_t now_ns;
    struct side side[2];
    struct pipe pipe[WORLD_PIPES];
    size_t piece, window; /* of bytes at a time; in flight */
    bool lossy;           /* everything that is sent goes nowhere */
    uint64_t down_ns, last_sent_ns, least_gap_ns, most_gap_ns;
};

extern struct world w;

/* 64512 at 169.254.10.1 and 65001 at 169.254.10.2, both families. */
struct s2_bgp_spec world_spec(int side);
void world_open(const struct s2_bgp_spec *a, const struct s2_bgp_spec *b);
/* Two ordinary ones; side 0 waits to be found. */
void world_open_pair(void);
void world_start(void);
void world_close(void);
void world_run(uint64_t ns);
/* Every stream is reset. */
void world_cut(void);
size_t world_pipes(void);

struct s2_bgp_info world_info(int side);
bool world_both_established(void);
/* The n-th prefix of a family: 10.x.y.0/24, 2000:1:…::/48. */
s2svpn_prefix world_prefix(uint8_t family, unsigned n);
void world_advertise(int side, uint8_t family, unsigned n, uint32_t med);

#endif
