/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn: what a child may carry: limits of packets and bytes with a rekey before them,
 * windows, extended sequence numbers across their wrap. */
#include <string.h>

#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

#define WRAP (UINT64_C(1) << 32)

static void send_one(struct rig_side *side, size_t payload, uint16_t id)
{
    static uint8_t p[PACKET_ROOM];
    const bool cloud = side == &side->rig->gateway;
    const struct packet_spec spec = {.from = cloud ? "10.0.1.10" : NULL,
                                     .to = cloud ? "192.168.10.20" : NULL,
                                     .id = id,
                                     .payload = payload};

    rig_send(side, p, packet_write(p, &spec));
}

static uint64_t drops(const struct rig_side *side, enum s2svpn_drop reason)
{
    return s2svpn_context_drops(side->ctx, reason);
}

static struct s2_child *child(const s2svpn_connection *conn)
{
    return s2_child_current(s2svpn_connection_tunnel(conn, 0));
}

/* The gateway has the limit; the traffic goes one way. */
static void a_rekey_comes_before_the_hard_limit(void)
{
    static const struct {
        const char *name;
        uint64_t packets, bytes;
        size_t send, payload, least, most; /* rekeys */
        bool from_device;
    } rows[] = {
        {"packets out", 100, 0, 1000, 100, 9, 14, false},
        {"packets in", 100, 0, 1000, 100, 9, 14, true},
        {"bytes out", 0, 100000, 1000, 972, 9, 14, false},
        {"bytes in", 0, 100000, 1000, 972, 9, 14, true},
        {"both, bytes first", 1000, 100000, 1000, 972, 9, 14, false},
        {"no limit", 0, 0, 1000, 100, 0, 0, false},
    };
    static struct rig rig;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct rig_plan plan = {.static_routes = true,
                                      .tunnel = {.phase2_lifetime_packets = rows[i].packets,
                                                 .phase2_lifetime_bytes = rows[i].bytes}};
        const char *name = rows[i].name;

        if (rig_up(&rig, &plan)) {
            struct rig_side *side = rows[i].from_device ? &rig.device : &rig.gateway;
            const uint32_t before = rig_tunnel(rig.cloud, 0).rekeys;
            uint32_t rekeys;

            for (size_t k = 0; k < rows[i].send; k++) {
                send_one(side, rows[i].payload, (uint16_t)k);
                rig_pump(&rig);
            }
            CHECK_ROW(name, side->peer->inside.count == rows[i].send);
            CHECK_ROW(name, drops(&rig.gateway, S2SVPN_DROP_ESP_LIMIT) == 0);
            CHECK_ROW(name, drops(&rig.device, S2SVPN_DROP_ESP_LIMIT) == 0);
            rekeys = rig_tunnel(rig.cloud, 0).rekeys - before;
            CHECK_ROW(name, rekeys >= rows[i].least && rekeys <= rows[i].most);
        }
        rig_close(&rig);
    }
}

static bool loses_ike(struct rig *rig, const struct rig_side *from, const s2svpn_datagram *d)
{
    (void)rig;
    (void)from;
    return d->local.role == S2SVPN_ROLE_IKE || (d->len >= 4 && memcmp(d->data, "\0\0\0\0", 4) == 0);
}

/* No answer to the rekey: then the child stops, and says so once. */
static void the_hard_limit_stops_a_child_and_says_so(void)
{
    const struct rig_plan plan = {.static_routes = true, .tunnel.phase2_lifetime_packets = 100};
    static struct rig rig;

    if (rig_up(&rig, &plan)) {
        const size_t used = child(rig.cloud)->out->esp->seq;
        size_t notes;

        CU_ASSERT_TRUE(used < 5);
        rig.loses = loses_ike;
        for (size_t k = 0; k < 150; k++) {
            send_one(&rig.gateway, 100, (uint16_t)k);
            rig_pump(&rig);
        }
        CU_ASSERT_EQUAL(rig.device.inside.count, 100 - used);
        CU_ASSERT_EQUAL(drops(&rig.gateway, S2SVPN_DROP_ESP_LIMIT), 50 + used);
        CU_ASSERT_TRUE(rig_event_says(&rig.gateway, S2SVPN_EVENT_NOTE, "hard limit"));
        notes = rig_count_events(&rig.gateway, S2SVPN_EVENT_NOTE);
        send_one(&rig.gateway, 100, 1);
        rig_pump(&rig);
        CU_ASSERT_EQUAL(rig_count_events(&rig.gateway, S2SVPN_EVENT_NOTE), notes);
        /* as soon as IKE gets through, all is well */
        rig.loses = NULL;
        rig_drop_all(&rig.device.inside);
        rig_run(&rig, 30 * RIG_SECOND);
        send_one(&rig.gateway, 100, 1);
        rig_pump(&rig);
        CU_ASSERT_EQUAL(rig.device.inside.count, 1);
    }
    rig_close(&rig);
}

/* Plain numbers end at 2^32 - 1. Long before a successor is made; without one the child
 * stops, and never sends a number twice. */
static void plain_numbers_end_with_the_child(void)
{
    const struct rig_plan plan = {.static_routes = true};
    static struct rig rig;

    if (rig_up(&rig, &plan)) {
        struct s2_child *c = child(rig.cloud);

        c->out->esp->seq = UINT32_MAX - 3;
        c->out->esp->soft_reported = true; /* nobody has asked for a rekey */
        for (size_t k = 0; k < 5; k++)
            send_one(&rig.gateway, 100, (uint16_t)k);
        CU_ASSERT_EQUAL(c->out->esp->seq, UINT32_MAX);
        CU_ASSERT_EQUAL(drops(&rig.gateway, S2SVPN_DROP_ESP_SEQUENCE), 2);
        rig_pump(&rig);
        CU_ASSERT_EQUAL(rig.device.inside.count, 3);
        CU_ASSERT_TRUE(rig_event_says(&rig.gateway, S2SVPN_EVENT_NOTE, "hard limit"));
        /* the hard limit has asked for one */
        send_one(&rig.gateway, 100, 9);
        rig_pump(&rig);
        CU_ASSERT_EQUAL(rig.device.inside.count, 4);
    }
    rig_close(&rig);
}

static void near_the_end_of_plain_numbers_a_successor_comes(void)
{
    const struct rig_plan plan = {.static_routes = true};
    static struct rig rig;

    if (rig_up(&rig, &plan)) {
        struct s2_child *c = child(rig.cloud);
        const uint32_t spi = c->spi_out;

        c->out->esp->seq = UINT32_MAX - (UINT32_C(1) << 28);
        send_one(&rig.gateway, 100, 1);
        rig_pump(&rig);
        CU_ASSERT_TRUE(rig_tunnel(rig.cloud, 0).spi_out != spi);
        CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 0).rekeys, 1);
    }
    rig_close(&rig);
}

/* ---- windows: the newest of many packets comes first */

static void windows_are_as_wide_as_asked_for(void)
{
    static const uint32_t windows[] = {64, 1024, 2048, 8192};
    static struct rig rig;

    for (size_t w = 0; w < 4; w++) {
        const struct rig_plan plan = {.static_routes = true, .tunnel.replay_window = windows[w]};

        if (rig_up(&rig, &plan)) {
            const size_t n = windows[w] + 40;
            struct rig_item *newest = NULL, *item;
            struct rig_queue rest = {NULL, &rest.first, 0};

            for (size_t k = 0; k < n; k++)
                send_one(&rig.device, 20, (uint16_t)k);
            while ((item = rig_take(&rig.device.outside)) != NULL) {
                CU_ASSERT_EQUAL_FATAL(item->datagram.segment, 0);
                if (rig.device.outside.count == 0) {
                    newest = item;
                    break;
                }
                item->next = NULL;
                *rest.last = item;
                rest.last = &item->next;
                rest.count++;
            }
            CU_ASSERT_PTR_NOT_NULL_FATAL(newest);
            rig_deliver(&rig, &rig.gateway, newest);
            rig_item_free(newest);
            while ((item = rig_take(&rest)) != NULL) {
                rig_deliver(&rig, &rig.gateway, item);
                rig_item_free(item);
            }
            CU_ASSERT_EQUAL(rig.gateway.inside.count, windows[w]);
            CU_ASSERT_EQUAL(drops(&rig.gateway, S2SVPN_DROP_ESP_REPLAY), n - windows[w]);
        }
        rig_close(&rig);
    }
}

/* ---- extended numbers, agreed on by IKE */

/* Both ends up, the device with this choice too (no document has one). */
static bool up_with_esn(struct rig *rig, const struct rig_plan *plan, uint8_t at_device)
{
    if (rig_open(rig, plan) != S2SVPN_OK)
        return false;
    for (size_t i = 0; i < 2; i++)
        s2svpn_connection_tunnel(rig->site, i)->ike.esn = at_device;
    if (s2svpn_connection_start(rig->site) != S2SVPN_OK)
        return false;
    for (size_t i = 0; i < 60 && !rig_both_up(rig); i++)
        rig_run(rig, RIG_SECOND);
    rig_run(rig, 5 * RIG_SECOND); /* the path is probed */
    CU_ASSERT_TRUE(rig_both_up(rig));
    return rig_both_up(rig);
}

static void extended_numbers_are_agreed_on_and_wrap(void)
{
    static const struct {
        const char *name;
        uint8_t cloud, site;
        uint32_t encryption;
        bool extended;
    } rows[] = {
        {"required by both, GCM", S2SVPN_ESN_REQUIRED, S2SVPN_ESN_REQUIRED, S2SVPN_AES256_GCM_16,
         true},
        {"required by both, CBC", S2SVPN_ESN_REQUIRED, S2SVPN_ESN_REQUIRED, S2SVPN_AES128, true},
        {"allowed here", S2SVPN_ESN_ALLOWED, S2SVPN_ESN_REQUIRED, S2SVPN_AES128_GCM_16, true},
        {"not known there", S2SVPN_ESN_ALLOWED, S2SVPN_ESN_OFF, S2SVPN_AES128_GCM_16, false},
    };
    static struct rig rig;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct rig_plan plan = {
            .static_routes = true,
            .offers = S2SVPN_OFFERS_EXACT,
            .tunnel = {.esn = rows[i].cloud, .phase2_encryption = rows[i].encryption}};
        const char *name = rows[i].name;

        if (up_with_esn(&rig, &plan, rows[i].site)) {
            struct s2_esp_sa *out = child(rig.site)->out->esp, *in = child(rig.cloud)->in->esp;

            CHECK_ROW(name, out->esn == rows[i].extended && in->esn == rows[i].extended);
            if (rows[i].extended) {
                out->seq = WRAP - 30;
                s2_esp_replay_accept(in, WRAP - 30);
                for (size_t k = 0; k < 60; k++) {
                    send_one(&rig.device, 100, (uint16_t)k);
                    rig_pump(&rig);
                }
                CHECK_ROW(name, rig.gateway.inside.count == 60);
                CHECK_ROW(name, in->seq == WRAP + 30 && rig_tunnel(rig.cloud, 0).rekeys == 0);
            }
        }
        rig_close(&rig);
    }
}

const CU_TestInfo s2_test_limits[] = {
    {"a rekey comes before the hard limit", a_rekey_comes_before_the_hard_limit},
    {"the hard limit stops a child and says so", the_hard_limit_stops_a_child_and_says_so},
    {"plain numbers end with the child", plain_numbers_end_with_the_child},
    {"near the end of plain numbers a successor comes",
     near_the_end_of_plain_numbers_a_successor_comes},
    {"windows are as wide as asked for", windows_are_as_wide_as_asked_for},
    {"extended numbers are agreed on and wrap", extended_numbers_are_agreed_on_and_wrap},
    CU_TEST_INFO_NULL,
};
