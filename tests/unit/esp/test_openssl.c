/* SPDX-License-Identifier: Apache-2.0 */
/* The engine over the OpenSSL backend: a published packet, and round trips of every
 * suite that can be built from the backend's rows. */
#include "esp/esp.h"

#include <string.h>

#include "base/bytes.h"
#include "harness.h"
#include "pair.h"

/* True if the library was built without OpenSSL: nothing to test, and that's right. */
static bool without_openssl(void)
{
    if (s2svpn_crypto_openssl() != NULL)
        return false;
    CU_PASS("built without OpenSSL");
    return true;
}

/* RFC 7634 appendix A: key and salt, the ESP packet, and the IP packet in it. */
static const uint8_t rfc7634_key[36] = {
    0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b,
    0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97,
    0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2, 0xa3,
};
static const uint8_t rfc7634_packet[] = {
    0x01, 0x02, 0x03, 0x04, 0x00, 0x00, 0x00, 0x05, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16,
    0x17, 0x24, 0x03, 0x94, 0x28, 0xb9, 0x7f, 0x41, 0x7e, 0x3c, 0x13, 0x75, 0x3a, 0x4f, 0x05,
    0x08, 0x7b, 0x67, 0xc3, 0x52, 0xe6, 0xa7, 0xfa, 0xb1, 0xb9, 0x82, 0xd4, 0x66, 0xef, 0x40,
    0x7a, 0xe5, 0xc6, 0x14, 0xee, 0x80, 0x99, 0xd5, 0x28, 0x44, 0xeb, 0x61, 0xaa, 0x95, 0xdf,
    0xab, 0x4c, 0x02, 0xf7, 0x2a, 0xa7, 0x1e, 0x7c, 0x4c, 0x4f, 0x64, 0xc9, 0xbe, 0xfe, 0x2f,
    0xac, 0xc6, 0x38, 0xe8, 0xf3, 0xcb, 0xec, 0x16, 0x3f, 0xac, 0x46, 0x9b, 0x50, 0x27, 0x73,
    0xf6, 0xfb, 0x94, 0xe6, 0x64, 0xda, 0x91, 0x65, 0xb8, 0x28, 0x29, 0xf6, 0x41, 0xe0, 0x76,
    0xaa, 0xa8, 0x26, 0x6b, 0x7f, 0xb0, 0xf7, 0xb1, 0x1b, 0x36, 0x99, 0x07, 0xe1, 0xad, 0x43,
};
static const uint8_t rfc7634_inner[] = {
    0x45, 0x00, 0x00, 0x54, 0xa6, 0xf2, 0x00, 0x00, 0x40, 0x01, 0xe7, 0x78, 0xc6, 0x33,
    0x64, 0x05, 0xc0, 0x00, 0x02, 0x05, 0x08, 0x00, 0x5b, 0x7a, 0x3a, 0x08, 0x00, 0x00,
    0x55, 0x3b, 0xec, 0x10, 0x00, 0x07, 0x36, 0x27, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d,
    0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b,
    0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29,
    0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37,
};

static void the_packet_of_rfc_7634_opens(void)
{
    uint8_t packet[sizeof(rfc7634_packet)];
    struct s2_pair p;
    s2svpn_span opened;

    if (without_openssl())
        return;
    struct s2_esp_spec spec =
        s2_pair_spec(s2svpn_crypto_openssl(), S2SVPN_ENCR_CHACHA20_POLY1305, 0, 0);
    spec.encr_key = s2_span(rfc7634_key, sizeof(rfc7634_key));
    if (!s2_pair_begin(&p, s2svpn_crypto_openssl(), &spec))
        CU_FAIL_FATAL("no pair of SAs");
    memcpy(packet, rfc7634_packet, sizeof(packet));
    CU_ASSERT_EQUAL(s2_pair_open(&p, packet, sizeof(packet), &opened), S2SVPN_DROP_NONE);
    CU_ASSERT_TRUE(s2_span_equal(opened, s2_span(rfc7634_inner, sizeof(rfc7634_inner))));
    CU_ASSERT_EQUAL(p.in->seq, 5);
    memcpy(packet, rfc7634_packet, sizeof(packet));
    CU_ASSERT_EQUAL(s2_pair_open(&p, packet, sizeof(packet), &opened), S2SVPN_DROP_ESP_REPLAY);
    s2_pair_end(&p);
}

/* The same packet, but for the IV, which is ours to choose: the number. */
static void sealing_lays_out_what_rfc_7634_shows(void)
{
    uint8_t packet[200];
    struct s2_pair p;
    size_t len = 0;

    if (without_openssl())
        return;
    struct s2_esp_spec spec =
        s2_pair_spec(s2svpn_crypto_openssl(), S2SVPN_ENCR_CHACHA20_POLY1305, 0, 0);
    spec.encr_key = s2_span(rfc7634_key, sizeof(rfc7634_key));
    if (!s2_pair_begin(&p, s2svpn_crypto_openssl(), &spec))
        CU_FAIL_FATAL("no pair of SAs");
    p.out->seq = UINT64_C(0x1011121314151616); /* the number is the IV; its lower half is sent */
    p.out->esn = true;
    CU_ASSERT_EQUAL(
        s2_pair_seal(&p, s2_span(rfc7634_inner, sizeof(rfc7634_inner)), 4, packet, &len),
        S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(len, sizeof(rfc7634_packet));
    CU_ASSERT_EQUAL(memcmp(packet, rfc7634_packet, 4), 0);
    CU_ASSERT_EQUAL(s2_get_u32(packet + 4), UINT32_C(0x14151617));
    /* IV and ciphertext are the published ones; the ICV covers another number */
    CU_ASSERT_EQUAL(memcmp(packet + 8, rfc7634_packet + 8, sizeof(rfc7634_packet) - 24), 0);
    s2_pair_end(&p);
}

/* Lengths around blocks, and around what a link carries. */
static const size_t lengths[] = {1,  2,  13,   14,   15,   16,   17,   30,
                                 31, 64, 1399, 1400, 1401, 1500, 9000, 65000};

static void round_trip(const char *row, const struct s2_esp_spec *spec)
{
    static uint8_t inner[65535], packet[65600], copy[65600];
    struct s2_pair p;

    s2_fill(inner, sizeof(inner), 0x45);
    if (!s2_pair_begin(&p, s2svpn_crypto_openssl(), spec)) {
        CHECK_ROW(row, false);
        return;
    }
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        const s2svpn_span in = s2_span(inner, lengths[i]);
        s2svpn_span opened;
        size_t len = 0;

        CHECK_ROW(row, s2_pair_seal(&p, in, 4, packet, &len) == S2SVPN_DROP_NONE);
        CHECK_ROW(row, len == s2_esp_sealed_len(&p.form, in.len));
        memcpy(copy, packet, len);
        copy[len - 1] ^= 1;
        CHECK_ROW(row, s2_pair_open(&p, copy, len, &opened) == S2SVPN_DROP_ESP_AUTHENTICATION);
        memcpy(copy, packet, len);
        copy[len / 2] ^= 0x80;
        CHECK_ROW(row, s2_pair_open(&p, copy, len, &opened) == S2SVPN_DROP_ESP_AUTHENTICATION);
        memcpy(copy, packet, len);
        CHECK_ROW(row, s2_pair_open(&p, copy, len, &opened) == S2SVPN_DROP_NONE);
        CHECK_ROW(row, s2_span_equal(opened, in));
        CHECK_ROW(row, s2_pair_open(&p, packet, len, &opened) == S2SVPN_DROP_ESP_REPLAY);
    }
    s2_pair_end(&p);
}

static void every_suite_goes_round(void)
{
    if (without_openssl())
        return;
    const s2svpn_crypto_ops *crypto = s2svpn_crypto_openssl();
    size_t suites = 0;
    for (const s2svpn_algorithm *e = crypto->algorithms; e->type != 0; e++) {
        if (e->type != S2SVPN_TRANSFORM_ENCR || (e->use & S2SVPN_USE_ESP) == 0)
            continue;
        for (const s2svpn_algorithm *i = crypto->algorithms; i->type != 0; i++) {
            const bool with_integ = i->type == S2SVPN_TRANSFORM_INTEG;

            /* an AEAD once, with the first row of all; the others with every INTEG */
            if (e->out_len > 0 ? i != crypto->algorithms : !with_integ)
                continue;
            struct s2_esp_spec spec =
                s2_pair_spec(crypto, e->id, e->key_bits, e->out_len > 0 ? 0 : i->id);
            round_trip("32 bits", &spec);
            spec.esn = true;
            spec.window = 1024;
            round_trip("ESN", &spec);
            suites++;
        }
    }
    CU_ASSERT_TRUE(suites >= 4); /* the service's own: GCM 128 and 256, CBC with HMACs */
}

/* The two pieces of a cut superpacket, at places that no block size likes. */
static void pieces_give_the_packet_that_one_piece_gives(void)
{
    static uint8_t inner[1000], one[1200], two[1200];

    if (without_openssl())
        return;
    s2_fill(inner, sizeof(inner), 9);
    for (size_t cut = 0; cut <= 100; cut++) {
        const struct s2_esp_spec spec =
            s2_pair_spec(s2svpn_crypto_openssl(), S2SVPN_ENCR_AES_GCM_16, 256, 0);
        struct s2_pair p, q;
        size_t len = 0;

        if (!s2_pair_begin(&p, s2svpn_crypto_openssl(), &spec) ||
            !s2_pair_begin(&q, s2svpn_crypto_openssl(), &spec))
            CU_FAIL_FATAL("no pair of SAs");
        CU_ASSERT_EQUAL(s2_pair_seal(&p, s2_span(inner, sizeof(inner)), 4, one, &len),
                        S2SVPN_DROP_NONE);
        struct s2_esp_seal v = {
            .sa = q.out,
            .piece = {s2_span(inner, cut), s2_span(inner + cut, sizeof(inner) - cut)},
            .out = two,
            .room = sizeof(two),
            .next_header = 4,
        };
        s2_esp_seal(&q.lane, &v, 1, 1);
        CU_ASSERT_EQUAL(v.len, len);
        CU_ASSERT_EQUAL(memcmp(one, two, len), 0);
        s2_pair_end(&p);
        s2_pair_end(&q);
    }
}

const CU_TestInfo s2_test_esp_openssl[] = {
    {"the packet of RFC 7634 opens", the_packet_of_rfc_7634_opens},
    {"sealing lays out what RFC 7634 shows", sealing_lays_out_what_rfc_7634_shows},
    {"every suite goes round", every_suite_goes_round},
    {"pieces give the packet that one piece gives", pieces_give_the_packet_that_one_piece_gives},
    CU_TEST_INFO_NULL,
};
