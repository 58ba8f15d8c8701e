/* SPDX-License-Identifier: Apache-2.0 */
/* Main mode and quick mode: two engines bring a tunnel up, or say why not. Versions,
 * candidates, NAT, proposals, selectors, identities, keys. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "base/address.h"
#include "base/text.h"
#include "harness.h"
#include "ike/v1/v1.h"
#include "ike/v1_pair.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void done(struct s2_pair *p)
{
    s2_pair_close(p);
    CU_ASSERT_EQUAL(p->end[0].fake.live + p->end[1].fake.live, 0);
}

/* ---- up */

static void main_mode_and_quick_mode_bring_a_tunnel_up(void)
{
    struct s2_pair p;

    s2_pair_init_v1(&p, 1);
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(p.end[0].sent, 5); /* three and two */
    CU_ASSERT_EQUAL(p.end[1].sent, 4);
    CU_ASSERT_EQUAL(p.end[0].info.version, 1);
    CU_ASSERT_TRUE(p.end[0].info.initiator);
    CU_ASSERT_FALSE(p.end[1].info.initiator);
    CU_ASSERT_EQUAL(p.end[1].info.encr, S2SVPN_ENCR_AES_CBC);
    CU_ASSERT_EQUAL(p.end[1].info.ke, S2SVPN_KE_MODP_2048);
    CU_ASSERT_EQUAL(p.end[0].info.sk_ei.len, 16);
    CU_ASSERT_EQUAL(p.end[1].info.peer_id.type, S2_IKE_ID_IPV4_ADDR);
    CU_ASSERT_EQUAL(p.end[0].child[0].ke, S2SVPN_KE_MODP_2048); /* with PFS */
    CU_ASSERT_EQUAL(p.end[0].child[0].local.role, S2SVPN_ROLE_RAW);
    CU_ASSERT_EQUAL(p.end[1].child[0].remote_ts.first[0], 10);
    CU_ASSERT_EQUAL(p.end[1].child[0].remote_ts.last[2], 255);
    done(&p);
}

static void without_groups_there_is_no_pfs(void)
{
    struct s2_pair p;

    s2_pair_init_v1(&p, 2);
    p.end[0].config.esp.ke_count = p.end[1].config.esp.ke_count = 0;
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(p.end[0].child[0].ke, S2SVPN_KE_NONE);
    CU_ASSERT_EQUAL(p.end[0].jobs, 2);
    done(&p);
}

static void jobs_may_answer_later(void)
{
    struct s2_pair p;

    s2_pair_init_v1(&p, 3);
    p.end[0].defer_jobs = p.end[1].defer_jobs = true;
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(p.end[0].job_count + p.end[1].job_count, 0);
    done(&p);
}

static void forgetting_cancels_what_it_waits_for(void)
{
    struct s2_pair p;

    for (unsigned at = 1; at < 9; at++) { /* each message's moment */
        s2_pair_init_v1(&p, 4);
        p.end[0].defer_jobs = p.end[1].defer_jobs = true;
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
        s2_pair_run_for(&p, at * 10 * S2_MS + S2_MS / 2);
        s2_pair_forget(&p, at % 2);
        CU_ASSERT_EQUAL(p.end[at % 2].job_count, 0);
        CU_ASSERT_TRUE(s2_pair_balances(&p.end[at % 2]));
        done(&p);
    }
}

/* ---- versions */

static const struct {
    const char *row;
    uint8_t asks, answers; /* versions of each end */
    bool first;            /* the initiator begins with IKEv1 */
    int version;           /* that comes up; 0: none */
} version_rows[] = {
    {"nothing said is IKEv2", 0, 0, false, 2},
    {"IKEv1 isn't answered where it isn't allowed", 2, 0, false, 0},
    {"nor by IKEv2 alone", 2, 1, false, 0},
    {"IKEv2 isn't answered by IKEv1 alone", 1, 2, false, 0},
    {"both begin with IKEv2", 3, 3, false, 2},
    {"or with IKEv1, if told so", 3, 3, true, 1},
    {"a gateway takes IKEv1", 2, 3, false, 1},
    {"and IKEv2", 1, 3, false, 2},
    {"there is no falling back by itself", 3, 2, false, 0},
};

static void versions_are_kept_to(void)
{
    for (size_t i = 0; i < COUNT(version_rows); i++) {
        const char *row = version_rows[i].row;
        struct s2_pair p;

        s2_pair_init(&p, i);
        p.end[0].config.versions = version_rows[i].asks;
        p.end[0].config.ikev1_first = version_rows[i].first;
        p.end[1].config.versions = version_rows[i].answers;
        CHECK_ROW(row, s2_pair_connect(&p) == (version_rows[i].version != 0));
        CHECK_ROW(row, p.end[0].info.version == version_rows[i].version);
        if (version_rows[i].version == 0)
            CHECK_ROW(row, p.end[1].drop == S2SVPN_DROP_IKE_VERSION && s2_pair_sas(&p.end[1]) == 0);
        s2_pair_close(&p);
    }
}

/* ---- keys */

static void a_wrong_key_is_named_at_both_ends(void)
{
    struct s2_pair p;

    s2_pair_init_v1(&p, 5);
    (void)!s2_secret_set(&p.end[1].config.psk, "another secret", 14);
    CU_ASSERT_FALSE(s2_pair_connect(&p));
    CU_ASSERT_STRING_EQUAL(p.end[1].note, s2_ike_reason_text(S2_IKE_REASON_AUTHENTICATION));
    CU_ASSERT_PTR_NOT_NULL(strstr(p.end[0].note, "check the pre-shared key"));
    s2_pair_run_for(&p, 120 * S2_SECOND);
    CU_ASSERT_EQUAL(p.end[0].sa_downs, 1);
    CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_PEER_AUTHENTICATION);
    CU_ASSERT_STRING_EQUAL(p.end[0].detail, "it answered AUTHENTICATION_FAILED, without proof");
    CU_ASSERT_EQUAL(p.end[1].jobs, 2); /* five tries, one Diffie-Hellman */
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
    done(&p);
}

static bool drop_informational(struct s2_pair *p, struct s2_pair_datagram *d)
{
    (void)p;
    return d->p[18] != S2_IKE1_INFORMATIONAL;
}

static void silence_at_the_proof_points_to_the_key(void)
{
    struct s2_pair p;

    s2_pair_init_v1(&p, 6);
    p.filter = drop_informational;
    (void)!s2_secret_set(&p.end[1].config.psk, "another secret", 14);
    CU_ASSERT_FALSE(s2_pair_connect(&p));
    s2_pair_run_for(&p, 120 * S2_SECOND);
    CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_TIMEOUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(p.end[0].detail, "pre-shared key"));
    done(&p);
}

/* Some peers seal what they say with the key that they have. */
static bool seal_informational(struct s2_pair *p, struct s2_pair_datagram *d)
{
    (void)p;
    if (d->p[18] == S2_IKE1_INFORMATIONAL)
        d->p[19] = S2_IKE1_FLAG_ENCRYPTED;
    return true;
}

static void what_the_key_does_not_open_points_to_it(void)
{
    struct s2_pair p;

    s2_pair_init_v1(&p, 15);
    p.filter = seal_informational;
    (void)!s2_secret_set(&p.end[1].config.psk, "another secret", 14);
    CU_ASSERT_FALSE(s2_pair_connect(&p));
    CU_ASSERT_PTR_NOT_NULL(strstr(p.end[0].note, "check the pre-shared key"));
    s2_pair_run_for(&p, 120 * S2_SECOND);
    CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_PEER_AUTHENTICATION);
    CU_ASSERT_STRING_EQUAL(p.end[0].detail, "it answered with what our key does not open");
    done(&p);
}

static void a_missing_key_refuses(void)
{
    struct s2_pair p;

    s2_pair_init_v1(&p, 7);
    s2_secret_clear(&p.end[1].config.psk);
    CU_ASSERT_FALSE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(p.end[1].drop, S2SVPN_DROP_IKE_VERSION);
    done(&p);
    s2_pair_init_v1(&p, 8);
    s2_secret_clear(&p.end[0].config.psk);
    CU_ASSERT_FALSE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(p.end[0].sa_downs, 1);
    CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_CRYPTO);
    s2_pair_run_for(&p, 60 * S2_SECOND);
    done(&p);
}

/* Several tunnels behind one address: the key that fits tells which it is. */
static void the_key_finds_the_tunnel(void)
{
    struct s2_pair p;
    struct s2_ike_config other;

    s2_pair_init_v1(&p, 9);
    other = p.end[1].config;
    other.owner = &other;
    other.name = "other";
    (void)!s2_secret_set(&other.psk, "another secret", 14);
    p.end[1].candidate[0] = &other;
    p.end[1].candidates = 2; /* then live */
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    s2_ike_forget(p.end[1].ike, &other);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    done(&p);
}

/* One of them goes between the first message and the fifth. */
static void a_forgotten_candidate_is_not_tried(void)
{
    struct s2_pair p;
    struct s2_ike_config other;

    s2_pair_init_v1(&p, 10);
    other = p.end[1].config;
    other.owner = &other;
    (void)!s2_secret_set(&other.psk, "another secret", 14);
    p.end[1].candidate[0] = &other;
    p.end[1].candidates = 2;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
    s2_pair_run_for(&p, 15 * S2_MS);
    s2_ike_forget(p.end[1].ike, &other);
    memset(&other, 0xee, sizeof(other));
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    done(&p);
}

/* ---- what isn't agreed on */

static void without_a_common_proposal_phase_1_says_so(void)
{
    struct s2_pair p;

    s2_pair_init_v1(&p, 11);
    p.end[1].config.ike.ke[0] = S2SVPN_KE_MODP_3072;
    p.end[1].config.ike.ke_count = 1;
    CU_ASSERT_FALSE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_NO_PROPOSAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(p.end[1].note, "no common proposal"));
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
    done(&p);
}

static void without_a_common_proposal_phase_2_says_so(void)
{
    struct s2_pair p;

    s2_pair_init_v1(&p, 12);
    p.end[1].config.esp.ke[0] = S2SVPN_KE_MODP_3072;
    p.end[1].config.esp.ke_count = 1;
    CU_ASSERT_FALSE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_NO_PROPOSAL);
    CU_ASSERT_TRUE(p.end[0].was_up);
    CU_ASSERT_PTR_NOT_NULL(strstr(p.end[1].note, "NO_PROPOSAL_CHOSEN"));
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[0]) + s2_pair_sas(&p.end[1]), 0); /* it was deleted */
    CU_ASSERT_TRUE(s2_pair_balances(&p.end[0]) && s2_pair_balances(&p.end[1]));
    done(&p);
}

/* A quick mode can offer one group alone: each in turn, and at a rekey the right one. */
static void the_group_is_found_that_the_peer_takes(void)
{
    struct s2_pair p;

    s2_pair_init_v1(&p, 14);
    p.end[1].config.esp.ke[0] = S2SVPN_KE_ECP_256;
    p.end[1].config.esp.ke_count = 1;
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(p.end[0].child[0].ke, S2SVPN_KE_ECP_256);
    CU_ASSERT_EQUAL(p.end[0].spis_drawn, 2);
    (void)!s2_ike_rekey_child(p.end[0].ike, &p.end[0], p.end[0].child[0].spi_in, p.now_ns);
    s2_pair_run_for(&p, S2_V1_SETTLE_NS);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    CU_ASSERT_EQUAL(p.end[0].spis_drawn, 3); /* at once */
    CU_ASSERT_TRUE(s2_pair_balances(&p.end[0]));
    done(&p);
}

/* The endpoint's own order decides, whatever the peer's. */
static void the_responder_chooses_by_its_own_order(void)
{
    struct s2_pair p;

    s2_pair_init_v1(&p, 13);
    p.end[1].config.ike.ke[0] = S2SVPN_KE_ECP_256;
    p.end[1].config.ike.ke[1] = S2SVPN_KE_MODP_2048;
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(p.end[0].info.ke, S2SVPN_KE_ECP_256);
    done(&p);
}

static const struct {
    const char *row;
    uint8_t asks, answers; /* length of the responder's network, as each end has it */
    bool up;
} selector_rows[] = {
    {"the same", 16, 16, true},
    {"less than allowed is taken as it is", 24, 16, true},
    {"all of it", 0, 0, true},
    {"more than allowed is refused, not narrowed", 8, 16, false},
    {"all, where a part is allowed", 0, 16, false},
};

static void selectors_are_taken_whole_or_not_at_all(void)
{
    for (size_t i = 0; i < COUNT(selector_rows); i++) {
        const char *row = selector_rows[i].row;
        struct s2_pair p;

        s2_pair_init_v1(&p, 20 + i);
        p.end[0].config.remote_net.length = selector_rows[i].asks;
        p.end[1].config.local_net.length = selector_rows[i].answers;
        if (selector_rows[i].asks == 0)
            memset(p.end[0].config.remote_net.address.bytes, 0, 16);
        if (selector_rows[i].answers == 0)
            memset(p.end[1].config.local_net.address.bytes, 0, 16);
        CHECK_ROW(row, s2_pair_connect(&p) == selector_rows[i].up);
        if (selector_rows[i].up) {
            CHECK_ROW(row, memcmp(&p.end[0].child[0].remote_ts, &p.end[1].child[0].local_ts,
                                  sizeof(struct s2_ike_ts)) == 0);
        } else {
            CHECK_ROW(row, p.end[0].reason == S2_IKE_REASON_TS_UNACCEPTABLE);
        }
        s2_pair_close(&p);
    }
}

static void an_unexpected_identity_is_refused(void)
{
    for (unsigned e = 0; e < 2; e++) {
        struct s2_pair p;

        s2_pair_init_v1(&p, 30 + e);
        p.end[e].config.remote_id = (struct s2_ike_id){.type = S2_IKE_ID_FQDN, .len = 4};
        memcpy(p.end[e].config.remote_id.data, "peer", 4);
        CU_ASSERT_FALSE(s2_pair_connect(&p));
        CU_ASSERT_EQUAL(p.end[0].children + p.end[1].children, 0);
        s2_pair_run_for(&p, 120 * S2_SECOND);
        CU_ASSERT_TRUE(e == 0 ? p.end[0].reason == S2_IKE_REASON_IDENTITY
                              : strstr(p.end[1].note, "identity") != NULL);
        CU_ASSERT_EQUAL(s2_pair_sas(&p.end[0]) + s2_pair_sas(&p.end[1]), 0);
        done(&p);
    }
}

static void names_may_be_identities(void)
{
    struct s2_pair p;

    s2_pair_init_v1(&p, 32);
    p.end[0].config.local_id = (struct s2_ike_id){.type = S2_IKE_ID_FQDN, .len = 4};
    memcpy(p.end[0].config.local_id.data, "left", 4);
    p.end[1].config.remote_id = p.end[0].config.local_id;
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(p.end[1].info.peer_id.type, S2_IKE_ID_FQDN);
    done(&p);
}

/* ---- NAT */

static void behind_a_nat_both_go_to_the_other_port(void)
{
    struct s2_pair p;

    s2_pair_init_v1(&p, 40);
    p.nat = true;
    p.end[1].config.remote.family = S2SVPN_FAMILY_NONE;
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_TRUE(p.end[0].info.nat_local && p.end[1].info.nat_remote);
    CU_ASSERT_FALSE(p.end[0].info.nat_remote || p.end[1].info.nat_local);
    CU_ASSERT_EQUAL(p.end[0].info.local.port, 4500);
    CU_ASSERT_EQUAL(p.end[1].info.remote.port, 4500 + p.nat_shift);
    CU_ASSERT_EQUAL(p.end[1].child[0].remote.role, S2SVPN_ROLE_NATT);
    CU_ASSERT_EQUAL(p.end[1].child[0].remote.port, 4500 + p.nat_shift);
    s2_pair_run_for(&p, 25 * S2_SECOND);
    CU_ASSERT_TRUE(p.end[0].keepalives > 0);
    CU_ASSERT_EQUAL(p.end[1].keepalives, 0);
    done(&p);
}

static void a_moved_peer_is_followed_once_it_proves_itself(void)
{
    struct s2_pair p;

    s2_pair_init_v1(&p, 41);
    p.nat = true;
    p.end[1].config.remote.family = S2SVPN_FAMILY_NONE;
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    p.nat_shift = 21000;
    CU_ASSERT_EQUAL(s2_ike_check(p.end[0].ike, &p.end[0], p.now_ns), S2SVPN_OK);
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_EQUAL(p.end[1].moves, 1);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    done(&p);
}

static void one_end_can_force_udp(void)
{
    struct s2_pair p;

    s2_pair_init_v1(&p, 42);
    p.end[0].config.force_udp = true;
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(p.end[0].child[0].local.role, S2SVPN_ROLE_NATT);
    CU_ASSERT_EQUAL(p.end[1].child[0].local.role, S2SVPN_ROLE_NATT);
    done(&p);
}

static void without_a_nat_endpoint_there_is_no_detection(void)
{
    struct s2_pair p;

    s2_pair_init_v1(&p, 43);
    p.end[1].config.local_natt.address.family = S2SVPN_FAMILY_NONE;
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(p.end[0].child[0].local.role, S2SVPN_ROLE_RAW);
    done(&p);
}

/* ---- pieces */

static void long_messages_go_in_pieces(void)
{
    struct s2_pair p;

    s2_pair_init_v1(&p, 50);
    p.end[0].options.fragment_size = p.end[1].options.fragment_size = 300;
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_TRUE(p.end[0].sent > 6);
    done(&p);
    s2_pair_init_v1(&p, 51); /* but not to who doesn't know them */
    p.end[0].options.fragment_size = 300;
    p.end[1].options.no_fragmentation = true;
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(p.end[0].sent, 5);
    done(&p);
}

const CU_TestInfo s2_test_v1_exchange[] = {
    {"main mode and quick mode bring a tunnel up", main_mode_and_quick_mode_bring_a_tunnel_up},
    {"without groups there is no PFS", without_groups_there_is_no_pfs},
    {"jobs may answer later", jobs_may_answer_later},
    {"forgetting cancels what it waits for", forgetting_cancels_what_it_waits_for},
    {"versions are kept to", versions_are_kept_to},
    {"a wrong key is named at both ends", a_wrong_key_is_named_at_both_ends},
    {"silence at the proof points to the key", silence_at_the_proof_points_to_the_key},
    {"what the key does not open points to it", what_the_key_does_not_open_points_to_it},
    {"a missing key refuses (CVE-2024-2357)", a_missing_key_refuses},
    {"the key finds the tunnel", the_key_finds_the_tunnel},
    {"a forgotten candidate is not tried", a_forgotten_candidate_is_not_tried},
    {"without a common proposal phase 1 says so", without_a_common_proposal_phase_1_says_so},
    {"without a common proposal phase 2 says so", without_a_common_proposal_phase_2_says_so},
    {"the group is found that the peer takes", the_group_is_found_that_the_peer_takes},
    {"the responder chooses by its own order", the_responder_chooses_by_its_own_order},
    {"selectors are taken whole or not at all", selectors_are_taken_whole_or_not_at_all},
    {"an unexpected identity is refused", an_unexpected_identity_is_refused},
    {"names may be identities", names_may_be_identities},
    {"behind a NAT both go to the other port", behind_a_nat_both_go_to_the_other_port},
    {"a moved peer is followed once it proves itself",
     a_moved_peer_is_followed_once_it_proves_itself},
    {"one end can force UDP", one_end_can_force_udp},
    {"without a NAT endpoint there is no detection", without_a_nat_endpoint_there_is_no_detection},
    {"long messages go in pieces", long_messages_go_in_pieces},
    CU_TEST_INFO_NULL,
};
