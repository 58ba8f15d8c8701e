/* SPDX-License-Identifier: Apache-2.0 */
/* The FIB against a naive model: a list of prefixes, looked through from its
 * beginning to its end. */
#include "routing/routing.h"

#include <string.h>

#include "base/address.h"
#include "fake_env.h"
#include "harness.h"

#define MODEL_MAX 2048

struct model {
    struct {
        s2svpn_prefix prefix;
        uint64_t value;
    } route[MODEL_MAX];
    size_t count;
};

struct world {
    struct s2_fake_env f;
    struct s2_epochs epochs;
    struct s2_fib *fib;
    struct model model;
};

static void open_world(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof(*w));
    s2_fake_env_init(&w->f, seed);
    s2_epochs_init(&w->epochs, 1);
    CU_ASSERT_EQUAL_FATAL(s2_fib_new(&w->f.env, &w->epochs, &w->fib), S2SVPN_OK);
}

static void close_world(struct world *w)
{
    s2_fib_free(w->fib);
    s2_epochs_clear(&w->epochs);
    CU_ASSERT_EQUAL(w->f.live, 0);
}

static uint32_t draw(struct world *w, uint32_t below)
{
    uint32_t v = 0;

    CU_ASSERT_EQUAL(s2_random(&w->f.env, &v, sizeof(v)), S2SVPN_OK);
    return v % below;
}

static s2svpn_prefix prefix(const char *text)
{
    s2svpn_prefix p = {{0}, 0, {0}};

    CU_ASSERT_FATAL(s2svpn_prefix_read(text, &p));
    return p;
}

static s2svpn_address address(const char *text)
{
    s2svpn_address a = {0};

    CU_ASSERT_FATAL(s2svpn_address_read(text, &a));
    return a;
}

/* An address with few different bytes, so that prefixes nest and part late. */
static s2svpn_address draw_address(struct world *w, uint8_t family)
{
    static const uint8_t some[] = {0x00, 0x01, 0x80, 0xff, 0xfe, 0x20};
    uint8_t bytes[16];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = some[draw(w, draw(w, 4) == 0 ? sizeof(some) : 2)];
    return s2_address_from(family, bytes);
}

static s2svpn_prefix draw_prefix(struct world *w)
{
    const uint8_t family = draw(w, 2) == 0 ? S2SVPN_FAMILY_IPV4 : S2SVPN_FAMILY_IPV6;
    const s2svpn_address a = draw_address(w, family);

    return s2_prefix_make(&a, (uint8_t)draw(w, s2_family_bits(family) + 1u));
}

static size_t model_find(const struct model *m, const s2svpn_prefix *p)
{
    size_t i = 0;

    while (i < m->count && !s2_prefix_equal(&m->route[i].prefix, p))
        i++;
    return i;
}

static void model_set(struct model *m, const s2svpn_prefix *p, uint64_t value)
{
    const size_t i = model_find(m, p);

    if (i == m->count)
        m->count++;
    m->route[i].prefix = *p;
    m->route[i].value = value;
}

static void model_unset(struct model *m, const s2svpn_prefix *p)
{
    const size_t i = model_find(m, p);

    if (i < m->count)
        m->route[i] = m->route[--m->count];
}

static uint64_t model_lookup(const struct model *m, const s2svpn_address *a)
{
    uint64_t best = 0;
    int length = -1;

    for (size_t i = 0; i < m->count; i++) {
        if (s2_prefix_contains(&m->route[i].prefix, a) && m->route[i].prefix.length > length) {
            best = m->route[i].value;
            length = m->route[i].prefix.length;
        }
    }
    return best;
}

/* A route of the model, or now and then any prefix. */
static s2svpn_prefix pick(struct world *w)
{
    if (w->model.count == 0 || draw(w, 8) == 0)
        return draw_prefix(w);
    return w->model.route[draw(w, (uint32_t)w->model.count)].prefix;
}

static bool agree(struct world *w, const s2svpn_address *a)
{
    return s2_fib_lookup(w->fib, a) == model_lookup(&w->model, a);
}

/* The first and the last address of a prefix, and those beside it. */
static bool agree_around(struct world *w, const s2svpn_prefix *p)
{
    s2svpn_address a = p->address;
    const unsigned bits = s2_family_bits(a.family);
    bool good = agree(w, &a);

    if (p->length > 0) {
        a.bytes[(p->length - 1) / 8] ^= (uint8_t)(0x80 >> (p->length - 1) % 8);
        good = good && agree(w, &a);
        a = p->address;
    }
    for (unsigned i = p->length; i < bits; i++)
        a.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
    return good && agree(w, &a);
}

static bool agree_on_all(struct world *w)
{
    bool good = s2_fib_count(w->fib) == w->model.count;

    for (size_t i = 0; i < w->model.count && good; i++) {
        good = agree_around(w, &w->model.route[i].prefix) &&
               s2_fib_get(w->fib, &w->model.route[i].prefix) == w->model.route[i].value;
    }
    return good;
}

/* Sets, replacements and removals at random; one in fail_one_in gets no memory for
 * one of its first allocations. */
static void run_random(struct world *w, unsigned steps, uint32_t fail_one_in)
{
    for (unsigned i = 0; i < steps; i++) {
        const bool remove = draw(w, 100) < (w->model.count < 400 ? 30u : 60u);
        const s2svpn_prefix p = remove || draw(w, 4) == 0 ? pick(w) : draw_prefix(w);
        const uint64_t value = 1 + draw(w, 1000000);

        if (fail_one_in > 0 && draw(w, fail_one_in) == 0)
            w->f.fail_at = w->f.allocations + 1 + draw(w, 4);
        if (remove) {
            s2_fib_unset(w->fib, &p);
            model_unset(&w->model, &p);
        } else if (s2_fib_set(w->fib, &p, value) == S2SVPN_OK) {
            model_set(&w->model, &p, value);
        } else {
            CU_ASSERT(fail_one_in > 0);
        }
        w->f.fail_at = 0;
        if (!agree_around(w, &p) || (i % 256 == 0 && !agree_on_all(w))) {
            CU_FAIL("the model says otherwise");
            return;
        }
    }
    CU_ASSERT(agree_on_all(w));
}

static void lookups_agree_with_a_naive_model(void)
{
    static struct world w;

    for (uint64_t seed = 1; seed <= 4; seed++) {
        open_world(&w, seed);
        run_random(&w, 6000, 0);
        while (w.model.count > 0) {
            const s2svpn_prefix p = w.model.route[draw(&w, (uint32_t)w.model.count)].prefix;

            s2_fib_unset(w.fib, &p);
            model_unset(&w.model, &p);
            CU_ASSERT(agree_around(&w, &p));
        }
        CU_ASSERT_EQUAL(s2_fib_count(w.fib), 0);
        while (s2_epoch_reclaim(&w.epochs) > 0)
            continue;
        CU_ASSERT_EQUAL(w.f.live, 1); /* the FIB itself: an empty trie has no node */
        close_world(&w);
    }
}

static void a_failed_change_changes_nothing_and_removals_never_fail(void)
{
    static struct world w;

    for (uint64_t seed = 11; seed <= 14; seed++) {
        open_world(&w, seed);
        run_random(&w, 6000, 3);
        close_world(&w);
    }
}

static void every_length_of_both_families_is_found_and_removed(void)
{
    static const char *const all[] = {"255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                                      "0.0.0.0", "::"};
    static struct world w;

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const s2svpn_address a = address(all[i]);
        const int bits = s2_family_bits(a.family);

        open_world(&w, 1);
        for (int length = 0; length <= bits; length++) {
            const s2svpn_prefix p = s2_prefix_make(&a, (uint8_t)length);

            CU_ASSERT_EQUAL(s2_fib_set(w.fib, &p, (uint64_t)length + 1), S2SVPN_OK);
            CHECK_ROW(all[i], s2_fib_lookup(w.fib, &a) == (uint64_t)length + 1);
        }
        for (int length = bits; length >= 0; length--) {
            const s2svpn_prefix p = s2_prefix_make(&a, (uint8_t)length);

            CHECK_ROW(all[i], s2_fib_lookup(w.fib, &a) == (uint64_t)length + 1);
            s2_fib_unset(w.fib, &p);
        }
        CHECK_ROW(all[i], s2_fib_lookup(w.fib, &a) == 0);
        close_world(&w);
    }
}

static void families_do_not_meet(void)
{
    static struct world w;
    const s2svpn_prefix v4 = prefix("0.0.0.0/0"), v6 = prefix("::/0");
    const s2svpn_address a4 = address("192.0.2.1"), a6 = address("2001:db8::1"), none = {0};

    open_world(&w, 1);
    CU_ASSERT_EQUAL(s2_fib_set(w.fib, &v4, 4), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_fib_lookup(w.fib, &a6), 0);
    CU_ASSERT_EQUAL(s2_fib_set(w.fib, &v6, 6), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_fib_lookup(w.fib, &a4), 4);
    CU_ASSERT_EQUAL(s2_fib_lookup(w.fib, &a6), 6);
    CU_ASSERT_EQUAL(s2_fib_lookup_ipv4(w.fib, 0xc0000201), 4);
    CU_ASSERT_EQUAL(s2_fib_lookup(w.fib, &none), 0);
    close_world(&w);
}

static void what_is_no_prefix_is_refused(void)
{
    static struct world w;
    const s2svpn_prefix good = prefix("192.0.2.0/24");
    s2svpn_prefix long4 = good, dirty = good, none = good;

    long4.length = 33;
    dirty.length = 23;
    dirty.address.bytes[2] = 3;
    none.address.family = S2SVPN_FAMILY_NONE;
    open_world(&w, 1);
    CU_ASSERT_EQUAL(s2_fib_set(w.fib, &long4, 1), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(s2_fib_set(w.fib, &dirty, 1), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(s2_fib_set(w.fib, &none, 1), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(s2_fib_set(w.fib, &good, 0), S2SVPN_E_ARGUMENT);
    s2_fib_unset(w.fib, &dirty);
    s2_fib_unset(w.fib, &good);
    CU_ASSERT_EQUAL(s2_fib_get(w.fib, &dirty), 0);
    CU_ASSERT_EQUAL(s2_fib_count(w.fib), 0);
    close_world(&w);
}

static void a_burst_of_routes_does_not_hold_every_old_node(void)
{
    static struct world w;

    open_world(&w, 1);
    for (uint32_t i = 0; i < 20000; i++) {
        const s2svpn_address a = s2_address_ipv4(0x0a000000 + (i << 8));
        const s2svpn_prefix p = s2_prefix_make(&a, 24);

        CU_ASSERT_EQUAL(s2_fib_set(w.fib, &p, i + 1), S2SVPN_OK);
    }
    CU_ASSERT(w.epochs.waiting < 256);
    CU_ASSERT(w.f.live < 1000); /* 64 routes a node, and the nodes above */
    close_world(&w);
}

static void a_reader_inside_an_epoch_keeps_what_it_found(void)
{
    static struct world w;
    const s2svpn_prefix p = prefix("10.0.0.0/8");

    open_world(&w, 1);
    CU_ASSERT_EQUAL(s2_fib_set(w.fib, &p, 1), S2SVPN_OK);
    s2_epoch_enter(&w.epochs, 0);
    const size_t live = w.f.live;
    s2_fib_unset(w.fib, &p);
    CU_ASSERT_EQUAL(s2_epoch_reclaim(&w.epochs), 1);
    CU_ASSERT_EQUAL(w.f.live, live);
    s2_epoch_leave(&w.epochs, 0);
    CU_ASSERT_EQUAL(s2_epoch_reclaim(&w.epochs), 0);
    CU_ASSERT_EQUAL(w.f.live, live - 1);
    close_world(&w);
}

static bool build(struct s2_fake_env *f, void *arg)
{
    static const char *const routes[] = {"10.0.0.0/8", "10.0.0.0/24", "10.128.0.0/9",
                                         "0.0.0.0/0",  "10.0.0.1/32", "2001:db8::/32"};
    struct s2_epochs epochs;
    struct s2_fib *fib;
    bool good = true;

    (void)arg;
    s2_epochs_init(&epochs, 0);
    if (s2_fib_new(&f->env, &epochs, &fib) != S2SVPN_OK)
        return false;
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        const s2svpn_prefix p = prefix(routes[i]);
        const size_t before = s2_fib_count(fib);
        const s2svpn_status rc = s2_fib_set(fib, &p, i + 1);

        good = good && rc == S2SVPN_OK;
        CU_ASSERT(rc == S2SVPN_OK || rc == S2SVPN_E_MEMORY);
        CU_ASSERT_EQUAL(s2_fib_count(fib), before + (rc == S2SVPN_OK));
        CU_ASSERT_EQUAL(s2_fib_get(fib, &p), rc == S2SVPN_OK ? i + 1 : 0);
    }
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        const s2svpn_prefix p = prefix(routes[i]);

        s2_fib_unset(fib, &p);
        CU_ASSERT_EQUAL(s2_fib_get(fib, &p), 0);
    }
    CU_ASSERT_EQUAL(s2_fib_count(fib), 0);
    s2_fib_free(fib);
    s2_epochs_clear(&epochs);
    return good;
}

static void every_allocation_may_fail(void)
{
    s2_fail_every_allocation(build, NULL);
}

const CU_TestInfo s2_test_fib[] = {
    {"lookups agree with a naive model", lookups_agree_with_a_naive_model},
    {"a failed change changes nothing and removals never fail",
     a_failed_change_changes_nothing_and_removals_never_fail},
    {"every length of both families is found and removed",
     every_length_of_both_families_is_found_and_removed},
    {"families do not meet", families_do_not_meet},
    {"what is no prefix is refused", what_is_no_prefix_is_refused},
    {"a burst of routes does not hold every old node",
     a_burst_of_routes_does_not_hold_every_old_node},
    {"a reader inside an epoch keeps what it found", a_reader_inside_an_epoch_keeps_what_it_found},
    {"every allocation may fail", every_allocation_may_fail},
    CU_TEST_INFO_NULL,
};
