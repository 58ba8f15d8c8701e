/* SPDX-License-Identifier: Apache-2.0 */
/* Helping a peer through a restart (RFC 4724 section 4.2), and giving up on one that takes
 * nothing any more (RFC 9687). */
#include "bgp/peer.h"

#include "hand.h"

#define GOOD "40010100 40020602010000fc00 400304c0000201"
#define GOOD_IPV6                                                                                  \
    "40010100 40020602010000fc00 "                                                                 \
    "800e1c 0002 01 10 00000000000000000000ffffc0000201 00 3020010db80700"
#define TEN "080a"    /* 10.0.0.0/8 */
#define ELEVEN "080b" /* 11.0.0.0/8 */
#define END_OF_IPV6 "800f03 000201"
#define RESTART_S 120

static struct hand h;

static struct s2_bgp_open open_with(uint8_t graceful, uint8_t forwarding)
{
    struct s2_bgp_open open = hand_open_message();

    open.graceful_restart = true;
    open.graceful = graceful;
    open.forwarding = forwarding;
    open.restart_time_s = RESTART_S;
    return open;
}

/* Established, with 10.0.0.0/8, 11.0.0.0/8 and 2001:db8:700::/48. */
static void establish(uint8_t graceful)
{
    const struct s2_bgp_spec spec = hand_spec();
    const struct s2_bgp_open open = open_with(graceful, 0);

    hand_open(&h, &spec);
    hand_establish(&h, &open);
    hand_send_update(&h, "", GOOD, TEN ELEVEN);
    hand_send_update(&h, "", GOOD_IPV6, "");
    CU_ASSERT_EQUAL(hand_state(&h), S2_BGP_ESTABLISHED);
    CU_ASSERT(hand_has(&h, "10.0.0.0/8") && hand_has(&h, "2001:db8:700::/48"));
}

static void lose_stream(void)
{
    s2_bgp_stream_down(h.peer, &h.stream[HAND_OURS], "reset", h.now_ns);
}

static void come_back(uint8_t graceful, uint8_t forwarding)
{
    const struct s2_bgp_open open = open_with(graceful, forwarding);

    hand_wait(&h, 5 * S2_SECOND);
    hand_establish(&h, &open);
    CU_ASSERT_EQUAL(hand_state(&h), S2_BGP_ESTABLISHED);
}

static void routes_stay_when_the_stream_breaks(void)
{
    establish(S2_BGP_IPV4);
    lose_stream();
    CU_ASSERT_NOT_EQUAL(hand_state(&h), S2_BGP_ESTABLISHED);
    CU_ASSERT(hand_has(&h, "10.0.0.0/8") && hand_has(&h, "11.0.0.0/8"));
    CU_ASSERT_FALSE(hand_has(&h, "2001:db8:700::/48")); /* not of a family that it named */
    CU_ASSERT(h.ended == 1 && h.withdrawn == 0);
    CU_ASSERT(h.restarts == 1 && h.restarts_over == 0);
    hand_close(&h);
}

static void what_is_not_announced_again_goes_at_end_of_rib(void)
{
    establish(3);
    lose_stream();
    come_back(3, 3);
    CU_ASSERT(hand_has(&h, "10.0.0.0/8") && hand_has(&h, "11.0.0.0/8"));
    hand_send_update(&h, "", GOOD, TEN);
    hand_send_update(&h, "", "", ""); /* IPv4 */
    CU_ASSERT(hand_has(&h, "10.0.0.0/8") && !hand_has(&h, "11.0.0.0/8"));
    CU_ASSERT_EQUAL(h.restarts_over, 0);
    hand_send_update(&h, "", END_OF_IPV6, "");
    CU_ASSERT_FALSE(hand_has(&h, "2001:db8:700::/48"));
    CU_ASSERT(h.withdrawn == 2 && h.ended == 0 && h.restarts_over == 1);
    CU_ASSERT_EQUAL(h.end_of_ribs, 1);
    hand_close(&h);
}

static void keepalives_do_not_stand_for_end_of_rib_after_a_restart(void)
{
    establish(S2_BGP_IPV4);
    lose_stream();
    come_back(S2_BGP_IPV4, S2_BGP_IPV4);
    for (int i = 0; i < 5; i++)
        hand_send_message(&h, HAND_OURS, S2_BGP_TYPE_KEEPALIVE, NULL, 0);
    CU_ASSERT(hand_has(&h, "11.0.0.0/8") && h.end_of_ribs == 0);
    hand_close(&h);
}

static void what_the_peer_did_not_preserve_goes_when_it_is_back(void)
{
    establish(3);
    lose_stream();
    come_back(3, S2_BGP_IPV6);
    CU_ASSERT_FALSE(hand_has(&h, "10.0.0.0/8"));
    CU_ASSERT(hand_has(&h, "2001:db8:700::/48"));
    CU_ASSERT(h.withdrawn == 2 && h.restarts_over == 0);
    hand_close(&h);
}

static void a_peer_that_comes_back_without_the_capability_begins_anew(void)
{
    establish(S2_BGP_IPV4);
    lose_stream();
    come_back(0, 0);
    CU_ASSERT_FALSE(hand_has(&h, "10.0.0.0/8"));
    CU_ASSERT_EQUAL(h.restarts_over, 1);
    hand_close(&h);
}

static void a_peer_that_does_not_come_back_in_time_loses_its_routes(void)
{
    establish(S2_BGP_IPV4);
    h.unconnected = true;
    lose_stream();
    hand_wait(&h, (RESTART_S - 1) * S2_SECOND);
    CU_ASSERT(hand_has(&h, "10.0.0.0/8"));
    hand_wait(&h, 2 * S2_SECOND);
    CU_ASSERT_FALSE(hand_has(&h, "10.0.0.0/8"));
    CU_ASSERT(h.ended == 3 && h.restarts_over == 1);
    hand_close(&h);
}

static void a_table_that_never_ends_is_not_waited_for(void)
{
    establish(S2_BGP_IPV4);
    lose_stream();
    come_back(S2_BGP_IPV4, S2_BGP_IPV4);
    for (int i = 0; i < 37; i++) {
        CU_ASSERT(hand_has(&h, "10.0.0.0/8") || i == 36);
        hand_send_message(&h, HAND_OURS, S2_BGP_TYPE_KEEPALIVE, NULL, 0);
        h.stream[HAND_OURS].len = h.stream[HAND_OURS].read = 0;
        hand_wait(&h, 10 * S2_SECOND);
    }
    CU_ASSERT_FALSE(hand_has(&h, "10.0.0.0/8"));
    CU_ASSERT(h.restarts_over == 1 && h.end_of_ribs == 1);
    CU_ASSERT_EQUAL(hand_state(&h), S2_BGP_ESTABLISHED);
    hand_close(&h);
}

static void a_second_restart_keeps_only_what_was_fresh(void)
{
    establish(S2_BGP_IPV4);
    lose_stream();
    come_back(S2_BGP_IPV4, S2_BGP_IPV4);
    hand_send_update(&h, "", GOOD, TEN);
    lose_stream();
    CU_ASSERT(hand_has(&h, "10.0.0.0/8") && !hand_has(&h, "11.0.0.0/8"));
    hand_close(&h);
}

static void stale_routes_make_room_for_new_ones(void)
{
    struct s2_bgp_spec spec = hand_spec();
    const struct s2_bgp_open open = open_with(S2_BGP_IPV4, 0);

    spec.max_prefixes = 2;
    hand_open(&h, &spec);
    hand_establish(&h, &open);
    hand_send_update(&h, "", GOOD, TEN ELEVEN);
    lose_stream();
    come_back(S2_BGP_IPV4, S2_BGP_IPV4);
    hand_send_update(&h, "", GOOD, "080c 080d");
    CU_ASSERT_EQUAL(hand_state(&h), S2_BGP_ESTABLISHED);
    CU_ASSERT(hand_has(&h, "12.0.0.0/8") && hand_has(&h, "13.0.0.0/8"));
    CU_ASSERT(!hand_has(&h, "10.0.0.0/8") && !hand_has(&h, "11.0.0.0/8"));
    hand_close(&h);
}

/* Each ends the session in a way that isn't a restart. */
static void by_notification(void)
{
    hand_send_hex(&h, HAND_OURS, S2_BGP_TYPE_NOTIFICATION, "0602");
}

static void by_stop(void)
{
    s2_bgp_stop(h.peer, S2_BGP_SUB_CEASE_SHUTDOWN, "", h.now_ns);
}

static void by_hold_timer(void)
{
    hand_wait(&h, 31 * S2_SECOND);
}

static void by_error(void)
{
    hand_send_hex(&h, HAND_OURS, S2_BGP_TYPE_UPDATE, "ffff0000");
}

static const struct {
    const char *row;
    void (*end)(void);
} ends[] = {
    {"a NOTIFICATION", by_notification},
    {"a stop", by_stop},
    {"the hold timer", by_hold_timer},
    {"a malformed message", by_error},
};

static void other_ends_take_all_routes_along(void)
{
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        establish(S2_BGP_IPV4);
        ends[i].end();
        CHECK_ROW(ends[i].row, hand_state(&h) != S2_BGP_ESTABLISHED);
        CHECK_ROW(ends[i].row, !hand_has(&h, "10.0.0.0/8") && h.ended == 3);
        CHECK_ROW(ends[i].row, h.restarts == 0);
        hand_close(&h);
    }
}

static void a_stop_amid_a_restart_ends_it(void)
{
    establish(S2_BGP_IPV4);
    lose_stream();
    by_stop();
    CU_ASSERT(!hand_has(&h, "10.0.0.0/8") && h.restarts_over == 1);
    hand_wait(&h, 1000 * S2_SECOND);
    CU_ASSERT_EQUAL(hand_state(&h), S2_BGP_IDLE);
    hand_close(&h);
}

static void we_offer_to_help_and_no_more(void)
{
    const struct s2_bgp_spec spec = hand_spec();
    struct s2_bgp_open ours;
    struct s2_bgp_error why;
    s2svpn_span body;

    hand_open(&h, &spec);
    s2_bgp_start(h.peer, h.now_ns);
    h.stream[HAND_OURS].up = true;
    CU_ASSERT(s2_bgp_stream_up(h.peer, &h.stream[HAND_OURS], true, h.now_ns));
    CU_ASSERT_EQUAL_FATAL(hand_next(&h, HAND_OURS, &body), S2_BGP_TYPE_OPEN);
    CU_ASSERT_EQUAL(s2_bgp_parse_open(body, &ours, &why), S2SVPN_OK);
    CU_ASSERT(ours.graceful_restart && ours.graceful == 0 && ours.restart_time_s == 0);
    hand_close(&h);
}

/* ---- RFC 9687 */

static void a_peer_that_takes_nothing_is_given_up(void)
{
    const struct s2_bgp_announcement a = {
        .prefix = {.address = {.family = S2SVPN_FAMILY_IPV4, .bytes = {10}}, .length = 8}};

    establish(0);
    h.room = 5;
    CU_ASSERT_EQUAL(s2_bgp_advertise(h.peer, &a, h.now_ns), S2SVPN_OK);
    hand_wait(&h, S2_SECOND);
    for (int i = 0; i < 47; i++) { /* it goes on talking, but doesn't listen */
        hand_send_message(&h, HAND_OURS, S2_BGP_TYPE_KEEPALIVE, NULL, 0);
        hand_wait(&h, 10 * S2_SECOND);
    }
    CU_ASSERT_EQUAL(hand_state(&h), S2_BGP_ESTABLISHED);
    hand_send_message(&h, HAND_OURS, S2_BGP_TYPE_KEEPALIVE, NULL, 0);
    hand_wait(&h, 9 * S2_SECOND + 100 * S2_MS); /* 480.1 s, and it hasn't tried again */
    CU_ASSERT_NOT_EQUAL(hand_state(&h), S2_BGP_ESTABLISHED);
    CU_ASSERT_STRING_EQUAL(h.why, "Send Hold Timer Expired");
    CU_ASSERT(h.stream[HAND_OURS].aborted && h.notifications == 0);
    hand_close(&h);
}

static void a_peer_that_takes_it_late_is_kept(void)
{
    const struct s2_bgp_announcement a = {
        .prefix = {.address = {.family = S2SVPN_FAMILY_IPV4, .bytes = {10}}, .length = 8}};

    establish(0);
    h.room = 5;
    CU_ASSERT_EQUAL(s2_bgp_advertise(h.peer, &a, h.now_ns), S2SVPN_OK);
    for (int i = 0; i < 100; i++) {
        hand_send_message(&h, HAND_OURS, S2_BGP_TYPE_KEEPALIVE, NULL, 0);
        hand_wait(&h, 10 * S2_SECOND);
        if (i != 40)
            continue;
        h.room = HAND_SENT;
        s2_bgp_stream_writable(h.peer, &h.stream[HAND_OURS], h.now_ns);
    }
    CU_ASSERT_EQUAL(hand_state(&h), S2_BGP_ESTABLISHED);
    hand_close(&h);
}

const CU_TestInfo s2_test_graceful[] = {
    {"routes stay when the stream breaks", routes_stay_when_the_stream_breaks},
    {"what is not announced again goes at End-of-RIB",
     what_is_not_announced_again_goes_at_end_of_rib},
    {"keepalives do not stand for End-of-RIB after a restart",
     keepalives_do_not_stand_for_end_of_rib_after_a_restart},
    {"what the peer did not preserve goes when it is back",
     what_the_peer_did_not_preserve_goes_when_it_is_back},
    {"a peer that comes back without the capability begins anew",
     a_peer_that_comes_back_without_the_capability_begins_anew},
    {"a peer that does not come back in time loses its routes",
     a_peer_that_does_not_come_back_in_time_loses_its_routes},
    {"a table that never ends is not waited for", a_table_that_never_ends_is_not_waited_for},
    {"a second restart keeps only what was fresh", a_second_restart_keeps_only_what_was_fresh},
    {"stale routes make room for new ones", stale_routes_make_room_for_new_ones},
    {"other ends take all routes along", other_ends_take_all_routes_along},
    {"a stop amid a restart ends it", a_stop_amid_a_restart_ends_it},
    {"we offer to help and no more", we_offer_to_help_and_no_more},
    {"a peer that takes nothing is given up", a_peer_that_takes_nothing_is_given_up},
    {"a peer that takes it late is kept", a_peer_that_takes_it_late_is_kept},
    CU_TEST_INFO_NULL,
};
