/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/connection.c, connection_new.c: what a connection is made of. AWS's values:
 * user guide, "Tunnel options for your Site-to-Site VPN connection". */
#include <string.h>

#include "harness.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

/* A gateway, a customer gateway, no connection. */
static s2svpn_context *open_cloud(struct rig *rig)
{
    s2svpn_customer_gateway_spec cgw = S2SVPN_CUSTOMER_GATEWAY_INIT;

    rig_gateway(rig, NULL);
    cgw.address = "203.0.113.7";
    CU_ASSERT_EQUAL(rig_make_vpc(rig), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_customer_gateway_new(rig->gateway.ctx, &cgw, &rig->cgw), S2SVPN_OK);
    return rig->gateway.ctx;
}

/* Make and delete. */
static s2svpn_status attempt(struct rig *rig, const s2svpn_connection_spec *spec)
{
    s2svpn_connection *conn = NULL;
    const s2svpn_status rc = s2svpn_connection_new(rig->vgw, rig->cgw, spec, &conn);

    CU_ASSERT_EQUAL(rc == S2SVPN_OK, conn != NULL);
    if (conn)
        CU_ASSERT_EQUAL(s2svpn_connection_delete(conn), S2SVPN_OK);
    s2svpn_connection_release(conn);
    return rc;
}

/* ---- options */

#define NUMBER(member) offsetof(s2svpn_tunnel_options, member)

static const struct {
    const char *name, *field; /* NULL: it is allowed */
    size_t member;
    uint32_t value;
} number_rows[] = {
    {"phase 1 of 900 s, but phase 2 of 3600", "phase2_lifetime_s", NUMBER(phase1_lifetime_s), 900},
    {"phase 1 of 899 s", "phase1_lifetime_s", NUMBER(phase1_lifetime_s), 899},
    {"phase 1 of 28800 s", NULL, NUMBER(phase1_lifetime_s), 28800},
    {"phase 1 of 28801 s", "phase1_lifetime_s", NUMBER(phase1_lifetime_s), 28801},
    {"phase 1 as long as phase 2", "phase2_lifetime_s", NUMBER(phase1_lifetime_s), 3600},
    {"phase 1 a second longer", NULL, NUMBER(phase1_lifetime_s), 3601},
    {"phase 2 of 899 s", "phase2_lifetime_s", NUMBER(phase2_lifetime_s), 899},
    {"phase 2 of 900 s", NULL, NUMBER(phase2_lifetime_s), 900},
    {"phase 2 of 3601 s", "phase2_lifetime_s", NUMBER(phase2_lifetime_s), 3601},
    {"a margin of 59 s", "rekey_margin_s", NUMBER(rekey_margin_s), 59},
    {"a margin of 60 s", NULL, NUMBER(rekey_margin_s), 60},
    {"a margin of half of phase 2", NULL, NUMBER(rekey_margin_s), 1800},
    {"a margin beyond", "rekey_margin_s", NUMBER(rekey_margin_s), 1801},
    {"a fuzz of 0 %", NULL, NUMBER(rekey_fuzz_percent), 1},
    {"a fuzz of 100 %", NULL, NUMBER(rekey_fuzz_percent), 101},
    {"a fuzz of 101 %", "rekey_fuzz_percent", NUMBER(rekey_fuzz_percent), 102},
    {"a window of 63", "replay_window", NUMBER(replay_window), 63},
    {"a window of 64", NULL, NUMBER(replay_window), 64},
    {"a window of 2048", NULL, NUMBER(replay_window), 2048},
    {"a window of 8192", NULL, NUMBER(replay_window), 8192},
    {"a window of 8193", "replay_window", NUMBER(replay_window), 8193},
    {"a DPD timeout of 29 s", "dpd_timeout_s", NUMBER(dpd_timeout_s), 29},
    {"a DPD timeout of 30 s", NULL, NUMBER(dpd_timeout_s), 30},
    {"a DPD timeout of an hour", NULL, NUMBER(dpd_timeout_s), 3600},
    {"all encryption", NULL, NUMBER(phase1_encryption), 15},
    {"encryption that there isn't", "phase1_encryption", NUMBER(phase1_encryption), 16},
    {"the same in phase 2", "phase2_encryption", NUMBER(phase2_encryption), 1u << 31},
    {"integrity that there isn't", "phase1_integrity", NUMBER(phase1_integrity), 16},
    {"the same in phase 2", "phase2_integrity", NUMBER(phase2_integrity), 17},
    {"group 14", NULL, NUMBER(phase1_dh_groups), S2SVPN_GROUP(14)},
    {"group 31, which AWS hasn't", NULL, NUMBER(phase1_dh_groups), S2SVPN_GROUP(31)},
    {"group 1", "phase1_dh_groups", NUMBER(phase1_dh_groups), S2SVPN_GROUP(1)},
    {"group 5 in phase 1", "phase1_dh_groups", NUMBER(phase1_dh_groups), S2SVPN_GROUP(5)},
    {"group 5 in phase 2", NULL, NUMBER(phase2_dh_groups), S2SVPN_GROUP(5)},
    {"group 25", "phase2_dh_groups", NUMBER(phase2_dh_groups), S2SVPN_GROUP(25)},
};

static void numbers_beyond_awss_limits_are_named(void)
{
    static struct rig rig;
    s2svpn_context *ctx = open_cloud(&rig);

    for (size_t i = 0; i < sizeof(number_rows) / sizeof(number_rows[0]); i++) {
        for (unsigned t = 0; t < 2; t++) {
            s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;
            char field[64] = "";
            s2svpn_status rc;

            memcpy((uint8_t *)&spec.tunnel[t] + number_rows[i].member, &number_rows[i].value, 4);
            rc = attempt(&rig, &spec);
            if (number_rows[i].field == NULL) {
                CHECK_ROW(number_rows[i].name, rc == S2SVPN_OK);
                continue;
            }
            s2_print(field, sizeof(field), "tunnel[%u].%s", t, number_rows[i].field);
            rig_check_error(ctx, rc, S2SVPN_E_ARGUMENT, field, number_rows[i].name);
        }
    }
    rig_close(&rig);
}

static void actions_that_there_are_not_are_named(void)
{
    static struct rig rig;
    s2svpn_context *ctx = open_cloud(&rig);
    s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;

    spec.tunnel[1].dpd_action = 3;
    rig_check_error(ctx, attempt(&rig, &spec), S2SVPN_E_ARGUMENT, "tunnel[1].dpd_action", "DPD");
    spec.tunnel[1].dpd_action = S2SVPN_DPD_RESTART;
    spec.tunnel[1].startup_action = 2;
    rig_check_error(ctx, attempt(&rig, &spec), S2SVPN_E_ARGUMENT, "tunnel[1].startup_action",
                    "startup");
    rig_close(&rig);
}

static void pre_shared_keys_have_awss_form(void)
{
    static const struct {
        const char *name, *psk;
        bool good;
    } rows[] = {
        {"8 characters", "12345678", true},
        {"7 characters", "1234567", false},
        {"64 characters", "abcdefghABCDEFGH01234567._._._._abcdefghABCDEFGH0123456789._._._", true},
        {"65 characters", "abcdefghABCDEFGH01234567._._._._abcdefghABCDEFGH0123456789._._._x",
         false},
        {"a zero in front", "0abcdefgh", false},
        {"a zero behind", "abcdefgh0", true},
        {"a hyphen", "abcd-efgh", false},
        {"a blank", "abcd efgh", false},
        {"a letter that is none of ours",
         "abcd\xc3\xa4"
         "efgh",
         false},
        {"nothing", "", false},
    };
    static struct rig rig;
    s2svpn_context *ctx = open_cloud(&rig);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;
        s2svpn_status rc;

        spec.tunnel[0].pre_shared_key = rows[i].psk;
        rc = attempt(&rig, &spec);
        if (rows[i].good)
            CHECK_ROW(rows[i].name, rc == S2SVPN_OK);
        else
            rig_check_error(ctx, rc, S2SVPN_E_ARGUMENT, "tunnel[0].pre_shared_key", rows[i].name);
        CHECK_ROW(rows[i].name, strlen(rows[i].psk) < 8 ||
                                    !strstr(s2svpn_context_error(ctx)->message, rows[i].psk));
    }
    rig_close(&rig);
}

static void made_keys_are_32_of_the_alphabet_and_differ(void)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
    static struct rig rig;
    bool seen[256] = {false};
    char last[65] = "";

    open_cloud(&rig);
    for (size_t i = 0; i < 50; i++) {
        CU_ASSERT_EQUAL_FATAL(s2svpn_connection_new(rig.vgw, rig.cgw, NULL, &rig.cloud), S2SVPN_OK);
        for (size_t t = 0; t < 2; t++) {
            s2svpn_tunnel_options o;

            s2svpn_tunnel_get_options(s2svpn_connection_tunnel(rig.cloud, t), &o);
            CU_ASSERT_EQUAL(strlen(o.pre_shared_key), 32);
            CU_ASSERT_EQUAL(strspn(o.pre_shared_key, alphabet), 32);
            CU_ASSERT_NOT_EQUAL(o.pre_shared_key[0], '0');
            CU_ASSERT_STRING_NOT_EQUAL(o.pre_shared_key, last);
            s2_copy_text(last, sizeof(last), o.pre_shared_key);
            for (const char *p = o.pre_shared_key; *p; p++)
                seen[(uint8_t)*p] = true;
        }
        CU_ASSERT_EQUAL(s2svpn_connection_delete(rig.cloud), S2SVPN_OK);
        s2svpn_connection_release(rig.cloud);
    }
    rig.cloud = NULL;
    for (const char *p = alphabet; *p; p++)
        CU_ASSERT_TRUE(seen[(uint8_t)*p]);
    rig_close(&rig);
}

static void without_randomness_there_is_no_connection(void)
{
    static struct rig rig;
    s2svpn_context *ctx = open_cloud(&rig);

    rig.gateway.random_fails = true;
    CU_ASSERT_EQUAL(attempt(&rig, NULL), S2SVPN_E_RANDOM);
    CU_ASSERT_EQUAL(s2svpn_context_error(ctx)->code, S2SVPN_E_RANDOM);
    rig.gateway.random_fails = false;
    CU_ASSERT_EQUAL(attempt(&rig, NULL), S2SVPN_OK);
    rig_close(&rig);
}

static void the_options_in_force_have_defaults_filled_in(void)
{
    static struct rig rig;
    s2svpn_tunnel_options o;

    open_cloud(&rig);
    CU_ASSERT_EQUAL(s2svpn_connection_new(rig.vgw, rig.cgw, NULL, &rig.cloud), S2SVPN_OK);
    s2svpn_tunnel_get_options(s2svpn_connection_tunnel(rig.cloud, 1), &o);
    CU_ASSERT_EQUAL(o.phase1_lifetime_s, 28800);
    CU_ASSERT_EQUAL(o.phase2_lifetime_s, 3600);
    CU_ASSERT_EQUAL(o.rekey_margin_s, 270);
    CU_ASSERT_EQUAL(o.rekey_fuzz_percent, 101);
    CU_ASSERT_EQUAL(o.replay_window, 1024);
    CU_ASSERT_EQUAL(o.dpd_timeout_s, 30);
    CU_ASSERT_EQUAL(o.dpd_action, S2SVPN_DPD_CLEAR);
    CU_ASSERT_EQUAL(o.startup_action, S2SVPN_STARTUP_ADD);
    CU_ASSERT_EQUAL(o.phase1_encryption, 15);
    CU_ASSERT_EQUAL(o.phase2_integrity, 15);
    CU_ASSERT_EQUAL(o.inside_cidr.length, 30);
    CU_ASSERT_EQUAL(o.outside_address.bytes[3], 2);
    CU_ASSERT_PTR_NULL(s2svpn_connection_tunnel(rig.cloud, 2));
    rig_close(&rig);
}

/* ---- addresses inside */

static void inside_blocks_are_slash_30s_that_aws_does_not_reserve(void)
{
    static const struct {
        const char *cidr;
        bool good;
    } rows[] = {
        {"169.254.6.0/30", true},      {"169.254.0.4/30", true},  {"169.254.255.252/30", true},
        {"169.254.169.248/30", true},  {"169.254.5.4/30", true},  {"169.254.0.0/30", false},
        {"169.254.1.0/30", false},     {"169.254.2.0/30", false}, {"169.254.3.0/30", false},
        {"169.254.4.0/30", false},     {"169.254.5.0/30", false}, {"169.254.169.252/30", false},
        {"169.254.6.0/29", false},     {"169.254.6.0/31", false}, {"10.0.0.0/30", false},
        {"169.253.255.252/30", false}, {"169.255.0.0/30", false}, {"fd00::/126", false},
    };
    static struct rig rig;
    s2svpn_context *ctx = open_cloud(&rig);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;
        s2svpn_status rc;

        spec.tunnel[1].inside_cidr = rig_prefix(rows[i].cidr);
        rc = attempt(&rig, &spec);
        if (rows[i].good)
            CHECK_ROW(rows[i].cidr, rc == S2SVPN_OK);
        else
            rig_check_error(ctx, rc, S2SVPN_E_ARGUMENT, "tunnel[1].inside_cidr", rows[i].cidr);
    }
    {
        s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;

        spec.tunnel[0].inside_cidr = rig_prefix("169.254.6.0/30");
        spec.tunnel[0].inside_cidr.address.bytes[3] = 1; /* a host's bit */
        rig_check_error(ctx, attempt(&rig, &spec), S2SVPN_E_ARGUMENT, "tunnel[0].inside_cidr",
                        "a host's bit");
    }
    rig_close(&rig);
}

static void the_gateway_is_the_first_host_inside(void)
{
    static struct rig rig;
    s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;
    s2svpn_tunnel_info info;
    char text[S2SVPN_ADDRESS_TEXT];

    open_cloud(&rig);
    spec.tunnel[0].inside_cidr = rig_prefix("169.254.44.8/30");
    CU_ASSERT_EQUAL(s2svpn_connection_new(rig.vgw, rig.cgw, &spec, &rig.cloud), S2SVPN_OK);
    info = rig_tunnel(rig.cloud, 0);
    CU_ASSERT_STRING_EQUAL(s2svpn_address_print(&info.inside_local, text), "169.254.44.9");
    CU_ASSERT_STRING_EQUAL(s2svpn_address_print(&info.inside_remote, text), "169.254.44.10");
    rig_close(&rig);
}

static s2svpn_customer_gateway *another_customer(struct rig *rig, const char *address, uint32_t asn)
{
    s2svpn_customer_gateway_spec spec = S2SVPN_CUSTOMER_GATEWAY_INIT;
    s2svpn_customer_gateway *cgw = NULL;

    spec.address = address;
    spec.bgp_asn = asn;
    CU_ASSERT_EQUAL_FATAL(s2svpn_customer_gateway_new(rig->gateway.ctx, &spec, &cgw), S2SVPN_OK);
    return cgw;
}

static void inside_blocks_are_unique_for_a_gateway(void)
{
    static struct rig rig;
    s2svpn_context *ctx = open_cloud(&rig);
    s2svpn_customer_gateway *second = another_customer(&rig, "203.0.113.8", 65001);
    s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;
    s2svpn_virtual_gateway_spec other = S2SVPN_VIRTUAL_GATEWAY_INIT;
    s2svpn_virtual_gateway *vgw = NULL;
    s2svpn_connection *conn = NULL;

    spec.tunnel[0].inside_cidr = spec.tunnel[1].inside_cidr = rig_prefix("169.254.9.0/30");
    rig_check_error(ctx, attempt(&rig, &spec), S2SVPN_E_EXISTS, "tunnel[1].inside_cidr",
                    "of both tunnels");
    spec.tunnel[1].inside_cidr = rig_prefix("169.254.9.4/30");
    CU_ASSERT_EQUAL(s2svpn_connection_new(rig.vgw, rig.cgw, &spec, &rig.cloud), S2SVPN_OK);
    memset(&spec.tunnel[1].inside_cidr, 0, sizeof(spec.tunnel[1].inside_cidr));
    rig_check_error(ctx, s2svpn_connection_new(rig.vgw, second, &spec, &conn), S2SVPN_E_EXISTS,
                    "tunnel[0].inside_cidr", "of another connection");
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_new(ctx, &other, &vgw), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_connection_new(vgw, second, &spec, &conn), S2SVPN_OK);
    s2svpn_connection_release(conn);
    s2svpn_virtual_gateway_release(vgw);
    s2svpn_customer_gateway_release(second);
    rig_close(&rig);
}

/* ---- addresses outside */

static void outside_addresses_come_from_the_contexts_own(void)
{
    static const struct {
        const char *name, *first, *second; /* NULL: chosen */
        s2svpn_status rc;
        const char *field;
        uint8_t got[2];
    } rows[] = {
        {"both chosen", NULL, NULL, S2SVPN_OK, "", {1, 2}},
        {"the first wanted", "198.51.100.2", NULL, S2SVPN_OK, "", {2, 1}},
        {"the second wanted", NULL, "198.51.100.1", S2SVPN_OK, "", {2, 1}},
        {"both wanted", "198.51.100.2", "198.51.100.1", S2SVPN_OK, "", {2, 1}},
        {"one for both",
         "198.51.100.1",
         "198.51.100.1",
         S2SVPN_E_EXISTS,
         "tunnel[1].outside_address",
         {0, 0}},
        {"a stranger's", "192.0.2.1", NULL, S2SVPN_E_ARGUMENT, "tunnel[0].outside_address", {0, 0}},
        {"of another family", NULL, "::1", S2SVPN_E_ARGUMENT, "tunnel[1].outside_address", {0, 0}},
    };
    static struct rig rig;
    s2svpn_context *ctx = open_cloud(&rig);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;
        s2svpn_connection *conn = NULL;
        s2svpn_status rc;

        if (rows[i].first)
            spec.tunnel[0].outside_address = rig_address(rows[i].first);
        if (rows[i].second)
            spec.tunnel[1].outside_address = rig_address(rows[i].second);
        rc = s2svpn_connection_new(rig.vgw, rig.cgw, &spec, &conn);
        CHECK_ROW(rows[i].name, rc == rows[i].rc);
        if (rc != S2SVPN_OK) {
            rig_check_error(ctx, rc, rows[i].rc, rows[i].field, rows[i].name);
            continue;
        }
        for (size_t t = 0; t < 2; t++)
            CHECK_ROW(rows[i].name, rig_tunnel(conn, t).local.address.bytes[3] == rows[i].got[t]);
        CHECK_ROW(rows[i].name, s2svpn_connection_delete(conn) == S2SVPN_OK);
        s2svpn_connection_release(conn);
    }
    rig_close(&rig);
}

static void a_pair_of_outside_addresses_serves_one_tunnel(void)
{
    static struct rig rig;
    s2svpn_context *ctx = open_cloud(&rig);
    s2svpn_customer_gateway *same = another_customer(&rig, "203.0.113.7", 65002);
    s2svpn_customer_gateway *other = another_customer(&rig, "203.0.113.8", 65003);
    s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;
    s2svpn_connection *conn = NULL;

    CU_ASSERT_EQUAL(s2svpn_connection_new(rig.vgw, rig.cgw, NULL, &rig.cloud), S2SVPN_OK);
    rig_check_error(ctx, s2svpn_connection_new(rig.vgw, same, NULL, &conn), S2SVPN_E_LIMIT,
                    "tunnel[0].outside_address", "no address is left for the same customer");
    spec.tunnel[0].outside_address = rig_address("198.51.100.1");
    rig_check_error(ctx, s2svpn_connection_new(rig.vgw, same, &spec, &conn), S2SVPN_E_EXISTS,
                    "tunnel[0].outside_address", "one that is in use for it");
    CU_ASSERT_EQUAL(s2svpn_connection_new(rig.vgw, other, NULL, &conn), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_connection_delete(rig.cloud), S2SVPN_OK);
    s2svpn_connection_release(rig.cloud);
    CU_ASSERT_EQUAL(s2svpn_connection_new(rig.vgw, same, NULL, &rig.cloud), S2SVPN_OK);
    s2svpn_connection_release(conn);
    s2svpn_customer_gateway_release(same);
    s2svpn_customer_gateway_release(other);
    rig_close(&rig);
}

/* ---- gateways and networks */

static void asns_of_both_ends_differ(void)
{
    static struct rig rig;
    s2svpn_context *ctx = open_cloud(&rig);
    s2svpn_customer_gateway *same = another_customer(&rig, "203.0.113.9", 64512);
    s2svpn_connection *conn = NULL;

    rig_check_error(ctx, s2svpn_connection_new(rig.vgw, same, NULL, &conn), S2SVPN_E_STATE,
                    "customer_gateway.bgp_asn", "64512 twice");
    s2svpn_customer_gateway_release(same);
    rig_close(&rig);
}

static void gateways_have_asns_of_their_ranges(void)
{
    static const struct {
        uint32_t asn;
        bool amazon, customer;
    } rows[] = {
        {0, false, false},         {1, false, true},          {7224, false, true},
        {23456, false, false},     {64511, false, true},      {64512, true, true},
        {65534, true, true},       {65535, false, true},      {4199999999u, false, true},
        {4200000000u, true, true}, {4294967294u, true, true}, {4294967295u, false, true},
    };
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, NULL);
    char name[32];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_virtual_gateway_spec v = S2SVPN_VIRTUAL_GATEWAY_INIT;
        s2svpn_customer_gateway_spec c = S2SVPN_CUSTOMER_GATEWAY_INIT;
        s2svpn_virtual_gateway *vgw = NULL;
        s2svpn_customer_gateway *cgw = NULL;
        s2svpn_status rc;

        s2_print(name, sizeof(name), "AS %u", rows[i].asn);
        v.amazon_asn = c.bgp_asn = rows[i].asn;
        c.address = "203.0.113.7";
        rc = s2svpn_virtual_gateway_new(ctx, &v, &vgw);
        CHECK_ROW(name, (rc == S2SVPN_OK) == rows[i].amazon);
        if (!rows[i].amazon)
            rig_check_error(ctx, rc, S2SVPN_E_ARGUMENT, "amazon_asn", name);
        rc = s2svpn_customer_gateway_new(ctx, &c, &cgw);
        CHECK_ROW(name, (rc == S2SVPN_OK) == rows[i].customer);
        if (!rows[i].customer)
            rig_check_error(ctx, rc, S2SVPN_E_ARGUMENT, "bgp_asn", name);
        s2svpn_virtual_gateway_release(vgw);
        s2svpn_customer_gateway_release(cgw);
    }
    rig_close(&rig);
}

static void customer_gateways_need_an_address(void)
{
    static const char *const rows[] = {NULL, "", "router.example.com", "203.0.113",
                                       "203.0.113.7/32"};
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, NULL);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_customer_gateway_spec spec = S2SVPN_CUSTOMER_GATEWAY_INIT;

        spec.address = rows[i];
        rig_check_error(ctx, s2svpn_customer_gateway_new(ctx, &spec, &rig.cgw), S2SVPN_E_ARGUMENT,
                        "address", rows[i] ? rows[i] : "NULL");
    }
    rig_close(&rig);
}

static void networks_are_ipv4_without_host_bits(void)
{
    static struct rig rig;
    s2svpn_context *ctx = open_cloud(&rig);
    s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;

    spec.local_network = rig_prefix("192.168.0.0/16");
    spec.local_network.address.bytes[3] = 1;
    rig_check_error(ctx, attempt(&rig, &spec), S2SVPN_E_ARGUMENT, "local_network", "host bits");
    spec.local_network = rig_prefix("fd00::/8");
    rig_check_error(ctx, attempt(&rig, &spec), S2SVPN_E_ARGUMENT, "local_network", "IPv6");
    spec.local_network = rig_prefix("192.168.0.0/16");
    spec.remote_network = rig_prefix("::/0");
    rig_check_error(ctx, attempt(&rig, &spec), S2SVPN_E_ARGUMENT, "remote_network", "IPv6");
    spec.remote_network = rig_prefix("10.0.0.0/16");
    CU_ASSERT_EQUAL(attempt(&rig, &spec), S2SVPN_OK);
    rig_close(&rig);
}

/* ---- static routes */

static void static_routes_are_checked(void)
{
    static const struct {
        const char *prefix;
        s2svpn_status rc;
    } rows[] = {
        {"192.168.0.0/16", S2SVPN_OK},   {"192.168.0.0/16", S2SVPN_E_EXISTS},
        {"192.168.0.0/17", S2SVPN_OK},   {"0.0.0.0/0", S2SVPN_OK},
        {"fd00::/8", S2SVPN_E_ARGUMENT},
    };
    static struct rig rig;
    s2svpn_context *ctx = open_cloud(&rig);
    s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;
    s2svpn_prefix prefix;

    spec.static_routes_only = true;
    CU_ASSERT_EQUAL(s2svpn_connection_new(rig.vgw, rig.cgw, &spec, &rig.cloud), S2SVPN_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_status rc;

        prefix = rig_prefix(rows[i].prefix);
        rc = s2svpn_connection_add_static_route(rig.cloud, &prefix);
        CHECK_ROW(rows[i].prefix, rc == rows[i].rc);
        if (rows[i].rc != S2SVPN_OK)
            rig_check_error(ctx, rc, rows[i].rc, "prefix", rows[i].prefix);
    }
    prefix = rig_prefix("192.168.0.0/16");
    prefix.address.bytes[3] = 9;
    rig_check_error(ctx, s2svpn_connection_add_static_route(rig.cloud, &prefix), S2SVPN_E_ARGUMENT,
                    "prefix", "host bits");
    prefix.address.bytes[3] = 0;
    CU_ASSERT_EQUAL(s2svpn_connection_remove_static_route(rig.cloud, &prefix), S2SVPN_OK);
    rig_check_error(ctx, s2svpn_connection_remove_static_route(rig.cloud, &prefix),
                    S2SVPN_E_NOT_FOUND, "prefix", "twice");
    CU_ASSERT_EQUAL(s2svpn_connection_add_static_route(rig.cloud, &prefix), S2SVPN_OK);
    rig_close(&rig);
}

static void static_routes_are_for_connections_without_bgp(void)
{
    static struct rig rig;
    s2svpn_context *ctx = open_cloud(&rig);
    const s2svpn_prefix prefix = rig_prefix("192.168.0.0/16");

    CU_ASSERT_EQUAL(s2svpn_connection_new(rig.vgw, rig.cgw, NULL, &rig.cloud), S2SVPN_OK);
    rig_check_error(ctx, s2svpn_connection_add_static_route(rig.cloud, &prefix), S2SVPN_E_STATE, "",
                    "with BGP");
    rig_close(&rig);
}

static void a_connection_has_so_many_static_routes(void)
{
    static struct rig rig;
    s2svpn_context *ctx = open_cloud(&rig);
    s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;
    s2svpn_prefix prefix = rig_prefix("172.16.0.0/24");

    spec.static_routes_only = true;
    CU_ASSERT_EQUAL(s2svpn_connection_new(rig.vgw, rig.cgw, &spec, &rig.cloud), S2SVPN_OK);
    for (uint8_t i = 0; i < 100; i++) { /* AWS's quota */
        prefix.address.bytes[2] = i;
        CU_ASSERT_EQUAL(s2svpn_connection_add_static_route(rig.cloud, &prefix), S2SVPN_OK);
    }
    prefix.address.bytes[2] = 100;
    rig_check_error(ctx, s2svpn_connection_add_static_route(rig.cloud, &prefix), S2SVPN_E_LIMIT,
                    "prefix", "the 101st");
    prefix.address.bytes[2] = 7;
    CU_ASSERT_EQUAL(s2svpn_connection_remove_static_route(rig.cloud, &prefix), S2SVPN_OK);
    prefix.address.bytes[2] = 100;
    CU_ASSERT_EQUAL(s2svpn_connection_add_static_route(rig.cloud, &prefix), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_connection_delete(rig.cloud), S2SVPN_OK);
    {
        s2svpn_virtual_gateway_info info = {.size = sizeof(info)};

        s2svpn_virtual_gateway_get_info(rig.vgw, &info);
        CU_ASSERT_EQUAL(info.prefixes, 1); /* the VPC's; the connection's went with it */
        CU_ASSERT_EQUAL(info.connections, 0);
    }
    rig_close(&rig);
}

/* ---- two of them */

static void one_gateway_serves_two_customers(void)
{
    static struct rig rig;
    s2svpn_customer_gateway *second;
    s2svpn_connection *conn = NULL;
    s2svpn_virtual_gateway_info info = {.size = sizeof(info)};

    open_cloud(&rig);
    second = another_customer(&rig, "203.0.113.8", 65001);
    CU_ASSERT_EQUAL(s2svpn_connection_new(rig.vgw, rig.cgw, NULL, &rig.cloud), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_connection_new(rig.vgw, second, NULL, &conn), S2SVPN_OK);
    s2svpn_virtual_gateway_get_info(rig.vgw, &info);
    CU_ASSERT_EQUAL(info.connections, 2);
    for (size_t i = 0; i < 4; i++) {
        const s2svpn_prefix a = rig_tunnel(i < 2 ? rig.cloud : conn, i % 2).inside_cidr;

        for (size_t k = 0; k < i; k++) {
            const s2svpn_prefix b = rig_tunnel(k < 2 ? rig.cloud : conn, k % 2).inside_cidr;

            CU_ASSERT_FALSE(s2_prefix_overlaps(&a, &b));
        }
    }
    /* The same local addresses: the pairs differ by the customer's. */
    CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 0).local.address.bytes[3], 1);
    CU_ASSERT_EQUAL(rig_tunnel(conn, 0).local.address.bytes[3], 1);
    s2svpn_connection_release(conn);
    s2svpn_customer_gateway_release(second);
    rig_close(&rig);
}

static void a_spec_of_an_older_size_is_read_as_far_as_it_goes(void)
{
    static struct rig rig;
    s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;
    s2svpn_connection_info info = {.size = sizeof(info)};

    open_cloud(&rig);
    memset(&spec, 0xee, sizeof(spec));
    spec.size = offsetof(s2svpn_connection_spec, inside_ip_version);
    spec.static_routes_only = true;
    CU_ASSERT_EQUAL(s2svpn_connection_new(rig.vgw, rig.cgw, &spec, &rig.cloud), S2SVPN_OK);
    s2svpn_connection_get_info(rig.cloud, &info);
    CU_ASSERT_TRUE(info.static_routes_only);
    CU_ASSERT_EQUAL(info.customer_asn, 0);
    CU_ASSERT_EQUAL(info.up, 0);
    rig_close(&rig);
}

const CU_TestInfo s2_test_connection[] = {
    {"numbers beyond AWS's limits are named", numbers_beyond_awss_limits_are_named},
    {"actions that there are not are named", actions_that_there_are_not_are_named},
    {"pre-shared keys have AWS's form", pre_shared_keys_have_awss_form},
    {"made keys are 32 of the alphabet, and differ", made_keys_are_32_of_the_alphabet_and_differ},
    {"without randomness there is no connection", without_randomness_there_is_no_connection},
    {"the options in force have defaults filled in", the_options_in_force_have_defaults_filled_in},
    {"inside blocks are /30s that AWS does not reserve",
     inside_blocks_are_slash_30s_that_aws_does_not_reserve},
    {"the gateway is the first host inside", the_gateway_is_the_first_host_inside},
    {"inside blocks are unique for a gateway", inside_blocks_are_unique_for_a_gateway},
    {"outside addresses come from the context's own", outside_addresses_come_from_the_contexts_own},
    {"a pair of outside addresses serves one tunnel",
     a_pair_of_outside_addresses_serves_one_tunnel},
    {"ASNs of both ends differ", asns_of_both_ends_differ},
    {"gateways have ASNs of their ranges", gateways_have_asns_of_their_ranges},
    {"customer gateways need an address", customer_gateways_need_an_address},
    {"networks are IPv4 without host bits", networks_are_ipv4_without_host_bits},
    {"static routes are checked", static_routes_are_checked},
    {"static routes are for connections without BGP",
     static_routes_are_for_connections_without_bgp},
    {"a connection has so many static routes", a_connection_has_so_many_static_routes},
    {"one gateway serves two customers", one_gateway_serves_two_customers},
    {"a spec of an older size is read as far as it goes",
     a_spec_of_an_older_size_is_read_as_far_as_it_goes},
    CU_TEST_INFO_NULL,
};
