/* SPDX-License-Identifier: Apache-2.0 */
/* Events: queued while a call works, delivered as its last step. */
#ifndef S2_VPN_EVENTS_H
#define S2_VPN_EVENTS_H

#include "base/list.h"
#include "s2svpn/context.h"

#define S2_SUBSCRIPTIONS_MAX 16
#define S2_EVENTS_MAX 4096 /* waiting at once; more are dropped and counted in a note */

struct s2_events {
    struct s2_link queue;
    size_t waiting;
    uint64_t sequence;
    uint64_t lost;
    uint32_t next_id;
    struct {
        uint32_t id; /* 0: free */
        uint32_t kinds;
        s2svpn_event_fn *fn;
        void *user;
    } subscription[S2_SUBSCRIPTIONS_MAX];
};

struct s2_object;
void s2_events_init(struct s2_events *e);
void s2_events_clear(s2svpn_context *ctx);
/* event.text may be NULL: fmt and its arguments make the text. object may be NULL; a
 * connection is held until the event is delivered. */
void s2_emit(s2svpn_context *ctx, const s2svpn_event *event, struct s2_object *object,
             const char *fmt, ...) S2SVPN_PRINTF(4, 5);
/* The same, and the log line is a warning. */
void s2_warn(s2svpn_context *ctx, const s2svpn_event *event, struct s2_object *object,
             const char *fmt, ...) S2SVPN_PRINTF(4, 5);
/* Deliver what waits. Returns true if anything was delivered. */
bool s2_events_deliver(s2svpn_context *ctx);

#endif
