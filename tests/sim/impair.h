/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules that spoil exchanges on the wire. A rule picks datagrams by what can be read
 * outside of the encryption (RFC 7296 section 3.1, RFC 2408 section 3.1): exchange type,
 * request or response, message ID, length, who sent it; or ESP. In IKEv1 nothing says what
 * is a response: one is, of main and quick mode, what whoever was asked sends. Quick mode's
 * third message is a request then, and so are all informationals. What is to be done is one of a list.
 *
 *     impair_add(&im, (struct impair_rule){.what = IMPAIR_DROP, .exchange = CREATE_CHILD_SA,
 *                                          .kind = IMPAIR_RESPONSE, .from_nth = 2, .count = 1});
 *
 * drops the second response to a CREATE_CHILD_SA. The first rule that fits counts.
 */
#ifndef S2_TESTS_SIM_IMPAIR_H
#define S2_TESTS_SIM_IMPAIR_H

#include "scene.h"

#define IMPAIR_RULES 8
#define IMPAIR_ASKED 64

enum impair_exchange {
    ANY_EXCHANGE = 0, /* of IKE */
    MAIN_MODE = 2,    /* IKEv1's, RFC 2408 section 3.1, RFC 2409 appendix A */
    INFORMATIONAL_1 = 5,
    QUICK_MODE = 32,
    IKE_SA_INIT = 34,
    IKE_AUTH = 35,
    CREATE_CHILD_SA = 36,
    INFORMATIONAL = 37,
    NOT_IKE = 255, /* ESP */
};

enum impair_kind { IMPAIR_BOTH, IMPAIR_REQUEST, IMPAIR_RESPONSE };
enum impair_side { IMPAIR_EITHER, IMPAIR_GATEWAY, IMPAIR_DEVICE };

enum impair_what {
    IMPAIR_DROP,
    IMPAIR_DUPLICATE, /* at once */
    IMPAIR_REPLAY,    /* once more after ns */
    IMPAIR_DELAY,     /* by ns */
    IMPAIR_FLIP,      /* a bit, anywhere */
    IMPAIR_TRUNCATE,  /* by some bytes, or all */
    IMPAIR_WHATS,
};

struct impair_rule {
    enum impair_what what;
    enum impair_exchange exchange;
    enum impair_kind kind;
    enum impair_side from;
    bool one_message;          /* only message_id */
    uint32_t message_id;       /* retransmissions have the same */
    uint32_t min_len, max_len; /* of the UDP payload; max 0: any */
    unsigned from_nth;         /* the n-th that fits is the first to suffer; 0: as 1 */
    unsigned count;            /* so many of them; 0: all that come */
    uint64_t ns;
    unsigned fitted, done; /* so far */
};

/* Who asked in one of IKEv1's exchanges: whoever was seen first. */
struct impair_asked {
    uint64_t cookie;     /* the initiator's */
    uint32_t message_id; /* 0: main mode */
    enum impair_side who;
};

struct impair {
    struct impair_rule rule[IMPAIR_RULES];
    struct impair_asked asked[IMPAIR_ASKED];
    unsigned asked_count; /* so far */
    size_t count;
    unsigned done;
};

/* Stand at the wire of a scene; im must live until the scene is closed. */
void impair_begin(struct scene *s, struct impair *im);
bool impair_add(struct impair *im, struct impair_rule rule);
void impair_clear(struct impair *im); /* the rules; it goes on standing there */
/* In words, for a failure. */
void impair_describe(const struct impair *im);

#endif
