/* SPDX-License-Identifier: Apache-2.0 */
/* All of lib/vpn: every allocation fails once, on either side, from the context's first
 * to a packet that has come through and the connection's end. Nothing crashes, nothing
 * leaks; what fails says so, and who only lost a packet comes up later. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "vpn/certified.h"
#include "vpn/packet.h"

#define MOST 5000

static bool crosses(struct rig *rig, struct rig_side *from, const char *source, const char *to)
{
    const struct packet_spec spec = {.from = source, .to = to, .payload = 100};
    static uint8_t p[PACKET_ROOM];
    const size_t len = packet_write(p, &spec);

    for (size_t i = 0; i < 5; i++) { /* one may fall victim to the failure */
        rig_drop_all(&from->peer->inside);
        rig_send(from, p, len);
        rig_run(rig, RIG_SECOND);
        if (from->peer->inside.count > 0)
            return true;
    }
    return false;
}

/* All that a connection goes through; true if nothing said that it failed. */
static bool live(struct rig *rig, const struct rig_plan *plan)
{
    if (rig_open(rig, plan) != S2SVPN_OK || s2svpn_connection_start(rig->site) != S2SVPN_OK)
        return false;
    for (size_t i = 0; i < 120 && !rig_both_up(rig); i++)
        rig_run(rig, RIG_SECOND);
    rig_run(rig, 2 * RIG_SECOND);
    CU_ASSERT_TRUE(rig_both_up(rig)); /* what failed was tried again */
    CU_ASSERT_TRUE(crosses(rig, &rig->device, "192.168.10.20", "10.0.1.10"));
    CU_ASSERT_TRUE(crosses(rig, &rig->gateway, "10.0.1.10", "192.168.10.20"));
    if (s2svpn_tunnel_rekey(s2svpn_connection_tunnel(rig->site, 0)) != S2SVPN_OK)
        return false;
    rig_run(rig, 10 * RIG_SECOND);
    if (s2svpn_connection_delete(rig->cloud) != S2SVPN_OK)
        return false;
    rig_run(rig, RIG_SECOND);
    return true;
}

static void play_all_of(struct rig *rig, const struct rig_plan *base, bool gateway)
{
    unsigned survived = 0;

    for (size_t n = 1; n < MOST; n++) {
        struct rig_plan plan = *base;
        bool good;
        const bool *failed = gateway ? &rig->gateway.heap.failed : &rig->device.heap.failed;

        if (gateway)
            plan.fail_gateway = n;
        else
            plan.fail_device = n;
        good = live(rig, &plan);
        const bool reached = *failed;
        rig_close(rig); /* checks the heaps */
        survived += good;
        if (CU_get_number_of_failures() > 20)
            return;
        if (!reached) {
            CU_ASSERT_TRUE(good);
            CU_ASSERT_TRUE(n > 80);
            CU_ASSERT_TRUE(survived > 1);
            return;
        }
    }
    CU_FAIL("the allocations come to an end");
}

static void play_all(const struct rig_plan *base, bool gateway)
{
    static struct rig rig;

    play_all_of(&rig, base, gateway);
}

static void the_gateway_survives_every_failure(void)
{
    const struct rig_plan plan = {0};

    play_all(&plan, true);
}

static void the_device_survives_every_failure(void)
{
    const struct rig_plan plan = {0};

    play_all(&plan, false);
}

/* The same with nobody who subscribes: events hold no objects. */
static void a_quiet_gateway_with_static_routes_survives_every_failure(void)
{
    const struct rig_plan plan = {.static_routes = true, .quiet = true};

    play_all(&plan, true);
}

/* play_all with the rig that its plan's certificates are in. */
static void play_certified(bool gateway)
{
    static struct certified c;

    certified_init(&c);
    play_all_of(&c.rig, &c.plan, gateway);
    s2_pki_clear(&c.pki);
}

static void a_gateway_with_certificates_survives_every_failure(void)
{
    play_certified(true);
}

static void a_device_with_certificates_survives_every_failure(void)
{
    play_certified(false);
}

/* Transactions are allocated as well. */
static void a_gateway_with_a_store_survives_every_failure(void)
{
    s2svpn_memory_store *store = NULL;
    struct rig_plan plan = {.store = s2svpn_memory_store_ops()};
    static struct rig rig;
    size_t n;

    for (n = 1; n < MOST; n++) {
        CU_ASSERT_EQUAL_FATAL(s2svpn_memory_store_new(NULL, &store), S2SVPN_OK);
        plan.store_user = store;
        plan.fail_gateway = n;
        rig_init(&rig, &plan);
        if (rig_make_gateway(&rig) == S2SVPN_OK && rig_make_vpc(&rig) == S2SVPN_OK &&
            rig_make_connection(&rig) == S2SVPN_OK) {
            if (s2svpn_connection_delete(rig.cloud) == S2SVPN_OK)
                CU_ASSERT_TRUE(s2svpn_virtual_gateway_detach(rig.vgw) == S2SVPN_OK ||
                               rig.gateway.heap.failed);
        }
        const bool reached = rig.gateway.heap.failed;
        rig_close(&rig);
        s2svpn_memory_store_free(store);
        if (!reached)
            break;
    }
    CU_ASSERT_TRUE(n > 50 && n < MOST);
}

const CU_TestInfo s2_test_allocations[] = {
    {"the gateway survives every failure", the_gateway_survives_every_failure},
    {"the device survives every failure", the_device_survives_every_failure},
    {"a quiet gateway with static routes survives every failure",
     a_quiet_gateway_with_static_routes_survives_every_failure},
    {"a gateway with certificates survives every failure",
     a_gateway_with_certificates_survives_every_failure},
    {"a device with certificates survives every failure",
     a_device_with_certificates_survives_every_failure},
    {"a gateway with a store survives every failure",
     a_gateway_with_a_store_survives_every_failure},
    CU_TEST_INFO_NULL,
};
