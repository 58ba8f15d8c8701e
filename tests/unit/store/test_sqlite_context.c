/* SPDX-License-Identifier: Apache-2.0 */
/* A context over the SQLite store, on a libevent loop: its objects wait for the disk and
 * for nothing else. A program of its own, with all of the library. */
#include "lab.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "s2svpn/s2svpn.h"

/* ---- a host that does nothing */

static size_t send_outside(void *io, s2svpn_worker *worker, const s2svpn_datagram *d, size_t n)
{
    (void)io;
    (void)worker;
    (void)d;
    return n;
}

static size_t send_inside(void *io, s2svpn_worker *worker, s2svpn_port_id port,
                          const s2svpn_packet *p, size_t n)
{
    (void)io;
    (void)worker;
    (void)port;
    (void)p;
    return n;
}

static void deadline(void *io, uint64_t at_ns)
{
    (void)io;
    (void)at_ns;
}

static const s2svpn_io_ops io_ops = {
    .size = sizeof(io_ops),
    .send_outside = send_outside,
    .send_inside = send_inside,
    .deadline = deadline,
};

struct scene {
    struct s2_lab lab;
    struct event_base *base;
    s2svpn_context *ctx;
};

static void set_up(struct scene *s)
{
    s2svpn_endpoint local = {.port = 500, .role = S2SVPN_ROLE_IKE};
    s2svpn_options options = S2SVPN_OPTIONS_INIT;

    s2_lab_make(&s->lab);
    CU_ASSERT_EQUAL_FATAL(s2_lab_open(&s->lab), S2SVPN_OK);
    s->base = event_base_new();
    CU_ASSERT_EQUAL(s2svpn_sqlite_store_watch(s->lab.store, s->base, NULL), S2SVPN_OK);
    CU_ASSERT(s2svpn_address_read("192.0.2.1", &local.address));
    options.io_ops = &io_ops;
    options.local = &local;
    options.local_count = 1;
    options.store = s2svpn_sqlite_store_ops();
    options.store_user = s->lab.store;
    CU_ASSERT_EQUAL_FATAL(s2svpn_context_new(&options, &s->ctx, &s->lab.why), S2SVPN_OK);
}

static void tear_down(struct scene *s)
{
    s2svpn_context_free(s->ctx);
    s2_lab_clear(&s->lab);
    event_base_free(s->base);
}

static s2svpn_customer_gateway *make_gateway(struct scene *s)
{
    const s2svpn_customer_gateway_spec spec = {
        .size = sizeof(spec), .bgp_asn = 65000, .address = "203.0.113.7"};
    s2svpn_customer_gateway *cgw = NULL;

    CU_ASSERT_EQUAL(s2svpn_customer_gateway_new(s->ctx, &spec, &cgw), S2SVPN_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cgw);
    return cgw;
}

static uint8_t state_of(const s2svpn_customer_gateway *cgw)
{
    s2svpn_customer_gateway_info info = {.size = sizeof(info)};

    s2svpn_customer_gateway_get_info(cgw, &info);
    return info.state;
}

static bool count_record(void *arg, const s2svpn_record *r)
{
    unsigned *n = arg;

    CU_ASSERT_EQUAL(r->kind, S2SVPN_KIND_CUSTOMER_GATEWAY);
    ++*n;
    return true;
}

static unsigned count(struct scene *s)
{
    unsigned n = 0;

    CU_ASSERT_EQUAL(s->lab.s.ops->load(s->lab.store, count_record, &n), S2SVPN_OK);
    return n;
}

static void an_object_is_available_when_it_is_on_disk(void)
{
    s2svpn_customer_gateway *cgw;
    struct scene s;

    set_up(&s);
    cgw = make_gateway(&s);
    CU_ASSERT_EQUAL(state_of(cgw), S2SVPN_STATE_PENDING);
    while (state_of(cgw) == S2SVPN_STATE_PENDING)
        event_base_loop(s.base, EVLOOP_ONCE);
    CU_ASSERT_EQUAL(state_of(cgw), S2SVPN_STATE_AVAILABLE);
    CU_ASSERT_EQUAL(count(&s), 1);
    CU_ASSERT_EQUAL(s2svpn_customer_gateway_delete(cgw), S2SVPN_OK);
    CU_ASSERT_EQUAL(state_of(cgw), S2SVPN_STATE_DELETING);
    while (state_of(cgw) == S2SVPN_STATE_DELETING)
        event_base_loop(s.base, EVLOOP_ONCE);
    CU_ASSERT_EQUAL(state_of(cgw), S2SVPN_STATE_DELETED);
    CU_ASSERT_EQUAL(count(&s), 0);
    s2svpn_customer_gateway_release(cgw);
    tear_down(&s);
}

static void a_context_may_end_before_the_answers(void)
{
    struct scene s;

    set_up(&s);
    for (int i = 0; i < 50; i++)
        s2svpn_customer_gateway_release(make_gateway(&s));
    s2svpn_context_free(s.ctx); /* which cancels */
    s.ctx = NULL;
    s2_lab_close(&s.lab);
    CU_ASSERT_EQUAL_FATAL(s2_lab_open(&s.lab), S2SVPN_OK);
    CU_ASSERT_EQUAL(count(&s), 50);
    tear_down(&s);
}

static const CU_TestInfo s2_test_sqlite_context[] = {
    {"an object is available when it is on disk", an_object_is_available_when_it_is_on_disk},
    {"a context may end before the answers", a_context_may_end_before_the_answers},
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {{"store/sqlite context", s2_test_sqlite_context}};

    return s2_run_suites(suites, 1, argc, argv);
}
