/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/attempt.c, the tries: ports, and what DPD's and startup's actions make of them. */

#include "harness.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

/* ---- ports */

static uint16_t filtered;

static bool lose_port(struct rig *rig, const struct rig_side *from, const s2svpn_datagram *d)
{
    (void)rig;
    (void)from;
    return filtered == 0 || d->local.port == filtered || d->remote.port == filtered;
}

static void with_500_filtered_it_comes_up_by_4500(void)
{
    static const struct rig_plan plans[] = {{0}, {.raw = true}};
    static struct rig rig;

    for (size_t i = 0; i < 2; i++) {
        filtered = 500;
        CU_ASSERT_EQUAL(rig_open(&rig, &plans[i]), S2SVPN_OK);
        rig.loses = lose_port;
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
        rig_run(&rig, 12 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        CU_ASSERT_TRUE(rig_tunnel(rig.site, 0).udp); /* protocol 50 hasn't a chance there */
        CU_ASSERT_TRUE(rig_event_says(&rig.device, S2SVPN_EVENT_TUNNEL,
                                      "no answer from the peer at 198.51.100.1:500, UDP; next at "
                                      "port 4500"));
        /* It is remembered: after a reset it is back at once. */
        CU_ASSERT_EQUAL(s2svpn_tunnel_reset(s2svpn_connection_tunnel(rig.site, 0)), S2SVPN_OK);
        rig_run(&rig, 5 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_tunnel(rig.site, 0).spi_in != 0);
        rig_run(&rig, 10 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        rig_close(&rig);
    }
}

/* Who took to 4500 in a bad moment isn't bound to it. */
static void both_ports_are_tried_in_turns(void)
{
    static struct rig rig;
    const struct rig_plan plan = {.raw = true};

    filtered = 0;
    CU_ASSERT_EQUAL(rig_open(&rig, &plan), S2SVPN_OK);
    rig.loses = lose_port;
    CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
    rig_run(&rig, 60 * RIG_SECOND);
    CU_ASSERT_TRUE(rig_event_says(&rig.device, S2SVPN_EVENT_TUNNEL, "next at port 4500"));
    rig_run(&rig, 60 * RIG_SECOND);
    CU_ASSERT_TRUE(rig_event_says(&rig.device, S2SVPN_EVENT_TUNNEL,
                                  "no answer from the peer at 198.51.100.1:4500, UDP; next at "
                                  "port 500"));
    filtered = 4500;
    rig_run(&rig, 200 * RIG_SECOND);
    CU_ASSERT_TRUE(rig_both_up(&rig));
    CU_ASSERT_FALSE(rig_tunnel(rig.site, 0).udp);
    rig_close(&rig);
}

/* ---- DPD's actions, startup's actions */

static bool lose_all(struct rig *rig, const struct rig_side *from, const s2svpn_datagram *d)
{
    (void)rig;
    (void)from;
    (void)d;
    return true;
}

/* The gateway's action, with a device that starts nothing; or the device's, with a gateway
 * that starts nothing. */
static const struct dpd_row {
    const char *name;
    uint8_t action;
    bool device;
    bool stays, returns; /* the SA outlives the silence; the tunnel is tried again */
} dpd_rows[] = {
    {"gateway, clear", S2SVPN_DPD_CLEAR, false, false, false},
    {"gateway, restart", S2SVPN_DPD_RESTART, false, false, true},
    {"gateway, none", S2SVPN_DPD_NONE, false, true, true},
    {"device, clear", S2SVPN_DPD_CLEAR, true, false, false},
    {"device, restart", S2SVPN_DPD_RESTART, true, false, true},
    {"device, none", S2SVPN_DPD_NONE, true, true, true},
};

static void play_dpd(const struct dpd_row *row)
{
    s2svpn_device_options options = S2SVPN_DEVICE_OPTIONS_INIT;
    const struct rig_plan plan = {
        .static_routes = true,
        .device_options = &options,
        .tunnel = {.dpd_action = row->device ? (uint8_t)S2SVPN_DPD_NONE : row->action,
                   .startup_action =
                       row->device ? (uint8_t)S2SVPN_STARTUP_ADD : (uint8_t)S2SVPN_STARTUP_START}};
    static struct rig rig;

    options.dpd_action = (row->device ? row->action : S2SVPN_DPD_NONE) + 1;
    options.startup_action = (row->device ? S2SVPN_STARTUP_START : S2SVPN_STARTUP_ADD) + 1;
    CHECK_ROW(row->name, rig_open(&rig, &plan) == S2SVPN_OK);
    s2svpn_connection *who = row->device ? rig.site : rig.cloud;
    CHECK_ROW(row->name, s2svpn_connection_start(rig.site) == S2SVPN_OK);
    rig_run(&rig, 30 * RIG_SECOND);
    CHECK_ROW(row->name, rig_both_up(&rig));
    CHECK_ROW(row->name, rig_tunnel(who, 0).initiator);
    const uint32_t spi = rig_tunnel(who, 0).spi_in;
    rig.loses = lose_all;
    rig_run(&rig, 120 * RIG_SECOND);
    const s2svpn_tunnel_info silent = rig_tunnel(who, 0);
    CHECK_ROW(row->name, silent.up == row->stays);
    if (!row->stays)
        CHECK_ROW(row->name,
                  rig_reason_says(&silent, row->returns ? "no answer from the peer" : "liveness"));
    if (!row->stays && !row->returns)
        CHECK_ROW(row->name, silent.phase == S2SVPN_TUNNEL_IDLE);
    rig.loses = NULL;
    rig_run(&rig, 300 * RIG_SECOND);
    CHECK_ROW(row->name, rig_tunnel(who, 0).up == row->returns);
    CHECK_ROW(row->name, (rig_tunnel(who, 0).spi_in == spi) == row->stays);
    if (!row->returns) { /* the host can always start it */
        CHECK_ROW(row->name, s2svpn_connection_start(who) == S2SVPN_OK);
        rig_run(&rig, 30 * RIG_SECOND);
        CHECK_ROW(row->name, rig_tunnel(who, 0).up);
    }
    rig_close(&rig);
}

static void dpds_actions_do_what_they_say_on_both_sides(void)
{
    for (size_t i = 0; i < sizeof(dpd_rows) / sizeof(dpd_rows[0]); i++)
        play_dpd(&dpd_rows[i]);
}

/* Restart is for the end that usually only answers, too. */
static void a_gateway_that_only_answers_restarts_after_dpd(void)
{
    s2svpn_device_options options = S2SVPN_DEVICE_OPTIONS_INIT;
    const struct rig_plan plan = {.static_routes = true,
                                  .device_options = &options,
                                  .tunnel = {.dpd_action = S2SVPN_DPD_RESTART}};
    static struct rig rig;

    options.dpd_action = S2SVPN_DPD_CLEAR + 1;
    if (rig_up(&rig, &plan)) {
        CU_ASSERT_TRUE(rig_tunnel(rig.site, 0).initiator);
        rig.loses = lose_all;
        rig_run(&rig, 120 * RIG_SECOND);
        CU_ASSERT_EQUAL(rig_tunnel(rig.site, 0).phase, S2SVPN_TUNNEL_IDLE);
        rig.loses = NULL;
        rig_run(&rig, 200 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        CU_ASSERT_TRUE(rig_tunnel(rig.cloud, 0).initiator);
        /* Once it is up, all is as before: it answers only. */
        CU_ASSERT_EQUAL(s2svpn_tunnel_reset(s2svpn_connection_tunnel(rig.cloud, 0)), S2SVPN_OK);
        CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 0).phase, S2SVPN_TUNNEL_IDLE);
    }
    rig_close(&rig);
}

static void a_device_that_only_answers_waits_for_the_gateway(void)
{
    s2svpn_device_options options = S2SVPN_DEVICE_OPTIONS_INIT;
    const struct rig_plan plan = {.device_options = &options};
    static struct rig rig;

    options.startup_action = S2SVPN_STARTUP_ADD + 1;
    CU_ASSERT_EQUAL(rig_open(&rig, &plan), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
    rig_run(&rig, 100 * RIG_SECOND);
    CU_ASSERT_EQUAL(rig_tunnel(rig.site, 0).phase, S2SVPN_TUNNEL_IDLE);
    CU_ASSERT_EQUAL(s2svpn_connection_start(rig.cloud), S2SVPN_OK);
    rig_run(&rig, 30 * RIG_SECOND);
    CU_ASSERT_TRUE(rig_both_up(&rig));
    CU_ASSERT_TRUE(rig_tunnel(rig.cloud, 0).initiator);
    CU_ASSERT_EQUAL(s2svpn_connection_stop(rig.site), S2SVPN_OK);
    rig_run(&rig, RIG_SECOND);
    CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
    rig_run(&rig, 100 * RIG_SECOND);
    CU_ASSERT_TRUE(rig_both_up(&rig)); /* the gateway goes on trying */
    rig_close(&rig);
}

static size_t children_of(const s2svpn_connection *c, size_t index)
{
    size_t n = 0;

    S2_LIST_EACH(&s2svpn_connection_tunnel(c, index)->children, l)
        n++;
    return n;
}

/* Both begin at once, at every distance in time that matters: one way is 1 us. */
static void both_ends_starting_at_once_end_with_one_pair(void)
{
    for (uint64_t apart = 0; apart <= 12000; apart += 500) {
        const struct rig_plan plan = {.static_routes = apart % 1000 != 0};
        static struct rig rig;

        CU_ASSERT_EQUAL(rig_open(&rig, &plan), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.cloud), S2SVPN_OK);
        if (apart > 0)
            rig_run(&rig, apart);
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
        rig_run(&rig, 60 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        for (size_t i = 0; i < 2; i++) {
            const s2svpn_tunnel_info cloud = rig_tunnel(rig.cloud, i),
                                     site = rig_tunnel(rig.site, i);

            CU_ASSERT_EQUAL(cloud.spi_in, site.spi_out);
            CU_ASSERT_EQUAL(cloud.spi_out, site.spi_in);
            CU_ASSERT_EQUAL(children_of(rig.cloud, i), 1);
            CU_ASSERT_EQUAL(children_of(rig.site, i), 1);
        }
        rig_close(&rig);
    }
}

const CU_TestInfo s2_test_attempt[] = {
    {"with 500 filtered it comes up by 4500", with_500_filtered_it_comes_up_by_4500},
    {"both ports are tried in turns", both_ports_are_tried_in_turns},
    {"DPD's actions do what they say on both sides", dpds_actions_do_what_they_say_on_both_sides},
    {"a gateway that only answers restarts after DPD",
     a_gateway_that_only_answers_restarts_after_dpd},
    {"a device that only answers waits for the gateway",
     a_device_that_only_answers_waits_for_the_gateway},
    {"both ends starting at once end with one pair", both_ends_starting_at_once_end_with_one_pair},
    CU_TEST_INFO_NULL,
};
