/* SPDX-License-Identifier: Apache-2.0 */
/* The adj-RIB-out as the peer's other side sees it: which UPDATEs, how full, and
 * what happens when the stream takes less than all. */
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "bgp/nlri.h"
#include "hand.h"

static struct hand h;

static void establish_with(const struct s2_bgp_spec *spec, const struct s2_bgp_open *open)
{
    hand_open(&h, spec);
    hand_establish(&h, open);
    CU_ASSERT_EQUAL_FATAL(hand_state(&h), S2_BGP_ESTABLISHED);
}

static void establish(void)
{
    const struct s2_bgp_spec spec = hand_spec();
    const struct s2_bgp_open open = hand_open_message();

    establish_with(&spec, &open);
}

static s2svpn_status advertise(const char *prefix, uint32_t med)
{
    struct s2_bgp_announcement a = {.has_med = med != 0, .med = med};

    CU_ASSERT_FATAL(s2svpn_prefix_read(prefix, &a.prefix));
    return s2_bgp_advertise(h.peer, &a, h.now_ns);
}

static void withdraw(const char *prefix)
{
    s2svpn_prefix p;

    CU_ASSERT_FATAL(s2svpn_prefix_read(prefix, &p));
    s2_bgp_withdraw(h.peer, &p, h.now_ns);
}

/* All UPDATEs since the last look, counted. */
struct seen {
    unsigned updates, announced, withdrawn, end_of_ribs, others;
    unsigned announced6, withdrawn6;
    struct s2_bgp_parsed last; /* of those with attributes */
};
static struct seen seen;

static unsigned count(s2svpn_span prefixes, uint8_t family)
{
    struct s2_reader r;
    unsigned n = 0;

    s2_reader_init(&r, prefixes.p, prefixes.len);
    for (; r.left > 0; n++)
        (void)s2_bgp_read_prefix(&r, family);
    CU_ASSERT_EQUAL(r.rc, S2SVPN_OK);
    return n;
}

static void look_at(s2svpn_span body, size_t as_size)
{
    struct s2_bgp_error why;
    struct s2_reader r;

    s2_reader_init(&r, body.p, body.len);
    const s2svpn_span withdrawn = s2_read_span(&r, s2_read_u16(&r, ""), "");
    const s2svpn_span attributes = s2_read_span(&r, s2_read_u16(&r, ""), "");
    const s2svpn_span prefixes = s2_read_rest(&r);
    CU_ASSERT_EQUAL_FATAL(r.rc, S2SVPN_OK);
    seen.updates++;
    seen.withdrawn += count(withdrawn, S2SVPN_FAMILY_IPV4);
    seen.announced += count(prefixes, S2SVPN_FAMILY_IPV4);
    seen.end_of_ribs += body.len == 4;
    if (attributes.len == 0)
        return;
    CU_ASSERT_EQUAL(s2_bgp_parse_attributes(attributes, as_size, &seen.last, &why), S2SVPN_OK);
    CU_ASSERT_EQUAL(seen.last.cost, S2_BGP_COST_NONE);
    if (seen.last.reach.present)
        seen.announced6 += count(seen.last.reach.prefixes, S2SVPN_FAMILY_IPV6);
    if (seen.last.unreach.present) {
        seen.withdrawn6 += count(seen.last.unreach.prefixes, S2SVPN_FAMILY_IPV6);
        seen.end_of_ribs += seen.last.unreach.prefixes.len == 0;
    }
}

static void look_as(size_t as_size)
{
    s2svpn_span body;
    uint8_t type;

    hand_wait(&h, 0); /* what is due at once */
    memset(&seen, 0, sizeof(seen));
    while ((type = hand_next(&h, HAND_OURS, &body)) != 0) {
        if (type == S2_BGP_TYPE_UPDATE)
            look_at(body, as_size);
        else
            seen.others++;
    }
}

static void look(void)
{
    look_as(4);
}

static void what_was_advertised_before_is_sent_first_and_the_end_behind(void)
{
    const struct s2_bgp_spec spec = hand_spec();
    const struct s2_bgp_open open = hand_open_message();

    hand_open(&h, &spec);
    CU_ASSERT_EQUAL(advertise("10.0.0.0/16", 100), S2SVPN_OK);
    CU_ASSERT_EQUAL(advertise("10.1.0.0/16", 100), S2SVPN_OK);
    CU_ASSERT_EQUAL(advertise("2001:db8::/32", 100), S2SVPN_OK);
    hand_establish(&h, &open);
    look();
    CU_ASSERT(seen.announced == 2 && seen.announced6 == 1);
    CU_ASSERT_EQUAL(seen.end_of_ribs, 2);
    CU_ASSERT_EQUAL(seen.updates, 4); /* one a family and attribute set, then the ends */
    hand_close(&h);
}

static void the_attributes_are_ours(void)
{
    const uint32_t path[] = {65010, 4200000000};
    struct s2_bgp_announcement a = {
        .has_med = true, .med = 200, .origin = S2_BGP_INCOMPLETE, .path_count = 2, .path = path};
    const s2svpn_address next_hop = s2_address_ipv4(0xc0000202);

    establish();
    look();
    CU_ASSERT(s2svpn_prefix_read("10.0.0.0/16", &a.prefix));
    CU_ASSERT_EQUAL(s2_bgp_advertise(h.peer, &a, h.now_ns), S2SVPN_OK);
    look();
    CU_ASSERT_EQUAL(seen.announced, 1);
    CU_ASSERT_EQUAL(seen.last.values.head.origin, S2_BGP_INCOMPLETE);
    CU_ASSERT_EQUAL(seen.last.values.head.med, 200);
    CU_ASSERT_EQUAL(seen.last.values.path.as_count, 3);
    CU_ASSERT_EQUAL(seen.last.values.path.as[0], 65001);
    CU_ASSERT_EQUAL(seen.last.values.path.as[2], 4200000000);
    CU_ASSERT(s2_address_equal(&seen.last.next_hop, &next_hop));
    CU_ASSERT(!s2_bgp_has(&seen.last, S2_BGP_LOCAL_PREF));
    hand_close(&h);
}

static void a_two_octet_peer_gets_as_trans_and_the_truth_beside_it(void)
{
    struct s2_bgp_spec spec = hand_spec();
    struct s2_bgp_open open = hand_open_message();

    spec.local_asn = 4200000000;
    open.four_octet_as = false;
    establish_with(&spec, &open);
    CU_ASSERT_EQUAL(advertise("10.0.0.0/16", 0), S2SVPN_OK);
    look_as(2);
    CU_ASSERT_EQUAL(seen.announced, 1);
    CU_ASSERT(s2_bgp_has(&seen.last, S2_BGP_AS4_PATH));
    CU_ASSERT_EQUAL(seen.last.values.path.as[0], 4200000000); /* merged by the parser */
    hand_close(&h);
}

static void many_prefixes_share_updates_that_are_full(void)
{
    char text[32];

    establish();
    look();
    for (unsigned i = 0; i < 5000; i++) {
        (void)snprintf(text, sizeof(text), "10.%u.%u.0/24", i / 256, i % 256);
        CU_ASSERT_EQUAL(advertise(text, 100 + i % 2), S2SVPN_OK);
    }
    look();
    CU_ASSERT_EQUAL(seen.announced, 5000);
    CU_ASSERT_EQUAL(seen.updates, 6); /* 4 bytes each: 2,500 of a set in 3 messages */
    for (unsigned i = 0; i < 5000; i++) {
        (void)snprintf(text, sizeof(text), "10.%u.%u.0/24", i / 256, i % 256);
        withdraw(text);
    }
    look();
    CU_ASSERT_EQUAL(seen.withdrawn, 5000);
    CU_ASSERT_EQUAL(seen.updates, 5);
    CU_ASSERT_EQUAL(h.peer->out.prefixes.count, 0);
    CU_ASSERT_EQUAL(h.peer->out.buckets.count, 0);
    CU_ASSERT_EQUAL(h.bgp->sets.count, 0);
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(text, sizeof(text), "2001:db8:%x::/48", i);
        CU_ASSERT_EQUAL(advertise(text, 1), S2SVPN_OK);
    }
    look();
    CU_ASSERT_EQUAL(seen.announced6, 1000);
    CU_ASSERT_EQUAL(seen.updates, 2);
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(text, sizeof(text), "2001:db8:%x::/48", i);
        withdraw(text);
    }
    look();
    CU_ASSERT_EQUAL(seen.withdrawn6, 1000);
    CU_ASSERT_EQUAL(seen.updates, 2);
    hand_close(&h);
}

static void only_what_the_peer_does_not_know_is_sent(void)
{
    establish();
    look();
    CU_ASSERT_EQUAL(advertise("10.0.0.0/16", 1), S2SVPN_OK);
    withdraw("10.0.0.0/16"); /* never sent: nobody needs to know */
    withdraw("10.9.0.0/16");
    look();
    CU_ASSERT_EQUAL(seen.updates, 0);
    CU_ASSERT_EQUAL(advertise("10.0.0.0/16", 1), S2SVPN_OK);
    look();
    CU_ASSERT_EQUAL(seen.announced, 1);
    CU_ASSERT_EQUAL(advertise("10.0.0.0/16", 1), S2SVPN_OK); /* the same */
    look();
    CU_ASSERT_EQUAL(seen.updates, 0);
    CU_ASSERT_EQUAL(advertise("10.0.0.0/16", 2), S2SVPN_OK);
    CU_ASSERT_EQUAL(advertise("10.0.0.0/16", 3), S2SVPN_OK);
    look();
    CU_ASSERT(seen.updates == 1 && seen.last.values.head.med == 3);
    withdraw("10.0.0.0/16");
    CU_ASSERT_EQUAL(advertise("10.0.0.0/16", 4), S2SVPN_OK);
    look();
    CU_ASSERT(seen.announced == 1 && seen.withdrawn == 0);
    withdraw("10.0.0.0/16");
    withdraw("10.0.0.0/16");
    look();
    CU_ASSERT(seen.announced == 0 && seen.withdrawn == 1);
    hand_close(&h);
}

static void a_refresh_sends_its_family_again(void)
{
    establish();
    CU_ASSERT_EQUAL(advertise("10.0.0.0/16", 1), S2SVPN_OK);
    CU_ASSERT_EQUAL(advertise("10.1.0.0/16", 2), S2SVPN_OK);
    CU_ASSERT_EQUAL(advertise("2001:db8::/32", 1), S2SVPN_OK);
    look();
    CU_ASSERT(seen.announced == 2 && seen.announced6 == 1);
    hand_send_hex(&h, HAND_OURS, S2_BGP_TYPE_REFRESH, "00010001");
    look();
    CU_ASSERT(seen.announced == 2 && seen.announced6 == 0 && seen.end_of_ribs == 0);
    hand_send_hex(&h, HAND_OURS, S2_BGP_TYPE_REFRESH, "00020001");
    look();
    CU_ASSERT(seen.announced == 0 && seen.announced6 == 1);
    hand_send_hex(&h, HAND_OURS, S2_BGP_TYPE_REFRESH, "00190041");
    look();
    CU_ASSERT_EQUAL(seen.updates, 0);
    hand_close(&h);
}

static void a_new_session_starts_from_nothing(void)
{
    const struct s2_bgp_open open = hand_open_message();

    establish();
    CU_ASSERT_EQUAL(advertise("10.0.0.0/16", 1), S2SVPN_OK);
    CU_ASSERT_EQUAL(advertise("10.1.0.0/16", 1), S2SVPN_OK);
    look();
    withdraw("10.1.0.0/16"); /* not yet sent when the stream ends */
    s2_bgp_stream_down(h.peer, &h.stream[HAND_OURS], "gone", h.now_ns);
    CU_ASSERT_STRING_EQUAL(h.why, "gone");
    CU_ASSERT_EQUAL(h.peer->out.prefixes.count, 1);
    hand_wait(&h, 2 * S2_SECOND);
    h.stream[HAND_OURS].up = true;
    CU_ASSERT(s2_bgp_stream_up(h.peer, &h.stream[HAND_OURS], true, h.now_ns));
    hand_send_open(&h, HAND_OURS, &open);
    hand_send_message(&h, HAND_OURS, S2_BGP_TYPE_KEEPALIVE, NULL, 0);
    look();
    CU_ASSERT(seen.announced == 1 && seen.withdrawn == 0 && seen.end_of_ribs == 2);
    hand_close(&h);
}

static void a_family_that_was_not_agreed_on_is_not_sent(void)
{
    const struct s2_bgp_spec spec = hand_spec();
    struct s2_bgp_open open = hand_open_message();

    open.families = S2_BGP_IPV6;
    hand_open(&h, &spec);
    CU_ASSERT_EQUAL(advertise("10.0.0.0/16", 1), S2SVPN_OK);
    hand_establish(&h, &open);
    CU_ASSERT_EQUAL(advertise("10.1.0.0/16", 1), S2SVPN_OK);
    withdraw("10.0.0.0/16");
    look();
    CU_ASSERT(seen.announced == 0 && seen.withdrawn == 0 && seen.end_of_ribs == 1);
    hand_close(&h);
}

/* ---- a stream that takes little */

static void a_slow_stream_gets_all_bytes_in_their_order(void)
{
    char text[32];

    for (size_t piece = 1; piece < 60; piece += 7) {
        establish();
        look();
        h.room = 0;
        for (unsigned i = 0; i < 50; i++) {
            (void)snprintf(text, sizeof(text), "10.0.%u.0/24", i);
            CU_ASSERT_EQUAL(advertise(text, i), S2SVPN_OK);
        }
        hand_wait(&h, 0);
        const size_t live = h.f.live;
        for (unsigned i = 0; i < 5000; i++) {
            h.room = piece;
            s2_bgp_stream_writable(h.peer, &h.stream[HAND_OURS], h.now_ns);
            CU_ASSERT(h.f.live <= live); /* what waits, waits in the table */
        }
        look();
        CU_ASSERT_EQUAL(seen.announced, 50);
        CU_ASSERT_EQUAL(seen.updates, 50);
        CU_ASSERT_PTR_NULL(h.peer->conn[0].rest);
        hand_close(&h);
    }
}

/* Changes while the stream is full are sent as they are in the end. */
static void what_changes_while_the_stream_is_full_is_sent_once(void)
{
    establish();
    look();
    h.room = 5;
    CU_ASSERT_EQUAL(advertise("10.0.0.0/16", 1), S2SVPN_OK);
    hand_wait(&h, 0);
    for (uint32_t med = 2; med < 100; med++) {
        CU_ASSERT_EQUAL(advertise("10.0.0.0/16", med), S2SVPN_OK);
        hand_wait(&h, 0);
    }
    h.room = SIZE_MAX;
    s2_bgp_stream_writable(h.peer, &h.stream[HAND_OURS], h.now_ns);
    look();
    CU_ASSERT_EQUAL(seen.updates, 2);
    CU_ASSERT_EQUAL(seen.last.values.head.med, 99);
    hand_close(&h);
}

static void a_keepalive_waits_for_a_full_stream_and_comes_once(void)
{
    establish();
    look();
    h.room = 5;
    CU_ASSERT_EQUAL(advertise("10.0.0.0/16", 1), S2SVPN_OK);
    for (unsigned i = 0; i < 4; i++) {
        hand_wait(&h, 10 * S2_SECOND);
        hand_send_message(&h, HAND_OURS, S2_BGP_TYPE_KEEPALIVE, NULL, 0);
    }
    CU_ASSERT_EQUAL(hand_state(&h), S2_BGP_ESTABLISHED);
    h.room = SIZE_MAX;
    s2_bgp_stream_writable(h.peer, &h.stream[HAND_OURS], h.now_ns);
    look();
    CU_ASSERT(seen.updates == 1 && seen.others == 1);
    hand_close(&h);
}

static void a_notification_amid_a_message_is_not_sent(void)
{
    establish();
    look();
    h.room = 5;
    CU_ASSERT_EQUAL(advertise("10.0.0.0/16", 1), S2SVPN_OK);
    hand_wait(&h, 30 * S2_SECOND);
    CU_ASSERT_EQUAL(hand_state(&h), S2_BGP_IDLE);
    CU_ASSERT(h.stream[HAND_OURS].closed && h.stream[HAND_OURS].aborted);
    CU_ASSERT_EQUAL(h.notifications, 0);
    CU_ASSERT_STRING_EQUAL(h.why, "Hold Timer Expired");
    hand_close(&h);
}

/* ---- refusals, memory */

static void what_cannot_be_advertised_is_refused_and_named(void)
{
    const uint32_t path[S2_BGP_AS_PATH_MAX] = {1};
    struct s2_bgp_spec spec = hand_spec();
    struct s2_bgp_announcement a = {.origin = 0};
    struct s2_bgp_info info;

    spec.ipv6 = false;
    hand_open(&h, &spec);
    CU_ASSERT_EQUAL(advertise("2001:db8::/32", 0), S2SVPN_E_ARGUMENT);
    CU_ASSERT_STRING_EQUAL(h.f.error.field, "prefix");
    CU_ASSERT(s2svpn_prefix_read("10.0.0.0/16", &a.prefix));
    a.prefix.address.bytes[3] = 1;
    CU_ASSERT_EQUAL(s2_bgp_advertise(h.peer, &a, 0), S2SVPN_E_ARGUMENT);
    a.prefix.address.bytes[3] = 0;
    a.origin = 3;
    CU_ASSERT_EQUAL(s2_bgp_advertise(h.peer, &a, 0), S2SVPN_E_ARGUMENT);
    CU_ASSERT_STRING_EQUAL(h.f.error.field, "origin");
    a.origin = 0;
    a.path = path;
    a.path_count = S2_BGP_AS_PATH_MAX;
    CU_ASSERT_EQUAL(s2_bgp_advertise(h.peer, &a, 0), S2SVPN_E_LIMIT);
    CU_ASSERT_STRING_EQUAL(h.f.error.field, "path");
    a.path_count--;
    CU_ASSERT_EQUAL(s2_bgp_advertise(h.peer, &a, 0), S2SVPN_OK);
    s2_bgp_get_info(h.peer, &info);
    CU_ASSERT_EQUAL(info.prefixes_out, 1);
    hand_close(&h);
}

/* The longest path there is, to a two-octet peer: it stands there twice. */
static void the_longest_path_fits_into_an_update(void)
{
    static uint32_t path[S2_BGP_AS_PATH_MAX - 1];
    const struct s2_bgp_spec spec = hand_spec();
    struct s2_bgp_open open = hand_open_message();
    struct s2_bgp_announcement a = {.path_count = S2_BGP_AS_PATH_MAX - 1, .path = path};

    for (size_t i = 0; i < S2_BGP_AS_PATH_MAX - 1; i++)
        path[i] = (uint32_t)(4200000000 + i);
    open.four_octet_as = false;
    establish_with(&spec, &open);
    look_as(2);
    CU_ASSERT(s2svpn_prefix_read("2001:db8::/32", &a.prefix));
    CU_ASSERT_EQUAL(s2_bgp_advertise(h.peer, &a, h.now_ns), S2SVPN_OK);
    CU_ASSERT(s2svpn_prefix_read("10.0.0.0/16", &a.prefix));
    CU_ASSERT_EQUAL(s2_bgp_advertise(h.peer, &a, h.now_ns), S2SVPN_OK);
    look_as(2);
    CU_ASSERT(seen.announced == 1 && seen.announced6 == 1);
    CU_ASSERT_EQUAL(seen.last.values.path.as_count, 255);
    hand_close(&h);
}

static bool build(struct s2_fake_env *f, void *arg)
{
    const struct s2_bgp_spec spec = hand_spec();
    struct s2_bgp_announcement a = {.origin = 0};
    bool good = true;

    (void)arg;
    memset(&h, 0, sizeof(h));
    if (!hand_try(&h, &f->env, &spec))
        return false;
    for (uint32_t i = 0; i < 4; i++) {
        const size_t before = h.peer->out.advertised;

        CU_ASSERT(s2svpn_prefix_read(i % 2 ? "10.0.0.0/16" : "2001:db8::/32", &a.prefix));
        a.has_med = true;
        a.med = i;
        const s2svpn_status rc = s2_bgp_advertise(h.peer, &a, h.now_ns);
        CU_ASSERT(rc == S2SVPN_OK || rc == S2SVPN_E_MEMORY);
        CU_ASSERT(rc == S2SVPN_OK || h.peer->out.advertised == before);
        good = good && rc == S2SVPN_OK;
    }
    s2_bgp_withdraw(h.peer, &a.prefix, h.now_ns);
    s2_bgp_peer_free(h.peer);
    CU_ASSERT_EQUAL(h.bgp->sets.count, 0);
    s2_bgp_free(h.bgp);
    return good;
}

static void every_allocation_may_fail(void)
{
    s2_fail_every_allocation(build, NULL);
}

const CU_TestInfo s2_test_out[] = {
    {"what was advertised before is sent first and the end behind",
     what_was_advertised_before_is_sent_first_and_the_end_behind},
    {"the attributes are ours", the_attributes_are_ours},
    {"a two-octet peer gets AS_TRANS and the truth beside it",
     a_two_octet_peer_gets_as_trans_and_the_truth_beside_it},
    {"many prefixes share UPDATEs that are full", many_prefixes_share_updates_that_are_full},
    {"only what the peer does not know is sent", only_what_the_peer_does_not_know_is_sent},
    {"a refresh sends its family again", a_refresh_sends_its_family_again},
    {"a new session starts from nothing", a_new_session_starts_from_nothing},
    {"a family that was not agreed on is not sent", a_family_that_was_not_agreed_on_is_not_sent},
    {"a slow stream gets all bytes in their order", a_slow_stream_gets_all_bytes_in_their_order},
    {"what changes while the stream is full is sent once",
     what_changes_while_the_stream_is_full_is_sent_once},
    {"a KEEPALIVE waits for a full stream and comes once",
     a_keepalive_waits_for_a_full_stream_and_comes_once},
    {"a NOTIFICATION amid a message is not sent", a_notification_amid_a_message_is_not_sent},
    {"what cannot be advertised is refused and named",
     what_cannot_be_advertised_is_refused_and_named},
    {"the longest path fits into an UPDATE", the_longest_path_fits_into_an_update},
    {"every allocation may fail", every_allocation_may_fail},
    CU_TEST_INFO_NULL,
};
