/* SPDX-License-Identifier: Apache-2.0 */
/* IKEv1 messages that no honest engine sends, with the keys of one that is: for tests in
 * which end 0 of a pair misbehaves and end 1 is looked at. */
#ifndef S2_TESTS_IKE_V1_FORGE_H
#define S2_TESTS_IKE_V1_FORGE_H

#include "ike/v1/v1.h"
#include "ike/v1_pair.h"

/* Up. */
void s2_v1_up(struct s2_pair *p, uint64_t seed);
struct s2_ike_sa *s2_v1_sa_of(struct s2_pair *p, unsigned number);
/* Nothing has happened to the tunnel, and it can still do all it could. Closes the pair. */
void s2_v1_unharmed(struct s2_pair *p, const char *row);

/* ---- sending: begin, add what you like, give */

extern struct s2_ike1_compose s2_v1_forged;
void s2_v1_begin_sealed(const struct s2_ike_sa *sa, uint8_t exchange, uint32_t id);
void s2_v1_add(uint8_t type, const void *body, size_t len);
void s2_v1_add_notify(uint16_t type, s2svpn_span spi, s2svpn_span data);
void s2_v1_add_delete(const struct s2_ike_sa *sa, uint32_t spi); /* 0: of sa itself */
/* Straight to an end; to end 1 what is forged, as it is, or with HASH(1) and sealed. */
enum s2svpn_drop s2_v1_give(struct s2_pair *p, unsigned to, const uint8_t *bytes, size_t len);
enum s2svpn_drop s2_v1_give_forged(struct s2_pair *p);
enum s2svpn_drop s2_v1_give_sealed(struct s2_pair *p, const struct s2_ike_sa *sa, uint32_t id);

/* ---- listening: the first datagrams to each end, once the filter is in place */

extern uint8_t s2_v1_heard[2][16][S2_IKE1_COMPOSE_MAX];
extern size_t s2_v1_heard_len[2][16], s2_v1_heard_count[2];
bool s2_v1_hear(struct s2_pair *p, struct s2_pair_datagram *d); /* a filter */

#endif
