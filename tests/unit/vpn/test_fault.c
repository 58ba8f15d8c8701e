/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/fault.c: each fault as the device sees it, with both versions of IKE, and what
 * lasts until it is cleared. */
#include <string.h>

#include "harness.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

#define BIT(fault) (UINT32_C(1) << S2SVPN_FAULT_##fault)

static s2svpn_device_options device_options[] = {
    {.size = sizeof(s2svpn_device_options), .ike = S2SVPN_DEVICE_IKE_V2},
    {.size = sizeof(s2svpn_device_options), .ike = S2SVPN_DEVICE_IKE_V1},
};
#define VERSIONS 2

static bool up(struct rig *rig, size_t version, bool static_routes)
{
    const struct rig_plan plan = {
        .static_routes = static_routes,
        .device_options = &device_options[version],
        /* a question of the gateway's is a sign of its life */
        .tunnel = {.dpd_action = static_routes ? S2SVPN_DPD_NONE : S2SVPN_DPD_CLEAR},
    };

    return rig_up(rig, &plan);
}

static s2svpn_tunnel *cloud(const struct rig *rig, size_t index)
{
    return s2svpn_connection_tunnel(rig->cloud, index);
}

static s2svpn_status provoke(const struct rig *rig, enum s2svpn_fault fault)
{
    return s2svpn_tunnel_provoke(cloud(rig, 0), fault);
}

static uint32_t faults(const struct rig *rig)
{
    return s2svpn_tunnel_faults(cloud(rig, 0));
}

/* When the IKE SA was made that this end has; 0: none. */
static uint64_t made(const struct rig_side *side, const s2svpn_connection *c)
{
    struct s2_ike_sa_info info;

    return s2_ike_get_info(side->ctx->ike, &c->tunnel[0], &info) ? info.established_ns : 0;
}

/* The device asks whether the gateway is there, before the gateway asks it. */
static void device_asks(struct rig *rig)
{
    CU_ASSERT_EQUAL(s2_ike_check(rig->device.ctx->ike, &rig->site->tunnel[0], rig->now_ns),
                    S2SVPN_OK);
}

static bool device_heard(const struct rig *rig, const char *words)
{
    return rig_event_says(&rig->device, S2SVPN_EVENT_NOTE, words) ||
           rig_event_says(&rig->device, S2SVPN_EVENT_TUNNEL, words);
}

/* The other tunnel was as it is before it all. */
static bool untouched(const struct rig *rig, const s2svpn_tunnel_info *before)
{
    const s2svpn_tunnel_info now = rig_tunnel(rig->site, 1);

    return now.up && now.spi_in == before->spi_in && now.changed_ns == before->changed_ns;
}

/* ---- each of them */

static void blackhole_seen(struct rig *rig)
{
    rig_run(rig, 60 * RIG_SECOND);
    CU_ASSERT_FALSE(rig_tunnel(rig->site, 0).up);
    CU_ASSERT_FALSE(rig_tunnel(rig->cloud, 0).up);
    CU_ASSERT_EQUAL(rig_tunnel(rig->site, 0).ike_version, 0);
}

static void delete_seen(struct rig *rig)
{
    CU_ASSERT_EQUAL(rig_tunnel(rig->cloud, 0).phase, S2SVPN_TUNNEL_IDLE);
    rig_run(rig, RIG_SECOND / 2);
    CU_ASSERT_FALSE(rig_tunnel(rig->site, 0).up);
    CU_ASSERT_TRUE(rig_event_says(&rig->device, S2SVPN_EVENT_CHILD, "closed by the peer"));
    CU_ASSERT_FALSE(device_heard(rig, "Cease/Administrative"));
}

static void no_dpd_seen(struct rig *rig)
{
    device_asks(rig);
    rig_run(rig, 20 * RIG_SECOND);
    CU_ASSERT_TRUE(rig_tunnel(rig->cloud, 0).up);
}

static void rekey_seen(struct rig *rig)
{
    const uint64_t before = made(&rig->device, rig->site);

    rig_run(rig, 5 * RIG_SECOND);
    CU_ASSERT_TRUE(rig_tunnel(rig->site, 0).up);
    CU_ASSERT_TRUE(made(&rig->device, rig->site) > before);
    CU_ASSERT_TRUE(rig_event_says(&rig->device, S2SVPN_EVENT_CHILD, "child SA rekeyed"));
    CU_ASSERT_EQUAL(rig_count_events(&rig->device, S2SVPN_EVENT_TUNNEL),
                    rig_count_events(&rig->gateway, S2SVPN_EVENT_TUNNEL));
}

static void reset_seen(struct rig *rig)
{
    rig_run(rig, RIG_SECOND / 10);
    CU_ASSERT_TRUE(device_heard(rig, "received: Cease/Administrative Reset"));
    CU_ASSERT_TRUE(rig_tunnel(rig->site, 0).ike_version != 0);
}

static void withdraw_seen(struct rig *rig)
{
    rig_run(rig, 60 * RIG_SECOND);
    CU_ASSERT_TRUE(rig_tunnel(rig->site, 0).up);
    CU_ASSERT_EQUAL(rig_tunnel(rig->site, 0).accepted_routes, 0);
    CU_ASSERT_EQUAL(rig_tunnel(rig->site, 1).accepted_routes, 1);
    CU_ASSERT_EQUAL(rig_tunnel(rig->cloud, 0).accepted_routes, 1);
}

static void over_limit_seen(struct rig *rig)
{
    rig_run(rig, RIG_SECOND);
    CU_ASSERT_TRUE(device_heard(rig, "received: Cease/Maximum Number of Prefixes Reached"));
    rig_run(rig, 200 * RIG_SECOND);
    CU_ASSERT_EQUAL(rig_tunnel(rig->site, 0).phase, S2SVPN_TUNNEL_IPSEC_UP);
    CU_ASSERT_EQUAL(rig_tunnel(rig->cloud, 0).bgp_state, S2_BGP_IDLE);
}

static void maintenance_seen(struct rig *rig)
{
    CU_ASSERT_TRUE(rig_event_says(&rig->gateway, S2SVPN_EVENT_NOTE, "its traffic moves"));
    rig_run(rig, 10 * RIG_SECOND + RIG_SECOND / 10);
    CU_ASSERT_TRUE(device_heard(rig, "Cease/Administrative Shutdown"));
    CU_ASSERT_TRUE(rig_event_says(&rig->device, S2SVPN_EVENT_CHILD, "closed by the peer"));
}

static const struct fault_row {
    enum s2svpn_fault fault;
    const char *word;
    bool lasts;
    bool same_sas; /* after it, of both ends */
    void (*seen)(struct rig *rig);
} rows[] = {
    {S2SVPN_FAULT_BLACKHOLE, "blackhole", true, false, blackhole_seen},
    {S2SVPN_FAULT_DELETE, "delete", false, false, delete_seen},
    {S2SVPN_FAULT_NO_DPD, "no-dpd", true, true, no_dpd_seen},
    {S2SVPN_FAULT_REKEY_NOW, "rekey-now", false, false, rekey_seen},
    {S2SVPN_FAULT_BGP_RESET, "bgp-reset", false, true, reset_seen},
    {S2SVPN_FAULT_WITHDRAW, "withdraw", true, true, withdraw_seen},
    {S2SVPN_FAULT_OVER_LIMIT, "over-limit", true, true, over_limit_seen},
    {S2SVPN_FAULT_MAINTENANCE, "maintenance", false, false, maintenance_seen},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void play(const struct fault_row *row, size_t version)
{
    static struct rig rig;

    if (up(&rig, version, false)) {
        const s2svpn_tunnel_info other = rig_tunnel(rig.site, 1), one = rig_tunnel(rig.site, 0);

        rig_run(&rig, RIG_SECOND);
        CHECK_ROW(row->word, provoke(&rig, row->fault) == S2SVPN_OK);
        CHECK_ROW(row->word, faults(&rig) == (row->lasts ? 1u << row->fault : 0));
        CHECK_ROW(row->word, rig_event_says(&rig.gateway, S2SVPN_EVENT_NOTE, "fault provoked: "));
        CHECK_ROW(row->word, rig_event_says(&rig.gateway, S2SVPN_EVENT_NOTE, row->word));
        row->seen(&rig);
        CHECK_ROW(row->word, !row->lasts || provoke(&rig, row->fault) == S2SVPN_OK);
        CHECK_ROW(row->word, untouched(&rig, &other));
        s2svpn_tunnel_clear_faults(cloud(&rig, 0));
        CHECK_ROW(row->word, faults(&rig) == 0);
        CHECK_ROW(row->word, rig_event_says(&rig.gateway, S2SVPN_EVENT_NOTE, "faults cleared: ") ==
                                 row->lasts);
        rig_run(&rig, 180 * RIG_SECOND);
        CHECK_ROW(row->word, rig_both_up(&rig));
        CHECK_ROW(row->word, untouched(&rig, &other));
        CHECK_ROW(row->word, rig_tunnel(rig.site, 0).accepted_routes == 1);
        CHECK_ROW(row->word, (rig_tunnel(rig.site, 0).spi_in == one.spi_in) == row->same_sas);
    }
    rig_close(&rig);
}

static void each_is_seen_by_the_device_and_ends(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t version = 0; version < VERSIONS; version++)
            play(&rows[i], version);
    }
}

static void each_has_its_word(void)
{
    CU_ASSERT_EQUAL(ROWS, S2SVPN_FAULTS);
    for (size_t i = 0; i < ROWS; i++)
        CU_ASSERT_STRING_EQUAL(s2svpn_fault_text(rows[i].fault), rows[i].word);
    CU_ASSERT_STRING_EQUAL(s2svpn_fault_text(S2SVPN_FAULTS), "unknown");
}

/* ---- liveness */

/* Nothing else passes: the device's own check decides. It begins anew, and is answered. */
static void a_device_that_asks_in_vain_begins_anew(void)
{
    static struct rig rig;

    for (size_t version = 0; version < VERSIONS; version++) {
        if (up(&rig, version, true)) {
            const s2svpn_tunnel_info other = rig_tunnel(rig.site, 1);
            const uint64_t before = made(&rig.device, rig.site);

            CU_ASSERT_EQUAL(provoke(&rig, S2SVPN_FAULT_NO_DPD), S2SVPN_OK);
            device_asks(&rig);
            rig_run(&rig, 45 * RIG_SECOND);
            CU_ASSERT_TRUE(device_heard(&rig, "stopped answering liveness checks"));
            CU_ASSERT_TRUE(rig_both_up(&rig));
            CU_ASSERT_TRUE(made(&rig.device, rig.site) > before);
            CU_ASSERT_TRUE(untouched(&rig, &other));
        }
        rig_close(&rig);
    }
}

/* A window of one: what the device has to say after its question waits behind it. */
static void what_comes_after_an_ikev2_question_waits(void)
{
    static struct rig rig;

    if (up(&rig, 0, false)) {
        s2svpn_tunnel *site = s2svpn_connection_tunnel(rig.site, 0);
        const uint32_t before = rig_tunnel(rig.site, 0).spi_in;

        CU_ASSERT_EQUAL(provoke(&rig, S2SVPN_FAULT_NO_DPD), S2SVPN_OK);
        device_asks(&rig);
        rig_run(&rig, RIG_SECOND / 10);
        CU_ASSERT_EQUAL(s2svpn_tunnel_rekey(site), S2SVPN_OK);
        rig_run(&rig, 15 * RIG_SECOND);
        CU_ASSERT_EQUAL(rig_tunnel(rig.site, 0).spi_in, before);
        s2svpn_tunnel_clear_faults(cloud(&rig, 0));
        rig_run(&rig, 15 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_tunnel(rig.site, 0).up);
        CU_ASSERT_NOT_EQUAL(rig_tunnel(rig.site, 0).spi_in, before);
    }
    rig_close(&rig);
}

/* ---- what lasts */

static void restart_site(struct rig *rig)
{
    CU_ASSERT_EQUAL(s2svpn_tunnel_reset(s2svpn_connection_tunnel(rig->site, 0)), S2SVPN_OK);
}
static void restart_cloud(struct rig *rig)
{
    CU_ASSERT_EQUAL(s2svpn_tunnel_reset(cloud(rig, 0)), S2SVPN_OK);
}
static void modify_cloud(struct rig *rig)
{
    s2svpn_tunnel_options o;

    s2svpn_tunnel_get_options(cloud(rig, 0), &o);
    o.replay_window = 2048;
    CU_ASSERT_EQUAL(s2svpn_tunnel_modify(cloud(rig, 0), &o), S2SVPN_OK);
}
static void stop_and_start(struct rig *rig)
{
    CU_ASSERT_EQUAL(s2svpn_connection_stop(rig->site), S2SVPN_OK);
    rig_run(rig, 5 * RIG_SECOND);
    CU_ASSERT_EQUAL(s2svpn_connection_start(rig->site), S2SVPN_OK);
}

static void lasting_ones_outlast_downs_and_changes(void)
{
    static void (*const events[])(struct rig *) = {restart_site, restart_cloud, modify_cloud,
                                                   stop_and_start};
    static struct rig rig;

    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        const uint32_t all = BIT(NO_DPD) | BIT(WITHDRAW) | BIT(OVER_LIMIT);

        if (up(&rig, 0, false)) {
            CU_ASSERT_EQUAL(provoke(&rig, S2SVPN_FAULT_NO_DPD), S2SVPN_OK);
            CU_ASSERT_EQUAL(provoke(&rig, S2SVPN_FAULT_WITHDRAW), S2SVPN_OK);
            rig_run(&rig, RIG_SECOND);
            events[i](&rig);
            rig_run(&rig, 30 * RIG_SECOND);
            CU_ASSERT_EQUAL(faults(&rig), BIT(NO_DPD) | BIT(WITHDRAW));
            CU_ASSERT_EQUAL(rig_tunnel(rig.site, 0).phase, S2SVPN_TUNNEL_UP);
            CU_ASSERT_EQUAL(rig_tunnel(rig.site, 0).accepted_routes, 0);
            CU_ASSERT_EQUAL(provoke(&rig, S2SVPN_FAULT_OVER_LIMIT), S2SVPN_OK);
            events[i](&rig);
            rig_run(&rig, 60 * RIG_SECOND);
            CU_ASSERT_EQUAL(faults(&rig), all);
            CU_ASSERT_EQUAL(rig_tunnel(rig.site, 0).phase, S2SVPN_TUNNEL_IPSEC_UP);
            s2svpn_tunnel_clear_faults(cloud(&rig, 0));
            rig_run(&rig, 120 * RIG_SECOND);
            CU_ASSERT_TRUE(rig_both_up(&rig));
            CU_ASSERT_EQUAL(rig_tunnel(rig.site, 0).accepted_routes, 1);
        }
        rig_close(&rig);
    }
}

static void a_new_prefix_waits_until_withdraw_is_cleared(void)
{
    const s2svpn_prefix more = {.address = rig_address("10.9.0.0"), .length = 16};
    static struct rig rig;

    if (up(&rig, 0, false)) {
        CU_ASSERT_EQUAL(provoke(&rig, S2SVPN_FAULT_WITHDRAW), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_vpc_add_cidr(rig.vpc, &more, NULL), S2SVPN_OK);
        rig_run(&rig, 5 * RIG_SECOND);
        CU_ASSERT_EQUAL(rig_tunnel(rig.site, 0).accepted_routes, 0);
        CU_ASSERT_EQUAL(rig_tunnel(rig.site, 1).accepted_routes, 2);
        s2svpn_tunnel_clear_faults(cloud(&rig, 0));
        rig_run(&rig, 5 * RIG_SECOND);
        CU_ASSERT_EQUAL(rig_tunnel(rig.site, 0).accepted_routes, 2);
    }
    rig_close(&rig);
}

static void a_blackhole_is_a_blackhole_by_either_name(void)
{
    static struct rig rig;

    if (up(&rig, 0, false)) {
        s2svpn_tunnel_set_blackhole(cloud(&rig, 0), true);
        CU_ASSERT_EQUAL(faults(&rig), BIT(BLACKHOLE));
        s2svpn_tunnel_clear_faults(cloud(&rig, 0));
        CU_ASSERT_EQUAL(faults(&rig), 0);
        CU_ASSERT_EQUAL(provoke(&rig, S2SVPN_FAULT_BLACKHOLE), S2SVPN_OK);
        s2svpn_tunnel_set_blackhole(cloud(&rig, 0), false);
        CU_ASSERT_EQUAL(faults(&rig), 0);
    }
    rig_close(&rig);
}

/* ---- a gateway that starts tunnels */

static bool all_lost(struct rig *rig, const struct rig_side *from, const s2svpn_datagram *d)
{
    (void)rig;
    (void)d;
    return from->peer == &rig->gateway;
}

static void after_a_delete_a_gateway_that_starts_rests(void)
{
    static struct rig rig;

    if (up(&rig, 0, false)) {
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.cloud), S2SVPN_OK);
        rig.loses = all_lost;
        CU_ASSERT_EQUAL(s2svpn_tunnel_reset(cloud(&rig, 1)), S2SVPN_OK);
        CU_ASSERT_EQUAL(provoke(&rig, S2SVPN_FAULT_DELETE), S2SVPN_OK);
        rig_run(&rig, 200 * RIG_SECOND);
        CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 0).phase, S2SVPN_TUNNEL_IDLE);
        CU_ASSERT_NOT_EQUAL(rig_tunnel(rig.cloud, 1).phase, S2SVPN_TUNNEL_IDLE);
        s2svpn_tunnel_clear_faults(cloud(&rig, 0));
        rig_run(&rig, 5 * RIG_SECOND);
        CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 0).phase, S2SVPN_TUNNEL_NEGOTIATING);
        rig.loses = NULL;
        rig_run(&rig, 180 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
    }
    rig_close(&rig);
}

/* ---- what can't be */

static void check_refused(const struct rig *rig, const s2svpn_tunnel *t, unsigned of,
                          const char *row)
{
    for (unsigned i = 0; i < S2SVPN_FAULTS; i++) {
        if (of >> i & 1)
            CHECK_ROW(row, s2svpn_tunnel_provoke((s2svpn_tunnel *)t, (enum s2svpn_fault)i) ==
                               S2SVPN_E_STATE);
    }
    CHECK_ROW(row, s2svpn_tunnel_faults(t) == 0);
    CHECK_ROW(row, !rig_event_says(&rig->gateway, S2SVPN_EVENT_NOTE, "fault"));
}

static void what_has_nothing_to_be_done_to_is_refused(void)
{
    const unsigned all = (1u << S2SVPN_FAULTS) - 1,
                   bgp = BIT(BGP_RESET) | BIT(WITHDRAW) | BIT(OVER_LIMIT),
                   sa = BIT(DELETE) | BIT(REKEY_NOW);
    static struct rig rig;

    if (up(&rig, 0, true)) {
        CU_ASSERT_EQUAL(provoke(&rig, S2SVPN_FAULTS), S2SVPN_E_ARGUMENT);
        CU_ASSERT_STRING_EQUAL(s2svpn_context_error(rig.gateway.ctx)->field, "fault");
        check_refused(&rig, cloud(&rig, 0), bgp, "static routes");
        check_refused(&rig, s2svpn_connection_tunnel(rig.site, 0), all, "a device's");
        CU_ASSERT_EQUAL(s2svpn_connection_stop(rig.site), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND);
        check_refused(&rig, cloud(&rig, 0), sa, "down");
        CU_ASSERT_EQUAL(s2svpn_connection_delete(rig.cloud), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND);
        check_refused(&rig, cloud(&rig, 0), all, "deleted");
    }
    rig_close(&rig);
}

static void a_connection_goes_with_its_faults(void)
{
    static struct rig rig;

    if (up(&rig, 0, false)) {
        for (size_t i = 0; i < ROWS; i++) {
            if (rows[i].lasts)
                CU_ASSERT_EQUAL(provoke(&rig, rows[i].fault), S2SVPN_OK);
        }
        CU_ASSERT_EQUAL(s2svpn_connection_delete(rig.cloud), S2SVPN_OK);
        rig_run(&rig, 10 * RIG_SECOND);
        s2svpn_tunnel_clear_faults(cloud(&rig, 0));
        CU_ASSERT_EQUAL(faults(&rig), 0);
    }
    rig_close(&rig);
}

/* ---- memory */

static void without_memory_nothing_is_withdrawn(void)
{
    static struct rig rig;

    for (size_t n = 1, failed = 1; failed && n < 100; n++) {
        failed = 0;
        if (up(&rig, 0, false)) {
            struct rig_heap *heap = &rig.gateway.heap;
            s2svpn_status rc;

            heap->fail_at = heap->allocations + n;
            rc = provoke(&rig, S2SVPN_FAULT_WITHDRAW);
            failed = heap->failed;
            heap->fail_at = 0;
            CU_ASSERT_EQUAL(faults(&rig), rc == S2SVPN_OK ? BIT(WITHDRAW) : 0);
            CU_ASSERT_TRUE(rc == S2SVPN_OK || rc == S2SVPN_E_MEMORY);
            rig_run(&rig, 2 * RIG_SECOND);
            CU_ASSERT_EQUAL(rig_tunnel(rig.site, 0).accepted_routes, rc == S2SVPN_OK ? 0 : 1);
        }
        rig_close(&rig);
    }
}

static void without_memory_all_is_announced_again_all_the_same(void)
{
    static struct rig rig;

    for (size_t n = 1, failed = 1; failed && n < 100; n++) {
        failed = 0;
        if (up(&rig, 0, false)) {
            struct rig_heap *heap = &rig.gateway.heap;

            CU_ASSERT_EQUAL(provoke(&rig, S2SVPN_FAULT_WITHDRAW), S2SVPN_OK);
            rig_run(&rig, RIG_SECOND);
            heap->failed = false;
            heap->fail_at = heap->allocations + n;
            s2svpn_tunnel_clear_faults(cloud(&rig, 0));
            failed = heap->failed;
            heap->fail_at = 0;
            CU_ASSERT_EQUAL(faults(&rig), 0);
            rig_run(&rig, 60 * RIG_SECOND);
            CU_ASSERT_TRUE(rig_both_up(&rig));
            CU_ASSERT_EQUAL(rig_tunnel(rig.site, 0).accepted_routes, 1);
        }
        rig_close(&rig);
    }
}

const CU_TestInfo s2_test_fault[] = {
    {"each is seen by the device, and ends", each_is_seen_by_the_device_and_ends},
    {"each has its word", each_has_its_word},
    {"a device that asks in vain begins anew", a_device_that_asks_in_vain_begins_anew},
    {"what comes after an IKEv2 question waits", what_comes_after_an_ikev2_question_waits},
    {"lasting ones outlast downs and changes", lasting_ones_outlast_downs_and_changes},
    {"a new prefix waits until withdraw is cleared", a_new_prefix_waits_until_withdraw_is_cleared},
    {"a blackhole is a blackhole by either name", a_blackhole_is_a_blackhole_by_either_name},
    {"after a delete a gateway that starts rests", after_a_delete_a_gateway_that_starts_rests},
    {"what has nothing to be done to is refused", what_has_nothing_to_be_done_to_is_refused},
    {"a connection goes with its faults", a_connection_goes_with_its_faults},
    {"without memory nothing is withdrawn", without_memory_nothing_is_withdrawn},
    {"without memory all is announced again all the same",
     without_memory_all_is_announced_again_all_the_same},
    CU_TEST_INFO_NULL,
};
