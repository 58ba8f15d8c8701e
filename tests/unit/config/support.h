/* SPDX-License-Identifier: Apache-2.0 */
/* Documents for the tests: the vectors, and ways to spoil them. */
#ifndef S2_TESTS_CONFIG_SUPPORT_H
#define S2_TESTS_CONFIG_SUPPORT_H

#include "config/config.h"

/* A key of the vector bgp's, which no failure may show. */
#define KEY_OF_BGP "Qk7nV2_rTz.invented.Xw41mJ9sPd03"

/* tests/vectors/customer_gateway_<name>.xml below $S2_SRC, in memory of malloc's; ends
 * the program if it can't be read. */
char *load(const char *name);
/* A copy with the n-th (from 0) from replaced by to; NULL if there is none. */
char *replaced(const char *text, const char *from, const char *to, size_t n);
/* A copy without the element at a path of the table, in that tunnel; what was cut off
 * is appended to *cut if it isn't NULL. NULL if it isn't there. */
char *without(const char *text, const char *path, size_t tunnel, char **cut);
/* The lines of a document joined with what printf makes of the rest. */
char *joined(const char *a, const char *b, const char *c);

s2svpn_status read_text(const char *text, s2svpn_device_config **config, s2svpn_error *why);
/* Does the error name this path of the table? */
bool names_path(const s2svpn_error *why, const char *path, size_t tunnel);

#endif
