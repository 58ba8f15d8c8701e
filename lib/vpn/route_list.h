/* SPDX-License-Identifier: Apache-2.0 */
/* A route table's list of routes, and the FIB that packets use in its place. */
#ifndef S2_VPN_ROUTE_LIST_H
#define S2_VPN_ROUTE_LIST_H

#include "vpn/vpn.h"

/* The propagated route of a prefix, or the other one. NULL: none. */
struct s2_table_route *s2_routes_find(const s2svpn_route_table *t, const s2svpn_prefix *prefix,
                                      bool propagated);
/* Does a local route stand for a propagated one? It is shown, and packets don't take it. */
bool s2_routes_hides(const s2svpn_route_table *t, const struct s2_table_route *r);
/* Bring the FIB's entry of one prefix in line with the list. Can't fail where the prefix
 * has an entry already, or shall have none. */
S2SVPN_NODISCARD s2svpn_status s2_routes_publish(s2svpn_route_table *t,
                                                 const s2svpn_prefix *prefix);
/* The same; without memory packets find no route, until it is made good in a second. */
void s2_routes_show(s2svpn_route_table *t, const s2svpn_prefix *prefix);
/* A copy of route into list and FIB, or neither; E_LIMIT, E_MEMORY. */
S2SVPN_NODISCARD s2svpn_status s2_routes_insert(s2svpn_route_table *t,
                                                const struct s2_table_route *route);
void s2_routes_take_away(s2svpn_route_table *t, struct s2_table_route *r);
void s2_routes_clear(s2svpn_route_table *t);
/* The local route of a CIDR block, which its VPC has or has no more; harmless if absent. */
S2SVPN_NODISCARD s2svpn_status s2_routes_add_local(s2svpn_route_table *t,
                                                   const s2svpn_prefix *prefix);
void s2_routes_remove_local(s2svpn_route_table *t, const s2svpn_prefix *prefix);

/* propagation.c: a gateway's routes leave the table, and come no more. */
void s2_propagation_end(struct s2_propagation *p);

#endif
