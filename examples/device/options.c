/* SPDX-License-Identifier: Apache-2.0 */
/* Options of the device. */
#include "device/options.h"

#include <getopt.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TUN_NAME_MAX 12 /* numbers follow */

static void usage(FILE *to)
{
    fputs(
        "usage: s2svpn-device [options] CONFIG.xml|FOLDER...\n"
        "       s2svpn-device status|routes|up|down|rekey|capture|clean ... (--help: more)\n"
        "Tunnels:\n"
        "  --local ADDRESS|any    send from it (we are behind NAT), or from whatever address\n"
        "                         the host has; default: the document's\n"
        "  --lan PREFIX, --advertise PREFIX\n"
        "                         advertise it and take its packets; again for more\n"
        "  --route PREFIX         a static route of the cloud's side; again for more\n"
        "  --import FILE, --export FILE\n"
        "                         what BGP lets in and out; 1:FILE, 2:FILE: of one tunnel\n"
        "  --ecmp                 tunnels with equally good routes share the flows\n"
        "  --external-bgp         a TUN device a tunnel, and no BGP of ours: BIRD or FRR does it\n"
        "  --ports IKE,NATT       our UDP ports; default 500,4500\n"
        "  --peer-ports IKE,NATT  the gateway's UDP ports; default 500,4500\n"
        "  --ike auto|1|2|aggressive\n"
        "                         version of IKE; default auto: 2, and 1 where that fails.\n"
        "                         Aggressive: 1 with a mode that gives a hash of the key away\n"
        "  --minimum              offer the document's algorithms from the first try on\n"
        "  --exact                offer them alone\n"
        "  --esn off|allowed|required\n"
        "                         64-bit sequence numbers; default off\n"
        "  --replay-window N      packets, 64 to 8192; default 1024\n"
        "  --dpd-action clear|none|restart\n"
        "                         when the gateway stays silent; default restart\n"
        "  --answer-only          the gateway starts the tunnels\n"
        "  --encapsulation auto|udp|raw\n"
        "                         where there is no NAT: ESP as IP protocol 50 if this host\n"
        "                         allows it (default), in UDP, or as 50 and nothing else\n"
        "Certificates:\n" CERTIFICATES_USAGE
        "  --peer-identity NAME   the gateway's: its certificate's subject, \"CN=..., O=...\", or\n"
        "                         a domain name or address that it has and calls itself\n"
        "The host:\n"
        "  --tun NAME             name of the TUN device; default: the kernel's choice.\n"
        "                         With --external-bgp NAME1, NAME2, ...\n"
        "  --install-routes       route learned and static prefixes into it\n"
        "  --metric N             of these routes; default 50\n"
        "  --table N              put them there; default 254, the main one\n"
        "  --address ADDRESS      put it on the TUN device, source of these routes\n"
        "  --inside-addresses     put the tunnels' inside addresses there\n"
        "  --user NAME            become this user once all is open\n"
        "  --no-offload WHAT      do without udp-segment, udp-gro or tun; again for more\n"
        "Other:\n"
        "  --check                read the documents, say what is in them, and end\n"
        "  --control PATH         the control socket; default " CONTROL_DEFAULT "\n"
        "  --keylog DIR           append session keys to files there (for Wireshark)\n"
        "  --tunnel-logs DIR[,json|text]\n"
        "                         the tunnels' own logs, AWS's form, in files there\n"
        "  --keep-keys            keep them in memory for capture --keylog\n"
        "  --log LEVEL            error, warning, info (default) or debug\n"
        "  --version, --help\n"
        "SIGHUP reads documents, policies and certificates again; SIGUSR1 rekeys the tunnels;\n"
        "SIGTERM or SIGINT closes them and ends.\n",
        to);
}

uint32_t options_number(const struct program *p, const char *option, const char *text,
                        uint32_t most)
{
    char *end;
    const unsigned long long value = strtoull(text, &end, 10);

    if (end == text || *end != 0 || text[0] == '-' || value > most)
        program_usage_error(p, option, text);
    return (uint32_t)value;
}

bool options_manage_host(const struct options *o)
{
    return o->install_routes || o->inside_addresses || o->address_count > 0;
}

static void read_level(struct program *p, const char *text)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};

    for (int i = 0; i < 4; i++) {
        if (strcmp(text, names[i]) == 0) {
            p->log_level = (s2svpn_log_level)i;
            return;
        }
    }
    program_usage_error(p, "--log", text);
}

/* A socket that is bound to no address sends from the one that the kernel takes, whichever
 * the host has just then. The gateway finds a NAT, which is as good a word for it, and
 * follows us when it changes. */
static void read_local(const struct program *p, struct options *o, const char *text)
{
    if (strcmp(text, "any") == 0)
        text = "0.0.0.0";
    o->device.local = program_address(p, "--local", text);
}

/* The place of a word in a list that NULL ends. */
static uint8_t read_word(const struct program *p, const char *option, const char *text,
                         const char *const *words)
{
    for (uint8_t i = 0; words[i]; i++) {
        if (strcmp(text, words[i]) == 0)
            return i;
    }
    program_usage_error(p, option, text);
    return 0;
}

static void add_lan(const struct program *p, struct options *o, const char *option,
                    const char *text)
{
    if (o->lan_count == LANS_MAX)
        program_usage_error(p, option, text);
    o->lan[o->lan_count++] = program_prefix(p, option, text);
}

static void add_address(const struct program *p, struct options *o, const char *text)
{
    if (o->address_count == HOST_ADDRESSES_MAX)
        program_usage_error(p, "--address", text);
    o->address[o->address_count++] = program_address(p, "--address", text);
}

enum {
    OPT_LOCAL = 256,
    OPT_LAN,
    OPT_ADVERTISE,
    OPT_ROUTE,
    OPT_IMPORT,
    OPT_EXPORT,
    OPT_PEER_IDENTITY,
    OPT_ECMP,
    OPT_EXTERNAL,
    OPT_PORTS,
    OPT_PEER_PORTS,
    OPT_IKE,
    OPT_EXACT,
    OPT_MINIMUM,
    OPT_ESN,
    OPT_REPLAY,
    OPT_DPD,
    OPT_ANSWER,
    OPT_ENCAPSULATION,
    OPT_TUN,
    OPT_INSTALL_ROUTES,
    OPT_METRIC,
    OPT_TABLE,
    OPT_ADDRESS,
    OPT_INSIDE,
    OPT_USER,
    OPT_NO_OFFLOAD,
    OPT_CHECK,
    OPT_CONTROL,
    OPT_KEYLOG,
    OPT_TUNNEL_LOGS,
    OPT_KEEP_KEYS,
    OPT_LOG,
    OPT_VERSION,
    OPT_HELP
};

static const struct option names[] = {
    {"local", required_argument, NULL, OPT_LOCAL},
    {"lan", required_argument, NULL, OPT_LAN},
    {"advertise", required_argument, NULL, OPT_ADVERTISE},
    {"route", required_argument, NULL, OPT_ROUTE},
    {"import", required_argument, NULL, OPT_IMPORT},
    {"export", required_argument, NULL, OPT_EXPORT},
    CERTIFICATES_OPTIONS,
    {"peer-identity", required_argument, NULL, OPT_PEER_IDENTITY},
    {"ecmp", no_argument, NULL, OPT_ECMP},
    {"external-bgp", no_argument, NULL, OPT_EXTERNAL},
    {"ports", required_argument, NULL, OPT_PORTS},
    {"peer-ports", required_argument, NULL, OPT_PEER_PORTS},
    {"ike", required_argument, NULL, OPT_IKE},
    {"exact", no_argument, NULL, OPT_EXACT},
    {"minimum", no_argument, NULL, OPT_MINIMUM},
    {"esn", required_argument, NULL, OPT_ESN},
    {"replay-window", required_argument, NULL, OPT_REPLAY},
    {"dpd-action", required_argument, NULL, OPT_DPD},
    {"answer-only", no_argument, NULL, OPT_ANSWER},
    {"encapsulation", required_argument, NULL, OPT_ENCAPSULATION},
    {"tun", required_argument, NULL, OPT_TUN},
    {"install-routes", no_argument, NULL, OPT_INSTALL_ROUTES},
    {"metric", required_argument, NULL, OPT_METRIC},
    {"table", required_argument, NULL, OPT_TABLE},
    {"address", required_argument, NULL, OPT_ADDRESS},
    {"inside-addresses", no_argument, NULL, OPT_INSIDE},
    {"user", required_argument, NULL, OPT_USER},
    {"no-offload", required_argument, NULL, OPT_NO_OFFLOAD},
    {"check", no_argument, NULL, OPT_CHECK},
    {"control", required_argument, NULL, OPT_CONTROL},
    {"keylog", required_argument, NULL, OPT_KEYLOG},
    {"tunnel-logs", required_argument, NULL, OPT_TUNNEL_LOGS},
    {"keep-keys", no_argument, NULL, OPT_KEEP_KEYS},
    {"log", required_argument, NULL, OPT_LOG},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* How the tunnels are made of their documents. */
static void take_device(const struct program *p, s2svpn_device_options *o, int c, const char *value)
{
    static const char *const versions[] = {"auto", "1", "2", "aggressive", NULL};
    static const char *const esn[] = {"off", "allowed", "required", NULL};
    static const char *const actions[] = {"clear", "none", "restart", NULL};

    switch (c) {
    case OPT_MINIMUM:
        o->offers = S2SVPN_OFFERS_MINIMUM;
        break;
    case OPT_IKE:
        o->ike = read_word(p, "--ike", value, versions);
        break;
    case OPT_ESN:
        o->esn = read_word(p, "--esn", value, esn);
        break;
    case OPT_REPLAY:
        o->replay_window = options_number(p, "--replay-window", value, 8192);
        if (o->replay_window < 64)
            program_usage_error(p, "--replay-window", value);
        break;
    case OPT_DPD:
        o->dpd_action = read_word(p, "--dpd-action", value, actions) + 1;
        break;
    case OPT_ANSWER:
        o->startup_action = S2SVPN_STARTUP_ADD + 1;
        break;
    case OPT_PEER_IDENTITY:
        o->peer_identity = value;
        break;
    case OPT_ECMP:
        o->ecmp_paths = S2SVPN_ECMP_PATHS_MAX;
        break;
    case OPT_EXTERNAL:
        o->external_bgp = true;
        break;
    default:
        o->offers = S2SVPN_OFFERS_EXACT;
    }
}

static void take_tunnels(struct program *p, struct options *o, int c, const char *value)
{
    switch (c) {
    case OPT_LOCAL:
        read_local(p, o, value);
        break;
    case OPT_LAN:
        add_lan(p, o, "--lan", value);
        break;
    case OPT_ADVERTISE:
        add_lan(p, o, "--advertise", value);
        break;
    case OPT_ROUTE:
        program_add_route(p, "--route", value);
        break;
    case OPT_IMPORT:
        policies_add_file(o->policies.import, value);
        break;
    case OPT_EXPORT:
        policies_add_file(o->policies.export, value);
        break;
    case OPT_PORTS:
        program_ports(p, "--ports", value, &p->ike_port, &p->natt_port);
        break;
    case OPT_PEER_PORTS:
        program_ports(p, "--peer-ports", value, &p->peer_ike_port, &p->peer_natt_port);
        break;
    case OPT_ENCAPSULATION:
        program_encapsulation(p, "--encapsulation", value);
        break;
    default:
        take_device(p, &o->device, c, value);
    }
}

static void take_host(struct program *p, struct options *o, int c, const char *value)
{
    switch (c) {
    case OPT_TUN:
        o->tun = value;
        break;
    case OPT_INSTALL_ROUTES:
        o->install_routes = true;
        break;
    case OPT_METRIC:
        o->metric = options_number(p, "--metric", value, UINT32_MAX - 1);
        break;
    case OPT_TABLE:
        o->table = options_number(p, "--table", value, UINT32_MAX);
        if (o->table == RT_TABLE_UNSPEC || o->table == RT_TABLE_LOCAL)
            program_usage_error(p, "--table", value);
        break;
    case OPT_ADDRESS:
        add_address(p, o, value);
        break;
    case OPT_INSIDE:
        o->inside_addresses = true;
        break;
    case OPT_NO_OFFLOAD:
        program_no_offload(p, "--no-offload", value);
        break;
    default:
        o->user = value;
    }
}

static void take_other(struct program *p, struct options *o, int c, const char *value)
{
    switch (c) {
    case OPT_CHECK:
        o->check = true;
        break;
    case OPT_CONTROL:
        o->control = value;
        o->control_given = true;
        break;
    case OPT_KEYLOG:
        p->keylog = value;
        break;
    case OPT_TUNNEL_LOGS:
        program_tunnel_logs(p, "--tunnel-logs", value);
        o->device.log = o->device.bgp_log = p->logs->output;
        break;
    case OPT_KEEP_KEYS:
        o->keep_keys = true;
        break;
    case OPT_LOG:
        read_level(p, value);
        break;
    case OPT_VERSION:
        printf("s2svpn-device %s\n", s2svpn_version());
        exit(0);
    case OPT_HELP:
        usage(stdout);
        exit(0);
    default:
        usage(stderr);
        exit(2);
    }
}

/* With BGP of the host's own, prefixes and routes are its business. */
static void check_external(const struct program *p, const struct options *o)
{
    const struct {
        bool given;
        const char *name;
    } others[] = {
        {o->lan_count > 0, "--lan or --advertise"},
        {p->route_count > 0, "--route"},
        {policies_wanted(&o->policies), "--import or --export"},
        {o->device.ecmp_paths > 0, "--ecmp"},
        {o->install_routes, "--install-routes"},
        {o->address_count > 0, "--address"},
        {o->inside_addresses, "--inside-addresses"},
        {o->tun && strlen(o->tun) > TUN_NAME_MAX, "so long a --tun"},
    };

    for (size_t i = 0; o->device.external_bgp && i < sizeof(others) / sizeof(others[0]); i++) {
        if (!others[i].given)
            continue;
        fprintf(stderr, "%s: --external-bgp: not together with %s\n", p->name, others[i].name);
        exit(2);
    }
}

void options_read(struct program *p, struct options *o, int argc, char **argv)
{
    int c;

    o->control = CONTROL_DEFAULT;
    o->table = RT_TABLE_MAIN;
    o->metric = METRIC_DEFAULT;
    o->device = (s2svpn_device_options)S2SVPN_DEVICE_OPTIONS_INIT;
    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (certificates_take(&o->certificates, c, optarg))
            continue;
        if (c >= OPT_LOCAL && c <= OPT_ENCAPSULATION)
            take_tunnels(p, o, c, optarg);
        else if (c >= OPT_TUN && c <= OPT_NO_OFFLOAD)
            take_host(p, o, c, optarg);
        else
            take_other(p, o, c, optarg);
    }
    if (optind == argc) {
        usage(stderr);
        exit(2);
    }
    check_external(p, o);
    certificates_check(p, &o->certificates);
    o->paths = argv + optind;
    o->path_count = (size_t)(argc - optind);
}
