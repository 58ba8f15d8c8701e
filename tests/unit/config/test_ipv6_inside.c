/* SPDX-License-Identifier: Apache-2.0 */
/* Documents whose inside addresses are IPv6. How AWS writes them isn't known: the vector
 * is our form, with invented keys and addresses. */
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "harness.h"
#include "support.h"

#define GATE "ipsec_tunnel/vpn_gateway/tunnel_inside_address/"
#define CUST "ipsec_tunnel/customer_gateway/tunnel_inside_address/"
#define MASK "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffc"

static bool is(const s2svpn_address *a, const char *text)
{
    char out[S2SVPN_ADDRESS_TEXT];

    return strcmp(s2svpn_address_print(a, out), text) == 0;
}

static void ipv6_inside_addresses_are_read_field_by_field(void)
{
    s2svpn_device_config *c = NULL;
    s2svpn_error why = {0};
    char *text = load("ipv6_inside");

    CU_ASSERT(read_text(text, &c, &why) == S2SVPN_OK);
    CU_ASSERT_FATAL(c != NULL);
    CU_ASSERT(is(&c->tunnel[0].customer.inside, "fd44:240::2"));
    CU_ASSERT(is(&c->tunnel[0].gateway.inside, "fd44:240::1"));
    CU_ASSERT(is(&c->tunnel[1].customer.inside, "fd9c:1d5e:7:a0::e"));
    CU_ASSERT(is(&c->tunnel[1].gateway.inside, "fd9c:1d5e:7:a0::d"));
    CU_ASSERT(c->tunnel[0].inside_length == 126 && c->tunnel[1].inside_length == 126);
    CU_ASSERT(is(&c->tunnel[1].customer.outside, "203.0.113.7"));
    CU_ASSERT(c->tunnel[0].tcp_mss == 1359);
    s2svpn_config_free(c);
    free(text);
}

static void they_are_written_as_they_were_read(void)
{
    s2svpn_device_config *c = NULL;
    s2svpn_error why = {0};
    s2svpn_text xml = {0};
    char *text = load("ipv6_inside");

    CU_ASSERT(read_text(text, &c, &why) == S2SVPN_OK);
    CU_ASSERT_FATAL(c != NULL);
    CU_ASSERT(s2svpn_config_write(c, &xml, &why) == S2SVPN_OK);
    CU_ASSERT_FATAL(xml.data != NULL);
    CU_ASSERT_STRING_EQUAL(xml.data, text);
    s2svpn_text_free(&xml);
    s2svpn_config_free(c);
    free(text);
}

struct row {
    const char *name, *from, *to;
    size_t n;
    const char *path; /* NULL: it is read */
    size_t tunnel;
    const char *expected;
};

static const struct row rows[] = {
    {"an address in another spelling", ">fd44:240::2<", ">FD44:0240:0:0::0002<", 0, NULL, 0, NULL},
    {"a mask in another spelling", MASK, "FFFF:ffff:ffff:ffff:ffff:ffff:FFFF:FFFC", 0, NULL, 0,
     NULL},
    {"the mask of IPv4", MASK, "255.255.255.252", 0, NULL, 0, NULL},
    {"no mask", "<network_mask>" MASK "</network_mask>", "", 0, NULL, 0, NULL},
    {"the third host", ">fd44:240::2<", ">fd44:240::3<", 0, NULL, 0, NULL},
    {"the mask of a /127", MASK, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 1, GATE "network_mask",
     0, "255.255.255.252, or"},
    {"a /64", "<network_cidr>126", "<network_cidr>64", 0, CUST "network_cidr", 0, "126"},
    {"a /30 beside IPv6", "<network_cidr>126", "<network_cidr>30", 1, GATE "network_cidr", 0,
     "126 beside IPv6"},
    {"one end of IPv4", ">fd44:240::1<", ">169.254.44.241<", 0, GATE "ip_address", 0, "other host"},
    {"another network", ">fd44:240::1<", ">fd44:240::5<", 0, GATE "ip_address", 0, "other host"},
    {"the network's own address", ">fd44:240::1<", ">fd44:240::<", 0, GATE "ip_address", 0,
     "other host"},
    {"a group's address", ">fd44:240::1<", ">ff02::1<", 0, GATE "ip_address", 0, "of a host"},
    {"no address", ">fd44:240::1<", ">fd44:240::1::<", 0, GATE "ip_address", 0, "of a host"},
};

static void what_may_differ_is_read_and_what_may_not_is_named(void)
{
    char *text = load("ipv6_inside");

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *r = &rows[i];
        s2svpn_device_config *c = NULL;
        s2svpn_error why = {0};
        char *flawed = replaced(text, r->from, r->to, r->n);

        CHECK_ROW(r->name, flawed != NULL);
        if (flawed == NULL)
            continue;
        const s2svpn_status rc = read_text(flawed, &c, &why);
        CHECK_ROW(r->name, rc == (r->path ? S2SVPN_E_MALFORMED : S2SVPN_OK));
        CHECK_ROW(r->name, (c == NULL) == (r->path != NULL));
        if (r->path) {
            CHECK_ROW(r->name, names_path(&why, r->path, r->tunnel));
            CHECK_ROW(r->name, strstr(why.message, r->expected) != NULL && why.line > 0);
        }
        s2svpn_config_free(c);
        free(flawed);
    }
    free(text);
}

/* A tunnel of each family. */
static void both_tunnels_are_of_one_family(void)
{
    s2svpn_device_config *c = NULL, *four = NULL;
    s2svpn_error why = {0};
    s2svpn_text xml = {0};
    char *text = load("ipv6_inside"), *other = load("bgp");

    CU_ASSERT(read_text(text, &c, &why) == S2SVPN_OK);
    CU_ASSERT(read_text(other, &four, &why) == S2SVPN_OK);
    CU_ASSERT_FATAL(c != NULL && four != NULL);
    c->tunnel[1] = four->tunnel[1];
    CU_ASSERT(s2svpn_config_write(c, &xml, &why) == S2SVPN_E_ARGUMENT);
    CU_ASSERT(names_path(&why, GATE "ip_address", 1));
    CU_ASSERT(strstr(why.message, "first tunnel's family") != NULL);
    s2svpn_config_free(c);
    s2svpn_config_free(four);
    free(text);
    free(other);
}

const CU_TestInfo s2_test_ipv6_inside[] = {
    {"IPv6 inside addresses are read field by field",
     ipv6_inside_addresses_are_read_field_by_field},
    {"they are written as they were read", they_are_written_as_they_were_read},
    {"what may differ is read and what may not is named",
     what_may_differ_is_read_and_what_may_not_is_named},
    {"both tunnels are of one family", both_tunnels_are_of_one_family},
    CU_TEST_INFO_NULL,
};
