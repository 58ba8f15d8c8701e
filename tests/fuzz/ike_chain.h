/* SPDX-License-Identifier: Apache-2.0 */
/* What both IKE fuzz targets do with a chain of payloads. */
#ifndef S2_TESTS_FUZZ_IKE_CHAIN_H
#define S2_TESTS_FUZZ_IKE_CHAIN_H

#include "ike/message.h"

/* A property does not hold: end here, so that the fuzzer keeps the input. */
void s2_fuzz_demand(bool property);

/* Parse a chain and every body in it, write what was understood, and demand that it
 * parses to the same. Returns whether the chain was understood; *out are its payloads. */
bool s2_fuzz_ike_chain(uint8_t first, s2svpn_span chain, struct s2_ike_payloads *out);

#endif
