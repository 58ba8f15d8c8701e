/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ESP: functions over security associations. No sockets, no routes, no keys of
 * its own making: RFC 4303 (ESP v3), 4106 (GCM), 3602 with 4868 (CBC and HMAC),
 * 7634 (ChaCha20), 3948 section 3.3 (what follows the UDP header), 6479 (window).
 *
 *      0                   1                   2                   3
 *     +---------------------------------------------------------------+
 *     |                              SPI                              |
 *     |                     sequence number (low 32)                  |
 *     |                         IV  (8 or 16 bytes)                   |
 *     +------------------------- encrypted ---------------------------+
 *     |   inner packet (piece[0], piece[1])  |  pad 1,2,3… | len | nh |
 *     +---------------------------------------------------------------+
 *     |                              ICV                              |
 *     +---------------------------------------------------------------+
 *
 * A batch is an array of packets that may belong to different SAs. Sealing gives
 * out sequence numbers in the array's order; opening checks the window twice,
 * before the crypto (cheap refusal) and after it (two copies in one batch), and
 * moves it only for packets whose ICV was right.
 *
 * An SA is owned by one worker; nothing here locks. Its counters are written by
 * the owner and may be read by any thread (relaxed atomics).
 */
#ifndef S2_ESP_ESP_H
#define S2_ESP_ESP_H

#include <stdatomic.h>

#include "base/env.h"
#include "s2svpn/crypto.h"
#include "s2svpn/drop.h"

#define S2_ESP_BATCH 128       /* packets in one call; larger arrays go in slices */
#define S2_ESP_WINDOW_MAX 8192 /* packets; a multiple of 64 */
#define S2_ESP_HEADER_LEN 8    /* SPI and sequence number */
/* ESN: after so many packets in a row with a wrong ICV one is tried as of a later
 * subspace, RFC 4303 appendix A3; up to so many ahead, one a try; packets up to so long. */
#define S2_ESP_RETRY_AFTER 64
#define S2_ESP_LEAPS 4
#define S2_ESP_RETRY_LEN 2048

struct s2_esp_suite {
    uint16_t encr; /* enum s2svpn_encr */
    uint16_t key_bits;
    uint16_t integ; /* enum s2svpn_integ; NONE with an AEAD */
};

/* What packets look like under a suite: all that MTU arithmetic needs. */
struct s2_esp_form {
    uint16_t iv_len, icv_len, block_len; /* block_len at least 4, RFC 4303 section 2.4 */
};

struct s2_esp_spec {
    struct s2_esp_suite suite;
    uint32_t spi;
    bool outbound;
    bool esn;
    uint32_t window; /* inbound: packets, 64 to S2_ESP_WINDOW_MAX, rounded up to 64; 0: no check */
    uint64_t soft_packets, hard_packets; /* 0: none; a suite's safe limit applies in any case */
    uint64_t soft_bytes, hard_bytes;     /* of inner packets */
    s2svpn_span encr_key, integ_key;     /* borrowed for the call */
};

struct s2_esp_counters {
    _Atomic uint64_t packets, bytes; /* inner packets that passed */
    _Atomic uint64_t drops;
    _Atomic uint64_t last_ns; /* when the last packet passed; 0: never */
};

struct s2_esp_sa {
    const void *session; /* the backend's */
    struct s2_esp_form form;
    uint32_t spi;
    bool outbound, esn, window_used;
    bool soft_reported, hard_reported; /* the owner sets them when it has told control */
    uint8_t leap;                      /* inbound, ESN: subspaces ahead that the next try is at */
    uint32_t strangers;                /* inbound, ESN: packets in a row with a wrong ICV */
    uint64_t seq;                      /* outbound: last given out; inbound: highest accepted */
    uint64_t begun;                    /* outbound: inner bytes of all packets that got a number */
    uint64_t soft_packets, hard_packets, soft_bytes, hard_bytes; /* never 0 inside */
    struct s2_esp_counters counters;
    uint32_t window;      /* packets */
    uint32_t bitmap_mask; /* words of the ring, a power of two, less 1 */
    uint64_t *bitmap;     /* RFC 6479 ring, behind the struct */
    const s2svpn_crypto_ops *crypto;
    void *crypto_user;
};

/* E_UNSUPPORTED if the backend lacks the suite, E_ARGUMENT for SPI 0, wrong key
 * lengths or window. An outbound SA ignores the window. The SA starts at sequence number 0; its first packet carries 1. */
S2SVPN_NODISCARD s2svpn_status s2_esp_sa_new(const struct s2_env *env,
                                             const s2svpn_crypto_ops *crypto, void *crypto_user,
                                             const struct s2_esp_spec *spec, struct s2_esp_sa **sa);
void s2_esp_sa_free(const struct s2_env *env, struct s2_esp_sa *sa); /* NULL allowed; wipes */

/* The row of a suite's algorithm (one that is for ESP), or NULL. Used by SA creation and by IKE's
 * callers to size keys. */
const s2svpn_algorithm *s2_esp_algorithm(const s2svpn_crypto_ops *crypto, uint8_t type, uint16_t id,
                                         uint16_t key_bits);
S2SVPN_NODISCARD s2svpn_status s2_esp_form_of(const s2svpn_crypto_ops *crypto,
                                              const struct s2_esp_suite *suite,
                                              struct s2_esp_form *form);
/* Length of the ESP packet that carries len inner bytes. */
size_t s2_esp_sealed_len(const struct s2_esp_form *form, size_t len);
/* The longest inner packet whose outside IP packet is at most mtu: outside header
 * outer_header_len (20 or 40) and, with udp, 8 bytes. AWS.md's table C2 at 1500. */
size_t s2_esp_inner_mtu(const struct s2_esp_form *form, size_t mtu, size_t outer_header_len,
                        bool udp);
/* Will the next packet go beyond the soft limit (or close to the sequence's end)? */
bool s2_esp_soft_limit(const struct s2_esp_sa *sa);

/* The crypto lane of one worker: its backend state and scratch for a batch. */
struct s2_esp_lane {
    const s2svpn_crypto_ops *crypto;
    void *crypto_user;
    void *crypto_worker;
    s2svpn_esp_op op[S2_ESP_BATCH];
    uint16_t index[S2_ESP_BATCH];
    uint8_t trailer[S2_ESP_BATCH][36]; /* padding up to 16 + length + next header, room to spare */
    uint8_t retry[S2_ESP_RETRY_LEN];   /* ciphertext that will be opened twice; see open.c */
};
S2SVPN_NODISCARD s2svpn_status s2_esp_lane_init(struct s2_esp_lane *lane,
                                                const s2svpn_crypto_ops *crypto, void *crypto_user);
void s2_esp_lane_clear(struct s2_esp_lane *lane);

/* One packet to seal. The caller fills the first group; the engine the second. */
struct s2_esp_seal {
    struct s2_esp_sa *sa; /* outbound */
    s2svpn_span piece[2]; /* inner header and payload, or one of them empty */
    uint8_t *out;         /* where the ESP header goes; room for s2_esp_sealed_len() */
    size_t room;
    uint8_t next_header; /* 4 IPv4, 41 IPv6, 59 dummy */

    size_t len;   /* of the ESP packet; 0 if dropped (out then holds nothing of use) */
    uint8_t drop; /* enum s2svpn_drop; NONE: sealed */
};
/* A piece may lie in its own place in out (behind header and IV) only if the other
 * one is empty. */
void s2_esp_seal(struct s2_esp_lane *lane, struct s2_esp_seal *v, size_t n, uint64_t now_ns);

/* One packet to open. */
struct s2_esp_open {
    struct s2_esp_sa *sa; /* inbound, found by the caller with s2_esp_peek_spi */
    const uint8_t *p;     /* at the SPI */
    size_t len;
    uint8_t *out; /* room for len bytes; may be the ciphertext's own place: inside p */

    bool newest;         /* its number is higher than all before: no one sent it again later */
    s2svpn_span inner;   /* the inner packet, at out; empty if dropped */
    uint8_t next_header; /* 4 or 41 */
    uint8_t drop;
};
void s2_esp_open(struct s2_esp_lane *lane, struct s2_esp_open *v, size_t n, uint64_t now_ns);

/* The SPI of an ESP packet; false if it is too short to have one and a sequence number. */
bool s2_esp_peek_spi(const uint8_t *p, size_t len, uint32_t *spi);

/* esp/replay.c, for the tests and s2_esp_open: RFC 6479. */
bool s2_esp_replay_ok(const struct s2_esp_sa *sa, uint64_t seq);
void s2_esp_replay_accept(struct s2_esp_sa *sa, uint64_t seq);
/* The 64-bit number that a low half most likely stands for, RFC 4303 appendix A2. */
uint64_t s2_esp_replay_extend(const struct s2_esp_sa *sa, uint32_t low);

/* Add to a counter of the caller's own: one writer, any readers. */
static inline void s2_esp_count(_Atomic uint64_t *counter, uint64_t n)
{
    const uint64_t v = atomic_load_explicit(counter, memory_order_relaxed);

    atomic_store_explicit(counter, v + n, memory_order_relaxed);
}
static inline uint64_t s2_esp_counted(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif
