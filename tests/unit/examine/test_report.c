/* SPDX-License-Identifier: Apache-2.0 */
/* examples/examine/report*.c: what must be escaped is, and nothing is left out. That the forms
 * are well-formed is for the interop scripts, which read them with Python's parsers. */
#include "examine/report.h"

#include <stdlib.h>
#include <string.h>

#include "harness.h"

typedef void write_fn(FILE *to, const struct report *r);

/* Given to the caller. */
static char *written(write_fn *write, const struct report *r)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);

    if (f == NULL)
        abort();
    write(f, r);
    fclose(f);
    return text;
}

static void add(struct report *r, const char *id, enum verdict verdict, const char *words)
{
    struct outcome o = {.run = 1, .step = "ike", .what = "a step", .tunnel = 1, .seconds = 1.5};

    snprintf(o.id, sizeof(o.id), "%s", id);
    find(&o.finding, verdict, "%s", words);
    CU_ASSERT_TRUE(report_add(r, &o));
}

static const char *const nasty = "a<b> & \"c\" \\ \x01\n'";

static void fill(struct report *r)
{
    *r = (struct report){.document = "a.xml", .connection = "vpn-1", .runs = 1, .seconds = 2};
    add(r, "ike-1", VERDICT_PASS, "fine");
    add(r, "ike-2", VERDICT_WARN, nasty);
    add(r, "bgp-1", VERDICT_FAIL, nasty);
    add(r, "bgp-2", VERDICT_SKIP, nasty);
}

static void each_form_escapes_what_it_must(void)
{
    static const struct {
        const char *name;
        write_fn *write;
        const char *escaped;
        unsigned times;
    } rows[] = {
        {"json", report_json, "\"a<b> & \\\"c\\\" \\\\ \\u0001\\u000a'\"", 3},
        {"junit", report_junit, "a&lt;b&gt; &amp; &quot;c&quot; \\ ?\?'", 5},
    };
    struct report r;

    fill(&r);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *text = written(rows[i].write, &r);
        unsigned times = 0;

        for (const char *p = text; (p = strstr(p, rows[i].escaped)) != NULL; p++)
            times++;
        CHECK_ROW(rows[i].name, times == rows[i].times);
        CHECK_ROW(rows[i].name, strstr(text, "ike-1") && strstr(text, "bgp-2"));
        CHECK_ROW(rows[i].name, strchr(text, 1) == NULL);
        free(text);
    }
    report_clear(&r);
}

static void the_sum_is_right(void)
{
    struct report r;
    char *text;

    fill(&r);
    text = written(report_text, &r);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "1 passed, 1 warned, 1 failed, 1 skipped in 2.0 s"));
    free(text);
    text = written(report_junit, &r);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "tests=\"4\" failures=\"1\" errors=\"0\" skipped=\"1\""));
    free(text);
    CU_ASSERT_FALSE(report_is_good(&r));
    r.outcome[2].finding.verdict = VERDICT_PASS;
    CU_ASSERT_TRUE(report_is_good(&r));
    for (size_t i = 0; i < r.count; i++)
        r.outcome[i].finding.verdict = VERDICT_SKIP;
    CU_ASSERT_FALSE(report_is_good(&r)); /* nothing was looked at */
    report_clear(&r);
}

static void any_number_fits(void)
{
    struct report r = {.document = "a.xml", .runs = 1};
    char *text;

    for (unsigned i = 0; i < 1000; i++)
        add(&r, "ike-1", VERDICT_PASS, "fine");
    CU_ASSERT_EQUAL(report_sum(&r).passed, 1000);
    text = written(report_json, &r);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"passed\": 1000"));
    free(text);
    report_clear(&r);
    CU_ASSERT_EQUAL(r.count, 0);
}

const CU_TestInfo s2_test_report[] = {
    {"each form escapes what it must", each_form_escapes_what_it_must},
    {"the sum is right", the_sum_is_right},
    {"any number fits", any_number_fits},
    CU_TEST_INFO_NULL,
};
