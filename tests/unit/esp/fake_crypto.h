/* SPDX-License-Identifier: Apache-2.0 */
/* A crypto table for ESP alone that is no crypto: a keystream of mixed counters and
 * a keyed sum. It has the forms of the real suites, checks how it is called, and
 * can be told to refuse. */
#ifndef S2_TESTS_FAKE_CRYPTO_H
#define S2_TESTS_FAKE_CRYPTO_H

#include "base/env.h"
#include "s2svpn/crypto.h"

struct s2_fake_crypto {
    const struct s2_env *env; /* sessions come from its memory */
    uint64_t refuse_seq;      /* packets with this number are refused; 0: none */
    bool refuse_session;
    size_t calls;   /* of esp_seal and esp_open */
    size_t ops;     /* packets in them */
    size_t largest; /* packets in the largest call */
    size_t pieces;  /* largest number of non-empty pieces in a packet */
    size_t misuse;  /* calls that break the seam's contract */
    size_t workers; /* alive */
    size_t sessions;
};

/* The user pointer of both is a struct s2_fake_crypto. */
extern const s2svpn_crypto_ops s2_fake_crypto_gather;
extern const s2svpn_crypto_ops s2_fake_crypto_plain;

#endif
