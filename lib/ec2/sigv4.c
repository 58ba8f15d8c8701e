/* SPDX-License-Identifier: Apache-2.0 */
/* Computes signatures: canonical request, string to sign, key. Doesn't judge a
 * request's clock or scope: auth.c did. */
#include "ec2/sigv4.h"

#include <string.h>

#include "base/bytes.h"
#include "ec2/header.h"

#define HASH_LEN 32

struct s2_ec2_target s2_ec2_split_target(s2svpn_span target)
{
    size_t n = 0;

    while (n < target.len && target.p[n] != '?')
        n++;
    struct s2_ec2_target t = {.path = {target.p, n}};
    if (n < target.len)
        t.query = s2_span(target.p + n + 1, target.len - n - 1);
    return t;
}

static bool is_unreserved(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static void add_encoded(struct s2_buffer *b, const uint8_t *p, size_t len)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < len; i++) {
        const char escaped[3] = {'%', digits[p[i] >> 4], digits[p[i] & 15]};
        if (is_unreserved(p[i]))
            s2_buffer_add(b, (const char *)p + i, 1);
        else
            s2_buffer_add(b, escaped, 3);
    }
}

/* The path, each segment encoded once more than it was sent; empty segments and "."
 * fall away, ".." takes the one before it. */
static void add_path(struct s2_buffer *b, s2svpn_span path)
{
    const size_t start = b->len;

    for (size_t i = 0; i < path.len;) {
        size_t n = 0;
        while (i + n < path.len && path.p[i + n] != '/')
            n++;
        const s2svpn_span segment = s2_span(path.p + i, n);
        i += n + 1;
        if (n == 0 || (n == 1 && segment.p[0] == '.'))
            continue;
        if (n == 2 && segment.p[0] == '.' && segment.p[1] == '.') {
            while (b->rc == S2SVPN_OK && b->len > start && b->data[--b->len] != '/')
                ;
            continue;
        }
        s2_buffer_add(b, "/", 1);
        add_encoded(b, segment.p, segment.len);
    }
    if (b->len == start || (path.len > 0 && path.p[path.len - 1] == '/'))
        s2_buffer_add(b, "/", 1);
}

/* Order of the encoded names: an escape begins with '%', which is below all that
 * needs none, and digits of escapes are in the order of their bytes. */
static int compare_encoded(const struct s2_ec2_param *a, const struct s2_ec2_param *b)
{
    const uint8_t *p = (const uint8_t *)a->name, *q = (const uint8_t *)b->name;

    while (*p != 0 && *p == *q) {
        p++;
        q++;
    }
    if (*p == 0 || *q == 0)
        return (*p != 0) - (*q != 0);
    if (is_unreserved(*p) != is_unreserved(*q))
        return is_unreserved(*p) ? 1 : -1;
    return *p < *q ? -1 : 1;
}

static void sift(const struct s2_ec2_param **v, size_t root, size_t n)
{
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && compare_encoded(v[child], v[child + 1]) < 0)
            child++;
        if (compare_encoded(v[root], v[child]) >= 0)
            return;
        const struct s2_ec2_param *kept = v[root];
        v[root] = v[child];
        v[child] = kept;
    }
}

/* Names are unique (query.c), so their order is the whole order. */
static s2svpn_status add_query(const struct s2_env *env, struct s2_buffer *b,
                               const struct s2_ec2_query *url, bool presigned)
{
    if (url->count == 0)
        return S2SVPN_OK;
    const struct s2_ec2_param **v = s2_alloc_array(env, url->count, sizeof(*v));
    if (v == NULL)
        return S2SVPN_E_MEMORY;
    for (size_t i = 0; i < url->count; i++)
        v[i] = &url->param[i];
    for (size_t i = url->count / 2; i-- > 0;)
        sift(v, i, url->count);
    for (size_t i = url->count; i-- > 1;) {
        const struct s2_ec2_param *kept = v[0];
        v[0] = v[i];
        v[i] = kept;
        sift(v, 0, i);
    }
    for (size_t i = 0, n = 0; i < url->count; i++) {
        if (presigned && strcmp(v[i]->name, "X-Amz-Signature") == 0)
            continue;
        if (n++ > 0)
            s2_buffer_add(b, "&", 1);
        add_encoded(b, (const uint8_t *)v[i]->name, v[i]->name_len);
        s2_buffer_add(b, "=", 1);
        add_encoded(b, (const uint8_t *)v[i]->value, v[i]->value_len);
    }
    s2_free(env, v);
    return S2SVPN_OK;
}

/* Runs of blanks become one, those around it none. */
static void add_value(struct s2_buffer *b, s2svpn_span value)
{
    value = s2_ec2_trim(value);
    for (size_t i = 0; i < value.len; i++) {
        const bool blank = value.p[i] == ' ' || value.p[i] == '\t';
        if (!blank)
            s2_buffer_add(b, (const char *)value.p + i, 1);
        else if (value.p[i - 1] != ' ' && value.p[i - 1] != '\t')
            s2_buffer_add(b, " ", 1);
    }
}

/* name:value[,value]\n for each signed header, in the order of SignedHeaders. */
static void add_headers(struct s2_buffer *b, const s2svpn_ec2_request_data *req, s2svpn_span names)
{
    for (size_t i = 0; i < names.len;) {
        size_t n = 0, found = 0;
        while (i + n < names.len && names.p[i + n] != ';')
            n++;
        const s2svpn_span name = s2_span(names.p + i, n);
        i += n + 1;
        s2_buffer_add(b, (const char *)name.p, name.len);
        s2_buffer_add(b, ":", 1);
        for (size_t h = 0; h < req->header_count; h++) {
            if (!s2_ec2_name_equal(req->header[h].name, name))
                continue;
            if (found++ > 0)
                s2_buffer_add(b, ",", 1);
            add_value(b, req->header[h].value);
        }
        s2_buffer_add(b, "\n", 1);
    }
}

static s2svpn_status hash_hex(const struct s2_ec2_crypto *c, s2svpn_span in, char out[65])
{
    uint8_t digest[64];

    s2svpn_status rc = c->ops->hash(c->user, S2SVPN_HASH_SHA2_256, &in, 1, digest);
    if (rc == S2SVPN_OK)
        s2_print_hex(out, digest, HASH_LEN);
    return rc;
}

static s2svpn_status hash_canonical(const struct s2_ec2_crypto *c,
                                    const s2svpn_ec2_request_data *req,
                                    const struct s2_ec2_query *url, const struct s2_ec2_auth *auth,
                                    char body[65], char out[65])
{
    const struct s2_ec2_target target = s2_ec2_split_target(req->target);
    struct s2_buffer b;

    s2svpn_status rc = hash_hex(c, req->body, body);
    if (rc != S2SVPN_OK)
        return rc;
    s2_buffer_init(&b, c->env->memory, 8 * (size_t)S2SVPN_EC2_BODY_MAX);
    s2_buffer_add(&b, (const char *)req->method.p, req->method.len);
    s2_buffer_add(&b, "\n", 1);
    add_path(&b, target.path);
    s2_buffer_add(&b, "\n", 1);
    rc = add_query(c->env, &b, url, auth->presigned);
    s2_buffer_add(&b, "\n", 1);
    add_headers(&b, req, auth->signed_headers);
    s2_buffer_add(&b, "\n", 1);
    s2_buffer_add(&b, (const char *)auth->signed_headers.p, auth->signed_headers.len);
    s2_buffer_print(&b, "\n%s", body);
    if (rc == S2SVPN_OK)
        rc = b.rc;
    if (rc == S2SVPN_OK)
        rc = hash_hex(c, s2_span(b.data, b.len), out);
    s2_buffer_clear(&b);
    return rc;
}

/* One link of the chain; the key is replaced by the result. */
static s2svpn_status chain(const struct s2_ec2_crypto *c, struct s2_secret *key, const char *text,
                           size_t len, char *hex)
{
    const s2svpn_span in = s2_span(text, len);
    uint8_t mac[S2SVPN_PRF_MAX];

    s2svpn_status rc =
        c->ops->prf(c->user, S2SVPN_PRF_HMAC_SHA2_256, s2_secret_span(key), &in, 1, mac);
    if (rc == S2SVPN_OK) {
        (void)s2_secret_set(key, mac, HASH_LEN);
        if (hex != NULL)
            s2_print_hex(hex, mac, HASH_LEN);
    }
    s2_wipe(mac, sizeof(mac));
    return rc;
}

static s2svpn_status sign_text(const struct s2_ec2_crypto *c, const struct s2_ec2_auth *auth,
                               const char *secret, const struct s2_buffer *text, char signature[65],
                               struct s2_ec2_sigv4_steps *steps)
{
    uint8_t start[4 + S2_EC2_SECRET_MAX];
    const size_t len = strlen(secret);
    struct s2_secret key = {0};
    s2svpn_status rc;

    if (len > S2_EC2_SECRET_MAX)
        return S2SVPN_E_ARGUMENT;
    memcpy(start, "AWS4", 4);
    memcpy(start + 4, secret, len);
    (void)s2_secret_set(&key, start, 4 + len);
    s2_wipe(start, sizeof(start));
    rc = chain(c, &key, auth->date, strlen(auth->date), steps ? steps->date_key : NULL);
    if (rc == S2SVPN_OK)
        rc = chain(c, &key, auth->region, strlen(auth->region), steps ? steps->region_key : NULL);
    if (rc == S2SVPN_OK)
        rc =
            chain(c, &key, auth->service, strlen(auth->service), steps ? steps->service_key : NULL);
    if (rc == S2SVPN_OK)
        rc = chain(c, &key, "aws4_request", 12, steps ? steps->signing_key : NULL);
    if (rc == S2SVPN_OK)
        rc = chain(c, &key, text->data, text->len, signature);
    s2_secret_clear(&key);
    return rc;
}

s2svpn_status s2_ec2_sign(const struct s2_ec2_crypto *c, const s2svpn_ec2_request_data *req,
                          const struct s2_ec2_query *url, const struct s2_ec2_auth *auth,
                          const char *secret, char signature[65], struct s2_ec2_sigv4_steps *steps)
{
    char body[65], canonical[65];
    struct s2_buffer text;

    s2svpn_status rc = hash_canonical(c, req, url, auth, body, canonical);
    if (rc != S2SVPN_OK)
        return rc;
    if (steps != NULL) {
        memcpy(steps->body, body, sizeof(body));
        memcpy(steps->canonical, canonical, sizeof(canonical));
    }
    s2_buffer_init(&text, c->env->memory, 1024);
    s2_buffer_print(&text, "AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n%s", auth->time,
                    auth->date, auth->region, auth->service, canonical);
    rc = text.rc;
    if (rc == S2SVPN_OK)
        rc = sign_text(c, auth, secret, &text, signature, steps);
    s2_buffer_clear(&text);
    return rc;
}

/* x-amz-content-sha256, where it is sent, names this body. */
static s2svpn_status check_body(const struct s2_ec2_crypto *c, const s2svpn_ec2_request_data *req,
                                bool *good)
{
    const s2svpn_ec2_header *h = s2_ec2_header_find(req, "x-amz-content-sha256");
    char hex[65];

    *good = true;
    if (h == NULL)
        return S2SVPN_OK;
    s2svpn_status rc = hash_hex(c, req->body, hex);
    *good = rc == S2SVPN_OK && s2_span_equal(s2_ec2_trim(h->value), s2_span(hex, 64));
    return rc;
}

/* The session's token is a secret of its own. */
static bool token_fits(const struct s2_ec2_auth *auth, const char *token)
{
    if (token == NULL)
        return auth->token.p == NULL;
    return auth->token.p != NULL && auth->token.len == strlen(token) &&
           s2_equal_ct(auth->token.p, token, auth->token.len);
}

s2svpn_status s2_ec2_auth_verify(const struct s2_ec2_crypto *c, const s2svpn_ec2_request_data *req,
                                 const struct s2_ec2_query *url, const struct s2_ec2_auth *auth,
                                 const char *secret, const char *token, struct s2_ec2_fault *fault)
{
    const bool ec2 = strcmp(auth->service, "sts") != 0;
    char signature[65];
    bool body_good;

    s2svpn_status rc = check_body(c, req, &body_good);
    if (rc == S2SVPN_OK)
        rc = s2_ec2_sign(c, req, url, auth, secret, signature, NULL);
    if (rc != S2SVPN_OK)
        return s2_ec2_fail(fault, S2_EC2_INTERNAL, NULL, NULL, NULL);
    const bool good = s2_equal_ct(signature, auth->signature, 64) && body_good;
    s2_wipe(signature, sizeof(signature));
    if (!good)
        return s2_ec2_fail(fault, ec2 ? S2_EC2_AUTH_FAILURE : S2_EC2_SIGNATURE_MISMATCH, NULL, NULL,
                           NULL);
    if (!token_fits(auth, token))
        return s2_ec2_fail(fault, S2_EC2_INVALID_CLIENT_TOKEN, NULL, NULL, NULL);
    return S2SVPN_OK;
}
