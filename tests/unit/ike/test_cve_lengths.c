/* SPDX-License-Identifier: Apache-2.0 */
/* Classes of published faults that are about lengths: each length and each byte of a
 * message takes the values that have hurt others, inside the encryption and before it.
 * The list of all classes: test_cve_classes.c. End 0 is the peer. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "base/text.h"
#include "harness.h"
#include "ike/forge.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- CVE-2023-23009 */

static const struct {
    const char *row, *bytes;
    size_t len;
    uint16_t told;
} selectors[] = {
#define BYTES(text) (text), sizeof(text) - 1
    {"nothing", BYTES(""), S2_IKE_N_INVALID_SYNTAX},
    {"none, says it", BYTES("\0\0\0\0"), S2_IKE_N_TS_UNACCEPTABLE},
    {"one, and there is none", BYTES("\1\0\0\0"), S2_IKE_N_INVALID_SYNTAX},
    {"255, and there is one", BYTES("\xff\0\0\0\7\0\0\x10\0\0\xff\xff\x0a\0\0\0\x0a\0\xff\xff"),
     S2_IKE_N_INVALID_SYNTAX},
    {"one, and there are two",
     BYTES("\1\0\0\0\7\0\0\x10\0\0\xff\xff\x0a\0\0\0\x0a\0\xff\xff"
           "\7\0\0\x10\0\0\xff\xff\x0a\0\0\0\x0a\0\xff\xff"),
     S2_IKE_N_INVALID_SYNTAX},
    {"a length of 0", BYTES("\1\0\0\0\7\0\0\0\0\0\xff\xff\x0a\0\0\0\x0a\0\xff\xff"),
     S2_IKE_N_INVALID_SYNTAX},
    {"a length of 3", BYTES("\1\0\0\0\7\0\0\3\0\0\xff\xff\x0a\0\0\0\x0a\0\xff\xff"),
     S2_IKE_N_INVALID_SYNTAX},
    {"a length of 15", BYTES("\1\0\0\0\7\0\0\x0f\0\0\xff\xff\x0a\0\0\0\x0a\0\xff\xff"),
     S2_IKE_N_INVALID_SYNTAX},
    {"a length of 65535", BYTES("\1\0\0\0\7\0\xff\xff\0\0\xff\xff\x0a\0\0\0\x0a\0\xff\xff"),
     S2_IKE_N_INVALID_SYNTAX},
    {"IPv6's type with IPv4's length",
     BYTES("\1\0\0\0\x08\0\0\x10\0\0\xff\xff\x0a\0\0\0\x0a\0\xff\xff"), S2_IKE_N_INVALID_SYNTAX},
    {"a type that nobody knows", BYTES("\1\0\0\0\x09\0\0\x08\0\0\xff\xff"),
     S2_IKE_N_TS_UNACCEPTABLE},
    {"addresses upside down", BYTES("\1\0\0\0\7\0\0\x10\0\0\xff\xff\x0a\0\xff\xff\x0a\0\0\0"),
     S2_IKE_N_INVALID_SYNTAX},
    {"ports upside down", BYTES("\1\0\0\0\7\6\0\x10\0\7\0\6\x0a\0\0\0\x0a\0\xff\xff"),
     S2_IKE_N_INVALID_SYNTAX},
#undef BYTES
};

/* As TSi and as TSr; in IKE_AUTH and in CREATE_CHILD_SA. */
static void malformed_selectors_are_freed_once(void)
{
    for (size_t i = 0; i < 4 * COUNT(selectors); i++) {
        const char *row = selectors[i / 4].row;
        const bool auth = i & 1;
        const unsigned bad = i & 2 ? S2_PART_TSI : S2_PART_TSR;
        struct s2_ike_sa *sa;
        struct s2_ike_compose *c;
        struct s2_pair p;

        if (auth) {
            uint8_t proof[S2SVPN_PRF_MAX];

            sa = s2_forge_half_open(&p, 1);
            c = s2_forge_begin(sa, S2_IKE_AUTH);
            s2_ike_add_id(c, S2_IKE_PAYLOAD_IDI, &sa->handshake->our_id);
            CU_ASSERT_EQUAL(s2_ike_auth_compute(sa, true, &sa->handshake->our_id, proof), 0);
            s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_AUTH);
            s2_ike_write_auth(&c->w, S2_IKE_AUTH_PSK, s2_span(proof, sa->keys.prf->out_len));
            s2_ike_payload_end(c->chain);
        } else {
            CU_ASSERT_TRUE_FATAL(s2_forge_connect(&p, 1));
            sa = s2_forge_sa(&p, 0);
            c = s2_forge_begin(sa, S2_IKE_CREATE_CHILD_SA);
        }
        s2_forge_add_parts(c, sa,
                           (auth ? S2_PART_SA | S2_PART_TSI | S2_PART_TSR : S2_PART_ALL) & ~bad,
                           0x77777777);
        s2_ike_add_bytes(c, bad == S2_PART_TSI ? S2_IKE_PAYLOAD_TSI : S2_IKE_PAYLOAD_TSR,
                         s2_span(selectors[i / 4].bytes, selectors[i / 4].len));
        CHECK_ROW(row, s2_forge_give_sealed(&p, sa) == S2SVPN_DROP_NONE);
        CHECK_ROW(row, s2_forge_told(sa) == selectors[i / 4].told);
        CHECK_ROW(row, p.end[1].children_up == !auth);
        CHECK_ROW(row, s2_pair_balances(&p.end[1]));
        s2_pair_close(&p);
        CHECK_ROW(row, p.end[1].fake.live == 0);
    }
}

/* ---- CVE-2026-35330, -35333, and every other length */

static const uint16_t hurtful[] = {0, 1, 3, 0x7fff, 0x8000, 0xffff};

/* Two bytes anywhere in what is inside; n counts places and values. False behind the
 * last. */
static bool change(struct s2_ike_compose *c, size_t from, size_t n)
{
    const size_t at = from + n / COUNT(hurtful);

    if (at + 2 > c->w.len)
        return false;
    s2_put_u16(c->bytes + at, hurtful[n % COUNT(hurtful)]);
    return true;
}

static size_t compose_rekey(struct s2_pair *p, struct s2_ike_sa *sa)
{
    struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_CREATE_CHILD_SA);
    const size_t from = c->w.len;
    uint8_t spi[4];

    s2_put_u32(spi, p->end[0].child[0].spi_in);
    s2_forge_add_rekey(c, S2_IKE_PROTO_ESP, s2_span(spi, 4));
    /* Without the public value, which is long and has no lengths inside. */
    s2_forge_add_parts(c, sa, S2_PART_ALL & ~S2_PART_KE, 0x77777777);
    return from;
}

/* Whatever came of the message that end 1 got. */
static void check_tidy(struct s2_pair *p, const char *row)
{
    CHECK_ROW(row, p->end[1].sent < 6); /* an answer or a delete */
    CHECK_ROW(row, s2_pair_sas(&p->end[1]) <= 1);
    CHECK_ROW(row, s2_pair_children_up(&p->end[1]) <= 2);
    p->manual = false;
    s2_pair_run_for(p, 20 * S2_SECOND);
    CHECK_ROW(row, s2_pair_balances(&p->end[1]));
    /* It works, or it is gone: nothing in between. */
    struct s2_pair_end *end = &p->end[1];
    const unsigned sent = end->sent;
    if (s2_pair_sas(end) > 0) {
        CHECK_ROW(row, s2_ike_check(end->ike, end, p->now_ns) == S2SVPN_OK);
        s2_pair_run_for(p, 15 * S2_MS);
        CHECK_ROW(row, end->sent > sent);
    }
    s2_pair_close(p);
    CHECK_ROW(row, p->end[0].fake.live + p->end[1].fake.live == 0);
}

static void no_length_makes_a_loop_in_a_request(void)
{
    bool more = true;

    for (size_t n = 0; more; n++) {
        struct s2_pair p;
        char row[32];

        s2_print(row, sizeof(row), "place %u, value %x", (unsigned)(n / COUNT(hurtful)),
                 hurtful[n % COUNT(hurtful)]);
        s2_pair_init(&p, 2);
        p.end[0].config.esp.ke_count = p.end[1].config.esp.ke_count = 0;
        CU_ASSERT_TRUE_FATAL(s2_pair_connect(&p));
        struct s2_ike_sa *sa = s2_forge_sa(&p, 0);
        const size_t from = compose_rekey(&p, sa);
        more = change(&s2_forge_compose, from, n);
        (void)s2_forge_give_sealed(&p, sa);
        check_tidy(&p, row);
    }
}

/* The same in an answer of end 0 to a rekey by end 1. */
static void no_length_makes_a_loop_in_an_answer(void)
{
    bool more = true;

    for (size_t n = 0; more; n++) {
        struct s2_pair p;
        char row[32];

        s2_print(row, sizeof(row), "place %u, value %x", (unsigned)(n / COUNT(hurtful)),
                 hurtful[n % COUNT(hurtful)]);
        s2_pair_init(&p, 3);
        p.end[0].config.esp.ke_count = p.end[1].config.esp.ke_count = 0;
        CU_ASSERT_TRUE_FATAL(s2_pair_connect(&p));
        p.manual = true;
        CU_ASSERT_EQUAL(
            s2_ike_rekey_child(p.end[1].ike, &p.end[1], p.end[1].child[0].spi_in, p.now_ns), 0);
        struct s2_ike_sa *sa = s2_forge_sa(&p, 0);
        CU_ASSERT_EQUAL(s2_ike_compose_response(&s2_forge_compose, sa, S2_IKE_CREATE_CHILD_SA),
                        S2SVPN_OK);
        const size_t from = s2_forge_compose.w.len;
        s2_forge_add_parts(&s2_forge_compose, sa, S2_PART_SA | S2_PART_NONCE, 0x77777777);
        s2_forge_add_parts(&s2_forge_compose, s2_forge_sa(&p, 1), S2_PART_TSI | S2_PART_TSR, 0);
        more = change(&s2_forge_compose, from, n);
        (void)s2_forge_give_sealed(&p, sa);
        check_tidy(&p, row);
    }
}

/* ---- CVE-2016-6415: what is answered to whom isn't known has the length of what it
 * says, and never that of the question; whatever is cut off or changed there */

static void an_unprotected_answer_has_its_length_and_no_more(void)
{
    static uint8_t first[2048];
    struct s2_pair p;

    s2_pair_init(&p, 4);
    p.filter = s2_forge_keep_last;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
    p.manual = true;
    const size_t len = p.queue[0].len;
    memcpy(first, p.queue[0].p, len);
    for (size_t n = 0; n < len * (1 + COUNT(hurtful)); n++) {
        const size_t at = n % len, value = n / len;
        uint8_t copy[2048];
        char row[32];

        s2_print(row, sizeof(row), "%s at %u", value == 0 ? "cut" : "changed", (unsigned)at);
        memcpy(copy, first, len);
        if (value == 0 && at >= 28)
            s2_put_u32(copy + 24, (uint32_t)at);
        if (value > 0 && at + 2 <= len)
            s2_put_u16(copy + at, hurtful[value - 1]);
        s2_forge_last_len = 0;
        p.now_ns += S2_SECOND; /* past the pace of unprotected answers */
        (void)s2_ike_receive(p.end[1].ike, &p.end[1].config.local, &p.end[0].config.local, copy,
                             value == 0 ? at : len, p.now_ns);
        if (s2_forge_last_len == 0 || s2_forge_last_answer[16] == S2_IKE_PAYLOAD_SA)
            continue; /* nothing, or a good answer: the change didn't matter */
        CHECK_ROW(row, s2_forge_last_answer[16] == S2_IKE_PAYLOAD_NOTIFY);
        CHECK_ROW(row, s2_forge_last_len <= 28 + 8 + S2_IKE_COOKIE_LEN);
        CHECK_ROW(row, s2_forge_last_len < len);
        CHECK_ROW(row, s2_get_u32(s2_forge_last_answer + 24) == s2_forge_last_len);
        CHECK_ROW(row, 28u + s2_get_u16(s2_forge_last_answer + 30) == s2_forge_last_len);
    }
    s2_pair_close(&p);
    CU_ASSERT_EQUAL(p.end[1].fake.live, 0);
}

const CU_TestInfo s2_test_cve_lengths[] = {
    {"malformed selectors are freed once (CVE-2023-23009)", malformed_selectors_are_freed_once},
    {"no length makes a loop in a request (CVE-2026-35330)", no_length_makes_a_loop_in_a_request},
    {"no length makes a loop in an answer (CVE-2026-35333)", no_length_makes_a_loop_in_an_answer},
    {"an unprotected answer has its length and no more (CVE-2016-6415)",
     an_unprotected_answer_has_its_length_and_no_more},
    CU_TEST_INFO_NULL,
};
