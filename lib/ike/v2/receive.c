/* SPDX-License-Identifier: Apache-2.0 */
/* From a datagram to an event of one IKE SA: SPIs, windows, keys, the chain inside.
 * What isn't authenticated changes no state here. RFC 7296 sections 2.1 to 2.3, 2.5,
 * 2.21. */
#include "ike/v2/v2.h"

#define PLAIN_REPLY_GAP_NS (S2_SECOND / 10) /* unprotected errors, engine-wide */
#define HINT_GAP_NS (10 * S2_SECOND)        /* liveness checks for unprotected hints, a SA */
#define MANY_MESSAGES UINT32_C(0x80000000)
#define TOO_MANY_MESSAGES UINT32_C(0xffffff00)

s2svpn_status s2_ike_read_chain(s2svpn_span bytes, uint8_t first, struct s2_ike_payloads *out)
{
    struct s2_reader r;

    s2_reader_init(&r, bytes.p, bytes.len);
    return s2_ike_parse_payloads(&r, first, out);
}

static void read_notify(const struct s2_ike_notify_payload *n, struct s2_ike_notifies *out)
{
    switch (n->type) {
    case S2_IKE_N_COOKIE:
        out->cookie = n->data;
        break;
    case S2_IKE_N_INITIAL_CONTACT:
        out->initial_contact = true;
        break;
    case S2_IKE_N_SET_WINDOW_SIZE:
        if (n->data.len == 4) /* else it says nothing */
            out->window = s2_get_u32(n->data.p);
        break;
    case S2_IKE_N_REKEY_SA:
        out->rekey = true;
        out->rekey_protocol = n->protocol;
        out->rekey_spi = n->spi;
        break;
    case S2_IKE_N_NAT_DETECTION_SOURCE_IP:
        out->nat_source = true;
        break;
    case S2_IKE_N_NAT_DETECTION_DESTINATION_IP:
        out->nat_destination = true;
        break;
    case S2_IKE_N_IKEV2_FRAGMENTATION_SUPPORTED:
        out->fragmentation = true;
        break;
    case S2_IKE_N_SIGNATURE_HASH_ALGORITHMS:
        out->hashes = s2_ike_read_hashes(n->data);
        break;
    default:
        if (n->type >= S2_IKE_N_INITIAL_CONTACT || n->type == 0 || out->error != 0)
            break; /* a status that we don't know, or a second error */
        out->error = n->type;
        out->error_data = n->data;
    }
}

s2svpn_status s2_ike_read_notifies(const struct s2_ike_payloads *list, struct s2_ike_notifies *out)
{
    *out = (struct s2_ike_notifies){0};
    for (size_t i = 0; i < list->count; i++) {
        struct s2_ike_notify_payload n;
        struct s2_reader r;

        if (list->item[i].type != S2_IKE_PAYLOAD_NOTIFY)
            continue;
        s2_reader_init(&r, list->item[i].body.p, list->item[i].body.len);
        s2svpn_status rc = s2_ike_parse_notify(&r, &n);
        if (rc != S2SVPN_OK)
            return rc;
        read_notify(&n, out);
    }
    return S2SVPN_OK;
}

/* ---- which SA */

static struct s2_ike_sa *find_sa(struct s2_ike *ike, const struct s2_ike_header *h)
{
    const bool to_responder = (h->flags & S2_IKE_FLAG_INITIATOR) != 0;
    struct s2_ike_sa *sa = s2_ike_find_spi(ike, to_responder ? h->spi_r : h->spi_i);

    if (sa == NULL || sa->initiator == to_responder)
        return NULL;
    if ((to_responder ? h->spi_i : h->spi_r) != sa->spi_peer)
        return NULL;
    return sa;
}

/* ---- what isn't protected, after IKE_SA_INIT */

/* INVALID_IKE_SPI may be true: the peer has lost its state. Ask it, with keys. */
static enum s2svpn_drop receive_hint(struct s2_ike *ike, const struct s2_ike_packet *packet)
{
    const struct s2_ike_header *h = &packet->h;
    struct s2_ike_notifies says;
    struct s2_ike_sa *sa = s2_ike_find_spi(ike, h->spi_i);

    if (sa == NULL)
        sa = s2_ike_find_spi(ike, h->spi_r);
    if (sa == NULL || s2_ike_spi_i(sa) != h->spi_i || s2_ike_spi_r(sa) != h->spi_r)
        return S2SVPN_DROP_IKE_UNKNOWN_SPI;
    if (sa->state != S2_IKE_STATE_UP || ike->now_ns < sa->hint_at_ns ||
        s2_ike_read_notifies(&packet->list, &says) != S2SVPN_OK ||
        says.error != S2_IKE_N_INVALID_IKE_SPI)
        return S2SVPN_DROP_IKE_STATE;
    sa->hint_at_ns = s2_after(ike->now_ns, HINT_GAP_NS);
    sa->want_check = true;
    s2_ike_touch(sa);
    return S2SVPN_DROP_NONE;
}

/* A request for an SA that we don't have: after a restart here, the peer learns of
 * it sooner so, section 2.21.4. Told only to those that a tunnel expects. */
static enum s2svpn_drop unknown_spi(struct s2_ike *ike, const struct s2_ike_packet *packet)
{
    const struct s2_ike_config *config;

    if ((packet->h.flags & S2_IKE_FLAG_RESPONSE) != 0 || ike->now_ns < ike->plain_reply_at_ns)
        return S2SVPN_DROP_IKE_UNKNOWN_SPI;
    if (ike->ops.candidates(ike->user, &packet->path.local, &packet->path.remote, &config, 1) == 0)
        return S2SVPN_DROP_IKE_UNKNOWN_SPI;
    ike->plain_reply_at_ns = s2_after(ike->now_ns, PLAIN_REPLY_GAP_NS);
    s2_ike_send_plain_notify(ike, packet, S2_IKE_N_INVALID_IKE_SPI, s2_span(NULL, 0));
    return S2SVPN_DROP_IKE_UNKNOWN_SPI;
}

/* ---- for the tunnel's log */

/* What it says besides is read only where somebody listens. */
static void trace_processed(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    struct s2_ike_notifies says;

    if (sa->ike->ops.trace == NULL || s2_ike_read_notifies(&packet->list, &says) != S2SVPN_OK)
        return;
    s2_ike_trace(sa, (struct s2_ike_trace){
                         .kind = S2_IKE_TRACE_PROCESSED,
                         .exchange = packet->h.exchange,
                         .response = (packet->h.flags & S2_IKE_FLAG_RESPONSE) != 0,
                         .message_id = packet->h.message_id,
                         .error = says.error,
                         .pieces = packet->pieces,
                     });
}

/* ---- IKE_SA_INIT */

static enum s2svpn_drop receive_init(struct s2_ike *ike, struct s2_ike_packet *packet)
{
    const struct s2_ike_header *h = &packet->h;
    const uint8_t flags = h->flags & (S2_IKE_FLAG_INITIATOR | S2_IKE_FLAG_RESPONSE);
    enum s2_ike_event event;

    if (h->spi_i == 0 || h->message_id != 0)
        return S2SVPN_DROP_IKE_MALFORMED;
    if (flags == S2_IKE_FLAG_INITIATOR)
        return h->spi_r == 0 ? s2_ike_init_receive(ike, packet) : S2SVPN_DROP_IKE_MALFORMED;
    if (flags != S2_IKE_FLAG_RESPONSE)
        return S2SVPN_DROP_IKE_MALFORMED;

    struct s2_ike_sa *sa = s2_ike_find_spi(ike, h->spi_i);
    if (sa == NULL || !sa->initiator)
        return S2SVPN_DROP_IKE_UNKNOWN_SPI;
    if (sa->state != S2_IKE_STATE_INIT_SENT)
        return S2SVPN_DROP_IKE_STATE;
    if (!s2_ike_init_classify(sa, packet, &event))
        return S2SVPN_DROP_IKE_MALFORMED;
    trace_processed(sa, packet);
    return s2_ike_step(sa, event, packet) ? S2SVPN_DROP_NONE : S2SVPN_DROP_IKE_STATE;
}

/* A first message with a critical payload that we don't know is told so, section 2.5:
 * at a pace, and only to those that a tunnel expects. */
static void refuse_critical(struct s2_ike *ike, const struct s2_ike_packet *packet)
{
    const struct s2_ike_header *h = &packet->h;
    const uint8_t flags = h->flags & (S2_IKE_FLAG_INITIATOR | S2_IKE_FLAG_RESPONSE);
    const uint8_t unsupported = packet->list.unsupported;
    const struct s2_ike_config *config;

    if (unsupported == 0 || h->exchange != S2_IKE_SA_INIT || flags != S2_IKE_FLAG_INITIATOR ||
        h->spi_i == 0 || h->spi_r != 0 || h->message_id != 0 ||
        ike->now_ns < ike->plain_reply_at_ns)
        return;
    if (ike->ops.candidates(ike->user, &packet->path.local, &packet->path.remote, &config, 1) == 0)
        return;
    ike->plain_reply_at_ns = s2_after(ike->now_ns, PLAIN_REPLY_GAP_NS);
    s2_ike_send_plain_notify(ike, packet, S2_IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD,
                             s2_span(&unsupported, 1));
}

/* ---- protected messages */

bool s2_ike_find_event(const struct s2_ike_header *h, enum s2_ike_event *event)
{
    const bool response = (h->flags & S2_IKE_FLAG_RESPONSE) != 0;

    switch (h->exchange) {
    case S2_IKE_AUTH:
        *event = response ? S2_IKE_EVENT_RX_AUTH_RESPONSE : S2_IKE_EVENT_RX_AUTH_REQUEST;
        return true;
    case S2_IKE_CREATE_CHILD_SA:
        *event = response ? S2_IKE_EVENT_RX_CHILD_RESPONSE : S2_IKE_EVENT_RX_CHILD_REQUEST;
        return true;
    case S2_IKE_INFORMATIONAL:
        *event = response ? S2_IKE_EVENT_RX_INFO_RESPONSE : S2_IKE_EVENT_RX_INFO_REQUEST;
        return true;
    default:
        return false;
    }
}

/* Inside the windows? A request that was answered already is answered again, if it
 * is the same to the last byte: so nobody who knows only numbers gets an answer. */
static bool in_window(struct s2_ike_sa *sa, const struct s2_ike_packet *packet,
                      enum s2svpn_drop *drop)
{
    const struct s2_ike_header *h = &packet->h;

    *drop = S2SVPN_DROP_IKE_WINDOW;
    if ((h->flags & S2_IKE_FLAG_RESPONSE) != 0)
        return sa->request.bytes.p != NULL && h->message_id == sa->out_id &&
               h->exchange == sa->request.exchange;
    const struct s2_ike_answer *answer = s2_ike_find_answer(sa, h->message_id);
    if (answer != NULL && packet->hash == answer->request_hash) {
        s2_ike_resend(sa, answer, &packet->path);
        *drop = S2SVPN_DROP_NONE;
        return false;
    }
    return h->message_id == sa->in_id;
}

bool s2_ike_is_busy(const struct s2_ike_sa *sa, const struct s2_ike_header *h)
{
    if ((h->flags & S2_IKE_FLAG_RESPONSE) == 0)
        return sa->asked.busy;
    return h->exchange == S2_IKE_CREATE_CHILD_SA && sa->answering != NULL;
}

/* Authenticated, but not to be understood: fatal for both sides, section 2.21.3, but
 * for a critical payload that we don't know. */
static void refuse_malformed(struct s2_ike_sa *sa, const struct s2_ike_packet *packet,
                             s2svpn_status rc)
{
    const uint8_t unsupported = packet->list.unsupported;
    const bool critical = rc == S2SVPN_E_UNSUPPORTED && unsupported != 0;
    const bool request = (packet->h.flags & S2_IKE_FLAG_RESPONSE) == 0;

    if (request && critical)
        rc = s2_ike_answer_notify(sa, packet->h.exchange, S2_IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD,
                                  s2_span(&unsupported, 1));
    else if (request)
        rc =
            s2_ike_answer_notify(sa, packet->h.exchange, S2_IKE_N_INVALID_SYNTAX, s2_span(NULL, 0));
    if (!request) {
        s2_ike_making_free(sa, &sa->asking); /* it would hold up the delete for ever */
        s2_ike_sa_close(sa, S2_IKE_REASON_SYNTAX, "in a response");
    } else if (!critical || !s2_ike_state_is_up(sa->state)) {
        s2_ike_sa_kill(sa, S2_IKE_REASON_SYNTAX, "in a request");
    } else if (rc != S2SVPN_OK) {
        sa->asked.busy = false;
    }
}

static void remember_request(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    sa->asked.busy = true;
    sa->asked.hash = packet->hash;
    sa->asked.path = packet->path;
}

/* The peer has proved that it is there. */
static void note_alive(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    sa->last_in_ns = sa->ike->now_ns;
    if (!s2_ike_state_is_up(sa->state))
        return;
    sa->proved = true;
    /* Message IDs must not come round, section 2.2. */
    if (sa->in_id >= MANY_MESSAGES || sa->out_id >= MANY_MESSAGES)
        sa->want_rekey = sa->asking == NULL;
    if (sa->in_id >= TOO_MANY_MESSAGES || sa->out_id >= TOO_MANY_MESSAGES)
        s2_ike_sa_kill(sa, S2_IKE_REASON_LIFETIME, "its message IDs are used up");
    else
        s2_ike_nat_follow(sa, &packet->path);
}

/* Section 3.10.1: the peer may say it in any exchange after it has proved itself. */
static void note_window(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    struct s2_ike_notifies says;

    if (s2_ike_read_notifies(&packet->list, &says) == S2SVPN_OK && says.window > 0)
        sa->peer_window = says.window;
}

enum s2svpn_drop s2_ike_receive_early(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    if (!s2_ike_expects(sa, S2_IKE_EVENT_RX_SEALED))
        return S2SVPN_DROP_IKE_STATE;
    remember_request(sa, packet);
    if (s2_ike_step(sa, S2_IKE_EVENT_RX_SEALED, packet))
        return S2SVPN_DROP_NONE;
    sa->asked.busy = false;
    return S2SVPN_DROP_IKE_STATE;
}

enum s2svpn_drop s2_ike_receive_opened(struct s2_ike_sa *sa, struct s2_ike_packet *packet,
                                       enum s2_ike_event event)
{
    const bool request = (packet->h.flags & S2_IKE_FLAG_RESPONSE) == 0;

    note_alive(sa, packet);
    if (request) {
        remember_request(sa, packet);
        s2_ike_fragments_free(sa->ike->env, &sa->request_parts); /* it came whole */
    } else {
        s2_ike_request_done(sa);
    }
    s2_ike_touch(sa);
    s2svpn_status rc = s2_ike_read_chain(packet->inner, packet->inner_first, &packet->list);
    if (rc != S2SVPN_OK) {
        refuse_malformed(sa, packet, rc);
        return S2SVPN_DROP_IKE_MALFORMED;
    }
    trace_processed(sa, packet);
    if (!s2_ike_step(sa, event, packet)) {
        sa->asked.busy = false;
        return S2SVPN_DROP_IKE_STATE;
    }
    if (s2_ike_state_is_up(sa->state)) {
        note_window(sa, packet);
        s2_ike_twins_review(sa);
    }
    return S2SVPN_DROP_NONE;
}

static enum s2svpn_drop receive_sealed(struct s2_ike_sa *sa, struct s2_ike_packet *packet,
                                       const struct s2_ike_payload *sk)
{
    const struct s2_ike_payload seal = *sk; /* the list is read anew */
    enum s2_ike_event event;
    enum s2svpn_drop drop;

    if (!s2_ike_find_event(&packet->h, &event))
        return S2SVPN_DROP_IKE_MALFORMED;
    if (s2_ike_is_ahead(sa, &packet->h))
        return s2_ike_keep_ahead(sa, packet, &seal);
    if (!in_window(sa, packet, &drop))
        return drop;
    if (s2_ike_is_busy(sa, &packet->h))
        return S2SVPN_DROP_IKE_STATE;
    if (!sa->keyed && event == S2_IKE_EVENT_RX_AUTH_REQUEST)
        return s2_ike_receive_early(sa, packet);
    if (!sa->keyed || !s2_ike_expects(sa, event))
        return S2SVPN_DROP_IKE_STATE;

    s2svpn_status rc = s2_ike_sk_open(&sa->ike->crypto, &sa->keys, sa->initiator, packet->p,
                                      packet->len, &seal, &packet->inner);
    if (rc != S2SVPN_OK)
        s2_ike_trace(sa, (struct s2_ike_trace){.kind = S2_IKE_TRACE_UNREADABLE,
                                               .exchange = packet->h.exchange,
                                               .message_id = packet->h.message_id});
    if (rc != S2SVPN_OK)
        return rc == S2SVPN_E_MALFORMED ? S2SVPN_DROP_IKE_MALFORMED
                                        : S2SVPN_DROP_IKE_AUTHENTICATION;
    packet->inner_first = seal.next;
    return s2_ike_receive_opened(sa, packet, event);
}

enum s2svpn_drop s2_ike_v2_receive(struct s2_ike *ike, struct s2_ike_packet *packet)
{
    const struct s2_ike_header *h = &packet->h;

    /* parse_header has read these bytes. */
    if (s2_ike_read_chain(s2_span(packet->p + S2_IKE_HEADER_LEN, packet->len - S2_IKE_HEADER_LEN),
                          h->next_payload, &packet->list) != S2SVPN_OK) {
        refuse_critical(ike, packet);
        return S2SVPN_DROP_IKE_MALFORMED;
    }
    if (h->exchange == S2_IKE_SA_INIT)
        return receive_init(ike, packet);

    const struct s2_ike_payload *sk = s2_ike_find(&packet->list, S2_IKE_PAYLOAD_SK);
    const struct s2_ike_payload *skf = s2_ike_find(&packet->list, S2_IKE_PAYLOAD_SKF);
    if (sk == NULL && skf == NULL)
        return receive_hint(ike, packet);
    struct s2_ike_sa *sa = find_sa(ike, h);
    if (sa == NULL)
        return unknown_spi(ike, packet);
    if (skf != NULL)
        return s2_ike_receive_fragment(sa, packet, skf);
    return receive_sealed(sa, packet, sk);
}
