/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A BGP speaker by itself: the engine that runs inside the tunnels, for hosts that
 * bring streams of their own (TCP sockets, pipes, a test). It needs no tunnel and no
 * context. RFC 4271, 4760, 5492, 6793, 7606, 2918, 4486, 9003, 6286, 4724 (as the helper of a
 * peer that restarts), 9687.
 *
 *     host's TCP ──stream_up, receive, stream_down──> peer ──ops.route──> host's table
 *     host's prefixes ──advertise, withdraw──────────> peer ──ops.send───> host's TCP
 *
 * A stream is the host's: any pointer that isn't NULL names it. A peer may have two at
 * once while a collision (RFC 4271 section 6.8) is undecided.
 *
 * Threads: a speaker and its peers, one call at a time. Speakers share nothing. From
 * inside an op every function may be called but s2svpn_bgp_free; of the peer that the op
 * is about not s2svpn_bgp_peer_free nor s2svpn_bgp_receive.
 */
#ifndef S2SVPN_BGP_H
#define S2SVPN_BGP_H

#include "s2svpn/bgp_policy.h"
#include "s2svpn/error.h"
#include "s2svpn/types.h"

S2SVPN_BEGIN

typedef struct s2svpn_bgp s2svpn_bgp;
typedef struct s2svpn_bgp_peer s2svpn_bgp_peer;

/** RFC 4271 section 8.2.2. */
enum s2svpn_bgp_state {
    S2SVPN_BGP_IDLE = 1,
    S2SVPN_BGP_CONNECT = 2,
    S2SVPN_BGP_ACTIVE = 3,
    S2SVPN_BGP_OPEN_SENT = 4,
    S2SVPN_BGP_OPEN_CONFIRM = 5,
    S2SVPN_BGP_ESTABLISHED = 6,
};
/** "Established"; "?" for a number that is none. @threads any */
S2SVPN_API const char *s2svpn_bgp_state_text(enum s2svpn_bgp_state state);

/** A route as a peer announced it and the import policy made it. Its next hop is the peer (others are refused). */
typedef struct s2svpn_bgp_route {
    size_t size;
    s2svpn_prefix prefix;
    s2svpn_address next_hop;
    uint8_t origin; /* 0 IGP, 1 EGP, 2 incomplete */
    bool has_med, has_local_pref;
    uint8_t reserved;
    uint32_t med, local_pref;
    uint16_t as_path_length; /* as the decision process counts it: an AS_SET is 1 */
    uint16_t as_count;
    const uint32_t *as_path; /* flat, leftmost first; borrowed for the call */
    /* RFC 1997 (AS << 16 | number) and 8092, in the order in which they came; borrowed for
     * the call */
    const uint32_t *communities;
    const s2svpn_bgp_large_community *large_communities;
    uint16_t community_count, large_community_count;
    uint32_t reserved2;
} s2svpn_bgp_route;

/** What the speaker calls, from within the host's calls. A const table. */
typedef struct s2svpn_bgp_ops {
    size_t size;
    /** Open a stream to the peer; the answer is s2svpn_bgp_stream_up() or _stream_down()
     * with the pointer that is returned here, later. NULL: couldn't begin. Optional if
     * every peer is passive. */
    void *(*connect)(void *user, s2svpn_bgp_peer *peer, void *peer_user);
    /** Bytes for a stream, in order. Returns how many were taken; s2svpn_bgp_writable()
     * follows if it was not all. */
    size_t (*send)(void *user, void *peer_user, void *stream, const uint8_t *p, size_t len);
    /** The speaker is done with a stream: close it in order (what was sent still goes
     * out), or abort. It never names the stream again. */
    void (*close)(void *user, void *peer_user, void *stream, bool abort);
    /** Call s2svpn_bgp_advance() then; replaces what was said before; S2SVPN_NEVER: no
     * deadline. Said when it changes, and at the end of each advance. */
    void (*deadline)(void *user, uint64_t at_ns);
    /** Optional, as all below. @p why is never NULL. */
    void (*state)(void *user, void *peer_user, enum s2svpn_bgp_state from, enum s2svpn_bgp_state to,
                  const char *why);
    /** A route came or changed; @p route borrowed for the call. */
    void (*route)(void *user, void *peer_user, const s2svpn_bgp_route *route);
    /** A route went; @p session_ends: with its session, before state() is called. */
    void (*route_gone)(void *user, void *peer_user, const s2svpn_prefix *prefix, bool session_ends);
    /** The peer's table is complete (End-of-RIB, RFC 4724 section 2, or its second
     * KEEPALIVE from peers that send none). */
    void (*end_of_rib)(void *user, void *peer_user);
    /** A NOTIFICATION, in words: "Cease/Administrative Shutdown"; @p text is RFC 9003's,
     * may be "". */
    void (*notification)(void *user, void *peer_user, bool sent, const char *words,
                         const char *text);
    /** The session ended in a way that lets the peer come back with its forwarding state
     * (RFC 4724): its routes stay, before state() tells the end. And false: that is over;
     * what the peer didn't announce again has gone. */
    void (*graceful)(void *user, void *peer_user, bool begins);
    /** The peer has reached three quarters of spec.max_prefixes; told again only after it
     * had less than half of them. */
    void (*near_limit)(void *user, void *peer_user, uint32_t count, uint32_t most);
} s2svpn_bgp_ops;

typedef struct s2svpn_bgp_options {
    size_t size;
    const s2svpn_bgp_ops *ops; /* required; borrowed until the speaker is freed */
    void *user;
    /** Required: for jitter and for the keys of hash tables, which peers must not guess. */
    s2svpn_status (*random)(void *user, uint8_t *out, size_t len);
    void *random_user;
    const s2svpn_memory *memory; /* NULL: malloc and free; borrowed until freed */
    uint64_t now_ns;             /* the speaker's clock begins here */
} s2svpn_bgp_options;
#define S2SVPN_BGP_OPTIONS_INIT                                                                    \
    {                                                                                              \
        .size = sizeof(s2svpn_bgp_options)                                                         \
    }

/**
 * Make a speaker.
 * @param[out] bgp  given to the caller, free with s2svpn_bgp_free(); NULL after a failure.
 * @param why       may be NULL.
 * @return E_ARGUMENT with the field; E_RANDOM; E_MEMORY. @threads any
 * @since 0.1
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_bgp_new(const s2svpn_bgp_options *options,
                                                         s2svpn_bgp **bgp, s2svpn_error *why);
/** Its peers go with it, silently; their streams are aborted. NULL is allowed. */
S2SVPN_API void s2svpn_bgp_free(s2svpn_bgp *bgp);
/** Let time pass. Time that goes back is clamped. */
S2SVPN_API void s2svpn_bgp_advance(s2svpn_bgp *bgp, uint64_t now_ns);

typedef struct s2svpn_bgp_peer_spec {
    size_t size;
    uint32_t local_asn;
    uint32_t peer_asn;  /* 0: any but ours */
    uint32_t router_id; /* host byte order, not 0 */
    /* 0: 100, AWS's quota. One more that the import policy lets in: Cease/Maximum Number of
     * Prefixes Reached (RFC 4486), and a rest of half a minute, doubled from one time to the
     * next up to a quarter of an hour, forgotten after a session of an hour or with other
     * policies. A peer that is told so rests as long. */
    uint32_t max_prefixes;
    s2svpn_address local_address; /* next hop of what we advertise */
    s2svpn_address peer_address;  /* the only next hop that is accepted */
    uint16_t hold_time_s;         /* 0: 30 */
    uint16_t connect_retry_s;     /* 0: 30 */
    bool passive;                 /* never connects */
    bool ipv4, ipv6;              /* families; none: the family of the addresses */
    bool require_policy;          /* RFC 8212: without a policy no route passes that way */
    /* NULL: none. With all that they point to borrowed until the peer is freed or
     * s2svpn_bgp_peer_set_policies() gave it others. */
    const s2svpn_bgp_policy *import_policy, *export_policy;
} s2svpn_bgp_peer_spec;
#define S2SVPN_BGP_PEER_INIT                                                                       \
    {                                                                                              \
        .size = sizeof(s2svpn_bgp_peer_spec)                                                       \
    }

/**
 * Make a peer; it is idle until s2svpn_bgp_start().
 * @param peer_user  given back in every op.
 * @param[out] peer  the speaker's; ends with s2svpn_bgp_peer_free() or the speaker.
 * @return E_ARGUMENT with the field; E_MEMORY.
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_bgp_peer_new(s2svpn_bgp *bgp,
                                                              const s2svpn_bgp_peer_spec *spec,
                                                              void *peer_user,
                                                              s2svpn_bgp_peer **peer,
                                                              s2svpn_error *why);
/** Silently: no op but close() is called. NULL is allowed. */
S2SVPN_API void s2svpn_bgp_peer_free(s2svpn_bgp_peer *peer);
S2SVPN_API void s2svpn_bgp_start(s2svpn_bgp_peer *peer, uint64_t now_ns);
/** Cease, Administrative Shutdown with this text (RFC 9003; at most 255 bytes of it; NULL:
 * none), then Idle until started again. */
S2SVPN_API void s2svpn_bgp_stop(s2svpn_bgp_peer *peer, const char *text, uint64_t now_ns);

/** A stream is there: one that ops.connect began (@p ours), or one that the peer opened.
 * @return false: not wanted, the caller closes it. */
S2SVPN_API S2SVPN_NODISCARD bool s2svpn_bgp_stream_up(s2svpn_bgp_peer *peer, void *stream,
                                                      bool ours, uint64_t now_ns);
/** It ended, or never came up. @param why a few words for state(), may be NULL. */
S2SVPN_API void s2svpn_bgp_stream_down(s2svpn_bgp_peer *peer, void *stream, const char *why,
                                       uint64_t now_ns);
/** Bytes in the stream's order, cut anywhere. A stream that isn't the peer's (any more)
 * is ignored. */
S2SVPN_API void s2svpn_bgp_receive(s2svpn_bgp_peer *peer, void *stream, const uint8_t *p,
                                   size_t len, uint64_t now_ns);
/** ops.send took less than it was given, and would take more now. */
S2SVPN_API void s2svpn_bgp_writable(s2svpn_bgp_peer *peer, void *stream, uint64_t now_ns);

/** What a peer shall be told. Our own ASN is put before the path. */
typedef struct s2svpn_bgp_announcement {
    size_t size;
    s2svpn_prefix prefix;
    uint8_t origin; /* 0 IGP, 1 EGP, 2 incomplete */
    bool has_med;
    uint16_t path_count; /* of ASNs behind our own, at most 254 */
    uint32_t med;
    const uint32_t *path;                                /* borrowed for the call */
    const uint32_t *communities;                         /* at most 64; borrowed for the call */
    const s2svpn_bgp_large_community *large_communities; /* at most 32 */
    uint16_t community_count, large_community_count;
    uint32_t reserved;
} s2svpn_bgp_announcement;

/** Kept while the session is down, sent when it is up; again: replaces. What the export policy
 * denies is kept too, for another policy, and withdrawn if it was advertised before; the call
 * succeeds.
 * @return E_ARGUMENT with the field; E_LIMIT; E_MEMORY. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_bgp_advertise(s2svpn_bgp_peer *peer,
                                                               const s2svpn_bgp_announcement *a,
                                                               uint64_t now_ns, s2svpn_error *why);
/** Nothing happens if it isn't advertised. */
S2SVPN_API void s2svpn_bgp_withdraw(s2svpn_bgp_peer *peer, const s2svpn_prefix *prefix,
                                    uint64_t now_ns);

/** Other policies, NULL for none; the session goes on. The export is applied to all that
 * was advertised, and the peer told of what is different then, no more. The import is
 * applied to the peer's whole table again, if it says another thing than the one before (or
 * is the same pointer): by route refresh (RFC 2918). To a peer that can't do that it applies
 * for what it announces from now on, and for all in its next session; until then
 * info.import_waits is set. Routes for which the export asks more than a message has room
 * for are withheld.
 * @return E_ARGUMENT with the field, E_LIMIT; then all is as it was. @since 0.1 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_bgp_peer_set_policies(
    s2svpn_bgp_peer *peer, const s2svpn_bgp_policy *import_policy,
    const s2svpn_bgp_policy *export_policy, uint64_t now_ns, s2svpn_error *why);

typedef struct s2svpn_bgp_peer_info {
    size_t size;    /* set by the caller */
    uint32_t state; /* enum s2svpn_bgp_state */
    uint32_t peer_asn, peer_router_id;
    uint32_t prefixes_in, prefixes_out;
    uint16_t hold_time_s; /* agreed */
    bool import_waits;    /* some routes came in by the import policy before */
    uint8_t reserved;
    uint64_t established_ns; /* 0: not */
    uint64_t updates_in, updates_out;
    uint64_t treated_as_withdraw, attributes_discarded; /* RFC 7606 */
} s2svpn_bgp_peer_info;
S2SVPN_API void s2svpn_bgp_peer_get_info(const s2svpn_bgp_peer *peer, s2svpn_bgp_peer_info *out);
/** Walk what the peer announced, in no order; @p each returns false to stop, and changes
 * nothing meanwhile. */
S2SVPN_API void s2svpn_bgp_each_route(const s2svpn_bgp_peer *peer,
                                      bool (*each)(void *arg, const s2svpn_bgp_route *route),
                                      void *arg);

S2SVPN_END
#endif
