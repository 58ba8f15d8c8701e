/* SPDX-License-Identifier: Apache-2.0 */
/* What a translator lets pass, and as whom. */
#include "fake_context.h"
#include "harness.h"

#include <string.h>

#define SECOND 1000000000ull

/* Context 0 stands behind it, 2 does not. */
static s2svpn_sim_nat_options behind(void)
{
    s2svpn_sim_nat_options o = S2SVPN_SIM_NAT_OPTIONS_INIT;

    o.inside = (s2svpn_prefix){.address = lab_address(0), .length = 32};
    o.outside = (s2svpn_address){.family = S2SVPN_FAMILY_IPV4, .bytes = {198, 51, 100, 9}};
    return o;
}

static s2svpn_sim_nat *open_lab(struct lab *lab, const s2svpn_sim_nat_options *o, size_t contexts)
{
    s2svpn_sim_nat *nat = NULL;

    lab_open(lab, 1, contexts);
    CU_ASSERT_EQUAL_FATAL(s2svpn_sim_nat_new(lab->sim, o, &nat), S2SVPN_OK);
    return nat;
}

static void settle(struct lab *lab)
{
    s2svpn_sim_run(lab->sim, s2svpn_sim_now(lab->sim) + SECOND);
}

/* From context 0 to 2; returns the port that 2 sees, 0 if nothing came. */
static uint16_t send_out(struct lab *lab, uint8_t role)
{
    const size_t before = lab->ctx[2]->count;
    uint8_t data[4] = {1, 2, 3, 4};
    const s2svpn_datagram d = lab_datagram(0, 2, role, data, 4);

    lab_send(lab, 0, &d);
    settle(lab);
    if (lab->ctx[2]->count == before)
        return 0;
    return lab->ctx[2]->arrivals[before].d.remote.port;
}

/* From an endpoint of 2 to what it has seen; did it come to 0? */
static bool send_back(struct lab *lab, const s2svpn_sim_nat_options *o, uint8_t role, uint16_t port)
{
    const size_t before = lab->ctx[0]->count;
    uint8_t data[4] = {5, 6, 7, 8};
    s2svpn_datagram d = lab_datagram(2, 0, role, data, 4);

    d.remote.address = o->outside;
    d.remote.port = port;
    lab_send(lab, 2, &d);
    settle(lab);
    return lab->ctx[0]->count == before + 1;
}

static void who_is_behind_it_is_seen_with_its_address_and_a_port_of_its_own(void)
{
    const s2svpn_sim_nat_options o = behind();
    struct lab lab;

    open_lab(&lab, &o, 3);
    const uint16_t port = send_out(&lab, S2SVPN_ROLE_NATT);
    CU_ASSERT(port >= 1024 && port != 4500);
    CU_ASSERT_EQUAL_FATAL(lab.ctx[2]->count, 1);
    const struct arrival *a = &lab.ctx[2]->arrivals[0];
    CU_ASSERT_EQUAL(memcmp(&a->d.remote.address, &o.outside, sizeof(o.outside)), 0);
    CU_ASSERT_EQUAL(a->d.local.role, S2SVPN_ROLE_NATT);
    CU_ASSERT_EQUAL(send_out(&lab, S2SVPN_ROLE_NATT), port); /* it stays */
    lab_close(&lab);
}

static void an_answer_comes_back_to_the_one_who_asked(void)
{
    const s2svpn_sim_nat_options o = behind();
    struct lab lab;

    open_lab(&lab, &o, 3);
    const uint16_t port = send_out(&lab, S2SVPN_ROLE_NATT);
    CU_ASSERT(send_back(&lab, &o, S2SVPN_ROLE_NATT, port));
    CU_ASSERT_EQUAL_FATAL(lab.ctx[0]->count, 1);
    const s2svpn_address two = lab_address(2);
    CU_ASSERT_EQUAL(lab.ctx[0]->arrivals[0].d.local.port, 4500);
    CU_ASSERT_EQUAL(memcmp(&lab.ctx[0]->arrivals[0].d.remote.address, &two, sizeof(two)), 0);
    lab_close(&lab);
}

static void what_nobody_asked_for_is_dropped(void)
{
    const s2svpn_sim_nat_options o = behind();
    uint8_t data[1] = {9};
    struct lab lab;

    open_lab(&lab, &o, 3);
    const uint16_t port = send_out(&lab, S2SVPN_ROLE_NATT);
    CU_ASSERT(!send_back(&lab, &o, S2SVPN_ROLE_NATT, (uint16_t)(port + 1)));
    CU_ASSERT(!send_back(&lab, &o, S2SVPN_ROLE_IKE, port)); /* from another port */
    const s2svpn_datagram d = lab_datagram(2, 0, S2SVPN_ROLE_NATT, data, 1);
    lab_send(&lab, 2, &d); /* to the address behind it */
    settle(&lab);
    CU_ASSERT_EQUAL(lab.ctx[0]->count, 0);
    CU_ASSERT_EQUAL(lab_counters(&lab).untranslated, 3);
    CU_ASSERT_EQUAL(lab_counters(&lab).lost, 3);
    lab_close(&lab);
}

static void protocol_50_does_not_pass(void)
{
    const s2svpn_sim_nat_options o = behind();
    struct lab lab;

    open_lab(&lab, &o, 3);
    CU_ASSERT_EQUAL(send_out(&lab, S2SVPN_ROLE_RAW), 0);
    CU_ASSERT_EQUAL(lab.ctx[2]->count, 0);
    CU_ASSERT(!send_back(&lab, &o, S2SVPN_ROLE_RAW, 0));
    CU_ASSERT_EQUAL(lab_counters(&lab).untranslated, 2);
    lab_close(&lab);
}

static void one_port_serves_all_unless_it_is_symmetric(void)
{
    for (int symmetric = 0; symmetric < 2; symmetric++) {
        s2svpn_sim_nat_options o = behind();
        uint8_t data[1] = {9};
        struct lab lab;

        o.symmetric = symmetric;
        open_lab(&lab, &o, 3);
        const uint16_t port = send_out(&lab, S2SVPN_ROLE_NATT);
        s2svpn_datagram d = lab_datagram(0, 2, S2SVPN_ROLE_NATT, data, 1);
        d.remote.port = 500; /* another endpoint of the same */
        lab_send(&lab, 0, &d);
        settle(&lab);
        CU_ASSERT_EQUAL_FATAL(lab.ctx[2]->count, 2);
        CU_ASSERT_EQUAL(lab.ctx[2]->arrivals[1].d.remote.port == port, !symmetric);
        lab_close(&lab);
    }
}

static void two_behind_one_address_are_told_apart(void)
{
    s2svpn_sim_nat_options o = behind();
    uint8_t data[1] = {9};
    struct lab lab;

    o.inside.length = 30; /* .0 to .3: all */
    lab_open(&lab, 1, 2);
    s2svpn_sim_nat *nat;
    s2svpn_endpoint server = {.address = {.family = S2SVPN_FAMILY_IPV4, .bytes = {203, 0, 113, 1}},
                              .port = 500,
                              .role = S2SVPN_ROLE_IKE};
    CU_ASSERT_EQUAL(s2svpn_sim_nat_new(lab.sim, &o, &nat), S2SVPN_OK);
    for (size_t i = 0; i < 2; i++) {
        s2svpn_datagram d = lab_datagram(i, 0, S2SVPN_ROLE_IKE, data, 1);

        d.remote = server;
        lab_send(&lab, i, &d);
    }
    /* Neighbours meet without it. */
    const s2svpn_datagram d = lab_datagram(0, 1, S2SVPN_ROLE_IKE, data, 1);
    lab_send(&lab, 0, &d);
    settle(&lab);
    CU_ASSERT_EQUAL(lab_counters(&lab).unroutable, 2);
    CU_ASSERT_EQUAL_FATAL(lab.ctx[1]->count, 1);
    CU_ASSERT_EQUAL(lab.ctx[1]->arrivals[0].d.remote.port, 500);
    lab_close(&lab);
}

static void a_mapping_without_traffic_expires(void)
{
    s2svpn_sim_nat_options o = behind();
    struct lab lab;

    o.expiry_ns = 30 * SECOND;
    open_lab(&lab, &o, 3);
    const uint16_t port = send_out(&lab, S2SVPN_ROLE_NATT);
    s2svpn_sim_run(lab.sim, s2svpn_sim_now(lab.sim) + 20 * SECOND);
    CU_ASSERT(send_back(&lab, &o, S2SVPN_ROLE_NATT, port)); /* keeps it alive, as Linux does */
    s2svpn_sim_run(lab.sim, s2svpn_sim_now(lab.sim) + 20 * SECOND);
    CU_ASSERT_EQUAL(send_out(&lab, S2SVPN_ROLE_NATT), port);
    s2svpn_sim_run(lab.sim, s2svpn_sim_now(lab.sim) + 30 * SECOND);
    CU_ASSERT(!send_back(&lab, &o, S2SVPN_ROLE_NATT, port));
    const uint16_t next = send_out(&lab, S2SVPN_ROLE_NATT);
    CU_ASSERT(next != 0 && next != port);
    lab_close(&lab);
}

static void flushed_it_gives_out_other_ports(void)
{
    const s2svpn_sim_nat_options o = behind();
    struct lab lab;
    s2svpn_sim_nat *nat = open_lab(&lab, &o, 3);

    const uint16_t port = send_out(&lab, S2SVPN_ROLE_NATT);
    s2svpn_sim_nat_flush(nat);
    CU_ASSERT(!send_back(&lab, &o, S2SVPN_ROLE_NATT, port));
    const uint16_t next = send_out(&lab, S2SVPN_ROLE_NATT);
    CU_ASSERT(next != 0 && next != port);
    CU_ASSERT(send_back(&lab, &o, S2SVPN_ROLE_NATT, next));
    lab_close(&lab);
}

static void its_address_can_change(void)
{
    s2svpn_sim_nat_options o = behind();
    struct lab lab;
    s2svpn_sim_nat *nat = open_lab(&lab, &o, 3);
    const s2svpn_address two = lab_address(2), six = {.family = S2SVPN_FAMILY_IPV6};

    const uint16_t port = send_out(&lab, S2SVPN_ROLE_NATT);
    CU_ASSERT_EQUAL(s2svpn_sim_nat_set_outside(nat, &two), S2SVPN_E_EXISTS);
    CU_ASSERT_EQUAL(s2svpn_sim_nat_set_outside(nat, &six), S2SVPN_E_ARGUMENT);
    CU_ASSERT(send_back(&lab, &o, S2SVPN_ROLE_NATT, port)); /* nothing changed */
    o.outside.bytes[3] = 10;
    CU_ASSERT_EQUAL(s2svpn_sim_nat_set_outside(nat, &o.outside), S2SVPN_OK);
    CU_ASSERT(!send_back(&lab, &o, S2SVPN_ROLE_NATT, port));
    const size_t before = lab.ctx[2]->count;
    CU_ASSERT(send_out(&lab, S2SVPN_ROLE_NATT) != 0);
    CU_ASSERT_EQUAL(lab.ctx[2]->arrivals[before].d.remote.address.bytes[3], 10);
    lab_close(&lab);
}

static void what_cannot_be_is_refused(void)
{
    struct lab lab;
    s2svpn_sim_nat *nat;

    lab_open(&lab, 1, 3);
    for (int i = 0; i < 6; i++) {
        s2svpn_sim_nat_options o = behind();

        o.size = i == 0 ? 0 : o.size;
        o.outside.family = i == 1 ? 0 : o.outside.family;
        o.inside.length = i == 2 ? 33 : o.inside.length;
        o.inside.address.family = i == 3 ? S2SVPN_FAMILY_IPV6 : o.inside.address.family;
        if (i == 4)
            o.outside = lab_address(0); /* inside it */
        if (i == 5)
            o.outside = lab_address(2); /* a node's */
        CU_ASSERT_EQUAL(s2svpn_sim_nat_new(lab.sim, &o, &nat),
                        i == 5 ? S2SVPN_E_EXISTS : S2SVPN_E_ARGUMENT);
        CU_ASSERT_PTR_NULL(nat);
    }
    s2svpn_sim_nat_options o = behind();
    CU_ASSERT_EQUAL(s2svpn_sim_nat_new(lab.sim, &o, &nat), S2SVPN_OK);
    o.outside.bytes[3]++;
    CU_ASSERT_EQUAL(s2svpn_sim_nat_new(lab.sim, &o, &nat), S2SVPN_E_EXISTS);
    lab_close(&lab);
}

static void its_table_is_bounded(void)
{
    const s2svpn_sim_nat_options o = behind();
    uint8_t data[1] = {9};
    struct lab lab;

    open_lab(&lab, &o, 3);
    for (unsigned i = 0; i < 5000; i++) {
        s2svpn_datagram d = lab_datagram(0, 2, S2SVPN_ROLE_NATT, data, 1);

        d.remote.port = (uint16_t)(10000 + i);
        lab_send(&lab, 0, &d);
    }
    CU_ASSERT_EQUAL(lab_counters(&lab).untranslated, 5000 - 4096);
    lab_close(&lab);
}

const CU_TestInfo s2_test_nat[] = {
    {"who is behind it is seen with its address and a port of its own",
     who_is_behind_it_is_seen_with_its_address_and_a_port_of_its_own},
    {"an answer comes back to the one who asked", an_answer_comes_back_to_the_one_who_asked},
    {"what nobody asked for is dropped", what_nobody_asked_for_is_dropped},
    {"protocol 50 does not pass", protocol_50_does_not_pass},
    {"one port serves all unless it is symmetric", one_port_serves_all_unless_it_is_symmetric},
    {"two behind one address are told apart", two_behind_one_address_are_told_apart},
    {"a mapping without traffic expires", a_mapping_without_traffic_expires},
    {"flushed it gives out other ports", flushed_it_gives_out_other_ports},
    {"its address can change", its_address_can_change},
    {"what cannot be is refused", what_cannot_be_is_refused},
    {"its table is bounded", its_table_is_bounded},
    CU_TEST_INFO_NULL,
};
