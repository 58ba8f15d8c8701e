/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <string.h>

#include "lab.h"

/* Nobody listens at the port: loopback answers with an ICMP error. */
static s2svpn_datagram to_nobody(const struct lab *lab, uint8_t *data, uint32_t len)
{
    s2svpn_datagram d = lab_datagram(lab, S2SVPN_ROLE_NATT, data, len);

    d.remote.port = lab_port(&d.remote.address);
    return d;
}

static bool wait_for_errors(struct lab *lab, size_t count)
{
    for (int i = 0; i < 100 && lab->ctx[0]->errors < count; i++)
        lab_run_ms(lab, 1);
    return lab->ctx[0]->errors == count;
}

static void unreachable_reaches_the_context(const char *first, const char *second)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    uint8_t data[100] = {1};
    const struct error_arrival *e;
    s2svpn_datagram d;
    struct lab lab;

    if (first)
        lab_open_at(&lab, first, second, &o, false);
    else
        lab_open(&lab, &o);
    e = &lab.ctx[0]->error[0];
    d = to_nobody(&lab, data, sizeof(data));
    CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
    CU_ASSERT_FATAL(wait_for_errors(&lab, 1));
    CU_ASSERT_EQUAL(e->kind, S2SVPN_IO_UNREACHABLE);
    CU_ASSERT_EQUAL(e->mtu, 0);
    CU_ASSERT(memcmp(&e->local, &d.local, sizeof(d.local)) == 0);
    CU_ASSERT(memcmp(&e->remote, &d.remote, sizeof(d.remote)) == 0);
    CU_ASSERT_EQUAL(lab_counters(&lab, 0).errors_in, 1);
    CU_ASSERT_EQUAL(lab.ctx[0]->count, 0);
    lab_close(&lab);
}

static void unreachable_reaches_the_context_over_ipv4(void)
{
    unreachable_reaches_the_context(NULL, NULL);
}

static void unreachable_reaches_the_context_over_ipv6(void)
{
    CU_PASS("where there is no IPv6");
    if (lab_has_ipv6())
        unreachable_reaches_the_context("::1", "::1");
}

/* The send call is told of the error and clears it; the queue stays full, and the poll
 * says "readable" until somebody empties it. */
static void the_error_queue_never_keeps_the_loop_busy(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    uint8_t data[100] = {1};
    s2svpn_datagram d[2];
    struct lab lab;
    uint64_t reads;

    lab_open(&lab, &o);
    d[0] = to_nobody(&lab, data, sizeof(data));
    d[1] = lab_datagram(&lab, S2SVPN_ROLE_NATT, data, sizeof(data));
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(lab_send(&lab, d, 2), 2);
    lab_run_ms(&lab, 20);
    CU_ASSERT(wait_for_errors(&lab, 3));
    CU_ASSERT(lab_wait(&lab, 1, 3));
    reads = lab_counters(&lab, 0).reads;
    lab_run_ms(&lab, 50);
    CU_ASSERT_EQUAL(lab_counters(&lab, 0).reads, reads);
    lab_close(&lab);
}

/* Datagrams that keep coming don't hide errors that a send call has been told of. */
static void errors_are_seen_under_traffic(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    const s2svpn_options *other;
    uint8_t data[100] = {1};
    s2svpn_datagram d, back;
    struct lab lab;

    lab_open(&lab, &o);
    lab_run_ms(&lab, 5);
    d = to_nobody(&lab, data, sizeof(data));
    CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
    d = back = lab_datagram(&lab, S2SVPN_ROLE_NATT, data, sizeof(data));
    CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
    back.local = d.remote;
    back.remote = d.local;
    other = &lab.ctx[1]->options;
    CU_ASSERT_EQUAL(other->io_ops->send_outside(other->io, NULL, &back, 1), 1);
    event_base_loop(lab.base, EVLOOP_NONBLOCK | EVLOOP_ONCE); /* one turn */
    CU_ASSERT_EQUAL(lab.ctx[0]->count, 1);
    CU_ASSERT_EQUAL(lab.ctx[0]->errors, 1);
    lab_close(&lab);
}

static void datagrams_come_in_batches(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    uint8_t data[20][4] = {{0}};
    s2svpn_datagram d[20];
    struct lab lab;

    o.batch = 8;
    lab_open(&lab, &o);
    for (size_t i = 0; i < 20; i++) {
        data[i][0] = (uint8_t)i;
        d[i] = lab_datagram(&lab, S2SVPN_ROLE_NATT, data[i], 4);
    }
    CU_ASSERT_EQUAL(lab_send(&lab, d, 20), 20);
    CU_ASSERT_FATAL(lab_wait(&lab, 1, 20));
    CU_ASSERT_EQUAL(lab.ctx[1]->calls, 3);
    for (size_t i = 0; i < 20; i++)
        CU_ASSERT_EQUAL(lab.ctx[1]->arrival[i].data[0], i);
    lab_close(&lab);
}

static void count_wire(void *user, const s2svpn_datagram *d, bool sent, uint64_t now_ns)
{
    unsigned *seen = user;

    (void)now_ns;
    *seen += !sent && d->segment == 0;
}

/* Without UDP_GRO: what may be one train, and what may not. */
static void datagrams_are_joined_into_trains(void)
{
    static const struct {
        const char *row;
        uint8_t role;
        struct {
            uint32_t len;
            uint8_t tos;
            uint32_t train; /* length of the one that it comes in; 0: none */
        } d[4];
    } rows[] = {
        {"equal ones", 2, {{100, 0, 400}, {100, 0, 400}, {100, 0, 400}, {100, 0, 400}}},
        {"a shorter one ends it", 2, {{100, 0, 250}, {100, 0, 250}, {50, 0, 250}, {50, 0, 0}}},
        {"a longer one begins another", 2, {{50, 0, 0}, {100, 0, 200}, {100, 0, 200}, {101, 0, 0}}},
        {"its mark is one", 2, {{100, 1, 200}, {100, 1, 200}, {100, 0, 200}, {100, 0, 200}}},
        {"IKE's stay alone", 1, {{100, 0, 0}, {100, 0, 0}, {100, 0, 0}, {100, 0, 0}}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
        uint8_t data[4][101];
        s2svpn_datagram d[4];
        unsigned seen = 0;
        struct lab lab;

        o.no_udp_gro = true;
        lab_open(&lab, &o);
        s2svpn_host_on_wire(lab.host[1], count_wire, &seen);
        lab_fill(&data[0][0], sizeof(data));
        for (size_t k = 0; k < 4; k++) {
            d[k] = lab_datagram(&lab, rows[i].role, data[k], rows[i].d[k].len);
            d[k].tos = rows[i].d[k].tos;
        }
        CHECK_ROW(rows[i].row, lab_send(&lab, d, 4) == 4);
        CHECK_ROW(rows[i].row, lab_wait(&lab, 1, 4));
        for (size_t k = 0; k < 4; k++) {
            const struct arrival *a = &lab.ctx[1]->arrival[k];

            CHECK_ROW(rows[i].row, a->len == d[k].len && memcmp(a->data, data[k], a->len) == 0);
            CHECK_ROW(rows[i].row, a->train == rows[i].d[k].train && a->tos == d[k].tos);
        }
        CHECK_ROW(rows[i].row, seen == 4); /* the tap saw what was on the wire */
        CHECK_ROW(rows[i].row, lab_counters(&lab, 1).datagrams_in == 4);
        CHECK_ROW(rows[i].row, lab_counters(&lab, 1).trains_in == 0);
        lab_close(&lab);
    }
}

/* As much as a buffer holds, and no more: 64 of 1400 bytes are 89600. */
static void a_train_ends_with_its_buffer(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    static uint8_t data[64][1400];
    s2svpn_datagram d[64];
    struct lab lab;

    o.no_udp_gro = true;
    lab_open(&lab, &o);
    lab_fill(&data[0][0], sizeof(data));
    for (size_t i = 0; i < 64; i++)
        d[i] = lab_datagram(&lab, S2SVPN_ROLE_NATT, data[i], 1400);
    CU_ASSERT_EQUAL(lab_send(&lab, d, 64), 64);
    CU_ASSERT_FATAL(lab_wait(&lab, 1, 64));
    CU_ASSERT(lab_has_train(&lab, &data[0][0], sizeof(data), 1400));
    CU_ASSERT_EQUAL(lab.ctx[1]->arrival[0].train, 46 * 1400);
    CU_ASSERT_EQUAL(lab.ctx[1]->arrival[46].train, 18 * 1400);
    lab_close(&lab);
}

static void what_the_kernel_had_no_room_for_is_counted(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    static uint8_t data[1000];
    s2svpn_host_counters c;
    struct lab lab;

    o.receive_buffer = 8192;
    o.no_udp_segment = o.no_udp_gro = true;
    lab_open(&lab, &o);
    for (int i = 0; i < 100; i++) {
        const s2svpn_datagram d = lab_datagram(&lab, S2SVPN_ROLE_NATT, data, sizeof(data));

        CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
    }
    lab_run_ms(&lab, 10);
    /* The count comes with the next datagram. */
    for (int i = 0; i < 2; i++) {
        const s2svpn_datagram d = lab_datagram(&lab, S2SVPN_ROLE_NATT, data, sizeof(data));

        CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
        lab_run_ms(&lab, 10);
    }
    c = lab_counters(&lab, 1);
    CU_ASSERT(c.datagrams_missed > 50);
    CU_ASSERT_EQUAL(c.datagrams_missed + c.datagrams_in, 102);
    lab_close(&lab);
}

static void an_empty_datagram_is_harmless(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    uint8_t data[4] = {1};
    s2svpn_datagram d[2];
    struct lab lab;

    lab_open(&lab, &o);
    d[0] = lab_datagram(&lab, S2SVPN_ROLE_NATT, data, 0);
    d[1] = lab_datagram(&lab, S2SVPN_ROLE_NATT, data, 4);
    CU_ASSERT_EQUAL(lab_send(&lab, d, 2), 2);
    CU_ASSERT(lab_wait(&lab, 1, 1));
    CU_ASSERT_EQUAL(lab_counters(&lab, 1).datagrams_in, 2);
    lab_close(&lab);
}

const CU_TestInfo s2_test_receive[] = {
    {"unreachable reaches the context over ipv4", unreachable_reaches_the_context_over_ipv4},
    {"unreachable reaches the context over ipv6", unreachable_reaches_the_context_over_ipv6},
    {"the error queue never keeps the loop busy", the_error_queue_never_keeps_the_loop_busy},
    {"errors are seen under traffic", errors_are_seen_under_traffic},
    {"datagrams come in batches", datagrams_come_in_batches},
    {"datagrams are joined into trains", datagrams_are_joined_into_trains},
    {"a train ends with its buffer", a_train_ends_with_its_buffer},
    {"what the kernel had no room for is counted", what_the_kernel_had_no_room_for_is_counted},
    {"an empty datagram is harmless", an_empty_datagram_is_harmless},
    CU_TEST_INFO_NULL,
};
