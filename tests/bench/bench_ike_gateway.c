/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway that bench_ike_load loads and measures: one context on the default host,
 * with as many connections as wanted and no more than they need: one algorithm of each
 * kind, static routes or BGP. With start it starts all tunnels itself. Says "ready", and
 * "all" when all tunnels are up for the first time, with the monotonic clock; works until it is
 * killed.
 *
 * usage: bench_ike_gateway CONNECTIONS GROUP static|bgp [start]
 */
#define _GNU_SOURCE
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ike_load.h"

static void must(bool good, const char *what)
{
    load_must(good, "bench_ike_gateway", what);
}

static s2svpn_context *open_gateway(struct event_base *base)
{
    const s2svpn_host_address address[] = {{.address = load_gateway(0)},
                                           {.address = load_gateway(1)}};
    s2svpn_host_options host_options = S2SVPN_HOST_OPTIONS_INIT;
    s2svpn_options options = S2SVPN_OPTIONS_INIT;
    s2svpn_context *ctx = NULL;
    s2svpn_host *host = NULL;
    s2svpn_error why = {0};

    host_options.address = address;
    host_options.address_count = 2;
    must(s2svpn_host_new(base, &host_options, &host, &why) == S2SVPN_OK, why.message);
    s2svpn_host_prepare(host, &options);
    must(s2svpn_context_new(&options, &ctx, &why) == S2SVPN_OK, why.message);
    s2svpn_host_attach(host, ctx);
    return ctx;
}

static s2svpn_connection_spec spec_of(const s2svpn_device_config *config, bool starts)
{
    s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;

    spec.id = config->connection;
    spec.static_routes_only = config->static_routes;
    for (size_t i = 0; i < 2; i++) {
        const s2svpn_config_tunnel *t = &config->tunnel[i];
        s2svpn_tunnel_options *o = &spec.tunnel[i];

        o->outside_address = t->gateway.outside;
        o->inside_cidr = (s2svpn_prefix){.address = t->gateway.inside, .length = 30};
        o->inside_cidr.address.bytes[3] &= 0xfc;
        o->pre_shared_key = t->pre_shared_key;
        o->phase1_encryption = o->phase2_encryption = S2SVPN_AES128_GCM_16;
        o->phase1_integrity = o->phase2_integrity = S2SVPN_SHA2_256;
        o->phase1_dh_groups = o->phase2_dh_groups = S2SVPN_GROUP(t->ike.ke);
        o->startup_action = starts ? S2SVPN_STARTUP_START : S2SVPN_STARTUP_ADD;
    }
    return spec;
}

struct gateway {
    struct event *watch;
    unsigned long count;
    s2svpn_connection *conn[LOAD_CONNECTIONS_MAX];
};

static void say(const char *what, unsigned long n)
{
    struct timespec t;

    must(clock_gettime(CLOCK_MONOTONIC, &t) == 0, "no clock");
    printf("%s %lu at %lld.%03ld\n", what, n, (long long)t.tv_sec, t.tv_nsec / 1000000);
    fflush(stdout);
}

static void look_whether_all_are_up(evutil_socket_t fd, short what, void *arg)
{
    struct gateway *g = arg;

    (void)fd;
    (void)what;
    for (unsigned long i = 0; i < 2 * g->count; i++) {
        s2svpn_tunnel_info info = {.size = sizeof(info)};

        s2svpn_tunnel_get_info(s2svpn_connection_tunnel(g->conn[i / 2], i % 2), &info);
        if (!info.up)
            return;
    }
    say("all", 2 * g->count);
    event_del(g->watch);
}

static s2svpn_connection *add_connection(s2svpn_context *ctx, s2svpn_virtual_gateway *vgw,
                                         const s2svpn_device_config *config, bool starts)
{
    const s2svpn_connection_spec spec = spec_of(config, starts);
    s2svpn_customer_gateway_spec customer = S2SVPN_CUSTOMER_GATEWAY_INIT;
    char text[S2SVPN_ADDRESS_TEXT];
    s2svpn_customer_gateway *cgw = NULL;
    s2svpn_connection *conn = NULL;

    customer.address = s2svpn_address_print(&config->tunnel[0].customer.outside, text);
    must(s2svpn_customer_gateway_new(ctx, &customer, &cgw) == S2SVPN_OK &&
             s2svpn_connection_new(vgw, cgw, &spec, &conn) == S2SVPN_OK,
         s2svpn_context_error(ctx)->message);
    s2svpn_customer_gateway_release(cgw);
    return conn;
}

int main(int argc, char **argv)
{
    const bool starts = argc == 5 && strcmp(argv[4], "start") == 0;
    const unsigned long count = argc == 4 || starts ? strtoul(argv[1], NULL, 10) : 0;
    struct event_base *base = event_base_new();
    s2svpn_virtual_gateway_spec spec = S2SVPN_VIRTUAL_GATEWAY_INIT;
    s2svpn_virtual_gateway *vgw = NULL;
    const struct timeval often = {0, 100000};
    static struct gateway g;
    s2svpn_context *ctx;

    must(count > 0 && count <= LOAD_CONNECTIONS_MAX, "usage: CONNECTIONS GROUP static|bgp [start]");
    must(base != NULL, "no loop");
    ctx = open_gateway(base);
    must(s2svpn_virtual_gateway_new(ctx, &spec, &vgw) == S2SVPN_OK,
         s2svpn_context_error(ctx)->message);
    for (unsigned i = 0; i < count; i++) {
        s2svpn_device_config config;

        load_document(i, (uint16_t)strtoul(argv[2], NULL, 10), strcmp(argv[3], "bgp") == 0,
                      &config);
        g.conn[g.count++] = add_connection(ctx, vgw, &config, starts);
    }
    g.watch = event_new(base, -1, EV_PERSIST, look_whether_all_are_up, &g);
    must(g.watch != NULL && event_add(g.watch, &often) == 0, "no memory");
    say("ready", count);
    return event_base_dispatch(base);
}
