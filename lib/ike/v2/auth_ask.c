/* SPDX-License-Identifier: Apache-2.0 */
/* IKE_AUTH as initiator, and the AUTH payload of both sides by pre-shared key; by
 * certificate: auth_certificate.c, and jobs before the request and after the response.
 * RFC 7296 sections 1.2, 2.15, 2.21.2. */
#include "ike/v2/v2.h"

#include <string.h>

#include "base/text.h"

/* ---- AUTH */

void s2_ike_auth_octets(const struct s2_ike_sa *sa, bool of_initiator, s2svpn_span *message,
                        s2svpn_span *nonce)
{
    const struct s2_ike_handshake *h = sa->handshake;
    const struct s2_ike_making *m = &h->making;
    const struct s2_ike_bytes *bytes = of_initiator ? &h->message_i : &h->message_r;
    const bool ours = of_initiator == sa->initiator;

    *message = s2_span(bytes->p, bytes->len);
    *nonce = ours ? s2_span(m->peer_nonce, m->peer_nonce_len) : s2_span(m->nonce, sizeof(m->nonce));
}

s2svpn_status s2_ike_auth_compute(struct s2_ike_sa *sa, bool of_initiator,
                                  const struct s2_ike_id *id, uint8_t out[S2SVPN_PRF_MAX])
{
    s2svpn_span message, nonce;

    s2_ike_auth_octets(sa, of_initiator, &message, &nonce);
    return s2_ike_auth_psk(&sa->ike->crypto, &sa->keys, of_initiator,
                           s2_secret_span(&sa->config->psk), message, nonce, id, out);
}

s2svpn_status s2_ike_auth_read(const struct s2_ike_payloads *list, struct s2_ike_auth_payload *out)
{
    const struct s2_ike_payload *payload = s2_ike_find(list, S2_IKE_PAYLOAD_AUTH);
    struct s2_reader r;

    if (payload == NULL)
        return S2SVPN_E_MALFORMED;
    s2_reader_init(&r, payload->body.p, payload->body.len);
    return s2_ike_parse_auth(&r, out);
}

s2svpn_status s2_ike_auth_verify(struct s2_ike_sa *sa, const struct s2_ike_payloads *list,
                                 const struct s2_ike_id *peer_id)
{
    uint8_t expected[S2SVPN_PRF_MAX];
    struct s2_ike_auth_payload auth;

    s2svpn_status rc = s2_ike_auth_read(list, &auth);
    if (rc != S2SVPN_OK)
        return rc;
    if (auth.method != S2_IKE_AUTH_PSK)
        return S2SVPN_E_UNSUPPORTED;
    if (sa->config->psk.len == 0 || auth.data.len != sa->keys.prf->out_len)
        return S2SVPN_E_AUTHENTICATION;
    rc = s2_ike_auth_compute(sa, !sa->initiator, peer_id, expected);
    if (rc == S2SVPN_OK && !s2_equal_ct(expected, auth.data.p, auth.data.len))
        rc = S2SVPN_E_AUTHENTICATION;
    s2_wipe(expected, sizeof(expected));
    return rc;
}

s2svpn_status s2_ike_auth_add(struct s2_ike_sa *sa, struct s2_ike_compose *c)
{
    const struct s2_ike_handshake *h = sa->handshake;
    const struct s2_ike_proof *proof = h->proof;
    uint8_t mac[S2SVPN_PRF_MAX];
    s2svpn_status rc = S2SVPN_OK;

    if (proof == NULL)
        rc = s2_ike_auth_compute(sa, sa->initiator, &h->our_id, mac);
    if (rc != S2SVPN_OK)
        return rc;
    s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_AUTH);
    if (proof != NULL)
        s2_ike_write_auth(&c->w, proof->sign.method, s2_span(proof->auth, proof->job.out_len));
    else
        s2_ike_write_auth(&c->w, S2_IKE_AUTH_PSK, s2_span(mac, sa->keys.prf->out_len));
    s2_ike_payload_end(c->chain);
    s2_wipe(mac, sizeof(mac));
    return S2SVPN_OK;
}

struct s2_ike_id s2_ike_own_id(const struct s2_ike_sa *sa)
{
    const struct s2_ike_config *config = sa->config;

    if (config->local_id.type != S2_IKE_ID_NONE)
        return config->local_id;
    if (s2_ike_by_certificate(config) && sa->handshake->credentials != NULL)
        return sa->handshake->credentials->id;
    return s2_ike_id_of(&config->local.address);
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

    s2svpn_status rc = s2_ike_compose_auth(c, sa);
    if (rc != S2SVPN_OK)
        return rc;
    s2_ike_add_id(c, S2_IKE_PAYLOAD_IDI, &h->our_id);
    if (h->proof != NULL) {
        s2_ike_add_certificates(c, h->credentials);
        s2_ike_add_certreq(c, h->credentials);
    }
    if (h->initial_contact)
        s2_ike_add_notify(c, S2_IKE_N_INITIAL_CONTACT, s2_span(NULL, 0));
    if (sa->config->remote_id.type != S2_IKE_ID_NONE)
        s2_ike_add_id(c, S2_IKE_PAYLOAD_IDR, &sa->config->remote_id);
    rc = s2_ike_auth_add(sa, c);
    if (rc == S2SVPN_OK)
        rc = s2_ike_child_add_offer(sa, c, &h->making, false);
    if (rc == S2SVPN_OK) {
        s2_ike_child_add_ts(c, &h->making, true);
        s2_ike_add_window(c, sa);
    }
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

static enum s2_ike_step give_up(struct s2_ike_sa *sa, s2svpn_status rc)
{
    s2_ike_sa_kill(sa, reason_of(rc), s2svpn_status_text(rc));
    return S2_IKE_ENDED;
}

static enum s2_ike_step send_request(struct s2_ike_sa *sa)
{
    struct s2_ike_compose c;
    s2svpn_status rc = compose(sa, &c);

    if (rc == S2SVPN_OK)
        rc = s2_ike_send_request(sa, &c, S2_IKE_AUTH);
    s2_ike_bytes_clear(sa->ike, &sa->handshake->room);
    return rc == S2SVPN_OK ? S2_IKE_NEXT : give_up(sa, rc);
}

enum s2_ike_step s2_ike_auth_send(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    struct s2_ike_handshake *h = sa->handshake;

    (void)packet;
    /* What was sent last is what the peer authenticates with. */
    h->message_i = sa->request.bytes;
    sa->request.bytes = (struct s2_ike_bytes){0};
    s2_ike_request_done(sa);
    s2svpn_status rc = derive(sa);
    if (rc == S2SVPN_OK) {
        s2_ike_nat_switch(sa);
        h->our_id = s2_ike_own_id(sa);
        h->initial_contact = s2_ike_find_up(sa->ike, sa->config->owner) == NULL;
        s2_ike_child_want_ts(sa, &h->making);
        rc = s2_ike_child_draw_spi(sa, &h->making.spi_in);
    }
    if (sa->state == S2_IKE_STATE_DEAD)
        return S2_IKE_ENDED;
    if (rc == S2SVPN_OK && !s2_ike_by_certificate(sa->config))
        return send_request(sa);
    if (rc == S2SVPN_OK)
        rc = s2_ike_proof_sign(sa);
    return rc == S2SVPN_OK ? S2_IKE_WAIT : give_up(sa, rc);
}

enum s2_ike_step s2_ike_auth_signed(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    s2svpn_status rc = s2_ike_certificate_room(sa);

    (void)packet;
    return rc == S2SVPN_OK ? send_request(sa) : give_up(sa, rc);
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

static enum s2_ike_step malformed(struct s2_ike_sa *sa)
{
    return disagree(sa, S2_IKE_REASON_SYNTAX, "in the IKE_AUTH response");
}

/* It couldn't be found out whether the proof is right. */
static enum s2_ike_step undecided(struct s2_ike_sa *sa, s2svpn_status rc)
{
    return disagree(sa, rc == S2SVPN_E_MEMORY ? S2_IKE_REASON_MEMORY : S2_IKE_REASON_CRYPTO,
                    s2svpn_status_text(rc));
}

static enum s2_ike_step check_id(struct s2_ike_sa *sa, const struct s2_ike_id *id)
{
    char words[S2_IKE_DETAIL_SIZE];

    if (sa->config->remote_id.type == S2_IKE_ID_NONE || s2_ike_id_equal(&sa->config->remote_id, id))
        return S2_IKE_NEXT;
    return disagree(sa, S2_IKE_REASON_IDENTITY, s2_ike_id_print(id, words, sizeof(words)));
}

static enum s2_ike_step check_psk(struct s2_ike_sa *sa, const struct s2_ike_payloads *list,
                                  const struct s2_ike_id *id)
{
    const s2svpn_status rc = s2_ike_auth_verify(sa, list, id);

    if (rc == S2SVPN_E_AUTHENTICATION)
        return disagree(sa, S2_IKE_REASON_AUTHENTICATION, "the peer's proof is wrong");
    if (rc == S2SVPN_E_UNSUPPORTED)
        return disagree(sa, S2_IKE_REASON_AUTHENTICATION, "the peer doesn't use one");
    if (rc == S2SVPN_E_MALFORMED || rc == S2SVPN_E_LIMIT)
        return malformed(sa);
    return rc == S2SVPN_OK ? check_id(sa, id) : undecided(sa, rc);
}

/* The message is held: the job borrows from it, and the rest of it is read later. */
static enum s2_ike_step check_certificate(struct s2_ike_sa *sa, const struct s2_ike_packet *packet,
                                          const struct s2_ike_id *id)
{
    struct s2_ike_handshake *h = sa->handshake;
    struct s2_ike_payloads list;
    const char *why = NULL;

    enum s2_ike_step step = check_id(sa, id);
    if (step != S2_IKE_NEXT)
        return step;
    if (packet->inner.len > S2_IKE_HELD_MAX)
        return disagree(sa, S2_IKE_REASON_LIMIT, "the peer's certificates are too long");
    s2svpn_status rc = s2_ike_bytes_set(sa->ike, &h->held, packet->inner.p, packet->inner.len);
    if (rc != S2SVPN_OK)
        return undecided(sa, rc);
    h->held_inner = s2_span(h->held.p, h->held.len);
    h->held_first = packet->inner_first;
    rc = s2_ike_read_chain(h->held_inner, h->held_first, &list);
    if (rc == S2SVPN_OK)
        rc = s2_ike_certificate_check(sa, &list, id, &why);
    if (why != NULL)
        return disagree(sa, S2_IKE_REASON_CERTIFICATE, why);
    if (rc == S2SVPN_E_MALFORMED)
        return malformed(sa);
    return rc == S2SVPN_OK ? S2_IKE_WAIT : undecided(sa, rc);
}

/* The peer is who it is to be: what about the child? */
static enum s2_ike_step take_answer(struct s2_ike_sa *sa, const struct s2_ike_payloads *list,
                                    const struct s2_ike_notifies *says, const struct s2_ike_id *id)
{
    struct s2_ike_handshake *h = sa->handshake;

    if (says->error != 0)
        return refused_child(sa, says->error);
    h->making.suite = (struct s2_ike_suite){0};
    s2svpn_status rc = s2_ike_child_check_answer(sa, list, false, &h->making);
    if (rc == S2SVPN_E_NOT_FOUND)
        return disagree(sa, S2_IKE_REASON_NO_PROPOSAL, "the peer chose what was not offered");
    if (rc == S2SVPN_E_ARGUMENT)
        return disagree(sa, S2_IKE_REASON_TS_UNACCEPTABLE, "the peer's are wider than ours");
    if (rc != S2SVPN_OK)
        return malformed(sa);
    sa->peer_id = *id;
    sa->proved = true;
    return S2_IKE_NEXT;
}

enum s2_ike_step s2_ike_auth_response(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    struct s2_ike_notifies says;
    struct s2_ike_id id;

    if (s2_ike_read_notifies(&packet->list, &says) != S2SVPN_OK)
        return malformed(sa);
    if (says.error != 0 && s2_ike_find(&packet->list, S2_IKE_PAYLOAD_AUTH) == NULL)
        return refused(sa, says.error);
    if (read_peer_id(&packet->list, &id) != S2SVPN_OK)
        return malformed(sa);
    if (s2_ike_by_certificate(sa->config))
        return check_certificate(sa, packet, &id);
    const enum s2_ike_step step = check_psk(sa, &packet->list, &id);
    return step == S2_IKE_NEXT ? take_answer(sa, &packet->list, &says, &id) : step;
}

enum s2_ike_step s2_ike_auth_verified(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    const struct s2_ike_handshake *h = sa->handshake;
    struct s2_ike_payloads list;
    struct s2_ike_notifies says;

    (void)packet;
    if (s2_ike_read_chain(h->held_inner, h->held_first, &list) != S2SVPN_OK ||
        s2_ike_read_notifies(&list, &says) != S2SVPN_OK)
        return malformed(sa);
    if (says.window > 0)
        sa->peer_window = says.window;
    return take_answer(sa, &list, &says, &h->proof->id);
}

enum s2_ike_step s2_ike_auth_unverified(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    const struct s2_ike_proof *proof = sa->handshake->proof;

    (void)packet;
    if (proof->result != S2SVPN_E_AUTHENTICATION)
        (void)undecided(sa, proof->result);
    else
        (void)disagree(sa, S2_IKE_REASON_CERTIFICATE, s2_ike_certificate_why(proof));
    return S2_IKE_NEXT;
}
