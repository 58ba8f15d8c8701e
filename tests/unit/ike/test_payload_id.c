/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/ike/payload_id.c. */
#include "ike/message.h"

#include <string.h>

#include "base/text.h"
#include "harness.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WIRE(text) (const uint8_t *)(text), sizeof(text) - 1

static struct s2_ike_id id_of(uint8_t type, const char *data, size_t len)
{
    struct s2_ike_id id = {.type = type, .len = (uint16_t)len};

    memcpy(id.data, data, len);
    return id;
}

static const struct {
    const char *row;
    const uint8_t *wire;
    size_t len;
    const char *field;
} bad[] = {
    {"empty", WIRE(""), "id.type"},
    {"type 0", WIRE("\0\0\0\0name"), "id.type"},
    {"no reserved bytes", WIRE("\2\0\0"), "id.reserved"},
    {"IPv4 of 3 bytes", WIRE("\1\0\0\0\1\2\3"), "id.data"},
    {"IPv4 of 16 bytes",
     WIRE("\1\0\0\0"
          "0123456789abcdef"),
     "id.data"},
    {"IPv6 of 4 bytes", WIRE("\5\0\0\0\1\2\3\4"), "id.data"},
    {"IPv6 without data", WIRE("\5\0\0\0"), "id.data"},
};

static void malformed_id_is_refused_and_named(void)
{
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct s2_ike_id id = {.len = 77};
        struct s2_reader r;

        s2_reader_init(&r, bad[i].wire, bad[i].len);
        CHECK_ROW(bad[i].row, s2_ike_parse_id(&r, &id) == S2SVPN_E_MALFORMED);
        CHECK_ROW(bad[i].row, r.field != NULL && strcmp(r.field, bad[i].field) == 0);
        CHECK_ROW(bad[i].row, id.len == 77);
    }
}

static void an_id_that_does_not_fit_is_refused(void)
{
    uint8_t wire[4 + S2_IKE_ID_MAX + 1] = {S2_IKE_ID_KEY_ID};
    struct s2_ike_id id = {0};
    struct s2_reader r;

    s2_reader_init(&r, wire, sizeof(wire));
    CU_ASSERT_EQUAL(s2_ike_parse_id(&r, &id), S2SVPN_E_LIMIT);
    CU_ASSERT_STRING_EQUAL(r.field, "id.data");
    CU_ASSERT_EQUAL(id.type, S2_IKE_ID_NONE);
    s2_reader_init(&r, wire, sizeof(wire) - 1);
    CU_ASSERT_EQUAL(s2_ike_parse_id(&r, &id), S2SVPN_OK);
    CU_ASSERT_EQUAL(id.len, S2_IKE_ID_MAX);
}

static void ids_go_around(void)
{
    const struct s2_ike_id ids[] = {
        id_of(S2_IKE_ID_IPV4_ADDR, "\xc0\0\2\1", 4),
        id_of(S2_IKE_ID_FQDN, "vpn.example", 11),
        id_of(S2_IKE_ID_IPV6_ADDR, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16),
        id_of(S2_IKE_ID_KEY_ID, "", 0),
        id_of(200, "\0\1", 2), /* a type that nobody has assigned */
    };

    for (size_t i = 0; i < COUNT(ids); i++) {
        uint8_t wire[4 + S2_IKE_ID_MAX];
        struct s2_ike_id got;
        struct s2_reader r;
        struct s2_writer w;

        s2_writer_init(&w, wire, sizeof(wire));
        s2_ike_write_id(&w, &ids[i]);
        CU_ASSERT_EQUAL(w.len, 4 + (size_t)ids[i].len);
        s2_reader_init(&r, wire, w.len);
        CU_ASSERT_EQUAL(s2_ike_parse_id(&r, &got), S2SVPN_OK);
        CU_ASSERT_TRUE(s2_ike_id_equal(&got, &ids[i]));
        CU_ASSERT_EQUAL(memcmp(got.data, ids[i].data, sizeof(got.data)), 0);
    }
}

static void ids_print_for_logs(void)
{
    const struct {
        struct s2_ike_id id;
        const char *text;
    } rows[] = {
        {id_of(S2_IKE_ID_NONE, "", 0), "-"},
        {id_of(S2_IKE_ID_IPV4_ADDR, "\xc0\0\2\1", 4), "192.0.2.1"},
        {id_of(S2_IKE_ID_IPV6_ADDR, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16), "2001:db8::1"},
        {id_of(S2_IKE_ID_FQDN, "vpn.example", 11), "vpn.example"},
        {id_of(S2_IKE_ID_RFC822_ADDR, "a@vpn.example", 13), "a@vpn.example"},
        {id_of(S2_IKE_ID_KEY_ID, "key", 3), "key"},
        {id_of(S2_IKE_ID_KEY_ID, "\0\1\2", 3), "000102"},
        {id_of(S2_IKE_ID_DER_ASN1_GN, "gn", 2), "676e"},
        {id_of(S2_IKE_ID_DER_ASN1_DN, "no DER", 6), "6e6f20444552"},
        {id_of(200, "any", 3), "616e79"},             /* a type that nobody has assigned */
        {id_of(S2_IKE_ID_FQDN, "a\nb", 3), "610a62"}, /* no line breaks in logs */
        {id_of(S2_IKE_ID_FQDN, "a\0b", 3), "610062"},
        {id_of(S2_IKE_ID_FQDN, "\x1b[0m", 4), "1b5b306d"}, /* nor escapes */
        {id_of(S2_IKE_ID_FQDN, "", 0), ""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[80];
        CU_ASSERT_STRING_EQUAL(s2_ike_id_print(&rows[i].id, text, sizeof(text)), rows[i].text);
    }
}

static void long_ids_are_cut(void)
{
    struct s2_ike_id id = {.type = S2_IKE_ID_FQDN, .len = S2_IKE_ID_MAX};
    char text[80];

    memset(id.data, 'a', sizeof(id.data));
    CU_ASSERT_EQUAL(strlen(s2_ike_id_print(&id, text, sizeof(text))), 79);
    id.type = S2_IKE_ID_KEY_ID;
    CU_ASSERT_EQUAL(strlen(s2_ike_id_print(&id, text, sizeof(text))), 79);
}

/* CVE-2013-6075: lengths count before bytes do. */
static void ids_are_equal_by_type_length_and_bytes(void)
{
    const struct s2_ike_id a = id_of(S2_IKE_ID_FQDN, "vpn.example", 11);
    const struct {
        const char *row;
        struct s2_ike_id id;
        bool equal;
    } rows[] = {
        {"itself", id_of(S2_IKE_ID_FQDN, "vpn.example", 11), true},
        {"other case of a name", id_of(S2_IKE_ID_FQDN, "VPN.Example", 11), true},
        {"other type", id_of(S2_IKE_ID_KEY_ID, "vpn.example", 11), false},
        {"longer", id_of(S2_IKE_ID_FQDN, "vpn.example.", 12), false},
        {"shorter", id_of(S2_IKE_ID_FQDN, "vpn.exampl", 10), false},
        {"other byte", id_of(S2_IKE_ID_FQDN, "vpn.exampla", 11), false},
        {"not a letter, 32 apart",
         id_of(S2_IKE_ID_FQDN,
               "vpn\x0e"
               "example",
               11),
         false},
    };
    const struct s2_ike_id key = id_of(S2_IKE_ID_KEY_ID, "key", 3),
                           other = id_of(S2_IKE_ID_KEY_ID, "KEY", 3);

    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(rows[i].row, s2_ike_id_equal(&a, &rows[i].id) == rows[i].equal);
    CU_ASSERT_FALSE(s2_ike_id_equal(&key, &other));
}

/* CN=vpn.example, O=Example Ltd in DER, of 47 bytes. */
#define DN_TAIL                                                                                    \
    "\x31\x14\x30\x12\x06\x03\x55\x04\x03\x0c\x0bvpn.example"                                      \
    "\x31\x14\x30\x12\x06\x03\x55\x04\x0a\x0c\x0b"                                                 \
    "Example Ltd"
#define DN "\x30\x2c" DN_TAIL

static void distinguished_names_print_as_text(void)
{
    static const struct {
        const char *row;
        const uint8_t *der;
        size_t len;
        const char *text; /* NULL: can't be printed */
    } rows[] = {
        {"two attributes", WIRE(DN), "CN=vpn.example, O=Example Ltd"},
        {"a set of two",
         WIRE("\x30\x18\x31\x16\x30\x09\x06\x03\x55\x04\x06\x13\x02"
              "DE\x30\x09\x06\x03\x55\x04\x0b\x13\x02"
              "it"),
         "C=DE+OU=it"},
        {"empty", WIRE(""), NULL},
        {"no attribute", WIRE("\x30\x00"), NULL},
        {"an empty set", WIRE("\x30\x02\x31\x00"), NULL},
        {"not a sequence", WIRE("\x31\x2c" DN_TAIL), NULL},
        {"a longer length than it needs", WIRE("\x30\x81\x2c" DN_TAIL), NULL},
        {"two bytes of length for none", WIRE("\x30\x82\x00\x2c" DN_TAIL), NULL},
        {"a length without end", WIRE("\x30\x80" DN_TAIL "\x00\x00"), NULL},
        {"a length of eight bytes", WIRE("\x30\x88\xff\xff\xff\xff\xff\xff\xff\xff" DN_TAIL), NULL},
        {"something behind it", WIRE(DN "\x00"), NULL},
        {"an attribute that has no name",
         WIRE("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x63\x13\x02"
              "ab"),
         NULL},
        {"a line break",
         WIRE("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x13\x02"
              "a\n"),
         NULL},
        {"a value that plays two attributes",
         WIRE("\x30\x11\x31\x0f\x30\x0d\x06\x03\x55\x04\x03\x13\x06"
              "a, O=b"),
         NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[80];

        CHECK_ROW(rows[i].row, s2_ike_dn_print(s2_span(rows[i].der, rows[i].len), text,
                                               sizeof(text)) == (rows[i].text != NULL));
        CHECK_ROW(rows[i].row, rows[i].text == NULL || strcmp(text, rows[i].text) == 0);
    }
}

/* CVE-2013-6075: a name that ends early, at every byte; and in every size of text. */
static void a_cut_distinguished_name_prints_as_bytes(void)
{
    struct s2_ike_id id = id_of(S2_IKE_ID_DER_ASN1_DN, DN, sizeof(DN) - 1);
    char text[80], hex[2 * S2_IKE_ID_MAX + 1];

    CU_ASSERT_STRING_EQUAL(s2_ike_id_print(&id, text, sizeof(text)),
                           "CN=vpn.example, O=Example Ltd");
    for (; id.len > 0; id.len--) {
        CU_ASSERT_STRING_EQUAL(s2_ike_id_print(&id, text, 20),
                               id.len == sizeof(DN) - 1
                                   ? "CN=vpn.example, O=E"
                                   : (s2_print_hex(hex, id.data, id.len)[19] = 0, hex));
        if (id.len < 10)
            break; /* shorter than the text */
    }
}

static void an_address_is_an_id(void)
{
    const s2svpn_address v4 = {.family = S2SVPN_FAMILY_IPV4, .bytes = {192, 0, 2, 1}};
    const s2svpn_address v6 = {.family = S2SVPN_FAMILY_IPV6,
                               .bytes = {0x20, 1, 0x0d, 0xb8, [15] = 1}};
    const s2svpn_address none = {0};
    const struct s2_ike_id id4 = s2_ike_id_of(&v4), id6 = s2_ike_id_of(&v6),
                           no = s2_ike_id_of(&none);
    const struct s2_ike_id good4 = id_of(S2_IKE_ID_IPV4_ADDR, "\xc0\0\2\1", 4);
    const struct s2_ike_id good6 =
        id_of(S2_IKE_ID_IPV6_ADDR, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);

    CU_ASSERT_TRUE(s2_ike_id_equal(&id4, &good4));
    CU_ASSERT_TRUE(s2_ike_id_equal(&id6, &good6));
    CU_ASSERT_EQUAL(no.type, S2_IKE_ID_NONE);
    CU_ASSERT_EQUAL(no.len, 0);
}

const CU_TestInfo s2_test_payload_id[] = {
    {"malformed id is refused and named", malformed_id_is_refused_and_named},
    {"an id that does not fit is refused", an_id_that_does_not_fit_is_refused},
    {"ids go around", ids_go_around},
    {"ids print for logs", ids_print_for_logs},
    {"long ids are cut", long_ids_are_cut},
    {"ids are equal by type, length and bytes", ids_are_equal_by_type_length_and_bytes},
    {"distinguished names print as text", distinguished_names_print_as_text},
    {"a cut distinguished name prints as bytes (CVE-2013-6075)",
     a_cut_distinguished_name_prints_as_bytes},
    {"an address is an id", an_address_is_an_id},
    CU_TEST_INFO_NULL,
};
