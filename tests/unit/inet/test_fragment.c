/* SPDX-License-Identifier: Apache-2.0 */
/* Fragments: whatever is cut must give the packet again, and obey RFC 791. */
#include "inet/inet.h"

#include <string.h>

#include "base/bytes.h"
#include "harness.h"
#include "packet.h"

static uint8_t in[PACKET_ROOM], out[PACKET_ROOM], whole[PACKET_ROOM], data[PACKET_ROOM];

static void fill(void)
{
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7 + i / 256);
}

/* Cut the packet and put its payload together again in whole. Returns the number of
 * fragments, 0 after any failure; the payload must come back with its place. */
static unsigned cut_and_join(const uint8_t *p, size_t len, uint16_t mtu)
{
    const struct s2_inet_view v = s2_must_view(p, len);
    const uint16_t place = s2_get_u16(p + 6);
    size_t expected = (place & 0x1fffU) * 8, at = 0, n;
    unsigned index = 0;

    memset(whole, 0, sizeof(whole));
    while ((n = s2_inet_write_fragment(out, sizeof(out), p, &v, mtu, index)) > 0) {
        struct s2_inet_view f;
        const uint16_t here = s2_get_u16(out + 6);

        if (n > mtu || !s2_inet_view(out, n, &f) || f.total_len != n)
            return 0;
        if ((here & 0x1fffU) * 8 != expected || s2_get_u16(out + 4) != s2_get_u16(p + 4))
            return 0;
        if (f.ttl != v.ttl || f.tos != v.tos || f.protocol != v.protocol)
            return 0;
        const size_t carried = n - f.header_len;
        memcpy(whole + at, out + f.header_len, carried);
        at += carried;
        expected += carried;
        index++;
        if (at == (size_t)v.total_len - v.header_len)
            return (here & 0x2000) == (place & 0x2000) &&
                           s2_inet_write_fragment(out, sizeof(out), p, &v, mtu, index) == 0
                       ? index
                       : 0;
        if ((here & 0x2000) == 0 || carried % 8 != 0)
            return 0;
    }
    return 0;
}

static void every_length_and_mtu_gives_the_packet_again(void)
{
    fill();
    for (size_t n = 1; n < 3000; n += 11) {
        const size_t len = s2_write_packet(
            in, &(struct s2_packet){.protocol = S2_IP_NONE, .id = 77, .payload = {data, n}});

        for (uint16_t mtu = 68; mtu < 1600; mtu = (uint16_t)(mtu + 53)) {
            const size_t step = (mtu - 20U) / 8 * 8;
            unsigned expected = 1;

            while (len > mtu && n - (expected - 1) * step > mtu - 20U)
                expected++;
            CU_ASSERT_EQUAL(cut_and_join(in, len, mtu), expected);
            CU_ASSERT_EQUAL(memcmp(whole, data, n), 0);
        }
    }
}

static void the_largest_packet_is_cut(void)
{
    fill();
    const size_t len =
        s2_write_packet(in, &(struct s2_packet){.protocol = S2_IP_NONE, .payload = {data, 65515}});

    CU_ASSERT_EQUAL(len, 65535);
    CU_ASSERT_EQUAL(cut_and_join(in, len, 1422), 47);
    CU_ASSERT_EQUAL(memcmp(whole, data, 65515), 0);
    CU_ASSERT_EQUAL(cut_and_join(in, len, 28), 8190);
}

static void a_fragment_is_cut_with_its_place_and_more_bit(void)
{
    static const uint16_t places[] = {0x2000, 0x2010, 0x0010, 0x1f00};

    fill();
    for (size_t i = 0; i < 4; i++) {
        const size_t len = s2_write_packet(in, &(struct s2_packet){.protocol = S2_IP_NONE,
                                                                   .place = places[i],
                                                                   .payload = {data, 1000}});

        CU_ASSERT_EQUAL(cut_and_join(in, len, 400), 3);
        CU_ASSERT_EQUAL(memcmp(whole, data, 1000), 0);
    }
}

static void the_dont_fragment_bit_is_cleared_only_where_it_must(void)
{
    fill();
    const size_t len = s2_write_packet(in, &(struct s2_packet){.protocol = S2_IP_NONE,
                                                               .dont_fragment = true,
                                                               .payload = {data, 1000}});
    const struct s2_inet_view v = s2_must_view(in, len);

    for (unsigned i = 0; i < 3; i++) {
        CU_ASSERT_TRUE(s2_inet_write_fragment(out, sizeof(out), in, &v, 400, i) > 0);
        CU_ASSERT_EQUAL(s2_get_u16(out + 6) & 0x4000, 0);
    }
    CU_ASSERT_EQUAL(s2_inet_write_fragment(out, sizeof(out), in, &v, 1020, 0), 1020);
    CU_ASSERT_EQUAL(memcmp(out, in, 1020), 0);
    CU_ASSERT_EQUAL(s2_inet_write_fragment(out, sizeof(out), in, &v, 1020, 1), 0);
}

static const struct {
    const char *row;
    uint8_t options[12];
    size_t len;
    uint8_t later[12];
    size_t later_len;
} options[] = {
    {"record route is not copied", {7, 7, 4, 0, 0, 0, 0, 0}, 8, {0}, 0},
    {"router alert is copied", {148, 4, 0, 0}, 4, {148, 4, 0, 0}, 4},
    {"both, NOPs between",
     {1, 7, 3, 4, 131, 3, 4, 1, 148, 4, 0, 0},
     12,
     {131, 3, 4, 148, 4, 0, 0, 0},
     8},
    {"behind the end nothing is copied", {0, 148, 4, 0}, 4, {0}, 0},
    {"an option of length 1 ends the list", {148, 1, 131, 3}, 4, {0}, 0},
    {"an option that runs over ends the list", {148, 9, 0, 0}, 4, {0}, 0},
};

static void later_fragments_have_the_options_that_rfc_791_copies(void)
{
    fill();
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        const size_t len = s2_write_packet(
            in, &(struct s2_packet){.protocol = S2_IP_NONE,
                                    .ip_options = {options[i].options, options[i].len},
                                    .payload = {data, 1000}});
        const struct s2_inet_view v = s2_must_view(in, len);

        CHECK_ROW(options[i].row, cut_and_join(in, len, 300) == 4);
        CHECK_ROW(options[i].row, memcmp(whole, data, 1000) == 0);
        CHECK_ROW(options[i].row, s2_inet_write_fragment(out, sizeof(out), in, &v, 300, 0) > 0);
        CHECK_ROW(options[i].row, memcmp(out + 20, options[i].options, options[i].len) == 0);
        CHECK_ROW(options[i].row, s2_inet_write_fragment(out, sizeof(out), in, &v, 300, 1) > 0);
        CHECK_ROW(options[i].row, s2_ip_len(out) == 20 + options[i].later_len);
        CHECK_ROW(options[i].row, memcmp(out + 20, options[i].later, options[i].later_len) == 0);
    }
}

static void nothing_is_written_without_room_for_it(void)
{
    fill();
    size_t len =
        s2_write_packet(in, &(struct s2_packet){.protocol = S2_IP_NONE, .payload = {data, 1000}});
    struct s2_inet_view v = s2_must_view(in, len);

    CU_ASSERT_EQUAL(s2_inet_write_fragment(out, 395, in, &v, 400, 0), 0);
    CU_ASSERT_EQUAL(s2_inet_write_fragment(out, 396, in, &v, 400, 0), 396);
    CU_ASSERT_EQUAL(s2_inet_write_fragment(out, 1019, in, &v, 1020, 0), 0);
    CU_ASSERT_EQUAL(s2_inet_write_fragment(out, sizeof(out), in, &v, 27, 0), 0);
    CU_ASSERT_EQUAL(s2_inet_write_fragment(out, sizeof(out), in, &v, 0, 0), 0);
    CU_ASSERT_EQUAL(s2_inet_write_fragment(out, sizeof(out), in, &v, 400, UINT32_MAX), 0);
    len = s2_write_packet(in, &(struct s2_packet){.version = 6, .payload = {data, 1000}});
    v = s2_must_view(in, len);
    CU_ASSERT_EQUAL(s2_inet_write_fragment(out, sizeof(out), in, &v, 400, 0), 0);
}

const CU_TestInfo s2_test_fragment[] = {
    {"every length and MTU gives the packet again", every_length_and_mtu_gives_the_packet_again},
    {"the largest packet is cut", the_largest_packet_is_cut},
    {"a fragment is cut with its place and more bit",
     a_fragment_is_cut_with_its_place_and_more_bit},
    {"the don't-fragment bit is cleared only where it must",
     the_dont_fragment_bit_is_cleared_only_where_it_must},
    {"later fragments have the options that RFC 791 copies",
     later_fragments_have_the_options_that_rfc_791_copies},
    {"nothing is written without room for it", nothing_is_written_without_room_for_it},
    CU_TEST_INFO_NULL,
};
