/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine behind ike.h: its tables, and the one door in and out. Private to
 * the room.
 *
 * Every public call and every timer passes s2_ike_enter and s2_ike_leave. What
 * it finds out it writes into the SA and marks the SA as touched; the outermost
 * leave works off the touched ones (finished jobs, the next exchange, deadlines)
 * and then frees the dead. So a callback may call anything: a nested call changes
 * state at once, and no SA is freed under the feet of the code that called back.
 */
#ifndef S2_IKE_ENGINE_H
#define S2_IKE_ENGINE_H

#include "base/hash.h"
#include "base/list.h"
#include "base/timer.h"
#include "ike/ike.h"
#include "ike/keys.h"

#define S2_IKE_COOKIE_LEN 17 /* the secret's version, then a hash */
#define S2_IKE_COOKIE_SECRET_LEN 32

struct s2_ike_sa;

/* All IKE SAs of one tunnel; lives as long as there is one. */
struct s2_ike_owner {
    struct s2_table_node node;
    void *owner;
    struct s2_link sas; /* oldest first */
    size_t count;
    uint32_t children_made; /* by IKEv1 */
};

struct s2_ike {
    const struct s2_env *env;
    struct s2_ike_crypto crypto;
    struct s2_ike_ops ops;
    void *user;
    struct s2_ike_options options; /* defaults filled in */
    uint64_t now_ns;               /* of the call that is being served */
    unsigned depth;                /* calls inside one another */

    struct s2_table by_spi;  /* by the SPI that we chose */
    struct s2_table by_init; /* responders, by the first message's SPI and source */
    struct s2_table owners;
    /* Responders before IKE_AUTH, oldest first: those whose source may be anybody's
     * invention, and those that have shown that they receive there. */
    struct s2_link half_open, half_returned;
    uint32_t returned; /* how many are in half_returned */
    struct s2_link touched, dead;
    struct s2_ike_counters counters;

    /* Cookies, RFC 7296 section 2.6: the current secret and the one before. */
    uint8_t cookie_secret[2][S2_IKE_COOKIE_SECRET_LEN];
    uint8_t cookie_version;
    uint64_t cookie_made_ns; /* 0: none yet */

    /* What unauthenticated messages may cause has a pace: not before these. */
    uint64_t plain_reply_at_ns, plain_note_at_ns;
    uint64_t refusal_note_at_ns; /* paces the lines on refused IKE_AUTH */
};

/* One more of something that may come in a burst, and after that once a gap? at runs ahead of
 * the clock by a gap each time; 0 in the beginning. */
static inline bool s2_ike_pace(uint64_t *at, uint64_t now_ns, uint64_t gap_ns, unsigned burst)
{
    if (*at > s2_after(now_ns, (burst - 1) * gap_ns))
        return false;
    *at = s2_after(*at < now_ns ? now_ns : *at, gap_ns);
    return true;
}

void s2_ike_enter(struct s2_ike *ike, uint64_t now_ns);
void s2_ike_leave(struct s2_ike *ike);

/* cookie.c: stateless; the initiator brings it back. E_AUTHENTICATION if it isn't
 * one of ours for this nonce, address and SPI. */
S2SVPN_NODISCARD s2svpn_status s2_ike_cookie_make(struct s2_ike *ike, s2svpn_span nonce,
                                                  const s2svpn_address *remote, uint64_t spi_i,
                                                  uint8_t out[S2_IKE_COOKIE_LEN]);
S2SVPN_NODISCARD s2svpn_status s2_ike_cookie_check(struct s2_ike *ike, s2svpn_span cookie,
                                                   s2svpn_span nonce, const s2svpn_address *remote,
                                                   uint64_t spi_i);

/* words.c: "AES_CBC_256/HMAC_SHA2_256_128/MODP_2048, ...", cut if it must. */
void s2_ike_print_offer(const struct s2_ike_sa_payload *offer, char *out, size_t size);
/* "MODP_2048"; "?" for a number without name. */
const char *s2_ike_transform_name(uint8_t type, uint16_t id);

#endif
