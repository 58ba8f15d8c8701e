/* SPDX-License-Identifier: Apache-2.0 */
/* Two ends of one SA over a backend: the outbound half seals, the inbound half of
 * the peer opens. */
#ifndef S2_TESTS_ESP_PAIR_H
#define S2_TESTS_ESP_PAIR_H

#include "esp/esp.h"
#include "fake_crypto.h"
#include "fake_env.h"

#define PAIR_SPI UINT32_C(0x01020304)

struct s2_pair {
    struct s2_fake_env env;
    struct s2_fake_crypto fake; /* used if the table is one of the fakes */
    struct s2_esp_lane lane;
    struct s2_esp_sa *out, *in;
    struct s2_esp_form form;
};

/* A suite by its numbers, with keys of the right lengths: bytes that count up. */
struct s2_esp_spec s2_pair_spec(const s2svpn_crypto_ops *crypto, uint16_t encr, uint16_t key_bits,
                                uint16_t integ);
/* Makes both halves after spec, whose outbound is ignored. False, and nothing left
 * to end, if it couldn't. */
bool s2_pair_begin(struct s2_pair *p, const s2svpn_crypto_ops *crypto,
                   const struct s2_esp_spec *spec);
/* The usual: fake crypto, the fake AEAD, window of 64. */
void s2_pair_begin_fake(struct s2_pair *p);
/* Checks that nothing is left over. */
void s2_pair_end(struct s2_pair *p);

/* One packet; returns the drop reason. out has room for 65600 bytes. */
enum s2svpn_drop s2_pair_seal(struct s2_pair *p, s2svpn_span inner, uint8_t next_header,
                              uint8_t *out, size_t *len);
/* Opens in place; inner lies in the packet then. */
enum s2svpn_drop s2_pair_open(struct s2_pair *p, uint8_t *packet, size_t len, s2svpn_span *inner);

/* Bytes that count up from first. */
void s2_fill(uint8_t *p, size_t len, uint8_t first);

#endif
