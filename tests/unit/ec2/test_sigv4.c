/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures. The values were computed with AWS's own SDK for Python (botocore). */
#include "ec2/sigv4.h"

#include <string.h>

#include "base/bytes.h"
#include "harness.h"
#include "support.h"

static s2svpn_status judge(const s2svpn_ec2_request_data *r, const char *secret, const char *token,
                           struct s2_ec2_fault *fault)
{
    struct s2_fake_env fake;
    struct s2_ec2_query url;
    struct s2_ec2_auth auth;

    s2_fake_env_init(&fake, 1);
    const struct s2_ec2_crypto crypto = {&fake.env, s2svpn_crypto_openssl(), NULL};
    *fault = (struct s2_ec2_fault){.id = S2_EC2_NONE};
    s2svpn_status rc =
        s2_ec2_query_parse(&url, &fake.env, s2_ec2_split_target(r->target).query, fault);
    if (rc == S2SVPN_OK)
        rc = s2_ec2_auth_parse(r, &url, &auth, fault);
    if (rc == S2SVPN_OK)
        rc = s2_ec2_auth_verify(&crypto, r, &url, &auth, secret, token, fault);
    s2_ec2_query_clear(&url);
    CU_ASSERT_EQUAL(fake.live, 0);
    return rc;
}

#define BODY                                                                                       \
    "Action=DescribeVpnConnections&Version=2016-11-15&VpnConnectionId.1=vpn-0123456789abcdef0"
#define SIGNATURE "1482d4cb2ba3ca185a47a4ebfa7ea1d56263a605cc15ed8611679acd3c009d61"

static void every_step_is_the_published_one(void)
{
    struct s2_fake_env fake;
    struct made_request m;
    struct s2_ec2_fault fault = {.id = S2_EC2_NONE};
    struct s2_ec2_sigv4_steps steps;
    struct s2_ec2_query url;
    struct s2_ec2_auth auth;
    char signature[65];

    s2_fake_env_init(&fake, 1);
    const struct s2_ec2_crypto crypto = {&fake.env, s2svpn_crypto_openssl(), NULL};
    make_post(&m, "ec2", BODY);
    CU_ASSERT_EQUAL(s2_ec2_query_parse(&url, &fake.env, s2_span(NULL, 0), &fault), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_ec2_auth_parse(&m.data, &url, &auth, &fault), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_ec2_sign(&crypto, &m.data, &url, &auth, SECRET, signature, &steps),
                    S2SVPN_OK);
    CU_ASSERT_STRING_EQUAL(steps.body,
                           "35b46d7fb21e7517d01919feab869ea506f88a7029c70be062d3e347ded86248");
    CU_ASSERT_STRING_EQUAL(steps.canonical,
                           "6e2212c5e3fae82c81ab7f24f19785ac384e60dc17c5a31702a618e8a7e72068");
    CU_ASSERT_STRING_EQUAL(steps.date_key,
                           "4a94b7301bf76bc4db30e0c4fffd8434ec90b24fbe8ece2d7b3edb20adc3beb1");
    CU_ASSERT_STRING_EQUAL(steps.region_key,
                           "c03bbff058855983bc2f24106a6048a046854884abfae2560ef7bcd6d9296e36");
    CU_ASSERT_STRING_EQUAL(steps.service_key,
                           "13195dae4c8ce936feab238a9be7d76f628e54c7a6ec104a411ed44c4f10b926");
    CU_ASSERT_STRING_EQUAL(steps.signing_key,
                           "9c016d41f96ed5cf6bfc0f4dc8f4f47fb612d70bdc25f169af4d77a46662741a");
    CU_ASSERT_STRING_EQUAL(signature, SIGNATURE);
    CU_ASSERT_STRING_EQUAL(auth.signature, SIGNATURE);
    CU_ASSERT_EQUAL(s2_ec2_auth_verify(&crypto, &m.data, &url, &auth, SECRET, NULL, &fault),
                    S2SVPN_OK);
}

#define PRESIGNED                                                                                  \
    "/?Action=DescribeVpcs&Version=2016-11-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&"                   \
    "X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Fus-east-1%2Fec2%2Faws4_request&"                    \
    "X-Amz-Date=20260102T030405Z&X-Amz-Expires=300&X-Amz-SignedHeaders=host&"                      \
    "X-Amz-Signature=30e7fcf4bee41cd08325f4c39b2dbff61ef2a91ff5274c16e2bdd7924573eb58"

static s2svpn_ec2_request_data presigned(const char *target, const s2svpn_ec2_header *host)
{
    return (s2svpn_ec2_request_data){
        .size = sizeof(s2svpn_ec2_request_data),
        .method = span_of("GET"),
        .target = span_of(target),
        .header = host,
        .header_count = 1,
        .time_s = NOW,
    };
}

static void a_presigned_url_is_good_while_it_lasts(void)
{
    const s2svpn_ec2_header host = {span_of("host"), span_of("ec2.us-east-1.amazonaws.com")};
    s2svpn_ec2_request_data r = presigned(PRESIGNED, &host);
    struct s2_ec2_fault fault;

    CU_ASSERT_EQUAL(judge(&r, SECRET, NULL, &fault), S2SVPN_OK);
    r.time_s = NOW + 300;
    CU_ASSERT_EQUAL(judge(&r, SECRET, NULL, &fault), S2SVPN_OK);
    r.time_s = NOW + 301;
    CU_ASSERT_EQUAL(judge(&r, SECRET, NULL, &fault), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(fault.id, S2_EC2_REQUEST_EXPIRED);
    r.time_s = NOW - 901;
    CU_ASSERT_EQUAL(judge(&r, SECRET, NULL, &fault), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(fault.id, S2_EC2_REQUEST_EXPIRED);
}

/* A bit of the URL changed is refused, whichever it is: broken, unknown or unequal. */
static void no_bit_of_a_presigned_url_can_be_changed(void)
{
    const s2svpn_ec2_header host = {span_of("host"), span_of("ec2.us-east-1.amazonaws.com")};
    char target[] = PRESIGNED;

    for (size_t i = 2; i < sizeof(target) - 1; i++) {
        struct s2_ec2_fault fault;
        target[i] ^= 1;
        const s2svpn_ec2_request_data r = presigned(target, &host);
        if (target[i] == PRESIGNED[i] || judge(&r, SECRET, NULL, &fault) == S2SVPN_OK ||
            fault.id == S2_EC2_NONE)
            CU_FAIL(target);
        target[i] ^= 1;
    }
    CU_PASS("all refused");
}

/* The clock: 15 minutes either way. */
static void a_clock_that_is_off_is_refused(void)
{
    static const struct {
        int64_t off;
        bool good;
    } rows[] = {{0, true}, {900, true}, {-900, true}, {901, false}, {-901, false}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct made_request m;
        struct s2_ec2_fault fault;
        make_post(&m, "ec2", BODY);
        m.data.time_s += rows[i].off;
        CU_ASSERT_EQUAL(judge(&m.data, SECRET, NULL, &fault) == S2SVPN_OK, rows[i].good);
        CU_ASSERT(rows[i].good || fault.id == S2_EC2_REQUEST_EXPIRED);
    }
}

#define CREDENTIAL "Credential=AKIDEXAMPLE/20260102/us-east-1/ec2/aws4_request"
#define HEADERS "SignedHeaders=content-type;host;x-amz-date"

static const struct {
    const char *row, *authorization;
    enum s2_ec2_fault_id id;
} bad[] = {
    {"empty", "", S2_EC2_INCOMPLETE_SIGNATURE},
    {"basic", "Basic QUtJRDpzZWNyZXQ=", S2_EC2_INCOMPLETE_SIGNATURE},
    {"version 2", "AWS AKIDEXAMPLE:abc=", S2_EC2_INCOMPLETE_SIGNATURE},
    {"nothing behind it", "AWS4-HMAC-SHA256", S2_EC2_INCOMPLETE_SIGNATURE},
    {"another hash", "AWS4-HMAC-SHA512 " CREDENTIAL ", " HEADERS ", Signature=" SIGNATURE,
     S2_EC2_INCOMPLETE_SIGNATURE},
    {"no credential", "AWS4-HMAC-SHA256 " HEADERS ", Signature=" SIGNATURE,
     S2_EC2_INCOMPLETE_SIGNATURE},
    {"no headers", "AWS4-HMAC-SHA256 " CREDENTIAL ", Signature=" SIGNATURE,
     S2_EC2_INCOMPLETE_SIGNATURE},
    {"no signature", "AWS4-HMAC-SHA256 " CREDENTIAL ", " HEADERS, S2_EC2_INCOMPLETE_SIGNATURE},
    {"credential twice",
     "AWS4-HMAC-SHA256 " CREDENTIAL ", " CREDENTIAL ", " HEADERS ", Signature=" SIGNATURE,
     S2_EC2_INCOMPLETE_SIGNATURE},
    {"unknown part", "AWS4-HMAC-SHA256 " CREDENTIAL ", " HEADERS ", Signature=" SIGNATURE ", X=1",
     S2_EC2_INCOMPLETE_SIGNATURE},
    {"short signature", "AWS4-HMAC-SHA256 " CREDENTIAL ", " HEADERS ", Signature=00",
     S2_EC2_INCOMPLETE_SIGNATURE},
    {"capital digits",
     "AWS4-HMAC-SHA256 " CREDENTIAL ", " HEADERS
     ", Signature=1482D4CB2BA3CA185A47A4EBFA7EA1D56263A605CC15ED8611679ACD3C009D61",
     S2_EC2_INCOMPLETE_SIGNATURE},
    {"scope too short",
     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/ec2, " HEADERS
     ", Signature=" SIGNATURE,
     S2_EC2_INCOMPLETE_SIGNATURE},
    {"scope too long", "AWS4-HMAC-SHA256 " CREDENTIAL "/, " HEADERS ", Signature=" SIGNATURE,
     S2_EC2_INCOMPLETE_SIGNATURE},
    {"no key id",
     "AWS4-HMAC-SHA256 Credential=/20260102/us-east-1/ec2/aws4_request, " HEADERS
     ", Signature=" SIGNATURE,
     S2_EC2_INCOMPLETE_SIGNATURE},
    {"region in capitals",
     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/US-EAST-1/ec2/aws4_request, " HEADERS
     ", Signature=" SIGNATURE,
     S2_EC2_INCOMPLETE_SIGNATURE},
    {"another service",
     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/s3/aws4_request, " HEADERS
     ", Signature=" SIGNATURE,
     S2_EC2_AUTH_FAILURE_SCOPE},
    {"another day",
     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260103/us-east-1/ec2/aws4_request, " HEADERS
     ", Signature=" SIGNATURE,
     S2_EC2_AUTH_FAILURE_SCOPE},
    {"another day at sts",
     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260103/us-east-1/sts/aws4_request, " HEADERS
     ", Signature=" SIGNATURE,
     S2_EC2_SIGNATURE_MISMATCH_SCOPE},
    {"another region",
     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-2/ec2/aws4_request, " HEADERS
     ", Signature=" SIGNATURE,
     S2_EC2_AUTH_FAILURE},
    {"host unsigned",
     "AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=content-type;x-amz-date, Signature=" SIGNATURE,
     S2_EC2_AUTH_FAILURE_SCOPE},
    {"date unsigned",
     "AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=content-type;host, Signature=" SIGNATURE,
     S2_EC2_AUTH_FAILURE_SCOPE},
    {"unsorted",
     "AWS4-HMAC-SHA256 " CREDENTIAL
     ", SignedHeaders=host;content-type;x-amz-date, Signature=" SIGNATURE,
     S2_EC2_AUTH_FAILURE_SCOPE},
    {"twice",
     "AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=host;host;x-amz-date, Signature=" SIGNATURE,
     S2_EC2_AUTH_FAILURE_SCOPE},
    {"capitals",
     "AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=Host;host;x-amz-date, Signature=" SIGNATURE,
     S2_EC2_AUTH_FAILURE_SCOPE},
    {"a header that wasn't sent",
     "AWS4-HMAC-SHA256 " CREDENTIAL
     ", SignedHeaders=content-type;host;x-amz-date;x-more, Signature=" SIGNATURE,
     S2_EC2_AUTH_FAILURE_SCOPE},
};

static void malformed_signatures_are_refused_and_named(void)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct made_request m;
        struct s2_ec2_fault fault;
        make_post(&m, "ec2", BODY);
        m.header[3].value = span_of(bad[i].authorization);
        CHECK_ROW(bad[i].row, judge(&m.data, SECRET, NULL, &fault) != S2SVPN_OK);
        CHECK_ROW(bad[i].row, fault.id == bad[i].id);
    }
}

static void a_session_token_is_demanded_and_compared(void)
{
    struct made_request m;
    struct s2_ec2_fault fault;

    make_post(&m, "ec2", BODY);
    CU_ASSERT_EQUAL(judge(&m.data, SECRET, "token", &fault), S2SVPN_E_AUTHENTICATION);
    CU_ASSERT_EQUAL(fault.id, S2_EC2_INVALID_CLIENT_TOKEN);
}

static void an_unsigned_body_is_no_way_in(void)
{
    struct made_request m;
    struct s2_ec2_fault fault;

    make_post(&m, "ec2", BODY);
    m.header[4] = (s2svpn_ec2_header){span_of("X-Amz-Content-Sha256"), span_of("UNSIGNED-PAYLOAD")};
    m.data.header_count = 5;
    CU_ASSERT_EQUAL(judge(&m.data, SECRET, NULL, &fault), S2SVPN_E_AUTHENTICATION);
    make_post(&m, "ec2", BODY);
    m.data.body.len--;
    CU_ASSERT_EQUAL(judge(&m.data, SECRET, NULL, &fault), S2SVPN_E_AUTHENTICATION);
    CU_ASSERT_EQUAL(fault.id, S2_EC2_AUTH_FAILURE);
    make_post(&m, "ec2", BODY);
    m.data.header_count = 3;
    CU_ASSERT_EQUAL(judge(&m.data, SECRET, NULL, &fault), S2SVPN_E_AUTHENTICATION);
    CU_ASSERT_EQUAL(fault.id, S2_EC2_NO_TOKEN);
}

const CU_TestInfo s2_test_sigv4[] = {
    {"every step is the published one", every_step_is_the_published_one},
    {"a presigned URL is good while it lasts", a_presigned_url_is_good_while_it_lasts},
    {"no bit of a presigned URL can be changed", no_bit_of_a_presigned_url_can_be_changed},
    {"a clock that is off is refused", a_clock_that_is_off_is_refused},
    {"malformed signatures are refused and named", malformed_signatures_are_refused_and_named},
    {"a session token is demanded and compared", a_session_token_is_demanded_and_compared},
    {"an unsigned body is no way in", an_unsigned_body_is_no_way_in},
    CU_TEST_INFO_NULL,
};
