/* SPDX-License-Identifier: Apache-2.0 */
/* One alarm an SA for all its deadlines: what is to be sent again, lifetimes of it and of
 * its children, liveness, keepalives, grace for the peer; and what is to be done next.
 * RFC 2409, RFC 3706, RFC 3948 section 4. */
#include "ike/v1/v1.h"

#define HALF_OPEN_NS (30 * S2_SECOND)   /* a responder waits so long for the fifth message */
#define ORPHAN_WAIT_NS (60 * S2_SECOND) /* for a new phase 1, once it is needed */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint32_t s2_ike1_shorter(uint32_t a, uint32_t b)
{
    if (a == 0 || b == 0)
        return a | b;
    return a < b ? a : b;
}

static struct s2_ike_child_sa *child_of(struct s2_link *it)
{
    return S2_CONTAINER(it, struct s2_ike_child_sa, link);
}

static struct s2_ike1_quick *quick_of(struct s2_link *it)
{
    return S2_CONTAINER(it, struct s2_ike1_quick, link);
}

/* ---- when */

/* Of an orphan too: then a phase 1 is needed to ask with. */
static uint64_t check_at(const struct s2_ike_sa *sa)
{
    const struct s2_ike1 *v1 = sa->v1;
    struct s2_ike *ike = sa->ike;
    uint64_t last = sa->last_in_ns;

    if (v1->dpd.asking)
        return v1->dpd.again_ns;
    if (sa->config->dpd_delay_s == 0 || !v1->dpd.known || sa->want_check)
        return S2SVPN_NEVER;
    if (ike->ops.last_inbound != NULL) {
        const uint64_t esp = ike->ops.last_inbound(ike->user, sa->config->owner);

        last = esp > last ? esp : last;
    }
    return s2_after(last, sa->config->dpd_delay_s * S2_SECOND);
}

static uint64_t keepalive_at(const struct s2_ike_sa *sa)
{
    struct s2_ike *ike = sa->ike;

    if (!sa->nat_local || !sa->udp || !sa->announced || ike->ops.keepalive == NULL)
        return S2SVPN_NEVER;
    return s2_after(sa->last_out_ns, ike->options.keepalive_s * S2_SECOND);
}

static uint64_t children_at(const struct s2_ike_sa *sa)
{
    uint64_t at = S2SVPN_NEVER;

    S2_LIST_EACH(&sa->children, it) {
        const struct s2_ike_child_sa *child = child_of(it);

        at = earlier(at, child->expire_at_ns);
        at = earlier(at, S2_CONTAINER(child, const struct s2_ike1_child, base)->settled_ns);
        at = earlier(at, child->state == S2_IKE_CHILD_CURRENT ? child->rekey_at_ns
                                                              : child->delete_at_ns);
    }
    return at;
}

static uint64_t sending_at(const struct s2_ike_sa *sa)
{
    uint64_t at = sa->v1->out.waits ? sa->v1->out.again_ns : S2SVPN_NEVER;

    S2_LIST_EACH(&sa->v1->quicks, it) {
        const struct s2_ike1_quick *q = quick_of(it);

        at = earlier(at, q->end_ns);
        if (q->out.waits)
            at = earlier(at, q->out.again_ns);
    }
    return at;
}

void s2_ike1_deadlines_arm(struct s2_ike_sa *sa)
{
    uint64_t at = sending_at(sa);

    if (sa->state == S2_IKE_STATE_DEAD)
        return;
    if (s2_ike_state_is_half(sa->state))
        at = earlier(at, s2_after(sa->created_ns, HALF_OPEN_NS));
    if (s2_ike_state_is_up(sa->state))
        at = earlier(at, earlier(sa->grace_at_ns, children_at(sa)));
    if (sa->state == S2_IKE_STATE_UP) {
        at = earlier(at, earlier(sa->rekey_at_ns, sa->expire_at_ns));
        at = earlier(at, earlier(sa->child_at_ns, keepalive_at(sa)));
    }
    if (sa->state == S2_IKE_STATE_UP ||
        (sa->v1->state == S2_IKE1_STATE_ORPHAN && sa->grace_at_ns == S2SVPN_NEVER))
        at = earlier(at, check_at(sa));
    s2_timer_set(sa->ike->env->timers, &sa->alarm, at);
}

/* ---- what is due */

static void send_again(struct s2_ike_sa *sa, uint64_t now)
{
    struct s2_ike1_out *out = &sa->v1->out;

    if (out->waits && out->again_ns <= now && !s2_ike1_out_again(sa, out)) {
        s2_ike_trace(sa, (struct s2_ike_trace){.kind = S2_IKE_TRACE_UNANSWERED,
                                               .exchange = S2_IKE1_MAIN,
                                               .tries = out->tries});
        s2_ike1_step(sa, S2_IKE1_EVENT_SILENCE, NULL);
        return;
    }
    S2_LIST_EACH(&sa->v1->quicks, it) {
        struct s2_ike1_quick *q = quick_of(it);

        if (q->end_ns <= now)
            s2_ike1_quick_step(q, S2_IKE1_QUICK_ON_EXPIRE, NULL);
        else if (q->out.waits && q->out.again_ns <= now && !s2_ike1_out_again(sa, &q->out)) {
            q->out.waits = false;
            s2_ike_trace(sa, (struct s2_ike_trace){.kind = S2_IKE_TRACE_UNANSWERED,
                                                   .exchange = S2_IKE1_QUICK,
                                                   .message_id = q->message_id,
                                                   .tries = q->out.tries});
            s2_ike1_quick_step(q, S2_IKE1_QUICK_ON_SILENCE, NULL);
        }
        if (sa->state == S2_IKE_STATE_DEAD)
            return;
    }
}

/* Its callbacks may take any child down, so one at a time: false if nothing was due. */
static bool look_at_a_child(struct s2_ike_sa *sa, uint64_t now)
{
    S2_LIST_EACH(&sa->children, it) {
        struct s2_ike_child_sa *child = child_of(it);

        if (child->expire_at_ns <= now) {
            s2_ike1_child_delete(sa, child, S2_IKE_REASON_LIFETIME);
            return true;
        }
        if (S2_CONTAINER(child, struct s2_ike1_child, base)->settled_ns <= now) {
            s2_ike1_child_settle_by_time(sa, S2_CONTAINER(child, struct s2_ike1_child, base));
            return true;
        }
        if (child->state == S2_IKE_CHILD_REPLACED && child->delete_at_ns <= now) {
            s2_ike1_child_delete(sa, child, S2_IKE_REASON_REPLACED);
            return true;
        }
        if (child->state == S2_IKE_CHILD_CURRENT && child->rekey_at_ns <= now) {
            child->rekey_at_ns = S2SVPN_NEVER;
            child->want_rekey = true;
            s2_ike_touch(sa);
        }
    }
    return false;
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
    if (keepalive_at(sa) <= now) {
        struct s2_ike_path path;

        s2_ike_nat_child_path(sa, &path);
        sa->last_out_ns = now;
        sa->ike->ops.keepalive(sa->ike->user, &path.local, &path.remote);
    }
    if (sa->state == S2_IKE_STATE_DEAD || check_at(sa) > now)
        return;
    if (sa->v1->dpd.asking)
        s2_ike1_dpd_again(sa);
    else
        sa->want_check = true;
}

/* Without phase 1 nobody can be asked: make one, and if that fails the peer is gone. */
static void look_at_orphan(struct s2_ike_sa *sa, uint64_t now)
{
    const struct s2_ike_child_sa *current = s2_ike_child_current(sa);
    const bool needed = check_at(sa) <= now || (current != NULL && current->want_rekey);

    if (sa->grace_at_ns != S2SVPN_NEVER || !needed)
        return;
    sa->grace_at_ns = s2_after(now, ORPHAN_WAIT_NS);
    if (!s2_ike1_siblings_coming(sa))
        s2_ike1_renew(sa);
}

static void fire(struct s2_ike_sa *sa, uint64_t now)
{
    if (s2_ike_state_is_half(sa->state) && s2_after(sa->created_ns, HALF_OPEN_NS) <= now) {
        s2_ike_trace(sa, (struct s2_ike_trace){.kind = S2_IKE_TRACE_HALF_OPEN});
        s2_ike1_step(sa, S2_IKE1_EVENT_EXPIRE, NULL);
    }
    if (sa->state != S2_IKE_STATE_DEAD)
        send_again(sa, now);
    if (!s2_ike_state_is_up(sa->state))
        return;
    while (sa->state != S2_IKE_STATE_DEAD && look_at_a_child(sa, now))
        continue;
    if (sa->state == S2_IKE_STATE_UP)
        look_at_sa(sa, now);
    if (sa->state == S2_IKE_STATE_DEAD)
        return;
    if (sa->v1->state == S2_IKE1_STATE_ORPHAN && sa->child_count == 0) {
        s2_ike_sa_kill(sa, S2_IKE_REASON_PEER_DELETE, "");
        return;
    }
    if (sa->grace_at_ns <= now)
        s2_ike1_step(sa, S2_IKE1_EVENT_EXPIRE, NULL);
    else if (sa->v1->state == S2_IKE1_STATE_ORPHAN)
        look_at_orphan(sa, now);
}

void s2_ike1_alarm_fire(void *arg, uint64_t now_ns)
{
    struct s2_ike_sa *sa = arg;
    struct s2_ike *ike = sa->ike;

    s2_ike_enter(ike, now_ns);
    fire(sa, ike->now_ns);
    s2_ike_touch(sa);
    s2_ike_leave(ike);
}

/* ---- what is next */

/* Deletes are sent once and believed: children first, then the SA. */
static void close_now(struct s2_ike_sa *sa)
{
    while (sa->state != S2_IKE_STATE_DEAD && !s2_list_empty(&sa->children))
        s2_ike1_child_delete(sa, child_of(sa->children.next), sa->reason);
    if (sa->state == S2_IKE_STATE_DEAD)
        return;
    s2_ike1_send_delete(sa, 0);
    s2_ike_sa_kill(sa, sa->reason, sa->detail);
}

/* One quick mode at a time, over all phase 1 SAs, whoever began it: or the order of the
 * children (child.c) isn't the same at both ends. */
static bool is_busy(const struct s2_ike_sa *sa)
{
    S2_LIST_EACH(&sa->owner->sas, it) {
        const struct s2_ike_sa *other = S2_CONTAINER(it, struct s2_ike_sa, owner_link);

        if (other->v1 != NULL && s2_ike1_is_busy(other))
            return true;
    }
    return false;
}

void s2_ike1_next_task(struct s2_ike_sa *sa)
{
    if (sa->want_close && s2_ike_state_is_up(sa->state)) {
        close_now(sa);
        return;
    }
    if (sa->state != S2_IKE_STATE_UP)
        return;
    if (sa->want_check)
        s2_ike1_dpd_ask(sa);
    if (sa->want_rekey) {
        sa->want_rekey = false;
        sa->rekey_at_ns = s2_ike_retry_at(sa); /* until another one has taken over */
        if (!s2_ike1_siblings_coming(sa))
            s2_ike1_renew(sa);
    }
    struct s2_ike_child_sa *child = s2_ike_child_current(sa);
    if (child != NULL)
        sa->child_at_ns = S2SVPN_NEVER;
    if (is_busy(sa))
        return; /* the end of that touches sa again */
    if (child != NULL && child->want_rekey) {
        if (sa->child_count >= S2_IKE1_CHILDREN_ENOUGH)
            return; /* the end of one touches sa again */
        child->want_rekey = false;
        sa->want_child = false;
        s2_ike1_quick_start(sa, child);
    } else if (sa->want_child && child == NULL) {
        sa->want_child = false;
        s2_ike1_quick_start(sa, NULL);
    }
}
