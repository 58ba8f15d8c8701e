/* SPDX-License-Identifier: Apache-2.0 */
/* Children of IKEv1: installed, made current, taken down. RFC 2409 section 5.5, RFC 2408
 * section 3.15.
 *
 * Two quick modes at once, one of each side, are no error and would give two children, of
 * which each end might delete the other's choice. So both must agree which one is newer
 * without a word about it: a quick mode has its place in the order when its initiator
 * takes the second message and when its responder takes the first. That order is the same
 * at both ends, unless each side's first message arrived while its own was unanswered;
 * then the one with the lower message id gives its own up (s2_ike1_child_yield). The
 * newest that is complete is current; what it replaces, its initiator deletes. */
#include "ike/v1/v1.h"

#define SETTLE_NS (2 * S2_SECOND) /* then the third message has got there, or its second copy */
#define OURS_GRACE_NS (10 * S2_SECOND)    /* then we delete what we have replaced */
#define THEIRS_GRACE_NS (120 * S2_SECOND) /* then we delete what the peer has */

static struct s2_ike1_child *child_of(struct s2_link *it)
{
    return S2_CONTAINER(it, struct s2_ike1_child, base.link);
}

struct s2_ike1_child *s2_ike1_child_find(const struct s2_ike_sa *sa, uint32_t spi_in)
{
    S2_LIST_EACH(&sa->children, it) {
        if (spi_in != 0 && child_of(it)->base.spi_in == spi_in)
            return child_of(it);
    }
    return NULL;
}

/* ---- the order */

uint32_t s2_ike1_child_place(const struct s2_ike_sa *sa)
{
    return ++sa->owner->children_made;
}

void s2_ike1_child_yield(struct s2_ike_sa *sa, const struct s2_ike1_quick *theirs)
{
    S2_LIST_EACH(&sa->owner->sas, it) {
        const struct s2_ike_sa *other = S2_CONTAINER(it, struct s2_ike_sa, owner_link);
        struct s2_ike1_quick *ours = other->v1 != NULL ? s2_ike1_quick_ours(other) : NULL;

        if (ours != NULL && ours->message_id < theirs->message_id)
            s2_ike1_quick_step(ours, S2_IKE1_QUICK_ON_YIELD, NULL);
    }
}

static const struct s2_ike1_child *find_newer(const struct s2_ike_sa *sa,
                                              const struct s2_ike1_child *child)
{
    S2_LIST_EACH(&sa->children, it) {
        const struct s2_ike1_child *other = child_of(it);

        if (other->complete && other->order > child->order)
            return other;
    }
    return NULL;
}

/* ---- installing */

static s2svpn_status derive(struct s2_ike1_quick *q, struct s2_ike1_child_keys *in,
                            struct s2_ike1_child_keys *out)
{
    const struct s2_ike_making *m = q->making;
    const struct s2_ike_crypto *crypto = &q->sa->ike->crypto;
    const struct s2_ike1_keys *keys = &q->sa->v1->keys;
    const s2svpn_span ours = s2_span(m->nonce, sizeof(m->nonce));
    const s2svpn_span theirs = s2_span(m->peer_nonce, m->peer_nonce_len);
    const s2svpn_span ni = q->initiator ? ours : theirs, nr = q->initiator ? theirs : ours;
    const s2svpn_span shared = s2_ike_kex_shared(m->kex);

    s2svpn_status rc = s2_ike1_derive_child(crypto, keys, &q->suite, m->spi_in, shared, ni, nr, in);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_derive_child(crypto, keys, &q->suite, m->spi_out, shared, ni, nr, out);
    return rc;
}

static void describe(const struct s2_ike1_quick *q, bool lost, const struct s2_ike1_child_keys *in,
                     const struct s2_ike1_child_keys *out, struct s2_ike_child *words)
{
    const struct s2_ike_making *m = q->making;
    struct s2_ike_path path;

    s2_ike_nat_child_path(q->sa, &path);
    *words = (struct s2_ike_child){
        .spi_in = m->spi_in,
        .spi_out = m->spi_out,
        .replaces = m->replaces,
        .initiator = false, /* outbound waits: s2_ike1_child_settle_by_time */
        .lost = q->initiator && lost,
        .encr = q->suite.encr,
        .key_bits = q->suite.key_bits,
        .integ = q->suite.integ,
        .ke = q->suite.ke,
        .encr_key_in = in->encr,
        .integ_key_in = in->integ,
        .encr_key_out = out->encr,
        .integ_key_out = out->integ,
        .local = path.local,
        .remote = path.remote,
        .local_ts = {m->local_ts.item[0]},
        .remote_ts = {m->remote_ts.item[0]},
        .local_ts_count = 1,
        .remote_ts_count = 1,
        .lifetime_s = q->life_s,
        .lifetime_kb = q->life_kb,
    };
}

/* The call may end the SA, or move its children: then the child goes where they are, or
 * down as soon as it has come up. */
static bool call_up(struct s2_ike1_quick *q, struct s2_ike1_child *child,
                    const struct s2_ike_child *words)
{
    struct s2_ike_sa *sa = q->sa;
    struct s2_ike *ike = sa->ike;
    void *owner = sa->config->owner;
    const bool up = ike->ops.child_up(ike->user, owner, words, ike->now_ns);

    if (sa->state != S2_IKE_STATE_DEAD && up) {
        struct s2_ike_sa *home = s2_ike1_home(sa);

        child->base.state = S2_IKE_CHILD_REPLACED; /* until it is made current */
        s2_list_append(&home->children, &child->base.link);
        home->child_count++;
        s2_ike_touch(home);
        return true;
    }
    s2_free(ike->env, child);
    if (up && !sa->forgotten)
        ike->ops.child_down(ike->user, owner, words->spi_in, sa->reason, ike->now_ns);
    return false;
}

/* One that is replaced needn't wait for its delete if there are so many. */
static void make_room(struct s2_ike_sa *sa)
{
    struct s2_ike1_child *oldest = NULL;

    if (sa->child_count < S2_IKE1_CHILDREN_MAX)
        return;
    S2_LIST_EACH(&sa->children, it) {
        if (oldest == NULL && child_of(it)->complete &&
            child_of(it)->base.state == S2_IKE_CHILD_REPLACED)
            oldest = child_of(it);
    }
    if (oldest != NULL)
        s2_ike1_child_delete(sa, &oldest->base, S2_IKE_REASON_REPLACED);
}

s2svpn_status s2_ike1_child_install(struct s2_ike1_quick *q)
{
    struct s2_ike_sa *sa = q->sa, *home = s2_ike1_home(sa);
    struct s2_ike_making *m = q->making;
    struct s2_ike1_child *child = s2_alloc(sa->ike->env, sizeof(*child));
    struct s2_ike1_child_keys in = {0}, out = {0};
    struct s2_ike_child words;
    s2svpn_status rc = S2SVPN_E_MEMORY;

    if (child == NULL)
        return rc;
    make_room(home);
    if (sa->state == S2_IKE_STATE_DEAD)
        goto fail;
    rc = home->child_count < S2_IKE1_CHILDREN_MAX ? derive(q, &in, &out) : S2SVPN_E_LIMIT;
    if (rc != S2SVPN_OK)
        goto fail;
    child->base.spi_in = m->spi_in;
    child->base.spi_out = m->spi_out;
    child->base.rekey_at_ns = s2_ike_rekey_at(sa, q->life_s);
    child->base.expire_at_ns = s2_ike_expire_at(sa, q->life_s);
    /* If the exchange is never completed, whatever becomes of its SA. */
    child->base.delete_at_ns = s2_after(sa->ike->now_ns, S2_IKE1_LINGER_NS);
    child->settled_ns = q->initiator ? s2_after(sa->ike->now_ns, SETTLE_NS) : S2SVPN_NEVER;
    child->order = q->order;
    child->ke = q->suite.ke;
    child->initiator = q->initiator;
    describe(q, find_newer(home, child) != NULL, &in, &out, &words);
    m->taken = true; /* the SPI is vpn's from here on */
    q->child = m->spi_in;
    if (!call_up(q, child, &words)) {
        q->child = 0;
        rc = S2SVPN_E_LIMIT;
    }
    child = NULL;
fail:
    s2_free(sa->ike->env, child);
    s2_wipe(&in, sizeof(in));
    s2_wipe(&out, sizeof(out));
    return rc;
}

/* ---- which one is current */

static void retire(struct s2_ike_sa *sa, struct s2_ike1_child *child, bool ours)
{
    child->base.state = S2_IKE_CHILD_REPLACED;
    child->base.want_rekey = false;
    child->base.delete_at_ns = s2_after(sa->ike->now_ns, ours ? OURS_GRACE_NS : THEIRS_GRACE_NS);
}

/* The third message has a race with what follows it, and a responder may install its child
 * only then (strongSwan does): what overtook it would be lost. So the initiator goes on with
 * the old child until the peer's first packet on the new one, or for a while. */
void s2_ike1_child_settle_by_time(struct s2_ike_sa *sa, struct s2_ike1_child *child)
{
    struct s2_ike *ike = sa->ike;

    child->settled_ns = S2SVPN_NEVER;
    ike->ops.child_settled(ike->user, sa->config->owner, child->base.spi_in, ike->now_ns);
}

void s2_ike1_child_settle(struct s2_ike_sa *sa, uint32_t spi_in)
{
    struct s2_ike1_child *child = s2_ike1_child_find(sa, spi_in);
    struct s2_ike_child_sa *former = s2_ike_child_current(sa);

    if (child == NULL)
        return; /* deleted meanwhile */
    child->complete = true;
    s2_ike_touch(sa);
    const struct s2_ike1_child *newer = find_newer(sa, child);
    if (newer != NULL) { /* this one's messages were late */
        retire(sa, child, newer->initiator);
        return;
    }
    if (!child->initiator) /* its initiator has it: outbound may move at once */
        child->settled_ns = sa->ike->now_ns;
    if (former == &child->base)
        return;
    if (former != NULL)
        retire(sa, S2_CONTAINER(former, struct s2_ike1_child, base), child->initiator);
    child->base.state = S2_IKE_CHILD_CURRENT;
    child->base.delete_at_ns = S2SVPN_NEVER;
}

/* Under every phase 1 SA that there is: the peer may look for the child in the one that
 * made it, or in the one that it moved it to. */
void s2_ike1_child_delete(struct s2_ike_sa *sa, struct s2_ike_child_sa *child,
                          enum s2_ike_reason reason)
{
    S2_LIST_EACH(&sa->owner->sas, it) {
        struct s2_ike_sa *other = S2_CONTAINER(it, struct s2_ike_sa, owner_link);

        if (other->v1 != NULL && s2_ike_state_is_up(other->state))
            s2_ike1_send_delete(other, child->spi_in);
    }
    s2_ike_child_remove(sa, child, reason);
}
