/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates for tests, made at run time with OpenSSL: authorities, what they issue, and
 * their revocation lists. For the rooms that see certificates as bytes; nothing of
 * OpenSSL's is in this header. A failure ends the program: a test without its certificates
 * has nothing to say.
 */
#ifndef S2_TESTS_CRYPTO_PKI_H
#define S2_TESTS_CRYPTO_PKI_H

#include "s2svpn/types.h"

#define S2_PKI_NOW INT64_C(1800000000) /* seconds since 1970: when the tests take place */
#define S2_PKI_DAY INT64_C(86400)

enum s2_pki_key {
    S2_PKI_P256,
    S2_PKI_P384,
    S2_PKI_P521,
    S2_PKI_RSA_2048,
    S2_PKI_RSA_3072,
    S2_PKI_RSA_1024,
    S2_PKI_P224,
    S2_PKI_ED25519,
    S2_PKI_KEYS
};

/* One who has a certificate, and its key. */
struct s2_pki_holder;

struct s2_pki_spec {
    const char *subject; /* "CN=vpn.example/O=Example": "/" between attributes */
    enum s2_pki_key key;
    bool authority;        /* may issue certificates and revocation lists */
    int path_length;       /* of an authority: one more than pathLenConstraint; 0: none */
    const char *names;     /* subjectAltName: "DNS:vpn.example,IP:192.0.2.1"; NULL: none */
    const char *key_usage; /* "keyAgreement"; NULL: none, of an authority keyCertSign, cRLSign */
    const char *purposes;  /* extendedKeyUsage: "codeSigning"; NULL: none */
    const char *hash;      /* of the signature; NULL: SHA2-256 */
    int64_t from_s, to_s;  /* 0: a day before S2_PKI_NOW; a year behind it */
};

/* Issued by issuer; NULL: by itself. The issuer must outlive it. */
struct s2_pki_holder *s2_pki_new(const struct s2_pki_spec *spec,
                                 const struct s2_pki_holder *issuer);
void s2_pki_free(struct s2_pki_holder *h); /* NULL allowed */

/* All of these are borrowed until the holder is freed. */
s2svpn_span s2_pki_der(const struct s2_pki_holder *h);
s2svpn_span s2_pki_subject(const struct s2_pki_holder *h); /* the Name in DER */
const char *s2_pki_pem(const struct s2_pki_holder *h);
const char *s2_pki_key_pem(const struct s2_pki_holder *h);
/* Its certificate and those above it, without the one that issued itself. */
const char *s2_pki_chain_pem(const struct s2_pki_holder *h);

/* The issuer's revocation list in PEM, valid from and to (0: as a certificate's), with at
 * most one certificate on it; NULL: none. Free with free(). */
char *s2_pki_crl(const struct s2_pki_holder *issuer, const struct s2_pki_holder *revoked,
                 int64_t from_s, int64_t to_s);
/* Two PEM texts one behind the other. Free with free(). */
char *s2_pki_join(const char *a, const char *b);

/* The usual scene: an authority below a root, one that nobody trusts, and two ends with
 * the subjects "CN=gateway.example/O=Example" and "CN=device.example/O=Example", both with
 * their CN as DNS name and 192.0.2.1 or 192.0.2.2 as address. */
struct s2_pki {
    struct s2_pki_holder *root, *authority, *stranger;
    struct s2_pki_holder *gateway, *device;
    struct s2_pki_holder *impostor; /* the device's names, by the stranger */
    char *crls;                     /* of root and authority; nobody is on them */
    char *crls_device_revoked;
};
void s2_pki_make(struct s2_pki *pki, enum s2_pki_key key);
void s2_pki_clear(struct s2_pki *pki);

#endif
