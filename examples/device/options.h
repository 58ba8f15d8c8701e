/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of the device itself; that of its subcommands: client.h. */
#ifndef S2_DEVICE_OPTIONS_H
#define S2_DEVICE_OPTIONS_H

#include "certificates.h"
#include "device/policies.h"
#include "program.h"

#define LANS_MAX 64
#define HOST_ADDRESSES_MAX 8
#define CONTROL_DEFAULT "/run/s2svpn-device/control"
#define METRIC_DEFAULT 50

struct options {
    s2svpn_prefix lan[LANS_MAX]; /* advertised */
    size_t lan_count;
    const char *tun; /* with device.external_bgp the names' beginning; NULL: the kernel's choice */
    s2svpn_device_options device;
    struct policy_files policies;
    struct certificates certificates; /* the files' names */
    const char *control;              /* the socket's path */
    bool control_given;
    const char *user;      /* to become; NULL: stay */
    bool install_routes;   /* learned and static prefixes go into the host's table */
    uint32_t table;        /* which; RT_TABLE_MAIN by default */
    uint32_t metric;       /* of those routes */
    bool inside_addresses; /* the tunnels' go onto the TUN device */
    s2svpn_address address[HOST_ADDRESSES_MAX]; /* these too */
    size_t address_count;
    bool keep_keys; /* in memory, for "capture --keylog" */
    bool check;
    char **paths; /* of files and folders; borrowed from argv */
    size_t path_count;
};

/* Ends the program with status 2 if they are wrong, with 0 after --help and --version. */
void options_read(struct program *p, struct options *o, int argc, char **argv);

/* A whole number of at most @most; else the program ends. */
uint32_t options_number(const struct program *p, const char *option, const char *text,
                        uint32_t most);

/* What the device asks of the host: addresses, routes, or a device that is up. */
bool options_manage_host(const struct options *o);

#endif
