/* SPDX-License-Identifier: Apache-2.0 */
/* The TSi and TSr payloads, read and written, and the arithmetic of selectors;
 * what is asked for and what is offered comes from the tunnel's config.
 * RFC 7296 sections 2.9, 3.13 and 3.13.1. */
#include "ike/message.h"

#include <string.h>

#define SELECTOR_HEADER_LEN 4 /* type, protocol, selector length */
#define IPV4_ADDR_RANGE 7
#define IPV6_ADDR_RANGE 8

static size_t address_len(uint8_t family)
{
    return family == S2SVPN_FAMILY_IPV6 ? 16 : 4;
}

/* Ports 65535 to 0 mean OPAQUE; nothing else may run backwards. */
static bool backwards(const struct s2_ike_ts *ts)
{
    return ts->first_port > ts->last_port && !(ts->first_port == UINT16_MAX && ts->last_port == 0);
}

static void parse_selector(struct s2_reader *r, struct s2_ike_ts_list *out)
{
    struct s2_ike_ts ts = {0};
    const uint8_t type = s2_read_u8(r, "ts.type");

    ts.protocol = s2_read_u8(r, "ts.protocol");
    const size_t len = s2_read_u16(r, "ts.length");
    if (r->rc != S2SVPN_OK)
        return;
    if (len < SELECTOR_HEADER_LEN) {
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "ts.length");
        return;
    }
    struct s2_reader body = s2_read_sub(r, len - SELECTOR_HEADER_LEN, "ts.length");
    if (type != IPV4_ADDR_RANGE && type != IPV6_ADDR_RANGE)
        return;

    ts.family = type == IPV6_ADDR_RANGE ? S2SVPN_FAMILY_IPV6 : S2SVPN_FAMILY_IPV4;
    ts.first_port = s2_read_u16(&body, "ts.first_port");
    ts.last_port = s2_read_u16(&body, "ts.last_port");
    if (backwards(&ts))
        s2_reader_fail(&body, S2SVPN_E_MALFORMED, "ts.last_port");
    s2_read_copy(&body, ts.first, address_len(ts.family), "ts.first");
    s2_read_copy(&body, ts.last, address_len(ts.family), "ts.last");
    if (memcmp(ts.first, ts.last, sizeof(ts.first)) > 0)
        s2_reader_fail(&body, S2SVPN_E_MALFORMED, "ts.last");
    s2_reader_finish(&body);
    if (s2_reader_join(r, &body) == S2SVPN_OK && out->count < S2_IKE_TS_MAX)
        out->item[out->count++] = ts;
}

s2svpn_status s2_ike_parse_ts(struct s2_reader *r, struct s2_ike_ts_list *out)
{
    const size_t n = s2_read_u8(r, "ts.count");

    out->count = 0;
    s2_read_skip(r, 3, "ts.reserved");
    for (size_t i = 0; i < n && r->rc == S2SVPN_OK; i++)
        parse_selector(r, out);
    if (s2_reader_finish(r) != S2SVPN_OK)
        out->count = 0;
    return r->rc;
}

void s2_ike_write_ts(struct s2_writer *w, const struct s2_ike_ts_list *list)
{
    s2_write_u8(w, list->count);
    s2_write_zero(w, 3);
    for (size_t i = 0; i < list->count; i++) {
        const struct s2_ike_ts *ts = &list->item[i];
        const size_t len = address_len(ts->family);

        s2_write_u8(w, ts->family == S2SVPN_FAMILY_IPV6 ? IPV6_ADDR_RANGE : IPV4_ADDR_RANGE);
        s2_write_u8(w, ts->protocol);
        s2_write_u16(w, (uint16_t)(SELECTOR_HEADER_LEN + 4 + 2 * len));
        s2_write_u16(w, ts->first_port);
        s2_write_u16(w, ts->last_port);
        s2_write_bytes(w, ts->first, len);
        s2_write_bytes(w, ts->last, len);
    }
}

struct s2_ike_ts s2_ike_ts_of(const s2svpn_prefix *net)
{
    struct s2_ike_ts ts = {
        .family =
            net->address.family == S2SVPN_FAMILY_IPV6 ? S2SVPN_FAMILY_IPV6 : S2SVPN_FAMILY_IPV4,
        .last_port = UINT16_MAX,
    };
    const size_t len = address_len(ts.family);

    memcpy(ts.first, net->address.bytes, len);
    memcpy(ts.last, net->address.bytes, len);
    for (size_t bit = net->length; bit < 8 * len; bit++)
        ts.last[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    return ts;
}

bool s2_ike_ts_inside(const struct s2_ike_ts *outer, const struct s2_ike_ts *inner)
{
    return outer->family == inner->family &&
           (outer->protocol == 0 || outer->protocol == inner->protocol) &&
           outer->first_port <= inner->first_port && inner->last_port <= outer->last_port &&
           memcmp(outer->first, inner->first, sizeof(outer->first)) <= 0 &&
           memcmp(inner->last, outer->last, sizeof(outer->last)) <= 0;
}

/* What both allow; false if nothing. Opaque ports run backwards and so meet
 * nothing: no selector of ours means them. */
static bool intersect(const struct s2_ike_ts *a, const struct s2_ike_ts *b, struct s2_ike_ts *out)
{
    if (a->family != b->family ||
        (a->protocol != b->protocol && a->protocol != 0 && b->protocol != 0))
        return false;
    *out = *a;
    if (a->protocol == 0)
        out->protocol = b->protocol;
    if (b->first_port > out->first_port)
        out->first_port = b->first_port;
    if (b->last_port < out->last_port)
        out->last_port = b->last_port;
    if (memcmp(b->first, out->first, sizeof(out->first)) > 0)
        memcpy(out->first, b->first, sizeof(out->first));
    if (memcmp(b->last, out->last, sizeof(out->last)) < 0)
        memcpy(out->last, b->last, sizeof(out->last));
    return out->first_port <= out->last_port &&
           memcmp(out->first, out->last, sizeof(out->first)) <= 0;
}

/* Add a selector unless another says as much already; drop those that it covers.
 * Initiators put the packet that started it all first, inside a wider one. */
static void add(struct s2_ike_ts_list *list, const struct s2_ike_ts *ts)
{
    uint8_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (s2_ike_ts_inside(&list->item[i], ts))
            return;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (!s2_ike_ts_inside(ts, &list->item[i]))
            list->item[kept++] = list->item[i];
    }
    list->item[kept++] = *ts;
    list->count = kept;
}

bool s2_ike_ts_narrow(const struct s2_ike_ts_list *theirs, const struct s2_ike_ts *ours,
                      struct s2_ike_ts_list *out)
{
    struct s2_ike_ts_list got = {0};

    for (size_t i = 0; i < theirs->count; i++) {
        struct s2_ike_ts both;

        if (intersect(&theirs->item[i], ours, &both))
            add(&got, &both);
    }
    if (got.count == 0)
        return false;
    *out = got;
    return true;
}
