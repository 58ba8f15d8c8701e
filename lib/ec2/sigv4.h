/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS Signature Version 4, both sides, in the header's form and the presigned URL's.
 *
 *     parse ─► who, when, scope ─► (the caller finds the secret) ─► verify
 *
 * Parse refuses what needs no secret: a part that is missing, another service's
 * scope, a clock that is off, a header that had to be signed and isn't. Verify
 * computes the signature anew and compares in constant time.
 *
 *     canonical request: method, path, query, headers, their names, hash of the body
 *     string to sign:    algorithm, time, scope, hash of the canonical request
 *     key:               HMAC chain over date, region, service, "aws4_request"
 *
 * The content type needn't be signed: the body is, and we read it in one way only.
 * UNSIGNED-PAYLOAD isn't taken: x-amz-content-sha256, if sent, must be the body's.
 */
#ifndef S2_EC2_SIGV4_H
#define S2_EC2_SIGV4_H

#include "base/text.h"
#include "ec2/query.h"
#include "s2svpn/crypto.h"
#include "s2svpn/ec2.h"

#define S2_EC2_SIGNED_MAX 64   /* signed headers */
#define S2_EC2_HEADERS_MAX 128 /* headers of a request */
#define S2_EC2_SKEW_S 900
#define S2_EC2_EXPIRES_MAX 604800
#define S2_EC2_SECRET_MAX 128

/* What computing needs. */
struct s2_ec2_crypto {
    const struct s2_env *env;
    const s2svpn_crypto_ops *ops;
    void *user;
};

/* A target's two parts; borrowed of the request. */
struct s2_ec2_target {
    s2svpn_span path, query;
};
struct s2_ec2_target s2_ec2_split_target(s2svpn_span target);

struct s2_ec2_auth {
    bool presigned;
    char access_key[129];
    char date[9]; /* of the scope: "20260102" */
    char region[33];
    char service[17];
    char time[17]; /* "20260102T030405Z" */
    int64_t time_s, expires_s;
    s2svpn_span signed_headers; /* "content-type;host;x-amz-date"; borrowed */
    s2svpn_span token;          /* session token; p is NULL without one; borrowed */
    char signature[65];
};

/* Does a request carry the parts of a signature at all? */
bool s2_ec2_is_signed(const s2svpn_ec2_request_data *req, const struct s2_ec2_query *url);

/* url holds the decoded query of the target, and what is borrowed of it; the X-Amz-
 * parameters in it are marked. */
S2SVPN_NODISCARD s2svpn_status s2_ec2_auth_parse(const s2svpn_ec2_request_data *req,
                                                 struct s2_ec2_query *url, struct s2_ec2_auth *auth,
                                                 struct s2_ec2_fault *fault);

/* E_AUTHENTICATION: wrong. token: what the key demands, NULL for none. */
S2SVPN_NODISCARD s2svpn_status s2_ec2_auth_verify(const struct s2_ec2_crypto *c,
                                                  const s2svpn_ec2_request_data *req,
                                                  const struct s2_ec2_query *url,
                                                  const struct s2_ec2_auth *auth,
                                                  const char *secret, const char *token,
                                                  struct s2_ec2_fault *fault);
/* The refusal of a key that nobody has, in the service's words. */
s2svpn_status s2_ec2_auth_unknown(const struct s2_ec2_auth *auth, struct s2_ec2_fault *fault);

/* The values in between, for those who compare with published ones. */
struct s2_ec2_sigv4_steps {
    char body[65], canonical[65];
    char date_key[65], region_key[65], service_key[65], signing_key[65];
};

/* Compute the signature of what auth says: time, scope and signed headers. steps may
 * be NULL; what it gets is as secret as the key. */
S2SVPN_NODISCARD s2svpn_status s2_ec2_sign(const struct s2_ec2_crypto *c,
                                           const s2svpn_ec2_request_data *req,
                                           const struct s2_ec2_query *url,
                                           const struct s2_ec2_auth *auth, const char *secret,
                                           char signature[65], struct s2_ec2_sigv4_steps *steps);
/* The Authorization header's value, from auth with its signature. */
void s2_ec2_auth_print(const struct s2_ec2_auth *auth, struct s2_buffer *out);

#endif
