/* SPDX-License-Identifier: Apache-2.0 */
/* v2/ against peers that are authenticated and yet mean no good or know no better.
 * Several tests are named for a class of faults that other implementations were
 * published for. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "ike/forge.h"

/* ---- authenticated */

/* CVE-2023-38710: REKEY_SA for protocols that have no children, or SPIs of any size. */
static void a_rekey_of_nothing_is_not_found(void)
{
    static const struct {
        const char *row;
        uint8_t protocol;
        size_t spi_len;
    } rows[] = {
        {"protocol 0", 0, 4}, {"IKE", 1, 8},       {"IKE with four", 1, 4},
        {"AH", 2, 4},         {"unknown", 200, 4}, {"no SPI", 3, 0},
        {"short SPI", 3, 3},  {"long SPI", 3, 8},  {"a wrong SPI", 3, 4},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s2_pair p;

        CU_ASSERT_TRUE_FATAL(s2_forge_connect(&p, 14));
        struct s2_ike_sa *sa = s2_forge_sa(&p, 0);
        struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_CREATE_CHILD_SA);
        s2_forge_add_rekey(c, rows[i].protocol, s2_span("12345678", rows[i].spi_len));
        s2_forge_add_parts(c, sa, S2_PART_ALL, 0x77777777);
        s2_forge_send(&p, sa, S2_IKE_CREATE_CHILD_SA);
        s2_pair_run_for(&p, S2_SECOND);
        CHECK_ROW(rows[i].row, s2_forge_told(sa) == S2_IKE_N_CHILD_SA_NOT_FOUND);
        CHECK_ROW(rows[i].row, s2_pair_is_settled(&p));
        s2_pair_close(&p);
    }
}

/* CVE-2013-6467 in CREATE_CHILD_SA: fatal, as section 2.21.3 says, but tidy. */
static void an_incomplete_create_child_sa_ends_the_sa_tidily(void)
{
    for (unsigned parts = 0; parts < S2_PART_ALL; parts++) {
        struct s2_pair p;

        CU_ASSERT_TRUE_FATAL(s2_forge_connect(&p, 15));
        struct s2_ike_sa *sa = s2_forge_sa(&p, 0);
        struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_CREATE_CHILD_SA);
        s2_forge_add_parts(c, sa, parts, 0x77777777);
        s2_forge_send(&p, sa, S2_IKE_CREATE_CHILD_SA);
        s2_pair_run_for(&p, 15 * S2_MS);
        if (parts == (S2_PART_ALL & ~S2_PART_KE)) {
            CU_ASSERT_EQUAL(s2_forge_told(sa), S2_IKE_N_INVALID_KE_PAYLOAD);
            CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        } else {
            CU_ASSERT_EQUAL(s2_forge_told(sa), S2_IKE_N_INVALID_SYNTAX);
            CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
            CU_ASSERT_EQUAL(p.end[1].reason, S2_IKE_REASON_SYNTAX);
            CU_ASSERT_EQUAL(p.end[1].children_down, 1);
        }
        CU_ASSERT_TRUE(s2_pair_balances(&p.end[1]));
        s2_pair_close(&p);
        CU_ASSERT_EQUAL(p.end[1].fake.live, 0);
    }
}

/* CVE-2023-38712: the IKE SA is deleted, and the same message goes on. */
static void what_follows_a_delete_is_done_or_not_but_never_on_the_dead(void)
{
    for (unsigned order = 0; order < 2; order++) {
        struct s2_pair p;

        CU_ASSERT_TRUE_FATAL(s2_forge_connect(&p, 16));
        struct s2_ike_sa *sa = s2_forge_sa(&p, 0);
        const uint32_t spi[2] = {s2_pair_only_child(&p.end[0])->spi_in, 99};
        struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_INFORMATIONAL);
        if (order == 0)
            s2_forge_add_delete(c, S2_IKE_PROTO_IKE, NULL, 0);
        s2_forge_add_delete(c, S2_IKE_PROTO_ESP, spi, 2);
        s2_ike_add_notify(c, S2_IKE_N_AUTHENTICATION_FAILED, s2_span(NULL, 0));
        s2_forge_add_rekey(c, S2_IKE_PROTO_ESP, s2_span("1234", 4));
        s2_forge_add_delete(c, S2_IKE_PROTO_IKE, NULL, 0);
        s2_forge_add_delete(c, S2_IKE_PROTO_ESP, spi, 1);
        s2_forge_add_delete(c, S2_IKE_PROTO_AH, spi, 1);
        s2_forge_send(&p, sa, S2_IKE_INFORMATIONAL);
        s2_pair_run_for(&p, 15 * S2_MS);
        CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
        CU_ASSERT_EQUAL(p.end[1].children_down, 1);
        CU_ASSERT_EQUAL(p.end[1].sa_downs, 1);
        CU_ASSERT_EQUAL(s2_forge_told(sa), 0); /* it was answered */
        s2_pair_close(&p);
        CU_ASSERT_EQUAL(p.end[1].fake.live, 0);
    }
}

/* CVE-2015-3991: payload types of IKEv1, and unknown ones, critical and not. */
static void foreign_payloads_are_passed_over_or_refused_by_name(void)
{
    for (unsigned type = 1; type < 256; type++) {
        for (unsigned critical = 0; critical < 2; critical++) {
            struct s2_pair p;

            if (type >= 33 && type <= 54)
                continue; /* IKEv2's own */
            CU_ASSERT_TRUE_FATAL(s2_forge_connect(&p, 17));
            struct s2_ike_sa *sa = s2_forge_sa(&p, 0);
            struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_INFORMATIONAL);
            s2_ike_add_bytes(c, (uint8_t)type, s2_span("whatever", 8));
            /* The flag stands behind the "next payload" byte, 12 bytes from the end. */
            s2_write_patch_u8(&c->w, c->w.len - 11, critical ? 0x80 : 0);
            s2_forge_send(&p, sa, S2_IKE_INFORMATIONAL);
            s2_pair_run_for(&p, S2_SECOND);
            CU_ASSERT_EQUAL(s2_forge_told(sa),
                            critical ? S2_IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD : 0);
            CU_ASSERT_TRUE(s2_pair_is_settled(&p));
            s2_pair_close(&p);
        }
    }
}

/* A peer that rekeys the same child twice, or gives an SPI twice. */
static void a_child_is_rekeyed_once(void)
{
    struct s2_pair p;
    uint8_t spi[4];

    CU_ASSERT_TRUE_FATAL(s2_forge_connect(&p, 18));
    struct s2_ike_sa *sa = s2_forge_sa(&p, 0);
    s2_put_u32(spi, s2_pair_only_child(&p.end[0])->spi_in);
    for (unsigned i = 0; i < 3; i++) {
        struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_CREATE_CHILD_SA);

        s2_forge_add_rekey(c, S2_IKE_PROTO_ESP, s2_span(spi, 4));
        s2_forge_add_parts(c, sa, S2_PART_ALL, 0x77777777);
        s2_forge_send(&p, sa, S2_IKE_CREATE_CHILD_SA);
        s2_pair_run_for(&p, S2_SECOND);
        CU_ASSERT_EQUAL(s2_forge_told(sa), i == 0 ? 0 : S2_IKE_N_TEMPORARY_FAILURE);
    }
    struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_CREATE_CHILD_SA);
    s2_forge_add_parts(c, sa, S2_PART_ALL, 0x77777777); /* a new child, but its SPI is in use */
    s2_forge_send(&p, sa, S2_IKE_CREATE_CHILD_SA);
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_EQUAL(s2_forge_told(sa), S2_IKE_N_NO_ADDITIONAL_SAS);
    CU_ASSERT_EQUAL(s2_pair_children_up(&p.end[1]), 2);
    s2_pair_close(&p);
}

/* A peer that makes child upon child and deletes none. */
static void children_are_bounded_and_the_newest_counts(void)
{
    struct s2_pair p;
    unsigned made = 0;

    CU_ASSERT_TRUE_FATAL(s2_forge_connect(&p, 19));
    struct s2_ike_sa *sa = s2_forge_sa(&p, 0);
    for (uint32_t i = 0; i < 10; i++) {
        struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_CREATE_CHILD_SA);

        s2_forge_add_parts(c, sa, S2_PART_ALL, 0x77777700 + i);
        s2_forge_send(&p, sa, S2_IKE_CREATE_CHILD_SA);
        s2_pair_run_for(&p, 50 * S2_MS);
        made += s2_forge_told(sa) == 0;
    }
    CU_ASSERT_EQUAL(made, S2_IKE_CHILDREN_MAX - 1);
    CU_ASSERT_EQUAL(s2_pair_children_up(&p.end[1]), S2_IKE_CHILDREN_MAX);
    const uint32_t newest = s2_ike_child_current(s2_forge_sa(&p, 1))->spi_out;
    CU_ASSERT_EQUAL(newest, 0x77777700 + made - 1);
    /* In time the displaced ones are deleted by us. */
    s2_pair_run_for(&p, 125 * S2_SECOND);
    CU_ASSERT_EQUAL(s2_pair_children_up(&p.end[1]), 1);
    s2_pair_close(&p);
}

/* Whatever the peer deletes, what is left is used. */
static void a_replaced_child_is_current_again_when_its_successor_goes(void)
{
    struct s2_pair p;
    const uint32_t spi = 0x77777777;

    CU_ASSERT_TRUE_FATAL(s2_forge_connect(&p, 20));
    struct s2_ike_sa *sa = s2_forge_sa(&p, 0);
    struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_CREATE_CHILD_SA);
    s2_forge_add_parts(c, sa, S2_PART_ALL, spi);
    s2_forge_send(&p, sa, S2_IKE_CREATE_CHILD_SA);
    s2_pair_run_for(&p, 50 * S2_MS);
    CU_ASSERT_EQUAL(s2_ike_child_current(s2_forge_sa(&p, 1))->spi_out, spi);
    c = s2_forge_begin(sa, S2_IKE_INFORMATIONAL);
    s2_forge_add_delete(c, S2_IKE_PROTO_ESP, &spi, 1);
    s2_forge_send(&p, sa, S2_IKE_INFORMATIONAL);
    s2_pair_run_for(&p, 130 * S2_SECOND); /* longer than the grace of the replaced one */
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    CU_ASSERT_PTR_NOT_NULL(s2_ike_child_current(s2_forge_sa(&p, 1)));
    s2_pair_close(&p);
}

/* ---- answers that no honest peer gives */

struct bad_answer {
    const char *row;
    unsigned parts; /* of a CREATE_CHILD_SA answer, written as if we were initiator */
    uint16_t error; /* a notify; 0: none */
    uint16_t group; /* data of INVALID_KE_PAYLOAD; 0: none */
    bool survives;  /* the IKE SA and its old child */
};

static const struct bad_answer bad_answers[] = {
    {"nothing", 0, 0, 0, false},
    {"no nonce", S2_PART_ALL & ~S2_PART_NONCE, 0, 0, false},
    {"no proposal", S2_PART_ALL & ~S2_PART_SA, 0, 0, false},
    {"no value", S2_PART_ALL & ~S2_PART_KE, 0, 0, false},
    {"no selectors", S2_PART_ALL & ~S2_PART_TSI, 0, 0, false},
    {"two proposals of many transforms, for one", S2_PART_ALL, 0, 0, false},
    {"refused: proposal", 0, S2_IKE_N_NO_PROPOSAL_CHOSEN, 0, true},
    {"refused: selectors", 0, S2_IKE_N_TS_UNACCEPTABLE, 0, true},
    {"refused: something new", 0, 12345, 0, true},
    {"refused: busy", 0, S2_IKE_N_TEMPORARY_FAILURE, 0, true},
    {"refused: no more", 0, S2_IKE_N_NO_ADDITIONAL_SAS, 0, true},
    {"refused: a group, but which?", 0, S2_IKE_N_INVALID_KE_PAYLOAD, 0, true},
    {"refused: a group that we don't allow", 0, S2_IKE_N_INVALID_KE_PAYLOAD, 2, true},
    {"refused: the group that we sent", 0, S2_IKE_N_INVALID_KE_PAYLOAD, 14, true},
    {"refused: syntax, which is fatal", 0, S2_IKE_N_INVALID_SYNTAX, 0, false},
};

/* End 1's answer to the request of end 0 that is in the queue, and is thrown away. */
static void answer_badly(struct s2_pair *p, uint8_t exchange, const struct bad_answer *bad)
{
    struct s2_ike_sa *sa = s2_forge_sa(p, 1);
    uint8_t group[2];

    while (p->queued > 0)
        free(p->queue[--p->queued].p);
    sa->asked.path = sa->path;
    CU_ASSERT_EQUAL(s2_ike_compose_response(&s2_forge_compose, sa, exchange), S2SVPN_OK);
    s2_put_u16(group, bad->group);
    if (bad->error != 0)
        s2_ike_add_notify(&s2_forge_compose, bad->error, s2_span(group, bad->group != 0 ? 2 : 0));
    s2_forge_add_parts(&s2_forge_compose, sa, bad->parts, 0x77777777);
    s2_ike_enter(sa->ike, p->now_ns);
    CU_ASSERT_EQUAL(s2_ike_send_response(sa, &s2_forge_compose), S2SVPN_OK);
    s2_ike_leave(sa->ike);
    CU_ASSERT_TRUE(s2_pair_deliver(p, 0));
}

static void bad_answers_to_a_rekey_leave_no_mess(void)
{
    for (size_t i = 0; i < 2 * sizeof(bad_answers) / sizeof(bad_answers[0]); i++) {
        const struct bad_answer *bad = &bad_answers[i / 2];
        struct s2_pair p;

        CU_ASSERT_TRUE_FATAL(s2_forge_connect(&p, 23));
        p.manual = true;
        if (i % 2 == 0)
            (void)!s2_ike_rekey_child(p.end[0].ike, &p.end[0], p.end[0].child[0].spi_in, p.now_ns);
        else
            (void)!s2_ike_rekey_sa(p.end[0].ike, &p.end[0], p.now_ns);
        answer_badly(&p, S2_IKE_CREATE_CHILD_SA, bad);
        p.manual = false;
        s2_pair_run_for(&p, S2_SECOND);
        CHECK_ROW(bad->row, s2_pair_is_settled(&p) == bad->survives);
        CHECK_ROW(bad->row, (p.end[0].sa_downs == 0) == bad->survives);
        CHECK_ROW(bad->row, s2_pair_balances(&p.end[0]));
        s2_pair_run_for(&p, 60 * S2_SECOND); /* tried again, if it was only refused */
        CHECK_ROW(bad->row, s2_pair_is_settled(&p) == bad->survives);
        s2_pair_close(&p);
        CHECK_ROW(bad->row, p.end[0].fake.live == 0);
    }
}

/* IKE_AUTH is answered by somebody who did the key exchange but is not the peer. */
static bool swallow_auth(struct s2_pair *p, struct s2_pair_datagram *d)
{
    (void)p;
    return !(d->to == 0 && d->p[18] == S2_IKE_AUTH && d->len != s2_forge_last_len);
}

static void nobody_but_the_peer_answers_ike_auth(void)
{
    static const struct {
        const char *row;
        bool id, auth;
        uint16_t error;
        enum s2_ike_reason reason;
    } rows[] = {
        {"nothing", false, false, 0, S2_IKE_REASON_SYNTAX},
        {"an identity alone", true, false, 0, S2_IKE_REASON_SYNTAX},
        {"a proof that is none", true, true, 0, S2_IKE_REASON_AUTHENTICATION},
        {"a proof of nobody", false, true, 0, S2_IKE_REASON_SYNTAX},
        {"a false proof with a reason", true, true, S2_IKE_N_TS_UNACCEPTABLE,
         S2_IKE_REASON_AUTHENTICATION},
        {"no proposal", false, false, S2_IKE_N_NO_PROPOSAL_CHOSEN, S2_IKE_REASON_NO_PROPOSAL},
        {"something new", false, false, 12345, S2_IKE_REASON_PEER_ERROR},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s2_pair p;

        s2_forge_last_len = 0;
        (void)s2_forge_half_open(&p, 24);
        p.filter = swallow_auth;
        CU_ASSERT_TRUE(s2_pair_deliver(&p, 1)); /* end 1 is up; its answer is swallowed */
        struct s2_ike_sa *sa = s2_forge_sa(&p, 1);
        const struct s2_ike_id id = s2_ike_id_of(&p.end[1].config.local.address);

        sa->in_id = 1;
        CU_ASSERT_EQUAL(s2_ike_compose_response(&s2_forge_compose, sa, S2_IKE_AUTH), S2SVPN_OK);
        if (rows[i].error != 0)
            s2_ike_add_notify(&s2_forge_compose, rows[i].error, s2_span(NULL, 0));
        if (rows[i].id)
            s2_ike_add_id(&s2_forge_compose, S2_IKE_PAYLOAD_IDR, &id);
        if (rows[i].auth) {
            s2_ike_payload_begin(s2_forge_compose.chain, S2_IKE_PAYLOAD_AUTH);
            s2_ike_write_auth(&s2_forge_compose.w, S2_IKE_AUTH_PSK,
                              s2_span("twenty bytes of lies", 20));
            s2_ike_payload_end(s2_forge_compose.chain);
        }
        p.filter = NULL;
        s2_ike_enter(sa->ike, p.now_ns);
        CU_ASSERT_EQUAL(s2_ike_send_response(sa, &s2_forge_compose), S2SVPN_OK);
        s2_ike_leave(sa->ike);
        p.manual = false;
        s2_pair_run_for(&p, 30 * S2_SECOND);
        CHECK_ROW(rows[i].row, p.end[0].sa_ups == 0);
        CHECK_ROW(rows[i].row, p.end[0].reason == rows[i].reason);
        CHECK_ROW(rows[i].row, p.end[0].sa_downs == 1);
        CHECK_ROW(rows[i].row, s2_pair_sas(&p.end[0]) == 0);
        CHECK_ROW(rows[i].row, s2_pair_balances(&p.end[0]));
        s2_pair_close(&p);
        CHECK_ROW(rows[i].row, p.end[0].fake.live == 0);
    }
}

const CU_TestInfo s2_test_authenticated[] = {
    {"a rekey of nothing is not found (CVE-2023-38710)", a_rekey_of_nothing_is_not_found},
    {"an incomplete CREATE_CHILD_SA ends the SA tidily (CVE-2013-6467)",
     an_incomplete_create_child_sa_ends_the_sa_tidily},
    {"what follows a delete is never done on the dead (CVE-2023-38712)",
     what_follows_a_delete_is_done_or_not_but_never_on_the_dead},
    {"foreign payloads are passed over or refused by name (CVE-2015-3991)",
     foreign_payloads_are_passed_over_or_refused_by_name},
    {"a child is rekeyed once", a_child_is_rekeyed_once},
    {"children are bounded and the newest counts", children_are_bounded_and_the_newest_counts},
    {"a replaced child is current again when its successor goes",
     a_replaced_child_is_current_again_when_its_successor_goes},
    {"bad answers to a rekey leave no mess", bad_answers_to_a_rekey_leave_no_mess},
    {"nobody but the peer answers IKE_AUTH", nobody_but_the_peer_answers_ike_auth},
    CU_TEST_INFO_NULL,
};
