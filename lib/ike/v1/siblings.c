/* SPDX-License-Identifier: Apache-2.0 */
/* Phase 1 SAs of one owner. A new one takes the children of the older over, which then
 * waits for its delete. Two that met, one begun by each side before the other was up, are
 * settled by their nonces, the same at both ends: the SA with the lowest of the four
 * loses. Who deletes: of two that met the loser's initiator, otherwise the new one's;
 * the other side only if that doesn't happen for long. Should the ends not agree on
 * whether two met, since messages were lost, the first delete decides: the SA that is
 * left is taken back. That delete may be lost, too: then the one that is deleted falls
 * silent, and the one that isn't still answers. RFC 2408 section 5.15. */
#include "ike/v1/v1.h"

#include "base/address.h"

#include <string.h>

#define OURS_GRACE_NS (10 * S2_SECOND)
#define THEIRS_GRACE_NS (90 * S2_SECOND)
#define LATE_NS (15 * S2_SECOND)       /* by then the peer should have deleted it */
#define LAST_WORDS_NS (30 * S2_SECOND) /* the peer asks for a sign of life in that time */

static struct s2_ike_sa *sa_of(struct s2_link *it)
{
    return S2_CONTAINER(it, struct s2_ike_sa, owner_link);
}

static bool has_state(const struct s2_ike_sa *sa, enum s2_ike1_state state)
{
    return sa->v1 != NULL && sa->state != S2_IKE_STATE_DEAD && sa->v1->state == state;
}

/* One that could have the children again. */
static bool is_spare(const struct s2_ike_sa *sa)
{
    return has_state(sa, S2_IKE1_STATE_REPLACED) && !sa->v1->deleted;
}

static struct s2_ike_sa *find_other(const struct s2_ike_sa *sa, enum s2_ike1_state state)
{
    struct s2_ike_sa *newest = NULL;

    if (sa->owner == NULL)
        return NULL;
    S2_LIST_EACH(&sa->owner->sas, it) {
        if (sa_of(it) != sa && has_state(sa_of(it), state) && !sa_of(it)->v1->deleted)
            newest = sa_of(it);
    }
    return newest;
}

struct s2_ike_sa *s2_ike1_home(struct s2_ike_sa *sa)
{
    struct s2_ike_sa *other;

    if (has_state(sa, S2_IKE1_STATE_UP))
        return sa;
    other = find_other(sa, S2_IKE1_STATE_UP);
    return other != NULL ? other : sa;
}

bool s2_ike1_siblings_coming(const struct s2_ike_sa *sa)
{
    S2_LIST_EACH(&sa->owner->sas, it) {
        const struct s2_ike_sa *other = sa_of(it);

        if (other != sa && other->v1 != NULL && other->state < S2_IKE_STATE_UP)
            return true;
    }
    return false;
}

static void move_children(struct s2_ike_sa *from, struct s2_ike_sa *to)
{
    struct s2_link *it;

    while ((it = s2_list_take_first(&from->children)) != NULL) {
        s2_list_append(&to->children, it);
        to->child_count++;
    }
    from->child_count = 0;
    to->want_child = to->want_child || from->want_child;
    from->want_child = false;
    if (from->child_at_ns < to->child_at_ns)
        to->child_at_ns = from->child_at_ns;
    from->child_at_ns = S2SVPN_NEVER;
    s2_ike_touch(to);
}

/* Has the peer, behind its NAT, moved in between, the children don't know yet. */
static void follow(const struct s2_ike_path *before, struct s2_ike_sa *to)
{
    struct s2_ike *ike = to->ike;
    const s2svpn_endpoint *now = &to->path.remote;

    if (to->state == S2_IKE_STATE_DEAD || !to->announced || !to->nat_remote || !to->udp ||
        to->child_count == 0 || ike->ops.peer_moved == NULL || before->remote.role != now->role)
        return;
    if (!s2_address_equal(&before->remote.address, &now->address) ||
        before->remote.port != now->port)
        ike->ops.peer_moved(ike->user, to->config->owner, now, ike->now_ns);
}

/* Both have a current one now? The newest stays it. */
static void one_current(struct s2_ike_sa *sa)
{
    struct s2_ike_child_sa *newest = NULL;

    S2_LIST_EACH(&sa->children, it) {
        struct s2_ike_child_sa *child = S2_CONTAINER(it, struct s2_ike_child_sa, link);

        if (child->state != S2_IKE_CHILD_CURRENT)
            continue;
        if (newest != NULL) {
            newest->state = S2_IKE_CHILD_REPLACED;
            newest->delete_at_ns = s2_after(sa->ike->now_ns, THEIRS_GRACE_NS);
        }
        newest = child;
    }
}

static void take_over(struct s2_ike_sa *winner, struct s2_ike_sa *loser, bool we_delete)
{
    const bool closing = loser->want_close;

    move_children(loser, winner);
    one_current(winner);
    s2_ike1_step(loser, S2_IKE1_EVENT_TAKEN_OVER, NULL);
    loser->v1->theirs = !we_delete;
    loser->grace_at_ns = s2_after(loser->ike->now_ns, we_delete ? OURS_GRACE_NS : LATE_NS);
    if (closing) { /* the wish was for the tunnel */
        loser->want_close = false;
        s2_ike_sa_close(winner, loser->reason, loser->detail);
    }
    s2_ike_touch(loser);
    s2_ike_touch(winner);
    follow(&loser->path, winner);
}

static void settle(struct s2_ike_sa *fresh, struct s2_ike_sa *older)
{
    const bool met =
        fresh->initiator != older->initiator && fresh->created_ns < older->established_ns;

    if (!met)
        take_over(fresh, older, fresh->initiator);
    else if (memcmp(fresh->low, older->low, S2_IKE_LOW_LEN) < 0)
        take_over(older, fresh, fresh->initiator);
    else
        take_over(fresh, older, older->initiator);
}

/* Whoever began phase 1 begins phase 2, if nothing has been taken over. Of two that met the
 * peer may have begun the one that is left, and taken children over that we don't have. */
static void start_phase_2(struct s2_ike_sa *sa)
{
    struct s2_ike_sa *home = s2_ike1_home(sa);
    bool ours = home->initiator;

    S2_LIST_EACH(&sa->owner->sas, it) {
        ours = ours || (is_spare(sa_of(it)) && sa_of(it)->initiator);
    }
    if (has_state(home, S2_IKE1_STATE_UP) && ours && home->child_count == 0) {
        home->want_child = true;
        s2_ike_touch(home);
    }
}

void s2_ike1_siblings_review(struct s2_ike_sa *sa)
{
    struct s2_ike_sa *other;

    while (has_state(sa, S2_IKE1_STATE_UP) && (other = find_other(sa, S2_IKE1_STATE_UP)) != NULL)
        settle(sa, other);
    while (has_state(sa, S2_IKE1_STATE_UP) &&
           (other = find_other(sa, S2_IKE1_STATE_ORPHAN)) != NULL) {
        move_children(other, sa);
        one_current(sa);
        follow(&other->path, sa);
        s2_ike_sa_kill(other, S2_IKE_REASON_REPLACED, "");
    }
    if (sa->state == S2_IKE_STATE_DEAD)
        return;
    S2_LIST_EACH(&sa->owner->sas, it) {
        struct s2_ike_sa *old = sa_of(it);

        if (old->v1 == NULL && old->state == S2_IKE_STATE_UP) { /* forgotten by the peer? */
            old->want_check = true;
            s2_ike_touch(old);
        }
    }
    start_phase_2(sa);
}

void s2_ike1_siblings_probe(const struct s2_ike_sa *sa)
{
    S2_LIST_EACH(&sa->owner->sas, it) {
        if (sa_of(it) != sa && is_spare(sa_of(it)))
            s2_ike1_dpd_probe(sa_of(it));
    }
}

bool s2_ike1_siblings_outlive(struct s2_ike_sa *sa)
{
    struct s2_ike_sa *heir = NULL;

    S2_LIST_EACH(&sa->owner->sas, it) {
        if (sa_of(it) != sa && is_spare(sa_of(it)) && sa_of(it)->last_in_ns > sa->v1->dpd.first_ns)
            heir = sa_of(it);
    }
    if (heir == NULL)
        return false;
    s2_ike1_step(heir, S2_IKE1_EVENT_TAKE_BACK, NULL);
    move_children(sa, heir);
    one_current(heir);
    s2_ike1_send_delete(sa, 0);
    s2_ike_sa_kill(sa, S2_IKE_REASON_PEER_DELETE, "");
    return true;
}

void s2_ike1_siblings_deleted(struct s2_ike_sa *sa)
{
    const bool replaced = has_state(sa, S2_IKE1_STATE_REPLACED);
    struct s2_ike_sa *heir = find_other(sa, S2_IKE1_STATE_UP);

    if (heir == NULL && !replaced) {
        heir = find_other(sa, S2_IKE1_STATE_REPLACED);
        if (heir != NULL)
            s2_ike1_step(heir, S2_IKE1_EVENT_TAKE_BACK, NULL);
    }
    if (heir != NULL) {
        move_children(sa, heir);
        one_current(heir);
    } else if (sa->child_count > 0) {
        s2_ike1_step(sa, S2_IKE1_EVENT_BEREFT, NULL);
        return;
    }
    s2_ike_sa_kill(sa, replaced ? S2_IKE_REASON_REPLACED : S2_IKE_REASON_PEER_DELETE, "");
}

/* ---- actions */

static void give_up_wishes(struct s2_ike_sa *sa)
{
    sa->rekey_at_ns = sa->expire_at_ns = sa->child_at_ns = S2SVPN_NEVER;
    sa->want_rekey = sa->want_child = sa->want_check = false;
    sa->v1->dpd.asking = false;
}

enum s2_ike1_step s2_ike1_hand_over(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    (void)packet;
    give_up_wishes(sa);
    return S2_IKE1_NEXT;
}

/* The peer has deleted the one that had taken over, but not this one. */
enum s2_ike1_step s2_ike1_take_back(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    const uint32_t life_s = sa->config->ike_lifetime_s;

    (void)packet;
    sa->grace_at_ns = S2SVPN_NEVER;
    sa->v1->dpd.asking = false;
    sa->rekey_at_ns = s2_ike_retry_at(sa); /* a fresh one soon */
    sa->expire_at_ns = s2_ike_expire_at(sa, life_s);
    return S2_IKE1_NEXT;
}

enum s2_ike1_step s2_ike1_bereave(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    (void)packet;
    give_up_wishes(sa);
    s2_ike_note(sa, "the peer has closed phase 1 and kept the child SA");
    return sa->state == S2_IKE_STATE_DEAD ? S2_IKE1_ENDED : S2_IKE1_NEXT;
}

/* Replaced, and the peer is late with its delete: perhaps it holds this one for the one that
 * is left, and has deleted the other. Whoever deletes keeps it for a while, to say so again:
 * the delete may be lost, and what comes in for it then is met by another. */
enum s2_ike1_step s2_ike1_end_expired(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    struct s2_ike1 *v1 = sa->v1;
    struct s2_ike_sa *home = s2_ike1_home(sa);

    (void)packet;
    if (v1->state == S2_IKE1_STATE_ORPHAN) {
        s2_ike_sa_kill(sa, S2_IKE_REASON_PEER_DELETE, "");
        return S2_IKE1_ENDED;
    }
    if (v1->deleted) {
        s2_ike_sa_kill(sa, S2_IKE_REASON_REPLACED, "");
        return S2_IKE1_ENDED;
    }
    if (v1->theirs) {
        v1->theirs = false;
        sa->grace_at_ns = s2_after(sa->ike->now_ns, THEIRS_GRACE_NS - LATE_NS);
        home->want_check = home != sa;
        s2_ike_touch(home);
        return S2_IKE1_STAY;
    }
    if (s2_ike1_is_busy(sa)) { /* its messages come under this one alone */
        sa->grace_at_ns = s2_after(sa->ike->now_ns, S2_SECOND);
        return S2_IKE1_STAY;
    }
    v1->deleted = true;
    sa->grace_at_ns = s2_after(sa->ike->now_ns, LAST_WORDS_NS);
    s2_ike1_send_delete(sa, 0);
    return S2_IKE1_STAY;
}
