/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/worker.c, control.c: workers of their own, here all run by one thread, turn by
 * turn, so that what happens between them is the test's choice. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

static void two_workers(struct rig_side *side)
{
    if (side->name[0] == 'g')
        side->options.workers = 2;
}

static const s2svpn_limits few = {.size = sizeof(few), .ring_packets = 8};
static const struct rig_plan bgp = {.adjust = two_workers};
static const struct rig_plan static_routes = {.adjust = two_workers, .static_routes = true};
static const struct rig_plan small_rings = {
    .adjust = two_workers, .static_routes = true, .limits = &few};

static void send_udp(struct rig_side *side, s2svpn_worker *w, const char *from, const char *to,
                     uint16_t id, size_t payload)
{
    const struct packet_spec spec = {.from = from, .to = to, .id = id, .payload = payload};
    uint8_t *p = malloc(PACKET_ROOM);
    s2svpn_packet packet = {.data = p};

    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    packet.len = (uint32_t)packet_write(p, &spec);
    s2svpn_receive_inside(w, s2svpn_port_number(side->port), &packet, 1, side->rig->now_ns);
    free(p);
}

static void from_instance(struct rig *rig, size_t worker, uint16_t id)
{
    send_udp(&rig->gateway, s2svpn_context_worker(rig->gateway.ctx, worker), "10.0.1.10",
             "192.168.10.20", id, 300);
}

static void from_host(struct rig *rig, uint16_t id)
{
    send_udp(&rig->device, s2svpn_context_worker(rig->device.ctx, 0), NULL, NULL, id, 300);
}

static size_t owner_of(const struct rig *rig, size_t tunnel)
{
    return s2svpn_connection_tunnel(rig->cloud, tunnel)->owner;
}

static void tunnels_come_up_over_the_rings(void)
{
    static const struct rig_plan *const plans[] = {&bgp, &static_routes};
    static struct rig rig;

    for (size_t i = 0; i < 2; i++) {
        if (rig_up(&rig, plans[i])) {
            CU_ASSERT_NOT_EQUAL(owner_of(&rig, 0), owner_of(&rig, 1)); /* they take turns */
            rig_run(&rig, 3700 * RIG_SECOND);                          /* and rekey */
            CU_ASSERT_TRUE(rig_both_up(&rig));
            CU_ASSERT_TRUE(rig_count_events(&rig.gateway, S2SVPN_EVENT_CHILD) > 4);
        }
        rig_close(&rig);
    }
}

static void a_packet_goes_by_the_worker_that_owns_the_tunnel(void)
{
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        s2svpn_worker *owner = s2svpn_context_worker(rig.gateway.ctx, owner_of(&rig, 0));

        for (size_t w = 0; w < 2; w++) {
            from_instance(&rig, w, 1);
            if (s2svpn_context_worker(rig.gateway.ctx, w) != owner) {
                CU_ASSERT_EQUAL(rig.gateway.outside.count, 0);
                CU_ASSERT_TRUE(rig.gateway.woken[owner_of(&rig, 0)]);
                s2svpn_worker_poll(owner, rig.now_ns);
            }
            CU_ASSERT_EQUAL(rig.gateway.outside.count, 1);
            CU_ASSERT_PTR_EQUAL(rig.gateway.outside.first->worker, owner);
            rig_pump(&rig);
        }
        CU_ASSERT_EQUAL(rig.device.inside.count, 2);
        for (size_t w = 0; w < 2; w++) {
            struct rig_item *item;

            from_host(&rig, (uint16_t)w);
            item = rig_take(&rig.device.outside);
            CU_ASSERT_PTR_NOT_NULL_FATAL(item);
            rig_deliver_to(&rig, s2svpn_context_worker(rig.gateway.ctx, w), item);
            rig_item_free(item);
            rig_pump(&rig);
            CU_ASSERT_EQUAL(rig.gateway.inside.count, w + 1);
            CU_ASSERT_PTR_EQUAL(rig.gateway.inside.first->worker, owner);
        }
    }
    rig_close(&rig);
}

/* Superpackets are handed over cut, and checksums that were left to us are complete. */
static void superpackets_are_handed_over_segment_by_segment(void)
{
    static struct rig rig;
    static uint8_t bytes[PACKET_ROOM];
    size_t payload = 0;

    if (rig_up(&rig, &static_routes)) {
        const struct packet_spec spec = {.from = "10.0.1.10",
                                         .to = "192.168.10.20",
                                         .protocol = 6,
                                         .payload = 20000,
                                         .no_checksum = true};
        s2svpn_packet p = {.data = bytes,
                           .gso_type = S2SVPN_GSO_TCPV4,
                           .hdr_len = 40,
                           .gso_size = 9000,
                           .needs_checksum = true,
                           .csum_start = 20,
                           .csum_offset = 16};
        s2svpn_worker *other = s2svpn_context_worker(rig.gateway.ctx, 1 - owner_of(&rig, 0));

        p.len = (uint32_t)packet_write(bytes, &spec);
        s2svpn_receive_inside(other, s2svpn_port_number(rig.gateway.port), &p, 1, rig.now_ns);
        rig_pump(&rig);
        for (struct rig_item *i; (i = rig_take(&rig.device.inside)) != NULL; rig_item_free(i)) {
            CU_ASSERT_TRUE(i->packet.gso_type || packet_right(i->data, i->len));
            CU_ASSERT_TRUE(i->packet.gso_type == 0 ||
                           i->packet.gso_size + 40u <= rig_tunnel(rig.cloud, 0).mtu);
            payload += i->len - 40;
        }
        CU_ASSERT_EQUAL(payload, 20000);
    }
    rig_close(&rig);
}

/* ---- rings that are full */

static void full_rings_drop_and_count(void)
{
    static struct rig rig;
    struct rig_item *item;

    if (rig_up(&rig, &small_rings)) {
        const size_t other = 1 - owner_of(&rig, 0);
        s2svpn_worker *w = s2svpn_context_worker(rig.gateway.ctx, other);
        uint8_t ike[4 + 28] = {0};
        const s2svpn_tunnel_info info = rig_tunnel(rig.cloud, 0);
        s2svpn_datagram d = {
            .local = info.local, .remote = info.remote, .data = ike, .len = sizeof(ike)};

        for (uint16_t i = 0; i < 20; i++)
            from_instance(&rig, other, i);
        CU_ASSERT_EQUAL(s2svpn_context_drops(rig.gateway.ctx, S2SVPN_DROP_HANDOFF_FULL), 12);
        rig_pump(&rig);
        CU_ASSERT_EQUAL(rig.device.inside.count, 8);
        rig_drop_all(&rig.device.inside);

        for (uint16_t i = 0; i < 20; i++)
            from_host(&rig, i);
        while ((item = rig_take(&rig.device.outside)) != NULL) {
            rig_deliver_to(&rig, w, item);
            rig_item_free(item);
        }
        CU_ASSERT_EQUAL(s2svpn_context_drops(rig.gateway.ctx, S2SVPN_DROP_HANDOFF_FULL), 24);
        rig_pump(&rig);
        CU_ASSERT_EQUAL(rig.gateway.inside.count, 8);

        /* A flood of IKE fills its own ring, and not that of trusted matters. */
        for (unsigned i = 0; i < 20; i++) {
            memset(ike, 0, sizeof(ike));
            ike[4] = (uint8_t)(1 + i);
            s2svpn_receive_outside(w, &d, 1, rig.now_ns);
        }
        CU_ASSERT_EQUAL(s2svpn_context_drops(rig.gateway.ctx, S2SVPN_DROP_CONTROL_FULL), 12);
        CU_ASSERT_PTR_NULL(s2_ring_peek(&w->trusted));
        rig_pump(&rig);
        CU_ASSERT_TRUE(rig_both_up(&rig));
    }
    rig_close(&rig);
}

/* ---- memory that is given back */

static struct rig_item *more[64];
static size_t more_count;

/* What other threads would do while this one gives packets to its host. */
static void fill_the_ring_again(struct rig_side *side, bool inside)
{
    while (inside && more_count > 0) {
        struct rig_item *item = more[--more_count];

        rig_deliver_to(side->rig, s2svpn_context_worker(side->ctx, 1 - owner_of(side->rig, 0)),
                       item);
        rig_item_free(item);
    }
}

static void packets_out_of_a_ring_stay_while_its_slots_are_used_again(void)
{
    static struct rig rig;
    bool seen[64] = {false};
    size_t wrong = 0, count = 0;

    if (rig_up(&rig, &small_rings)) {
        const size_t owner = owner_of(&rig, 0);
        s2svpn_worker *other = s2svpn_context_worker(rig.gateway.ctx, 1 - owner);

        for (uint16_t i = 0; i < 14; i++)
            from_host(&rig, i);
        for (size_t i = 0; i < 8; i++) {
            struct rig_item *item = rig_take(&rig.device.outside);

            CU_ASSERT_PTR_NOT_NULL_FATAL(item);
            rig_deliver_to(&rig, other, item);
            rig_item_free(item);
        }
        while ((more[more_count] = rig_take(&rig.device.outside)) != NULL)
            more_count++;
        CU_ASSERT_EQUAL(more_count, 6);
        rig.gateway.take_inside = 1; /* piece by piece would be even later */
        rig.gateway.take_inside = SIZE_MAX;
        rig.gateway.hook = fill_the_ring_again;
        s2svpn_worker_poll(s2svpn_context_worker(rig.gateway.ctx, owner), rig.now_ns);
        rig.gateway.hook = NULL;
        rig_pump(&rig);
        for (struct rig_item *i; (i = rig_take(&rig.gateway.inside)) != NULL; rig_item_free(i)) {
            const uint16_t id = packet_get16(i->data + 4);

            wrong += !packet_right(i->data, i->len) || id >= 14 || seen[id];
            seen[id % 64] = true;
            count++;
        }
        CU_ASSERT_EQUAL(count, 14);
        CU_ASSERT_EQUAL(wrong, 0);
    }
    rig_close(&rig);
}

static void workers_beyond_the_last_are_null(void)
{
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, &bgp);

    CU_ASSERT_PTR_NOT_NULL(s2svpn_context_worker(ctx, 0));
    CU_ASSERT_PTR_NOT_NULL(s2svpn_context_worker(ctx, 1));
    CU_ASSERT_PTR_NULL(s2svpn_context_worker(ctx, 2));
    rig_close(&rig);
}

/* A tunnel that goes while packets for it are in the ring. */
static void packets_for_a_tunnel_that_has_gone_are_counted(void)
{
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        const size_t owner = owner_of(&rig, 0);

        from_instance(&rig, 1 - owner, 1);
        CU_ASSERT_EQUAL(s2svpn_connection_delete(rig.cloud), S2SVPN_OK);
        s2svpn_connection_release(rig.cloud);
        rig.cloud = NULL;
        rig.gateway.woken[owner] = false;
        s2svpn_worker_poll(s2svpn_context_worker(rig.gateway.ctx, owner), rig.now_ns);
        CU_ASSERT_EQUAL(s2svpn_context_drops(rig.gateway.ctx, S2SVPN_DROP_NO_CHILD), 1);
        rig_run(&rig, 10 * RIG_SECOND);
    }
    rig_close(&rig);
}

const CU_TestInfo s2_test_workers[] = {
    {"tunnels come up over the rings", tunnels_come_up_over_the_rings},
    {"a packet goes by the worker that owns the tunnel",
     a_packet_goes_by_the_worker_that_owns_the_tunnel},
    {"superpackets are handed over segment by segment",
     superpackets_are_handed_over_segment_by_segment},
    {"full rings drop and count", full_rings_drop_and_count},
    {"packets out of a ring stay while its slots are used again",
     packets_out_of_a_ring_stay_while_its_slots_are_used_again},
    {"workers beyond the last are NULL", workers_beyond_the_last_are_null},
    {"packets for a tunnel that has gone are counted",
     packets_for_a_tunnel_that_has_gone_are_counted},
    CU_TEST_INFO_NULL,
};
