/* SPDX-License-Identifier: Apache-2.0 */
/* Main mode as initiator: six messages, of which we send the first, third and fifth.
 * RFC 2409 section 5.4; RFC 3947 section 4 (the fifth goes to the other port). */
#include "ike/v1/v1.h"

#include <string.h>

static enum s2_ike1_step fail(struct s2_ike_sa *sa, s2svpn_status rc)
{
    const enum s2_ike_reason reason = rc == S2SVPN_E_MEMORY        ? S2_IKE_REASON_MEMORY
                                      : rc == S2SVPN_E_UNSUPPORTED ? S2_IKE_REASON_NO_PROPOSAL
                                                                   : S2_IKE_REASON_CRYPTO;

    s2_ike_sa_kill(sa, reason, s2svpn_status_text(rc));
    return S2_IKE1_ENDED;
}

/* What others sent in the peer's name must not end it: wait for the real one. */
static enum s2_ike1_step ignore(struct s2_ike_sa *sa, const char *why)
{
    s2_log(sa->ike->env, S2_LOG_DEBUG, "%s: main mode: %s",
           sa->config->name != NULL ? sa->config->name : "-", why);
    return S2_IKE1_IGNORED;
}

/* ---- the proposals */

enum s2_ike1_step s2_ike1_ask_sa(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    const struct s2_ike1_terms terms = s2_ike1_sa_terms(sa->ike, sa->config);
    struct s2_ike1_handshake *h = sa->v1->handshake;
    struct s2_ike1_sa_payload offer;
    struct s2_ike1_compose c;

    if (sa->config->aggressive)
        return s2_ike1_aggressive_begin(sa, packet);
    s2svpn_status rc = s2_random(sa->ike->env, h->nonce, sizeof(h->nonce));
    if (rc == S2SVPN_OK)
        rc = s2_ike1_offer(&terms, s2_span(NULL, 0), &offer, NULL);
    if (rc != S2SVPN_OK)
        return fail(sa, rc);
    s2_ike1_compose(&c, sa, S2_IKE1_MAIN, 0);
    s2_ike1_payload_begin(&c.chain, S2_IKE1_PAYLOAD_SA);
    const size_t body = c.w.len;
    s2_ike1_write_sa(&c.w, &offer);
    const size_t len = c.w.len - body;
    s2_ike1_payload_end(&c.chain);
    s2_ike1_add_vendors(sa, &c.chain);
    rc = s2_ike1_write_end(&c.w);
    if (rc == S2SVPN_OK)
        rc = s2_ike_bytes_set(sa->ike, &h->offer, c.bytes + body, len);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_out_set(sa, &sa->v1->out, &c, &sa->path, 0, true);
    return rc == S2SVPN_OK ? S2_IKE1_NEXT : fail(sa, rc);
}

static bool read_answer(struct s2_ike_sa *sa, const struct s2_ike1_packet *packet,
                        struct s2_ike1_suite *suite)
{
    const struct s2_ike1_payload *payload = s2_ike1_find(&packet->list, S2_IKE1_PAYLOAD_SA);
    const struct s2_ike1_terms terms = s2_ike1_sa_terms(sa->ike, sa->config);
    struct s2_ike1_sa_payload offer, got;
    struct s2_reader r;

    if (payload == NULL)
        return false;
    s2_reader_init(&r, payload->body.p, payload->body.len);
    return s2_ike1_parse_sa(&r, &got) == S2SVPN_OK &&
           s2_ike1_offer(&terms, s2_span(NULL, 0), &offer, NULL) == S2SVPN_OK &&
           s2_ike1_check_answer(&offer, &got, suite) == S2SVPN_OK;
}

enum s2_ike1_step s2_ike1_take_sa(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    struct s2_ike1_handshake *h = sa->v1->handshake;
    struct s2_ike1_suite suite;

    if (packet->h.cookie_r == 0)
        return ignore(sa, "an answer without a cookie");
    if (!read_answer(sa, packet, &suite))
        return ignore(sa, "the answer chooses what was not offered");
    s2svpn_status rc = s2_ike_kex_new(sa, suite.ke, &h->kex);
    if (rc != S2SVPN_OK)
        return fail(sa, rc);
    h->suite = suite;
    h->life_s = suite.life_s;
    sa->spi_peer = packet->h.cookie_r;
    s2_ike1_note_vendors(sa, &packet->list);
    sa->v1->out.waits = false;
    s2_ike_kex_start_public(h->kex);
    return S2_IKE1_NEXT;
}

/* ---- the public values */

enum s2_ike1_step s2_ike1_ask_ke(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    struct s2_ike1_compose c;

    (void)packet;
    s2_ike1_compose(&c, sa, S2_IKE1_MAIN, 0);
    s2svpn_status rc = s2_ike1_add_ke(sa, &c.chain, &sa->path);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_write_end(&c.w);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_out_set(sa, &sa->v1->out, &c, &sa->path, 0, true);
    return rc == S2SVPN_OK ? S2_IKE1_NEXT : fail(sa, rc);
}

enum s2_ike1_step s2_ike1_take_ke(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    struct s2_ike_kex *kex = sa->v1->handshake->kex;
    struct s2_ike1_ke_words words;

    if (s2_ike1_read_ke(sa, packet, &words) != S2SVPN_OK || words.value.len != kex->row->out_len)
        return ignore(sa, "malformed public value");
    s2_ike1_keep_ke(sa, packet, &words);
    sa->v1->out.waits = false; /* until it is known whether the value is one */
    if (s2_ike_kex_start_shared(kex, words.value) != S2SVPN_OK)
        return S2_IKE1_IGNORED; /* its length was checked */
    return S2_IKE1_NEXT;
}

enum s2_ike1_step s2_ike1_bad_value(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    const s2svpn_status result = sa->v1->handshake->kex->result;

    (void)packet;
    if (result != S2SVPN_E_ARGUMENT) {
        s2_ike_sa_kill(sa, S2_IKE_REASON_CRYPTO, s2svpn_status_text(result));
        return S2_IKE1_ENDED;
    }
    (void)ignore(sa, "the public value failed the checks");
    sa->nat_local = sa->nat_remote = sa->udp = false;
    sa->v1->out.waits = true;
    sa->v1->out.again_ns = s2_after(sa->ike->now_ns, s2_ike1_wait_ns(sa, sa->v1->out.tries));
    return S2_IKE1_OTHERWISE;
}

/* ---- the proof */

enum s2_ike1_step s2_ike1_ask_id(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    struct s2_ike1 *v1 = sa->v1;
    struct s2_ike1_compose c;

    (void)packet;
    v1->handshake->shared = true;
    sa->contact_ns = sa->ike->now_ns; /* the peer says it when it has seen this message */
    s2_ike_nat_switch(sa);
    s2svpn_status rc = s2_ike1_derive(sa, sa->config, &v1->keys, &v1->iv);
    if (rc != S2SVPN_OK)
        return fail(sa, rc);
    s2_ike1_compose(&c, sa, S2_IKE1_MAIN, 0);
    rc = s2_ike1_add_id(sa, &c.chain);
    if (rc != S2SVPN_OK)
        return fail(sa, rc);
    s2_ike1_add_initial_contact(sa, &c);
    rc = s2_ike1_seal(&c.w, &sa->ike->crypto, &v1->keys, &v1->iv);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_out_set(sa, &v1->out, &c, &sa->path, 0, true);
    return rc == S2SVPN_OK ? S2_IKE1_NEXT : fail(sa, rc);
}

/* A wrong hash may be the work of somebody on the way, who has turned bits of the right
 * one: the real one can still come. If it doesn't, the wrong one is the reason. */
enum s2_ike1_step s2_ike1_take_id(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    struct s2_ike1 *v1 = sa->v1;
    char words[S2_IKE_DETAIL_SIZE];
    struct s2_ike_id id;

    s2svpn_status rc = s2_ike1_check_id(sa, &v1->keys, &packet->list, &id);
    if (rc == S2SVPN_E_AUTHENTICATION) {
        v1->handshake->bad_proof = true;
        return ignore(sa, "the peer's proof is wrong");
    }
    if (rc != S2SVPN_OK)
        return ignore(sa, "the sixth message is no ID and HASH");
    if (sa->config->remote_id.type != S2_IKE_ID_NONE &&
        !s2_ike_id_equal(&sa->config->remote_id, &id)) {
        v1->iv = packet->next;
        s2_ike1_send_delete(sa, 0); /* for the peer it is up */
        s2_ike_sa_kill(sa, S2_IKE_REASON_IDENTITY, s2_ike_id_print(&id, words, sizeof(words)));
        return S2_IKE1_ENDED;
    }
    sa->peer_id = id;
    v1->iv = packet->next;
    v1->out.waits = false;
    s2_ike1_read_last(sa, &packet->list);
    return S2_IKE1_NEXT;
}

/* ---- refusals, which prove nothing */

/* As IKEv2's: without a proposal in common it is better to say so at once. Anything
 * else is remembered in case that no answer comes. */
enum s2_ike1_step s2_ike1_hint(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    const struct s2_ike1_payload *p = s2_ike1_find_nth(&packet->list, S2_IKE1_PAYLOAD_NOTIFY, 0);
    struct s2_ike1_handshake *h = sa->v1->handshake;
    struct s2_ike1_notify_payload n;
    struct s2_reader r;

    if ((packet->h.flags & S2_IKE1_FLAG_ENCRYPTED) != 0 && !h->unreadable) {
        h->unreadable = true;
        s2_ike_note(sa, "the peer answers with what our key does not open: "
                        "check the pre-shared key");
    }
    if (p == NULL)
        return sa->state == S2_IKE_STATE_DEAD ? S2_IKE1_ENDED : S2_IKE1_IGNORED;
    s2_reader_init(&r, p->body.p, p->body.len);
    if (s2_ike1_parse_notify(&r, &n) != S2SVPN_OK || n.type >= S2_IKE1_N_CONNECTED)
        return S2_IKE1_IGNORED;
    const bool proposed =
        sa->v1->state == S2_IKE1_STATE_ASK_SA || sa->v1->state == S2_IKE1_STATE_AGGR_KE;
    if (proposed && n.type == S2_IKE1_N_NO_PROPOSAL_CHOSEN) {
        s2_ike_sa_kill(sa, S2_IKE_REASON_NO_PROPOSAL, "the peer wants none of the IKE proposals");
        return S2_IKE1_ENDED;
    }
    const bool first = h->refusal == 0;
    h->refusal = n.type;
    if (first) /* once is enough for who can read the log, and for a forger */
        s2_ike_note(sa, "the peer answers %s, without proof%s", s2_ike1_notify_name(n.type),
                    sa->v1->state == S2_IKE1_STATE_ASK_ID ? ": check the pre-shared key" : "");
    return sa->state == S2_IKE_STATE_DEAD ? S2_IKE1_ENDED : S2_IKE1_STAY;
}

/* ---- another one */

void s2_ike1_renew(struct s2_ike_sa *sa)
{
    struct s2_ike *ike = sa->ike;
    struct s2_ike_sa *fresh;

    if (s2_ike_sa_new(ike, true, 0, sa->config, &sa->path, &fresh) != S2SVPN_OK)
        return; /* it is tried again */
    if (s2_ike1_attach(fresh) != S2SVPN_OK || s2_ike_sa_set_owner(fresh, sa->config) != S2SVPN_OK) {
        s2_ike_sa_kill_silently(fresh);
        return;
    }
    s2_ike1_step(fresh, S2_IKE1_EVENT_START, NULL);
}
