/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/outbound.c, port.c: the source and destination check of instances' ports. */
#include <string.h>

#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

static const struct rig_plan static_routes = {.static_routes = true};

/* A second instance, 10.0.1.20, which a route sends 172.16.0.0/12 to. */
struct scene {
    struct rig rig;
    s2svpn_port *second;
};

static bool open(struct scene *s, bool no_check)
{
    const s2svpn_prefix p = rig_prefix("172.16.0.0/12");
    s2svpn_port_spec spec = S2SVPN_PORT_INIT;

    memset(s, 0, sizeof(*s));
    if (!rig_up(&s->rig, &static_routes))
        return false;
    spec.subnet = s->rig.subnet;
    spec.address = rig_address("10.0.1.20");
    spec.no_source_dest_check = no_check;
    CU_ASSERT_EQUAL(s2svpn_port_new(s->rig.gateway.ctx, &spec, &s->second), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_route_table_add(s->rig.table, &p, NULL, s->second), S2SVPN_OK);
    return s->second != NULL;
}

static void close(struct scene *s)
{
    s2svpn_port_release(s->second);
    rig_close(&s->rig);
}

/* Where a packet that enters at this port gets to. */
static const char *fate(struct scene *s, const s2svpn_port *at, const char *from, const char *to)
{
    const struct packet_spec spec = {.from = from, .to = to, .payload = 20};
    static uint8_t p[PACKET_ROOM];
    const s2svpn_packet packet = {.data = p, .len = (uint32_t)packet_write(p, &spec)};
    struct rig_side *gateway = &s->rig.gateway;
    uint64_t before[S2SVPN_DROP_COUNT];
    const char *where = "nowhere";
    struct rig_item *item;

    for (unsigned i = 1; i < S2SVPN_DROP_COUNT; i++)
        before[i] = s2svpn_context_drops(gateway->ctx, (enum s2svpn_drop)i);
    rig_drop_all(&gateway->inside);
    rig_drop_all(&gateway->outside);
    rig_send_packets(gateway, s2svpn_port_number(at), &packet, 1);
    item = rig_take(&gateway->inside);
    if (gateway->outside.count > 0)
        where = "tunnel";
    else if (item)
        where = item->port == s2svpn_port_number(s->second) ? "second" : "first";
    if (item)
        rig_item_free(item);
    rig_drop_all(&gateway->outside);
    for (unsigned i = 1; i < S2SVPN_DROP_COUNT; i++) {
        if (s2svpn_context_drops(gateway->ctx, (enum s2svpn_drop)i) > before[i]) {
            CU_ASSERT_STRING_EQUAL(where, "nowhere"); /* and no error is sent */
            return s2svpn_drop_name((enum s2svpn_drop)i);
        }
    }
    return where;
}

static void an_instance_sends_and_gets_what_is_its_own(void)
{
    static const struct {
        const char *from, *to;
        const char *checked, *unchecked; /* what the second instance's port does */
    } into[] =
        {
            {"10.0.1.10", "10.0.1.20", "second", "second"},
            {"10.0.1.10", "172.16.0.1", "SOURCE_DEST_CHECK", "second"},           /* routed to it */
            {"10.0.1.20", "10.0.1.20", "SOURCE_DEST_CHECK", "SOURCE_DEST_CHECK"}, /* the first's */
            {"192.168.10.20", "10.0.1.20", "SOURCE_DEST_CHECK", "SOURCE_DEST_CHECK"},
            {"0.0.0.0", "10.0.1.20", "SOURCE_DEST_CHECK", "SOURCE_DEST_CHECK"},
        },
      out[] = {
          {"10.0.1.20", "10.0.1.10", "first", "first"},
          {"10.0.1.20", "192.168.10.20", "tunnel", "tunnel"},
          {"10.0.1.21", "10.0.1.10", "SOURCE_DEST_CHECK", "first"}, /* nobody's */
          {"10.0.1.10", "10.0.1.10", "SOURCE_DEST_CHECK", "first"}, /* somebody else's */
          {"172.16.0.1", "10.0.1.10", "SOURCE_DEST_CHECK", "first"},
          {"192.168.1.1", "192.168.10.20", "SOURCE_DEST_CHECK", "tunnel"},   /* a site's */
          {"10.0.9.9", "192.168.10.20", "SOURCE_DEST_CHECK", "tunnel"},      /* the VPC's */
          {"8.8.8.8", "192.168.10.20", "SOURCE_DEST_CHECK", "INNER_SOURCE"}, /* none's: C4 */
      };
    static struct scene s;

    for (unsigned unchecked = 0; unchecked < 2; unchecked++) {
        if (open(&s, unchecked != 0)) {
            for (size_t i = 0; i < sizeof(into) / sizeof(into[0]); i++)
                CHECK_ROW(into[i].to, strcmp(fate(&s, s.rig.gateway.port, into[i].from, into[i].to),
                                             unchecked ? into[i].unchecked : into[i].checked) == 0);
            for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++)
                CHECK_ROW(out[i].from, strcmp(fate(&s, s.second, out[i].from, out[i].to),
                                              unchecked ? out[i].unchecked : out[i].checked) == 0);
        }
        close(&s);
    }
}

/* Out of the tunnel packets find instances by their addresses: nothing to switch off. */
static void packets_of_a_site_reach_the_instance_that_has_the_address(void)
{
    const struct packet_spec spec = {.to = "10.0.1.20", .payload = 20};
    static uint8_t p[PACKET_ROOM];
    static struct scene s;

    for (unsigned unchecked = 0; unchecked < 2; unchecked++) {
        if (open(&s, unchecked != 0)) {
            rig_drop_all(&s.rig.gateway.inside);
            rig_send(&s.rig.device, p, packet_write(p, &spec));
            rig_pump(&s.rig);
            CU_ASSERT_EQUAL_FATAL(s.rig.gateway.inside.count, 1);
            CU_ASSERT_EQUAL(s.rig.gateway.inside.first->port, s2svpn_port_number(s.second));
            rig_drop_all(&s.rig.gateway.inside);
        }
        close(&s);
    }
}

static void the_check_is_on_until_it_is_switched_off(void)
{
    static struct scene s;
    s2svpn_port_info info = {.size = sizeof(info)};

    if (open(&s, false)) {
        s2svpn_port_get_info(s.second, &info);
        CU_ASSERT_TRUE(info.source_dest_check);
        for (unsigned i = 0; i < 2; i++) {
            CU_ASSERT_EQUAL(s2svpn_port_set_source_dest_check(s.second, false), S2SVPN_OK);
            s2svpn_port_get_info(s.second, &info);
            CU_ASSERT_FALSE(info.source_dest_check);
            CU_ASSERT_STRING_EQUAL(fate(&s, s.rig.gateway.port, "10.0.1.10", "172.16.0.1"),
                                   "second");
            CU_ASSERT_EQUAL(s2svpn_port_set_source_dest_check(s.second, true), S2SVPN_OK);
            CU_ASSERT_STRING_EQUAL(fate(&s, s.rig.gateway.port, "10.0.1.10", "172.16.0.1"),
                                   "SOURCE_DEST_CHECK");
        }
        CU_ASSERT_EQUAL(s2svpn_port_delete(s.second), S2SVPN_OK);
        rig_check_error(s.rig.gateway.ctx, s2svpn_port_set_source_dest_check(s.second, false),
                        S2SVPN_E_STATE, "port", "deleted");
    }
    close(&s);
}

static void a_devices_port_has_no_check(void)
{
    static struct scene s;
    s2svpn_port_info info = {.size = sizeof(info)};
    s2svpn_port_spec spec = S2SVPN_PORT_INIT;
    s2svpn_port *none = NULL;

    if (open(&s, false)) {
        s2svpn_context *ctx = s.rig.device.ctx;

        s2svpn_port_get_info(s.rig.device.port, &info);
        CU_ASSERT_FALSE(info.source_dest_check);
        rig_check_error(ctx, s2svpn_port_set_source_dest_check(s.rig.device.port, true),
                        S2SVPN_E_ARGUMENT, "port", "a device's");
        spec.no_source_dest_check = true;
        rig_check_error(ctx, s2svpn_port_new(ctx, &spec, &none), S2SVPN_E_ARGUMENT,
                        "no_source_dest_check", "a device's");
        spec.size = offsetof(s2svpn_port_spec, no_source_dest_check); /* an older caller's */
        CU_ASSERT_EQUAL(s2svpn_port_new(ctx, &spec, &none), S2SVPN_OK);
        s2svpn_port_release(none);
    }
    close(&s);
}

/* Either address is the port's. */
static void ipv6_is_checked_as_well(void)
{
    static const struct rig_plan ipv6 = {.ipv6 = true};
    static const struct {
        const char *from;
        bool good;
    } rows[] = {
        {"2001:db8:a:1::10", true},
        {"2001:db8:a:1::11", false},
        {"2001:db8:b::20", false},
    };
    static struct rig rig;
    static uint8_t p[PACKET_ROOM];

    if (rig_up(&rig, &ipv6)) {
        for (size_t i = 0; i < 3; i++) {
            const struct packet_spec spec = {
                .from = rows[i].from, .to = "2001:db8:b::20", .payload = 20};
            const uint64_t before =
                s2svpn_context_drops(rig.gateway.ctx, S2SVPN_DROP_SOURCE_DEST_CHECK);

            rig_drop_all(&rig.gateway.outside);
            rig_send(&rig.gateway, p, packet_write(p, &spec));
            CHECK_ROW(rows[i].from, (rig.gateway.outside.count == 1) == rows[i].good);
            CHECK_ROW(rows[i].from,
                      s2svpn_context_drops(rig.gateway.ctx, S2SVPN_DROP_SOURCE_DEST_CHECK) ==
                          before + !rows[i].good);
            rig_drop_all(&rig.gateway.outside);
        }
    }
    rig_close(&rig);
}

const CU_TestInfo s2_test_source_check[] = {
    {"an instance sends and gets what is its own", an_instance_sends_and_gets_what_is_its_own},
    {"packets of a site reach the instance that has the address",
     packets_of_a_site_reach_the_instance_that_has_the_address},
    {"the check is on until it is switched off", the_check_is_on_until_it_is_switched_off},
    {"a device's port has no check", a_devices_port_has_no_check},
    {"IPv6 is checked as well", ipv6_is_checked_as_well},
    CU_TEST_INFO_NULL,
};
