/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What peers have shown, kept as long as their IKE SAs live, and looked at again when there
 * are newer revocation lists: whose certificate is revoked by now is closed.
 *
 *   set_certificates ── all peers ──> unchecked ── a few a time, by timer ──> peers
 *                                         │ job VERIFY, whose first step is the path
 *                                         └── REVOKED: the tunnel is closed and says so
 *
 * Certificates that have expired meanwhile, or whose authority is no longer trusted, are the
 * next handshake's business.
 */
#include <string.h>

#include "vpn/vpn.h"

#define AT_ONCE 8
#define PAUSE_NS (2 * S2_MS)

static void on_recheck(void *arg, uint64_t now_ns);

void s2_peer_certificates_init(s2svpn_context *ctx)
{
    s2_timer_init(&ctx->certificates.recheck.timer, on_recheck, ctx);
}

/* ---- keeping */

static struct s2_peer_certificate *copy(s2svpn_context *ctx, const s2svpn_verify *v)
{
    struct s2_peer_certificate *peer;
    size_t len = 0, at = 0;

    if (v->chain_count == 0 || v->chain_count > S2SVPN_CHAIN_MAX || v->id.len > S2_IKE_ID_MAX)
        return NULL;
    for (size_t i = 0; i < v->chain_count; i++)
        len += v->chain[i].len;
    peer = s2_alloc(&ctx->env, sizeof(*peer) + len);
    if (peer == NULL)
        return NULL;
    s2_list_init(&peer->in_context);
    for (size_t i = 0; i < v->chain_count; i++) {
        memcpy(peer->bytes + at, v->chain[i].p, v->chain[i].len);
        peer->chain[i] = s2_span(peer->bytes + at, v->chain[i].len);
        at += v->chain[i].len;
    }
    peer->chain_count = v->chain_count;
    peer->id.type = v->id_type;
    peer->id.len = (uint16_t)v->id.len;
    if (v->id.len > 0)
        memcpy(peer->id.data, v->id.p, v->id.len);
    return peer;
}

static void describe(s2svpn_context *ctx, struct s2_peer_certificate *peer)
{
    s2svpn_certificate_info info;

    if (s2_subject_read(ctx, "certificate", peer->chain[0], &info) != S2SVPN_OK)
        return;
    s2_copy_text(peer->subject, sizeof(peer->subject), info.subject);
    peer->not_after_s = info.not_after_s;
    s2_log(&ctx->env, S2_LOG_INFO, "%s: the peer's certificate: %s, serial %s", peer->tunnel->name,
           peer->subject, info.serial);
}

static void go_on(s2svpn_context *ctx, uint64_t after_ns)
{
    if (!s2_list_empty(&ctx->certificates.unchecked))
        s2_timer_set(&ctx->timers, &ctx->certificates.recheck.timer,
                     s2_after(ctx->now_ns, after_ns));
}

/* Without memory it isn't known by status and not looked at again: the next handshake is. */
void s2_peer_certificate_keep(s2svpn_tunnel *t, const s2svpn_verify *verify)
{
    s2svpn_context *ctx = t->connection->object.ctx;
    struct s2_peer_certificate *peer = copy(ctx, verify);

    s2_peer_certificate_clear(t);
    if (peer == NULL)
        return;
    peer->tunnel = t;
    t->peer_certificate = peer;
    s2_list_append(&ctx->certificates.peers, &peer->in_context);
    describe(ctx, peer);
    if (verify->trust == ctx->certificates.current->trust || !ctx->certificates.current->has_crls)
        return;
    s2_list_remove(&peer->in_context); /* newer lists came while it was checked */
    s2_list_append(&ctx->certificates.unchecked, &peer->in_context);
    go_on(ctx, 0);
}

static void let_go(s2svpn_context *ctx)
{
    struct s2_recheck *r = &ctx->certificates.recheck;

    r->peer = NULL;
    r->with->ike.users--;
    r->with = NULL;
}

void s2_peer_certificate_clear(s2svpn_tunnel *t)
{
    s2svpn_context *ctx = t->connection->object.ctx;
    struct s2_peer_certificate *peer = t->peer_certificate;
    struct s2_recheck *r = &ctx->certificates.recheck;

    if (peer == NULL)
        return;
    if (r->peer == peer) {
        if (ctx->options.crypto->cancel_job)
            ctx->options.crypto->cancel_job(ctx->options.crypto_user, &r->job);
        let_go(ctx);
        go_on(ctx, 0);
    }
    t->peer_certificate = NULL;
    s2_list_remove(&peer->in_context);
    s2_free(&ctx->env, peer);
}

/* ---- looking again */

static void close_revoked(s2svpn_tunnel *t, const char *subject)
{
    s2svpn_context *ctx = t->connection->object.ctx;
    const uint64_t now = ctx->now_ns;
    const s2svpn_event event = {
        .kind = S2SVPN_EVENT_NOTE, .tunnel = t->index, .reason = "certificate revoked"};
    char words[128];

    s2_print(words, sizeof(words), "the peer's certificate has been revoked: %s", subject);
    s2_warn(ctx, &event, &t->connection->object, "tunnel %u: %s", t->index + 1, words);
    s2_tunnel_shut(t, words, now);
    s2_tunnel_retry(t, words, now);
}

static void finish(s2svpn_context *ctx, s2svpn_status result)
{
    struct s2_recheck *r = &ctx->certificates.recheck;
    s2svpn_tunnel *t = r->peer->tunnel;
    char subject[256];

    s2_copy_text(subject, sizeof(subject), r->peer->subject);
    let_go(ctx);
    if (result == S2SVPN_E_AUTHENTICATION && r->verify.why == S2SVPN_CERTIFICATE_REVOKED)
        close_revoked(t, subject);
}

/* False: it answers later. No signature is shown: the path comes before it. */
static bool recheck(s2svpn_context *ctx, struct s2_peer_certificate *peer)
{
    struct s2_recheck *r = &ctx->certificates.recheck;
    s2svpn_status result = S2SVPN_OK;

    r->peer = peer;
    r->with = ctx->certificates.current;
    r->with->ike.users++;
    r->verify = (s2svpn_verify){
        .size = sizeof(r->verify),
        .trust = r->with->trust,
        .unix_s = s2_unix_ns(ctx) / S2_SECOND,
        .chain = peer->chain,
        .chain_count = (uint32_t)peer->chain_count,
        .id = s2_span(peer->id.data, peer->id.len),
        .id_type = peer->id.type,
        .method = S2SVPN_AUTH_SIGNATURE,
    };
    r->job = (s2svpn_job){
        .size = sizeof(r->job), .kind = S2SVPN_JOB_VERIFY, .owner = ctx, .verify = &r->verify};
    if (ctx->options.crypto->start_job(ctx->options.crypto_user, &r->job, &result) !=
        S2SVPN_JOB_DONE)
        return false;
    finish(ctx, result);
    return true;
}

static void on_recheck(void *arg, uint64_t now_ns)
{
    s2svpn_context *ctx = arg;
    struct s2_certificates *all = &ctx->certificates;
    struct s2_link *l;

    (void)now_ns;
    if (all->recheck.peer)
        return; /* one pends, and its end goes on */
    for (size_t i = 0; i < AT_ONCE; i++) {
        l = s2_list_take_first(&all->unchecked);
        if (l == NULL)
            return;
        s2_list_append(&all->peers, l);
        if (!recheck(ctx, S2_CONTAINER(l, struct s2_peer_certificate, in_context)))
            return;
    }
    go_on(ctx, PAUSE_NS);
}

void s2_recheck_done(s2svpn_context *ctx, s2svpn_status result)
{
    if (ctx->certificates.recheck.peer == NULL)
        return;
    finish(ctx, result);
    go_on(ctx, 0);
}

void s2_peer_certificates_recheck(s2svpn_context *ctx)
{
    struct s2_link *l;

    while ((l = s2_list_take_first(&ctx->certificates.peers)) != NULL)
        s2_list_append(&ctx->certificates.unchecked, l);
    go_on(ctx, 0);
}
