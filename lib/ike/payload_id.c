/* SPDX-License-Identifier: Apache-2.0 */
/* The IDi and IDr payloads, read and written; identities compared and printed.
 * Who may have which identity is vpn's to say. RFC 7296 section 3.5. */
#include "ike/message.h"

#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

/* The length that the type demands; 0: any. */
static size_t fixed_len(uint8_t type)
{
    switch (type) {
    case S2_IKE_ID_IPV4_ADDR:
        return 4;
    case S2_IKE_ID_IPV6_ADDR:
        return 16;
    default:
        return 0;
    }
}

static bool is_name(uint8_t type)
{
    return type == S2_IKE_ID_FQDN || type == S2_IKE_ID_RFC822_ADDR;
}

s2svpn_status s2_ike_parse_id(struct s2_reader *r, struct s2_ike_id *out)
{
    const uint8_t type = s2_read_u8(r, "id.type");

    if (type == S2_IKE_ID_NONE) /* in a config it means any */
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "id.type");
    s2_read_skip(r, 3, "id.reserved");
    const s2svpn_span data = s2_read_rest(r);
    if (data.len > S2_IKE_ID_MAX)
        s2_reader_fail(r, S2SVPN_E_LIMIT, "id.data");
    if (fixed_len(type) != 0 && data.len != fixed_len(type))
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "id.data");
    if (r->rc != S2SVPN_OK)
        return r->rc;
    *out = (struct s2_ike_id){.type = type, .len = (uint16_t)data.len};
    if (data.len > 0)
        memcpy(out->data, data.p, data.len);
    return S2SVPN_OK;
}

void s2_ike_write_id(struct s2_writer *w, const struct s2_ike_id *id)
{
    s2_write_u8(w, id->type);
    s2_write_zero(w, 3);
    s2_write_bytes(w, id->data, id->len);
}

static s2svpn_address address_of(const struct s2_ike_id *id)
{
    s2svpn_address a = {.family = id->type == S2_IKE_ID_IPV4_ADDR ? S2SVPN_FAMILY_IPV4
                                                                  : S2SVPN_FAMILY_IPV6};

    memcpy(a.bytes, id->data, fixed_len(id->type));
    return a;
}

/* A name goes into logs as it is only if it can do nothing there. */
static bool printable(const struct s2_ike_id *id)
{
    for (size_t i = 0; i < id->len; i++) {
        if (id->data[i] <= 0x20 || id->data[i] >= 0x7f)
            return false;
    }
    return id->len > 0;
}

char *s2_ike_id_print(const struct s2_ike_id *id, char *out, size_t size)
{
    char text[2 * S2_IKE_ID_MAX + 1];

    if (id->type == S2_IKE_ID_NONE) {
        s2_copy_text(out, size, "-");
    } else if (fixed_len(id->type) != 0 && id->len == fixed_len(id->type)) {
        const s2svpn_address a = address_of(id);
        s2_copy_text(out, size, s2svpn_address_print(&a, text));
    } else if (id->type == S2_IKE_ID_DER_ASN1_DN &&
               s2_ike_dn_print(s2_span(id->data, id->len), out, size)) {
        return out;
    } else if ((is_name(id->type) || id->type == S2_IKE_ID_KEY_ID) && printable(id)) {
        s2_print(out, size, "%.*s", (int)id->len, (const char *)id->data);
    } else {
        s2_copy_text(out, size, s2_print_hex(text, id->data, id->len));
    }
    return out;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* Names of hosts and mailboxes don't differ by case; all else by any bit. */
bool s2_ike_id_equal(const struct s2_ike_id *a, const struct s2_ike_id *b)
{
    if (a->type != b->type || a->len != b->len)
        return false;
    if (!is_name(a->type))
        return memcmp(a->data, b->data, a->len) == 0;
    for (size_t i = 0; i < a->len; i++) {
        if (lower(a->data[i]) != lower(b->data[i]))
            return false;
    }
    return true;
}

struct s2_ike_id s2_ike_id_of(const s2svpn_address *a)
{
    struct s2_ike_id id = {.type = S2_IKE_ID_NONE};

    if (a->family == S2SVPN_FAMILY_IPV4)
        id.type = S2_IKE_ID_IPV4_ADDR;
    if (a->family == S2SVPN_FAMILY_IPV6)
        id.type = S2_IKE_ID_IPV6_ADDR;
    id.len = (uint16_t)fixed_len(id.type);
    memcpy(id.data, a->bytes, id.len);
    return id;
}
