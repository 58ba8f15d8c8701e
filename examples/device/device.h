/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s2svpn-device's insides. One thread, one loop; everything hangs on struct device.
 *
 *   main.c       brings all up in its order, and down again
 *   options.c    the command line             check.c        --check
 *   files.c      documents from files         connections.c  those that are open
 *   reload.c     SIGHUP: what changed, one connection after the other
 *   events.c     what the library says: into the log, to systemd, to routes and reload
 *   routes.c     makes the host's table what wanted.c says; netlink.c asks the kernel
 *   addresses.c  those on the TUN device      undo.c         what to take away after a crash
 *   links.c      a TUN device a tunnel, for BGP of the host's own
 *   certificates.c, one folder up: those in place of pre-shared keys
 *   policies.c   what our BGP lets in and out
 *   control.c    the control socket           command.c      what can be asked over it
 *   status.c, routes_print.c, routes_bgp.c    the answers, as text and JSON
 *   capture.c    packets and keys, live       client.c       the other end of the socket
 *   log.c  notify.c  privileges.c  text.c     small tools
 */
#ifndef S2_DEVICE_DEVICE_H
#define S2_DEVICE_DEVICE_H

#include "control/control.h"
#include "device/capture.h"
#include "device/connections.h"
#include "device/log.h"
#include "device/options.h"
#include "device/policies.h"
#include "device/reload.h"
#include "device/routes.h"
#include "device/undo.h"
#include "program.h"

#define TUN_MTU 1400

struct device {
    struct program program;
    struct options options;
    struct log log;
    struct connections connections;
    struct policies policies;
    struct reload reload;
    struct undo undo;
    struct routes routes;
    struct control control;
    struct captures captures;
    struct netlink links_netlink;
    char tun[16]; /* the LAN's; "" with --external-bgp */
    bool failed;  /* the exit status */
    bool ready;   /* the service manager was told */
    uint64_t started_ns;
};

#endif
