/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tunnel costs to come up: IKE_SA_INIT, IKE_AUTH with a pre-shared key and the
 * child's ESP sessions, between a gateway and a device that hand each other their
 * datagrams in memory. Processor time of this thread, apart for both ends, beside:
 *
 *     raw_dh     OpenSSL's Diffie-Hellman alone: both ends make a key, encode it, decode
 *                the other's and derive; its full check of the other's key, which costs
 *                as much again, is left out
 *
 * Groups take turns for some rounds, so that a slow moment of the machine hits all; the
 * figures are medians of rounds. Lines are "name value unit"; "ratio handshake/raw_dh"
 * is of rates, as bench_esp's: 1 would be a handshake that costs nothing but its
 * Diffie-Hellman. Argument: --quick.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "s2svpn/s2svpn.h"

#define ROUNDS_MAX 25
#define QUEUE 32 /* datagrams under way, a power of two */
#define DATAGRAM_MAX 2048
#define SECOND_NS 1000000000ull
#define PSK "bench.pre.shared.key"

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench_handshake: %s\n", what);
    exit(1);
}

static uint64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

/* ---- Diffie-Hellman alone */

struct group {
    const char *name, *type, *openssl_group; /* the last NULL: the type says all */
    uint16_t number;
};
static const struct group groups[] = {
    {"ecp256", "EC", "P-256", 19},
    {"curve25519", "X25519", NULL, 31},
    {"modp2048", "DH", "modp_2048", 14},
};
#define GROUPS (sizeof(groups) / sizeof(groups[0]))

static EVP_PKEY *make_key(const struct group *g)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, g->type, NULL);
    EVP_PKEY *key = NULL;

    must(
        ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1 &&
            (g->openssl_group == NULL || EVP_PKEY_CTX_set_group_name(ctx, g->openssl_group) == 1) &&
            EVP_PKEY_generate(ctx, &key) == 1,
        "OpenSSL makes no key");
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static void derive(EVP_PKEY *own, const unsigned char *public_value, size_t len)
{
    EVP_PKEY *peer = EVP_PKEY_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
    unsigned char secret[512];
    size_t secret_len = sizeof(secret);

    must(peer != NULL && ctx != NULL && EVP_PKEY_copy_parameters(peer, own) == 1 &&
             EVP_PKEY_set1_encoded_public_key(peer, public_value, len) == 1 &&
             EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) == 1 &&
             EVP_PKEY_derive(ctx, secret, &secret_len) == 1,
         "OpenSSL derives nothing");
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
}

static double raw_dh_us(const struct group *g, unsigned n)
{
    const uint64_t start = cpu_ns();

    for (unsigned i = 0; i < n; i++) {
        EVP_PKEY *key[2] = {make_key(g), make_key(g)};
        unsigned char *value[2];
        size_t len[2];

        for (int k = 0; k < 2; k++) {
            len[k] = EVP_PKEY_get1_encoded_public_key(key[k], &value[k]);
            must(len[k] > 0, "OpenSSL encodes nothing");
        }
        derive(key[0], value[1], len[1]);
        derive(key[1], value[0], len[0]);
        for (int k = 0; k < 2; k++) {
            OPENSSL_free(value[k]);
            EVP_PKEY_free(key[k]);
        }
    }
    return (double)(cpu_ns() - start) / 1e3 / n;
}

/* ---- two contexts and the wire between them */

struct end {
    struct end *peer;
    s2svpn_context *ctx;
    s2svpn_connection *conn;
    s2svpn_endpoint local[4];
    size_t local_count;
    uint64_t deadline_ns;
    uint64_t cpu_ns; /* spent in this context */
    unsigned up;     /* children that came up */
    struct {
        s2svpn_datagram d;
        uint8_t data[DATAGRAM_MAX];
    } queue[QUEUE]; /* what comes to it */
    size_t head, tail;
};

struct pair {
    struct end gateway, device;
    uint64_t now_ns;
};

static size_t send_outside(void *io, s2svpn_worker *worker, const s2svpn_datagram *d, size_t n)
{
    struct end *to = ((struct end *)io)->peer;

    (void)worker;
    for (size_t i = 0; i < n; i++) {
        s2svpn_datagram *in = &to->queue[to->tail % QUEUE].d;
        uint8_t *data = to->queue[to->tail % QUEUE].data;

        must(to->tail - to->head < QUEUE && d[i].len <= DATAGRAM_MAX, "the queue is full");
        memcpy(data, d[i].data, d[i].len);
        *in = (s2svpn_datagram){.remote = d[i].local, .data = data, .len = d[i].len};
        in->segment = d[i].segment;
        for (size_t k = 0; k < to->local_count; k++) {
            if (to->local[k].port == d[i].remote.port &&
                memcmp(&to->local[k].address, &d[i].remote.address, sizeof(s2svpn_address)) == 0)
                in->local = to->local[k];
        }
        to->tail++;
    }
    return n;
}

static size_t send_inside(void *io, s2svpn_worker *worker, s2svpn_port_id port,
                          const s2svpn_packet *p, size_t n)
{
    (void)io;
    (void)worker;
    (void)port;
    (void)p;
    return n;
}

static void set_deadline(void *io, uint64_t at_ns)
{
    ((struct end *)io)->deadline_ns = at_ns;
}

static const s2svpn_io_ops io_ops = {.size = sizeof(io_ops),
                                     .send_outside = send_outside,
                                     .send_inside = send_inside,
                                     .deadline = set_deadline};

static void on_event(void *user, s2svpn_context *ctx, const s2svpn_event *e)
{
    struct end *end = user;

    (void)ctx;
    end->up += e->up;
}

/* What is due at this end; its time is counted. false: nothing was. */
static bool work(struct end *e, uint64_t now_ns)
{
    const uint64_t start = cpu_ns();

    if (e->head != e->tail) {
        s2svpn_receive_outside(s2svpn_context_worker(e->ctx, 0), &e->queue[e->head++ % QUEUE].d, 1,
                               now_ns);
    } else if (e->deadline_ns <= now_ns) {
        e->deadline_ns = S2SVPN_NEVER;
        s2svpn_advance(e->ctx, now_ns);
    } else {
        return false;
    }
    e->cpu_ns += cpu_ns() - start;
    return true;
}

static void run(struct pair *p, uint64_t until_ns)
{
    for (;;) {
        uint64_t next;

        if (work(&p->gateway, p->now_ns) || work(&p->device, p->now_ns))
            continue;
        next = p->gateway.deadline_ns < p->device.deadline_ns ? p->gateway.deadline_ns
                                                              : p->device.deadline_ns;
        if (next > until_ns)
            break;
        p->now_ns = next;
    }
    p->now_ns = until_ns;
}

/* ---- objects */

static s2svpn_address address(const char *text)
{
    s2svpn_address a;

    must(s2svpn_address_read(text, &a), "an address is wrong");
    return a;
}

static void add_local(struct end *e, const char *text)
{
    e->local[e->local_count++] = (s2svpn_endpoint){address(text), 500, S2SVPN_ROLE_IKE, 0};
    e->local[e->local_count++] = (s2svpn_endpoint){address(text), 4500, S2SVPN_ROLE_NATT, 0};
}

static void open_end(struct pair *p, struct end *e, enum s2svpn_context_role role)
{
    s2svpn_options o = S2SVPN_OPTIONS_INIT;

    e->peer = e == &p->gateway ? &p->device : &p->gateway;
    e->deadline_ns = S2SVPN_NEVER;
    o.role = role;
    o.io_ops = &io_ops;
    o.io = e;
    o.local = e->local;
    o.local_count = e->local_count;
    o.now_ns = p->now_ns;
    must(s2svpn_context_new(&o, &e->ctx, NULL) == S2SVPN_OK &&
             s2svpn_context_subscribe(e->ctx, S2SVPN_EVENT_CHILD, on_event, e, NULL) == S2SVPN_OK,
         "no context");
}

/* The algorithms that both ends have: one of each. */
static s2svpn_config_phase phase(uint16_t group, uint32_t lifetime_s)
{
    return (s2svpn_config_phase){.encr = S2SVPN_ENCR_AES_GCM_16,
                                 .key_bits = 128,
                                 .integ = S2SVPN_INTEG_HMAC_SHA2_256_128,
                                 .ke = group,
                                 .lifetime_s = lifetime_s};
}

static void open_gateway(struct end *e, s2svpn_device_config *config)
{
    const s2svpn_config_tunnel *t = &config->tunnel[0];
    s2svpn_virtual_gateway_spec vgw_spec = S2SVPN_VIRTUAL_GATEWAY_INIT;
    s2svpn_customer_gateway_spec cgw_spec = S2SVPN_CUSTOMER_GATEWAY_INIT;
    s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;
    s2svpn_virtual_gateway *vgw = NULL;
    s2svpn_customer_gateway *cgw = NULL;

    cgw_spec.address = "203.0.113.7";
    spec.static_routes_only = true;
    for (size_t i = 0; i < 2; i++) {
        spec.tunnel[i].pre_shared_key = PSK;
        spec.tunnel[i].phase1_encryption = S2SVPN_AES128_GCM_16;
        spec.tunnel[i].phase2_encryption = S2SVPN_AES128_GCM_16;
        spec.tunnel[i].phase1_integrity = spec.tunnel[i].phase2_integrity = S2SVPN_SHA2_256;
        spec.tunnel[i].phase1_dh_groups = S2SVPN_GROUP(t->ike.ke);
        spec.tunnel[i].phase2_dh_groups = S2SVPN_GROUP(t->ipsec.ke);
    }
    spec.tunnel[0].inside_cidr = (s2svpn_prefix){address("169.254.10.4"), 30, {0}};
    spec.tunnel[0].outside_address = t->gateway.outside;
    must(s2svpn_virtual_gateway_new(e->ctx, &vgw_spec, &vgw) == S2SVPN_OK &&
             s2svpn_customer_gateway_new(e->ctx, &cgw_spec, &cgw) == S2SVPN_OK &&
             s2svpn_connection_new(vgw, cgw, &spec, &e->conn) == S2SVPN_OK,
         s2svpn_context_error(e->ctx)->message);
    s2svpn_virtual_gateway_release(vgw);
    s2svpn_customer_gateway_release(cgw);
}

static void open_device(struct end *e, const s2svpn_device_config *config)
{
    s2svpn_device_options options = S2SVPN_DEVICE_OPTIONS_INIT;

    options.offers = S2SVPN_OFFERS_EXACT;
    must(s2svpn_device_open(e->ctx, config, &options, &e->conn) == S2SVPN_OK,
         s2svpn_context_error(e->ctx)->message);
}

static void open_pair(struct pair *p, const struct group *g)
{
    s2svpn_device_config config = {
        .size = sizeof(config), .connection = {"vpn-0123456789abcdef0"}, .static_routes = true};
    s2svpn_config_tunnel *t = &config.tunnel[0];

    config.tunnel_count = 1;
    t->customer.outside = address("203.0.113.7");
    t->customer.inside = address("169.254.10.6");
    t->gateway.outside = address("198.51.100.1");
    t->gateway.inside = address("169.254.10.5");
    t->inside_length = 30;
    t->ike = phase(g->number, 28800);
    t->ipsec = phase(g->number, 3600);
    t->dpd_interval_s = 10;
    t->dpd_retries = 3;
    snprintf(t->pre_shared_key, sizeof(t->pre_shared_key), "%s", PSK);
    p->now_ns = SECOND_NS;
    add_local(&p->gateway, "198.51.100.1");
    add_local(&p->gateway, "198.51.100.2"); /* a connection has two tunnels; this one sleeps */
    add_local(&p->device, "203.0.113.7");
    open_end(p, &p->gateway, S2SVPN_ROLE_GATEWAY);
    open_end(p, &p->device, S2SVPN_ROLE_DEVICE);
    open_gateway(&p->gateway, &config);
    open_device(&p->device, &config);
}

static void close_pair(struct pair *p)
{
    s2svpn_connection_release(p->device.conn);
    s2svpn_connection_release(p->gateway.conn);
    s2svpn_context_free(p->device.ctx);
    s2svpn_context_free(p->gateway.ctx);
}

/* ---- measuring */

struct figures {
    double both_us, responder_us, initiator_us, raw_us, ratio;
};

static void handshakes(struct pair *p, unsigned n, struct figures *out)
{
    uint64_t gateway_ns = 0, device_ns = 0;

    for (unsigned i = 0; i < n; i++) {
        p->gateway.cpu_ns = p->device.cpu_ns = 0;
        p->gateway.up = p->device.up = 0;
        must(s2svpn_connection_start(p->device.conn) == S2SVPN_OK, "it does not start");
        run(p, p->now_ns + SECOND_NS / 10);
        must(p->gateway.up == 1 && p->device.up == 1, "a tunnel did not come up");
        gateway_ns += p->gateway.cpu_ns;
        device_ns += p->device.cpu_ns;
        must(s2svpn_connection_stop(p->device.conn) == S2SVPN_OK, "it does not stop");
        run(p, p->now_ns + 60 * SECOND_NS); /* forgets what was, at nobody's cost */
    }
    out->responder_us = (double)gateway_ns / 1e3 / n;
    out->initiator_us = (double)device_ns / 1e3 / n;
    out->both_us = out->responder_us + out->initiator_us;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(const struct figures *f, size_t n, size_t offset)
{
    double v[ROUNDS_MAX];

    for (size_t i = 0; i < n; i++)
        v[i] = *(const double *)(const void *)((const char *)&f[i] + offset);
    qsort(v, n, sizeof(v[0]), by_value);
    return v[n / 2];
}
#define MEDIAN(f, n, member) median(f, n, offsetof(struct figures, member))

int main(int argc, char **argv)
{
    static struct pair pair[GROUPS];
    static struct figures f[GROUPS][ROUNDS_MAX];
    const bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    const size_t rounds = quick ? 5 : ROUNDS_MAX;
    const unsigned n = quick ? 4 : 10;

    if (s2svpn_crypto_openssl() == NULL) {
        printf("skip bench_handshake (built without OpenSSL)\n");
        return 77;
    }
    for (size_t g = 0; g < GROUPS; g++) {
        open_pair(&pair[g], &groups[g]);
        handshakes(&pair[g], 2, &f[g][0]); /* warm */
        raw_dh_us(&groups[g], 2);
    }
    for (size_t r = 0; r < rounds; r++) {
        for (size_t g = 0; g < GROUPS; g++) {
            f[g][r].raw_us = raw_dh_us(&groups[g], n);
            handshakes(&pair[g], n, &f[g][r]);
            f[g][r].ratio = f[g][r].raw_us / f[g][r].both_us;
        }
    }
    for (size_t g = 0; g < GROUPS; g++) {
        const char *name = groups[g].name;

        printf("raw_dh_%s %.0f us\n", name, MEDIAN(f[g], rounds, raw_us));
        printf("handshake_%s %.0f us\n", name, MEDIAN(f[g], rounds, both_us));
        printf("handshake_%s_responder %.0f us\n", name, MEDIAN(f[g], rounds, responder_us));
        printf("handshake_%s_initiator %.0f us\n", name, MEDIAN(f[g], rounds, initiator_us));
        printf("handshake_%s %.0f a second\n", name, 1e6 / MEDIAN(f[g], rounds, both_us));
        close_pair(&pair[g]);
    }
    for (size_t g = 0; g < GROUPS; g++)
        printf("ratio handshake_%s/raw_dh_%s %.3f\n", groups[g].name, groups[g].name,
               MEDIAN(f[g], rounds, ratio));
    return 0;
}
