/* SPDX-License-Identifier: Apache-2.0 */
/* Big-endian loads and stores on our own buffers (foreign bytes go through
 * base/reader), and the two operations on secrets: wipe and compare. */
#ifndef S2_BASE_BYTES_H
#define S2_BASE_BYTES_H

#include "s2svpn/types.h"

static inline uint16_t s2_get_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t s2_get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t s2_get_u64(const uint8_t *p)
{
    return (uint64_t)s2_get_u32(p) << 32 | s2_get_u32(p + 4);
}

static inline void s2_put_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void s2_put_u32(uint8_t *p, uint32_t v)
{
    s2_put_u16(p, (uint16_t)(v >> 16));
    s2_put_u16(p + 2, (uint16_t)v);
}

static inline void s2_put_u64(uint8_t *p, uint64_t v)
{
    s2_put_u32(p, (uint32_t)(v >> 32));
    s2_put_u32(p + 4, (uint32_t)v);
}

static inline s2svpn_span s2_span(const void *p, size_t len)
{
    s2svpn_span s = {(const uint8_t *)p, len};
    return s;
}

/* Overwrite with zeros in a way that no optimiser removes. */
void s2_wipe(void *p, size_t len);
/* Equal? In time that depends on len alone. */
bool s2_equal_ct(const void *a, const void *b, size_t len);
/* Equal spans of public bytes. */
bool s2_span_equal(s2svpn_span a, s2svpn_span b);

/* A secret of up to 256 bytes that wipes itself away; no print function exists. */
#define S2_SECRET_MAX 256
struct s2_secret {
    size_t len;
    uint8_t bytes[S2_SECRET_MAX];
};
/* false, and *s cleared, if len is more than S2_SECRET_MAX. */
bool s2_secret_set(struct s2_secret *s, const void *p, size_t len);
void s2_secret_clear(struct s2_secret *s);
s2svpn_span s2_secret_span(const struct s2_secret *s);
bool s2_secret_equal(const struct s2_secret *a, const struct s2_secret *b);

#endif
