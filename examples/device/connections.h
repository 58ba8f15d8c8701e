/* SPDX-License-Identifier: Apache-2.0 */
/* The connections that are open, each with the document that it is of. */
#ifndef S2_DEVICE_CONNECTIONS_H
#define S2_DEVICE_CONNECTIONS_H

#include "device/files.h"
#include "device/links.h"

struct device;

struct connection {
    struct document document;
    s2svpn_connection *handle;
    bool down;      /* told to be, over the control socket */
    unsigned place; /* among the connections, for the names of its links */
    struct tunnel_link link[2];
};

struct connections {
    struct connection item[DOCUMENTS_MAX];
    size_t count;
};

/* Open a document's connection and start it, or leave it down. It takes the document over
 * when it succeeds; else the log says why not. */
bool connections_open(struct device *d, struct document *document, bool down);
/* Are there certificates, if it has no key? Else the log says so. */
bool connections_has_proof(const struct device *d, const struct document *document);
/* Have we that, and a socket at the document's address of ours? Likewise. */
bool connections_can(const struct device *d, const struct document *document);
/* Close it politely and give its document back; NULL: end that too. */
void connections_close(struct device *d, struct connection *c, struct document *document);
/* Give the handles back, when all is over. */
void connections_clear(struct device *d);

/* By its id; NULL: there is none. */
struct connection *connections_find(struct device *d, const char *id);
/* "vpn-0123456789abcdef0.2" is the second tunnel. NULL: there is none. */
s2svpn_tunnel *connections_find_tunnel(struct device *d, const char *name);
/* How many tunnels there are, and how many of them are up. */
void connections_count(const struct device *d, unsigned *up, unsigned *all);

#endif
