/* SPDX-License-Identifier: Apache-2.0 */
/* Fragments of one protected message: the numbers in their SKF payloads, and the set
 * in which they wait for one another. Only authentic, decrypted ones go in. It knows
 * no SA and no window. RFC 7383 sections 2.5, 2.6. */
#ifndef S2_IKE_FRAGMENT_H
#define S2_IKE_FRAGMENT_H

#include "base/env.h"
#include "ike/message.h"

#define S2_IKE_FRAGMENTS_MAX 64 /* of one message */

/* SKF, RFC 7383 section 2.5, before the IV. E_MALFORMED for numbers that can't be,
 * E_LIMIT above S2_IKE_FRAGMENTS_MAX; out is untouched then. */
struct s2_ike_skf {
    uint16_t number, total; /* from 1 */
};
S2SVPN_NODISCARD s2svpn_status s2_ike_parse_skf(struct s2_reader *r, struct s2_ike_skf *out);

struct s2_ike_fragment {
    struct s2_ike_skf skf;
    uint8_t exchange, first; /* first: type of the first inner payload, of number 1 */
    uint64_t hash;           /* of the datagram */
    s2svpn_span plain;       /* copied */
};

/* NULL: none has come yet. A slot a number, so no order of arrival costs more than
 * another. */
struct s2_ike_fragments {
    uint16_t total, count;
    uint8_t exchange, first;
    uint64_t hash; /* of number 1 */
    size_t len;    /* of all parts */
    struct {
        uint8_t *p; /* NULL: not there yet */
        size_t len;
    } part[S2_IKE_FRAGMENTS_MAX];
};

/* Would it be of use, section 2.6? Not one that is there, nor of another exchange,
 * nor of fewer pieces: the peer has cut the message anew since. Costs no crypto. */
bool s2_ike_fragments_want(const struct s2_ike_fragments *set, uint8_t exchange,
                           const struct s2_ike_skf *skf);
/* One that is wanted. One of more pieces replaces all that is there. E_LIMIT if all
 * together would be longer than limit. A failure changes nothing. */
S2SVPN_NODISCARD s2svpn_status s2_ike_fragments_add(const struct s2_env *env,
                                                    struct s2_ike_fragments **set,
                                                    const struct s2_ike_fragment *f, size_t limit);
bool s2_ike_fragments_complete(const struct s2_ike_fragments *set); /* NULL: no */
/* The whole of a complete set, given to the caller; the set is freed, whatever comes
 * out: after E_MEMORY a retransmit must find it empty. */
S2SVPN_NODISCARD s2svpn_status s2_ike_fragments_take(const struct s2_env *env,
                                                     struct s2_ike_fragments **set, uint8_t **p,
                                                     size_t *len);
void s2_ike_fragments_free(const struct s2_env *env, struct s2_ike_fragments **set); /* wipes */

#endif
