/* SPDX-License-Identifier: Apache-2.0 */
/* Signs with the code under test; test_sigv4.c compares that with published values. */
#include "support.h"

#include <string.h>

#include "base/bytes.h"

s2svpn_span span_of(const char *text)
{
    return s2_span(text, strlen(text));
}

void sign_post(struct made_request *m, const char *service)
{
    struct s2_fake_env fake;
    struct s2_ec2_fault fault = {.id = S2_EC2_NONE};
    struct s2_ec2_auth auth = {
        .access_key = KEY_ID,
        .date = "20260102",
        .region = "us-east-1",
        .time = "20260102T030405Z",
        .signed_headers = span_of("content-type;host;x-amz-date"),
    };
    struct s2_ec2_query url;
    struct s2_buffer text;

    s2_fake_env_init(&fake, 1);
    const struct s2_ec2_crypto crypto = {&fake.env, s2svpn_crypto_openssl(), NULL};
    s2_copy_text(auth.service, sizeof(auth.service), service);
    s2_buffer_init(&text, fake.env.memory, sizeof(m->authorization) - 1);
    if (s2_ec2_query_parse(&url, &fake.env, s2_ec2_split_target(m->data.target).query, &fault) ==
            S2SVPN_OK &&
        s2_ec2_sign(&crypto, &m->data, &url, &auth, SECRET, auth.signature, NULL) == S2SVPN_OK)
        s2_ec2_auth_print(&auth, &text);
    s2_copy_text(m->authorization, sizeof(m->authorization), text.data);
    m->header[3].value = span_of(m->authorization);
    s2_buffer_clear(&text);
    s2_ec2_query_clear(&url);
}

void make_post(struct made_request *m, const char *service, const char *body)
{
    const s2svpn_ec2_header headers[] = {
        {span_of("Content-Type"), span_of("application/x-www-form-urlencoded; charset=utf-8")},
        {span_of("Host"), span_of("ec2.us-east-1.amazonaws.com")},
        {span_of("X-Amz-Date"), span_of("20260102T030405Z")},
        {span_of("Authorization"), {NULL, 0}},
    };

    memset(m, 0, sizeof(*m));
    memcpy(m->header, headers, sizeof(headers));
    m->data = (s2svpn_ec2_request_data){
        .size = sizeof(m->data),
        .method = span_of("POST"),
        .target = span_of("/"),
        .header = m->header,
        .header_count = 4,
        .body = span_of(body),
        .time_s = NOW,
    };
    sign_post(m, service);
}

void keep_answer(void *arg, const s2svpn_ec2_answer *answer)
{
    struct answered *got = arg;

    got->count++;
    got->status = answer->status;
    s2_copy_text(got->code, sizeof(got->code), answer->code);
    s2_copy_text(got->request_id, sizeof(got->request_id), answer->request_id);
    s2_print(got->body, sizeof(got->body), "%.*s", (int)answer->body.len,
             (const char *)answer->body.p);
}

static void find_key(void *user, const char *access_key, s2svpn_ec2_lookup *question)
{
    struct api *a = user;

    if (a->later)
        a->waiting = question;
    else
        s2svpn_ec2_answer_lookup(question,
                                 a->unknown || strcmp(access_key, KEY_ID) != 0 ? NULL : &a->key);
}

static bool may(void *user, const char *account, const char *service, const char *action)
{
    const struct api *a = user;

    (void)account;
    (void)service;
    (void)action;
    return !a->refuses;
}

/* The fake environment may be prepared before: its fail_at stays. */
bool api_init(struct api *a)
{
    s2svpn_ec2_options o = S2SVPN_EC2_OPTIONS_INIT;

    o.memory = a->fake.env.memory;
    o.random = a->fake.env.random;
    o.random_user = a->fake.env.random_user;
    o.user = a;
    o.lookup = find_key;
    o.authorize = may;
    a->key = (s2svpn_ec2_key){.size = sizeof(a->key), .secret = SECRET, .account = ACCOUNT};
    return s2svpn_ec2_new(&o, &a->ec2, NULL) == S2SVPN_OK;
}

void api_clear(struct api *a)
{
    s2svpn_ec2_free(a->ec2);
    a->ec2 = NULL;
}

void api_send(struct api *a, const s2svpn_ec2_request_data *r)
{
    memset(&a->got, 0, sizeof(a->got));
    s2svpn_ec2_request(a->ec2, r, keep_answer, &a->got);
}

void api_post(struct api *a, const char *service, const char *body)
{
    struct made_request m;

    make_post(&m, service, body);
    api_send(a, &m.data);
}
