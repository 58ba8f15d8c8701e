/* SPDX-License-Identifier: Apache-2.0 */
/* The firewall itself: made, swept, counted, freed. Judges nothing. */
#include "firewall/firewall.h"

#include "firewall/flow.h"

#define FLOWS 262144

static uint32_t power_of_two(uint32_t least)
{
    uint32_t n = 1;

    while (n < least)
        n *= 2;
    return n;
}

s2svpn_status s2_firewall_new(const struct s2_env *env, struct s2_epochs *epochs,
                              const struct s2_firewall_limits *limits, struct s2_firewall **out)
{
    static const struct s2_firewall_limits defaults;
    const struct s2_firewall_limits *l = limits ? limits : &defaults;
    const uint32_t flows = l->flows ? l->flows : FLOWS;
    struct s2_firewall *fw;

    if (flows > UINT32_C(1) << 30)
        return s2_fail(env, S2SVPN_E_ARGUMENT, "flows", "more than 2^30 flows");
    fw = s2_alloc(env, sizeof(*fw));
    if (fw == NULL || s2_fragments_new(env, &fw->fragments) != S2SVPN_OK) {
        s2_free(env, fw);
        return s2_fail(env, S2SVPN_E_MEMORY, "firewall", "no memory");
    }
    fw->env = env;
    fw->epochs = epochs;
    atomic_init(&fw->generation, 1);
    s2_flow_timeouts(l, fw->timeout_ns);
    fw->port_flows = l->port_flows ? l->port_flows : flows / 4 + 1;
    fw->shard_flows = (flows + S2_FLOW_SHARDS - 1) / S2_FLOW_SHARDS;
    fw->buckets = power_of_two(fw->shard_flows);
    for (unsigned i = 0; i < S2_FLOW_SHARDS; i++)
        s2_flow_shard_init(&fw->shard[i]);
    *out = fw;
    return S2SVPN_OK;
}

void s2_firewall_free(struct s2_firewall *fw)
{
    if (fw == NULL)
        return;
    s2_epoch_reclaim(fw->epochs); /* ports take their flows out */
    for (unsigned i = 0; i < S2_FLOW_SHARDS; i++)
        s2_flow_shard_free(fw, &fw->shard[i]);
    s2_fragments_free(fw->env, fw->fragments);
    s2_free(fw->env, fw);
}

void s2_firewall_expire(struct s2_firewall *fw, uint64_t now_ns)
{
    for (unsigned i = 0; i < S2_FLOW_SHARDS; i++) {
        s2_firewall_lock(&fw->shard[i].locked);
        s2_flow_expire(fw, &fw->shard[i], now_ns);
        s2_firewall_unlock(&fw->shard[i].locked);
    }
}

void s2_firewall_get_counts(struct s2_firewall *fw, struct s2_firewall_counts *out)
{
    *out = (struct s2_firewall_counts){0};
    for (unsigned i = 0; i < S2_FLOW_SHARDS; i++) {
        struct s2_flow_shard *s = &fw->shard[i];

        s2_firewall_lock(&s->locked);
        out->flows += s->used;
        out->opened += s->counts.opened;
        out->expired += s->counts.expired;
        out->evicted += s->counts.evicted;
        out->full += s->counts.full;
        out->revoked += s->counts.revoked;
        s2_firewall_unlock(&s->locked);
    }
}
