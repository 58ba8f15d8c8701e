/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, prefixes and endpoints as texts. Reading: IPv4 as four decimal
 * numbers and nothing else (no octal, no short forms), IPv6 as RFC 4291 section
 * 2.2 with RFC 5952's printing (section 4; section 5 for ::ffff:0:0/96). */
#include <string.h>

#include "base/address.h"
#include "base/bytes.h"
#include "base/text.h"

#define GROUPS 8 /* of an IPv6 address */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decimal digits at *text up to max, no leading zero; moves *text behind them. */
static bool read_short_number(const char **text, unsigned max, unsigned *out)
{
    const char *p = *text;
    unsigned v = 0;

    if (!is_digit(*p) || (p[0] == '0' && is_digit(p[1])))
        return false;
    for (; is_digit(*p); p++) {
        v = v * 10 + (unsigned)(*p - '0');
        if (v > max)
            return false;
    }
    *text = p;
    *out = v;
    return true;
}

static bool read_ipv4(const char **text, uint8_t out[4])
{
    for (size_t i = 0; i < 4; i++) {
        unsigned v;

        if (i > 0 && *(*text)++ != '.')
            return false;
        if (!read_short_number(text, 255, &v))
            return false;
        out[i] = (uint8_t)v;
    }
    return true;
}

/* One to four hexadecimal digits; moves *text behind them. */
static bool read_group(const char **text, uint16_t *out)
{
    unsigned v = 0, digits = 0;

    for (; digits < 4 && hex_value(**text) >= 0; digits++, (*text)++)
        v = v << 4 | (unsigned)hex_value(**text);
    *out = (uint16_t)v;
    return digits > 0;
}

/* Does the group that starts here run into a dot? */
static bool dotted(const char *text)
{
    size_t digits = 0;

    while (digits < 4 && is_digit(text[digits]))
        digits++;
    return text[digits] == '.';
}

/* Groups up to the end or a slash: what stands before "::" goes to the front of
 * out, what stands behind it is moved to the end at last. */
static bool read_ipv6(const char **text, uint8_t out[16])
{
    const char *p = *text;
    uint8_t bytes[16] = {0};
    size_t n = 0, gap = SIZE_MAX; /* in groups */

    if (p[0] == ':' && p[1] == ':') {
        gap = 0;
        p += 2;
    }
    while (*p != '\0' && *p != '/') {
        if (n > 0 && n != gap && *p++ != ':')
            return false;
        if (n > 0 && n != gap && *p == ':') {
            if (gap != SIZE_MAX)
                return false;
            gap = n;
            p++;
            continue;
        }
        if (n <= GROUPS - 2 && dotted(p)) {
            if (!read_ipv4(&p, bytes + 2 * n))
                return false;
            n += 2;
            break;
        }
        uint16_t group;
        if (n >= GROUPS || !read_group(&p, &group))
            return false;
        s2_put_u16(bytes + 2 * n, group);
        n++;
    }
    /* "::" stands for one group at least. */
    if (gap == SIZE_MAX ? n != GROUPS : n >= GROUPS)
        return false;
    memcpy(out, bytes, sizeof(bytes));
    if (gap != SIZE_MAX) {
        memset(out + 2 * gap, 0, 16 - 2 * gap);
        memcpy(out + 16 - 2 * (n - gap), bytes + 2 * gap, 2 * (n - gap));
    }
    *text = p;
    return true;
}

/* An address at *text; moves *text behind it. */
static bool read_address(const char **text, s2svpn_address *out)
{
    s2svpn_address a = {.family = S2SVPN_FAMILY_IPV4};
    const char *p = *text;

    if (!read_ipv4(&p, a.bytes)) {
        a = (s2svpn_address){.family = S2SVPN_FAMILY_IPV6};
        p = *text;
        if (!read_ipv6(&p, a.bytes))
            return false;
    }
    *text = p;
    *out = a;
    return true;
}

bool s2svpn_address_read(const char *text, s2svpn_address *out)
{
    s2svpn_address a;

    if (text == NULL || !read_address(&text, &a) || *text != '\0')
        return false;
    *out = a;
    return true;
}

bool s2svpn_prefix_read(const char *text, s2svpn_prefix *out)
{
    s2svpn_address a;
    unsigned length;

    if (text == NULL || !read_address(&text, &a) || *text++ != '/')
        return false;
    if (!read_short_number(&text, s2_family_bits(a.family), &length) || *text != '\0')
        return false;
    const s2svpn_prefix p = s2_prefix_make(&a, (uint8_t)length);
    if (!s2_address_equal(&p.address, &a))
        return false;
    *out = p;
    return true;
}

static size_t print_ipv4(char *out, size_t size, const uint8_t *b)
{
    return s2_print(out, size, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
}

/* The longest run of zero groups, of equal ones the first; RFC 5952 section 4.2
 * lets "::" stand for two groups at least. */
static size_t longest_zeros(const uint8_t bytes[16], size_t *start)
{
    size_t best = 0;

    for (size_t i = 0; i < GROUPS; i++) {
        size_t n = 0;

        while (i + n < GROUPS && s2_get_u16(bytes + 2 * (i + n)) == 0)
            n++;
        if (n > best) {
            best = n;
            *start = i;
        }
        i += n;
    }
    return best >= 2 ? best : 0;
}

static void print_ipv6(char *out, size_t size, const uint8_t bytes[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    size_t at = 0, start = 0;
    const size_t zeros = longest_zeros(bytes, &start);

    if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
        at = s2_print(out, size, "::ffff:");
        print_ipv4(out + at, size - at, bytes + 12);
        return;
    }
    for (size_t i = 0; i < GROUPS; i++) {
        if (zeros > 0 && i == start) {
            at += s2_print(out + at, size - at, "::");
            i += zeros - 1;
            continue;
        }
        const bool first = i == 0 || (zeros > 0 && i == start + zeros);
        at += s2_print(out + at, size - at, first ? "%x" : ":%x", s2_get_u16(bytes + 2 * i));
    }
}

char *s2svpn_address_print(const s2svpn_address *a, char *out)
{
    switch (a->family) {
    case S2SVPN_FAMILY_IPV4:
        print_ipv4(out, S2SVPN_ADDRESS_TEXT, a->bytes);
        break;
    case S2SVPN_FAMILY_IPV6:
        print_ipv6(out, S2SVPN_ADDRESS_TEXT, a->bytes);
        break;
    default:
        s2_copy_text(out, S2SVPN_ADDRESS_TEXT, "-");
        break;
    }
    return out;
}

char *s2svpn_prefix_print(const s2svpn_prefix *p, char *out)
{
    char address[S2SVPN_ADDRESS_TEXT];

    s2svpn_address_print(&p->address, address);
    if (s2_family_bits(p->address.family) == 0)
        s2_copy_text(out, S2SVPN_PREFIX_TEXT, address);
    else
        s2_print(out, S2SVPN_PREFIX_TEXT, "%s/%u", address, p->length);
    return out;
}

char *s2svpn_endpoint_print(const s2svpn_endpoint *e, char *out)
{
    char address[S2SVPN_ADDRESS_TEXT];
    const bool ipv6 = e->address.family == S2SVPN_FAMILY_IPV6;

    s2svpn_address_print(&e->address, address);
    s2_print(out, S2SVPN_ENDPOINT_TEXT, ipv6 ? "[%s]:%u" : "%s:%u", address, e->port);
    return out;
}
