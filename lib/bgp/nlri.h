/* SPDX-License-Identifier: Apache-2.0 */
/* Prefixes as UPDATE carries them: a length in bits, and as many bytes as it
 * needs. RFC 4271 section 4.3, 4760 section 5. */
#ifndef S2_BGP_NLRI_H
#define S2_BGP_NLRI_H

#include "base/reader.h"
#include "base/writer.h"

/* The next prefix; bits behind its length are cleared, as they mean nothing. A bad
 * one fails r. */
s2svpn_prefix s2_bgp_read_prefix(struct s2_reader *r, uint8_t family);
/* Are all of them well formed? Else nothing behind the bad one can be trusted. */
S2SVPN_NODISCARD bool s2_bgp_prefixes_good(s2svpn_span bytes, uint8_t family);
size_t s2_bgp_prefix_size(const s2svpn_prefix *p);
void s2_bgp_write_prefix(struct s2_writer *w, const s2svpn_prefix *p);

#endif
