/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/path.c: what lowers the path's MTU, what doesn't, what follows of it, and how
 * it comes back. */
#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

static const struct rig_plan static_routes = {.static_routes = true};

static void too_big(struct rig *rig, const s2svpn_endpoint *local, const s2svpn_endpoint *remote,
                    uint32_t mtu)
{
    s2svpn_receive_outside_error(rig->gateway.ctx, local, remote, S2SVPN_IO_TOO_BIG, mtu,
                                 rig->now_ns);
}

static uint16_t mtu_of(const struct rig *rig)
{
    return rig_tunnel(rig->cloud, 0).mtu;
}

/* Only what comes from where the tunnel sends to, and within bounds. */
static void only_possible_messages_count(void)
{
    enum who { OURS, PORT, NO_PORT, ADDRESS, LOCAL_PORT, LOCAL_ROLE };
    static const struct {
        const char *name;
        enum who who;
        uint32_t mtu;
        bool counts;
    } rows[] = {
        {"no figure", OURS, 0, false},
        {"less than every path carries", OURS, 575, false},
        {"what it is already", OURS, 1500, false},
        {"more than it is", OURS, 9000, false},
        {"beyond all bounds", OURS, UINT32_MAX, false},
        {"another port of the peer", PORT, 1400, false},
        {"another address", ADDRESS, 1400, false},
        {"another port of ours", LOCAL_PORT, 1400, false},
        {"IKE's endpoint", LOCAL_ROLE, 1400, false},
        {"a narrow path", OURS, 1400, true},
        {"narrower, and the kernel itself says so", NO_PORT, 1390, true},
        {"narrower", OURS, 1300, true},
        {"a wider one later", OURS, 1400, false},
        {"the least", OURS, 576, true},
    };
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        const s2svpn_tunnel_info info = rig_tunnel(rig.cloud, 0);

        rig_run(&rig, 5 * RIG_SECOND); /* the first probe is over */
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            s2svpn_endpoint local = info.local, remote = info.remote;
            const uint16_t before = mtu_of(&rig);

            remote.port ^= rows[i].who == PORT;
            remote.port = rows[i].who == NO_PORT ? 0 : remote.port;
            remote.address.bytes[3] ^= rows[i].who == ADDRESS;
            local.port ^= rows[i].who == LOCAL_PORT;
            local.role = rows[i].who == LOCAL_ROLE ? S2SVPN_ROLE_IKE : local.role;
            too_big(&rig, &local, &remote, rows[i].mtu);
            CHECK_ROW(rows[i].name, (mtu_of(&rig) < before) == rows[i].counts);
            CHECK_ROW(rows[i].name, mtu_of(&rig) <= before);
        }
        CU_ASSERT_TRUE(rig_event_says(&rig.gateway, S2SVPN_EVENT_NOTE, "carries 576 bytes"));
        CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 1).mtu, info.mtu); /* another tunnel, another path */
    }
    rig_close(&rig);
}

/* An error about protocol 50 names no port. */
static void protocol_50_has_no_port_to_compare(void)
{
    const struct rig_plan plan = {.static_routes = true, .raw = true};
    static struct rig rig;

    if (rig_up(&rig, &plan)) {
        const s2svpn_tunnel_info info = rig_tunnel(rig.cloud, 0);

        CU_ASSERT_EQUAL(info.local.role, S2SVPN_ROLE_RAW);
        too_big(&rig, &info.local, &info.remote, 1400);
        CU_ASSERT_TRUE(mtu_of(&rig) < info.mtu);
    }
    rig_close(&rig);
}

/* The probe among what the gateway has sent; it is left in the queue. */
static const struct rig_item *find_probe(const struct rig *rig)
{
    for (const struct rig_item *d = rig->gateway.outside.first; d; d = d->next) {
        if (d->datagram.dont_fragment)
            return d;
    }
    return NULL;
}

/* One of full length with the DF bit, a second after the tunnel is up, and none with the
 * rekeys; it is no inner packet and nobody waits for an answer. */
static void a_probe_goes_when_the_tunnel_comes_up(void)
{
    static struct rig rig;
    const struct rig_item *probe = NULL;
    unsigned probes = 0;

    if (rig_open(&rig, &static_routes) == S2SVPN_OK &&
        s2svpn_connection_start(rig.site) == S2SVPN_OK) {
        for (size_t i = 0; i < 60 && !rig_both_up(&rig); i++)
            rig_pump(&rig);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        const uint64_t packets = rig_tunnel(rig.cloud, 0).packets_out;
        for (size_t i = 0; i < 50; i++) {
            rig.now_ns += RIG_SECOND / 20;
            s2svpn_advance(rig.gateway.ctx, rig.now_ns);
            probe = find_probe(&rig);
            probes += probe != NULL;
            if (probe) {
                CU_ASSERT_TRUE(probe->len + 28 <= 1500 && probe->len + 28 > 1500 - 16);
                CU_ASSERT_EQUAL(probe->datagram.segment, 0);
                CU_ASSERT_TRUE(i >= 15 && i <= 25);
            }
            rig_pump(&rig);
        }
        CU_ASSERT_TRUE(probes == 1 || probes == 2); /* of two tunnels */
        CU_ASSERT_EQUAL(s2svpn_context_drops(rig.device.ctx, S2SVPN_DROP_ESP_DUMMY), 2);
        CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 0).packets_out, packets);
        CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 0).mtu, rig_tunnel(rig.site, 0).mtu);
        CU_ASSERT_EQUAL(s2svpn_tunnel_rekey(s2svpn_connection_tunnel(rig.site, 0)), S2SVPN_OK);
        rig_run(&rig, 700 * RIG_SECOND);
        CU_ASSERT_EQUAL(s2svpn_context_drops(rig.device.ctx, S2SVPN_DROP_ESP_DUMMY), 2);
    }
    rig_close(&rig);
}

/* The answer to a probe is the only one that may raise what is known. */
static void a_probe_finds_a_wider_path(void)
{
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        const s2svpn_tunnel_info info = rig_tunnel(rig.cloud, 0);

        rig_run(&rig, 5 * RIG_SECOND);
        too_big(&rig, &info.local, &info.remote, 1300);
        too_big(&rig, &info.local, &info.remote, 1400);
        const uint16_t low = mtu_of(&rig);
        rig_run(&rig, 600 * RIG_SECOND + RIG_SECOND / 2); /* the probe is out */
        too_big(&rig, &info.local, &info.remote, 1400);
        const uint16_t wider = mtu_of(&rig);
        CU_ASSERT_TRUE(wider > low && wider < info.mtu);
        rig_run(&rig, 10 * RIG_SECOND);
        CU_ASSERT_EQUAL(mtu_of(&rig), wider);
        rig_run(&rig, 600 * RIG_SECOND);
        CU_ASSERT_EQUAL(mtu_of(&rig), info.mtu);
    }
    rig_close(&rig);
}

/* RFC 1191 section 6.3: after ten minutes it is tried again. */
static void it_comes_back_after_ten_minutes(void)
{
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        const s2svpn_tunnel_info info = rig_tunnel(rig.cloud, 0);

        too_big(&rig, &info.local, &info.remote, 1400);
        rig_run(&rig, 400 * RIG_SECOND);
        too_big(&rig, &info.local, &info.remote, 1300);
        const uint16_t low = mtu_of(&rig);
        rig_run(&rig, 599 * RIG_SECOND);
        CU_ASSERT_EQUAL(mtu_of(&rig), low);
        rig_run(&rig, 4 * RIG_SECOND); /* the probe, and no answer */
        CU_ASSERT_EQUAL(mtu_of(&rig), info.mtu);
        CU_ASSERT_TRUE(rig_event_says(&rig.gateway, S2SVPN_EVENT_NOTE, "carries 1500 bytes"));
        /* still narrow: it is told anew, and learnt anew */
        too_big(&rig, &info.local, &info.remote, 1300);
        CU_ASSERT_EQUAL(mtu_of(&rig), low);
    }
    rig_close(&rig);
}

/* What follows at once: the clamp, "too big" inside, fragments that fit. */
static void senders_inside_are_told(void)
{
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        const s2svpn_tunnel_info info = rig_tunnel(rig.cloud, 0);
        struct packet_spec spec = {.from = "10.0.1.10",
                                   .to = "192.168.10.20",
                                   .payload = info.mtu - 28u,
                                   .dont_fragment = true};
        const struct packet_spec syn = {.from = "10.0.1.10",
                                        .to = "192.168.10.20",
                                        .protocol = 6,
                                        .flags = TCP_SYN,
                                        .mss = 1460};
        static uint8_t p[PACKET_ROOM];
        struct rig_item *item;

        too_big(&rig, &info.local, &info.remote, 1400);
        const uint16_t mtu = mtu_of(&rig);
        CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 0).mss, mtu - 40);
        rig_send(&rig.gateway, p, packet_write(p, &spec));
        item = rig_take(&rig.gateway.inside);
        CU_ASSERT_PTR_NOT_NULL_FATAL(item);
        CU_ASSERT_TRUE(item->data[20] == 3 && item->data[21] == 4);
        CU_ASSERT_EQUAL(packet_get16(item->data + 26), mtu);
        rig_item_free(item);
        rig_send(&rig.gateway, p, packet_write(p, &syn));
        rig_pump(&rig);
        item = rig_take(&rig.device.inside);
        CU_ASSERT_PTR_NOT_NULL_FATAL(item);
        CU_ASSERT_EQUAL(packet_mss(item->data, item->len), mtu - 40);
        rig_item_free(item);
        spec.dont_fragment = false;
        rig_send(&rig.gateway, p, packet_write(p, &spec));
        for (const struct rig_item *d = rig.gateway.outside.first; d; d = d->next)
            CU_ASSERT_TRUE((d->datagram.segment ? d->datagram.segment : d->len) + 28u <= 1400);
        rig_pump(&rig);
        CU_ASSERT_EQUAL(rig.device.inside.count, 2);
    }
    rig_close(&rig);
}

static void a_new_start_forgets_it(void)
{
    static struct rig rig;

    if (rig_up(&rig, &static_routes)) {
        const s2svpn_tunnel_info info = rig_tunnel(rig.cloud, 0);

        too_big(&rig, &info.local, &info.remote, 1400);
        CU_ASSERT_EQUAL(s2svpn_tunnel_reset(s2svpn_connection_tunnel(rig.site, 0)), S2SVPN_OK);
        for (size_t i = 0; i < 60 && (i == 0 || !rig_both_up(&rig)); i++)
            rig_run(&rig, RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        CU_ASSERT_EQUAL(mtu_of(&rig), info.mtu);
    }
    rig_close(&rig);
}

const CU_TestInfo s2_test_path[] = {
    {"only possible messages count", only_possible_messages_count},
    {"protocol 50 has no port to compare", protocol_50_has_no_port_to_compare},
    {"a probe goes when the tunnel comes up", a_probe_goes_when_the_tunnel_comes_up},
    {"a probe finds a wider path", a_probe_finds_a_wider_path},
    {"it comes back after ten minutes", it_comes_back_after_ten_minutes},
    {"senders inside are told", senders_inside_are_told},
    {"a new start forgets it", a_new_start_forgets_it},
    CU_TEST_INFO_NULL,
};
