/* SPDX-License-Identifier: Apache-2.0 */
/* ike.c, sa.c, cookie.c, words.c: tables and limits, commands from inside callbacks,
 * and what the engine leaves behind. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/text.h"
#include "harness.h"
#include "ike/pair.h"
#include "ike/sa.h"
#include "ike/v2/v2.h"

/* ---- cookies */

static void a_cookie_is_good_for_one_initiator_and_a_while(void)
{
    struct s2_pair p;
    uint8_t cookie[S2_IKE_COOKIE_LEN], again[S2_IKE_COOKIE_LEN];
    const s2svpn_address here = s2_address_ipv4(0xc0000201), there = s2_address_ipv4(0xc0000202);
    const s2svpn_span nonce = s2_span("sixteen bytes...", 16),
                      other = s2_span("another nonce...", 16);

    s2_pair_init(&p, 1);
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    struct s2_ike *ike = p.end[0].ike;
    const s2svpn_span c = s2_span(cookie, sizeof(cookie));
    ike->now_ns = 5 * S2_SECOND;
    memset(cookie, 0, sizeof(cookie));
    CU_ASSERT_NOT_EQUAL(s2_ike_cookie_check(ike, c, nonce, &here, 7), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_ike_cookie_make(ike, nonce, &here, 7, cookie), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_ike_cookie_check(ike, c, nonce, &here, 7), S2SVPN_OK);
    CU_ASSERT_NOT_EQUAL(s2_ike_cookie_check(ike, c, other, &here, 7), S2SVPN_OK);
    CU_ASSERT_NOT_EQUAL(s2_ike_cookie_check(ike, c, nonce, &there, 7), S2SVPN_OK);
    CU_ASSERT_NOT_EQUAL(s2_ike_cookie_check(ike, c, nonce, &here, 8), S2SVPN_OK);
    CU_ASSERT_NOT_EQUAL(s2_ike_cookie_check(ike, s2_span(cookie, 16), nonce, &here, 7), S2SVPN_OK);
    CU_ASSERT_NOT_EQUAL(s2_ike_cookie_check(ike, s2_span(NULL, 0), nonce, &here, 7), S2SVPN_OK);
    for (size_t i = 0; i < sizeof(cookie); i++) {
        cookie[i] ^= 1;
        CU_ASSERT_NOT_EQUAL(s2_ike_cookie_check(ike, c, nonce, &here, 7), S2SVPN_OK);
        cookie[i] ^= 1;
    }
    ike->now_ns += 61 * S2_SECOND; /* a new secret; the old one still counts */
    CU_ASSERT_EQUAL(s2_ike_cookie_make(ike, nonce, &here, 7, again), S2SVPN_OK);
    CU_ASSERT_NOT_EQUAL(memcmp(cookie, again, sizeof(cookie)), 0);
    CU_ASSERT_EQUAL(s2_ike_cookie_check(ike, c, nonce, &here, 7), S2SVPN_OK);
    ike->now_ns += 61 * S2_SECOND;
    CU_ASSERT_EQUAL(s2_ike_cookie_make(ike, nonce, &here, 7, again), S2SVPN_OK);
    CU_ASSERT_NOT_EQUAL(s2_ike_cookie_check(ike, c, nonce, &here, 7), S2SVPN_OK);
    ike->now_ns += 1000 * S2_SECOND;
    CU_ASSERT_NOT_EQUAL(s2_ike_cookie_check(ike, s2_span(again, sizeof(again)), nonce, &here, 7),
                        S2SVPN_OK);
    s2_pair_close(&p);
}

/* ---- words */

static void offers_are_printed_by_name_and_cut(void)
{
    const struct s2_ike_sa_payload offer = {
        .count = 2,
        .proposal = {{.count = 3,
                      .transform = {{S2SVPN_TRANSFORM_ENCR, 12, 256},
                                    {S2SVPN_TRANSFORM_INTEG, 12, 0},
                                    {S2SVPN_TRANSFORM_KE, 31, 0}}},
                     {.count = 2,
                      .transform = {{S2SVPN_TRANSFORM_ENCR, 999, 128},
                                    {S2SVPN_TRANSFORM_PRF, 2, 0}}}},
    };
    const struct s2_ike_sa_payload none = {0};
    char words[160], little[8];

    s2_ike_print_offer(&offer, words, sizeof(words));
    CU_ASSERT_STRING_EQUAL(words, "AES_CBC_256/HMAC_SHA2_256_128/CURVE25519, 1:999/PRF_HMAC_SHA1");
    s2_ike_print_offer(&offer, little, sizeof(little));
    CU_ASSERT_STRING_EQUAL(little, "AES_CBC");
    s2_ike_print_offer(&none, words, sizeof(words));
    CU_ASSERT_STRING_EQUAL(words, "nothing");
}

/* ---- limits */

/* Datagrams for end 1 from any number of initiators: those that end 0 begins and
 * forgets at once. */
static void begin_and_forget(struct s2_pair *p, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        CU_ASSERT_TRUE(s2_pair_initiate(p, 0));
        s2_pair_forget(p, 0);
    }
}

static void half_open_sas_are_bounded_and_the_oldest_goes(void)
{
    struct s2_pair p;
    struct s2_ike_counters counters;

    s2_pair_init(&p, 2);
    p.end[1].options.limits.half_open = 4;
    p.end[1].options.limits.cookie_threshold = 1000;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    begin_and_forget(&p, 20);
    s2_pair_run_for(&p, S2_SECOND);
    s2_ike_get_counters(p.end[1].ike, &counters);
    CU_ASSERT_EQUAL(counters.half_open, 4);
    CU_ASSERT_EQUAL(counters.sas, 4);
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_agrees(&p)); /* an honest one still comes through */
    s2_pair_run_for(&p, 31 * S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    s2_pair_close(&p);
    CU_ASSERT_EQUAL(p.end[1].fake.live, 0);
}

static size_t length_of(const struct s2_link *list)
{
    size_t n = 0;

    S2_LIST_EACH(list, it) {
        n++;
    }
    return n;
}

/* Of eight the oldest are known to receive where they say that they are. One more that may be
 * invented makes room among its own kind, unless that has less than a quarter. */
static void invented_sources_do_not_push_out_who_receives(void)
{
    static const struct {
        size_t returned, more, more_returned, left, left_returned;
        bool young; /* they may be at work still */
    } rows[] = {
        {4, 1, 0, 3, 4, false}, {4, 4, 0, 0, 4, false}, {4, 0, 1, 3, 4, false},
        {4, 0, 4, 0, 4, false}, {4, 0, 6, 0, 2, false}, {7, 1, 0, 1, 6, false},
        {7, 2, 0, 0, 6, false}, {8, 2, 0, 0, 6, false}, {8, 0, 1, 0, 7, false},
        {6, 1, 0, 1, 6, false}, {5, 5, 0, 0, 5, false}, {8, 2, 0, 0, 8, true},
        {8, 0, 2, 0, 8, true},  {7, 0, 2, 1, 7, true},  {7, 1, 0, 0, 7, true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s2_pair p;
        struct s2_ike *ike;

        s2_pair_init(&p, 20 + i);
        p.end[1].options.limits.half_open = 8;
        p.end[1].options.limits.cookie_threshold = 1000;
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        begin_and_forget(&p, 8);
        s2_pair_run_for(&p, (rows[i].young ? 1 : 3) * S2_SECOND);
        ike = p.end[1].ike;
        for (size_t n = 0; n < rows[i].returned; n++)
            s2_ike_sa_returned(S2_CONTAINER(ike->half_open.next, struct s2_ike_sa, half_link));
        CU_ASSERT_EQUAL(ike->returned, rows[i].returned);
        s2_ike_enter(ike, p.now_ns);
        ike->options.limits.sas = 0; /* full, however many are left */
        for (size_t n = 0; n < rows[i].more + rows[i].more_returned; n++)
            (void)s2_ike_make_room(ike, n >= rows[i].more);
        ike->options.limits.sas = 20000;
        s2_ike_leave(ike);
        CU_ASSERT_EQUAL(length_of(&ike->half_open), rows[i].left);
        CU_ASSERT_EQUAL(length_of(&ike->half_returned), rows[i].left_returned);
        CU_ASSERT_EQUAL(ike->returned, rows[i].left_returned);
        s2_pair_close(&p);
        CU_ASSERT_EQUAL(p.end[1].fake.live, 0);
    }
}

static void half_open_sas_that_compute_are_not_thrown_out(void)
{
    struct s2_pair p;
    struct s2_ike_counters counters;

    s2_pair_init(&p, 3);
    p.end[1].options.limits.half_open = 4;
    p.end[1].options.limits.cookie_threshold = 1000;
    p.end[1].defer_jobs = true;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    begin_and_forget(&p, 6);
    p.manual = true;
    while (s2_pair_deliver(&p, 1))
        ;
    s2_ike_get_counters(p.end[1].ike, &counters);
    CU_ASSERT_EQUAL(counters.half_open, 4);
    CU_ASSERT_EQUAL(counters.drops, 2);
    CU_ASSERT_EQUAL(p.end[1].drop, S2SVPN_DROP_IKE_LIMIT);
    s2_pair_close(&p);
    CU_ASSERT_EQUAL(p.end[1].jobs_cancelled, 4);
}

static void all_sas_are_bounded_but_a_rekey_goes_through(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 4);
    p.end[0].options.limits.sas = p.end[1].options.limits.sas = 1;
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(s2_ike_rekey_sa(p.end[0].ike, &p.end[0], p.now_ns), S2SVPN_OK);
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    CU_ASSERT_EQUAL(p.end[0].sa_ups, 2);
    struct s2_ike_config second = p.end[0].config;
    second.owner = &second;
    CU_ASSERT_EQUAL(s2_ike_initiate(p.end[0].ike, &second, p.now_ns), S2SVPN_E_LIMIT);
    CU_ASSERT_EQUAL(s2_ike_initiate(p.end[1].ike, p.end[1].live, p.now_ns), S2SVPN_E_LIMIT);
    s2_pair_close(&p);
}

static void spis_carry_the_prefix(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 5);
    for (size_t e = 0; e < 2; e++) {
        p.end[e].options.spi_prefix = UINT64_C(0xab) << 56 | e << 48;
        p.end[e].options.spi_prefix_mask = UINT64_C(0xffff) << 48;
    }
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(p.end[0].info.spi_i >> 48, 0xab00);
    CU_ASSERT_EQUAL(p.end[0].info.spi_r >> 48, 0xab01);
    CU_ASSERT_EQUAL(s2_ike_rekey_sa(p.end[0].ike, &p.end[0], p.now_ns), S2SVPN_OK);
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_EQUAL(p.end[1].info.spi_i >> 48, 0xab00);
    CU_ASSERT_EQUAL(p.end[1].info.spi_r >> 48, 0xab01);
    s2_pair_close(&p);
}

/* ---- two tunnels of one peer */

static void identities_choose_among_tunnels(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 6);
    /* Two candidates; vpn says that it is the second, which has the right key. */
    struct s2_ike_config first = p.end[1].config;
    first.owner = &first;
    (void)s2_secret_set(&first.psk, "not this one", 12);
    p.end[1].candidate[0] = &first;
    p.end[1].candidate[1] = NULL;
    p.end[1].candidates = 2;
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    s2_pair_close(&p);
}

static void a_suite_that_the_chosen_tunnel_forbids_is_refused(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 7);
    struct s2_ike_config first = p.end[1].config;
    first.owner = &first;
    p.end[1].config.ike.ke[0] = p.end[1].config.ike.ke[2];
    p.end[1].config.ike.ke_count = 1;
    p.end[1].candidate[0] = &first;
    p.end[1].candidate[1] = NULL;
    p.end[1].candidates = 2;
    CU_ASSERT_FALSE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_PEER_AUTHENTICATION);
    CU_ASSERT_PTR_NOT_NULL(strstr(p.end[1].note, "no common proposal"));
    s2_pair_close(&p);
}

/* ---- long lives */

static void message_ids_never_come_round(void)
{
    static const struct {
        uint32_t id;
        unsigned sas;
    } rows[] = {{0x7fffff00, 1}, {0x80000000, 2}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s2_pair p;

        s2_pair_init(&p, 11);
        CU_ASSERT_TRUE(s2_pair_connect(&p));
        s2_ike_find_up(p.end[0].ike, &p.end[0])->out_id = rows[i].id;
        s2_ike_find_up(p.end[1].ike, &p.end[1])->in_id = rows[i].id;
        CU_ASSERT_EQUAL(s2_ike_check(p.end[0].ike, &p.end[0], p.now_ns), S2SVPN_OK);
        s2_pair_run_for(&p, 3 * S2_SECOND);
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        CU_ASSERT_EQUAL(p.end[0].sa_ups, rows[i].sas);
        s2_pair_close(&p);
    }
    struct s2_pair p;
    s2_pair_init(&p, 12);
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    s2_ike_find_up(p.end[0].ike, &p.end[0])->out_id = UINT32_MAX - 1;
    s2_ike_find_up(p.end[1].ike, &p.end[1])->in_id = UINT32_MAX - 1;
    CU_ASSERT_EQUAL(s2_ike_check(p.end[0].ike, &p.end[0], p.now_ns), S2SVPN_OK);
    s2_pair_run_for(&p, 15 * S2_MS);
    CU_ASSERT_EQUAL(p.end[1].reason, S2_IKE_REASON_LIFETIME);
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
    s2_pair_close(&p);
}

/* ---- forget and free at any moment */

static void forget_is_silent_at_any_moment(void)
{
    for (unsigned ms = 0; ms < 120; ms++) {
        for (size_t who = 0; who < 2; who++) {
            struct s2_pair p;
            struct s2_pair_end *e = &p.end[who];

            s2_pair_init(&p, 8);
            p.end[0].defer_jobs = p.end[1].defer_jobs = true;
            p.end[1].defer_identify = 1;
            CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
            CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
            s2_pair_run_for(&p, ms % 60 * S2_MS);
            if (ms >= 60) { /* with an IKE rekey on its way */
                s2_pair_run_for(&p, 100 * S2_MS);
                (void)!s2_ike_rekey_sa(p.end[ms % 2].ike, &p.end[ms % 2], p.now_ns);
                s2_pair_run_for(&p, ms % 60 * S2_MS);
            }
            const unsigned sent = e->sent, ups = e->sa_ups, downs = e->sa_downs;
            s2_pair_forget(e->pair, e->number);
            CU_ASSERT_EQUAL(s2_pair_sas(e), 0);
            CU_ASSERT_EQUAL(e->job_count, 0);
            CU_ASSERT_EQUAL(e->sent, sent);
            CU_ASSERT_EQUAL(e->sa_ups, ups);
            CU_ASSERT_EQUAL(e->sa_downs, downs);
            CU_ASSERT_EQUAL(e->children_down, downs > 0 ? e->children_down : 0);
            CU_ASSERT_EQUAL(e->spis_drawn, e->spis_given_back + e->children_up);
            s2_ike_identified(e->ike, e->ticket, e->live, p.now_ns); /* late: ignored */
            s2_pair_close(&p);
            CU_ASSERT_EQUAL(p.end[0].fake.live + p.end[1].fake.live, 0);
            CU_ASSERT_EQUAL(p.end[0].job_count + p.end[1].job_count, 0);
        }
    }
}

/* ---- commands from inside callbacks */

static const char *const callbacks[] = {
    "send", "identify", "sa_up", "sa_down", "child_up", "child_down", "note",
};
enum inside {
    TERMINATE_POLITELY,
    TERMINATE,
    FORGET,
    INITIATE,
    REKEY,
    REKEY_CHILD,
    RECEIVE,
    INSIDES
};

static struct {
    const char *callback;
    unsigned skip; /* so many calls pass before it acts */
    enum inside what;
    bool done;
} plan;

static void act_inside(struct s2_pair_end *e, const char *callback)
{
    uint8_t junk[40] = {1};

    if (plan.done || strcmp(callback, plan.callback) != 0 || plan.skip-- > 0)
        return;
    plan.done = true;
    switch (plan.what) {
    case TERMINATE_POLITELY:
    case TERMINATE:
        s2_ike_terminate(e->ike, e, plan.what == TERMINATE_POLITELY, e->pair->now_ns);
        break;
    case FORGET:
        s2_pair_forget(e->pair, e->number);
        for (size_t i = 0; i < e->children; i++) /* as vpn would do itself */
            e->children_down += e->child[i].up, e->child[i].up = false;
        e->outbound = NULL;
        break;
    case INITIATE:
        (void)!s2_ike_initiate(e->ike, e->live, e->pair->now_ns);
        break;
    case REKEY:
        (void)!s2_ike_rekey_sa(e->ike, e, e->pair->now_ns);
        break;
    case REKEY_CHILD:
        for (size_t i = 0; i < e->children; i++)
            (void)!s2_ike_rekey_child(e->ike, e, e->child[i].spi_in, e->pair->now_ns);
        break;
    default:
        (void)s2_ike_receive(e->ike, &e->config.local, &e->config.local, junk, sizeof(junk),
                             e->pair->now_ns);
    }
}

/* A life with one command in one callback, then quiet, then a new start. */
static const char *live_with(struct s2_pair *p, unsigned who)
{
    p->end[who].hook = act_inside;
    p->end[0].defer_identify = p->end[1].defer_identify = 1;
    (void)s2_pair_initiate(p, 0);
    s2_pair_run_for(p, S2_SECOND);
    for (unsigned e = 0; e < 2; e++) {
        (void)!s2_ike_rekey_sa(p->end[e].ike, &p->end[e], p->now_ns);
        s2_pair_run_for(p, S2_SECOND);
        for (size_t i = 0; i < p->end[e].children; i++)
            (void)!s2_ike_rekey_child(p->end[e].ike, &p->end[e], p->end[e].child[i].spi_in,
                                      p->now_ns);
        s2_pair_run_for(p, S2_SECOND);
    }
    p->end[who].hook = NULL;
    for (size_t i = 0; i < 10 && !s2_pair_is_settled(p); i++) {
        for (unsigned e = 0; e < 2; e++) {
            if (s2_pair_children_up(&p->end[e]) == 0)
                (void)s2_pair_initiate(p, e);
        }
        s2_pair_run_for(p, 60 * S2_SECOND);
    }
    if (!s2_pair_is_settled(p))
        return "it settles";
    return s2_pair_balances(&p->end[0]) && s2_pair_balances(&p->end[1]) ? NULL : "SPIs balance";
}

static void any_command_may_come_from_inside_any_callback(void)
{
    for (size_t c = 0; c < sizeof(callbacks) / sizeof(callbacks[0]); c++) {
        for (unsigned n = 0; n < INSIDES * 2 * 8; n++) {
            struct s2_pair p;
            char row[128];

            plan.callback = callbacks[c];
            plan.what = (enum inside)(n % INSIDES);
            plan.skip = n / INSIDES / 2;
            plan.done = false;
            const unsigned who = n / INSIDES % 2;
            s2_pair_init(&p, 9);
            p.end[0].config.esp.ke[0] = p.end[1].config.esp.ke[0] = S2SVPN_KE_CURVE25519;
            p.end[0].config.ike.ke[0] = p.end[1].config.ike.ke[0] = S2SVPN_KE_CURVE25519;
            CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
            const char *wrong = live_with(&p, who);
            s2_print(row, sizeof(row), "command %d in %s number %u at end %u: %s", (int)plan.what,
                     callbacks[c], n / INSIDES / 2, who, wrong != NULL ? wrong : "well");
            CHECK_ROW(row, wrong == NULL);
            s2_pair_close(&p);
            CU_ASSERT_EQUAL(p.end[0].fake.live + p.end[1].fake.live, 0);
        }
    }
}

/* ---- size */

static size_t held;

static void *count_allocation(void *user, size_t len)
{
    size_t *p = malloc(len + 16);

    (void)user;
    p[0] = len;
    held += len;
    return (char *)p + 16;
}

static void count_release(void *user, void *p)
{
    (void)user;
    if (p == NULL)
        return;
    held -= *(size_t *)(void *)((char *)p - 16);
    free((char *)p - 16);
}

static void an_idle_tunnel_is_small(void)
{
    static const s2svpn_memory memory = {
        .size = sizeof(memory), .allocate = count_allocation, .release = count_release};
    struct s2_pair p;

    s2_pair_init(&p, 10);
    held = 0;
    p.end[1].fake.env.memory = &memory;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    const size_t before = held;
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    CU_ASSERT_TRUE(held - before < 4096);
    s2_pair_close(&p);
    CU_ASSERT_EQUAL(held, 0);
}

const CU_TestInfo s2_test_engine[] = {
    {"a cookie is good for one initiator and a while",
     a_cookie_is_good_for_one_initiator_and_a_while},
    {"offers are printed by name and cut", offers_are_printed_by_name_and_cut},
    {"half-open SAs are bounded and the oldest goes",
     half_open_sas_are_bounded_and_the_oldest_goes},
    {"invented sources don't push out who receives", invented_sources_do_not_push_out_who_receives},
    {"half-open SAs that compute are not thrown out",
     half_open_sas_that_compute_are_not_thrown_out},
    {"all SAs are bounded but a rekey goes through", all_sas_are_bounded_but_a_rekey_goes_through},
    {"SPIs carry the prefix", spis_carry_the_prefix},
    {"identities choose among tunnels", identities_choose_among_tunnels},
    {"a suite that the chosen tunnel forbids is refused",
     a_suite_that_the_chosen_tunnel_forbids_is_refused},
    {"message IDs never come round", message_ids_never_come_round},
    {"forget is silent at any moment", forget_is_silent_at_any_moment},
    {"any command may come from inside any callback",
     any_command_may_come_from_inside_any_callback},
    {"an idle tunnel is small", an_idle_tunnel_is_small},
    CU_TEST_INFO_NULL,
};
