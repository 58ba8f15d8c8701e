/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IKEv2's wire forms, RFC 7296 section 3: bytes to plain structs with borrowed
 * spans, and back. Parsing checks form only; meaning is the exchange's business.
 *
 *   s2_ike_parse_header ─> s2_ike_parse_payloads ─> list of (type, body)
 *                                     │ body
 *   s2_ike_parse_sa, _ke, _nonce, _id, _cert, _certreq, _auth, _notify, _delete, _ts
 *
 * Each parser has a writer, and a test takes every pair around. Payload types
 * and notifies are list macros: one row a number.
 */
#ifndef S2_IKE_MESSAGE_H
#define S2_IKE_MESSAGE_H

#include "base/reader.h"
#include "base/writer.h"
#include "ike/ike.h"

#define S2_IKE_HEADER_LEN 28
#define S2_IKE_VERSION_2 0x20
#define S2_IKE_MESSAGE_MAX 65535
#define S2_IKE_PAYLOADS_MAX 32 /* in one message, unknown ones included */
#define S2_IKE_NONCE_MIN 16
#define S2_IKE_NONCE_MAX 256

enum s2_ike_exchange {
    S2_IKE_SA_INIT = 34,
    S2_IKE_AUTH = 35,
    S2_IKE_CREATE_CHILD_SA = 36,
    S2_IKE_INFORMATIONAL = 37,
};
enum s2_ike_flag {
    S2_IKE_FLAG_INITIATOR = 0x08,
    S2_IKE_FLAG_VERSION = 0x10,
    S2_IKE_FLAG_RESPONSE = 0x20
};

/* X(NAME, number, "RFC's short name") */
#define S2_IKE_PAYLOAD_LIST(X)                                                                     \
    X(NONE, 0, "none")                                                                             \
    X(SA, 33, "SA")                                                                                \
    X(KE, 34, "KE")                                                                                \
    X(IDI, 35, "IDi")                                                                              \
    X(IDR, 36, "IDr")                                                                              \
    X(CERT, 37, "CERT")                                                                            \
    X(CERTREQ, 38, "CERTREQ")                                                                      \
    X(AUTH, 39, "AUTH")                                                                            \
    X(NONCE, 40, "Nonce")                                                                          \
    X(NOTIFY, 41, "N")                                                                             \
    X(DELETE, 42, "D")                                                                             \
    X(VENDOR, 43, "V")                                                                             \
    X(TSI, 44, "TSi")                                                                              \
    X(TSR, 45, "TSr")                                                                              \
    X(SK, 46, "SK")                                                                                \
    X(CP, 47, "CP")                                                                                \
    X(EAP, 48, "EAP")                                                                              \
    X(SKF, 53, "SKF")
enum s2_ike_payload_type {
#define S2_IKE_PAYLOAD_ENUM(name, number, words) S2_IKE_PAYLOAD_##name = (number),
    S2_IKE_PAYLOAD_LIST(S2_IKE_PAYLOAD_ENUM)
#undef S2_IKE_PAYLOAD_ENUM
};
const char *s2_ike_payload_name(uint8_t type); /* "?" if unknown */

/* X(NAME, number): below 16384 errors, above status, RFC 7296 section 3.10.1 */
#define S2_IKE_NOTIFY_LIST(X)                                                                      \
    X(UNSUPPORTED_CRITICAL_PAYLOAD, 1)                                                             \
    X(INVALID_IKE_SPI, 4)                                                                          \
    X(INVALID_MAJOR_VERSION, 5)                                                                    \
    X(INVALID_SYNTAX, 7)                                                                           \
    X(INVALID_MESSAGE_ID, 9)                                                                       \
    X(INVALID_SPI, 11)                                                                             \
    X(NO_PROPOSAL_CHOSEN, 14)                                                                      \
    X(INVALID_KE_PAYLOAD, 17)                                                                      \
    X(AUTHENTICATION_FAILED, 24)                                                                   \
    X(SINGLE_PAIR_REQUIRED, 34)                                                                    \
    X(NO_ADDITIONAL_SAS, 35)                                                                       \
    X(INTERNAL_ADDRESS_FAILURE, 36)                                                                \
    X(FAILED_CP_REQUIRED, 37)                                                                      \
    X(TS_UNACCEPTABLE, 38)                                                                         \
    X(INVALID_SELECTORS, 39)                                                                       \
    X(TEMPORARY_FAILURE, 43)                                                                       \
    X(CHILD_SA_NOT_FOUND, 44)                                                                      \
    X(INITIAL_CONTACT, 16384)                                                                      \
    X(SET_WINDOW_SIZE, 16385)                                                                      \
    X(ADDITIONAL_TS_POSSIBLE, 16386)                                                               \
    X(IPCOMP_SUPPORTED, 16387)                                                                     \
    X(NAT_DETECTION_SOURCE_IP, 16388)                                                              \
    X(NAT_DETECTION_DESTINATION_IP, 16389)                                                         \
    X(COOKIE, 16390)                                                                               \
    X(USE_TRANSPORT_MODE, 16391)                                                                   \
    X(HTTP_CERT_LOOKUP_SUPPORTED, 16392)                                                           \
    X(REKEY_SA, 16393)                                                                             \
    X(ESP_TFC_PADDING_NOT_SUPPORTED, 16394)                                                        \
    X(NON_FIRST_FRAGMENTS_ALSO, 16395)                                                             \
    X(IKEV2_FRAGMENTATION_SUPPORTED, 16430)                                                        \
    X(SIGNATURE_HASH_ALGORITHMS, 16431)
enum s2_ike_notify {
#define S2_IKE_NOTIFY_ENUM(name, number) S2_IKE_N_##name = (number),
    S2_IKE_NOTIFY_LIST(S2_IKE_NOTIFY_ENUM)
#undef S2_IKE_NOTIFY_ENUM
};
const char *s2_ike_notify_name(uint16_t type); /* "?" if unknown */

/* The header, section 3.1. Its length must be what the reader holds: a datagram is
 * one message. The version is not looked at. */
struct s2_ike_header {
    uint64_t spi_i, spi_r;
    uint8_t next_payload, version, exchange, flags;
    uint32_t message_id, length;
};
S2SVPN_NODISCARD s2svpn_status s2_ike_parse_header(struct s2_reader *r, struct s2_ike_header *h);
/* length is patched by s2_ike_write_end. */
void s2_ike_write_header(struct s2_writer *w, const struct s2_ike_header *h);

/* The chain of payloads, section 3.2. An unknown payload without the critical bit
 * is left out; with it the parse fails with E_UNSUPPORTED, field "critical", and
 * unsupported says its type. A failed parse leaves no payloads. SK and SKF end a
 * chain; their body goes to keys.h. */
struct s2_ike_payload {
    uint8_t type;
    uint8_t next;     /* of SK, SKF: type of the first inner payload */
    s2svpn_span body; /* borrowed from the message */
};
struct s2_ike_payloads {
    struct s2_ike_payload item[S2_IKE_PAYLOADS_MAX];
    uint8_t count;
    uint8_t unsupported;
};
S2SVPN_NODISCARD s2svpn_status s2_ike_parse_payloads(struct s2_reader *r, uint8_t first,
                                                     struct s2_ike_payloads *out);
/* The only payload of that type; NULL if there is none or more than one. */
const struct s2_ike_payload *s2_ike_find(const struct s2_ike_payloads *list, uint8_t type);
size_t s2_ike_count(const struct s2_ike_payloads *list, uint8_t type);

/* Writing a chain: every begin names the type; links "next payload" backwards. */
struct s2_ike_chain {
    struct s2_writer *w;
    size_t next_at;   /* where the previous "next payload" byte stands */
    size_t length_at; /* of the open payload */
};
void s2_ike_chain_begin(struct s2_ike_chain *c, struct s2_writer *w, size_t next_at);
void s2_ike_payload_begin(struct s2_ike_chain *c, uint8_t type);
void s2_ike_payload_end(struct s2_ike_chain *c);

/* SA payload, section 3.3. */
enum s2_ike_protocol {
    S2_IKE_PROTO_NONE = 0,
    S2_IKE_PROTO_IKE = 1,
    S2_IKE_PROTO_AH = 2,
    S2_IKE_PROTO_ESP = 3
};
#define S2_IKE_PROPOSALS_MAX 16
#define S2_IKE_TRANSFORMS_MAX 64 /* in one proposal */
struct s2_ike_transform {
    uint8_t type;          /* enum s2svpn_transform_type */
    uint16_t id, key_bits; /* key_bits 0: no Key Length attribute */
};
struct s2_ike_proposal {
    uint8_t number, protocol, spi_len;
    uint8_t spi[8];
    uint8_t count;
    struct s2_ike_transform transform[S2_IKE_TRANSFORMS_MAX];
};
struct s2_ike_sa_payload {
    uint8_t count;
    struct s2_ike_proposal proposal[S2_IKE_PROPOSALS_MAX];
};
/* What section 3.3.6 makes unacceptable is left out: a transform with an attribute
 * that we don't know, a proposal that lost all transforms of a type by that, one of
 * an unknown protocol. count may so be 0. Numbers rise, so each is there once; SPIs
 * have their protocol's length (IKE 0 or 8, AH and ESP 4). Proposals behind the last
 * that fits aren't looked at; more transforms than fit fail with E_LIMIT. A failed parse
 * leaves no proposals. */
S2SVPN_NODISCARD s2svpn_status s2_ike_parse_sa(struct s2_reader *r, struct s2_ike_sa_payload *out);
void s2_ike_write_sa(struct s2_writer *w, const struct s2_ike_sa_payload *sa);

/* ---- proposals and choice (proposal.c) */
struct s2_ike_suite { /* what was agreed */
    uint16_t encr, key_bits, integ, prf, ke;
    bool esn;
};
/* What we would agree to. */
struct s2_ike_terms {
    const s2svpn_crypto_ops *crypto; /* choices that it lacks are left out */
    const struct s2_ike_choices *choices;
    uint8_t protocol;
    bool with_ke; /* false: ESP in IKE_AUTH, which has no groups */
    uint8_t esn;  /* struct s2_ike_config's; of ESP alone */
};
/* Our offer: one proposal of AEADs, one of the others. spi.len 0, 4 or 8. The order is
 * the choices', also between the two proposals; extended sequence numbers go before
 * plain ones. E_UNSUPPORTED, and no proposals, if nothing is left. */
S2SVPN_NODISCARD s2svpn_status s2_ike_offer(const struct s2_ike_terms *terms, s2svpn_span spi,
                                            struct s2_ike_sa_payload *out);
/* The responder's choice: by our order of each transform type; answer holds the one
 * chosen proposal with its number and still the peer's SPI, to be read and then
 * replaced by ours. E_NOT_FOUND: none; suite and answer are untouched.
 * with_ke false: KE is left out of account (IKE_AUTH), suite->ke is 0. */
S2SVPN_NODISCARD s2svpn_status s2_ike_choose(const struct s2_ike_terms *terms,
                                             const struct s2_ike_sa_payload *offer,
                                             struct s2_ike_suite *suite,
                                             struct s2_ike_proposal *answer);
/* The initiator's check: the answer is one proposal that we made, one transform of
 * each type. E_NOT_FOUND if it isn't; suite is untouched. The peer's SPI stands in
 * answer->proposal[0]. */
S2SVPN_NODISCARD s2svpn_status s2_ike_check_answer(const struct s2_ike_sa_payload *offer,
                                                   const struct s2_ike_sa_payload *answer,
                                                   bool with_ke, struct s2_ike_suite *suite);

/* KE, section 3.4. A value is not empty; whether it has the length of its group
 * (the row's out_len) is checked by the exchange. */
struct s2_ike_ke_payload {
    uint16_t group;
    s2svpn_span value;
};
S2SVPN_NODISCARD s2svpn_status s2_ike_parse_ke(struct s2_reader *r, struct s2_ike_ke_payload *out);
void s2_ike_write_ke(struct s2_writer *w, uint16_t group, s2svpn_span value);

/* Nonce, section 3.9: the whole body; its length is checked. */
S2SVPN_NODISCARD s2svpn_status s2_ike_parse_nonce(struct s2_reader *r, s2svpn_span *out);

/* IDi, IDr, section 3.5. Addresses have their length; longer than S2_IKE_ID_MAX is
 * E_LIMIT; out is untouched on failure. Names are compared without case. */
S2SVPN_NODISCARD s2svpn_status s2_ike_parse_id(struct s2_reader *r, struct s2_ike_id *out);
void s2_ike_write_id(struct s2_writer *w, const struct s2_ike_id *id);
/* Text for logs: "192.0.2.1", "vpn.example", "CN=vpn, O=Example"; hexadecimal for the
 * rest, and for what would do something in a log. size at least 80. */
char *s2_ike_id_print(const struct s2_ike_id *id, char *out, size_t size);
/* A distinguished name in DER; false, and out any text, if it can't be printed. */
bool s2_ike_dn_print(s2svpn_span dn, char *out, size_t size);
bool s2_ike_id_equal(const struct s2_ike_id *a, const struct s2_ike_id *b);
struct s2_ike_id s2_ike_id_of(const s2svpn_address *a);

/* CERT, section 3.6: not empty. Other encodings are read too; what to do with them is the
 * reader's business. */
#define S2_IKE_CERT_X509 4 /* X.509 certificate, signature */
struct s2_ike_cert_payload {
    uint8_t encoding;
    s2svpn_span data;
};
S2SVPN_NODISCARD s2svpn_status s2_ike_parse_cert(struct s2_reader *r,
                                                 struct s2_ike_cert_payload *out);
void s2_ike_write_cert(struct s2_writer *w, s2svpn_span x509);
/* The X.509 certificates of a message in their order, borrowed from it; those of other
 * encodings are left out, so count may be 0. E_MALFORMED; E_LIMIT if there are more
 * CERT payloads than S2SVPN_CHAIN_MAX, of whatever encoding; count is 0 then. */
S2SVPN_NODISCARD s2svpn_status s2_ike_read_certificates(const struct s2_ike_payloads *list,
                                                        s2svpn_span chain[S2SVPN_CHAIN_MAX],
                                                        size_t *count);

/* CERTREQ, section 3.7: of encoding X509 whole SHA-1 hashes, maybe none. */
#define S2_IKE_KEY_HASH_LEN 20
struct s2_ike_certreq_payload {
    uint8_t encoding;
    s2svpn_span authorities;
};
S2SVPN_NODISCARD s2svpn_status s2_ike_parse_certreq(struct s2_reader *r,
                                                    struct s2_ike_certreq_payload *out);
void s2_ike_write_certreq(struct s2_writer *w, s2svpn_span authorities);

/* AUTH, section 3.8; its methods are enum s2svpn_auth_method. */
#define S2_IKE_AUTH_PSK S2SVPN_AUTH_SHARED_KEY
struct s2_ike_auth_payload {
    uint8_t method;
    s2svpn_span data;
};
S2SVPN_NODISCARD s2svpn_status s2_ike_parse_auth(struct s2_reader *r,
                                                 struct s2_ike_auth_payload *out);
void s2_ike_write_auth(struct s2_writer *w, uint8_t method, s2svpn_span data);

/* N, section 3.10. An SPI has at most 8 bytes. */
struct s2_ike_notify_payload {
    uint8_t protocol; /* any number: echoed nowhere */
    uint16_t type;
    s2svpn_span spi, data;
};
S2SVPN_NODISCARD s2svpn_status s2_ike_parse_notify(struct s2_reader *r,
                                                   struct s2_ike_notify_payload *out);
void s2_ike_write_notify(struct s2_writer *w, const struct s2_ike_notify_payload *n);
/* What SIGNATURE_HASH_ALGORITHMS says, RFC 7427 section 4: bits as in s2svpn_sign, of
 * hashes below 32; 0 if it makes no sense. */
uint32_t s2_ike_read_hashes(s2svpn_span data);

/* D, section 3.11. Count and bytes must agree; E_LIMIT above S2_IKE_DELETE_MAX. */
#define S2_IKE_DELETE_MAX 32
struct s2_ike_delete_payload {
    uint8_t protocol;
    uint16_t count;
    uint32_t spi[S2_IKE_DELETE_MAX]; /* ESP; IKE has none */
};
S2SVPN_NODISCARD s2svpn_status s2_ike_parse_delete(struct s2_reader *r,
                                                   struct s2_ike_delete_payload *out);
void s2_ike_write_delete(struct s2_writer *w, const struct s2_ike_delete_payload *d);

/* TSi, TSr, section 3.13. Selectors of unknown types are left out, so count may be 0;
 * so are those behind the first S2_IKE_TS_MAX: narrowing never picks them. */
struct s2_ike_ts_list {
    uint8_t count;
    struct s2_ike_ts item[S2_IKE_TS_MAX];
};
S2SVPN_NODISCARD s2svpn_status s2_ike_parse_ts(struct s2_reader *r, struct s2_ike_ts_list *out);
void s2_ike_write_ts(struct s2_writer *w, const struct s2_ike_ts_list *list);
/* All protocols and ports of a network. */
struct s2_ike_ts s2_ike_ts_of(const s2svpn_prefix *net);
/* Section 2.9: what both allow, without those that another covers; false, and out
 * untouched, if nothing. out may be theirs. */
bool s2_ike_ts_narrow(const struct s2_ike_ts_list *theirs, const struct s2_ike_ts *ours,
                      struct s2_ike_ts_list *out);
bool s2_ike_ts_inside(const struct s2_ike_ts *outer, const struct s2_ike_ts *inner);

/* End a message: patches the header's length. */
S2SVPN_NODISCARD s2svpn_status s2_ike_write_end(struct s2_writer *w);

#endif
