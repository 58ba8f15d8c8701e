/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that only a peer's own keys could have made. */
#include "vpn/seal.h"

#include <stdlib.h>

#include "vpn/vpn.h"

void seal_deliver(struct rig *rig, struct rig_side *from, const uint8_t *p, size_t len,
                  uint8_t next_header, uint8_t tos)
{
    const s2svpn_connection *conn = from == &rig->gateway ? rig->cloud : rig->site;
    struct s2_child *child = s2_child_current(s2svpn_connection_tunnel(conn, 0));
    const struct s2_way *way = atomic_load(&child->out->way);
    const size_t room = len + 200;
    struct s2_esp_lane *lane = calloc(1, sizeof(*lane));
    struct s2_esp_seal v = {.sa = child->out->esp,
                            .piece = {{p, len}, {NULL, 0}},
                            .out = malloc(room),
                            .room = room,
                            .next_header = next_header};
    struct rig_item item = {.datagram = {.local = way->local, .remote = way->remote, .tos = tos},
                            .data = v.out};

    CU_ASSERT_EQUAL(s2_esp_lane_init(lane, &from->crypto, from), S2SVPN_OK);
    s2_esp_seal(lane, &v, 1, rig->now_ns);
    CU_ASSERT_EQUAL(v.drop, S2SVPN_DROP_NONE);
    item.len = v.len;
    rig_deliver(rig, from->peer, &item);
    s2_esp_lane_clear(lane);
    free(v.out);
    free(lane);
}
