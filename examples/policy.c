/* SPDX-License-Identifier: Apache-2.0 */
/* Policies from a text file. */
#include "policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LEN 1024

/* Up to three numbers with colons between; returns how many. */
static int read_community(const char *text, uint32_t *small, s2svpn_bgp_large_community *large)
{
    unsigned long long v[3];
    char end;
    const int n = sscanf(text, "%llu:%llu:%llu%c", &v[0], &v[1], &v[2], &end);

    if (n == 2 && v[0] <= UINT16_MAX && v[1] <= UINT16_MAX)
        *small = (uint32_t)(v[0] << 16 | v[1]);
    else if (n == 3 && v[0] <= UINT32_MAX && v[1] <= UINT32_MAX && v[2] <= UINT32_MAX)
        *large = (s2svpn_bgp_large_community){(uint32_t)v[0], (uint32_t)v[1], (uint32_t)v[2]};
    else
        return 0;
    return n;
}

static bool add_prefix(struct policy *p, size_t i, const char *value)
{
    s2svpn_bgp_rule *r = &p->rule[i];

    r->prefixes = p->of[i].prefix;
    return r->prefix_count < POLICY_OF_A_RULE_MAX &&
           s2svpn_prefix_read(value, &p->of[i].prefix[r->prefix_count++].prefix);
}

static bool add_community(struct policy *p, size_t i, const char *value, bool strip)
{
    s2svpn_bgp_rule *r = &p->rule[i];
    size_t *count = strip ? &r->strip_count : &r->add_count;
    size_t *large = strip ? &r->strip_large_count : &r->add_large_count;

    if (*count == POLICY_OF_A_RULE_MAX || *large == POLICY_OF_A_RULE_MAX)
        return false;
    r->add = p->of[i].add;
    r->strip = p->of[i].strip;
    r->add_large = p->of[i].add_large;
    r->strip_large = p->of[i].strip_large;
    const int n =
        read_community(value, strip ? &p->of[i].strip[*count] : &p->of[i].add[*count],
                       strip ? &p->of[i].strip_large[*large] : &p->of[i].add_large[*large]);
    *count += n == 2;
    *large += n == 3;
    return n != 0;
}

/* One word with its value; false: it makes no sense. */
static bool take_word(struct policy *p, size_t i, const char *word, const char *value)
{
    s2svpn_bgp_rule *r = &p->rule[i];
    s2svpn_bgp_prefix_match *last = &p->of[i].prefix[r->prefix_count > 0 ? r->prefix_count - 1 : 0];
    char *end;
    const unsigned long number = strtoul(value, &end, 10);
    const bool is_number = value[0] >= '0' && value[0] <= '9' && *end == 0 && number <= UINT32_MAX;

    if (strcmp(word, "prefix") == 0)
        return add_prefix(p, i, value);
    if (strcmp(word, "has") == 0) {
        const int n = read_community(value, &r->community, &r->large_community);

        r->match_community |= n == 2;
        r->match_large_community |= n == 3;
        return n != 0;
    }
    if (strcmp(word, "strip") == 0 && strcmp(value, "all") == 0)
        return r->strip_all = true;
    if (strcmp(word, "strip") == 0 || strcmp(word, "add") == 0)
        return add_community(p, i, value, word[0] == 's');
    if (!is_number)
        return false;
    if (strcmp(word, "first") == 0)
        r->as_first = (uint32_t)number;
    else if (strcmp(word, "contains") == 0)
        r->as_contains = (uint32_t)number;
    else if (strcmp(word, "ge") == 0 && number <= 128 && r->prefix_count > 0)
        last->ge = (uint8_t)number;
    else if (strcmp(word, "le") == 0 && number <= 128 && r->prefix_count > 0)
        last->le = (uint8_t)number;
    else if (strcmp(word, "prepend") == 0 && number <= 32)
        r->prepend = (uint8_t)number;
    else if (strcmp(word, "med") == 0 && (r->set_med = true))
        r->med = (uint32_t)number;
    else if (strcmp(word, "local-pref") == 0 && (r->set_local_pref = true))
        r->local_pref = (uint32_t)number;
    else
        return false;
    return true;
}

/* The next word of a line, cut off; NULL: there is none. */
static char *next_word(char **line)
{
    static const char blanks[] = " \t\r\n";
    char *word = *line + strspn(*line, blanks);
    char *end = word + strcspn(word, blanks);

    *line = *end != 0 ? end + 1 : end;
    *end = 0;
    return *word != 0 ? word : NULL;
}

static bool take_rule(struct policy *p, char *line)
{
    char *word = next_word(&line);

    if (word == NULL)
        return true;
    if (strcmp(word, "others") == 0) {
        word = next_word(&line);
        p->policy.deny_others = word != NULL && strcmp(word, "deny") == 0;
        return p->policy.deny_others;
    }
    if (p->policy.rule_count == POLICY_RULES_MAX ||
        (strcmp(word, "accept") != 0 && strcmp(word, "deny") != 0))
        return false;
    const size_t i = p->policy.rule_count++;
    p->rule[i].accept = word[0] == 'a';
    while ((word = next_word(&line)) != NULL) {
        const char *value = next_word(&line);

        if (value == NULL || !take_word(p, i, word, value))
            return false;
    }
    return true;
}

/* 0: all is understood; else the line that isn't. */
static unsigned read_lines(struct policy *p, FILE *f)
{
    char line[LINE_MAX_LEN];

    for (unsigned number = 1; fgets(line, sizeof(line), f) != NULL; number++) {
        const bool whole = strchr(line, '\n') != NULL || feof(f);

        line[strcspn(line, "#")] = 0;
        if (!whole || !take_rule(p, line))
            return number;
    }
    return 0;
}

struct policy *policy_read(const char *path, char *why, size_t size)
{
    FILE *f = fopen(path, "r");
    struct policy *p = calloc(1, sizeof(*p));
    unsigned wrong = 0;
    bool good = f != NULL && p != NULL;

    if (!good)
        snprintf(why, size, "%s: %s", path, strerror(errno));
    if (good) {
        wrong = read_lines(p, f);
        good = wrong == 0 && !ferror(f);
        if (!good && wrong > 0)
            snprintf(why, size, "%s:%u: not understood", path, wrong);
        else if (!good)
            snprintf(why, size, "%s: can't be read", path);
    }
    if (f != NULL)
        fclose(f);
    if (!good) {
        free(p);
        return NULL;
    }
    p->policy.size = sizeof(p->policy);
    p->policy.rules = p->rule;
    return p;
}
