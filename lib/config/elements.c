/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the document's elements, and what each kind of value is: how it is
 * parsed, printed and bounded. What two elements mean together is check.c's. */
#include <stdarg.h>
#include <string.h>

#include "base/address.h"
#include "base/bytes.h"
#include "config/config.h"
#include "config/names.h"
#include "s2svpn/crypto.h"

#define INSIDE_IPV4 30 /* prefix lengths of the inside network */
#define INSIDE_IPV6 126
#define MASK_IPV4 "255.255.255.252"
#define MASK_IPV6 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffc"

/* ---- kinds of values */

static bool allowed_in_id(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

bool s2_config_id_read(const char *text, s2svpn_id *out)
{
    const size_t len = strlen(text);

    if (len == 0 || len >= sizeof(out->text))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!allowed_in_id(text[i]))
            return false;
    }
    *out = (s2svpn_id){{0}};
    memcpy(out->text, text, len);
    return true;
}

static s2svpn_status parse_id(const struct s2_config_element *e, const char *text, size_t len,
                              void *member)
{
    (void)e;
    (void)len;
    return s2_config_id_read(text, member) ? S2SVPN_OK : S2SVPN_E_MALFORMED;
}

static s2svpn_status parse_id_or_none(const struct s2_config_element *e, const char *text,
                                      size_t len, void *member)
{
    return len == 0 ? S2SVPN_OK : parse_id(e, text, len, member);
}

/* A text that isn't ended is the same as none: a value that can't be. */
static bool print_text(const char *text, size_t size, char out[S2_XML_VALUE_SIZE])
{
    if (memchr(text, '\0', size) == NULL)
        text = "";
    s2_copy_text(out, S2_XML_VALUE_SIZE, text);
    return true;
}

static bool print_id(const struct s2_config_element *e, const void *member,
                     char out[S2_XML_VALUE_SIZE])
{
    const s2svpn_id *id = member;

    (void)e;
    return print_text(id->text, sizeof(id->text), out);
}

/* Printable ASCII, or nothing: then certificates take its place. A blank at an end is more
 * likely an accident of layout than part of a key, and would show only as a failed
 * authentication. */
static s2svpn_status parse_key(const struct s2_config_element *e, const char *text, size_t len,
                               void *member)
{
    char *key = member;

    (void)e;
    if (len > 0 && (text[0] == ' ' || text[len - 1] == ' '))
        return S2SVPN_E_MALFORMED;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < ' ' || text[i] > '~')
            return S2SVPN_E_MALFORMED;
    }
    memcpy(key, text, len + 1); /* len is less than S2_XML_VALUE_SIZE */
    return S2SVPN_OK;
}

static bool print_key(const struct s2_config_element *e, const void *member,
                      char out[S2_XML_VALUE_SIZE])
{
    const s2svpn_config_tunnel *t;
    const char *key = member;

    (void)e;
    if (memchr(key, 0, sizeof(t->pre_shared_key)) == NULL)
        key = " "; /* which can't be one */
    return key[0] != 0 && print_text(key, sizeof(t->pre_shared_key), out);
}

/* Nothing, or a word that isn't ours: two kinds of wrong. */
static s2svpn_status unless(bool known, size_t len)
{
    if (known)
        return S2SVPN_OK;
    return len == 0 ? S2SVPN_E_MALFORMED : S2SVPN_E_UNSUPPORTED;
}

/* There is one value, and no member for it. */
static s2svpn_status parse_fixed(const struct s2_config_element *e, const char *text, size_t len,
                                 void *member)
{
    (void)member;
    return unless(strcmp(text, e->expected) == 0, len);
}

/* The mask of a /30, or of a /126 as an IPv6 address; there is no member for it. */
static s2svpn_status parse_mask(const struct s2_config_element *e, const char *text, size_t len,
                                void *member)
{
    s2svpn_address a, mask;

    (void)e;
    (void)len;
    (void)member;
    if (strcmp(text, MASK_IPV4) == 0)
        return S2SVPN_OK;
    if (!s2svpn_address_read(MASK_IPV6, &mask) || !s2svpn_address_read(text, &a) ||
        !s2_address_equal(&a, &mask))
        return S2SVPN_E_MALFORMED;
    return S2SVPN_OK;
}

/* The member is the address that the mask stands beside. */
static bool print_mask(const struct s2_config_element *e, const void *member,
                       char out[S2_XML_VALUE_SIZE])
{
    const s2svpn_address *a = member;

    (void)e;
    s2_copy_text(out, S2_XML_VALUE_SIZE, a->family == S2SVPN_FAMILY_IPV6 ? MASK_IPV6 : MASK_IPV4);
    return true;
}

static bool print_fixed(const struct s2_config_element *e, const void *member,
                        char out[S2_XML_VALUE_SIZE])
{
    (void)member;
    return print_text(e->expected, strlen(e->expected) + 1, out);
}

static bool contains(const char *text, const char *word)
{
    for (const char *at = text; (at = strchr(at, word[0])) != NULL; at++) {
        if (strncmp(at, word, strlen(word)) == 0)
            return true;
    }
    return false;
}

static s2svpn_status parse_attributes(const struct s2_config_element *e, const char *text,
                                      size_t len, void *member)
{
    (void)e;
    (void)len;
    *(bool *)member = contains(text, "NoBGP");
    return S2SVPN_OK;
}

static bool print_attributes(const struct s2_config_element *e, const void *member,
                             char out[S2_XML_VALUE_SIZE])
{
    const char *text = "NoBGPVPNConnection";

    (void)e;
    return *(const bool *)member && print_text(text, strlen(text) + 1, out);
}

/* One host's address: not unspecified, multicast or broadcast. */
static bool unicast(const s2svpn_address *a)
{
    static const uint8_t zero[16];

    if (memcmp(a->bytes, zero, sizeof(zero)) == 0)
        return false;
    return a->family == S2SVPN_FAMILY_IPV4 ? a->bytes[0] < 224 : a->bytes[0] != 0xff;
}

static s2svpn_status parse_address(const struct s2_config_element *e, const char *text, size_t len,
                                   void *member)
{
    s2svpn_address a;

    (void)e;
    (void)len;
    if (!s2svpn_address_read(text, &a) || !unicast(&a))
        return S2SVPN_E_MALFORMED;
    *(s2svpn_address *)member = a;
    return S2SVPN_OK;
}

static bool print_address(const struct s2_config_element *e, const void *member,
                          char out[S2_XML_VALUE_SIZE])
{
    (void)e;
    s2svpn_address_print(member, out);
    return true;
}

static bool number(const struct s2_config_element *e, const char *text, size_t len, uint64_t *v)
{
    return s2_read_number(text, len, e->most, v) && *v >= e->least;
}

static s2svpn_status parse_address_or_none(const struct s2_config_element *e, const char *text,
                                           size_t len, void *member)
{
    return len == 0 ? S2SVPN_OK : parse_address(e, text, len, member);
}

static bool print_address_or_none(const struct s2_config_element *e, const void *member,
                                  char out[S2_XML_VALUE_SIZE])
{
    const s2svpn_address *a = member;

    return a->family != S2SVPN_FAMILY_NONE && print_address(e, member, out);
}

/* Of the inside network; which of the two goes with the addresses is check.c's. */
static s2svpn_status parse_inside_length(const struct s2_config_element *e, const char *text,
                                         size_t len, void *member)
{
    uint64_t v;

    (void)e;
    if (!s2_read_number(text, len, INSIDE_IPV6, &v) || (v != INSIDE_IPV4 && v != INSIDE_IPV6))
        return S2SVPN_E_MALFORMED;
    *(uint8_t *)member = (uint8_t)v;
    return S2SVPN_OK;
}

static s2svpn_status parse_u16(const struct s2_config_element *e, const char *text, size_t len,
                               void *member)
{
    uint64_t v;

    if (!number(e, text, len, &v))
        return S2SVPN_E_MALFORMED;
    *(uint16_t *)member = (uint16_t)v;
    return S2SVPN_OK;
}

static s2svpn_status parse_u32(const struct s2_config_element *e, const char *text, size_t len,
                               void *member)
{
    uint64_t v;

    if (!number(e, text, len, &v))
        return S2SVPN_E_MALFORMED;
    *(uint32_t *)member = (uint32_t)v;
    return S2SVPN_OK;
}

static bool print_u8(const struct s2_config_element *e, const void *member,
                     char out[S2_XML_VALUE_SIZE])
{
    (void)e;
    s2_print(out, S2_XML_VALUE_SIZE, "%u", *(const uint8_t *)member);
    return true;
}

static bool print_u16(const struct s2_config_element *e, const void *member,
                      char out[S2_XML_VALUE_SIZE])
{
    (void)e;
    s2_print(out, S2_XML_VALUE_SIZE, "%u", *(const uint16_t *)member);
    return true;
}

static bool print_u32(const struct s2_config_element *e, const void *member,
                      char out[S2_XML_VALUE_SIZE])
{
    (void)e;
    s2_print(out, S2_XML_VALUE_SIZE, "%u", (unsigned)*(const uint32_t *)member);
    return true;
}

static s2svpn_status parse_bool(const struct s2_config_element *e, const char *text, size_t len,
                                void *member)
{
    const bool yes = strcmp(text, "true") == 0;

    (void)e;
    (void)len;
    if (!yes && strcmp(text, "false") != 0)
        return S2SVPN_E_MALFORMED;
    *(bool *)member = yes;
    return S2SVPN_OK;
}

static bool print_bool(const struct s2_config_element *e, const void *member,
                       char out[S2_XML_VALUE_SIZE])
{
    (void)e;
    s2_copy_text(out, S2_XML_VALUE_SIZE, *(const bool *)member ? "true" : "false");
    return true;
}

/* ---- algorithms: the member is the phase. */

static s2svpn_status parse_encr(const struct s2_config_element *e, const char *text, size_t len,
                                void *member)
{
    s2svpn_config_phase *phase = member;

    (void)e;
    return unless(s2_config_read_encr(text, &phase->encr, &phase->key_bits), len);
}

static bool print_encr(const struct s2_config_element *e, const void *member,
                       char out[S2_XML_VALUE_SIZE])
{
    const s2svpn_config_phase *phase = member;

    (void)e;
    s2_copy_text(out, S2_XML_VALUE_SIZE, s2_config_encr_word(phase->encr, phase->key_bits));
    return true;
}

static s2svpn_status parse_integ(const struct s2_config_element *e, const char *text, size_t len,
                                 void *member)
{
    s2svpn_config_phase *phase = member;

    (void)e;
    return unless(s2_config_read_integ(text, &phase->integ), len);
}

static bool print_hash(const struct s2_config_element *e, const void *member,
                       char out[S2_XML_VALUE_SIZE])
{
    const s2svpn_config_phase *phase = member;

    (void)e;
    s2_copy_text(out, S2_XML_VALUE_SIZE, s2_config_hash_word(phase->integ));
    return true;
}

static bool print_mac(const struct s2_config_element *e, const void *member,
                      char out[S2_XML_VALUE_SIZE])
{
    const s2svpn_config_phase *phase = member;

    (void)e;
    s2_copy_text(out, S2_XML_VALUE_SIZE, s2_config_mac_word(phase->integ));
    return true;
}

static s2svpn_status parse_group(const struct s2_config_element *e, const char *text, size_t len,
                                 void *member)
{
    s2svpn_config_phase *phase = member;

    (void)e;
    return unless(s2_config_read_group(text, &phase->ke), len);
}

static bool print_group(const struct s2_config_element *e, const void *member,
                        char out[S2_XML_VALUE_SIZE])
{
    const s2svpn_config_phase *phase = member;

    (void)e;
    s2_print(out, S2_XML_VALUE_SIZE, "group%u", phase->ke);
    return true;
}

/* ---- the table, in the document's order */

#define CONFIG(member) offsetof(s2svpn_device_config, member)
#define TUNNEL(member) offsetof(s2svpn_config_tunnel, member)
#define TEXT(x) #x
#define WORDS(x) TEXT(x)

#define CONTAINER(name, needed)                                                                    \
    {                                                                                              \
        .path = (name), .need = S2_NEED_##needed, .expected = "its elements"                       \
    }
#define FIXED(name, text)                                                                          \
    {                                                                                              \
        .path = (name), .parse = parse_fixed, .print = print_fixed, .need = S2_NEED_NEVER,         \
        .expected = (text)                                                                         \
    }
#define NUMBER(bits, name, where, needed, from, to)                                                \
    {                                                                                              \
        .path = (name), .parse = parse_##bits, .print = print_##bits, .need = S2_NEED_##needed,    \
        .expected = "a number from " WORDS(from) " to " WORDS(to), .offset = (where),              \
        .least = (from), .most = (to)                                                              \
    }
#define YES_NO(name, where)                                                                        \
    {                                                                                              \
        .path = (name), .parse = parse_bool, .print = print_bool, .need = S2_NEED_NEVER,           \
        .expected = "true or false", .offset = (where)                                             \
    }
#define ALGORITHM(name, where, reads, prints, needed, words)                                       \
    {                                                                                              \
        .path = (name), .parse = (reads), .print = (prints), .need = S2_NEED_##needed,             \
        .expected = (words), .offset = (where)                                                     \
    }

#define CIPHERS "aes-128-cbc, aes-256-cbc, aes-128-gcm-16 or aes-256-gcm-16"
#define HASHES "sha1, sha2-256, sha2-384 or sha2-512"
#define MACS "hmac-sha1-96, hmac-sha2-256-128, hmac-sha2-384-192 or hmac-sha2-512-256"
#define GROUPS "group2, group5, group14 to group24 or group31"

#define END(name, end, reads, prints, needed)                                                      \
    CONTAINER(S2_CONFIG_TUNNEL "/" name, ALWAYS),                                                  \
        CONTAINER(S2_CONFIG_TUNNEL "/" name "/tunnel_outside_address", ALWAYS),                    \
        {.path = S2_CONFIG_TUNNEL "/" name "/tunnel_outside_address/ip_address",                   \
         .parse = (reads),                                                                         \
         .print = (prints),                                                                        \
         .need = S2_NEED_##needed,                                                                 \
         .expected = "an IP address of a host",                                                    \
         .offset = TUNNEL(end.outside)},                                                           \
        CONTAINER(S2_CONFIG_TUNNEL "/" name "/tunnel_inside_address", ALWAYS),                     \
        {.path = S2_CONFIG_TUNNEL "/" name "/tunnel_inside_address/ip_address",                    \
         .parse = parse_address,                                                                   \
         .print = print_address,                                                                   \
         .expected = "an IP address of a host",                                                    \
         .offset = TUNNEL(end.inside)},                                                            \
        {.path = S2_CONFIG_TUNNEL "/" name "/tunnel_inside_address/network_mask",                  \
         .parse = parse_mask,                                                                      \
         .print = print_mask,                                                                      \
         .expected = MASK_IPV4 ", or with IPv6 " MASK_IPV6,                                        \
         .offset = TUNNEL(end.inside),                                                             \
         .need = S2_NEED_NEVER},                                                                   \
        {.path = S2_CONFIG_TUNNEL "/" name "/tunnel_inside_address/network_cidr",                  \
         .parse = parse_inside_length,                                                             \
         .print = print_u8,                                                                        \
         .expected = "30, or with IPv6 126",                                                       \
         .offset = TUNNEL(inside_length)},                                                         \
        CONTAINER(S2_CONFIG_TUNNEL "/" name "/bgp", BGP),                                          \
        NUMBER(u32, S2_CONFIG_TUNNEL "/" name "/bgp/asn", TUNNEL(end.asn), BGP, 1, 4294967295),    \
        NUMBER(u16, S2_CONFIG_TUNNEL "/" name "/bgp/hold_time", TUNNEL(end.hold_time_s), BGP, 3,   \
               65535)

const struct s2_config_element s2_config_elements[S2_CONFIG_ELEMENTS] = {
    {.path = "customer_gateway_id",
     .parse = parse_id,
     .print = print_id,
     .expected = "an identifier",
     .offset = CONFIG(customer_gateway)},
    {.path = "vpn_gateway_id", /* empty for a transit gateway */
     .parse = parse_id_or_none,
     .print = print_id,
     .expected = "an identifier, or nothing",
     .offset = CONFIG(virtual_gateway),
     .need = S2_NEED_NEVER},
    FIXED("vpn_connection_type", "ipsec.1"),
    {.path = "vpn_connection_attributes",
     .parse = parse_attributes,
     .print = print_attributes,
     .expected = "attributes",
     .offset = CONFIG(static_routes),
     .need = S2_NEED_NEVER},
    CONTAINER(S2_CONFIG_TUNNEL, ALWAYS),
    /* A device that is known by its certificate may come from anywhere. */
    END("customer_gateway", customer, parse_address_or_none, print_address_or_none, NEVER),
    END("vpn_gateway", gateway, parse_address, print_address, ALWAYS),
    CONTAINER("ipsec_tunnel/ike", ALWAYS),
    ALGORITHM("ipsec_tunnel/ike/authentication_protocol", TUNNEL(ike), parse_integ, print_hash,
              NEVER, HASHES),
    ALGORITHM("ipsec_tunnel/ike/encryption_protocol", TUNNEL(ike), parse_encr, print_encr, ALWAYS,
              CIPHERS),
    NUMBER(u32, "ipsec_tunnel/ike/lifetime", TUNNEL(ike.lifetime_s), ALWAYS, 900, 28800),
    ALGORITHM("ipsec_tunnel/ike/perfect_forward_secrecy", TUNNEL(ike), parse_group, print_group,
              ALWAYS, GROUPS),
    FIXED("ipsec_tunnel/ike/mode", "main"), /* with IKEv2 too */
    {.path = "ipsec_tunnel/ike/pre_shared_key",
     .parse = parse_key,
     .print = print_key,
     .expected = "1 to 255 printable ASCII characters, no blank at either end",
     .offset = TUNNEL(pre_shared_key),
     .need = S2_NEED_NEVER,
     .exact = true},
    CONTAINER("ipsec_tunnel/ipsec", ALWAYS),
    FIXED("ipsec_tunnel/ipsec/protocol", "esp"),
    ALGORITHM("ipsec_tunnel/ipsec/authentication_protocol", TUNNEL(ipsec), parse_integ, print_mac,
              NEVER, MACS),
    ALGORITHM("ipsec_tunnel/ipsec/encryption_protocol", TUNNEL(ipsec), parse_encr, print_encr,
              ALWAYS, CIPHERS),
    NUMBER(u32, "ipsec_tunnel/ipsec/lifetime", TUNNEL(ipsec.lifetime_s), ALWAYS, 900, 3600),
    ALGORITHM("ipsec_tunnel/ipsec/perfect_forward_secrecy", TUNNEL(ipsec), parse_group, print_group,
              ALWAYS, GROUPS),
    FIXED("ipsec_tunnel/ipsec/mode", "tunnel"),
    YES_NO("ipsec_tunnel/ipsec/clear_df_bit", TUNNEL(clear_df)),
    YES_NO("ipsec_tunnel/ipsec/fragmentation_before_encryption",
           TUNNEL(fragment_before_encryption)),
    NUMBER(u16, "ipsec_tunnel/ipsec/tcp_mss_adjustment", TUNNEL(tcp_mss), NEVER, 536, 65495),
    CONTAINER("ipsec_tunnel/ipsec/dead_peer_detection", NEVER),
    NUMBER(u16, "ipsec_tunnel/ipsec/dead_peer_detection/interval", TUNNEL(dpd_interval_s), NEVER, 1,
           3600),
    NUMBER(u16, "ipsec_tunnel/ipsec/dead_peer_detection/retries", TUNNEL(dpd_retries), NEVER, 1,
           100),
};

const struct s2_config_element *s2_config_find(const char *path)
{
    for (const struct s2_config_element *e = s2_config_elements; e->path != NULL; e++) {
        if (strcmp(e->path, path) == 0)
            return e;
    }
    return NULL;
}

bool s2_config_in_tunnel(const struct s2_config_element *e)
{
    return strncmp(e->path, S2_CONFIG_TUNNEL "/", sizeof(S2_CONFIG_TUNNEL)) == 0;
}

void *s2_config_member(const struct s2_config_element *e, s2svpn_device_config *c, size_t tunnel)
{
    return (char *)(s2_config_in_tunnel(e) ? (void *)&c->tunnel[tunnel] : (void *)c) + e->offset;
}

/* ---- failures */

void s2_config_field(const char *path, size_t tunnel, char out[S2SVPN_FIELD_SIZE],
                     const char **rest)
{
    const size_t len = sizeof(S2_CONFIG_TUNNEL) - 1;
    char prefix[24] = "";
    size_t room, cut;

    if (strncmp(path, S2_CONFIG_TUNNEL, len) == 0 && (path[len] == '/' || path[len] == '\0')) {
        s2_print(prefix, sizeof(prefix), S2_CONFIG_TUNNEL "[%zu]", tunnel);
        path += len;
    }
    room = S2SVPN_FIELD_SIZE - 1 - strlen(prefix);
    cut = strlen(path);
    if (cut > room) {
        for (cut = room; cut > 0 && path[cut] != '/';)
            cut--;
    }
    s2_print(out, S2SVPN_FIELD_SIZE, "%s%.*s", prefix, (int)cut, path);
    *rest = path[cut] == '/' ? path + cut + 1 : path + cut;
}

s2svpn_status s2_config_fail(s2svpn_error *why, s2svpn_status rc, const char *path, size_t tunnel,
                             const char *fmt, ...)
{
    char field[S2SVPN_FIELD_SIZE], message[S2SVPN_MESSAGE_SIZE];
    const char *rest;
    va_list args;

    va_start(args, fmt);
    s2_print_v(message, sizeof(message), fmt, args);
    va_end(args);
    s2_config_field(path, tunnel, field, &rest);
    return s2_error_set(why, rc, field, "%s%s%s", rest, rest[0] != '\0' ? ": " : "", message);
}
