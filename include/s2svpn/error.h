/* SPDX-License-Identifier: Apache-2.0 */
/* How a call that fails says what failed: a status, and in the caller's memory
 * the field, the place and a sentence. Drop reasons (io.h) and what a peer is
 * told are other vocabularies and never mixed with this one. */
#ifndef S2SVPN_ERROR_H
#define S2SVPN_ERROR_H

#include "s2svpn/types.h"

S2SVPN_BEGIN

/* X(name, number, words) */
#define S2SVPN_STATUS_LIST(X)                                                                      \
    X(OK, 0, "ok")                                                                                 \
    X(E_ARGUMENT, -1, "a value is not allowed")                                                    \
    X(E_MEMORY, -2, "out of memory")                                                               \
    X(E_LIMIT, -3, "a limit is reached")                                                           \
    X(E_MALFORMED, -4, "malformed input")                                                          \
    X(E_STATE, -5, "not possible in the object's state")                                           \
    X(E_NOT_FOUND, -6, "no such object")                                                           \
    X(E_EXISTS, -7, "exists already")                                                              \
    X(E_IN_USE, -8, "still in use by another object")                                              \
    X(E_UNSUPPORTED, -9, "not supported by this build or backend")                                 \
    X(E_CRYPTO, -10, "the crypto backend failed")                                                  \
    X(E_AUTHENTICATION, -11, "authentication failed")                                              \
    X(E_NO_ROOM, -12, "the caller's buffer is too small")                                          \
    X(E_SYSTEM, -13, "the operating system refused")                                               \
    X(E_STORE, -14, "the store failed")                                                            \
    X(E_CONFLICT, -15, "the stored object has changed meanwhile")                                  \
    X(E_RANDOM, -16, "no randomness to be had")

typedef enum s2svpn_status {
#define S2SVPN_STATUS_ENUM(name, number, words) S2SVPN_##name = (number),
    S2SVPN_STATUS_LIST(S2SVPN_STATUS_ENUM)
#undef S2SVPN_STATUS_ENUM
} s2svpn_status;

#define S2SVPN_FIELD_SIZE 96
#define S2SVPN_MESSAGE_SIZE 192

/** Why a call failed. All zero is "nothing failed". */
typedef struct s2svpn_error {
    s2svpn_status code;
    char field[S2SVPN_FIELD_SIZE];     /* path: "tunnel[1].phase1_lifetime_s"; "" if none */
    size_t offset;                     /* in wire data or text: byte offset; else 0 */
    uint32_t line;                     /* in text: from 1; else 0 */
    char message[S2SVPN_MESSAGE_SIZE]; /* a sentence without secrets */
} s2svpn_error;

/** A status in words; "unknown status" for a number that is none.
 * @threads any */
S2SVPN_API const char *s2svpn_status_text(s2svpn_status status);

/** The status's name without its prefix, "E_STATE".
 * @threads any */
S2SVPN_API const char *s2svpn_status_name(s2svpn_status status);

S2SVPN_END
#endif
