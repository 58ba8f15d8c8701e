/* SPDX-License-Identifier: Apache-2.0 */
/* Suites, sessions and laid-out packets for the tests of ESP. */
#ifndef S2_TESTS_CRYPTO_ESP_PACKET_H
#define S2_TESTS_CRYPTO_ESP_PACKET_H

#include "support.h"

#define TEXT_MAX 2048

struct suite {
    const char *row;
    uint16_t encr, key_bits, integ;
};
#define SUITES 20
extern const struct suite suites[SUITES];

/* One packet: header, IV, text, ICV without gaps, and a guard behind. */
struct packet {
    uint8_t bytes[8 + 16 + TEXT_MAX + S2SVPN_ICV_MAX + 1];
    uint8_t *iv, *text, *icv;
    size_t iv_len, icv_len, text_len;
};

/* The key is made from seed. */
void *session_new(const struct suite *s, bool esn, bool outbound, unsigned seed);
void session_free(void *session);
void *worker_new(void);
void worker_free(void *worker);

/* Lay out a packet; the text is made from seed, and the header written. */
void packet_lay(struct packet *p, const struct suite *s, size_t len, uint32_t spi, uint64_t seq,
                unsigned seed);
/* The operation that seals text from in (one piece, in place if it is p->text), or
 * opens it. */
s2svpn_esp_op packet_op(struct packet *p, const void *session, const uint8_t *in, uint32_t spi,
                        uint64_t seq);

#endif
