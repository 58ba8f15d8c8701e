/* SPDX-License-Identifier: Apache-2.0 */
/* The report as JSON (RFC 8259): the keys are in s2svpn-gateway(8) and stay. */
#include <s2svpn/version.h>

#include "examine/report.h"

static void put(FILE *to, const char *text)
{
    fputc('"', to);
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\')
            fprintf(to, "\\%c", *p);
        else if (*p < ' ')
            fprintf(to, "\\u%04x", *p);
        else
            fputc(*p, to);
    }
    fputc('"', to);
}

static void member(FILE *to, const char *name, const char *value)
{
    fprintf(to, "\"%s\": ", name);
    put(to, value);
    fputs(", ", to);
}

static void step(FILE *to, const struct outcome *o)
{
    fprintf(to, "{\"run\": %u, ", o->run);
    member(to, "id", o->id);
    member(to, "step", o->step);
    if (o->tunnel)
        fprintf(to, "\"tunnel\": %u, ", o->tunnel);
    else
        fputs("\"tunnel\": null, ", to);
    member(to, "what", o->what);
    member(to, "verdict", verdict_word(o->finding.verdict));
    fprintf(to, "\"seconds\": %.3f, \"reason\": ", o->seconds);
    put(to, o->finding.words);
    fputc('}', to);
}

void report_json(FILE *to, const struct report *r)
{
    const struct report_sum sum = report_sum(r);

    fputs("{", to);
    member(to, "program", "s2svpn-gateway examine");
    member(to, "version", s2svpn_version());
    member(to, "document", r->document);
    member(to, "connection", r->connection);
    member(to, "result", report_is_good(r) ? "pass" : "fail");
    if (r->ended)
        member(to, "ended", r->ended);
    else
        fputs("\"ended\": null, ", to);
    fprintf(to,
            "\"runs\": %u, \"passed\": %zu, \"warned\": %zu, \"failed\": %zu, \"skipped\": %zu, "
            "\"seconds\": %.3f, \"steps\": [",
            r->runs, sum.passed, sum.warned, sum.failed, sum.skipped, r->seconds);
    for (size_t i = 0; i < r->count; i++) {
        fputs(i ? ",\n  " : "\n  ", to);
        step(to, &r->outcome[i]);
    }
    fputs("\n]}\n", to);
}
