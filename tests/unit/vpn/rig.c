/* SPDX-License-Identifier: Apache-2.0 */
/* The rig: hosts of queues, counted heaps, seeded randomness, a fake Diffie-Hellman. */
#include "vpn/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#define MOST_ROUNDS 100000 /* of a pump: more is a loop */
#define WAY_NS 1000        /* nothing arrives at the moment when it was sent */

/* ---- values */

s2svpn_address rig_address(const char *text)
{
    s2svpn_address a;

    if (!s2svpn_address_read(text, &a))
        abort();
    return a;
}

s2svpn_prefix rig_prefix(const char *text)
{
    s2svpn_prefix p;

    if (!s2svpn_prefix_read(text, &p))
        abort();
    return p;
}

/* ---- the heap: the length stands before the bytes */

#define HEAP_HEADER 16

static void *heap_allocate(void *user, size_t len)
{
    struct rig_heap *h = user;
    uint8_t *p;

    if (++h->allocations == h->fail_at) {
        h->failed = true;
        return NULL;
    }
    p = malloc(HEAP_HEADER + len);
    if (p == NULL)
        return NULL;
    memcpy(p, &len, sizeof(len));
    memset(p + HEAP_HEADER, 0xa5, len); /* whoever counts on zeros must ask for them */
    h->live++;
    h->live_bytes += len;
    return p + HEAP_HEADER;
}

static void heap_release(void *user, void *p)
{
    struct rig_heap *h = user;
    size_t len;

    if (p == NULL)
        return;
    memcpy(&len, (uint8_t *)p - HEAP_HEADER, sizeof(len));
    h->live--;
    h->live_bytes -= len;
    free((uint8_t *)p - HEAP_HEADER);
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
static s2svpn_status draw(void *user, uint8_t *out, size_t len)
{
    struct rig_side *side = user;

    side->draws++;
    if (side->random_fails)
        return S2SVPN_E_RANDOM;
    for (size_t i = 0; i < len; i++) {
        uint64_t v = side->random_state += UINT64_C(0x9e3779b97f4a7c15);

        v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
        out[i] = (uint8_t)((v ^ v >> 31) >> 56);
    }
    return S2SVPN_OK;
}

/* ---- crypto: a public value is the private one repeated, the secret is both xored */

/* Signatures are OpenSSL's. */
static s2svpn_status work(s2svpn_job *job)
{
    s2svpn_status result = S2SVPN_E_CRYPTO;

    if (job->kind == S2SVPN_JOB_SIGN || job->kind == S2SVPN_JOB_VERIFY) {
        CU_ASSERT_EQUAL(s2svpn_crypto_openssl()->start_job(NULL, job, &result), S2SVPN_JOB_DONE);
        return result;
    }
    if (job->secret.len == 0)
        return S2SVPN_E_ARGUMENT;
    for (size_t i = 0; i < job->out_len; i++) {
        job->out[i] = job->secret.p[i % job->secret.len];
        if (job->kind == S2SVPN_JOB_KE_SHARED)
            job->out[i] ^= job->in.p[i % job->in.len];
    }
    return S2SVPN_OK;
}

static s2svpn_job_state start_job(void *user, s2svpn_job *job, s2svpn_status *result)
{
    struct rig_side *side = user;

    if (side->deferred && side->jobs < sizeof(side->job) / sizeof(side->job[0])) {
        side->job[side->jobs++] = job;
        return S2SVPN_JOB_PENDING;
    }
    *result = work(job);
    return S2SVPN_JOB_DONE;
}

static void cancel_job(void *user, s2svpn_job *job)
{
    struct rig_side *side = user;

    for (size_t i = 0; i < side->jobs; i++) {
        if (side->job[i] == job)
            side->job[i--] = side->job[--side->jobs];
    }
}

static bool finish_job(struct rig_side *side)
{
    s2svpn_job *job;

    if (side->jobs == 0)
        return false;
    job = side->job[0];
    side->job[0] = side->job[--side->jobs];
    s2svpn_job_done(side->ctx, job, work(job), side->rig->now_ns);
    return true;
}

/* ---- queues */

static void queue_init(struct rig_queue *q)
{
    q->first = NULL;
    q->last = &q->first;
    q->count = 0;
}

static struct rig_item *queue_put(struct rig_queue *q, const uint8_t *p, size_t len)
{
    struct rig_item *item = calloc(1, sizeof(*item));

    if (item == NULL || (item->data = malloc(len > 0 ? len : 1)) == NULL)
        abort();
    memcpy(item->data, p, len);
    item->len = len;
    *q->last = item;
    q->last = &item->next;
    q->count++;
    return item;
}

struct rig_item *rig_take(struct rig_queue *q)
{
    struct rig_item *item = q->first;

    if (item == NULL)
        return NULL;
    q->first = item->next;
    if (q->first == NULL)
        q->last = &q->first;
    q->count--;
    return item;
}

void rig_item_free(struct rig_item *item)
{
    if (item == NULL)
        return;
    free(item->data);
    free(item);
}

void rig_drop_all(struct rig_queue *q)
{
    struct rig_item *item;

    while ((item = rig_take(q)) != NULL)
        rig_item_free(item);
}

/* ---- the host */

static size_t send_outside(void *io, s2svpn_worker *worker, const s2svpn_datagram *d, size_t n)
{
    struct rig_side *side = io;
    const size_t taken = n < side->take_outside ? n : side->take_outside;

    if (side->hook)
        side->hook(side, false);
    for (size_t i = 0; i < taken; i++) {
        struct rig_item *item;

        if (side->rig->loses && side->rig->loses(side->rig, side, &d[i]))
            continue;
        item = queue_put(&side->outside, d[i].data, d[i].len);
        item->datagram = d[i];
        item->worker = worker;
        if (side->direct && side->peer->ctx) {
            item = rig_take(&side->outside);
            rig_deliver(side->rig, side->peer, item);
            rig_item_free(item);
        }
    }
    return taken;
}

static size_t send_inside(void *io, s2svpn_worker *worker, s2svpn_port_id port,
                          const s2svpn_packet *p, size_t n)
{
    struct rig_side *side = io;
    const size_t taken = n < side->take_inside ? n : side->take_inside;

    if (side->hook)
        side->hook(side, true);
    for (size_t i = 0; i < taken; i++) {
        struct rig_item *item = queue_put(&side->inside, p[i].data, p[i].len);

        item->inside = true;
        item->port = port;
        item->packet = p[i];
        item->worker = worker;
    }
    return taken;
}

static void deadline(void *io, uint64_t at_ns)
{
    struct rig_side *side = io;

    side->deadline_ns = at_ns;
    side->deadlines++;
    if (side->on_deadline)
        side->on_deadline(side);
}

static void wake(void *io, s2svpn_worker *worker)
{
    struct rig_side *side = io;

    for (size_t i = 0; i < side->options.workers; i++) {
        if (worker == s2svpn_context_worker(side->ctx, i))
            side->woken[i] = true;
    }
    if (worker == NULL)
        side->woken[side->options.workers] = true;
}

static const s2svpn_io_ops io_ops = {
    .size = sizeof(io_ops),
    .send_outside = send_outside,
    .send_inside = send_inside,
    .deadline = deadline,
    .wake = wake,
    .superpackets = true,
};

static void on_event(void *user, s2svpn_context *ctx, const s2svpn_event *event)
{
    struct rig_side *side = user;
    struct rig_event *e = &side->event[side->events++ % RIG_EVENTS];

    (void)ctx;
    e->kind = event->kind;
    e->tunnel = event->tunnel;
    e->up = event->up;
    e->sequence = event->sequence;
    snprintf(e->id, sizeof(e->id), "%s", event->id.text);
    snprintf(e->reason, sizeof(e->reason), "%s", event->reason);
    snprintf(e->text, sizeof(e->text), "%s", event->text);
}

const struct rig_event *rig_last_event(const struct rig_side *side, uint32_t kind)
{
    for (size_t i = 0; i < side->events && i < RIG_EVENTS; i++) {
        const struct rig_event *e = &side->event[(side->events - 1 - i) % RIG_EVENTS];

        if (e->kind == kind)
            return e;
    }
    return NULL;
}

size_t rig_count_events(const struct rig_side *side, uint32_t kind)
{
    size_t n = 0;

    for (size_t i = 0; i < side->events && i < RIG_EVENTS; i++)
        n += side->event[i].kind == kind;
    return n;
}

bool rig_reason_says(const s2svpn_tunnel_info *info, const char *words)
{
    if (strstr(info->reason, words))
        return true;
    printf("    the reason is \"%s\"\n", info->reason);
    return false;
}

bool rig_event_says(const struct rig_side *side, uint32_t kind, const char *words)
{
    for (size_t i = 0; i < side->events && i < RIG_EVENTS; i++) {
        if (side->event[i].kind == kind && strstr(side->event[i].text, words))
            return true;
    }
    return false;
}

/* ---- making */

static void side_init(struct rig *rig, struct rig_side *side, struct rig_side *peer,
                      const char *name, uint64_t seed, size_t fail_at)
{
    static const uint16_t port[] = {500, 4500, 0};
    static const uint8_t role[] = {S2SVPN_ROLE_IKE, S2SVPN_ROLE_NATT, S2SVPN_ROLE_RAW};
    static const char *const cloud[] = {"198.51.100.1", "198.51.100.2"};
    const bool gateway = side == &rig->gateway;
    const s2svpn_options options = S2SVPN_OPTIONS_INIT;
    size_t n = 0;

    side->rig = rig;
    side->peer = peer;
    side->name = name;
    side->random_state = seed;
    side->heap.memory = (s2svpn_memory){.size = sizeof(s2svpn_memory),
                                        .user = &side->heap,
                                        .allocate = heap_allocate,
                                        .release = heap_release};
    side->heap.fail_at = fail_at;
    side->crypto = *s2svpn_crypto_openssl();
    side->crypto.start_job = start_job;
    side->crypto.cancel_job = cancel_job;
    side->take_outside = side->take_inside = SIZE_MAX;
    side->deadline_ns = S2SVPN_NEVER;
    queue_init(&side->outside);
    queue_init(&side->inside);
    for (size_t a = 0; a < (gateway ? 2u : 1u); a++) {
        for (size_t i = 0; i < (rig->plan.raw ? 3u : 2u); i++)
            side->local[n++] =
                (s2svpn_endpoint){.address = rig_address(gateway ? cloud[a] : "203.0.113.7"),
                                  .port = port[i],
                                  .role = role[i]};
    }
    side->options = options;
    side->options.role = gateway ? S2SVPN_ROLE_GATEWAY : S2SVPN_ROLE_DEVICE;
    side->options.profile = rig->plan.profile;
    side->options.io_ops = &io_ops;
    side->options.io = side;
    side->options.local = side->local;
    side->options.local_count = n;
    side->options.crypto = &side->crypto;
    side->options.crypto_user = side;
    side->options.random = draw;
    side->options.random_user = side;
    side->options.memory = &side->heap.memory;
    side->options.limits = rig->plan.limits;
    side->options.now_ns = rig->now_ns;
    if (gateway) {
        side->options.store = rig->plan.store;
        side->options.store_user = rig->plan.store_user;
    }
}

void rig_init(struct rig *rig, const struct rig_plan *plan)
{
    memset(rig, 0, sizeof(*rig));
    if (plan)
        rig->plan = *plan;
    rig->now_ns = RIG_SECOND;
    side_init(rig, &rig->gateway, &rig->device, "gateway", 1, rig->plan.fail_gateway);
    side_init(rig, &rig->device, &rig->gateway, "device", 2, rig->plan.fail_device);
}

static s2svpn_status make_context(struct rig *rig, struct rig_side *side)
{
    s2svpn_status rc;

    if (rig->plan.adjust)
        rig->plan.adjust(side);
    side->options.now_ns = rig->now_ns;
    rc = s2svpn_context_new(&side->options, &side->ctx, &rig->why);
    if (rc == S2SVPN_OK && !rig->plan.quiet)
        rc = s2svpn_context_subscribe(side->ctx, S2SVPN_EVENT_ALL, on_event, side, NULL);
    if (rc == S2SVPN_OK && rig->plan.certify)
        rc = rig->plan.certify(side);
    return rc;
}

s2svpn_status rig_make_gateway(struct rig *rig)
{
    return make_context(rig, &rig->gateway);
}

s2svpn_status rig_make_device(struct rig *rig)
{
    return make_context(rig, &rig->device);
}

s2svpn_status rig_make_vpc(struct rig *rig)
{
    s2svpn_vpc_spec vpc = S2SVPN_VPC_INIT;
    s2svpn_subnet_spec subnet = S2SVPN_SUBNET_INIT;
    s2svpn_port_spec port = S2SVPN_PORT_INIT;
    s2svpn_virtual_gateway_spec vgw = S2SVPN_VIRTUAL_GATEWAY_INIT;
    s2svpn_status rc;

    vgw.ecmp_paths = rig->plan.ecmp_paths;
    vpc.cidr = rig_prefix("10.0.0.0/16");
    if (rig->plan.ipv6)
        vpc.ipv6_cidr = rig_prefix("2001:db8:a::/56");
    rc = s2svpn_vpc_new(rig->gateway.ctx, &vpc, &rig->vpc);
    if (rc != S2SVPN_OK)
        return rc;
    rig->table = s2svpn_vpc_main_route_table(rig->vpc);
    subnet.cidr = rig_prefix("10.0.1.0/24");
    if (rig->plan.ipv6)
        subnet.ipv6_cidr = rig_prefix("2001:db8:a:1::/64");
    rc = s2svpn_subnet_new(rig->vpc, &subnet, &rig->subnet);
    if (rc != S2SVPN_OK)
        return rc;
    port.subnet = rig->subnet;
    port.address = rig_address("10.0.1.10");
    if (rig->plan.ipv6)
        port.ipv6_address = rig_address("2001:db8:a:1::10");
    rc = s2svpn_port_new(rig->gateway.ctx, &port, &rig->gateway.port);
    if (rc == S2SVPN_OK)
        rc = s2svpn_virtual_gateway_new(rig->gateway.ctx, &vgw, &rig->vgw);
    if (rc == S2SVPN_OK)
        rc = s2svpn_virtual_gateway_attach(rig->vgw, rig->vpc);
    if (rc == S2SVPN_OK)
        rc = s2svpn_route_table_enable_propagation(rig->table, rig->vgw);
    return rc;
}

s2svpn_status rig_make_connection(struct rig *rig)
{
    s2svpn_customer_gateway_spec cgw = S2SVPN_CUSTOMER_GATEWAY_INIT;
    s2svpn_connection_spec conn = S2SVPN_CONNECTION_INIT;
    const s2svpn_prefix lan = rig_prefix(rig->plan.ipv6 ? "2001:db8:b::/48" : "192.168.0.0/16");
    s2svpn_status rc;

    cgw.address = rig->plan.anywhere ? NULL : "203.0.113.7";
    cgw.certificate = rig->plan.certificate;
    rc = s2svpn_customer_gateway_new(rig->gateway.ctx, &cgw, &rig->cgw);
    if (rc != S2SVPN_OK)
        return rc;
    conn.static_routes_only = rig->plan.static_routes;
    conn.inside_ip_version = rig->plan.ipv6 ? 6 : 0;
    conn.local_network = rig->plan.customer_network;
    conn.remote_network = rig->plan.cloud_network;
    for (size_t i = 0; i < 2; i++) {
        conn.tunnel[i] = rig->plan.tunnel;
        if (conn.tunnel[i].pre_shared_key == NULL && rig->plan.certificate == NULL)
            conn.tunnel[i].pre_shared_key = RIG_PSK;
    }
    rc = s2svpn_connection_new(rig->vgw, rig->cgw, &conn, &rig->cloud);
    if (rc == S2SVPN_OK && rig->plan.static_routes)
        rc = s2svpn_connection_add_static_route(rig->cloud, &lan);
    return rc;
}

s2svpn_status rig_make_site(struct rig *rig)
{
    s2svpn_device_options options = S2SVPN_DEVICE_OPTIONS_INIT;
    s2svpn_port_spec port = S2SVPN_PORT_INIT;
    const s2svpn_prefix lan[] = {rig_prefix("192.168.0.0/16"), rig_prefix("2001:db8:b::/48")};
    const s2svpn_prefix cloud = rig_prefix(rig->plan.ipv6 ? "2001:db8:a::/56" : "10.0.0.0/16");
    s2svpn_device_config *config = NULL;
    s2svpn_text xml = {0};
    s2svpn_status rc;

    rc = s2svpn_connection_device_config(rig->cloud, &xml);
    if (rc == S2SVPN_OK)
        rc = s2svpn_config_read(xml.data, xml.len, &config, &rig->why);
    s2svpn_text_free(&xml);
    if (rc != S2SVPN_OK)
        return rc;
    if (rig->plan.device_options)
        options = *rig->plan.device_options;
    else
        options.offers = rig->plan.offers;
    rc = s2svpn_device_open(rig->device.ctx, config, &options, &rig->site);
    s2svpn_config_free(config);
    if (rc != S2SVPN_OK)
        return rc;
    if (rig->plan.static_routes && !options.external_bgp)
        rc = s2svpn_connection_add_static_route(rig->site, &cloud);
    port.address = rig_address("192.168.0.1");
    if (rig->plan.ipv6)
        port.ipv6_address = rig_address("2001:db8:b::1");
    port.prefix = lan;
    port.prefix_count = rig->plan.ipv6 ? 2 : 1;
    if (rc == S2SVPN_OK)
        rc = s2svpn_port_new(rig->device.ctx, &port, &rig->device.port);
    return rc;
}

s2svpn_status rig_open(struct rig *rig, const struct rig_plan *plan)
{
    s2svpn_status rc;

    rig_init(rig, plan);
    rc = rig_make_gateway(rig);
    if (rc == S2SVPN_OK)
        rc = rig_make_device(rig);
    if (rc == S2SVPN_OK)
        rc = rig_make_vpc(rig);
    if (rc == S2SVPN_OK)
        rc = rig_make_connection(rig);
    if (rc == S2SVPN_OK)
        rc = rig_make_site(rig);
    return rc;
}

static void close_side(struct rig_side *side)
{
    s2svpn_context_free(side->ctx);
    side->ctx = NULL;
    CU_ASSERT_EQUAL(side->jobs, 0);
    CU_ASSERT_EQUAL(side->heap.live, 0);
    CU_ASSERT_EQUAL(side->heap.live_bytes, 0);
    rig_drop_all(&side->outside);
    rig_drop_all(&side->inside);
}

void rig_close(struct rig *rig)
{
    s2svpn_connection_release(rig->cloud);
    s2svpn_connection_release(rig->site);
    s2svpn_customer_gateway_release(rig->cgw);
    s2svpn_virtual_gateway_release(rig->vgw);
    s2svpn_route_table_release(rig->table);
    s2svpn_subnet_release(rig->subnet);
    s2svpn_vpc_release(rig->vpc);
    s2svpn_port_release(rig->gateway.port);
    s2svpn_port_release(rig->device.port);
    close_side(&rig->device);
    close_side(&rig->gateway);
}

s2svpn_context *rig_gateway(struct rig *rig, const struct rig_plan *plan)
{
    rig_init(rig, plan);
    if (rig_make_gateway(rig) != S2SVPN_OK)
        CU_FAIL("a gateway's context is made");
    return rig->gateway.ctx;
}

/* ---- moving */

void rig_deliver_to(struct rig *rig, s2svpn_worker *worker, const struct rig_item *item)
{
    s2svpn_datagram d = item->datagram;
    uint8_t *copy = malloc(item->len > 0 ? item->len : 1);

    if (copy == NULL)
        abort();
    memcpy(copy, item->data, item->len);
    d.local = item->datagram.remote;
    d.local.role = item->datagram.local.role;
    d.remote = item->datagram.local;
    d.data = copy;
    d.len = (uint32_t)item->len;
    if (rig->translates)
        rig->translates(rig, &d);
    s2svpn_receive_outside(worker, &d, 1, rig->now_ns);
    free(copy);
}

void rig_deliver(struct rig *rig, struct rig_side *to, const struct rig_item *item)
{
    const unsigned workers = to->options.workers ? to->options.workers : 1;

    rig_deliver_to(rig, s2svpn_context_worker(to->ctx, to->turn++ % workers), item);
}

static bool pump_side(struct rig *rig, struct rig_side *side)
{
    struct rig_item *item;
    bool any = false;

    if (side->ctx && side->deadline_ns <= rig->now_ns) {
        side->deadline_ns = S2SVPN_NEVER;
        s2svpn_advance(side->ctx, rig->now_ns);
        any = true;
    }
    for (size_t i = 0; side->ctx && i <= side->options.workers; i++) {
        if (!side->woken[i])
            continue;
        side->woken[i] = false;
        if (i < side->options.workers)
            s2svpn_worker_poll(s2svpn_context_worker(side->ctx, i), rig->now_ns);
        else
            s2svpn_advance(side->ctx, rig->now_ns);
        any = true;
    }
    while (side->ctx && finish_job(side))
        any = true;
    while ((item = rig_take(&side->outside)) != NULL) {
        rig->now_ns += WAY_NS;
        if (side->peer->ctx)
            rig_deliver(rig, side->peer, item);
        rig_item_free(item);
        any = true;
    }
    return any;
}

void rig_pump(struct rig *rig)
{
    size_t rounds = 0;
    bool any;

    do {
        any = pump_side(rig, &rig->gateway);
        any |= pump_side(rig, &rig->device);
    } while (any && ++rounds < MOST_ROUNDS);
    CU_ASSERT_TRUE(rounds < MOST_ROUNDS);
}

void rig_run(struct rig *rig, uint64_t ns)
{
    const uint64_t until = rig->now_ns + ns;

    for (;;) {
        uint64_t next = until;

        rig_pump(rig);
        if (rig->gateway.deadline_ns < next)
            next = rig->gateway.deadline_ns;
        if (rig->device.deadline_ns < next)
            next = rig->device.deadline_ns;
        if (rig->now_ns >= until)
            return;
        rig->now_ns = next > rig->now_ns ? next : rig->now_ns + 1;
    }
}

s2svpn_tunnel_info rig_tunnel(const s2svpn_connection *conn, size_t index)
{
    s2svpn_tunnel_info info = {.size = sizeof(info)};

    s2svpn_tunnel_get_info(s2svpn_connection_tunnel(conn, index), &info);
    return info;
}

bool rig_both_up(const struct rig *rig)
{
    for (size_t i = 0; i < 2; i++) {
        if (!rig_tunnel(rig->cloud, i).up || !rig_tunnel(rig->site, i).up)
            return false;
    }
    return true;
}

bool rig_up(struct rig *rig, const struct rig_plan *plan)
{
    const s2svpn_status rc = rig_open(rig, plan);

    CU_ASSERT_EQUAL(rc, S2SVPN_OK);
    if (rc != S2SVPN_OK || s2svpn_connection_start(rig->site) != S2SVPN_OK)
        return false;
    for (size_t i = 0; i < 60 && !rig_both_up(rig); i++)
        rig_run(rig, RIG_SECOND);
    rig_run(rig, 2 * RIG_SECOND); /* routes, end of RIB */
    CU_ASSERT_TRUE(rig_both_up(rig));
    return rig_both_up(rig);
}

void rig_send_packets(struct rig_side *side, s2svpn_port_id port, const s2svpn_packet *p, size_t n)
{
    s2svpn_packet *copy = calloc(n, sizeof(*copy));

    if (copy == NULL)
        abort();
    for (size_t i = 0; i < n; i++) {
        copy[i] = p[i];
        copy[i].data = malloc(p[i].len > 0 ? p[i].len : 1);
        if (copy[i].data == NULL)
            abort();
        memcpy(copy[i].data, p[i].data, p[i].len);
    }
    s2svpn_receive_inside(s2svpn_context_worker(side->ctx, 0), port, copy, n, side->rig->now_ns);
    for (size_t i = 0; i < n; i++)
        free(copy[i].data);
    free(copy);
}

void rig_send(struct rig_side *side, const uint8_t *p, size_t len)
{
    const s2svpn_packet packet = {.data = (uint8_t *)(uintptr_t)p, .len = (uint32_t)len};

    rig_send_packets(side, s2svpn_port_number(side->port), &packet, 1);
}

void rig_check_error(const s2svpn_context *ctx, s2svpn_status rc, s2svpn_status wanted,
                     const char *field, const char *row)
{
    const s2svpn_error *e = s2svpn_context_error(ctx);

    CHECK_ROW(row, rc == wanted);
    CHECK_ROW(row, e->code == wanted);
    CHECK_ROW(row, strcmp(e->field, field) == 0);
    CHECK_ROW(row, e->message[0] != 0);
    if (rc != wanted || e->code != wanted || strcmp(e->field, field) != 0)
        printf("    %s: %s, field \"%s\": %s\n", row, s2svpn_status_name(rc), e->field, e->message);
}
