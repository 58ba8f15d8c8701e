/* SPDX-License-Identifier: Apache-2.0 */
/* Aggressive mode as initiator, for a peer that speaks no other: three messages, of which
 * we send the first and the third. Its group is the first of ours, since the public value
 * goes with the offer. The responder's proof comes before ours and in the clear, over a key
 * that it may be guessed from: we never answer it. RFC 2409 section 5.4; RFC 3947 section
 * 3.2 (NAT-D in the second and the third). */
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
    s2_log(sa->ike->env, S2_LOG_DEBUG, "%s: aggressive mode: %s",
           sa->config->name != NULL ? sa->config->name : "-", why);
    return S2_IKE1_IGNORED;
}

/* ---- the first message */

/* With the first group that there is in IKEv1 and in the backend. */
static s2svpn_status make_offer(const struct s2_ike_sa *sa, struct s2_ike1_sa_payload *out,
                                uint16_t *group)
{
    const struct s2_ike_choices *ours = &sa->config->ike;
    struct s2_ike1_terms terms = s2_ike1_sa_terms(sa->ike, sa->config);
    struct s2_ike_choices one = *ours;

    terms.choices = &one;
    one.ke_count = 1;
    for (size_t i = 0; i < ours->ke_count; i++) {
        *group = one.ke[0] = ours->ke[i];
        if (s2_ike1_offer(&terms, s2_span(NULL, 0), out, NULL) == S2SVPN_OK)
            return S2SVPN_OK;
    }
    return S2SVPN_E_UNSUPPORTED;
}

enum s2_ike1_step s2_ike1_aggressive_begin(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    struct s2_ike1_handshake *h = sa->v1->handshake;
    struct s2_ike1_sa_payload offer;
    uint16_t group;

    (void)packet;
    s2svpn_status rc = s2_random(sa->ike->env, h->nonce, sizeof(h->nonce));
    if (rc == S2SVPN_OK)
        rc = make_offer(sa, &offer, &group);
    if (rc == S2SVPN_OK)
        rc = s2_ike_kex_new(sa, group, &h->kex);
    if (rc != S2SVPN_OK)
        return fail(sa, rc);
    sa->v1->aggressive = true;
    s2_ike_kex_start_public(h->kex);
    return S2_IKE1_OTHERWISE;
}

enum s2_ike1_step s2_ike1_aggressive_ask(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    struct s2_ike1_handshake *h = sa->v1->handshake;
    struct s2_ike1_sa_payload offer;
    struct s2_ike1_compose c;
    uint16_t group;

    (void)packet;
    s2svpn_status rc = make_offer(sa, &offer, &group);
    if (rc != S2SVPN_OK)
        return fail(sa, rc);
    s2_ike1_compose(&c, sa, S2_IKE1_AGGRESSIVE, 0);
    s2_ike1_payload_begin(&c.chain, S2_IKE1_PAYLOAD_SA);
    const size_t body = c.w.len;
    s2_ike1_write_sa(&c.w, &offer);
    const size_t len = c.w.len - body;
    s2_ike1_payload_end(&c.chain);
    rc = s2_ike1_add_ke(sa, &c.chain, &sa->path);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_add_id_alone(sa, &c.chain);
    s2_ike1_add_vendors(sa, &c.chain);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_write_end(&c.w);
    if (rc == S2SVPN_OK)
        rc = s2_ike_bytes_set(sa->ike, &h->offer, c.bytes + body, len);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_out_set(sa, &sa->v1->out, &c, &sa->path, 0, true);
    return rc == S2SVPN_OK ? S2_IKE1_NEXT : fail(sa, rc);
}

/* ---- the second */

static bool read_answer(const struct s2_ike_sa *sa, const struct s2_ike1_packet *packet,
                        struct s2_ike1_suite *suite)
{
    const struct s2_ike1_payload *payload = s2_ike1_find(&packet->list, S2_IKE1_PAYLOAD_SA);
    struct s2_ike1_sa_payload offer, got;
    struct s2_reader r;
    uint16_t group;

    if (payload == NULL)
        return false;
    s2_reader_init(&r, payload->body.p, payload->body.len);
    return s2_ike1_parse_sa(&r, &got) == S2SVPN_OK && make_offer(sa, &offer, &group) == S2SVPN_OK &&
           s2_ike1_check_answer(&offer, &got, suite) == S2SVPN_OK && suite->ke == group;
}

/* Held, until the shared secret tells whether its hash is right. */
enum s2_ike1_step s2_ike1_aggressive_take(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    struct s2_ike1_handshake *h = sa->v1->handshake;
    struct s2_ike1_ke_words words;
    struct s2_ike1_suite suite;

    if (packet->h.cookie_r == 0)
        return ignore(sa, "an answer without a cookie");
    if (!read_answer(sa, packet, &suite))
        return ignore(sa, "the answer chooses what was not offered");
    h->suite = suite;
    h->life_s = suite.life_s;
    s2_ike1_note_vendors(sa, &packet->list);
    if (s2_ike1_read_ke(sa, packet, &words) != S2SVPN_OK || words.value.len != h->kex->row->out_len)
        return ignore(sa, "malformed public value");
    if (packet->len > S2_IKE1_HELD_MAX ||
        s2_ike_bytes_set(sa->ike, &h->held, packet->p, packet->len) != S2SVPN_OK)
        return ignore(sa, "the answer is too long");
    s2_ike1_keep_ke(sa, packet, &words);
    h->held_hash = packet->hash;
    sa->spi_peer = packet->h.cookie_r;
    sa->v1->out.waits = false;
    if (s2_ike_kex_start_shared(h->kex, words.value) != S2SVPN_OK)
        return S2_IKE1_IGNORED; /* its length was checked */
    return S2_IKE1_NEXT;
}

/* ---- the third */

static s2svpn_status check_held(struct s2_ike_sa *sa, struct s2_ike_id *id)
{
    const struct s2_ike1_handshake *h = sa->v1->handshake;
    struct s2_ike1_payloads list;
    struct s2_ike1_header header;
    struct s2_reader r;

    s2_reader_init(&r, h->held.p, h->held.len);
    s2svpn_status rc = s2_ike1_parse_header(&r, &header);
    if (rc != S2SVPN_OK)
        return rc;
    s2_reader_init(&r, h->held.p + S2_IKE1_HEADER_LEN, h->held.len - S2_IKE1_HEADER_LEN);
    rc = s2_ike1_parse_payloads(&r, header.next_payload, false, &list);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_check_id(sa, &sa->v1->keys, &list, id);
    if (rc == S2SVPN_OK)
        s2_ike1_read_last(sa, &list);
    return rc;
}

/* As with main mode's sixth: the real one may still come, and if it doesn't, this is why. */
static enum s2_ike1_step wait_on(struct s2_ike_sa *sa, s2svpn_status rc)
{
    struct s2_ike1 *v1 = sa->v1;

    v1->handshake->bad_proof = v1->handshake->bad_proof || rc == S2SVPN_E_AUTHENTICATION;
    v1->handshake->shared = false;
    (void)ignore(sa, "the peer's proof is wrong");
    s2_ike1_keys_clear(&v1->keys);
    sa->nat_local = sa->nat_remote = sa->udp = false;
    sa->spi_peer = 0;
    v1->out.waits = true;
    v1->out.again_ns = s2_after(sa->ike->now_ns, s2_ike1_wait_ns(sa, v1->out.tries));
    return S2_IKE1_OTHERWISE;
}

static s2svpn_status answer(struct s2_ike_sa *sa)
{
    struct s2_ike1 *v1 = sa->v1;
    struct s2_ike1_compose c;

    s2_ike1_compose(&c, sa, S2_IKE1_AGGRESSIVE, 0);
    s2svpn_status rc = s2_ike1_add_hash_alone(sa, &c.chain);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_add_nat(sa, &c.chain, &sa->path);
    if (rc != S2SVPN_OK)
        return rc;
    s2_ike1_add_initial_contact(sa, &c);
    rc = s2_ike1_seal(&c.w, &sa->ike->crypto, &v1->keys, &v1->iv);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_out_set(sa, &v1->out, &c, &sa->path, v1->handshake->held_hash, false);
    return rc;
}

enum s2_ike1_step s2_ike1_aggressive_complete(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    struct s2_ike1 *v1 = sa->v1;
    char words[S2_IKE_DETAIL_SIZE];
    struct s2_ike_id id;

    (void)packet;
    v1->handshake->shared = true;
    s2svpn_status rc = s2_ike1_derive(sa, sa->config, &v1->keys, &v1->iv);
    if (rc != S2SVPN_OK)
        return fail(sa, rc);
    rc = check_held(sa, &id);
    if (rc == S2SVPN_E_MEMORY)
        return fail(sa, rc);
    if (rc != S2SVPN_OK)
        return wait_on(sa, rc);
    if (sa->config->remote_id.type != S2_IKE_ID_NONE &&
        !s2_ike_id_equal(&sa->config->remote_id, &id)) {
        s2_ike_sa_kill(sa, S2_IKE_REASON_IDENTITY, s2_ike_id_print(&id, words, sizeof(words)));
        return S2_IKE1_ENDED;
    }
    sa->peer_id = id;
    s2_ike_note(sa, "aggressive mode: who has read it can try keys on it, offline");
    if (sa->state == S2_IKE_STATE_DEAD)
        return S2_IKE1_ENDED;
    s2_ike_nat_switch(sa);
    rc = answer(sa);
    return rc == S2SVPN_OK ? S2_IKE1_NEXT : fail(sa, rc);
}
