/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/tunnel_modify.c: options changed and endpoints replaced while packets cross. */
#include <string.h>

#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

#define TICK (RIG_SECOND / 50)

static const struct rig_plan bgp = {0};
static const struct rig_plan static_routes = {.static_routes = true};

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

/* A packet each way every 20 ms: how many of them didn't arrive. */
static unsigned lost_in(struct rig *rig, uint64_t ns)
{
    unsigned lost = 0;

    for (uint64_t t = 0; t < ns; t += TICK) {
        lost += !crosses(rig, &rig->device, "192.168.10.20", "10.0.1.10");
        lost += !crosses(rig, &rig->gateway, "10.0.1.10", "192.168.10.20");
        rig_run(rig, TICK);
    }
    return lost;
}

static s2svpn_tunnel_options options_of(const struct rig *rig, size_t index)
{
    s2svpn_tunnel_options o;

    s2svpn_tunnel_get_options(s2svpn_connection_tunnel(rig->cloud, index), &o);
    return o;
}

static s2svpn_status modify(struct rig *rig, size_t index, const s2svpn_tunnel_options *o)
{
    return s2svpn_tunnel_modify(s2svpn_connection_tunnel(rig->cloud, index), o);
}

/* Whose packets went out by which tunnel of which end, since the last call. */
static bool only_by(const s2svpn_connection *c, size_t index, uint64_t before[2])
{
    const uint64_t now[2] = {rig_tunnel(c, 0).packets_out, rig_tunnel(c, 1).packets_out};
    const bool by[2] = {now[0] - before[0] > 20, now[1] - before[1] > 20};

    memcpy(before, now, sizeof(now));
    return by[index] && !by[1 - index];
}

static void what_says_the_same_changes_nothing(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        const size_t events = rig.gateway.events;
        s2svpn_tunnel_options o;

        for (size_t i = 0; i < 2; i++) {
            o = options_of(&rig, i);
            CU_ASSERT_EQUAL(modify(&rig, i, &o), S2SVPN_OK);
            o.pre_shared_key = NULL; /* it stays, as what is 0 here */
            memset(&o.inside_cidr, 0, sizeof(o.inside_cidr));
            memset(&o.outside_address, 0, sizeof(o.outside_address));
            CU_ASSERT_EQUAL(modify(&rig, i, &o), S2SVPN_OK);
        }
        CU_ASSERT_EQUAL(s2svpn_connection_modify(rig.cloud, NULL, NULL), S2SVPN_OK);
        rig_run(&rig, 15 * RIG_SECOND);
        CU_ASSERT_EQUAL(rig.gateway.events, events);
        CU_ASSERT_TRUE(rig_both_up(&rig));
    }
    rig_close(&rig);
}

/* ---- each option */

static void set_encryption1(s2svpn_tunnel_options *o)
{
    o->phase1_encryption = S2SVPN_AES256_GCM_16;
}
static void set_encryption2(s2svpn_tunnel_options *o)
{
    o->phase2_encryption = S2SVPN_AES256;
}
static void set_integrity1(s2svpn_tunnel_options *o)
{
    o->phase1_integrity = S2SVPN_SHA2_384;
}
static void set_integrity2(s2svpn_tunnel_options *o)
{
    o->phase2_integrity = S2SVPN_SHA2_512;
}
static void set_groups1(s2svpn_tunnel_options *o)
{
    o->phase1_dh_groups = S2SVPN_GROUP(20);
}
static void set_groups2(s2svpn_tunnel_options *o)
{
    o->phase2_dh_groups = S2SVPN_GROUP(15);
}
static void set_lifetime1(s2svpn_tunnel_options *o)
{
    o->phase1_lifetime_s = 7200;
}
static void set_lifetime2(s2svpn_tunnel_options *o)
{
    o->phase2_lifetime_s = 1800;
}
static void set_margin(s2svpn_tunnel_options *o)
{
    o->rekey_margin_s = 300;
}
static void set_fuzz(s2svpn_tunnel_options *o)
{
    o->rekey_fuzz_percent = 1;
}
static void set_window(s2svpn_tunnel_options *o)
{
    o->replay_window = 2048;
}
static void set_dpd_timeout(s2svpn_tunnel_options *o)
{
    o->dpd_timeout_s = 60;
}
static void set_dpd_action(s2svpn_tunnel_options *o)
{
    o->dpd_action = S2SVPN_DPD_RESTART;
}
static void set_startup(s2svpn_tunnel_options *o)
{
    o->startup_action = S2SVPN_STARTUP_START;
}
static void set_key(s2svpn_tunnel_options *o)
{
    o->pre_shared_key = "another.key.of.the.rig";
}
static void set_inside(s2svpn_tunnel_options *o)
{
    o->inside_cidr = rig_prefix("169.254.77.0/30");
}

static const struct option_row {
    const char *name;
    void (*set)(s2svpn_tunnel_options *o);
    bool alone;            /* the device needn't know */
    const char *ike, *esp; /* to be seen on the wire; NULL: as before */
} option_rows[] = {
    {"phase 1 encryption", set_encryption1, true, "AES_GCM_16_256", NULL},
    {"phase 2 encryption", set_encryption2, true, NULL, "AES_CBC_256"},
    {"phase 1 integrity", set_integrity1, true, "HMAC_SHA2_384_192", NULL},
    {"phase 2 integrity", set_integrity2, true, NULL, "HMAC_SHA2_512_256"},
    {"phase 1 groups", set_groups1, true, "ECP_384", NULL},
    {"phase 2 groups", set_groups2, true, NULL, NULL},
    {"phase 1 lifetime", set_lifetime1, true, NULL, NULL},
    {"phase 2 lifetime", set_lifetime2, true, NULL, NULL},
    {"rekey margin", set_margin, true, NULL, NULL},
    {"rekey fuzz", set_fuzz, true, NULL, NULL},
    {"replay window", set_window, true, NULL, NULL},
    {"DPD timeout", set_dpd_timeout, true, NULL, NULL},
    {"DPD action", set_dpd_action, true, NULL, NULL},
    {"startup action", set_startup, true, NULL, NULL},
    {"pre-shared key", set_key, false, NULL, NULL},
    {"inside CIDR", set_inside, false, NULL, NULL},
};

static bool same_but_key(const s2svpn_tunnel_options *a, const s2svpn_tunnel_options *b)
{
    s2svpn_tunnel_options x = *a, y = *b;
    const bool keys = strcmp(a->pre_shared_key, b->pre_shared_key) == 0;

    x.pre_shared_key = y.pre_shared_key = NULL;
    return keys && memcmp(&x, &y, sizeof(x)) == 0;
}

static void play_option(const struct option_row *row, size_t index)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        const s2svpn_tunnel_info other = rig_tunnel(rig.cloud, 1 - index);
        const s2svpn_tunnel_info before = rig_tunnel(rig.cloud, index);
        s2svpn_tunnel_options wanted = options_of(&rig, index), now;

        row->set(&wanted);
        CHECK_ROW(row->name, modify(&rig, index, &wanted) == S2SVPN_OK);
        CHECK_ROW(row->name, lost_in(&rig, 30 * RIG_SECOND) == 0);
        now = options_of(&rig, index);
        CHECK_ROW(row->name, same_but_key(&now, &wanted));

        const s2svpn_tunnel_info after = rig_tunnel(rig.cloud, index);
        const s2svpn_tunnel_info rest = rig_tunnel(rig.cloud, 1 - index);

        CHECK_ROW(row->name, after.up == row->alone);
        CHECK_ROW(row->name, after.spi_in != before.spi_in && after.changed_ns > before.changed_ns);
        CHECK_ROW(row->name,
                  rest.up && rest.spi_in == other.spi_in && rest.changed_ns == other.changed_ns);
        if (row->ike)
            CHECK_ROW(row->name, strstr(after.ike_algorithms, row->ike) != NULL);
        if (row->esp)
            CHECK_ROW(row->name, strstr(after.esp_algorithms, row->esp) != NULL);
    }
    rig_close(&rig);
}

static void each_option_comes_into_force_and_loses_nothing(void)
{
    for (size_t i = 0; i < sizeof(option_rows) / sizeof(option_rows[0]); i++) {
        play_option(&option_rows[i], 0);
        play_option(&option_rows[i], 1);
    }
}

/* What the device must know, it learns from its new document. */
static void the_new_document_brings_the_tunnel_back(void)
{
    static void (*const sets[])(s2svpn_tunnel_options *) = {set_key, set_inside};
    static struct rig rig;

    for (size_t i = 0; i < 2; i++) {
        if (rig_up(&rig, &bgp)) {
            s2svpn_device_config *config = NULL;
            s2svpn_tunnel_options o = options_of(&rig, 0);
            s2svpn_text xml = {0};

            sets[i](&o);
            CU_ASSERT_EQUAL(modify(&rig, 0, &o), S2SVPN_OK);
            rig_run(&rig, 15 * RIG_SECOND);
            CU_ASSERT_FALSE(rig_tunnel(rig.cloud, 0).up);
            CU_ASSERT_EQUAL(s2svpn_connection_device_config(rig.cloud, &xml), S2SVPN_OK);
            CU_ASSERT_EQUAL(s2svpn_config_read(xml.data, xml.len, &config, NULL), S2SVPN_OK);
            CU_ASSERT_EQUAL(s2svpn_device_change_tunnel(rig.site, 0, config, NULL), S2SVPN_OK);
            rig_run(&rig, 20 * RIG_SECOND);
            CU_ASSERT_TRUE(rig_both_up(&rig));
            CU_ASSERT_EQUAL(lost_in(&rig, RIG_SECOND), 0);
            s2svpn_config_free(config);
            s2svpn_text_free(&xml);
        }
        rig_close(&rig);
    }
}

/* ---- moving away first */

static void both_ends_move_away_first_and_come_back(void)
{
    static struct rig rig;

    for (size_t index = 0; index < 2; index++) {
        if (rig_up(&rig, &bgp)) {
            uint64_t site[2] = {0}, cloud[2] = {0};

            CU_ASSERT_EQUAL(lost_in(&rig, 2 * RIG_SECOND), 0);
            CU_ASSERT_TRUE(only_by(rig.site, 0, site)); /* by the lower MED */
            (void)only_by(rig.cloud, 0, cloud);
            CU_ASSERT_EQUAL(s2svpn_tunnel_replace(s2svpn_connection_tunnel(rig.cloud, index)),
                            S2SVPN_OK);
            CU_ASSERT_TRUE(rig_event_says(&rig.gateway, S2SVPN_EVENT_NOTE, "its traffic moves"));
            rig_run(&rig, RIG_SECOND);
            (void)only_by(rig.site, 0, site);
            (void)only_by(rig.cloud, 0, cloud);
            CU_ASSERT_EQUAL(lost_in(&rig, 5 * RIG_SECOND), 0);
            CU_ASSERT_TRUE(rig_both_up(&rig));
            CU_ASSERT_TRUE(only_by(rig.site, 1 - index, site));
            CU_ASSERT_TRUE(only_by(rig.cloud, 1 - index, cloud));
            CU_ASSERT_EQUAL(lost_in(&rig, 30 * RIG_SECOND), 0);
            CU_ASSERT_TRUE(rig_event_says(&rig.gateway, S2SVPN_EVENT_TUNNEL, "is replaced"));
            CU_ASSERT_TRUE(rig_both_up(&rig));
            (void)only_by(rig.site, 0, site);
            CU_ASSERT_EQUAL(lost_in(&rig, 5 * RIG_SECOND), 0);
            CU_ASSERT_TRUE(only_by(rig.site, 0, site)); /* as it was */
        }
        rig_close(&rig);
    }
}

/* Without BGP nobody could tell the device; without another tunnel there is nowhere to go. */
static void where_there_is_nowhere_to_move_it_happens_at_once(void)
{
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        CU_ASSERT_EQUAL(s2svpn_tunnel_replace(s2svpn_connection_tunnel(rig.cloud, 0)), S2SVPN_OK);
        CU_ASSERT_FALSE(rig_tunnel(rig.cloud, 0).up);
        rig_run(&rig, 5 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
    }
    rig_close(&rig);
    if (rig_up(&rig, &bgp)) {
        s2svpn_tunnel_set_blackhole(s2svpn_connection_tunnel(rig.site, 1), true);
        rig_run(&rig, 60 * RIG_SECOND);
        CU_ASSERT_FALSE(rig_tunnel(rig.cloud, 1).up);
        CU_ASSERT_EQUAL(s2svpn_tunnel_replace(s2svpn_connection_tunnel(rig.cloud, 0)), S2SVPN_OK);
        CU_ASSERT_FALSE(rig_tunnel(rig.cloud, 0).up);
        rig_run(&rig, 20 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_tunnel(rig.cloud, 0).up);
    }
    rig_close(&rig);
}

static void one_tunnel_at_a_time_and_the_newest_options_count(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        s2svpn_tunnel_options first = options_of(&rig, 0), second = first;
        s2svpn_tunnel_options other = options_of(&rig, 1);

        set_inside(&first);
        set_window(&second);
        set_window(&other);
        CU_ASSERT_EQUAL(modify(&rig, 0, &first), S2SVPN_OK);
        CU_ASSERT_EQUAL(modify(&rig, 1, &other), S2SVPN_E_STATE);
        CU_ASSERT_EQUAL(s2svpn_tunnel_replace(s2svpn_connection_tunnel(rig.cloud, 1)),
                        S2SVPN_E_STATE);
        CU_ASSERT_EQUAL(s2svpn_connection_modify(rig.cloud, NULL, NULL), S2SVPN_E_STATE);
        rig_run(&rig, 5 * RIG_SECOND);
        CU_ASSERT_EQUAL(modify(&rig, 0, &second), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_tunnel_replace(s2svpn_connection_tunnel(rig.cloud, 0)), S2SVPN_OK);
        rig_run(&rig, 30 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        CU_ASSERT_EQUAL(options_of(&rig, 0).replay_window, 2048);
        /* And the block that never came into force is free. */
        set_inside(&other);
        CU_ASSERT_EQUAL(modify(&rig, 1, &other), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_connection_delete(rig.cloud), S2SVPN_OK); /* while it waits */
        rig_run(&rig, 20 * RIG_SECOND);
    }
    rig_close(&rig);
}

/* ---- selectors */

static void new_selectors_restart_both_tunnels_and_bind_packets(void)
{
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        const s2svpn_prefix cloud = rig_prefix("10.0.1.0/24");
        const s2svpn_prefix elsewhere = rig_prefix("10.0.2.0/24");
        const s2svpn_prefix six = rig_prefix("2001:db8::/32");
        s2svpn_prefix wrong = cloud;

        wrong.address.bytes[3] = 1; /* a host's bit */
        CU_ASSERT_EQUAL(s2svpn_connection_modify(rig.cloud, NULL, &wrong), S2SVPN_E_ARGUMENT);
        CU_ASSERT_STRING_EQUAL(s2svpn_context_error(rig.gateway.ctx)->field, "remote_network");
        CU_ASSERT_EQUAL(s2svpn_connection_modify(rig.cloud, &six, NULL), S2SVPN_E_ARGUMENT);
        CU_ASSERT_STRING_EQUAL(s2svpn_context_error(rig.gateway.ctx)->field, "local_network");
        CU_ASSERT_TRUE(rig_both_up(&rig));
        CU_ASSERT_EQUAL(s2svpn_connection_modify(rig.cloud, NULL, &cloud), S2SVPN_OK);
        CU_ASSERT_FALSE(rig_tunnel(rig.cloud, 0).up || rig_tunnel(rig.cloud, 1).up);
        rig_run(&rig, 10 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        CU_ASSERT_EQUAL(lost_in(&rig, RIG_SECOND), 0);
        CU_ASSERT_EQUAL(s2svpn_connection_modify(rig.cloud, NULL, &elsewhere), S2SVPN_OK);
        rig_run(&rig, 10 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        CU_ASSERT_EQUAL(lost_in(&rig, RIG_SECOND), 100);
    }
    rig_close(&rig);
}

/* ---- what can't be */

static void lifetime_too_short(s2svpn_tunnel_options *o)
{
    o->phase1_lifetime_s = 899;
}
static void margin_too_long(s2svpn_tunnel_options *o)
{
    o->rekey_margin_s = 1801;
}
static void no_such_cipher(s2svpn_tunnel_options *o)
{
    o->phase2_encryption = 1u << 20;
}
static void short_key(s2svpn_tunnel_options *o)
{
    o->pre_shared_key = "short";
}
static void reserved_block(s2svpn_tunnel_options *o)
{
    o->inside_cidr = rig_prefix("169.254.2.0/30");
}
static void another_address(s2svpn_tunnel_options *o)
{
    o->outside_address = rig_address("198.51.100.2");
}
static void inside_ipv6(s2svpn_tunnel_options *o)
{
    o->inside_ipv6_cidr = rig_prefix("fd00::/126");
}

static void options_that_cannot_be_are_named_and_change_nothing(void)
{
    static const struct {
        const char *field;
        void (*set)(s2svpn_tunnel_options *o);
    } rows[] = {
        {"options.phase1_lifetime_s", lifetime_too_short},
        {"options.rekey_margin_s", margin_too_long},
        {"options.phase2_encryption", no_such_cipher},
        {"options.pre_shared_key", short_key},
        {"options.inside_cidr", reserved_block},
        {"options.outside_address", another_address},
        {"options.inside_ipv6_cidr", inside_ipv6},
    };
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        s2svpn_tunnel_options o;

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            o = options_of(&rig, 0);
            rows[i].set(&o);
            CHECK_ROW(rows[i].field, modify(&rig, 0, &o) == S2SVPN_E_ARGUMENT);
            CHECK_ROW(rows[i].field,
                      strcmp(s2svpn_context_error(rig.gateway.ctx)->field, rows[i].field) == 0);
        }
        o = options_of(&rig, 0);
        o.inside_cidr = options_of(&rig, 1).inside_cidr;
        CU_ASSERT_EQUAL(modify(&rig, 0, &o), S2SVPN_E_EXISTS);
        o = options_of(&rig, 0);
        CU_ASSERT_EQUAL(s2svpn_tunnel_modify(s2svpn_connection_tunnel(rig.site, 0), &o),
                        S2SVPN_E_STATE); /* a device's */
        rig_run(&rig, 15 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        CU_ASSERT_FALSE(rig_event_says(&rig.gateway, S2SVPN_EVENT_NOTE, "its traffic moves"));
    }
    rig_close(&rig);
}

static void without_memory_a_change_is_refused_or_done_whole(void)
{
    static struct rig rig;

    for (size_t n = 1; n < 200; n++) {
        bool reached = false;

        if (rig_up(&rig, &bgp)) {
            s2svpn_tunnel_options o = options_of(&rig, 0);
            const s2svpn_prefix before = o.inside_cidr;
            s2svpn_status rc;

            set_inside(&o);
            rig.gateway.heap.fail_at = rig.gateway.heap.allocations + n;
            rc = modify(&rig, 0, &o);
            rig_run(&rig, 15 * RIG_SECOND);
            reached = rig.gateway.heap.failed;
            o = options_of(&rig, 0);
            CU_ASSERT_TRUE(rc == S2SVPN_OK || rc == S2SVPN_E_MEMORY);
            CU_ASSERT_EQUAL(memcmp(&o.inside_cidr, &before, sizeof(before)) == 0,
                            rc == S2SVPN_E_MEMORY);
        }
        rig_close(&rig);
        if (!reached) {
            CU_ASSERT_TRUE(n > 2);
            return;
        }
    }
    CU_FAIL("the allocations come to an end");
}

const CU_TestInfo s2_test_tunnel_modify[] = {
    {"what says the same changes nothing", what_says_the_same_changes_nothing},
    {"each option comes into force and loses nothing",
     each_option_comes_into_force_and_loses_nothing},
    {"the new document brings the tunnel back", the_new_document_brings_the_tunnel_back},
    {"both ends move away first and come back", both_ends_move_away_first_and_come_back},
    {"where there is nowhere to move it happens at once",
     where_there_is_nowhere_to_move_it_happens_at_once},
    {"one tunnel at a time, and the newest options count",
     one_tunnel_at_a_time_and_the_newest_options_count},
    {"new selectors restart both tunnels and bind packets",
     new_selectors_restart_both_tunnels_and_bind_packets},
    {"options that cannot be are named and change nothing",
     options_that_cannot_be_are_named_and_change_nothing},
    {"without memory a change is refused or done whole",
     without_memory_a_change_is_refused_or_done_whole},
    CU_TEST_INFO_NULL,
};
