/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/device_change.c: a tunnel becomes what a newer document says, and the other one
 * hears nothing of it. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

#define NEW_PSK "the.new.key.of.the.rig"

static const struct rig_plan bgp = {0};
static const struct rig_plan static_routes = {.static_routes = true};

static s2svpn_device_config *document(struct rig *rig)
{
    s2svpn_device_config *config = NULL;
    s2svpn_text xml = {0};

    CU_ASSERT_EQUAL(s2svpn_connection_device_config(rig->cloud, &xml), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_config_read(xml.data, xml.len, &config, NULL), S2SVPN_OK);
    s2svpn_text_free(&xml);
    return config;
}

static void set_key(s2svpn_device_config *c, size_t index)
{
    memset(c->tunnel[index].pre_shared_key, 0, sizeof(c->tunnel[index].pre_shared_key));
    memcpy(c->tunnel[index].pre_shared_key, NEW_PSK, sizeof(NEW_PSK));
}

/* The cloud's end takes the new key for what comes next; what is up stays up. */
static void give_cloud_the_key(struct rig *rig, size_t index)
{
    s2svpn_tunnel *t = s2svpn_connection_tunnel(rig->cloud, index);

    CU_ASSERT_TRUE(s2_secret_set(&t->ike.psk, NEW_PSK, strlen(NEW_PSK)));
}

static bool crosses(struct rig *rig)
{
    const struct packet_spec spec = {.payload = 100};
    static uint8_t p[PACKET_ROOM];
    const size_t len = packet_write(p, &spec);

    rig_drop_all(&rig->gateway.inside);
    rig_send(&rig->device, p, len);
    rig_pump(rig);
    return rig->gateway.inside.count == 1;
}

static bool untouched(const struct rig *rig, size_t index, const s2svpn_tunnel_info *before)
{
    const s2svpn_tunnel_info now = rig_tunnel(rig->site, index);

    return now.up && now.spi_in == before->spi_in && now.spi_out == before->spi_out &&
           now.changed_ns == before->changed_ns && now.packets_in >= before->packets_in &&
           now.packets_out >= before->packets_out;
}

static void what_says_the_same_changes_nothing(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        s2svpn_device_config *config = document(&rig);
        const s2svpn_tunnel_info before[2] = {rig_tunnel(rig.site, 0), rig_tunnel(rig.site, 1)};
        const size_t events = rig.device.events;
        bool changed = true;

        for (size_t i = 0; i < 2; i++) {
            changed = true;
            CU_ASSERT_EQUAL(s2svpn_device_change_tunnel(rig.site, i, config, &changed), S2SVPN_OK);
            CU_ASSERT_FALSE(changed);
            CU_ASSERT_EQUAL(s2svpn_device_change_tunnel(rig.site, i, config, NULL), S2SVPN_OK);
        }
        CU_ASSERT_EQUAL(rig.device.events, events);
        CU_ASSERT_EQUAL(rig.device.outside.count, 0);
        CU_ASSERT_TRUE(untouched(&rig, 0, &before[0]) && untouched(&rig, 1, &before[1]));
        s2svpn_config_free(config);
    }
    rig_close(&rig);
}

/* Nor does a second offer, which is the peer's doing and not the document's. */
static void a_second_offer_is_no_change(void)
{
    const struct rig_plan plan = {
        .tunnel = {.phase1_integrity = S2SVPN_SHA1, .phase1_dh_groups = S2SVPN_GROUP(2)}};
    static struct rig rig;

    if (rig_up(&rig, &plan)) {
        s2svpn_device_config *config = document(&rig);
        bool changed = true;

        CU_ASSERT_TRUE(s2svpn_connection_tunnel(rig.site, 0)->attempt.second);
        CU_ASSERT_EQUAL(s2svpn_device_change_tunnel(rig.site, 0, config, &changed), S2SVPN_OK);
        CU_ASSERT_FALSE(changed);
        set_key(config, 0);
        give_cloud_the_key(&rig, 0);
        CU_ASSERT_EQUAL(s2svpn_device_change_tunnel(rig.site, 0, config, &changed), S2SVPN_OK);
        CU_ASSERT_TRUE(changed);
        CU_ASSERT_TRUE(s2svpn_connection_tunnel(rig.site, 0)->attempt.second); /* remembered */
        rig_run(&rig, 10 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        s2svpn_config_free(config);
    }
    rig_close(&rig);
}

/* PSK rotation: first one tunnel, then the other; packets cross all the while. */
static void keys_rotate_tunnel_by_tunnel_without_an_outage(void)
{
    static const struct rig_plan *const plans[] = {&bgp, &static_routes};
    static struct rig rig;

    for (size_t p = 0; p < 2; p++) {
        if (rig_up(&rig, plans[p])) {
            s2svpn_device_config *config = document(&rig);

            set_key(config, 0);
            set_key(config, 1);
            give_cloud_the_key(&rig, 0);
            give_cloud_the_key(&rig, 1);
            for (size_t i = 0; i < 2; i++) {
                const s2svpn_tunnel_info other = rig_tunnel(rig.site, 1 - i);
                bool changed = false;

                CU_ASSERT_TRUE(crosses(&rig));
                CU_ASSERT_EQUAL(s2svpn_device_change_tunnel(rig.site, i, config, &changed),
                                S2SVPN_OK);
                CU_ASSERT_TRUE(changed);
                CU_ASSERT_FALSE(rig_tunnel(rig.site, i).up);
                CU_ASSERT_TRUE(crosses(&rig));
                rig_run(&rig, RIG_SECOND / 100);
                CU_ASSERT_TRUE(crosses(&rig));
                rig_run(&rig, 5 * RIG_SECOND);
                CU_ASSERT_TRUE(rig_both_up(&rig));
                CU_ASSERT_TRUE(crosses(&rig));
                CU_ASSERT_TRUE(untouched(&rig, 1 - i, &other));
                CU_ASSERT_STRING_EQUAL(
                    s2svpn_connection_tunnel(rig.site, i)->options.pre_shared_key, NEW_PSK);
            }
            CU_ASSERT_TRUE(
                rig_event_says(&rig.device, S2SVPN_EVENT_TUNNEL, "its document has changed"));
            s2svpn_config_free(config);
        }
        rig_close(&rig);
    }
}

static void change_lifetime(s2svpn_device_config *c)
{
    c->tunnel[0].ipsec.lifetime_s = 1800;
}
static void change_dpd(s2svpn_device_config *c)
{
    c->tunnel[0].dpd_interval_s = 11;
}
static void change_df(s2svpn_device_config *c)
{
    c->tunnel[0].clear_df = false;
}
static void change_algorithm(s2svpn_device_config *c)
{
    c->tunnel[0].ike.ke = S2SVPN_KE_MODP_1536;
    c->tunnel[0].ipsec.ke = S2SVPN_KE_MODP_1536;
}
static void change_gateway(s2svpn_device_config *c)
{
    c->tunnel[0].gateway.outside = rig_address("198.51.100.77");
}
static void change_identity(s2svpn_device_config *c)
{
    c->tunnel[0].customer.outside = rig_address("198.18.0.9");
}
static void change_inside(s2svpn_device_config *c)
{
    c->tunnel[0].customer.inside = rig_address("169.254.77.2");
    c->tunnel[0].gateway.inside = rig_address("169.254.77.1");
}

static void each_change_is_taken_over_and_leaves_the_other_tunnel_alone(void)
{
    static const struct {
        const char *name;
        void (*change)(s2svpn_device_config *c);
        bool up; /* the gateway can go along */
    } rows[] = {
        {"a lifetime", change_lifetime, true},
        {"dead peer detection", change_dpd, true},
        {"the don't-fragment bit", change_df, true},
        {"algorithms", change_algorithm, true},
        {"the gateway's outside address", change_gateway, false},
        {"our identity", change_identity, true},
        {"the inside addresses", change_inside, false},
    };
    static struct rig rig;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rig_up(&rig, &bgp)) {
            s2svpn_device_config *config = document(&rig);
            const s2svpn_tunnel_info other = rig_tunnel(rig.site, 1),
                                     before = rig_tunnel(rig.site, 0);
            const s2svpn_tunnel *t = s2svpn_connection_tunnel(rig.site, 0);
            const s2svpn_prefix new_inside = rig_prefix("169.254.77.1/32");
            bool changed = false;

            rows[i].change(config);
            CHECK_ROW(rows[i].name, crosses(&rig));
            CHECK_ROW(rows[i].name,
                      s2svpn_device_change_tunnel(rig.site, 0, config, &changed) == S2SVPN_OK);
            CHECK_ROW(rows[i].name, changed);
            CHECK_ROW(rows[i].name,
                      s2svpn_device_change_tunnel(rig.site, 0, config, &changed) == S2SVPN_OK);
            CHECK_ROW(rows[i].name, !changed); /* it is as the document says now */
            rig_run(&rig, 20 * RIG_SECOND);
            CHECK_ROW(rows[i].name, untouched(&rig, 1, &other));
            CHECK_ROW(rows[i].name, crosses(&rig));
            CHECK_ROW(rows[i].name, rig_tunnel(rig.site, 0).up == rows[i].up);
            CHECK_ROW(rows[i].name, rig_tunnel(rig.site, 0).packets_in >= before.packets_in);
            CHECK_ROW(rows[i].name, t->ike.dpd_delay_s == config->tunnel[0].dpd_interval_s);
            CHECK_ROW(rows[i].name,
                      t->options.phase2_lifetime_s == config->tunnel[0].ipsec.lifetime_s);
            CHECK_ROW(rows[i].name, s2_tunnel_by_outside(rig.device.ctx, &t->ike.local.address,
                                                         &config->tunnel[0].gateway.outside) == t);
            CHECK_ROW(rows[i].name, rig.device.ctx->by_outside.count == 2);
            CHECK_ROW(rows[i].name, (s2_fib_get(rig.site->sources, &new_inside) != 0) ==
                                        (rows[i].change == change_inside));
            s2svpn_config_free(config);
        }
        rig_close(&rig);
    }
}

/* ---- refused */

static void another_connection(s2svpn_device_config *c)
{
    memcpy(c->connection.text, "vpn-00000000000000000", 22);
}
static void one_tunnel(s2svpn_device_config *c)
{
    c->tunnel_count = 1;
}
static void no_tunnels(s2svpn_device_config *c)
{
    c->tunnel_count = 0;
}
static void other_routing(s2svpn_device_config *c)
{
    c->static_routes = true;
}
static void inside_ipv6(s2svpn_device_config *c)
{
    for (size_t i = 0; i < 2; i++) {
        c->tunnel[i].inside_length = 126;
        c->tunnel[i].customer.inside = rig_address(i ? "fd00::6" : "fd00::2");
        c->tunnel[i].gateway.inside = rig_address(i ? "fd00::5" : "fd00::1");
    }
}
static void other_asn(s2svpn_device_config *c)
{
    c->tunnel[0].customer.asn = 65009;
}
static void other_gateway_asn(s2svpn_device_config *c)
{
    c->tunnel[0].gateway.asn = 65009;
}
static void other_hold_time(s2svpn_device_config *c)
{
    c->tunnel[0].customer.hold_time_s = 90;
}
static void no_key(s2svpn_device_config *c)
{
    c->tunnel[0].pre_shared_key[0] = 0;
}
static void endless_phase(s2svpn_device_config *c)
{
    c->tunnel[0].ipsec.lifetime_s = 86400;
}
static void the_others_address(s2svpn_device_config *c)
{
    c->tunnel[0].gateway.outside = c->tunnel[1].gateway.outside;
}
static void the_others_inside(s2svpn_device_config *c)
{
    c->tunnel[0].gateway.inside = c->tunnel[1].gateway.inside;
    c->tunnel[0].customer.inside = c->tunnel[1].customer.inside;
}

static void what_cannot_change_is_named_and_nothing_changes(void)
{
    static const struct {
        const char *name, *field;
        void (*change)(s2svpn_device_config *c);
        s2svpn_status rc;
    } rows[] = {
        {"another's document", "connection", another_connection, S2SVPN_E_ARGUMENT},
        {"one tunnel less", "tunnel_count", one_tunnel, S2SVPN_E_ARGUMENT},
        {"no tunnel", "tunnel_count", no_tunnels, S2SVPN_E_ARGUMENT},
        {"other routing", "static_routes", other_routing, S2SVPN_E_ARGUMENT},
        {"the inside IP version", "tunnel[0].customer.inside", inside_ipv6, S2SVPN_E_ARGUMENT},
        {"our ASN", "tunnel[0].customer.asn", other_asn, S2SVPN_E_ARGUMENT},
        {"the gateway's ASN", "tunnel[0].gateway.asn", other_gateway_asn, S2SVPN_E_ARGUMENT},
        {"hold time", "tunnel[0].customer.hold_time_s", other_hold_time, S2SVPN_E_ARGUMENT},
        {"no key", "tunnel[0]", no_key, S2SVPN_E_ARGUMENT},
        {"a day", "tunnel[0].phase2_lifetime_s", endless_phase, S2SVPN_E_ARGUMENT},
        {"the other's address", "outside_address", the_others_address, S2SVPN_E_EXISTS},
        {"the other's inside", "inside_cidr", the_others_inside, S2SVPN_E_EXISTS},
    };
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        s2svpn_device_config *config = document(&rig);
        const s2svpn_device_config good = *config;
        const s2svpn_tunnel_info before[2] = {rig_tunnel(rig.site, 0), rig_tunnel(rig.site, 1)};
        bool changed = false;

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            *config = good;
            set_key(config, 0); /* a change that could be, besides */
            rows[i].change(config);
            rig_check_error(rig.device.ctx,
                            s2svpn_device_change_tunnel(rig.site, 0, config, &changed), rows[i].rc,
                            rows[i].field, rows[i].name);
            CHECK_ROW(rows[i].name, untouched(&rig, 0, &before[0]) && !changed);
            CHECK_ROW(rows[i].name,
                      strcmp(s2svpn_connection_tunnel(rig.site, 0)->psk, RIG_PSK) == 0);
        }
        *config = good;
        rig_check_error(rig.device.ctx, s2svpn_device_change_tunnel(rig.site, 2, config, NULL),
                        S2SVPN_E_ARGUMENT, "index", "a third tunnel");
        rig_check_error(rig.gateway.ctx, s2svpn_device_change_tunnel(rig.cloud, 0, config, NULL),
                        S2SVPN_E_STATE, "connection", "a gateway's");
        CU_ASSERT_TRUE(untouched(&rig, 0, &before[0]) && untouched(&rig, 1, &before[1]));
        CU_ASSERT_EQUAL(s2svpn_connection_delete(rig.site), S2SVPN_OK);
        rig_check_error(rig.device.ctx, s2svpn_device_change_tunnel(rig.site, 0, config, NULL),
                        S2SVPN_E_STATE, "connection", "a deleted one");
        s2svpn_config_free(config);
    }
    rig_close(&rig);
}

static void a_connection_that_is_down_stays_down_and_starts_with_the_new_key(void)
{
    static struct rig rig;
    bool changed = false;

    if (rig_up(&rig, &bgp)) {
        s2svpn_device_config *config = document(&rig);

        CU_ASSERT_EQUAL(s2svpn_connection_stop(rig.site), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND);
        set_key(config, 0);
        set_key(config, 1);
        give_cloud_the_key(&rig, 0);
        give_cloud_the_key(&rig, 1);
        for (size_t i = 0; i < 2; i++) {
            CU_ASSERT_EQUAL(s2svpn_device_change_tunnel(rig.site, i, config, &changed), S2SVPN_OK);
            CU_ASSERT_TRUE(changed);
            CU_ASSERT_EQUAL(rig_tunnel(rig.site, i).phase, S2SVPN_TUNNEL_STOPPED);
        }
        rig_run(&rig, 60 * RIG_SECOND);
        CU_ASSERT_EQUAL(rig_tunnel(rig.site, 0).phase, S2SVPN_TUNNEL_STOPPED);
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
        rig_run(&rig, 20 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        s2svpn_config_free(config);
    }
    rig_close(&rig);
}

/* In the middle of a try, with the wrong key; the new one goes at once. */
static void a_tunnel_that_is_being_tried_is_changed_too(void)
{
    static struct rig rig;

    CU_ASSERT_EQUAL(rig_open(&rig, &bgp), S2SVPN_OK);
    s2svpn_device_config *config = document(&rig);
    give_cloud_the_key(&rig, 0);
    give_cloud_the_key(&rig, 1);
    CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
    rig_run(&rig, 200 * RIG_SECOND);
    CU_ASSERT_FALSE(rig_tunnel(rig.site, 0).up || rig_tunnel(rig.site, 1).up);
    set_key(config, 0);
    set_key(config, 1);
    for (size_t i = 0; i < 2; i++)
        CU_ASSERT_EQUAL(s2svpn_device_change_tunnel(rig.site, i, config, NULL), S2SVPN_OK);
    rig_run(&rig, 5 * RIG_SECOND); /* no back-off is left of the old one's */
    CU_ASSERT_TRUE(rig_both_up(&rig));
    s2svpn_config_free(config);
    rig_close(&rig);
}

/* ---- memory */

static void a_change_survives_every_failure_of_an_allocation(void)
{
    static struct rig rig;
    size_t refused = 0;

    for (size_t n = 1; n < 200; n++) {
        bool reached, changed = false;

        if (!rig_up(&rig, &bgp)) {
            rig_close(&rig);
            return;
        }
        s2svpn_device_config *config = document(&rig);
        const s2svpn_tunnel_info before[2] = {rig_tunnel(rig.site, 0), rig_tunnel(rig.site, 1)};

        change_inside(config);
        change_gateway(config);
        rig.device.heap.failed = false;
        rig.device.heap.fail_at = rig.device.heap.allocations + n;
        const s2svpn_status rc = s2svpn_device_change_tunnel(rig.site, 0, config, &changed);
        reached = rig.device.heap.failed;
        rig.device.heap.fail_at = 0;
        CU_ASSERT_TRUE(rc == S2SVPN_OK || rc == S2SVPN_E_MEMORY);
        if (rc != S2SVPN_OK) {
            refused++;
            CU_ASSERT_FALSE(changed);
            CU_ASSERT_TRUE(untouched(&rig, 0, &before[0]));
        }
        CU_ASSERT_TRUE(untouched(&rig, 1, &before[1]));
        CU_ASSERT_EQUAL(s2svpn_device_change_tunnel(rig.site, 0, config, &changed), S2SVPN_OK);
        CU_ASSERT_EQUAL(changed, rc != S2SVPN_OK);
        /* And back, and up. */
        s2svpn_config_free(config);
        config = document(&rig);
        CU_ASSERT_EQUAL(s2svpn_device_change_tunnel(rig.site, 0, config, NULL), S2SVPN_OK);
        rig_run(&rig, 30 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        CU_ASSERT_TRUE(untouched(&rig, 1, &before[1]));
        s2svpn_config_free(config);
        rig_close(&rig);
        if (!reached) {
            CU_ASSERT_TRUE(refused >= 2);
            return;
        }
    }
    CU_FAIL("the allocations come to an end");
}

/* A heap that looks at what is given back. */
#define WATCH_HEADER 16
static unsigned left_behind;

static bool holds(const uint8_t *p, size_t len, const char *key)
{
    const size_t n = strlen(key);

    for (size_t i = 0; i + n <= len; i++) {
        if (memcmp(p + i, key, n) == 0)
            return true;
    }
    return false;
}

static void *watch_allocate(void *user, size_t len)
{
    uint8_t *p = calloc(1, len + WATCH_HEADER);

    (void)user;
    if (p == NULL)
        return NULL;
    memcpy(p, &len, sizeof(len));
    return p + WATCH_HEADER;
}

static void watch_release(void *user, void *p)
{
    uint8_t *base = p ? (uint8_t *)p - WATCH_HEADER : NULL;
    size_t len;

    (void)user;
    if (base == NULL)
        return;
    memcpy(&len, base, sizeof(len));
    left_behind += holds(p, len, NEW_PSK) || holds(p, len, RIG_PSK);
    free(base);
}

static const s2svpn_memory watch = {
    .size = sizeof(watch), .allocate = watch_allocate, .release = watch_release};

static void take_watch(struct rig_side *side)
{
    if (side->options.role == S2SVPN_ROLE_DEVICE)
        side->options.memory = &watch;
}

static void no_key_is_left_behind(void)
{
    const struct rig_plan plan = {.adjust = take_watch};
    static struct rig rig;

    left_behind = 0;
    if (rig_up(&rig, &plan)) {
        s2svpn_device_config *config = document(&rig);
        const s2svpn_tunnel *t = s2svpn_connection_tunnel(rig.site, 0);

        CU_ASSERT_EQUAL(s2svpn_device_change_tunnel(rig.site, 0, config, NULL), S2SVPN_OK);
        set_key(config, 0);
        config->tunnel[0].ipsec.lifetime_s = 86400;
        CU_ASSERT_NOT_EQUAL(s2svpn_device_change_tunnel(rig.site, 0, config, NULL), S2SVPN_OK);
        config->tunnel[0].ipsec.lifetime_s = 3600;
        CU_ASSERT_EQUAL(s2svpn_device_change_tunnel(rig.site, 0, config, NULL), S2SVPN_OK);
        CU_ASSERT_FALSE(holds((const uint8_t *)t, sizeof(*t), RIG_PSK)); /* the old one is gone */
        s2svpn_config_free(config);
    }
    rig_close(&rig);
    CU_ASSERT_EQUAL(left_behind, 0);
}

const CU_TestInfo s2_test_device_change[] = {
    {"what says the same changes nothing", what_says_the_same_changes_nothing},
    {"a second offer is no change", a_second_offer_is_no_change},
    {"keys rotate tunnel by tunnel without an outage",
     keys_rotate_tunnel_by_tunnel_without_an_outage},
    {"each change is taken over and leaves the other tunnel alone",
     each_change_is_taken_over_and_leaves_the_other_tunnel_alone},
    {"what cannot change is named, and nothing changes",
     what_cannot_change_is_named_and_nothing_changes},
    {"a connection that is down stays down and starts with the new key",
     a_connection_that_is_down_stays_down_and_starts_with_the_new_key},
    {"a tunnel that is being tried is changed too", a_tunnel_that_is_being_tried_is_changed_too},
    {"a change survives every failure of an allocation",
     a_change_survives_every_failure_of_an_allocation},
    {"no key is left behind", no_key_is_left_behind},
    CU_TEST_INFO_NULL,
};
