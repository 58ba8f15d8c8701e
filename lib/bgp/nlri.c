/* SPDX-License-Identifier: Apache-2.0 */
/* Prefixes read and written; RFC 7606 section 5.3 says which are bad. */
#include "bgp/nlri.h"

#include "base/address.h"

s2svpn_prefix s2_bgp_read_prefix(struct s2_reader *r, uint8_t family)
{
    const uint8_t length = s2_read_u8(r, "nlri.length");
    s2svpn_address a = {.family = family};

    if (length > s2_family_bits(family))
        (void)s2_reader_fail(r, S2SVPN_E_MALFORMED, "nlri.length");
    else
        s2_read_copy(r, a.bytes, (length + 7u) / 8, "nlri.prefix");
    return s2_prefix_make(&a, length);
}

bool s2_bgp_prefixes_good(s2svpn_span bytes, uint8_t family)
{
    struct s2_reader r;

    s2_reader_init(&r, bytes.p, bytes.len);
    while (r.left > 0 && r.rc == S2SVPN_OK)
        (void)s2_bgp_read_prefix(&r, family);
    return r.rc == S2SVPN_OK;
}

size_t s2_bgp_prefix_size(const s2svpn_prefix *p)
{
    return 1 + (p->length + (size_t)7) / 8;
}

void s2_bgp_write_prefix(struct s2_writer *w, const s2svpn_prefix *p)
{
    s2_write_u8(w, p->length);
    s2_write_bytes(w, p->address.bytes, (p->length + (size_t)7) / 8);
}
