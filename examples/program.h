/* SPDX-License-Identifier: Apache-2.0 */
/* What the two programs share: a loop with a context on the default host, a log on
 * standard error, options of the command line. The public API alone. */
#ifndef S2_EXAMPLES_PROGRAM_H
#define S2_EXAMPLES_PROGRAM_H

#include <s2svpn/host.h>
#include <s2svpn/s2svpn.h>

#include "tunnel_logs.h"

#define PROGRAM_ADDRESSES_MAX 16
#define PROGRAM_ROUTES_MAX 64

struct program {
    const char *name;
    struct event_base *base;
    s2svpn_host *host;
    s2svpn_context *ctx;
    s2svpn_log_level log_level;
    s2svpn_host_address address[PROGRAM_ADDRESSES_MAX];
    size_t address_count;
    uint16_t ike_port, natt_port;           /* ours; 0: 500 and 4500 */
    uint16_t peer_ike_port, peer_natt_port; /* 0: 500 and 4500 */
    uint8_t raw;                            /* enum s2svpn_host_raw */
    bool no_udp_segment, no_udp_gro, no_tun_offload;
    const char *keylog;                      /* a folder; NULL: none */
    struct tunnel_logs *logs;                /* the tunnels' own; NULL: none */
    s2svpn_prefix route[PROGRAM_ROUTES_MAX]; /* static ones, of every connection */
    size_t route_count;
    s2svpn_connection *connection[PROGRAM_ADDRESSES_MAX];
    size_t connection_count;
    bool stopped;
    /* Hooks of the program, with user as their first argument; NULL: as the comments say. */
    void *user;
    void (*log)(void *user, s2svpn_log_level level, const char *line);        /* standard error */
    void (*keys)(void *user, enum s2svpn_keylog_kind kind, const char *line); /* none */
    void (*stopping)(void *user); /* it was told to end, and says goodbye now; nothing */
    void (*gone)(void *user, s2svpn_port_id port, const char *name); /* a line says so */
};

/* Each prints what is wrong on standard error and ends the program with status 1 or,
 * for the command line, 2. */
void program_fail(const struct program *p, const s2svpn_error *why);
void program_usage_error(const struct program *p, const char *option, const char *value);
s2svpn_address program_address(const struct program *p, const char *option, const char *text);
s2svpn_prefix program_prefix(const struct program *p, const char *option, const char *text);
void program_ports(const struct program *p, const char *option, const char *text, uint16_t *ike,
                   uint16_t *natt);
/* "auto", "udp" or "raw": what ESP goes in where there is no NAT. */
void program_encapsulation(struct program *p, const char *option, const char *text);
/* "DIR", "DIR,json" or "DIR,text": where the tunnels' own logs go. */
void program_tunnel_logs(struct program *p, const char *option, const char *text);
/* "udp-segment", "udp-gro" or "tun": an offload of the kernel's to leave alone. */
void program_no_offload(struct program *p, const char *option, const char *text);
/* Read a document; end it with s2svpn_config_free. */
s2svpn_device_config *program_config(const struct program *p, const char *path);
void program_add_address(struct program *p, const s2svpn_address *a);
void program_add_route(struct program *p, const char *option, const char *text);
/* Take over the handle: its static routes are added, its tunnels keep logs; SIGUSR1 rekeys its tunnels. */
void program_add_connection(struct program *p, s2svpn_connection *conn);

/* Open sockets at the addresses and make the context. */
void program_open(struct program *p, enum s2svpn_context_role role);
/* A TUN device on a port. */
void program_tun(struct program *p, s2svpn_port_id port, const char *name, uint16_t mtu);
/* Run until SIGINT or SIGTERM, say goodbye to the peers. */
void program_loop(struct program *p);
/* Free everything. */
void program_close(struct program *p);
/* Both. */
void program_run(struct program *p);

#endif
