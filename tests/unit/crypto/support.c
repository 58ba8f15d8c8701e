/* SPDX-License-Identifier: Apache-2.0 */
/* Hex, and an allocator for OpenSSL. */
#include "support.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static _Atomic size_t count, fail_at;

static unsigned digit(char c)
{
    return isdigit((unsigned char)c) ? (unsigned)(c - '0') : (unsigned)(tolower(c) - 'a' + 10);
}

size_t unhex(const char *text, uint8_t *out, size_t room)
{
    const size_t len = strlen(text) / 2;

    CU_ASSERT_FATAL(len <= room);
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    return len;
}

bool is_hex(const uint8_t *bytes, size_t len, const char *text)
{
    uint8_t want[2048];

    return strlen(text) == 2 * len && unhex(text, want, sizeof(want)) == len &&
           memcmp(bytes, want, len) == 0;
}

void fill(uint8_t *out, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1103515245u + 12345u;
        out[i] = (uint8_t)(seed >> 16);
    }
}

const s2svpn_algorithm *find_row(uint8_t type, uint16_t id, uint16_t key_bits)
{
    for (const s2svpn_algorithm *a = s2svpn_crypto_openssl()->algorithms; a->type != 0; a++) {
        if (a->type == type && a->id == id && a->key_bits == key_bits)
            return a;
    }
    return NULL;
}

/* Each block knows its length, so that the last one released can be given again. */
struct block {
    _Alignas(max_align_t) size_t len;
};
static bool reuse;
static struct block *kept;

static struct block *block_of(void *p)
{
    return (struct block *)p - 1;
}

static void *allocate(size_t len, const char *file, int line)
{
    struct block *b = kept;

    (void)file;
    (void)line;
    if (++count == fail_at)
        return NULL;
    if (reuse && b != NULL && b->len == len) {
        kept = NULL;
        return b + 1;
    }
    b = malloc(sizeof(*b) + len);
    if (b == NULL)
        return NULL;
    b->len = len;
    return b + 1;
}

static void release(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    if (p == NULL)
        return;
    if (!reuse) {
        free(block_of(p));
        return;
    }
    free(kept);
    kept = block_of(p);
}

static void *reallocate(void *p, size_t len, const char *file, int line)
{
    void *moved = allocate(len, file, line);

    if (moved == NULL || p == NULL)
        return moved;
    memcpy(moved, p, block_of(p)->len < len ? block_of(p)->len : len);
    release(p, file, line);
    return moved;
}

void memory_reuse(bool on)
{
    reuse = on;
    free(kept);
    kept = NULL;
}

bool memory_install(void)
{
    return CRYPTO_set_mem_functions(allocate, reallocate, release) == 1;
}

size_t memory_count(void)
{
    return count;
}

void memory_fail_next(size_t n)
{
    fail_at = n != 0 ? count + n : 0;
}

void memory_fail_each(bool (*step)(void *arg), void *arg)
{
    memory_fail_some(step, arg, 1);
}

void memory_fail_some(bool (*step)(void *arg), void *arg, size_t stride)
{
    bool reached = true;

    CU_ASSERT_FATAL(step(arg));
    for (size_t n = 1; reached; n += stride) {
        memory_fail_next(n);
        const bool good = step(arg);
        reached = count >= fail_at;
        memory_fail_next(0);
        if (!reached)
            CU_ASSERT(good);
        CU_ASSERT(ERR_peek_error() == 0);
    }
    CU_ASSERT(step(arg));
}
