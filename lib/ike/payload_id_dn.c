/* SPDX-License-Identifier: Apache-2.0 */
/* A distinguished name as text, "CN=vpn.example, O=Example", for logs and status. Names
 * are compared by their bytes, never by this text. X.501's Name in DER, RFC 5280 section
 * 4.1.2.4; names of attributes by RFC 4514 section 3; RFC 7296 section 3.5. */
#include "ike/message.h"

#include "base/text.h"

#define SEQUENCE 0x30
#define SET 0x31
#define OBJECT_IDENTIFIER 0x06
#define LONG_LENGTH 0x80

/* 2.5.4.n by n. */
static const struct {
    uint8_t n;
    const char *name;
} attributes[] = {{3, "CN"}, {4, "SN"},     {5, "serialNumber"}, {6, "C"},   {7, "L"},
                  {8, "ST"}, {9, "street"}, {10, "O"},           {11, "OU"}, {12, "title"}};

static const char *name_of(s2svpn_span oid)
{
    if (oid.len != 3 || oid.p[0] != 0x55 || oid.p[1] != 0x04)
        return NULL;
    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
        if (attributes[i].n == oid.p[2])
            return attributes[i].name;
    }
    return NULL;
}

/* In the shortest form, else it isn't DER. An identity has no room for more than two
 * bytes of length. */
static size_t read_length(struct s2_reader *r)
{
    const size_t first = s2_read_u8(r, "dn.length");
    size_t len = first, least = 0;

    if (first == (LONG_LENGTH | 1)) {
        len = s2_read_u8(r, "dn.length");
        least = LONG_LENGTH;
    } else if (first == (LONG_LENGTH | 2)) {
        len = s2_read_u16(r, "dn.length");
        least = UINT8_MAX + 1;
    } else if (first >= LONG_LENGTH) {
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "dn.length");
    }
    if (len < least)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "dn.length");
    return r->rc == S2SVPN_OK ? len : 0;
}

static struct s2_reader open_tagged(struct s2_reader *r, uint8_t tag)
{
    if (s2_read_u8(r, "dn.tag") != tag)
        s2_reader_fail(r, S2SVPN_E_MALFORMED, "dn.tag");
    return s2_read_sub(r, read_length(r), "dn.length");
}

/* What can do nothing in a log, and doesn't look like the next attribute. */
static bool is_plain(s2svpn_span value)
{
    for (size_t i = 0; i < value.len; i++) {
        const uint8_t c = value.p[i];

        if (c < 0x20 || c >= 0x7f || c == ',' || c == '=' || c == '+' || c == '"' || c == '\\')
            return false;
    }
    return value.len > 0;
}

struct line {
    char *out;
    size_t size, len;
};

/* AttributeTypeAndValue; the value is whichever kind of string. */
static void print_attribute(struct s2_reader *r, const char *between, struct line *line)
{
    struct s2_reader body = open_tagged(r, SEQUENCE);
    struct s2_reader type = open_tagged(&body, OBJECT_IDENTIFIER);
    const char *name = name_of(s2_read_rest(&type));

    s2_read_skip(&body, 1, "dn.value");
    const s2svpn_span value = s2_read_span(&body, read_length(&body), "dn.value");
    s2_reader_finish(&body);
    if (s2_reader_join(&body, &type) == S2SVPN_OK && (name == NULL || !is_plain(value)))
        s2_reader_fail(&body, S2SVPN_E_UNSUPPORTED, "dn.value");
    if (s2_reader_join(r, &body) == S2SVPN_OK)
        line->len += s2_print(line->out + line->len, line->size - line->len, "%s%s=%.*s", between,
                              name, (int)value.len, (const char *)value.p);
}

static void print_set(struct s2_reader *r, struct line *line)
{
    struct s2_reader set = open_tagged(r, SET);
    bool first = true;

    for (; set.left > 0 && set.rc == S2SVPN_OK; first = false)
        print_attribute(&set, !first ? "+" : line->len > 0 ? ", " : "", line);
    (void)!s2_reader_join(r, &set);
}

bool s2_ike_dn_print(s2svpn_span dn, char *out, size_t size)
{
    struct line line = {.out = out, .size = size};
    struct s2_reader r;

    s2_reader_init(&r, dn.p, dn.len);
    struct s2_reader names = open_tagged(&r, SEQUENCE);
    while (names.left > 0 && names.rc == S2SVPN_OK)
        print_set(&names, &line);
    (void)!s2_reader_join(&r, &names);
    return s2_reader_finish(&r) == S2SVPN_OK && line.len > 0;
}
