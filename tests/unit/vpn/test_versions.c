/* SPDX-License-Identifier: Apache-2.0 */
/* IKEv1 and IKEv2 side by side: which a tunnel takes, and what it says of it. */
#include <string.h>

#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

#define V1 S2SVPN_IKEV1
#define V2 S2SVPN_IKEV2

static bool crosses(struct rig *rig, struct rig_side *from, const char *source, const char *to)
{
    const struct packet_spec spec = {.from = source, .to = to, .payload = 100};
    static uint8_t p[PACKET_ROOM];
    const size_t len = packet_write(p, &spec);

    rig_drop_all(&from->peer->inside);
    rig_send(from, p, len);
    rig_pump(rig);
    return from->peer->inside.count == 1;
}

static bool crosses_both_ways(struct rig *rig)
{
    return crosses(rig, &rig->device, "192.168.10.20", "10.0.1.10") &&
           crosses(rig, &rig->gateway, "10.0.1.10", "192.168.10.20");
}

static const struct version_row {
    const char *name;
    uint32_t gateway;
    uint8_t device;  /* enum s2svpn_device_ike */
    uint8_t version; /* that comes up; 0: none */
    bool warned;     /* of having come to IKEv1 */
} version_rows[] = {
    {"both, auto", V1 | V2, S2SVPN_DEVICE_IKE_AUTO, 2, false},
    {"both, 1", V1 | V2, S2SVPN_DEVICE_IKE_V1, 1, false},
    {"both, 2", V1 | V2, S2SVPN_DEVICE_IKE_V2, 2, false},
    {"1, auto", V1, S2SVPN_DEVICE_IKE_AUTO, 1, true},
    {"1, 1", V1, S2SVPN_DEVICE_IKE_V1, 1, false},
    {"1, 2", V1, S2SVPN_DEVICE_IKE_V2, 0, false},
    {"2, auto", V2, S2SVPN_DEVICE_IKE_AUTO, 2, false},
    {"2, 1", V2, S2SVPN_DEVICE_IKE_V1, 0, false},
    {"2, 2", V2, S2SVPN_DEVICE_IKE_V2, 2, false},
};

static void play(const struct version_row *row, bool raw)
{
    s2svpn_device_options options = S2SVPN_DEVICE_OPTIONS_INIT;
    const struct rig_plan plan = {
        .tunnel = {.ike_versions = row->gateway}, .device_options = &options, .raw = raw};
    static struct rig rig;

    options.ike = row->device;
    CU_ASSERT_EQUAL_FATAL(rig_open(&rig, &plan), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
    rig_run(&rig, 40 * RIG_SECOND);
    CHECK_ROW(row->name, rig_both_up(&rig) == (row->version != 0));
    for (size_t i = 0; i < 2; i++) {
        CHECK_ROW(row->name, rig_tunnel(rig.site, i).ike_version == row->version);
        CHECK_ROW(row->name, rig_tunnel(rig.cloud, i).ike_version == row->version);
    }
    CHECK_ROW(row->name,
              rig_event_says(&rig.device, S2SVPN_EVENT_NOTE, "since IKEv2 came to") == row->warned);
    if (row->version)
        CHECK_ROW(row->name, crosses_both_ways(&rig) && rig_tunnel(rig.site, 0).udp == !raw);
    rig_close(&rig);
}

static void each_pair_takes_what_both_allow_the_newer_first(void)
{
    for (size_t i = 0; i < sizeof(version_rows) / sizeof(version_rows[0]); i++) {
        play(&version_rows[i], false);
        play(&version_rows[i], true);
    }
}

/* What came up is begun with the next time: no half minute of trying IKEv2 again. */
static void what_came_up_is_remembered(void)
{
    const struct rig_plan plan = {.tunnel = {.ike_versions = V1}};
    static struct rig rig;

    CU_ASSERT_EQUAL(rig_open(&rig, &plan), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
    rig_run(&rig, 40 * RIG_SECOND);
    CU_ASSERT_TRUE(rig_both_up(&rig));
    CU_ASSERT_EQUAL(s2svpn_tunnel_reset(s2svpn_connection_tunnel(rig.site, 0)), S2SVPN_OK);
    rig_run(&rig, 5 * RIG_SECOND);
    CU_ASSERT_TRUE(rig_both_up(&rig));
    rig_close(&rig);
}

static void an_hour_of_ikev1_with_rekeys_loses_nothing(void)
{
    s2svpn_device_options options = S2SVPN_DEVICE_OPTIONS_INIT;
    const struct rig_plan plan = {
        .tunnel = {.ike_versions = V1, .phase1_lifetime_s = 1800, .phase2_lifetime_s = 900},
        .device_options = &options};
    static struct rig rig;
    unsigned lost = 0;

    options.ike = S2SVPN_DEVICE_IKE_V1;
    if (rig_up(&rig, &plan)) {
        for (unsigned i = 0; i < 3600; i++) {
            rig_run(&rig, RIG_SECOND);
            lost += !crosses_both_ways(&rig);
        }
        CU_ASSERT_EQUAL(lost, 0);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        CU_ASSERT_TRUE(rig_tunnel(rig.site, 0).rekeys >= 3);
    }
    rig_close(&rig);
}

static void the_cloud_starts_no_tunnel_with_ikev1_alone(void)
{
    const struct rig_plan plan = {
        .tunnel = {.ike_versions = V1, .startup_action = S2SVPN_STARTUP_START}};
    static struct rig rig;

    CU_ASSERT_EQUAL(rig_open(&rig, &plan), S2SVPN_E_ARGUMENT);
    CU_ASSERT_STRING_EQUAL(s2svpn_context_error(rig.gateway.ctx)->field, "startup_action");
    rig_close(&rig);
}

static void each_profile_allows_what_it_is(void)
{
    static const struct {
        const char *name;
        enum s2svpn_profile profile;
        uint32_t versions;
        bool raw, allowed;
    } rows[] = {
        {"aws, both", S2SVPN_PROFILE_AWS, V1 | V2, false, true},
        {"hardened, 1", S2SVPN_PROFILE_HARDENED, V1, false, false},
        {"hardened, both", S2SVPN_PROFILE_HARDENED, V1 | V2, false, false},
        {"hardened", S2SVPN_PROFILE_HARDENED, 0, false, true},
        {"classic, 2", S2SVPN_PROFILE_CLASSIC, V2, true, false},
        {"classic without protocol 50", S2SVPN_PROFILE_CLASSIC, 0, false, false},
        {"classic", S2SVPN_PROFILE_CLASSIC, 0, true, true},
    };
    static struct rig rig;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct rig_plan plan = {.profile = rows[i].profile,
                                      .tunnel = {.ike_versions = rows[i].versions},
                                      .raw = rows[i].raw};
        const s2svpn_status rc = rig_open(&rig, &plan);

        CHECK_ROW(rows[i].name, rc == (rows[i].allowed ? S2SVPN_OK : S2SVPN_E_ARGUMENT));
        if (rc == S2SVPN_OK) {
            CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
            rig_run(&rig, 40 * RIG_SECOND);
            CHECK_ROW(rows[i].name, rig_both_up(&rig) && crosses_both_ways(&rig));
            CHECK_ROW(rows[i].name, rig_tunnel(rig.site, 0).ike_version ==
                                        (rows[i].profile == S2SVPN_PROFILE_CLASSIC ? 1 : 2));
        }
        rig_close(&rig);
    }
}

const CU_TestInfo s2_test_versions[] = {
    {"each pair takes what both allow, the newer first",
     each_pair_takes_what_both_allow_the_newer_first},
    {"what came up is remembered", what_came_up_is_remembered},
    {"an hour of IKEv1 with rekeys loses nothing", an_hour_of_ikev1_with_rekeys_loses_nothing},
    {"the cloud starts no tunnel with IKEv1 alone", the_cloud_starts_no_tunnel_with_ikev1_alone},
    {"each profile allows what it is", each_profile_allows_what_it_is},
    CU_TEST_INFO_NULL,
};
