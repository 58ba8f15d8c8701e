/* SPDX-License-Identifier: Apache-2.0 */
/* IKE_SA_INIT as initiator. The answers aren't authenticated: one that can't be used
 * is left aside as if it had never come, and its words are kept as a hint for the
 * case that no better one comes. RFC 7296 sections 1.2, 2.6, 2.7, 2.21.1. */
#include "ike/v2/v2.h"

#include <string.h>

#include "base/text.h"

#define COOKIE_ROUNDS 4 /* honest peers ask once, or twice if their secret changes */

static void hint(struct s2_ike_sa *sa, const char *fmt, ...) S2SVPN_PRINTF(2, 3);

static void hint(struct s2_ike_sa *sa, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    s2_print_v(sa->handshake->hint, sizeof(sa->handshake->hint), fmt, args);
    va_end(args);
}

static s2svpn_status begin_group(struct s2_ike_sa *sa, uint16_t group)
{
    struct s2_ike_making *m = &sa->handshake->making;
    struct s2_ike_kex *kex;
    s2svpn_status rc = s2_ike_kex_new(sa, group, &kex);

    if (rc != S2SVPN_OK)
        return rc;
    s2_ike_kex_free(sa, &m->kex);
    m->kex = kex;
    m->tried[m->tried_count++] = group;
    s2_ike_kex_start_public(kex);
    return S2SVPN_OK;
}

enum s2_ike_step s2_ike_init_start(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    struct s2_ike *ike = sa->ike;
    struct s2_ike_handshake *h = s2_alloc(ike->env, sizeof(*h));
    s2svpn_status rc = S2SVPN_OK;

    (void)packet;
    if (h == NULL)
        rc = s2_fail(ike->env, S2SVPN_E_MEMORY, NULL, "no memory for an IKE handshake");
    sa->handshake = h;
    if (h != NULL && s2_ike_by_certificate(sa->config))
        s2_ike_handshake_use(h, sa->config->credentials);
    if (rc == S2SVPN_OK)
        rc = s2_random(ike->env, h->making.nonce, sizeof(h->making.nonce));
    if (rc == S2SVPN_OK)
        rc = begin_group(sa, s2_ike_first_group(sa, &sa->config->ike, &h->making));
    if (rc == S2SVPN_OK)
        return S2_IKE_NEXT;
    s2_ike_sa_kill(sa, rc == S2SVPN_E_MEMORY ? S2_IKE_REASON_MEMORY : S2_IKE_REASON_CRYPTO,
                   s2svpn_status_text(rc));
    return S2_IKE_ENDED;
}

/* The same message again and again, but for the cookie and the KE value. */
static s2svpn_status compose(struct s2_ike_sa *sa, struct s2_ike_compose *c)
{
    const struct s2_ike_handshake *h = sa->handshake;
    const struct s2_ike_header header = {
        .spi_i = sa->spi_own,
        .version = S2_IKE_VERSION_2,
        .exchange = S2_IKE_SA_INIT,
        .flags = S2_IKE_FLAG_INITIATOR,
    };
    const struct s2_ike_terms terms = s2_ike_sa_terms(sa->ike, sa->config);
    struct s2_ike_sa_payload offer;
    s2svpn_status rc = s2_ike_offer(&terms, s2_span(NULL, 0), &offer);

    if (rc != S2SVPN_OK)
        return rc;
    s2_ike_compose_plain(c, &header);
    if (h->cookie_len > 0)
        s2_ike_add_notify(c, S2_IKE_N_COOKIE, s2_span(h->cookie, h->cookie_len));
    s2_ike_add_sa(c, &offer);
    s2_ike_add_ke(c, h->making.kex);
    s2_ike_add_bytes(c, S2_IKE_PAYLOAD_NONCE, s2_span(h->making.nonce, sizeof(h->making.nonce)));
    if (!sa->ike->options.no_fragmentation)
        s2_ike_add_notify(c, S2_IKE_N_IKEV2_FRAGMENTATION_SUPPORTED, s2_span(NULL, 0));
    if (h->credentials != NULL)
        s2_ike_add_hashes(c);
    return s2_ike_nat_add(sa, c, &sa->path, 0);
}

static enum s2_ike_step send_init(struct s2_ike_sa *sa)
{
    struct s2_ike_compose c;
    s2svpn_status rc = compose(sa, &c);

    if (rc == S2SVPN_OK)
        rc = s2_ike_send_request(sa, &c, S2_IKE_SA_INIT);
    if (rc == S2SVPN_OK)
        return S2_IKE_NEXT;
    s2_ike_sa_kill(sa, rc == S2SVPN_E_MEMORY ? S2_IKE_REASON_MEMORY : S2_IKE_REASON_CRYPTO,
                   s2svpn_status_text(rc));
    return S2_IKE_ENDED;
}

enum s2_ike_step s2_ike_init_send(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    (void)packet;
    return send_init(sa);
}

/* ---- the answers */

bool s2_ike_init_classify(struct s2_ike_sa *sa, const struct s2_ike_packet *packet,
                          enum s2_ike_event *event)
{
    struct s2_ike_notifies says;

    if (s2_ike_read_notifies(&packet->list, &says) != S2SVPN_OK) {
        hint(sa, "its answer was malformed");
        return false;
    }
    if (s2_ike_find(&packet->list, S2_IKE_PAYLOAD_SA) != NULL)
        *event = S2_IKE_EVENT_RX_INIT_RESPONSE;
    else if (says.cookie.len > 0)
        *event = S2_IKE_EVENT_RX_COOKIE;
    else if (says.error == S2_IKE_N_INVALID_KE_PAYLOAD)
        *event = S2_IKE_EVENT_RX_INVALID_KE;
    else if (says.error != 0)
        *event = S2_IKE_EVENT_RX_INIT_ERROR;
    else
        return false;
    return true;
}

enum s2_ike_step s2_ike_init_cookie(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    struct s2_ike_handshake *h = sa->handshake;
    struct s2_ike_notifies says;

    if (s2_ike_read_notifies(&packet->list, &says) != S2SVPN_OK ||
        says.cookie.len > sizeof(h->cookie) || h->cookie_rounds == COOKIE_ROUNDS)
        return S2_IKE_IGNORED;
    if (s2_span_equal(says.cookie, s2_span(h->cookie, h->cookie_len)))
        return S2_IKE_IGNORED; /* a duplicate: that one is on its way */
    memcpy(h->cookie, says.cookie.p, says.cookie.len);
    h->cookie_len = (uint8_t)says.cookie.len;
    h->cookie_rounds++;
    s2_ike_trace(sa, (struct s2_ike_trace){.kind = S2_IKE_TRACE_COOKIE,
                                           .exchange = S2_IKE_SA_INIT,
                                           .response = true});
    return send_init(sa);
}

/* Each group once, and only one that we offered: a forger can't lead us to a weak
 * one, nor round in circles. */
enum s2_ike_step s2_ike_init_other_group(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    struct s2_ike_making *m = &sa->handshake->making;
    struct s2_ike_notifies says;
    char words[S2_IKE_DETAIL_SIZE];

    if (s2_ike_read_notifies(&packet->list, &says) != S2SVPN_OK || says.error_data.len != 2)
        return S2_IKE_IGNORED;
    const uint16_t group = s2_get_u16(says.error_data.p);
    for (size_t i = 0; i < m->tried_count; i++) {
        if (m->tried[i] == group)
            return S2_IKE_IGNORED; /* a duplicate, or late */
    }
    if (!s2_ike_may_try(sa, &sa->config->ike, m, group)) {
        s2_print(words, sizeof(words), "it wants group %u (%s)", group,
                 s2_ike_transform_name(S2SVPN_TRANSFORM_KE, group));
        s2_ike_sa_kill(sa, S2_IKE_REASON_INVALID_KE, words);
        return S2_IKE_ENDED;
    }
    s2_ike_request_pause(sa);
    if (begin_group(sa, group) == S2SVPN_OK)
        return S2_IKE_NEXT;
    s2_ike_request_resume(sa);
    return S2_IKE_IGNORED;
}

enum s2_ike_step s2_ike_init_refused(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    struct s2_ike_notifies says;

    if (s2_ike_read_notifies(&packet->list, &says) != S2SVPN_OK)
        return S2_IKE_IGNORED;
    if (says.error == S2_IKE_N_NO_PROPOSAL_CHOSEN) {
        s2_ike_sa_kill(sa, S2_IKE_REASON_NO_PROPOSAL, "the peer wants none of the IKE proposals");
        return S2_IKE_ENDED;
    }
    if (says.error == S2_IKE_N_INVALID_SYNTAX || says.error == S2_IKE_N_INVALID_MAJOR_VERSION) {
        s2_ike_sa_kill(sa, S2_IKE_REASON_PEER_ERROR, s2_ike_notify_name(says.error));
        return S2_IKE_ENDED;
    }
    hint(sa, "it answered %s", s2_ike_notify_name(says.error));
    return S2_IKE_IGNORED;
}

/* What a usable answer holds. */
struct answer {
    struct s2_ike_suite suite;
    struct s2_ike_ke_payload ke;
    struct s2_ike_notifies says;
    bool nat_local, nat_remote;
};

static bool read_suite(struct s2_ike_sa *sa, const struct s2_ike_payloads *list,
                       struct s2_ike_suite *suite)
{
    const struct s2_ike_payload *payload = s2_ike_find(list, S2_IKE_PAYLOAD_SA);
    const struct s2_ike_terms terms = s2_ike_sa_terms(sa->ike, sa->config);
    struct s2_ike_sa_payload offer, got;
    struct s2_reader r;

    if (payload == NULL)
        return false;
    s2_reader_init(&r, payload->body.p, payload->body.len);
    return s2_ike_parse_sa(&r, &got) == S2SVPN_OK &&
           s2_ike_offer(&terms, s2_span(NULL, 0), &offer) == S2SVPN_OK &&
           s2_ike_check_answer(&offer, &got, true, suite) == S2SVPN_OK;
}

static bool read_answer(struct s2_ike_sa *sa, const struct s2_ike_packet *packet,
                        struct s2_ike_making *scratch, struct answer *out)
{
    const struct s2_ike_kex *kex = sa->handshake->making.kex;

    if (packet->h.spi_r == 0) {
        hint(sa, "its answer had no SPI");
        return false;
    }
    if (!read_suite(sa, &packet->list, &out->suite)) {
        hint(sa, "it chose what was not offered");
        return false;
    }
    if (s2_ike_read_ke(&packet->list, &out->ke) != S2SVPN_OK || out->ke.group != kex->row->id ||
        out->suite.ke != kex->row->id || out->ke.value.len != kex->row->out_len ||
        s2_ike_read_nonce(&packet->list, scratch) != S2SVPN_OK ||
        s2_ike_read_notifies(&packet->list, &out->says) != S2SVPN_OK) {
        hint(sa, "its answer was malformed");
        return false;
    }
    return s2_ike_nat_detect(sa, packet, &out->nat_local, &out->nat_remote) == S2SVPN_OK;
}

enum s2_ike_step s2_ike_init_response(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    struct s2_ike_handshake *h = sa->handshake;
    struct s2_ike_making got = {0};
    struct answer answer;

    if (!read_answer(sa, packet, &got, &answer) ||
        s2_ike_bytes_set(sa->ike, &h->message_r, packet->p, packet->len) != S2SVPN_OK)
        return S2_IKE_IGNORED;
    memcpy(h->making.peer_nonce, got.peer_nonce, got.peer_nonce_len);
    h->making.peer_nonce_len = got.peer_nonce_len;
    h->making.suite = answer.suite;
    h->nat_supported =
        s2_ike_nat_wanted(sa) && answer.says.nat_source && answer.says.nat_destination;
    sa->nat_local = h->nat_supported && answer.nat_local;
    sa->nat_remote = h->nat_supported && answer.nat_remote;
    sa->udp = h->nat_supported && (sa->nat_local || sa->nat_remote || sa->config->force_udp);
    sa->fragmentation = !sa->ike->options.no_fragmentation && answer.says.fragmentation;
    h->peer_hashes = answer.says.hashes;
    sa->spi_peer = packet->h.spi_r;
    /* The request stays: if the peer's value is bad, we wait for a better answer. */
    s2_ike_request_pause(sa);
    if (s2_ike_kex_start_shared(h->making.kex, answer.ke.value) != S2SVPN_OK)
        return S2_IKE_IGNORED; /* its length was checked */
    return S2_IKE_NEXT;
}

enum s2_ike_step s2_ike_init_bad_value(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    const s2svpn_status result = sa->handshake->making.kex->result;

    (void)packet;
    if (result != S2SVPN_E_ARGUMENT) {
        s2_ike_sa_kill(sa, S2_IKE_REASON_CRYPTO, s2svpn_status_text(result));
        return S2_IKE_ENDED;
    }
    hint(sa, "its public value failed the checks");
    sa->spi_peer = 0;
    sa->nat_local = sa->nat_remote = sa->udp = sa->fragmentation = false;
    s2_ike_request_resume(sa);
    return S2_IKE_OTHERWISE;
}
