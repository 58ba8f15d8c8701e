/* SPDX-License-Identifier: Apache-2.0 */
/* Paths that carry less than they should, and ICMP messages that say so. */
#include "suites.h"

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab.h"
#include "netns.h"

#define LINK_MTU 1500

static uint8_t bytes[65000];

static void open_lab(struct lab *lab, const char *first, const char *second)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;

    netns_set_mtu("lo", LINK_MTU);
    lab_fill(bytes, sizeof(bytes));
    lab_open_at(lab, first, second, &o, false);
}

static bool wait_for_error(struct lab *lab)
{
    for (int i = 0; i < 100 && lab->ctx[0]->errors == 0; i++)
        lab_run_ms(lab, 1);
    return lab->ctx[0]->errors > 0;
}

static uint16_t sum(const uint8_t *p, size_t len)
{
    uint32_t s = 0;

    for (size_t i = 0; i < len; i += 2)
        s += (uint32_t)p[i] << 8 | p[i + 1];
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return htons((uint16_t)~s);
}

static void send_raw(int protocol, const s2svpn_endpoint *from, const s2svpn_endpoint *to,
                     const void *p, size_t len)
{
    s2svpn_endpoint ends[2] = {*from, *to};
    union s2_io_name name[2];
    socklen_t name_len = 0;
    int fd;

    for (int i = 0; i < 2; i++) {
        ends[i].port = 0;
        name_len = s2_io_name_write(&ends[i], &name[i]);
    }
    fd = socket(name[0].any.sa_family, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (fd < 0 || bind(fd, &name[0].any, name_len) != 0 ||
        sendto(fd, p, len, 0, &name[1].any, name_len) != (ssize_t)len)
        abort();
    close(fd);
}

/* What a router would say of d. */
static void say_too_big_ipv4(const s2svpn_datagram *d, uint16_t mtu)
{
    struct {
        struct icmphdr icmp;
        struct iphdr ip;
        struct udphdr udp;
    } m;

    memset(&m, 0, sizeof(m));
    m.icmp.type = ICMP_DEST_UNREACH;
    m.icmp.code = ICMP_FRAG_NEEDED;
    m.icmp.un.frag.mtu = htons(mtu);
    m.ip.version = 4;
    m.ip.ihl = 5;
    m.ip.protocol = IPPROTO_UDP;
    m.ip.tot_len = htons((uint16_t)(28 + d->len));
    memcpy(&m.ip.saddr, d->local.address.bytes, 4);
    memcpy(&m.ip.daddr, d->remote.address.bytes, 4);
    m.udp.source = htons(d->local.port);
    m.udp.dest = htons(d->remote.port);
    m.icmp.checksum = sum((const uint8_t *)&m, sizeof(m));
    send_raw(IPPROTO_ICMP, &d->remote, &d->local, &m, sizeof(m));
}

static void say_too_big_ipv6(const s2svpn_datagram *d, uint32_t mtu)
{
    struct {
        struct icmp6_hdr icmp;
        uint8_t ip[40];
        struct udphdr udp;
    } m;

    memset(&m, 0, sizeof(m));
    m.icmp.icmp6_type = ICMP6_PACKET_TOO_BIG;
    m.icmp.icmp6_mtu = htonl(mtu);
    m.ip[0] = 0x60;
    m.ip[6] = IPPROTO_UDP;
    memcpy(m.ip + 8, d->local.address.bytes, 16);
    memcpy(m.ip + 24, d->remote.address.bytes, 16);
    m.udp.source = htons(d->local.port);
    m.udp.dest = htons(d->remote.port);
    send_raw(IPPROTO_ICMPV6, &d->remote, &d->local, &m, sizeof(m)); /* the kernel sums */
}

static void check_too_big(const struct lab *lab, const s2svpn_datagram *d, uint32_t mtu)
{
    const struct error_arrival *e = &lab->ctx[0]->error[0];

    CU_ASSERT_EQUAL(e->kind, S2SVPN_IO_TOO_BIG);
    CU_ASSERT_EQUAL(e->mtu, mtu);
    CU_ASSERT(memcmp(&e->local, &d->local, sizeof(d->local)) == 0);
    CU_ASSERT(memcmp(&e->remote.address, &d->remote.address, sizeof(d->remote.address)) == 0);
}

static void too_big_reaches_the_context_over_ipv4(void)
{
    struct lab lab;
    s2svpn_datagram d;

    open_lab(&lab, "127.0.1.1", "127.0.1.2");
    d = lab_datagram(&lab, S2SVPN_ROLE_NATT, bytes, 1400);
    CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
    CU_ASSERT(lab_wait(&lab, 1, 1));
    say_too_big_ipv4(&d, 1300);
    CU_ASSERT_FATAL(wait_for_error(&lab));
    check_too_big(&lab, &d, 1300);
    lab_close(&lab);
}

static void too_big_reaches_the_context_over_ipv6(void)
{
    struct lab lab;
    s2svpn_datagram d;

    /* addresses of their own: the kernel remembers */
    netns_add_address("lo", "2001:db8:66::1");
    netns_add_address("lo", "2001:db8:66::2");
    open_lab(&lab, "2001:db8:66::1", "2001:db8:66::2");
    d = lab_datagram(&lab, S2SVPN_ROLE_NATT, bytes, 1400);
    CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
    CU_ASSERT(lab_wait(&lab, 1, 1));
    say_too_big_ipv6(&d, 1350);
    CU_ASSERT_FATAL(wait_for_error(&lab));
    check_too_big(&lab, &d, 1350);
    lab_close(&lab);
}

/* ---- seen from beside */

static int listen_raw(const s2svpn_endpoint *at, int protocol)
{
    s2svpn_endpoint e = *at;
    union s2_io_name name;
    socklen_t len;
    const int fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

    e.port = 0;
    len = s2_io_name_write(&e, &name);
    if (fd < 0 || bind(fd, &name.any, len) != 0)
        abort();
    return fd;
}

static void the_ip_header_is_as_asked_for(void)
{
    static const struct {
        const char *row;
        bool dont_fragment;
        uint8_t hop_limit, tos, ttl;
    } rows[] = {
        {"as it comes", false, 0, 0, 64},
        {"with the DF bit", true, 0, 0, 64},
        {"with a hop limit", false, 7, 0, 7},
        {"with all of it", true, 255, 0xb8, 255},
    };
    struct lab lab;
    int fd;

    open_lab(&lab, "127.0.2.1", "127.0.2.2");
    s2svpn_endpoint to = lab_endpoint(&lab, 1, S2SVPN_ROLE_NATT);
    fd = listen_raw(&to, IPPROTO_UDP);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_datagram d = lab_datagram(&lab, S2SVPN_ROLE_NATT, bytes, 100);
        struct iphdr ip;

        d.dont_fragment = rows[i].dont_fragment;
        d.hop_limit = rows[i].hop_limit;
        d.tos = rows[i].tos;
        CHECK_ROW(rows[i].row, lab_send(&lab, &d, 1) == 1);
        CHECK_ROW(rows[i].row, lab_wait(&lab, 1, i + 1));
        CHECK_ROW(rows[i].row, recv(fd, &ip, sizeof(ip), 0) == (ssize_t)sizeof(ip));
        CHECK_ROW(rows[i].row, ((ntohs(ip.frag_off) & IP_DF) != 0) == rows[i].dont_fragment);
        CHECK_ROW(rows[i].row, ip.ttl == rows[i].ttl);
        CHECK_ROW(rows[i].row, ip.tos == rows[i].tos);
    }
    close(fd);
    lab_close(&lab);
}

/* Whether a way is narrow is for the context to judge: anyone can forge the message. An
 * IP header's length shows that the packet wasn't cut on its way out. */
static void a_forged_error_does_not_make_the_kernel_cut(void)
{
    struct lab lab;
    s2svpn_datagram d;
    int fd;

    open_lab(&lab, "127.0.3.1", "127.0.3.2");
    d = lab_datagram(&lab, S2SVPN_ROLE_NATT, bytes, 1400);
    CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
    say_too_big_ipv4(&d, 600);
    CU_ASSERT(wait_for_error(&lab));
    CU_ASSERT(lab_wait(&lab, 1, 1));
    fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(0x0800));
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
    CU_ASSERT(lab_wait(&lab, 1, 2));
    struct iphdr ip = {0};
    CU_ASSERT_EQUAL(recv(fd, &ip, sizeof(ip), 0), (ssize_t)sizeof(ip));
    CU_ASSERT_EQUAL(ntohs(ip.tot_len), 1428);
    CU_ASSERT_EQUAL(ntohs(ip.frag_off), 0);
    close(fd);
    lab_close(&lab);
}

/* ---- longer than the link */

static void a_long_datagram_crosses_in_fragments(void)
{
    static const char *const addresses[][2] = {{"127.0.4.1", "127.0.4.2"}, {"::1", "::1"}};

    for (size_t i = 0; i < 2; i++) {
        struct lab lab;
        s2svpn_datagram d;

        open_lab(&lab, addresses[i][0], addresses[i][1]);
        d = lab_datagram(&lab, S2SVPN_ROLE_NATT, bytes, 4000);
        CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
        CU_ASSERT(lab_wait(&lab, 1, 1));
        CU_ASSERT(lab_has_train(&lab, bytes, 4000, 4000));
        lab_close(&lab);
    }
}

static void with_df_it_is_reported_and_lost(void)
{
    static const char *const addresses[][2] = {{"127.0.5.1", "127.0.5.2"}, {"::1", "::1"}};

    for (size_t i = 0; i < 2; i++) {
        struct lab lab;
        s2svpn_datagram d[2];

        open_lab(&lab, addresses[i][0], addresses[i][1]);
        d[0] = d[1] = lab_datagram(&lab, S2SVPN_ROLE_NATT, bytes, 4000);
        d[0].dont_fragment = d[1].dont_fragment = true;
        d[1].len = 100;
        CU_ASSERT_EQUAL(lab_send(&lab, d, 2), 2);
        CU_ASSERT_FATAL(wait_for_error(&lab));
        check_too_big(&lab, &d[0], LINK_MTU);
        CU_ASSERT(lab_wait(&lab, 1, 1));
        CU_ASSERT_EQUAL(lab_counters(&lab, 0).datagrams_refused, 1);
        lab_close(&lab);
    }
}

/* The kernel itself refuses such a train. */
static void a_train_of_long_segments_is_cut(void)
{
    static const char *const addresses[][2] = {{"127.0.6.1", "127.0.6.2"}, {"::1", "::1"}};

    for (size_t i = 0; i < 2; i++) {
        struct lab lab;
        s2svpn_datagram d;

        open_lab(&lab, addresses[i][0], addresses[i][1]);
        d = lab_datagram(&lab, S2SVPN_ROLE_NATT, bytes, 20000);
        d.segment = 1600;
        CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
        CU_ASSERT(lab_wait(&lab, 1, 13));
        CU_ASSERT(lab_has_train(&lab, bytes, 20000, 1600));
        CU_ASSERT_EQUAL(kernel.train_sends, 0);
        d.segment = 1400;
        CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
        CU_ASSERT_EQUAL(kernel.train_sends, 1);
        CU_ASSERT(lab_wait(&lab, 1, 13 + 15));
        lab_close(&lab);
    }
}

const CU_TestInfo s2_test_path[] = {
    {"too big reaches the context over ipv4", too_big_reaches_the_context_over_ipv4},
    {"too big reaches the context over ipv6", too_big_reaches_the_context_over_ipv6},
    {"the ip header is as asked for", the_ip_header_is_as_asked_for},
    {"a forged error does not make the kernel cut", a_forged_error_does_not_make_the_kernel_cut},
    {"a long datagram crosses in fragments", a_long_datagram_crosses_in_fragments},
    {"with df it is reported and lost", with_df_it_is_reported_and_lost},
    {"a train of long segments is cut", a_train_of_long_segments_is_cut},
    CU_TEST_INFO_NULL,
};
