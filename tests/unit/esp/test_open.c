/* SPDX-License-Identifier: Apache-2.0 */
/* Opening: what is refused, why, and what that does to the window. */
#include "esp/esp.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "harness.h"
#include "pair.h"

#define HEAD 16 /* ESP header and IV of the fake AEAD */

/* Seal a plain text as it is, trailer included: what only a peer could do. */
static size_t seal_raw(struct s2_pair *p, uint64_t seq, const uint8_t *plain, size_t len,
                       uint8_t *out)
{
    s2svpn_esp_op op = {
        .session = p->out->session,
        .in = {{plain, (uint32_t)len}},
        .out = out + HEAD,
        .seq = seq,
        .spi = PAIR_SPI,
        .iv = out + 8,
        .icv = out + HEAD + len,
    };

    s2_put_u32(out, PAIR_SPI);
    s2_put_u32(out + 4, (uint32_t)seq);
    p->lane.crypto->esp_seal(p->lane.crypto_user, p->lane.crypto_worker, &op, 1);
    return HEAD + len + p->form.icv_len;
}

static void what_was_sealed_is_opened_in_place_and_beside(void)
{
    static uint8_t packet[2000], beside[2000];
    uint8_t inner[1500];
    struct s2_pair p;

    s2_fill(inner, sizeof(inner), 3);
    s2_pair_begin_fake(&p);
    for (size_t n = 1; n <= sizeof(inner); n += 7) {
        s2svpn_span opened;
        size_t len = 0;

        CU_ASSERT_EQUAL(s2_pair_seal(&p, s2_span(inner, n), n % 2 ? 4 : 41, packet, &len),
                        S2SVPN_DROP_NONE);
        struct s2_esp_open v = {.sa = p.in, .p = packet, .len = len, .out = beside};
        s2_esp_open(&p.lane, &v, 1, n);
        CU_ASSERT_EQUAL(v.drop, S2SVPN_DROP_NONE);
        CU_ASSERT_EQUAL(v.next_header, n % 2 ? 4 : 41);
        CU_ASSERT_PTR_EQUAL(v.inner.p, beside);
        CU_ASSERT_TRUE(s2_span_equal(v.inner, s2_span(inner, n)));
        CU_ASSERT_EQUAL(s2_esp_counted(&p.in->counters.last_ns), n);
        CU_ASSERT_EQUAL(s2_pair_seal(&p, s2_span(inner, n), 4, packet, &len), S2SVPN_DROP_NONE);
        CU_ASSERT_EQUAL(s2_pair_open(&p, packet, len, &opened), S2SVPN_DROP_NONE);
        CU_ASSERT_PTR_EQUAL(opened.p, packet + HEAD);
        CU_ASSERT_TRUE(s2_span_equal(opened, s2_span(inner, n)));
    }
    CU_ASSERT_EQUAL(s2_esp_counted(&p.in->counters.packets), p.out->seq);
    CU_ASSERT_EQUAL(s2_esp_counted(&p.in->counters.bytes), p.out->begun);
    s2_pair_end(&p);
}

static void packets_too_short_or_unaligned_never_reach_the_crypto(void)
{
    static uint8_t packet[100];
    uint8_t inner[20] = {0x45};
    struct s2_pair p;
    size_t full = 0;

    s2_pair_begin_fake(&p);
    CU_ASSERT_EQUAL(s2_pair_seal(&p, s2_span(inner, 20), 4, packet, &full), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(full, 56);
    p.fake.calls = 0;
    for (size_t len = 0; len < full; len++) {
        struct s2_esp_open v = {.sa = p.in, .p = packet, .len = len, .out = packet + HEAD};

        if (len >= HEAD + 2 + 16 && len % 4 == 0)
            continue; /* a good length; the ICV is elsewhere */
        s2_esp_open(&p.lane, &v, 1, 1);
        CU_ASSERT_EQUAL(v.drop,
                        len < HEAD + 2 + 16 ? S2SVPN_DROP_ESP_SHORT : S2SVPN_DROP_ESP_PADDING);
        CU_ASSERT_EQUAL(v.inner.len, 0);
    }
    struct s2_esp_open huge = {.sa = p.in, .p = packet, .len = 65536, .out = packet + HEAD};
    s2_esp_open(&p.lane, &huge, 1, 1);
    CU_ASSERT_EQUAL(huge.drop, S2SVPN_DROP_TOO_BIG);
    CU_ASSERT_EQUAL(p.fake.calls, 0);
    CU_ASSERT_EQUAL(p.in->seq, 0);
    s2_pair_end(&p);
}

static void a_changed_bit_anywhere_is_a_wrong_icv_and_moves_no_window(void)
{
    static uint8_t packet[100], copy[100];
    uint8_t inner[20] = {0x45};
    s2svpn_span opened;
    struct s2_pair p;
    size_t len = 0;

    s2_pair_begin_fake(&p);
    CU_ASSERT_EQUAL(s2_pair_seal(&p, s2_span(inner, 20), 4, packet, &len), S2SVPN_DROP_NONE);
    for (size_t bit = 4 * 8; bit < len * 8; bit++) { /* the SPI is the caller's */
        memcpy(copy, packet, len);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        const enum s2svpn_drop drop = s2_pair_open(&p, copy, len, &opened);
        if (s2_get_u32(copy + 4) == 0)
            CU_ASSERT_EQUAL(drop, S2SVPN_DROP_ESP_REPLAY)
        else
            CU_ASSERT_EQUAL(drop, S2SVPN_DROP_ESP_AUTHENTICATION);
        CU_ASSERT_EQUAL(opened.len, 0);
    }
    CU_ASSERT_EQUAL(p.in->seq, 0);
    CU_ASSERT_EQUAL(s2_esp_counted(&p.in->counters.packets), 0);
    CU_ASSERT_EQUAL(s2_pair_open(&p, packet, len, &opened), S2SVPN_DROP_NONE);
    s2_pair_end(&p);
}

static const struct {
    const char *row;
    uint8_t plain[24];
    size_t len;
    enum s2svpn_drop drop;
    size_t inner;
} trailers[] = {
    {"no padding", {0x45, 1, 0, 4}, 4, S2SVPN_DROP_NONE, 2},
    {"two bytes", {0x45, 1, 2, 3, 1, 2, 2, 4}, 8, S2SVPN_DROP_NONE, 4},
    {"zeros", {0x45, 1, 2, 3, 0, 0, 2, 4}, 8, S2SVPN_DROP_ESP_PADDING, 0},
    {"counts from 0", {0x45, 1, 2, 3, 0, 1, 2, 4}, 8, S2SVPN_DROP_ESP_PADDING, 0},
    {"last byte wrong", {0x45, 1, 2, 3, 1, 3, 2, 4}, 8, S2SVPN_DROP_ESP_PADDING, 0},
    {"first byte wrong", {0x45, 1, 2, 3, 2, 2, 2, 4}, 8, S2SVPN_DROP_ESP_PADDING, 0},
    {"more padding than text", {0x45, 1, 3, 4}, 4, S2SVPN_DROP_ESP_PADDING, 0},
    {"far more", {0x45, 1, 255, 4}, 4, S2SVPN_DROP_ESP_PADDING, 0},
    {"nothing but padding", {1, 2, 2, 41}, 4, S2SVPN_DROP_NONE, 0},
    {"more than needed",
     {0x45, 1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 6, 4},
     16,
     S2SVPN_DROP_NONE,
     8},
    {"dummy", {9, 9, 0, 59}, 4, S2SVPN_DROP_ESP_DUMMY, 0},
    {"dummy with bad padding", {9, 9, 9, 59}, 4, S2SVPN_DROP_ESP_PADDING, 0},
    {"transport mode", {9, 9, 0, 6}, 4, S2SVPN_DROP_ESP_NEXT_HEADER, 0},
    {"next header 0", {9, 9, 0, 0}, 4, S2SVPN_DROP_ESP_NEXT_HEADER, 0},
};

static void trailers_are_checked_in_full_and_their_packets_count_as_seen(void)
{
    for (size_t i = 0; i < sizeof(trailers) / sizeof(trailers[0]); i++) {
        static uint8_t packet[100];
        uint8_t *plain = malloc(trailers[i].len); /* a sanitizer sees its beginning */
        struct s2_pair p;

        if (plain == NULL)
            CU_FAIL_FATAL("no memory");
        s2_pair_begin_fake(&p);
        const size_t len = seal_raw(&p, 5, trailers[i].plain, trailers[i].len, packet);
        struct s2_esp_open v = {.sa = p.in, .p = packet, .len = len, .out = plain};
        s2_esp_open(&p.lane, &v, 1, 1);
        CHECK_ROW(trailers[i].row, v.drop == trailers[i].drop);
        CHECK_ROW(trailers[i].row, v.inner.len == trailers[i].inner);
        CHECK_ROW(trailers[i].row, p.in->seq == 5);
        s2_esp_open(&p.lane, &v, 1, 1);
        CHECK_ROW(trailers[i].row, v.drop == S2SVPN_DROP_ESP_REPLAY);
        CHECK_ROW(trailers[i].row, s2_esp_counted(&p.in->counters.packets) ==
                                       (trailers[i].drop == S2SVPN_DROP_NONE));
        s2_pair_end(&p);
        free(plain);
    }
}

static void traffic_flow_padding_is_handed_to_the_caller(void)
{
    static uint8_t packet[2000];
    uint8_t inner[1000] = {0x45, 0, 0, 20}; /* an IP packet of 20 bytes and 980 behind it */
    s2svpn_span opened;
    struct s2_pair p;
    size_t len = 0;

    s2_pair_begin_fake(&p);
    CU_ASSERT_EQUAL(s2_pair_seal(&p, s2_span(inner, 1000), 4, packet, &len), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(s2_pair_open(&p, packet, len, &opened), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(opened.len, 1000);
    s2_pair_end(&p);
}

static void two_copies_in_one_batch_give_one_packet(void)
{
    static uint8_t packet[6][100];
    uint8_t inner[20] = {0x45};
    struct s2_esp_open v[6];
    struct s2_pair p;
    size_t len = 0, drops = 0;

    s2_pair_begin_fake(&p);
    for (size_t k = 0; k < 6; k += 2) {
        CU_ASSERT_EQUAL(s2_pair_seal(&p, s2_span(inner, 20), 4, packet[k], &len), S2SVPN_DROP_NONE);
        memcpy(packet[k + 1], packet[k], len);
    }
    packet[2][20] ^= 1; /* of the second pair the first copy is broken */
    for (size_t k = 0; k < 6; k++)
        v[k] =
            (struct s2_esp_open){.sa = p.in, .p = packet[k], .len = len, .out = packet[k] + HEAD};
    p.fake.calls = 0;
    s2_esp_open(&p.lane, v, 6, 1);
    CU_ASSERT_EQUAL(p.fake.calls, 1);
    CU_ASSERT_EQUAL(v[0].drop, S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(v[1].drop, S2SVPN_DROP_ESP_REPLAY);
    CU_ASSERT_EQUAL(v[1].inner.len, 0);
    CU_ASSERT_EQUAL(v[2].drop, S2SVPN_DROP_ESP_AUTHENTICATION);
    CU_ASSERT_EQUAL(v[3].drop, S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(v[4].drop, S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(v[5].drop, S2SVPN_DROP_ESP_REPLAY);
    for (size_t k = 0; k < 6; k++)
        drops += v[k].drop != S2SVPN_DROP_NONE;
    CU_ASSERT_EQUAL(s2_esp_counted(&p.in->counters.drops), drops);
    CU_ASSERT_EQUAL(s2_esp_counted(&p.in->counters.packets), 3);
    s2_pair_end(&p);
}

/* A packet so far ahead that the others of its batch fall out of the window. */
static void the_window_moves_in_the_array_s_order(void)
{
    static uint8_t packet[3][100];
    static const uint8_t plain[4] = {0x45, 0, 0, 4};
    static const uint64_t seq[3] = {70, 1000, 71};
    struct s2_esp_open v[3];
    struct s2_pair p;

    s2_pair_begin_fake(&p);
    for (size_t k = 0; k < 3; k++)
        v[k] = (struct s2_esp_open){.sa = p.in,
                                    .p = packet[k],
                                    .len = seal_raw(&p, seq[k], plain, 4, packet[k]),
                                    .out = packet[k] + HEAD};
    s2_esp_open(&p.lane, v, 3, 1);
    CU_ASSERT_EQUAL(v[0].drop, S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(v[1].drop, S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(v[2].drop, S2SVPN_DROP_ESP_REPLAY);
    CU_ASSERT_EQUAL(p.in->seq, 1000);
    s2_pair_end(&p);
}

static void a_refusing_backend_and_a_hard_limit_drop_by_their_own_names(void)
{
    static uint8_t packet[5][100];
    uint8_t inner[20] = {0x45};
    struct s2_esp_open v[5];
    struct s2_pair p;
    size_t len = 0;

    s2_pair_begin_fake(&p);
    for (size_t k = 0; k < 5; k++) {
        CU_ASSERT_EQUAL(s2_pair_seal(&p, s2_span(inner, 20), 4, packet[k], &len), S2SVPN_DROP_NONE);
        v[k] =
            (struct s2_esp_open){.sa = p.in, .p = packet[k], .len = len, .out = packet[k] + HEAD};
    }
    p.fake.refuse_seq = 2;
    p.in->hard_packets = 3;
    s2_esp_open(&p.lane, v, 5, 1);
    CU_ASSERT_EQUAL(v[0].drop, S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(v[1].drop, S2SVPN_DROP_ESP_BACKEND);
    CU_ASSERT_EQUAL(v[3].drop, S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(v[4].drop, S2SVPN_DROP_ESP_LIMIT);
    CU_ASSERT_EQUAL(s2_esp_counted(&p.in->counters.packets), 3);
    CU_ASSERT_EQUAL(p.in->seq, 4);
    p.fake.calls = 0;
    s2_esp_open(&p.lane, v + 4, 1, 1); /* now before the crypto */
    CU_ASSERT_EQUAL(v[4].drop, S2SVPN_DROP_ESP_LIMIT);
    CU_ASSERT_EQUAL(p.fake.calls, 0);
    s2_pair_end(&p);
}

static void large_arrays_of_two_sas_go_in_slices(void)
{
    enum { N = 2 * S2_ESP_BATCH + 9 };
    static uint8_t packet[N][100];
    static struct s2_esp_open v[N];
    uint8_t inner[20] = {0x45};
    struct s2_pair p[2];
    size_t len = 0, wrong = 0;

    s2_pair_begin_fake(&p[0]);
    s2_pair_begin_fake(&p[1]);
    for (size_t k = 0; k < N; k++) {
        struct s2_pair *own = &p[k % 5 == 0];

        inner[19] = (uint8_t)k;
        CU_ASSERT_EQUAL(s2_pair_seal(own, s2_span(inner, 20), 4, packet[k], &len),
                        S2SVPN_DROP_NONE);
        v[k] = (struct s2_esp_open){
            .sa = own->in, .p = packet[k], .len = k % 11 == 0 ? 3 : len, .out = packet[k] + HEAD};
    }
    p[0].fake.calls = 0;
    s2_esp_open(&p[0].lane, v, N, 1);
    for (size_t k = 0; k < N; k++) {
        if (k % 11 == 0)
            wrong += v[k].drop != S2SVPN_DROP_ESP_SHORT;
        else
            wrong += v[k].drop != S2SVPN_DROP_NONE || v[k].inner.p[19] != (uint8_t)k;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(p[0].fake.calls, 3);
    s2_pair_end(&p[0]);
    s2_pair_end(&p[1]);
}

static void the_spi_is_read_only_where_a_number_follows(void)
{
    static const uint8_t packet[8] = {0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 1};
    uint32_t spi = 0;

    CU_ASSERT_FALSE(s2_esp_peek_spi(packet, 7, &spi));
    CU_ASSERT_FALSE(s2_esp_peek_spi(NULL, 0, &spi));
    CU_ASSERT_EQUAL(spi, 0);
    CU_ASSERT_TRUE(s2_esp_peek_spi(packet, 8, &spi));
    CU_ASSERT_EQUAL(spi, UINT32_C(0xdeadbeef));
}

const CU_TestInfo s2_test_open[] = {
    {"what was sealed is opened, in place and beside",
     what_was_sealed_is_opened_in_place_and_beside},
    {"packets too short or unaligned never reach the crypto",
     packets_too_short_or_unaligned_never_reach_the_crypto},
    {"a changed bit anywhere is a wrong ICV and moves no window",
     a_changed_bit_anywhere_is_a_wrong_icv_and_moves_no_window},
    {"trailers are checked in full and their packets count as seen",
     trailers_are_checked_in_full_and_their_packets_count_as_seen},
    {"traffic flow padding is handed to the caller", traffic_flow_padding_is_handed_to_the_caller},
    {"two copies in one batch give one packet", two_copies_in_one_batch_give_one_packet},
    {"the window moves in the array's order", the_window_moves_in_the_array_s_order},
    {"a refusing backend and a hard limit drop by their own names",
     a_refusing_backend_and_a_hard_limit_drop_by_their_own_names},
    {"large arrays of two SAs go in slices", large_arrays_of_two_sas_go_in_slices},
    {"the SPI is read only where a number follows", the_spi_is_read_only_where_a_number_follows},
    CU_TEST_INFO_NULL,
};
