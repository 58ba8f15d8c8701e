/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IKEv1's keys and what is done with them: RFC 2409 section 5 (SKEYID and its children,
 * HASH_I, HASH_R, HASH(1) to (3)), section 5.5 (KEYMAT), 5.7 (informational), appendix B
 * (the encryption key, IVs), RFC 3947 section 3.2 (NAT-D). Authentication is by pre-shared
 * key; the prf is HMAC with the agreed hash; ciphers of phase 1 are CBC.
 *
 * IVs: phase 1 begins with s2_ike1_iv_first, and each encrypted message of it goes on from
 * the last cipher block of the one before, whoever sent it; phase 1's last block also begins
 * every quick mode and informational, with their message id (s2_ike1_iv_message), and each of
 * these goes on in the same way by itself. An IV is a value: what s2_ike1_open gives is kept
 * only if the message proves to be authentic, so that a forged one moves nothing.
 */
#ifndef S2_IKE_V1_KEYS_H
#define S2_IKE_V1_KEYS_H

#include "ike/keys.h"
#include "ike/v1/proposal.h"

#define S2_IKE1_IV_MAX 16

struct s2_ike1_iv {
    uint8_t bytes[S2_IKE1_IV_MAX]; /* the cipher's block_len of them */
};

/* Sized by the suite's rows; wiped by clear. */
struct s2_ike1_keys {
    struct s2_ike1_suite suite;         /* of phase 1 */
    const s2svpn_algorithm *encr, *prf; /* NULL: there are no keys yet */
    uint64_t cookie_i, cookie_r;
    uint8_t skeyid[S2SVPN_PRF_MAX], skeyid_d[S2SVPN_PRF_MAX], skeyid_a[S2SVPN_PRF_MAX],
        skeyid_e[S2SVPN_PRF_MAX];
    uint8_t key[S2SVPN_KEY_MAX]; /* of encr, from skeyid_e */
};
void s2_ike1_keys_clear(struct s2_ike1_keys *k);
static inline size_t s2_ike1_hash_len(const struct s2_ike1_keys *k)
{
    return k->prf->out_len;
}

/* SKEYID = prf(psk, Ni_b | Nr_b), its children, and the encryption key. shared is g^xy.
 * E_UNSUPPORTED if the backend lacks a row, or has one that can't serve here; out is
 * untouched on failure. An empty psk is E_ARGUMENT (CVE-2024-2357's class). */
S2SVPN_NODISCARD s2svpn_status s2_ike1_derive_keys(const struct s2_ike_crypto *c,
                                                   const struct s2_ike1_suite *suite,
                                                   s2svpn_span psk, s2svpn_span shared,
                                                   s2svpn_span ni, s2svpn_span nr,
                                                   uint64_t cookie_i, uint64_t cookie_r,
                                                   struct s2_ike1_keys *out);

/* Appendix B: len bytes of key from SKEYID_e (prf's out_len of them), drawn out if that is
 * shorter. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_encryption_key(const struct s2_ike_crypto *c,
                                                      const s2svpn_algorithm *prf,
                                                      const uint8_t *skeyid_e, uint8_t *out,
                                                      size_t len);

/* ---- hashes. All write s2_ike1_hash_len bytes. */

/* HASH_I (initiator) or HASH_R. sa: body of the initiator's SA payload; id: body of the
 * ID payload of the side whose hash it is. Both as they went over the wire. */
struct s2_ike1_phase1 {
    s2svpn_span gxi, gxr; /* public values */
    s2svpn_span sa, id;
};
S2SVPN_NODISCARD s2svpn_status s2_ike1_hash_phase1(const struct s2_ike_crypto *c,
                                                   const struct s2_ike1_keys *k, bool initiator,
                                                   const struct s2_ike1_phase1 *p, uint8_t *out);
/* HASH(1) = prf(SKEYID_a, M-ID | rest): of quick mode's first message and of every
 * informational. rest is what stands behind the HASH payload, without padding. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_hash_1(const struct s2_ike_crypto *c,
                                              const struct s2_ike1_keys *k, uint32_t message_id,
                                              s2svpn_span rest, uint8_t *out);
/* HASH(2) = prf(SKEYID_a, M-ID | Ni_b | rest), of quick mode's answer. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_hash_2(const struct s2_ike_crypto *c,
                                              const struct s2_ike1_keys *k, uint32_t message_id,
                                              s2svpn_span ni, s2svpn_span rest, uint8_t *out);
/* HASH(3) = prf(SKEYID_a, 0 | M-ID | Ni_b | Nr_b). */
S2SVPN_NODISCARD s2svpn_status s2_ike1_hash_3(const struct s2_ike_crypto *c,
                                              const struct s2_ike1_keys *k, uint32_t message_id,
                                              s2svpn_span ni, s2svpn_span nr, uint8_t *out);
/* Is the received hash this one? In constant time; a wrong length is no. */
bool s2_ike1_hash_equal(const struct s2_ike1_keys *k, const uint8_t *ours, s2svpn_span theirs);

/* NAT-D: HASH(CKY-I | CKY-R | IP | port) with phase 1's hash (suite.hash); it is needed
 * before there are keys. *len bytes of out. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_nat_hash(const struct s2_ike_crypto *c,
                                                const struct s2_ike1_suite *suite,
                                                uint64_t cookie_i, uint64_t cookie_r,
                                                const s2svpn_endpoint *e,
                                                uint8_t out[S2_IKE1_HASH_MAX], size_t *len);

/* ---- a child's keys */

/* KEYMAT of one direction, section 5.5: prf(SKEYID_d, [g(qm)^xy |] protocol | SPI | Ni_b |
 * Nr_b), drawn out. spi: chosen by the side that receives with these keys. shared is empty
 * without PFS. encr holds an AEAD's salt behind the key. */
struct s2_ike1_child_keys {
    uint8_t bytes[2 * S2SVPN_KEY_MAX];
    s2svpn_span encr, integ; /* into bytes */
};
S2SVPN_NODISCARD s2svpn_status s2_ike1_derive_child(const struct s2_ike_crypto *c,
                                                    const struct s2_ike1_keys *k,
                                                    const struct s2_ike1_suite *child, uint32_t spi,
                                                    s2svpn_span shared, s2svpn_span ni,
                                                    s2svpn_span nr, struct s2_ike1_child_keys *out);

/* ---- encryption (crypt.c) */

/* hash(g^xi | g^xr), of phase 1. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_iv_first(const struct s2_ike_crypto *c,
                                                const struct s2_ike1_keys *k, s2svpn_span gxi,
                                                s2svpn_span gxr, struct s2_ike1_iv *out);
/* hash(last block of phase 1 | M-ID), of a quick mode or an informational. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_iv_message(const struct s2_ike_crypto *c,
                                                  const struct s2_ike1_keys *k,
                                                  const struct s2_ike1_iv *last,
                                                  uint32_t message_id, struct s2_ike1_iv *out);

/* Writing: the header was written, the payloads through its chain; this pads with zeros,
 * sets the encryption flag and the length, encrypts, and moves iv to the last cipher block
 * (the writer holds this message alone). After a failure the writer is wiped and
 * overflown, and iv is as it was. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_seal(struct s2_writer *w, const struct s2_ike_crypto *c,
                                            const struct s2_ike1_keys *k, struct s2_ike1_iv *iv);
/* Reading: decrypts what is behind the header in place. *plain is that, padding included,
 * for s2_ike1_parse_payloads(…, header.next_payload, true, …); *next is the IV of the
 * message after it, to be kept once the message has proved authentic. E_MALFORMED, bytes
 * untouched, if it isn't whole blocks, or none. Nothing here tells a wrong key. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_open(const struct s2_ike_crypto *c,
                                            const struct s2_ike1_keys *k,
                                            const struct s2_ike1_iv *iv, uint8_t *message,
                                            size_t len, s2svpn_span *plain,
                                            struct s2_ike1_iv *next);

/* The two steps above with HASH(1) (ni empty) or HASH(2), as all messages but phase 1's
 * and quick mode's third have it. begin opens the chain with a HASH payload; end fills it
 * in and seals. check: the first payload is a HASH, the only one, and right; otherwise
 * E_AUTHENTICATION. */
void s2_ike1_hashed_begin(struct s2_ike1_chain *chain, struct s2_writer *w,
                          const struct s2_ike1_keys *k);
S2SVPN_NODISCARD s2svpn_status s2_ike1_hashed_end(struct s2_writer *w,
                                                  const struct s2_ike_crypto *c,
                                                  const struct s2_ike1_keys *k, uint32_t message_id,
                                                  s2svpn_span ni, struct s2_ike1_iv *iv);
S2SVPN_NODISCARD s2svpn_status s2_ike1_hashed_check(const struct s2_ike_crypto *c,
                                                    const struct s2_ike1_keys *k,
                                                    uint32_t message_id, s2svpn_span ni,
                                                    const struct s2_ike1_payloads *list);

#endif
