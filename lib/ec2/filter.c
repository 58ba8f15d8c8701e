/* SPDX-License-Identifier: Apache-2.0 */
/* Reads Filter.N and matches objects. What an object's values are is the action's. */
#include "ec2/filter.h"

#include <string.h>

#include "base/text.h"

struct s2_ec2_match {
    const char *const *pattern;
    size_t count;
    bool found;
};

/* One character's length, so that '?' takes a whole one. */
static size_t step(const char *p)
{
    size_t n = 1;

    while (((uint8_t)p[n] & 0xc0) == 0x80)
        n++;
    return n;
}

/* A star remembers where it stood and takes one character more whenever what
 * follows doesn't fit: at worst pattern times text, whatever the pattern. */
bool s2_ec2_wildcard(const char *pattern, const char *text)
{
    const char *star = NULL, *from = NULL;

    while (*text != '\0') {
        const bool escaped = pattern[0] == '\\' && pattern[1] != '\0';
        const char c = escaped ? pattern[1] : pattern[0];

        if (!escaped && c == '*') {
            star = ++pattern;
            from = text;
        } else if (!escaped && c == '?') {
            pattern++;
            text += step(text);
        } else if (c != '\0' && c == *text) {
            pattern += 1 + escaped;
            text++;
        } else if (star != NULL) {
            pattern = star;
            from += step(from);
            text = from;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static bool is_known(const char *const *names, const char *name)
{
    for (; names != NULL && *names != NULL; names++) {
        const size_t n = strlen(*names);
        if (strcmp(*names, name) == 0)
            return (*names)[n - 1] != ':';
        if ((*names)[n - 1] == ':' && strncmp(*names, name, n) == 0)
            return true;
    }
    return false;
}

static s2svpn_status too_many(struct s2_ec2_fault *fault, const char *what, size_t most)
{
    char number[24];

    s2_print(number, sizeof(number), "%zu", most);
    return s2_ec2_fail(fault, S2_EC2_FILTER_LIMIT, what, number, NULL);
}

static s2svpn_status parse_one(struct s2_ec2_filters *f, const char *prefix, size_t *values,
                               const char *const *names, struct s2_ec2_fault *fault)
{
    char text[S2_EC2_NAME_MAX + 1];
    struct s2_ec2_list v;
    const char *name = s2_ec2_query_text(f->query, s2_ec2_name(text, prefix, "Name"));

    if (name == NULL)
        return s2_ec2_fail(fault, S2_EC2_MISSING_PARAMETER, text, NULL, NULL);
    if (!is_known(names, name))
        return s2_ec2_fail(fault, S2_EC2_INVALID_FILTER, name, NULL, NULL);
    if (f->count == S2_EC2_FILTERS_MAX)
        return too_many(fault, "filters", S2_EC2_FILTERS_MAX);

    const size_t first = *values;
    s2_ec2_list_init(&v, f->query, s2_ec2_name(text, prefix, "Value"));
    while (s2_ec2_list_next(&v)) {
        const char *value = s2_ec2_query_text(f->query, v.name);
        if (value == NULL)
            continue; /* Filter.1.Value.1.More: nobody marks it, so it is unknown */
        if (*values == S2_EC2_FILTER_VALUES_MAX)
            return too_many(fault, "filter values", S2_EC2_FILTER_VALUES_MAX);
        f->value[(*values)++] = value;
    }
    if (*values == first)
        return s2_ec2_fail(fault, S2_EC2_MISSING_PARAMETER, text, NULL, NULL);
    f->filter[f->count].name = name;
    f->filter[f->count].first = (uint16_t)first;
    f->filter[f->count++].last = (uint16_t)*values;
    return S2SVPN_OK;
}

s2svpn_status s2_ec2_filters_parse(struct s2_ec2_filters *f, const struct s2_ec2_query *q,
                                   const char *const *names, struct s2_ec2_fault *fault)
{
    struct s2_ec2_list it;
    size_t values = 0;
    s2svpn_status rc = S2SVPN_OK;

    f->query = q;
    f->count = 0;
    s2_ec2_list_init(&it, q, "Filter");
    while (rc == S2SVPN_OK && s2_ec2_list_next(&it))
        rc = parse_one(f, it.name, &values, names, fault);
    return rc;
}

void s2_ec2_match_value(struct s2_ec2_match *m, const char *value)
{
    for (size_t i = 0; value != NULL && i < m->count && !m->found; i++)
        m->found = s2_ec2_wildcard(m->pattern[i], value);
}

bool s2_ec2_filters_match(const struct s2_ec2_filters *f, const void *object, s2_ec2_values *values)
{
    for (size_t i = 0; i < f->count; i++) {
        struct s2_ec2_match m = {
            .pattern = f->value + f->filter[i].first,
            .count = (size_t)f->filter[i].last - f->filter[i].first,
        };
        values(object, f->filter[i].name, &m);
        if (!m.found)
            return false;
    }
    return true;
}
