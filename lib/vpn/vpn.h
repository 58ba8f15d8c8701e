/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vpn room: the objects that users know, and the only place where the engines
 * meet.
 *
 *   objects    context, customer and virtual gateway, connection, tunnel, VPC (and
 *              vpc_block.c), subnet, port, route table (and route_list.c, propagation.c):
 *              one file each, over object.h; certificates.h for those that have them
 *   control    entry.c (enter and leave of every call), ike_link.c and bgp_link.c (what
 *              the engines say and are told), router.c (routes), hub.c (routes from site to site)
 *   data       worker.h and its files
 *
 * From IKE's keys to a packet:
 *   child_up ─> s2_child_install ─> published SAs ─> in-tunnel host ─> BGP session
 *   BGP route ─> RIB ─> best path ─> FIB ─> propagation ─> route tables
 *
 * Every public call is bracketed by s2_enter and s2_leave. In between, engines and
 * objects change; the outermost leave hands out packets, then events, sets the
 * deadline and frees what is unlinked. A callback may therefore call anything: the
 * nested call works at once, its output joins the outer call's.
 */
#ifndef S2_VPN_VPN_H
#define S2_VPN_VPN_H

#include "base/address.h"
#include "base/bytes.h"
#include "base/epoch.h"
#include "base/timer.h"
#include "base/writer.h"
#include "bgp/bgp.h"
#include "inet/host.h"
#include "s2svpn/config.h"
#include "s2svpn/connection.h"
#include "s2svpn/customer_gateway.h"
#include "s2svpn/fault.h"
#include "s2svpn/route_table.h"
#include "s2svpn/virtual_gateway.h"
#include "s2svpn/vpc.h"
#include "vpn/certificates.h"
#include "vpn/events.h"
#include "vpn/log.h"
#include "vpn/object.h"
#include "vpn/router.h"
#include "vpn/slots.h"
#include "vpn/worker.h"

#define S2_LOCAL_MAX 192 /* local endpoints of a context */
#define S2_PORT_PREFIXES_MAX 64
#define S2_WORKERS_MAX 32
#define S2_OUTSIDE_MTU 1500
#define S2_VPC_CIDRS_MAX 10 /* of each version: with a hub's prefixes 1,000 to a device */

/* Whose turn it is to start: pace.c. */
struct s2_pace {
    struct s2_link under_way, waiting; /* of tunnels, oldest first */
    size_t count;                      /* under way */
    struct s2_timer turn;
};

struct s2svpn_context {
    s2svpn_memory memory;
    struct s2_env env;
    struct s2_timers timers;
    s2svpn_error error;
    s2svpn_options options; /* pointers to the caller's arrays are not kept */
    s2svpn_limits limits;
    s2svpn_endpoint *local;
    size_t local_count;
    uint64_t now_ns;
    uint64_t wall_offset_ns; /* unix = now + offset; 0: not set */
    uint64_t clock_went_back;
    uint64_t told_deadline_ns;
    unsigned depth; /* of calls */
    bool stopping, stopped;
    bool keylog_told;  /* that it is on */
    bool farewell;     /* a tunnel is being closed: BGP's last words go before IKE's */
    bool superpackets; /* the host takes them */
    struct s2_timer stop_timer;
    struct s2_pace pace;

    struct s2_ike *ike;
    struct s2_bgp *bgp;
    struct s2_epochs epochs;
    struct s2_slots spis, ports;
    s2svpn_worker **worker;
    size_t worker_count;
    size_t next_owner; /* round robin of tunnels over workers */

    struct s2_table by_id;
    struct s2_link kind[S2_KINDS];
    struct s2_link ghosts; /* deleted objects that somebody holds */
    size_t kind_count[S2_KINDS];
    struct s2_table by_outside; /* tunnels by their pair of outside addresses */
    struct s2_certificates certificates;
    struct s2_events events;
    struct s2_link changes;  /* transactions that the store hasn't answered */
    struct s2_link messages; /* IKE messages that wait for the host */
    size_t message_count;
    struct s2_link log_lines; /* of the tunnels' own logs, likewise */
    size_t log_line_count;
    struct s2_router *device; /* the device's router; NULL in a gateway */
};

/* ---- every call */
void s2_enter(s2svpn_context *ctx, uint64_t now_ns); /* now_ns 0: time stands still */
void s2_leave(s2svpn_context *ctx);
uint64_t s2_unix_ns(const s2svpn_context *ctx);
/* Queue an IKE message for the host, non-ESP marker put before it where the role asks. */
void s2_send_message(s2svpn_context *ctx, const s2svpn_endpoint *local,
                     const s2svpn_endpoint *remote, const uint8_t *p, size_t len);
void s2_send_keepalive(s2svpn_context *ctx, const s2svpn_endpoint *local,
                       const s2svpn_endpoint *remote);
void s2_messages_clear(s2svpn_context *ctx);

/* ---- objects */
/* As s2svpn_virtual_gateway_new, with any ASN and an identifier (empty: made). */
S2SVPN_NODISCARD s2svpn_status s2_virtual_gateway_make(s2svpn_context *ctx, const s2svpn_id *id,
                                                       uint32_t asn, uint32_t ecmp_paths,
                                                       s2svpn_virtual_gateway **out);
struct s2svpn_customer_gateway {
    struct s2_object object;
    uint32_t bgp_asn;
    s2svpn_address address; /* family NONE: it comes from anywhere */
    char device_name[256];
    char certificate_subject[256]; /* "": none, its tunnels have keys */
    struct s2_ike_id subject;      /* the same as a DN; NONE: none */
};

struct s2svpn_virtual_gateway {
    struct s2_object object;
    struct s2_router router;
};

/* Sets of algorithms, as in s2svpn_tunnel_options. */
struct s2_offer {
    uint32_t encryption[2], integrity[2], dh_groups[2]; /* of phase 1 and 2 */
};

/* How a tunnel is tried: attempt.c. */
struct s2_attempt {
    struct s2_offer offer[2]; /* the first, and after NO_PROPOSAL_CHOSEN; the same: no second */
    bool second;              /* it is offered: remembered for the tunnel's life */
    s2svpn_endpoint ike;      /* where it starts usually */
    uint16_t peer_ike_port;
    bool force_udp; /* there */
    bool from_natt; /* it starts at the NAT traversal port instead */
    bool v1;        /* with IKEv1, though IKEv2 is allowed */
    uint8_t tried;  /* ways, since it was up last: bits 1 << way */
    bool cut;       /* it is being ended, for another way */
    bool told_v1;   /* that it came to IKEv1 */
    bool knows_v2;  /* the peer has spoken IKEv2 */
    bool restart;   /* DPD's action: until it is up it is tried from this side, whoever starts it */
    struct s2_timer watch;
};

/* What was provoked on a tunnel, but for what is elsewhere: blackhole, ike.no_liveness. */
struct s2_tunnel_faults {
    bool withdraw, over_limit;
    bool rests;     /* deleted: whoever starts it usually, the peer does next */
    bool rekey_ike; /* once the child has been rekeyed */
};

struct s2svpn_tunnel {
    s2svpn_connection *connection;
    unsigned index;
    char name[S2SVPN_ID_SIZE + 8]; /* "vpn-….1", for log lines */
    s2svpn_tunnel_options options; /* defaults filled in; pre_shared_key points into psk, or is
                                    * NULL with certificates */
    char psk[S2_SECRET_MAX + 1];
    struct s2_ike_config ike;
    struct s2_table_node by_outside;
    bool listed;                                  /* in context.by_outside */
    struct s2_roaming roaming;                    /* the cloud side's, with a certificate */
    struct s2_peer_certificate *peer_certificate; /* NULL: none is known */
    s2svpn_address inside_local, inside_remote;
    uint8_t phase; /* enum s2svpn_tunnel_phase */
    bool keep_up;  /* this side starts it */
    bool up;       /* as AWS means it */
    bool sa_up, initiator, nat_local, nat_remote;
    uint8_t ike_version; /* of the IKE SA that is up */
    uint32_t ike_sas;    /* that have been up */
    uint64_t changed_ns;
    char reason[128];
    char ike_algorithms[64], esp_algorithms[64];
    struct s2_timer retry;
    struct s2_link pace_link;
    uint64_t pace_held_ns;  /* its handshake is one of the few that begin at once, since; 0: no */
    struct s2_timer settle; /* when static routes may use it, though it is up */
    bool answered;          /* its child: the peer asked for it */
    uint32_t tries;
    struct s2_attempt attempt;
    char bgp_reason[64];    /* why its session isn't established, since IPsec is up; "" */
    bool stranger_told;     /* that somebody speaks BGP at other addresses, since then */
    uint16_t dpd_delay_s;   /* 0: 10, AWS's */
    uint32_t dpd_timeout_s; /* a document's; 0: the options' */
    uint32_t rekeys;
    struct s2_link children; /* of struct s2_child, oldest first */
    struct s2_host *host;
    struct s2_bgp_peer *bgp;
    /* a device's, ours; NULL: none */
    s2svpn_bgp_policy *bgp_import, *bgp_export;
    bool bgp_restarting;             /* gracefully: up without a session */
    bool routes_lost;                /* of the peer's, for want of memory: it must tell them anew */
    bool has_port;                   /* one of its own, published or to be */
    uint32_t med;                    /* towards the peer */
    bool draining;                   /* up, but its paths aren't used: it is about to be changed */
    struct s2_tunnel_change *change; /* NULL: none waits */
    struct s2_tunnel_faults faults;
    uint32_t outside_mtu; /* of the path */
    struct s2_timer path_timer;
    bool path_probed;                /* and no answer yet */
    struct s2_reassembly *fragments; /* for the in-tunnel host; NULL: none wait */
    struct s2_timer fragments_expire;
    struct s2_tunnel_log *log; /* NULL: no line so far */

    /* what workers read */
    size_t owner; /* index of the worker */
    _Atomic(struct s2_sa_out *) out;
    _Atomic uint32_t mtu; /* of inner packets */
    _Atomic bool blackhole;
    _Atomic bool cuts_df;        /* packets with the DF bit, too */
    _Atomic(s2svpn_port *) port; /* with external_bgp: where its packets come out */
    _Atomic uint64_t packets_in, packets_out, bytes_in, bytes_out,
        last_in_ns; /* the owner writes */
};

struct s2_static_route {
    struct s2_link in_connection;
    s2svpn_prefix prefix;
};

struct s2svpn_connection {
    struct s2_object object;
    struct s2_link in_router;
    struct s2_router *router;
    s2svpn_customer_gateway *cgw; /* NULL on a device */
    s2svpn_id customer_gateway, virtual_gateway;
    uint32_t local_asn, peer_asn; /* 0: no BGP */
    uint16_t hold_time_s;
    uint32_t order; /* of its first tunnel among the router's paths */
    bool static_routes_only;
    bool device;
    uint8_t inside_version;               /* of IP: 4 or 6 */
    s2svpn_device_options device_options; /* a device's */
    struct s2_ike_id peer_identity;       /* a device's, that it asks of certificates */
    s2svpn_address customer_address;
    s2svpn_prefix customer_network, cloud_network;
    struct s2_link static_routes;
    size_t static_count;
    struct s2_fib *sources; /* prefixes that packets out of its tunnels may come from */
    struct s2_fib *told;    /* other sites' prefixes that its device was told; NULL: none */
    bool untold;            /* there are more than it may be told */
    s2svpn_tunnel tunnel[2];
    size_t tunnel_count;
};

/* A CIDR block of a VPC. */
struct s2_vpc_block {
    struct s2_link in_vpc;
    s2svpn_prefix prefix;
    s2svpn_id association;
    uint8_t state; /* enum s2svpn_state: PENDING and DELETING while the store is asked */
};

struct s2svpn_vpc {
    struct s2_object object;
    struct s2_link blocks;       /* of struct s2_vpc_block, the primary one first */
    s2svpn_status changed;       /* what became of the last change of its blocks */
    s2svpn_virtual_gateway *vgw; /* attached, or NULL */
    bool claimed;                /* an attachment to it is with the store */
    s2svpn_route_table *main;
    s2svpn_route_table *next_main; /* the store is asked; NULL: none */
    struct s2_link tables, subnets;
    struct s2_fib *addresses; /* of ports, as /32 and /128 */
};

struct s2svpn_subnet {
    struct s2_object object;
    struct s2_link in_vpc;
    s2svpn_vpc *vpc;
    s2svpn_prefix cidr;
    s2svpn_prefix ipv6_cidr;   /* family 0: none */
    s2svpn_route_table *table; /* associated; NULL: the VPC's main one */
    struct s2_link ports;
};

struct s2svpn_port {
    struct s2_object object;
    struct s2_link in_subnet;
    s2svpn_subnet *subnet; /* NULL: a device's */
    s2svpn_tunnel *tunnel; /* a device's: whose near end it is; NULL: the LAN */
    bool counted;          /* among the children of the tunnel's connection */
    s2svpn_port_id number;
    s2svpn_address address;             /* family 0: none */
    s2svpn_address ipv6_address;        /* likewise */
    s2svpn_address router, ipv6_router; /* from which ICMP errors to it come */
    size_t prefix_count;
    s2svpn_prefix *prefix;
    _Atomic(const struct s2_fib *) fib; /* where its packets are looked up */
    _Atomic bool unchecked;             /* any source and destination may pass; a device's always */
};

struct s2_propagation {
    struct s2_link in_router, in_table;
    s2svpn_route_table *table;
    struct s2_router *router;
};

struct s2_table_route {
    struct s2_link in_table;
    s2svpn_prefix prefix;
    uint8_t origin; /* enum s2svpn_route_origin */
    s2svpn_virtual_gateway *vgw;
    s2svpn_port *port;
    bool blackhole;
    s2svpn_id target_id;
};

struct s2svpn_route_table {
    struct s2_object object;
    struct s2_link in_vpc;
    s2svpn_vpc *vpc;
    bool is_main;
    struct s2_fib *fib;
    struct s2_link routes; /* of struct s2_table_route, in no order */
    size_t route_count;
    bool wanting; /* propagated routes found no room */
    struct s2_link propagations;
};

static inline s2svpn_prefix s2_host_prefix(const s2svpn_address *a)
{
    return s2_prefix_make(a, s2_family_bits(a->family));
}

/* s2_rib_path.together of its routes. */
static inline uint8_t s2_paths_together(const s2svpn_connection *c)
{
    return c->device ? c->device_options.ecmp_paths : c->router->ecmp_paths;
}

/* Do its routes come by a session of ours? */
static inline bool s2_speaks_bgp(const s2svpn_connection *c)
{
    return !c->static_routes_only && !c->device_options.external_bgp;
}

/* The network of inside_local and inside_remote. */
static inline const s2svpn_prefix *s2_tunnel_inside(const s2svpn_tunnel *t)
{
    return t->connection->inside_version == 6 ? &t->options.inside_ipv6_cidr
                                              : &t->options.inside_cidr;
}

/* Are both ends known by certificates? */
static inline bool s2_by_certificate(const s2svpn_tunnel *t)
{
    return t->ike.auth_by == S2_IKE_BY_CERTIFICATE;
}

/* Is there an address to start it at? */
static inline bool s2_can_start(const s2svpn_tunnel *t)
{
    return t->ike.remote.family != S2SVPN_FAMILY_NONE;
}

static inline bool s2_prefix_has_host_bits(const s2svpn_prefix *prefix)
{
    const s2svpn_prefix masked = s2_prefix_make(&prefix->address, prefix->length);

    return !s2_prefix_equal(&masked, prefix);
}

/* ---- profile.c: one table of defaults, and what a set of AWS's options means in IKE */
/* Fill zeros with the profile's defaults and check the rest; field names begin with
 * path ("tunnel[1]"). */
S2SVPN_NODISCARD s2svpn_status s2_options_resolve(s2svpn_context *ctx, const char *path,
                                                  s2svpn_tunnel_options *o);
/* Sets to lists, lowest first. */
void s2_choices_make(uint32_t encryption, uint32_t integrity, uint32_t groups,
                     struct s2_ike_choices *out);
/* One algorithm as a set; 0: not one of AWS's. */
uint32_t s2_encryption_bit(uint16_t encr, uint16_t key_bits);
uint32_t s2_integrity_bit(uint16_t integ);
/* Groups without 2, 5 and 22 to 24. */
uint32_t s2_strong_only(uint32_t groups);
/* "AES128 AES256-GCM-16, SHA2-256, groups 14-21": AWS's names. */
void s2_offer_print(const struct s2_offer *offer, size_t phase, char *out, size_t size);
/* "AES_GCM_16_256/PRF_HMAC_SHA2_256/ECP_256"; zero numbers are left out. */
void s2_algorithms_print(uint16_t encr, uint16_t key_bits, uint16_t integ, uint16_t prf,
                         uint16_t ke, char *out, size_t size);

/* ---- tunnel.c: the life of a tunnel */
void s2_tunnel_init(s2svpn_tunnel *t);
void s2_tunnel_clear(s2svpn_tunnel *t);
void s2_tunnel_start(s2svpn_tunnel *t, uint64_t now_ns);
void s2_tunnel_stop(s2svpn_tunnel *t, uint64_t now_ns); /* polite */
/* answered: the peer asked for the child, and has it when our answer has arrived. */
void s2_tunnel_ipsec_up(s2svpn_tunnel *t, bool answered, uint64_t now_ns);
/* The peer has it: static routes may use it. */
void s2_tunnel_settle(s2svpn_tunnel *t, uint64_t now_ns);
void s2_tunnel_ipsec_down(s2svpn_tunnel *t, const char *reason, uint64_t now_ns);
/* BGP or static: routes may be used, or not any more. */
void s2_tunnel_set_up(s2svpn_tunnel *t, bool up, const char *reason, uint64_t now_ns);
void s2_tunnel_set_phase(s2svpn_tunnel *t, enum s2svpn_tunnel_phase phase, const char *reason);
/* A try has failed: the next one with back-off, if this side starts it. */
void s2_tunnel_retry(s2svpn_tunnel *t, const char *reason, uint64_t now_ns);
/* The next one at once: something can be done better. */
void s2_tunnel_retry_now(s2svpn_tunnel *t, const char *reason, uint64_t now_ns);
/* None until the peer or the host starts it. */
void s2_tunnel_rest(s2svpn_tunnel *t, const char *reason);
/* MTU and MSS after a child or a path MTU is known. */
void s2_tunnel_update_mtu(s2svpn_tunnel *t);
/* What fits inside if the outside is this; 0 without a child. */
uint32_t s2_tunnel_inner_mtu(const s2svpn_tunnel *t, uint32_t outside);

/* ---- pace.c: starts take turns */
void s2_pace_init(s2svpn_context *ctx);
/* May it start now? If not, it waits in line, and t->retry fires in time. */
bool s2_pace_ask(s2svpn_tunnel *t, uint64_t now_ns);
/* It has started, or won't: nobody waits for it any more. */
void s2_pace_leave(s2svpn_tunnel *t);

/* ---- path.c: the outside MTU */
void s2_path_init(s2svpn_tunnel *t);
void s2_path_clear(s2svpn_tunnel *t);                  /* as it was at the beginning */
void s2_path_begin(s2svpn_tunnel *t, uint64_t now_ns); /* the tunnel is up, on a new way */
/* Somebody says that a datagram of ours was too big for the path. */
void s2_path_too_big(s2svpn_tunnel *t, const s2svpn_endpoint *local, const s2svpn_endpoint *remote,
                     uint32_t mtu, uint64_t now_ns);

/* ---- reassembly.c: inner fragments for the in-tunnel host */
void s2_fragments_init(s2svpn_tunnel *t);
void s2_fragments_clear(s2svpn_tunnel *t);
void s2_fragments_input(s2svpn_tunnel *t, const uint8_t *p, const struct s2_inet_view *view,
                        uint64_t now_ns);

/* ---- attempt.c: what is offered, from which port, and what an end means */
void s2_attempt_init(s2svpn_tunnel *t);
/* The tunnel's options are what is offered at first; second: after NO_PROPOSAL_CHOSEN,
 * NULL: the same. */
void s2_attempt_set_offers(s2svpn_tunnel *t, const struct s2_offer *second);
struct s2_offer s2_offer_of(const s2svpn_tunnel_options *o);
/* Become as a newer one, but for what was learned and still holds. */
void s2_attempt_adopt(s2svpn_tunnel *t, const struct s2_attempt *fresh);
/* Before IKE starts. */
void s2_attempt_begin(s2svpn_tunnel *t);
/* An IKE SA is up: what made it is what to begin with next time. */
void s2_attempt_sa_up(s2svpn_tunnel *t);
/* The phase is new. */
void s2_attempt_on_phase(s2svpn_tunnel *t);
/* IKE has made or failed to make something: what to say, and what to do. */
enum s2_verdict {
    S2_VERDICT_LATER, /* with back-off, if this side starts it */
    S2_VERDICT_NOW,
    S2_VERDICT_REST, /* wait for the peer */
};
enum s2_verdict s2_attempt_ended(s2svpn_tunnel *t, enum s2_ike_reason reason, const char *detail,
                                 char *words, size_t size);
/* A rekey was refused for its proposals: the next one offers more. */
void s2_attempt_rekey_refused(s2svpn_tunnel *t);

/* ---- connection.c and connection_new.c, shared with device.c */
/* Local endpoints with this address; role 0: any. NULL: none. */
const s2svpn_endpoint *s2_local_find(const s2svpn_context *ctx, const s2svpn_address *a,
                                     uint8_t role);
S2SVPN_NODISCARD s2svpn_status s2_connection_make(s2svpn_context *ctx, struct s2_router *router,
                                                  const s2svpn_id *id, size_t tunnels,
                                                  s2svpn_connection **out);
/* As s2svpn_connection_new, with one tunnel or two. */
S2SVPN_NODISCARD s2svpn_status s2_connection_new(s2svpn_virtual_gateway *vgw,
                                                 s2svpn_customer_gateway *cgw,
                                                 const s2svpn_connection_spec *spec, size_t tunnels,
                                                 s2svpn_connection **out);
/* The tunnels are filled in: into the tables, to the store. Discards c on failure. */
S2SVPN_NODISCARD s2svpn_status s2_connection_complete(s2svpn_connection *c);
/* inside_cidr.c: the tunnel's options have inside addresses then, of nobody else's in the
 * virtual gateway; field names begin with path. */
S2SVPN_NODISCARD s2svpn_status s2_inside_choose(s2svpn_tunnel *t, const char *path);
/* Selectors as AWS names them, local being the customer's; NULL: it stays. */
S2SVPN_NODISCARD s2svpn_status s2_connection_set_networks(s2svpn_connection *c,
                                                          const s2svpn_prefix *local,
                                                          const s2svpn_prefix *remote);
/* AWS's: the first tunnel's is lower, so that it is preferred. */
uint32_t s2_tunnel_usual_med(const s2svpn_tunnel *t);
/* All of a tunnel that options say, as it would be in place of one that is there; its
 * outside address and, without another one, its key stay. */
S2SVPN_NODISCARD s2svpn_status s2_connection_fill_anew(s2svpn_tunnel *fresh,
                                                       const s2svpn_tunnel *present,
                                                       const s2svpn_tunnel_options *options);
/* Local endpoints and the peer's ports of a tunnel whose local address is known. */
S2SVPN_NODISCARD s2svpn_status s2_tunnel_endpoints(s2svpn_tunnel *t, const s2svpn_address *local,
                                                   uint16_t peer_ike_port, uint16_t peer_natt_port);
/* Certificates instead of a key; field names begin with path. */
S2SVPN_NODISCARD s2svpn_status s2_tunnel_use_certificates(s2svpn_tunnel *t, const char *path);
/* What a tunnel's options mean for IKE. */
void s2_tunnel_configure(s2svpn_tunnel *t);
/* Into by_outside and what a peer is found by else; E_EXISTS. */
S2SVPN_NODISCARD s2svpn_status s2_tunnel_list(s2svpn_tunnel *t);
void s2_tunnel_unlist(s2svpn_tunnel *t);
void s2_connection_end(s2svpn_connection *c, uint64_t now_ns);
s2svpn_tunnel *s2_tunnel_by_outside(const s2svpn_context *ctx, const s2svpn_address *local,
                                    const s2svpn_address *remote);

/* ---- tunnel_change.c: a tunnel becomes as another one, filled in beside it */
bool s2_tunnel_same(const s2svpn_tunnel *a, const s2svpn_tunnel *b);
/* All that can fail of s2_tunnel_become. E_EXISTS: addresses that another tunnel uses. */
S2SVPN_NODISCARD s2svpn_status s2_tunnel_prepare(const s2svpn_tunnel *t,
                                                 const s2svpn_tunnel *fresh);
/* Closed with these words; no callback of IKE's comes after. What is next is the caller's. */
void s2_tunnel_shut(s2svpn_tunnel *t, const char *words, uint64_t now_ns);
/* Closed with these words, and begun anew by whoever starts it. */
void s2_tunnel_become(s2svpn_tunnel *t, const s2svpn_tunnel *fresh, const char *words,
                      uint64_t now_ns);

/* ---- tunnel_modify.c: the cloud side's options changed, endpoints replaced */
struct s2_tunnel_change; /* one that waits until the traffic has moved away */
/* The tunnel is up again, or gone: what was done for a change is undone. */
void s2_tunnel_change_done(s2svpn_tunnel *t);
void s2_tunnel_change_clear(s2svpn_tunnel *t);
/* Options that wait to come into force; NULL: none do. */
const s2svpn_tunnel_options *s2_tunnel_waiting(const s2svpn_tunnel *t);

/* ---- fault.c: what was provoked */
/* What leaves by the tunnel's sessions; NULL: all of it. */
const s2svpn_bgp_policy *s2_fault_export(const s2svpn_tunnel *t);
/* A new child of the tunnel's is up. */
void s2_fault_child_up(s2svpn_tunnel *t, uint64_t now_ns);

/* ---- device.c, shared with device_change.c */
/* Is the document whole? */
S2SVPN_NODISCARD s2svpn_status s2_device_check(s2svpn_context *ctx,
                                               const s2svpn_device_config *config);
/* All of a tunnel that a document says; nothing of it is in any table yet. */
S2SVPN_NODISCARD s2svpn_status s2_device_fill(s2svpn_tunnel *t, const s2svpn_config_tunnel *from,
                                              const s2svpn_device_options *options);

/* ---- ike_link.c, bgp_link.c: the engines' callbacks */
S2SVPN_NODISCARD s2svpn_status s2_ike_link_new(s2svpn_context *ctx);
/* Which tunnels a first message may be for; how many were written. */
size_t s2_ike_link_candidates(s2svpn_context *ctx, const s2svpn_endpoint *local,
                              const s2svpn_endpoint *remote, const struct s2_ike_config **out,
                              size_t max);
/* The backend has done a job of IKE's. */
void s2_ike_link_job_done(s2svpn_context *ctx, s2svpn_job *job, s2svpn_status result);
S2SVPN_NODISCARD s2svpn_status s2_bgp_link_new(s2svpn_context *ctx);
S2SVPN_NODISCARD s2svpn_status s2_inside_open(s2svpn_tunnel *t, uint64_t now_ns);
/* The peer has lost its end: begin anew with BGP. */
void s2_inside_restart(s2svpn_tunnel *t, const char *reason, uint64_t now_ns);
void s2_inside_close(s2svpn_tunnel *t, uint64_t now_ns);
/* End the session, and begin anew, if routes of the peer were lost. */
void s2_inside_repair(s2svpn_tunnel *t, uint64_t now_ns);
void s2_inside_free(s2svpn_tunnel *t);
void s2_inside_packet(s2svpn_tunnel *t, const uint8_t *p, size_t len, uint64_t now_ns);
/* The host inside didn't want it: told once if it is BGP between other addresses. */
void s2_inside_unwanted(s2svpn_tunnel *t, const uint8_t *p, size_t len);
void s2_bgp_advertise_to(s2svpn_tunnel *t, const s2svpn_prefix *prefix, bool withdraw);
/* A route that comes from elsewhere, with the path that it had there. */
void s2_bgp_tell(s2svpn_tunnel *t, const s2svpn_prefix *prefix, uint8_t origin,
                 const uint32_t *as_path, uint16_t as_count);

/* ---- bgp_policies.c: when there is no session */
void s2_bgp_policies_clear(s2svpn_tunnel *t);

/* ---- hub.c: one site's routes told to the others */
#define S2_HUB_PREFIXES_MAX 990 /* of AWS's 1,000 to a device; the others are the VPC's */
void s2_hub_init(struct s2_router *r);
/* Somewhere room has come for routes that had none. */
void s2_hub_catch_up(struct s2_router *r);
/* What a path must keep to be told on; the ones that t's path of the prefix has if they
 * say the same. fresh: the caller's until the RIB has taken them. */
S2SVPN_NODISCARD s2svpn_status s2_hub_attributes(struct s2_router *r, const s2svpn_prefix *prefix,
                                                 const s2svpn_tunnel *t,
                                                 const struct s2_bgp_attributes *a, void **out,
                                                 bool *fresh);
/* The best path is another, or none (NULL): tell every site, or one connection's. */
void s2_hub_route(struct s2_router *r, const s2svpn_prefix *prefix, const struct s2_rib_path *best);
void s2_hub_tell(s2svpn_connection *c, const s2svpn_prefix *prefix, const struct s2_rib_path *best);

/* ---- vpc_block.c: what a VPC's CIDR blocks are, and who is told */
S2SVPN_NODISCARD s2svpn_status s2_cidr_check(const struct s2_env *env, const char *field,
                                             const s2svpn_prefix *cidr);
/* family 0 is allowed; most: the longest length. */
S2SVPN_NODISCARD s2svpn_status s2_ipv6_cidr_check(const struct s2_env *env, const char *field,
                                                  const s2svpn_prefix *cidr, uint8_t most);
/* One more in the list, and nothing else. */
S2SVPN_NODISCARD s2svpn_status s2_vpc_block_new(s2svpn_vpc *vpc, const s2svpn_prefix *prefix,
                                                enum s2svpn_state state, struct s2_vpc_block **out);
void s2_vpc_blocks_free(s2svpn_vpc *vpc);
/* The block that all of the prefix lies in, in any state; NULL: none. */
const struct s2_vpc_block *s2_vpc_block_of(const s2svpn_vpc *vpc, const s2svpn_prefix *prefix);
/* Do local routes stand for the block? */
static inline bool s2_vpc_block_counts(const struct s2_vpc_block *b)
{
    return b->state != S2SVPN_STATE_PENDING;
}
/* All blocks into a router, or on failure none; and out of it. */
S2SVPN_NODISCARD s2svpn_status s2_vpc_join(s2svpn_vpc *vpc, struct s2_router *r);
void s2_vpc_leave(s2svpn_vpc *vpc, struct s2_router *r);
void s2_vpc_print(struct s2_buffer *b, const struct s2_object *o);

/* ---- subnet.c */
const struct s2_fib *s2_subnet_fib(const s2svpn_subnet *s);
void s2_subnet_publish(s2svpn_subnet *s); /* to its ports, which table it uses */

/* ---- propagation.c and route_table.c, for the rest of the room */
/* present: it has candidates; usable: one of them is. */
void s2_tables_route(struct s2_router *r, const s2svpn_prefix *prefix, bool present, bool usable);
/* Look over the tables of the router's VPC: what memory was missing for is made good. */
void s2_tables_repair(struct s2_router *r);
void s2_table_gateway_gone(s2svpn_route_table *table, const s2svpn_virtual_gateway *vgw);
void s2_table_gateway_back(s2svpn_route_table *table, s2svpn_virtual_gateway *vgw);
void s2_table_port_gone(s2svpn_route_table *table, const s2svpn_port *port);
S2SVPN_NODISCARD s2svpn_status s2_route_table_make(s2svpn_vpc *vpc, bool is_main,
                                                   s2svpn_route_table **out);
void s2_route_table_end(s2svpn_route_table *table);

#endif
