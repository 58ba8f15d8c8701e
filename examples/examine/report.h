/* SPDX-License-Identifier: Apache-2.0 */
/* What was found, and the three forms in which it is written. */
#ifndef S2_EXAMINE_REPORT_H
#define S2_EXAMINE_REPORT_H

#include <stdio.h>

#include "examine/facts.h"

struct outcome {
    unsigned run;     /* from 1 */
    char id[40];      /* "failover-1" */
    const char *step; /* "failover" */
    const char *what;
    unsigned tunnel; /* 1, 2; 0: of none */
    double seconds;
    struct finding finding;
};

struct report {
    const char *document; /* its path */
    char connection[S2SVPN_ID_SIZE];
    struct outcome *outcome;
    size_t count, room;
    unsigned runs;
    double seconds;
    const char *ended; /* why before the end; NULL: it wasn't */
};

struct report_sum {
    size_t passed, warned, failed, skipped;
};

/* false: no memory. */
bool report_add(struct report *r, const struct outcome *o);
void report_clear(struct report *r);
struct report_sum report_sum(const struct report *r);
/* Nothing failed, and not everything was skipped. */
bool report_is_good(const struct report *r);

void report_text_line(FILE *to, const struct outcome *o);
void report_text(FILE *to, const struct report *r);
void report_text_end(FILE *to, const struct report *r); /* its last lines */
void report_json(FILE *to, const struct report *r);
void report_junit(FILE *to, const struct report *r);

#endif
