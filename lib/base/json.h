/* SPDX-License-Identifier: Apache-2.0 */
/* JSON strings, RFC 8259 section 7. */
#ifndef S2_BASE_JSON_H
#define S2_BASE_JSON_H

#include "base/text.h"

/* A text in quotes: control characters escaped, what isn't UTF-8 (RFC 3629) replaced by
 * U+FFFD, so that a reader can take whatever a peer said. */
void s2_json_string(struct s2_buffer *b, const char *text);

#endif
