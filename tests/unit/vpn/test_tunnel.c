/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/tunnel.c, sa.c, ike_link.c, bgp_link.c: the life of a tunnel and its children. */
#include <string.h>

#include "harness.h"
#include "ike/engine.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

static const struct rig_plan bgp = {0};
static const struct rig_plan static_routes = {.static_routes = true};

static void phases_have_words(void)
{
    CU_ASSERT_STRING_EQUAL(s2svpn_tunnel_phase_text(S2SVPN_TUNNEL_IDLE), "idle");
    CU_ASSERT_STRING_EQUAL(s2svpn_tunnel_phase_text(S2SVPN_TUNNEL_IPSEC_UP),
                           "IPsec is up, BGP is not");
    CU_ASSERT_STRING_EQUAL(s2svpn_tunnel_phase_text(S2SVPN_TUNNEL_STOPPED), "stopped");
    CU_ASSERT_STRING_EQUAL(s2svpn_tunnel_phase_text((enum s2svpn_tunnel_phase)99), "unknown");
}

/* ---- what is to be seen of one */

static void a_tunnel_that_is_up_says_how(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        const s2svpn_tunnel_info cloud = rig_tunnel(rig.cloud, 0), site = rig_tunnel(rig.site, 0);

        CU_ASSERT_EQUAL(cloud.phase, S2SVPN_TUNNEL_UP);
        CU_ASSERT_EQUAL(site.phase, S2SVPN_TUNNEL_UP);
        CU_ASSERT_FALSE(cloud.initiator);
        CU_ASSERT_TRUE(site.initiator);
        CU_ASSERT_TRUE(cloud.udp && site.udp); /* no endpoint for protocol 50 */
        CU_ASSERT_STRING_EQUAL(cloud.reason, "");
        CU_ASSERT_EQUAL(cloud.bgp_state, 6);
        CU_ASSERT_EQUAL(cloud.accepted_routes, 1);
        CU_ASSERT_EQUAL(site.accepted_routes, 1);
        CU_ASSERT_EQUAL(cloud.spi_in, site.spi_out);
        CU_ASSERT_EQUAL(cloud.spi_out, site.spi_in);
        CU_ASSERT_STRING_EQUAL(cloud.ike_algorithms, site.ike_algorithms);
        /* The lowest of what the device offers first: no SHA-1, no group 2. */
        CU_ASSERT_STRING_EQUAL(cloud.ike_algorithms,
                               "AES_CBC_128/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048");
        CU_ASSERT_STRING_EQUAL(cloud.esp_algorithms, "AES_CBC_128/HMAC_SHA2_256_128");
        CU_ASSERT_EQUAL(cloud.local.port, 4500);
        CU_ASSERT_TRUE(cloud.changed_ns >= RIG_SECOND && cloud.changed_ns <= rig.now_ns);
    }
    rig_close(&rig);
}

static void a_device_that_is_exact_offers_the_document_alone(void)
{
    const struct rig_plan plan = {.offers = S2SVPN_OFFERS_EXACT};
    static struct rig rig;

    if (rig_up(&rig, &plan)) {
        CU_ASSERT_STRING_EQUAL(rig_tunnel(rig.cloud, 0).ike_algorithms,
                               "AES_CBC_128/HMAC_SHA1_96/PRF_HMAC_SHA1/MODP_1024");
        CU_ASSERT_STRING_EQUAL(rig_tunnel(rig.cloud, 0).esp_algorithms, "AES_CBC_128/HMAC_SHA1_96");
    }
    rig_close(&rig);
}

static void a_tunnel_that_is_down_stays_visible(void)
{
    static struct rig rig;
    s2svpn_tunnel_info info;

    if (rig_open(&rig, &bgp) == S2SVPN_OK) {
        info = rig_tunnel(rig.cloud, 0);
        CU_ASSERT_EQUAL(info.phase, S2SVPN_TUNNEL_IDLE);
        CU_ASSERT_FALSE(info.up);
        CU_ASSERT_EQUAL(info.spi_in, 0);
        CU_ASSERT_EQUAL(info.bgp_state, 1); /* Idle, and not absent */
        CU_ASSERT_STRING_EQUAL(info.ike_algorithms, "");
        CU_ASSERT_EQUAL(info.remote.address.bytes[0], 203);
        CU_ASSERT_EQUAL(info.inside_cidr.length, 30);
    }
    rig_close(&rig);
}

/* ---- start, stop, reset */

static void stop_is_polite_and_answers_nobody_until_start(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        CU_ASSERT_EQUAL(s2svpn_connection_stop(rig.cloud), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND);
        CU_ASSERT_FALSE(rig_tunnel(rig.site, 0).up);
        CU_ASSERT_TRUE(rig_event_says(&rig.device, S2SVPN_EVENT_TUNNEL, "closed by the peer"));
        CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 0).phase, S2SVPN_TUNNEL_STOPPED);
        CU_ASSERT_STRING_EQUAL(rig_tunnel(rig.cloud, 0).reason, "stopped by this side");
        rig_run(&rig, 200 * RIG_SECOND);
        CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 0).phase, S2SVPN_TUNNEL_STOPPED);
        CU_ASSERT_EQUAL(rig_tunnel(rig.site, 0).phase == S2SVPN_TUNNEL_WAITING ||
                            rig_tunnel(rig.site, 0).phase == S2SVPN_TUNNEL_NEGOTIATING,
                        true); /* it tries for ever */
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.cloud), S2SVPN_OK);
        rig_run(&rig, 100 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
    }
    rig_close(&rig);
}

static void the_last_word_of_bgp_leaves_before_the_tunnel_goes(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        CU_ASSERT_EQUAL(s2svpn_connection_stop(rig.site), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND);
        CU_ASSERT_TRUE(rig_event_says(&rig.gateway, S2SVPN_EVENT_NOTE, "notification received"));
    }
    rig_close(&rig);
}

static void reset_comes_back_where_this_side_starts(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        CU_ASSERT_EQUAL(s2svpn_tunnel_reset(s2svpn_connection_tunnel(rig.site, 0)), S2SVPN_OK);
        CU_ASSERT_FALSE(rig_tunnel(rig.site, 0).up);
        CU_ASSERT_TRUE(rig_tunnel(rig.site, 1).up);
        CU_ASSERT_EQUAL(rig_tunnel(rig.site, 0).phase, S2SVPN_TUNNEL_WAITING);
        rig_run(&rig, 20 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        CU_ASSERT_EQUAL(s2svpn_tunnel_reset(s2svpn_connection_tunnel(rig.cloud, 1)), S2SVPN_OK);
        CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 1).phase, S2SVPN_TUNNEL_IDLE); /* it answers only */
        rig_run(&rig, 20 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig)); /* the device has come back */
    }
    rig_close(&rig);
}

static bool lose_all(struct rig *rig, const struct rig_side *from, const s2svpn_datagram *d)
{
    (void)rig;
    (void)from;
    (void)d;
    return true;
}

static unsigned tries;

static bool count_and_lose(struct rig *rig, const struct rig_side *from, const s2svpn_datagram *d)
{
    (void)rig;
    /* IKE_SA_INIT requests with message ID 0, by their first transmission or not */
    tries += from->name[0] == 'd' && d->data[d->local.role == S2SVPN_ROLE_NATT ? 22 : 18] == 34;
    return true;
}

static void an_unanswered_tunnel_is_tried_for_ever_with_back_off(void)
{
    static struct rig rig;

    if (rig_open(&rig, &bgp) == S2SVPN_OK) {
        unsigned early, late;

        tries = 0;
        rig.loses = count_and_lose;
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
        rig_run(&rig, 300 * RIG_SECOND);
        early = tries;
        CU_ASSERT_TRUE(early > 4);
        CU_ASSERT_TRUE(rig_tunnel(rig.site, 0).reason[0] != 0); /* it says why */
        rig_run(&rig, 86400 * RIG_SECOND);
        late = tries;
        rig_run(&rig, 300 * RIG_SECOND);
        CU_ASSERT_TRUE(tries > late); /* still */
        rig.loses = NULL;
        rig_run(&rig, 200 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        CU_ASSERT_STRING_EQUAL(rig_tunnel(rig.site, 0).reason, "");
    }
    rig_close(&rig);
}

static void a_cut_path_is_noticed_and_named(void)
{
    static struct rig rig;

    if (rig_up(&rig, &bgp)) {
        rig.loses = lose_all;
        rig_run(&rig, 120 * RIG_SECOND);
        CU_ASSERT_FALSE(rig_tunnel(rig.cloud, 0).up);
        CU_ASSERT_FALSE(rig_tunnel(rig.site, 0).up);
        CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 0).phase, S2SVPN_TUNNEL_IDLE);
        CU_ASSERT_TRUE(strstr(rig_tunnel(rig.cloud, 0).reason, "liveness") != NULL);
        rig.loses = NULL;
        rig_run(&rig, 200 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
    }
    rig_close(&rig);
}

/* startup_action start: the cloud's side calls. */
static void a_gateway_that_starts_brings_its_tunnels_up(void)
{
    const struct rig_plan plan = {.tunnel = {.startup_action = S2SVPN_STARTUP_START}};
    static struct rig rig;

    if (rig_open(&rig, &plan) == S2SVPN_OK) {
        rig_run(&rig, 60 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        CU_ASSERT_TRUE(rig_tunnel(rig.cloud, 0).initiator);
    }
    rig_close(&rig);
}

/* ---- children */

static void rekeying_replaces_the_child_and_loses_nothing(void)
{
    static struct rig rig;
    static uint8_t p[PACKET_ROOM];

    if (rig_up(&rig, &bgp)) {
        const struct packet_spec spec = {.payload = 100};
        const size_t len = packet_write(p, &spec);
        const s2svpn_tunnel_info before = rig_tunnel(rig.site, 0);
        s2svpn_tunnel_info after;

        for (size_t i = 1; i <= 10; i++) {
            s2svpn_tunnel *t = s2svpn_connection_tunnel(i % 2 ? rig.site : rig.cloud, 0);

            CU_ASSERT_EQUAL(s2svpn_tunnel_rekey(t), S2SVPN_OK);
            rig_send(&rig.device, p, len); /* before, under way and after */
            rig_pump(&rig);
            rig_send(&rig.device, p, len);
            rig_run(&rig, RIG_SECOND);
            rig_send(&rig.device, p, len);
            rig_pump(&rig);
            CU_ASSERT_EQUAL(rig.gateway.inside.count, 3 * i);
        }
        after = rig_tunnel(rig.site, 0);
        CU_ASSERT_NOT_EQUAL(after.spi_in, before.spi_in);
        CU_ASSERT_EQUAL(after.rekeys, 10);
        CU_ASSERT_EQUAL(after.spi_out, rig_tunnel(rig.cloud, 0).spi_in);
        rig_run(&rig, 30 * RIG_SECOND);
        /* one a tunnel is left */
        CU_ASSERT_PTR_EQUAL(s2svpn_connection_tunnel(rig.site, 0)->children.next->next,
                            &s2svpn_connection_tunnel(rig.site, 0)->children);
        CU_ASSERT_PTR_EQUAL(s2svpn_connection_tunnel(rig.cloud, 0)->children.next->next,
                            &s2svpn_connection_tunnel(rig.cloud, 0)->children);
    }
    rig_close(&rig);
}

static void a_tunnel_without_a_child_is_not_rekeyed(void)
{
    static struct rig rig;

    if (rig_open(&rig, &bgp) == S2SVPN_OK)
        rig_check_error(rig.device.ctx, s2svpn_tunnel_rekey(s2svpn_connection_tunnel(rig.site, 0)),
                        S2SVPN_E_STATE, "", "no child");
    rig_close(&rig);
}

/* A child of the old one's keys, under the IKE SA that stayed. */
static bool another_child(s2svpn_context *ctx, s2svpn_tunnel *t, uint64_t now_ns)
{
    static const uint8_t key[36] = {1, 2, 3};
    const s2svpn_tunnel_info info = {.size = sizeof(info)};
    struct s2_ike_child k = {.spi_in = s2_spi_take(ctx),
                             .spi_out = 0x12345678,
                             .encr = S2SVPN_ENCR_AES_GCM_16,
                             .key_bits = 256,
                             .encr_key_in = {key, 36},
                             .encr_key_out = {key, 36},
                             .local = t->ike.local_natt,
                             .remote = {.address = t->ike.remote, .port = 4500},
                             .local_ts_count = 1,
                             .remote_ts_count = 1};

    (void)info;
    k.local_ts[0] =
        (struct s2_ike_ts){.family = 4, .last_port = 65535, .last = {255, 255, 255, 255}};
    k.remote_ts[0] = k.local_ts[0];
    return ctx->ike->ops.child_up(ctx->ike->user, t, &k, now_ns);
}

/* The peer deletes the child, keeps the IKE SA, and makes another later. */
static void a_tunnel_whose_child_goes_alone_comes_up_with_the_next(void)
{
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        s2svpn_context *ctx = rig.gateway.ctx;
        s2svpn_tunnel *t = s2svpn_connection_tunnel(rig.cloud, 0);
        s2svpn_tunnel_info info = rig_tunnel(rig.cloud, 0);

        s2_enter(ctx, rig.now_ns);
        ctx->ike->ops.child_down(ctx->ike->user, t, info.spi_in, S2_IKE_REASON_PEER_DELETE,
                                 rig.now_ns);
        s2_leave(ctx);
        info = rig_tunnel(rig.cloud, 0);
        CU_ASSERT_FALSE(info.up);
        CU_ASSERT_EQUAL(info.phase, S2SVPN_TUNNEL_NEGOTIATING);
        CU_ASSERT_STRING_EQUAL(info.reason, "closed by the peer");
        s2_enter(ctx, rig.now_ns);
        CU_ASSERT_TRUE(another_child(ctx, t, rig.now_ns));
        s2_leave(ctx);
        info = rig_tunnel(rig.cloud, 0);
        CU_ASSERT_TRUE(info.up);
        CU_ASSERT_EQUAL(info.phase, S2SVPN_TUNNEL_UP);
        CU_ASSERT_STRING_EQUAL(info.reason, "");
        CU_ASSERT_STRING_EQUAL(info.esp_algorithms, "AES_GCM_16_256");
    }
    rig_close(&rig);
}

/* The engine's soft limit, which no clock knows of. */
static void a_child_that_is_worn_out_is_rekeyed(void)
{
    static struct rig rig;
    static uint8_t p[PACKET_ROOM];

    if (rig_up(&rig, &static_routes)) {
        const struct packet_spec spec = {.payload = 100};
        const size_t len = packet_write(p, &spec);
        struct s2_esp_sa *sa = s2_child_current(s2svpn_connection_tunnel(rig.site, 0))->out->esp;
        const uint32_t before = rig_tunnel(rig.site, 0).spi_in;

        sa->soft_packets = sa->seq + 2;
        for (size_t i = 0; i < 5; i++)
            rig_send(&rig.device, p, len);
        rig_run(&rig, RIG_SECOND);
        CU_ASSERT_NOT_EQUAL(rig_tunnel(rig.site, 0).spi_in, before);
        CU_ASSERT_EQUAL(rig_tunnel(rig.site, 0).rekeys, 1);
        CU_ASSERT_EQUAL(rig.gateway.inside.count, 5);
    }
    rig_close(&rig);
}

static uint16_t nat_port;

static void translate(struct rig *rig, s2svpn_datagram *d)
{
    (void)rig;
    if (d->remote.address.bytes[0] == 203 && nat_port != 0)
        d->remote.port = nat_port;
}

/* A NAT forgets the device's port and gives it another: answers follow. */
static void packets_follow_a_peer_that_moves(void)
{
    static struct rig rig;
    static uint8_t p[PACKET_ROOM];

    nat_port = 40001;
    CU_ASSERT_EQUAL(rig_open(&rig, &static_routes), S2SVPN_OK);
    rig.translates = translate;
    CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
    rig_run(&rig, 30 * RIG_SECOND);
    if (rig_both_up(&rig)) {
        const struct packet_spec spec = {
            .from = "10.0.1.10", .to = "192.168.10.20", .payload = 100};
        const size_t len = packet_write(p, &spec);

        CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 0).remote.port, 40001);
        nat_port = 40002;
        CU_ASSERT_EQUAL(s2svpn_tunnel_rekey(s2svpn_connection_tunnel(rig.site, 0)), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND);
        CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 0).remote.port, 40002);
        rig_send(&rig.gateway, p, len);
        CU_ASSERT_EQUAL(rig.gateway.outside.count, 1);
        if (rig.gateway.outside.first)
            CU_ASSERT_EQUAL(rig.gateway.outside.first->datagram.remote.port, 40002);
        rig_run(&rig, 60 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
    }
    CU_ASSERT_TRUE(rig_both_up(&rig));
    rig_close(&rig);
}

/* ---- selectors */

static void narrowed_selectors_are_checked_at_both_ends(void)
{
    static const struct {
        const char *from, *to;
        bool passes;
    } rows[] = {
        {"192.168.10.20", "10.0.1.10", true},
        {"192.168.20.20", "10.0.1.10", false},
        {"192.168.10.0", "10.0.1.10", true},
        {"192.168.9.255", "10.0.1.10", false},
    };
    const struct rig_plan plan = {.static_routes = true,
                                  .customer_network = rig_prefix("192.168.10.0/24"),
                                  .cloud_network = rig_prefix("10.0.0.0/16")};
    static struct rig rig;
    static uint8_t p[PACKET_ROOM];

    if (rig_up(&rig, &plan)) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            const struct packet_spec spec = {.from = rows[i].from, .to = rows[i].to, .payload = 9};
            const size_t len = packet_write(p, &spec);

            for (unsigned lax = 0; lax < 2; lax++) { /* a device that doesn't check, too */
                s2svpn_context *refuses = lax ? rig.gateway.ctx : rig.device.ctx;
                const uint64_t drops = s2svpn_context_drops(refuses, S2SVPN_DROP_INNER_SELECTOR);

                s2_child_current(s2svpn_connection_tunnel(rig.site, 0))->selectors.any =
                    lax ? 4 : 0;
                rig_send(&rig.device, p, len);
                rig_pump(&rig);
                CHECK_ROW(rows[i].from, (rig.gateway.inside.count == 1) == rows[i].passes);
                CHECK_ROW(rows[i].from, s2svpn_context_drops(refuses, S2SVPN_DROP_INNER_SELECTOR) ==
                                            drops + !rows[i].passes);
                rig_drop_all(&rig.gateway.inside);
            }
        }
    }
    rig_close(&rig);
}

/* ---- sources */

/* After a session has come back and not announced a prefix again, its addresses are no
 * sources any more. Hand-made: the engine's callbacks in the order of a restart. */
static void sources_go_with_the_prefixes_that_a_new_session_lacks(void)
{
    static struct rig rig;
    static uint8_t p[PACKET_ROOM];

    if (rig_up(&rig, &bgp)) {
        const struct packet_spec spec = {.payload = 100};
        const size_t len = packet_write(p, &spec);
        const s2svpn_prefix lan = rig_prefix("192.168.0.0/16"), other = rig_prefix("172.20.0.0/16");
        s2svpn_port_spec second = S2SVPN_PORT_INIT;
        s2svpn_port *port = NULL;
        uint64_t refused;

        rig_send(&rig.device, p, len);
        rig_pump(&rig);
        CU_ASSERT_EQUAL(rig.gateway.inside.count, 1);
        /* The device comes back with another LAN. */
        CU_ASSERT_EQUAL(s2svpn_connection_stop(rig.site), S2SVPN_OK);
        rig_run(&rig, RIG_SECOND);
        CU_ASSERT_TRUE(s2_fib_get(rig.cloud->sources, &lan) != 0); /* survives interruption */
        CU_ASSERT_EQUAL(s2svpn_port_delete(rig.device.port), S2SVPN_OK);
        second.prefix = &other;
        second.prefix_count = 1;
        CU_ASSERT_EQUAL(s2svpn_port_new(rig.device.ctx, &second, &port), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
        rig_run(&rig, 60 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        CU_ASSERT_TRUE(s2_fib_get(rig.cloud->sources, &other) != 0);
        CU_ASSERT_EQUAL(s2_fib_get(rig.cloud->sources, &lan), 0);
        refused = s2svpn_context_drops(rig.gateway.ctx, S2SVPN_DROP_INNER_SOURCE);
        {
            const s2svpn_packet packet = {.data = p, .len = (uint32_t)len};

            rig_send_packets(&rig.device, s2svpn_port_number(port), &packet, 1);
        }
        rig_pump(&rig);
        CU_ASSERT_EQUAL(s2svpn_context_drops(rig.gateway.ctx, S2SVPN_DROP_INNER_SOURCE),
                        refused + 1);
        s2svpn_port_release(port);
    }
    rig_close(&rig);
}

/* Does the gateway send by its first tunnel? */
static bool goes_by_the_first(struct rig *rig)
{
    static uint8_t p[PACKET_ROOM];
    const struct packet_spec spec = {.from = "10.0.1.10", .to = "192.168.10.20", .payload = 100};
    const uint64_t before = rig_tunnel(rig->cloud, 0).packets_out;

    rig_send(&rig->gateway, p, packet_write(p, &spec));
    rig_pump(rig);
    return rig_tunnel(rig->cloud, 0).packets_out > before;
}

static void the_peer_sends(struct rig *rig)
{
    static uint8_t p[PACKET_ROOM];
    const struct packet_spec spec = {.payload = 100};

    rig_send(&rig->device, p, packet_write(p, &spec));
    rig_pump(rig);
}

static void time_passes(struct rig *rig)
{
    rig_run(rig, 3 * RIG_SECOND);
}

static void the_other_tunnel_goes(struct rig *rig)
{
    CU_ASSERT_EQUAL(s2svpn_tunnel_reset(s2svpn_connection_tunnel(rig->cloud, 1)), S2SVPN_OK);
    rig_pump(rig);
}

static void a_static_route_stays_until_the_peer_has_the_new_child(void)
{
    static void (*const ends[])(struct rig *) = {the_peer_sends, time_passes,
                                                 the_other_tunnel_goes};
    static struct rig rig;

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (rig_up(&rig, &static_routes)) {
            rig_run(&rig, 5 * RIG_SECOND);
            CU_ASSERT_TRUE(goes_by_the_first(&rig));
            CU_ASSERT_EQUAL(s2svpn_tunnel_reset(s2svpn_connection_tunnel(rig.site, 0)), S2SVPN_OK);
            for (unsigned k = 0; k < 200 && (k == 0 || !rig_both_up(&rig)); k++)
                rig_run(&rig, RIG_SECOND / 10);
            CU_ASSERT_TRUE(rig_both_up(&rig));
            CU_ASSERT_FALSE(goes_by_the_first(&rig));
            ends[i](&rig);
            CU_ASSERT_TRUE(goes_by_the_first(&rig));
        }
        rig_close(&rig);
    }
}

const CU_TestInfo s2_test_tunnel[] = {
    {"phases have words", phases_have_words},
    {"a tunnel that is up says how", a_tunnel_that_is_up_says_how},
    {"a device that is exact offers the document alone",
     a_device_that_is_exact_offers_the_document_alone},
    {"a tunnel that is down stays visible", a_tunnel_that_is_down_stays_visible},
    {"stop is polite, and answers nobody until start",
     stop_is_polite_and_answers_nobody_until_start},
    {"the last word of BGP leaves before the tunnel goes",
     the_last_word_of_bgp_leaves_before_the_tunnel_goes},
    {"reset comes back where this side starts", reset_comes_back_where_this_side_starts},
    {"an unanswered tunnel is tried for ever with back-off",
     an_unanswered_tunnel_is_tried_for_ever_with_back_off},
    {"a cut path is noticed and named", a_cut_path_is_noticed_and_named},
    {"a gateway that starts brings its tunnels up", a_gateway_that_starts_brings_its_tunnels_up},
    {"rekeying replaces the child and loses nothing",
     rekeying_replaces_the_child_and_loses_nothing},
    {"a child that is worn out is rekeyed", a_child_that_is_worn_out_is_rekeyed},
    {"packets follow a peer that moves", packets_follow_a_peer_that_moves},
    {"narrowed selectors are checked at both ends", narrowed_selectors_are_checked_at_both_ends},
    {"a tunnel without a child is not rekeyed", a_tunnel_without_a_child_is_not_rekeyed},
    {"a tunnel whose child goes alone comes up with the next",
     a_tunnel_whose_child_goes_alone_comes_up_with_the_next},
    {"sources go with the prefixes that a new session lacks",
     sources_go_with_the_prefixes_that_a_new_session_lacks},
    {"a static route stays until the peer has the new child",
     a_static_route_stays_until_the_peer_has_the_new_child},
    CU_TEST_INFO_NULL,
};
