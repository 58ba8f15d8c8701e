/* SPDX-License-Identifier: Apache-2.0 */
/* Fragments put together: every order, copies, overlaps, limits, both families. */
#include "inet/reassembly.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "fake_env.h"
#include "harness.h"
#include "packet.h"

#define SECOND UINT64_C(1000000000)

static uint8_t data[9600];

/* A table, and what one call of it says. */
struct bench {
    struct s2_fake_env env;
    struct s2_reassembly *r;
    uint64_t now_ns;
    s2svpn_span whole;
};

static void begin(struct bench *b)
{
    s2_fake_env_init(&b->env, 1);
    b->now_ns = SECOND;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7 + i / 256);
    if (s2_reassembly_new(&b->env.env, &b->r) != S2SVPN_OK)
        CU_FAIL_FATAL("no table");
}

static void end(struct bench *b)
{
    s2_reassembly_free(b->r);
    CU_ASSERT_EQUAL(b->env.live, 0);
}

/* In memory of the exact size: a read behind it is seen. */
static enum s2svpn_drop give(struct bench *b, const uint8_t *p, size_t len)
{
    uint8_t *copy = malloc(len);
    struct s2_inet_view v;
    enum s2svpn_drop drop;

    memcpy(copy, p, len);
    v = s2_must_view(copy, len);
    drop = s2_reassembly_input(b->r, copy, &v, b->now_ns, &b->whole);
    free(copy);
    return drop;
}

/* What a test cuts a packet of n bytes into. */
struct cut {
    uint8_t version;
    uint32_t id;
    const uint8_t *payload;
    bool swapped;
    uint8_t protocol; /* ICMP of the family */
};

static enum s2svpn_drop piece(struct bench *b, const struct cut *c, size_t from, size_t n,
                              bool more)
{
    static uint8_t p[PACKET_ROOM];
    uint8_t header[16] = {44, 0}; /* destination options, empty; then the fragment header */
    struct s2_packet k = {.version = c->version,
                          .protocol = c->protocol ? c->protocol : 99,
                          .id = (uint16_t)c->id,
                          .swapped = c->swapped,
                          .place = (uint16_t)((more ? 0x2000 : 0) | from / 8),
                          .payload = {c->payload + from, n}};

    if (c->version == 6) {
        header[2] = 1; /* PadN */
        header[3] = 4;
        header[8] = k.protocol;
        s2_put_u16(header + 10, (uint16_t)(from | more));
        s2_put_u32(header + 12, c->id);
        k.ip_options = s2_span(header, sizeof(header));
        k.next_header = 60;
        k.place = 0;
    }
    return give(b, p, s2_write_packet(p, &k));
}

/* Is what came out the payload's first n bytes in one whole packet? */
static bool is_whole(const struct bench *b, const struct cut *c, size_t n)
{
    struct s2_inet_view v;

    return b->whole.p != NULL && s2_inet_view(b->whole.p, b->whole.len, &v) && !v.fragment &&
           v.total_len == b->whole.len && v.version == c->version && v.protocol == 99 &&
           b->whole.len == v.header_len + n &&
           memcmp(b->whole.p + v.header_len, c->payload, n) == 0;
}

/* Four pieces in all their orders. */
static void every_order_gives_the_packet(void)
{
    static const struct {
        size_t from, n;
        bool more;
    } pieces[4] = {{0, 400, true}, {400, 8, true}, {408, 592, true}, {1000, 13, false}};

    for (uint8_t version = 4; version <= 6; version += 2) {
        const struct cut c = {.version = version, .id = 7, .payload = data};
        struct bench b;
        size_t orders = 0;

        begin(&b);
        for (unsigned order = 0; order < 256; order++) {
            const unsigned at[4] = {order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6};

            if ((1u << at[0] | 1u << at[1] | 1u << at[2] | 1u << at[3]) != 15)
                continue;
            for (unsigned i = 0; i < 4; i++) {
                CU_ASSERT_EQUAL(
                    piece(&b, &c, pieces[at[i]].from, pieces[at[i]].n, pieces[at[i]].more),
                    S2SVPN_DROP_NONE);
                CU_ASSERT_EQUAL(b.whole.len != 0, i == 3);
            }
            CU_ASSERT_TRUE(is_whole(&b, &c, 1013));
            CU_ASSERT_EQUAL(s2_reassembly_count(b.r), 0);
            orders++;
        }
        CU_ASSERT_EQUAL(orders, 24);
        end(&b);
    }
}

/* What lib/inet cuts, it puts together, whatever the MTU. */
static void what_was_cut_comes_together(void)
{
    static uint8_t p[PACKET_ROOM], f[PACKET_ROOM];
    struct bench b;

    begin(&b);
    for (uint16_t mtu = 200; mtu < 1500; mtu += 13) {
        const struct s2_packet k = {.protocol = S2_IP_UDP, .id = mtu, .payload = {data, 5000}};
        const size_t len = s2_write_packet(p, &k);
        const struct s2_inet_view v = s2_must_view(p, len);
        size_t n;

        for (unsigned i = 0; (n = s2_inet_write_fragment(f, sizeof(f), p, &v, mtu, i)) > 0; i++)
            CU_ASSERT_EQUAL(give(&b, f, n), S2SVPN_DROP_NONE);
        CU_ASSERT_TRUE(s2_span_equal(b.whole, s2_span(p, len)));
    }
    end(&b);
}

static void an_exact_copy_is_ignored(void)
{
    const struct cut c = {.version = 4, .id = 1, .payload = data};
    struct bench b;

    begin(&b);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(piece(&b, &c, 0, 800, true), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(piece(&b, &c, 800, 20, false), S2SVPN_DROP_NONE);
    CU_ASSERT_TRUE(is_whole(&b, &c, 820));
    end(&b);
}

/* RFC 5722: the packet goes, with what still comes of it. */
static void fragments_that_contradict_one_another_end_the_packet(void)
{
    static uint8_t other[9600];
    static const struct {
        const char *name;
        size_t first[2], second[2]; /* from, bytes */
        bool first_more, second_more, same_bytes;
    } contradictions[] = {
        {"over its end", {0, 800}, {792, 16}, true, true, true},
        {"over its beginning", {800, 80}, {760, 48}, true, true, true},
        {"around it", {80, 8}, {0, 800}, true, true, true},
        {"inside it", {0, 800}, {80, 8}, true, true, false},
        {"the same place, other bytes", {0, 800}, {0, 800}, true, true, false},
        {"behind the end", {80, 8}, {88, 8}, false, true, true},
        {"two ends", {800, 8}, {880, 8}, false, false, true},
        {"an end before what was there", {800, 80}, {80, 7}, true, false, true},
        {"longer than we keep", {0, 8}, {9000, 300}, true, false, true},
    };

    for (size_t i = 0; i < 2 * sizeof(contradictions) / sizeof(contradictions[0]); i++) {
        const char *name = contradictions[i / 2].name;
        struct cut c = {.version = i % 2 ? 6 : 4, .id = 9, .payload = data};
        struct bench b;

        begin(&b);
        memset(other, 0x55, sizeof(other));
        CHECK_ROW(name,
                  piece(&b, &c, contradictions[i / 2].first[0], contradictions[i / 2].first[1],
                        contradictions[i / 2].first_more) == S2SVPN_DROP_NONE);
        if (!contradictions[i / 2].same_bytes)
            c.payload = other;
        CHECK_ROW(name,
                  piece(&b, &c, contradictions[i / 2].second[0], contradictions[i / 2].second[1],
                        contradictions[i / 2].second_more) == S2SVPN_DROP_REASSEMBLY);
        /* all the rest of it too, for its time */
        c.payload = data;
        CHECK_ROW(name, piece(&b, &c, 0, 2000, true) == S2SVPN_DROP_REASSEMBLY);
        CHECK_ROW(name, piece(&b, &c, 2000, 1, false) == S2SVPN_DROP_REASSEMBLY);
        CHECK_ROW(name, b.whole.len == 0);
        b.now_ns += 61 * SECOND;
        CHECK_ROW(name, piece(&b, &c, 0, 800, true) == S2SVPN_DROP_NONE);
        CHECK_ROW(name, piece(&b, &c, 800, 1, false) == S2SVPN_DROP_NONE);
        CHECK_ROW(name, is_whole(&b, &c, 801));
        end(&b);
    }
}

static void packets_are_told_apart(void)
{
    static const struct cut apart[] = {
        {.version = 4, .id = 1, .payload = data},
        {.version = 4, .id = 2, .payload = data},
        {.version = 4, .id = 1, .payload = data, .swapped = true},
        {.version = 4, .id = 1, .payload = data, .protocol = 98},
        {.version = 6, .id = 1, .payload = data},
        {.version = 6, .id = 0x10001, .payload = data},
        {.version = 6, .id = 1, .payload = data, .swapped = true},
    };
    const size_t n = sizeof(apart) / sizeof(apart[0]);
    struct bench b;

    begin(&b);
    for (size_t i = 0; i < n; i++)
        CU_ASSERT_EQUAL(piece(&b, &apart[i], 0, 80, true), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(s2_reassembly_count(b.r), n);
    for (size_t i = 0; i < n; i++) {
        CU_ASSERT_EQUAL(piece(&b, &apart[i], 80, 5, false), S2SVPN_DROP_NONE);
        CU_ASSERT_TRUE(apart[i].protocol == 98 || is_whole(&b, &apart[i], 85));
    }
    CU_ASSERT_EQUAL(s2_reassembly_count(b.r), 0);
    end(&b);
}

static void the_oldest_goes_for_a_new_one(void)
{
    struct cut c = {.version = 4, .payload = data};
    struct bench b;
    size_t most = 0;

    begin(&b);
    for (c.id = 0; c.id < 100; c.id++) {
        CU_ASSERT_EQUAL(piece(&b, &c, 0, 80, true), S2SVPN_DROP_NONE);
        most = b.env.live > most ? b.env.live : most;
    }
    CU_ASSERT_EQUAL(s2_reassembly_count(b.r), S2_REASSEMBLY_PACKETS);
    CU_ASSERT_TRUE(most <= 2 + S2_REASSEMBLY_PACKETS);
    c.id = 100 - S2_REASSEMBLY_PACKETS; /* is still there */
    CU_ASSERT_EQUAL(piece(&b, &c, 80, 5, false), S2SVPN_DROP_NONE);
    CU_ASSERT_TRUE(is_whole(&b, &c, 85));
    c.id--; /* isn't */
    CU_ASSERT_EQUAL(piece(&b, &c, 80, 5, false), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(b.whole.len, 0);
    end(&b);
}

static void what_waits_too_long_is_forgotten(void)
{
    const struct cut c = {.version = 4, .id = 5, .payload = data};
    struct bench b;

    begin(&b);
    CU_ASSERT_EQUAL(s2_reassembly_expire(b.r, b.now_ns), S2SVPN_NEVER);
    CU_ASSERT_EQUAL(piece(&b, &c, 0, 80, true), S2SVPN_DROP_NONE);
    const uint64_t until = s2_reassembly_expire(b.r, b.now_ns);
    CU_ASSERT_EQUAL(until, b.now_ns + 60 * SECOND);
    /* a later fragment doesn't lengthen it */
    b.now_ns = until - 1;
    CU_ASSERT_EQUAL(piece(&b, &c, 80, 80, true), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(s2_reassembly_expire(b.r, b.now_ns), until);
    CU_ASSERT_EQUAL(s2_reassembly_count(b.r), 1);
    CU_ASSERT_EQUAL(s2_reassembly_expire(b.r, until), S2SVPN_NEVER);
    CU_ASSERT_EQUAL(s2_reassembly_count(b.r), 0);
    end(&b);
}

static void more_fragments_than_64_are_too_many(void)
{
    const struct cut c = {.version = 4, .id = 5, .payload = data};
    struct bench b;

    begin(&b);
    for (size_t i = 0; i < S2_REASSEMBLY_FRAGMENTS; i++)
        CU_ASSERT_EQUAL(piece(&b, &c, 8 * i, 8, true), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(piece(&b, &c, 8 * S2_REASSEMBLY_FRAGMENTS, 8, false), S2SVPN_DROP_REASSEMBLY);
    CU_ASSERT_EQUAL(b.whole.len, 0);
    end(&b);
}

static void a_whole_packet_is_refused(void)
{
    static uint8_t p[PACKET_ROOM];
    const struct s2_packet k = {.payload = {data, 100}};
    struct bench b;

    begin(&b);
    CU_ASSERT_EQUAL(give(&b, p, s2_write_packet(p, &k)), S2SVPN_DROP_REASSEMBLY);
    end(&b);
}

static bool step(struct s2_fake_env *f, void *arg)
{
    struct bench b = {.env = *f};
    const struct cut c = {.version = 4, .id = 5, .payload = data};
    bool good;

    (void)arg;
    b.now_ns = SECOND;
    if (s2_reassembly_new(&f->env, &b.r) != S2SVPN_OK)
        return false;
    good = piece(&b, &c, 0, 80, true) == S2SVPN_DROP_NONE;
    if (good)
        good = piece(&b, &c, 80, 5, false) == S2SVPN_DROP_NONE && is_whole(&b, &c, 85);
    s2_reassembly_free(b.r);
    return good;
}

static void every_failing_allocation_is_survived(void)
{
    s2_fail_every_allocation(step, NULL);
}

const CU_TestInfo s2_test_reassembly[] = {
    {"every order gives the packet", every_order_gives_the_packet},
    {"what was cut comes together", what_was_cut_comes_together},
    {"an exact copy is ignored", an_exact_copy_is_ignored},
    {"fragments that contradict one another end the packet",
     fragments_that_contradict_one_another_end_the_packet},
    {"packets are told apart", packets_are_told_apart},
    {"the oldest goes for a new one", the_oldest_goes_for_a_new_one},
    {"what waits too long is forgotten", what_waits_too_long_is_forgotten},
    {"more fragments than 64 are too many", more_fragments_than_64_are_too_many},
    {"a whole packet is refused", a_whole_packet_is_refused},
    {"every failing allocation is survived", every_failing_allocation_is_survived},
    CU_TEST_INFO_NULL,
};
