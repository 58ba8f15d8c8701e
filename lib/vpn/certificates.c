/* SPDX-License-Identifier: Apache-2.0 */
/* What this side shows its peers and whom it trusts, for all tunnels of a context that use
 * certificates; reading certificates. The cryptography is the backend's. */
#include "vpn/certificates.h"

#include <string.h>

#include "vpn/vpn.h"

bool s2_knows_certificates(const s2svpn_context *ctx)
{
    const s2svpn_crypto_ops *c = ctx->options.crypto;

    return c->size >= offsetof(s2svpn_crypto_ops, certificate_read) + sizeof(c->certificate_read) &&
           c->identity_new && c->identity_free && c->identity_chain && c->trust_new &&
           c->trust_free && c->trust_hashes && c->certificate_read;
}

struct s2_ike_credentials *s2_credentials_now(const s2svpn_context *ctx)
{
    return ctx->certificates.current ? &ctx->certificates.current->ike : NULL;
}

/* ---- reading */

static s2svpn_status no_certificates(const s2svpn_context *ctx)
{
    return s2_fail(&ctx->env, S2SVPN_E_UNSUPPORTED, "", "the crypto backend has no certificates");
}

static s2svpn_status read(s2svpn_context *ctx, s2svpn_span bytes, s2svpn_certificate_info *out)
{
    memset(out, 0, sizeof(*out));
    out->size = sizeof(*out);
    return ctx->options.crypto->certificate_read(ctx->options.crypto_user, bytes, out);
}

s2svpn_status s2svpn_certificate_read(s2svpn_context *ctx, const void *bytes, size_t len,
                                      s2svpn_certificate_info *out)
{
    const size_t size = out->size;
    s2svpn_certificate_info info;
    s2svpn_status rc;

    s2_enter(ctx, 0);
    rc = s2_knows_certificates(ctx) ? read(ctx, s2_span(bytes, len), &info) : no_certificates(ctx);
    if (rc == S2SVPN_OK)
        s2_info_copy(out, size, &info, sizeof(info));
    else if (rc == S2SVPN_E_MALFORMED)
        rc = s2_fail(&ctx->env, rc, "", "no certificate, in PEM or DER");
    s2_leave(ctx);
    return rc;
}

/* It goes into ID payloads and into lines of logs and records. */
s2svpn_status s2_subject_read(s2svpn_context *ctx, const char *field, s2svpn_span certificate,
                              s2svpn_certificate_info *out)
{
    s2svpn_status rc;

    if (!s2_knows_certificates(ctx))
        return s2_fail(&ctx->env, S2SVPN_E_UNSUPPORTED, field,
                       "the crypto backend has no certificates");
    rc = read(ctx, certificate, out);
    if (rc != S2SVPN_OK)
        return s2_fail(&ctx->env, rc == S2SVPN_E_MALFORMED ? S2SVPN_E_ARGUMENT : rc, field,
                       "no certificate can be read from it");
    if (out->subject[0] == 0 || out->subject_der_len == 0)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field, "the certificate has no subject");
    if (out->subject_der_len > S2_IKE_ID_MAX)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field,
                       "the certificate's subject is longer than %d bytes", S2_IKE_ID_MAX);
    for (char *p = out->subject; *p; p++) {
        if ((uint8_t)*p < ' ' || *p == 0x7f)
            *p = '?';
    }
    return S2SVPN_OK;
}

/* ---- making */

static s2svpn_span text_span(const char *text)
{
    return s2_span(text, text ? strlen(text) : 0);
}

static void free_credentials(s2svpn_context *ctx, struct s2_credentials *c)
{
    const s2svpn_crypto_ops *crypto = ctx->options.crypto;

    if (c == NULL)
        return;
    if (c->identity)
        crypto->identity_free(ctx->options.crypto_user, c->identity);
    if (c->trust)
        crypto->trust_free(ctx->options.crypto_user, c->trust);
    s2_free(&ctx->env, c);
}

/* The backend's words, with the field as the caller knows it. */
static s2svpn_status refused(const s2svpn_context *ctx, s2svpn_status rc, const s2svpn_error *why)
{
    static const struct {
        const char *backend, *ours;
    } fields[] = {
        {"key", "private_key"}, {"trust", "authorities"}, {"chain", "chain"}, {"crls", "crls"}};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strcmp(why->field, fields[i].backend) == 0)
            return s2_fail(&ctx->env, rc, fields[i].ours, "%s",
                           why->message[0] ? why->message : s2svpn_status_text(rc));
    }
    return s2_fail(&ctx->env, rc, why->field, "%s",
                   why->message[0] ? why->message : s2svpn_status_text(rc));
}

static s2svpn_status fill(s2svpn_context *ctx, struct s2_credentials *c,
                          const s2svpn_certificates *from)
{
    const s2svpn_crypto_ops *crypto = ctx->options.crypto;
    void *user = ctx->options.crypto_user;
    s2svpn_certificate_info info;
    s2svpn_error why = {0};
    s2svpn_status rc = crypto->identity_new(user, text_span(from->chain),
                                            text_span(from->private_key), &c->identity, &why);

    if (rc == S2SVPN_OK)
        rc = crypto->trust_new(user, text_span(from->authorities), text_span(from->crls), &c->trust,
                               &why);
    if (rc != S2SVPN_OK)
        return refused(ctx, rc, &why);
    c->ike.identity = c->identity;
    c->ike.trust = c->trust;
    c->ike.authorities = crypto->trust_hashes(user, c->trust);
    c->ike.chain_count = crypto->identity_chain(user, c->identity, c->ike.chain);
    c->has_crls = from->crls && from->crls[0];
    if (c->ike.chain_count == 0)
        return s2_fail(&ctx->env, S2SVPN_E_MALFORMED, "chain", "there is no certificate in it");
    rc = s2_subject_read(ctx, "chain", c->ike.chain[0], &info);
    if (rc != S2SVPN_OK)
        return rc;
    c->ike.id.type = S2_IKE_ID_DER_ASN1_DN;
    c->ike.id.len = (uint16_t)info.subject_der_len;
    memcpy(c->ike.id.data, info.subject_der, info.subject_der_len);
    return S2SVPN_OK;
}

static s2svpn_status check(const s2svpn_context *ctx, const s2svpn_certificates *given)
{
    const struct {
        const char *field, *text;
    } needed[] = {{"chain", given->chain},
                  {"private_key", given->private_key},
                  {"authorities", given->authorities}};

    if (!s2_knows_certificates(ctx))
        return no_certificates(ctx);
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        if (needed[i].text == NULL || needed[i].text[0] == 0)
            return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, needed[i].field, "a PEM text is needed");
    }
    return S2SVPN_OK;
}

/* ---- coming into force */

/* Those that wait for their next try may have waited for these. */
static void take_over(s2svpn_tunnel *t, uint64_t now_ns)
{
    s2svpn_context *ctx = t->connection->object.ctx;

    if (t->ike.auth_by != S2_IKE_BY_CERTIFICATE)
        return;
    t->ike.credentials = s2_credentials_now(ctx);
    if (t->phase == S2SVPN_TUNNEL_WAITING && t->keep_up)
        s2_timer_set(&ctx->timers, &t->retry, now_ns);
}

static void come_into_force(s2svpn_context *ctx, struct s2_credentials *fresh)
{
    if (ctx->certificates.current)
        s2_list_append(&ctx->certificates.replaced, &ctx->certificates.current->in_context);
    ctx->certificates.current = fresh;
    S2_LIST_EACH(&ctx->kind[S2SVPN_KIND_CONNECTION], l) {
        struct s2_object *o = S2_CONTAINER(l, struct s2_object, in_kind);
        s2svpn_connection *c = (s2svpn_connection *)(void *)o;

        for (size_t i = 0; i < c->tunnel_count; i++)
            take_over(&c->tunnel[i], ctx->now_ns);
    }
    if (fresh->has_crls)
        s2_peer_certificates_recheck(ctx);
    s2_credentials_sweep(ctx);
}

static s2svpn_status set(s2svpn_context *ctx, const s2svpn_certificates *given)
{
    struct s2_credentials *fresh;
    s2svpn_status rc = check(ctx, given);

    if (rc != S2SVPN_OK)
        return rc;
    fresh = s2_alloc(&ctx->env, sizeof(*fresh));
    if (fresh == NULL)
        return s2_fail(&ctx->env, S2SVPN_E_MEMORY, "", "no memory for certificates");
    s2_list_init(&fresh->in_context);
    rc = fill(ctx, fresh, given);
    if (rc == S2SVPN_OK)
        come_into_force(ctx, fresh);
    else
        free_credentials(ctx, fresh);
    return rc;
}

s2svpn_status s2svpn_context_set_certificates(s2svpn_context *ctx,
                                              const s2svpn_certificates *certificates)
{
    s2svpn_certificates full = S2SVPN_CERTIFICATES_INIT;
    s2svpn_status rc;

    s2_enter(ctx, 0);
    memcpy(&full, certificates,
           certificates->size < sizeof(full) ? certificates->size : sizeof(full));
    rc = set(ctx, &full);
    s2_leave(ctx);
    return rc;
}

void s2_credentials_sweep(s2svpn_context *ctx)
{
    S2_LIST_EACH(&ctx->certificates.replaced, l) {
        struct s2_credentials *c = S2_CONTAINER(l, struct s2_credentials, in_context);

        if (c->ike.users > 0)
            continue;
        s2_list_remove(l);
        free_credentials(ctx, c);
    }
}

void s2_certificates_init(s2svpn_context *ctx)
{
    struct s2_certificates *all = &ctx->certificates;

    s2_list_init(&all->replaced);
    s2_list_init(&all->peers);
    s2_list_init(&all->unchecked);
    s2_list_init(&all->roaming);
    s2_table_init(&all->by_subject, &ctx->env, (size_t)ctx->limits.objects * 2);
    s2_table_init(&all->by_place, &ctx->env, (size_t)ctx->limits.objects * 2);
    s2_peer_certificates_init(ctx);
}

void s2_certificates_clear(s2svpn_context *ctx)
{
    struct s2_certificates *all = &ctx->certificates;
    struct s2_link *l;

    while ((l = s2_list_take_first(&all->replaced)) != NULL)
        free_credentials(ctx, S2_CONTAINER(l, struct s2_credentials, in_context));
    free_credentials(ctx, all->current);
    all->current = NULL;
    s2_table_clear(&all->by_subject);
    s2_table_clear(&all->by_place);
}
