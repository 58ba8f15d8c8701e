/* SPDX-License-Identifier: Apache-2.0 */
/* The report as JUnit's XML, which build servers show: a suite a run, a case a step. A warning
 * passes, with its words as the case's output. */
#include "examine/report.h"

#include <string.h>

/* Characters that XML 1.0 doesn't allow become question marks. */
static void put(FILE *to, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        switch (*p) {
        case '&':
            fputs("&amp;", to);
            break;
        case '<':
            fputs("&lt;", to);
            break;
        case '>':
            fputs("&gt;", to);
            break;
        case '"':
            fputs("&quot;", to);
            break;
        default:
            fputc(*p < ' ' || *p == 0x7f ? '?' : *p, to);
        }
    }
}

static void attribute(FILE *to, const char *name, const char *value)
{
    fprintf(to, " %s=\"", name);
    put(to, value);
    fputc('"', to);
}

static void element(FILE *to, const char *name, const char *words)
{
    fprintf(to, "      <%s", name);
    attribute(to, "message", words);
    fputs("/>\n", to);
}

static void test_case(FILE *to, const struct outcome *o)
{
    fputs("    <testcase classname=\"examine\"", to);
    attribute(to, "name", o->id);
    fprintf(to, " time=\"%.3f\">\n", o->seconds);
    if (o->finding.verdict == VERDICT_FAIL)
        element(to, "failure", o->finding.words);
    if (o->finding.verdict == VERDICT_SKIP)
        element(to, "skipped", o->finding.words);
    fputs("      <system-out>", to);
    put(to, o->what);
    fputs(": ", to);
    put(to, verdict_text(o->finding.verdict));
    fputs(": ", to);
    put(to, o->finding.words);
    fputs("</system-out>\n    </testcase>\n", to);
}

static void suite(FILE *to, const struct report *r, unsigned run)
{
    size_t tests = 0, failures = 0, skipped = 0;
    double seconds = 0;

    for (size_t i = 0; i < r->count; i++) {
        const struct outcome *o = &r->outcome[i];

        if (o->run != run)
            continue;
        tests++;
        failures += o->finding.verdict == VERDICT_FAIL;
        skipped += o->finding.verdict == VERDICT_SKIP;
        seconds += o->seconds;
    }
    fputs("  <testsuite", to);
    attribute(to, "name", r->connection);
    fprintf(
        to,
        " id=\"%u\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"%.3f\">\n",
        run, tests, failures, skipped, seconds);
    for (size_t i = 0; i < r->count; i++) {
        if (r->outcome[i].run == run)
            test_case(to, &r->outcome[i]);
    }
    fputs("  </testsuite>\n", to);
}

void report_junit(FILE *to, const struct report *r)
{
    const struct report_sum sum = report_sum(r);

    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"s2svpn-gateway examine\"",
          to);
    fprintf(to, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"%.3f\">\n",
            r->count, sum.failed, sum.skipped, r->seconds);
    for (unsigned run = 1; run <= r->runs; run++)
        suite(to, r, run);
    fputs("</testsuites>\n", to);
}
