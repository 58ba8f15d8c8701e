/* SPDX-License-Identifier: Apache-2.0 */
/* What both programs' status says of a tunnel, as text and as JSON. */
#ifndef S2_CONTROL_SHOW_H
#define S2_CONTROL_SHOW_H

#include <s2svpn/s2svpn.h>

#include "control/text.h"

struct shown_tunnel {
    s2svpn_tunnel_info info;
    const s2svpn_id *connection;
    unsigned number;  /* 1 or 2 */
    const char *link; /* a line of text, whole; NULL: none */
    bool gateway;     /* the cloud's end */
    const char *tun;  /* a device's: the tunnel's own TUN device; NULL: none */
    uint32_t faults;  /* a gateway's, s2svpn_tunnel_faults() */
};
void show_tunnel(const struct shown_tunnel *t, bool json, struct text *out);

/* Packets that were dropped, by why. */
void show_drops(const s2svpn_context *ctx, bool json, struct text *out);
/* The host's clock says so; 0: never. */
uint64_t show_seconds_since(uint64_t then_ns);

#endif
