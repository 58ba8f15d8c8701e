/* SPDX-License-Identifier: Apache-2.0 */
/* A text that grows, and the pieces of JSON. An allocation that fails leaves the text as
 * it was and is remembered, so that one look at the end is enough. */
#ifndef S2_CONTROL_TEXT_H
#define S2_CONTROL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *p; /* ended by a zero byte; NULL while empty */
    size_t len, room;
    bool failed;
};

void text_add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_clear(struct text *t);

/* ---- JSON. A name of NULL: an element of an array. Commas are put where they belong. */

void json_open(struct text *t, const char *name, char bracket);        /* '{' or '[' */
void json_close(struct text *t, char bracket);                         /* '}' or ']' */
void json_string(struct text *t, const char *name, const char *value); /* NULL: null */
void json_number(struct text *t, const char *name, unsigned long long value);
void json_bool(struct text *t, const char *name, bool value);

#endif
