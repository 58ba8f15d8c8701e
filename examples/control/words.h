/* SPDX-License-Identifier: Apache-2.0 */
/* A request's line cut into words, and the command that its first word names. */
#ifndef S2_CONTROL_WORDS_H
#define S2_CONTROL_WORDS_H

#include "control/control.h"

#define WORDS_MAX 4

struct command {
    const char *name;
    size_t least, most; /* words */
    bool (*run)(struct client *client, char **word, size_t n, struct text *out);
};

/* Run that of @table with the line's first word. */
bool words_run(const struct command *table, size_t count, struct client *client, char *line,
               struct text *out);
/* Of a command with at most one more word, which is "json". False: it is another. */
bool words_json(char **word, size_t n, struct text *out, bool *json);

#endif
