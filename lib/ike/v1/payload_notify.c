/* SPDX-License-Identifier: Apache-2.0 */
/* IKEv1's notification and delete payloads, read and written. RFC 2408 sections 3.14 and
 * 3.15, RFC 3706 section 5.3. */
#include "ike/v1/message.h"

#include "base/bytes.h"

#define DOI_GENERIC 0 /* RFC 2408 section 3.14: ISAKMP's own, in phase 1 */

static uint32_t parse_doi(struct s2_reader *r, const char *field)
{
    const uint32_t doi = s2_read_u32(r, field);

    if (doi != DOI_GENERIC && doi != S2_IKE1_DOI_IPSEC)
        s2_reader_fail(r, S2SVPN_E_UNSUPPORTED, field);
    return doi;
}

s2svpn_status s2_ike1_parse_notify(struct s2_reader *r, struct s2_ike1_notify_payload *out)
{
    struct s2_ike1_notify_payload n = {.doi = parse_doi(r, "notify.doi")};

    n.protocol = s2_read_u8(r, "notify.protocol");
    const size_t spi_len = s2_read_u8(r, "notify.spi_size");
    n.type = s2_read_u16(r, "notify.type");
    if (spi_len > S2_IKE1_SPI_MAX)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "notify.spi_size");
    n.spi = s2_read_span(r, spi_len, "notify.spi");
    n.data = s2_read_rest(r);
    if (r->rc == S2SVPN_OK)
        *out = n;
    return r->rc;
}

void s2_ike1_write_notify(struct s2_writer *w, const struct s2_ike1_notify_payload *n)
{
    if (n->spi.len > S2_IKE1_SPI_MAX)
        w->overflow = true;
    s2_write_u32(w, n->doi);
    s2_write_u8(w, n->protocol);
    s2_write_u8(w, (uint8_t)n->spi.len);
    s2_write_u16(w, n->type);
    s2_write_span(w, n->spi);
    s2_write_span(w, n->data);
}

bool s2_ike1_notify_dpd(const struct s2_ike1_notify_payload *n, uint64_t cookie_i,
                        uint64_t cookie_r, uint32_t *sequence)
{
    struct s2_reader r;

    if (n->spi.len != S2_IKE1_COOKIES_LEN)
        return false;
    s2_reader_init(&r, n->spi.p, n->spi.len);
    if (s2_read_u64(&r, "dpd.cookie_i") != cookie_i || s2_read_u64(&r, "dpd.cookie_r") != cookie_r)
        return false;
    s2_reader_init(&r, n->data.p, n->data.len);
    const uint32_t got = s2_read_u32(&r, "dpd.sequence");
    if (s2_reader_finish(&r) != S2SVPN_OK)
        return false;
    *sequence = got;
    return true;
}

/* ---- delete */

static bool delete_spi_fits(uint8_t protocol, size_t len)
{
    if (protocol == S2_IKE1_PROTO_ISAKMP)
        return len == S2_IKE1_COOKIES_LEN;
    if (protocol == S2_IKE1_PROTO_AH || protocol == S2_IKE1_PROTO_ESP)
        return len == 4;
    return len > 0 && len <= S2_IKE1_SPI_MAX;
}

static void parse_delete_spi(struct s2_reader *r, size_t len, struct s2_ike1_delete_payload *d)
{
    switch (d->protocol) {
    case S2_IKE1_PROTO_ISAKMP:
        d->cookies[d->count].i = s2_read_u64(r, "delete.spi");
        d->cookies[d->count++].r = s2_read_u64(r, "delete.spi");
        break;
    case S2_IKE1_PROTO_ESP:
        d->spi[d->count++] = s2_read_u32(r, "delete.spi");
        break;
    default:
        s2_read_skip(r, len, "delete.spi");
    }
}

s2svpn_status s2_ike1_parse_delete(struct s2_reader *r, struct s2_ike1_delete_payload *out)
{
    (void)parse_doi(r, "delete.doi");
    struct s2_ike1_delete_payload d = {.protocol = s2_read_u8(r, "delete.protocol")};
    const size_t len = s2_read_u8(r, "delete.spi_size");
    const size_t count = s2_read_u16(r, "delete.count");

    if (!delete_spi_fits(d.protocol, len))
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "delete.spi_size");
    if (r->rc == S2SVPN_OK && r->left != count * len)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "delete.count");
    if (count > S2_IKE1_DELETE_MAX)
        s2_reader_fail(r, S2SVPN_E_LIMIT, "delete.count");
    for (size_t i = 0; i < count && r->rc == S2SVPN_OK; i++)
        parse_delete_spi(r, len, &d);
    if (s2_reader_finish(r) == S2SVPN_OK)
        *out = d;
    return r->rc;
}

void s2_ike1_write_delete(struct s2_writer *w, const struct s2_ike1_delete_payload *d)
{
    const bool isakmp = d->protocol == S2_IKE1_PROTO_ISAKMP;

    s2_write_u32(w, S2_IKE1_DOI_IPSEC);
    s2_write_u8(w, d->protocol);
    s2_write_u8(w, isakmp ? S2_IKE1_COOKIES_LEN : 4);
    s2_write_u16(w, d->count);
    for (size_t i = 0; i < d->count; i++) {
        if (isakmp) {
            s2_write_u64(w, d->cookies[i].i);
            s2_write_u64(w, d->cookies[i].r);
        } else {
            s2_write_u32(w, d->spi[i]);
        }
    }
}
