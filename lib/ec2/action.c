/* SPDX-License-Identifier: Apache-2.0 */
/* Finds actions and checks parameters against their rows. */
#include "ec2/action.h"

#include <string.h>

/* A row's structures are at most so deep: IpPermissions.N.UserIdGroupPairs.N.GroupId. */
#define DEPTH_MAX 4

static const struct s2_ec2_action *const tables[] = {s2_ec2_account_actions};

const struct s2_ec2_action *s2_ec2_action_at(size_t index)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (const struct s2_ec2_action *a = tables[i]; a->name != NULL; a++) {
            if (index-- == 0)
                return a;
        }
    }
    return NULL;
}

const struct s2_ec2_action *s2_ec2_action_find(enum s2_ec2_service service, const char *name)
{
    const struct s2_ec2_action *a;

    for (size_t i = 0; (a = s2_ec2_action_at(i)) != NULL; i++) {
        if (a->service == service && strcmp(a->name, name) == 0)
            return a;
    }
    return NULL;
}

static bool is_id(const char *text, const char *prefix)
{
    const size_t n = strlen(prefix);

    if (strncmp(text, prefix, n) != 0)
        return false;
    const size_t digits = strspn(text + n, "0123456789abcdef");
    return text[n + digits] == '\0' && (digits == 8 || digits == 17);
}

static bool is_word(const char *text, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(text, *words) == 0)
            return true;
    }
    return false;
}

/* Why a value is refused, or NULL. */
static const char *wrong(const struct s2_ec2_shape *s, const char *text)
{
    int64_t number;
    bool flag;

    switch (s->type) {
    case S2_EC2_TEXT:
        if (s->max != 0 && (strlen(text) < (size_t)s->min || strlen(text) > (size_t)s->max))
            return "Its length is not allowed.";
        return NULL;
    case S2_EC2_INT:
        return s2_ec2_read_int(text, s->min, s->max, &number) ? NULL
                                                              : "It is no number in the range.";
    case S2_EC2_BOOL:
        return s2_ec2_read_bool(text, &flag) ? NULL : "Expecting true or false.";
    case S2_EC2_TIME:
        return s2_ec2_read_time(text, &number) ? NULL : "Expecting YYYY-MM-DDThh:mm:ssZ.";
    case S2_EC2_ENUM:
        return is_word(text, s->words) ? NULL : "It is not one of the allowed values.";
    default:
        return NULL;
    }
}

static void check_value(const struct s2_ec2_shape *s, const struct s2_ec2_param *p,
                        struct s2_ec2_fault *fault)
{
    if (s->type == S2_EC2_ID) {
        if (!is_id(p->value, s->prefix))
            (void)s2_ec2_fail(fault, s->malformed, p->value, NULL, NULL);
        return;
    }
    const char *why = wrong(s, p->value);
    if (why != NULL)
        (void)s2_ec2_fail(fault, S2_EC2_INVALID_VALUE, p->value, p->name, why);
}

static void check_all(const struct s2_ec2_shape *s, const char *prefix,
                      const struct s2_ec2_query *q, unsigned depth, struct s2_ec2_fault *fault);

/* One parameter, or one element of a list, of this full name. */
static bool check_one(const struct s2_ec2_shape *s, const char *name, const struct s2_ec2_query *q,
                      unsigned depth, struct s2_ec2_fault *fault)
{
    if (s->type == S2_EC2_STRUCT) {
        if (!s2_ec2_query_has(q, name))
            return false;
        check_all(s->members, name, q, depth + 1, fault);
        return true;
    }
    const struct s2_ec2_param *p = s2_ec2_query_find(q, name);
    if (p == NULL)
        return false;
    check_value(s, p, fault);
    return true;
}

/* AWS names a missing parameter with a small first letter. */
static void missing(const char *name, struct s2_ec2_fault *fault)
{
    char text[S2_EC2_NAME_MAX + 1];

    s2_copy_text(text, sizeof(text), name);
    if (text[0] >= 'A' && text[0] <= 'Z')
        text[0] = (char)(text[0] | 0x20);
    (void)s2_ec2_fail(fault, S2_EC2_MISSING_PARAMETER, text, NULL, NULL);
}

/* The first fault stays, and the walk goes on: what is named is marked. */
static void check_all(const struct s2_ec2_shape *s, const char *prefix,
                      const struct s2_ec2_query *q, unsigned depth, struct s2_ec2_fault *fault)
{
    if (depth == DEPTH_MAX)
        return;
    for (; s != NULL && s->name != NULL; s++) {
        char name[S2_EC2_NAME_MAX + 1];
        bool found = false;

        s2_ec2_name(name, prefix, s->name);
        if (s->list) {
            struct s2_ec2_list l;
            s2_ec2_list_init(&l, q, name);
            while (s2_ec2_list_next(&l))
                found |= check_one(s, l.name, q, depth, fault);
        } else {
            found = check_one(s, name, q, depth, fault);
        }
        if (!found && s->required)
            missing(name, fault);
    }
}

s2svpn_status s2_ec2_check(const struct s2_ec2_action *action, const struct s2_ec2_query *q,
                           struct s2_ec2_fault *fault)
{
    struct s2_ec2_fault values = {.id = S2_EC2_NONE};

    check_all(action->params, "", q, 0, &values);
    const struct s2_ec2_param *unknown = s2_ec2_query_unused(q);
    if (unknown != NULL)
        return s2_ec2_fail(fault, S2_EC2_UNKNOWN_PARAMETER, unknown->name, NULL, NULL);
    if (values.id == S2_EC2_NONE)
        return S2SVPN_OK;
    *fault = values;
    return s2_ec2_fail(fault, values.id, NULL, NULL, NULL);
}
