/* SPDX-License-Identifier: Apache-2.0 */
/* Texts: bounded printing, growing buffers with a limit, strict numbers. The one
 * place in the library that calls vsnprintf. */
#ifndef S2_BASE_TEXT_H
#define S2_BASE_TEXT_H

#include <stdarg.h>

#include "base/env.h"

/* Print, always ended by a zero byte, cut if it must. Returns what was written. */
size_t s2_print(char *out, size_t size, const char *fmt, ...) S2SVPN_PRINTF(3, 4);
size_t s2_print_v(char *out, size_t size, const char *fmt, va_list args);
/* Copy, cut if it must, always ended. */
void s2_copy_text(char *out, size_t size, const char *text);
/* Lower-case hexadecimal; out has room for 2 * len + 1. Returns out. */
char *s2_print_hex(char *out, const void *p, size_t len);
/* A whole decimal number without sign, at most max; leading zeros mean nothing
 * (a date's "05"). */
bool s2_read_number(const char *text, size_t len, uint64_t max, uint64_t *out);

/* A text that grows up to its limit; a failure sticks. */
struct s2_buffer {
    const s2svpn_memory *memory;
    char *data; /* ended by a zero byte once anything was written */
    size_t len, size, limit;
    s2svpn_status rc;
};
void s2_buffer_init(struct s2_buffer *b, const s2svpn_memory *memory, size_t limit);
void s2_buffer_add(struct s2_buffer *b, const char *text, size_t len);
void s2_buffer_print(struct s2_buffer *b, const char *fmt, ...) S2SVPN_PRINTF(2, 3);
void s2_buffer_clear(struct s2_buffer *b); /* wipes and frees */
/* Give the text away, in malloc'ed memory that s2svpn_text_free() frees;
 * b is empty afterwards. */
s2svpn_status s2_buffer_take(struct s2_buffer *b, s2svpn_text *out);

#endif
