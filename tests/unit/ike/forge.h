/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that no honest engine sends, with the keys of one that is: for tests in
 * which end 0 of a pair misbehaves and end 1 is looked at. */
#ifndef S2_TESTS_IKE_FORGE_H
#define S2_TESTS_IKE_FORGE_H

#include "ike/pair.h"
#include "ike/sa.h"
#include "ike/v2/v2.h"

/* ---- looking at answers */

/* The last datagram to end 0, once the filter is in place. */
extern uint8_t s2_forge_last_answer[4096];
extern size_t s2_forge_last_len;
bool s2_forge_keep_last(struct s2_pair *p, struct s2_pair_datagram *d); /* a filter */
/* Its payloads, decrypted in place with the keys of sa, the receiver, if it is sealed. */
bool s2_forge_open_last(struct s2_ike_sa *sa, struct s2_ike_payloads *list);
/* The error that it tells; 0: none; 65535: it can't be read. */
uint16_t s2_forge_told(struct s2_ike_sa *sa);

/* ---- pairs in a certain state */

/* Up, with the filter in place. */
bool s2_forge_connect(struct s2_pair *p, uint64_t seed);
struct s2_ike_sa *s2_forge_sa(struct s2_pair *p, unsigned number);
/* An initiator up to IKE_AUTH, whose own request is held back: p is manual. */
struct s2_ike_sa *s2_forge_half_open(struct s2_pair *p, uint64_t seed);

/* ---- sending. begin, add what you like, send */

extern struct s2_ike_compose s2_forge_compose;
struct s2_ike_compose *s2_forge_begin(struct s2_ike_sa *sa, uint8_t exchange);
/* As the SA's next request. */
void s2_forge_send(struct s2_pair *p, struct s2_ike_sa *sa, uint8_t exchange);
/* Straight to end 1, with the initiator's keys, past the SA's own window. */
enum s2svpn_drop s2_forge_give_sealed(struct s2_pair *p, struct s2_ike_sa *sa);

void s2_forge_add_delete(struct s2_ike_compose *c, uint8_t protocol, const uint32_t *spi,
                         uint16_t n);
void s2_forge_add_rekey(struct s2_ike_compose *c, uint8_t protocol, s2svpn_span spi);
/* The parts of a CREATE_CHILD_SA request for a child; bits say which. */
enum s2_part {
    S2_PART_SA = 1,
    S2_PART_NONCE = 2,
    S2_PART_KE = 4,
    S2_PART_TSI = 8,
    S2_PART_TSR = 16,
    S2_PART_ALL = 31
};
void s2_forge_add_parts(struct s2_ike_compose *c, struct s2_ike_sa *sa, unsigned parts,
                        uint32_t spi);

/* IKE_SA_INIT requests by hand: any proposal, any parts. */
extern const struct s2_ike_proposal s2_forge_good_proposal;
enum s2svpn_drop s2_forge_init_request(struct s2_pair *p, const struct s2_ike_proposal *proposal,
                                       unsigned parts, uint16_t group, size_t value_len);

#endif
