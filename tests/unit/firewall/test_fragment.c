/* SPDX-License-Identifier: Apache-2.0 */
/* Fragments: judged by the first's ports. */
#include "firewall/world.h"

#define OFFICE "192.168.0.9"
#define HERE "10.0.1.10"
#define OFFICE6 "2001:db8:5::9"
#define HERE6 "2001:db8:a::10"
#define FIRST .fragment = true, .first = true
#define LATER .fragment = true

struct rig {
    struct world w;
    struct s2_firewall_group *g;
    struct s2_firewall_port *port;
};

static void open_rig(struct rig *r)
{
    const struct s2_firewall_rule in[] = {rule(UDP, 53, 53, "0.0.0.0/0"), rule(UDP, 53, 53, "::/0"),
                                          rule(ICMP, 8, -1, "0.0.0.0/0")};

    world_open(&r->w, NULL);
    r->g = new_group(&r->w, in, 3);
    r->port = new_port(&r->w, HERE, r->g);
}

static void close_rig(struct rig *r)
{
    s2_firewall_port_free(r->port);
    free_group(r->g);
    world_close(&r->w);
}

static void later_fragments_go_as_the_first(void)
{
    struct rig r;

    open_rig(&r);
    CU_ASSERT(PASSES_IN(&r.w, r.port, OFFICE, HERE, UDP, 5, 53, FIRST, .id = 1));
    CU_ASSERT(PASSES_IN(&r.w, r.port, OFFICE, HERE, UDP, LATER, .id = 1));
    CU_ASSERT(PASSES_IN(&r.w, r.port, OFFICE, HERE, UDP, LATER, .id = 1));
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, OFFICE, HERE, UDP, 5, 54, FIRST, .id = 2));
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, OFFICE, HERE, UDP, LATER, .id = 2));
    CU_ASSERT(PASSES_IN(&r.w, r.port, OFFICE, HERE, ICMP, ECHO, 9, FIRST, .id = 3));
    CU_ASSERT(PASSES_IN(&r.w, r.port, OFFICE, HERE, ICMP, LATER, .id = 3));
    CU_ASSERT_EQUAL(world_counts(&r.w).flows, 2);
    /* the answers, in fragments too */
    CU_ASSERT(PASSES_OUT(&r.w, r.port, HERE, OFFICE, ICMP, ECHO_REPLY, 9, FIRST, .id = 3));
    CU_ASSERT(PASSES_OUT(&r.w, r.port, HERE, OFFICE, ICMP, LATER, .id = 3));
    close_rig(&r);
}

static void a_fragment_of_another_packet_is_refused(void)
{
    struct rig r;

    open_rig(&r);
    CU_ASSERT(PASSES_IN(&r.w, r.port, OFFICE, HERE, UDP, 5, 53, FIRST, .id = 1));
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, OFFICE, HERE, UDP, LATER, .id = 2));
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, "192.168.0.8", HERE, UDP, LATER, .id = 1));
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, OFFICE, "10.0.1.11", UDP, LATER, .id = 1));
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, OFFICE, HERE, TCP, LATER, .id = 1));
    CU_ASSERT_FALSE(PASSES_OUT(&r.w, r.port, OFFICE, HERE, UDP, LATER, .id = 1));
    struct s2_firewall_port *other = new_port(&r.w, HERE, r.g);
    CU_ASSERT_FALSE(PASSES_IN(&r.w, other, OFFICE, HERE, UDP, LATER, .id = 1));
    s2_firewall_port_free(other);
    world_wait(&r.w, 29);
    CU_ASSERT(PASSES_IN(&r.w, r.port, OFFICE, HERE, UDP, LATER, .id = 1));
    world_wait(&r.w, 1);
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, OFFICE, HERE, UDP, LATER, .id = 1));
    close_rig(&r);
}

static void behind_a_header_of_ipv6_the_protocol_is_the_firsts(void)
{
    struct rig r;

    open_rig(&r);
    /* 60: what the fragment header names when destination options come first */
    CU_ASSERT(PASSES_IN(&r.w, r.port, OFFICE6, HERE6, UDP, 5, 53, FIRST, .id = 70000));
    CU_ASSERT(PASSES_IN(&r.w, r.port, OFFICE6, HERE6, 60, LATER, .id = 70000));
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, OFFICE6, HERE6, 60, LATER, .id = 70000 - 65536));
    CU_ASSERT_FALSE(PASSES_OUT(&r.w, r.port, HERE6, OFFICE6, 60, LATER, .id = 8));
    close_rig(&r);
}

static void a_change_of_rules_counts_for_the_next_fragment(void)
{
    struct rig r;

    open_rig(&r);
    CU_ASSERT(PASSES_IN(&r.w, r.port, OFFICE, HERE, UDP, 5, 53, FIRST, .id = 1));
    set_in(r.g, NULL, 0);
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, OFFICE, HERE, UDP, LATER, .id = 1));
    close_rig(&r);
}

static void fragments_of_one_batch_are_judged_in_their_order(void)
{
    static struct wire wires[150];
    static struct s2_firewall_packet packets[150];
    struct rig r;

    open_rig(&r);
    for (uint32_t i = 0; i < 150; i++) {
        const struct packet first = {OFFICE, HERE, UDP, 5, i / 3 % 2 ? 53 : 54, FIRST, .id = i / 3};
        const struct packet later = {OFFICE, HERE, UDP, LATER, .id = i / 3};

        wire_write(&wires[i], r.port, i % 3 == 0 ? &first : &later);
        packets[i] = wires[i].packet;
    }
    s2_epoch_enter(&r.w.epochs, 0);
    CU_ASSERT_EQUAL(s2_firewall_check(r.w.fw, S2_FIREWALL_IN, packets, 150, r.w.now_ns), 75);
    s2_epoch_leave(&r.w.epochs, 0);
    for (uint32_t i = 0; i < 150; i++)
        CU_ASSERT_EQUAL(packets[i].drop, i / 3 % 2 ? S2SVPN_DROP_NONE : S2SVPN_DROP_SECURITY_GROUP);
    close_rig(&r);
}

static void many_firsts_push_out_the_oldest_and_no_more(void)
{
    struct rig r;
    unsigned known = 0;

    open_rig(&r);
    for (uint32_t i = 0; i < 3000; i++)
        CU_ASSERT(PASSES_IN(&r.w, r.port, OFFICE, HERE, UDP, 5, 53, FIRST, .id = i));
    for (uint32_t i = 0; i < 3000; i++)
        known += PASSES_IN(&r.w, r.port, OFFICE, HERE, UDP, LATER, .id = i);
    CU_ASSERT(known > 900 && known <= 1024);
    close_rig(&r);
}

const CU_TestInfo s2_test_fragment[] = {
    {"later fragments go as the first", later_fragments_go_as_the_first},
    {"a fragment of another packet is refused", a_fragment_of_another_packet_is_refused},
    {"behind a header of IPv6 the protocol is the first's",
     behind_a_header_of_ipv6_the_protocol_is_the_firsts},
    {"a change of rules counts for the next fragment",
     a_change_of_rules_counts_for_the_next_fragment},
    {"fragments of one batch are judged in their order",
     fragments_of_one_batch_are_judged_in_their_order},
    {"many firsts push out the oldest and no more", many_firsts_push_out_the_oldest_and_no_more},
    CU_TEST_INFO_NULL,
};
