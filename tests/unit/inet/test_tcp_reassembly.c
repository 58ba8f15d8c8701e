/* SPDX-License-Identifier: Apache-2.0 */
/* Text out of order against a naive model: an array of bytes with a mark each. */
#include "inet/tcp.h"

#include <string.h>

#include "harness.h"
#include "tcp_script.h"

#define TEXT_LEN 60000u

struct model {
    struct s2_fake_env fake;
    struct s2_host host;
    struct s2_tcp tcp;
    uint32_t first;    /* sequence number of the text's first byte */
    uint32_t received; /* bytes so far */
    bool wrong;
    uint8_t text[TEXT_LEN];
    bool arrived[TEXT_LEN + 1];
    uint32_t random;
};

static void on_received(void *user, struct s2_tcp *tcp, const uint8_t *p, size_t len,
                        uint64_t now_ns)
{
    struct model *m = user;

    (void)tcp, (void)now_ns;
    if (len == 0 || len > TEXT_LEN - m->received || memcmp(p, m->text + m->received, len) != 0)
        m->wrong = true;
    m->received += (uint32_t)len;
}

static uint32_t draw(struct model *m, uint32_t below)
{
    m->random = m->random * 1664525 + 1013904223; /* Numerical Recipes' constants */
    return (m->random >> 8) % below;
}

static void begin(struct model *m, uint32_t seed)
{
    memset(m, 0, sizeof(*m));
    s2_fake_env_init(&m->fake, seed);
    m->random = seed;
    m->host = (struct s2_host){.env = &m->fake.env, .user = m, .depth = 1};
    m->host.ops.received = on_received;
    m->tcp = (struct s2_tcp){.host = &m->host, .visible = true};
    m->first = m->tcp.rcv_nxt = 0u - 20000; /* wraps on the way */
    for (uint32_t i = 0; i < TEXT_LEN; i++)
        m->text[i] = (uint8_t)draw(m, 256);
}

static void end(struct model *m)
{
    s2_tcp_ring_free(&m->tcp.in, &m->fake.env);
    CU_ASSERT_EQUAL(m->fake.live, 0);
}

/* As tcp_input.c does: only what is new. */
static bool take(struct model *m, uint32_t begin_at, uint32_t end_at, bool borrow)
{
    const uint32_t next = m->tcp.rcv_nxt - m->first;

    if (begin_at < next)
        begin_at = next;
    if (begin_at >= end_at)
        return true;
    if (!s2_tcp_take_text(&m->tcp, m->first + begin_at,
                          s2_span(m->text + begin_at, end_at - begin_at), borrow))
        return false;
    memset(m->arrived + begin_at, true, end_at - begin_at);
    return true;
}

static uint32_t prefix(const struct model *m)
{
    uint32_t n = m->received;

    while (m->arrived[n])
        n++;
    return n;
}

static void any_order_gives_the_text(void)
{
    static struct model m;

    for (uint32_t seed = 1; seed <= 60; seed++) {
        begin(&m, seed);
        const uint32_t longest = 1 + draw(&m, 4000);
        for (unsigned i = 0; i < 3000 && m.received < TEXT_LEN; i++) {
            /* near the hole, so that there is progress */
            const uint32_t at =
                draw(&m, 4) ? m.received + draw(&m, 2 * longest) : draw(&m, TEXT_LEN);
            const uint32_t len = 1 + draw(&m, longest);
            if (at >= TEXT_LEN)
                continue;
            (void)take(&m, at, at + len < TEXT_LEN ? at + len : TEXT_LEN, draw(&m, 2));
            const uint32_t expected = prefix(&m);
            if (draw(&m, 8)) { /* else more comes before the user is served */
                while (s2_tcp_deliver(&m.tcp, 0))
                    ;
                CU_ASSERT_EQUAL_FATAL(m.received, expected);
            }
            CU_ASSERT_EQUAL_FATAL(m.tcp.rcv_nxt - m.first, expected);
            CU_ASSERT_FATAL(m.tcp.range_count <= S2_TCP_RANGES_MAX && !m.wrong);
        }
        CU_ASSERT(take(&m, 0, TEXT_LEN, true));
        while (s2_tcp_deliver(&m.tcp, 0))
            ;
        CU_ASSERT_EQUAL(m.received, TEXT_LEN);
        CU_ASSERT_FALSE(m.wrong);
        end(&m);
    }
}

static void islands_are_bounded(void)
{
    static struct model m;

    begin(&m, 1);
    for (uint32_t i = 1; i <= S2_TCP_RANGES_MAX; i++)
        CU_ASSERT(take(&m, 20 * i, 20 * i + 10, true));
    CU_ASSERT_FALSE(take(&m, 1000, 1010, true));
    CU_ASSERT(take(&m, 30, 35, true)); /* touches one */
    CU_ASSERT(take(&m, 0, 10, false)); /* in order: no island */
    CU_ASSERT_EQUAL(m.tcp.rcv_nxt - m.first, 10);
    CU_ASSERT_EQUAL(m.tcp.range_count, S2_TCP_RANGES_MAX);
    CU_ASSERT(take(&m, 10, 1000, true));
    CU_ASSERT_EQUAL(m.tcp.range_count, 0);
    CU_ASSERT_EQUAL(m.tcp.rcv_nxt - m.first, 1000);
    end(&m);
}

static void bytes_are_bounded(void)
{
    static const uint8_t text[2];
    static struct model m;

    begin(&m, 1);
    CU_ASSERT(s2_tcp_take_text(&m.tcp, m.first + S2_TCP_BUFFER - 2, s2_span(text, 2), true));
    CU_ASSERT_EQUAL(m.tcp.in.size, S2_TCP_BUFFER);
    CU_ASSERT_FALSE(s2_tcp_take_text(&m.tcp, m.first + S2_TCP_BUFFER, s2_span(text, 1), true));
    CU_ASSERT_EQUAL(m.tcp.range_count, 1);
    end(&m);
}

static void a_failed_allocation_is_a_lost_segment(void)
{
    static struct model m;

    begin(&m, 1);
    m.fake.fail_at = m.fake.allocations + 1;
    CU_ASSERT_FALSE(take(&m, 100, 200, true));
    CU_ASSERT_EQUAL(m.tcp.range_count, 0);
    CU_ASSERT(take(&m, 100, 200, true));
    m.fake.fail_at = m.fake.allocations + 1;
    CU_ASSERT_FALSE(take(&m, 5000, 5100, true));
    CU_ASSERT(take(&m, 0, 100, true));
    while (s2_tcp_deliver(&m.tcp, 0))
        ;
    CU_ASSERT_EQUAL(m.received, 200);
    CU_ASSERT_FALSE(m.wrong);
    end(&m);
}

const CU_TestInfo s2_test_tcp_reassembly[] = {
    {"any order gives the text", any_order_gives_the_text},
    {"islands are bounded", islands_are_bounded},
    {"bytes are bounded", bytes_are_bounded},
    {"a failed allocation is a lost segment", a_failed_allocation_is_a_lost_segment},
    CU_TEST_INFO_NULL,
};
