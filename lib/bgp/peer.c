/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of bgp.h: engine and peers made and ended, what comes from outside
 * handed to where it belongs. The work is done elsewhere (peer.h says where). */
#include "bgp/peer.h"

#include <string.h>

#include "base/address.h"
#include "base/bytes.h"
#include "bgp/policy.h"

#define DEFAULT_HOLD_S 30
#define DEFAULT_RETRY_S 30
#define DEFAULT_PREFIXES 100

/* ---- what the other files share */

uint64_t s2_bgp_hash_prefix(const struct s2_bgp_peer *peer, const s2svpn_prefix *p)
{
    uint8_t key[18] = {p->address.family, p->length};

    memcpy(key + 2, p->address.bytes, 16);
    return s2_siphash(peer->bgp->env->hash_key, key, 2 + s2_address_len(&p->address));
}

s2svpn_prefix s2_bgp_prefix_of(uint8_t family, uint8_t length, const uint8_t *bytes)
{
    return (s2svpn_prefix){.address = s2_address_from(family, bytes), .length = length};
}

uint64_t s2_bgp_jitter(const struct s2_bgp_peer *peer, uint64_t ns)
{
    uint8_t v = 0;

    if (s2_random(peer->bgp->env, &v, sizeof(v)) != S2SVPN_OK)
        return ns; /* no reason to stop talking */
    return ns - ns / 1024 * v;
}

void s2_bgp_enter(struct s2_bgp_peer *peer, uint64_t now_ns)
{
    peer->depth++;
    peer->now_ns = now_ns;
}

void s2_bgp_leave(struct s2_bgp_peer *peer)
{
    if (peer->depth == 1)
        s2_bgp_settle(peer);
    peer->depth--;
}

/* ---- the engine */

s2svpn_status s2_bgp_new(const struct s2_env *env, const struct s2_bgp_ops *ops,
                         struct s2_bgp **bgp)
{
    struct s2_bgp *b = s2_alloc(env, sizeof(*b));

    *bgp = b;
    if (b == NULL)
        return s2_fail(env, S2SVPN_E_MEMORY, NULL, "no memory for BGP");
    b->env = env;
    b->ops = *ops;
    s2_table_init(&b->sets, env, SIZE_MAX); /* each has a route at least */
    return S2SVPN_OK;
}

void s2_bgp_free(struct s2_bgp *bgp)
{
    if (bgp == NULL)
        return;
    s2_table_clear(&bgp->sets);
    s2_free(bgp->env, bgp);
}

/* ---- peers */

static s2svpn_status check_spec(const struct s2_env *env, const struct s2_bgp_spec *spec)
{
    if (spec->local_asn == 0 || spec->local_asn == S2_BGP_AS_TRANS)
        return s2_fail(env, S2SVPN_E_ARGUMENT, "local_asn", "a reserved AS number");
    if (spec->peer_asn == spec->local_asn || spec->peer_asn == S2_BGP_AS_TRANS)
        return s2_fail(env, S2SVPN_E_ARGUMENT, "peer_asn", "our own or a reserved AS number");
    if (spec->router_id == 0)
        return s2_fail(env, S2SVPN_E_ARGUMENT, "router_id", "0 is no identifier");
    if (spec->hold_time_s == 1 || spec->hold_time_s == 2)
        return s2_fail(env, S2SVPN_E_ARGUMENT, "hold_time_s", "less than three seconds");
    if (!spec->ipv4 && !spec->ipv6)
        return s2_fail(env, S2SVPN_E_ARGUMENT, "ipv4", "no address family");
    if (spec->local_address.family == S2SVPN_FAMILY_NONE ||
        spec->peer_address.family != spec->local_address.family)
        return s2_fail(env, S2SVPN_E_ARGUMENT, "peer_address", "two addresses of one family");
    const s2svpn_status rc = s2_bgp_policy_check(env, "import_policy", spec->import_policy);
    return rc != S2SVPN_OK ? rc : s2_bgp_policy_check(env, "export_policy", spec->export_policy);
}

s2svpn_status s2_bgp_peer_new(struct s2_bgp *bgp, const struct s2_bgp_spec *spec, void *user,
                              struct s2_bgp_peer **peer)
{
    s2svpn_status rc = check_spec(bgp->env, spec);
    struct s2_bgp_peer *p;

    *peer = NULL;
    if (rc != S2SVPN_OK)
        return rc;
    p = s2_alloc(bgp->env, sizeof(*p));
    if (p == NULL)
        return s2_fail(bgp->env, S2SVPN_E_MEMORY, NULL, "no memory for a BGP peer");
    p->bgp = bgp;
    p->spec = *spec;
    p->user = user;
    if (p->spec.hold_time_s == 0)
        p->spec.hold_time_s = DEFAULT_HOLD_S;
    if (p->spec.connect_retry_s == 0)
        p->spec.connect_retry_s = DEFAULT_RETRY_S;
    if (p->spec.max_prefixes == 0)
        p->spec.max_prefixes = DEFAULT_PREFIXES;
    s2_table_init(&p->in, bgp->env, p->spec.max_prefixes);
    s2_bgp_out_init(p);
    s2_bgp_session_init(p);
    bgp->peers++;
    *peer = p;
    return S2SVPN_OK;
}

void s2_bgp_peer_free(struct s2_bgp_peer *peer)
{
    if (peer == NULL)
        return;
    struct s2_bgp *bgp = peer->bgp;
    struct s2_timers *timers = bgp->env->timers;
    s2_timer_cancel(timers, &peer->idle);
    s2_timer_cancel(timers, &peer->flush);
    s2_timer_cancel(timers, &peer->stale);
    for (size_t i = 0; i < 2; i++) {
        s2_timer_cancel(timers, &peer->conn[i].retry);
        s2_timer_cancel(timers, &peer->conn[i].hold);
        s2_timer_cancel(timers, &peer->conn[i].keepalive);
        s2_bgp_conn_close(&peer->conn[i], true);
    }
    s2_bgp_in_clear(peer, false);
    s2_table_clear(&peer->in);
    s2_bgp_out_free(peer);
    bgp->peers--;
    s2_free(bgp->env, peer);
}

void *s2_bgp_peer_user(const struct s2_bgp_peer *peer)
{
    return peer->user;
}

void s2_bgp_start(struct s2_bgp_peer *peer, uint64_t now_ns)
{
    s2_bgp_enter(peer, now_ns);
    peer->start_asked = true;
    s2_bgp_leave(peer);
}

static void ask_stop(struct s2_bgp_peer *peer)
{
    peer->stop_asked = true;
    peer->start_asked = false;
}

void s2_bgp_stop(struct s2_bgp_peer *peer, uint8_t subcode, const char *text, uint64_t now_ns)
{
    s2_bgp_enter(peer, now_ns);
    (void)s2_bgp_error_set(&peer->stop, S2_BGP_ERROR_CEASE, subcode, NULL, 0);
    s2_bgp_error_set_text(&peer->stop, text);
    ask_stop(peer);
    s2_bgp_leave(peer);
}

void s2_bgp_stop_over_limit(struct s2_bgp_peer *peer, uint64_t now_ns)
{
    s2_bgp_enter(peer, now_ns);
    s2_bgp_in_too_many(peer, peer->spec.ipv4 ? S2SVPN_FAMILY_IPV4 : S2SVPN_FAMILY_IPV6,
                       &peer->stop);
    ask_stop(peer);
    s2_bgp_leave(peer);
}

/* ---- streams */

static struct s2_bgp_conn *conn_of(struct s2_bgp_peer *peer, const void *stream)
{
    for (size_t i = 0; i < 2; i++) {
        if (stream != NULL && peer->conn[i].stream == stream)
            return &peer->conn[i];
    }
    return NULL;
}

bool s2_bgp_stream_up(struct s2_bgp_peer *peer, void *stream, bool active, uint64_t now_ns)
{
    struct s2_bgp_conn *c = &peer->conn[!active];

    if (active ? c->state != S2_BGP_CONNECT || c->stream != stream || c->lost
               : c->state != S2_BGP_ACTIVE || c->stream != NULL)
        return false;
    s2_bgp_enter(peer, now_ns);
    c->stream = stream;
    s2_bgp_because(peer, active ? "connected" : "connection accepted");
    s2_bgp_step(c, S2_BGP_EV_STREAM_UP);
    s2_bgp_leave(peer);
    return true;
}

void s2_bgp_stream_down(struct s2_bgp_peer *peer, void *stream, const char *why, uint64_t now_ns)
{
    struct s2_bgp_conn *c = conn_of(peer, stream);

    if (c == NULL)
        return;
    s2_bgp_enter(peer, now_ns);
    s2_bgp_because(peer, "%s", why != NULL && why[0] != 0 ? why : "stream ended");
    c->stream = NULL;
    c->lost = true;
    s2_bgp_leave(peer);
}

void s2_bgp_receive(struct s2_bgp_peer *peer, void *stream, const uint8_t *p, size_t len,
                    uint64_t now_ns)
{
    struct s2_bgp_conn *c = conn_of(peer, stream);

    if (c == NULL)
        return;
    s2_bgp_enter(peer, now_ns);
    if (peer->depth > 1) { /* from inside a callback: bgp.h forbids it, and here is why */
        s2_bgp_because(peer, "bytes came amid a message");
        c->lost = true;
    } else {
        s2_bgp_conn_receive(c, p, len);
    }
    s2_bgp_leave(peer);
}

void s2_bgp_stream_writable(struct s2_bgp_peer *peer, void *stream, uint64_t now_ns)
{
    struct s2_bgp_conn *c = conn_of(peer, stream);

    if (c == NULL)
        return;
    s2_bgp_enter(peer, now_ns);
    s2_bgp_conn_writable(c);
    s2_bgp_leave(peer);
}

/* ---- questions */

void s2_bgp_get_info(const struct s2_bgp_peer *peer, struct s2_bgp_info *out)
{
    const struct s2_bgp_conn *c = peer->session;

    *out = (struct s2_bgp_info){
        .state = peer->shown,
        .peer_asn = c != NULL ? c->open.asn : peer->spec.peer_asn,
        .peer_router_id = c != NULL ? c->open.router_id : 0,
        .hold_time_s = c != NULL ? c->open.hold_time_s : 0,
        .import_waits = peer->import_waits,
        .prefixes_in = (uint32_t)peer->in.count,
        .prefixes_out = (uint32_t)peer->out.advertised,
        .established_ns = peer->established_ns,
        .updates_in = peer->updates_in,
        .updates_out = peer->updates_out,
        .treated_as_withdraw = peer->treated_as_withdraw,
        .attributes_discarded = peer->attributes_discarded,
    };
}

void s2_bgp_each_route(const struct s2_bgp_peer *peer,
                       bool (*each)(void *arg, const s2svpn_prefix *prefix,
                                    const struct s2_bgp_attributes *attributes),
                       void *arg)
{
    struct s2_table_cursor c = {0};

    for (struct s2_table_node *n; (n = s2_table_next(&peer->in, &c)) != NULL;) {
        const struct s2_bgp_in *in = S2_CONTAINER(n, struct s2_bgp_in, node);
        const s2svpn_prefix p = s2_bgp_prefix_of(in->family, in->length, in->bytes);
        const struct s2_bgp_attributes a = s2_bgp_set_show(in->set, &peer->spec.peer_address);

        if (!each(arg, &p, &a))
            return;
    }
}
