/* SPDX-License-Identifier: Apache-2.0 */
/* s2svpn/bgp.h: the BGP engine without a context, an environment of its own around it.
 * It translates; what BGP does is done in bgp/. */
#include <string.h>

#include "base/list.h"
#include "base/text.h"
#include "base/timer.h"
#include "bgp/bgp.h"
#include "s2svpn/bgp.h"
#include "vpn/bgp_show.h"

#define CEASE_SHUTDOWN 2     /* RFC 4486 */
#define NOTIFICATION_TEXT 96 /* s2_bgp_notification_text wants 80 */
#define TIMERS_A_CALL 100000 /* a guard against timers that set each other */
#define HAS(table, type, member)                                                                   \
    ((table)->size >= offsetof(type, member) + sizeof(((type *)0)->member))

struct s2svpn_bgp {
    s2svpn_memory memory;
    struct s2_env env;
    struct s2_timers timers;
    s2svpn_error error;
    s2svpn_bgp_ops ops; /* what a shorter table lacks is NULL */
    void *user;
    struct s2_bgp *engine;
    struct s2_link peers;
    unsigned depth;
    uint64_t now_ns, told_ns;
};

struct s2svpn_bgp_peer {
    s2svpn_bgp *bgp;
    struct s2_bgp_peer *engine;
    struct s2_link in_speaker;
    void *user;
};

static void enter(s2svpn_bgp *b, uint64_t now_ns)
{
    if (now_ns > b->now_ns)
        b->now_ns = now_ns;
    b->depth++;
}

/* The deadline leaves last, when state is whole. */
static void leave(s2svpn_bgp *b)
{
    const uint64_t next = s2_timers_next(&b->timers);

    if (--b->depth > 0 || next == b->told_ns)
        return;
    b->told_ns = next;
    b->ops.deadline(b->user, next);
}

/* Hand out what the engine noted of a failure. */
static s2svpn_status result(s2svpn_bgp *b, s2svpn_status rc, s2svpn_error *why)
{
    if (why != NULL && rc != S2SVPN_OK) {
        *why = b->error;
        why->code = rc;
    }
    return rc;
}

/* ---- the engine says */

static void *on_connect(void *user, struct s2_bgp_peer *engine, uint64_t now_ns)
{
    s2svpn_bgp_peer *p = user;

    (void)engine;
    (void)now_ns;
    return p->bgp->ops.connect ? p->bgp->ops.connect(p->bgp->user, p, p->user) : NULL;
}

static size_t on_send(void *user, void *stream, const uint8_t *bytes, size_t len, uint64_t now_ns)
{
    s2svpn_bgp_peer *p = user;

    (void)now_ns;
    return p->bgp->ops.send(p->bgp->user, p->user, stream, bytes, len);
}

static void on_close(void *user, void *stream, bool abort, uint64_t now_ns)
{
    s2svpn_bgp_peer *p = user;

    (void)now_ns;
    p->bgp->ops.close(p->bgp->user, p->user, stream, abort);
}

static void on_state(void *user, struct s2_bgp_peer *engine, enum s2_bgp_state from,
                     enum s2_bgp_state to, const char *why, uint64_t now_ns)
{
    s2svpn_bgp_peer *p = user;

    (void)engine;
    (void)now_ns;
    if (p->bgp->ops.state)
        p->bgp->ops.state(p->bgp->user, p->user, (enum s2svpn_bgp_state)from,
                          (enum s2svpn_bgp_state)to, why);
}

/* A route in the host's terms. Communities are numbers there, and bytes in the engine. */
struct shown {
    s2svpn_bgp_route route;
    uint32_t communities[S2_BGP_MESSAGE_MAX / 4];
    s2svpn_bgp_large_community large[S2_BGP_MESSAGE_MAX / 12];
};

static void show(struct shown *s, const s2svpn_prefix *prefix, const struct s2_bgp_attributes *a)
{
    s->route = (s2svpn_bgp_route){
        .size = sizeof(s2svpn_bgp_route),
        .prefix = *prefix,
        .next_hop = a->next_hop,
        .origin = a->origin,
        .has_med = a->has_med,
        .has_local_pref = a->has_local_pref,
        .med = a->med,
        .local_pref = a->local_pref,
        .as_path_length = a->as_path_len,
        .as_count = a->as_count,
        .as_path = a->as_path,
    };
    s->route.communities = s->communities;
    s->route.community_count = (uint16_t)s2_bgp_read_communities(a->communities, s->communities);
    s->route.large_communities = s->large;
    s->route.large_community_count = (uint16_t)s2_bgp_read_large(a->large_communities, s->large);
}

static void on_route(void *user, struct s2_bgp_peer *engine, const s2svpn_prefix *prefix,
                     const struct s2_bgp_attributes *a, bool session_ends, uint64_t now_ns)
{
    s2svpn_bgp_peer *p = user;
    const s2svpn_bgp_ops *ops = &p->bgp->ops;

    (void)engine;
    (void)now_ns;
    if (a != NULL && ops->route) {
        struct shown s;

        show(&s, prefix, a);
        ops->route(p->bgp->user, p->user, &s.route);
    }
    if (a == NULL && ops->route_gone)
        ops->route_gone(p->bgp->user, p->user, prefix, session_ends);
}

static void on_graceful(void *user, struct s2_bgp_peer *engine, bool begins, uint64_t now_ns)
{
    s2svpn_bgp_peer *p = user;

    (void)engine;
    (void)now_ns;
    if (p->bgp->ops.graceful)
        p->bgp->ops.graceful(p->bgp->user, p->user, begins);
}

static void on_end_of_rib(void *user, struct s2_bgp_peer *engine, uint64_t now_ns)
{
    s2svpn_bgp_peer *p = user;

    (void)engine;
    (void)now_ns;
    if (p->bgp->ops.end_of_rib)
        p->bgp->ops.end_of_rib(p->bgp->user, p->user);
}

static void on_notification(void *user, struct s2_bgp_peer *engine, bool sent, uint8_t code,
                            uint8_t subcode, const char *text, uint64_t now_ns)
{
    s2svpn_bgp_peer *p = user;
    char words[NOTIFICATION_TEXT];

    (void)engine;
    (void)now_ns;
    if (p->bgp->ops.notification)
        p->bgp->ops.notification(p->bgp->user, p->user, sent,
                                 s2_bgp_notification_text(code, subcode, words, sizeof(words)),
                                 text);
}

static void on_near_limit(void *user, struct s2_bgp_peer *engine, uint32_t count, uint32_t most,
                          uint64_t now_ns)
{
    s2svpn_bgp_peer *p = user;

    (void)engine;
    (void)now_ns;
    if (p->bgp->ops.near_limit)
        p->bgp->ops.near_limit(p->bgp->user, p->user, count, most);
}

static const struct s2_bgp_ops engine_ops = {
    .connect = on_connect,
    .send = on_send,
    .close = on_close,
    .state = on_state,
    .route = on_route,
    .graceful = on_graceful,
    .end_of_rib = on_end_of_rib,
    .notification = on_notification,
    .near_limit = on_near_limit,
};

/* ---- the speaker */

const char *s2svpn_bgp_state_text(enum s2svpn_bgp_state state)
{
    if (state < S2SVPN_BGP_IDLE || state > S2SVPN_BGP_ESTABLISHED)
        return "?";
    return s2_bgp_state_text((enum s2_bgp_state)state);
}

static s2svpn_status check_options(const s2svpn_bgp_options *o, s2svpn_error *why)
{
    const s2svpn_bgp_ops *ops = o->ops;

    if (!ops || !HAS(ops, s2svpn_bgp_ops, deadline) || !ops->send || !ops->close || !ops->deadline)
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "ops", "a required member is missing");
    if (!o->random)
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "random", "randomness is needed");
    if (o->memory &&
        (!HAS(o->memory, s2svpn_memory, release) || !o->memory->allocate || !o->memory->release))
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "memory", "a required member is missing");
    return S2SVPN_OK;
}

static void init_speaker(s2svpn_bgp *b, const s2svpn_bgp_options *o, const s2svpn_memory *memory)
{
    const size_t given = o->ops->size;

    memset(b, 0, sizeof(*b));
    b->memory = *memory;
    memcpy(&b->ops, o->ops, given < sizeof(b->ops) ? given : sizeof(b->ops));
    b->user = o->user;
    s2_timers_init(&b->timers);
    s2_list_init(&b->peers);
    b->now_ns = o->now_ns;
    b->told_ns = S2SVPN_NEVER;
    b->env.memory = &b->memory;
    b->env.random = o->random;
    b->env.random_user = o->random_user;
    b->env.error = &b->error;
    b->env.timers = &b->timers;
}

s2svpn_status s2svpn_bgp_new(const s2svpn_bgp_options *options, s2svpn_bgp **bgp, s2svpn_error *why)
{
    s2svpn_bgp_options o = {0};
    s2svpn_status rc;
    s2svpn_bgp *b;

    *bgp = NULL;
    memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
    rc = check_options(&o, why);
    if (rc != S2SVPN_OK)
        return rc;
    const s2svpn_memory *memory = o.memory ? o.memory : s2_memory_default();
    b = memory->allocate(memory->user, sizeof(*b));
    if (b == NULL)
        return s2_error_set(why, S2SVPN_E_MEMORY, NULL, "no memory for a BGP speaker");
    init_speaker(b, &o, memory);
    rc = s2_random(&b->env, b->env.hash_key, sizeof(b->env.hash_key));
    if (rc != S2SVPN_OK)
        (void)s2_fail(&b->env, rc, "random", "no randomness to be had");
    else
        rc = s2_bgp_new(&b->env, &engine_ops, &b->engine);
    if (rc != S2SVPN_OK) {
        (void)result(b, rc, why);
        memory->release(memory->user, b);
        return rc;
    }
    *bgp = b;
    return S2SVPN_OK;
}

void s2svpn_bgp_free(s2svpn_bgp *bgp)
{
    if (bgp == NULL)
        return;
    const s2svpn_memory memory = bgp->memory;
    bgp->depth++; /* nobody wants to hear of deadlines any more */
    while (!s2_list_empty(&bgp->peers))
        s2svpn_bgp_peer_free(S2_CONTAINER(bgp->peers.next, s2svpn_bgp_peer, in_speaker));
    s2_bgp_free(bgp->engine);
    memory.release(memory.user, bgp);
}

void s2svpn_bgp_advance(s2svpn_bgp *bgp, uint64_t now_ns)
{
    enter(bgp, now_ns);
    (void)s2_timers_advance(&bgp->timers, bgp->now_ns, TIMERS_A_CALL);
    bgp->told_ns = S2SVPN_NEVER - 1; /* the host has used it up: say it anew */
    leave(bgp);
}

/* ---- peers */

s2svpn_status s2svpn_bgp_peer_new(s2svpn_bgp *bgp, const s2svpn_bgp_peer_spec *spec,
                                  void *peer_user, s2svpn_bgp_peer **peer, s2svpn_error *why)
{
    s2svpn_bgp_peer_spec s = {0};
    s2svpn_bgp_peer *p;
    s2svpn_status rc;

    *peer = NULL;
    memcpy(&s, spec, spec->size < sizeof(s) ? spec->size : sizeof(s));
    if (!s.ipv4 && !s.ipv6) {
        s.ipv4 = s.local_address.family == S2SVPN_FAMILY_IPV4;
        s.ipv6 = s.local_address.family == S2SVPN_FAMILY_IPV6;
    }
    const struct s2_bgp_spec wanted = {
        .local_asn = s.local_asn,
        .peer_asn = s.peer_asn,
        .router_id = s.router_id,
        .local_address = s.local_address,
        .peer_address = s.peer_address,
        .hold_time_s = s.hold_time_s,
        .connect_retry_s = s.connect_retry_s,
        .max_prefixes = s.max_prefixes,
        .passive = s.passive || bgp->ops.connect == NULL,
        .ipv4 = s.ipv4,
        .ipv6 = s.ipv6,
        .require_policy = s.require_policy,
        .import_policy = s.import_policy,
        .export_policy = s.export_policy,
    };
    memset(&bgp->error, 0, sizeof(bgp->error));
    p = s2_alloc(&bgp->env, sizeof(*p));
    if (p == NULL)
        return s2_error_set(why, S2SVPN_E_MEMORY, NULL, "no memory for a BGP peer");
    p->bgp = bgp;
    p->user = peer_user;
    rc = s2_bgp_peer_new(bgp->engine, &wanted, p, &p->engine);
    if (rc != S2SVPN_OK) {
        s2_free(&bgp->env, p);
        return result(bgp, rc, why);
    }
    s2_list_append(&bgp->peers, &p->in_speaker);
    *peer = p;
    return S2SVPN_OK;
}

void s2svpn_bgp_peer_free(s2svpn_bgp_peer *peer)
{
    if (peer == NULL)
        return;
    s2svpn_bgp *bgp = peer->bgp;
    enter(bgp, bgp->now_ns);
    s2_list_remove(&peer->in_speaker);
    s2_bgp_peer_free(peer->engine);
    s2_free(&bgp->env, peer);
    leave(bgp);
}

void s2svpn_bgp_start(s2svpn_bgp_peer *peer, uint64_t now_ns)
{
    enter(peer->bgp, now_ns);
    s2_bgp_start(peer->engine, peer->bgp->now_ns);
    leave(peer->bgp);
}

void s2svpn_bgp_stop(s2svpn_bgp_peer *peer, const char *text, uint64_t now_ns)
{
    enter(peer->bgp, now_ns);
    s2_bgp_stop(peer->engine, CEASE_SHUTDOWN, text != NULL ? text : "", peer->bgp->now_ns);
    leave(peer->bgp);
}

bool s2svpn_bgp_stream_up(s2svpn_bgp_peer *peer, void *stream, bool ours, uint64_t now_ns)
{
    bool wanted;

    enter(peer->bgp, now_ns);
    wanted = s2_bgp_stream_up(peer->engine, stream, ours, peer->bgp->now_ns);
    leave(peer->bgp);
    return wanted;
}

void s2svpn_bgp_stream_down(s2svpn_bgp_peer *peer, void *stream, const char *why, uint64_t now_ns)
{
    enter(peer->bgp, now_ns);
    s2_bgp_stream_down(peer->engine, stream, why, peer->bgp->now_ns);
    leave(peer->bgp);
}

void s2svpn_bgp_receive(s2svpn_bgp_peer *peer, void *stream, const uint8_t *p, size_t len,
                        uint64_t now_ns)
{
    enter(peer->bgp, now_ns);
    s2_bgp_receive(peer->engine, stream, p, len, peer->bgp->now_ns);
    leave(peer->bgp);
}

void s2svpn_bgp_writable(s2svpn_bgp_peer *peer, void *stream, uint64_t now_ns)
{
    enter(peer->bgp, now_ns);
    s2_bgp_stream_writable(peer->engine, stream, peer->bgp->now_ns);
    leave(peer->bgp);
}

/* ---- routes */

s2svpn_status s2svpn_bgp_advertise(s2svpn_bgp_peer *peer, const s2svpn_bgp_announcement *a,
                                   uint64_t now_ns, s2svpn_error *why)
{
    s2svpn_bgp *bgp = peer->bgp;
    s2svpn_bgp_announcement given = {0};
    s2svpn_status rc;

    memcpy(&given, a, a->size < sizeof(given) ? a->size : sizeof(given));
    const struct s2_bgp_announcement wanted = {
        .prefix = given.prefix,
        .has_med = given.has_med,
        .med = given.med,
        .origin = given.origin,
        .path_count = given.path_count,
        .path = given.path,
        .community_count = given.community_count,
        .large_community_count = given.large_community_count,
        .communities = given.communities,
        .large_communities = given.large_communities,
    };
    enter(bgp, now_ns);
    memset(&bgp->error, 0, sizeof(bgp->error));
    rc = result(bgp, s2_bgp_advertise(peer->engine, &wanted, bgp->now_ns), why);
    leave(bgp);
    return rc;
}

void s2svpn_bgp_withdraw(s2svpn_bgp_peer *peer, const s2svpn_prefix *prefix, uint64_t now_ns)
{
    enter(peer->bgp, now_ns);
    s2_bgp_withdraw(peer->engine, prefix, peer->bgp->now_ns);
    leave(peer->bgp);
}

s2svpn_status s2svpn_bgp_peer_set_policies(s2svpn_bgp_peer *peer,
                                           const s2svpn_bgp_policy *import_policy,
                                           const s2svpn_bgp_policy *export_policy, uint64_t now_ns,
                                           s2svpn_error *why)
{
    s2svpn_bgp *bgp = peer->bgp;
    s2svpn_status rc;

    enter(bgp, now_ns);
    memset(&bgp->error, 0, sizeof(bgp->error));
    rc = s2_bgp_set_policies(peer->engine, import_policy, export_policy, bgp->now_ns);
    rc = result(bgp, rc, why);
    leave(bgp);
    return rc;
}

/* ---- questions */

void s2svpn_bgp_peer_get_info(const s2svpn_bgp_peer *peer, s2svpn_bgp_peer_info *out)
{
    const size_t size = out->size;
    struct s2_bgp_info i;

    s2_bgp_get_info(peer->engine, &i);
    const s2svpn_bgp_peer_info info = {
        .size = size,
        .state = (uint32_t)i.state,
        .peer_asn = i.peer_asn,
        .peer_router_id = i.peer_router_id,
        .prefixes_in = i.prefixes_in,
        .prefixes_out = i.prefixes_out,
        .hold_time_s = i.hold_time_s,
        .import_waits = i.import_waits,
        .established_ns = i.established_ns,
        .updates_in = i.updates_in,
        .updates_out = i.updates_out,
        .treated_as_withdraw = i.treated_as_withdraw,
        .attributes_discarded = i.attributes_discarded,
    };
    memcpy(out, &info, size < sizeof(info) ? size : sizeof(info));
}

struct walk {
    bool (*each)(void *arg, const s2svpn_bgp_route *route);
    void *arg;
};

static bool each_route(void *arg, const s2svpn_prefix *prefix, const struct s2_bgp_attributes *a)
{
    const struct walk *walk = arg;
    struct shown s;

    show(&s, prefix, a);
    return walk->each(walk->arg, &s.route);
}

void s2_bgp_show_routes(const struct s2_bgp_peer *peer,
                        bool (*each)(void *arg, const s2svpn_bgp_route *route), void *arg)
{
    struct walk walk = {each, arg};

    s2_bgp_each_route(peer, each_route, &walk);
}

void s2svpn_bgp_each_route(const s2svpn_bgp_peer *peer,
                           bool (*each)(void *arg, const s2svpn_bgp_route *route), void *arg)
{
    s2_bgp_show_routes(peer->engine, each, arg);
}
