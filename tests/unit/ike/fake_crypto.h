/* SPDX-License-Identifier: Apache-2.0 */
/* A crypto table for tests: toy functions of the right shape and sizes, of which
 * any call can be made to fail. It keeps no secret. */
#ifndef S2_TESTS_IKE_FAKE_CRYPTO_H
#define S2_TESTS_IKE_FAKE_CRYPTO_H

#include "s2svpn/crypto.h"

/* The user pointer of the table's functions. */
struct s2_fake_crypto {
    size_t calls;   /* made so far, failed ones included */
    size_t fail_at; /* this call (from 1) fails; 0: none */
    bool failed;    /* fail_at was reached */
};

const s2svpn_crypto_ops *s2_fake_crypto_ops(void);

/* Toy certificates: issuer, subject and a letter for what is wrong with it ('-': nothing;
 * 'E': expired, 'R': revoked), then anything. A peer's ID, and the subject that is asked
 * for, must end with the certificate's subject. Whoever knows a subject can sign as it. */
#define S2_FAKE_CERTIFICATE_LEN 3
struct s2_fake_identity { /* what s2svpn_sign's identity points to */
    char subject;
    uint8_t old_method;   /* towards peers that don't know RFC 7427 */
    size_t signature_len; /* at least 8 */
};
struct s2_fake_trust { /* what s2svpn_verify's trust points to */
    const char *issuers;
};

/* Run step once for every crypto call that it makes, each time with that one
 * failing, until it runs through. Checks with CUnit that step reports each. */
void s2_fail_every_crypto_call(bool (*step)(struct s2_fake_crypto *f, void *arg), void *arg);

#endif
