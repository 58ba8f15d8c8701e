/* SPDX-License-Identifier: Apache-2.0 */
/* The list of what was found, and the table for people. */
#include "examine/report.h"

#include <stdlib.h>
#include <string.h>

bool report_add(struct report *r, const struct outcome *o)
{
    if (r->count == r->room) {
        const size_t room = r->room ? 2 * r->room : 64;
        struct outcome *p = realloc(r->outcome, room * sizeof(*p));

        if (p == NULL)
            return false;
        r->outcome = p;
        r->room = room;
    }
    r->outcome[r->count++] = *o;
    return true;
}

void report_clear(struct report *r)
{
    free(r->outcome);
    *r = (struct report){0};
}

struct report_sum report_sum(const struct report *r)
{
    struct report_sum sum = {0};

    for (size_t i = 0; i < r->count; i++) {
        const enum verdict v = r->outcome[i].finding.verdict;

        sum.passed += v == VERDICT_PASS;
        sum.warned += v == VERDICT_WARN;
        sum.failed += v == VERDICT_FAIL;
        sum.skipped += v == VERDICT_SKIP;
    }
    return sum;
}

bool report_is_good(const struct report *r)
{
    const struct report_sum sum = report_sum(r);

    return sum.failed == 0 && sum.passed + sum.warned > 0;
}

/* ---- text */

void report_text_line(FILE *to, const struct outcome *o)
{
    fprintf(to, "%s  %-20s %6.1f s  %s\n", verdict_text(o->finding.verdict), o->id, o->seconds,
            o->finding.words);
}

void report_text_end(FILE *to, const struct report *r)
{
    const struct report_sum sum = report_sum(r);

    if (r->ended)
        fprintf(to, "ended before the end: %s\n", r->ended);
    fprintf(to, "%zu passed, %zu warned, %zu failed, %zu skipped in %.1f s\n", sum.passed,
            sum.warned, sum.failed, sum.skipped, r->seconds);
}

void report_text(FILE *to, const struct report *r)
{
    unsigned run = 0;

    fprintf(to, "s2svpn-gateway examine: %s of %s\n", r->connection, r->document);
    for (size_t i = 0; i < r->count; i++) {
        if (r->outcome[i].run != run && r->runs > 1)
            fprintf(to, "run %u\n", r->outcome[i].run);
        run = r->outcome[i].run;
        report_text_line(to, &r->outcome[i]);
    }
    report_text_end(to, r);
}
