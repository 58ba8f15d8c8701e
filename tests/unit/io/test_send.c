/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <errno.h>
#include <string.h>

#include "lab.h"

#define SEGMENT 1388u
#define TRAIN (40u * SEGMENT + 500u)

static uint8_t train_bytes[TRAIN];

static s2svpn_datagram make_train(const struct lab *lab)
{
    s2svpn_datagram d = lab_datagram(lab, S2SVPN_ROLE_NATT, train_bytes, TRAIN);

    d.segment = SEGMENT;
    lab_fill(train_bytes, TRAIN);
    return d;
}

/* ---- single datagrams */

static void exchange(const char *first, const char *second)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    uint8_t data[3][1400];
    s2svpn_datagram d[3];
    struct lab lab;

    if (first)
        lab_open_at(&lab, first, second, &o, false);
    else
        lab_open(&lab, &o);
    lab_fill(&data[0][0], sizeof(data));
    d[0] = lab_datagram(&lab, S2SVPN_ROLE_IKE, data[0], 300);
    d[1] = lab_datagram(&lab, S2SVPN_ROLE_NATT, data[1], 1);
    d[2] = lab_datagram(&lab, S2SVPN_ROLE_NATT, data[2], 1400);
    CU_ASSERT_EQUAL(lab_send(&lab, d, 3), 3);
    CU_ASSERT_FATAL(lab_wait(&lab, 1, 3));
    for (size_t i = 0; i < 3; i++) {
        const struct arrival *a = &lab.ctx[1]->arrival[i];
        const s2svpn_datagram *sent = a->local.role == S2SVPN_ROLE_IKE ? &d[0]
                                      : a->len == 1                    ? &d[1]
                                                                       : &d[2];

        CU_ASSERT_EQUAL(a->len, sent->len);
        CU_ASSERT(memcmp(a->data, sent->data, a->len) == 0);
        CU_ASSERT(memcmp(&a->local, &sent->remote, sizeof(a->local)) == 0);
        CU_ASSERT(memcmp(&a->remote, &sent->local, sizeof(a->remote)) == 0);
        CU_ASSERT_EQUAL(a->tos, 0);
    }
    CU_ASSERT_EQUAL(lab_counters(&lab, 0).datagrams_out, 3);
    CU_ASSERT_EQUAL(lab_counters(&lab, 1).datagrams_in, 3);
    CU_ASSERT_EQUAL(lab_counters(&lab, 0).datagrams_refused, 0);
    lab_close(&lab);
}

static void datagrams_cross_over_ipv4(void)
{
    exchange(NULL, NULL);
}

static void datagrams_cross_over_ipv6(void)
{
    CU_PASS("where there is no IPv6");
    if (lab_has_ipv6())
        exchange("::1", "::1");
}

static void tos_crosses(const char *first, const char *second)
{
    static const uint8_t values[] = {0x00, 0x01, 0x03, 0xb8, 0xfe, 0xff};
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    struct lab lab;

    if (first)
        lab_open_at(&lab, first, second, &o, false);
    else
        lab_open(&lab, &o);
    for (size_t i = 0; i < sizeof(values); i++) {
        uint8_t data[8] = {(uint8_t)i};
        s2svpn_datagram d = lab_datagram(&lab, S2SVPN_ROLE_NATT, data, sizeof(data));

        d.tos = values[i];
        CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
        CU_ASSERT_FATAL(lab_wait(&lab, 1, i + 1));
        CU_ASSERT_EQUAL(lab.ctx[1]->arrival[i].tos, values[i]);
    }
    lab_close(&lab);
}

static void tos_crosses_over_ipv4(void)
{
    tos_crosses(NULL, NULL);
}

static void tos_crosses_over_ipv6(void)
{
    CU_PASS("where there is no IPv6");
    if (lab_has_ipv6())
        tos_crosses("::1", "::1");
}

static void many_leave_in_one_call(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    uint8_t data[300][4];
    s2svpn_datagram d[300];
    struct lab lab;

    lab_open(&lab, &o);
    for (size_t i = 0; i < 300; i++) {
        memcpy(data[i], &(uint32_t){(uint32_t)i}, 4);
        d[i] = lab_datagram(&lab, S2SVPN_ROLE_NATT, data[i], 4);
    }
    CU_ASSERT_EQUAL(lab_send(&lab, d, 300), 300);
    CU_ASSERT_EQUAL(kernel.sends, 2);
    CU_ASSERT_EQUAL(kernel.longest_call, 256);
    CU_ASSERT_FATAL(lab_wait(&lab, 1, 300));
    for (size_t i = 0; i < 300; i++)
        CU_ASSERT(memcmp(lab.ctx[1]->arrival[i].data, data[i], 4) == 0);
    lab_close(&lab);
}

static void an_unknown_endpoint_costs_only_its_datagrams(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    uint8_t data[8] = {1};
    s2svpn_datagram d[3];
    struct lab lab;

    lab_open(&lab, &o);
    for (size_t i = 0; i < 3; i++)
        d[i] = lab_datagram(&lab, S2SVPN_ROLE_NATT, data, sizeof(data));
    d[1].local.port++;
    CU_ASSERT_EQUAL(lab_send(&lab, d, 3), 3);
    CU_ASSERT(lab_wait(&lab, 1, 2));
    CU_ASSERT_EQUAL(lab_counters(&lab, 0).datagrams_refused, 1);
    lab_close(&lab);
}

static void the_df_bit_follows_the_datagram(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    uint8_t data[8] = {1};
    s2svpn_datagram d[3];
    struct lab lab;
    int value = -1;
    socklen_t len = sizeof(value);

    lab_open(&lab, &o);
    for (size_t i = 0; i < 3; i++)
        d[i] = lab_datagram(&lab, S2SVPN_ROLE_NATT, data, sizeof(data));
    d[1].dont_fragment = d[2].dont_fragment = true;
    CU_ASSERT_EQUAL(lab_send(&lab, d, 3), 3);
    CU_ASSERT_EQUAL(kernel.sends, 2);
    getsockopt(lab.host[0]->socket[1].fd, IPPROTO_IP, IP_MTU_DISCOVER, &value, &len);
    CU_ASSERT_EQUAL(value, IP_PMTUDISC_DO);
    CU_ASSERT_EQUAL(lab_send(&lab, d, 1), 1);
    getsockopt(lab.host[0]->socket[1].fd, IPPROTO_IP, IP_MTU_DISCOVER, &value, &len);
    CU_ASSERT_EQUAL(value, IP_PMTUDISC_OMIT);
    CU_ASSERT(lab_wait(&lab, 1, 4));
    lab_close(&lab);
}

/* ---- trains */

/* Both offloads on and off; and a kernel that doesn't have them. */
static void a_train_is_the_same_either_way(void)
{
    static const struct {
        const char *row;
        bool no_segment, no_gro, old_kernel;
        unsigned trains_out;
    } rows[] = {
        {"segment and gro", false, false, false, 1},
        {"segment alone", false, true, false, 1},
        {"gro alone", true, false, false, 0},
        {"neither", true, true, false, 0},
        {"a kernel without them", false, false, true, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
        s2svpn_host_counters out, in;
        s2svpn_datagram d;
        struct lab lab;

        o.no_udp_segment = rows[i].no_segment;
        o.no_udp_gro = rows[i].no_gro;
        kernel.no_segment = kernel.no_gro = rows[i].old_kernel;
        lab_open(&lab, &o);
        d = make_train(&lab);
        d.tos = 0x28;
        CHECK_ROW(rows[i].row, lab_send(&lab, &d, 1) == 1);
        CHECK_ROW(rows[i].row, lab_wait(&lab, 1, 41));
        CHECK_ROW(rows[i].row, lab_has_train(&lab, train_bytes, TRAIN, SEGMENT));
        CHECK_ROW(rows[i].row, lab.ctx[1]->arrival[40].tos == 0x28);
        CHECK_ROW(rows[i].row, kernel.train_sends == rows[i].trains_out);
        CHECK_ROW(rows[i].row, kernel.sends == 1);
        out = lab_counters(&lab, 0);
        in = lab_counters(&lab, 1);
        CHECK_ROW(rows[i].row, out.datagrams_out == 41 && in.datagrams_in == 41);
        CHECK_ROW(rows[i].row, out.trains_out == rows[i].trains_out);
        /* loopback hands a train through whole, if both ends have it; without UDP_GRO
         * the host makes one */
        CHECK_ROW(rows[i].row, (in.trains_in > 0) == (i == 0));
        CHECK_ROW(rows[i].row, (lab.ctx[1]->arrival[0].train == TRAIN) == (i != 2));
        lab_close(&lab);
    }
}

static void trains_and_datagrams_keep_their_order(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    uint8_t small[2][10] = {{1}, {2}};
    s2svpn_datagram d[3];
    struct lab lab;

    lab_open(&lab, &o);
    d[0] = lab_datagram(&lab, S2SVPN_ROLE_NATT, small[0], 10);
    d[1] = make_train(&lab);
    d[2] = lab_datagram(&lab, S2SVPN_ROLE_NATT, small[1], 10);
    CU_ASSERT_EQUAL(lab_send(&lab, d, 3), 3);
    CU_ASSERT_EQUAL(kernel.sends, 1);
    CU_ASSERT_FATAL(lab_wait(&lab, 1, 43));
    CU_ASSERT_EQUAL(lab.ctx[1]->arrival[0].data[0], 1);
    CU_ASSERT(memcmp(lab.ctx[1]->arrival[1].data, train_bytes, SEGMENT) == 0);
    CU_ASSERT_EQUAL(lab.ctx[1]->arrival[42].data[0], 2);
    lab_close(&lab);
}

/* "Its segments are too long", "too many": this train alone is cut. */
static void a_refused_train_is_cut(void)
{
    static const int reasons[] = {EINVAL, EMSGSIZE};

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
        s2svpn_datagram d;
        struct lab lab;

        lab_open(&lab, &o);
        d = make_train(&lab);
        kernel.fail_send = reasons[i];
        kernel.times = 1;
        CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
        CU_ASSERT(lab_wait(&lab, 1, 41));
        CU_ASSERT(lab_has_train(&lab, train_bytes, TRAIN, SEGMENT));
        CU_ASSERT_EQUAL(kernel.sends, 2);
        CU_ASSERT_EQUAL(kernel.train_sends, 0);
        CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
        CU_ASSERT_EQUAL(kernel.train_sends, 1);
        CU_ASSERT_EQUAL(lab_counters(&lab, 0).datagrams_refused, 0);
        lab_close(&lab);
    }
}

/* More than the kernel's 64 or 128 segments in a train: no mood is needed. */
static void a_train_of_too_many_is_cut(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    s2svpn_datagram d;
    struct lab lab;

    lab_open(&lab, &o);
    d = make_train(&lab);
    d.len = 6005;
    d.segment = 10;
    CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
    CU_ASSERT(lab_wait(&lab, 1, 601));
    CU_ASSERT(lab_has_train(&lab, train_bytes, 6005, 10));
    CU_ASSERT_EQUAL(kernel.sends, 1 + 3);
    CU_ASSERT_EQUAL(kernel.train_sends, 0);
    lab_close(&lab);
}

/* A device without checksum offload, or with IPsec of its own. */
static void a_socket_that_can_no_trains_is_asked_once(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    s2svpn_datagram d;
    struct lab lab;

    lab_open(&lab, &o);
    d = make_train(&lab);
    kernel.fail_send = EIO;
    kernel.only_trains = true;
    CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
    CU_ASSERT(lab_wait(&lab, 1, 41));
    CU_ASSERT(lab_has_train(&lab, train_bytes, TRAIN, SEGMENT));
    CU_ASSERT_EQUAL(kernel.sends, 2);
    kernel.fail_send = 0;
    CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
    CU_ASSERT_EQUAL(kernel.sends, 3);
    CU_ASSERT_EQUAL(kernel.train_sends, 0);
    lab_close(&lab);
}

/* ---- refusals */

static void send_again(s2svpn_context *ctx)
{
    struct lab *lab = ctx->user;
    uint8_t data[4] = {9};
    s2svpn_datagram d = lab_datagram(lab, S2SVPN_ROLE_NATT, data, sizeof(data));

    CU_ASSERT_EQUAL(lab_send(lab, &d, 1), 1);
}

static void what_is_not_taken_is_reported_and_writable_follows(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    uint8_t data[8] = {1};
    s2svpn_datagram d[6];
    struct lab lab;

    lab_open(&lab, &o);
    for (size_t i = 0; i < 6; i++)
        d[i] = lab_datagram(&lab, S2SVPN_ROLE_NATT, data, sizeof(data));
    lab.ctx[0]->user = &lab;
    lab.ctx[0]->on_writable = send_again;
    kernel.fail_send = EAGAIN;
    kernel.after = 4;
    kernel.times = 1;
    CU_ASSERT_EQUAL(lab_send(&lab, d, 6), 4);
    CU_ASSERT_EQUAL(lab.ctx[0]->writables, 0);
    CU_ASSERT_FATAL(lab_wait(&lab, 1, 5));
    lab_run_ms(&lab, 10);
    CU_ASSERT_EQUAL(lab.ctx[0]->writables, 1);
    CU_ASSERT_EQUAL(lab.ctx[1]->arrival[4].data[0], 9);
    CU_ASSERT_EQUAL(lab_counters(&lab, 0).datagrams_refused, 0);
    CU_ASSERT_EQUAL(lab_counters(&lab, 0).datagrams_out, 5);
    lab_close(&lab);
}

static void a_blocked_train_is_not_taken(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    s2svpn_datagram d;
    struct lab lab;

    lab_open(&lab, &o);
    d = make_train(&lab);
    kernel.fail_send = EAGAIN;
    kernel.times = 1;
    CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 0);
    CU_ASSERT(lab_until(&lab, &lab.ctx[0]->writables, 1));
    lab_close(&lab);
}

/* The rest can't be taken back by the context, nor may all be sent again. */
static void the_rest_of_a_cut_train_counts_as_lost(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    s2svpn_datagram d[2];
    struct lab lab;

    o.no_udp_segment = true;
    lab_open(&lab, &o);
    d[0] = d[1] = make_train(&lab);
    kernel.fail_send = EAGAIN;
    kernel.after = 30;
    CU_ASSERT_EQUAL(lab_send(&lab, d, 2), 1);
    CU_ASSERT(lab_wait(&lab, 1, 30));
    CU_ASSERT_EQUAL(lab_counters(&lab, 0).datagrams_out, 30);
    CU_ASSERT_EQUAL(lab_counters(&lab, 0).datagrams_refused, 11);
    lab_close(&lab);
}

/* An ICMP error about an earlier packet comes as the result of a later call. */
static void an_error_left_behind_costs_nothing(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    uint8_t data[8] = {1};
    s2svpn_datagram d[3];
    struct lab lab;

    lab_open(&lab, &o);
    for (size_t i = 0; i < 3; i++)
        d[i] = lab_datagram(&lab, S2SVPN_ROLE_NATT, data, sizeof(data));
    kernel.fail_send = ECONNREFUSED;
    kernel.times = 1;
    CU_ASSERT_EQUAL(lab_send(&lab, d, 3), 3);
    CU_ASSERT(lab_wait(&lab, 1, 3));
    CU_ASSERT_EQUAL(lab_counters(&lab, 0).datagrams_refused, 0);
    lab_close(&lab);
}

static void what_the_kernel_refuses_is_lost_alone(void)
{
    static const struct {
        int reason;
        unsigned times; /* calls until it counts as being about this datagram */
    } rows[] = {{ENOBUFS, 1}, {EPERM, 2}, {ENETUNREACH, 2}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
        uint8_t data[5][8] = {{0}, {1}, {2}, {3}, {4}};
        s2svpn_datagram d[5];
        struct lab lab;

        lab_open(&lab, &o);
        for (size_t k = 0; k < 5; k++)
            d[k] = lab_datagram(&lab, S2SVPN_ROLE_NATT, data[k], 8);
        kernel.fail_send = rows[i].reason;
        kernel.after = 2;
        kernel.times = rows[i].times;
        CU_ASSERT_EQUAL(lab_send(&lab, d, 5), 5);
        CU_ASSERT_FATAL(lab_wait(&lab, 1, 4));
        CU_ASSERT_EQUAL(lab.ctx[1]->arrival[1].data[0], 1);
        CU_ASSERT_EQUAL(lab.ctx[1]->arrival[2].data[0], 3);
        CU_ASSERT_EQUAL(lab_counters(&lab, 0).datagrams_refused, 1);
        CU_ASSERT_EQUAL(lab.ctx[0]->writables, 0);
        lab_close(&lab);
    }
}

/* ---- the tap */

struct tap {
    unsigned sent, received, trains;
    uint32_t bytes;
    bool wrong;
};

static void on_wire(void *user, const s2svpn_datagram *d, bool sent, uint64_t now_ns)
{
    struct tap *tap = user;

    tap->sent += sent;
    tap->received += !sent;
    tap->trains += d->segment != 0;
    tap->bytes += d->len;
    tap->wrong |= now_ns == 0 || memcmp(d->data, train_bytes, 4) != 0;
}

static void the_tap_sees_each_datagram_once(void)
{
    for (int cut = 0; cut < 2; cut++) {
        s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
        struct tap out = {0}, in = {0};
        s2svpn_datagram d[4];
        struct lab lab;

        o.no_udp_segment = cut != 0;
        lab_open(&lab, &o);
        s2svpn_host_on_wire(lab.host[0], on_wire, &out);
        s2svpn_host_on_wire(lab.host[1], on_wire, &in);
        d[0] = d[1] = make_train(&lab);
        d[2] = d[3] = lab_datagram(&lab, S2SVPN_ROLE_NATT, train_bytes, 10);
        kernel.fail_send = EAGAIN;
        kernel.after = cut ? 82 + 1 : 3;
        kernel.times = 1;
        CU_ASSERT_EQUAL(lab_send(&lab, d, 4), 3);
        CU_ASSERT_EQUAL(out.sent, 3); /* the fourth hasn't left */
        CU_ASSERT_EQUAL(out.trains, 2);
        CU_ASSERT_EQUAL(out.bytes, 2 * TRAIN + 10);
        CU_ASSERT_EQUAL(lab_send(&lab, &d[3], 1), 1);
        CU_ASSERT_EQUAL(out.sent, 4);
        CU_ASSERT(lab_wait(&lab, 1, 84));
        CU_ASSERT_EQUAL(in.bytes, 2 * TRAIN + 20);
        CU_ASSERT_EQUAL(in.sent, 0);
        CU_ASSERT(!out.wrong && (cut || !in.wrong));
        s2svpn_host_on_wire(lab.host[0], NULL, NULL);
        CU_ASSERT_EQUAL(lab_send(&lab, &d[3], 1), 1);
        CU_ASSERT_EQUAL(out.sent, 4);
        lab_close(&lab);
    }
}

const CU_TestInfo s2_test_send[] = {
    {"datagrams cross over ipv4", datagrams_cross_over_ipv4},
    {"datagrams cross over ipv6", datagrams_cross_over_ipv6},
    {"tos crosses over ipv4", tos_crosses_over_ipv4},
    {"tos crosses over ipv6", tos_crosses_over_ipv6},
    {"many leave in one call", many_leave_in_one_call},
    {"an unknown endpoint costs only its datagrams", an_unknown_endpoint_costs_only_its_datagrams},
    {"the df bit follows the datagram", the_df_bit_follows_the_datagram},
    {"a train is the same either way", a_train_is_the_same_either_way},
    {"trains and datagrams keep their order", trains_and_datagrams_keep_their_order},
    {"a refused train is cut", a_refused_train_is_cut},
    {"a train of too many is cut", a_train_of_too_many_is_cut},
    {"a socket that can no trains is asked once", a_socket_that_can_no_trains_is_asked_once},
    {"what is not taken is reported and writable follows",
     what_is_not_taken_is_reported_and_writable_follows},
    {"a blocked train is not taken", a_blocked_train_is_not_taken},
    {"the rest of a cut train counts as lost", the_rest_of_a_cut_train_counts_as_lost},
    {"an error left behind costs nothing", an_error_left_behind_costs_nothing},
    {"what the kernel refuses is lost alone", what_the_kernel_refuses_is_lost_alone},
    {"the tap sees each datagram once", the_tap_sees_each_datagram_once},
    CU_TEST_INFO_NULL,
};
