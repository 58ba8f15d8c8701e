/* SPDX-License-Identifier: Apache-2.0 */
/* Documents printed, then opened for a try in a context that sends nothing. Keys are never
 * printed. */
#include "device/check.h"

#include <s2svpn/crypto.h>
#include <stdio.h>
#include <string.h>

#include "device/device.h"

/* ---- what it says */

static const char *encr_name(const s2svpn_config_phase *p)
{
    if (p->encr == S2SVPN_ENCR_AES_GCM_16)
        return p->key_bits == 256 ? "AES256-GCM-16" : "AES128-GCM-16";
    return p->key_bits == 256 ? "AES256" : "AES128";
}

static const char *integ_name(const s2svpn_config_phase *p)
{
    switch (p->integ) {
    case S2SVPN_INTEG_HMAC_SHA1_96:
        return "SHA1";
    case S2SVPN_INTEG_HMAC_SHA2_256_128:
        return "SHA2-256";
    case S2SVPN_INTEG_HMAC_SHA2_384_192:
        return "SHA2-384";
    case S2SVPN_INTEG_HMAC_SHA2_512_256:
        return "SHA2-512";
    default:
        return "no integrity of its own";
    }
}

/* Those that a first offer leaves out: an endpoint takes the lowest that it is offered. */
static bool is_weak(const s2svpn_config_phase *p)
{
    return p->integ == S2SVPN_INTEG_HMAC_SHA1_96 || p->ke == S2SVPN_KE_MODP_1024 ||
           p->ke == S2SVPN_KE_MODP_1536 ||
           (p->ke >= S2SVPN_KE_MODP_1024_160 && p->ke <= S2SVPN_KE_MODP_2048_256);
}

static void print_phase(const char *name, const s2svpn_config_phase *p)
{
    printf("    %s: %s, %s, group %u, %u s\n", name, encr_name(p), integ_name(p), p->ke,
           p->lifetime_s);
}

static void print_offers(const s2svpn_config_tunnel *t, uint8_t offers)
{
    const bool weak = is_weak(&t->ike) || is_weak(&t->ipsec);

    if (offers == S2SVPN_OFFERS_EXACT)
        printf("    offered: these alone (--exact)\n");
    else if (offers == S2SVPN_OFFERS_MINIMUM)
        printf("    offered: these and all above (--minimum); an endpoint takes the lowest\n");
    else if (weak)
        printf("    offered: all that AWS may allow but SHA1 and the groups 2, 5 and 22 to 24; an "
               "endpoint that\n    refuses that is offered the document's too, with a warning "
               "(--minimum: at once)\n");
    else
        printf("    offered: all that AWS may allow but SHA1 and the groups 2, 5 and 22 to 24\n");
}

static void print_tunnel(const s2svpn_config_tunnel *t, size_t number, uint8_t offers)
{
    char a[S2SVPN_ADDRESS_TEXT], b[S2SVPN_ADDRESS_TEXT];

    printf("  tunnel %zu: outside %s -> %s\n", number,
           t->customer.outside.family ? s2svpn_address_print(&t->customer.outside, a) : "any",
           s2svpn_address_print(&t->gateway.outside, b));
    printf("    inside %s/%u, peer %s\n", s2svpn_address_print(&t->customer.inside, a),
           t->inside_length, s2svpn_address_print(&t->gateway.inside, b));
    if (t->customer.asn)
        printf("    BGP: our ASN %u, the gateway's %u, hold time %u s\n", t->customer.asn,
               t->gateway.asn, t->customer.hold_time_s);
    print_phase("IKE", &t->ike);
    print_phase("ESP", &t->ipsec);
    printf("    dead peer detection: every %u s, %u times; MSS %u\n", t->dpd_interval_s,
           t->dpd_retries, t->tcp_mss);
    if (t->pre_shared_key[0])
        printf("    pre-shared key of %zu characters\n", strlen(t->pre_shared_key));
    else
        printf("    no pre-shared key: by certificates\n");
    print_offers(t, offers);
    if (!t->clear_df)
        printf("    packets that mustn't be cut and are too long are refused (clear_df_bit)\n");
    if (!t->fragment_before_encryption)
        printf("    note: packets are cut before encryption all the same\n");
}

static void print_document(const struct document *document, uint8_t offers)
{
    const s2svpn_device_config *c = document->config;

    printf("%s: connection %s, %s routes, %zu tunnels\n", document->path, c->connection.text,
           c->static_routes ? "static" : "BGP", c->tunnel_count);
    printf("  customer gateway %s, %s%s\n", c->customer_gateway.text,
           c->virtual_gateway.text[0] ? "virtual private gateway " : "a transit gateway's",
           c->virtual_gateway.text);
    for (size_t i = 0; i < c->tunnel_count; i++)
        print_tunnel(&c->tunnel[i], i + 1, offers);
}

/* ---- what is refused */

static size_t no_outside(void *io, s2svpn_worker *worker, const s2svpn_datagram *d, size_t n)
{
    (void)io;
    (void)worker;
    (void)d;
    return n;
}

static size_t no_inside(void *io, s2svpn_worker *worker, s2svpn_port_id port,
                        const s2svpn_packet *p, size_t n)
{
    (void)io;
    (void)worker;
    (void)port;
    (void)p;
    return n;
}

static void no_deadline(void *io, uint64_t at_ns)
{
    (void)io;
    (void)at_ns;
}

static const s2svpn_io_ops silent = {.size = sizeof(silent),
                                     .send_outside = no_outside,
                                     .send_inside = no_inside,
                                     .deadline = no_deadline};

/* Where the device would send from. */
static size_t find_locals(const struct device *d, const struct documents *all, s2svpn_endpoint *out)
{
    s2svpn_address any = {0};
    size_t n = 0;

    for (size_t i = 0; i < all->count; i++) {
        const s2svpn_address *a = &d->options.device.local;
        bool known = false;

        if (all->item[i].config == NULL)
            continue;
        if (a->family == S2SVPN_FAMILY_NONE)
            a = &all->item[i].config->tunnel[0].customer.outside;
        if (a->family == S2SVPN_FAMILY_NONE) {
            any.family = all->item[i].config->tunnel[0].gateway.outside.family;
            a = &any;
        }
        for (size_t k = 0; k < n; k++)
            known |= memcmp(&out[k].address, a, sizeof(*a)) == 0;
        if (known)
            continue;
        out[n++] = (s2svpn_endpoint){.address = *a, .port = 500, .role = S2SVPN_ROLE_IKE};
        out[n++] = (s2svpn_endpoint){.address = *a, .port = 4500, .role = S2SVPN_ROLE_NATT};
    }
    return n;
}

static bool try_document(const struct device *d, s2svpn_context *ctx,
                         const struct document *document)
{
    const s2svpn_error *why = s2svpn_context_error(ctx);
    s2svpn_connection *conn;
    s2svpn_status rc;

    if (!connections_has_proof(d, document))
        return false;
    rc = s2svpn_device_open(ctx, document->config, &d->options.device, &conn);

    if (rc == S2SVPN_OK) {
        const bool routes = document->config->static_routes && !d->options.device.external_bgp;

        for (size_t i = 0; routes && i < d->program.route_count; i++) {
            if (rc == S2SVPN_OK)
                rc = s2svpn_connection_add_static_route(conn, &d->program.route[i]);
        }
        if (rc == S2SVPN_OK)
            rc = policies_apply(d, conn);
        s2svpn_connection_release(conn);
    }
    if (rc == S2SVPN_OK)
        return true;
    log_line(&d->log, S2SVPN_LOG_ERROR, document->path, "refused: %s%s%s", why->field,
             why->field[0] ? ": " : "", why->message);
    return false;
}

/* How many are refused. */
static size_t try_all(struct device *d, const struct documents *all)
{
    s2svpn_endpoint local[DOCUMENTS_MAX * 2];
    s2svpn_options options = S2SVPN_OPTIONS_INIT;
    s2svpn_context *ctx;
    s2svpn_error why = {0};
    size_t refused = 0;

    options.role = S2SVPN_ROLE_DEVICE;
    options.io_ops = &silent;
    options.local = local;
    options.local_count = find_locals(d, all, local);
    if (options.local_count == 0)
        return 0;
    if (s2svpn_context_new(&options, &ctx, &why) != S2SVPN_OK) {
        log_line(&d->log, S2SVPN_LOG_ERROR, NULL, "%s: %s", why.field, why.message);
        return 1;
    }
    d->program.ctx = ctx;
    d->options.certificates.program = &d->program;
    refused += !certificates_read(&d->options.certificates);
    for (size_t i = 0; i < all->count; i++) {
        if (all->item[i].config)
            refused += !try_document(d, ctx, &all->item[i]);
    }
    s2svpn_context_free(ctx);
    d->program.ctx = NULL;
    return refused;
}

static void warn(const struct device *d, const struct documents *all)
{
    for (size_t i = 0; i < all->count; i++) {
        if (all->item[i].config && all->item[i].config->static_routes &&
            d->program.route_count == 0 && !d->options.device.external_bgp)
            log_line(&d->log, S2SVPN_LOG_WARNING, all->item[i].path,
                     "static routes, but no --route: nothing will go into the tunnels");
    }
}

int check_run(struct device *d)
{
    struct documents all;
    size_t refused;
    int status;

    files_read(&d->log, d->options.paths, d->options.path_count, true, &all);
    for (size_t i = 0; i < all.count; i++) {
        if (all.item[i].config)
            print_document(&all.item[i], d->options.device.offers);
    }
    fflush(stdout);
    warn(d, &all);
    refused = policies_read(&d->log, &d->options.policies, &d->policies) ? 0 : 1;
    refused += try_all(d, &all);
    policies_clear(&d->policies);
    if (all.count == 0)
        log_line(&d->log, S2SVPN_LOG_ERROR, NULL, "there is no document");
    status = refused > 0 || all.wrong > 0 || all.incomplete || all.count == 0 ? 1 : 0;
    files_clear(&all);
    return status;
}
