/* SPDX-License-Identifier: Apache-2.0 */
/* Loading and spoiling documents as plain texts, knowing nothing of XML. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *p, const char *what)
{
    if (p == NULL) {
        printf("%s\n", what);
        exit(1);
    }
    return p;
}

char *load(const char *name)
{
    const char *source = getenv("S2_SRC");
    char path[4096];

    snprintf(path, sizeof(path), "%s/tests/vectors/customer_gateway_%s.xml",
             source != NULL ? source : ".", name);
    FILE *f = must(fopen(path, "rb"), path);
    char *text = must(calloc(1, 65536), "no memory");
    text[fread(text, 1, 65535, f)] = '\0';
    fclose(f);
    return text;
}

char *joined(const char *a, const char *b, const char *c)
{
    const size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
    char *out = must(malloc(size), "no memory");

    snprintf(out, size, "%s%s%s", a, b, c);
    return out;
}

/* The text before at, then with, then the text from rest on. */
static char *spliced(const char *text, const char *at, const char *with, const char *rest)
{
    char *head = joined(text, "", "");

    head[at - text] = '\0';
    char *out = joined(head, with, rest);
    free(head);
    return out;
}

char *replaced(const char *text, const char *from, const char *to, size_t n)
{
    const char *at = strstr(text, from);

    for (; at != NULL && n > 0; n--)
        at = strstr(at + 1, from);
    return at != NULL ? spliced(text, at, to, at + strlen(from)) : NULL;
}

static const char *find_tag(const char *text, const char *form, const char *name, size_t len)
{
    char tag[128];

    snprintf(tag, sizeof(tag), form, (int)len, name);
    return strstr(text, tag);
}

char *without(const char *text, const char *path, size_t tunnel, char **cut)
{
    const char *at = text, *name = path, *end;
    size_t len = strcspn(path, "/");

    for (at = find_tag(text, "<%.*s>", name, len); at != NULL && tunnel > 0; tunnel--)
        at = find_tag(at + 1, "<%.*s>", name, len);
    while (at != NULL && name[len] == '/') {
        name += len + 1;
        len = strcspn(name, "/");
        at = find_tag(at + 1, "<%.*s>", name, len);
    }
    end = at != NULL ? find_tag(at, "</%.*s>", name, len) : NULL;
    if (end == NULL)
        return NULL;
    end = strchr(end, '>') + 1;
    if (cut != NULL)
        *cut = spliced(at, end, "", "");
    return spliced(text, at, "", end);
}

s2svpn_status read_text(const char *text, s2svpn_device_config **config, s2svpn_error *why)
{
    return s2svpn_config_read(text, strlen(text), config, why);
}

bool names_path(const s2svpn_error *why, const char *path, size_t tunnel)
{
    char field[S2SVPN_FIELD_SIZE];
    const char *rest;

    s2_config_field(path, tunnel, field, &rest);
    return strcmp(why->field, field) == 0 && strncmp(why->message, rest, strlen(rest)) == 0;
}
