/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/router.c, route_table.c: propagation, exactly. The entry appears at the first
 * UP and goes with the prefix; the path goes at once. */
#include <string.h>

#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

static const struct rig_plan bgp = {0};
static const struct rig_plan static_routes = {.static_routes = true};

/* Of the route to the LAN. */
enum entry { ABSENT, THERE, USABLE };

static enum entry entry_of(const struct rig *rig, const char *prefix)
{
    const s2svpn_prefix wanted = rig_prefix(prefix);
    s2svpn_route r[32];
    const size_t n = s2svpn_route_table_list(rig->table, r, 32);

    for (size_t i = 0; i < n && i < 32; i++) {
        if (r[i].origin == S2SVPN_ORIGIN_PROPAGATED && s2_prefix_equal(&r[i].prefix, &wanted)) {
            CU_ASSERT_EQUAL(r[i].target, S2SVPN_TARGET_GATEWAY);
            CU_ASSERT_STRING_EQUAL(r[i].target_id.text, rig->vgw->object.id.text);
            CU_ASSERT_FALSE(r[i].blackhole);
            return r[i].usable ? USABLE : THERE;
        }
    }
    return ABSENT;
}

static enum entry lan(const struct rig *rig)
{
    return entry_of(rig, "192.168.0.0/16");
}

/* A packet from the instance to the LAN: did it leave, and if not, why? */
static enum s2svpn_drop fate(struct rig *rig)
{
    const struct packet_spec spec = {
        .from = "10.0.1.10", .to = "192.168.10.20", .protocol = 17, .payload = 20};
    static uint8_t p[PACKET_ROOM];
    const size_t len = packet_write(p, &spec);
    uint64_t before[S2SVPN_DROP_COUNT];

    for (unsigned i = 0; i < S2SVPN_DROP_COUNT; i++)
        before[i] = s2svpn_context_drops(rig->gateway.ctx, (enum s2svpn_drop)i);
    rig_send(&rig->gateway, p, len);
    rig_drop_all(&rig->gateway.inside); /* ICMP errors */
    for (unsigned i = 0; i < S2SVPN_DROP_COUNT; i++) {
        if (s2svpn_context_drops(rig->gateway.ctx, (enum s2svpn_drop)i) > before[i])
            return (enum s2svpn_drop)i;
    }
    return S2SVPN_DROP_NONE;
}

static bool cut_first(struct rig *rig, const struct rig_side *from, const s2svpn_datagram *d)
{
    (void)rig;
    (void)from;
    return d->local.address.bytes[3] == 1 || d->remote.address.bytes[3] == 1;
}

static bool cut_all(struct rig *rig, const struct rig_side *from, const s2svpn_datagram *d)
{
    (void)rig;
    (void)from;
    (void)d;
    return true;
}

static bool bring_up(struct rig *rig)
{
    CU_ASSERT_EQUAL(s2svpn_connection_start(rig->site), S2SVPN_OK);
    for (size_t i = 0; i < 60 && !rig_both_up(rig); i++)
        rig_run(rig, RIG_SECOND);
    rig_run(rig, 2 * RIG_SECOND);
    return rig_both_up(rig);
}

static void nothing_is_propagated_before_the_first_up(void)
{
    static const struct rig_plan *const plans[] = {&bgp, &static_routes};
    static struct rig rig;

    for (size_t i = 0; i < 2; i++) {
        if (rig_open(&rig, plans[i]) == S2SVPN_OK) {
            rig_run(&rig, 10 * RIG_SECOND);
            CU_ASSERT_EQUAL(lan(&rig), ABSENT);
            CU_ASSERT_EQUAL(fate(&rig), S2SVPN_DROP_NO_ROUTE);
            CU_ASSERT_TRUE(bring_up(&rig));
            CU_ASSERT_EQUAL(lan(&rig), USABLE);
            CU_ASSERT_EQUAL(fate(&rig), S2SVPN_DROP_NONE);
        }
        rig_close(&rig);
    }
}

static void the_entry_survives_interruption_and_the_path_does_not(void)
{
    static const struct rig_plan *const plans[] = {&bgp, &static_routes};
    static struct rig rig;

    for (size_t i = 0; i < 2; i++) {
        if (rig_up(&rig, plans[i])) {
            rig.loses = cut_first;
            rig_run(&rig, 100 * RIG_SECOND);
            CU_ASSERT_FALSE(rig_tunnel(rig.cloud, 0).up);
            CU_ASSERT_EQUAL(lan(&rig), USABLE); /* by the second tunnel */
            CU_ASSERT_EQUAL(fate(&rig), S2SVPN_DROP_NONE);
            rig.loses = cut_all;
            rig_run(&rig, 100 * RIG_SECOND);
            CU_ASSERT_FALSE(rig_tunnel(rig.cloud, 1).up);
            CU_ASSERT_EQUAL(lan(&rig), THERE);
            CU_ASSERT_EQUAL(fate(&rig), S2SVPN_DROP_NO_PATH);
            rig_run(&rig, 3600 * RIG_SECOND);
            CU_ASSERT_EQUAL(lan(&rig), THERE);
            rig.loses = NULL;
            rig_run(&rig, 200 * RIG_SECOND);
            CU_ASSERT_EQUAL(lan(&rig), USABLE);
            CU_ASSERT_EQUAL(fate(&rig), S2SVPN_DROP_NONE);
        }
        rig_close(&rig);
    }
}

static void a_withdrawal_on_an_established_session_takes_the_entry(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        CU_ASSERT_EQUAL(s2svpn_port_delete(rig.device.port), S2SVPN_OK); /* and so withdraws */
        rig_run(&rig, 60 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        CU_ASSERT_EQUAL(lan(&rig), ABSENT);
        CU_ASSERT_EQUAL(fate(&rig), S2SVPN_DROP_NO_ROUTE);
    }
    rig_close(&rig);
}

/* Withdrawn while one tunnel is away: what that one had announced goes as well. */
static void a_withdrawal_counts_for_a_tunnel_that_is_away(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        rig.loses = cut_first;
        rig_run(&rig, 100 * RIG_SECOND);
        CU_ASSERT_EQUAL(s2svpn_port_delete(rig.device.port), S2SVPN_OK);
        rig_run(&rig, 60 * RIG_SECOND);
        CU_ASSERT_EQUAL(lan(&rig), ABSENT);
        rig.loses = NULL;
        rig_run(&rig, 200 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        CU_ASSERT_EQUAL(lan(&rig), ABSENT);
    }
    rig_close(&rig);
}

/* The device's memory of the prefix goes while both tunnels are down: the sessions that
 * come back don't announce it, and their End-of-RIB takes it. */
static void a_session_that_comes_back_without_it_takes_the_entry(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        rig.loses = cut_all;
        rig_run(&rig, 100 * RIG_SECOND);
        CU_ASSERT_EQUAL(s2svpn_port_delete(rig.device.port), S2SVPN_OK);
        CU_ASSERT_EQUAL(lan(&rig), THERE);
        rig.loses = NULL;
        rig_run(&rig, 200 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        CU_ASSERT_EQUAL(lan(&rig), ABSENT);
    }
    rig_close(&rig);
}

static void disabling_takes_it_at_once_and_enabling_brings_it(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        s2svpn_context *ctx = rig.gateway.ctx;

        rig_check_error(ctx, s2svpn_route_table_enable_propagation(rig.table, rig.vgw),
                        S2SVPN_E_EXISTS, "virtual_gateway", "twice");
        CU_ASSERT_EQUAL(s2svpn_route_table_disable_propagation(rig.table, rig.vgw), S2SVPN_OK);
        CU_ASSERT_EQUAL(lan(&rig), ABSENT);
        CU_ASSERT_EQUAL(fate(&rig), S2SVPN_DROP_NO_ROUTE);
        rig_check_error(ctx, s2svpn_route_table_disable_propagation(rig.table, rig.vgw),
                        S2SVPN_E_NOT_FOUND, "virtual_gateway", "twice");
        CU_ASSERT_EQUAL(s2svpn_route_table_enable_propagation(rig.table, rig.vgw), S2SVPN_OK);
        CU_ASSERT_EQUAL(lan(&rig), USABLE);
        CU_ASSERT_EQUAL(fate(&rig), S2SVPN_DROP_NONE);
    }
    rig_close(&rig);
}

static void enabling_while_down_waits_for_up(void)
{
    static const struct rig_plan *const plans[] = {&bgp, &static_routes};
    static struct rig rig;

    for (size_t i = 0; i < 2; i++) {
        if (rig_up(&rig, plans[i])) {
            CU_ASSERT_EQUAL(s2svpn_route_table_disable_propagation(rig.table, rig.vgw), S2SVPN_OK);
            rig.loses = cut_all;
            rig_run(&rig, 100 * RIG_SECOND);
            CU_ASSERT_EQUAL(s2svpn_route_table_enable_propagation(rig.table, rig.vgw), S2SVPN_OK);
            CU_ASSERT_EQUAL(lan(&rig), ABSENT);
            rig_run(&rig, 100 * RIG_SECOND);
            CU_ASSERT_EQUAL(lan(&rig), ABSENT);
            rig.loses = NULL;
            rig_run(&rig, 200 * RIG_SECOND);
            CU_ASSERT_EQUAL(lan(&rig), USABLE);
        }
        rig_close(&rig);
    }
}

static void enabling_needs_an_attached_gateway(void)
{
    static struct rig rig;

    rig_gateway(&rig, NULL);
    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(rig.vgw), S2SVPN_OK);
    rig_check_error(rig.gateway.ctx, s2svpn_route_table_enable_propagation(rig.table, rig.vgw),
                    S2SVPN_E_STATE, "virtual_gateway", "detached");
    rig_close(&rig);
}

static void detaching_takes_the_entry_and_attaching_does_not_bring_it(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(rig.vgw), S2SVPN_OK);
        CU_ASSERT_EQUAL(lan(&rig), ABSENT);
        CU_ASSERT_EQUAL(fate(&rig), S2SVPN_DROP_NO_ROUTE);
        CU_ASSERT_EQUAL(s2svpn_virtual_gateway_attach(rig.vgw, rig.vpc), S2SVPN_OK);
        CU_ASSERT_EQUAL(lan(&rig), ABSENT); /* propagation has to be enabled anew */
        CU_ASSERT_EQUAL(s2svpn_route_table_enable_propagation(rig.table, rig.vgw), S2SVPN_OK);
        CU_ASSERT_EQUAL(lan(&rig), USABLE);
    }
    rig_close(&rig);
}

static void deleting_the_connection_takes_the_entry(void)
{
    static const struct rig_plan *const plans[] = {&bgp, &static_routes};
    static struct rig rig;

    for (size_t i = 0; i < 2; i++) {
        if (rig_up(&rig, plans[i])) {
            CU_ASSERT_EQUAL(s2svpn_connection_delete(rig.cloud), S2SVPN_OK);
            CU_ASSERT_EQUAL(lan(&rig), ABSENT);
            CU_ASSERT_EQUAL(fate(&rig), S2SVPN_DROP_NO_ROUTE);
        }
        rig_close(&rig);
    }
}

static void a_static_prefix_comes_and_goes_while_up(void)
{
    const s2svpn_prefix second = rig_prefix("172.16.0.0/16"), first = rig_prefix("192.168.0.0/16");
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        CU_ASSERT_EQUAL(s2svpn_connection_add_static_route(rig.cloud, &second), S2SVPN_OK);
        CU_ASSERT_EQUAL(entry_of(&rig, "172.16.0.0/16"), USABLE);
        CU_ASSERT_EQUAL(s2svpn_connection_remove_static_route(rig.cloud, &first), S2SVPN_OK);
        CU_ASSERT_EQUAL(lan(&rig), ABSENT);
        rig.loses = cut_all;
        rig_run(&rig, 100 * RIG_SECOND);
        CU_ASSERT_EQUAL(entry_of(&rig, "172.16.0.0/16"), THERE);
        CU_ASSERT_EQUAL(s2svpn_connection_add_static_route(rig.cloud, &first), S2SVPN_OK);
        CU_ASSERT_EQUAL(lan(&rig), ABSENT); /* down: it waits for UP */
        CU_ASSERT_EQUAL(s2svpn_connection_remove_static_route(rig.cloud, &second), S2SVPN_OK);
        CU_ASSERT_EQUAL(entry_of(&rig, "172.16.0.0/16"), ABSENT);
        rig.loses = NULL;
        rig_run(&rig, 200 * RIG_SECOND);
        CU_ASSERT_EQUAL(lan(&rig), USABLE);
    }
    rig_close(&rig);
}

static void every_table_that_asked_gets_them(void)
{
    static struct rig rig;
    s2svpn_route_table *custom = NULL, *main = NULL;

    if (rig_up(&rig, &bgp)) {
        CU_ASSERT_EQUAL(s2svpn_route_table_new(rig.vpc, &custom), S2SVPN_OK);
        main = rig.table;
        rig.table = custom;
        CU_ASSERT_EQUAL(lan(&rig), ABSENT);
        CU_ASSERT_EQUAL(s2svpn_route_table_enable_propagation(custom, rig.vgw), S2SVPN_OK);
        CU_ASSERT_EQUAL(lan(&rig), USABLE);
        CU_ASSERT_EQUAL(s2svpn_port_delete(rig.device.port), S2SVPN_OK);
        rig_run(&rig, 60 * RIG_SECOND);
        CU_ASSERT_EQUAL(lan(&rig), ABSENT);
        rig.table = main;
        CU_ASSERT_EQUAL(lan(&rig), ABSENT);
        CU_ASSERT_EQUAL(s2svpn_route_table_delete(custom), S2SVPN_OK); /* with its propagation */
        s2svpn_route_table_release(custom);
    }
    rig_close(&rig);
}

/* The VPC's CIDR goes to the device over BGP with the attachment, and leaves with it. */
static void the_vpc_is_advertised_as_long_as_it_is_attached(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        const s2svpn_prefix vpc = rig_prefix("10.0.0.0/16");
        const struct s2_fib *fib = rig.device.ctx->device->fib;

        CU_ASSERT_EQUAL(s2_target_kind(s2_fib_get(fib, &vpc)), S2_TARGET_TUNNEL);
        CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(rig.vgw), S2SVPN_OK);
        rig_run(&rig, 60 * RIG_SECOND);
        CU_ASSERT_EQUAL(s2_fib_get(fib, &vpc), 0);
        CU_ASSERT_EQUAL(s2svpn_virtual_gateway_attach(rig.vgw, rig.vpc), S2SVPN_OK);
        rig_run(&rig, 60 * RIG_SECOND);
        CU_ASSERT_EQUAL(s2_target_kind(s2_fib_get(fib, &vpc)), S2_TARGET_TUNNEL);
    }
    rig_close(&rig);
}

/* ---- beside other routes of the table */

static s2svpn_status by_hand(struct rig *rig, const char *prefix)
{
    const s2svpn_prefix p = rig_prefix(prefix);

    return s2svpn_route_table_add(rig->table, &p, NULL, rig->gateway.port);
}

static const char *taken(const struct rig *rig, const char *address)
{
    static const char *const origin[] = {"?", "local", "manual", "propagated"};
    const s2svpn_address a = rig_address(address);
    s2svpn_route r;

    return s2svpn_route_table_lookup(rig->table, &a, &r) == S2SVPN_OK ? origin[r.origin] : "none";
}

/* AWS.md's rows: same prefix, inside local, longer than either. */
static void manual_and_local_win_and_what_is_hidden_comes_back(void)
{
    const s2svpn_prefix in_vpc = rig_prefix("10.0.7.0/24"),
                        lan_prefix = rig_prefix("192.168.0.0/16");
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        CU_ASSERT_EQUAL(s2svpn_connection_add_static_route(rig.cloud, &in_vpc), S2SVPN_OK);
        CU_ASSERT_EQUAL(entry_of(&rig, "10.0.7.0/24"), USABLE);   /* it is listed … */
        CU_ASSERT_STRING_EQUAL(taken(&rig, "10.0.7.1"), "local"); /* … and not taken */
        CU_ASSERT_EQUAL(by_hand(&rig, "192.168.0.0/16"), S2SVPN_OK);
        CU_ASSERT_EQUAL(by_hand(&rig, "192.168.9.0/24"), S2SVPN_OK);
        CU_ASSERT_EQUAL(lan(&rig), USABLE);
        CU_ASSERT_STRING_EQUAL(taken(&rig, "192.168.1.1"), "manual");
        /* The propagated one goes and comes: the manual one stays, and wins. */
        CU_ASSERT_EQUAL(s2svpn_connection_remove_static_route(rig.cloud, &lan_prefix), S2SVPN_OK);
        CU_ASSERT_EQUAL(lan(&rig), ABSENT);
        CU_ASSERT_STRING_EQUAL(taken(&rig, "192.168.1.1"), "manual");
        CU_ASSERT_EQUAL(s2svpn_connection_add_static_route(rig.cloud, &lan_prefix), S2SVPN_OK);
        CU_ASSERT_EQUAL(lan(&rig), USABLE);
        CU_ASSERT_STRING_EQUAL(taken(&rig, "192.168.1.1"), "manual");
        /* The manual one goes: the propagated one was there all the time. */
        CU_ASSERT_EQUAL(s2svpn_route_table_remove(rig.table, &lan_prefix), S2SVPN_OK);
        CU_ASSERT_STRING_EQUAL(taken(&rig, "192.168.1.1"), "propagated");
        CU_ASSERT_EQUAL(fate(&rig), S2SVPN_DROP_NONE);
        CU_ASSERT_STRING_EQUAL(taken(&rig, "192.168.9.1"), "manual"); /* longer */
    }
    rig_close(&rig);
}

/* A manual route to the gateway is there while the tunnels are down, and needs no UP. */
static void a_manual_route_to_the_gateway_waits_for_no_up(void)
{
    const s2svpn_prefix p = rig_prefix("192.168.0.0/16");
    static struct rig rig;

    if (rig_open(&rig, &static_routes) == S2SVPN_OK) {
        CU_ASSERT_EQUAL(s2svpn_route_table_add(rig.table, &p, rig.vgw, NULL), S2SVPN_OK);
        CU_ASSERT_EQUAL(fate(&rig), S2SVPN_DROP_NO_PATH);
        CU_ASSERT_TRUE(bring_up(&rig));
        CU_ASSERT_EQUAL(fate(&rig), S2SVPN_DROP_NONE);
        CU_ASSERT_EQUAL(lan(&rig), USABLE); /* beside it */
    }
    rig_close(&rig);
}

/* Which table is main plays no part: what was enabled on a table stays with it. */
static void propagation_belongs_to_the_table_and_not_to_its_part(void)
{
    static struct rig rig;
    s2svpn_route_table *custom = NULL;

    if (rig_up(&rig, &bgp)) {
        CU_ASSERT_EQUAL(s2svpn_route_table_new(rig.vpc, &custom), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_route_table_set_main(custom), S2SVPN_OK);
        CU_ASSERT_EQUAL(lan(&rig), USABLE);
        CU_ASSERT_EQUAL(fate(&rig), S2SVPN_DROP_NO_ROUTE);
        CU_ASSERT_EQUAL(s2svpn_route_table_set_main(rig.table), S2SVPN_OK);
        CU_ASSERT_EQUAL(fate(&rig), S2SVPN_DROP_NONE);
        s2svpn_route_table_release(custom);
    }
    rig_close(&rig);
}

const CU_TestInfo s2_test_propagation[] = {
    {"nothing is propagated before the first UP", nothing_is_propagated_before_the_first_up},
    {"the entry survives interruption, and the path does not",
     the_entry_survives_interruption_and_the_path_does_not},
    {"a withdrawal on an established session takes the entry",
     a_withdrawal_on_an_established_session_takes_the_entry},
    {"a withdrawal counts for a tunnel that is away",
     a_withdrawal_counts_for_a_tunnel_that_is_away},
    {"a session that comes back without it takes the entry",
     a_session_that_comes_back_without_it_takes_the_entry},
    {"disabling takes it at once, and enabling brings it",
     disabling_takes_it_at_once_and_enabling_brings_it},
    {"enabling while DOWN waits for UP", enabling_while_down_waits_for_up},
    {"enabling needs an attached gateway", enabling_needs_an_attached_gateway},
    {"detaching takes the entry, and attaching does not bring it",
     detaching_takes_the_entry_and_attaching_does_not_bring_it},
    {"deleting the connection takes the entry", deleting_the_connection_takes_the_entry},
    {"a static prefix comes and goes while UP", a_static_prefix_comes_and_goes_while_up},
    {"every table that asked gets them", every_table_that_asked_gets_them},
    {"manual and local win, and what is hidden comes back",
     manual_and_local_win_and_what_is_hidden_comes_back},
    {"a manual route to the gateway waits for no UP",
     a_manual_route_to_the_gateway_waits_for_no_up},
    {"propagation belongs to the table, and not to its part",
     propagation_belongs_to_the_table_and_not_to_its_part},
    {"the VPC is advertised as long as it is attached",
     the_vpc_is_advertised_as_long_as_it_is_attached},
    CU_TEST_INFO_NULL,
};
