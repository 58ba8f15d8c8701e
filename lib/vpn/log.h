/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tunnels' own logs, s2svpn/tunnel_log.h. Where something happens a function of
 * tunnel_log.c or bgp_log.c is called; it looks at the tunnel's options first, so nothing is
 * made of what nobody wants. log_line.c makes lines of values, keeps their pace, and hands
 * them out as the last step of the outermost call.
 */
#ifndef S2_VPN_LOG_H
#define S2_VPN_LOG_H

#include "base/text.h"
#include "s2svpn/context.h"
#include "s2svpn/tunnel.h"

#define S2_LOG_LINES_MAX 8192 /* of a context, waiting; more are left out and counted */

/* Each has its own allowance of lines a second, so that what strangers cause, or a flood of
 * routes, leaves room for the rest. X(NAME, lines a second, words) */
#define S2_LOG_PACE_LIST(X)                                                                        \
    X(IKE, 50, "lines")                                                                            \
    X(STRANGERS, 10, "lines about peers that have not proved who they are")                        \
    X(BGP, 50, "lines")                                                                            \
    X(ROUTES, 500, "lines about routes")
enum s2_log_pace {
#define S2_LOG_PACE_ENUM(name, most, words) S2_LOG_PACE_##name,
    S2_LOG_PACE_LIST(S2_LOG_PACE_ENUM)
#undef S2_LOG_PACE_ENUM
        S2_LOG_PACES
};

/* ---- log_line.c */

/* A line on its way: values in order, as JSON members or one after the other. */
struct s2_log_line {
    s2svpn_tunnel *tunnel;
    uint32_t kind; /* enum s2svpn_tunnel_log_kind */
    bool json, first;
    struct s2_buffer text;
};
/* May the tunnel have one more of these now? */
bool s2_log_may(s2svpn_tunnel *t, enum s2_log_pace pace);
void s2_log_begin(struct s2_log_line *line, s2svpn_tunnel *t, enum s2svpn_tunnel_log_kind kind);
void s2_log_text(struct s2_log_line *line, const char *name, const char *value);
void s2_log_word(struct s2_log_line *line, const char *name, const char *value); /* no spaces */
void s2_log_number(struct s2_log_line *line, const char *name, uint64_t value);
void s2_log_none(struct s2_log_line *line); /* "-" in a text, nothing in JSON */
void s2_log_bool(struct s2_log_line *line, const char *name, bool value);
void s2_log_time(struct s2_log_line *line, uint64_t unit_ns); /* of event_timestamp */
void s2_log_open(struct s2_log_line *line, const char *name); /* an object as a member */
void s2_log_close(struct s2_log_line *line);
void s2_log_end(struct s2_log_line *line);
/* AWS's outside address of the tunnel: what names its streams. */
const s2svpn_address *s2_log_address(const s2svpn_tunnel *t);

bool s2_logs_deliver(s2svpn_context *ctx); /* was there anything? */
void s2_logs_clear(s2svpn_context *ctx);
struct s2_tunnel_log; /* of a tunnel that has written a line */
void s2_tunnel_log_clear(s2svpn_tunnel *t);

/* ---- tunnel_log.c: IKE */
struct s2_ike_sa_info;
struct s2_ike_child;
struct s2_ike_trace;
void s2_log_ike_trace(void *ctx, void *owner, const struct s2_ike_trace *trace, uint64_t now_ns);
void s2_log_ike_note(s2svpn_tunnel *t, const char *text);
void s2_log_ike_up(s2svpn_tunnel *t, const struct s2_ike_sa_info *info, bool rekeyed);
void s2_log_ike_down(s2svpn_tunnel *t, unsigned reason, const char *words, bool last);
void s2_log_child_up(s2svpn_tunnel *t, const struct s2_ike_child *child);
void s2_log_child_down(s2svpn_tunnel *t, uint32_t spi_in, unsigned reason);
void s2_log_ike_closed(s2svpn_tunnel *t, const char *why); /* by this side's hand */
void s2_log_ike_left_out(s2svpn_tunnel *t, const char *text);

/* ---- bgp_log.c */
struct s2_bgp_peer;
struct s2_bgp_trace;
void s2_log_bgp_trace(void *tunnel, struct s2_bgp_peer *peer, const struct s2_bgp_trace *trace,
                      uint64_t now_ns);
void s2_log_bgp_state(s2svpn_tunnel *t, const char *from, const char *to, const char *why);
void s2_log_bgp_notification(s2svpn_tunnel *t, bool sent, uint8_t code, uint8_t subcode,
                             const char *text);
void s2_log_bgp_near_limit(s2svpn_tunnel *t, uint32_t count, uint32_t most);
void s2_log_bgp_left_out(s2svpn_tunnel *t, const char *text);

#endif
