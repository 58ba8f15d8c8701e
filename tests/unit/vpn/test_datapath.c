/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/inbound.c, outbound.c, output.c: superpackets, trains, and that every byte of
 * them comes out as it went in. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "vpn/other_site.h"
#include "vpn/packet.h"
#include "vpn/rig.h"

#define SEGMENT 1300
#define STREAM_MAX 400000

static const struct rig_plan bgp = {0};
static const struct rig_plan static_routes = {.static_routes = true};

/* ---- a TCP stream as packets in, and as packets out */

static uint8_t byte_at(uint32_t seq)
{
    return (uint8_t)(seq * 31 + seq / 257);
}

/* A TCP superpacket of the host's, len bytes of the stream from seq on. */
static s2svpn_packet superpacket(uint32_t seq, size_t len, uint16_t gso_size)
{
    const struct packet_spec spec = {
        .protocol = 6, .seq = seq, .id = (uint16_t)seq, .payload = len, .no_checksum = true};
    uint8_t *p = malloc(PACKET_ROOM);
    s2svpn_packet out = {.data = p};

    if (p == NULL)
        abort();
    out.len = (uint32_t)packet_write(p, &spec);
    for (size_t i = 0; i < len; i++)
        p[40 + i] = byte_at((uint32_t)(seq + i));
    out.needs_checksum = true;
    out.csum_start = 20;
    out.csum_offset = 16;
    if (gso_size) {
        out.gso_type = S2SVPN_GSO_TCPV4;
        out.hdr_len = 40;
        out.gso_size = gso_size;
    }
    return out;
}

/* What has come of the stream, and whether it was right. */
struct stream {
    uint8_t seen[STREAM_MAX];
    size_t bytes, twice, wrong, packets, supers;
    uint16_t largest; /* payload of one segment */
};

static void take_stream(struct stream *s, struct rig_queue *queue)
{
    struct rig_item *item;

    memset(s, 0, sizeof(*s));
    while ((item = rig_take(queue)) != NULL) {
        const uint8_t *p = item->data;
        const size_t header = packet_header_len(p);
        const uint32_t seq = packet_get32(p + 24);
        const size_t len = item->len - header;
        const size_t segment = item->packet.gso_type ? item->packet.gso_size : len;

        s->packets++;
        s->supers += item->packet.gso_type != S2SVPN_GSO_NONE;
        if (segment > s->largest)
            s->largest = (uint16_t)segment;
        if (!item->packet.needs_checksum && !packet_right(p, item->len))
            s->wrong++;
        for (size_t i = 0; i < len && seq + i < STREAM_MAX; i++) {
            s->twice += s->seen[seq + i];
            s->seen[seq + i] = 1;
            s->bytes++;
            s->wrong += p[header + i] != byte_at((uint32_t)(seq + i));
        }
        rig_item_free(item);
    }
}

static bool all_seen(const struct stream *s, size_t len)
{
    return s->bytes == len && s->twice == 0 && s->wrong == 0 &&
           (len == 0 || memchr(s->seen, 0, len) == NULL);
}

/* Queue up what the device sends, without delivering it. */
static void send_superpackets(struct rig *rig, size_t count, size_t len, uint16_t gso_size)
{
    s2svpn_packet p[8];

    for (size_t i = 0; i < count; i++)
        p[i] = superpacket((uint32_t)(i * len), len, gso_size);
    rig_send_packets(&rig->device, s2svpn_port_number(rig->device.port), p, count);
    for (size_t i = 0; i < count; i++)
        free(p[i].data);
}

static void a_superpacket_leaves_as_trains_and_comes_out_whole(void)
{
    static struct rig rig;
    static struct stream s;
    size_t bytes = 0;

    if (rig_up(&rig, &bgp)) {
        send_superpackets(&rig, 1, 60000, SEGMENT);
        CU_ASSERT_TRUE(rig.device.outside.count >= 1 && rig.device.outside.count <= 3);
        for (struct rig_item *i = rig.device.outside.first; i; i = i->next) {
            const size_t segment = i->datagram.segment ? i->datagram.segment : i->len;

            CU_ASSERT_TRUE((i->len + segment - 1) / segment <= 64);
            CU_ASSERT_TRUE(i->len <= 65000);
            bytes += i->len;
        }
        CU_ASSERT_TRUE(bytes > 60000 && bytes < 66000);
        rig_pump(&rig);
        take_stream(&s, &rig.gateway.inside);
        CU_ASSERT_TRUE(all_seen(&s, 60000));
        CU_ASSERT_TRUE(s.packets <= 3);
        CU_ASSERT_TRUE(s.supers >= 1);
        CU_ASSERT_EQUAL(s.largest, SEGMENT);
    }
    rig_close(&rig);
}

static s2svpn_io_ops plain_io;

static void take_no_superpackets(struct rig_side *side)
{
    plain_io = *side->options.io_ops;
    plain_io.superpackets = false;
    side->options.io_ops = &plain_io;
}

static void a_host_that_takes_no_superpackets_gets_packets(void)
{
    const struct rig_plan plan = {.adjust = take_no_superpackets};
    static struct rig rig;
    static struct stream s;

    if (rig_up(&rig, &plan)) {
        send_superpackets(&rig, 1, 60000, SEGMENT);
        rig_pump(&rig);
        take_stream(&s, &rig.gateway.inside);
        CU_ASSERT_TRUE(all_seen(&s, 60000));
        CU_ASSERT_EQUAL(s.supers, 0);
        CU_ASSERT_EQUAL(s.packets, (60000 + SEGMENT - 1) / SEGMENT);
    }
    rig_close(&rig);
}

/* More than the arena holds: what is ready leaves in the middle of a superpacket. */
static void superpackets_beyond_the_arena_stay_intact(void)
{
    static struct rig rig;
    static struct stream s;

    if (rig_up(&rig, &bgp)) {
        send_superpackets(&rig, 6, 60000, SEGMENT);
        rig_pump(&rig);
        take_stream(&s, &rig.gateway.inside);
        CU_ASSERT_TRUE(all_seen(&s, 360000));
        CU_ASSERT_EQUAL(s2svpn_context_drops(rig.device.ctx, S2SVPN_DROP_NO_ROOM), 0);
        CU_ASSERT_EQUAL(s2svpn_context_drops(rig.gateway.ctx, S2SVPN_DROP_NO_ROOM), 0);
    }
    rig_close(&rig);
}

static void segments_longer_than_the_tunnel_bears_are_cut_smaller(void)
{
    static struct rig rig;
    static struct stream s;

    if (rig_up(&rig, &bgp)) {
        const uint16_t mtu = rig_tunnel(rig.site, 0).mtu;

        send_superpackets(&rig, 1, 30000, 8000);
        rig_pump(&rig);
        take_stream(&s, &rig.gateway.inside);
        CU_ASSERT_TRUE(all_seen(&s, 30000));
        CU_ASSERT_EQUAL(s.largest, mtu - 40);
    }
    rig_close(&rig);
}

/* hdr_len is only a hint, and may be nonsense. */
static void a_wrong_header_length_does_no_harm(void)
{
    static struct rig rig;
    static struct stream s;

    if (rig_up(&rig, &bgp)) {
        s2svpn_packet p = superpacket(0, 20000, 8000);

        p.hdr_len = 9000;
        rig_send_packets(&rig.device, s2svpn_port_number(rig.device.port), &p, 1);
        free(p.data);
        rig_pump(&rig);
        take_stream(&s, &rig.gateway.inside);
        CU_ASSERT_TRUE(s.bytes == 0 || all_seen(&s, 20000));
    }
    rig_close(&rig);
}

/* ---- joining, and where it must not */

/* Several items in one call, each in memory of exactly its size. */
static void deliver_together(struct rig *rig, struct rig_side *from, struct rig_side *to)
{
    s2svpn_datagram d[64];
    struct rig_item *item[64];
    size_t n = 0;

    while (n < 64 && (item[n] = rig_take(&from->outside)) != NULL) {
        d[n] = item[n]->datagram;
        d[n].local = item[n]->datagram.remote;
        d[n].local.role = item[n]->datagram.local.role;
        d[n].remote = item[n]->datagram.local;
        d[n].data = item[n]->data;
        n++;
    }
    s2svpn_receive_outside(s2svpn_context_worker(to->ctx, 0), d, n, rig->now_ns);
    while (n > 0)
        rig_item_free(item[--n]);
}

static void datagrams_of_different_buffers_are_not_joined_across(void)
{
    static struct rig rig;
    static struct stream s;

    if (rig_up(&rig, &bgp)) {
        for (uint32_t i = 0; i < 20; i++) { /* a call each: a datagram each */
            s2svpn_packet p = superpacket(i * 1000, 1000, 0);

            packet_put16(p.data + 4, (uint16_t)i); /* else nothing could be joined at all */
            packet_fix_ip(p.data);
            rig_send_packets(&rig.device, s2svpn_port_number(rig.device.port), &p, 1);
            free(p.data);
        }
        CU_ASSERT_EQUAL(rig.device.outside.count, 20);
        deliver_together(&rig, &rig.device, &rig.gateway);
        take_stream(&s, &rig.gateway.inside);
        CU_ASSERT_TRUE(all_seen(&s, 20000));
    }
    rig_close(&rig);
}

/* A packet between two of a stream that goes back into a tunnel waits to be sealed, in
 * place, while the second of the stream would be moved over it. */
static void joining_spares_what_waits_to_be_sealed(void)
{
    const struct packet_spec hub = {.to = "192.168.99.1", .payload = 40 + 1000 - 28};
    const s2svpn_prefix far = rig_prefix("192.168.99.0/24");
    static struct rig rig;
    static struct stream s;
    uint8_t bytes[PACKET_ROOM];
    uint64_t arrived;

    if (rig_up(&rig, &static_routes)) {
        s2svpn_connection *other = other_site_open(&rig, "192.168.99.0/24");
        s2svpn_packet p[3];

        CU_ASSERT_EQUAL(s2svpn_connection_add_static_route(rig.site, &far), S2SVPN_OK);
        p[0] = superpacket(0, 1000, 0);
        p[1] = (s2svpn_packet){.data = bytes};
        p[1].len = (uint32_t)packet_write(bytes, &hub);
        p[2] = superpacket(1000, 1000, 0);
        packet_put16(p[2].data + 4, 1);
        packet_fix_ip(p[2].data);
        CU_ASSERT_EQUAL(p[0].len, p[1].len);
        rig_send_packets(&rig.device, s2svpn_port_number(rig.device.port), p, 3);
        free(p[0].data);
        free(p[2].data);
        CU_ASSERT_EQUAL(rig.device.outside.count, 1); /* one train */
        arrived = s2svpn_context_drops(rig.device.ctx, S2SVPN_DROP_INNER_SOURCE);
        rig_pump(&rig);
        take_stream(&s, &rig.gateway.inside);
        CU_ASSERT_TRUE(all_seen(&s, 2000));
        /* The device refuses it for its source: its header came back whole. */
        CU_ASSERT_EQUAL(s2svpn_context_drops(rig.device.ctx, S2SVPN_DROP_INNER_SOURCE),
                        arrived + 1);
        CU_ASSERT_EQUAL(s2svpn_context_drops(rig.device.ctx, S2SVPN_DROP_INNER_MALFORMED), 0);
        other_site_close(&rig, other, "192.168.99.0/24");
    }
    rig_close(&rig);
}

/* ---- trains */

static void send_udp(struct rig *rig, size_t payload, uint8_t tos)
{
    const struct packet_spec spec = {.payload = payload, .tos = tos};
    uint8_t p[PACKET_ROOM];
    const size_t len = packet_write(p, &spec);

    rig_send(&rig->device, p, len);
}

static void trains_have_equal_parts_but_the_last(void)
{
    static const struct {
        const char *name;
        size_t payload[4];
        uint8_t tos[4];
        size_t count, datagrams;
    } rows[] = {
        {"three of one size", {500, 500, 500}, {0}, 3, 1},
        {"a shorter one ends it", {500, 500, 400, 400}, {0}, 4, 2},
        {"a longer one begins another", {400, 500, 500}, {0}, 3, 2},
        {"one of another DSCP does too", {500, 500}, {0, 0x28}, 2, 2},
    };
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
            uint8_t bytes[4][2000];
            s2svpn_packet p[4];

            for (size_t i = 0; i < rows[r].count; i++) {
                const struct packet_spec spec = {.payload = rows[r].payload[i],
                                                 .tos = rows[r].tos[i]};
                static uint8_t scratch[PACKET_ROOM];

                p[i] = (s2svpn_packet){.data = bytes[i]};
                p[i].len = (uint32_t)packet_write(scratch, &spec);
                memcpy(bytes[i], scratch, p[i].len);
            }
            rig_send_packets(&rig.device, s2svpn_port_number(rig.device.port), p, rows[r].count);
            CHECK_ROW(rows[r].name, rig.device.outside.count == rows[r].datagrams);
            rig_pump(&rig);
            CHECK_ROW(rows[r].name, rig.gateway.inside.count == rows[r].count);
            rig_drop_all(&rig.gateway.inside);
        }
    }
    rig_close(&rig);
}

static void the_tos_is_carried_outside(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        send_udp(&rig, 100, 0xb8);
        CU_ASSERT_EQUAL(rig.device.outside.count, 1);
        if (rig.device.outside.first)
            CU_ASSERT_EQUAL(rig.device.outside.first->datagram.tos, 0xb8);
    }
    rig_close(&rig);
}

static void protocol_50_carries_no_trains(void)
{
    const struct rig_plan plan = {.raw = true};
    static struct rig rig;
    static struct stream s;

    if (rig_up(&rig, &plan)) {
        CU_ASSERT_FALSE(rig_tunnel(rig.site, 0).udp);
        send_superpackets(&rig, 1, 10000, 1000);
        CU_ASSERT_EQUAL(rig.device.outside.count, 10);
        for (struct rig_item *i = rig.device.outside.first; i; i = i->next) {
            CU_ASSERT_EQUAL(i->datagram.local.role, S2SVPN_ROLE_RAW);
            CU_ASSERT_EQUAL(i->datagram.segment, 0);
            CU_ASSERT_EQUAL(i->datagram.remote.port, 0);
        }
        rig_pump(&rig);
        take_stream(&s, &rig.gateway.inside);
        CU_ASSERT_TRUE(all_seen(&s, 10000));
    }
    rig_close(&rig);
}

/* As many packets as there are places, none of which can be joined, and a few more. */
static void a_long_train_of_single_packets_is_delivered_whole(void)
{
    static const size_t counts[] = {127, 128, 129, 254, 255, 256, 257, 300};
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
            uint8_t *train = malloc(300 * 200);
            s2svpn_datagram d = {.data = train};

            CU_ASSERT_PTR_NOT_NULL_FATAL(train);
            for (size_t i = 0; i < counts[c]; i++)
                send_udp(&rig, 40, 0);
            for (struct rig_item *item; (item = rig_take(&rig.device.outside)) != NULL;) {
                d.local = item->datagram.remote;
                d.local.role = item->datagram.local.role;
                d.remote = item->datagram.local;
                d.segment = (uint16_t)item->len;
                memcpy(train + d.len, item->data, item->len);
                d.len += (uint32_t)item->len;
                rig_item_free(item);
            }
            s2svpn_receive_outside(s2svpn_context_worker(rig.gateway.ctx, 0), &d, 1, rig.now_ns);
            CU_ASSERT_EQUAL(rig.gateway.inside.count, counts[c]);
            rig_drop_all(&rig.gateway.inside);
            free(train);
        }
        CU_ASSERT_EQUAL(s2svpn_context_drops(rig.gateway.ctx, S2SVPN_DROP_NO_ROOM), 0);
    }
    rig_close(&rig);
}

/* ---- what is counted */

static void a_tunnel_counts_inner_packets_and_bytes(void)
{
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        const s2svpn_tunnel_info out = rig_tunnel(rig.site, 0), in = rig_tunnel(rig.cloud, 0);
        s2svpn_tunnel_info out2, in2;

        rig_run(&rig, RIG_SECOND);
        send_udp(&rig, 72, 0); /* 100 bytes */
        send_udp(&rig, 172, 0);
        rig_pump(&rig);
        out2 = rig_tunnel(rig.site, 0);
        in2 = rig_tunnel(rig.cloud, 0);
        CU_ASSERT_EQUAL(out2.packets_out - out.packets_out, 2);
        CU_ASSERT_EQUAL(out2.bytes_out - out.bytes_out, 300);
        CU_ASSERT_EQUAL(in2.packets_in - in.packets_in, 2);
        CU_ASSERT_EQUAL(in2.bytes_in - in.bytes_in, 300);
        CU_ASSERT_EQUAL(in2.last_in_ns, rig.now_ns);
    }
    rig_close(&rig);
}

static void a_blackholed_tunnel_swallows_both_ways_without_a_word(void)
{
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        s2svpn_tunnel *t = s2svpn_connection_tunnel(rig.site, 0);
        uint64_t drops = 0, before = 0;
        const s2svpn_tunnel_info cloud = rig_tunnel(rig.cloud, 0);

        for (unsigned i = 1; i < S2SVPN_DROP_COUNT; i++)
            before += s2svpn_context_drops(rig.device.ctx, (enum s2svpn_drop)i);
        s2svpn_tunnel_set_blackhole(t, true);
        send_udp(&rig, 100, 0);
        CU_ASSERT_EQUAL(rig.device.outside.count, 0);
        for (unsigned i = 1; i < S2SVPN_DROP_COUNT; i++)
            drops += s2svpn_context_drops(rig.device.ctx, (enum s2svpn_drop)i);
        CU_ASSERT_EQUAL(drops, before);
        rig_run(&rig, 120 * RIG_SECOND); /* and IKE's messages too: the peer gives up */
        CU_ASSERT_FALSE(rig_tunnel(rig.cloud, 0).up);
        CU_ASSERT_TRUE(cloud.up);
        s2svpn_tunnel_set_blackhole(t, false);
        rig_run(&rig, 120 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
    }
    rig_close(&rig);
}

const CU_TestInfo s2_test_datapath[] = {
    {"a superpacket leaves as trains and comes out whole",
     a_superpacket_leaves_as_trains_and_comes_out_whole},
    {"a host that takes no superpackets gets packets",
     a_host_that_takes_no_superpackets_gets_packets},
    {"superpackets beyond the arena stay intact", superpackets_beyond_the_arena_stay_intact},
    {"segments longer than the tunnel bears are cut smaller",
     segments_longer_than_the_tunnel_bears_are_cut_smaller},
    {"a wrong header length does no harm", a_wrong_header_length_does_no_harm},
    {"datagrams of different buffers are not joined across",
     datagrams_of_different_buffers_are_not_joined_across},
    {"joining spares what waits to be sealed", joining_spares_what_waits_to_be_sealed},
    {"trains have equal parts but the last", trains_have_equal_parts_but_the_last},
    {"the DSCP is carried outside", the_tos_is_carried_outside},
    {"protocol 50 carries no trains", protocol_50_carries_no_trains},
    {"a long train of single packets is delivered whole",
     a_long_train_of_single_packets_is_delivered_whole},
    {"a tunnel counts inner packets and bytes", a_tunnel_counts_inner_packets_and_bytes},
    {"a blackholed tunnel swallows both ways without a word",
     a_blackholed_tunnel_swallows_both_ways_without_a_word},
    CU_TEST_INFO_NULL,
};
