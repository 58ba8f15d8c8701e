/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's public face: commands and what comes in go to the SAs that they are
 * for. See ike.h and engine.h. */
#include "ike/ike.h"

#include <string.h>

#include "ike/sa.h"
#include "ike/v1/v1.h"
#include "ike/v2/v2.h"

#define DEFAULT_SAS 20000
#define DEFAULT_HALF_OPEN 1000
#define DEFAULT_COOKIE_THRESHOLD 100
#define DEFAULT_TIMEOUT_MS 2000
#define DEFAULT_BASE_PERCENT 180
#define DEFAULT_TRIES 5
#define DEFAULT_FRAGMENT_SIZE 1280 /* passes wherever IPv6 does */
#define DEFAULT_KEEPALIVE_S 20     /* RFC 3948 section 4 */
#define MAJOR_VERSION(version) ((version) >> 4)
#define PLAIN_REPLY_GAP_NS (S2_SECOND / 10)

/* ---- the door */

void s2_ike_enter(struct s2_ike *ike, uint64_t now_ns)
{
    if (now_ns > ike->now_ns)
        ike->now_ns = now_ns;
    ike->depth++;
}

static void work(struct s2_ike_sa *sa)
{
    if (sa->v1 != NULL)
        s2_ike1_work(sa);
    else
        s2_ike_work(sa);
}

void s2_ike_leave(struct s2_ike *ike)
{
    struct s2_link *it;

    while (ike->depth == 1 && !(s2_list_empty(&ike->touched) && s2_list_empty(&ike->dead))) {
        while ((it = s2_list_take_first(&ike->touched)) != NULL) {
            struct s2_ike_sa *sa = S2_CONTAINER(it, struct s2_ike_sa, work_link);

            sa->touched = false;
            work(sa);
        }
        s2_ike_sa_reap(ike); /* its last words may call back */
    }
    ike->depth--;
}

/* ---- life */

static void fill_defaults(struct s2_ike_options *o)
{
    if (o->limits.sas == 0)
        o->limits.sas = DEFAULT_SAS;
    if (o->limits.half_open == 0)
        o->limits.half_open = DEFAULT_HALF_OPEN;
    if (o->limits.cookie_threshold == 0)
        o->limits.cookie_threshold = DEFAULT_COOKIE_THRESHOLD;
    if (o->retransmit_timeout_ms == 0)
        o->retransmit_timeout_ms = DEFAULT_TIMEOUT_MS;
    if (o->retransmit_base_percent == 0)
        o->retransmit_base_percent = DEFAULT_BASE_PERCENT;
    if (o->retransmit_tries == 0)
        o->retransmit_tries = DEFAULT_TRIES;
    if (o->fragment_size == 0)
        o->fragment_size = DEFAULT_FRAGMENT_SIZE;
    if (o->fragment_size < S2_IKE_FRAGMENT_SIZE_MIN)
        o->fragment_size = S2_IKE_FRAGMENT_SIZE_MIN;
    if (o->keepalive_s == 0)
        o->keepalive_s = DEFAULT_KEEPALIVE_S;
    if (o->request_window == 0)
        o->request_window = 1;
    if (o->request_window > S2_IKE_WINDOW_MAX)
        o->request_window = S2_IKE_WINDOW_MAX;
}

s2svpn_status s2_ike_new(const struct s2_env *env, const struct s2_ike_options *options,
                         const struct s2_ike_ops *ops, void *user, struct s2_ike **out)
{
    struct s2_ike *ike = s2_alloc(env, sizeof(*ike));

    if (ike == NULL)
        return s2_fail(env, S2SVPN_E_MEMORY, NULL, "no memory for the IKE engine");
    ike->env = env;
    ike->options = *options;
    fill_defaults(&ike->options);
    ike->crypto = (struct s2_ike_crypto){options->crypto, options->crypto_user};
    ike->ops = *ops;
    ike->user = user;
    /* A rekey needs a second one for a moment, and must not fail for the limit. */
    s2_table_init(&ike->by_spi, env, 2 * (size_t)ike->options.limits.sas);
    s2_table_init(&ike->by_init, env, 2 * (size_t)ike->options.limits.sas);
    s2_table_init(&ike->owners, env, 2 * (size_t)ike->options.limits.sas);
    s2_list_init(&ike->half_open);
    s2_list_init(&ike->half_returned);
    s2_list_init(&ike->touched);
    s2_list_init(&ike->dead);
    *out = ike;
    return S2SVPN_OK;
}

void s2_ike_free(struct s2_ike *ike)
{
    struct s2_table_node *n;

    if (ike == NULL)
        return;
    for (struct s2_table_cursor c = {0}; (n = s2_table_next(&ike->by_spi, &c)) != NULL;)
        s2_ike_sa_kill_silently(S2_CONTAINER(n, struct s2_ike_sa, spi_node));
    s2_ike_sa_reap(ike);
    s2_table_clear(&ike->by_spi);
    s2_table_clear(&ike->by_init);
    s2_table_clear(&ike->owners);
    const struct s2_env *env = ike->env;
    s2_wipe(ike, sizeof(*ike));
    s2_free(env, ike);
}

/* ---- what comes in */

/* A newer major version is told what we speak, section 2.5; at a pace. */
static void refuse_version(struct s2_ike *ike, const struct s2_ike_packet *packet)
{
    const uint8_t version = S2_IKE_VERSION_2;

    if (MAJOR_VERSION(packet->h.version) <= MAJOR_VERSION(S2_IKE_VERSION_2) ||
        (packet->h.flags & S2_IKE_FLAG_RESPONSE) != 0 || ike->now_ns < ike->plain_reply_at_ns)
        return;
    ike->plain_reply_at_ns = s2_after(ike->now_ns, PLAIN_REPLY_GAP_NS);
    s2_ike_send_plain_notify(ike, packet, S2_IKE_N_INVALID_MAJOR_VERSION, s2_span(&version, 1));
}

static enum s2svpn_drop receive(struct s2_ike *ike, struct s2_ike_packet *packet)
{
    struct s2_reader r;

    s2_reader_init(&r, packet->p, packet->len);
    if (s2_ike_parse_header(&r, &packet->h) != S2SVPN_OK)
        return S2SVPN_DROP_IKE_MALFORMED;
    if (MAJOR_VERSION(packet->h.version) == MAJOR_VERSION(S2_IKE1_VERSION))
        return s2_ike1_receive(ike, &packet->path, packet->p, packet->len);
    if (MAJOR_VERSION(packet->h.version) != MAJOR_VERSION(S2_IKE_VERSION_2)) {
        refuse_version(ike, packet);
        return S2SVPN_DROP_IKE_VERSION;
    }
    packet->hash = s2_siphash(ike->env->hash_key, packet->p, packet->len);
    return s2_ike_v2_receive(ike, packet);
}

enum s2svpn_drop s2_ike_receive(struct s2_ike *ike, const s2svpn_endpoint *local,
                                const s2svpn_endpoint *remote, uint8_t *p, size_t len,
                                uint64_t now_ns)
{
    struct s2_ike_packet packet = {.path = {*local, *remote}, .p = p, .len = len};

    s2_ike_enter(ike, now_ns);
    const enum s2svpn_drop drop = receive(ike, &packet);
    if (drop != S2SVPN_DROP_NONE)
        ike->counters.drops++;
    s2_ike_leave(ike);
    return drop;
}

static void kex_done(struct s2_ike_kex *kex, s2svpn_status result)
{
    if (kex->state != S2_IKE_KEX_PENDING)
        return;
    kex->state = S2_IKE_KEX_DONE;
    kex->result = result;
    s2_ike_touch(kex->sa);
}

const struct s2_ike_config *s2_ike_job_config(const s2svpn_job *job)
{
    const struct s2_ike_proof *proof = job->owner;

    return job->kind == S2SVPN_JOB_SIGN || job->kind == S2SVPN_JOB_VERIFY ? proof->sa->config
                                                                          : NULL;
}

void s2_ike_job_done(struct s2_ike *ike, s2svpn_job *job, s2svpn_status result, uint64_t now_ns)
{
    s2_ike_enter(ike, now_ns);
    if (job->kind == S2SVPN_JOB_SIGN || job->kind == S2SVPN_JOB_VERIFY)
        s2_ike_proof_done(job->owner, result);
    else
        kex_done(job->owner, result);
    s2_ike_leave(ike);
}

void s2_ike_identified(struct s2_ike *ike, uint64_t ticket, const struct s2_ike_config *config,
                       uint64_t now_ns)
{
    s2_ike_enter(ike, now_ns);
    /* The ticket is our SPI: never used again, so a late answer finds nothing. */
    struct s2_ike_sa *sa = s2_ike_find_spi(ike, ticket);
    if (sa != NULL && sa->handshake != NULL && s2_ike_state_is_half(sa->state) &&
        sa->state <= S2_IKE_STATE_HALF_IDENTIFY) {
        sa->handshake->identified = true;
        sa->handshake->nobody = config == NULL;
        if (config != NULL)
            sa->config = config;
        s2_ike_touch(sa);
    }
    s2_ike_leave(ike);
}

/* ---- commands */

static struct s2_ike_sa *find_initiated(const struct s2_ike_owner *owner)
{
    S2_LIST_EACH(&owner->sas, it) {
        struct s2_ike_sa *sa = S2_CONTAINER(it, struct s2_ike_sa, owner_link);

        if (sa->initiator && sa->state < S2_IKE_STATE_REKEYED && !sa->want_close)
            return sa;
    }
    return NULL;
}

/* An IKE SA that is up but has no child gets one. */
static s2svpn_status start_child(struct s2_ike *ike, struct s2_ike_sa *sa)
{
    if (sa->state != S2_IKE_STATE_UP || sa->child_count > 0 || sa->asking != NULL ||
        sa->answering != NULL || (sa->v1 != NULL && s2_ike1_is_busy(sa)))
        return s2_fail(ike->env, S2SVPN_E_EXISTS, NULL, "IKE is already at work for this tunnel");
    sa->want_child = true;
    s2_ike_touch(sa);
    return S2SVPN_OK;
}

static s2svpn_status status_of(enum s2_ike_reason reason)
{
    switch (reason) {
    case S2_IKE_REASON_MEMORY:
        return S2SVPN_E_MEMORY;
    case S2_IKE_REASON_LIMIT:
        return S2SVPN_E_LIMIT;
    default:
        return S2SVPN_E_CRYPTO;
    }
}

static bool begins_with_v1(const struct s2_ike_config *config)
{
    return s2_ike_allows(config, S2_IKE_ALLOW_V1) &&
           (config->ikev1_first || !s2_ike_allows(config, S2_IKE_ALLOW_V2));
}

/* As far as it goes at once: what fails here is the call's failure. */
static void start(struct s2_ike_sa *sa)
{
    if (sa->v1 != NULL)
        s2_ike1_step(sa, S2_IKE1_EVENT_START, NULL);
    else
        s2_ike_step(sa, S2_IKE_EVENT_START, NULL);
    if (sa->state != S2_IKE_STATE_DEAD)
        work(sa);
}

static s2svpn_status start_sa(struct s2_ike *ike, const struct s2_ike_config *config)
{
    struct s2_ike_path path = {.local = config->local};
    struct s2_ike_sa *sa;

    if (config->remote.family == S2SVPN_FAMILY_NONE)
        return s2_fail(ike->env, S2SVPN_E_STATE, "remote", "the peer's address is not known");
    if (s2_ike_by_certificate(config) && config->credentials == NULL)
        return s2_fail(ike->env, S2SVPN_E_STATE, "certificates", "the tunnel has no certificate");
    if (ike->counters.sas >= ike->options.limits.sas)
        return s2_fail(ike->env, S2SVPN_E_LIMIT, NULL, "too many IKE SAs");
    path.remote.address = config->remote;
    path.remote.port = config->remote_port;
    path.remote.role = config->local.role;
    s2svpn_status rc = s2_ike_sa_new(ike, true, 0, config, &path, &sa);
    if (rc != S2SVPN_OK)
        return rc;
    if (begins_with_v1(config))
        rc = s2_ike1_attach(sa);
    if (rc == S2SVPN_OK)
        rc = s2_ike_sa_set_owner(sa, config);
    if (rc != S2SVPN_OK) {
        s2_ike_sa_kill_silently(sa);
        return rc;
    }
    start(sa);
    if (sa->state == S2_IKE_STATE_DEAD)
        return s2_fail(ike->env, status_of(sa->reason), NULL,
                       "the first message could not be made");
    sa->report = true;
    return S2SVPN_OK;
}

s2svpn_status s2_ike_initiate(struct s2_ike *ike, const struct s2_ike_config *config,
                              uint64_t now_ns)
{
    s2svpn_status rc;

    if (config->mute)
        return s2_fail(ike->env, S2SVPN_E_STATE, NULL, "the tunnel is administratively down");
    s2_ike_enter(ike, now_ns);
    const struct s2_ike_owner *owner = s2_ike_find_owner(ike, config->owner);
    struct s2_ike_sa *sa = owner != NULL ? find_initiated(owner) : NULL;
    if (sa != NULL && !sa->announced) /* begun to take the place of one that is gone now */
        sa->report = true;
    if (sa == NULL)
        sa = s2_ike_find_up(ike, config->owner);
    if (sa != NULL && (sa->initiator || sa->child_count == 0))
        rc = start_child(ike, sa);
    else
        rc = start_sa(ike, config);
    s2_ike_leave(ike);
    return rc;
}

/* The owner's first SA that isn't on its way out; closing one may end others. */
static struct s2_ike_sa *find_open(const struct s2_ike *ike, const void *owner, bool polite)
{
    const struct s2_ike_owner *o = s2_ike_find_owner(ike, owner);

    if (o == NULL)
        return NULL;
    S2_LIST_EACH(&o->sas, it) {
        struct s2_ike_sa *sa = S2_CONTAINER(it, struct s2_ike_sa, owner_link);

        if (!polite || (!sa->want_close && sa->state != S2_IKE_STATE_CLOSING))
            return sa;
    }
    return NULL;
}

void s2_ike_terminate(struct s2_ike *ike, void *owner, bool polite, uint64_t now_ns)
{
    struct s2_ike_sa *sa;

    s2_ike_enter(ike, now_ns);
    while ((sa = find_open(ike, owner, polite)) != NULL) {
        if (polite)
            s2_ike_sa_close(sa, S2_IKE_REASON_LOCAL, "");
        else
            s2_ike_sa_kill(sa, S2_IKE_REASON_LOCAL, "");
    }
    s2_ike_leave(ike);
}

static struct s2_ike_sa *find_half(const struct s2_link *list, const struct s2_ike_config *config)
{
    S2_LIST_EACH(list, it) {
        struct s2_ike_sa *sa = S2_CONTAINER(it, struct s2_ike_sa, half_link);

        if (sa->v1 != NULL ? s2_ike1_forget_candidate(sa, config) : sa->config == config)
            return sa;
    }
    return NULL;
}

/* Any SA of that config: it has the config's owner, or is half open and has none. So
 * the cost doesn't grow with the number of tunnels. */
static struct s2_ike_sa *find_using(const struct s2_ike *ike, const struct s2_ike_config *config)
{
    const struct s2_ike_owner *owner = s2_ike_find_owner(ike, config->owner);

    for (struct s2_link *it = owner != NULL ? owner->sas.next : NULL;
         it != NULL && it != &owner->sas; it = it->next) {
        struct s2_ike_sa *sa = S2_CONTAINER(it, struct s2_ike_sa, owner_link);

        if (sa->config == config)
            return sa;
    }
    struct s2_ike_sa *half = find_half(&ike->half_open, config);
    return half != NULL ? half : find_half(&ike->half_returned, config);
}

void s2_ike_forget(struct s2_ike *ike, const struct s2_ike_config *config)
{
    struct s2_ike_sa *sa;

    s2_ike_enter(ike, ike->now_ns);
    while ((sa = find_using(ike, config)) != NULL)
        s2_ike_sa_kill_silently(sa);
    S2_LIST_EACH(&ike->dead, it) /* some may be dying just now */
    {
        sa = S2_CONTAINER(it, struct s2_ike_sa, work_link);
        sa->forgotten = sa->forgotten || sa->config == config;
    }
    s2_ike_leave(ike);
}

s2svpn_status s2_ike_rekey_child(struct s2_ike *ike, void *owner, uint32_t spi_in, uint64_t now_ns)
{
    const struct s2_ike_owner *o = s2_ike_find_owner(ike, owner);
    struct s2_ike_child_sa *child = NULL;
    struct s2_ike_sa *sa = NULL;

    for (struct s2_link *it = o != NULL ? o->sas.next : NULL;
         it != NULL && it != &o->sas && child == NULL; it = it->next) {
        sa = S2_CONTAINER(it, struct s2_ike_sa, owner_link);
        child = sa->state == S2_IKE_STATE_UP ? s2_ike_child_find_in(sa, spi_in) : NULL;
    }
    /* Of IKEv1 a replaced one may live on, and be in use, for long: the other is meant. */
    if (child != NULL && sa->v1 != NULL && child->state == S2_IKE_CHILD_REPLACED)
        child = s2_ike_child_current(sa);
    if (child == NULL || child->state != S2_IKE_CHILD_CURRENT)
        return s2_fail(ike->env, S2SVPN_E_NOT_FOUND, NULL, "no such child SA");
    s2_ike_enter(ike, now_ns);
    child->want_rekey = true;
    s2_ike_touch(sa);
    s2_ike_leave(ike);
    return S2SVPN_OK;
}

s2svpn_status s2_ike_rekey_sa(struct s2_ike *ike, void *owner, uint64_t now_ns)
{
    struct s2_ike_sa *sa = s2_ike_find_up(ike, owner);

    if (sa == NULL)
        return s2_fail(ike->env, S2SVPN_E_NOT_FOUND, NULL, "no IKE SA is up");
    s2_ike_enter(ike, now_ns);
    sa->want_rekey = true;
    s2_ike_touch(sa);
    s2_ike_leave(ike);
    return S2SVPN_OK;
}

s2svpn_status s2_ike_check(struct s2_ike *ike, void *owner, uint64_t now_ns)
{
    struct s2_ike_sa *sa = s2_ike_find_up(ike, owner);

    if (sa == NULL)
        return s2_fail(ike->env, S2SVPN_E_NOT_FOUND, NULL, "no IKE SA is up");
    s2_ike_enter(ike, now_ns);
    sa->want_check = true;
    s2_ike_touch(sa);
    s2_ike_leave(ike);
    return S2SVPN_OK;
}

void s2_ike_heard_from(struct s2_ike *ike, void *owner, const s2svpn_endpoint *remote,
                       uint64_t now_ns)
{
    struct s2_ike_sa *sa = s2_ike_find_up(ike, owner);

    if (sa == NULL)
        return;
    s2_ike_enter(ike, now_ns);
    s2_ike_nat_heard(sa, remote);
    s2_ike_leave(ike);
}

bool s2_ike_get_info(const struct s2_ike *ike, const void *owner, struct s2_ike_sa_info *out)
{
    const struct s2_ike_sa *sa = s2_ike_find_up(ike, owner);

    if (sa != NULL)
        s2_ike_sa_get_info(sa, out);
    return sa != NULL;
}

void s2_ike_get_counters(const struct s2_ike *ike, struct s2_ike_counters *out)
{
    *out = ike->counters;
}
