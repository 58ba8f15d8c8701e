/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <errno.h>
#include <linux/capability.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lab.h"
#include "netns.h"

#define MTU 1500

static uint8_t bytes[20000];

static void open_lab(struct lab *lab, const char *first, const char *second)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;

    netns_set_mtu("lo", MTU);
    lab_fill(bytes, sizeof(bytes));
    lab_open_at(lab, first, second, &o, true);
}

static void esp_crosses(const char *first, const char *second, uint8_t hop_limit)
{
    static const uint32_t lengths[] = {8, 100, 1400, 4000}; /* the last in fragments */
    struct lab lab;

    open_lab(&lab, first, second);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        s2svpn_datagram d = lab_datagram(&lab, S2SVPN_ROLE_RAW, bytes, lengths[i]);
        const struct arrival *a = &lab.ctx[1]->arrival[i];

        d.tos = (uint8_t)(i * 0x29);
        CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
        CU_ASSERT_FATAL(lab_wait(&lab, 1, i + 1));
        CU_ASSERT_EQUAL(a->len, lengths[i]);
        CU_ASSERT(memcmp(a->data, bytes, a->len) == 0);
        CU_ASSERT(memcmp(&a->local, &d.remote, sizeof(a->local)) == 0);
        CU_ASSERT(memcmp(&a->remote, &d.local, sizeof(a->remote)) == 0);
        CU_ASSERT_EQUAL(a->tos, d.tos);
        CU_ASSERT_EQUAL(a->hop_limit, hop_limit);
    }
    CU_ASSERT_EQUAL(lab.ctx[0]->count, 0);
    lab_close(&lab);
}

static void esp_crosses_over_ipv4(void)
{
    esp_crosses("127.1.0.1", "127.1.0.2", 64);
}

static void esp_crosses_over_ipv6(void)
{
    netns_add_address("lo", "2001:db8::1");
    netns_add_address("lo", "2001:db8::2");
    esp_crosses("2001:db8::1", "2001:db8::2", 0);
}

static void many_cross_in_batches(void)
{
    s2svpn_datagram d[300];
    struct lab lab;

    open_lab(&lab, "127.1.1.1", "127.1.1.2");
    for (size_t i = 0; i < 300; i++)
        d[i] = lab_datagram(&lab, S2SVPN_ROLE_RAW, bytes + i, 40);
    CU_ASSERT_EQUAL(lab_send(&lab, d, 300), 300);
    CU_ASSERT_EQUAL(kernel.sends, 2);
    CU_ASSERT_FATAL(lab_wait(&lab, 1, 300));
    CU_ASSERT(lab.ctx[1]->calls <= 6);
    for (size_t i = 0; i < 300; i++)
        CU_ASSERT(memcmp(lab.ctx[1]->arrival[i].data, bytes + i, 40) == 0);
    lab_close(&lab);
}

static void trains_are_cut(void)
{
    s2svpn_datagram d;
    struct lab lab;

    open_lab(&lab, "127.1.2.1", "127.1.2.2");
    d = lab_datagram(&lab, S2SVPN_ROLE_RAW, bytes, 10000);
    d.segment = 1400;
    CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
    CU_ASSERT_EQUAL(kernel.sends, 1);
    CU_ASSERT(lab_wait(&lab, 1, 8));
    CU_ASSERT(lab_has_train(&lab, bytes, 10000, 1400));
    lab_close(&lab);
}

static void the_df_bit_is_clear(void)
{
    struct lab lab;
    s2svpn_datagram d;
    struct iphdr ip;

    open_lab(&lab, "127.1.3.1", "127.1.3.2");
    s2svpn_endpoint to = lab_endpoint(&lab, 1, S2SVPN_ROLE_RAW);
    union s2_io_name name;
    const socklen_t len = s2_io_name_write(&to, &name);
    const int fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ESP);

    CU_ASSERT_FATAL(fd >= 0 && bind(fd, &name.any, len) == 0);
    d = lab_datagram(&lab, S2SVPN_ROLE_RAW, bytes, 100);
    CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
    CU_ASSERT(lab_wait(&lab, 1, 1));
    CU_ASSERT_EQUAL(recv(fd, &ip, sizeof(ip), 0), (ssize_t)sizeof(ip));
    CU_ASSERT_EQUAL(ntohs(ip.frag_off) & IP_DF, 0);
    CU_ASSERT_EQUAL(ip.protocol, IPPROTO_ESP);
    close(fd);
    lab_close(&lab);
}

static void the_context_is_told_of_it(void)
{
    struct lab lab;
    s2svpn_options options = S2SVPN_OPTIONS_INIT;

    open_lab(&lab, "127.1.4.1", "127.1.4.2");
    s2svpn_host_prepare(lab.host[0], &options);
    CU_ASSERT_EQUAL_FATAL(options.local_count, 3);
    CU_ASSERT_EQUAL(options.local[2].role, S2SVPN_ROLE_RAW);
    CU_ASSERT_EQUAL(options.local[2].port, 0);
    lab_close(&lab);
}

/* Take CAP_NET_RAW out of what is in force, or bring it back. */
static void set_capability(bool on)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];

    if (syscall(SYS_capget, &head, data) != 0)
        abort();
    if (on)
        data[0].effective |= 1u << CAP_NET_RAW;
    else
        data[0].effective &= ~(1u << CAP_NET_RAW);
    if (syscall(SYS_capset, &head, data) != 0)
        abort();
}

static void a_missing_privilege_is_named(void)
{
    s2svpn_host_address a[2] = {
        {.ike_port = 5001, .natt_port = 5002, .raw = S2SVPN_HOST_RAW_OFF},
        {.ike_port = 5003, .natt_port = 5004, .raw = S2SVPN_HOST_RAW_REQUIRED}};
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    struct event_base *base = event_base_new();
    s2svpn_host *host = NULL;
    s2svpn_error why = {0};

    a[0].address = a[1].address = lab_address("127.0.0.1");
    o.address = a;
    o.address_count = 2;
    set_capability(false);
    CU_ASSERT_EQUAL(s2svpn_host_new(base, &o, &host, &why), S2SVPN_E_SYSTEM);
    set_capability(true);
    CU_ASSERT_PTR_NULL(host);
    CU_ASSERT_STRING_EQUAL(why.field, "address[1].raw");
    CU_ASSERT_STRING_EQUAL(why.message, strerror(EPERM));
    event_base_free(base);
}

static size_t raw_endpoints(const s2svpn_host_address *a, struct event_base *base)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    s2svpn_options options = S2SVPN_OPTIONS_INIT;
    s2svpn_host *host = NULL;
    size_t found = 0;

    o.address = a;
    o.address_count = 1;
    if (s2svpn_host_new(base, &o, &host, NULL) != S2SVPN_OK)
        return SIZE_MAX;
    s2svpn_host_prepare(host, &options);
    for (size_t i = 0; i < options.local_count; i++)
        found += options.local[i].role == S2SVPN_ROLE_RAW;
    s2svpn_host_free(host);
    return found;
}

static void where_it_may_be_missing_the_host_stands_without_it(void)
{
    s2svpn_host_address a = {.ike_port = 5001, .natt_port = 5002, .raw = S2SVPN_HOST_RAW_AUTO};
    struct event_base *base = event_base_new();

    a.address = lab_address("127.0.0.1");
    CU_ASSERT_EQUAL(raw_endpoints(&a, base), 1);
    set_capability(false);
    CU_ASSERT_EQUAL(raw_endpoints(&a, base), 0);
    set_capability(true);
    a.raw = S2SVPN_HOST_RAW_AUTO + 1;
    CU_ASSERT_EQUAL(raw_endpoints(&a, base), SIZE_MAX);
    event_base_free(base);
}

static void a_broken_header_is_no_packet(void)
{
    static const struct {
        const char *row;
        uint8_t first;
        uint32_t len;
        bool good;
        uint32_t left;
    } rows[] = {
        {"a header alone", 0x45, 20, true, 0}, {"a packet", 0x45, 60, true, 40},
        {"options", 0x4f, 60, true, 0},        {"too short", 0x45, 19, false, 0},
        {"nothing", 0x45, 0, false, 0},        {"options cut off", 0x4f, 59, false, 0},
        {"no header", 0x44, 60, false, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t *data = malloc(rows[i].len ? rows[i].len : 1);
        s2svpn_datagram d = {.data = data, .len = rows[i].len};

        memset(data, 9, rows[i].len);
        data[0] = rows[i].first;
        CHECK_ROW(rows[i].row, s2_io_raw_strip(&d) == rows[i].good);
        CHECK_ROW(rows[i].row, !rows[i].good || d.len == rows[i].left);
        CHECK_ROW(rows[i].row, !rows[i].good || (d.tos == 9 && d.hop_limit == 9));
        free(data);
    }
}

const CU_TestInfo s2_test_raw[] = {
    {"where it may be missing the host stands without it",
     where_it_may_be_missing_the_host_stands_without_it},
    {"esp crosses over ipv4", esp_crosses_over_ipv4},
    {"esp crosses over ipv6", esp_crosses_over_ipv6},
    {"many cross in batches", many_cross_in_batches},
    {"trains are cut", trains_are_cut},
    {"the df bit is clear", the_df_bit_is_clear},
    {"the context is told of it", the_context_is_told_of_it},
    {"a missing privilege is named", a_missing_privilege_is_named},
    {"a broken header is no packet", a_broken_header_is_no_packet},
    CU_TEST_INFO_NULL,
};
