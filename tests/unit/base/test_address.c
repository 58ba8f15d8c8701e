/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, prefixes and endpoints: texts both ways, and what contains what. */
#include "base/address.h"

#include <string.h>

#include "harness.h"

/* NULL as canonical form: the text must be refused. */
static const struct {
    const char *text;
    const char *canonical;
} texts[] = {
    {"0.0.0.0", "0.0.0.0"},
    {"255.255.255.255", "255.255.255.255"},
    {"192.0.2.1", "192.0.2.1"},
    {"10.0.0.0", "10.0.0.0"},
    {"", NULL},
    {"1", NULL},
    {"1.2.3", NULL},
    {"1.2.3.", NULL},
    {"1.2.3.4.", NULL},
    {"1.2.3.4.5", NULL},
    {".1.2.3.4", NULL},
    {"1..3.4", NULL},
    {"256.0.0.1", NULL},
    {"1.2.3.256", NULL},
    {"1.2.3.4294967300", NULL},
    {"01.2.3.4", NULL},
    {"1.2.3.00", NULL},
    {"0x1.2.3.4", NULL},
    {"1.2.3.4 ", NULL},
    {" 1.2.3.4", NULL},
    {"+1.2.3.4", NULL},
    {"1.2.3.4/32", NULL},
    {"1.2.3.a", NULL},
    {"localhost", NULL},
    /* RFC 4291 section 2.2 */
    {"ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", "abcd:ef01:2345:6789:abcd:ef01:2345:6789"},
    {"2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"},
    {"FF01:0:0:0:0:0:0:101", "ff01::101"},
    {"FF01::101", "ff01::101"},
    {"0:0:0:0:0:0:0:1", "::1"},
    {"::1", "::1"},
    {"0:0:0:0:0:0:0:0", "::"},
    {"::", "::"},
    {"0:0:0:0:0:0:13.1.68.3", "::d01:4403"},
    {"0:0:0:0:0:FFFF:129.144.52.38", "::ffff:129.144.52.38"},
    {"::13.1.68.3", "::d01:4403"},
    {"::FFFF:129.144.52.38", "::ffff:129.144.52.38"},
    {"2001:db8::192.0.2.33", "2001:db8::c000:221"},
    {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
    {"1:2:3:4:5::1.2.3.4", "1:2:3:4:5:0:102:304"},
    /* RFC 5952 sections 1, 2 and 4 */
    {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:db8::1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:0db8::1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"},
    {"2001:db8:aaaa:bbbb:cccc:dddd::1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1"},
    {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
    {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
    {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
    {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
    {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
    {"fe80:0:0:0:0:0:0:0", "fe80::"},
    {"1:0:0:2:3:4:0:0", "1::2:3:4:0:0"},
    {":", NULL},
    {":::", NULL},
    {"1:2:3:4:5:6:7", NULL},
    {"1:2:3:4:5:6:7:8:9", NULL},
    {"1:2:3:4:5:6:7:8::", NULL},
    {"::1:2:3:4:5:6:7:8", NULL},
    {"1:2:3:4::5:6:7:8", NULL},
    {"1::2::3", NULL},
    {"::1::", NULL},
    {"1:::2", NULL},
    {":1:2:3:4:5:6:7:8", NULL},
    {":1::", NULL},
    {"1:2:3:4:5:6:7:", NULL},
    {"1::2:", NULL},
    {"12345::", NULL},
    {"::00001", NULL},
    {"::g", NULL},
    {"::1%eth0", NULL},
    {"[::1]", NULL},
    {"::1 ", NULL},
    {"::1/128", NULL},
    {"1.2.3.4::", NULL},
    {"::1.2.3.4:5", NULL},
    {"::1.2.3", NULL},
    {"::1.2.3.256", NULL},
    {"::01.2.3.4", NULL},
    {"1:2:3:4:5:6:7:1.2.3.4", NULL},
    {"1:2:3:4:5:6:1.2.3.4::", NULL},
    {"1:2:3:4:5:1.2.3.4", NULL},
    {"1:2:3:4:5:6::1.2.3.4", NULL},
};

static void texts_are_read_strictly_and_printed_in_one_form(void)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const s2svpn_address before = {.family = 77};
        s2svpn_address a = before;
        char out[S2SVPN_ADDRESS_TEXT];
        const bool good = s2svpn_address_read(texts[i].text, &a);

        CHECK_ROW(texts[i].text, good == (texts[i].canonical != NULL));
        if (good && texts[i].canonical != NULL)
            CHECK_ROW(texts[i].text,
                      strcmp(s2svpn_address_print(&a, out), texts[i].canonical) == 0);
        else
            CHECK_ROW(texts[i].text, memcmp(&a, &before, sizeof(a)) == 0);
    }
    CU_ASSERT(!s2svpn_address_read(NULL, &(s2svpn_address){0}));
}

/* Every mixture of zero and other groups reads back as it was. */
static void every_printed_address_reads_back(void)
{
    for (unsigned mask = 0; mask < 256; mask++) {
        uint8_t bytes[16] = {0};
        s2svpn_address back;
        char out[S2SVPN_ADDRESS_TEXT];

        for (unsigned i = 0; i < 8; i++) {
            if (mask & 1u << i)
                bytes[2 * i + 1] = (uint8_t)(0x10 + i);
        }
        const s2svpn_address a = s2_address_from(S2SVPN_FAMILY_IPV6, bytes);
        CU_ASSERT(s2svpn_address_read(s2svpn_address_print(&a, out), &back));
        CHECK_ROW(out, s2_address_equal(&a, &back));
    }
}

static void the_longest_texts_fit(void)
{
    uint8_t bytes[16];
    char out[S2SVPN_ENDPOINT_TEXT];

    memset(bytes, 0xfe, sizeof(bytes));
    const s2svpn_endpoint e = {.address = s2_address_from(S2SVPN_FAMILY_IPV6, bytes),
                               .port = 65535};
    CU_ASSERT_STRING_EQUAL(s2svpn_endpoint_print(&e, out),
                           "[fefe:fefe:fefe:fefe:fefe:fefe:fefe:fefe]:65535");
    const s2svpn_prefix p = s2_prefix_make(&e.address, 128);
    CU_ASSERT_STRING_EQUAL(s2svpn_prefix_print(&p, out),
                           "fefe:fefe:fefe:fefe:fefe:fefe:fefe:fefe/128");
}

static void no_address_is_printed_as_a_dash(void)
{
    const s2svpn_endpoint e = {.port = 500};
    const s2svpn_prefix p = {.length = 3};
    const s2svpn_endpoint v4 = {.address = s2_address_ipv4(0xc0000201), .port = 4500};
    char out[S2SVPN_ENDPOINT_TEXT];

    CU_ASSERT_STRING_EQUAL(s2svpn_address_print(&e.address, out), "-");
    CU_ASSERT_STRING_EQUAL(s2svpn_prefix_print(&p, out), "-");
    CU_ASSERT_STRING_EQUAL(s2svpn_endpoint_print(&e, out), "-:500");
    CU_ASSERT_STRING_EQUAL(s2svpn_endpoint_print(&v4, out), "192.0.2.1:4500");
}

static const struct {
    const char *text;
    bool good;
} prefixes[] = {
    {"0.0.0.0/0", true},
    {"10.0.0.0/16", true},
    {"192.0.2.1/32", true},
    {"192.0.2.254/31", true},
    {"169.254.10.0/30", true},
    {"128.0.0.0/1", true},
    {"::/0", true},
    {"2001:db8::/32", true},
    {"2001:db8:8000::/33", true},
    {"2001:db8::1/128", true},
    {"::ffff:192.0.2.0/120", true},
    {"10.0.0.1/16", false},
    {"128.0.0.0/0", false},
    {"192.0.2.255/31", false},
    {"2001:db8::1/127", false},
    {"10.0.0.0/33", false},
    {"::/129", false},
    {"10.0.0.0", false},
    {"10.0.0.0/", false},
    {"10.0.0.0/016", false},
    {"10.0.0.0/+8", false},
    {"10.0.0.0/8 ", false},
    {"10.0.0.0/8/8", false},
    {"10.0.0.0//8", false},
    {"10.0.0.0/4294967304", false},
    {"10.0.0/8", false},
    {"/8", false},
    {"", false},
};

static void prefixes_are_read_strictly_and_print_back(void)
{
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        const s2svpn_prefix before = {.length = 99};
        s2svpn_prefix p = before;
        char out[S2SVPN_PREFIX_TEXT];

        CHECK_ROW(prefixes[i].text, s2svpn_prefix_read(prefixes[i].text, &p) == prefixes[i].good);
        if (prefixes[i].good)
            CHECK_ROW(prefixes[i].text,
                      strcmp(s2svpn_prefix_print(&p, out), prefixes[i].text) == 0);
        else
            CHECK_ROW(prefixes[i].text, memcmp(&p, &before, sizeof(p)) == 0);
    }
    CU_ASSERT(!s2svpn_prefix_read(NULL, &(s2svpn_prefix){0}));
}

static s2svpn_prefix prefix(const char *text)
{
    s2svpn_prefix p = {0};

    CHECK_ROW(text, s2svpn_prefix_read(text, &p));
    return p;
}

static const struct {
    const char *row;
    const char *outer, *inner;
    bool covers, overlaps;
} pairs[] = {
    {"itself", "10.0.0.0/8", "10.0.0.0/8", true, true},
    {"everything", "0.0.0.0/0", "10.1.0.0/16", true, true},
    {"longer inside", "10.0.0.0/8", "10.255.0.0/16", true, true},
    {"shorter inside longer", "10.255.0.0/16", "10.0.0.0/8", false, true},
    {"neighbours by one bit", "10.0.0.0/9", "10.128.0.0/9", false, false},
    {"odd bits", "172.16.0.0/12", "172.31.255.255/32", true, true},
    {"odd bits, outside", "172.16.0.0/12", "172.32.0.0/32", false, false},
    {"v6", "2001:db8::/33", "2001:db8:7fff::/48", true, true},
    {"v6, outside", "2001:db8::/33", "2001:db8:8000::/48", false, false},
    {"families never meet", "0.0.0.0/0", "::/0", false, false},
};

static void covering_and_overlapping(void)
{
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        const s2svpn_prefix a = prefix(pairs[i].outer), b = prefix(pairs[i].inner);

        CHECK_ROW(pairs[i].row, s2_prefix_covers(&a, &b) == pairs[i].covers);
        CHECK_ROW(pairs[i].row, s2_prefix_overlaps(&a, &b) == pairs[i].overlaps);
        CHECK_ROW(pairs[i].row, s2_prefix_overlaps(&b, &a) == pairs[i].overlaps);
        CHECK_ROW(pairs[i].row,
                  s2_prefix_equal(&a, &b) == (strcmp(pairs[i].outer, pairs[i].inner) == 0));
    }
}

static void no_prefix_contains_nothing(void)
{
    const s2svpn_prefix none = {.length = 0};
    const s2svpn_address a = s2_address_ipv4(1), no_address = {.family = S2SVPN_FAMILY_NONE};
    const s2svpn_prefix all = prefix("0.0.0.0/0");

    CU_ASSERT(!s2_prefix_contains(&none, &a));
    CU_ASSERT(!s2_prefix_contains(&none, &no_address));
    CU_ASSERT(s2_prefix_contains(&all, &a));
    CU_ASSERT(!s2_prefix_contains(&all, &no_address));
}

static void making_a_prefix_clears_host_bits(void)
{
    const s2svpn_address a = s2_address_ipv4(0xffffffff);
    uint8_t ones[16];
    char out[S2SVPN_PREFIX_TEXT];

    for (unsigned length = 0; length <= 32; length++) {
        const s2svpn_prefix p = s2_prefix_make(&a, (uint8_t)length);
        const uint32_t mask = length == 0 ? 0 : UINT32_MAX << (32 - length);

        CU_ASSERT(s2_address_ipv4_value(&p.address) == mask);
        CU_ASSERT(p.length == length);
    }
    memset(ones, 0xff, sizeof(ones));
    const s2svpn_address six = s2_address_from(S2SVPN_FAMILY_IPV6, ones);
    s2svpn_prefix p = s2_prefix_make(&six, 66);
    CU_ASSERT_STRING_EQUAL(s2svpn_prefix_print(&p, out), "ffff:ffff:ffff:ffff:c000::/66");
    p = s2_prefix_make(&a, 200);
    CU_ASSERT(p.length == 32);
}

static void comparing_orders_by_family_and_bytes(void)
{
    const s2svpn_address none = {.family = S2SVPN_FAMILY_NONE};
    const s2svpn_address low = s2_address_ipv4(0x0a000001), high = s2_address_ipv4(0x0b000000);
    s2svpn_address six;

    CU_ASSERT(s2svpn_address_read("::", &six));
    CU_ASSERT(s2_address_compare(&none, &low) < 0);
    CU_ASSERT(s2_address_compare(&low, &high) < 0);
    CU_ASSERT(s2_address_compare(&high, &low) > 0);
    CU_ASSERT(s2_address_compare(&high, &six) < 0);
    CU_ASSERT(s2_address_compare(&six, &six) == 0);
    CU_ASSERT(s2_address_equal(&low, &low));
    CU_ASSERT(!s2_address_equal(&low, &high));
    CU_ASSERT(s2_address_len(&none) == 0);
    CU_ASSERT(s2_address_len(&low) == 4);
    CU_ASSERT(s2_address_len(&six) == 16);
    CU_ASSERT(s2_address_from(5, (const uint8_t *)"abcd").family == S2SVPN_FAMILY_NONE);
}

static void endpoints_differ_by_address_port_and_role(void)
{
    const s2svpn_endpoint e = {.address = s2_address_ipv4(1), .port = 500, .role = S2SVPN_ROLE_IKE};
    s2svpn_endpoint other = e;

    CU_ASSERT(s2_endpoint_equal(&e, &other));
    other.port = 501;
    CU_ASSERT(!s2_endpoint_equal(&e, &other));
    other = e;
    other.role = S2SVPN_ROLE_NATT;
    CU_ASSERT(!s2_endpoint_equal(&e, &other));
    other = e;
    other.address = s2_address_ipv4(2);
    CU_ASSERT(!s2_endpoint_equal(&e, &other));
}

const CU_TestInfo s2_test_address[] = {
    {"texts are read strictly and printed in one form",
     texts_are_read_strictly_and_printed_in_one_form},
    {"every printed address reads back", every_printed_address_reads_back},
    {"the longest texts fit", the_longest_texts_fit},
    {"no address is printed as a dash", no_address_is_printed_as_a_dash},
    {"prefixes are read strictly and print back", prefixes_are_read_strictly_and_print_back},
    {"covering and overlapping go by bits and family", covering_and_overlapping},
    {"no prefix contains nothing", no_prefix_contains_nothing},
    {"making a prefix clears host bits", making_a_prefix_clears_host_bits},
    {"comparing orders by family and bytes", comparing_orders_by_family_and_bytes},
    {"endpoints differ by address, port and role", endpoints_differ_by_address_port_and_role},
    CU_TEST_INFO_NULL,
};
