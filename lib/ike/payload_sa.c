/* SPDX-License-Identifier: Apache-2.0 */
/* The SA payload: proposals, transforms, attributes, read and written. Which of
 * them is chosen is proposal.c's. RFC 7296 sections 3.3.1, 3.3.2, 3.3.5, and what
 * section 3.3.6 says of attributes that are not understood. */
#include "ike/message.h"

#include <string.h>

#define PROPOSAL_HEADER_LEN 8
#define TRANSFORM_HEADER_LEN 8
#define MORE_PROPOSALS 2
#define MORE_TRANSFORMS 3
#define ATTRIBUTE_TV 0x8000 /* the value stands in the attribute itself */
#define KEY_LENGTH (ATTRIBUTE_TV | 14)

/* One attribute; false if it makes the transform unacceptable: one that we don't
 * know, a second key length, or one of 0 bits, which no answer could repeat. */
static bool parse_attribute(struct s2_reader *r, struct s2_ike_transform *t)
{
    const uint16_t type = s2_read_u16(r, "attribute.type");
    const uint16_t value = s2_read_u16(r, "attribute.value");

    if ((type & ATTRIBUTE_TV) == 0)
        s2_read_skip(r, value, "attribute.length");
    if (type != KEY_LENGTH || value == 0 || t->key_bits != 0)
        return false;
    t->key_bits = value;
    return true;
}

/* Which types of transform one proposal has, as bits. Numbers that nobody has
 * assigned share the last: a proposal with one of them is never chosen. */
struct types {
    uint64_t seen, kept;
};

static uint64_t bit(uint8_t type)
{
    return UINT64_C(1) << (type < 63 ? type : 63);
}

static void parse_transform(struct s2_reader *r, bool last, struct s2_ike_proposal *p,
                            struct types *types)
{
    struct s2_ike_transform t = {0};
    bool good = true;

    if (s2_read_u8(r, "transform.last") != (last ? 0 : MORE_TRANSFORMS))
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "transform.last");
    s2_read_skip(r, 1, "transform.reserved");
    const size_t len = s2_read_u16(r, "transform.length");
    if (len < TRANSFORM_HEADER_LEN)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "transform.length");
    t.type = s2_read_u8(r, "transform.type");
    s2_read_skip(r, 1, "transform.reserved");
    t.id = s2_read_u16(r, "transform.id");
    if (r->rc != S2SVPN_OK)
        return;

    struct s2_reader body = s2_read_sub(r, len - TRANSFORM_HEADER_LEN, "transform.length");
    while (body.left > 0 && body.rc == S2SVPN_OK)
        good &= parse_attribute(&body, &t);
    if (s2_reader_join(r, &body) != S2SVPN_OK)
        return;
    types->seen |= bit(t.type);
    if (!good)
        return;
    types->kept |= bit(t.type);
    p->transform[p->count++] = t;
}

/* SPIs have the length that their protocol gives them; an IKE proposal has one
 * only when it rekeys, section 3.3.1. */
static bool spi_len_fits(uint8_t protocol, uint8_t len)
{
    switch (protocol) {
    case S2_IKE_PROTO_IKE:
        return len == 0 || len == 8;
    case S2_IKE_PROTO_AH:
    case S2_IKE_PROTO_ESP:
        return len == 4;
    default:
        return true;
    }
}

static bool protocol_known(uint8_t protocol)
{
    return protocol >= S2_IKE_PROTO_IKE && protocol <= S2_IKE_PROTO_ESP;
}

/* One proposal, into out if it can be chosen at all: not one of a protocol that
 * we don't know, nor one that lost all transforms of a type. */
static void parse_proposal(struct s2_reader *r, struct s2_ike_sa_payload *out, int *number)
{
    struct s2_ike_proposal *p = &out->proposal[out->count];
    struct types types = {0};
    const uint8_t more = s2_read_u8(r, "proposal.last");

    s2_read_skip(r, 1, "proposal.reserved");
    const size_t len = s2_read_u16(r, "proposal.length");
    if (len < PROPOSAL_HEADER_LEN)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "proposal.length");
    if (r->rc != S2SVPN_OK)
        return;
    struct s2_reader body = s2_read_sub(r, len - 4, "proposal.length");
    if (more != (r->left > 0 ? MORE_PROPOSALS : 0))
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "proposal.last");

    p->number = s2_read_u8(&body, "proposal.number");
    if (p->number <= *number) /* an answer says which one by its number alone */
        s2_reader_fail(&body, S2SVPN_E_MALFORMED, "proposal.number");
    *number = p->number;
    p->protocol = s2_read_u8(&body, "proposal.protocol");
    p->spi_len = s2_read_u8(&body, "proposal.spi_size");
    if (!spi_len_fits(p->protocol, p->spi_len))
        s2_reader_fail(&body, S2SVPN_E_MALFORMED, "proposal.spi_size");
    const size_t count = s2_read_u8(&body, "proposal.transforms");
    const s2svpn_span spi = s2_read_span(&body, p->spi_len, "proposal.spi");
    if (count > S2_IKE_TRANSFORMS_MAX)
        s2_reader_fail(&body, S2SVPN_E_LIMIT, "proposal.transforms");

    p->count = 0;
    for (size_t i = 1; i <= count && body.rc == S2SVPN_OK; i++)
        parse_transform(&body, i == count, p, &types);
    s2_reader_finish(&body);
    if (s2_reader_join(r, &body) != S2SVPN_OK)
        return;
    if (!protocol_known(p->protocol) || types.seen != types.kept)
        return;
    memset(p->spi, 0, sizeof(p->spi));
    if (spi.len > 0)
        memcpy(p->spi, spi.p, spi.len);
    out->count++;
}

s2svpn_status s2_ike_parse_sa(struct s2_reader *r, struct s2_ike_sa_payload *out)
{
    int number = -1;

    out->count = 0;
    if (r->left == 0)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "sa.proposals");
    while (r->left > 0 && r->rc == S2SVPN_OK) {
        if (out->count == S2_IKE_PROPOSALS_MAX)
            s2_read_skip(r, r->left, "sa.proposals");
        else
            parse_proposal(r, out, &number);
    }
    if (r->rc != S2SVPN_OK)
        out->count = 0;
    return r->rc;
}

static void write_transform(struct s2_writer *w, const struct s2_ike_transform *t, bool last)
{
    s2_write_u8(w, last ? 0 : MORE_TRANSFORMS);
    s2_write_u8(w, 0);
    s2_write_u16(w, t->key_bits != 0 ? TRANSFORM_HEADER_LEN + 4 : TRANSFORM_HEADER_LEN);
    s2_write_u8(w, t->type);
    s2_write_u8(w, 0);
    s2_write_u16(w, t->id);
    if (t->key_bits != 0) {
        s2_write_u16(w, KEY_LENGTH);
        s2_write_u16(w, t->key_bits);
    }
}

void s2_ike_write_sa(struct s2_writer *w, const struct s2_ike_sa_payload *sa)
{
    for (size_t i = 0; i < sa->count; i++) {
        const struct s2_ike_proposal *p = &sa->proposal[i];
        const size_t at = w->len;

        s2_write_u8(w, i + 1 < sa->count ? MORE_PROPOSALS : 0);
        s2_write_u8(w, 0);
        s2_write_u16(w, 0);
        s2_write_u8(w, p->number);
        s2_write_u8(w, p->protocol);
        s2_write_u8(w, p->spi_len);
        s2_write_u8(w, p->count);
        s2_write_bytes(w, p->spi, p->spi_len);
        for (size_t t = 0; t < p->count; t++)
            write_transform(w, &p->transform[t], t + 1 == p->count);
        s2_write_patch_u16(w, at + 2, (uint16_t)(w->len - at));
    }
}
