/* SPDX-License-Identifier: Apache-2.0 */
/* One alarm an SA for all its deadlines: lifetimes of it and of its children,
 * liveness, keepalives, grace for the peer; and what is to be asked next when
 * nothing is out. RFC 7296 sections 2.4, 2.8, 2.23, 2.25, RFC 3948 section 4. */
#include "ike/v2/v2.h"

#define HALF_OPEN_NS (30 * S2_SECOND) /* a responder waits so long for IKE_AUTH */
#define RETRY_NS (10 * S2_SECOND)     /* after a rekey that failed, and up to as much again */
#define WISH_NS S2_SECOND             /* after a request that could not be sent */
#define TWIN_CHECK_S 10               /* of silence, where liveness isn't checked otherwise */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static struct s2_ike_child_sa *child_of(struct s2_link *it)
{
    return S2_CONTAINER(it, struct s2_ike_child_sa, link);
}

/* In 65,536ths; without randomness none, which is the latest moment. */
static uint64_t draw_share(const struct s2_ike_sa *sa)
{
    uint16_t share;

    return s2_random(sa->ike->env, &share, sizeof(share)) == S2SVPN_OK ? share : 0;
}

uint64_t s2_ike_rekey_at(const struct s2_ike_sa *sa, uint32_t lifetime_s)
{
    const uint64_t lifetime = lifetime_s * S2_SECOND;
    const uint64_t margin = sa->config->rekey_margin_s * S2_SECOND;
    const uint64_t fuzz = margin / 100 * sa->config->rekey_fuzz_percent;
    const uint64_t early = margin + fuzz / 65536 * draw_share(sa);

    if (lifetime_s == 0)
        return S2SVPN_NEVER;
    /* A margin that eats up the lifetime would rekey without end. */
    return s2_after(sa->ike->now_ns, early < lifetime / 2 ? lifetime - early : lifetime / 2);
}

uint64_t s2_ike_expire_at(const struct s2_ike_sa *sa, uint32_t lifetime_s)
{
    return lifetime_s == 0 ? S2SVPN_NEVER : s2_after(sa->ike->now_ns, lifetime_s * S2_SECOND);
}

uint64_t s2_ike_retry_at(const struct s2_ike_sa *sa)
{
    return s2_after(sa->ike->now_ns, RETRY_NS + RETRY_NS / 65536 * draw_share(sa));
}

void s2_ike_deadlines_start(struct s2_ike_sa *sa)
{
    sa->established_ns = sa->last_in_ns = sa->ike->now_ns;
    sa->rekey_at_ns = s2_ike_rekey_at(sa, sa->config->ike_lifetime_s);
    sa->expire_at_ns = s2_ike_expire_at(sa, sa->config->ike_lifetime_s);
}

/* ---- liveness */

static uint64_t check_at(const struct s2_ike_sa *sa)
{
    struct s2_ike *ike = sa->ike;
    uint64_t last = sa->last_in_ns;
    /* Of two IKE SAs of an owner the traffic proves one: which one, isn't seen here, and
     * a twin that the peer has forgotten is to end, even where nobody checks otherwise. */
    const bool twin = s2_ike_has_twin(sa);
    const uint32_t delay_s =
        sa->config->dpd_delay_s == 0 && twin ? TWIN_CHECK_S : sa->config->dpd_delay_s;

    /* What is out already asks for a sign of life. */
    if (delay_s == 0 || !sa->announced || sa->want_check || sa->request.bytes.p != NULL)
        return S2SVPN_NEVER;
    if (ike->ops.last_inbound != NULL && !twin) {
        const uint64_t esp = ike->ops.last_inbound(ike->user, sa->config->owner);

        last = esp > last ? esp : last;
    }
    return s2_after(last, delay_s * S2_SECOND);
}

/* ---- keepalives */

/* Whatever else goes out, ESP isn't seen here: one byte too many does no harm. */
static uint64_t keepalive_at(const struct s2_ike_sa *sa)
{
    struct s2_ike *ike = sa->ike;

    if (!sa->nat_local || !sa->udp || !sa->announced || ike->ops.keepalive == NULL)
        return S2SVPN_NEVER;
    return s2_after(sa->last_out_ns, ike->options.keepalive_s * S2_SECOND);
}

static void keep_alive(struct s2_ike_sa *sa)
{
    struct s2_ike_path path;

    s2_ike_nat_child_path(sa, &path);
    sa->last_out_ns = sa->ike->now_ns;
    sa->ike->ops.keepalive(sa->ike->user, &path.local, &path.remote);
}

/* ---- the alarm */

static uint64_t next_of_children(const struct s2_ike_sa *sa)
{
    uint64_t at = S2SVPN_NEVER;

    S2_LIST_EACH(&sa->children, it) {
        const struct s2_ike_child_sa *child = child_of(it);

        if (child->state == S2_IKE_CHILD_DELETING)
            continue;
        at = earlier(at, child->expire_at_ns);
        if (child->state == S2_IKE_CHILD_CURRENT)
            at = earlier(at, child->rekey_at_ns);
        else
            at = earlier(at, child->delete_at_ns);
    }
    return at;
}

static bool has_unasked_delete(const struct s2_ike_sa *sa)
{
    S2_LIST_EACH(&sa->children, it) {
        if (child_of(it)->state == S2_IKE_CHILD_DELETING && !child_of(it)->asked)
            return true;
    }
    return false;
}

static bool is_idle(const struct s2_ike_sa *sa)
{
    return sa->request.bytes.p == NULL && sa->asking == NULL && sa->answering == NULL;
}

void s2_ike_deadlines_arm(struct s2_ike_sa *sa)
{
    const bool up = sa->state == S2_IKE_STATE_UP;
    uint64_t at = S2SVPN_NEVER;

    if (sa->state == S2_IKE_STATE_DEAD)
        return;
    if (s2_ike_state_is_half(sa->state))
        at = s2_after(sa->created_ns, HALF_OPEN_NS);
    if (up || sa->state == S2_IKE_STATE_REKEYED) {
        at = sa->grace_at_ns;
        /* It should have gone out already: there was no memory for it. */
        if (is_idle(sa) && (sa->want_close || sa->want_check || has_unasked_delete(sa)))
            at = earlier(at, s2_after(sa->ike->now_ns, WISH_NS));
    }
    if (up) {
        at = earlier(at, earlier(sa->rekey_at_ns, sa->expire_at_ns));
        at = earlier(at, earlier(next_of_children(sa), sa->child_at_ns));
        at = earlier(at, earlier(check_at(sa), keepalive_at(sa)));
    }
    s2_timer_set(sa->ike->env->timers, &sa->alarm, at);
}

static void look_at_children(struct s2_ike_sa *sa, uint64_t now)
{
    S2_LIST_EACH(&sa->children, it) {
        struct s2_ike_child_sa *child = child_of(it);
        const struct s2_ike_child_sa *current = s2_ike_child_current(sa);

        if (child->state == S2_IKE_CHILD_DELETING)
            continue;
        if (child->expire_at_ns <= now) {
            s2_ike_child_delete(sa, child, S2_IKE_REASON_LIFETIME);
        } else if (child->state == S2_IKE_CHILD_REPLACED && child->delete_at_ns <= now) {
            child->delete_at_ns = S2SVPN_NEVER;
            if (current != NULL)
                s2_ike_child_delete(sa, child, S2_IKE_REASON_REPLACED);
        } else if (child->state == S2_IKE_CHILD_CURRENT && child->rekey_at_ns <= now) {
            child->rekey_at_ns = S2SVPN_NEVER;
            child->want_rekey = true;
        }
    }
}

static void look_at_sa(struct s2_ike_sa *sa, uint64_t now)
{
    if (sa->expire_at_ns <= now) {
        sa->expire_at_ns = S2SVPN_NEVER;
        s2_ike_sa_close(sa, S2_IKE_REASON_LIFETIME, "");
        return;
    }
    if (sa->rekey_at_ns <= now) {
        sa->rekey_at_ns = S2SVPN_NEVER;
        sa->want_rekey = true;
    }
    if (sa->child_at_ns <= now) {
        sa->child_at_ns = S2SVPN_NEVER;
        sa->want_child = true;
    }
    look_at_children(sa, now);
    if (check_at(sa) <= now)
        sa->want_check = true;
    if (keepalive_at(sa) <= now)
        keep_alive(sa);
}

void s2_ike_deadlines_fire(void *arg, uint64_t now_ns)
{
    struct s2_ike_sa *sa = arg;
    struct s2_ike *ike = sa->ike;

    s2_ike_enter(ike, now_ns);
    if (s2_ike_state_is_half(sa->state) && sa->state != S2_IKE_STATE_REFUSED)
        s2_ike_trace(sa, (struct s2_ike_trace){.kind = S2_IKE_TRACE_HALF_OPEN});
    if (s2_ike_state_is_half(sa->state) || sa->grace_at_ns <= ike->now_ns)
        s2_ike_step(sa, S2_IKE_EVENT_EXPIRE, NULL);
    else if (sa->state == S2_IKE_STATE_UP)
        look_at_sa(sa, ike->now_ns);
    s2_ike_touch(sa);
    s2_ike_leave(ike);
}

/* ---- what is next */

void s2_ike_next_task(struct s2_ike_sa *sa)
{
    const bool up = sa->state == S2_IKE_STATE_UP;

    if (!up && sa->state != S2_IKE_STATE_REKEYED)
        return;
    if (!is_idle(sa))
        return;
    if (sa->want_close) {
        s2_ike_step(sa, S2_IKE_EVENT_CLOSE, NULL);
        return;
    }
    if (has_unasked_delete(sa)) {
        s2_ike_info_delete_children(sa);
        return;
    }
    if (!up)
        return;
    struct s2_ike_child_sa *child = s2_ike_child_current(sa);
    const bool want_child = sa->want_child && child == NULL;
    sa->want_child = false;
    if (child != NULL)
        sa->child_at_ns = S2SVPN_NEVER;
    if (child != NULL && child->want_rekey) {
        child->want_rekey = false;
        s2_ike_create_start(sa, S2_IKE_REKEY_CHILD, child);
    } else if (want_child) {
        s2_ike_create_start(sa, S2_IKE_MAKE_CHILD, NULL);
    } else if (sa->want_rekey) {
        sa->want_rekey = false;
        s2_ike_create_start(sa, S2_IKE_REKEY_IKE, NULL);
    } else if (sa->want_check) {
        s2_ike_info_check(sa);
    }
}
