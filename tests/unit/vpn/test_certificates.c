/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/certificates.c, customer_gateway.c, connection_new.c, device.c: certificates of a
 * context, of customer gateways and of the tunnels that use them. */
#include <string.h>

#include "harness.h"
#include "vpn/certified.h"
#include "vpn/vpn.h"

static struct certified c;

/* ---- the context's */

static void what_cannot_be_is_named_and_the_old_ones_stay(void)
{
    certified_init(&c);
    if (certified_up(&c)) {
        const char *chain = s2_pki_chain_pem(c.pki.device), *key = s2_pki_key_pem(c.pki.device),
                   *root = s2_pki_pem(c.pki.root);
        const struct {
            const char *row;
            s2svpn_certificates given;
            s2svpn_status rc;
            const char *field;
        } rows[] = {
            {"no chain", {.private_key = key, .authorities = root}, S2SVPN_E_ARGUMENT, "chain"},
            {"no key", {.chain = chain, .authorities = root}, S2SVPN_E_ARGUMENT, "private_key"},
            {"no authorities",
             {.chain = chain, .private_key = key},
             S2SVPN_E_ARGUMENT,
             "authorities"},
            {"a chain that is none",
             {.chain = "nothing", .private_key = key, .authorities = root},
             S2SVPN_E_MALFORMED,
             "chain"},
            {"a key that is none",
             {.chain = chain, .private_key = "nothing", .authorities = root},
             S2SVPN_E_MALFORMED,
             "private_key"},
            {"somebody else's key",
             {.chain = chain, .private_key = s2_pki_key_pem(c.pki.gateway), .authorities = root},
             S2SVPN_E_ARGUMENT,
             "private_key"},
            {"authorities that are none",
             {.chain = chain, .private_key = key, .authorities = "nothing"},
             S2SVPN_E_MALFORMED,
             "authorities"},
            {"lists that are none",
             {.chain = chain, .private_key = key, .authorities = root, .crls = "nothing"},
             S2SVPN_E_MALFORMED,
             "crls"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            s2svpn_certificates given = rows[i].given;

            given.size = sizeof(given);
            rig_check_error(c.rig.device.ctx,
                            s2svpn_context_set_certificates(c.rig.device.ctx, &given), rows[i].rc,
                            rows[i].field, rows[i].row);
        }
        CU_ASSERT_EQUAL(s2svpn_tunnel_reset(s2svpn_connection_tunnel(c.rig.site, 0)), S2SVPN_OK);
        CU_ASSERT_FALSE(rig_both_up(&c.rig));
        CU_ASSERT_TRUE(certified_wait_up(&c));
    }
    certified_close(&c);
}

static void take_away(struct rig_side *side)
{
    side->crypto.certificate_read = NULL;
}

static void a_backend_without_certificates_says_so(void)
{
    s2svpn_certificates given = S2SVPN_CERTIFICATES_INIT;
    s2svpn_certificate_info info = {.size = sizeof(info)};
    s2svpn_customer_gateway_spec spec = S2SVPN_CUSTOMER_GATEWAY_INIT;
    s2svpn_customer_gateway *cgw;
    s2svpn_context *ctx;

    certified_init(&c);
    c.plan.adjust = take_away;
    c.plan.certify = NULL;
    ctx = rig_gateway(&c.rig, &c.plan);
    given.chain = given.private_key = given.authorities = "x";
    rig_check_error(ctx, s2svpn_context_set_certificates(ctx, &given), S2SVPN_E_UNSUPPORTED, "",
                    "set");
    rig_check_error(ctx, s2svpn_certificate_read(ctx, "x", 1, &info), S2SVPN_E_UNSUPPORTED, "",
                    "read");
    spec.certificate = s2_pki_pem(c.pki.device);
    rig_check_error(ctx, s2svpn_customer_gateway_new(ctx, &spec, &cgw), S2SVPN_E_UNSUPPORTED,
                    "certificate", "customer gateway");
    certified_close(&c);
}

static void a_certificate_is_read_in_either_form(void)
{
    struct {
        s2svpn_certificate_info info;
        uint8_t behind;
    } out = {.behind = 0x5a};
    const char *pem;
    s2svpn_context *ctx;
    s2svpn_span der;

    certified_init(&c);
    ctx = rig_gateway(&c.rig, &c.plan);
    pem = s2_pki_pem(c.pki.device);
    der = s2_pki_der(c.pki.device);
    out.info.size = sizeof(out.info);
    CU_ASSERT_EQUAL(s2svpn_certificate_read(ctx, pem, strlen(pem), &out.info), S2SVPN_OK);
    CU_ASSERT_STRING_EQUAL(out.info.subject, "CN=device.example, O=Example");
    CU_ASSERT_STRING_EQUAL(out.info.issuer, "CN=Authority");
    CU_ASSERT_EQUAL(out.info.not_after_s, (uint64_t)(S2_PKI_NOW + 365 * S2_PKI_DAY));
    memset(&out.info, 0, sizeof(out.info));
    out.info.size = offsetof(s2svpn_certificate_info, serial); /* of an older caller */
    CU_ASSERT_EQUAL(s2svpn_certificate_read(ctx, der.p, der.len, &out.info), S2SVPN_OK);
    CU_ASSERT_STRING_EQUAL(out.info.subject, "CN=device.example, O=Example");
    CU_ASSERT_EQUAL(out.info.serial[0], 0);
    CU_ASSERT_EQUAL(out.behind, 0x5a);
    rig_check_error(ctx, s2svpn_certificate_read(ctx, der.p, der.len - 1, &out.info),
                    S2SVPN_E_MALFORMED, "", "cut short");
    certified_close(&c);
}

/* ---- customer gateways */

static void a_customer_gateway_has_an_address_or_a_certificate(void)
{
    s2svpn_customer_gateway_info info = {.size = sizeof(info)};
    s2svpn_customer_gateway *cgw;
    s2svpn_context *ctx;

    certified_init(&c);
    ctx = rig_gateway(&c.rig, &c.plan);

    const char *device = s2_pki_pem(c.pki.device);
    const struct {
        const char *row, *address, *certificate;
        s2svpn_status rc;
        const char *field;
    } rows[] = {
        {"neither", NULL, NULL, S2SVPN_E_ARGUMENT, "address"},
        {"no certificate", NULL, "nothing", S2SVPN_E_ARGUMENT, "certificate"},
        {"no address", "somewhere", device, S2SVPN_E_ARGUMENT, "address"},
        {"a certificate", NULL, device, S2SVPN_OK, NULL},
        {"both", "203.0.113.9", device, S2SVPN_OK, NULL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_customer_gateway_spec spec = S2SVPN_CUSTOMER_GATEWAY_INIT;
        s2svpn_status rc;

        spec.address = rows[i].address;
        spec.certificate = rows[i].certificate;
        rc = s2svpn_customer_gateway_new(ctx, &spec, &cgw);
        if (rows[i].rc != S2SVPN_OK) {
            rig_check_error(ctx, rc, rows[i].rc, rows[i].field, rows[i].row);
            continue;
        }
        CU_ASSERT_EQUAL_FATAL(rc, S2SVPN_OK);
        s2svpn_customer_gateway_get_info(cgw, &info);
        CU_ASSERT_STRING_EQUAL(info.certificate_subject, "CN=device.example, O=Example");
        CU_ASSERT_EQUAL(info.address.family,
                        rows[i].address ? S2SVPN_FAMILY_IPV4 : S2SVPN_FAMILY_NONE);
        s2svpn_customer_gateway_release(cgw);
    }
    certified_close(&c);
}

/* A caller that was compiled before there were certificates. */
static void an_older_struct_is_read_to_its_end(void)
{
    s2svpn_customer_gateway_spec spec = S2SVPN_CUSTOMER_GATEWAY_INIT;
    s2svpn_customer_gateway *cgw = NULL;
    s2svpn_context *ctx;

    certified_init(&c);
    ctx = rig_gateway(&c.rig, &c.plan);
    spec.size = offsetof(s2svpn_customer_gateway_spec, certificate);
    spec.address = "203.0.113.9";
    spec.certificate = "not looked at";
    CU_ASSERT_EQUAL(s2svpn_customer_gateway_new(ctx, &spec, &cgw), S2SVPN_OK);
    s2svpn_customer_gateway_release(cgw);
    certified_close(&c);
}

static void the_record_holds_what_the_device_is_known_by(void)
{
    struct s2_buffer b;
    s2svpn_text text = {0};

    certified_init(&c);
    if (rig_open(&c.rig, &c.plan) == S2SVPN_OK) {
        s2_buffer_init(&b, s2_memory_default(), 4096);
        c.rig.cgw->object.class->print(&b, &c.rig.cgw->object);
        CU_ASSERT_EQUAL_FATAL(s2_buffer_take(&b, &text), S2SVPN_OK);
        CU_ASSERT_PTR_NOT_NULL(
            strstr(text.data, "certificate_subject CN=device.example, O=Example\n"));
        CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "certificate_subject_der 30"));
        CU_ASSERT_PTR_NULL(strstr(text.data, "\naddress "));
        s2svpn_text_free(&text);
        s2_buffer_init(&b, s2_memory_default(), 4096);
        c.rig.cloud->object.class->print(&b, &c.rig.cloud->object);
        CU_ASSERT_EQUAL_FATAL(s2_buffer_take(&b, &text), S2SVPN_OK);
        CU_ASSERT_PTR_NULL(strstr(text.data, "pre_shared_key"));
        s2svpn_text_free(&text);
    }
    certified_close(&c);
}

/* ---- tunnels */

static void tunnels_have_no_key_and_one_version(void)
{
    s2svpn_tunnel_options o = {0}, with_key = {.pre_shared_key = RIG_PSK},
                          start = {.startup_action = S2SVPN_STARTUP_START},
                          v1 = {.ike_versions = S2SVPN_IKEV1};
    struct s2_pki_holder *other;
    s2svpn_connection *conn;

    certified_init(&c);
    other = s2_pki_new(&(struct s2_pki_spec){.subject = "CN=other/O=Example"}, c.pki.authority);
    if (rig_open(&c.rig, &c.plan) == S2SVPN_OK) {
        s2svpn_context *ctx = c.rig.gateway.ctx;
        s2svpn_tunnel *t = s2svpn_connection_tunnel(c.rig.cloud, 0);

        s2svpn_tunnel_get_options(t, &o);
        CU_ASSERT_PTR_NULL(o.pre_shared_key);
        CU_ASSERT_EQUAL(o.ike_versions, S2SVPN_IKEV2);
        CU_ASSERT_TRUE(rig_tunnel(c.rig.cloud, 0).certificate);
        rig_check_error(ctx, certified_customer(&c.rig, s2_pki_pem(other), &with_key, &conn),
                        S2SVPN_E_ARGUMENT, "tunnel[0].pre_shared_key", "a key");
        rig_check_error(ctx, certified_customer(&c.rig, s2_pki_pem(other), &start, &conn),
                        S2SVPN_E_ARGUMENT, "tunnel[0].startup_action", "started from here");
        rig_check_error(ctx, certified_customer(&c.rig, s2_pki_pem(other), &v1, &conn),
                        S2SVPN_E_ARGUMENT, "tunnel[0].ike_versions", "IKEv1");
        rig_check_error(ctx, certified_customer(&c.rig, s2_pki_pem(c.pki.device), NULL, &conn),
                        S2SVPN_E_LIMIT, "tunnel[0].outside_address", "the same subject again");
        rig_check_error(ctx, s2svpn_tunnel_modify(t, &with_key), S2SVPN_E_ARGUMENT,
                        "options.pre_shared_key", "a key later");
        o.phase2_lifetime_s = 1800;
        CU_ASSERT_EQUAL(s2svpn_tunnel_modify(t, &o), S2SVPN_OK);
        s2svpn_tunnel_get_options(t, &o);
        CU_ASSERT_EQUAL(o.phase2_lifetime_s, 1800);
        CU_ASSERT_EQUAL(s2svpn_connection_start(c.rig.cloud), S2SVPN_OK); /* and waits */
        CU_ASSERT_EQUAL(rig_tunnel(c.rig.cloud, 0).phase, S2SVPN_TUNNEL_IDLE);
    }
    s2_pki_free(other);
    certified_close(&c);
}

static void the_same_subject_at_the_same_address_is_there_already(void)
{
    s2svpn_tunnel_options o = {.outside_address = rig_address("198.51.100.1")};
    s2svpn_connection *conn;

    certified_init(&c);
    if (rig_open(&c.rig, &c.plan) == S2SVPN_OK)
        rig_check_error(c.rig.gateway.ctx,
                        certified_customer(&c.rig, s2_pki_pem(c.pki.device), &o, &conn),
                        S2SVPN_E_EXISTS, "tunnel[0].outside_address", "the same again");
    certified_close(&c);
}

static void the_document_has_neither_key_nor_address(void)
{
    s2svpn_text xml = {0};

    certified_init(&c);
    if (rig_open(&c.rig, &c.plan) == S2SVPN_OK) {
        CU_ASSERT_EQUAL_FATAL(s2svpn_connection_device_config(c.rig.cloud, &xml), S2SVPN_OK);
        CU_ASSERT_PTR_NULL(strstr(xml.data, "pre_shared_key"));
        CU_ASSERT_PTR_NULL(strstr(xml.data, ">0.0.0.0<"));
        CU_ASSERT_PTR_NOT_NULL(strstr(xml.data, "198.51.100.1"));
        s2svpn_text_free(&xml);
    }
    certified_close(&c);
}

static void both_tunnels_come_up_and_say_who_the_peer_is(void)
{
    static const bool anywhere[] = {true, false};

    for (size_t i = 0; i < 2; i++) {
        certified_init(&c);
        c.plan.anywhere = anywhere[i];
        if (certified_up(&c)) {
            CU_ASSERT_STRING_EQUAL(rig_tunnel(c.rig.cloud, 0).peer_subject,
                                   "CN=device.example, O=Example");
            CU_ASSERT_STRING_EQUAL(rig_tunnel(c.rig.site, 1).peer_subject,
                                   "CN=gateway.example, O=Example");
            CU_ASSERT_EQUAL(rig_tunnel(c.rig.site, 1).peer_not_after_s,
                            (uint64_t)(S2_PKI_NOW + 365 * S2_PKI_DAY));
            CU_ASSERT_TRUE(certified_crosses(&c));
        }
        certified_close(&c);
    }
}

static void the_cloud_starts_what_has_an_address(void)
{
    certified_init(&c);
    c.plan.anywhere = false;
    c.plan.tunnel.startup_action = S2SVPN_STARTUP_START;
    if (rig_open(&c.rig, &c.plan) == S2SVPN_OK) {
        CU_ASSERT_TRUE(certified_wait_up(&c));
        CU_ASSERT_TRUE(rig_tunnel(c.rig.cloud, 0).initiator);
    }
    certified_close(&c);
}

static void without_certificates_nothing_comes_up_until_they_are_there(void)
{
    certified_init(&c);
    s2svpn_status (*const certify)(struct rig_side *) = c.plan.certify;

    c.plan.certify = NULL;
    if (rig_open(&c.rig, &c.plan) == S2SVPN_OK) {
        s2svpn_tunnel_info t;

        CU_ASSERT_EQUAL(s2svpn_connection_start(c.rig.site), S2SVPN_OK);
        rig_run(&c.rig, 10 * RIG_SECOND);
        t = rig_tunnel(c.rig.site, 0);
        CU_ASSERT_TRUE(rig_reason_says(&t, "certificate"));
        CU_ASSERT_EQUAL(t.phase, S2SVPN_TUNNEL_WAITING);
        CU_ASSERT_EQUAL(certify(&c.rig.gateway), S2SVPN_OK);
        CU_ASSERT_EQUAL(certify(&c.rig.device), S2SVPN_OK);
        rig_run(&c.rig, 5 * RIG_SECOND); /* it is tried at once */
        CU_ASSERT_TRUE(rig_both_up(&c.rig));
    }
    certified_close(&c);
}

/* ---- a device's */

static void the_gateway_must_be_who_it_is_to_be(void)
{
    static const struct {
        const char *identity, *words; /* NULL: it comes up */
    } rows[] = {
        {"CN=gateway.example, O=Example", NULL},
        {"CN=gateway.example,O=Example", NULL},
        {"CN=device.example, O=Example", "somebody else's"},
        {"CN=gateway.example", "somebody else's"},
        {"gateway.example", "identity is not the expected one"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_device_options options = S2SVPN_DEVICE_OPTIONS_INIT;

        options.peer_identity = rows[i].identity;
        certified_init(&c);
        c.plan.device_options = &options;
        if (rows[i].words == NULL) {
            CU_ASSERT_TRUE(certified_up(&c));
        } else if (rig_open(&c.rig, &c.plan) == S2SVPN_OK) {
            CU_ASSERT_EQUAL(s2svpn_connection_start(c.rig.site), S2SVPN_OK);
            rig_run(&c.rig, 20 * RIG_SECOND);
            const s2svpn_tunnel_info t = rig_tunnel(c.rig.site, 0);
            CU_ASSERT_FALSE(t.up);
            CU_ASSERT_TRUE(rig_reason_says(&t, rows[i].words));
        }
        certified_close(&c);
    }
}

static void identities_are_read(void)
{
    static const struct {
        const char *text;
        uint8_t type;
        size_t len;
        uint8_t data[48];
    } rows[] = {
        {"192.0.2.1", S2_IKE_ID_IPV4_ADDR, 4, {192, 0, 2, 1}},
        {"vpn.example", S2_IKE_ID_FQDN, 11, "vpn.example"},
        {"CN=a, C=DE", S2_IKE_ID_DER_ASN1_DN, 27, {0x30, 25,   0x31, 10, 0x30, 8,  0x06,
                                                   3,    0x55, 4,    3,  0x0c, 1,  'a',
                                                   0x31, 11,   0x30, 9,  0x06, 3,  0x55,
                                                   4,    6,    0x13, 2,  'D',  'E'}},
        {"O=a\\, b",
         S2_IKE_ID_DER_ASN1_DN,
         17,
         {0x30, 15, 0x31, 13, 0x30, 11, 0x06, 3, 0x55, 4, 10, 0x0c, 4, 'a', ',', ' ', 'b'}},
    };
    static const char long_name[] =
        "CN=01234567890123456789012345678901234567890123456789012345678901234";
    static const char *const bad[] = {"",   "a b",    "XY=a",        "CN=",    "CN=a, O",
                                      "=a", "CN=a\n", "vpn_example", long_name};
    struct s2_ike_id id;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CU_ASSERT_TRUE(s2_identity_read(rows[i].text, &id));
        CU_ASSERT_EQUAL(id.type, rows[i].type);
        CU_ASSERT_EQUAL_FATAL(id.len, rows[i].len);
        CU_ASSERT_EQUAL(memcmp(id.data, rows[i].data, id.len), 0);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_FALSE(s2_identity_read(bad[i], &id));
}

/* ---- the cloud's end of a document */

static void a_document_without_key_is_played_with_a_certificate(void)
{
    s2svpn_play_options play = S2SVPN_PLAY_OPTIONS_INIT;
    s2svpn_device_config *config = NULL;
    s2svpn_connection *conn = NULL;
    s2svpn_text xml = {0};
    static struct certified other;

    certified_init(&c);
    certified_init(&other);
    if (rig_open(&c.rig, &c.plan) == S2SVPN_OK &&
        s2svpn_connection_device_config(c.rig.cloud, &xml) == S2SVPN_OK &&
        s2svpn_config_read(xml.data, xml.len, &config, NULL) == S2SVPN_OK) {
        s2svpn_context *ctx = rig_gateway(&other.rig, &other.plan);
        s2svpn_customer_gateway_info info = {.size = sizeof(info)};

        rig_check_error(ctx, s2svpn_gateway_play(ctx, config, NULL, NULL), S2SVPN_E_ARGUMENT,
                        "device_certificate", "no certificate");
        play.device_certificate = s2_pki_pem(c.pki.device);
        for (size_t i = 0; i < 2; i++) {
            memcpy(config->tunnel[i].pre_shared_key, RIG_PSK, sizeof(RIG_PSK));
            config->tunnel[i].customer.outside = rig_address("203.0.113.7");
        }
        rig_check_error(ctx, s2svpn_gateway_play_with(ctx, config, &play, NULL, NULL),
                        S2SVPN_E_ARGUMENT, "device_certificate", "a key and a certificate");
        for (size_t i = 0; i < 2; i++) {
            config->tunnel[i].pre_shared_key[0] = 0;
            memset(&config->tunnel[i].customer.outside, 0, sizeof(s2svpn_address));
        }
        CU_ASSERT_EQUAL_FATAL(s2svpn_gateway_play_with(ctx, config, &play, NULL, &conn), S2SVPN_OK);
        s2svpn_customer_gateway_get_info(conn->cgw, &info);
        CU_ASSERT_STRING_EQUAL(info.certificate_subject, "CN=device.example, O=Example");
        s2svpn_connection_release(conn);
    }
    s2svpn_config_free(config);
    s2svpn_text_free(&xml);
    certified_close(&other);
    certified_close(&c);
}

const CU_TestInfo s2_test_certificates[] = {
    {"what cannot be is named, and the old ones stay",
     what_cannot_be_is_named_and_the_old_ones_stay},
    {"a backend without certificates says so", a_backend_without_certificates_says_so},
    {"a certificate is read in either form", a_certificate_is_read_in_either_form},
    {"a customer gateway has an address or a certificate",
     a_customer_gateway_has_an_address_or_a_certificate},
    {"an older struct is read to its end", an_older_struct_is_read_to_its_end},
    {"the record holds what the device is known by", the_record_holds_what_the_device_is_known_by},
    {"tunnels have no key and one version", tunnels_have_no_key_and_one_version},
    {"the same subject at the same address is there already",
     the_same_subject_at_the_same_address_is_there_already},
    {"the document has neither key nor address", the_document_has_neither_key_nor_address},
    {"both tunnels come up and say who the peer is", both_tunnels_come_up_and_say_who_the_peer_is},
    {"the cloud starts what has an address", the_cloud_starts_what_has_an_address},
    {"without certificates nothing comes up until they are there",
     without_certificates_nothing_comes_up_until_they_are_there},
    {"the gateway must be who it is to be", the_gateway_must_be_who_it_is_to_be},
    {"identities are read", identities_are_read},
    {"a document without key is played with a certificate",
     a_document_without_key_is_played_with_a_certificate},
    CU_TEST_INFO_NULL,
};
