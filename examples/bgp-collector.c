/* SPDX-License-Identifier: Apache-2.0 */
/* bgp-collector: listens for BGP peers (or connects to one), takes their routes and
 * prints its table. The engine that runs inside the tunnels, here on the host's own TCP:
 * it needs no tunnel. With --advertise it announces prefixes too.
 *
 * The table is printed when a peer's is complete, at SIGUSR1, and at the end. What passes
 * in and out is for the policies of --import and --export, which SIGHUP reads again. */
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
#define RULES_MAX 64
#define OF_A_RULE_MAX 32   /* prefixes, communities */
#define WAITING_MAX 262144 /* bytes that a stream holds for a slow peer */

/* A policy with all that its rules point to. */
struct policy {
    s2svpn_bgp_policy policy;
    s2svpn_bgp_rule rule[RULES_MAX];
    struct {
        s2svpn_bgp_prefix_match prefix[OF_A_RULE_MAX];
        uint32_t add[OF_A_RULE_MAX], strip[OF_A_RULE_MAX];
        s2svpn_bgp_large_community add_large[OF_A_RULE_MAX], strip_large[OF_A_RULE_MAX];
    } of[RULES_MAX];
};

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
    const char *import_file, *export_file;
    struct policy *import, *export; /* NULL: none */
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

/* ---- policies: a rule a line, words in any order behind the first
 *
 *     accept|deny [prefix P [ge N] [le N]]... [first AS] [contains AS] [has COMMUNITY]
 *         [local-pref N] [med N] [prepend N] [add COMMUNITY]... [strip COMMUNITY|all]...
 *     others deny
 *
 * with communities as 64512:7 or 64512:1:7, and # before a remark. */

/* Up to three numbers with colons between; returns how many. */
static int read_community(const char *text, uint32_t *small, s2svpn_bgp_large_community *large)
{
    unsigned long long v[3];
    char end;
    const int n = sscanf(text, "%llu:%llu:%llu%c", &v[0], &v[1], &v[2], &end);

    if (n == 2 && v[0] <= UINT16_MAX && v[1] <= UINT16_MAX)
        *small = (uint32_t)(v[0] << 16 | v[1]);
    else if (n == 3 && v[0] <= UINT32_MAX && v[1] <= UINT32_MAX && v[2] <= UINT32_MAX)
        *large = (s2svpn_bgp_large_community){(uint32_t)v[0], (uint32_t)v[1], (uint32_t)v[2]};
    else
        return 0;
    return n;
}

static bool add_prefix(struct policy *p, size_t i, const char *value)
{
    s2svpn_bgp_rule *r = &p->rule[i];

    r->prefixes = p->of[i].prefix;
    return r->prefix_count < OF_A_RULE_MAX &&
           s2svpn_prefix_read(value, &p->of[i].prefix[r->prefix_count++].prefix);
}

static bool add_community(struct policy *p, size_t i, const char *value, bool strip)
{
    s2svpn_bgp_rule *r = &p->rule[i];
    size_t *count = strip ? &r->strip_count : &r->add_count;
    size_t *large = strip ? &r->strip_large_count : &r->add_large_count;

    if (*count == OF_A_RULE_MAX || *large == OF_A_RULE_MAX)
        return false;
    r->add = p->of[i].add;
    r->strip = p->of[i].strip;
    r->add_large = p->of[i].add_large;
    r->strip_large = p->of[i].strip_large;
    const int n =
        read_community(value, strip ? &p->of[i].strip[*count] : &p->of[i].add[*count],
                       strip ? &p->of[i].strip_large[*large] : &p->of[i].add_large[*large]);
    *count += n == 2;
    *large += n == 3;
    return n != 0;
}

/* One word with its value; false: it makes no sense. */
static bool take_word(struct policy *p, size_t i, const char *word, const char *value)
{
    s2svpn_bgp_rule *r = &p->rule[i];
    s2svpn_bgp_prefix_match *last = &p->of[i].prefix[r->prefix_count > 0 ? r->prefix_count - 1 : 0];
    char *end;
    const unsigned long number = strtoul(value, &end, 10);
    const bool is_number = value[0] >= '0' && value[0] <= '9' && *end == 0 && number <= UINT32_MAX;

    if (strcmp(word, "prefix") == 0)
        return add_prefix(p, i, value);
    if (strcmp(word, "has") == 0) {
        const int n = read_community(value, &r->community, &r->large_community);

        r->match_community |= n == 2;
        r->match_large_community |= n == 3;
        return n != 0;
    }
    if (strcmp(word, "strip") == 0 && strcmp(value, "all") == 0)
        return r->strip_all = true;
    if (strcmp(word, "strip") == 0 || strcmp(word, "add") == 0)
        return add_community(p, i, value, word[0] == 's');
    if (!is_number)
        return false;
    if (strcmp(word, "first") == 0)
        r->as_first = (uint32_t)number;
    else if (strcmp(word, "contains") == 0)
        r->as_contains = (uint32_t)number;
    else if (strcmp(word, "ge") == 0 && number <= 128 && r->prefix_count > 0)
        last->ge = (uint8_t)number;
    else if (strcmp(word, "le") == 0 && number <= 128 && r->prefix_count > 0)
        last->le = (uint8_t)number;
    else if (strcmp(word, "prepend") == 0 && number <= 32)
        r->prepend = (uint8_t)number;
    else if (strcmp(word, "med") == 0 && (r->set_med = true))
        r->med = (uint32_t)number;
    else if (strcmp(word, "local-pref") == 0 && (r->set_local_pref = true))
        r->local_pref = (uint32_t)number;
    else
        return false;
    return true;
}

/* The next word of a line, cut off; NULL: there is none. */
static char *next_word(char **line)
{
    static const char blanks[] = " \t\r\n";
    char *word = *line + strspn(*line, blanks);
    char *end = word + strcspn(word, blanks);

    *line = *end != 0 ? end + 1 : end;
    *end = 0;
    return *word != 0 ? word : NULL;
}

static bool take_rule(struct policy *p, char *line)
{
    char *word = next_word(&line);

    if (word == NULL)
        return true;
    if (strcmp(word, "others") == 0) {
        word = next_word(&line);
        p->policy.deny_others = word != NULL && strcmp(word, "deny") == 0;
        return p->policy.deny_others;
    }
    if (p->policy.rule_count == RULES_MAX ||
        (strcmp(word, "accept") != 0 && strcmp(word, "deny") != 0))
        return false;
    const size_t i = p->policy.rule_count++;
    p->rule[i].accept = word[0] == 'a';
    while ((word = next_word(&line)) != NULL) {
        const char *value = next_word(&line);

        if (value == NULL || !take_word(p, i, word, value))
            return false;
    }
    return true;
}

/* NULL: the file can't be read, or not understood, which is said. */
static struct policy *read_policy(const char *path)
{
    FILE *f = fopen(path, "r");
    struct policy *p = calloc(1, sizeof(*p));
    char line[1024];
    unsigned number = 0;
    bool good = f != NULL && p != NULL;

    while (good && fgets(line, sizeof(line), f) != NULL) {
        number++;
        line[strcspn(line, "#")] = 0;
        good = take_rule(p, line);
    }
    if (f != NULL)
        fclose(f);
    if (!good) {
        fprintf(stderr, "bgp-collector: %s:%u: not understood\n", path, number);
        free(p);
        return NULL;
    }
    p->policy.size = sizeof(p->policy);
    p->policy.rules = p->rule;
    return p;
}

/* ---- the table */

static void print_path(const s2svpn_bgp_route *r, const char *between)
{
    for (uint16_t i = 0; i < r->as_count; i++)
        printf("%s%u", i > 0 ? between : "", r->as_path[i]);
}

static void print_communities(const s2svpn_bgp_route *r, const char *quote, const char *between)
{
    const char *gap = "";

    for (uint16_t i = 0; i < r->community_count; i++, gap = between)
        printf("%s%s%u:%u%s", gap, quote, r->communities[i] >> 16, r->communities[i] & 0xffff,
               quote);
    for (uint16_t i = 0; i < r->large_community_count; i++, gap = between) {
        const s2svpn_bgp_large_community *c = &r->large_communities[i];

        printf("%s%s%u:%u:%u%s", gap, quote, c->administrator, c->data1, c->data2, quote);
    }
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
        printf("]");
        if (r->has_local_pref)
            printf(",\"local_pref\":%u", r->local_pref);
        if (r->community_count + r->large_community_count > 0) {
            printf(",\"communities\":[");
            print_communities(r, "\"", ",");
            printf("]");
        }
        printf("}\n");
        return true;
    }
    printf("%-20s via %-16s ", prefix, hop);
    print_path(r, " ");
    if (r->has_med)
        printf(" (MED %u)", r->med);
    if (r->has_local_pref)
        printf(" (preference %u)", r->local_pref);
    printf(" %s", origins[r->origin]);
    if (r->community_count + r->large_community_count > 0) {
        printf(" (");
        print_communities(r, "", " ");
        printf(")");
    }
    printf("\n");
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
    spec.import_policy = c->import ? &c->import->policy : NULL;
    spec.export_policy = c->export ? &c->export->policy : NULL;
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
                                         out ? &out->policy : NULL, now(), &why) != S2SVPN_OK)
            die(why.field, why.message);
        advertise_all(&c->peer[i]);
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
        print_table(c);
    else if (number == SIGHUP)
        reload_policies(c);
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
    static const int signals[] = {SIGINT, SIGTERM, SIGUSR1, SIGHUP};
    const struct arguments a = read_options(&c, argc, argv);
    struct evconnlistener *listener = NULL;
    struct event *signal_event[4];

    signal(SIGPIPE, SIG_IGN);
    c.base = event_base_new();
    if (c.base == NULL)
        die("libevent", "no loop");
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
    free(c.import);
    free(c.export);
    for (size_t i = 0; i < 4; i++)
        event_free(signal_event[i]);
    event_free(c.timer);
    event_base_free(c.base);
    return c.until > 0 && !c.done;
}
