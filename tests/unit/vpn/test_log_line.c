/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/log_line.c: the form of lines, when they are written, and how many. */
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "ike/trace.h"
#include "vpn/keeper.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

#define IKE S2SVPN_TUNNEL_LOG_IKE

/* ---- options, formats */

static void logs_begin_and_end_without_closing_the_tunnel(void)
{
    struct rig_plan plan = keeper_plan(true);
    static struct rig rig;

    plan.tunnel.log = S2SVPN_LOG_OUTPUT_OFF;
    if (rig_up(&rig, &plan)) {
        s2svpn_tunnel *t = s2svpn_connection_tunnel(rig.cloud, 0);
        const uint32_t spi = rig_tunnel(rig.cloud, 0).spi_in;
        s2svpn_tunnel_options o;

        CU_ASSERT_EQUAL(keeper_gateway.lines, 0);
        s2svpn_tunnel_get_options(t, &o);
        o.log = S2SVPN_LOG_OUTPUT_JSON;
        CU_ASSERT_EQUAL(s2svpn_tunnel_modify(t, &o), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_tunnel_rekey(s2svpn_connection_tunnel(rig.site, 1)), S2SVPN_OK);
        rig_run(&rig, 15 * RIG_SECOND);
        CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 0).spi_in, spi);
        for (size_t i = 0; i < keeper_gateway.lines; i++)
            CU_ASSERT_EQUAL(keeper_gateway.line[i].tunnel, 0);
        s2svpn_tunnel_get_options(t, &o);
        CU_ASSERT_EQUAL(o.log, S2SVPN_LOG_OUTPUT_JSON);
        o.log = S2SVPN_LOG_OUTPUT_OFF;
        CU_ASSERT_EQUAL(s2svpn_tunnel_modify(t, &o), S2SVPN_OK);
        const size_t lines = keeper_gateway.lines;
        CU_ASSERT_TRUE(lines > 0);
        rig_run(&rig, 60 * RIG_SECOND);
        CU_ASSERT_EQUAL(keeper_gateway.lines, lines);
        CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 0).spi_in, spi);
        o.log = 3;
        rig_check_error(rig.gateway.ctx, s2svpn_tunnel_modify(t, &o), S2SVPN_E_ARGUMENT,
                        "options.log", "no such format");
        o.log = 0;
        o.bgp_log = 3;
        rig_check_error(rig.gateway.ctx, s2svpn_tunnel_modify(t, &o), S2SVPN_E_ARGUMENT,
                        "options.bgp_log", "no such format");
    }
    keeper_close(&rig);
}

static void lines_have_the_fields_and_streams_of_aws(void)
{
    struct rig_plan plan = keeper_plan(true);
    static struct rig rig;

    if (rig_open(&rig, &plan) == S2SVPN_OK) {
        char stream[96];

        s2svpn_context_set_wall_clock(rig.gateway.ctx, UINT64_C(1762580429641000000) - RIG_SECOND,
                                      rig.now_ns);
        rig.gateway.ctx->wall_offset_ns = UINT64_C(1762580429641000000) - rig.now_ns;
        s2_log_ike_note(&rig.cloud->tunnel[0], "a \"word\"\n\xff");
        s2svpn_advance(rig.gateway.ctx, rig.now_ns);
        CU_ASSERT_EQUAL(keeper_gateway.lines, 1);
        CU_ASSERT_STRING_EQUAL(
            keeper_gateway.line[0].text,
            "{\"event_timestamp\":1762580429,\"timestamp\":\"2025-11-08 05:40:29.641Z\","
            "\"details\":\"AWS tunnel: a \\\"word\\\"\\u000a\xef\xbf\xbd\",\"dpd_enabled\":true,"
            "\"nat_t_detected\":false,\"ike_phase1_state\":\"negotiating\",\"ike_phase2_state\":"
            "\"down\"}");
        snprintf(stream, sizeof(stream), "%s-198.51.100.1-IKE.log", rig.cloud->object.id.text);
        CU_ASSERT_STRING_EQUAL(keeper_gateway.line[0].stream, stream);
        CU_ASSERT_EQUAL(keeper_gateway.line[0].unix_ns, UINT64_C(1762580429641000000));
        rig.cloud->tunnel[0].options.log = S2SVPN_LOG_OUTPUT_TEXT;
        s2_log_ike_note(&rig.cloud->tunnel[0], "a \"word\"");
        s2svpn_advance(rig.gateway.ctx, rig.now_ns);
        CU_ASSERT_STRING_EQUAL(keeper_gateway.line[1].text,
                               "1762580429 \"2025-11-08 05:40:29.641Z\" \"AWS tunnel: a "
                               "\\\"word\\\"\" true false negotiating down");
    }
    keeper_close(&rig);
}

/* ---- how much */

static void a_storm_is_left_out_and_counted(void)
{
    const struct rig_plan plan = keeper_plan(true);
    static struct rig rig;

    if (rig_up(&rig, &plan)) {
        size_t lines;

        keeper_clear(&keeper_gateway);
        for (size_t i = 0; i < 1000; i++)
            s2_log_ike_note(&rig.cloud->tunnel[0], "again");
        s2svpn_advance(rig.gateway.ctx, rig.now_ns);
        lines = keeper_count(&keeper_gateway, IKE, "again");
        CU_ASSERT_TRUE(lines >= 40 && lines <= 50);
        rig_run(&rig, 2 * RIG_SECOND);
        CU_ASSERT_EQUAL(keeper_count(&keeper_gateway, IKE, "lines were left out: more than 50"), 1);
        s2_log_ike_note(&rig.cloud->tunnel[0], "later");
        s2svpn_advance(rig.gateway.ctx, rig.now_ns);
        CU_ASSERT_EQUAL(keeper_count(&keeper_gateway, IKE, "later"), 1);
    }
    keeper_close(&rig);
}

static void strangers_cannot_push_out_what_counts(void)
{
    const struct rig_plan plan = keeper_plan(true);
    static struct rig rig;

    if (rig_up(&rig, &plan)) {
        const struct s2_ike_trace trace = {.kind = S2_IKE_TRACE_HALF_OPEN,
                                           .half = true,
                                           .exchange_name = "",
                                           .error_name = "",
                                           .remote = &rig.cloud->tunnel[0].ike.local};

        rig_run(&rig, 2 * RIG_SECOND);
        keeper_clear(&keeper_gateway);
        for (size_t i = 0; i < 5000; i++)
            s2_log_ike_trace(rig.gateway.ctx, &rig.cloud->tunnel[0], &trace, rig.now_ns);
        s2_log_ike_note(&rig.cloud->tunnel[0], "what counts");
        s2svpn_advance(rig.gateway.ctx, rig.now_ns);
        rig_run(&rig, 2 * RIG_SECOND);
        CU_ASSERT_EQUAL(keeper_count(&keeper_gateway, IKE, "un-established"), 10);
        CU_ASSERT_EQUAL(keeper_count(&keeper_gateway, IKE, "what counts"), 1);
        CU_ASSERT_EQUAL(keeper_count(&keeper_gateway, IKE,
                                     "4990 lines about peers that have not proved who they are"),
                        1);
    }
    keeper_close(&rig);
}

struct first {
    s2svpn_datagram d;
    uint8_t bytes[2000];
};

static bool catch_the_first(struct rig *rig, const struct rig_side *from, const s2svpn_datagram *d)
{
    struct first *first = rig->user;

    if (first->d.len > 0 || from != &rig->device || d->len > sizeof(first->bytes))
        return true;
    first->d = *d;
    memcpy(first->bytes, d->data, d->len);
    first->d.local = d->remote;
    first->d.local.role = d->local.role;
    first->d.remote = d->local;
    first->d.data = first->bytes;
    return true;
}

/* Anybody can send these: 3,000 first messages in a second, each with another SPI. */
static void a_flood_of_first_messages_is_bounded(void)
{
    struct rig_plan plan = keeper_plan(true);
    static struct rig rig;
    static struct first first;

    first.d.len = 0;
    if (rig_open(&rig, &plan) == S2SVPN_OK) {
        rig.user = &first;
        rig.loses = catch_the_first;
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
        rig_pump(&rig);
        CU_ASSERT_TRUE(first.d.len > 100);
        for (unsigned i = 0; i < 3000; i++) {
            s2svpn_datagram d = first.d;
            uint8_t copy[2000];

            memcpy(copy, first.bytes, d.len);
            memcpy(copy, &i, sizeof(i));
            copy[7] = 0x77;
            d.data = copy;
            rig.now_ns += RIG_SECOND / 3000;
            s2svpn_receive_outside(s2svpn_context_worker(rig.gateway.ctx, 0), &d, 1, rig.now_ns);
        }
        CU_ASSERT_TRUE(keeper_gateway.lines > 5);
        CU_ASSERT_TRUE(keeper_gateway.lines < 30);
        rig_run(&rig, 60 * RIG_SECOND); /* they time out, all at once */
        CU_ASSERT_TRUE(keeper_gateway.lines < 100);
        CU_ASSERT_TRUE(keeper_count(&keeper_gateway, IKE, "have not proved who they are") > 0);
    }
    keeper_close(&rig);
}

/* ---- memory */

static bool live(struct rig *rig, const struct rig_plan *plan)
{
    if (!keeper_begin(rig, plan))
        return false;
    for (size_t i = 0; i < 120 && !rig_both_up(rig); i++)
        rig_run(rig, RIG_SECOND);
    CU_ASSERT_TRUE(rig_both_up(rig));
    return true;
}

static void every_allocation_may_fail(void)
{
    static struct rig rig;

    for (size_t n = 1;; n++) {
        struct rig_plan plan = keeper_plan(true);

        plan.static_routes = false;
        plan.tunnel.bgp_log = S2SVPN_LOG_OUTPUT_JSON;
        plan.fail_gateway = n;
        live(&rig, &plan);
        const bool reached = rig.gateway.heap.failed;
        keeper_close(&rig); /* checks the heaps */
        if (!reached || CU_get_number_of_failures() > 20) {
            CU_ASSERT_TRUE(n > 120);
            return;
        }
    }
}

const CU_TestInfo s2_test_log_line[] = {
    {"logs begin and end without closing the tunnel",
     logs_begin_and_end_without_closing_the_tunnel},
    {"lines have the fields and streams of aws", lines_have_the_fields_and_streams_of_aws},
    {"a storm is left out and counted", a_storm_is_left_out_and_counted},
    {"strangers cannot push out what counts", strangers_cannot_push_out_what_counts},
    {"a flood of first messages is bounded", a_flood_of_first_messages_is_bounded},
    {"every allocation may fail", every_allocation_may_fail},
    CU_TEST_INFO_NULL,
};
