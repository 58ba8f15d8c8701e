/* SPDX-License-Identifier: Apache-2.0 */
/* Every algorithm that AWS lists, and group 31, from IKE_SA_INIT to a rekeyed child with
 * the real crypto backend; and for every group public values that RFC 6989 wants
 * refused, in both directions. Which values those are in full: the crypto room's tests. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "base/text.h"
#include "harness.h"
#include "ike/forge.h"
#include "s2svpn/crypto.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint16_t groups[] = {2, 5, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 31};

static const struct {
    const char *row;
    uint16_t encr, key_bits, integ, prf;
} suites[] = {
    {"AES-128, SHA-1", 12, 128, 2, 2},       {"AES-256, SHA-1", 12, 256, 2, 2},
    {"AES-128, SHA-256", 12, 128, 12, 5},    {"AES-256, SHA-256", 12, 256, 12, 5},
    {"AES-128, SHA-384", 12, 128, 13, 6},    {"AES-256, SHA-384", 12, 256, 13, 6},
    {"AES-128, SHA-512", 12, 128, 14, 7},    {"AES-256, SHA-512", 12, 256, 14, 7},
    {"AES-128-GCM, SHA-256", 20, 128, 0, 5}, {"AES-256-GCM, SHA-384", 20, 256, 0, 6},
    {"AES-128-GCM, SHA-1", 20, 128, 0, 2},   {"AES-256-GCM, SHA-512", 20, 256, 0, 7},
};

static void configure(struct s2_pair *p, size_t suite, uint16_t group)
{
    s2_pair_init(p, suite + group);
    for (size_t e = 0; e < 2; e++) {
        struct s2_ike_choices *c = &p->end[e].config.ike;

        p->end[e].options.crypto = s2svpn_crypto_openssl();
        p->end[e].options.crypto_user = NULL;
        c->encr[0].id = suites[suite].encr;
        c->encr[0].key_bits = suites[suite].key_bits;
        c->integ[0] = suites[suite].integ;
        c->prf[0] = suites[suite].prf;
        c->ke[0] = group;
        c->encr_count = c->prf_count = c->ke_count = 1;
        c->integ_count = suites[suite].integ != 0;
        p->end[e].config.esp = *c;
    }
}

/* The child is rekeyed with a Diffie-Hellman of its own by one side, the IKE SA by the
 * other. */
static void live(struct s2_pair *p, size_t suite, uint16_t group)
{
    const char *row = suites[suite].row;

    CHECK_ROW(row, s2_pair_connect(p));
    CHECK_ROW(row, p->end[1].info.encr == suites[suite].encr);
    CHECK_ROW(row, p->end[1].info.key_bits == suites[suite].key_bits);
    CHECK_ROW(row, p->end[1].info.integ == suites[suite].integ);
    CHECK_ROW(row, p->end[1].info.prf == suites[suite].prf);
    CHECK_ROW(row, p->end[1].info.ke == group);
    CHECK_ROW(row, s2_ike_rekey_child(p->end[0].ike, &p->end[0], p->end[0].child[0].spi_in,
                                      p->now_ns) == S2SVPN_OK);
    s2_pair_run_for(p, S2_SECOND);
    CHECK_ROW(row, s2_pair_is_settled(p) && p->end[0].child[1].ke == group);
    CHECK_ROW(row, s2_ike_rekey_sa(p->end[1].ike, &p->end[1], p->now_ns) == S2SVPN_OK);
    s2_pair_run_for(p, S2_SECOND);
    CHECK_ROW(row, s2_pair_is_settled(p) && p->end[0].sa_ups == 2);
    s2_pair_close(p);
    CHECK_ROW(row, p->end[0].fake.live + p->end[1].fake.live == 0);
}

static void every_suite_lives_a_life(void)
{
    for (size_t i = 0; i < COUNT(suites); i++) {
        struct s2_pair p;

        configure(&p, i, S2SVPN_KE_CURVE25519);
        live(&p, i, S2SVPN_KE_CURVE25519);
    }
}

static void every_group_agrees_on_keys(void)
{
    for (size_t i = 0; i < COUNT(groups); i++) {
        struct s2_pair p;
        char row[32];

        configure(&p, 9, groups[i]);
        s2_print(row, sizeof(row), "group %u", groups[i]);
        if (groups[i] < 16 || groups[i] > 18) {
            live(&p, 9, groups[i]);
            continue;
        }
        CHECK_ROW(row, s2_pair_connect(&p)); /* the long ones once */
        CHECK_ROW(row, p.end[0].info.ke == groups[i]);
        s2_pair_close(&p);
    }
}

/* ---- RFC 6989 */

enum bad_value { ZEROS, ONE, ALL_ONES, BAD_VALUES };
static const char *const bad_names[] = {"zeros", "one", "all ones"};

struct swap {
    unsigned to;
    enum bad_value value;
    unsigned times;
};

/* One is the last octet of MODP's and ECP's coordinates, the first of Curve25519's. */
static void spoil(uint8_t *value, size_t len, enum bad_value bad)
{
    memset(value, bad == ALL_ONES ? 0xff : 0, len);
    if (bad == ONE)
        value[len == 32 ? 0 : len - 1] = 1;
    /* 2^255 - 1 is 18 as Curve25519 reads it, and a good value: take p instead. */
    if (bad == ALL_ONES && len == 32) {
        value[0] = 0xed;
        value[31] = 0x7f;
    }
}

static bool swap_value(struct s2_pair *p, struct s2_pair_datagram *d)
{
    struct swap *s = p->filter_arg;
    struct s2_ike_payloads list;

    if (d->to != s->to || d->p[18] != S2_IKE_SA_INIT || s->times == 0 ||
        s2_ike_read_chain(s2_span(d->p + 28, d->len - 28), d->p[16], &list) != S2SVPN_OK)
        return true;
    const struct s2_ike_payload *ke = s2_ike_find(&list, S2_IKE_PAYLOAD_KE);
    if (ke == NULL)
        return true;
    spoil(d->p + (ke->body.p - d->p) + 4, ke->body.len - 4, s->value);
    s->times--;
    return true;
}

/* To the initiator: it waits for a better answer and gets it. To the responder: the
 * half-open SA goes, and no SA ever has such keys. */
static void bad_public_values_make_no_keys_in_any_group(void)
{
    for (size_t i = 0; i < COUNT(groups) * BAD_VALUES * 2; i++) {
        const uint16_t group = groups[i / (BAD_VALUES * 2)];
        struct swap s = {i % 2, (enum bad_value)(i / 2 % BAD_VALUES), 1};
        struct s2_pair p;
        char row[64];

        if (group >= 16 && group <= 18 && s.value != ONE)
            continue; /* like 14 and 15, but slow */
        s2_print(row, sizeof(row), "group %u, %s, to %s", group, bad_names[s.value],
                 s.to == 0 ? "the initiator" : "the responder");
        configure(&p, 9, group);
        p.filter = swap_value;
        p.filter_arg = &s;
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
        s2_pair_run_for(&p, 5 * S2_SECOND);
        CHECK_ROW(row, s.times == 0);
        CHECK_ROW(row, s2_pair_is_settled(&p) == (s.to == 0));
        CHECK_ROW(row, p.end[1].sa_ups == (s.to == 0));
        s2_pair_close(&p);
    }
}

/* In a rekey: inside the encryption, by a peer that has the keys. */
static void a_bad_public_value_in_a_rekey_ends_it(void)
{
    static uint8_t value[S2SVPN_KE_VALUE_MAX];

    for (size_t i = 0; i < COUNT(groups) * BAD_VALUES; i++) {
        const uint16_t group = groups[i / BAD_VALUES];
        const enum bad_value bad = (enum bad_value)(i % BAD_VALUES);
        struct s2_ike_making m = {.spi_in = 0x77777777};
        struct s2_pair p;
        char row[64];

        if (group >= 16 && group <= 18)
            continue;
        s2_print(row, sizeof(row), "group %u, %s", group, bad_names[bad]);
        configure(&p, 9, group);
        p.filter = s2_forge_keep_last;
        CU_ASSERT_TRUE_FATAL(s2_pair_connect(&p));
        struct s2_ike_sa *sa = s2_forge_sa(&p, 0);
        struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_CREATE_CHILD_SA);
        const s2svpn_algorithm *a =
            s2_ike_algorithm(&sa->ike->crypto, S2SVPN_TRANSFORM_KE, group, 0);
        s2_ike_child_want_ts(sa, &m);
        CU_ASSERT_EQUAL(s2_ike_child_add_offer(sa, c, &m, true), S2SVPN_OK);
        s2_ike_add_bytes(c, S2_IKE_PAYLOAD_NONCE, s2_span("twenty or more bytes", 20));
        spoil(value, a->out_len, bad);
        s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_KE);
        s2_ike_write_ke(&c->w, group, s2_span(value, a->out_len));
        s2_ike_payload_end(c->chain);
        s2_ike_child_add_ts(c, &m, true);
        s2_forge_send(&p, sa, S2_IKE_CREATE_CHILD_SA);
        s2_pair_run_for(&p, 15 * S2_MS);
        CHECK_ROW(row, s2_forge_told(sa) == S2_IKE_N_INVALID_SYNTAX);
        CHECK_ROW(row, p.end[1].children_up == 1);
        CHECK_ROW(row, s2_pair_sas(&p.end[1]) == 0);
        CHECK_ROW(row, s2_pair_balances(&p.end[1]));
        s2_pair_close(&p);
    }
}

const CU_TestInfo s2_test_suites[] = {
    {"every suite lives a life", every_suite_lives_a_life},
    {"every group agrees on keys", every_group_agrees_on_keys},
    {"bad public values make no keys in any group", bad_public_values_make_no_keys_in_any_group},
    {"a bad public value in a rekey ends it", a_bad_public_value_in_a_rekey_ends_it},
    CU_TEST_INFO_NULL,
};
