/* SPDX-License-Identifier: Apache-2.0 */
/* The payloads that are nothing but their value: KE, nonce, HASH. Their writer is
 * s2_ike1_write_payload. RFC 2408 sections 3.7, 3.11, 3.13. */
#include "ike/v1/message.h"

/* The whole body, if it has a length that can be. */
static s2svpn_status parse_value(struct s2_reader *r, size_t least, size_t most, const char *field,
                                 s2svpn_span *out)
{
    const s2svpn_span value = s2_read_rest(r);

    if (value.len < least || value.len > most)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, field);
    if (r->rc == S2SVPN_OK)
        *out = value;
    return r->rc;
}

s2svpn_status s2_ike1_parse_ke(struct s2_reader *r, s2svpn_span *out)
{
    return parse_value(r, 1, S2SVPN_KE_VALUE_MAX, "ke.value", out);
}

s2svpn_status s2_ike1_parse_nonce(struct s2_reader *r, s2svpn_span *out)
{
    return parse_value(r, S2_IKE1_NONCE_MIN, S2_IKE1_NONCE_MAX, "nonce.length", out);
}

s2svpn_status s2_ike1_parse_hash(struct s2_reader *r, s2svpn_span *out)
{
    return parse_value(r, 1, S2_IKE1_HASH_MAX, "hash.length", out);
}
