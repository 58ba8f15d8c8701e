/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/outbound.c: what is longer than the tunnel bears. SYNs are clamped, with
 * whole checksums and with those that were left to us; the rest is cut before it is
 * encrypted. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

static const struct rig_plan static_routes = {.static_routes = true};

static void send_packet(struct rig *rig, const struct packet_spec *spec, bool needs_checksum)
{
    static uint8_t p[PACKET_ROOM];
    s2svpn_packet packet = {.data = p, .needs_checksum = needs_checksum};
    const size_t ip = spec->from && strchr(spec->from, ':') ? 40 : 20;

    packet.csum_start = (uint16_t)ip;
    packet.csum_offset = spec->protocol == 6 ? 16 : 6;
    packet.len = (uint32_t)packet_write(p, spec);
    rig_send_packets(&rig->device, s2svpn_port_number(rig->device.port), &packet, 1);
    rig_pump(rig);
}

/* ---- MSS */

static const struct {
    const char *name;
    struct packet_spec spec;
    bool needs_checksum;
    uint16_t wanted; /* 0: the tunnel's */
} clamp_rows[] = {
    {"a SYN", {.protocol = 6, .flags = TCP_SYN, .mss = 1460}, false, 0},
    {"a SYN whose checksum is left to us",
     {.protocol = 6, .flags = TCP_SYN, .mss = 1460, .no_checksum = true},
     true,
     0},
    {"a SYN with the option at an odd offset",
     {.protocol = 6, .flags = TCP_SYN, .mss = 1460, .mss_at_odd = true},
     false,
     0},
    {"the same, its checksum left to us",
     {.protocol = 6, .flags = TCP_SYN, .mss = 1460, .mss_at_odd = true, .no_checksum = true},
     true,
     0},
    {"a SYN with data", {.protocol = 6, .flags = TCP_SYN, .mss = 9000, .payload = 100}, false, 0},
    {"a SYN with data, its checksum left to us",
     {.protocol = 6, .flags = TCP_SYN, .mss = 9000, .payload = 101, .no_checksum = true},
     true,
     0},
    {"a SYN ACK", {.protocol = 6, .flags = TCP_SYN | TCP_ACK, .mss = 1460}, false, 0},
    {"a small MSS", {.protocol = 6, .flags = TCP_SYN, .mss = 1000}, false, 1000},
    {"a small MSS, its checksum left to us",
     {.protocol = 6, .flags = TCP_SYN, .mss = 1000, .no_checksum = true},
     true,
     1000},
    {"an ACK", {.protocol = 6, .flags = TCP_ACK, .mss = 1460}, false, 1460},
};

static void syns_are_clamped_with_right_checksums(void)
{
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        const s2svpn_tunnel_info info = rig_tunnel(rig.site, 0);

        CU_ASSERT_EQUAL(info.mss, info.mtu - 40);
        for (size_t i = 0; i < sizeof(clamp_rows) / sizeof(clamp_rows[0]); i++) {
            const uint16_t wanted = clamp_rows[i].wanted ? clamp_rows[i].wanted : info.mss;
            struct rig_item *item;

            send_packet(&rig, &clamp_rows[i].spec, clamp_rows[i].needs_checksum);
            item = rig_take(&rig.gateway.inside);
            CHECK_ROW(clamp_rows[i].name, item != NULL);
            if (item == NULL)
                continue;
            CHECK_ROW(clamp_rows[i].name, !item->packet.needs_checksum);
            CHECK_ROW(clamp_rows[i].name, packet_right(item->data, item->len));
            CHECK_ROW(clamp_rows[i].name, packet_mss(item->data, item->len) == wanted);
            rig_item_free(item);
        }
    }
    rig_close(&rig);
}

/* AWS.md's figures for the outside MTU of 1500; the tunnel's are those of its cipher. */
static void the_clamp_follows_the_path(void)
{
    const struct packet_spec syn = {.protocol = 6, .flags = TCP_SYN, .mss = 1460};
    static struct rig rig;
    struct rig_item *item;

    if (rig_up(&rig, &static_routes)) {
        const s2svpn_tunnel_info before = rig_tunnel(rig.site, 0);

        s2svpn_receive_outside_error(rig.device.ctx, &before.local, &before.remote,
                                     S2SVPN_IO_TOO_BIG, 1400, rig.now_ns);
        const uint16_t mss = rig_tunnel(rig.site, 0).mss;
        CU_ASSERT_TRUE(mss < before.mss && mss >= before.mss - 116);
        send_packet(&rig, &syn, false);
        item = rig_take(&rig.gateway.inside);
        CU_ASSERT_PTR_NOT_NULL_FATAL(item);
        CU_ASSERT_EQUAL(packet_mss(item->data, item->len), mss);
        rig_item_free(item);
    }
    rig_close(&rig);
}

/* Anyone can forge one. */
static void hints_out_of_bounds_are_ignored(void)
{
    static const uint32_t mtu[] = {0, 68, 575, 1500, 9000, UINT32_MAX};
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        const s2svpn_tunnel_info info = rig_tunnel(rig.site, 0);
        const s2svpn_endpoint stranger = {.address = rig_address("192.0.2.200"), .port = 500};

        for (size_t i = 0; i < sizeof(mtu) / sizeof(mtu[0]); i++)
            s2svpn_receive_outside_error(rig.device.ctx, &info.local, &info.remote,
                                         S2SVPN_IO_TOO_BIG, mtu[i], rig.now_ns);
        s2svpn_receive_outside_error(rig.device.ctx, &info.local, &stranger, S2SVPN_IO_TOO_BIG,
                                     1000, rig.now_ns);
        CU_ASSERT_EQUAL(rig_tunnel(rig.site, 0).mtu, info.mtu);
        s2svpn_receive_outside_error(rig.device.ctx, &info.local, &info.remote,
                                     S2SVPN_IO_UNREACHABLE, 0, rig.now_ns);
        rig_run(&rig, 5 * RIG_SECOND); /* the peer answers a question: nothing happens */
        CU_ASSERT_TRUE(rig_both_up(&rig));
    }
    rig_close(&rig);
}

/* ---- fragments */

/* Put fragments together: the payload behind the IP headers. Returns its length, 0 if
 * one is missing or wrong, or longer than mtu. */
static size_t reassemble(struct rig_queue *queue, size_t mtu, uint8_t *out, size_t *count)
{
    struct rig_item *item;
    size_t end = 0, sum = 0;
    bool right = true;

    *count = 0;
    while ((item = rig_take(queue)) != NULL) {
        const uint16_t place = packet_get16(item->data + 6);
        const size_t at = (size_t)(place & 0x1fff) * 8, len = item->len - 20;

        right &=
            packet_right(item->data, item->len) && item->len <= mtu && item->packet.gso_type == 0;
        memcpy(out + at, item->data + 20, len);
        sum += len;
        if (!(place & 0x2000))
            end = at + len;
        (*count)++;
        rig_item_free(item);
    }
    return right && sum == end ? end : 0;
}

static void long_packets_arrive_in_fragments(void)
{
    static const struct {
        const char *name;
        struct packet_spec spec;
        bool needs_checksum;
    } rows[] = {
        {"UDP", {.payload = 3000, .id = 7}, false},
        {"UDP that asks not to be fragmented",
         {.payload = 3000, .id = 8, .dont_fragment = true},
         false},
        {"UDP, its checksum left to us", {.payload = 3001, .id = 9, .no_checksum = true}, true},
        {"TCP", {.protocol = 6, .payload = 2000, .id = 10}, false},
        {"TCP, its checksum left to us",
         {.protocol = 6, .payload = 2000, .id = 11, .no_checksum = true},
         true},
        {"one byte too long", {.payload = 0, .id = 12}, false},
        {"as long as can be", {.payload = 65507, .id = 13}, false},
    };
    static struct rig rig;
    static uint8_t sent[PACKET_ROOM], got[PACKET_ROOM];

    if (rig_up(&rig, &static_routes)) {
        const size_t mtu = rig_tunnel(rig.site, 0).mtu;

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct packet_spec spec = rows[i].spec;
            size_t len, fragments;

            if (spec.payload == 0)
                spec.payload = mtu - 28 + 1;
            send_packet(&rig, &spec, rows[i].needs_checksum);
            spec.no_checksum = false;
            len = packet_write(sent, &spec);
            CHECK_ROW(rows[i].name,
                      reassemble(&rig.gateway.inside, mtu, got, &fragments) == len - 20);
            CHECK_ROW(rows[i].name, fragments > 1);
            CHECK_ROW(rows[i].name, memcmp(sent + 20, got, len - 20) == 0);
        }
        CU_ASSERT_EQUAL(s2svpn_context_drops(rig.device.ctx, S2SVPN_DROP_NO_ROOM), 0);
    }
    rig_close(&rig);
}

static void a_packet_of_exactly_the_mtu_stays_whole(void)
{
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        const size_t mtu = rig_tunnel(rig.site, 0).mtu;
        const struct packet_spec spec = {.payload = mtu - 28};
        const struct rig_item *item;

        send_packet(&rig, &spec, false);
        CU_ASSERT_EQUAL(rig.gateway.inside.count, 1);
        item = rig.gateway.inside.first;
        CU_ASSERT_TRUE(item && item->len == mtu && packet_right(item->data, item->len));
    }
    rig_close(&rig);
}

/* Sealed, the longest packet fits the outside MTU to the last padding byte. */
static void the_mtu_is_the_longest_that_fits_outside(void)
{
    static const struct {
        const char *name;
        uint32_t encryption, integrity;
        bool raw;
    } rows[] = {
        {"AES-128-CBC, SHA-1", S2SVPN_AES128, S2SVPN_SHA1, false},
        {"AES-256-CBC, SHA-512", S2SVPN_AES256, S2SVPN_SHA2_512, false},
        {"AES-128-GCM", S2SVPN_AES128_GCM_16, S2SVPN_SHA2_256, false},
        {"AES-128-CBC, SHA-1, protocol 50", S2SVPN_AES128, S2SVPN_SHA1, true},
        {"AES-256-GCM, protocol 50", S2SVPN_AES256_GCM_16, S2SVPN_SHA2_384, true},
    };
    static struct rig rig;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct rig_plan plan = {.static_routes = true,
                                      .raw = rows[i].raw,
                                      .offers = S2SVPN_OFFERS_EXACT,
                                      .tunnel = {.phase2_encryption = rows[i].encryption,
                                                 .phase2_integrity = rows[i].integrity}};
        const size_t header = rows[i].raw ? 20 : 28;

        if (rig_up(&rig, &plan)) {
            const size_t mtu = rig_tunnel(rig.site, 0).mtu;
            const struct packet_spec spec = {.payload = mtu - 28};
            static uint8_t p[PACKET_ROOM];
            const size_t len = packet_write(p, &spec);

            rig_send(&rig.device, p, len);
            CHECK_ROW(rows[i].name, rig.device.outside.count == 1);
            if (rig.device.outside.first) {
                CHECK_ROW(rows[i].name, rig.device.outside.first->len + header <= 1500);
                CHECK_ROW(rows[i].name, rig.device.outside.first->len + header > 1500 - 16);
            }
        }
        rig_close(&rig);
    }
}

/* A sender of UDP superpackets doesn't know the tunnel's MTU. */
static void udp_superpackets_keep_their_parts(void)
{
    static const struct {
        const char *name;
        uint16_t gso_size;
        size_t parts;
    } rows[] = {{"parts that fit", 1000, 5}, {"parts that don't", 1472, 4}};
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        for (size_t r = 0; r < 2; r++) {
            const struct packet_spec spec = {.payload = 5000, .id = 100, .no_checksum = true};
            static uint8_t p[PACKET_ROOM], got[PACKET_ROOM];
            s2svpn_packet packet = {.data = p,
                                    .gso_type = S2SVPN_GSO_UDP_L4,
                                    .gso_size = rows[r].gso_size,
                                    .hdr_len = 28,
                                    .needs_checksum = true,
                                    .csum_start = 20,
                                    .csum_offset = 6};
            size_t parts = 0, payload = 0;

            packet.len = (uint32_t)packet_write(p, &spec);
            rig_send_packets(&rig.device, s2svpn_port_number(rig.device.port), &packet, 1);
            rig_pump(&rig);
            while (rig.gateway.inside.count > 0) { /* each part: whole, or its fragments */
                struct rig_queue one = {NULL, &one.first, 0};
                struct rig_item *item;
                size_t count;
                bool more;

                do {
                    item = rig_take(&rig.gateway.inside);
                    item->next = NULL;
                    *one.last = item;
                    one.last = &item->next;
                    one.count++;
                    more = packet_get16(item->data + 6) & 0x2000;
                } while (more && rig.gateway.inside.count > 0);
                const size_t len = reassemble(&one, 1500, got, &count);
                CHECK_ROW(rows[r].name, len == packet_get16(got + 4));
                CHECK_ROW(rows[r].name, memcmp(got + 8, p + 28 + payload, len - 8) == 0);
                payload += len - 8;
                parts++;
            }
            CHECK_ROW(rows[r].name, parts == rows[r].parts && payload == 5000);
        }
    }
    rig_close(&rig);
}

const CU_TestInfo s2_test_long_packets[] = {
    {"SYNs are clamped with right checksums", syns_are_clamped_with_right_checksums},
    {"the clamp follows the path", the_clamp_follows_the_path},
    {"hints out of bounds are ignored", hints_out_of_bounds_are_ignored},
    {"long packets arrive in fragments", long_packets_arrive_in_fragments},
    {"a packet of exactly the MTU stays whole", a_packet_of_exactly_the_mtu_stays_whole},
    {"the MTU is the longest that fits outside", the_mtu_is_the_longest_that_fits_outside},
    {"UDP superpackets keep their parts", udp_superpackets_keep_their_parts},
    CU_TEST_INFO_NULL,
};
