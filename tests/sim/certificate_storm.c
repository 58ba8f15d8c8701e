/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the world of a storm of certificates: the gateway, its devices, the strangers and what
 * they lie about. */
#include "certificate_storm.h"

#include <stdlib.h>
#include <string.h>

#define HEAD 16                      /* keeps what follows aligned */
#define HASTE_NS (300 * MILLISECOND) /* who retries at once lives so long */

enum { SUBJECT_MAX = 512 };

static s2svpn_address address(const char *text)
{
    s2svpn_address a = {0};

    CHECK(s2svpn_address_read(text, &a));
    return a;
}

static s2svpn_prefix prefix(const char *text)
{
    s2svpn_prefix p = {.length = 0};

    CHECK(s2svpn_prefix_read(text, &p));
    return p;
}

/* ---- what the gateway takes and does */

static void *allocate(void *user, size_t len)
{
    struct world *w = user;
    uint8_t *p = len > SIZE_MAX - HEAD ? NULL : malloc(len + HEAD);

    if (!p)
        return NULL;
    memcpy(p, &len, sizeof(len));
    w->bytes += len;
    w->peak = w->bytes > w->peak ? w->bytes : w->peak;
    return p + HEAD;
}

static void release(void *user, void *p)
{
    struct world *w = user;
    size_t len;

    if (!p)
        return;
    memcpy(&len, (uint8_t *)p - HEAD, sizeof(len));
    w->bytes -= len;
    free((uint8_t *)p - HEAD);
}

/* OpenSSL's jobs answer at once. */
static s2svpn_job_state counting_job(void *user, s2svpn_job *job, s2svpn_status *result)
{
    struct world *w = ((struct side *)user)->world;

    w->verified += job->kind == S2SVPN_JOB_VERIFY;
    w->shared += job->kind == S2SVPN_JOB_KE_SHARED;
    return s2svpn_crypto_openssl()->start_job(NULL, job, result);
}

static void on_log(void *user, s2svpn_log_level level, const char *line)
{
    struct world *w = ((struct side *)user)->world;

    w->lines += level <= S2SVPN_LOG_INFO;
    if (scene_is_verbose())
        scene_say("%12.6f log %d: %s", (double)s2svpn_sim_now(w->sim) / 1e9, (int)level, line);
}

static void on_event(void *user, s2svpn_context *ctx, const s2svpn_event *e)
{
    struct world *w = user;

    (void)ctx;
    w->notes += e->kind == S2SVPN_EVENT_NOTE;
    w->refused +=
        e->kind == S2SVPN_EVENT_NOTE && (strcmp(e->reason, "unknown certificate") == 0 ||
                                         strstr(e->text, "authentication failed") != NULL);
    for (size_t i = 0; i < SITES; i++)
        w->site[i].downs += e->kind == S2SVPN_EVENT_TUNNEL && !e->up && e->connection &&
                            e->connection == w->site[i].cloud;
}

/* RFC 7296 section 3.1: an IKE_AUTH request, which may be in pieces and come again. */
static void on_wire(void *user, const s2svpn_datagram *d, bool lost, uint64_t now_ns)
{
    struct world *w = user;
    const uint8_t *p = d->data + (d->local.role == S2SVPN_ROLE_NATT ? 4 : 0);
    uint64_t spi;

    (void)lost;
    (void)now_ns;
    if (d->len < 32 || d->remote.address.bytes[0] != 198 || p[18] != 35 || (p[19] & 0x28) != 0x08 ||
        (p != d->data && memcmp(d->data, "\0\0\0", 4) != 0))
        return;
    memcpy(&spi, p, sizeof(spi));
    for (size_t i = w->auths; i > 0; i--) {
        if (w->auth[i - 1] == spi)
            return;
    }
    if (CHECK(w->auths < AUTHS))
        w->auth[w->auths++] = spi;
}

/* ---- the strangers' lies */

static s2svpn_job_state lying_job(void *user, s2svpn_job *job, s2svpn_status *result)
{
    const enum lie lie = ((struct side *)user)->world->row->lie;
    const s2svpn_job_state state = s2svpn_crypto_openssl()->start_job(NULL, job, result);

    if (lie == WRONG_SIGNATURE && job->kind == S2SVPN_JOB_SIGN && job->out_len > 0)
        job->out[job->out_len - 1] ^= 1;
    return state;
}

static size_t lying_chain(void *user, const void *identity, s2svpn_span chain[S2SVPN_CHAIN_MAX])
{
    struct world *w = ((struct side *)user)->world;
    const size_t n = s2svpn_crypto_openssl()->identity_chain(NULL, identity, chain);

    if (w->row->lie != HUGE_CERTIFICATE)
        return n;
    chain[1] = (s2svpn_span){w->huge, sizeof(w->huge)};
    return 2;
}

/* What it calls itself is read from its certificate. */
static s2svpn_status lying_read(void *user, s2svpn_span certificate, s2svpn_certificate_info *out)
{
    const struct world *w = ((struct side *)user)->world;
    const s2svpn_status rc = s2svpn_crypto_openssl()->certificate_read(NULL, certificate, out);
    const s2svpn_span subject = s2_pki_subject(w->site[0].holder);

    if (rc == S2SVPN_OK && w->row->lie == OTHERS_NAME && subject.len <= SUBJECT_MAX) {
        memcpy(out->subject_der, subject.p, subject.len);
        out->subject_der_len = (uint32_t)subject.len;
    }
    return rc;
}

/* ---- hosts */

static void on_inside(void *user, s2svpn_sim_node *node, s2svpn_port_id port,
                      const s2svpn_packet *p, size_t n, uint64_t now_ns)
{
    struct side *side = user;

    (void)now_ns;
    for (size_t i = 0; i < n; i++) {
        uint8_t reply[2048];
        s2svpn_packet out = {.data = reply};
        struct echo e;

        if (!packet_read_echo(p[i].data, p[i].len, &e)) {
            side->wrong += !packet_is_icmp_error(p[i].data, p[i].len);
        } else if (e.to != side->address) {
            side->wrong++;
        } else if (e.type == ECHO_REQUEST) {
            out.len =
                (uint32_t)packet_echo(reply, ECHO_REPLY, e.to, e.from, e.id, e.seq, e.payload_len);
            (void)!s2svpn_sim_inject(node, port, &out, 1);
        } else {
            side->answered++;
        }
    }
}

void ping(struct site *s)
{
    uint8_t data[2048];
    s2svpn_packet p = {.data = data};

    if (!s->side.port)
        return;
    p.len =
        (uint32_t)packet_echo(data, ECHO_REQUEST, s->side.address, s->side.world->gateway.address,
                              (uint16_t)s->number, (uint16_t)s->side.asked++, 100);
    (void)!s2svpn_sim_inject(s->side.node, s2svpn_port_number(s->side.port), &p, 1);
}

/* ---- contexts */

static bool give_certificates(struct side *side, const struct s2_pki_holder *holder,
                              const char *crl)
{
    s2svpn_certificates given = S2SVPN_CERTIFICATES_INIT;

    given.chain = s2_pki_chain_pem(holder);
    given.private_key = s2_pki_key_pem(holder);
    given.authorities = s2_pki_pem(side->world->root);
    given.crls = crl;
    return CHECK(s2svpn_context_set_certificates(side->ctx, &given) == S2SVPN_OK);
}

/* The node stays; crypto and memory are in side->options if they are others than usual. */
static bool open_side(struct side *side, struct world *w, enum s2svpn_context_role role,
                      const s2svpn_address *addresses, size_t n)
{
    s2svpn_error why = {0};

    side->world = w;
    side->options.role = role;
    for (size_t i = 0; i < n; i++) {
        side->local[2 * i] =
            (s2svpn_endpoint){.address = addresses[i], .port = 500, .role = S2SVPN_ROLE_IKE};
        side->local[2 * i + 1] =
            (s2svpn_endpoint){.address = addresses[i], .port = 4500, .role = S2SVPN_ROLE_NATT};
    }
    side->options.local = side->local;
    side->options.local_count = 2 * n;
    if (!side->node && !CHECK(s2svpn_sim_node_new(w->sim, "side", &side->node) == S2SVPN_OK))
        return false;
    s2svpn_sim_prepare(side->node, &side->options);
    if (!CHECK(s2svpn_context_new(&side->options, &side->ctx, &why) == S2SVPN_OK) ||
        !CHECK(s2svpn_sim_attach(side->node, side->ctx, &side->options) == S2SVPN_OK))
        return false;
    s2svpn_sim_on_inside(side->node, on_inside, side);
    s2svpn_context_set_wall_clock(side->ctx, (uint64_t)S2_PKI_NOW * SECOND, s2svpn_sim_now(w->sim));
    return true;
}

static void close_side(struct side *side)
{
    s2svpn_port_release(side->port);
    side->port = NULL;
    if (side->ctx)
        s2svpn_sim_detach(side->node);
    s2svpn_context_free(side->ctx);
    side->ctx = NULL;
}

static bool open_gateway(struct world *w)
{
    const s2svpn_address addresses[] = {address("198.51.100.1"), address("198.51.100.2")};
    s2svpn_virtual_gateway_spec vgw = S2SVPN_VIRTUAL_GATEWAY_INIT;
    s2svpn_vpc_spec vpc = S2SVPN_VPC_INIT;
    s2svpn_subnet_spec subnet = S2SVPN_SUBNET_INIT;
    s2svpn_port_spec port = S2SVPN_PORT_INIT;
    struct side *side = &w->gateway;

    side->options = (s2svpn_options)S2SVPN_OPTIONS_INIT;
    side->crypto = *s2svpn_crypto_openssl();
    side->crypto.start_job = counting_job;
    side->options.crypto = &side->crypto;
    side->options.crypto_user = side;
    w->memory = (s2svpn_memory){
        .size = sizeof(w->memory), .user = w, .allocate = allocate, .release = release};
    side->options.memory = &w->memory;
    w->limits = (s2svpn_limits)S2SVPN_LIMITS_INIT;
    w->limits.half_open = HALF_OPEN;
    w->limits.cookie_threshold = COOKIES;
    side->options.limits = &w->limits;
    side->options.log = on_log;
    side->options.log_user = side;
    side->options.log_level = S2SVPN_LOG_INFO;
    if (!open_side(side, w, S2SVPN_ROLE_GATEWAY, addresses, 2) ||
        !give_certificates(side, w->gateway_holder, w->crl_revoked ? w->crl_revoked : w->crl) ||
        !CHECK(s2svpn_context_subscribe(side->ctx, S2SVPN_EVENT_ALL, on_event, w, NULL) ==
               S2SVPN_OK))
        return false;
    vpc.cidr = prefix("10.0.0.0/16");
    subnet.cidr = prefix("10.0.1.0/24");
    side->address = packet_address(10, 0, 1, 10);
    if (!CHECK(s2svpn_vpc_new(side->ctx, &vpc, &w->vpc) == S2SVPN_OK) ||
        !CHECK(s2svpn_subnet_new(w->vpc, &subnet, &w->subnet) == S2SVPN_OK))
        return false;
    port.subnet = w->subnet;
    port.address = address("10.0.1.10");
    if (!CHECK(s2svpn_port_new(side->ctx, &port, &side->port) == S2SVPN_OK) ||
        !CHECK(s2svpn_virtual_gateway_new(side->ctx, &vgw, &w->vgw) == S2SVPN_OK) ||
        !CHECK(s2svpn_virtual_gateway_attach(w->vgw, w->vpc) == S2SVPN_OK))
        return false;
    w->table = s2svpn_vpc_main_route_table(w->vpc);
    return CHECK(s2svpn_route_table_enable_propagation(w->table, w->vgw) == S2SVPN_OK);
}

static bool open_device(struct side *side, const s2svpn_device_config *config,
                        const s2svpn_prefix *lan, s2svpn_connection **conn)
{
    s2svpn_device_options options = S2SVPN_DEVICE_OPTIONS_INIT;
    const s2svpn_prefix cloud = prefix("10.0.0.0/16");
    s2svpn_port_spec port = S2SVPN_PORT_INIT;

    options.ike = S2SVPN_DEVICE_IKE_V2;
    port.prefix = lan;
    port.prefix_count = 1;
    return CHECK(s2svpn_device_open(side->ctx, config, &options, conn) == S2SVPN_OK) &&
           CHECK(s2svpn_connection_add_static_route(*conn, &cloud) == S2SVPN_OK) &&
           CHECK(s2svpn_port_new(side->ctx, &port, &side->port) == S2SVPN_OK) &&
           CHECK(s2svpn_connection_start(*conn) == S2SVPN_OK);
}

/* ---- sites */

static s2svpn_prefix lan_of(const struct site *s)
{
    s2svpn_prefix lan = prefix("192.168.10.0/24");

    lan.address.bytes[2] = (uint8_t)(10 + s->number);
    return lan;
}

bool begin_site(struct site *s)
{
    const s2svpn_prefix lan = lan_of(s);
    s2svpn_address a = address("203.0.113.50");

    a.bytes[3] = (uint8_t)(50 + s->number);
    s->side.options = (s2svpn_options)S2SVPN_OPTIONS_INIT;
    return open_side(&s->side, s->side.world, S2SVPN_ROLE_DEVICE, &a, 1) &&
           (!s->holder || give_certificates(&s->side, s->holder, s->side.world->crl)) &&
           open_device(&s->side, s->config, &lan, &s->site);
}

void end_site(struct site *s)
{
    s2svpn_connection_release(s->site);
    s->site = NULL;
    close_side(&s->side);
}

static bool open_site(struct world *w, unsigned number)
{
    struct site *s = &w->site[number];
    s2svpn_customer_gateway_spec cgw = S2SVPN_CUSTOMER_GATEWAY_INIT;
    s2svpn_connection_spec conn = S2SVPN_CONNECTION_INIT;
    const s2svpn_prefix lan = (s->number = number, lan_of(s));
    s2svpn_text xml = {0};
    bool ok;

    s->side.world = w;
    s->side.address = packet_address(192, 168, (uint8_t)(10 + number), 20);
    if (s->holder)
        cgw.certificate = s2_pki_pem(s->holder);
    else
        cgw.address = "203.0.113.52";
    conn.static_routes_only = true;
    for (size_t i = 0; i < 2; i++)
        conn.tunnel[i].phase1_dh_groups = conn.tunnel[i].phase2_dh_groups = S2SVPN_GROUP(19);
    ok = CHECK(s2svpn_customer_gateway_new(w->gateway.ctx, &cgw, &s->cgw) == S2SVPN_OK) &&
         CHECK(s2svpn_connection_new(w->vgw, s->cgw, &conn, &s->cloud) == S2SVPN_OK) &&
         CHECK(s2svpn_connection_add_static_route(s->cloud, &lan) == S2SVPN_OK) &&
         CHECK(s2svpn_connection_device_config(s->cloud, &xml) == S2SVPN_OK) &&
         CHECK(s2svpn_config_read(xml.data, xml.len, &s->config, NULL) == S2SVPN_OK);
    s2svpn_text_free(&xml);
    return ok && begin_site(s);
}

/* ---- strangers */

void end_stranger(struct stranger *x)
{
    s2svpn_connection_release(x->conn);
    x->conn = NULL;
    close_side(&x->side);
}

/* From another address each time. */
static void begin_stranger(struct world *w, struct stranger *x)
{
    const s2svpn_prefix lan = prefix("172.16.0.0/16");
    s2svpn_address a = address("100.64.0.1");
    const unsigned place = ++w->places;

    a.bytes[2] = (uint8_t)(place >> 8);
    a.bytes[3] = (uint8_t)place;
    x->side.world = w;
    x->side.options = (s2svpn_options)S2SVPN_OPTIONS_INIT;
    x->side.crypto = *s2svpn_crypto_openssl();
    x->side.crypto.start_job = lying_job;
    x->side.crypto.identity_chain = lying_chain;
    x->side.crypto.certificate_read = lying_read;
    x->side.options.crypto = &x->side.crypto;
    x->side.options.crypto_user = &x->side;
    if (open_side(&x->side, w, S2SVPN_ROLE_DEVICE, &a, 1) &&
        give_certificates(&x->side, w->row->own ? w->site[0].holder : w->shown, NULL))
        open_device(&x->side, w->site[0].config, &lan, &x->conn);
    x->until_ns = s2svpn_sim_now(w->sim) + HASTE_NS + s2svpn_sim_random(w->sim) % (HASTE_NS / 2);
}

void rage(struct world *w)
{
    for (size_t i = 0; i < STRANGERS; i++) {
        struct stranger *x = &w->stranger[i];

        if (x->side.ctx && (i < PATIENT || s2svpn_sim_now(w->sim) < x->until_ns))
            continue;
        end_stranger(x);
        begin_stranger(w, x);
    }
}

/* ---- the world */

static void make_certificates(struct world *w)
{
    const struct row *row = w->row;
    const char *subject = row->subject ? row->subject : "CN=one.example";
    const struct s2_pki_spec root = {.subject = "CN=Root", .authority = true};
    const struct s2_pki_holder *issuer;

    w->root = s2_pki_new(&root, NULL);
    w->foreign = s2_pki_new(&root, NULL); /* by the same name */
    w->gateway_holder = s2_pki_new(&(struct s2_pki_spec){.subject = "CN=gateway.example"}, w->root);
    w->site[0].holder = s2_pki_new(&(struct s2_pki_spec){.subject = "CN=one.example"}, w->root);
    w->site[1].holder = s2_pki_new(&(struct s2_pki_spec){.subject = "CN=two.example"}, w->root);
    issuer = row->foreign ? w->foreign : w->root;
    for (unsigned i = 0; i < row->above; i++) {
        w->above[i] =
            s2_pki_new(&(struct s2_pki_spec){.subject = "CN=Above", .authority = true}, issuer);
        issuer = w->above[i];
    }
    w->shown = s2_pki_new(&(struct s2_pki_spec){.subject = subject}, issuer);
    w->crl = s2_pki_crl(w->root, NULL, 0, 0);
    if (row->revoked)
        w->crl_revoked = s2_pki_crl(w->root, w->shown, 0, 0);
}

bool world_open(struct world *w, uint64_t seed, const struct row *row)
{
    s2svpn_sim_link link = S2SVPN_SIM_LINK_INIT;
    bool ok;

    memset(w, 0, sizeof(*w));
    w->row = row;
    make_certificates(w);
    if (!CHECK(s2svpn_sim_new(seed, &w->sim) == S2SVPN_OK))
        return false;
    for (size_t i = 0; i < HUGE; i++)
        w->huge[i] = (uint8_t)s2svpn_sim_random(w->sim);
    link.delay_ns = 5 * MILLISECOND;
    link.jitter_ns = MILLISECOND;
    s2svpn_sim_set_job_delay(w->sim, MILLISECOND, 5 * MILLISECOND);
    s2svpn_sim_on_wire(w->sim, on_wire, w);
    ok = CHECK(s2svpn_sim_set_link(w->sim, NULL, NULL, &link) == S2SVPN_OK) && open_gateway(w);
    for (unsigned i = 0; i < SITES; i++)
        ok = ok && open_site(w, i);
    return ok;
}

void world_close(struct world *w)
{
    for (size_t i = 0; i < STRANGERS; i++)
        end_stranger(&w->stranger[i]);
    for (size_t i = 0; i < SITES; i++) {
        end_site(&w->site[i]);
        s2svpn_config_free(w->site[i].config);
        s2svpn_connection_release(w->site[i].cloud);
        s2svpn_customer_gateway_release(w->site[i].cgw);
        s2_pki_free(w->site[i].holder);
    }
    s2svpn_route_table_release(w->table);
    s2svpn_virtual_gateway_release(w->vgw);
    s2svpn_subnet_release(w->subnet);
    s2svpn_vpc_release(w->vpc);
    close_side(&w->gateway);
    CHECK(w->bytes == 0);
    s2svpn_sim_free(w->sim);
    s2_pki_free(w->shown);
    for (size_t i = S2SVPN_CHAIN_MAX; i-- > 0;)
        s2_pki_free(w->above[i]);
    s2_pki_free(w->gateway_holder);
    s2_pki_free(w->foreign);
    s2_pki_free(w->root);
    free(w->crl);
    free(w->crl_revoked);
}

bool is_up(const struct site *s)
{
    bool up = s->site != NULL;

    for (size_t i = 0; i < 2 && up; i++) {
        s2svpn_tunnel_info cloud = {.size = sizeof(cloud)}, site = {.size = sizeof(site)};

        s2svpn_tunnel_get_info(s2svpn_connection_tunnel(s->cloud, i), &cloud);
        s2svpn_tunnel_get_info(s2svpn_connection_tunnel(s->site, i), &site);
        up = cloud.up && site.up;
    }
    return up;
}
