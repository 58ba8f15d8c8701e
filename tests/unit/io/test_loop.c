/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <string.h>
#include <unistd.h>

#include "lab.h"

#define MS UINT64_C(1000000)

/* ---- options */

static s2svpn_host_address one_address(void)
{
    s2svpn_host_address a = {.address = lab_address("127.0.0.1")};

    a.ike_port = lab_port(&a.address);
    do
        a.natt_port = lab_port(&a.address);
    while (a.natt_port == a.ike_port);
    return a;
}

static void spoil(s2svpn_host_options *o, s2svpn_host_address *a, size_t row)
{
    switch (row) {
    case 0:
        o->size = 8;
        break;
    case 1:
        o->address = NULL;
        break;
    case 2:
        o->address_count = 0;
        break;
    case 3:
        o->address_count = 65;
        break;
    case 4:
        a[1].address.family = S2SVPN_FAMILY_NONE;
        break;
    case 5:
        a[0].address.family = 7;
        break;
    case 6:
        o->receive_buffer = UINT32_MAX;
        break;
    case 7:
        o->send_buffer = UINT32_MAX;
        break;
    case 8:
        o->batch = 257;
        break;
    }
}

static void refused_options_are_named(void)
{
    static const char *const fields[] = {
        "size",
        "address",
        "address_count",
        "address_count",
        "address[1].address",
        "address[0].address",
        "receive_buffer",
        "send_buffer",
        "batch",
    };
    struct event_base *base = event_base_new();

    for (size_t row = 0; row < sizeof(fields) / sizeof(fields[0]); row++) {
        s2svpn_host_address a[2] = {one_address(), one_address()};
        s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
        s2svpn_host *host = (s2svpn_host *)(void *)base;
        s2svpn_error why = {0};

        o.address = a;
        o.address_count = 2;
        spoil(&o, a, row);
        CHECK_ROW(fields[row], s2svpn_host_new(base, &o, &host, &why) == S2SVPN_E_ARGUMENT);
        CHECK_ROW(fields[row], host == NULL);
        CHECK_ROW(fields[row], why.code == S2SVPN_E_ARGUMENT && why.message[0] != 0);
        CHECK_ROW(fields[row], strcmp(why.field, fields[row]) == 0);
        CHECK_ROW(fields[row], s2svpn_host_new(base, &o, &host, NULL) == S2SVPN_E_ARGUMENT);
    }
    event_base_free(base);
}

static void a_missing_loop_is_named(void)
{
    s2svpn_host_address a = one_address();
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    s2svpn_host *host;
    s2svpn_error why = {0};

    o.address = &a;
    o.address_count = 1;
    CU_ASSERT_EQUAL(s2svpn_host_new(NULL, &o, &host, &why), S2SVPN_E_ARGUMENT);
    CU_ASSERT_STRING_EQUAL(why.field, "base");
}

/* One socket after the other is occupied; the second address is the one that fails. */
static void a_port_in_use_is_named_with_its_address(void)
{
    struct event_base *base = event_base_new();

    for (int natt = 0; natt < 2; natt++) {
        s2svpn_host_address a[2] = {one_address(), one_address()}, other = one_address();
        s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
        s2svpn_host *first = NULL, *second = NULL;
        s2svpn_error why = {0};

        o.address = &other;
        o.address_count = 1;
        CU_ASSERT_EQUAL_FATAL(s2svpn_host_new(base, &o, &first, &why), S2SVPN_OK);
        *(natt ? &a[1].natt_port : &a[1].ike_port) = other.natt_port;
        o.address = a;
        o.address_count = 2;
        CU_ASSERT_EQUAL(s2svpn_host_new(base, &o, &second, &why), S2SVPN_E_SYSTEM);
        CU_ASSERT_PTR_NULL(second);
        CU_ASSERT_STRING_EQUAL(why.field, natt ? "address[1].natt_port" : "address[1].ike_port");
        CU_ASSERT_STRING_EQUAL(why.message, "Address already in use");
        s2svpn_host_free(first);
    }
    event_base_free(base);
}

/* As a program that was built when the struct ended behind address_count. */
static void options_of_an_older_header_are_enough(void)
{
    struct event_base *base = event_base_new();
    s2svpn_host_address a = one_address();
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    s2svpn_host *host = NULL;

    o.size = offsetof(s2svpn_host_options, receive_buffer);
    o.address = &a;
    o.address_count = 1;
    o.batch = 100000; /* bytes of somebody else */
    CU_ASSERT_EQUAL(s2svpn_host_new(base, &o, &host, NULL), S2SVPN_OK);
    CU_ASSERT_EQUAL(host->options.batch, 64);
    s2svpn_host_free(host);
    event_base_free(base);
}

static void the_context_is_told_of_every_endpoint(void)
{
    struct event_base *base = event_base_new();
    s2svpn_host_address a[2] = {one_address(), one_address()};
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    s2svpn_options options = S2SVPN_OPTIONS_INIT;
    s2svpn_host *host = NULL;

    a[1].no_ike = true;
    o.address = a;
    o.address_count = 2;
    CU_ASSERT_EQUAL_FATAL(s2svpn_host_new(base, &o, &host, NULL), S2SVPN_OK);
    s2svpn_host_prepare(host, &options);
    CU_ASSERT_EQUAL_FATAL(options.local_count, 3);
    CU_ASSERT_EQUAL(options.local[0].role, S2SVPN_ROLE_IKE);
    CU_ASSERT_EQUAL(options.local[0].port, a[0].ike_port);
    CU_ASSERT_EQUAL(options.local[1].role, S2SVPN_ROLE_NATT);
    CU_ASSERT_EQUAL(options.local[1].port, a[0].natt_port);
    CU_ASSERT_EQUAL(options.local[2].role, S2SVPN_ROLE_NATT);
    CU_ASSERT_EQUAL(options.local[2].port, a[1].natt_port);
    CU_ASSERT(options.now_ns > 0 && options.now_ns <= s2svpn_host_now());
    CU_ASSERT_PTR_EQUAL(options.io, host);
    s2svpn_host_free(host);
    event_base_free(base);
}

/* ---- deadlines */

static void tell(struct lab *lab, uint64_t at_ns)
{
    const s2svpn_options *o = &lab->ctx[0]->options;

    o->io_ops->deadline(o->io, at_ns);
}

static void a_deadline_is_kept(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    struct lab lab;
    uint64_t at;

    lab_open(&lab, &o);
    lab_run_ms(&lab, 5); /* the one that attaching asks for */
    lab.ctx[0]->advances = 0;

    tell(&lab, 0);
    CU_ASSERT(lab_until(&lab, &lab.ctx[0]->advances, 1));
    tell(&lab, s2svpn_host_now() - 5 * MS);
    CU_ASSERT(lab_until(&lab, &lab.ctx[0]->advances, 2));
    at = s2svpn_host_now() + 30 * MS;
    tell(&lab, at);
    CU_ASSERT(lab_until(&lab, &lab.ctx[0]->advances, 3));
    /* libevent's clock is a coarse one, so it may be a tick early: the context says it anew */
    CU_ASSERT(lab.ctx[0]->advanced_ns + 10 * MS >= at);
    lab_run_ms(&lab, 20);
    CU_ASSERT_EQUAL(lab.ctx[0]->advances, 3);
    lab_close(&lab);
}

static void a_deadline_replaces_the_one_before(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    struct lab lab;

    lab_open(&lab, &o);
    lab_run_ms(&lab, 5);
    lab.ctx[0]->advances = 0;

    tell(&lab, s2svpn_host_now() + 10 * MS);
    tell(&lab, S2SVPN_NEVER);
    lab_run_ms(&lab, 25);
    CU_ASSERT_EQUAL(lab.ctx[0]->advances, 0);
    tell(&lab, s2svpn_host_now() + 10 * MS);
    tell(&lab, s2svpn_host_now() + 60000 * MS);
    lab_run_ms(&lab, 25);
    CU_ASSERT_EQUAL(lab.ctx[0]->advances, 0);
    tell(&lab, S2SVPN_NEVER - 1);
    lab_run_ms(&lab, 5);
    CU_ASSERT_EQUAL(lab.ctx[0]->advances, 0);
    tell(&lab, s2svpn_host_now() + 1 * MS);
    CU_ASSERT(lab_until(&lab, &lab.ctx[0]->advances, 1));
    lab_close(&lab);
}

/* ---- the context comes and goes */

static void a_deadline_before_attach_is_not_lost(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    struct lab lab;

    lab_open(&lab, &o);
    s2svpn_host_attach(lab.host[0], NULL);
    lab.ctx[0]->advances = 0;
    tell(&lab, 0);
    lab_run_ms(&lab, 5);
    CU_ASSERT_EQUAL(lab.ctx[0]->advances, 0);
    s2svpn_host_attach(lab.host[0], lab.ctx[0]);
    lab_run_ms(&lab, 5);
    CU_ASSERT_EQUAL(lab.ctx[0]->advances, 1);
    lab_close(&lab);
}

static void a_detached_context_is_left_alone(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    uint8_t data[100] = {1};
    struct lab lab;
    s2svpn_datagram d;

    lab_open(&lab, &o);
    lab_run_ms(&lab, 5);
    d = lab_datagram(&lab, S2SVPN_ROLE_NATT, data, sizeof(data));
    s2svpn_host_attach(lab.host[1], NULL);
    lab.ctx[1]->advances = 0;
    CU_ASSERT_EQUAL(lab_send(&lab, &d, 1), 1);
    lab_run_ms(&lab, 10);
    CU_ASSERT_EQUAL(lab.ctx[1]->count, 0);
    CU_ASSERT_EQUAL(lab.ctx[1]->advances, 0);
    s2svpn_host_attach(lab.host[1], lab.ctx[1]);
    CU_ASSERT(lab_wait(&lab, 1, 1));
    lab_close(&lab);
}

static void the_wall_clock_is_told(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    struct lab lab;

    lab_open(&lab, &o);
    CU_ASSERT(lab.ctx[0]->unix_ns > UINT64_C(1600000000) * 1000000000u);
    lab.ctx[0]->unix_ns = 0;
    tell(&lab, 0);
    lab_run_ms(&lab, 5);
    CU_ASSERT_EQUAL(lab.ctx[0]->unix_ns, 0);
    lab.host[0]->wall_ns -= 60000 * MS; /* a minute ago */
    tell(&lab, 0);
    lab_run_ms(&lab, 5);
    CU_ASSERT(lab.ctx[0]->unix_ns > 0);
    lab_close(&lab);
}

/* ---- ports without a device */

struct inside {
    s2svpn_port_id port;
    size_t n;
    uint32_t len;
};

static void on_inside(void *user, s2svpn_context *ctx, s2svpn_port_id port, const s2svpn_packet *p,
                      size_t n, uint64_t now_ns)
{
    struct inside *i = user;

    (void)ctx;
    (void)now_ns;
    *i = (struct inside){port, n, p[0].len};
}

static void packets_without_a_device_go_to_the_function(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    uint8_t data[40] = {0x45};
    const s2svpn_packet p[2] = {{.data = data, .len = 40}, {.data = data, .len = 20}};
    struct inside inside = {0};
    struct lab lab;

    lab_open(&lab, &o);
    const s2svpn_options *options = &lab.ctx[0]->options;
    CU_ASSERT_EQUAL(options->io_ops->send_inside(options->io, NULL, 7, p, 2), 0);
    s2svpn_host_on_inside(lab.host[0], on_inside, &inside);
    CU_ASSERT_EQUAL(options->io_ops->send_inside(options->io, NULL, 7, p, 2), 2);
    CU_ASSERT(inside.port == 7 && inside.n == 2 && inside.len == 40);
    lab_close(&lab);
}

static void counters_fill_what_the_caller_has(void)
{
    s2svpn_host_options o = S2SVPN_HOST_OPTIONS_INIT;
    s2svpn_host_counters c;
    struct lab lab;

    lab_open(&lab, &o);
    lab.host[0]->counters.datagrams_in = 5;
    lab.host[0]->counters.datagrams_out = 6;
    memset(&c, 0xaa, sizeof(c));
    c.size = offsetof(s2svpn_host_counters, datagrams_out);
    s2svpn_host_get_counters(lab.host[0], &c);
    CU_ASSERT_EQUAL(c.size, offsetof(s2svpn_host_counters, datagrams_out));
    CU_ASSERT_EQUAL(c.datagrams_in, 5);
    CU_ASSERT_EQUAL(c.datagrams_out, UINT64_C(0xaaaaaaaaaaaaaaaa));
    lab_close(&lab);
}

static void freeing_nothing_is_allowed(void)
{
    s2svpn_host_free(NULL);
    CU_PASS("nothing happened");
}

const CU_TestInfo s2_test_loop[] = {
    {"refused options are named", refused_options_are_named},
    {"a missing loop is named", a_missing_loop_is_named},
    {"a port in use is named with its address", a_port_in_use_is_named_with_its_address},
    {"options of an older header are enough", options_of_an_older_header_are_enough},
    {"the context is told of every endpoint", the_context_is_told_of_every_endpoint},
    {"a deadline is kept", a_deadline_is_kept},
    {"a deadline replaces the one before", a_deadline_replaces_the_one_before},
    {"a deadline before attach is not lost", a_deadline_before_attach_is_not_lost},
    {"a detached context is left alone", a_detached_context_is_left_alone},
    {"the wall clock is told", the_wall_clock_is_told},
    {"packets without a device go to the function", packets_without_a_device_go_to_the_function},
    {"counters fill what the caller has", counters_fill_what_the_caller_has},
    {"freeing nothing is allowed", freeing_nothing_is_allowed},
    CU_TEST_INFO_NULL,
};
