/* SPDX-License-Identifier: Apache-2.0 */
/* One of a connection's two tunnels: its options, AWS's names and values, and what
 * is to be seen of it. */
#ifndef S2SVPN_TUNNEL_H
#define S2SVPN_TUNNEL_H

#include "s2svpn/error.h"
#include "s2svpn/types.h"

S2SVPN_BEGIN

/** Sets of algorithms. The endpoint evaluates a peer's offer against its own set,
 * lowest first, whatever the peer's order (AWS's rule). 0: the profile's default. */
enum s2svpn_encryption {
    S2SVPN_AES128 = 1u << 0, /* CBC */
    S2SVPN_AES256 = 1u << 1,
    S2SVPN_AES128_GCM_16 = 1u << 2,
    S2SVPN_AES256_GCM_16 = 1u << 3,
};
enum s2svpn_integrity {
    S2SVPN_SHA1 = 1u << 0,
    S2SVPN_SHA2_256 = 1u << 1,
    S2SVPN_SHA2_384 = 1u << 2,
    S2SVPN_SHA2_512 = 1u << 3,
};
/** A Diffie-Hellman group's bit is 1 << its number: 2, 5, 14 to 24, 31. */
#define S2SVPN_GROUP(number) (UINT32_C(1) << (number))

/** Which IKE a tunnel speaks. As responder either of those allowed; who begins takes IKEv2 if
 * it may. RFC 9395 has deprecated IKEv1; AWS's endpoints allow it unless they are told not to. */
enum s2svpn_ike_version { S2SVPN_IKEV1 = 1u << 0, S2SVPN_IKEV2 = 1u << 1 };

/** What follows when the peer leaves liveness checks unanswered for dpd_timeout_s. CLEAR:
 * the SAs and their paths go, and the tunnel rests until the peer starts it, or the host
 * does. NONE: nothing, nor is the peer asked. RESTART: this side starts it anew, and again
 * until it is up, whoever starts it usually. */
enum s2svpn_dpd_action { S2SVPN_DPD_CLEAR = 0, S2SVPN_DPD_NONE = 1, S2SVPN_DPD_RESTART = 2 };
/** 64-bit extended sequence numbers, RFC 4303 section 2.2.1. AWS doesn't document them. */
enum s2svpn_esn {
    S2SVPN_ESN_OFF = 0,
    S2SVPN_ESN_ALLOWED = 1,  /* offered and taken, but plain numbers are fine too */
    S2SVPN_ESN_REQUIRED = 2, /* nothing else */
};
/** What happens to an inner packet that is too long for the tunnel and carries the
 * don't-fragment bit. Without the bit it is cut before encryption in any case. */
enum s2svpn_df {
    S2SVPN_DF_HONOUR = 0, /* the sender is told "too big", RFC 1191 */
    S2SVPN_DF_CLEAR = 1,  /* cut all the same, what AWS asks of a device */
};
/** ADD: only answer. START: begin as soon as the connection is there, and again whenever the
 * tunnel is down. */
enum s2svpn_startup_action { S2SVPN_STARTUP_ADD = 0, S2SVPN_STARTUP_START = 1 };

/** Options of one tunnel; all zero is AWS's defaults. */
typedef struct s2svpn_tunnel_options {
    const char *pre_shared_key;     /* 8 to 64 of [A-Za-z0-9._], not beginning with 0; NULL: made,
                                     * or none where the customer gateway has a certificate */
    s2svpn_prefix inside_cidr;      /* a /30 of 169.254.0.0/16; family 0: chosen */
    s2svpn_address outside_address; /* one of the context's local addresses; family 0: chosen */
    uint32_t phase1_encryption, phase2_encryption; /* bits of enum s2svpn_encryption */
    uint32_t phase1_integrity, phase2_integrity;   /* bits of enum s2svpn_integrity */
    uint32_t phase1_dh_groups, phase2_dh_groups;   /* bits S2SVPN_GROUP(n) */
    uint32_t phase1_lifetime_s;                    /* 900 to 28800; 0: 28800 */
    uint32_t phase2_lifetime_s;                    /* 900 to 3600, less than phase 1; 0: 3600 */
    uint32_t rekey_margin_s;                       /* 60 to half of phase 2; 0: 270 */
    uint32_t rekey_fuzz_percent;    /* 0 to 100, plus 1: 1 means 0 %, 101 means 100 %; 0: 100 % */
    uint32_t replay_window;         /* 64 to 8192 packets (AWS: to 2048); 0: 1024 */
    uint32_t dpd_timeout_s;         /* 30 or more; 0: 30 */
    uint8_t dpd_action;             /* enum s2svpn_dpd_action */
    uint8_t startup_action;         /* enum s2svpn_startup_action */
    uint8_t esn;                    /* enum s2svpn_esn */
    uint8_t dont_fragment;          /* enum s2svpn_df */
    s2svpn_prefix inside_ipv6_cidr; /* a /126 of fd00::/8, with inside IPv6 alone; family 0:
                                     * chosen */
    uint64_t phase2_lifetime_bytes, phase2_lifetime_packets; /* of one child and direction: rekeyed
                                                              * before; 65536 and 64 or more; 0: no
                                                              * bound */
    uint32_t ike_versions; /* bits of enum s2svpn_ike_version; IKEv1 alone can't be
                                     * started by the cloud's side, as at AWS */
    uint8_t log, bgp_log;  /* enum s2svpn_log_output, tunnel_log.h: its logs; changed without
                           * the tunnel being closed */
    uint8_t reserved[50];
} s2svpn_tunnel_options;

/** How far a tunnel has come. X(NAME, words) */
#define S2SVPN_TUNNEL_PHASE_LIST(X)                                                                \
    X(IDLE, "idle")                                                                                \
    X(NEGOTIATING, "negotiating")                                                                  \
    X(IPSEC_UP, "IPsec is up, BGP is not")                                                         \
    X(UP, "up")                                                                                    \
    X(WAITING, "down, next try pending")                                                           \
    X(STOPPED, "stopped")
enum s2svpn_tunnel_phase {
#define S2SVPN_TUNNEL_PHASE_ENUM(name, words) S2SVPN_TUNNEL_##name,
    S2SVPN_TUNNEL_PHASE_LIST(S2SVPN_TUNNEL_PHASE_ENUM)
#undef S2SVPN_TUNNEL_PHASE_ENUM
};
/** In words. @threads any */
S2SVPN_API const char *s2svpn_tunnel_phase_text(enum s2svpn_tunnel_phase phase);

/** What is to be seen of a tunnel. UP means what AWS means: with BGP, the session
 * is established; with static routes, the child SA is up. */
typedef struct s2svpn_tunnel_info {
    size_t size; /* set by the caller */
    enum s2svpn_tunnel_phase phase;
    bool up;
    bool initiator; /* of the IKE SA */
    bool nat_local, nat_remote;
    bool udp;            /* ESP in UDP */
    uint8_t ike_version; /* of the IKE SA: 1 or 2; 0: there is none */
    bool certificate;    /* both ends show certificates; else they share a key */
    uint8_t reserved[1];
    uint64_t changed_ns;                        /* of up, monotonic; 0: never */
    char reason[128];                           /* why it is down, in words; "" while up */
    s2svpn_endpoint local, remote;              /* outside */
    s2svpn_prefix inside_cidr;                  /* what the two are of: a /30 or a /126 */
    s2svpn_address inside_local, inside_remote; /* of the inside IP version */
    char ike_algorithms[64]; /* "AES_GCM_16_256/PRF_HMAC_SHA2_256/ECP_256", "" if down */
    char esp_algorithms[64];
    uint16_t mtu; /* of inner packets */
    uint16_t mss; /* that TCP is clamped to: 40 below, 60 with IPv6 inside */
    uint32_t spi_in, spi_out;
    uint32_t rekeys;    /* of children, since the IKE SA came up */
    uint32_t bgp_state; /* RFC 4271's: 1 Idle … 6 Established; 0: no BGP */
    uint32_t accepted_routes;
    uint64_t packets_in, packets_out, bytes_in, bytes_out; /* inner */
    uint64_t last_in_ns;       /* when an ESP packet last passed; 0: never */
    char peer_subject[256];    /* of the certificate that the peer has shown; "" if down */
    uint64_t peer_not_after_s; /* its end, since 1970; 0: none, or not known */
    uint32_t ike_sas;          /* that have been up since the tunnel is there; a rekey makes one */
    bool ike_asks;             /* a request of ours, such as a liveness check, has no answer yet */
    uint8_t reserved2[3];
} s2svpn_tunnel_info;

S2SVPN_END
#endif
