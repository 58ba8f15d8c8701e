/* SPDX-License-Identifier: Apache-2.0 */
/* Answers as text, and what may stand in one. */
#include "ec2/xml.h"

#include <string.h>

#include "fake_env.h"
#include "harness.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static void texts_are_escaped(void)
{
    static const struct {
        const char *text, *xml;
    } rows[] = {
        {"", "<a></a>"},
        {"plain", "<a>plain</a>"},
        {"<&>\"'", "<a>&lt;&amp;&gt;&quot;'</a>"},
        {"a\tb\nc\rd", "<a>a\tb\nc&#13;d</a>"},
        {"\x01\x1f", "<a>\xef\xbf\xbd\xef\xbf\xbd</a>"},
        {"\xef\xbf\xbe|\xef\xbf\xbf|\xef\xbf\xbd", "<a>\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbd</a>"},
        {"\xe2\x82\xac", "<a>\xe2\x82\xac</a>"},
        {"]]>", "<a>]]&gt;</a>"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s2_fake_env fake;
        struct s2_buffer b;
        struct s2_ec2_xml x;
        s2_fake_env_init(&fake, 1);
        s2_buffer_init(&b, fake.env.memory, 1000);
        s2_ec2_xml_init(&x, &b);
        s2_ec2_xml_text(&x, "a", rows[i].text);
        CHECK_ROW(rows[i].xml, strcmp(b.data, rows[i].xml) == 0);
        s2_buffer_clear(&b);
    }
}

static void an_answer_has_its_service_s_frame(void)
{
    static const struct {
        enum s2_ec2_service service;
        const char *xml;
    } rows[] = {
        {S2_EC2_SERVICE_EC2,
         HEAD "<DoResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>id"
              "</requestId><set><item><n>-5</n><b>true</b><t>2026-01-02T03:04:05.000Z</t></item>"
              "</set></DoResponse>\n"},
        {S2_EC2_SERVICE_STS,
         HEAD "<DoResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><DoResult>"
              "<set><item><n>-5</n><b>true</b><t>2026-01-02T03:04:05.000Z</t></item></set>"
              "</DoResult><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata>"
              "</DoResponse>\n"},
    };

    for (size_t i = 0; i < 2; i++) {
        struct s2_fake_env fake;
        struct s2_buffer b;
        struct s2_ec2_xml x;
        s2_fake_env_init(&fake, 1);
        s2_buffer_init(&b, fake.env.memory, 1000);
        s2_ec2_xml_init(&x, &b);
        s2_ec2_xml_answer_begin(&x, rows[i].service, "Do", "id");
        s2_ec2_xml_begin(&x, "set");
        s2_ec2_xml_begin(&x, "item");
        s2_ec2_xml_number(&x, "n", -5);
        s2_ec2_xml_bool(&x, "b", true);
        s2_ec2_xml_time(&x, "t", 1767323045);
        s2_ec2_xml_text(&x, "absent", NULL);
        s2_ec2_xml_end(&x);
        s2_ec2_xml_end(&x);
        s2_ec2_xml_answer_end(&x, rows[i].service, "Do", "id");
        CU_ASSERT_STRING_EQUAL(b.data, rows[i].xml);
        s2_buffer_clear(&b);
    }
}

static void a_refusal_has_its_service_s_frame(void)
{
    struct s2_fake_env fake;
    struct s2_buffer b;
    struct s2_ec2_fault f = {.id = S2_EC2_NONE};

    s2_fake_env_init(&fake, 1);
    s2_buffer_init(&b, fake.env.memory, 2000);
    (void)s2_ec2_fail(&f, S2_EC2_INVALID_ACTION, "<x>", NULL, NULL);
    s2_ec2_xml_fault(&b, S2_EC2_SERVICE_EC2, &f, "id");
    CU_ASSERT_STRING_EQUAL(b.data, HEAD
                           "<Response><Errors><Error><Code>InvalidAction</Code><Message>The action "
                           "&lt;x&gt; is not valid for this web service.</Message></Error></Errors>"
                           "<RequestID>id</RequestID></Response>\n");
    s2_buffer_clear(&b);
    s2_buffer_init(&b, fake.env.memory, 2000);
    s2_ec2_xml_fault(&b, S2_EC2_SERVICE_STS, &f, "id");
    CU_ASSERT_STRING_EQUAL(
        b.data,
        HEAD "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>"
             "<Type>Sender</Type><Code>InvalidAction</Code><Message>The action &lt;x&gt; is "
             "not valid for this web service.</Message></Error><RequestId>id</RequestId>"
             "</ErrorResponse>\n");
    s2_buffer_clear(&b);
}

static void request_ids_are_random_uuids(void)
{
    struct s2_fake_env fake;
    char a[S2_EC2_REQUEST_ID_SIZE], b[S2_EC2_REQUEST_ID_SIZE];

    s2_fake_env_init(&fake, 1);
    CU_ASSERT_EQUAL(s2_ec2_request_id(&fake.env, a), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_ec2_request_id(&fake.env, b), S2SVPN_OK);
    CU_ASSERT_STRING_NOT_EQUAL(a, b);
    CU_ASSERT_EQUAL(strlen(a), 36);
    CU_ASSERT(a[8] == '-' && a[13] == '-' && a[18] == '-' && a[23] == '-');
    CU_ASSERT(a[14] == '4' && strchr("89ab", a[19]) != NULL);
    fake.random_fails = true;
    CU_ASSERT_EQUAL(s2_ec2_request_id(&fake.env, b), S2SVPN_E_RANDOM);
}

const CU_TestInfo s2_test_xml[] = {
    {"texts are escaped", texts_are_escaped},
    {"an answer has its service's frame", an_answer_has_its_service_s_frame},
    {"a refusal has its service's frame", a_refusal_has_its_service_s_frame},
    {"request ids are random UUIDs", request_ids_are_random_uuids},
    CU_TEST_INFO_NULL,
};
