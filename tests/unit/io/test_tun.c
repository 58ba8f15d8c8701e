/* SPDX-License-Identifier: Apache-2.0 */
/* Two devices, each in a namespace of its own, whose packets the contexts hand to one
 * another: so the kernel's own TCP and UDP are at both ends. */
#include "suites.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab.h"
#include "netns.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define PORT 7
#define BYTES 2000000u

static uint8_t sent[BYTES], received[BYTES];

struct pair {
    struct lab lab;
    int home, ns[2];
    uint32_t longest; /* packet that crossed */
    unsigned supers, udp_supers;
};

static void cross(s2svpn_context *ctx, s2svpn_port_id port, s2svpn_packet *p, size_t n)
{
    struct pair *pair = ctx->user;
    s2svpn_context *other = ctx == pair->lab.ctx[0] ? pair->lab.ctx[1] : pair->lab.ctx[0];

    CU_ASSERT_EQUAL(port, PORT);
    for (size_t i = 0; i < n; i++) {
        pair->longest = p[i].len > pair->longest ? p[i].len : pair->longest;
        pair->supers += p[i].gso_type != S2SVPN_GSO_NONE;
        pair->udp_supers += p[i].gso_type == S2SVPN_GSO_UDP_L4;
    }
    other->options.io_ops->send_inside(other->options.io, NULL, PORT, p, n);
}

static void open_pair(struct pair *pair, bool off_first, bool off_second)
{
    static const char *const four[] = {"10.9.0.1", "10.9.0.2"}, *const six[] = {"fd09::1",
                                                                                "fd09::2"};
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    s2svpn_error why = {0};

    memset(pair, 0, sizeof(*pair));
    pair->home = netns_here();
    lab_open(&pair->lab, &o);
    pair->lab.host[0]->options.no_tun_offload = off_first;
    pair->lab.host[1]->options.no_tun_offload = off_second;
    for (int i = 0; i < 2; i++) {
        netns_new();
        pair->ns[i] = netns_here();
        pair->lab.ctx[i]->inside = cross;
        pair->lab.ctx[i]->user = pair;
        if (s2svpn_host_add_tun(pair->lab.host[i], PORT, "t0", 1400, NULL, &why) != S2SVPN_OK)
            abort();
        netns_up("t0");
        netns_add_address("t0", four[i]);
        netns_add_address("t0", six[i]);
    }
    netns_enter(pair->home);
    lab_run_ms(&pair->lab, 20); /* what the kernel says on its own: router solicitations */
    pair->supers = pair->longest = 0;
}

static void close_pair(struct pair *pair)
{
    lab_close(&pair->lab);
    close(pair->ns[0]);
    close(pair->ns[1]);
    close(pair->home);
}

/* A socket in namespace i, bound to its address. */
static int open_socket(struct pair *pair, int i, bool v6, int type, union s2_io_name *name,
                       socklen_t *len)
{
    s2svpn_endpoint e = {.port = 5001};
    int fd;

    e.address = lab_address(v6 ? (i ? "fd09::2" : "fd09::1") : (i ? "10.9.0.2" : "10.9.0.1"));
    *len = s2_io_name_write(&e, name);
    netns_enter(pair->ns[i]);
    fd = socket(v6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    netns_enter(pair->home);
    if (fd < 0 || bind(fd, &name->any, *len) != 0) {
        perror("    bind");
        abort();
    }
    return fd;
}

/* BYTES over a connection from 1 to 0; how many came. */
static size_t transfer(struct pair *pair, bool v6)
{
    union s2_io_name to, from;
    socklen_t to_len, from_len;
    const int listener = open_socket(pair, 0, v6, SOCK_STREAM, &to, &to_len);
    const int source = open_socket(pair, 1, v6, SOCK_STREAM, &from, &from_len);
    const uint64_t end = s2svpn_host_now() + 10000000000u;
    size_t out = 0, in = 0;
    int sink = -1;

    if (listen(listener, 1) != 0)
        abort();
    (void)!connect(source, &to.any, to_len);
    while (in < BYTES && s2svpn_host_now() < end) {
        ssize_t n = out < BYTES ? send(source, sent + out, BYTES - out, MSG_NOSIGNAL) : 0;

        out += n > 0 ? (size_t)n : 0;
        if (sink < 0)
            sink = accept(listener, NULL, NULL);
        n = sink >= 0 ? recv(sink, received + in, BYTES - in, MSG_DONTWAIT) : 0;
        in += n > 0 ? (size_t)n : 0;
        event_base_loop(pair->lab.base, EVLOOP_NONBLOCK);
    }
    close(source);
    if (sink >= 0)
        close(sink);
    close(listener);
    return in;
}

static void tcp_is_the_same(bool v6)
{
    static const struct {
        const char *row;
        bool off_first, off_second;
    } rows[] = {
        {"both give superpackets", false, false},
        {"the receiver gives none but takes them", true, false},
        {"the sender gives none", false, true},
        {"neither gives any", true, true},
    };

    lab_fill(sent, sizeof(sent));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pair pair;
        s2svpn_host_counters from, to;

        open_pair(&pair, rows[i].off_first, rows[i].off_second);
        memset(received, 0, sizeof(received));
        CHECK_ROW(rows[i].row, transfer(&pair, v6) == BYTES);
        CHECK_ROW(rows[i].row, memcmp(sent, received, BYTES) == 0);
        from = lab_counters(&pair.lab, 1);
        to = lab_counters(&pair.lab, 0);
        CHECK_ROW(rows[i].row, (pair.supers > 0) == !rows[i].off_second);
        CHECK_ROW(rows[i].row, (pair.longest > 1400) == !rows[i].off_second);
        CHECK_ROW(rows[i].row, (from.superpackets_in > 0) == !rows[i].off_second);
        CHECK_ROW(rows[i].row, to.superpackets_out == from.superpackets_in);
        CHECK_ROW(rows[i].row, to.superpackets_in == 0); /* acknowledgements */
        CHECK_ROW(rows[i].row, to.packets_refused == 0 && from.packets_refused == 0);
        CHECK_ROW(rows[i].row, to.packets_out == from.packets_in);
        close_pair(&pair);
    }
}

static void tcp_is_the_same_either_way_over_ipv4(void)
{
    tcp_is_the_same(false);
}

static void tcp_is_the_same_either_way_over_ipv6(void)
{
    tcp_is_the_same(true);
}

/* 20 datagrams in one call of the kernel's; what came, and whether in order. */
static size_t send_udp(struct pair *pair, bool v6)
{
    union s2_io_name to, from;
    socklen_t to_len, from_len;
    const int sink = open_socket(pair, 0, v6, SOCK_DGRAM, &to, &to_len);
    const int source = open_socket(pair, 1, v6, SOCK_DGRAM, &from, &from_len);
    const int segment = 1000;
    size_t count = 0;

    if (setsockopt(source, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)) != 0)
        abort();
    CU_ASSERT_EQUAL(sendto(source, sent, 20000, 0, &to.any, to_len), 20000);
    for (int i = 0; i < 100 && count < 20; i++) {
        uint8_t data[1500];

        while (recv(sink, data, sizeof(data), 0) == segment)
            count += memcmp(data, sent + count * 1000, 1000) == 0;
        lab_run_ms(&pair->lab, 1);
    }
    close(sink);
    close(source);
    return count;
}

/* UDP superpackets come from Linux 6.2 on; before, and switched off, single ones. */
static void udp_trains_are_the_same_either_way(void)
{
    lab_fill(sent, sizeof(sent));
    for (int v6 = 0; v6 < 2; v6++) {
        for (int off = 0; off < 2; off++) {
            struct pair pair;

            open_pair(&pair, false, off != 0);
            CU_ASSERT_EQUAL(send_udp(&pair, v6 != 0), 20);
            CU_ASSERT(off ? pair.supers == 0 : pair.supers == pair.udp_supers);
            if (!off && pair.udp_supers == 0)
                printf("    this kernel's TUN devices give no UDP superpackets\n");
            close_pair(&pair);
        }
    }
}

/* ---- devices */

static void names_and_mtu_are_as_asked_for(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    char actual[16] = "";
    struct lab lab;

    lab_open(&lab, &o);
    CU_ASSERT_EQUAL(s2svpn_host_add_tun(lab.host[0], 1, "lan0", 1380, actual, NULL), S2SVPN_OK);
    CU_ASSERT_STRING_EQUAL(actual, "lan0");
    CU_ASSERT_EQUAL(netns_mtu("lan0"), 1380);
    CU_ASSERT_EQUAL(s2svpn_host_add_tun(lab.host[0], 2, "x%d", 0, actual, NULL), S2SVPN_OK);
    CU_ASSERT_STRING_EQUAL(actual, "x0");
    CU_ASSERT_EQUAL(netns_mtu("x0"), 1500);
    CU_ASSERT_EQUAL(s2svpn_host_add_tun(lab.host[0], 3, NULL, 9000, actual, NULL), S2SVPN_OK);
    CU_ASSERT_EQUAL(netns_mtu(actual), 9000);
    CU_ASSERT_EQUAL(s2svpn_host_add_tun(lab.host[0], 4, "exactly15bytes_", 0, actual, NULL),
                    S2SVPN_OK);
    CU_ASSERT_STRING_EQUAL(actual, "exactly15bytes_");
    lab_close(&lab);
    CU_ASSERT(!netns_has("lan0") && !netns_has("x0") && !netns_has("exactly15bytes_"));
}

static void what_can_not_be_is_refused_and_named(void)
{
    static const struct {
        const char *row;
        s2svpn_port_id port;
        const char *name;
        uint16_t mtu;
        s2svpn_status rc;
        const char *field;
    } rows[] = {
        {"no port", 0, "a", 0, S2SVPN_E_ARGUMENT, "port"},
        {"a long name", 9, "sixteen_bytes_xx", 0, S2SVPN_E_ARGUMENT, "name"},
        {"a port with a device", 1, "a", 0, S2SVPN_E_EXISTS, "port"},
        {"a name in use", 9, "lan0", 0, S2SVPN_E_SYSTEM, "name"},
        {"no name", 9, "a/b", 0, S2SVPN_E_SYSTEM, "name"},
        {"an MTU below IP's", 9, "a", 60, S2SVPN_E_SYSTEM, "mtu"},
    };
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    struct lab lab;

    lab_open(&lab, &o);
    CU_ASSERT_EQUAL(s2svpn_host_add_tun(lab.host[0], 1, "lan0", 0, NULL, NULL), S2SVPN_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_error why = {0};

        CHECK_ROW(rows[i].row, s2svpn_host_add_tun(lab.host[0], rows[i].port, rows[i].name,
                                                   rows[i].mtu, NULL, &why) == rows[i].rc);
        CHECK_ROW(rows[i].row, strcmp(why.field, rows[i].field) == 0);
        CHECK_ROW(rows[i].row, why.message[0] != 0);
        CHECK_ROW(rows[i].row, !netns_has("a"));
    }
    lab_close(&lab);
}

static void the_thirty_third_device_is_refused(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    s2svpn_error why = {0};
    struct lab lab;

    lab_open(&lab, &o);
    for (s2svpn_port_id i = 1; i <= 32; i++)
        CU_ASSERT_EQUAL(s2svpn_host_add_tun(lab.host[0], i, NULL, 0, NULL, NULL), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_host_add_tun(lab.host[0], 33, NULL, 0, NULL, &why), S2SVPN_E_LIMIT);
    CU_ASSERT_STRING_EQUAL(why.field, "port");
    lab_close(&lab);
}

/* ---- devices that are down, or gone */

struct loss {
    struct lab *lab;
    unsigned count;
    s2svpn_port_id port;
    char name[16];
    bool again;
};

static void on_gone(void *user, s2svpn_port_id port, const char *name)
{
    struct loss *l = user;

    l->count++;
    l->port = port;
    snprintf(l->name, sizeof(l->name), "%s", name);
    if (l->again)
        CU_ASSERT_EQUAL(s2svpn_host_add_tun(l->lab->host[0], port, name, 0, NULL, NULL), S2SVPN_OK);
}

static size_t give(struct lab *lab, s2svpn_port_id port)
{
    uint8_t data[28] = {0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
    const s2svpn_packet p = {.data = data, .len = sizeof(data)};
    const s2svpn_options *o = &lab->ctx[0]->options;

    return o->io_ops->send_inside(o->io, NULL, port, &p, 1);
}

static void a_device_that_is_gone_is_told_and_leaves_the_loop(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    struct loss loss = {0};
    struct lab lab;
    uint64_t reads;

    lab_open(&lab, &o);
    loss.lab = &lab;
    s2svpn_host_on_gone(lab.host[0], on_gone, &loss);
    CU_ASSERT_EQUAL(s2svpn_host_add_tun(lab.host[0], 5, "lan0", 0, NULL, NULL), S2SVPN_OK);
    netns_up("lan0");
    CU_ASSERT_EQUAL(give(&lab, 5), 1);
    netns_delete("lan0");
    CU_ASSERT(lab_until(&lab, &loss.count, 1));
    CU_ASSERT_EQUAL(loss.port, 5);
    CU_ASSERT_STRING_EQUAL(loss.name, "lan0");
    reads = lab_counters(&lab, 0).reads;
    lab_run_ms(&lab, 30);
    CU_ASSERT_EQUAL(lab_counters(&lab, 0).reads, reads);
    CU_ASSERT_EQUAL(give(&lab, 5), 0);
    lab_close(&lab);
}

static void its_place_may_be_taken_at_once(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    struct loss loss = {.again = true};
    struct lab lab;

    lab_open(&lab, &o);
    loss.lab = &lab;
    s2svpn_host_on_gone(lab.host[0], on_gone, &loss);
    CU_ASSERT_EQUAL(s2svpn_host_add_tun(lab.host[0], 5, "lan0", 0, NULL, NULL), S2SVPN_OK);
    netns_delete("lan0");
    CU_ASSERT(lab_until(&lab, &loss.count, 1));
    CU_ASSERT(netns_has("lan0"));
    netns_up("lan0");
    CU_ASSERT_EQUAL(give(&lab, 5), 1);
    CU_ASSERT_EQUAL(lab_counters(&lab, 0).packets_out, 1);
    lab_close(&lab);
}

static void a_device_that_is_down_refuses_and_stays(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    struct loss loss = {0};
    struct lab lab;
    uint64_t reads;

    lab_open(&lab, &o);
    s2svpn_host_on_gone(lab.host[0], on_gone, &loss);
    CU_ASSERT_EQUAL(s2svpn_host_add_tun(lab.host[0], 5, "lan0", 0, NULL, NULL), S2SVPN_OK);
    CU_ASSERT_EQUAL(give(&lab, 5), 1);
    CU_ASSERT_EQUAL(lab_counters(&lab, 0).packets_refused, 1);
    reads = lab_counters(&lab, 0).reads;
    lab_run_ms(&lab, 30);
    CU_ASSERT(lab_counters(&lab, 0).reads <= reads + 2);
    CU_ASSERT_EQUAL(loss.count, 0);
    netns_up("lan0");
    CU_ASSERT_EQUAL(give(&lab, 5), 1);
    CU_ASSERT_EQUAL(lab_counters(&lab, 0).packets_out, 1);
    lab_close(&lab);
}

const CU_TestInfo s2_test_tun[] = {
    {"tcp is the same either way over ipv4", tcp_is_the_same_either_way_over_ipv4},
    {"tcp is the same either way over ipv6", tcp_is_the_same_either_way_over_ipv6},
    {"udp trains are the same either way", udp_trains_are_the_same_either_way},
    {"names and mtu are as asked for", names_and_mtu_are_as_asked_for},
    {"what can not be is refused and named", what_can_not_be_is_refused_and_named},
    {"the thirty third device is refused", the_thirty_third_device_is_refused},
    {"a device that is gone is told and leaves the loop",
     a_device_that_is_gone_is_told_and_leaves_the_loop},
    {"its place may be taken at once", its_place_may_be_taken_at_once},
    {"a device that is down refuses and stays", a_device_that_is_down_refuses_and_stays},
    CU_TEST_INFO_NULL,
};
