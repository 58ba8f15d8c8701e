/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates in the OpenSSL backend: what its five files share.
 *
 *     openssl_certificate.c  PEM and DER to certificates, kinds of keys, describing
 *     openssl_identity.c     our chain and key, the job SIGN
 *     openssl_signature.c    authentication methods: the AUTH data made and checked
 *     openssl_trust.c        authorities and revocation lists
 *     openssl_verify.c       the job VERIFY: path, use, identity, then the signature
 *
 * Identity and trust are made once and not changed, so jobs may share them. A peer's
 * certificates live from the beginning of a job to its end.
 *
 * Bounds on what a stranger can ask for: S2SVPN_CHAIN_MAX certificates of
 * S2_OPENSSL_CERTIFICATE_MAX bytes, a path that is no longer than that, and behind it one
 * signature by a key of at most S2_OPENSSL_RSA_MAX bits. Nothing is fetched from anywhere.
 */
#ifndef S2_CRYPTO_OPENSSL_CERTIFICATE_H
#define S2_CRYPTO_OPENSSL_CERTIFICATE_H

#include <openssl/x509.h>

#include "crypto/openssl.h"

#define S2_OPENSSL_CERTIFICATE_MAX 16384
#define S2_OPENSSL_RSA_MIN 2048
#define S2_OPENSSL_RSA_MAX 8192
#define S2_OPENSSL_AUTHORITIES_MAX 256
#define S2_OPENSSL_CRLS_MAX 256
#define S2_OPENSSL_SUBJECT_MAX sizeof(((s2svpn_certificate_info *)0)->subject_der)

/* Keys that sign AUTH payloads. */
enum s2_openssl_key {
    S2_OPENSSL_KEY_OTHER, /* of a kind that no method here knows, or RSA above the limit */
    S2_OPENSSL_KEY_WEAK,
    S2_OPENSSL_KEY_RSA,
    S2_OPENSSL_KEY_P256,
    S2_OPENSSL_KEY_P384,
    S2_OPENSSL_KEY_P521,
    S2_OPENSSL_KEYS
};

struct s2_openssl_identity {
    EVP_PKEY *key;
    enum s2_openssl_key kind;
    uint8_t *der; /* the whole chain, one behind the other */
    s2svpn_span chain[S2SVPN_CHAIN_MAX];
    size_t count;
};

struct s2_openssl_trust {
    X509_STORE *store;
    uint8_t *hashes;
    size_t hashes_len;
    bool crls; /* each certificate of a path needs a list */
};

/* Sets *why, if it isn't NULL, and returns code. */
s2svpn_status s2_openssl_fail(s2svpn_error *why, s2svpn_status code, const char *field,
                              const char *message);
/* What a failure of OpenSSL's means, by its error queue: E_MEMORY, or otherwise. */
s2svpn_status s2_openssl_failure(s2svpn_status otherwise);

enum s2_openssl_key s2_openssl_key_kind(const EVP_PKEY *key);
/* The key of an authority: it signs certificates only, so more kinds will do. */
bool s2_openssl_key_strong(const EVP_PKEY *key);

/* One certificate in DER that fills the span; NULL if it is malformed or there is no
 * memory. Free with X509_free. */
X509 *s2_openssl_read_der(s2svpn_span der);
/* All certificates of a PEM text, other blocks passed over; at least one and at most max.
 * Free with sk_X509_pop_free(…, X509_free). */
s2svpn_status s2_openssl_read_pem(s2svpn_span text, size_t max, STACK_OF(X509) * *out);
/* A PEM block may ask for a password: there is none, and nobody is asked. */
int s2_openssl_no_password(char *out, int room, int writing, void *user);
s2svpn_status s2_openssl_certificate_read(void *user, s2svpn_span certificate,
                                          s2svpn_certificate_info *out);

s2svpn_status s2_openssl_identity_new(void *user, s2svpn_span chain, s2svpn_span key,
                                      void **identity, s2svpn_error *why);
void s2_openssl_identity_free(void *user, void *identity);
size_t s2_openssl_identity_chain(void *user, const void *identity,
                                 s2svpn_span chain[S2SVPN_CHAIN_MAX]);

/* The AUTH payload's data for a key and what its peer knows: at most *len bytes, then *len
 * and *method say what was made. */
s2svpn_status s2_openssl_signature_make(EVP_PKEY *key, enum s2_openssl_key kind,
                                        uint32_t peer_hashes, const s2svpn_span *in, size_t n,
                                        uint8_t *out, size_t *len, uint8_t *method);
/* OK, or E_AUTHENTICATION with *why. */
s2svpn_status s2_openssl_signature_check(EVP_PKEY *key, uint8_t method, s2svpn_span auth,
                                         const s2svpn_span *in, size_t n, uint8_t *why);

s2svpn_status s2_openssl_trust_new(void *user, s2svpn_span authorities, s2svpn_span crls,
                                   void **trust, s2svpn_error *why);
void s2_openssl_trust_free(void *user, void *trust);
s2svpn_span s2_openssl_trust_hashes(void *user, const void *trust);

#endif
