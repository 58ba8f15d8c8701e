/* SPDX-License-Identifier: Apache-2.0 */
/* Congestion marks at the end of a tunnel: the outside header's is carried over to the
 * inner packet, in normal mode. (At its beginning the inner one is copied outside as it
 * is.) RFC 6040 section 4.2, RFC 4301 section 5.1.2; RFC 1624 for the checksum. */
#include "inet/inet.h"

#include "base/bytes.h"
#include "base/checksum.h"

#define ECN_MASK 3
#define LOST 0xff

enum ecn { NOT_ECT = 0, ECT_1 = 1, ECT_0 = 2, CE = 3 };

/* RFC 6040 figure 4: [inner][outer]. */
static const uint8_t leaving[4][4] = {
    [NOT_ECT] = {[NOT_ECT] = NOT_ECT, [ECT_0] = NOT_ECT, [ECT_1] = NOT_ECT, [CE] = LOST},
    [ECT_0] = {[NOT_ECT] = ECT_0, [ECT_0] = ECT_0, [ECT_1] = ECT_1, [CE] = CE},
    [ECT_1] = {[NOT_ECT] = ECT_1, [ECT_0] = ECT_1, [ECT_1] = ECT_1, [CE] = CE},
    [CE] = {[NOT_ECT] = CE, [ECT_0] = CE, [ECT_1] = CE, [CE] = CE},
};

bool s2_inet_leave_tunnel(uint8_t *p, struct s2_inet_view *v, uint8_t outer_tos)
{
    const uint8_t mark = leaving[v->tos & ECN_MASK][outer_tos & ECN_MASK];

    if (mark == LOST)
        return false;
    if (mark == (v->tos & ECN_MASK))
        return true;
    v->tos = (uint8_t)((v->tos & ~ECN_MASK) | mark);
    if (v->version == 6) {
        p[1] = (uint8_t)((p[1] & 0xcf) | mark << 4); /* the traffic class lies across bytes */
        return true;
    }
    const uint16_t before = s2_get_u16(p); /* version, header length, TOS */
    p[1] = v->tos;
    s2_put_u16(p + 10, s2_checksum_update(s2_get_u16(p + 10), before, s2_get_u16(p)));
    return true;
}
