/* SPDX-License-Identifier: Apache-2.0 */
/* A tunnel's IKE log: what the engine tells, in words like those of AWS's tunnel logs, with
 * the states of both phases. RFC 7296, RFC 2409. */
#include "ike/trace.h"
#include "vpn/log.h"
#include "vpn/vpn.h"

/* What a line says of the states before the tunnel itself knows. */
enum {
    STRANGER = 1,    /* of a peer that hasn't proved who it is: phase 1 is being negotiated */
    SA_IS_UP = 2,    /* as soon as this call is over */
    CHILD_IS_UP = 4, /* likewise */
    NEGOTIATES = 8,  /* phase 1, with a peer that isn't known to be this tunnel's yet */
};

static s2svpn_context *ctx_of(const s2svpn_tunnel *t)
{
    return t->connection->object.ctx;
}

static bool wanted(const s2svpn_tunnel *t)
{
    return t->options.log != S2SVPN_LOG_OUTPUT_OFF && ctx_of(t)->options.tunnel_log != NULL;
}

/* ---- states */

static const char *phase1(const s2svpn_tunnel *t, const struct s2_ike_progress *p, unsigned how)
{
    if (how & (SA_IS_UP | CHILD_IS_UP))
        return "established";
    if (t->sa_up)
        return p->rekeying ? "rekeying" : "established";
    return p->negotiating || (how & (STRANGER | NEGOTIATES)) ? "negotiating" : "down";
}

static const char *phase2(const s2svpn_tunnel *t, const struct s2_ike_progress *p, unsigned how)
{
    if (how & CHILD_IS_UP)
        return "established";
    if (!s2_list_empty(&t->children))
        return p->rekeying_child ? "rekeying" : "established";
    return p->negotiating_child ? "negotiating" : "down";
}

static void write_line(s2svpn_tunnel *t, unsigned how, const char *details)
{
    struct s2_ike_progress progress;
    struct s2_log_line line;

    s2_ike_get_progress(ctx_of(t)->ike, t, &progress);
    s2_log_begin(&line, t, S2SVPN_TUNNEL_LOG_IKE);
    s2_log_time(&line, S2_SECOND);
    s2_log_text(&line, "details", details);
    s2_log_bool(&line, "dpd_enabled", t->ike.dpd_delay_s != 0);
    s2_log_bool(&line, "nat_t_detected", t->sa_up && (t->nat_local || t->nat_remote));
    s2_log_word(&line, "ike_phase1_state", phase1(t, &progress, how));
    s2_log_word(&line, "ike_phase2_state", phase2(t, &progress, how));
    s2_log_end(&line);
}

static void say(s2svpn_tunnel *t, unsigned how, const char *fmt, ...) S2SVPN_PRINTF(3, 4);
static void say(s2svpn_tunnel *t, unsigned how, const char *fmt, ...)
{
    char details[512];
    va_list args;

    if (!s2_log_may(t, how & STRANGER ? S2_LOG_PACE_STRANGERS : S2_LOG_PACE_IKE))
        return;
    va_start(args, fmt);
    s2_print_v(details, sizeof(details), fmt, args);
    va_end(args);
    write_line(t, how, details);
}

void s2_log_ike_left_out(s2svpn_tunnel *t, const char *text)
{
    if (wanted(t))
        write_line(t, 0, text);
}

/* ---- who it is */

static const char *us(const s2svpn_tunnel *t)
{
    return t->connection->device ? "Device tunnel" : "AWS tunnel";
}

static const char *them(const s2svpn_tunnel *t)
{
    return t->connection->device ? "the gateway" : "cgw";
}

/* ---- messages */

/* "(id=2) for CREATE_CHILD_SA, in 3 fragments" */
static void print_message(const struct s2_ike_trace *trace, char *out, size_t size)
{
    size_t len;

    if (trace->version == 1 && trace->message_id == 0)
        len = s2_print(out, size, "message of %s", trace->exchange_name);
    else if (trace->version == 1)
        len =
            s2_print(out, size, "message (id=%08x) of %s", trace->message_id, trace->exchange_name);
    else
        len = s2_print(out, size, "%s (id=%u) for %s", trace->response ? "response" : "request",
                       trace->message_id, trace->exchange_name);
    if (trace->pieces > 1)
        len += s2_print(out + len, size - len, ", in %u fragments", trace->pieces);
    if (trace->error != 0)
        s2_print(out + len, size - len, ": %s (%u)", trace->error_name, trace->error);
}

static void say_sent(s2svpn_tunnel *t, unsigned how, const struct s2_ike_trace *trace)
{
    char message[128];

    print_message(trace, message, sizeof(message));
    if (trace->tries == 0)
        say(t, how, "%s is sending %s", us(t), message);
    else if (trace->response)
        say(t, how, "%s is sending %s again: the peer has asked again", us(t), message);
    else
        say(t, how, "%s is sending %s again (retransmit %u)", us(t), message, trace->tries);
}

static void say_processed(s2svpn_tunnel *t, unsigned how, const struct s2_ike_trace *trace)
{
    char message[128];

    print_message(trace, message, sizeof(message));
    say(t, how, "%s processed %s", us(t), message);
}

static void say_unreadable(s2svpn_tunnel *t, unsigned how, const struct s2_ike_trace *trace)
{
    const char *why = how & STRANGER ? " due to invalid Pre-shared Key" : "";

    say(t, how, "%s payload decryption was unsuccessful%s: %s of %s", us(t), why,
        trace->version == 1 ? "a message" : "a message that its keys don't open",
        trace->exchange_name);
}

static void say_refused(s2svpn_tunnel *t, unsigned how, const struct s2_ike_trace *trace)
{
    say(t, how, "%s is sending %s (%u) in %s", us(t), trace->error_name, trace->error,
        trace->exchange_name);
}

static void say_delete(s2svpn_tunnel *t, unsigned how, const struct s2_ike_trace *trace)
{
    const bool sent = trace->kind == S2_IKE_TRACE_DELETE_SENT;

    if (trace->child)
        say(t, how, "%s %s DELETE for Phase 2 SA with SPI: 0x%08x", us(t),
            sent ? "is sending" : "received", (unsigned)trace->spi);
    else
        say(t, how, "%s %s DELETE for IKE_SA %s %s with SPI: 0x%016llx", us(t),
            sent ? "is sending" : "received", sent ? "to" : "from", them(t),
            (unsigned long long)trace->spi);
}

/* An established peer was asked for a sign of life, or didn't answer something else. */
static void say_unanswered(s2svpn_tunnel *t, unsigned how, const struct s2_ike_trace *trace)
{
    if (t->sa_up)
        say(t, how, "%s DPD timed out after %u retransmits", us(t), trace->tries);
    else
        say(t, how, "%s has no answer to %s after %u retransmits", us(t), trace->exchange_name,
            trace->tries);
}

static void say_collision(s2svpn_tunnel *t, unsigned how, const struct s2_ike_trace *trace)
{
    if (trace->kind == S2_IKE_TRACE_COLLISION)
        say(t, how, "%s detected a (%s) collision as both sides have begun one", us(t),
            trace->child ? "CHILD_REKEY" : "IKE_REKEY");
    else if (trace->child)
        say(t, how,
            "%s (CHILD_SA) redundant SA is being deleted due to detected collision, SPI: 0x%08x",
            us(t), (unsigned)trace->spi);
    else
        say(t, how,
            "%s (IKE_SA) redundant SA is being deleted due to detected collision, SPI: 0x%016llx",
            us(t), (unsigned long long)trace->spi);
}

static void say_other(s2svpn_tunnel *t, unsigned how, const struct s2_ike_trace *trace)
{
    char where[S2SVPN_ENDPOINT_TEXT];

    s2svpn_endpoint_print(trace->remote, where);
    if (trace->kind == S2_IKE_TRACE_MISMATCH)
        say(t, how, "%s detected a pre-shared key mismatch with %s: %s", us(t), them(t), where);
    else if (trace->kind == S2_IKE_TRACE_KEPT_ALONE)
        say(t, how, "%s Phase 2 could not be established while keeping Phase 1 up: %s (%u)", us(t),
            trace->error_name, trace->error);
    else if (trace->kind == S2_IKE_TRACE_HALF_OPEN)
        say(t, how, "%s Timeout: deleting un-established Phase 1 IKE_SA with %s: %s", us(t),
            them(t), where);
    else if (trace->response)
        say(t, how, "%s is asked for a cookie by %s", us(t), where);
    else
        say(t, how, "%s asks %s for a cookie: many IKE_SAs are half open", us(t), where);
}

void s2_log_ike_trace(void *user, void *owner, const struct s2_ike_trace *trace, uint64_t now_ns)
{
    s2svpn_tunnel *t = owner;
    const unsigned how = trace->half ? STRANGER : 0;

    (void)user;
    (void)now_ns;
    if (t == NULL || !wanted(t))
        return;
    switch (trace->kind) {
    case S2_IKE_TRACE_PROCESSED:
        say_processed(t, how, trace);
        break;
    case S2_IKE_TRACE_SENT:
        say_sent(t, how, trace);
        break;
    case S2_IKE_TRACE_UNREADABLE:
        say_unreadable(t, how, trace);
        break;
    case S2_IKE_TRACE_REFUSED:
        say_refused(t, how, trace);
        break;
    case S2_IKE_TRACE_DELETE_RECEIVED:
    case S2_IKE_TRACE_DELETE_SENT:
        say_delete(t, how, trace);
        break;
    case S2_IKE_TRACE_UNANSWERED:
        say_unanswered(t, how, trace);
        break;
    case S2_IKE_TRACE_COLLISION:
    case S2_IKE_TRACE_REDUNDANT:
        say_collision(t, how, trace);
        break;
    default:
        say_other(t, how, trace);
    }
}

/* ---- life */

void s2_log_ike_note(s2svpn_tunnel *t, const char *text)
{
    if (wanted(t))
        say(t, NEGOTIATES, "%s: %s", us(t), text);
}

void s2_log_ike_closed(s2svpn_tunnel *t, const char *why)
{
    if (wanted(t))
        say(t, 0, "%s is closed: %s", us(t), why);
}

void s2_log_ike_up(s2svpn_tunnel *t, const struct s2_ike_sa_info *info, bool rekeyed)
{
    char algorithms[64], where[S2SVPN_ENDPOINT_TEXT];

    if (!wanted(t))
        return;
    s2_algorithms_print(info->encr, info->key_bits, info->integ, info->prf, info->ke, algorithms,
                        sizeof(algorithms));
    s2svpn_endpoint_print(&info->remote, where);
    say(t, SA_IS_UP, "%s Phase 1 IKE_SA %s as %s with %s: %s, IKEv%u, %s", us(t),
        rekeyed ? "rekeyed" : "established", info->initiator ? "initiator" : "responder", them(t),
        where, info->version, algorithms);
    if (rekeyed)
        return;
    if (info->nat_local)
        say(t, SA_IS_UP, "%s detected NAT before this side", us(t));
    if (info->nat_remote)
        say(t, SA_IS_UP, "%s detected NAT before %s: %s, or it wants ESP in UDP", us(t), them(t),
            where);
}

void s2_log_ike_down(s2svpn_tunnel *t, unsigned reason, const char *words, bool last)
{
    if (!wanted(t))
        return;
    if (reason == S2_IKE_REASON_DPD)
        say(t, 0, "%s: Peer is not responsive - Declaring peer dead", us(t));
    if (reason == S2_IKE_REASON_NO_PROPOSAL)
        say(t, 0, "%s: No Proposal Match Found", us(t));
    if (reason == S2_IKE_REASON_AUTHENTICATION)
        say(t, 0, "%s detected a pre-shared key mismatch with %s", us(t), them(t));
    say(t, 0, "%s Phase 1 IKE_SA %s: %s", us(t), last ? "is down" : "ended", words);
}

void s2_log_child_up(s2svpn_tunnel *t, const struct s2_ike_child *child)
{
    if (wanted(t))
        say(t, CHILD_IS_UP, "%s Phase 2 CHILD_SA %s: %s, SPIs 0x%08x in, 0x%08x out, %s", us(t),
            child->replaces != 0 ? "rekeyed" : "established", t->esp_algorithms, child->spi_in,
            child->spi_out,
            child->local.role == S2SVPN_ROLE_NATT ? "ESP in UDP" : "ESP as IP protocol 50");
}

void s2_log_child_down(s2svpn_tunnel *t, uint32_t spi_in, unsigned reason)
{
    if (wanted(t))
        say(t, 0, "%s Phase 2 CHILD_SA with SPI: 0x%08x ended: %s", us(t), spi_in,
            s2_ike_reason_text((enum s2_ike_reason)reason));
}
