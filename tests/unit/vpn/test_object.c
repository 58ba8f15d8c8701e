/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/object.c: identifiers, handles, who is in use, what is left of the deleted. */
#include "vpn/object.h"

#include <ctype.h>
#include <string.h>

#include "harness.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

/* ---- identifiers and handles */

static bool has_form(const char *id, const char *prefix)
{
    const size_t len = strlen(prefix);

    if (strncmp(id, prefix, len) != 0 || strlen(id) != len + 17)
        return false;
    for (const char *p = id + len; *p; p++) {
        if (!isxdigit((unsigned char)*p) || isupper((unsigned char)*p))
            return false;
    }
    return true;
}

static s2svpn_id id_of(const void *object)
{
    return ((const struct s2_object *)object)->id;
}

static void identifiers_have_the_services_form(void)
{
    static struct rig rig;

    if (rig_open(&rig, NULL) == S2SVPN_OK) {
        CU_ASSERT_TRUE(has_form(id_of(rig.vpc).text, "vpc-"));
        CU_ASSERT_TRUE(has_form(id_of(rig.subnet).text, "subnet-"));
        CU_ASSERT_TRUE(has_form(id_of(rig.table).text, "rtb-"));
        CU_ASSERT_TRUE(has_form(id_of(rig.vgw).text, "vgw-"));
        CU_ASSERT_TRUE(has_form(id_of(rig.cgw).text, "cgw-"));
        CU_ASSERT_TRUE(has_form(id_of(rig.cloud).text, "vpn-"));
        CU_ASSERT_TRUE(has_form(id_of(rig.gateway.port).text, "eni-"));
        CU_ASSERT_STRING_EQUAL(id_of(rig.cloud).text, id_of(rig.site).text); /* by the document */
    }
    rig_close(&rig);
}

static s2svpn_status connection_with_id(struct rig *rig, const char *id)
{
    s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;
    s2svpn_connection *conn = NULL;
    s2svpn_status rc;

    memset(spec.id.text, 'x', sizeof(spec.id.text));
    if (strlen(id) < sizeof(spec.id.text))
        s2_copy_text(spec.id.text, sizeof(spec.id.text), id);
    rc = s2svpn_connection_new(rig->vgw, rig->cgw, &spec, &conn);
    if (rc == S2SVPN_OK)
        rc = s2svpn_connection_delete(conn);
    s2svpn_connection_release(conn);
    return rc;
}

static void given_identifiers_are_taken_or_refused(void)
{
    static const struct {
        const char *id;
        s2svpn_status rc;
    } rows[] = {
        {"vpn-1a2b3c4d", S2SVPN_OK},
        {"vpn-0123456789abcdef0", S2SVPN_OK},
        {"vpn 1", S2SVPN_E_ARGUMENT},
        {"vpn-1\nroute 0.0.0.0/0", S2SVPN_E_ARGUMENT},
        {"a-text-that-is-longer-than-an-identifier", S2SVPN_E_ARGUMENT}, /* without an end */
    };
    static struct rig rig;
    s2svpn_customer_gateway_spec spec = S2SVPN_CUSTOMER_GATEWAY_INIT;

    rig_gateway(&rig, NULL);
    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    spec.address = "203.0.113.7";
    CU_ASSERT_EQUAL(s2svpn_customer_gateway_new(rig.gateway.ctx, &spec, &rig.cgw), S2SVPN_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const s2svpn_status rc = connection_with_id(&rig, rows[i].id);

        CHECK_ROW(rows[i].id, rc == rows[i].rc);
        if (rows[i].rc != S2SVPN_OK)
            rig_check_error(rig.gateway.ctx, rc, rows[i].rc, "id", rows[i].id);
    }
    rig_check_error(rig.gateway.ctx, connection_with_id(&rig, id_of(rig.vgw).text), S2SVPN_E_EXISTS,
                    "id", "one that another object has");
    rig_close(&rig);
}

static void handles_are_found_by_identifier_and_kind(void)
{
    static struct rig rig;

    if (rig_open(&rig, NULL) == S2SVPN_OK) {
        s2svpn_context *ctx = rig.gateway.ctx;
        s2svpn_vpc *vpc = NULL;
        s2svpn_subnet *subnet = NULL;
        s2svpn_route_table *table = NULL;
        s2svpn_virtual_gateway *vgw = NULL;
        s2svpn_customer_gateway *cgw = NULL;
        s2svpn_connection *conn = NULL;
        s2svpn_port *port = NULL;

        CU_ASSERT_EQUAL(s2svpn_vpc_hold(ctx, id_of(rig.vpc).text, &vpc), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_subnet_hold(ctx, id_of(rig.subnet).text, &subnet), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_route_table_hold(ctx, id_of(rig.table).text, &table), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_virtual_gateway_hold(ctx, id_of(rig.vgw).text, &vgw), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_customer_gateway_hold(ctx, id_of(rig.cgw).text, &cgw), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_connection_hold(ctx, id_of(rig.cloud).text, &conn), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_port_hold(ctx, id_of(rig.gateway.port).text, &port), S2SVPN_OK);
        CU_ASSERT_TRUE(vpc == rig.vpc && subnet == rig.subnet && table == rig.table);
        CU_ASSERT_TRUE(vgw == rig.vgw && cgw == rig.cgw && conn == rig.cloud);
        CU_ASSERT_TRUE(port == rig.gateway.port);
        s2svpn_vpc_release(vpc);
        s2svpn_subnet_release(subnet);
        s2svpn_route_table_release(table);
        s2svpn_virtual_gateway_release(vgw);
        s2svpn_customer_gateway_release(cgw);
        s2svpn_connection_release(conn);
        s2svpn_port_release(port);
        rig_check_error(ctx, s2svpn_vpc_hold(ctx, id_of(rig.subnet).text, &vpc), S2SVPN_E_NOT_FOUND,
                        "id", "of another kind");
        CU_ASSERT_PTR_NULL(vpc);
        rig_check_error(ctx, s2svpn_vpc_hold(ctx, "vpc-12345678", &vpc), S2SVPN_E_NOT_FOUND, "id",
                        "of nobody");
        rig_check_error(ctx, s2svpn_connection_hold(ctx, NULL, &conn), S2SVPN_E_NOT_FOUND, "id",
                        "NULL");
    }
    rig_close(&rig);
}

static void releasing_null_is_harmless(void)
{
    s2svpn_vpc_release(NULL);
    s2svpn_subnet_release(NULL);
    s2svpn_route_table_release(NULL);
    s2svpn_virtual_gateway_release(NULL);
    s2svpn_customer_gateway_release(NULL);
    s2svpn_connection_release(NULL);
    s2svpn_port_release(NULL);
    CU_PASS("it came back");
}

/* Everything that a host may ask of a deleted object, and that its parents are gone. */
static void ask_the_deleted(struct rig *rig)
{
    s2svpn_connection_info conn = {.size = sizeof(conn)};
    s2svpn_virtual_gateway_info vgw = {.size = sizeof(vgw)};
    s2svpn_customer_gateway_info cgw = {.size = sizeof(cgw)};
    s2svpn_vpc_info vpc = {.size = sizeof(vpc)};
    s2svpn_subnet_info subnet = {.size = sizeof(subnet)};
    s2svpn_port_info port = {.size = sizeof(port)};
    const s2svpn_prefix prefix = rig_prefix("172.16.0.0/16");
    const s2svpn_address address = rig_address("172.16.0.1");
    s2svpn_tunnel *t = s2svpn_connection_tunnel(rig->cloud, 1);
    s2svpn_route route;
    s2svpn_text xml = {0};

    s2svpn_connection_get_info(rig->cloud, &conn);
    s2svpn_virtual_gateway_get_info(rig->vgw, &vgw);
    s2svpn_customer_gateway_get_info(rig->cgw, &cgw);
    s2svpn_vpc_get_info(rig->vpc, &vpc);
    s2svpn_subnet_get_info(rig->subnet, &subnet);
    s2svpn_port_get_info(rig->gateway.port, &port);
    CU_ASSERT_EQUAL(conn.state, S2SVPN_STATE_DELETED);
    CU_ASSERT_EQUAL(vgw.state, S2SVPN_STATE_DELETED);
    CU_ASSERT_EQUAL(cgw.state, S2SVPN_STATE_DELETED);
    CU_ASSERT_EQUAL(vpc.state, S2SVPN_STATE_DELETED);
    CU_ASSERT_EQUAL(subnet.state, S2SVPN_STATE_DELETED);
    CU_ASSERT_EQUAL(port.state, S2SVPN_STATE_DELETED);
    CU_ASSERT_TRUE(has_form(conn.id.text, "vpn-") && has_form(subnet.id.text, "subnet-"));
    CU_ASSERT_EQUAL(conn.customer_asn, 65000);
    CU_ASSERT_EQUAL(s2svpn_route_table_list(rig->table, &route, 1), 0);
    CU_ASSERT_EQUAL(s2svpn_route_table_lookup(rig->table, &address, &route), S2SVPN_E_NOT_FOUND);
    CU_ASSERT_FALSE(rig_tunnel(rig->cloud, 0).up);
    CU_ASSERT_PTR_NULL(s2svpn_vpc_main_route_table(rig->vpc));

    CU_ASSERT_EQUAL(s2svpn_connection_start(rig->cloud), S2SVPN_E_STATE);
    CU_ASSERT_EQUAL(s2svpn_connection_stop(rig->cloud), S2SVPN_E_STATE);
    CU_ASSERT_EQUAL(s2svpn_connection_delete(rig->cloud), S2SVPN_E_STATE);
    CU_ASSERT_EQUAL(s2svpn_connection_add_static_route(rig->cloud, &prefix), S2SVPN_E_STATE);
    CU_ASSERT_EQUAL(s2svpn_connection_remove_static_route(rig->cloud, &prefix), S2SVPN_E_STATE);
    CU_ASSERT_EQUAL(s2svpn_connection_device_config(rig->cloud, &xml), S2SVPN_E_STATE);
    CU_ASSERT_EQUAL(s2svpn_tunnel_reset(t), S2SVPN_E_STATE);
    CU_ASSERT_EQUAL(s2svpn_tunnel_rekey(t), S2SVPN_E_STATE);
    s2svpn_tunnel_set_blackhole(t, true);
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_delete(rig->vgw), S2SVPN_E_STATE);
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_attach(rig->vgw, rig->vpc), S2SVPN_E_STATE);
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(rig->vgw), S2SVPN_E_STATE);
    CU_ASSERT_EQUAL(s2svpn_vpc_delete(rig->vpc), S2SVPN_E_STATE);
    CU_ASSERT_EQUAL(s2svpn_port_delete(rig->gateway.port), S2SVPN_E_STATE);
    CU_ASSERT_EQUAL(s2svpn_route_table_associate(rig->table, rig->subnet), S2SVPN_E_STATE);
    CU_ASSERT_EQUAL(s2svpn_route_table_enable_propagation(rig->table, rig->vgw), S2SVPN_E_STATE);
    CU_ASSERT_EQUAL(s2svpn_route_table_add(rig->table, &prefix, rig->vgw, NULL), S2SVPN_E_STATE);
    CU_ASSERT_EQUAL(s2svpn_connection_new(rig->vgw, rig->cgw, NULL, &rig->site), S2SVPN_E_STATE);
}

static void deleted_objects_stay_readable_until_released(void)
{
    static struct rig rig;
    size_t before;

    rig_gateway(&rig, NULL);
    before = rig.gateway.heap.live_bytes;
    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    CU_ASSERT_EQUAL(rig_make_connection(&rig), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_connection_delete(rig.cloud), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_customer_gateway_delete(rig.cgw), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(rig.vgw), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_delete(rig.vgw), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_port_delete(rig.gateway.port), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_subnet_delete(rig.subnet), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_vpc_delete(rig.vpc), S2SVPN_OK);
    ask_the_deleted(&rig);
    /* Parents first: what is left must not look at them. */
    s2svpn_vpc_release(rig.vpc);
    s2svpn_virtual_gateway_release(rig.vgw);
    s2svpn_customer_gateway_release(rig.cgw);
    rig.vpc = NULL;
    rig.vgw = NULL;
    rig.cgw = NULL;
    rig_pump(&rig);
    s2svpn_advance(rig.gateway.ctx, rig.now_ns);
    {
        s2svpn_subnet_info subnet = {.size = sizeof(subnet)};
        s2svpn_port_info port = {.size = sizeof(port)};
        s2svpn_connection_info conn = {.size = sizeof(conn)};
        s2svpn_route route;

        s2svpn_subnet_get_info(rig.subnet, &subnet);
        s2svpn_port_get_info(rig.gateway.port, &port);
        s2svpn_connection_get_info(rig.cloud, &conn);
        CU_ASSERT_EQUAL(s2svpn_route_table_list(rig.table, &route, 1), 0);
        CU_ASSERT_TRUE(has_form(conn.virtual_gateway.text, "vgw-"));
    }
    s2svpn_connection_release(rig.cloud);
    s2svpn_port_release(rig.gateway.port);
    s2svpn_subnet_release(rig.subnet);
    s2svpn_route_table_release(rig.table);
    rig.cloud = NULL;
    rig.gateway.port = NULL;
    rig.subnet = NULL;
    rig.table = NULL;
    s2svpn_advance(rig.gateway.ctx, rig.now_ns);
    /* Tables and slots keep what they grew to; objects are gone. */
    CU_ASSERT_TRUE(rig.gateway.heap.live_bytes < before + 16384);
    CU_ASSERT_TRUE(s2_list_empty(&rig.gateway.ctx->ghosts));
    CU_ASSERT_EQUAL(rig.gateway.ctx->epochs.waiting, 0);
    rig_close(&rig);
}

/* ---- who is in use */

static void parents_with_children_are_not_deleted(void)
{
    static struct rig rig;

    if (rig_open(&rig, NULL) == S2SVPN_OK) {
        s2svpn_context *ctx = rig.gateway.ctx;
        s2svpn_route_table *custom = NULL;

        rig_check_error(ctx, s2svpn_vpc_delete(rig.vpc), S2SVPN_E_IN_USE, "",
                        "a VPC with subnet and gateway");
        rig_check_error(ctx, s2svpn_subnet_delete(rig.subnet), S2SVPN_E_IN_USE, "",
                        "a subnet with a port");
        rig_check_error(ctx, s2svpn_virtual_gateway_delete(rig.vgw), S2SVPN_E_IN_USE, "",
                        "a gateway that is attached and has a connection");
        rig_check_error(ctx, s2svpn_customer_gateway_delete(rig.cgw), S2SVPN_E_IN_USE, "",
                        "a customer gateway with a connection");
        rig_check_error(ctx, s2svpn_route_table_delete(rig.table), S2SVPN_E_IN_USE, "",
                        "the main table");
        CU_ASSERT_EQUAL(s2svpn_route_table_new(rig.vpc, &custom), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_route_table_associate(custom, rig.subnet), S2SVPN_OK);
        rig_check_error(ctx, s2svpn_route_table_delete(custom), S2SVPN_E_IN_USE, "",
                        "a table with a subnet");

        CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(rig.vgw), S2SVPN_OK);
        rig_check_error(ctx, s2svpn_virtual_gateway_delete(rig.vgw), S2SVPN_E_IN_USE, "",
                        "a gateway with a connection");
        CU_ASSERT_EQUAL(s2svpn_port_delete(rig.gateway.port), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_subnet_delete(rig.subnet), S2SVPN_OK);
        rig_check_error(ctx, s2svpn_vpc_delete(rig.vpc), S2SVPN_E_IN_USE, "",
                        "a VPC with a custom table");
        CU_ASSERT_EQUAL(s2svpn_route_table_delete(custom), S2SVPN_OK); /* its subnet has gone */
        CU_ASSERT_EQUAL(s2svpn_vpc_delete(rig.vpc), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_connection_delete(rig.cloud), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_virtual_gateway_delete(rig.vgw), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_customer_gateway_delete(rig.cgw), S2SVPN_OK);
        s2svpn_route_table_release(custom);
    }
    rig_close(&rig);
}

static void objects_of_another_context_are_refused(void)
{
    static struct rig a, b;
    s2svpn_port_spec port = S2SVPN_PORT_INIT;
    const s2svpn_prefix prefix = rig_prefix("172.16.0.0/16");
    s2svpn_port *made = NULL;

    rig_gateway(&a, NULL);
    rig_gateway(&b, NULL);
    CU_ASSERT_EQUAL(rig_make_vpc(&a), S2SVPN_OK);
    CU_ASSERT_EQUAL(rig_make_vpc(&b), S2SVPN_OK);
    CU_ASSERT_EQUAL(rig_make_connection(&b), S2SVPN_OK);
    rig_check_error(a.gateway.ctx, s2svpn_connection_new(a.vgw, b.cgw, NULL, &a.cloud),
                    S2SVPN_E_ARGUMENT, "customer_gateway", "a customer gateway");
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(a.vgw), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(b.vgw), S2SVPN_OK);
    rig_check_error(a.gateway.ctx, s2svpn_virtual_gateway_attach(a.vgw, b.vpc), S2SVPN_E_ARGUMENT,
                    "vpc", "a VPC");
    port.subnet = b.subnet;
    port.address = rig_address("10.0.1.77");
    rig_check_error(a.gateway.ctx, s2svpn_port_new(a.gateway.ctx, &port, &made), S2SVPN_E_ARGUMENT,
                    "subnet", "a subnet");
    rig_check_error(a.gateway.ctx, s2svpn_route_table_add(a.table, &prefix, NULL, b.gateway.port),
                    S2SVPN_E_ARGUMENT, "port", "a port");
    rig_check_error(a.gateway.ctx, s2svpn_route_table_add(a.table, &prefix, b.vgw, NULL),
                    S2SVPN_E_STATE, "virtual_gateway", "a gateway");
    rig_check_error(b.gateway.ctx, s2svpn_route_table_associate(a.table, b.subnet),
                    S2SVPN_E_ARGUMENT, "subnet", "a table");
    rig_close(&a);
    rig_close(&b);
}

static void devices_make_no_cloud_objects(void)
{
    static struct rig rig;
    s2svpn_vpc_spec vpc = S2SVPN_VPC_INIT;
    s2svpn_virtual_gateway_spec vgw = S2SVPN_VIRTUAL_GATEWAY_INIT;
    s2svpn_customer_gateway_spec cgw = S2SVPN_CUSTOMER_GATEWAY_INIT;

    rig_init(&rig, NULL);
    CU_ASSERT_EQUAL_FATAL(rig_make_device(&rig), S2SVPN_OK);
    vpc.cidr = rig_prefix("10.0.0.0/16");
    cgw.address = "203.0.113.7";
    rig_check_error(rig.device.ctx, s2svpn_vpc_new(rig.device.ctx, &vpc, &rig.vpc), S2SVPN_E_STATE,
                    "", "a VPC");
    rig_check_error(rig.device.ctx, s2svpn_virtual_gateway_new(rig.device.ctx, &vgw, &rig.vgw),
                    S2SVPN_E_STATE, "", "a virtual gateway");
    rig_check_error(rig.device.ctx, s2svpn_customer_gateway_new(rig.device.ctx, &cgw, &rig.cgw),
                    S2SVPN_E_STATE, "", "a customer gateway");
    rig_close(&rig);
}

/* ---- what is to be seen */

static s2svpn_status new_customer(s2svpn_context *ctx, s2svpn_customer_gateway **cgw)
{
    s2svpn_customer_gateway_spec spec = S2SVPN_CUSTOMER_GATEWAY_INIT;

    spec.address = "203.0.113.7";
    return s2svpn_customer_gateway_new(ctx, &spec, cgw);
}

static void states_have_words(void)
{
    CU_ASSERT_STRING_EQUAL(s2svpn_state_text(S2SVPN_STATE_PENDING), "pending");
    CU_ASSERT_STRING_EQUAL(s2svpn_state_text(S2SVPN_STATE_AVAILABLE), "available");
    CU_ASSERT_STRING_EQUAL(s2svpn_state_text(S2SVPN_STATE_DELETING), "deleting");
    CU_ASSERT_STRING_EQUAL(s2svpn_state_text(S2SVPN_STATE_DELETED), "deleted");
    CU_ASSERT_STRING_EQUAL(s2svpn_state_text(S2SVPN_STATE_FAILED), "failed");
    CU_ASSERT_STRING_EQUAL(s2svpn_state_text((enum s2svpn_state)0), "unknown");
    CU_ASSERT_STRING_EQUAL(s2svpn_state_text((enum s2svpn_state)6), "unknown");
}

/* An older caller's info struct is shorter. */
static void infos_are_filled_as_far_as_the_caller_has_room(void)
{
    static struct rig rig;
    s2svpn_customer_gateway_info info;

    rig_gateway(&rig, NULL);
    CU_ASSERT_EQUAL(new_customer(rig.gateway.ctx, &rig.cgw), S2SVPN_OK);
    memset(&info, 0x77, sizeof(info));
    info.size = offsetof(s2svpn_customer_gateway_info, address);
    s2svpn_customer_gateway_get_info(rig.cgw, &info);
    CU_ASSERT_EQUAL(info.bgp_asn, 65000);
    CU_ASSERT_EQUAL(info.size, offsetof(s2svpn_customer_gateway_info, address));
    CU_ASSERT_EQUAL(info.address.family, 0x77);
    rig_close(&rig);
}

const CU_TestInfo s2_test_object[] = {
    {"identifiers have the service's form", identifiers_have_the_services_form},
    {"given identifiers are taken or refused", given_identifiers_are_taken_or_refused},
    {"handles are found by identifier and kind", handles_are_found_by_identifier_and_kind},
    {"releasing NULL is harmless", releasing_null_is_harmless},
    {"deleted objects stay readable until released", deleted_objects_stay_readable_until_released},
    {"parents with children are not deleted", parents_with_children_are_not_deleted},
    {"objects of another context are refused", objects_of_another_context_are_refused},
    {"devices make no cloud objects", devices_make_no_cloud_objects},
    {"states have words", states_have_words},
    {"infos are filled as far as the caller has room",
     infos_are_filled_as_far_as_the_caller_has_room},
    CU_TEST_INFO_NULL,
};
