/* SPDX-License-Identifier: Apache-2.0 */
/* The cursor over foreign bytes. The first failure sticks, with field and
 * offset; reads after it give 0 and empty spans. Nothing else in the library
 * does arithmetic on what a peer sent. */
#ifndef S2_BASE_READER_H
#define S2_BASE_READER_H

#include "s2svpn/error.h"
#include "s2svpn/types.h"

struct s2_reader {
    const uint8_t *p; /* next byte */
    size_t left;
    size_t offset; /* of p in the outermost message */
    s2svpn_status rc;
    const char *field;  /* of the first failure; borrowed, a literal */
    size_t fail_offset; /* of the first failure */
};

void s2_reader_init(struct s2_reader *r, const uint8_t *p, size_t len);
/* Integers in network byte order. */
uint8_t s2_read_u8(struct s2_reader *r, const char *field);
uint16_t s2_read_u16(struct s2_reader *r, const char *field);
uint32_t s2_read_u24(struct s2_reader *r, const char *field);
uint32_t s2_read_u32(struct s2_reader *r, const char *field);
uint64_t s2_read_u64(struct s2_reader *r, const char *field);
void s2_read_copy(struct s2_reader *r, void *dst, size_t n, const char *field);
s2svpn_span s2_read_span(struct s2_reader *r, size_t n, const char *field); /* borrowed */
s2svpn_span s2_read_rest(struct s2_reader *r);                              /* may be empty */
void s2_read_skip(struct s2_reader *r, size_t n, const char *field);
/* A reader of the next n bytes, which r passes over. A failed r gives a failed sub. */
struct s2_reader s2_read_sub(struct s2_reader *r, size_t n, const char *field);
/* Take over a sub-reader's failure. Returns r's status. */
s2svpn_status s2_reader_join(struct s2_reader *r, const struct s2_reader *sub);
/* Fail if nothing has failed yet; returns r's status. */
s2svpn_status s2_reader_fail(struct s2_reader *r, s2svpn_status rc, const char *field);
/* Demand that nothing is left over ("trailing bytes"); returns r's status. */
s2svpn_status s2_reader_finish(struct s2_reader *r);

#endif
