/* SPDX-License-Identifier: Apache-2.0 */
/* What a tunnel's options, and a device's with its document, come to in the engines. */
#include <string.h>

#include "harness.h"
#include "ike/engine.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

/* ---- lifetimes */

/* Seconds until the first tunnel's child, and its IKE SA, were first replaced. */
static void first_rekeys(struct rig *rig, double *child_s, double *sa_s)
{
    const uint64_t begin = rig->now_ns;
    const s2svpn_tunnel *t = s2svpn_connection_tunnel(rig->site, 0);
    struct s2_ike_sa_info info;
    uint64_t spi;

    *child_s = *sa_s = 0;
    CU_ASSERT_TRUE(s2_ike_get_info(rig->device.ctx->ike, t, &info));
    spi = info.spi_i;
    while (rig->now_ns - begin < 1100 * RIG_SECOND && (*child_s == 0 || *sa_s == 0)) {
        rig_run(rig, RIG_SECOND / 4);
        if (*child_s == 0 && rig_tunnel(rig->site, 0).rekeys > 0)
            *child_s = (double)(rig->now_ns - begin) / 1e9;
        if (*sa_s == 0 && s2_ike_get_info(rig->device.ctx->ike, t, &info) && info.spi_i != spi)
            *sa_s = (double)(rig->now_ns - begin) / 1e9;
    }
}

/* AWS: inside the margin before the end, or with fuzz up to a margin earlier. */
static void rekeys_come_with_the_margin_and_the_fuzz_of_the_options(void)
{
    static const struct {
        const char *name;
        uint32_t margin_s, fuzz; /* plus 1 */
        double least, most;      /* before the end */
    } rows[] = {
        {"60 s, no fuzz", 60, 1, 60, 60},
        {"60 s, 100 %", 60, 101, 60, 120},
        {"300 s, no fuzz", 300, 1, 300, 300},
        {"120 s, 50 %", 120, 51, 120, 180},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct rig_plan plan = {.static_routes = true,
                                      .tunnel = {.phase1_lifetime_s = 1000,
                                                 .phase2_lifetime_s = 900,
                                                 .rekey_margin_s = rows[i].margin_s,
                                                 .rekey_fuzz_percent = rows[i].fuzz,
                                                 .startup_action = S2SVPN_STARTUP_START}};
        static struct rig rig;
        double child_s, sa_s;

        CU_ASSERT_EQUAL(rig_open(&rig, &plan), S2SVPN_OK);
        /* The device's own clock is the document's and comes later: lift it out of the way. */
        for (size_t t = 0; t < 2; t++) {
            s2svpn_connection_tunnel(rig.site, t)->ike.child_lifetime_s = 0;
            s2svpn_connection_tunnel(rig.site, t)->ike.ike_lifetime_s = 0;
        }
        rig_run(&rig, RIG_SECOND);
        CHECK_ROW(rows[i].name, rig_both_up(&rig));
        first_rekeys(&rig, &child_s, &sa_s);
        child_s += 1;
        sa_s += 1;
        CHECK_ROW(rows[i].name, 900 - child_s >= rows[i].least - 1.5);
        CHECK_ROW(rows[i].name, 900 - child_s <= rows[i].most + 0.5);
        CHECK_ROW(rows[i].name, 1000 - sa_s >= rows[i].least - 1.5);
        CHECK_ROW(rows[i].name, 1000 - sa_s <= rows[i].most + 0.5);
        if (CU_get_number_of_failures() > 0)
            printf("    %s: child after %.2f s, IKE SA after %.2f s\n", rows[i].name, child_s,
                   sa_s);
        rig_close(&rig);
    }
}

/* Each option of the tunnel that IKE has a use for, and its value there. */
static void options_reach_the_engine(void)
{
    static const struct {
        const char *name;
        s2svpn_tunnel_options o;
        size_t offset, size; /* in struct s2_ike_config */
        uint32_t value;
    } rows[] = {
#define IN_CONFIG(member)                                                                          \
    offsetof(struct s2_ike_config, member), sizeof(((struct s2_ike_config *)0)->member)
        {"phase1_lifetime_s", {.phase1_lifetime_s = 7200}, IN_CONFIG(ike_lifetime_s), 7200},
        {"phase2_lifetime_s", {.phase2_lifetime_s = 1800}, IN_CONFIG(child_lifetime_s), 1800},
        {"rekey_margin_s", {.rekey_margin_s = 99}, IN_CONFIG(rekey_margin_s), 99},
        {"rekey_fuzz_percent 0", {.rekey_fuzz_percent = 1}, IN_CONFIG(rekey_fuzz_percent), 0},
        {"rekey_fuzz_percent", {0}, IN_CONFIG(rekey_fuzz_percent), 100},
        {"dpd_timeout_s", {.dpd_timeout_s = 45}, IN_CONFIG(dpd_timeout_s), 45},
        {"dpd_action clear", {0}, IN_CONFIG(dpd_delay_s), 10},
        {"dpd_action none", {.dpd_action = S2SVPN_DPD_NONE}, IN_CONFIG(dpd_delay_s), 0},
        {"esn", {.esn = S2SVPN_ESN_REQUIRED}, IN_CONFIG(esn), S2SVPN_ESN_REQUIRED},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct rig_plan plan = {.tunnel = rows[i].o};
        static struct rig rig;
        const uint8_t *config;
        uint32_t value = 0;

        CHECK_ROW(rows[i].name, rig_open(&rig, &plan) == S2SVPN_OK);
        config = (const uint8_t *)&s2svpn_connection_tunnel(rig.cloud, 1)->ike;
        if (rows[i].size == 1)
            value = config[rows[i].offset];
        else
            memcpy(&value, config + rows[i].offset, sizeof(value));
        CHECK_ROW(rows[i].name, value == rows[i].value);
        rig_close(&rig);
    }
}

/* Those that AWS hasn't: named when they can't be, else kept as they are. */
static void options_beyond_awss_are_checked_and_kept(void)
{
    static const struct {
        const char *field; /* NULL: good */
        s2svpn_tunnel_options o;
    } rows[] = {
        {NULL,
         {.esn = S2SVPN_ESN_ALLOWED,
          .dont_fragment = S2SVPN_DF_CLEAR,
          .replay_window = 8192,
          .phase2_lifetime_bytes = 65536,
          .phase2_lifetime_packets = 64}},
        {NULL, {.phase2_lifetime_bytes = UINT64_MAX, .phase2_lifetime_packets = UINT64_MAX}},
        {"tunnel[0].esn", {.esn = 3}},
        {"tunnel[0].dont_fragment", {.dont_fragment = 2}},
        {"tunnel[0].replay_window", {.replay_window = 8193}},
        {"tunnel[0].phase2_lifetime_bytes", {.phase2_lifetime_bytes = 65535}},
        {"tunnel[0].phase2_lifetime_packets", {.phase2_lifetime_packets = 63}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct rig_plan plan = {.tunnel = rows[i].o};
        static struct rig rig;
        s2svpn_tunnel_options o;
        const s2svpn_status rc = rig_open(&rig, &plan);

        if (rows[i].field) {
            rig_check_error(rig.gateway.ctx, rc, S2SVPN_E_ARGUMENT, rows[i].field, rows[i].field);
        } else {
            CU_ASSERT_EQUAL(rc, S2SVPN_OK);
            s2svpn_tunnel_get_options(s2svpn_connection_tunnel(rig.cloud, 1), &o);
            CU_ASSERT_EQUAL(o.esn, rows[i].o.esn);
            CU_ASSERT_EQUAL(o.dont_fragment, rows[i].o.dont_fragment);
            CU_ASSERT_EQUAL(o.phase2_lifetime_bytes, rows[i].o.phase2_lifetime_bytes);
            CU_ASSERT_EQUAL(o.phase2_lifetime_packets, rows[i].o.phase2_lifetime_packets);
            if (rows[i].o.replay_window)
                CU_ASSERT_EQUAL(o.replay_window, rows[i].o.replay_window);
        }
        rig_close(&rig);
    }
}

/* ---- what a device's options and its document make of a tunnel */

static void a_devices_options_and_document_are_its_tunnels(void)
{
    s2svpn_device_options options = S2SVPN_DEVICE_OPTIONS_INIT;
    const struct rig_plan plan = {.device_options = &options};
    static struct rig rig;
    s2svpn_tunnel_options o;

    CU_ASSERT_EQUAL(rig_open(&rig, &plan), S2SVPN_OK);
    s2svpn_tunnel_get_options(s2svpn_connection_tunnel(rig.site, 0), &o);
    CU_ASSERT_EQUAL(o.dpd_action, S2SVPN_DPD_RESTART);
    CU_ASSERT_EQUAL(o.startup_action, S2SVPN_STARTUP_START);
    CU_ASSERT_EQUAL(o.dont_fragment, S2SVPN_DF_CLEAR); /* every document of AWS's says so */
    CU_ASSERT_EQUAL(o.esn, S2SVPN_ESN_OFF);
    CU_ASSERT_EQUAL(o.replay_window, 1024);
    rig_close(&rig);
    options.esn = S2SVPN_ESN_ALLOWED;
    options.replay_window = 8192;
    options.dpd_action = S2SVPN_DPD_NONE + 1;
    options.startup_action = S2SVPN_STARTUP_ADD + 1;
    CU_ASSERT_EQUAL(rig_open(&rig, &plan), S2SVPN_OK);
    s2svpn_tunnel_get_options(s2svpn_connection_tunnel(rig.site, 1), &o);
    CU_ASSERT_EQUAL(o.dpd_action, S2SVPN_DPD_NONE);
    CU_ASSERT_EQUAL(o.startup_action, S2SVPN_STARTUP_ADD);
    CU_ASSERT_EQUAL(o.esn, S2SVPN_ESN_ALLOWED);
    CU_ASSERT_EQUAL(o.replay_window, 8192);
    rig_close(&rig);
}

static void device_options_that_cannot_be_are_named(void)
{
    static const struct {
        const char *field;
        s2svpn_device_options o;
    } rows[] = {
        {"tunnel[0].esn", {.size = sizeof(s2svpn_device_options), .esn = 3}},
        {"tunnel[0].dpd_action", {.size = sizeof(s2svpn_device_options), .dpd_action = 4}},
        {"tunnel[0].startup_action", {.size = sizeof(s2svpn_device_options), .startup_action = 3}},
        {"tunnel[0].replay_window", {.size = sizeof(s2svpn_device_options), .replay_window = 63}},
        {"offers", {.size = sizeof(s2svpn_device_options), .offers = 3}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct rig_plan plan = {.device_options = &rows[i].o};
        static struct rig rig;

        const s2svpn_status rc = rig_open(&rig, &plan);
        rig_check_error(rig.device.ctx, rc, S2SVPN_E_ARGUMENT, rows[i].field, rows[i].field);
        CHECK_ROW(rows[i].field, rig.site == NULL);
        rig_close(&rig);
    }
}

const CU_TestInfo s2_test_tunnel_options[] = {
    {"rekeys come with the margin and the fuzz of the options",
     rekeys_come_with_the_margin_and_the_fuzz_of_the_options},
    {"options reach the engine", options_reach_the_engine},
    {"options beyond AWS's are checked and kept", options_beyond_awss_are_checked_and_kept},
    {"a device's options and document are its tunnels'",
     a_devices_options_and_document_are_its_tunnels},
    {"device options that cannot be are named", device_options_that_cannot_be_are_named},
    CU_TEST_INFO_NULL,
};
