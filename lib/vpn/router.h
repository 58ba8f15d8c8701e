/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A router owns tunnels and knows where prefixes are: one a virtual gateway, one a
 * device. Its RIB has the candidates, its FIB what packets look up:
 *
 *   BGP routes, static routes, local prefixes ─> RIB ─ best ─> FIB (this router's)
 *                                                        └──> propagation into the
 *                                                             route tables of the VPC
 *
 * A FIB's value is a pointer with its kind in the low three bits. What it points to
 * outlives every reader: it is freed through the epochs.
 *
 * Equal-cost multipath is an option (ecmp_paths of the gateway, or of a device's
 * connection): then several tunnels may carry a prefix, as a group (routing/group.h),
 * and each flow takes one of them. Where there is no memory for a group the best tunnel
 * carries all of it.
 */
#ifndef S2_VPN_ROUTER_H
#define S2_VPN_ROUTER_H

#include "base/list.h"
#include "base/timer.h"
#include "routing/group.h"
#include "routing/routing.h"
#include "s2svpn/context.h"

enum s2_target {
    S2_TARGET_TUNNEL = 1,  /* s2svpn_tunnel */
    S2_TARGET_PORT = 2,    /* s2svpn_port */
    S2_TARGET_VPC = 3,     /* s2svpn_vpc: look up the port by address */
    S2_TARGET_ROUTER = 4,  /* struct s2_router: look up in its FIB */
    S2_TARGET_NO_PATH = 5, /* a route whose tunnels are all down */
    S2_TARGET_BLACKHOLE = 6,
    S2_TARGET_GROUP = 7, /* struct s2_group, its members' values are targets: tunnels */
};

static inline uint64_t s2_target_make(const void *p, enum s2_target kind)
{
    return (uint64_t)(uintptr_t)p | (uint64_t)kind;
}

static inline enum s2_target s2_target_kind(uint64_t value)
{
    return (enum s2_target)(value & 7);
}

static inline void *s2_target_pointer(uint64_t value)
{
    return (void *)(uintptr_t)(value & ~UINT64_C(7));
}

struct s2_router {
    s2svpn_context *ctx;
    s2svpn_virtual_gateway *vgw; /* NULL: the device's router */
    s2svpn_vpc *vpc;             /* attached, or NULL */
    struct s2_rib *rib;
    struct s2_fib *fib;
    struct s2_groups groups; /* that the FIB leads to */
    uint32_t asn;
    uint8_t ecmp_paths;         /* a gateway's: 0 or 1: none */
    struct s2_link connections; /* of s2svpn_connection */
    uint32_t connections_made;  /* so far: their order */
    struct s2_link tables;      /* of struct s2_propagation: tables that asked for its routes */
    struct s2_timer hub;        /* room has come for routes that had none */
    struct s2_timer repair;     /* something is missing for want of memory */
};

S2SVPN_NODISCARD s2svpn_status s2_router_init(struct s2_router *r, s2svpn_context *ctx,
                                              s2svpn_virtual_gateway *vgw, uint32_t asn);
void s2_router_clear(struct s2_router *r);

/* A prefix of our own side: advertised to every peer, now and later. source is the
 * VPC or the port. */
S2SVPN_NODISCARD s2svpn_status s2_router_add_local(struct s2_router *r, const s2svpn_prefix *prefix,
                                                   void *source);
void s2_router_remove_local(struct s2_router *r, const s2svpn_prefix *prefix, void *source);
/* There was no memory for a consequence of a route: in a second everything that
 * follows from the RIB is looked over and made good. */
void s2_router_repair(struct s2_router *r);
/* Tell one tunnel's BGP peer all local prefixes. */
void s2_router_advertise_all(struct s2_router *r, s2svpn_tunnel *t);

#endif
