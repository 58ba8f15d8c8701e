/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of crypto.h and the document's words for them. Reading returns false for a
 * word that is none of ours; a number that has no word has "". */
#ifndef S2_CONFIG_NAMES_H
#define S2_CONFIG_NAMES_H

#include "s2svpn/types.h"

bool s2_config_read_encr(const char *text, uint16_t *encr, uint16_t *bits);
bool s2_config_read_integ(const char *text, uint16_t *integ);
bool s2_config_read_group(const char *text, uint16_t *ke);
const char *s2_config_encr_word(uint16_t encr, uint16_t bits);
const char *s2_config_hash_word(uint16_t integ); /* phase 1: "sha1" */
const char *s2_config_mac_word(uint16_t integ);  /* phase 2: "hmac-sha1-96" */

#endif
