/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tunnel's children: ESP SAs made from IKE's keys, published to the workers, moved
 * over at rekey and taken away again.
 *
 *   install       inbound at once. Outbound at once too if there was none, or if we
 *                 began the exchange; else on the first packet that comes in on the
 *                 new SA, or when the old child is deleted.
 *   delete        outbound moves to the newest other child; inbound lingers, for
 *                 packets that are still under way.
 */
#ifndef S2_VPN_SA_H
#define S2_VPN_SA_H

#include <stdatomic.h>

#include "base/epoch.h"
#include "base/list.h"
#include "base/timer.h"
#include "esp/esp.h"
#include "ike/ike.h"

struct s2_selectors {
    uint8_t local_count, remote_count;
    uint8_t any; /* 4 or 6: all of that version is allowed, no check a packet; 0: not so */
    struct s2_ike_ts local[S2_IKE_TS_MAX], remote[S2_IKE_TS_MAX];
};

/* Published in context.spis at the SPI's low half. */
struct s2_sa_in {
    struct s2_retired retired;
    struct s2_esp_sa *esp;
    s2svpn_tunnel *tunnel;
    _Atomic bool used;                    /* a packet has passed; the owner writes */
    uint64_t moved_ns;                    /* when control was last told that the peer moved */
    const struct s2_selectors *selectors; /* the child's */
};

/* Where sealed packets go; replaced as a whole when the peer moves. */
struct s2_way {
    struct s2_retired retired;
    s2svpn_endpoint local, remote;
};

/* Published in tunnel.out. */
struct s2_sa_out {
    struct s2_retired retired;
    struct s2_esp_sa *esp;
    uint32_t spi_in; /* of the same child: how other threads name it */
    _Atomic(const struct s2_way *) way;
    const struct s2_selectors *selectors;
};

struct s2_child {
    struct s2_retired retired; /* selectors are read by workers */
    struct s2_link in_tunnel;
    s2svpn_tunnel *tunnel;
    uint32_t spi_in, spi_out;
    struct s2_sa_in *in;
    struct s2_sa_out *out;
    bool outbound; /* out is published */
    bool proved;   /* the peer has it, too */
    bool lost;     /* a collision: out is for want of another alone */
    bool leaving;  /* deleted, inbound lingers */
    bool worn_out; /* a soft limit was reached: a rekey has been asked for */
    struct s2_timer linger;
    struct s2_selectors selectors;
};

S2SVPN_NODISCARD s2svpn_status s2_child_install(s2svpn_tunnel *t, const struct s2_ike_child *child,
                                                uint64_t now_ns);
/* IKE's child_down. */
void s2_child_leave(s2svpn_tunnel *t, uint32_t spi_in, bool at_once, uint64_t now_ns);
/* Control's answer to the first packet on a new inbound SA. */
void s2_child_first_packet(s2svpn_context *ctx, uint32_t spi_in, uint64_t now_ns);
/* Control's answer to a limit of packets or bytes: the soft one asks for a rekey, the hard
 * one says that the child carries nothing more. */
void s2_child_worn_out(s2svpn_context *ctx, uint32_t spi_in, bool hard);
void s2_children_move(s2svpn_tunnel *t, const s2svpn_endpoint *remote);
/* Unpublish everything at once. */
void s2_children_clear(s2svpn_tunnel *t);
/* The child whose outbound SA is in use; NULL. */
struct s2_child *s2_child_current(const s2svpn_tunnel *t);

/* Inbound SPIs of this context, RFC 4303 section 2.1. */
uint32_t s2_spi_take(s2svpn_context *ctx);
void s2_spi_give_back(s2svpn_context *ctx, uint32_t spi);
/* Any thread inside an epoch. */
struct s2_sa_in *s2_spi_find(s2svpn_context *ctx, uint32_t spi);

#endif
