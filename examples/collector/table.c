/* SPDX-License-Identifier: Apache-2.0 */
/* The table, as text or as lines of JSON. */
#include <stdio.h>

#include "collector/collector.h"

static void print_path(const s2svpn_bgp_route *r, const char *between)
{
    for (uint16_t i = 0; i < r->as_count; i++)
        printf("%s%u", i > 0 ? between : "", r->as_path[i]);
}

static void print_communities(const s2svpn_bgp_route *r, const char *quote, const char *between)
{
    const char *gap = "";

    for (uint16_t i = 0; i < r->community_count; i++, gap = between)
        printf("%s%s%u:%u%s", gap, quote, r->communities[i] >> 16, r->communities[i] & 0xffff,
               quote);
    for (uint16_t i = 0; i < r->large_community_count; i++, gap = between) {
        const s2svpn_bgp_large_community *c = &r->large_communities[i];

        printf("%s%s%u:%u:%u%s", gap, quote, c->administrator, c->data1, c->data2, quote);
    }
}

static bool print_route(void *arg, const s2svpn_bgp_route *r)
{
    static const char *const origins[] = {"IGP", "EGP", "incomplete"};
    const struct peer *p = arg;
    char prefix[S2SVPN_PREFIX_TEXT], hop[S2SVPN_ADDRESS_TEXT];

    s2svpn_prefix_print(&r->prefix, prefix);
    s2svpn_address_print(&r->next_hop, hop);
    if (p->collector->json) {
        printf("{\"peer\":\"%s\",\"prefix\":\"%s\",\"next_hop\":\"%s\",\"origin\":\"%s\",", p->name,
               prefix, hop, origins[r->origin]);
        if (r->has_med)
            printf("\"med\":%u,", r->med);
        printf("\"as_path\":[");
        print_path(r, ",");
        printf("]");
        if (r->has_local_pref)
            printf(",\"local_pref\":%u", r->local_pref);
        if (r->community_count + r->large_community_count > 0) {
            printf(",\"communities\":[");
            print_communities(r, "\"", ",");
            printf("]");
        }
        printf("}\n");
        return true;
    }
    printf("%-20s via %-16s ", prefix, hop);
    print_path(r, " ");
    if (r->has_med)
        printf(" (MED %u)", r->med);
    if (r->has_local_pref)
        printf(" (preference %u)", r->local_pref);
    printf(" %s", origins[r->origin]);
    if (r->community_count + r->large_community_count > 0) {
        printf(" (");
        print_communities(r, "", " ");
        printf(")");
    }
    printf("\n");
    return true;
}

void table_print(struct collector *c)
{
    for (size_t i = 0; i < c->peer_count; i++) {
        s2svpn_bgp_peer_info info = {.size = sizeof(info)};

        s2svpn_bgp_peer_get_info(c->peer[i].bgp, &info);
        if (!c->json)
            printf("# %s AS%u %s: %u prefixes, %llu updates, %llu treated as withdrawn\n",
                   c->peer[i].name, info.peer_asn,
                   s2svpn_bgp_state_text((enum s2svpn_bgp_state)info.state), info.prefixes_in,
                   (unsigned long long)info.updates_in,
                   (unsigned long long)info.treated_as_withdraw);
        if (!c->quiet)
            s2svpn_bgp_each_route(c->peer[i].bgp, print_route, &c->peer[i]);
    }
    fflush(stdout);
}
