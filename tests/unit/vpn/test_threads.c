/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn with workers on threads of their own: the program that a thread sanitizer's
 * build runs. Nothing here is simulated: real time, real threads, OpenSSL.
 *
 *     main thread       the gateway's control plane: rekeys, routes, ends
 *     two threads       its workers; the instance's packets enter at both
 *     one thread        the device, one inline worker
 *
 * CUnit is not asked from the threads: they count, and main checks. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

#define WORKERS 2
#define MS UINT64_C(1000000)
#define BOX_MAX 20000
#define IDS 65536
#define FLOWS 64

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * RIG_SECOND + (uint64_t)t.tv_nsec;
}

static void sleep_for(uint64_t ns)
{
    const struct timespec t = {(time_t)(ns / RIG_SECOND), (long)(ns % RIG_SECOND)};

    nanosleep(&t, NULL);
}

/* ---- boxes: what waits for a thread */

struct letter {
    struct letter *next;
    s2svpn_datagram d;
    uint8_t bytes[];
};
struct box {
    pthread_mutex_t lock;
    struct letter *first, **last;
    size_t count;
    bool poll;
    uint64_t overflows;
};

static void box_init(struct box *b)
{
    pthread_mutex_init(&b->lock, NULL);
    b->first = NULL;
    b->last = &b->first;
    b->count = 0;
    b->poll = false;
}

static void box_put(struct box *b, const s2svpn_datagram *d)
{
    struct letter *l = malloc(sizeof(*l) + d->len);

    if (l == NULL)
        abort();
    l->next = NULL;
    l->d = *d;
    memcpy(l->bytes, d->data, d->len);
    pthread_mutex_lock(&b->lock);
    if (b->count < BOX_MAX) {
        *b->last = l;
        b->last = &l->next;
        b->count++;
        l = NULL;
    } else {
        b->overflows++;
    }
    pthread_mutex_unlock(&b->lock);
    free(l);
}

static struct letter *box_take_all(struct box *b, bool *poll)
{
    struct letter *l;

    pthread_mutex_lock(&b->lock);
    l = b->first;
    *poll = b->poll;
    b->first = NULL;
    b->last = &b->first;
    b->count = 0;
    b->poll = false;
    pthread_mutex_unlock(&b->lock);
    return l;
}

/* Give them to a worker, each as its receiver sees it. */
static void read_letters(struct letter *l, s2svpn_worker *w)
{
    while (l) {
        struct letter *next = l->next;
        s2svpn_datagram d = l->d;

        d.local = l->d.remote;
        d.local.role = l->d.local.role;
        d.remote = l->d.local;
        d.data = l->bytes;
        s2svpn_receive_outside(w, &d, 1, now());
        free(l);
        l = next;
    }
}

/* ---- the stage */

struct direction {
    atomic_uint sent, arrived, wrong, twice;
    _Atomic uint8_t seen[IDS];
};

static struct stage {
    s2svpn_context *gateway, *device;
    struct box worker[WORKERS], control, site;
    unsigned turn; /* the device's thread: which worker gets the next */
    _Atomic uint64_t gateway_deadline;
    uint64_t device_deadline;
    atomic_bool stop, traffic, rekey;
    struct direction up, down; /* host to instance, and back */
    s2svpn_port *instance, *lan;
    s2svpn_connection *site_conn;
    atomic_uint rekeys_refused;
} stage;

static size_t gateway_outside(void *io, s2svpn_worker *w, const s2svpn_datagram *d, size_t n)
{
    (void)io;
    (void)w;
    for (size_t i = 0; i < n; i++)
        box_put(&stage.site, &d[i]);
    return n;
}

static void arrive(struct direction *to, const s2svpn_packet *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint16_t id = packet_get16(p[i].data + 4);

        if (p[i].data[9] != 17)
            continue; /* ICMP errors */
        if (!packet_right(p[i].data, p[i].len))
            atomic_fetch_add(&to->wrong, 1);
        if (atomic_fetch_add(&to->seen[id], 1) != 0)
            atomic_fetch_add(&to->twice, 1);
        atomic_fetch_add(&to->arrived, 1);
    }
}

static size_t gateway_inside(void *io, s2svpn_worker *w, s2svpn_port_id port,
                             const s2svpn_packet *p, size_t n)
{
    (void)io;
    (void)w;
    (void)port;
    arrive(&stage.up, p, n);
    return n;
}

static void gateway_deadline(void *io, uint64_t at_ns)
{
    (void)io;
    atomic_store(&stage.gateway_deadline, at_ns);
}

static void gateway_wake(void *io, s2svpn_worker *w)
{
    struct box *b = &stage.control;

    (void)io;
    for (size_t i = 0; i < WORKERS; i++) {
        if (w == s2svpn_context_worker(stage.gateway, i))
            b = &stage.worker[i];
    }
    pthread_mutex_lock(&b->lock);
    b->poll = true;
    pthread_mutex_unlock(&b->lock);
}

static size_t device_outside(void *io, s2svpn_worker *w, const s2svpn_datagram *d, size_t n)
{
    (void)io;
    (void)w;
    for (size_t i = 0; i < n; i++)
        box_put(&stage.worker[stage.turn++ % WORKERS], &d[i]);
    return n;
}

static size_t device_inside(void *io, s2svpn_worker *w, s2svpn_port_id port, const s2svpn_packet *p,
                            size_t n)
{
    (void)io;
    (void)w;
    (void)port;
    arrive(&stage.down, p, n);
    return n;
}

static void device_deadline(void *io, uint64_t at_ns)
{
    (void)io;
    stage.device_deadline = at_ns;
}

static const s2svpn_io_ops gateway_io = {.size = sizeof(gateway_io),
                                         .send_outside = gateway_outside,
                                         .send_inside = gateway_inside,
                                         .deadline = gateway_deadline,
                                         .wake = gateway_wake};
static const s2svpn_io_ops device_io = {.size = sizeof(device_io),
                                        .send_outside = device_outside,
                                        .send_inside = device_inside,
                                        .deadline = device_deadline};

/* One of the streams' packets at a port; ids count up and come once. */
static void send_one(struct direction *way, s2svpn_worker *w, s2svpn_port *port, const char *from,
                     const char *to)
{
    const unsigned id = atomic_fetch_add(&way->sent, 1);
    const struct packet_spec spec = {.from = from,
                                     .to = to,
                                     .id = (uint16_t)id,
                                     .from_port = (uint16_t)(10000 + id % FLOWS),
                                     .payload = 500};
    uint8_t p[700];
    s2svpn_packet packet = {.data = p};

    if (id >= IDS) {
        atomic_fetch_sub(&way->sent, 1);
        return;
    }
    packet.len = (uint32_t)packet_write(p, &spec);
    s2svpn_receive_inside(w, s2svpn_port_number(port), &packet, 1, now());
}

static void *run_worker(void *arg)
{
    const size_t index = (size_t)(uintptr_t)arg;
    s2svpn_worker *w = s2svpn_context_worker(stage.gateway, index);

    while (!atomic_load(&stage.stop)) {
        bool poll;

        read_letters(box_take_all(&stage.worker[index], &poll), w);
        if (poll)
            s2svpn_worker_poll(w, now());
        for (size_t i = 0; i < 4 && atomic_load(&stage.traffic); i++)
            send_one(&stage.down, w, stage.instance, "10.0.1.10", "192.168.10.20");
        sleep_for(MS / 2);
    }
    return NULL;
}

static void *run_device(void *arg)
{
    s2svpn_worker *w = s2svpn_context_worker(stage.device, 0);

    (void)arg;
    while (!atomic_load(&stage.stop)) {
        bool poll;

        read_letters(box_take_all(&stage.site, &poll), w);
        if (stage.device_deadline <= now())
            s2svpn_advance(stage.device, now());
        if (atomic_exchange(&stage.rekey, false) &&
            s2svpn_tunnel_rekey(s2svpn_connection_tunnel(stage.site_conn, 0)) != S2SVPN_OK)
            atomic_fetch_add(&stage.rekeys_refused, 1);
        for (size_t i = 0; i < 4 && atomic_load(&stage.traffic); i++)
            send_one(&stage.up, w, stage.lan, "192.168.10.20", "10.0.1.10");
        sleep_for(MS / 2);
    }
    return NULL;
}

/* The control plane, for so long or until done says so. */
static bool run_control(uint64_t ns, bool (*done)(struct rig *rig), struct rig *rig)
{
    const uint64_t until = now() + ns;

    while (now() < until) {
        bool poll;

        box_take_all(&stage.control, &poll);
        if (poll || atomic_load(&stage.gateway_deadline) <= now())
            s2svpn_advance(stage.gateway, now());
        if (done && done(rig))
            return true;
        sleep_for(MS / 2);
    }
    return done == NULL;
}

/* ---- setting it up: the rig's own steps, with other hosts */

static void take_io(struct rig_side *side)
{
    const bool gateway = side->name[0] == 'g';

    side->options.io_ops = gateway ? &gateway_io : &device_io;
    side->options.memory = NULL; /* malloc bears threads; the rig's heap doesn't */
    side->options.random = NULL;
    side->options.workers = gateway ? WORKERS : 0;
}

static bool cloud_up(struct rig *rig)
{
    return rig_tunnel(rig->cloud, 0).up && rig_tunnel(rig->cloud, 1).up;
}

static bool open_stage(struct rig *rig, const struct rig_plan *plan, pthread_t *thread)
{
    for (size_t i = 0; i < WORKERS; i++)
        box_init(&stage.worker[i]);
    box_init(&stage.control);
    box_init(&stage.site);
    atomic_store(&stage.gateway_deadline, S2SVPN_NEVER);
    stage.device_deadline = S2SVPN_NEVER;
    atomic_store(&stage.stop, false);
    atomic_store(&stage.traffic, false);
    if (rig_open(rig, plan) != S2SVPN_OK || s2svpn_connection_start(rig->site) != S2SVPN_OK)
        return false;
    stage.gateway = rig->gateway.ctx;
    stage.device = rig->device.ctx;
    stage.instance = rig->gateway.port;
    stage.lan = rig->device.port;
    stage.site_conn = rig->site;
    for (size_t i = 0; i < WORKERS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, run_worker, (void *)(uintptr_t)i),
                              0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[WORKERS], NULL, run_device, NULL), 0);
    return true;
}

static void close_stage(struct rig *rig, pthread_t *thread)
{
    bool poll;

    atomic_store(&stage.stop, true);
    for (size_t i = 0; i <= WORKERS; i++)
        pthread_join(thread[i], NULL);
    for (size_t i = 0; i < WORKERS + 2; i++) {
        struct box *b = i < WORKERS    ? &stage.worker[i]
                        : i == WORKERS ? &stage.control
                                       : &stage.site;

        for (struct letter *l = box_take_all(b, &poll), *next; l; l = next) {
            next = l->next;
            free(l);
        }
        CU_ASSERT_EQUAL(b->overflows, 0);
        pthread_mutex_destroy(&b->lock);
    }
    rig_close(rig);
}

/* ---- traffic, rekeys and route changes at once */

static void change_routes(struct rig *rig, s2svpn_route_table *custom, unsigned round)
{
    const s2svpn_prefix other = rig_prefix("172.16.0.0/12"), more = rig_prefix("192.168.10.0/24");
    s2svpn_port_spec spec = S2SVPN_PORT_INIT;
    s2svpn_port *port = NULL;
    s2svpn_route route[8];

    if (round % 2 == 0) {
        CU_ASSERT_EQUAL(s2svpn_route_table_add(rig->table, &other, rig->vgw, NULL), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_route_table_associate(custom, rig->subnet), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_connection_add_static_route(rig->cloud, &more), S2SVPN_OK);
    } else {
        CU_ASSERT_EQUAL(s2svpn_route_table_remove(rig->table, &other), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_route_table_associate(NULL, rig->subnet), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_connection_remove_static_route(rig->cloud, &more), S2SVPN_OK);
    }
    CU_ASSERT_TRUE(s2svpn_route_table_list(custom, route, 8) >= 2);
    spec.subnet = rig->subnet;
    spec.address = rig_address("10.0.1.99");
    CU_ASSERT_EQUAL(s2svpn_port_new(rig->gateway.ctx, &spec, &port), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_port_delete(port), S2SVPN_OK);
    s2svpn_port_release(port);
}

/* Blocks come and go, another table is main, the instance's port checks or doesn't: the
 * packets of this stage may pass either way. */
static void change_vpc(struct rig *rig, s2svpn_route_table *custom, unsigned round)
{
    const s2svpn_prefix block = rig_prefix("10.7.0.0/20");

    CU_ASSERT_EQUAL(round % 2 == 0 ? s2svpn_vpc_add_cidr(rig->vpc, &block, NULL)
                                   : s2svpn_vpc_remove_cidr(rig->vpc, &block),
                    S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_port_set_source_dest_check(rig->gateway.port, round % 2 == 1),
                    S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_route_table_set_main(round % 4 < 2 ? custom : rig->table), S2SVPN_OK);
}

/* As if the tunnel's routes came and went, and with them groups of tunnels. */
static void change_paths(struct rig *rig, unsigned round)
{
    s2svpn_context *ctx = rig->gateway.ctx;

    s2_enter(ctx, now());
    s2_rib_set_usable(rig->vgw->router.rib, &rig->cloud->tunnel[round / 2 % 2], round % 2,
                      ctx->now_ns);
    s2_leave(ctx);
}

static uint64_t all_drops(void)
{
    uint64_t sum = 0;

    for (unsigned i = 1; i < S2SVPN_DROP_COUNT; i++)
        sum += s2svpn_context_drops(stage.gateway, (enum s2svpn_drop)i) +
               s2svpn_context_drops(stage.device, (enum s2svpn_drop)i);
    return sum;
}

static uint64_t drops_before;

/* Nothing is lost but what was counted. */
static bool all_accounted_for(struct rig *rig)
{
    const uint64_t drops = all_drops() - drops_before;

    (void)rig;
    return atomic_load(&stage.up.sent) - atomic_load(&stage.up.arrived) <= drops &&
           atomic_load(&stage.down.sent) - atomic_load(&stage.down.arrived) <= drops;
}

static void check_direction(const char *name, struct direction *way)
{
    const unsigned sent = atomic_load(&way->sent), arrived = atomic_load(&way->arrived);

    char text[80];

    s2_print(text, sizeof(text), "%s: %u of %u arrived", name, arrived, sent);
    CHECK_ROW(text, sent > 10);
    CHECK_ROW(text, arrived <= sent && arrived > sent / 2);
    CHECK_ROW(name, atomic_load(&way->wrong) == 0);
    CHECK_ROW(name, atomic_load(&way->twice) == 0);
}

static void bear_changes(uint32_t ecmp_paths)
{
    const struct rig_plan plan = {
        .static_routes = true, .ecmp_paths = ecmp_paths, .adjust = take_io, .quiet = true};
    static struct rig rig;
    pthread_t thread[WORKERS + 1];
    s2svpn_route_table *custom = NULL;
    unsigned refused = 0;

    memset(&stage, 0, sizeof(stage));
    if (!open_stage(&rig, &plan, thread)) {
        CU_FAIL("the stage is set");
        rig_close(&rig);
        return;
    }
    CU_ASSERT_TRUE(run_control(20 * RIG_SECOND, cloud_up, &rig));
    CU_ASSERT_EQUAL(s2svpn_route_table_new(rig.vpc, &custom), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_route_table_enable_propagation(custom, rig.vgw), S2SVPN_OK);
    run_control(100 * MS, NULL, NULL);
    drops_before = all_drops();
    atomic_store(&stage.traffic, true);
    for (unsigned round = 0; round < 30; round++) {
        run_control(50 * MS, NULL, NULL);
        change_routes(&rig, custom, round);
        change_vpc(&rig, custom, round);
        if (ecmp_paths > 1)
            change_paths(&rig, round);
        if (round % 3 == 0)
            refused +=
                s2svpn_tunnel_rekey(s2svpn_connection_tunnel(rig.cloud, round % 2)) != S2SVPN_OK;
        else if (round % 3 == 1)
            atomic_store(&stage.rekey, true);
        (void)rig_tunnel(rig.cloud, 0);
    }
    atomic_store(&stage.traffic, false);
    run_control(200 * MS, NULL, NULL);
    CU_ASSERT_TRUE(run_control(10 * RIG_SECOND, all_accounted_for, &rig));
    check_direction("host to instance", &stage.up);
    check_direction("instance to host", &stage.down);
    CU_ASSERT_TRUE(refused + atomic_load(&stage.rekeys_refused) < 20); /* of as many */
    CU_ASSERT_TRUE(rig_tunnel(rig.cloud, 0).rekeys + rig_tunnel(rig.cloud, 1).rekeys > 0);
    CU_ASSERT_TRUE(cloud_up(&rig));
    s2svpn_route_table_release(custom);
    close_stage(&rig, thread);
}

static void traffic_bears_rekeys_and_route_changes(void)
{
    bear_changes(0);
}

static void traffic_by_both_tunnels_bears_them_too(void)
{
    bear_changes(2);
}

/* Everything goes while packets are in flight: under a sanitizer, that is the test. */
static void let_objects_go(uint32_t ecmp_paths)
{
    const struct rig_plan plan = {
        .ecmp_paths = ecmp_paths, .adjust = take_io, .quiet = true}; /* with BGP */
    static struct rig rig;
    pthread_t thread[WORKERS + 1];

    memset(&stage, 0, sizeof(stage));
    if (!open_stage(&rig, &plan, thread)) {
        CU_FAIL("the stage is set");
        rig_close(&rig);
        return;
    }
    CU_ASSERT_TRUE(run_control(20 * RIG_SECOND, cloud_up, &rig));
    atomic_store(&stage.traffic, true);
    run_control(300 * MS, NULL, NULL);
    CU_ASSERT_EQUAL(s2svpn_tunnel_reset(s2svpn_connection_tunnel(rig.cloud, 0)), S2SVPN_OK);
    run_control(100 * MS, NULL, NULL);
    CU_ASSERT_EQUAL(s2svpn_connection_delete(rig.cloud), S2SVPN_OK);
    s2svpn_connection_release(rig.cloud);
    rig.cloud = NULL;
    run_control(50 * MS, NULL, NULL);
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(rig.vgw), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_delete(rig.vgw), S2SVPN_OK);
    s2svpn_virtual_gateway_release(rig.vgw);
    rig.vgw = NULL;
    run_control(50 * MS, NULL, NULL);
    CU_ASSERT_EQUAL(s2svpn_port_delete(rig.gateway.port),
                    S2SVPN_OK); /* the number is known still */
    run_control(50 * MS, NULL, NULL);
    atomic_store(&stage.traffic, false);
    CU_ASSERT_TRUE(atomic_load(&stage.up.arrived) > 0 && atomic_load(&stage.down.arrived) > 0);
    CU_ASSERT_EQUAL(atomic_load(&stage.up.wrong) + atomic_load(&stage.down.wrong), 0);
    CU_ASSERT_EQUAL(stage.gateway == NULL, false);
    close_stage(&rig, thread);
}

static void objects_go_under_traffic(void)
{
    let_objects_go(0);
}

static void objects_go_under_traffic_by_both_tunnels(void)
{
    let_objects_go(2);
}

/* ---- a thousand contexts */

#define CREWS 8
#define CONTEXTS 125

struct crew {
    pthread_t thread;
    unsigned failures;
};

static void *make_contexts(void *arg)
{
    struct crew *c = arg;
    struct rig *rig = calloc(1, sizeof(*rig));

    for (unsigned i = 0; rig && i < CONTEXTS; i++) {
        rig_init(rig, NULL);
        if (i % 5 == 4)
            c->failures += rig_make_device(rig) != S2SVPN_OK;
        else
            c->failures += rig_make_gateway(rig) != S2SVPN_OK ||
                           (i % 5 < 2 && (rig_make_vpc(rig) != S2SVPN_OK ||
                                          rig_make_connection(rig) != S2SVPN_OK));
        s2svpn_context_free(rig->gateway.ctx); /* with the handles: they are its */
        s2svpn_context_free(rig->device.ctx);
        c->failures += rig->gateway.heap.live != 0 || rig->device.heap.live != 0;
    }
    c->failures += rig == NULL;
    free(rig);
    return NULL;
}

static void a_thousand_contexts_come_and_go_on_eight_threads(void)
{
    struct crew crew[CREWS] = {{0}};

    for (size_t i = 0; i < CREWS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&crew[i].thread, NULL, make_contexts, &crew[i]), 0);
    for (size_t i = 0; i < CREWS; i++) {
        pthread_join(crew[i].thread, NULL);
        CU_ASSERT_EQUAL(crew[i].failures, 0);
    }
}

static const CU_TestInfo s2_test_threads[] = {
    {"traffic bears rekeys and route changes", traffic_bears_rekeys_and_route_changes},
    {"traffic by both tunnels bears them, too", traffic_by_both_tunnels_bears_them_too},
    {"objects go under traffic", objects_go_under_traffic},
    {"objects go under traffic by both tunnels", objects_go_under_traffic_by_both_tunnels},
    {"a thousand contexts come and go on eight threads",
     a_thousand_contexts_come_and_go_on_eight_threads},
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {{"vpn/threads", s2_test_threads}};

    return s2_run_suites(suites, 1, argc, argv);
}
