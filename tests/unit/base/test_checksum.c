/* SPDX-License-Identifier: Apache-2.0 */
/* The Internet checksum against RFC 1071's example and a plain sum. */
#include "base/checksum.h"

#include <string.h>

#include "base/bytes.h"
#include "fake_env.h"
#include "harness.h"

static uint16_t checksum(const void *p, size_t len)
{
    return s2_checksum_finish(s2_checksum_add(0, p, len));
}

/* RFC 1071 section 1, word by word. */
static uint16_t plain(const uint8_t *p, size_t len)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? p[i] : (uint64_t)p[i] << 8;
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void published_examples(void)
{
    /* RFC 1071 section 3: the sum is ddf2. */
    static const uint8_t rfc[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    static const uint8_t zeros[3], ones[4] = {0xff, 0xff, 0xff, 0xff};

    CU_ASSERT(checksum(rfc, sizeof(rfc)) == (uint16_t)~0xddf2);
    CU_ASSERT(checksum(zeros, sizeof(zeros)) == 0xffff);
    CU_ASSERT(checksum(ones, sizeof(ones)) == 0);
    CU_ASSERT(checksum(NULL, 0) == 0xffff);
    CU_ASSERT(checksum("\x12", 1) == (uint16_t)~0x1200);
}

static void every_length_and_alignment_gives_the_plain_sum(void)
{
    struct s2_fake_env f;
    uint8_t buf[160];

    s2_fake_env_init(&f, 4);
    for (int fill = 0; fill < 3; fill++) {
        if (fill == 0)
            CU_ASSERT_FATAL(s2_random(&f.env, buf, sizeof(buf)) == S2SVPN_OK)
        else
            memset(buf, fill == 1 ? 0xff : 0, sizeof(buf)); /* every carry, none */
        for (size_t start = 0; start < 16; start++) {
            for (size_t len = 0; start + len <= sizeof(buf); len++)
                CU_ASSERT(checksum(buf + start, len) == plain(buf + start, len));
        }
    }
}

static void a_sum_carries_on_over_pieces_and_numbers(void)
{
    struct s2_fake_env f;
    uint8_t buf[101];

    s2_fake_env_init(&f, 5);
    CU_ASSERT_FATAL(s2_random(&f.env, buf, sizeof(buf)) == S2SVPN_OK);
    for (size_t cut = 0; cut < sizeof(buf) - 2; cut += 2) {
        uint64_t sum = s2_checksum_add(0, buf, cut);

        sum = s2_checksum_add_u16(sum, s2_get_u16(buf + cut));
        sum = s2_checksum_add(sum, buf + cut + 2, sizeof(buf) - cut - 2);
        CU_ASSERT(s2_checksum_finish(sum) == plain(buf, sizeof(buf)));
    }
}

static void what_carries_its_checksum_sums_to_zero(void)
{
    struct s2_fake_env f;
    uint8_t header[20];

    s2_fake_env_init(&f, 6);
    CU_ASSERT_FATAL(s2_random(&f.env, header, sizeof(header)) == S2SVPN_OK);
    s2_put_u16(header + 10, 0);
    s2_put_u16(header + 10, checksum(header, sizeof(header)));
    CU_ASSERT(checksum(header, sizeof(header)) == 0);
}

static void an_update_gives_what_summing_again_gives(void)
{
    struct s2_fake_env f;
    uint8_t buf[20];

    s2_fake_env_init(&f, 7);
    /* RFC 1624 section 4: this must be 0000, RFC 1141's form gave ffff. */
    CU_ASSERT(s2_checksum_update(0xdd2f, 0x5555, 0x3285) == 0x0000);
    for (int i = 0; i < 1000; i++) {
        uint8_t word[2];

        CU_ASSERT_FATAL(s2_random(&f.env, buf, sizeof(buf)) == S2SVPN_OK);
        CU_ASSERT_FATAL(s2_random(&f.env, word, sizeof(word)) == S2SVPN_OK);
        const uint16_t before = plain(buf, sizeof(buf)), old_word = s2_get_u16(buf + 8);
        memcpy(buf + 8, word, 2);
        CU_ASSERT(s2_checksum_update(before, old_word, s2_get_u16(word)) ==
                  plain(buf, sizeof(buf)));
    }
}

const CU_TestInfo s2_test_checksum[] = {
    {"published examples", published_examples},
    {"every length and alignment gives the plain sum",
     every_length_and_alignment_gives_the_plain_sum},
    {"a sum carries on over pieces and numbers", a_sum_carries_on_over_pieces_and_numbers},
    {"what carries its checksum sums to zero", what_carries_its_checksum_sums_to_zero},
    {"an update gives what summing again gives", an_update_gives_what_summing_again_gives},
    CU_TEST_INFO_NULL,
};
