/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/ike/sk.c: computed messages with the OpenSSL backend, failures with
 * a fake one. */
#include "ike/keys.h"

#include <string.h>

#include "fake_env.h"
#include "harness.h"
#include "ike/fake_crypto.h"
#include "ike/hex.h"
#include "vectors/ikev2_trace.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- the traces' messages */

static struct s2_ike_keys keys_of(const struct s2_ike_crypto *c, const struct s2_ike_trace *t)
{
    const struct s2_hex ni = s2_hex(t->ni), nr = s2_hex(t->nr), shared = s2_hex(t->shared);
    const struct s2_hex spi_i = s2_hex(t->spi_i), spi_r = s2_hex(t->spi_r);
    const struct s2_ike_suite suite = {
        .encr = t->encr, .key_bits = t->key_bits, .integ = t->integ, .prf = t->prf};
    struct s2_ike_keys k = {0};

    CU_ASSERT_EQUAL_FATAL(s2_ike_derive_keys(c, &suite, s2_hex_span(&shared), s2_hex_span(&ni),
                                             s2_hex_span(&nr), s2_get_u64(spi_i.bytes),
                                             s2_get_u64(spi_r.bytes), NULL, &k),
                          S2SVPN_OK);
    return k;
}

/* Parse a message's outside and open its SK. */
static s2svpn_status open_message(const struct s2_ike_crypto *c, const struct s2_ike_keys *k,
                                  bool initiator, uint8_t *message, size_t len, uint8_t *first,
                                  s2svpn_span *inner)
{
    struct s2_ike_payloads list;
    struct s2_ike_header h;
    struct s2_reader r;

    s2_reader_init(&r, message, len);
    CU_ASSERT_EQUAL_FATAL(s2_ike_parse_header(&r, &h), S2SVPN_OK);
    CU_ASSERT_EQUAL_FATAL(s2_ike_parse_payloads(&r, h.next_payload, &list), S2SVPN_OK);
    const struct s2_ike_payload *sk = s2_ike_find(&list, S2_IKE_PAYLOAD_SK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sk);
    *first = sk->next;
    return s2_ike_sk_open(c, k, initiator, message, len, sk, inner);
}

static void traced_messages_open(void)
{
    const struct s2_ike_crypto c = {s2svpn_crypto_openssl(), NULL};

    if (c.ops == NULL)
        CU_PASS("built without OpenSSL");
    for (size_t i = 0; c.ops != NULL && i < COUNT(s2_ike_traces); i++) {
        const struct s2_ike_trace *t = &s2_ike_traces[i];
        const struct s2_ike_keys k = keys_of(&c, t);
        struct s2_hex request = s2_hex(t->request), response = s2_hex(t->response);
        s2svpn_span inner = {0};
        uint8_t first = 0;

        CHECK_ROW(t->name, open_message(&c, &k, false, request.bytes, request.len, &first,
                                        &inner) == S2SVPN_OK);
        CHECK_ROW(t->name, first == S2_IKE_PAYLOAD_NONCE);
        CHECK_ROW(t->name,
                  inner.len == strlen(t->inner) / 2 && s2_hex_is(t->inner, inner.p, inner.len));
        /* more padding than needed, and not zeros: any is right */
        CHECK_ROW(t->name, open_message(&c, &k, true, response.bytes, response.len, &first,
                                        &inner) == S2SVPN_OK);
        CHECK_ROW(t->name, first == S2_IKE_PAYLOAD_NONE && inner.len == 0);
    }
}

static s2svpn_status give_iv(void *user, uint8_t *out, size_t len)
{
    const struct s2_hex *iv = user;

    if (iv->len != len)
        return S2SVPN_E_RANDOM;
    memcpy(out, iv->bytes, len);
    return S2SVPN_OK;
}

static void what_we_write_is_the_traced_message(void)
{
    const struct s2_ike_crypto c = {s2svpn_crypto_openssl(), NULL};

    if (c.ops == NULL)
        CU_PASS("built without OpenSSL");
    for (size_t i = 0; c.ops != NULL && i < COUNT(s2_ike_traces); i++) {
        const struct s2_ike_trace *t = &s2_ike_traces[i];
        const struct s2_ike_keys k = keys_of(&c, t);
        const struct s2_hex spi_i = s2_hex(t->spi_i), spi_r = s2_hex(t->spi_r),
                            inner = s2_hex(t->inner);
        struct s2_hex iv = s2_hex(t->iv);
        const struct s2_env env = {
            .memory = s2_memory_default(), .random = give_iv, .random_user = &iv};
        const struct s2_ike_header h = {s2_get_u64(spi_i.bytes),
                                        s2_get_u64(spi_r.bytes),
                                        0,
                                        S2_IKE_VERSION_2,
                                        S2_IKE_AUTH,
                                        S2_IKE_FLAG_INITIATOR,
                                        1,
                                        0};
        struct s2_ike_sk_writer s;
        struct s2_writer w;
        uint8_t out[512];

        s2_writer_init(&w, out, sizeof(out));
        s2_ike_write_header(&w, &h);
        CHECK_ROW(t->name, s2_ike_sk_begin(&s, &w, &env, &k) == S2SVPN_OK);
        s2_ike_payload_begin(&s.chain, S2_IKE_PAYLOAD_NONCE);
        s2_write_bytes(&w, inner.bytes + 4, 16);
        s2_ike_payload_end(&s.chain);
        s2_ike_payload_begin(&s.chain, S2_IKE_PAYLOAD_VENDOR);
        s2_write_bytes(&w, "vendo", 5);
        s2_ike_payload_end(&s.chain);
        CHECK_ROW(t->name, s2_ike_sk_end(&s, &c, &k, true, 7) == S2SVPN_OK);
        CHECK_ROW(t->name, w.len == strlen(t->request) / 2);
        CHECK_ROW(t->name, s2_hex_is(t->request, out, w.len));
    }
}

/* ---- with toy crypto: forms, limits, failures */

static const struct {
    const char *name;
    struct s2_ike_suite suite;
} suites[] = {
    {"CBC", {12, 128, 12, 5, 14, false}},
    {"AEAD", {20, 128, 0, 5, 14, false}},
};

struct setting {
    struct s2_fake_crypto fake;
    struct s2_ike_crypto crypto;
    struct s2_fake_env env;
    struct s2_ike_keys keys;
    uint8_t out[600];
    struct s2_writer w;
};

static void set_up(struct setting *x, const struct s2_ike_suite *suite)
{
    static const uint8_t nonce[16] = {1};
    const s2svpn_span n = s2_span(nonce, sizeof(nonce));

    memset(x, 0, sizeof(*x));
    x->crypto = (struct s2_ike_crypto){s2_fake_crypto_ops(), &x->fake};
    s2_fake_env_init(&x->env, 1);
    CU_ASSERT_EQUAL_FATAL(s2_ike_derive_keys(&x->crypto, suite, n, n, n, 1, 2, NULL, &x->keys),
                          S2SVPN_OK);
    x->fake = (struct s2_fake_crypto){0};
    s2_writer_init(&x->w, x->out, sizeof(x->out));
}

/* A message of ours as initiator, with one Vendor ID of len bytes, or nothing. */
static s2svpn_status write_message(struct setting *x, int len)
{
    const struct s2_ike_header h = {
        1, 2, 0, S2_IKE_VERSION_2, S2_IKE_INFORMATIONAL, S2_IKE_FLAG_INITIATOR, 3, 0};
    struct s2_ike_sk_writer s;

    s2_ike_write_header(&x->w, &h);
    const s2svpn_status rc = s2_ike_sk_begin(&s, &x->w, &x->env.env, &x->keys);
    if (rc != S2SVPN_OK)
        return rc;
    if (len >= 0) {
        s2_ike_payload_begin(&s.chain, S2_IKE_PAYLOAD_VENDOR);
        for (int i = 0; i < len; i++)
            s2_write_u8(&x->w, 0xbb);
        s2_ike_payload_end(&s.chain);
    }
    return s2_ike_sk_end(&s, &x->crypto, &x->keys, true, 1);
}

static void messages_of_every_length_go_around(void)
{
    for (size_t i = 0; i < COUNT(suites); i++) {
        for (int len = -1; len < 70; len++) {
            struct setting x;
            s2svpn_span inner = {0};
            uint8_t first = 77;

            set_up(&x, &suites[i].suite);
            CHECK_ROW(suites[i].name, write_message(&x, len) == S2SVPN_OK);
            CHECK_ROW(suites[i].name, open_message(&x.crypto, &x.keys, false, x.out, x.w.len,
                                                   &first, &inner) == S2SVPN_OK);
            CHECK_ROW(suites[i].name,
                      first == (len < 0 ? S2_IKE_PAYLOAD_NONE : S2_IKE_PAYLOAD_VENDOR));
            CHECK_ROW(suites[i].name, inner.len == (len < 0 ? 0 : 4 + (size_t)len));
            CHECK_ROW(suites[i].name, len <= 0 || inner.p[inner.len - 1] == 0xbb);
        }
    }
}

/* Every bit of the message is covered: header, generic header, IV, text, ICV. */
static void any_changed_bit_is_refused(void)
{
    for (size_t i = 0; i < COUNT(suites); i++) {
        struct setting x;

        set_up(&x, &suites[i].suite);
        CU_ASSERT_EQUAL_FATAL(write_message(&x, 9), S2SVPN_OK);
        const struct s2_ike_payload sk = {S2_IKE_PAYLOAD_SK, S2_IKE_PAYLOAD_VENDOR,
                                          s2_span(x.out + 32, x.w.len - 32)};
        for (size_t bit = 0; bit < 8 * x.w.len; bit++) {
            uint8_t copy[sizeof(x.out)];
            s2svpn_span inner = {0};

            memcpy(copy, x.out, x.w.len);
            copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
            const struct s2_ike_payload changed = {sk.type, sk.next,
                                                   s2_span(copy + 32, sk.body.len)};
            CHECK_ROW(suites[i].name, s2_ike_sk_open(&x.crypto, &x.keys, false, copy, x.w.len,
                                                     &changed, &inner) == S2SVPN_E_AUTHENTICATION);
            CHECK_ROW(suites[i].name, inner.p == NULL);
        }
    }
}

static void our_own_message_is_not_the_peer_s(void)
{
    for (size_t i = 0; i < COUNT(suites); i++) {
        struct setting x;
        s2svpn_span inner;
        uint8_t first;

        set_up(&x, &suites[i].suite);
        CU_ASSERT_EQUAL_FATAL(write_message(&x, 9), S2SVPN_OK);
        CHECK_ROW(suites[i].name, open_message(&x.crypto, &x.keys, true, x.out, x.w.len, &first,
                                               &inner) == S2SVPN_E_AUTHENTICATION);
    }
}

static void a_body_without_room_for_an_icv_is_not_authentic(void)
{
    for (size_t i = 0; i < COUNT(suites); i++) {
        const size_t least = suites[i].suite.integ != 0 ? 16 + 1 + 16 : 8 + 1 + 16;
        struct setting x;

        set_up(&x, &suites[i].suite);
        for (size_t body = 0; body < least; body++) {
            const struct s2_ike_payload sk = {S2_IKE_PAYLOAD_SK, 0, s2_span(x.out + 32, body)};
            s2svpn_span inner;

            CHECK_ROW(suites[i].name, s2_ike_sk_open(&x.crypto, &x.keys, false, x.out, 32 + body,
                                                     &sk, &inner) == S2SVPN_E_AUTHENTICATION);
        }
        CHECK_ROW(suites[i].name, x.fake.calls == 0);
    }
}

static void a_body_that_is_not_the_message_s_end_is_refused(void)
{
    struct setting x;
    s2svpn_span inner;

    set_up(&x, &suites[0].suite);
    CU_ASSERT_EQUAL_FATAL(write_message(&x, 9), S2SVPN_OK);
    const struct s2_ike_payload early = {S2_IKE_PAYLOAD_SK, 0, s2_span(x.out + 31, x.w.len - 32)};
    const struct s2_ike_payload longer = {S2_IKE_PAYLOAD_SK, 0, s2_span(x.out, x.w.len)};
    CU_ASSERT_EQUAL(s2_ike_sk_open(&x.crypto, &x.keys, false, x.out, x.w.len, &early, &inner),
                    S2SVPN_E_AUTHENTICATION);
    CU_ASSERT_EQUAL(s2_ike_sk_open(&x.crypto, &x.keys, false, x.out, x.w.len, &longer, &inner),
                    S2SVPN_E_AUTHENTICATION);
}

/* Authentic, but malformed inside: the plain text and its length are the peer's. */
static s2svpn_status open_plain(struct setting *x, const uint8_t *plain, size_t len)
{
    const uint8_t head[] = {0, 0, 0, 0, 0,  0,    0,  1, 0, 0, 0, 0,
                            0, 0, 0, 2, 46, 0x20, 37, 8, 0, 0, 0, 3};
    const bool aead = x->keys.integ == NULL;
    const size_t iv = aead ? 8 : 16, total = 32 + iv + len + 16;
    uint8_t *message = x->out, *text = message + 32 + iv;
    const struct s2_ike_payload sk = {S2_IKE_PAYLOAD_SK, 0, s2_span(message + 32, total - 32)};
    const s2svpn_span ei = s2_span(x->keys.sk_ei, x->keys.encr->key_len),
                      covered = s2_span(message, total - 16);
    s2svpn_status rc;
    s2svpn_span inner;

    memset(message, 0, total);
    memcpy(message, head, sizeof(head));
    memcpy(text, plain, len);
    if (aead) {
        rc = x->crypto.ops->ike_aead(&x->fake, x->keys.suite.encr, true, ei, message + 32,
                                     s2_span(message, 32), text, len, text + len);
    } else {
        rc =
            x->crypto.ops->ike_cbc(&x->fake, x->keys.suite.encr, true, ei, message + 32, text, len);
        if (rc == S2SVPN_OK)
            rc = x->crypto.ops->integ(&x->fake, x->keys.suite.integ,
                                      s2_span(x->keys.sk_ai, x->keys.integ->key_len), &covered, 1,
                                      text + len);
    }
    CU_ASSERT_EQUAL(rc, S2SVPN_OK);
    return s2_ike_sk_open(&x->crypto, &x->keys, false, message, total, &sk, &inner);
}

static void padding_is_checked_behind_the_icv(void)
{
    static const struct {
        const char *row;
        size_t len;
        uint8_t pad; /* last byte */
        s2svpn_status cbc, aead;
    } rows[] = {
        {"all padding", 16, 15, S2SVPN_OK, S2SVPN_OK},
        {"no padding", 16, 0, S2SVPN_OK, S2SVPN_OK},
        {"more padding than text", 16, 16, S2SVPN_E_MALFORMED, S2SVPN_E_MALFORMED},
        {"much more padding than text", 32, 255, S2SVPN_E_MALFORMED, S2SVPN_E_MALFORMED},
        {"no whole block", 15, 0, S2SVPN_E_MALFORMED, S2SVPN_OK},
        {"one byte", 1, 0, S2SVPN_E_MALFORMED, S2SVPN_OK},
        {"longest padding", 256, 255, S2SVPN_OK, S2SVPN_OK},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t plain[256] = {0};
        struct setting x;

        plain[rows[i].len - 1] = rows[i].pad;
        set_up(&x, &suites[0].suite);
        CHECK_ROW(rows[i].row, open_plain(&x, plain, rows[i].len) == rows[i].cbc);
        set_up(&x, &suites[1].suite);
        CHECK_ROW(rows[i].row, open_plain(&x, plain, rows[i].len) == rows[i].aead);
    }
}

static void an_iv_is_never_the_same_twice(void)
{
    struct setting x, y;

    set_up(&x, &suites[0].suite);
    CU_ASSERT_EQUAL_FATAL(write_message(&x, 9), S2SVPN_OK);
    set_up(&y, &suites[0].suite);
    s2_fake_env_init(&y.env, 2);
    CU_ASSERT_EQUAL_FATAL(write_message(&y, 9), S2SVPN_OK);
    CU_ASSERT_NOT_EQUAL(memcmp(x.out + 32, y.out + 32, 16), 0);
}

static void without_randomness_there_is_no_cbc_message(void)
{
    for (size_t i = 0; i < COUNT(suites); i++) {
        struct setting x;

        set_up(&x, &suites[i].suite);
        x.env.random_fails = true;
        CHECK_ROW(suites[i].name, write_message(&x, 9) == (i == 0 ? S2SVPN_E_RANDOM : S2SVPN_OK));
    }
}

static void without_room_there_is_no_message(void)
{
    for (size_t i = 0; i < COUNT(suites); i++) {
        struct setting x;

        set_up(&x, &suites[i].suite);
        CU_ASSERT_EQUAL_FATAL(write_message(&x, 9), S2SVPN_OK);
        for (size_t size = 0, whole = x.w.len; size < whole; size++) {
            set_up(&x, &suites[i].suite);
            s2_writer_init(&x.w, x.out, size);
            CHECK_ROW(suites[i].name, write_message(&x, 9) == S2SVPN_E_NO_ROOM);
            CHECK_ROW(suites[i].name, x.fake.calls == 0);
        }
    }
}

static void a_message_longer_than_a_datagram_is_none(void)
{
    static uint8_t room[70000];
    struct setting x;

    set_up(&x, &suites[1].suite);
    s2_writer_init(&x.w, room, sizeof(room));
    CU_ASSERT_EQUAL(write_message(&x, 65500), S2SVPN_E_NO_ROOM);
    CU_ASSERT_EQUAL(x.fake.calls, 0);
    s2_writer_init(&x.w, room, sizeof(room));
    CU_ASSERT_EQUAL(write_message(&x, 65400), S2SVPN_OK);
}

/* A backend's row may say anything; it must not lead out of a buffer. */
static void rows_that_do_not_fit_are_refused(void)
{
    const s2svpn_algorithm no_icv = {.type = 1, .iv_len = 8, .block_len = 1};
    const s2svpn_algorithm long_icv = {.type = 1, .iv_len = 8, .block_len = 1, .out_len = 33};
    const s2svpn_algorithm no_block = {.type = 1, .iv_len = 8, .out_len = 16};
    const s2svpn_algorithm long_iv = {.type = 1, .iv_len = 12, .block_len = 1, .out_len = 16};
    const s2svpn_algorithm *const bad[] = {NULL, &no_icv, &long_icv, &no_block, &long_iv};

    for (size_t i = 0; i < COUNT(bad); i++) {
        const struct s2_ike_payload sk = {S2_IKE_PAYLOAD_SK, 0, s2_span(NULL, 0)};
        struct setting x;
        s2svpn_span inner;

        set_up(&x, &suites[1].suite);
        x.keys.encr = bad[i];
        CU_ASSERT_EQUAL(write_message(&x, 9), S2SVPN_E_UNSUPPORTED);
        CU_ASSERT_EQUAL(
            s2_ike_sk_open(&x.crypto, &x.keys, false, x.out, sizeof(x.out), &sk, &inner),
            S2SVPN_E_UNSUPPORTED);
    }
}

static bool around(struct s2_fake_crypto *f, void *arg)
{
    const struct s2_ike_suite *suite = arg;
    const uint8_t zero[sizeof(((struct setting *)0)->out)] = {0};
    struct setting x;
    s2svpn_span inner;
    uint8_t first;

    set_up(&x, suite);
    x.crypto.user = f;
    if (write_message(&x, 9) != S2SVPN_OK) {
        /* nothing plain is left, and nobody can take it for a message */
        CU_ASSERT_EQUAL(memcmp(x.out, zero, sizeof(zero)), 0);
        CU_ASSERT_TRUE(x.w.overflow);
        return false;
    }
    return open_message(&x.crypto, &x.keys, false, x.out, x.w.len, &first, &inner) == S2SVPN_OK;
}

static void every_failure_of_the_backend_is_reported(void)
{
    for (size_t i = 0; i < COUNT(suites); i++) {
        struct s2_ike_suite suite = suites[i].suite;
        s2_fail_every_crypto_call(around, &suite);
    }
}

const CU_TestInfo s2_test_sk[] = {
    {"traced messages open", traced_messages_open},
    {"what we write is the traced message", what_we_write_is_the_traced_message},
    {"messages of every length go around", messages_of_every_length_go_around},
    {"any changed bit is refused", any_changed_bit_is_refused},
    {"our own message is not the peer's", our_own_message_is_not_the_peer_s},
    {"a body without room for an icv is not authentic",
     a_body_without_room_for_an_icv_is_not_authentic},
    {"a body that is not the message's end is refused",
     a_body_that_is_not_the_message_s_end_is_refused},
    {"padding is checked behind the icv", padding_is_checked_behind_the_icv},
    {"an iv is never the same twice", an_iv_is_never_the_same_twice},
    {"without randomness there is no cbc message", without_randomness_there_is_no_cbc_message},
    {"without room there is no message", without_room_there_is_no_message},
    {"a message longer than a datagram is none", a_message_longer_than_a_datagram_is_none},
    {"rows that do not fit are refused", rows_that_do_not_fit_are_refused},
    {"every failure of the backend is reported", every_failure_of_the_backend_is_reported},
    CU_TEST_INFO_NULL,
};
