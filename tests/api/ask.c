/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Says of each request on standard input whether its signature is good; with the
 * argument "answer" gives each to the API instead, with its secret as the one key.
 *
 * A request is one line of fields in hexadecimal, separated by blanks: the wall clock
 * in decimal as text, the secret, the session token (or "-" for none), the method, the
 * target, the body, then name and value of each header; an empty field is ".". One
 * line is answered: "accepted" or the refusal's code; or the HTTP status, the request
 * id and the body in hexadecimal.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "ec2/sigv4.h"

#define FIELDS_MAX 80
enum field { TIME, SECRET, TOKEN, METHOD, TARGET, BODY, HEADERS };

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place: what is decoded is shorter, and ended by a zero byte. */
static size_t split(char *line, s2svpn_span *field)
{
    size_t n = 0;

    for (char *p = line; *p != '\0' && *p != '\n' && n < FIELDS_MAX;) {
        char *out = p;
        field[n].p = (const uint8_t *)p;
        while (digit(p[0]) >= 0 && digit(p[1]) >= 0) {
            *out++ = (char)(digit(p[0]) << 4 | digit(p[1]));
            p += 2;
        }
        field[n].len = (size_t)(out - (const char *)field[n].p);
        if (*p == '-')
            field[n].p = NULL;
        while (*p != '\0' && *p != ' ' && *p != '\n')
            p++;
        const char end = *p;
        *out = '\0';
        if (end != ' ')
            return n + 1;
        p++;
        n++;
    }
    return n;
}

/* A request out of its fields; header has room for FIELDS_MAX / 2. */
static bool read_request(const s2svpn_span *field, size_t n, s2svpn_ec2_header *header,
                         s2svpn_ec2_request_data *r)
{
    int64_t now;

    if (n < HEADERS || (n - HEADERS) % 2 != 0 ||
        !s2_ec2_read_int((const char *)field[TIME].p, 0, INT64_MAX, &now))
        return false;
    *r = (s2svpn_ec2_request_data){
        .size = sizeof(*r),
        .method = field[METHOD],
        .target = field[TARGET],
        .header = header,
        .header_count = (n - HEADERS) / 2,
        .body = field[BODY],
        .time_s = now,
    };
    for (size_t i = 0; i < r->header_count; i++) {
        header[i].name = field[HEADERS + 2 * i];
        header[i].value = field[HEADERS + 2 * i + 1];
    }
    return true;
}

static const char *judge(const s2svpn_ec2_request_data *r, const s2svpn_span *field)
{
    const struct s2_env env = {.memory = s2_memory_default()};
    const struct s2_ec2_crypto crypto = {&env, s2svpn_crypto_openssl(), NULL};
    struct s2_ec2_fault fault = {.id = S2_EC2_NONE};
    struct s2_ec2_query url;
    struct s2_ec2_auth auth;

    s2svpn_status rc = s2_ec2_query_parse(&url, &env, s2_ec2_split_target(r->target).query, &fault);
    if (rc == S2SVPN_OK)
        rc = s2_ec2_auth_parse(r, &url, &auth, &fault);
    if (rc == S2SVPN_OK)
        rc = s2_ec2_auth_verify(&crypto, r, &url, &auth, (const char *)field[SECRET].p,
                                (const char *)field[TOKEN].p, &fault);
    s2_ec2_query_clear(&url);
    return rc == S2SVPN_OK ? "accepted" : s2_ec2_fault_code(fault.id);
}

static void find_key(void *user, const char *access_key, s2svpn_ec2_lookup *question)
{
    const s2svpn_ec2_key key = {
        .size = sizeof(key),
        .secret = *(const char **)user,
        .account = "123456789012",
        .user = "jane",
        .user_id = "AIDAEXAMPLE",
    };

    s2svpn_ec2_answer_lookup(question, strcmp(access_key, "AKIDEXAMPLE") == 0 ? &key : NULL);
}

static void print_answer(void *arg, const s2svpn_ec2_answer *answer)
{
    (void)arg;
    printf("%u %s ", answer->status, answer->request_id);
    for (size_t i = 0; i < answer->body.len; i++)
        printf("%02x", answer->body.p[i]);
    printf("\n");
}

int main(int argc, char **argv)
{
    const bool answer = argc > 1 && strcmp(argv[1], "answer") == 0;
    s2svpn_ec2_options options = S2SVPN_EC2_OPTIONS_INIT;
    const char *secret = NULL;
    s2svpn_ec2 *ec2 = NULL;
    char *line = NULL;
    size_t size = 0;

    options.lookup = find_key;
    options.user = &secret;
    if (s2svpn_ec2_new(&options, &ec2, NULL) != S2SVPN_OK)
        return 1;
    while (getline(&line, &size, stdin) > 0) {
        s2svpn_span field[FIELDS_MAX];
        s2svpn_ec2_header header[FIELDS_MAX / 2];
        s2svpn_ec2_request_data r;

        if (!read_request(field, split(line, field), header, &r)) {
            puts("no request");
            continue;
        }
        secret = (const char *)field[SECRET].p;
        if (answer)
            s2svpn_ec2_request(ec2, &r, print_answer, NULL);
        else
            puts(judge(&r, field));
        fflush(stdout);
    }
    free(line);
    s2svpn_ec2_free(ec2);
    return 0;
}
