/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 7296 sections 2.25.1 and 2.25.2 on the wire: what is answered to each request of
 * the peer while each request of ours is out; and how long a refusal lasts. The table
 * behind it, and what is left when all has arrived: test_collision.c. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "harness.h"
#include "ike/forge.h"

#define OK 0
#define BUSY S2_IKE_N_TEMPORARY_FAILURE
#define GONE S2_IKE_N_CHILD_SA_NOT_FOUND

enum theirs { MAKE, REKEY, REKEY_UNKNOWN, REKEY_SA, DELETE, DELETE_SA, THEIRS };
static const char *const their_names[THEIRS] = {
    "a new child",           "a rekey of the child",  "a rekey of a child unknown here",
    "a rekey of the IKE SA", "a delete of the child", "a delete of the IKE SA",
};
static const char *const our_names[S2_IKE_OURS_COUNT] = {
    "nothing",
    "a check",
    "a new child",
    "a rekey of the child",
    "a delete of the child",
    "a rekey of the IKE SA",
    "a delete of the IKE SA",
};

/* Columns: ours is nothing, check, new child, rekey child, delete child, rekey IKE, close. */
static const uint16_t told[THEIRS][S2_IKE_OURS_COUNT] = {
    [MAKE] = {OK, OK, OK, OK, OK, BUSY, BUSY},
    [REKEY] = {OK, OK, OK, OK, BUSY, BUSY, BUSY},
    [REKEY_UNKNOWN] = {GONE, GONE, BUSY, BUSY, GONE, BUSY, BUSY},
    [REKEY_SA] = {OK, OK, BUSY, BUSY, BUSY, OK, BUSY},
    [DELETE] = {OK, OK, OK, OK, OK, OK, OK},
    [DELETE_SA] = {OK, OK, OK, OK, OK, OK, OK},
};

/* End 1's request, which stays on its way. */
static void ask(struct s2_pair *p, enum s2_ike_ours ours)
{
    struct s2_pair_end *e = &p->end[1];
    struct s2_ike_sa *sa = s2_forge_sa(p, 1);

    p->manual = true;
    s2_ike_enter(e->ike, p->now_ns);
    switch (ours) {
    case S2_IKE_OURS_CHECK:
        CU_ASSERT_EQUAL(s2_ike_check(e->ike, e, p->now_ns), S2SVPN_OK);
        break;
    case S2_IKE_OURS_MAKE_CHILD:
        s2_ike_create_start(sa, S2_IKE_MAKE_CHILD, NULL);
        break;
    case S2_IKE_OURS_REKEY_CHILD:
        CU_ASSERT_EQUAL(s2_ike_rekey_child(e->ike, e, e->child[0].spi_in, p->now_ns), S2SVPN_OK);
        break;
    case S2_IKE_OURS_DELETE_CHILD:
        s2_ike_child_delete(sa, s2_ike_child_current(sa), S2_IKE_REASON_LOCAL);
        break;
    case S2_IKE_OURS_REKEY_IKE:
        CU_ASSERT_EQUAL(s2_ike_rekey_sa(e->ike, e, p->now_ns), S2SVPN_OK);
        break;
    case S2_IKE_OURS_CLOSE_IKE:
        s2_ike_terminate(e->ike, e, true, p->now_ns);
        break;
    default:
        break;
    }
    s2_ike_leave(e->ike);
}

static void compose_rekey_sa(struct s2_ike_sa *sa, struct s2_ike_compose *c)
{
    const struct s2_ike_terms terms = s2_ike_sa_terms(sa->ike, sa->config);
    static const uint8_t value[256] = {5};
    struct s2_ike_sa_payload offer;

    CU_ASSERT_EQUAL(s2_ike_offer(&terms, s2_span("12345678", 8), &offer), S2SVPN_OK);
    s2_ike_add_sa(c, &offer);
    s2_forge_add_parts(c, sa, S2_PART_NONCE, 0);
    s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_KE);
    s2_ike_write_ke(&c->w, S2SVPN_KE_MODP_2048, s2_span(value, sizeof(value)));
    s2_ike_payload_end(c->chain);
}

/* End 0's request, past its engine. */
static void give(struct s2_pair *p, enum theirs theirs)
{
    struct s2_ike_sa *sa = s2_forge_sa(p, 0);
    const bool informational = theirs == DELETE || theirs == DELETE_SA;
    struct s2_ike_compose *c =
        s2_forge_begin(sa, informational ? S2_IKE_INFORMATIONAL : S2_IKE_CREATE_CHILD_SA);
    const uint32_t spi = theirs == REKEY_UNKNOWN ? 0x99999999 : p->end[0].child[0].spi_in;
    uint8_t bytes[4];

    s2_put_u32(bytes, spi);
    if (theirs == REKEY || theirs == REKEY_UNKNOWN)
        s2_forge_add_rekey(c, S2_IKE_PROTO_ESP, s2_span(bytes, 4));
    if (theirs <= REKEY_UNKNOWN)
        s2_forge_add_parts(c, sa, S2_PART_ALL, 0x77777777);
    if (theirs == REKEY_SA)
        compose_rekey_sa(sa, c);
    if (theirs == DELETE)
        s2_forge_add_delete(c, S2_IKE_PROTO_ESP, &spi, 1);
    if (theirs == DELETE_SA)
        s2_forge_add_delete(c, S2_IKE_PROTO_IKE, NULL, 0);
    s2_forge_last_len = 0;
    CU_ASSERT_EQUAL(s2_forge_give_sealed(p, sa), S2SVPN_DROP_NONE);
}

static void each_meeting_is_answered_as_the_rfc_says(void)
{
    for (size_t i = 0; i < THEIRS * S2_IKE_OURS_COUNT; i++) {
        const enum theirs theirs = (enum theirs)(i / S2_IKE_OURS_COUNT);
        const enum s2_ike_ours ours = (enum s2_ike_ours)(i % S2_IKE_OURS_COUNT);
        struct s2_ike_payloads list;
        struct s2_pair p;
        char row[128];

        s2_print(row, sizeof(row), "%s meets our %s", their_names[theirs], our_names[ours]);
        CU_ASSERT_TRUE_FATAL(s2_forge_connect(&p, 1));
        ask(&p, ours);
        CHECK_ROW(row,
                  s2_ike_ours(S2_CONTAINER(s2_ike_find_owner(p.end[1].ike, &p.end[1])->sas.next,
                                           struct s2_ike_sa, owner_link)) == ours);
        give(&p, theirs);
        struct s2_ike_sa *sa = s2_forge_sa(&p, 0);
        struct s2_ike_notifies says = {.error = 1};
        CHECK_ROW(row,
                  s2_forge_open_last(sa, &list) && s2_ike_read_notifies(&list, &says) == S2SVPN_OK);
        CHECK_ROW(row, says.error == told[theirs][ours]);
        /* Section 2.25.1: no delete for a delete of what we delete already. */
        CHECK_ROW(row, (s2_ike_count(&list, S2_IKE_PAYLOAD_DELETE) == 1) ==
                           (theirs == DELETE && ours != S2_IKE_OURS_DELETE_CHILD));
        CHECK_ROW(row, theirs != DELETE_SA || s2_pair_sas(&p.end[1]) == 0);
        s2_pair_close(&p);
        CHECK_ROW(row, p.end[1].fake.live == 0);
    }
}

/* Section 2.25: who hears TEMPORARY_FAILURE waits, and then tries again. */
static unsigned refused, attempts;
static uint64_t last_attempt_ns, shortest_ns;

static bool count_attempts(struct s2_pair *p, struct s2_pair_datagram *d)
{
    if (d->to != 1 || d->p[18] != S2_IKE_CREATE_CHILD_SA || (d->p[19] & S2_IKE_FLAG_RESPONSE) != 0)
        return true;
    attempts++;
    if (last_attempt_ns != 0 && p->now_ns - last_attempt_ns < shortest_ns)
        shortest_ns = p->now_ns - last_attempt_ns;
    last_attempt_ns = p->now_ns;
    struct s2_ike_sa *sa = s2_forge_sa(p, 1);
    if (refused == 0)
        return true;
    refused--;
    sa->asked.path = sa->path;
    s2_ike_enter(sa->ike, p->now_ns);
    CU_ASSERT_EQUAL(s2_ike_answer_notify(sa, S2_IKE_CREATE_CHILD_SA, S2_IKE_N_TEMPORARY_FAILURE,
                                         s2_span(NULL, 0)),
                    S2SVPN_OK);
    s2_ike_leave(sa->ike);
    return false;
}

static void a_busy_peer_is_asked_again_after_a_while(void)
{
    for (unsigned what = 0; what < 2; what++) {
        struct s2_pair p;

        s2_pair_init(&p, 2);
        CU_ASSERT_TRUE_FATAL(s2_pair_connect(&p));
        struct s2_pair_end *e = &p.end[0];
        p.filter = count_attempts;
        refused = 3;
        attempts = 0;
        last_attempt_ns = 0;
        shortest_ns = UINT64_MAX;
        const s2svpn_status rc = what == 0
                                     ? s2_ike_rekey_child(e->ike, e, e->child[0].spi_in, p.now_ns)
                                     : s2_ike_rekey_sa(e->ike, e, p.now_ns);
        CU_ASSERT_EQUAL(rc, S2SVPN_OK);
        s2_pair_run_for(&p, 90 * S2_SECOND);
        CU_ASSERT_EQUAL(attempts, 4);
        CU_ASSERT_TRUE(shortest_ns >= 10 * S2_SECOND);
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        CU_ASSERT_EQUAL(what == 0 ? e->children_up : e->sa_ups, 2);
        s2_pair_close(&p);
    }
}

const CU_TestInfo s2_test_rules_meetings[] = {
    {"each meeting is answered as the RFC says", each_meeting_is_answered_as_the_rfc_says},
    {"a busy peer is asked again after a while", a_busy_peer_is_asked_again_after_a_while},
    CU_TEST_INFO_NULL,
};
