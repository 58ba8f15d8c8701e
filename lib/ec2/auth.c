/* SPDX-License-Identifier: Apache-2.0 */
/* Takes a signature's parts out of a request and refuses what needs no secret to be
 * refused. The computation is in sigv4.c. */
#include "ec2/sigv4.h"

#include <string.h>

#include "base/bytes.h"
#include "base/reader.h"
#include "ec2/header.h"
#include "ec2/time.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define SCOPE_END "aws4_request"

bool s2_ec2_is_signed(const s2svpn_ec2_request_data *req, const struct s2_ec2_query *url)
{
    return s2_ec2_header_find(req, "authorization") != NULL ||
           s2_ec2_query_has(url, "X-Amz-Algorithm") || s2_ec2_query_has(url, "X-Amz-Signature");
}

static s2svpn_status incomplete(struct s2_ec2_fault *fault, const char *text)
{
    return s2_ec2_fail(fault, S2_EC2_INCOMPLETE_SIGNATURE, text, NULL, NULL);
}

/* EC2 has one answer for all that is wrong with a signature, other services have
 * theirs. The sentence may say which part doesn't fit: it is no secret. */
static s2svpn_status refuse(const struct s2_ec2_auth *auth, struct s2_ec2_fault *fault,
                            const char *why)
{
    const bool ec2 = strcmp(auth->service, "sts") != 0;

    return s2_ec2_fail(fault, ec2 ? S2_EC2_AUTH_FAILURE_SCOPE : S2_EC2_SIGNATURE_MISMATCH_SCOPE,
                       why, NULL, NULL);
}

s2svpn_status s2_ec2_auth_unknown(const struct s2_ec2_auth *auth, struct s2_ec2_fault *fault)
{
    return s2_ec2_fail(fault,
                       strcmp(auth->service, "sts") == 0 ? S2_EC2_INVALID_CLIENT_TOKEN
                                                         : S2_EC2_AUTH_FAILURE,
                       NULL, NULL, NULL);
}

/* Up to stop, which is passed over, or to the end. */
static s2svpn_span take_until(struct s2_reader *r, char stop)
{
    size_t n = 0;

    while (n < r->left && r->p[n] != (uint8_t)stop)
        n++;
    s2svpn_span s = s2_read_span(r, n, "authorization");
    if (r->left > 0)
        s2_read_skip(r, 1, "authorization");
    return s;
}

/* Printable ASCII without blanks, at least one and at most size - 1. */
static bool copy_word(s2svpn_span s, char *out, size_t size)
{
    if (s.len == 0 || s.len >= size)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] <= ' ' || s.p[i] > '~')
            return false;
    }
    memcpy(out, s.p, s.len);
    out[s.len] = '\0';
    return true;
}

static bool all_of(const char *text, const char *set, size_t len)
{
    return strlen(text) == len && strspn(text, set) == len;
}

/* AKID/20260102/us-east-1/ec2/aws4_request; a key's id holds no slash. */
static bool parse_credential(s2svpn_span credential, struct s2_ec2_auth *a)
{
    struct s2_reader r;
    char end[sizeof(SCOPE_END)];

    s2_reader_init(&r, credential.p, credential.len);
    return copy_word(take_until(&r, '/'), a->access_key, sizeof(a->access_key)) &&
           copy_word(take_until(&r, '/'), a->date, sizeof(a->date)) &&
           all_of(a->date, "0123456789", 8) &&
           copy_word(take_until(&r, '/'), a->region, sizeof(a->region)) &&
           strspn(a->region, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(a->region) &&
           copy_word(take_until(&r, '/'), a->service, sizeof(a->service)) &&
           copy_word(take_until(&r, '/'), end, sizeof(end)) && strcmp(end, SCOPE_END) == 0 &&
           r.left == 0 && credential.p[credential.len - 1] != '/';
}

static bool parse_signature(s2svpn_span s, struct s2_ec2_auth *a)
{
    return copy_word(s, a->signature, sizeof(a->signature)) &&
           all_of(a->signature, "0123456789abcdef", 64);
}

static bool span_is(s2svpn_span s, const char *text)
{
    return s2_span_equal(s, s2_span(text, strlen(text)));
}

/* Authorization: AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=… */
static s2svpn_status parse_header(s2svpn_span value, struct s2_ec2_auth *a,
                                  struct s2_ec2_fault *fault)
{
    enum { CREDENTIAL, SIGNED_HEADERS, SIGNATURE, PARTS };
    static const char *const names[PARTS] = {"Credential", "SignedHeaders", "Signature"};
    static const char *const missing[PARTS] = {
        "Authorization header requires 'Credential' parameter.",
        "Authorization header requires 'SignedHeaders' parameter.",
        "Authorization header requires 'Signature' parameter.",
    };
    s2svpn_span part[PARTS] = {{NULL, 0}};
    struct s2_reader r;

    s2_reader_init(&r, value.p, value.len);
    if (!span_is(take_until(&r, ' '), ALGORITHM))
        return incomplete(fault, "Unsupported algorithm: use " ALGORITHM ".");
    while (r.left > 0) {
        struct s2_reader item;
        const s2svpn_span text = s2_ec2_trim(take_until(&r, ','));
        size_t i = 0;

        s2_reader_init(&item, text.p, text.len);
        const s2svpn_span name = take_until(&item, '=');
        while (i < PARTS && !span_is(name, names[i]))
            i++;
        if (i == PARTS || part[i].p != NULL)
            return incomplete(fault, "Authorization header has a part that is unknown or there "
                                     "twice.");
        part[i] = s2_read_rest(&item);
    }
    for (size_t i = 0; i < PARTS; i++) {
        if (part[i].len == 0)
            return incomplete(fault, missing[i]);
    }
    if (!parse_credential(part[CREDENTIAL], a))
        return incomplete(fault,
                          "Credential must have the form KEY/DATE/REGION/SERVICE/" SCOPE_END ".");
    if (!parse_signature(part[SIGNATURE], a))
        return incomplete(fault, "Signature must be 64 lower-case hexadecimal digits.");
    a->signed_headers = part[SIGNED_HEADERS];
    return S2SVPN_OK;
}

static s2svpn_status parse_date_headers(const s2svpn_ec2_request_data *req, struct s2_ec2_auth *a,
                                        struct s2_ec2_fault *fault)
{
    const s2svpn_ec2_header *h = s2_ec2_header_find(req, "x-amz-date");
    bool good = false;

    if (h == NULL)
        h = s2_ec2_header_find(req, "date");
    if (h == NULL)
        return incomplete(fault, "Authorization header requires existence of either a "
                                 "'X-Amz-Date' or a 'Date' header.");
    const s2svpn_span value = s2_ec2_trim(h->value);
    good = s2_ec2_time_basic((const char *)value.p, value.len, &a->time_s) ||
           s2_ec2_time_http((const char *)value.p, value.len, &a->time_s);
    if (!good)
        return incomplete(fault, "Date must be in ISO-8601 'basic format'.");
    s2_ec2_time_print_basic(a->time_s, a->time);
    return S2SVPN_OK;
}

static s2svpn_span value_of(struct s2_ec2_query *url, const char *name)
{
    const struct s2_ec2_param *p = s2_ec2_query_find(url, name);

    return p != NULL ? s2_span(p->value, p->value_len) : s2_span(NULL, 0);
}

static s2svpn_status parse_presigned(struct s2_ec2_query *url, struct s2_ec2_auth *a,
                                     struct s2_ec2_fault *fault)
{
    const s2svpn_span time = value_of(url, "X-Amz-Date");
    const char *expires = s2_ec2_query_text(url, "X-Amz-Expires");

    if (!span_is(value_of(url, "X-Amz-Algorithm"), ALGORITHM))
        return incomplete(fault, "Unsupported algorithm: use " ALGORITHM ".");
    if (!parse_credential(value_of(url, "X-Amz-Credential"), a))
        return incomplete(
            fault, "X-Amz-Credential must have the form KEY/DATE/REGION/SERVICE/" SCOPE_END ".");
    if (!s2_ec2_time_basic((const char *)time.p, time.len, &a->time_s))
        return incomplete(fault, "X-Amz-Date must be in ISO-8601 'basic format'.");
    if (expires == NULL || !s2_ec2_read_int(expires, 1, S2_EC2_EXPIRES_MAX, &a->expires_s))
        return incomplete(fault, "X-Amz-Expires must be a number from 1 to 604800.");
    a->signed_headers = value_of(url, "X-Amz-SignedHeaders");
    if (a->signed_headers.len == 0)
        return incomplete(fault, "The request requires the parameter X-Amz-SignedHeaders.");
    if (!parse_signature(value_of(url, "X-Amz-Signature"), a))
        return incomplete(fault, "X-Amz-Signature must be 64 lower-case hexadecimal digits.");
    const s2svpn_span token = value_of(url, "X-Amz-Security-Token");
    if (token.p != NULL)
        a->token = token;
    s2_ec2_time_print_basic(a->time_s, a->time);
    return S2SVPN_OK;
}

/* Names in ascending order, in lower case, each of a header that was sent. */
static s2svpn_status check_signed_names(const s2svpn_ec2_request_data *req,
                                        const struct s2_ec2_auth *a, struct s2_ec2_fault *fault)
{
    struct s2_reader r;
    s2svpn_span before = {NULL, 0};
    size_t count = 0;

    s2_reader_init(&r, a->signed_headers.p, a->signed_headers.len);
    while (r.left > 0) {
        const s2svpn_span name = take_until(&r, ';');
        if (++count > S2_EC2_SIGNED_MAX)
            return incomplete(fault, "SignedHeaders names too many headers.");
        if (before.p != NULL && s2_ec2_compare(before, name) >= 0)
            return refuse(a, fault, "SignedHeaders must be sorted.");
        if (!s2_ec2_header_has(req, name))
            return refuse(a, fault, "SignedHeaders names a header that the request hasn't.");
        before = name;
    }
    return S2SVPN_OK;
}

static bool is_signed_name(const struct s2_ec2_auth *a, s2svpn_span name)
{
    struct s2_reader r;

    s2_reader_init(&r, a->signed_headers.p, a->signed_headers.len);
    while (r.left > 0) {
        if (s2_ec2_name_equal(take_until(&r, ';'), name))
            return true;
    }
    return false;
}

static s2svpn_status check_all_signed(const s2svpn_ec2_request_data *req,
                                      const struct s2_ec2_auth *a, struct s2_ec2_fault *fault)
{
    if (!is_signed_name(a, s2_span("host", 4)))
        return refuse(a, fault,
                      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
    for (size_t i = 0; i < req->header_count; i++) {
        const s2svpn_span name = req->header[i].name;
        if (name.len > 6 && s2_ec2_name_equal(s2_span(name.p, 6), s2_span("x-amz-", 6)) &&
            !is_signed_name(a, name))
            return refuse(a, fault, "Every header that begins with x-amz- must be signed.");
    }
    return S2SVPN_OK;
}

static s2svpn_status check_scope(const struct s2_ec2_auth *a, struct s2_ec2_fault *fault)
{
    if (strcmp(a->service, "ec2") != 0 && strcmp(a->service, "sts") != 0)
        return refuse(a, fault, "Credential should be scoped to correct service: 'ec2'.");
    if (memcmp(a->date, a->time, 8) != 0)
        return refuse(a, fault, "Date in Credential scope does not match the request's date.");
    return S2SVPN_OK;
}

static s2svpn_status check_clock(const struct s2_ec2_auth *a, int64_t now_s,
                                 struct s2_ec2_fault *fault)
{
    const int64_t late = a->presigned ? a->expires_s : S2_EC2_SKEW_S;

    if (a->time_s - now_s > S2_EC2_SKEW_S || now_s - a->time_s > late)
        return s2_ec2_fail(fault, S2_EC2_REQUEST_EXPIRED, NULL, NULL, NULL);
    return S2SVPN_OK;
}

s2svpn_status s2_ec2_auth_parse(const s2svpn_ec2_request_data *req, struct s2_ec2_query *url,
                                struct s2_ec2_auth *auth, struct s2_ec2_fault *fault)
{
    const s2svpn_ec2_header *header = s2_ec2_header_find(req, "authorization");
    const s2svpn_ec2_header *token = s2_ec2_header_find(req, "x-amz-security-token");
    s2svpn_status rc;

    *auth = (struct s2_ec2_auth){.presigned = header == NULL};
    if (!s2_ec2_is_signed(req, url))
        return s2_ec2_fail(fault, S2_EC2_NO_TOKEN, NULL, NULL, NULL);
    if (req->header_count > S2_EC2_HEADERS_MAX)
        return incomplete(fault, "The request has too many headers.");
    if (header != NULL && s2_ec2_query_has(url, "X-Amz-Signature"))
        return incomplete(fault, "A request is signed in its header or in its query, not in both.");
    if (token != NULL)
        auth->token = s2_ec2_trim(token->value);
    rc = header != NULL ? parse_header(s2_ec2_trim(header->value), auth, fault)
                        : parse_presigned(url, auth, fault);
    if (rc == S2SVPN_OK && header != NULL)
        rc = parse_date_headers(req, auth, fault);
    if (rc == S2SVPN_OK)
        rc = check_scope(auth, fault);
    if (rc == S2SVPN_OK)
        rc = check_clock(auth, req->time_s, fault);
    if (rc == S2SVPN_OK)
        rc = check_signed_names(req, auth, fault);
    if (rc == S2SVPN_OK)
        rc = check_all_signed(req, auth, fault);
    return rc;
}

void s2_ec2_auth_print(const struct s2_ec2_auth *a, struct s2_buffer *out)
{
    s2_buffer_print(out, ALGORITHM " Credential=%s/%s/%s/%s/" SCOPE_END ", SignedHeaders=",
                    a->access_key, a->date, a->region, a->service);
    s2_buffer_add(out, (const char *)a->signed_headers.p, a->signed_headers.len);
    s2_buffer_print(out, ", Signature=%s", a->signature);
}
