/* SPDX-License-Identifier: Apache-2.0 */
/* The header and the chain of payloads, read and written, and the numbers' names;
 * what is inside a payload is payload_*.c's. RFC 7296 sections 2.5, 3.1 and 3.2. */
#include "ike/message.h"

#define LENGTH_AT 24         /* in the header, RFC 7296 section 3.1 */
#define GENERIC_HEADER_LEN 4 /* next payload, flags, length */
#define CRITICAL 0x80

struct name {
    uint16_t number;
    const char *text;
};

static const struct name payload_names[] = {
#define ROW(name, number, words) {(number), words},
    S2_IKE_PAYLOAD_LIST(ROW)
#undef ROW
};
static const struct name notify_names[] = {
#define ROW(name, number) {(number), #name},
    S2_IKE_NOTIFY_LIST(ROW)
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

const char *s2_ike_payload_name(uint8_t type)
{
    const char *name = find_name(payload_names, COUNT(payload_names), type);

    return name != NULL ? name : "?";
}

const char *s2_ike_notify_name(uint16_t type)
{
    const char *name = find_name(notify_names, COUNT(notify_names), type);

    return name != NULL ? name : "?";
}

/* The whole datagram is one message: a length that says otherwise would let the
 * ICV cover something else than what is parsed. */
s2svpn_status s2_ike_parse_header(struct s2_reader *r, struct s2_ike_header *h)
{
    const size_t whole = r->left;
    struct s2_ike_header got = {.spi_i = s2_read_u64(r, "header.spi_i")};

    got.spi_r = s2_read_u64(r, "header.spi_r");
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

void s2_ike_write_header(struct s2_writer *w, const struct s2_ike_header *h)
{
    s2_write_u64(w, h->spi_i);
    s2_write_u64(w, h->spi_r);
    s2_write_u8(w, h->next_payload);
    s2_write_u8(w, h->version);
    s2_write_u8(w, h->exchange);
    s2_write_u8(w, h->flags);
    s2_write_u32(w, h->message_id);
    s2_write_u32(w, h->length);
}

s2svpn_status s2_ike_write_end(struct s2_writer *w)
{
    if (w->len > S2_IKE_MESSAGE_MAX)
        return S2SVPN_E_NO_ROOM;
    s2_write_patch_u32(w, LENGTH_AT, (uint32_t)w->len);
    return s2_writer_finish(w);
}

/* One payload; returns the type of the next. The critical bit is heeded only
 * for types that we don't know, section 2.5. */
static uint8_t parse_payload(struct s2_reader *r, uint8_t type, struct s2_ike_payloads *out)
{
    const uint8_t next = s2_read_u8(r, "payload.next");
    const bool critical = (s2_read_u8(r, "payload.flags") & CRITICAL) != 0;
    const size_t len = s2_read_u16(r, "payload.length");

    if (r->rc == S2SVPN_OK && len < GENERIC_HEADER_LEN)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "payload.length");
    if (r->rc != S2SVPN_OK)
        return S2_IKE_PAYLOAD_NONE;
    const s2svpn_span body = s2_read_span(r, len - GENERIC_HEADER_LEN, "payload.length");
    if (r->rc != S2SVPN_OK)
        return S2_IKE_PAYLOAD_NONE;
    if (find_name(payload_names, COUNT(payload_names), type) != NULL) {
        out->item[out->count++] = (struct s2_ike_payload){.type = type, .next = next, .body = body};
    } else if (critical) {
        out->unsupported = type;
        s2_reader_fail(r, S2SVPN_E_UNSUPPORTED, "critical");
    }
    /* Behind SK "next payload" is the first one inside, section 3.14. */
    return type == S2_IKE_PAYLOAD_SK || type == S2_IKE_PAYLOAD_SKF ? S2_IKE_PAYLOAD_NONE : next;
}

s2svpn_status s2_ike_parse_payloads(struct s2_reader *r, uint8_t first, struct s2_ike_payloads *out)
{
    uint8_t type = first;

    out->count = 0;
    out->unsupported = S2_IKE_PAYLOAD_NONE;
    for (size_t seen = 0; type != S2_IKE_PAYLOAD_NONE && r->rc == S2SVPN_OK; seen++) {
        if (seen == S2_IKE_PAYLOADS_MAX)
            s2_reader_fail(r, S2SVPN_E_LIMIT, "payloads");
        else
            type = parse_payload(r, type, out);
    }
    if (s2_reader_finish(r) != S2SVPN_OK)
        out->count = 0;
    return r->rc;
}

const struct s2_ike_payload *s2_ike_find(const struct s2_ike_payloads *list, uint8_t type)
{
    const struct s2_ike_payload *found = NULL;

    for (size_t i = 0; i < list->count; i++) {
        if (list->item[i].type != type)
            continue;
        if (found != NULL)
            return NULL;
        found = &list->item[i];
    }
    return found;
}

size_t s2_ike_count(const struct s2_ike_payloads *list, uint8_t type)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++)
        count += list->item[i].type == type;
    return count;
}

void s2_ike_chain_begin(struct s2_ike_chain *c, struct s2_writer *w, size_t next_at)
{
    *c = (struct s2_ike_chain){.w = w, .next_at = next_at};
}

void s2_ike_payload_begin(struct s2_ike_chain *c, uint8_t type)
{
    s2_write_patch_u8(c->w, c->next_at, type);
    c->next_at = c->w->len;
    s2_write_u8(c->w, S2_IKE_PAYLOAD_NONE);
    s2_write_u8(c->w, 0);
    c->length_at = c->w->len;
    s2_write_u16(c->w, 0);
}

void s2_ike_payload_end(struct s2_ike_chain *c)
{
    const size_t len = c->w->len - c->next_at;

    if (len > UINT16_MAX)
        c->w->overflow = true;
    s2_write_patch_u16(c->w, c->length_at, (uint16_t)len);
}
