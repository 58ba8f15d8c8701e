/* SPDX-License-Identifier: Apache-2.0 */
/* The in-tunnel host and the BGP session on it: streams both ways, routes into the RIB.
 *
 * Life of a prefix (what propagation needs): a session that ends leaves its candidates
 * in the RIB, unusable; the session that comes back announces them again, and what it
 * hasn't announced by its End-of-RIB goes. A withdrawal on a live session goes at once.
 */
#include <string.h>

#include "vpn/vpn.h"

#define BGP_TTL 1        /* directly connected */
#define CEASE_SHUTDOWN 2 /* RFC 4486 */
#define CEASE_RESOURCES 8
#define PATHS_MAX 64 /* of a prefix: the RIB's limit */

static s2svpn_context *ctx_of(const s2svpn_tunnel *t)
{
    return t->connection->object.ctx;
}

/* ---- the in-tunnel host says */

static void on_host_send(void *user, const uint8_t *p, size_t len, uint64_t now_ns)
{
    (void)now_ns;
    s2_control_send(user, p, len);
}

static void on_opened(void *user, struct s2_tcp *tcp, bool passive, uint64_t now_ns)
{
    s2svpn_tunnel *t = user;

    if (t->bgp == NULL || !s2_bgp_stream_up(t->bgp, tcp, !passive, now_ns))
        s2_tcp_close(tcp, now_ns);
}

static void on_received(void *user, struct s2_tcp *tcp, const uint8_t *p, size_t len,
                        uint64_t now_ns)
{
    s2svpn_tunnel *t = user;

    if (t->bgp)
        s2_bgp_receive(t->bgp, tcp, p, len, now_ns);
}

static void on_sendable(void *user, struct s2_tcp *tcp, uint64_t now_ns)
{
    s2svpn_tunnel *t = user;

    if (t->bgp)
        s2_bgp_stream_writable(t->bgp, tcp, now_ns);
}

static void on_closed(void *user, struct s2_tcp *tcp, enum s2_tcp_end end, uint64_t now_ns)
{
    static const char *const words[] = {
        [S2_TCP_CLOSED] = "closed",
        [S2_TCP_RESET] = "reset by the peer",
        [S2_TCP_TIMEOUT] = "no answer over TCP",
        [S2_TCP_REFUSED] = "the peer refuses TCP connections",
        [S2_TCP_PEER_FIN] = "closed by the peer",
    };
    s2svpn_tunnel *t = user;

    if (t->bgp)
        s2_bgp_stream_down(t->bgp, tcp, words[end], now_ns);
}

static const struct s2_host_ops host_ops = {
    .send = on_host_send,
    .opened = on_opened,
    .received = on_received,
    .sendable = on_sendable,
    .closed = on_closed,
};

/* ---- BGP says */

static void *on_connect(void *user, struct s2_bgp_peer *peer, uint64_t now_ns)
{
    s2svpn_tunnel *t = user;
    struct s2_tcp *tcp = NULL;

    (void)peer;
    if (t->host == NULL || s2_tcp_connect(t->host, S2_BGP_PORT, t, now_ns, &tcp) != S2SVPN_OK)
        return NULL;
    return tcp;
}

static size_t on_bgp_send(void *user, void *stream, const uint8_t *p, size_t len, uint64_t now_ns)
{
    (void)user;
    return s2_tcp_send(stream, p, len, now_ns);
}

static void on_bgp_close(void *user, void *stream, bool abort, uint64_t now_ns)
{
    (void)user;
    if (abort)
        s2_tcp_abort(stream, now_ns);
    else
        s2_tcp_close(stream, now_ns);
}

/* The last step back is worth telling for as long as none forward has led to a session:
 * "idle hold timer" says less than the Cease before it. */
static bool is_setback(enum s2_bgp_state from, enum s2_bgp_state to)
{
    return to < from || (from == S2_BGP_CONNECT && to == S2_BGP_ACTIVE);
}

/* What the tunnel makes of it. */
static void follow(s2svpn_tunnel *t, enum s2_bgp_state from, enum s2_bgp_state to, const char *why,
                   uint64_t now_ns)
{
    if (to == S2_BGP_ESTABLISHED) {
        s2_tunnel_set_up(t, true, "the BGP session is established", now_ns);
        return;
    }
    if (from != S2_BGP_ESTABLISHED || t->bgp_restarting)
        return;
    s2_tunnel_set_up(t, false, why, now_ns);
    if (!s2_list_empty(&t->children))
        s2_tunnel_set_phase(t, S2SVPN_TUNNEL_IPSEC_UP, why[0] ? why : "the BGP session ended");
}

static void on_state(void *user, struct s2_bgp_peer *peer, enum s2_bgp_state from,
                     enum s2_bgp_state to, const char *why, uint64_t now_ns)
{
    s2svpn_tunnel *t = user;
    s2svpn_context *ctx = ctx_of(t);
    const s2svpn_event event = {.kind = S2SVPN_EVENT_BGP,
                                .tunnel = t->index,
                                .up = to == S2_BGP_ESTABLISHED,
                                .reason = s2_bgp_state_text(to)};

    (void)peer;
    s2_emit(ctx, &event, &t->connection->object, "tunnel %u: BGP %s -> %s%s%s", t->index + 1,
            s2_bgp_state_text(from), s2_bgp_state_text(to), why[0] ? ": " : "", why);
    s2_log_bgp_state(t, s2_bgp_state_text(from), s2_bgp_state_text(to), why);
    follow(t, from, to, why, now_ns);
    if (why[0] && is_setback(from, to))
        s2_copy_text(t->bgp_reason, sizeof(t->bgp_reason), why);
}

/* RFC 4724: the peer forwards on without its BGP, and so do we, as long as it may take. */
static void on_graceful(void *user, struct s2_bgp_peer *peer, bool begins, uint64_t now_ns)
{
    static const char late[] = "BGP did not come back after its graceful restart";
    s2svpn_tunnel *t = user;
    s2svpn_context *ctx = ctx_of(t);
    const s2svpn_event event = {
        .kind = S2SVPN_EVENT_NOTE, .tunnel = t->index, .reason = "bgp graceful restart"};
    struct s2_bgp_info info;

    t->bgp_restarting = begins;
    s2_emit(ctx, &event, &t->connection->object, "tunnel %u: %s", t->index + 1,
            begins ? "BGP restarts gracefully: its routes stay" : "the graceful restart is over");
    s2_bgp_get_info(peer, &info);
    if (begins || info.state == S2_BGP_ESTABLISHED)
        return;
    s2_tunnel_set_up(t, false, late, now_ns);
    if (!s2_list_empty(&t->children))
        s2_tunnel_set_phase(t, S2SVPN_TUNNEL_IPSEC_UP, late);
}

/* Is another tunnel of the connection still told of this prefix by a live session? */
static void forget_stale_elsewhere(s2svpn_connection *c, const s2svpn_prefix *prefix,
                                   uint64_t now_ns)
{
    for (size_t i = 0; i < c->tunnel_count; i++) {
        if (!c->tunnel[i].up)
            s2_rib_unset(c->router->rib, prefix, &c->tunnel[i], now_ns);
    }
}

/* Has the connection a candidate for the prefix, leaving out one source's that are
 * not usable? */
static bool has_candidate(const s2svpn_connection *c, const struct s2_rib_path *path, size_t n,
                          const void *but_unusable_of)
{
    for (size_t i = 0; i < n; i++) {
        if (path[i].source == but_unusable_of && !path[i].usable)
            continue;
        for (size_t k = 0; k < c->tunnel_count; k++) {
            if (path[i].source == &c->tunnel[k])
                return true;
        }
    }
    return false;
}

/* The peers' inside addresses are sources whatever BGP says. */
static void drop_source(s2svpn_connection *c, const s2svpn_prefix *prefix)
{
    for (size_t i = 0; i < c->tunnel_count; i++) {
        const s2svpn_prefix inside = s2_host_prefix(&c->tunnel[i].inside_remote);

        if (s2_prefix_equal(&inside, prefix))
            return;
    }
    s2_fib_unset(c->sources, prefix);
}

/* Packets with this source may come out of the connection's tunnels as long as it has
 * a candidate for it, usable or not. */
static void update_source(s2svpn_connection *c, const s2svpn_prefix *prefix)
{
    struct s2_rib_path path[PATHS_MAX];
    size_t n = s2_rib_get(c->router->rib, prefix, path, PATHS_MAX);

    if (!has_candidate(c, path, n < PATHS_MAX ? n : PATHS_MAX, NULL))
        drop_source(c, prefix);
    else if (s2_fib_set(c->sources, prefix, 1) != S2SVPN_OK)
        s2_router_repair(c->router);
}

static void on_route(void *user, struct s2_bgp_peer *peer, const s2svpn_prefix *prefix,
                     const struct s2_bgp_attributes *a, bool session_ends, uint64_t now_ns)
{
    s2svpn_tunnel *t = user;
    s2svpn_context *ctx = ctx_of(t);
    s2svpn_connection *c = t->connection;
    struct s2_rib_path path = {.source = t, .kind = S2_ROUTE_BGP, .usable = !t->draining};
    bool fresh = false;
    s2svpn_status rc;

    (void)peer;
    if (a == NULL && session_ends)
        return; /* stays, unusable: on_state says when */
    if (a == NULL) {
        s2_rib_unset(c->router->rib, prefix, t, now_ns);
        forget_stale_elsewhere(c, prefix, now_ns);
        update_source(c, prefix);
        return;
    }
    path.local_pref = a->has_local_pref ? a->local_pref : 100;
    path.as_path_len = a->as_path_len;
    path.first_as = a->first_as;
    path.med = a->has_med ? a->med : 0;
    path.order = c->order + t->index;
    path.together = s2_paths_together(c);
    rc = s2_hub_attributes(c->router, prefix, t, a, &path.attributes, &fresh);
    if (rc == S2SVPN_OK)
        rc = s2_rib_set(c->router->rib, prefix, &path, now_ns);
    if (rc != S2SVPN_OK && fresh)
        s2_free(&ctx->env, path.attributes);
    if (rc == S2SVPN_E_MEMORY) {
        t->routes_lost = true;
        s2_router_repair(c->router);
    } else if (rc != S2SVPN_OK) {
        s2_log(&ctx->env, S2_LOG_ERROR, "%s: no room for a route", t->name);
    }
    update_source(c, prefix);
}

/* Before the stale candidates go, and with them all trace of their prefixes. */
static bool drop_source_if_stale(void *arg, const s2svpn_prefix *prefix,
                                 const struct s2_rib_path *path, size_t count, bool best_usable)
{
    s2svpn_tunnel *t = arg;

    (void)best_usable;
    for (size_t i = 0; i < count; i++) {
        if (path[i].source == t && !has_candidate(t->connection, path, count, t))
            drop_source(t->connection, prefix);
    }
    return true;
}

static void on_end_of_rib(void *user, struct s2_bgp_peer *peer, uint64_t now_ns)
{
    s2svpn_tunnel *t = user;

    (void)peer;
    s2_rib_each(t->connection->router->rib, drop_source_if_stale, t);
    s2_rib_drop_unusable(t->connection->router->rib, t, now_ns);
}

static void on_notification(void *user, struct s2_bgp_peer *peer, bool sent, uint8_t code,
                            uint8_t subcode, const char *text, uint64_t now_ns)
{
    s2svpn_tunnel *t = user;
    s2svpn_context *ctx = ctx_of(t);
    const s2svpn_event event = {
        .kind = S2SVPN_EVENT_NOTE, .tunnel = t->index, .reason = "bgp notification"};
    char words[96];

    (void)peer;
    (void)now_ns;
    s2_log_bgp_notification(t, sent, code, subcode, text);
    s2_bgp_notification_text(code, subcode, words, sizeof(words));
    s2_emit(ctx, &event, &t->connection->object, "tunnel %u: BGP notification %s: %s%s%s",
            t->index + 1, sent ? "sent" : "received", words, text[0] ? ": " : "", text);
}

static void on_near_limit(void *user, struct s2_bgp_peer *peer, uint32_t count, uint32_t most,
                          uint64_t now_ns)
{
    s2svpn_tunnel *t = user;
    const s2svpn_event event = {
        .kind = S2SVPN_EVENT_NOTE, .tunnel = t->index, .reason = "bgp prefix limit"};

    (void)peer;
    (void)now_ns;
    s2_log_bgp_near_limit(t, count, most);
    s2_warn(ctx_of(t), &event, &t->connection->object,
            "tunnel %u: BGP: the peer announces %u of at most %u prefixes; one too many ends the "
            "session",
            t->index + 1, (unsigned)count, (unsigned)most);
}

static const struct s2_bgp_ops bgp_ops = {
    .connect = on_connect,
    .send = on_bgp_send,
    .close = on_bgp_close,
    .state = on_state,
    .graceful = on_graceful,
    .route = on_route,
    .end_of_rib = on_end_of_rib,
    .notification = on_notification,
    .near_limit = on_near_limit,
    .trace = s2_log_bgp_trace,
};

s2svpn_status s2_bgp_link_new(s2svpn_context *ctx)
{
    struct s2_bgp_ops wanted = bgp_ops;

    if (ctx->options.tunnel_log == NULL)
        wanted.trace = NULL;
    return s2_bgp_new(&ctx->env, &wanted, &ctx->bgp);
}

/* ---- the tunnel's inside, open while a child is up */

/* Any number but 0 that no other speaker of our AS has, RFC 6286. */
static uint32_t router_id(const s2svpn_tunnel *t)
{
    const uint8_t *a = t->inside_local.bytes;
    uint32_t id;

    if (t->inside_local.family == S2SVPN_FAMILY_IPV4)
        return s2_address_ipv4_value(&t->inside_local);
    if (t->options.inside_cidr.address.family != S2SVPN_FAMILY_NONE)
        return s2_address_ipv4_value(&t->options.inside_cidr.address) + 1;
    id = s2_get_u32(a) ^ s2_get_u32(a + 4) ^ s2_get_u32(a + 8) ^ s2_get_u32(a + 12);
    return id ? id : 1;
}

static s2svpn_status open_session(s2svpn_tunnel *t, uint64_t now_ns)
{
    const s2svpn_connection *c = t->connection;
    s2svpn_context *ctx = ctx_of(t);
    const struct s2_bgp_spec spec = {
        .local_asn = c->local_asn,
        .peer_asn = c->peer_asn,
        .router_id = router_id(t),
        .local_address = t->inside_local,
        .peer_address = t->inside_remote,
        .hold_time_s = c->hold_time_s,
        /* AWS counts by connection, whose tunnels carry the same prefixes. We count each
         * session by itself: none is ended for what another one said. */
        .max_prefixes = c->device ? 1000 : ctx->limits.prefixes_from_peer,
        .ipv4 = c->inside_version == 4,
        .ipv6 = c->inside_version == 6,
        .import_policy = t->bgp_import,
        .export_policy = s2_fault_export(t),
    };
    s2svpn_status rc = s2_bgp_peer_new(ctx->bgp, &spec, t, &t->bgp);

    if (rc != S2SVPN_OK)
        return rc;
    s2_router_advertise_all(c->router, t);
    if (!t->faults.over_limit)
        s2_bgp_start(t->bgp, now_ns);
    return S2SVPN_OK;
}

s2svpn_status s2_inside_open(s2svpn_tunnel *t, uint64_t now_ns)
{
    const struct s2_host_spec spec = {
        .address = t->inside_local,
        .peer = t->inside_remote,
        .mtu = (uint16_t)atomic_load_explicit(&t->mtu, memory_order_relaxed),
        .listen_port = t->connection->static_routes_only ? 0 : S2_BGP_PORT,
        .ttl = BGP_TTL,
    };
    s2svpn_status rc;

    if (t->host || t->connection->device_options.external_bgp)
        return S2SVPN_OK; /* or the inside addresses are the host's */
    rc = s2_host_new(&ctx_of(t)->env, &spec, &host_ops, t, &t->host);
    if (rc == S2SVPN_OK && !t->connection->static_routes_only)
        rc = open_session(t, now_ns);
    if (rc != S2SVPN_OK)
        s2_inside_free(t);
    return rc;
}

void s2_inside_restart(s2svpn_tunnel *t, const char *reason, uint64_t now_ns)
{
    if (t->connection->static_routes_only || t->host == NULL)
        return;
    s2_inside_free(t);
    s2_tunnel_set_up(t, false, reason, now_ns);
    s2_tunnel_set_phase(t, S2SVPN_TUNNEL_IPSEC_UP, reason);
    if (s2_inside_open(t, now_ns) != S2SVPN_OK)
        s2_ike_terminate(ctx_of(t)->ike, t, true, now_ns);
}

void s2_inside_close(s2svpn_tunnel *t, uint64_t now_ns)
{
    if (t->bgp == NULL)
        return;
    s2_bgp_stop(t->bgp, CEASE_SHUTDOWN, "", now_ns);
    ctx_of(t)->farewell = true;
}

void s2_inside_free(s2svpn_tunnel *t)
{
    if (t->bgp)
        s2_bgp_peer_free(t->bgp);
    t->bgp = NULL;
    t->stranger_told = false;
    t->bgp_restarting = false;
    s2_host_free(t->host);
    t->host = NULL;
}

void s2_inside_packet(s2svpn_tunnel *t, const uint8_t *p, size_t len, uint64_t now_ns)
{
    enum s2svpn_drop drop = S2SVPN_DROP_HOST;

    if (t->host)
        drop = s2_host_input(t->host, p, len, now_ns);
    if (drop != S2SVPN_DROP_NONE)
        s2_drop(ctx_of(t)->worker[0], drop);
    if (drop == S2SVPN_DROP_HOST)
        s2_inside_unwanted(t, p, len);
}

void s2_bgp_tell(s2svpn_tunnel *t, const s2svpn_prefix *prefix, uint8_t origin,
                 const uint32_t *as_path, uint16_t as_count)
{
    const struct s2_bgp_announcement a = {.prefix = *prefix,
                                          .has_med = t->med != 0,
                                          .med = t->med,
                                          .origin = origin,
                                          .path = as_path,
                                          .path_count = as_count};

    if (t->bgp == NULL || prefix->address.family != t->inside_local.family)
        return; /* nothing of the other version flows here */
    if (s2_bgp_advertise(t->bgp, &a, ctx_of(t)->now_ns) != S2SVPN_OK)
        s2_router_repair(t->connection->router);
}

void s2_bgp_advertise_to(s2svpn_tunnel *t, const s2svpn_prefix *prefix, bool withdraw)
{
    if (!withdraw)
        s2_bgp_tell(t, prefix, S2_BGP_IGP, NULL, 0);
    else if (t->bgp && prefix->address.family == t->inside_local.family)
        s2_bgp_withdraw(t->bgp, prefix, ctx_of(t)->now_ns);
}

void s2_inside_repair(s2svpn_tunnel *t, uint64_t now_ns)
{
    if (t->bgp == NULL || !t->routes_lost)
        return;
    t->routes_lost = false;
    s2_bgp_stop(t->bgp, CEASE_RESOURCES, "", now_ns);
    if (!t->faults.over_limit)
        s2_bgp_start(t->bgp, now_ns);
}
