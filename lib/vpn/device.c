/* SPDX-License-Identifier: Apache-2.0 */
/* Connections made from a customerGatewayConfiguration document: the device's end, or
 * the cloud's end played. */
#include <string.h>

#include "s2svpn/config.h"
#include "vpn/vpn.h"

static bool has_any_key(const s2svpn_device_config *config)
{
    bool any = false;

    for (size_t i = 0; i < config->tunnel_count; i++)
        any |= config->tunnel[i].pre_shared_key[0] != 0;
    return any;
}

s2svpn_status s2_device_check(s2svpn_context *ctx, const s2svpn_device_config *config)
{
    const uint8_t inside = config->tunnel[0].customer.inside.family;
    char field[S2SVPN_FIELD_SIZE];

    if (config->tunnel_count < 1 || config->tunnel_count > 2)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "tunnel_count", "1 or 2");
    for (size_t i = 0; i < config->tunnel_count; i++) {
        const s2svpn_config_tunnel *t = &config->tunnel[i];

        s2_print(field, sizeof(field), "tunnel[%zu]", i);
        if ((t->customer.outside.family == S2SVPN_FAMILY_NONE && t->pre_shared_key[0] != 0) ||
            t->gateway.outside.family == S2SVPN_FAMILY_NONE ||
            t->customer.inside.family == S2SVPN_FAMILY_NONE ||
            t->gateway.inside.family == S2SVPN_FAMILY_NONE)
            return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field, "an address is missing");
        if (t->customer.inside.family != inside || t->gateway.inside.family != inside)
            return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field,
                           "inside addresses are all IPv4 or all IPv6");
        if (memchr(t->pre_shared_key, 0, sizeof(t->pre_shared_key)) == NULL)
            return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field, "the pre-shared key has no end");
        if (t->pre_shared_key[0] == 0 && has_any_key(config))
            return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field, "a pre-shared key is missing");
        if (t->pre_shared_key[0] == 0 && !s2_knows_certificates(ctx))
            return s2_fail(&ctx->env, S2SVPN_E_UNSUPPORTED, field,
                           "there is no pre-shared key, and the crypto backend has no "
                           "certificates");
        if (!config->static_routes && (t->customer.asn == 0 || t->gateway.asn == 0))
            return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field, "an ASN is missing");
    }
    return S2SVPN_OK;
}

/* The document's algorithms as options. */
static void take_phases(s2svpn_tunnel_options *o, const s2svpn_config_tunnel *t)
{
    o->phase1_encryption = s2_encryption_bit(t->ike.encr, t->ike.key_bits);
    o->phase2_encryption = s2_encryption_bit(t->ipsec.encr, t->ipsec.key_bits);
    o->phase1_integrity = s2_integrity_bit(t->ike.integ);
    o->phase2_integrity = s2_integrity_bit(t->ipsec.integ);
    o->phase1_dh_groups = t->ike.ke < 32 ? S2SVPN_GROUP(t->ike.ke) : 0;
    o->phase2_dh_groups = t->ipsec.ke < 32 ? S2SVPN_GROUP(t->ipsec.ke) : 0;
    o->phase1_lifetime_s = t->ike.lifetime_s;
    o->phase2_lifetime_s = t->ipsec.lifetime_s;
}

/* What an endpoint of AWS may allow, without SHA-1 and weak groups where there are others. */
static struct s2_offer strong(const s2svpn_tunnel_options *defaults)
{
    struct s2_offer o = s2_offer_of(defaults);

    for (size_t i = 0; i < 2; i++) {
        if (o.integrity[i] & ~(uint32_t)S2SVPN_SHA1)
            o.integrity[i] &= ~(uint32_t)S2SVPN_SHA1;
        if (s2_strong_only(o.dh_groups[i]))
            o.dh_groups[i] = s2_strong_only(o.dh_groups[i]);
    }
    return o;
}

/* Sets are ordered: a higher bit is a stronger algorithm. */
static uint32_t from_here_up(uint32_t named, uint32_t all)
{
    return named ? named | (all & ~(named - 1)) : all;
}

/* The document's and all above it. */
static struct s2_offer minimum(const struct s2_offer *named, const struct s2_offer *all)
{
    struct s2_offer o;

    for (size_t i = 0; i < 2; i++) {
        o.encryption[i] = from_here_up(named->encryption[i], all->encryption[i]);
        o.integrity[i] = from_here_up(named->integrity[i], all->integrity[i]);
        o.dh_groups[i] = from_here_up(named->dh_groups[i], all->dh_groups[i]);
    }
    return o;
}

/* Both, as far as the profile has them at all. */
static struct s2_offer both(const struct s2_offer *a, const struct s2_offer *b,
                            const struct s2_offer *allowed)
{
    struct s2_offer o;

    for (size_t i = 0; i < 2; i++) {
        o.encryption[i] = a->encryption[i] | (b->encryption[i] & allowed->encryption[i]);
        o.integrity[i] = a->integrity[i] | (b->integrity[i] & allowed->integrity[i]);
        o.dh_groups[i] = a->dh_groups[i] | (b->dh_groups[i] & allowed->dh_groups[i]);
    }
    return o;
}

static void put_offer(s2svpn_tunnel_options *o, const struct s2_offer *offer)
{
    o->phase1_encryption = offer->encryption[0];
    o->phase2_encryption = offer->encryption[1];
    o->phase1_integrity = offer->integrity[0];
    o->phase2_integrity = offer->integrity[1];
    o->phase1_dh_groups = offer->dh_groups[0];
    o->phase2_dh_groups = offer->dh_groups[1];
}

/* What is offered at first goes into the options, what after a refusal into second. */
static void choose_offers(s2svpn_tunnel_options *o, uint8_t offers,
                          const s2svpn_tunnel_options *defaults, struct s2_offer *second)
{
    const struct s2_offer named = s2_offer_of(o), first = strong(defaults);
    const struct s2_offer allowed = s2_offer_of(defaults);
    const struct s2_offer least = minimum(&named, &first);

    *second = named;
    if (offers == S2SVPN_OFFERS_AUTO)
        *second = both(&first, &named, &allowed);
    if (offers == S2SVPN_OFFERS_AUTO)
        put_offer(o, &first);
    else if (offers == S2SVPN_OFFERS_MINIMUM)
        put_offer(o, &least);
}

/* What the document says besides, and what the host wants. */
static void take_rest(s2svpn_tunnel *t, const s2svpn_config_tunnel *from,
                      const s2svpn_device_options *options)
{
    s2svpn_tunnel_options *o = &t->options;

    o->esn = options->esn;
    if (options->ike != S2SVPN_DEVICE_IKE_AUTO)
        o->ike_versions = options->ike == S2SVPN_DEVICE_IKE_V2 ? S2SVPN_IKEV2 : S2SVPN_IKEV1;
    t->ike.aggressive = options->ike == S2SVPN_DEVICE_IKE_V1_AGGRESSIVE;
    o->replay_window = options->replay_window;
    o->log = options->log;
    o->bgp_log = options->bgp_log;
    o->dont_fragment = from->clear_df ? S2SVPN_DF_CLEAR : S2SVPN_DF_HONOUR;
    o->dpd_action =
        options->dpd_action ? (uint8_t)(options->dpd_action - 1) : (uint8_t)S2SVPN_DPD_RESTART;
    o->startup_action = options->startup_action ? (uint8_t)(options->startup_action - 1)
                                                : (uint8_t)S2SVPN_STARTUP_START;
    t->dpd_delay_s = from->dpd_interval_s;
    t->dpd_timeout_s = (uint32_t)from->dpd_interval_s * from->dpd_retries;
}

static s2svpn_prefix everything(uint8_t family)
{
    s2svpn_prefix p = {.address = {.family = family}};

    return p;
}

/* Inside addresses, and their network where its kind has its place. */
static void take_inside(s2svpn_tunnel *t, const s2svpn_config_tunnel *from)
{
    const s2svpn_prefix net = s2_prefix_make(&from->customer.inside, from->inside_length);

    if (net.address.family == S2SVPN_FAMILY_IPV6)
        t->options.inside_ipv6_cidr = net;
    else
        t->options.inside_cidr = net;
    t->inside_local = from->customer.inside;
    t->inside_remote = from->gateway.inside;
    t->ike.local_net = t->ike.remote_net = everything(net.address.family);
}

static s2svpn_status choose_local(s2svpn_context *ctx, const s2svpn_config_tunnel *t,
                                  const s2svpn_device_options *options, s2svpn_address *out)
{
    if (options->local.family != S2SVPN_FAMILY_NONE) {
        *out = options->local;
        return S2SVPN_OK;
    }
    if (s2_local_find(ctx, &t->customer.outside, 0)) {
        *out = t->customer.outside;
        return S2SVPN_OK;
    }
    for (size_t i = 0; i < ctx->local_count; i++) {
        if (ctx->local[i].role != S2SVPN_ROLE_RAW &&
            ctx->local[i].address.family == t->gateway.outside.family) {
            *out = ctx->local[i].address;
            return S2SVPN_OK;
        }
    }
    return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "local",
                   "no local address of the gateway's family");
}

static struct s2_ike_id id_of(const s2svpn_address *a)
{
    struct s2_ike_id id = {.type = a->family == S2SVPN_FAMILY_IPV6 ? S2_IKE_ID_IPV6_ADDR
                                                                   : S2_IKE_ID_IPV4_ADDR,
                           .len = (uint16_t)s2_address_len(a)};

    memcpy(id.data, a->bytes, id.len);
    return id;
}

/* Who both ends are: by addresses and the key, behind NAT too, as AWS expects; or by their
 * certificates, where the gateway's address says nothing. */
static s2svpn_status take_identities(s2svpn_tunnel *t, const s2svpn_config_tunnel *from,
                                     const char *path)
{
    s2svpn_context *ctx = t->connection->object.ctx;
    const struct s2_ike_id *peer = &t->connection->peer_identity;

    if (from->pre_shared_key[0] == 0) {
        if (peer->type == S2_IKE_ID_DER_ASN1_DN)
            t->ike.remote_subject = s2_span(peer->data, peer->len);
        else
            t->ike.remote_id = *peer;
        return s2_tunnel_use_certificates(t, path);
    }
    if (!s2_secret_set(&t->ike.psk, from->pre_shared_key, strlen(from->pre_shared_key)))
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, path, "the pre-shared key is too long");
    s2_copy_text(t->psk, sizeof(t->psk), from->pre_shared_key);
    t->ike.local_id = id_of(&from->customer.outside);
    t->ike.remote_id = id_of(&from->gateway.outside);
    return S2SVPN_OK;
}

s2svpn_status s2_device_fill(s2svpn_tunnel *t, const s2svpn_config_tunnel *from,
                             const s2svpn_device_options *options)
{
    s2svpn_context *ctx = t->connection->object.ctx;
    const uint16_t ike_port = options->peer_ike_port, natt_port = options->peer_natt_port;
    s2svpn_tunnel_options defaults = {0};
    struct s2_offer second;
    s2svpn_address local;
    char path[16];
    s2svpn_status rc = choose_local(ctx, from, options, &local);

    s2_print(path, sizeof(path), "tunnel[%u]", t->index);
    if (rc == S2SVPN_OK)
        rc = s2_options_resolve(ctx, path, &defaults);
    if (rc != S2SVPN_OK)
        return rc;
    take_phases(&t->options, from);
    take_rest(t, from, options);
    choose_offers(&t->options, options->offers, &defaults, &second);
    rc = s2_options_resolve(ctx, path, &t->options);
    if (rc == S2SVPN_OK)
        rc = s2_tunnel_endpoints(t, &local, ike_port ? ike_port : ctx->options.peer_ike_port,
                                 natt_port ? natt_port : ctx->options.peer_natt_port);
    if (rc == S2SVPN_OK)
        rc = take_identities(t, from, path);
    if (rc != S2SVPN_OK)
        return rc;
    t->options.outside_address = local;
    take_inside(t, from);
    t->ike.remote = from->gateway.outside;
    s2_attempt_set_offers(t, options->offers == S2SVPN_OFFERS_AUTO ? &second : NULL);
    return S2SVPN_OK;
}

static s2svpn_status device_open(s2svpn_context *ctx, const s2svpn_device_config *config,
                                 const s2svpn_device_options *options, s2svpn_connection **out)
{
    struct s2_ike_id peer = {0};
    s2svpn_connection *c;
    s2svpn_status rc;

    if (ctx->device == NULL)
        return s2_fail(&ctx->env, S2SVPN_E_STATE, "", "the context is a gateway");
    if (options->offers > S2SVPN_OFFERS_MINIMUM)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "offers", "no such choice");
    if (options->ecmp_paths > S2SVPN_ECMP_PATHS_MAX)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "ecmp_paths", "at most %d",
                       S2SVPN_ECMP_PATHS_MAX);
    if (options->ike > S2SVPN_DEVICE_IKE_V1_AGGRESSIVE)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "ike", "no such choice");
    if (options->peer_identity && !s2_identity_read(options->peer_identity, &peer))
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "peer_identity",
                       "a distinguished name (CN=..., O=...), a domain name or an address");
    rc = s2_device_check(ctx, config);
    if (rc == S2SVPN_OK)
        rc = s2_connection_make(ctx, ctx->device, &config->connection, config->tunnel_count, &c);
    if (rc != S2SVPN_OK)
        return rc;
    c->device = true;
    c->device_options = *options;
    c->device_options.peer_identity = NULL; /* the caller's memory */
    c->peer_identity = peer;
    c->static_routes_only = config->static_routes;
    c->customer_gateway = config->customer_gateway;
    c->virtual_gateway = config->virtual_gateway;
    c->customer_address = config->tunnel[0].customer.outside;
    c->inside_version = config->tunnel[0].customer.inside.family == S2SVPN_FAMILY_IPV6 ? 6 : 4;
    c->customer_network = c->cloud_network = everything(config->tunnel[0].customer.inside.family);
    if (!c->static_routes_only) {
        c->local_asn = config->tunnel[0].customer.asn;
        c->peer_asn = config->tunnel[0].gateway.asn;
        c->hold_time_s = config->tunnel[0].customer.hold_time_s;
    }
    for (size_t i = 0; rc == S2SVPN_OK && i < c->tunnel_count; i++)
        rc = s2_device_fill(&c->tunnel[i], &config->tunnel[i], options);
    if (rc != S2SVPN_OK) {
        s2_object_discard(&c->object);
        return rc;
    }
    rc = s2_connection_complete(c);
    if (rc == S2SVPN_OK)
        *out = c;
    return rc;
}

s2svpn_status s2svpn_device_open(s2svpn_context *ctx, const s2svpn_device_config *config,
                                 const s2svpn_device_options *options, s2svpn_connection **out)
{
    s2svpn_device_options full = S2SVPN_DEVICE_OPTIONS_INIT;
    s2svpn_status rc;

    s2_enter(ctx, 0);
    *out = NULL;
    if (options)
        memcpy(&full, options, options->size < sizeof(full) ? options->size : sizeof(full));
    rc = device_open(ctx, config, &full, out);
    s2_leave(ctx);
    return rc;
}

/* ---- the cloud's end */

/* Group 31 isn't among AWS's, but a document that names it was written by an endpoint
 * that allows it. */
static void allow_group_31(const s2svpn_config_tunnel *t, const s2svpn_tunnel_options *defaults,
                           s2svpn_tunnel_options *o)
{
    if (t->ike.ke == S2SVPN_KE_CURVE25519)
        o->phase1_dh_groups = defaults->phase1_dh_groups | S2SVPN_GROUP(31);
    if (t->ipsec.ke == S2SVPN_KE_CURVE25519)
        o->phase2_dh_groups = defaults->phase2_dh_groups | S2SVPN_GROUP(31);
}

/* The document's address is the device's, or none: it is known by its certificate then. */
static s2svpn_status play_customer(s2svpn_context *ctx, const s2svpn_device_config *config,
                                   const s2svpn_play_options *options,
                                   s2svpn_customer_gateway **out)
{
    s2svpn_customer_gateway_spec spec = S2SVPN_CUSTOMER_GATEWAY_INIT;
    const s2svpn_config_tunnel *t = &config->tunnel[0];
    char address[S2SVPN_ADDRESS_TEXT];

    if ((options->device_certificate == NULL) != (t->pre_shared_key[0] != 0))
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "device_certificate",
                       options->device_certificate ? "the document has a pre-shared key"
                                                   : "the document has no pre-shared key");
    if (t->customer.outside.family != S2SVPN_FAMILY_NONE)
        spec.address = s2svpn_address_print(&t->customer.outside, address);
    if (!config->static_routes)
        spec.bgp_asn = t->customer.asn;
    spec.certificate = options->device_certificate;
    return s2svpn_customer_gateway_new(ctx, &spec, out);
}

static s2svpn_status play_connection(s2svpn_virtual_gateway *vgw,
                                     const s2svpn_device_config *config,
                                     const s2svpn_play_options *options, s2svpn_connection **out)
{
    s2svpn_context *ctx = vgw->object.ctx;
    s2svpn_connection_spec conn = S2SVPN_CONNECTION_INIT;
    s2svpn_tunnel_options defaults = {0};
    s2svpn_customer_gateway *cgw;
    s2svpn_status rc = s2_options_resolve(ctx, "tunnel", &defaults);

    if (rc == S2SVPN_OK)
        rc = play_customer(ctx, config, options, &cgw);
    if (rc != S2SVPN_OK)
        return rc;
    conn.static_routes_only = config->static_routes;
    conn.inside_ip_version = config->tunnel[0].gateway.inside.family == S2SVPN_FAMILY_IPV6 ? 6 : 4;
    conn.id = config->connection;
    for (size_t i = 0; i < config->tunnel_count; i++) {
        const s2svpn_config_tunnel *t = &config->tunnel[i];

        const s2svpn_prefix inside = s2_prefix_make(&t->gateway.inside, t->inside_length);

        conn.tunnel[i].pre_shared_key = t->pre_shared_key[0] ? t->pre_shared_key : NULL;
        if (conn.inside_ip_version == 6)
            conn.tunnel[i].inside_ipv6_cidr = inside;
        else
            conn.tunnel[i].inside_cidr = inside;
        conn.tunnel[i].outside_address = t->gateway.outside;
        conn.tunnel[i].phase1_lifetime_s = t->ike.lifetime_s;
        conn.tunnel[i].phase2_lifetime_s = t->ipsec.lifetime_s;
        allow_group_31(t, &defaults, &conn.tunnel[i]);
    }
    rc = s2_connection_new(vgw, cgw, &conn, 2, out);
    /* A document of one tunnel, and no address for a second: then there is none. */
    if (rc == S2SVPN_E_LIMIT && config->tunnel_count == 1)
        rc = s2_connection_new(vgw, cgw, &conn, 1, out);
    if (rc != S2SVPN_OK && s2svpn_customer_gateway_delete(cgw) != S2SVPN_OK)
        s2_log(&ctx->env, S2_LOG_ERROR, "a customer gateway was left over");
    s2svpn_customer_gateway_release(cgw);
    return rc;
}

s2svpn_status s2svpn_gateway_play(s2svpn_context *ctx, const s2svpn_device_config *config,
                                  s2svpn_virtual_gateway **vgw_out, s2svpn_connection **conn_out)
{
    return s2svpn_gateway_play_with(ctx, config, NULL, vgw_out, conn_out);
}

s2svpn_status s2svpn_gateway_play_with(s2svpn_context *ctx, const s2svpn_device_config *config,
                                       const s2svpn_play_options *options,
                                       s2svpn_virtual_gateway **vgw_out,
                                       s2svpn_connection **conn_out)
{
    s2svpn_play_options full = S2SVPN_PLAY_OPTIONS_INIT;
    s2svpn_virtual_gateway *vgw = NULL;
    s2svpn_connection *conn = NULL;
    const uint32_t asn = config->static_routes ? 64512 : config->tunnel[0].gateway.asn;
    s2svpn_status rc;

    s2_enter(ctx, 0);
    if (options)
        memcpy(&full, options, options->size < sizeof(full) ? options->size : sizeof(full));
    rc = ctx->options.role == S2SVPN_ROLE_GATEWAY
             ? s2_device_check(ctx, config)
             : s2_fail(&ctx->env, S2SVPN_E_STATE, "", "the context is a device");
    if (rc == S2SVPN_OK)
        rc = s2_virtual_gateway_make(ctx, &config->virtual_gateway, asn, 0, &vgw);
    if (rc == S2SVPN_OK) {
        rc = play_connection(vgw, config, &full, &conn);
        if (rc != S2SVPN_OK) {
            const s2svpn_error kept = ctx->error;

            if (s2_object_delete(&vgw->object) != S2SVPN_OK)
                s2_log(&ctx->env, S2_LOG_ERROR, "a virtual gateway was left over");
            ctx->error = kept;
            s2_object_release(&vgw->object);
        }
    }
    if (rc == S2SVPN_OK && vgw_out)
        *vgw_out = vgw;
    else if (rc == S2SVPN_OK)
        s2svpn_virtual_gateway_release(vgw);
    if (rc == S2SVPN_OK && conn_out)
        *conn_out = conn;
    else if (rc == S2SVPN_OK)
        s2svpn_connection_release(conn);
    s2_leave(ctx);
    return rc;
}
