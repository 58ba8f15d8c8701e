/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The EC2 Query API: an HTTP request goes in, an HTTP answer comes out by callback.
 * The host brings the transport (and TLS), the keys and the wall clock; nothing here
 * makes a system call.
 *
 *     host: request ─► parse, SigV4 scope and clock ─► lookup ─► (host: key) ─►
 *           signature ─► authorize ─► parameters ─► action ─► respond
 *
 * One object serves the services ec2 and sts of every region that a credential scope
 * names, with the zones a, b and c in each.
 */
#ifndef S2SVPN_EC2_H
#define S2SVPN_EC2_H

#include "s2svpn/crypto.h"
#include "s2svpn/error.h"
#include "s2svpn/types.h"

S2SVPN_BEGIN

typedef struct s2svpn_ec2 s2svpn_ec2;

/** A question for a key that waits for its answer. */
typedef struct s2svpn_ec2_lookup s2svpn_ec2_lookup;

/** Longest body and longest query string that are read; a host may stop reading at
 * one byte more and let the request be refused. */
#define S2SVPN_EC2_BODY_MAX 1048576

typedef struct s2svpn_ec2_header {
    s2svpn_span name, value; /* as sent; blanks around the value don't matter */
} s2svpn_ec2_header;

/** An HTTP request. What it points to is borrowed until the answer has been given. */
typedef struct s2svpn_ec2_request_data {
    size_t size;
    s2svpn_span method; /* "POST" or "GET" */
    s2svpn_span target; /* "/" or "/?Action=…", as sent */
    const s2svpn_ec2_header *header;
    size_t header_count;
    s2svpn_span body;
    int64_t time_s; /* wall clock, seconds since 1970 */
} s2svpn_ec2_request_data;

/** An HTTP answer; borrowed for the callback. */
typedef struct s2svpn_ec2_answer {
    size_t size;
    unsigned status;          /* 200, 400, … */
    const char *content_type; /* "text/xml;charset=UTF-8" */
    const char *request_id;   /* for the header x-amzn-requestid */
    const char *code;         /* AWS's error code; NULL after success */
    s2svpn_span body;
} s2svpn_ec2_answer;

enum s2svpn_ec2_rights {
    S2SVPN_EC2_FULL = 0,
    S2SVPN_EC2_READ_ONLY = 1, /* Describe* and Get* */
    S2SVPN_EC2_DISABLED = 2,  /* answered as a key that nobody knows */
};

/** What an access key stands for. The texts are ended by zero bytes, borrowed for
 * the call. */
typedef struct s2svpn_ec2_key {
    size_t size;
    const char *secret;        /* at most 128 bytes */
    const char *account;       /* 12 digits */
    const char *user;          /* name in the ARN; NULL: the account's root */
    const char *user_id;       /* "AIDA…"; NULL: the account */
    const char *session_token; /* what x-amz-security-token must hold; NULL: must be absent */
    enum s2svpn_ec2_rights rights;
} s2svpn_ec2_key;

typedef struct s2svpn_ec2_options {
    size_t size;
    /** NULL: s2svpn_crypto_openssl(). Borrowed until the object is freed. */
    const s2svpn_crypto_ops *crypto;
    void *crypto_user;
    /** Randomness in place of the backend's. */
    s2svpn_status (*random)(void *user, uint8_t *out, size_t len);
    void *random_user;
    /** NULL: malloc and free. Borrowed until the object is freed. */
    const s2svpn_memory *memory;

    void *user; /* for the two below */
    /** Who has this access key? Required. Answer with s2svpn_ec2_answer_lookup(), at
     * once or later. @p access_key is borrowed for the call. */
    void (*lookup)(void *user, const char *access_key, s2svpn_ec2_lookup *question);
    /** May this account call this action now? NULL: the key's rights alone decide.
     * Texts are borrowed for the call. */
    bool (*authorize)(void *user, const char *account, const char *service, const char *action);

    /** Regions that DescribeRegions lists besides the one that was asked; NULL: a dozen
     * of AWS's. Borrowed until the object is freed. */
    const char *const *regions;
    size_t region_count;
    /** Most requests that wait for a look-up; 0: 256. */
    size_t pending_max;
} s2svpn_ec2_options;
#define S2SVPN_EC2_OPTIONS_INIT                                                                    \
    {                                                                                              \
        .size = sizeof(s2svpn_ec2_options)                                                         \
    }

/**
 * Make the API's front.
 * @param options  borrowed for the call.
 * @param[out] ec2 end it with s2svpn_ec2_free(). NULL after a failure.
 * @param why      may be NULL.
 * @return E_ARGUMENT with the field; E_UNSUPPORTED: no crypto backend; E_MEMORY; E_RANDOM.
 * @threads any
 * @since 0.1
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_ec2_new(const s2svpn_ec2_options *options,
                                                         s2svpn_ec2 **ec2, s2svpn_error *why);

/** Requests that wait for a key are answered with ServiceUnavailable first, and their
 * questions must not be answered any more. NULL is allowed.
 * @threads one call at a time on the object. */
S2SVPN_API void s2svpn_ec2_free(s2svpn_ec2 *ec2);

/**
 * Take a request. Whatever is wrong with it is told to its sender.
 * @param respond  called exactly once, before this returns or, if the host answers the
 *                 look-up later, from s2svpn_ec2_answer_lookup(). It may take requests.
 * @threads one call at a time on the object.
 * @since 0.1
 */
S2SVPN_API void s2svpn_ec2_request(s2svpn_ec2 *ec2, const s2svpn_ec2_request_data *request,
                                   void (*respond)(void *arg, const s2svpn_ec2_answer *answer),
                                   void *arg);

/**
 * Answer a question for a key; the request goes on and is answered in this call.
 * @param question  given back to the library.
 * @param key       NULL: nobody has this key. Borrowed for the call.
 * @threads one call at a time on the object.
 * @since 0.1
 */
S2SVPN_API void s2svpn_ec2_answer_lookup(s2svpn_ec2_lookup *question, const s2svpn_ec2_key *key);

/**
 * Print the actions: one line each, with service, version and parameters with types.
 * @param[out] out given to the caller: free with s2svpn_text_free().
 * @threads any
 * @since 0.1
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_ec2_print_actions(s2svpn_text *out);

S2SVPN_END
#endif
