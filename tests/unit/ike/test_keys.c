/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/ike/keys.c: published vectors and computed traces with the OpenSSL
 * backend, failures with a fake one. */
#include "ike/keys.h"

#include <string.h>

#include "harness.h"
#include "ike/fake_crypto.h"
#include "ike/hex.h"
#include "vectors/ikev2_kdf.h"
#include "vectors/ikev2_trace.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* False in a build without the backend: then its tests only say so. */
static bool begin(struct s2_ike_crypto *c)
{
    *c = (struct s2_ike_crypto){s2svpn_crypto_openssl(), NULL};
    if (c->ops == NULL)
        CU_PASS("built without OpenSSL");
    return c->ops != NULL;
}

/* The suite whose key material is as long as the vectors' dkm. */
static struct s2_ike_suite suite_of(uint16_t prf)
{
    return prf == S2SVPN_PRF_HMAC_SHA1
               ? (struct s2_ike_suite){S2SVPN_ENCR_AES_CBC,
                                       128,
                                       S2SVPN_INTEG_HMAC_SHA1_96,
                                       prf,
                                       2,
                                       false}
               : (struct s2_ike_suite){
                     S2SVPN_ENCR_AES_CBC, 256, S2SVPN_INTEG_HMAC_SHA2_256_128, prf, 14, false};
}

static void prf_plus_gives_the_published_keys(void)
{
    struct s2_ike_crypto c;

    if (!begin(&c))
        return;
    for (size_t i = 0; i < COUNT(s2_kdf_vectors); i++) {
        const struct s2_kdf_vector *v = &s2_kdf_vectors[i];
        const struct s2_hex ni = s2_hex(s2_kdf_input.ni), nr = s2_hex(s2_kdf_input.nr);
        const struct s2_hex spi_i = s2_hex(s2_kdf_input.spi_i), spi_r = s2_hex(s2_kdf_input.spi_r);
        const struct s2_hex skeyseed = s2_hex(v->skeyseed), dkm = s2_hex(v->dkm);
        const s2svpn_span seed[] = {s2_hex_span(&ni), s2_hex_span(&nr), s2_hex_span(&spi_i),
                                    s2_hex_span(&spi_r)};
        uint8_t out[S2_HEX_MAX];

        CHECK_ROW(v->name, s2_ike_prf_plus(&c, v->prf, s2_hex_span(&skeyseed), seed, 4, out,
                                           dkm.len) == S2SVPN_OK);
        CHECK_ROW(v->name, memcmp(out, dkm.bytes, dkm.len) == 0);
    }
}

static s2svpn_status derive(const struct s2_ike_crypto *c, const struct s2_kdf_vector *v,
                            struct s2_ike_keys *k)
{
    const struct s2_hex ni = s2_hex(s2_kdf_input.ni), nr = s2_hex(s2_kdf_input.nr);
    const struct s2_hex shared = s2_hex(s2_kdf_input.g_ir);
    const struct s2_hex spi_i = s2_hex(s2_kdf_input.spi_i), spi_r = s2_hex(s2_kdf_input.spi_r);
    const struct s2_ike_suite suite = suite_of(v->prf);

    return s2_ike_derive_keys(c, &suite, s2_hex_span(&shared), s2_hex_span(&ni), s2_hex_span(&nr),
                              s2_get_u64(spi_i.bytes), s2_get_u64(spi_r.bytes), NULL, k);
}

static void an_sa_s_keys_are_the_published_ones(void)
{
    struct s2_ike_crypto c;

    if (!begin(&c))
        return;
    for (size_t i = 0; i < COUNT(s2_kdf_vectors); i++) {
        const struct s2_kdf_vector *v = &s2_kdf_vectors[i];
        uint8_t all[3 * S2SVPN_PRF_MAX + 4 * S2SVPN_KEY_MAX];
        struct s2_ike_keys k;
        struct s2_writer w;

        CU_ASSERT_EQUAL_FATAL(derive(&c, v, &k), S2SVPN_OK);
        s2_writer_init(&w, all, sizeof(all));
        s2_write_bytes(&w, k.sk_d, k.prf->key_len);
        s2_write_bytes(&w, k.sk_ai, k.integ->key_len);
        s2_write_bytes(&w, k.sk_ar, k.integ->key_len);
        s2_write_bytes(&w, k.sk_ei, k.encr->key_len);
        s2_write_bytes(&w, k.sk_er, k.encr->key_len);
        s2_write_bytes(&w, k.sk_pi, k.prf->key_len);
        s2_write_bytes(&w, k.sk_pr, k.prf->key_len);
        CHECK_ROW(v->name, w.len == strlen(v->dkm) / 2 && s2_hex_is(v->dkm, all, w.len));
    }
}

static void a_child_s_keys_are_the_published_ones(void)
{
    struct s2_ike_crypto c;
    const struct s2_ike_suite child = {
        S2SVPN_ENCR_AES_CBC, 128, S2SVPN_INTEG_HMAC_SHA1_96, 0, 0, false};

    if (!begin(&c))
        return;
    for (size_t i = 0; i < COUNT(s2_kdf_vectors); i++) {
        const struct s2_kdf_vector *v = &s2_kdf_vectors[i];
        const struct s2_hex ni = s2_hex(s2_kdf_input.ni), nr = s2_hex(s2_kdf_input.nr);
        const struct s2_hex shared = s2_hex(s2_kdf_input.g_ir_new);
        struct s2_ike_child_keys keys;
        struct s2_ike_keys k;

        CU_ASSERT_EQUAL_FATAL(derive(&c, v, &k), S2SVPN_OK);
        CHECK_ROW(v->name, s2_ike_derive_child(&c, &k, &child, s2_span(NULL, 0), s2_hex_span(&ni),
                                               s2_hex_span(&nr), &keys) == S2SVPN_OK);
        CHECK_ROW(v->name, s2_hex_is(v->child, keys.bytes, 2 * (16 + 20)));
        CHECK_ROW(v->name, keys.encr_i.p == keys.bytes && keys.encr_i.len == 16);
        CHECK_ROW(v->name, keys.integ_i.p == keys.bytes + 16 && keys.integ_i.len == 20);
        CHECK_ROW(v->name, keys.encr_r.p == keys.bytes + 36 && keys.encr_r.len == 16);
        CHECK_ROW(v->name, keys.integ_r.p == keys.bytes + 52 && keys.integ_r.len == 20);
        CHECK_ROW(v->name,
                  s2_ike_derive_child(&c, &k, &child, s2_hex_span(&shared), s2_hex_span(&ni),
                                      s2_hex_span(&nr), &keys) == S2SVPN_OK);
        CHECK_ROW(v->name, s2_hex_is(v->child_dh, keys.bytes, 2 * (16 + 20)));
    }
}

static void a_rekeyed_sa_s_keys_follow_from_the_published_seed(void)
{
    struct s2_ike_crypto c;

    if (!begin(&c))
        return;
    for (size_t i = 0; i < COUNT(s2_kdf_vectors); i++) {
        const struct s2_kdf_vector *v = &s2_kdf_vectors[i];
        const struct s2_hex ni = s2_hex(s2_kdf_input.ni), nr = s2_hex(s2_kdf_input.nr);
        const struct s2_hex shared = s2_hex(s2_kdf_input.g_ir_new), skeyseed = s2_hex(v->rekey);
        const struct s2_ike_suite suite = suite_of(v->prf);
        const uint8_t spis[16] = {[7] = 1, [15] = 2};
        const s2svpn_span seed[] = {s2_hex_span(&ni), s2_hex_span(&nr), s2_span(spis, 16)};
        struct s2_ike_keys old, k;
        uint8_t sk_d[S2SVPN_PRF_MAX];

        CU_ASSERT_EQUAL_FATAL(derive(&c, v, &old), S2SVPN_OK);
        CHECK_ROW(v->name, s2_ike_derive_keys(&c, &suite, s2_hex_span(&shared), s2_hex_span(&ni),
                                              s2_hex_span(&nr), 1, 2, &old, &k) == S2SVPN_OK);
        CHECK_ROW(v->name, s2_ike_prf_plus(&c, v->prf, s2_hex_span(&skeyseed), seed, 3, sk_d,
                                           k.prf->key_len) == S2SVPN_OK);
        CHECK_ROW(v->name, memcmp(k.sk_d, sk_d, k.prf->key_len) == 0);
    }
}

/* ---- whole SAs, computed by tests/vectors/ikev2_trace.py */

static struct s2_ike_suite suite_of_trace(const struct s2_ike_trace *t)
{
    return (struct s2_ike_suite){
        .encr = t->encr, .key_bits = t->key_bits, .integ = t->integ, .prf = t->prf};
}

static struct s2_ike_keys keys_of(const struct s2_ike_crypto *c, const struct s2_ike_trace *t)
{
    const struct s2_hex ni = s2_hex(t->ni), nr = s2_hex(t->nr), shared = s2_hex(t->shared);
    const struct s2_hex spi_i = s2_hex(t->spi_i), spi_r = s2_hex(t->spi_r);
    const struct s2_ike_suite suite = suite_of_trace(t);
    struct s2_ike_keys k = {0};

    CHECK_ROW(t->name, s2_ike_derive_keys(c, &suite, s2_hex_span(&shared), s2_hex_span(&ni),
                                          s2_hex_span(&nr), s2_get_u64(spi_i.bytes),
                                          s2_get_u64(spi_r.bytes), NULL, &k) == S2SVPN_OK);
    return k;
}

static void traced_sas_get_their_keys(void)
{
    struct s2_ike_crypto c;

    if (!begin(&c))
        return;
    for (size_t i = 0; i < COUNT(s2_ike_traces); i++) {
        const struct s2_ike_trace *t = &s2_ike_traces[i];
        const struct s2_ike_keys k = keys_of(&c, t);
        const size_t integ = strlen(t->sk_ai) / 2;

        CU_ASSERT_PTR_NOT_NULL_FATAL(k.prf);
        CHECK_ROW(t->name, (k.integ != NULL ? k.integ->key_len : 0) == integ);
        CHECK_ROW(t->name,
                  strlen(t->sk_d) / 2 == k.prf->key_len && strlen(t->sk_ei) / 2 == k.encr->key_len);
        CHECK_ROW(t->name, s2_hex_is(t->sk_d, k.sk_d, k.prf->key_len));
        CHECK_ROW(t->name, s2_hex_is(t->sk_ai, k.sk_ai, integ));
        CHECK_ROW(t->name, s2_hex_is(t->sk_ar, k.sk_ar, integ));
        CHECK_ROW(t->name, s2_hex_is(t->sk_ei, k.sk_ei, k.encr->key_len));
        CHECK_ROW(t->name, s2_hex_is(t->sk_er, k.sk_er, k.encr->key_len));
        CHECK_ROW(t->name, s2_hex_is(t->sk_pi, k.sk_pi, k.prf->key_len));
        CHECK_ROW(t->name, s2_hex_is(t->sk_pr, k.sk_pr, k.prf->key_len));
    }
}

static void traced_sas_rekey_to_another_suite(void)
{
    const struct s2_ike_suite suite = {S2SVPN_ENCR_AES_GCM_16,   128, 0,
                                       S2SVPN_PRF_HMAC_SHA2_256, 0,   false};
    struct s2_ike_crypto c;

    if (!begin(&c))
        return;
    for (size_t i = 0; i < COUNT(s2_ike_traces); i++) {
        const struct s2_ike_trace *t = &s2_ike_traces[i];
        const struct s2_ike_keys old = keys_of(&c, t);
        const struct s2_hex ni = s2_hex(t->new_ni), nr = s2_hex(t->new_nr),
                            shared = s2_hex(t->new_shared);
        const struct s2_hex spi_i = s2_hex(t->new_spi_i), spi_r = s2_hex(t->new_spi_r);
        const struct s2_hex all = s2_hex(t->new_keys);
        struct s2_ike_keys k;

        CHECK_ROW(t->name, s2_ike_derive_keys(&c, &suite, s2_hex_span(&shared), s2_hex_span(&ni),
                                              s2_hex_span(&nr), s2_get_u64(spi_i.bytes),
                                              s2_get_u64(spi_r.bytes), &old, &k) == S2SVPN_OK);
        CHECK_ROW(t->name, k.integ == NULL);
        CHECK_ROW(t->name, memcmp(all.bytes, k.sk_d, 32) == 0);
        CHECK_ROW(t->name, memcmp(all.bytes + 32, k.sk_ei, 20) == 0);
        CHECK_ROW(t->name, memcmp(all.bytes + 52, k.sk_er, 20) == 0);
        CHECK_ROW(t->name, memcmp(all.bytes + 72, k.sk_pi, 32) == 0);
        CHECK_ROW(t->name, memcmp(all.bytes + 104, k.sk_pr, 32) == 0);
    }
}

static void traced_children_get_their_keys(void)
{
    struct s2_ike_crypto c;

    if (!begin(&c))
        return;
    for (size_t i = 0; i < COUNT(s2_ike_traces); i++) {
        const struct s2_ike_trace *t = &s2_ike_traces[i];
        const struct s2_ike_keys k = keys_of(&c, t);
        const struct s2_hex ni = s2_hex(t->ni), nr = s2_hex(t->nr),
                            shared = s2_hex(t->child_shared);
        const struct s2_ike_suite suite = suite_of_trace(t);
        struct s2_ike_child_keys keys;

        CHECK_ROW(t->name, s2_ike_derive_child(&c, &k, &suite, s2_span(NULL, 0), s2_hex_span(&ni),
                                               s2_hex_span(&nr), &keys) == S2SVPN_OK);
        CHECK_ROW(t->name, s2_hex_is(t->child, keys.bytes, strlen(t->child) / 2));
        CHECK_ROW(t->name,
                  keys.encr_i.len + keys.integ_i.len + keys.encr_r.len + keys.integ_r.len ==
                      strlen(t->child) / 2);
        CHECK_ROW(t->name,
                  s2_ike_derive_child(&c, &k, &suite, s2_hex_span(&shared), s2_hex_span(&ni),
                                      s2_hex_span(&nr), &keys) == S2SVPN_OK);
        CHECK_ROW(t->name, s2_hex_is(t->child_pfs, keys.bytes, strlen(t->child_pfs) / 2));
    }
}

static struct s2_ike_id id_of(const char *hex)
{
    const struct s2_hex h = s2_hex(hex);
    struct s2_ike_id id = {0};
    struct s2_reader r;

    s2_reader_init(&r, h.bytes, h.len);
    CU_ASSERT_EQUAL(s2_ike_parse_id(&r, &id), S2SVPN_OK);
    return id;
}

static void traced_peers_authenticate(void)
{
    struct s2_ike_crypto c;

    if (!begin(&c))
        return;
    for (size_t i = 0; i < COUNT(s2_ike_traces); i++) {
        const struct s2_ike_trace *t = &s2_ike_traces[i];
        const struct s2_ike_keys k = keys_of(&c, t);
        const struct s2_ike_id id_i = id_of(t->id_i), id_r = id_of(t->id_r);
        const struct s2_hex ni = s2_hex(t->ni), nr = s2_hex(t->nr), psk = s2_hex(t->psk);
        const struct s2_hex message_i = s2_hex(t->message_i), message_r = s2_hex(t->message_r);
        uint8_t auth[S2SVPN_PRF_MAX];

        CHECK_ROW(t->name, s2_ike_auth_psk(&c, &k, true, s2_hex_span(&psk), s2_hex_span(&message_i),
                                           s2_hex_span(&nr), &id_i, auth) == S2SVPN_OK);
        CHECK_ROW(t->name, s2_hex_is(t->auth_i, auth, k.prf->out_len));
        CHECK_ROW(t->name,
                  s2_ike_auth_psk(&c, &k, false, s2_hex_span(&psk), s2_hex_span(&message_r),
                                  s2_hex_span(&ni), &id_r, auth) == S2SVPN_OK);
        CHECK_ROW(t->name, s2_hex_is(t->auth_r, auth, k.prf->out_len));
        CHECK_ROW(t->name, !s2_hex_is(t->auth_i, auth, k.prf->out_len));
    }
}

static void nat_hashes_cover_spis_address_and_port(void)
{
    struct s2_ike_crypto c;
    const struct s2_ike_trace *t = &s2_ike_traces[0];
    const struct s2_hex spi_i = s2_hex(t->spi_i), spi_r = s2_hex(t->spi_r);
    s2svpn_endpoint v4 = {.port = 500}, v6 = {.port = 4500, .role = S2SVPN_ROLE_NATT};
    uint8_t hash[20];

    if (!begin(&c))
        return;
    CU_ASSERT_TRUE_FATAL(s2svpn_address_read("192.0.2.1", &v4.address));
    CU_ASSERT_TRUE_FATAL(s2svpn_address_read("2001:db8::1", &v6.address));
    CU_ASSERT_EQUAL(
        s2_ike_nat_hash(&c, s2_get_u64(spi_i.bytes), s2_get_u64(spi_r.bytes), &v4, hash),
        S2SVPN_OK);
    CU_ASSERT_TRUE(s2_hex_is(t->nat4, hash, 20));
    CU_ASSERT_EQUAL(
        s2_ike_nat_hash(&c, s2_get_u64(spi_i.bytes), s2_get_u64(spi_r.bytes), &v6, hash),
        S2SVPN_OK);
    CU_ASSERT_TRUE(s2_hex_is(t->nat6, hash, 20));
}

/* ---- limits and failures */

static const uint8_t nonce[S2_IKE_NONCE_MAX + 1] = {1, 2, 3};

static void prf_plus_ends_after_255_outputs(void)
{
    struct s2_fake_crypto f = {0};
    const struct s2_ike_crypto c = {s2_fake_crypto_ops(), &f};
    const s2svpn_span seed[7] = {s2_span(nonce, 16)};
    uint8_t out[255 * 20 + 1];

    CU_ASSERT_EQUAL(
        s2_ike_prf_plus(&c, S2SVPN_PRF_HMAC_SHA1, s2_span("k", 1), seed, 1, out, 255 * 20),
        S2SVPN_OK);
    CU_ASSERT_EQUAL(f.calls, 255);
    CU_ASSERT_EQUAL(
        s2_ike_prf_plus(&c, S2SVPN_PRF_HMAC_SHA1, s2_span("k", 1), seed, 1, out, 255 * 20 + 1),
        S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(s2_ike_prf_plus(&c, S2SVPN_PRF_HMAC_SHA1, s2_span("k", 1), seed, 7, out, 20),
                    S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(s2_ike_prf_plus(&c, 99, s2_span("k", 1), seed, 1, out, 20),
                    S2SVPN_E_UNSUPPORTED);
}

/* CVE-2018-10811: an algorithm that is not there is a failure, not a crash. */
static void what_the_backend_lacks_gives_no_keys(void)
{
    static const struct {
        const char *row;
        struct s2_ike_suite suite;
        s2svpn_status rc;
    } rows[] = {
        {"all there", {12, 128, 12, 5, 14, false}, S2SVPN_OK},
        {"AEAD", {20, 128, 0, 5, 14, false}, S2SVPN_OK},
        {"no such cipher", {12, 192, 12, 5, 14, false}, S2SVPN_E_UNSUPPORTED},
        {"no such prf", {12, 128, 12, 99, 14, false}, S2SVPN_E_UNSUPPORTED},
        {"no such integ", {12, 128, 13, 5, 14, false}, S2SVPN_E_UNSUPPORTED},
        {"no integ at all", {12, 128, 0, 5, 14, false}, S2SVPN_E_UNSUPPORTED},
        {"AEAD with integ", {20, 128, 12, 5, 14, false}, S2SVPN_E_ARGUMENT},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct s2_fake_crypto f = {0};
        const struct s2_ike_crypto c = {s2_fake_crypto_ops(), &f};
        struct s2_ike_keys k = {.suite.encr = 77};

        CHECK_ROW(rows[i].row,
                  s2_ike_derive_keys(&c, &rows[i].suite, s2_span("s", 1), s2_span(nonce, 16),
                                     s2_span(nonce, 16), 1, 2, NULL, &k) == rows[i].rc);
        CHECK_ROW(rows[i].row, (k.suite.encr == 77) == (rows[i].rc != S2SVPN_OK));
    }
}

static void a_child_that_the_backend_lacks_gets_no_keys(void)
{
    const struct s2_ike_suite suite = {12, 128, 12, 5, 14, false}, child = {28, 0, 0, 0, 0, false};
    struct s2_fake_crypto f = {0};
    const struct s2_ike_crypto c = {s2_fake_crypto_ops(), &f};
    const s2svpn_span n = s2_span(nonce, 16);
    struct s2_ike_child_keys keys;
    struct s2_ike_keys k;

    CU_ASSERT_EQUAL_FATAL(s2_ike_derive_keys(&c, &suite, n, n, n, 1, 2, NULL, &k), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_ike_derive_child(&c, &k, &child, n, n, n, &keys), S2SVPN_E_UNSUPPORTED);
}

static void nonces_that_do_not_fit_give_no_keys(void)
{
    static const size_t bad[][2] = {{0, 16}, {16, 0}, {257, 16}, {16, 257}};
    const struct s2_ike_suite suite = {12, 128, 12, 5, 14, false};
    struct s2_fake_crypto f = {0};
    const struct s2_ike_crypto c = {s2_fake_crypto_ops(), &f};
    struct s2_ike_keys k;

    for (size_t i = 0; i < COUNT(bad); i++)
        CU_ASSERT_EQUAL(s2_ike_derive_keys(&c, &suite, s2_span("s", 1), s2_span(nonce, bad[i][0]),
                                           s2_span(nonce, bad[i][1]), 1, 2, NULL, &k),
                        S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(s2_ike_derive_keys(&c, &suite, s2_span("s", 1), s2_span(nonce, 256),
                                       s2_span(nonce, 256), 1, 2, NULL, &k),
                    S2SVPN_OK);
    CU_ASSERT_EQUAL(f.calls, 1 + 6); /* SKEYSEED, 192 bytes of prf+ */
}

static bool all_derivations(struct s2_fake_crypto *f, void *arg)
{
    const struct s2_ike_suite suite = {12, 128, 12, 5, 14, false};
    const struct s2_ike_crypto c = {s2_fake_crypto_ops(), f};
    const s2svpn_span n = s2_span(nonce, 16);
    const s2svpn_endpoint e = {.address = {.family = S2SVPN_FAMILY_IPV4}, .port = 500};
    const struct s2_ike_id id = {.type = S2_IKE_ID_KEY_ID, .len = 3};
    struct s2_ike_child_keys child;
    struct s2_ike_keys k, rekeyed;
    uint8_t out[S2SVPN_PRF_MAX];

    (void)arg;
    return s2_ike_derive_keys(&c, &suite, n, n, n, 1, 2, NULL, &k) == S2SVPN_OK &&
           s2_ike_derive_keys(&c, &suite, n, n, n, 1, 2, &k, &rekeyed) == S2SVPN_OK &&
           s2_ike_derive_child(&c, &k, &suite, n, n, n, &child) == S2SVPN_OK &&
           s2_ike_auth_psk(&c, &k, true, n, n, n, &id, out) == S2SVPN_OK &&
           s2_ike_nat_hash(&c, 1, 2, &e, out) == S2SVPN_OK;
}

static void every_failure_of_the_backend_is_reported(void)
{
    s2_fail_every_crypto_call(all_derivations, NULL);
}

static void a_failed_prf_plus_leaves_no_key_behind(void)
{
    struct s2_fake_crypto f = {.fail_at = 2};
    const struct s2_ike_crypto c = {s2_fake_crypto_ops(), &f};
    const s2svpn_span seed = s2_span(nonce, 16);
    const uint8_t zero[64] = {0};
    uint8_t out[64];

    memset(out, 0xa5, sizeof(out));
    CU_ASSERT_EQUAL(
        s2_ike_prf_plus(&c, S2SVPN_PRF_HMAC_SHA2_256, s2_span("k", 1), &seed, 1, out, 64),
        S2SVPN_E_CRYPTO);
    CU_ASSERT_EQUAL(memcmp(out, zero, 64), 0);
}

static void cleared_keys_are_all_zero(void)
{
    struct s2_ike_keys k, zero;

    memset(&k, 0xa5, sizeof(k));
    memset(&zero, 0, sizeof(zero));
    s2_ike_keys_clear(&k);
    CU_ASSERT_EQUAL(memcmp(&k, &zero, sizeof(k)), 0);
}

const CU_TestInfo s2_test_keys[] = {
    {"prf+ gives the published keys", prf_plus_gives_the_published_keys},
    {"an sa's keys are the published ones", an_sa_s_keys_are_the_published_ones},
    {"a child's keys are the published ones", a_child_s_keys_are_the_published_ones},
    {"a rekeyed sa's keys follow from the published seed",
     a_rekeyed_sa_s_keys_follow_from_the_published_seed},
    {"traced sas get their keys", traced_sas_get_their_keys},
    {"traced sas rekey to another suite", traced_sas_rekey_to_another_suite},
    {"traced children get their keys", traced_children_get_their_keys},
    {"traced peers authenticate", traced_peers_authenticate},
    {"nat hashes cover spis, address and port", nat_hashes_cover_spis_address_and_port},
    {"prf+ ends after 255 outputs", prf_plus_ends_after_255_outputs},
    {"what the backend lacks gives no keys", what_the_backend_lacks_gives_no_keys},
    {"a child that the backend lacks gets no keys", a_child_that_the_backend_lacks_gets_no_keys},
    {"nonces that do not fit give no keys", nonces_that_do_not_fit_give_no_keys},
    {"every failure of the backend is reported", every_failure_of_the_backend_is_reported},
    {"a failed prf+ leaves no key behind", a_failed_prf_plus_leaves_no_key_behind},
    {"cleared keys are all zero", cleared_keys_are_all_zero},
    CU_TEST_INFO_NULL,
};
