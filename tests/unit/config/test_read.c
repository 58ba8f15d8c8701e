/* SPDX-License-Identifier: Apache-2.0 */
/* Documents that are read: AWS's form, and what XML allows to say in other ways. The
 * vectors are our own texts in AWS's form, with invented keys and addresses of RFC
 * 5737. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "fake_env.h"
#include "harness.h"
#include "s2svpn/crypto.h"
#include "support.h"

static bool is(const s2svpn_address *a, const char *text)
{
    char out[S2SVPN_ADDRESS_TEXT];

    return strcmp(s2svpn_address_print(a, out), text) == 0;
}

static s2svpn_device_config *read_vector(const char *name)
{
    s2svpn_device_config *c = NULL;
    s2svpn_error why = {0};
    char *text = load(name);

    CHECK_ROW(name, read_text(text, &c, &why) == S2SVPN_OK);
    CU_ASSERT_FATAL(c != NULL);
    free(text);
    return c;
}

static void a_document_with_bgp_is_read_field_by_field(void)
{
    s2svpn_device_config *c = read_vector("bgp");
    const s2svpn_config_tunnel *t = &c->tunnel[1];

    CU_ASSERT(c->size == sizeof(*c));
    CU_ASSERT_STRING_EQUAL(c->connection.text, "vpn-0a1b2c3d4e5f60718");
    CU_ASSERT_STRING_EQUAL(c->customer_gateway.text, "cgw-0123456789abcdef0");
    CU_ASSERT_STRING_EQUAL(c->virtual_gateway.text, "vgw-0fedcba9876543210");
    CU_ASSERT(!c->static_routes && c->tunnel_count == 2);
    CU_ASSERT(is(&t->customer.outside, "203.0.113.7"));
    CU_ASSERT(is(&t->customer.inside, "169.254.160.14"));
    CU_ASSERT(is(&t->gateway.outside, "198.51.100.77"));
    CU_ASSERT(is(&t->gateway.inside, "169.254.160.13"));
    CU_ASSERT(t->customer.asn == 65000 && t->customer.hold_time_s == 30);
    CU_ASSERT(t->gateway.asn == 64512 && t->gateway.hold_time_s == 30);
    CU_ASSERT(t->inside_length == 30 && t->clear_df && t->fragment_before_encryption);
    CU_ASSERT(t->ike.encr == S2SVPN_ENCR_AES_CBC && t->ike.key_bits == 128);
    CU_ASSERT(t->ike.integ == S2SVPN_INTEG_HMAC_SHA1_96 && t->ike.ke == 2);
    CU_ASSERT(t->ike.lifetime_s == 28800);
    CU_ASSERT(t->ipsec.encr == S2SVPN_ENCR_AES_CBC && t->ipsec.key_bits == 128);
    CU_ASSERT(t->ipsec.integ == S2SVPN_INTEG_HMAC_SHA1_96 && t->ipsec.ke == 2);
    CU_ASSERT(t->ipsec.lifetime_s == 3600);
    CU_ASSERT_STRING_EQUAL(t->pre_shared_key, "hG5_uLw8yB.invented.Rc62fK1vNq94");
    CU_ASSERT_STRING_EQUAL(c->tunnel[0].pre_shared_key, KEY_OF_BGP);
    CU_ASSERT(t->tcp_mss == 1379 && t->dpd_interval_s == 10 && t->dpd_retries == 3);
    CU_ASSERT(is(&c->tunnel[0].gateway.outside, "198.51.100.10"));
    s2svpn_config_free(c);
}

static void a_document_without_bgp_has_no_numbers_of_it(void)
{
    s2svpn_device_config *c = read_vector("static");

    CU_ASSERT(c->static_routes && c->tunnel_count == 2);
    CU_ASSERT(c->tunnel[0].customer.asn == 0 && c->tunnel[0].gateway.asn == 0);
    CU_ASSERT(c->tunnel[1].gateway.hold_time_s == 0);
    CU_ASSERT(c->tunnel[1].ike.integ == S2SVPN_INTEG_HMAC_SHA2_256_128);
    CU_ASSERT(c->tunnel[1].ipsec.ke == 14);
    s2svpn_config_free(c);
}

static void a_transit_gateways_document_names_no_virtual_gateway(void)
{
    s2svpn_device_config *c = read_vector("tgw");

    CU_ASSERT_STRING_EQUAL(c->virtual_gateway.text, "");
    CU_ASSERT(c->tunnel[0].customer.asn == 4200000001);
    CU_ASSERT(c->tunnel[0].ike.encr == S2SVPN_ENCR_AES_GCM_16 && c->tunnel[0].ike.key_bits == 256);
    CU_ASSERT(c->tunnel[0].ike.integ == S2SVPN_INTEG_HMAC_SHA2_384_192); /* its PRF's hash */
    CU_ASSERT(c->tunnel[0].ipsec.integ == S2SVPN_INTEG_NONE);
    s2svpn_config_free(c);
}

/* ---- the same content, said otherwise */

static const struct {
    const char *row;
    const char *from, *to;
} same[] = {
    {"an unknown element", "<ike>", "<ikev2><mode>x</mode><lifetime>1</lifetime></ikev2><ike>"},
    {"an unknown element with ours inside", "<vpn_gateway_id>",
     "<x><vpn_connection id='y'><customer_gateway_id>z</customer_gateway_id></vpn_connection>"
     "text<ipsec_tunnel/></x><vpn_gateway_id>"},
    {"our name at another place", "<ike>", "<lifetime>1</lifetime><pre_shared_key/><ike>"},
    {"a name too long to be any of ours", "<ike>",
     "<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa><ike/><b>c</b>"
     "</"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa><ike>"},
    {"blanks around a value", "<lifetime>28800</lifetime>", "<lifetime>\n\t 28800 \r\n</lifetime>"},
    {"a comment in a value", "<lifetime>28800", "<lifetime>288<!-- 99 -->00"},
    {"a comment before the root", "<vpn_connection ", "<!-- <ike/> -->\n<vpn_connection "},
    {"a CDATA section", "<lifetime>28800", "<lifetime><![CDATA[28800]]>"},
    {"a processing instruction", "<ike>", "<?ike lifetime?><ike>"},
    {"a character reference", "<mode>main", "<mode>m&#97;&#x69;n"},
    {"an attribute", "<ike>", "<ike id=\"7\" lifetime='8'>"},
    {"more attributes of the root", "<vpn_connection ", "<vpn_connection a='b' idx='c' "},
    {"a namespace", "<vpn_connection ", "<vpn_connection xmlns='urn:x' "},
    {"a prefix", "<lifetime>28800</lifetime>", "<p:lifetime>28800</p:lifetime>"},
    {"an encoding that isn't its own", "UTF-8", "ISO-8859-1"},
    {"no declaration", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>", ""},
    {"blanks before the declaration", "<?xml ", " \n\n<?xml "},
    {"a byte order mark", "<?xml ", "\xef\xbb\xbf<?xml "},
    {"a number with zeros before it", "<asn>65000", "<asn>0065000"},
    {"another word of a cipher", "aes-128-cbc", "AES128"},
    {"another word of a group", "group2", "2"},
    {"another word of a MAC", "hmac-sha1-96", "sha1"},
    {"no white space at all between elements", "\n    <ike>\n", "<ike>"},
    {"no vpn_connection_type", "<vpn_connection_type>ipsec.1</vpn_connection_type>", ""},
    {"empty attributes", "<vpn_connection_type>",
     "<vpn_connection_attributes/><vpn_connection_type>"},
    {"text behind the root", "</vpn_connection>\n", "</vpn_connection>\n\n<!-- end -->\n"},
};

static void the_same_said_otherwise_is_read_the_same(void)
{
    s2svpn_device_config *want = read_vector("bgp");
    char *text = load("bgp");

    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        char *other = replaced(text, same[i].from, same[i].to, 0);
        s2svpn_device_config *c = NULL;
        s2svpn_error why = {0};

        CHECK_ROW(same[i].row, other != NULL && read_text(other, &c, &why) == S2SVPN_OK);
        CHECK_ROW(same[i].row, c != NULL && memcmp(c, want, sizeof(*c)) == 0);
        s2svpn_config_free(c);
        free(other);
    }
    s2svpn_config_free(want);
    free(text);
}

/* Each element of the table moved to the end of the element around it. */
static void the_order_of_elements_means_nothing(void)
{
    s2svpn_device_config *want = read_vector("bgp");
    char *text = load("bgp");

    for (const struct s2_config_element *e = s2_config_elements; e->path != NULL; e++) {
        char *cut = NULL, *rest = without(text, e->path, 0, &cut), *moved = NULL, end[128];
        s2svpn_device_config *c = NULL;

        if (rest == NULL || strcmp(e->path, S2_CONFIG_TUNNEL) == 0)
            goto next; /* not in this document; or the order is that of the tunnels */
        const char *slash = strrchr(e->path, '/');
        const size_t len = slash != NULL ? (size_t)(slash - e->path) : 0;
        size_t name = len;
        while (name > 0 && e->path[name - 1] != '/')
            name--;
        snprintf(end, sizeof(end), "</%.*s>", (int)(len - name), e->path + name);
        if (slash == NULL)
            snprintf(end, sizeof(end), "</%s>", S2_CONFIG_ROOT);
        char *with = joined(cut, end, "");
        /* The customer gateway has elements of the same names before. */
        const char *second = strstr(e->path, "/vpn_gateway/");
        const bool deeper = second != NULL && strchr(second + strlen("/vpn_gateway/"), '/');
        moved = replaced(rest, end, with, deeper);
        free(with);
        CHECK_ROW(e->path, moved != NULL && read_text(moved, &c, NULL) == S2SVPN_OK);
        CHECK_ROW(e->path, c != NULL && memcmp(c, want, sizeof(*c)) == 0);
    next:
        s2svpn_config_free(c);
        free(moved);
        free(rest);
        free(cut);
    }
    s2svpn_config_free(want);
    free(text);
}

static void attributes_behind_the_tunnels_count(void)
{
    char *text = load("bgp");
    char *other =
        replaced(text, "</vpn_connection>",
                 "<vpn_connection_attributes>A,NoBGPVPNConnection</vpn_connection_attributes>"
                 "</vpn_connection>",
                 0);
    s2svpn_device_config *c = NULL;

    CU_ASSERT(read_text(other, &c, NULL) == S2SVPN_OK);
    CU_ASSERT_FATAL(c != NULL);
    CU_ASSERT(c->static_routes && c->tunnel[1].customer.asn == 0);
    s2svpn_config_free(c);
    free(other);
    free(text);
}

static void one_tunnel_is_enough(void)
{
    char *text = load("bgp"), *other = without(text, "ipsec_tunnel", 0, NULL);
    s2svpn_device_config *c = NULL;

    CU_ASSERT(read_text(other, &c, NULL) == S2SVPN_OK);
    CU_ASSERT_FATAL(c != NULL);
    CU_ASSERT(c->tunnel_count == 1 && is(&c->tunnel[0].gateway.outside, "198.51.100.77"));
    s2svpn_config_free(c);
    free(other);
    free(text);
}

static void addresses_of_ipv6_are_read_outside(void)
{
    char *text = load("bgp"), *one = without(text, "ipsec_tunnel", 1, NULL);
    char *two = replaced(one, "203.0.113.7", "2001:db8::7", 0);
    char *three = replaced(two, "198.51.100.10", "2001:db8:1::10", 0);
    s2svpn_device_config *c = NULL;

    CU_ASSERT(read_text(three, &c, NULL) == S2SVPN_OK);
    CU_ASSERT(c != NULL && is(&c->tunnel[0].gateway.outside, "2001:db8:1::10"));
    s2svpn_config_free(c);
    free(three);
    free(two);
    free(one);
    free(text);
}

static void a_key_may_have_odd_characters(void)
{
    char *text = load("bgp");
    char *other = replaced(text, KEY_OF_BGP, "a &lt;b&gt; &amp;amp; &quot;'&#x7e;]]&gt;%s", 0);
    s2svpn_device_config *c = NULL;

    CU_ASSERT(read_text(other, &c, NULL) == S2SVPN_OK);
    CU_ASSERT_FATAL(c != NULL);
    CU_ASSERT_STRING_EQUAL(c->tunnel[0].pre_shared_key, "a <b> &amp; \"'~]]>%s");
    s2svpn_config_free(c);
    free(other);
    free(text);
}

/* Where certificates take the key's place: neither it nor the device's address need be there,
 * and both go back into a document as they were. */
static void a_document_may_have_neither_key_nor_address(void)
{
    static const char key[] = "ipsec_tunnel/ike/pre_shared_key";
    static const char address[] = "ipsec_tunnel/customer_gateway/tunnel_outside_address/ip_address";
    char *text = load("bgp");
    char *a = without(text, key, 1, NULL), *b = without(a, key, 0, NULL);
    char *d = without(b, address, 1, NULL), *e = without(d, address, 0, NULL);
    char *empty =
        replaced(e, "<lifetime>28800</lifetime>", "<lifetime>28800</lifetime><pre_shared_key/>", 0);
    const char *const forms[] = {b, e, empty};

    for (size_t i = 0; i < 3; i++) {
        s2svpn_device_config *c = NULL, *again = NULL;
        s2svpn_text xml = {0};

        CU_ASSERT(read_text(forms[i], &c, NULL) == S2SVPN_OK);
        CU_ASSERT_FATAL(c != NULL);
        CU_ASSERT(c->tunnel[0].pre_shared_key[0] == 0 && c->tunnel[1].pre_shared_key[0] == 0);
        CU_ASSERT(c->tunnel[1].customer.outside.family ==
                  (i == 0 ? S2SVPN_FAMILY_IPV4 : S2SVPN_FAMILY_NONE));
        CU_ASSERT_FATAL(s2svpn_config_write(c, &xml, NULL) == S2SVPN_OK);
        CU_ASSERT(strstr(xml.data, "pre_shared_key") == NULL);
        CU_ASSERT(strstr(xml.data, "<ip_address/>") == NULL);
        CU_ASSERT(s2svpn_config_read(xml.data, xml.len, &again, NULL) == S2SVPN_OK);
        CU_ASSERT(again != NULL && memcmp(c, again, sizeof(*c)) == 0);
        s2svpn_config_free(again);
        s2svpn_text_free(&xml);
        s2svpn_config_free(c);
    }
    free(empty);
    free(e);
    free(d);
    free(b);
    free(a);
    free(text);
}

static void the_text_needs_no_zero_byte(void)
{
    char *text = load("bgp");
    const size_t len = strlen(text);
    char *exact = malloc(len);
    s2svpn_device_config *c = NULL;

    CU_ASSERT_FATAL(exact != NULL);
    memcpy(exact, text, len);
    CU_ASSERT(s2svpn_config_read(exact, len, &c, NULL) == S2SVPN_OK);
    s2svpn_config_free(c);
    s2svpn_config_free(NULL);
    free(exact);
    free(text);
}

/* ---- memory: expat's functions have no user pointer, so ours leads to the fake. */

static struct s2_fake_env *counting;

static void *count_allocate(size_t len)
{
    size_t *p = counting->memory.allocate(counting, len + 16);

    if (p == NULL)
        return NULL;
    *p = len;
    return (char *)p + 16;
}

static void count_release(void *p)
{
    counting->memory.release(counting, p != NULL ? (char *)p - 16 : NULL);
}

static void *count_resize(void *p, size_t len)
{
    char *fresh = count_allocate(len);

    if (p == NULL || fresh == NULL)
        return fresh;
    const size_t had = *(size_t *)(void *)((char *)p - 16);
    memcpy(fresh, p, had < len ? had : len);
    count_release(p);
    return fresh;
}

static bool read_step(struct s2_fake_env *f, void *arg)
{
    const struct s2_config_memory memory = {count_allocate, count_resize, count_release};
    s2svpn_device_config *c = (s2svpn_device_config *)arg; /* anything but NULL */
    s2svpn_error why = {0};

    counting = f;
    const s2svpn_status rc = s2_config_read_with(&memory, arg, strlen(arg), &c, &why);
    if (rc == S2SVPN_OK) {
        count_release(c);
        return true;
    }
    CU_ASSERT(rc == S2SVPN_E_MEMORY && why.code == rc && c == NULL);
    return false;
}

static void every_allocation_may_fail(void)
{
    char *text = load("bgp");

    s2_fail_every_allocation(read_step, text);
    free(text);
}

extern const CU_TestInfo s2_test_read[];
const CU_TestInfo s2_test_read[] = {
    {"a document with BGP is read field by field", a_document_with_bgp_is_read_field_by_field},
    {"a document without BGP has no numbers of it", a_document_without_bgp_has_no_numbers_of_it},
    {"a transit gateway's document names no virtual gateway",
     a_transit_gateways_document_names_no_virtual_gateway},
    {"the same said otherwise is read the same", the_same_said_otherwise_is_read_the_same},
    {"the order of elements means nothing", the_order_of_elements_means_nothing},
    {"attributes behind the tunnels count", attributes_behind_the_tunnels_count},
    {"one tunnel is enough", one_tunnel_is_enough},
    {"addresses of IPv6 are read outside", addresses_of_ipv6_are_read_outside},
    {"a key may have odd characters", a_key_may_have_odd_characters},
    {"a document may have neither key nor address", a_document_may_have_neither_key_nor_address},
    {"the text needs no zero byte", the_text_needs_no_zero_byte},
    {"every allocation may fail", every_allocation_may_fail},
    CU_TEST_INFO_NULL,
};
