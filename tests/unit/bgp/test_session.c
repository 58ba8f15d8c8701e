/* SPDX-License-Identifier: Apache-2.0 */
/* A session's life between two peers: it comes up, lasts, ends and comes back; and only
 * one comes of two that cross. */
#include <string.h>

#include "world.h"

static void a_session_comes_up_and_lives_for_an_hour(void)
{
    world_open_pair();
    world_start();
    world_run(S2_SECOND);
    CU_ASSERT_STRING_EQUAL(w.side[0].states, " Active OpenSent OpenConfirm Established");
    CU_ASSERT_STRING_EQUAL(w.side[1].states, " Connect OpenSent OpenConfirm Established");
    CU_ASSERT(w.side[0].end_of_ribs == 1 && w.side[1].end_of_ribs == 1);
    CU_ASSERT_EQUAL(world_info(0).peer_asn, 65001);
    CU_ASSERT_EQUAL(world_info(0).peer_router_id, 0xa9fe0a02);
    CU_ASSERT_EQUAL(world_info(0).hold_time_s, 30);
    CU_ASSERT_EQUAL(world_info(0).established_ns, 100 * S2_SECOND + WORLD_LATENCY);
    world_run(3600 * S2_SECOND);
    CU_ASSERT(world_both_established() && w.side[0].established == 1);
    /* a KEEPALIVE every ten seconds, jittered: RFC 4271 section 10 */
    CU_ASSERT(w.side[0].keepalives >= 360 && w.side[0].keepalives <= 480);
    CU_ASSERT(w.least_gap_ns >= 7500 * S2_MS && w.most_gap_ns <= 10000 * S2_MS);
    CU_ASSERT(w.most_gap_ns - w.least_gap_ns > 1000 * S2_MS);
    world_close();
}

static const struct {
    const char *row;
    uint16_t a, b, agreed;
} holds[] = {
    {"default", 0, 0, 30},
    {"the smaller of two", 90, 30, 30},
    {"three", 3, 90, 3},
};

static void the_smaller_hold_time_is_agreed_on(void)
{
    for (size_t i = 0; i < sizeof(holds) / sizeof(holds[0]); i++) {
        struct s2_bgp_spec a = world_spec(0), b = world_spec(1);

        a.hold_time_s = holds[i].a;
        b.hold_time_s = holds[i].b;
        a.passive = true;
        world_open(&a, &b);
        world_start();
        world_run(300 * S2_SECOND);
        CHECK_ROW(holds[i].row, world_info(0).hold_time_s == holds[i].agreed);
        CHECK_ROW(holds[i].row, world_info(1).hold_time_s == holds[i].agreed);
        CHECK_ROW(holds[i].row, w.side[0].established == 1 && world_both_established());
        world_close();
    }
}

static void silence_ends_the_session_after_the_hold_time_and_it_comes_back(void)
{
    world_open_pair();
    world_advertise(1, S2SVPN_FAMILY_IPV4, 1, 1);
    world_start();
    world_run(5 * S2_SECOND);
    CU_ASSERT_EQUAL(world_info(0).prefixes_in, 1);
    w.lossy = true;
    const uint64_t begin = w.now_ns;
    world_run(31 * S2_SECOND);
    CU_ASSERT(world_info(0).state != S2_BGP_ESTABLISHED &&
              world_info(1).state != S2_BGP_ESTABLISHED);
    CU_ASSERT(w.side[0].code == 4 || w.side[1].code == 4); /* whose time came first */
    CU_ASSERT_EQUAL(w.side[0].ended, 1);
    CU_ASSERT(w.down_ns >= begin + 20 * S2_SECOND && w.down_ns <= begin + 30 * S2_SECOND);
    CU_ASSERT_EQUAL(world_info(0).prefixes_in, 0);
    w.lossy = false;
    world_run(600 * S2_SECOND);
    CU_ASSERT(world_both_established());
    CU_ASSERT_EQUAL(world_info(0).prefixes_in, 1);
    world_close();
}

static void both_may_connect_and_one_session_remains(void)
{
    static const struct {
        const char *row;
        uint32_t a, b; /* router ids */
        int winner;    /* whose connection remains */
    } ids[] = {
        {"the first is higher", 2, 1, 0},
        {"the second is higher", 1, 2, 1},
        {"equal: the higher AS (RFC 6286)", 5, 5, 1},
    };

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct s2_bgp_spec a = world_spec(0), b = world_spec(1);

        a.router_id = ids[i].a;
        b.router_id = ids[i].b;
        world_open(&a, &b);
        w.piece = 20; /* an OPEN is on its way while the other pipe opens */
        world_start();
        world_run(S2_SECOND);
        CHECK_ROW(ids[i].row, world_both_established());
        CHECK_ROW(ids[i].row, w.side[0].established == 1 && w.side[1].established == 1);
        CHECK_ROW(ids[i].row, world_pipes() == 1);
        /* the one that remains is what the winner opened, on both sides */
        CHECK_ROW(ids[i].row, w.side[0].peer->session->ours == (ids[i].winner == 0));
        CHECK_ROW(ids[i].row, w.side[1].peer->session->ours == (ids[i].winner == 1));
        CHECK_ROW(ids[i].row, w.side[0].code == 6 && w.side[0].subcode == 7);
        world_run(600 * S2_SECOND);
        CHECK_ROW(ids[i].row, world_both_established() && w.side[0].established == 1);
        world_close();
    }
}

/* One byte at a time the two connections progress side by side: whatever the order,
 * one session comes of it, if not at once, then soon. */
static void collisions_end_well_however_messages_interleave(void)
{
    for (size_t piece = 1; piece < 80; piece++) {
        struct s2_bgp_spec a = world_spec(0), b = world_spec(1);

        world_open(&a, &b);
        w.piece = piece;
        s2_bgp_start(w.side[0].peer, w.now_ns);
        world_run(piece % 7 * S2_MS);
        s2_bgp_start(w.side[1].peer, w.now_ns);
        world_run(120 * S2_SECOND);
        CU_ASSERT(world_both_established());
        CU_ASSERT(w.side[0].established <= 2);
        CU_ASSERT_EQUAL(world_pipes(), 1);
        world_close();
    }
}

static void a_second_stream_beside_a_session_is_not_wanted(void)
{
    struct end extra = {.pipe = NULL};

    world_open_pair();
    world_start();
    world_run(S2_SECOND);
    CU_ASSERT(!s2_bgp_stream_up(w.side[0].peer, &extra, false, w.now_ns));
    CU_ASSERT(!s2_bgp_stream_up(w.side[1].peer, &extra, false, w.now_ns));
    CU_ASSERT(!s2_bgp_stream_up(w.side[1].peer, &extra, true, w.now_ns));
    CU_ASSERT(world_both_established());
    world_close();
}

static void a_stop_says_why_and_stays(void)
{
    world_open_pair();
    world_advertise(1, S2SVPN_FAMILY_IPV4, 1, 1);
    world_start();
    world_run(S2_SECOND);
    s2_bgp_stop(w.side[1].peer, S2_BGP_SUB_CEASE_SHUTDOWN, "maintenance until noon", w.now_ns);
    CU_ASSERT_EQUAL(world_info(1).state, S2_BGP_IDLE);
    world_run(S2_SECOND / 2);
    CU_ASSERT(w.side[0].received == 1 && w.side[0].code == 6 && w.side[0].subcode == 2);
    CU_ASSERT_STRING_EQUAL(w.side[0].text, "maintenance until noon");
    CU_ASSERT_STRING_EQUAL(w.side[0].why, "received Cease/Administrative Shutdown");
    CU_ASSERT_EQUAL(w.side[0].ended, 1);
    world_run(600 * S2_SECOND);
    CU_ASSERT(world_info(1).state == S2_BGP_IDLE && w.side[1].connects == 1);
    s2_bgp_start(w.side[1].peer, w.now_ns);
    world_run(S2_SECOND);
    CU_ASSERT(world_both_established());
    CU_ASSERT_EQUAL(world_info(0).prefixes_in, 1); /* kept, and sent again */
    world_close();
}

const CU_TestInfo s2_test_session[] = {
    {"a session comes up and lives for an hour", a_session_comes_up_and_lives_for_an_hour},
    {"the smaller hold time is agreed on", the_smaller_hold_time_is_agreed_on},
    {"silence ends the session after the hold time and it comes back",
     silence_ends_the_session_after_the_hold_time_and_it_comes_back},
    {"both may connect and one session remains", both_may_connect_and_one_session_remains},
    {"collisions end well however messages interleave",
     collisions_end_well_however_messages_interleave},
    {"a second stream beside a session is not wanted",
     a_second_stream_beside_a_session_is_not_wanted},
    {"a stop says why and stays", a_stop_says_why_and_stays},
    CU_TEST_INFO_NULL,
};
