/* SPDX-License-Identifier: Apache-2.0 */
/* The RIB: the order of choice row by row, what is reported and when, and a naive
 * model: a list of all candidates, filtered step by step. */
#include "routing/routing.h"

#include <string.h>

#include "base/address.h"
#include "fake_env.h"
#include "harness.h"

#define SOURCES 6
#define MODEL_MAX 4096

struct world {
    struct s2_fake_env f;
    struct s2_rib *rib;
    /* the last report, and how many there were */
    s2svpn_prefix prefix;
    struct s2_rib_path best;
    bool has_best, ordered;
    size_t count, reports;
    uint64_t at_ns;
    struct {
        s2svpn_prefix prefix;
        struct s2_rib_path path;
    } candidate[MODEL_MAX];
    size_t candidates;
    /* what the reports say: one row a prefix */
    struct {
        s2svpn_prefix prefix;
        struct s2_rib_path path;
        bool any;
    } told[MODEL_MAX];
    size_t tolds;
    char source[SOURCES]; /* their addresses are the sources */
};

static int compare_prefixes(const s2svpn_prefix *a, const s2svpn_prefix *b)
{
    const int order = s2_address_compare(&a->address, &b->address);

    return order != 0 ? order : (int)a->length - (int)b->length;
}

static void keep(struct world *w, const s2svpn_prefix *prefix, const struct s2_rib_path *best,
                 size_t count)
{
    size_t i = 0;

    while (i < w->tolds && !s2_prefix_equal(&w->told[i].prefix, prefix))
        i++;
    if (count == 0) {
        CU_ASSERT_FATAL(i < w->tolds);
        w->told[i] = w->told[--w->tolds];
        return;
    }
    if (i == w->tolds)
        w->tolds++;
    w->told[i].prefix = *prefix;
    w->told[i].any = best != NULL;
    if (best != NULL)
        w->told[i].path = *best;
}

static void on_best(void *user, const s2svpn_prefix *prefix, const struct s2_rib_choice *choice,
                    size_t count, uint64_t now_ns)
{
    const struct s2_rib_path *best = choice->best;
    struct world *w = user;

    CU_ASSERT_EQUAL(choice->count, best != NULL);

    w->ordered = w->ordered && (w->reports == 0 || compare_prefixes(&w->prefix, prefix) < 0);
    w->prefix = *prefix;
    w->has_best = best != NULL;
    if (best != NULL)
        w->best = *best;
    w->count = count;
    w->reports++;
    w->at_ns = now_ns;
    keep(w, prefix, best, count);
}

static const struct s2_rib_ops ops = {.best = on_best};

static void open_world(struct world *w, uint64_t seed, const struct s2_rib_limits *limits)
{
    memset(w, 0, sizeof(*w));
    s2_fake_env_init(&w->f, seed);
    w->ordered = true;
    CU_ASSERT_EQUAL_FATAL(s2_rib_new(&w->f.env, limits, &ops, w, &w->rib), S2SVPN_OK);
}

static void close_world(struct world *w)
{
    s2_rib_free(w->rib);
    CU_ASSERT_EQUAL(w->f.live, 0);
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

static struct s2_rib_path path(struct world *w, unsigned source)
{
    return (struct s2_rib_path){
        .source = &w->source[source],
        .kind = S2_ROUTE_BGP,
        .usable = true,
        .local_pref = 100,
        .as_path_len = 2,
        .first_as = 65000,
        .med = 100,
        .order = source,
        .since_ns = 1000,
    };
}

/* ---- the order of choice: the first path wins, whichever came first */

#define BASE .kind = S2_ROUTE_BGP, .usable = true, .local_pref = 100
static const struct {
    const char *row;
    struct s2_rib_path winner, loser;
} choices[] = {
    {"usable before all",
     {BASE, .as_path_len = 9, .since_ns = 5},
     {.kind = S2_ROUTE_LOCAL, .local_pref = 200, .since_ns = 1}},
    {"local before static",
     {.kind = S2_ROUTE_LOCAL, .usable = true, .since_ns = 5},
     {.kind = S2_ROUTE_STATIC, .usable = true, .since_ns = 1}},
    {"static before BGP",
     {.kind = S2_ROUTE_STATIC, .usable = true, .local_pref = 50, .since_ns = 5},
     {BASE, .since_ns = 1}},
    {"higher local preference",
     {.kind = S2_ROUTE_BGP, .usable = true, .local_pref = 101, .as_path_len = 7, .since_ns = 5},
     {BASE, .as_path_len = 1, .since_ns = 1}},
    {"shorter AS path",
     {BASE, .as_path_len = 1, .first_as = 1, .med = 9, .since_ns = 5},
     {BASE, .as_path_len = 2, .first_as = 1, .med = 1, .since_ns = 1}},
    {"lower MED of the same neighbour",
     {BASE, .first_as = 1, .med = 1, .since_ns = 5},
     {BASE, .first_as = 1, .med = 2, .since_ns = 1}},
    {"no MED between neighbours: the older one",
     {BASE, .first_as = 1, .med = 2, .since_ns = 1},
     {BASE, .first_as = 2, .med = 1, .since_ns = 5}},
    {"older",
     {BASE, .first_as = 1, .since_ns = 1, .order = 2},
     {BASE, .first_as = 1, .since_ns = 2, .order = 1}},
    {"lower order at the end",
     {BASE, .first_as = 1, .since_ns = 1, .order = 1},
     {BASE, .first_as = 1, .since_ns = 1, .order = 2}},
};
#undef BASE

static void the_order_of_choice_holds_whichever_came_first(void)
{
    static struct world w;
    const s2svpn_prefix p = prefix("10.0.0.0/16");

    for (size_t i = 0; i < 2 * sizeof(choices) / sizeof(choices[0]); i++) {
        struct s2_rib_path winner = choices[i / 2].winner, loser = choices[i / 2].loser, got[2];

        open_world(&w, 1, NULL);
        winner.source = &w.source[0];
        loser.source = &w.source[1];
        CU_ASSERT_EQUAL(s2_rib_set(w.rib, &p, i % 2 ? &winner : &loser, 1), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2_rib_set(w.rib, &p, i % 2 ? &loser : &winner, 1), S2SVPN_OK);
        CHECK_ROW(choices[i / 2].row, w.has_best && w.best.source == winner.source);
        CHECK_ROW(choices[i / 2].row, s2_rib_get(w.rib, &p, got, 2) == 2);
        CHECK_ROW(choices[i / 2].row, got[0].source == winner.source);
        CHECK_ROW(choices[i / 2].row, got[1].source == loser.source);
        close_world(&w);
    }
}

/* MED is no order of all paths: a (AS 1, MED 5, oldest), b (AS 2), c (AS 1, MED 1,
 * youngest). c beats a, b beats c, a beats b: a is out, so b. */
static void the_answer_does_not_depend_on_the_order_of_arrival(void)
{
    static const unsigned orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                          {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static struct world w;
    const s2svpn_prefix p = prefix("10.0.0.0/16");

    for (size_t i = 0; i < 6; i++) {
        open_world(&w, 1, NULL);
        for (size_t j = 0; j < 3; j++) {
            struct s2_rib_path c = path(&w, orders[i][j]);

            c.first_as = c.order == 1 ? 2 : 1;
            c.med = c.order == 0 ? 5 : 1;
            c.since_ns = 10 + c.order;
            CU_ASSERT_EQUAL(s2_rib_set(w.rib, &p, &c, 1), S2SVPN_OK);
        }
        CU_ASSERT_PTR_EQUAL(w.best.source, &w.source[1]);
        close_world(&w);
    }
}

/* ---- reports */

static void only_changes_of_the_best_are_reported(void)
{
    static struct world w;
    const s2svpn_prefix p = prefix("10.0.0.0/16");

    open_world(&w, 1, NULL);
    struct s2_rib_path a = path(&w, 0), b = path(&w, 1);
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &p, &a, 7), S2SVPN_OK);
    CU_ASSERT(w.reports == 1 && w.best.source == a.source && w.count == 1 && w.at_ns == 7);
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &p, &a, 8), S2SVPN_OK); /* the same again */
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &p, &b, 9), S2SVPN_OK); /* worse */
    CU_ASSERT_EQUAL(w.reports, 1);
    a.med = 200; /* the best got worse */
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &p, &a, 10), S2SVPN_OK);
    CU_ASSERT(w.reports == 2 && w.best.source == b.source && w.count == 2);
    b.as_path_len = 1; /* still the best, but another path */
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &p, &b, 11), S2SVPN_OK);
    CU_ASSERT(w.reports == 3 && w.best.as_path_len == 1);
    s2_rib_set_usable(w.rib, b.source, false, 12);
    CU_ASSERT(w.reports == 4 && w.best.source == a.source && w.count == 2);
    s2_rib_set_usable(w.rib, b.source, false, 13);
    CU_ASSERT_EQUAL(w.reports, 4);
    s2_rib_set_usable(w.rib, a.source, false, 14);
    CU_ASSERT(w.reports == 5 && !w.has_best && w.count == 2);
    s2_rib_unset(w.rib, &p, a.source, 15);
    CU_ASSERT_EQUAL(w.reports, 5);
    s2_rib_set_usable(w.rib, b.source, true, 16);
    CU_ASSERT(w.reports == 6 && w.has_best && w.count == 1);
    s2_rib_unset(w.rib, &p, b.source, 17);
    CU_ASSERT(w.reports == 7 && !w.has_best && w.count == 0);
    CU_ASSERT_EQUAL(s2_rib_count(w.rib), 0);
    close_world(&w);
}

static void a_prefix_without_a_usable_path_is_told_when_it_comes_and_goes(void)
{
    static struct world w;
    const s2svpn_prefix p = prefix("10.0.0.0/16");

    open_world(&w, 1, NULL);
    struct s2_rib_path a = path(&w, 0);
    a.usable = false;
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &p, &a, 1), S2SVPN_OK);
    CU_ASSERT(w.reports == 1 && !w.has_best && w.count == 1);
    s2_rib_drop(w.rib, a.source, 2);
    CU_ASSERT(w.reports == 2 && !w.has_best && w.count == 0);
    close_world(&w);
}

static bool collect(void *arg, const s2svpn_prefix *p, const struct s2_rib_path *paths,
                    size_t count, bool best_usable)
{
    struct world *w = arg;

    w->ordered = w->ordered && (w->reports == 0 || compare_prefixes(&w->prefix, p) < 0);
    w->prefix = *p;
    w->reports++;
    w->count = count;
    w->has_best = best_usable;
    w->best = paths[0];
    return w->reports < 5000;
}

static void walks_and_a_sources_changes_go_in_the_order_of_prefixes(void)
{
    static struct world w;
    const unsigned n = 1000;

    open_world(&w, 3, NULL);
    const struct s2_rib_path a = path(&w, 0);
    for (unsigned i = 0; i < n; i++) {
        uint32_t v;

        CU_ASSERT_EQUAL(s2_random(&w.f.env, &v, sizeof(v)), S2SVPN_OK);
        const s2svpn_address any = s2_address_ipv4(v & 0xff0f0000);
        const s2svpn_prefix p = s2_prefix_make(&any, v % 33);
        CU_ASSERT_EQUAL(s2_rib_set(w.rib, &p, &a, 1), S2SVPN_OK);
    }
    const s2svpn_prefix v6 = prefix("::/0");
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &v6, &a, 1), S2SVPN_OK);
    w.ordered = true;
    w.reports = 0;
    s2_rib_each(w.rib, collect, &w);
    CU_ASSERT(w.ordered);
    CU_ASSERT_EQUAL(w.reports, s2_rib_count(w.rib));
    CU_ASSERT(s2_prefix_equal(&w.prefix, &v6));
    w.reports = 0;
    s2_rib_set_usable(w.rib, a.source, false, 2);
    CU_ASSERT(w.ordered);
    CU_ASSERT_EQUAL(w.reports, s2_rib_count(w.rib));
    w.reports = 0;
    s2_rib_drop(w.rib, a.source, 3);
    CU_ASSERT(w.ordered);
    CU_ASSERT_EQUAL(s2_rib_count(w.rib), 0);
    close_world(&w);
}

static void what_is_unusable_of_a_source_can_be_dropped_alone(void)
{
    static struct world w;
    const s2svpn_prefix p = prefix("10.0.0.0/16"), q = prefix("10.1.0.0/16");

    open_world(&w, 1, NULL);
    struct s2_rib_path a = path(&w, 0), b = path(&w, 1);
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &p, &a, 1), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &q, &a, 1), S2SVPN_OK);
    s2_rib_set_usable(w.rib, a.source, false, 2);
    b.usable = false;
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &q, &b, 3), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &p, &a, 3), S2SVPN_OK); /* announced again */
    s2_rib_drop_unusable(w.rib, a.source, 4);
    CU_ASSERT_EQUAL(s2_rib_get(w.rib, &p, &a, 1), 1);
    CU_ASSERT_EQUAL(s2_rib_get(w.rib, &q, &b, 1), 1); /* another's stays */
    CU_ASSERT_PTR_EQUAL(b.source, &w.source[1]);
    s2_rib_drop_unusable(w.rib, b.source, 5);
    s2_rib_drop_unusable(w.rib, &w, 5); /* nobody's */
    CU_ASSERT_EQUAL(s2_rib_count(w.rib), 1);
    close_world(&w);
}

static void limits_are_kept_and_named(void)
{
    static struct world w;
    const struct s2_rib_limits limits = {.prefixes = 2, .paths = 2};
    const s2svpn_prefix p = prefix("10.0.0.0/16"), q = prefix("10.1.0.0/16"),
                        r = prefix("10.2.0.0/16");
    s2svpn_prefix dirty = p;

    open_world(&w, 1, &limits);
    struct s2_rib_path a = path(&w, 0), b = path(&w, 1), c = path(&w, 2);
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &p, &a, 1), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &p, &b, 1), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &p, &c, 1), S2SVPN_E_LIMIT);
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &q, &a, 1), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &r, &a, 1), S2SVPN_E_LIMIT);
    CU_ASSERT_STRING_EQUAL(w.f.error.field, "prefix");
    CU_ASSERT_EQUAL(s2_rib_count(w.rib), 2);
    dirty.address.bytes[3] = 1;
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &dirty, &a, 1), S2SVPN_E_ARGUMENT);
    a.kind = 0;
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &p, &a, 1), S2SVPN_E_ARGUMENT);
    CU_ASSERT_STRING_EQUAL(w.f.error.field, "kind");
    close_world(&w);
}

/* ---- lookups */

static void lookup_takes_the_longest_prefix_that_has_a_usable_path(void)
{
    static struct world w;
    const s2svpn_prefix wide = prefix("0.0.0.0/0"), middle = prefix("10.0.0.0/8"),
                        narrow = prefix("10.1.0.0/16");
    const s2svpn_address a = address("10.1.2.3"), out = address("192.0.2.1"),
                         v6 = address("2001:db8::1"), none = {0};
    s2svpn_prefix matched;

    open_world(&w, 1, NULL);
    const struct s2_rib_path x = path(&w, 0), y = path(&w, 1), z = path(&w, 2);
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &wide, &x, 1), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &middle, &y, 1), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &narrow, &z, 1), S2SVPN_OK);
    CU_ASSERT_PTR_EQUAL(s2_rib_lookup(w.rib, &a, &matched)->source, z.source);
    CU_ASSERT(s2_prefix_equal(&matched, &narrow));
    s2_rib_set_usable(w.rib, z.source, false, 2);
    CU_ASSERT_PTR_EQUAL(s2_rib_lookup(w.rib, &a, &matched)->source, y.source);
    CU_ASSERT(s2_prefix_equal(&matched, &middle));
    CU_ASSERT_PTR_EQUAL(s2_rib_lookup(w.rib, &out, NULL)->source, x.source);
    CU_ASSERT_PTR_NULL(s2_rib_lookup(w.rib, &v6, &matched));
    CU_ASSERT_PTR_NULL(s2_rib_lookup(w.rib, &none, &matched));
    CU_ASSERT(s2_rib_source_covers(w.rib, z.source, &a)); /* though not usable */
    CU_ASSERT(s2_rib_source_covers(w.rib, x.source, &a));
    CU_ASSERT(!s2_rib_source_covers(w.rib, z.source, &out));
    CU_ASSERT(!s2_rib_source_covers(w.rib, &w, &a));
    CU_ASSERT(!s2_rib_source_covers(w.rib, x.source, &v6));
    close_world(&w);
}

/* ---- the model */

static uint32_t draw(struct world *w, uint32_t below)
{
    uint32_t v = 0;

    CU_ASSERT_EQUAL(s2_random(&w->f.env, &v, sizeof(v)), S2SVPN_OK);
    return v % below;
}

static s2svpn_prefix draw_prefix(struct world *w)
{
    uint8_t bytes[16] = {0};

    bytes[0] = (uint8_t)draw(w, 4);
    bytes[1] = (uint8_t)(draw(w, 4) << 6);
    const s2svpn_address a =
        s2_address_from(draw(w, 2) == 0 ? S2SVPN_FAMILY_IPV4 : S2SVPN_FAMILY_IPV6, bytes);
    return s2_prefix_make(&a, (uint8_t)draw(w, 11));
}

static size_t model_find(const struct world *w, const s2svpn_prefix *p, const void *source)
{
    size_t i = 0;

    while (i < w->candidates &&
           (w->candidate[i].path.source != source || !s2_prefix_equal(&w->candidate[i].prefix, p)))
        i++;
    return i;
}

/* The set of usable candidates of p, thinned by one step after the other. */
static const struct s2_rib_path *model_best(const struct world *w, const s2svpn_prefix *p)
{
    const struct s2_rib_path *set[SOURCES];
    size_t n = 0;

    for (size_t i = 0; i < w->candidates; i++) {
        if (w->candidate[i].path.usable && s2_prefix_equal(&w->candidate[i].prefix, p))
            set[n++] = &w->candidate[i].path;
    }
#define THIN(keep)                                                                                 \
    do {                                                                                           \
        const struct s2_rib_path *old[SOURCES];                                                    \
        const size_t all = n;                                                                      \
        n = 0;                                                                                     \
        memcpy(old, set, sizeof(old));                                                             \
        for (size_t i = 0; i < all; i++) {                                                         \
            bool out = false;                                                                      \
            for (size_t j = 0; j < all; j++)                                                       \
                out = out || !(keep);                                                              \
            if (!out)                                                                              \
                set[n++] = old[i];                                                                 \
        }                                                                                          \
    } while (0)
    memset(set + n, 0, sizeof(set) - n * sizeof(set[0]));
    THIN(old[i]->kind <= old[j]->kind);
    THIN(old[i]->local_pref >= old[j]->local_pref);
    THIN(old[i]->as_path_len <= old[j]->as_path_len);
    THIN(old[i]->first_as != old[j]->first_as || old[i]->med <= old[j]->med);
    THIN(old[i]->since_ns <= old[j]->since_ns);
    THIN(old[i]->order <= old[j]->order);
#undef THIN
    CU_ASSERT(n <= 1);
    return n > 0 ? set[0] : NULL;
}

static bool covers_agree(struct world *w, const s2svpn_address *a)
{
    bool good = true;

    for (size_t s = 0; s < SOURCES; s++) {
        bool any = false;

        for (size_t i = 0; i < w->candidates; i++)
            any = any || (w->candidate[i].path.source == &w->source[s] &&
                          s2_prefix_contains(&w->candidate[i].prefix, a));
        good = good && any == s2_rib_source_covers(w->rib, &w->source[s], a);
    }
    return good;
}

static bool lookup_agrees(struct world *w, const s2svpn_address *a)
{
    const struct s2_rib_path *want = NULL, *got;
    s2svpn_prefix longest = {{0}, 0, {0}}, matched;

    for (size_t i = 0; i < w->candidates; i++) {
        const s2svpn_prefix *p = &w->candidate[i].prefix;

        if (s2_prefix_contains(p, a) && (want == NULL || p->length > longest.length) &&
            model_best(w, p) != NULL) {
            want = model_best(w, p);
            longest = *p;
        }
    }
    got = s2_rib_lookup(w->rib, a, &matched);
    if (want == NULL || got == NULL)
        return want == got;
    return want->source == got->source && s2_prefix_equal(&longest, &matched);
}

static bool tolds_agree(struct world *w)
{
    bool good = s2_rib_count(w->rib) == w->tolds;

    for (size_t i = 0; i < w->tolds && good; i++) {
        const struct s2_rib_path *best = model_best(w, &w->told[i].prefix);

        good = (best != NULL) == w->told[i].any &&
               (best == NULL ||
                (best->source == w->told[i].path.source && best->med == w->told[i].path.med));
    }
    return good;
}

static void model_source(struct world *w, const void *source, int usable)
{
    for (size_t i = w->candidates; i-- > 0;) {
        if (w->candidate[i].path.source != source)
            continue;
        if (usable >= 0)
            w->candidate[i].path.usable = usable;
        else
            w->candidate[i] = w->candidate[--w->candidates];
    }
}

static void step(struct world *w)
{
    const s2svpn_prefix p = draw_prefix(w);
    struct s2_rib_path c = path(w, draw(w, SOURCES));
    const uint32_t what = draw(w, 100);
    const size_t i = model_find(w, &p, c.source);

    if (what < 60) {
        c.kind = (uint8_t)(draw(w, 6) == 0 ? S2_ROUTE_STATIC : S2_ROUTE_BGP);
        c.usable = draw(w, 4) > 0;
        c.local_pref = 100 + (draw(w, 4) == 0);
        c.as_path_len = (uint16_t)(1 + draw(w, 2));
        c.first_as = draw(w, 2);
        c.med = draw(w, 3);
        c.since_ns = 1 + draw(w, 3);
        if (s2_rib_set(w->rib, &p, &c, 1) != S2SVPN_OK)
            return;
        w->candidates += i == w->candidates;
        w->candidate[i].prefix = p;
        w->candidate[i].path = c;
    } else if (what < 90) {
        s2_rib_unset(w->rib, &p, c.source, 1);
        if (i < w->candidates)
            w->candidate[i] = w->candidate[--w->candidates];
    } else if (what < 99) {
        const bool usable = draw(w, 2) == 0;

        s2_rib_set_usable(w->rib, c.source, usable, 1);
        model_source(w, c.source, usable);
    } else {
        s2_rib_drop(w->rib, c.source, 1);
        model_source(w, c.source, -1);
    }
}

static void run_random(uint64_t seed, uint32_t fail_one_in)
{
    static struct world w;

    open_world(&w, seed, NULL);
    for (unsigned i = 0; i < 3000; i++) {
        if (fail_one_in > 0 && draw(&w, fail_one_in) == 0)
            w.f.fail_at = w.f.allocations + 1 + draw(&w, 4);
        step(&w);
        w.f.fail_at = 0;
        const s2svpn_address a = draw_prefix(&w).address;
        if (!covers_agree(&w, &a) || !lookup_agrees(&w, &a) || (i % 64 == 0 && !tolds_agree(&w))) {
            CU_FAIL("the model says otherwise");
            break;
        }
    }
    CU_ASSERT(tolds_agree(&w));
    close_world(&w);
}

static void answers_and_reports_agree_with_a_naive_model(void)
{
    for (uint64_t seed = 1; seed <= 3; seed++)
        run_random(seed, 0);
}

static void a_failed_change_changes_nothing(void)
{
    for (uint64_t seed = 4; seed <= 6; seed++)
        run_random(seed, 3);
}

/* ---- attributes */

struct tags {
    unsigned released[4];
    unsigned tag[4]; /* by address */
    unsigned reports;
};

static void count_report(void *user, const s2svpn_prefix *p, const struct s2_rib_choice *choice,
                         size_t count, uint64_t now_ns)
{
    (void)p;
    (void)choice;
    (void)count;
    (void)now_ns;
    ((struct tags *)user)->reports++;
}

static void count_release(void *user, void *attributes)
{
    struct tags *t = user;

    t->released[(unsigned *)attributes - t->tag]++;
}

static void attributes_are_given_back_once_and_others_are_a_change(void)
{
    static const struct s2_rib_ops tag_ops = {.best = count_report, .release = count_release};
    static const struct s2_rib_limits one = {.paths = 1};
    const s2svpn_prefix p = prefix("10.0.0.0/16"), q = prefix("10.1.0.0/16");
    static struct world w;
    struct tags t = {{0}, {0}, 0};

    memset(&w, 0, sizeof(w));
    s2_fake_env_init(&w.f, 1);
    CU_ASSERT_EQUAL_FATAL(s2_rib_new(&w.f.env, &one, &tag_ops, &t, &w.rib), S2SVPN_OK);
    struct s2_rib_path a = path(&w, 0), b = path(&w, 1);
    a.attributes = &t.tag[0];
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &p, &a, 1), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &p, &a, 2), S2SVPN_OK); /* the same: nothing */
    CU_ASSERT(t.reports == 1 && t.released[0] == 0);
    a.attributes = &t.tag[1];
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &p, &a, 3), S2SVPN_OK);
    CU_ASSERT(t.reports == 2 && t.released[0] == 1);
    b.attributes = &t.tag[2]; /* no room: they stay the caller's */
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &p, &b, 4), S2SVPN_E_LIMIT);
    CU_ASSERT_EQUAL(t.released[2], 0);
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &q, &b, 4), S2SVPN_OK);
    s2_rib_unset(w.rib, &p, a.source, 5);
    CU_ASSERT_EQUAL(t.released[1], 1);
    a.attributes = &t.tag[3];
    CU_ASSERT_EQUAL(s2_rib_set(w.rib, &p, &a, 6), S2SVPN_OK);
    s2_rib_drop(w.rib, b.source, 7);
    CU_ASSERT(t.released[2] == 1 && t.released[3] == 0);
    s2_rib_free(w.rib);
    CU_ASSERT(t.released[0] == 1 && t.released[1] == 1 && t.released[3] == 1);
    CU_ASSERT_EQUAL(w.f.live, 0);
}

static bool build(struct s2_fake_env *f, void *arg)
{
    static struct world w;
    const s2svpn_prefix p = prefix("10.0.0.0/16");
    s2svpn_status rc;

    (void)arg;
    memset(&w, 0, sizeof(w));
    if (s2_rib_new(&f->env, NULL, &ops, &w, &w.rib) != S2SVPN_OK)
        return false;
    const struct s2_rib_path a = path(&w, 0), b = path(&w, 1);
    rc = s2_rib_set(w.rib, &p, &a, 1);
    CU_ASSERT_EQUAL(s2_rib_count(w.rib), rc == S2SVPN_OK);
    CU_ASSERT_EQUAL(w.reports, rc == S2SVPN_OK);
    if (rc == S2SVPN_OK)
        rc = s2_rib_set(w.rib, &p, &b, 1);
    CU_ASSERT(rc == S2SVPN_OK || rc == S2SVPN_E_MEMORY);
    s2_rib_free(w.rib);
    return rc == S2SVPN_OK;
}

static void every_allocation_may_fail(void)
{
    s2_fail_every_allocation(build, NULL);
}

const CU_TestInfo s2_test_rib[] = {
    {"the order of choice holds whichever came first",
     the_order_of_choice_holds_whichever_came_first},
    {"the answer does not depend on the order of arrival",
     the_answer_does_not_depend_on_the_order_of_arrival},
    {"only changes of the best are reported", only_changes_of_the_best_are_reported},
    {"a prefix without a usable path is told when it comes and goes",
     a_prefix_without_a_usable_path_is_told_when_it_comes_and_goes},
    {"walks and a source's changes go in the order of prefixes",
     walks_and_a_sources_changes_go_in_the_order_of_prefixes},
    {"what is unusable of a source can be dropped alone",
     what_is_unusable_of_a_source_can_be_dropped_alone},
    {"limits are kept and named", limits_are_kept_and_named},
    {"lookup takes the longest prefix that has a usable path",
     lookup_takes_the_longest_prefix_that_has_a_usable_path},
    {"answers and reports agree with a naive model", answers_and_reports_agree_with_a_naive_model},
    {"a failed change changes nothing", a_failed_change_changes_nothing},
    {"attributes are given back once, and others are a change",
     attributes_are_given_back_once_and_others_are_a_change},
    {"every allocation may fail", every_allocation_may_fail},
    CU_TEST_INFO_NULL,
};
