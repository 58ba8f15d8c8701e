/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All devices of bench_scale.sh in one process: customers with two tunnels and two BGP
 * sessions each, at addresses of their own over real sockets. So many customers start at once,
 * the next as soon as one is up. Says when they start, and whenever all are up or not any more,
 * with the monotonic clock; and works until it is killed.
 *
 * usage: bench_scale_devices CUSTOMERS GROUP AT_ONCE
 */
#define _GNU_SOURCE
#include <event2/event.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "ike_load.h"

#define EACH 50 /* customers of a context, which binds an address for each */

struct customer {
    s2svpn_connection *conn;
    bool up[2];
};

struct all {
    struct event_base *base;
    unsigned customers, started, up; /* up: tunnels */
    struct customer customer[LOAD_CONNECTIONS_MAX];
};

struct device {
    struct all *all;
    unsigned first, count;
};

static void must(bool good, const char *what)
{
    load_must(good, "bench_scale_devices", what);
}

static void say(const struct all *a, const char *what)
{
    struct timespec t;

    must(clock_gettime(CLOCK_MONOTONIC, &t) == 0, "no clock");
    printf("%s %u at %lld.%03ld\n", what, a->up, (long long)t.tv_sec, t.tv_nsec / 1000000);
    fflush(stdout);
}

static void start_next(struct all *a)
{
    if (a->started < a->customers)
        must(s2svpn_connection_start(a->customer[a->started++].conn) == S2SVPN_OK,
             "a connection does not start");
}

static void on_event(void *user, s2svpn_context *ctx, const s2svpn_event *e)
{
    const struct device *d = user;
    struct all *a = d->all;
    struct customer *c = NULL;

    (void)ctx;
    for (unsigned i = d->first; i < d->first + d->count && c == NULL; i++) {
        if (a->customer[i].conn == e->connection)
            c = &a->customer[i];
    }
    if (c == NULL || e->tunnel > 1 || c->up[e->tunnel] == e->up)
        return;
    c->up[e->tunnel] = e->up;
    if (!e->up && a->up == 2 * a->customers)
        say(a, "not_all");
    a->up += e->up ? 1 : (unsigned)-1;
    if (c->up[0] && c->up[1])
        start_next(a);
    if (e->up && a->up == 2 * a->customers)
        say(a, "all");
}

static void open_device(struct all *a, unsigned first, unsigned count, uint16_t group)
{
    s2svpn_host_address address[EACH];
    s2svpn_host_options host_options = S2SVPN_HOST_OPTIONS_INIT;
    s2svpn_options options = S2SVPN_OPTIONS_INIT;
    s2svpn_device_options device_options = S2SVPN_DEVICE_OPTIONS_INIT;
    struct device *d = calloc(1, sizeof(*d)); /* lives as long as the process */
    s2svpn_context *ctx = NULL;
    s2svpn_host *host = NULL;
    s2svpn_error why = {0};

    must(d != NULL, "no memory");
    *d = (struct device){a, first, count};
    memset(address, 0, sizeof(address));
    for (unsigned i = 0; i < count; i++)
        address[i].address = load_customer(first + i);
    host_options.address = address;
    host_options.address_count = count;
    must(s2svpn_host_new(a->base, &host_options, &host, &why) == S2SVPN_OK, why.message);
    s2svpn_host_prepare(host, &options);
    options.role = S2SVPN_ROLE_DEVICE;
    must(s2svpn_context_new(&options, &ctx, &why) == S2SVPN_OK, why.message);
    s2svpn_host_attach(host, ctx);
    must(s2svpn_context_subscribe(ctx, S2SVPN_EVENT_TUNNEL, on_event, d, NULL) == S2SVPN_OK,
         "no events");
    device_options.offers = S2SVPN_OFFERS_EXACT;
    for (unsigned i = first; i < first + count; i++) {
        s2svpn_device_config config;

        load_document(i, group, true, &config);
        must(s2svpn_device_open(ctx, &config, &device_options, &a->customer[i].conn) == S2SVPN_OK,
             s2svpn_context_error(ctx)->message);
    }
}

int main(int argc, char **argv)
{
    static struct all a;
    struct rlimit files;

    a.customers = argc == 4 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    must(a.customers > 0 && a.customers <= LOAD_CONNECTIONS_MAX, "usage: CUSTOMERS GROUP AT_ONCE");
    must(getrlimit(RLIMIT_NOFILE, &files) == 0, "no limits");
    files.rlim_cur = files.rlim_max; /* two sockets a customer */
    must(setrlimit(RLIMIT_NOFILE, &files) == 0, "no limits");
    a.base = event_base_new();
    must(a.base != NULL, "no loop");
    for (unsigned i = 0; i < a.customers; i += EACH)
        open_device(&a, i, a.customers - i < EACH ? a.customers - i : EACH,
                    (uint16_t)strtoul(argv[2], NULL, 10));
    say(&a, "start");
    for (unsigned long i = strtoul(argv[3], NULL, 10); i > 0; i--)
        start_next(&a);
    return event_base_dispatch(a.base);
}
