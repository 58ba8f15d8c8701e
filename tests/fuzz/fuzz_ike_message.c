/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: a whole IKE message: header, chain, bodies; SK is opened by crypto
 * that takes an ICV of zeros for right and leaves the text as it is, so that what is
 * inside is reached as well. */
#include <stdlib.h>
#include <string.h>

#include "ike/keys.h"
#include "tests/fuzz/ike_chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static s2svpn_status integ(void *user, uint16_t number, s2svpn_span key, const s2svpn_span *in,
                           size_t n, uint8_t *icv)
{
    (void)user;
    (void)number;
    (void)key;
    (void)in;
    (void)n;
    memset(icv, 0, 12);
    return S2SVPN_OK;
}

static s2svpn_status ike_cbc(void *user, uint16_t encr, bool encrypt, s2svpn_span key,
                             const uint8_t *iv, uint8_t *data, size_t len)
{
    (void)user;
    (void)encr;
    (void)encrypt;
    (void)key;
    (void)iv;
    (void)data;
    return len % 16 == 0 ? S2SVPN_OK : S2SVPN_E_CRYPTO;
}

static s2svpn_status ike_aead(void *user, uint16_t encr, bool seal, s2svpn_span key,
                              const uint8_t *iv, s2svpn_span aad, uint8_t *data, size_t len,
                              uint8_t *icv)
{
    uint8_t bad = 0;

    (void)user;
    (void)encr;
    (void)seal;
    (void)key;
    (void)iv;
    s2_fuzz_demand(data == iv + 8 && icv == data + len && iv == aad.p + aad.len);
    for (size_t i = 0; i < 16; i++)
        bad |= icv[i];
    return bad == 0 ? S2SVPN_OK : S2SVPN_E_AUTHENTICATION;
}

static const s2svpn_algorithm rows[] = {
    {.type = 1, .id = 12, .key_bits = 128, .key_len = 16, .iv_len = 16, .block_len = 16},
    {.type = 1,
     .id = 20,
     .key_bits = 128,
     .key_len = 20,
     .iv_len = 8,
     .block_len = 1,
     .out_len = 16},
    {.type = 3, .id = 2, .key_len = 20, .out_len = 12},
    {.type = 0},
};
static const s2svpn_crypto_ops ops = {.size = sizeof(ops),
                                      .algorithms = rows,
                                      .integ = integ,
                                      .ike_cbc = ike_cbc,
                                      .ike_aead = ike_aead};

static void open_sk(const uint8_t *data, size_t size, const struct s2_ike_payload *sk, bool aead)
{
    const struct s2_ike_crypto c = {&ops, NULL};
    const struct s2_ike_keys k = {.suite = {.encr = aead ? 20 : 12, .key_bits = 128},
                                  .encr = &rows[aead ? 1 : 0],
                                  .integ = aead ? NULL : &rows[2]};
    uint8_t *copy = malloc(size);
    struct s2_ike_payloads list;
    s2svpn_span inner;

    s2_fuzz_demand(copy != NULL);
    memcpy(copy, data, size);
    const struct s2_ike_payload here = {sk->type, sk->next,
                                        s2_span(copy + (sk->body.p - data), sk->body.len)};
    if (s2_ike_sk_open(&c, &k, true, copy, size, &here, &inner) == S2SVPN_OK) {
        s2_fuzz_demand(inner.len < here.body.len);
        s2_fuzz_ike_chain(here.next, inner, &list);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t wire[S2_IKE_HEADER_LEN];
    struct s2_ike_payloads list;
    struct s2_ike_header h;
    struct s2_reader r;
    struct s2_writer w;

    if (size > S2_IKE_MESSAGE_MAX)
        return 0;
    s2_reader_init(&r, data, size);
    if (s2_ike_parse_header(&r, &h) != S2SVPN_OK)
        return 0;
    s2_writer_init(&w, wire, sizeof(wire));
    s2_ike_write_header(&w, &h);
    s2_fuzz_demand(s2_writer_finish(&w) == S2SVPN_OK && memcmp(wire, data, sizeof(wire)) == 0);
    if (!s2_fuzz_ike_chain(h.next_payload, s2_read_rest(&r), &list))
        return 0;
    const struct s2_ike_payload *sk = s2_ike_find(&list, S2_IKE_PAYLOAD_SK);
    if (sk != NULL) {
        open_sk(data, size, sk, false);
        open_sk(data, size, sk, true);
    }
    return 0;
}
