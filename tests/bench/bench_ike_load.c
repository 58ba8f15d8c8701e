/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IKEv2 load from our own initiator over real sockets, and what it costs the responder,
 * ours or a peer's: another process, whose processor clock and memory are read from
 * outside. Customers have two tunnels each, with addresses of their own.
 *
 *     churn   tunnels come up (IKE_SA_INIT, IKE_AUTH with the first child) and are deleted
 *             as soon as both of a customer's are up, so many customers at a time; one
 *             "handshake" is one tunnel up and down. The first tenth is not counted.
 *     up      all tunnels come up and stay, so many customers at a time; then the
 *             responder's memory is read
 *
 * A lost message would hide as a second of waiting, in the rate alone.
 *
 * usage: bench_ike_load churn CUSTOMERS GROUP PID COUNT
 *        bench_ike_load up CUSTOMERS GROUP PID static|bgp
 */
#define _GNU_SOURCE
#include <event2/event.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#include "ike_load.h"

#define EACH 50       /* customers of a context, which binds an address for each */
#define AT_A_TIME 16  /* customers that come up together */
#define PATIENCE_S 15 /* without any tunnel coming up */
#define RESTART_US 1000
#define SETTLE_S 2 /* until the memory is read */

struct customer {
    s2svpn_connection *conn;
    unsigned up;   /* of its two tunnels */
    bool stopping; /* until the peer has answered both deletes */
};

struct load {
    struct event_base *base;
    struct event *patience, *restart;
    struct customer *customer;
    unsigned customers, started;
    unsigned long wanted, warm, done; /* tunnels that came up */
    bool churn;
    clockid_t clock; /* of the responder */
    uint64_t begin_ns, end_ns, responder_ns, own_ns;
};

static void must(bool good, const char *what)
{
    load_must(good, "bench_ike_load", what);
}

static uint64_t read_clock(clockid_t clock)
{
    struct timespec t;

    must(clock_gettime(clock, &t) == 0, "the responder is gone");
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- progress */

static void start_next(struct load *l)
{
    if (l->started < l->customers)
        must(s2svpn_connection_start(l->customer[l->started++].conn) == S2SVPN_OK,
             "a connection does not start");
}

static void begin_count(struct load *l)
{
    l->begin_ns = read_clock(CLOCK_MONOTONIC);
    l->responder_ns = read_clock(l->clock);
    l->own_ns = read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

static void end_count(struct load *l)
{
    l->end_ns = read_clock(CLOCK_MONOTONIC);
    l->responder_ns = read_clock(l->clock) - l->responder_ns;
    l->own_ns = read_clock(CLOCK_PROCESS_CPUTIME_ID) - l->own_ns;
    event_base_loopbreak(l->base);
}

static void both_up(struct load *l, struct customer *c)
{
    if (!l->churn) {
        start_next(l);
        return;
    }
    c->up = 0;
    c->stopping = true;
    must(s2svpn_connection_stop(c->conn) == S2SVPN_OK, "a connection does not stop");
}

/* Is nothing left of it? The peer's answer to a delete is no event. */
static bool is_gone(const struct customer *c)
{
    for (size_t i = 0; i < 2; i++) {
        s2svpn_tunnel_info info = {.size = sizeof(info)};

        s2svpn_tunnel_get_info(s2svpn_connection_tunnel(c->conn, i), &info);
        if (info.ike_algorithms[0] != 0)
            return false;
    }
    return true;
}

static void restart_the_gone(evutil_socket_t fd, short what, void *arg)
{
    struct load *l = arg;

    (void)fd;
    (void)what;
    for (unsigned i = 0; i < l->customers; i++) {
        struct customer *c = &l->customer[i];

        if (!c->stopping || !is_gone(c))
            continue;
        c->stopping = false;
        must(s2svpn_connection_start(c->conn) == S2SVPN_OK, "a connection does not start");
    }
}

static void on_event(void *user, s2svpn_context *ctx, const s2svpn_event *e)
{
    struct load *l = user;
    const struct timeval patience = {PATIENCE_S, 0};

    (void)ctx;
    if (!e->up || e->connection == NULL)
        return;
    event_add(l->patience, &patience);
    for (unsigned i = 0; i < l->customers; i++) {
        struct customer *c = &l->customer[i];

        if (c->conn == e->connection && ++c->up == 2)
            both_up(l, c);
    }
    l->done++;
    if (l->done == l->warm)
        begin_count(l);
    if (l->done == l->wanted)
        end_count(l);
}

static void out_of_patience(evutil_socket_t fd, short what, void *arg)
{
    const struct load *l = arg;

    (void)fd;
    (void)what;
    for (unsigned i = 0; i < l->started; i++) {
        s2svpn_tunnel_info info = {.size = sizeof(info)};

        s2svpn_tunnel_get_info(s2svpn_connection_tunnel(l->customer[i].conn, 0), &info);
        if (!info.up)
            fprintf(stderr, "bench_ike_load: customer %u: %s: %s\n", i,
                    s2svpn_tunnel_phase_text(info.phase), info.reason);
    }
    must(false, "nothing comes up any more");
}

/* ---- making */

static void open_device(struct load *l, unsigned first, unsigned count, uint16_t group, bool bgp)
{
    s2svpn_host_address address[EACH];
    s2svpn_host_options host_options = S2SVPN_HOST_OPTIONS_INIT;
    s2svpn_options options = S2SVPN_OPTIONS_INIT;
    s2svpn_device_options device_options = S2SVPN_DEVICE_OPTIONS_INIT;
    s2svpn_context *ctx = NULL;
    s2svpn_host *host = NULL;
    s2svpn_error why = {0};

    for (unsigned i = 0; i < count; i++)
        address[i] = (s2svpn_host_address){.address = load_customer(first + i)};
    host_options.address = address;
    host_options.address_count = count;
    must(s2svpn_host_new(l->base, &host_options, &host, &why) == S2SVPN_OK, why.message);
    s2svpn_host_prepare(host, &options);
    options.role = S2SVPN_ROLE_DEVICE;
    must(s2svpn_context_new(&options, &ctx, &why) == S2SVPN_OK, why.message);
    s2svpn_host_attach(host, ctx);
    must(s2svpn_context_subscribe(ctx, S2SVPN_EVENT_TUNNEL, on_event, l, NULL) == S2SVPN_OK,
         "no events");
    device_options.offers = S2SVPN_OFFERS_EXACT;
    for (unsigned i = first; i < first + count; i++) {
        s2svpn_device_config config;

        load_document(i, group, bgp, &config);
        must(s2svpn_device_open(ctx, &config, &device_options, &l->customer[i].conn) == S2SVPN_OK,
             s2svpn_context_error(ctx)->message);
    }
}

static void open_load(struct load *l, char **argv)
{
    const bool bgp = !l->churn && strcmp(argv[5], "bgp") == 0;
    const uint16_t group = (uint16_t)strtoul(argv[3], NULL, 10);
    const struct timeval patience = {PATIENCE_S, 0}, often = {0, RESTART_US};
    struct rlimit files;

    /* two sockets a customer */
    must(getrlimit(RLIMIT_NOFILE, &files) == 0, "no limits");
    files.rlim_cur = files.rlim_max;
    must(setrlimit(RLIMIT_NOFILE, &files) == 0, "no limits");
    must(clock_getcpuclockid((pid_t)strtol(argv[4], NULL, 10), &l->clock) == 0,
         "there is no such responder");
    l->base = event_base_new();
    l->customer = calloc(l->customers, sizeof(*l->customer));
    must(l->base != NULL && l->customer != NULL, "no memory");
    l->patience = evtimer_new(l->base, out_of_patience, l);
    l->restart = event_new(l->base, -1, EV_PERSIST, restart_the_gone, l);
    must(l->patience != NULL && event_add(l->patience, &patience) == 0 && l->restart != NULL &&
             event_add(l->restart, &often) == 0,
         "no memory");
    for (unsigned i = 0; i < l->customers; i += EACH)
        open_device(l, i, l->customers - i < EACH ? l->customers - i : EACH, group, bgp);
}

/* ---- results */

static unsigned long resident_kib(const char *pid)
{
    char path[64], line[256];
    unsigned long kib = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%s/smaps_rollup", pid);
    f = fopen(path, "r");
    must(f != NULL, "the responder is gone");
    while (kib == 0 && fgets(line, sizeof(line), f)) {
        if (strncmp(line, "Rss:", 4) == 0)
            kib = strtoul(line + 4, NULL, 10);
    }
    fclose(f);
    return kib;
}

static void print_churn(const struct load *l)
{
    const double n = (double)(l->wanted - l->warm);

    printf("rate %.1f\n", n * 1e9 / (double)(l->end_ns - l->begin_ns));
    printf("responder_us %.1f\n", (double)l->responder_ns / 1e3 / n);
    printf("initiator_us %.1f\n", (double)l->own_ns / 1e3 / n);
}

static void settle(struct load *l)
{
    const struct timeval wait = {SETTLE_S, 0};

    event_del(l->patience);
    event_base_loopexit(l->base, &wait);
    event_base_dispatch(l->base);
}

int main(int argc, char **argv)
{
    static struct load l;

    must(argc == 6 && (strcmp(argv[1], "churn") == 0 || strcmp(argv[1], "up") == 0),
         "usage: churn|up CUSTOMERS GROUP PID COUNT|static|bgp");
    l.churn = argv[1][0] == 'c';
    l.customers = (unsigned)strtoul(argv[2], NULL, 10);
    must(l.customers > 0 && l.customers <= LOAD_CONNECTIONS_MAX, "too many customers");
    l.wanted = l.churn ? strtoul(argv[5], NULL, 10) : 2 * l.customers;
    l.warm = l.churn ? l.wanted / 10 + 1 : 1;
    must(l.wanted > l.warm, "COUNT is too low");
    open_load(&l, argv);
    while (l.started < AT_A_TIME && l.started < l.customers)
        start_next(&l);
    event_base_dispatch(l.base);
    if (l.churn) {
        print_churn(&l);
        return 0;
    }
    settle(&l);
    printf("resident_kib %lu\n", resident_kib(argv[4]));
    return 0;
}
