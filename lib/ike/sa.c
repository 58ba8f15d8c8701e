/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an IKE SA from new to freed, and the tables in which it is found.
 * Knows no message. */
#include "ike/sa.h"

#include <string.h>

#include "base/address.h"
#include "base/text.h"
#include "ike/v1/v1.h"
#include "ike/v2/v2.h"

#define RETURNED_NS (2 * S2_SECOND) /* a handshake's time, with an answer that is lost */
#define SPI_TRIES 8                 /* 64 random bits; more collisions mean broken randomness */

/* ---- parts */

s2svpn_status s2_ike_bytes_set(struct s2_ike *ike, struct s2_ike_bytes *b, const uint8_t *p,
                               size_t len)
{
    uint8_t *copy = s2_alloc(ike->env, len);

    if (copy == NULL)
        return s2_fail(ike->env, S2SVPN_E_MEMORY, NULL, "no memory for an IKE message");
    memcpy(copy, p, len);
    s2_ike_bytes_clear(ike, b);
    *b = (struct s2_ike_bytes){copy, len};
    return S2SVPN_OK;
}

void s2_ike_bytes_clear(struct s2_ike *ike, struct s2_ike_bytes *b)
{
    if (b->p == NULL)
        return;
    s2_wipe(b->p, b->len);
    s2_free(ike->env, b->p);
    *b = (struct s2_ike_bytes){0};
}

static void release_spi(struct s2_ike_sa *sa, struct s2_ike_making *m)
{
    const uint32_t spi_in = m->spi_in;

    m->spi_in = 0;
    if (spi_in != 0 && !m->taken)
        sa->ike->ops.release_spi(sa->ike->user, sa->config->owner, spi_in);
}

void s2_ike_making_free(struct s2_ike_sa *sa, struct s2_ike_making **m)
{
    if (*m == NULL)
        return;
    s2_ike_kex_free(sa, &(*m)->kex);
    release_spi(sa, *m);
    s2_free(sa->ike->env, *m);
    *m = NULL;
}

void s2_ike_kex_cancel(struct s2_ike_sa *sa, struct s2_ike_kex *kex)
{
    if (kex == NULL || kex->state != S2_IKE_KEX_PENDING)
        return;
    kex->state = S2_IKE_KEX_IDLE;
    sa->ike->ops.cancel_job(sa->ike->user, &kex->job);
}

void s2_ike_making_stop(struct s2_ike_sa *sa, struct s2_ike_making *m)
{
    if (m == NULL)
        return;
    s2_ike_kex_cancel(sa, m->kex);
    release_spi(sa, m);
}

void s2_ike_handshake_use(struct s2_ike_handshake *h, struct s2_ike_credentials *credentials)
{
    if (credentials != NULL)
        credentials->users++;
    if (h->credentials != NULL)
        h->credentials->users--;
    h->credentials = credentials;
}

void s2_ike_handshake_free(struct s2_ike_sa *sa)
{
    struct s2_ike_handshake *h = sa->handshake;

    if (h == NULL)
        return;
    s2_ike_kex_free(sa, &h->making.kex);
    release_spi(sa, &h->making);
    s2_ike_bytes_clear(sa->ike, &h->message_i);
    s2_ike_bytes_clear(sa->ike, &h->message_r);
    s2_ike_bytes_clear(sa->ike, &h->held);
    s2_ike_bytes_clear(sa->ike, &h->room);
    s2_ike_proof_free(sa);
    s2_ike_handshake_use(h, NULL);
    s2_wipe(h, sizeof(*h));
    s2_free(sa->ike->env, h);
    sa->handshake = NULL;
}

void s2_ike_note(struct s2_ike_sa *sa, const char *fmt, ...)
{
    struct s2_ike *ike = sa->ike;
    char text[256];
    va_list args;

    va_start(args, fmt);
    s2_print_v(text, sizeof(text), fmt, args);
    va_end(args);
    if (ike->ops.note != NULL && sa->state != S2_IKE_STATE_DEAD)
        ike->ops.note(ike->user, sa->config->owner, text, ike->now_ns);
    else
        s2_log(ike->env, S2_LOG_INFO, "%s: %s", sa->config->name != NULL ? sa->config->name : "-",
               text);
}

/* ---- finding */

static uint64_t hash_u64(const struct s2_ike *ike, uint64_t v)
{
    uint8_t bytes[8] = {0};

    s2_put_u64(bytes, v);
    return s2_siphash(ike->env->hash_key, bytes, sizeof(bytes));
}

static bool equal_spi(const struct s2_table_node *n, const void *key)
{
    return S2_CONTAINER(n, const struct s2_ike_sa, spi_node)->spi_own == *(const uint64_t *)key;
}

struct s2_ike_sa *s2_ike_find_spi(const struct s2_ike *ike, uint64_t spi_own)
{
    struct s2_table_node *n = NULL;

    if (spi_own != 0)
        n = s2_table_find(&ike->by_spi, hash_u64(ike, spi_own), equal_spi, &spi_own);
    return n != NULL ? S2_CONTAINER(n, struct s2_ike_sa, spi_node) : NULL;
}

/* The source is in the hash; 64 keyed bits of it and the SPI are enough. */
static bool equal_init(const struct s2_table_node *n, const void *key)
{
    return S2_CONTAINER(n, const struct s2_ike_sa, init_node)->spi_peer == *(const uint64_t *)key;
}

uint64_t s2_ike_hash_init(const struct s2_ike *ike, uint64_t spi_i, const s2svpn_endpoint *remote)
{
    uint8_t bytes[8 + 16 + 2] = {0};

    s2_put_u64(bytes, spi_i);
    memcpy(bytes + 8, remote->address.bytes, 16);
    s2_put_u16(bytes + 24, remote->port);
    return s2_siphash(ike->env->hash_key, bytes, sizeof(bytes));
}

struct s2_ike_sa *s2_ike_find_init(const struct s2_ike *ike, uint64_t spi_i,
                                   const s2svpn_endpoint *remote)
{
    struct s2_table_node *n =
        s2_table_find(&ike->by_init, s2_ike_hash_init(ike, spi_i, remote), equal_init, &spi_i);

    return n != NULL ? S2_CONTAINER(n, struct s2_ike_sa, init_node) : NULL;
}

static bool equal_owner(const struct s2_table_node *n, const void *key)
{
    return S2_CONTAINER(n, const struct s2_ike_owner, node)->owner == key;
}

struct s2_ike_owner *s2_ike_find_owner(const struct s2_ike *ike, const void *owner)
{
    struct s2_table_node *n =
        s2_table_find(&ike->owners, hash_u64(ike, (uint64_t)(uintptr_t)owner), equal_owner, owner);

    return n != NULL ? S2_CONTAINER(n, struct s2_ike_owner, node) : NULL;
}

static struct s2_ike_sa *newest_up(const struct s2_ike_owner *owner)
{
    struct s2_ike_sa *newest = NULL;

    S2_LIST_EACH(&owner->sas, it) {
        struct s2_ike_sa *sa = S2_CONTAINER(it, struct s2_ike_sa, owner_link);

        if (sa->state == S2_IKE_STATE_UP && sa->announced)
            newest = sa;
    }
    return newest;
}

struct s2_ike_sa *s2_ike_find_up(const struct s2_ike *ike, const void *owner)
{
    const struct s2_ike_owner *o = s2_ike_find_owner(ike, owner);

    return o != NULL ? newest_up(o) : NULL;
}

/* ---- birth */

s2svpn_status s2_ike_draw_spi(struct s2_ike *ike, uint64_t *out)
{
    for (int i = 0; i < SPI_TRIES; i++) {
        uint64_t spi;
        s2svpn_status rc = s2_random(ike->env, &spi, sizeof(spi));

        if (rc != S2SVPN_OK)
            return rc;
        spi = (spi & ~ike->options.spi_prefix_mask) |
              (ike->options.spi_prefix & ike->options.spi_prefix_mask);
        if (spi != 0 && s2_ike_find_spi(ike, spi) == NULL) {
            *out = spi;
            return S2SVPN_OK;
        }
    }
    return s2_fail(ike->env, S2SVPN_E_RANDOM, NULL, "no free IKE SPI");
}

s2svpn_status s2_ike_sa_new(struct s2_ike *ike, bool initiator, uint64_t spi_own,
                            const struct s2_ike_config *config, const struct s2_ike_path *path,
                            struct s2_ike_sa **out)
{
    struct s2_ike_sa *sa = s2_alloc(ike->env, sizeof(*sa));
    s2svpn_status rc = S2SVPN_OK;

    if (sa == NULL)
        return s2_fail(ike->env, S2SVPN_E_MEMORY, NULL, "no memory for an IKE SA");
    sa->ike = ike;
    sa->config = config;
    sa->path = *path;
    sa->initiator = initiator;
    sa->peer_window = 1;
    sa->created_ns = sa->contact_ns = ike->now_ns;
    sa->rekey_at_ns = sa->expire_at_ns = sa->grace_at_ns = sa->child_at_ns = S2SVPN_NEVER;
    s2_list_init(&sa->owner_link);
    s2_list_init(&sa->half_link);
    s2_list_init(&sa->work_link);
    s2_list_init(&sa->children);
    s2_timer_init(&sa->retry, s2_ike_retry_fire, sa);
    s2_timer_init(&sa->alarm, s2_ike_deadlines_fire, sa);
    sa->spi_own = spi_own;
    if (spi_own == 0)
        rc = s2_ike_draw_spi(ike, &sa->spi_own);
    else if (s2_ike_find_spi(ike, spi_own) != NULL)
        rc = s2_fail(ike->env, S2SVPN_E_EXISTS, NULL, "the IKE SPI is in use");
    if (rc == S2SVPN_OK)
        rc = s2_table_insert(&ike->by_spi, &sa->spi_node, hash_u64(ike, sa->spi_own));
    if (rc != S2SVPN_OK) {
        s2_free(ike->env, sa);
        return rc;
    }
    ike->counters.sas++;
    *out = sa;
    return S2SVPN_OK;
}

s2svpn_status s2_ike_sa_set_owner(struct s2_ike_sa *sa, const struct s2_ike_config *config)
{
    struct s2_ike *ike = sa->ike;
    struct s2_ike_owner *owner = s2_ike_find_owner(ike, config->owner);

    if (owner == NULL) {
        owner = s2_alloc(ike->env, sizeof(*owner));
        if (owner == NULL)
            return s2_fail(ike->env, S2SVPN_E_MEMORY, NULL, "no memory for an IKE SA");
        owner->owner = config->owner;
        s2_list_init(&owner->sas);
        s2svpn_status rc = s2_table_insert(&ike->owners, &owner->node,
                                           hash_u64(ike, (uint64_t)(uintptr_t)config->owner));
        if (rc != S2SVPN_OK) {
            s2_free(ike->env, owner);
            return rc;
        }
    }
    s2_list_append(&owner->sas, &sa->owner_link);
    owner->count++;
    sa->owner = owner;
    sa->config = config;
    return S2SVPN_OK;
}

void s2_ike_touch(struct s2_ike_sa *sa)
{
    if (sa->touched || sa->state == S2_IKE_STATE_DEAD)
        return;
    sa->touched = true;
    s2_list_append(&sa->ike->touched, &sa->work_link);
}

void s2_ike_sa_get_info(const struct s2_ike_sa *sa, struct s2_ike_sa_info *out)
{
    const struct s2_ike_keys *k = &sa->keys;
    const size_t encr = k->encr != NULL ? k->encr->key_len : 0;
    const size_t integ = k->integ != NULL ? k->integ->key_len : 0;

    *out = (struct s2_ike_sa_info){
        .spi_i = s2_ike_spi_i(sa),
        .spi_r = s2_ike_spi_r(sa),
        .initiator = sa->initiator,
        .version = sa->v1 != NULL ? 1 : 2,
        .encr = k->suite.encr,
        .key_bits = k->suite.key_bits,
        .integ = k->suite.integ,
        .prf = k->suite.prf,
        .ke = k->suite.ke,
        .local = sa->path.local,
        .remote = sa->path.remote,
        .nat_local = sa->nat_local,
        .nat_remote = sa->nat_remote,
        .peer_id = sa->peer_id,
        .peer_window = sa->peer_window,
        .established_ns = sa->established_ns,
        .checks = sa->v1 == NULL || sa->v1->dpd.known,
        .asking =
            sa->want_check || sa->request.bytes.p != NULL || (sa->v1 != NULL && sa->v1->dpd.asking),
        .sk_ei = s2_span(k->sk_ei, encr),
        .sk_er = s2_span(k->sk_er, encr),
        .sk_ai = s2_span(k->sk_ai, integ),
        .sk_ar = s2_span(k->sk_ar, integ),
    };
}

void s2_ike_sa_announce(struct s2_ike_sa *sa)
{
    struct s2_ike *ike = sa->ike;
    struct s2_ike_sa_info info;

    if (sa->announced || sa->state == S2_IKE_STATE_DEAD)
        return;
    sa->announced = true;
    sa->report = false;
    s2_ike_sa_get_info(sa, &info);
    ike->ops.sa_up(ike->user, sa->config->owner, &info);
}

/* ---- death */

/* Nobody finds it any more, no timer or job comes back to it. */
static void unlink_sa(struct s2_ike_sa *sa)
{
    struct s2_ike *ike = sa->ike;

    s2_table_remove(&ike->by_spi, &sa->spi_node);
    if (sa->by_init)
        s2_table_remove(&ike->by_init, &sa->init_node);
    s2_timer_cancel(ike->env->timers, &sa->retry);
    s2_timer_cancel(ike->env->timers, &sa->alarm);
    s2_ike_making_stop(sa, sa->asking);
    s2_ike_making_stop(sa, sa->answering);
    if (sa->handshake != NULL) {
        s2_ike_making_stop(sa, &sa->handshake->making);
        s2_ike_proof_stop(sa);
    }
    if (sa->v1 != NULL)
        s2_ike1_stop(sa);
    if (sa->predecessor != NULL)
        sa->predecessor->heir = NULL;
    if (sa->heir != NULL)
        sa->heir->predecessor = NULL;
    sa->predecessor = sa->heir = NULL;
    s2_list_remove(&sa->work_link);
    s2_list_append(&ike->dead, &sa->work_link);
    ike->counters.sas--;
}

/* Returns whether no other IKE SA of the owner is up. */
static bool leave_owner(struct s2_ike_sa *sa)
{
    struct s2_ike_owner *owner = sa->owner;

    if (owner == NULL)
        return true;
    s2_list_remove(&sa->owner_link);
    sa->owner = NULL;
    if (--owner->count > 0)
        return newest_up(owner) == NULL;
    s2_table_remove(&sa->ike->owners, &owner->node);
    s2_free(sa->ike->env, owner);
    return true;
}

/* Any callback may forget the config: then the rest is silence. */
static void free_children(struct s2_ike_sa *sa, void *owner, enum s2_ike_reason reason)
{
    struct s2_ike *ike = sa->ike;
    struct s2_link *it;

    while ((it = s2_list_take_first(&sa->children)) != NULL) {
        struct s2_ike_child_sa *child = S2_CONTAINER(it, struct s2_ike_child_sa, link);
        const uint32_t spi_in = child->spi_in;

        s2_free(ike->env, child);
        if (!sa->forgotten)
            ike->ops.child_down(ike->user, owner, spi_in, reason, ike->now_ns);
    }
    sa->child_count = 0;
}

void s2_ike_sa_kill_silently(struct s2_ike_sa *sa)
{
    if (sa->state == S2_IKE_STATE_DEAD)
        return;
    s2_ike_set_state(sa, S2_IKE_STATE_DEAD);
    unlink_sa(sa);
    leave_owner(sa);
    sa->forgotten = true;
    free_children(sa, NULL, S2_IKE_REASON_NONE);
}

void s2_ike_sa_kill(struct s2_ike_sa *sa, enum s2_ike_reason reason, const char *detail)
{
    struct s2_ike *ike = sa->ike;
    char words[S2_IKE_DETAIL_SIZE];

    if (sa->state == S2_IKE_STATE_DEAD)
        return;
    s2_copy_text(words, sizeof(words), detail); /* it may be sa's own */
    s2_ike_heir_settle(sa);
    if (sa->state == S2_IKE_STATE_DEAD)
        return; /* by a callback of the heir */
    s2_ike_set_state(sa, S2_IKE_STATE_DEAD);
    void *owner = sa->config->owner;
    /* A line for each that anybody's message can make would fill the log. */
    s2_log(ike->env, sa->announced || sa->report ? S2_LOG_INFO : S2_LOG_DEBUG,
           "%s: IKE SA ended: %s%s%s", sa->config->name != NULL ? sa->config->name : "-",
           s2_ike_reason_text(reason), words[0] != '\0' ? ": " : "", words);
    unlink_sa(sa);
    const bool last = leave_owner(sa), was_up = sa->announced, tell = sa->announced || sa->report;
    sa->reason = (uint8_t)reason;
    free_children(sa, owner, reason);
    if (tell && !sa->forgotten)
        ike->ops.sa_down(ike->user, owner, reason, words, was_up, last, ike->now_ns);
}

void s2_ike_sa_close(struct s2_ike_sa *sa, enum s2_ike_reason reason, const char *detail)
{
    if (!s2_ike_state_is_up(sa->state)) {
        s2_ike_sa_kill(sa, reason, detail);
        return;
    }
    if (sa->want_close || sa->state == S2_IKE_STATE_CLOSING)
        return; /* the first reason stands */
    sa->want_close = true;
    sa->reason = (uint8_t)reason;
    s2_copy_text(sa->detail, sizeof(sa->detail), detail);
    s2_ike_touch(sa);
}

static bool push_out_oldest(struct s2_ike *ike, const struct s2_link *list, uint64_t age_ns)
{
    S2_LIST_EACH(list, it) {
        struct s2_ike_sa *sa = S2_CONTAINER(it, struct s2_ike_sa, half_link);

        if (s2_after(sa->created_ns, age_ns) > ike->now_ns)
            return false;
        if (sa->state == S2_IKE_STATE_HALF_OPEN || sa->state == S2_IKE_STATE_REFUSED) {
            s2_ike_sa_kill(sa, S2_IKE_REASON_LIMIT, "too many half-open IKE SAs");
            return true;
        }
    }
    return false;
}

/* Those who have shown that they receive may fill three quarters against all others, and
 * the rest as long as nobody else needs it: all of IKEv1's begin without having shown it. */
static bool has_most_returned(const struct s2_ike *ike)
{
    return ike->returned > ike->options.limits.half_open - ike->options.limits.half_open / 4;
}

/* When thousands of real peers start at once, those who come too late ask again soon; who has
 * been answered and is thrown out would go on asking a stranger. */
bool s2_ike_make_room(struct s2_ike *ike, bool returned)
{
    if (ike->counters.sas < ike->options.limits.sas &&
        ike->counters.half_open < ike->options.limits.half_open)
        return true;
    if (has_most_returned(ike) && push_out_oldest(ike, &ike->half_returned, RETURNED_NS))
        return true;
    if (returned && has_most_returned(ike))
        return false;
    return push_out_oldest(ike, &ike->half_open, 0) ||
           (returned && push_out_oldest(ike, &ike->half_returned, RETURNED_NS));
}

void s2_ike_sa_returned(struct s2_ike_sa *sa)
{
    if (sa->returned || !s2_ike_state_is_half(sa->state))
        return;
    sa->returned = true;
    s2_list_remove(&sa->half_link);
    s2_list_append(&sa->ike->half_returned, &sa->half_link);
    sa->ike->returned++;
}

void s2_ike_sa_reap(struct s2_ike *ike)
{
    struct s2_link *it;

    while ((it = s2_list_take_first(&ike->dead)) != NULL) {
        struct s2_ike_sa *sa = S2_CONTAINER(it, struct s2_ike_sa, work_link);

        if (!sa->forgotten) /* an answer that ended it */
            sa->v1 != NULL ? s2_ike1_flush(sa) : s2_ike_flush(sa);
        s2_ike1_free(sa);
        s2_ike_handshake_free(sa);
        s2_ike_making_free(sa, &sa->asking);
        s2_ike_making_free(sa, &sa->answering);
        s2_ike_bytes_clear(ike, &sa->request.bytes);
        s2_ike_bytes_clear(ike, &sa->response.bytes);
        s2_ike_window_free(sa);
        s2_ike_fragments_free(ike->env, &sa->request_parts);
        s2_ike_fragments_free(ike->env, &sa->response_parts);
        s2_ike_keys_clear(&sa->keys);
        s2_free(ike->env, sa);
    }
}
