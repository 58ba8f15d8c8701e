/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parameters of a request: application/x-www-form-urlencoded, decoded, sorted
 * and bounded. Names have segments between dots; a segment that is a number from 1
 * on is an index, and indexes sort as numbers, so that a list comes in its order
 * whatever the order on the wire. Gaps don't matter.
 *
 * Whoever reads a parameter marks it; what nobody has marked is UnknownParameter.
 */
#ifndef S2_EC2_QUERY_H
#define S2_EC2_QUERY_H

#include "ec2/errors.h"

#define S2_EC2_PARAMS_MAX 4096
#define S2_EC2_NAME_MAX 255
#define S2_EC2_VALUE_MAX 65535

struct s2_ec2_param {
    const char *name, *value; /* ended by zero bytes; UTF-8 without zero bytes */
    size_t name_len, value_len;
    bool used;
};

struct s2_ec2_query {
    const struct s2_env *env;
    char *text; /* what names and values point into */
    size_t text_len;
    struct s2_ec2_param *param;
    size_t count;
};

/* Decode: '+' is a space, %XX a byte, the whole UTF-8. The query is to be cleared
 * whatever comes; after a failure it is empty. Names twice, a name without a
 * letter, a zero byte, a half "%" and bytes that are no UTF-8 are refused. */
S2SVPN_NODISCARD s2svpn_status s2_ec2_query_parse(struct s2_ec2_query *q, const struct s2_env *env,
                                                  s2svpn_span text, struct s2_ec2_fault *fault);
void s2_ec2_query_clear(struct s2_ec2_query *q); /* wipes: there may be pre-shared keys */

/* The parameter of this name, marked, or NULL. */
struct s2_ec2_param *s2_ec2_query_find(const struct s2_ec2_query *q, const char *name);
/* Its value, or NULL. */
const char *s2_ec2_query_text(const struct s2_ec2_query *q, const char *name);
/* Is there a parameter of this name, or one below it ("Name.…")? Marks nothing. */
bool s2_ec2_query_has(const struct s2_ec2_query *q, const char *name);
/* The first parameter that nobody has marked, or NULL. */
const struct s2_ec2_param *s2_ec2_query_unused(const struct s2_ec2_query *q);
/* Mark all whose names begin with prefix. */
void s2_ec2_query_use_all(struct s2_ec2_query *q, const char *prefix);

/* A walk along a list's indexes: name is "Filter.3", then "Filter.7". */
struct s2_ec2_list {
    const struct s2_ec2_query *query;
    size_t at;
    size_t prefix_len;
    uint32_t index; /* 0 before the first */
    char name[S2_EC2_NAME_MAX + 1];
};
/* NAME of "NAME.1"; must be shorter than S2_EC2_NAME_MAX. */
void s2_ec2_list_init(struct s2_ec2_list *l, const struct s2_ec2_query *q, const char *name);
bool s2_ec2_list_next(struct s2_ec2_list *l);
/* "list.name" + "." + member, into out of S2_EC2_NAME_MAX + 1 bytes; returns out. */
char *s2_ec2_name(char *out, const char *prefix, const char *member);

/* Values. false if the text is none. Booleans in any case; numbers decimal, with a
 * minus sign if min is negative; times as ISO 8601 in UTC,
 * "2026-01-02T03:04:05Z", with a fraction or without. */
bool s2_ec2_read_bool(const char *text, bool *out);
bool s2_ec2_read_int(const char *text, int64_t min, int64_t max, int64_t *out);
bool s2_ec2_read_time(const char *text, int64_t *seconds);

#endif
