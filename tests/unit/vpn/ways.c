/* SPDX-License-Identifier: Apache-2.0 */
/* Which tunnel each of many flows leaves the rig by. */
#include "vpn/ways.h"

#include <string.h>

#include "vpn/packet.h"

unsigned ways_of(struct rig_side *side, const uint8_t *p, size_t len)
{
    struct rig_item *item;
    unsigned way = NO_WAY;

    rig_drop_all(&side->outside);
    rig_send(side, p, len);
    while ((item = rig_take(&side->outside)) != NULL) {
        const s2svpn_datagram *d = &item->datagram;
        const s2svpn_address *gateway =
            side == &side->rig->gateway ? &d->local.address : &d->remote.address;

        CU_ASSERT_EQUAL(way, NO_WAY); /* one datagram */
        way = gateway->bytes[3] - 1u;
        rig_item_free(item);
    }
    CU_ASSERT(way <= NO_WAY);
    rig_drop_all(&side->inside); /* ICMP errors */
    return way;
}

void ways_look(struct rig_side *side, struct ways *out)
{
    const bool gateway = side == &side->rig->gateway;
    static uint8_t p[PACKET_ROOM];

    memset(out, 0, sizeof(*out));
    for (unsigned i = 0; i < WAYS_FLOWS; i++) {
        const struct packet_spec spec = {
            .from = gateway ? "10.0.1.10" : "192.168.10.20",
            .to = gateway ? "192.168.10.20" : "10.0.1.10",
            .protocol = 17,
            .from_port = (uint16_t)(10000 + i),
            .payload = 20,
        };

        out->way[i] = (uint8_t)ways_of(side, p, packet_write(p, &spec));
        out->count[out->way[i]]++;
    }
}

bool ways_are_even(const struct ways *w)
{
    return w->count[NO_WAY] == 0 && w->count[0] >= WAYS_FLOWS * 45 / 100 &&
           w->count[1] >= WAYS_FLOWS * 45 / 100;
}
