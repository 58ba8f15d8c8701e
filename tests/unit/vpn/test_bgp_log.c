/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/bgp_log.c: what a tunnel's BGP log says of the session and of routes. */
#include <stdio.h>
#include <string.h>

#include "bgp/trace.h"
#include "harness.h"
#include "vpn/keeper.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

#define BGP S2SVPN_TUNNEL_LOG_BGP

#define SAYS(words) CHECK_ROW((words), keeper_next(&keeper_gateway, BGP, 0, (words)) != NULL)

static void status_is(const struct keeper_line *line, const char *type, const char *status)
{
    if (line == NULL) {
        CU_FAIL("there is a line");
        return;
    }
    CHECK_ROW(line->text, strcmp(keeper_member(line, "type"), type) == 0);
    CHECK_ROW(line->text, strcmp(keeper_member(line, "status"), status) == 0);
}

/* ---- the session */

static void a_session_is_told_step_by_step(void)
{
    const struct rig_plan plan = keeper_plan(false);
    static struct rig rig;

    if (rig_up(&rig, &plan)) {
        struct keeper *k = &keeper_gateway;
        char words[200], inside[S2SVPN_ADDRESS_TEXT];

        rig_run(&rig, 5 * RIG_SECOND);
        s2svpn_address_print(&rig.cloud->tunnel[0].inside_remote, inside);
        snprintf(words, sizeof(words), "OPEN to neighbor %s: version 4, AS 64512, hold time 30",
                 inside);
        status_is(keeper_next(k, BGP, 0, words), "BGPStatus", "DOWN");
        snprintf(words, sizeof(words),
                 "OPEN from neighbor %s: version 4, AS 65000, hold time 30, "
                 "router-id %s, capabilities: IPv4 unicast",
                 inside, inside);
        k->looked = 0; /* either may be first */
        SAYS(words);
        k->looked = 0;
        snprintf(words, sizeof(words), "from OpenConfirm to Established with neighbor %s", inside);
        status_is(keeper_next(k, BGP, 0, words), "BGPStatus", "UP");
        CU_ASSERT_TRUE(keeper_count(k, BGP, "sent End-of-RIB to neighbor") > 0);
        CU_ASSERT_TRUE(keeper_count(k, BGP, "received End-of-RIB from neighbor") > 0);
        CU_ASSERT_TRUE(keeper_count(&keeper_device, BGP, "Device-side peer sent OPEN") > 0);
        CU_ASSERT_EQUAL(s2svpn_connection_stop(rig.site), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND);
        SAYS("received NOTIFICATION 6/2 from neighbor");
        status_is(keeper_next(k, BGP, 0, "from Established to Idle"), "BGPStatus", "DOWN");
        CU_ASSERT_TRUE(keeper_count(&keeper_device, BGP, "sent NOTIFICATION 6/2 to neighbor") > 0);
    }
    keeper_close(&rig);
}

/* TCP and all inside is lost, IKE is not. */
static bool esp_is_lost(struct rig *rig, const struct rig_side *from, const s2svpn_datagram *d)
{
    (void)rig;
    (void)from;
    return d->local.role == S2SVPN_ROLE_NATT && d->len >= 4 && memcmp(d->data, "\0\0\0\0", 4) != 0;
}

static void an_expired_hold_timer_is_told(void)
{
    const struct rig_plan plan = keeper_plan(false);
    static struct rig rig;

    if (rig_up(&rig, &plan)) {
        rig.loses = esp_is_lost;
        rig_run(&rig, 40 * RIG_SECOND);
        SAYS("hold timer expired: nothing from neighbor");
        SAYS("sent NOTIFICATION 4/0");
    }
    keeper_close(&rig);
}

static void an_open_of_another_as_is_told_with_the_expected_one(void)
{
    const struct rig_plan plan = keeper_plan(false);
    static struct rig rig;

    if (rig_open(&rig, &plan) == S2SVPN_OK) {
        rig.cloud->peer_asn = 65001;
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
        rig_run(&rig, 10 * RIG_SECOND);
        SAYS("received a bad OPEN from neighbor 169.254.");
        CU_ASSERT_TRUE(keeper_count(&keeper_gateway, BGP, "remote AS 65000, expected 65001") > 0);
        CU_ASSERT_TRUE(keeper_count(&keeper_gateway, BGP, "sent NOTIFICATION 2/2") > 0);
    }
    keeper_close(&rig);
}

/* ---- routes */

static s2svpn_status advertise(struct rig *rig, unsigned from, unsigned to)
{
    s2svpn_status rc = S2SVPN_OK;

    for (unsigned i = from; i < to && rc == S2SVPN_OK; i++) {
        char text[32];
        s2svpn_prefix p;

        snprintf(text, sizeof(text), "172.20.%u.0/24", i);
        p = rig_prefix(text);
        s2_bgp_advertise_to(&rig->site->tunnel[0], &p, false);
    }
    s2svpn_advance(rig->device.ctx, rig->now_ns);
    return rc;
}

static void routes_are_told_as_they_come_change_and_go(void)
{
    const struct rig_plan plan = keeper_plan(false);
    static struct rig rig;

    if (rig_up(&rig, &plan)) {
        const s2svpn_prefix p = rig_prefix("172.20.7.0/24");
        const struct keeper_line *line;
        char inside[S2SVPN_ADDRESS_TEXT];

        s2svpn_address_print(&rig.cloud->tunnel[0].inside_remote, inside);
        CU_ASSERT_EQUAL(advertise(&rig, 7, 8), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND);
        line = keeper_next(&keeper_gateway, BGP, 0, "\"172.20.7.0/24\"");
        status_is(line, "RouteStatus", "ADVERTISED");
        if (line) {
            CU_ASSERT_STRING_EQUAL(keeper_member(line, "asPath"), "65000");
            CU_ASSERT_STRING_EQUAL(keeper_member(line, "localPref"), "100");
            CU_ASSERT_STRING_EQUAL(keeper_member(line, "nextHopIp"), inside);
            CU_ASSERT_STRING_EQUAL(keeper_member(line, "details"), "");
        }
        rig.site->tunnel[0].med = 55;
        CU_ASSERT_EQUAL(advertise(&rig, 7, 8), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND);
        line = keeper_next(&keeper_gateway, BGP, 0, "\"172.20.7.0/24\"");
        status_is(line, "RouteStatus", "UPDATED");
        if (line)
            CU_ASSERT_STRING_EQUAL(keeper_member(line, "med"), "55");
        s2_bgp_advertise_to(&rig.site->tunnel[0], &p, true);
        s2svpn_advance(rig.device.ctx, rig.now_ns);
        rig_run(&rig, RIG_SECOND);
        status_is(keeper_next(&keeper_gateway, BGP, 0, "\"172.20.7.0/24\""), "RouteStatus",
                  "WITHDRAWN");
        line = keeper_next(&keeper_device, BGP, 0, "\"10.0.0.0/16\"");
        status_is(line, "RouteStatus", "ADVERTISED");
        keeper_gateway.looked = 0; /* and what this side announces */
        status_is(keeper_next(&keeper_gateway, BGP, 0, "\"10.0.0.0/16\""), "RouteStatus",
                  "ADVERTISED");
    }
    keeper_close(&rig);
}

static void the_prefix_limit_is_told_before_and_when_it_is_violated(void)
{
    static const s2svpn_limits limits = {.size = sizeof(limits), .prefixes_from_peer = 20};
    struct rig_plan plan = keeper_plan(false);
    static struct rig rig;

    plan.limits = &limits;
    if (rig_up(&rig, &plan)) {
        CU_ASSERT_EQUAL(advertise(&rig, 0, 15), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND);
        SAYS("prefixes received from neighbor");
        CU_ASSERT_TRUE(keeper_count(&keeper_gateway, BGP, "the limit is 20") > 0);
        CU_ASSERT_EQUAL(advertise(&rig, 15, 30), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND);
        SAYS("prefix limit violated by neighbor");
        SAYS("sent NOTIFICATION 6/1");
    }
    keeper_close(&rig);
}

static void a_route_that_is_refused_says_why(void)
{
    const struct rig_plan plan = keeper_plan(false);
    static struct rig rig;

    if (rig_up(&rig, &plan)) {
        static const uint32_t path[] = {64512};
        const s2svpn_prefix p = rig_prefix("172.20.9.0/24");
        const struct keeper_line *line;

        s2_bgp_tell(&rig.site->tunnel[0], &p, S2_BGP_IGP, path, 1);
        s2svpn_advance(rig.device.ctx, rig.now_ns);
        rig_run(&rig, RIG_SECOND);
        line = keeper_next(&keeper_gateway, BGP, 0, "\"172.20.9.0/24\"");
        status_is(line, "RouteStatus", "WITHDRAWN");
        if (line)
            CU_ASSERT_STRING_EQUAL(keeper_member(line, "details"), "as-path contains our own AS");
    }
    keeper_close(&rig);
}

/* ---- formats, how much */

static void lines_have_the_fields_of_aws(void)
{
    struct rig_plan plan = keeper_plan(false);
    static struct rig rig;

    if (rig_open(&rig, &plan) == S2SVPN_OK) {
        const s2svpn_prefix p = rig_prefix("172.31.0.0/16");
        const uint32_t path[] = {65000, 65010};
        const struct s2_bgp_attributes a = {
            .has_med = true, .med = 100, .as_count = 2, .as_path = path};
        struct s2_bgp_trace trace = {
            .kind = S2_BGP_TRACE_ROUTE, .fresh = true, .prefix = &p, .attributes = &a};
        s2svpn_tunnel *t = &rig.cloud->tunnel[0];
        char wanted[512], inside[S2SVPN_ADDRESS_TEXT];

        rig.gateway.ctx->wall_offset_ns = UINT64_C(1762580429641000000) - rig.now_ns;
        s2svpn_address_print(&t->inside_remote, inside);
        s2_log_bgp_trace(t, NULL, &trace, rig.now_ns);
        s2svpn_advance(rig.gateway.ctx, rig.now_ns);
        snprintf(wanted, sizeof(wanted),
                 "{\"resource_id\":\"%s_198.51.100.1\",\"event_timestamp\":1762580429641,"
                 "\"timestamp\":\"2025-11-08 05:40:29.641Z\",\"type\":\"RouteStatus\","
                 "\"status\":\"ADVERTISED\",\"message\":{\"prefix\":\"172.31.0.0/16\","
                 "\"asPath\":\"65000 65010\",\"localPref\":100,\"med\":100,\"nextHopIp\":\"%s\","
                 "\"weight\":0}}",
                 rig.cloud->object.id.text, inside);
        CU_ASSERT_STRING_EQUAL(keeper_gateway.line[0].text, wanted);
        t->options.bgp_log = S2SVPN_LOG_OUTPUT_TEXT;
        trace.attributes = NULL;
        trace.why = "no reason";
        s2_log_bgp_trace(t, NULL, &trace, rig.now_ns);
        s2svpn_advance(rig.gateway.ctx, rig.now_ns);
        snprintf(wanted, sizeof(wanted),
                 "%s_198.51.100.1 1762580429641 \"2025-11-08 05:40:29.641Z\" RouteStatus WITHDRAWN "
                 "172.31.0.0/16 - - - %s - \"no reason\"",
                 rig.cloud->object.id.text, inside);
        CU_ASSERT_STRING_EQUAL(keeper_gateway.line[1].text, wanted);
    }
    keeper_close(&rig);
}

static void a_flood_of_routes_leaves_room_for_the_session(void)
{
    const struct rig_plan plan = keeper_plan(false);
    static struct rig rig;

    if (rig_up(&rig, &plan)) {
        const s2svpn_prefix p = rig_prefix("172.31.0.0/16");
        const struct s2_bgp_trace route = {.kind = S2_BGP_TRACE_ROUTE, .prefix = &p};
        s2svpn_tunnel *t = &rig.cloud->tunnel[0];

        rig_run(&rig, 2 * RIG_SECOND);
        keeper_clear(&keeper_gateway);
        for (size_t i = 0; i < 20000; i++)
            s2_log_bgp_trace(t, NULL, &route, rig.now_ns);
        s2_log_bgp_near_limit(t, 77, 100);
        s2svpn_advance(rig.gateway.ctx, rig.now_ns);
        rig_run(&rig, 2 * RIG_SECOND);
        CU_ASSERT_EQUAL(keeper_count(&keeper_gateway, BGP, "172.31.0.0/16"), 500);
        CU_ASSERT_EQUAL(keeper_count(&keeper_gateway, BGP, "77 prefixes"), 1);
        CU_ASSERT_EQUAL(
            keeper_count(&keeper_gateway, BGP, "19500 lines about routes were left out"), 1);
    }
    keeper_close(&rig);
}

const CU_TestInfo s2_test_bgp_log[] = {
    {"a session is told step by step", a_session_is_told_step_by_step},
    {"an expired hold timer is told", an_expired_hold_timer_is_told},
    {"an open of another as is told with the expected one",
     an_open_of_another_as_is_told_with_the_expected_one},
    {"routes are told as they come change and go", routes_are_told_as_they_come_change_and_go},
    {"the prefix limit is told before and when it is violated",
     the_prefix_limit_is_told_before_and_when_it_is_violated},
    {"a route that is refused says why", a_route_that_is_refused_says_why},
    {"lines have the fields of aws", lines_have_the_fields_of_aws},
    {"a flood of routes leaves room for the session",
     a_flood_of_routes_leaves_room_for_the_session},
    CU_TEST_INFO_NULL,
};
