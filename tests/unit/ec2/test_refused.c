/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are refused, with AWS's code and HTTP status; and a row's checks. */
#include "ec2/action.h"

#include <string.h>

#include "base/bytes.h"
#include "harness.h"
#include "support.h"

#define V "&Version=2016-11-15"
#define REGIONS "Action=DescribeRegions" V
#define ZONES "Action=DescribeAvailabilityZones" V
#define ATTRIBUTES "Action=DescribeAccountAttributes" V
#define CALLER "Action=GetCallerIdentity&Version=2011-06-15"

static const struct {
    const char *service, *body, *code;
    unsigned http;
} rows[] = {
    {"ec2", "", "MissingAction", 400},
    {"ec2", "Action=" V, "MissingAction", 400},
    {"ec2", "Version=2016-11-15", "MissingAction", 400},
    {"ec2", "action=DescribeRegions" V, "MissingAction", 400},
    {"ec2", "Action=DescribeRegions", "MissingParameter", 400},
    {"ec2", "Action=DescribeRegions&Version=", "NoSuchVersion", 400},
    {"ec2", "Action=DescribeRegions&Version=2016-11-16", "NoSuchVersion", 400},
    {"ec2", "Action=DescribeRegions&Version=2011-06-15", "NoSuchVersion", 400},
    {"ec2", "Action=Nonsense" V, "InvalidAction", 400},
    {"ec2", "Action=describeregions" V, "InvalidAction", 400},
    {"ec2", "Action=DescribeRegions%20" V, "InvalidAction", 400},
    {"ec2", "Action=GetCallerIdentity" V, "InvalidAction", 400},
    {"ec2", "Action=%3Cscript%3E" V, "InvalidAction", 400},
    {"sts", "Action=DescribeRegions&Version=2011-06-15", "InvalidAction", 400},
    {"sts", "Action=GetCallerIdentity&Version=2016-11-15", "NoSuchVersion", 400},
    {"sts", CALLER "&DryRun=true", "UnknownParameter", 400},
    {"sts", CALLER "&X=1", "UnknownParameter", 400},
    {"sts", "", "MissingAction", 400},
    {"ec2", REGIONS "&", "", 200},
    {"ec2", REGIONS "&=", "", 200},
    {"ec2", REGIONS "&Nonsense=1", "UnknownParameter", 400},
    {"ec2", REGIONS "&regionname.1=eu-west-1", "UnknownParameter", 400},
    {"ec2", REGIONS "&RegionName=eu-west-1", "UnknownParameter", 400},
    {"ec2", REGIONS "&RegionName.0=eu-west-1", "UnknownParameter", 400},
    {"ec2", REGIONS "&RegionName.01=eu-west-1", "UnknownParameter", 400},
    {"ec2", REGIONS "&RegionName.-1=eu-west-1", "UnknownParameter", 400},
    {"ec2", REGIONS "&RegionName.1.x=eu-west-1", "UnknownParameter", 400},
    {"ec2", REGIONS "&RegionName.x=eu-west-1", "UnknownParameter", 400},
    {"ec2", REGIONS "&RegionName.=eu-west-1", "UnknownParameter", 400},
    {"ec2", REGIONS "&RegionName.member.1=eu-west-1", "UnknownParameter", 400},
    {"ec2", REGIONS "&RegionName.9999999999=eu-west-1", "UnknownParameter", 400},
    {"ec2", REGIONS "&RegionName.999999999=eu-west-1", "", 200},
    {"ec2", REGIONS "&RegionName.1=", "InvalidParameterValue", 400},
    {"ec2", REGIONS "&RegionName.1=nowhere", "InvalidParameterValue", 400},
    {"ec2", REGIONS "&RegionName.1=eu-west-1&RegionName.5=nowhere", "InvalidParameterValue", 400},
    {"ec2", REGIONS "&RegionName.1=EU-WEST-1", "InvalidParameterValue", 400},
    {"ec2", REGIONS "&RegionName.1=%3C%26%22", "InvalidParameterValue", 400},
    {"ec2", REGIONS "&RegionName.1=%01%02", "InvalidParameterValue", 400},
    {"ec2", REGIONS "&AllRegions=", "InvalidParameterValue", 400},
    {"ec2", REGIONS "&AllRegions=yes", "InvalidParameterValue", 400},
    {"ec2", REGIONS "&AllRegions=1", "InvalidParameterValue", 400},
    {"ec2", REGIONS "&AllRegions=true+", "InvalidParameterValue", 400},
    {"ec2", REGIONS "&AllRegions=TRUE", "", 200},
    {"ec2", REGIONS "&AllRegions.1=true", "UnknownParameter", 400},
    {"ec2", REGIONS "&AllRegions=x&Nonsense=1", "UnknownParameter", 400},
    {"ec2", REGIONS "&DryRun=true", "DryRunOperation", 412},
    {"ec2", REGIONS "&DryRun=True", "DryRunOperation", 412},
    {"ec2", REGIONS "&DryRun=false", "", 200},
    {"ec2", REGIONS "&DryRun=maybe", "InvalidParameterValue", 400},
    {"ec2", REGIONS "&DryRun=true&Nonsense=1", "UnknownParameter", 400},
    {"ec2", REGIONS "&DryRun.1=true", "UnknownParameter", 400},
    {"ec2", REGIONS "&MaxResults=5", "UnknownParameter", 400},
    {"ec2", REGIONS "&NextToken=x", "UnknownParameter", 400},
    {"ec2", REGIONS "&Filter.1.Name=nonsense&Filter.1.Value.1=x", "InvalidParameterValue", 400},
    {"ec2", REGIONS "&Filter.1.Name=Endpoint&Filter.1.Value.1=x", "InvalidParameterValue", 400},
    {"ec2", REGIONS "&Filter.1.Name=&Filter.1.Value.1=x", "InvalidParameterValue", 400},
    {"ec2", REGIONS "&Filter.1.Name=tag:x&Filter.1.Value.1=x", "InvalidParameterValue", 400},
    {"ec2", REGIONS "&Filter.1.Name=endpoint", "MissingParameter", 400},
    {"ec2", REGIONS "&Filter.1.Value.1=x", "MissingParameter", 400},
    {"ec2", REGIONS "&Filter.1=x", "MissingParameter", 400},
    {"ec2", REGIONS "&Filter=x", "UnknownParameter", 400},
    {"ec2", REGIONS "&Filter.Name=endpoint", "UnknownParameter", 400},
    {"ec2", REGIONS "&Filter.1.Name=endpoint&Filter.1.Value=x", "MissingParameter", 400},
    {"ec2", REGIONS "&Filter.1.Name=endpoint&Filter.1.Values.1=x", "MissingParameter", 400},
    {"ec2", REGIONS "&Filter.1.Name=endpoint&Filter.1.Value.1=x&Filter.1.More=x",
     "UnknownParameter", 400},
    {"ec2", REGIONS "&Filter.1.Name=endpoint&Filter.1.Value.1=x&Filter.1.Value.1.Y=x",
     "UnknownParameter", 400},
    {"ec2", REGIONS "&Filter.1.Name.1=endpoint&Filter.1.Value.1=x", "MissingParameter", 400},
    {"ec2", ZONES "&ZoneName.1=us-east-1d", "InvalidParameterValue", 400},
    {"ec2", ZONES "&ZoneName.1=eu-west-1a", "InvalidParameterValue", 400},
    {"ec2", ZONES "&ZoneId.1=us-east-1a", "InvalidParameterValue", 400},
    {"ec2", ZONES "&ZoneId.1=use1-az4", "InvalidParameterValue", 400},
    {"ec2", ZONES "&ZoneId.1=", "InvalidParameterValue", 400},
    {"ec2", ZONES "&AllAvailabilityZones=x", "InvalidParameterValue", 400},
    {"ec2", ZONES "&AllRegions=true", "UnknownParameter", 400},
    {"ec2", ZONES "&Filter.1.Name=endpoint&Filter.1.Value.1=x", "InvalidParameterValue", 400},
    {"ec2",
     ZONES "&ZoneName.1=" /* longer than any */
           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
     "InvalidParameterValue", 400},
    {"ec2", ATTRIBUTES "&AttributeName.1=max-instances", "InvalidParameterValue", 400},
    {"ec2", ATTRIBUTES "&AttributeName.1=", "InvalidParameterValue", 400},
    {"ec2", ATTRIBUTES "&AttributeName.1=default-vpc&AttributeName.2=x", "InvalidParameterValue",
     400},
    {"ec2", ATTRIBUTES "&AttributeName=default-vpc", "UnknownParameter", 400},
    {"ec2", ATTRIBUTES "&Filter.1.Name=x&Filter.1.Value.1=x", "UnknownParameter", 400},
    {"ec2", REGIONS "&a=%", "MalformedQueryString", 400},
    {"ec2", REGIONS "&a=%zz", "MalformedQueryString", 400},
    {"ec2", REGIONS "&a=%00", "MalformedQueryString", 400},
    {"ec2", REGIONS "&a=%ff", "MalformedQueryString", 400},
    {"ec2", REGIONS "&%C0%AF=1", "MalformedQueryString", 400},
    {"ec2", REGIONS "&=1", "MalformedQueryString", 400},
    {"ec2", REGIONS "&.=1", "MalformedQueryString", 400},
    {"ec2", REGIONS V, "InvalidQueryParameter", 400},
    {"ec2", REGIONS "&Action=DescribeVpcs", "InvalidQueryParameter", 400},
    {"ec2", REGIONS "&AllRegions=true&AllRegions=true", "InvalidQueryParameter", 400},
    {"ec2", "{\"Action\":\"DescribeRegions\"}", "MissingAction", 400},
    {"ec2", "<DescribeRegions/>", "MissingAction", 400},
};

static void bad_parameters_get_aws_s_codes(void)
{
    struct api a = {.later = false};

    s2_fake_env_init(&a.fake, 1);
    CU_ASSERT_TRUE_FATAL(api_init(&a));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        api_post(&a, rows[i].service, rows[i].body);
        CHECK_ROW(rows[i].body, a.got.count == 1);
        CHECK_ROW(rows[i].body, a.got.status == rows[i].http);
        CHECK_ROW(rows[i].body, strcmp(a.got.code, rows[i].code) == 0);
        CHECK_ROW(rows[i].body, a.got.code[0] == '\0' || strstr(a.got.body, a.got.code) != NULL);
    }
    api_clear(&a);
    CU_ASSERT_EQUAL(a.fake.live, 0);
}

/* Who asks, and how. */
enum change {
    UNSIGNED,
    OTHER_KEY,
    DISABLED,
    WRONG_SECRET,
    TOKEN_WANTED,
    NOT_ALLOWED,
    METHOD,
    BOTH_PLACES,
    TWO_SIGNATURES,
    URL_MALFORMED,
    TOO_LONG,
    LATE,
    BROKEN_KEY,
    NO_DATE,
};
static const struct {
    const char *row, *service;
    enum change change;
    const char *code;
    unsigned http;
} doors[] = {
    {"unsigned", "ec2", UNSIGNED, "MissingAuthenticationToken", 403},
    {"a key that nobody has", "ec2", OTHER_KEY, "AuthFailure", 401},
    {"a key that nobody has, at sts", "sts", OTHER_KEY, "InvalidClientTokenId", 403},
    {"a disabled key", "ec2", DISABLED, "AuthFailure", 401},
    {"a disabled key at sts", "sts", DISABLED, "InvalidClientTokenId", 403},
    {"another secret", "ec2", WRONG_SECRET, "AuthFailure", 401},
    {"another secret at sts", "sts", WRONG_SECRET, "SignatureDoesNotMatch", 403},
    {"no session token", "ec2", TOKEN_WANTED, "InvalidClientTokenId", 403},
    {"not allowed", "ec2", NOT_ALLOWED, "UnauthorizedOperation", 403},
    {"another method", "ec2", METHOD, "MethodNotAllowed", 405},
    {"parameters in both places", "ec2", BOTH_PLACES, "MalformedQueryString", 400},
    {"two signatures", "ec2", TWO_SIGNATURES, "IncompleteSignature", 400},
    {"a malformed URL", "ec2", URL_MALFORMED, "MalformedQueryString", 400},
    {"too long", "ec2", TOO_LONG, "RequestEntityTooLarge", 413},
    {"an hour late", "ec2", LATE, "RequestExpired", 400},
    {"a host's key that isn't whole", "ec2", BROKEN_KEY, "InternalError", 500},
    {"no date", "ec2", NO_DATE, "IncompleteSignature", 400},
};

static void change(struct api *a, struct made_request *m, enum change what, const char *service)
{
    switch (what) {
    case UNSIGNED:
        m->data.header_count = 3;
        break;
    case OTHER_KEY:
        a->unknown = true;
        break;
    case DISABLED:
        a->key.rights = S2SVPN_EC2_DISABLED;
        break;
    case WRONG_SECRET:
        a->key.secret = "another";
        break;
    case TOKEN_WANTED:
        a->key.session_token = "token";
        break;
    case NOT_ALLOWED:
        a->refuses = true;
        break;
    case METHOD:
        m->data.method = span_of("PUT");
        break;
    case BOTH_PLACES:
        m->data.target = span_of("/?Action=DescribeRegions");
        sign_post(m, service);
        break;
    case TWO_SIGNATURES:
        m->data.target = span_of("/?X-Amz-Signature=00");
        break;
    case URL_MALFORMED:
        m->data.target = span_of("/?a=%4");
        break;
    case TOO_LONG:
        m->data.body.len = S2SVPN_EC2_BODY_MAX + 1; /* not a byte of it is read */
        break;
    case LATE:
        m->data.time_s += 3600;
        break;
    case BROKEN_KEY:
        a->key.account = "12345678901x";
        break;
    case NO_DATE:
        m->header[2].name = span_of("X-Date");
        break;
    }
}

static void the_front_door_refuses_with_aws_s_codes(void)
{
    for (size_t i = 0; i < sizeof(doors) / sizeof(doors[0]); i++) {
        const bool sts = strcmp(doors[i].service, "sts") == 0;
        struct api a = {.later = false};
        struct made_request m;

        s2_fake_env_init(&a.fake, 1);
        CU_ASSERT_TRUE_FATAL(api_init(&a));
        make_post(&m, doors[i].service, sts ? CALLER : REGIONS);
        change(&a, &m, doors[i].change, doors[i].service);
        api_send(&a, &m.data);
        CHECK_ROW(doors[i].row, a.got.count == 1);
        CHECK_ROW(doors[i].row, a.got.status == doors[i].http);
        CHECK_ROW(doors[i].row, strcmp(a.got.code, doors[i].code) == 0);
        CHECK_ROW(doors[i].row,
                  strstr(a.got.body, sts ? "<ErrorResponse" : "<Response><Errors>") != NULL);
        CHECK_ROW(doors[i].row, strstr(a.got.body, SECRET) == NULL);
        api_clear(&a);
        CHECK_ROW(doors[i].row, a.fake.live == 0);
    }
}

/* A row with every kind of parameter. */
static const char *const words[] = {"ipsec.1", NULL};
static const struct s2_ec2_shape tag[] = {
    {.name = "Key", .type = S2_EC2_TEXT, .required = true, .min = 1, .max = 128},
    {.name = "Value", .type = S2_EC2_TEXT},
    {.name = NULL},
};
static const struct s2_ec2_shape specification[] = {
    {.name = "ResourceType", .type = S2_EC2_TEXT},
    {.name = "Tag", .type = S2_EC2_STRUCT, .list = true, .members = tag},
    {.name = NULL},
};
static const struct s2_ec2_shape params[] = {
    {.name = "VpcId",
     .type = S2_EC2_ID,
     .required = true,
     .prefix = "vpc-",
     .malformed = S2_EC2_VPC_MALFORMED},
    {.name = "SubnetId",
     .type = S2_EC2_ID,
     .list = true,
     .prefix = "subnet-",
     .malformed = S2_EC2_SUBNET_MALFORMED},
    {.name = "Port", .type = S2_EC2_INT, .min = -1, .max = 65535},
    {.name = "Type", .type = S2_EC2_ENUM, .words = words},
    {.name = "When", .type = S2_EC2_TIME},
    {.name = "TagSpecification", .type = S2_EC2_STRUCT, .list = true, .members = specification},
    {.name = NULL},
};
static const struct s2_ec2_action action = {.name = "Do", .params = params};

#define ID "VpcId=vpc-0123456789abcdef0"
static const struct {
    const char *text;
    enum s2_ec2_fault_id id;
    const char *message;
} checks[] = {
    {ID, S2_EC2_NONE, ""},
    {"VpcId=vpc-01234567", S2_EC2_NONE, ""},
    {"", S2_EC2_MISSING_PARAMETER, "The request must contain the parameter vpcId"},
    {"VpcId=", S2_EC2_VPC_MALFORMED, "Invalid id: \"\" (expecting \"vpc-...\")"},
    {"VpcId=vpc-", S2_EC2_VPC_MALFORMED, NULL},
    {"VpcId=vpc-0123456", S2_EC2_VPC_MALFORMED, NULL},
    {"VpcId=vpc-012345678", S2_EC2_VPC_MALFORMED, NULL},
    {"VpcId=vpc-0123456789abcdef", S2_EC2_VPC_MALFORMED, NULL},
    {"VpcId=vpc-0123456789abcdef01", S2_EC2_VPC_MALFORMED, NULL},
    {"VpcId=vpc-0123456789ABCDEF0", S2_EC2_VPC_MALFORMED, NULL},
    {"VpcId=VPC-0123456789abcdef0", S2_EC2_VPC_MALFORMED, NULL},
    {"VpcId=vgw-0123456789abcdef0", S2_EC2_VPC_MALFORMED, NULL},
    {"VpcId=+vpc-01234567", S2_EC2_VPC_MALFORMED, NULL},
    {"VpcId.1=vpc-01234567", S2_EC2_UNKNOWN_PARAMETER, "The parameter VpcId.1 is not recognized"},
    {ID "&SubnetId.2=subnet-01234567&SubnetId.7=subnet-0", S2_EC2_SUBNET_MALFORMED,
     "Invalid id: \"subnet-0\" (expecting \"subnet-...\")"},
    {ID "&Port=-1", S2_EC2_NONE, ""},
    {ID "&Port=65535", S2_EC2_NONE, ""},
    {ID "&Port=-2", S2_EC2_INVALID_VALUE, NULL},
    {ID "&Port=65536", S2_EC2_INVALID_VALUE, NULL},
    {ID "&Port=", S2_EC2_INVALID_VALUE, NULL},
    {ID "&Port=1e3", S2_EC2_INVALID_VALUE, NULL},
    {ID "&Port=18446744073709551617", S2_EC2_INVALID_VALUE, NULL},
    {ID "&Type=ipsec.1", S2_EC2_NONE, ""},
    {ID "&Type=ipsec.2", S2_EC2_INVALID_VALUE,
     "Value (ipsec.2) for parameter Type is invalid. It is not one of the allowed values."},
    {ID "&When=2026-01-02T03:04:05Z", S2_EC2_NONE, ""},
    {ID "&When=yesterday", S2_EC2_INVALID_VALUE, NULL},
    {ID "&TagSpecification.1.ResourceType=vpc&TagSpecification.1.Tag.4.Key=a", S2_EC2_NONE, ""},
    {ID "&TagSpecification.3.Tag.2.Value=a", S2_EC2_MISSING_PARAMETER,
     "The request must contain the parameter tagSpecification.3.Tag.2.Key"},
    {ID "&TagSpecification.1.Tag.1.Key=", S2_EC2_INVALID_VALUE, NULL},
    {ID "&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.1.More=a", S2_EC2_UNKNOWN_PARAMETER,
     NULL},
    {ID "&TagSpecification.1=a", S2_EC2_UNKNOWN_PARAMETER, NULL},
    {ID "&TagSpecification.Tag.1.Key=a", S2_EC2_UNKNOWN_PARAMETER, NULL},
    {"VpcId=x&Port=x&Nonsense=x", S2_EC2_UNKNOWN_PARAMETER, NULL},
    {"VpcId=x&Port=x", S2_EC2_VPC_MALFORMED, NULL},
};

static void a_row_checks_its_parameters(void)
{
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        struct s2_fake_env fake;
        struct s2_ec2_fault fault = {.id = S2_EC2_NONE};
        struct s2_ec2_query q;

        s2_fake_env_init(&fake, 1);
        CHECK_ROW(checks[i].text,
                  s2_ec2_query_parse(&q, &fake.env, span_of(checks[i].text), &fault) == S2SVPN_OK);
        const s2svpn_status rc = s2_ec2_check(&action, &q, &fault);
        CHECK_ROW(checks[i].text, fault.id == checks[i].id);
        CHECK_ROW(checks[i].text, (rc == S2SVPN_OK) == (checks[i].id == S2_EC2_NONE));
        CHECK_ROW(checks[i].text,
                  checks[i].message == NULL || strcmp(fault.message, checks[i].message) == 0);
        s2_ec2_query_clear(&q);
    }
}

static void the_table_is_whole(void)
{
    const struct s2_ec2_action *a;
    size_t n = 0;

    for (; (a = s2_ec2_action_at(n)) != NULL; n++) {
        CHECK_ROW(a->name, s2_ec2_action_find(a->service, a->name) == a);
        CHECK_ROW(a->name, a->run != NULL);
        CHECK_ROW(a->name, a->mutates == (strncmp(a->name, "Describe", 8) != 0 &&
                                          strncmp(a->name, "Get", 3) != 0));
    }
    CU_ASSERT(n >= 4);
}

const CU_TestInfo s2_test_refused[] = {
    {"bad parameters get AWS's codes", bad_parameters_get_aws_s_codes},
    {"the front door refuses with AWS's codes", the_front_door_refuses_with_aws_s_codes},
    {"a row checks its parameters", a_row_checks_its_parameters},
    {"the table is whole", the_table_is_whole},
    CU_TEST_INFO_NULL,
};
