/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for the host: sealed datagrams, joined into trains, and plain packets,
 * joined into superpackets. Given out as the last step of the outermost call. */
#include <string.h>

#include "vpn/vpn.h"

/* ---- room */

/* What is given out needs no place any more. */
static void reset_counts(struct s2_lane *lane)
{
    if (lane->datagrams_sent == lane->datagrams)
        lane->datagrams = lane->datagrams_sent = 0;
    if (lane->packets_sent == lane->packets)
        lane->packets = lane->packets_sent = 0;
}

/* The arena begins again at its front when nothing at all points into it. */
static void reset_arena(struct s2_lane *lane)
{
    if (lane->datagrams == 0 && lane->packets == 0 && lane->joining.p == NULL && lane->seals == 0 &&
        lane->opens == 0)
        lane->used = 0;
}

static bool has_room(const struct s2_lane *lane, size_t len)
{
    /* In the worst case nothing is joined: each packet of the batch becomes a datagram
     * of its own, and what is being joined needs a place as well. */
    return lane->used + len <= S2_ARENA_LEN && lane->seals < S2_ESP_BATCH &&
           lane->datagrams + lane->seals < S2_OUTPUT_MAX && lane->packets + 1 < S2_OUTPUT_MAX;
}

bool s2_output_ready(s2svpn_worker *w, size_t len)
{
    struct s2_lane *lane = w->lane;

    if (has_room(lane, len))
        return true;
    s2_output_seal(w);
    if (has_room(lane, len))
        return true;
    /* In the outermost call what is ready may leave early; in a nested one the host is
     * in the middle of taking, and in a batch it would find us in the middle of it. */
    if (w->depth > 1 || w->delivering || lane->opening || lane->sealing)
        return false;
    s2_output_flush(w);
    return has_room(lane, len);
}

void s2_output_relieve(s2svpn_worker *w)
{
    struct s2_lane *lane = w->lane;

    if (w->depth > 1 || w->delivering || lane->opening || lane->sealing)
        return;
    if (lane->datagrams > S2_OUTPUT_MAX / 2 || lane->packets > S2_OUTPUT_MAX / 2 ||
        lane->used > S2_ARENA_LEN / 2)
        s2_output_flush(w);
}

uint8_t *s2_output_room(s2svpn_worker *w, size_t len)
{
    struct s2_lane *lane = w->lane;
    uint8_t *p;

    if (lane->used + len > S2_ARENA_LEN)
        return NULL;
    p = lane->arena + lane->used;
    lane->used += len;
    return p;
}

/* ---- outside */

/* Does the sealed packet continue the last train? Same way, adjacent in memory, as long
 * as the train's first, or shorter and then the last. */
static bool continues_train(const s2svpn_datagram *d, const uint8_t *p, size_t len, uint8_t tos)
{
    const size_t segment = d->segment ? d->segment : d->len;
    const size_t count = (d->len + segment - 1) / segment;

    return !d->dont_fragment && d->data + d->len == p && d->len % segment == 0 && len <= segment &&
           count < S2_TRAIN_MAX && d->len + len <= S2_TRAIN_BYTES && d->tos == tos &&
           d->local.role != S2SVPN_ROLE_RAW;
}

static void append_datagram(s2svpn_worker *w, const struct s2_seal_note *note, uint8_t *p,
                            size_t len)
{
    struct s2_lane *lane = w->lane;
    const struct s2_way *way = atomic_load_explicit(&note->out->way, memory_order_acquire);
    s2svpn_datagram *d = NULL;

    if (lane->datagrams > lane->datagrams_sent)
        d = &lane->datagram[lane->datagrams - 1];
    if (d && !note->probe && s2_endpoint_equal(&d->local, &way->local) &&
        s2_endpoint_equal(&d->remote, &way->remote) && continues_train(d, p, len, note->tos)) {
        if (d->segment == 0)
            d->segment = (uint16_t)d->len;
        d->len += (uint32_t)len;
        return;
    }
    if (lane->datagrams == S2_OUTPUT_MAX) {
        s2_drop(w, S2SVPN_DROP_NO_ROOM);
        return;
    }
    d = &lane->datagram[lane->datagrams++];
    memset(d, 0, sizeof(*d));
    d->local = way->local;
    d->remote = way->remote;
    d->data = p;
    d->len = (uint32_t)len;
    d->tos = note->tos;
    d->dont_fragment = note->probe;
}

static void count_out(s2svpn_tunnel *t, size_t len)
{
    /* the owner is the only writer */
    atomic_store_explicit(&t->packets_out,
                          atomic_load_explicit(&t->packets_out, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    atomic_store_explicit(&t->bytes_out,
                          atomic_load_explicit(&t->bytes_out, memory_order_relaxed) + len,
                          memory_order_relaxed);
}

void s2_tell_limits(s2svpn_worker *w, struct s2_esp_sa *sa, uint32_t spi_in, enum s2svpn_drop drop)
{
    if (!sa->soft_reported && s2_esp_soft_limit(sa)) {
        sa->soft_reported = true;
        s2_to_control_event(w, S2_PARCEL_SOFT, spi_in);
    }
    if (!sa->hard_reported && (drop == S2SVPN_DROP_ESP_LIMIT || drop == S2SVPN_DROP_ESP_SEQUENCE)) {
        sa->hard_reported = true;
        s2_to_control_event(w, S2_PARCEL_HARD, spi_in);
    }
}

void s2_output_seal(s2svpn_worker *w)
{
    struct s2_lane *lane = w->lane;
    const size_t n = lane->seals;

    if (n == 0 || lane->sealing)
        return;
    lane->sealing = true; /* seals stays: their bytes are in the arena */
    s2_esp_seal(&lane->esp, lane->seal, n, w->now_ns);
    for (size_t i = 0; i < n; i++) {
        const struct s2_esp_seal *s = &lane->seal[i];
        const struct s2_seal_note note = lane->seal_note[i];

        s2_tell_limits(w, s->sa, note.out->spi_in, (enum s2svpn_drop)s->drop);
        if (s->drop != S2SVPN_DROP_NONE) {
            s2_drop(w, (enum s2svpn_drop)s->drop);
            continue;
        }
        if (!note.probe)
            count_out(note.tunnel, s->piece[0].len + s->piece[1].len);
        append_datagram(w, &note, s->out, s->len);
    }
    lane->seals = 0;
    lane->sealing = false;
}

/* ---- inside */

static void append_packet(s2svpn_worker *w, s2svpn_port_id port, const struct s2_inet_super *s)
{
    struct s2_lane *lane = w->lane;
    s2svpn_packet *p;

    if (lane->packets == S2_OUTPUT_MAX) {
        s2_drop(w, S2SVPN_DROP_NO_ROOM);
        return;
    }
    lane->packet_port[lane->packets] = port;
    p = &lane->packet[lane->packets++];
    memset(p, 0, sizeof(*p));
    p->data = s->p;
    p->len = s->len;
    p->gso_type = s->gso_type;
    p->needs_checksum = s->needs_checksum;
    p->hdr_len = s->hdr_len;
    p->gso_size = s->gso_size;
    p->csum_start = s->csum_start;
    p->csum_offset = s->csum_offset;
}

static void end_joining(s2svpn_worker *w)
{
    struct s2_lane *lane = w->lane;
    struct s2_inet_super s = lane->joining;

    if (s.p == NULL)
        return;
    lane->joining.p = NULL;
    s2_inet_join_end(&s);
    append_packet(w, lane->joining_port, &s);
}

void s2_output_super(s2svpn_worker *w, s2svpn_port_id port, const struct s2_inet_super *s)
{
    end_joining(w);
    append_packet(w, port, s);
}

void s2_output_port(s2svpn_worker *w, s2svpn_port_id port, uint8_t *p,
                    const struct s2_inet_view *view, uint32_t buffer)
{
    struct s2_lane *lane = w->lane;

    if (w->ctx->superpackets && lane->joining.p && lane->joining_port == port &&
        lane->joining_buffer == buffer && p > lane->joining.p &&
        s2_inet_join_append(&lane->joining, p, view))
        return;
    end_joining(w);
    s2_inet_join_begin(&lane->joining, p, view);
    lane->joining_port = port;
    lane->joining_buffer = buffer;
}

void s2_output_end(s2svpn_worker *w)
{
    end_joining(w);
}

/* ---- to the host */

static void give_datagrams(s2svpn_worker *w)
{
    const s2svpn_options *o = &w->ctx->options;
    struct s2_lane *lane = w->lane;
    const size_t first = lane->datagrams_sent;
    const size_t n = lane->datagrams - first;
    size_t taken;

    lane->datagrams_sent = lane->datagrams;
    taken = o->io_ops->send_outside(o->io, w, &lane->datagram[first], n);
    if (taken < n)
        s2_drop_n(w, S2SVPN_DROP_IO_BUSY, n - taken);
}

static void give_packets(s2svpn_worker *w)
{
    const s2svpn_options *o = &w->ctx->options;
    struct s2_lane *lane = w->lane;
    const size_t first = lane->packets_sent;
    const s2svpn_port_id port = lane->packet_port[first];
    size_t n = 1, taken;

    while (first + n < lane->packets && lane->packet_port[first + n] == port)
        n++;
    lane->packets_sent = first + n;
    taken = o->io_ops->send_inside(o->io, w, port, &lane->packet[first], n);
    if (taken < n)
        s2_drop_n(w, S2SVPN_DROP_IO_BUSY, n - taken);
}

void s2_output_flush(s2svpn_worker *w)
{
    struct s2_lane *lane = w->lane;

    if (w->delivering)
        return;
    w->delivering = true;
    do {
        /* Nested calls of the host join packets as well. */
        if (lane->packets < S2_OUTPUT_MAX)
            end_joining(w);
        if (lane->datagrams_sent < lane->datagrams)
            give_datagrams(w);
        if (lane->packets_sent < lane->packets)
            give_packets(w);
        reset_counts(lane);
    } while (lane->datagrams > 0 || lane->packets > 0 || lane->joining.p);
    w->delivering = false;
    reset_arena(lane);
}
