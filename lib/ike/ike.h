/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The IKE engine of one context: what the tunnels ask of it and what it tells
 * them. It knows nothing of ESP packets, sockets, routes. IKEv2: RFC 7296, 7383,
 * 4868, 5282, 5903, 8031, 6989 (by the crypto seam), 3948 section 4 (keepalives),
 * 4754 and 7427 (signatures).
 * IKEv1: RFC 2407, 2408, 2409, 3947, 3706; main and quick mode; aggressive mode as
 * initiator alone, and only if told to.
 *
 *            datagrams, timers, commands, finished jobs
 *                              │
 *   ike.c      engine: tables of SAs by SPI and by owner, demux, limits
 *   v2/…       one IKE SA: states, exchanges, windows, collisions
 *   v1/…       the same for IKEv1, with a codec and keys of its own (v1/v1.h)
 *   message.c … codec: bytes <-> plain structs (message.h)
 *   keys.c     SKEYSEED, KEYMAT, AUTH, the SK payload (keys.h)
 *   fragment.c messages in pieces: SKF payloads and their reassembly (fragment.h)
 *                              │
 *         struct s2_ike_ops: bytes, jobs, child up/down, SA up/down
 *
 * Who owns what: the engine owns its SAs; vpn owns each struct s2_ike_config,
 * which lives until s2_ike_forget() of it has returned. Key material in
 * callbacks is borrowed for the call. Callbacks may call any s2_ike_ function
 * but s2_ike_free; start_job, cancel_job, candidates, child_spi, release_spi and
 * last_inbound call none (start_job: s2_ike_job_done). What they cause is done before the
 * outermost call returns; messages leave last.
 *
 * Nothing waits inside: Diffie-Hellman, signatures with their certificate paths, and
 * the choice of a tunnel by identity are asked for and may be answered at once or much
 * later; meanwhile the SA is in a WAITING state, retransmits of the request are
 * dropped, and deleting the SA cancels what it waits for.
 *
 * A tunnel is authenticated by its pre-shared key or by certificates, never by either:
 * which of them it is, is the config's word, not the peer's.
 */
#ifndef S2_IKE_IKE_H
#define S2_IKE_IKE_H

#include "base/bytes.h"
#include "base/env.h"
#include "s2svpn/crypto.h"
#include "s2svpn/drop.h"

#define S2_IKE_ID_MAX 256
#define S2_IKE_TS_MAX 8
#define S2_IKE_CANDIDATES_MAX 16
#define S2_IKE_FRAGMENT_SIZE_MIN 256 /* smaller ones are taken as this */
#define S2_IKE_WINDOW_MAX 8          /* larger ones are taken as this */

/* Identification types, RFC 7296 section 3.5. */
enum s2_ike_id_type {
    S2_IKE_ID_NONE = 0, /* in a config: any, or our own address */
    S2_IKE_ID_IPV4_ADDR = 1,
    S2_IKE_ID_FQDN = 2,
    S2_IKE_ID_RFC822_ADDR = 3,
    S2_IKE_ID_IPV6_ADDR = 5,
    S2_IKE_ID_DER_ASN1_DN = 9,
    S2_IKE_ID_DER_ASN1_GN = 10,
    S2_IKE_ID_KEY_ID = 11,
};
struct s2_ike_id {
    uint8_t type;
    uint16_t len;
    uint8_t data[S2_IKE_ID_MAX];
};

/* A traffic selector, RFC 7296 section 3.13.1; addresses in network byte order. */
struct s2_ike_ts {
    uint8_t family; /* enum s2svpn_family */
    uint8_t protocol;
    uint16_t first_port, last_port;
    uint8_t first[16], last[16];
};

/* Algorithms that are allowed, first choice first. The endpoint chooses by this
 * order, whatever the peer's (AWS's rule); a zero count of integ is right when
 * every encr is an AEAD. */
struct s2_ike_choices {
    struct {
        uint16_t id, key_bits;
    } encr[8];
    uint16_t integ[8], prf[8], ke[16];
    uint8_t encr_count, integ_count, prf_count, ke_count;
};

/* Which IKE a tunnel speaks: bits. As responder either of those allowed; as initiator
 * IKEv2, unless it is not allowed or ikev1_first: there is no falling back in here. */
enum s2_ike_versions { S2_IKE_ALLOW_V2 = 1, S2_IKE_ALLOW_V1 = 2 };

/* How both ends of a tunnel prove who they are; IKEv1 knows the key alone. */
enum s2_ike_auth_by { S2_IKE_BY_PSK = 0, S2_IKE_BY_CERTIFICATE = 1 };

/* This side's certificate and whom it trusts: handles of the crypto backend, which vpn owns.
 * One that is replaced lives on until no handshake uses it: users is the engine's count. */
struct s2_ike_credentials {
    const void *identity, *trust;
    s2svpn_span chain[S2SVPN_CHAIN_MAX]; /* DER, ours first */
    size_t chain_count;
    s2svpn_span authorities; /* SHA-1 of their keys, for CERTREQ; 20 bytes each */
    struct s2_ike_id id;     /* DER_ASN1_DN: our certificate's subject */
    uint32_t users;
};

/* What one tunnel asks of IKE. IKEv1 takes the same choices: for phase 1 those with
 * AES-CBC, a hash with the PRF's name, and a group; for phase 2 all of esp. */
struct s2_ike_config {
    void *owner;                            /* the tunnel: given back in every callback */
    const char *name;                       /* for log lines; borrowed as long as the config */
    s2svpn_endpoint local;                  /* role IKE */
    s2svpn_endpoint local_natt;             /* role NATT; family NONE: no such endpoint here */
    s2svpn_address remote;                  /* family NONE: any (the peer's address isn't known) */
    uint16_t remote_port;                   /* usually 500 */
    uint16_t remote_natt_port;              /* usually 4500 */
    struct s2_ike_id local_id;              /* NONE: our address */
    struct s2_ike_id remote_id;             /* NONE: any */
    uint8_t auth_by;                        /* enum s2_ike_auth_by */
    struct s2_secret psk;                   /* BY_PSK */
    struct s2_ike_credentials *credentials; /* BY_CERTIFICATE; NULL: none yet, nothing comes up */
    s2svpn_span remote_subject;     /* Name in DER of the peer's certificate; empty: any that the
                                 * authorities have issued */
    struct s2_ike_choices ike, esp; /* esp.ke: PFS groups; empty: no PFS. esp.prf unused */
    s2svpn_prefix local_net, remote_net;       /* selectors that we ask for and narrow to */
    uint32_t ike_lifetime_s, child_lifetime_s; /* 0: never rekeyed by time */
    uint32_t child_lifetime_kb; /* IKEv1: offered and agreed on; vpn counts. 0: none */
    uint32_t rekey_margin_s, rekey_fuzz_percent;
    uint32_t dpd_delay_s;   /* no inbound packet for so long: ask; 0: never */
    uint32_t dpd_timeout_s; /* unanswered for so long: dead */
    uint8_t esn;      /* enum s2svpn_esn's numbers: 0 plain, 1 both, ours first, 2 extended alone */
    bool force_udp;   /* make NAT detection find a NAT (no raw endpoint) */
    bool follow;      /* follow a peer to another place behind its NAT though we are behind
                             * one too: a gateway whose own address is mapped one to one */
    uint8_t versions; /* enum s2_ike_versions; 0: IKEv2 alone */
    bool ikev1_first; /* begin with IKEv1 where both are allowed */
    bool aggressive;  /* as IKEv1's initiator: aggressive mode. Identities go in the clear, and
                       * a hash that whoever sees it can try keys on: offline, for ever */
    bool mute;        /* don't answer nor start: the tunnel is administratively down */
    bool no_liveness; /* the peer's liveness checks stay unanswered: a provoked fault */
};

/* Why an IKE SA or a child ended, or never came up. X(NAME, words) */
#define S2_IKE_REASON_LIST(X)                                                                      \
    X(NONE, "no reason")                                                                           \
    X(LOCAL, "closed by this side")                                                                \
    X(PEER_DELETE, "closed by the peer")                                                           \
    X(TIMEOUT, "no answer from the peer")                                                          \
    X(DPD, "the peer stopped answering liveness checks")                                           \
    X(NO_PROPOSAL, "no common proposal")                                                           \
    X(INVALID_KE, "the peer asked for a group that is not allowed here")                           \
    X(AUTHENTICATION, "authentication failed: the pre-shared keys differ")                         \
    X(PEER_AUTHENTICATION,                                                                         \
      "the peer reports that authentication failed: check the pre-shared key or certificate")      \
    X(IDENTITY, "the peer's identity is not the expected one")                                     \
    X(CERTIFICATE, "authentication failed: the peer's certificate is not accepted")                \
    X(TS_UNACCEPTABLE, "no common traffic selectors")                                              \
    X(SYNTAX, "the peer's message was malformed")                                                  \
    X(PEER_ERROR, "the peer reports an error")                                                     \
    X(CRYPTO, "the crypto backend failed")                                                         \
    X(LIMIT, "a limit of this side is reached")                                                    \
    X(MEMORY, "out of memory")                                                                     \
    X(REPLACED, "replaced by a newer one")                                                         \
    X(LIFETIME, "its lifetime ended")                                                              \
    X(INITIAL_CONTACT, "the peer has started anew")
enum s2_ike_reason {
#define S2_IKE_REASON_ENUM(name, words) S2_IKE_REASON_##name,
    S2_IKE_REASON_LIST(S2_IKE_REASON_ENUM)
#undef S2_IKE_REASON_ENUM
        S2_IKE_REASON_COUNT
};
const char *s2_ike_reason_text(enum s2_ike_reason reason);

/* An established IKE SA, for status and key logs. */
struct s2_ike_sa_info {
    uint64_t spi_i, spi_r;
    bool initiator;
    uint8_t version; /* 2, or 1: the SPIs are cookies, sk_ei is the one key of phase 1 */
    uint16_t encr, key_bits, integ, prf, ke;
    s2svpn_endpoint local, remote; /* where it talks now: role NATT if NAT-T is on */
    bool nat_local, nat_remote;
    struct s2_ike_id peer_id;
    uint32_t peer_window; /* requests that the peer would take at once */
    uint64_t established_ns;
    bool checks; /* liveness can be asked for: IKEv2, or RFC 3706 on both sides */
    bool asking; /* a request of ours, such as that one, has no answer yet */
    /* keys, for the optional key log; borrowed for the call */
    s2svpn_span sk_ei, sk_er, sk_ai, sk_ar;
};

/* A child SA with its keys; spans are borrowed for the call. */
struct s2_ike_child {
    uint32_t spi_in, spi_out;
    uint32_t replaces; /* spi_in of the child that this one rekeys; 0: a new one */
    bool initiator;    /* outbound moves to it at once; else with its first packet, or
                     * when the old one goes */
    bool lost;         /* to the peer's, which it met (RFC 7296 section 2.8.1): the peer may
                        * send on it until its delete is agreed; outbound never moves to it */
    uint16_t encr, key_bits, integ, ke; /* ke: PFS group, 0 in IKE_AUTH */
    bool esn;
    s2svpn_span encr_key_in, integ_key_in, encr_key_out, integ_key_out;
    s2svpn_endpoint local, remote; /* role NATT: in UDP; RAW: protocol 50 */
    struct s2_ike_ts local_ts[S2_IKE_TS_MAX], remote_ts[S2_IKE_TS_MAX];
    uint8_t local_ts_count, remote_ts_count;
    uint64_t lifetime_s;
    uint64_t lifetime_kb; /* 0: none; s2_ike_rekey_child is vpn's to call before */
};

struct s2_ike_trace;
struct s2_ike_ops {
    /* An IKE message without non-ESP marker; local.role says where it leaves.
     * Borrowed for the call. */
    void (*send)(void *user, const s2svpn_endpoint *local, const s2svpn_endpoint *remote,
                 const uint8_t *p, size_t len);
    /* As crypto's start_job; the answer comes by s2_ike_job_done. A job of kind VERIFY gets its
     * wall clock here. */
    s2svpn_job_state (*start_job)(void *user, s2svpn_job *job, s2svpn_status *result);
    void (*cancel_job)(void *user, s2svpn_job *job);
    /* A first message: which tunnels may it be for, by its addresses? Returns how
     * many were written, at most max. */
    size_t (*candidates)(void *user, const s2svpn_endpoint *local, const s2svpn_endpoint *remote,
                         const struct s2_ike_config **out, size_t max);
    /* IKE_AUTH came: which of them is it, by identities? idr may be NULL; certificate is the
     * first that the peer sent, in DER, not checked yet, or empty. Answer with
     * s2_ike_identified, now or later. */
    void (*identify)(void *user, uint64_t ticket, const s2svpn_endpoint *local,
                     const s2svpn_endpoint *remote, const struct s2_ike_id *idi,
                     const struct s2_ike_id *idr, s2svpn_span certificate);
    /* A fresh inbound SPI for a child, not 0 to 255; 0: none to be had. release gives
     * back one that never reached child_up. */
    uint32_t (*child_spi)(void *user, void *owner);
    void (*release_spi)(void *user, void *owner, uint32_t spi);
    /* After a rekey: of the new one; the old one's sa_down follows, REPLACED, not last. */
    void (*sa_up)(void *user, void *owner, const struct s2_ike_sa_info *info);
    /* For every SA that was up, and for every s2_ike_initiate that never came up.
     * last: no other IKE SA of this owner is up. detail adds words, may be "". */
    void (*sa_down)(void *user, void *owner, enum s2_ike_reason reason, const char *detail,
                    bool was_up, bool last, uint64_t now_ns);
    /* Install inbound first. False: couldn't, the SPI is free again, and the engine
     * tells the peer. */
    bool (*child_up)(void *user, void *owner, const struct s2_ike_child *child, uint64_t now_ns);
    /* The peer has it by now: outbound moves to it, if it is the newest and no packet on it
     * has been the sign for that before. IKEv1's initiator says so, whose last message has no
     * answer. */
    void (*child_settled)(void *user, void *owner, uint32_t spi_in, uint64_t now_ns);
    /* Its delete has been agreed, or its IKE SA is gone. */
    void (*child_down)(void *user, void *owner, uint32_t spi_in, enum s2_ike_reason reason,
                       uint64_t now_ns);
    /* An authenticated message came from another address (RFC 7296 section 2.23). */
    void (*peer_moved)(void *user, void *owner, const s2svpn_endpoint *remote, uint64_t now_ns);
    /* When the owner's last ESP packet came in; 0: never. For liveness checks. */
    uint64_t (*last_inbound)(void *user, void *owner);
    /* Something worth a line in the tunnel's log: short words, no secrets. NULL: the engine
     * logs it itself. */
    void (*note)(void *user, void *owner, const char *text, uint64_t now_ns);
    /* A rekey that this side asked for came to nothing; it is tried again. May be NULL. */
    void (*rekey_failed)(void *user, void *owner, enum s2_ike_reason reason, uint64_t now_ns);
    /* A message, or what became of one: trace.h. NULL: nobody listens. Calls no s2_ike_
     * function but s2_ike_get_info and s2_ike_get_progress. */
    void (*trace)(void *user, void *owner, const struct s2_ike_trace *trace, uint64_t now_ns);
    /* We are behind a NAT that must not forget us: one byte 0xff, without marker, RFC
     * 3948 section 4. May be NULL: then the host does it. */
    void (*keepalive)(void *user, const s2svpn_endpoint *local, const s2svpn_endpoint *remote);
};

struct s2_ike_limits {
    uint32_t sas;              /* IKE SAs at once; 0: 20,000 */
    uint32_t half_open;        /* responder SAs before IKE_AUTH; 0: 1,000 */
    uint32_t cookie_threshold; /* half-open ones from which cookies are asked; 0: 100 */
};
struct s2_ike_options {
    const s2svpn_crypto_ops *crypto;
    void *crypto_user;
    struct s2_ike_limits limits;
    /* retransmission with back-off, RFC 7296 section 2.1: the n-th waits
     * timeout_ms * base^n / 100^n */
    uint32_t retransmit_timeout_ms;       /* 0: 2,000 */
    uint32_t retransmit_base_percent;     /* 0: 180 */
    uint32_t retransmit_tries;            /* 0: 5 */
    uint64_t spi_prefix, spi_prefix_mask; /* bits that every SPI of ours carries */
    /* RFC 7383: what is longer than an IP packet of this size is sent in fragments,
     * if the peer knows them too */
    bool no_fragmentation;  /* neither sent nor understood */
    uint32_t fragment_size; /* 0: 1,280; at least S2_IKE_FRAGMENT_SIZE_MIN */
    /* Requests that a peer may have open at once, RFC 7296 section 2.3; it is told in
     * IKE_AUTH if they are more than one. Our own go one by one. */
    uint32_t request_window; /* 0: 1; at most S2_IKE_WINDOW_MAX */
    uint32_t keepalive_s;    /* 0: 20 */
};

struct s2_ike;
S2SVPN_NODISCARD s2svpn_status s2_ike_new(const struct s2_env *env,
                                          const struct s2_ike_options *options,
                                          const struct s2_ike_ops *ops, void *user,
                                          struct s2_ike **ike);
/* No messages, no callbacks but cancel_job and release_spi. */
void s2_ike_free(struct s2_ike *ike);

/* A message, marker taken off. The bytes may be changed (decrypted in place).
 * Returns why it was dropped, NONE if it was used. */
enum s2svpn_drop s2_ike_receive(struct s2_ike *ike, const s2svpn_endpoint *local,
                                const s2svpn_endpoint *remote, uint8_t *p, size_t len,
                                uint64_t now_ns);
/* Whose signature it is about, for a job of kind SIGN or VERIFY that runs or is being
 * answered; NULL for others. */
const struct s2_ike_config *s2_ike_job_config(const s2svpn_job *job);
void s2_ike_job_done(struct s2_ike *ike, s2svpn_job *job, s2svpn_status result, uint64_t now_ns);
/* config NULL: nobody. A ticket whose SA is gone is ignored. */
void s2_ike_identified(struct s2_ike *ike, uint64_t ticket, const struct s2_ike_config *config,
                       uint64_t now_ns);

/* Start an IKE SA and a child; if one is up that has no child, only the child. E_EXISTS
 * if this owner already has or makes them as initiator; E_STATE if it is mute, the peer's
 * address isn't known, or it goes by certificates and has no credentials; what else fails at once is returned too, and no callback
 * comes. Otherwise sa_up and child_up, or sa_down, follow. */
S2SVPN_NODISCARD s2svpn_status s2_ike_initiate(struct s2_ike *ike,
                                               const struct s2_ike_config *config, uint64_t now_ns);
/* Close all SAs of an owner, telling the peer if polite. */
void s2_ike_terminate(struct s2_ike *ike, void *owner, bool polite, uint64_t now_ns);
/* Close silently whatever uses the config; no callback for it comes after. */
void s2_ike_forget(struct s2_ike *ike, const struct s2_ike_config *config);
/* E_NOT_FOUND if the owner has no such child, or no IKE SA that is up. */
S2SVPN_NODISCARD s2svpn_status s2_ike_rekey_child(struct s2_ike *ike, void *owner, uint32_t spi_in,
                                                  uint64_t now_ns);
S2SVPN_NODISCARD s2svpn_status s2_ike_rekey_sa(struct s2_ike *ike, void *owner, uint64_t now_ns);
/* Ask for a sign of life now. */
S2SVPN_NODISCARD s2svpn_status s2_ike_check(struct s2_ike *ike, void *owner, uint64_t now_ns);

/* A packet of a child of the owner's, authentic and newer than all before, came from another
 * place than its packets go to: section 2.23. peer_moved follows, unless this end doesn't
 * follow; nothing happens if the owner has no IKE SA that is up. */
void s2_ike_heard_from(struct s2_ike *ike, void *owner, const s2svpn_endpoint *remote,
                       uint64_t now_ns);

/* The owner's newest established SA; false if none. */
bool s2_ike_get_info(const struct s2_ike *ike, const void *owner, struct s2_ike_sa_info *out);
struct s2_ike_counters {
    uint64_t sas, half_open;                               /* now */
    uint64_t handshakes, retransmits, cookies_sent, drops; /* so far */
};
void s2_ike_get_counters(const struct s2_ike *ike, struct s2_ike_counters *out);

#endif
