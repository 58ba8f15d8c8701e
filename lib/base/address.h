/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and prefixes: compare, mask, contain. Reading and printing are
 * public: s2svpn/types.h. */
#ifndef S2_BASE_ADDRESS_H
#define S2_BASE_ADDRESS_H

#include "s2svpn/types.h"

s2svpn_address s2_address_ipv4(uint32_t host_order);
s2svpn_address s2_address_from(uint8_t family, const uint8_t *bytes); /* 4 or 16 bytes */
uint32_t s2_address_ipv4_value(const s2svpn_address *a);              /* host byte order */
size_t s2_address_len(const s2svpn_address *a);                       /* 0, 4 or 16 */
bool s2_address_equal(const s2svpn_address *a, const s2svpn_address *b);
int s2_address_compare(const s2svpn_address *a, const s2svpn_address *b); /* family first */
bool s2_endpoint_equal(const s2svpn_endpoint *a,
                       const s2svpn_endpoint *b); /* address, port, role */
bool s2_prefix_equal(const s2svpn_prefix *a, const s2svpn_prefix *b);
bool s2_prefix_contains(const s2svpn_prefix *p, const s2svpn_address *a);
bool s2_prefix_covers(const s2svpn_prefix *outer, const s2svpn_prefix *inner);
bool s2_prefix_overlaps(const s2svpn_prefix *a, const s2svpn_prefix *b);
s2svpn_prefix s2_prefix_make(const s2svpn_address *a, uint8_t length); /* clears host bits */
uint8_t s2_family_bits(uint8_t family);                                /* 32, 128, 0 */

#endif
