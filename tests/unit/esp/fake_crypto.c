/* SPDX-License-Identifier: Apache-2.0 */
/* The fake crypto table. Every bit of key, number, IV and text counts in the sum. */
#include "fake_crypto.h"

#include <string.h>

#include "base/bytes.h"

struct session {
    uint64_t key;
    uint16_t iv_len, icv_len, block_len;
    bool esn, outbound, aead;
};

static const s2svpn_algorithm algorithms[] = {
    {.type = S2SVPN_TRANSFORM_ENCR,
     .use = S2SVPN_USE_IKE | S2SVPN_USE_ESP,
     .id = S2SVPN_ENCR_AES_GCM_16,
     .key_bits = 128,
     .key_len = 20,
     .iv_len = 8,
     .block_len = 1,
     .out_len = 16},
    {.type = S2SVPN_TRANSFORM_ENCR,
     .use = S2SVPN_USE_IKE, /* not for ESP */
     .id = S2SVPN_ENCR_AES_GCM_16,
     .key_bits = 256,
     .key_len = 36,
     .iv_len = 8,
     .block_len = 1,
     .out_len = 16},
    {.type = S2SVPN_TRANSFORM_ENCR,
     .use = S2SVPN_USE_ESP,
     .id = S2SVPN_ENCR_CHACHA20_POLY1305,
     .key_len = 36,
     .iv_len = 8,
     .block_len = 1,
     .out_len = 16},
    {.type = S2SVPN_TRANSFORM_ENCR,
     .use = S2SVPN_USE_ESP,
     .id = S2SVPN_ENCR_AES_CBC,
     .key_bits = 128,
     .key_len = 16,
     .iv_len = 16,
     .block_len = 16},
    {.type = S2SVPN_TRANSFORM_ENCR, .use = S2SVPN_USE_ESP, .id = S2SVPN_ENCR_NULL, .block_len = 1},
    {.type = S2SVPN_TRANSFORM_INTEG,
     .use = S2SVPN_USE_ESP,
     .id = S2SVPN_INTEG_HMAC_SHA1_96,
     .key_len = 20,
     .out_len = 12},
    {.type = S2SVPN_TRANSFORM_INTEG,
     .use = S2SVPN_USE_ESP,
     .id = S2SVPN_INTEG_HMAC_SHA2_256_128,
     .key_len = 32,
     .out_len = 16},
    {.type = S2SVPN_TRANSFORM_INTEG,
     .use = S2SVPN_USE_ESP,
     .id = S2SVPN_INTEG_HMAC_SHA2_384_192,
     .key_len = 48,
     .out_len = 24},
    {.type = S2SVPN_TRANSFORM_INTEG,
     .use = S2SVPN_USE_ESP,
     .id = S2SVPN_INTEG_HMAC_SHA2_512_256,
     .key_len = 64,
     .out_len = 32},
    {.type = 0},
};

/* A step of the sum: mixes all bits (the finaliser of MurmurHash3, public domain,
 * has these constants). */
static uint64_t mix(uint64_t v)
{
    v = (v ^ v >> 33) * UINT64_C(0xff51afd7ed558ccd);
    v = (v ^ v >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return v ^ v >> 33;
}

static uint64_t sum_bytes(uint64_t sum, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum = mix(sum + p[i] + 1);
    return sum;
}

static void write_icv(const struct session *s, const s2svpn_esp_op *op, const uint8_t *text,
                      size_t len, uint8_t *icv)
{
    uint64_t sum = mix(s->key ^ op->spi);

    sum = mix(sum + (s->esn ? op->seq : (uint32_t)op->seq));
    sum = sum_bytes(sum, op->iv, s->iv_len);
    sum = sum_bytes(sum, text, len);
    for (size_t i = 0; i < s->icv_len; i += 4) {
        sum = mix(sum + i);
        s2_put_u32(icv + i, (uint32_t)sum);
    }
}

/* Byte i of a packet's keystream. */
static uint8_t stream(uint64_t start, size_t i)
{
    return (uint8_t)mix(start + i);
}

static const s2svpn_algorithm *find(uint8_t type, uint16_t id, uint16_t key_bits)
{
    for (const s2svpn_algorithm *a = algorithms; a->type != 0; a++) {
        if (a->type == type && a->id == id && a->key_bits == key_bits)
            return a;
    }
    return NULL;
}

static s2svpn_status session_new(void *user, const s2svpn_esp_session_spec *spec, void **session)
{
    struct s2_fake_crypto *f = user;
    const s2svpn_algorithm *encr = find(S2SVPN_TRANSFORM_ENCR, spec->encr, spec->key_bits);
    const s2svpn_algorithm *integ = find(S2SVPN_TRANSFORM_INTEG, spec->integ, 0);

    if (f->refuse_session || spec->size < sizeof(*spec))
        return S2SVPN_E_CRYPTO;
    if (encr == NULL || spec->encr_key.len != encr->key_len)
        return S2SVPN_E_ARGUMENT;
    struct session *s = s2_alloc(f->env, sizeof(*s));
    if (s == NULL)
        return S2SVPN_E_MEMORY;
    s->key = sum_bytes(1, spec->encr_key.p, spec->encr_key.len);
    s->key = sum_bytes(s->key, spec->integ_key.p, spec->integ_key.len);
    s->iv_len = encr->iv_len;
    s->icv_len = encr->out_len > 0 ? encr->out_len : integ->out_len;
    s->block_len = encr->block_len;
    s->aead = encr->out_len > 0;
    s->esn = spec->esn;
    s->outbound = spec->outbound;
    f->sessions++;
    *session = s;
    return S2SVPN_OK;
}

static void session_free(void *user, void *session)
{
    struct s2_fake_crypto *f = user;

    if (session == NULL)
        return;
    f->sessions--;
    s2_wipe(session, sizeof(struct session));
    s2_free(f->env, session);
}

static s2svpn_status worker_new(void *user, void **worker)
{
    struct s2_fake_crypto *f = user;

    *worker = s2_alloc(f->env, 16);
    if (*worker == NULL)
        return S2SVPN_E_MEMORY;
    f->workers++;
    return S2SVPN_OK;
}

static void worker_free(void *user, void *worker)
{
    struct s2_fake_crypto *f = user;

    f->workers--;
    s2_free(f->env, worker);
}

static void count(struct s2_fake_crypto *f, void *worker, size_t n)
{
    f->calls++;
    f->ops += n;
    if (n > f->largest)
        f->largest = n;
    if (worker == NULL || n == 0)
        f->misuse++;
}

/* Does a and its len bytes touch b and its len bytes? */
static bool overlap(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    return a < b + b_len && b < a + a_len;
}

static void check_seal(struct s2_fake_crypto *f, const s2svpn_esp_op *op, size_t total)
{
    const struct session *s = op->session;
    size_t pieces = 0;

    for (size_t i = 0; i < 3; i++) {
        if (op->in[i].len == 0)
            continue;
        pieces++;
        if (overlap(op->in[i].p, op->in[i].len, op->out, total) &&
            (op->in[i].p != op->out || op->in[i].len != total))
            f->misuse++;
    }
    if (pieces > f->pieces)
        f->pieces = pieces;
    f->misuse += !s->outbound || total % s->block_len != 0 || op->out != op->iv + s->iv_len ||
                 op->icv != op->out + total || s2_get_u32(op->iv - 8) != op->spi ||
                 s2_get_u32(op->iv - 4) != (uint32_t)op->seq;
}

static void seal_packets(void *user, void *worker, s2svpn_esp_op *ops, size_t n)
{
    struct s2_fake_crypto *f = user;

    count(f, worker, n);
    for (size_t k = 0; k < n; k++) {
        s2svpn_esp_op *op = &ops[k];
        const struct session *s = op->session;
        const size_t total = (size_t)op->in[0].len + op->in[1].len + op->in[2].len;
        size_t at = 0;

        check_seal(f, op, total);
        if (op->seq == f->refuse_seq) {
            op->result = S2SVPN_ESP_REFUSED;
            continue;
        }
        for (size_t i = 0; i < s->iv_len; i++)
            op->iv[i] = (uint8_t)(s->aead ? op->seq >> (8 * (7 - i)) : mix(op->seq + i));
        const uint64_t start = sum_bytes(s->key, op->iv, s->iv_len);
        for (size_t i = 0; i < 3; i++) {
            for (size_t j = 0; j < op->in[i].len; j++, at++)
                op->out[at] = op->in[i].p[j] ^ stream(start, at);
        }
        write_icv(s, op, op->out, total, op->icv);
        op->result = S2SVPN_ESP_OK;
    }
}

static void open_packets(void *user, void *worker, s2svpn_esp_op *ops, size_t n)
{
    struct s2_fake_crypto *f = user;

    count(f, worker, n);
    for (size_t k = 0; k < n; k++) {
        s2svpn_esp_op *op = &ops[k];
        const struct session *s = op->session;
        uint8_t icv[S2SVPN_ICV_MAX];

        f->misuse += s->outbound || op->in[0].len % s->block_len != 0 || op->in[1].len != 0 ||
                     op->in[2].len != 0;
        if (op->seq == f->refuse_seq) {
            op->result = S2SVPN_ESP_REFUSED;
            continue;
        }
        write_icv(s, op, op->in[0].p, op->in[0].len, icv);
        op->result = S2SVPN_ESP_AUTH;
        if (!s2_equal_ct(icv, op->icv, s->icv_len))
            continue;
        const uint64_t start = sum_bytes(s->key, op->iv, s->iv_len);
        for (size_t i = 0; i < op->in[0].len; i++)
            op->out[i] = op->in[0].p[i] ^ stream(start, i);
        op->result = S2SVPN_ESP_OK;
    }
}

#define TABLE(gather)                                                                              \
    {                                                                                              \
        .size = sizeof(s2svpn_crypto_ops), .name = "fake", .algorithms = algorithms,               \
        .esp_gather = (gather), .esp_worker_new = worker_new, .esp_worker_free = worker_free,      \
        .esp_session_new = session_new, .esp_session_free = session_free,                          \
        .esp_seal = seal_packets, .esp_open = open_packets,                                        \
    }

const s2svpn_crypto_ops s2_fake_crypto_gather = TABLE(true);
const s2svpn_crypto_ops s2_fake_crypto_plain = TABLE(false);
