/* SPDX-License-Identifier: Apache-2.0 */
/* Wiping and comparing secrets. The loads and stores are inline in the header. */
#include "base/bytes.h"

#include <string.h>

void s2_wipe(void *p, size_t len)
{
    if (len == 0)
        return;
#if defined(__GNUC__)
    memset(p, 0, len);
    /* The statement may read *p as far as the optimiser knows, so the memset
     * stays. */
    __asm__ __volatile__("" : : "r"(p) : "memory");
#else
    volatile uint8_t *bytes = p;

    while (len-- > 0)
        *bytes++ = 0;
#endif
}

bool s2_equal_ct(const void *a, const void *b, size_t len)
{
    const volatile uint8_t *x = a, *y = b;
    uint8_t diff = 0;

    for (size_t i = 0; i < len; i++)
        diff |= (uint8_t)(x[i] ^ y[i]);
    return diff == 0;
}

bool s2_span_equal(s2svpn_span a, s2svpn_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool s2_secret_set(struct s2_secret *s, const void *p, size_t len)
{
    if (len > S2_SECRET_MAX) {
        s2_secret_clear(s);
        return false;
    }
    if (len > 0)
        memmove(s->bytes, p, len);
    s2_wipe(s->bytes + len, S2_SECRET_MAX - len);
    s->len = len;
    return true;
}

void s2_secret_clear(struct s2_secret *s)
{
    s2_wipe(s, sizeof(*s));
}

s2svpn_span s2_secret_span(const struct s2_secret *s)
{
    return s2_span(s->bytes, s->len);
}

bool s2_secret_equal(const struct s2_secret *a, const struct s2_secret *b)
{
    return a->len == b->len && s2_equal_ct(a->bytes, b->bytes, a->len);
}
