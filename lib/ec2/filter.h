/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters: values of one filter are alternatives, filters must all match. '*' and
 * '?' are wildcards, '\' takes the meaning of the character behind it away; case
 * counts. "tag:KEY" names a tag's value.
 */
#ifndef S2_EC2_FILTER_H
#define S2_EC2_FILTER_H

#include "ec2/query.h"

#define S2_EC2_FILTERS_MAX 50
#define S2_EC2_FILTER_VALUES_MAX 200 /* of one request */

struct s2_ec2_filters {
    const struct s2_ec2_query *query; /* borrowed: it outlives the filters */
    size_t count;
    struct {
        const char *name;
        uint16_t first, last; /* of value[]; last is behind the filter's own */
    } filter[S2_EC2_FILTERS_MAX];
    const char *value[S2_EC2_FILTER_VALUES_MAX];
};

/* Take Filter.N of a query. names is what the action knows, ended by NULL; an entry
 * that ends with ':' knows everything that begins so. */
S2SVPN_NODISCARD s2svpn_status s2_ec2_filters_parse(struct s2_ec2_filters *f,
                                                    const struct s2_ec2_query *q,
                                                    const char *const *names,
                                                    struct s2_ec2_fault *fault);

/* What an object has for a filter's name is told by a callback, which calls this
 * once a value; NULL is no value. */
struct s2_ec2_match;
void s2_ec2_match_value(struct s2_ec2_match *m, const char *value);
typedef void s2_ec2_values(const void *object, const char *name, struct s2_ec2_match *m);

bool s2_ec2_filters_match(const struct s2_ec2_filters *f, const void *object,
                          s2_ec2_values *values);

bool s2_ec2_wildcard(const char *pattern, const char *text);

#endif
