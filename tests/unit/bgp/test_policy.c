/* SPDX-License-Identifier: Apache-2.0 */
/* Import and export policies: which rule decides, what it changes, what a change of the
 * policy itself does; and communities shown, carried and set. */
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

/* ---- what leaves */

/* The attributes of the next UPDATE that announces. */
static bool next_update(struct s2_bgp_parsed *out, size_t *withdrawn, size_t *announced)
{
    struct s2_bgp_error why;
    s2svpn_span body;

    for (uint8_t type; (type = hand_next(&h, HAND_OURS, &body)) != 0;) {
        struct s2_reader r;

        if (type != S2_BGP_TYPE_UPDATE || body.len <= 10)
            continue; /* End-of-RIB */
        s2_reader_init(&r, body.p, body.len);
        *withdrawn = s2_read_u16(&r, "withdrawn");
        s2_read_skip(&r, *withdrawn, "withdrawn");
        const s2svpn_span a = s2_read_span(&r, s2_read_u16(&r, "attributes"), "attributes");
        *announced = r.left;
        return s2_bgp_parse_attributes(a, 4, out, &why) == S2SVPN_OK && r.rc == S2SVPN_OK;
    }
    return false;
}

static s2svpn_status advertise(const char *text)
{
    const struct s2_bgp_announcement a = {.prefix = prefix(text),
                                          .community_count = 2,
                                          .communities = both,
                                          .large_community_count = 1,
                                          .large_communities = large};
    const s2svpn_status rc = s2_bgp_advertise(h.peer, &a, h.now_ns);

    hand_wait(&h, 0);
    return rc;
}

static s2svpn_span list_of(const struct s2_bgp_parsed *p)
{
    return s2_span(p->values.opaque, p->values.opaque_len);
}

static void communities_of_an_announcement_are_sent(void)
{
    static struct s2_bgp_parsed u;
    size_t withdrawn, announced;

    establish(NULL, NULL, true);
    CU_ASSERT_EQUAL(advertise("10.5.0.0/16"), S2SVPN_OK);
    CU_ASSERT_FATAL(next_update(&u, &withdrawn, &announced));
    CU_ASSERT(is_hex(list_of(&u).p, list_of(&u).len, COMMUNITIES LARGE));
    hand_close(&h);
}

static void an_export_rule_changes_what_leaves(void)
{
    const s2svpn_bgp_prefix_match six[] = {{prefix("10.6.0.0/16"), 0, 0}};
    const s2svpn_bgp_rule rules[] = {
        {.prefixes = six, .prefix_count = 1, .accept = false},
        {.as_first = 65001,
         .accept = true,
         .prepend = 2,
         .set_med = true,
         .med = 50,
         .strip = one,
         .strip_count = 1},
    };
    const s2svpn_bgp_policy p = policy_of(rules, 2, true);
    static struct s2_bgp_parsed u;
    size_t withdrawn, announced;

    establish(NULL, &p, true);
    CU_ASSERT_EQUAL(advertise("10.6.0.0/16"), S2SVPN_OK); /* denied, which is no failure */
    CU_ASSERT(!next_update(&u, &withdrawn, &announced));
    CU_ASSERT_EQUAL(advertise("10.5.0.0/16"), S2SVPN_OK);
    CU_ASSERT_FATAL(next_update(&u, &withdrawn, &announced));
    CU_ASSERT(u.values.head.has_med && u.values.head.med == 50);
    CU_ASSERT_EQUAL(u.values.path.as_count, 3);
    CU_ASSERT(u.values.path.as[0] == 65001 && u.values.path.as[2] == 65001);
    CU_ASSERT(is_hex(list_of(&u).p, list_of(&u).len, "c00804 fc000002" LARGE));
    hand_close(&h);
}

static void what_the_export_denies_now_is_withdrawn(void)
{
    const s2svpn_bgp_rule deny = {.accept = false};
    const s2svpn_bgp_policy p = policy_of(&deny, 1, false);
    static struct s2_bgp_parsed u;
    size_t withdrawn, announced;

    establish(NULL, NULL, true);
    CU_ASSERT_EQUAL(advertise("10.5.0.0/16"), S2SVPN_OK);
    CU_ASSERT(next_update(&u, &withdrawn, &announced) && announced == 3);
    CU_ASSERT_EQUAL(s2_bgp_set_policies(h.peer, NULL, &p, h.now_ns), S2SVPN_OK);
    s2svpn_span body;
    while (hand_next(&h, HAND_OURS, &body) != 0)
        continue;
    const size_t sent = h.stream[HAND_OURS].len;
    CU_ASSERT_EQUAL(advertise("10.5.0.0/16"), S2SVPN_OK);
    CU_ASSERT(h.stream[HAND_OURS].len == sent + S2_BGP_HEADER_LEN + 4 + 3); /* a withdrawal */
    hand_close(&h);
}

static void without_a_policy_nothing_passes_if_one_is_required(void)
{
    struct s2_bgp_spec spec = hand_spec();
    const struct s2_bgp_open open = hand_open_message();
    const s2svpn_bgp_policy all = S2SVPN_BGP_POLICY_INIT;

    spec.require_policy = true; /* RFC 8212 */
    hand_open(&h, &spec);
    hand_establish(&h, &open);
    hand_send_update(&h, "", GOOD, TEN);
    CU_ASSERT(!hand_has(&h, "10.0.0.0/16"));
    CU_ASSERT_EQUAL(advertise("10.5.0.0/16"), S2SVPN_OK);
    CU_ASSERT_EQUAL(h.peer->out.advertised, 0);
    CU_ASSERT_EQUAL(s2_bgp_set_policies(h.peer, &all, &all, h.now_ns), S2SVPN_OK);
    hand_send_update(&h, "", GOOD, TEN);
    CU_ASSERT(hand_has(&h, "10.0.0.0/16"));
    CU_ASSERT_EQUAL(advertise("10.5.0.0/16"), S2SVPN_OK);
    CU_ASSERT_EQUAL(h.peer->out.advertised, 1);
    hand_close(&h);
}

/* ---- a policy changes */

static void a_change_asks_for_the_table_again(void)
{
    const s2svpn_bgp_rule deny = {.accept = false};
    const s2svpn_bgp_policy p = policy_of(&deny, 1, false);
    unsigned refreshes = 0;
    s2svpn_span body;

    establish(NULL, NULL, true);
    hand_send_update(&h, "", GOOD, TEN);
    h.room = 5; /* of the first ROUTE-REFRESH */
    CU_ASSERT_EQUAL(s2_bgp_set_policies(h.peer, &p, NULL, h.now_ns), S2SVPN_OK);
    h.room = SIZE_MAX;
    s2_bgp_stream_writable(h.peer, &h.stream[HAND_OURS], h.now_ns);
    for (uint8_t type; (type = hand_next(&h, HAND_OURS, &body)) != 0;)
        refreshes |= type == S2_BGP_TYPE_REFRESH ? s2_bgp_parse_refresh(body) : 0;
    CU_ASSERT_EQUAL(refreshes, S2_BGP_IPV4 | S2_BGP_IPV6);
    CU_ASSERT(!h.peer->refresh_due);
    hand_send_update(&h, "", GOOD, TEN);
    CU_ASSERT(!hand_has(&h, "10.0.0.0/16"));
    CU_ASSERT_EQUAL(hand_state(&h), S2_BGP_ESTABLISHED);
    hand_close(&h);
}

static void a_change_resets_a_session_without_refresh(void)
{
    const s2svpn_bgp_policy p = S2SVPN_BGP_POLICY_INIT;

    establish(NULL, NULL, false);
    CU_ASSERT_EQUAL(s2_bgp_set_policies(h.peer, &p, NULL, h.now_ns), S2SVPN_OK);
    CU_ASSERT(h.sent && h.code == 6 && h.subcode == 6);
    CU_ASSERT_EQUAL(h.connects, 2); /* and comes again at once */
    hand_close(&h);
}

/* ---- refused */

static void a_policy_that_makes_no_sense_is_refused_and_nothing_changes(void)
{
    const s2svpn_bgp_prefix_match bad[] = {
        {prefix("10.0.0.0/8"), 7, 0},   {prefix("10.0.0.0/8"), 0, 7},
        {prefix("10.0.0.0/8"), 33, 0},  {prefix("10.0.0.0/8"), 0, 33},
        {prefix("10.0.0.0/8"), 24, 16}, {.ge = 0},
    };
    struct s2_bgp_spec spec = hand_spec();
    struct s2_bgp_peer *peer;

    establish(NULL, NULL, true);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const s2svpn_bgp_rule rule = {.prefixes = &bad[i], .prefix_count = 1};
        const s2svpn_bgp_policy p = policy_of(&rule, 1, false);

        CU_ASSERT_EQUAL(s2_bgp_set_policies(h.peer, NULL, &p, h.now_ns), S2SVPN_E_ARGUMENT);
        CU_ASSERT_STRING_EQUAL(h.f.error.field, "export_policy");
        spec.import_policy = &p;
        CU_ASSERT_EQUAL(s2_bgp_peer_new(h.bgp, &spec, NULL, &peer), S2SVPN_E_ARGUMENT);
        CU_ASSERT_STRING_EQUAL(h.f.error.field, "import_policy");
    }
    const s2svpn_bgp_rule rule = {.prepend = 33};
    const s2svpn_bgp_policy p = policy_of(&rule, 1, false);
    CU_ASSERT_EQUAL(s2_bgp_set_policies(h.peer, &p, NULL, h.now_ns), S2SVPN_E_LIMIT);
    CU_ASSERT(h.peer->spec.import_policy == NULL && h.peer->spec.export_policy == NULL);
    hand_close(&h);
}

static void too_many_communities_are_refused(void)
{
    static const uint32_t many[65];
    static const s2svpn_bgp_large_community many_large[33];
    struct s2_bgp_announcement a = {
        .prefix = prefix("10.5.0.0/16"), .community_count = 65, .communities = many};

    establish(NULL, NULL, true);
    CU_ASSERT_EQUAL(s2_bgp_advertise(h.peer, &a, h.now_ns), S2SVPN_E_LIMIT);
    CU_ASSERT_STRING_EQUAL(h.f.error.field, "communities");
    a.community_count = 64;
    a.large_community_count = 33;
    a.large_communities = many_large;
    CU_ASSERT_EQUAL(s2_bgp_advertise(h.peer, &a, h.now_ns), S2SVPN_E_LIMIT);
    a.large_community_count = 32;
    CU_ASSERT_EQUAL(s2_bgp_advertise(h.peer, &a, h.now_ns), S2SVPN_OK);
    hand_close(&h);
}

/* All that an announcement may have, to a speaker of two-octet AS numbers, fits. */
static void the_longest_attributes_leave_room_for_a_prefix(void)
{
    static uint32_t path[254], many[64];
    static s2svpn_bgp_large_community many_large[32];
    struct s2_bgp_announcement a = {.has_med = true,
                                    .path_count = 254,
                                    .path = path,
                                    .community_count = 64,
                                    .communities = many,
                                    .large_community_count = 32,
                                    .large_communities = many_large};
    const struct s2_bgp_spec spec = hand_spec();
    struct s2_bgp_open open = hand_open_message();
    s2svpn_span body;
    unsigned updates = 0;

    for (size_t i = 0; i < 254; i++)
        path[i] = 100000;
    open.four_octet_as = false;
    hand_open(&h, &spec);
    hand_establish(&h, &open);
    for (int i = 0; i < 2; i++) {
        a.prefix = prefix(i == 0 ? "10.5.0.0/16" : "2001:db8:5::/48");
        CU_ASSERT_EQUAL(s2_bgp_advertise(h.peer, &a, h.now_ns), S2SVPN_OK);
    }
    hand_wait(&h, 0);
    while (hand_next(&h, HAND_OURS, &body) != 0)
        updates += body.len > 2000;
    CU_ASSERT_EQUAL(updates, 2);
    hand_close(&h);
}

static bool filtered_session(struct s2_fake_env *f, void *arg)
{
    const s2svpn_bgp_rule rule = {.accept = true, .add = nine, .add_count = 1};
    const s2svpn_bgp_policy p = policy_of(&rule, 1, false);
    struct s2_bgp_spec spec = hand_spec();
    const struct s2_bgp_open open = hand_open_message();
    bool good;

    (void)arg;
    memset(&h, 0, sizeof(h));
    spec.import_policy = spec.export_policy = &p;
    if (!hand_try(&h, &f->env, &spec))
        return false;
    hand_establish(&h, &open);
    hand_send_update(&h, "", GOOD, TEN);
    good = hand_has(&h, "10.0.0.0/16") && advertise("10.5.0.0/16") == S2SVPN_OK;
    s2_bgp_peer_free(h.peer);
    CU_ASSERT_EQUAL(h.bgp->sets.count, 0);
    s2_bgp_free(h.bgp);
    return good;
}

static void every_allocation_may_fail(void)
{
    s2_fail_every_allocation(filtered_session, NULL);
}

const CU_TestInfo s2_test_policy[] = {
    {"a prefix list looks at lengths", a_prefix_list_looks_at_lengths},
    {"an import rule does what it says", an_import_rule_does_what_it_says},
    {"each prefix of an UPDATE meets its own rule", each_prefix_of_an_update_meets_its_own_rule},
    {"what is denied now replaces what was accepted",
     what_is_denied_now_replaces_what_was_accepted},
    {"a path without room for more is denied", a_path_without_room_for_more_is_denied},
    {"communities of an announcement are sent", communities_of_an_announcement_are_sent},
    {"an export rule changes what leaves", an_export_rule_changes_what_leaves},
    {"what the export denies now is withdrawn", what_the_export_denies_now_is_withdrawn},
    {"without a policy nothing passes if one is required",
     without_a_policy_nothing_passes_if_one_is_required},
    {"a change asks for the table again", a_change_asks_for_the_table_again},
    {"a change resets a session without refresh", a_change_resets_a_session_without_refresh},
    {"a policy that makes no sense is refused and nothing changes",
     a_policy_that_makes_no_sense_is_refused_and_nothing_changes},
    {"too many communities are refused", too_many_communities_are_refused},
    {"the longest attributes leave room for a prefix",
     the_longest_attributes_leave_room_for_a_prefix},
    {"every allocation may fail", every_allocation_may_fail},
    CU_TEST_INFO_NULL,
};
