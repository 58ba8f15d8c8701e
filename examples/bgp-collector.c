/* SPDX-License-Identifier: Apache-2.0 */
/* bgp-collector: listens for BGP peers (or connects to one), takes their routes and
 * prints its table. The engine that runs inside the tunnels, here on the host's own TCP:
 * it needs no tunnel. With --advertise it announces prefixes too.
 *
 * The table is printed when a peer's is complete, at SIGUSR1, and at the end. */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <s2svpn/s2svpn.h>

#define PEERS_MAX 64
#define ADVERTISED_MAX 1024
#define READ_MAX 65536
#define WAITING_MAX 262144 /* bytes that a stream holds for a slow peer */

struct collector {
    struct event_base *base;
    struct event *timer;
    s2svpn_bgp *bgp;
    s2svpn_bgp_peer_spec spec; /* but for the addresses */
    struct peer {
        struct collector *collector;
        s2svpn_bgp_peer *bgp;
        struct sockaddr_storage address;
        socklen_t address_len;
        char name[S2SVPN_ENDPOINT_TEXT];
        uint64_t up_ns;
    } peer[PEERS_MAX];
    size_t peer_count;
    s2svpn_prefix advertise[ADVERTISED_MAX];
    size_t advertise_count;
    uint32_t until; /* end when a peer's table is complete with so many prefixes; 0: don't */
    bool json, quiet, done;
};

struct stream {
    struct peer *peer;
    struct bufferevent *bytes;
    bool ours, up, closing;
};

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bgp-collector: %s: %s\n", what, why);
    exit(1);
}

static s2svpn_address address_of(const struct sockaddr_storage *from)
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

/* ---- the table */

static void print_path(const s2svpn_bgp_route *r, const char *between)
{
    for (uint16_t i = 0; i < r->as_count; i++)
        printf("%s%u", i > 0 ? between : "", r->as_path[i]);
}

static bool print_route(void *arg, const s2svpn_bgp_route *r)
{
    static const char *const origins[] = {"IGP", "EGP", "incomplete"};
    const struct peer *p = arg;
    char prefix[S2SVPN_PREFIX_TEXT], hop[S2SVPN_ADDRESS_TEXT];

    s2svpn_prefix_print(&r->prefix, prefix);
    s2svpn_address_print(&r->next_hop, hop);
    if (p->collector->json) {
        printf("{\"peer\":\"%s\",\"prefix\":\"%s\",\"next_hop\":\"%s\",\"origin\":\"%s\",", p->name,
               prefix, hop, origins[r->origin]);
        if (r->has_med)
            printf("\"med\":%u,", r->med);
        printf("\"as_path\":[");
        print_path(r, ",");
        printf("]}\n");
        return true;
    }
    printf("%-20s via %-16s ", prefix, hop);
    print_path(r, " ");
    if (r->has_med)
        printf(" (MED %u)", r->med);
    printf(" %s\n", origins[r->origin]);
    return true;
}

static void print_table(struct collector *c)
{
    for (size_t i = 0; i < c->peer_count; i++) {
        s2svpn_bgp_peer_info info = {.size = sizeof(info)};

        s2svpn_bgp_peer_get_info(c->peer[i].bgp, &info);
        if (!c->json)
            printf("# %s AS%u %s: %u prefixes, %llu updates, %llu treated as withdrawn\n",
                   c->peer[i].name, info.peer_asn,
                   s2svpn_bgp_state_text((enum s2svpn_bgp_state)info.state), info.prefixes_in,
                   (unsigned long long)info.updates_in,
                   (unsigned long long)info.treated_as_withdraw);
        if (!c->quiet)
            s2svpn_bgp_each_route(c->peer[i].bgp, print_route, &c->peer[i]);
    }
    fflush(stdout);
}

/* ---- streams */

static void free_stream(struct stream *s)
{
    bufferevent_free(s->bytes);
    free(s);
}

/* The whole of it at once, since the stream may be gone when receive returns; READ_MAX is
 * its high-water mark. */
static void on_readable(struct bufferevent *bytes, void *arg)
{
    static uint8_t buffer[READ_MAX];
    struct stream *s = arg;
    const size_t len = bufferevent_read(bytes, buffer, sizeof(buffer));

    if (!s->closing && len > 0)
        s2svpn_bgp_receive(s->peer->bgp, s, buffer, len, now());
}

static void on_writable(struct bufferevent *bytes, void *arg)
{
    struct stream *s = arg;

    (void)bytes;
    if (s->closing)
        free_stream(s);
    else if (s->up)
        s2svpn_bgp_writable(s->peer->bgp, s, now());
}

static void on_event(struct bufferevent *bytes, short what, void *arg)
{
    struct stream *s = arg;

    (void)bytes;
    if (what & BEV_EVENT_CONNECTED) {
        s->up = true;
        if (!s2svpn_bgp_stream_up(s->peer->bgp, s, s->ours, now()))
            free_stream(s);
        return;
    }
    if (!s->closing)
        s2svpn_bgp_stream_down(
            s->peer->bgp, s, what & BEV_EVENT_EOF ? "closed by the peer" : strerror(errno), now());
    free_stream(s);
}

static struct stream *new_stream(struct peer *p, int number, bool ours)
{
    struct stream *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->peer = p;
    s->ours = ours;
    s->bytes = bufferevent_socket_new(p->collector->base, number, BEV_OPT_CLOSE_ON_FREE);
    if (s->bytes == NULL) {
        free(s);
        return NULL;
    }
    bufferevent_setcb(s->bytes, on_readable, on_writable, on_event, s);
    bufferevent_setwatermark(s->bytes, EV_READ, 0, READ_MAX);
    bufferevent_enable(s->bytes, EV_READ | EV_WRITE);
    return s;
}

/* ---- what the speaker calls */

static void *on_connect(void *user, s2svpn_bgp_peer *peer, void *peer_user)
{
    struct peer *p = peer_user;
    struct stream *s = new_stream(p, -1, true);

    (void)user;
    (void)peer;
    if (s != NULL &&
        bufferevent_socket_connect(s->bytes, (void *)&p->address, (int)p->address_len) != 0) {
        free_stream(s);
        return NULL;
    }
    return s;
}

static size_t on_send(void *user, void *peer_user, void *stream, const uint8_t *p, size_t len)
{
    struct stream *s = stream;

    (void)user;
    (void)peer_user;
    if (evbuffer_get_length(bufferevent_get_output(s->bytes)) >= WAITING_MAX ||
        bufferevent_write(s->bytes, p, len) != 0)
        return 0; /* on_writable follows when it is drained */
    return len;
}

static void on_close(void *user, void *peer_user, void *stream, bool abort)
{
    struct stream *s = stream;

    (void)user;
    (void)peer_user;
    s->closing = true;
    if (abort || evbuffer_get_length(bufferevent_get_output(s->bytes)) == 0)
        free_stream(s);
}

static void on_deadline(void *user, uint64_t at_ns)
{
    struct collector *c = user;
    const uint64_t at = now(), in_ns = at_ns > at ? at_ns - at : 0;
    const struct timeval in = {(time_t)(in_ns / 1000000000u),
                               (suseconds_t)(in_ns / 1000 % 1000000 + 1)};

    if (at_ns == S2SVPN_NEVER)
        evtimer_del(c->timer);
    else
        evtimer_add(c->timer, &in);
}

static void on_state(void *user, void *peer_user, enum s2svpn_bgp_state from,
                     enum s2svpn_bgp_state to, const char *why)
{
    struct peer *p = peer_user;

    (void)user;
    if (to == S2SVPN_BGP_ESTABLISHED)
        p->up_ns = now();
    fprintf(stderr, "%s: %s -> %s: %s\n", p->name, s2svpn_bgp_state_text(from),
            s2svpn_bgp_state_text(to), why);
}

static void on_end_of_rib(void *user, void *peer_user)
{
    struct collector *c = user;
    struct peer *p = peer_user;
    s2svpn_bgp_peer_info info = {.size = sizeof(info)};

    s2svpn_bgp_peer_get_info(p->bgp, &info);
    fprintf(stderr, "%s: complete, %u prefixes after %.3f s\n", p->name, info.prefixes_in,
            (double)(now() - p->up_ns) / 1e9);
    if (c->until > 0 && info.prefixes_in < c->until)
        return;
    if (c->until > 0) {
        c->done = true;
        event_base_loopexit(c->base, NULL); /* which prints it */
    } else {
        print_table(c);
    }
}

static void on_notification(void *user, void *peer_user, bool sent, const char *words,
                            const char *text)
{
    const struct peer *p = peer_user;

    (void)user;
    fprintf(stderr, "%s: notification %s: %s%s%s\n", p->name, sent ? "sent" : "received", words,
            text[0] ? ": " : "", text);
}

static void on_graceful(void *user, void *peer_user, bool begins)
{
    const struct peer *p = peer_user;

    (void)user;
    fprintf(stderr, "%s: %s\n", p->name,
            begins ? "restarts gracefully, its routes stay" : "its graceful restart is over");
}

/* ---- peers */

static void advertise_all(struct peer *p)
{
    struct collector *c = p->collector;
    s2svpn_error why;

    for (size_t i = 0; i < c->advertise_count; i++) {
        const s2svpn_bgp_announcement a = {.size = sizeof(a), .prefix = c->advertise[i]};

        if (s2svpn_bgp_advertise(p->bgp, &a, now(), &why) != S2SVPN_OK)
            fprintf(stderr, "%s: %s: %s\n", p->name, why.field, why.message);
    }
}

static struct peer *find_peer(struct collector *c, const s2svpn_address *address)
{
    for (size_t i = 0; i < c->peer_count; i++) {
        const s2svpn_address a = address_of(&c->peer[i].address);

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
    const s2svpn_address address = address_of(from);
    s2svpn_error why = {0};

    if (c->peer_count == PEERS_MAX)
        return NULL;
    *p = (struct peer){.collector = c, .address = *from, .address_len = len};
    s2svpn_address_print(&address, p->name);
    spec.peer_address = address;
    spec.local_address = *local;
    spec.passive = passive;
    if (s2svpn_bgp_peer_new(c->bgp, &spec, p, &p->bgp, &why) != S2SVPN_OK)
        die(why.field, why.message);
    c->peer_count++;
    advertise_all(p);
    s2svpn_bgp_start(p->bgp, now());
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
    const s2svpn_address here = address_of(&local), there = address_of(&remote);
    struct peer *p = find_peer(c, &there);
    if (p == NULL)
        p = new_peer(c, &remote, (socklen_t)len, &here, true);
    struct stream *s = p != NULL ? new_stream(p, number, false) : NULL;
    if (s == NULL) {
        evutil_closesocket(number);
        return;
    }
    s->up = true;
    if (!s2svpn_bgp_stream_up(p->bgp, s, false, now()))
        free_stream(s);
}

/* ---- the program */

static void on_timer(evutil_socket_t number, short what, void *arg)
{
    struct collector *c = arg;

    (void)number;
    (void)what;
    s2svpn_bgp_advance(c->bgp, now());
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    struct collector *c = arg;

    (void)what;
    if (number == SIGUSR1)
        print_table(c);
    else
        event_base_loopexit(c->base, NULL);
}

static const s2svpn_bgp_ops ops = {
    .size = sizeof(ops),
    .connect = on_connect,
    .send = on_send,
    .close = on_close,
    .deadline = on_deadline,
    .state = on_state,
    .end_of_rib = on_end_of_rib,
    .notification = on_notification,
    .graceful = on_graceful,
};

/* "192.0.2.1:179", "[2001:db8::1]:179" */
static socklen_t read_address(const char *text, struct sockaddr_storage *out)
{
    int len = sizeof(*out);

    memset(out, 0, sizeof(*out));
    if (evutil_parse_sockaddr_port(text, (void *)out, &len) != 0)
        die(text, "ADDRESS:PORT is needed");
    return (socklen_t)len;
}

static uint32_t read_number(const char *option, const char *text)
{
    char *end;
    const unsigned long v = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != 0 || v > UINT32_MAX)
        die(option, "a number is needed");
    return (uint32_t)v;
}

static const char usage[] =
    "usage: bgp-collector --asn N (--listen ADDRESS:PORT | --connect ADDRESS:PORT --local "
    "ADDRESS)\n"
    "  --peer-asn N       take no other; 0, the default: any but ours\n"
    "  --router-id A.B.C.D, --max-prefixes N (1,000,000), --hold-time SECONDS (30)\n"
    "  --advertise PREFIX as often as you like\n"
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
    case 'j':
        c->json = true;
        break;
    case 'q':
        c->quiet = true;
        break;
    case 'i':
        if (!s2svpn_address_read(optarg, &id) || id.family != S2SVPN_FAMILY_IPV4)
            die(name, "an IPv4 address is needed");
        c->spec.router_id = (uint32_t)id.bytes[0] << 24 | (uint32_t)id.bytes[1] << 16 |
                            (uint32_t)id.bytes[2] << 8 | id.bytes[3];
        break;
    case 'A':
        if (c->advertise_count == ADVERTISED_MAX ||
            !s2svpn_prefix_read(optarg, &c->advertise[c->advertise_count++]))
            die(name, "a prefix is needed");
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

    o.ops = &ops;
    o.user = c;
    o.random = s2svpn_crypto_openssl()->random;
    o.now_ns = now();
    if (s2svpn_bgp_new(&o, &c->bgp, &why) != S2SVPN_OK)
        die(why.field, why.message);
}

static void connect_to(struct collector *c, const struct arguments *a)
{
    struct sockaddr_storage to;
    const socklen_t len = read_address(a->connect, &to);
    s2svpn_address local;

    if (!s2svpn_address_read(a->local, &local))
        die("--local", "an address is needed");
    new_peer(c, &to, len, &local, false);
}

/* Say goodbye; what is sent now still leaves, for a second at most. */
static void say_goodbye(struct collector *c)
{
    const struct timeval second = {1, 0};

    for (size_t i = 0; i < c->peer_count; i++)
        s2svpn_bgp_stop(c->peer[i].bgp, "the collector ends", now());
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
    static const int signals[] = {SIGINT, SIGTERM, SIGUSR1};
    const struct arguments a = read_options(&c, argc, argv);
    struct evconnlistener *listener = NULL;
    struct event *signal_event[3];

    signal(SIGPIPE, SIG_IGN);
    c.base = event_base_new();
    if (c.base == NULL)
        die("libevent", "no loop");
    c.timer = evtimer_new(c.base, on_timer, &c);
    for (size_t i = 0; i < 3; i++) {
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
            die(a.listen, strerror(errno));
    }
    if (a.connect)
        connect_to(&c, &a);
    event_base_dispatch(c.base);
    print_table(&c);
    say_goodbye(&c);
    s2svpn_bgp_free(c.bgp);
    if (listener)
        evconnlistener_free(listener);
    for (size_t i = 0; i < 3; i++)
        event_free(signal_event[i]);
    event_free(c.timer);
    event_base_free(c.base);
    return c.until > 0 && !c.done;
}
