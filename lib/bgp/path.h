/* SPDX-License-Identifier: Apache-2.0 */
/* AS paths: ASNs in one row and the segments that cut it, RFC 4271 section 4.3.
 * What a bad path costs is the attribute table's matter. */
#ifndef S2_BGP_PATH_H
#define S2_BGP_PATH_H

#include "bgp/bgp.h"

#include "base/reader.h"
#include "base/writer.h"

#define S2_BGP_AS_SET 1
#define S2_BGP_AS_SEQUENCE 2
#define S2_BGP_AS_CONFED_SEQUENCE 3 /* RFC 5065 section 3 */
#define S2_BGP_AS_CONFED_SET 4

struct s2_bgp_segment {
    uint8_t type;
    uint8_t count; /* of ASNs, not 0 */
};

struct s2_bgp_path {
    uint16_t as_count, segment_count;
    uint32_t as[S2_BGP_AS_PATH_MAX];
    struct s2_bgp_segment segment[S2_BGP_AS_PATH_MAX];
};

/* A path that stands elsewhere. */
struct s2_bgp_path_view {
    uint16_t as_count, segment_count;
    const uint32_t *as;
    const struct s2_bgp_segment *segment;
};

struct s2_bgp_path_view s2_bgp_path_view(const struct s2_bgp_path *path);
/* The whole of r; as_size 2 or 4. E_LIMIT: more ASNs than we hold. */
S2SVPN_NODISCARD s2svpn_status s2_bgp_parse_path(struct s2_reader *r, size_t as_size,
                                                 struct s2_bgp_path *out);
/* AS4_PATH: a confederation's segments are passed over, RFC 6793 section 6. */
S2SVPN_NODISCARD s2svpn_status s2_bgp_parse_as4_path(struct s2_reader *r, struct s2_bgp_path *out);
/* RFC 6793 section 4.2.3: path of a two-octet speaker, with the true ASNs that its
 * AS4_PATH brings. path stays as it is if AS4_PATH is the longer one. */
S2SVPN_NODISCARD s2svpn_status s2_bgp_merge_path(struct s2_bgp_path *path,
                                                 const struct s2_bgp_path *as4);
/* As the decision process counts: an AS_SET is one. */
uint16_t s2_bgp_path_length(const struct s2_bgp_path_view *path);
bool s2_bgp_path_contains(const struct s2_bgp_path_view *path, uint32_t asn);
/* The neighbour's ASN; 0 if the path is empty or begins with a set. */
uint32_t s2_bgp_path_first(const struct s2_bgp_path_view *path);
size_t s2_bgp_path_size(const struct s2_bgp_path_view *path, size_t as_size);
void s2_bgp_write_path(struct s2_writer *w, const struct s2_bgp_path_view *path, size_t as_size);

#endif
