/* SPDX-License-Identifier: Apache-2.0 */
/* Two IKE SAs for one owner. They come of both sides starting at once, or of a peer
 * that lost its state. The rule, the same at both ends, in the manner of RFC 7296
 * section 2.8.2:
 *
 *   The SA whose IKE_SA_INIT (or rekey) held the lowest of the four nonces is closed
 *   by its initiator, once the other one has answered since both are up.
 *
 * So the survivor is known to work before the other one goes, at most one side
 * closes at most one SA, and an SA that the peer has forgotten dies of its own
 * silence: while there are two, each is asked for a sign of life of its own.
 * INITIAL_CONTACT (section 2.4) speaks of SAs that were up when the
 * initiator sent it; one that came up while it was on its way isn't meant.
 *
 * An owner may have SAs of both versions, where one came up late. IKEv1's go as soon as
 * IKEv2's has a child and has answered since all of them are up, at both ends alike: which
 * of them is the newer, the ends may see differently. One that the peer has forgotten
 * doesn't answer, and dies. */
#include "ike/v2/v2.h"

#include <string.h>

static struct s2_ike_sa *sa_of(struct s2_link *it)
{
    return S2_CONTAINER(it, struct s2_ike_sa, owner_link);
}

static struct s2_ike_sa *find_forgotten(const struct s2_ike_sa *sa)
{
    S2_LIST_EACH(&sa->owner->sas, it) {
        struct s2_ike_sa *other = sa_of(it);

        if (other != sa && s2_ike_state_is_up(other->state) &&
            other->established_ns < sa->contact_ns)
            return other;
    }
    return NULL;
}

void s2_ike_twins_initial_contact(struct s2_ike_sa *sa)
{
    struct s2_ike_sa *other;

    while (sa->state != S2_IKE_STATE_DEAD && (other = find_forgotten(sa)) != NULL)
        s2_ike_sa_kill(other, S2_IKE_REASON_INITIAL_CONTACT, "");
}

static bool takes_part(const struct s2_ike_sa *sa)
{
    return sa->state == S2_IKE_STATE_UP && sa->announced && !sa->want_close && sa->v1 == NULL;
}

bool s2_ike_has_twin(const struct s2_ike_sa *sa)
{
    if (sa->owner == NULL || sa->owner->count < 2 || !takes_part(sa))
        return false;
    S2_LIST_EACH(&sa->owner->sas, it) {
        if (sa_of(it) != sa && takes_part(sa_of(it)))
            return true;
    }
    return false;
}

static void settle(struct s2_ike_sa *a, struct s2_ike_sa *b)
{
    const bool a_low = memcmp(a->low, b->low, S2_IKE_LOW_LEN) < 0;
    struct s2_ike_sa *loser = a_low ? a : b, *winner = a_low ? b : a;
    const uint64_t both_up =
        a->established_ns > b->established_ns ? a->established_ns : b->established_ns;

    if (!loser->initiator)
        return; /* the peer's to close */
    if (winner->proved && winner->last_in_ns > both_up) {
        s2_ike_sa_close(loser, S2_IKE_REASON_REPLACED, "both sides had started one");
    } else if (!winner->want_check && winner->request.bytes.p == NULL) {
        winner->want_check = true;
        s2_ike_touch(winner);
    }
}

static void outlive_v1(struct s2_ike_sa *sa, struct s2_ike_sa *v1)
{
    const uint64_t both_up =
        v1->established_ns > sa->established_ns ? v1->established_ns : sa->established_ns;

    if (sa->proved && sa->last_in_ns > both_up) {
        if (s2_ike_child_current(sa) != NULL)
            s2_ike_sa_close(v1, S2_IKE_REASON_REPLACED, "the peer speaks IKEv2");
    } else if (!sa->want_check && sa->request.bytes.p == NULL) {
        sa->want_check = true;
        s2_ike_touch(sa);
    }
}

void s2_ike_twins_review(struct s2_ike_sa *sa)
{
    if (sa->owner == NULL || sa->owner->count < 2 || !takes_part(sa))
        return;
    S2_LIST_EACH(&sa->owner->sas, it) {
        struct s2_ike_sa *other = sa_of(it);

        if (other->v1 != NULL && s2_ike_state_is_up(other->state))
            outlive_v1(sa, other);
        if (other == sa || !takes_part(other) || !takes_part(sa))
            continue;
        s2_ike_deadlines_arm(other); /* it had none of its own to check for */
        settle(sa, other);
    }
}
