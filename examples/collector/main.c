/* SPDX-License-Identifier: Apache-2.0 */
/* bgp-collector: listens for BGP peers (or connects to one), takes their routes and
 * prints its table. The engine that runs inside the tunnels, here on the host's own TCP:
 * it needs no tunnel. With --advertise it announces prefixes too.
 *
 * The table is printed when a peer's is complete, at SIGUSR1, and at the end. What passes
 * in and out is for the policies of --import and --export, which SIGHUP reads again. */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "collector/collector.h"

uint64_t collector_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void collector_die(const char *what, const char *why)
{
    fprintf(stderr, "bgp-collector: %s: %s\n", what, why);
    exit(1);
}

s2svpn_address collector_address(const struct sockaddr_storage *from)
{
    const struct sockaddr_in *v4 = (const void *)from;
    const struct sockaddr_in6 *v6 = (const void *)from;
    s2svpn_address a = {0};

    if (from->ss_family == AF_INET6) {
        a.family = S2SVPN_FAMILY_IPV6;
        memcpy(a.bytes, &v6->sin6_addr, 16);
    } else {
        a.family = S2SVPN_FAMILY_IPV4;
        memcpy(a.bytes, &v4->sin_addr, 4);
    }
    return a;
}

/* ---- peers */

static void advertise_all(struct peer *p)
{
    struct collector *c = p->collector;
    s2svpn_error why;

    for (size_t i = 0; i < c->advertise_count; i++) {
        const s2svpn_bgp_announcement a = {.size = sizeof(a), .prefix = c->advertise[i]};

        if (s2svpn_bgp_advertise(p->bgp, &a, collector_now(), &why) != S2SVPN_OK)
            fprintf(stderr, "%s: %s: %s\n", p->name, why.field, why.message);
    }
}

static struct peer *find_peer(struct collector *c, const s2svpn_address *address)
{
    for (size_t i = 0; i < c->peer_count; i++) {
        const s2svpn_address a = collector_address(&c->peer[i].address);

        if (memcmp(&a, address, sizeof(a)) == 0)
            return &c->peer[i];
    }
    return NULL;
}

static struct peer *new_peer(struct collector *c, const struct sockaddr_storage *from,
                             socklen_t len, const s2svpn_address *local, bool passive)
{
    struct peer *p = &c->peer[c->peer_count];
    s2svpn_bgp_peer_spec spec = c->spec;
    const s2svpn_address address = collector_address(from);
    s2svpn_error why = {0};

    if (c->peer_count == PEERS_MAX)
        return NULL;
    *p = (struct peer){.collector = c, .address = *from, .address_len = len};
    s2svpn_address_print(&address, p->name);
    spec.peer_address = address;
    spec.local_address = *local;
    spec.passive = passive;
    spec.import_policy = c->import ? &c->import->policy : NULL;
    spec.export_policy = c->export ? &c->export->policy : NULL;
    if (s2svpn_bgp_peer_new(c->bgp, &spec, p, &p->bgp, &why) != S2SVPN_OK)
        collector_die(why.field, why.message);
    c->peer_count++;
    advertise_all(p);
    s2svpn_bgp_start(p->bgp, collector_now());
    return p;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t number,
                      struct sockaddr *from, int len, void *arg)
{
    struct collector *c = arg;
    struct sockaddr_storage remote = {0}, local = {0};
    socklen_t local_len = sizeof(local);

    (void)listener;
    memcpy(&remote, from, (size_t)len);
    getsockname(number, (void *)&local, &local_len);
    const s2svpn_address here = collector_address(&local), there = collector_address(&remote);
    struct peer *p = find_peer(c, &there);
    if (p == NULL)
        p = new_peer(c, &remote, (socklen_t)len, &here, true);
    struct stream *s = p != NULL ? stream_new(p, number, false) : NULL;
    if (s == NULL) {
        evutil_closesocket(number);
        return;
    }
    s->up = true;
    if (!s2svpn_bgp_stream_up(p->bgp, s, false, collector_now()))
        stream_free(s);
}

/* ---- the program */

static void on_timer(evutil_socket_t number, short what, void *arg)
{
    struct collector *c = arg;

    (void)number;
    (void)what;
    s2svpn_bgp_advance(c->bgp, collector_now());
}

/* NULL: it can't be read, which is said. */
static struct policy *read_policy(const char *path)
{
    char why[512];
    struct policy *p = policy_read(path, why, sizeof(why));

    if (p == NULL)
        fprintf(stderr, "bgp-collector: %s\n", why);
    return p;
}

/* A file that isn't understood leaves things as they are. */
static void reload_policies(struct collector *c)
{
    struct policy *in = c->import_file ? read_policy(c->import_file) : NULL;
    struct policy *out = c->export_file ? read_policy(c->export_file) : NULL;
    s2svpn_error why;

    if ((c->import_file && !in) || (c->export_file && !out)) {
        free(in);
        free(out);
        return;
    }
    for (size_t i = 0; i < c->peer_count; i++) {
        if (s2svpn_bgp_peer_set_policies(c->peer[i].bgp, in ? &in->policy : NULL,
                                         out ? &out->policy : NULL, collector_now(),
                                         &why) != S2SVPN_OK)
            collector_die(why.field, why.message);
    }
    free(c->import);
    free(c->export);
    c->import = in;
    c->export = out;
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    struct collector *c = arg;

    (void)what;
    if (number == SIGUSR1)
        table_print(c);
    else if (number == SIGHUP)
        reload_policies(c);
    else
        event_base_loopexit(c->base, NULL);
}

/* "192.0.2.1:179", "[2001:db8::1]:179" */
static socklen_t read_address(const char *text, struct sockaddr_storage *out)
{
    int len = sizeof(*out);

    memset(out, 0, sizeof(*out));
    if (evutil_parse_sockaddr_port(text, (void *)out, &len) != 0)
        collector_die(text, "ADDRESS:PORT is needed");
    return (socklen_t)len;
}

static uint32_t read_number(const char *option, const char *text)
{
    char *end;
    const unsigned long v = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != 0 || v > UINT32_MAX)
        collector_die(option, "a number is needed");
    return (uint32_t)v;
}

static const char usage[] =
    "usage: bgp-collector --asn N (--listen ADDRESS:PORT | --connect ADDRESS:PORT --local "
    "ADDRESS)\n"
    "  --peer-asn N       take no other; 0, the default: any but ours\n"
    "  --router-id A.B.C.D, --max-prefixes N (1,000,000), --hold-time SECONDS (30)\n"
    "  --advertise PREFIX as often as you like\n"
    "  --import FILE, --export FILE   policies; SIGHUP reads them again\n"
    "  --until N          end when a peer's table is complete with N prefixes\n"
    "  --json, --quiet    the table as lines of JSON; no routes, only their number\n";

struct arguments {
    const char *listen, *connect, *local;
};

static void take_option(struct collector *c, struct arguments *a, int option, const char *name)
{
    s2svpn_address id;

    switch (option) {
    case 'a':
        c->spec.local_asn = read_number(name, optarg);
        break;
    case 'p':
        c->spec.peer_asn = read_number(name, optarg);
        break;
    case 'm':
        c->spec.max_prefixes = read_number(name, optarg);
        break;
    case 'h':
        c->spec.hold_time_s = (uint16_t)read_number(name, optarg);
        break;
    case 'u':
        c->until = read_number(name, optarg);
        break;
    case 'l':
        a->listen = optarg;
        break;
    case 'c':
        a->connect = optarg;
        break;
    case 'L':
        a->local = optarg;
        break;
    case 'I':
        c->import_file = optarg;
        break;
    case 'E':
        c->export_file = optarg;
        break;
    case 'j':
        c->json = true;
        break;
    case 'q':
        c->quiet = true;
        break;
    case 'i':
        if (!s2svpn_address_read(optarg, &id) || id.family != S2SVPN_FAMILY_IPV4)
            collector_die(name, "an IPv4 address is needed");
        c->spec.router_id = (uint32_t)id.bytes[0] << 24 | (uint32_t)id.bytes[1] << 16 |
                            (uint32_t)id.bytes[2] << 8 | id.bytes[3];
        break;
    case 'A':
        if (c->advertise_count == ADVERTISED_MAX ||
            !s2svpn_prefix_read(optarg, &c->advertise[c->advertise_count++]))
            collector_die(name, "a prefix is needed");
        break;
    default:
        fputs(usage, stderr);
        exit(2);
    }
}

static struct arguments read_options(struct collector *c, int argc, char **argv)
{
    static const struct option options[] = {
        {"asn", required_argument, NULL, 'a'},
        {"peer-asn", required_argument, NULL, 'p'},
        {"listen", required_argument, NULL, 'l'},
        {"connect", required_argument, NULL, 'c'},
        {"local", required_argument, NULL, 'L'},
        {"router-id", required_argument, NULL, 'i'},
        {"hold-time", required_argument, NULL, 'h'},
        {"max-prefixes", required_argument, NULL, 'm'},
        {"advertise", required_argument, NULL, 'A'},
        {"until", required_argument, NULL, 'u'},
        {"import", required_argument, NULL, 'I'},
        {"export", required_argument, NULL, 'E'},
        {"json", no_argument, NULL, 'j'},
        {"quiet", no_argument, NULL, 'q'},
        {NULL, 0, NULL, 0},
    };
    struct arguments a = {0};
    int option, index = 0;

    while ((option = getopt_long(argc, argv, "", options, &index)) != -1)
        take_option(c, &a, option, option == '?' ? "" : options[index].name);
    if (optind < argc || c->spec.local_asn == 0 || (!a.listen && !(a.connect && a.local))) {
        fputs(usage, stderr);
        exit(2);
    }
    return a;
}

static void open_speaker(struct collector *c)
{
    s2svpn_bgp_options o = S2SVPN_BGP_OPTIONS_INIT;
    s2svpn_error why = {0};

    o.ops = &collector_ops;
    o.user = c;
    o.random = s2svpn_crypto_openssl()->random;
    o.now_ns = collector_now();
    if (s2svpn_bgp_new(&o, &c->bgp, &why) != S2SVPN_OK)
        collector_die(why.field, why.message);
}

static void connect_to(struct collector *c, const struct arguments *a)
{
    struct sockaddr_storage to;
    const socklen_t len = read_address(a->connect, &to);
    s2svpn_address local;

    if (!s2svpn_address_read(a->local, &local))
        collector_die("--local", "an address is needed");
    new_peer(c, &to, len, &local, false);
}

/* Say goodbye; what is sent now still leaves, for a second at most. */
static void say_goodbye(struct collector *c)
{
    const struct timeval second = {1, 0};

    for (size_t i = 0; i < c->peer_count; i++)
        s2svpn_bgp_stop(c->peer[i].bgp, "the collector ends", collector_now());
    event_base_loopexit(c->base, &second);
    event_base_loop(c->base, EVLOOP_ONCE);
}

int main(int argc, char **argv)
{
    static struct collector c = {.spec = {.size = sizeof(c.spec),
                                          .router_id = 0x7f000001,
                                          .max_prefixes = 1000000,
                                          .ipv4 = true,
                                          .ipv6 = true}};
    static const int signals[] = {SIGINT, SIGTERM, SIGUSR1, SIGHUP};
    const struct arguments a = read_options(&c, argc, argv);
    struct evconnlistener *listener = NULL;
    struct event *signal_event[4];

    signal(SIGPIPE, SIG_IGN);
    c.base = event_base_new();
    if (c.base == NULL)
        collector_die("libevent", "no loop");
    c.timer = evtimer_new(c.base, on_timer, &c);
    if ((c.import_file && !(c.import = read_policy(c.import_file))) ||
        (c.export_file && !(c.export = read_policy(c.export_file))))
        return 1;
    for (size_t i = 0; i < 4; i++) {
        signal_event[i] = evsignal_new(c.base, signals[i], on_signal, &c);
        evsignal_add(signal_event[i], NULL);
    }
    open_speaker(&c);
    if (a.listen) {
        struct sockaddr_storage at;
        const socklen_t len = read_address(a.listen, &at);

        listener = evconnlistener_new_bind(c.base, on_accept, &c,
                                           LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, -1,
                                           (void *)&at, (int)len);
        if (listener == NULL)
            collector_die(a.listen, strerror(errno));
    }
    if (a.connect)
        connect_to(&c, &a);
    event_base_dispatch(c.base);
    table_print(&c);
    say_goodbye(&c);
    s2svpn_bgp_free(c.bgp);
    if (listener)
        evconnlistener_free(listener);
    free(c.import);
    free(c.export);
    for (size_t i = 0; i < 4; i++)
        event_free(signal_event[i]);
    event_free(c.timer);
    event_base_free(c.base);
    return c.until > 0 && !c.done;
}
