/* SPDX-License-Identifier: Apache-2.0 */
/* Quick mode as responder: HASH(2) SA Nr [KE] [IDci IDcr] [N]. Selectors are taken as
 * the peer says or not at all; the transform goes back as it came, and a shorter lifetime
 * of ours goes in a notification beside it. RFC 2409 section 5.5, RFC 2407 sections 4.5.4,
 * 4.6.3.1. */
#include "ike/v1/v1.h"

#include <string.h>

#define RESERVED_SPIS 255 /* RFC 4303 section 2.1 */

/* It may come again, lost as this notification may be: so its id isn't remembered. */
static enum s2_ike1_step refuse(struct s2_ike1_quick *q, uint16_t type)
{
    struct s2_ike_sa *sa = q->sa;
    uint8_t spi[4] = {0};

    s2_put_u32(spi, q->making->spi_out);
    s2_ike1_send_notify(sa, S2_IKE1_PROTO_ESP, type,
                        s2_span(spi, q->making->spi_out != 0 ? sizeof(spi) : 0), s2_span(NULL, 0));
    s2_ike_trace(sa, (struct s2_ike_trace){.kind = S2_IKE_TRACE_REFUSED,
                                           .exchange = S2_IKE1_QUICK,
                                           .child = true,
                                           .message_id = q->message_id,
                                           .error = type});
    s2_ike_note(sa, "the peer's quick mode is refused: %s", s2_ike1_notify_name(type));
    return S2_IKE1_ENDED;
}

/* ---- the first message */

static s2svpn_status write_answer(struct s2_ike1_quick *q, struct s2_ike1_sa_payload *answer)
{
    uint8_t body[1024];
    struct s2_writer w;

    answer->proposal[0].spi_len = 4;
    s2_put_u32(answer->proposal[0].spi, q->making->spi_in);
    s2_writer_init(&w, body, sizeof(body));
    s2_ike1_write_sa(&w, answer);
    s2svpn_status rc = s2_writer_finish(&w);
    return rc == S2SVPN_OK ? s2_ike_bytes_set(q->sa->ike, &q->answer, body, w.len) : rc;
}

static bool read_id(const struct s2_ike1_payload *p, struct s2_ike_ts *out)
{
    struct s2_ike1_id id;
    struct s2_reader r;

    s2_reader_init(&r, p->body.p, p->body.len);
    return s2_ike1_parse_id(&r, &id) == S2SVPN_OK && s2_ike1_id_to_ts(&id, out);
}

static struct s2_ike_ts host(const s2svpn_address *a)
{
    const s2svpn_prefix net = {.address = *a, .length = a->family == S2SVPN_FAMILY_IPV6 ? 128 : 32};

    return s2_ike_ts_of(&net);
}

/* Without IDs the two ends of phase 1 are meant. */
static bool read_selectors(struct s2_ike1_quick *q, const struct s2_ike1_payloads *list)
{
    const size_t count = s2_ike1_count(list, S2_IKE1_PAYLOAD_ID);
    const struct s2_ike_config *config = q->sa->config;
    const struct s2_ike_ts ours = s2_ike_ts_of(&config->local_net);
    const struct s2_ike_ts theirs = s2_ike_ts_of(&config->remote_net);
    struct s2_ike_making *m = q->making;
    struct s2_ike_ts local, remote;

    if (count == 0) {
        local = host(&q->sa->path.local.address);
        remote = host(&q->sa->path.remote.address);
    } else if (count != 2 || !read_id(s2_ike1_find_nth(list, S2_IKE1_PAYLOAD_ID, 0), &remote) ||
               !read_id(s2_ike1_find_nth(list, S2_IKE1_PAYLOAD_ID, 1), &local)) {
        return false;
    }
    if (!s2_ike_ts_inside(&ours, &local) || !s2_ike_ts_inside(&theirs, &remote))
        return false;
    q->with_ids = count != 0;
    m->local_ts.count = m->remote_ts.count = 1;
    m->local_ts.item[0] = local;
    m->remote_ts.item[0] = remote;
    return true;
}

static void agree_lifetime(struct s2_ike1_quick *q)
{
    const struct s2_ike_config *config = q->sa->config;

    q->life_s = s2_ike1_shorter(config->child_lifetime_s, q->suite.life_s);
    q->life_kb = s2_ike1_shorter(config->child_lifetime_kb, q->suite.life_kb);
    q->life_differs = q->life_s != q->suite.life_s || q->life_kb != q->suite.life_kb;
}

static void note_refused_offer(struct s2_ike_sa *sa, const struct s2_ike1_sa_payload *offer)
{
    char words[160];

    s2_ike1_print_offer(offer, words, sizeof(words));
    s2_ike_note(sa, "no common ESP proposal; the peer offers %s", words);
}

/* The notification that refuses it, or 0. */
static uint16_t check(struct s2_ike1_quick *q, const struct s2_ike1_payloads *list,
                      struct s2_ike1_sa_payload *answer, s2svpn_span *ke)
{
    const struct s2_ike1_payload *payload = s2_ike1_find(list, S2_IKE1_PAYLOAD_SA);
    const struct s2_ike1_terms terms = s2_ike1_quick_terms(q->sa);
    struct s2_ike_making *m = q->making;
    struct s2_ike1_sa_payload offer;
    struct s2_reader r;

    if (payload == NULL)
        return S2_IKE1_N_PAYLOAD_MALFORMED;
    s2_reader_init(&r, payload->body.p, payload->body.len);
    if (s2_ike1_parse_sa(&r, &offer) != S2SVPN_OK)
        return S2_IKE1_N_BAD_PROPOSAL_SYNTAX;
    if (offer.count > 0 && offer.proposal[0].spi_len == 4)
        m->spi_out = s2_get_u32(offer.proposal[0].spi); /* tells the peer which is refused */
    if (s2_ike1_choose(&terms, &offer, &q->suite, answer) != S2SVPN_OK) {
        note_refused_offer(q->sa, &offer);
        return S2_IKE1_N_NO_PROPOSAL_CHOSEN;
    }
    m->spi_out = s2_get_u32(answer->proposal[0].spi);
    if (answer->proposal[0].spi_len != 4 || m->spi_out <= RESERVED_SPIS)
        return S2_IKE1_N_INVALID_SPI;
    if (s2_ike1_quick_read(q, list, ke) != S2SVPN_OK)
        return S2_IKE1_N_PAYLOAD_MALFORMED;
    if (!read_selectors(q, list))
        return S2_IKE1_N_INVALID_ID_INFORMATION;
    return 0;
}

static s2svpn_status start_key(struct s2_ike1_quick *q, s2svpn_span value)
{
    struct s2_ike_making *m = q->making;
    s2svpn_status rc = s2_ike_kex_new(q->sa, q->suite.ke, &m->kex);

    if (rc != S2SVPN_OK)
        return rc;
    if (value.len != m->kex->row->out_len)
        return S2SVPN_E_MALFORMED;
    memcpy(m->kex->peer_value, value.p, value.len);
    s2_ike_kex_start_public(m->kex);
    return S2SVPN_OK;
}

enum s2_ike1_step s2_ike1_quick_accept(struct s2_ike1_quick *q, struct s2_ike1_packet *packet)
{
    struct s2_ike_sa *sa = q->sa, *home = s2_ike1_home(sa);
    const struct s2_ike_child_sa *current = s2_ike_child_current(home);
    struct s2_ike1_sa_payload answer;
    s2svpn_span ke;

    q->iv = packet->next;
    q->out.path = packet->path;
    q->out.answers = packet->hash;
    q->commit = (packet->h.flags & S2_IKE1_FLAG_COMMIT) != 0;
    const uint16_t error = check(q, &packet->list, &answer, &ke);
    if (error != 0)
        return refuse(q, error);
    agree_lifetime(q);
    q->order = s2_ike1_child_place(sa);
    s2_ike1_child_yield(sa, q);
    q->making->replaces = current != NULL ? current->spi_in : 0;
    if (s2_ike_child_draw_spi(sa, &q->making->spi_in) != S2SVPN_OK ||
        write_answer(q, &answer) != S2SVPN_OK)
        return S2_IKE1_ENDED; /* it comes again */
    if (q->suite.ke != S2SVPN_KE_NONE)
        return start_key(q, ke) == S2SVPN_OK ? S2_IKE1_NEXT
                                             : refuse(q, S2_IKE1_N_INVALID_KEY_INFORMATION);
    const enum s2_ike1_step step = s2_ike1_quick_answer(q, packet);
    return step == S2_IKE1_NEXT ? S2_IKE1_OTHERWISE : step;
}

enum s2_ike1_step s2_ike1_quick_public(struct s2_ike1_quick *q, struct s2_ike1_packet *packet)
{
    struct s2_ike_kex *kex = q->making->kex;

    (void)packet;
    return s2_ike_kex_start_shared(kex, s2_span(kex->peer_value, kex->row->out_len)) == S2SVPN_OK
               ? S2_IKE1_NEXT
               : S2_IKE1_ENDED;
}

/* ---- the second */

static void add_lifetime(struct s2_ike1_quick *q, struct s2_ike1_chain *chain)
{
    const struct s2_ike1_lifetime ours = {q->life_s, q->life_kb};
    uint8_t spi[4] = {0}, data[64];
    struct s2_writer w;

    s2_put_u32(spi, q->making->spi_in);
    s2_writer_init(&w, data, sizeof(data));
    s2_ike1_write_lifetime(&w, false, &ours);
    const struct s2_ike1_notify_payload n = {
        .doi = S2_IKE1_DOI_IPSEC,
        .protocol = S2_IKE1_PROTO_ESP,
        .type = S2_IKE1_N_RESPONDER_LIFETIME,
        .spi = s2_span(spi, sizeof(spi)),
        .data = s2_span(data, w.len),
    };
    s2_ike1_payload_begin(chain, S2_IKE1_PAYLOAD_NOTIFY);
    s2_ike1_write_notify(chain->w, &n);
    s2_ike1_payload_end(chain);
}

static s2svpn_status add_id(const struct s2_ike_ts *ts, struct s2_ike1_chain *chain)
{
    struct s2_ike1_id id;

    if (!s2_ike1_id_of_ts(ts, &id))
        return S2SVPN_E_UNSUPPORTED;
    s2_ike1_payload_begin(chain, S2_IKE1_PAYLOAD_ID);
    s2_ike1_write_id(chain->w, &id);
    s2_ike1_payload_end(chain);
    return S2SVPN_OK;
}

static s2svpn_status send_second(struct s2_ike1_quick *q)
{
    const struct s2_ike_making *m = q->making;
    struct s2_ike_sa *sa = q->sa;
    const struct s2_ike1_keys *keys = &sa->v1->keys;
    struct s2_ike1_compose c;
    s2svpn_status rc = S2SVPN_OK;

    s2_ike1_compose(&c, sa, S2_IKE1_QUICK, q->message_id);
    s2_ike1_hashed_begin(&c.chain, &c.w, keys);
    s2_ike1_write_payload(&c.chain, S2_IKE1_PAYLOAD_SA, s2_span(q->answer.p, q->answer.len));
    s2_ike1_write_payload(&c.chain, S2_IKE1_PAYLOAD_NONCE, s2_span(m->nonce, sizeof(m->nonce)));
    if (m->kex != NULL)
        s2_ike1_write_payload(&c.chain, S2_IKE1_PAYLOAD_KE,
                              s2_span(m->kex->public_value, m->kex->row->out_len));
    if (q->with_ids)
        rc = add_id(&m->remote_ts.item[0], &c.chain);
    if (rc == S2SVPN_OK && q->with_ids)
        rc = add_id(&m->local_ts.item[0], &c.chain);
    if (rc == S2SVPN_OK && q->life_differs)
        add_lifetime(q, &c.chain);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_hashed_end(&c.w, &sa->ike->crypto, keys, q->message_id,
                                s2_span(m->peer_nonce, m->peer_nonce_len), &q->iv);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_out_set(sa, &q->out, &c, &q->out.path, q->out.answers, true);
    return rc;
}

static void take_down(struct s2_ike1_quick *q, enum s2_ike_reason reason)
{
    struct s2_ike_sa *home = s2_ike1_home(q->sa);
    struct s2_ike1_child *child = s2_ike1_child_find(home, q->child);

    if (child != NULL)
        s2_ike1_child_delete(home, &child->base, reason);
}

enum s2_ike1_step s2_ike1_quick_answer(struct s2_ike1_quick *q, struct s2_ike1_packet *packet)
{
    struct s2_ike_sa *sa = q->sa;

    (void)packet;
    s2svpn_status rc = s2_ike1_child_install(q);
    if (sa->state == S2_IKE_STATE_DEAD)
        return S2_IKE1_ENDED;
    if (rc != S2SVPN_OK)
        return refuse(q, S2_IKE1_N_NO_PROPOSAL_CHOSEN);
    rc = send_second(q);
    if (rc == S2SVPN_OK) {
        q->end_ns = s2_after(sa->ike->now_ns, S2_IKE1_LINGER_NS);
        return S2_IKE1_NEXT;
    }
    take_down(q, S2_IKE_REASON_MEMORY);
    return S2_IKE1_ENDED;
}

/* ---- the third */

enum s2_ike1_step s2_ike1_quick_confirm(struct s2_ike1_quick *q, struct s2_ike1_packet *packet)
{
    const struct s2_ike1_payload *payload = s2_ike1_find(&packet->list, S2_IKE1_PAYLOAD_HASH);
    const struct s2_ike_making *m = q->making;
    struct s2_ike_sa *sa = q->sa;
    uint8_t expected[S2_IKE1_HASH_MAX], spi[4] = {0};

    if (payload == NULL ||
        s2_ike1_hash_3(&sa->ike->crypto, &sa->v1->keys, q->message_id,
                       s2_span(m->peer_nonce, m->peer_nonce_len),
                       s2_span(m->nonce, sizeof(m->nonce)), expected) != S2SVPN_OK ||
        !s2_ike1_hash_equal(&sa->v1->keys, expected, payload->body))
        return S2_IKE1_IGNORED;
    s2_ike1_fresh(sa, &packet->path);
    if (sa->state == S2_IKE_STATE_DEAD)
        return S2_IKE1_ENDED;
    s2_ike1_see(sa, q->message_id);
    s2_put_u32(spi, m->spi_in);
    if (q->commit)
        s2_ike1_send_notify(sa, S2_IKE1_PROTO_ESP, S2_IKE1_N_CONNECTED, s2_span(spi, sizeof(spi)),
                            s2_span(NULL, 0));
    s2_ike1_child_settle(s2_ike1_home(sa), q->child);
    return S2_IKE1_NEXT;
}

/* The peer has asked and never come back: its child goes. */
enum s2_ike1_step s2_ike1_quick_unconfirmed(struct s2_ike1_quick *q, struct s2_ike1_packet *packet)
{
    (void)packet;
    s2_ike1_see(q->sa, q->message_id);
    take_down(q, S2_IKE_REASON_TIMEOUT);
    return S2_IKE1_NEXT;
}
