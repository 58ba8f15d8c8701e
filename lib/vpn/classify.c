/* SPDX-License-Identifier: Apache-2.0 */
/* What an outside datagram is, by its endpoint's role and first bytes: RFC 3948
 * section 2 (marker, keepalive), RFC 7296 section 3.1 (IKE header). */
#include "base/reader.h"
#include "s2svpn/io.h"

#define IKE_HEADER_LEN 28
#define ESP_LEAST 8

static bool classify_ike(struct s2_reader *r, s2svpn_classification *out)
{
    if (r->left < IKE_HEADER_LEN)
        return false;
    out->ike = true;
    out->spi_i = s2_read_u64(r, "spi_i");
    out->spi_r = s2_read_u64(r, "spi_r");
    return true;
}

bool s2svpn_classify(uint8_t role, const uint8_t *data, size_t len, s2svpn_classification *out)
{
    s2svpn_classification found = {0};
    struct s2_reader r;
    uint32_t first;

    s2_reader_init(&r, data, len);
    if (role == S2SVPN_ROLE_IKE) {
        if (!classify_ike(&r, &found))
            return false;
        *out = found;
        return true;
    }
    if (role == S2SVPN_ROLE_NATT && len == 1 && data[0] == 0xff) {
        found.keepalive = true;
        *out = found;
        return true;
    }
    if (len < ESP_LEAST || (role != S2SVPN_ROLE_NATT && role != S2SVPN_ROLE_RAW))
        return false;
    first = s2_read_u32(&r, "spi");
    if (role == S2SVPN_ROLE_NATT && first == 0) {
        if (!classify_ike(&r, &found))
            return false;
    } else {
        found.spi = first;
    }
    *out = found;
    return true;
}
