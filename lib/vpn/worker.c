/* SPDX-License-Identifier: Apache-2.0 */
/* Workers: made, entered, left, and what other threads hand to them. */
#include "vpn/worker.h"

#include <string.h>

#include "vpn/vpn.h"

void s2_drop_n(s2svpn_worker *w, enum s2svpn_drop reason, uint64_t n)
{
    atomic_fetch_add_explicit(&w->drops[reason], n, memory_order_relaxed);
}

void s2_drop(s2svpn_worker *w, enum s2svpn_drop reason)
{
    s2_drop_n(w, reason, 1);
}

static s2svpn_status worker_new(s2svpn_context *ctx, size_t index, bool on_thread,
                                s2svpn_worker **out)
{
    s2svpn_worker *w = s2_alloc(&ctx->env, sizeof(*w));
    const size_t slots = ctx->limits.ring_packets;
    s2svpn_status rc = S2SVPN_OK;

    if (w == NULL)
        return S2SVPN_E_MEMORY;
    *out = w;
    w->ctx = ctx;
    w->index = index;
    w->on_thread = on_thread;
    if (!on_thread)
        return S2SVPN_OK;
    rc = s2_ring_init(&w->in, &ctx->env, slots, sizeof(struct s2_parcel));
    if (rc == S2SVPN_OK)
        rc = s2_ring_init(&w->ike, &ctx->env, slots, sizeof(struct s2_parcel));
    if (rc == S2SVPN_OK)
        rc = s2_ring_init(&w->trusted, &ctx->env, slots, sizeof(struct s2_parcel));
    return rc;
}

s2svpn_status s2_workers_new(s2svpn_context *ctx, size_t count)
{
    ctx->worker = s2_alloc_array(&ctx->env, ctx->worker_count, sizeof(s2svpn_worker *));
    for (size_t i = 0; ctx->worker && i < ctx->worker_count; i++) {
        if (worker_new(ctx, i, count > 0, &ctx->worker[i]) != S2SVPN_OK)
            return s2_fail(&ctx->env, S2SVPN_E_MEMORY, "", "no memory for a worker");
    }
    if (ctx->worker == NULL)
        return s2_fail(&ctx->env, S2SVPN_E_MEMORY, "", "no memory for a worker");
    return S2SVPN_OK;
}

void s2_workers_free(s2svpn_context *ctx)
{
    for (size_t i = 0; ctx->worker && i < ctx->worker_count; i++) {
        s2svpn_worker *w = ctx->worker[i];

        if (w == NULL)
            continue;
        if (w->on_thread) {
            s2_ring_clear(&w->in, &ctx->env);
            s2_ring_clear(&w->ike, &ctx->env);
            s2_ring_clear(&w->trusted, &ctx->env);
        }
        if (w->lane) {
            s2_esp_lane_clear(&w->lane->esp);
            s2_wipe(w->lane, sizeof(*w->lane));
            s2_free(&ctx->env, w->lane);
        }
        s2_free(&ctx->env, w);
    }
    s2_free(&ctx->env, ctx->worker);
    ctx->worker = NULL;
}

struct s2_lane *s2_worker_lane(s2svpn_worker *w)
{
    s2svpn_context *ctx = w->ctx;
    struct s2_lane *lane;

    if (w->lane)
        return w->lane;
    lane = s2_alloc(&ctx->env, sizeof(*lane));
    if (lane == NULL)
        return NULL;
    if (s2_esp_lane_init(&lane->esp, ctx->options.esp_crypto, ctx->options.esp_crypto_user) !=
        S2SVPN_OK) {
        s2_free(&ctx->env, lane);
        return NULL;
    }
    w->lane = lane;
    return lane;
}

void s2_worker_enter(s2svpn_worker *w, uint64_t now_ns)
{
    if (now_ns > w->now_ns)
        w->now_ns = now_ns;
    w->depth++;
    s2_epoch_enter(&w->ctx->epochs, w->index);
}

/* Packets are borrowed for the call, a nested one too, so batches never outlive it. */
void s2_worker_finish(s2svpn_worker *w)
{
    if (w->lane == NULL)
        return;
    while ((w->lane->opens > 0 && !w->lane->opening) || (w->lane->seals > 0 && !w->lane->sealing)) {
        s2_inbound_flush(w);
        s2_output_seal(w);
    }
}

void s2_worker_leave(s2svpn_worker *w)
{
    s2_worker_finish(w);
    if (w->lane && w->depth == 1 && !w->delivering)
        s2_output_flush(w);
    s2_epoch_leave(&w->ctx->epochs, w->index);
    w->depth--;
}

/* ---- the public entries */

/* An inline worker's thread holds the context, and its calls are the context's. */
static void enter(s2svpn_worker *w, uint64_t now_ns)
{
    if (w->on_thread)
        s2_worker_enter(w, now_ns);
    else
        s2_enter(w->ctx, now_ns);
}

static void leave(s2svpn_worker *w)
{
    if (w->on_thread)
        s2_worker_leave(w);
    else
        s2_leave(w->ctx);
}

static void receive_piece(s2svpn_worker *w, const s2svpn_datagram *d, uint8_t *p, size_t len,
                          uint32_t buffer)
{
    s2svpn_classification what;

    if (!s2svpn_classify(d->local.role, p, len, &what)) {
        const bool role = d->local.role >= S2SVPN_ROLE_IKE && d->local.role <= S2SVPN_ROLE_RAW;

        s2_drop(w, role ? S2SVPN_DROP_OUTSIDE_SHORT : S2SVPN_DROP_OUTSIDE_UNKNOWN);
        return;
    }
    if (what.keepalive)
        return;
    if (!what.ike)
        s2_inbound_esp(w, d, p, len, buffer);
    else if (d->local.role == S2SVPN_ROLE_NATT)
        s2_to_control_ike(w, d, p + 4, len - 4);
    else
        s2_to_control_ike(w, d, p, len);
}

void s2svpn_receive_outside(s2svpn_worker *w, s2svpn_datagram *d, size_t n, uint64_t now_ns)
{
    enter(w, now_ns);
    for (size_t i = 0; i < n; i++) {
        const size_t step = d[i].segment ? d[i].segment : d[i].len;
        const uint32_t buffer = s2_inbound_buffer(w);
        size_t at = 0;

        do {
            const size_t left = d[i].len - at;

            receive_piece(w, &d[i], d[i].data + at, left < step ? left : step, buffer);
            at += step;
        } while (at < d[i].len);
    }
    leave(w);
}

void s2svpn_receive_inside(s2svpn_worker *w, s2svpn_port_id port, s2svpn_packet *p, size_t n,
                           uint64_t now_ns)
{
    s2svpn_port *from;

    enter(w, now_ns);
    from = s2_slots_get(&w->ctx->ports, port);
    if (from == NULL)
        s2_drop_n(w, S2SVPN_DROP_NO_PORT, n);
    for (size_t i = 0; from && i < n; i++) {
        struct s2_inet_super s = {
            .p = p[i].data,
            .len = p[i].len,
            .gso_type = p[i].gso_type,
            .needs_checksum = p[i].needs_checksum,
            .hdr_len = p[i].hdr_len,
            .gso_size = p[i].gso_size,
            .csum_start = p[i].csum_start,
            .csum_offset = p[i].csum_offset,
        };

        s2_outbound_packet(w, from, &s);
    }
    leave(w);
}

/* Where a handed over packet entered; it may have gone meanwhile. */
static void origin_of(s2svpn_worker *w, const struct s2_parcel_head *head, struct s2_origin *origin)
{
    if (head->from == S2_PARCEL_FROM_PORT) {
        origin->port = s2_slots_get(&w->ctx->ports, head->from_number);
    } else if (head->from == S2_PARCEL_FROM_TUNNEL) {
        const struct s2_sa_in *in = s2_spi_find(w->ctx, head->from_number);

        origin->tunnel = in ? in->tunnel : NULL;
    }
}

static void take_parcel(s2svpn_worker *w, struct s2_parcel *parcel)
{
    struct s2_sa_in *sa;

    if (parcel->head.kind == S2_PARCEL_OUTSIDE) {
        const s2svpn_datagram from = {
            .local = parcel->head.local, .remote = parcel->head.remote, .tos = parcel->head.tos};

        if (w->lane && !s2_output_ready(w, parcel->head.len)) {
            s2_drop(w, S2SVPN_DROP_NO_ROOM);
            return;
        }
        s2_inbound_esp(w, &from, parcel->bytes, parcel->head.len, 0);
        return;
    }
    sa = s2_spi_find(w->ctx, parcel->head.spi_in);
    if (sa == NULL) {
        s2_drop(w, S2SVPN_DROP_NO_CHILD);
        return;
    }
    if (parcel->head.kind == S2_PARCEL_PROBE) {
        s2_outbound_probe(w, sa->tunnel, parcel->head.from_number);
        return;
    }
    struct s2_inet_super s = {.p = parcel->bytes, .len = parcel->head.len};
    struct s2_origin origin = {0};
    struct s2_inet_view view;

    if (!s2_inet_view(s.p, s.len, &view)) {
        s2_drop(w, S2SVPN_DROP_INNER_MALFORMED);
        return;
    }
    origin_of(w, &parcel->head, &origin);
    s2_outbound_tunnel(w, sa->tunnel, &origin, &s, &view);
}

void s2svpn_worker_poll(s2svpn_worker *w, uint64_t now_ns)
{
    struct s2_parcel *parcel;

    if (!w->on_thread)
        return;
    s2_worker_enter(w, now_ns);
    while ((parcel = s2_ring_peek(&w->in)) != NULL) {
        take_parcel(w, parcel);
        s2_worker_finish(w); /* the slot is about to be given back */
        s2_ring_release(&w->in);
    }
    s2_worker_leave(w);
}
