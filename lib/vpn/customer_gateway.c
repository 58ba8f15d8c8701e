/* SPDX-License-Identifier: Apache-2.0 */
/* Customer gateways: facts about a customer's device, immutable. */
#include "s2svpn/customer_gateway.h"

#include <string.h>

#include "vpn/vpn.h"

#define AS_TRANS 23456 /* RFC 6793 section 9: nobody's ASN */

/* What its device is known by. */
static void print_name(struct s2_buffer *b, const struct s2_ike_id *name)
{
    char hex[2 * S2_IKE_ID_MAX + 1];
    size_t len = 0;

    for (size_t i = 0; i < name->len; i++)
        len += s2_print(hex + len, sizeof(hex) - len, "%02x", name->data[i]);
    s2_record_text(b, "certificate_subject_der", hex);
}

static void print(struct s2_buffer *b, const struct s2_object *o)
{
    const s2svpn_customer_gateway *cgw = (const s2svpn_customer_gateway *)(const void *)o;
    char text[S2SVPN_ADDRESS_TEXT];

    s2_record_number(b, "bgp_asn", cgw->bgp_asn);
    if (cgw->address.family != S2SVPN_FAMILY_NONE)
        s2_record_text(b, "address", s2svpn_address_print(&cgw->address, text));
    if (cgw->device_name[0])
        s2_record_text(b, "device_name", cgw->device_name);
    if (cgw->subject.len > 0) {
        s2_record_text(b, "certificate_subject", cgw->certificate_subject);
        print_name(b, &cgw->subject);
    }
}

static void destroy(struct s2_object *o)
{
    s2_free(&o->ctx->env, o);
}

static const struct s2_class class = {
    .kind = S2SVPN_KIND_CUSTOMER_GATEWAY,
    .prefix = "cgw",
    .size = sizeof(s2svpn_customer_gateway),
    .print = print,
    .destroy = destroy,
};

/* It stands in a line of the record. */
static bool is_name(const char *name)
{
    size_t len = 0;

    while (len < 256 && (uint8_t)name[len] >= ' ' && name[len] != 0x7f)
        len++;
    return len < 256 && name[len] == 0;
}

static s2svpn_status check(s2svpn_context *ctx, const s2svpn_customer_gateway_spec *spec,
                           s2svpn_address *address)
{
    if (ctx->options.role != S2SVPN_ROLE_GATEWAY)
        return s2_fail(&ctx->env, S2SVPN_E_STATE, "", "the context is a device");
    if (spec->bgp_asn == 0 || spec->bgp_asn == AS_TRANS)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "bgp_asn", "1 to 4294967295, not 23456");
    if (spec->address == NULL && spec->certificate == NULL)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "address",
                       "an IP address is needed, or a certificate");
    if (spec->address && !s2svpn_address_read(spec->address, address))
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "address", "an IP address is needed");
    if (spec->device_name && !is_name(spec->device_name))
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "device_name",
                       "at most 255 bytes, no control characters");
    return S2SVPN_OK;
}

/* The certificate itself isn't kept: one that is renewed is as good. */
static void take_subject(s2svpn_customer_gateway *cgw, const s2svpn_certificate_info *info)
{
    s2_copy_text(cgw->certificate_subject, sizeof(cgw->certificate_subject), info->subject);
    cgw->subject.type = S2_IKE_ID_DER_ASN1_DN;
    cgw->subject.len = (uint16_t)info->subject_der_len;
    memcpy(cgw->subject.data, info->subject_der, info->subject_der_len);
}

s2svpn_status s2svpn_customer_gateway_new(s2svpn_context *ctx,
                                          const s2svpn_customer_gateway_spec *spec,
                                          s2svpn_customer_gateway **out)
{
    s2svpn_customer_gateway_spec full = S2SVPN_CUSTOMER_GATEWAY_INIT;
    s2svpn_address address = {0};
    s2svpn_certificate_info info;
    void *o;
    s2svpn_status rc;

    s2_enter(ctx, 0);
    *out = NULL;
    memcpy(&full, spec, spec->size < sizeof(full) ? spec->size : sizeof(full));
    spec = &full;
    rc = check(ctx, spec, &address);
    if (rc == S2SVPN_OK && spec->certificate)
        rc = s2_subject_read(ctx, "certificate",
                             s2_span(spec->certificate, strlen(spec->certificate)), &info);
    if (rc == S2SVPN_OK)
        rc = s2_object_new(ctx, &class, NULL, &o);
    if (rc == S2SVPN_OK) {
        s2svpn_customer_gateway *cgw = o;

        cgw->bgp_asn = spec->bgp_asn;
        cgw->address = address;
        s2_copy_text(cgw->device_name, sizeof(cgw->device_name),
                     spec->device_name ? spec->device_name : "");
        if (spec->certificate)
            take_subject(cgw, &info);
        rc = s2_object_create(&cgw->object);
        if (rc == S2SVPN_OK)
            *out = cgw;
    }
    s2_leave(ctx);
    return rc;
}

s2svpn_status s2svpn_customer_gateway_delete(s2svpn_customer_gateway *cgw)
{
    return s2_object_delete_public(&cgw->object);
}

s2svpn_status s2svpn_customer_gateway_hold(s2svpn_context *ctx, const char *id,
                                           s2svpn_customer_gateway **cgw)
{
    void *o = NULL;
    s2svpn_status rc = s2_object_hold(ctx, S2SVPN_KIND_CUSTOMER_GATEWAY, id, &o);

    *cgw = o;
    return rc;
}

void s2svpn_customer_gateway_release(s2svpn_customer_gateway *cgw)
{
    if (cgw)
        s2_object_release(&cgw->object);
}

void s2svpn_customer_gateway_get_info(const s2svpn_customer_gateway *cgw,
                                      s2svpn_customer_gateway_info *out)
{
    s2svpn_customer_gateway_info info = {
        .size = out->size,
        .id = cgw->object.id,
        .state = cgw->object.state,
        .bgp_asn = cgw->bgp_asn,
        .address = cgw->address,
    };

    s2_copy_text(info.device_name, sizeof(info.device_name), cgw->device_name);
    s2_copy_text(info.certificate_subject, sizeof(info.certificate_subject),
                 cgw->certificate_subject);
    s2_info_copy(out, out->size, &info, sizeof(info));
}
