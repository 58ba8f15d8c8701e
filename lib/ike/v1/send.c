/* SPDX-License-Identifier: Apache-2.0 */
/* Composing and sending of IKEv1: what waits for an answer is sent again until it has
 * one, what answers is repeated when it is asked for, notices go once. All leaves last,
 * in pieces if the peer takes them and they are too long for a packet. RFC 2408
 * section 5.1. */
#include "ike/v1/v1.h"

#include <string.h>

#define LONGEST_WAIT_MS UINT64_C(3600000)
#define DRAWS 8         /* 32 random bits against some dozens; more collisions mean no randomness */
#define IPV4_AND_UDP 32 /* headers and the non-ESP marker */
#define IPV6_AND_UDP 52

void s2_ike1_compose(struct s2_ike1_compose *c, const struct s2_ike_sa *sa, uint8_t exchange,
                     uint32_t message_id)
{
    const struct s2_ike1_header h = {
        .cookie_i = s2_ike_spi_i(sa),
        .cookie_r = s2_ike_spi_r(sa),
        .version = S2_IKE1_VERSION,
        .exchange = exchange,
        .message_id = message_id,
    };

    s2_writer_init(&c->w, c->bytes, sizeof(c->bytes));
    s2_ike1_write_header(&c->w, &h);
    s2_ike1_chain_begin(&c->chain, &c->w);
}

s2svpn_status s2_ike1_draw_message_id(struct s2_ike_sa *sa, uint32_t *out)
{
    for (int i = 0; i < DRAWS; i++) {
        uint32_t id;
        s2svpn_status rc = s2_random(sa->ike->env, &id, sizeof(id));

        if (rc != S2SVPN_OK)
            return rc;
        if (id != 0 && s2_ike1_quick_find(sa, id) == NULL && !s2_ike1_seen(sa, id)) {
            *out = id;
            return S2SVPN_OK;
        }
    }
    return s2_fail(sa->ike->env, S2SVPN_E_RANDOM, NULL, "no free message id");
}

/* ---- what is kept */

/* timeout * base^tries / 100^tries. */
uint64_t s2_ike1_wait_ns(const struct s2_ike_sa *sa, uint8_t tries)
{
    uint64_t ms = sa->ike->options.retransmit_timeout_ms;

    for (uint8_t i = 0; i < tries && ms < LONGEST_WAIT_MS; i++)
        ms = ms * sa->ike->options.retransmit_base_percent / 100;
    return (ms < LONGEST_WAIT_MS ? ms : LONGEST_WAIT_MS) * S2_MS;
}

s2svpn_status s2_ike1_out_set(struct s2_ike_sa *sa, struct s2_ike1_out *out,
                              const struct s2_ike1_compose *c, const struct s2_ike_path *path,
                              uint64_t answers, bool waits)
{
    s2svpn_status rc = s2_writer_finish(&c->w);

    if (rc == S2SVPN_OK)
        rc = s2_ike_bytes_set(sa->ike, &out->bytes, c->bytes, c->w.len);
    if (rc != S2SVPN_OK)
        return rc;
    out->path = *path;
    out->answers = answers;
    out->tries = 0;
    out->unsent = true;
    out->waits = waits;
    out->again_ns = s2_after(sa->ike->now_ns, s2_ike1_wait_ns(sa, 0));
    s2_ike_touch(sa);
    return S2SVPN_OK;
}

void s2_ike1_out_clear(struct s2_ike_sa *sa, struct s2_ike1_out *out)
{
    s2_ike_bytes_clear(sa->ike, &out->bytes);
    *out = (struct s2_ike1_out){0};
}

bool s2_ike1_out_again(struct s2_ike_sa *sa, struct s2_ike1_out *out)
{
    if (out->tries >= sa->ike->options.retransmit_tries || out->tries == UINT8_MAX)
        return false;
    out->tries++;
    out->unsent = true;
    out->again_ns = s2_after(sa->ike->now_ns, s2_ike1_wait_ns(sa, out->tries));
    sa->ike->counters.retransmits++;
    s2_ike_touch(sa);
    return true;
}

void s2_ike1_out_repeat(struct s2_ike_sa *sa, struct s2_ike1_out *out)
{
    if (out->bytes.p == NULL)
        return;
    out->unsent = true;
    s2_ike_touch(sa);
}

s2svpn_status s2_ike1_notice(struct s2_ike_sa *sa, const struct s2_ike1_compose *c)
{
    struct s2_ike1 *v1 = sa->v1;
    s2svpn_status rc = s2_writer_finish(&c->w);

    if (rc == S2SVPN_OK && v1->notices == S2_IKE1_NOTICES_MAX)
        rc = S2SVPN_E_LIMIT;
    if (rc == S2SVPN_OK)
        rc = s2_ike_bytes_set(sa->ike, &v1->notice[v1->notices], c->bytes, c->w.len);
    if (rc != S2SVPN_OK)
        return rc;
    v1->notices++;
    s2_ike_touch(sa);
    return S2SVPN_OK;
}

/* ---- on the way out */

static size_t most_bytes(const struct s2_ike_sa *sa, const struct s2_ike_path *path)
{
    const size_t headers =
        path->remote.address.family == S2SVPN_FAMILY_IPV6 ? IPV6_AND_UDP : IPV4_AND_UDP;

    return sa->ike->options.fragment_size - headers;
}

/* Takes the bytes: a callback may end what they belonged to. */
static void transmit(struct s2_ike *ike, const struct s2_ike_path *path, struct s2_ike_bytes *b,
                     size_t size, uint16_t id)
{
    const size_t count = size == 0 ? 1 : s2_ike1_split_count(b->len, size);
    uint8_t piece[S2_IKE1_COMPOSE_MAX];

    if (count <= 1)
        ike->ops.send(ike->user, &path->local, &path->remote, b->p, b->len);
    for (size_t i = 1; i <= count && count > 1; i++) {
        struct s2_writer w;

        s2_writer_init(&w, piece, sizeof(piece));
        if (s2_ike1_split_write(&w, s2_span(b->p, b->len), size, id, (uint8_t)i) != S2SVPN_OK)
            break;
        ike->ops.send(ike->user, &path->local, &path->remote, piece, w.len);
    }
    s2_ike_bytes_clear(ike, b);
}

static void send_copy(struct s2_ike_sa *sa, const struct s2_ike_path *path,
                      const struct s2_ike_bytes *b)
{
    const struct s2_ike_path to = *path;
    struct s2_ike_bytes copy = {0};

    if (b->p == NULL || s2_ike_bytes_set(sa->ike, &copy, b->p, b->len) != S2SVPN_OK)
        return; /* it is asked for again */
    sa->last_out_ns = sa->ike->now_ns;
    transmit(sa->ike, &to, &copy, sa->fragmentation ? most_bytes(sa, &to) : 0,
             ++sa->v1->fragment_id);
}

static void flush_out(struct s2_ike_sa *sa, struct s2_ike1_out *out)
{
    if (!out->unsent)
        return;
    out->unsent = false;
    s2_ike_trace_message(sa, S2_IKE_TRACE_SENT, &out->bytes, out->tries);
    send_copy(sa, &out->path, &out->bytes);
}

/* Of a dead SA the notices alone, which say that it is. */
void s2_ike1_flush(struct s2_ike_sa *sa)
{
    struct s2_ike1 *v1 = sa->v1;
    struct s2_ike_bytes notice[S2_IKE1_NOTICES_MAX];
    const struct s2_ike_path path = sa->path;
    const size_t notices = v1->notices;

    memcpy(notice, v1->notice, sizeof(notice));
    memset(v1->notice, 0, sizeof(v1->notice));
    v1->notices = 0;
    if (sa->state != S2_IKE_STATE_DEAD) {
        flush_out(sa, &v1->out);
        S2_LIST_EACH(&v1->quicks, it) {
            flush_out(sa, &S2_CONTAINER(it, struct s2_ike1_quick, link)->out);
        }
    }
    for (size_t i = 0; i < notices; i++) {
        s2_ike_trace_message(sa, S2_IKE_TRACE_SENT, &notice[i], 0);
        transmit(sa->ike, &path, &notice[i], 0, 0);
    }
}
