/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn's data path: every reason for which it drops a packet is counted once and no
 * other with it; ICMP errors, and how many of them. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

static const struct rig_plan static_routes = {.static_routes = true};

/* ---- helpers: one packet, from here or there */

static void send(struct rig_side *side, const struct packet_spec *spec)
{
    uint8_t p[PACKET_ROOM];
    const size_t len = packet_write(p, spec);

    rig_send(side, p, len);
}

static void from_host(struct rig *rig, const char *from, const char *to, uint8_t ttl)
{
    const struct packet_spec spec = {.from = from, .to = to, .ttl = ttl, .payload = 50};

    send(&rig->device, &spec);
}

static void from_instance(struct rig *rig, const char *to, uint8_t ttl)
{
    const struct packet_spec spec = {.from = "10.0.1.10", .to = to, .ttl = ttl, .payload = 50};

    send(&rig->gateway, &spec);
}

/* Bytes to the gateway, as if from its peer of tunnel 0. */
static void outside(struct rig *rig, const uint8_t *p, size_t len)
{
    const s2svpn_tunnel_info info = rig_tunnel(rig->cloud, 0);
    uint8_t *copy = malloc(len > 0 ? len : 1);
    s2svpn_datagram d = {
        .local = info.local, .remote = info.remote, .data = copy, .len = (uint32_t)len};

    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    if (len > 0)
        memcpy(copy, p, len);
    s2svpn_receive_outside(s2svpn_context_worker(rig->gateway.ctx, 0), &d, 1, rig->now_ns);
    free(copy);
}

static struct s2_esp_sa *site_out(struct rig *rig)
{
    return s2_child_current(s2svpn_connection_tunnel(rig->site, 0))->out->esp;
}

/* Anything, sealed with the device's keys. */
static void sealed(struct rig *rig, const uint8_t *p, size_t len, uint8_t next_header)
{
    struct s2_esp_lane *lane = calloc(1, sizeof(*lane));
    uint8_t out[2000];
    struct s2_esp_seal v = {.sa = site_out(rig),
                            .piece = {{p, len}, {NULL, 0}},
                            .out = out,
                            .room = sizeof(out),
                            .next_header = next_header};

    CU_ASSERT_PTR_NOT_NULL_FATAL(lane);
    CU_ASSERT_EQUAL(s2_esp_lane_init(lane, &rig->device.crypto, &rig->device), S2SVPN_OK);
    s2_esp_seal(lane, &v, 1, rig->now_ns);
    CU_ASSERT_EQUAL(v.drop, S2SVPN_DROP_NONE);
    outside(rig, out, v.len);
    s2_esp_lane_clear(lane);
    free(lane);
}

/* What the device sends next, changed. */
static void changed(struct rig *rig, size_t at, uint8_t mask)
{
    struct rig_item *item;

    rig_pump(rig);
    from_host(rig, NULL, NULL, 64);
    item = rig_take(&rig->device.outside);
    CU_ASSERT_PTR_NOT_NULL_FATAL(item);
    item->data[at < item->len ? at : item->len - 1] ^= mask;
    rig_deliver(rig, &rig->gateway, item);
    rig_item_free(item);
}

/* ---- the reasons */

static void no_port(struct rig *rig)
{
    uint8_t byte[20] = {0x45};
    const s2svpn_packet p = {.data = byte, .len = 20};

    rig_send_packets(&rig->gateway, 99, &p, 1);
}

static void malformed_plain(struct rig *rig)
{
    static const uint8_t short_one[19] = {0x45};

    rig_send(&rig->device, short_one, sizeof(short_one));
}

static void no_route(struct rig *rig)
{
    from_instance(rig, "8.8.8.8", 64);
}

static void blackhole(struct rig *rig)
{
    from_instance(rig, "10.0.2.2", 64);
}

static void no_path(struct rig *rig)
{
    CU_ASSERT_EQUAL(s2svpn_connection_stop(rig->cloud), S2SVPN_OK);
    rig_pump(rig);
    from_instance(rig, "192.168.10.20", 64);
    CU_ASSERT_EQUAL(s2svpn_connection_start(rig->cloud), S2SVPN_OK);
    for (size_t i = 0; i < 120 && !rig_both_up(rig); i++)
        rig_run(rig, RIG_SECOND);
}

static void no_child(struct rig *rig)
{
    s2svpn_tunnel *t = s2svpn_connection_tunnel(rig->site, 0);
    struct s2_sa_out *out = atomic_load(&t->out);

    atomic_store(&t->out, NULL);
    from_host(rig, NULL, NULL, 64);
    atomic_store(&t->out, out);
}

static void ttl_at_the_port(struct rig *rig)
{
    from_host(rig, NULL, NULL, 1);
}

static void ttl_out_of_the_tunnel(struct rig *rig)
{
    from_host(rig, NULL, NULL, 2); /* 1 in the tunnel */
    rig_pump(rig);
}

static void foreign_source(struct rig *rig)
{
    from_host(rig, "172.16.0.1", NULL, 64);
    rig_pump(rig);
}

static void selector_out(struct rig *rig)
{
    const struct packet_spec spec = {.from = "fd00::1", .to = "fd00::2", .payload = 50};
    const s2svpn_prefix all = rig_prefix("fd00::/8");

    CU_ASSERT_EQUAL(
        s2_fib_set(rig->device.ctx->device->fib, &all,
                   s2_target_make(s2svpn_connection_tunnel(rig->site, 0), S2_TARGET_TUNNEL)),
        S2SVPN_OK);
    send(&rig->device, &spec);
    s2_fib_unset(rig->device.ctx->device->fib, &all);
}

static void selector_in(struct rig *rig)
{
    const struct packet_spec spec = {.from = "fd00::1", .to = "fd00::2", .payload = 50};
    static uint8_t p[PACKET_ROOM];
    const size_t len = packet_write(p, &spec);

    sealed(rig, p, len, 41);
}

static void malformed_inner(struct rig *rig)
{
    static const uint8_t zeros[40];

    sealed(rig, zeros, sizeof(zeros), 4);
}

static void wrong_version(struct rig *rig)
{
    const struct packet_spec spec = {.payload = 50};
    static uint8_t p[PACKET_ROOM];
    const size_t len = packet_write(p, &spec);

    sealed(rig, p, len, 41);
}

static void next_header(struct rig *rig)
{
    static const uint8_t zeros[40];

    sealed(rig, zeros, sizeof(zeros), 17);
}

static void dummy(struct rig *rig)
{
    static const uint8_t zeros[40];

    sealed(rig, zeros, sizeof(zeros), 59);
}

static void unknown_spi(struct rig *rig)
{
    changed(rig, 0, 0xff);
}

/* The same slot, and another random half. */
static void unknown_high_half(struct rig *rig)
{
    changed(rig, 1, 0x01);
}

static void bad_icv(struct rig *rig)
{
    changed(rig, SIZE_MAX, 0x80);
}

static void bad_ciphertext(struct rig *rig)
{
    changed(rig, 50, 0x01);
}

static void replay(struct rig *rig)
{
    struct rig_item *item;

    from_host(rig, NULL, NULL, 64);
    item = rig_take(&rig->device.outside);
    CU_ASSERT_PTR_NOT_NULL_FATAL(item);
    rig_deliver(rig, &rig->gateway, item);
    rig_deliver(rig, &rig->gateway, item);
    rig_item_free(item);
}

static void too_short_for_anything(struct rig *rig)
{
    static const uint8_t three[3] = {1, 2, 3};

    outside(rig, three, sizeof(three));
}

static void empty(struct rig *rig)
{
    outside(rig, NULL, 0);
}

/* SPI and sequence number, and no room for an IV. */
static void too_short_for_esp(struct rig *rig)
{
    uint8_t p[12] = {0};

    packet_put16(p, (uint16_t)(site_out(rig)->spi >> 16));
    packet_put16(p + 2, (uint16_t)site_out(rig)->spi);
    p[7] = 200;
    outside(rig, p, sizeof(p));
}

static void unknown_local(struct rig *rig)
{
    uint8_t p[32] = {0};
    s2svpn_datagram d = {
        .local = {.address = rig_address("192.0.2.9"), .port = 500, .role = S2SVPN_ROLE_IKE},
        .remote = {.address = rig_address("203.0.113.7"), .port = 500},
        .data = p,
        .len = sizeof(p)};

    s2svpn_receive_outside(s2svpn_context_worker(rig->gateway.ctx, 0), &d, 1, rig->now_ns);
}

static void unknown_role(struct rig *rig)
{
    uint8_t p[32] = {0};
    s2svpn_datagram d = {.local = {.address = rig_address("198.51.100.1"), .port = 1, .role = 9},
                         .remote = {.address = rig_address("203.0.113.7"), .port = 500},
                         .data = p,
                         .len = sizeof(p)};

    s2svpn_receive_outside(s2svpn_context_worker(rig->gateway.ctx, 0), &d, 1, rig->now_ns);
}

static void ike_malformed(struct rig *rig)
{
    uint8_t p[4 + 28] = {0};

    p[4] = 1;         /* SPI */
    p[4 + 17] = 0x20; /* version 2 */
    p[4 + 18] = 34;   /* IKE_SA_INIT */
    p[4 + 19] = 8;    /* initiator */
    p[4 + 27] = 255;  /* longer than it is */
    outside(rig, p, sizeof(p));
}

static void ping_to_the_inside_with_a_wrong_protocol(struct rig *rig)
{
    const s2svpn_tunnel_info info = rig_tunnel(rig->cloud, 0);
    char from[S2SVPN_ADDRESS_TEXT], to[S2SVPN_ADDRESS_TEXT];
    const struct packet_spec spec = {.from = s2svpn_address_print(&info.inside_remote, from),
                                     .to = s2svpn_address_print(&info.inside_local, to),
                                     .protocol = 99,
                                     .payload = 20};
    static uint8_t p[PACKET_ROOM];
    const size_t len = packet_write(p, &spec);

    sealed(rig, p, len, 4);
}

static void outside_busy(struct rig *rig)
{
    rig->device.take_outside = 0;
    from_host(rig, NULL, NULL, 64);
    rig->device.take_outside = SIZE_MAX;
}

static void inside_busy(struct rig *rig)
{
    rig->gateway.take_inside = 0;
    from_host(rig, NULL, NULL, 64);
    rig_pump(rig);
    rig->gateway.take_inside = SIZE_MAX;
}

static void refuse(void *user, void *worker, s2svpn_esp_op *ops, size_t n)
{
    (void)user;
    (void)worker;
    for (size_t i = 0; i < n; i++)
        ops[i].result = S2SVPN_ESP_REFUSED;
}

static void backend_refuses(struct rig *rig)
{
    rig->device.crypto.esp_seal = refuse;
    from_host(rig, NULL, NULL, 64);
    rig->device.crypto.esp_seal = s2svpn_crypto_openssl()->esp_seal;
}

static void hard_limit(struct rig *rig)
{
    struct s2_esp_sa *sa = site_out(rig);
    const uint64_t hard = sa->hard_packets;

    sa->hard_packets = sa->seq;
    from_host(rig, NULL, NULL, 64);
    sa->hard_packets = hard;
}

static void sequence_exhausted(struct rig *rig)
{
    struct s2_esp_sa *sa = site_out(rig);
    const uint64_t seq = sa->seq;

    sa->seq = UINT32_MAX;
    sa->hard_packets = UINT64_MAX;
    sa->soft_reported = true;
    from_host(rig, NULL, NULL, 64);
    sa->seq = seq;
}

/* Parts of a UDP superpacket that no ring and no lane could hold. */
static void parts_beyond_all_bounds(struct rig *rig)
{
    const struct packet_spec spec = {.payload = 30000, .no_checksum = true};
    static uint8_t p[PACKET_ROOM];
    s2svpn_packet packet = {.data = p,
                            .gso_type = S2SVPN_GSO_UDP_L4,
                            .gso_size = 15000,
                            .hdr_len = 28,
                            .needs_checksum = true,
                            .csum_start = 20,
                            .csum_offset = 6};

    packet.len = (uint32_t)packet_write(p, &spec);
    rig_send_packets(&rig->device, s2svpn_port_number(rig->device.port), &packet, 1);
}

static void another_ones_source(struct rig *rig)
{
    const struct packet_spec spec = {.from = "10.0.1.11", .to = "192.168.10.20", .payload = 64};
    static uint8_t p[PACKET_ROOM];

    rig_send(&rig->gateway, p, packet_write(p, &spec));
}

static const struct {
    const char *name;
    enum s2svpn_drop drop;
    bool at_device; /* else at the gateway */
    void (*send)(struct rig *rig);
} rows[] = {
    {"an unknown port", S2SVPN_DROP_NO_PORT, false, no_port},
    {"another one's source at the port", S2SVPN_DROP_SOURCE_DEST_CHECK, false, another_ones_source},
    {"a malformed plain packet", S2SVPN_DROP_INNER_MALFORMED, true, malformed_plain},
    {"no route", S2SVPN_DROP_NO_ROUTE, false, no_route},
    {"an address that nobody has", S2SVPN_DROP_BLACKHOLE, false, blackhole},
    {"a route without a tunnel", S2SVPN_DROP_NO_PATH, false, no_path},
    {"a tunnel without a child", S2SVPN_DROP_NO_CHILD, true, no_child},
    {"TTL 1 at the port", S2SVPN_DROP_TTL, true, ttl_at_the_port},
    {"TTL 1 out of the tunnel", S2SVPN_DROP_TTL, false, ttl_out_of_the_tunnel},
    {"a source without a route", S2SVPN_DROP_INNER_SOURCE, false, foreign_source},
    {"outside the selectors, out", S2SVPN_DROP_INNER_SELECTOR, true, selector_out},
    {"outside the selectors, in", S2SVPN_DROP_INNER_SELECTOR, false, selector_in},
    {"a malformed inner packet", S2SVPN_DROP_INNER_MALFORMED, false, malformed_inner},
    {"IPv4 that calls itself IPv6", S2SVPN_DROP_INNER_MALFORMED, false, wrong_version},
    {"a next header that is no IP", S2SVPN_DROP_ESP_NEXT_HEADER, false, next_header},
    {"a dummy", S2SVPN_DROP_ESP_DUMMY, false, dummy},
    {"an unknown SPI", S2SVPN_DROP_ESP_UNKNOWN_SPI, false, unknown_spi},
    {"an SPI of another time", S2SVPN_DROP_ESP_UNKNOWN_SPI, false, unknown_high_half},
    {"a wrong ICV", S2SVPN_DROP_ESP_AUTHENTICATION, false, bad_icv},
    {"a changed byte", S2SVPN_DROP_ESP_AUTHENTICATION, false, bad_ciphertext},
    {"a replay", S2SVPN_DROP_ESP_REPLAY, false, replay},
    {"three bytes", S2SVPN_DROP_OUTSIDE_SHORT, false, too_short_for_anything},
    {"an empty datagram", S2SVPN_DROP_OUTSIDE_SHORT, false, empty},
    {"an ESP packet without IV", S2SVPN_DROP_ESP_SHORT, false, too_short_for_esp},
    {"IKE to an address that isn't ours", S2SVPN_DROP_OUTSIDE_UNKNOWN, false, unknown_local},
    {"a role that there isn't", S2SVPN_DROP_OUTSIDE_UNKNOWN, false, unknown_role},
    {"malformed IKE", S2SVPN_DROP_IKE_MALFORMED, false, ike_malformed},
    {"not for the in-tunnel host", S2SVPN_DROP_HOST, false,
     ping_to_the_inside_with_a_wrong_protocol},
    {"the host takes nothing outside", S2SVPN_DROP_IO_BUSY, true, outside_busy},
    {"the host takes nothing inside", S2SVPN_DROP_IO_BUSY, false, inside_busy},
    {"the backend refuses", S2SVPN_DROP_ESP_BACKEND, true, backend_refuses},
    {"the hard limit", S2SVPN_DROP_ESP_LIMIT, true, hard_limit},
    {"parts beyond all bounds", S2SVPN_DROP_TOO_BIG, true, parts_beyond_all_bounds},
    {"no sequence number is left", S2SVPN_DROP_ESP_SEQUENCE, true, sequence_exhausted},
};

static void each_reason_is_counted_once_and_alone(void)
{
    static struct rig rig;
    uint64_t before[2][S2SVPN_DROP_COUNT];

    if (!rig_up(&rig, &static_routes)) {
        rig_close(&rig);
        return;
    }
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        const s2svpn_context *ctx[] = {rig.gateway.ctx, rig.device.ctx};

        rig_pump(&rig);
        for (unsigned side = 0; side < 2; side++) {
            for (unsigned i = 0; i < S2SVPN_DROP_COUNT; i++)
                before[side][i] = s2svpn_context_drops(ctx[side], (enum s2svpn_drop)i);
        }
        rows[r].send(&rig);
        for (unsigned side = 0; side < 2; side++) {
            for (unsigned i = 0; i < S2SVPN_DROP_COUNT; i++) {
                const uint64_t n =
                    s2svpn_context_drops(ctx[side], (enum s2svpn_drop)i) - before[side][i];

                CHECK_ROW(rows[r].name, n == (i == (unsigned)rows[r].drop &&
                                              side == (rows[r].at_device ? 1u : 0u)));
            }
        }
        rig_drop_all(&rig.gateway.inside);
        rig_drop_all(&rig.device.inside);
    }
    rig_close(&rig);
}

static void a_number_that_is_no_reason_counts_nothing(void)
{
    static struct rig rig;

    if (rig_open(&rig, &static_routes) == S2SVPN_OK)
        CU_ASSERT_EQUAL(s2svpn_context_drops(rig.gateway.ctx, S2SVPN_DROP_COUNT), 0);
    rig_close(&rig);
}

static void a_keepalive_is_no_packet_and_no_drop(void)
{
    static struct rig rig;
    static const uint8_t keepalive = 0xff;
    uint64_t drops = 0;

    if (rig_up(&rig, &static_routes)) {
        for (unsigned i = 1; i < S2SVPN_DROP_COUNT; i++)
            drops -= s2svpn_context_drops(rig.gateway.ctx, (enum s2svpn_drop)i);
        outside(&rig, &keepalive, 1);
        for (unsigned i = 1; i < S2SVPN_DROP_COUNT; i++)
            drops += s2svpn_context_drops(rig.gateway.ctx, (enum s2svpn_drop)i);
        CU_ASSERT_EQUAL(drops, 0);
        CU_ASSERT_EQUAL(rig.gateway.outside.count, 0);
    }
    rig_close(&rig);
}

/* ---- ICMP errors */

static void errors_come_from_the_router_and_quote_the_packet(void)
{
    static const struct {
        const char *name, *to;
        uint8_t ttl, type, code;
    } errors[] = {
        {"time exceeded", "192.168.10.20", 1, 11, 0},
        {"no route", "8.8.8.8", 64, 3, 0},
        {"nobody has the address", "10.0.2.2", 64, 3, 0},
    };
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
            struct rig_item *item;

            from_instance(&rig, errors[i].to, errors[i].ttl);
            item = rig_take(&rig.gateway.inside);
            CHECK_ROW(errors[i].name, item != NULL);
            if (item == NULL)
                continue;
            CHECK_ROW(errors[i].name, packet_right(item->data, item->len));
            CHECK_ROW(errors[i].name, packet_get32(item->data + 12) == 0x0a000101); /* .1.1 */
            CHECK_ROW(errors[i].name, packet_get32(item->data + 16) == 0x0a00010a);
            CHECK_ROW(errors[i].name, item->data[20] == errors[i].type);
            CHECK_ROW(errors[i].name, item->data[21] == errors[i].code || errors[i].type == 3);
            CHECK_ROW(errors[i].name, packet_get32(item->data + 28 + 12) == 0x0a00010a);
            CHECK_ROW(errors[i].name, item->port == s2svpn_port_number(rig.gateway.port));
            rig_item_free(item);
        }
        CU_ASSERT_EQUAL(rig.gateway.inside.count, 0);
    }
    rig_close(&rig);
}

/* RFC 1812 section 4.3.2.8. */
static void errors_are_a_hundred_a_second(void)
{
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        for (size_t i = 0; i < 300; i++)
            from_instance(&rig, "8.8.8.8", 64);
        CU_ASSERT_EQUAL(rig.gateway.inside.count, 100);
        rig_drop_all(&rig.gateway.inside);
        rig.now_ns += RIG_SECOND / 10;
        for (size_t i = 0; i < 300; i++)
            from_instance(&rig, "8.8.8.8", 64);
        CU_ASSERT_EQUAL(rig.gateway.inside.count, 10);
        rig_drop_all(&rig.gateway.inside);
        rig.now_ns += 60 * RIG_SECOND;
        for (size_t i = 0; i < 300; i++)
            from_instance(&rig, "8.8.8.8", 64);
        CU_ASSERT_EQUAL(rig.gateway.inside.count, 100);
        CU_ASSERT_EQUAL(s2svpn_context_drops(rig.gateway.ctx, S2SVPN_DROP_NO_ROUTE), 900);
    }
    rig_close(&rig);
}

const CU_TestInfo s2_test_drops[] = {
    {"each reason is counted once and alone", each_reason_is_counted_once_and_alone},
    {"a number that is no reason counts nothing", a_number_that_is_no_reason_counts_nothing},
    {"a keepalive is no packet and no drop", a_keepalive_is_no_packet_and_no_drop},
    {"errors come from the router and quote the packet",
     errors_come_from_the_router_and_quote_the_packet},
    {"errors are a hundred a second", errors_are_a_hundred_a_second},
    CU_TEST_INFO_NULL,
};
