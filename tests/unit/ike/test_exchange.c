/* SPDX-License-Identifier: Apache-2.0 */
/* v2/: what two engines that mean well come to, over a network that mostly works. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "base/address.h"
#include "base/text.h"
#include "harness.h"
#include "ike/message.h"
#include "ike/pair.h"
#include "ike/sa.h"
#include "ike/v2/v2.h"

static struct s2_ike_id fqdn(const char *name)
{
    struct s2_ike_id id = {.type = S2_IKE_ID_FQDN, .len = (uint16_t)strlen(name)};

    memcpy(id.data, name, id.len);
    return id;
}

/* Open, initiate by 0, run so long. */
static void attempt(struct s2_pair *p, uint64_t ns)
{
    CU_ASSERT_TRUE_FATAL(s2_pair_open(p));
    CU_ASSERT_TRUE(s2_pair_initiate(p, 0));
    s2_pair_run_for(p, ns);
}

/* ---- handshake */

static void a_handshake_brings_up_the_same_keys_on_both_sides(void)
{
    struct s2_pair p;
    uint8_t zero[S2SVPN_KEY_MAX] = {0};

    s2_pair_init(&p, 1);
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    for (size_t e = 0; e < 2; e++) {
        CU_ASSERT_EQUAL(p.end[e].sa_ups, 1);
        CU_ASSERT_EQUAL(p.end[e].sa_downs, 0);
        CU_ASSERT_EQUAL(p.end[e].sent, 2);
        CU_ASSERT_EQUAL(p.end[e].jobs, 2);
        CU_ASSERT_TRUE(s2_pair_balances(&p.end[e]));
        CU_ASSERT_EQUAL(p.end[e].info.encr, S2SVPN_ENCR_AES_CBC);
        CU_ASSERT_EQUAL(p.end[e].info.ke, S2SVPN_KE_MODP_2048);
        CU_ASSERT_EQUAL(p.end[e].info.initiator, e == 0);
        CU_ASSERT_EQUAL(p.end[e].info.peer_id.type, S2_IKE_ID_IPV4_ADDR);
        CU_ASSERT_EQUAL(p.end[e].child[0].local.role, S2SVPN_ROLE_RAW);
        CU_ASSERT_EQUAL(p.end[e].child[0].local.port, 0);
        CU_ASSERT_EQUAL(p.end[e].child[0].ke, 0);
        CU_ASSERT_NOT_EQUAL(memcmp(p.end[e].child[0].key_in, zero, sizeof(zero)), 0);
    }
    s2_pair_close(&p);
    CU_ASSERT_EQUAL(p.end[0].fake.live, 0);
    CU_ASSERT_EQUAL(p.end[1].fake.live, 0);
}

static void an_aead_needs_no_integrity_algorithm(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 2);
    for (size_t e = 0; e < 2; e++) {
        struct s2_ike_choices *c = &p.end[e].config.ike;

        c->encr[0] = c->encr[1];
        c->encr_count = 1;
        c->integ_count = 0;
        p.end[e].config.esp = *c;
    }
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(p.end[1].info.encr, S2SVPN_ENCR_AES_GCM_16);
    CU_ASSERT_EQUAL(p.end[1].info.integ, S2SVPN_INTEG_NONE);
    s2_pair_close(&p);
}

static void jobs_and_identification_may_answer_later(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 3);
    for (size_t e = 0; e < 2; e++) {
        p.end[e].defer_jobs = true;
        p.end[e].defer_identify = 1;
    }
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    for (unsigned e = 0; e < 2; e++) {
        const uint32_t spi_in = s2_pair_only_child(&p.end[e])->spi_in;

        CU_ASSERT_EQUAL(s2_ike_rekey_child(p.end[e].ike, &p.end[e], spi_in, p.now_ns), S2SVPN_OK);
        s2_pair_run_for(&p, S2_SECOND);
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        CU_ASSERT_EQUAL(s2_ike_rekey_sa(p.end[e].ike, &p.end[e], p.now_ns), S2SVPN_OK);
        s2_pair_run_for(&p, S2_SECOND);
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    }
    s2_pair_close(&p);
}

static void names_are_identities_and_are_checked(void)
{
    static const struct {
        const char *row, *right_is, *left_expects, *right_expects;
        bool up;
        enum s2_ike_reason reason;
    } rows[] = {
        {"both right", "right.example", "right.example", "left.example", true, 0},
        {"case doesn't matter", "RIGHT.example", "right.Example", "left.EXAMPLE", true, 0},
        {"anyone is welcome", "right.example", NULL, NULL, true, 0},
        {"the responder is another", "other.example", "right.example", "left.example", false,
         S2_IKE_REASON_IDENTITY},
        {"the initiator is another", "right.example", "right.example", "other.example", false,
         S2_IKE_REASON_PEER_AUTHENTICATION},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s2_pair p;

        s2_pair_init(&p, i);
        p.end[0].config.local_id = fqdn("left.example");
        p.end[1].config.local_id = fqdn(rows[i].right_is);
        if (rows[i].left_expects != NULL)
            p.end[0].config.remote_id = fqdn(rows[i].left_expects);
        if (rows[i].right_expects != NULL)
            p.end[1].config.remote_id = fqdn(rows[i].right_expects);
        attempt(&p, S2_SECOND);
        CHECK_ROW(rows[i].row, s2_pair_is_settled(&p) == rows[i].up);
        CHECK_ROW(rows[i].row, rows[i].up || p.end[0].reason == rows[i].reason);
        CHECK_ROW(rows[i].row, rows[i].up || s2_pair_sas(&p.end[0]) == 0);
        /* An initiator that refuses says so; the responder doesn't keep half an SA. */
        s2_pair_run_for(&p, 40 * S2_SECOND);
        CHECK_ROW(rows[i].row, rows[i].up || s2_pair_sas(&p.end[1]) == 0);
        s2_pair_close(&p);
        CHECK_ROW(rows[i].row, p.end[0].fake.live == 0 && p.end[1].fake.live == 0);
    }
}

static void different_keys_are_told_to_both_tunnels(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 4);
    (void)s2_secret_set(&p.end[1].config.psk, "another secret", 14);
    attempt(&p, S2_SECOND);
    CU_ASSERT_EQUAL(p.end[0].sa_downs, 1);
    CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_PEER_AUTHENTICATION);
    CU_ASSERT_FALSE(p.end[0].was_up);
    CU_ASSERT_EQUAL(p.end[1].sa_ups, 0);
    CU_ASSERT_EQUAL(p.end[1].sa_downs, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(p.end[1].note, "the pre-shared keys differ"));
    CU_ASSERT_PTR_NOT_NULL(strstr(p.end[1].note, "192.0.2.1"));
    CU_ASSERT_TRUE(s2_pair_balances(&p.end[0]));
    CU_ASSERT_TRUE(s2_pair_balances(&p.end[1]));
    s2_pair_close(&p);
}

static bool lose_first_auth_answer(struct s2_pair *p, struct s2_pair_datagram *d)
{
    unsigned *seen = p->filter_arg;

    return !(d->to == 0 && d->p[18] == 35 && (*seen)++ == 0);
}

static void a_refusal_that_gets_lost_is_told_again(void)
{
    struct s2_pair p;
    unsigned seen = 0;

    s2_pair_init(&p, 4);
    p.filter = lose_first_auth_answer;
    p.filter_arg = &seen;
    (void)s2_secret_set(&p.end[1].config.psk, "another secret", 14);
    attempt(&p, 5 * S2_SECOND);
    CU_ASSERT_EQUAL(seen, 2);
    CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_PEER_AUTHENTICATION);
    s2_pair_close(&p);
}

static void a_peer_that_no_tunnel_expects_is_refused(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 5);
    p.end[1].identify_nobody = true;
    attempt(&p, S2_SECOND);
    CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_PEER_AUTHENTICATION);
    s2_pair_close(&p);
}

static void a_missing_ike_proposal_names_what_was_offered(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 6);
    p.end[0].config.ike.encr_count = 1;
    p.end[1].config.ike.encr[0] = p.end[1].config.ike.encr[1];
    p.end[1].config.ike.encr_count = 1;
    attempt(&p, S2_SECOND);
    CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_NO_PROPOSAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(p.end[1].note, "AES_CBC_128/HMAC_SHA1_96"));
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
    s2_pair_close(&p);
}

static void a_refused_child_ends_the_attempt_with_its_reason(void)
{
    for (size_t i = 0; i < 2; i++) {
        struct s2_pair p;

        s2_pair_init(&p, 7);
        if (i == 0)
            p.end[1].config.local_net.address = s2_address_ipv4(0x0b000000);
        else
            p.end[1].config.esp.encr[0].id = p.end[1].config.esp.encr[1].id = 99;
        attempt(&p, S2_SECOND);
        CU_ASSERT_EQUAL(p.end[0].reason,
                        i == 0 ? S2_IKE_REASON_TS_UNACCEPTABLE : S2_IKE_REASON_NO_PROPOSAL);
        CU_ASSERT_EQUAL(p.end[0].sa_ups, 0);
        CU_ASSERT_EQUAL(p.end[0].sa_downs, 1);
        CU_ASSERT_EQUAL(p.end[1].sa_ups, 1);
        CU_ASSERT_EQUAL(p.end[1].sa_downs, 1);
        CU_ASSERT_EQUAL(p.end[1].reason, S2_IKE_REASON_PEER_DELETE);
        CU_ASSERT_TRUE(s2_pair_balances(&p.end[0]));
        CU_ASSERT_TRUE(s2_pair_balances(&p.end[1]));
        s2_pair_close(&p);
    }
}

static void selectors_are_narrowed_to_what_both_allow(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 8);
    p.end[0].config.local_net.length = p.end[0].config.remote_net.length = 0;
    p.end[0].config.local_net.address = p.end[0].config.remote_net.address = s2_address_ipv4(0);
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    const struct s2_ike_ts ours = s2_pair_only_child(&p.end[0])->local_ts;
    const struct s2_ike_ts theirs = s2_pair_only_child(&p.end[1])->remote_ts;
    CU_ASSERT_EQUAL(memcmp(&ours, &theirs, sizeof(ours)), 0);
    CU_ASSERT_EQUAL(s2_get_u32(ours.first), 0x0a000000);
    CU_ASSERT_EQUAL(s2_get_u32(ours.last), 0x0a00ffff);
    s2_pair_close(&p);
}

static void another_group_is_tried_when_the_peer_asks(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 9);
    p.end[1].config.ike.ke[0] = S2SVPN_KE_CURVE25519;
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(p.end[0].info.ke, S2SVPN_KE_CURVE25519);
    CU_ASSERT_EQUAL(p.end[0].sent, 3);
    s2_pair_close(&p);
}

static void a_busy_responder_asks_for_a_cookie_and_gets_it(void)
{
    struct s2_pair p;
    struct s2_ike_counters counters;

    s2_pair_init(&p, 10);
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    s2_pair_close(&p);
    p.end[1].options.limits.cookie_threshold = 1;
    p.end[1].config.ike.ke[0] = S2SVPN_KE_CURVE25519; /* and INVALID_KE on top of it */
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    /* One half-open SA, whose initiator is never heard of again. */
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
    p.manual = true;
    CU_ASSERT_TRUE(s2_pair_deliver(&p, 1));
    CU_ASSERT_TRUE(s2_pair_deliver(&p, 0));
    CU_ASSERT_TRUE(s2_pair_deliver(&p, 1));
    s2_pair_forget(&p, 0);
    s2_ike_get_counters(p.end[1].ike, &counters);
    CU_ASSERT_EQUAL(counters.half_open, 1);
    CU_ASSERT_EQUAL(counters.cookies_sent, 0);
    p.manual = false;

    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
    s2_pair_run_for(&p, S2_SECOND);
    s2_ike_get_counters(p.end[1].ike, &counters);
    CU_ASSERT_EQUAL(counters.cookies_sent, 1);
    CU_ASSERT_TRUE(s2_pair_agrees(&p));
    s2_pair_run_for(&p, 40 * S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p)); /* the half-open one has gone */
    s2_pair_close(&p);
}

/* ---- NAT */

static void a_nat_is_found_and_traversed(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 11);
    p.nat = true;
    p.end[1].config.remote.family = S2SVPN_FAMILY_NONE;
    p.end[1].config.remote_id = s2_ike_id_of(&p.end[0].config.local.address);
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_TRUE(p.end[0].info.nat_local);
    CU_ASSERT_FALSE(p.end[0].info.nat_remote);
    CU_ASSERT_FALSE(p.end[1].info.nat_local);
    CU_ASSERT_TRUE(p.end[1].info.nat_remote);
    CU_ASSERT_EQUAL(p.end[0].child[0].local.port, 4500);
    CU_ASSERT_EQUAL(p.end[0].child[0].remote.port, 4500);
    CU_ASSERT_EQUAL(p.end[1].child[0].local.role, S2SVPN_ROLE_NATT);
    CU_ASSERT_EQUAL(p.end[1].child[0].remote.port, 24500);
    /* The NAT forgets its mapping: the peer's next authenticated message tells. */
    p.nat_shift = 30000;
    CU_ASSERT_EQUAL(s2_ike_check(p.end[0].ike, &p.end[0], p.now_ns), S2SVPN_OK);
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_EQUAL(p.end[1].moves, 1);
    struct s2_ike_sa_info info;
    CU_ASSERT_TRUE(s2_ike_get_info(p.end[1].ike, &p.end[1], &info));
    CU_ASSERT_EQUAL(info.remote.port, 34500);
    s2_pair_close(&p);
}

static void udp_is_forced_by_either_side(void)
{
    for (size_t who = 0; who < 2; who++) {
        struct s2_pair p;

        s2_pair_init(&p, 12);
        p.end[who].config.force_udp = true;
        CU_ASSERT_TRUE(s2_pair_connect(&p));
        for (size_t e = 0; e < 2; e++) {
            CU_ASSERT_EQUAL(p.end[e].child[0].local.role, S2SVPN_ROLE_NATT);
            CU_ASSERT_EQUAL(p.end[e].child[0].remote.port, 4500);
            CU_ASSERT_EQUAL(p.end[e].info.local.role, S2SVPN_ROLE_NATT);
        }
        s2_pair_close(&p);
    }
}

static void a_tunnel_without_nat_t_stays_on_its_port(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 13);
    p.end[0].config.local_natt = (s2svpn_endpoint){0};
    p.end[1].config.force_udp = true; /* in vain: the initiator sent no hashes */
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(p.end[0].child[0].local.role, S2SVPN_ROLE_RAW);
    CU_ASSERT_EQUAL(p.end[1].child[0].local.role, S2SVPN_ROLE_RAW);
    s2_pair_close(&p);
}

/* ---- ends */

static void either_side_closes_and_the_other_hears_of_it(void)
{
    for (size_t who = 0; who < 2; who++) {
        struct s2_pair p;
        struct s2_pair_end *closer = &p.end[who], *other = &p.end[1 - who];

        s2_pair_init(&p, 14);
        CU_ASSERT_TRUE(s2_pair_connect(&p));
        s2_ike_terminate(closer->ike, closer, true, p.now_ns);
        s2_pair_run_for(&p, S2_SECOND);
        CU_ASSERT_EQUAL(closer->reason, S2_IKE_REASON_LOCAL);
        CU_ASSERT_EQUAL(other->reason, S2_IKE_REASON_PEER_DELETE);
        for (size_t e = 0; e < 2; e++) {
            CU_ASSERT_TRUE(p.end[e].was_up && p.end[e].last);
            CU_ASSERT_EQUAL(p.end[e].sa_downs, 1);
            CU_ASSERT_EQUAL(p.end[e].children_down, 1);
            CU_ASSERT_EQUAL(s2_pair_sas(&p.end[e]), 0);
        }
        s2_pair_close(&p);
    }
}

static void an_impolite_end_is_silent_and_found_out(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 15);
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    s2_ike_terminate(p.end[0].ike, &p.end[0], false, p.now_ns);
    CU_ASSERT_EQUAL(p.end[0].sa_downs, 1);
    CU_ASSERT_EQUAL(p.end[0].sent, 2);
    s2_pair_run_for(&p, 60 * S2_SECOND);
    CU_ASSERT_EQUAL(p.end[1].reason, S2_IKE_REASON_DPD);
    s2_pair_close(&p);
}

static void retransmission_backs_off_and_gives_up(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 16);
    p.loss = 100;
    attempt(&p, S2_MS);
    CU_ASSERT_EQUAL(p.end[0].sent, 1);
    static const unsigned at_ms[] = {2000, 5600, 12080, 23744, 44739};
    for (size_t i = 0; i < sizeof(at_ms) / sizeof(at_ms[0]); i++) {
        s2_pair_run_for(&p, 1000 * S2_SECOND + at_ms[i] * S2_MS - 2 * S2_MS - p.now_ns);
        CU_ASSERT_EQUAL(p.end[0].sent, i + 1);
        s2_pair_run_for(&p, 4 * S2_MS);
        CU_ASSERT_EQUAL(p.end[0].sent, i + 2);
    }
    s2_pair_run_for(&p, 37 * S2_SECOND);
    CU_ASSERT_EQUAL(p.end[0].sa_downs, 0);
    s2_pair_run_for(&p, 2 * S2_SECOND);
    CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_TIMEOUT);
    CU_ASSERT_EQUAL(p.end[0].sa_downs, 1);
    CU_ASSERT_FALSE(p.end[0].was_up);
    s2_pair_close(&p);
}

static void a_dead_peer_is_noticed_after_its_time(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 17);
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    const uint64_t last = p.now_ns;
    p.loss = 100;
    s2_pair_run_for(&p, 38 * S2_SECOND); /* 10 until it is asked, 30 from then on */
    CU_ASSERT_EQUAL(p.end[0].sa_downs, 0);
    s2_pair_run_for(&p, 3 * S2_SECOND);
    CU_ASSERT_EQUAL(p.end[0].sa_downs, 1);
    CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_DPD);
    CU_ASSERT_EQUAL(p.end[1].reason, S2_IKE_REASON_DPD);
    CU_ASSERT_TRUE(p.now_ns > last);
    s2_pair_close(&p);
}

/* The responses of end 1 to CREATE_CHILD_SA get lost; all else arrives. */
static bool lose_child_answers(struct s2_pair *p, struct s2_pair_datagram *d)
{
    (void)p;
    return !(d->to == 0 && d->p[18] == 36 && (d->p[19] & 0x20) != 0);
}

static void a_live_peer_that_leaves_one_request_unanswered_is_given_up_later(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 17);
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    p.filter = lose_child_answers;
    CU_ASSERT_EQUAL(s2_ike_rekey_child(p.end[0].ike, &p.end[0], p.end[0].child[0].spi_in, p.now_ns),
                    S2SVPN_OK);
    for (size_t i = 0; i < 10; i++) { /* signs of life, beyond the time-out */
        CU_ASSERT_EQUAL(s2_ike_check(p.end[1].ike, &p.end[1], p.now_ns), S2SVPN_OK);
        s2_pair_run_for(&p, 5 * S2_SECOND);
    }
    CU_ASSERT_EQUAL(p.end[0].sa_downs, 0);
    for (size_t i = 0; i < 10; i++) {
        (void)!s2_ike_check(p.end[1].ike, &p.end[1], p.now_ns);
        s2_pair_run_for(&p, 5 * S2_SECOND);
    }
    CU_ASSERT_EQUAL(p.end[0].sa_downs, 1);
    s2_pair_close(&p);
}

static void traffic_is_a_sign_of_life(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 18);
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    const unsigned sent = p.end[0].sent;
    for (size_t i = 0; i < 20; i++) {
        p.end[0].esp_inbound_ns = p.end[1].esp_inbound_ns = p.now_ns;
        s2_pair_run_for(&p, 5 * S2_SECOND);
    }
    CU_ASSERT_EQUAL(p.end[0].sent, sent);
    s2_pair_run_for(&p, 100 * S2_SECOND);
    CU_ASSERT_TRUE(p.end[0].sent + p.end[1].sent >= sent + 10);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    s2_pair_close(&p);
}

const CU_TestInfo s2_test_exchange[] = {
    {"a handshake brings up the same keys on both sides",
     a_handshake_brings_up_the_same_keys_on_both_sides},
    {"an AEAD needs no integrity algorithm", an_aead_needs_no_integrity_algorithm},
    {"jobs and identification may answer later", jobs_and_identification_may_answer_later},
    {"names are identities and are checked", names_are_identities_and_are_checked},
    {"different keys are told to both tunnels", different_keys_are_told_to_both_tunnels},
    {"a refusal that gets lost is told again", a_refusal_that_gets_lost_is_told_again},
    {"a peer that no tunnel expects is refused", a_peer_that_no_tunnel_expects_is_refused},
    {"a missing IKE proposal names what was offered",
     a_missing_ike_proposal_names_what_was_offered},
    {"a refused child ends the attempt with its reason",
     a_refused_child_ends_the_attempt_with_its_reason},
    {"selectors are narrowed to what both allow", selectors_are_narrowed_to_what_both_allow},
    {"another group is tried when the peer asks", another_group_is_tried_when_the_peer_asks},
    {"a busy responder asks for a cookie and gets it",
     a_busy_responder_asks_for_a_cookie_and_gets_it},
    {"a NAT is found and traversed", a_nat_is_found_and_traversed},
    {"UDP is forced by either side", udp_is_forced_by_either_side},
    {"a tunnel without NAT-T stays on its port", a_tunnel_without_nat_t_stays_on_its_port},
    {"either side closes and the other hears of it", either_side_closes_and_the_other_hears_of_it},
    {"an impolite end is silent and found out", an_impolite_end_is_silent_and_found_out},
    {"retransmission backs off and gives up", retransmission_backs_off_and_gives_up},
    {"a dead peer is noticed after its time", a_dead_peer_is_noticed_after_its_time},
    {"a live peer that leaves one request unanswered is given up later",
     a_live_peer_that_leaves_one_request_unanswered_is_given_up_later},
    {"traffic is a sign of life", traffic_is_a_sign_of_life},
    CU_TEST_INFO_NULL,
};
