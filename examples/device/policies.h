/* SPDX-License-Identifier: Apache-2.0 */
/* What BGP lets in and out of the tunnels: policies from files (policy.h), for the first or
 * the second tunnel of each connection, or for both. */
#ifndef S2_DEVICE_POLICIES_H
#define S2_DEVICE_POLICIES_H

#include "policy.h"

struct device;
struct log;

/* Of a connection's two tunnels. */
struct policy_files {
    const char *import[2], *export[2]; /* NULL: none; borrowed from argv */
};

struct policies {
    struct policy *import[2], *export[2]; /* NULL: none */
};

/* "FILE", or "1:FILE" and "2:FILE" for that tunnel alone. */
void policies_add_file(const char *of[2], const char *text);
bool policies_wanted(const struct policy_files *files);

/* From their files. false, having said what is wrong, and nothing has changed. */
bool policies_read(const struct log *log, const struct policy_files *files, struct policies *out);
void policies_clear(struct policies *policies);

/* They count for this connection from now on; the context's error says why not. */
s2svpn_status policies_apply(const struct device *d, s2svpn_connection *conn);
/* The files again, and all connections. What can't be read leaves things as they are. */
void policies_reload(struct device *d);

#endif
