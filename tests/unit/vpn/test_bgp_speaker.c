/* SPDX-License-Identifier: Apache-2.0 */
/* The public BGP speaker, two of them on a pipe: what one advertises the other one's
 * host sees, in the shapes of s2svpn/bgp.h. What BGP itself does is tested in bgp/. */
#include <stdio.h>
#include <string.h>

#include "fake_env.h"
#include "harness.h"
#include "s2svpn/bgp.h"

#define SECOND UINT64_C(1000000000)
#define PIPE_SIZE 65536

struct end {
    s2svpn_bgp *bgp;
    s2svpn_bgp_peer *peer;
    struct end *other;
    uint8_t pipe[PIPE_SIZE]; /* on the way to the other end */
    size_t pipe_len;
    size_t takes; /* bytes that the pipe takes at once; 0: all */
    bool connected, closed;
    uint64_t deadline_ns;
    enum s2svpn_bgp_state state;
    s2svpn_bgp_route last;
    uint32_t path[4];
    unsigned routes, gone, gone_with_session, complete, near_limit;
    char notified[128];
};

struct pair {
    struct s2_fake_env env;
    struct end a, b; /* a connects */
    uint64_t now_ns;
};

static void *on_connect(void *user, s2svpn_bgp_peer *peer, void *peer_user)
{
    (void)user;
    (void)peer;
    struct end *e = peer_user;
    e->connected = true;
    return &e->pipe;
}

static size_t on_send(void *user, void *peer_user, void *stream, const uint8_t *p, size_t len)
{
    struct end *e = peer_user;

    (void)user;
    (void)stream;
    if (e->takes > 0 && len > e->takes)
        len = e->takes;
    if (len > PIPE_SIZE - e->pipe_len)
        len = PIPE_SIZE - e->pipe_len;
    memcpy(e->pipe + e->pipe_len, p, len);
    e->pipe_len += len;
    return len;
}

static void on_close(void *user, void *peer_user, void *stream, bool abort)
{
    struct end *e = peer_user;

    (void)user;
    (void)stream;
    (void)abort;
    e->closed = true;
}

static void on_deadline(void *user, uint64_t at_ns)
{
    ((struct end *)user)->deadline_ns = at_ns;
}

static void on_state(void *user, void *peer_user, enum s2svpn_bgp_state from,
                     enum s2svpn_bgp_state to, const char *why)
{
    struct end *e = peer_user;

    (void)user;
    (void)from;
    CU_ASSERT_PTR_NOT_NULL(why);
    e->state = to;
}

static void on_route(void *user, void *peer_user, const s2svpn_bgp_route *route)
{
    struct end *e = peer_user;

    (void)user;
    e->routes++;
    e->last = *route;
    for (uint16_t i = 0; i < route->as_count && i < 4; i++)
        e->path[i] = route->as_path[i];
}

static void on_gone(void *user, void *peer_user, const s2svpn_prefix *prefix, bool session_ends)
{
    struct end *e = peer_user;

    (void)user;
    (void)prefix;
    e->gone++;
    e->gone_with_session += session_ends;
}

static void on_complete(void *user, void *peer_user)
{
    (void)user;
    ((struct end *)peer_user)->complete++;
}

static void on_notification(void *user, void *peer_user, bool sent, const char *words,
                            const char *text)
{
    struct end *e = peer_user;

    (void)user;
    snprintf(e->notified, sizeof(e->notified), "%s %s: %s", sent ? "sent" : "received", words,
             text);
}

/* How many there were; 0: not told, more than all: told twice. */
static void on_near_limit(void *user, void *peer_user, uint32_t count, uint32_t most)
{
    (void)user;
    CU_ASSERT_EQUAL(most, 100);
    ((struct end *)peer_user)->near_limit += count;
}

static const s2svpn_bgp_ops ops = {
    .size = sizeof(ops),
    .connect = on_connect,
    .send = on_send,
    .close = on_close,
    .deadline = on_deadline,
    .state = on_state,
    .route = on_route,
    .route_gone = on_gone,
    .end_of_rib = on_complete,
    .notification = on_notification,
    .near_limit = on_near_limit,
};

static s2svpn_bgp_options options_of(struct pair *p, struct end *e)
{
    return (s2svpn_bgp_options){
        .size = sizeof(s2svpn_bgp_options),
        .ops = &ops,
        .user = e,
        .random = p->env.env.random,
        .random_user = p->env.env.random_user,
        .memory = &p->env.memory,
        .now_ns = p->now_ns,
    };
}

static s2svpn_address address(const char *text)
{
    s2svpn_address a = {0};

    CU_ASSERT(s2svpn_address_read(text, &a));
    return a;
}

static s2svpn_bgp_peer_spec spec_of(bool first)
{
    return (s2svpn_bgp_peer_spec){
        .size = sizeof(s2svpn_bgp_peer_spec),
        .local_asn = first ? 65000 : 64512,
        .peer_asn = first ? 64512 : 65000,
        .router_id = first ? 1 : 2,
        .local_address = address(first ? "192.0.2.1" : "192.0.2.2"),
        .peer_address = address(first ? "192.0.2.2" : "192.0.2.1"),
        .passive = !first,
    };
}

static s2svpn_status open_end(struct pair *p, struct end *e, struct end *other, bool first)
{
    const s2svpn_bgp_options o = options_of(p, e);
    const s2svpn_bgp_peer_spec spec = spec_of(first);
    s2svpn_status rc = s2svpn_bgp_new(&o, &e->bgp, NULL);

    e->other = other;
    e->deadline_ns = S2SVPN_NEVER;
    if (rc == S2SVPN_OK)
        rc = s2svpn_bgp_peer_new(e->bgp, &spec, e, &e->peer, NULL);
    return rc;
}

static struct pair *new_pair(void)
{
    static struct pair p; /* two pipes are too much for a stack */

    memset(&p, 0, sizeof(p));
    p.now_ns = SECOND;
    s2_fake_env_init(&p.env, 7);
    CU_ASSERT_EQUAL_FATAL(open_end(&p, &p.a, &p.b, true), S2SVPN_OK);
    CU_ASSERT_EQUAL_FATAL(open_end(&p, &p.b, &p.a, false), S2SVPN_OK);
    return &p;
}

static void end_pair(struct pair *p)
{
    s2svpn_bgp_free(p->a.bgp);
    s2svpn_bgp_free(p->b.bgp);
    CU_ASSERT_EQUAL(p->env.live, 0);
}

static bool carry(struct pair *p, struct end *from)
{
    static uint8_t bytes[PIPE_SIZE];
    const size_t len = from->pipe_len;

    if (len == 0)
        return false;
    memcpy(bytes, from->pipe, len);
    from->pipe_len = 0;
    s2svpn_bgp_receive(from->other->peer, &from->other->pipe, bytes, len, p->now_ns);
    s2svpn_bgp_writable(from->peer, &from->pipe, p->now_ns);
    return true;
}

/* Let streams connect, bytes arrive and time pass. */
static void run(struct pair *p, uint64_t for_ns)
{
    const uint64_t until = p->now_ns + for_ns;

    for (;;) {
        if (p->a.connected) {
            p->a.connected = false;
            CU_ASSERT(s2svpn_bgp_stream_up(p->b.peer, &p->b.pipe, false, p->now_ns));
            CU_ASSERT(s2svpn_bgp_stream_up(p->a.peer, &p->a.pipe, true, p->now_ns));
        }
        const bool from_a = carry(p, &p->a), from_b = carry(p, &p->b);
        if (from_a || from_b)
            continue;
        const uint64_t next =
            p->a.deadline_ns < p->b.deadline_ns ? p->a.deadline_ns : p->b.deadline_ns;
        if (next > until)
            break;
        p->now_ns = next > p->now_ns ? next : p->now_ns;
        s2svpn_bgp_advance(p->a.bgp, p->now_ns);
        s2svpn_bgp_advance(p->b.bgp, p->now_ns);
    }
    p->now_ns = until;
}

static struct pair *established_pair(void)
{
    struct pair *p = new_pair();

    s2svpn_bgp_start(p->a.peer, p->now_ns);
    s2svpn_bgp_start(p->b.peer, p->now_ns);
    run(p, SECOND);
    CU_ASSERT_EQUAL(p->a.state, S2SVPN_BGP_ESTABLISHED);
    CU_ASSERT_EQUAL(p->b.state, S2SVPN_BGP_ESTABLISHED);
    return p;
}

static s2svpn_bgp_announcement announcement(const char *prefix)
{
    static const uint32_t path[] = {65010, 65020};
    s2svpn_bgp_announcement a = {
        .size = sizeof(a), .has_med = true, .med = 200, .path = path, .path_count = 2};

    CU_ASSERT(s2svpn_prefix_read(prefix, &a.prefix));
    return a;
}

static void speakers_come_up_and_stay_up_for_an_hour(void)
{
    struct pair *p = established_pair();
    s2svpn_bgp_peer_info info = {.size = sizeof(info)};

    run(p, 3600 * SECOND);
    s2svpn_bgp_peer_get_info(p->b.peer, &info);
    CU_ASSERT_EQUAL(info.state, S2SVPN_BGP_ESTABLISHED);
    CU_ASSERT_EQUAL(info.peer_asn, 65000);
    CU_ASSERT_EQUAL(info.peer_router_id, 1);
    CU_ASSERT_EQUAL(info.hold_time_s, 30);
    CU_ASSERT(info.established_ns < 2 * SECOND);
    CU_ASSERT_EQUAL(p->a.complete, 1);
    CU_ASSERT_EQUAL(p->b.complete, 1);
    end_pair(p);
}

/* A host whose timer fires early, or who advances whenever he likes. */
static void a_deadline_is_said_again_after_each_advance(void)
{
    struct pair *p = established_pair();
    const uint64_t deadline = p->b.deadline_ns;

    CU_ASSERT_FATAL(deadline != S2SVPN_NEVER && deadline > p->now_ns);
    p->b.deadline_ns = S2SVPN_NEVER; /* used up */
    s2svpn_bgp_advance(p->b.bgp, p->now_ns);
    CU_ASSERT_EQUAL(p->b.deadline_ns, deadline);
    end_pair(p);
}

static bool count(void *arg, const s2svpn_bgp_route *route)
{
    (void)route;
    return ++*(unsigned *)arg < 2;
}

static void a_route_arrives_with_what_was_said_and_goes_when_withdrawn(void)
{
    struct pair *p = established_pair();
    const s2svpn_bgp_announcement a = announcement("10.1.0.0/16");
    char text[S2SVPN_PREFIX_TEXT];
    unsigned walked = 0;

    CU_ASSERT_EQUAL(s2svpn_bgp_advertise(p->a.peer, &a, p->now_ns, NULL), S2SVPN_OK);
    run(p, SECOND);
    CU_ASSERT_EQUAL_FATAL(p->b.routes, 1);
    CU_ASSERT_STRING_EQUAL(s2svpn_prefix_print(&p->b.last.prefix, text), "10.1.0.0/16");
    CU_ASSERT_STRING_EQUAL(s2svpn_address_print(&p->b.last.next_hop, text), "192.0.2.1");
    CU_ASSERT(p->b.last.has_med && p->b.last.med == 200 && !p->b.last.has_local_pref);
    CU_ASSERT_EQUAL_FATAL(p->b.last.as_count, 3);
    CU_ASSERT(p->b.path[0] == 65000 && p->b.path[1] == 65010 && p->b.path[2] == 65020);
    s2svpn_bgp_each_route(p->b.peer, count, &walked);
    CU_ASSERT_EQUAL(walked, 1);
    s2svpn_bgp_withdraw(p->a.peer, &a.prefix, p->now_ns);
    run(p, SECOND);
    CU_ASSERT(p->b.gone == 1 && p->b.gone_with_session == 0);
    end_pair(p);
}

static bool has_communities(void *arg, const s2svpn_bgp_route *r)
{
    *(bool *)arg = r->community_count == 2 && r->communities[0] == 0xfde80007 &&
                   r->communities[1] == 0xffffff01 && r->large_community_count == 1 &&
                   r->large_communities[0].administrator == 65000 &&
                   r->large_communities[0].data1 == 1 && r->large_communities[0].data2 == 7;
    return true;
}

static void communities_arrive_as_they_were_given(void)
{
    static const uint32_t communities[] = {0xfde80007, 0xffffff01};
    static const s2svpn_bgp_large_community large[] = {{65000, 1, 7}};
    struct pair *p = established_pair();
    s2svpn_bgp_announcement a = announcement("10.1.0.0/16");
    bool good = false;

    a.communities = communities;
    a.community_count = 2;
    a.large_communities = large;
    a.large_community_count = 1;
    CU_ASSERT_EQUAL(s2svpn_bgp_advertise(p->a.peer, &a, p->now_ns, NULL), S2SVPN_OK);
    run(p, SECOND);
    s2svpn_bgp_each_route(p->b.peer, has_communities, &good);
    CU_ASSERT(good);
    end_pair(p);
}

static void a_policy_that_changes_is_applied_to_the_whole_table(void)
{
    const s2svpn_bgp_rule deny = {.as_contains = 65020},
                          prefer = {.accept = true, .set_local_pref = true, .local_pref = 200};
    s2svpn_bgp_policy policy = S2SVPN_BGP_POLICY_INIT;
    struct pair *p = established_pair();
    const s2svpn_bgp_announcement a = announcement("10.1.0.0/16");
    s2svpn_error why = {0};

    CU_ASSERT_EQUAL(s2svpn_bgp_advertise(p->a.peer, &a, p->now_ns, NULL), S2SVPN_OK);
    run(p, SECOND);
    policy.rules = &prefer;
    policy.rule_count = 1;
    CU_ASSERT_EQUAL(s2svpn_bgp_peer_set_policies(p->b.peer, &policy, NULL, p->now_ns, NULL),
                    S2SVPN_OK);
    run(p, SECOND);
    CU_ASSERT(p->b.last.has_local_pref && p->b.last.local_pref == 200);
    policy.rules = &deny;
    CU_ASSERT_EQUAL(s2svpn_bgp_peer_set_policies(p->b.peer, &policy, NULL, p->now_ns, NULL),
                    S2SVPN_OK);
    run(p, SECOND);
    CU_ASSERT(p->b.gone == 1 && p->b.gone_with_session == 0);
    policy.rules = NULL;
    CU_ASSERT_EQUAL(s2svpn_bgp_peer_set_policies(p->b.peer, NULL, &policy, p->now_ns, &why),
                    S2SVPN_E_ARGUMENT);
    CU_ASSERT_STRING_EQUAL(why.field, "export_policy");
    CU_ASSERT_EQUAL(s2svpn_bgp_peer_set_policies(p->b.peer, NULL, NULL, p->now_ns, NULL),
                    S2SVPN_OK);
    run(p, SECOND);
    CU_ASSERT_EQUAL(p->b.routes, 3);
    end_pair(p);
}

static void an_export_that_changes_needs_no_second_announcement(void)
{
    const s2svpn_bgp_rule deny = {.accept = false};
    s2svpn_bgp_policy policy = S2SVPN_BGP_POLICY_INIT;
    s2svpn_bgp_peer_info info = {.size = sizeof(info)};
    struct pair *p = established_pair();
    const s2svpn_bgp_announcement a = announcement("10.1.0.0/16");

    policy.rules = &deny;
    policy.rule_count = 1;
    CU_ASSERT_EQUAL(s2svpn_bgp_advertise(p->a.peer, &a, p->now_ns, NULL), S2SVPN_OK);
    run(p, SECOND);
    CU_ASSERT_EQUAL(p->b.routes, 1);
    CU_ASSERT_EQUAL(s2svpn_bgp_peer_set_policies(p->a.peer, NULL, &policy, p->now_ns, NULL),
                    S2SVPN_OK);
    run(p, SECOND);
    CU_ASSERT(p->b.gone == 1 && p->b.gone_with_session == 0);
    s2svpn_bgp_peer_get_info(p->a.peer, &info);
    CU_ASSERT(info.prefixes_out == 0 && !info.import_waits);
    CU_ASSERT_EQUAL(s2svpn_bgp_peer_set_policies(p->a.peer, NULL, NULL, p->now_ns, NULL),
                    S2SVPN_OK);
    run(p, SECOND);
    CU_ASSERT_EQUAL(p->b.routes, 2);
    end_pair(p);
}

static void a_peer_near_its_limit_is_told_once(void)
{
    struct pair *p = established_pair();
    s2svpn_bgp_announcement a = announcement("10.1.0.0/16");

    for (unsigned i = 0; i < 100; i++) { /* as many as it may */
        a.prefix.address.bytes[1] = (uint8_t)i;
        CU_ASSERT_EQUAL(s2svpn_bgp_advertise(p->a.peer, &a, p->now_ns, NULL), S2SVPN_OK);
        run(p, SECOND / 10);
    }
    CU_ASSERT(p->b.near_limit == 75 && p->b.state == S2SVPN_BGP_ESTABLISHED);
    end_pair(p);
}

static void a_stream_that_takes_a_few_bytes_at_once_is_enough(void)
{
    struct pair *p = established_pair();
    s2svpn_bgp_announcement a = announcement("10.1.0.0/16");

    p->a.takes = 7;
    for (unsigned i = 0; i < 50; i++) {
        a.prefix.address.bytes[1] = (uint8_t)i;
        a.med = i; /* an UPDATE each */
        CU_ASSERT_EQUAL(s2svpn_bgp_advertise(p->a.peer, &a, p->now_ns, NULL), S2SVPN_OK);
    }
    run(p, SECOND);
    CU_ASSERT_EQUAL(p->b.routes, 50);
    end_pair(p);
}

static void a_stop_is_told_in_words_and_takes_routes_along(void)
{
    struct pair *p = established_pair();
    const s2svpn_bgp_announcement a = announcement("10.1.0.0/16");

    CU_ASSERT_EQUAL(s2svpn_bgp_advertise(p->a.peer, &a, p->now_ns, NULL), S2SVPN_OK);
    run(p, SECOND);
    s2svpn_bgp_stop(p->a.peer, "maintenance", p->now_ns);
    run(p, SECOND);
    CU_ASSERT_STRING_EQUAL(p->b.notified, "received Cease/Administrative Shutdown: maintenance");
    CU_ASSERT_STRING_EQUAL(p->a.notified, "sent Cease/Administrative Shutdown: maintenance");
    CU_ASSERT(p->b.gone == 1 && p->b.gone_with_session == 1);
    CU_ASSERT(p->a.closed && p->b.closed);
    CU_ASSERT_EQUAL(p->a.state, S2SVPN_BGP_IDLE);
    end_pair(p);
}

static void a_stream_of_nobody_is_ignored(void)
{
    struct pair *p = established_pair();
    uint8_t junk[40] = {0};
    int other;

    s2svpn_bgp_receive(p->a.peer, &other, junk, sizeof(junk), p->now_ns);
    s2svpn_bgp_stream_down(p->a.peer, &other, NULL, p->now_ns);
    s2svpn_bgp_writable(p->a.peer, &other, p->now_ns);
    CU_ASSERT_FALSE(s2svpn_bgp_stream_up(p->a.peer, &other, true, p->now_ns));
    CU_ASSERT_EQUAL(p->a.state, S2SVPN_BGP_ESTABLISHED);
    end_pair(p);
}

static void bad_options_are_refused_by_name(void)
{
    static const s2svpn_bgp_ops no_send = {
        .size = sizeof(no_send), .close = on_close, .deadline = on_deadline};
    static const s2svpn_bgp_ops old = {.size = 8};
    struct pair *p = new_pair();
    s2svpn_bgp_options o = options_of(p, &p->a);
    s2svpn_memory memory = {.size = sizeof(memory)};
    s2svpn_error why = {0};
    s2svpn_bgp *bgp = NULL;
    const struct {
        const char *field;
        const s2svpn_bgp_ops *ops;
        bool random, memory;
    } rows[] = {
        {"ops", NULL, true, false},     {"ops", &no_send, true, false}, {"ops", &old, true, false},
        {"random", &ops, false, false}, {"memory", &ops, true, true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        o = options_of(p, &p->a);
        o.ops = rows[i].ops;
        if (!rows[i].random)
            o.random = NULL;
        if (rows[i].memory)
            o.memory = &memory;
        CHECK_ROW(rows[i].field, s2svpn_bgp_new(&o, &bgp, &why) == S2SVPN_E_ARGUMENT);
        CHECK_ROW(rows[i].field, bgp == NULL && strcmp(why.field, rows[i].field) == 0);
    }
    o = options_of(p, &p->a);
    p->env.random_fails = true;
    CU_ASSERT_EQUAL(s2svpn_bgp_new(&o, &bgp, &why), S2SVPN_E_RANDOM);
    CU_ASSERT_STRING_EQUAL(why.field, "random");
    end_pair(p);
}

static void bad_peers_and_announcements_are_refused_by_name(void)
{
    struct pair *p = new_pair();
    s2svpn_bgp_peer_spec spec = spec_of(true);
    s2svpn_bgp_announcement a = announcement("10.1.0.0/16");
    s2svpn_bgp_peer *peer = NULL;
    s2svpn_error why = {0};

    spec.local_asn = 0;
    CU_ASSERT_EQUAL(s2svpn_bgp_peer_new(p->a.bgp, &spec, NULL, &peer, &why), S2SVPN_E_ARGUMENT);
    CU_ASSERT(peer == NULL && strcmp(why.field, "local_asn") == 0);
    spec = spec_of(true);
    spec.peer_address.family = S2SVPN_FAMILY_NONE;
    CU_ASSERT_EQUAL(s2svpn_bgp_peer_new(p->a.bgp, &spec, NULL, &peer, &why), S2SVPN_E_ARGUMENT);
    CU_ASSERT_STRING_EQUAL(why.field, "peer_address");
    a.prefix.address.bytes[3] = 1;
    CU_ASSERT_EQUAL(s2svpn_bgp_advertise(p->a.peer, &a, p->now_ns, &why), S2SVPN_E_ARGUMENT);
    CU_ASSERT_STRING_EQUAL(why.field, "prefix");
    a = announcement("10.1.0.0/16");
    a.path_count = 255;
    CU_ASSERT_EQUAL(s2svpn_bgp_advertise(p->a.peer, &a, p->now_ns, &why), S2SVPN_E_LIMIT);
    end_pair(p);
}

static void a_peer_that_goes_leaves_the_others(void)
{
    struct pair *p = established_pair();
    s2svpn_bgp_peer_spec spec = spec_of(true);
    s2svpn_bgp_peer *peer = NULL;

    spec.peer_address = address("192.0.2.9");
    CU_ASSERT_EQUAL_FATAL(s2svpn_bgp_peer_new(p->a.bgp, &spec, &p->a, &peer, NULL), S2SVPN_OK);
    s2svpn_bgp_peer_free(peer);
    s2svpn_bgp_peer_free(NULL);
    run(p, 60 * SECOND);
    CU_ASSERT_EQUAL(p->a.state, S2SVPN_BGP_ESTABLISHED);
    end_pair(p);
}

static bool make_speaker(struct s2_fake_env *f, void *arg)
{
    struct pair *p = arg;
    s2svpn_bgp_options o = options_of(p, &p->a);
    const s2svpn_bgp_peer_spec spec = spec_of(true);
    const s2svpn_bgp_announcement a = announcement("10.1.0.0/16");
    s2svpn_bgp *bgp = NULL;
    s2svpn_bgp_peer *peer = NULL;
    s2svpn_error why = {0};
    s2svpn_status rc;

    o.memory = &f->memory;
    o.random = f->env.random;
    o.random_user = f->env.random_user;
    rc = s2svpn_bgp_new(&o, &bgp, &why);
    if (rc == S2SVPN_OK)
        rc = s2svpn_bgp_peer_new(bgp, &spec, &p->a, &peer, &why);
    if (rc == S2SVPN_OK)
        rc = s2svpn_bgp_advertise(peer, &a, p->now_ns, &why);
    CU_ASSERT_EQUAL(why.code, rc);
    s2svpn_bgp_free(bgp);
    return rc == S2SVPN_OK;
}

static void every_allocation_may_fail(void)
{
    struct pair *p = new_pair();

    s2_fail_every_allocation(make_speaker, p);
    end_pair(p);
}

static void states_have_names(void)
{
    CU_ASSERT_STRING_EQUAL(s2svpn_bgp_state_text(S2SVPN_BGP_ESTABLISHED), "Established");
    CU_ASSERT_STRING_EQUAL(s2svpn_bgp_state_text(S2SVPN_BGP_IDLE), "Idle");
    CU_ASSERT_STRING_EQUAL(s2svpn_bgp_state_text((enum s2svpn_bgp_state)0), "?");
    CU_ASSERT_STRING_EQUAL(s2svpn_bgp_state_text((enum s2svpn_bgp_state)7), "?");
}

const CU_TestInfo s2_test_bgp_speaker[] = {
    {"speakers come up and stay up for an hour", speakers_come_up_and_stay_up_for_an_hour},
    {"a deadline is said again after each advance", a_deadline_is_said_again_after_each_advance},
    {"a route arrives with what was said and goes when withdrawn",
     a_route_arrives_with_what_was_said_and_goes_when_withdrawn},
    {"communities arrive as they were given", communities_arrive_as_they_were_given},
    {"a policy that changes is applied to the whole table",
     a_policy_that_changes_is_applied_to_the_whole_table},
    {"an export that changes needs no second announcement",
     an_export_that_changes_needs_no_second_announcement},
    {"a peer near its limit is told once", a_peer_near_its_limit_is_told_once},
    {"a stream that takes a few bytes at once is enough",
     a_stream_that_takes_a_few_bytes_at_once_is_enough},
    {"a stop is told in words and takes routes along",
     a_stop_is_told_in_words_and_takes_routes_along},
    {"a stream of nobody is ignored", a_stream_of_nobody_is_ignored},
    {"bad options are refused by name", bad_options_are_refused_by_name},
    {"bad peers and announcements are refused by name",
     bad_peers_and_announcements_are_refused_by_name},
    {"a peer that goes leaves the others", a_peer_that_goes_leaves_the_others},
    {"every allocation may fail", every_allocation_may_fail},
    {"states have names", states_have_names},
    CU_TEST_INFO_NULL,
};
