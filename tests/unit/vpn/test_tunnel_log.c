/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/tunnel_log.c: what a tunnel's IKE log says. */
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "ike/trace.h"
#include "vpn/keeper.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

#define IKE S2SVPN_TUNNEL_LOG_IKE

#define SAYS(keeper, words) CHECK_ROW((words), keeper_next(&(keeper), IKE, 0, (words)) != NULL)

static void states_are(const struct keeper_line *line, const char *phase1, const char *phase2)
{
    if (line == NULL) {
        CU_FAIL("there is a line");
        return;
    }
    CHECK_ROW(line->text, strcmp(keeper_member(line, "ike_phase1_state"), phase1) == 0);
    CHECK_ROW(line->text, strcmp(keeper_member(line, "ike_phase2_state"), phase2) == 0);
}

/* ---- a life */

static void coming_up_is_told_in_order_with_both_states(void)
{
    const struct rig_plan plan = keeper_plan(true);
    static struct rig rig;

    if (rig_up(&rig, &plan)) {
        struct keeper *k = &keeper_gateway;

        states_are(keeper_next(k, IKE, 0, "AWS tunnel processed request (id=0) for IKE_SA_INIT"),
                   "negotiating", "down");
        states_are(keeper_next(k, IKE, 0, "AWS tunnel is sending response (id=0) for IKE_SA_INIT"),
                   "negotiating", "down");
        states_are(keeper_next(k, IKE, 0, "AWS tunnel processed request (id=1) for IKE_AUTH"),
                   "negotiating", "down");
        states_are(keeper_next(k, IKE, 0, "Phase 1 IKE_SA established as responder with cgw"),
                   "established", "down");
        states_are(keeper_next(k, IKE, 0, "Phase 2 CHILD_SA established: AES_"), "established",
                   "established");
        states_are(keeper_next(k, IKE, 0, "AWS tunnel is sending response (id=1) for IKE_AUTH"),
                   "established", "established");
        SAYS(keeper_device, "Device tunnel is sending request (id=0) for IKE_SA_INIT");
        states_are(keeper_next(&keeper_device, IKE, 0,
                               "Device tunnel is sending request (id=1) for IKE_AUTH"),
                   "negotiating", "negotiating");
        SAYS(keeper_device, "Phase 1 IKE_SA established as initiator with the gateway");
    }
    keeper_close(&rig);
}

static void rekeys_and_the_end_are_told_with_their_messages(void)
{
    const struct rig_plan plan = keeper_plan(true);
    static struct rig rig;

    if (rig_up(&rig, &plan)) {
        s2svpn_tunnel *t = s2svpn_connection_tunnel(rig.site, 0);

        CU_ASSERT_EQUAL(s2svpn_tunnel_rekey(t), S2SVPN_OK);
        rig_run(&rig, 3 * RIG_SECOND);
        states_are(keeper_next(&keeper_device, IKE, 0,
                               "Device tunnel is sending request (id=2) for CREATE_CHILD_SA"),
                   "established", "rekeying");
        SAYS(keeper_device, "Phase 2 CHILD_SA rekeyed");
        SAYS(keeper_device, "Device tunnel is sending DELETE for Phase 2 SA with SPI: 0x");
        SAYS(keeper_gateway, "AWS tunnel processed request (id=2) for CREATE_CHILD_SA");
        SAYS(keeper_gateway, "AWS tunnel is sending response (id=2) for CREATE_CHILD_SA");
        SAYS(keeper_gateway, "AWS tunnel received DELETE for Phase 2 SA with SPI: 0x");
        CU_ASSERT_EQUAL(s2_ike_rekey_sa(rig.device.ctx->ike, t, rig.now_ns), S2SVPN_OK);
        s2svpn_advance(rig.device.ctx, rig.now_ns);
        rig_run(&rig, 3 * RIG_SECOND);
        SAYS(keeper_device, "Phase 1 IKE_SA rekeyed as initiator");
        SAYS(keeper_gateway, "Phase 1 IKE_SA rekeyed as responder");
        SAYS(keeper_gateway, "AWS tunnel received DELETE for IKE_SA from cgw");
        CU_ASSERT_EQUAL(s2svpn_connection_stop(rig.site), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND);
        SAYS(keeper_device, "Device tunnel is sending DELETE for IKE_SA to the gateway");
        SAYS(keeper_gateway, "AWS tunnel received DELETE for IKE_SA from cgw");
        states_are(
            keeper_next(&keeper_gateway, IKE, 0, "Phase 1 IKE_SA is down: closed by the peer"),
            "down", "down");
    }
    keeper_close(&rig);
}

static void ikev1_is_told_by_its_modes(void)
{
    static const s2svpn_device_options v1 = {
        .size = sizeof(v1), .log = S2SVPN_LOG_OUTPUT_JSON, .ike = S2SVPN_DEVICE_IKE_V1};
    struct rig_plan plan = keeper_plan(true);
    static struct rig rig;

    plan.device_options = &v1;
    if (rig_up(&rig, &plan)) {
        SAYS(keeper_gateway, "AWS tunnel processed message of main mode");
        SAYS(keeper_gateway, "AWS tunnel is sending message of main mode");
        SAYS(keeper_gateway, "Phase 1 IKE_SA established as responder");
        SAYS(keeper_gateway, "AWS tunnel processed message (id=");
        SAYS(keeper_gateway, "Phase 2 CHILD_SA established");
        SAYS(keeper_gateway, ") of quick mode");
        CU_ASSERT_EQUAL(s2svpn_connection_stop(rig.site), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND);
        SAYS(keeper_gateway, "of an informational exchange");
        SAYS(keeper_gateway, "AWS tunnel received DELETE for Phase 2 SA with SPI: 0x");
        SAYS(keeper_gateway, "AWS tunnel received DELETE for IKE_SA from cgw");
    }
    keeper_close(&rig);
}

/* ---- what goes wrong */

static void another_key(struct rig *rig)
{
    CU_ASSERT_TRUE(s2_secret_set(&rig->cloud->tunnel[0].ike.psk, "another.key", 11));
}

static void wrong_keys_are_named_at_both_ends(void)
{
    static const uint8_t versions[] = {S2SVPN_DEVICE_IKE_V2, S2SVPN_DEVICE_IKE_V1};

    for (size_t i = 0; i < 2; i++) {
        const s2svpn_device_options options = {.size = sizeof(options),
                                               .log = S2SVPN_LOG_OUTPUT_JSON,
                                               .ike = versions[i],
                                               .offers = S2SVPN_OFFERS_EXACT};
        struct rig_plan plan = keeper_plan(true);
        static struct rig rig;

        plan.device_options = &options;
        if (rig_open(&rig, &plan) == S2SVPN_OK) {
            another_key(&rig);
            CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
            rig_run(&rig, 40 * RIG_SECOND);
            if (i == 0) {
                SAYS(keeper_gateway, "AWS tunnel detected a pre-shared key mismatch with cgw: "
                                     "203.0.113.7");
                states_are(keeper_next(&keeper_gateway, IKE, 0,
                                       "AWS tunnel is sending AUTHENTICATION_FAILED (24)"),
                           "negotiating", "down");
                SAYS(keeper_device, "processed response (id=1) for IKE_AUTH: "
                                    "AUTHENTICATION_FAILED (24)");
                SAYS(keeper_device, "check the pre-shared key");
            } else {
                SAYS(keeper_gateway, "AWS tunnel payload decryption was unsuccessful due to "
                                     "invalid Pre-shared Key");
                SAYS(keeper_device, "check the pre-shared key");
            }
            CU_ASSERT_EQUAL(keeper_count(&keeper_gateway, IKE, "another.key"), 0);
            CU_ASSERT_EQUAL(keeper_count(&keeper_device, IKE, RIG_PSK), 0);
        }
        keeper_close(&rig);
    }
}

static void no_common_proposal_names_what_was_offered(void)
{
    static const struct {
        const char *row;
        uint8_t ike;
        s2svpn_tunnel_options o;
        const char *offer, *answer;
    } rows[] = {
        {"phase 1",
         S2SVPN_DEVICE_IKE_V2,
         {.phase1_dh_groups = S2SVPN_GROUP(21)},
         "no common IKE proposal; the peer offers AES_CBC_128",
         "AWS tunnel is sending NO_PROPOSAL_CHOSEN (14) in IKE_SA_INIT"},
        {"phase 2",
         S2SVPN_DEVICE_IKE_V2,
         {.phase2_encryption = S2SVPN_AES256_GCM_16},
         "no common ESP proposal; the peer offers AES_CBC_128",
         "AWS tunnel Phase 2 could not be established while keeping Phase 1 up: "
         "NO_PROPOSAL_CHOSEN (14)"},
        {"phase 1 of IKEv1",
         S2SVPN_DEVICE_IKE_V1,
         {.phase1_dh_groups = S2SVPN_GROUP(21)},
         "no common proposal for phase 1 of IKEv1; the peer offers "
         "AES_CBC_128/PRF_HMAC_SHA1/MODP_1024",
         "AWS tunnel is sending NO_PROPOSAL_CHOSEN (14) in main mode"},
        {"phase 2 of IKEv1",
         S2SVPN_DEVICE_IKE_V1,
         {.phase2_encryption = S2SVPN_AES256_GCM_16},
         "no common ESP proposal; the peer offers AES_CBC_128/HMAC_SHA1_96/MODP_1024",
         "AWS tunnel is sending NO_PROPOSAL_CHOSEN (14) in quick mode"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const s2svpn_device_options exact = {.size = sizeof(exact),
                                             .log = S2SVPN_LOG_OUTPUT_JSON,
                                             .ike = rows[i].ike,
                                             .offers = S2SVPN_OFFERS_EXACT};
        struct rig_plan plan = keeper_plan(true);
        static struct rig rig;

        plan.device_options = &exact;
        if (rig_open(&rig, &plan) == S2SVPN_OK) {
            s2svpn_tunnel *t = s2svpn_connection_tunnel(rig.cloud, 0);
            s2svpn_tunnel_options o = rows[i].o;

            o.log = S2SVPN_LOG_OUTPUT_JSON;
            CU_ASSERT_EQUAL(s2svpn_tunnel_modify(t, &o), S2SVPN_OK);
            CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
            rig_run(&rig, 20 * RIG_SECOND);
            CHECK_ROW(rows[i].row, keeper_count(&keeper_gateway, IKE, rows[i].offer) > 0);
            CHECK_ROW(rows[i].row, keeper_count(&keeper_gateway, IKE, rows[i].answer) > 0);
            CHECK_ROW(rows[i].row, keeper_count(&keeper_device, IKE,
                                                "Device tunnel: No Proposal Match Found") > 0);
        }
        keeper_close(&rig);
    }
}

static void selectors_that_have_nothing_in_common_are_told(void)
{
    struct rig_plan plan = keeper_plan(true);
    static struct rig rig;

    if (rig_open(&rig, &plan) == S2SVPN_OK) {
        rig.cloud->tunnel[0].ike.local_net = rig_prefix("10.9.0.0/16");
        rig.site->tunnel[0].ike.remote_net = rig_prefix("10.8.0.0/16");
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
        rig_run(&rig, 5 * RIG_SECOND);
        SAYS(keeper_gateway, "keeping Phase 1 up: TS_UNACCEPTABLE (38)");
        SAYS(keeper_device, "processed response (id=1) for IKE_AUTH: TS_UNACCEPTABLE (38)");
    }
    keeper_close(&rig);
}

static bool all_is_lost(struct rig *rig, const struct rig_side *from, const s2svpn_datagram *d)
{
    (void)rig;
    (void)from;
    (void)d;
    return true;
}

static void a_silent_peer_is_declared_dead(void)
{
    const struct rig_plan plan = keeper_plan(true);
    static struct rig rig;

    if (rig_up(&rig, &plan)) {
        rig.loses = all_is_lost;
        rig_run(&rig, 120 * RIG_SECOND);
        SAYS(keeper_gateway, "for INFORMATIONAL again (retransmit 1)");
        SAYS(keeper_gateway, "AWS tunnel DPD timed out after ");
        SAYS(keeper_gateway, "AWS tunnel: Peer is not responsive - Declaring peer dead");
        states_are(keeper_next(&keeper_gateway, IKE, 0, "Phase 1 IKE_SA is down"), "down", "down");
    }
    keeper_close(&rig);
}

static bool after_the_first(struct rig *rig, const struct rig_side *from, const s2svpn_datagram *d)
{
    (void)d;
    return from == &rig->gateway;
}

static void a_handshake_that_is_never_completed_times_out(void)
{
    const struct rig_plan plan = keeper_plan(true);
    static struct rig rig;

    if (rig_open(&rig, &plan) == S2SVPN_OK) {
        rig.loses = after_the_first;
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
        rig_run(&rig, 70 * RIG_SECOND);
        SAYS(keeper_gateway, "AWS tunnel Timeout: deleting un-established Phase 1 IKE_SA with cgw: "
                             "203.0.113.7");
        SAYS(keeper_device, "Device tunnel is sending request (id=0) for IKE_SA_INIT again "
                            "(retransmit 2)");
    }
    keeper_close(&rig);
}

/* A bit of the checksum of the first sealed message is another one. */
static void turn_a_bit(struct rig *rig, s2svpn_datagram *d)
{
    bool *turned = rig->user;
    const size_t header = d->local.role == S2SVPN_ROLE_NATT ? 4 : 0;

    if (*turned || d->len < header + 28 || d->data[header + 18] != 37 ||
        d->local.address.bytes[0] != 198)
        return;
    d->data[d->len - 1] ^= 1;
    *turned = true;
}

static void what_the_keys_do_not_open_is_told(void)
{
    const struct rig_plan plan = keeper_plan(true);
    static struct rig rig;
    bool turned = false;

    if (rig_up(&rig, &plan)) {
        rig.user = &turned;
        rig.translates = turn_a_bit;
        CU_ASSERT_EQUAL(s2_ike_check(rig.device.ctx->ike, &rig.site->tunnel[0], rig.now_ns),
                        S2SVPN_OK);
        rig_run(&rig, 5 * RIG_SECOND);
        CU_ASSERT_TRUE(turned);
        SAYS(keeper_gateway, "AWS tunnel payload decryption was unsuccessful: a message that its "
                             "keys don't open of INFORMATIONAL");
    }
    keeper_close(&rig);
}

static void a_collision_and_what_is_too_much_then_are_told(void)
{
    const struct rig_plan plan = keeper_plan(true);
    static struct rig rig;

    if (rig_up(&rig, &plan)) {
        CU_ASSERT_EQUAL(s2svpn_tunnel_rekey(s2svpn_connection_tunnel(rig.site, 0)), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_tunnel_rekey(s2svpn_connection_tunnel(rig.cloud, 0)), S2SVPN_OK);
        rig_run(&rig, 10 * RIG_SECOND);
        CU_ASSERT_TRUE(keeper_count(&keeper_gateway, IKE, "detected a (CHILD_REKEY) collision") >
                       0);
        CU_ASSERT_TRUE(keeper_count(&keeper_device, IKE, "detected a (CHILD_REKEY) collision") > 0);
        CU_ASSERT_TRUE(keeper_count(&keeper_gateway, IKE, "redundant SA is being deleted") +
                           keeper_count(&keeper_device, IKE, "redundant SA is being deleted") >
                       0);
    }
    keeper_close(&rig);
}

static void cookies_are_told_at_both_ends(void)
{
    static const s2svpn_limits limits = {.size = sizeof(limits), .cookie_threshold = 1};
    struct rig_plan plan = keeper_plan(true);
    static struct rig rig;

    plan.limits = &limits;
    if (keeper_begin(&rig, &plan)) {
        rig_run(&rig, 20 * RIG_SECOND);
        CU_ASSERT_TRUE(keeper_count(&keeper_gateway, IKE, "for a cookie: many IKE_SAs") > 0);
        CU_ASSERT_TRUE(keeper_count(&keeper_device, IKE, "is asked for a cookie by 198.51.100.") >
                       0);
        CU_ASSERT_TRUE(rig_both_up(&rig));
    }
    keeper_close(&rig);
}

/* ---- words */

static void fragments_and_what_is_notified_stand_behind_the_message(void)
{
    const struct rig_plan plan = keeper_plan(true);
    static struct rig rig;

    if (rig_open(&rig, &plan) == S2SVPN_OK) {
        const struct s2_ike_trace trace = {.kind = S2_IKE_TRACE_PROCESSED,
                                           .version = 2,
                                           .message_id = 1,
                                           .pieces = 3,
                                           .error = 38,
                                           .exchange_name = "IKE_AUTH",
                                           .error_name = "TS_UNACCEPTABLE"};

        s2_log_ike_trace(rig.gateway.ctx, &rig.cloud->tunnel[0], &trace, rig.now_ns);
        s2svpn_advance(rig.gateway.ctx, rig.now_ns);
        SAYS(keeper_gateway, "AWS tunnel processed request (id=1) for IKE_AUTH, in 3 fragments: "
                             "TS_UNACCEPTABLE (38)");
    }
    keeper_close(&rig);
}

const CU_TestInfo s2_test_tunnel_log[] = {
    {"coming up is told in order with both states", coming_up_is_told_in_order_with_both_states},
    {"rekeys and the end are told with their messages",
     rekeys_and_the_end_are_told_with_their_messages},
    {"ikev1 is told by its modes", ikev1_is_told_by_its_modes},
    {"wrong keys are named at both ends", wrong_keys_are_named_at_both_ends},
    {"no common proposal names what was offered", no_common_proposal_names_what_was_offered},
    {"selectors that have nothing in common are told",
     selectors_that_have_nothing_in_common_are_told},
    {"a silent peer is declared dead", a_silent_peer_is_declared_dead},
    {"a handshake that is never completed times out",
     a_handshake_that_is_never_completed_times_out},
    {"what the keys do not open is told", what_the_keys_do_not_open_is_told},
    {"a collision and what is too much then are told",
     a_collision_and_what_is_too_much_then_are_told},
    {"cookies are told at both ends", cookies_are_told_at_both_ends},
    {"fragments and what is notified stand behind the message",
     fragments_and_what_is_notified_stand_behind_the_message},
    CU_TEST_INFO_NULL,
};
