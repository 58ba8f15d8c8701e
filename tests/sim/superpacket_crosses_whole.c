/* SPDX-License-Identifier: Apache-2.0 */
/* A TCP superpacket that enters at the LAN, as a TUN device with vnet_hdr gives it,
 * crosses the tunnel in segments and comes out in the VPC as one. It does where trains
 * cross whole, in UDP; protocol 50 has none, and there every byte comes through. */
#include "scene.h"

#include <string.h>

#define PAYLOAD 40000u
#define SEGMENT 1300u

struct catch
{
    unsigned packets, supers;
    size_t payload; /* altogether */
    uint16_t gso_size, hdr_len;
    uint32_t longest;
    bool wrong, checksum_left;
};

static bool take(struct scene_side *side, const s2svpn_packet *p, size_t n)
{
    struct catch *c = side->taker_user;

    for (size_t i = 0; i < n; i++) {
        if (p[i].len < IPV4_LEN + TCP_LEN || p[i].data[9] != 6)
            return false;
        c->packets++;
        c->supers += p[i].gso_type == S2SVPN_GSO_TCPV4;
        c->payload += p[i].len - IPV4_LEN - TCP_LEN;
        c->longest = p[i].len > c->longest ? p[i].len : c->longest;
        c->gso_size = p[i].gso_size;
        c->hdr_len = p[i].hdr_len;
        c->checksum_left = p[i].needs_checksum;
        c->wrong = c->wrong || !packet_tcp_payload_is_right(p[i].data, p[i].len);
    }
    return true;
}

static s2svpn_packet superpacket(uint8_t *data, const struct scene_side *from,
                                 const struct scene_side *to)
{
    s2svpn_packet p = {.data = data,
                       .gso_type = S2SVPN_GSO_TCPV4,
                       .needs_checksum = true,
                       .hdr_len = IPV4_LEN + TCP_LEN,
                       .gso_size = SEGMENT,
                       .csum_start = IPV4_LEN,
                       .csum_offset = 16};

    p.len = (uint32_t)packet_tcp(data, from->address, to->address, 1000, PAYLOAD, true);
    return p;
}

static bool cross(struct scene *s, struct scene_side *from, struct scene_side *to,
                  struct catch *caught)
{
    static uint8_t data[IPV4_LEN + TCP_LEN + PAYLOAD];
    const s2svpn_packet p = superpacket(data, from, to);

    *caught = (struct catch){0};
    to->taker = take;
    to->taker_user = caught;
    bool ok = CHECK(s2svpn_sim_inject(from->node, from->port, &p, 1) == S2SVPN_OK);
    scene_run(s, SECOND);
    to->taker = NULL;
    return ok;
}

static void crosses(uint64_t seed, bool udp_only, bool up)
{
    struct scene_plan plan = SCENE_PLAN_INIT;
    struct catch c;
    struct scene s;

    plan.seed = seed;
    plan.udp_only = udp_only;
    plan.link.delay_ns = 10 * MILLISECOND;
    if (scene_bring_up(&s, &plan)) {
        scene_run(&s, SECOND);
        CHECK(cross(&s, up ? &s.device : &s.gateway, up ? &s.gateway : &s.device, &c));
        CHECK(!c.wrong && c.payload == PAYLOAD);
        if (scene_is_verbose())
            scene_say("%u packets, %u of them superpackets", c.packets, c.supers);
        if (udp_only && CHECK(c.packets == 1 && c.supers == 1)) {
            CHECK(c.gso_size == SEGMENT && c.hdr_len == IPV4_LEN + TCP_LEN);
            CHECK(c.longest == IPV4_LEN + TCP_LEN + PAYLOAD);
            CHECK(c.checksum_left);
        }
    }
    scene_close(&s);
}

static void up_in_udp(uint64_t seed)
{
    crosses(seed, true, true);
}

static void down_in_udp(uint64_t seed)
{
    crosses(seed, true, false);
}

static void up_as_protocol_50(uint64_t seed)
{
    crosses(seed, false, true);
}

static void down_as_protocol_50(uint64_t seed)
{
    crosses(seed, false, false);
}

/* A hole in the train: what is left comes through, in pieces, and no byte is wrong. */
static void a_lost_segment_costs_itself(uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;
    struct catch c;
    struct scene s;

    plan.seed = seed;
    plan.udp_only = true;
    plan.link.delay_ns = 10 * MILLISECOND;
    if (scene_bring_up(&s, &plan)) {
        s2svpn_sim_link lossy = plan.link;

        scene_run(&s, SECOND);
        lossy.loss_ppm = 100000;
        CHECK(s2svpn_sim_set_link(s.sim, NULL, NULL, &lossy) == S2SVPN_OK);
        CHECK(cross(&s, &s.device, &s.gateway, &c));
        CHECK(!c.wrong && c.packets >= 1);
        CHECK(c.payload > PAYLOAD / 2 && c.payload <= PAYLOAD);
        CHECK(c.payload % SEGMENT == 0 || c.payload % SEGMENT == PAYLOAD % SEGMENT);
    }
    scene_close(&s);
}

int main(int argc, char **argv)
{
    static const struct scene_test tests[] = {
        {"from the LAN, in UDP", up_in_udp, 2},
        {"from the VPC, in UDP", down_in_udp, 2},
        {"from the LAN, as protocol 50", up_as_protocol_50, 2},
        {"from the VPC, as protocol 50", down_as_protocol_50, 2},
        {"a lost segment costs itself alone", a_lost_segment_costs_itself, 20},
    };

    return scene_main(argc, argv, "sim/superpacket_crosses_whole", tests,
                      sizeof(tests) / sizeof(tests[0]));
}
