/* SPDX-License-Identifier: Apache-2.0 */
/* Suites, sessions and laid-out packets for the tests of ESP. */
#include "esp_packet.h"

#include <string.h>

#define WITH_EACH_INTEG(name, encr, bits)                                                          \
    {name " SHA1-96", encr, bits, S2SVPN_INTEG_HMAC_SHA1_96},                                      \
        {name " SHA2-256-128", encr, bits, S2SVPN_INTEG_HMAC_SHA2_256_128},                        \
        {name " SHA2-384-192", encr, bits, S2SVPN_INTEG_HMAC_SHA2_384_192},                        \
    {                                                                                              \
        name " SHA2-512-256", encr, bits, S2SVPN_INTEG_HMAC_SHA2_512_256                           \
    }

const struct suite suites[SUITES] = {
    {"AES-128-GCM", S2SVPN_ENCR_AES_GCM_16, 128, 0},
    {"AES-192-GCM", S2SVPN_ENCR_AES_GCM_16, 192, 0},
    {"AES-256-GCM", S2SVPN_ENCR_AES_GCM_16, 256, 0},
    {"ChaCha20-Poly1305", S2SVPN_ENCR_CHACHA20_POLY1305, 0, 0},
    WITH_EACH_INTEG("AES-128-CBC", S2SVPN_ENCR_AES_CBC, 128),
    WITH_EACH_INTEG("AES-192-CBC", S2SVPN_ENCR_AES_CBC, 192),
    WITH_EACH_INTEG("AES-256-CBC", S2SVPN_ENCR_AES_CBC, 256),
    WITH_EACH_INTEG("NULL", S2SVPN_ENCR_NULL, 0),
};

void *session_new(const struct suite *s, bool esn, bool outbound, unsigned seed)
{
    const s2svpn_algorithm *encr = find_row(S2SVPN_TRANSFORM_ENCR, s->encr, s->key_bits);
    const s2svpn_algorithm *integ = find_row(S2SVPN_TRANSFORM_INTEG, s->integ, 0);
    uint8_t encr_key[S2SVPN_KEY_MAX], integ_key[S2SVPN_KEY_MAX];
    s2svpn_esp_session_spec spec = {
        .size = sizeof(spec),
        .encr = s->encr,
        .key_bits = s->key_bits,
        .integ = s->integ,
        .esn = esn,
        .outbound = outbound,
        .encr_key = {encr_key, encr->key_len},
        .integ_key = {integ_key, integ != NULL ? integ->key_len : 0},
    };
    void *session = NULL;

    fill(encr_key, sizeof(encr_key), seed);
    fill(integ_key, sizeof(integ_key), seed + 1);
    if (s2svpn_crypto_openssl()->esp_session_new(NULL, &spec, &session) != S2SVPN_OK)
        return NULL;
    memset(encr_key, 0, sizeof(encr_key)); /* borrowed for the call only */
    memset(integ_key, 0, sizeof(integ_key));
    return session;
}

void session_free(void *session)
{
    s2svpn_crypto_openssl()->esp_session_free(NULL, session);
}

void *worker_new(void)
{
    void *worker = NULL;

    return s2svpn_crypto_openssl()->esp_worker_new(NULL, &worker) == S2SVPN_OK ? worker : NULL;
}

void worker_free(void *worker)
{
    s2svpn_crypto_openssl()->esp_worker_free(NULL, worker);
}

static void put(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

void packet_lay(struct packet *p, const struct suite *s, size_t len, uint32_t spi, uint64_t seq,
                unsigned seed)
{
    const s2svpn_algorithm *encr = find_row(S2SVPN_TRANSFORM_ENCR, s->encr, s->key_bits);
    const s2svpn_algorithm *integ = find_row(S2SVPN_TRANSFORM_INTEG, s->integ, 0);

    memset(p->bytes, 0xee, sizeof(p->bytes));
    p->iv_len = encr->iv_len;
    p->icv_len = integ != NULL ? integ->out_len : encr->out_len;
    p->text_len = len;
    p->iv = p->bytes + 8;
    p->text = p->iv + p->iv_len;
    p->icv = p->text + len;
    put(p->bytes, spi);
    put(p->bytes + 4, (uint32_t)seq);
    fill(p->text, len, seed);
}

s2svpn_esp_op packet_op(struct packet *p, const void *session, const uint8_t *in, uint32_t spi,
                        uint64_t seq)
{
    s2svpn_esp_op op = {
        .session = session,
        .in[0] = {in, (uint32_t)p->text_len},
        .out = p->text,
        .seq = seq,
        .spi = spi,
        .result = 0xff,
        .iv = p->iv,
        .icv = p->icv,
    };

    return op;
}
