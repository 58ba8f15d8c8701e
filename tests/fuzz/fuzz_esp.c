/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ESP packets from a stranger and from a peer that holds the key. The first two
 * bytes choose; what follows is, by turns,
 *
 *     a datagram that nobody sealed,
 *     a plain text with its trailer, sealed here with the number that the next
 *     eight bytes give: only so do foreign bytes get behind the ICV,
 *     an inner packet that goes through both halves of the engine and must come
 *     out as it went in, or with one bit changed must not come out at all.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "esp/esp.h"
#include "tests/unit/esp/fake_crypto.h"

#define ROOM 66000
#define SPI UINT32_C(0x01020304)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t keys[64] = {1, 2, 3, 4, 5, 6, 7, 8};

static const struct {
    struct s2_esp_suite suite;
    size_t encr_len, integ_len;
} suites[4] = {
    {{S2SVPN_ENCR_AES_GCM_16, 128, 0}, 20, 0},
    {{S2SVPN_ENCR_CHACHA20_POLY1305, 0, 0}, 36, 0},
    {{S2SVPN_ENCR_AES_CBC, 128, S2SVPN_INTEG_HMAC_SHA1_96}, 16, 20},
    {{S2SVPN_ENCR_NULL, 0, S2SVPN_INTEG_HMAC_SHA2_512_256}, 0, 64},
};

struct ends {
    struct s2_fake_crypto fake;
    struct s2_esp_lane lane;
    struct s2_esp_sa *out, *in;
};

static void check(bool good)
{
    if (!good)
        abort();
}

/* What every opened or dropped packet must look like. */
static void check_opened(const struct ends *e, const struct s2_esp_open *v)
{
    check(v->drop < S2SVPN_DROP_COUNT);
    if (v->drop != S2SVPN_DROP_NONE) {
        check(v->inner.len == 0);
        return;
    }
    check(v->next_header == 4 || v->next_header == 41);
    check(v->inner.p == v->out && v->inner.len <= v->len);
    check(e->in->seq > 0);
}

static void open_packet(struct ends *e, struct s2_esp_open *v)
{
    *v = (struct s2_esp_open){.sa = e->in, .p = v->p, .len = v->len, .out = v->out};
    s2_esp_open(&e->lane, v, 1, 1);
    check_opened(e, v);
}

static void stranger(struct ends *e, const uint8_t *data, size_t size, bool in_place)
{
    static uint8_t packet[ROOM], beside[ROOM];
    const size_t head = S2_ESP_HEADER_LEN + (size_t)e->in->form.iv_len;
    uint32_t spi;

    if (size > ROOM)
        return;
    memcpy(packet, data, size);
    check(s2_esp_peek_spi(packet, size, &spi) == (size >= 8));
    struct s2_esp_open v = {.p = packet, .len = size, .out = in_place ? packet + head : beside};
    open_packet(e, &v);
    check(v.drop != S2SVPN_DROP_NONE); /* nobody guesses the key */
    check(e->in->seq == 0);
}

/* Twice the same packet: the second is always a replay, if the first was authentic. */
static void peer(struct ends *e, const uint8_t *data, size_t size)
{
    static uint8_t packet[ROOM], beside[ROOM];
    const struct s2_esp_form *form = &e->in->form;
    const size_t head = S2_ESP_HEADER_LEN + (size_t)form->iv_len;

    if (size < 8 || size > 60000)
        return;
    const size_t len = (size - 8) / form->block_len * form->block_len;
    s2svpn_esp_op op = {
        .session = e->out->session,
        .in = {{data + 8, (uint32_t)len}},
        .out = packet + head,
        .seq = e->in->esn ? s2_get_u64(data) : s2_get_u32(data),
        .spi = SPI,
        .iv = packet + S2_ESP_HEADER_LEN,
        .icv = packet + head + len,
    };
    s2_put_u32(packet, SPI);
    s2_put_u32(packet + 4, (uint32_t)op.seq);
    e->lane.crypto->esp_seal(&e->fake, e->lane.crypto_worker, &op, 1);
    for (int i = 0; i < 2; i++) {
        struct s2_esp_open v = {.p = packet, .len = head + len + form->icv_len, .out = beside};

        open_packet(e, &v);
        check(v.drop != S2SVPN_DROP_ESP_AUTHENTICATION || e->in->esn);
        check(i == 0 || !e->in->window_used || v.drop != S2SVPN_DROP_NONE);
    }
}

static void round_trip(struct ends *e, const uint8_t *data, size_t size, bool spoil)
{
    static uint8_t packet[ROOM];
    uint8_t *const plain = packet + S2_ESP_HEADER_LEN + e->in->form.iv_len;

    if (size < 2 || size > 65000)
        return;
    const size_t cut = s2_get_u16(data) % (size - 1);
    struct s2_esp_seal s = {
        .sa = e->out,
        .piece = {s2_span(data + 2, cut), s2_span(data + 2 + cut, size - 2 - cut)},
        .out = packet,
        .room = s2_esp_sealed_len(&e->out->form, size - 2),
        .next_header = 4,
    };
    s2_esp_seal(&e->lane, &s, 1, 1);
    check(s.drop == S2SVPN_DROP_NONE && s.len == s.room);
    if (spoil)
        packet[4 + s2_get_u16(data) % (s.len - 4)] ^= 0x40;
    struct s2_esp_open v = {.p = packet, .len = s.len, .out = plain};
    open_packet(e, &v);
    check((v.drop == S2SVPN_DROP_NONE) != spoil);
    if (!spoil)
        check(s2_span_equal(v.inner, s2_span(data + 2, size - 2)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t windows[4] = {64, 1024, 8192, 0};
    const struct s2_env env = {.memory = s2_memory_default()};
    struct ends e = {.fake = {.env = &env}};

    if (size < 2)
        return 0;
    const s2svpn_crypto_ops *crypto =
        (data[0] & 1) != 0 ? &s2_fake_crypto_gather : &s2_fake_crypto_plain;
    const size_t suite = data[0] >> 1 & 3;
    struct s2_esp_spec spec = {
        .suite = suites[suite].suite,
        .spi = SPI,
        .esn = (data[0] & 8) != 0,
        .window = windows[data[0] >> 4 & 3],
        .encr_key = s2_span(keys, suites[suite].encr_len),
        .integ_key = s2_span(keys, suites[suite].integ_len),
    };
    check(s2_esp_lane_init(&e.lane, crypto, &e.fake) == S2SVPN_OK);
    check(s2_esp_sa_new(&env, crypto, &e.fake, &spec, &e.in) == S2SVPN_OK);
    spec.outbound = true;
    check(s2_esp_sa_new(&env, crypto, &e.fake, &spec, &e.out) == S2SVPN_OK);
    switch (data[1] & 3) {
    case 0:
        stranger(&e, data + 2, size - 2, (data[1] & 4) != 0);
        break;
    case 1:
        peer(&e, data + 2, size - 2);
        break;
    default:
        round_trip(&e, data + 2, size - 2, (data[1] & 3) == 3);
        break;
    }
    check(e.fake.misuse == 0);
    s2_esp_sa_free(&env, e.in);
    s2_esp_sa_free(&env, e.out);
    s2_esp_lane_clear(&e.lane);
    return 0;
}
