/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn: inner packets at the tunnel's ends: marks, the don't-fragment bit, ICMP errors
 * on both sides of a tunnel, traffic flow padding, fragments for the in-tunnel host. */
#include <string.h>

#include "harness.h"
#include "vpn/other_site.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/seal.h"
#include "vpn/vpn.h"

static const struct rig_plan static_routes = {.static_routes = true};

enum { HONOURS = 0, CLEARS = 1 };

static void send(struct rig_side *side, const struct packet_spec *spec)
{
    static uint8_t p[PACKET_ROOM];

    rig_send(side, p, packet_write(p, spec));
}

static uint64_t drops(const struct rig_side *side, enum s2svpn_drop reason)
{
    return s2svpn_context_drops(side->ctx, reason);
}

static uint64_t all_drops(const struct rig *rig)
{
    uint64_t n = 0;

    for (unsigned i = 1; i < S2SVPN_DROP_COUNT; i++)
        n += drops(&rig->gateway, (enum s2svpn_drop)i) + drops(&rig->device, (enum s2svpn_drop)i);
    return n;
}

/* ---- marks */

static void every_tos_is_copied_outside_and_arrives(void)
{
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        for (unsigned tos = 0; tos < 256; tos++) {
            const struct packet_spec spec = {.tos = (uint8_t)tos, .payload = 40};
            struct rig_item *item;

            send(&rig.device, &spec);
            CU_ASSERT_PTR_NOT_NULL_FATAL(rig.device.outside.first);
            CU_ASSERT_EQUAL(rig.device.outside.first->datagram.tos, tos);
            rig_pump(&rig);
            item = rig_take(&rig.gateway.inside);
            CU_ASSERT_PTR_NOT_NULL_FATAL(item);
            CU_ASSERT_TRUE(item->data[1] == tos && packet_right(item->data, item->len));
            rig_item_free(item);
        }
    }
    rig_close(&rig);
}

/* A router on the way marks it. The whole table is inet/ecn's. */
static void a_mark_from_outside_goes_inside_or_ends_the_packet(void)
{
    static const struct {
        const char *name;
        uint8_t inner, outer, wanted;
        bool lost;
    } rows[] = {
        {"capable, marked", 0xba, 0xbb, 0xbb, false},
        {"capable, another DSCP outside", 0xba, 0x03, 0xbb, false},
        {"capable, cleared on the way", 0xb9, 0xb8, 0xb9, false},
        {"marked before", 0xbb, 0xb8, 0xbb, false},
        {"not capable, marked", 0xb8, 0xbb, 0, true},
    };
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            const struct packet_spec spec = {.tos = rows[i].inner, .payload = 40};
            const uint64_t before = drops(&rig.gateway, S2SVPN_DROP_CONGESTION);
            const uint64_t all = all_drops(&rig);
            struct rig_item *item;

            send(&rig.device, &spec);
            item = rig_take(&rig.device.outside);
            CU_ASSERT_PTR_NOT_NULL_FATAL(item);
            item->datagram.tos = rows[i].outer;
            rig_deliver(&rig, &rig.gateway, item);
            rig_item_free(item);
            item = rig_take(&rig.gateway.inside);
            CHECK_ROW(rows[i].name, (item == NULL) == rows[i].lost);
            CHECK_ROW(rows[i].name,
                      drops(&rig.gateway, S2SVPN_DROP_CONGESTION) - before == rows[i].lost);
            CHECK_ROW(rows[i].name, all_drops(&rig) - all == rows[i].lost);
            if (item == NULL)
                continue;
            CHECK_ROW(rows[i].name, item->data[1] == rows[i].wanted);
            CHECK_ROW(rows[i].name, packet_right(item->data, item->len));
            rig_item_free(item);
        }
    }
    rig_close(&rig);
}

/* Packets of one call that are equal but for their mark: a train has one TOS. */
static void a_train_ends_where_the_mark_changes(void)
{
    static const uint8_t tos[] = {0, 0, 0, 3, 3, 0, 2, 2};
    static uint8_t bytes[8][200];
    s2svpn_packet p[8] = {{0}};
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        const struct rig_item *item;
        static const struct {
            uint8_t tos, count;
        } wanted[] = {{0, 3}, {3, 2}, {0, 1}, {2, 2}};
        size_t n = 0;

        for (size_t i = 0; i < 8; i++) {
            static uint8_t whole[PACKET_ROOM];
            const struct packet_spec spec = {.tos = tos[i], .payload = 100};

            p[i].len = (uint32_t)packet_write(whole, &spec);
            memcpy(bytes[i], whole, p[i].len);
            p[i].data = bytes[i];
        }
        rig_send_packets(&rig.device, s2svpn_port_number(rig.device.port), p, 8);
        for (item = rig.device.outside.first; item && n < 4; item = item->next, n++) {
            const size_t segment = item->datagram.segment ? item->datagram.segment : item->len;

            CU_ASSERT_EQUAL(item->datagram.tos, wanted[n].tos);
            CU_ASSERT_EQUAL(item->len, segment * wanted[n].count);
        }
        CU_ASSERT_TRUE(n == 4 && item == NULL);
    }
    rig_close(&rig);
}

/* ---- the don't-fragment bit; the gateway's end honours it or not */

static void long_packets_with_the_df_bit(void)
{
    static const struct {
        const char *name;
        uint8_t policy;
        bool dont_fragment, told;
    } rows[] = {
        {"honoured", HONOURS, true, true},
        {"honoured, without the bit", HONOURS, false, false},
        {"cleared", CLEARS, true, false},
        {"cleared, without the bit", CLEARS, false, false},
    };
    static struct rig rig;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct rig_plan plan = {.static_routes = true,
                                      .tunnel.dont_fragment = rows[i].policy};
        const char *name = rows[i].name;

        if (rig_up(&rig, &plan)) {
            const uint16_t mtu = rig_tunnel(rig.cloud, 0).mtu;
            const struct packet_spec spec = {.from = "10.0.1.10",
                                             .to = "192.168.10.20",
                                             .payload = mtu - 28 + 1,
                                             .dont_fragment = rows[i].dont_fragment};
            struct rig_item *item;

            send(&rig.gateway, &spec);
            rig_pump(&rig);
            CHECK_ROW(name, rig.device.inside.count == (rows[i].told ? 0 : 2));
            CHECK_ROW(name, drops(&rig.gateway, S2SVPN_DROP_TOO_BIG) == rows[i].told);
            item = rig_take(&rig.gateway.inside);
            CHECK_ROW(name, (item != NULL) == rows[i].told);
            if (item) { /* RFC 1191 section 4 */
                CHECK_ROW(name, packet_right(item->data, item->len));
                CHECK_ROW(name, packet_get32(item->data + 12) == 0x0a000101); /* the router */
                CHECK_ROW(name, packet_get32(item->data + 16) == 0x0a00010a);
                CHECK_ROW(name, item->data[20] == 3 && item->data[21] == 4);
                CHECK_ROW(name, packet_get16(item->data + 26) == mtu);
                CHECK_ROW(name, packet_get32(item->data + 28 + 16) == 0xc0a80a14);
                rig_item_free(item);
            }
            CHECK_ROW(name, rig.gateway.inside.count == 0);
        }
        rig_close(&rig);
    }
}

static void a_packet_that_just_fits_is_not_told_of(void)
{
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        const struct packet_spec spec = {.from = "10.0.1.10",
                                         .to = "192.168.10.20",
                                         .payload = rig_tunnel(rig.cloud, 0).mtu - 28u,
                                         .dont_fragment = true};

        send(&rig.gateway, &spec);
        rig_pump(&rig);
        CU_ASSERT_EQUAL(rig.device.inside.count, 1);
        CU_ASSERT_EQUAL(rig.gateway.inside.count, 0);
    }
    rig_close(&rig);
}

/* Out of one tunnel and too long for the next: the error goes back into the first. */
static void too_big_goes_back_into_the_tunnel_it_came_from(void)
{
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        s2svpn_connection *other = other_site_open(&rig, "172.31.0.0/16");
        const struct packet_spec spec = {
            .to = "172.31.0.1", .payload = 1300, .dont_fragment = true};
        static uint8_t p[PACKET_ROOM];
        const s2svpn_tunnel_info info = rig_tunnel(rig.cloud, 0);
        struct rig_item *item;

        atomic_store(&s2svpn_connection_tunnel(other, 0)->mtu, 1000);
        seal_deliver(&rig, &rig.device, p, packet_write(p, &spec), 4, 0);
        rig_pump(&rig);
        item = rig_take(&rig.device.inside);
        CU_ASSERT_PTR_NOT_NULL_FATAL(item);
        CU_ASSERT_TRUE(packet_right(item->data, item->len));
        CU_ASSERT_TRUE(memcmp(item->data + 12, info.inside_local.bytes, 4) == 0);
        CU_ASSERT_EQUAL(packet_get32(item->data + 16), 0xc0a80a14);
        CU_ASSERT_TRUE(item->data[20] == 3 && item->data[21] == 4);
        CU_ASSERT_EQUAL(packet_get16(item->data + 26), 1000);
        rig_item_free(item);
        other_site_close(&rig, other, "172.31.0.0/16");
    }
    rig_close(&rig);
}

/* ---- time exceeded and unreachable, back into the tunnel */

static void errors_go_back_into_the_tunnel(void)
{
    static const struct {
        const char *name, *to;
        uint8_t ttl, type;
    } rows[] = {
        {"time exceeded", "10.0.1.10", 2, 11}, /* 1 in the tunnel */
        {"nobody has the address", "10.0.2.2", 64, 3},
        {"no route", "8.8.8.8", 64, 3},
    };
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        const s2svpn_prefix all = rig_prefix("8.0.0.0/8");
        const s2svpn_tunnel_info info = rig_tunnel(rig.cloud, 0);

        CU_ASSERT_EQUAL(
            s2_fib_set(rig.device.ctx->device->fib, &all,
                       s2_target_make(s2svpn_connection_tunnel(rig.site, 0), S2_TARGET_TUNNEL)),
            S2SVPN_OK);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            const struct packet_spec spec = {.to = rows[i].to, .ttl = rows[i].ttl, .payload = 50};
            struct rig_item *item;

            send(&rig.device, &spec);
            rig_pump(&rig);
            item = rig_take(&rig.device.inside);
            CHECK_ROW(rows[i].name, item != NULL);
            if (item == NULL)
                continue;
            CHECK_ROW(rows[i].name, packet_right(item->data, item->len));
            CHECK_ROW(rows[i].name, memcmp(item->data + 12, info.inside_local.bytes, 4) == 0);
            CHECK_ROW(rows[i].name, packet_get32(item->data + 16) == 0xc0a80a14);
            CHECK_ROW(rows[i].name, item->data[20] == rows[i].type);
            CHECK_ROW(rows[i].name, packet_get32(item->data + 28 + 12) == 0xc0a80a14);
            rig_item_free(item);
            CHECK_ROW(rows[i].name, rig.gateway.inside.count == 0);
        }
        s2_fib_unset(rig.device.ctx->device->fib, &all);
    }
    rig_close(&rig);
}

/* One rate for both directions, and no answer to who has no business here. */
static void errors_into_the_tunnel_have_a_rate_and_a_reader(void)
{
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        const struct packet_spec nobody = {.to = "10.0.2.2", .payload = 50};
        const struct packet_spec stranger = {.from = "172.16.0.1", .to = "10.0.2.2", .payload = 50};

        for (size_t i = 0; i < 300; i++) {
            send(&rig.device, &nobody);
            rig_pump(&rig);
        }
        CU_ASSERT_TRUE(rig.device.inside.count >= 100 && rig.device.inside.count <= 101);
        rig_drop_all(&rig.device.inside);
        rig.now_ns += 60 * RIG_SECOND;
        send(&rig.device, &stranger);
        rig_pump(&rig);
        CU_ASSERT_EQUAL(rig.device.inside.count, 0);
        CU_ASSERT_EQUAL(drops(&rig.gateway, S2SVPN_DROP_INNER_SOURCE), 1);
    }
    rig_close(&rig);
}

/* ---- what is behind the inner packet */

static void traffic_flow_padding_is_cut_off(void)
{
    static const size_t padding[] = {1, 7, 64, 1000};
    static struct rig rig;
    static uint8_t p[PACKET_ROOM];

    if (rig_up(&rig, &static_routes)) {
        const struct packet_spec spec = {.payload = 60};
        const uint64_t before = all_drops(&rig);

        for (size_t i = 0; i < sizeof(padding) / sizeof(padding[0]); i++) {
            const size_t len = packet_write(p, &spec);
            struct rig_item *item;

            memset(p + len, 0xa5, padding[i]);
            seal_deliver(&rig, &rig.device, p, len + padding[i], 4, 0);
            item = rig_take(&rig.gateway.inside);
            CU_ASSERT_PTR_NOT_NULL_FATAL(item);
            CU_ASSERT_EQUAL(item->len, len);
            CU_ASSERT_TRUE(packet_right(item->data, item->len));
            rig_item_free(item);
        }
        CU_ASSERT_EQUAL(all_drops(&rig), before);
        /* a dummy has no packet at all, and counts as a sign of life */
        const uint64_t last = rig_tunnel(rig.cloud, 0).last_in_ns;
        const uint64_t dummies = drops(&rig.gateway, S2SVPN_DROP_ESP_DUMMY);
        rig.now_ns += RIG_SECOND;
        seal_deliver(&rig, &rig.device, p, 100, 59, 0);
        CU_ASSERT_EQUAL(rig.gateway.inside.count, 0);
        CU_ASSERT_EQUAL(drops(&rig.gateway, S2SVPN_DROP_ESP_DUMMY), dummies + 1);
        CU_ASSERT_TRUE(rig_tunnel(rig.cloud, 0).last_in_ns > last);
    }
    rig_close(&rig);
}

/* ---- fragments for the in-tunnel host */

/* A ping from the device's end to the gateway's, in pieces of this size. */
static size_t ping_in_pieces(struct rig *rig, size_t step, bool overlap)
{
    const s2svpn_tunnel_info info = rig_tunnel(rig->cloud, 0);
    char from[S2SVPN_ADDRESS_TEXT], to[S2SVPN_ADDRESS_TEXT];
    const struct packet_spec spec = {.from = s2svpn_address_print(&info.inside_remote, from),
                                     .to = s2svpn_address_print(&info.inside_local, to),
                                     .protocol = 1,
                                     .id = 77,
                                     .payload = 3000};
    static uint8_t p[PACKET_ROOM], f[2000];
    const size_t len = packet_write(p, &spec);
    size_t n = 0;

    for (size_t at = 0; at < len - 20; at += step, n++) {
        const bool more = len - 20 - at > step;
        const size_t here = more ? step + (overlap ? 8 : 0) : len - 20 - at;

        memcpy(f, p, 20);
        memcpy(f + 20, p + 20 + at, here);
        if (overlap)
            f[20] ^= 1;
        packet_put16(f + 2, (uint16_t)(20 + here));
        packet_put16(f + 6, (uint16_t)((more ? 0x2000 : 0) | at / 8));
        packet_fix_ip(f);
        seal_deliver(rig, &rig->device, f, 20 + here, 4, 0);
    }
    return n;
}

static void a_long_ping_to_the_inside_is_answered(void)
{
    static const size_t steps[] = {1400, 1000, 504};
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        const uint64_t before = all_drops(&rig);

        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
            size_t bytes = 0;

            CU_ASSERT_TRUE(ping_in_pieces(&rig, steps[i], false) >= 3);
            for (const struct rig_item *d = rig.gateway.outside.first; d; d = d->next)
                bytes += d->len;
            CU_ASSERT_TRUE(bytes > 3028); /* the answer, cut and sealed */
            rig_pump(&rig);
        }
        CU_ASSERT_EQUAL(all_drops(&rig), before);
        CU_ASSERT_PTR_NULL(s2svpn_connection_tunnel(rig.cloud, 0)->fragments);
    }
    rig_close(&rig);
}

static void inner_fragments_that_overlap_are_refused(void)
{
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        const s2svpn_tunnel *t = s2svpn_connection_tunnel(rig.cloud, 0);
        const size_t n = ping_in_pieces(&rig, 1000, true);

        CU_ASSERT_EQUAL(rig.gateway.outside.count, 0);
        CU_ASSERT_EQUAL(drops(&rig.gateway, S2SVPN_DROP_REASSEMBLY), n - 1);
        CU_ASSERT_PTR_NOT_NULL(t->fragments);
        rig_run(&rig, 61 * RIG_SECOND);
        CU_ASSERT_PTR_NULL(t->fragments);
        ping_in_pieces(&rig, 1000, false);
        CU_ASSERT_TRUE(rig.gateway.outside.count > 0);
    }
    rig_close(&rig);
}

/* Fragments that go on are passed as they are. */
static void fragments_for_others_are_not_put_together(void)
{
    static struct rig rig;
    static uint8_t p[PACKET_ROOM];

    if (rig_up(&rig, &static_routes)) {
        const struct packet_spec spec = {.protocol = 1, .payload = 800};
        const size_t len = packet_write(p, &spec);
        const struct rig_item *item;

        packet_put16(p + 6, 0x2000 | 100);
        packet_fix_ip(p);
        seal_deliver(&rig, &rig.device, p, len, 4, 0);
        item = rig.gateway.inside.first;
        CU_ASSERT_PTR_NOT_NULL_FATAL(item);
        CU_ASSERT_EQUAL(packet_get16(item->data + 6), 0x2000 | 100);
    }
    rig_close(&rig);
}

/* CVE-2022-34718, Windows: IPv6 fragments inside of ESP whose lengths lie wrote behind the
 * packet when they were put together. Here: every lie in every field, both families, to
 * the in-tunnel host and to the VPC, in memory of exactly their size. */
static void cve_2022_34718_lying_fragments_do_no_harm(void)
{
    static const uint8_t lies[] = {0x00, 0x01, 0x07, 0x08, 0x3b, 0x7f, 0x80, 0xf8, 0xff};
    static struct rig rig;
    static uint8_t p[2][48 + 64];

    if (rig_up(&rig, &static_routes)) {
        const s2svpn_tunnel_info info = rig_tunnel(rig.cloud, 0);

        p[0][0] = 0x45;
        p[0][3] = sizeof(p[0]);
        p[0][6] = 0x20;
        p[0][8] = 64;
        p[0][9] = 1;
        memcpy(p[0] + 12, info.inside_remote.bytes, 4);
        memcpy(p[0] + 16, info.inside_local.bytes, 4);
        p[1][0] = 0x60;
        p[1][5] = sizeof(p[1]) - 40;
        p[1][6] = 44;
        p[1][7] = 64;
        p[1][8] = p[1][24] = 0xfd;
        p[1][40] = 58;
        p[1][43] = 1;
        for (size_t family = 0; family < 2; family++) {
            for (size_t at = 0; at < 48; at++) {
                for (size_t k = 0; k < sizeof(lies); k++) {
                    uint8_t packet[sizeof(p[0])];

                    memcpy(packet, p[family], sizeof(packet));
                    packet[at] = lies[k];
                    if (family == 0 && packet[0] == 0x45)
                        packet_fix_ip(packet);
                    seal_deliver(&rig, &rig.device, packet, sizeof(packet), family ? 41 : 4, 0);
                }
            }
        }
        rig_run(&rig, 61 * RIG_SECOND);
        ping_in_pieces(&rig, 1000, false);
        CU_ASSERT_TRUE(rig.gateway.outside.count > 0);
    }
    rig_close(&rig);
}

const CU_TestInfo s2_test_inner[] = {
    {"every TOS is copied outside and arrives", every_tos_is_copied_outside_and_arrives},
    {"a mark from outside goes inside or ends the packet",
     a_mark_from_outside_goes_inside_or_ends_the_packet},
    {"a train ends where the mark changes", a_train_ends_where_the_mark_changes},
    {"long packets with the DF bit are told of or cut", long_packets_with_the_df_bit},
    {"a packet that just fits is not told of", a_packet_that_just_fits_is_not_told_of},
    {"too big goes back into the tunnel it came from",
     too_big_goes_back_into_the_tunnel_it_came_from},
    {"errors go back into the tunnel", errors_go_back_into_the_tunnel},
    {"errors into the tunnel have a rate and a reader",
     errors_into_the_tunnel_have_a_rate_and_a_reader},
    {"traffic flow padding is cut off", traffic_flow_padding_is_cut_off},
    {"a long ping to the inside is answered", a_long_ping_to_the_inside_is_answered},
    {"inner fragments that overlap are refused", inner_fragments_that_overlap_are_refused},
    {"fragments for others are not put together", fragments_for_others_are_not_put_together},
    {"CVE-2022-34718: lying fragments do no harm", cve_2022_34718_lying_fragments_do_no_harm},
    CU_TEST_INFO_NULL,
};
