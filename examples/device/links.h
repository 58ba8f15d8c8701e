/* SPDX-License-Identifier: Apache-2.0 */
/*
 * With --external-bgp each tunnel is a link of the host's: a TUN device of its own, up,
 * with the document's inside address on it and the gateway's at the other end. What the
 * host routes into it, and BGP's own packets, go by exactly that tunnel. The devices vanish
 * with the program, and the addresses with them.
 */
#ifndef S2_DEVICE_LINKS_H
#define S2_DEVICE_LINKS_H

#include <s2svpn/s2svpn.h>

struct connection;
struct device;

/* Of one tunnel; port NULL: none. */
struct tunnel_link {
    s2svpn_port *port;
    char name[16]; /* the TUN device's */
    s2svpn_address local, peer;
    uint8_t length; /* of the inside network */
};

/* With privileges, before the drop. Nothing to do without --external-bgp. */
bool links_init(struct device *d);
void links_clear(struct device *d);

/* Of all tunnels of a connection that isn't started yet; else the log says why not, and
 * none is left. */
bool links_open(struct device *d, struct connection *c, s2svpn_connection *handle,
                const s2svpn_device_config *config);
/* Before its connection goes. */
void links_close(struct device *d, struct connection *c);
/* Give the handles back, when all is over. */
void links_release(struct connection *c);
/* A newer document may name other inside addresses. */
void links_update(struct device *d, struct connection *c, size_t index,
                  const s2svpn_config_tunnel *tunnel);
/* Somebody deleted the device, or we did. */
void links_on_gone(struct device *d, s2svpn_port_id port, const char *name);

#endif
