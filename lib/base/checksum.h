/* SPDX-License-Identifier: Apache-2.0 */
/* The Internet checksum, RFC 1071, and its incremental update, RFC 1624. */
#ifndef S2_BASE_CHECKSUM_H
#define S2_BASE_CHECKSUM_H

#include "s2svpn/types.h"

/* A sum to carry on; p may begin at any address, a piece of odd length may only
 * be the last. Start with 0. */
uint64_t s2_checksum_add(uint64_t sum, const void *p, size_t len);
/* Add a 16-bit number as it would stand on the wire. */
uint64_t s2_checksum_add_u16(uint64_t sum, uint16_t v);
/* Fold and complement: what is put into the field with s2_put_u16. */
uint16_t s2_checksum_finish(uint64_t sum);
/* The checksum after a 16-bit word changed from old to new. */
uint16_t s2_checksum_update(uint16_t checksum, uint16_t old_word, uint16_t new_word);

#endif
