/* SPDX-License-Identifier: Apache-2.0 */
/* IKE_AUTH as initiator, the AUTH payload of both sides, and what happens when an
 * IKE SA comes up. RFC 7296 sections 1.2, 2.15, 2.21.2. */
#include "ike/v2/v2.h"

#include <string.h>

#include "base/text.h"

/* ---- AUTH */

s2svpn_status s2_ike_auth_compute(struct s2_ike_sa *sa, bool of_initiator,
                                  const struct s2_ike_id *id, uint8_t out[S2SVPN_PRF_MAX])
{
    const struct s2_ike_handshake *h = sa->handshake;
    const struct s2_ike_making *m = &h->making;
    const struct s2_ike_bytes *message = of_initiator ? &h->message_i : &h->message_r;
    const bool ours = of_initiator == sa->initiator;
    /* The other side's nonce goes in, section 2.15. */
    const s2svpn_span nonce =
        ours ? s2_span(m->peer_nonce, m->peer_nonce_len) : s2_span(m->nonce, sizeof(m->nonce));

    return s2_ike_auth_psk(&sa->ike->crypto, &sa->keys, of_initiator,
                           s2_secret_span(&sa->config->psk), s2_span(message->p, message->len),
                           nonce, id, out);
}

s2svpn_status s2_ike_auth_verify(struct s2_ike_sa *sa, const struct s2_ike_payloads *list,
                                 const struct s2_ike_id *peer_id)
{
    const struct s2_ike_payload *payload = s2_ike_find(list, S2_IKE_PAYLOAD_AUTH);
    uint8_t expected[S2SVPN_PRF_MAX];
    struct s2_ike_auth_payload auth;
    struct s2_reader r;

    if (payload == NULL)
        return S2SVPN_E_MALFORMED;
    s2_reader_init(&r, payload->body.p, payload->body.len);
    s2svpn_status rc = s2_ike_parse_auth(&r, &auth);
    if (rc != S2SVPN_OK)
        return rc;
    if (auth.method != S2_IKE_AUTH_PSK || sa->config->psk.len == 0 ||
        auth.data.len != sa->keys.prf->out_len)
        return S2SVPN_E_AUTHENTICATION;
    rc = s2_ike_auth_compute(sa, !sa->initiator, peer_id, expected);
    if (rc == S2SVPN_OK && !s2_equal_ct(expected, auth.data.p, auth.data.len))
        rc = S2SVPN_E_AUTHENTICATION;
    s2_wipe(expected, sizeof(expected));
    return rc;
}

/* ---- our request */

static s2svpn_status derive(struct s2_ike_sa *sa)
{
    struct s2_ike_making *m = &sa->handshake->making;
    s2svpn_status rc = s2_ike_derive_keys(
        &sa->ike->crypto, &m->suite, s2_ike_kex_shared(m->kex), s2_span(m->nonce, sizeof(m->nonce)),
        s2_span(m->peer_nonce, m->peer_nonce_len), sa->spi_own, sa->spi_peer, NULL, &sa->keys);

    if (rc != S2SVPN_OK)
        return rc;
    sa->keyed = true;
    s2_ike_kex_free(sa, &m->kex);
    return S2SVPN_OK;
}

static s2svpn_status compose(struct s2_ike_sa *sa, struct s2_ike_compose *c)
{
    struct s2_ike_handshake *h = sa->handshake;
    uint8_t auth[S2SVPN_PRF_MAX];

    s2svpn_status rc = s2_ike_compose_request(c, sa, S2_IKE_AUTH);
    if (rc == S2SVPN_OK)
        rc = s2_ike_auth_compute(sa, true, &h->our_id, auth);
    if (rc != S2SVPN_OK)
        return rc;
    s2_ike_add_id(c, S2_IKE_PAYLOAD_IDI, &h->our_id);
    if (h->initial_contact)
        s2_ike_add_notify(c, S2_IKE_N_INITIAL_CONTACT, s2_span(NULL, 0));
    if (sa->config->remote_id.type != S2_IKE_ID_NONE)
        s2_ike_add_id(c, S2_IKE_PAYLOAD_IDR, &sa->config->remote_id);
    s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_AUTH);
    s2_ike_write_auth(&c->w, S2_IKE_AUTH_PSK, s2_span(auth, sa->keys.prf->out_len));
    s2_ike_payload_end(c->chain);
    rc = s2_ike_child_add_offer(sa, c, &h->making, false);
    if (rc == S2SVPN_OK) {
        s2_ike_child_add_ts(c, &h->making, true);
        s2_ike_add_window(c, sa);
    }
    s2_wipe(auth, sizeof(auth));
    return rc;
}

static enum s2_ike_reason reason_of(s2svpn_status rc)
{
    switch (rc) {
    case S2SVPN_E_MEMORY:
        return S2_IKE_REASON_MEMORY;
    case S2SVPN_E_LIMIT:
        return S2_IKE_REASON_LIMIT;
    case S2SVPN_E_UNSUPPORTED:
        return S2_IKE_REASON_NO_PROPOSAL;
    default:
        return S2_IKE_REASON_CRYPTO;
    }
}

enum s2_ike_step s2_ike_auth_send(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    struct s2_ike_handshake *h = sa->handshake;
    const struct s2_ike_config *config = sa->config;
    struct s2_ike_compose c;

    (void)packet;
    /* What was sent last is what the peer authenticates with. */
    h->message_i = sa->request.bytes;
    sa->request.bytes = (struct s2_ike_bytes){0};
    s2_ike_request_done(sa);
    s2svpn_status rc = derive(sa);
    if (rc == S2SVPN_OK) {
        s2_ike_nat_switch(sa);
        h->our_id = config->local_id.type != S2_IKE_ID_NONE ? config->local_id
                                                            : s2_ike_id_of(&config->local.address);
        h->initial_contact = s2_ike_find_up(sa->ike, config->owner) == NULL;
        s2_ike_child_want_ts(sa, &h->making);
        rc = s2_ike_child_draw_spi(sa, &h->making.spi_in);
    }
    if (sa->state == S2_IKE_STATE_DEAD)
        return S2_IKE_ENDED;
    if (rc == S2SVPN_OK)
        rc = compose(sa, &c);
    if (rc == S2SVPN_OK)
        rc = s2_ike_send_request(sa, &c, S2_IKE_AUTH);
    if (rc == S2SVPN_OK)
        return S2_IKE_NEXT;
    s2_ike_sa_kill(sa, reason_of(rc), s2svpn_status_text(rc));
    return S2_IKE_ENDED;
}

/* ---- the answer */

/* The peer refused the SA itself: there is nothing to close. */
static enum s2_ike_step refused(struct s2_ike_sa *sa, uint16_t error)
{
    switch (error) {
    case S2_IKE_N_AUTHENTICATION_FAILED:
        s2_ike_sa_kill(sa, S2_IKE_REASON_PEER_AUTHENTICATION, "");
        break;
    case S2_IKE_N_NO_PROPOSAL_CHOSEN:
        s2_ike_sa_kill(sa, S2_IKE_REASON_NO_PROPOSAL, "the peer wants none of the proposals");
        break;
    default:
        s2_ike_sa_kill(sa, S2_IKE_REASON_PEER_ERROR, s2_ike_notify_name(error));
    }
    return S2_IKE_ENDED;
}

/* The peer believes that the SA is up; it isn't for us, and the peer is told. */
static enum s2_ike_step disagree(struct s2_ike_sa *sa, enum s2_ike_reason reason,
                                 const char *detail)
{
    sa->reason = (uint8_t)reason;
    s2_copy_text(sa->detail, sizeof(sa->detail), detail);
    s2_ike_handshake_free(sa);
    return S2_IKE_OTHERWISE;
}

static enum s2_ike_step refused_child(struct s2_ike_sa *sa, uint16_t error)
{
    switch (error) {
    case S2_IKE_N_TS_UNACCEPTABLE:
        return disagree(sa, S2_IKE_REASON_TS_UNACCEPTABLE, "the peer refuses ours");
    case S2_IKE_N_NO_PROPOSAL_CHOSEN:
        return disagree(sa, S2_IKE_REASON_NO_PROPOSAL, "the peer wants none of the ESP proposals");
    default:
        return disagree(sa, S2_IKE_REASON_PEER_ERROR, s2_ike_notify_name(error));
    }
}

static s2svpn_status read_peer_id(const struct s2_ike_payloads *list, struct s2_ike_id *out)
{
    const struct s2_ike_payload *payload = s2_ike_find(list, S2_IKE_PAYLOAD_IDR);
    struct s2_reader r;

    if (payload == NULL)
        return S2SVPN_E_MALFORMED;
    s2_reader_init(&r, payload->body.p, payload->body.len);
    return s2_ike_parse_id(&r, out);
}

static enum s2_ike_step authenticate(struct s2_ike_sa *sa, const struct s2_ike_payloads *list,
                                     struct s2_ike_id *id)
{
    char words[S2_IKE_DETAIL_SIZE];
    s2svpn_status rc = read_peer_id(list, id);

    if (rc == S2SVPN_OK)
        rc = s2_ike_auth_verify(sa, list, id);
    if (rc == S2SVPN_E_AUTHENTICATION)
        return disagree(sa, S2_IKE_REASON_AUTHENTICATION, "the peer's proof is wrong");
    if (rc == S2SVPN_E_MALFORMED || rc == S2SVPN_E_LIMIT)
        return disagree(sa, S2_IKE_REASON_SYNTAX, "in the IKE_AUTH response");
    if (rc != S2SVPN_OK)
        return disagree(sa, S2_IKE_REASON_CRYPTO, s2svpn_status_text(rc));
    if (sa->config->remote_id.type != S2_IKE_ID_NONE &&
        !s2_ike_id_equal(&sa->config->remote_id, id))
        return disagree(sa, S2_IKE_REASON_IDENTITY, s2_ike_id_print(id, words, sizeof(words)));
    return S2_IKE_NEXT;
}

enum s2_ike_step s2_ike_auth_response(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    struct s2_ike_handshake *h = sa->handshake;
    struct s2_ike_notifies says;
    struct s2_ike_id id;

    if (s2_ike_read_notifies(&packet->list, &says) != S2SVPN_OK)
        return disagree(sa, S2_IKE_REASON_SYNTAX, "in the IKE_AUTH response");
    if (says.error != 0 && s2_ike_find(&packet->list, S2_IKE_PAYLOAD_AUTH) == NULL)
        return refused(sa, says.error);
    const enum s2_ike_step step = authenticate(sa, &packet->list, &id);
    if (step != S2_IKE_NEXT)
        return step;
    if (says.error != 0)
        return refused_child(sa, says.error);
    h->making.suite = (struct s2_ike_suite){0};
    s2svpn_status rc = s2_ike_child_check_answer(sa, &packet->list, false, &h->making);
    if (rc == S2SVPN_E_NOT_FOUND)
        return disagree(sa, S2_IKE_REASON_NO_PROPOSAL, "the peer chose what was not offered");
    if (rc == S2SVPN_E_ARGUMENT)
        return disagree(sa, S2_IKE_REASON_TS_UNACCEPTABLE, "the peer's are wider than ours");
    if (rc != S2SVPN_OK)
        return disagree(sa, S2_IKE_REASON_SYNTAX, "in the IKE_AUTH response");
    sa->peer_id = id;
    sa->proved = true;
    return S2_IKE_NEXT;
}
