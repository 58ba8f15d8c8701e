/* SPDX-License-Identifier: Apache-2.0 */
/* The AUTH payload, read and written; what its data must be is keys.c's.
 * RFC 7296 section 3.8. */
#include "ike/message.h"

s2svpn_status s2_ike_parse_auth(struct s2_reader *r, struct s2_ike_auth_payload *out)
{
    struct s2_ike_auth_payload auth = {.method = s2_read_u8(r, "auth.method")};

    s2_read_skip(r, 3, "auth.reserved");
    auth.data = s2_read_rest(r);
    if (auth.data.len == 0)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "auth.data");
    if (r->rc == S2SVPN_OK)
        *out = auth;
    return r->rc;
}

void s2_ike_write_auth(struct s2_writer *w, uint8_t method, s2svpn_span data)
{
    s2_write_u8(w, method);
    s2_write_zero(w, 3);
    s2_write_span(w, data);
}
