/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates in the vpn room: what this side shows and trusts (certificates.c), what a
 * peer has shown (peer_certificate.c), and which tunnel a peer without a known address is
 * for (roaming.c).
 */
#ifndef S2_VPN_CERTIFICATES_H
#define S2_VPN_CERTIFICATES_H

#include "base/hash.h"
#include "base/list.h"
#include "base/timer.h"
#include "ike/ike.h"
#include "s2svpn/certificate.h"

/* One set of them: the context's, or one that was replaced and is still used. */
struct s2_credentials {
    struct s2_ike_credentials ike;
    struct s2_link in_context; /* of those that were replaced */
    void *identity, *trust;
    bool has_crls;
};

/* What a peer has shown, as long as its IKE SA lives: newer revocation lists may name it. */
struct s2_peer_certificate {
    struct s2_link in_context;
    s2svpn_tunnel *tunnel;
    char subject[256];
    uint64_t not_after_s;
    struct s2_ike_id id; /* that it claimed */
    s2svpn_span chain[S2SVPN_CHAIN_MAX];
    size_t chain_count;
    uint8_t bytes[]; /* of the chain */
};

/* One peer's certificate looked at again. */
struct s2_recheck {
    struct s2_timer timer;
    s2svpn_job job;
    s2svpn_verify verify;
    struct s2_credentials *with;      /* whose trust is used */
    struct s2_peer_certificate *peer; /* NULL: nothing pends */
};

/* A context's. */
struct s2_certificates {
    struct s2_credentials *current; /* NULL: none */
    struct s2_link replaced;
    struct s2_link peers, unchecked; /* of struct s2_peer_certificate; in one of the two */
    struct s2_recheck recheck;
    struct s2_table by_subject; /* the cloud side's tunnels with certificates */
    struct s2_link roaming;     /* those without an address, one of each kind */
    struct s2_table by_place;   /* and where their peers are, while they have an IKE SA */
    uint64_t stranger_told_ns;
};

/* A tunnel's place in by_subject and among those without an address. A kind is a local
 * address and a set of algorithms for phase 1: before IKE_AUTH no more can be known. */
struct s2_roaming {
    struct s2_table_node by_subject;
    bool listed, joined, first; /* first: of its kind, which has the others */
    struct s2_link link;        /* among the first, or in fellows of the first */
    struct s2_link fellows;
    struct s2_table_node by_place;
    bool placed;
    s2svpn_address place_local; /* which way its peer is */
    s2svpn_endpoint place;
};

/* ---- certificates.c */
void s2_certificates_init(s2svpn_context *ctx);
void s2_certificates_clear(s2svpn_context *ctx); /* after IKE has ended */
bool s2_knows_certificates(const s2svpn_context *ctx);
/* What a tunnel of the context shows now; NULL: none yet. */
struct s2_ike_credentials *s2_credentials_now(const s2svpn_context *ctx);
/* Free those that were replaced and that nobody uses any more. */
void s2_credentials_sweep(s2svpn_context *ctx);
/* Read the subject of somebody's certificate for an object or a tunnel; field for errors. */
S2SVPN_NODISCARD s2svpn_status s2_subject_read(s2svpn_context *ctx, const char *field,
                                               s2svpn_span certificate,
                                               s2svpn_certificate_info *out);

/* ---- peer_identity.c: text to what a peer's certificate must have */
/* A DN, an FQDN or an address. False: none of them. */
bool s2_identity_read(const char *text, struct s2_ike_id *out);

/* ---- peer_certificate.c */
void s2_peer_certificates_init(s2svpn_context *ctx);
/* A peer's certificate was accepted for this tunnel. */
void s2_peer_certificate_keep(s2svpn_tunnel *t, const s2svpn_verify *verify);
void s2_peer_certificate_clear(s2svpn_tunnel *t);
/* There are newer revocation lists. */
void s2_peer_certificates_recheck(s2svpn_context *ctx);
/* A job of ours that was pending. */
void s2_recheck_done(s2svpn_context *ctx, s2svpn_status result);

/* ---- roaming.c */
/* E_EXISTS: another tunnel at its local address is for the same subject; E_LIMIT. */
S2SVPN_NODISCARD s2svpn_status s2_roaming_list(s2svpn_tunnel *t);
void s2_roaming_unlist(s2svpn_tunnel *t);
/* Its algorithms are others now. */
void s2_roaming_regroup(s2svpn_tunnel *t);
/* Would one more kind at t's local address be one too many? */
bool s2_roaming_crowded(const s2svpn_tunnel *t);
s2svpn_tunnel *s2_tunnel_by_subject(const s2svpn_context *ctx, const s2svpn_address *local,
                                    s2svpn_span subject);
/* Its peer is there now; remote NULL: nowhere. Nothing to do for one whose peer has an address
 * that is known. Without memory it isn't found by its place. */
void s2_roaming_place(s2svpn_tunnel *t, const s2svpn_endpoint *local,
                      const s2svpn_endpoint *remote);
/* Whose messages come from there, with and without a known address; NULL: nobody's. */
s2svpn_tunnel *s2_tunnel_at(const s2svpn_context *ctx, const s2svpn_endpoint *local,
                            const s2svpn_endpoint *remote);
/* All whose peers are at the address, at that port if it isn't 0. */
void s2_roaming_each_at(s2svpn_context *ctx, const s2svpn_endpoint *local,
                        const s2svpn_endpoint *remote, void (*fn)(s2svpn_tunnel *t, void *arg),
                        void *arg);
/* One tunnel of each kind that may answer at this local address; how many were written. */
size_t s2_roaming_candidates(s2svpn_context *ctx, const s2svpn_address *local,
                             bool (*serves)(const s2svpn_tunnel *t, const s2svpn_address *local),
                             const struct s2_ike_config **out, size_t max);

#endif
