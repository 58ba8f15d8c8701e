/* SPDX-License-Identifier: Apache-2.0 */
/* Import policies: which rule decides and what it changes. */
#include "bgp/policy.h"

#include <string.h>

#include "base/address.h"
#include "base/bytes.h"
#include "base/text.h"
#include "hand.h"

#define GOOD "40010100 40020602010000fc00 400304c0000201 "
#define LONGER "40010100 40020a02020000fc000000fc07 400304c0000201 " /* 64512 64519 */
#define TEN "100a00 "                                                /* 10.0.0.0/16 */
#define TEN_ONE "180a0001 "                                          /* 10.0.1.0/24 */
#define COMMUNITIES "c00808 fc000001 fc000002 "
#define LARGE "c0200c 0000fc00 00000001 00000002 "

static struct hand h;

static s2svpn_prefix prefix(const char *text)
{
    s2svpn_prefix p;

    CU_ASSERT_FATAL(s2svpn_prefix_read(text, &p));
    return p;
}

static s2svpn_bgp_policy policy_of(const s2svpn_bgp_rule *rules, size_t n, bool deny_others)
{
    s2svpn_bgp_policy p = S2SVPN_BGP_POLICY_INIT;

    p.rules = rules;
    p.rule_count = n;
    p.deny_others = deny_others;
    return p;
}

static void establish(const s2svpn_bgp_policy *in, const s2svpn_bgp_policy *out, bool refresh)
{
    struct s2_bgp_spec spec = hand_spec();
    struct s2_bgp_open open = hand_open_message();

    spec.import_policy = in;
    spec.export_policy = out;
    open.refresh = refresh;
    hand_open(&h, &spec);
    hand_establish(&h, &open);
    CU_ASSERT_EQUAL_FATAL(hand_state(&h), S2_BGP_ESTABLISHED);
}

/* A route of the table, with what it borrows. */
struct found {
    s2svpn_prefix prefix;
    bool there;
    struct s2_bgp_attributes a;
    uint32_t path[16];
    uint8_t communities[64], large[64];
};

static bool look_for(void *arg, const s2svpn_prefix *p, const struct s2_bgp_attributes *a)
{
    struct found *f = arg;

    if (!s2_prefix_equal(p, &f->prefix))
        return true;
    f->there = true;
    f->a = *a;
    CU_ASSERT_FATAL(a->as_count <= 16 && a->communities.len <= 64 &&
                    a->large_communities.len <= 64);
    memcpy(f->path, a->as_path, a->as_count * sizeof(f->path[0]));
    if (a->communities.len > 0)
        memcpy(f->communities, a->communities.p, a->communities.len);
    if (a->large_communities.len > 0)
        memcpy(f->large, a->large_communities.p, a->large_communities.len);
    return false;
}

static struct found look(const char *text)
{
    struct found f = {.prefix = prefix(text)};

    s2_bgp_each_route(h.peer, look_for, &f);
    return f;
}

/* ---- prefix lists */

static const struct {
    const char *row, *list, *route;
    uint8_t ge, le;
    bool matches;
} matches[] = {
    {"the prefix itself", "10.0.0.0/8", "10.0.0.0/8", 0, 0, true},
    {"a longer one", "10.0.0.0/8", "10.0.0.0/9", 0, 0, false},
    {"a shorter one", "10.0.0.0/8", "10.0.0.0/7", 0, 0, false},
    {"another", "10.0.0.0/8", "11.0.0.0/8", 0, 0, false},
    {"le: itself", "10.0.0.0/8", "10.0.0.0/8", 0, 24, true},
    {"le: within", "10.0.0.0/8", "10.9.8.0/24", 0, 24, true},
    {"le: longer", "10.0.0.0/8", "10.9.8.0/25", 0, 24, false},
    {"ge: shorter", "10.0.0.0/8", "10.0.0.0/15", 16, 0, false},
    {"ge: as long", "10.0.0.0/8", "10.9.0.0/16", 16, 0, true},
    {"ge: up to all bits", "10.0.0.0/8", "10.9.8.7/32", 16, 0, true},
    {"ge and le: between", "10.0.0.0/8", "10.9.0.0/20", 16, 24, true},
    {"ge and le: below", "10.0.0.0/8", "10.0.0.0/12", 16, 24, false},
    {"ge and le: above", "10.0.0.0/8", "10.9.8.0/26", 16, 24, false},
    {"outside of it, of a good length", "10.0.0.0/8", "11.9.0.0/20", 16, 24, false},
    {"everything", "0.0.0.0/0", "203.0.113.7/32", 0, 32, true},
    {"the default route", "0.0.0.0/0", "0.0.0.0/0", 0, 0, true},
    {"the other family", "0.0.0.0/0", "::/0", 0, 32, false},
    {"IPv6", "2001:db8::/32", "2001:db8:7::/48", 33, 48, true},
};

static void a_prefix_list_looks_at_lengths(void)
{
    static struct s2_bgp_values v;

    for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
        const s2svpn_bgp_prefix_match m[] = {
            {prefix("198.51.100.0/24"), 0, 0},
            {prefix(matches[i].list), matches[i].ge, matches[i].le},
        };
        const s2svpn_bgp_rule rule = {.prefixes = m, .prefix_count = 2, .accept = true};
        const s2svpn_bgp_policy p = policy_of(&rule, 1, true);
        const s2svpn_prefix route = prefix(matches[i].route);

        CHECK_ROW(matches[i].row,
                  s2_bgp_policy_decide(&p, false, &route, &v).accepted == matches[i].matches);
    }
}

/* ---- import */

static const uint32_t one[] = {0xfc000001}, nine[] = {0xfc000009},
                      both[] = {0xfc000001, 0xfc000002};
static const s2svpn_bgp_large_community large[] = {{64512, 1, 2}};

static const struct {
    const char *row;
    s2svpn_bgp_rule rule;
    bool deny_others;
    const char *attributes; /* of 10.0.0.0/16 */
    bool there;
    uint32_t local_pref, med; /* 0: none */
    size_t as_count;
    const char *communities, *large;
} imports[] = {
    {"accepted as it is",
     {.accept = true},
     true,
     GOOD COMMUNITIES LARGE,
     true,
     0,
     0,
     1,
     "fc000001 fc000002",
     "0000fc00 00000001 00000002"},
    {"denied", {.accept = false}, false, GOOD, false, 0, 0, 0, "", ""},
    {"no rule: accepted", {.as_first = 1}, false, GOOD, true, 0, 0, 1, "", ""},
    {"no rule: denied", {.as_first = 1, .accept = true}, true, GOOD, false, 0, 0, 0, "", ""},
    {"path begins with", {.as_first = 64512, .accept = true}, true, LONGER, true, 0, 0, 2, "", ""},
    {"path begins with another",
     {.as_first = 64519, .accept = true},
     true,
     LONGER,
     false,
     0,
     0,
     0,
     "",
     ""},
    {"path contains", {.as_contains = 64519, .accept = true}, true, LONGER, true, 0, 0, 2, "", ""},
    {"path doesn't contain",
     {.as_contains = 64520, .accept = true},
     true,
     LONGER,
     false,
     0,
     0,
     0,
     "",
     ""},
    {"has a community",
     {.match_community = true, .community = 0xfc000002, .accept = true},
     true,
     GOOD COMMUNITIES,
     true,
     0,
     0,
     1,
     "fc000001 fc000002",
     ""},
    {"has it across two",
     {.match_community = true, .community = 0x0001fc00, .accept = true},
     true,
     GOOD COMMUNITIES,
     false,
     0,
     0,
     0,
     "",
     ""},
    {"has no communities",
     {.match_community = true, .community = 0xfc000002, .accept = true},
     true,
     GOOD,
     false,
     0,
     0,
     0,
     "",
     ""},
    {"has a large community",
     {.match_large_community = true, .large_community = {64512, 1, 2}, .accept = true},
     true,
     GOOD LARGE,
     true,
     0,
     0,
     1,
     "",
     "0000fc00 00000001 00000002"},
    {"has another large community",
     {.match_large_community = true, .large_community = {64512, 1, 3}, .accept = true},
     true,
     GOOD LARGE,
     false,
     0,
     0,
     0,
     "",
     ""},
    {"local preference and MED",
     {.accept = true, .set_local_pref = true, .local_pref = 200, .set_med = true, .med = 7},
     false,
     GOOD "80040400000064",
     true,
     200,
     7,
     1,
     "",
     ""},
    {"prepends the neighbour",
     {.accept = true, .prepend = 3},
     false,
     LONGER,
     true,
     0,
     0,
     5,
     "",
     ""},
    {"adds a community",
     {.accept = true, .add = nine, .add_count = 1},
     false,
     GOOD COMMUNITIES,
     true,
     0,
     0,
     1,
     "fc000001 fc000002 fc000009",
     ""},
    {"adds one to none",
     {.accept = true, .add = nine, .add_count = 1},
     false,
     GOOD LARGE,
     true,
     0,
     0,
     1,
     "fc000009",
     "0000fc00 00000001 00000002"},
    {"adds one that is there",
     {.accept = true, .add = one, .add_count = 1},
     false,
     GOOD COMMUNITIES,
     true,
     0,
     0,
     1,
     "fc000001 fc000002",
     ""},
    {"strips one",
     {.accept = true, .strip = one, .strip_count = 1},
     false,
     GOOD COMMUNITIES LARGE,
     true,
     0,
     0,
     1,
     "fc000002",
     "0000fc00 00000001 00000002"},
    {"strips each",
     {.accept = true, .strip = both, .strip_count = 2},
     false,
     GOOD COMMUNITIES,
     true,
     0,
     0,
     1,
     "",
     ""},
    {"strips a large one",
     {.accept = true, .strip_large = large, .strip_large_count = 1},
     false,
     GOOD COMMUNITIES LARGE,
     true,
     0,
     0,
     1,
     "fc000001 fc000002",
     ""},
    {"strips all and adds",
     {.accept = true,
      .strip_all = true,
      .add = nine,
      .add_count = 1,
      .add_large = large,
      .add_large_count = 1},
     false,
     GOOD COMMUNITIES,
     true,
     0,
     0,
     1,
     "fc000009",
     "0000fc00 00000001 00000002"},
};

static bool is_hex(const uint8_t *p, size_t len, const char *hex)
{
    uint8_t bytes[64];

    return hand_hex(bytes, hex) == len && memcmp(bytes, p, len) == 0;
}

static void an_import_rule_does_what_it_says(void)
{
    for (size_t i = 0; i < sizeof(imports) / sizeof(imports[0]); i++) {
        const char *row = imports[i].row;
        const s2svpn_bgp_policy p = policy_of(&imports[i].rule, 1, imports[i].deny_others);

        establish(&p, NULL, true);
        hand_send_update(&h, "", imports[i].attributes, TEN);
        const struct found f = look("10.0.0.0/16");
        CHECK_ROW(row, f.there == imports[i].there);
        CHECK_ROW(row, f.a.has_local_pref == (imports[i].local_pref > 0));
        CHECK_ROW(row, f.a.local_pref == imports[i].local_pref);
        CHECK_ROW(row, f.a.med == imports[i].med && f.a.has_med == (imports[i].med > 0));
        CHECK_ROW(row, f.a.as_count == imports[i].as_count && f.a.as_path_len == f.a.as_count);
        CHECK_ROW(row, !f.there || (f.path[0] == 64512 && f.a.first_as == 64512));
        CHECK_ROW(row, is_hex(f.communities, f.a.communities.len, imports[i].communities));
        CHECK_ROW(row, is_hex(f.large, f.a.large_communities.len, imports[i].large));
        hand_close(&h);
    }
}

static void each_prefix_of_an_update_meets_its_own_rule(void)
{
    const s2svpn_bgp_prefix_match ten[] = {{prefix("10.0.0.0/16"), 0, 0}};
    const s2svpn_bgp_prefix_match longer[] = {{prefix("10.0.0.0/8"), 24, 0}};
    const s2svpn_bgp_rule rules[] = {
        {.prefixes = ten, .prefix_count = 1, .accept = true, .set_med = true, .med = 5},
        {.prefixes = longer, .prefix_count = 1, .accept = false},
        {.accept = true, .set_local_pref = true, .local_pref = 300},
    };
    const s2svpn_bgp_policy p = policy_of(rules, 3, true);

    establish(&p, NULL, true);
    hand_send_update(&h, "", GOOD, TEN TEN_ONE "080b 100c00" TEN);
    CU_ASSERT(look("10.0.0.0/16").a.med == 5 && !look("10.0.0.0/16").a.has_local_pref);
    CU_ASSERT(!look("10.0.1.0/24").there);
    CU_ASSERT_EQUAL(look("11.0.0.0/8").a.local_pref, 300);
    CU_ASSERT_EQUAL(look("12.0.0.0/16").a.local_pref, 300);
    hand_send_update(&h, TEN TEN_ONE, "", "");
    CU_ASSERT_EQUAL(h.withdrawn, 1);
    hand_close(&h);
}

static void what_is_denied_now_replaces_what_was_accepted(void)
{
    const s2svpn_bgp_rule rule = {.match_community = true, .community = 0xfc000001};
    const s2svpn_bgp_policy p = policy_of(&rule, 1, false);

    establish(&p, NULL, true);
    hand_send_update(&h, "", GOOD, TEN);
    CU_ASSERT(hand_has(&h, "10.0.0.0/16"));
    hand_send_update(&h, "", GOOD COMMUNITIES, TEN);
    CU_ASSERT(!hand_has(&h, "10.0.0.0/16"));
    CU_ASSERT_EQUAL(h.withdrawn, 1);
    hand_close(&h);
}

static void a_path_without_room_for_more_is_denied(void)
{
    const s2svpn_bgp_rule rule = {.accept = true, .prepend = 1};
    const s2svpn_bgp_policy p = policy_of(&rule, 1, false);
    static char hex[4096];
    size_t at;

    at = s2_print(hex, sizeof(hex), "40010100 400304c0000201 500203fe 02ff ");
    for (int i = 0; i < 255; i++)
        at += s2_print(hex + at, sizeof(hex) - at, "0000fc00");
    establish(&p, NULL, true);
    hand_send_update(&h, "", hex, TEN);
    CU_ASSERT(!hand_has(&h, "10.0.0.0/16"));
    CU_ASSERT_EQUAL(hand_state(&h), S2_BGP_ESTABLISHED);
    hand_close(&h);
}

const CU_TestInfo s2_test_policy[] = {
    {"a prefix list looks at lengths", a_prefix_list_looks_at_lengths},
    {"an import rule does what it says", an_import_rule_does_what_it_says},
    {"each prefix of an UPDATE meets its own rule", each_prefix_of_an_update_meets_its_own_rule},
    {"what is denied now replaces what was accepted",
     what_is_denied_now_replaces_what_was_accepted},
    {"a path without room for more is denied", a_path_without_room_for_more_is_denied},
    CU_TEST_INFO_NULL,
};
