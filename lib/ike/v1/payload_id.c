/* SPDX-License-Identifier: Apache-2.0 */
/* IKEv1's ID payload, read and written, as an identity (phase 1) and as a selector (phase
 * 2); and NAT-OA, which is an address in the same form. RFC 2407 section 4.6.2, RFC 3947
 * section 5.2. */
#include "ike/v1/message.h"

#include <string.h>

#include "base/address.h"
#include "base/bytes.h"

#define PROTOCOL_UDP 17
#define IKE_PORT 500
#define NATT_PORT 4500

/* What a type's data is; of the selectors also how many bits an address has. */
static const struct form {
    uint8_t family; /* of addresses; NONE: a name */
    uint8_t len;    /* of the data; 0: any */
} forms[] = {
    [S2_IKE1_ID_IPV4_ADDR] = {S2SVPN_FAMILY_IPV4, 4},
    [S2_IKE1_ID_IPV4_SUBNET] = {S2SVPN_FAMILY_IPV4, 8},
    [S2_IKE1_ID_IPV4_RANGE] = {S2SVPN_FAMILY_IPV4, 8},
    [S2_IKE1_ID_IPV6_ADDR] = {S2SVPN_FAMILY_IPV6, 16},
    [S2_IKE1_ID_IPV6_SUBNET] = {S2SVPN_FAMILY_IPV6, 32},
    [S2_IKE1_ID_IPV6_RANGE] = {S2SVPN_FAMILY_IPV6, 32},
    [S2_IKE1_ID_KEY_ID] = {0},
};

static struct form form_of(uint8_t type)
{
    return type < sizeof(forms) / sizeof(forms[0]) ? forms[type] : (struct form){0};
}

static bool is_address(uint8_t type)
{
    return type == S2_IKE1_ID_IPV4_ADDR || type == S2_IKE1_ID_IPV6_ADDR;
}

s2svpn_status s2_ike1_parse_id(struct s2_reader *r, struct s2_ike1_id *out)
{
    struct s2_ike1_id id = {.type = s2_read_u8(r, "id.type")};

    if (id.type == S2_IKE_ID_NONE) /* in a config it means any */
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "id.type");
    id.protocol = s2_read_u8(r, "id.protocol");
    id.port = s2_read_u16(r, "id.port");
    const s2svpn_span data = s2_read_rest(r);
    if (data.len > S2_IKE_ID_MAX)
        s2_reader_fail(r, S2SVPN_E_LIMIT, "id.data");
    const size_t len = form_of(id.type).len;
    if (len != 0 && data.len != len)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "id.data");
    if (r->rc != S2SVPN_OK)
        return r->rc;
    id.len = (uint16_t)data.len;
    if (data.len > 0)
        memcpy(id.data, data.p, data.len);
    *out = id;
    return S2SVPN_OK;
}

void s2_ike1_write_id(struct s2_writer *w, const struct s2_ike1_id *id)
{
    s2_write_u8(w, id->type);
    s2_write_u8(w, id->protocol);
    s2_write_u16(w, id->port);
    s2_write_bytes(w, id->data, id->len);
}

/* ---- phase 1 */

bool s2_ike1_id_to_peer(const struct s2_ike1_id *id, struct s2_ike_id *out)
{
    if (form_of(id->type).family != S2SVPN_FAMILY_NONE && !is_address(id->type))
        return false;
    *out = (struct s2_ike_id){.type = id->type, .len = id->len};
    memcpy(out->data, id->data, id->len);
    return true;
}

struct s2_ike1_id s2_ike1_id_of_peer(const struct s2_ike_id *id)
{
    struct s2_ike1_id out = {.type = id->type, .len = id->len};

    memcpy(out.data, id->data, id->len);
    return out;
}

bool s2_ike1_id_port_fits(const struct s2_ike1_id *id)
{
    if (id->protocol == 0)
        return id->port == 0;
    return id->protocol == PROTOCOL_UDP &&
           (id->port == 0 || id->port == IKE_PORT || id->port == NATT_PORT);
}

/* ---- phase 2 */

/* The length of a mask; false if it has holes. */
static bool mask_length(const uint8_t *mask, size_t len, size_t *bits)
{
    bool ended = false;

    *bits = 0;
    for (size_t i = 0; i < 8 * len; i++) {
        const bool set = (mask[i / 8] & 0x80 >> i % 8) != 0;

        if (set && ended)
            return false;
        ended = !set;
        *bits += set;
    }
    return true;
}

/* The first and last address of a network; bits behind the mask mean nothing. */
static bool network(const uint8_t *data, size_t len, struct s2_ike_ts *ts)
{
    const uint8_t *mask = data + len;
    size_t bits;

    if (!mask_length(mask, len, &bits))
        return false;
    for (size_t i = 0; i < len; i++) {
        ts->first[i] = data[i] & mask[i];
        ts->last[i] = data[i] | (uint8_t)~mask[i];
    }
    return true;
}

bool s2_ike1_id_to_ts(const struct s2_ike1_id *id, struct s2_ike_ts *out)
{
    const struct form form = form_of(id->type);
    const size_t len = s2_family_bits(form.family) / 8;
    struct s2_ike_ts ts = {.family = form.family, .protocol = id->protocol};

    if (form.family == S2SVPN_FAMILY_NONE || id->len != form.len)
        return false;
    ts.first_port = id->port;
    ts.last_port = id->port != 0 ? id->port : UINT16_MAX;
    if (id->type == S2_IKE1_ID_IPV4_SUBNET || id->type == S2_IKE1_ID_IPV6_SUBNET) {
        if (!network(id->data, len, &ts))
            return false;
    } else {
        memcpy(ts.first, id->data, len);
        memcpy(ts.last, is_address(id->type) ? id->data : id->data + len, len);
    }
    if (memcmp(ts.first, ts.last, len) > 0)
        return false;
    *out = ts;
    return true;
}

/* The mask that makes a network of the range; false if there is none. */
static bool range_mask(const struct s2_ike_ts *ts, size_t len, uint8_t *mask)
{
    size_t bits;

    for (size_t i = 0; i < len; i++)
        mask[i] = (uint8_t) ~(ts->first[i] ^ ts->last[i]);
    if (!mask_length(mask, len, &bits))
        return false;
    for (size_t i = 0; i < len; i++) {
        if ((ts->first[i] & (uint8_t)~mask[i]) != 0)
            return false;
    }
    return true;
}

bool s2_ike1_id_of_ts(const struct s2_ike_ts *ts, struct s2_ike1_id *out)
{
    const bool v6 = ts->family == S2SVPN_FAMILY_IPV6;
    const size_t len = s2_family_bits(ts->family) / 8;
    const bool all_ports = ts->first_port == 0 && ts->last_port == UINT16_MAX;
    struct s2_ike1_id id = {.protocol = ts->protocol};

    if (len == 0 || (!all_ports && (ts->first_port != ts->last_port || ts->first_port == 0)))
        return false;
    id.port = all_ports ? 0 : ts->first_port;
    memcpy(id.data, ts->first, len);
    if (memcmp(ts->first, ts->last, len) == 0) {
        id.type = v6 ? S2_IKE1_ID_IPV6_ADDR : S2_IKE1_ID_IPV4_ADDR;
        id.len = (uint16_t)len;
    } else {
        id.len = (uint16_t)(2 * len);
        id.type = v6 ? S2_IKE1_ID_IPV6_SUBNET : S2_IKE1_ID_IPV4_SUBNET;
        if (!range_mask(ts, len, id.data + len)) {
            id.type = v6 ? S2_IKE1_ID_IPV6_RANGE : S2_IKE1_ID_IPV4_RANGE;
            memcpy(id.data + len, ts->last, len);
        }
    }
    *out = id;
    return true;
}

/* ---- NAT-OA */

s2svpn_status s2_ike1_parse_nat_oa(struct s2_reader *r, s2svpn_address *out)
{
    const uint8_t type = s2_read_u8(r, "nat_oa.type");
    s2svpn_address a = {.family = form_of(type).family};

    s2_read_skip(r, 3, "nat_oa.reserved");
    if (!is_address(type))
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "nat_oa.type");
    if (r->rc == S2SVPN_OK)
        s2_read_copy(r, a.bytes, form_of(type).len, "nat_oa.address");
    if (s2_reader_finish(r) == S2SVPN_OK)
        *out = a;
    return r->rc;
}

void s2_ike1_write_nat_oa(struct s2_writer *w, const s2svpn_address *a)
{
    s2_write_u8(w, a->family == S2SVPN_FAMILY_IPV6 ? S2_IKE1_ID_IPV6_ADDR : S2_IKE1_ID_IPV4_ADDR);
    s2_write_zero(w, 3);
    s2_write_bytes(w, a->bytes, s2_address_len(a));
}
