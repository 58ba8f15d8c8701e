/* SPDX-License-Identifier: Apache-2.0 */
/* Composing messages, and one request of ours at a time: it is sent again until it is
 * answered; what was answered is answered again with the same bytes, but only when
 * asked. A message in fragments is kept as these. RFC 7296
 * sections 2.1 to 2.3. */
#include "ike/v2/v2.h"

#include "base/text.h"

#define NEXT_PAYLOAD_AT 16 /* in the header, RFC 7296 section 3.1 */
#define LENGTH_AT 24
#define CLOSE_TRIES 2 /* a delete needn't wait for a dead peer as long as a rekey */
#define LONGEST_WAIT_MS UINT64_C(3600000)

/* ---- composing */

/* In room; where that is empty, in c's own, which is enough for all but certificates. */
static void begin(struct s2_ike_compose *c, const struct s2_ike_header *h,
                  const struct s2_ike_bytes *room)
{
    c->bytes = room->p != NULL ? room->p : c->own;
    s2_writer_init(&c->w, c->bytes, room->p != NULL ? room->len : sizeof(c->own));
    s2_ike_write_header(&c->w, h);
    s2_ike_chain_begin(&c->plain, &c->w, NEXT_PAYLOAD_AT);
    c->chain = &c->plain;
}

void s2_ike_compose_plain(struct s2_ike_compose *c, const struct s2_ike_header *h)
{
    begin(c, h, &(struct s2_ike_bytes){0});
}

static s2svpn_status compose_sealed(struct s2_ike_compose *c, struct s2_ike_sa *sa,
                                    uint8_t exchange, bool response,
                                    const struct s2_ike_bytes *room)
{
    const uint8_t flags = response ? S2_IKE_FLAG_RESPONSE : 0;
    const struct s2_ike_header h = {
        .spi_i = s2_ike_spi_i(sa),
        .spi_r = s2_ike_spi_r(sa),
        .version = S2_IKE_VERSION_2,
        .exchange = exchange,
        .flags = (uint8_t)(flags | (sa->initiator ? S2_IKE_FLAG_INITIATOR : 0)),
        .message_id = response ? sa->in_id : sa->out_id,
    };

    begin(c, &h, room);
    s2svpn_status rc = s2_ike_sk_begin(&c->sk, &c->w, sa->ike->env, &sa->keys);
    c->chain = &c->sk.chain;
    return rc;
}

s2svpn_status s2_ike_compose_request(struct s2_ike_compose *c, struct s2_ike_sa *sa,
                                     uint8_t exchange)
{
    return compose_sealed(c, sa, exchange, false, &(struct s2_ike_bytes){0});
}

s2svpn_status s2_ike_compose_response(struct s2_ike_compose *c, struct s2_ike_sa *sa,
                                      uint8_t exchange)
{
    return compose_sealed(c, sa, exchange, true, &(struct s2_ike_bytes){0});
}

s2svpn_status s2_ike_compose_auth(struct s2_ike_compose *c, struct s2_ike_sa *sa)
{
    return compose_sealed(c, sa, S2_IKE_AUTH, !sa->initiator, &sa->handshake->room);
}

/* Plain messages are ended, protected ones sealed with a counter of their own, in as
 * many pieces as it takes. */
static s2svpn_status finish(struct s2_ike_sa *sa, struct s2_ike_compose *c,
                            const struct s2_ike_path *path, struct s2_ike_bytes *out)
{
    s2svpn_status rc;

    if (c->chain == &c->plain)
        rc = s2_ike_write_end(&c->w);
    else if (s2_ike_is_too_long(sa, c, path))
        return s2_ike_split(sa, c, path, out);
    else
        rc = s2_ike_sk_end(&c->sk, &sa->ike->crypto, &sa->keys, sa->initiator, sa->aead_counter++);
    return rc == S2SVPN_OK ? s2_ike_bytes_set(sa->ike, out, c->bytes, c->w.len) : rc;
}

void s2_ike_add_bytes(struct s2_ike_compose *c, uint8_t payload, s2svpn_span body)
{
    s2_ike_payload_begin(c->chain, payload);
    s2_write_span(&c->w, body);
    s2_ike_payload_end(c->chain);
}

void s2_ike_add_notify(struct s2_ike_compose *c, uint16_t type, s2svpn_span data)
{
    const struct s2_ike_notify_payload n = {.type = type, .data = data};

    s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_NOTIFY);
    s2_ike_write_notify(&c->w, &n);
    s2_ike_payload_end(c->chain);
}

void s2_ike_add_window(struct s2_ike_compose *c, const struct s2_ike_sa *sa)
{
    uint8_t size[4] = {0};

    s2_put_u32(size, sa->ike->options.request_window);
    if (sa->ike->options.request_window > 1)
        s2_ike_add_notify(c, S2_IKE_N_SET_WINDOW_SIZE, s2_span(size, sizeof(size)));
}

void s2_ike_add_sa(struct s2_ike_compose *c, const struct s2_ike_sa_payload *sa)
{
    s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_SA);
    s2_ike_write_sa(&c->w, sa);
    s2_ike_payload_end(c->chain);
}

void s2_ike_add_ke(struct s2_ike_compose *c, const struct s2_ike_kex *kex)
{
    s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_KE);
    s2_ike_write_ke(&c->w, kex->row->id, s2_span(kex->public_value, kex->row->out_len));
    s2_ike_payload_end(c->chain);
}

void s2_ike_add_id(struct s2_ike_compose *c, uint8_t payload, const struct s2_ike_id *id)
{
    s2_ike_payload_begin(c->chain, payload);
    s2_ike_write_id(&c->w, id);
    s2_ike_payload_end(c->chain);
}

/* ---- sending */

static void transmit(struct s2_ike *ike, const struct s2_ike_path *path, const uint8_t *p,
                     size_t len)
{
    ike->ops.send(ike->user, &path->local, &path->remote, p, len);
}

/* A message, or all its fragments. The callback may end what they belong to, so
 * several go from a copy; without memory for it they are asked for again. */
static void transmit_all(struct s2_ike_sa *sa, const struct s2_ike_path *path,
                         const struct s2_ike_bytes *b)
{
    struct s2_ike *ike = sa->ike;
    const struct s2_ike_path to = *path;
    struct s2_ike_bytes copy = {0};

    if (b->p == NULL)
        return;
    sa->last_out_ns = ike->now_ns;
    if (s2_get_u32(b->p + LENGTH_AT) == b->len) {
        transmit(ike, &to, b->p, b->len);
        return;
    }
    if (s2_ike_bytes_set(ike, &copy, b->p, b->len) != S2SVPN_OK)
        return;
    for (size_t at = 0, len; at < copy.len; at += len) {
        len = s2_get_u32(copy.p + at + LENGTH_AT);
        transmit(ike, &to, copy.p + at, len);
    }
    s2_ike_bytes_clear(ike, &copy);
}

static uint8_t most_tries(const struct s2_ike_sa *sa)
{
    const uint32_t tries = sa->ike->options.retransmit_tries;

    if (sa->state == S2_IKE_STATE_CLOSING && tries > CLOSE_TRIES)
        return CLOSE_TRIES;
    return tries < UINT8_MAX ? (uint8_t)tries : UINT8_MAX;
}

/* An established peer is dead after dpd_timeout_s, however often we asked. */
static uint64_t give_up_at(const struct s2_ike_sa *sa)
{
    const bool up = sa->state == S2_IKE_STATE_UP || sa->state == S2_IKE_STATE_REKEYED;

    if (!up || sa->config->dpd_timeout_s == 0)
        return S2SVPN_NEVER;
    /* Whatever it sent meanwhile, protected and fresh, proves that it lives: section 2.4. */
    const uint64_t since =
        sa->last_in_ns > sa->request.first_ns ? sa->last_in_ns : sa->request.first_ns;

    return s2_after(since, sa->config->dpd_timeout_s * S2_SECOND);
}

/* timeout * base^tries / 100^tries, section 2.1's exponential back-off. */
static uint64_t wait_ns(const struct s2_ike_sa *sa)
{
    uint64_t ms = sa->ike->options.retransmit_timeout_ms;

    for (uint8_t i = 0; i < sa->request.tries && ms < LONGEST_WAIT_MS; i++)
        ms = ms * sa->ike->options.retransmit_base_percent / 100;
    return (ms < LONGEST_WAIT_MS ? ms : LONGEST_WAIT_MS) * S2_MS;
}

static void arm_retry(struct s2_ike_sa *sa)
{
    uint64_t at = s2_after(sa->ike->now_ns, wait_ns(sa));
    const uint64_t end = give_up_at(sa);

    s2_timer_set(sa->ike->env->timers, &sa->retry, at < end ? at : end);
}

s2svpn_status s2_ike_send_request(struct s2_ike_sa *sa, struct s2_ike_compose *c, uint8_t exchange)
{
    struct s2_ike *ike = sa->ike;
    s2svpn_status rc = finish(sa, c, &sa->path, &sa->request.bytes);

    if (rc != S2SVPN_OK)
        return rc;
    sa->request.exchange = exchange;
    sa->request.tries = 0;
    sa->request.first_ns = ike->now_ns;
    sa->request.unsent = true;
    arm_retry(sa);
    s2_ike_touch(sa);
    return S2SVPN_OK;
}

void s2_ike_request_done(struct s2_ike_sa *sa)
{
    s2_timer_cancel(sa->ike->env->timers, &sa->retry);
    s2_ike_bytes_clear(sa->ike, &sa->request.bytes);
    s2_ike_fragments_free(sa->ike->env, &sa->response_parts);
    sa->out_id++;
}

void s2_ike_request_pause(struct s2_ike_sa *sa)
{
    s2_timer_cancel(sa->ike->env->timers, &sa->retry);
}

void s2_ike_request_resume(struct s2_ike_sa *sa)
{
    arm_retry(sa);
}

/* A peer that lives but never answers this one request holds the window for ever:
 * that ends when tries and time are both used up. */
static bool is_given_up(const struct s2_ike_sa *sa)
{
    const uint64_t now = sa->ike->now_ns, end = give_up_at(sa);
    const bool tried = sa->request.tries >= most_tries(sa);

    if (end == S2SVPN_NEVER)
        return tried;
    return now >= end ||
           (tried && now - sa->request.first_ns >= sa->config->dpd_timeout_s * S2_SECOND);
}

static void retry(struct s2_ike_sa *sa)
{
    struct s2_ike *ike = sa->ike;

    if (sa->request.bytes.p == NULL)
        return;
    if (is_given_up(sa)) {
        s2_ike_trace(sa, (struct s2_ike_trace){.kind = S2_IKE_TRACE_UNANSWERED,
                                               .exchange = sa->request.exchange,
                                               .message_id = sa->out_id,
                                               .tries = sa->request.tries});
        s2_ike_step(sa, S2_IKE_EVENT_SILENCE, NULL);
        return;
    }
    if (sa->request.tries < UINT8_MAX)
        sa->request.tries++;
    ike->counters.retransmits++;
    sa->request.unsent = true;
    arm_retry(sa);
    s2_ike_touch(sa);
}

void s2_ike_request_again(struct s2_ike_sa *sa)
{
    if (sa->request.bytes.p == NULL || !sa->retry.armed)
        return;
    sa->request.unsent = true;
    s2_ike_touch(sa);
}

void s2_ike_retry_fire(void *arg, uint64_t now_ns)
{
    struct s2_ike_sa *sa = arg;
    struct s2_ike *ike = sa->ike;

    s2_ike_enter(ike, now_ns);
    retry(sa);
    s2_ike_leave(ike);
}

s2svpn_status s2_ike_send_response(struct s2_ike_sa *sa, struct s2_ike_compose *c)
{
    if (sa->state == S2_IKE_STATE_DEAD)
        return S2SVPN_E_STATE;
    struct s2_ike_bytes bytes = {0};
    s2svpn_status rc = finish(sa, c, &sa->asked.path, &bytes);
    if (rc != S2SVPN_OK)
        return rc;
    s2_ike_keep_answer(sa);
    sa->response = (struct s2_ike_answer){bytes, sa->asked.hash, sa->in_id++};
    sa->asked.busy = false;
    sa->response_unsent = true;
    s2_ike_fragments_free(sa->ike->env, &sa->request_parts);
    s2_ike_touch(sa);
    return S2SVPN_OK;
}

void s2_ike_flush(struct s2_ike_sa *sa)
{
    const bool request = sa->request.unsent && sa->request.bytes.p != NULL;
    const bool response = sa->response_unsent && sa->response.bytes.p != NULL;

    sa->request.unsent = sa->response_unsent = false;
    if (response) {
        s2_ike_trace_message(sa, S2_IKE_TRACE_SENT, &sa->response.bytes, 0);
        transmit_all(sa, &sa->asked.path, &sa->response.bytes);
    }
    if (request && sa->state != S2_IKE_STATE_DEAD) {
        s2_ike_trace_message(sa, S2_IKE_TRACE_SENT, &sa->request.bytes, sa->request.tries);
        transmit_all(sa, &sa->path, &sa->request.bytes);
    }
}

void s2_ike_resend(struct s2_ike_sa *sa, const struct s2_ike_answer *answer,
                   const struct s2_ike_path *to)
{
    s2_ike_trace_message(sa, S2_IKE_TRACE_SENT, &answer->bytes, 1);
    transmit_all(sa, to, &answer->bytes);
}

s2svpn_status s2_ike_answer_notify(struct s2_ike_sa *sa, uint8_t exchange, uint16_t type,
                                   s2svpn_span data)
{
    struct s2_ike_compose c;
    s2svpn_status rc = s2_ike_compose_response(&c, sa, exchange);

    if (rc != S2SVPN_OK)
        return rc;
    s2_ike_add_notify(&c, type, data);
    s2_ike_trace(sa, (struct s2_ike_trace){.kind = S2_IKE_TRACE_REFUSED,
                                           .exchange = exchange,
                                           .message_id = sa->in_id,
                                           .error = type});
    return s2_ike_send_response(sa, &c);
}

void s2_ike_send_plain_notify(struct s2_ike *ike, const struct s2_ike_packet *packet, uint16_t type,
                              s2svpn_span data)
{
    struct s2_ike_compose c;
    struct s2_ike_header h = packet->h;

    /* The sender's flag turns around with the direction, sections 2.5 and 2.21.4. */
    h.flags = (uint8_t)(S2_IKE_FLAG_RESPONSE | ((~h.flags) & S2_IKE_FLAG_INITIATOR));
    h.version = S2_IKE_VERSION_2;
    s2_ike_compose_plain(&c, &h);
    s2_ike_add_notify(&c, type, data);
    if (s2_ike_write_end(&c.w) == S2SVPN_OK)
        transmit(ike, &packet->path, c.bytes, c.w.len);
}
