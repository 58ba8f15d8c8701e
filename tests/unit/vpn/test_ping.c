/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/ping.c: pings between inside addresses, and BGP that comes between others. */
#include <string.h>

#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/seal.h"
#include "vpn/vpn.h"

static const struct rig_plan with_bgp = {.static_routes = false};

static s2svpn_tunnel *cloud(const struct rig *rig)
{
    return s2svpn_connection_tunnel(rig->cloud, 0);
}

static s2svpn_tunnel_pings pings(const s2svpn_tunnel *t)
{
    s2svpn_tunnel_pings out = {.size = sizeof(out)};

    s2svpn_tunnel_get_pings(t, &out);
    return out;
}

static void a_ping_goes_by_its_tunnel_and_comes_back(void)
{
    static struct rig rig;

    if (rig_up(&rig, &with_bgp)) {
        const uint16_t mtu = rig_tunnel(rig.cloud, 0).mtu;
        const uint16_t lengths[] = {0, 36, 100, mtu};

        for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
            CU_ASSERT_EQUAL(s2svpn_tunnel_ping(cloud(&rig), (uint16_t)(500 + i), lengths[i]),
                            S2SVPN_OK);
            rig_pump(&rig);
            CU_ASSERT_EQUAL(pings(cloud(&rig)).answered, i + 1);
            CU_ASSERT_EQUAL(pings(cloud(&rig)).sequence, 500 + i);
            CU_ASSERT_EQUAL(pings(cloud(&rig)).len, lengths[i] ? lengths[i] : 36);
        }
        CU_ASSERT_EQUAL(pings(s2svpn_connection_tunnel(rig.site, 0)).asked, 4);
        CU_ASSERT_EQUAL(pings(s2svpn_connection_tunnel(rig.site, 1)).asked, 0);
        CU_ASSERT_EQUAL(pings(cloud(&rig)).asked, 0);
    }
    rig_close(&rig);
}

static void a_ping_that_cannot_be_is_refused_and_named(void)
{
    static struct rig rig;

    if (rig_up(&rig, &with_bgp)) {
        const uint16_t mtu = rig_tunnel(rig.cloud, 0).mtu;

        rig_check_error(rig.gateway.ctx, s2svpn_tunnel_ping(cloud(&rig), 1, 35), S2SVPN_E_ARGUMENT,
                        "len", "too short");
        rig_check_error(rig.gateway.ctx, s2svpn_tunnel_ping(cloud(&rig), 1, (uint16_t)(mtu + 1)),
                        S2SVPN_E_ARGUMENT, "len", "too long");
        CU_ASSERT_EQUAL(s2svpn_connection_stop(rig.site), S2SVPN_OK);
        rig_pump(&rig);
        rig_check_error(rig.gateway.ctx, s2svpn_tunnel_ping(cloud(&rig), 1, 0), S2SVPN_E_STATE, "",
                        "no SA");
        CU_ASSERT_EQUAL(pings(cloud(&rig)).answered, 0);
    }
    rig_close(&rig);
}

/* What the device would send, were its inside addresses others than the document's. */
static void bgp_between_other_addresses_is_told_once(void)
{
    static const struct {
        const char *name, *from, *to;
        uint16_t port;
        bool told;
    } rows[] = {
        {"another address of its own", "169.254.77.2", NULL, 179, true},
        {"the other tunnel's", "169.254.77.2", "169.254.77.1", 179, true},
        {"a web browser", "169.254.77.2", NULL, 80, false},
    };
    static uint8_t p[PACKET_ROOM];
    static struct rig rig;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rig_up(&rig, &with_bgp)) {
            const s2svpn_tunnel_info info = rig_tunnel(rig.cloud, 0);
            const size_t before = rig_count_events(&rig.gateway, S2SVPN_EVENT_NOTE);
            char ours[S2SVPN_ADDRESS_TEXT];
            const struct packet_spec spec = {
                .from = rows[i].from,
                .to = rows[i].to ? rows[i].to : s2svpn_address_print(&info.inside_local, ours),
                .protocol = 6,
                .to_port = rows[i].port,
                .flags = TCP_SYN,
            };

            for (unsigned k = 0; k < 3; k++)
                seal_deliver(&rig, &rig.device, p, packet_write(p, &spec), 4, 0);
            rig_pump(&rig);
            CHECK_ROW(rows[i].name,
                      rig_count_events(&rig.gateway, S2SVPN_EVENT_NOTE) == before + rows[i].told);
            CHECK_ROW(rows[i].name, !rows[i].told || rig_event_says(&rig.gateway, S2SVPN_EVENT_NOTE,
                                                                    "BGP came from 169.254.77.2"));
            CHECK_ROW(rows[i].name, rig_tunnel(rig.cloud, 0).up);
        }
        rig_close(&rig);
    }
}

static void each_ike_sa_is_counted(void)
{
    static struct rig rig;

    if (rig_up(&rig, &with_bgp)) {
        const uint32_t before = rig_tunnel(rig.cloud, 0).ike_sas;

        CU_ASSERT_EQUAL(before, 1);
        CU_ASSERT_EQUAL(s2svpn_tunnel_rekey_ike(cloud(&rig)), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND);
        CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 0).ike_sas, before + 1);
    }
    rig_close(&rig);
}

static bool loses_all(struct rig *rig, const struct rig_side *from, const s2svpn_datagram *d)
{
    (void)rig;
    (void)from;
    (void)d;
    return true;
}

static void an_ike_question_waits_for_its_answer(void)
{
    static s2svpn_device_options versions[] = {
        {.size = sizeof(s2svpn_device_options), .ike = S2SVPN_DEVICE_IKE_V2},
        {.size = sizeof(s2svpn_device_options), .ike = S2SVPN_DEVICE_IKE_V1},
    };
    static struct rig rig;

    for (size_t i = 0; i < 2; i++) {
        const struct rig_plan plan = {.device_options = &versions[i]};

        if (rig_up(&rig, &plan)) {
            CU_ASSERT_FALSE(rig_tunnel(rig.cloud, 0).ike_asks);
            CU_ASSERT_EQUAL(s2svpn_tunnel_check(cloud(&rig)), S2SVPN_OK);
            rig_pump(&rig);
            CU_ASSERT_FALSE(rig_tunnel(rig.cloud, 0).ike_asks);
            rig.loses = loses_all;
            CU_ASSERT_EQUAL(s2svpn_tunnel_check(cloud(&rig)), S2SVPN_OK);
            rig_pump(&rig);
            CU_ASSERT_TRUE(rig_tunnel(rig.cloud, 0).ike_asks);
            rig_run(&rig, 60 * RIG_SECOND);
            CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 0).ike_version, 0);
            rig_check_error(rig.gateway.ctx, s2svpn_tunnel_check(cloud(&rig)), S2SVPN_E_STATE, "",
                            "no IKE SA");
            rig.loses = NULL;
        }
        rig_close(&rig);
    }
}

const CU_TestInfo s2_test_ping[] = {
    {"an IKE question waits for its answer", an_ike_question_waits_for_its_answer},
    {"a ping goes by its tunnel and comes back", a_ping_goes_by_its_tunnel_and_comes_back},
    {"a ping that cannot be is refused and named", a_ping_that_cannot_be_is_refused_and_named},
    {"BGP between other addresses is told once", bgp_between_other_addresses_is_told_once},
    {"each IKE SA is counted", each_ike_sa_is_counted},
    CU_TEST_INFO_NULL,
};
