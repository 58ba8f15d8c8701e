/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the control socket. */
#include "control/words.h"

#include <stdint.h>
#include <string.h>

bool words_json(char **word, size_t n, struct text *out, bool *json)
{
    *json = n == 2;
    if (n == 2 && strcmp(word[1], "json") != 0) {
        text_add(out, "\"%s\" is not allowed", word[1]);
        return false;
    }
    return true;
}

/* SIZE_MAX: more words than any command has. */
static size_t cut(char *line, char **word)
{
    size_t n = 0;

    for (char *p = line; *p;) {
        if (*p == ' ') {
            *p++ = 0;
            continue;
        }
        if (n == WORDS_MAX)
            return SIZE_MAX;
        word[n++] = p;
        while (*p && *p != ' ')
            p++;
    }
    return n;
}

bool words_run(const struct command *table, size_t count, struct client *client, char *line,
               struct text *out)
{
    char *word[WORDS_MAX];
    const size_t n = cut(line, word);

    for (size_t i = 0; n > 0 && n <= WORDS_MAX && i < count; i++) {
        if (strcmp(table[i].name, word[0]) != 0)
            continue;
        if (n >= table[i].least && n <= table[i].most)
            return table[i].run(client, word, n, out);
        break;
    }
    text_add(out, "no such command, or not with so many words");
    return false;
}
