/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/router.c: which tunnels carry a prefix, and which flow goes by which. AWS's order
 * of choice once more, from an instance's packet to the tunnel that it leaves by. */
#include <string.h>

#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"
#include "vpn/ways.h"

static const s2svpn_device_options both = {.size = sizeof(both), .ecmp_paths = 2};
static const struct rig_plan off = {0};
static const struct rig_plan bgp = {.ecmp_paths = 8, .device_options = &both};
static const struct rig_plan statics = {
    .static_routes = true, .ecmp_paths = 2, .device_options = &both};

static bool cut_first(struct rig *rig, const struct rig_side *from, const s2svpn_datagram *d)
{
    (void)rig;
    (void)from;
    return d->local.address.bytes[3] == 1 || d->remote.address.bytes[3] == 1;
}

static size_t paths_of(const s2svpn_connection *c, const char *prefix)
{
    const s2svpn_prefix p = rig_prefix(prefix);

    return s2svpn_connection_paths(c, &p, NULL, 0);
}

static s2svpn_route route_to(const struct rig *rig, const char *address)
{
    const s2svpn_address a = rig_address(address);
    s2svpn_route r = {.paths = 0};

    CU_ASSERT_EQUAL(s2svpn_route_table_lookup(rig->table, &a, &r), S2SVPN_OK);
    return r;
}

/* ---- off and on */

/* Up, and static routes in use by both tunnels: the answerer's wait for the peer's packets. */
static bool settled(struct rig *rig, const struct rig_plan *plan)
{
    const bool up = rig_up(rig, plan);

    rig_run(rig, 5 * RIG_SECOND);
    return up;
}

static void one_tunnel_carries_everything_unless_asked(void)
{
    static const struct rig_plan off_statics = {.static_routes = true};
    static const struct rig_plan *const plans[] = {&off, &off_statics};
    static struct ways w;
    static struct rig rig;

    for (size_t i = 0; i < 2; i++) {
        if (settled(&rig, plans[i])) {
            ways_look(&rig.gateway, &w);
            CU_ASSERT(w.count[0] == WAYS_FLOWS || w.count[1] == WAYS_FLOWS);
            ways_look(&rig.device, &w);
            CU_ASSERT_EQUAL(w.count[0], WAYS_FLOWS); /* the lower MED, the first one */
            CU_ASSERT_EQUAL(paths_of(rig.cloud, "192.168.0.0/16"), 1);
            CU_ASSERT_EQUAL(route_to(&rig, "192.168.10.20").paths, 1);
            CU_ASSERT_EQUAL(s2_groups_count(&rig.vgw->router.groups), 0);
        }
        rig_close(&rig);
    }
}

static void both_tunnels_carry_even_shares_of_the_flows(void)
{
    static const struct rig_plan *const plans[] = {&bgp, &statics};
    static struct ways w, again;
    static struct rig rig;

    for (size_t i = 0; i < 2; i++) {
        if (settled(&rig, plans[i])) {
            ways_look(&rig.gateway, &w);
            CU_ASSERT_TRUE(ways_are_even(&w));
            ways_look(&rig.gateway, &again);
            CU_ASSERT_EQUAL(memcmp(&w, &again, sizeof(w)), 0);
            ways_look(&rig.device, &w);
            CU_ASSERT_TRUE(ways_are_even(&w));
            CU_ASSERT_EQUAL(s2_groups_count(&rig.vgw->router.groups), 1);
        }
        rig_close(&rig);
    }
}

/* What is told of it: events, tables, paths. */
static void all_paths_in_use_are_shown(void)
{
    const s2svpn_prefix lan = rig_prefix("192.168.0.0/16");
    s2svpn_virtual_gateway_info info = {.size = sizeof(info)};
    s2svpn_path path[S2SVPN_ECMP_PATHS_MAX];
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        const char *id = rig.cloud->object.id.text;
        char words[160];

        CU_ASSERT_EQUAL(s2svpn_connection_paths(rig.cloud, &lan, path, S2SVPN_ECMP_PATHS_MAX), 2);
        for (size_t i = 0; i < 2; i++) {
            CU_ASSERT_STRING_EQUAL(path[i].connection.text, id);
            CU_ASSERT_EQUAL(path[i].tunnel, i);
        }
        path[0].tunnel = path[1].tunnel = 9; /* no more than asked for */
        CU_ASSERT_EQUAL(s2svpn_connection_paths(rig.cloud, &lan, path, 1), 2);
        CU_ASSERT(path[0].tunnel == 0 && path[1].tunnel == 9);
        CU_ASSERT_EQUAL(paths_of(rig.site, "10.0.0.0/16"), 2);
        CU_ASSERT_EQUAL(paths_of(rig.site, "192.168.0.0/16"), 0); /* its own */
        CU_ASSERT_EQUAL(paths_of(rig.cloud, "192.168.0.0/24"), 0);
        CU_ASSERT_EQUAL(route_to(&rig, "192.168.10.20").paths, 2);
        CU_ASSERT_EQUAL(route_to(&rig, "10.0.1.10").paths, 0);
        s2_print(words, sizeof(words), "route 192.168.0.0/16 goes by tunnels %s.1, %s.2", id, id);
        CU_ASSERT_TRUE(rig_event_says(&rig.gateway, S2SVPN_EVENT_ROUTE, words));
        s2svpn_virtual_gateway_get_info(rig.vgw, &info);
        CU_ASSERT_EQUAL(info.ecmp_paths, 8);
        CU_ASSERT_EQUAL(s2svpn_connection_delete(rig.cloud), S2SVPN_OK);
        CU_ASSERT_EQUAL(paths_of(rig.cloud, "192.168.0.0/16"), 0);
        CU_ASSERT_EQUAL(s2_groups_count(&rig.vgw->router.groups), 0);
    }
    rig_close(&rig);
}

static void more_than_eight_paths_are_refused(void)
{
    static const s2svpn_device_options many = {.size = sizeof(many), .ecmp_paths = 9};
    static const struct rig_plan device = {.device_options = &many};
    s2svpn_virtual_gateway_spec spec = S2SVPN_VIRTUAL_GATEWAY_INIT;
    s2svpn_virtual_gateway *vgw = NULL;
    static struct rig rig;
    s2svpn_status rc = rig_open(&rig, &device);

    rig_check_error(rig.device.ctx, rc, S2SVPN_E_ARGUMENT, "ecmp_paths", "device");
    spec.ecmp_paths = 9;
    rc = s2svpn_virtual_gateway_new(rig.gateway.ctx, &spec, &vgw);
    rig_check_error(rig.gateway.ctx, rc, S2SVPN_E_ARGUMENT, "ecmp_paths", "gateway");
    CU_ASSERT_PTR_NULL(vgw);
    rig_close(&rig);
}

/* ---- what is not equal */

/* The gateway of AWS's kind prefers its first tunnel by MED, and the device heeds it; it
 * sends over both where it is the one that has the option. */
static void unequal_meds_are_heeded(void)
{
    static const struct rig_plan device_alone = {.device_options = &both};
    static const struct rig_plan gateway_alone = {.ecmp_paths = 2};
    static struct ways w;
    static struct rig rig;

    if (rig_up(&rig, &device_alone)) {
        ways_look(&rig.device, &w);
        CU_ASSERT_EQUAL(w.count[0], WAYS_FLOWS);
    }
    rig_close(&rig);
    if (rig_up(&rig, &gateway_alone)) {
        ways_look(&rig.gateway, &w);
        CU_ASSERT_TRUE(ways_are_even(&w));
        ways_look(&rig.device, &w);
        CU_ASSERT(w.count[0] == WAYS_FLOWS || w.count[1] == WAYS_FLOWS);
    }
    rig_close(&rig);
}

/* ---- AWS's order of choice: the winner's packets leave by its tunnel */

#define BGP .kind = S2_ROUTE_BGP, .usable = true, .local_pref = 100
static const struct {
    const char *row;
    struct {
        const char *prefix;
        struct s2_rib_path path;
    } winner, loser; /* the loser is older */
} choices[] = {
    {"the longest prefix",
     {"172.16.4.0/24", {BGP, .as_path_len = 5, .first_as = 9, .med = 900}},
     {"172.16.0.0/16", {.kind = S2_ROUTE_STATIC, .usable = true}}},
    {"static before BGP",
     {"172.16.0.0/16", {.kind = S2_ROUTE_STATIC, .usable = true}},
     {"172.16.0.0/16", {BGP, .as_path_len = 1, .first_as = 9}}},
    {"the shorter AS path",
     {"172.16.0.0/16", {BGP, .as_path_len = 1, .first_as = 9, .med = 200}},
     {"172.16.0.0/16", {BGP, .as_path_len = 2, .first_as = 9, .med = 100}}},
    {"the lower MED of the same first AS",
     {"172.16.0.0/16", {BGP, .as_path_len = 1, .first_as = 9, .med = 100}},
     {"172.16.0.0/16", {BGP, .as_path_len = 1, .first_as = 9, .med = 200}}},
    {"else the one that it was before",
     {"172.16.0.0/16", {BGP, .as_path_len = 1, .first_as = 8, .since_ns = 1}},
     {"172.16.0.0/16", {BGP, .as_path_len = 1, .first_as = 9, .since_ns = 2}}},
};
#undef BGP

static void set_path_of(struct rig *rig, const char *prefix, s2svpn_connection *conn, size_t tunnel,
                        struct s2_rib_path path)
{
    const s2svpn_prefix p = rig_prefix(prefix);

    path.source = &conn->tunnel[tunnel];
    path.order = conn->order + (uint32_t)tunnel;
    s2_enter(rig->gateway.ctx, 0);
    CU_ASSERT_EQUAL(s2_rib_set(rig->vgw->router.rib, &p, &path, rig->now_ns), S2SVPN_OK);
    s2_leave(rig->gateway.ctx);
}

static void set_path(struct rig *rig, const char *prefix, size_t tunnel, struct s2_rib_path path)
{
    set_path_of(rig, prefix, rig->cloud, tunnel, path);
}

static void unset_path(struct rig *rig, const char *prefix, size_t tunnel)
{
    const s2svpn_prefix p = rig_prefix(prefix);

    s2_enter(rig->gateway.ctx, 0);
    s2_rib_unset(rig->vgw->router.rib, &p, &rig->cloud->tunnel[tunnel], rig->now_ns);
    s2_leave(rig->gateway.ctx);
}

static void aws_s_order_of_choice_holds_from_packet_to_tunnel(void)
{
    static const struct packet_spec spec = {
        .from = "10.0.1.10", .to = "172.16.4.5", .protocol = 17, .payload = 20};
    static uint8_t p[PACKET_ROOM];
    static struct rig rig;

    if (rig_up(&rig, &off)) {
        for (size_t i = 0; i < 2 * sizeof(choices) / sizeof(choices[0]); i++) {
            const char *row = choices[i / 2].row;
            const size_t winner = i % 2, loser = 1 - winner;

            set_path(&rig, choices[i / 2].loser.prefix, loser, choices[i / 2].loser.path);
            rig.now_ns += RIG_SECOND / 1000;
            CHECK_ROW(row, ways_of(&rig.gateway, p, packet_write(p, &spec)) == loser);
            set_path(&rig, choices[i / 2].winner.prefix, winner, choices[i / 2].winner.path);
            CHECK_ROW(row, ways_of(&rig.gateway, p, packet_write(p, &spec)) == winner);
            unset_path(&rig, choices[i / 2].winner.prefix, winner);
            CHECK_ROW(row, ways_of(&rig.gateway, p, packet_write(p, &spec)) == loser);
            unset_path(&rig, choices[i / 2].loser.prefix, loser);
            CHECK_ROW(row, ways_of(&rig.gateway, p, packet_write(p, &spec)) == NO_WAY);
        }
    }
    rig_close(&rig);
}

/* ---- several connections */

/* Three connections of one site, as people make them for more than a tunnel carries. */
static void tunnels_of_several_connections_share_a_prefix(void)
{
    static const struct s2_rib_path shared = {.kind = S2_ROUTE_BGP,
                                              .usable = true,
                                              .together = 8,
                                              .local_pref = 100,
                                              .as_path_len = 1,
                                              .first_as = 65000};
    static const char *const address[] = {NULL, "203.0.113.8", "203.0.113.9"};
    s2svpn_customer_gateway_spec cgw = S2SVPN_CUSTOMER_GATEWAY_INIT;
    s2svpn_customer_gateway *site = NULL;
    s2svpn_connection *conn[3] = {NULL};
    s2svpn_path path[S2SVPN_ECMP_PATHS_MAX];
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        const s2svpn_prefix p = rig_prefix("172.16.0.0/16");
        char words[160];

        conn[0] = rig.cloud;
        for (size_t i = 1; i < 3; i++) {
            cgw.address = address[i];
            CU_ASSERT_EQUAL(s2svpn_customer_gateway_new(rig.gateway.ctx, &cgw, &site), S2SVPN_OK);
            CU_ASSERT_EQUAL_FATAL(s2svpn_connection_new(rig.vgw, site, NULL, &conn[i]), S2SVPN_OK);
            s2svpn_customer_gateway_release(site);
        }
        for (size_t i = 0; i < 6; i++)
            set_path_of(&rig, "172.16.0.0/16", conn[i / 2], i % 2, shared);
        CU_ASSERT_EQUAL_FATAL(s2svpn_connection_paths(conn[2], &p, path, 8), 6);
        for (size_t i = 0; i < 6; i++) {
            CU_ASSERT_STRING_EQUAL(path[i].connection.text, conn[i / 2]->object.id.text);
            CU_ASSERT_EQUAL(path[i].tunnel, i % 2);
        }
        s2_print(words, sizeof(words), "goes by tunnels %s, %s, %s, %s and 2 more",
                 conn[0]->tunnel[0].name, conn[0]->tunnel[1].name, conn[1]->tunnel[0].name,
                 conn[1]->tunnel[1].name);
        CU_ASSERT_TRUE(rig_event_says(&rig.gateway, S2SVPN_EVENT_ROUTE, words));
        for (size_t i = 2; i > 0; i--) { /* and go one by one */
            CU_ASSERT_EQUAL(s2svpn_connection_delete(conn[i]), S2SVPN_OK);
            s2svpn_connection_release(conn[i]);
            CU_ASSERT_EQUAL(s2svpn_connection_paths(conn[0], &p, path, 8), 2 * i);
        }
        CU_ASSERT_EQUAL(s2_groups_count(&rig.vgw->router.groups), 1); /* the LAN's, too */
    }
    rig_close(&rig);
}

/* ---- a tunnel goes and comes */

/* Flows of the second stay, those of the first move; later each is where it was. */
static void check_moved(const struct ways *before, const struct ways *now)
{
    unsigned stayed = 0;

    for (unsigned i = 0; i < WAYS_FLOWS; i++)
        stayed += before->way[i] == 1 && now->way[i] == 1;
    CU_ASSERT_EQUAL(stayed, before->count[1]);
    CU_ASSERT_EQUAL(now->count[1], WAYS_FLOWS);
}

static void only_the_lost_tunnel_s_flows_move_and_they_come_back(void)
{
    static const struct rig_plan *const plans[] = {&bgp, &statics};
    static struct ways before, now;
    static struct rig rig;

    for (size_t i = 0; i < 2; i++) {
        if (settled(&rig, plans[i])) {
            ways_look(&rig.gateway, &before);
            rig.loses = cut_first;
            rig_run(&rig, 100 * RIG_SECOND);
            CU_ASSERT_FALSE(rig_tunnel(rig.cloud, 0).up);
            ways_look(&rig.gateway, &now);
            check_moved(&before, &now);
            CU_ASSERT_EQUAL(s2_groups_count(&rig.vgw->router.groups), 0);
            CU_ASSERT_EQUAL(route_to(&rig, "192.168.10.20").paths, 1);
            rig.loses = NULL;
            rig_run(&rig, 200 * RIG_SECOND);
            CU_ASSERT_TRUE(rig_both_up(&rig));
            ways_look(&rig.gateway, &now);
            CU_ASSERT_EQUAL(memcmp(&before, &now, sizeof(now)), 0);
        }
        rig_close(&rig);
    }
}

/* A tunnel's endpoint is replaced: its flows move before it closes, from both ends. */
static void a_replaced_tunnel_s_flows_move_first_and_come_back(void)
{
    static struct ways gateway, device, now;
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        ways_look(&rig.gateway, &gateway);
        ways_look(&rig.device, &device);
        CU_ASSERT_EQUAL(s2svpn_tunnel_replace(s2svpn_connection_tunnel(rig.cloud, 0)), S2SVPN_OK);
        rig_run(&rig, 2 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig)); /* still */
        ways_look(&rig.gateway, &now);
        check_moved(&gateway, &now);
        ways_look(&rig.device, &now);
        check_moved(&device, &now);
        rig_run(&rig, 100 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        ways_look(&rig.gateway, &now);
        CU_ASSERT_EQUAL(memcmp(&gateway, &now, sizeof(now)), 0);
        ways_look(&rig.device, &now);
        CU_ASSERT_EQUAL(memcmp(&device, &now, sizeof(now)), 0);
    }
    rig_close(&rig);
}

/* Before a route changes: a tunnel without a child takes nothing. */
static void a_tunnel_without_a_child_takes_nothing(void)
{
    static struct ways before, now;
    static struct rig rig;

    if (settled(&rig, &statics)) {
        struct s2_sa_out *out = atomic_load(&rig.cloud->tunnel[0].out);

        ways_look(&rig.gateway, &before);
        atomic_store(&rig.cloud->tunnel[0].out, NULL);
        ways_look(&rig.gateway, &now);
        check_moved(&before, &now);
        atomic_store(&rig.cloud->tunnel[0].out, out);
        ways_look(&rig.gateway, &now);
        CU_ASSERT_EQUAL(memcmp(&before, &now, sizeof(now)), 0);
    }
    rig_close(&rig);
}

/* The site's own prefix never goes back to it, by none of its tunnels. */
static void a_packet_does_not_return_to_its_site(void)
{
    static uint8_t p[PACKET_ROOM];
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        const s2svpn_prefix away = rig_prefix("192.168.128.0/17");
        const uint64_t before = s2svpn_context_drops(rig.gateway.ctx, S2SVPN_DROP_NO_ROUTE);

        /* The device sends it, for it has a longer prefix that leads into the tunnels. */
        s2_enter(rig.device.ctx, 0);
        CU_ASSERT_EQUAL(s2_fib_set(rig.device.ctx->device->fib, &away,
                                   s2_target_make(&rig.site->tunnel[1], S2_TARGET_TUNNEL)),
                        S2SVPN_OK);
        s2_leave(rig.device.ctx);
        for (uint16_t i = 0; i < 20; i++) {
            const struct packet_spec spec = {.from = "192.168.10.20",
                                             .to = "192.168.200.1",
                                             .protocol = 17,
                                             .from_port = (uint16_t)(1000 + i)};

            rig_send(&rig.device, p, packet_write(p, &spec));
            rig_pump(&rig);
        }
        CU_ASSERT_EQUAL(s2svpn_context_drops(rig.gateway.ctx, S2SVPN_DROP_NO_ROUTE), before + 20);
        s2_fib_unset(rig.device.ctx->device->fib, &away);
    }
    rig_close(&rig);
}

const CU_TestInfo s2_test_ecmp[] = {
    {"one tunnel carries everything unless asked", one_tunnel_carries_everything_unless_asked},
    {"both tunnels carry even shares of the flows", both_tunnels_carry_even_shares_of_the_flows},
    {"all paths in use are shown", all_paths_in_use_are_shown},
    {"more than eight paths are refused", more_than_eight_paths_are_refused},
    {"unequal MEDs are heeded", unequal_meds_are_heeded},
    {"AWS's order of choice holds from packet to tunnel",
     aws_s_order_of_choice_holds_from_packet_to_tunnel},
    {"tunnels of several connections share a prefix",
     tunnels_of_several_connections_share_a_prefix},
    {"only the lost tunnel's flows move, and they come back",
     only_the_lost_tunnel_s_flows_move_and_they_come_back},
    {"a replaced tunnel's flows move first, and come back",
     a_replaced_tunnel_s_flows_move_first_and_come_back},
    {"a tunnel without a child takes nothing", a_tunnel_without_a_child_takes_nothing},
    {"a packet does not return to its site", a_packet_does_not_return_to_its_site},
    CU_TEST_INFO_NULL,
};
