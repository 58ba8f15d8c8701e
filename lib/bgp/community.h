/* SPDX-License-Identifier: Apache-2.0 */
/* Communities and large communities (RFC 1997, 8092) as they stand among the attributes
 * that are kept as they came: found, asked for, and edited. */
#ifndef S2_BGP_COMMUNITY_H
#define S2_BGP_COMMUNITY_H

#include "bgp/attribute.h"

#define S2_BGP_COMMUNITY_LEN 4
#define S2_BGP_LARGE_LEN 12
/* How many a route that we advertise may have: its attributes leave room for prefixes. */
#define S2_BGP_COMMUNITIES_MOST 64
#define S2_BGP_LARGE_MOST 32

/* The value of an attribute of this type in a set's opaque part; empty: none. */
s2svpn_span s2_bgp_opaque_value(s2svpn_span opaque, uint8_t type);
/* Is this element, of len bytes, in a list? */
bool s2_bgp_list_has(s2svpn_span list, const uint8_t *element, size_t len);
/* Put a list of optional transitive things into the values, for what was there of its type;
 * an empty one takes it away. false: no room. */
S2SVPN_NODISCARD bool s2_bgp_put_list(struct s2_bgp_values *v, uint8_t type, s2svpn_span list);

/* Wire forms; out has room for one. */
void s2_bgp_write_community(uint8_t *out, uint32_t community);
void s2_bgp_write_large(uint8_t *out, const s2svpn_bgp_large_community *community);

/* Edit a list: out (of size bytes) gets what of list is not stripped, then what of add isn't
 * there yet. Returns its length; SIZE_MAX: no room. */
struct s2_bgp_edit {
    size_t len; /* of an element */
    bool strip_all;
    s2svpn_span strip, add; /* elements in wire form */
};
size_t s2_bgp_edit_list(const struct s2_bgp_edit *edit, s2svpn_span list, uint8_t *out,
                        size_t size);

#endif
