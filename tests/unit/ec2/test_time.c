/* SPDX-License-Identifier: Apache-2.0 */
/* Dates; the seconds are those of date(1). */
#include "ec2/time.h"

#include <string.h>

#include "harness.h"

static const struct {
    const char *basic, *iso, *http;
    int64_t s;
} days[] = {
    {"19700101T000000Z", "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"20000229T235959Z", "2000-02-29T23:59:59.000Z", "Tue, 29 Feb 2000 23:59:59 GMT", 951868799},
    {"20260102T030405Z", "2026-01-02T03:04:05.000Z", "Fri, 02 Jan 2026 03:04:05 GMT", 1767323045},
    {"20281231T120000Z", "2028-12-31T12:00:00.000Z", "Sun, 31 Dec 2028 12:00:00 -0000", 1861876800},
    {"21000301T000000Z", "2100-03-01T00:00:00.000Z", "Mon, 01 Mar 2100 00:00:00 +0000",
     INT64_C(4107542400)},
};

static void days_are_read_and_printed(void)
{
    for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
        char basic[S2_EC2_TIME_BASIC_SIZE], iso[S2_EC2_TIME_ISO_SIZE];
        int64_t s = -1;
        CHECK_ROW(days[i].basic, s2_ec2_time_basic(days[i].basic, 16, &s) && s == days[i].s);
        s = -1;
        CHECK_ROW(days[i].iso, s2_ec2_time_iso(days[i].iso, 24, &s) && s == days[i].s);
        s = -1;
        CHECK_ROW(days[i].http,
                  s2_ec2_time_http(days[i].http, strlen(days[i].http), &s) && s == days[i].s);
        CHECK_ROW(days[i].basic,
                  strcmp(s2_ec2_time_print_basic(days[i].s, basic), days[i].basic) == 0);
        CHECK_ROW(days[i].iso, strcmp(s2_ec2_time_print_iso(days[i].s, iso), days[i].iso) == 0);
    }
}

/* Every day of four centuries, there and back. */
static void every_day_comes_back(void)
{
    size_t wrong = 0;

    for (int64_t s = 0; s < INT64_C(400) * 366 * 86400; s += 86400) {
        char text[S2_EC2_TIME_BASIC_SIZE];
        int64_t back = -1;
        s2_ec2_time_print_basic(s, text);
        wrong += !s2_ec2_time_basic(text, strlen(text), &back) || back != s;
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void what_is_no_date_is_refused(void)
{
    static const char *const rows[] = {
        "",
        "20260102T030405",
        "20260102T030405z",
        "2026-01-02T03:04:05",
        "2026-01-02 03:04:05Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05.5xZ",
        "2026-01-02T03:04:05+01:00",
        "20260132T030405Z",
        "20260229T030405Z",
        "21000229T030405Z",
        "20261302T030405Z",
        "20260002T030405Z",
        "20260100T030405Z",
        "20260102T240405Z",
        "20260102T036005Z",
        "20260102T030460Z",
        "19691231T235959Z",
        "Fri, 02 Jan 2026 03:04:05 CET",
        "Fri, 02 Jam 2026 03:04:05 GMT",
        "Friday, 02-Jan-26 03:04:05 GMT",
        "Fri Jan  2 03:04:05 2026",
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t s;
        const size_t n = strlen(rows[i]);
        CHECK_ROW(rows[i], !s2_ec2_time_basic(rows[i], n, &s) && !s2_ec2_time_iso(rows[i], n, &s) &&
                               !s2_ec2_time_http(rows[i], n, &s));
    }
}

const CU_TestInfo s2_test_time[] = {
    {"days are read and printed", days_are_read_and_printed},
    {"every day comes back", every_day_comes_back},
    {"what is no date is refused", what_is_no_date_is_refused},
    CU_TEST_INFO_NULL,
};
