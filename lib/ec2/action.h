/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The action table. A row names an action and its parameters with their types; from
 * it come decoding, validation with AWS's codes, and the printed list. A new action
 * is a row (in the file of its objects, listed in action.c) and a handler.
 *
 * What a handler sees has been checked: required parameters are there, each value is
 * of its type and in its range, nothing is there that the row doesn't name. It reads
 * values with s2_ec2_query_text and s2_ec2_list_next, and writes the elements that
 * stand in the answer beside requestId.
 */
#ifndef S2_EC2_ACTION_H
#define S2_EC2_ACTION_H

#include "ec2/filter.h"
#include "ec2/page.h"
#include "ec2/xml.h"

enum s2_ec2_type {
    S2_EC2_TEXT, /* min to max bytes; max 0: any */
    S2_EC2_INT,  /* min to max */
    S2_EC2_BOOL,
    S2_EC2_TIME,
    S2_EC2_ENUM,   /* one of words */
    S2_EC2_ID,     /* prefix and 8 or 17 hexadecimal digits */
    S2_EC2_STRUCT, /* members */
};

/* A parameter, or a member of a structure. Tables of them end with a name of NULL. */
struct s2_ec2_shape {
    const char *name;
    uint8_t type; /* enum s2_ec2_type */
    bool required;
    bool list; /* NAME.1, NAME.2, … */
    int64_t min, max;
    const char *const *words;       /* ended by NULL */
    const char *prefix;             /* "vpc-" */
    enum s2_ec2_fault_id malformed; /* of an id */
    const struct s2_ec2_shape *members;
};

struct s2_ec2_call;

struct s2_ec2_action {
    const char *name;
    enum s2_ec2_service service;
    bool mutates; /* not for read-only keys */
    bool no_dry_run;
    bool no_rights;  /* every key may */
    bool pages;      /* takes MaxResults and NextToken */
    const char *ids; /* the list with which paging doesn't go together */
    const struct s2_ec2_shape *params;
    const char *const *filters; /* names; NULL: takes no filters */
    s2svpn_status (*run)(struct s2_ec2_call *call);
};

struct s2svpn_ec2;

/* One request on its way through a handler. */
struct s2_ec2_call {
    struct s2svpn_ec2 *ec2;
    const struct s2_ec2_action *action;
    struct s2_ec2_query *query;
    const struct s2_ec2_filters *filters;
    struct s2_ec2_page page;
    const char *account, *user, *user_id; /* user may be NULL: root */
    const char *region;
    int64_t now_s;
    struct s2_ec2_xml xml;
    struct s2_ec2_fault *fault;
};

/* The row of an action, or NULL. */
const struct s2_ec2_action *s2_ec2_action_find(enum s2_ec2_service service, const char *name);
/* All rows: index from 0; NULL behind the last. */
const struct s2_ec2_action *s2_ec2_action_at(size_t index);

/* Check a query against a row. Everything that isn't the row's own (Action, Version,
 * DryRun, filters, paging) has been marked before. UnknownParameter comes first. */
S2SVPN_NODISCARD s2svpn_status s2_ec2_check(const struct s2_ec2_action *action,
                                            const struct s2_ec2_query *q,
                                            struct s2_ec2_fault *fault);

/* The files of objects, each a table ended by a name of NULL. */
extern const struct s2_ec2_action s2_ec2_account_actions[];

#endif
