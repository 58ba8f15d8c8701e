/* SPDX-License-Identifier: Apache-2.0 */
/* Which paths carry a prefix: AWS's order of choice as a table, prefix and path together,
 * and which paths are equal. */
#include "routing/routing.h"

#include <string.h>

#include "base/address.h"
#include "fake_env.h"
#include "harness.h"

#define SOURCES 12
#define YOUNG 5 /* since when, where a row says nothing */

struct world {
    struct s2_fake_env f;
    struct s2_rib *rib;
    char source[SOURCES]; /* their addresses are the sources */
    /* the last report, and how many there were */
    struct s2_rib_choice choice; /* its pointers are not followed */
    unsigned carriers;           /* a bit a source */
    size_t reports;
};

static unsigned bits_of(const struct world *w, const struct s2_rib_choice *c)
{
    unsigned bits = 0;

    for (size_t i = 0; i < c->count; i++)
        bits |= 1u << ((const char *)c->path[i]->source - w->source);
    return bits;
}

static void on_best(void *user, const s2svpn_prefix *prefix, const struct s2_rib_choice *choice,
                    size_t count, uint64_t now_ns)
{
    struct world *w = user;

    (void)prefix;
    (void)count;
    (void)now_ns;
    CU_ASSERT_EQUAL(choice->best != NULL, choice->count > 0);
    w->choice = *choice;
    w->carriers = bits_of(w, choice);
    w->reports++;
}

static void open_world(struct world *w)
{
    static const struct s2_rib_ops ops = {.best = on_best};

    memset(w, 0, sizeof(*w));
    s2_fake_env_init(&w->f, 1);
    CU_ASSERT_EQUAL_FATAL(s2_rib_new(&w->f.env, NULL, &ops, w, &w->rib), S2SVPN_OK);
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

static void set(struct world *w, const char *text, unsigned source, struct s2_rib_path path)
{
    const s2svpn_prefix p = prefix(text);

    path.source = &w->source[source];
    path.order = source;
    if (path.since_ns == 0)
        path.since_ns = YOUNG;
    CU_ASSERT_EQUAL(s2_rib_set(w->rib, &p, &path, 1), S2SVPN_OK);
}

/* ---- AWS's order of choice: where a packet to 10.1.2.3 goes. The documented order, from
 * the longest prefix down to a pick of AWS's own. */

#define BGP .kind = S2_ROUTE_BGP, .usable = true, .local_pref = 100
#define STATIC .kind = S2_ROUTE_STATIC, .usable = true
static const struct {
    const char *row;
    struct {
        const char *prefix;
        struct s2_rib_path path;
    } winner, loser;
} choices[] = {
    {"the longest prefix, whatever its path",
     {"10.1.2.0/24", {BGP, .as_path_len = 9, .first_as = 1, .med = 900}},
     {"10.1.0.0/16", {STATIC}}},
    {"the longest prefix before the VPC's own",
     {"10.1.0.0/16", {BGP, .as_path_len = 1, .first_as = 1}},
     {"10.0.0.0/8", {.kind = S2_ROUTE_LOCAL, .usable = true}}},
    {"the longest prefix that has a path",
     {"10.1.0.0/16", {BGP, .as_path_len = 1, .first_as = 1}},
     {"10.1.2.0/24", {.kind = S2_ROUTE_STATIC}}},
    {"a default route where there is no other",
     {"0.0.0.0/0", {BGP, .as_path_len = 1, .first_as = 1}},
     {"10.2.0.0/16", {STATIC}}},
    {"static before BGP on the same prefix",
     {"10.1.0.0/16", {STATIC}},
     {"10.1.0.0/16", {BGP, .as_path_len = 1, .first_as = 1, .since_ns = 1}}},
    {"the shorter AS path, whatever its MED",
     {"10.1.0.0/16", {BGP, .as_path_len = 1, .first_as = 1, .med = 200}},
     {"10.1.0.0/16", {BGP, .as_path_len = 2, .first_as = 1, .med = 100, .since_ns = 1}}},
    {"the shorter AS path, of another site too",
     {"10.1.0.0/16", {BGP, .as_path_len = 2, .first_as = 2}},
     {"10.1.0.0/16", {BGP, .as_path_len = 3, .first_as = 1, .since_ns = 1}}},
    {"the lower MED of the same first AS",
     {"10.1.0.0/16", {BGP, .as_path_len = 1, .first_as = 1, .med = 100}},
     {"10.1.0.0/16", {BGP, .as_path_len = 1, .first_as = 1, .med = 200, .since_ns = 1}}},
    {"no MED before a MED",
     {"10.1.0.0/16", {BGP, .as_path_len = 1, .first_as = 1}},
     {"10.1.0.0/16", {BGP, .as_path_len = 1, .first_as = 1, .med = 1, .since_ns = 1}}},
    {"no look at the MEDs of two first ASes",
     {"10.1.0.0/16", {BGP, .as_path_len = 1, .first_as = 1, .med = 200, .since_ns = 1}},
     {"10.1.0.0/16", {BGP, .as_path_len = 1, .first_as = 2, .med = 100}}},
    {"else the one that it was before",
     {"10.1.0.0/16", {BGP, .as_path_len = 1, .first_as = 1, .med = 100, .since_ns = 1}},
     {"10.1.0.0/16", {BGP, .as_path_len = 1, .first_as = 1, .med = 100}}},
};
#undef BGP
#undef STATIC

static void aws_s_order_of_choice_holds_row_by_row(void)
{
    const s2svpn_address to = s2_address_ipv4(0x0a010203);
    static struct world w;

    for (size_t i = 0; i < 4 * sizeof(choices) / sizeof(choices[0]); i++) {
        const unsigned winner = i & 1, winner_first = i >> 1 & 1;
        const char *row = choices[i / 4].row;

        open_world(&w);
        for (unsigned k = 0; k < 2; k++) {
            if (k != winner_first)
                set(&w, choices[i / 4].winner.prefix, winner, choices[i / 4].winner.path);
            else
                set(&w, choices[i / 4].loser.prefix, !winner, choices[i / 4].loser.path);
        }
        const struct s2_rib_path *got = s2_rib_lookup(w.rib, &to, NULL);
        CHECK_ROW(row, got != NULL && got->source == &w.source[winner]);
        close_world(&w);
    }
}

/* ---- which are equal: path 0 is the best one, does path 1 go with it? */

#define ONE .kind = S2_ROUTE_BGP, .usable = true, .together = 2, .local_pref = 100
static const struct {
    const char *row;
    bool together;
    struct s2_rib_path path[2];
} equals[] = {
    {"alike",
     true,
     {{ONE, .as_path_len = 1, .first_as = 1, .med = 5},
      {ONE, .as_path_len = 1, .first_as = 1, .med = 5}}},
    {"younger",
     true,
     {{ONE, .as_path_len = 1, .first_as = 1, .since_ns = 1},
      {ONE, .as_path_len = 1, .first_as = 1, .since_ns = 9}}},
    {"other attributes",
     true,
     {{ONE, .as_path_len = 2, .first_as = 1, .attributes = (void *)(uintptr_t)8},
      {ONE, .as_path_len = 2, .first_as = 1, .attributes = (void *)(uintptr_t)16}}},
    {"static routes",
     true,
     {{.kind = S2_ROUTE_STATIC, .usable = true, .together = 8},
      {.kind = S2_ROUTE_STATIC, .usable = true, .together = 8}}},
    {"another kind",
     false,
     {{.kind = S2_ROUTE_STATIC, .usable = true, .together = 2, .local_pref = 100},
      {ONE, .first_as = 0}}},
    {"lower local preference",
     false,
     {{ONE, .first_as = 1},
      {.kind = S2_ROUTE_BGP, .usable = true, .together = 2, .local_pref = 99, .first_as = 1}}},
    {"a longer AS path",
     false,
     {{ONE, .as_path_len = 1, .first_as = 1}, {ONE, .as_path_len = 2, .first_as = 1}}},
    {"a higher MED", false, {{ONE, .first_as = 1, .med = 100}, {ONE, .first_as = 1, .med = 200}}},
    {"another first AS", false, {{ONE, .first_as = 1}, {ONE, .first_as = 2}}},
    {"not usable",
     false,
     {{ONE, .first_as = 1},
      {.kind = S2_ROUTE_BGP, .together = 2, .local_pref = 100, .first_as = 1}}},
    {"the best one wants to be alone",
     false,
     {{.kind = S2_ROUTE_BGP, .usable = true, .together = 1, .local_pref = 100, .first_as = 1},
      {ONE, .first_as = 1}}},
    {"the other one does",
     false,
     {{ONE, .first_as = 1},
      {.kind = S2_ROUTE_BGP, .usable = true, .local_pref = 100, .first_as = 1}}},
};
#undef ONE

static void equal_paths_go_together_and_others_do_not(void)
{
    const s2svpn_prefix p = prefix("10.0.0.0/16");
    struct s2_rib_choice choice;
    static struct world w;

    for (size_t i = 0; i < 2 * sizeof(equals) / sizeof(equals[0]); i++) {
        const char *row = equals[i / 2].row;
        const unsigned first = i % 2;

        open_world(&w);
        set(&w, "10.0.0.0/16", first, equals[i / 2].path[first]);
        set(&w, "10.0.0.0/16", !first, equals[i / 2].path[!first]);
        CHECK_ROW(row, s2_rib_get_choice(w.rib, &p, &choice));
        CHECK_ROW(row, choice.best->source == &w.source[0]);
        CHECK_ROW(row, bits_of(&w, &choice) == (equals[i / 2].together ? 3u : 1u));
        CHECK_ROW(row, w.carriers == bits_of(&w, &choice));
        close_world(&w);
    }
}

/* ---- who is told of it */

static struct s2_rib_path shared(uint8_t together, uint64_t since_ns)
{
    return (struct s2_rib_path){
        .kind = S2_ROUTE_STATIC, .usable = true, .together = together, .since_ns = since_ns};
}

static void a_member_that_comes_or_goes_is_reported_and_its_age_is_not(void)
{
    const s2svpn_prefix p = prefix("10.0.0.0/16");
    static struct world w;

    open_world(&w);
    set(&w, "10.0.0.0/16", 0, shared(8, 1));
    CU_ASSERT(w.reports == 1 && w.carriers == 1);
    set(&w, "10.0.0.0/16", 2, shared(8, 2));
    CU_ASSERT(w.reports == 2 && w.carriers == 5);
    set(&w, "10.0.0.0/16", 1, shared(8, 3));
    CU_ASSERT(w.reports == 3 && w.carriers == 7);
    set(&w, "10.0.0.0/16", 1, shared(8, 4)); /* again */
    CU_ASSERT_EQUAL(w.reports, 3);
    s2_rib_set_usable(w.rib, &w.source[1], false, 5); /* not the best one */
    CU_ASSERT(w.reports == 4 && w.carriers == 5);
    s2_rib_set_usable(w.rib, &w.source[0], false, 6); /* the best one */
    CU_ASSERT(w.reports == 5 && w.carriers == 4);
    s2_rib_set_usable(w.rib, &w.source[1], true, 7);
    CU_ASSERT(w.reports == 6 && w.carriers == 6);
    s2_rib_unset(w.rib, &p, &w.source[0], 8); /* nobody used it */
    CU_ASSERT_EQUAL(w.reports, 6);
    s2_rib_unset(w.rib, &p, &w.source[1], 9);
    CU_ASSERT(w.reports == 7 && w.carriers == 4);
    s2_rib_drop(w.rib, &w.source[2], 10);
    CU_ASSERT(w.reports == 8 && w.carriers == 0);
    close_world(&w);
}

/* Members stand in their own order, so that the same ones are the same list, whoever of
 * them is the oldest. */
static void members_stand_in_their_own_order(void)
{
    static const uint64_t ages[][3] = {{1, 2, 3}, {3, 2, 1}, {2, 3, 1}, {5, 5, 5}};
    const s2svpn_prefix p = prefix("10.0.0.0/16");
    struct s2_rib_choice choice;
    static struct world w;

    for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
        open_world(&w);
        for (unsigned k = 0; k < 3; k++)
            set(&w, "10.0.0.0/16", 2 - k, shared(8, ages[i][2 - k]));
        CU_ASSERT(s2_rib_get_choice(w.rib, &p, &choice));
        CU_ASSERT_EQUAL(choice.count, 3);
        for (unsigned k = 0; k < 3; k++)
            CU_ASSERT_PTR_EQUAL(choice.path[k]->source, &w.source[k]);
        close_world(&w);
    }
}

static void the_longest_established_are_in_where_there_are_too_many(void)
{
    static const uint8_t limits[] = {2, 3, 8, 255};
    static struct world w;

    for (size_t i = 0; i < sizeof(limits); i++) {
        const unsigned most = limits[i] < 8 ? limits[i] : 8;
        unsigned wanted = 0;

        open_world(&w);
        for (unsigned k = 0; k < SOURCES; k++) { /* 7, 2, 9, 4, … : the higher the older */
            const unsigned source = (7 + 7 * k) % SOURCES;

            set(&w, "10.0.0.0/16", source, shared(limits[i], 100 - source));
        }
        for (unsigned k = 0; k < most; k++)
            wanted |= 1u << (SOURCES - 1 - k);
        CU_ASSERT_EQUAL(w.carriers, wanted);
        close_world(&w);
    }
}

static void a_prefix_that_nobody_has_has_no_choice(void)
{
    const s2svpn_prefix p = prefix("10.0.0.0/16"), q = prefix("10.1.0.0/16");
    struct s2_rib_choice choice;
    static struct world w;

    open_world(&w);
    set(&w, "10.0.0.0/16", 0, shared(8, 1));
    CU_ASSERT_FALSE(s2_rib_get_choice(w.rib, &q, &choice));
    CU_ASSERT(choice.count == 0 && choice.best == NULL);
    s2_rib_set_usable(w.rib, &w.source[0], false, 2);
    CU_ASSERT_FALSE(s2_rib_get_choice(w.rib, &p, &choice));
    CU_ASSERT(choice.count == 0 && choice.best == NULL);
    close_world(&w);
}

const CU_TestInfo s2_test_choice[] = {
    {"AWS's order of choice holds row by row", aws_s_order_of_choice_holds_row_by_row},
    {"equal paths go together, and others do not", equal_paths_go_together_and_others_do_not},
    {"a member that comes or goes is reported, and its age is not",
     a_member_that_comes_or_goes_is_reported_and_its_age_is_not},
    {"members stand in their own order", members_stand_in_their_own_order},
    {"the longest established are in where there are too many",
     the_longest_established_are_in_where_there_are_too_many},
    {"a prefix that nobody has has no choice", a_prefix_that_nobody_has_has_no_choice},
    CU_TEST_INFO_NULL,
};
