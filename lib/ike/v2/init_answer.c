/* SPDX-License-Identifier: Apache-2.0 */
/* IKE_SA_INIT as responder: nothing is kept before the request is one that we would
 * answer, and of Diffie-Hellman only the public value is computed; the shared secret
 * waits for IKE_AUTH. RFC 7296 sections 1.2, 2.6, 2.7, 2.23. */
#include "ike/v2/v2.h"

#include <string.h>

#include "base/address.h"
#include "base/text.h"

#define REQUEST_MAX 8192            /* kept for AUTH, so it has a limit */
#define PLAIN_NOTE_GAP_NS S2_SECOND /* log lines that strangers can cause, engine-wide */

/* A first message, read. */
struct request {
    struct s2_ike_sa_payload offer;
    struct s2_ike_ke_payload ke;
    struct s2_ike_making nonce; /* its peer_nonce */
    struct s2_ike_notifies says;
    /* what is chosen */
    const struct s2_ike_config *config;
    struct s2_ike_credentials *credentials; /* of the first tunnel that has any; NULL: none */
    struct s2_ike_suite suite;
    struct s2_ike_proposal answer;
    bool returned; /* with a cookie of ours */
};

static s2svpn_status read_request(const struct s2_ike_packet *packet, struct request *out)
{
    const struct s2_ike_payload *sa = s2_ike_find(&packet->list, S2_IKE_PAYLOAD_SA);
    struct s2_reader r;

    if (sa == NULL || packet->len > REQUEST_MAX)
        return S2SVPN_E_MALFORMED;
    s2_reader_init(&r, sa->body.p, sa->body.len);
    s2svpn_status rc = s2_ike_parse_sa(&r, &out->offer);
    if (rc == S2SVPN_OK)
        rc = s2_ike_read_ke(&packet->list, &out->ke);
    if (rc == S2SVPN_OK)
        rc = s2_ike_read_nonce(&packet->list, &out->nonce);
    if (rc == S2SVPN_OK)
        rc = s2_ike_read_notifies(&packet->list, &out->says);
    return rc;
}

static s2svpn_span nonce_of(const struct request *q)
{
    return s2_span(q->nonce.peer_nonce, q->nonce.peer_nonce_len);
}

/* Over the threshold an initiator must show that it receives, before we do any
 * arithmetic for it, section 2.6. */
static bool cookie_satisfied(struct s2_ike *ike, const struct s2_ike_packet *packet,
                             struct request *q)
{
    const s2svpn_address *remote = &packet->path.remote.address;
    uint8_t cookie[S2_IKE_COOKIE_LEN];

    if (q->says.cookie.len > 0)
        q->returned = s2_ike_cookie_check(ike, q->says.cookie, nonce_of(q), remote,
                                          packet->h.spi_i) == S2SVPN_OK;
    if (q->returned || ike->counters.half_open < ike->options.limits.cookie_threshold)
        return true;
    if (s2_ike_cookie_make(ike, nonce_of(q), remote, packet->h.spi_i, cookie) == S2SVPN_OK) {
        ike->counters.cookies_sent++;
        s2_ike_send_plain_notify(ike, packet, S2_IKE_N_COOKIE, s2_span(cookie, sizeof(cookie)));
    }
    return false;
}

/* The first of the tunnels, in the order in which vpn names them, that has a suite in
 * common with the peer. Which one it really is, IKE_AUTH says. */
static bool choose(struct s2_ike *ike, const struct s2_ike_config *const *candidate, size_t n,
                   struct request *q)
{
    for (size_t i = 0; i < n; i++) {
        const struct s2_ike_terms terms = s2_ike_sa_terms(ike, candidate[i]);

        if (s2_ike_choose(&terms, &q->offer, &q->suite, &q->answer) == S2SVPN_OK) {
            q->config = candidate[i];
            return true;
        }
    }
    return false;
}

static void trace_stranger(struct s2_ike *ike, const struct s2_ike_packet *packet,
                           const struct s2_ike_config *config, enum s2_ike_trace_kind kind,
                           uint16_t error)
{
    s2_ike_trace_for(ike, config, &packet->path.remote,
                     (struct s2_ike_trace){.kind = (uint8_t)kind,
                                           .version = 2,
                                           .half = true,
                                           .exchange = S2_IKE_SA_INIT,
                                           .error = error});
}

/* Whichever tunnel it will be: one that goes by certificates must have said so by now. */
static void find_credentials(const struct s2_ike_config *const *candidate, size_t n,
                             struct request *q)
{
    for (size_t i = 0; i < n && q->credentials == NULL; i++) {
        if (s2_ike_by_certificate(candidate[i]))
            q->credentials = candidate[i]->credentials;
    }
}

static void refuse_proposals(struct s2_ike *ike, const struct s2_ike_packet *packet,
                             const struct s2_ike_config *config, const struct request *q)
{
    char words[160], text[256];

    trace_stranger(ike, packet, config, S2_IKE_TRACE_REFUSED, S2_IKE_N_NO_PROPOSAL_CHOSEN);
    s2_ike_send_plain_notify(ike, packet, S2_IKE_N_NO_PROPOSAL_CHOSEN, s2_span(NULL, 0));
    if (ike->now_ns < ike->plain_note_at_ns || ike->ops.note == NULL)
        return;
    ike->plain_note_at_ns = s2_after(ike->now_ns, PLAIN_NOTE_GAP_NS);
    s2_ike_print_offer(&q->offer, words, sizeof(words));
    s2_print(text, sizeof(text), "no common IKE proposal; the peer offers %s", words);
    ike->ops.note(ike->user, config->owner, text, ike->now_ns);
}

static s2svpn_status fill(struct s2_ike_sa *sa, const struct s2_ike_packet *packet,
                          const struct request *q)
{
    struct s2_ike *ike = sa->ike;
    struct s2_ike_handshake *h = s2_alloc(ike->env, sizeof(*h));

    if (h == NULL)
        return S2SVPN_E_MEMORY;
    sa->handshake = h;
    sa->spi_peer = packet->h.spi_i;
    h->making.suite = q->suite;
    h->making.answer = q->answer;
    memcpy(h->making.peer_nonce, q->nonce.peer_nonce, q->nonce.peer_nonce_len);
    h->making.peer_nonce_len = q->nonce.peer_nonce_len;
    s2_ike_handshake_use(h, q->credentials);
    h->peer_hashes = q->says.hashes;
    sa->fragmentation = !ike->options.no_fragmentation && q->says.fragmentation;
    h->nat_supported = s2_ike_nat_wanted(sa) && q->says.nat_source && q->says.nat_destination;
    s2svpn_status rc = s2_random(ike->env, h->making.nonce, sizeof(h->making.nonce));
    if (rc == S2SVPN_OK)
        rc = s2_ike_bytes_set(ike, &h->message_i, packet->p, packet->len);
    if (rc == S2SVPN_OK)
        rc = s2_ike_nat_detect(sa, packet, &sa->nat_local, &sa->nat_remote);
    if (rc == S2SVPN_OK)
        rc = s2_ike_kex_new(sa, q->suite.ke, &h->making.kex);
    if (rc != S2SVPN_OK)
        return rc;
    if (q->ke.value.len != h->making.kex->row->out_len)
        return S2SVPN_E_MALFORMED;
    memcpy(h->making.kex->peer_value, q->ke.value.p, q->ke.value.len);
    sa->nat_local = sa->nat_local && h->nat_supported;
    sa->nat_remote = sa->nat_remote && h->nat_supported;
    sa->udp = h->nat_supported && (sa->nat_local || sa->nat_remote || sa->config->force_udp);
    return S2SVPN_OK;
}

static enum s2svpn_drop accept(struct s2_ike *ike, const struct s2_ike_packet *packet,
                               const struct request *q)
{
    struct s2_ike_sa *sa;

    if (!s2_ike_make_room(ike, q->returned))
        return S2SVPN_DROP_IKE_LIMIT;
    if (s2_ike_sa_new(ike, false, 0, q->config, &packet->path, &sa) != S2SVPN_OK)
        return S2SVPN_DROP_IKE_LIMIT;
    s2svpn_status rc = fill(sa, packet, q);
    if (rc == S2SVPN_OK)
        rc = s2_table_insert(&ike->by_init, &sa->init_node,
                             s2_ike_hash_init(ike, sa->spi_peer, &packet->path.remote));
    if (rc != S2SVPN_OK) {
        s2_ike_sa_kill_silently(sa);
        return rc == S2SVPN_E_MALFORMED ? S2SVPN_DROP_IKE_MALFORMED : S2SVPN_DROP_IKE_LIMIT;
    }
    sa->by_init = true;
    s2_ike_trace(sa,
                 (struct s2_ike_trace){.kind = S2_IKE_TRACE_PROCESSED, .exchange = S2_IKE_SA_INIT});
    sa->returned = q->returned;
    s2_ike_step(sa, S2_IKE_EVENT_RX_INIT_REQUEST, packet);
    return S2SVPN_DROP_NONE;
}

static enum s2svpn_drop answer(struct s2_ike *ike, const struct s2_ike_packet *packet,
                               struct request *q)
{
    const struct s2_ike_config *candidate[S2_IKE_CANDIDATES_MAX];
    const size_t n = ike->ops.candidates(ike->user, &packet->path.local, &packet->path.remote,
                                         candidate, S2_IKE_CANDIDATES_MAX);
    size_t awake = 0;

    for (size_t i = 0; i < n && i < S2_IKE_CANDIDATES_MAX; i++) {
        if (!candidate[i]->mute && s2_ike_allows(candidate[i], S2_IKE_ALLOW_V2))
            candidate[awake++] = candidate[i];
    }
    if (awake == 0)
        return n > 0 && !candidate[0]->mute ? S2SVPN_DROP_IKE_VERSION : S2SVPN_DROP_IKE_NO_TUNNEL;
    if (!cookie_satisfied(ike, packet, q)) {
        trace_stranger(ike, packet, candidate[0], S2_IKE_TRACE_COOKIE, 0);
        return S2SVPN_DROP_NONE;
    }
    if (!choose(ike, candidate, awake, q)) {
        refuse_proposals(ike, packet, candidate[0], q);
        return S2SVPN_DROP_NONE;
    }
    if (q->ke.group != q->suite.ke) {
        uint8_t group[2] = {0};

        s2_put_u16(group, q->suite.ke);
        trace_stranger(ike, packet, q->config, S2_IKE_TRACE_REFUSED, S2_IKE_N_INVALID_KE_PAYLOAD);
        s2_ike_send_plain_notify(ike, packet, S2_IKE_N_INVALID_KE_PAYLOAD, s2_span(group, 2));
        return S2SVPN_DROP_NONE;
    }
    find_credentials(candidate, awake, q);
    return accept(ike, packet, q);
}

enum s2svpn_drop s2_ike_init_receive(struct s2_ike *ike, const struct s2_ike_packet *packet)
{
    const struct s2_ike_sa *mirrored = s2_ike_find_spi(ike, packet->h.spi_i);
    struct s2_ike_sa *known = s2_ike_find_init(ike, packet->h.spi_i, &packet->path.remote);
    struct request q = {0};

    /* Our own message thrown back at us: the SPI is ours and so is the place. */
    if (mirrored != NULL && mirrored->initiator &&
        s2_endpoint_equal(&mirrored->path.local, &packet->path.local))
        return S2SVPN_DROP_IKE_STATE;
    if (known != NULL) {
        if (known->state != S2_IKE_STATE_HALF_OPEN || known->response.request_hash != packet->hash)
            return S2SVPN_DROP_IKE_STATE;
        s2_ike_resend(known, &known->response, &packet->path);
        return S2SVPN_DROP_NONE;
    }
    if (read_request(packet, &q) != S2SVPN_OK)
        return S2SVPN_DROP_IKE_MALFORMED;
    return answer(ike, packet, &q);
}

/* ---- actions */

enum s2_ike_step s2_ike_init_accept(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    sa->asked.busy = true;
    sa->asked.hash = packet->hash;
    sa->asked.path = packet->path;
    s2_ike_kex_start_public(sa->handshake->making.kex);
    return S2_IKE_NEXT;
}

static s2svpn_status compose(struct s2_ike_sa *sa, struct s2_ike_compose *c)
{
    const struct s2_ike_making *m = &sa->handshake->making;
    const struct s2_ike_header header = {
        .spi_i = sa->spi_peer,
        .spi_r = sa->spi_own,
        .version = S2_IKE_VERSION_2,
        .exchange = S2_IKE_SA_INIT,
        .flags = S2_IKE_FLAG_RESPONSE,
    };
    const struct s2_ike_sa_payload chosen = {.count = 1, .proposal = {m->answer}};

    s2_ike_compose_plain(c, &header);
    s2_ike_add_sa(c, &chosen);
    s2_ike_add_ke(c, m->kex);
    s2_ike_add_bytes(c, S2_IKE_PAYLOAD_NONCE, s2_span(m->nonce, sizeof(m->nonce)));
    if (sa->fragmentation)
        s2_ike_add_notify(c, S2_IKE_N_IKEV2_FRAGMENTATION_SUPPORTED, s2_span(NULL, 0));
    if (sa->handshake->credentials != NULL) {
        s2_ike_add_hashes(c);
        s2_ike_add_certreq(c, sa->handshake->credentials);
    }
    if (!sa->handshake->nat_supported)
        return S2SVPN_OK;
    return s2_ike_nat_add(sa, c, &sa->asked.path, sa->spi_own);
}

enum s2_ike_step s2_ike_init_answer(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    struct s2_ike_handshake *h = sa->handshake;
    struct s2_ike_compose c;
    s2svpn_status rc = compose(sa, &c);

    (void)packet;
    if (rc == S2SVPN_OK)
        rc = s2_ike_send_response(sa, &c);
    if (rc == S2SVPN_OK)
        rc = s2_ike_bytes_set(sa->ike, &h->message_r, c.bytes, c.w.len);
    if (rc == S2SVPN_OK)
        return S2_IKE_NEXT;
    s2_ike_sa_kill(sa, S2_IKE_REASON_MEMORY, "");
    return S2_IKE_ENDED;
}
