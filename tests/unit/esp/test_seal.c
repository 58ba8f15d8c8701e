/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing: layout, padding, numbers, limits, and the three ways of input. */
#include "esp/esp.h"

#include <string.h>

#include "base/bytes.h"
#include "harness.h"
#include "pair.h"

#define ROOM 65600

static const s2svpn_crypto_ops *const tables[] = {&s2_fake_crypto_gather, &s2_fake_crypto_plain};

static const struct {
    const char *row;
    uint16_t encr, key_bits, integ;
} suites[] = {
    {"AEAD", S2SVPN_ENCR_AES_GCM_16, 128, 0},
    {"CBC", S2SVPN_ENCR_AES_CBC, 128, S2SVPN_INTEG_HMAC_SHA1_96},
    {"NULL", S2SVPN_ENCR_NULL, 0, S2SVPN_INTEG_HMAC_SHA2_256_128},
};
#define SUITES (sizeof(suites) / sizeof(suites[0]))

static void begin(struct s2_pair *p, const s2svpn_crypto_ops *crypto, size_t suite)
{
    const struct s2_esp_spec spec =
        s2_pair_spec(crypto, suites[suite].encr, suites[suite].key_bits, suites[suite].integ);

    if (!s2_pair_begin(p, crypto, &spec))
        CU_FAIL_FATAL("no pair of SAs");
}

/* The fake's plain text of a sealed packet, padding and all, without opening it
 * through the engine. */
static void decrypt(struct s2_pair *p, const uint8_t *packet, size_t len, uint8_t *plain)
{
    const size_t head = S2_ESP_HEADER_LEN + (size_t)p->form.iv_len;
    s2svpn_esp_op op = {
        .session = p->in->session,
        .in = {{packet + head, (uint32_t)(len - head - p->form.icv_len)}},
        .out = plain,
        .seq = s2_get_u32(packet + 4),
        .spi = s2_get_u32(packet),
        .iv = (uint8_t *)(uintptr_t)(packet + S2_ESP_HEADER_LEN),
        .icv = (uint8_t *)(uintptr_t)(packet + len - p->form.icv_len),
    };

    p->lane.crypto->esp_open(p->lane.crypto_user, p->lane.crypto_worker, &op, 1);
    CU_ASSERT_EQUAL(op.result, S2SVPN_ESP_OK);
}

static void padding_counts_up_and_aligns_for_every_length(void)
{
    static uint8_t out[ROOM], plain[ROOM];
    uint8_t inner[100];

    s2_fill(inner, sizeof(inner), 50);
    for (size_t s = 0; s < SUITES; s++) {
        struct s2_pair p;

        begin(&p, tables[0], s);
        for (size_t n = 0; n <= sizeof(inner); n++) {
            size_t len = 0;

            CHECK_ROW(suites[s].row,
                      s2_pair_seal(&p, s2_span(inner, n), 4, out, &len) == S2SVPN_DROP_NONE);
            CHECK_ROW(suites[s].row, len == s2_esp_sealed_len(&p.form, n));
            CHECK_ROW(suites[s].row, s2_get_u32(out) == PAIR_SPI);
            CHECK_ROW(suites[s].row, s2_get_u32(out + 4) == n + 1);
            decrypt(&p, out, len, plain);
            const size_t plain_len = len - 8 - p.form.iv_len - p.form.icv_len;
            const size_t pad = plain[plain_len - 2];
            CHECK_ROW(suites[s].row, plain_len % p.form.block_len == 0);
            CHECK_ROW(suites[s].row, pad < p.form.block_len && n + pad + 2 == plain_len);
            CHECK_ROW(suites[s].row, plain[plain_len - 1] == 4);
            CHECK_ROW(suites[s].row, memcmp(plain, inner, n) == 0);
            for (size_t i = 0; i < pad; i++)
                CHECK_ROW(suites[s].row, plain[n + i] == i + 1);
        }
        s2_pair_end(&p);
    }
}

/* Where the two pieces of one packet lie. */
enum place { APART, SPLIT, TAIL_ONLY, IN_PLACE_HEAD, IN_PLACE_TAIL, PLACES };

static void lay(struct s2_pair *p, struct s2_esp_seal *v, enum place place, const uint8_t *inner,
                size_t len)
{
    uint8_t *own = v->out + S2_ESP_HEADER_LEN + p->form.iv_len;
    const size_t cut = len / 3;

    v->piece[0] = v->piece[1] = s2_span(NULL, 0);
    switch (place) {
    case APART:
        v->piece[0] = s2_span(inner, len);
        break;
    case SPLIT:
        v->piece[0] = s2_span(inner, cut);
        v->piece[1] = s2_span(inner + cut, len - cut);
        break;
    case TAIL_ONLY:
        v->piece[1] = s2_span(inner, len);
        break;
    case IN_PLACE_HEAD:
        memcpy(own, inner, len);
        v->piece[0] = s2_span(own, len);
        break;
    case IN_PLACE_TAIL:
        memcpy(own, inner, len);
        v->piece[1] = s2_span(own, len);
        break;
    case PLACES:
        break;
    }
}

/* One way of input; the first of them lays down what the others must give. */
static void seal_one_way(size_t suite, const s2svpn_crypto_ops *crypto, enum place place,
                         s2svpn_span inner, uint8_t *first, size_t *first_len)
{
    static uint8_t out[ROOM];
    const char *row = suites[suite].row;
    struct s2_pair p;

    begin(&p, crypto, suite);
    struct s2_esp_seal v = {
        .sa = p.out,
        .out = out,
        .room = s2_esp_sealed_len(&p.form, inner.len),
        .next_header = 41,
    };
    memset(out, 0xee, sizeof(out));
    lay(&p, &v, place, inner.p, inner.len);
    s2_esp_seal(&p.lane, &v, 1, 1);
    CHECK_ROW(row, v.drop == S2SVPN_DROP_NONE && v.len == v.room);
    CHECK_ROW(row, out[v.len] == 0xee);
    if (*first_len == 0) {
        memcpy(first, out, v.len);
        *first_len = v.len;
    }
    CHECK_ROW(row, v.len == *first_len && memcmp(first, out, v.len) == 0);
    /* a long piece that is alone is read where it stands */
    const bool gathers =
        crypto->esp_gather && inner.len > 1000 && (place == APART || place == TAIL_ONLY);
    CHECK_ROW(row, p.fake.pieces == (gathers ? 2 : 1));
    s2_pair_end(&p);
}

static void all_ways_of_input_give_the_same_packet(void)
{
    static const size_t lengths[] = {333, 1333};
    static uint8_t first[ROOM];
    uint8_t inner[1333];

    s2_fill(inner, sizeof(inner), 1);
    for (size_t s = 0; s < SUITES; s++) {
        for (size_t n = 0; n < 2; n++) {
            size_t first_len = 0;

            for (size_t t = 0; t < 2; t++) {
                for (int place = 0; place < PLACES; place++)
                    seal_one_way(s, tables[t], (enum place)place, s2_span(inner, lengths[n]), first,
                                 &first_len);
            }
        }
    }
}

static void a_packet_without_room_is_dropped_and_uses_no_number(void)
{
    static uint8_t out[ROOM];
    uint8_t inner[60] = {0x45};
    struct s2_pair p;
    size_t len = 0;

    s2_pair_begin_fake(&p);
    struct s2_esp_seal v = {
        .sa = p.out,
        .piece = {s2_span(inner, 20), s2_span(inner + 20, 40)},
        .out = out,
        .room = s2_esp_sealed_len(&p.form, 60) - 1,
        .next_header = 4,
    };
    s2_esp_seal(&p.lane, &v, 1, 1);
    CU_ASSERT_EQUAL(v.drop, S2SVPN_DROP_NO_ROOM);
    CU_ASSERT_EQUAL(v.len, 0);
    v.piece[1].len = 65535 - 19;
    v.room = SIZE_MAX;
    s2_esp_seal(&p.lane, &v, 1, 1);
    CU_ASSERT_EQUAL(v.drop, S2SVPN_DROP_TOO_BIG);
    CU_ASSERT_EQUAL(s2_esp_counted(&p.out->counters.drops), 2);
    CU_ASSERT_EQUAL(p.fake.calls, 0);
    CU_ASSERT_EQUAL(s2_pair_seal(&p, s2_span(inner, 60), 4, out, &len), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(s2_get_u32(out + 4), 1);
    s2_pair_end(&p);
}

static void the_counter_never_wraps(void)
{
    static uint8_t out[ROOM];
    uint8_t inner[20] = {0x45};
    size_t len = 0;

    for (int esn = 0; esn < 2; esn++) {
        struct s2_esp_spec spec = s2_pair_spec(tables[0], S2SVPN_ENCR_CHACHA20_POLY1305, 0, 0);
        struct s2_pair p;

        spec.esn = esn != 0;
        if (!s2_pair_begin(&p, tables[0], &spec))
            CU_FAIL_FATAL("no pair of SAs");
        p.out->seq = (esn ? UINT64_MAX : UINT32_MAX) - 1;
        CU_ASSERT_EQUAL(s2_pair_seal(&p, s2_span(inner, 20), 4, out, &len), S2SVPN_DROP_NONE);
        CU_ASSERT_EQUAL(s2_get_u32(out + 4), UINT32_MAX);
        for (int i = 0; i < 3; i++)
            CU_ASSERT_EQUAL(s2_pair_seal(&p, s2_span(inner, 20), 4, out, &len),
                            S2SVPN_DROP_ESP_SEQUENCE);
        CU_ASSERT_EQUAL(len, 0);
        s2_pair_end(&p);
    }
}

static void esn_goes_on_where_32_bits_end(void)
{
    static uint8_t out[ROOM];
    uint8_t inner[20] = {0x45};
    struct s2_esp_spec spec = s2_pair_spec(tables[0], S2SVPN_ENCR_AES_GCM_16, 128, 0);
    s2svpn_span opened;
    struct s2_pair p;
    size_t len = 0;

    spec.esn = true;
    if (!s2_pair_begin(&p, tables[0], &spec))
        CU_FAIL_FATAL("no pair of SAs");
    p.out->seq = p.in->seq = UINT32_MAX - 2U;
    for (uint32_t i = 0; i < 6; i++) {
        CU_ASSERT_EQUAL(s2_pair_seal(&p, s2_span(inner, 20), 4, out, &len), S2SVPN_DROP_NONE);
        CU_ASSERT_EQUAL(s2_get_u32(out + 4), UINT32_MAX - 1U + i);
        CU_ASSERT_EQUAL(s2_pair_open(&p, out, len, &opened), S2SVPN_DROP_NONE);
    }
    CU_ASSERT_EQUAL(p.in->seq, UINT64_C(0x100000003));
    s2_pair_end(&p);
}

static void hard_limits_hold_within_a_batch(void)
{
    static uint8_t out[8][200];
    uint8_t inner[100] = {0x45};
    static const struct {
        const char *row;
        uint64_t packets, bytes;
        size_t passed;
    } rows[] = {{"packets", 5, 0, 5}, {"bytes, exactly", 0, 300, 3}, {"bytes", 0, 399, 3}};

    for (size_t i = 0; i < 3; i++) {
        struct s2_esp_spec spec = s2_pair_spec(tables[0], S2SVPN_ENCR_AES_GCM_16, 128, 0);
        struct s2_esp_seal v[8];
        struct s2_pair p;

        spec.hard_packets = rows[i].packets;
        spec.hard_bytes = rows[i].bytes;
        if (!s2_pair_begin(&p, tables[0], &spec))
            CU_FAIL_FATAL("no pair of SAs");
        for (size_t k = 0; k < 8; k++)
            v[k] = (struct s2_esp_seal){.sa = p.out,
                                        .piece = {s2_span(inner, 100)},
                                        .out = out[k],
                                        .room = sizeof(out[k]),
                                        .next_header = 4};
        s2_esp_seal(&p.lane, v, 8, 1);
        for (size_t k = 0; k < 8; k++)
            CHECK_ROW(rows[i].row,
                      v[k].drop == (k < rows[i].passed ? S2SVPN_DROP_NONE : S2SVPN_DROP_ESP_LIMIT));
        CHECK_ROW(rows[i].row, s2_esp_counted(&p.out->counters.packets) == rows[i].passed);
        CHECK_ROW(rows[i].row, s2_esp_counted(&p.out->counters.bytes) == rows[i].passed * 100);
        CHECK_ROW(rows[i].row, s2_esp_counted(&p.out->counters.drops) == 8 - rows[i].passed);
        s2_pair_end(&p);
    }
}

static void a_refused_packet_keeps_its_number_and_the_others_pass(void)
{
    static uint8_t out[5][100];
    uint8_t inner[20] = {0x45};
    struct s2_esp_seal v[5];
    struct s2_pair p;

    s2_pair_begin_fake(&p);
    p.fake.refuse_seq = 3;
    for (size_t k = 0; k < 5; k++)
        v[k] = (struct s2_esp_seal){.sa = p.out,
                                    .piece = {s2_span(inner, 20)},
                                    .out = out[k],
                                    .room = sizeof(out[k]),
                                    .next_header = 4};
    s2_esp_seal(&p.lane, v, 5, 99);
    for (size_t k = 0; k < 5; k++) {
        CU_ASSERT_EQUAL(v[k].drop, k == 2 ? S2SVPN_DROP_ESP_BACKEND : S2SVPN_DROP_NONE);
        CU_ASSERT_EQUAL(s2_get_u32(out[k] + 4), k + 1);
    }
    CU_ASSERT_EQUAL(v[2].len, 0);
    CU_ASSERT_EQUAL(p.out->seq, 5);
    CU_ASSERT_EQUAL(s2_esp_counted(&p.out->counters.packets), 4);
    CU_ASSERT_EQUAL(s2_esp_counted(&p.out->counters.drops), 1);
    CU_ASSERT_EQUAL(s2_esp_counted(&p.out->counters.last_ns), 99);
    s2_pair_end(&p);
}

/* More than two slices, of two SAs, with drops between. */
static void large_arrays_go_in_slices_and_in_order(void)
{
    enum { N = 2 * S2_ESP_BATCH + 50 };
    static uint8_t out[N][100];
    static struct s2_esp_seal v[N];
    uint8_t inner[20] = {0x45};
    struct s2_pair p, q;
    uint32_t seq[2] = {0, 0};

    s2_pair_begin_fake(&p);
    s2_pair_begin_fake(&q);
    for (size_t k = 0; k < N; k++)
        v[k] = (struct s2_esp_seal){.sa = k % 3 == 0 ? q.out : p.out,
                                    .piece = {s2_span(inner, 20)},
                                    .out = out[k],
                                    .room = k % 7 == 0 ? 10 : sizeof(out[k]),
                                    .next_header = 4};
    s2_esp_seal(&p.lane, v, N, 1);
    for (size_t k = 0; k < N; k++) {
        CU_ASSERT_EQUAL(v[k].drop, k % 7 == 0 ? S2SVPN_DROP_NO_ROOM : S2SVPN_DROP_NONE);
        if (k % 7 != 0)
            CU_ASSERT_EQUAL(s2_get_u32(out[k] + 4), ++seq[k % 3 == 0]);
    }
    CU_ASSERT_EQUAL(p.fake.calls, 3);
    CU_ASSERT_TRUE(p.fake.largest <= S2_ESP_BATCH);
    CU_ASSERT_EQUAL(p.out->seq, seq[0]);
    CU_ASSERT_EQUAL(q.out->seq, seq[1]);
    s2_esp_seal(&p.lane, v, 0, 1);
    CU_ASSERT_EQUAL(p.fake.calls, 3);
    s2_pair_end(&q);
    s2_pair_end(&p);
}

const CU_TestInfo s2_test_seal[] = {
    {"padding counts up and aligns for every length",
     padding_counts_up_and_aligns_for_every_length},
    {"all ways of input give the same packet", all_ways_of_input_give_the_same_packet},
    {"a packet without room is dropped and uses no number",
     a_packet_without_room_is_dropped_and_uses_no_number},
    {"the counter never wraps", the_counter_never_wraps},
    {"ESN goes on where 32 bits end", esn_goes_on_where_32_bits_end},
    {"hard limits hold within a batch", hard_limits_hold_within_a_batch},
    {"a refused packet keeps its number and the others pass",
     a_refused_packet_keeps_its_number_and_the_others_pass},
    {"large arrays go in slices and in order", large_arrays_go_in_slices_and_in_order},
    CU_TEST_INFO_NULL,
};
