/* SPDX-License-Identifier: Apache-2.0 */
/* Flows: what goes together by one of several tunnels of equal cost, so that a flow's
 * packets stay in their order.
 *
 * A flow is source, destination, protocol and ports, one way: the two directions are
 * chosen by two ends, and either tunnel is good for both. ICMP echo goes by its
 * identifier; other ICMP by its addresses. A fragment goes by its addresses alone, even
 * the first, which has ports: all of a packet's stay together (their protocol may hide
 * behind a header that only the first one has, RFC 8200 section 4.5). A superpacket is one
 * packet here.
 *
 * The hash is keyed with the context's secret: nobody outside can choose addresses that
 * fill one tunnel, and routers in a row don't all choose alike. It is no cryptographic
 * one; what it decides is seen on the wire anyway.
 */
#include "vpn/vpn.h"

static bool is_icmp(const struct s2_inet_view *view)
{
    return view->protocol == S2_IP_ICMP || view->protocol == S2_IP_ICMPV6;
}

static uint64_t transport_of(const struct s2_inet_view *view)
{
    if (view->fragment)
        return 0;
    const uint64_t source_port = is_icmp(view) ? 0 : view->source_port; /* no type and code */

    return (uint64_t)view->protocol << 32 | source_port << 16 | view->destination_port;
}

uint64_t s2_flow_hash(const uint8_t *key, const struct s2_inet_view *view)
{
    const uint8_t *from = view->source.bytes, *to = view->destination.bytes;
    uint64_t h = s2_get_u64(key) ^ transport_of(view);

    if (view->version == 4) {
        h = s2_group_mix(h) ^ ((uint64_t)s2_get_u32(from) << 32 | s2_get_u32(to));
        return s2_group_mix(h ^ s2_get_u64(key + 8));
    }
    h = s2_group_mix(h) ^ s2_get_u64(from);
    h = s2_group_mix(h) ^ s2_get_u64(from + 8);
    h = s2_group_mix(h) ^ s2_get_u64(to);
    h = s2_group_mix(h) ^ s2_get_u64(to + 8);
    return s2_group_mix(h ^ s2_get_u64(key + 8));
}
