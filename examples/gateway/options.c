/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of --play. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/play.h"

static void usage(FILE *to)
{
    fputs("usage: s2svpn-gateway --play CONFIG.xml [options]\n"
          "       s2svpn-gateway status | routes | rekey | fault ..., each with --help\n"
          "       s2svpn-gateway examine CONFIG.xml ...: judge the device; with --help\n"
          "  --vpc CIDR             the VPC's block; default 10.0.0.0/16\n"
          "  --instance ADDRESS     the instance's address; default 10.0.1.10\n"
          "  --vpc6 CIDR            the VPC's IPv6 block, /44 to /60; default none\n"
          "  --instance6 ADDRESS    the instance's IPv6 address; default none\n"
          "  --route PREFIX         a static route of the customer's side; again for more\n"
          "  --tun NAME             name of the instance's TUN device\n"
          "  --ports IKE,NATT       our UDP ports; default 500,4500\n"
          "  --peer-ports IKE,NATT  the device's UDP ports; default 500,4500\n" CERTIFICATES_USAGE
          "  --device-certificate FILE\n"
          "                         the customer gateway's, whose subject the device must have\n"
          "  --start                start the tunnels from this side\n"
          "  --encapsulation auto|udp|raw\n"
          "                         where there is no NAT: ESP as IP protocol 50 if this host\n"
          "                         allows it (default), in UDP, or as 50 and nothing else\n"
          "  --no-offload WHAT      do without udp-segment, udp-gro or tun; again for more\n"
          "  --control PATH         the control socket; default " GATEWAY_CONTROL "\n"
          "  --keylog DIR           append session keys to files there (for Wireshark)\n"
          "  --tunnel-logs DIR[,json|text]\n"
          "                         the tunnels' own logs, AWS's form, in files there\n"
          "  --verbose              log more\n"
          "  --version, --help\n"
          "SIGHUP reads certificates again; SIGUSR1 rekeys the tunnels; SIGTERM or SIGINT closes\n"
          "them and ends.\n",
          to);
}

void options_read(struct gateway *g, int argc, char **argv)
{
    static const struct option names[] = {
        {"play", required_argument, NULL, 'y'},
        {"vpc", required_argument, NULL, 'c'},
        {"instance", required_argument, NULL, 'i'},
        {"vpc6", required_argument, NULL, 'C'},
        {"instance6", required_argument, NULL, 'I'},
        {"route", required_argument, NULL, 'r'},
        {"tun", required_argument, NULL, 't'},
        {"ports", required_argument, NULL, 'p'},
        {"peer-ports", required_argument, NULL, 'q'},
        CERTIFICATES_OPTIONS,
        {"device-certificate", required_argument, NULL, 'D'},
        {"start", no_argument, NULL, 's'},
        {"encapsulation", required_argument, NULL, 'w'},
        {"no-offload", required_argument, NULL, 'o'},
        {"keylog", required_argument, NULL, 'k'},
        {"tunnel-logs", required_argument, NULL, 'L'},
        {"control", required_argument, NULL, 'l'},
        {"verbose", no_argument, NULL, 'd'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct program *p = &g->program;
    int c;

    g->vpc = program_prefix(p, "--vpc", "10.0.0.0/16");
    g->instance = program_address(p, "--instance", "10.0.1.10");
    g->control_path = GATEWAY_CONTROL;
    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (c) {
        case 'y':
            g->document = optarg;
            break;
        case 'c':
            g->vpc = program_prefix(p, "--vpc", optarg);
            break;
        case 'i':
            g->instance = program_address(p, "--instance", optarg);
            break;
        case 'C':
            g->vpc_ipv6 = program_prefix(p, "--vpc6", optarg);
            break;
        case 'I':
            g->instance_ipv6 = program_address(p, "--instance6", optarg);
            break;
        case 'r':
            program_add_route(p, "--route", optarg);
            break;
        case 't':
            g->tun = optarg;
            break;
        case 'p':
            program_ports(p, "--ports", optarg, &p->ike_port, &p->natt_port);
            break;
        case 'q':
            program_ports(p, "--peer-ports", optarg, &p->peer_ike_port, &p->peer_natt_port);
            break;
        case 'D':
            g->device_certificate = optarg;
            break;
        case 's':
            g->start = true;
            break;
        case 'w':
            program_encapsulation(p, "--encapsulation", optarg);
            break;
        case 'o':
            program_no_offload(p, "--no-offload", optarg);
            break;
        case 'k':
            p->keylog = optarg;
            break;
        case 'L':
            program_tunnel_logs(p, "--tunnel-logs", optarg);
            break;
        case 'l':
            g->control_path = optarg;
            g->control_given = true;
            break;
        case 'd':
            p->log_level = S2SVPN_LOG_DEBUG;
            break;
        case 'v':
            printf("s2svpn-gateway %s\n", s2svpn_version());
            exit(0);
        case 'h':
            usage(stdout);
            exit(0);
        default:
            if (certificates_take(&g->certificates, c, optarg))
                break;
            usage(stderr);
            exit(2);
        }
    }
    if (optind != argc || g->document == NULL) {
        usage(stderr);
        exit(2);
    }
    certificates_check(p, &g->certificates);
}
