/* SPDX-License-Identifier: Apache-2.0 */
/* A BGP peer whose other side is the test's own hand: bytes are given to it as they
 * are, what it sends is kept and cut into messages, what it reports is kept too. */
#ifndef S2_TESTS_BGP_HAND_H
#define S2_TESTS_BGP_HAND_H

#include "bgp/peer.h"
#include "fake_env.h"
#include "harness.h"

#define HAND_OURS 0   /* the stream that the peer asked for */
#define HAND_THEIRS 1 /* the one that the hand opened */
#define HAND_SENT 262144

struct hand_stream {
    bool up, closed, aborted;
    uint8_t sent[HAND_SENT];
    size_t len;  /* sent so far */
    size_t read; /* of it, by hand_next() */
};

struct hand {
    struct s2_fake_env f;
    struct s2_bgp *bgp;
    struct s2_bgp_peer *peer;
    uint64_t now_ns;
    struct hand_stream stream[2];
    size_t room;      /* how much the streams take from now on */
    bool unconnected; /* ops.connect fails */
    unsigned connects;
    /* reports */
    enum s2_bgp_state states[64]; /* into which it went */
    size_t state_count;
    char why[128]; /* of the last */
    uint8_t code, subcode;
    bool sent; /* the notification */
    char text[256];
    unsigned restarts, restarts_over; /* graceful ones */
    unsigned notifications, announced, withdrawn, ended, end_of_ribs;
    s2svpn_prefix prefix; /* of the last route */
    struct s2_bgp_attributes attributes;
    uint32_t as_path[S2_BGP_AS_PATH_MAX];
    bool stop_in_route; /* stop the peer from inside ops.route */
};

/* 192.0.2.2 AS 65001 (the peer, under test) and 192.0.2.1 AS 64512 (the hand). */
struct s2_bgp_spec hand_spec(void);
void hand_open(struct hand *h, const struct s2_bgp_spec *spec);
/* false: no memory. */
bool hand_try(struct hand *h, const struct s2_env *env, const struct s2_bgp_spec *spec);
void hand_close(struct hand *h);
/* Let time go by; timers fire. */
void hand_wait(struct hand *h, uint64_t ns);

/* The hand's OPEN: four-octet ASNs, refresh, both families, hold time 30. */
struct s2_bgp_open hand_open_message(void);
void hand_send(struct hand *h, int stream, const void *p, size_t len);
void hand_send_open(struct hand *h, int stream, const struct s2_bgp_open *open);
void hand_send_message(struct hand *h, int stream, uint8_t type, const void *body, size_t len);
void hand_send_hex(struct hand *h, int stream, uint8_t type, const char *hex);
/* An UPDATE from the hexadecimal forms of its three parts. */
void hand_send_update(struct hand *h, const char *withdrawn, const char *attributes,
                      const char *prefixes);
/* Start, connect, up to and with OpenConfirm, or Established. */
void hand_confirm(struct hand *h, const struct s2_bgp_open *open);
void hand_establish(struct hand *h, const struct s2_bgp_open *open);

/* The next message that the peer sent: its type, 0 if there is none. */
uint8_t hand_next(struct hand *h, int stream, s2svpn_span *body);
/* Did it send this NOTIFICATION and close? */
bool hand_was_told(struct hand *h, int stream, uint8_t code, uint8_t subcode);
enum s2_bgp_state hand_state(const struct hand *h);
bool hand_has(const struct hand *h, const char *prefix);

/* "01 02ff" to bytes. */
size_t hand_hex(uint8_t *out, const char *hex);

#endif
