/* SPDX-License-Identifier: Apache-2.0 */
/* What this room's tests share: hex, and OpenSSL's allocations counted, of which any
 * can be made to fail. */
#ifndef S2_TESTS_CRYPTO_SUPPORT_H
#define S2_TESTS_CRYPTO_SUPPORT_H

#include <CUnit/CUnit.h>

#include "s2svpn/crypto.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Bytes of hex digits; the test ends if there are more than room. */
size_t unhex(const char *text, uint8_t *out, size_t room);
/* Compare with hex of the same length. */
bool is_hex(const uint8_t *bytes, size_t len, const char *text);
/* Bytes that depend on seed alone and aren't all equal. */
void fill(uint8_t *out, size_t len, unsigned seed);

const s2svpn_algorithm *find_row(uint8_t type, uint16_t id, uint16_t key_bits);

/* Before anything else in main(): OpenSSL allocates through us from here on. */
bool memory_install(void);
/* Allocations so far. */
size_t memory_count(void);
/* The block released last is given again to the next that wants its length. */
void memory_reuse(bool on);
/* The n-th allocation from now fails; 0: none does. */
void memory_fail_next(size_t n);
/* Run step once for each allocation that it makes, with that one failing. Step returns
 * false if it reports failure; then it may not have left anything behind. It has to
 * succeed before, and after. */
void memory_fail_each(bool (*step)(void *arg), void *arg);
/* The same for one allocation of stride, where there are thousands of them. */
void memory_fail_some(bool (*step)(void *arg), void *arg, size_t stride);

#endif
