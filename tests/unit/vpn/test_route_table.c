/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/route_table.c: which route wins, and what becomes of routes whose target goes. */
#include "s2svpn/route_table.h"

#include <string.h>

#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

static const struct rig_plan static_routes = {.static_routes = true};

static s2svpn_status add(s2svpn_route_table *t, const char *prefix, s2svpn_virtual_gateway *vgw,
                         s2svpn_port *port)
{
    const s2svpn_prefix p = rig_prefix(prefix);

    return s2svpn_route_table_add(t, &p, vgw, port);
}

static s2svpn_status take_out(s2svpn_route_table *t, const char *prefix)
{
    const s2svpn_prefix p = rig_prefix(prefix);

    return s2svpn_route_table_remove(t, &p);
}

/* The table as a text, a line a route. */
static const char *shown(const s2svpn_route_table *t, char *out, size_t size)
{
    static const char *const origin[] = {"?", "local", "manual", "propagated"};
    static const char *const target[] = {"?", "", " gateway", " port"};
    s2svpn_route routes[32];
    const size_t n = s2svpn_route_table_list(t, routes, 32);
    size_t len = 0;

    out[0] = 0;
    for (size_t i = 0; i < n && i < 32; i++) {
        char text[S2SVPN_PREFIX_TEXT];

        len += s2_print(out + len, size - len, "%s %s%s%s%s\n",
                        s2svpn_prefix_print(&routes[i].prefix, text), origin[routes[i].origin],
                        target[routes[i].target], routes[i].blackhole ? " blackhole" : "",
                        routes[i].usable ? "" : " unusable");
    }
    return out;
}

static bool table_is(const s2svpn_route_table *t, const char *wanted)
{
    char text[2000];
    const bool same = strcmp(shown(t, text, sizeof(text)), wanted) == 0;

    CHECK_ROW(text, same);
    return same;
}

static const char *looked_up(const s2svpn_route_table *t, const char *address, char *text,
                             size_t size)
{
    static const char *const origin[] = {"?", "local", "manual", "propagated"};
    const s2svpn_address a = rig_address(address);
    char prefix[S2SVPN_PREFIX_TEXT];
    s2svpn_route r;

    if (s2svpn_route_table_lookup(t, &a, &r) != S2SVPN_OK)
        return "none";
    s2_print(text, size, "%s %s", s2svpn_prefix_print(&r.prefix, prefix), origin[r.origin]);
    return text;
}

/* ---- what wins */

static void a_new_table_has_the_local_route(void)
{
    static struct rig rig;
    s2svpn_route_table *custom = NULL;

    rig_gateway(&rig, NULL);
    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    table_is(rig.table, "10.0.0.0/16 local\n");
    CU_ASSERT_EQUAL(s2svpn_route_table_new(rig.vpc, &custom), S2SVPN_OK);
    table_is(custom, "10.0.0.0/16 local\n");
    CU_ASSERT_EQUAL(strncmp(s2svpn_route_table_id(custom), "rtb-", 4), 0);
    rig_check_error(rig.gateway.ctx, take_out(custom, "10.0.0.0/16"), S2SVPN_E_NOT_FOUND, "prefix",
                    "the local route stays");
    s2svpn_route_table_release(custom);
    rig_close(&rig);
}

static void routes_that_cannot_be_are_refused(void)
{
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, NULL);
    s2svpn_prefix p = rig_prefix("192.168.0.0/16");
    s2svpn_port *port;

    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    port = rig.gateway.port;
    rig_check_error(ctx, add(rig.table, "172.16.0.0/12", NULL, NULL), S2SVPN_E_ARGUMENT, "target",
                    "no target");
    rig_check_error(ctx, add(rig.table, "172.16.0.0/12", rig.vgw, port), S2SVPN_E_ARGUMENT,
                    "target", "two targets");
    rig_check_error(ctx, add(rig.table, "10.0.0.0/16", rig.vgw, NULL), S2SVPN_E_EXISTS, "prefix",
                    "the VPC's own");
    rig_check_error(ctx, add(rig.table, "10.0.3.0/24", rig.vgw, NULL), S2SVPN_E_ARGUMENT, "prefix",
                    "inside the VPC's");
    p.address.bytes[3] = 1;
    rig_check_error(ctx, s2svpn_route_table_add(rig.table, &p, rig.vgw, NULL), S2SVPN_E_ARGUMENT,
                    "prefix", "host bits");
    p = (s2svpn_prefix){0};
    rig_check_error(ctx, s2svpn_route_table_add(rig.table, &p, rig.vgw, NULL), S2SVPN_E_ARGUMENT,
                    "prefix", "no family");
    CU_ASSERT_EQUAL(add(rig.table, "10.0.0.0/8", rig.vgw, NULL), S2SVPN_OK); /* wider is allowed */
    CU_ASSERT_EQUAL(add(rig.table, "172.16.0.0/12", rig.vgw, NULL), S2SVPN_OK);
    rig_check_error(ctx, add(rig.table, "172.16.0.0/12", NULL, port), S2SVPN_E_EXISTS, "prefix",
                    "twice");
    CU_ASSERT_EQUAL(take_out(rig.table, "172.16.0.0/12"), S2SVPN_OK);
    rig_check_error(ctx, take_out(rig.table, "172.16.0.0/12"), S2SVPN_E_NOT_FOUND, "prefix",
                    "gone already");
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(rig.vgw), S2SVPN_OK);
    rig_check_error(ctx, add(rig.table, "172.17.0.0/16", rig.vgw, NULL), S2SVPN_E_STATE,
                    "virtual_gateway", "not attached");
    rig_close(&rig);
}

static void the_list_is_in_address_order_manual_before_propagated(void)
{
    static struct rig rig;
    s2svpn_route two[2];

    if (rig_up(&rig, &static_routes)) {
        CU_ASSERT_EQUAL(add(rig.table, "192.168.0.0/16", NULL, rig.gateway.port), S2SVPN_OK);
        CU_ASSERT_EQUAL(add(rig.table, "0.0.0.0/0", rig.vgw, NULL), S2SVPN_OK);
        CU_ASSERT_EQUAL(add(rig.table, "192.168.0.0/24", NULL, rig.gateway.port), S2SVPN_OK);
        CU_ASSERT_EQUAL(add(rig.table, "8.0.0.0/8", NULL, rig.gateway.port), S2SVPN_OK);
        CU_ASSERT_EQUAL(add(rig.table, "0.0.0.0/8", NULL, rig.gateway.port), S2SVPN_OK);
        table_is(rig.table, "0.0.0.0/0 manual gateway\n"
                            "0.0.0.0/8 manual port\n"
                            "8.0.0.0/8 manual port\n"
                            "10.0.0.0/16 local\n"
                            "192.168.0.0/16 manual port\n"
                            "192.168.0.0/16 propagated gateway\n"
                            "192.168.0.0/24 manual port\n");
        CU_ASSERT_EQUAL(s2svpn_route_table_list(rig.table, two, 2), 7);
        CU_ASSERT_EQUAL(two[0].prefix.length, 0);
        CU_ASSERT_EQUAL(two[1].prefix.length, 8);
        CU_ASSERT_EQUAL(two[1].prefix.address.bytes[0], 0);
        CU_ASSERT_EQUAL(s2svpn_route_table_list(rig.table, NULL, 0), 7);
    }
    rig_close(&rig);
}

/* From the instance: where does it come out? */
static const char *goes_to(struct rig *rig, const char *to)
{
    const struct packet_spec spec = {.from = "10.0.1.10", .to = to, .payload = 20};
    static uint8_t p[PACKET_ROOM];
    const size_t len = packet_write(p, &spec);
    const uint64_t no_route = s2svpn_context_drops(rig->gateway.ctx, S2SVPN_DROP_NO_ROUTE);
    const uint64_t no_path = s2svpn_context_drops(rig->gateway.ctx, S2SVPN_DROP_NO_PATH);
    const uint64_t blackhole = s2svpn_context_drops(rig->gateway.ctx, S2SVPN_DROP_BLACKHOLE);
    struct rig_item *item;
    const char *where = "nowhere";

    rig_drop_all(&rig->gateway.inside);
    rig_drop_all(&rig->gateway.outside);
    rig_send(&rig->gateway, p, len);
    if (s2svpn_context_drops(rig->gateway.ctx, S2SVPN_DROP_NO_ROUTE) > no_route)
        where = "no route";
    else if (s2svpn_context_drops(rig->gateway.ctx, S2SVPN_DROP_NO_PATH) > no_path)
        where = "no path";
    else if (s2svpn_context_drops(rig->gateway.ctx, S2SVPN_DROP_BLACKHOLE) > blackhole)
        where = "blackhole";
    else if (rig->gateway.outside.count == 1)
        where = rig->gateway.outside.first->datagram.local.address.bytes[3] == 1 ? "tunnel 0"
                                                                                 : "tunnel 1";
    else if (rig->gateway.inside.count == 1)
        where = "port";
    while ((item = rig_take(&rig->gateway.inside)) != NULL)
        rig_item_free(item);
    rig_drop_all(&rig->gateway.outside);
    return where;
}

static void local_wins_then_the_longest_then_the_manual(void)
{
    static const struct {
        const char *to, *lookup, *goes;
    } rows[] = {
        {"10.0.1.10", "10.0.0.0/16 local", "port"},
        {"10.0.7.7", "10.0.0.0/16 local", "blackhole"}, /* though 10.0.7.0/24 is propagated */
        {"10.1.0.1", "10.0.0.0/8 propagated", "tunnel 0"},
        {"192.168.0.1", "192.168.0.0/16 manual", "port"},         /* though it is propagated too */
        {"192.168.5.1", "192.168.5.0/24 propagated", "tunnel 0"}, /* longer than the manual */
        {"172.16.0.1", "172.16.0.0/12 manual", "no route"},       /* the gateway doesn't know it */
        {"8.8.8.8", "none", "no route"},
    };
    static const char *const prefixes[] = {"10.0.7.0/24", "10.0.0.0/8", "192.168.5.0/24"};
    static struct rig rig;
    char text[80];

    if (rig_up(&rig, &static_routes)) {
        for (size_t i = 0; i < 3; i++) {
            const s2svpn_prefix p = rig_prefix(prefixes[i]);

            CU_ASSERT_EQUAL(s2svpn_connection_add_static_route(rig.cloud, &p), S2SVPN_OK);
        }
        CU_ASSERT_EQUAL(add(rig.table, "192.168.0.0/16", NULL, rig.gateway.port), S2SVPN_OK);
        CU_ASSERT_EQUAL(add(rig.table, "172.16.0.0/12", rig.vgw, NULL), S2SVPN_OK);
        /* It is an appliance. */
        CU_ASSERT_EQUAL(s2svpn_port_set_source_dest_check(rig.gateway.port, false), S2SVPN_OK);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            CHECK_ROW(rows[i].to, strcmp(looked_up(rig.table, rows[i].to, text, sizeof(text)),
                                         rows[i].lookup) == 0);
            CHECK_ROW(rows[i].to, strcmp(goes_to(&rig, rows[i].to), rows[i].goes) == 0);
        }
        /* The manual one goes: the propagated one is there again. */
        CU_ASSERT_EQUAL(take_out(rig.table, "192.168.0.0/16"), S2SVPN_OK);
        CU_ASSERT_STRING_EQUAL(goes_to(&rig, "192.168.0.1"), "tunnel 0");
        rig_check_error(rig.gateway.ctx, take_out(rig.table, "192.168.0.0/16"), S2SVPN_E_NOT_FOUND,
                        "prefix", "a propagated one isn't taken out by hand");
    }
    rig_close(&rig);
}

/* ---- targets that go */

static void routes_to_a_gateway_that_goes_become_blackholes(void)
{
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        CU_ASSERT_EQUAL(add(rig.table, "172.16.0.0/12", rig.vgw, NULL), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(rig.vgw), S2SVPN_OK);
        table_is(rig.table, "10.0.0.0/16 local\n"
                            "172.16.0.0/12 manual gateway blackhole unusable\n");
        CU_ASSERT_STRING_EQUAL(goes_to(&rig, "172.16.0.1"), "blackhole");
        CU_ASSERT_STRING_EQUAL(goes_to(&rig, "192.168.0.1"), "no route");
        rig_check_error(rig.gateway.ctx, s2svpn_route_table_disable_propagation(rig.table, rig.vgw),
                        S2SVPN_E_NOT_FOUND, "virtual_gateway", "its propagation has stopped");
        CU_ASSERT_EQUAL(take_out(rig.table, "172.16.0.0/12"), S2SVPN_OK);
    }
    rig_close(&rig);
}

static void routes_to_a_port_that_goes_become_blackholes(void)
{
    static struct rig rig;
    s2svpn_port_spec spec = S2SVPN_PORT_INIT;
    s2svpn_port *firewall = NULL;
    s2svpn_route_table *custom = NULL;

    if (rig_up(&rig, &static_routes)) {
        spec.subnet = rig.subnet;
        spec.address = rig_address("10.0.1.20");
        spec.no_source_dest_check = true;
        CU_ASSERT_EQUAL(s2svpn_port_new(rig.gateway.ctx, &spec, &firewall), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_route_table_new(rig.vpc, &custom), S2SVPN_OK);
        CU_ASSERT_EQUAL(add(rig.table, "0.0.0.0/0", NULL, firewall), S2SVPN_OK);
        CU_ASSERT_EQUAL(add(custom, "8.8.8.0/24", NULL, firewall), S2SVPN_OK);
        CU_ASSERT_STRING_EQUAL(goes_to(&rig, "8.8.8.8"), "port");
        CU_ASSERT_EQUAL(s2svpn_port_delete(firewall), S2SVPN_OK);
        s2svpn_port_release(firewall);
        CU_ASSERT_STRING_EQUAL(goes_to(&rig, "8.8.8.8"), "blackhole");
        CU_ASSERT_STRING_EQUAL(goes_to(&rig, "10.0.1.20"), "blackhole");
        table_is(rig.table, "0.0.0.0/0 manual port blackhole unusable\n"
                            "10.0.0.0/16 local\n"
                            "192.168.0.0/16 propagated gateway\n");
        table_is(custom, "8.8.8.0/24 manual port blackhole unusable\n"
                         "10.0.0.0/16 local\n");
        s2svpn_route_table_release(custom);
    }
    rig_close(&rig);
}

/* A7: the target is there again. What propagates is enabled anew, or not. */
static void a_gateway_that_is_attached_again_wakes_its_routes(void)
{
    const s2svpn_virtual_gateway_spec spec = S2SVPN_VIRTUAL_GATEWAY_INIT;
    static struct rig rig;
    s2svpn_virtual_gateway *other = NULL;

    if (rig_up(&rig, &static_routes)) {
        CU_ASSERT_EQUAL(add(rig.table, "192.168.0.0/16", rig.vgw, NULL), S2SVPN_OK);
        CU_ASSERT_STRING_EQUAL(goes_to(&rig, "192.168.0.1"), "tunnel 0");
        CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(rig.vgw), S2SVPN_OK);
        CU_ASSERT_STRING_EQUAL(goes_to(&rig, "192.168.0.1"), "blackhole");
        /* Another gateway is another target. */
        CU_ASSERT_EQUAL(s2svpn_virtual_gateway_new(rig.gateway.ctx, &spec, &other), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_virtual_gateway_attach(other, rig.vpc), S2SVPN_OK);
        CU_ASSERT_STRING_EQUAL(goes_to(&rig, "192.168.0.1"), "blackhole");
        CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(other), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_virtual_gateway_attach(rig.vgw, rig.vpc), S2SVPN_OK);
        table_is(rig.table, "10.0.0.0/16 local\n"
                            "192.168.0.0/16 manual gateway\n");
        CU_ASSERT_STRING_EQUAL(goes_to(&rig, "192.168.0.1"), "tunnel 0");
        s2svpn_virtual_gateway_release(other);
    }
    rig_close(&rig);
}

static void a_gateway_that_is_deleted_leaves_blackholes_for_ever(void)
{
    static struct rig rig;

    rig_gateway(&rig, NULL);
    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    CU_ASSERT_EQUAL(add(rig.table, "172.16.0.0/12", rig.vgw, NULL), S2SVPN_OK);
    rig_check_error(rig.gateway.ctx, s2svpn_virtual_gateway_delete(rig.vgw), S2SVPN_E_IN_USE, "",
                    "attached");
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(rig.vgw), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_delete(rig.vgw), S2SVPN_OK);
    table_is(rig.table, "10.0.0.0/16 local\n"
                        "172.16.0.0/12 manual gateway blackhole unusable\n");
    CU_ASSERT_STRING_EQUAL(goes_to(&rig, "172.16.0.1"), "blackhole");
    CU_ASSERT_EQUAL(take_out(rig.table, "172.16.0.0/12"), S2SVPN_OK);
    rig_close(&rig);
}

/* ---- replaced */

static s2svpn_status replace(s2svpn_route_table *t, const char *prefix, s2svpn_virtual_gateway *vgw,
                             s2svpn_port *port)
{
    const s2svpn_prefix p = rig_prefix(prefix);

    return s2svpn_route_table_replace(t, &p, vgw, port);
}

static void a_route_gets_another_target(void)
{
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        s2svpn_context *ctx = rig.gateway.ctx;
        s2svpn_port *port = rig.gateway.port;

        CU_ASSERT_EQUAL(s2svpn_port_set_source_dest_check(port, false), S2SVPN_OK);
        rig_check_error(ctx, replace(rig.table, "192.168.0.0/16", NULL, port), S2SVPN_E_NOT_FOUND,
                        "prefix", "a propagated one isn't replaced");
        rig_check_error(ctx, replace(rig.table, "10.0.0.0/16", NULL, port), S2SVPN_E_NOT_FOUND,
                        "prefix", "nor the local one");
        rig_check_error(ctx, replace(rig.table, "8.0.0.0/8", NULL, port), S2SVPN_E_NOT_FOUND,
                        "prefix", "nor none");
        CU_ASSERT_EQUAL(add(rig.table, "192.168.0.0/16", rig.vgw, NULL), S2SVPN_OK);
        rig_check_error(ctx, replace(rig.table, "192.168.0.0/16", NULL, NULL), S2SVPN_E_ARGUMENT,
                        "target", "no target");
        rig_check_error(ctx, replace(rig.table, "192.168.0.0/16", rig.vgw, port), S2SVPN_E_ARGUMENT,
                        "target", "two targets");
        CU_ASSERT_STRING_EQUAL(goes_to(&rig, "192.168.0.1"), "tunnel 0");
        CU_ASSERT_EQUAL(replace(rig.table, "192.168.0.0/16", NULL, port), S2SVPN_OK);
        CU_ASSERT_STRING_EQUAL(goes_to(&rig, "192.168.0.1"), "port");
        table_is(rig.table, "10.0.0.0/16 local\n"
                            "192.168.0.0/16 manual port\n"
                            "192.168.0.0/16 propagated gateway\n");
        CU_ASSERT_EQUAL(replace(rig.table, "192.168.0.0/16", rig.vgw, NULL), S2SVPN_OK);
        CU_ASSERT_STRING_EQUAL(goes_to(&rig, "192.168.0.1"), "tunnel 0");
        /* A blackhole is one no more. */
        CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(rig.vgw), S2SVPN_OK);
        CU_ASSERT_STRING_EQUAL(goes_to(&rig, "192.168.0.1"), "blackhole");
        rig_check_error(ctx, replace(rig.table, "192.168.0.0/16", rig.vgw, NULL), S2SVPN_E_STATE,
                        "virtual_gateway", "it isn't attached");
        CU_ASSERT_EQUAL(replace(rig.table, "192.168.0.0/16", NULL, port), S2SVPN_OK);
        CU_ASSERT_STRING_EQUAL(goes_to(&rig, "192.168.0.1"), "port");
        CU_ASSERT_EQUAL(s2svpn_virtual_gateway_attach(rig.vgw, rig.vpc), S2SVPN_OK);
        CU_ASSERT_STRING_EQUAL(goes_to(&rig, "192.168.0.1"), "port"); /* it names the port now */
        table_is(rig.table, "10.0.0.0/16 local\n"
                            "192.168.0.0/16 manual port\n");
    }
    rig_close(&rig);
}

/* A route by hand need not be a prefix that the gateway knows. */
static void a_manual_route_is_usable_if_the_gateway_has_a_path_for_a_part(void)
{
    static const char *const prefixes[] = {"0.0.0.0/0", "192.160.0.0/12", "192.168.3.0/24",
                                           "172.16.0.0/12"};
    static struct rig rig;
    s2svpn_route r;

    if (rig_up(&rig, &static_routes)) {
        for (size_t i = 0; i < 4; i++) {
            s2svpn_prefix p = rig_prefix(prefixes[i]);

            CU_ASSERT_EQUAL(s2svpn_route_table_add(rig.table, &p, rig.vgw, NULL), S2SVPN_OK);
            CU_ASSERT_EQUAL(s2svpn_route_table_lookup(rig.table, &p.address, &r), S2SVPN_OK);
            CHECK_ROW(prefixes[i], r.usable == (i < 3));
            CU_ASSERT_EQUAL(s2svpn_route_table_remove(rig.table, &p), S2SVPN_OK);
        }
    }
    rig_close(&rig);
}

static void a_table_has_so_many_routes(void)
{
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, NULL);
    s2svpn_prefix p = rig_prefix("172.16.0.0/24");
    s2svpn_status rc = S2SVPN_OK;
    size_t n = 0;

    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    for (; n < 2000 && rc == S2SVPN_OK; n++) {
        p.address.bytes[1] = (uint8_t)(16 + n / 256);
        p.address.bytes[2] = (uint8_t)n;
        rc = s2svpn_route_table_add(rig.table, &p, NULL, rig.gateway.port);
    }
    rig_check_error(ctx, rc, S2SVPN_E_LIMIT, "prefix", "one too many");
    CU_ASSERT_EQUAL(n, 1100);
    CU_ASSERT_EQUAL(s2svpn_route_table_list(rig.table, NULL, 0), 1100);
    rig_close(&rig);
}

const CU_TestInfo s2_test_route_table[] = {
    {"a new table has the local route", a_new_table_has_the_local_route},
    {"routes that cannot be are refused", routes_that_cannot_be_are_refused},
    {"the list is in address order, manual before propagated",
     the_list_is_in_address_order_manual_before_propagated},
    {"local wins, then the longest, then the manual", local_wins_then_the_longest_then_the_manual},
    {"routes to a gateway that goes become blackholes",
     routes_to_a_gateway_that_goes_become_blackholes},
    {"routes to a port that goes become blackholes", routes_to_a_port_that_goes_become_blackholes},
    {"a gateway that is attached again wakes its routes",
     a_gateway_that_is_attached_again_wakes_its_routes},
    {"a gateway that is deleted leaves blackholes for ever",
     a_gateway_that_is_deleted_leaves_blackholes_for_ever},
    {"a route gets another target", a_route_gets_another_target},
    {"a manual route is usable if the gateway has a path for a part",
     a_manual_route_is_usable_if_the_gateway_has_a_path_for_a_part},
    {"a table has so many routes", a_table_has_so_many_routes},
    CU_TEST_INFO_NULL,
};
