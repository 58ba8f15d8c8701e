/* SPDX-License-Identifier: Apache-2.0 */
/* examples/examine/watch.c: events become facts. */
#include "examine/examine.h"

#include <string.h>

#include "harness.h"

static struct facts facts;

static void say(struct watch *w, enum s2svpn_event_kind kind, bool up, const char *reason,
                const char *text, uint64_t now_ns)
{
    const s2svpn_event e = {.size = sizeof(e),
                            .kind = kind,
                            .up = up,
                            .reason = reason,
                            .text = text,
                            .now_ns = now_ns,
                            .connection = (s2svpn_connection *)w};

    watch_event(w, &e);
}

static void what_a_peer_offers_is_kept_when_it_is_refused(void)
{
    struct watch w = {.facts = &facts};
    struct tunnel_facts *f = &facts.tunnel[0];

    facts = (struct facts){0};
    say(&w, S2SVPN_EVENT_NOTE, false, "ike", "tunnel 1: no common ESP proposal; the peer offers X",
        100);
    CU_ASSERT_STRING_EQUAL(f->ike_said, "no common ESP proposal; the peer offers X");
    say(&w, S2SVPN_EVENT_NOTE, false, "ike", "tunnel 1: the peer's child SA is refused: Y", 200);
    say(&w, S2SVPN_EVENT_NOTE, false, "ike", "tunnel 1: no common ESP proposal; the peer offers X",
        300);
    CU_ASSERT_STRING_EQUAL(f->ike_said, "no common ESP proposal; the peer offers X");
    CU_ASSERT_EQUAL(f->ike_said_ns, 100);
    say(&w, S2SVPN_EVENT_CHILD, true, "new", "", 400);
    CU_ASSERT_TRUE(f->ike_said[0] == 0 && f->child_new == 1 && f->child_rekeyed == 0);
    say(&w, S2SVPN_EVENT_CHILD, true, "rekeyed", "", 500);
    say(&w, S2SVPN_EVENT_CHILD, false, "replaced by a newer one", "", 600);
    CU_ASSERT_TRUE(f->child_new == 1 && f->child_rekeyed == 1);
}

static void a_notification_says_more_than_a_timer(void)
{
    struct watch w = {.facts = &facts};
    struct tunnel_facts *f = &facts.tunnel[0];

    facts = (struct facts){0};
    say(&w, S2SVPN_EVENT_BGP, false, "Active",
        "tunnel 1: BGP Connect -> Active: no answer over TCP", 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(f->bgp_said, "no answer"));
    say(&w, S2SVPN_EVENT_NOTE, false, "bgp notification",
        "tunnel 1: BGP notification sent: OPEN Message Error/Bad Peer AS", 2);
    say(&w, S2SVPN_EVENT_BGP, false, "Idle", "tunnel 1: BGP OpenSent -> Idle: closed by the peer",
        3);
    say(&w, S2SVPN_EVENT_BGP, false, "Connect", "tunnel 1: BGP Idle -> Connect: idle hold timer",
        4);
    CU_ASSERT_PTR_NOT_NULL(strstr(f->bgp_said, "Bad Peer AS"));
    CU_ASSERT_EQUAL(f->bgp_down, 0);
    say(&w, S2SVPN_EVENT_BGP, true, "Established", "", 5);
    CU_ASSERT_TRUE(f->bgp_said[0] == 0 && f->bgp_up == 1);
    say(&w, S2SVPN_EVENT_BGP, false, "Idle", "", 6);
    say(&w, S2SVPN_EVENT_BGP, false, "Connect", "", 7);
    CU_ASSERT_EQUAL(f->bgp_down, 1);
}

static void strangers_and_unanswered_checks_are_noted(void)
{
    struct watch w = {.facts = &facts};
    struct tunnel_facts *f = &facts.tunnel[0];

    facts = (struct facts){0};
    say(&w, S2SVPN_EVENT_NOTE, false, "bgp addresses", "tunnel 1: BGP came from A to B", 9);
    CU_ASSERT_STRING_EQUAL(f->stranger, "BGP came from A to B");
    say(&w, S2SVPN_EVENT_NOTE, false, "ike",
        "tunnel 1: a liveness check of the peer's stays unanswered: a provoked fault", 10);
    CU_ASSERT_TRUE(f->unanswered == 1 && f->ike_said[0] == 0);
    say(&w, S2SVPN_EVENT_NOTE, false, "fault", "tunnel 1: fault provoked: no-dpd", 11);
    CU_ASSERT_TRUE(f->ike_said[0] == 0 && f->bgp_said[0] == 0);
}

const CU_TestInfo s2_test_watch[] = {
    {"what a peer offers is kept when it is refused",
     what_a_peer_offers_is_kept_when_it_is_refused},
    {"a notification says more than a timer", a_notification_says_more_than_a_timer},
    {"strangers and unanswered checks are noted", strangers_and_unanswered_checks_are_noted},
    CU_TEST_INFO_NULL,
};
