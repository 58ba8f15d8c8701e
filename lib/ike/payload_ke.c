/* SPDX-License-Identifier: Apache-2.0 */
/* The KE and Nonce payloads, read and written. Whether a public value is one of
 * its group is for the exchange (its length) and the crypto backend (RFC 6989).
 * RFC 7296 sections 3.4 and 3.9. */
#include "ike/message.h"

s2svpn_status s2_ike_parse_ke(struct s2_reader *r, struct s2_ike_ke_payload *out)
{
    struct s2_ike_ke_payload ke = {.group = s2_read_u16(r, "ke.group")};

    s2_read_skip(r, 2, "ke.reserved");
    ke.value = s2_read_rest(r);
    if (ke.value.len == 0)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "ke.value");
    if (r->rc == S2SVPN_OK)
        *out = ke;
    return r->rc;
}

void s2_ike_write_ke(struct s2_writer *w, uint16_t group, s2svpn_span value)
{
    s2_write_u16(w, group);
    s2_write_u16(w, 0);
    s2_write_span(w, value);
}

s2svpn_status s2_ike_parse_nonce(struct s2_reader *r, s2svpn_span *out)
{
    const s2svpn_span nonce = s2_read_rest(r);

    if (nonce.len < S2_IKE_NONCE_MIN || nonce.len > S2_IKE_NONCE_MAX)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "nonce.length");
    if (r->rc == S2SVPN_OK)
        *out = nonce;
    return r->rc;
}
