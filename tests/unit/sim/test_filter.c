/* SPDX-License-Identifier: Apache-2.0 */
/* What a filter can do to a datagram, and what it can't. */
#include "fake_context.h"
#include "harness.h"

#include <string.h>

#define SECOND 1000000000ull

struct told {
    s2svpn_sim_fate fate; /* what it says */
    uint8_t flip;         /* into the first byte */
    uint32_t len;         /* 0: as it is */
    unsigned calls;
    s2svpn_datagram seen;
};

static void filter(void *user, s2svpn_sim *sim, s2svpn_datagram *d, s2svpn_sim_fate *fate,
                   uint64_t now_ns)
{
    struct told *t = user;

    CU_ASSERT_EQUAL(now_ns, s2svpn_sim_now(sim));
    t->calls++;
    t->seen = *d;
    fate->drop = t->fate.drop;
    fate->copies = t->fate.copies;
    fate->delay_ns = t->fate.delay_ns;
    fate->copy_after_ns = t->fate.copy_after_ns;
    d->data[0] ^= t->flip;
    d->len = t->len ? t->len : d->len;
    d->local.port = 1; /* doesn't count */
    d->remote.port = 1;
}

/* Send four bytes from 0 to 1 through it. */
static void play(struct lab *lab, struct told *t)
{
    uint8_t data[4] = {1, 2, 3, 4};
    const s2svpn_datagram d = lab_datagram(0, 1, S2SVPN_ROLE_NATT, data, 4);

    lab_open(lab, 1, 2);
    s2svpn_sim_set_filter(lab->sim, filter, t);
    lab_send(lab, 0, &d);
    CU_ASSERT_EQUAL(data[0], 1); /* the sender's bytes are its own */
    s2svpn_sim_run(lab->sim, 100 * SECOND);
    const s2svpn_sim_counters c = lab_counters(lab);
    CU_ASSERT_EQUAL(c.sent + c.duplicated, c.lost + c.unroutable + c.delivered);
    CU_ASSERT_EQUAL(t->calls, 1);
}

static void what_it_leaves_alone_arrives_as_it_was(void)
{
    struct told t = {.flip = 0};
    struct lab lab;

    play(&lab, &t);
    CU_ASSERT_EQUAL_FATAL(lab.ctx[1]->count, 1);
    CU_ASSERT_EQUAL(lab.ctx[1]->arrivals[0].head[0], 1);
    CU_ASSERT_EQUAL(lab.ctx[1]->arrivals[0].d.remote.port, 4500);
    CU_ASSERT_EQUAL(t.seen.remote.port, 4500);
    CU_ASSERT_EQUAL(lab_counters(&lab).impaired, 0);
    lab_close(&lab);
}

static void it_mangles_and_truncates_but_adds_nothing(void)
{
    static const struct {
        const char *row;
        uint8_t flip;
        uint32_t len, arrives;
    } rows[] = {{"mangle", 0x80, 0, 4}, {"truncate", 0, 2, 2}, {"lengthen", 0x80, 9, 4}};

    for (size_t i = 0; i < 3; i++) {
        struct told t = {.flip = rows[i].flip, .len = rows[i].len};
        struct lab lab;

        play(&lab, &t);
        CU_ASSERT_EQUAL_FATAL(lab.ctx[1]->count, 1);
        CHECK_ROW(rows[i].row, lab.ctx[1]->arrivals[0].len == rows[i].arrives);
        CHECK_ROW(rows[i].row, lab.ctx[1]->arrivals[0].head[0] == (1 ^ rows[i].flip));
        CHECK_ROW(rows[i].row, lab_counters(&lab).impaired == 1);
        lab_close(&lab);
    }
}

static void it_drops_delays_duplicates_and_holds(void)
{
    static const struct {
        const char *row;
        s2svpn_sim_fate fate;
        size_t count;
        uint64_t at_ns[3]; /* after the microsecond of a perfect link */
    } rows[] = {
        {"drop", {.drop = true}, 0, {0}},
        {"delay", {.delay_ns = 3 * SECOND}, 1, {3 * SECOND}},
        {"double", {.copies = 1}, 2, {0, 0}},
        {"replay", {.copies = 2, .copy_after_ns = 30 * SECOND}, 3, {0, 30 * SECOND, 60 * SECOND}},
        {"hold", {.drop = true, .copies = 1, .copy_after_ns = 5 * SECOND}, 1, {5 * SECOND}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct told t = {.fate = rows[i].fate};
        struct lab lab;

        play(&lab, &t);
        CHECK_ROW(rows[i].row, lab.ctx[1]->count == rows[i].count);
        for (size_t k = 0; k < rows[i].count && k < lab.ctx[1]->count; k++)
            CHECK_ROW(rows[i].row,
                      lab.ctx[1]->arrivals[k].now_ns == SECOND + 1000 + rows[i].at_ns[k]);
        CHECK_ROW(rows[i].row, lab_counters(&lab).impaired == 1);
        lab_close(&lab);
    }
}

static void trains_are_cut_before_it(void)
{
    struct told t = {.flip = 0};
    uint8_t data[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    s2svpn_datagram d = lab_datagram(0, 1, S2SVPN_ROLE_NATT, data, 10);
    struct lab lab;

    d.segment = 4;
    lab_open(&lab, 1, 2);
    s2svpn_sim_set_filter(lab.sim, filter, &t);
    lab_send(&lab, 0, &d);
    s2svpn_sim_run(lab.sim, 2 * SECOND);
    CU_ASSERT_EQUAL(t.calls, 3);
    CU_ASSERT_EQUAL_FATAL(lab.ctx[1]->count, 3);
    CU_ASSERT_EQUAL(lab.ctx[1]->arrivals[2].len, 2);
    CU_ASSERT_EQUAL(lab.ctx[1]->arrivals[2].head[0], 8);
    s2svpn_sim_set_filter(lab.sim, NULL, NULL); /* and whole again without */
    lab_send(&lab, 0, &d);
    s2svpn_sim_run(lab.sim, 3 * SECOND);
    CU_ASSERT_EQUAL_FATAL(lab.ctx[1]->count, 4);
    CU_ASSERT_EQUAL(lab.ctx[1]->arrivals[3].len, 10);
    CU_ASSERT_EQUAL(t.calls, 3);
    lab_close(&lab);
}

static void strangers_pass_by_it(void)
{
    struct told t = {.fate = {.drop = true}};
    uint8_t data[1] = {7};
    const s2svpn_datagram d = lab_datagram(0, 1, S2SVPN_ROLE_NATT, data, 1);
    struct lab lab;

    lab_open(&lab, 1, 2);
    s2svpn_sim_set_filter(lab.sim, filter, &t);
    CU_ASSERT_EQUAL(s2svpn_sim_send(lab.sim, &d), S2SVPN_OK);
    s2svpn_sim_run(lab.sim, 2 * SECOND);
    CU_ASSERT_EQUAL(lab.ctx[1]->count, 1);
    CU_ASSERT_EQUAL(t.calls, 0);
    lab_close(&lab);
}

static void it_sees_the_addresses_that_the_outside_sees(void)
{
    s2svpn_sim_nat_options o = S2SVPN_SIM_NAT_OPTIONS_INIT;
    struct told t = {.flip = 0};
    uint8_t data[1] = {7};
    const s2svpn_datagram d = lab_datagram(0, 1, S2SVPN_ROLE_NATT, data, 1);
    s2svpn_sim_nat *nat;
    struct lab lab;

    o.inside = (s2svpn_prefix){.address = lab_address(0), .length = 32};
    o.outside = lab_address(100);
    lab_open(&lab, 1, 2);
    CU_ASSERT_EQUAL(s2svpn_sim_nat_new(lab.sim, &o, &nat), S2SVPN_OK);
    s2svpn_sim_set_filter(lab.sim, filter, &t);
    lab_send(&lab, 0, &d);
    CU_ASSERT_EQUAL(memcmp(&t.seen.local.address, &o.outside, sizeof(o.outside)), 0);
    s2svpn_sim_run(lab.sim, 2 * SECOND);
    CU_ASSERT_EQUAL(lab.ctx[1]->count, 1);
    lab_close(&lab);
}

const CU_TestInfo s2_test_filter[] = {
    {"what it leaves alone arrives as it was", what_it_leaves_alone_arrives_as_it_was},
    {"it mangles and truncates, but adds nothing", it_mangles_and_truncates_but_adds_nothing},
    {"it drops, delays, duplicates and holds", it_drops_delays_duplicates_and_holds},
    {"trains are cut before it", trains_are_cut_before_it},
    {"strangers pass by it", strangers_pass_by_it},
    {"it sees the addresses that the outside sees", it_sees_the_addresses_that_the_outside_sees},
    CU_TEST_INFO_NULL,
};
