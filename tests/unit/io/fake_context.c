/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_context.h"

#include <stdlib.h>
#include <string.h>

static void note(s2svpn_context *ctx, const s2svpn_datagram *d, size_t at, size_t len)
{
    struct arrival *a = &ctx->arrival[ctx->count];

    if (ctx->count == ARRIVALS_MAX || ctx->used + len > BYTES_MAX)
        abort();
    memcpy(ctx->bytes + ctx->used, d->data + at, len);
    *a = (struct arrival){.local = d->local,
                          .remote = d->remote,
                          .data = ctx->bytes + ctx->used,
                          .len = (uint32_t)len,
                          .train = d->segment ? d->len : 0,
                          .tos = d->tos,
                          .hop_limit = d->hop_limit};
    ctx->used += len;
    ctx->count++;
}

void s2svpn_receive_outside(s2svpn_worker *worker, s2svpn_datagram *d, size_t n, uint64_t now_ns)
{
    s2svpn_context *ctx = worker->ctx;

    (void)now_ns;
    ctx->calls++;
    for (size_t i = 0; i < n; i++) {
        const size_t step = d[i].segment ? d[i].segment : d[i].len;

        for (size_t at = 0; at < d[i].len; at += step)
            note(ctx, &d[i], at, d[i].len - at < step ? d[i].len - at : step);
        memset(d[i].data, 0xee, d[i].len); /* as if decrypted in place */
    }
}

void s2svpn_receive_inside(s2svpn_worker *worker, s2svpn_port_id port, s2svpn_packet *p, size_t n,
                           uint64_t now_ns)
{
    (void)now_ns;
    if (worker->ctx->inside)
        worker->ctx->inside(worker->ctx, port, p, n);
}

void s2svpn_receive_outside_error(s2svpn_context *ctx, const s2svpn_endpoint *local,
                                  const s2svpn_endpoint *remote, enum s2svpn_io_error kind,
                                  uint32_t mtu, uint64_t now_ns)
{
    (void)now_ns;
    if (ctx->errors == ERRORS_MAX)
        abort();
    ctx->error[ctx->errors++] = (struct error_arrival){*local, *remote, (int)kind, mtu};
}

void s2svpn_writable(s2svpn_context *ctx, uint64_t now_ns)
{
    (void)now_ns;
    ctx->writables++;
    if (ctx->on_writable)
        ctx->on_writable(ctx);
}

void s2svpn_advance(s2svpn_context *ctx, uint64_t now_ns)
{
    ctx->advances++;
    ctx->advanced_ns = now_ns;
}

void s2svpn_context_set_wall_clock(s2svpn_context *ctx, uint64_t unix_ns, uint64_t now_ns)
{
    (void)now_ns;
    ctx->unix_ns = unix_ns;
}

s2svpn_worker *s2svpn_context_worker(s2svpn_context *ctx, size_t index)
{
    return index == 0 ? &ctx->worker : NULL;
}
