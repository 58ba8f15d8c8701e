/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/entry.c and output.c: what the host calls from inside its callbacks works at
 * once, and its output leaves with the outer call's; a host that is busy. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"

static const struct rig_plan bgp = {0};
static const struct rig_plan static_routes = {.static_routes = true};

static void send_udp(struct rig_side *side, const char *from, const char *to, uint16_t id,
                     size_t payload)
{
    const struct packet_spec spec = {.from = from, .to = to, .id = id, .payload = payload};
    uint8_t *p = malloc(PACKET_ROOM);
    size_t len;

    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    len = packet_write(p, &spec);
    rig_send(side, p, len);
    free(p);
}

/* Which UDP packets came, each once and right, by their IP id. */
struct tally {
    unsigned count, wrong, twice;
    uint8_t seen[65536];
};

static void count_udp(struct tally *t, struct rig_queue *queue)
{
    struct rig_item *item;

    memset(t, 0, sizeof(*t));
    while ((item = rig_take(queue)) != NULL) {
        const uint16_t id = packet_get16(item->data + 4);

        t->wrong += !packet_right(item->data, item->len);
        t->twice += t->seen[id];
        t->seen[id] = 1;
        t->count++;
        rig_item_free(item);
    }
}

/* ---- packets from inside the packets' callbacks */

static unsigned answers_left;

/* The instance answers each delivery at once. */
static void answer_at_once(struct rig_side *side, bool inside)
{
    if (inside && answers_left > 0) {
        answers_left--;
        send_udp(side, "10.0.1.10", "192.168.10.20", (uint16_t)(1000 + answers_left), 500);
    }
}

static void an_answer_from_inside_the_delivery_leaves_with_it(void)
{
    static struct rig rig;
    static struct tally t;

    if (rig_up(&rig, &bgp)) {
        rig.gateway.hook = answer_at_once;
        answers_left = 1;
        send_udp(&rig.device, NULL, NULL, 1, 500);
        rig_deliver(&rig, &rig.gateway, rig.device.outside.first);
        CU_ASSERT_EQUAL(rig.gateway.inside.count, 1);
        CU_ASSERT_EQUAL(rig.gateway.outside.count, 1); /* within the one call */
        rig_drop_all(&rig.device.outside);
        rig_pump(&rig);
        count_udp(&t, &rig.device.inside);
        CU_ASSERT_TRUE(t.count == 1 && t.wrong == 0 && t.seen[1000]);
    }
    rig_close(&rig);
}

/* From inside a delivery to the device's LAN, its LAN sends and its peer's packets
 * arrive: the outer call hands out both. */
static struct rig_item *late[2];

static void receive_late_ones(struct rig_side *side, bool inside)
{
    (void)inside;
    for (size_t i = 0; i < 2; i++) {
        struct rig_item *item = late[i];

        late[i] = NULL;
        if (item)
            rig_deliver(side->rig, side, item);
        rig_item_free(item);
    }
}

static void send_tcp(struct rig_side *side, uint32_t seq, uint16_t id, bool push)
{
    const struct packet_spec spec = {.protocol = 6,
                                     .seq = seq,
                                     .id = id,
                                     .payload = 1000,
                                     .flags = push ? TCP_ACK | TCP_PSH : TCP_ACK};
    static uint8_t p[PACKET_ROOM];
    const size_t len = packet_write(p, &spec);

    rig_send(side, p, len);
}

static void packets_that_nested_calls_bring_are_not_left_behind(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        send_tcp(&rig.device, 0, 1, false);
        late[0] = rig_take(&rig.device.outside);
        send_tcp(&rig.device, 1000, 2, false);
        late[1] = rig_take(&rig.device.outside);
        rig.gateway.hook = receive_late_ones;
        send_udp(&rig.device, NULL, NULL, 3, 100);
        rig_deliver(&rig, &rig.gateway, rig.device.outside.first);
        rig_drop_all(&rig.device.outside);
        CU_ASSERT_PTR_NULL(late[0]);
        CU_ASSERT_EQUAL(rig.gateway.inside.count, 3);
        for (struct rig_item *i = rig.gateway.inside.first; i; i = i->next)
            CU_ASSERT_TRUE(i->packet.gso_type || packet_right(i->data, i->len));
    }
    rig_close(&rig);
}

/* A flood from inside the callback of a superpacket's first trains: what is built and
 * not yet sealed stays what it is. */
static unsigned floods;

static void flood(struct rig_side *side, bool inside)
{
    if (inside || floods == 0)
        return;
    floods--;
    for (uint16_t i = 0; i < 20; i++)
        send_udp(side, NULL, NULL, (uint16_t)(2000 + floods * 100 + i), 3000); /* fragments */
}

static void a_superpacket_survives_nested_traffic(void)
{
    enum { LEN = 60000, COUNT = 5 };
    static struct rig rig;
    s2svpn_packet p[COUNT];
    size_t bytes = 0, wrong = 0;

    if (rig_up(&rig, &bgp)) {
        for (size_t i = 0; i < COUNT; i++) {
            const struct packet_spec spec = {.protocol = 6,
                                             .seq = (uint32_t)(i * LEN),
                                             .payload = LEN,
                                             .no_checksum = true,
                                             .salt = (uint8_t)i};
            uint8_t *bytes_of = malloc(PACKET_ROOM);

            CU_ASSERT_PTR_NOT_NULL_FATAL(bytes_of);
            p[i] = (s2svpn_packet){.data = bytes_of,
                                   .gso_type = S2SVPN_GSO_TCPV4,
                                   .hdr_len = 40,
                                   .gso_size = 1000,
                                   .needs_checksum = true,
                                   .csum_start = 20,
                                   .csum_offset = 16};
            p[i].len = (uint32_t)packet_write(bytes_of, &spec);
        }
        floods = 3;
        rig.device.hook = flood;
        rig_send_packets(&rig.device, s2svpn_port_number(rig.device.port), p, COUNT);
        rig.device.hook = NULL;
        CU_ASSERT_EQUAL(floods, 0);
        rig_pump(&rig);
        for (struct rig_item *i; (i = rig_take(&rig.gateway.inside)) != NULL; rig_item_free(i)) {
            const uint32_t seq = packet_get32(i->data + 24);

            if (i->data[9] != 6)
                continue;
            if (!i->packet.gso_type)
                wrong += !packet_right(i->data, i->len);
            wrong += seq % LEN + i->len - 40 > LEN ||
                     memcmp(i->data + 40, p[seq / LEN].data + 40 + seq % LEN, i->len - 40) != 0;
            bytes += i->len - 40;
        }
        CU_ASSERT_EQUAL(bytes, (size_t)COUNT * LEN);
        CU_ASSERT_EQUAL(wrong, 0);
        for (size_t i = 0; i < COUNT; i++)
            free(p[i].data);
    }
    rig_close(&rig);
}

/* Both hosts deliver inside the callback, so that a handshake is one deep call. */
static void two_contexts_that_call_each_other_come_up(void)
{
    static const struct rig_plan *const plans[] = {&bgp, &static_routes};
    static struct rig rig;
    static struct tally t;

    for (size_t i = 0; i < 2; i++) {
        bool up = false;

        if (rig_open(&rig, plans[i]) == S2SVPN_OK) {
            rig.gateway.direct = rig.device.direct = true;
            CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
            for (size_t k = 0; k < 60 && !(up = rig_both_up(&rig)); k++)
                rig_run(&rig, RIG_SECOND);
            rig_run(&rig, 2 * RIG_SECOND);
            for (uint16_t k = 1; k <= 100; k++)
                send_udp(&rig.device, NULL, NULL, k, 700);
            count_udp(&t, &rig.gateway.inside);
            CU_ASSERT_TRUE(t.count == 100 && t.wrong == 0 && t.twice == 0);
            rig_run(&rig, 3700 * RIG_SECOND); /* and rekeys */
            CU_ASSERT_TRUE(rig_both_up(&rig));
        }
        CU_ASSERT_TRUE(up);
        rig_close(&rig);
    }
}

/* ---- commands from inside callbacks */

static bool deleted;

static void delete_the_connection(struct rig_side *side, bool inside)
{
    (void)inside;
    if (side->rig->site && !deleted) {
        deleted = true;
        CU_ASSERT_EQUAL(s2svpn_connection_delete(side->rig->site), S2SVPN_OK);
    }
}

/* The tunnel under a superpacket goes while it is being sent: memory stays. */
static void a_connection_can_be_deleted_in_the_middle_of_its_output(void)
{
    static struct rig rig;
    static uint8_t p[PACKET_ROOM];
    const struct packet_spec spec = {.protocol = 6, .payload = 60000, .no_checksum = true};

    if (rig_up(&rig, &bgp)) {
        s2svpn_packet packet[4];

        for (size_t i = 0; i < 4; i++)
            packet[i] = (s2svpn_packet){.data = p,
                                        .len = (uint32_t)packet_write(p, &spec),
                                        .gso_type = S2SVPN_GSO_TCPV4,
                                        .hdr_len = 40,
                                        .gso_size = 1000,
                                        .needs_checksum = true,
                                        .csum_start = 20,
                                        .csum_offset = 16};
        deleted = false;
        rig.device.hook = delete_the_connection;
        rig_send_packets(&rig.device, s2svpn_port_number(rig.device.port), packet, 4);
        CU_ASSERT_TRUE(deleted);
        s2svpn_connection_release(rig.site); /* freed in the middle of nothing */
        rig.site = NULL;
        rig_run(&rig, 60 * RIG_SECOND);
    }
    rig_close(&rig);
}

static bool sent_in_deadline;

static void stop_in_the_deadline(struct rig_side *side)
{
    if (sent_in_deadline || side->rig->site == NULL)
        return;
    sent_in_deadline = true;
    CU_ASSERT_EQUAL(s2svpn_connection_stop(side->rig->site), S2SVPN_OK);
}

static void a_call_from_the_deadline_callback_leaves_nothing_behind(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        const size_t events = rig.device.events;

        sent_in_deadline = false;
        rig.device.on_deadline = stop_in_the_deadline;
        for (size_t i = 0; i < 100 && !sent_in_deadline; i++) {
            rig_drop_all(&rig.device.outside);
            rig.now_ns += RIG_SECOND;
            s2svpn_advance(rig.device.ctx, rig.now_ns);
        }
        CU_ASSERT_TRUE(sent_in_deadline);
        CU_ASSERT_TRUE(rig.device.outside.count >= 2); /* both deletes are out */
        CU_ASSERT_TRUE(rig.device.events > events);    /* and the events told */
        CU_ASSERT_TRUE(rig_event_says(&rig.device, S2SVPN_EVENT_TUNNEL, "stopped"));
    }
    rig_close(&rig);
}

static void free_inside(struct rig_side *side, bool inside)
{
    (void)inside;
    s2svpn_context_free(side->ctx);
    side->hook_user = side;
}

static void freeing_inside_a_callback_is_refused(void)
{
    static struct rig rig;

    if (rig_open(&rig, &bgp) == S2SVPN_OK) {
        rig.device.hook = free_inside;
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND);
        CU_ASSERT_PTR_EQUAL(rig.device.hook_user, &rig.device); /* it was called */
        rig.device.hook = NULL;
        rig_run(&rig, 30 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig)); /* and nothing happened */
    }
    rig_close(&rig);
}

/* ---- a busy host */

static void ike_keeps_its_messages_for_a_busy_host(void)
{
    static struct rig rig;

    if (rig_open(&rig, &bgp) == S2SVPN_OK) {
        rig.device.take_outside = 0;
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND / 2);
        CU_ASSERT_EQUAL(rig.device.outside.count, 0);
        CU_ASSERT_EQUAL(s2svpn_context_drops(rig.device.ctx, S2SVPN_DROP_IO_BUSY), 0);
        rig.device.take_outside = SIZE_MAX;
        s2svpn_writable(rig.device.ctx, rig.now_ns);
        CU_ASSERT_EQUAL(rig.device.outside.count, 2); /* an IKE_SA_INIT each */
        rig_run(&rig, RIG_SECOND);
        CU_ASSERT_EQUAL(rig_tunnel(rig.site, 0).phase, S2SVPN_TUNNEL_UP);
    }
    rig_close(&rig);
}

/* Order is kept: the first is offered again first. */
static void a_half_busy_host_gets_messages_in_their_order(void)
{
    static struct rig rig;

    if (rig_open(&rig, &bgp) == S2SVPN_OK) {
        s2svpn_address first, second;

        rig.device.take_outside = 0;
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND / 2);
        rig.device.take_outside = SIZE_MAX;
        s2svpn_writable(rig.device.ctx, rig.now_ns);
        CU_ASSERT_EQUAL_FATAL(rig.device.outside.count, 2);
        first = rig.device.outside.first->datagram.remote.address;
        second = rig.device.outside.first->next->datagram.remote.address;
        CU_ASSERT_EQUAL(first.bytes[3], 1);
        CU_ASSERT_EQUAL(second.bytes[3], 2);
    }
    rig_close(&rig);
}

/* The host takes a part: the rest is dropped and counted, packets and trains alike. */
static void what_is_not_taken_is_counted(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        s2svpn_packet p[4];
        static uint8_t bytes[4][400];

        for (size_t i = 0; i < 4; i++) {
            const struct packet_spec spec = {.payload = i % 2 ? 100 : 200};
            static uint8_t scratch[PACKET_ROOM];

            p[i] = (s2svpn_packet){.data = bytes[i]};
            p[i].len = (uint32_t)packet_write(scratch, &spec);
            memcpy(bytes[i], scratch, p[i].len);
        }
        rig.device.take_outside = 1;
        rig_send_packets(&rig.device, s2svpn_port_number(rig.device.port), p, 4);
        CU_ASSERT_EQUAL(rig.device.outside.count, 1); /* 200 and 100 in one, and another */
        CU_ASSERT_EQUAL(s2svpn_context_drops(rig.device.ctx, S2SVPN_DROP_IO_BUSY), 1);
    }
    rig_close(&rig);
}

const CU_TestInfo s2_test_nested[] = {
    {"an answer from inside the delivery leaves with it",
     an_answer_from_inside_the_delivery_leaves_with_it},
    {"packets that nested calls bring are not left behind",
     packets_that_nested_calls_bring_are_not_left_behind},
    {"a superpacket survives nested traffic", a_superpacket_survives_nested_traffic},
    {"two contexts that call each other come up", two_contexts_that_call_each_other_come_up},
    {"a connection can be deleted in the middle of its output",
     a_connection_can_be_deleted_in_the_middle_of_its_output},
    {"a call from the deadline callback leaves nothing behind",
     a_call_from_the_deadline_callback_leaves_nothing_behind},
    {"freeing inside a callback is refused", freeing_inside_a_callback_is_refused},
    {"IKE keeps its messages for a busy host", ike_keeps_its_messages_for_a_busy_host},
    {"a half busy host gets messages in their order",
     a_half_busy_host_gets_messages_in_their_order},
    {"what is not taken is counted", what_is_not_taken_is_counted},
    CU_TEST_INFO_NULL,
};
