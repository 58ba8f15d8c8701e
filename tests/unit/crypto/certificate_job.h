/* SPDX-License-Identifier: Apache-2.0 */
/* The jobs SIGN and VERIFY as calls, and a scene for each kind of key. */
#ifndef S2_TESTS_CRYPTO_CERTIFICATE_JOB_H
#define S2_TESTS_CRYPTO_CERTIFICATE_JOB_H

#include "harness.h"
#include "pki.h"
#include "support.h"

#define ALL_HASHES                                                                                 \
    (1u << S2SVPN_HASH_SHA2_256 | 1u << S2SVPN_HASH_SHA2_384 | 1u << S2SVPN_HASH_SHA2_512)

enum id_type { ID_IPV4 = 1, ID_FQDN = 2, ID_RFC822 = 3, ID_IPV6 = 5, ID_DN = 9, ID_KEY_ID = 11 };

/* Made once, given back by nobody. */
const struct s2_pki *scene(enum s2_pki_key key);

s2svpn_span text_span(const char *text);
void *new_identity(const struct s2_pki_holder *h);
void *new_trust(const char *authorities, const char *crls);
void free_identity(void *identity);
void free_trust(void *trust);

/* What both sides sign, in three pieces. */
extern const s2svpn_span signed_text[3];

struct auth {
    uint8_t bytes[S2SVPN_AUTH_MAX], method;
    size_t len;
};
s2svpn_status sign_with(const void *identity, uint32_t peer_hashes, struct auth *out);

/* One attempt to be let in; chain ends before the first NULL. */
struct attempt {
    const void *trust;
    uint64_t unix_s;
    const struct s2_pki_holder *chain[S2SVPN_CHAIN_MAX];
    uint8_t id_type;
    s2svpn_span id, subject;
    const struct auth *auth;
};
s2svpn_status verify_attempt(const struct attempt *a, uint8_t *why);
/* The same for certificates as bytes. */
s2svpn_status verify_bytes(const struct attempt *a, const s2svpn_span *chain, size_t count,
                           uint8_t *why);

#endif
