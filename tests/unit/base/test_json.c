/* SPDX-License-Identifier: Apache-2.0 */
/* lib/base/json.c: whatever a peer said, a strict reader can take it. */
#include "base/json.h"

#include <string.h>

#include "fake_env.h"
#include "harness.h"

static void texts_are_escaped_and_what_is_no_utf8_is_replaced(void)
{
    static const struct {
        const char *row, *text, *wanted;
    } rows[] = {
        {"nothing", "", "\"\""},
        {"letters", "AES128 x", "\"AES128 x\""},
        {"quotes", "a\"b\\c", "\"a\\\"b\\\\c\""},
        {"control characters", "a\nb\t\x1b\x7f", "\"a\\u000ab\\u0009\\u001b\\u007f\""},
        {"two bytes", "\xc3\xa9", "\"\xc3\xa9\""},
        {"three bytes", "\xe2\x82\xac", "\"\xe2\x82\xac\""},
        {"four bytes", "\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\""},
        {"a tail alone", "a\x80z", "\"a\xef\xbf\xbdz\""},
        {"cut off", "a\xe2\x82", "\"a\xef\xbf\xbd\xef\xbf\xbd\""},
        {"overlong", "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {"overlong in three", "\xe0\x80\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"a surrogate", "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"too high", "\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"a quote behind a head", "\xc3\"", "\"\xef\xbf\xbd\\\"\""},
    };
    struct s2_fake_env f;

    s2_fake_env_init(&f, 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s2_buffer b;

        s2_buffer_init(&b, &f.memory, 1000);
        s2_json_string(&b, rows[i].text);
        CHECK_ROW(rows[i].row, b.rc == S2SVPN_OK && strcmp(b.data, rows[i].wanted) == 0);
        s2_buffer_clear(&b);
    }
    CU_ASSERT_EQUAL(f.live, 0);
}

const CU_TestInfo s2_test_json[] = {
    {"texts are escaped and what is no utf8 is replaced",
     texts_are_escaped_and_what_is_no_utf8_is_replaced},
    CU_TEST_INFO_NULL,
};
