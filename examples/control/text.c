/* SPDX-License-Identifier: Apache-2.0 */
/* Texts and JSON (RFC 8259). */
#include "control/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 512

static bool make_room(struct text *t, size_t more)
{
    size_t room = t->room ? t->room : FIRST_ROOM;
    char *p;

    while (room < t->len + more + 1)
        room *= 2;
    if (room == t->room)
        return true;
    p = realloc(t->p, room);
    if (p == NULL) {
        t->failed = true;
        return false;
    }
    t->p = p;
    t->room = room;
    return true;
}

void text_add(struct text *t, const char *fmt, ...)
{
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0 || !make_room(t, (size_t)len))
        return;
    va_start(args, fmt);
    vsnprintf(t->p + t->len, t->room - t->len, fmt, args);
    va_end(args);
    t->len += (size_t)len;
}

void text_clear(struct text *t)
{
    free(t->p);
    memset(t, 0, sizeof(*t));
}

/* ---- JSON */

static void add_string(struct text *t, const char *s)
{
    text_add(t, "\"");
    for (; *s; s++) {
        const unsigned char c = (unsigned char)*s;

        if (c == '"' || c == '\\')
            text_add(t, "\\%c", c);
        else if (c < 0x20 || c >= 0x7f) /* bytes of no known encoding: as Latin-1 */
            text_add(t, "\\u%04x", c);
        else
            text_add(t, "%c", c);
    }
    text_add(t, "\"");
}

static void add_name(struct text *t, const char *name)
{
    if (t->len > 0 && strchr("{[:", t->p[t->len - 1]) == NULL)
        text_add(t, ",");
    if (name == NULL)
        return;
    add_string(t, name);
    text_add(t, ":");
}

void json_open(struct text *t, const char *name, char bracket)
{
    add_name(t, name);
    text_add(t, "%c", bracket);
}

void json_close(struct text *t, char bracket)
{
    text_add(t, "%c", bracket);
}

void json_string(struct text *t, const char *name, const char *value)
{
    add_name(t, name);
    if (value)
        add_string(t, value);
    else
        text_add(t, "null");
}

void json_number(struct text *t, const char *name, unsigned long long value)
{
    add_name(t, name);
    text_add(t, "%llu", value);
}

void json_bool(struct text *t, const char *name, bool value)
{
    add_name(t, name);
    text_add(t, value ? "true" : "false");
}
