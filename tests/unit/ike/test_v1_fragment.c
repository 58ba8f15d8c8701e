/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/ike/v1/fragment.c. */
#include "ike/v1/fragment.h"

#include <string.h>

#include "base/bytes.h"
#include "fake_env.h"
#include "harness.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WIRE(text) (const uint8_t *)(text), sizeof(text) - 1
#define LIMIT 1000

static void malformed_fragments_are_refused_and_named(void)
{
    static const struct {
        const char *row;
        const uint8_t *wire;
        size_t len;
        const char *field;
    } rows[] = {
        {"empty", WIRE(""), "fragment.id"},
        {"half an id", WIRE("\0"), "fragment.id"},
        {"no number", WIRE("\0\1"), "fragment.number"},
        {"number 0", WIRE("\0\1\0\0piece"), "fragment.number"},
        {"no flags", WIRE("\0\1\1"), "fragment.flags"},
        {"no piece", WIRE("\0\1\1\1"), "fragment.piece"}, /* CVE-2013-6076 */
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct s2_ike1_fragment f = {.id = 77};
        struct s2_reader r;

        s2_reader_init(&r, rows[i].wire, rows[i].len);
        CHECK_ROW(rows[i].row, s2_ike1_parse_fragment(&r, &f) == S2SVPN_E_MALFORMED);
        CHECK_ROW(rows[i].row, r.field != NULL && strcmp(r.field, rows[i].field) == 0);
        CHECK_ROW(rows[i].row, f.id == 77);
    }
}

static void fragments_go_around(void)
{
    for (int last = 0; last < 2; last++) {
        const struct s2_ike1_fragment f = {
            .id = 0x1234, .number = 255, .last = last, .piece = {WIRE("p")}};
        struct s2_ike1_fragment got;
        uint8_t wire[16];
        struct s2_reader r;
        struct s2_writer w;

        s2_writer_init(&w, wire, sizeof(wire));
        s2_ike1_write_fragment(&w, &f);
        s2_reader_init(&r, wire, w.len);
        CU_ASSERT_EQUAL_FATAL(s2_ike1_parse_fragment(&r, &got), S2SVPN_OK);
        CU_ASSERT_EQUAL(got.id, 0x1234);
        CU_ASSERT_EQUAL(got.number, 255);
        CU_ASSERT_EQUAL(got.last, last == 1);
        CU_ASSERT_TRUE(s2_span_equal(got.piece, f.piece));
    }
}

/* ---- together. A text names pieces: "2c.", number and letter, a dot behind the last
 * one; '!' begins another id, '@' another message. */

static struct s2_ike1_fragment piece(const char *text)
{
    return (struct s2_ike1_fragment){.id = 1,
                                     .number = (uint8_t)(text[0] - '0'),
                                     .last = text[2] == '.',
                                     .piece = {(const uint8_t *)text + 1, 1}};
}

static const struct {
    const char *row, *pieces, *whole; /* whole NULL: not complete */
    s2svpn_status rc;                 /* of the last piece */
} sets[] = {
    {"in order", "1a 2b 3c.", "abc", S2SVPN_OK},
    {"backwards", "3c.2b 1a ", "abc", S2SVPN_OK},
    {"only one", "1a.", "a", S2SVPN_OK},
    {"the last one early", "1a 3c.2b ", "abc", S2SVPN_OK},
    {"first one missing", "2b.", NULL, S2SVPN_OK},
    {"last one missing", "1a 2b ", NULL, S2SVPN_OK},
    {"twice", "1a 1a 2b.", "ab", S2SVPN_OK},
    {"twice, with other bytes", "1a 1x 2b.", "ab", S2SVPN_OK},
    {"number 0", "0a ", NULL, S2SVPN_E_MALFORMED},
    {"behind the last begins anew", "2b.3c 1a ", NULL, S2SVPN_OK},
    {"the last one after all", "1a 2b 2c.1x ", "xc", S2SVPN_OK},
    {"not the last one after all", "2b.2c 3d.1a ", "acd", S2SVPN_OK},
    {"behind the last, then all", "2b.4d.1a 2b 3c ", "abcd", S2SVPN_OK},
    {"another last, before", "3c.2b.1a ", "ab", S2SVPN_OK},
    {"a last one before others", "3c 2b.1a ", "ab", S2SVPN_OK},
    {"another id begins anew", "1a !1x 2y.", "xy", S2SVPN_OK},
    {"another message begins anew", "1a @1x 2y.", "xy", S2SVPN_OK},
    {"another id leaves nothing", "1a 2b !3z.", NULL, S2SVPN_OK},
};

static s2svpn_status add_all(const struct s2_env *env, struct s2_ike1_fragments **set,
                             const char *text)
{
    s2svpn_status rc = S2SVPN_OK;
    uint32_t message_id = 1;
    uint16_t id = 1;

    while (*text != '\0') {
        if (*text == '!' || *text == '@') {
            id += *text == '!';
            message_id += *text++ == '@';
        }
        struct s2_ike1_fragment f = piece(text);
        f.id = id;
        f.message_id = message_id;
        rc = s2_ike1_fragments_add(env, set, &f, LIMIT);
        if (rc == S2SVPN_E_MEMORY)
            return rc;
        text += 3;
    }
    return rc;
}

static void pieces_come_together_in_any_order(void)
{
    for (size_t i = 0; i < COUNT(sets); i++) {
        struct s2_ike1_fragments *set = NULL;
        struct s2_fake_env env;
        uint8_t *p = NULL;
        size_t len = 0;

        s2_fake_env_init(&env, 1);
        CHECK_ROW(sets[i].row, add_all(&env.env, &set, sets[i].pieces) == sets[i].rc);
        const bool complete = s2_ike1_fragments_complete(set);
        CHECK_ROW(sets[i].row, complete == (sets[i].whole != NULL));
        CHECK_ROW(sets[i].row, s2_ike1_fragments_take(&env.env, &set, &p, &len) ==
                                   (complete ? S2SVPN_OK : S2SVPN_E_STATE));
        CHECK_ROW(sets[i].row, set == NULL);
        if (complete && sets[i].whole != NULL)
            CHECK_ROW(sets[i].row, s2_span_equal(s2_span(p, len),
                                                 s2_span(sets[i].whole, strlen(sets[i].whole))));
        s2_free(&env.env, p);
        CHECK_ROW(sets[i].row, env.live == 0);
    }
    CU_ASSERT_FALSE(s2_ike1_fragments_complete(NULL));
}

/* CVE-2016-1287: what is checked and what is copied is the same length. */
static void sets_are_bounded(void)
{
    static const uint8_t bytes[LIMIT + 1] = {0};
    struct s2_ike1_fragments *set = NULL;
    struct s2_fake_env env;
    struct s2_ike1_fragment f = {.id = 1, .number = 1, .piece = {bytes, LIMIT + 1}};

    s2_fake_env_init(&env, 1);
    CU_ASSERT_EQUAL(s2_ike1_fragments_add(&env.env, &set, &f, LIMIT), S2SVPN_E_LIMIT);
    CU_ASSERT_PTR_NULL(set);
    CU_ASSERT_EQUAL(env.live, 0);
    f.piece.len = LIMIT;
    CU_ASSERT_EQUAL(s2_ike1_fragments_add(&env.env, &set, &f, LIMIT), S2SVPN_OK);
    s2_ike1_fragments_free(&env.env, &set);
    f.piece.len = LIMIT - 1;
    CU_ASSERT_EQUAL(s2_ike1_fragments_add(&env.env, &set, &f, LIMIT), S2SVPN_OK);
    f.number = 2;
    f.piece.len = 2;
    CU_ASSERT_EQUAL(s2_ike1_fragments_add(&env.env, &set, &f, LIMIT), S2SVPN_E_LIMIT);
    CU_ASSERT_EQUAL(set->count, 1);
    f.piece.len = 1;
    CU_ASSERT_EQUAL(s2_ike1_fragments_add(&env.env, &set, &f, LIMIT), S2SVPN_OK);
    f.number = S2_IKE1_FRAGMENTS_MAX + 1;
    CU_ASSERT_EQUAL(s2_ike1_fragments_add(&env.env, &set, &f, LIMIT), S2SVPN_E_LIMIT);
    f.number = 3;
    f.piece.len = 0;
    CU_ASSERT_EQUAL(s2_ike1_fragments_add(&env.env, &set, &f, LIMIT), S2SVPN_E_MALFORMED);
    CU_ASSERT_EQUAL(set->count, 2);
    s2_ike1_fragments_free(&env.env, &set);
    s2_ike1_fragments_free(&env.env, &set);
    CU_ASSERT_EQUAL(env.live, 0);
}

/* CVE-2016-10396: an order in which each piece makes the receiver look at all others. Here
 * each costs one allocation, its own; one that is there already costs none; and those that
 * begin anew, again and again, hold no more than one set. */
static void no_order_costs_more_than_another(void)
{
    static const uint8_t bytes[100] = {0};

    for (unsigned order = 0; order < 3; order++) {
        struct s2_ike1_fragments *set = NULL;
        struct s2_fake_env env;
        uint8_t *p = NULL;
        size_t len = 0;

        s2_fake_env_init(&env, 1);
        for (unsigned i = 0; i < S2_IKE1_FRAGMENTS_MAX; i++) {
            const unsigned n = order == 0   ? i + 1
                               : order == 1 ? S2_IKE1_FRAGMENTS_MAX - i
                               : i % 2 == 0 ? i / 2 + 1
                                            : S2_IKE1_FRAGMENTS_MAX - i / 2;
            const struct s2_ike1_fragment f = {.id = 1,
                                               .number = (uint8_t)n,
                                               .last = n == S2_IKE1_FRAGMENTS_MAX,
                                               .piece = {bytes, sizeof(bytes)}};

            CU_ASSERT_FALSE(s2_ike1_fragments_complete(set));
            for (unsigned again = 0; again < 2; again++)
                CU_ASSERT_EQUAL(s2_ike1_fragments_add(&env.env, &set, &f, 16384), S2SVPN_OK);
            CU_ASSERT_EQUAL(env.allocations, i + 2u);
        }
        CU_ASSERT_EQUAL(s2_ike1_fragments_take(&env.env, &set, &p, &len), S2SVPN_OK);
        CU_ASSERT_EQUAL(len, sizeof(bytes) * S2_IKE1_FRAGMENTS_MAX);
        s2_free(&env.env, p);
        for (unsigned i = 0; i < 1000; i++) {
            const struct s2_ike1_fragment f = {
                .id = (uint16_t)i, .number = 2, .piece = {bytes, sizeof(bytes)}};

            CU_ASSERT_EQUAL(s2_ike1_fragments_add(&env.env, &set, &f, 16384), S2SVPN_OK);
            CU_ASSERT_TRUE(env.live <= 2);
        }
        s2_ike1_fragments_free(&env.env, &set);
        CU_ASSERT_EQUAL(env.live, 0);
    }
}

/* A piece of another id that can't be kept leaves the set as it is. */
static void a_failed_new_id_changes_nothing(void)
{
    static const uint8_t bytes[LIMIT + 1] = {0};
    const struct s2_ike1_fragment f = {.id = 2, .number = 1, .piece = {bytes, LIMIT + 1}};
    struct s2_ike1_fragments *set = NULL;
    struct s2_fake_env env;

    s2_fake_env_init(&env, 1);
    CU_ASSERT_EQUAL(add_all(&env.env, &set, "1a 2b "), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_ike1_fragments_add(&env.env, &set, &f, LIMIT), S2SVPN_E_LIMIT);
    CU_ASSERT_EQUAL(add_all(&env.env, &set, "3c."), S2SVPN_OK);
    CU_ASSERT_TRUE(s2_ike1_fragments_complete(set));
    s2_ike1_fragments_free(&env.env, &set);
    CU_ASSERT_EQUAL(env.live, 0);
}

/* ---- apart */

static void what_is_cut_comes_together_again(void)
{
    static uint8_t whole[3000], packet[1500];
    const struct s2_ike1_header h = {
        1, 2, S2_IKE1_PAYLOAD_ID, S2_IKE1_VERSION, S2_IKE1_MAIN, S2_IKE1_FLAG_ENCRYPTED, 9, 0};
    struct s2_fake_env env;

    s2_fake_env_init(&env, 1);
    for (size_t len = 100; len <= sizeof(whole); len += 37) {
        const size_t count = s2_ike1_split_count(len, 128);
        struct s2_ike1_fragments *set = NULL;
        struct s2_writer w;
        uint8_t *p;
        size_t got;

        s2_writer_init(&w, whole, len);
        s2_ike1_write_header(&w, &h);
        while (w.len < len)
            s2_write_u8(&w, (uint8_t)(w.len * 7));
        CU_ASSERT_EQUAL(s2_ike1_write_end(&w), S2SVPN_OK);
        if (len <= 128) {
            CU_ASSERT_EQUAL(count, 1);
            continue;
        }
        for (uint8_t n = 1; n <= count; n++) {
            struct s2_ike1_payloads list;
            struct s2_ike1_fragment f;
            struct s2_ike1_header head;
            struct s2_reader r;

            s2_writer_init(&w, packet, sizeof(packet));
            CU_ASSERT_EQUAL_FATAL(s2_ike1_split_write(&w, s2_span(whole, len), 128, 5, n),
                                  S2SVPN_OK);
            CU_ASSERT_TRUE(w.len <= 128);
            s2_reader_init(&r, packet, w.len);
            CU_ASSERT_EQUAL_FATAL(s2_ike1_parse_header(&r, &head), S2SVPN_OK);
            CU_ASSERT_TRUE(head.cookie_i == 1 && head.cookie_r == 2 && head.message_id == 9);
            CU_ASSERT_EQUAL(head.exchange, S2_IKE1_MAIN);
            CU_ASSERT_EQUAL(head.flags, 0);
            CU_ASSERT_EQUAL_FATAL(s2_ike1_parse_payloads(&r, head.next_payload, false, &list),
                                  S2SVPN_OK);
            CU_ASSERT_EQUAL_FATAL(list.count, 1);
            CU_ASSERT_EQUAL_FATAL(list.item[0].type, S2_IKE1_PAYLOAD_FRAGMENT);
            s2_reader_init(&r, list.item[0].body.p, list.item[0].body.len);
            CU_ASSERT_EQUAL_FATAL(s2_ike1_parse_fragment(&r, &f), S2SVPN_OK);
            CU_ASSERT_EQUAL(s2_ike1_fragments_add(&env.env, &set, &f, 4000), S2SVPN_OK);
        }
        CU_ASSERT_EQUAL_FATAL(s2_ike1_fragments_take(&env.env, &set, &p, &got), S2SVPN_OK);
        CU_ASSERT_TRUE(s2_span_equal(s2_span(p, got), s2_span(whole, len)));
        s2_free(&env.env, p);
    }
    CU_ASSERT_EQUAL(env.live, 0);
}

static void what_can_not_be_cut_is_not(void)
{
    const size_t room = 128 - 36;
    uint8_t whole[200] = {0}, packet[128];
    struct s2_writer w;

    CU_ASSERT_EQUAL(s2_ike1_split_count(100, 36), 0);
    CU_ASSERT_EQUAL(s2_ike1_split_count(64, 37), 64);
    CU_ASSERT_EQUAL(s2_ike1_split_count(65, 37), 0);
    CU_ASSERT_EQUAL(s2_ike1_split_count(room * 2, 128), 2);
    CU_ASSERT_EQUAL(s2_ike1_split_count(room * 2 + 1, 128), 3);
    s2_writer_init(&w, packet, sizeof(packet));
    CU_ASSERT_EQUAL(s2_ike1_split_write(&w, s2_span(whole, 100), 128, 1, 1), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(s2_ike1_split_write(&w, s2_span(whole, 200), 128, 1, 0), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(s2_ike1_split_write(&w, s2_span(whole, 200), 128, 1, 4), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(s2_ike1_split_write(&w, s2_span(whole, 200), 128, 1, 1), S2SVPN_E_MALFORMED);
    CU_ASSERT_EQUAL(w.len, 0);
    s2_put_u32(whole + 24, sizeof(whole));
    s2_writer_init(&w, packet, 127);
    CU_ASSERT_EQUAL(s2_ike1_split_write(&w, s2_span(whole, 200), 128, 1, 1), S2SVPN_E_NO_ROOM);
}

static bool gather(struct s2_fake_env *f, void *arg)
{
    struct s2_ike1_fragments *set = NULL;
    uint8_t *p = NULL;
    size_t len = 0;

    (void)arg;
    s2svpn_status rc = add_all(&f->env, &set, "1a 2b !1x 2y.");
    if (rc == S2SVPN_OK)
        rc = s2_ike1_fragments_take(&f->env, &set, &p, &len);
    CU_ASSERT_TRUE(rc == S2SVPN_OK || rc == S2SVPN_E_MEMORY);
    s2_ike1_fragments_free(&f->env, &set);
    s2_free(&f->env, p);
    return rc == S2SVPN_OK;
}

static void every_failed_allocation_is_survived(void)
{
    s2_fail_every_allocation(gather, NULL);
}

const CU_TestInfo s2_test_v1_fragment[] = {
    {"malformed fragments are refused and named", malformed_fragments_are_refused_and_named},
    {"fragments go around", fragments_go_around},
    {"pieces come together in any order", pieces_come_together_in_any_order},
    {"sets are bounded (CVE-2016-1287)", sets_are_bounded},
    {"no order costs more than another (CVE-2016-10396)", no_order_costs_more_than_another},
    {"a failed new id changes nothing", a_failed_new_id_changes_nothing},
    {"what is cut comes together again", what_is_cut_comes_together_again},
    {"what can not be cut is not", what_can_not_be_cut_is_not},
    {"every failed allocation is survived", every_failed_allocation_is_survived},
    CU_TEST_INFO_NULL,
};
