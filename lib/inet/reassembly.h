/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fragments put together, for who needs whole packets: the in-tunnel host. Everything
 * is bounded: packets at once, bytes of each, fragments of each, time. Packets that are
 * only passed on are never put together.
 *
 * A fragment that overlaps another one with other bytes ends the whole packet, and what
 * still comes of it is refused until its time is over (RFC 5722 section 4, RFC 8200
 * section 4.5; for IPv4 too: RFC 8900 section 3.7). An exact copy is ignored.
 */
#ifndef S2_INET_REASSEMBLY_H
#define S2_INET_REASSEMBLY_H

#include "inet/inet.h"

#define S2_REASSEMBLY_PACKETS 8                /* at once; the oldest goes for a new one */
#define S2_REASSEMBLY_FRAGMENTS 64             /* of one packet */
#define S2_REASSEMBLY_LEN 9216                 /* of the whole packet, headers too */
#define S2_REASSEMBLY_NS UINT64_C(60000000000) /* from the first fragment on: RFC 8200 */

struct s2_reassembly;

S2SVPN_NODISCARD s2svpn_status s2_reassembly_new(const struct s2_env *env,
                                                 struct s2_reassembly **out);
void s2_reassembly_free(struct s2_reassembly *r); /* NULL allowed */

/*
 * Take a fragment.
 * @param p, v    a packet that s2_inet_view accepted; v->fragment is true.
 * @param[out] whole  empty: kept, more is awaited; else the packet, borrowed until the
 *                    next call of this file.
 * @return NONE, or why it was refused: REASSEMBLY, NO_ROOM (no memory).
 */
enum s2svpn_drop s2_reassembly_input(struct s2_reassembly *r, const uint8_t *p,
                                     const struct s2_inet_view *v, uint64_t now_ns,
                                     s2svpn_span *whole);
/* Forget what is too old; when to call it again, S2SVPN_NEVER: nothing waits. */
uint64_t s2_reassembly_expire(struct s2_reassembly *r, uint64_t now_ns);
/* Packets of which something is kept. */
size_t s2_reassembly_count(const struct s2_reassembly *r);

#endif
