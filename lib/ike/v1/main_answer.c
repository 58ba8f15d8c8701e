/* SPDX-License-Identifier: Apache-2.0 */
/* Main mode as responder. The first message costs a bounded block of memory; our public
 * value is computed when the peer has shown with our cookie that it receives; the shared
 * secret when the fifth message is there. Whose peer it is, the pre-shared key tells.
 * RFC 2409 section 5.4. */
#include "ike/v1/v1.h"

#include <string.h>

#include "base/text.h"

#define REQUEST_MAX 8192            /* its SA payload is kept for the hashes */
#define PLAIN_NOTE_GAP_NS S2_SECOND /* log lines that strangers can cause, engine-wide */

static enum s2_ike1_step fail(struct s2_ike_sa *sa)
{
    s2_ike_sa_kill(sa, S2_IKE_REASON_MEMORY, "");
    return S2_IKE1_ENDED;
}

static bool may_note(struct s2_ike *ike)
{
    if (ike->now_ns < ike->plain_note_at_ns || ike->ops.note == NULL)
        return false;
    ike->plain_note_at_ns = s2_after(ike->now_ns, PLAIN_NOTE_GAP_NS);
    return true;
}

/* ---- the first message */

struct request {
    s2svpn_span body; /* of the SA payload */
    struct s2_ike1_sa_payload offer, answer;
    struct s2_ike1_suite suite;
    const struct s2_ike_config *candidate[S2_IKE_CANDIDATES_MAX];
    uint8_t candidates;
};

/* The first tunnel that has a suite in common decides it; those that would decide
 * likewise may be meant as well. */
static bool choose(struct s2_ike *ike, const struct s2_ike_config *const *candidate, size_t n,
                   struct request *q)
{
    for (size_t i = 0; i < n; i++) {
        const struct s2_ike1_terms terms = s2_ike1_sa_terms(ike, candidate[i]);
        struct s2_ike1_sa_payload answer;
        struct s2_ike1_suite suite;

        if (s2_ike1_choose(&terms, &q->offer, &suite, &answer) != S2SVPN_OK)
            continue;
        if (q->candidates == 0) {
            q->suite = suite;
            q->answer = answer;
        } else if (suite.encr != q->suite.encr || suite.key_bits != q->suite.key_bits ||
                   suite.prf != q->suite.prf || suite.ke != q->suite.ke) {
            continue;
        }
        q->candidate[q->candidates++] = candidate[i];
    }
    return q->candidates > 0;
}

static s2svpn_status fill(struct s2_ike_sa *sa, const struct s2_ike1_packet *packet,
                          const struct request *q)
{
    struct s2_ike *ike = sa->ike;

    s2svpn_status rc = s2_ike1_attach(sa);
    if (rc != S2SVPN_OK)
        return rc;
    struct s2_ike1_handshake *h = sa->v1->handshake;
    sa->spi_peer = packet->h.cookie_i;
    h->suite = q->suite;
    h->life_s = q->suite.life_s;
    memcpy(h->candidate, q->candidate, sizeof(h->candidate));
    h->candidates = q->candidates;
    s2_ike1_note_vendors(sa, &packet->list);
    rc = s2_random(ike->env, h->nonce, sizeof(h->nonce));
    if (rc == S2SVPN_OK)
        rc = s2_ike_bytes_set(ike, &h->offer, q->body.p, q->body.len);
    if (rc == S2SVPN_OK)
        rc = s2_table_insert(&ike->by_init, &sa->init_node,
                             s2_ike_hash_init(ike, sa->spi_peer, &packet->path.remote));
    sa->by_init = rc == S2SVPN_OK;
    return rc;
}

static s2svpn_status write_answer(struct s2_ike_sa *sa, const struct s2_ike1_packet *packet,
                                  const struct request *q)
{
    struct s2_ike1_compose c;

    s2_ike1_compose(&c, sa, S2_IKE1_MAIN, 0);
    s2_ike1_payload_begin(&c.chain, S2_IKE1_PAYLOAD_SA);
    s2_ike1_write_sa(&c.w, &q->answer);
    s2_ike1_payload_end(&c.chain);
    s2_ike1_add_vendors(sa, &c.chain);
    s2svpn_status rc = s2_ike1_write_end(&c.w);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_out_set(sa, &sa->v1->out, &c, &packet->path, packet->hash, false);
    return rc;
}

static enum s2svpn_drop accept(struct s2_ike *ike, struct s2_ike1_packet *packet,
                               const struct request *q)
{
    struct s2_ike_sa *sa;

    if (!s2_ike_make_room(ike, false))
        return S2SVPN_DROP_IKE_LIMIT;
    if (s2_ike_sa_new(ike, false, 0, q->candidate[0], &packet->path, &sa) != S2SVPN_OK)
        return S2SVPN_DROP_IKE_LIMIT;
    s2svpn_status rc = fill(sa, packet, q);
    if (rc == S2SVPN_OK)
        rc = write_answer(sa, packet, q);
    if (rc != S2SVPN_OK) {
        s2_ike_sa_kill_silently(sa);
        return S2SVPN_DROP_IKE_LIMIT;
    }
    s2_ike_trace(sa,
                 (struct s2_ike_trace){.kind = S2_IKE_TRACE_PROCESSED, .exchange = S2_IKE1_MAIN});
    s2_ike1_step(sa, S2_IKE1_EVENT_RX_FIRST, packet);
    return S2SVPN_DROP_NONE;
}

static void refuse_proposals(struct s2_ike *ike, const struct s2_ike1_packet *packet,
                             const struct s2_ike_config *config, const struct request *q)
{
    char words[160], text[256];

    s2_ike_trace_for(ike, config, &packet->path.remote,
                     (struct s2_ike_trace){.kind = S2_IKE_TRACE_REFUSED,
                                           .version = 1,
                                           .half = true,
                                           .exchange = S2_IKE1_MAIN,
                                           .error = S2_IKE1_N_NO_PROPOSAL_CHOSEN});
    s2_ike1_refuse(ike, packet, S2_IKE1_N_NO_PROPOSAL_CHOSEN);
    if (!may_note(ike))
        return;
    s2_ike1_print_offer(&q->offer, words, sizeof(words));
    s2_print(text, sizeof(text), "no common proposal for phase 1 of IKEv1; the peer offers %s",
             words);
    ike->ops.note(ike->user, config->owner, text, ike->now_ns);
}

enum s2svpn_drop s2_ike1_first(struct s2_ike *ike, struct s2_ike1_packet *packet)
{
    const struct s2_ike_config *candidate[S2_IKE_CANDIDATES_MAX];
    const struct s2_ike_sa *mirrored = s2_ike_find_spi(ike, packet->h.cookie_i);
    struct s2_ike_sa *known = s2_ike_find_init(ike, packet->h.cookie_i, &packet->path.remote);
    const struct s2_ike1_payload *sa = s2_ike1_find(&packet->list, S2_IKE1_PAYLOAD_SA);
    struct request q = {0};
    struct s2_reader r;
    size_t allowed = 0;

    if (mirrored != NULL && mirrored->initiator)
        return S2SVPN_DROP_IKE_STATE; /* our own, thrown back at us */
    if (known != NULL) {
        if (known->v1 == NULL || known->v1->out.answers != packet->hash)
            return S2SVPN_DROP_IKE_STATE;
        s2_ike1_out_repeat(known, &known->v1->out);
        return S2SVPN_DROP_NONE;
    }
    const size_t n = ike->ops.candidates(ike->user, &packet->path.local, &packet->path.remote,
                                         candidate, S2_IKE_CANDIDATES_MAX);
    for (size_t i = 0; i < n && i < S2_IKE_CANDIDATES_MAX; i++) {
        if (!candidate[i]->mute && s2_ike_allows(candidate[i], S2_IKE_ALLOW_V1) &&
            candidate[i]->psk.len > 0)
            candidate[allowed++] = candidate[i];
    }
    if (allowed == 0)
        return n > 0 ? S2SVPN_DROP_IKE_VERSION : S2SVPN_DROP_IKE_NO_TUNNEL;
    if (sa == NULL || packet->len > REQUEST_MAX)
        return S2SVPN_DROP_IKE_MALFORMED;
    q.body = sa->body;
    s2_reader_init(&r, sa->body.p, sa->body.len);
    if (s2_ike1_parse_sa(&r, &q.offer) != S2SVPN_OK)
        return S2SVPN_DROP_IKE_MALFORMED;
    if (!choose(ike, candidate, allowed, &q)) {
        refuse_proposals(ike, packet, candidate[0], &q);
        return S2SVPN_DROP_NONE;
    }
    return accept(ike, packet, &q);
}

void s2_ike1_note_aggressive(struct s2_ike *ike, const struct s2_ike1_packet *packet)
{
    const struct s2_ike_config *candidate[S2_IKE_CANDIDATES_MAX];
    const size_t n = ike->ops.candidates(ike->user, &packet->path.local, &packet->path.remote,
                                         candidate, S2_IKE_CANDIDATES_MAX);

    if (n > 0 && may_note(ike))
        ike->ops.note(ike->user, candidate[0]->owner,
                      "IKEv1's aggressive mode is refused: it gives a hash of the key away",
                      ike->now_ns);
}

/* All is done already. */
enum s2_ike1_step s2_ike1_answer_sa(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    (void)sa;
    (void)packet;
    return S2_IKE1_NEXT;
}

/* ---- the public values */

enum s2_ike1_step s2_ike1_accept_ke(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    struct s2_ike1_handshake *h = sa->v1->handshake;
    struct s2_ike1_ke_words words;

    if (s2_ike1_read_ke(sa, packet, &words) != S2SVPN_OK)
        return S2_IKE1_IGNORED;
    if (h->kex == NULL && s2_ike_kex_new(sa, h->suite.ke, &h->kex) != S2SVPN_OK)
        return S2_IKE1_IGNORED;
    if (words.value.len != h->kex->row->out_len)
        return S2_IKE1_IGNORED;
    memcpy(h->kex->peer_value, words.value.p, words.value.len);
    s2_ike1_keep_ke(sa, packet, &words);
    h->held_path = packet->path;
    h->held_hash = packet->hash;
    s2_ike_sa_returned(sa); /* it has our cookie */
    s2_ike_kex_start_public(h->kex);
    return S2_IKE1_NEXT;
}

enum s2_ike1_step s2_ike1_answer_ke(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    struct s2_ike1_handshake *h = sa->v1->handshake;
    struct s2_ike1_compose c;

    (void)packet;
    s2_ike1_compose(&c, sa, S2_IKE1_MAIN, 0);
    s2svpn_status rc = s2_ike1_add_ke(sa, &c.chain, &h->held_path);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_write_end(&c.w);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_out_set(sa, &sa->v1->out, &c, &h->held_path, h->held_hash, false);
    return rc == S2SVPN_OK ? S2_IKE1_NEXT : fail(sa);
}

/* ---- whose it is */

/* Decrypt a copy of what is held with that tunnel's key. E_AUTHENTICATION if it is
 * noise, or its hash is wrong. */
static s2svpn_status try_key(struct s2_ike_sa *sa, const struct s2_ike_config *config,
                             struct s2_ike_id *id)
{
    const struct s2_ike1_handshake *h = sa->v1->handshake;
    struct s2_ike_bytes copy = {0};
    struct s2_ike1_payloads list;
    struct s2_ike1_header header;
    struct s2_ike1_keys keys = {0};
    struct s2_ike1_iv iv, next;
    s2svpn_span plain;
    struct s2_reader r;

    s2svpn_status rc = s2_ike1_derive(sa, config, &keys, &iv);
    if (rc == S2SVPN_OK)
        rc = s2_ike_bytes_set(sa->ike, &copy, h->held.p, h->held.len);
    if (rc != S2SVPN_OK)
        goto out;
    s2_reader_init(&r, copy.p, copy.len);
    rc = s2_ike1_parse_header(&r, &header);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_open(&sa->ike->crypto, &keys, &iv, copy.p, copy.len, &plain, &next);
    if (rc != S2SVPN_OK)
        goto out;
    s2_reader_init(&r, plain.p, plain.len);
    if (s2_ike1_parse_payloads(&r, header.next_payload, true, &list) != S2SVPN_OK)
        rc = S2SVPN_E_AUTHENTICATION;
    else
        rc = s2_ike1_check_id(sa, &keys, &list, id);
    if (rc == S2SVPN_OK) {
        sa->v1->keys = keys;
        sa->v1->iv = next;
        s2_ike1_read_last(sa, &list);
    }
out:
    s2_ike1_keys_clear(&keys);
    s2_ike_bytes_clear(sa->ike, &copy);
    return rc;
}

static const struct s2_ike_config *find_tunnel(struct s2_ike_sa *sa, struct s2_ike_id *id)
{
    const struct s2_ike1_handshake *h = sa->v1->handshake;

    for (size_t i = 0; i < h->candidates; i++) {
        if (!h->candidate[i]->mute && try_key(sa, h->candidate[i], id) == S2SVPN_OK)
            return h->candidate[i];
    }
    return NULL;
}

/* Wait for a better one, which costs no Diffie-Hellman any more. */
static enum s2_ike1_step refuse_key(struct s2_ike_sa *sa)
{
    struct s2_ike1_handshake *h = sa->v1->handshake;
    const struct s2_ike1_packet packet = {
        .h = {.cookie_i = s2_ike_spi_i(sa), .cookie_r = s2_ike_spi_r(sa)}, .path = h->held_path};

    sa->ike->counters.drops++;
    s2_ike_bytes_clear(sa->ike, &h->held);
    s2_ike_trace(sa,
                 (struct s2_ike_trace){.kind = S2_IKE_TRACE_UNREADABLE, .exchange = S2_IKE1_MAIN});
    s2_ike_trace(sa, (struct s2_ike_trace){.kind = S2_IKE_TRACE_REFUSED,
                                           .exchange = S2_IKE1_MAIN,
                                           .error = S2_IKE1_N_AUTHENTICATION_FAILED});
    s2_ike1_refuse(sa->ike, &packet, S2_IKE1_N_AUTHENTICATION_FAILED);
    if (may_note(sa->ike))
        s2_ike_note(sa, "%s", s2_ike_reason_text(S2_IKE_REASON_AUTHENTICATION));
    return sa->state == S2_IKE_STATE_DEAD ? S2_IKE1_ENDED : S2_IKE1_OTHERWISE;
}

static s2svpn_status answer(struct s2_ike_sa *sa)
{
    struct s2_ike1 *v1 = sa->v1;
    struct s2_ike1_compose c;

    s2_ike1_compose(&c, sa, S2_IKE1_MAIN, 0);
    s2svpn_status rc = s2_ike1_add_id(sa, &c.chain);
    if (rc == S2SVPN_OK)
        s2_ike1_add_initial_contact(sa, &c);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_seal(&c.w, &sa->ike->crypto, &v1->keys, &v1->iv);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_out_set(sa, &v1->out, &c, &v1->handshake->held_path, v1->handshake->held_hash,
                             false);
    return rc;
}

static enum s2_ike1_step check_held(struct s2_ike_sa *sa)
{
    struct s2_ike1_handshake *h = sa->v1->handshake;
    struct s2_ike_id id;
    char words[80];

    const struct s2_ike_config *config = find_tunnel(sa, &id);
    if (config == NULL)
        return refuse_key(sa);
    sa->config = config;
    s2_ike_trace(sa,
                 (struct s2_ike_trace){.kind = S2_IKE_TRACE_PROCESSED, .exchange = S2_IKE1_MAIN});
    sa->peer_id = id;
    sa->path = h->held_path; /* authenticated; NAT-T has moved it to the other port */
    if (config->remote_id.type != S2_IKE_ID_NONE && !s2_ike_id_equal(&config->remote_id, &id)) {
        s2_ike_note(sa, "%s (peer %s)", s2_ike_reason_text(S2_IKE_REASON_IDENTITY),
                    s2_ike_id_print(&id, words, sizeof(words)));
        if (sa->state != S2_IKE_STATE_DEAD)
            s2_ike_sa_kill(sa, S2_IKE_REASON_IDENTITY, "");
        return S2_IKE1_ENDED;
    }
    if (s2_ike_sa_set_owner(sa, config) != S2SVPN_OK || answer(sa) != S2SVPN_OK)
        return fail(sa);
    return S2_IKE1_NEXT;
}

/* The fifth message. Once the shared secret is there, what comes is looked at at once:
 * otherwise is UP then. */
enum s2_ike1_step s2_ike1_hold_id(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    struct s2_ike1_handshake *h = sa->v1->handshake;

    if (packet->len > S2_IKE1_HELD_MAX ||
        s2_ike_bytes_set(sa->ike, &h->held, packet->p, packet->len) != S2SVPN_OK)
        return S2_IKE1_IGNORED;
    h->held_path = packet->path;
    h->held_hash = packet->hash;
    if (!h->shared) {
        if (s2_ike_kex_start_shared(h->kex, s2_span(h->kex->peer_value, h->kex->row->out_len)) !=
            S2SVPN_OK)
            return S2_IKE1_IGNORED; /* its length was checked */
        return S2_IKE1_NEXT;
    }
    const enum s2_ike1_step step = check_held(sa);
    if (step == S2_IKE1_NEXT)
        return S2_IKE1_OTHERWISE;
    return step == S2_IKE1_OTHERWISE ? S2_IKE1_STAY : step;
}

enum s2_ike1_step s2_ike1_answer_id(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    (void)packet;
    sa->v1->handshake->shared = true;
    return check_held(sa);
}
