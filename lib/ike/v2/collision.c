/* SPDX-License-Identifier: Apache-2.0 */
/* What happens when both sides do something at once, as tables, and the nonces that
 * decide it. RFC 7296 sections 2.8.1, 2.8.2, 2.25.1, 2.25.2. */
#include "ike/v2/v2.h"

#include <string.h>

/* The peer asks for [kind] while our outstanding request does [ours]. Deletes are
 * not here: they are always answered. */
static const uint8_t by_ours[S2_IKE_REKEY_IKE + 1][S2_IKE_OURS_COUNT] = {
    [S2_IKE_MAKE_CHILD] =
        {
            [S2_IKE_OURS_NOTHING] = S2_IKE_ACCEPT,
            [S2_IKE_OURS_CHECK] = S2_IKE_ACCEPT,
            [S2_IKE_OURS_MAKE_CHILD] = S2_IKE_COLLIDE,
            [S2_IKE_OURS_REKEY_CHILD] = S2_IKE_COLLIDE,
            [S2_IKE_OURS_DELETE_CHILD] = S2_IKE_ACCEPT,
            [S2_IKE_OURS_REKEY_IKE] = S2_IKE_BUSY,
            [S2_IKE_OURS_CLOSE_IKE] = S2_IKE_BUSY,
        },
    [S2_IKE_REKEY_CHILD] =
        {
            [S2_IKE_OURS_NOTHING] = S2_IKE_ACCEPT,
            [S2_IKE_OURS_CHECK] = S2_IKE_ACCEPT,
            [S2_IKE_OURS_MAKE_CHILD] = S2_IKE_COLLIDE,
            [S2_IKE_OURS_REKEY_CHILD] = S2_IKE_COLLIDE,
            [S2_IKE_OURS_DELETE_CHILD] = S2_IKE_ACCEPT,
            [S2_IKE_OURS_REKEY_IKE] = S2_IKE_BUSY,
            [S2_IKE_OURS_CLOSE_IKE] = S2_IKE_BUSY,
        },
    [S2_IKE_REKEY_IKE] =
        {
            [S2_IKE_OURS_NOTHING] = S2_IKE_ACCEPT,
            [S2_IKE_OURS_CHECK] = S2_IKE_ACCEPT,
            [S2_IKE_OURS_MAKE_CHILD] = S2_IKE_BUSY,
            [S2_IKE_OURS_REKEY_CHILD] = S2_IKE_BUSY,
            [S2_IKE_OURS_DELETE_CHILD] = S2_IKE_BUSY,
            [S2_IKE_OURS_REKEY_IKE] = S2_IKE_COLLIDE,
            [S2_IKE_OURS_CLOSE_IKE] = S2_IKE_BUSY,
        },
};

/* The child that the peer wants to rekey is [child]. One that it doesn't know to be
 * replaced or deleted will soon be; ACCEPT leaves it to the table above. */
static const uint8_t by_child[S2_IKE_CHILD_IS_COUNT] = {
    [S2_IKE_CHILD_IS_UNKNOWN] = S2_IKE_MISSING,
    [S2_IKE_CHILD_IS_CURRENT] = S2_IKE_ACCEPT,
    [S2_IKE_CHILD_IS_REPLACED] = S2_IKE_BUSY,
    [S2_IKE_CHILD_IS_DELETING] = S2_IKE_BUSY,
};

enum s2_ike_ours s2_ike_ours(const struct s2_ike_sa *sa)
{
    if (sa->request.bytes.p == NULL)
        return S2_IKE_OURS_NOTHING;
    if (sa->state == S2_IKE_STATE_CLOSING)
        return S2_IKE_OURS_CLOSE_IKE;
    if (sa->asking != NULL && sa->asking->state == S2_IKE_MAKING_SENT) {
        switch (sa->asking->kind) {
        case S2_IKE_REKEY_IKE:
            return S2_IKE_OURS_REKEY_IKE;
        case S2_IKE_REKEY_CHILD:
            return S2_IKE_OURS_REKEY_CHILD;
        default:
            return S2_IKE_OURS_MAKE_CHILD;
        }
    }
    S2_LIST_EACH(&sa->children, it) {
        const struct s2_ike_child_sa *child = S2_CONTAINER(it, struct s2_ike_child_sa, link);

        if (child->state == S2_IKE_CHILD_DELETING && child->asked)
            return S2_IKE_OURS_DELETE_CHILD;
    }
    return S2_IKE_OURS_CHECK;
}

enum s2_ike_child_is s2_ike_child_is(const struct s2_ike_child_sa *child)
{
    if (child == NULL)
        return S2_IKE_CHILD_IS_UNKNOWN;
    switch (child->state) {
    case S2_IKE_CHILD_CURRENT:
        return S2_IKE_CHILD_IS_CURRENT;
    case S2_IKE_CHILD_REPLACED:
        return S2_IKE_CHILD_IS_REPLACED;
    default:
        return S2_IKE_CHILD_IS_DELETING;
    }
}

enum s2_ike_verdict s2_ike_judge(enum s2_ike_making_kind kind, enum s2_ike_ours ours,
                                 enum s2_ike_child_is child)
{
    const uint8_t verdict = by_ours[kind][ours];

    if (kind != S2_IKE_REKEY_CHILD || verdict == S2_IKE_BUSY)
        return verdict;
    /* A child that we don't know may be the one whose answer is still on its way. */
    if (child == S2_IKE_CHILD_IS_UNKNOWN && verdict == S2_IKE_COLLIDE)
        return S2_IKE_BUSY;
    return by_child[child] != S2_IKE_ACCEPT ? by_child[child] : verdict;
}

int s2_ike_nonce_compare(s2svpn_span a, s2svpn_span b)
{
    const int order = memcmp(a.p, b.p, a.len < b.len ? a.len : b.len);

    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

s2svpn_span s2_ike_nonce_low(const struct s2_ike_making *m)
{
    const s2svpn_span ours = s2_span(m->nonce, sizeof(m->nonce));
    const s2svpn_span theirs = s2_span(m->peer_nonce, m->peer_nonce_len);

    return s2_ike_nonce_compare(ours, theirs) < 0 ? ours : theirs;
}

void s2_ike_collide(struct s2_ike_making *ours, const struct s2_ike_making *theirs)
{
    const s2svpn_span low = s2_ike_nonce_low(theirs);

    ours->collided = true;
    memcpy(ours->rival_low, low.p, low.len);
    ours->rival_low_len = (uint16_t)low.len;
}

bool s2_ike_lost(const struct s2_ike_making *ours)
{
    return s2_ike_nonce_compare(s2_ike_nonce_low(ours),
                                s2_span(ours->rival_low, ours->rival_low_len)) < 0;
}
