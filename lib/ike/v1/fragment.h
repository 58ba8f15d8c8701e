/* SPDX-License-Identifier: Apache-2.0 */
/* Vendors' fragmentation of IKEv1: whole messages, encrypted or not, cut into messages of
 * one FRAGMENT payload each; cutting them, and the set in which pieces wait for one
 * another. A message whose first payload is a FRAGMENT is plain whatever its flags say:
 * some peers leave the whole's encryption flag in. Nothing of a piece is authentic, so the set is bounded, and a later id takes the
 * place of an earlier one. It knows no SA. */
#ifndef S2_IKE_V1_FRAGMENT_H
#define S2_IKE_V1_FRAGMENT_H

#include "base/env.h"
#include "ike/v1/message.h"

#define S2_IKE1_FRAGMENTS_MAX 64 /* of one message */

/* NULL: none has come yet. A slot a number, so no order of arrival costs more. */
struct s2_ike1_fragments {
    uint32_t message_id;
    uint16_t id;
    uint8_t last; /* its number; 0: not known yet */
    uint8_t count;
    size_t len; /* of all pieces */
    struct {
        uint8_t *p; /* NULL: not there yet */
        size_t len;
    } part[S2_IKE1_FRAGMENTS_MAX];
};

/* One more piece, copied. One that is there already is passed over. One of another id or
 * message drops all that is there; so does one that contradicts it (behind the last one,
 * another last one, a last one before others), or a stray piece would block what the peer
 * sends again. E_LIMIT if the number is above S2_IKE1_FRAGMENTS_MAX or all together would be
 * longer than limit; E_MALFORMED for number 0 and empty pieces. A failure changes nothing. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_fragments_add(const struct s2_env *env,
                                                     struct s2_ike1_fragments **set,
                                                     const struct s2_ike1_fragment *f,
                                                     size_t limit);
bool s2_ike1_fragments_complete(const struct s2_ike1_fragments *set); /* NULL: no */
/* The whole of a complete set, given to the caller (s2_free); the set is freed, whatever
 * comes out. It is a message from its header on, and foreign bytes like any other. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_fragments_take(const struct s2_env *env,
                                                      struct s2_ike1_fragments **set, uint8_t **p,
                                                      size_t *len);
void s2_ike1_fragments_free(const struct s2_env *env, struct s2_ike1_fragments **set);

/* Cutting: how many messages of at most size bytes carry this one; 1: it fits as it is; 0:
 * it can't be cut (size too small, more than S2_IKE1_FRAGMENTS_MAX). */
size_t s2_ike1_split_count(size_t len, size_t size);
/* Fragment number (from 1) of them, as a message of its own with the whole one's cookies,
 * exchange and message id. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_split_write(struct s2_writer *w, s2svpn_span message,
                                                   size_t size, uint16_t id, uint8_t number);

#endif
