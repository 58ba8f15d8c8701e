/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for the tests of lib/ec2: made, signed, sent; and what came back. */
#ifndef S2_TESTS_EC2_SUPPORT_H
#define S2_TESTS_EC2_SUPPORT_H

#include "ec2/sigv4.h"
#include "fake_env.h"

#define KEY_ID "AKIDEXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define ACCOUNT "123456789012"
#define NOW INT64_C(1767323045) /* 2026-01-02T03:04:05Z */

/* A request that can be changed before it is sent. */
struct made_request {
    s2svpn_ec2_request_data data;
    s2svpn_ec2_header header[8];
    char authorization[512];
};
s2svpn_span span_of(const char *text);
/* POST / with this body, signed for a service in us-east-1 at NOW. */
void make_post(struct made_request *m, const char *service, const char *body);
/* Sign what is in m->data: host, content-type and x-amz-date. */
void sign_post(struct made_request *m, const char *service);

struct answered {
    unsigned count, status;
    char code[64];
    char request_id[40];
    char body[8192];
};
void keep_answer(void *arg, const s2svpn_ec2_answer *answer);

/* The API with a key that is answered at once, in memory that can fail. */
struct api {
    struct s2_fake_env fake;
    s2svpn_ec2 *ec2;
    s2svpn_ec2_key key;
    s2svpn_ec2_lookup *waiting; /* if later */
    bool later, unknown, refuses;
    struct answered got;
};
bool api_init(struct api *a); /* false: no memory */
void api_clear(struct api *a);
void api_send(struct api *a, const s2svpn_ec2_request_data *r);
void api_post(struct api *a, const char *service, const char *body);

#endif
