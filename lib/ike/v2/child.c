/* SPDX-License-Identifier: Apache-2.0 */
/* Children: agreed, installed, replaced, taken down. Which exchange does it, and
 * who deletes what, is decided elsewhere. RFC 7296 sections 2.8, 2.9, 2.17, 3.3. */
#include "ike/v2/v2.h"

#include "base/text.h"

#define GRACE_NS (120 * S2_SECOND) /* for the peer to delete what it replaced */
#define RESERVED_SPIS 255          /* RFC 4303 section 2.1 */

/* ---- what we ask for */

s2svpn_status s2_ike_child_draw_spi(struct s2_ike_sa *sa, uint32_t *spi)
{
    *spi = sa->ike->ops.child_spi(sa->ike->user, sa->config->owner);
    if (*spi == 0)
        return s2_fail(sa->ike->env, S2SVPN_E_LIMIT, NULL, "no SPI for a child SA");
    return S2SVPN_OK;
}

static s2svpn_status make_offer(const struct s2_ike_sa *sa, const struct s2_ike_making *m,
                                bool with_ke, struct s2_ike_sa_payload *out)
{
    const struct s2_ike_terms terms = s2_ike_child_terms(sa, with_ke);
    uint8_t spi[4] = {0};

    s2_put_u32(spi, m->spi_in);
    return s2_ike_offer(&terms, s2_span(spi, sizeof(spi)), out);
}

s2svpn_status s2_ike_child_add_offer(struct s2_ike_sa *sa, struct s2_ike_compose *c,
                                     const struct s2_ike_making *m, bool with_ke)
{
    struct s2_ike_sa_payload offer;
    s2svpn_status rc = make_offer(sa, m, with_ke, &offer);

    if (rc == S2SVPN_OK)
        s2_ike_add_sa(c, &offer);
    return rc;
}

static void add_ts(struct s2_ike_compose *c, uint8_t payload, const struct s2_ike_ts_list *ts)
{
    s2_ike_payload_begin(c->chain, payload);
    s2_ike_write_ts(&c->w, ts);
    s2_ike_payload_end(c->chain);
}

void s2_ike_child_add_ts(struct s2_ike_compose *c, const struct s2_ike_making *m, bool initiator)
{
    add_ts(c, S2_IKE_PAYLOAD_TSI, initiator ? &m->local_ts : &m->remote_ts);
    add_ts(c, S2_IKE_PAYLOAD_TSR, initiator ? &m->remote_ts : &m->local_ts);
}

void s2_ike_child_add_answer(struct s2_ike_compose *c, const struct s2_ike_making *m)
{
    struct s2_ike_sa_payload chosen = {.count = 1, .proposal = {m->answer}};

    chosen.proposal[0].spi_len = 4;
    s2_put_u32(chosen.proposal[0].spi, m->spi_in);
    s2_ike_add_sa(c, &chosen);
}

void s2_ike_child_want_ts(const struct s2_ike_sa *sa, struct s2_ike_making *m)
{
    m->local_ts.count = m->remote_ts.count = 1;
    m->local_ts.item[0] = s2_ike_ts_of(&sa->config->local_net);
    m->remote_ts.item[0] = s2_ike_ts_of(&sa->config->remote_net);
}

/* ---- reading */

static s2svpn_status read_sa(const struct s2_ike_payloads *list, struct s2_ike_sa_payload *out)
{
    const struct s2_ike_payload *payload = s2_ike_find(list, S2_IKE_PAYLOAD_SA);
    struct s2_reader r;

    if (payload == NULL)
        return S2SVPN_E_MALFORMED;
    s2_reader_init(&r, payload->body.p, payload->body.len);
    return s2_ike_parse_sa(&r, out) == S2SVPN_OK ? S2SVPN_OK : S2SVPN_E_MALFORMED;
}

static s2svpn_status read_ts(const struct s2_ike_payloads *list, uint8_t type,
                             struct s2_ike_ts_list *out)
{
    const struct s2_ike_payload *payload = s2_ike_find(list, type);
    struct s2_reader r;

    if (payload == NULL)
        return S2SVPN_E_MALFORMED;
    s2_reader_init(&r, payload->body.p, payload->body.len);
    return s2_ike_parse_ts(&r, out) == S2SVPN_OK ? S2SVPN_OK : S2SVPN_E_MALFORMED;
}

static s2svpn_status read_spi(const struct s2_ike_proposal *p, uint32_t *out)
{
    const uint32_t spi = s2_get_u32(p->spi);

    if (p->spi_len != 4 || spi <= RESERVED_SPIS)
        return S2SVPN_E_MALFORMED;
    *out = spi;
    return S2SVPN_OK;
}

static void note_refused_offer(struct s2_ike_sa *sa, const struct s2_ike_sa_payload *offer)
{
    char words[160];

    s2_ike_print_offer(offer, words, sizeof(words));
    s2_ike_note(sa, "no common ESP proposal; the peer offers %s", words);
}

s2svpn_status s2_ike_child_check_request(struct s2_ike_sa *sa, const struct s2_ike_payloads *list,
                                         bool with_ke, struct s2_ike_making *m, uint16_t *error)
{
    const struct s2_ike_ts local = s2_ike_ts_of(&sa->config->local_net);
    const struct s2_ike_ts remote = s2_ike_ts_of(&sa->config->remote_net);
    const struct s2_ike_terms terms = s2_ike_child_terms(sa, with_ke);
    struct s2_ike_ts_list tsi, tsr;
    struct s2_ike_sa_payload offer;

    if (read_sa(list, &offer) != S2SVPN_OK ||
        read_ts(list, S2_IKE_PAYLOAD_TSI, &tsi) != S2SVPN_OK ||
        read_ts(list, S2_IKE_PAYLOAD_TSR, &tsr) != S2SVPN_OK)
        return S2SVPN_E_MALFORMED;
    *error = 0;
    if (s2_ike_choose(&terms, &offer, &m->suite, &m->answer) != S2SVPN_OK) {
        note_refused_offer(sa, &offer);
        *error = S2_IKE_N_NO_PROPOSAL_CHOSEN;
        return S2SVPN_OK;
    }
    s2svpn_status rc = read_spi(&m->answer, &m->spi_out);
    if (rc != S2SVPN_OK)
        return rc;
    if (!s2_ike_ts_narrow(&tsr, &local, &m->local_ts) ||
        !s2_ike_ts_narrow(&tsi, &remote, &m->remote_ts))
        *error = S2_IKE_N_TS_UNACCEPTABLE;
    else if (s2_ike_child_find_out(sa, m->spi_out) != NULL ||
             sa->child_count >= S2_IKE_CHILDREN_MAX)
        *error = S2_IKE_N_NO_ADDITIONAL_SAS;
    return S2SVPN_OK;
}

static bool all_inside(const struct s2svpn_prefix *net, const struct s2_ike_ts_list *list)
{
    const struct s2_ike_ts outer = s2_ike_ts_of(net);

    for (size_t i = 0; i < list->count; i++) {
        if (!s2_ike_ts_inside(&outer, &list->item[i]))
            return false;
    }
    return list->count > 0;
}

s2svpn_status s2_ike_child_check_answer(struct s2_ike_sa *sa, const struct s2_ike_payloads *list,
                                        bool with_ke, struct s2_ike_making *m)
{
    struct s2_ike_sa_payload offer, got;
    struct s2_ike_ts_list tsi, tsr;

    if (read_sa(list, &got) != S2SVPN_OK || read_ts(list, S2_IKE_PAYLOAD_TSI, &tsi) != S2SVPN_OK ||
        read_ts(list, S2_IKE_PAYLOAD_TSR, &tsr) != S2SVPN_OK)
        return S2SVPN_E_MALFORMED;
    s2svpn_status rc = make_offer(sa, m, with_ke, &offer);
    if (rc == S2SVPN_OK)
        rc = s2_ike_check_answer(&offer, &got, with_ke, &m->suite);
    if (rc == S2SVPN_OK)
        rc = read_spi(&got.proposal[0], &m->spi_out);
    if (rc != S2SVPN_OK)
        return rc;
    if (!all_inside(&sa->config->local_net, &tsi) || !all_inside(&sa->config->remote_net, &tsr))
        return S2SVPN_E_ARGUMENT;
    m->local_ts = tsi;
    m->remote_ts = tsr;
    return S2SVPN_OK;
}

/* ---- finding */

static struct s2_ike_child_sa *child_of(struct s2_link *it)
{
    return S2_CONTAINER(it, struct s2_ike_child_sa, link);
}

struct s2_ike_child_sa *s2_ike_child_find_in(const struct s2_ike_sa *sa, uint32_t spi_in)
{
    S2_LIST_EACH(&sa->children, it) {
        if (child_of(it)->spi_in == spi_in)
            return child_of(it);
    }
    return NULL;
}

struct s2_ike_child_sa *s2_ike_child_find_out(const struct s2_ike_sa *sa, uint32_t spi_out)
{
    S2_LIST_EACH(&sa->children, it) {
        if (child_of(it)->spi_out == spi_out)
            return child_of(it);
    }
    return NULL;
}

struct s2_ike_child_sa *s2_ike_child_current(const struct s2_ike_sa *sa)
{
    S2_LIST_EACH(&sa->children, it) {
        if (child_of(it)->state == S2_IKE_CHILD_CURRENT)
            return child_of(it);
    }
    return NULL;
}

/* ---- up, replaced, down */

static void describe(const struct s2_ike_sa *sa, const struct s2_ike_making *m, bool initiator,
                     bool moves, const struct s2_ike_child_keys *keys, struct s2_ike_child *out)
{
    struct s2_ike_path path;

    s2_ike_nat_child_path(sa, &path);
    *out = (struct s2_ike_child){
        .spi_in = m->spi_in,
        .spi_out = m->spi_out,
        .replaces = m->replaces,
        .initiator = moves,
        .lost = initiator && !moves,
        .encr = m->suite.encr,
        .key_bits = m->suite.key_bits,
        .integ = m->suite.integ,
        .ke = m->suite.ke,
        .esn = m->suite.esn,
        .encr_key_in = initiator ? keys->encr_r : keys->encr_i,
        .integ_key_in = initiator ? keys->integ_r : keys->integ_i,
        .encr_key_out = initiator ? keys->encr_i : keys->encr_r,
        .integ_key_out = initiator ? keys->integ_i : keys->integ_r,
        .local = path.local,
        .remote = path.remote,
        .local_ts_count = m->local_ts.count,
        .remote_ts_count = m->remote_ts.count,
        .lifetime_s = sa->config->child_lifetime_s,
    };
    for (size_t i = 0; i < m->local_ts.count; i++)
        out->local_ts[i] = m->local_ts.item[i];
    for (size_t i = 0; i < m->remote_ts.count; i++)
        out->remote_ts[i] = m->remote_ts.item[i];
}

/* The call may end the SA: then the child goes down as soon as it has come up. */
static bool call_up(struct s2_ike_sa *sa, struct s2_ike_child_sa *child,
                    const struct s2_ike_child *words)
{
    struct s2_ike *ike = sa->ike;
    void *owner = sa->config->owner;
    const bool up = ike->ops.child_up(ike->user, owner, words, ike->now_ns);

    if (sa->state != S2_IKE_STATE_DEAD && up) {
        child->state = S2_IKE_CHILD_REPLACED; /* until it is made current */
        s2_list_append(&sa->children, &child->link);
        sa->child_count++;
        return true;
    }
    s2_free(ike->env, child);
    if (up && !sa->forgotten)
        ike->ops.child_down(ike->user, owner, words->spi_in, sa->reason, ike->now_ns);
    return false;
}

struct s2_ike_child_sa *s2_ike_child_install(struct s2_ike_sa *sa, struct s2_ike_making *m,
                                             bool initiator, bool moves)
{
    struct s2_ike *ike = sa->ike;
    const s2svpn_span ours = s2_span(m->nonce, sizeof(m->nonce));
    const s2svpn_span theirs = s2_span(m->peer_nonce, m->peer_nonce_len);
    struct s2_ike_child_sa *child = s2_alloc(ike->env, sizeof(*child));
    struct s2_ike_child_keys keys = {0};
    struct s2_ike_child words;
    bool up = false;

    if (child == NULL || sa->child_count >= S2_IKE_CHILDREN_MAX ||
        s2_ike_derive_child(&ike->crypto, &sa->keys, &m->suite, s2_ike_kex_shared(m->kex),
                            initiator ? ours : theirs, initiator ? theirs : ours,
                            &keys) != S2SVPN_OK) {
        s2_free(ike->env, child);
        goto out;
    }
    child->spi_in = m->spi_in;
    child->spi_out = m->spi_out;
    child->rekey_at_ns = s2_ike_rekey_at(sa, sa->config->child_lifetime_s);
    child->expire_at_ns = s2_ike_expire_at(sa, sa->config->child_lifetime_s);
    child->delete_at_ns = S2SVPN_NEVER;
    describe(sa, m, initiator, moves, &keys, &words);
    m->taken = true; /* the SPI is vpn's from here on */
    up = call_up(sa, child, &words);
out:
    s2_wipe(&keys, sizeof(keys));
    return up ? child : NULL;
}

/* Never without a child for want of courage: the newest that nobody deletes. With IKEv1 the
 * peer may have deleted it, and that message was lost: so it is only until there is another. */
static void promote(struct s2_ike_sa *sa)
{
    struct s2_ike_child_sa *newest = NULL;

    if (s2_ike_child_current(sa) != NULL)
        return;
    S2_LIST_EACH(&sa->children, it) {
        if (child_of(it)->state == S2_IKE_CHILD_REPLACED)
            newest = child_of(it);
    }
    if (newest == NULL)
        return;
    newest->state = S2_IKE_CHILD_CURRENT;
    newest->delete_at_ns = S2SVPN_NEVER;
    newest->want_rekey = sa->v1 != NULL;
}

void s2_ike_child_remove(struct s2_ike_sa *sa, struct s2_ike_child_sa *child,
                         enum s2_ike_reason reason)
{
    struct s2_ike *ike = sa->ike;
    const uint32_t spi_in = child->spi_in;

    s2_list_remove(&child->link);
    sa->child_count--;
    s2_free(ike->env, child);
    promote(sa);
    s2_ike_touch(sa);
    ike->ops.child_down(ike->user, sa->config->owner, spi_in, reason, ike->now_ns);
}

struct s2_ike_child_sa *s2_ike_child_make_current(struct s2_ike_sa *sa,
                                                  struct s2_ike_child_sa *child)
{
    struct s2_ike_child_sa *former = s2_ike_child_current(sa);

    if (former == child)
        return NULL;
    if (former != NULL) {
        former->state = S2_IKE_CHILD_REPLACED;
        former->want_rekey = false;
        former->delete_at_ns = s2_after(sa->ike->now_ns, GRACE_NS);
    }
    child->state = S2_IKE_CHILD_CURRENT;
    child->delete_at_ns = S2SVPN_NEVER;
    return former;
}

void s2_ike_child_delete(struct s2_ike_sa *sa, struct s2_ike_child_sa *child,
                         enum s2_ike_reason reason)
{
    if (child->state == S2_IKE_CHILD_DELETING)
        return;
    child->state = S2_IKE_CHILD_DELETING;
    child->reason = (uint8_t)reason;
    child->asked = false;
    promote(sa);
    s2_ike_touch(sa);
}
