/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A context: one VPN gateway, or device, with everything that it owns. Any number
 * of them live in a process and share nothing.
 *
 * Commands (new, delete, start …) only change objects; engines run in the next
 * receive or advance, and io.deadline asks for that at once.
 *
 * Handles: …_new and …_hold give a counted handle to the host, …_release gives it
 * back. An object that was deleted meanwhile stays readable, in state deleted,
 * until its last handle is released. Releasing never deletes. Handles must be
 * released before s2svpn_context_free(), which otherwise frees them under you.
 */
#ifndef S2SVPN_CONTEXT_H
#define S2SVPN_CONTEXT_H

#include "s2svpn/crypto.h"
#include "s2svpn/drop.h"
#include "s2svpn/error.h"
#include "s2svpn/io.h"
#include "s2svpn/store.h"
#include "s2svpn/tunnel_log.h"
#include "s2svpn/types.h"

S2SVPN_BEGIN

enum s2svpn_context_role {
    S2SVPN_ROLE_GATEWAY = 1, /* the cloud side: virtual gateways and their VPCs */
    S2SVPN_ROLE_DEVICE = 2,  /* the customer gateway device */
};

/** Which defaults tunnels start with; one table switches them all. */
enum s2svpn_profile {
    S2SVPN_PROFILE_AWS = 0,      /* AWS's defaults, value by value */
    S2SVPN_PROFILE_CLASSIC = 1,  /* VPN-Classic: IKEv1, AES-128, SHA-1 and group 2 alone, no NAT
                                  * traversal, so that IP protocol 50 is needed */
    S2SVPN_PROFILE_HARDENED = 2, /* IKEv2 only, no SHA-1, no group below 14 */
};

typedef enum s2svpn_log_level {
    S2SVPN_LOG_ERROR = 0,
    S2SVPN_LOG_WARNING = 1,
    S2SVPN_LOG_INFO = 2,
    S2SVPN_LOG_DEBUG = 3,
} s2svpn_log_level;

/** Bounds of everything that a peer or caller can make grow. 0: the default. */
typedef struct s2svpn_limits {
    size_t size;
    uint32_t objects;            /* of each kind; 100,000 */
    uint32_t ike_sas;            /* 20,000 */
    uint32_t half_open;          /* IKE responder SAs before authentication; 1,000 */
    uint32_t cookie_threshold;   /* half-open ones from which cookies are asked; 100 */
    uint32_t prefixes_from_peer; /* BGP routes of each session; 100, AWS's of a connection */
    uint32_t static_routes;      /* of one connection; 100, AWS's quota */
    uint32_t ring_packets;       /* slots of each ring between threads; 256 */
    uint32_t vpc_cidrs; /* IPv4 blocks of a VPC, and IPv6 ones; 5, AWS's quota; at most 10 */
} s2svpn_limits;
#define S2SVPN_LIMITS_INIT                                                                         \
    {                                                                                              \
        .size = sizeof(s2svpn_limits)                                                              \
    }

/** A line of the key log, without newline, in the forms that Wireshark's tables
 * ikev2_decryption_table and esp_sa have. */
enum s2svpn_keylog_kind {
    S2SVPN_KEYLOG_IKE = 1,
    S2SVPN_KEYLOG_ESP = 2,
    S2SVPN_KEYLOG_IKEV1 = 3, /* ikev1_decryption_table */
};

typedef struct s2svpn_options {
    size_t size;
    enum s2svpn_context_role role;
    enum s2svpn_profile profile;

    /** The I/O seam; required. @c io is handed to every member. The table is
     * borrowed until the context is freed. */
    const s2svpn_io_ops *io_ops;
    void *io;
    /** Local endpoints that the host receives at and sends from: role IKE and NATT
     * for each address, and RAW where the host has protocol 50. Borrowed for the
     * call. At least one of role IKE or NATT. */
    const s2svpn_endpoint *local;
    size_t local_count;
    /** Ports that peers use; 0: 500 and 4500. */
    uint16_t peer_ike_port, peer_natt_port;

    /** Crypto; NULL: s2svpn_crypto_openssl(). esp_crypto, if not NULL, serves ESP in
     * place of it. Borrowed until the context is freed. */
    const s2svpn_crypto_ops *crypto;
    void *crypto_user;
    const s2svpn_crypto_ops *esp_crypto;
    void *esp_crypto_user;
    /** Randomness in place of the backend's, for repeatable simulations. */
    s2svpn_status (*random)(void *user, uint8_t *out, size_t len);
    void *random_user;

    /** Store; NULL: objects live in memory only. Borrowed until freed. */
    const s2svpn_store_ops *store;
    void *store_user;

    /** NULL: malloc and free. Borrowed until the context is freed. */
    const s2svpn_memory *memory;

    /** Log lines, never with secrets. NULL: none. */
    void (*log)(void *user, s2svpn_log_level level, const char *line);
    void *log_user;
    s2svpn_log_level log_level;

    /** Session keys, for decrypting captures. NULL: none. Whoever gets these lines
     * can read the traffic; an event says that it is on. */
    void (*keylog)(void *user, enum s2svpn_keylog_kind kind, const char *line);
    void *keylog_user;

    /** 0: one worker, inline, no thread. Else so many, each on a thread of the
     * host's (at most 32), and io.wake is required. */
    uint32_t workers;
    const s2svpn_limits *limits; /* NULL: defaults; borrowed for the call */

    /** Bits that all SPIs of this context begin with, for hosts whose contexts
     * share sockets: the top spi_prefix_bits (0 to 16) of every SPI. */
    uint16_t spi_prefix;
    uint8_t spi_prefix_bits;
    uint8_t reserved[5];

    /** The context's clock begins here. */
    uint64_t now_ns;

    /** The tunnels' own logs, of those whose options ask for them. NULL: none. */
    s2svpn_tunnel_log_fn *tunnel_log;
    void *tunnel_log_user;
} s2svpn_options;
#define S2SVPN_OPTIONS_INIT                                                                        \
    {                                                                                              \
        .size = sizeof(s2svpn_options), .role = S2SVPN_ROLE_GATEWAY                                \
    }

/**
 * Make a context.
 * @param[out] ctx  given to the caller, free with s2svpn_context_free(); NULL
 *                  after a failure.
 * @param why       may be NULL.
 * @return S2SVPN_OK; E_ARGUMENT with the field; E_UNSUPPORTED: no crypto backend;
 *         E_MEMORY; E_RANDOM; E_STORE.
 * @threads any; contexts share nothing.
 * @since 0.1
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_context_new(const s2svpn_options *options,
                                                             s2svpn_context **ctx,
                                                             s2svpn_error *why);

/** Free a context and all that it owns, silently: peers are told nothing (call
 * s2svpn_context_stop() before). NULL is allowed; refused (nothing happens) inside
 * a callback.
 * @threads no other call may run. */
S2SVPN_API void s2svpn_context_free(s2svpn_context *ctx);

/** Say goodbye: IKE deletes and BGP Cease go out, tunnels stay down. An event
 * S2SVPN_EVENT_STOPPED follows when all is quiet or at the deadline.
 * @threads one call at a time on the context. */
S2SVPN_API void s2svpn_context_stop(s2svpn_context *ctx, uint64_t deadline_ns, uint64_t now_ns);

/** What wall clock (nanoseconds since 1970) belongs to a monotonic time: for
 * dates in telemetry and the checks of certificates. Not set: dates are 0.
 * @threads one call at a time on the context. */
S2SVPN_API void s2svpn_context_set_wall_clock(s2svpn_context *ctx, uint64_t unix_ns,
                                              uint64_t now_ns);

/** Why the last call on this context failed. Borrowed until the next call.
 * @threads one call at a time on the context. */
S2SVPN_API const s2svpn_error *s2svpn_context_error(const s2svpn_context *ctx);

/** The worker with this index; NULL if there is none. Borrowed until the context
 * is freed. With options.workers 0: index 0 is the inline worker.
 * @threads any */
S2SVPN_API s2svpn_worker *s2svpn_context_worker(s2svpn_context *ctx, size_t index);

/** Packets refused for this reason, all workers together.
 * @threads any */
S2SVPN_API uint64_t s2svpn_context_drops(const s2svpn_context *ctx, enum s2svpn_drop reason);

/* ---- kinds, states */

enum s2svpn_kind {
    S2SVPN_KIND_CUSTOMER_GATEWAY = 1,
    S2SVPN_KIND_VIRTUAL_GATEWAY = 2,
    S2SVPN_KIND_CONNECTION = 3,
    S2SVPN_KIND_ROUTE_TABLE = 4,
    S2SVPN_KIND_VPC = 5,
    S2SVPN_KIND_SUBNET = 6,
    S2SVPN_KIND_PORT = 7,
    S2SVPN_KIND_TUNNEL = 8, /* part of a connection */
};

enum s2svpn_state {
    S2SVPN_STATE_PENDING = 1, /* the store hasn't answered yet */
    S2SVPN_STATE_AVAILABLE = 2,
    S2SVPN_STATE_DELETING = 3,
    S2SVPN_STATE_DELETED = 4,
    S2SVPN_STATE_FAILED = 5, /* the store refused it */
};
/** "available"; borrowed for ever.
 * @threads any */
S2SVPN_API const char *s2svpn_state_text(enum s2svpn_state state);

/* ---- events */

enum s2svpn_event_kind {
    S2SVPN_EVENT_OBJECT = 1u << 0,  /* an object's state changed */
    S2SVPN_EVENT_TUNNEL = 1u << 1,  /* a tunnel's phase or status changed */
    S2SVPN_EVENT_BGP = 1u << 2,     /* a BGP session's state changed */
    S2SVPN_EVENT_ROUTE = 1u << 3,   /* a best path came, changed or went */
    S2SVPN_EVENT_CHILD = 1u << 4,   /* an ESP SA pair was made, rekeyed or ended */
    S2SVPN_EVENT_NOTE = 1u << 5,    /* something worth knowing, in words */
    S2SVPN_EVENT_STOPPED = 1u << 6, /* s2svpn_context_stop has finished */
    S2SVPN_EVENT_ALL = 0x7fffffff,
};

/** What happened. Texts and handles are borrowed for the call; hold a handle to
 * keep it. */
typedef struct s2svpn_event {
    size_t size;
    enum s2svpn_event_kind kind;
    uint32_t tunnel;   /* 0 or 1 where a tunnel is meant, else UINT32_MAX */
    uint64_t now_ns;   /* monotonic */
    uint64_t unix_ns;  /* wall clock, 0 if not set */
    uint64_t sequence; /* from 1, without gaps, per context */
    s2svpn_id id;      /* the connection's or object's */
    enum s2svpn_kind object_kind;
    bool up;                       /* TUNNEL, BGP, ROUTE, CHILD: it is there now */
    s2svpn_connection *connection; /* NULL where none is meant */
    s2svpn_prefix prefix;          /* ROUTE */
    const char *reason;            /* short and fixed: "dpd", "established"; may be "" */
    const char *text;              /* a sentence for people */
} s2svpn_event;

typedef void s2svpn_event_fn(void *user, s2svpn_context *ctx, const s2svpn_event *event);

/** Be told of events, last in each call, when state is whole again. @p fn may call
 * anything but s2svpn_context_free. At most 16 subscriptions.
 * @param kinds  bits of enum s2svpn_event_kind.
 * @param[out] id  for s2svpn_context_unsubscribe; may be NULL.
 * @threads one call at a time on the context. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_context_subscribe(s2svpn_context *ctx,
                                                                   uint32_t kinds,
                                                                   s2svpn_event_fn *fn, void *user,
                                                                   uint32_t *id);
S2SVPN_API void s2svpn_context_unsubscribe(s2svpn_context *ctx, uint32_t id);

S2SVPN_END
#endif
