/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/vpc_block.c: a VPC's CIDR blocks come and go while packets flow. */
#include <string.h>

#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

static const struct rig_plan bgp = {0};
static const struct rig_plan static_routes = {.static_routes = true};
static const struct rig_plan ipv6 = {.ipv6 = true};

static s2svpn_status add(s2svpn_vpc *vpc, const char *cidr)
{
    const s2svpn_prefix p = rig_prefix(cidr);

    return s2svpn_vpc_add_cidr(vpc, &p, NULL);
}

static s2svpn_status take_out(s2svpn_vpc *vpc, const char *cidr)
{
    const s2svpn_prefix p = rig_prefix(cidr);

    return s2svpn_vpc_remove_cidr(vpc, &p);
}

static s2svpn_status route_to(struct rig *rig, const char *prefix)
{
    const s2svpn_prefix p = rig_prefix(prefix);

    return s2svpn_route_table_add(rig->table, &p, rig->vgw, NULL);
}

/* The table as a text: "10.0.0.0/16 local, …". */
static bool table_is(const s2svpn_route_table *t, const char *wanted)
{
    static const char *const origin[] = {"?", "local", "manual", "propagated"};
    s2svpn_route r[32];
    const size_t n = s2svpn_route_table_list(t, r, 32);
    char text[1000] = "", prefix[S2SVPN_PREFIX_TEXT];
    size_t len = 0;
    bool same;

    for (size_t i = 0; i < n && i < 32; i++)
        len += s2_print(text + len, sizeof(text) - len, "%s%s %s", i > 0 ? ", " : "",
                        s2svpn_prefix_print(&r[i].prefix, prefix), origin[r[i].origin]);
    same = strcmp(text, wanted) == 0;
    CHECK_ROW(text, same);
    return same;
}

static const char *looked_up(const s2svpn_route_table *t, const char *address)
{
    static const char *const origin[] = {"?", "local", "manual", "propagated"};
    const s2svpn_address a = rig_address(address);
    s2svpn_route r;

    return s2svpn_route_table_lookup(t, &a, &r) == S2SVPN_OK ? origin[r.origin] : "none";
}

/* ---- which blocks may be */

static void blocks_that_cannot_be_are_refused_and_named(void)
{
    static const struct {
        const char *cidr;
        s2svpn_status rc;
        const char *field;
    } rows[] = {
        {"10.1.0.0/16", S2SVPN_E_ARGUMENT, "prefix"},    /* bits behind its length */
        {"10.2.0.0/15", S2SVPN_E_ARGUMENT, "prefix"},    /* too wide */
        {"10.1.0.0/29", S2SVPN_E_ARGUMENT, "prefix"},    /* too narrow */
        {"fd00::/43", S2SVPN_E_ARGUMENT, "prefix"},      /* likewise */
        {"fd00::/46", S2SVPN_E_ARGUMENT, "prefix"},      /* no step of four */
        {"fd00::/64", S2SVPN_E_ARGUMENT, "prefix"},      /* a subnet's */
        {"fe80::/60", S2SVPN_E_ARGUMENT, "prefix"},      /* no one's */
        {"10.0.0.0/16", S2SVPN_E_EXISTS, "prefix"},      /* the primary one */
        {"10.0.128.0/17", S2SVPN_E_EXISTS, "prefix"},    /* a part of it */
        {"192.168.0.0/16", S2SVPN_E_EXISTS, "route"},    /* a manual route's destination */
        {"172.16.0.0/16", S2SVPN_E_EXISTS, "route"},     /* wider than one */
        {"192.168.128.0/17", S2SVPN_OK, ""},             /* narrower */
        {"192.168.128.0/28", S2SVPN_E_EXISTS, "prefix"}, /* overlaps that now */
        {"10.1.0.0/28", S2SVPN_OK, ""},
        {"fd00::/44", S2SVPN_OK, ""},
        {"fd10::/60", S2SVPN_OK, ""},
        {"fd00:0:f::/48", S2SVPN_E_EXISTS, "prefix"},
    };
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, NULL);
    s2svpn_prefix none = {0};

    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    CU_ASSERT_EQUAL(route_to(&rig, "192.168.0.0/16"), S2SVPN_OK);
    CU_ASSERT_EQUAL(route_to(&rig, "172.16.1.0/24"), S2SVPN_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_prefix p = rig_prefix(rows[i].cidr);
        s2svpn_id id = {"as before"};
        s2svpn_status rc;

        if (i == 0)
            p.address.bytes[3] = 1;
        rc = s2svpn_vpc_add_cidr(rig.vpc, &p, &id);
        CHECK_ROW(rows[i].cidr, rc == rows[i].rc);
        if (rows[i].rc != S2SVPN_OK) {
            rig_check_error(ctx, rc, rows[i].rc, rows[i].field, rows[i].cidr);
            CHECK_ROW(rows[i].cidr, strcmp(id.text, "as before") == 0);
        } else {
            CHECK_ROW(rows[i].cidr, strncmp(id.text, "vpc-cidr-assoc-", 15) == 0);
            CHECK_ROW(rows[i].cidr, strlen(id.text) == 15 + 17);
        }
    }
    rig_check_error(ctx, s2svpn_vpc_add_cidr(rig.vpc, &none, NULL), S2SVPN_E_ARGUMENT, "prefix",
                    "no family");
    rig_close(&rig);
}

/* AWS's quota, and what the limit makes of it. */
static void a_vpc_has_five_blocks_of_each_version_or_as_many_as_it_may(void)
{
    static const struct {
        uint32_t limit;
        size_t most;
    } rows[] = {{0, 5}, {7, 7}, {1000, 10}};
    static struct rig rig;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_limits limits = S2SVPN_LIMITS_INIT;
        const struct rig_plan plan = {.limits = &limits};
        s2svpn_prefix p = rig_prefix("10.1.0.0/16"), p6 = rig_prefix("fd00::/56");
        s2svpn_vpc_cidr list[4];
        s2svpn_context *ctx;
        size_t n = 1, n6 = 0;

        limits.vpc_cidrs = rows[i].limit;
        ctx = rig_gateway(&rig, &plan);
        CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
        for (; s2svpn_vpc_add_cidr(rig.vpc, &p, NULL) == S2SVPN_OK; n++)
            p.address.bytes[1]++;
        rig_check_error(ctx, s2svpn_context_error(ctx)->code, S2SVPN_E_LIMIT, "prefix", "IPv4");
        for (; s2svpn_vpc_add_cidr(rig.vpc, &p6, NULL) == S2SVPN_OK; n6++)
            p6.address.bytes[1]++;
        rig_check_error(ctx, s2svpn_context_error(ctx)->code, S2SVPN_E_LIMIT, "prefix", "IPv6");
        CU_ASSERT_EQUAL(n, rows[i].most);
        CU_ASSERT_EQUAL(n6, rows[i].most);
        CU_ASSERT_EQUAL(s2svpn_vpc_list_cidrs(rig.vpc, list, 4), n + n6);
        CU_ASSERT_EQUAL(s2svpn_vpc_list_cidrs(rig.vpc, NULL, 0), n + n6);
        rig_close(&rig);
    }
}

static void the_list_names_blocks_in_the_order_in_which_they_came(void)
{
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, NULL);
    const s2svpn_prefix second = rig_prefix("10.9.0.0/24");
    s2svpn_vpc_info info = {.size = sizeof(info)};
    s2svpn_vpc_cidr list[4] = {0};
    s2svpn_id id;

    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    CU_ASSERT_EQUAL(add(rig.vpc, "fd12::/56"), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_vpc_add_cidr(rig.vpc, &second, &id), S2SVPN_OK);
    CU_ASSERT_EQUAL_FATAL(s2svpn_vpc_list_cidrs(rig.vpc, list, 4), 3);
    CU_ASSERT_EQUAL(list[0].prefix.length, 16);
    CU_ASSERT_EQUAL(list[1].prefix.length, 56);
    CU_ASSERT_EQUAL(list[2].prefix.length, 24);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(list[i].primary, i == 0);
        CU_ASSERT_EQUAL(list[i].state, S2SVPN_STATE_AVAILABLE);
        CU_ASSERT_EQUAL(strncmp(list[i].association.text, "vpc-cidr-assoc-", 15), 0);
    }
    CU_ASSERT_STRING_EQUAL(list[2].association.text, id.text);
    CU_ASSERT_STRING_NOT_EQUAL(list[1].association.text, id.text);
    s2svpn_vpc_get_info(rig.vpc, &info);
    CU_ASSERT_EQUAL(info.cidr.length, 16);
    CU_ASSERT_EQUAL(info.ipv6_cidr.length, 56); /* one that came later counts as well */
    rig_check_error(ctx, take_out(rig.vpc, "10.0.0.0/16"), S2SVPN_E_STATE, "prefix", "primary");
    rig_check_error(ctx, take_out(rig.vpc, "10.9.0.0/25"), S2SVPN_E_NOT_FOUND, "prefix", "a part");
    CU_ASSERT_EQUAL(take_out(rig.vpc, "fd12::/56"), S2SVPN_OK);
    rig_check_error(ctx, take_out(rig.vpc, "fd12::/56"), S2SVPN_E_NOT_FOUND, "prefix", "gone");
    CU_ASSERT_EQUAL(s2svpn_vpc_list_cidrs(rig.vpc, list, 4), 2);
    s2svpn_vpc_get_info(rig.vpc, &info);
    CU_ASSERT_EQUAL(info.ipv6_cidr.address.family, S2SVPN_FAMILY_NONE);
    CU_ASSERT_EQUAL(add(rig.vpc, "fd12::/56"), S2SVPN_OK); /* and may come again */
    rig_close(&rig);
}

/* ---- local routes */

static void every_table_has_the_local_route_at_once(void)
{
    static struct rig rig;
    s2svpn_route_table *custom = NULL, *later = NULL;

    rig_gateway(&rig, NULL);
    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_route_table_new(rig.vpc, &custom), S2SVPN_OK);
    CU_ASSERT_EQUAL(add(rig.vpc, "10.1.0.0/20"), S2SVPN_OK);
    CU_ASSERT_EQUAL(add(rig.vpc, "fd12::/56"), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_route_table_new(rig.vpc, &later), S2SVPN_OK);
    table_is(rig.table, "10.0.0.0/16 local, 10.1.0.0/20 local, fd12::/56 local");
    table_is(custom, "10.0.0.0/16 local, 10.1.0.0/20 local, fd12::/56 local");
    table_is(later, "10.0.0.0/16 local, 10.1.0.0/20 local, fd12::/56 local");
    rig_check_error(rig.gateway.ctx, route_to(&rig, "10.1.8.0/24"), S2SVPN_E_ARGUMENT, "prefix",
                    "the local route stands for it");
    CU_ASSERT_EQUAL(take_out(rig.vpc, "10.1.0.0/20"), S2SVPN_OK);
    table_is(rig.table, "10.0.0.0/16 local, fd12::/56 local");
    table_is(custom, "10.0.0.0/16 local, fd12::/56 local");
    table_is(later, "10.0.0.0/16 local, fd12::/56 local");
    CU_ASSERT_EQUAL(route_to(&rig, "10.1.8.0/24"), S2SVPN_OK);
    s2svpn_route_table_release(custom);
    s2svpn_route_table_release(later);
    rig_close(&rig);
}

/* What is propagated inside a block is hidden by it, and comes back to light. */
static void a_block_hides_what_is_propagated_inside_it(void)
{
    const s2svpn_prefix wide = rig_prefix("172.16.0.0/12"), inside = rig_prefix("172.17.5.0/24"),
                        same = rig_prefix("172.17.0.0/16");
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        CU_ASSERT_EQUAL(s2svpn_connection_add_static_route(rig.cloud, &wide), S2SVPN_OK);
        CU_ASSERT_EQUAL(add(rig.vpc, "172.17.0.0/16"), S2SVPN_OK); /* part of a route: allowed */
        CU_ASSERT_STRING_EQUAL(looked_up(rig.table, "172.17.5.1"), "local");
        CU_ASSERT_STRING_EQUAL(looked_up(rig.table, "172.18.0.1"), "propagated");
        CU_ASSERT_EQUAL(s2svpn_connection_add_static_route(rig.cloud, &inside), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_connection_add_static_route(rig.cloud, &same), S2SVPN_OK);
        CU_ASSERT_STRING_EQUAL(looked_up(rig.table, "172.17.5.1"), "local");
        CU_ASSERT_EQUAL(s2_fib_get(rig.table->fib, &inside), 0);
        CU_ASSERT_EQUAL(s2_target_kind(s2_fib_get(rig.table->fib, &same)), S2_TARGET_VPC);
        CU_ASSERT_EQUAL(take_out(rig.vpc, "172.17.0.0/16"), S2SVPN_OK);
        CU_ASSERT_STRING_EQUAL(looked_up(rig.table, "172.17.5.1"), "propagated");
        CU_ASSERT_EQUAL(s2_target_kind(s2_fib_get(rig.table->fib, &inside)), S2_TARGET_ROUTER);
        CU_ASSERT_EQUAL(s2_target_kind(s2_fib_get(rig.table->fib, &same)), S2_TARGET_ROUTER);
        rig_check_error(rig.gateway.ctx, add(rig.vpc, "172.17.0.0/16"), S2SVPN_E_EXISTS, "route",
                        "propagated routes lie in it");
    }
    rig_close(&rig);
}

/* ---- subnets, ports, packets */

static s2svpn_subnet *make_subnet(struct rig *rig, const char *cidr, const char *ipv6_cidr)
{
    s2svpn_subnet_spec spec = S2SVPN_SUBNET_INIT;
    s2svpn_subnet *subnet = NULL;

    spec.cidr = rig_prefix(cidr);
    if (ipv6_cidr)
        spec.ipv6_cidr = rig_prefix(ipv6_cidr);
    CU_ASSERT_EQUAL(s2svpn_subnet_new(rig->vpc, &spec, &subnet), S2SVPN_OK);
    return subnet;
}

static s2svpn_port *make_port(struct rig *rig, s2svpn_subnet *subnet, const char *address,
                              const char *ipv6_address)
{
    s2svpn_port_spec spec = S2SVPN_PORT_INIT;
    s2svpn_port *port = NULL;

    spec.subnet = subnet;
    spec.address = rig_address(address);
    if (ipv6_address)
        spec.ipv6_address = rig_address(ipv6_address);
    CU_ASSERT_EQUAL(s2svpn_port_new(rig->gateway.ctx, &spec, &port), S2SVPN_OK);
    return port;
}

/* Does a packet that enters at one port come out at the other of the same context? */
static bool crosses(struct rig *rig, const s2svpn_port *from, const char *source,
                    const s2svpn_port *to, const char *destination)
{
    const struct packet_spec spec = {.from = source, .to = destination, .payload = 30};
    static uint8_t p[PACKET_ROOM];
    const s2svpn_packet packet = {.data = p, .len = (uint32_t)packet_write(p, &spec)};
    struct rig_item *item;
    bool there;

    rig_drop_all(&rig->gateway.inside);
    rig_send_packets(&rig->gateway, s2svpn_port_number(from), &packet, 1);
    item = rig_take(&rig->gateway.inside);
    there = item && item->port == s2svpn_port_number(to) && packet_right(item->data, item->len);
    if (item)
        rig_item_free(item);
    rig_drop_all(&rig->gateway.inside);
    return there;
}

static void subnets_lie_in_any_block_and_reach_each_other(void)
{
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, NULL);
    s2svpn_subnet_spec bad = S2SVPN_SUBNET_INIT;
    s2svpn_subnet *subnet, *none = NULL;
    s2svpn_port *port;

    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    CU_ASSERT_EQUAL(add(rig.vpc, "10.1.0.0/24"), S2SVPN_OK);
    CU_ASSERT_EQUAL(add(rig.vpc, "fd12::/56"), S2SVPN_OK);
    bad.cidr = rig_prefix("10.2.0.0/24");
    rig_check_error(ctx, s2svpn_subnet_new(rig.vpc, &bad, &none), S2SVPN_E_ARGUMENT, "cidr",
                    "in no block");
    subnet = make_subnet(&rig, "10.1.0.0/25", "fd12:0:0:3::/64");
    port = make_port(&rig, subnet, "10.1.0.10", "fd12:0:0:3::10");
    CU_ASSERT_TRUE(crosses(&rig, rig.gateway.port, "10.0.1.10", port, "10.1.0.10"));
    CU_ASSERT_TRUE(crosses(&rig, port, "10.1.0.10", rig.gateway.port, "10.0.1.10"));
    rig_check_error(ctx, take_out(rig.vpc, "10.1.0.0/24"), S2SVPN_E_IN_USE, "prefix", "IPv4");
    rig_check_error(ctx, take_out(rig.vpc, "fd12::/56"), S2SVPN_E_IN_USE, "prefix", "IPv6");
    CU_ASSERT_TRUE(crosses(&rig, rig.gateway.port, "10.0.1.10", port, "10.1.0.10"));
    CU_ASSERT_EQUAL(s2svpn_port_delete(port), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_subnet_delete(subnet), S2SVPN_OK);
    CU_ASSERT_EQUAL(take_out(rig.vpc, "10.1.0.0/24"), S2SVPN_OK);
    CU_ASSERT_EQUAL(take_out(rig.vpc, "fd12::/56"), S2SVPN_OK);
    rig_check_error(ctx,
                    s2svpn_subnet_new(rig.vpc,
                                      &(s2svpn_subnet_spec){.size = sizeof(bad), .cidr = bad.cidr},
                                      &none),
                    S2SVPN_E_ARGUMENT, "cidr", "its block has gone");
    s2svpn_port_release(port);
    s2svpn_subnet_release(subnet);
    rig_close(&rig);
}

/* ---- the gateway and the sites */

static bool device_knows(const struct rig *rig, const char *prefix)
{
    const s2svpn_prefix p = rig_prefix(prefix);
    const uint64_t value = s2_fib_get(rig->device.ctx->device->fib, &p);

    return value != 0 && s2_target_kind(value) == S2_TARGET_TUNNEL;
}

/* From the LAN to an address of the VPC: it comes out at the port, or why it was dropped. */
static bool arrives(struct rig *rig, const char *from, const char *to)
{
    const struct packet_spec spec = {.from = from, .to = to, .payload = 40};
    static uint8_t p[PACKET_ROOM];
    const size_t len = packet_write(p, &spec);
    bool there;

    rig_drop_all(&rig->gateway.inside);
    rig_send(&rig->device, p, len);
    rig_pump(rig);
    there = rig->gateway.inside.count == 1;
    rig_drop_all(&rig->gateway.inside);
    rig_drop_all(&rig->device.inside);
    return there;
}

static void blocks_are_announced_and_withdrawn_and_packets_follow(void)
{
    static const struct {
        const struct rig_plan *plan;
        const char *first, *block, *host, *lan, *subnet, *ipv6_subnet, *address, *ipv6_address;
    } rows[] = {
        {&bgp, "10.0.0.0/16", "10.1.0.0/24", "10.1.0.10", "192.168.10.20", "10.1.0.0/25", NULL,
         "10.1.0.10", NULL},
        {&ipv6, "2001:db8:a::/56", "2001:db8:c::/56", "2001:db8:c:1::10", "2001:db8:b::20",
         "10.0.2.0/24", "2001:db8:c:1::/64", "10.0.2.10", "2001:db8:c:1::10"},
    };
    static struct rig rig;

    for (size_t i = 0; i < 2; i++) {
        if (rig_up(&rig, rows[i].plan)) {
            const struct s2_router *r = &rig.vgw->router;
            const s2svpn_prefix block = rig_prefix(rows[i].block);
            s2svpn_subnet *subnet;
            s2svpn_port *port;

            CHECK_ROW(rows[i].block, !device_knows(&rig, rows[i].block));
            CU_ASSERT_EQUAL(add(rig.vpc, rows[i].block), S2SVPN_OK);
            rig_run(&rig, 5 * RIG_SECOND);
            CHECK_ROW(rows[i].block, device_knows(&rig, rows[i].block));
            subnet = make_subnet(&rig, rows[i].subnet, rows[i].ipv6_subnet);
            port = make_port(&rig, subnet, rows[i].address, rows[i].ipv6_address);
            CHECK_ROW(rows[i].block, arrives(&rig, rows[i].lan, rows[i].host));
            CU_ASSERT_EQUAL(s2svpn_port_delete(port), S2SVPN_OK);
            CU_ASSERT_EQUAL(s2svpn_subnet_delete(subnet), S2SVPN_OK);
            CU_ASSERT_EQUAL(take_out(rig.vpc, rows[i].block), S2SVPN_OK);
            CHECK_ROW(rows[i].block, s2_fib_get(r->fib, &block) == 0);
            rig_run(&rig, 5 * RIG_SECOND);
            CHECK_ROW(rows[i].block, !device_knows(&rig, rows[i].block));
            CHECK_ROW(rows[i].block, device_knows(&rig, rows[i].first)); /* the first one stays */
            s2svpn_port_release(port);
            s2svpn_subnet_release(subnet);
        }
        rig_close(&rig);
    }
}

static void blocks_come_and_go_with_the_attachment(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        CU_ASSERT_EQUAL(add(rig.vpc, "10.1.0.0/24"), S2SVPN_OK);
        rig_run(&rig, 5 * RIG_SECOND);
        CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(rig.vgw), S2SVPN_OK);
        CU_ASSERT_EQUAL(add(rig.vpc, "10.2.0.0/24"), S2SVPN_OK); /* nobody to tell */
        CU_ASSERT_EQUAL(take_out(rig.vpc, "10.1.0.0/24"), S2SVPN_OK);
        rig_run(&rig, 5 * RIG_SECOND);
        CU_ASSERT_FALSE(device_knows(&rig, "10.0.0.0/16"));
        CU_ASSERT_FALSE(device_knows(&rig, "10.1.0.0/24"));
        CU_ASSERT_EQUAL(s2svpn_virtual_gateway_attach(rig.vgw, rig.vpc), S2SVPN_OK);
        rig_run(&rig, 5 * RIG_SECOND);
        CU_ASSERT_TRUE(device_knows(&rig, "10.0.0.0/16"));
        CU_ASSERT_TRUE(device_knows(&rig, "10.2.0.0/24"));
        CU_ASSERT_FALSE(device_knows(&rig, "10.1.0.0/24"));
    }
    rig_close(&rig);
}

const CU_TestInfo s2_test_vpc[] = {
    {"blocks that cannot be are refused, and named", blocks_that_cannot_be_are_refused_and_named},
    {"a VPC has five blocks of each version, or as many as it may",
     a_vpc_has_five_blocks_of_each_version_or_as_many_as_it_may},
    {"the list names blocks in the order in which they came",
     the_list_names_blocks_in_the_order_in_which_they_came},
    {"every table has the local route at once", every_table_has_the_local_route_at_once},
    {"a block hides what is propagated inside it", a_block_hides_what_is_propagated_inside_it},
    {"subnets lie in any block, and reach each other",
     subnets_lie_in_any_block_and_reach_each_other},
    {"blocks are announced and withdrawn, and packets follow",
     blocks_are_announced_and_withdrawn_and_packets_follow},
    {"blocks come and go with the attachment", blocks_come_and_go_with_the_attachment},
    CU_TEST_INFO_NULL,
};
