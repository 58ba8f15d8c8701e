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

/** Work that may take long: Diffie-Hellman today; KEM, signatures, paths later. */
enum s2svpn_job_kind {
    S2SVPN_JOB_KE_PUBLIC = 1, /* secret = private input; out = public value */
    S2SVPN_JOB_KE_SHARED = 2, /* secret = private input, in = the peer's value, checked as
                               * RFC 6989 says; out = shared secret */
};

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
    uint8_t *out;   /* room for the row's out_len or secret_len */
    size_t out_len; /* set by the library to what the backend must write */
    void *backend;  /* the backend's own, NULL at start */
    void *owner;    /* the library's own; not the backend's business */
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
