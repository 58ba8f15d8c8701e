/* SPDX-License-Identifier: Apache-2.0 */
/* What IKE asks and says, and what the tunnels do about it. */
#include <string.h>

#include "ike/message.h"
#include "vpn/keylog.h"
#include "vpn/vpn.h"

static void on_send(void *user, const s2svpn_endpoint *local, const s2svpn_endpoint *remote,
                    const uint8_t *p, size_t len)
{
    s2svpn_context *ctx = user;
    const s2svpn_tunnel *t = s2_tunnel_at(ctx, local, remote);

    if (t && atomic_load_explicit(&t->blackhole, memory_order_relaxed))
        return;
    s2_send_message(ctx, local, remote, p, len);
}

/* Of a peer that was accepted: newer revocation lists may name it. */
static void keep_certificate(const s2svpn_job *job, s2svpn_status result)
{
    const struct s2_ike_config *config;

    if (job->kind != S2SVPN_JOB_VERIFY || result != S2SVPN_OK)
        return;
    config = s2_ike_job_config(job);
    if (config)
        s2_peer_certificate_keep(config->owner, job->verify);
}

static s2svpn_job_state on_start_job(void *user, s2svpn_job *job, s2svpn_status *result)
{
    s2svpn_context *ctx = user;
    s2svpn_job_state state;

    if (job->kind == S2SVPN_JOB_VERIFY)
        job->verify->unix_s = s2_unix_ns(ctx) / S2_SECOND;
    state = ctx->options.crypto->start_job(ctx->options.crypto_user, job, result);
    if (state == S2SVPN_JOB_DONE)
        keep_certificate(job, *result);
    return state;
}

void s2_ike_link_job_done(s2svpn_context *ctx, s2svpn_job *job, s2svpn_status result)
{
    keep_certificate(job, result);
    s2_ike_job_done(ctx->ike, job, result, ctx->now_ns);
}

static void on_cancel_job(void *user, s2svpn_job *job)
{
    s2svpn_context *ctx = user;

    if (ctx->options.crypto->cancel_job)
        ctx->options.crypto->cancel_job(ctx->options.crypto_user, job);
}

static bool serves(const s2svpn_tunnel *t, const s2svpn_address *local)
{
    return !t->ike.mute && t->connection->object.state == S2SVPN_STATE_AVAILABLE &&
           s2_address_equal(&t->ike.local.address, local);
}

/* By the pair of addresses, and those whose customer gateway may be anywhere. */
size_t s2_ike_link_candidates(s2svpn_context *ctx, const s2svpn_endpoint *local,
                              const s2svpn_endpoint *remote, const struct s2_ike_config **out,
                              size_t max)
{
    s2svpn_tunnel *t = s2_tunnel_by_outside(ctx, &local->address, &remote->address);
    size_t n = 0;

    if (t && serves(t, &local->address) && max > 0)
        out[n++] = &t->ike;
    return n + s2_roaming_candidates(ctx, &local->address, serves, out + n, max - n);
}

static size_t on_candidates(void *user, const s2svpn_endpoint *local, const s2svpn_endpoint *remote,
                            const struct s2_ike_config **out, size_t max)
{
    return s2_ike_link_candidates(user, local, remote, out, max);
}

/* The subject that the peer's certificate has, or that it claims: only to choose. Whether it
 * is true is checked afterwards. */
static s2svpn_tunnel *find_by_subject(s2svpn_context *ctx, const s2svpn_address *local,
                                      const struct s2_ike_id *idi, s2svpn_span certificate)
{
    s2svpn_certificate_info info = {.size = sizeof(info)};

    if (certificate.len > 0 && s2_knows_certificates(ctx) &&
        ctx->options.crypto->certificate_read(ctx->options.crypto_user, certificate, &info) ==
            S2SVPN_OK)
        return s2_tunnel_by_subject(ctx, local, s2_span(info.subject_der, info.subject_der_len));
    if (idi && idi->type == S2_IKE_ID_DER_ASN1_DN)
        return s2_tunnel_by_subject(ctx, local, s2_span(idi->data, idi->len));
    return NULL;
}

/* Not one whose peer must come from elsewhere. */
static const struct s2_ike_config *
choose_by_subject(s2svpn_context *ctx, const s2svpn_endpoint *local, const s2svpn_endpoint *remote,
                  const struct s2_ike_id *idi, s2svpn_span certificate)
{
    const s2svpn_tunnel *t = find_by_subject(ctx, &local->address, idi, certificate);

    if (t == NULL || !serves(t, &local->address) ||
        atomic_load_explicit(&t->blackhole, memory_order_relaxed))
        return NULL;
    return !s2_can_start(t) || s2_address_equal(&t->ike.remote, &remote->address) ? &t->ike : NULL;
}

static bool id_fits(const struct s2_ike_id *wanted, const struct s2_ike_id *id)
{
    return wanted->type == S2_IKE_ID_NONE || (id && s2_ike_id_equal(wanted, id));
}

/* Whoever comes this far has answered at its address, but is nobody yet: one line a second
 * at most. */
static void tell_stranger(s2svpn_context *ctx, const s2svpn_endpoint *remote,
                          s2svpn_span certificate)
{
    static const s2svpn_event event = {
        .kind = S2SVPN_EVENT_NOTE, .tunnel = UINT32_MAX, .reason = "unknown certificate"};
    s2svpn_certificate_info info;
    char where[S2SVPN_ENDPOINT_TEXT];

    if (certificate.len == 0 || ctx->now_ns < ctx->certificates.stranger_told_ns ||
        s2_subject_read(ctx, "certificate", certificate, &info) != S2SVPN_OK)
        return;
    for (char *p = info.subject; *p; p++) {
        if ((uint8_t)*p > 0x7e) /* nobody vouches for these letters */
            *p = '?';
    }
    ctx->certificates.stranger_told_ns = s2_after(ctx->now_ns, S2_SECOND);
    s2_emit(ctx, &event, NULL, "a peer at %s shows a certificate of nobody here: %s",
            s2svpn_endpoint_print(remote, where), info.subject);
}

static void on_identify(void *user, uint64_t ticket, const s2svpn_endpoint *local,
                        const s2svpn_endpoint *remote, const struct s2_ike_id *idi,
                        const struct s2_ike_id *idr, s2svpn_span certificate)
{
    s2svpn_context *ctx = user;
    const struct s2_ike_config *chosen = choose_by_subject(ctx, local, remote, idi, certificate);
    const s2svpn_tunnel *t = s2_tunnel_by_outside(ctx, &local->address, &remote->address);

    if (chosen == NULL && t && serves(t, &local->address) && id_fits(&t->ike.remote_id, idi) &&
        (idr == NULL || id_fits(&t->ike.local_id, idr)))
        chosen = &t->ike;
    if (chosen == NULL)
        tell_stranger(ctx, remote, certificate);
    s2_ike_identified(ctx->ike, ticket, chosen, ctx->now_ns);
}

static uint32_t on_child_spi(void *user, void *owner)
{
    (void)owner;
    return s2_spi_take(user);
}

static void on_release_spi(void *user, void *owner, uint32_t spi)
{
    (void)owner;
    s2_spi_give_back(user, spi);
}

/* A peer that only wants ESP in UDP says the same as one behind NAT. Where UDP is used
 * anyhow that is no news, unless its port shows that it is one. */
static void tell_nat(s2svpn_context *ctx, s2svpn_tunnel *t, const struct s2_ike_sa_info *info)
{
    const s2svpn_event event = {.kind = S2SVPN_EVENT_NOTE, .tunnel = t->index, .reason = "nat"};
    const bool moved =
        info->remote.port != t->ike.remote_port && info->remote.port != t->ike.remote_natt_port;
    char where[S2SVPN_ENDPOINT_TEXT];

    s2svpn_endpoint_print(&info->remote, where);
    if (info->nat_local && !t->nat_local)
        s2_emit(ctx, &event, &t->connection->object,
                "tunnel %u: NAT found: the peer %s sees another address or port of ours",
                t->index + 1, where);
    if (info->nat_remote && !t->nat_remote && (moved || !t->ike.force_udp))
        s2_emit(ctx, &event, &t->connection->object,
                "tunnel %u: NAT found: the peer is behind one%s, seen as %s", t->index + 1,
                moved ? "" : ", or wants ESP in UDP", where);
}

static void on_sa_up(void *user, void *owner, const struct s2_ike_sa_info *info)
{
    s2svpn_context *ctx = user;
    s2svpn_tunnel *t = owner;
    const bool rekeyed = t->sa_up;

    t->sa_up = true;
    t->initiator = info->initiator;
    t->ike_version = info->version;
    t->ike_sas++;
    s2_attempt_sa_up(t);
    tell_nat(ctx, t, info);
    t->nat_local = info->nat_local;
    t->nat_remote = info->nat_remote;
    s2_roaming_place(t, &info->local, &info->remote);
    s2_algorithms_print(info->encr, info->key_bits, info->integ, info->prf, info->ke,
                        t->ike_algorithms, sizeof(t->ike_algorithms));
    s2_log(&ctx->env, S2_LOG_INFO, "%s: IKE SA up: %s", t->name, t->ike_algorithms);
    s2_log_ike_up(t, info, rekeyed);
    s2_keylog_ike(ctx, info);
    if (t->phase == S2SVPN_TUNNEL_IDLE || t->phase == S2SVPN_TUNNEL_WAITING)
        s2_tunnel_set_phase(t, S2SVPN_TUNNEL_NEGOTIATING, "");
}

/* Of two that were of different versions, what is told is that of the one that is left. */
static void tell_survivor(s2svpn_context *ctx, s2svpn_tunnel *t)
{
    struct s2_ike_sa_info info;

    if (!s2_ike_get_info(ctx->ike, t, &info) || info.version == t->ike_version)
        return;
    t->ike_version = info.version;
    t->attempt.v1 = info.version == 1;
    s2_algorithms_print(info.encr, info.key_bits, info.integ, info.prf, info.ke, t->ike_algorithms,
                        sizeof(t->ike_algorithms));
}

static void on_sa_down(void *user, void *owner, enum s2_ike_reason reason, const char *detail,
                       bool was_up, bool last, uint64_t now_ns)
{
    s2svpn_tunnel *t = owner;
    enum s2_verdict verdict;
    char words[128];

    (void)was_up;
    if (last)
        t->sa_up = false;
    if (!last) {
        s2_log_ike_down(t, reason, s2_ike_reason_text(reason), false);
        tell_survivor(user, t);
        if (reason == S2_IKE_REASON_INITIAL_CONTACT)
            s2_inside_restart(t, s2_ike_reason_text(reason), now_ns);
        return;
    }
    t->ike_algorithms[0] = 0;
    s2_peer_certificate_clear(t);
    s2_roaming_place(t, NULL, NULL);
    verdict = s2_attempt_ended(t, reason, detail, words, sizeof(words));
    s2_log_ike_down(t, reason, words, true);
    s2_tunnel_ipsec_down(t, words, now_ns);
    if (verdict == S2_VERDICT_NOW)
        s2_tunnel_retry_now(t, words, now_ns);
    else if (verdict == S2_VERDICT_REST)
        s2_tunnel_rest(t, words);
    else
        s2_tunnel_retry(t, words, now_ns);
}

static bool on_child_up(void *user, void *owner, const struct s2_ike_child *child, uint64_t now_ns)
{
    s2svpn_context *ctx = user;
    s2svpn_tunnel *t = owner;
    s2svpn_event event = {.kind = S2SVPN_EVENT_CHILD,
                          .tunnel = t->index,
                          .up = true,
                          .reason = child->replaces ? "rekeyed" : "new"};

    if (s2_child_install(t, child, now_ns) != S2SVPN_OK) {
        s2_spi_give_back(ctx, child->spi_in);
        return false;
    }
    if (s2_inside_open(t, now_ns) != S2SVPN_OK) {
        s2_child_leave(t, child->spi_in, true, now_ns);
        return false;
    }
    s2_algorithms_print(child->encr, child->key_bits, child->integ, 0, child->ke, t->esp_algorithms,
                        sizeof(t->esp_algorithms));
    if (child->esn) {
        const size_t len = strlen(t->esp_algorithms);

        s2_copy_text(t->esp_algorithms + len, sizeof(t->esp_algorithms) - len, "/ESN");
    }
    s2_keylog_child(ctx, t, child);
    s2_log_child_up(t, child);
    if (child->replaces)
        t->rekeys++;
    s2_emit(ctx, &event, &t->connection->object,
            "tunnel %u: child SA %s: %s, SPIs %08x in, %08x out", t->index + 1, event.reason,
            t->esp_algorithms, child->spi_in, child->spi_out);
    s2_tunnel_update_mtu(t);
    s2_tunnel_ipsec_up(t, !child->initiator, now_ns);
    s2_fault_child_up(t, now_ns);
    return true;
}

static void on_child_settled(void *user, void *owner, uint32_t spi_in, uint64_t now_ns)
{
    (void)owner;
    s2_child_first_packet(user, spi_in, now_ns);
}

static void on_child_down(void *user, void *owner, uint32_t spi_in, enum s2_ike_reason reason,
                          uint64_t now_ns)
{
    s2svpn_context *ctx = user;
    s2svpn_tunnel *t = owner;
    const s2svpn_event event = {
        .kind = S2SVPN_EVENT_CHILD, .tunnel = t->index, .reason = s2_ike_reason_text(reason)};
    struct s2_ike_sa_info info;

    s2_child_leave(t, spi_in, false, now_ns);
    s2_log_child_down(t, spi_in, reason);
    s2_emit(ctx, &event, &t->connection->object, "tunnel %u: child SA %08x ended: %s", t->index + 1,
            spi_in, s2_ike_reason_text(reason));
    if (!s2_list_empty(&t->children))
        return;
    s2_tunnel_ipsec_down(t, s2_ike_reason_text(reason), now_ns);
    if (t->sa_up && t->keep_up) /* an IKE SA without a child: begin anew */
        s2_ike_terminate(ctx->ike, t, true, now_ns);
    else if (!t->sa_up)
        s2_tunnel_retry(t, s2_ike_reason_text(reason), now_ns);
    else if (s2_ike_get_info(ctx->ike, t, &info)) /* the peer may make another child */
        s2_tunnel_set_phase(t, S2SVPN_TUNNEL_NEGOTIATING, s2_ike_reason_text(reason));
}

static void on_peer_moved(void *user, void *owner, const s2svpn_endpoint *remote, uint64_t now_ns)
{
    const s2svpn_tunnel *t = owner;

    (void)user;
    (void)now_ns;
    s2_roaming_place(owner, &t->ike.local, remote);
    s2_children_move(owner, remote);
}

static uint64_t on_last_inbound(void *user, void *owner)
{
    const s2svpn_tunnel *t = owner;

    (void)user;
    return atomic_load_explicit(&t->last_in_ns, memory_order_relaxed);
}

static void on_note(void *user, void *owner, const char *text, uint64_t now_ns)
{
    s2svpn_context *ctx = user;
    s2svpn_tunnel *t = owner;
    const s2svpn_event event = {
        .kind = S2SVPN_EVENT_NOTE, .tunnel = t ? t->index : UINT32_MAX, .reason = "ike"};

    (void)now_ns;
    /* A tunnel that the peer starts has no failed try of its own to tell of. */
    if (t && s2_list_empty(&t->children))
        s2_copy_text(t->reason, sizeof(t->reason), text);
    if (t)
        s2_log_ike_note(t, text);
    if (t)
        s2_emit(ctx, &event, &t->connection->object, "tunnel %u: %s", t->index + 1, text);
    else
        s2_emit(ctx, &event, NULL, "%s", text);
}

static void on_rekey_failed(void *user, void *owner, enum s2_ike_reason reason, uint64_t now_ns)
{
    (void)user;
    (void)now_ns;
    if (reason == S2_IKE_REASON_NO_PROPOSAL)
        s2_attempt_rekey_refused(owner);
}

static void on_keepalive(void *user, const s2svpn_endpoint *local, const s2svpn_endpoint *remote)
{
    s2svpn_context *ctx = user;
    const s2svpn_tunnel *t = s2_tunnel_at(ctx, local, remote);

    if (t && atomic_load_explicit(&t->blackhole, memory_order_relaxed))
        return;
    s2_send_keepalive(ctx, local, remote);
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
    .rekey_failed = on_rekey_failed,
    .keepalive = on_keepalive,
    .trace = s2_log_ike_trace,
};

s2svpn_status s2_ike_link_new(s2svpn_context *ctx)
{
    const struct s2_ike_options options = {
        .crypto = ctx->options.crypto,
        .crypto_user = ctx->options.crypto_user,
        .limits = {.sas = ctx->limits.ike_sas,
                   .half_open = ctx->limits.half_open,
                   .cookie_threshold = ctx->limits.cookie_threshold},
        .spi_prefix = ctx->options.spi_prefix_bits
                          ? (uint64_t)ctx->options.spi_prefix << (64 - ctx->options.spi_prefix_bits)
                          : 0,
        .spi_prefix_mask =
            ctx->options.spi_prefix_bits ? UINT64_MAX << (64 - ctx->options.spi_prefix_bits) : 0,
    };

    struct s2_ike_ops wanted = ops;

    if (ctx->options.tunnel_log == NULL)
        wanted.trace = NULL;
    return s2_ike_new(&ctx->env, &options, &wanted, ctx, &ctx->ike);
}
