/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 7296 sections 2.7 and 3.3, as an offer on the wire: proposals in any number,
 * transforms in any order, what nobody knows passed over. What is chosen of an offer
 * that has been read: test_proposal.c; malformed ones: test_payload_sa.c. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "ike/forge.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* An SA payload by hand, from a text: proposals are divided by '|', each of transforms
 * like "e12/128"; letters as in test_proposal.c. After a transform, '+' adds an
 * attribute that nobody knows in the short form, '*' one in the long form. */
static void write_transform(struct s2_writer *w, const char *text, bool last)
{
    static const char letters[] = "?epiknx";
    const size_t at = w->len;
    char *end;

    s2_write_u8(w, last ? 0 : 3);
    s2_write_u8(w, 0);
    s2_write_u16(w, 0);
    const char *letter = strchr(letters, text[0]);
    s2_write_u8(w, letter != NULL ? (uint8_t)(letter - letters) : 255);
    s2_write_u8(w, 0);
    s2_write_u16(w, (uint16_t)strtoul(text + 1, &end, 10));
    if (*end == '/') {
        s2_write_u16(w, 0x8000 | 14);
        s2_write_u16(w, (uint16_t)strtoul(end + 1, &end, 10));
    }
    for (; *end == '+' || *end == '*'; end++) {
        s2_write_u16(w, *end == '+' ? 0x8000 | 99 : 99);
        s2_write_u16(w, 4);
        if (*end == '*')
            s2_write_u32(w, 0x01020304);
    }
    s2_write_patch_u16(w, at + 2, (uint16_t)(w->len - at));
}

static size_t word_len(const char *text)
{
    return strcspn(text, " |");
}

static const char *write_proposal(struct s2_writer *w, const char *text, uint8_t number)
{
    const size_t at = w->len;
    uint8_t count = 0;

    s2_write_u8(w, strchr(text, '|') != NULL ? 2 : 0);
    s2_write_u8(w, 0);
    s2_write_u16(w, 0);
    s2_write_u8(w, number);
    s2_write_u8(w, S2_IKE_PROTO_IKE);
    s2_write_u8(w, 0);
    s2_write_u8(w, 0);
    while (*text != '\0' && *text != '|') {
        const size_t len = word_len(text);

        write_transform(w, text, text[len] != ' ');
        count++;
        text += len + (text[len] == ' ');
    }
    s2_write_patch_u16(w, at + 2, (uint16_t)(w->len - at));
    s2_write_patch_u8(w, at + 7, count);
    return *text == '|' ? text + 1 : NULL;
}

static enum s2svpn_drop give_offer(struct s2_pair *p, const char *text, uint8_t first_number)
{
    const struct s2_ike_header h = {.spi_i = 77,
                                    .version = S2_IKE_VERSION_2,
                                    .exchange = S2_IKE_SA_INIT,
                                    .flags = S2_IKE_FLAG_INITIATOR};
    struct s2_ike_compose *c = &s2_forge_compose;
    static const uint8_t value[256] = {1};

    s2_ike_compose_plain(c, &h);
    s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_SA);
    for (uint8_t number = first_number; text != NULL; number++)
        text = write_proposal(&c->w, text, number);
    s2_ike_payload_end(c->chain);
    s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_KE);
    s2_ike_write_ke(&c->w, S2SVPN_KE_MODP_2048, s2_span(value, sizeof(value)));
    s2_ike_payload_end(c->chain);
    s2_ike_add_bytes(c, S2_IKE_PAYLOAD_NONCE, s2_span("twenty or more bytes", 20));
    CU_ASSERT_EQUAL_FATAL(s2_ike_write_end(&c->w), S2SVPN_OK);
    return s2_ike_receive(p->end[1].ike, &p->end[1].config.local, &p->end[0].config.local, c->bytes,
                          c->w.len, p->now_ns);
}

/* The number of the proposal in the last answer, and its transforms; 0: none. */
static uint8_t chosen(struct s2_ike_sa_payload *sa)
{
    struct s2_ike_payloads list;
    struct s2_reader r;

    if (s2_forge_last_len == 0 || !s2_forge_open_last(NULL, &list))
        return 0;
    const struct s2_ike_payload *payload = s2_ike_find(&list, S2_IKE_PAYLOAD_SA);
    if (payload == NULL)
        return 0;
    s2_reader_init(&r, payload->body.p, payload->body.len);
    if (s2_ike_parse_sa(&r, sa) != S2SVPN_OK || sa->count != 1)
        return 0;
    return sa->proposal[0].number;
}

#define GOOD "e12/128 i2 p2 k14"
#define BAD "e3 i1 p1 k14"
#define BAD5 BAD "|" BAD "|" BAD "|" BAD "|" BAD

static const struct {
    const char *row, *offer;
    uint8_t first_number, number; /* number 0: refused */
    uint16_t encr, key_bits;
} offers[] = {
    {"one", GOOD, 1, 1, 12, 128},
    {"transforms in any order", "k14 p2 i2 e12/128", 1, 1, 12, 128},
    {"types mixed", "k14 e12/256 p5 i12 k19 e12/128 p2 i2", 1, 1, 12, 128},
    {"our first choice from behind", "e20/128 p2 k14|" GOOD, 1, 2, 12, 128},
    {"sixteen, of which the last will do", BAD5 "|" BAD5 "|" BAD5 "|" GOOD, 1, 16, 12, 128},
    {"a seventeenth, which is not read", BAD5 "|" BAD5 "|" BAD5 "|" BAD "|" GOOD, 1, 0, 0, 0},
    {"none will do", BAD5, 1, 0, 0, 0},
    /* Section 3.3.6: a transform with something unknown is not there. */
    {"an unknown attribute on one of two", "e12/128+ e20/128 p2 k14", 1, 1, 20, 128},
    {"the same in the long form", "e12/128* e20/128 p2 k14", 1, 1, 20, 128},
    {"several of both forms", "e12/128+*+ e20/128 p2 k14", 1, 1, 20, 128},
    {"an unknown attribute on all of a type", "e12/128 i2 p2+ k14|" GOOD, 1, 2, 12, 128},
    {"an unknown type of transform", GOOD " x1|" GOOD, 1, 2, 12, 128},
    {"unknown numbers of known types", "e999/128 e12/128 i99 i2 p99 p2 k99 k14", 1, 1, 12, 128},
    {"each key length is a cipher of its own", "e20/256 e20/192 e20/128 p2 k14", 1, 1, 20, 128},
    {"a length that nobody has", "e12/129 i2 p2 k14", 1, 0, 0, 0},
    {"a cipher of any length without one", "e12 i2 p2 k14", 1, 0, 0, 0},
    {"RFC 5282: an AEAD without INTEG", "e20/128 p2 k14", 1, 1, 20, 128},
    {"an AEAD with INTEG NONE", "e20/128 i0 p2 k14", 1, 1, 20, 128},
    {"an AEAD and another with INTEG", "e20/128 e12/128 i2 p2 k14", 1, 1, 12, 128},
    {"numbers that begin higher", GOOD, 7, 7, 12, 128},
};

static void offers_of_any_shape_are_answered_by_what_is_good_in_them(void)
{
    for (size_t i = 0; i < COUNT(offers); i++) {
        struct s2_ike_sa_payload sa = {0};
        struct s2_pair p;

        s2_pair_init(&p, 1);
        p.filter = s2_forge_keep_last;
        s2_forge_last_len = 0;
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        (void)give_offer(&p, offers[i].offer, offers[i].first_number);
        CHECK_ROW(offers[i].row, chosen(&sa) == offers[i].number);
        CHECK_ROW(offers[i].row, (s2_pair_sas(&p.end[1]) == 1) == (offers[i].number != 0));
        if (offers[i].number != 0) {
            const struct s2_ike_transform *t = sa.proposal[0].transform;

            CHECK_ROW(offers[i].row,
                      t[0].id == offers[i].encr && t[0].key_bits == offers[i].key_bits);
            CHECK_ROW(offers[i].row, sa.proposal[0].spi_len == 0);
        }
        s2_pair_close(&p);
        CHECK_ROW(offers[i].row, p.end[1].fake.live == 0);
    }
}

/* As many transforms as an honest peer may list: all ciphers, hashes and groups that
 * there are names for. */
static void a_long_list_of_transforms_is_read_to_its_end(void)
{
    static const char offer[] =
        "e20/256 e20/192 e20/128 e19/256 e19/192 e19/128 e18/256 e18/192 e18/128 e28 "
        "e12/256 e12/192 e13/256 e13/192 e13/128 e23/256 e23/192 e23/128 e3 "
        "i14 i13 i12 i5 i8 i1 p7 p6 p5 p4 p8 p1 "
        "k31 k32 k21 k20 k19 k30 k29 k28 k27 k26 k25 k24 k23 k22 k18 k17 k16 k15 k2 k5 k1 "
        "e12/128 i2 p2 k14";
    struct s2_ike_sa_payload sa = {0};
    struct s2_pair p;

    s2_pair_init(&p, 2);
    p.filter = s2_forge_keep_last;
    p.end[1].config.ike.encr_count = p.end[1].config.ike.integ_count = 1;
    p.end[1].config.ike.prf_count = p.end[1].config.ike.ke_count = 1;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    CU_ASSERT_EQUAL(give_offer(&p, offer, 1), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(chosen(&sa), 1);
    CU_ASSERT_EQUAL(sa.proposal[0].count, 4);
    s2_pair_close(&p);
}

/* Section 2.7: the responder takes one of each; an initiator whose answer has more,
 * less or other than that doesn't go on with it. */
static bool mangle_answer(struct s2_pair *p, struct s2_pair_datagram *d)
{
    const size_t *at = p->filter_arg;

    if (d->to == 0 && d->p[18] == S2_IKE_SA_INIT)
        d->p[S2_IKE_HEADER_LEN + *at] ^= 0x01;
    return true;
}

static void an_answer_that_was_not_offered_is_not_taken(void)
{
    static const struct {
        const char *row;
        size_t at; /* in the SA payload of the answer */
    } rows[] = {
        {"another number", 8},
        {"another protocol", 9},
        {"an SPI", 10},
        {"one more", 11},
        {"a cipher with another number", 19},
        {"another key length", 23},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t at = rows[i].at;
        struct s2_pair p;

        s2_pair_init(&p, 3);
        p.filter = mangle_answer;
        p.filter_arg = &at;
        p.end[0].options.retransmit_tries = 1;
        CHECK_ROW(rows[i].row, !s2_pair_connect(&p));
        s2_pair_run_for(&p, 20 * S2_SECOND);
        CHECK_ROW(rows[i].row, p.end[0].reason == S2_IKE_REASON_TIMEOUT);
        CHECK_ROW(rows[i].row, strcmp(p.end[0].detail, "it chose what was not offered") == 0);
        s2_pair_close(&p);
    }
}

const CU_TestInfo s2_test_rules_offers[] = {
    {"offers of any shape are answered by what is good in them",
     offers_of_any_shape_are_answered_by_what_is_good_in_them},
    {"a long list of transforms is read to its end", a_long_list_of_transforms_is_read_to_its_end},
    {"an answer that was not offered is not taken", an_answer_that_was_not_offered_is_not_taken},
    CU_TEST_INFO_NULL,
};
