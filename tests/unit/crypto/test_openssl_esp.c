/* SPDX-License-Identifier: Apache-2.0 */
/* ESP packets: published ones, and what every suite promises. */
#include <openssl/err.h>
#include <string.h>

#include "esp_packet.h"
#include "harness.h"

#define SPI 0xc0ffee01u
#define SEQ 0x0000000a89abcdefu /* more than 32 bits, so that ESN matters */

static void seal(void *worker, s2svpn_esp_op *ops, size_t n)
{
    s2svpn_crypto_openssl()->esp_seal(NULL, worker, ops, n);
}

static void open(void *worker, s2svpn_esp_op *ops, size_t n)
{
    s2svpn_crypto_openssl()->esp_open(NULL, worker, ops, n);
}

/* In each of them the IV is something else than the sequence number, so we open but
 * could not have sealed them. */
static const struct {
    const char *row;
    uint16_t encr, key_bits;
    bool esn;
    uint32_t spi;
    uint64_t seq;
    const char *key, *iv, *plain, *cipher, *icv;
} published[] = {
    {"draft-mcgrew-gcm-test-01, AES-128 with ESN", S2SVPN_ENCR_AES_GCM_16, 128, true, 0x4321,
     0x8765432100000000, "4c80cdefbb5d10da906ac73c3613a6342e443b68", "4956ed7e3b244cfe",
     "45000048699a000080114db7c0a80102c0a801010a9bf15638d301000001000000000000045f7369"
     "70045f756470037369700963796265726369747902646b000021000101020201",
     "fecf537e729d5b07dc30df528dd22b768d1b98736696a6fd348509fa13ceac34cfa2436f14a3f3cf"
     "65925bf1f4a13c5d15b21e1884f5ff6247aeabb786b93bce61bc17d768fd9732",
     "459018148f6cbe722fd04796562dfdb4"},
    {"draft-mcgrew-gcm-test-01, AES-128", S2SVPN_ENCR_AES_GCM_16, 128, false, 0xa5f8, 10,
     "feffe9928665731c6d6a8f9467308308cafebabe", "facedbaddecaf888",
     "4500003e698f000080114dccc0a80102c0a801010a980035002a2343b2d001000001000000000000"
     "037369700963796265726369747902646b00000100010001",
     "deb22cd9b07c72c16e3a65beeb8df304a5a5897d33ae530f1ba76d5d114d2a5c3de81827c10e9a4f"
     "51330d0eec416642cfbb85a5b47e48a4ec3b9ba95d918bd1",
     "83b70d3aa8bc6ee4c309e9d85a41ad4a"},
    {"draft-mcgrew-gcm-test-01, AES-256", S2SVPN_ENCR_AES_GCM_16, 256, false, 0x4a2cbfe3, 2,
     "abbccddef00112233445566778899aababbccddef00112233445566778899aab11223344", "0102030405060708",
     "4500003069a6400080062690c0a801029389155e0a9e008b2dc57ee0000000007002400020bf0000"
     "020405b40101040201020201",
     "ff425c9b724599df7a3bcd510194e00d6a78107f1b0b1cbf06efae9d65a5d763748a637985771d34"
     "7f0545659f14e99def842d8e",
     "b335f4eecfdbf831824b4c4915956c96"},
    {"RFC 7634 appendix A", S2SVPN_ENCR_CHACHA20_POLY1305, 0, false, 0x01020304, 5,
     "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3", "1011121314151617",
     "45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec100007362708090a0b"
     "0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30313233"
     "3435363701020204",
     "24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c614ee8099d52844eb"
     "61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3cbec163fac469b502773f6fb94e664da"
     "9165b82829f641e0",
     "76aaa8266b7fb0f7b11b369907e1ad43"},
};

static void published_packets_are_opened(void)
{
    void *worker = worker_new();

    CU_ASSERT_PTR_NOT_NULL_FATAL(worker);
    for (size_t i = 0; i < COUNT(published); i++) {
        uint8_t key[36], iv[8], cipher[128], plain[128], icv[16];
        s2svpn_esp_session_spec spec = {
            .size = sizeof(spec),
            .encr = published[i].encr,
            .key_bits = published[i].key_bits,
            .esn = published[i].esn,
            .encr_key = {key, unhex(published[i].key, key, sizeof(key))},
        };
        s2svpn_esp_op op = {
            .in[0] = {cipher, (uint32_t)unhex(published[i].cipher, cipher, sizeof(cipher))},
            .out = plain,
            .seq = published[i].seq,
            .spi = published[i].spi,
            .iv = iv,
            .icv = icv,
        };
        void *session = NULL;

        unhex(published[i].iv, iv, sizeof(iv));
        unhex(published[i].icv, icv, sizeof(icv));
        CHECK_ROW(published[i].row,
                  s2svpn_crypto_openssl()->esp_session_new(NULL, &spec, &session) == S2SVPN_OK);
        op.session = session;
        open(worker, &op, 1);
        CHECK_ROW(published[i].row, op.result == S2SVPN_ESP_OK);
        CHECK_ROW(published[i].row, is_hex(plain, op.in[0].len, published[i].plain));
        session_free(session);
    }
    worker_free(worker);
}

/* How a segment may come: as percentages of the text, the third piece being the rest. */
static const struct {
    const char *row;
    unsigned first, second;
} layouts[] = {
    {"one piece", 100, 0},   {"header, payload, trailer", 10, 85}, {"two pieces", 0, 50},
    {"only the last", 0, 0}, {"only the middle", 0, 100},          {"no middle", 40, 0},
};

/* Seal and open again, with the text in the given layout, or with layout NULL in place. */
static void round_trip(void *worker, const struct suite *s, bool esn, size_t len,
                       const size_t *layout)
{
    void *out = session_new(s, esn, true, 1), *in = session_new(s, esn, false, 1);
    struct packet p, q;

    CU_ASSERT_FATAL(out != NULL && in != NULL);
    packet_lay(&p, s, len, SPI, SEQ, 5);
    packet_lay(&q, s, len, SPI, SEQ, 5); /* the plain text, apart */
    s2svpn_esp_op op = packet_op(&p, out, p.text, SPI, SEQ);
    if (layout != NULL) {
        const uint32_t first = (uint32_t)(len * layouts[*layout].first / 100);
        const uint32_t second = (uint32_t)(len * layouts[*layout].second / 100);

        memset(p.text, 0xee, len);
        op.in[0].p = q.text;
        op.in[0].len = first;
        op.in[1].p = q.text + first;
        op.in[1].len = second;
        op.in[2].p = q.text + first + second;
        op.in[2].len = (uint32_t)len - first - second;
    }
    seal(worker, &op, 1);
    CHECK_ROW(s->row, op.result == S2SVPN_ESP_OK);
    CHECK_ROW(s->row, len < 16 || s->encr == S2SVPN_ENCR_NULL || memcmp(p.text, q.text, len) != 0);
    CHECK_ROW(s->row, memcmp(p.bytes, q.bytes, 8) == 0);
    CHECK_ROW(s->row, p.icv[p.icv_len] == 0xee);

    op = packet_op(&p, in, p.text, SPI, SEQ);
    open(worker, &op, 1);
    CHECK_ROW(s->row, op.result == S2SVPN_ESP_OK);
    CHECK_ROW(s->row, memcmp(p.text, q.text, len) == 0);
    CHECK_ROW(s->row, p.icv[p.icv_len] == 0xee);
    session_free(out);
    session_free(in);
}

static void every_suite_opens_what_it_sealed(void)
{
    static const size_t lens[] = {0, 16, 64, 240, 1408};
    void *worker = worker_new();

    CU_ASSERT_PTR_NOT_NULL_FATAL(worker);
    for (size_t i = 0; i < SUITES; i++) {
        for (size_t k = 0; k < COUNT(lens); k++) {
            for (size_t layout = 0; layout < COUNT(layouts); layout++) {
                round_trip(worker, &suites[i], false, lens[k], &layout);
                round_trip(worker, &suites[i], true, lens[k], &layout);
            }
            round_trip(worker, &suites[i], false, lens[k], NULL);
            round_trip(worker, &suites[i], true, lens[k], NULL);
        }
    }
    worker_free(worker);
}

/* AEADs have no blocks: any length that ESP's own padding leaves. */
static void an_aead_takes_any_length(void)
{
    void *worker = worker_new();
    const size_t layout = 1;

    for (size_t i = 0; i < 4; i++) {
        for (size_t len = 1; len < 100; len++)
            round_trip(worker, &suites[i], true, len, &layout);
    }
    worker_free(worker);
}

/* RFC 4106 section 3.1, RFC 7634 section 2. */
static void an_aead_s_iv_is_the_whole_sequence_number(void)
{
    static const uint8_t want[8] = {0, 0, 0, 0x0a, 0x89, 0xab, 0xcd, 0xef};
    void *worker = worker_new();

    for (size_t i = 0; i < 4; i++) {
        void *session = session_new(&suites[i], false, true, 1);
        struct packet p;

        packet_lay(&p, &suites[i], 64, SPI, SEQ, 1);
        s2svpn_esp_op op = packet_op(&p, session, p.text, SPI, SEQ);
        seal(worker, &op, 1);
        CHECK_ROW(suites[i].row, memcmp(p.iv, want, sizeof(want)) == 0);
        session_free(session);
    }
    worker_free(worker);
}

/* Sealed packets checked with the IKE side of the table, which has vectors of its
 * own: the ICV covers header, IV, ciphertext and with ESN the high half. */
static void an_aead_packet_is_what_the_ike_cipher_makes(void)
{
    void *worker = worker_new();

    for (size_t i = 0; i < 8; i++) {
        const struct suite *s = &suites[i / 2];
        const bool esn = i % 2 == 1;
        const s2svpn_algorithm *row = find_row(S2SVPN_TRANSFORM_ENCR, s->encr, s->key_bits);
        uint8_t key[S2SVPN_KEY_MAX], text[256], icv[16];
        uint8_t aad[12] = {0xc0, 0xff, 0xee, 0x01, 0x89, 0xab, 0xcd, 0xef};
        static const uint8_t aad_esn[12] = {0xc0, 0xff, 0xee, 0x01, 0,    0,
                                            0,    0x0a, 0x89, 0xab, 0xcd, 0xef};
        const s2svpn_span a = {esn ? aad_esn : aad, esn ? 12 : 8};
        void *session = session_new(s, esn, true, 3);
        struct packet p;

        fill(key, sizeof(key), 3);
        packet_lay(&p, s, sizeof(text), SPI, SEQ, 9);
        memcpy(text, p.text, sizeof(text));
        s2svpn_esp_op op = packet_op(&p, session, p.text, SPI, SEQ);
        seal(worker, &op, 1);
        CHECK_ROW(s->row, s2svpn_crypto_openssl()->ike_aead(
                              NULL, s->encr, true, (s2svpn_span){key, row->key_len}, p.iv, a, text,
                              sizeof(text), icv) == S2SVPN_OK);
        CHECK_ROW(s->row, memcmp(text, p.text, sizeof(text)) == 0);
        CHECK_ROW(s->row, memcmp(icv, p.icv, sizeof(icv)) == 0);
        session_free(session);
    }
    worker_free(worker);
}

static void a_cbc_packet_is_what_ike_cipher_and_mac_make(void)
{
    static const uint8_t high[4] = {0, 0, 0, 0x0a};
    void *worker = worker_new();

    for (size_t i = 4; i < SUITES; i++) {
        for (int esn = 0; esn <= 1; esn++) {
            const struct suite *s = &suites[i];
            const s2svpn_algorithm *encr = find_row(S2SVPN_TRANSFORM_ENCR, s->encr, s->key_bits);
            const s2svpn_algorithm *integ = find_row(S2SVPN_TRANSFORM_INTEG, s->integ, 0);
            uint8_t key[S2SVPN_KEY_MAX], mac_key[S2SVPN_KEY_MAX], icv[S2SVPN_ICV_MAX];
            void *session = session_new(s, esn, true, 3);
            struct packet p, q;

            fill(key, sizeof(key), 3);
            fill(mac_key, sizeof(mac_key), 4);
            packet_lay(&p, s, 256, SPI, SEQ, 9);
            packet_lay(&q, s, 256, SPI, SEQ, 9);
            s2svpn_esp_op op = packet_op(&p, session, p.text, SPI, SEQ);
            seal(worker, &op, 1);
            const s2svpn_span in[2] = {{p.bytes, (size_t)(p.icv - p.bytes)}, {high, esn ? 4 : 0}};
            CHECK_ROW(s->row, s2svpn_crypto_openssl()->integ(NULL, s->integ,
                                                             (s2svpn_span){mac_key, integ->key_len},
                                                             in, 2, icv) == S2SVPN_OK);
            CHECK_ROW(s->row, memcmp(icv, p.icv, integ->out_len) == 0);
            if (s->encr == S2SVPN_ENCR_AES_CBC)
                CHECK_ROW(s->row, s2svpn_crypto_openssl()->ike_cbc(
                                      NULL, s->encr, false, (s2svpn_span){key, encr->key_len}, p.iv,
                                      p.text, 256) == S2SVPN_OK);
            CHECK_ROW(s->row, memcmp(p.text, q.text, 256) == 0);
            session_free(session);
        }
    }
    worker_free(worker);
}

/* Every bit behind the header, and those of SPI and sequence number, which reach the
 * backend as numbers. */
static void a_changed_bit_anywhere_is_refused(void)
{
    void *worker = worker_new();

    for (size_t i = 0; i < SUITES; i++) {
        const struct suite *s = &suites[i];
        void *out = session_new(s, true, true, 1), *in = session_new(s, true, false, 1);
        struct packet sealed, p;

        packet_lay(&sealed, s, 48, SPI, SEQ, 5);
        s2svpn_esp_op op = packet_op(&sealed, out, sealed.text, SPI, SEQ);
        seal(worker, &op, 1);
        const size_t bits = 8 * (sealed.iv_len + 48 + sealed.icv_len);
        for (size_t bit = 0; bit < bits + 32 + 64; bit++) {
            const size_t rest = bit - bits;
            const bool spi = bit >= bits && rest < 32, seq = bit >= bits && rest >= 32;

            packet_lay(&p, s, 48, SPI, SEQ, 5);
            const size_t len = 8 + p.iv_len + 48 + p.icv_len;
            memcpy(p.bytes, sealed.bytes, len);
            if (bit < bits)
                p.bytes[8 + bit / 8] ^= (uint8_t)(1 << bit % 8);
            op = packet_op(&p, in, p.text, SPI ^ (spi ? UINT32_C(1) << rest : 0),
                           SEQ ^ (seq ? UINT64_C(1) << (rest - 32) : 0));
            open(worker, &op, 1);
            CHECK_ROW(s->row, op.result == S2SVPN_ESP_AUTH);
        }
        packet_lay(&p, s, 48, SPI, SEQ, 5);
        memcpy(p.bytes, sealed.bytes, 8 + p.iv_len + 48 + p.icv_len);
        op = packet_op(&p, in, p.text, SPI, SEQ);
        open(worker, &op, 1);
        CHECK_ROW(s->row, op.result == S2SVPN_ESP_OK);
        session_free(out);
        session_free(in);
    }
    worker_free(worker);
    CU_ASSERT_EQUAL(ERR_peek_error(), 0);
}

/* Otherwise a peer could ask what a ciphertext of its choice decrypts to. */
static void unauthentic_text_is_not_given_out(void)
{
    void *worker = worker_new();

    for (size_t i = 0; i < SUITES; i++) {
        const struct suite *s = &suites[i];
        void *out = session_new(s, false, true, 1), *in = session_new(s, false, false, 1);
        struct packet p, plain;
        uint8_t result[64];

        packet_lay(&plain, s, 64, SPI, SEQ, 5);
        packet_lay(&p, s, 64, SPI, SEQ, 5);
        s2svpn_esp_op op = packet_op(&p, out, p.text, SPI, SEQ);
        seal(worker, &op, 1);
        p.icv[0] ^= 1;
        memset(result, 0, sizeof(result));
        op = packet_op(&p, in, p.text, SPI, SEQ);
        op.out = result;
        open(worker, &op, 1);
        CHECK_ROW(s->row, op.result == S2SVPN_ESP_AUTH);
        for (size_t k = 0; k < sizeof(result); k++)
            CHECK_ROW(s->row, result[k] == 0);
        session_free(out);
        session_free(in);
    }
    worker_free(worker);
}

/* A batch mixes sessions, and a bad packet is its own failure only. */
static void a_bad_packet_leaves_its_neighbours_alone(void)
{
    static struct packet p[SUITES * 2];
    s2svpn_esp_op ops[SUITES * 2];
    void *out[SUITES], *in[SUITES];
    void *worker = worker_new();
    struct packet plain;

    for (size_t i = 0; i < SUITES; i++) {
        out[i] = session_new(&suites[i], false, true, (unsigned)i);
        in[i] = session_new(&suites[i], false, false, (unsigned)i);
    }
    for (size_t i = 0; i < COUNT(ops); i++) {
        packet_lay(&p[i], &suites[i % SUITES], 64, SPI, i, (unsigned)i);
        ops[i] = packet_op(&p[i], out[i % SUITES], p[i].text, SPI, i);
    }
    seal(worker, ops, COUNT(ops));
    for (size_t i = 0; i < COUNT(ops); i++) {
        CU_ASSERT_EQUAL(ops[i].result, S2SVPN_ESP_OK);
        ops[i] = packet_op(&p[i], in[i % SUITES], p[i].text, SPI, i);
        if (i % 3 == 1)
            p[i].icv[1] ^= 0x80;
    }
    open(worker, ops, COUNT(ops));
    for (size_t i = 0; i < COUNT(ops); i++) {
        packet_lay(&plain, &suites[i % SUITES], 64, SPI, i, (unsigned)i);
        CU_ASSERT_EQUAL(ops[i].result, i % 3 == 1 ? S2SVPN_ESP_AUTH : S2SVPN_ESP_OK);
        CU_ASSERT((memcmp(p[i].text, plain.text, 64) == 0) == (i % 3 != 1) ||
                  suites[i % SUITES].encr == S2SVPN_ENCR_NULL);
    }
    for (size_t i = 0; i < SUITES; i++) {
        session_free(out[i]);
        session_free(in[i]);
    }
    seal(worker, NULL, 0);
    open(worker, NULL, 0);
    worker_free(worker);
}

static void broken_blocks_and_wrong_directions_are_refused(void)
{
    const struct suite *cbc = &suites[4];
    void *out = session_new(cbc, false, true, 1), *in = session_new(cbc, false, false, 1);
    void *worker = worker_new();
    struct packet p;

    packet_lay(&p, cbc, 64, SPI, SEQ, 5);
    s2svpn_esp_op op = packet_op(&p, in, p.text, SPI, SEQ);
    seal(worker, &op, 1);
    CU_ASSERT_EQUAL(op.result, S2SVPN_ESP_REFUSED);
    op.session = out;
    open(worker, &op, 1);
    CU_ASSERT_EQUAL(op.result, S2SVPN_ESP_REFUSED);
    op.in[0].len = 63;
    seal(worker, &op, 1);
    CU_ASSERT_EQUAL(op.result, S2SVPN_ESP_REFUSED);
    op.session = in;
    open(worker, &op, 1);
    CU_ASSERT_EQUAL(op.result, S2SVPN_ESP_REFUSED);

    /* Lengths whose sum would wrap, or is more than OpenSSL's int. */
    op.session = out;
    op.in[0].len = 0x80000000u;
    op.in[1].len = 0x80000000u;
    seal(worker, &op, 1);
    CU_ASSERT_EQUAL(op.result, S2SVPN_ESP_REFUSED);
    session_free(out);
    session_free(in);
    worker_free(worker);
}

/* RFC 3602 section 3 wants them unpredictable; never seen twice is what a
 * test can see. */
static void cbc_ivs_never_repeat(void)
{
    static uint8_t ivs[4096][16];
    const struct suite *cbc = &suites[4];
    void *session = session_new(cbc, false, true, 1);
    void *workers[2] = {worker_new(), worker_new()};
    struct packet p;
    size_t same = 0;

    for (size_t i = 0; i < COUNT(ivs); i++) {
        packet_lay(&p, cbc, 16, SPI, 1, 5);
        s2svpn_esp_op op = packet_op(&p, session, p.text, SPI, 1);
        seal(workers[i % 2], &op, 1);
        CU_ASSERT_EQUAL(op.result, S2SVPN_ESP_OK);
        memcpy(ivs[i], p.iv, 16);
    }
    for (size_t i = 0; i < COUNT(ivs); i++) {
        for (size_t k = 0; k < i; k++)
            same += memcmp(ivs[i], ivs[k], 16) == 0;
    }
    CU_ASSERT_EQUAL(same, 0);
    session_free(session);
    worker_free(workers[0]);
    worker_free(workers[1]);
}

const CU_TestInfo s2_test_openssl_esp[] = {
    {"published packets are opened", published_packets_are_opened},
    {"every suite opens what it sealed", every_suite_opens_what_it_sealed},
    {"an AEAD takes any length", an_aead_takes_any_length},
    {"an AEAD's IV is the whole sequence number", an_aead_s_iv_is_the_whole_sequence_number},
    {"an AEAD packet is what the IKE cipher makes", an_aead_packet_is_what_the_ike_cipher_makes},
    {"a CBC packet is what IKE cipher and MAC make", a_cbc_packet_is_what_ike_cipher_and_mac_make},
    {"a changed bit anywhere is refused", a_changed_bit_anywhere_is_refused},
    {"unauthentic text is not given out", unauthentic_text_is_not_given_out},
    {"a bad packet leaves its neighbours alone", a_bad_packet_leaves_its_neighbours_alone},
    {"broken blocks and wrong directions are refused",
     broken_blocks_and_wrong_directions_are_refused},
    {"CBC IVs never repeat", cbc_ivs_never_repeat},
    CU_TEST_INFO_NULL,
};
