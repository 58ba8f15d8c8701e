/* SPDX-License-Identifier: Apache-2.0 */
/* A crypto table over another one that does the same work, but never answers a job
 * inside the call: the real backend is asked when the answer is due, so that a
 * library which lets go of a job's memory too early is caught. */
#include "io/sim/sim.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is only passed on; the real table has its own user pointer */

static s2svpn_status node_random(void *user, uint8_t *out, size_t len)
{
    s2svpn_sim_node *node = user;

    s2_sim_fill(&node->random, out, len);
    return S2SVPN_OK;
}

static s2svpn_status hash(void *user, uint16_t id, const s2svpn_span *in, size_t n, uint8_t *out)
{
    s2svpn_sim_node *node = user;

    return node->real_crypto->hash(node->real_crypto_user, id, in, n, out);
}

static s2svpn_status prf(void *user, uint16_t id, s2svpn_span key, const s2svpn_span *in, size_t n,
                         uint8_t *out)
{
    s2svpn_sim_node *node = user;

    return node->real_crypto->prf(node->real_crypto_user, id, key, in, n, out);
}

static s2svpn_status integ(void *user, uint16_t id, s2svpn_span key, const s2svpn_span *in,
                           size_t n, uint8_t *icv)
{
    s2svpn_sim_node *node = user;

    return node->real_crypto->integ(node->real_crypto_user, id, key, in, n, icv);
}

static s2svpn_status ike_cbc(void *user, uint16_t encr, bool encrypt, s2svpn_span key,
                             const uint8_t *iv, uint8_t *data, size_t len)
{
    s2svpn_sim_node *node = user;

    return node->real_crypto->ike_cbc(node->real_crypto_user, encr, encrypt, key, iv, data, len);
}

static s2svpn_status ike_aead(void *user, uint16_t encr, bool seal, s2svpn_span key,
                              const uint8_t *iv, s2svpn_span aad, uint8_t *data, size_t len,
                              uint8_t *icv)
{
    s2svpn_sim_node *node = user;

    return node->real_crypto->ike_aead(node->real_crypto_user, encr, seal, key, iv, aad, data, len,
                                       icv);
}

static s2svpn_status esp_worker_new(void *user, void **worker)
{
    s2svpn_sim_node *node = user;

    return node->real_crypto->esp_worker_new(node->real_crypto_user, worker);
}

static void esp_worker_free(void *user, void *worker)
{
    s2svpn_sim_node *node = user;

    node->real_crypto->esp_worker_free(node->real_crypto_user, worker);
}

static s2svpn_status esp_session_new(void *user, const s2svpn_esp_session_spec *spec,
                                     void **session)
{
    s2svpn_sim_node *node = user;

    return node->real_crypto->esp_session_new(node->real_crypto_user, spec, session);
}

static void esp_session_free(void *user, void *session)
{
    s2svpn_sim_node *node = user;

    node->real_crypto->esp_session_free(node->real_crypto_user, session);
}

static void esp_seal(void *user, void *worker, s2svpn_esp_op *ops, size_t n)
{
    s2svpn_sim_node *node = user;

    node->real_crypto->esp_seal(node->real_crypto_user, worker, ops, n);
}

static void esp_open(void *user, void *worker, s2svpn_esp_op *ops, size_t n)
{
    s2svpn_sim_node *node = user;

    node->real_crypto->esp_open(node->real_crypto_user, worker, ops, n);
}

/* ---- jobs */

static void unlink_job(struct s2_sim_job *entry)
{
    *entry->link = entry->next;
    if (entry->next)
        entry->next->link = entry->link;
}

static void remove_job(s2svpn_sim_node *node, struct s2_sim_job *entry)
{
    s2_sim_unqueue(&node->sim->queue, &entry->event);
    unlink_job(entry);
    free(entry);
}

static struct s2_sim_job *find_job(const s2svpn_sim_node *node, const s2svpn_job *job)
{
    struct s2_sim_job *entry = node->jobs;

    while (entry && entry->job != job)
        entry = entry->next;
    return entry;
}

static s2svpn_status queue_job(s2svpn_sim_node *node, struct s2_sim_job *entry)
{
    return s2_sim_push(&node->sim->queue, &entry->event,
                       s2_sim_later(node->sim->now_ns, entry->delay_ns));
}

/* At least a nanosecond: never inside the call. */
static uint64_t roll_delay(s2svpn_sim *sim)
{
    const uint64_t spread = sim->job_max_ns - sim->job_min_ns;
    const uint64_t ns = sim->job_min_ns + (spread ? s2_sim_roll(&sim->random, spread) : 0);

    return ns ? ns : 1;
}

static s2svpn_job_state start_job(void *user, s2svpn_job *job, s2svpn_status *result)
{
    s2svpn_sim_node *node = user;
    struct s2_sim_job *entry = calloc(1, sizeof(*entry));

    if (!entry)
        goto fail;
    entry->event =
        (struct s2_sim_event){.kind = S2_SIM_JOB, .node = node, .place = S2_SIM_NOT_QUEUED};
    entry->job = job;
    entry->delay_ns = roll_delay(node->sim);
    if (node->ctx && queue_job(node, entry) != S2SVPN_OK)
        goto fail;
    entry->next = node->jobs;
    entry->link = &node->jobs;
    if (entry->next)
        entry->next->link = &entry->next;
    node->jobs = entry;
    return S2SVPN_JOB_PENDING;

fail:
    free(entry);
    *result = S2SVPN_E_MEMORY;
    return S2SVPN_JOB_DONE;
}

/* What we don't know is the real backend's: it may answer later, too. */
static void cancel_job(void *user, s2svpn_job *job)
{
    s2svpn_sim_node *node = user;
    struct s2_sim_job *entry = find_job(node, job);

    if (entry)
        remove_job(node, entry);
    else if (node->real_crypto->cancel_job)
        node->real_crypto->cancel_job(node->real_crypto_user, job);
}

void s2_sim_do_job(s2svpn_sim_node *node, struct s2_sim_job *entry)
{
    s2svpn_job *job = entry->job;
    s2svpn_status result = S2SVPN_E_CRYPTO;

    remove_job(node, entry);
    node->sim->counters.jobs++;
    if (node->real_crypto->start_job(node->real_crypto_user, job, &result) == S2SVPN_JOB_DONE)
        s2svpn_job_done(node->ctx, job, result, node->sim->now_ns);
}

s2svpn_status s2_sim_attach_jobs(s2svpn_sim_node *node)
{
    for (struct s2_sim_job *entry = node->jobs; entry; entry = entry->next) {
        if (entry->forgotten || entry->event.place != S2_SIM_NOT_QUEUED)
            continue;

        s2svpn_status rc = queue_job(node, entry);
        if (rc != S2SVPN_OK)
            return rc;
    }
    return S2SVPN_OK;
}

void s2_sim_forget_jobs(s2svpn_sim_node *node)
{
    for (struct s2_sim_job *entry = node->jobs; entry; entry = entry->next) {
        s2_sim_unqueue(&node->sim->queue, &entry->event);
        entry->forgotten = true;
    }
}

void s2_sim_clear_jobs(s2svpn_sim_node *node)
{
    while (node->jobs)
        remove_job(node, node->jobs);
}

/* ---- the table */

/* Options may have been prepared before, for this node or another one. */
static void find_real(s2svpn_sim_node *node, const s2svpn_options *options)
{
    node->real_crypto = options->crypto ? options->crypto : s2svpn_crypto_openssl();
    node->real_crypto_user = options->crypto ? options->crypto_user : NULL;
}

static void unwrap(const s2svpn_sim *sim, s2svpn_options *options)
{
    for (const s2svpn_sim_node *n = sim->nodes; n; n = n->next) {
        if (options->crypto == &n->crypto) {
            options->crypto = n->real_crypto;
            options->crypto_user = n->real_crypto_user;
            return;
        }
    }
}

void s2_sim_wrap_crypto(s2svpn_sim_node *node, s2svpn_options *options)
{
    options->random = node_random;
    options->random_user = node;
    unwrap(node->sim, options);
    find_real(node, options);

    const s2svpn_crypto_ops *real = node->real_crypto;
    if (!real)
        return;
    node->crypto = (s2svpn_crypto_ops){
        .size = sizeof(node->crypto),
        .name = real->name,
        .algorithms = real->algorithms,
        .random = node_random,
        .hash = real->hash ? hash : NULL,
        .prf = real->prf ? prf : NULL,
        .integ = real->integ ? integ : NULL,
        .ike_cbc = real->ike_cbc ? ike_cbc : NULL,
        .ike_aead = real->ike_aead ? ike_aead : NULL,
        .start_job = real->start_job ? start_job : NULL,
        .cancel_job = cancel_job,
        .esp_gather = real->esp_gather,
        .esp_worker_new = real->esp_worker_new ? esp_worker_new : NULL,
        .esp_worker_free = real->esp_worker_free ? esp_worker_free : NULL,
        .esp_session_new = real->esp_session_new ? esp_session_new : NULL,
        .esp_session_free = real->esp_session_free ? esp_session_free : NULL,
        .esp_seal = real->esp_seal ? esp_seal : NULL,
        .esp_open = real->esp_open ? esp_open : NULL,
    };
    s2_sim_wrap_certificates(node);
    options->crypto = &node->crypto;
    options->crypto_user = node;
}
