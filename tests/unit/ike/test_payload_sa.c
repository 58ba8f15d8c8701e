/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/ike/payload_sa.c. */
#include "ike/message.h"

#include <string.h>

#include "harness.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WIRE(text) (const uint8_t *)(text), sizeof(text) - 1

/* A transform of 8 or 12 bytes: ENCR AES-CBC with 128 bits, PRF HMAC-SHA1. */
#define ENCR_LAST "\0\0\0\x0c\1\0\0\x0c\x80\x0e\0\x80"
#define ENCR_MORE "\3\0\0\x0c\1\0\0\x0c\x80\x0e\0\x80"
#define PRF_LAST "\0\0\0\x08\2\0\0\2"

static s2svpn_status parse(const uint8_t *wire, size_t len, struct s2_reader *r,
                           struct s2_ike_sa_payload *sa)
{
    s2_reader_init(r, wire, len);
    return s2_ike_parse_sa(r, sa);
}

static const struct {
    const char *row;
    const uint8_t *wire;
    size_t len;
    s2svpn_status rc;
    const char *field;
} bad[] = {
    {"empty", WIRE(""), S2SVPN_E_MALFORMED, "sa.proposals"},
    {"half a header", WIRE("\0\0\0"), S2SVPN_E_MALFORMED, "proposal.length"},
    {"proposal of length 0", WIRE("\0\0\0\0\1\1\0\0"), S2SVPN_E_MALFORMED, "proposal.length"},
    {"proposal shorter than its header", WIRE("\0\0\0\7\1\1\0\0"), S2SVPN_E_MALFORMED,
     "proposal.length"},
    {"proposal longer than the payload", WIRE("\0\0\0\x09\1\1\0\0"), S2SVPN_E_MALFORMED,
     "proposal.length"},
    {"more announced, none there", WIRE("\2\0\0\x08\1\1\0\0"), S2SVPN_E_MALFORMED, "proposal.last"},
    {"last, but one behind it", WIRE("\0\0\0\x08\1\1\0\0\0\0\0\x08\2\1\0\0"), S2SVPN_E_MALFORMED,
     "proposal.last"},
    {"neither last nor more", WIRE("\1\0\0\x08\1\1\0\0"), S2SVPN_E_MALFORMED, "proposal.last"},
    {"the same number twice", WIRE("\2\0\0\x08\1\1\0\0\0\0\0\x08\1\1\0\0"), S2SVPN_E_MALFORMED,
     "proposal.number"},
    {"SPI longer than the proposal", WIRE("\0\0\0\x08\1\1\x08\0"), S2SVPN_E_MALFORMED,
     "proposal.spi"},
    {"absurd SPI size", WIRE("\0\0\0\x08\1\1\xff\0"), S2SVPN_E_MALFORMED, "proposal.spi_size"},
    {"IKE SPI of 4", WIRE("\0\0\0\x0c\1\1\4\0spi."), S2SVPN_E_MALFORMED, "proposal.spi_size"},
    {"ESP SPI of 8", WIRE("\0\0\0\x10\1\3\x08\0spi.spi."), S2SVPN_E_MALFORMED, "proposal.spi_size"},
    {"ESP without SPI", WIRE("\0\0\0\x08\1\3\0\0"), S2SVPN_E_MALFORMED, "proposal.spi_size"},
    {"more transforms than we hold", WIRE("\0\0\0\x08\1\1\0\x41"), S2SVPN_E_LIMIT,
     "proposal.transforms"},
    {"a transform less than counted", WIRE("\0\0\0\x10\1\1\0\2\3\0\0\x08\2\0\0\2"),
     S2SVPN_E_MALFORMED, "transform.last"},
    {"a transform more than counted", WIRE("\0\0\0\x18\1\1\0\1" PRF_LAST PRF_LAST),
     S2SVPN_E_MALFORMED, "trailing bytes"},
    {"last transform says more", WIRE("\0\0\0\x10\1\1\0\1\3\0\0\x08\2\0\0\2"), S2SVPN_E_MALFORMED,
     "transform.last"},
    {"more transforms, but says last", WIRE("\0\0\0\x18\1\1\0\2" PRF_LAST PRF_LAST),
     S2SVPN_E_MALFORMED, "transform.last"},
    {"transform of length 0", WIRE("\0\0\0\x10\1\1\0\1\0\0\0\0\2\0\0\2"), S2SVPN_E_MALFORMED,
     "transform.length"},
    {"transform shorter than its header", WIRE("\0\0\0\x10\1\1\0\1\0\0\0\7\2\0\0\2"),
     S2SVPN_E_MALFORMED, "transform.length"},
    {"transform longer than the proposal", WIRE("\0\0\0\x10\1\1\0\1\0\0\0\x0c\2\0\0\2"),
     S2SVPN_E_MALFORMED, "transform.length"},
    {"half an attribute", WIRE("\0\0\0\x12\1\1\0\1\0\0\0\x0a\2\0\0\2\x80\x0e"), S2SVPN_E_MALFORMED,
     "attribute.value"},
    {"a byte for an attribute", WIRE("\0\0\0\x11\1\1\0\1\0\0\0\x09\2\0\0\2\x80"),
     S2SVPN_E_MALFORMED, "attribute.type"},
    {"attribute longer than the transform", WIRE("\0\0\0\x14\1\1\0\1\0\0\0\x0c\2\0\0\2\0\x0e\0\2"),
     S2SVPN_E_MALFORMED, "attribute.length"},
};

static void malformed_sa_is_refused_and_named(void)
{
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct s2_ike_sa_payload sa;
        struct s2_reader r;

        CHECK_ROW(bad[i].row, parse(bad[i].wire, bad[i].len, &r, &sa) == bad[i].rc);
        CHECK_ROW(bad[i].row, r.field != NULL && strcmp(r.field, bad[i].field) == 0);
        CHECK_ROW(bad[i].row, sa.count == 0);
    }
}

static void proposals_are_read_field_by_field(void)
{
    struct s2_ike_sa_payload sa;
    struct s2_reader r;

    CU_ASSERT_EQUAL_FATAL(parse(WIRE("\2\0\0\x24\1\1\x08\2spi.spi." ENCR_MORE PRF_LAST
                                     "\0\0\0\x18\2\3\4\1SPI." ENCR_LAST),
                                &r, &sa),
                          S2SVPN_OK);
    CU_ASSERT_EQUAL(sa.count, 2);
    CU_ASSERT_EQUAL(sa.proposal[0].number, 1);
    CU_ASSERT_EQUAL(sa.proposal[0].protocol, S2_IKE_PROTO_IKE);
    CU_ASSERT_EQUAL(sa.proposal[0].spi_len, 8);
    CU_ASSERT_EQUAL(memcmp(sa.proposal[0].spi, "spi.spi.", 8), 0);
    CU_ASSERT_EQUAL(sa.proposal[0].count, 2);
    CU_ASSERT_EQUAL(sa.proposal[0].transform[0].type, S2SVPN_TRANSFORM_ENCR);
    CU_ASSERT_EQUAL(sa.proposal[0].transform[0].id, S2SVPN_ENCR_AES_CBC);
    CU_ASSERT_EQUAL(sa.proposal[0].transform[0].key_bits, 128);
    CU_ASSERT_EQUAL(sa.proposal[0].transform[1].type, S2SVPN_TRANSFORM_PRF);
    CU_ASSERT_EQUAL(sa.proposal[0].transform[1].key_bits, 0);
    CU_ASSERT_EQUAL(sa.proposal[1].protocol, S2_IKE_PROTO_ESP);
    CU_ASSERT_EQUAL(memcmp(sa.proposal[1].spi, "SPI.\0\0\0\0", 8), 0);
}

/* RFC 7296 section 3.3.6: what is not understood is not acceptable, the rest is
 * processed as usual. Each row has one proposal; kept is how many transforms of it
 * are left, -1 if the proposal is left out. */
static const struct {
    const char *row;
    const uint8_t *wire;
    size_t len;
    int kept;
} odd[] = {
    {"key length of 128", WIRE("\0\0\0\x14\1\1\0\1" ENCR_LAST), 1},
    {"unknown attribute, short form",
     WIRE("\0\0\0\x20\1\1\0\2" ENCR_MORE "\0\0\0\x0c\1\0\0\x0c\x80\x0f\0\x80"), 1},
    {"unknown attribute, long form",
     WIRE("\0\0\0\x22\1\1\0\2" ENCR_MORE "\0\0\0\x0e\1\0\0\x0c\0\x0f\0\2xy"), 1},
    {"unknown attribute of length 0",
     WIRE("\0\0\0\x20\1\1\0\2" ENCR_MORE "\0\0\0\x0c\1\0\0\x0c\0\x0f\0\0"), 1},
    {"key length in the long form",
     WIRE("\0\0\0\x22\1\1\0\2" ENCR_MORE "\0\0\0\x0e\1\0\0\x0c\0\x0e\0\2\0\x80"), 1},
    {"two key lengths",
     WIRE("\0\0\0\x24\1\1\0\2" ENCR_MORE "\0\0\0\x10\1\0\0\x0c\x80\x0e\0\x80\x80\x0e\0\x80"), 1},
    {"key length of 0", WIRE("\0\0\0\x20\1\1\0\2" ENCR_MORE "\0\0\0\x0c\1\0\0\x1c\x80\x0e\0\0"), 1},
    {"only one of its type has an unknown attribute",
     WIRE("\0\0\0\x20\1\1\0\2" ENCR_MORE "\0\0\0\x0c\4\0\0\x0e\x80\x0f\0\1"), -1},
    {"unknown type is kept, to be refused", WIRE("\0\0\0\x10\1\1\0\1\0\0\0\x08\x06\0\0\1"), 1},
    {"unknown type with unknown attribute",
     WIRE("\0\0\0\x20\1\1\0\2" ENCR_MORE "\0\0\0\x0c\xff\0\0\1\x80\x0f\0\1"), -1},
    {"unknown protocol, unknown SPI", WIRE("\0\0\0\x19\1\7\5\1spi.." ENCR_LAST), -1},
    {"AH is known", WIRE("\0\0\0\x18\1\2\4\1spi." ENCR_LAST), 1},
    {"no transforms at all", WIRE("\0\0\0\x08\1\1\0\0"), 0},
};

static void what_is_not_understood_is_left_out(void)
{
    for (size_t i = 0; i < COUNT(odd); i++) {
        struct s2_ike_sa_payload sa;
        struct s2_reader r;

        CHECK_ROW(odd[i].row, parse(odd[i].wire, odd[i].len, &r, &sa) == S2SVPN_OK);
        CHECK_ROW(odd[i].row, sa.count == (odd[i].kept < 0 ? 0 : 1));
        CHECK_ROW(odd[i].row, odd[i].kept < 0 || sa.proposal[0].count == odd[i].kept);
    }
}

static void as_many_proposals_as_fit_and_no_more(void)
{
    uint8_t wire[8 * (S2_IKE_PROPOSALS_MAX + 1)] = {0};
    struct s2_ike_sa_payload sa;
    struct s2_reader r;

    for (size_t i = 0; i <= S2_IKE_PROPOSALS_MAX; i++) {
        const uint8_t p[8] = {2, 0, 0, 8, (uint8_t)(i + 1), 1, 0, 0};
        memcpy(wire + 8 * i, p, 8);
    }
    wire[8 * (S2_IKE_PROPOSALS_MAX - 1)] = 0;
    CU_ASSERT_EQUAL(parse(wire, 8 * S2_IKE_PROPOSALS_MAX, &r, &sa), S2SVPN_OK);
    CU_ASSERT_EQUAL(sa.count, S2_IKE_PROPOSALS_MAX);
    wire[8 * (S2_IKE_PROPOSALS_MAX - 1)] = 2;
    wire[8 * S2_IKE_PROPOSALS_MAX] = 0;
    CU_ASSERT_EQUAL(parse(wire, sizeof(wire), &r, &sa), S2SVPN_OK);
    CU_ASSERT_EQUAL(sa.count, S2_IKE_PROPOSALS_MAX);
    CU_ASSERT_EQUAL(sa.proposal[S2_IKE_PROPOSALS_MAX - 1].number, S2_IKE_PROPOSALS_MAX);
}

static void as_many_transforms_as_fit_go_around(void)
{
    struct s2_ike_sa_payload sa = {.count = 1}, got;
    uint8_t wire[8 + 12 * S2_IKE_TRANSFORMS_MAX];
    struct s2_reader r;
    struct s2_writer w;

    sa.proposal[0] = (struct s2_ike_proposal){
        .number = 1, .protocol = S2_IKE_PROTO_IKE, .count = S2_IKE_TRANSFORMS_MAX};
    for (uint16_t i = 0; i < S2_IKE_TRANSFORMS_MAX; i++)
        sa.proposal[0].transform[i] = (struct s2_ike_transform){1, i, 128};
    s2_writer_init(&w, wire, sizeof(wire));
    s2_ike_write_sa(&w, &sa);
    CU_ASSERT_EQUAL_FATAL(s2_writer_finish(&w), S2SVPN_OK);
    CU_ASSERT_EQUAL(w.len, sizeof(wire));
    CU_ASSERT_EQUAL_FATAL(parse(wire, w.len, &r, &got), S2SVPN_OK);
    CU_ASSERT_EQUAL(got.proposal[0].count, S2_IKE_TRANSFORMS_MAX);
    CU_ASSERT_EQUAL(got.proposal[0].transform[S2_IKE_TRANSFORMS_MAX - 1].id,
                    S2_IKE_TRANSFORMS_MAX - 1);
}

static void a_written_sa_parses_to_the_same(void)
{
    static const uint8_t wire[] =
        "\2\0\0\x24\1\1\x08\2spi.spi." ENCR_MORE PRF_LAST "\0\0\0\x18\2\3\4\1SPI." ENCR_LAST;
    uint8_t again[sizeof(wire) - 1];
    struct s2_ike_sa_payload sa;
    struct s2_reader r;
    struct s2_writer w;

    CU_ASSERT_EQUAL_FATAL(parse(wire, sizeof(wire) - 1, &r, &sa), S2SVPN_OK);
    s2_writer_init(&w, again, sizeof(again));
    s2_ike_write_sa(&w, &sa);
    CU_ASSERT_EQUAL(s2_writer_finish(&w), S2SVPN_OK);
    CU_ASSERT_EQUAL(w.len, sizeof(again));
    CU_ASSERT_EQUAL(memcmp(again, wire, sizeof(again)), 0);
}

const CU_TestInfo s2_test_payload_sa[] = {
    {"malformed sa is refused and named", malformed_sa_is_refused_and_named},
    {"proposals are read field by field", proposals_are_read_field_by_field},
    {"what is not understood is left out", what_is_not_understood_is_left_out},
    {"as many proposals as fit and no more", as_many_proposals_as_fit_and_no_more},
    {"as many transforms as fit go around", as_many_transforms_as_fit_go_around},
    {"a written sa parses to the same", a_written_sa_parses_to_the_same},
    CU_TEST_INFO_NULL,
};
