/* SPDX-License-Identifier: Apache-2.0 */
/* Fragments that come in, up to the message that they make: one message a direction,
 * the one that the window is open for, so that what is kept is bounded and goes with
 * its exchange. Each is authenticated before it is kept; only while there are no keys
 * yet, those of one IKE_AUTH request are held as they are. RFC 7383 section 2.6. */
#include "ike/v2/v2.h"

#include <string.h>

#include "base/address.h"

#define EXCHANGE_AT 18 /* in the header, RFC 7296 section 3.1 */
#define LENGTH_AT 24

static bool is_response(const struct s2_ike_packet *packet)
{
    return (packet->h.flags & S2_IKE_FLAG_RESPONSE) != 0;
}

static struct s2_ike_fragments **parts_of(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    return is_response(packet) ? &sa->response_parts : &sa->request_parts;
}

/* ---- requests that are answered already */

static const struct s2_ike_answer *find_answer(const struct s2_ike_sa *sa,
                                               const struct s2_ike_packet *packet)
{
    return is_response(packet) ? NULL : s2_ike_find_answer(sa, packet->h.message_id);
}

/* For the first fragment alone, section 2.6.1. Another one than that which was
 * answered must be authentic: a peer whose request was too long may have cut it. */
static enum s2svpn_drop answer_again(struct s2_ike_sa *sa, struct s2_ike_packet *packet,
                                     const struct s2_ike_payload *seal, uint16_t number,
                                     const struct s2_ike_answer *answer)
{
    s2svpn_span plain;

    if (number != 1)
        return S2SVPN_DROP_IKE_WINDOW;
    if (packet->hash != answer->request_hash &&
        (!sa->keyed || packet->h.exchange != answer->bytes.p[EXCHANGE_AT] ||
         s2_ike_sk_open(&sa->ike->crypto, &sa->keys, sa->initiator, packet->p, packet->len, seal,
                        &plain) != S2SVPN_OK))
        return S2SVPN_DROP_IKE_WINDOW;
    s2_ike_resend(sa, answer, &packet->path);
    return S2SVPN_DROP_NONE;
}

static bool in_window(const struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    if (!is_response(packet))
        return packet->h.message_id == sa->in_id;
    return sa->request.bytes.p != NULL && packet->h.message_id == sa->out_id &&
           packet->h.exchange == sa->request.exchange;
}

/* ---- keeping */

static s2svpn_status keep(struct s2_ike_sa *sa, struct s2_ike_packet *packet,
                          const struct s2_ike_payload *seal, const struct s2_ike_skf *skf)
{
    struct s2_ike_fragment f = {
        .skf = *skf, .exchange = packet->h.exchange, .first = seal->next, .hash = packet->hash};
    s2svpn_status rc = s2_ike_sk_open(&sa->ike->crypto, &sa->keys, sa->initiator, packet->p,
                                      packet->len, seal, &f.plain);

    if (rc != S2SVPN_OK)
        return rc;
    /* Who has keys but isn't known yet gets less of our memory. */
    return s2_ike_fragments_add(sa->ike->env, parts_of(sa, packet), &f,
                                s2_ike_state_is_up(sa->state) ? S2_IKE_MESSAGE_MAX
                                                              : S2_IKE_HELD_MAX);
}

static enum s2svpn_drop drop_of(s2svpn_status rc)
{
    switch (rc) {
    case S2SVPN_OK:
        return S2SVPN_DROP_NONE;
    case S2SVPN_E_MALFORMED:
        return S2SVPN_DROP_IKE_MALFORMED;
    case S2SVPN_E_LIMIT:
    case S2SVPN_E_MEMORY:
        return S2SVPN_DROP_IKE_LIMIT;
    default:
        return S2SVPN_DROP_IKE_AUTHENTICATION;
    }
}

static s2svpn_status take(struct s2_ike_sa *sa, struct s2_ike_packet *packet,
                          struct s2_ike_bytes *whole)
{
    struct s2_ike_fragments **parts = parts_of(sa, packet);
    const uint8_t first = (*parts)->first;
    const uint64_t hash = (*parts)->hash;
    s2svpn_status rc = s2_ike_fragments_take(sa->ike->env, parts, &whole->p, &whole->len);

    if (rc != S2SVPN_OK)
        return rc;
    packet->hash = hash;
    packet->inner = s2_span(whole->p, whole->len);
    packet->inner_first = first;
    return S2SVPN_OK;
}

/* ---- before there are keys */

/* The first one starts the job; those that follow from the same place are held with
 * it, as they are. */
static enum s2svpn_drop hold(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    struct s2_ike_handshake *h = sa->handshake;
    struct s2_ike_bytes more = {0};

    if (sa->state != S2_IKE_STATE_HALF_SHARED || h->held_fragments == 0)
        return s2_ike_is_busy(sa, &packet->h) ? S2SVPN_DROP_IKE_STATE
                                              : s2_ike_receive_early(sa, packet);
    if (!s2_endpoint_equal(&packet->path.local, &sa->asked.path.local) ||
        !s2_endpoint_equal(&packet->path.remote, &sa->asked.path.remote))
        return S2SVPN_DROP_IKE_STATE;
    if (h->held_fragments == S2_IKE_FRAGMENTS_MAX || packet->len > S2_IKE_HELD_MAX - h->held.len)
        return S2SVPN_DROP_IKE_LIMIT;
    more.len = h->held.len + packet->len;
    more.p = s2_alloc(sa->ike->env, more.len);
    if (more.p == NULL)
        return S2SVPN_DROP_IKE_LIMIT;
    memcpy(more.p, h->held.p, h->held.len);
    memcpy(more.p + h->held.len, packet->p, packet->len);
    s2_ike_bytes_clear(sa->ike, &h->held);
    h->held = more;
    h->held_fragments++;
    return S2SVPN_DROP_NONE;
}

/* One of those, now that it can be opened. Its form was checked as far as its header
 * and its chain go. */
static enum s2svpn_drop keep_held(struct s2_ike_sa *sa, struct s2_ike_packet *packet)
{
    const struct s2_ike_payload *seal = NULL;
    struct s2_ike_skf skf;
    struct s2_reader r;

    s2_reader_init(&r, packet->p, packet->len);
    if (s2_ike_parse_header(&r, &packet->h) == S2SVPN_OK &&
        s2_ike_parse_payloads(&r, packet->h.next_payload, &packet->list) == S2SVPN_OK)
        seal = s2_ike_find(&packet->list, S2_IKE_PAYLOAD_SKF);
    if (seal == NULL)
        return S2SVPN_DROP_IKE_MALFORMED;
    s2_reader_init(&r, seal->body.p, seal->body.len);
    if (s2_ike_parse_skf(&r, &skf) != S2SVPN_OK)
        return S2SVPN_DROP_IKE_MALFORMED;
    if (!s2_ike_fragments_want(sa->request_parts, packet->h.exchange, &skf))
        return S2SVPN_DROP_IKE_WINDOW;
    packet->hash = s2_siphash(sa->ike->env->hash_key, packet->p, packet->len);
    return drop_of(keep(sa, packet, seal, &skf));
}

bool s2_ike_gather_held(struct s2_ike_sa *sa)
{
    struct s2_ike_handshake *h = sa->handshake;
    struct s2_ike_packet packet = {0};
    struct s2_ike_bytes whole = {0};

    for (size_t at = 0; at < h->held.len; at += packet.len) {
        packet.p = h->held.p + at;
        packet.len = s2_get_u32(packet.p + LENGTH_AT);
        if (keep_held(sa, &packet) != S2SVPN_DROP_NONE)
            sa->ike->counters.drops++;
    }
    h->held_fragments = 0;
    if (!s2_ike_fragments_complete(sa->request_parts) || take(sa, &packet, &whole) != S2SVPN_OK)
        return false;
    s2_ike_bytes_clear(sa->ike, &h->held);
    h->held = whole;
    h->held_inner = packet.inner;
    h->held_first = packet.inner_first;
    sa->asked.hash = packet.hash;
    return true;
}

/* ---- all others */

static enum s2svpn_drop gather(struct s2_ike_sa *sa, struct s2_ike_packet *packet,
                               const struct s2_ike_payload *seal, const struct s2_ike_skf *skf,
                               enum s2_ike_event event)
{
    struct s2_ike_bytes whole = {0};

    if (!s2_ike_fragments_want(*parts_of(sa, packet), packet->h.exchange, skf))
        return S2SVPN_DROP_IKE_WINDOW;
    s2svpn_status rc = keep(sa, packet, seal, skf);
    if (rc == S2SVPN_OK && !s2_ike_fragments_complete(*parts_of(sa, packet)))
        return S2SVPN_DROP_NONE;
    if (rc == S2SVPN_OK)
        rc = take(sa, packet, &whole);
    if (rc != S2SVPN_OK)
        return drop_of(rc);
    packet->pieces = skf->total;
    const enum s2svpn_drop drop = s2_ike_receive_opened(sa, packet, event);
    s2_ike_bytes_clear(sa->ike, &whole);
    return drop;
}

enum s2svpn_drop s2_ike_receive_fragment(struct s2_ike_sa *sa, struct s2_ike_packet *packet,
                                         const struct s2_ike_payload *skf)
{
    const struct s2_ike_payload seal = *skf; /* the list is read anew */
    struct s2_ike_skf numbers;
    enum s2_ike_event event;
    struct s2_reader r;

    s2_reader_init(&r, seal.body.p, seal.body.len);
    s2svpn_status rc = s2_ike_parse_skf(&r, &numbers);
    if (rc != S2SVPN_OK || !s2_ike_find_event(&packet->h, &event))
        return rc == S2SVPN_E_LIMIT ? S2SVPN_DROP_IKE_LIMIT : S2SVPN_DROP_IKE_MALFORMED;
    if (!sa->fragmentation)
        return S2SVPN_DROP_IKE_STATE;
    const struct s2_ike_answer *answer = find_answer(sa, packet);
    if (answer != NULL)
        return answer_again(sa, packet, &seal, numbers.number, answer);
    if (!in_window(sa, packet))
        return S2SVPN_DROP_IKE_WINDOW;
    if (!sa->keyed && event == S2_IKE_EVENT_RX_AUTH_REQUEST)
        return hold(sa, packet);
    if (!sa->keyed || s2_ike_is_busy(sa, &packet->h) || !s2_ike_expects(sa, event))
        return S2SVPN_DROP_IKE_STATE;
    return gather(sa, packet, &seal, &numbers, event);
}
