/* SPDX-License-Identifier: Apache-2.0 */
/* What the device makes of what AWS does to it: rekeys, deletes, silence, limits,
 * maintenance. */
#include "examine/facts.h"

#include <string.h>

#define STEADY_PACKETS 6 /* of ten pings within two seconds: the traffic's tunnel */
#define STRAY_PACKETS 3  /* keepalives, and a ping that was under way */
#define LOOK_NS (3 * SECOND_NS)

static double since(const struct facts *was, const struct facts *now)
{
    return seconds_between(was->now_ns, now->now_ns);
}

static bool is_later(const struct facts *was, const struct facts *now, uint64_t ns)
{
    return now->now_ns - was->now_ns >= ns;
}

static const char *why_down(const struct tunnel_facts *f)
{
    if (f->info.reason[0])
        return f->info.reason;
    return f->ike_said[0] ? f->ike_said : "no IKE message came";
}

static bool is_made_anew(const struct facts *was, const struct facts *now, unsigned t)
{
    return now->tunnel[t].child_new > was->tunnel[t].child_new && now->tunnel[t].info.up;
}

/* ---- rekeys */

void judge_rekey(const struct facts *was, const struct facts *now, unsigned t, struct finding *out)
{
    const struct tunnel_facts *a = &was->tunnel[t], *b = &now->tunnel[t];
    const bool child = b->child_rekeyed > a->child_rekeyed;
    const bool ike = b->info.ike_sas > a->info.ike_sas;

    if (b->child_new > a->child_new || !b->info.up)
        find(out, VERDICT_FAIL, "the tunnel fell instead: %s",
             b->info.up ? "the device made a new one" : why_down(b));
    else if (child && ike && is_later(was, now, LOOK_NS) && now->through.lost)
        find(
            out, VERDICT_FAIL,
            "%u of %u pings were lost: the device should use its old SA until the new one is there",
            (unsigned)now->through.lost, (unsigned)now->through.sent);
    else if (child && ike && is_later(was, now, LOOK_NS))
        find(out, VERDICT_PASS, "child and IKE SA; %s",
             now->through.asked ? "no ping was lost" : "the tunnel stayed up");
    else if (now->over)
        find(out, VERDICT_FAIL, "the device doesn't agree to %s: %s",
             child ? "a rekey of the IKE SA" : "a rekey of the child SA",
             b->ike_said[0] ? b->ike_said : "no answer");
}

/* ---- ends that the device must recover from */

void judge_delete(const struct facts *was, const struct facts *now, unsigned t, struct finding *out)
{
    if (is_made_anew(was, now, t))
        find(out, VERDICT_PASS, "the device came back after %.1f s", since(was, now));
    else if (now->over)
        find(out, VERDICT_FAIL,
             "the device doesn't come back after the endpoint has deleted the IKE SA (%s): let it "
             "start the tunnel whenever it is down (auto-negotiate, keepalive, close_action start)",
             why_down(&now->tunnel[t]));
}

void judge_return(const struct facts *was, const struct facts *now, unsigned t, struct finding *out)
{
    const struct tunnel_facts *f = &now->tunnel[t];

    if (f->info.up)
        find(out, VERDICT_PASS, "up again after %.1f s", since(was, now));
    else if (now->over && f->info.spi_in)
        find(out, VERDICT_FAIL, "IPsec is up, BGP is not: %s",
             f->bgp_said[0] ? f->bgp_said : "no connection");
    else if (now->over)
        find(out, VERDICT_FAIL,
             "the device doesn't come back (%s): let it start the tunnel whenever it is down",
             why_down(f));
}

void judge_reset(const struct facts *was, const struct facts *now, unsigned t, struct finding *out)
{
    const struct tunnel_facts *a = &was->tunnel[t], *b = &now->tunnel[t];

    if (b->child_new > a->child_new)
        find(out, VERDICT_WARN, "the device made the whole tunnel anew, not BGP's session alone");
    else if (b->bgp_down > a->bgp_down && b->info.bgp_state == 6)
        find(out, VERDICT_PASS, "the session came back after %.1f s", since(was, now));
    else if (now->over)
        find(out, VERDICT_FAIL, "the session doesn't come back after an Administrative Reset: %s",
             b->bgp_said[0] ? b->bgp_said : "no connection");
}

void judge_over_limit(const struct facts *was, const struct facts *now, unsigned t,
                      struct finding *out)
{
    const struct tunnel_facts *a = &was->tunnel[t], *b = &now->tunnel[t];

    if (b->bgp_down == a->bgp_down) {
        if (now->over)
            find(out, VERDICT_FAIL, "the session goes on after our NOTIFICATION");
    } else if (b->info.spi_in == 0) {
        find(out, VERDICT_WARN, "the device gives up IPsec as well when BGP's session ends");
    } else if (is_later(was, now, LOOK_NS) || now->over) {
        find(out, VERDICT_PASS,
             "the session ended by Cease, Maximum Number of Prefixes Reached; "
             "IPsec stays");
    }
}

/* ---- the traffic goes elsewhere */

void judge_withdraw(const struct facts *was, const struct facts *now, unsigned t,
                    struct finding *out)
{
    const struct tunnel_facts *here = &now->tunnel[t], *there = &now->tunnel[1 - t];

    if (was->tunnel[t].in_lately < STEADY_PACKETS)
        find(out, VERDICT_SKIP, "the device doesn't send by tunnel %u, so that nothing changes",
             t + 1);
    else if (is_later(was, now, LOOK_NS) && there->in_lately >= STEADY_PACKETS &&
             here->in_lately <= STRAY_PACKETS)
        find(out, VERDICT_PASS,
             "the device sends by tunnel %u since tunnel %u's route is withdrawn", 2 - t, t + 1);
    else if (now->over && here->in_lately > STRAY_PACKETS)
        find(out, VERDICT_FAIL,
             "the device goes on sending by tunnel %u, whose route for %s was withdrawn: has it a "
             "static route besides BGP's?",
             t + 1, now->vpc);
    else if (now->over)
        find(out, VERDICT_FAIL,
             "nothing comes back since tunnel %u's route is withdrawn: the device should use the "
             "one "
             "that it learned by tunnel %u",
             t + 1, 2 - t);
}

void judge_failover(const struct facts *was, const struct facts *now, unsigned t,
                    struct finding *out)
{
    const struct tunnel_facts *here = &now->tunnel[t], *there = &now->tunnel[1 - t];
    const bool moved = !here->info.up && there->info.up;

    if (!there->info.up)
        find(out, VERDICT_FAIL, "tunnel %u went down with tunnel %u: %s", 2 - t, t + 1,
             why_down(there));
    else if (moved && !now->through.asked)
        find(out, VERDICT_PASS,
             "tunnel %u is up while tunnel %u is silent (without --ping no "
             "traffic was watched)",
             2 - t, t + 1);
    else if (moved && there->in_lately >= STEADY_PACKETS && now->through.first_ns)
        find(out, VERDICT_PASS, "pings go on by tunnel %u, %.1f s after tunnel %u fell silent",
             2 - t, seconds_between(was->now_ns, now->through.first_ns), t + 1);
    else if (now->over && !moved)
        find(out, VERDICT_FAIL, "tunnel %u isn't given up though it is silent", t + 1);
    else if (now->over)
        find(out, VERDICT_FAIL,
             "no ping is answered since tunnel %u is silent: the device should notice (DPD, BGP's "
             "hold time) and send by tunnel %u: has it two routes for %s?",
             t + 1, 2 - t, now->vpc);
}

void judge_maintenance(const struct facts *was, const struct facts *now, unsigned t,
                       struct finding *out)
{
    if (is_made_anew(was, now, t) && !now->through.asked)
        find(out, VERDICT_PASS, "the device came back to the new endpoint after %.1f s",
             since(was, now));
    else if (is_made_anew(was, now, t) && now->through.lost)
        find(out, VERDICT_WARN,
             "back after %.1f s, but %u of %u pings were lost: the device should follow the better "
             "MED to the other tunnel before this one closes",
             since(was, now), (unsigned)now->through.lost, (unsigned)now->through.sent);
    else if (is_made_anew(was, now, t))
        find(out, VERDICT_PASS, "the device came back to the new endpoint; no ping of %u was lost",
             (unsigned)now->through.sent);
    else if (now->over)
        find(out, VERDICT_FAIL, "the device doesn't come back after its endpoint was replaced (%s)",
             why_down(&now->tunnel[t]));
}

/* ---- liveness */

void judge_dpd(const struct facts *was, const struct facts *now, unsigned t, struct finding *out)
{
    const struct tunnel_facts *a = &was->tunnel[t], *b = &now->tunnel[t];

    if (b->info.ike_version == 0 || b->child_new > a->child_new)
        find(out, VERDICT_FAIL, "the tunnel fell when the device was asked whether it is there: %s",
             why_down(b));
    else if (!b->info.ike_asks)
        find(out, VERDICT_PASS, "the device answers ours");
    else if (now->over)
        find(out, VERDICT_FAIL,
             "the device doesn't answer ours, %.0f s after it was asked: do firewalls forget its "
             "UDP conversation, or drop what comes unasked for?",
             since(was, now));
}

void judge_no_dpd(const struct facts *was, const struct facts *now, unsigned t, struct finding *out)
{
    const struct tunnel_facts *a = &was->tunnel[t], *b = &now->tunnel[t];

    if (b->child_new > a->child_new)
        find(out, VERDICT_PASS, "the device noticed after %.1f s and started the tunnel anew",
             since(was, now));
    else if (b->info.spi_in == 0)
        find(out, VERDICT_PASS, "the device noticed after %.1f s and closed the tunnel",
             since(was, now));
    else if (now->over && b->unanswered > a->unanswered)
        find(out, VERDICT_FAIL,
             "the device asked %u times within %.0f s whether we are there, got no answer, and did "
             "nothing: let dead peer detection restart the tunnel",
             (unsigned)(b->unanswered - a->unanswered), since(was, now));
    else if (now->over)
        find(out, VERDICT_WARN,
             "the device sent no liveness check for %.0f s: let dead peer detection ask "
             "periodically, or rely on BGP's hold time",
             since(was, now));
}
