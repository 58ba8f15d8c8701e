/* SPDX-License-Identifier: Apache-2.0 */
/* The fake library, its crypto, and the lab that the tests work in. */
#include "fake_context.h"

#include <stdlib.h>
#include <string.h>

static void trace(s2svpn_context *ctx, const void *p, size_t len)
{
    const uint8_t *byte = p;

    for (size_t i = 0; i < len; i++)
        ctx->trace = (ctx->trace ^ byte[i]) * 0x100000001b3u;
}

static struct arrival *note(s2svpn_context *ctx, uint64_t now_ns, const uint8_t *data, uint32_t len,
                            size_t batch)
{
    struct arrival *a = &ctx->arrivals[ctx->count < ARRIVALS_MAX ? ctx->count++ : 0];

    *a = (struct arrival){.now_ns = now_ns, .len = len, .batch = batch};
    memcpy(a->head, data, len < 4 ? len : 4);
    trace(ctx, &now_ns, sizeof(now_ns));
    trace(ctx, data, len);
    return a;
}

/* ---- what the library does */

void s2svpn_receive_outside(s2svpn_worker *worker, s2svpn_datagram *d, size_t n, uint64_t now_ns)
{
    s2svpn_context *ctx = worker->ctx;

    for (size_t i = 0; i < n; i++) {
        struct arrival *a = note(ctx, now_ns, d[i].data, d[i].len, n);

        a->d = d[i];
        if (ctx->mind)
            ctx->mind(ctx, &d[i], now_ns);
        if (d[i].len > 0)
            memset(d[i].data, 0xee, d[i].len); /* as if decrypted in place */
    }
}

void s2svpn_receive_inside(s2svpn_worker *worker, s2svpn_port_id port, s2svpn_packet *p, size_t n,
                           uint64_t now_ns)
{
    for (size_t i = 0; i < n; i++) {
        struct arrival *a = note(worker->ctx, now_ns, p[i].data, p[i].len, n);

        a->port = port;
        a->gso_type = p[i].gso_type;
    }
}

void s2svpn_advance(s2svpn_context *ctx, uint64_t now_ns)
{
    if (ctx->advances < ARRIVALS_MAX)
        ctx->advanced_ns[ctx->advances++] = now_ns;
    trace(ctx, &now_ns, sizeof(now_ns));
    if (ctx->on_advance)
        ctx->on_advance(ctx, now_ns);
}

void s2svpn_job_done(s2svpn_context *ctx, s2svpn_job *job, s2svpn_status result, uint64_t now_ns)
{
    ctx->done = job;
    ctx->done_result = result;
    ctx->done_ns = now_ns;
    ctx->jobs_done++;
    trace(ctx, &now_ns, sizeof(now_ns));
}

s2svpn_worker *s2svpn_context_worker(s2svpn_context *ctx, size_t index)
{
    return index == 0 ? &ctx->worker : NULL;
}

/* ---- crypto */

static s2svpn_status random_bytes(void *user, uint8_t *out, size_t len)
{
    (void)user;
    memset(out, 0x55, len);
    return S2SVPN_OK;
}

static s2svpn_status hash(void *user, uint16_t id, const s2svpn_span *in, size_t n, uint8_t *out)
{
    struct fake_crypto *f = user;

    (void)id;
    (void)in;
    (void)n;
    f->hashes++;
    out[0] = 0x77;
    return S2SVPN_OK;
}

static s2svpn_job_state start_job(void *user, s2svpn_job *job, s2svpn_status *result)
{
    struct fake_crypto *f = user;

    f->started++;
    if (f->pending)
        return S2SVPN_JOB_PENDING;
    for (size_t i = 0; i < job->in.len; i++)
        job->out[job->in.len - 1 - i] = job->in.p[i];
    *result = job->in.len > 0 ? S2SVPN_OK : S2SVPN_E_ARGUMENT;
    return S2SVPN_JOB_DONE;
}

static void cancel_job(void *user, s2svpn_job *job)
{
    struct fake_crypto *f = user;

    (void)job;
    f->cancelled++;
}

static const s2svpn_algorithm no_algorithms[1];

const s2svpn_crypto_ops fake_crypto_ops = {
    .size = sizeof(fake_crypto_ops),
    .name = "fake",
    .algorithms = no_algorithms,
    .random = random_bytes,
    .hash = hash,
    .start_job = start_job,
    .cancel_job = cancel_job,
};

const s2svpn_crypto_ops *s2svpn_crypto_openssl(void)
{
    return NULL;
}

/* ---- the lab */

s2svpn_address lab_address(size_t i)
{
    return (s2svpn_address){.family = S2SVPN_FAMILY_IPV4, .bytes = {192, 0, 2, (uint8_t)(i + 1)}};
}

s2svpn_endpoint lab_endpoint(size_t i, uint8_t role)
{
    return (s2svpn_endpoint){.address = lab_address(i),
                             .role = role,
                             .port = role == S2SVPN_ROLE_IKE    ? 500
                                     : role == S2SVPN_ROLE_NATT ? 4500
                                                                : 0};
}

s2svpn_datagram lab_datagram(size_t from, size_t to, uint8_t role, void *data, uint32_t len)
{
    s2svpn_datagram d = {.local = lab_endpoint(from, role),
                         .remote = lab_endpoint(to, role),
                         .data = data,
                         .len = len};

    d.remote.role = 0; /* the sender doesn't know it */
    return d;
}

void lab_send(struct lab *lab, size_t from, const s2svpn_datagram *d)
{
    const s2svpn_options *o = &lab->ctx[from]->options;

    if (o->io_ops->send_outside(o->io, NULL, d, 1) != 1)
        abort();
}

void lab_options(struct lab *lab, size_t i)
{
    s2svpn_context *ctx = lab->ctx[i];

    ctx->options = (s2svpn_options)S2SVPN_OPTIONS_INIT;
    ctx->local[0] = lab_endpoint(i, S2SVPN_ROLE_IKE);
    ctx->local[1] = lab_endpoint(i, S2SVPN_ROLE_NATT);
    ctx->local[2] = lab_endpoint(i, S2SVPN_ROLE_RAW);
    ctx->options.local = ctx->local;
    ctx->options.local_count = 3;
    ctx->worker.ctx = ctx;
}

void lab_open(struct lab *lab, uint64_t seed, size_t contexts)
{
    static const char *const names[] = {"a", "b", "c"};

    *lab = (struct lab){0};
    if (s2svpn_sim_new(seed, &lab->sim) != S2SVPN_OK)
        abort();
    for (size_t i = 0; i < contexts; i++) {
        lab->ctx[i] = calloc(1, sizeof(*lab->ctx[i]));
        if (!lab->ctx[i] || s2svpn_sim_node_new(lab->sim, names[i], &lab->node[i]) != S2SVPN_OK)
            abort();
        lab_options(lab, i);
        s2svpn_sim_prepare(lab->node[i], &lab->ctx[i]->options);
        if (s2svpn_sim_attach(lab->node[i], lab->ctx[i], &lab->ctx[i]->options) != S2SVPN_OK)
            abort();
    }
}

void lab_close(struct lab *lab)
{
    for (size_t i = 0; i < 3; i++)
        if (lab->node[i])
            s2svpn_sim_detach(lab->node[i]);
    s2svpn_sim_free(lab->sim);
    for (size_t i = 0; i < 3; i++)
        free(lab->ctx[i]);
}

s2svpn_sim_counters lab_counters(const struct lab *lab)
{
    s2svpn_sim_counters c = {.size = sizeof(c)};

    s2svpn_sim_get_counters(lab->sim, &c);
    return c;
}

void lab_link(struct lab *lab, const s2svpn_sim_link *link)
{
    if (s2svpn_sim_set_link(lab->sim, NULL, NULL, link) != S2SVPN_OK)
        abort();
}
