/* SPDX-License-Identifier: Apache-2.0 */
/* Between workers and the control plane: a call where both are one thread, bounded
 * rings where they are not. */
#include <string.h>

#include "vpn/vpn.h"

static void control_ike(s2svpn_context *ctx, const s2svpn_endpoint *local,
                        const s2svpn_endpoint *remote, uint8_t *p, size_t len)
{
    const s2svpn_tunnel *t = s2_tunnel_at(ctx, local, remote);
    enum s2svpn_drop drop;

    if (t && atomic_load_explicit(&t->blackhole, memory_order_relaxed))
        return;
    drop = S2SVPN_DROP_OUTSIDE_UNKNOWN;
    if (s2_local_find(ctx, &local->address, local->role))
        drop = s2_ike_receive(ctx->ike, local, remote, p, len, ctx->now_ns);
    if (drop != S2SVPN_DROP_NONE)
        s2_drop(ctx->worker[0], drop);
}

static void control_inner(s2svpn_context *ctx, uint32_t spi_in, const uint8_t *p, size_t len)
{
    struct s2_sa_in *sa = s2_spi_find(ctx, spi_in);
    struct s2_inet_view view;

    if (sa == NULL || !s2_inet_view(p, len, &view))
        return;
    if (view.fragment)
        s2_fragments_input(sa->tunnel, p, &view, ctx->now_ns);
    else
        s2_inside_packet(sa->tunnel, p, len, ctx->now_ns);
}

static void control_event(s2svpn_context *ctx, enum s2_parcel_kind kind, uint32_t spi_in)
{
    struct s2_sa_in *sa = s2_spi_find(ctx, spi_in);

    if (sa == NULL)
        return;
    if (kind == S2_PARCEL_FIRST)
        s2_child_first_packet(ctx, spi_in, ctx->now_ns);
    else if (kind == S2_PARCEL_SOFT || kind == S2_PARCEL_HARD)
        s2_child_worn_out(ctx, spi_in, kind == S2_PARCEL_HARD);
}

static void control_moved(s2svpn_context *ctx, uint32_t spi_in, const s2svpn_endpoint *remote)
{
    struct s2_sa_in *sa = s2_spi_find(ctx, spi_in);

    if (sa)
        s2_ike_heard_from(ctx->ike, sa->tunnel, remote, ctx->now_ns);
}

/* ---- from a worker */

bool s2_post(s2svpn_worker *w, struct s2_ring *ring, enum s2svpn_drop full,
             const struct s2_parcel_head *head, const uint8_t *p)
{
    struct s2_parcel *slot = NULL;
    size_t ticket;

    if (head->len <= S2_PACKET_MAX)
        slot = s2_ring_reserve(ring, &ticket);
    if (slot == NULL) {
        s2_drop(w, full);
        return false;
    }
    slot->head = *head;
    if (head->len > 0)
        memcpy(slot->bytes, p, head->len);
    s2_ring_commit(ring, ticket);
    return true;
}

static void post_control(s2svpn_worker *w, struct s2_ring *ring, const struct s2_parcel_head *head,
                         const uint8_t *p)
{
    const s2svpn_context *ctx = w->ctx;

    if (s2_post(w, ring, S2SVPN_DROP_CONTROL_FULL, head, p))
        ctx->options.io_ops->wake(ctx->options.io, NULL);
}

void s2_hand_over(s2svpn_worker *w, size_t owner, const struct s2_parcel_head *head,
                  const uint8_t *p)
{
    const s2svpn_context *ctx = w->ctx;

    if (s2_post(w, &ctx->worker[owner]->in, S2SVPN_DROP_HANDOFF_FULL, head, p))
        ctx->options.io_ops->wake(ctx->options.io, ctx->worker[owner]);
}

void s2_to_control_ike(s2svpn_worker *w, const s2svpn_datagram *d, uint8_t *p, size_t len)
{
    const struct s2_parcel_head head = {
        .kind = S2_PARCEL_IKE, .local = d->local, .remote = d->remote, .len = (uint32_t)len};

    if (w->on_thread)
        post_control(w, &w->ike, &head, p);
    else
        control_ike(w->ctx, &d->local, &d->remote, p, len);
}

void s2_to_control_inner(s2svpn_worker *w, struct s2_sa_in *sa, const uint8_t *p, size_t len)
{
    const struct s2_parcel_head head = {
        .kind = S2_PARCEL_INNER, .spi_in = sa->esp->spi, .len = (uint32_t)len};

    if (w->on_thread)
        post_control(w, &w->trusted, &head, p);
    else
        control_inner(w->ctx, sa->esp->spi, p, len);
}

void s2_to_control_event(s2svpn_worker *w, enum s2_parcel_kind kind, uint32_t spi_in)
{
    const struct s2_parcel_head head = {.kind = (uint8_t)kind, .spi_in = spi_in};

    if (w->on_thread)
        post_control(w, &w->trusted, &head, NULL);
    else
        control_event(w->ctx, kind, spi_in);
}

void s2_to_control_moved(s2svpn_worker *w, uint32_t spi_in, const s2svpn_endpoint *remote)
{
    const struct s2_parcel_head head = {
        .kind = S2_PARCEL_MOVED, .spi_in = spi_in, .remote = *remote};

    if (w->on_thread)
        post_control(w, &w->trusted, &head, NULL);
    else
        control_moved(w->ctx, spi_in, remote);
}

/* ---- on the control thread */

static void take_parcel(s2svpn_context *ctx, struct s2_parcel *parcel)
{
    const struct s2_parcel_head *h = &parcel->head;

    if (h->kind == S2_PARCEL_IKE)
        control_ike(ctx, &h->local, &h->remote, parcel->bytes, h->len);
    else if (h->kind == S2_PARCEL_INNER)
        control_inner(ctx, h->spi_in, parcel->bytes, h->len);
    else if (h->kind == S2_PARCEL_MOVED)
        control_moved(ctx, h->spi_in, &h->remote);
    else
        control_event(ctx, (enum s2_parcel_kind)h->kind, h->spi_in);
}

static void drain(s2svpn_context *ctx, struct s2_ring *ring)
{
    struct s2_parcel *parcel;

    /* no more than a ring's worth at once: trusted matters of others wait too */
    for (size_t i = 0; i < ctx->limits.ring_packets; i++) {
        parcel = s2_ring_peek(ring);
        if (parcel == NULL)
            return;
        take_parcel(ctx, parcel);
        s2_ring_release(ring);
    }
}

void s2_control_drain(s2svpn_context *ctx)
{
    for (size_t i = 0; i < ctx->worker_count; i++) {
        if (ctx->worker[i]->on_thread)
            drain(ctx, &ctx->worker[i]->trusted);
    }
    for (size_t i = 0; i < ctx->worker_count; i++) {
        if (ctx->worker[i]->on_thread)
            drain(ctx, &ctx->worker[i]->ike);
    }
}

/* The bytes are the caller's: sealed at once, or copied into the owner's ring. */
void s2_control_send(s2svpn_tunnel *t, const uint8_t *p, size_t len)
{
    s2svpn_context *ctx = t->connection->object.ctx;
    s2svpn_worker *w = ctx->worker[t->owner];
    const struct s2_child *child = s2_child_current(t);
    struct s2_parcel_head head = {.kind = S2_PARCEL_TUNNEL, .len = (uint32_t)len};
    static const struct s2_origin us;
    struct s2_lane *lane;

    if (child == NULL) {
        s2_drop(w, S2SVPN_DROP_NO_CHILD);
        return;
    }
    if (w->on_thread) {
        head.spi_in = child->spi_in;
        s2_hand_over(w, t->owner, &head, p);
        return;
    }
    lane = s2_worker_lane(w);
    if (lane == NULL || len > sizeof(lane->own)) {
        s2_drop(w, S2SVPN_DROP_NO_ROOM);
        return;
    }
    memcpy(lane->own, p, len);

    struct s2_inet_super s = {.p = lane->own, .len = (uint32_t)len};
    struct s2_inet_view view;

    if (!s2_inet_view(s.p, s.len, &view))
        return;
    /* As in a nested call: nothing is given to the host, whose calls would meet engines
     * that are at work. */
    w->depth++;
    s2_outbound_tunnel(w, t, &us, &s, &view);
    s2_output_seal(w);
    w->depth--;
}

void s2_control_probe(s2svpn_tunnel *t, size_t len)
{
    const s2svpn_context *ctx = t->connection->object.ctx;
    s2svpn_worker *w = ctx->worker[t->owner];
    const struct s2_child *child = s2_child_current(t);

    if (child == NULL)
        return;
    if (w->on_thread) {
        const struct s2_parcel_head head = {
            .kind = S2_PARCEL_PROBE, .spi_in = child->spi_in, .from_number = (uint32_t)len};

        s2_hand_over(w, t->owner, &head, NULL);
        return;
    }
    if (s2_worker_lane(w) == NULL)
        return; /* then it isn't probed */
    w->depth++; /* as above */
    s2_outbound_probe(w, t, len);
    s2_output_seal(w);
    w->depth--;
}
