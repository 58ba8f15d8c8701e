/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a tunnel is tried: what it offers, at which of the peer's ports it starts, and
 * what it means when IKE has come to an end. When the next try is due, tunnel.c says.
 *
 * Offers. An endpoint of AWS takes the lowest that both sides allow, so a device's first
 * offer has no SHA-1 and no weak group. Who has refused it is offered the document's
 * too, from then on. Nobody vouches for a refusal in IKE_SA_INIT: whoever sits on the
 * path can cause the second offer, as he could keep the tunnel down.
 *
 * Ways. RFC 7296 section 2.23 lets an initiator begin at port 4500; and a document doesn't
 * say which IKE its endpoint speaks. Where 500 stays silent for three transmissions, 4500 is
 * tried, then the same with IKEv1 where that is allowed, and after that all in turns, IKEv2
 * longer each time; a peer that has spoken IKEv2 is never asked for IKEv1. Whose
 * port 500 is filtered has no protocol 50 either: ESP goes in UDP then. No message of IKEv2
 * can vouch for its absence, so who sits on the path can bring about IKEv1: it is told as a
 * warning, and who doesn't want it says so.
 */
#include <string.h>

#include "vpn/vpn.h"

#define PORT_PATIENCE_NS (7 * S2_SECOND) /* three transmissions */
#define BGP_PATIENCE_NS (30 * S2_SECOND) /* the usual hold time */

static s2svpn_context *ctx_of(const s2svpn_tunnel *t)
{
    return t->connection->object.ctx;
}

/* ---- offers */

struct s2_offer s2_offer_of(const s2svpn_tunnel_options *o)
{
    const struct s2_offer offer = {
        .encryption = {o->phase1_encryption, o->phase2_encryption},
        .integrity = {o->phase1_integrity, o->phase2_integrity},
        .dh_groups = {o->phase1_dh_groups, o->phase2_dh_groups},
    };

    return offer;
}

static void offer(s2svpn_tunnel *t)
{
    const struct s2_offer *from = &t->attempt.offer[t->attempt.second];
    s2svpn_tunnel_options *o = &t->options;

    o->phase1_encryption = from->encryption[0];
    o->phase2_encryption = from->encryption[1];
    o->phase1_integrity = from->integrity[0];
    o->phase2_integrity = from->integrity[1];
    o->phase1_dh_groups = from->dh_groups[0];
    o->phase2_dh_groups = from->dh_groups[1];
    s2_tunnel_configure(t);
}

void s2_attempt_set_offers(s2svpn_tunnel *t, const struct s2_offer *second)
{
    t->attempt.offer[0] = s2_offer_of(&t->options);
    t->attempt.offer[1] = second ? *second : t->attempt.offer[0];
    offer(t);
}

void s2_attempt_adopt(s2svpn_tunnel *t, const struct s2_attempt *fresh)
{
    struct s2_attempt *a = &t->attempt;
    const bool same = memcmp(a->offer, fresh->offer, sizeof(a->offer)) == 0;

    memcpy(a->offer, fresh->offer, sizeof(a->offer));
    a->second = a->second && same;
    a->ike = fresh->ike;
    a->peer_ike_port = fresh->peer_ike_port;
    a->force_udp = fresh->force_udp;
    a->from_natt = a->v1 = a->knows_v2 = a->told_v1 = a->restart = false;
    a->tried = 0;
    offer(t);
}

static bool has_second(const struct s2_attempt *a)
{
    return !a->second && memcmp(&a->offer[0], &a->offer[1], sizeof(a->offer[0])) != 0;
}

static void take_second(s2svpn_tunnel *t)
{
    const s2svpn_event event = {
        .kind = S2SVPN_EVENT_NOTE, .tunnel = t->index, .reason = "weaker offer"};
    char words[128];

    t->attempt.second = true;
    offer(t);
    s2_offer_print(&t->attempt.offer[1], 1, words, sizeof(words));
    s2_warn(
        ctx_of(t), &event, &t->connection->object,
        "tunnel %u: the peer refused all strong algorithms: the document's are offered too (%s)",
        t->index + 1, words);
}

void s2_attempt_rekey_refused(s2svpn_tunnel *t)
{
    if (has_second(&t->attempt))
        take_second(t);
}

/* ---- ports and versions */

static unsigned way_of(const struct s2_attempt *a)
{
    return (a->from_natt ? 1u : 0) + (a->v1 ? 2u : 0);
}

/* An outage is no reason to take an older version than the peer has shown to have. */
static bool has_other_version(const s2svpn_tunnel *t)
{
    return t->options.ike_versions == (S2SVPN_IKEV1 | S2SVPN_IKEV2) && !t->attempt.knows_v2;
}

static bool has_other_port(const s2svpn_tunnel *t)
{
    return t->attempt.ike.role == S2SVPN_ROLE_IKE &&
           t->ike.local_natt.address.family != S2SVPN_FAMILY_NONE;
}

void s2_attempt_begin(s2svpn_tunnel *t)
{
    const struct s2_attempt *a = &t->attempt;

    t->ike.local = a->from_natt ? t->ike.local_natt : a->ike;
    t->ike.remote_port = a->from_natt ? t->ike.remote_natt_port : a->peer_ike_port;
    t->ike.force_udp = a->from_natt || a->force_udp;
    t->ike.ikev1_first = a->v1;
    t->attempt.tried |= (uint8_t)(1u << way_of(a));
    t->attempt.cut = false;
}

/* Are there ways that haven't been tried at all since the tunnel was up? */
static bool has_untried(const s2svpn_tunnel *t)
{
    const unsigned way = way_of(&t->attempt);
    unsigned ways = 1u << way;

    if (has_other_port(t))
        ways |= 1u << (way ^ 1);
    if (has_other_version(t))
        ways |= 1u << (way ^ 2);
    if (has_other_port(t) && has_other_version(t))
        ways |= 1u << (way ^ 3);
    return (ways & ~(unsigned)t->attempt.tried) != 0;
}

/* The port first, and with IKE's other version from port 500 again. */
static bool next_way(s2svpn_tunnel *t)
{
    struct s2_attempt *a = &t->attempt;

    if (has_other_port(t) && !a->from_natt) {
        a->from_natt = true;
        return true;
    }
    if (!has_other_port(t) && !has_other_version(t))
        return false;
    a->from_natt = false;
    a->v1 ^= has_other_version(t);
    return true;
}

void s2_attempt_sa_up(s2svpn_tunnel *t)
{
    const s2svpn_event event = {.kind = S2SVPN_EVENT_NOTE, .tunnel = t->index, .reason = "ikev1"};
    const bool v1 = t->ike_version == 1;

    if (v1 && !t->attempt.told_v1 && has_other_version(t) && t->initiator)
        s2_warn(ctx_of(t), &event, &t->connection->object,
                "tunnel %u: IKEv1, since IKEv2 came to nothing: it is deprecated (RFC 9395), and "
                "somebody on the path could have brought this about",
                t->index + 1);
    t->attempt.told_v1 = v1;
    t->attempt.v1 = v1;
    t->attempt.knows_v2 |= !v1;
}

/* ---- waiting too long */

/* Silence on this way: the attempt ends, and s2_attempt_ended hears of it. */
static void cut(s2svpn_tunnel *t, uint64_t now_ns)
{
    if (t->sa_up || !s2_list_empty(&t->children))
        return;
    t->attempt.cut = true;
    s2_ike_terminate(ctx_of(t)->ike, t, false, now_ns);
    t->attempt.cut = false;
}

/* IKE came through; firewalls and NATs that let UDP pass often drop protocol 50, silently. */
static bool raw_is_silent(const s2svpn_tunnel *t)
{
    const struct s2_child *child = s2_child_current(t);
    const uint64_t last = atomic_load_explicit(&t->last_in_ns, memory_order_relaxed);

    return child &&
           atomic_load_explicit(&child->out->way, memory_order_relaxed)->local.role ==
               S2SVPN_ROLE_RAW &&
           s2_after(last, BGP_PATIENCE_NS) <= ctx_of(t)->now_ns;
}

static void tell_no_bgp(s2svpn_tunnel *t)
{
    const s2svpn_event event = {
        .kind = S2SVPN_EVENT_NOTE, .tunnel = t->index, .reason = "no bgp session"};
    const char *why = t->bgp_reason;

    if (raw_is_silent(t))
        why =
            "nothing comes by IP protocol 50: a firewall may drop it, where ESP in UDP would pass";
    else if (why[0] == 0)
        why = "no answer over TCP";
    s2_print(t->reason, sizeof(t->reason), "BGP has not come up for %u s: %s",
             (unsigned)(BGP_PATIENCE_NS / S2_SECOND), why);
    s2_warn(ctx_of(t), &event, &t->connection->object, "tunnel %u: IPsec is up, but %s",
            t->index + 1, t->reason);
}

static void on_watch(void *arg, uint64_t now_ns)
{
    s2svpn_tunnel *t = arg;

    if (t->phase == S2SVPN_TUNNEL_NEGOTIATING)
        cut(t, now_ns);
    else if (t->phase == S2SVPN_TUNNEL_IPSEC_UP)
        tell_no_bgp(t);
}

void s2_attempt_init(s2svpn_tunnel *t)
{
    s2_timer_init(&t->attempt.watch, on_watch, t);
}

void s2_attempt_on_phase(s2svpn_tunnel *t)
{
    struct s2_attempt *a = &t->attempt;
    const uint64_t now = ctx_of(t)->now_ns;
    uint64_t at = S2SVPN_NEVER;

    /* IKEv1 has only short turns until it has come up once: who is down for a while when the
     * tunnel starts would otherwise get it by chance. */
    if (t->phase == S2SVPN_TUNNEL_NEGOTIATING && !t->sa_up &&
        (has_untried(t) || (a->v1 && !a->told_v1 && has_other_version(t))))
        at = s2_after(now, PORT_PATIENCE_NS);
    if (t->phase == S2SVPN_TUNNEL_IPSEC_UP) {
        t->bgp_reason[0] = 0;
        at = s2_after(now, BGP_PATIENCE_NS);
    }
    if (t->phase == S2SVPN_TUNNEL_IPSEC_UP || t->phase == S2SVPN_TUNNEL_UP) {
        a->tried = 0;
        a->restart = false;
    }
    s2_timer_set(&ctx_of(t)->timers, &a->watch, at);
}

/* ---- the end of one */

/* A peer that has no IKEv2 for us may say so by finding no proposal. */
static enum s2_verdict other_version(s2svpn_tunnel *t, char *words, size_t size)
{
    struct s2_attempt *a = &t->attempt;
    const size_t len = strlen(words);

    if (!has_other_version(t))
        return S2_VERDICT_LATER;
    a->v1 = !a->v1;
    s2_print(words + len, size - len, "; next with IKEv%u", a->v1 ? 1 : 2);
    return a->tried & 1u << way_of(a) ? S2_VERDICT_LATER : S2_VERDICT_NOW;
}

static enum s2_verdict end_by_proposal(s2svpn_tunnel *t, const char *detail, char *words,
                                       size_t size)
{
    const size_t phase = strstr(detail, "ESP") ? 2 : 1;
    char offered[128];

    s2_offer_print(&t->attempt.offer[t->attempt.second], phase, offered, sizeof(offered));
    s2_print(words, size, "no common proposal for %s; offered: %s", phase == 2 ? "ESP" : "IKE",
             offered);
    if (has_second(&t->attempt)) {
        take_second(t);
        return S2_VERDICT_NOW;
    }
    if (phase == 2)
        return S2_VERDICT_LATER; /* it speaks this version */
    return other_version(t, words, size);
}

static enum s2_verdict end_by_silence(s2svpn_tunnel *t, const char *detail, char *words,
                                      size_t size)
{
    const s2svpn_endpoint at = {.address = t->ike.remote, .port = t->ike.remote_port};
    const bool was_cut = t->attempt.cut, was_v1 = t->attempt.v1;
    const char *text = s2_ike_reason_text(S2_IKE_REASON_TIMEOUT);
    char where[S2SVPN_ENDPOINT_TEXT];
    size_t len;

    len = s2_print(words, size, "%s at %s, UDP%s%s", text, s2svpn_endpoint_print(&at, where),
                   detail[0] ? ": " : "", detail);
    if (!next_way(t))
        return S2_VERDICT_LATER;
    len += s2_print(words + len, size - len, "; next at port %u",
                    t->attempt.from_natt ? t->ike.remote_natt_port : t->attempt.peer_ike_port);
    if (t->attempt.v1 != was_v1)
        s2_print(words + len, size - len, " with IKEv%u", was_v1 ? 2 : 1);
    return was_cut ? S2_VERDICT_NOW : S2_VERDICT_LATER;
}

static enum s2_verdict end_by_dpd(s2svpn_tunnel *t, char *words, size_t size)
{
    const char *text = s2_ike_reason_text(S2_IKE_REASON_DPD);

    switch (s2_can_start(t) ? t->options.dpd_action : S2SVPN_DPD_CLEAR) {
    case S2SVPN_DPD_CLEAR:
        s2_print(words, size, "%s; the peer may come back (action clear)", text);
        return S2_VERDICT_REST;
    case S2SVPN_DPD_RESTART:
        t->attempt.restart = true;
        break;
    default:
        break;
    }
    s2_copy_text(words, size, text);
    return S2_VERDICT_LATER;
}

enum s2_verdict s2_attempt_ended(s2svpn_tunnel *t, enum s2_ike_reason reason, const char *detail,
                                 char *words, size_t size)
{
    if (t->attempt.cut)
        reason = S2_IKE_REASON_TIMEOUT;
    switch (reason) {
    case S2_IKE_REASON_NO_PROPOSAL:
        return end_by_proposal(t, detail, words, size);
    case S2_IKE_REASON_TIMEOUT:
        return end_by_silence(t, t->attempt.cut ? "" : detail, words, size);
    case S2_IKE_REASON_DPD:
        return end_by_dpd(t, words, size);
    default:
        s2_print(words, size, "%s%s%s", s2_ike_reason_text(reason), detail[0] ? ": " : "", detail);
    }
    if (reason != S2_IKE_REASON_INVALID_KE || !has_second(&t->attempt))
        return S2_VERDICT_LATER;
    take_second(t); /* it wants a group that we left out */
    return S2_VERDICT_NOW;
}
