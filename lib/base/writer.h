/* SPDX-License-Identifier: Apache-2.0 */
/* The cursor that writes wire forms into a buffer of fixed size. Overflow sticks
 * and writes nothing more; check once, with s2_writer_finish. */
#ifndef S2_BASE_WRITER_H
#define S2_BASE_WRITER_H

#include "s2svpn/error.h"
#include "s2svpn/types.h"

struct s2_writer {
    uint8_t *p; /* the buffer's first byte */
    size_t size;
    size_t len; /* written so far */
    bool overflow;
};

void s2_writer_init(struct s2_writer *w, uint8_t *p, size_t size);
void s2_write_u8(struct s2_writer *w, uint8_t v);
void s2_write_u16(struct s2_writer *w, uint16_t v);
void s2_write_u24(struct s2_writer *w, uint32_t v);
void s2_write_u32(struct s2_writer *w, uint32_t v);
void s2_write_u64(struct s2_writer *w, uint64_t v);
void s2_write_bytes(struct s2_writer *w, const void *p, size_t n);
void s2_write_span(struct s2_writer *w, s2svpn_span s);
void s2_write_zero(struct s2_writer *w, size_t n);
/* Room for n bytes to be filled by the caller; NULL on overflow. */
uint8_t *s2_write_room(struct s2_writer *w, size_t n);
/* Overwrite what was written before at offset at (a length field). */
void s2_write_patch_u8(struct s2_writer *w, size_t at, uint8_t v);
void s2_write_patch_u16(struct s2_writer *w, size_t at, uint16_t v);
void s2_write_patch_u32(struct s2_writer *w, size_t at, uint32_t v);
/* S2SVPN_OK or S2SVPN_E_NO_ROOM. */
S2SVPN_NODISCARD s2svpn_status s2_writer_finish(const struct s2_writer *w);

#endif
