/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway that plays a document.
 *
 *   play.c      from the beginning to the end
 *   options.c   its command line
 *   command.c   what can be asked over its control socket
 *   status.c    the answers, as text and JSON
 *   client.c    the other end of the socket
 */
#ifndef S2_GATEWAY_PLAY_H
#define S2_GATEWAY_PLAY_H

#include "certificates.h"
#include "control/control.h"
#include "gateway/gateway.h"
#include "program.h"

struct gateway {
    struct program program;
    s2svpn_prefix vpc, vpc_ipv6;
    s2svpn_address instance, instance_ipv6;
    const char *tun;
    const char *document;
    struct certificates certificates;
    const char *device_certificate; /* a file; NULL: none */
    bool start;
    const char *control_path;
    bool control_given;

    s2svpn_connection *connection; /* the program's handle */
    s2svpn_route_table *table;     /* the VPC's main one */
    struct control control;
    int lock; /* -1: none */
    char lock_path[128];
    uint64_t started_ns;
};

/* Read the command line; ends the program where that is wrong. */
void options_read(struct gateway *g, int argc, char **argv);

#endif
