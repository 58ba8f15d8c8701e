/* SPDX-License-Identifier: Apache-2.0 */
/* What comes in: pieces together, the SA that it is for, whether it is encrypted where
 * it must be, and the event that it is. RFC 2408 sections 3.1, 5.2 to 5.4; the message
 * ids that must not come twice: RFC 2409 section 5.5, 5.7. */
#include "ike/v1/v1.h"

/* ---- message ids that are over */

bool s2_ike1_seen(const struct s2_ike_sa *sa, uint32_t message_id)
{
    for (size_t i = 0; i < S2_IKE1_SEEN_MAX; i++) {
        if (sa->v1->seen[i] == message_id)
            return true;
    }
    return false;
}

void s2_ike1_see(struct s2_ike_sa *sa, uint32_t message_id)
{
    struct s2_ike1 *v1 = sa->v1;

    if (s2_ike1_seen(sa, message_id))
        return;
    v1->seen[v1->seen_at] = message_id;
    v1->seen_at = (v1->seen_at + 1) % S2_IKE1_SEEN_MAX;
}

/* ---- which SA */

/* Ours of the two cookies, and the peer's must be the one that belongs to it; while we
 * wait for the second message it isn't known yet. */
static struct s2_ike_sa *find_sa(const struct s2_ike *ike, const struct s2_ike1_header *h)
{
    struct s2_ike_sa *sa = s2_ike_find_spi(ike, h->cookie_r);

    if (sa != NULL && sa->v1 != NULL && !sa->initiator && sa->spi_peer == h->cookie_i)
        return sa;
    sa = s2_ike_find_spi(ike, h->cookie_i);
    if (sa == NULL || sa->v1 == NULL || !sa->initiator)
        return NULL;
    if (sa->spi_peer == h->cookie_r || sa->v1->state == S2_IKE1_STATE_ASK_SA ||
        sa->v1->state == S2_IKE1_STATE_AGGR_KE)
        return sa;
    return NULL;
}

static bool read_chain(struct s2_ike1_packet *packet, s2svpn_span bytes, bool encrypted)
{
    struct s2_reader r;

    s2_reader_init(&r, bytes.p, bytes.len);
    return s2_ike1_parse_payloads(&r, packet->h.next_payload, encrypted, &packet->list) ==
           S2SVPN_OK;
}

static s2svpn_span behind_header(const struct s2_ike1_packet *packet)
{
    return s2_span(packet->p + S2_IKE1_HEADER_LEN, packet->len - S2_IKE1_HEADER_LEN);
}

static bool is_encrypted(const struct s2_ike1_packet *packet)
{
    return (packet->h.flags & S2_IKE1_FLAG_ENCRYPTED) != 0;
}

static enum s2svpn_drop drop_of(bool used)
{
    return used ? S2SVPN_DROP_NONE : S2SVPN_DROP_IKE_STATE;
}

/* ---- for the tunnel's log */

static void trace(struct s2_ike_sa *sa, enum s2_ike_trace_kind kind,
                  const struct s2_ike1_packet *packet)
{
    s2_ike_trace(sa, (struct s2_ike_trace){.kind = (uint8_t)kind,
                                           .exchange = packet->h.exchange,
                                           .message_id = packet->h.message_id});
}

/* ---- main mode, and aggressive mode where we began it */

static enum s2svpn_drop receive_phase_1(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    struct s2_ike1 *v1 = sa->v1;
    s2svpn_span plain;

    if (v1->aggressive != (packet->h.exchange == S2_IKE1_AGGRESSIVE))
        return S2SVPN_DROP_IKE_STATE;
    if (packet->h.message_id != 0)
        return S2SVPN_DROP_IKE_MALFORMED;
    if (v1->out.answers != 0 && v1->out.answers == packet->hash) {
        s2_ike1_out_repeat(sa, &v1->out);
        return S2SVPN_DROP_NONE;
    }
    if (!is_encrypted(packet)) {
        if (!s2_ike1_expects(sa, S2_IKE1_EVENT_RX_PLAIN))
            return S2SVPN_DROP_IKE_STATE;
        if (!read_chain(packet, behind_header(packet), false))
            return S2SVPN_DROP_IKE_MALFORMED;
        trace(sa, S2_IKE_TRACE_PROCESSED, packet);
        return drop_of(s2_ike1_step(sa, S2_IKE1_EVENT_RX_PLAIN, packet));
    }
    if (!s2_ike1_expects(sa, S2_IKE1_EVENT_RX_SEALED))
        return S2SVPN_DROP_IKE_STATE;
    if (!sa->initiator) /* read when the keys are there */
        return drop_of(s2_ike1_step(sa, S2_IKE1_EVENT_RX_SEALED, packet));
    if (s2_ike1_open(&sa->ike->crypto, &v1->keys, &v1->iv, packet->p, packet->len, &plain,
                     &packet->next) != S2SVPN_OK)
        return S2SVPN_DROP_IKE_MALFORMED;
    if (!read_chain(packet, plain, true)) {
        trace(sa, S2_IKE_TRACE_UNREADABLE, packet);
        return S2SVPN_DROP_IKE_AUTHENTICATION;
    }
    trace(sa, S2_IKE_TRACE_PROCESSED, packet);
    return s2_ike1_step(sa, S2_IKE1_EVENT_RX_SEALED, packet) ? S2SVPN_DROP_NONE
                                                             : S2SVPN_DROP_IKE_AUTHENTICATION;
}

/* ---- informational */

static enum s2svpn_drop receive_info(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    struct s2_ike1 *v1 = sa->v1;
    const struct s2_ike_crypto *crypto = &sa->ike->crypto;
    const uint32_t id = packet->h.message_id;
    struct s2_ike1_iv iv;
    s2svpn_span plain;

    if (!is_encrypted(packet)) {
        if (!read_chain(packet, behind_header(packet), false))
            return S2SVPN_DROP_IKE_MALFORMED;
        return s2_ike1_info_plain(sa, packet);
    }
    if (v1->state == S2_IKE1_STATE_ASK_ID)
        return s2_ike1_info_plain(sa, packet); /* whose key is it sealed with? */
    if (!s2_ike1_expects(sa, S2_IKE1_EVENT_RX_INFO))
        return S2SVPN_DROP_IKE_STATE;
    if (id == 0 || s2_ike1_seen(sa, id))
        return S2SVPN_DROP_IKE_WINDOW;
    if (s2_ike1_iv_message(crypto, &v1->keys, &v1->iv, id, &iv) != S2SVPN_OK ||
        s2_ike1_open(crypto, &v1->keys, &iv, packet->p, packet->len, &plain, &packet->next) !=
            S2SVPN_OK)
        return S2SVPN_DROP_IKE_MALFORMED;
    if (!read_chain(packet, plain, true) ||
        s2_ike1_hashed_check(crypto, &v1->keys, id, s2_span(NULL, 0), &packet->list) != S2SVPN_OK) {
        trace(sa, S2_IKE_TRACE_UNREADABLE, packet);
        return S2SVPN_DROP_IKE_AUTHENTICATION;
    }
    s2_ike1_see(sa, id);
    trace(sa, S2_IKE_TRACE_PROCESSED, packet);
    return drop_of(s2_ike1_step(sa, S2_IKE1_EVENT_RX_INFO, packet));
}

/* ---- quick mode */

/* A first message, if its HASH(1) is right; another one is looked at by its exchange. */
enum s2_ike1_step s2_ike1_quick_receive(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    struct s2_ike1 *v1 = sa->v1;
    const struct s2_ike_crypto *crypto = &sa->ike->crypto;
    const uint32_t id = packet->h.message_id;
    struct s2_ike1_quick *q = s2_ike1_quick_find(sa, id);
    struct s2_ike1_iv iv;
    s2svpn_span plain;

    if (q != NULL)
        iv = q->iv;
    else if (s2_ike1_iv_message(crypto, &v1->keys, &v1->iv, id, &iv) != S2SVPN_OK)
        return S2_IKE1_IGNORED;
    if (s2_ike1_open(crypto, &v1->keys, &iv, packet->p, packet->len, &plain, &packet->next) !=
            S2SVPN_OK ||
        !read_chain(packet, plain, true)) {
        trace(sa, S2_IKE_TRACE_UNREADABLE, packet);
        return S2_IKE1_IGNORED;
    }
    trace(sa, S2_IKE_TRACE_PROCESSED, packet);
    if (q != NULL)
        return s2_ike1_quick_step(q, S2_IKE1_QUICK_ON_RX, packet) ? S2_IKE1_STAY : S2_IKE1_IGNORED;
    if (v1->deleted)
        return S2_IKE1_IGNORED;
    if (s2_ike1_hashed_check(crypto, &v1->keys, id, s2_span(NULL, 0), &packet->list) != S2SVPN_OK ||
        s2_ike1_quick_new(sa, false, id, &q) != S2SVPN_OK)
        return S2_IKE1_IGNORED;
    return s2_ike1_quick_step(q, S2_IKE1_QUICK_ON_RX_FIRST, packet) ? S2_IKE1_STAY
                                                                    : S2_IKE1_IGNORED;
}

static enum s2svpn_drop receive_quick(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    const uint32_t id = packet->h.message_id;

    if (!is_encrypted(packet) || id == 0)
        return S2SVPN_DROP_IKE_MALFORMED;
    if (!s2_ike1_expects(sa, S2_IKE1_EVENT_RX_QUICK))
        return S2SVPN_DROP_IKE_STATE;
    struct s2_ike1_quick *q = s2_ike1_quick_find(sa, id);
    if (q == NULL && s2_ike1_seen(sa, id))
        return S2SVPN_DROP_IKE_WINDOW;
    if (q == NULL && sa->v1->quick_count >= S2_IKE1_QUICKS_MAX)
        return S2SVPN_DROP_IKE_LIMIT;
    if (q != NULL && q->out.answers != 0 && q->out.answers == packet->hash) {
        s2_ike1_out_repeat(sa, &q->out);
        return S2SVPN_DROP_NONE;
    }
    return s2_ike1_step(sa, S2_IKE1_EVENT_RX_QUICK, packet) ? S2SVPN_DROP_NONE
                                                            : S2SVPN_DROP_IKE_AUTHENTICATION;
}

/* ---- any */

static enum s2svpn_drop receive(struct s2_ike *ike, struct s2_ike1_packet *packet, bool whole);

static enum s2svpn_drop receive_for(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    switch (packet->h.exchange) {
    case S2_IKE1_MAIN:
    case S2_IKE1_AGGRESSIVE:
        return receive_phase_1(sa, packet);
    case S2_IKE1_QUICK:
        return receive_quick(sa, packet);
    case S2_IKE1_INFORMATIONAL:
        return receive_info(sa, packet);
    default:
        return S2SVPN_DROP_IKE_STATE; /* mode config, new group: not spoken */
    }
}

/* A piece is kept only for an SA that knows pieces; what they make together is a message
 * like any other, but can't be a piece again. */
static enum s2svpn_drop receive_piece(struct s2_ike_sa *sa, const struct s2_ike1_packet *packet)
{
    const struct s2_ike1_payload *payload = s2_ike1_find(&packet->list, S2_IKE1_PAYLOAD_FRAGMENT);
    struct s2_ike *ike = sa->ike;
    struct s2_ike1_packet whole = {.path = packet->path};
    struct s2_ike1_fragment f;
    struct s2_reader r;
    uint8_t *p = NULL;

    if (!sa->fragmentation || payload == NULL || packet->list.count != 1)
        return S2SVPN_DROP_IKE_STATE;
    s2_reader_init(&r, payload->body.p, payload->body.len);
    if (s2_ike1_parse_fragment(&r, &f) != S2SVPN_OK)
        return S2SVPN_DROP_IKE_MALFORMED;
    s2svpn_status rc = s2_ike1_fragments_add(ike->env, &sa->v1->parts, &f, S2_IKE1_INPUT_MAX);
    if (rc != S2SVPN_OK)
        return rc == S2SVPN_E_MALFORMED ? S2SVPN_DROP_IKE_MALFORMED : S2SVPN_DROP_IKE_LIMIT;
    if (!s2_ike1_fragments_complete(sa->v1->parts))
        return S2SVPN_DROP_NONE;
    if (s2_ike1_fragments_take(ike->env, &sa->v1->parts, &p, &whole.len) != S2SVPN_OK)
        return S2SVPN_DROP_IKE_LIMIT;
    whole.p = p;
    const enum s2svpn_drop drop = receive(ike, &whole, true);
    s2_wipe(p, whole.len);
    s2_free(ike->env, p);
    return drop;
}

static enum s2svpn_drop receive_unknown(struct s2_ike *ike, struct s2_ike1_packet *packet)
{
    const struct s2_ike1_header *h = &packet->h;

    if (h->cookie_i == 0)
        return S2SVPN_DROP_IKE_MALFORMED;
    if (h->cookie_r != 0)
        return S2SVPN_DROP_IKE_UNKNOWN_SPI;
    if (h->exchange == S2_IKE1_AGGRESSIVE) /* its second message gives the key's hash away */
        s2_ike1_note_aggressive(ike, packet);
    if (h->exchange != S2_IKE1_MAIN)
        return S2SVPN_DROP_IKE_STATE;
    if (is_encrypted(packet) || h->message_id != 0 ||
        !read_chain(packet, behind_header(packet), false))
        return S2SVPN_DROP_IKE_MALFORMED;
    return s2_ike1_first(ike, packet);
}

static enum s2svpn_drop receive(struct s2_ike *ike, struct s2_ike1_packet *packet, bool whole)
{
    struct s2_reader r;

    s2_reader_init(&r, packet->p, packet->len);
    if (s2_ike1_parse_header(&r, &packet->h) != S2SVPN_OK)
        return S2SVPN_DROP_IKE_MALFORMED;
    if (packet->h.version != S2_IKE1_VERSION)
        return S2SVPN_DROP_IKE_VERSION;
    packet->hash = s2_siphash(ike->env->hash_key, packet->p, packet->len);
    struct s2_ike_sa *sa = find_sa(ike, &packet->h);
    if (sa == NULL)
        return receive_unknown(ike, packet);
    if (packet->h.next_payload == S2_IKE1_PAYLOAD_FRAGMENT && !is_encrypted(packet)) {
        if (whole || !read_chain(packet, behind_header(packet), false))
            return S2SVPN_DROP_IKE_MALFORMED;
        return receive_piece(sa, packet);
    }
    return receive_for(sa, packet);
}

enum s2svpn_drop s2_ike1_receive(struct s2_ike *ike, const struct s2_ike_path *path, uint8_t *p,
                                 size_t len)
{
    struct s2_ike1_packet packet = {.path = *path, .p = p, .len = len};

    return receive(ike, &packet, false);
}
