/* SPDX-License-Identifier: Apache-2.0 */
/* TCP between two hosts: whole transfers over bad pipes, in virtual time, and what
 * they cost in memory. */
#include "inet/tcp.h"

#include "base/text.h"

#include "harness.h"
#include "tcp_net.h"

#define MEGABYTE (1u << 20)
#define HOUR (3600 * S2_SECOND)

static void check_done(const struct net *net, uint64_t seed)
{
    const struct net_end *a = &net->end[0], *b = &net->end[1];
    char text[160];

    s2_print(text, sizeof(text),
             "seed %u: loss %u: sent %u %u received %u %u ends %d %d wrong %d %d", (unsigned)seed,
             net->loss, (unsigned)a->sent, (unsigned)b->sent, (unsigned)a->received,
             (unsigned)b->received, a->closed ? (int)a->end : -1, b->closed ? (int)b->end : -1,
             a->wrong, b->wrong);
    CHECK_ROW(text, net_is_done(net));
    CHECK_ROW(text, a->end == S2_TCP_CLOSED && b->end == S2_TCP_PEER_FIN);
}

static void a_good_pipe_needs_no_repetition(void)
{
    struct s2_host_counters counters;
    struct net net;

    CU_ASSERT_FATAL(net_init(&net, 1, false));
    net.delay = 10;
    net.end[0].closes = true;
    CU_ASSERT_FATAL(net_connect(&net, MEGABYTE, MEGABYTE));
    net_run(&net, 10 * S2_SECOND);
    check_done(&net, 1);
    s2_host_get_counters(net.end[0].host, &counters);
    CU_ASSERT_EQUAL(counters.retransmitted, 0);
    CU_ASSERT(counters.segments_out > MEGABYTE / 1406);
    CU_ASSERT(counters.segments_in > MEGABYTE / 1406);
    net_run(&net, 60 * S2_SECOND);
    CU_ASSERT_EQUAL(net.fake.live, 2); /* TIME-WAIT is over: the hosts alone */
    net_clear(&net);
    CU_ASSERT_EQUAL(net.fake.live, 0);
}

/* One seed's pipe: loss, repetition and reordering up to what is said. */
static void transfer(uint64_t seed, unsigned loss, uint32_t bytes)
{
    struct net net;

    CU_ASSERT_FATAL(net_init(&net, seed, seed & 1));
    net.loss = loss;
    net.repeat = seed % 7 * 15;
    net.jitter = seed % 5 * 10;
    net.delay = 1 + seed % 40;
    net.lost_in_row_max = 2; /* or some seed runs into the give-up time, rightly */
    net.end[0].closes = true;
    CU_ASSERT_FATAL(net_connect(&net, bytes, bytes));
    net_run(&net, 100 * HOUR);
    check_done(&net, seed);
    CU_ASSERT_EQUAL(net.fake.live, 2);
    net_clear(&net);
    CU_ASSERT_EQUAL(net.fake.live, 0);
}

static void bad_pipes_change_no_byte(void)
{
    for (uint64_t seed = 1; seed <= 300; seed++)
        transfer(seed, (unsigned)(seed % 31 * 10), MEGABYTE);
}

/* Three of ten packets lost each way, as often in a row as it comes, some twice, and all of
 * them out of order. A stream that gave up had its reason; none of these does. */
static void three_of_ten_lost_change_no_byte(void)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct net net;

        CU_ASSERT_FATAL(net_init(&net, 7000 + seed, seed & 1));
        net.loss = 300;
        net.repeat = 100;
        net.delay = 1 + seed % 40;
        net.jitter = 30;
        net.end[0].closes = true;
        CU_ASSERT_FATAL(net_connect(&net, MEGABYTE, MEGABYTE));
        net_run(&net, 100 * HOUR);
        check_done(&net, 7000 + seed);
        net_clear(&net);
        CU_ASSERT_EQUAL(net.fake.live, 0);
    }
}

/* ops.send that delivers before it returns: calls within calls, no recursion
 * without end, and nothing out of order. */
static void an_immediate_peer_is_no_trouble(void)
{
    struct net net;

    CU_ASSERT_FATAL(net_init(&net, 5, true));
    net.at_once = true;
    net.end[0].closes = true;
    CU_ASSERT_FATAL(net_connect(&net, MEGABYTE, MEGABYTE));
    net_run(&net, HOUR);
    check_done(&net, 5);
    CU_ASSERT_EQUAL(net.fake.live, 2);
    net_clear(&net);
    CU_ASSERT_EQUAL(net.fake.live, 0);
}

static void a_refusal_at_once_leaves_no_pointer(void)
{
    struct s2_tcp *tcp;
    struct net net;

    CU_ASSERT_FATAL(net_init(&net, 5, false));
    net.at_once = true;
    s2_host_listen(net.end[1].host, false);
    CU_ASSERT_EQUAL(s2_tcp_connect(net.end[0].host, 179, NULL, 0, &tcp), S2SVPN_OK);
    CU_ASSERT_EQUAL(tcp, NULL);
    CU_ASSERT(net.end[0].closed && net.end[0].end == S2_TCP_REFUSED);
    CU_ASSERT_EQUAL(net.fake.live, 2);
    net_clear(&net);
}

static void a_dead_pipe_ends_both(void)
{
    struct net net;

    CU_ASSERT_FATAL(net_init(&net, 9, false));
    net.delay = 5;
    CU_ASSERT_FATAL(net_connect(&net, MEGABYTE, MEGABYTE));
    net_run(&net, 30 * S2_MS);
    CU_ASSERT(net.end[0].opened && net.end[1].opened && !net.end[0].closed);
    net.loss = 1000;
    net_run(&net, HOUR);
    CU_ASSERT(net.end[0].closed && net.end[0].end == S2_TCP_TIMEOUT);
    CU_ASSERT(net.end[1].closed && net.end[1].end == S2_TCP_TIMEOUT);
    CU_ASSERT(!net.end[0].wrong && !net.end[1].wrong);
    CU_ASSERT_EQUAL(net.fake.live, 2);
    net_clear(&net);
}

static void an_idle_stream_holds_no_buffer(void)
{
    struct net net;

    CU_ASSERT_FATAL(net_init(&net, 1, false));
    net.delay = 5;
    CU_ASSERT_FATAL(net_connect(&net, 100000, 100000));
    net_run(&net, 60 * S2_SECOND);
    CU_ASSERT_EQUAL(net.end[0].received, 100000);
    CU_ASSERT_EQUAL(net.fake.live, 4); /* two hosts, two streams */
    CU_ASSERT(sizeof(struct s2_host) + sizeof(struct s2_tcp) < 1024);
    net_clear(&net);
}

static bool small_transfer(struct s2_fake_env *fake, void *arg)
{
    struct net *net = arg;
    bool good = net_init(net, 1, false);

    if (good) {
        net->fake.fail_at = fake->fail_at;
        net->delay = 5;
        net->jitter = 20;
        net->loss = 50;
        net->end[0].closes = true;
        good = net_connect(net, 30000, 30000);
        net_run(net, HOUR);
    }
    net_clear(net);
    fake->failed = net->fake.failed;
    fake->live = net->fake.live;
    return good && net_is_done(net);
}

/* Once a stream is open, want of memory costs time and nothing else. */
static void every_failed_allocation_is_survived(void)
{
    struct net net;

    for (size_t n = 5; n < 200; n++) { /* 4: the hosts and the streams */
        struct s2_fake_env fake = {.fail_at = n};
        CU_ASSERT(small_transfer(&fake, &net));
        CU_ASSERT_EQUAL(fake.live, 0);
        if (!fake.failed)
            return;
    }
    CU_FAIL("no end of allocations");
}

const CU_TestInfo s2_test_tcp_transfer[] = {
    {"a good pipe needs no repetition", a_good_pipe_needs_no_repetition},
    {"bad pipes change no byte", bad_pipes_change_no_byte},
    {"three of ten lost change no byte", three_of_ten_lost_change_no_byte},
    {"an immediate peer is no trouble", an_immediate_peer_is_no_trouble},
    {"a refusal at once leaves no pointer", a_refusal_at_once_leaves_no_pointer},
    {"a dead pipe ends both", a_dead_pipe_ends_both},
    {"an idle stream holds no buffer", an_idle_stream_holds_no_buffer},
    {"every failed allocation is survived", every_failed_allocation_is_survived},
    CU_TEST_INFO_NULL,
};
