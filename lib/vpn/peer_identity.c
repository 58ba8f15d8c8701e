/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom a device expects, from text: an address, a domain name, or a distinguished name as
 * status and logs print it, "CN=vpn.example, O=Example". The Name is written in DER, X.501
 * and RFC 5280 section 4.1.2.4; names of attributes are RFC 4514's and OpenSSL's.
 */
#include <string.h>

#include "base/writer.h"
#include "vpn/vpn.h"

#define SEQUENCE 0x30
#define SET 0x31
#define OBJECT_IDENTIFIER 0x06
#define UTF8_STRING 0x0c
#define PRINTABLE_STRING 0x13
#define IA5_STRING 0x16
#define VALUE_MAX 64 /* of an attribute: RFC 5280's upper bounds are below it */
#define SHORT_MAX 127

static const struct attribute {
    const char *name;
    uint8_t tag; /* of its value */
    uint8_t oid_len;
    uint8_t oid[10];
} attributes[] = {
    {"CN", UTF8_STRING, 3, {0x55, 4, 3}},
    {"SN", UTF8_STRING, 3, {0x55, 4, 4}},
    {"serialNumber", PRINTABLE_STRING, 3, {0x55, 4, 5}},
    {"C", PRINTABLE_STRING, 3, {0x55, 4, 6}},
    {"L", UTF8_STRING, 3, {0x55, 4, 7}},
    {"ST", UTF8_STRING, 3, {0x55, 4, 8}},
    {"street", UTF8_STRING, 3, {0x55, 4, 9}},
    {"O", UTF8_STRING, 3, {0x55, 4, 10}},
    {"OU", UTF8_STRING, 3, {0x55, 4, 11}},
    {"title", UTF8_STRING, 3, {0x55, 4, 12}},
    {"DC", IA5_STRING, 10, {0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25}},
    {"emailAddress", IA5_STRING, 9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1}},
};

static const struct attribute *find(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
        if (strlen(attributes[i].name) == len && memcmp(attributes[i].name, name, len) == 0)
            return &attributes[i];
    }
    return NULL;
}

static void put(struct s2_writer *w, uint8_t tag, size_t len)
{
    s2_write_u8(w, tag);
    s2_write_u8(w, (uint8_t)len); /* at most SHORT_MAX here */
}

/* SET { SEQUENCE { type, value } } */
static void put_attribute(struct s2_writer *w, const struct attribute *a, const char *value,
                          size_t len)
{
    const size_t inner = 2u + a->oid_len + 2u + len;

    put(w, SET, inner + 2);
    put(w, SEQUENCE, inner);
    put(w, OBJECT_IDENTIFIER, a->oid_len);
    s2_write_bytes(w, a->oid, a->oid_len);
    put(w, a->tag, len);
    s2_write_bytes(w, value, len);
}

/* One "NAME=value" up to a comma; a backslash takes the next character as it is. NULL: it
 * isn't one. */
static const char *take_attribute(struct s2_writer *w, const char *text)
{
    const char *equals = strchr(text, '=');
    const struct attribute *a = equals ? find(text, (size_t)(equals - text)) : NULL;
    char value[VALUE_MAX];
    size_t len = 0;

    if (a == NULL)
        return NULL;
    for (text = equals + 1; *text != 0 && *text != ','; text++) {
        if (*text == '\\' && text[1] != 0)
            text++;
        if (len == sizeof(value) || (uint8_t)*text < ' ')
            return NULL;
        value[len++] = *text;
    }
    if (len == 0)
        return NULL;
    put_attribute(w, a, value, len);
    if (*text == ',')
        for (text++; *text == ' '; text++)
            ;
    return text;
}

static bool read_dn(const char *text, struct s2_ike_id *out)
{
    uint8_t names[S2_IKE_ID_MAX];
    struct s2_writer w, whole;

    s2_writer_init(&w, names, sizeof(names));
    while (text && *text)
        text = take_attribute(&w, text);
    if (text == NULL || w.len == 0 || s2_writer_finish(&w) != S2SVPN_OK)
        return false;
    s2_writer_init(&whole, out->data, sizeof(out->data));
    s2_write_u8(&whole, SEQUENCE);
    if (w.len > SHORT_MAX)
        s2_write_u8(&whole, 0x81); /* one more byte of length follows */
    s2_write_u8(&whole, (uint8_t)w.len);
    s2_write_bytes(&whole, names, w.len);
    out->type = S2_IKE_ID_DER_ASN1_DN;
    out->len = (uint16_t)whole.len;
    return s2_writer_finish(&whole) == S2SVPN_OK;
}

static bool read_name(const char *text, struct s2_ike_id *out)
{
    const size_t len = strlen(text);

    if (len == 0 || len > 253 ||
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.") != len)
        return false;
    out->type = S2_IKE_ID_FQDN;
    out->len = (uint16_t)len;
    memcpy(out->data, text, len);
    return true;
}

bool s2_identity_read(const char *text, struct s2_ike_id *out)
{
    s2svpn_address a;

    memset(out, 0, sizeof(*out));
    if (s2svpn_address_read(text, &a)) {
        out->type = a.family == S2SVPN_FAMILY_IPV6 ? S2_IKE_ID_IPV6_ADDR : S2_IKE_ID_IPV4_ADDR;
        out->len = (uint16_t)s2_address_len(&a);
        memcpy(out->data, a.bytes, out->len);
        return true;
    }
    return strchr(text, '=') ? read_dn(text, out) : read_name(text, out);
}
