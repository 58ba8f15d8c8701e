/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the action table for people. */
#include "ec2/ec2.h"

#define TEXT_MAX 1048576
#define DEPTH_MAX 4

static const char *const type_names[] = {
    [S2_EC2_TEXT] = "text", [S2_EC2_INT] = "integer", [S2_EC2_BOOL] = "boolean",
    [S2_EC2_TIME] = "time", [S2_EC2_ENUM] = "one of", [S2_EC2_ID] = "id",
};

static void print_shapes(struct s2_buffer *b, const struct s2_ec2_shape *s, const char *prefix,
                         unsigned depth)
{
    if (depth == DEPTH_MAX)
        return;
    for (; s != NULL && s->name != NULL; s++) {
        char name[S2_EC2_NAME_MAX + 1], full[S2_EC2_NAME_MAX + 1];

        s2_ec2_name(full, prefix, s->name);
        s2_print(name, sizeof(name), "%s%s", full, s->list ? ".N" : "");
        if (s->type == S2_EC2_STRUCT) {
            print_shapes(b, s->members, name, depth + 1);
            continue;
        }
        s2_buffer_print(b, "    %s%s: %s", name, s->required ? "*" : "", type_names[s->type]);
        if (s->type == S2_EC2_INT)
            s2_buffer_print(b, " %lld to %lld", (long long)s->min, (long long)s->max);
        if (s->type == S2_EC2_ID)
            s2_buffer_print(b, " %s…", s->prefix);
        for (size_t i = 0; s->words != NULL && s->words[i] != NULL; i++)
            s2_buffer_print(b, "%s%s", i == 0 ? " " : ", ", s->words[i]);
        s2_buffer_add(b, "\n", 1);
    }
}

static void print_action(struct s2_buffer *b, const struct s2_ec2_action *a)
{
    const bool sts = a->service == S2_EC2_SERVICE_STS;

    s2_buffer_print(b, "%s (%s %s)%s\n", a->name, sts ? "sts" : "ec2",
                    sts ? S2_EC2_STS_VERSION : S2_EC2_VERSION, a->mutates ? ", changes" : "");
    print_shapes(b, a->params, "", 0);
    for (size_t i = 0; a->filters != NULL && a->filters[i] != NULL; i++)
        s2_buffer_print(b, "%s%s", i == 0 ? "    Filter.N: " : ", ", a->filters[i]);
    if (a->filters != NULL)
        s2_buffer_add(b, "\n", 1);
    if (a->pages)
        s2_buffer_print(b, "    MaxResults, NextToken\n");
    if (!a->no_dry_run)
        s2_buffer_print(b, "    DryRun\n");
}

s2svpn_status s2svpn_ec2_print_actions(s2svpn_text *out)
{
    const struct s2_ec2_action *a;
    struct s2_buffer b;

    *out = (s2svpn_text){NULL, 0};
    s2_buffer_init(&b, s2_memory_default(), TEXT_MAX);
    for (size_t i = 0; (a = s2_ec2_action_at(i)) != NULL; i++)
        print_action(&b, a);
    s2svpn_status rc = s2_buffer_take(&b, out);
    s2_buffer_clear(&b);
    return rc;
}
