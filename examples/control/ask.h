/* SPDX-License-Identifier: Apache-2.0 */
/* The other end of a control socket. */
#ifndef S2_CONTROL_ASK_H
#define S2_CONTROL_ASK_H

#include <stdbool.h>
#include <stdio.h>

/* A line to the socket at @path. @return the stream to read from, behind the verdict "ok";
 * NULL: what failed, or was refused, stands on standard error. */
FILE *ask(const char *program, const char *path, const char *line);
/* All that comes, to standard output. @return the exit status. */
int ask_copy(const char *program, FILE *in);
/* "program: …" on standard error. @return 1, an exit status. */
int ask_fail(const char *program, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A word of a request: not empty, without blanks and newlines. */
bool ask_is_word(const char *word);

#endif
