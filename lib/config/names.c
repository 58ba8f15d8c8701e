/* SPDX-License-Identifier: Apache-2.0 */
/* The words for algorithms. Each number has one that is written; more are read, since
 * other tools and people spell them in other ways: case, hyphens, underscores and
 * blanks don't count. */
#include "config/names.h"

#include <string.h>

#include "base/text.h"
#include "s2svpn/crypto.h"

#define PLAIN_SIZE 32 /* longest word without its hyphens, with its zero byte */

struct word {
    const char *text; /* the first one of a number is the one that is written */
    uint16_t id, key_bits;
};

static const struct word encr_words[] = {
    {"aes-128-cbc", S2SVPN_ENCR_AES_CBC, 128},
    {"aes-256-cbc", S2SVPN_ENCR_AES_CBC, 256},
    {"aes-128-gcm-16", S2SVPN_ENCR_AES_GCM_16, 128},
    {"aes-256-gcm-16", S2SVPN_ENCR_AES_GCM_16, 256},
    {"aes-128", S2SVPN_ENCR_AES_CBC, 128}, /* AWS's name of the option */
    {"aes-256", S2SVPN_ENCR_AES_CBC, 256},
    {"aes-cbc-128", S2SVPN_ENCR_AES_CBC, 128},
    {"aes-cbc-256", S2SVPN_ENCR_AES_CBC, 256},
    {"aes-128-gcm", S2SVPN_ENCR_AES_GCM_16, 128},
    {"aes-256-gcm", S2SVPN_ENCR_AES_GCM_16, 256},
    {"aes-gcm-128", S2SVPN_ENCR_AES_GCM_16, 128},
    {"aes-gcm-256", S2SVPN_ENCR_AES_GCM_16, 256},
    {NULL, 0, 0},
};

/* Phase 1 names the hash, phase 2 the MAC; both are read in both. */
static const struct word hash_words[] = {
    {"sha1", S2SVPN_INTEG_HMAC_SHA1_96, 0},
    {"sha2-256", S2SVPN_INTEG_HMAC_SHA2_256_128, 0},
    {"sha2-384", S2SVPN_INTEG_HMAC_SHA2_384_192, 0},
    {"sha2-512", S2SVPN_INTEG_HMAC_SHA2_512_256, 0},
    {"none", S2SVPN_INTEG_NONE, 0},
    {"sha-256", S2SVPN_INTEG_HMAC_SHA2_256_128, 0},
    {"sha-384", S2SVPN_INTEG_HMAC_SHA2_384_192, 0},
    {"sha-512", S2SVPN_INTEG_HMAC_SHA2_512_256, 0},
    {NULL, 0, 0},
};
static const struct word mac_words[] = {
    {"hmac-sha1-96", S2SVPN_INTEG_HMAC_SHA1_96, 0},
    {"hmac-sha2-256-128", S2SVPN_INTEG_HMAC_SHA2_256_128, 0},
    {"hmac-sha2-384-192", S2SVPN_INTEG_HMAC_SHA2_384_192, 0},
    {"hmac-sha2-512-256", S2SVPN_INTEG_HMAC_SHA2_512_256, 0},
    {"none", S2SVPN_INTEG_NONE, 0},
    {"hmac-sha1", S2SVPN_INTEG_HMAC_SHA1_96, 0},
    {"hmac-sha2-256", S2SVPN_INTEG_HMAC_SHA2_256_128, 0},
    {"hmac-sha2-384", S2SVPN_INTEG_HMAC_SHA2_384_192, 0},
    {"hmac-sha2-512", S2SVPN_INTEG_HMAC_SHA2_512_256, 0},
    {"hmac-sha-256", S2SVPN_INTEG_HMAC_SHA2_256_128, 0},
    {"hmac-sha-384", S2SVPN_INTEG_HMAC_SHA2_384_192, 0},
    {"hmac-sha-512", S2SVPN_INTEG_HMAC_SHA2_512_256, 0},
    {"hmac-sha-256-128", S2SVPN_INTEG_HMAC_SHA2_256_128, 0},
    {"hmac-sha-384-192", S2SVPN_INTEG_HMAC_SHA2_384_192, 0},
    {"hmac-sha-512-256", S2SVPN_INTEG_HMAC_SHA2_512_256, 0},
    {NULL, 0, 0},
};

static const uint16_t groups[] = {
    S2SVPN_KE_MODP_1024,     S2SVPN_KE_MODP_1536,  S2SVPN_KE_MODP_2048,     S2SVPN_KE_MODP_3072,
    S2SVPN_KE_MODP_4096,     S2SVPN_KE_MODP_6144,  S2SVPN_KE_MODP_8192,     S2SVPN_KE_ECP_256,
    S2SVPN_KE_ECP_384,       S2SVPN_KE_ECP_521,    S2SVPN_KE_MODP_1024_160, S2SVPN_KE_MODP_2048_224,
    S2SVPN_KE_MODP_2048_256, S2SVPN_KE_CURVE25519,
};

/* Lower case, without what doesn't count. A word that is too long is left empty: it
 * is none of ours. */
static void make_plain(const char *text, char out[PLAIN_SIZE])
{
    size_t n = 0;

    for (; *text != '\0'; text++) {
        if (*text == '-' || *text == '_' || *text == ' ')
            continue;
        if (n == PLAIN_SIZE - 1) {
            n = 0;
            break;
        }
        out[n++] = (char)(*text >= 'A' && *text <= 'Z' ? *text - 'A' + 'a' : *text);
    }
    out[n] = '\0';
}

static const struct word *find_word(const struct word *words, const char *plain)
{
    for (; words->text != NULL; words++) {
        char other[PLAIN_SIZE];

        make_plain(words->text, other);
        if (strcmp(plain, other) == 0)
            return words;
    }
    return NULL;
}

static const char *word_of(const struct word *words, uint16_t id, uint16_t bits)
{
    for (; words->text != NULL; words++) {
        if (words->id == id && words->key_bits == bits)
            return words->text;
    }
    return "";
}

bool s2_config_read_encr(const char *text, uint16_t *encr, uint16_t *bits)
{
    char plain[PLAIN_SIZE];

    make_plain(text, plain);
    const struct word *w = find_word(encr_words, plain);
    if (w == NULL)
        return false;
    *encr = w->id;
    *bits = w->key_bits;
    return true;
}

bool s2_config_read_integ(const char *text, uint16_t *integ)
{
    char plain[PLAIN_SIZE];

    make_plain(text, plain);
    const struct word *w = find_word(hash_words, plain);
    if (w == NULL)
        w = find_word(mac_words, plain);
    if (w == NULL)
        return false;
    *integ = w->id;
    return true;
}

/* "group2", "2", "dh-group-2". */
bool s2_config_read_group(const char *text, uint16_t *ke)
{
    char plain[PLAIN_SIZE];
    const char *number = plain;
    uint64_t v;

    make_plain(text, plain);
    if (strncmp(number, "dh", 2) == 0)
        number += 2;
    if (strncmp(number, "group", 5) == 0)
        number += 5;
    if (!s2_read_number(number, strlen(number), UINT16_MAX, &v))
        return false;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        if (groups[i] == v) {
            *ke = (uint16_t)v;
            return true;
        }
    }
    return false;
}

const char *s2_config_encr_word(uint16_t encr, uint16_t bits)
{
    return word_of(encr_words, encr, bits);
}

const char *s2_config_hash_word(uint16_t integ)
{
    return word_of(hash_words, integ, 0);
}

const char *s2_config_mac_word(uint16_t integ)
{
    return word_of(mac_words, integ, 0);
}
