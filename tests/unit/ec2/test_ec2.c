/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that go through: what comes back, when, and what may fail on the way. */
#include "s2svpn/ec2.h"

#include <string.h>

#include "harness.h"
#include "support.h"

#define V "&Version=2016-11-15"

static void start(struct api *a)
{
    memset(a, 0, sizeof(*a));
    s2_fake_env_init(&a->fake, 1);
    CU_ASSERT_TRUE_FATAL(api_init(a));
}

static void end(struct api *a)
{
    api_clear(a);
    CU_ASSERT_EQUAL(a->fake.live, 0);
}

static void caller_identity_names_the_key_s_owner(void)
{
    static const char body[] = "Action=GetCallerIdentity&Version=2011-06-15";
    struct api a;

    start(&a);
    api_post(&a, "sts", body);
    CU_ASSERT_EQUAL(a.got.status, 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(a.got.body, "<Arn>arn:aws:iam::" ACCOUNT ":root</Arn>"
                                              "<UserId>" ACCOUNT "</UserId>"
                                              "<Account>" ACCOUNT "</Account>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(a.got.body, a.got.request_id));
    a.key.user = "jane";
    a.key.user_id = "AIDAEXAMPLE";
    a.refuses = true; /* everybody may ask */
    a.key.rights = S2SVPN_EC2_READ_ONLY;
    api_post(&a, "sts", body);
    CU_ASSERT_EQUAL(a.got.status, 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(a.got.body, "<Arn>arn:aws:iam::" ACCOUNT ":user/jane</Arn>"
                                              "<UserId>AIDAEXAMPLE</UserId>"));
    end(&a);
}

static const struct {
    const char *body, *has, *lacks;
} rows[] = {
    {"Action=DescribeRegions" V, "<regionName>eu-west-1</regionName>", "<messageSet>"},
    {"Action=DescribeRegions" V "&AllRegions=True&RegionName.1=eu-west-1",
     "<item><regionName>eu-west-1</regionName><regionEndpoint>ec2.eu-west-1.amazonaws.com"
     "</regionEndpoint><optInStatus>opt-in-not-required</optInStatus></item></regionInfo>",
     "us-east-1<"},
    {"Action=DescribeRegions" V "&Filter.1.Name=endpoint&Filter.1.Value.1=*ap-south-*",
     "<regionName>ap-south-1</regionName>", "<regionName>us-east-1</regionName>"},
    {"Action=DescribeRegions" V "&Filter.1.Name=region-name&Filter.1.Value.1=nowhere",
     "<regionInfo></regionInfo>", "<item>"},
    {"Action=DescribeAvailabilityZones" V,
     "<zoneName>us-east-1c</zoneName><zoneId>use1-az3</zoneId><zoneState>available</zoneState>",
     "us-east-1d"},
    {"Action=DescribeAvailabilityZones" V "&ZoneName.3=us-east-1b&ZoneId.1=use1-az2",
     "<zoneName>us-east-1b</zoneName>", "<zoneName>us-east-1a</zoneName>"},
    {"Action=DescribeAvailabilityZones" V
     "&Filter.1.Name=zone-type&Filter.1.Value.1=local-zone&Filter.1.Value.2=wavelength-zone",
     "<availabilityZoneInfo></availabilityZoneInfo>", "<item>"},
    {"Action=DescribeAccountAttributes" V,
     "<item><attributeName>max-instances</attributeName><attributeValueSet><item>"
     "<attributeValue>20</attributeValue></item></attributeValueSet></item>",
     "<n>"},
    {"Action=DescribeAccountAttributes" V "&AttributeName.1=default-vpc",
     "<attributeValue>none</attributeValue>", "max-instances"},
};

static void the_actions_answer(void)
{
    struct api a;

    start(&a);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        api_post(&a, "ec2", rows[i].body);
        CHECK_ROW(rows[i].body, a.got.count == 1 && a.got.status == 200 && a.got.code[0] == '\0');
        CHECK_ROW(rows[i].body, strstr(a.got.body, rows[i].has) != NULL);
        CHECK_ROW(rows[i].body, strstr(a.got.body, rows[i].lacks) == NULL);
        CHECK_ROW(rows[i].body, strstr(a.got.body, a.got.request_id) != NULL);
    }
    end(&a);
}

/* Each body of the table, cut short and with each byte changed: signed anew it is
 * answered, once, whatever it says. */
static void any_body_is_answered_once(void)
{
    struct api a;
    char body[256];

    start(&a);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const size_t len = strlen(rows[i].body);
        for (size_t k = 0; k < len; k++) {
            s2_copy_text(body, sizeof(body), rows[i].body);
            body[k] = "%&=.+\x80"[k % 6];
            api_post(&a, "ec2", body);
            CHECK_ROW(body, a.got.count == 1);
            body[k] = '\0';
            api_post(&a, "ec2", body);
            CHECK_ROW(body, a.got.count == 1);
        }
    }
    end(&a);
}

static void a_key_may_come_later(void)
{
    struct api a;
    struct made_request m;

    start(&a);
    a.later = true;
    make_post(&m, "ec2", "Action=DescribeRegions" V);
    api_send(&a, &m.data);
    CU_ASSERT_EQUAL(a.got.count, 0);
    s2svpn_ec2_answer_lookup(a.waiting, &a.key);
    CU_ASSERT_EQUAL(a.got.count, 1);
    CU_ASSERT_EQUAL(a.got.status, 200);

    api_send(&a, &m.data); /* never answered */
    api_clear(&a);
    CU_ASSERT_EQUAL(a.got.count, 1);
    CU_ASSERT_EQUAL(a.got.status, 503);
    CU_ASSERT_STRING_EQUAL(a.got.code, "ServiceUnavailable");
    end(&a);
}

static void too_many_that_wait_are_refused(void)
{
    struct api a;
    struct made_request m;

    start(&a);
    a.later = true;
    make_post(&m, "ec2", "Action=DescribeRegions" V);
    for (size_t i = 0; i < 256; i++)
        api_send(&a, &m.data);
    CU_ASSERT_EQUAL(a.got.count, 0);
    api_send(&a, &m.data);
    CU_ASSERT_EQUAL(a.got.count, 1);
    CU_ASSERT_STRING_EQUAL(a.got.code, "RequestLimitExceeded");
    end(&a);
}

static bool ask(struct s2_fake_env *f, void *arg)
{
    static const char *const bodies[] = {
        "Action=DescribeAvailabilityZones" V "&Filter.1.Name=state&Filter.1.Value.1=available",
        "Action=Nonsense" V,
    };
    struct api a = {.fake = *f};

    /* the environment's pointers are those of f, which counts */
    a.fake.env.memory = f->env.memory;
    if (!api_init(&a))
        return false;
    api_post(&a, "ec2", bodies[*(size_t *)arg]);
    CU_ASSERT_EQUAL(a.got.count, 1);
    CU_ASSERT(a.got.status == (*(size_t *)arg == 0 ? 200 : 400) || a.got.status == 500);
    const bool good = a.got.status != 500;
    api_clear(&a);
    return good;
}

static void every_allocation_may_fail(void)
{
    for (size_t i = 0; i < 2; i++)
        s2_fail_every_allocation(ask, &i);
}

static void failing_randomness_is_an_internal_error(void)
{
    struct api a;

    start(&a);
    a.fake.random_fails = true;
    api_post(&a, "ec2", "Action=DescribeRegions" V);
    CU_ASSERT_EQUAL(a.got.status, 500);
    CU_ASSERT_STRING_EQUAL(a.got.code, "InternalError");
    end(&a);
    CU_ASSERT_FALSE(api_init(&a));
}

static void options_are_checked(void)
{
    s2svpn_ec2_options o = S2SVPN_EC2_OPTIONS_INIT;
    s2svpn_error why = {0};
    s2svpn_ec2 *ec2 = (s2svpn_ec2 *)&o;

    CU_ASSERT_EQUAL(s2svpn_ec2_new(&o, &ec2, &why), S2SVPN_E_ARGUMENT);
    CU_ASSERT_PTR_NULL(ec2);
    CU_ASSERT_STRING_EQUAL(why.field, "lookup");
    CU_ASSERT_EQUAL(s2svpn_ec2_new(NULL, &ec2, NULL), S2SVPN_E_ARGUMENT);
    s2svpn_ec2_free(NULL);
}

static void the_actions_are_printed(void)
{
    s2svpn_text text;

    CU_ASSERT_EQUAL(s2svpn_ec2_print_actions(&text), S2SVPN_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "GetCallerIdentity (sts 2011-06-15)\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text.data, "DescribeAccountAttributes (ec2 2016-11-15)\n"
                          "    AttributeName.N: one of supported-platforms, default-vpc\n"));
    s2svpn_text_free(&text);
}

const CU_TestInfo s2_test_ec2[] = {
    {"caller identity names the key's owner", caller_identity_names_the_key_s_owner},
    {"the actions answer", the_actions_answer},
    {"any body is answered once", any_body_is_answered_once},
    {"a key may come later", a_key_may_come_later},
    {"too many that wait are refused", too_many_that_wait_are_refused},
    {"every allocation may fail", every_allocation_may_fail},
    {"failing randomness is an internal error", failing_randomness_is_an_internal_error},
    {"options are checked", options_are_checked},
    {"the actions are printed", the_actions_are_printed},
    CU_TEST_INFO_NULL,
};
