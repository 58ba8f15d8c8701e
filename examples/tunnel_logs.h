/* SPDX-License-Identifier: Apache-2.0 */
/* The tunnels' own logs in files: one a stream, in a folder, with its name. The public API
 * alone. */
#ifndef S2_EXAMPLES_TUNNEL_LOGS_H
#define S2_EXAMPLES_TUNNEL_LOGS_H

#include <s2svpn/s2svpn.h>

#define TUNNEL_LOGS_MAX 1024 /* streams */

struct tunnel_logs {
    int dir;
    uint8_t output; /* enum s2svpn_log_output, of the tunnels' options */
    size_t count;
    struct tunnel_logs_file {
        char stream[128];
        int fd; /* -1: it can't be opened */
    } * file;
};

/* "DIR", "DIR,json" or "DIR,text". NULL: the folder can't be opened, see errno. */
struct tunnel_logs *tunnel_logs_new(const char *text);
void tunnel_logs_free(struct tunnel_logs *logs); /* NULL allowed */
/* Open both streams of a tunnel now, while there is the right to; address: the cloud side's. */
void tunnel_logs_open(struct tunnel_logs *logs, const char *connection,
                      const s2svpn_address *address);
/* Files have been renamed: open them anew. What can't be opened goes on as it was. */
void tunnel_logs_reopen(struct tunnel_logs *logs);
/* For s2svpn_options.tunnel_log; user is the logs. */
s2svpn_tunnel_log_fn tunnel_logs_write;

#endif
