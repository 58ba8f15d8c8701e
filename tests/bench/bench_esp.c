/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of the crypto library's own speed is left when packets are sealed and
 * opened: s2_esp_seal and s2_esp_open over the OpenSSL backend, in memory, one
 * thread, batches of 64, beside OpenSSL alone in the same run. AES-128-GCM.
 *
 *     raw        one prepared context; for each packet its IV, 8 bytes of AAD, one
 *                payload and the tag: what any AEAD packet costs
 *     bare       the same without AAD and tag: no protocol could use it
 *     esp_seal   one piece, not in place: number, padding, limits, counters
 *     esp_seal2  two pieces, a header of 52 bytes and the rest, as segments come
 *     esp_open   not in place, with the replay window
 *
 * The variants take turns for ROUNDS rounds, so that a slow moment of the machine
 * hits all; the figures are medians. Lines are "name value unit" and
 * "ratio name/raw value".
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "base/bytes.h"
#include "esp/esp.h"

#define BATCH 64
#define ROUNDS 101
#define TURN_NS UINT64_C(3000000)
#define BATCHES 4 /* between two looks at the clock */
#define ROOM 1536
#define HEADER 52 /* IP and TCP with timestamps */

static const uint8_t key[20] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                11, 12, 13, 14, 15, 16, 17, 18, 19, 20};

struct bench {
    size_t len; /* of the payload */
    EVP_CIPHER_CTX *seal_ctx, *open_ctx;
    struct s2_env env;
    struct s2_esp_lane lane;
    struct s2_esp_sa *out, *in;
    struct s2_esp_seal seal[BATCH];
    struct s2_esp_open open[BATCH];
    uint8_t plain[BATCH][ROOM];
    uint8_t sealed[BATCH][ROOM];
    uint8_t raw_sealed[BATCH][ROOM]; /* ciphertext and tag, of raw's own */
    uint8_t scratch[BATCH][ROOM];
};

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench_esp: %s\n", what);
    exit(1);
}

/* The thread's own time: other programs on the machine cost none of it. */
static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- OpenSSL alone ---- */

static void raw_seal(struct bench *b)
{
    static uint64_t seq;
    uint8_t nonce[12] = {0}, aad[8] = {0};
    int n = 0;

    for (size_t i = 0; i < BATCH; i++) {
        uint8_t *out = b->scratch[i];

        s2_put_u64(nonce + 4, ++seq);
        if (EVP_EncryptInit_ex(b->seal_ctx, NULL, NULL, NULL, nonce) != 1 ||
            EVP_EncryptUpdate(b->seal_ctx, NULL, &n, aad, sizeof(aad)) != 1 ||
            EVP_EncryptUpdate(b->seal_ctx, out, &n, b->plain[i], (int)b->len) != 1 ||
            EVP_EncryptFinal_ex(b->seal_ctx, out + n, &n) != 1 ||
            EVP_CIPHER_CTX_ctrl(b->seal_ctx, EVP_CTRL_AEAD_GET_TAG, 16, out + b->len) != 1)
            must(false, "OpenSSL seals nothing");
    }
}

static void bare_seal(struct bench *b)
{
    static uint64_t seq;
    uint8_t nonce[12] = {0};
    int n = 0;

    for (size_t i = 0; i < BATCH; i++) {
        s2_put_u64(nonce + 4, ++seq);
        if (EVP_EncryptInit_ex(b->seal_ctx, NULL, NULL, NULL, nonce) != 1 ||
            EVP_EncryptUpdate(b->seal_ctx, b->scratch[i], &n, b->plain[i], (int)b->len) != 1 ||
            EVP_EncryptFinal_ex(b->seal_ctx, b->scratch[i] + n, &n) != 1)
            must(false, "OpenSSL seals nothing");
    }
}

static void raw_open(struct bench *b)
{
    uint8_t nonce[12] = {0}, aad[8] = {0};
    int n = 0;

    for (size_t i = 0; i < BATCH; i++) {
        s2_put_u64(nonce + 4, i + 1);
        if (EVP_DecryptInit_ex(b->open_ctx, NULL, NULL, NULL, nonce) != 1 ||
            EVP_CIPHER_CTX_ctrl(b->open_ctx, EVP_CTRL_AEAD_SET_TAG, 16,
                                b->raw_sealed[i] + b->len) != 1 ||
            EVP_DecryptUpdate(b->open_ctx, NULL, &n, aad, sizeof(aad)) != 1 ||
            EVP_DecryptUpdate(b->open_ctx, b->scratch[i], &n, b->raw_sealed[i], (int)b->len) != 1 ||
            EVP_DecryptFinal_ex(b->open_ctx, b->scratch[i] + n, &n) != 1)
            must(false, "OpenSSL opens nothing");
    }
}

/* ---- the engine ---- */

static void esp_seal(struct bench *b)
{
    for (size_t i = 0; i < BATCH; i++)
        b->seal[i] = (struct s2_esp_seal){.sa = b->out,
                                          .piece = {{b->plain[i], b->len}},
                                          .out = b->scratch[i],
                                          .room = ROOM,
                                          .next_header = 4};
    s2_esp_seal(&b->lane, b->seal, BATCH, 1);
    must(b->seal[BATCH - 1].drop == S2SVPN_DROP_NONE, "the engine seals nothing");
}

static void esp_seal_two(struct bench *b)
{
    for (size_t i = 0; i < BATCH; i++)
        b->seal[i] = (struct s2_esp_seal){
            .sa = b->out,
            .piece = {{b->plain[i], HEADER}, {b->plain[i] + HEADER, b->len - HEADER}},
            .out = b->scratch[i],
            .room = ROOM,
            .next_header = 4};
    s2_esp_seal(&b->lane, b->seal, BATCH, 1);
    must(b->seal[BATCH - 1].drop == S2SVPN_DROP_NONE, "the engine seals nothing");
}

/* The same packets each time, so the window is set back; that is inside the time. */
static void esp_open(struct bench *b)
{
    const size_t len = s2_esp_sealed_len(&b->in->form, b->len);

    b->in->seq = 0;
    memset(b->in->bitmap, 0, (b->in->bitmap_mask + 1) * sizeof(uint64_t));
    for (size_t i = 0; i < BATCH; i++)
        b->open[i] =
            (struct s2_esp_open){.sa = b->in, .p = b->sealed[i], .len = len, .out = b->scratch[i]};
    s2_esp_open(&b->lane, b->open, BATCH, 1);
    must(b->open[BATCH - 1].drop == S2SVPN_DROP_NONE, "the engine opens nothing");
}

static const struct {
    const char *name;
    void (*run)(struct bench *b);
    int raw; /* index of what its ratio is to; -1: of none */
} variants[] = {
    {"raw_seal", raw_seal, -1},     {"bare_seal", bare_seal, -1}, {"esp_seal", esp_seal, 0},
    {"esp_seal2", esp_seal_two, 0}, {"raw_open", raw_open, -1},   {"esp_open", esp_open, 4},
};
#define VARIANTS (sizeof(variants) / sizeof(variants[0]))

/* ---- */

static struct s2_esp_sa *make_sa(struct bench *b, bool outbound)
{
    const struct s2_esp_spec spec = {
        .suite = {S2SVPN_ENCR_AES_GCM_16, 128, 0},
        .spi = 0x1000,
        .outbound = outbound,
        .window = 1024,
        .encr_key = {key, sizeof(key)},
    };
    struct s2_esp_sa *sa = NULL;

    must(s2_esp_sa_new(&b->env, s2svpn_crypto_openssl(), NULL, &spec, &sa) == S2SVPN_OK,
         "no security association");
    return sa;
}

static void begin(struct bench *b, size_t len)
{
    b->len = len;
    b->env.memory = s2_memory_default();
    memset(b->plain, 0x45, sizeof(b->plain));
    b->seal_ctx = EVP_CIPHER_CTX_new();
    b->open_ctx = EVP_CIPHER_CTX_new();
    must(b->seal_ctx != NULL && b->open_ctx != NULL &&
             EVP_EncryptInit_ex(b->seal_ctx, EVP_aes_128_gcm(), NULL, key, NULL) == 1 &&
             EVP_DecryptInit_ex(b->open_ctx, EVP_aes_128_gcm(), NULL, key, NULL) == 1,
         "no OpenSSL context");
    must(s2_esp_lane_init(&b->lane, s2svpn_crypto_openssl(), NULL) == S2SVPN_OK, "no lane");
    b->out = make_sa(b, true);
    b->in = make_sa(b, false);
    esp_seal(b); /* numbers 1 to 64 */
    memcpy(b->sealed, b->scratch, sizeof(b->sealed));
    raw_seal(b);
    memcpy(b->raw_sealed, b->scratch, sizeof(b->raw_sealed));
    for (size_t i = 0; i < BATCH; i++) { /* with the numbers that raw_open takes */
        uint8_t nonce[12] = {0}, aad[8] = {0};
        int n = 0;

        s2_put_u64(nonce + 4, i + 1);
        must(EVP_EncryptInit_ex(b->seal_ctx, NULL, NULL, NULL, nonce) == 1 &&
                 EVP_EncryptUpdate(b->seal_ctx, NULL, &n, aad, sizeof(aad)) == 1 &&
                 EVP_EncryptUpdate(b->seal_ctx, b->raw_sealed[i], &n, b->plain[i], (int)len) == 1 &&
                 EVP_EncryptFinal_ex(b->seal_ctx, b->raw_sealed[i] + n, &n) == 1 &&
                 EVP_CIPHER_CTX_ctrl(b->seal_ctx, EVP_CTRL_AEAD_GET_TAG, 16,
                                     b->raw_sealed[i] + len) == 1,
             "OpenSSL seals nothing");
    }
}

static void end(struct bench *b)
{
    s2_esp_sa_free(&b->env, b->out);
    s2_esp_sa_free(&b->env, b->in);
    s2_esp_lane_clear(&b->lane);
    EVP_CIPHER_CTX_free(b->seal_ctx);
    EVP_CIPHER_CTX_free(b->open_ctx);
}

/* Packets a second over one turn. */
static double turn(struct bench *b, void (*run)(struct bench *b))
{
    const uint64_t start = now_ns();
    uint64_t packets = 0, passed = 0;

    do {
        for (size_t i = 0; i < BATCHES; i++)
            run(b);
        packets += BATCHES * BATCH;
        passed = now_ns() - start;
    } while (passed < TURN_NS);
    return (double)packets * 1e9 / (double)passed;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void measure(struct bench *b, size_t len)
{
    double rate[VARIANTS][ROUNDS], ratio[VARIANTS][ROUNDS];

    begin(b, len);
    for (size_t v = 0; v < VARIANTS; v++)
        turn(b, variants[v].run); /* warm */
    for (size_t r = 0; r < ROUNDS; r++) {
        for (size_t v = 0; v < VARIANTS; v++)
            rate[v][r] = turn(b, variants[v].run);
        for (size_t v = 0; v < VARIANTS; v++)
            ratio[v][r] = variants[v].raw >= 0 ? rate[v][r] / rate[variants[v].raw][r] : 0;
    }
    for (size_t v = 0; v < VARIANTS; v++) {
        qsort(rate[v], ROUNDS, sizeof(double), by_value);
        qsort(ratio[v], ROUNDS, sizeof(double), by_value);
        const double pps = rate[v][ROUNDS / 2];
        printf("%s_%zu %.2f Mpps\n", variants[v].name, len, pps / 1e6);
        printf("%s_%zu %.2f Gbit/s\n", variants[v].name, len, pps * (double)len * 8 / 1e9);
    }
    for (size_t v = 0; v < VARIANTS; v++) {
        if (variants[v].raw >= 0)
            printf("ratio %s_%zu/%s_%zu %.3f\n", variants[v].name, len,
                   variants[variants[v].raw].name, len, ratio[v][ROUNDS / 2]);
    }
    end(b);
}

int main(void)
{
    static struct bench b;

    if (s2svpn_crypto_openssl() == NULL) {
        printf("skip bench_esp (built without OpenSSL)\n");
        return 77;
    }
    measure(&b, 64);
    measure(&b, 1400);
    return 0;
}
