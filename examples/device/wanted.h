/* SPDX-License-Identifier: Apache-2.0 */
/* The routes that the host should have of us: an answer without side effects. Putting them
 * there: routes.h, which says what they are. */
#ifndef S2_DEVICE_WANTED_H
#define S2_DEVICE_WANTED_H

#include "device/files.h"
#include "device/routes.h"

#define ENDPOINTS_MAX (DOCUMENTS_MAX * 2)

/* The outside address of a tunnel's other end, and how the host gets there without us. */
struct endpoint {
    s2svpn_prefix host;
    bool covered; /* by a prefix that we want */
    bool found;   /* a way */
    struct host_route way;
};

struct wanted {
    struct device *d;
    struct endpoint endpoint[ENDPOINTS_MAX];
    size_t endpoints;
    struct kept_route *list; /* given to the caller: free() */
    size_t count, room;
};

/* First the prefixes; then, for each route of the host's, the way that it is; then what
 * the endpoints need. The list is in wanted_order then. */
void wanted_begin(struct wanted *u, struct device *d);
void wanted_way(struct wanted *u, const struct host_route *way);
void wanted_finish(struct wanted *u);

/* By rank, then in any order that is always the same: for qsort and bsearch. */
int wanted_order(const void *a, const void *b);
struct kept_route *wanted_find(struct kept_route *list, size_t n, const struct kept_route *k);

bool wanted_is_endpoint(const struct wanted *u, const s2svpn_prefix *p);
/* Every endpoint that the prefix covers has something in front of it that is installed. */
bool wanted_is_safe(const struct wanted *u, const s2svpn_prefix *prefix);

#endif
