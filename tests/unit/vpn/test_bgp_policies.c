/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/bgp_policies.c: a device prefers one tunnel by its policies, and what becomes of
 * a peer that announces too much. */
#include <string.h>

#include "harness.h"
#include "s2svpn/bgp_tunnel.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

static const struct rig_plan bgp = {0};

static const s2svpn_bgp_rule prefer = {.accept = true, .set_local_pref = true, .local_pref = 200};
static const s2svpn_bgp_rule longer = {.accept = true, .prepend = 2};
static const s2svpn_bgp_rule deny = {.accept = false};

static s2svpn_bgp_policy policy_of(const s2svpn_bgp_rule *rule)
{
    s2svpn_bgp_policy p = S2SVPN_BGP_POLICY_INIT;

    p.rules = rule;
    p.rule_count = 1;
    return p;
}

static s2svpn_status set(s2svpn_connection *conn, size_t index, const s2svpn_bgp_policy *in,
                         const s2svpn_bgp_policy *out)
{
    return s2svpn_tunnel_set_bgp_policies(s2svpn_connection_tunnel(conn, index), in, out);
}

/* ---- what is there */

struct seen {
    unsigned count;
    uint32_t local_pref;
    uint16_t as_count;
};

static bool see(void *arg, const s2svpn_bgp_route *route)
{
    struct seen *seen = arg;

    seen->count++;
    seen->local_pref = route->has_local_pref ? route->local_pref : 0;
    seen->as_count = route->as_count;
    return true;
}

static struct seen look(const s2svpn_connection *conn, size_t index)
{
    struct seen seen = {0};

    s2svpn_tunnel_each_bgp_route(s2svpn_connection_tunnel(conn, index), see, &seen);
    return seen;
}

/* The tunnel that a packet of this side takes; 2: it doesn't arrive. */
static size_t way_of(struct rig *rig, bool from_cloud)
{
    const s2svpn_connection *from = from_cloud ? rig->cloud : rig->site;
    const struct packet_spec spec = {.from = from_cloud ? "10.0.1.10" : NULL,
                                     .to = from_cloud ? "192.168.10.20" : NULL,
                                     .payload = 100};
    struct rig_side *side = from_cloud ? &rig->gateway : &rig->device;
    const uint64_t before = rig_tunnel(from, 1).packets_out;
    static uint8_t p[PACKET_ROOM];
    const size_t len = packet_write(p, &spec);

    rig_drop_all(&side->peer->inside);
    rig_send(side, p, len);
    rig_pump(rig);
    if (side->peer->inside.count != 1)
        return 2;
    return rig_tunnel(from, 1).packets_out > before;
}

/* ---- preferring one */

static void policies_pin_both_directions_and_no_session_ends(void)
{
    const s2svpn_bgp_policy in = policy_of(&prefer), out = policy_of(&longer);
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        const size_t before = rig_count_events(&rig.device, S2SVPN_EVENT_BGP);

        CU_ASSERT_EQUAL(way_of(&rig, false), 0); /* the gateway's MED */
        CU_ASSERT_EQUAL(set(rig.site, 1, &in, NULL), S2SVPN_OK);
        CU_ASSERT_EQUAL(set(rig.site, 0, NULL, &out), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND);
        CU_ASSERT_EQUAL(way_of(&rig, false), 1);
        CU_ASSERT_EQUAL(way_of(&rig, true), 1);
        CU_ASSERT(look(rig.site, 1).local_pref == 200 && look(rig.site, 0).local_pref == 0);
        CU_ASSERT(look(rig.cloud, 0).as_count == 3 && look(rig.cloud, 1).as_count == 1);
        CU_ASSERT_EQUAL(set(rig.site, 1, NULL, &out), S2SVPN_OK);
        CU_ASSERT_EQUAL(set(rig.site, 0, &in, NULL), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND);
        CU_ASSERT(way_of(&rig, false) == 0 && way_of(&rig, true) == 0);
        CU_ASSERT_EQUAL(rig_count_events(&rig.device, S2SVPN_EVENT_BGP), before);
        CU_ASSERT_TRUE(rig_both_up(&rig));
    }
    rig_close(&rig);
}

static void policies_are_there_in_every_session(void)
{
    const s2svpn_bgp_policy in = policy_of(&prefer), out = policy_of(&longer);
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        CU_ASSERT_EQUAL(set(rig.site, 0, &in, &out), S2SVPN_OK);
        for (int i = 0; i < 2; i++) {
            CU_ASSERT_EQUAL(s2svpn_tunnel_reset(s2svpn_connection_tunnel(rig.site, 0)), S2SVPN_OK);
            CU_ASSERT_EQUAL(look(rig.site, 0).count, 0);
            if (i == 1) /* without a session it is another policy all the same */
                CU_ASSERT_EQUAL(set(rig.site, 0, NULL, &out), S2SVPN_OK);
            rig_run(&rig, 20 * RIG_SECOND);
            CU_ASSERT_TRUE(rig_both_up(&rig));
            CU_ASSERT_EQUAL(look(rig.site, 0).local_pref, i == 0 ? 200 : 0);
            CU_ASSERT_EQUAL(look(rig.cloud, 0).as_count, 3);
        }
    }
    rig_close(&rig);
}

static void what_is_denied_goes_and_comes_back(void)
{
    const s2svpn_bgp_policy none = policy_of(&deny);
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        for (size_t i = 0; i < 2; i++)
            CU_ASSERT_EQUAL(set(rig.site, i, &none, &none), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND);
        CU_ASSERT(way_of(&rig, false) == 2 && way_of(&rig, true) == 2);
        CU_ASSERT(look(rig.site, 0).count == 0 && look(rig.cloud, 1).count == 0);
        for (size_t i = 0; i < 2; i++)
            CU_ASSERT_EQUAL(set(rig.site, i, NULL, NULL), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND);
        CU_ASSERT(way_of(&rig, false) != 2 && way_of(&rig, true) != 2);
        CU_ASSERT_TRUE(rig_both_up(&rig));
    }
    rig_close(&rig);
}

static void only_a_device_with_bgp_of_ours_has_policies(void)
{
    static const s2svpn_device_options external = {.size = sizeof(external), .external_bgp = true};
    static const struct rig_plan statics = {.static_routes = true},
                                 outside = {.device_options = &external};
    const s2svpn_bgp_policy in = policy_of(&prefer);
    s2svpn_bgp_policy bad = {.size = sizeof(bad), .rule_count = 1};
    static struct rig rig;

    CU_ASSERT_EQUAL(rig_open(&rig, &bgp), S2SVPN_OK);
    rig_check_error(rig.gateway.ctx, set(rig.cloud, 0, &in, NULL), S2SVPN_E_STATE, "connection",
                    "a gateway's");
    rig_check_error(rig.device.ctx, set(rig.site, 0, NULL, &bad), S2SVPN_E_ARGUMENT,
                    "export_policy", "no rules");
    CU_ASSERT_EQUAL(set(rig.site, 0, &in, NULL), S2SVPN_OK); /* before it is started */
    rig_check_error(rig.device.ctx, set(rig.site, 0, &bad, NULL), S2SVPN_E_ARGUMENT,
                    "import_policy", "no rules");
    CU_ASSERT_PTR_NOT_NULL(s2svpn_connection_tunnel(rig.site, 0)->bgp_import);
    CU_ASSERT_EQUAL(s2svpn_connection_delete(rig.site), S2SVPN_OK);
    rig_check_error(rig.device.ctx, set(rig.site, 0, &in, NULL), S2SVPN_E_STATE, "connection",
                    "deleted");
    rig_close(&rig);
    CU_ASSERT_EQUAL(rig_open(&rig, &statics), S2SVPN_OK);
    rig_check_error(rig.device.ctx, set(rig.site, 0, &in, NULL), S2SVPN_E_STATE, "connection",
                    "static routes");
    rig_close(&rig);
    CU_ASSERT_EQUAL(rig_open(&rig, &outside), S2SVPN_OK);
    rig_check_error(rig.device.ctx, set(rig.site, 0, &in, NULL), S2SVPN_E_STATE, "connection",
                    "external BGP");
    rig_close(&rig);
}

/* Every allocation of a change fails once: the policies are the old ones then. */
static void a_change_without_memory_changes_nothing(void)
{
    const s2svpn_bgp_policy in = policy_of(&prefer), out = policy_of(&longer);
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        s2svpn_status rc = S2SVPN_E_MEMORY;

        for (size_t n = 1; rc != S2SVPN_OK && n < 100; n++) {
            rig.device.heap.fail_at = rig.device.heap.allocations + n;
            rc = set(rig.site, 0, &in, &out);
            rig.device.heap.fail_at = 0;
            CU_ASSERT(rc == S2SVPN_OK || rc == S2SVPN_E_MEMORY);
            CU_ASSERT_EQUAL(s2svpn_connection_tunnel(rig.site, 0)->bgp_export != NULL,
                            rc == S2SVPN_OK);
            CU_ASSERT(rc == S2SVPN_OK || look(rig.cloud, 0).as_count == 1);
        }
        rig_run(&rig, RIG_SECOND);
        CU_ASSERT(look(rig.cloud, 0).as_count == 3 && look(rig.site, 0).local_pref == 200);
    }
    rig_close(&rig);
}

/* ---- too many prefixes */

static void announce(struct rig *rig, unsigned from, unsigned to)
{
    s2svpn_tunnel *t = s2svpn_connection_tunnel(rig->site, 0);

    for (unsigned i = from; i < to; i++) {
        s2svpn_prefix p = rig_prefix("172.16.0.0/24");

        p.address.bytes[2] = (uint8_t)i;
        s2_bgp_tell(t, &p, 0, NULL, 0);
    }
    rig_run(rig, 12 * RIG_SECOND);
}

static void a_peer_near_the_limit_is_named_and_one_above_it_put_out(void)
{
    const s2svpn_limits limits = {.size = sizeof(limits), .prefixes_from_peer = 8};
    const struct rig_plan plan = {.limits = &limits};
    static struct rig rig;

    if (rig_up(&rig, &plan)) {
        announce(&rig, 0, 4); /* with the LAN: 5 */
        CU_ASSERT_FALSE(rig_event_says(&rig.gateway, S2SVPN_EVENT_NOTE, "of at most 8 prefixes"));
        announce(&rig, 4, 7);
        CU_ASSERT_TRUE(rig_event_says(&rig.gateway, S2SVPN_EVENT_NOTE,
                                      "the peer announces 8 of at most 8 prefixes"));
        CU_ASSERT_TRUE(rig_both_up(&rig));
        announce(&rig, 7, 8);
        CU_ASSERT_TRUE(
            rig_event_says(&rig.gateway, S2SVPN_EVENT_NOTE,
                           "notification sent: Cease/Maximum Number of Prefixes Reached"));
        const s2svpn_tunnel_info cloud = rig_tunnel(rig.cloud, 0), site = rig_tunnel(rig.site, 0);
        CU_ASSERT(!cloud.up && cloud.phase == S2SVPN_TUNNEL_IPSEC_UP && cloud.bgp_state == 1);
        CU_ASSERT_STRING_EQUAL(cloud.reason, "sent Cease/Maximum Number of Prefixes Reached");
        CU_ASSERT_STRING_EQUAL(site.reason, "received Cease/Maximum Number of Prefixes Reached");
        CU_ASSERT_TRUE(rig_tunnel(rig.cloud, 1).up); /* the other session counts for itself */
        CU_ASSERT(way_of(&rig, false) == 1 && way_of(&rig, true) == 1);
        /* and again after its rest, and it is said for as long as it is so */
        rig_run(&rig, 80 * RIG_SECOND);
        CU_ASSERT_PTR_NOT_NULL(strstr(rig_tunnel(rig.cloud, 0).reason, "Cease/Maximum Number"));
        CU_ASSERT_PTR_NOT_NULL(strstr(rig_tunnel(rig.site, 0).reason, "Cease/Maximum Number"));
        /* a filter at the site, and the session is back as soon as the gateway has rested */
        const s2svpn_bgp_prefix_match one = {.prefix = rig_prefix("172.16.7.0/24")};
        const s2svpn_bgp_rule rule = {.prefixes = &one, .prefix_count = 1, .accept = false};
        const s2svpn_bgp_policy out = policy_of(&rule);
        CU_ASSERT_EQUAL(set(rig.site, 0, NULL, &out), S2SVPN_OK);
        rig_run(&rig, 120 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        CU_ASSERT_EQUAL(look(rig.cloud, 0).count, 8);
    }
    rig_close(&rig);
}

const CU_TestInfo s2_test_bgp_policies[] = {
    {"policies pin both directions and no session ends",
     policies_pin_both_directions_and_no_session_ends},
    {"policies are there in every session", policies_are_there_in_every_session},
    {"what is denied goes and comes back", what_is_denied_goes_and_comes_back},
    {"only a device with BGP of ours has policies", only_a_device_with_bgp_of_ours_has_policies},
    {"a change without memory changes nothing", a_change_without_memory_changes_nothing},
    {"a peer near the limit is named and one above it put out",
     a_peer_near_the_limit_is_named_and_one_above_it_put_out},
    CU_TEST_INFO_NULL,
};
