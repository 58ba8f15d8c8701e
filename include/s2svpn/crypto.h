/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The crypto seam: a table of functions and of what they can do.
 *
 * A backend is a const table behind an accessor, s2svpn_crypto_openssl(). Its
 * algorithm rows are data: the engines take sizes from them and offer a peer
 * only what has a row. Groups of members may be NULL together; a backend that
 * has only the ESP group is stacked on another with s2svpn_crypto_stack
 * (context.h takes two tables).
 *
 * Numbers are IANA's "IKEv2 Transform Type Values", everywhere, ESP included.
 *
 * Threads: esp_* are called from the thread of the worker whose state they get;
 * everything else from the thread that calls the context. Tables are const.
 */
#ifndef S2SVPN_CRYPTO_H
#define S2SVPN_CRYPTO_H

#include "s2svpn/error.h"
#include "s2svpn/types.h"

S2SVPN_BEGIN

/** Transform types, RFC 7296 section 3.3.2. */
enum s2svpn_transform_type {
    S2SVPN_TRANSFORM_ENCR = 1,
    S2SVPN_TRANSFORM_PRF = 2,
    S2SVPN_TRANSFORM_INTEG = 3,
    S2SVPN_TRANSFORM_KE = 4, /* Diffie-Hellman group or KEM */
    S2SVPN_TRANSFORM_ESN = 5,
};

enum s2svpn_encr {
    S2SVPN_ENCR_NULL = 11,
    S2SVPN_ENCR_AES_CBC = 12,
    S2SVPN_ENCR_AES_GCM_16 = 20,
    S2SVPN_ENCR_CHACHA20_POLY1305 = 28,
};

enum s2svpn_prf {
    S2SVPN_PRF_HMAC_SHA1 = 2,
    S2SVPN_PRF_HMAC_SHA2_256 = 5,
    S2SVPN_PRF_HMAC_SHA2_384 = 6,
    S2SVPN_PRF_HMAC_SHA2_512 = 7,
};

enum s2svpn_integ {
    S2SVPN_INTEG_NONE = 0,
    S2SVPN_INTEG_HMAC_SHA1_96 = 2,
    S2SVPN_INTEG_HMAC_SHA2_256_128 = 12,
    S2SVPN_INTEG_HMAC_SHA2_384_192 = 13,
    S2SVPN_INTEG_HMAC_SHA2_512_256 = 14,
};

enum s2svpn_ke {
    S2SVPN_KE_NONE = 0,
    S2SVPN_KE_MODP_1024 = 2,
    S2SVPN_KE_MODP_1536 = 5,
    S2SVPN_KE_MODP_2048 = 14,
    S2SVPN_KE_MODP_3072 = 15,
    S2SVPN_KE_MODP_4096 = 16,
    S2SVPN_KE_MODP_6144 = 17,
    S2SVPN_KE_MODP_8192 = 18,
    S2SVPN_KE_ECP_256 = 19,
    S2SVPN_KE_ECP_384 = 20,
    S2SVPN_KE_ECP_521 = 21,
    S2SVPN_KE_MODP_1024_160 = 22,
    S2SVPN_KE_MODP_2048_224 = 23,
    S2SVPN_KE_MODP_2048_256 = 24,
    S2SVPN_KE_CURVE25519 = 31,
};

/** Hash functions by name; used where IKE hashes without a key. */
enum s2svpn_hash {
    S2SVPN_HASH_SHA1 = 1,
    S2SVPN_HASH_SHA2_256 = 2,
    S2SVPN_HASH_SHA2_384 = 3,
    S2SVPN_HASH_SHA2_512 = 4,
};

enum s2svpn_crypto_use {
    S2SVPN_USE_IKE = 1,
    S2SVPN_USE_ESP = 2,
};

#define S2SVPN_KEY_MAX 68        /* longest key of an ENCR or INTEG row: 64, or 32 + 4 salt */
#define S2SVPN_PRF_MAX 64        /* longest PRF output */
#define S2SVPN_ICV_MAX 32        /* longest ICV */
#define S2SVPN_KE_VALUE_MAX 1024 /* longest public value: MODP 8192 */
#define S2SVPN_KE_PRIVATE_MAX 80 /* longest private input, see private_len */

/** One algorithm that a backend has. */
typedef struct s2svpn_algorithm {
    uint8_t type;         /* enum s2svpn_transform_type: ENCR, PRF, INTEG or KE */
    uint8_t use;          /* bits of enum s2svpn_crypto_use; for PRF and KE: IKE */
    uint16_t id;          /* the transform's number */
    uint16_t key_bits;    /* ENCR with a Key Length attribute: its value; else 0 */
    uint16_t key_len;     /* ENCR, INTEG: bytes of key, an AEAD's 4-byte salt included;
                        * PRF: preferred key length (RFC 7296 section 2.13) */
    uint16_t iv_len;      /* ENCR: bytes of IV in each packet */
    uint16_t block_len;   /* ENCR: what the ciphertext is a multiple of; 1 for AEAD */
    uint16_t out_len;     /* ENCR: ICV of an AEAD, else 0; INTEG: ICV; PRF: output;
                        * KE: bytes of a public value */
    uint16_t private_len; /* KE: random bytes that a private key is made from */
    uint16_t secret_len;  /* KE: bytes of the shared secret */
    uint16_t reserved[3];
} s2svpn_algorithm;

/** Work that may take long: Diffie-Hellman, signatures and certificate paths; KEM later. */
enum s2svpn_job_kind {
    S2SVPN_JOB_KE_PUBLIC = 1, /* secret = private input; out = public value */
    S2SVPN_JOB_KE_SHARED = 2, /* secret = private input, in = the peer's value, checked as
                               * RFC 6989 says; out = shared secret */
    S2SVPN_JOB_SIGN = 3,      /* what s2svpn_sign says; out = the AUTH payload's data, out_len:
                               * room when it is started, its length when it is done */
    S2SVPN_JOB_VERIFY = 4,    /* what s2svpn_verify says; no out */
};

/** Authentication methods of the AUTH payload, RFC 7296 section 3.8, RFC 4754, RFC 7427. */
enum s2svpn_auth_method {
    S2SVPN_AUTH_RSA = 1, /* RSASSA-PKCS1-v1_5 with SHA-1 */
    S2SVPN_AUTH_SHARED_KEY = 2,
    S2SVPN_AUTH_ECDSA_256 = 9, /* SHA2-256 on P-256 */
    S2SVPN_AUTH_ECDSA_384 = 10,
    S2SVPN_AUTH_ECDSA_521 = 11,
    S2SVPN_AUTH_SIGNATURE = 14, /* RFC 7427: the data begins with an AlgorithmIdentifier */
};

/** Longest AUTH data that a signature makes: RSA of 8192 bits and its AlgorithmIdentifier. */
#define S2SVPN_AUTH_MAX 1152
/** Most certificates of a chain, the end entity's and the intermediate ones. */
#define S2SVPN_CHAIN_MAX 8

/** What became of a peer's certificate and signature. X(NAME, words) */
#define S2SVPN_CERTIFICATE_RESULT_LIST(X)                                                          \
    X(OK, "accepted")                                                                              \
    X(MALFORMED, "a certificate or the signature is malformed")                                    \
    X(METHOD, "the authentication method isn't known here")                                        \
    X(WEAK, "a key or a signature algorithm is too weak")                                          \
    X(UNKNOWN_ISSUER, "no authority that is trusted here has issued the certificate")              \
    X(EXPIRED, "the certificate, or one above it, has expired")                                    \
    X(NOT_YET_VALID, "the certificate, or one above it, isn't valid yet")                          \
    X(REVOKED, "the certificate, or one above it, has been revoked")                               \
    X(NO_CRL, "the issuer's revocation list is missing, out of date or not by the issuer")         \
    X(PURPOSE, "the use of the certificate, or of one above it, doesn't allow this")               \
    X(IDENTITY, "the certificate is not for the identity that the peer claims")                    \
    X(SUBJECT, "the certificate is valid, but it is somebody else's")                              \
    X(SIGNATURE, "the peer doesn't have the certificate's key: its signature is wrong")
enum s2svpn_certificate_result {
#define S2SVPN_CERTIFICATE_RESULT_ENUM(name, words) S2SVPN_CERTIFICATE_##name,
    S2SVPN_CERTIFICATE_RESULT_LIST(S2SVPN_CERTIFICATE_RESULT_ENUM)
#undef S2SVPN_CERTIFICATE_RESULT_ENUM
        S2SVPN_CERTIFICATE_RESULTS
};

/** A job of kind SIGN. Spans are borrowed until the job is done or cancelled. */
typedef struct s2svpn_sign {
    size_t size;
    const void *identity; /* of identity_new */
    uint32_t peer_hashes; /* bits 1 << enum s2svpn_hash that the peer has announced (RFC 7427
                             * section 4); 0: it doesn't know method SIGNATURE */
    uint32_t in_count;
    const s2svpn_span *in; /* what is signed, piece by piece */
    uint8_t method;        /* set by the backend: enum s2svpn_auth_method */
    uint8_t reserved[7];
} s2svpn_sign;

/** A job of kind VERIFY: the path first (RFC 5280 section 6), then whether the certificate is
 * for this identity, then the signature. The job's result is S2SVPN_OK, or
 * S2SVPN_E_AUTHENTICATION with @c why; other codes: it couldn't be done. */
typedef struct s2svpn_verify {
    size_t size;
    const void *trust;        /* of trust_new */
    uint64_t unix_s;          /* wall clock; 0: unknown, then dates aren't checked */
    const s2svpn_span *chain; /* DER, the peer's own first, the others in any order */
    const s2svpn_span *in;    /* what was signed, piece by piece */
    uint32_t chain_count, in_count;
    s2svpn_span id;      /* the ID payload's data; must be the subject or one of its
                          * alternative names, RFC 4945 section 3.1 */
    s2svpn_span subject; /* a Name in DER that the certificate's subject must be; empty: any */
    s2svpn_span auth;    /* the AUTH payload's data */
    uint8_t id_type;     /* the ID payload's, RFC 7296 section 3.5 */
    uint8_t method;      /* the AUTH payload's */
    uint8_t why;         /* set by the backend: enum s2svpn_certificate_result */
    uint8_t reserved[5];
} s2svpn_verify;

/** What is read from a certificate. */
typedef struct s2svpn_certificate_info {
    size_t size;       /* set by the caller */
    char subject[256]; /* "CN=vpn.example, O=Example" */
    char issuer[256];
    char serial[64];                    /* hexadecimal */
    uint64_t not_before_s, not_after_s; /* since 1970 */
    uint8_t subject_der[512];           /* the Name */
    uint32_t subject_der_len;
    uint32_t reserved;
} s2svpn_certificate_info;

/**
 * A job. The library owns the struct and the memory that it points to until
 * the job is done or cancelled; a backend that answers later may keep the
 * pointer until then, and only then.
 */
typedef struct s2svpn_job {
    size_t size;
    uint16_t kind; /* enum s2svpn_job_kind */
    uint16_t ke;   /* enum s2svpn_ke */
    uint32_t reserved;
    s2svpn_span secret; /* wiped by the library */
    s2svpn_span in;
    uint8_t *out;          /* room for the row's out_len or secret_len */
    size_t out_len;        /* set by the library to what the backend must write */
    void *backend;         /* the backend's own, NULL at start */
    void *owner;           /* the library's own; not the backend's business */
    s2svpn_sign *sign;     /* of a job of kind SIGN */
    s2svpn_verify *verify; /* of a job of kind VERIFY */
} s2svpn_job;

typedef enum s2svpn_job_state {
    S2SVPN_JOB_DONE = 0,    /* finished in start_job, *result says how */
    S2SVPN_JOB_PENDING = 1, /* s2svpn_job_done() will come */
} s2svpn_job_state;

/** An ESP security association's key and form, from which a session is made. */
typedef struct s2svpn_esp_session_spec {
    size_t size;
    uint16_t encr; /* enum s2svpn_encr */
    uint16_t key_bits;
    uint16_t integ; /* enum s2svpn_integ; NONE with an AEAD */
    bool esn;       /* RFC 4303 section 2.2.1 */
    bool outbound;
    s2svpn_span encr_key;  /* AEAD: key and behind it the 4-byte salt; borrowed for the call */
    s2svpn_span integ_key; /* empty with an AEAD; borrowed for the call */
} s2svpn_esp_session_spec;

enum s2svpn_esp_result {
    S2SVPN_ESP_OK = 0,
    S2SVPN_ESP_AUTH = 1,    /* bad ICV; out holds nothing of use */
    S2SVPN_ESP_REFUSED = 2, /* the backend couldn't: no memory, hardware gone */
};

/**
 * One packet to seal or open.
 *
 * Seal: out receives the ciphertext of in[0], in[1], in[2] one behind the
 * other; iv receives iv_len bytes, icv the ICV. The caller has laid out SPI,
 * sequence number, iv, out and icv as one packet, in this order, without gaps,
 * so `iv - 8` is the ESP header and a backend may authenticate it in place.
 * Open: in[0] alone is the ciphertext, iv and icv are read, out receives the
 * plain text. The lengths' sum is a multiple of the algorithm's block_len.
 */
typedef struct s2svpn_esp_op {
    const void *session;
    struct {
        const uint8_t *p;
        uint32_t len;
    } in[3];      /* header, payload, trailer; any may be empty */
    uint8_t *out; /* contiguous; may alias in[] only where in[] is one piece at out */
    uint64_t seq; /* all 64 bits */
    uint32_t spi;
    uint8_t result; /* enum s2svpn_esp_result, set by the backend */
    uint8_t reserved[3];
    uint8_t *iv;
    uint8_t *icv;
} s2svpn_esp_op;

typedef struct s2svpn_crypto_ops {
    size_t size;
    const char *name;
    const s2svpn_algorithm *algorithms; /* ended by a row of type 0 */

    /* ---- random. Required unless options.random is set. */

    /** Fill @p out with unpredictable bytes. */
    s2svpn_status (*random)(void *user, uint8_t *out, size_t len);

    /* ---- hash and PRF. Required. */

    /** Hash of @p n pieces one behind the other; @p out has room for 64 bytes.
     * SHA1 is needed for NAT detection, RFC 7296 section 2.23. */
    s2svpn_status (*hash)(void *user, uint16_t hash, const s2svpn_span *in, size_t n, uint8_t *out);
    /** The PRF numbered @p prf, over pieces; writes the row's out_len bytes. */
    s2svpn_status (*prf)(void *user, uint16_t prf, s2svpn_span key, const s2svpn_span *in, size_t n,
                         uint8_t *out);

    /* ---- IKE's own messages: few and small, keys come with each call. Required. */

    /** The MAC numbered @p integ, truncated to the row's out_len. */
    s2svpn_status (*integ)(void *user, uint16_t integ, s2svpn_span key, const s2svpn_span *in,
                           size_t n, uint8_t *icv);
    /** CBC over whole blocks, in place. */
    s2svpn_status (*ike_cbc)(void *user, uint16_t encr, bool encrypt, s2svpn_span key,
                             const uint8_t *iv, uint8_t *data, size_t len);
    /** AEAD in place, RFC 5282: key holds the salt behind the key, iv is the
     * explicit 8 bytes; seal writes icv, open checks it.
     * @return S2SVPN_E_AUTHENTICATION if the ICV is wrong */
    s2svpn_status (*ike_aead)(void *user, uint16_t encr, bool seal, s2svpn_span key,
                              const uint8_t *iv, s2svpn_span aad, uint8_t *data, size_t len,
                              uint8_t *icv);

    /* ---- jobs. Required. */

    /** Begin a job. @p result is written when the answer is S2SVPN_JOB_DONE. */
    s2svpn_job_state (*start_job)(void *user, s2svpn_job *job, s2svpn_status *result);
    /** Forget a pending job: s2svpn_job_done() must not come any more and the
     * job's memory not be touched after this returns. NULL if nothing pends. */
    void (*cancel_job)(void *user, s2svpn_job *job);

    /* ---- ESP. Required in one of the stacked tables. */

    /** True if in[] may have more than one piece; otherwise the library lays the
     * pieces into out first and gives them as in[0]. */
    bool esp_gather;
    /** State of one worker's thread; NULL members mean none is needed. */
    s2svpn_status (*esp_worker_new)(void *user, void **worker);
    void (*esp_worker_free)(void *user, void *worker);
    /** An immutable session; any worker may use it at the same time. */
    s2svpn_status (*esp_session_new)(void *user, const s2svpn_esp_session_spec *spec,
                                     void **session);
    void (*esp_session_free)(void *user, void *session); /* wipes; NULL allowed */
    /** Seal or open @p n packets. A packet's failure is its own result.
     * CBC: the backend writes an unpredictable IV; AEAD: iv is the sequence
     * number, RFC 4106 section 3.1. ICVs are compared in constant time. */
    void (*esp_seal)(void *user, void *worker, s2svpn_esp_op *ops, size_t n);
    void (*esp_open)(void *user, void *worker, s2svpn_esp_op *ops, size_t n);

    /* ---- certificates: all of these and the jobs SIGN and VERIFY, or none. */

    /** What this side shows: a PEM text with its certificate first and then those that lead
     * to an authority (at most S2SVPN_CHAIN_MAX), and a PEM text with the private key, RSA
     * of 2048 to 8192 bits or ECDSA on P-256, P-384 or P-521. @p why names "chain" or "key".
     * @return E_MALFORMED; E_ARGUMENT: the key isn't the certificate's; E_UNSUPPORTED: another
     *         kind of key; E_MEMORY */
    s2svpn_status (*identity_new)(void *user, s2svpn_span chain, s2svpn_span key, void **identity,
                                  s2svpn_error *why);
    void (*identity_free)(void *user, void *identity); /* wipes; NULL allowed */
    /** The chain in DER, borrowed as long as the identity; returns how many there are. */
    size_t (*identity_chain)(void *user, const void *identity, s2svpn_span chain[S2SVPN_CHAIN_MAX]);
    /** Whom this side trusts: a PEM text with authorities (roots, or intermediate ones that are
     * trusted by themselves), and one with their revocation lists. Empty crls: revocation isn't
     * checked; else each certificate of a path needs its issuer's list, up to date.
     * @p why names "trust" or "crls". */
    s2svpn_status (*trust_new)(void *user, s2svpn_span authorities, s2svpn_span crls, void **trust,
                               s2svpn_error *why);
    void (*trust_free)(void *user, void *trust); /* NULL allowed */
    /** SHA-1 of each authority's SubjectPublicKeyInfo, 20 bytes each one behind the other, for
     * CERTREQ (RFC 7296 section 3.7); borrowed as long as the trust. */
    s2svpn_span (*trust_hashes)(void *user, const void *trust);
    /** Read a certificate, in PEM or DER. */
    s2svpn_status (*certificate_read)(void *user, s2svpn_span certificate,
                                      s2svpn_certificate_info *out);
} s2svpn_crypto_ops;

/** OpenSSL 3 as a backend; its user pointer is NULL. It answers jobs at once.
 * NULL when the library was built --without-openssl.
 * @threads any */
S2SVPN_API const s2svpn_crypto_ops *s2svpn_crypto_openssl(void);

/**
 * Say that a pending job is done. The result's bytes are in job->out.
 *
 * @param job     given back to the library.
 * @param result  S2SVPN_OK; S2SVPN_E_ARGUMENT: the peer's value failed its
 *                checks; S2SVPN_E_CRYPTO and others: it couldn't be done.
 * @threads one call at a time on the context.
 */
S2SVPN_API void s2svpn_job_done(s2svpn_context *ctx, s2svpn_job *job, s2svpn_status result,
                                uint64_t now_ns);

S2SVPN_END
#endif
