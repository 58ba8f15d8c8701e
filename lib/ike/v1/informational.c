/* SPDX-License-Identifier: Apache-2.0 */
/* Informational exchanges: deletes, notifications, and liveness. What comes in here has
 * a HASH that is right, but for s2_ike1_info_plain. RFC 2409 section 5.7, RFC 2408
 * sections 3.14, 3.15, RFC 3706. */
#include "ike/v1/v1.h"

#include <string.h>

#define PLAIN_REPLY_GAP_NS (S2_SECOND / 10)
#define HALF (UINT32_C(1) << 31)

/* ---- out */

static void begin(struct s2_ike1_compose *c, const struct s2_ike_sa *sa, uint32_t id)
{
    s2_ike1_compose(c, sa, S2_IKE1_INFORMATIONAL, id);
    s2_ike1_hashed_begin(&c->chain, &c->w, &sa->v1->keys);
}

static void end(struct s2_ike1_compose *c, struct s2_ike_sa *sa, uint32_t id)
{
    const struct s2_ike_crypto *crypto = &sa->ike->crypto;
    struct s2_ike1 *v1 = sa->v1;
    struct s2_ike1_iv iv;

    s2svpn_status rc = s2_ike1_iv_message(crypto, &v1->keys, &v1->iv, id, &iv);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_hashed_end(&c->w, crypto, &v1->keys, id, s2_span(NULL, 0), &iv);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_notice(sa, c);
    if (rc != S2SVPN_OK)
        s2_log(sa->ike->env, S2_LOG_INFO, "%s: an informational was not sent: %s",
               sa->config->name != NULL ? sa->config->name : "-", s2svpn_status_text(rc));
}

static bool can_send(const struct s2_ike_sa *sa, uint32_t *id)
{
    return sa->state != S2_IKE_STATE_DEAD && sa->v1->keys.prf != NULL &&
           sa->v1->state != S2_IKE1_STATE_ORPHAN &&
           s2_ike1_draw_message_id((struct s2_ike_sa *)(uintptr_t)sa, id) == S2SVPN_OK;
}

void s2_ike1_send_notify(struct s2_ike_sa *sa, uint8_t protocol, uint16_t type, s2svpn_span spi,
                         s2svpn_span data)
{
    const struct s2_ike1_notify_payload n = {
        .doi = S2_IKE1_DOI_IPSEC, .protocol = protocol, .type = type, .spi = spi, .data = data};
    struct s2_ike1_compose c;
    uint32_t id;

    if (!can_send(sa, &id))
        return;
    begin(&c, sa, id);
    s2_ike1_payload_begin(&c.chain, S2_IKE1_PAYLOAD_NOTIFY);
    s2_ike1_write_notify(&c.w, &n);
    s2_ike1_payload_end(&c.chain);
    end(&c, sa, id);
}

void s2_ike1_send_delete(struct s2_ike_sa *sa, uint32_t spi)
{
    struct s2_ike1_delete_payload d = {.protocol = S2_IKE1_PROTO_ESP, .count = 1, .spi = {spi}};
    struct s2_ike1_compose c;
    uint32_t id;

    if (!can_send(sa, &id))
        return;
    if (spi == 0) {
        d.protocol = S2_IKE1_PROTO_ISAKMP;
        d.cookies[0].i = s2_ike_spi_i(sa);
        d.cookies[0].r = s2_ike_spi_r(sa);
    }
    s2_ike_trace(sa, (struct s2_ike_trace){.kind = S2_IKE_TRACE_DELETE_SENT,
                                           .exchange = S2_IKE1_INFORMATIONAL,
                                           .child = spi != 0,
                                           .spi = spi != 0 ? spi : sa->spi_own});
    begin(&c, sa, id);
    s2_ike1_payload_begin(&c.chain, S2_IKE1_PAYLOAD_DELETE);
    s2_ike1_write_delete(&c.w, &d);
    s2_ike1_payload_end(&c.chain);
    end(&c, sa, id);
}

void s2_ike1_refuse(struct s2_ike *ike, const struct s2_ike1_packet *packet, uint16_t type)
{
    const struct s2_ike1_notify_payload n = {
        .doi = S2_IKE1_DOI_IPSEC, .protocol = S2_IKE1_PROTO_ISAKMP, .type = type};
    const struct s2_ike1_header h = {
        .cookie_i = packet->h.cookie_i,
        .cookie_r = packet->h.cookie_r,
        .version = S2_IKE1_VERSION,
        .exchange = S2_IKE1_INFORMATIONAL,
    };
    struct s2_ike1_compose c;

    if (ike->now_ns < ike->plain_reply_at_ns)
        return;
    ike->plain_reply_at_ns = s2_after(ike->now_ns, PLAIN_REPLY_GAP_NS);
    s2_writer_init(&c.w, c.bytes, sizeof(c.bytes));
    s2_ike1_write_header(&c.w, &h);
    s2_ike1_chain_begin(&c.chain, &c.w);
    s2_ike1_payload_begin(&c.chain, S2_IKE1_PAYLOAD_NOTIFY);
    s2_ike1_write_notify(&c.w, &n);
    s2_ike1_payload_end(&c.chain);
    if (s2_ike1_write_end(&c.w) == S2SVPN_OK)
        ike->ops.send(ike->user, &packet->path.local, &packet->path.remote, c.bytes, c.w.len);
}

/* ---- liveness */

static void send_dpd(struct s2_ike_sa *sa, uint16_t type, uint32_t sequence)
{
    uint8_t cookies[S2_IKE1_COOKIES_LEN] = {0}, data[4] = {0};

    s2_put_u64(cookies, s2_ike_spi_i(sa));
    s2_put_u64(cookies + 8, s2_ike_spi_r(sa));
    s2_put_u32(data, sequence);
    s2_ike1_send_notify(sa, S2_IKE1_PROTO_ISAKMP, type, s2_span(cookies, sizeof(cookies)),
                        s2_span(data, sizeof(data)));
}

/* The first number is random and small enough, RFC 3706 section 6.2. */
void s2_ike1_dpd_ask(struct s2_ike_sa *sa)
{
    struct s2_ike1 *v1 = sa->v1;

    sa->want_check = false;
    if (!v1->dpd.known || v1->dpd.asking)
        return;
    if (v1->dpd.last == 0) {
        if (s2_random(sa->ike->env, &v1->dpd.last, sizeof(v1->dpd.last)) != S2SVPN_OK)
            return;
        v1->dpd.last &= HALF - 1;
    }
    v1->dpd.asking = true;
    v1->dpd.tries = 0;
    v1->dpd.first = ++v1->dpd.last;
    v1->dpd.first_ns = sa->ike->now_ns;
    v1->dpd.again_ns = s2_after(sa->ike->now_ns, s2_ike1_wait_ns(sa, 0));
    send_dpd(sa, S2_IKE1_N_R_U_THERE, v1->dpd.last);
    s2_ike1_siblings_probe(sa);
}

void s2_ike1_dpd_probe(struct s2_ike_sa *sa)
{
    struct s2_ike1 *v1 = sa->v1;

    if (!v1->dpd.known)
        return;
    if (!v1->dpd.asking)
        v1->dpd.first = v1->dpd.last + 1;
    v1->dpd.asking = true;
    send_dpd(sa, S2_IKE1_N_R_U_THERE, ++v1->dpd.last);
}

void s2_ike1_fresh(struct s2_ike_sa *sa, const struct s2_ike_path *path)
{
    sa->last_in_ns = sa->ike->now_ns;
    sa->v1->dpd.asking = false;
    s2_ike_nat_follow(sa, path);
}

/* Packets on a child are a sign of life too, section 5.4. */
static bool heard_esp(const struct s2_ike_sa *sa)
{
    struct s2_ike *ike = sa->ike;

    return ike->ops.last_inbound != NULL &&
           ike->ops.last_inbound(ike->user, sa->config->owner) > sa->v1->dpd.first_ns;
}

void s2_ike1_dpd_again(struct s2_ike_sa *sa)
{
    struct s2_ike1 *v1 = sa->v1;
    const uint64_t now = sa->ike->now_ns, timeout = sa->config->dpd_timeout_s * S2_SECOND;
    const bool tired = timeout > 0 ? now >= s2_after(v1->dpd.first_ns, timeout)
                                   : v1->dpd.tries >= sa->ike->options.retransmit_tries;

    if (heard_esp(sa)) {
        v1->dpd.asking = false;
        return;
    }
    if (tired) {
        s2_ike_trace(sa, (struct s2_ike_trace){.kind = S2_IKE_TRACE_UNANSWERED,
                                               .exchange = S2_IKE1_INFORMATIONAL,
                                               .tries = v1->dpd.tries});
        s2_ike1_step(sa, S2_IKE1_EVENT_SILENCE, NULL);
        return;
    }
    if (v1->dpd.tries < UINT8_MAX)
        v1->dpd.tries++;
    uint64_t at = s2_after(now, s2_ike1_wait_ns(sa, v1->dpd.tries));
    if (timeout > 0 && at > s2_after(v1->dpd.first_ns, timeout))
        at = s2_after(v1->dpd.first_ns, timeout);
    v1->dpd.again_ns = at;
    sa->ike->counters.retransmits++;
    send_dpd(sa, S2_IKE1_N_R_U_THERE, ++v1->dpd.last);
    s2_ike1_siblings_probe(sa);
}

/* Numbers rise, so an old question isn't answered twice. */
static void answer_dpd(struct s2_ike_sa *sa, uint32_t sequence, const struct s2_ike_path *path)
{
    struct s2_ike1 *v1 = sa->v1;

    if (sa->config->no_liveness) {
        s2_ike_note(sa, S2_IKE_UNANSWERED);
        return;
    }
    if (v1->dpd.heard && (sequence == v1->dpd.peer || sequence - v1->dpd.peer >= HALF))
        return;
    v1->dpd.heard = true;
    v1->dpd.peer = sequence;
    s2_ike1_fresh(sa, path);
    if (sa->state != S2_IKE_STATE_DEAD)
        send_dpd(sa, S2_IKE1_N_R_U_THERE_ACK, sequence);
}

static void take_ack(struct s2_ike_sa *sa, uint32_t sequence, const struct s2_ike_path *path)
{
    const struct s2_ike1 *v1 = sa->v1;

    if (v1->dpd.asking && sequence - v1->dpd.first <= v1->dpd.last - v1->dpd.first)
        s2_ike1_fresh(sa, path);
}

/* ---- in */

enum s2_ike_reason s2_ike1_reason_of(uint16_t type)
{
    switch (type) {
    case S2_IKE1_N_NO_PROPOSAL_CHOSEN:
    case S2_IKE1_N_BAD_PROPOSAL_SYNTAX:
    case S2_IKE1_N_ATTRIBUTES_NOT_SUPPORTED:
        return S2_IKE_REASON_NO_PROPOSAL;
    case S2_IKE1_N_INVALID_ID_INFORMATION:
        return S2_IKE_REASON_TS_UNACCEPTABLE;
    case S2_IKE1_N_AUTHENTICATION_FAILED:
        return S2_IKE_REASON_PEER_AUTHENTICATION;
    default:
        return S2_IKE_REASON_PEER_ERROR;
    }
}

/* Is it about this one? It may hold the SPI that we offered; many peers' don't. */
static bool is_about(const struct s2_ike1_quick *q, s2svpn_span spi)
{
    return q != NULL &&
           (spi.len != 4 || s2_get_u32(spi.p) == q->making->spi_in || s2_get_u32(spi.p) == 0);
}

static void take_error(struct s2_ike_sa *sa, uint16_t type, s2svpn_span spi)
{
    struct s2_ike1_quick *q = s2_ike1_quick_ours(sa);

    if (is_about(q, spi)) {
        q->refusal = type;
        s2_ike1_quick_step(q, S2_IKE1_QUICK_ON_REFUSED, NULL);
    } else {
        s2_log(sa->ike->env, S2_LOG_INFO, "%s: the peer says %s",
               sa->config->name != NULL ? sa->config->name : "-", s2_ike1_notify_name(type));
    }
}

static void take_notify(struct s2_ike_sa *sa, const struct s2_ike1_payload *payload,
                        const struct s2_ike_path *path)
{
    struct s2_ike1_notify_payload n;
    uint32_t sequence;
    struct s2_reader r;

    s2_reader_init(&r, payload->body.p, payload->body.len);
    if (s2_ike1_parse_notify(&r, &n) != S2SVPN_OK)
        return;
    switch (n.type) {
    case S2_IKE1_N_R_U_THERE:
        if (s2_ike1_notify_dpd(&n, s2_ike_spi_i(sa), s2_ike_spi_r(sa), &sequence))
            answer_dpd(sa, sequence, path);
        break;
    case S2_IKE1_N_R_U_THERE_ACK:
        if (s2_ike1_notify_dpd(&n, s2_ike_spi_i(sa), s2_ike_spi_r(sa), &sequence))
            take_ack(sa, sequence, path);
        break;
    case S2_IKE1_N_CONNECTED:
    case S2_IKE1_N_REPLAY_STATUS:
    case S2_IKE1_N_RESPONDER_LIFETIME:
        break;
    case S2_IKE1_N_INITIAL_CONTACT:
        s2_ike_twins_initial_contact(sa);
        break;
    default:
        if (n.type < S2_IKE1_N_CONNECTED)
            take_error(sa, n.type, n.spi);
    }
}

static void delete_child(struct s2_ike_sa *sa, uint32_t spi)
{
    struct s2_ike_sa *home = s2_ike1_home(sa);
    struct s2_ike_child_sa *child = s2_ike_child_find_out(home, spi);

    if (child == NULL)
        return;
    S2_LIST_EACH(&sa->v1->quicks, it) { /* nothing is waited for any more */
        struct s2_ike1_quick *q = S2_CONTAINER(it, struct s2_ike1_quick, link);

        if (q->child == child->spi_in && q->state == S2_IKE1_QUICK_ANSWERED) {
            q->child = 0;
            s2_ike1_quick_step(q, S2_IKE1_QUICK_ON_EXPIRE, NULL);
        }
    }
    s2_ike_trace(sa, (struct s2_ike_trace){.kind = S2_IKE_TRACE_DELETE_RECEIVED,
                                           .exchange = S2_IKE1_INFORMATIONAL,
                                           .child = true,
                                           .spi = spi});
    s2_ike_child_remove(home, child, S2_IKE_REASON_PEER_DELETE);
}

/* It may be said under another SA of the same peer. */
static void delete_sa(struct s2_ike_sa *sa, uint64_t cookie_i, uint64_t cookie_r)
{
    struct s2_ike_sa *named = s2_ike_find_spi(sa->ike, cookie_i);

    if (named == NULL)
        named = s2_ike_find_spi(sa->ike, cookie_r);
    if (named == NULL || named->v1 == NULL || named->owner != sa->owner ||
        !s2_ike_state_is_up(named->state) || s2_ike_spi_i(named) != cookie_i ||
        s2_ike_spi_r(named) != cookie_r)
        return;
    s2_ike_trace(named, (struct s2_ike_trace){.kind = S2_IKE_TRACE_DELETE_RECEIVED,
                                              .exchange = S2_IKE1_INFORMATIONAL,
                                              .spi = named->spi_peer});
    s2_ike1_siblings_deleted(named);
}

static void take_delete(struct s2_ike_sa *sa, const struct s2_ike1_payload *payload)
{
    struct s2_ike1_delete_payload d;
    struct s2_reader r;

    s2_reader_init(&r, payload->body.p, payload->body.len);
    if (s2_ike1_parse_delete(&r, &d) != S2SVPN_OK)
        return;
    for (size_t i = 0; i < d.count && sa->state != S2_IKE_STATE_DEAD; i++) {
        if (d.protocol == S2_IKE1_PROTO_ESP)
            delete_child(sa, d.spi[i]);
        else if (d.protocol == S2_IKE1_PROTO_ISAKMP)
            delete_sa(sa, d.cookies[i].i, d.cookies[i].r);
    }
}

/* What follows the delete of the SA itself is not for it any more. */
enum s2_ike1_step s2_ike1_info_receive(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    if (sa->v1->deleted) {
        s2_ike1_send_delete(sa, 0);
        return S2_IKE1_STAY;
    }
    for (size_t i = 0; i < packet->list.count && sa->state != S2_IKE_STATE_DEAD; i++) {
        const struct s2_ike1_payload *p = &packet->list.item[i];

        if (p->type == S2_IKE1_PAYLOAD_NOTIFY)
            take_notify(sa, p, &packet->path);
        if (p->type == S2_IKE1_PAYLOAD_DELETE)
            take_delete(sa, p);
        if (sa->v1->state == S2_IKE1_STATE_ORPHAN)
            break;
    }
    return S2_IKE1_STAY;
}

enum s2svpn_drop s2_ike1_info_plain(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    return s2_ike1_step(sa, S2_IKE1_EVENT_RX_HINT, packet) ? S2SVPN_DROP_NONE
                                                           : S2SVPN_DROP_IKE_STATE;
}
