/* SPDX-License-Identifier: Apache-2.0 */
/* The pair of engines: network, time, and a vpn of the simplest kind. */
#include "ike/pair.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/text.h"

#define DELAY_NS (10 * S2_MS)
#define JOB_NS S2_MS
#define MOST_STEPS 200000

static uint64_t draw(struct s2_pair *p)
{
    uint64_t v = p->random_state += UINT64_C(0x9e3779b97f4a7c15);

    v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
    return v ^ v >> 31;
}

static bool chance(struct s2_pair *p, unsigned percent)
{
    return percent > 0 && draw(p) % 100 < percent;
}

/* For whoever looks into a failing test. */
static void trace(const struct s2_pair_end *end, const char *fmt, ...) S2SVPN_PRINTF(2, 3);

static void trace(const struct s2_pair_end *end, const char *fmt, ...)
{
    const uint64_t ms = end->pair->now_ns / S2_MS;
    va_list args;

    if (!end->pair->trace)
        return;
    printf("%6llu.%03llu %u ", (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000),
           end->number);
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf("\n");
}

static void on_log(void *user, enum s2_log_level level, const char *text)
{
    (void)level;
    trace(user, "%s", text);
}

static void call_hook(struct s2_pair_end *end, const char *callback)
{
    if (end->hook != NULL)
        end->hook(end, callback);
}

/* ---- the network */

static void enqueue(struct s2_pair *p, const struct s2_pair_datagram *like, const uint8_t *bytes,
                    size_t len)
{
    struct s2_pair_datagram d = *like;

    if (p->queued == S2_PAIR_QUEUE)
        return;
    d.p = malloc(len);
    memcpy(d.p, bytes, len);
    d.len = len;
    d.order = p->order++;
    d.at_ns = p->now_ns + DELAY_NS;
    if (p->jitter_ms > 0)
        d.at_ns += draw(p) % (p->jitter_ms * S2_MS);
    if (p->filter != NULL && !p->filter(p, &d)) {
        free(d.p);
        return;
    }
    p->queue[p->queued++] = d;
}

/* The NAT of end 0 has one address of its own and shifts ports. */
static void translate(const struct s2_pair *p, unsigned from, struct s2_pair_datagram *d)
{
    if (!p->nat)
        return;
    if (from == 0) {
        d->remote.address = s2_address_ipv4(0xcb0071fe); /* 203.0.113.254 */
        d->remote.port = (uint16_t)(d->remote.port + p->nat_shift);
    } else {
        d->local.address = p->end[0].config.local.address;
        d->local.port = (uint16_t)(d->local.port - p->nat_shift);
    }
}

static void on_send(void *user, const s2svpn_endpoint *local, const s2svpn_endpoint *remote,
                    const uint8_t *bytes, size_t len)
{
    struct s2_pair_end *end = user;
    struct s2_pair *p = end->pair;
    struct s2_pair_datagram d = {.to = 1 - end->number, .local = *remote, .remote = *local};

    end->sent++;
    trace(end, "-> exchange %u flags %02x id %u, %zu bytes", bytes[18], bytes[19], bytes[23], len);
    translate(p, end->number, &d);
    const struct s2_ike_config *c = &p->end[d.to].config;
    d.local.role = d.local.port == c->local_natt.port ? S2SVPN_ROLE_NATT : S2SVPN_ROLE_IKE;
    if (!chance(p, p->loss))
        enqueue(p, &d, bytes, len);
    if (chance(p, p->twice))
        enqueue(p, &d, bytes, len);
    call_hook(end, "send");
}

void s2_pair_inject(struct s2_pair *p, unsigned to, const s2svpn_endpoint *local,
                    const s2svpn_endpoint *remote, const uint8_t *bytes, size_t len)
{
    const struct s2_pair_datagram d = {.to = to, .local = *local, .remote = *remote};

    enqueue(p, &d, bytes, len);
}

static void take(struct s2_pair *p, size_t i)
{
    struct s2_pair_datagram d = p->queue[i];
    struct s2_pair_end *end = &p->end[d.to];

    p->queue[i] = p->queue[--p->queued];
    end->received++;
    if (end->ike != NULL)
        end->drop = s2_ike_receive(end->ike, &d.local, &d.remote, d.p, d.len, p->now_ns);
    if (end->drop != S2SVPN_DROP_NONE)
        trace(end, "dropped: %u", end->drop);
    free(d.p);
}

bool s2_pair_deliver(struct s2_pair *p, unsigned to)
{
    size_t oldest = p->queued;

    for (size_t i = 0; i < p->queued; i++) {
        if (p->queue[i].to == to &&
            (oldest == p->queued || p->queue[i].order < p->queue[oldest].order))
            oldest = i;
    }
    if (oldest == p->queued)
        return false;
    take(p, oldest);
    return true;
}

/* ---- jobs */

static bool is_zero(s2svpn_span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] != 0)
            return false;
    }
    return true;
}

static s2svpn_status compute(struct s2_pair_end *end, s2svpn_job *job)
{
    struct s2_fake_crypto none = {0};
    s2svpn_status result;

    if (end->fail_job == end->jobs)
        return end->fail_job_with;
    if (end->options.crypto != s2_fake_crypto_ops()) { /* a real one */
        (void)end->options.crypto->start_job(end->options.crypto_user, job, &result);
        return result;
    }
    if (job->kind == S2SVPN_JOB_KE_SHARED && is_zero(job->in))
        return S2SVPN_E_ARGUMENT; /* RFC 6989 */
    (void)s2_fake_crypto_ops()->start_job(&none, job, &result);
    return result;
}

static s2svpn_job_state on_start_job(void *user, s2svpn_job *job, s2svpn_status *result)
{
    struct s2_pair_end *end = user;

    end->jobs++;
    end->signs += job->kind == S2SVPN_JOB_SIGN;
    end->verifies += job->kind == S2SVPN_JOB_VERIFY;
    if (job->kind == S2SVPN_JOB_VERIFY)
        job->verify->unix_s = end->unix_s;
    *result = compute(end, job);
    if (job->kind == S2SVPN_JOB_SIGN)
        end->method = job->sign->method;
    call_hook(end, "start_job");
    if (!end->defer_jobs)
        return S2SVPN_JOB_DONE;
    if (end->job_count == S2_PAIR_JOBS)
        abort();
    end->job[end->job_count++] = (struct s2_pair_job){job, *result, end->pair->now_ns + JOB_NS};
    return S2SVPN_JOB_PENDING;
}

static void on_cancel_job(void *user, s2svpn_job *job)
{
    struct s2_pair_end *end = user;

    for (size_t i = 0; i < end->job_count; i++) {
        if (end->job[i].job == job) {
            end->job[i] = end->job[--end->job_count];
            end->jobs_cancelled++;
            return;
        }
    }
    abort(); /* cancels what isn't pending */
}

/* ---- what vpn would do */

static size_t on_candidates(void *user, const s2svpn_endpoint *local, const s2svpn_endpoint *remote,
                            const struct s2_ike_config **out, size_t max)
{
    struct s2_pair_end *end = user;
    size_t n = 0;

    (void)local;
    for (; n < end->candidates && n < max; n++)
        out[n] = end->candidate[n] != NULL ? end->candidate[n] : end->live;
    if (end->config.remote.family != S2SVPN_FAMILY_NONE &&
        !s2_address_equal(&remote->address, &end->config.remote))
        return 0;
    call_hook(end, "candidates");
    return n;
}

/* The last candidate is the one. */
static const struct s2_ike_config *choice_of(const struct s2_pair_end *end)
{
    const struct s2_ike_config *chosen = end->candidate[end->candidates - 1];

    if (end->identify_nobody)
        return NULL;
    return chosen != NULL ? chosen : end->live;
}

static void on_identify(void *user, uint64_t ticket, const s2svpn_endpoint *local,
                        const s2svpn_endpoint *remote, const struct s2_ike_id *idi,
                        const struct s2_ike_id *idr, s2svpn_span certificate)
{
    struct s2_pair_end *end = user;

    (void)local;
    (void)remote;
    (void)idi;
    (void)idr;
    end->shown_len = certificate.len;
    for (size_t i = 0; i < certificate.len && i < sizeof(end->shown); i++)
        end->shown[i] = certificate.p[i];
    end->ticket = ticket;
    if (end->defer_identify == 0)
        s2_ike_identified(end->ike, ticket, choice_of(end), end->pair->now_ns);
    if (end->defer_identify == 1)
        end->ticket_at_ns = end->pair->now_ns + JOB_NS;
    call_hook(end, "identify");
}

static uint32_t on_child_spi(void *user, void *owner)
{
    struct s2_pair_end *end = user;

    (void)owner;
    if (end->no_spi)
        return 0;
    end->spis_drawn++;
    call_hook(end, "child_spi");
    return 0x10000 * (end->number + 1) + end->spis_drawn;
}

static void on_release_spi(void *user, void *owner, uint32_t spi)
{
    struct s2_pair_end *end = user;

    (void)owner;
    (void)spi;
    end->spis_given_back++;
    call_hook(end, "release_spi");
}

static void on_sa_up(void *user, void *owner, const struct s2_ike_sa_info *info)
{
    struct s2_pair_end *end = user;

    (void)owner;
    end->sa_ups++;
    trace(end, "sa_up");
    end->info = *info;
    call_hook(end, "sa_up");
}

static void on_sa_down(void *user, void *owner, enum s2_ike_reason reason, const char *detail,
                       bool was_up, bool last, uint64_t now_ns)
{
    struct s2_pair_end *end = user;

    (void)owner;
    (void)now_ns;
    end->sa_downs++;
    end->reason = reason;
    s2_copy_text(end->detail, sizeof(end->detail), detail);
    end->was_up = was_up;
    end->last = last;
    trace(end, "sa_down: %s (%s) was_up %d last %d", s2_ike_reason_text(reason), detail, was_up,
          last);
    call_hook(end, "sa_down");
}

static void on_child_settled(void *user, void *owner, uint32_t spi_in, uint64_t now_ns)
{
    struct s2_pair_end *end = user;

    (void)owner;
    (void)now_ns;
    for (size_t i = 0; i < end->children; i++) {
        struct s2_pair_child *c = &end->child[i];

        if (c->up && c->spi_in == spi_in && (end->outbound == NULL || c > end->outbound))
            end->outbound = c;
    }
    call_hook(end, "child_settled");
}

static bool on_child_up(void *user, void *owner, const struct s2_ike_child *child, uint64_t now_ns)
{
    struct s2_pair_end *end = user;
    struct s2_pair_child *c = &end->child[end->children];

    (void)owner;
    (void)now_ns;
    const unsigned forgets = end->forgets;
    call_hook(end, "child_up");
    if (end->refuse_child || end->forgets != forgets) {
        end->spis_given_back++; /* by itself; or forgotten meanwhile */
        return false;
    }
    if (end->children == S2_PAIR_CHILDREN)
        abort();
    *c = (struct s2_pair_child){.spi_in = child->spi_in,
                                .spi_out = child->spi_out,
                                .replaces = child->replaces,
                                .up = true,
                                .ke = child->ke,
                                .esn = child->esn,
                                .lifetime_kb = child->lifetime_kb,
                                .local = child->local,
                                .remote = child->remote,
                                .local_ts = child->local_ts[0],
                                .remote_ts = child->remote_ts[0]};
    memcpy(c->key_in, child->encr_key_in.p, child->encr_key_in.len);
    memcpy(c->key_out, child->encr_key_out.p, child->encr_key_out.len);
    end->children++;
    end->children_up++;
    trace(end, "child_up %x replaces %x moves %d", child->spi_in, child->replaces,
          child->initiator);
    if (child->initiator || end->outbound == NULL)
        end->outbound = c;
    return true;
}

static void on_child_down(void *user, void *owner, uint32_t spi_in, enum s2_ike_reason reason,
                          uint64_t now_ns)
{
    struct s2_pair_end *end = user;
    struct s2_pair_child *gone = NULL;

    (void)owner;
    for (size_t i = 0; i < end->children; i++) {
        if (end->child[i].up && end->child[i].spi_in == spi_in)
            gone = &end->child[i];
    }
    if (gone == NULL)
        abort(); /* takes down what isn't up */
    gone->up = false;
    gone->down_ns = now_ns;
    end->children_down++;
    trace(end, "child_down %x: %s", spi_in, s2_ike_reason_text(reason));
    end->child_reason = reason;
    if (end->outbound == gone) {
        end->outbound = NULL;
        for (size_t i = 0; i < end->children; i++) {
            if (end->child[i].up)
                end->outbound = &end->child[i];
        }
    }
    call_hook(end, "child_down");
}

static void on_peer_moved(void *user, void *owner, const s2svpn_endpoint *remote, uint64_t now_ns)
{
    struct s2_pair_end *end = user;

    (void)owner;
    (void)remote;
    (void)now_ns;
    end->moves++;
    call_hook(end, "peer_moved");
}

static uint64_t on_last_inbound(void *user, void *owner)
{
    const struct s2_pair_end *end = user;

    (void)owner;
    return end->esp_inbound_ns;
}

static void on_note(void *user, void *owner, const char *text, uint64_t now_ns)
{
    struct s2_pair_end *end = user;

    (void)owner;
    (void)now_ns;
    end->notes++;
    s2_copy_text(end->note, sizeof(end->note), text);
    call_hook(end, "note");
}

static void on_keepalive(void *user, const s2svpn_endpoint *local, const s2svpn_endpoint *remote)
{
    struct s2_pair_end *end = user;

    end->keepalives++;
    end->keepalive_from = *local;
    end->keepalive_to = *remote;
    call_hook(end, "keepalive");
}

static const struct s2_ike_ops ops = {
    .send = on_send,
    .start_job = on_start_job,
    .cancel_job = on_cancel_job,
    .candidates = on_candidates,
    .identify = on_identify,
    .child_spi = on_child_spi,
    .release_spi = on_release_spi,
    .sa_up = on_sa_up,
    .sa_down = on_sa_down,
    .child_up = on_child_up,
    .child_settled = on_child_settled,
    .child_down = on_child_down,
    .peer_moved = on_peer_moved,
    .last_inbound = on_last_inbound,
    .note = on_note,
    .keepalive = on_keepalive,
};

/* ---- traffic */

static struct s2_pair_child *find_inbound(struct s2_pair *p, struct s2_pair_end *end, uint32_t spi)
{
    for (size_t i = 0; i < end->children; i++) {
        struct s2_pair_child *c = &end->child[i];

        if (c->spi_in == spi && (c->up || p->now_ns - c->down_ns <= S2_PAIR_LINGER_NS))
            return c;
    }
    return NULL;
}

/* A packet over the outbound SA; the receiver moves to what it comes in on, if that
 * is newer: the peer has shown that it is there. */
static void send_packet(struct s2_pair *p, unsigned from)
{
    const struct s2_pair_child *out = p->end[from].outbound;
    struct s2_pair_end *to = &p->end[1 - from];
    struct s2_pair_child *in = out != NULL ? find_inbound(p, to, out->spi_out) : NULL;

    if (in == NULL || memcmp(in->key_in, out->key_out, sizeof(in->key_in)) != 0) {
        p->lost_packets++;
        return;
    }
    if (in->up && (to->outbound == NULL || in > to->outbound))
        to->outbound = in;
}

/* ---- time */

static uint64_t next_at(const struct s2_pair *p)
{
    uint64_t at = S2SVPN_NEVER;

    for (size_t i = 0; i < p->queued && !p->manual; i++)
        at = p->queue[i].at_ns < at ? p->queue[i].at_ns : at;
    for (size_t e = 0; e < 2; e++) {
        const struct s2_pair_end *end = &p->end[e];
        const uint64_t timer = s2_timers_next(&end->fake.timers);

        at = timer < at ? timer : at;
        for (size_t i = 0; i < end->job_count; i++)
            at = end->job[i].at_ns < at ? end->job[i].at_ns : at;
        if (end->ticket_at_ns != 0)
            at = end->ticket_at_ns < at ? end->ticket_at_ns : at;
    }
    return at;
}

static void finish_jobs(struct s2_pair *p, struct s2_pair_end *end)
{
    for (size_t i = 0; i < end->job_count; i++) {
        const struct s2_pair_job done = end->job[i];

        if (done.at_ns > p->now_ns)
            continue;
        end->job[i] = end->job[--end->job_count];
        s2_ike_job_done(end->ike, done.job, done.result, p->now_ns);
        i = (size_t)-1; /* the list may have changed */
    }
    if (end->ticket_at_ns != 0 && end->ticket_at_ns <= p->now_ns) {
        end->ticket_at_ns = 0;
        s2_ike_identified(end->ike, end->ticket, choice_of(end), p->now_ns);
    }
}

static void deliver_due(struct s2_pair *p)
{
    for (;;) {
        size_t first = p->queued;

        for (size_t i = 0; i < p->queued; i++) {
            const struct s2_pair_datagram *d = &p->queue[i];

            if (d->at_ns <= p->now_ns &&
                (first == p->queued || d->at_ns < p->queue[first].at_ns ||
                 (d->at_ns == p->queue[first].at_ns && d->order < p->queue[first].order)))
                first = i;
        }
        if (first == p->queued)
            return;
        take(p, first);
    }
}

void s2_pair_run_for(struct s2_pair *p, uint64_t ns)
{
    const uint64_t end_ns = p->now_ns + ns;

    for (size_t steps = 0; steps < MOST_STEPS; steps++) {
        const uint64_t at = next_at(p);

        if (at > end_ns)
            break;
        if (at > p->now_ns)
            p->now_ns = at;
        if (!p->manual)
            deliver_due(p);
        for (size_t e = 0; e < 2; e++) {
            finish_jobs(p, &p->end[e]);
            s2_timers_advance(&p->end[e].fake.timers, p->now_ns, 1000);
            if (p->traffic)
                send_packet(p, (unsigned)e);
        }
    }
    p->now_ns = end_ns;
}

/* ---- life */

static void configure(struct s2_pair *p, unsigned number)
{
    struct s2_pair_end *end = &p->end[number];
    struct s2_ike_config *c = &end->config;
    const struct s2_ike_choices choices = {
        .encr = {{S2SVPN_ENCR_AES_CBC, 128}, {S2SVPN_ENCR_AES_GCM_16, 128}},
        .encr_count = 2,
        .integ = {S2SVPN_INTEG_HMAC_SHA1_96, S2SVPN_INTEG_HMAC_SHA2_256_128},
        .integ_count = 2,
        .prf = {S2SVPN_PRF_HMAC_SHA1, S2SVPN_PRF_HMAC_SHA2_256},
        .prf_count = 2,
        .ke = {S2SVPN_KE_MODP_2048, S2SVPN_KE_ECP_256, S2SVPN_KE_CURVE25519},
        .ke_count = 3,
    };
    const s2svpn_address address[2] = {s2_address_ipv4(0xc0000201), s2_address_ipv4(0xc6336401)};
    const s2svpn_address inside[2] = {s2_address_ipv4(0x0a000000), s2_address_ipv4(0xac1f0000)};

    *c = (struct s2_ike_config){
        .owner = end,
        .name = number == 0 ? "left" : "right",
        .local = {.address = address[number], .port = 500, .role = S2SVPN_ROLE_IKE},
        .local_natt = {.address = address[number], .port = 4500, .role = S2SVPN_ROLE_NATT},
        .remote = address[1 - number],
        .remote_port = 500,
        .remote_natt_port = 4500,
        .ike = choices,
        .esp = choices,
        .local_net = {.address = inside[number], .length = 16},
        .remote_net = {.address = inside[1 - number], .length = 16},
        .ike_lifetime_s = 28800,
        .child_lifetime_s = 3600,
        .rekey_margin_s = 270,
        .rekey_fuzz_percent = 100,
        .dpd_delay_s = 10,
        .dpd_timeout_s = 30,
    };
    (void)s2_secret_set(&c->psk, "a shared secret", 15);
    end->candidates = 1;
}

void s2_pair_init(struct s2_pair *p, uint64_t seed)
{
    *p = (struct s2_pair){.now_ns = 1000 * S2_SECOND, .random_state = seed, .nat_shift = 20000};
    p->trace = getenv("S2_PAIR_TRACE") != NULL;
    for (unsigned e = 0; e < 2; e++) {
        struct s2_pair_end *end = &p->end[e];

        end->pair = p;
        end->number = e;
        end->fail_job_with = S2SVPN_E_CRYPTO;
        s2_fake_env_init(&end->fake, seed * 2 + e + 1);
        end->fake.env.log = on_log;
        end->fake.env.log_user = end;
        end->options.crypto = s2_fake_crypto_ops();
        end->options.crypto_user = &end->crypto;
        configure(p, e);
    }
}

static struct s2_ike_config *new_live(const struct s2_pair_end *end)
{
    struct s2_ike_config *live = malloc(sizeof(*live));

    if (live == NULL)
        abort();
    *live = end->config;
    return live;
}

bool s2_pair_open(struct s2_pair *p)
{
    for (size_t e = 0; e < 2; e++) {
        struct s2_pair_end *end = &p->end[e];

        end->live = new_live(end);
        if (s2_ike_new(&end->fake.env, &end->options, &ops, end, &end->ike) != S2SVPN_OK)
            return false;
    }
    return true;
}

void s2_pair_close(struct s2_pair *p)
{
    for (size_t e = 0; e < 2; e++) {
        s2_ike_free(p->end[e].ike);
        p->end[e].ike = NULL;
        free(p->end[e].live);
        p->end[e].live = NULL;
    }
    while (p->queued > 0)
        free(p->queue[--p->queued].p);
}

bool s2_pair_initiate(struct s2_pair *p, unsigned number)
{
    return s2_ike_initiate(p->end[number].ike, p->end[number].live, p->now_ns) == S2SVPN_OK;
}

void s2_pair_forget(struct s2_pair *p, unsigned number)
{
    struct s2_pair_end *end = &p->end[number];

    s2_ike_forget(end->ike, end->live);
    free(end->live);
    end->live = new_live(end);
    end->forgets++;
}

bool s2_pair_connect(struct s2_pair *p)
{
    if (!s2_pair_open(p) || !s2_pair_initiate(p, 0))
        return false;
    s2_pair_run_for(p, S2_SECOND);
    return s2_pair_is_settled(p);
}

/* ---- judging */

size_t s2_pair_children_up(const struct s2_pair_end *end)
{
    size_t n = 0;

    for (size_t i = 0; i < end->children; i++)
        n += end->child[i].up;
    return n;
}

struct s2_pair_child *s2_pair_only_child(struct s2_pair_end *end)
{
    struct s2_pair_child *only = NULL;

    for (size_t i = 0; i < end->children; i++) {
        if (!end->child[i].up)
            continue;
        if (only != NULL)
            return NULL;
        only = &end->child[i];
    }
    return only;
}

bool s2_pair_agrees(struct s2_pair *p)
{
    const struct s2_pair_child *a = s2_pair_only_child(&p->end[0]);
    const struct s2_pair_child *b = s2_pair_only_child(&p->end[1]);

    return a != NULL && b != NULL && a->spi_in == b->spi_out && a->spi_out == b->spi_in &&
           memcmp(a->key_in, b->key_out, sizeof(a->key_in)) == 0 &&
           memcmp(a->key_out, b->key_in, sizeof(a->key_in)) == 0;
}

uint64_t s2_pair_sas(const struct s2_pair_end *end)
{
    struct s2_ike_counters counters;

    s2_ike_get_counters(end->ike, &counters);
    return counters.sas;
}

bool s2_pair_is_settled(struct s2_pair *p)
{
    struct s2_ike_sa_info a, b;

    return s2_pair_agrees(p) && s2_pair_sas(&p->end[0]) == 1 && s2_pair_sas(&p->end[1]) == 1 &&
           s2_ike_get_info(p->end[0].ike, &p->end[0], &a) &&
           s2_ike_get_info(p->end[1].ike, &p->end[1], &b) && a.spi_i == b.spi_i &&
           a.spi_r == b.spi_r;
}

bool s2_pair_balances(const struct s2_pair_end *end)
{
    return end->spis_drawn == end->spis_given_back + end->children_down + s2_pair_children_up(end);
}
