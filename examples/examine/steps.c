/* SPDX-License-Identifier: Apache-2.0 */
/* The order is that of AWS's troubleshooting guide, then what AWS does to a tunnel in the
 * course of its life. */
#include "examine/steps.h"

#include <stdio.h>
#include <string.h>

#define FAULT(name) .deed = DEED_PROVOKE, .fault = S2SVPN_FAULT_##name

const struct step steps[] = {
    {.id = "ike", .what = "an IKE SA exists", .judge = judge_ike},
    {.id = "ipsec",
     .what = "a pair of IPsec SAs exists",
     .needs = NEED_IKE,
     .limit_s = 20,
     .judge = judge_ipsec},
    {.id = "nat", .what = "NAT on the way", .needs = NEED_IPSEC, .judge = judge_nat},
    {.id = "inside",
     .what = "the inside address answers pings",
     .deed = DEED_PING_INSIDE,
     .needs = NEED_IPSEC,
     .limit_s = 20,
     .judge = judge_inside},
    {.id = "bgp", .what = "BGP is established", .needs = NEED_IPSEC | NEED_BGP, .judge = judge_bgp},
    {.id = "prefixes",
     .what = "the device announces prefixes",
     .needs = NEED_UP | NEED_BGP,
     .limit_s = 20,
     .judge = judge_prefixes},
    {.id = "through",
     .what = "a VPC host reaches the network behind the device",
     .once = true,
     .needs = NEED_ANY_UP | NEED_ASKED,
     .limit_s = 20,
     .judge = judge_through},
    {.id = "mtu",
     .what = "packets as long as the tunnel's MTU pass",
     .deed = DEED_SIZES,
     .needs = NEED_UP,
     .limit_s = 40,
     .judge = judge_mtu},
    {.id = "fragments",
     .what = "longer ones pass in fragments",
     .once = true,
     .deed = DEED_CUT,
     .needs = NEED_ANY_UP | NEED_THROUGH,
     .limit_s = 15,
     .judge = judge_fragments},
    {.id = "dpd",
     .what = "the device answers liveness checks",
     .deed = DEED_CHECK,
     .needs = NEED_IKE,
     .limit_s = 15,
     .judge = judge_dpd},
    {.id = "rekey",
     .what = "rekeys lose nothing",
     FAULT(REKEY_NOW),
     .needs = NEED_UP,
     .limit_s = 30,
     .judge = judge_rekey},
    {.id = "bgp-reset",
     .what = "BGP's session comes back after a reset",
     FAULT(BGP_RESET),
     .needs = NEED_UP | NEED_BGP,
     .judge = judge_reset},
    {.id = "ike-delete",
     .what = "the tunnel comes back after an IKE delete",
     FAULT(DELETE),
     .needs = NEED_UP,
     .judge = judge_delete},
    {.id = "failover",
     .group = 1,
     .what = "traffic goes by the other tunnel when one is silent",
     FAULT(BLACKHOLE),
     .needs = NEED_BOTH,
     .keeps = true,
     .limit_s = 120,
     .judge = judge_failover},
    {.id = "failover-return",
     .group = 1,
     .what = "and the silent one comes back",
     .deed = DEED_CLEAR,
     .limit_s = 120,
     .judge = judge_return},
    {.id = "withdraw",
     .group = 2,
     .what = "a withdrawn route is left",
     FAULT(WITHDRAW),
     .needs = NEED_BOTH | NEED_BGP | NEED_THROUGH,
     .limit_s = 30,
     .judge = judge_withdraw},
    {.id = "over-limit",
     .group = 3,
     .what = "the device survives Cease, too many prefixes",
     FAULT(OVER_LIMIT),
     .needs = NEED_UP | NEED_BGP,
     .keeps = true,
     .limit_s = 20,
     .judge = judge_over_limit},
    {.id = "over-limit-return",
     .group = 3,
     .what = "and comes back when it may",
     .deed = DEED_CLEAR,
     .needs = NEED_BGP,
     .limit_s = 150,
     .judge = judge_return},
    {.id = "no-dpd",
     .group = 4,
     .what = "the device notices a dead peer",
     FAULT(NO_DPD),
     .needs = NEED_UP,
     .keeps = true,
     .limit_s = 60,
     .judge = judge_no_dpd},
    {.id = "no-dpd-return",
     .group = 4,
     .what = "and comes back",
     .deed = DEED_CLEAR,
     .limit_s = 120,
     .judge = judge_return},
    {.id = "maintenance",
     .what = "an endpoint is replaced",
     FAULT(MAINTENANCE),
     .needs = NEED_BOTH,
     .limit_s = 90,
     .judge = judge_maintenance},
};
const size_t step_count = sizeof(steps) / sizeof(steps[0]);

void step_id(const struct step *s, unsigned tunnel, char *out, size_t size)
{
    if (s->once)
        snprintf(out, size, "%s", s->id);
    else
        snprintf(out, size, "%s-%u", s->id, tunnel + 1);
}

bool step_matches(const struct step *s, unsigned tunnel, const char *name, size_t len)
{
    char id[40];

    step_id(s, tunnel, id, sizeof(id));
    return (strlen(s->id) == len && memcmp(s->id, name, len) == 0) ||
           (strlen(id) == len && memcmp(id, name, len) == 0);
}

static bool is_wanted(const struct step *s, unsigned tunnel, const char *only)
{
    if (only == NULL)
        return true;
    for (const char *p = only;; p++) {
        const size_t len = strcspn(p, ",");

        if (step_matches(s, tunnel, p, len))
            return true;
        p += len;
        if (*p == 0)
            return false;
    }
}

/* The first name that is no step's; NULL: there is none. */
static const char *unknown_name(const char *only)
{
    for (const char *p = only; p; p++) {
        const size_t len = strcspn(p, ",");
        bool known = false;

        for (size_t i = 0; i < step_count; i++)
            known =
                known || step_matches(&steps[i], 0, p, len) || step_matches(&steps[i], 1, p, len);
        if (!known)
            return p;
        p += len;
        if (*p == 0)
            break;
    }
    return NULL;
}

/* Rows that belong together: this one alone, or all of its group. */
static size_t rows_of(size_t first)
{
    size_t n = 1;

    while (steps[first].group != 0 && first + n < step_count &&
           steps[first + n].group == steps[first].group)
        n++;
    return n;
}

size_t plan_make(const char *only, size_t tunnels, struct planned *out, const char **bad)
{
    size_t n = 0;

    *bad = unknown_name(only);
    if (*bad)
        return 0;
    for (size_t i = 0; i < step_count; i += rows_of(i)) {
        for (unsigned t = 0; t < (steps[i].once ? 1 : tunnels); t++) {
            for (size_t k = 0; k < rows_of(i); k++) {
                if (is_wanted(&steps[i + k], t, only) && n < PLAN_MAX)
                    out[n++] = (struct planned){.step = &steps[i + k], .tunnel = t};
            }
        }
    }
    return n;
}

const char *step_lacks(const struct step *s, unsigned tunnel, const struct facts *now,
                       bool answered_once)
{
    const s2svpn_tunnel_info *i = &now->tunnel[tunnel].info;
    const bool one = now->tunnel[0].info.up, two = now->tunnel[1].info.up;

    if (s->needs & NEED_BGP && !now->bgp)
        return "the connection has static routes";
    if (s->needs & (NEED_ASKED | NEED_THROUGH) && !now->through.asked)
        return "without --ping ADDRESS there is nobody to reach";
    if (s->needs & NEED_IKE && i->ike_version == 0)
        return "its tunnel has no IKE SA";
    if (s->needs & NEED_IPSEC && i->spi_in == 0)
        return "its tunnel has no IPsec SAs";
    if (s->needs & NEED_UP && !i->up)
        return "its tunnel isn't up";
    if (s->needs & NEED_BOTH && !(one && two))
        return "not both tunnels are up";
    if (s->needs & NEED_ANY_UP && !one && !two)
        return "no tunnel is up";
    if (s->needs & NEED_THROUGH && !answered_once)
        return "--ping's address never answered";
    return NULL;
}
