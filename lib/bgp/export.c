/* SPDX-License-Identifier: Apache-2.0 */
/* What is offered to a peer, and what the export policy lets leave of it, now and when
 * the policy changes. How it is packed and sent: out.c. RFC 4271 section 9.1.3, 8212. */
#include "bgp/peer.h"

#include <string.h>

#include "base/address.h"
#include "base/bytes.h"
#include "bgp/community.h"
#include "bgp/policy.h"

#define OPAQUE_MOST 1024 /* bytes of communities; an UPDATE has room for more than them */

/* Not before the caller is done with a batch. */
static void flush_soon(struct s2_bgp_peer *peer, uint64_t now_ns)
{
    if (peer->session != NULL && !peer->flush.armed)
        s2_timer_set(peer->bgp->env->timers, &peer->flush, now_ns);
}

static s2svpn_status check_announcement(const struct s2_bgp_peer *peer,
                                        const struct s2_bgp_announcement *a)
{
    const struct s2_env *env = peer->bgp->env;
    const uint8_t family = a->prefix.address.family;
    const s2svpn_prefix clean = s2_prefix_make(&a->prefix.address, a->prefix.length);
    s2svpn_address next_hop;

    if (s2_family_bits(family) == 0 || !s2_prefix_equal(&clean, &a->prefix))
        return s2_fail(env, S2SVPN_E_ARGUMENT, "prefix", "no prefix");
    if (!(family == S2SVPN_FAMILY_IPV4 ? peer->spec.ipv4 : peer->spec.ipv6) ||
        !s2_bgp_next_hop(&peer->spec.local_address, family, &next_hop))
        return s2_fail(env, S2SVPN_E_ARGUMENT, "prefix", "not of the session's address families");
    if (a->origin > S2_BGP_INCOMPLETE)
        return s2_fail(env, S2SVPN_E_ARGUMENT, "origin", "no origin");
    if (a->path_count >= S2_BGP_AS_PATH_MAX)
        return s2_fail(env, S2SVPN_E_LIMIT, "path", "more than %d AS numbers",
                       S2_BGP_AS_PATH_MAX - 1);
    if (a->community_count > S2_BGP_COMMUNITIES_MOST)
        return s2_fail(env, S2SVPN_E_LIMIT, "communities", "more than %d", S2_BGP_COMMUNITIES_MOST);
    if (a->large_community_count > S2_BGP_LARGE_MOST)
        return s2_fail(env, S2SVPN_E_LIMIT, "large_communities", "more than %d", S2_BGP_LARGE_MOST);
    return S2SVPN_OK;
}

static void put_communities(struct s2_bgp_values *v, const struct s2_bgp_announcement *a)
{
    uint8_t list[S2_BGP_COMMUNITIES_MOST * S2_BGP_COMMUNITY_LEN];
    uint8_t large[S2_BGP_LARGE_MOST * S2_BGP_LARGE_LEN];

    for (size_t i = 0; i < a->community_count; i++)
        s2_bgp_write_community(list + i * S2_BGP_COMMUNITY_LEN, a->communities[i]);
    for (size_t i = 0; i < a->large_community_count; i++)
        s2_bgp_write_large(large + i * S2_BGP_LARGE_LEN, &a->large_communities[i]);
    /* there is room for both: nothing else is kept */
    (void)!s2_bgp_put_list(v, S2_BGP_COMMUNITIES,
                           s2_span(list, a->community_count * (size_t)S2_BGP_COMMUNITY_LEN));
    (void)!s2_bgp_put_list(v, S2_BGP_LARGE_COMMUNITIES,
                           s2_span(large, a->large_community_count * (size_t)S2_BGP_LARGE_LEN));
}

/* ---- the policy's word */

/* What it adds obeys our limits, too. */
static bool change(const struct s2_bgp_peer *peer, const s2svpn_bgp_rule *rule,
                   struct s2_bgp_values *v)
{
    return s2_bgp_policy_change(rule, peer->spec.local_asn, v) && v->opaque_len <= OPAQUE_MOST;
}

static s2svpn_status as_it_is(struct s2_bgp_set *offered, struct s2_bgp_set **leaves)
{
    s2_bgp_set_hold(offered);
    *leaves = offered;
    return S2SVPN_OK;
}

s2svpn_status s2_bgp_export(struct s2_bgp_peer *peer, const s2svpn_prefix *prefix,
                            struct s2_bgp_set *offered, struct s2_bgp_set **leaves)
{
    struct s2_bgp_values v;

    *leaves = NULL;
    if (peer->spec.export_policy == NULL)
        return peer->spec.require_policy ? S2SVPN_OK : as_it_is(offered, leaves);
    s2_bgp_set_values(offered, &v);
    const struct s2_bgp_decision d =
        s2_bgp_policy_decide(peer->spec.export_policy, peer->spec.require_policy, prefix, &v);
    if (!d.accepted)
        return S2SVPN_OK;
    if (d.rule == NULL)
        return as_it_is(offered, leaves);
    if (!change(peer, d.rule, &v))
        return s2_fail(peer->bgp->env, S2SVPN_E_LIMIT, "export_policy",
                       "a path or communities too long to be sent");
    *leaves = s2_bgp_intern(peer->bgp, &v);
    return *leaves != NULL
               ? S2SVPN_OK
               : s2_fail(peer->bgp->env, S2SVPN_E_MEMORY, "prefix", "no room for another route");
}

/* ---- offers */

static struct s2_bgp_set *offer(struct s2_bgp_peer *peer, const struct s2_bgp_announcement *a)
{
    struct s2_bgp_values v;

    v.head = (struct s2_bgp_head){.med = a->med, .origin = a->origin, .has_med = a->has_med};
    if (!a->has_med)
        v.head.med = 0; /* equal sets are equal bytes */
    v.opaque_len = 0;
    v.path.as[0] = peer->spec.local_asn;
    if (a->path_count > 0)
        memcpy(v.path.as + 1, a->path, a->path_count * sizeof(a->path[0]));
    v.path.as_count = (uint16_t)(1 + a->path_count);
    v.path.segment[0] = (struct s2_bgp_segment){S2_BGP_AS_SEQUENCE, (uint8_t)v.path.as_count};
    v.path.segment_count = 1;
    put_communities(&v, a);
    s2_bgp_values_finish(&v);
    return s2_bgp_intern(peer->bgp, &v);
}

s2svpn_status s2_bgp_advertise(struct s2_bgp_peer *peer, const struct s2_bgp_announcement *a,
                               uint64_t now_ns)
{
    s2svpn_status rc = check_announcement(peer, a);
    struct s2_bgp_set *offered, *leaves = NULL;

    if (rc != S2SVPN_OK)
        return rc;
    offered = offer(peer, a);
    if (offered == NULL)
        return s2_fail(peer->bgp->env, S2SVPN_E_MEMORY, "prefix", "no room for another route");
    rc = s2_bgp_export(peer, &a->prefix, offered, &leaves);
    if (rc == S2SVPN_OK)
        rc = s2_bgp_out_set(peer, &a->prefix, offered, leaves);
    s2_bgp_set_release(peer->bgp, offered);
    s2_bgp_set_release(peer->bgp, leaves);
    if (rc == S2SVPN_OK)
        flush_soon(peer, now_ns);
    return rc;
}

void s2_bgp_withdraw(struct s2_bgp_peer *peer, const s2svpn_prefix *prefix, uint64_t now_ns)
{
    s2_bgp_out_unset(peer, prefix);
    flush_soon(peer, now_ns);
}

/* ---- another policy */

/* The same policy given again may say another thing. */
static bool says_the_same(const s2svpn_bgp_policy *old, const s2svpn_bgp_policy *new)
{
    return (old == NULL || old != new) && s2_bgp_policy_equal(old, new);
}

/* What came in is filtered anew when it comes again. */
static void import_again(struct s2_bgp_peer *peer)
{
    peer->refresh_due = peer->session->open.refresh;
    peer->import_waits = !peer->session->open.refresh;
}

/* A filter may be the answer to too many prefixes. */
static void rest_no_longer(struct s2_bgp_peer *peer, uint64_t now_ns)
{
    if (peer->limit_tries > 0 && peer->idle.armed)
        s2_timer_set(peer->bgp->env->timers, &peer->idle, now_ns);
    peer->limit_tries = 0;
}

s2svpn_status s2_bgp_set_policies(struct s2_bgp_peer *peer, const s2svpn_bgp_policy *import_policy,
                                  const s2svpn_bgp_policy *export_policy, uint64_t now_ns)
{
    const struct s2_env *env = peer->bgp->env;
    const s2svpn_bgp_policy *old_export = peer->spec.export_policy;
    s2svpn_status rc = s2_bgp_policy_check(env, "import_policy", import_policy);

    if (rc == S2SVPN_OK)
        rc = s2_bgp_policy_check(env, "export_policy", export_policy);
    if (rc != S2SVPN_OK)
        return rc;
    peer->spec.export_policy = export_policy;
    rc = s2_bgp_out_again(peer);
    if (rc != S2SVPN_OK) {
        peer->spec.export_policy = old_export;
        return rc;
    }
    const bool same = says_the_same(peer->spec.import_policy, import_policy);
    peer->spec.import_policy = import_policy;
    rest_no_longer(peer, now_ns);
    if (peer->session == NULL)
        return S2SVPN_OK;
    s2_bgp_enter(peer, now_ns);
    if (!same)
        import_again(peer);
    s2_bgp_leave(peer);
    return S2SVPN_OK;
}
