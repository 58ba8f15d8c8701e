/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of IPv6 unicast over IPv6, as in a tunnel with IPv6 inside: which families are
 * agreed on, next hops each way. RFC 4760, RFC 2545, RFC 5492. */
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "hand.h"

#define TEN "100a00"      /* 10.0.0.0/16 */
#define DOC6 "2020010db8" /* 2001:db8::/32 */
#define GOOD "40010100 40020602010000fc00"
#define PEER "fd000000000000000000000000000001"
#define US "fd000000000000000000000000000002"
#define LINK "fe800000000000000000000000000001"

static struct hand h;

static struct s2_bgp_spec ipv6_spec(void)
{
    struct s2_bgp_spec spec = hand_spec();

    CU_ASSERT(s2svpn_address_read("fd00::2", &spec.local_address));
    CU_ASSERT(s2svpn_address_read("fd00::1", &spec.peer_address));
    spec.ipv4 = false;
    return spec;
}

static void establish(uint8_t families)
{
    struct s2_bgp_open open = hand_open_message();
    const struct s2_bgp_spec spec = ipv6_spec();

    open.families = families;
    hand_open(&h, &spec);
    hand_establish(&h, &open);
}

static struct s2_bgp_info info(void)
{
    struct s2_bgp_info out;

    s2_bgp_get_info(h.peer, &out);
    return out;
}

/* MP_REACH_NLRI of IPv6 unicast with these next hops, and the other attributes. */
static const char *reach(const char *next_hops, const char *prefixes)
{
    static char out[256];
    const size_t hops = strlen(next_hops) / 2, bytes = strlen(prefixes) / 2;

    snprintf(out, sizeof(out), "800e%02x 000201 %02x%s 00 %s " GOOD, (unsigned)(5 + hops + bytes),
             (unsigned)hops, next_hops, prefixes);
    return out;
}

/* ---- families */

static void the_open_offers_ipv6_unicast_alone(void)
{
    const struct s2_bgp_spec spec = ipv6_spec();
    struct s2_bgp_open open;
    struct s2_bgp_error why;
    s2svpn_span body;

    hand_open(&h, &spec);
    s2_bgp_start(h.peer, h.now_ns);
    h.stream[HAND_OURS].up = true;
    CU_ASSERT(s2_bgp_stream_up(h.peer, &h.stream[HAND_OURS], true, h.now_ns));
    CU_ASSERT_EQUAL(hand_next(&h, HAND_OURS, &body), S2_BGP_TYPE_OPEN);
    CU_ASSERT_EQUAL(s2_bgp_parse_open(body, &open, &why), S2SVPN_OK);
    CU_ASSERT_EQUAL(open.families, S2_BGP_IPV6);
    hand_close(&h);
}

static void a_peer_that_offers_both_is_accepted_with_ipv6(void)
{
    establish(S2_BGP_IPV4 | S2_BGP_IPV6);
    CU_ASSERT_EQUAL(hand_state(&h), S2_BGP_ESTABLISHED);
    hand_send_update(&h, "", reach(PEER, DOC6), "");
    CU_ASSERT(hand_has(&h, "2001:db8::/32"));
    /* IPv4 wasn't agreed on: passed over, and the session goes on (RFC 4760 section 7) */
    hand_send_update(&h, "", GOOD "400304c0000201", TEN);
    CU_ASSERT(!hand_has(&h, "10.0.0.0/16"));
    hand_send_update(&h, TEN, "", "");
    CU_ASSERT_EQUAL(hand_state(&h), S2_BGP_ESTABLISHED);
    CU_ASSERT_EQUAL(info().prefixes_in, 1);
    hand_close(&h);
}

static void a_peer_without_ipv6_is_refused_with_its_code(void)
{
    const struct s2_bgp_spec spec = ipv6_spec();
    struct s2_bgp_open open = hand_open_message();

    open.families = S2_BGP_IPV4;
    hand_open(&h, &spec);
    s2_bgp_start(h.peer, h.now_ns);
    h.stream[HAND_OURS].up = true;
    CU_ASSERT(s2_bgp_stream_up(h.peer, &h.stream[HAND_OURS], true, h.now_ns));
    hand_send_open(&h, HAND_OURS, &open);
    CU_ASSERT(hand_was_told(&h, HAND_OURS, S2_BGP_ERROR_OPEN, S2_BGP_SUB_OPEN_CAPABILITY));
    hand_close(&h);
}

/* A speaker for both, over IPv6: each family's routes come, IPv4's need an IPv4 next hop
 * and have none here. */
static void both_families_share_a_session(void)
{
    struct s2_bgp_spec spec = hand_spec();
    struct s2_bgp_open open = hand_open_message();

    hand_open(&h, &spec); /* over IPv4: IPv6's next hop is the mapped one */
    hand_establish(&h, &open);
    hand_send_update(&h, "", reach("00000000000000000000ffffc0000201", DOC6), "");
    hand_send_update(&h, "", GOOD "400304c0000201", TEN);
    CU_ASSERT(hand_has(&h, "2001:db8::/32") && hand_has(&h, "10.0.0.0/16"));
    hand_close(&h);
}

/* ---- next hops of theirs */

enum fate { TAKEN, DENIED, RESET };
static const struct {
    const char *row, *next_hops;
    enum fate fate;
} hops[] = {
    {"the global address", PEER, TAKEN},
    {"and a link-local one behind it", PEER LINK, TAKEN},
    {"and nothing in its place", PEER "00000000000000000000000000000000", TAKEN},
    {"a link-local one alone", LINK, DENIED},
    {"a link-local one twice", LINK LINK, DENIED},
    {"another global address", "fd000000000000000000000000000003", DENIED},
    {"ours", US, DENIED},
    {"nobody's", "00000000000000000000000000000000", DENIED},
    {"an IPv4 address", "c0000201", RESET},
    {"none", "", RESET},
    {"one and a half", PEER "fe80000000000000", RESET},
    {"three", PEER LINK LINK, RESET},
};

static void next_hops_decide_what_becomes_of_a_route(void)
{
    for (size_t i = 0; i < sizeof(hops) / sizeof(hops[0]); i++) {
        establish(S2_BGP_IPV6);
        hand_send_update(&h, "", reach(hops[i].next_hops, DOC6), "");
        CHECK_ROW(hops[i].row, hand_has(&h, "2001:db8::/32") == (hops[i].fate == TAKEN));
        CHECK_ROW(hops[i].row, (hand_state(&h) == S2_BGP_ESTABLISHED) == (hops[i].fate != RESET));
        if (hops[i].fate == TAKEN) {
            CHECK_ROW(hops[i].row,
                      s2_address_equal(&h.attributes.next_hop, &h.peer->spec.peer_address));
            hand_send_update(&h, "", "800f08 000201" DOC6, "");
            CHECK_ROW(hops[i].row, !hand_has(&h, "2001:db8::/32"));
        }
        hand_close(&h);
    }
}

/* ---- what we tell */

/* The next UPDATE, in hexadecimal. */
static void next_update(char *out, size_t size)
{
    s2svpn_span body;
    uint8_t type;
    size_t n = 0;

    out[0] = 0;
    do {
        type = hand_next(&h, HAND_OURS, &body);
    } while (type != 0 && type != S2_BGP_TYPE_UPDATE);
    for (size_t i = 0; type != 0 && i < body.len && n + 3 < size; i++, n += 2)
        snprintf(out + n, size - n, "%02x", body.p[i]);
}

static void ours_leave_with_the_global_next_hop(void)
{
    struct s2_bgp_announcement a = {.origin = S2_BGP_IGP};
    char update[256];

    establish(S2_BGP_IPV4 | S2_BGP_IPV6);
    hand_wait(&h, S2_SECOND);
    next_update(update, sizeof(update));
    CU_ASSERT_STRING_EQUAL(update, "00000006800f03000201"); /* End-of-RIB of IPv6, no other */
    CU_ASSERT_FATAL(s2svpn_prefix_read("2001:db8::/32", &a.prefix));
    CU_ASSERT_EQUAL(s2_bgp_advertise(h.peer, &a, h.now_ns), S2SVPN_OK);
    hand_wait(&h, S2_SECOND);
    next_update(update, sizeof(update));
    CU_ASSERT_STRING_EQUAL(update, "0000002a"
                                   "800e1a00020110" US "00" DOC6 "400101004002060201"
                                   "0000fde9");
    hand_close(&h);
}

static void withdrawals_leave_in_mp_unreach(void)
{
    struct s2_bgp_announcement a = {.origin = S2_BGP_IGP};
    char update[256];

    establish(S2_BGP_IPV6);
    CU_ASSERT_FATAL(s2svpn_prefix_read("2001:db8::/32", &a.prefix));
    CU_ASSERT_EQUAL(s2_bgp_advertise(h.peer, &a, h.now_ns), S2SVPN_OK);
    hand_wait(&h, S2_SECOND);
    do
        next_update(update, sizeof(update));
    while (update[0] != 0);
    s2_bgp_withdraw(h.peer, &a.prefix, h.now_ns);
    hand_wait(&h, S2_SECOND);
    next_update(update, sizeof(update));
    CU_ASSERT_STRING_EQUAL(update, "0000000b800f08000201" DOC6);
    hand_close(&h);
}

/* An IPv4 prefix has no next hop here, and nobody hears of it. */
static void ipv4_prefixes_stay_untold(void)
{
    struct s2_bgp_announcement a = {.origin = S2_BGP_IGP};
    char update[256];

    establish(S2_BGP_IPV4 | S2_BGP_IPV6);
    hand_wait(&h, S2_SECOND);
    next_update(update, sizeof(update));
    CU_ASSERT_FATAL(s2svpn_prefix_read("10.0.0.0/16", &a.prefix));
    (void)!s2_bgp_advertise(h.peer, &a, h.now_ns);
    hand_wait(&h, S2_SECOND);
    next_update(update, sizeof(update));
    CU_ASSERT_STRING_EQUAL(update, "");
    hand_close(&h);
}

const CU_TestInfo s2_test_ipv6[] = {
    {"the OPEN offers IPv6 unicast alone", the_open_offers_ipv6_unicast_alone},
    {"a peer that offers both is accepted with IPv6",
     a_peer_that_offers_both_is_accepted_with_ipv6},
    {"a peer without IPv6 is refused with its code", a_peer_without_ipv6_is_refused_with_its_code},
    {"both families share a session", both_families_share_a_session},
    {"next hops decide what becomes of a route", next_hops_decide_what_becomes_of_a_route},
    {"ours leave with the global next hop", ours_leave_with_the_global_next_hop},
    {"withdrawals leave in MP_UNREACH_NLRI", withdrawals_leave_in_mp_unreach},
    {"IPv4 prefixes stay untold", ipv4_prefixes_stay_untold},
    CU_TEST_INFO_NULL,
};
