/* SPDX-License-Identifier: Apache-2.0 */
/* ESP packets on their way in: found by SPI, opened in batches, checked, routed. */
#include <string.h>

#include "vpn/vpn.h"

#define MOVED_INTERVAL_NS (100 * S2_MS) /* between two words about where the peer is */

static void count_in(s2svpn_tunnel *t, size_t len, uint64_t now_ns)
{
    atomic_store_explicit(&t->packets_in,
                          atomic_load_explicit(&t->packets_in, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    atomic_store_explicit(&t->bytes_in,
                          atomic_load_explicit(&t->bytes_in, memory_order_relaxed) + len,
                          memory_order_relaxed);
    atomic_store_explicit(&t->last_in_ns, now_ns, memory_order_relaxed);
}

/* Is it for the in-tunnel host? Then routes play no part. */
static bool is_for_host(const s2svpn_tunnel *t, const struct s2_inet_view *view)
{
    return s2_address_equal(&view->destination, &t->inside_local) ||
           s2_inet_is_solicited_node(&view->destination, &t->inside_local);
}

/* Link-local addresses are the tunnels' own. A stranger's TCP among them goes to the host
 * inside, which refuses it and says what it was: BGP at the addresses of another tunnel. */
static bool is_stray(const s2svpn_tunnel *t, const struct s2_inet_view *view)
{
    return view->protocol == S2_IP_TCP && t->inside_local.family == S2SVPN_FAMILY_IPV4 &&
           view->version == 4 && view->destination.bytes[0] == 169 &&
           view->destination.bytes[1] == 254;
}

/* To the site that it came from? It was sent here since that site doesn't know the
 * destination, so it would go to and fro until its TTL ends. */
static bool goes_back(const s2svpn_tunnel *t, uint64_t value)
{
    const s2svpn_tunnel *to = value != 0 && s2_target_kind(value) == S2_TARGET_TUNNEL
                                  ? (const s2svpn_tunnel *)s2_target_pointer(value)
                                  : NULL;

    return to && to->connection == t->connection;
}

/* Where its flow could go by that site among others, none of them may: else the flow's
 * hash would say which flows of the site get through. */
static bool may_go_back(const s2svpn_tunnel *t, uint64_t value)
{
    const struct s2_group *group;
    bool any = false;

    if (s2_target_kind(value) != S2_TARGET_GROUP)
        return goes_back(t, value);
    group = s2_target_pointer(value);
    for (uint32_t i = 0; i < group->count; i++)
        any = any || goes_back(t, group->member[i].value);
    return any;
}

static void route(s2svpn_worker *w, struct s2_sa_in *sa, uint8_t *p, struct s2_inet_view *view,
                  uint32_t buffer)
{
    s2svpn_tunnel *t = sa->tunnel;
    const struct s2_origin origin = {.tunnel = t};
    struct s2_inet_super s = {.p = p, .len = view->total_len};
    uint64_t value;

    if (!s2_route_crosses(view) || s2_fib_lookup(t->connection->sources, &view->source) == 0) {
        s2_drop(w, S2SVPN_DROP_INNER_SOURCE);
        return;
    }
    value = s2_fib_lookup(t->connection->router->fib, &view->destination);
    value = may_go_back(t, value) ? 0 : s2_route_resolve(w, value, view);
    if (value == 0 || s2_target_kind(value) > S2_TARGET_PORT) {
        s2_drop(w, value == 0                                   ? S2SVPN_DROP_NO_ROUTE
                   : s2_target_kind(value) == S2_TARGET_NO_PATH ? S2SVPN_DROP_NO_PATH
                                                                : S2SVPN_DROP_BLACKHOLE);
        s2_outbound_error(w, &origin, S2_INET_NO_ROUTE, 0, p, view);
        return;
    }
    if (view->ttl <= 1) {
        s2_drop(w, S2SVPN_DROP_TTL);
        s2_outbound_error(w, &origin, S2_INET_TTL_EXCEEDED, 0, p, view);
        return;
    }
    s2_inet_lower_ttl(p, view);
    if (s2_target_kind(value) == S2_TARGET_TUNNEL) {
        s2_output_end(w); /* the batch to be sealed keeps p, and joining would move over it */
        s2_outbound_tunnel(w, s2_target_pointer(value), &origin, &s, view);
    } else {
        s2_output_port(w, ((const s2svpn_port *)s2_target_pointer(value))->number, p, view, buffer);
    }
}

/* The host routes: a link to it, and no hop. */
static void pass_on(s2svpn_worker *w, const s2svpn_tunnel *t, uint8_t *p,
                    const struct s2_inet_view *view, uint32_t buffer)
{
    const s2svpn_port *port = atomic_load_explicit(&t->port, memory_order_acquire);

    if (port)
        s2_output_port(w, port->number, p, view, buffer);
    else
        s2_drop(w, S2SVPN_DROP_NO_PORT);
}

static void opened(s2svpn_worker *w, struct s2_sa_in *sa, const struct s2_esp_open *o,
                   uint32_t buffer, uint8_t outer_tos)
{
    s2svpn_tunnel *t = sa->tunnel;
    uint8_t *p = o->out;
    struct s2_inet_view view;

    if (!atomic_load_explicit(&sa->used, memory_order_relaxed)) {
        atomic_store_explicit(&sa->used, true, memory_order_relaxed);
        s2_to_control_event(w, S2_PARCEL_FIRST, sa->esp->spi);
    }
    if (!s2_inet_view(p, o->inner.len, &view) ||
        view.version != (o->next_header == S2_IP_IPV6 ? 6 : 4)) {
        s2_drop(w, S2SVPN_DROP_INNER_MALFORMED);
        return;
    }
    if (!s2_selectors_allow(sa->selectors, &view, false)) {
        s2_drop(w, S2SVPN_DROP_INNER_SELECTOR);
        return;
    }
    if (!s2_inet_leave_tunnel(p, &view, outer_tos)) {
        s2_drop(w, S2SVPN_DROP_CONGESTION);
        return;
    }
    count_in(t, view.total_len, w->now_ns);
    if (t->connection->device_options.external_bgp)
        pass_on(w, t, p, &view, buffer);
    else if (is_for_host(t, &view) || is_stray(t, &view))
        s2_to_control_inner(w, sa, p, view.total_len);
    else
        route(w, sa, p, &view, buffer);
}

/* Does it come from where its tunnel's packets don't go to? Then the peer's NAT may have
 * given it another place. */
static bool is_elsewhere(const struct s2_sa_in *sa, const s2svpn_datagram *from)
{
    const struct s2_sa_out *out = atomic_load_explicit(&sa->tunnel->out, memory_order_acquire);
    const struct s2_way *way = out ? atomic_load_explicit(&out->way, memory_order_acquire) : NULL;

    return way && way->local.role == S2SVPN_ROLE_NATT && from->local.role == S2SVPN_ROLE_NATT &&
           (way->remote.port != from->remote.port ||
            !s2_address_equal(&way->remote.address, &from->remote.address));
}

/* Control decides whether to follow, and may be told again if it doesn't. */
static void tell_moved(s2svpn_worker *w, struct s2_sa_in *sa)
{
    if (sa->moved_ns != 0 && w->now_ns - sa->moved_ns < MOVED_INTERVAL_NS)
        return;
    sa->moved_ns = w->now_ns;
    s2_to_control_moved(w, sa->esp->spi, &w->lane->moved_to);
}

/* Inside a batch nothing can be given out, so room is made before: a place for each
 * packet, and half of the arena for what is sealed again. */
static void make_room(s2svpn_worker *w)
{
    const struct s2_lane *lane = w->lane;

    if (lane->datagrams + lane->seals + lane->opens <= S2_OUTPUT_MAX &&
        lane->packets + 1 + lane->opens <= S2_OUTPUT_MAX && lane->used <= S2_ARENA_LEN / 2)
        return;
    if (w->depth > 1 || w->delivering || lane->sealing)
        return;
    s2_output_seal(w);
    s2_output_flush(w);
}

void s2_inbound_flush(s2svpn_worker *w)
{
    struct s2_lane *lane = w->lane;
    size_t n;

    if (lane->opens == 0 || lane->opening)
        return;
    make_room(w);
    n = lane->opens; /* a nested call may have opened them */
    lane->opening = true;
    s2_esp_open(&lane->esp, lane->open, n, w->now_ns);
    for (size_t i = 0; i < n; i++) {
        const struct s2_esp_open *o = &lane->open[i];

        if (o->drop != S2SVPN_DROP_NONE) {
            /* A dummy is authentic traffic: a sign of life. */
            if (o->drop == S2SVPN_DROP_ESP_DUMMY)
                atomic_store_explicit(&lane->open_sa[i]->tunnel->last_in_ns, w->now_ns,
                                      memory_order_relaxed);
            s2_drop(w, (enum s2svpn_drop)o->drop);
            s2_tell_limits(w, o->sa, o->sa->spi, (enum s2svpn_drop)o->drop);
            continue;
        }
        s2_tell_limits(w, o->sa, o->sa->spi, S2SVPN_DROP_NONE);
        if (lane->open_moved[i] && o->newest)
            tell_moved(w, lane->open_sa[i]);
        opened(w, lane->open_sa[i], o, lane->open_buffer[i], lane->open_tos[i]);
    }
    lane->opens = 0;
    lane->opening = false;
}

/* To the worker that owns the SA. */
static void hand_over(s2svpn_worker *w, const s2svpn_datagram *from, const uint8_t *p, size_t len,
                      const struct s2_sa_in *sa)
{
    const struct s2_parcel_head head = {.kind = S2_PARCEL_OUTSIDE,
                                        .spi_in = sa->esp->spi,
                                        .local = from->local,
                                        .remote = from->remote,
                                        .tos = from->tos,
                                        .len = (uint32_t)len};

    s2_hand_over(w, sa->tunnel->owner, &head, p);
}

uint32_t s2_inbound_buffer(s2svpn_worker *w)
{
    if (++w->buffer == 0)
        w->buffer = 1;
    return w->buffer;
}

void s2_inbound_esp(s2svpn_worker *w, const s2svpn_datagram *from, uint8_t *p, size_t len,
                    uint32_t buffer)
{
    struct s2_lane *lane = s2_worker_lane(w);
    struct s2_esp_open *o;
    struct s2_sa_in *sa;
    uint32_t spi;

    if (!s2_esp_peek_spi(p, len, &spi)) {
        s2_drop(w, S2SVPN_DROP_ESP_SHORT);
        return;
    }
    sa = s2_spi_find(w->ctx, spi);
    if (sa == NULL || lane == NULL) {
        s2_drop(w, sa ? S2SVPN_DROP_NO_ROOM : S2SVPN_DROP_ESP_UNKNOWN_SPI);
        return;
    }
    if (atomic_load_explicit(&sa->tunnel->blackhole, memory_order_relaxed))
        return;
    if (sa->tunnel->owner != w->index && w->on_thread) {
        hand_over(w, from, p, len, sa);
        return;
    }
    if (lane->opens == S2_ESP_BATCH)
        s2_inbound_flush(w);
    if (lane->opens == S2_ESP_BATCH || lane->opening) { /* called from inside a batch */
        s2_drop(w, S2SVPN_DROP_NO_ROOM);
        return;
    }
    o = &lane->open[lane->opens];
    memset(o, 0, sizeof(*o));
    o->sa = sa->esp;
    o->p = p;
    o->len = len;
    /* In place, but in a nested call, whose bytes are borrowed for it alone while its
     * output waits for the outer one. */
    o->out = p + S2_ESP_HEADER_LEN + sa->esp->form.iv_len;
    if (len <= S2_ESP_HEADER_LEN + (size_t)sa->esp->form.iv_len)
        o->out = p;
    if (buffer == 0 || w->depth > 1) {
        o->out = s2_output_room(w, len);
        buffer = s2_inbound_buffer(w); /* one of its own: what lies behind it isn't ours */
    }
    if (o->out == NULL) {
        s2_drop(w, S2SVPN_DROP_NO_ROOM);
        return;
    }
    lane->open_buffer[lane->opens] = buffer;
    lane->open_moved[lane->opens] = is_elsewhere(sa, from);
    if (lane->open_moved[lane->opens])
        lane->moved_to = from->remote;
    lane->open_tos[lane->opens] = from->tos;
    lane->open_sa[lane->opens++] = sa;
}
