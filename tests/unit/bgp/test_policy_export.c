/* SPDX-License-Identifier: Apache-2.0 */
/* Export policies and what leaves by them; a change, seen from the other side; what no
 * policy may say; and communities carried. */
#include <string.h>

#include "base/address.h"
#include "base/bytes.h"
#include "hand.h"

#define GOOD "40010100 40020602010000fc00 400304c0000201 "
#define TEN "100a00 "       /* 10.0.0.0/16 */
#define TEN_ONE "180a0001 " /* 10.0.1.0/24 */
#define COMMUNITIES "c00808 fc000001 fc000002 "
#define LARGE "c0200c 0000fc00 00000001 00000002 "

static struct hand h;

static const uint32_t one[] = {0xfc000001}, nine[] = {0xfc000009},
                      both[] = {0xfc000001, 0xfc000002};
static const s2svpn_bgp_large_community large[] = {{64512, 1, 2}};

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

static bool is_hex(const uint8_t *p, size_t len, const char *hex)
{
    uint8_t bytes[64];

    return hand_hex(bytes, hex) == len && memcmp(bytes, p, len) == 0;
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

static void a_peer_that_cannot_be_asked_is_left_alone_until_its_next_session(void)
{
    const s2svpn_bgp_rule deny = {.accept = false};
    const s2svpn_bgp_policy p = policy_of(&deny, 1, false);
    struct s2_bgp_open open = hand_open_message();
    struct s2_bgp_info info;

    open.refresh = false;
    establish(NULL, NULL, false);
    hand_send_update(&h, "", GOOD, TEN);
    CU_ASSERT_EQUAL(s2_bgp_set_policies(h.peer, &p, NULL, h.now_ns), S2SVPN_OK);
    CU_ASSERT(hand_state(&h) == S2_BGP_ESTABLISHED && h.notifications == 0);
    s2_bgp_get_info(h.peer, &info);
    CU_ASSERT(info.import_waits);
    CU_ASSERT(hand_has(&h, "10.0.0.0/16"));
    hand_send_update(&h, "", GOOD, TEN_ONE); /* what comes now meets the new one */
    CU_ASSERT(!hand_has(&h, "10.0.1.0/24"));
    s2_bgp_stop(h.peer, S2_BGP_SUB_CEASE_RESET, "", h.now_ns);
    hand_establish(&h, &open);
    hand_send_update(&h, "", GOOD, TEN);
    s2_bgp_get_info(h.peer, &info);
    CU_ASSERT(!info.import_waits && !hand_has(&h, "10.0.0.0/16"));
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

const CU_TestInfo s2_test_policy_export[] = {
    {"communities of an announcement are sent", communities_of_an_announcement_are_sent},
    {"an export rule changes what leaves", an_export_rule_changes_what_leaves},
    {"without a policy nothing passes if one is required",
     without_a_policy_nothing_passes_if_one_is_required},
    {"a change asks for the table again", a_change_asks_for_the_table_again},
    {"a peer that cannot be asked is left alone until its next session",
     a_peer_that_cannot_be_asked_is_left_alone_until_its_next_session},
    {"a policy that makes no sense is refused and nothing changes",
     a_policy_that_makes_no_sense_is_refused_and_nothing_changes},
    {"too many communities are refused", too_many_communities_are_refused},
    {"the longest attributes leave room for a prefix",
     the_longest_attributes_leave_room_for_a_prefix},
    {"every allocation may fail", every_allocation_may_fail},
    CU_TEST_INFO_NULL,
};
