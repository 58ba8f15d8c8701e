/* SPDX-License-Identifier: Apache-2.0 */
/* Headers, OPEN, NOTIFICATION, ROUTE-REFRESH: what is refused, and with which code.
 * The rows named CVE are the classes of published holes in other speakers. */
#include "bgp/message.h"

#include <stdio.h>
#include <string.h>

#include "hand.h"

#define MARKER "ffffffff ffffffff ffffffff ffffffff"

static const struct {
    const char *row, *hex;
    uint8_t subcode; /* 0: good */
    const char *data;
} headers[] = {
    {"KEEPALIVE", MARKER "0013 04", 0, ""},
    {"UPDATE of the greatest length", MARKER "1000 02", 0, ""},
    {"marker not all ones (CVE class 60)", "fffffffffffffffffffffffffffffffe 0013 04", 1, ""},
    {"marker of zeros", "00000000000000000000000000000000 0013 04", 1, ""},
    {"length 18 (CVE class 60)", MARKER "0012 04", 2, "0012"},
    {"length 0", MARKER "0000 02", 2, "0000"},
    {"length 4097 (CVE class 60)", MARKER "1001 02", 2, "1001"},
    {"length 65535", MARKER "ffff 02", 2, "ffff"},
    {"KEEPALIVE with a body (CVE class 60)", MARKER "0014 04", 2, "0014"},
    {"OPEN too short", MARKER "001c 01", 2, "001c"},
    {"UPDATE too short", MARKER "0016 02", 2, "0016"},
    {"NOTIFICATION too short", MARKER "0014 03", 2, "0014"},
    {"ROUTE-REFRESH too short", MARKER "0016 05", 2, "0016"},
    {"ROUTE-REFRESH too long", MARKER "0018 05", 2, "0018"},
    {"type 0 (CVE class 60)", MARKER "0013 00", 3, "00"},
    {"type 6 (CVE class 60)", MARKER "0013 06", 3, "06"},
    {"type 255", MARKER "0013 ff", 3, "ff"},
};

static bool same_data(const struct s2_bgp_error *e, const char *hex)
{
    uint8_t bytes[S2_BGP_ERROR_DATA];
    const size_t len = hand_hex(bytes, hex);

    return e->len == len && memcmp(e->data, bytes, len) == 0;
}

static void bad_headers_are_refused_with_their_codes(void)
{
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        struct s2_bgp_error why = {.code = 0};
        uint8_t bytes[64], type;
        uint16_t len;

        CU_ASSERT_EQUAL_FATAL(hand_hex(bytes, headers[i].hex), S2_BGP_HEADER_LEN);
        const s2svpn_status rc = s2_bgp_parse_header(bytes, &type, &len, &why);
        CHECK_ROW(headers[i].row, (rc == S2SVPN_OK) == (headers[i].subcode == 0));
        CHECK_ROW(headers[i].row, why.subcode == headers[i].subcode);
        CHECK_ROW(headers[i].row, why.code == (headers[i].subcode != 0));
        CHECK_ROW(headers[i].row, rc == S2SVPN_OK || same_data(&why, headers[i].data));
    }
}

/* ---- OPEN */

/* version, AS 64512, hold 30, identifier 192.0.2.1 */
#define FIXED "04 fc00 001e c0000201"
#define OPEN(as, id, hold, family_bits, four_octets, refreshes)                                    \
    {                                                                                              \
        .asn = (as), .router_id = (id), .hold_time_s = (hold), .families = (family_bits),          \
        .four_octet_as = (four_octets), .refresh = (refreshes)                                     \
    }

static const struct {
    const char *row, *hex;
    uint8_t subcode;
    bool good;
    struct s2_bgp_open open;
} opens[] = {
    {"no parameters: IPv4, two-octet ASNs", FIXED "00", 0, true,
     OPEN(64512, 0xc0000201, 30, S2_BGP_IPV4, false, false)},
    {"capabilities in one parameter",
     FIXED "1a 02 18 0104 00010001 0104 00020001 0200 4104 0001f000 4602 0000", 0, true,
     OPEN(0x1f000, 0xc0000201, 30, S2_BGP_IPV4 | S2_BGP_IPV6, true, true)},
    {"one parameter a capability", FIXED "10 02 06 0104 00010001 02 06 4104 0000fc00", 0, true,
     OPEN(64512, 0xc0000201, 30, S2_BGP_IPV4, true, false)},
    {"families that nobody knows (CVE-2018-5381)",
     FIXED "14 02 12 0104 4004 0001 0104 00010001 0104 00ff00ff", 0, true,
     OPEN(64512, 0xc0000201, 30, S2_BGP_IPV4, false, false)},
    {"no family of ours at all", FIXED "08 02 06 0104 00190041", 0, true,
     OPEN(64512, 0xc0000201, 30, 0, false, false)},
    {"unknown capability", FIXED "06 02 04 4902 6162", 0, true,
     OPEN(64512, 0xc0000201, 30, S2_BGP_IPV4, false, false)},
    {"empty capabilities parameter", FIXED "02 02 00", 0, true,
     OPEN(64512, 0xc0000201, 30, S2_BGP_IPV4, false, false)},
    {"RFC 9072", FIXED "ff ff 000b 02 0008 0104 00010001 0200", 0, true,
     OPEN(64512, 0xc0000201, 30, S2_BGP_IPV4, false, true)},
    {"RFC 9072, its dummy length is not looked at", FIXED "03 ff 0009 02 0006 0104 00020001", 0,
     true, OPEN(64512, 0xc0000201, 30, S2_BGP_IPV6, false, false)},
    {"RFC 9072, empty", FIXED "ff ff 0000", 0, true,
     OPEN(64512, 0xc0000201, 30, S2_BGP_IPV4, false, false)},
    {"graceful restart of both families (RFC 4724)",
     FIXED "0e 02 0c 400a 8078 00010180 00020100",
     0,
     true,
     {64512, 0xc0000201, 30, S2_BGP_IPV4, false, false, true, 3, S2_BGP_IPV4, 120}},
    {"graceful restart of no family: it helps only",
     FIXED "06 02 04 4002 0000",
     0,
     true,
     {64512, 0xc0000201, 30, S2_BGP_IPV4, false, false, true, 0, 0, 0}},
    {"graceful restart of families that nobody knows",
     FIXED "0a 02 08 4006 0078 00190180",
     0,
     true,
     {64512, 0xc0000201, 30, S2_BGP_IPV4, false, false, true, 0, 0, 120}},
    {"graceful restart, twice: the last counts",
     FIXED "0e 02 0c 4006 0078 00010180 4002 0005",
     0,
     true,
     {64512, 0xc0000201, 30, S2_BGP_IPV4, false, false, true, 0, 0, 5}},
    {"graceful restart without its time", FIXED "05 02 03 4001 00", 0, false, {0}},
    {"graceful restart that ends amid a family", FIXED "08 02 06 4004 0078 0001", 0, false, {0}},
    {"version 3", "03 fc00 001e c0000201 00", 1, false, {0}},
    {"version 5", "05 fc00 001e c0000201 00", 1, false, {0}},
    {"an authentication parameter", FIXED "03 01 01 00", 4, false, {0}},
    {"unknown parameter behind a good one", FIXED "0a 02 06 0104 00010001 63 00", 4, false, {0}},
    {"ends on the length octet of extended parameters (CVE-2022-40302)",
     FIXED "ff ff",
     0,
     false,
     {0}},
    {"one octet of extended length (CVE-2022-40318)", FIXED "ff ff 00", 0, false, {0}},
    {"extended parameter of three octets, two there (CVE-2022-43681)",
     FIXED "ff ff 0002 02 00",
     0,
     false,
     {0}},
    {"extended length beyond the message", FIXED "ff ff 0100 02 0000", 0, false, {0}},
    {"bytes behind extended parameters", FIXED "ff ff 0003 02 0000 00", 0, false, {0}},
    {"ends on the length octet of parameters", FIXED "05", 0, false, {0}},
    {"parameters beyond the message", FIXED "09 02 06 0104 00010001", 0, false, {0}},
    {"bytes behind the parameters", FIXED "02 02 00 00", 0, false, {0}},
    {"parameter of one octet", FIXED "01 02", 0, false, {0}},
    {"parameter beyond its list", FIXED "02 02 01", 0, false, {0}},
    {"capability beyond its parameter (CVE-2022-37032)", FIXED "04 02 02 0104", 0, false, {0}},
    {"capability of one octet", FIXED "03 02 01 41", 0, false, {0}},
    {"four-octet AS of two octets (CVE-2022-36440)", FIXED "06 02 04 4102 fc00", 0, false, {0}},
    {"four-octet AS of none", FIXED "04 02 02 4100", 0, false, {0}},
    {"read past the capability (GHSA-gjrg-jjr3-56cm)", FIXED "06 02 04 0102 0001", 0, false, {0}},
    {"family of five octets", FIXED "09 02 07 0105 0001000100", 0, false, {0}},
    {"refresh with a value", FIXED "05 02 03 0201 00", 0, false, {0}},
};

static bool same_open(const struct s2_bgp_open *a, const struct s2_bgp_open *b)
{
    return a->asn == b->asn && a->router_id == b->router_id && a->hold_time_s == b->hold_time_s &&
           a->families == b->families && a->four_octet_as == b->four_octet_as &&
           a->refresh == b->refresh && a->graceful_restart == b->graceful_restart &&
           a->graceful == b->graceful && a->forwarding == b->forwarding &&
           a->restart_time_s == b->restart_time_s;
}

static void open_is_read_whole_or_refused(void)
{
    for (size_t i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
        struct s2_bgp_error why = {.code = 0};
        struct s2_bgp_open open;
        uint8_t bytes[256];
        const size_t len = hand_hex(bytes, opens[i].hex);
        const s2svpn_status rc = s2_bgp_parse_open((s2svpn_span){bytes, len}, &open, &why);

        CHECK_ROW(opens[i].row, (rc == S2SVPN_OK) == opens[i].good);
        CHECK_ROW(opens[i].row, why.subcode == opens[i].subcode);
        CHECK_ROW(opens[i].row, why.code == (opens[i].good ? 0 : S2_BGP_ERROR_OPEN));
        CHECK_ROW(opens[i].row, rc != S2SVPN_OK || same_open(&open, &opens[i].open));
    }
}

/* Every OPEN of the table, cut at every byte: never more than a refusal. */
static void no_beginning_of_an_open_is_read_past_its_end(void)
{
    for (size_t i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
        uint8_t bytes[256];
        const size_t len = hand_hex(bytes, opens[i].hex);

        for (size_t n = 0; n < len; n++) {
            struct s2_bgp_error why;
            struct s2_bgp_open open;

            if (s2_bgp_parse_open((s2svpn_span){bytes, n}, &open, &why) == S2SVPN_OK)
                CHECK_ROW(opens[i].row, n >= 10);
        }
    }
    CU_PASS("a sanitizer watches");
}

static void open_round_trips(void)
{
    static const struct s2_bgp_open some[] = {
        OPEN(64512, 1, 30, S2_BGP_IPV4, true, true),
        OPEN(4200000000, 0xffffffff, 0, S2_BGP_IPV4 | S2_BGP_IPV6, true, true),
        OPEN(1, 0x01020304, 65535, S2_BGP_IPV6, false, false),
        {1, 1, 30, S2_BGP_IPV6, false, false, true, S2_BGP_IPV6, S2_BGP_IPV6, 4095},
        {1, 1, 30, 3, true, true, true, 3, S2_BGP_IPV4, 120},
    };

    for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
        struct s2_bgp_error why;
        struct s2_bgp_open back;
        uint8_t bytes[128];
        struct s2_writer w;

        s2_writer_init(&w, bytes, sizeof(bytes));
        s2_bgp_write_open(&w, &some[i]);
        CU_ASSERT_EQUAL(s2_writer_finish(&w), S2SVPN_OK);
        CU_ASSERT_EQUAL(
            s2_bgp_parse_open((s2svpn_span){bytes + S2_BGP_HEADER_LEN, w.len - S2_BGP_HEADER_LEN},
                              &back, &why),
            S2SVPN_OK);
        CU_ASSERT(same_open(&back, &some[i]));
    }
}

static const struct {
    const char *row;
    struct s2_bgp_open open;
    uint32_t peer_asn;
    uint8_t subcode; /* 0: good */
} checks[] = {
    {"as expected", OPEN(64512, 1, 30, 3, true, true), 64512, 0},
    {"any AS is welcome", OPEN(4200000000, 1, 30, 3, true, true), 0, 0},
    {"another AS", OPEN(64513, 1, 30, 3, true, true), 64512, 2},
    {"our own AS (CVE class 60)", OPEN(65001, 1, 30, 3, true, true), 0, 2},
    {"AS 0 (RFC 7607)", OPEN(0, 1, 30, 3, true, true), 0, 2},
    {"AS_TRANS as an AS (RFC 6793)", OPEN(23456, 1, 30, 3, true, true), 0, 2},
    {"hold time 0", OPEN(64512, 1, 0, 3, true, true), 64512, 0},
    {"hold time 1 (CVE class 60)", OPEN(64512, 1, 1, 3, true, true), 64512, 6},
    {"hold time 2 (CVE class 60)", OPEN(64512, 1, 2, 3, true, true), 64512, 6},
    {"hold time 3", OPEN(64512, 1, 3, 3, true, true), 64512, 0},
    {"router id 0 (CVE class 60)", OPEN(64512, 0, 30, 3, true, true), 64512, 3},
    {"our own router id, another AS (RFC 6286)", OPEN(64512, 0xc0000202, 30, 3, true, true), 64512,
     0},
    {"one family in common", OPEN(64512, 1, 30, S2_BGP_IPV6, true, true), 64512, 0},
    {"no family in common", OPEN(64512, 1, 30, 0, true, true), 64512, 7},
};

static void an_open_that_does_not_fit_is_refused_with_its_code(void)
{
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        struct s2_bgp_spec spec = hand_spec();
        struct s2_bgp_error why = {.code = 0};

        spec.peer_asn = checks[i].peer_asn;
        const s2svpn_status rc = s2_bgp_check_open(&checks[i].open, &spec, &why);
        CHECK_ROW(checks[i].row, (rc == S2SVPN_OK) == (checks[i].subcode == 0));
        CHECK_ROW(checks[i].row, why.subcode == checks[i].subcode);
        if (checks[i].subcode == S2_BGP_SUB_OPEN_CAPABILITY)
            CHECK_ROW(checks[i].row, same_data(&why, "0104 00010001 0104 00020001"));
    }
}

/* ---- NOTIFICATION */

static const struct {
    const char *row, *hex, *text;
} texts[] = {
    {"a shutdown with words", "06 02 05 68656c6c6f", "hello"},
    {"a reset with words", "06 04 02 c3a4", "\xc3\xa4"},
    {"no words", "06 02 00", ""},
    {"nothing at all", "06 02", ""},
    {"another Cease has none", "06 03 02 6869", ""},
    {"another error has none", "03 02 02 6869", ""},
    {"longer than what is there (CVE-2019-16159)", "06 02 ff 6869", ""},
    {"bytes behind are nobody's", "06 02 01 68 6969", "h"},
    {"control characters", "06 02 04 1b5b0a7f", "?[??"},
    {"no UTF-8", "06 02 03 68ff69", "h?i"},
    {"a character cut in two", "06 02 02 68c3", "h?"},
    {"control characters in two bytes", "06 02 02 c29b", "??"},
};

static void the_operators_text_is_bounded_and_harmless(void)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct s2_bgp_error e;
        uint8_t bytes[64];
        char text[256];

        s2_bgp_parse_notification((s2svpn_span){bytes, hand_hex(bytes, texts[i].hex)}, &e);
        s2_bgp_error_text(&e, text);
        CHECK_ROW(texts[i].row, strcmp(text, texts[i].text) == 0);
    }
}

static void a_text_of_any_length_is_sent_as_far_as_it_may_go(void)
{
    struct s2_bgp_error e = {.code = S2_BGP_ERROR_CEASE, .subcode = S2_BGP_SUB_CEASE_SHUTDOWN};
    char in[300], out[256];

    memset(in, 'x', sizeof(in));
    in[299] = 0;
    s2_bgp_error_set_text(&e, in);
    s2_bgp_error_text(&e, out);
    CU_ASSERT_EQUAL(e.len, 256);
    CU_ASSERT_EQUAL(strlen(out), 255);
    in[254] = (char)0xc3; /* the 255th and 256th byte are one character */
    in[255] = (char)0xa4;
    s2_bgp_error_set_text(&e, in);
    s2_bgp_error_text(&e, out);
    CU_ASSERT_EQUAL(strlen(out), 254);
    e.subcode = S2_BGP_SUB_CEASE_DECONFIGURED;
    s2_bgp_error_set_text(&e, "no");
    CU_ASSERT_EQUAL(e.len, 0);
}

static void codes_have_words(void)
{
    char out[80];

    CU_ASSERT_STRING_EQUAL(s2_bgp_notification_text(4, 0, out, sizeof(out)), "Hold Timer Expired");
    CU_ASSERT_STRING_EQUAL(s2_bgp_notification_text(6, 4, out, sizeof(out)),
                           "Cease/Administrative Reset");
    CU_ASSERT_STRING_EQUAL(s2_bgp_notification_text(2, 0, out, sizeof(out)), "OPEN Message Error");
    CU_ASSERT_STRING_EQUAL(s2_bgp_notification_text(2, 99, out, sizeof(out)),
                           "OPEN Message Error/99");
    CU_ASSERT_STRING_EQUAL(s2_bgp_notification_text(77, 5, out, sizeof(out)), "code 77/5");
    for (unsigned code = 0; code < 256; code++) {
        for (unsigned subcode = 0; subcode < 256; subcode++) {
            s2_bgp_notification_text((uint8_t)code, (uint8_t)subcode, out, sizeof(out));
            CU_ASSERT_FATAL(strlen(out) < sizeof(out) - 1);
        }
    }
}

/* ---- ROUTE-REFRESH */

static const struct {
    const char *row, *hex;
    unsigned family;
} refreshes[] = {
    {"IPv4", "0001 00 01", S2_BGP_IPV4},
    {"IPv6", "0002 00 01", S2_BGP_IPV6},
    {"multicast", "0001 00 02", 0},
    {"unknown family", "0019 00 41", 0},
    {"begin of RFC 7313", "0001 01 01", 0},
    {"end of RFC 7313", "0001 02 01", 0},
    {"too short", "0001 00", 0},
    {"too long", "0001 00 01 00", 0},
};

static void a_refresh_names_a_family_of_ours_or_nothing(void)
{
    for (size_t i = 0; i < sizeof(refreshes) / sizeof(refreshes[0]); i++) {
        uint8_t bytes[16];
        const s2svpn_span body = {bytes, hand_hex(bytes, refreshes[i].hex)};

        CHECK_ROW(refreshes[i].row, s2_bgp_parse_refresh(body) == refreshes[i].family);
    }
}

const CU_TestInfo s2_test_message[] = {
    {"bad headers are refused with their codes", bad_headers_are_refused_with_their_codes},
    {"OPEN is read whole or refused", open_is_read_whole_or_refused},
    {"no beginning of an OPEN is read past its end", no_beginning_of_an_open_is_read_past_its_end},
    {"OPEN round-trips", open_round_trips},
    {"an OPEN that does not fit is refused with its code",
     an_open_that_does_not_fit_is_refused_with_its_code},
    {"the operator's text is bounded and harmless", the_operators_text_is_bounded_and_harmless},
    {"a text of any length is sent as far as it may go",
     a_text_of_any_length_is_sent_as_far_as_it_may_go},
    {"codes have words", codes_have_words},
    {"a refresh names a family of ours or nothing", a_refresh_names_a_family_of_ours_or_nothing},
    CU_TEST_INFO_NULL,
};
