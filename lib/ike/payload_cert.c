/* SPDX-License-Identifier: Apache-2.0 */
/* The CERT and CERTREQ payloads, read and written; what is in a certificate is the crypto
 * backend's business. RFC 7296 sections 3.6 and 3.7. */
#include "ike/message.h"

s2svpn_status s2_ike_parse_cert(struct s2_reader *r, struct s2_ike_cert_payload *out)
{
    struct s2_ike_cert_payload cert = {.encoding = s2_read_u8(r, "cert.encoding")};

    cert.data = s2_read_rest(r);
    if (cert.data.len == 0)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "cert.data");
    if (r->rc == S2SVPN_OK)
        *out = cert;
    return r->rc;
}

void s2_ike_write_cert(struct s2_writer *w, s2svpn_span x509)
{
    s2_write_u8(w, S2_IKE_CERT_X509);
    s2_write_span(w, x509);
}

s2svpn_status s2_ike_read_certificates(const struct s2_ike_payloads *list,
                                       s2svpn_span chain[S2SVPN_CHAIN_MAX], size_t *count)
{
    size_t n = 0;

    *count = 0;
    if (s2_ike_count(list, S2_IKE_PAYLOAD_CERT) > S2SVPN_CHAIN_MAX)
        return S2SVPN_E_LIMIT;
    for (size_t i = 0; i < list->count; i++) {
        struct s2_ike_cert_payload cert;
        struct s2_reader r;

        if (list->item[i].type != S2_IKE_PAYLOAD_CERT)
            continue;
        s2_reader_init(&r, list->item[i].body.p, list->item[i].body.len);
        s2svpn_status rc = s2_ike_parse_cert(&r, &cert);
        if (rc != S2SVPN_OK)
            return rc;
        if (cert.encoding == S2_IKE_CERT_X509)
            chain[n++] = cert.data;
    }
    *count = n;
    return S2SVPN_OK;
}

s2svpn_status s2_ike_parse_certreq(struct s2_reader *r, struct s2_ike_certreq_payload *out)
{
    struct s2_ike_certreq_payload certreq = {.encoding = s2_read_u8(r, "certreq.encoding")};

    certreq.authorities = s2_read_rest(r);
    if (certreq.encoding == S2_IKE_CERT_X509 && certreq.authorities.len % S2_IKE_KEY_HASH_LEN != 0)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "certreq.authorities");
    if (r->rc == S2SVPN_OK)
        *out = certreq;
    return r->rc;
}

void s2_ike_write_certreq(struct s2_writer *w, s2svpn_span authorities)
{
    s2_write_u8(w, S2_IKE_CERT_X509);
    s2_write_span(w, authorities);
}
