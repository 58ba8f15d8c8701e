/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: hexadecimal of a MAC's first 16 bytes and of the id. */
#include "ec2/page.h"

#include <string.h>

#include "base/bytes.h"

#define MAC_LEN 16

/* Over texts with their zero bytes, so that none can be moved into its neighbour. */
static s2svpn_status mac_of(const struct s2_ec2_crypto *c, const uint8_t key[32],
                            const char *action, const char *account, const char *last,
                            uint8_t mac[S2SVPN_PRF_MAX])
{
    const s2svpn_span in[] = {
        s2_span(action, strlen(action) + 1),
        s2_span(account, strlen(account) + 1),
        s2_span(last, strlen(last)),
    };

    return c->ops->prf(c->user, S2SVPN_PRF_HMAC_SHA2_256, s2_span(key, 32), in, 3, mac);
}

s2svpn_status s2_ec2_page_token(const struct s2_ec2_crypto *c, const uint8_t key[32],
                                const char *action, const char *account, const char *last,
                                char out[S2_EC2_TOKEN_SIZE])
{
    uint8_t mac[S2SVPN_PRF_MAX];
    const size_t len = strlen(last);

    if (len == 0 || len >= S2SVPN_ID_SIZE)
        return S2SVPN_E_ARGUMENT;
    s2svpn_status rc = mac_of(c, key, action, account, last, mac);
    if (rc != S2SVPN_OK)
        return rc;
    s2_print_hex(out, mac, MAC_LEN);
    s2_print_hex(out + 2 * MAC_LEN, last, len);
    return S2SVPN_OK;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The id in a token, or false; whether it is ours is seen by making it anew. */
static bool read_id(const char *token, char after[S2SVPN_ID_SIZE])
{
    const size_t len = strlen(token);

    if (len <= 2 * MAC_LEN || len % 2 != 0 || len >= 2 * (MAC_LEN + S2SVPN_ID_SIZE))
        return false;
    const char *p = token + 2 * MAC_LEN;
    size_t n = 0;
    for (; *p != '\0'; p += 2) {
        const int high = digit(p[0]), low = digit(p[1]);
        if (high < 0 || low < 0 || high + low == 0)
            return false;
        after[n++] = (char)(high << 4 | low);
    }
    after[n] = '\0';
    return true;
}

static s2svpn_status parse_token(struct s2_ec2_page *page, const struct s2_ec2_crypto *c,
                                 const uint8_t key[32], const char *token, const char *action,
                                 const char *account, struct s2_ec2_fault *fault)
{
    char expected[S2_EC2_TOKEN_SIZE];

    if (!read_id(token, page->after))
        return s2_ec2_fail(fault, S2_EC2_INVALID_TOKEN, token, NULL, NULL);
    if (s2_ec2_page_token(c, key, action, account, page->after, expected) != S2SVPN_OK)
        return s2_ec2_fail(fault, S2_EC2_INTERNAL, NULL, NULL, NULL);
    if (strlen(expected) != strlen(token) || !s2_equal_ct(expected, token, strlen(token)))
        return s2_ec2_fail(fault, S2_EC2_INVALID_TOKEN, token, NULL, NULL);
    return S2SVPN_OK;
}

s2svpn_status s2_ec2_page_parse(struct s2_ec2_page *page, const struct s2_ec2_crypto *c,
                                const uint8_t key[32], const struct s2_ec2_query *q,
                                const char *action, const char *account, const char *ids,
                                struct s2_ec2_fault *fault)
{
    const char *max = s2_ec2_query_text(q, "MaxResults");
    const char *token = s2_ec2_query_text(q, "NextToken");
    int64_t n = 0;

    *page = (struct s2_ec2_page){0};
    if (max != NULL && !s2_ec2_read_int(max, S2_EC2_PAGE_MIN, S2_EC2_PAGE_MAX, &n))
        return s2_ec2_fail(fault, S2_EC2_INVALID_VALUE, max, "MaxResults",
                           "Expecting a number from 5 to 1000.");
    if (ids != NULL && s2_ec2_query_has(q, ids) && (max != NULL || token != NULL))
        return s2_ec2_fail(fault, S2_EC2_COMBINATION, max != NULL ? "MaxResults" : "NextToken", ids,
                           NULL);
    page->max = (size_t)n;
    if (token == NULL || token[0] == '\0')
        return S2SVPN_OK;
    return parse_token(page, c, key, token, action, account, fault);
}
