/* SPDX-License-Identifier: Apache-2.0 */
/* Phase 1 SAs of one owner. A new one takes the children of the older over, which then
 * waits for its delete. Two that met, one begun by each side before the other was up, are
 * settled by their nonces, the same at both ends: the SA with the lowest of the four
 * loses. Who deletes: of two that met the loser's initiator, otherwise the new one's;
 * the other side only if that doesn't happen for long. Should the ends not agree on
 * whether two met, since messages were lost, the first delete decides: the SA that is
 * left is taken back. RFC 2408 section 5.15. */
#include "ike/v1/v1.h"

#include "base/address.h"

#include <string.h>

#define OURS_GRACE_NS (10 * S2_SECOND)
#define THEIRS_GRACE_NS (120 * S2_SECOND)

static struct s2_ike_sa *sa_of(struct s2_link *it)
{
    return S2_CONTAINER(it, struct s2_ike_sa, owner_link);
}

static bool has_state(const struct s2_ike_sa *sa, enum s2_ike1_state state)
{
    return sa->v1 != NULL && sa->state != S2_IKE_STATE_DEAD && sa->v1->state == state;
}

static struct s2_ike_sa *find_other(const struct s2_ike_sa *sa, enum s2_ike1_state state)
{
    struct s2_ike_sa *newest = NULL;

    if (sa->owner == NULL)
        return NULL;
    S2_LIST_EACH(&sa->owner->sas, it) {
        if (sa_of(it) != sa && has_state(sa_of(it), state))
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
    loser->grace_at_ns = s2_after(loser->ike->now_ns, we_delete ? OURS_GRACE_NS : THEIRS_GRACE_NS);
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
    /* Whoever began phase 1 begins phase 2, if nothing has been taken over. */
    if (has_state(sa, S2_IKE1_STATE_UP) && sa->initiator && sa->child_count == 0)
        sa->want_child = true;
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
