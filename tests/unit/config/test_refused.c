/* SPDX-License-Identifier: Apache-2.0 */
/* Documents that are refused: each names the element, the line and what was expected,
 * and never shows a key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "support.h"

#define CUST "ipsec_tunnel/customer_gateway/"
#define GATE "ipsec_tunnel/vpn_gateway/"

static uint32_t lines_before(const char *text, const char *end)
{
    uint32_t n = 1;

    for (; text < end; text++)
        n += *text == '\n';
    return n;
}

static bool silent(const s2svpn_error *why)
{
    return strstr(why->message, KEY_OF_BGP) == NULL && strstr(why->field, KEY_OF_BGP) == NULL &&
           strstr(why->message, "invented") == NULL;
}

/* What is edited is the n-th from of the vector; the failure is expected in its line,
 * plus lines. */
static const struct {
    const char *row;
    const char *from, *to;
    size_t n;
    s2svpn_status rc;
    const char *path; /* of the table; NULL: look at field */
    size_t tunnel;
    const char *field;
    const char *message; /* a part of it */
    int lines;
} bad[] = {
    /* XML */
    {"not closed", "</vpn_connection>", "", 0, S2SVPN_E_MALFORMED, NULL, 0, "", "no element", 1},
    {"closed by another", "</mode>", "</mood>", 0, S2SVPN_E_MALFORMED, NULL, 0,
     "ipsec_tunnel[0]/ike/mode", "mismatched tag", 0},
    {"two roots", "</vpn_connection>", "</vpn_connection><x/>", 0, S2SVPN_E_MALFORMED, NULL, 0, "",
     "junk after", 0},
    {"a bare ampersand", "main", "m&n", 0, S2SVPN_E_MALFORMED, NULL, 0, "ipsec_tunnel[0]/ike/mode",
     "not well-formed", 0},
    {"an entity that isn't XML's", "main", "&main;", 0, S2SVPN_E_MALFORMED, NULL, 0,
     "ipsec_tunnel[0]/ike/mode", "undefined entity", 0},
    {"bytes that aren't UTF-8", "main", "m\xe9n", 0, S2SVPN_E_MALFORMED, NULL, 0,
     "ipsec_tunnel[0]/ike/mode", "not well-formed", 0},
    {"a document type", "<vpn_connection ", "<!DOCTYPE x><vpn_connection ", 0, S2SVPN_E_MALFORMED,
     NULL, 0, "", "document type", 0},
    {"a document type from elsewhere", "<vpn_connection ",
     "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><vpn_connection ", 0, S2SVPN_E_MALFORMED, NULL, 0,
     "", "document type", 0},
    {"entities that grow", "<vpn_connection ",
     "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">"
     "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">]>\n<vpn_connection ",
     0, S2SVPN_E_MALFORMED, NULL, 0, "", "document type", 0},
    {"an external entity", "<vpn_connection ",
     "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><vpn_connection ", 0,
     S2SVPN_E_MALFORMED, NULL, 0, "", "document type", 0},
    {"a text between elements", "<ike>", "<ike>k", 0, S2SVPN_E_MALFORMED, "ipsec_tunnel/ike", 0,
     NULL, "expected elements", 0},
    {"an element in a value", "28800", "28<b/>800", 0, S2SVPN_E_MALFORMED,
     "ipsec_tunnel/ike/lifetime", 0, NULL, "expected a text", 0},
    {"an element with a long name in a value", "28800",
     "<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/>28800",
     0, S2SVPN_E_MALFORMED, "ipsec_tunnel/ike/lifetime", 0, NULL, "expected a text", 0},
    /* the root */
    {"another root", "<vpn_connection id", "<vpn id", 0, S2SVPN_E_MALFORMED, NULL, 0, "",
     "vpn_connection as the root", 0},
    {"no identifier", "id=", "ID=", 0, S2SVPN_E_MALFORMED, NULL, 0, "@id", "missing", 0},
    {"an empty identifier", "vpn-0a1b2c3d4e5f60718", "", 0, S2SVPN_E_MALFORMED, NULL, 0, "@id",
     "identifier", 0},
    {"an identifier too long", "vpn-0a1b2c3d4e5f60718", "vpn-0123456789abcdef0123456789abcdef0123",
     0, S2SVPN_E_MALFORMED, NULL, 0, "@id", "identifier", 0},
    {"an identifier with a slash", "vpn-0a1b", "vpn/", 0, S2SVPN_E_MALFORMED, NULL, 0, "@id",
     "identifier", 0},
    /* values */
    {"an empty customer_gateway_id", "cgw-0123456789abcdef0", "", 0, S2SVPN_E_MALFORMED,
     "customer_gateway_id", 0, NULL, "expected an identifier", 0},
    {"a vpn_gateway_id that is none", "vgw-0fedcba9876543210", "vgw 1", 0, S2SVPN_E_MALFORMED,
     "vpn_gateway_id", 0, NULL, "expected an identifier", 0},
    {"another type", "ipsec.1", "ipsec.2", 0, S2SVPN_E_UNSUPPORTED, "vpn_connection_type", 0, NULL,
     "expected ipsec.1", 0},
    {"an address with a name", "203.0.113.7", "vpn.example.com", 0, S2SVPN_E_MALFORMED,
     CUST "tunnel_outside_address/ip_address", 0, NULL, "IP address", 0},
    {"a short address", "198.51.100.77", "198.51.100", 0, S2SVPN_E_MALFORMED,
     GATE "tunnel_outside_address/ip_address", 1, NULL, "IP address", 0},
    {"an address of nobody", "203.0.113.7", "0.0.0.0", 0, S2SVPN_E_MALFORMED,
     CUST "tunnel_outside_address/ip_address", 0, NULL, "IP address", 0},
    {"an address of a group", "198.51.100.10", "224.0.0.5", 0, S2SVPN_E_MALFORMED,
     GATE "tunnel_outside_address/ip_address", 0, NULL, "IP address", 0},
    {"a group of IPv6", "198.51.100.10", "ff02::1", 0, S2SVPN_E_MALFORMED,
     GATE "tunnel_outside_address/ip_address", 0, NULL, "IP address", 0},
    {"families mixed", "198.51.100.10", "2001:db8::1", 0, S2SVPN_E_MALFORMED,
     GATE "tunnel_outside_address/ip_address", 0, NULL, "family", 0},
    {"both ends at one address", "198.51.100.10", "203.0.113.7", 0, S2SVPN_E_MALFORMED,
     GATE "tunnel_outside_address/ip_address", 0, NULL, "another address", 0},
    {"both tunnels at one address", "198.51.100.77", "198.51.100.10", 0, S2SVPN_E_MALFORMED,
     GATE "tunnel_outside_address/ip_address", 1, NULL, "first tunnel", 0},
    {"one inside address of IPv6", "169.254.44.241", "fd00::1", 0, S2SVPN_E_MALFORMED,
     GATE "tunnel_inside_address/ip_address", 0, NULL, "other host", 0},
    {"the length of IPv6", "<network_cidr>30", "<network_cidr>126", 1, S2SVPN_E_MALFORMED,
     GATE "tunnel_inside_address/network_cidr", 0, NULL, "30 beside IPv4", 0},
    {"another inside network", "169.254.44.241", "169.254.44.245", 0, S2SVPN_E_MALFORMED,
     GATE "tunnel_inside_address/ip_address", 0, NULL, "other host", 0},
    {"the same inside address twice", "169.254.44.241", "169.254.44.242", 0, S2SVPN_E_MALFORMED,
     GATE "tunnel_inside_address/ip_address", 0, NULL, "other host", 0},
    {"the inside network's own address", "169.254.44.241", "169.254.44.240", 0, S2SVPN_E_MALFORMED,
     GATE "tunnel_inside_address/ip_address", 0, NULL, "other host", 0},
    {"the inside network's broadcast address", "169.254.44.241", "169.254.44.243", 0,
     S2SVPN_E_MALFORMED, GATE "tunnel_inside_address/ip_address", 0, NULL, "other host", 0},
    {"another mask", "255.255.255.252", "255.255.255.0", 3, S2SVPN_E_MALFORMED,
     GATE "tunnel_inside_address/network_mask", 1, NULL, "255.255.255.252", 0},
    {"another length", "<network_cidr>30", "<network_cidr>29", 0, S2SVPN_E_MALFORMED,
     CUST "tunnel_inside_address/network_cidr", 0, NULL, "30, or", 0},
    {"an ASN of 0", "65000", "0", 0, S2SVPN_E_MALFORMED, CUST "bgp/asn", 0, NULL, "from 1", 0},
    {"an ASN of 33 bits", "64512", "4294967296", 1, S2SVPN_E_MALFORMED, GATE "bgp/asn", 1, NULL,
     "to 4294967295", 0},
    {"an ASN with a dot", "65000", "1.10", 0, S2SVPN_E_MALFORMED, CUST "bgp/asn", 0, NULL,
     "a number", 0},
    {"tunnels of two customers", "65000", "65001", 1, S2SVPN_E_MALFORMED, CUST "bgp/asn", 1, NULL,
     "the first tunnel's", 0},
    {"tunnels of two gateways", "64512", "64513", 1, S2SVPN_E_MALFORMED, GATE "bgp/asn", 1, NULL,
     "the first tunnel's", 0},
    {"a hold time of 2", "<hold_time>30", "<hold_time>2", 2, S2SVPN_E_MALFORMED,
     CUST "bgp/hold_time", 1, NULL, "from 3 to 65535", 0},
    {"a hash that we haven't", "sha1", "md5", 0, S2SVPN_E_UNSUPPORTED,
     "ipsec_tunnel/ike/authentication_protocol", 0, NULL, "sha2-256", 0},
    {"no hash, with CBC", "<authentication_protocol>sha1", "<authentication_protocol>none", 1,
     S2SVPN_E_MALFORMED, "ipsec_tunnel/ike/authentication_protocol", 1, NULL, "this cipher", 0},
    {"an empty cipher", "aes-128-cbc", "", 0, S2SVPN_E_MALFORMED,
     "ipsec_tunnel/ike/encryption_protocol", 0, NULL, "aes-128-cbc", 0},
    {"a cipher that we haven't", "aes-128-cbc", "3des-cbc", 1, S2SVPN_E_UNSUPPORTED,
     "ipsec_tunnel/ipsec/encryption_protocol", 0, NULL, "aes-128-cbc", 0},
    {"a MAC that we haven't", "hmac-sha1-96", "hmac-md5-96", 1, S2SVPN_E_UNSUPPORTED,
     "ipsec_tunnel/ipsec/authentication_protocol", 1, NULL, "hmac-sha2-256-128", 0},
    {"a group that we haven't", "group2", "group1", 1, S2SVPN_E_UNSUPPORTED,
     "ipsec_tunnel/ipsec/perfect_forward_secrecy", 0, NULL, "group14", 0},
    {"aggressive mode", "<mode>main", "<mode>aggressive", 0, S2SVPN_E_UNSUPPORTED,
     "ipsec_tunnel/ike/mode", 0, NULL, "expected main", 0},
    {"transport mode", "<mode>tunnel", "<mode>transport", 0, S2SVPN_E_UNSUPPORTED,
     "ipsec_tunnel/ipsec/mode", 0, NULL, "expected tunnel", 0},
    {"AH", "<protocol>esp", "<protocol>ah", 1, S2SVPN_E_UNSUPPORTED, "ipsec_tunnel/ipsec/protocol",
     1, NULL, "expected esp", 0},
    {"a lifetime too long", "28800", "28801", 1, S2SVPN_E_MALFORMED, "ipsec_tunnel/ike/lifetime", 1,
     NULL, "from 900 to 28800", 0},
    {"a lifetime too short", "3600", "899", 0, S2SVPN_E_MALFORMED, "ipsec_tunnel/ipsec/lifetime", 0,
     NULL, "from 900 to 3600", 0},
    {"a lifetime with a unit", "28800", "8h", 0, S2SVPN_E_MALFORMED, "ipsec_tunnel/ike/lifetime", 0,
     NULL, "a number", 0},
    {"a lifetime with a sign", "28800", "+28800", 0, S2SVPN_E_MALFORMED,
     "ipsec_tunnel/ike/lifetime", 0, NULL, "a number", 0},
    {"a phase 2 that outlives phase 1", "28800", "3600", 0, S2SVPN_E_MALFORMED,
     "ipsec_tunnel/ipsec/lifetime", 0, NULL, "phase 1", 9},
    {"no key in one of two tunnels", KEY_OF_BGP, "", 0, S2SVPN_E_MALFORMED,
     "ipsec_tunnel/ike/pre_shared_key", 0, NULL, "1 to 255", 0},
    {"a blank before the key", KEY_OF_BGP, " " KEY_OF_BGP, 0, S2SVPN_E_MALFORMED,
     "ipsec_tunnel/ike/pre_shared_key", 0, NULL, "no blank", 0},
    {"a blank behind the key", KEY_OF_BGP, KEY_OF_BGP " ", 0, S2SVPN_E_MALFORMED,
     "ipsec_tunnel/ike/pre_shared_key", 0, NULL, "no blank", 0},
    {"a line behind the key", KEY_OF_BGP, KEY_OF_BGP "\n", 0, S2SVPN_E_MALFORMED,
     "ipsec_tunnel/ike/pre_shared_key", 0, NULL, "no blank", 1},
    {"a key that isn't ASCII", KEY_OF_BGP, KEY_OF_BGP "\xc3\xa9", 0, S2SVPN_E_MALFORMED,
     "ipsec_tunnel/ike/pre_shared_key", 0, NULL, "ASCII", 0},
    {"neither true nor false", "<clear_df_bit>true", "<clear_df_bit>yes", 0, S2SVPN_E_MALFORMED,
     "ipsec_tunnel/ipsec/clear_df_bit", 0, NULL, "true or false", 0},
    {"an empty yes or no", "<fragmentation_before_encryption>true",
     "<fragmentation_before_encryption>", 1, S2SVPN_E_MALFORMED,
     "ipsec_tunnel/ipsec/fragmentation_before_encryption", 1, NULL, "true or false", 0},
    {"an MSS too small", "1379", "20", 0, S2SVPN_E_MALFORMED,
     "ipsec_tunnel/ipsec/tcp_mss_adjustment", 0, NULL, "from 536", 0},
    {"an interval of 0", "<interval>10", "<interval>0", 0, S2SVPN_E_MALFORMED,
     "ipsec_tunnel/ipsec/dead_peer_detection/interval", 0, NULL, "from 1", 0},
    {"no retries", "<retries>3", "<retries>-3", 0, S2SVPN_E_MALFORMED,
     "ipsec_tunnel/ipsec/dead_peer_detection/retries", 0, NULL, "from 1", 0},
    /* a key at the wrong place */
    {"a key for a mode", "<mode>main", "<mode>" KEY_OF_BGP, 0, S2SVPN_E_UNSUPPORTED,
     "ipsec_tunnel/ike/mode", 0, NULL, "expected main", 0},
    {"a key for an address", "203.0.113.7", KEY_OF_BGP, 0, S2SVPN_E_MALFORMED,
     CUST "tunnel_outside_address/ip_address", 0, NULL, "IP address", 0},
    {"a key between elements", "<ike>", "<ike>" KEY_OF_BGP, 0, S2SVPN_E_MALFORMED,
     "ipsec_tunnel/ike", 0, NULL, "expected elements", 0},
    {"a key for a name", "<ike>", "<" KEY_OF_BGP ">", 0, S2SVPN_E_MALFORMED, NULL, 0,
     "ipsec_tunnel[0]", "mismatched tag", 7},
    /* twice */
    {"a value twice", "<mode>main", "<lifetime>28800</lifetime><mode>main", 1, S2SVPN_E_MALFORMED,
     "ipsec_tunnel/ike/lifetime", 1, NULL, "already, in line 91", 0},
    {"an element twice", "<ipsec>", "<ike/><ipsec>", 0, S2SVPN_E_MALFORMED, "ipsec_tunnel/ike", 0,
     NULL, "already, in line 35", 0},
    {"an identifier twice", "</vpn_connection>",
     "<customer_gateway_id>cgw-2</customer_gateway_id></vpn_connection>", 0, S2SVPN_E_MALFORMED,
     "customer_gateway_id", 0, NULL, "already, in line 3", 0},
    {"three tunnels", "</vpn_connection>", "<ipsec_tunnel/></vpn_connection>", 0,
     S2SVPN_E_MALFORMED, "ipsec_tunnel", 2, NULL, "one or two", 0},
};

static void a_flawed_document_is_refused_and_the_place_named(void)
{
    char *text = load("bgp");

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char *other = replaced(text, bad[i].from, bad[i].to, bad[i].n);
        s2svpn_device_config *c = NULL;
        s2svpn_error why = {0};
        size_t n = bad[i].n;

        CHECK_ROW(bad[i].row, other != NULL);
        if (other == NULL)
            continue;
        const char *at = strstr(text, bad[i].from);
        for (; n > 0; n--)
            at = strstr(at + 1, bad[i].from);
        CHECK_ROW(bad[i].row, read_text(other, &c, &why) == bad[i].rc);
        CHECK_ROW(bad[i].row, why.code == bad[i].rc && c == NULL);
        if (bad[i].path != NULL)
            CHECK_ROW(bad[i].row, names_path(&why, bad[i].path, bad[i].tunnel));
        else
            CHECK_ROW(bad[i].row, strcmp(why.field, bad[i].field) == 0);
        CHECK_ROW(bad[i].row, strstr(why.message, bad[i].message) != NULL);
        CHECK_ROW(bad[i].row, why.line == lines_before(text, at) + (uint32_t)bad[i].lines);
        CHECK_ROW(bad[i].row, silent(&why));
        free(other);
    }
    free(text);
}

/* Every element is left out once, in each tunnel: what AWS always writes and we need
 * is named, with the line of what it should be in; the rest has a default. */
static void every_missing_element_is_named(void)
{
    /* with CBC; and with a key, the device's address and the other tunnel's key */
    static const char *const needed_here[] = {
        "ipsec_tunnel/ike/authentication_protocol", "ipsec_tunnel/ipsec/authentication_protocol",
        CUST "tunnel_outside_address/ip_address", "ipsec_tunnel/ike/pre_shared_key"};
    char *text = load("bgp");
    size_t named = 0;

    for (const struct s2_config_element *e = s2_config_elements; e->path != NULL; e++) {
        bool needed = e->need != S2_NEED_NEVER;

        for (size_t i = 0; i < sizeof(needed_here) / sizeof(needed_here[0]); i++)
            needed = needed || strcmp(e->path, needed_here[i]) == 0;
        for (size_t tunnel = 0; tunnel < (s2_config_in_tunnel(e) ? 2 : 1); tunnel++) {
            char *other = without(text, e->path, tunnel, NULL);
            s2svpn_device_config *c = NULL;
            s2svpn_error why = {0};

            if (other == NULL) { /* the vector has none */
                CHECK_ROW(e->path, strcmp(e->path, "vpn_connection_attributes") == 0);
                continue;
            }
            const s2svpn_status rc = read_text(other, &c, &why);
            if (!needed || strcmp(e->path, S2_CONFIG_TUNNEL) == 0) {
                CHECK_ROW(e->path, rc == S2SVPN_OK);
            } else {
                CHECK_ROW(e->path, rc == S2SVPN_E_MALFORMED && c == NULL);
                CHECK_ROW(e->path, names_path(&why, e->path, tunnel));
                CHECK_ROW(e->path, strstr(why.message, "missing") != NULL);
                CHECK_ROW(e->path, why.line > 0 && silent(&why));
                named++;
            }
            s2svpn_config_free(c);
            free(other);
        }
    }
    CU_ASSERT(named > 40);
    free(text);
}

static void a_missing_elements_line_is_that_of_what_it_should_be_in(void)
{
    char *text = load("bgp");
    char *other = without(text, "ipsec_tunnel/ike/lifetime", 1, NULL);
    s2svpn_device_config *c = NULL;
    s2svpn_error why = {0};

    CU_ASSERT(read_text(other, &c, &why) == S2SVPN_E_MALFORMED);
    const char *second = strstr(strstr(other, "<ike>") + 1, "<ike>");
    CU_ASSERT(why.line == lines_before(other, second));
    free(other);
    free(text);
}

static void tunnels_share_no_inside_network(void)
{
    char *text = load("bgp");
    char *one = replaced(text, "169.254.160.14", "169.254.44.242", 0);
    char *two = replaced(one, "169.254.160.13", "169.254.44.241", 0);
    s2svpn_device_config *c = NULL;
    s2svpn_error why = {0};

    CU_ASSERT(read_text(two, &c, &why) == S2SVPN_E_MALFORMED && c == NULL);
    CU_ASSERT(names_path(&why, GATE "tunnel_inside_address/ip_address", 1));
    CU_ASSERT(strstr(why.message, "another network") != NULL);
    free(two);
    free(one);
    free(text);
}

static void a_document_without_tunnels_is_refused(void)
{
    const char *text = "<vpn_connection id='vpn-1'><customer_gateway_id>cgw-1"
                       "</customer_gateway_id></vpn_connection>";
    s2svpn_device_config *c = NULL;
    s2svpn_error why = {0};

    CU_ASSERT(read_text(text, &c, &why) == S2SVPN_E_MALFORMED);
    CU_ASSERT_STRING_EQUAL(why.field, "ipsec_tunnel[0]");
    CU_ASSERT(why.line == 1);
}

static void nothing_is_no_document(void)
{
    s2svpn_device_config *c = NULL;
    s2svpn_error why = {0};

    CU_ASSERT(s2svpn_config_read(NULL, 0, &c, &why) == S2SVPN_E_MALFORMED);
    CU_ASSERT(s2svpn_config_read("", 0, &c, NULL) == S2SVPN_E_MALFORMED);
    CU_ASSERT(s2svpn_config_read("\n\n", 2, &c, &why) == S2SVPN_E_MALFORMED);
    CU_ASSERT(s2svpn_config_read("\0", 1, &c, &why) == S2SVPN_E_MALFORMED);
}

static void a_document_that_breaks_off_is_refused(void)
{
    char *text = load("bgp");
    const size_t len = strlen(text) - 2; /* the last '>' and the line's end */
    size_t refused = 0;

    for (size_t n = 0; n <= len; n++) {
        s2svpn_device_config *c = NULL;
        s2svpn_error why = {0};

        refused += s2svpn_config_read(text, n, &c, &why) == S2SVPN_E_MALFORMED && silent(&why);
        s2svpn_config_free(c);
    }
    CU_ASSERT(refused == len + 1);
    free(text);
}

static void another_encoding_is_refused(void)
{
    static const char utf16[] = "\xff\xfe<\0v\0p\0n\0/\0>\0";
    s2svpn_device_config *c = NULL;
    s2svpn_error why = {0};

    CU_ASSERT(s2svpn_config_read(utf16, sizeof(utf16) - 1, &c, &why) == S2SVPN_E_MALFORMED);
}

/* ---- bounds */

/* head, n times piece, tail. */
static char *repeated(const char *head, const char *piece, size_t n, const char *tail)
{
    const size_t first = strlen(head), step = strlen(piece);
    char *out = malloc(first + n * step + strlen(tail) + 1);

    CU_ASSERT_FATAL(out != NULL);
    memcpy(out, head, first);
    for (size_t i = 0; i < n; i++)
        memcpy(out + first + i * step, piece, step);
    memcpy(out + first + n * step, tail, strlen(tail) + 1);
    return out;
}

static s2svpn_status read_and_free(char *text, s2svpn_error *why)
{
    s2svpn_device_config *c = NULL;
    const s2svpn_status rc = read_text(text, &c, why);

    CU_ASSERT(c == NULL);
    free(text);
    return rc;
}

static void a_document_is_as_long_as_allowed_and_no_longer(void)
{
    char *text = load("bgp");
    const size_t len = strlen(text);
    char *full = repeated(text, " ", S2SVPN_CONFIG_MAX - len, "");
    s2svpn_device_config *c = NULL;
    s2svpn_error why = {0};

    CU_ASSERT(read_text(full, &c, &why) == S2SVPN_OK);
    s2svpn_config_free(c);
    free(full);
    CU_ASSERT(read_and_free(repeated(text, " ", S2SVPN_CONFIG_MAX - len + 1, ""), &why) ==
              S2SVPN_E_LIMIT);
    CU_ASSERT(strstr(why.message, "1048576") != NULL);
    free(text);
}

static void elements_are_nested_as_deep_as_allowed_and_no_deeper(void)
{
    const char *root = "<vpn_connection id='a'>";
    s2svpn_error why = {0};

    CU_ASSERT(read_and_free(repeated(root, "<x>", S2_XML_DEPTH_MAX - 1, ""), &why) ==
              S2SVPN_E_MALFORMED);
    CU_ASSERT(read_and_free(repeated(root, "<x>", S2_XML_DEPTH_MAX, ""), &why) == S2SVPN_E_LIMIT);
    CU_ASSERT(read_and_free(repeated(root, "<x>", 100000, ""), &why) == S2SVPN_E_LIMIT);
}

static void there_are_as_many_elements_as_allowed_and_no_more(void)
{
    const char *root = "<vpn_connection id='a'>", *end = "</vpn_connection>";
    s2svpn_error why = {0};

    CU_ASSERT(read_and_free(repeated(root, "<x/>", S2_XML_ELEMENTS_MAX - 1, end), &why) ==
              S2SVPN_E_MALFORMED);
    CU_ASSERT(read_and_free(repeated(root, "<x/>", S2_XML_ELEMENTS_MAX, end), &why) ==
              S2SVPN_E_LIMIT);
}

static void a_value_is_as_long_as_allowed_and_no_longer(void)
{
    char *text = load("bgp"), *at = strstr(text, KEY_OF_BGP);
    s2svpn_device_config *c = NULL;
    s2svpn_error why = {0};

    *at = '\0';
    const char *rest = at + strlen(KEY_OF_BGP);
    char *longest = repeated(text, "k", 255, rest);
    CU_ASSERT(read_text(longest, &c, &why) == S2SVPN_OK);
    CU_ASSERT(c != NULL && strlen(c->tunnel[0].pre_shared_key) == 255);
    s2svpn_config_free(c);
    free(longest);
    CU_ASSERT(read_and_free(repeated(text, "k", 256, rest), &why) == S2SVPN_E_MALFORMED);
    CU_ASSERT(names_path(&why, "ipsec_tunnel/ike/pre_shared_key", 0));
    CU_ASSERT(read_and_free(repeated(text, "&amp;", 50000, rest), &why) == S2SVPN_E_MALFORMED);
    free(text);
}

extern const CU_TestInfo s2_test_refused[];
const CU_TestInfo s2_test_refused[] = {
    {"a flawed document is refused and the place named",
     a_flawed_document_is_refused_and_the_place_named},
    {"every missing element is named", every_missing_element_is_named},
    {"a missing element's line is that of what it should be in",
     a_missing_elements_line_is_that_of_what_it_should_be_in},
    {"tunnels share no inside network", tunnels_share_no_inside_network},
    {"a document without tunnels is refused", a_document_without_tunnels_is_refused},
    {"nothing is no document", nothing_is_no_document},
    {"a document that breaks off is refused", a_document_that_breaks_off_is_refused},
    {"another encoding is refused", another_encoding_is_refused},
    {"a document is as long as allowed and no longer",
     a_document_is_as_long_as_allowed_and_no_longer},
    {"elements are nested as deep as allowed and no deeper",
     elements_are_nested_as_deep_as_allowed_and_no_deeper},
    {"there are as many elements as allowed and no more",
     there_are_as_many_elements_as_allowed_and_no_more},
    {"a value is as long as allowed and no longer", a_value_is_as_long_as_allowed_and_no_longer},
    CU_TEST_INFO_NULL,
};
