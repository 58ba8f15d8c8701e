/* SPDX-License-Identifier: Apache-2.0 */
/* v2/window.c and the retransmits of v2/exchange.c: RFC 7296 sections 2.1, 2.2, 2.3,
 * 3.10.1 (SET_WINDOW_SIZE), RFC 7383 section 2.6.1. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "base/address.h"
#include "base/text.h"
#include "harness.h"
#include "ike/forge.h"

/* ---- who may send how much */

static void a_window_is_told_if_it_is_more_than_one(void)
{
    static const struct {
        const char *row;
        uint32_t left, right, seen_by_left, seen_by_right;
    } rows[] = {
        {"nothing said", 0, 0, 1, 1},
        {"one is what goes without saying", 1, 1, 1, 1},
        {"the initiator's", 4, 0, 1, 4},
        {"the responder's", 0, 3, 3, 1},
        {"more than there may be", 0, 1000, S2_IKE_WINDOW_MAX, 1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s2_ike_sa_info info[2];
        struct s2_pair p;

        s2_pair_init(&p, i);
        p.end[0].options.request_window = rows[i].left;
        p.end[1].options.request_window = rows[i].right;
        CHECK_ROW(rows[i].row, s2_pair_connect(&p));
        for (size_t e = 0; e < 2; e++)
            CU_ASSERT_TRUE(s2_ike_get_info(p.end[e].ike, &p.end[e], &info[e]));
        CHECK_ROW(rows[i].row, info[0].peer_window == rows[i].seen_by_left);
        CHECK_ROW(rows[i].row, info[1].peer_window == rows[i].seen_by_right);
        /* A rekeyed SA begins with one again. */
        CU_ASSERT_EQUAL(s2_ike_rekey_sa(p.end[0].ike, &p.end[0], p.now_ns), S2SVPN_OK);
        s2_pair_run_for(&p, S2_SECOND);
        CU_ASSERT_TRUE(s2_ike_get_info(p.end[0].ike, &p.end[0], &info[0]));
        CHECK_ROW(rows[i].row, s2_pair_is_settled(&p) && info[0].peer_window == 1);
        s2_pair_close(&p);
    }
}

/* Any exchange after IKE_AUTH may say it; what isn't four bytes says nothing. */
static void a_malformed_window_is_passed_over(void)
{
    static const struct {
        const char *row;
        const char *data;
        size_t len;
        uint32_t seen;
    } rows[] = {
        {"no data", "", 0, 1},
        {"three bytes", "\0\0\5", 3, 1},
        {"five bytes", "\0\0\0\0\5", 5, 1},
        {"none at all", "\0\0\0\0", 4, 1},
        {"five", "\0\0\0\5", 4, 5},
        {"as many as there are numbers", "\xff\xff\xff\xff", 4, UINT32_MAX},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s2_ike_sa_info info;
        struct s2_pair p;

        CU_ASSERT_TRUE_FATAL(s2_forge_connect(&p, 1));
        struct s2_ike_sa *sa = s2_forge_sa(&p, 0);
        struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_INFORMATIONAL);
        s2_ike_add_notify(c, S2_IKE_N_SET_WINDOW_SIZE, s2_span(rows[i].data, rows[i].len));
        s2_forge_send(&p, sa, S2_IKE_INFORMATIONAL);
        s2_pair_run_for(&p, S2_SECOND);
        CHECK_ROW(rows[i].row, s2_forge_told(sa) == 0 && s2_pair_is_settled(&p));
        CU_ASSERT_TRUE(s2_ike_get_info(p.end[1].ike, &p.end[1], &info));
        CHECK_ROW(rows[i].row, info.peer_window == rows[i].seen);
        s2_pair_close(&p);
    }
}

/* However many the peer would take, one request of ours is out at a time. */
static unsigned requests_open(const struct s2_pair *p)
{
    unsigned first = 0, open = 0;

    for (size_t i = 0; i < p->queued; i++) {
        if (p->queue[i].to != 1 || (p->queue[i].p[19] & S2_IKE_FLAG_RESPONSE) != 0)
            continue;
        open += open == 0 || p->queue[i].p[23] != first;
        first = p->queue[i].p[23];
    }
    return open;
}

static void our_requests_go_one_by_one(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 2);
    p.end[1].options.request_window = 8;
    CU_ASSERT_TRUE_FATAL(s2_pair_connect(&p));
    p.manual = true;
    struct s2_pair_end *e = &p.end[0];
    CU_ASSERT_EQUAL(s2_ike_check(e->ike, e, p.now_ns), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_ike_rekey_child(e->ike, e, e->child[0].spi_in, p.now_ns), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_ike_rekey_sa(e->ike, e, p.now_ns), S2SVPN_OK);
    s2_pair_run_for(&p, 5 * S2_SECOND);
    CU_ASSERT_EQUAL(requests_open(&p), 1);
    p.manual = false;
    s2_pair_run_for(&p, 10 * S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    CU_ASSERT_EQUAL(e->children_up, 2);
    CU_ASSERT_EQUAL(e->sa_ups, 2);
    s2_pair_close(&p);
}

/* ---- a peer that has several open */

#define REQUESTS 5
struct burst {
    uint8_t p[REQUESTS][256];
    size_t len[REQUESTS];
};

/* Requests with successive IDs: checks, and a delete of nothing in the third. */
static void make_burst(struct s2_ike_sa *sa, struct burst *b)
{
    const uint32_t id = sa->out_id, nothing = 0x99999999;

    for (unsigned i = 0; i < REQUESTS; i++) {
        sa->out_id = id + i;
        struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_INFORMATIONAL);
        if (i == 2)
            s2_forge_add_delete(c, S2_IKE_PROTO_ESP, &nothing, 1);
        CU_ASSERT_EQUAL(s2_ike_sk_end(&c->sk, &sa->ike->crypto, &sa->keys, true, 1000 + i),
                        S2SVPN_OK);
        memcpy(b->p[i], c->bytes, c->w.len);
        b->len[i] = c->w.len;
    }
    sa->out_id = id;
}

static enum s2svpn_drop give(struct s2_pair *p, const struct burst *b, unsigned i)
{
    uint8_t copy[256];

    memcpy(copy, b->p[i], b->len[i]);
    return s2_ike_receive(p->end[1].ike, &p->end[1].config.local, &p->end[0].config.local, copy,
                          b->len[i], p->now_ns);
}

static void connect_with_window(struct s2_pair *p, uint64_t seed, uint32_t window)
{
    s2_pair_init(p, seed);
    p->filter = s2_forge_keep_last;
    p->end[1].options.request_window = window;
    CU_ASSERT_TRUE_FATAL(s2_pair_connect(p));
    p->manual = true;
}

/* Every order of four requests that come together; the fifth is too early. */
static void requests_are_done_in_their_order_whatever_order_they_come_in(void)
{
    static const char *const orders[] = {"0123", "3210", "2031", "1302", "0321", "1230"};

    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        struct burst b;
        struct s2_pair p;

        connect_with_window(&p, 3, 4);
        make_burst(s2_forge_sa(&p, 0), &b);
        const uint32_t first = s2_forge_sa(&p, 1)->in_id;
        const unsigned sent = p.end[1].sent;
        CHECK_ROW("too early", give(&p, &b, 4) == S2SVPN_DROP_IKE_WINDOW);
        unsigned came = 0, next = 0;
        for (const char *o = orders[i]; *o != '\0'; o++) {
            CHECK_ROW(orders[i], give(&p, &b, (unsigned)(*o - '0')) == S2SVPN_DROP_NONE);
            came |= 1u << (*o - '0');
            while ((came >> next & 1) != 0)
                next++;
            /* Exactly those are answered of which none before is missing. */
            CHECK_ROW(orders[i], p.end[1].sent == sent + next);
            CHECK_ROW(orders[i], s2_forge_sa(&p, 1)->in_id == first + next);
        }
        /* The window has moved on. */
        CHECK_ROW(orders[i], give(&p, &b, 4) == S2SVPN_DROP_NONE);
        CHECK_ROW(orders[i], s2_pair_agrees(&p));
        s2_pair_close(&p);
        CHECK_ROW(orders[i], p.end[1].fake.live == 0);
    }
}

static void each_request_of_the_window_is_answered_again_with_the_same_bytes(void)
{
    uint8_t answer[REQUESTS][256];
    size_t len[REQUESTS];
    struct burst b;
    struct s2_pair p;

    connect_with_window(&p, 4, 4);
    make_burst(s2_forge_sa(&p, 0), &b);
    for (unsigned i = 0; i < REQUESTS; i++) {
        CU_ASSERT_EQUAL(give(&p, &b, i), S2SVPN_DROP_NONE);
        len[i] = s2_forge_last_len;
        memcpy(answer[i], s2_forge_last_answer, len[i]);
    }
    for (unsigned i = REQUESTS; i-- > 0;) {
        s2_forge_last_len = 0;
        const enum s2svpn_drop drop = give(&p, &b, i);
        if (i == 0) { /* four are kept */
            CU_ASSERT_EQUAL(drop, S2SVPN_DROP_IKE_WINDOW);
            CU_ASSERT_EQUAL(s2_forge_last_len, 0);
            continue;
        }
        CU_ASSERT_EQUAL(drop, S2SVPN_DROP_NONE);
        CU_ASSERT_EQUAL(s2_forge_last_len, len[i]);
        CU_ASSERT_EQUAL(memcmp(s2_forge_last_answer, answer[i], len[i]), 0);
        b.p[i][b.len[i] - 1] ^= 1; /* like it, but not it */
        CU_ASSERT_EQUAL(give(&p, &b, i), S2SVPN_DROP_IKE_WINDOW);
    }
    s2_pair_close(&p);
}

static void without_a_window_a_request_waits_for_its_turn_at_the_sender(void)
{
    struct burst b;
    struct s2_pair p;

    connect_with_window(&p, 5, 1);
    make_burst(s2_forge_sa(&p, 0), &b);
    CU_ASSERT_EQUAL(give(&p, &b, 1), S2SVPN_DROP_IKE_WINDOW);
    CU_ASSERT_EQUAL(give(&p, &b, 0), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(give(&p, &b, 1), S2SVPN_DROP_NONE);
    CU_ASSERT_PTR_NULL(s2_forge_sa(&p, 1)->window); /* and it costs no memory */
    s2_pair_close(&p);
}

/* A place in the window is for who has the keys, and for each request once. */
static void a_forgery_takes_no_place_in_the_window(void)
{
    struct burst b;
    struct s2_pair p;

    connect_with_window(&p, 6, 4);
    make_burst(s2_forge_sa(&p, 0), &b);
    b.p[2][b.len[2] - 1] ^= 1;
    CU_ASSERT_EQUAL(give(&p, &b, 2), S2SVPN_DROP_IKE_AUTHENTICATION);
    b.p[2][b.len[2] - 1] ^= 1;
    CU_ASSERT_EQUAL(give(&p, &b, 2), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(give(&p, &b, 2), S2SVPN_DROP_IKE_WINDOW);
    CU_ASSERT_EQUAL(give(&p, &b, 0), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(give(&p, &b, 1), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(s2_forge_sa(&p, 1)->in_id, s2_forge_sa(&p, 0)->out_id + 3);
    s2_pair_close(&p);
}

/* The first ends the SA while others wait behind it. */
static void an_sa_may_end_while_requests_wait(void)
{
    struct burst b;
    struct s2_pair p;

    connect_with_window(&p, 7, 4);
    struct s2_ike_sa *sa = s2_forge_sa(&p, 0);
    make_burst(sa, &b);
    CU_ASSERT_EQUAL(give(&p, &b, 1), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(give(&p, &b, 2), S2SVPN_DROP_NONE);
    struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_INFORMATIONAL);
    s2_forge_add_delete(c, S2_IKE_PROTO_IKE, NULL, 0);
    CU_ASSERT_EQUAL(s2_forge_give_sealed(&p, sa), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
    s2_pair_close(&p);
    CU_ASSERT_EQUAL(p.end[1].fake.live, 0);
}

static void every_allocation_of_a_window_fails_once(void)
{
    for (size_t n = 1; n < 30; n++) {
        struct burst b;
        struct s2_pair p;
        char row[32];

        connect_with_window(&p, 8, 4);
        make_burst(s2_forge_sa(&p, 0), &b);
        s2_print(row, sizeof(row), "allocation %u", (unsigned)n);
        p.end[1].fake.fail_at = p.end[1].fake.allocations + n;
        for (unsigned round = 0; round < 3; round++) { /* the peer sends again */
            for (unsigned i = 4; i-- > 0;)
                (void)give(&p, &b, i);
        }
        CHECK_ROW(row, s2_forge_sa(&p, 1)->in_id == s2_forge_sa(&p, 0)->out_id + 4);
        const bool reached = p.end[1].fake.failed;
        s2_pair_close(&p);
        CHECK_ROW(row, p.end[1].fake.live == 0);
        if (!reached)
            return;
    }
    CU_FAIL("there is no end of allocations");
}

/* ---- retransmits */

#define SEEN 64
static struct {
    uint64_t key;
    uint8_t p[2048];
    size_t len;
    unsigned times;
} seen[SEEN];
static size_t seen_count;
static unsigned changed;

/* SPIs, exchange, message ID and, of a fragment, its number, of an answer by end 1. */
static uint64_t key_of(const struct s2_pair_datagram *d)
{
    static const uint8_t zero[16];
    uint8_t bytes[16 + 1 + 4 + 2];

    memcpy(bytes, d->p, 16);
    bytes[16] = d->p[18];
    memcpy(bytes + 17, d->p + 20, 4);
    memcpy(bytes + 21, d->p[16] == S2_IKE_PAYLOAD_SKF ? d->p + 32 : zero, 2);
    return s2_siphash(zero, bytes, sizeof(bytes));
}

static bool compare_answers(struct s2_pair *p, struct s2_pair_datagram *d)
{
    size_t i = 0;

    (void)p;
    if (d->to != 0 || (d->p[19] & S2_IKE_FLAG_RESPONSE) == 0 || d->len > sizeof(seen[0].p))
        return true;
    if (d->p[16] == S2_IKE_PAYLOAD_NOTIFY)
        return true; /* INVALID_IKE_SPI: the SA went with the answer to its delete */
    const uint64_t key = key_of(d);
    while (i < seen_count && seen[i].key != key)
        i++;
    if (i == SEEN)
        return true;
    if (i == seen_count) {
        seen[i].key = key;
        seen[i].times = 0;
        memcpy(seen[i].p, d->p, d->len);
        seen[seen_count++].len = d->len;
    }
    seen[i].times++;
    changed += seen[i].len != d->len || memcmp(seen[i].p, d->p, d->len) != 0;
    return true;
}

/* Every request of a life comes twice: of each exchange, also in fragments, with every
 * kind of cipher, whether jobs answer at once or later. */
static void a_request_that_comes_again_is_answered_with_the_same_bytes(void)
{
    for (unsigned variant = 0; variant < 8; variant++) {
        const bool fragments = variant & 1, aead = variant & 2, later = variant & 4;
        struct s2_pair p;
        char row[64];

        s2_print(row, sizeof(row), "%s%s%s", fragments ? "fragments " : "", aead ? "AEAD " : "CBC ",
                 later ? "later" : "at once");
        s2_pair_init(&p, variant);
        for (size_t e = 0; e < 2; e++) {
            struct s2_ike_choices *c = &p.end[e].config.ike;

            c->encr[0] = c->encr[aead];
            c->encr_count = 1;
            p.end[e].options.fragment_size = fragments ? 300 : 1280;
            p.end[e].defer_jobs = later;
        }
        seen_count = changed = 0;
        p.filter = compare_answers;
        p.twice = 100;
        p.jitter_ms = 40;
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
        s2_pair_run_for(&p, 10 * S2_SECOND);
        struct s2_pair_end *end = &p.end[0];
        CHECK_ROW(row, s2_ike_rekey_child(end->ike, end, end->child[0].spi_in, p.now_ns) == 0);
        s2_pair_run_for(&p, 10 * S2_SECOND);
        CHECK_ROW(row, s2_ike_rekey_sa(end->ike, end, p.now_ns) == 0);
        s2_pair_run_for(&p, 10 * S2_SECOND);
        CHECK_ROW(row, s2_pair_is_settled(&p) && s2_ike_check(end->ike, end, p.now_ns) == 0);
        s2_pair_run_for(&p, 10 * S2_SECOND);
        CHECK_ROW(row, changed == 0);
        unsigned again = 0;
        for (size_t i = 0; i < seen_count; i++)
            again += seen[i].times > 2; /* twice is the network's doing */
        CHECK_ROW(row, seen_count >= (fragments ? 8 : 6) && again >= 4);
        s2_pair_close(&p);
    }
}

const CU_TestInfo s2_test_window[] = {
    {"a window is told if it is more than one", a_window_is_told_if_it_is_more_than_one},
    {"a malformed window is passed over", a_malformed_window_is_passed_over},
    {"our requests go one by one", our_requests_go_one_by_one},
    {"requests are done in their order whatever order they come in",
     requests_are_done_in_their_order_whatever_order_they_come_in},
    {"each request of the window is answered again with the same bytes",
     each_request_of_the_window_is_answered_again_with_the_same_bytes},
    {"without a window a request waits for its turn at the sender",
     without_a_window_a_request_waits_for_its_turn_at_the_sender},
    {"a forgery takes no place in the window", a_forgery_takes_no_place_in_the_window},
    {"an SA may end while requests wait", an_sa_may_end_while_requests_wait},
    {"every allocation of a window fails once", every_allocation_of_a_window_fails_once},
    {"a request that comes again is answered with the same bytes",
     a_request_that_comes_again_is_answered_with_the_same_bytes},
    CU_TEST_INFO_NULL,
};
