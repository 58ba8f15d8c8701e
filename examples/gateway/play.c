/* SPDX-License-Identifier: Apache-2.0 */
/* s2svpn-gateway --play: AWS's end of a customerGatewayConfiguration document, so that a
 * device configured for a real connection is tested unedited: a VPC with one instance,
 * which is a TUN device here. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/lock.h"
#include "gateway/command.h"

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
    g->table = s2svpn_vpc_main_route_table(vpc);
    must(g, s2svpn_route_table_enable_propagation(g->table, vgw));
    number = s2svpn_port_number(port);
    s2svpn_port_release(port);
    s2svpn_subnet_release(subnet);
    s2svpn_vpc_release(vpc);
    return number;
}

/* ---- the control socket */

static const char *open_socket(struct gateway *g)
{
    const char *why = control_make_folder(&g->control, g->control_path);

    snprintf(g->lock_path, sizeof(g->lock_path), "%s.lock", g->control_path);
    if (why == NULL)
        why = lock_open(g->lock_path, "another s2svpn-gateway is at work with it", &g->lock);
    if (why == NULL)
        why = control_open(&g->control, g->control_path);
    return why;
}

/* Asked of nobody: where its default place can't be had, the gateway works without. */
static void open_control(struct gateway *g)
{
    const char *why;

    g->control.base = g->program.base;
    g->control.user = g;
    g->control.run = command_run;
    why = open_socket(g);
    if (why == NULL)
        return;
    fprintf(stderr, "%s: %s: %s: %s%s\n", g->program.name, g->control_given ? "error" : "warning",
            g->control_path, why, g->control_given ? "" : ": no control socket");
    if (g->control_given)
        exit(1);
}

static void close_control(struct gateway *g)
{
    control_close(&g->control);
    if (g->lock >= 0) {
        unlink(g->lock_path);
        close(g->lock);
    }
    control_remove_folder(&g->control);
}

/* ---- the whole */

static void open_all(struct gateway *g)
{
    struct program *p = &g->program;
    s2svpn_device_config *config = program_config(p, g->document);
    s2svpn_virtual_gateway *vgw;

    for (size_t i = 0; i < config->tunnel_count; i++)
        program_add_address(p, &config->tunnel[i].gateway.outside);
    program_open(p, S2SVPN_ROLE_GATEWAY);
    if (!certificates_init(p, &g->certificates) || !certificates_on_hangup(&g->certificates))
        exit(1);
    certificates_play(&g->certificates, g->device_certificate, config, &vgw, &g->connection);
    s2svpn_config_free(config);
    open_control(g);
    program_tun(p, build_vpc(g, vgw), g->tun, 1400);
    program_add_connection(p, g->connection);
    if (g->start)
        must(g, s2svpn_connection_start(g->connection));
    s2svpn_virtual_gateway_release(vgw);
}

int play(int argc, char **argv)
{
    static struct gateway g = {.program = {.name = "s2svpn-gateway",
                                           .log_level = S2SVPN_LOG_INFO,
                                           .raw = S2SVPN_HOST_RAW_AUTO},
                               .control = {.fd = -1},
                               .lock = -1};

    options_read(&g, argc, argv);
    signal(SIGPIPE, SIG_IGN);
    g.started_ns = s2svpn_host_now();
    open_all(&g);
    program_loop(&g.program);
    close_control(&g);
    certificates_clear(&g.certificates);
    s2svpn_route_table_release(g.table);
    program_close(&g.program);
    return 0;
}
