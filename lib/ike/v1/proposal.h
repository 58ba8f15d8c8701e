/* SPDX-License-Identifier: Apache-2.0 */
/* IKEv1's proposals: what we offer, what we choose, whether an answer is one that we may
 * have got; and the numbers that IKEv1 and the crypto seam call differently. Bytes are
 * message.h's. RFC 2409 sections 5 and 5.5, appendix A; RFC 2407 section 4.5. */
#ifndef S2_IKE_V1_PROPOSAL_H
#define S2_IKE_V1_PROPOSAL_H

#include "ike/v1/message.h"

/* What was agreed, in the crypto seam's numbers (IKEv2's). */
struct s2_ike1_suite {
    uint16_t encr, key_bits;
    uint16_t integ;           /* phase 2; NONE with an AEAD */
    uint16_t prf, hash;       /* phase 1: the same function as a PRF (HMAC) and plain */
    uint16_t ke;              /* phase 2: PFS group, NONE without PFS */
    uint16_t encapsulation;   /* phase 2: enum s2_ike1_encapsulation */
    uint32_t life_s, life_kb; /* as offered (choose) or the smaller (check); 0: not said */
};
/* What we would agree to. */
struct s2_ike1_terms {
    const s2svpn_crypto_ops *crypto; /* choices that it lacks are left out */
    const struct s2_ike_choices *choices;
    uint8_t protocol;         /* ISAKMP: phase 1; ESP: phase 2 */
    bool udp;                 /* phase 2: NAT-T is on, tunnels go in UDP */
    bool draft;               /* phase 2: our offer says so with the drafts' number */
    uint32_t life_s, life_kb; /* of our offer; 0: not said */
};
/* Our offer: one proposal with a transform for every combination in the choices' order
 * (cipher, then hash or integrity, then group) until the payload is full. Phase 2 has one
 * group in all, choices->ke's first that the backend has (RFC 2409 section 5.5), *ke (NONE:
 * no PFS); ke may be NULL. Integ of phase 1 is the PRF's hash. spi: empty for phase 1, 4
 * bytes for ESP. E_UNSUPPORTED, and nothing in out, if nothing is left. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_offer(const struct s2_ike1_terms *terms, s2svpn_span spi,
                                             struct s2_ike1_sa_payload *out, uint16_t *ke);
/* The responder's choice: the first by our order that the peer offers. answer holds the
 * one transform with its attributes as received (RFC 2409 section 5), the proposal with
 * its number and still the peer's SPI, to be read and then replaced by ours. E_NOT_FOUND:
 * none; suite and answer are untouched. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_choose(const struct s2_ike1_terms *terms,
                                              const struct s2_ike1_sa_payload *offer,
                                              struct s2_ike1_suite *suite,
                                              struct s2_ike1_sa_payload *answer);
/* The initiator's check: the answer is one proposal with one transform, and that is one
 * that we offered: the same protocol, algorithms, group, mode. Lifetimes alone may differ:
 * the smaller counts, so that none grows. E_NOT_FOUND if it isn't so; suite is untouched.
 * The peer's SPI stands in answer->proposal[0]. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_check_answer(const struct s2_ike1_sa_payload *offer,
                                                    const struct s2_ike1_sa_payload *answer,
                                                    struct s2_ike1_suite *suite);

/* ---- numbers (numbers.c) */

/* PRF is the hash of phase 1 as the seam's PRF, HASH the same one plain. */
enum s2_ike1_number {
    S2_IKE1_NUMBER_ENCR, /* of phase 1 */
    S2_IKE1_NUMBER_PRF,
    S2_IKE1_NUMBER_HASH,
    S2_IKE1_NUMBER_ESP,
    S2_IKE1_NUMBER_INTEG,
    S2_IKE1_NUMBER_GROUP,
};
/* IKEv1's number of what the seam calls so, and back. 0: there is none. */
uint16_t s2_ike1_number(enum s2_ike1_number what, uint16_t ours);
uint16_t s2_ike1_number_back(enum s2_ike1_number what, uint16_t ikev1);

/* "AES_CBC_128/PRF_HMAC_SHA1/MODP_1024, ...", cut if it must (words.c). */
void s2_ike1_print_offer(const struct s2_ike1_sa_payload *offer, char *out, size_t size);

#endif
