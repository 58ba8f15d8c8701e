/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn: tunnels with IPv6 inside: what they negotiate, what flows in them, and the
 * errors that come back. */
#include <string.h>

#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/seal.h"
#include "vpn/vpn.h"

#define LAN_HOST "2001:db8:b::20"
#define INSTANCE "2001:db8:a:1::10"
#define ICMPV6 58

enum { UNREACHABLE = 1, TOO_BIG = 2, TIME_EXCEEDED = 3 };

static const struct rig_plan bgp = {.ipv6 = true}, raw = {.ipv6 = true, .raw = true};
static const struct rig_plan static_routes = {.ipv6 = true, .static_routes = true};

static size_t write_ipv6(uint8_t *p, bool from_lan, struct packet_spec spec)
{
    if (spec.from == NULL)
        spec.from = from_lan ? LAN_HOST : INSTANCE;
    if (spec.to == NULL)
        spec.to = from_lan ? INSTANCE : LAN_HOST;
    return packet_write(p, &spec);
}

static void send(struct rig *rig, struct rig_side *side, struct packet_spec spec)
{
    static uint8_t p[PACKET_ROOM];

    rig_send(side, p, write_ipv6(p, side == &rig->device, spec));
}

static uint64_t drops(const struct rig_side *side, enum s2svpn_drop reason)
{
    return s2svpn_context_drops(side->ctx, reason);
}

/* One packet that came out, as it went in but for its hop limit. */
static bool came_out(struct rig_side *side, bool from_lan, struct packet_spec spec)
{
    static uint8_t p[PACKET_ROOM];
    struct rig_item *item = rig_take(&side->inside);
    bool same;

    if (item == NULL)
        return false;
    const size_t len = write_ipv6(p, from_lan, spec);
    p[7] -= 2; /* two routers */
    same = item->len == len && memcmp(item->data, p, len) == 0;
    rig_item_free(item);
    return same;
}

static bool crosses(struct rig *rig)
{
    const struct packet_spec spec = {.payload = 700};

    send(rig, &rig->device, spec);
    rig_pump(rig);
    if (!came_out(&rig->gateway, true, spec))
        return false;
    send(rig, &rig->gateway, spec);
    rig_pump(rig);
    return came_out(&rig->device, false, spec);
}

static bool all_ipv6(const struct s2_ike_ts *ts, size_t n)
{
    static const uint8_t zeros[16];
    bool all = n == 1 && ts->family == S2SVPN_FAMILY_IPV6 && ts->protocol == 0 &&
               memcmp(ts->first, zeros, 16) == 0;

    for (size_t i = 0; i < 16; i++)
        all = all && ts->last[i] == 0xff;
    return all;
}

/* ---- coming up */

static void both_ends_agree_on_everything_ipv6(void)
{
    static const struct rig_plan *const plans[] = {&bgp, &raw, &static_routes};
    static struct rig rig;

    for (size_t k = 0; k < 3; k++) {
        const bool with_bgp = !plans[k]->static_routes;

        if (rig_up(&rig, plans[k])) {
            for (size_t i = 0; i < 2; i++) {
                const s2svpn_tunnel_info cloud = rig_tunnel(rig.cloud, i);
                const s2svpn_tunnel_info site = rig_tunnel(rig.site, i);
                const struct s2_child *child =
                    s2_child_current(s2svpn_connection_tunnel(rig.site, i));
                s2svpn_tunnel_options o;

                CU_ASSERT_TRUE(s2_prefix_equal(&cloud.inside_cidr, &site.inside_cidr));
                CU_ASSERT_EQUAL(cloud.inside_cidr.length, 126);
                CU_ASSERT_EQUAL(cloud.inside_local.bytes[0], 0xfd);
                CU_ASSERT_EQUAL(cloud.inside_local.bytes[15] & 3, 1);
                CU_ASSERT_TRUE(s2_address_equal(&cloud.inside_local, &site.inside_remote));
                CU_ASSERT_TRUE(s2_address_equal(&cloud.inside_remote, &site.inside_local));
                CU_ASSERT_EQUAL(cloud.mss, cloud.mtu - 60);
                CU_ASSERT_EQUAL(cloud.accepted_routes, with_bgp ? 1 : 0);
                CU_ASSERT_EQUAL(site.accepted_routes, with_bgp ? 1 : 0);
                CU_ASSERT_EQUAL(cloud.udp, !plans[k]->raw);
                s2svpn_tunnel_get_options(s2svpn_connection_tunnel(rig.cloud, i), &o);
                CU_ASSERT_EQUAL(o.inside_cidr.length, 30); /* it has one as well */
                CU_ASSERT_PTR_NOT_NULL_FATAL(child);
                CU_ASSERT_EQUAL(child->selectors.any, 6);
                CU_ASSERT_TRUE(all_ipv6(child->selectors.local, child->selectors.local_count));
                CU_ASSERT_TRUE(all_ipv6(child->selectors.remote, child->selectors.remote_count));
            }
            /* The VPC's and the LAN's IPv4 prefixes are no concern of these sessions. */
            CU_ASSERT_FALSE(rig.vgw->router.repair.armed || rig.site->router->repair.armed);
            s2svpn_connection_info info = {.size = sizeof(info)};
            s2svpn_connection_get_info(rig.site, &info);
            CU_ASSERT_EQUAL(info.inside_ip_version, 6);
            CU_ASSERT_TRUE(crosses(&rig));
        }
        rig_close(&rig);
    }
}

static bool cut_first(struct rig *rig, const struct rig_side *from, const s2svpn_datagram *d)
{
    (void)rig;
    (void)from;
    return d->local.address.bytes[3] == 1 || d->remote.address.bytes[3] == 1;
}

static void a_tunnel_that_is_cut_gives_way_to_the_other(void)
{
    static const struct rig_plan *const plans[] = {&bgp, &static_routes};
    static struct rig rig;

    for (size_t k = 0; k < 2; k++) {
        if (rig_up(&rig, plans[k])) {
            rig.loses = cut_first;
            rig_run(&rig, 100 * RIG_SECOND);
            CU_ASSERT_FALSE(rig_tunnel(rig.cloud, 0).up || rig_tunnel(rig.site, 0).up);
            CU_ASSERT_TRUE(crosses(&rig));
            rig.loses = NULL;
            rig_run(&rig, 200 * RIG_SECOND);
            CU_ASSERT_TRUE(rig_both_up(&rig));
            CU_ASSERT_TRUE(crosses(&rig));
        }
        rig_close(&rig);
    }
}

/* LocalIpv6NetworkCidr and RemoteIpv6NetworkCidr. The device offers ::/0. */
static void narrower_networks_are_selectors(void)
{
    static const struct {
        const char *from;
        bool passes;
    } rows[] = {{"2001:db8:b::20", true}, {"2001:db8:b:1::20", false}};
    struct rig_plan plan = static_routes;
    static struct rig rig;

    plan.customer_network = rig_prefix("2001:db8:b::/64");
    plan.cloud_network = rig_prefix("2001:db8:a::/56");
    if (rig_up(&rig, &plan)) {
        CU_ASSERT_EQUAL(s2_child_current(s2svpn_connection_tunnel(rig.site, 0))->selectors.any, 0);
        for (size_t i = 0; i < 2; i++) {
            send(&rig, &rig.device, (struct packet_spec){.from = rows[i].from, .payload = 9});
            rig_pump(&rig);
            CHECK_ROW(rows[i].from, (rig.gateway.inside.count == 1) == rows[i].passes);
            CHECK_ROW(rows[i].from,
                      drops(&rig.device, S2SVPN_DROP_INNER_SELECTOR) == !rows[i].passes);
            rig_drop_all(&rig.gateway.inside);
        }
    }
    rig_close(&rig);
}

/* ---- what doesn't flow */

static void ipv4_does_not_flow_in_it(void)
{
    static uint8_t p[PACKET_ROOM];
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        const struct packet_spec spec = {.payload = 50};
        const size_t len = packet_write(p, &spec);

        rig_send(&rig.device, p, len);
        rig_pump(&rig);
        CU_ASSERT_EQUAL(rig.gateway.inside.count, 0);
        CU_ASSERT_EQUAL(drops(&rig.device, S2SVPN_DROP_NO_ROUTE), 1);
        /* nor from a device that doesn't mind */
        rig_drop_all(&rig.device.inside);
        seal_deliver(&rig, &rig.device, p, len, 4, 0);
        rig_pump(&rig);
        CU_ASSERT_EQUAL(rig.gateway.inside.count, 0);
        CU_ASSERT_EQUAL(drops(&rig.gateway, S2SVPN_DROP_INNER_SELECTOR), 1);
    }
    rig_close(&rig);
}

static void sources_without_a_route_and_addresses_of_a_link_are_refused(void)
{
    static const struct {
        const char *name, *from, *to;
        enum s2svpn_drop reason;
    } rows[] = {
        {"a source of nobody", "2001:db8:c::1", INSTANCE, S2SVPN_DROP_INNER_SOURCE},
        {"a link-local source", "fe80::1", INSTANCE, S2SVPN_DROP_INNER_SOURCE},
        {"no source", "::", INSTANCE, S2SVPN_DROP_INNER_SOURCE},
        {"the loopback", "::1", INSTANCE, S2SVPN_DROP_INNER_SOURCE},
        {"a group as the source", "ff02::1", INSTANCE, S2SVPN_DROP_INNER_SOURCE},
        {"to all nodes", LAN_HOST, "ff02::1", S2SVPN_DROP_INNER_SOURCE},
        {"to a link-local address", LAN_HOST, "fe80::1", S2SVPN_DROP_INNER_SOURCE},
        {"to nobody's address", LAN_HOST, "2001:db8:a:1::11", S2SVPN_DROP_BLACKHOLE},
        {"to no network", LAN_HOST, "2001:db8:f::1", S2SVPN_DROP_NO_ROUTE},
    };
    static struct rig rig;
    static uint8_t p[PACKET_ROOM];

    if (rig_up(&rig, &bgp)) {
        const s2svpn_prefix all = rig_prefix("::/0");

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            const struct packet_spec spec = {.from = rows[i].from, .to = rows[i].to, .payload = 9};
            const uint64_t before = drops(&rig.gateway, rows[i].reason);

            /* even where the peer has announced everything */
            if (rows[i].reason == S2SVPN_DROP_INNER_SOURCE && i > 0)
                CU_ASSERT_EQUAL(s2_fib_set(rig.cloud->sources, &all, 1), S2SVPN_OK);
            seal_deliver(&rig, &rig.device, p, packet_write(p, &spec), 41, 0);
            rig_pump(&rig);
            CHECK_ROW(rows[i].name, rig.gateway.inside.count == 0);
            CHECK_ROW(rows[i].name, drops(&rig.gateway, rows[i].reason) == before + 1);
            s2_fib_unset(rig.cloud->sources, &all);
        }
    }
    rig_close(&rig);
}

/* What a system says by itself on every interface: neither forwarded nor answered. */
static void chatter_of_the_lan_stays_there(void)
{
    static const char *const rows[][2] = {{"fe80::1", "ff02::2"},
                                          {"::", "ff02::1:ff00:20"},
                                          {"fe80::1", "ff02::16"},
                                          {LAN_HOST, "fe80::2"},
                                          {"fe80::1", INSTANCE}};
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            send(&rig, &rig.device,
                 (struct packet_spec){
                     .from = rows[i][0], .to = rows[i][1], .protocol = ICMPV6, .payload = 20});
            rig_pump(&rig);
            CHECK_ROW(rows[i][1], rig.device.inside.count == 0 && rig.gateway.inside.count == 0);
            CHECK_ROW(rows[i][1], drops(&rig.device, S2SVPN_DROP_NO_ROUTE) == i + 1);
        }
    }
    rig_close(&rig);
}

/* ---- ICMPv6 errors */

/* The error's text: from, to, type, code, the four bytes behind, about a packet to. */
static bool is_error(const struct rig_item *item, const s2svpn_address *from, const char *to,
                     uint8_t type, uint8_t code, uint32_t rest, const char *about_to)
{
    const s2svpn_address dest = rig_address(to), about = rig_address(about_to);
    const uint8_t *p = item->data;

    return packet_right(p, item->len) && item->len <= 1280 && p[0] >> 4 == 6 && p[6] == ICMPV6 &&
           memcmp(p + 8, from->bytes, 16) == 0 && memcmp(p + 24, dest.bytes, 16) == 0 &&
           p[40] == type && p[41] == code && packet_get32(p + 44) == rest &&
           memcmp(p + 48 + 24, about.bytes, 16) == 0;
}

static void the_router_tells_its_own_side(void)
{
    static const struct {
        const char *name;
        bool lan;
        struct packet_spec spec;
        uint8_t type, code;
    } rows[] = {
        {"no route from the LAN", true, {.to = "2001:db8:f::1", .payload = 9}, UNREACHABLE, 0},
        {"no route from the VPC", false, {.to = "2001:db8:f::1", .payload = 9}, UNREACHABLE, 0},
        {"hop limit in the LAN", true, {.ttl = 1, .payload = 9}, TIME_EXCEEDED, 0},
        {"hop limit in the VPC", false, {.ttl = 1, .payload = 9}, TIME_EXCEEDED, 0},
        {"too big from the LAN", true, {.payload = 1500}, TOO_BIG, 0},
        {"too big from the VPC", false, {.payload = 1500}, TOO_BIG, 0},
    };
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        const s2svpn_address lan = rig_address("2001:db8:b::1"),
                             vpc = rig_address("2001:db8:a:1::1");
        const uint32_t mtu = rig_tunnel(rig.site, 0).mtu;

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct rig_side *side = rows[i].lan ? &rig.device : &rig.gateway;
            const char *from = rows[i].lan ? LAN_HOST : INSTANCE;
            const char *to = rows[i].lan ? INSTANCE : LAN_HOST;
            struct rig_item *item;

            send(&rig, side, rows[i].spec);
            CHECK_ROW(rows[i].name, side->inside.count == 1 && side->outside.count == 0);
            item = rig_take(&side->inside);
            if (item == NULL)
                continue;
            CHECK_ROW(rows[i].name, is_error(item, rows[i].lan ? &lan : &vpc, from, rows[i].type,
                                             rows[i].code, rows[i].type == TOO_BIG ? mtu : 0,
                                             rows[i].spec.to ? rows[i].spec.to : to));
            rig_item_free(item);
        }
    }
    rig_close(&rig);
}

/* A LAN where we have no address: the tunnel's end tells of its MTU. */
static void a_lan_without_our_address_is_told_too_big_all_the_same(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        const s2svpn_tunnel_info info = rig_tunnel(rig.site, 0);
        struct rig_item *item;

        memset(&rig.device.port->ipv6_router, 0, sizeof(rig.device.port->ipv6_router));
        send(&rig, &rig.device, (struct packet_spec){.payload = 1500});
        item = rig_take(&rig.device.inside);
        CU_ASSERT_PTR_NOT_NULL_FATAL(item);
        CU_ASSERT_TRUE(
            is_error(item, &info.inside_local, LAN_HOST, TOO_BIG, 0, info.mtu, INSTANCE));
        rig_item_free(item);
        /* The packet that it was told of arrives. */
        const size_t payload = info.mtu - 48u;
        send(&rig, &rig.device, (struct packet_spec){.payload = payload});
        rig_pump(&rig);
        CU_ASSERT_TRUE(came_out(&rig.gateway, true, (struct packet_spec){.payload = payload}));
    }
    rig_close(&rig);
}

static void errors_go_back_into_the_tunnel(void)
{
    static const struct {
        const char *name, *to;
        uint8_t ttl, type;
    } rows[] = {
        {"time exceeded", INSTANCE, 2, TIME_EXCEEDED}, /* 1 in the tunnel */
        {"nobody has the address", "2001:db8:a:1::11", 64, UNREACHABLE},
    };
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        const s2svpn_tunnel_info info = rig_tunnel(rig.cloud, 0);

        for (size_t i = 0; i < 2; i++) {
            struct rig_item *item;

            send(&rig, &rig.device,
                 (struct packet_spec){.to = rows[i].to, .ttl = rows[i].ttl, .payload = 50});
            rig_pump(&rig);
            item = rig_take(&rig.device.inside);
            CHECK_ROW(rows[i].name, item != NULL && rig.gateway.inside.count == 0);
            if (item == NULL)
                continue;
            CHECK_ROW(rows[i].name,
                      is_error(item, &info.inside_local, LAN_HOST, rows[i].type, 0, 0, rows[i].to));
            rig_item_free(item);
        }
    }
    rig_close(&rig);
}

/* IPv6 promises 1280 bytes: a narrower tunnel lets the outside packet be cut. */
static void no_one_is_told_less_than_1280(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        atomic_store(&s2svpn_connection_tunnel(rig.site, 0)->mtu, 1000);
        send(&rig, &rig.device, (struct packet_spec){.payload = 1280 - 48});
        rig_pump(&rig);
        CU_ASSERT_TRUE(came_out(&rig.gateway, true, (struct packet_spec){.payload = 1280 - 48}));
        send(&rig, &rig.device, (struct packet_spec){.payload = 1281 - 48});
        CU_ASSERT_EQUAL(rig.device.inside.count, 1);
        CU_ASSERT_EQUAL(packet_get32(rig.device.inside.first->data + 44), 1280);
    }
    rig_close(&rig);
}

static void syns_are_clamped_by_60(void)
{
    static struct rig rig;

    for (unsigned lan = 0; lan < 2; lan++) {
        if (rig_up(&rig, &bgp)) {
            struct rig_side *from = lan ? &rig.device : &rig.gateway;
            struct rig_item *item;

            send(&rig, from, (struct packet_spec){.protocol = 6, .flags = TCP_SYN, .mss = 1440});
            rig_pump(&rig);
            item = rig_take(&from->peer->inside);
            CU_ASSERT_PTR_NOT_NULL_FATAL(item);
            CU_ASSERT_TRUE(packet_right(item->data, item->len));
            CU_ASSERT_EQUAL(packet_mss(item->data, item->len), rig_tunnel(rig.site, 0).mtu - 60);
            rig_item_free(item);
        }
        rig_close(&rig);
    }
}

/* A superpacket of TCP over IPv6: cut on its way in, joined again on its way out. */
static void superpackets_cross_whole(void)
{
    const struct packet_spec spec = {.protocol = 6, .payload = 20000, .no_checksum = true};
    static uint8_t p[PACKET_ROOM];
    static struct rig rig;
    s2svpn_packet packet = {.data = p,
                            .gso_type = S2SVPN_GSO_TCPV6,
                            .hdr_len = 60,
                            .gso_size = 1300,
                            .needs_checksum = true,
                            .csum_start = 40,
                            .csum_offset = 16};

    if (rig_up(&rig, &bgp)) {
        size_t at = 0;

        packet.len = (uint32_t)write_ipv6(p, true, spec);
        rig_send_packets(&rig.device, s2svpn_port_number(rig.device.port), &packet, 1);
        rig_pump(&rig);
        for (struct rig_item *i; (i = rig_take(&rig.gateway.inside)) != NULL; rig_item_free(i)) {
            const size_t header = packet_header_len(i->data);

            CU_ASSERT_TRUE(i->packet.gso_type == S2SVPN_GSO_NONE ||
                           i->packet.gso_type == S2SVPN_GSO_TCPV6);
            CU_ASSERT_EQUAL(packet_get32(i->data + 44), at); /* its sequence number */
            CU_ASSERT_TRUE(at + i->len - header <= 20000 &&
                           memcmp(i->data + header, p + 60 + at, i->len - header) == 0);
            if (i->packet.gso_type == S2SVPN_GSO_NONE && !i->packet.needs_checksum)
                CU_ASSERT_TRUE(packet_right(i->data, i->len));
            at += i->len - header;
        }
        CU_ASSERT_EQUAL(at, 20000);
        CU_ASSERT_TRUE(rig_tunnel(rig.cloud, 0).packets_in > 15); /* it was cut */
    }
    rig_close(&rig);
}

/* ---- the in-tunnel host */

static void pings_of_the_inside_are_answered(void)
{
    static uint8_t p[PACKET_ROOM];
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        const s2svpn_tunnel_info info = rig_tunnel(rig.cloud, 0);
        char from[S2SVPN_ADDRESS_TEXT], to[S2SVPN_ADDRESS_TEXT];
        const struct packet_spec spec = {.from = s2svpn_address_print(&info.inside_remote, from),
                                         .to = s2svpn_address_print(&info.inside_local, to),
                                         .protocol = ICMPV6,
                                         .id = 7,
                                         .payload = 100};
        struct s2_host_counters counters;

        seal_deliver(&rig, &rig.device, p, packet_write(p, &spec), 41, 0);
        CU_ASSERT_EQUAL(rig.gateway.outside.count, 1);
        rig_pump(&rig);
        s2_host_get_counters(s2svpn_connection_tunnel(rig.cloud, 0)->host, &counters);
        CU_ASSERT_EQUAL(counters.echo_requests, 1);
        s2_host_get_counters(s2svpn_connection_tunnel(rig.site, 0)->host, &counters);
        CU_ASSERT_EQUAL(counters.echo_replies, 1);
    }
    rig_close(&rig);
}

/* A peer whose system takes the tunnel for an Ethernet. */
static void a_neighbour_solicitation_reaches_the_host(void)
{
    static uint8_t p[PACKET_ROOM];
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        const s2svpn_tunnel_info info = rig_tunnel(rig.cloud, 0);
        s2svpn_address group = rig_address("ff02::1:ff00:0");
        char from[S2SVPN_ADDRESS_TEXT], to[S2SVPN_ADDRESS_TEXT];
        const uint64_t before = drops(&rig.device, S2SVPN_DROP_INNER_SOURCE);

        memcpy(group.bytes + 13, info.inside_local.bytes + 13, 3);
        const struct packet_spec spec = {.from = s2svpn_address_print(&info.inside_remote, from),
                                         .to = s2svpn_address_print(&group, to),
                                         .protocol = ICMPV6,
                                         .ttl = 255,
                                         .payload = 16};
        const size_t len = packet_write(p, &spec);
        uint32_t sum = packet_get16(p + 42);

        /* Make of the echo request a solicitation: what changes goes off the checksum. */
        for (size_t i = 0; i < 8; i++) {
            sum += packet_get16(p + 48 + 2 * i);
            sum += 0xffffu & ~(uint32_t)packet_get16(info.inside_local.bytes + 2 * i);
        }
        sum += 0xffffu & ~UINT32_C(0x0700); /* 128 to 135 */
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        p[40] = 135;
        memcpy(p + 48, info.inside_local.bytes, 16);
        packet_put16(p + 42, (uint16_t)sum);
        CU_ASSERT_TRUE(packet_right(p, len));
        seal_deliver(&rig, &rig.device, p, len, 41, 0);
        CU_ASSERT_EQUAL(rig.gateway.outside.count, 1);
        rig_pump(&rig);
        CU_ASSERT_EQUAL(drops(&rig.device, S2SVPN_DROP_INNER_SOURCE), before);
    }
    rig_close(&rig);
}

/* ---- BGP's life, as with IPv4 */

static size_t find_route(const struct rig *rig, const char *prefix, s2svpn_route *out)
{
    const s2svpn_prefix wanted = rig_prefix(prefix);
    s2svpn_route routes[32];
    const size_t n = s2svpn_route_table_list(rig->table, routes, 32);

    for (size_t i = 0; i < n && i < 32; i++) {
        if (s2_prefix_equal(&routes[i].prefix, &wanted)) {
            *out = routes[i];
            return n;
        }
    }
    return 0;
}

static void routes_are_propagated_and_withdrawn(void)
{
    static const struct rig_plan *const plans[] = {&bgp, &static_routes};
    static struct rig rig;

    for (size_t k = 0; k < 2; k++) {
        if (rig_up(&rig, plans[k])) {
            const s2svpn_address host = rig_address(LAN_HOST);
            s2svpn_route route;

            CU_ASSERT_EQUAL(find_route(&rig, "2001:db8:b::/48", &route), 3); /* two local */
            CU_ASSERT_EQUAL(route.origin, S2SVPN_ORIGIN_PROPAGATED);
            CU_ASSERT_TRUE(route.usable);
            CU_ASSERT_EQUAL(find_route(&rig, "2001:db8:a::/56", &route), 3);
            CU_ASSERT_EQUAL(route.target, S2SVPN_TARGET_LOCAL);
            CU_ASSERT_EQUAL(s2svpn_route_table_lookup(rig.table, &host, &route), S2SVPN_OK);
            CU_ASSERT_EQUAL(route.prefix.length, 48);
            if (!plans[k]->static_routes) {
                CU_ASSERT_EQUAL(s2svpn_port_delete(rig.device.port), S2SVPN_OK);
            } else {
                const s2svpn_prefix lan = rig_prefix("2001:db8:b::/48");
                CU_ASSERT_EQUAL(s2svpn_connection_remove_static_route(rig.cloud, &lan), S2SVPN_OK);
            }
            rig_run(&rig, 2 * RIG_SECOND);
            CU_ASSERT_EQUAL(find_route(&rig, "2001:db8:b::/48", &route), 0);
            send(&rig, &rig.gateway, (struct packet_spec){.payload = 9});
            CU_ASSERT_EQUAL(drops(&rig.gateway, S2SVPN_DROP_NO_ROUTE), 1);
        }
        rig_close(&rig);
    }
}

/* The session ends and comes back: what is announced again stays. */
static void a_session_that_is_reset_keeps_its_entry(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        s2svpn_route route;

        for (size_t i = 0; i < 2; i++)
            CU_ASSERT_EQUAL(s2svpn_tunnel_reset(s2svpn_connection_tunnel(rig.site, i)), S2SVPN_OK);
        rig_pump(&rig);
        CU_ASSERT_TRUE(find_route(&rig, "2001:db8:b::/48", &route) > 0);
        CU_ASSERT_FALSE(route.usable);
        for (size_t i = 0; i < 60 && !rig_both_up(&rig); i++)
            rig_run(&rig, RIG_SECOND);
        rig_run(&rig, 2 * RIG_SECOND);
        CU_ASSERT_TRUE(find_route(&rig, "2001:db8:b::/48", &route) > 0);
        CU_ASSERT_TRUE(route.usable);
        CU_ASSERT_TRUE(crosses(&rig));
    }
    rig_close(&rig);
}

const CU_TestInfo s2_test_ipv6[] = {
    {"both ends agree on everything IPv6", both_ends_agree_on_everything_ipv6},
    {"a tunnel that is cut gives way to the other", a_tunnel_that_is_cut_gives_way_to_the_other},
    {"narrower networks are selectors", narrower_networks_are_selectors},
    {"IPv4 does not flow in it", ipv4_does_not_flow_in_it},
    {"sources without a route and addresses of a link are refused",
     sources_without_a_route_and_addresses_of_a_link_are_refused},
    {"chatter of the LAN stays there", chatter_of_the_lan_stays_there},
    {"the router tells its own side", the_router_tells_its_own_side},
    {"a LAN without our address is told too big all the same",
     a_lan_without_our_address_is_told_too_big_all_the_same},
    {"errors go back into the tunnel", errors_go_back_into_the_tunnel},
    {"no one is told less than 1280", no_one_is_told_less_than_1280},
    {"SYNs are clamped by 60", syns_are_clamped_by_60},
    {"superpackets cross whole", superpackets_cross_whole},
    {"pings of the inside are answered", pings_of_the_inside_are_answered},
    {"a neighbour solicitation reaches the host", a_neighbour_solicitation_reaches_the_host},
    {"routes are propagated and withdrawn", routes_are_propagated_and_withdrawn},
    {"a session that is reset keeps its entry", a_session_that_is_reset_keeps_its_entry},
    CU_TEST_INFO_NULL,
};
