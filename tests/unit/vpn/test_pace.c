/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/pace.c: of many tunnels that start at once so many begin, and the others follow. */
#include <stdio.h>

#include "harness.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

#define CONNECTIONS 100 /* two tunnels each */
#define AT_ONCE 128
#define HOLD_NS (2 * RIG_SECOND)

static s2svpn_connection *made[CONNECTIONS];

/* Whose peers are silent. */
static bool make_connections(struct rig *rig)
{
    s2svpn_status rc = S2SVPN_OK;

    for (unsigned i = 0; rc == S2SVPN_OK && i < CONNECTIONS; i++) {
        s2svpn_customer_gateway_spec customer = S2SVPN_CUSTOMER_GATEWAY_INIT;
        s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;
        s2svpn_customer_gateway *cgw = NULL;
        char address[32];

        snprintf(address, sizeof(address), "203.0.113.%u", 100 + i);
        customer.address = address;
        spec.static_routes_only = true;
        for (unsigned k = 0; k < 2; k++) {
            spec.tunnel[k].outside_address = rig_address(k == 0 ? "198.51.100.1" : "198.51.100.2");
            spec.tunnel[k].startup_action = S2SVPN_STARTUP_START;
            spec.tunnel[k].ike_versions = S2SVPN_IKEV2;
        }
        rc = s2svpn_customer_gateway_new(rig->gateway.ctx, &customer, &cgw);
        if (rc == S2SVPN_OK)
            rc = s2svpn_connection_new(rig->vgw, cgw, &spec, &made[i]);
        s2svpn_customer_gateway_release(cgw);
    }
    return rc == S2SVPN_OK;
}

static void release_connections(void)
{
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        s2svpn_connection_release(made[i]);
        made[i] = NULL;
    }
}

static unsigned count_phase(enum s2svpn_tunnel_phase phase)
{
    unsigned n = 0;

    for (unsigned i = 0; i < 2 * CONNECTIONS; i++)
        n += made[i / 2] && rig_tunnel(made[i / 2], i % 2).phase == phase;
    return n;
}

static bool open_many(struct rig *rig)
{
    static const struct rig_plan plan = {.static_routes = true, .quiet = true};

    CU_ASSERT_EQUAL_FATAL(rig_open(rig, &plan), S2SVPN_OK);
    const bool made_all = make_connections(rig);
    CU_ASSERT_TRUE(made_all);
    return made_all;
}

static void so_many_begin_and_the_others_wait(void)
{
    static struct rig rig;

    if (open_many(&rig)) {
        rig_run(&rig, RIG_SECOND);
        CU_ASSERT_EQUAL(count_phase(S2SVPN_TUNNEL_NEGOTIATING), AT_ONCE);
        CU_ASSERT_EQUAL(count_phase(S2SVPN_TUNNEL_WAITING), 2 * CONNECTIONS - AT_ONCE);
        const s2svpn_tunnel_info last = rig_tunnel(made[CONNECTIONS - 1], 1);
        CU_ASSERT_TRUE(rig_reason_says(&last, "waits for its turn"));
    }
    release_connections();
    rig_close(&rig);
}

static void silent_peers_hold_up_the_others_for_a_while(void)
{
    static struct rig rig;

    if (open_many(&rig)) {
        rig_run(&rig, HOLD_NS + RIG_SECOND / 2);
        CU_ASSERT_EQUAL(count_phase(S2SVPN_TUNNEL_NEGOTIATING), 2 * CONNECTIONS);
        CU_ASSERT_EQUAL(rig.gateway.ctx->pace.count, 2 * CONNECTIONS - AT_ONCE);
    }
    release_connections();
    rig_close(&rig);
}

static void who_stops_makes_room_at_once(void)
{
    static struct rig rig;

    if (open_many(&rig)) {
        rig_run(&rig, RIG_SECOND / 2);
        for (unsigned i = 0; i < 10; i++)
            CU_ASSERT_EQUAL(s2svpn_connection_stop(made[i]), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND / 2);
        CU_ASSERT_EQUAL(count_phase(S2SVPN_TUNNEL_STOPPED), 20);
        CU_ASSERT_EQUAL(count_phase(S2SVPN_TUNNEL_NEGOTIATING), AT_ONCE);
        CU_ASSERT_EQUAL(rig.gateway.ctx->pace.count, AT_ONCE);
    }
    release_connections();
    rig_close(&rig);
}

/* The one that waits, and the one that has begun. */
static void who_is_deleted_is_in_no_line(void)
{
    static struct rig rig;

    if (open_many(&rig)) {
        rig_run(&rig, RIG_SECOND / 2);
        CU_ASSERT_EQUAL(s2svpn_connection_delete(made[0]), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_connection_delete(made[CONNECTIONS - 1]), S2SVPN_OK);
        rig_run(&rig, HOLD_NS);
        CU_ASSERT_EQUAL(count_phase(S2SVPN_TUNNEL_NEGOTIATING), 2 * CONNECTIONS - 4);
        CU_ASSERT_EQUAL(rig.gateway.ctx->pace.count, 2 * CONNECTIONS - 2 - AT_ONCE);
        CU_ASSERT_TRUE(s2_list_empty(&rig.gateway.ctx->pace.waiting));
    }
    release_connections();
    rig_close(&rig);
}

const CU_TestInfo s2_test_pace[] = {
    {"so many begin and the others wait", so_many_begin_and_the_others_wait},
    {"silent peers hold up the others for a while", silent_peers_hold_up_the_others_for_a_while},
    {"who stops makes room at once", who_stops_makes_room_at_once},
    {"who is deleted is in no line", who_is_deleted_is_in_no_line},
    CU_TEST_INFO_NULL,
};
