/* SPDX-License-Identifier: Apache-2.0 */
/* IKEv1 against strangers that mean harm: unauthenticated, replayed, changed and malformed
 * messages, floods, pieces; and the classes of faults published for other implementations'
 * IKEv1, by their numbers. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "base/text.h"
#include "harness.h"
#include "ike/v1_forge.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- what isn't authentic */

static void an_unauthenticated_informational_changes_nothing(void)
{
    static const uint16_t types[] = {S2_IKE1_N_INVALID_COOKIE,     S2_IKE1_N_PAYLOAD_MALFORMED,
                                     S2_IKE1_N_NO_PROPOSAL_CHOSEN, S2_IKE1_N_INITIAL_CONTACT,
                                     S2_IKE1_N_R_U_THERE,          S2_IKE1_N_R_U_THERE_ACK,
                                     S2_IKE1_N_CONNECTED,          65535};
    static const uint8_t number[4] = {0, 0, 0, 1};

    for (size_t i = 0; i < COUNT(types) + 2; i++) {
        uint8_t cookies[16] = {0};
        struct s2_pair p;

        s2_v1_up(&p, 1);
        const struct s2_ike_sa *sa = s2_v1_sa_of(&p, 0);
        s2_put_u64(cookies, s2_ike_spi_i(sa));
        s2_put_u64(cookies + 8, s2_ike_spi_r(sa));
        s2_ike1_compose(&s2_v1_forged, sa, S2_IKE1_INFORMATIONAL, i % 2 == 0 ? 0 : 77);
        if (i < COUNT(types))
            s2_v1_add_notify(types[i], s2_span(cookies, 16), s2_span(number, 4));
        else
            s2_v1_add_delete(sa, i == COUNT(types) ? 0 : p.end[0].child[0].spi_in);
        CU_ASSERT_EQUAL(s2_ike1_write_end(&s2_v1_forged.w), S2SVPN_OK);
        const unsigned sent = p.end[1].sent;
        CU_ASSERT_EQUAL(s2_v1_give_forged(&p), S2SVPN_DROP_IKE_STATE);
        CU_ASSERT_EQUAL(p.end[1].sent, sent); /* nor is it answered */
        s2_v1_unharmed(&p, "unauthenticated informational");
    }
}

static void a_wrong_hash_changes_nothing(void)
{
    struct s2_pair p;

    s2_v1_up(&p, 2);
    const struct s2_ike_sa *sa = s2_v1_sa_of(&p, 0);
    struct s2_ike1_iv iv;
    for (uint32_t id = 1; id < 4; id++) { /* none, a wrong one, behind others */
        uint8_t wrong[20] = {1};

        s2_ike1_compose(&s2_v1_forged, sa, S2_IKE1_INFORMATIONAL, id);
        if (id == 2)
            s2_v1_add(S2_IKE1_PAYLOAD_HASH, wrong, sizeof(wrong));
        s2_v1_add_delete(sa, 0);
        if (id == 3)
            s2_v1_add(S2_IKE1_PAYLOAD_HASH, wrong, sizeof(wrong));
        CU_ASSERT_EQUAL(s2_ike1_iv_message(&sa->ike->crypto, &sa->v1->keys, &sa->v1->iv, id, &iv),
                        S2SVPN_OK);
        CU_ASSERT_EQUAL(s2_ike1_seal(&s2_v1_forged.w, &sa->ike->crypto, &sa->v1->keys, &iv),
                        S2SVPN_OK);
        CU_ASSERT_EQUAL(s2_v1_give_forged(&p), S2SVPN_DROP_IKE_AUTHENTICATION);
    }
    s2_v1_unharmed(&p, "wrong hash");
}

static void sealed_messages_before_keys_are_dropped(void)
{
    static const uint8_t exchanges[] = {S2_IKE1_INFORMATIONAL, S2_IKE1_QUICK, S2_IKE1_TRANSACTION,
                                        S2_IKE1_NEW_GROUP};
    uint8_t noise[64];

    memset(noise, 0x5a, sizeof(noise));
    for (size_t i = 0; i < COUNT(exchanges); i++) {
        for (unsigned at = 1; at < 5; at++) {
            struct s2_pair p;

            s2_pair_init_v1(&p, 3);
            CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
            CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
            s2_pair_run_for(&p, at * 10 * S2_MS + S2_MS / 2);
            struct s2_table_cursor cursor = {0};
            struct s2_table_node *n = s2_table_next(&p.end[1].ike->by_spi, &cursor);
            CU_ASSERT_PTR_NOT_NULL_FATAL(n);
            const struct s2_ike_sa *sa = S2_CONTAINER(n, struct s2_ike_sa, spi_node);
            s2_ike1_compose(&s2_v1_forged, sa, exchanges[i], 9);
            s2_write_bytes(&s2_v1_forged.w, noise, sizeof(noise));
            s2_v1_forged.bytes[16] = S2_IKE1_PAYLOAD_HASH;
            s2_v1_forged.bytes[19] = S2_IKE1_FLAG_ENCRYPTED;
            s2_write_patch_u32(&s2_v1_forged.w, 24, (uint32_t)s2_v1_forged.w.len);
            CU_ASSERT_NOT_EQUAL(s2_v1_give_forged(&p), S2SVPN_DROP_NONE);
            s2_pair_run_for(&p, S2_SECOND);
            s2_v1_unharmed(&p, "before keys");
        }
    }
}

/* ---- changed, cut short, sent again */

static void listen(struct s2_pair *p, uint64_t seed)
{
    s2_v1_heard_count[0] = s2_v1_heard_count[1] = 0;
    s2_pair_init_v1(p, seed);
    p->filter = s2_v1_hear;
    CU_ASSERT_TRUE_FATAL(s2_pair_connect(p));
    p->filter = NULL;
}

static void no_changed_or_shortened_message_does_harm(void)
{
    struct s2_pair p;

    listen(&p, 4);
    CU_ASSERT_EQUAL(s2_v1_heard_count[0], 4);
    CU_ASSERT_EQUAL(s2_v1_heard_count[1], 5);
    for (unsigned to = 0; to < 2; to++) {
        for (size_t i = 0; i < s2_v1_heard_count[to]; i++) {
            for (size_t at = 0; at < s2_v1_heard_len[to][i]; at++) {
                uint8_t changed[S2_IKE1_COMPOSE_MAX];

                memcpy(changed, s2_v1_heard[to][i], s2_v1_heard_len[to][i]);
                changed[at] ^= 0x40;
                (void)s2_v1_give(&p, to, changed, s2_v1_heard_len[to][i]);
                (void)s2_v1_give(&p, to, s2_v1_heard[to][i], at);
            }
        }
    }
    p.end[1].sa_downs = p.end[1].children_down = 0;
    s2_pair_run_for(&p, 60 * S2_SECOND); /* changed first messages are half-open for a while */
    s2_v1_unharmed(&p, "changed messages");
}

/* On the way, each message comes changed first, and then as it was. */
static size_t change_at;
static bool spoil_first(struct s2_pair *p, struct s2_pair_datagram *d)
{
    uint8_t changed[S2_IKE1_COMPOSE_MAX];

    if (p->filter_arg == NULL || d->len <= change_at)
        return true;
    memcpy(changed, d->p, d->len);
    changed[change_at] ^= 0x21;
    p->filter_arg = NULL; /* what is put in comes here too */
    s2_pair_inject(p, d->to, &d->local, &d->remote, changed, d->len);
    p->filter_arg = p;
    return true;
}

/* Behind the header: cookies, lengths and payloads of phase 1 aren't authentic, so a
 * handshake may fail by it, but nothing worse. */
static void a_forger_on_the_way_can_only_delay(void)
{
    for (change_at = 0; change_at < 400; change_at += 3) {
        struct s2_pair p;

        s2_pair_init_v1(&p, change_at);
        p.filter = spoil_first;
        p.filter_arg = &p;
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        (void)s2_pair_initiate(&p, 0);
        s2_pair_run_for(&p, 5 * S2_SECOND);
        p.filter_arg = NULL;
        for (unsigned i = 0; i < 40 && !s2_pair_is_settled(&p); i++) {
            if (s2_pair_children_up(&p.end[0]) == 0)
                (void)s2_pair_initiate(&p, 0);
            s2_pair_run_for(&p, 10 * S2_SECOND);
        }
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        s2_pair_close(&p);
        CU_ASSERT_EQUAL(p.end[0].fake.live + p.end[1].fake.live, 0);
    }
}

static void what_was_sent_once_means_nothing_later(void)
{
    struct s2_pair p;

    listen(&p, 5);
    s2_pair_run_for(&p, 300 * S2_SECOND);
    const unsigned jobs = p.end[1].jobs;
    for (size_t i = 0; i < s2_v1_heard_count[1]; i++)
        (void)s2_v1_give(&p, 1, s2_v1_heard[1][i], s2_v1_heard_len[1][i]);
    CU_ASSERT_EQUAL(p.end[1].jobs, jobs);
    CU_ASSERT_EQUAL(p.end[1].children, 1);
    s2_v1_unharmed(&p, "replayed");
}

/* ---- strangers */

static void a_first_message_is_answered_once_and_without_more_bytes(void)
{
    struct s2_pair p;

    listen(&p, 6);
    s2_pair_close(&p);
    s2_pair_init_v1(&p, 6);
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    p.filter = s2_v1_hear;
    s2_v1_heard_count[0] = 0;
    CU_ASSERT_EQUAL(s2_v1_give(&p, 1, s2_v1_heard[1][0], s2_v1_heard_len[1][0]), S2SVPN_DROP_NONE);
    s2_pair_run_for(&p, 60 * S2_SECOND);
    CU_ASSERT_EQUAL(p.end[1].sent, 1); /* never unasked again (VU#419128) */
    CU_ASSERT_TRUE(s2_v1_heard_len[0][0] <= s2_v1_heard_len[1][0]);
    CU_ASSERT_EQUAL(p.end[1].jobs, 0);
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0); /* forgotten after half a minute */
    s2_pair_close(&p);
}

static void half_open_ones_are_bounded(void)
{
    struct s2_ike_counters counters;
    struct s2_pair p;

    listen(&p, 7);
    s2_pair_close(&p);
    s2_pair_init_v1(&p, 7);
    p.end[1].options.limits.half_open = 20;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    for (unsigned i = 0; i < 500; i++) {
        s2_v1_heard[1][0][3] = (uint8_t)i;
        s2_v1_heard[1][0][4] = (uint8_t)(i >> 8);
        CU_ASSERT_EQUAL(s2_v1_give(&p, 1, s2_v1_heard[1][0], s2_v1_heard_len[1][0]),
                        S2SVPN_DROP_NONE);
    }
    s2_ike_get_counters(p.end[1].ike, &counters);
    CU_ASSERT_EQUAL(counters.half_open, 20);
    CU_ASSERT_EQUAL(counters.sas, 20);
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0)); /* the newest come through */
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_agrees(&p));
    s2_pair_close(&p);
}

static void aggressive_mode_is_not_answered(void)
{
    struct s2_pair p;

    listen(&p, 8);
    s2_pair_close(&p);
    s2_pair_init_v1(&p, 8);
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    s2_v1_heard[1][0][18] = S2_IKE1_AGGRESSIVE;
    for (unsigned i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(s2_v1_give(&p, 1, s2_v1_heard[1][0], s2_v1_heard_len[1][0]),
                        S2SVPN_DROP_IKE_STATE);
    CU_ASSERT_EQUAL(p.end[1].sent, 0);
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
    s2_pair_close(&p);
}

/* The last word of RFC 2408's header belongs to the fourth: a value of nothing. */
static bool zero_ke(struct s2_pair *p, struct s2_pair_datagram *d)
{
    struct s2_ike1_header h;
    struct s2_ike1_payloads list;
    struct s2_reader r;

    (void)p;
    s2_reader_init(&r, d->p, d->len);
    if (d->to != *(const unsigned *)p->filter_arg || s2_ike1_parse_header(&r, &h) != S2SVPN_OK ||
        h.exchange != S2_IKE1_MAIN || (h.flags & S2_IKE1_FLAG_ENCRYPTED) != 0)
        return true;
    if (s2_ike1_parse_payloads(&r, h.next_payload, false, &list) != S2SVPN_OK)
        return true;
    const struct s2_ike1_payload *ke = s2_ike1_find(&list, S2_IKE1_PAYLOAD_KE);
    if (ke != NULL)
        memset(d->p + (ke->body.p - d->p), 0, ke->body.len);
    return true;
}

static void a_public_value_of_nothing_makes_no_keys(void)
{
    for (unsigned to = 0; to < 2; to++) {
        struct s2_pair p;

        s2_pair_init_v1(&p, 9);
        p.filter = zero_ke;
        p.filter_arg = &to;
        CU_ASSERT_FALSE(s2_pair_connect(&p));
        CU_ASSERT_EQUAL(p.end[to].sa_ups, 0);
        s2_pair_run_for(&p, 200 * S2_SECOND);
        CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_TIMEOUT);
        CU_ASSERT_EQUAL(s2_pair_sas(&p.end[0]) + s2_pair_sas(&p.end[1]), 0);
        s2_pair_close(&p);
    }
}

/* A group there must be in all of them, or one that we know (CVE-2014-9221). */
static void a_proposal_without_a_group_is_refused(void)
{
    static const uint16_t groups[] = {0, 1025, 32769, UINT16_MAX};

    for (size_t i = 0; i < COUNT(groups); i++) {
        static struct s2_ike1_sa_payload offer;
        struct s2_pair p;

        s2_pair_init_v1(&p, 10);
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        const struct s2_ike1_terms terms = s2_ike1_sa_terms(p.end[0].ike, &p.end[0].config);
        const struct s2_ike1_header h = {
            .cookie_i = 77, .version = S2_IKE1_VERSION, .exchange = S2_IKE1_MAIN};
        CU_ASSERT_EQUAL_FATAL(s2_ike1_offer(&terms, s2_span(NULL, 0), &offer, NULL), S2SVPN_OK);
        for (size_t k = 0; k < offer.transforms; k++)
            offer.transform[k].group = groups[i];
        s2_writer_init(&s2_v1_forged.w, s2_v1_forged.bytes, sizeof(s2_v1_forged.bytes));
        s2_ike1_write_header(&s2_v1_forged.w, &h);
        s2_ike1_chain_begin(&s2_v1_forged.chain, &s2_v1_forged.w);
        s2_ike1_payload_begin(&s2_v1_forged.chain, S2_IKE1_PAYLOAD_SA);
        s2_ike1_write_sa(&s2_v1_forged.w, &offer);
        s2_ike1_payload_end(&s2_v1_forged.chain);
        CU_ASSERT_EQUAL(s2_ike1_write_end(&s2_v1_forged.w), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2_v1_give_forged(&p), S2SVPN_DROP_NONE);
        CU_ASSERT_EQUAL(p.end[1].sent, 1); /* NO-PROPOSAL-CHOSEN */
        CU_ASSERT_PTR_NOT_NULL(strstr(p.end[1].note, "no common proposal"));
        CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
        CU_ASSERT_EQUAL(p.end[1].jobs, 0);
        s2_pair_close(&p);
    }
}

enum lack { NO_KE, NO_NONCE, SHORT_KE, LONG_KE, SHORT_NONCE, LACKS };
struct lacking {
    enum lack what;
    unsigned to;
};

/* The third message, or the fourth, made anew of what it holds but that. */
static bool leave_out(struct s2_pair *p, struct s2_pair_datagram *d)
{
    const struct lacking *l = p->filter_arg;
    static struct s2_ike1_compose c;
    static const uint8_t more[16] = {0};
    struct s2_ike1_payloads list;
    struct s2_ike1_header h;
    struct s2_reader r;

    s2_reader_init(&r, d->p, d->len);
    if (d->to != l->to || s2_ike1_parse_header(&r, &h) != S2SVPN_OK || h.exchange != S2_IKE1_MAIN ||
        (h.flags & S2_IKE1_FLAG_ENCRYPTED) != 0 ||
        s2_ike1_parse_payloads(&r, h.next_payload, false, &list) != S2SVPN_OK ||
        s2_ike1_find(&list, S2_IKE1_PAYLOAD_KE) == NULL)
        return true;
    s2_writer_init(&c.w, c.bytes, sizeof(c.bytes));
    s2_ike1_write_header(&c.w, &h);
    s2_ike1_chain_begin(&c.chain, &c.w);
    for (size_t i = 0; i < list.count; i++) {
        const bool ke = list.item[i].type == S2_IKE1_PAYLOAD_KE;
        s2svpn_span body = list.item[i].body;

        if ((ke && l->what == NO_KE) ||
            (list.item[i].type == S2_IKE1_PAYLOAD_NONCE && l->what == NO_NONCE))
            continue;
        if (list.item[i].type == S2_IKE1_PAYLOAD_NONCE && l->what == SHORT_NONCE)
            body.len = 7;
        if (ke && l->what == SHORT_KE)
            body.len--;
        s2_ike1_payload_begin(&c.chain, list.item[i].type);
        s2_write_span(&c.w, body);
        if (ke && l->what == LONG_KE)
            s2_write_bytes(&c.w, more, sizeof(more));
        s2_ike1_payload_end(&c.chain);
    }
    CU_ASSERT_EQUAL(s2_ike1_write_end(&c.w), S2SVPN_OK);
    const struct s2_pair_datagram way = *d;
    p->filter = NULL;
    s2_pair_inject(p, way.to, &way.local, &way.remote, c.bytes, c.w.len);
    p->filter = leave_out;
    return false;
}

static void what_lacks_something_makes_no_keys(void)
{
    for (unsigned i = 0; i < 2 * LACKS; i++) {
        struct lacking l = {(enum lack)(i / 2), i % 2};
        struct s2_pair p;

        s2_pair_init_v1(&p, 11);
        p.filter = leave_out;
        p.filter_arg = &l;
        CU_ASSERT_FALSE(s2_pair_connect(&p));
        CU_ASSERT_EQUAL(p.end[0].sa_ups + p.end[1].sa_ups, 0);
        s2_pair_run_for(&p, 200 * S2_SECOND);
        CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_TIMEOUT);
        CU_ASSERT_EQUAL(s2_pair_sas(&p.end[0]) + s2_pair_sas(&p.end[1]), 0);
        s2_pair_close(&p);
        CU_ASSERT_EQUAL(p.end[0].fake.live + p.end[1].fake.live, 0);
    }
}

/* ---- pieces */

static void crafted_pieces_do_no_harm(void)
{
    static const struct {
        const char *row;
        uint8_t body[12];
        size_t len;
    } rows[] = {
        {"nothing (CVE-2013-6076)", {0}, 0},
        {"a header cut short", {0, 1, 1}, 3},
        {"no piece in it", {0, 1, 1, 1}, 4},
        {"number 0", {0, 1, 0, 1, 9, 9}, 6},
        {"number 255", {0, 1, 255, 1, 9, 9}, 6},
        {"the last before the first", {0, 2, 2, 1, 9, 9}, 6},
        {"another last one", {0, 2, 3, 1, 9, 9}, 6},
        {"a whole that is nothing", {0, 3, 1, 1, 9, 9}, 6},
        {"in itself", {0, 4, 1, 1, 132, 0, 0, 8, 0, 4, 1, 1}, 12},
    };
    struct s2_pair p;

    s2_v1_up(&p, 13);
    const struct s2_ike_sa *sa = s2_v1_sa_of(&p, 0);
    for (unsigned round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT(rows); i++) {
            s2_ike1_compose(&s2_v1_forged, sa, S2_IKE1_INFORMATIONAL, 0);
            s2_v1_add(S2_IKE1_PAYLOAD_FRAGMENT, rows[i].body, rows[i].len);
            CU_ASSERT_EQUAL(s2_ike1_write_end(&s2_v1_forged.w), S2SVPN_OK);
            (void)s2_v1_give_forged(&p);
            s2_v1_forged.bytes[7] ^= 1; /* and for nobody */
            CHECK_ROW(rows[i].row, s2_v1_give_forged(&p) == S2SVPN_DROP_IKE_UNKNOWN_SPI);
        }
    }
    s2_v1_unharmed(&p, "crafted pieces");
}

const CU_TestInfo s2_test_v1_hostile[] = {
    {"an unauthenticated informational changes nothing (CVE-2019-10155, CVE-2009-0790)",
     an_unauthenticated_informational_changes_nothing},
    {"a wrong hash changes nothing", a_wrong_hash_changes_nothing},
    {"sealed messages before keys are dropped (CVE-2019-12312)",
     sealed_messages_before_keys_are_dropped},
    {"no changed or shortened message does harm (CVE-2016-6415)",
     no_changed_or_shortened_message_does_harm},
    {"a forger on the way can only delay", a_forger_on_the_way_can_only_delay},
    {"what was sent once means nothing later", what_was_sent_once_means_nothing_later},
    {"a first message is answered once and without more bytes (CERT VU#419128)",
     a_first_message_is_answered_once_and_without_more_bytes},
    {"half-open ones are bounded", half_open_ones_are_bounded},
    {"aggressive mode is not answered (CVE-2002-1623, CVE-2023-30570)",
     aggressive_mode_is_not_answered},
    {"a proposal without a group is refused (CVE-2016-5391)",
     a_proposal_without_a_group_is_refused},
    {"what lacks something makes no keys (CVE-2013-6467, CVE-2023-41913)",
     what_lacks_something_makes_no_keys},
    {"a public value of nothing makes no keys (CVE-2015-3240)",
     a_public_value_of_nothing_makes_no_keys},
    {"crafted pieces do no harm (CVE-2013-6076)", crafted_pieces_do_no_harm},
    CU_TEST_INFO_NULL,
};
