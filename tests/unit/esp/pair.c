/* SPDX-License-Identifier: Apache-2.0 */
/* Two ends of one SA, for the tests of esp. */
#include "pair.h"

#include <CUnit/CUnit.h>

#include "base/bytes.h"

#define ROOM 65600
#define NOW 7

static const uint8_t keys[256] = {
    1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
    24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46,
    47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68};

void s2_fill(uint8_t *p, size_t len, uint8_t first)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)(first + i);
}

struct s2_esp_spec s2_pair_spec(const s2svpn_crypto_ops *crypto, uint16_t encr, uint16_t key_bits,
                                uint16_t integ)
{
    const s2svpn_algorithm *e = s2_esp_algorithm(crypto, S2SVPN_TRANSFORM_ENCR, encr, key_bits);
    const s2svpn_algorithm *i = s2_esp_algorithm(crypto, S2SVPN_TRANSFORM_INTEG, integ, 0);

    return (struct s2_esp_spec){
        .suite = {encr, key_bits, integ},
        .spi = PAIR_SPI,
        .window = 64,
        .encr_key = s2_span(keys, e != NULL ? e->key_len : 0),
        .integ_key = s2_span(keys + 32, i != NULL ? i->key_len : 0),
    };
}

bool s2_pair_begin(struct s2_pair *p, const s2svpn_crypto_ops *crypto,
                   const struct s2_esp_spec *spec)
{
    struct s2_esp_spec half = *spec;

    *p = (struct s2_pair){0};
    s2_fake_env_init(&p->env, 1);
    p->fake.env = &p->env.env;
    if (s2_esp_form_of(crypto, &spec->suite, &p->form) != S2SVPN_OK ||
        s2_esp_lane_init(&p->lane, crypto, &p->fake) != S2SVPN_OK)
        return false;
    half.outbound = true;
    if (s2_esp_sa_new(&p->env.env, crypto, &p->fake, &half, &p->out) != S2SVPN_OK)
        goto fail;
    half.outbound = false;
    if (s2_esp_sa_new(&p->env.env, crypto, &p->fake, &half, &p->in) != S2SVPN_OK)
        goto fail;
    return true;
fail:
    s2_esp_sa_free(&p->env.env, p->out);
    s2_esp_lane_clear(&p->lane);
    return false;
}

void s2_pair_begin_fake(struct s2_pair *p)
{
    const s2svpn_crypto_ops *crypto = &s2_fake_crypto_gather;
    const struct s2_esp_spec spec = s2_pair_spec(crypto, S2SVPN_ENCR_AES_GCM_16, 128, 0);

    if (!s2_pair_begin(p, crypto, &spec))
        CU_FAIL_FATAL("no pair of SAs");
}

void s2_pair_end(struct s2_pair *p)
{
    s2_esp_sa_free(&p->env.env, p->out);
    s2_esp_sa_free(&p->env.env, p->in);
    s2_esp_lane_clear(&p->lane);
    CU_ASSERT_EQUAL(p->env.live, 0);
    CU_ASSERT_EQUAL(p->fake.sessions, 0);
    CU_ASSERT_EQUAL(p->fake.workers, 0);
    CU_ASSERT_EQUAL(p->fake.misuse, 0);
}

enum s2svpn_drop s2_pair_seal(struct s2_pair *p, s2svpn_span inner, uint8_t next_header,
                              uint8_t *out, size_t *len)
{
    struct s2_esp_seal v = {
        .sa = p->out,
        .piece = {inner},
        .out = out,
        .room = ROOM,
        .next_header = next_header,
    };

    s2_esp_seal(&p->lane, &v, 1, NOW);
    *len = v.len;
    return (enum s2svpn_drop)v.drop;
}

enum s2svpn_drop s2_pair_open(struct s2_pair *p, uint8_t *packet, size_t len, s2svpn_span *inner)
{
    struct s2_esp_open v = {
        .sa = p->in,
        .p = packet,
        .len = len,
        .out = packet + S2_ESP_HEADER_LEN + p->form.iv_len,
    };

    s2_esp_open(&p->lane, &v, 1, NOW);
    *inner = v.inner;
    return (enum s2svpn_drop)v.drop;
}
