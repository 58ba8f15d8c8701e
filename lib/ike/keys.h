/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and what is done with them: RFC 7296 sections 2.13 (prf+), 2.14 (SKEYSEED
 * and the SK_ keys), 2.15 (AUTH with a shared key), 2.17 (KEYMAT of a child), 2.18
 * (rekeyed IKE SA), 2.23 (NAT detection hashes), 3.14 with RFC 5282 (the SK payload),
 * RFC 7383 section 2.5 (the SKF payload). */
#ifndef S2_IKE_KEYS_H
#define S2_IKE_KEYS_H

#include "ike/message.h"

/* Sized by the suite's rows; wiped by clear. */
struct s2_ike_keys {
    struct s2_ike_suite suite;
    const s2svpn_algorithm *encr, *integ, *prf; /* integ NULL with an AEAD */
    uint8_t sk_d[S2SVPN_PRF_MAX], sk_ai[S2SVPN_KEY_MAX], sk_ar[S2SVPN_KEY_MAX],
        sk_ei[S2SVPN_KEY_MAX], sk_er[S2SVPN_KEY_MAX], sk_pi[S2SVPN_PRF_MAX], sk_pr[S2SVPN_PRF_MAX];
};
void s2_ike_keys_clear(struct s2_ike_keys *k);

struct s2_ike_crypto { /* the seam, as this room passes it around */
    const s2svpn_crypto_ops *ops;
    void *user;
};
const s2svpn_algorithm *s2_ike_algorithm(const struct s2_ike_crypto *c, uint8_t type, uint16_t id,
                                         uint16_t key_bits);

/* prf+(key, seed): any length up to 255 outputs, of up to 6 pieces. A failure wipes
 * out. */
S2SVPN_NODISCARD s2svpn_status s2_ike_prf_plus(const struct s2_ike_crypto *c, uint16_t prf,
                                               s2svpn_span key, const s2svpn_span *seed, size_t n,
                                               uint8_t *out, size_t len);
/* Section 2.14; with old not NULL section 2.18: SKEYSEED = prf(old SK_d, g^ir | Ni | Nr)
 * with the old SA's PRF. E_UNSUPPORTED if the backend lacks a row. */
S2SVPN_NODISCARD s2svpn_status s2_ike_derive_keys(const struct s2_ike_crypto *c,
                                                  const struct s2_ike_suite *suite,
                                                  s2svpn_span shared, s2svpn_span ni,
                                                  s2svpn_span nr, uint64_t spi_i, uint64_t spi_r,
                                                  const struct s2_ike_keys *old,
                                                  struct s2_ike_keys *out);
/* Section 2.17. shared is empty without PFS. Fills keymat in the RFC's order:
 * encr i->r, integ i->r, encr r->i, integ r->i; offsets by the suite's rows. */
struct s2_ike_child_keys {
    uint8_t bytes[4 * S2SVPN_KEY_MAX];
    s2svpn_span encr_i, integ_i, encr_r, integ_r; /* into bytes */
};
S2SVPN_NODISCARD s2svpn_status s2_ike_derive_child(const struct s2_ike_crypto *c,
                                                   const struct s2_ike_keys *sa,
                                                   const struct s2_ike_suite *child,
                                                   s2svpn_span shared, s2svpn_span ni,
                                                   s2svpn_span nr, struct s2_ike_child_keys *out);

/* Section 2.15: prf(prf(psk, "Key Pad for IKEv2"), message | nonce | prf(SK_px, id body)).
 * initiator: whose AUTH it is. message: that side's first message; nonce: the other
 * side's. Writes prf.out_len bytes. */
S2SVPN_NODISCARD s2svpn_status s2_ike_auth_psk(const struct s2_ike_crypto *c,
                                               const struct s2_ike_keys *k, bool initiator,
                                               s2svpn_span psk, s2svpn_span message,
                                               s2svpn_span nonce, const struct s2_ike_id *id,
                                               uint8_t *out);

/* The last piece of what AUTH proves, by whichever method: prf(SK_px, id body). */
S2SVPN_NODISCARD s2svpn_status s2_ike_auth_id(const struct s2_ike_crypto *c,
                                              const struct s2_ike_keys *k, bool initiator,
                                              const struct s2_ike_id *id, uint8_t *out);

/* SHA1(SPIs | address | port), 20 bytes. */
S2SVPN_NODISCARD s2svpn_status s2_ike_nat_hash(const struct s2_ike_crypto *c, uint64_t spi_i,
                                               uint64_t spi_r, const s2svpn_endpoint *e,
                                               uint8_t out[20]);

/* The SK payload. Writing: header was written; begin opens SK; the inner payloads
 * go through the chain it gives; end pads, patches the lengths, encrypts, and ends
 * the message (the writer holds this message alone). initiator: we are the IKE SA's
 * original initiator (which keys). After a failed end the writer is wiped and
 * overflown. aead_counter must never come twice with a key. */
struct s2_ike_sk_writer {
    struct s2_writer *w;
    size_t sk_at; /* where the SK payload's generic header stands */
    size_t iv_at;
    struct s2_ike_chain chain; /* of the inner payloads */
};
S2SVPN_NODISCARD s2svpn_status s2_ike_sk_begin(struct s2_ike_sk_writer *s, struct s2_writer *w,
                                               const struct s2_env *env,
                                               const struct s2_ike_keys *k);
S2SVPN_NODISCARD s2svpn_status s2_ike_sk_end(struct s2_ike_sk_writer *s,
                                             const struct s2_ike_crypto *c,
                                             const struct s2_ike_keys *k, bool initiator,
                                             uint64_t aead_counter);
/* The same for one fragment, SKF: what goes through the writer is a piece of the
 * inner payloads. first: type of the first of them, for fragment number 1 alone. */
S2SVPN_NODISCARD s2svpn_status s2_ike_skf_begin(struct s2_ike_sk_writer *s, struct s2_writer *w,
                                                const struct s2_env *env,
                                                const struct s2_ike_keys *k, uint16_t number,
                                                uint16_t total, uint8_t first);
/* What end makes of len plain bytes, IV not counted; and the most plain bytes that
 * fit into so many sealed ones, 0 if none do. Of keys that begin has accepted. */
size_t s2_ike_sk_sealed_len(const struct s2_ike_keys *k, size_t len);
size_t s2_ike_sk_plain_room(const struct s2_ike_keys *k, size_t sealed);
/* Reading, SK or SKF: checks the ICV over the whole message and decrypts in place; *inner are
 * the plain payloads (of SKF: a piece of them), of which the first has type sk->next. E_AUTHENTICATION if the
 * ICV is wrong or there is no room for one, before anything else is looked at;
 * E_MALFORMED, of an authentic message, for blocks or padding. initiator: as above,
 * of us (the peer's keys are used). */
S2SVPN_NODISCARD s2svpn_status s2_ike_sk_open(const struct s2_ike_crypto *c,
                                              const struct s2_ike_keys *k, bool initiator,
                                              uint8_t *message, size_t len,
                                              const struct s2_ike_payload *sk, s2svpn_span *inner);

/* The key log's line in Wireshark's ikev2_decryption_table form is made by vpn from
 * s2_ike_sa_info; nothing here prints keys. */
#endif
