/* SPDX-License-Identifier: Apache-2.0 */
/* Two engines with real certificates from end to end: every kind of key, both generations of
 * methods, and those who must not get in. Which paths are good in all detail is the crypto
 * room's tests' business. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "ike/pair.h"
#include "ike/sa.h"
#include "ike/v2/v2.h"
#include "tests/unit/crypto/pki.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define EXCHANGE_AT 18 /* in an IKE header */

static s2svpn_span text_span(const char *text)
{
    return s2_span(text, text != NULL ? strlen(text) : 0);
}

/* ---- credentials */

struct real {
    struct s2_ike_credentials credentials;
    void *identity, *trust;
};

static void real_make(struct real *r, const struct s2_pki_holder *h, const char *authorities,
                      const char *crls)
{
    const s2svpn_crypto_ops *ops = s2svpn_crypto_openssl();
    struct s2_ike_credentials *c = &r->credentials;
    const s2svpn_span subject = s2_pki_subject(h);
    s2svpn_error why;

    memset(r, 0, sizeof(*r));
    CU_ASSERT_EQUAL_FATAL(ops->identity_new(NULL, text_span(s2_pki_chain_pem(h)),
                                            text_span(s2_pki_key_pem(h)), &r->identity, &why),
                          S2SVPN_OK);
    CU_ASSERT_EQUAL_FATAL(
        ops->trust_new(NULL, text_span(authorities), text_span(crls), &r->trust, &why), S2SVPN_OK);
    c->identity = r->identity;
    c->trust = r->trust;
    c->chain_count = ops->identity_chain(NULL, r->identity, c->chain);
    c->authorities = ops->trust_hashes(NULL, r->trust);
    c->id.type = S2_IKE_ID_DER_ASN1_DN;
    c->id.len = (uint16_t)subject.len;
    memcpy(c->id.data, subject.p, subject.len);
}

static void real_clear(struct real *r)
{
    CU_ASSERT_EQUAL(r->credentials.users, 0);
    s2svpn_crypto_openssl()->identity_free(NULL, r->identity);
    s2svpn_crypto_openssl()->trust_free(NULL, r->trust);
}

/* End 0 is the device, end 1 the gateway. */
static void prepare(struct s2_pair *p, uint64_t seed, struct real mine[2])
{
    s2_pair_init(p, seed);
    for (size_t e = 0; e < 2; e++) {
        struct s2_ike_config *c = &p->end[e].config;

        p->end[e].options.crypto = s2svpn_crypto_openssl();
        p->end[e].options.crypto_user = NULL;
        p->end[e].unix_s = S2_PKI_NOW;
        c->auth_by = S2_IKE_BY_CERTIFICATE;
        c->credentials = &mine[e].credentials;
        c->psk.len = 0;
        c->ike.ke[0] = S2SVPN_KE_ECP_256;
        c->ike.ke_count = 1;
    }
}

static void attempt(struct s2_pair *p)
{
    CU_ASSERT_TRUE_FATAL(s2_pair_open(p));
    CU_ASSERT_TRUE(s2_pair_initiate(p, 0));
    s2_pair_run_for(p, 3 * S2_SECOND);
}

static void finish(struct s2_pair *p, struct real mine[2])
{
    s2_pair_close(p);
    CU_ASSERT_EQUAL(p->end[0].fake.live + p->end[1].fake.live, 0);
    real_clear(&mine[0]);
    real_clear(&mine[1]);
}

/* ---- who gets in */

/* An old peer: it says nothing of hashes, RFC 7427; its own copy goes with the datagram. */
static void hide_hashes(uint8_t *p, size_t len)
{
    for (size_t i = S2_IKE_HEADER_LEN; i + 4 < len; i++) {
        if (p[i] == 0 && p[i + 1] == 0 && p[i + 2] == 0x40 && p[i + 3] == 0x2f)
            p[i + 2] = 0x9f;
    }
}

static bool make_old(struct s2_pair *p, struct s2_pair_datagram *d)
{
    struct s2_pair_end *from = &p->end[1 - d->to];

    if (d->p[EXCHANGE_AT] != S2_IKE_SA_INIT)
        return true;
    struct s2_ike_sa *sa = s2_ike_find_spi(from->ike, s2_get_u64(d->p + (d->to == 0 ? 8 : 0)));
    CU_ASSERT_PTR_NOT_NULL_FATAL(sa);
    struct s2_ike_bytes *own = d->to == 1 ? &sa->request.bytes : &sa->handshake->message_r;
    hide_hashes(d->p, d->len);
    hide_hashes(own->p, own->len);
    return true;
}

static const struct {
    const char *row;
    enum s2_pki_key key;
    uint8_t old_method;
} keys[] = {
    {"P-256", S2_PKI_P256, S2SVPN_AUTH_ECDSA_256},  {"P-384", S2_PKI_P384, S2SVPN_AUTH_ECDSA_384},
    {"P-521", S2_PKI_P521, S2SVPN_AUTH_ECDSA_521},  {"RSA 2048", S2_PKI_RSA_2048, S2SVPN_AUTH_RSA},
    {"RSA 3072", S2_PKI_RSA_3072, S2SVPN_AUTH_RSA},
};

/* Below an intermediate authority, which each side shows with its own certificate. */
static void live(size_t i, bool old)
{
    const char *row = keys[i].row;
    struct real mine[2];
    struct s2_pair p;
    struct s2_pki pki;

    s2_pki_make(&pki, keys[i].key);
    real_make(&mine[0], pki.device, s2_pki_pem(pki.root), pki.crls);
    real_make(&mine[1], pki.gateway, s2_pki_pem(pki.root), pki.crls);
    prepare(&p, i, mine);
    p.filter = old ? make_old : NULL;
    p.end[1].config.remote_subject = s2_pki_subject(pki.device);
    CHECK_ROW(row, s2_pair_connect(&p));
    CHECK_ROW(row, mine[0].credentials.chain_count == 2);
    CHECK_ROW(row, p.end[1].shown_len == s2_pki_der(pki.device).len);
    for (size_t e = 0; e < 2; e++)
        CHECK_ROW(row, p.end[e].method == (old ? keys[i].old_method : S2SVPN_AUTH_SIGNATURE));
    CHECK_ROW(row, s2_ike_rekey_sa(p.end[1].ike, &p.end[1], p.now_ns) == S2SVPN_OK);
    s2_pair_run_for(&p, 3 * S2_SECOND);
    CHECK_ROW(row, s2_pair_is_settled(&p) && p.end[0].sa_ups == 2);
    finish(&p, mine);
    s2_pki_clear(&pki);
}

static void every_kind_of_key_gets_in(void)
{
    for (size_t i = 0; i < COUNT(keys); i++)
        live(i, false);
}

static void old_peers_get_in_by_the_old_methods(void)
{
    for (size_t i = 0; i < COUNT(keys); i++)
        live(i, true);
}

static void a_name_of_the_certificate_is_an_identity_too(void)
{
    struct real mine[2];
    struct s2_pair p;
    struct s2_pki pki;

    s2_pki_make(&pki, S2_PKI_P256);
    real_make(&mine[0], pki.device, s2_pki_pem(pki.root), NULL);
    real_make(&mine[1], pki.gateway, s2_pki_pem(pki.root), NULL);
    prepare(&p, 20, mine);
    p.end[0].config.local_id = (struct s2_ike_id){S2_IKE_ID_FQDN, 14, "device.example"};
    p.end[1].config.local_id = (struct s2_ike_id){S2_IKE_ID_FQDN, 15, "gateway.example"};
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    finish(&p, mine);
    s2_pki_clear(&pki);
}

/* ---- who doesn't */

enum flaw { WRONG_CA, EXPIRED, EARLY, REVOKED, WRONG_ID, WRONG_SUBJECT, NO_INTERMEDIATE, FLAWS };

static const char *const words[FLAWS] = {
    [WRONG_CA] = "no authority",
    [EXPIRED] = "expired",
    [EARLY] = "isn't valid yet",
    [REVOKED] = "revoked",
    [WRONG_ID] = "identity",
    [WRONG_SUBJECT] = "somebody else's",
    [NO_INTERMEDIATE] = "no authority",
};

static void spoil(struct s2_pair *p, unsigned e, enum flaw flaw, const struct s2_pki *pki,
                  struct real mine[2])
{
    if (flaw == EXPIRED)
        p->end[1 - e].unix_s = (uint64_t)(S2_PKI_NOW + 400 * S2_PKI_DAY);
    if (flaw == EARLY)
        p->end[1 - e].unix_s = (uint64_t)(S2_PKI_NOW - 2 * S2_PKI_DAY);
    if (flaw == WRONG_ID)
        p->end[e].config.local_id = (struct s2_ike_id){S2_IKE_ID_FQDN, 13, "other.example"};
    if (flaw == WRONG_SUBJECT)
        p->end[1 - e].config.remote_subject = s2_pki_subject(pki->root);
    if (flaw == NO_INTERMEDIATE)
        mine[e].credentials.chain_count = 1;
}

/* End 0, the device, and then end 1, the gateway, isn't what it should be. */
static void attempt_with(unsigned e, enum flaw flaw)
{
    const char *row = words[flaw];
    struct real mine[2];
    struct s2_pair p;
    struct s2_pki pki;

    s2_pki_make(&pki, S2_PKI_P256);
    const char *crls = flaw == REVOKED ? pki.crls_device_revoked : NULL;
    struct s2_pki_holder *holder[2] = {pki.device, pki.gateway};
    if (flaw == WRONG_CA)
        holder[e] = pki.impostor;
    else if (flaw == REVOKED)
        holder[e] = pki.device;
    real_make(&mine[0], holder[0], s2_pki_pem(pki.root), crls);
    real_make(&mine[1], holder[1], s2_pki_pem(pki.root), crls);
    if (flaw == REVOKED) { /* the other one's own judge doesn't look */
        real_clear(&mine[e]);
        real_make(&mine[e], holder[e], s2_pki_pem(pki.root), NULL);
    }
    prepare(&p, 30 + flaw, mine);
    spoil(&p, e, flaw, &pki, mine);
    attempt(&p);
    CHECK_ROW(row, p.end[0].sa_ups == 0 && s2_pair_sas(&p.end[0]) == 0);
    if (e == 0) {
        CHECK_ROW(row, p.end[0].reason == S2_IKE_REASON_PEER_AUTHENTICATION);
        CHECK_ROW(row, strstr(p.end[1].note, row) != NULL);
        CHECK_ROW(row, p.end[1].sa_ups == 0 && p.end[1].signs == 0);
    } else {
        CHECK_ROW(row, p.end[0].reason == S2_IKE_REASON_CERTIFICATE);
        CHECK_ROW(row, strstr(p.end[0].detail, row) != NULL);
    }
    finish(&p, mine);
    s2_pki_clear(&pki);
}

static void who_isnt_what_it_should_be_stays_out(void)
{
    for (unsigned e = 0; e < 2; e++) {
        for (unsigned flaw = 0; flaw < FLAWS; flaw++)
            attempt_with(e, (enum flaw)flaw);
    }
}

/* It shows the device's certificate, and hasn't the device's key. */
static void a_stolen_certificate_is_no_proof(void)
{
    struct real mine[2], other;
    struct s2_pair p;
    struct s2_pki pki;

    s2_pki_make(&pki, S2_PKI_P256);
    real_make(&mine[0], pki.device, s2_pki_pem(pki.root), NULL);
    real_make(&mine[1], pki.gateway, s2_pki_pem(pki.root), NULL);
    real_make(&other, pki.impostor, s2_pki_pem(pki.root), NULL);
    prepare(&p, 50, mine);
    mine[0].credentials.identity = other.identity; /* signs with its own */
    attempt(&p);
    CU_ASSERT_EQUAL(p.end[0].sa_ups + p.end[1].sa_ups, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(p.end[1].note, "its signature is wrong"));
    finish(&p, mine);
    real_clear(&other);
    s2_pki_clear(&pki);
}

const CU_TestInfo s2_test_certificate_openssl[] = {
    {"every kind of key gets in", every_kind_of_key_gets_in},
    {"old peers get in by the old methods", old_peers_get_in_by_the_old_methods},
    {"a name of the certificate is an identity too", a_name_of_the_certificate_is_an_identity_too},
    {"who isn't what it should be stays out", who_isnt_what_it_should_be_stays_out},
    {"a stolen certificate is no proof", a_stolen_certificate_is_no_proof},
    CU_TEST_INFO_NULL,
};
