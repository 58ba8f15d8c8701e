/* SPDX-License-Identifier: Apache-2.0 */
/* IKEv1's SA payload: proposals, transforms, attributes, read and written. Which of them
 * is chosen is proposal.c's. RFC 2408 sections 3.3 to 3.6; numbers of phase 1: RFC 2409
 * appendix A, of phase 2: RFC 2407 section 4.5 and RFC 4304. */
#include "ike/v1/message.h"

#include <string.h>

#include "base/bytes.h"

#define SITUATION_IDENTITY_ONLY 1
#define PROPOSAL_HEADER_LEN 8
#define TRANSFORM_HEADER_LEN 8
#define MORE_PROPOSALS 2 /* "next payload" inside an SA payload */
#define MORE_TRANSFORMS 3
#define ATTRIBUTE_TV 0x8000 /* the value stands in the attribute itself */
#define ATTRIBUTES 32       /* numbers from here on are nobody's */
#define LIFE_SECONDS 1
#define LIFE_KILOBYTES 2

/* What an attribute is about; the numbers of the two phases differ. */
enum meaning {
    UNKNOWN = 0,
    ENCR,
    HASH,
    METHOD,
    GROUP,
    KEY_BITS,
    INTEG,
    ENCAPSULATION,
    EXTENDED_NUMBERS,
    LIFE_TYPE,
    LIFE_DURATION,
};
static const uint8_t meanings[2][ATTRIBUTES] = {
    /* phase 2 */
    {[1] = LIFE_TYPE,
     [2] = LIFE_DURATION,
     [3] = GROUP,
     [4] = ENCAPSULATION,
     [5] = INTEG,
     [6] = KEY_BITS,
     [11] = EXTENDED_NUMBERS},
    /* phase 1 */
    {[1] = ENCR,
     [2] = HASH,
     [3] = METHOD,
     [4] = GROUP,
     [11] = LIFE_TYPE,
     [12] = LIFE_DURATION,
     [14] = KEY_BITS},
};

/* ---- attributes, read */

/* While the attributes of one transform are read. */
struct attributes {
    bool phase1, odd;
    uint32_t seen;      /* bits of enum meaning */
    uint32_t life_type; /* whose duration is to come; 0: none */
};

/* A value in either form, RFC 2408 section 3.3: in the attribute itself, or behind it with
 * a length. What is too large for a number here is UINT32_MAX; what has no bytes is 0, which
 * no attribute may be. */
static uint32_t read_value(struct s2_reader *r, bool tv)
{
    if (tv)
        return s2_read_u16(r, "attribute.value");
    const size_t len = s2_read_u16(r, "attribute.length");
    struct s2_reader body = s2_read_sub(r, len, "attribute.length");
    uint64_t sum = 0;

    while (body.left > 0 && body.rc == S2SVPN_OK) {
        sum = sum << 8 | s2_read_u8(&body, "attribute.value");
        if (sum > UINT32_MAX)
            sum = UINT32_MAX; /* and stays above it with every further byte */
    }
    s2_reader_join(r, &body);
    return (uint32_t)sum;
}

static void shorten(uint32_t *life, uint32_t value)
{
    if (*life == 0 || value < *life)
        *life = value;
}

/* A duration follows its type. There may be one of each type, and nothing is of length 0. */
static void put_duration(struct attributes *a, uint32_t value, struct s2_ike1_transform *t)
{
    if (value == 0)
        a->odd = true;
    else if (a->life_type == LIFE_SECONDS)
        shorten(&t->life_s, value);
    else if (a->life_type == LIFE_KILOBYTES)
        shorten(&t->life_kb, value);
    else
        a->odd = true;
    a->life_type = 0;
}

static void put_number(struct attributes *a, uint16_t *number, uint32_t value)
{
    if (value == 0 || value > UINT16_MAX)
        a->odd = true;
    else
        *number = (uint16_t)value;
}

static void put_value(struct attributes *a, enum meaning meaning, uint32_t value,
                      struct s2_ike1_transform *t)
{
    switch (meaning) {
    case UNKNOWN:
        a->odd = true;
        break;
    case ENCR:
        put_number(a, &t->encr, value);
        break;
    case HASH:
        put_number(a, &t->hash, value);
        break;
    case METHOD:
        put_number(a, &t->method, value);
        break;
    case GROUP:
        put_number(a, &t->group, value);
        break;
    case KEY_BITS:
        put_number(a, &t->key_bits, value);
        break;
    case INTEG:
        put_number(a, &t->integ, value);
        break;
    case ENCAPSULATION:
        put_number(a, &t->encapsulation, value);
        break;
    case EXTENDED_NUMBERS:
        t->esn = true;
        a->odd |= value != 1;
        break;
    case LIFE_TYPE:
        a->odd |= a->life_type != 0 || (value != LIFE_SECONDS && value != LIFE_KILOBYTES);
        a->life_type = value;
        break;
    case LIFE_DURATION:
        put_duration(a, value, t);
        break;
    }
}

static void parse_attribute(struct s2_reader *r, struct attributes *a, struct s2_ike1_transform *t)
{
    const uint16_t type = s2_read_u16(r, "attribute.type");
    const uint16_t number = type & (uint16_t)~ATTRIBUTE_TV;
    const uint32_t value = read_value(r, (type & ATTRIBUTE_TV) != 0);

    if (r->rc != S2SVPN_OK)
        return;
    const enum meaning meaning = number < ATTRIBUTES ? meanings[a->phase1][number] : UNKNOWN;
    const uint32_t bit = UINT32_C(1) << meaning;
    if (meaning != LIFE_TYPE && meaning != LIFE_DURATION && (a->seen & bit) != 0)
        a->odd = true;
    a->seen |= bit;
    put_value(a, meaning, value, t);
}

/* All of r. Returns which meanings were there, as bits. */
static uint32_t parse_attributes(struct s2_reader *r, bool phase1, struct s2_ike1_transform *t)
{
    struct attributes a = {.phase1 = phase1};

    while (r->left > 0 && r->rc == S2SVPN_OK)
        parse_attribute(r, &a, t);
    t->odd = a.odd || a.life_type != 0;
    return a.seen;
}

/* ---- proposals, read */

static void parse_transform(struct s2_reader *r, bool last, bool phase1,
                            struct s2_ike1_transform *t)
{
    if (s2_read_u8(r, "transform.next") != (last ? 0 : MORE_TRANSFORMS))
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "transform.next");
    s2_read_skip(r, 1, "transform.reserved");
    const size_t len = s2_read_u16(r, "transform.length");
    if (len < TRANSFORM_HEADER_LEN)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "transform.length");
    *t = (struct s2_ike1_transform){.number = s2_read_u8(r, "transform.number")};
    t->id = s2_read_u8(r, "transform.id");
    s2_read_skip(r, 2, "transform.reserved");
    if (r->rc != S2SVPN_OK)
        return;
    struct s2_reader body = s2_read_sub(r, len - TRANSFORM_HEADER_LEN, "transform.length");
    struct s2_reader copy = body;
    t->attributes = s2_read_rest(&copy);
    parse_attributes(&body, phase1, t);
    s2_reader_join(r, &body);
}

static bool spi_len_fits(uint8_t protocol, uint8_t len)
{
    switch (protocol) {
    case S2_IKE1_PROTO_ISAKMP:
        return len <= S2_IKE1_SPI_MAX; /* any, and of no meaning: RFC 2408 section 3.5 */
    case S2_IKE1_PROTO_AH:
    case S2_IKE1_PROTO_ESP:
        return len == 4;
    default:
        return len > 0 && len <= S2_IKE1_SPI_MAX;
    }
}

static void parse_proposal(struct s2_reader *r, struct s2_ike1_sa_payload *out)
{
    struct s2_ike1_proposal *p = &out->proposal[out->count];
    const uint8_t before = out->count > 0 ? p[-1].number : 0;
    const uint8_t more = s2_read_u8(r, "proposal.next");

    s2_read_skip(r, 1, "proposal.reserved");
    const size_t len = s2_read_u16(r, "proposal.length");
    if (len < PROPOSAL_HEADER_LEN)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "proposal.length");
    if (r->rc != S2SVPN_OK)
        return;
    struct s2_reader body = s2_read_sub(r, len - 4, "proposal.length");
    if (more != (r->left > 0 ? MORE_PROPOSALS : 0))
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "proposal.next");

    *p = (struct s2_ike1_proposal){.number = s2_read_u8(&body, "proposal.number"),
                                   .first = out->transforms};
    if (p->number < before)
        s2_reader_fail(&body, S2SVPN_E_MALFORMED, "proposal.number");
    p->protocol = s2_read_u8(&body, "proposal.protocol");
    p->spi_len = s2_read_u8(&body, "proposal.spi_size");
    if (!spi_len_fits(p->protocol, p->spi_len))
        s2_reader_fail(&body, S2SVPN_E_MALFORMED, "proposal.spi_size");
    p->count = s2_read_u8(&body, "proposal.transforms");
    if (p->count == 0)
        s2_reader_fail(&body, S2SVPN_E_MALFORMED, "proposal.transforms");
    if (p->count > S2_IKE1_TRANSFORMS_MAX - out->transforms)
        s2_reader_fail(&body, S2SVPN_E_LIMIT, "proposal.transforms");
    if (body.rc == S2SVPN_OK)
        s2_read_copy(&body, p->spi, p->spi_len, "proposal.spi");
    for (size_t i = 1; i <= p->count && body.rc == S2SVPN_OK; i++)
        parse_transform(&body, i == p->count, p->protocol == S2_IKE1_PROTO_ISAKMP,
                        &out->transform[out->transforms++]);
    s2_reader_finish(&body);
    if (s2_reader_join(r, &body) == S2SVPN_OK)
        out->count++;
}

s2svpn_status s2_ike1_parse_sa(struct s2_reader *r, struct s2_ike1_sa_payload *out)
{
    out->count = 0;
    out->transforms = 0;
    if (s2_read_u32(r, "sa.doi") != S2_IKE1_DOI_IPSEC)
        s2_reader_fail(r, S2SVPN_E_UNSUPPORTED, "sa.doi");
    if (s2_read_u32(r, "sa.situation") != SITUATION_IDENTITY_ONLY)
        s2_reader_fail(r, S2SVPN_E_UNSUPPORTED, "sa.situation");
    if (r->left == 0)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "sa.proposals");
    while (r->left > 0 && r->rc == S2SVPN_OK) {
        if (out->count == S2_IKE1_PROPOSALS_MAX)
            s2_reader_fail(r, S2SVPN_E_LIMIT, "sa.proposals");
        else
            parse_proposal(r, out);
    }
    if (r->rc != S2SVPN_OK) {
        out->count = 0;
        out->transforms = 0;
    }
    return r->rc;
}

/* ---- written */

/* The attribute with that meaning; none if the value is 0. */
static void write_attribute(struct s2_writer *w, bool phase1, enum meaning meaning, uint32_t value)
{
    uint16_t number = 1;

    while (meanings[phase1][number] != meaning)
        number++;
    if (value == 0)
        return;
    if (value <= UINT16_MAX) {
        s2_write_u16(w, ATTRIBUTE_TV | number);
        s2_write_u16(w, (uint16_t)value);
    } else {
        s2_write_u16(w, number);
        s2_write_u16(w, 4);
        s2_write_u32(w, value);
    }
}

static void write_life(struct s2_writer *w, bool phase1, uint32_t type, uint32_t value)
{
    if (value == 0)
        return;
    write_attribute(w, phase1, LIFE_TYPE, type);
    write_attribute(w, phase1, LIFE_DURATION, value);
}

static void write_transform(struct s2_writer *w, const struct s2_ike1_transform *t, bool phase1,
                            bool last)
{
    const size_t at = w->len;

    s2_write_u8(w, last ? 0 : MORE_TRANSFORMS);
    s2_write_u8(w, 0);
    s2_write_u16(w, 0);
    s2_write_u8(w, t->number);
    s2_write_u8(w, t->id);
    s2_write_u16(w, 0);
    if (t->attributes.len > 0) {
        s2_write_span(w, t->attributes);
    } else if (phase1) {
        write_attribute(w, true, ENCR, t->encr);
        write_attribute(w, true, KEY_BITS, t->key_bits);
        write_attribute(w, true, HASH, t->hash);
        write_attribute(w, true, METHOD, t->method);
        write_attribute(w, true, GROUP, t->group);
    } else {
        write_attribute(w, false, ENCAPSULATION, t->encapsulation);
        write_attribute(w, false, KEY_BITS, t->key_bits);
        write_attribute(w, false, INTEG, t->integ);
        write_attribute(w, false, GROUP, t->group);
        write_attribute(w, false, EXTENDED_NUMBERS, t->esn);
    }
    if (t->attributes.len == 0) {
        write_life(w, phase1, LIFE_SECONDS, t->life_s);
        write_life(w, phase1, LIFE_KILOBYTES, t->life_kb);
    }
    s2_write_patch_u16(w, at + 2, (uint16_t)(w->len - at));
}

void s2_ike1_write_sa(struct s2_writer *w, const struct s2_ike1_sa_payload *sa)
{
    s2_write_u32(w, S2_IKE1_DOI_IPSEC);
    s2_write_u32(w, SITUATION_IDENTITY_ONLY);
    for (size_t i = 0; i < sa->count; i++) {
        const struct s2_ike1_proposal *p = &sa->proposal[i];
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
            write_transform(w, &sa->transform[p->first + t], p->protocol == S2_IKE1_PROTO_ISAKMP,
                            t + 1 == p->count);
        s2_write_patch_u16(w, at + 2, (uint16_t)(w->len - at));
    }
}

/* ---- RESPONDER-LIFETIME */

s2svpn_status s2_ike1_parse_lifetime(struct s2_reader *r, bool phase1, struct s2_ike1_lifetime *out)
{
    const uint32_t others = ~(UINT32_C(1) << LIFE_TYPE | UINT32_C(1) << LIFE_DURATION);
    struct s2_ike1_transform t = {0};

    if ((parse_attributes(r, phase1, &t) & others) != 0)
        t.odd = true;
    if (r->rc == S2SVPN_OK && t.odd)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "lifetime");
    if (r->rc == S2SVPN_OK)
        *out = (struct s2_ike1_lifetime){t.life_s, t.life_kb};
    return r->rc;
}

void s2_ike1_write_lifetime(struct s2_writer *w, bool phase1, const struct s2_ike1_lifetime *l)
{
    write_life(w, phase1, LIFE_SECONDS, l->life_s);
    write_life(w, phase1, LIFE_KILOBYTES, l->life_kb);
}
