/* SPDX-License-Identifier: Apache-2.0 */
/* Hexadecimal vectors as bytes, for the tests. */
#ifndef S2_TESTS_IKE_HEX_H
#define S2_TESTS_IKE_HEX_H

#include <CUnit/CUnit.h>
#include <string.h>

#include "base/bytes.h"

#define S2_HEX_MAX 1024
struct s2_hex {
    uint8_t bytes[S2_HEX_MAX];
    size_t len;
};

static inline uint8_t s2_hex_digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static inline struct s2_hex s2_hex(const char *text)
{
    struct s2_hex h = {.len = strlen(text) / 2};

    CU_ASSERT_FATAL(h.len <= S2_HEX_MAX);
    for (size_t i = 0; i < h.len; i++)
        h.bytes[i] = (uint8_t)(s2_hex_digit(text[2 * i]) << 4 | s2_hex_digit(text[2 * i + 1]));
    return h;
}

static inline s2svpn_span s2_hex_span(const struct s2_hex *h)
{
    return s2_span(h->bytes, h->len);
}

/* Do the bytes begin as the text says? All len of them, at most. */
static inline bool s2_hex_is(const char *text, const void *p, size_t len)
{
    const struct s2_hex h = s2_hex(text);

    return len <= h.len && memcmp(h.bytes, p, len) == 0;
}

#endif
