/* SPDX-License-Identifier: Apache-2.0 */
/* Plain packets on their way out: looked up, checked against the tunnel's limits, cut
 * into segments or fragments, and put into the batch to be sealed. */
#include <string.h>

#include "vpn/vpn.h"

#define ICMP_RATE 100 /* errors a second and worker, RFC 1812 section 4.3.2.8 */
#define IPV6_LEAST_MTU 1280

/* ---- ICMP errors back to where the packet came from */

static bool may_complain(s2svpn_worker *w)
{
    const uint64_t elapsed = w->now_ns - w->icmp_ns;
    const uint64_t earned = elapsed / (S2_SECOND / ICMP_RATE);

    if (earned > 0) {
        w->icmp_tokens += earned;
        w->icmp_ns = w->now_ns;
    }
    if (w->icmp_tokens > ICMP_RATE)
        w->icmp_tokens = ICMP_RATE;
    if (w->icmp_tokens == 0)
        return false;
    w->icmp_tokens--;
    return true;
}

/* Whose address an error has: the port's router, or our end inside the tunnel. A LAN
 * without an address of ours is told of the tunnel's MTU all the same. Behind a tunnel's
 * own port our end is the host's, which would take no error from itself. */
static const s2svpn_address *address_towards(const struct s2_origin *from, uint8_t version)
{
    const s2svpn_address *const ours[] = {
        from->port ? &from->port->router : NULL,
        from->port ? &from->port->ipv6_router : NULL,
        from->tunnel ? &from->tunnel->inside_local : NULL,
        from->port && from->port->tunnel ? &from->port->tunnel->inside_remote : NULL,
        from->port && from->through ? &from->through->inside_local : NULL,
    };
    const uint8_t family = version == 6 ? S2SVPN_FAMILY_IPV6 : S2SVPN_FAMILY_IPV4;

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (ours[i] && ours[i]->family == family)
            return ours[i];
    }
    return NULL;
}

void s2_outbound_error(s2svpn_worker *w, const struct s2_origin *from, enum s2_inet_error error,
                       uint16_t mtu, const uint8_t *p, const struct s2_inet_view *view)
{
    static const struct s2_origin us;
    const s2svpn_address *address = address_towards(from, view->version);
    struct s2_lane *lane = s2_worker_lane(w);
    uint8_t packet[S2_INET_ERROR_MAX];
    struct s2_inet_super s = {0};
    struct s2_inet_view error_view;

    if (address == NULL || lane == NULL)
        return;
    s.len = (uint32_t)s2_inet_write_error(packet, sizeof(packet), address, error, mtu, p, view);
    if (s.len == 0 || !may_complain(w) || !s2_output_ready(w, s.len))
        return;
    s.p = s2_output_room(w, s.len);
    if (s.p == NULL)
        return;
    memcpy(s.p, packet, s.len);
    if (from->port)
        s2_output_super(w, from->port->number, &s);
    else if (s2_inet_view(s.p, s.len, &error_view))
        s2_outbound_tunnel(w, from->tunnel, &us, &s, &error_view);
}

/* ---- looking up */

/* What never leaves its link, whatever a default route says: RFC 4291 sections 2.5.2,
 * 2.5.3 and 2.5.6. Multicast has no route here, of either scope. */
static bool stays_on_link(const s2svpn_address *a)
{
    static const uint8_t zeros[15];

    if (a->family != S2SVPN_FAMILY_IPV6)
        return false;
    return (a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80) || a->bytes[0] == 0xff ||
           (memcmp(a->bytes, zeros, sizeof(zeros)) == 0 && a->bytes[15] <= 1);
}

bool s2_route_crosses(const struct s2_inet_view *view)
{
    return !stays_on_link(&view->source) && !stays_on_link(&view->destination);
}

/* A tunnel that loses its child takes nothing more, before a route has changed. */
static bool has_child(uint64_t value)
{
    const s2svpn_tunnel *t = s2_target_pointer(value);

    return atomic_load_explicit(&t->out, memory_order_relaxed) != NULL;
}

uint64_t s2_route_resolve(const s2svpn_worker *w, uint64_t value, const struct s2_inet_view *view)
{
    const s2svpn_address *to = &view->destination;
    const struct s2_router *r;
    const s2svpn_vpc *vpc;

    if (value != 0 && s2_target_kind(value) == S2_TARGET_ROUTER) {
        r = s2_target_pointer(value);
        value = s2_fib_lookup(r->fib, to);
    }
    if (value != 0 && s2_target_kind(value) == S2_TARGET_VPC) {
        vpc = s2_target_pointer(value);
        value = s2_fib_lookup(vpc->addresses, to);
        if (value == 0)
            value = s2_target_make(NULL, S2_TARGET_BLACKHOLE); /* nobody has this address */
    }
    if (s2_target_kind(value) == S2_TARGET_GROUP)
        value = s2_group_pick(s2_target_pointer(value), s2_flow_hash(w->ctx->env.hash_key, view),
                              has_child);
    return value;
}

static enum s2svpn_drop reason_of(uint64_t value)
{
    if (value == 0)
        return S2SVPN_DROP_NO_ROUTE;
    return s2_target_kind(value) == S2_TARGET_NO_PATH ? S2SVPN_DROP_NO_PATH : S2SVPN_DROP_BLACKHOLE;
}

/* ---- into a tunnel */

static bool ts_contains(const struct s2_ike_ts *ts, const s2svpn_address *a, uint8_t protocol,
                        uint16_t port)
{
    const size_t len = s2_address_len(a);

    return ts->family == a->family && (ts->protocol == 0 || ts->protocol == protocol) &&
           memcmp(a->bytes, ts->first, len) >= 0 && memcmp(a->bytes, ts->last, len) <= 0 &&
           port >= ts->first_port && port <= ts->last_port;
}

bool s2_selectors_allow(const struct s2_selectors *s, const struct s2_inet_view *view, bool out)
{
    const s2svpn_address *local = out ? &view->source : &view->destination;
    const s2svpn_address *remote = out ? &view->destination : &view->source;
    const uint16_t local_port = out ? view->source_port : view->destination_port;
    const uint16_t remote_port = out ? view->destination_port : view->source_port;
    bool local_ok = false, remote_ok = false;

    if (s->any)
        return view->version == s->any;
    for (size_t i = 0; i < s->local_count && !local_ok; i++)
        local_ok = ts_contains(&s->local[i], local, view->protocol, local_port);
    for (size_t i = 0; i < s->remote_count && !remote_ok; i++)
        remote_ok = ts_contains(&s->remote[i], remote, view->protocol, remote_port);
    return local_ok && remote_ok;
}

/* One packet, in two pieces, into the batch. The pieces stay where they are until the
 * batch is sealed, at the latest when the call returns. s2_output_ready() has been
 * asked before the pieces were built. view NULL: a dummy, to probe the path. */
static void add_seal(s2svpn_worker *w, s2svpn_tunnel *t, const struct s2_sa_out *out,
                     s2svpn_span head, s2svpn_span payload, const struct s2_inet_view *view)
{
    struct s2_lane *lane = w->lane;
    const size_t len = s2_esp_sealed_len(&out->esp->form, head.len + payload.len);
    uint8_t *room = lane->sealing ? NULL : s2_output_room(w, len);
    struct s2_esp_seal *s;

    if (room == NULL) {
        s2_drop(w, S2SVPN_DROP_NO_ROOM);
        return;
    }
    /* The outside header's marks are the inner one's: RFC 4301 section 5.1.2.1, RFC 6040
     * section 4.1, normal mode. */
    lane->seal_note[lane->seals] =
        (struct s2_seal_note){.tunnel = t, .out = out, .tos = view ? view->tos : 0, .probe = !view};
    s = &lane->seal[lane->seals++];
    s->sa = out->esp;
    s->piece[0] = head;
    s->piece[1] = payload;
    s->out = room;
    s->room = len;
    s->next_header = !view ? S2_IP_NONE : view->version == 6 ? S2_IP_IPV6 : S2_IP_IPIP;
}

/* Room for a packet of len inner bytes; else it is dropped. */
static bool ready(s2svpn_worker *w, const struct s2_sa_out *out, size_t len)
{
    if (s2_output_ready(w, s2_esp_sealed_len(&out->esp->form, len)))
        return true;
    s2_drop(w, S2SVPN_DROP_NO_ROOM);
    return false;
}

static void fragment_and_add(s2svpn_worker *w, s2svpn_tunnel *t, const struct s2_sa_out *out,
                             const uint8_t *p, const struct s2_inet_view *view, uint16_t mtu)
{
    struct s2_lane *lane = w->lane;
    size_t len;

    for (unsigned i = 0; ready(w, out, mtu); i++) {
        len = s2_inet_write_fragment(lane->scratch, sizeof(lane->scratch), p, view, mtu, i);
        if (len == 0)
            return;
        add_seal(w, t, out, s2_span(lane->scratch, len), s2_span(NULL, 0), view);
        s2_output_seal(w); /* scratch is used again */
    }
}

/* May it be cut? Where it has no DF bit, where the tunnel's options say so in spite of
 * it (what AWS asks of devices), and always if it is our own: there is no one to tell. */
static bool may_cut(const s2svpn_tunnel *t, const struct s2_origin *from,
                    const struct s2_inet_view *view)
{
    return view->version == 4 &&
           (!view->dont_fragment || atomic_load_explicit(&t->cuts_df, memory_order_relaxed) ||
            (from->port == NULL && from->tunnel == NULL));
}

/* One whole packet. Longer than the tunnel's MTU: cut before encryption, or told. IPv6
 * promises 1280 bytes to everyone: below that the outside packet is left to be cut (RFC
 * 2473 section 7.1). */
static void add_whole(s2svpn_worker *w, s2svpn_tunnel *t, const struct s2_sa_out *out,
                      const struct s2_origin *from, const uint8_t *p,
                      const struct s2_inet_view *view, uint32_t mtu)
{
    if (view->version == 6 && mtu < IPV6_LEAST_MTU)
        mtu = IPV6_LEAST_MTU;
    if (view->total_len <= mtu) {
        if (ready(w, out, view->total_len))
            add_seal(w, t, out, s2_span(p, view->total_len), s2_span(NULL, 0), view);
        return;
    }
    if (may_cut(t, from, view)) {
        fragment_and_add(w, t, out, p, view, (uint16_t)mtu);
        return;
    }
    s2_drop(w, S2SVPN_DROP_TOO_BIG);
    s2_outbound_error(w,
                      &(struct s2_origin){.port = from->port, .tunnel = from->tunnel, .through = t},
                      S2_INET_TOO_BIG, (uint16_t)mtu, p, view);
}

/* Begin to cut; TCP's segments get no longer than the tunnel bears. */
static bool begin_cut(s2svpn_worker *w, const s2svpn_tunnel *t, struct s2_inet_cut *cut,
                      const struct s2_inet_super *packet)
{
    const uint32_t mtu = atomic_load_explicit(&t->mtu, memory_order_relaxed);

    if (!s2_inet_cut_begin(cut, packet)) {
        s2_drop(w, S2SVPN_DROP_INNER_MALFORMED);
        return false;
    }
    if ((packet->gso_type == S2_GSO_TCPV4 || packet->gso_type == S2_GSO_TCPV6) &&
        cut->step > mtu - cut->header_len)
        cut->step = (uint16_t)(mtu - cut->header_len);
    return true;
}

/* Cut a superpacket; headers are built in the lane, one a place in the batch. */
static void cut_and_add(s2svpn_worker *w, s2svpn_tunnel *t, const struct s2_sa_out *out,
                        const struct s2_inet_super *packet, const struct s2_inet_view *view)
{
    struct s2_lane *lane = w->lane;
    struct s2_inet_cut cut;
    s2svpn_span payload;
    size_t header_len;

    if (!begin_cut(w, t, &cut, packet))
        return;
    while (!cut.done && ready(w, out, (size_t)cut.header_len + cut.step)) {
        uint8_t *header = lane->header[lane->seals];

        if (s2_inet_cut_next(&cut, header, &header_len, &payload))
            add_seal(w, t, out, s2_span(header, header_len), payload, view);
    }
}

/* UDP datagrams keep their size, so those that are longer than the tunnel's MTU become
 * packets of their own, and then fragments. */
static void cut_long(s2svpn_worker *w, s2svpn_tunnel *t, const struct s2_sa_out *out,
                     const struct s2_origin *from, const struct s2_inet_super *packet, uint32_t mtu)
{
    struct s2_lane *lane = w->lane;
    struct s2_inet_cut cut;
    struct s2_inet_view view;
    s2svpn_span payload;
    size_t len;

    if (!begin_cut(w, t, &cut, packet))
        return;
    if ((size_t)cut.header_len + cut.step > sizeof(lane->own)) {
        s2_drop(w, S2SVPN_DROP_TOO_BIG);
        return;
    }
    while (!cut.done && ready(w, out, 2 * sizeof(lane->own))) {
        w->depth++; /* as in a nested call: own is kept until all of it is sealed */
        if (s2_inet_cut_next(&cut, lane->own, &len, &payload) && payload.len > 0)
            memcpy(lane->own + len, payload.p, payload.len);
        if (s2_inet_view(lane->own, len + payload.len, &view))
            add_whole(w, t, out, from, lane->own, &view, mtu);
        s2_output_seal(w);
        w->depth--;
    }
}

/* NEEDS_CSUM: complete the checksum where the packet lies. */
static bool complete(s2svpn_worker *w, struct s2_inet_super *packet)
{
    uint8_t header[S2_INET_HEADER_MAX];
    struct s2_inet_cut cut;
    s2svpn_span payload;
    size_t len;

    if (!s2_inet_cut_begin(&cut, packet) || !s2_inet_cut_next(&cut, header, &len, &payload)) {
        s2_drop(w, S2SVPN_DROP_INNER_MALFORMED);
        return false;
    }
    memcpy(packet->p, header, len);
    packet->needs_checksum = false;
    return true;
}

static void add_packet(s2svpn_worker *w, s2svpn_tunnel *t, const struct s2_sa_out *out,
                       const struct s2_origin *from, struct s2_inet_super *packet,
                       const struct s2_inet_view *view)
{
    const uint32_t mtu = atomic_load_explicit(&t->mtu, memory_order_relaxed);
    const uint32_t ip_and_tcp = view->version == 6 ? 60 : 40;

    if (packet->gso_type == S2_GSO_UDP_L4 && packet->gso_size + view->header_len + 8u > mtu) {
        cut_long(w, t, out, from, packet, mtu);
    } else if (packet->gso_type != S2_GSO_NONE) { /* never a SYN */
        cut_and_add(w, t, out, packet, view);
    } else if (!packet->needs_checksum || complete(w, packet)) {
        s2_inet_clamp_mss(packet->p, view, (uint16_t)(mtu - ip_and_tcp));
        add_whole(w, t, out, from, packet->p, view, mtu);
    }
}

/* To the worker that owns the tunnel, segment by segment. */
static void hand_over(s2svpn_worker *w, const s2svpn_tunnel *t, const struct s2_sa_out *out,
                      const struct s2_origin *from, struct s2_inet_super *packet)
{
    struct s2_parcel_head head = {.kind = S2_PARCEL_TUNNEL, .spi_in = out->spi_in};
    const struct s2_sa_out *back =
        from->tunnel ? atomic_load_explicit(&from->tunnel->out, memory_order_acquire) : NULL;
    struct s2_lane *lane = w->lane;
    struct s2_inet_cut cut;
    s2svpn_span payload;
    size_t header_len;

    if (from->port) {
        head.from = S2_PARCEL_FROM_PORT;
        head.from_number = from->port->number;
    } else if (back) {
        head.from = S2_PARCEL_FROM_TUNNEL;
        head.from_number = back->spi_in;
    }
    if (packet->gso_type == S2_GSO_NONE && !packet->needs_checksum) {
        head.len = packet->len;
        s2_hand_over(w, t->owner, &head, packet->p);
        return;
    }
    if (!begin_cut(w, t, &cut, packet))
        return;
    while (s2_inet_cut_next(&cut, lane->scratch, &header_len, &payload)) {
        if (header_len + payload.len > sizeof(lane->scratch)) {
            s2_drop(w, S2SVPN_DROP_TOO_BIG);
            continue;
        }
        if (payload.len > 0)
            memcpy(lane->scratch + header_len, payload.p, payload.len);
        head.len = (uint32_t)(header_len + payload.len);
        s2_hand_over(w, t->owner, &head, lane->scratch);
    }
}

void s2_outbound_tunnel(s2svpn_worker *w, s2svpn_tunnel *t, const struct s2_origin *from,
                        struct s2_inet_super *packet, struct s2_inet_view *view)
{
    const struct s2_sa_out *out = atomic_load_explicit(&t->out, memory_order_acquire);

    if (s2_worker_lane(w) == NULL) {
        s2_drop(w, S2SVPN_DROP_NO_ROOM);
        return;
    }
    if (atomic_load_explicit(&t->blackhole, memory_order_relaxed))
        return;
    if (out == NULL) {
        s2_drop(w, S2SVPN_DROP_NO_CHILD);
        return;
    }
    if (t->owner != w->index && w->on_thread) {
        hand_over(w, t, out, from, packet);
        return;
    }
    if (!s2_selectors_allow(out->selectors, view, true)) {
        s2_drop(w, S2SVPN_DROP_INNER_SELECTOR);
        return;
    }
    add_packet(w, t, out, from, packet, view);
}

void s2_outbound_probe(s2svpn_worker *w, s2svpn_tunnel *t, size_t len)
{
    static const uint8_t zeros[S2_OUTSIDE_MTU];
    const struct s2_sa_out *out = atomic_load_explicit(&t->out, memory_order_acquire);

    if (out == NULL || len > sizeof(zeros) || s2_worker_lane(w) == NULL ||
        atomic_load_explicit(&t->blackhole, memory_order_relaxed))
        return;
    if (ready(w, out, len))
        add_seal(w, t, out, s2_span(zeros, len), s2_span(NULL, 0), NULL);
}

/* ---- from a port */

/* From port to port within a VPC: borrowed bytes, so in a nested call they are copied. */
void s2_outbound_port(s2svpn_worker *w, const s2svpn_port *to, struct s2_inet_super *packet)
{
    const bool copy = w->depth > 1;

    if (!s2_output_ready(w, copy ? packet->len : 0)) {
        s2_drop(w, S2SVPN_DROP_NO_ROOM);
        return;
    }
    if (copy) {
        uint8_t *room = s2_output_room(w, packet->len);

        memcpy(room, packet->p, packet->len);
        packet->p = room;
    }
    s2_output_super(w, to->number, packet);
}

/* May a packet with this source enter at the port, or with this destination leave there?
 * From a tunnel no packet comes to an instance that isn't its: the gateway finds ports by
 * their addresses. */
static bool may_pass(const s2svpn_port *p, const s2svpn_address *a)
{
    return atomic_load_explicit(&p->unchecked, memory_order_relaxed) ||
           s2_address_equal(&p->address, a) || s2_address_equal(&p->ipv6_address, a);
}

/* An appliance may send for others, but a virtual gateway carries packets between prefixes
 * that it knows alone. */
static bool is_carried(const s2svpn_port *from, const s2svpn_tunnel *t,
                       const struct s2_inet_view *view)
{
    return from->subnet == NULL || !atomic_load_explicit(&from->unchecked, memory_order_relaxed) ||
           s2_fib_lookup(t->connection->router->fib, &view->source) != 0;
}

void s2_outbound_packet(s2svpn_worker *w, s2svpn_port *from, struct s2_inet_super *packet)
{
    const struct s2_origin origin = {.port = from};
    struct s2_inet_view view;
    uint64_t value;

    if (!s2_inet_view(packet->p, packet->len, &view)) {
        s2_drop(w, S2SVPN_DROP_INNER_MALFORMED);
        return;
    }
    if (!s2_route_crosses(&view)) { /* neighbour discovery and the like: no one is told */
        s2_drop(w, S2SVPN_DROP_NO_ROUTE);
        return;
    }
    if (from->tunnel) { /* a link, and the host its router */
        s2_outbound_tunnel(w, from->tunnel, &origin, packet, &view);
        return;
    }
    if (!may_pass(from, &view.source)) {
        s2_drop(w, S2SVPN_DROP_SOURCE_DEST_CHECK);
        return;
    }
    value =
        s2_fib_lookup(atomic_load_explicit(&from->fib, memory_order_acquire), &view.destination);
    value = s2_route_resolve(w, value, &view);
    if (value == 0 || s2_target_kind(value) > S2_TARGET_PORT) {
        s2_drop(w, reason_of(value));
        s2_outbound_error(w, &origin, S2_INET_NO_ROUTE, 0, packet->p, &view);
        return;
    }
    if (s2_target_kind(value) == S2_TARGET_PORT &&
        !may_pass(s2_target_pointer(value), &view.destination)) {
        s2_drop(w, S2SVPN_DROP_SOURCE_DEST_CHECK);
        return;
    }
    if (s2_target_kind(value) == S2_TARGET_TUNNEL &&
        !is_carried(from, s2_target_pointer(value), &view)) {
        s2_drop(w, S2SVPN_DROP_INNER_SOURCE);
        return;
    }
    if (view.ttl <= 1) {
        s2_drop(w, S2SVPN_DROP_TTL);
        s2_outbound_error(w, &origin, S2_INET_TTL_EXCEEDED, 0, packet->p, &view);
        return;
    }
    s2_inet_lower_ttl(packet->p, &view);
    if (s2_target_kind(value) == S2_TARGET_TUNNEL) {
        s2_outbound_tunnel(w, s2_target_pointer(value), &origin, packet, &view);
        return;
    }
    if (s2_worker_lane(w) == NULL) {
        s2_drop(w, S2SVPN_DROP_NO_ROOM);
        return;
    }
    s2_outbound_port(w, s2_target_pointer(value), packet);
}
