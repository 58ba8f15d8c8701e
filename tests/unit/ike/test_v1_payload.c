/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/ike/v1/payload_sa.c and payload_id.c. */
#include <string.h>

#include "base/address.h"
#include "base/bytes.h"
#include "harness.h"
#include "ike/v1/message.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WIRE(text) (const uint8_t *)(text), sizeof(text) - 1

/* ---- SA */

#define IPSEC "\0\0\0\1\0\0\0\1"
#define SPI_OF_17 "\0\0\0\x21\1\1\x11\1spi.spi.spi.spi.s\0\0\0\x08\1\1\0\0"

static const struct {
    const char *row;
    const uint8_t *wire;
    size_t len;
    s2svpn_status rc;
    const char *field;
} bad_sas[] = {
    {"empty", WIRE(""), S2SVPN_E_MALFORMED, "sa.doi"},
    {"no situation", WIRE("\0\0\0\1\0\0\0"), S2SVPN_E_MALFORMED, "sa.situation"},
    {"another DOI", WIRE("\0\0\0\2\0\0\0\1"), S2SVPN_E_UNSUPPORTED, "sa.doi"},
    {"secrecy", WIRE("\0\0\0\1\0\0\0\3"), S2SVPN_E_UNSUPPORTED, "sa.situation"},
    {"no proposals", WIRE(IPSEC), S2SVPN_E_MALFORMED, "sa.proposals"},
    {"half a proposal", WIRE(IPSEC "\0\0\0"), S2SVPN_E_MALFORMED, "proposal.length"},
    {"proposal shorter than itself", WIRE(IPSEC "\0\0\0\7\1\1\0\0"), S2SVPN_E_MALFORMED,
     "proposal.length"},
    {"proposal longer than the payload", WIRE(IPSEC "\0\0\0\x11\1\1\0\1\0\0\0\x08\1\1\0\0"),
     S2SVPN_E_MALFORMED, "proposal.length"},
    {"more proposals announced", WIRE(IPSEC "\2\0\0\x10\1\1\0\1\0\0\0\x08\1\1\0\0"),
     S2SVPN_E_MALFORMED, "proposal.next"},
    {"a proposal of another type behind",
     WIRE(IPSEC "\1\0\0\x10\1\1\0\1\0\0\0\x08\1\1\0\0"
                "\0\0\0\x10\2\1\0\1\0\0\0\x08\1\1\0\0"),
     S2SVPN_E_MALFORMED, "proposal.next"},
    {"numbers fall",
     WIRE(IPSEC "\2\0\0\x10\2\1\0\1\0\0\0\x08\1\1\0\0"
                "\0\0\0\x10\1\1\0\1\0\0\0\x08\1\1\0\0"),
     S2SVPN_E_MALFORMED, "proposal.number"},
    {"ESP without SPI", WIRE(IPSEC "\0\0\0\x10\1\3\0\1\0\0\0\x08\1\x0c\0\0"), S2SVPN_E_MALFORMED,
     "proposal.spi_size"},
    {"SPI of 17 bytes", WIRE(IPSEC SPI_OF_17), S2SVPN_E_MALFORMED, "proposal.spi_size"},
    {"IPCOMP without SPI", WIRE(IPSEC "\0\0\0\x10\1\4\0\1\0\0\0\x08\1\2\0\0"), S2SVPN_E_MALFORMED,
     "proposal.spi_size"},
    {"IPCOMP with an SPI of 17 bytes",
     WIRE(IPSEC "\0\0\0\x21\1\4\x11\1spi.spi.spi.spi.s\0\0\0\x08\1\2\0\0"), S2SVPN_E_MALFORMED,
     "proposal.spi_size"},
    {"SPI longer than the proposal", WIRE(IPSEC "\0\0\0\x0a\1\3\4\1sp"), S2SVPN_E_MALFORMED,
     "proposal.spi"},
    {"no transforms", WIRE(IPSEC "\0\0\0\x08\1\1\0\0"), S2SVPN_E_MALFORMED, "proposal.transforms"},
    {"counted, not there", WIRE(IPSEC "\0\0\0\x08\1\1\0\1"), S2SVPN_E_MALFORMED, "transform.next"},
    {"more counted than there", WIRE(IPSEC "\0\0\0\x10\1\1\0\2\3\0\0\x08\1\1\0\0"),
     S2SVPN_E_MALFORMED, "transform.next"},
    {"fewer counted than there",
     WIRE(IPSEC "\0\0\0\x18\1\1\0\1\0\0\0\x08\1\1\0\0\0\0\0\x08\2\1\0\0"), S2SVPN_E_MALFORMED,
     "trailing bytes"},
    {"last one says more", WIRE(IPSEC "\0\0\0\x10\1\1\0\1\3\0\0\x08\1\1\0\0"), S2SVPN_E_MALFORMED,
     "transform.next"},
    {"first one says last", WIRE(IPSEC "\0\0\0\x18\1\1\0\2\0\0\0\x08\1\1\0\0\0\0\0\x08\2\1\0\0"),
     S2SVPN_E_MALFORMED, "transform.next"},
    {"transform shorter than itself", WIRE(IPSEC "\0\0\0\x10\1\1\0\1\0\0\0\7\1\1\0\0"),
     S2SVPN_E_MALFORMED, "transform.length"},
    {"transform longer than its proposal", WIRE(IPSEC "\0\0\0\x10\1\1\0\1\0\0\0\x09\1\1\0\0"),
     S2SVPN_E_MALFORMED, "transform.length"},
    {"half an attribute", WIRE(IPSEC "\0\0\0\x13\1\1\0\1\0\0\0\x0b\1\1\0\0\x80\1\0"),
     S2SVPN_E_MALFORMED, "attribute.value"},
    {"attribute longer than its transform",
     WIRE(IPSEC "\0\0\0\x16\1\1\0\1\0\0\0\x0e\1\1\0\0\0\x0c\0\3\1\1"), S2SVPN_E_MALFORMED,
     "attribute.length"},
    {"absurd attribute", WIRE(IPSEC "\0\0\0\x14\1\1\0\1\0\0\0\x0c\1\1\0\0\0\x0c\xff\xff"),
     S2SVPN_E_MALFORMED, "attribute.length"},
};

static void malformed_sas_are_refused_and_named(void)
{
    for (size_t i = 0; i < COUNT(bad_sas); i++) {
        struct s2_ike1_sa_payload sa = {.count = 7, .transforms = 7};
        struct s2_reader r;

        s2_reader_init(&r, bad_sas[i].wire, bad_sas[i].len);
        CHECK_ROW(bad_sas[i].row, s2_ike1_parse_sa(&r, &sa) == bad_sas[i].rc);
        CHECK_ROW(bad_sas[i].row, r.field != NULL && strcmp(r.field, bad_sas[i].field) == 0);
        CHECK_ROW(bad_sas[i].row, sa.count == 0 && sa.transforms == 0);
    }
}

/* One proposal with one transform of those attributes. */
static s2svpn_status parse_attributes(uint8_t protocol, const uint8_t *attributes, size_t len,
                                      struct s2_ike1_sa_payload *sa)
{
    const uint8_t spi_len = protocol == S2_IKE1_PROTO_ISAKMP ? 0 : 4;
    uint8_t wire[200];
    struct s2_reader r;
    struct s2_writer w;

    s2_writer_init(&w, wire, sizeof(wire));
    s2_write_bytes(&w, IPSEC, 8);
    s2_write_u16(&w, 0);
    s2_write_u16(&w, (uint16_t)(16 + spi_len + len));
    s2_write_u8(&w, 1);
    s2_write_u8(&w, protocol);
    s2_write_u8(&w, spi_len);
    s2_write_u8(&w, 1);
    s2_write_zero(&w, spi_len);
    s2_write_u16(&w, 0);
    s2_write_u16(&w, (uint16_t)(8 + len));
    s2_write_u32(&w, 0x010c0000);
    s2_write_bytes(&w, attributes, len);
    s2_reader_init(&r, wire, w.len);
    return s2_ike1_parse_sa(&r, sa);
}

static bool same_values(const struct s2_ike1_transform *a, const struct s2_ike1_transform *b)
{
    return a->odd == b->odd && a->esn == b->esn && a->key_bits == b->key_bits &&
           a->group == b->group && a->encr == b->encr && a->hash == b->hash &&
           a->method == b->method && a->integ == b->integ && a->encapsulation == b->encapsulation &&
           a->life_s == b->life_s && a->life_kb == b->life_kb;
}

static const struct {
    const char *row;
    uint8_t protocol;
    const uint8_t *wire;
    size_t len;
    struct s2_ike1_transform t;
} attributes[] = {
    {"none", 1, WIRE(""), {.odd = false}},
    {"phase 1",
     1,
     WIRE("\x80\1\0\7\x80\x0e\1\0\x80\2\0\4\x80\3\0\1\x80\4\0\x0e"
          "\x80\x0b\0\1\0\x0c\0\4\0\0\x70\x80"),
     {.encr = 7, .key_bits = 256, .hash = 4, .method = 1, .group = 14, .life_s = 28800}},
    {"phase 2",
     3,
     WIRE("\x80\4\0\3\x80\6\0\x80\x80\5\0\2\x80\3\0\2\x80\1\0\1\x80\2\x0e\x10"
          "\x80\1\0\2\0\2\0\4\0\x46\x50\0"),
     {.encapsulation = 3,
      .key_bits = 128,
      .integ = 2,
      .group = 2,
      .life_s = 3600,
      .life_kb = 4608000}},
    {"draft's encapsulation", 3, WIRE("\x80\4\xf0\3"), {.encapsulation = 61443}},
    {"basic values with a length",
     1,
     WIRE("\0\1\0\2\0\7\0\2\0\1\2\0\3\0\4\0\0\0\1"),
     {.encr = 7, .hash = 2, .method = 1}},
    {"duration of 8 bytes", 3, WIRE("\x80\1\0\1\0\2\0\x08\0\0\0\0\0\0\x0e\x10"), {.life_s = 3600}},
    {"duration too large", 3, WIRE("\x80\1\0\2\0\2\0\5\1\0\0\0\0"), {.life_kb = UINT32_MAX}},
    {"two durations", 3, WIRE("\x80\1\0\1\x80\2\0\7\x80\1\0\1\x80\2\0\x09"), {.life_s = 7}},
    {"extended numbers", 3, WIRE("\x80\x0b\0\1"), {.esn = true}},
    {"a key length twice", 3, WIRE("\x80\6\0\x80\x80\6\0\x80"), {.odd = true, .key_bits = 128}},
    {"a key length twice, apart",
     3,
     WIRE("\x80\6\0\x80\x80\5\0\2\x80\6\0\x80"),
     {.odd = true, .key_bits = 128, .integ = 2}},
    {"nobody's attribute, then a life",
     3,
     WIRE("\x80\x1f\0\1\x80\1\0\1\x80\2\0\7"),
     {.odd = true, .life_s = 7}},
    {"the first number of nobody's", 3, WIRE("\x80\x20\0\1"), {.odd = true}},
    {"a duration without bytes", 3, WIRE("\x80\1\0\1\0\2\0\0"), {.odd = true}},
    {"a key length of 0", 3, WIRE("\x80\6\0\0"), {.odd = true}},
    {"a key length too large", 3, WIRE("\0\6\0\3\1\0\0"), {.odd = true}},
    {"a value without bytes", 3, WIRE("\0\5\0\0"), {.odd = true}},
    {"nobody's attribute", 3, WIRE("\x80\x1f\0\1"), {.odd = true}},
    {"a private attribute", 1, WIRE("\xff\xff\0\1"), {.odd = true}},
    {"a prime of one's own", 1, WIRE("\0\6\0\4abcd"), {.odd = true}},
    {"key rounds", 3, WIRE("\x80\7\0\1"), {.odd = true}},
    {"a duration without type", 3, WIRE("\x80\2\0\1"), {.odd = true}},
    {"a type without duration", 3, WIRE("\x80\1\0\1"), {.odd = true}},
    {"two types", 3, WIRE("\x80\1\0\1\x80\1\0\2\x80\2\0\1"), {.odd = true, .life_kb = 1}},
    {"nobody's type of life", 3, WIRE("\x80\1\0\3\x80\2\0\1"), {.odd = true}},
    {"a life of 0", 3, WIRE("\x80\1\0\1\x80\2\0\0"), {.odd = true}},
};

static void attributes_are_read_in_either_form(void)
{
    for (size_t i = 0; i < COUNT(attributes); i++) {
        struct s2_ike1_sa_payload sa;

        CHECK_ROW(attributes[i].row, parse_attributes(attributes[i].protocol, attributes[i].wire,
                                                      attributes[i].len, &sa) == S2SVPN_OK);
        CHECK_ROW(attributes[i].row, sa.count == 1 && sa.transforms == 1);
        CHECK_ROW(attributes[i].row, same_values(&sa.transform[0], &attributes[i].t));
        CHECK_ROW(attributes[i].row, sa.transform[0].attributes.len == attributes[i].len);
    }
}

/* Other protocols' proposals are carried, whatever SPI they have. */
static void spis_of_other_protocols_are_carried(void)
{
    for (uint8_t len = 1; len <= S2_IKE1_SPI_MAX; len++) {
        uint8_t wire[8 + 8 + S2_IKE1_SPI_MAX + 8] = {0, 0, 0, 1, 0, 0, 0, 1};
        const uint8_t proposal[] = {0, 0, 0, (uint8_t)(16 + len), 1, S2_IKE1_PROTO_IPCOMP, len, 1};
        const uint8_t transform[] = {0, 0, 0, 8, 1, 2, 0, 0};
        struct s2_ike1_sa_payload sa;
        struct s2_reader r;

        memcpy(wire + 8, proposal, sizeof(proposal));
        memcpy(wire + 16 + len, transform, sizeof(transform));
        s2_reader_init(&r, wire, 24u + len);
        CU_ASSERT_EQUAL(s2_ike1_parse_sa(&r, &sa), S2SVPN_OK);
        CU_ASSERT_TRUE(sa.count == 1 && sa.proposal[0].spi_len == len);
    }
}

static void proposals_are_bounded(void)
{
    for (size_t n = S2_IKE1_PROPOSALS_MAX; n <= S2_IKE1_PROPOSALS_MAX + 1; n++) {
        static const uint8_t one[] = {2, 0, 0, 16, 1, 1, 0, 1, 0, 0, 0, 8, 1, 1, 0, 0};
        uint8_t wire[8 + sizeof(one) * (S2_IKE1_PROPOSALS_MAX + 1)];
        struct s2_ike1_sa_payload sa;
        struct s2_reader r;

        memcpy(wire, IPSEC, 8);
        for (size_t i = 0; i < n; i++) {
            memcpy(wire + 8 + i * sizeof(one), one, sizeof(one));
            wire[8 + i * sizeof(one)] = i + 1 < n ? 2 : 0;
        }
        s2_reader_init(&r, wire, 8 + n * sizeof(one));
        CU_ASSERT_EQUAL(s2_ike1_parse_sa(&r, &sa),
                        n == S2_IKE1_PROPOSALS_MAX ? S2SVPN_OK : S2SVPN_E_LIMIT);
        CU_ASSERT_EQUAL(sa.count, n == S2_IKE1_PROPOSALS_MAX ? n : 0);
    }
}

/* In one proposal, and spread over two. */
static void transforms_are_bounded(void)
{
    for (size_t split = 0; split < 2; split++) {
        for (size_t n = S2_IKE1_TRANSFORMS_MAX; n <= S2_IKE1_TRANSFORMS_MAX + 1; n++) {
            const size_t of[2] = {split ? 100 : n, split ? n - 100 : 0};
            struct s2_ike1_sa_payload sa;
            uint8_t wire[1200];
            struct s2_reader r;
            struct s2_writer w;

            s2_writer_init(&w, wire, sizeof(wire));
            s2_write_bytes(&w, IPSEC, 8);
            for (size_t p = 0; p <= split; p++) {
                s2_write_u16(&w, p < split ? 0x0200 : 0);
                s2_write_u16(&w, (uint16_t)(8 + 8 * of[p]));
                s2_write_u8(&w, (uint8_t)(p + 1));
                s2_write_u16(&w, 0x0100);
                s2_write_u8(&w, (uint8_t)of[p]);
                for (size_t i = 1; i <= of[p]; i++) {
                    s2_write_u32(&w, i < of[p] ? 0x03000008 : 8);
                    s2_write_u32(&w, 0x01010000);
                }
            }
            s2_reader_init(&r, wire, w.len);
            CU_ASSERT_EQUAL(s2_ike1_parse_sa(&r, &sa),
                            n == S2_IKE1_TRANSFORMS_MAX ? S2SVPN_OK : S2SVPN_E_LIMIT);
            CU_ASSERT_EQUAL(sa.transforms, n == S2_IKE1_TRANSFORMS_MAX ? n : 0);
        }
    }
}

/* Written from numbers, parsed, and written again as received: the same bytes. */
static void sas_go_around(void)
{
    static const struct s2_ike1_sa_payload sas[] = {
        {.count = 1,
         .transforms = 2,
         .proposal = {{.number = 1, .protocol = 1, .count = 2}},
         .transform = {{.number = 1,
                        .id = 1,
                        .encr = 7,
                        .key_bits = 128,
                        .hash = 2,
                        .method = 1,
                        .group = 2,
                        .life_s = 28800},
                       {.number = 2,
                        .id = 1,
                        .encr = 7,
                        .key_bits = 256,
                        .hash = 6,
                        .method = 1,
                        .group = 21,
                        .life_s = 86400}}},
        {.count = 2,
         .transforms = 3,
         .proposal =
             {{.number = 1, .protocol = 3, .spi_len = 4, .spi = "spi1", .count = 1},
              {.number = 2, .protocol = 3, .spi_len = 4, .spi = "spi2", .first = 1, .count = 2}},
         .transform = {{.number = 1, .id = 20, .key_bits = 256, .encapsulation = 61443},
                       {.number = 1,
                        .id = 12,
                        .key_bits = 128,
                        .integ = 5,
                        .encapsulation = 1,
                        .group = 14,
                        .life_s = 3600,
                        .life_kb = 4608000},
                       {.number = 2, .id = 11, .integ = 2, .encapsulation = 1, .esn = true}}},
    };

    for (size_t i = 0; i < COUNT(sas); i++) {
        uint8_t wire[300], again[300];
        struct s2_ike1_sa_payload got;
        struct s2_reader r;
        struct s2_writer w, v;

        s2_writer_init(&w, wire, sizeof(wire));
        s2_ike1_write_sa(&w, &sas[i]);
        CU_ASSERT_EQUAL_FATAL(s2_writer_finish(&w), S2SVPN_OK);
        s2_reader_init(&r, wire, w.len);
        CU_ASSERT_EQUAL_FATAL(s2_ike1_parse_sa(&r, &got), S2SVPN_OK);
        CU_ASSERT_EQUAL(got.count, sas[i].count);
        CU_ASSERT_EQUAL(got.transforms, sas[i].transforms);
        for (size_t p = 0; p < got.count; p++)
            CU_ASSERT_EQUAL(memcmp(&got.proposal[p], &sas[i].proposal[p], sizeof(got.proposal[p])),
                            0);
        for (size_t t = 0; t < got.transforms; t++) {
            CU_ASSERT_EQUAL(got.transform[t].number, sas[i].transform[t].number);
            CU_ASSERT_EQUAL(got.transform[t].id, sas[i].transform[t].id);
            CU_ASSERT_TRUE(same_values(&got.transform[t], &sas[i].transform[t]));
        }
        s2_writer_init(&v, again, sizeof(again));
        s2_ike1_write_sa(&v, &got);
        CU_ASSERT_TRUE(s2_span_equal(s2_span(again, v.len), s2_span(wire, w.len)));
    }
}

static void lifetimes_go_around(void)
{
    static const struct s2_ike1_lifetime rows[] = {{0, 0}, {3600, 0}, {0, 100000}, {86400, 1}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int phase1 = 0; phase1 < 2; phase1++) {
            struct s2_ike1_lifetime got = {7, 7};
            uint8_t wire[40];
            struct s2_reader r;
            struct s2_writer w;

            s2_writer_init(&w, wire, sizeof(wire));
            s2_ike1_write_lifetime(&w, phase1, &rows[i]);
            s2_reader_init(&r, wire, w.len);
            CU_ASSERT_EQUAL(s2_ike1_parse_lifetime(&r, phase1, &got), S2SVPN_OK);
            CU_ASSERT_TRUE(got.life_s == rows[i].life_s && got.life_kb == rows[i].life_kb);
            s2_reader_init(&r, wire, w.len);
            CU_ASSERT_EQUAL(s2_ike1_parse_lifetime(&r, !phase1, &got),
                            w.len == 0 ? S2SVPN_OK : S2SVPN_E_MALFORMED);
        }
    }
}

/* ---- ID */

static void malformed_ids_are_refused_and_named(void)
{
    static const struct {
        const char *row;
        const uint8_t *wire;
        size_t len;
        const char *field;
    } rows[] = {
        {"empty", WIRE(""), "id.type"},
        {"type 0", WIRE("\0\0\0\0"), "id.type"},
        {"no port", WIRE("\1\x11\1"), "id.port"},
        {"IPv4 of 3 bytes", WIRE("\1\0\0\0abc"), "id.data"},
        {"IPv4 of 5 bytes", WIRE("\1\0\0\0abcde"), "id.data"},
        {"IPv4 network without mask", WIRE("\4\0\0\0abcd"), "id.data"},
        {"IPv6 of 4 bytes", WIRE("\5\0\0\0abcd"), "id.data"},
        {"IPv6 network of IPv4's length", WIRE("\6\0\0\0abcdabcd"), "id.data"},
        {"IPv4 range of one address", WIRE("\7\0\0\0abcd"), "id.data"},
        {"IPv6 range of nothing", WIRE("\x08\0\0\0"), "id.data"},
    };
    static const uint8_t longest[4 + S2_IKE_ID_MAX + 1] = {S2_IKE1_ID_KEY_ID};
    struct s2_ike1_id id = {.type = 77};
    struct s2_reader r;

    for (size_t i = 0; i < COUNT(rows); i++) {
        s2_reader_init(&r, rows[i].wire, rows[i].len);
        CHECK_ROW(rows[i].row, s2_ike1_parse_id(&r, &id) == S2SVPN_E_MALFORMED);
        CHECK_ROW(rows[i].row, r.field != NULL && strcmp(r.field, rows[i].field) == 0);
        CHECK_ROW(rows[i].row, id.type == 77);
    }
    s2_reader_init(&r, longest, sizeof(longest));
    CU_ASSERT_EQUAL(s2_ike1_parse_id(&r, &id), S2SVPN_E_LIMIT);
    CU_ASSERT_EQUAL(id.type, 77);
    s2_reader_init(&r, longest, sizeof(longest) - 1);
    CU_ASSERT_EQUAL(s2_ike1_parse_id(&r, &id), S2SVPN_OK);
}

/* CVE-2023-38711: a name where an address is expected is no selector. */
static const struct {
    const char *row;
    const uint8_t *wire;
    size_t len;
    bool peer;                /* an identity of phase 1 */
    bool port;                /* with a port that may stand there */
    const char *first, *last; /* NULL: no selector */
} ids[] = {
    {"address", WIRE("\1\x11\1\xf4\xc0\0\2\1"), true, true, "192.0.2.1", "192.0.2.1"},
    {"address with NAT-T's port", WIRE("\1\x11\x11\x94\xc0\0\2\1"), true, true, "192.0.2.1",
     "192.0.2.1"},
    {"address with TCP", WIRE("\1\6\0\0\xc0\0\2\1"), true, false, "192.0.2.1", "192.0.2.1"},
    {"address with a port alone", WIRE("\1\0\1\xf4\xc0\0\2\1"), true, false, "192.0.2.1",
     "192.0.2.1"},
    {"name", WIRE("\2\0\0\0vpn"), true, true, NULL, NULL},
    {"empty name", WIRE("\2\0\0\0"), true, true, NULL, NULL},
    {"name of an address's length", WIRE("\2\0\0\0abcd"), true, true, NULL, NULL},
    {"user", WIRE("\3\0\0\0a@b"), true, true, NULL, NULL},
    {"everything", WIRE("\4\0\0\0\0\0\0\0\0\0\0\0"), false, true, "0.0.0.0", "255.255.255.255"},
    {"network", WIRE("\4\0\0\0\x0a\1\2\3\xff\xff\0\0"), false, true, "10.1.0.0", "10.1.255.255"},
    {"network of one", WIRE("\4\0\0\0\x0a\1\2\3\xff\xff\xff\xff"), false, true, "10.1.2.3",
     "10.1.2.3"},
    {"mask with a hole", WIRE("\4\0\0\0\x0a\0\0\0\xff\0\xff\0"), false, true, NULL, NULL},
    {"mask with a hole in a byte", WIRE("\4\0\0\0\x0a\0\0\0\xfd\0\0\0"), false, true, NULL, NULL},
    {"mask from behind", WIRE("\4\0\0\0\x0a\0\0\0\0\0\0\xff"), false, true, NULL, NULL},
    {"range", WIRE("\7\0\0\0\x0a\0\0\1\x0a\0\0\x09"), false, true, "10.0.0.1", "10.0.0.9"},
    {"range backwards", WIRE("\7\0\0\0\x0a\0\0\x09\x0a\0\0\1"), false, true, NULL, NULL},
    {"IPv6", WIRE("\5\0\0\0\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"), true, true, "2001:db8::1",
     "2001:db8::1"},
    {"IPv6 network",
     WIRE("\6\0\0\0\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
          "\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0"),
     false, true, "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"},
    {"key", WIRE("\x0b\0\0\0abcd"), true, true, NULL, NULL},
    {"the first of nobody's types", WIRE("\x0c\0\0\0abcd"), true, true, NULL, NULL},
    {"nobody's type", WIRE("\xc8\0\0\0abcd"), true, true, NULL, NULL},
};

static void ids_are_identities_or_selectors(void)
{
    for (size_t i = 0; i < COUNT(ids); i++) {
        struct s2_ike_ts ts = {.protocol = 77};
        struct s2_ike_id peer = {.type = 77};
        struct s2_ike1_id id;
        uint8_t again[300];
        struct s2_reader r;
        struct s2_writer w;

        s2_reader_init(&r, ids[i].wire, ids[i].len);
        CHECK_ROW(ids[i].row, s2_ike1_parse_id(&r, &id) == S2SVPN_OK);
        s2_writer_init(&w, again, sizeof(again));
        s2_ike1_write_id(&w, &id);
        CHECK_ROW(ids[i].row,
                  s2_span_equal(s2_span(again, w.len), s2_span(ids[i].wire, ids[i].len)));

        CHECK_ROW(ids[i].row, s2_ike1_id_port_fits(&id) == ids[i].port);
        CHECK_ROW(ids[i].row, s2_ike1_id_to_peer(&id, &peer) == ids[i].peer);
        CHECK_ROW(ids[i].row, peer.type == (ids[i].peer ? id.type : 77));
        if (ids[i].peer) {
            const struct s2_ike1_id back = s2_ike1_id_of_peer(&peer);
            CHECK_ROW(ids[i].row, back.type == id.type && back.len == id.len && back.port == 0 &&
                                      memcmp(back.data, id.data, id.len) == 0);
        }
        CHECK_ROW(ids[i].row, s2_ike1_id_to_ts(&id, &ts) == (ids[i].first != NULL));
        if (ids[i].first == NULL) {
            CHECK_ROW(ids[i].row, ts.protocol == 77);
            continue;
        }
        s2svpn_address first, last;
        CHECK_ROW(ids[i].row, s2svpn_address_read(ids[i].first, &first) &&
                                  s2svpn_address_read(ids[i].last, &last));
        CHECK_ROW(ids[i].row, ts.family == first.family && ts.protocol == id.protocol);
        CHECK_ROW(ids[i].row, memcmp(ts.first, first.bytes, 16) == 0);
        CHECK_ROW(ids[i].row, memcmp(ts.last, last.bytes, 16) == 0);
        CHECK_ROW(ids[i].row, ts.first_port == id.port &&
                                  ts.last_port == (id.port != 0 ? id.port : UINT16_MAX));
    }
}

static void selectors_go_around(void)
{
    static const struct {
        const char *row;
        struct s2_ike_ts ts;
        uint8_t type; /* 0: can't be said */
    } rows[] = {
        {"everything", {4, 0, 0, 65535, {0}, {255, 255, 255, 255}}, 4},
        {"network", {4, 17, 0, 65535, {10, 64}, {10, 127, 255, 255}}, 4},
        {"address, one port", {4, 6, 179, 179, {10, 0, 0, 1}, {10, 0, 0, 1}}, 1},
        {"range", {4, 0, 0, 65535, {10, 0, 0, 1}, {10, 0, 0, 2}}, 7},
        {"range as wide as a network", {4, 0, 0, 65535, {10, 0, 0, 1}, {10, 0, 1, 0}}, 7},
        {"IPv6 address", {6, 0, 0, 65535, {32, 1}, {32, 1}}, 5},
        {"IPv6 network",
         {6,
          0,
          0,
          65535,
          {32, 0},
          {32, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}},
         6},
        {"IPv6 range", {6, 0, 0, 65535, {32, 1}, {32, 2}}, 8},
        {"some ports", {4, 17, 1, 2, {10}, {10}}, 0},
        {"port 0", {4, 17, 0, 0, {10}, {10}}, 0},
        {"no family", {0, 0, 0, 65535, {10}, {10}}, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct s2_ike1_id id = {.type = 77};
        struct s2_ike_ts got;

        CHECK_ROW(rows[i].row, s2_ike1_id_of_ts(&rows[i].ts, &id) == (rows[i].type != 0));
        CHECK_ROW(rows[i].row, id.type == (rows[i].type != 0 ? rows[i].type : 77));
        if (rows[i].type == 0)
            continue;
        CHECK_ROW(rows[i].row, s2_ike1_id_to_ts(&id, &got));
        CHECK_ROW(rows[i].row, memcmp(&got, &rows[i].ts, sizeof(got)) == 0);
    }
}

/* ---- NAT-OA */

static void original_addresses_go_around(void)
{
    static const struct {
        const char *row;
        const uint8_t *wire;
        size_t len;
        const char *field; /* NULL: good */
        const char *text;
    } rows[] = {
        {"IPv4", WIRE("\1\0\0\0\xc0\0\2\1"), NULL, "192.0.2.1"},
        {"IPv6", WIRE("\5\0\0\0\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"), NULL, "2001:db8::1"},
        {"empty", WIRE(""), "nat_oa.type", NULL},
        {"name", WIRE("\2\0\0\0abcd"), "nat_oa.type", NULL},
        {"network", WIRE("\4\0\0\0abcdabcd"), "nat_oa.type", NULL},
        {"no reserved bytes", WIRE("\1\0\0"), "nat_oa.reserved", NULL},
        {"too short", WIRE("\1\0\0\0abc"), "nat_oa.address", NULL},
        {"too long", WIRE("\1\0\0\0abcde"), "trailing bytes", NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        s2svpn_address a = {.family = 77}, good;
        uint8_t again[32];
        struct s2_reader r;
        struct s2_writer w;

        s2_reader_init(&r, rows[i].wire, rows[i].len);
        CHECK_ROW(rows[i].row,
                  (s2_ike1_parse_nat_oa(&r, &a) == S2SVPN_OK) == (rows[i].field == NULL));
        if (rows[i].field != NULL) {
            CHECK_ROW(rows[i].row, a.family == 77 && strcmp(r.field, rows[i].field) == 0);
            continue;
        }
        CHECK_ROW(rows[i].row,
                  s2svpn_address_read(rows[i].text, &good) && s2_address_equal(&a, &good));
        s2_writer_init(&w, again, sizeof(again));
        s2_ike1_write_nat_oa(&w, &a);
        CHECK_ROW(rows[i].row,
                  s2_span_equal(s2_span(again, w.len), s2_span(rows[i].wire, rows[i].len)));
    }
}

const CU_TestInfo s2_test_v1_payload[] = {
    {"malformed sas are refused and named", malformed_sas_are_refused_and_named},
    {"attributes are read in either form", attributes_are_read_in_either_form},
    {"spis of other protocols are carried", spis_of_other_protocols_are_carried},
    {"proposals are bounded", proposals_are_bounded},
    {"transforms are bounded", transforms_are_bounded},
    {"sas go around", sas_go_around},
    {"lifetimes go around", lifetimes_go_around},
    {"malformed ids are refused and named", malformed_ids_are_refused_and_named},
    {"ids are identities or selectors", ids_are_identities_or_selectors},
    {"selectors go around", selectors_go_around},
    {"original addresses go around", original_addresses_go_around},
    CU_TEST_INFO_NULL,
};
