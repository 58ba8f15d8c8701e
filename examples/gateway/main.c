/* SPDX-License-Identifier: Apache-2.0 */
/* s2svpn-gateway: the cloud's end. With --play it plays AWS's end of a
 * customerGatewayConfiguration document, so that a device configured for a real
 * connection is tested unedited: a VPC with one instance, which is a TUN device here. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

struct gateway {
    struct program program;
    s2svpn_prefix vpc, vpc_ipv6;
    s2svpn_address instance, instance_ipv6;
    const char *tun;
    const char *play;
    bool start;
};

static void usage(FILE *to)
{
    fputs("usage: s2svpn-gateway --play CONFIG.xml [options]\n"
          "  --vpc CIDR             the VPC's block; default 10.0.0.0/16\n"
          "  --instance ADDRESS     the instance's address; default 10.0.1.10\n"
          "  --vpc6 CIDR            the VPC's IPv6 block, /44 to /60; default none\n"
          "  --instance6 ADDRESS    the instance's IPv6 address; default none\n"
          "  --route PREFIX         a static route of the customer's side; again for more\n"
          "  --tun NAME             name of the instance's TUN device\n"
          "  --ports IKE,NATT       our UDP ports; default 500,4500\n"
          "  --peer-ports IKE,NATT  the device's UDP ports; default 500,4500\n"
          "  --start                start the tunnels from this side\n"
          "  --encapsulation auto|udp|raw\n"
          "                         where there is no NAT: ESP as IP protocol 50 if this host\n"
          "                         allows it (default), in UDP, or as 50 and nothing else\n"
          "  --no-offload WHAT      do without udp-segment, udp-gro or tun; again for more\n"
          "  --keylog DIR           append session keys to files there (for Wireshark)\n"
          "  --verbose              log more\n"
          "  --version, --help\n"
          "SIGUSR1 rekeys the tunnels; SIGTERM or SIGINT closes them and ends.\n",
          to);
}

static void read_options(struct gateway *g, int argc, char **argv)
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
        {"start", no_argument, NULL, 's'},
        {"encapsulation", required_argument, NULL, 'w'},
        {"no-offload", required_argument, NULL, 'o'},
        {"keylog", required_argument, NULL, 'k'},
        {"verbose", no_argument, NULL, 'd'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct program *p = &g->program;
    int c;

    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (c) {
        case 'y':
            g->play = optarg;
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
            usage(stderr);
            exit(2);
        }
    }
    if (optind != argc || g->play == NULL) {
        usage(stderr);
        exit(2);
    }
}

static void must(const struct gateway *g, s2svpn_status rc)
{
    if (rc != S2SVPN_OK)
        program_fail(&g->program, s2svpn_context_error(g->program.ctx));
}

/* A VPC with one subnet as large as it, one instance, propagation into its main table. */
static s2svpn_port_id build_vpc(struct gateway *g, s2svpn_virtual_gateway *vgw)
{
    s2svpn_context *ctx = g->program.ctx;
    s2svpn_vpc_spec vpc_spec = S2SVPN_VPC_INIT;
    s2svpn_subnet_spec subnet_spec = S2SVPN_SUBNET_INIT;
    s2svpn_port_spec port_spec = S2SVPN_PORT_INIT;
    s2svpn_vpc *vpc;
    s2svpn_subnet *subnet;
    s2svpn_port *port;
    s2svpn_route_table *table;
    s2svpn_port_id number;

    vpc_spec.cidr = subnet_spec.cidr = g->vpc;
    vpc_spec.ipv6_cidr = subnet_spec.ipv6_cidr = g->vpc_ipv6;
    must(g, s2svpn_vpc_new(ctx, &vpc_spec, &vpc));
    must(g, s2svpn_subnet_new(vpc, &subnet_spec, &subnet));
    port_spec.subnet = subnet;
    port_spec.address = g->instance;
    port_spec.ipv6_address = g->instance_ipv6;
    must(g, s2svpn_port_new(ctx, &port_spec, &port));
    must(g, s2svpn_virtual_gateway_attach(vgw, vpc));
    table = s2svpn_vpc_main_route_table(vpc);
    must(g, s2svpn_route_table_enable_propagation(table, vgw));
    number = s2svpn_port_number(port);
    s2svpn_route_table_release(table);
    s2svpn_port_release(port);
    s2svpn_subnet_release(subnet);
    s2svpn_vpc_release(vpc);
    return number;
}

int main(int argc, char **argv)
{
    struct gateway g = {.program = {.name = "s2svpn-gateway",
                                    .log_level = S2SVPN_LOG_INFO,
                                    .raw = S2SVPN_HOST_RAW_AUTO}};
    s2svpn_device_config *config;
    s2svpn_virtual_gateway *vgw;
    s2svpn_connection *conn;

    g.vpc = program_prefix(&g.program, "--vpc", "10.0.0.0/16");
    g.instance = program_address(&g.program, "--instance", "10.0.1.10");
    read_options(&g, argc, argv);
    config = program_config(&g.program, g.play);
    for (size_t i = 0; i < config->tunnel_count; i++)
        program_add_address(&g.program, &config->tunnel[i].gateway.outside);
    program_open(&g.program, S2SVPN_ROLE_GATEWAY);
    must(&g, s2svpn_gateway_play(g.program.ctx, config, &vgw, &conn));
    s2svpn_config_free(config);
    program_tun(&g.program, build_vpc(&g, vgw), g.tun, 1400);
    program_add_connection(&g.program, conn);
    if (g.start)
        must(&g, s2svpn_connection_start(conn));
    s2svpn_virtual_gateway_release(vgw);
    program_run(&g.program);
    return 0;
}
