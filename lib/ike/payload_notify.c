/* SPDX-License-Identifier: Apache-2.0 */
/* The Notify and Delete payloads, read and written; what they ask for is the
 * exchange's business. RFC 7296 sections 3.10 and 3.11. */
#include "ike/message.h"

#define LONGEST_SPI 8 /* of an IKE SA; every other protocol's are shorter */

s2svpn_status s2_ike_parse_notify(struct s2_reader *r, struct s2_ike_notify_payload *out)
{
    struct s2_ike_notify_payload n = {.protocol = s2_read_u8(r, "notify.protocol")};
    const size_t spi_len = s2_read_u8(r, "notify.spi_size");

    n.type = s2_read_u16(r, "notify.type");
    if (spi_len > LONGEST_SPI)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "notify.spi_size");
    n.spi = s2_read_span(r, spi_len, "notify.spi");
    n.data = s2_read_rest(r);
    if (r->rc == S2SVPN_OK)
        *out = n;
    return r->rc;
}

void s2_ike_write_notify(struct s2_writer *w, const struct s2_ike_notify_payload *n)
{
    s2_write_u8(w, n->protocol);
    s2_write_u8(w, (uint8_t)n->spi.len);
    s2_write_u16(w, n->type);
    s2_write_span(w, n->spi);
    s2_write_span(w, n->data);
}

/* The IKE SA is named by the message itself: neither size nor SPIs. */
static size_t spi_len_of(struct s2_reader *r, uint8_t protocol)
{
    switch (protocol) {
    case S2_IKE_PROTO_IKE:
        return 0;
    case S2_IKE_PROTO_AH:
    case S2_IKE_PROTO_ESP:
        return 4;
    default:
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "delete.protocol");
        return 0;
    }
}

s2svpn_status s2_ike_parse_delete(struct s2_reader *r, struct s2_ike_delete_payload *out)
{
    struct s2_ike_delete_payload d = {.protocol = s2_read_u8(r, "delete.protocol")};
    const size_t spi_len = spi_len_of(r, d.protocol);

    if (s2_read_u8(r, "delete.spi_size") != spi_len)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "delete.spi_size");
    d.count = s2_read_u16(r, "delete.count");
    if (spi_len == 0 && d.count != 0)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "delete.count");
    if (d.count > S2_IKE_DELETE_MAX)
        s2_reader_fail(r, S2SVPN_E_LIMIT, "delete.count");
    for (size_t i = 0; i < d.count && r->rc == S2SVPN_OK; i++)
        d.spi[i] = s2_read_u32(r, "delete.spi");
    if (s2_reader_finish(r) == S2SVPN_OK)
        *out = d;
    return r->rc;
}

void s2_ike_write_delete(struct s2_writer *w, const struct s2_ike_delete_payload *d)
{
    const bool spis = d->protocol != S2_IKE_PROTO_IKE;

    s2_write_u8(w, d->protocol);
    s2_write_u8(w, spis ? 4 : 0);
    s2_write_u16(w, spis ? d->count : 0);
    for (size_t i = 0; spis && i < d->count; i++)
        s2_write_u32(w, d->spi[i]);
}

uint32_t s2_ike_read_hashes(s2svpn_span data)
{
    uint32_t hashes = 0;
    struct s2_reader r;

    s2_reader_init(&r, data.p, data.len);
    while (r.left > 0 && r.rc == S2SVPN_OK) {
        const uint16_t hash = s2_read_u16(&r, "notify.hash");

        if (hash > 0 && hash < 32)
            hashes |= UINT32_C(1) << hash;
    }
    return s2_reader_finish(&r) == S2SVPN_OK ? hashes : 0;
}
