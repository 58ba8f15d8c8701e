/* SPDX-License-Identifier: Apache-2.0 */
/* A signature's parts: the first line is the target, then one header a line, the body
 * behind an empty line. */
#include <stdlib.h>
#include <string.h>

#include "ec2/sigv4.h"

static s2svpn_span line(const uint8_t **p, const uint8_t *end)
{
    const uint8_t *from = *p;

    while (*p < end && **p != '\n')
        (*p)++;
    const s2svpn_span s = {from, (size_t)(*p - from)};
    if (*p < end)
        (*p)++;
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct s2_env env = {.memory = s2_memory_default()};
    const struct s2_ec2_crypto crypto = {&env, s2svpn_crypto_openssl(), NULL};
    const uint8_t *p = data, *end = data + size;
    s2svpn_ec2_header header[16];
    s2svpn_ec2_request_data r = {
        .size = sizeof(r),
        .method = {(const uint8_t *)"POST", 4},
        .target = line(&p, end),
        .header = header,
        .time_s = 1767323045,
    };
    struct s2_ec2_fault fault = {.id = S2_EC2_NONE};
    struct s2_ec2_query url;
    struct s2_ec2_auth auth;

    while (r.header_count < 16) {
        s2svpn_span s = line(&p, end);
        size_t n = 0;
        if (s.len == 0)
            break;
        while (n < s.len && s.p[n] != ':')
            n++;
        header[r.header_count].name = (s2svpn_span){s.p, n};
        header[r.header_count].value =
            n < s.len ? (s2svpn_span){s.p + n + 1, s.len - n - 1} : (s2svpn_span){NULL, 0};
        r.header_count++;
    }
    r.body = (s2svpn_span){p, (size_t)(end - p)};
    if (s2_ec2_query_parse(&url, &env, s2_ec2_split_target(r.target).query, &fault) != S2SVPN_OK)
        return 0;
    if (s2_ec2_auth_parse(&r, &url, &auth, &fault) != S2SVPN_OK) {
        if (fault.id == S2_EC2_NONE)
            abort();
    } else if (crypto.ops != NULL) {
        (void)!s2_ec2_auth_verify(&crypto, &r, &url, &auth,
                                  "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL, &fault);
    }
    s2_ec2_query_clear(&url);
    return 0;
}
