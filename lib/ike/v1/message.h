/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IKEv1's wire forms, RFC 2408 section 3 with RFC 2407 and 2409's numbers: bytes to
 * plain structs with borrowed spans, and back. Parsing checks form only; meaning is the
 * exchange's business. It shares the cursors of base with IKEv2, and no number.
 *
 *   s2_ike1_parse_header ─> s2_ike1_parse_payloads ─> list of (type, body)
 *                                      │ body
 *   s2_ike1_parse_sa, _ke, _nonce, _hash, _id, _notify, _delete, _nat_oa, _fragment
 *
 * Each parser has a writer, and a test takes every pair around. Bodies that go into
 * hashes (SAi_b, IDii_b: RFC 2409 section 5) are the payload list's, as received.
 */
#ifndef S2_IKE_V1_MESSAGE_H
#define S2_IKE_V1_MESSAGE_H

#include "base/reader.h"
#include "base/writer.h"
#include "ike/ike.h"

#define S2_IKE1_HEADER_LEN 28
#define S2_IKE1_VERSION 0x10 /* 1.0 */
#define S2_IKE1_MESSAGE_MAX 65535
#define S2_IKE1_PAYLOADS_MAX 32 /* in one message, unknown ones included */
#define S2_IKE1_COOKIES_LEN 16
#define S2_IKE1_HASH_MAX S2SVPN_PRF_MAX
#define S2_IKE1_NONCE_MIN 8 /* RFC 2409 section 5 */
#define S2_IKE1_NONCE_MAX 256
#define S2_IKE1_SPI_MAX 16
#define S2_IKE1_DOI_IPSEC 1

enum s2_ike1_exchange {
    S2_IKE1_BASE = 1,
    S2_IKE1_MAIN = 2, /* "identity protection" */
    S2_IKE1_AUTH_ONLY = 3,
    S2_IKE1_AGGRESSIVE = 4,
    S2_IKE1_INFORMATIONAL = 5,
    S2_IKE1_TRANSACTION = 6, /* mode config */
    S2_IKE1_QUICK = 32,
    S2_IKE1_NEW_GROUP = 33,
};
enum s2_ike1_flag {
    S2_IKE1_FLAG_ENCRYPTED = 0x01,
    S2_IKE1_FLAG_COMMIT = 0x02,
    S2_IKE1_FLAG_AUTHENTICATED_ONLY = 0x04,
};

/* X(NAME, number, "RFC's short name"); NAT_D and NAT_OA: RFC 3947, and with _DRAFT what
 * its drafts up to 03 used. 130 and above are nobody's by right. */
#define S2_IKE1_PAYLOAD_LIST(X)                                                                    \
    X(NONE, 0, "none")                                                                             \
    X(SA, 1, "SA")                                                                                 \
    X(KE, 4, "KE")                                                                                 \
    X(ID, 5, "ID")                                                                                 \
    X(CERT, 6, "CERT")                                                                             \
    X(CERTREQ, 7, "CR")                                                                            \
    X(HASH, 8, "HASH")                                                                             \
    X(SIGNATURE, 9, "SIG")                                                                         \
    X(NONCE, 10, "NONCE")                                                                          \
    X(NOTIFY, 11, "N")                                                                             \
    X(DELETE, 12, "D")                                                                             \
    X(VENDOR, 13, "VID")                                                                           \
    X(ATTRIBUTES, 14, "ATTR")                                                                      \
    X(NAT_D, 20, "NAT-D")                                                                          \
    X(NAT_OA, 21, "NAT-OA")                                                                        \
    X(NAT_D_DRAFT, 130, "NAT-D (draft)")                                                           \
    X(NAT_OA_DRAFT, 131, "NAT-OA (draft)")                                                         \
    X(FRAGMENT, 132, "FRAG")
enum s2_ike1_payload_type {
#define S2_IKE1_PAYLOAD_ENUM(name, number, words) S2_IKE1_PAYLOAD_##name = (number),
    S2_IKE1_PAYLOAD_LIST(S2_IKE1_PAYLOAD_ENUM)
#undef S2_IKE1_PAYLOAD_ENUM
};
const char *s2_ike1_payload_name(uint8_t type); /* "?" if unknown */

/* X(NAME, number): below 16384 errors, RFC 2408 section 3.14.1; above status, RFC 2407
 * section 4.6.3, and DPD's, RFC 3706 section 5.3 */
#define S2_IKE1_NOTIFY_LIST(X)                                                                     \
    X(INVALID_PAYLOAD_TYPE, 1)                                                                     \
    X(DOI_NOT_SUPPORTED, 2)                                                                        \
    X(SITUATION_NOT_SUPPORTED, 3)                                                                  \
    X(INVALID_COOKIE, 4)                                                                           \
    X(INVALID_MAJOR_VERSION, 5)                                                                    \
    X(INVALID_MINOR_VERSION, 6)                                                                    \
    X(INVALID_EXCHANGE_TYPE, 7)                                                                    \
    X(INVALID_FLAGS, 8)                                                                            \
    X(INVALID_MESSAGE_ID, 9)                                                                       \
    X(INVALID_PROTOCOL_ID, 10)                                                                     \
    X(INVALID_SPI, 11)                                                                             \
    X(INVALID_TRANSFORM_ID, 12)                                                                    \
    X(ATTRIBUTES_NOT_SUPPORTED, 13)                                                                \
    X(NO_PROPOSAL_CHOSEN, 14)                                                                      \
    X(BAD_PROPOSAL_SYNTAX, 15)                                                                     \
    X(PAYLOAD_MALFORMED, 16)                                                                       \
    X(INVALID_KEY_INFORMATION, 17)                                                                 \
    X(INVALID_ID_INFORMATION, 18)                                                                  \
    X(INVALID_CERT_ENCODING, 19)                                                                   \
    X(INVALID_CERTIFICATE, 20)                                                                     \
    X(CERT_TYPE_UNSUPPORTED, 21)                                                                   \
    X(INVALID_CERT_AUTHORITY, 22)                                                                  \
    X(INVALID_HASH_INFORMATION, 23)                                                                \
    X(AUTHENTICATION_FAILED, 24)                                                                   \
    X(INVALID_SIGNATURE, 25)                                                                       \
    X(ADDRESS_NOTIFICATION, 26)                                                                    \
    X(NOTIFY_SA_LIFETIME, 27)                                                                      \
    X(CERTIFICATE_UNAVAILABLE, 28)                                                                 \
    X(UNSUPPORTED_EXCHANGE_TYPE, 29)                                                               \
    X(UNEQUAL_PAYLOAD_LENGTHS, 30)                                                                 \
    X(CONNECTED, 16384)                                                                            \
    X(RESPONDER_LIFETIME, 24576)                                                                   \
    X(REPLAY_STATUS, 24577)                                                                        \
    X(INITIAL_CONTACT, 24578)                                                                      \
    X(R_U_THERE, 36136)                                                                            \
    X(R_U_THERE_ACK, 36137)
enum s2_ike1_notify {
#define S2_IKE1_NOTIFY_ENUM(name, number) S2_IKE1_N_##name = (number),
    S2_IKE1_NOTIFY_LIST(S2_IKE1_NOTIFY_ENUM)
#undef S2_IKE1_NOTIFY_ENUM
};
const char *s2_ike1_notify_name(uint16_t type); /* "?" if unknown */

/* ---- header and chain (message.c) */

/* RFC 2408 section 3.1. Its length must be what the reader holds: a datagram is one
 * message. Neither version nor flags are looked at; h is untouched on failure. */
struct s2_ike1_header {
    uint64_t cookie_i, cookie_r;
    uint8_t next_payload, version, exchange, flags;
    uint32_t message_id, length;
};
S2SVPN_NODISCARD s2svpn_status s2_ike1_parse_header(struct s2_reader *r, struct s2_ike1_header *h);
/* length is patched by s2_ike1_write_end, or by sealing. */
void s2_ike1_write_header(struct s2_writer *w, const struct s2_ike1_header *h);

/* The chain of payloads, section 3.2. A type that is nobody's fails with E_UNSUPPORTED,
 * field "payload.type", and unsupported says which (INVALID-PAYLOAD-TYPE); private ones,
 * from 128, are left out if we don't know them. Reserved bytes are zero: the usual sign
 * of a message that was decrypted with another key is "payload.reserved". Behind the last
 * payload padding is borne: in what was encrypted up to 255 bytes of anything, else up to
 * 3 zeros, which some peers align their messages with. A failed parse leaves no payloads. */
struct s2_ike1_payload {
    uint8_t type;
    s2svpn_span body;  /* borrowed from the message */
    s2svpn_span whole; /* with the generic header */
};
struct s2_ike1_payloads {
    struct s2_ike1_payload item[S2_IKE1_PAYLOADS_MAX];
    uint8_t count;
    uint8_t unsupported;
    s2svpn_span chain; /* all of them, padding left out: what HASH(1) and (2) cover
                        * begins behind the first payload's whole */
};
S2SVPN_NODISCARD s2svpn_status s2_ike1_parse_payloads(struct s2_reader *r, uint8_t first,
                                                      bool encrypted, struct s2_ike1_payloads *out);
/* The only payload of that type; NULL if there is none or more than one. */
const struct s2_ike1_payload *s2_ike1_find(const struct s2_ike1_payloads *list, uint8_t type);
/* The n-th (from 0) of that type, or NULL. */
const struct s2_ike1_payload *s2_ike1_find_nth(const struct s2_ike1_payloads *list, uint8_t type,
                                               size_t n);
size_t s2_ike1_count(const struct s2_ike1_payloads *list, uint8_t type);

/* Writing a chain: every begin names the type; links "next payload" backwards. */
struct s2_ike1_chain {
    struct s2_writer *w;
    size_t next_at;   /* where the previous "next payload" byte stands */
    size_t length_at; /* of the open payload */
};
/* Behind a header that was just written at the writer's start. */
void s2_ike1_chain_begin(struct s2_ike1_chain *c, struct s2_writer *w);
void s2_ike1_payload_begin(struct s2_ike1_chain *c, uint8_t type);
void s2_ike1_payload_end(struct s2_ike1_chain *c);
/* A payload whose body is there already: KE, nonce, HASH, VID, NAT-D. */
void s2_ike1_write_payload(struct s2_ike1_chain *c, uint8_t type, s2svpn_span body);
/* End a plain message: patches the header's length. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_write_end(struct s2_writer *w);

/* ---- SA (payload_sa.c): RFC 2408 sections 3.3 to 3.6, RFC 2407 section 4.5, RFC 2409
 * appendix A */

enum s2_ike1_protocol {
    S2_IKE1_PROTO_NONE = 0,
    S2_IKE1_PROTO_ISAKMP = 1,
    S2_IKE1_PROTO_AH = 2,
    S2_IKE1_PROTO_ESP = 3,
    S2_IKE1_PROTO_IPCOMP = 4,
};
enum s2_ike1_transform_id {
    S2_IKE1_KEY_IKE = 1,      /* the only one of phase 1 */
    S2_IKE1_ESP_AES_CBC = 12, /* RFC 3602 */
    S2_IKE1_ESP_AES_GCM_16 = 20,
};
/* Values of phase 1's attributes that we know. */
enum { S2_IKE1_ENCR_AES_CBC = 7 };
enum { S2_IKE1_METHOD_PSK = 1 };
enum s2_ike1_encapsulation {
    S2_IKE1_TUNNEL = 1,
    S2_IKE1_TRANSPORT = 2,
    S2_IKE1_UDP_TUNNEL = 3, /* RFC 3947 section 5.1 */
    S2_IKE1_UDP_TRANSPORT = 4,
    S2_IKE1_UDP_TUNNEL_DRAFT = 61443, /* its drafts up to 03 */
    S2_IKE1_UDP_TRANSPORT_DRAFT = 61444,
};

/* All numbers are IKEv1's; 0: no such attribute. */
struct s2_ike1_transform {
    uint8_t number, id;
    bool odd;                 /* holds an attribute that we don't know, one twice, or one of a
                               * form that it can't have: never chosen, only carried */
    bool esn;                 /* RFC 4304 */
    uint16_t key_bits, group; /* group description */
    uint16_t encr, hash;      /* phase 1: encryption algorithm, hash algorithm */
    uint16_t method;          /* phase 1: authentication method */
    uint16_t integ;           /* phase 2: authentication algorithm */
    uint16_t encapsulation;   /* phase 2 */
    uint32_t life_s, life_kb; /* what doesn't fit is UINT32_MAX; the smallest of several */
    s2svpn_span attributes;   /* as received, borrowed from the message; when not empty the
                               * writer repeats them and the numbers above are for reading */
};
#define S2_IKE1_PROPOSALS_MAX 16
#define S2_IKE1_TRANSFORMS_MAX 128 /* in the whole payload */
struct s2_ike1_proposal {
    uint8_t number, protocol, spi_len;
    uint8_t spi[S2_IKE1_SPI_MAX];
    uint8_t first, count; /* its transforms in the payload's list */
};
struct s2_ike1_sa_payload {
    uint8_t count;
    uint8_t transforms;
    struct s2_ike1_proposal proposal[S2_IKE1_PROPOSALS_MAX];
    struct s2_ike1_transform transform[S2_IKE1_TRANSFORMS_MAX];
};
/* DOI and situation are IPsec's, identity only: others are E_UNSUPPORTED, "sa.doi" and
 * "sa.situation". Proposals' numbers don't fall; equal ones mean "all of these together",
 * which is never chosen. SPIs have their protocol's length (ISAKMP 0 to 16, AH and ESP 4,
 * others 1 to 16). E_LIMIT for more proposals or transforms than there is room for. A
 * failed parse leaves nothing. About 7 KiB: not for many at once. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_parse_sa(struct s2_reader *r,
                                                struct s2_ike1_sa_payload *out);
void s2_ike1_write_sa(struct s2_writer *w, const struct s2_ike1_sa_payload *sa);

/* Data of a RESPONDER-LIFETIME notification, RFC 2407 section 4.6.3.1: attributes of
 * phase 2's numbers (phase 1's: phase1 true). 0: not said. */
struct s2_ike1_lifetime {
    uint32_t life_s, life_kb;
};
S2SVPN_NODISCARD s2svpn_status s2_ike1_parse_lifetime(struct s2_reader *r, bool phase1,
                                                      struct s2_ike1_lifetime *out);
void s2_ike1_write_lifetime(struct s2_writer *w, bool phase1, const struct s2_ike1_lifetime *l);

/* ---- the other payloads */

/* KE, nonce, HASH are their body; these check its length (KE: not empty, at most
 * S2SVPN_KE_VALUE_MAX; nonce: 8 to 256; HASH: 1 to S2_IKE1_HASH_MAX). Whether a value is
 * as long as its group's or function's is the exchange's business. (payload_ke.c) */
S2SVPN_NODISCARD s2svpn_status s2_ike1_parse_ke(struct s2_reader *r, s2svpn_span *out);
S2SVPN_NODISCARD s2svpn_status s2_ike1_parse_nonce(struct s2_reader *r, s2svpn_span *out);
S2SVPN_NODISCARD s2svpn_status s2_ike1_parse_hash(struct s2_reader *r, s2svpn_span *out);

/* ID, RFC 2407 section 4.6.2 (payload_id.c). Types 1, 2, 3, 5, 9, 10, 11 are those of
 * enum s2_ike_id_type. Addresses, networks and ranges have their length; longer than
 * S2_IKE_ID_MAX is E_LIMIT; out is untouched on failure. */
enum s2_ike1_id_type {
    S2_IKE1_ID_IPV4_ADDR = 1,
    S2_IKE1_ID_FQDN = 2,
    S2_IKE1_ID_USER_FQDN = 3,
    S2_IKE1_ID_IPV4_SUBNET = 4,
    S2_IKE1_ID_IPV6_ADDR = 5,
    S2_IKE1_ID_IPV6_SUBNET = 6,
    S2_IKE1_ID_IPV4_RANGE = 7,
    S2_IKE1_ID_IPV6_RANGE = 8,
    S2_IKE1_ID_DER_ASN1_DN = 9,
    S2_IKE1_ID_DER_ASN1_GN = 10,
    S2_IKE1_ID_KEY_ID = 11,
};
struct s2_ike1_id {
    uint8_t type, protocol;
    uint16_t port, len;
    uint8_t data[S2_IKE_ID_MAX];
};
S2SVPN_NODISCARD s2svpn_status s2_ike1_parse_id(struct s2_reader *r, struct s2_ike1_id *out);
void s2_ike1_write_id(struct s2_writer *w, const struct s2_ike1_id *id);
/* Phase 1: an identity, whatever protocol and port say. False, and out untouched, for
 * networks and ranges. Back: protocol and port 0 (RFC 3947 section 4). */
bool s2_ike1_id_to_peer(const struct s2_ike1_id *id, struct s2_ike_id *out);
struct s2_ike1_id s2_ike1_id_of_peer(const struct s2_ike_id *id);
/* May stand in phase 1: protocol and port 0, or UDP and 0, 500 or 4500. */
bool s2_ike1_id_port_fits(const struct s2_ike1_id *id);
/* Phase 2: a selector. False, and out untouched, for names, for masks with holes, and for
 * ranges that run backwards. Port 0 is all ports. Back: address, network or range,
 * whichever says it; of several ports only all or one can be said, false otherwise. */
bool s2_ike1_id_to_ts(const struct s2_ike1_id *id, struct s2_ike_ts *out);
bool s2_ike1_id_of_ts(const struct s2_ike_ts *ts, struct s2_ike1_id *out);

/* N, RFC 2408 section 3.14 (payload_notify.c). DPD and INITIAL-CONTACT have both cookies
 * as SPI. An SPI has at most 16 bytes. DOI 0 (generic) or IPsec's; others E_UNSUPPORTED,
 * "notify.doi". */
struct s2_ike1_notify_payload {
    uint32_t doi;
    uint8_t protocol; /* any number: echoed nowhere */
    uint16_t type;
    s2svpn_span spi, data;
};
S2SVPN_NODISCARD s2svpn_status s2_ike1_parse_notify(struct s2_reader *r,
                                                    struct s2_ike1_notify_payload *out);
void s2_ike1_write_notify(struct s2_writer *w, const struct s2_ike1_notify_payload *n);
/* Of R-U-THERE and its ACK, RFC 3706 section 5.3: true if the SPI is both cookies and the
 * data one number. */
bool s2_ike1_notify_dpd(const struct s2_ike1_notify_payload *n, uint64_t cookie_i,
                        uint64_t cookie_r, uint32_t *sequence);

/* D, RFC 2408 section 3.15. Count and bytes must agree; E_LIMIT above
 * S2_IKE1_DELETE_MAX. SPIs of ESP have 4 bytes, ISAKMP's are both cookies; those of other
 * protocols are passed over, count is 0 then. */
#define S2_IKE1_DELETE_MAX 32
struct s2_ike1_delete_payload {
    uint8_t protocol;
    uint16_t count;
    union {
        uint32_t spi[S2_IKE1_DELETE_MAX]; /* ESP */
        struct {
            uint64_t i, r;
        } cookies[S2_IKE1_DELETE_MAX]; /* ISAKMP */
    };
};
S2SVPN_NODISCARD s2svpn_status s2_ike1_parse_delete(struct s2_reader *r,
                                                    struct s2_ike1_delete_payload *out);
void s2_ike1_write_delete(struct s2_writer *w, const struct s2_ike1_delete_payload *d);

/* VID (vendor.c): the ones that mean something to us, from the newest NAT-T down. Bytes
 * are compared from the start: FRAGMENTATION and DPD have a version behind theirs.
 * X(NAME, "bytes in hexadecimal", "words") */
#define S2_IKE1_VENDOR_LIST(X)                                                                     \
    X(NATT_RFC, "4a131c81070358455c5728f20e95452f", "NAT-T, RFC 3947")                             \
    X(NATT_03, "7d9419a65310ca6f2c179d9215529d56", "NAT-T, draft 03")                              \
    X(NATT_02, "90cb80913ebb696e086381b5ec427b1f", "NAT-T, draft 02 with a line's end")            \
    X(NATT_02_BARE, "cd60464335df21f87cfdb2fc68b6a448", "NAT-T, draft 02")                         \
    X(NATT_01, "16f6ca16e4a4066d83821a0f0aeaa862", "NAT-T, draft 01")                              \
    X(NATT_00, "4485152d18b6bbcd0be8a8469579ddcc", "NAT-T, draft 00")                              \
    X(DPD, "afcad71368a1f1c96b8696fc7757", "dead peer detection, RFC 3706")                        \
    X(FRAGMENTATION, "4048b7d56ebce88525e7de7f00d6c2d3", "fragmentation")                          \
    X(XAUTH, "09002689dfd6b712", "XAUTH")                                                          \
    X(UNITY, "12f5f28c457168a9702d9fe274cc", "Cisco Unity")                                        \
    X(STRONGSWAN, "882fe56d6fd20dbc2251613b2ebe5beb", "strongSwan")
enum s2_ike1_vendor {
#define S2_IKE1_VENDOR_ENUM(name, bytes, words) S2_IKE1_VENDOR_##name,
    S2_IKE1_VENDOR_LIST(S2_IKE1_VENDOR_ENUM)
#undef S2_IKE1_VENDOR_ENUM
        S2_IKE1_VENDOR_COUNT /* none of them */
};
enum s2_ike1_vendor s2_ike1_vendor_of(s2svpn_span body);
const char *s2_ike1_vendor_name(enum s2_ike1_vendor vendor);
/* All VIDs of a message as bits 1u << S2_IKE1_VENDOR_…; unknown ones have none. */
uint32_t s2_ike1_vendors(const struct s2_ike1_payloads *list);
/* As a payload: DPD with version 1.0, FRAGMENTATION with the flag for main mode. */
void s2_ike1_write_vendor(struct s2_ike1_chain *c, enum s2_ike1_vendor vendor);
/* The best NAT-T that both have: theirs are the peer's bits; COUNT if none. Before the
 * RFC the payloads and the encapsulation have the drafts' numbers: draft is set so.
 * Drafts 00 and 01 move to no other port and are not taken. */
enum s2_ike1_vendor s2_ike1_natt_best(uint32_t theirs, bool *draft);

/* NAT-D is the hash, as long as the function's (keys.h). NAT-OA, RFC 3947 section 5.2:
 * an address (payload_id.c). */
S2SVPN_NODISCARD s2svpn_status s2_ike1_parse_nat_oa(struct s2_reader *r, s2svpn_address *out);
void s2_ike1_write_nat_oa(struct s2_writer *w, const s2svpn_address *a);

/* FRAGMENT (payload 132) of vendors' fragmentation: a piece of a whole message, header
 * included. number from 1; a piece is not empty. How they come together: fragment.h. */
struct s2_ike1_fragment {
    uint16_t id;
    uint8_t number;
    bool last;
    uint32_t message_id; /* of the header it came with: the caller's to fill in, as some
                          * peers give all their messages' pieces one id */
    s2svpn_span piece;
};
S2SVPN_NODISCARD s2svpn_status s2_ike1_parse_fragment(struct s2_reader *r,
                                                      struct s2_ike1_fragment *out);
void s2_ike1_write_fragment(struct s2_writer *w, const struct s2_ike1_fragment *f);

#endif
