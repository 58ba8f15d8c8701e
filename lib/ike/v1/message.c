/* SPDX-License-Identifier: Apache-2.0 */
/* IKEv1's header and chain of payloads, read and written, and the numbers' names; what is
 * inside a payload is payload_*.c's. RFC 2408 sections 3.1 and 3.2. */
#include "ike/v1/message.h"

#include "base/bytes.h"

#define NEXT_PAYLOAD_AT 16 /* in the header */
#define LENGTH_AT 24
#define GENERIC_HEADER_LEN 4 /* next payload, reserved, length */
#define FIRST_PRIVATE 128
#define PADDING_MAX 255     /* of what was encrypted: any peer's habit is shorter */
#define PLAIN_PADDING_MAX 3 /* messages aligned to 4 bytes */

struct name {
    uint16_t number;
    const char *text;
};

static const struct name payload_names[] = {
#define ROW(name, number, words) {(number), words},
    S2_IKE1_PAYLOAD_LIST(ROW)
#undef ROW
};
static const struct name notify_names[] = {
#define ROW(name, number) {(number), #name},
    S2_IKE1_NOTIFY_LIST(ROW)
#undef ROW
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *find_name(const struct name *names, size_t n, uint16_t number)
{
    for (size_t i = 0; i < n; i++) {
        if (names[i].number == number)
            return names[i].text;
    }
    return NULL;
}

const char *s2_ike1_payload_name(uint8_t type)
{
    const char *name = find_name(payload_names, COUNT(payload_names), type);

    return name != NULL ? name : "?";
}

const char *s2_ike1_notify_name(uint16_t type)
{
    const char *name = find_name(notify_names, COUNT(notify_names), type);

    return name != NULL ? name : "?";
}

s2svpn_status s2_ike1_parse_header(struct s2_reader *r, struct s2_ike1_header *h)
{
    const size_t whole = r->left;
    struct s2_ike1_header got = {.cookie_i = s2_read_u64(r, "header.cookie_i")};

    got.cookie_r = s2_read_u64(r, "header.cookie_r");
    got.next_payload = s2_read_u8(r, "header.next_payload");
    got.version = s2_read_u8(r, "header.version");
    got.exchange = s2_read_u8(r, "header.exchange");
    got.flags = s2_read_u8(r, "header.flags");
    got.message_id = s2_read_u32(r, "header.message_id");
    got.length = s2_read_u32(r, "header.length");
    if (r->rc == S2SVPN_OK && got.length != whole)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "header.length");
    if (r->rc == S2SVPN_OK)
        *h = got;
    return r->rc;
}

void s2_ike1_write_header(struct s2_writer *w, const struct s2_ike1_header *h)
{
    s2_write_u64(w, h->cookie_i);
    s2_write_u64(w, h->cookie_r);
    s2_write_u8(w, h->next_payload);
    s2_write_u8(w, h->version);
    s2_write_u8(w, h->exchange);
    s2_write_u8(w, h->flags);
    s2_write_u32(w, h->message_id);
    s2_write_u32(w, h->length);
}

s2svpn_status s2_ike1_write_end(struct s2_writer *w)
{
    if (w->len > S2_IKE1_MESSAGE_MAX)
        return S2SVPN_E_NO_ROOM;
    s2_write_patch_u32(w, LENGTH_AT, (uint32_t)w->len);
    return s2_writer_finish(w);
}

/* ---- reading a chain */

/* One payload; returns the type of the next. The generic header is looked at before the
 * type: with a wrong key it is the first thing to be wrong. */
static uint8_t parse_payload(struct s2_reader *r, uint8_t type, struct s2_ike1_payloads *out)
{
    struct s2_reader at = *r; /* where the payload begins */
    const uint8_t next = s2_read_u8(r, "payload.next");

    if (s2_read_u8(r, "payload.reserved") != 0)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "payload.reserved");
    const size_t len = s2_read_u16(r, "payload.length");
    if (r->rc == S2SVPN_OK && len < GENERIC_HEADER_LEN)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "payload.length");
    if (r->rc != S2SVPN_OK)
        return S2_IKE1_PAYLOAD_NONE;
    const s2svpn_span body = s2_read_span(r, len - GENERIC_HEADER_LEN, "payload.length");
    const s2svpn_span whole = s2_read_span(&at, len, "payload.length");
    if (r->rc != S2SVPN_OK)
        return S2_IKE1_PAYLOAD_NONE;
    if (find_name(payload_names, COUNT(payload_names), type) != NULL) {
        out->item[out->count++] =
            (struct s2_ike1_payload){.type = type, .body = body, .whole = whole};
    } else if (type < FIRST_PRIVATE) {
        out->unsupported = type;
        s2_reader_fail(r, S2SVPN_E_UNSUPPORTED, "payload.type");
    }
    return next;
}

/* What stands behind the last payload. */
static void parse_padding(struct s2_reader *r, bool encrypted)
{
    const s2svpn_span padding = s2_read_rest(r);

    if (padding.len > (encrypted ? PADDING_MAX : PLAIN_PADDING_MAX))
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "trailing bytes");
    for (size_t i = 0; !encrypted && i < padding.len; i++) {
        if (padding.p[i] != 0)
            s2_reader_fail(r, S2SVPN_E_MALFORMED, "trailing bytes");
    }
}

s2svpn_status s2_ike1_parse_payloads(struct s2_reader *r, uint8_t first, bool encrypted,
                                     struct s2_ike1_payloads *out)
{
    struct s2_reader at = *r;
    const size_t whole = r->left;
    uint8_t type = first;

    out->count = 0;
    out->unsupported = S2_IKE1_PAYLOAD_NONE;
    out->chain = s2_span(NULL, 0);
    for (size_t seen = 0; type != S2_IKE1_PAYLOAD_NONE && r->rc == S2SVPN_OK; seen++) {
        if (seen == S2_IKE1_PAYLOADS_MAX)
            s2_reader_fail(r, S2SVPN_E_LIMIT, "payloads");
        else
            type = parse_payload(r, type, out);
    }
    if (r->rc == S2SVPN_OK) {
        out->chain = s2_read_span(&at, whole - r->left, "payloads");
        parse_padding(r, encrypted);
    }
    if (r->rc != S2SVPN_OK) {
        out->count = 0;
        out->chain = s2_span(NULL, 0);
    }
    return r->rc;
}

const struct s2_ike1_payload *s2_ike1_find_nth(const struct s2_ike1_payloads *list, uint8_t type,
                                               size_t n)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->item[i].type == type && n-- == 0)
            return &list->item[i];
    }
    return NULL;
}

size_t s2_ike1_count(const struct s2_ike1_payloads *list, uint8_t type)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++)
        count += list->item[i].type == type;
    return count;
}

const struct s2_ike1_payload *s2_ike1_find(const struct s2_ike1_payloads *list, uint8_t type)
{
    return s2_ike1_count(list, type) == 1 ? s2_ike1_find_nth(list, type, 0) : NULL;
}

/* ---- writing a chain */

void s2_ike1_chain_begin(struct s2_ike1_chain *c, struct s2_writer *w)
{
    *c = (struct s2_ike1_chain){.w = w, .next_at = NEXT_PAYLOAD_AT};
}

void s2_ike1_payload_begin(struct s2_ike1_chain *c, uint8_t type)
{
    s2_write_patch_u8(c->w, c->next_at, type);
    c->next_at = c->w->len;
    s2_write_u8(c->w, S2_IKE1_PAYLOAD_NONE);
    s2_write_u8(c->w, 0);
    c->length_at = c->w->len;
    s2_write_u16(c->w, 0);
}

void s2_ike1_payload_end(struct s2_ike1_chain *c)
{
    const size_t len = c->w->len - c->next_at;

    if (len > UINT16_MAX)
        c->w->overflow = true;
    s2_write_patch_u16(c->w, c->length_at, (uint16_t)len);
}

void s2_ike1_write_payload(struct s2_ike1_chain *c, uint8_t type, s2svpn_span body)
{
    s2_ike1_payload_begin(c, type);
    s2_write_span(c->w, body);
    s2_ike1_payload_end(c);
}
