/* SPDX-License-Identifier: Apache-2.0 */
/* A rekeyed IKE SA: the new one, which inherits children, addresses and identities,
 * and the old one, which waits for its delete. RFC 7296 sections 2.8, 2.8.2, 2.18. */
#include "ike/v2/v2.h"

#include <string.h>

/* For the peer to delete what is its to delete: longer than it may take to learn of
 * our answer. */
#define GRACE_NS (120 * S2_SECOND)

static s2svpn_status derive(struct s2_ike_sa *sa, const struct s2_ike_making *m, bool initiator,
                            struct s2_ike_sa *heir)
{
    const s2svpn_span ours = s2_span(m->nonce, sizeof(m->nonce));
    const s2svpn_span theirs = s2_span(m->peer_nonce, m->peer_nonce_len);

    return s2_ike_derive_keys(&sa->ike->crypto, &m->suite, s2_ike_kex_shared(m->kex),
                              initiator ? ours : theirs, initiator ? theirs : ours,
                              s2_ike_spi_i(heir), s2_ike_spi_r(heir), &sa->keys, &heir->keys);
}

s2svpn_status s2_ike_heir_new(struct s2_ike_sa *sa, struct s2_ike_making *m, bool initiator,
                              struct s2_ike_sa **out)
{
    const s2svpn_span low = s2_ike_nonce_low(m);
    struct s2_ike_sa *heir;

    s2svpn_status rc = s2_ike_sa_new(sa->ike, initiator, m->spi_own, sa->config, &sa->path, &heir);
    if (rc != S2SVPN_OK)
        return rc;
    heir->spi_peer = m->spi_peer;
    rc = derive(sa, m, initiator, heir);
    if (rc == S2SVPN_OK)
        rc = s2_ike_sa_set_owner(heir, sa->config);
    if (rc != S2SVPN_OK) {
        s2_ike_sa_kill_silently(heir);
        return rc;
    }
    heir->keyed = true;
    heir->proved = initiator;
    heir->peer_id = sa->peer_id;
    heir->nat_local = sa->nat_local;
    heir->nat_remote = sa->nat_remote;
    heir->udp = sa->udp;
    heir->fragmentation = sa->fragmentation;
    memcpy(heir->low, low.p, S2_IKE_LOW_LEN);
    s2_ike_step(heir, S2_IKE_EVENT_INHERIT, NULL);
    *out = heir;
    return S2SVPN_OK;
}

enum s2_ike_step s2_ike_inherit(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    (void)packet;
    s2_ike_deadlines_start(sa);
    return S2_IKE_NEXT;
}

enum s2_ike_step s2_ike_hand_over(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    (void)packet;
    sa->rekey_at_ns = sa->expire_at_ns = S2SVPN_NEVER;
    sa->want_rekey = sa->want_child = sa->want_check = false;
    return S2_IKE_NEXT;
}

void s2_ike_heir_succeed(struct s2_ike_sa *sa, struct s2_ike_sa *heir, bool we_delete)
{
    const bool closing = sa->want_close;
    struct s2_link *it;

    sa->heir = heir->predecessor = NULL;
    while ((it = s2_list_take_first(&sa->children)) != NULL) {
        s2_list_append(&heir->children, it);
        heir->child_count++;
    }
    sa->child_count = 0;
    heir->want_child = sa->want_child || sa->child_at_ns != S2SVPN_NEVER;
    heir->grace_at_ns = S2SVPN_NEVER;
    s2_ike_step(sa, S2_IKE_EVENT_REPLACED, NULL);
    if (closing)
        s2_ike_sa_close(heir, sa->reason, sa->detail); /* the wish was for the tunnel */
    else if (!we_delete)
        sa->grace_at_ns = s2_after(sa->ike->now_ns, GRACE_NS);
    if (we_delete)
        s2_ike_sa_close(sa, S2_IKE_REASON_REPLACED, "");
    if (sa->announced)
        s2_ike_sa_announce(heir);
    s2_ike_touch(heir);
}

void s2_ike_heir_discard(struct s2_ike_sa *heir, bool we_delete)
{
    if (heir->predecessor != NULL)
        heir->predecessor->heir = NULL;
    heir->predecessor = NULL;
    if (we_delete)
        s2_ike_sa_close(heir, S2_IKE_REASON_REPLACED, "");
    else
        heir->grace_at_ns = s2_after(heir->ike->now_ns, GRACE_NS);
    s2_ike_touch(heir);
}

void s2_ike_heir_settle(struct s2_ike_sa *sa)
{
    if (sa->heir != NULL)
        s2_ike_heir_succeed(sa, sa->heir, false);
}
