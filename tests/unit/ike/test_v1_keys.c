/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/ike/v1/keys.c and crypt.c: a published key and computed traces with the
 * OpenSSL backend, forms and failures with a fake one. */
#include "ike/v1/keys.h"

#include <string.h>

#include "harness.h"
#include "ike/fake_crypto.h"
#include "ike/hex.h"
#include "vectors/ikev1_trace.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT(text) (text), sizeof(text) - 1
#define SPAN(text) s2_span(TEXT(text))

/* False in a build without the backend: then its tests only say so. */
static bool begin(struct s2_ike_crypto *c)
{
    *c = (struct s2_ike_crypto){s2svpn_crypto_openssl(), NULL};
    if (c->ops == NULL)
        CU_PASS("built without OpenSSL");
    return c->ops != NULL;
}

/* ---- vectors */

/* From a log of strongSwan 4.4's pluto on ask.wireshark.org, question 12019, for 3DES: the
 * first 24 bytes of any longer key are the same. */
static void a_longer_key_is_the_published_one(void)
{
    const struct s2_hex skeyid_e = s2_hex("b01681215f16202303186d2814dc5686ca5a4733");
    const char *key = "449e829ea966d421fbcb86bd7ad92e865abab15baa5c672a";
    struct s2_ike_crypto c;
    uint8_t out[32];

    if (!begin(&c))
        return;
    const s2svpn_algorithm *prf =
        s2_ike_algorithm(&c, S2SVPN_TRANSFORM_PRF, S2SVPN_PRF_HMAC_SHA1, 0);
    CU_ASSERT_EQUAL(s2_ike1_encryption_key(&c, prf, skeyid_e.bytes, out, 24), S2SVPN_OK);
    CU_ASSERT_TRUE(s2_hex_is(key, out, 24));
    CU_ASSERT_EQUAL(s2_ike1_encryption_key(&c, prf, skeyid_e.bytes, out, 32), S2SVPN_OK);
    CU_ASSERT_TRUE(s2_hex_is(key, out, 24));
    CU_ASSERT_EQUAL(s2_ike1_encryption_key(&c, prf, skeyid_e.bytes, out, 20), S2SVPN_OK);
    CU_ASSERT_EQUAL(memcmp(out, skeyid_e.bytes, 20), 0);
}

/* A trace as bytes, and the keys that we derive from it. */
struct traced {
    struct s2_hex psk, shared, ni, nr, cookie_i, cookie_r, gxi, gxr, sa, id_i, id_r, qm_ni, qm_nr,
        qm_shared, rest, message_id, spi, last, request;
    struct s2_ike1_keys keys;
    uint32_t mid;
};

static void open_trace(const struct s2_ike_crypto *c, const struct s2_ike1_trace *t,
                       struct traced *x)
{
    const struct s2_ike1_suite suite = {
        .encr = S2SVPN_ENCR_AES_CBC, .key_bits = t->key_bits, .prf = t->prf, .hash = t->hash};

    *x = (struct traced){
        .psk = s2_hex(t->psk),
        .shared = s2_hex(t->shared),
        .ni = s2_hex(t->ni),
        .nr = s2_hex(t->nr),
        .cookie_i = s2_hex(t->cookie_i),
        .cookie_r = s2_hex(t->cookie_r),
        .gxi = s2_hex(t->gxi),
        .gxr = s2_hex(t->gxr),
        .sa = s2_hex(t->sa),
        .id_i = s2_hex(t->id_i),
        .id_r = s2_hex(t->id_r),
        .qm_ni = s2_hex(t->qm_ni),
        .qm_nr = s2_hex(t->qm_nr),
        .qm_shared = s2_hex(t->qm_shared),
        .rest = s2_hex(t->rest),
        .message_id = s2_hex(t->message_id),
        .spi = s2_hex(t->spi),
        .last = s2_hex(t->last),
        .request = s2_hex(t->request),
    };
    x->mid = s2_get_u32(x->message_id.bytes);
    CU_ASSERT_EQUAL_FATAL(s2_ike1_derive_keys(c, &suite, s2_hex_span(&x->psk),
                                              s2_hex_span(&x->shared), s2_hex_span(&x->ni),
                                              s2_hex_span(&x->nr), s2_get_u64(x->cookie_i.bytes),
                                              s2_get_u64(x->cookie_r.bytes), &x->keys),
                          S2SVPN_OK);
}

static void an_sa_s_keys_are_the_traced_ones(void)
{
    struct s2_ike_crypto c;

    for (size_t i = 0; begin(&c) && i < COUNT(s2_ike1_traces); i++) {
        const struct s2_ike1_trace *t = &s2_ike1_traces[i];
        struct traced x;

        open_trace(&c, t, &x);
        const size_t len = s2_ike1_hash_len(&x.keys);
        CHECK_ROW(t->name, len == strlen(t->skeyid) / 2);
        CHECK_ROW(t->name, s2_hex_is(t->skeyid, x.keys.skeyid, len));
        CHECK_ROW(t->name, s2_hex_is(t->skeyid_d, x.keys.skeyid_d, len));
        CHECK_ROW(t->name, s2_hex_is(t->skeyid_a, x.keys.skeyid_a, len));
        CHECK_ROW(t->name, s2_hex_is(t->skeyid_e, x.keys.skeyid_e, len));
        CHECK_ROW(t->name, s2_hex_is(t->key, x.keys.key, t->key_bits / 8u));
    }
}

static void hashes_are_the_traced_ones(void)
{
    struct s2_ike_crypto c;

    for (size_t i = 0; begin(&c) && i < COUNT(s2_ike1_traces); i++) {
        const struct s2_ike1_trace *t = &s2_ike1_traces[i];
        struct s2_ike1_phase1 p;
        uint8_t out[S2_IKE1_HASH_MAX];
        struct traced x;

        open_trace(&c, t, &x);
        const size_t len = s2_ike1_hash_len(&x.keys);
        p = (struct s2_ike1_phase1){s2_hex_span(&x.gxi), s2_hex_span(&x.gxr), s2_hex_span(&x.sa),
                                    s2_hex_span(&x.id_i)};
        CHECK_ROW(t->name, s2_ike1_hash_phase1(&c, &x.keys, true, &p, out) == S2SVPN_OK);
        CHECK_ROW(t->name, s2_hex_is(t->hash_i, out, len));
        p.id = s2_hex_span(&x.id_r);
        CHECK_ROW(t->name, s2_ike1_hash_phase1(&c, &x.keys, false, &p, out) == S2SVPN_OK);
        CHECK_ROW(t->name, s2_hex_is(t->hash_r, out, len));
        CHECK_ROW(t->name,
                  s2_ike1_hash_1(&c, &x.keys, x.mid, s2_hex_span(&x.rest), out) == S2SVPN_OK);
        CHECK_ROW(t->name, s2_hex_is(t->hash_1, out, len));
        CHECK_ROW(t->name, s2_ike1_hash_2(&c, &x.keys, x.mid, s2_hex_span(&x.qm_ni),
                                          s2_hex_span(&x.rest), out) == S2SVPN_OK);
        CHECK_ROW(t->name, s2_hex_is(t->hash_2, out, len));
        CHECK_ROW(t->name, s2_ike1_hash_3(&c, &x.keys, x.mid, s2_hex_span(&x.qm_ni),
                                          s2_hex_span(&x.qm_nr), out) == S2SVPN_OK);
        CHECK_ROW(t->name, s2_hex_is(t->hash_3, out, len));
        CHECK_ROW(t->name, s2_ike1_hash_equal(&x.keys, out, s2_span(out, len)));
        CHECK_ROW(t->name, !s2_ike1_hash_equal(&x.keys, out, s2_span(out, len - 1)));
        CHECK_ROW(t->name, !s2_ike1_hash_equal(&x.keys, out, s2_span(NULL, 0)));
        uint8_t other[S2_IKE1_HASH_MAX];
        memcpy(other, out, sizeof(other));
        other[len - 1] ^= 1;
        CHECK_ROW(t->name, !s2_ike1_hash_equal(&x.keys, out, s2_span(other, len)));
    }
}

static void nat_hashes_are_the_traced_ones(void)
{
    struct s2_ike_crypto c;

    for (size_t i = 0; begin(&c) && i < COUNT(s2_ike1_traces); i++) {
        const struct s2_ike1_trace *t = &s2_ike1_traces[i];
        s2svpn_endpoint e = {.port = 500};
        uint8_t out[S2_IKE1_HASH_MAX];
        struct traced x;
        size_t len = 0;

        open_trace(&c, t, &x);
        CHECK_ROW(t->name, s2svpn_address_read("192.0.2.1", &e.address));
        CHECK_ROW(t->name, s2_ike1_nat_hash(&c, &x.keys.suite, x.keys.cookie_i, x.keys.cookie_r, &e,
                                            out, &len) == S2SVPN_OK);
        CHECK_ROW(t->name, len == strlen(t->nat4) / 2 && s2_hex_is(t->nat4, out, len));
        e.port = 4500;
        CHECK_ROW(t->name, s2svpn_address_read("2001:db8::1", &e.address));
        CHECK_ROW(t->name, s2_ike1_nat_hash(&c, &x.keys.suite, x.keys.cookie_i, x.keys.cookie_r, &e,
                                            out, &len) == S2SVPN_OK);
        CHECK_ROW(t->name, len == strlen(t->nat6) / 2 && s2_hex_is(t->nat6, out, len));
    }
}

static void a_child_s_keys_are_the_traced_ones(void)
{
    struct s2_ike_crypto c;

    for (size_t i = 0; begin(&c) && i < COUNT(s2_ike1_traces); i++) {
        const struct s2_ike1_trace *t = &s2_ike1_traces[i];
        const struct s2_ike1_suite child = {
            .encr = t->child_encr, .key_bits = t->child_bits, .integ = t->child_integ};
        struct s2_ike1_child_keys out;
        struct traced x;

        open_trace(&c, t, &x);
        for (int pfs = 0; pfs < 2; pfs++) {
            const char *good = pfs ? t->child_pfs : t->child;
            const s2svpn_span shared = pfs ? s2_hex_span(&x.qm_shared) : s2_span(NULL, 0);

            CHECK_ROW(t->name, s2_ike1_derive_child(&c, &x.keys, &child, s2_get_u32(x.spi.bytes),
                                                    shared, s2_hex_span(&x.qm_ni),
                                                    s2_hex_span(&x.qm_nr), &out) == S2SVPN_OK);
            CHECK_ROW(t->name, out.encr.p == out.bytes && out.integ.p == out.bytes + out.encr.len);
            CHECK_ROW(t->name, out.encr.len == t->child_bits / 8u + (t->child_encr == 20 ? 4 : 0));
            CHECK_ROW(t->name, out.encr.len + out.integ.len == strlen(good) / 2);
            CHECK_ROW(t->name, s2_hex_is(good, out.bytes, out.encr.len + out.integ.len));
        }
    }
}

/* Written by us it is the traced message, and that one opens; the IV moves the same way. */
static void messages_are_the_traced_ones(void)
{
    struct s2_ike_crypto c;

    for (size_t i = 0; begin(&c) && i < COUNT(s2_ike1_traces); i++) {
        const struct s2_ike1_trace *t = &s2_ike1_traces[i];
        struct s2_ike1_iv first, last, iv, next;
        struct s2_ike1_payloads list;
        struct s2_ike1_chain chain;
        uint8_t message[512];
        struct s2_reader r;
        struct s2_writer w;
        s2svpn_span plain;
        struct traced x;

        open_trace(&c, t, &x);
        CHECK_ROW(t->name, s2_ike1_iv_first(&c, &x.keys, s2_hex_span(&x.gxi), s2_hex_span(&x.gxr),
                                            &first) == S2SVPN_OK);
        CHECK_ROW(t->name, s2_hex_is(t->iv_first, first.bytes, 16));
        memcpy(last.bytes, x.last.bytes, 16);
        CHECK_ROW(t->name, s2_ike1_iv_message(&c, &x.keys, &last, x.mid, &iv) == S2SVPN_OK);
        CHECK_ROW(t->name, s2_hex_is(t->iv, iv.bytes, 16));

        const struct s2_ike1_header h = {
            x.keys.cookie_i, x.keys.cookie_r, 0, S2_IKE1_VERSION, S2_IKE1_QUICK, 0, x.mid, 0};
        struct s2_ike1_iv ours = iv;
        s2_writer_init(&w, message, sizeof(message));
        s2_ike1_write_header(&w, &h);
        s2_ike1_hashed_begin(&chain, &w, &x.keys);
        s2_ike1_write_payload(&chain, S2_IKE1_PAYLOAD_NONCE, s2_hex_span(&x.qm_ni));
        s2_ike1_write_payload(&chain, S2_IKE1_PAYLOAD_VENDOR, SPAN("vendo"));
        CHECK_ROW(t->name,
                  s2_ike1_hashed_end(&w, &c, &x.keys, x.mid, s2_span(NULL, 0), &ours) == S2SVPN_OK);
        CHECK_ROW(t->name, w.len == x.request.len);
        CHECK_ROW(t->name, memcmp(message, x.request.bytes, w.len) == 0);

        CHECK_ROW(t->name, s2_ike1_open(&c, &x.keys, &iv, x.request.bytes, x.request.len, &plain,
                                        &next) == S2SVPN_OK);
        CHECK_ROW(t->name, memcmp(&next, &ours, 16) == 0);
        s2_reader_init(&r, plain.p, plain.len);
        CHECK_ROW(t->name,
                  s2_ike1_parse_payloads(&r, S2_IKE1_PAYLOAD_HASH, true, &list) == S2SVPN_OK);
        CHECK_ROW(t->name,
                  s2_ike1_hashed_check(&c, &x.keys, x.mid, s2_span(NULL, 0), &list) == S2SVPN_OK);
    }
}

/* ---- with toy crypto */

struct setting {
    struct s2_fake_crypto fake;
    struct s2_ike_crypto crypto;
    struct s2_ike1_keys keys;
    struct s2_ike1_iv iv;
    uint8_t out[600];
    struct s2_writer w;
};

static const struct s2_ike1_suite toy = {
    .encr = S2SVPN_ENCR_AES_CBC, .key_bits = 256, .prf = S2SVPN_PRF_HMAC_SHA1, .hash = 1};

static s2svpn_status derive(const struct s2_ike_crypto *c, const struct s2_ike1_suite *suite,
                            struct s2_ike1_keys *k)
{
    return s2_ike1_derive_keys(c, suite, SPAN("key"), SPAN("g^xy"), SPAN("Ni"), SPAN("Nr"), 1, 2,
                               k);
}

static void set_up(struct setting *x)
{
    memset(x, 0, sizeof(*x));
    x->crypto = (struct s2_ike_crypto){s2_fake_crypto_ops(), &x->fake};
    CU_ASSERT_EQUAL_FATAL(derive(&x->crypto, &toy, &x->keys), S2SVPN_OK);
    x->fake = (struct s2_fake_crypto){0};
    s2_writer_init(&x->w, x->out, sizeof(x->out));
}

/* An informational with one Vendor ID of len bytes. */
static s2svpn_status write_message(struct setting *x, size_t len)
{
    const struct s2_ike1_header h = {1, 2, 0, S2_IKE1_VERSION, S2_IKE1_INFORMATIONAL, 0, 3, 0};
    struct s2_ike1_chain chain;

    s2_ike1_write_header(&x->w, &h);
    s2_ike1_hashed_begin(&chain, &x->w, &x->keys);
    s2_ike1_payload_begin(&chain, S2_IKE1_PAYLOAD_VENDOR);
    for (size_t i = 0; i < len; i++)
        s2_write_u8(&x->w, 0xbb);
    s2_ike1_payload_end(&chain);
    return s2_ike1_hashed_end(&x->w, &x->crypto, &x->keys, 3, s2_span(NULL, 0), &x->iv);
}

/* Header, decryption, chain, hash: as a receiver goes. */
static s2svpn_status read_message(const struct setting *x, uint8_t *p, size_t len, uint32_t mid)
{
    const struct s2_ike1_iv iv = {{0}};
    struct s2_ike1_payloads list;
    struct s2_ike1_header h;
    struct s2_ike1_iv next;
    struct s2_reader r;
    s2svpn_span plain;

    s2_reader_init(&r, p, len);
    s2svpn_status rc = s2_ike1_parse_header(&r, &h);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_open(&x->crypto, &x->keys, &iv, p, len, &plain, &next);
    if (rc != S2SVPN_OK)
        return rc;
    s2_reader_init(&r, plain.p, plain.len);
    rc = s2_ike1_parse_payloads(&r, h.next_payload, true, &list);
    if (rc != S2SVPN_OK)
        return rc;
    return s2_ike1_hashed_check(&x->crypto, &x->keys, mid, s2_span(NULL, 0), &list);
}

static void messages_of_every_length_go_around(void)
{
    for (size_t len = 0; len < 70; len++) {
        struct setting x;

        set_up(&x);
        CU_ASSERT_EQUAL(write_message(&x, len), S2SVPN_OK);
        CU_ASSERT_EQUAL((x.w.len - S2_IKE1_HEADER_LEN) % 16, 0);
        CU_ASSERT_EQUAL(x.out[19], S2_IKE1_FLAG_ENCRYPTED);
        CU_ASSERT_EQUAL(s2_get_u32(x.out + 24), x.w.len);
        CU_ASSERT_EQUAL(memcmp(x.iv.bytes, x.out + x.w.len - 16, 16), 0);
        CU_ASSERT_EQUAL(read_message(&x, x.out, x.w.len, 3), S2SVPN_OK);
    }
}

/* CVE-2019-10155's class: no informational is believed without its hash. Padding is not
 * covered, RFC 2409 section 5.5, nor is the type behind HASH in its own header: that is in
 * the first block, which nobody can change alone. */
static void any_changed_bit_is_noticed(void)
{
    const size_t covered = S2_IKE1_HEADER_LEN + 4 + 20 + 4 + 9;
    uint8_t copy[sizeof(((struct setting *)0)->out)];
    struct setting x;

    set_up(&x);
    CU_ASSERT_EQUAL_FATAL(write_message(&x, 9), S2SVPN_OK);
    for (size_t bit = 8 * (S2_IKE1_HEADER_LEN + 1); bit < 8 * x.w.len; bit++) {
        memcpy(copy, x.out, x.w.len);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CU_ASSERT_EQUAL(read_message(&x, copy, x.w.len, 3) != S2SVPN_OK, bit < 8 * covered);
    }
    memcpy(copy, x.out, x.w.len);
    CU_ASSERT_EQUAL(read_message(&x, copy, x.w.len, 4), S2SVPN_E_AUTHENTICATION);
}

static void what_is_not_whole_blocks_is_refused_untouched(void)
{
    struct setting x;

    set_up(&x);
    for (size_t len = 0; len < 100; len++) {
        struct s2_ike1_iv next;
        s2svpn_span plain;

        if (len > S2_IKE1_HEADER_LEN && (len - S2_IKE1_HEADER_LEN) % 16 == 0)
            continue;
        CU_ASSERT_EQUAL(s2_ike1_open(&x.crypto, &x.keys, &x.iv, x.out, len, &plain, &next),
                        S2SVPN_E_MALFORMED);
    }
    CU_ASSERT_EQUAL(x.fake.calls, 0);
}

static void without_its_hash_in_front_a_message_is_nothing(void)
{
    static const struct {
        const char *row;
        uint8_t first;
        size_t len; /* with the zeros behind */
        const char *chain;
        size_t chain_len;
    } rows[] = {
        {"no payloads", 0, 0, TEXT("")},
        {"no hash", 13, 4, TEXT("\0\0\0\4")},
        {"empty hash", 8, 4, TEXT("\0\0\0\4")},
        {"hash behind", 13, 28, TEXT("\x08\0\0\4\0\0\0\x18")},
        {"hash behind a private payload", 250, 28, TEXT("\x08\0\0\4\0\0\0\x18")},
        {"two hashes", 8, 48, TEXT("\x08\0\0\x18....................\0\0\0\x18")},
        {"wrong hash", 8, 24, TEXT("\0\0\0\x18")},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct s2_ike1_payloads list;
        struct s2_reader r;
        struct setting x;

        set_up(&x);
        memcpy(x.out, rows[i].chain, rows[i].chain_len);
        s2_reader_init(&r, x.out, rows[i].len);
        CHECK_ROW(rows[i].row, s2_ike1_parse_payloads(&r, rows[i].first, true, &list) == S2SVPN_OK);
        CHECK_ROW(rows[i].row, s2_ike1_hashed_check(&x.crypto, &x.keys, 3, s2_span(NULL, 0),
                                                    &list) == S2SVPN_E_AUTHENTICATION);
    }
}

static void without_room_there_is_no_message(void)
{
    struct setting x;

    set_up(&x);
    CU_ASSERT_EQUAL_FATAL(write_message(&x, 9), S2SVPN_OK);
    for (size_t size = 0, whole = x.w.len; size < whole; size++) {
        static const struct s2_ike1_iv untouched;

        set_up(&x);
        s2_writer_init(&x.w, x.out, size);
        CU_ASSERT_EQUAL(write_message(&x, 9), S2SVPN_E_NO_ROOM);
        CU_ASSERT_EQUAL(memcmp(&x.iv, &untouched, sizeof(x.iv)), 0);
        CU_ASSERT_TRUE(x.w.overflow);
    }
}

static void a_message_without_payloads_is_not_sealed(void)
{
    struct setting x;

    set_up(&x);
    s2_write_zero(&x.w, S2_IKE1_HEADER_LEN);
    CU_ASSERT_EQUAL(s2_ike1_seal(&x.w, &x.crypto, &x.keys, &x.iv), S2SVPN_E_ARGUMENT);
    CU_ASSERT_TRUE(x.w.overflow);
}

/* CVE-2024-2357's class: no key is no key, not an empty one. */
static void without_secrets_there_are_no_keys(void)
{
    const s2svpn_span none = s2_span(NULL, 0), some = SPAN("some");
    struct s2_ike1_keys k = {.cookie_i = 77};
    struct setting x;

    set_up(&x);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(s2_ike1_derive_keys(&x.crypto, &toy, i == 0 ? none : some,
                                            i == 1 ? none : some, i == 2 ? none : some,
                                            i == 3 ? none : some, 1, 2, &k),
                        S2SVPN_E_ARGUMENT);
    }
    CU_ASSERT_EQUAL(x.fake.calls, 0);
    CU_ASSERT_EQUAL(k.cookie_i, 77);
}

static void suites_that_can_not_serve_are_refused(void)
{
    static const struct {
        const char *row;
        struct s2_ike1_suite suite;
    } rows[] = {
        {"no such cipher", {.encr = 3, .key_bits = 0, .prf = 2, .hash = 1}},
        {"no such key length", {.encr = 12, .key_bits = 192, .prf = 2, .hash = 1}},
        {"an AEAD", {.encr = 20, .key_bits = 128, .prf = 2, .hash = 1}},
        {"NULL", {.encr = 11, .prf = 2, .hash = 1}},
        {"no such PRF", {.encr = 12, .key_bits = 128, .prf = 1, .hash = 1}},
    };
    static const struct {
        const char *row;
        struct s2_ike1_suite suite;
        s2svpn_status rc;
    } children[] = {
        {"no such cipher", {.encr = 3, .integ = 2}, S2SVPN_E_UNSUPPORTED},
        {"no integrity", {.encr = 12, .key_bits = 128}, S2SVPN_E_UNSUPPORTED},
        {"no such integrity", {.encr = 12, .key_bits = 128, .integ = 1}, S2SVPN_E_UNSUPPORTED},
        {"an AEAD with integrity", {.encr = 20, .key_bits = 128, .integ = 2}, S2SVPN_E_ARGUMENT},
    };
    struct s2_ike1_child_keys child;
    struct s2_ike1_keys k;
    struct setting x;

    set_up(&x);
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(rows[i].row, derive(&x.crypto, &rows[i].suite, &k) == S2SVPN_E_UNSUPPORTED);
    const s2svpn_endpoint e = {.port = 500};
    uint8_t hash[S2_IKE1_HASH_MAX];
    size_t len;
    CU_ASSERT_EQUAL(s2_ike1_nat_hash(&x.crypto, &rows[4].suite, 1, 2, &e, hash, &len),
                    S2SVPN_E_UNSUPPORTED);
    for (size_t i = 0; i < COUNT(children); i++)
        CHECK_ROW(children[i].row,
                  s2_ike1_derive_child(&x.crypto, &x.keys, &children[i].suite, 1, SPAN(""),
                                       SPAN("ni"), SPAN("nr"), &child) == children[i].rc);
}

/* A backend's row may say anything; it must not lead out of a buffer. */
static void rows_that_do_not_fit_are_refused(void)
{
    static const struct {
        const char *row;
        s2svpn_algorithm encr, prf;
    } rows[] = {
        {"no key", {.iv_len = 16, .block_len = 16}, {.out_len = 20}},
        {"long key", {.key_len = 69, .iv_len = 16, .block_len = 16}, {.out_len = 20}},
        {"no block", {.key_len = 16}, {.out_len = 20}},
        {"long block", {.key_len = 16, .iv_len = 17, .block_len = 17}, {.out_len = 20}},
        {"another IV than a block", {.key_len = 16, .iv_len = 8, .block_len = 16}, {.out_len = 20}},
        {"an ICV", {.key_len = 16, .iv_len = 16, .block_len = 16, .out_len = 16}, {.out_len = 20}},
        {"short PRF", {.key_len = 16, .iv_len = 16, .block_len = 16}, {.out_len = 15}},
        {"long PRF", {.key_len = 16, .iv_len = 16, .block_len = 16}, {.out_len = 65}},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        s2svpn_algorithm table[] = {rows[i].encr, rows[i].prf, {.type = 0}};
        s2svpn_crypto_ops ops = *s2_fake_crypto_ops();
        struct s2_ike1_keys k;
        struct setting x;

        table[0].type = S2SVPN_TRANSFORM_ENCR;
        table[0].id = toy.encr;
        table[0].key_bits = toy.key_bits;
        table[1].type = S2SVPN_TRANSFORM_PRF;
        table[1].id = toy.prf;
        ops.algorithms = table;
        set_up(&x);
        x.crypto.ops = &ops;
        CHECK_ROW(rows[i].row, derive(&x.crypto, &toy, &k) == S2SVPN_E_UNSUPPORTED);
        CHECK_ROW(rows[i].row, x.fake.calls == 0);
    }
}

static void a_message_longer_than_a_datagram_is_none(void)
{
    static uint8_t room[70000];
    struct setting x;

    set_up(&x);
    s2_writer_init(&x.w, room, sizeof(room));
    CU_ASSERT_EQUAL(write_message(&x, 65500), S2SVPN_E_NO_ROOM);
    s2_writer_init(&x.w, room, sizeof(room));
    CU_ASSERT_EQUAL(write_message(&x, 65400), S2SVPN_OK); /* 65,468 with its padding */
}

static bool around(struct s2_fake_crypto *f, void *arg)
{
    const uint8_t zero[sizeof(((struct setting *)0)->out)] = {0};
    const struct s2_ike1_suite child = {.encr = 12, .key_bits = 128, .integ = 12};
    struct s2_ike1_child_keys keys;
    s2svpn_endpoint e = {.port = 500};
    uint8_t hash[S2_IKE1_HASH_MAX];
    struct s2_ike1_iv first, iv;
    struct setting x;
    size_t len;

    (void)arg;
    set_up(&x);
    x.crypto.user = f;
    if (derive(&x.crypto, &toy, &x.keys) != S2SVPN_OK ||
        s2_ike1_nat_hash(&x.crypto, &toy, 1, 2, &e, hash, &len) != S2SVPN_OK ||
        s2_ike1_iv_first(&x.crypto, &x.keys, SPAN("gxi"), SPAN("gxr"), &first) != S2SVPN_OK ||
        s2_ike1_iv_message(&x.crypto, &x.keys, &first, 3, &iv) != S2SVPN_OK ||
        s2_ike1_derive_child(&x.crypto, &x.keys, &child, 7, SPAN("g"), SPAN("ni"), SPAN("nr"),
                             &keys) != S2SVPN_OK)
        return false;
    if (write_message(&x, 9) != S2SVPN_OK) {
        /* nothing plain is left, and nobody can take it for a message */
        CU_ASSERT_EQUAL(memcmp(x.out, zero, sizeof(zero)), 0);
        CU_ASSERT_TRUE(x.w.overflow);
        return false;
    }
    return read_message(&x, x.out, x.w.len, 3) == S2SVPN_OK;
}

static void every_failure_of_the_backend_is_reported(void)
{
    s2_fail_every_crypto_call(around, NULL);
}

static void cleared_keys_are_gone(void)
{
    static const struct s2_ike1_keys none;
    struct setting x;

    set_up(&x);
    s2_ike1_keys_clear(&x.keys);
    CU_ASSERT_EQUAL(memcmp(&x.keys, &none, sizeof(none)), 0);
}

const CU_TestInfo s2_test_v1_keys[] = {
    {"a longer key is the published one", a_longer_key_is_the_published_one},
    {"an sa's keys are the traced ones", an_sa_s_keys_are_the_traced_ones},
    {"hashes are the traced ones", hashes_are_the_traced_ones},
    {"nat hashes are the traced ones", nat_hashes_are_the_traced_ones},
    {"a child's keys are the traced ones", a_child_s_keys_are_the_traced_ones},
    {"messages are the traced ones", messages_are_the_traced_ones},
    {"messages of every length go around", messages_of_every_length_go_around},
    {"any changed bit is noticed", any_changed_bit_is_noticed},
    {"what is not whole blocks is refused untouched",
     what_is_not_whole_blocks_is_refused_untouched},
    {"without its hash in front a message is nothing",
     without_its_hash_in_front_a_message_is_nothing},
    {"without room there is no message", without_room_there_is_no_message},
    {"a message without payloads is not sealed", a_message_without_payloads_is_not_sealed},
    {"without secrets there are no keys", without_secrets_there_are_no_keys},
    {"suites that can not serve are refused", suites_that_can_not_serve_are_refused},
    {"rows that do not fit are refused", rows_that_do_not_fit_are_refused},
    {"a message longer than a datagram is none", a_message_longer_than_a_datagram_is_none},
    {"every failure of the backend is reported", every_failure_of_the_backend_is_reported},
    {"cleared keys are gone", cleared_keys_are_gone},
    CU_TEST_INFO_NULL,
};
