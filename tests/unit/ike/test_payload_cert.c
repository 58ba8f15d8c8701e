/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/ike/payload_cert.c. */
#include "ike/message.h"

#include <string.h>

#include "harness.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WIRE(text) (const uint8_t *)(text), sizeof(text) - 1
#define HASH "0123456789abcdefghij"

static void malformed_cert_is_refused_and_named(void)
{
    static const struct {
        const char *row;
        const uint8_t *wire;
        size_t len;
        const char *field;
    } bad[] = {
        {"empty", WIRE(""), "cert.encoding"},
        {"no certificate", WIRE("\4"), "cert.data"},
        {"nothing of an unknown encoding", WIRE("\377"), "cert.data"},
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        struct s2_ike_cert_payload cert = {.encoding = 77};
        struct s2_reader r;

        s2_reader_init(&r, bad[i].wire, bad[i].len);
        CHECK_ROW(bad[i].row, s2_ike_parse_cert(&r, &cert) == S2SVPN_E_MALFORMED);
        CHECK_ROW(bad[i].row, r.field != NULL && strcmp(r.field, bad[i].field) == 0);
        CHECK_ROW(bad[i].row, cert.encoding == 77);
    }
}

static void malformed_certreq_is_refused_and_named(void)
{
    static const struct {
        const char *row;
        const uint8_t *wire;
        size_t len;
        s2svpn_status rc;
        const char *field;
    } rows[] = {
        {"empty", WIRE(""), S2SVPN_E_MALFORMED, "certreq.encoding"},
        {"half a hash", WIRE("\4" HASH "0123456789"), S2SVPN_E_MALFORMED, "certreq.authorities"},
        {"a byte too many", WIRE("\4" HASH "x"), S2SVPN_E_MALFORMED, "certreq.authorities"},
        {"any authority", WIRE("\4"), S2SVPN_OK, NULL},
        {"two hashes", WIRE("\4" HASH HASH), S2SVPN_OK, NULL},
        {"another encoding's business", WIRE("\14abc"), S2SVPN_OK, NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct s2_ike_certreq_payload certreq = {.encoding = 77};
        const bool good = rows[i].rc == S2SVPN_OK;
        struct s2_reader r;

        s2_reader_init(&r, rows[i].wire, rows[i].len);
        CHECK_ROW(rows[i].row, s2_ike_parse_certreq(&r, &certreq) == rows[i].rc);
        CHECK_ROW(rows[i].row, good || strcmp(r.field, rows[i].field) == 0);
        CHECK_ROW(rows[i].row, good == (certreq.encoding != 77));
        CHECK_ROW(rows[i].row, !good || certreq.authorities.len == rows[i].len - 1);
    }
}

static void cert_and_certreq_go_around(void)
{
    struct s2_ike_cert_payload cert;
    struct s2_ike_certreq_payload certreq;
    uint8_t wire[64];
    struct s2_reader r;
    struct s2_writer w;

    s2_writer_init(&w, wire, sizeof(wire));
    s2_ike_write_cert(&w, s2_span("0\3...", 5));
    CU_ASSERT_EQUAL_FATAL(s2_writer_finish(&w), S2SVPN_OK);
    CU_ASSERT_EQUAL(memcmp(wire,
                           "\4"
                           "0\3...",
                           6),
                    0);
    s2_reader_init(&r, wire, w.len);
    CU_ASSERT_EQUAL_FATAL(s2_ike_parse_cert(&r, &cert), S2SVPN_OK);
    CU_ASSERT_EQUAL(cert.encoding, S2_IKE_CERT_X509);
    CU_ASSERT_TRUE(s2_span_equal(cert.data, s2_span("0\3...", 5)));

    s2_writer_init(&w, wire, sizeof(wire));
    s2_ike_write_certreq(&w, s2_span(HASH HASH, 40));
    CU_ASSERT_EQUAL_FATAL(s2_writer_finish(&w), S2SVPN_OK);
    s2_reader_init(&r, wire, w.len);
    CU_ASSERT_EQUAL_FATAL(s2_ike_parse_certreq(&r, &certreq), S2SVPN_OK);
    CU_ASSERT_EQUAL(certreq.encoding, S2_IKE_CERT_X509);
    CU_ASSERT_TRUE(s2_span_equal(certreq.authorities, s2_span(HASH HASH, 40)));
}

/* ---- the chain of a message */

static void add(struct s2_ike_payloads *list, uint8_t type, const char *body, size_t len)
{
    list->item[list->count++] = (struct s2_ike_payload){.type = type, .body = s2_span(body, len)};
}

static void certificates_are_taken_in_order_and_other_encodings_left_out(void)
{
    struct s2_ike_payloads list = {.count = 0};
    s2svpn_span chain[S2SVPN_CHAIN_MAX];
    size_t count = 77;

    CU_ASSERT_EQUAL(s2_ike_read_certificates(&list, chain, &count), S2SVPN_OK);
    CU_ASSERT_EQUAL(count, 0);
    add(&list, S2_IKE_PAYLOAD_IDI, "\1", 1);
    add(&list, S2_IKE_PAYLOAD_CERT, "\14http://example", 15); /* hash and URL */
    add(&list, S2_IKE_PAYLOAD_CERT, "\4own", 4);
    add(&list, S2_IKE_PAYLOAD_CERTREQ, "\4", 1);
    add(&list, S2_IKE_PAYLOAD_CERT, "\7crl", 4);
    add(&list, S2_IKE_PAYLOAD_CERT, "\4next", 5);
    CU_ASSERT_EQUAL(s2_ike_read_certificates(&list, chain, &count), S2SVPN_OK);
    CU_ASSERT_EQUAL_FATAL(count, 2);
    CU_ASSERT_TRUE(s2_span_equal(chain[0], s2_span("own", 3)));
    CU_ASSERT_TRUE(s2_span_equal(chain[1], s2_span("next", 4)));
}

static void too_many_or_malformed_certificates_are_none(void)
{
    struct s2_ike_payloads list = {.count = 0};
    s2svpn_span chain[S2SVPN_CHAIN_MAX];
    size_t count;

    for (size_t i = 0; i < S2SVPN_CHAIN_MAX; i++)
        add(&list, S2_IKE_PAYLOAD_CERT, i == 3 ? "\14x" : "\4x", 2);
    CU_ASSERT_EQUAL(s2_ike_read_certificates(&list, chain, &count), S2SVPN_OK);
    CU_ASSERT_EQUAL(count, S2SVPN_CHAIN_MAX - 1);
    add(&list, S2_IKE_PAYLOAD_CERT, "\14x", 2);
    CU_ASSERT_EQUAL(s2_ike_read_certificates(&list, chain, &count), S2SVPN_E_LIMIT);
    CU_ASSERT_EQUAL(count, 0);
    list.count = 2;
    add(&list, S2_IKE_PAYLOAD_CERT, "\4", 1);
    CU_ASSERT_EQUAL(s2_ike_read_certificates(&list, chain, &count), S2SVPN_E_MALFORMED);
    CU_ASSERT_EQUAL(count, 0);
}

const CU_TestInfo s2_test_payload_cert[] = {
    {"malformed cert is refused and named", malformed_cert_is_refused_and_named},
    {"malformed certreq is refused and named", malformed_certreq_is_refused_and_named},
    {"cert and certreq go around", cert_and_certreq_go_around},
    {"certificates are taken in order and other encodings left out",
     certificates_are_taken_in_order_and_other_encodings_left_out},
    {"too many or malformed certificates are none", too_many_or_malformed_certificates_are_none},
    CU_TEST_INFO_NULL,
};
