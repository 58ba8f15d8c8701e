/* SPDX-License-Identifier: Apache-2.0 */
/* The peer's window, when we allow it more than one request at once: requests that
 * come before their turn wait for it, and more than one answer is kept. Requests are
 * done in the order of their message IDs whatever order they come in, so that no
 * exchange ever sees a state that its sender didn't mean. Our own requests go one by
 * one, however many the peer would take. RFC 7296 section 2.3.
 *
 * What comes in fragments before its turn isn't kept: it comes again. */
#include "ike/v2/v2.h"

#include <string.h>

#define AHEAD_MAX 4096 /* bytes of one request that waits; longer ones come again */

static uint32_t size_of(const struct s2_ike_sa *sa)
{
    return sa->ike->options.request_window;
}

/* Made when it is first needed: most peers never have two requests open. */
static struct s2_ike_window *window_of(struct s2_ike_sa *sa)
{
    if (sa->window == NULL && size_of(sa) > 1)
        sa->window = s2_alloc(sa->ike->env, sizeof(*sa->window));
    return sa->window;
}

void s2_ike_window_free(struct s2_ike_sa *sa)
{
    struct s2_ike_window *w = sa->window;

    if (w == NULL)
        return;
    for (size_t i = 0; i < S2_IKE_WINDOW_MAX; i++) {
        s2_ike_bytes_clear(sa->ike, &w->answered[i].bytes);
        s2_ike_bytes_clear(sa->ike, &w->ahead[i].inner);
    }
    s2_free(sa->ike->env, w);
    sa->window = NULL;
}

/* ---- answers */

const struct s2_ike_answer *s2_ike_find_answer(const struct s2_ike_sa *sa, uint32_t id)
{
    const struct s2_ike_answer *a = &sa->response;

    if (id != sa->in_id - 1) {
        if (sa->window == NULL || sa->in_id - 1 - id >= size_of(sa))
            return NULL;
        a = &sa->window->answered[id % S2_IKE_WINDOW_MAX];
    }
    return a->bytes.p != NULL && a->id == id ? a : NULL;
}

void s2_ike_keep_answer(struct s2_ike_sa *sa)
{
    struct s2_ike_window *w;

    if (sa->response.bytes.p == NULL)
        return;
    w = window_of(sa);
    if (w == NULL) {
        s2_ike_bytes_clear(sa->ike, &sa->response.bytes);
        return;
    }
    struct s2_ike_answer *slot = &w->answered[sa->response.id % S2_IKE_WINDOW_MAX];
    s2_ike_bytes_clear(sa->ike, &slot->bytes);
    *slot = sa->response;
    sa->response = (struct s2_ike_answer){0};
}

/* ---- requests before their turn */

bool s2_ike_is_ahead(const struct s2_ike_sa *sa, const struct s2_ike_header *h)
{
    const uint32_t before = h->message_id - sa->in_id;

    return (h->flags & S2_IKE_FLAG_RESPONSE) == 0 && before > 0 && before < size_of(sa) &&
           s2_ike_state_is_up(sa->state);
}

enum s2svpn_drop s2_ike_keep_ahead(struct s2_ike_sa *sa, struct s2_ike_packet *packet,
                                   const struct s2_ike_payload *sk)
{
    struct s2_ike_window *w = window_of(sa);

    if (w == NULL || packet->len > AHEAD_MAX)
        return S2SVPN_DROP_IKE_LIMIT;
    struct s2_ike_ahead *slot = &w->ahead[packet->h.message_id % S2_IKE_WINDOW_MAX];
    if (slot->inner.p != NULL && slot->h.message_id == packet->h.message_id)
        return S2SVPN_DROP_IKE_WINDOW; /* it is there already */
    const s2svpn_status rc = s2_ike_sk_open(&sa->ike->crypto, &sa->keys, sa->initiator, packet->p,
                                            packet->len, sk, &packet->inner);
    if (rc != S2SVPN_OK)
        return rc == S2SVPN_E_MALFORMED ? S2SVPN_DROP_IKE_MALFORMED
                                        : S2SVPN_DROP_IKE_AUTHENTICATION;
    s2_ike_bytes_clear(sa->ike, &slot->inner); /* one whose turn went by */
    /* One byte more, so that an empty message has memory too. */
    slot->inner.p = s2_alloc(sa->ike->env, packet->inner.len + 1);
    if (slot->inner.p == NULL)
        return S2SVPN_DROP_IKE_LIMIT;
    slot->inner.len = packet->inner.len + 1;
    if (packet->inner.len > 0)
        memcpy(slot->inner.p, packet->inner.p, packet->inner.len);
    slot->h = packet->h;
    slot->first = sk->next;
    slot->hash = packet->hash;
    slot->path = packet->path;
    return S2SVPN_DROP_NONE;
}

void s2_ike_take_ahead(struct s2_ike_sa *sa)
{
    struct s2_ike_packet packet = {0};
    struct s2_ike_bytes inner;
    enum s2_ike_event event;

    if (sa->window == NULL || sa->asked.busy || !s2_ike_state_is_up(sa->state))
        return;
    struct s2_ike_ahead *slot = &sa->window->ahead[sa->in_id % S2_IKE_WINDOW_MAX];
    if (slot->inner.p == NULL || slot->h.message_id != sa->in_id)
        return;
    packet.h = slot->h;
    packet.path = slot->path;
    packet.hash = slot->hash;
    packet.inner = s2_span(slot->inner.p, slot->inner.len - 1);
    packet.inner_first = slot->first;
    inner = slot->inner; /* the window may go with its SA */
    slot->inner = (struct s2_ike_bytes){0};
    if (!s2_ike_find_event(&packet.h, &event) || !s2_ike_expects(sa, event) ||
        s2_ike_receive_opened(sa, &packet, event) != S2SVPN_DROP_NONE)
        sa->ike->counters.drops++;
    s2_ike_bytes_clear(sa->ike, &inner);
}
