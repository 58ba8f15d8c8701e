/* SPDX-License-Identifier: Apache-2.0 */
/* Making connections on the cloud side: addresses and keys that the caller doesn't
 * give are chosen, what it gives is checked against AWS's limits. */
#include <string.h>

#include "s2svpn/connection.h"
#include "vpn/vpn.h"

#define PSK_LEN 32
#define HOLD_TIME_S 30 /* AWS's */
#define DPD_DELAY_S 10 /* likewise */

/* ---- outside addresses and keys */

/* The connection's other tunnel: chosen already, or as the caller wants it. */
static const s2svpn_tunnel_options *other(const s2svpn_connection *c, const s2svpn_tunnel *t)
{
    return &c->tunnel[1 - t->index].options;
}

/* Is it one of ours that speaks IKE, to a customer of its family if that is known? */
static bool outside_allowed(const s2svpn_connection *c, const s2svpn_address *a)
{
    const s2svpn_context *ctx = c->object.ctx;

    return (c->customer_address.family == S2SVPN_FAMILY_NONE ||
            a->family == c->customer_address.family) &&
           (s2_local_find(ctx, a, S2SVPN_ROLE_IKE) || s2_local_find(ctx, a, S2SVPN_ROLE_NATT));
}

/* Does another tunnel to this customer gateway use it? */
static bool outside_taken(const s2svpn_connection *c, const s2svpn_address *a)
{
    const s2svpn_context *ctx = c->object.ctx;
    const struct s2_ike_id *subject = &c->cgw->subject;

    if (subject->len > 0 && s2_tunnel_by_subject(ctx, a, s2_span(subject->data, subject->len)))
        return true;
    return c->customer_address.family != S2SVPN_FAMILY_NONE &&
           s2_tunnel_by_outside(ctx, a, &c->customer_address);
}

/* The two outside addresses differ, and their pairs with the customer's are free. */
static s2svpn_status choose_outside(s2svpn_connection *c, s2svpn_tunnel *t, const char *path)
{
    s2svpn_context *ctx = c->object.ctx;
    s2svpn_address *wanted = &t->options.outside_address;
    char field[S2SVPN_FIELD_SIZE];

    s2_print(field, sizeof(field), "%s.outside_address", path);
    if (wanted->family != S2SVPN_FAMILY_NONE) {
        if (!outside_allowed(c, wanted))
            return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field,
                           "not a local address of the customer gateway's family");
        if (outside_taken(c, wanted) ||
            (t->index == 1 && s2_address_equal(wanted, &other(c, t)->outside_address)))
            return s2_fail(&ctx->env, S2SVPN_E_EXISTS, field,
                           "another tunnel to this customer gateway uses it");
        return S2SVPN_OK;
    }
    for (size_t i = 0; i < ctx->local_count; i++) {
        const s2svpn_address *a = &ctx->local[i].address;

        if (!outside_allowed(c, a) || outside_taken(c, a) ||
            s2_address_equal(a, &other(c, t)->outside_address))
            continue;
        *wanted = *a;
        return S2SVPN_OK;
    }
    return s2_fail(&ctx->env, S2SVPN_E_LIMIT, field,
                   "no local address is left for this customer gateway");
}

/* 32 characters of AWS's alphabet, which has 64: 6 bits of each byte count. */
static s2svpn_status make_psk(s2svpn_context *ctx, char *out)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
    uint8_t random[PSK_LEN];

    do {
        if (s2_random(&ctx->env, random, sizeof(random)) != S2SVPN_OK)
            return s2_fail(&ctx->env, S2SVPN_E_RANDOM, "pre_shared_key", "no randomness to be had");
        for (size_t i = 0; i < PSK_LEN; i++)
            out[i] = alphabet[random[i] & 63];
    } while (out[0] == '0');
    out[PSK_LEN] = 0;
    s2_wipe(random, sizeof(random));
    return S2SVPN_OK;
}

s2svpn_status s2_tunnel_endpoints(s2svpn_tunnel *t, const s2svpn_address *local,
                                  uint16_t peer_ike_port, uint16_t peer_natt_port)
{
    s2svpn_context *ctx = t->connection->object.ctx;
    const s2svpn_endpoint *ike = s2_local_find(ctx, local, S2SVPN_ROLE_IKE);
    const s2svpn_endpoint *raw = s2_local_find(ctx, local, S2SVPN_ROLE_RAW);
    const s2svpn_endpoint *natt = s2_local_find(ctx, local, S2SVPN_ROLE_NATT);

    if (ike == NULL && natt == NULL)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "outside_address",
                       "not one of the context's local addresses");
    if (ctx->options.profile == S2SVPN_PROFILE_CLASSIC) {
        if (ike == NULL || raw == NULL)
            return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "outside_address",
                           "VPN-Classic has no NAT traversal: IP protocol 50 is needed there");
        natt = NULL;
    }
    t->ike.remote_natt_port = peer_natt_port ? peer_natt_port : 4500;
    t->ike.remote_port = ike ? (peer_ike_port ? peer_ike_port : 500) : t->ike.remote_natt_port;
    t->ike.local = ike ? *ike : *natt;
    if (natt)
        t->ike.local_natt = *natt;
    t->ike.force_udp = natt && raw == NULL;
    t->attempt.ike = t->ike.local;
    t->attempt.peer_ike_port = t->ike.remote_port;
    t->attempt.force_udp = t->ike.force_udp;
    return S2SVPN_OK;
}

/* As IKEv1 tells it. */
static uint32_t kilobytes(uint64_t bytes)
{
    return bytes / 1024 < UINT32_MAX ? (uint32_t)(bytes / 1024) : UINT32_MAX;
}

/* What the options mean for IKE. */
void s2_tunnel_configure(s2svpn_tunnel *t)
{
    const s2svpn_tunnel_options *o = &t->options;
    struct s2_ike_config *k = &t->ike;

    k->follow = !t->connection->device;
    k->credentials = s2_by_certificate(t) ? s2_credentials_now(t->connection->object.ctx) : NULL;
    k->versions = (uint8_t)((o->ike_versions & S2SVPN_IKEV1 ? S2_IKE_ALLOW_V1 : 0) |
                            (o->ike_versions & S2SVPN_IKEV2 ? S2_IKE_ALLOW_V2 : 0));
    k->child_lifetime_kb = kilobytes(o->phase2_lifetime_bytes);
    s2_choices_make(o->phase1_encryption, o->phase1_integrity, o->phase1_dh_groups, &k->ike);
    s2_choices_make(o->phase2_encryption, o->phase2_integrity, o->phase2_dh_groups, &k->esp);
    k->ike_lifetime_s = o->phase1_lifetime_s;
    k->child_lifetime_s = o->phase2_lifetime_s;
    k->rekey_margin_s = o->rekey_margin_s;
    k->rekey_fuzz_percent = o->rekey_fuzz_percent - 1;
    k->dpd_delay_s = t->dpd_delay_s ? t->dpd_delay_s : DPD_DELAY_S;
    if (o->dpd_action == S2SVPN_DPD_NONE)
        k->dpd_delay_s = 0;
    k->dpd_timeout_s = t->dpd_timeout_s ? t->dpd_timeout_s : o->dpd_timeout_s;
    k->esn = o->esn;
    atomic_store_explicit(&t->cuts_df, o->dont_fragment == S2SVPN_DF_CLEAR, memory_order_relaxed);
    t->options.pre_shared_key = s2_by_certificate(t) ? NULL : t->psk;
}

/* The n-th host of a /30 or a /126. */
static s2svpn_address host_of(const s2svpn_prefix *cidr, uint8_t n)
{
    s2svpn_address a = cidr->address;

    a.bytes[s2_address_len(&a) - 1] |= n;
    return a;
}

uint32_t s2_tunnel_usual_med(const s2svpn_tunnel *t)
{
    /* Equal where the gateway uses both itself: then the device may, too. */
    return t->index == 0 || t->connection->router->ecmp_paths > 1 ? 100 : 200;
}

s2svpn_status s2_tunnel_use_certificates(s2svpn_tunnel *t, const char *path)
{
    s2svpn_context *ctx = t->connection->object.ctx;
    char field[S2SVPN_FIELD_SIZE];

    s2_print(field, sizeof(field), "%s.ike_versions", path);
    if (t->options.ike_versions == S2SVPN_IKEV1)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field, "certificates need IKEv2");
    t->options.ike_versions = S2SVPN_IKEV2;
    t->ike.auth_by = S2_IKE_BY_CERTIFICATE;
    return S2SVPN_OK;
}

/* The cloud side's, whose customer gateway has one. */
static s2svpn_status use_certificate(s2svpn_connection *c, s2svpn_tunnel *t,
                                     const s2svpn_tunnel_options *given, const char *path)
{
    s2svpn_context *ctx = c->object.ctx;
    char field[S2SVPN_FIELD_SIZE];

    s2_print(field, sizeof(field), "%s.pre_shared_key", path);
    if (given->pre_shared_key)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field,
                       "the customer gateway has a certificate");
    s2_print(field, sizeof(field), "%s.startup_action", path);
    if (given->startup_action == S2SVPN_STARTUP_START &&
        c->customer_address.family == S2SVPN_FAMILY_NONE)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field, "needs the customer gateway's address");
    t->ike.remote_subject = s2_span(c->cgw->subject.data, c->cgw->subject.len);
    return s2_tunnel_use_certificates(t, path);
}

/* All that options and the connection say; the key is chosen already. */
static s2svpn_status finish_tunnel(s2svpn_connection *c, s2svpn_tunnel *t)
{
    s2svpn_context *ctx = c->object.ctx;
    s2svpn_status rc;

    if (t->options.startup_action == S2SVPN_STARTUP_START &&
        t->options.ike_versions == S2SVPN_IKEV1)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "startup_action",
                       "only tunnels with IKEv2 are started from this side");
    rc = s2_tunnel_endpoints(t, &t->options.outside_address, ctx->options.peer_ike_port,
                             ctx->options.peer_natt_port);
    if (rc != S2SVPN_OK)
        return rc;
    if (!s2_by_certificate(t) && !s2_secret_set(&t->ike.psk, t->psk, strlen(t->psk)))
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "pre_shared_key", "it is too long");
    t->inside_local = host_of(s2_tunnel_inside(t), 1);
    t->inside_remote = host_of(s2_tunnel_inside(t), 2);
    t->ike.remote = c->customer_address;
    t->ike.local_net = c->cloud_network;
    t->ike.remote_net = c->customer_network;
    t->med = s2_tunnel_usual_med(t);
    s2_attempt_set_offers(t, NULL);
    t->keep_up = t->options.startup_action == S2SVPN_STARTUP_START;
    return S2SVPN_OK;
}

static s2svpn_status fill_tunnel(s2svpn_connection *c, s2svpn_tunnel *t,
                                 const s2svpn_tunnel_options *given)
{
    s2svpn_context *ctx = c->object.ctx;
    char path[16];
    s2svpn_status rc;

    s2_print(path, sizeof(path), "tunnel[%u]", t->index);
    rc = s2_options_resolve(ctx, path, &t->options);
    if (rc == S2SVPN_OK)
        rc = s2_inside_choose(t, path);
    if (rc == S2SVPN_OK)
        rc = choose_outside(c, t, path);
    if (rc != S2SVPN_OK)
        return rc;
    if (c->cgw->subject.len > 0)
        rc = use_certificate(c, t, given, path);
    else if (given->pre_shared_key)
        s2_copy_text(t->psk, sizeof(t->psk), given->pre_shared_key);
    else
        rc = make_psk(ctx, t->psk);
    return rc == S2SVPN_OK ? finish_tunnel(c, t) : rc;
}

/* An inside CIDR that isn't given stays, too. */
static void keep_addresses(s2svpn_tunnel_options *o, const s2svpn_tunnel_options *present)
{
    if (o->inside_cidr.address.family == S2SVPN_FAMILY_NONE)
        o->inside_cidr = present->inside_cidr;
    if (o->inside_ipv6_cidr.address.family == S2SVPN_FAMILY_NONE)
        o->inside_ipv6_cidr = present->inside_ipv6_cidr;
    if (o->outside_address.family == S2SVPN_FAMILY_NONE)
        o->outside_address = present->outside_address;
}

s2svpn_status s2_connection_fill_anew(s2svpn_tunnel *fresh, const s2svpn_tunnel *present,
                                      const s2svpn_tunnel_options *options)
{
    s2svpn_connection *c = present->connection;
    const s2svpn_context *ctx = c->object.ctx;
    s2svpn_status rc;

    fresh->connection = c;
    fresh->index = present->index;
    fresh->options = *options;
    keep_addresses(&fresh->options, &present->options);
    rc = s2_options_resolve(c->object.ctx, "options", &fresh->options);
    if (rc == S2SVPN_OK)
        rc = s2_inside_choose(fresh, "options");
    if (rc != S2SVPN_OK)
        return rc;
    if (!s2_address_equal(&fresh->options.outside_address, &present->options.outside_address))
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "options.outside_address", "it stays");
    if (c->cgw->subject.len > 0)
        rc = use_certificate(c, fresh, options, "options");
    else
        s2_copy_text(fresh->psk, sizeof(fresh->psk),
                     options->pre_shared_key ? options->pre_shared_key : present->psk);
    fresh->options.pre_shared_key = NULL;
    return rc == S2SVPN_OK ? finish_tunnel(c, fresh) : rc;
}

static s2svpn_status check_network(const s2svpn_context *ctx, const char *field,
                                   const s2svpn_prefix *network, uint8_t family)
{
    if (network->address.family == S2SVPN_FAMILY_NONE ||
        (network->address.family == family && !s2_prefix_has_host_bits(network)))
        return S2SVPN_OK;
    return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field, "an IPv%u prefix without host bits",
                   family == S2SVPN_FAMILY_IPV6 ? 6 : 4);
}

static uint8_t inside_family(const s2svpn_connection_spec *spec)
{
    return spec->inside_ip_version == 6 ? S2SVPN_FAMILY_IPV6 : S2SVPN_FAMILY_IPV4;
}

static s2svpn_status check(s2svpn_virtual_gateway *vgw, s2svpn_customer_gateway *cgw,
                           const s2svpn_connection_spec *spec)
{
    const s2svpn_context *ctx = vgw->object.ctx;
    s2svpn_status rc = s2_object_check(&vgw->object, "virtual_gateway");

    if (rc == S2SVPN_OK && cgw->object.ctx != ctx)
        rc = s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "customer_gateway", "it is another context's");
    if (rc == S2SVPN_OK)
        rc = s2_object_check(&cgw->object, "customer_gateway");
    if (rc == S2SVPN_OK && vgw->router.asn == cgw->bgp_asn)
        rc = s2_fail(&ctx->env, S2SVPN_E_STATE, "customer_gateway.bgp_asn", "both ends have ASN %u",
                     cgw->bgp_asn);
    if (rc == S2SVPN_OK && spec->inside_ip_version != 0 && spec->inside_ip_version != 4 &&
        spec->inside_ip_version != 6)
        rc = s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "inside_ip_version", "4 or 6");
    if (rc == S2SVPN_OK)
        rc = check_network(ctx, "local_network", &spec->local_network, inside_family(spec));
    if (rc == S2SVPN_OK)
        rc = check_network(ctx, "remote_network", &spec->remote_network, inside_family(spec));
    return rc;
}

static s2svpn_prefix network_of(const s2svpn_prefix *given, uint8_t family)
{
    const s2svpn_prefix everything = {.address = {.family = family}};

    return given->address.family == S2SVPN_FAMILY_NONE ? everything : *given;
}

s2svpn_status s2_connection_set_networks(s2svpn_connection *c, const s2svpn_prefix *local,
                                         const s2svpn_prefix *remote)
{
    const uint8_t family = c->inside_version == 6 ? S2SVPN_FAMILY_IPV6 : S2SVPN_FAMILY_IPV4;
    s2svpn_status rc = S2SVPN_OK;

    if (local)
        rc = check_network(c->object.ctx, "local_network", local, family);
    if (rc == S2SVPN_OK && remote)
        rc = check_network(c->object.ctx, "remote_network", remote, family);
    if (rc == S2SVPN_OK && local)
        c->customer_network = network_of(local, family);
    if (rc == S2SVPN_OK && remote)
        c->cloud_network = network_of(remote, family);
    return rc;
}

static s2svpn_status make(s2svpn_virtual_gateway *vgw, s2svpn_customer_gateway *cgw,
                          const s2svpn_connection_spec *spec, size_t tunnels,
                          s2svpn_connection **out)
{
    s2svpn_connection *c;
    s2svpn_status rc = check(vgw, cgw, spec);

    if (rc == S2SVPN_OK)
        rc = s2_connection_make(vgw->object.ctx, &vgw->router, &spec->id, tunnels, &c);
    if (rc != S2SVPN_OK)
        return rc;
    c->cgw = cgw;
    c->customer_gateway = cgw->object.id;
    c->virtual_gateway = vgw->object.id;
    c->customer_address = cgw->address;
    c->static_routes_only = spec->static_routes_only;
    c->inside_version = spec->inside_ip_version == 6 ? 6 : 4;
    c->customer_network = network_of(&spec->local_network, inside_family(spec));
    c->cloud_network = network_of(&spec->remote_network, inside_family(spec));
    if (!c->static_routes_only) {
        c->local_asn = vgw->router.asn;
        c->peer_asn = cgw->bgp_asn;
        c->hold_time_s = HOLD_TIME_S;
    }
    for (size_t i = 0; i < tunnels; i++)
        c->tunnel[i].options = spec->tunnel[i];
    for (size_t i = 0; rc == S2SVPN_OK && i < tunnels; i++)
        rc = fill_tunnel(c, &c->tunnel[i], &spec->tunnel[i]);
    if (rc != S2SVPN_OK) {
        s2_object_discard(&c->object);
        return rc;
    }
    rc = s2_connection_complete(c);
    if (rc == S2SVPN_OK)
        *out = c;
    return rc;
}

s2svpn_status s2_connection_new(s2svpn_virtual_gateway *vgw, s2svpn_customer_gateway *cgw,
                                const s2svpn_connection_spec *spec, size_t tunnels,
                                s2svpn_connection **out)
{
    s2svpn_connection_spec full = S2SVPN_CONNECTION_INIT;
    s2svpn_context *ctx = vgw->object.ctx;
    s2svpn_status rc;

    s2_enter(ctx, 0);
    *out = NULL;
    if (spec)
        memcpy(&full, spec, spec->size < sizeof(full) ? spec->size : sizeof(full));
    rc = make(vgw, cgw, &full, tunnels, out);
    s2_leave(ctx);
    return rc;
}

s2svpn_status s2svpn_connection_new(s2svpn_virtual_gateway *vgw, s2svpn_customer_gateway *cgw,
                                    const s2svpn_connection_spec *spec, s2svpn_connection **out)
{
    return s2_connection_new(vgw, cgw, spec, 2, out);
}
