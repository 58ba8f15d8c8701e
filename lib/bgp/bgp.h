/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A BGP speaker's sessions: bytes of a stream in, bytes and route changes out.
 * It knows nothing of TCP, tunnels or the table that routes go to. RFC 4271, 4760,
 * 5492, 6793 (four-octet AS), 7606 (what a malformed attribute costs), 4486, 9003,
 * 2918, 6286, 7607, 4724 (as the helper of a peer that restarts), 9687.
 *
 *    streams (up, bytes, down) ──> peer: FSM ──> update parser ──> adj-RIB-in
 *    s2_bgp_advertise, withdraw ─> adj-RIB-out ──> update writer ──> bytes
 *
 * A peer may have two streams while a collision (section 6.8) is undecided: each is
 * named by a token of the user's. The engine asks for one with ops.connect and
 * learns of the other side's by s2_bgp_stream_up. Whatever is malformed costs what
 * its row in the attribute table says: the attribute, the route, or the session.
 *
 * Attributes are interned per engine instance: equal sets are stored once.
 *
 * From inside an op of a peer everything may be called on other peers; on the same
 * one: advertise and withdraw, start and stop, stream_down and the questions. What
 * can't be done amid a message is done at its end. Bytes for the same peer
 * (s2_bgp_receive) come later, and s2_bgp_peer_free isn't called from there.
 */
#ifndef S2_BGP_BGP_H
#define S2_BGP_BGP_H

#include "base/env.h"
#include "s2svpn/bgp_policy.h"

#define S2_BGP_PORT 179
#define S2_BGP_MESSAGE_MAX 4096
#define S2_BGP_AS_PATH_MAX 255 /* ASNs kept; a longer path costs the route */

/* X(NAME, number, words), RFC 4271 section 8.2.2 */
#define S2_BGP_STATE_LIST(X)                                                                       \
    X(IDLE, 1, "Idle")                                                                             \
    X(CONNECT, 2, "Connect")                                                                       \
    X(ACTIVE, 3, "Active")                                                                         \
    X(OPEN_SENT, 4, "OpenSent")                                                                    \
    X(OPEN_CONFIRM, 5, "OpenConfirm")                                                              \
    X(ESTABLISHED, 6, "Established")
enum s2_bgp_state {
#define S2_BGP_STATE_ENUM(name, number, words) S2_BGP_##name = (number),
    S2_BGP_STATE_LIST(S2_BGP_STATE_ENUM)
#undef S2_BGP_STATE_ENUM
};
const char *s2_bgp_state_text(enum s2_bgp_state state);
/* "Hold Timer Expired", "Cease/Administrative Reset"; into out (at least 80 bytes). */
char *s2_bgp_notification_text(uint8_t code, uint8_t subcode, char *out, size_t size);

struct s2_bgp; /* the engine of one context: attribute table, limits */
struct s2_bgp_peer;

enum s2_bgp_origin { S2_BGP_IGP = 0, S2_BGP_EGP = 1, S2_BGP_INCOMPLETE = 2 };

/* What decides about a route; the rest of the attributes stays inside. */
struct s2_bgp_attributes {
    uint8_t origin;
    bool has_med, has_local_pref;
    uint32_t med, local_pref;
    s2svpn_address next_hop;
    uint16_t as_path_len;    /* as the decision process counts it: an AS_SET is 1 */
    uint32_t first_as;       /* leftmost; 0 if the path is empty */
    uint16_t as_count;       /* ASNs in as_path */
    const uint32_t *as_path; /* flat, leftmost first; borrowed for the call */
    /* in wire form, four and twelve bytes each; borrowed for the call */
    s2svpn_span communities, large_communities;
};
/* Such lists as numbers; out has room for all. Returns how many. */
size_t s2_bgp_read_communities(s2svpn_span list, uint32_t *out);
size_t s2_bgp_read_large(s2svpn_span list, s2svpn_bgp_large_community *out);

struct s2_bgp_trace; /* trace.h */
struct s2_bgp_ops {
    /* Ask for a stream to the peer; the answer is s2_bgp_stream_up or _down with
     * the same stream pointer. NULL: couldn't begin. */
    void *(*connect)(void *user, struct s2_bgp_peer *peer, uint64_t now_ns);
    /* Bytes to the stream; returns how many were taken; s2_bgp_stream_writable
     * follows if it was not all. */
    size_t (*send)(void *user, void *stream, const uint8_t *p, size_t len, uint64_t now_ns);
    /* The engine is done with a stream: close in order (what was sent still goes
     * out), or abort. It never names the stream again. */
    void (*close)(void *user, void *stream, bool abort, uint64_t now_ns);
    void (*state)(void *user, struct s2_bgp_peer *peer, enum s2_bgp_state from,
                  enum s2_bgp_state to, const char *why, uint64_t now_ns);
    /* A route of the adj-RIB-in came, changed (attributes) or went (NULL). When a
     * session ends every route goes, with session_ends, before state() is called. */
    void (*route)(void *user, struct s2_bgp_peer *peer, const s2svpn_prefix *prefix,
                  const struct s2_bgp_attributes *attributes, bool session_ends, uint64_t now_ns);
    /* Optional. The session ended in a way that lets the peer come back with its forwarding
     * state (RFC 4724): its routes stay, before state() tells the end. And false: that is
     * over, since it has its table again, didn't come in time, or was stopped. */
    void (*graceful)(void *user, struct s2_bgp_peer *peer, bool begins, uint64_t now_ns);
    /* The peer's table is complete: its End-of-RIB (RFC 4724 section 2) came, or its
     * second KEEPALIVE since the session was established, from peers that send none. */
    void (*end_of_rib)(void *user, struct s2_bgp_peer *peer, uint64_t now_ns);
    /* A notification was sent or received; text is RFC 9003's, may be "". */
    void (*notification)(void *user, struct s2_bgp_peer *peer, bool sent, uint8_t code,
                         uint8_t subcode, const char *text, uint64_t now_ns);
    /* Optional. The peer has reached three quarters of the prefixes that it may announce;
     * told again only after it had less than half of them. */
    void (*near_limit)(void *user, struct s2_bgp_peer *peer, uint32_t count, uint32_t most,
                       uint64_t now_ns);
    /* Optional: nobody listens. Calls nothing but the questions. */
    void (*trace)(void *user, struct s2_bgp_peer *peer, const struct s2_bgp_trace *trace,
                  uint64_t now_ns);
};

S2SVPN_NODISCARD s2svpn_status s2_bgp_new(const struct s2_env *env, const struct s2_bgp_ops *ops,
                                          struct s2_bgp **bgp);
void s2_bgp_free(struct s2_bgp *bgp); /* no peer may be left */

struct s2_bgp_spec {
    uint32_t local_asn, peer_asn; /* peer_asn 0: any but ours */
    uint32_t router_id;           /* host byte order, not 0 */
    s2svpn_address local_address; /* our end: next hop of what we advertise */
    s2svpn_address peer_address;  /* the only next hop that is accepted */
    uint16_t hold_time_s;         /* 0: 30, AWS's */
    uint16_t connect_retry_s;     /* 0: 30; jittered; doubles up to 120 while it fails */
    /* 0: 100, AWS's. One more that the import policy lets in: Cease/1, and a rest of half a
     * minute, doubled each time up to a quarter of an hour. Both ends of it rest so. */
    uint32_t max_prefixes;
    bool passive;    /* never connects */
    bool ipv4, ipv6; /* families to negotiate */
    /* RFC 8212: where there is no policy, no route passes */
    bool require_policy;
    /* Borrowed until the peer is freed or has others; NULL: none. */
    const s2svpn_bgp_policy *import_policy, *export_policy;
};
/* The peer is idle until s2_bgp_start. */
S2SVPN_NODISCARD s2svpn_status s2_bgp_peer_new(struct s2_bgp *bgp, const struct s2_bgp_spec *spec,
                                               void *user, struct s2_bgp_peer **peer);
void s2_bgp_peer_free(struct s2_bgp_peer *peer); /* silently; aborts its streams */
void *s2_bgp_peer_user(const struct s2_bgp_peer *peer);

void s2_bgp_start(struct s2_bgp_peer *peer, uint64_t now_ns);
/* Cease with this subcode (RFC 4486) and text, then Idle until started again. */
void s2_bgp_stop(struct s2_bgp_peer *peer, uint8_t subcode, const char *text, uint64_t now_ns);

/* The same as if the peer had announced too many prefixes: Cease/1. */
void s2_bgp_stop_over_limit(struct s2_bgp_peer *peer, uint64_t now_ns);

/* A stream that we asked for (active) or that the peer opened. False: not wanted,
 * and the caller closes it. */
bool s2_bgp_stream_up(struct s2_bgp_peer *peer, void *stream, bool active, uint64_t now_ns);
void s2_bgp_stream_down(struct s2_bgp_peer *peer, void *stream, const char *why, uint64_t now_ns);
void s2_bgp_receive(struct s2_bgp_peer *peer, void *stream, const uint8_t *p, size_t len,
                    uint64_t now_ns);
void s2_bgp_stream_writable(struct s2_bgp_peer *peer, void *stream, uint64_t now_ns);

/* What we tell the peer. The path begins with our own ASN, then path (of another
 * site, CloudHub), which may be empty. Kept while the session is down and sent when
 * it comes up, with End-of-RIB (RFC 4724) behind. Advertising again replaces. On a
 * live session it leaves with a timer that is due at once: what a caller advertises
 * in one go shares UPDATEs. */
struct s2_bgp_announcement {
    s2svpn_prefix prefix;
    bool has_med;
    uint32_t med;
    uint8_t origin;
    uint16_t path_count;
    const uint32_t *path; /* borrowed for the call */
    uint16_t community_count, large_community_count;
    const uint32_t *communities; /* borrowed for the call */
    const s2svpn_bgp_large_community *large_communities;
};
S2SVPN_NODISCARD s2svpn_status s2_bgp_advertise(struct s2_bgp_peer *peer,
                                                const struct s2_bgp_announcement *a,
                                                uint64_t now_ns);
/* Other policies from now on. The export is applied to all that was advertised again, and
 * the peer told of what is different then. So is the import to what the peer announced,
 * which it is asked for (RFC 2918); a peer that can't be asked is left alone until its
 * next session (info.import_waits). A failed call changes nothing. */
S2SVPN_NODISCARD s2svpn_status s2_bgp_set_policies(struct s2_bgp_peer *peer,
                                                   const s2svpn_bgp_policy *import_policy,
                                                   const s2svpn_bgp_policy *export_policy,
                                                   uint64_t now_ns);
void s2_bgp_withdraw(struct s2_bgp_peer *peer, const s2svpn_prefix *prefix, uint64_t now_ns);

struct s2_bgp_info {
    enum s2_bgp_state state;
    uint32_t peer_asn, peer_router_id;
    uint16_t hold_time_s; /* agreed */
    bool import_waits;    /* for the next session; until then some routes are the old one's */
    uint32_t prefixes_in, prefixes_out;
    uint64_t established_ns; /* 0: not */
    uint64_t updates_in, updates_out, treated_as_withdraw, attributes_discarded;
};
void s2_bgp_get_info(const struct s2_bgp_peer *peer, struct s2_bgp_info *out);
/* Walk the adj-RIB-in, in no order; each returns false to stop. */
void s2_bgp_each_route(const struct s2_bgp_peer *peer,
                       bool (*each)(void *arg, const s2svpn_prefix *prefix,
                                    const struct s2_bgp_attributes *attributes),
                       void *arg);

#endif
