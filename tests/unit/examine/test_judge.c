/* SPDX-License-Identifier: Apache-2.0 */
/* examples/examine/judge*.c: each verdict, with the words that name the cause. */
#include "examine/facts.h"

#include <stdio.h>
#include <string.h>

#include "harness.h"

#define NOW (1000 * SECOND_NS)

static struct facts was, now;

/* Two tunnels that are up, looked at a second after the step's beginning. */
static void begin(void)
{
    was = (struct facts){.now_ns = NOW,
                         .bgp = true,
                         .limit = 100,
                         .customer_asn = 65000,
                         .amazon_asn = 64512,
                         .customer = "203.0.113.7"};
    was.through.asked = true;
    for (unsigned t = 0; t < 2; t++) {
        struct tunnel_facts *f = &was.tunnel[t];

        f->info = (s2svpn_tunnel_info){.up = true,
                                       .ike_version = 2,
                                       .spi_in = 1,
                                       .bgp_state = 6,
                                       .mtu = 1422,
                                       .mss = 1382,
                                       .ike_sas = 1};
        (void)!s2svpn_address_read("169.254.10.6", &f->info.inside_remote);
        (void)!s2svpn_address_read("169.254.10.5", &f->info.inside_local);
        f->prefixes = 1;
        f->child_new = f->bgp_up = 1;
    }
    now = was;
    now.now_ns += SECOND_NS;
}

static void after(unsigned seconds, bool over)
{
    now.now_ns = was.now_ns + seconds * SECOND_NS;
    now.over = over;
}

static void check(const char *row, judge_fn *judge, enum verdict wanted, const char *words)
{
    struct finding f = {0};

    judge(&was, &now, 0, &f);
    CHECK_ROW(row, f.verdict == wanted);
    CHECK_ROW(row, words == NULL || strstr(f.words, words) != NULL);
    if (f.verdict != wanted || (words && strstr(f.words, words) == NULL))
        printf("    %s: %s %s\n", row, verdict_text(f.verdict), f.words);
}

static void what_is_as_it_should_be_passes(void)
{
    begin();
    check("ike", judge_ike, VERDICT_PASS, "IKEv2");
    check("ipsec", judge_ipsec, VERDICT_PASS, "IP protocol 50");
    check("nat", judge_nat, VERDICT_PASS, "no NAT");
    check("bgp", judge_bgp, VERDICT_PASS, "65000");
    check("prefixes", judge_prefixes, VERDICT_PASS, "announces 1");
    check("inside, no answer yet", judge_inside, VERDICT_NONE, NULL);
    now.tunnel[0].inside_answered++;
    check("inside", judge_inside, VERDICT_PASS, "169.254.10.6");
    check("through, no answer yet", judge_through, VERDICT_NONE, NULL);
    now.through.answered = 1;
    check("through", judge_through, VERDICT_PASS, NULL);
    check("mtu, still looked for", judge_mtu, VERDICT_NONE, NULL);
    now.tunnel[0].searched = true;
    now.tunnel[0].longest = 1422;
    check("mtu", judge_mtu, VERDICT_PASS, "1422");
    now.through.cut_answered = true;
    check("fragments", judge_fragments, VERDICT_PASS, NULL);
}

static void without_an_ike_sa_the_cause_is_named(void)
{
    static const struct {
        const char *said, *words;
    } rows[] = {
        {"authentication failed: the pre-shared keys differ", "give the device the pre_shared_key"},
        {"no common IKE proposal; the peer offers 3DES", "let the device offer for phase 1"},
        {"the peer's identity is not the expected one", "by its outside address, 203.0.113.7"},
        {"something else", "something else"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin();
        now.tunnel[0].info.ike_version = 0;
        snprintf(now.tunnel[0].ike_said, WORDS_MAX, "%s", rows[i].said);
        now.tunnel[0].ike_said_ns = now.now_ns;
        check(rows[i].said, judge_ike, VERDICT_NONE, NULL); /* it may try something else */
        after(15, false);
        now.tunnel[0].ike_said_ns = was.now_ns;
        check(rows[i].said, judge_ike, VERDICT_FAIL, rows[i].words);
        check(rows[i].said, judge_ike, VERDICT_FAIL, rows[i].said);
    }
    begin();
    now.tunnel[0].info.ike_version = 0;
    check("silence", judge_ike, VERDICT_NONE, NULL);
    now.over = true;
    check("silence", judge_ike, VERDICT_FAIL, "no IKE message came from 203.0.113.7");
    now.strays = 3;
    check("another address", judge_ike, VERDICT_FAIL, "3 came from elsewhere");
}

static void without_ipsec_sas_the_cause_is_named(void)
{
    begin();
    after(60, true);
    now.tunnel[0].info.spi_in = 0;
    check("nothing", judge_ipsec, VERDICT_FAIL, "asks for no child");
    snprintf(now.tunnel[0].ike_said, WORDS_MAX, "no common ESP proposal; the peer offers X");
    check("proposal", judge_ipsec, VERDICT_FAIL, "phase 2");
    snprintf(now.tunnel[0].ike_said, WORDS_MAX, "no common traffic selectors");
    check("selectors", judge_ipsec, VERDICT_FAIL, "0.0.0.0/0");
}

static void without_bgp_the_cause_is_named(void)
{
    struct tunnel_facts *f = &now.tunnel[0];

    begin();
    f->info.bgp_state = 3;
    f->info.packets_in = 7;
    check("not yet", judge_bgp, VERDICT_NONE, NULL);
    after(60, true);
    check("no connection", judge_bgp, VERDICT_FAIL,
          "no BGP connection: 169.254.10.6 should speak BGP with 169.254.10.5");
    f->info.packets_in = 0;
    check("nothing inside", judge_bgp, VERDICT_FAIL, "nothing comes out of the tunnel");
    snprintf(f->bgp_said, WORDS_MAX, "sent Bad Peer AS: its OPEN names AS 65001, not 65000");
    check("asn", judge_bgp, VERDICT_FAIL, "the document says that the device is AS 65000");
    snprintf(f->bgp_said, WORDS_MAX, "received OPEN Message Error/Bad Peer AS");
    check("our asn", judge_bgp, VERDICT_FAIL, "this side is AS 64512");
    snprintf(f->stranger, WORDS_MAX, "BGP came from 169.254.9.9");
    check("address", judge_bgp, VERDICT_FAIL, "the addresses 169.254.10.6 and 169.254.10.5");
    check("address, inside", judge_inside, VERDICT_FAIL, "the document's inside address");
    now.bgp = false;
    check("static", judge_bgp, VERDICT_SKIP, NULL);
    check("static, prefixes", judge_prefixes, VERDICT_SKIP, NULL);
}

static void prefixes_are_counted(void)
{
    static const struct {
        const char *row;
        uint32_t prefixes;
        bool over;
        enum verdict verdict;
        const char *words;
    } rows[] = {
        {"none yet", 0, false, VERDICT_NONE, NULL},
        {"none", 0, true, VERDICT_FAIL, "announces no prefix"},
        {"some", 89, false, VERDICT_PASS, "announces 89"},
        {"nearly too many", 90, false, VERDICT_WARN, "90 prefixes of at most 100"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin();
        now.tunnel[0].prefixes = rows[i].prefixes;
        now.over = rows[i].over;
        check(rows[i].row, judge_prefixes, rows[i].verdict, rows[i].words);
    }
}

static void a_narrow_path_is_measured(void)
{
    begin();
    now.tunnel[0].searched = true;
    check("no answers", judge_mtu, VERDICT_SKIP, NULL);
    now.tunnel[0].longest = 1229;
    check("narrow", judge_mtu, VERDICT_FAIL, "MTU of the device's tunnel interface to 1229 and");
    check("narrow", judge_mtu, VERDICT_FAIL, "MSS to 1189");
    now.over = true;
    check("fragments", judge_fragments, VERDICT_FAIL, "fragment before encryption");
    check("through", judge_through, VERDICT_FAIL, "doesn't answer");
}

static void a_rekey_may_lose_nothing(void)
{
    struct tunnel_facts *f = &now.tunnel[0];

    begin();
    after(4, false);
    check("not yet", judge_rekey, VERDICT_NONE, NULL);
    f->child_rekeyed++;
    check("the child alone", judge_rekey, VERDICT_NONE, NULL);
    f->info.ike_sas++;
    check("both", judge_rekey, VERDICT_PASS, "no ping was lost");
    now.through.lost = 2;
    now.through.sent = 20;
    check("loss", judge_rekey, VERDICT_FAIL, "2 of 20 pings");
    f->child_new++;
    check("anew", judge_rekey, VERDICT_FAIL, "the tunnel fell");
    begin();
    after(30, true);
    check("never", judge_rekey, VERDICT_FAIL, "the child SA");
    f->child_rekeyed++;
    check("IKE never", judge_rekey, VERDICT_FAIL, "the IKE SA");
}

static void a_device_comes_back_or_does_not(void)
{
    struct tunnel_facts *f = &now.tunnel[0];

    begin();
    f->info.up = false;
    f->info.spi_in = 0;
    check("not yet", judge_delete, VERDICT_NONE, NULL);
    check("not yet", judge_return, VERDICT_NONE, NULL);
    after(60, true);
    check("never", judge_delete, VERDICT_FAIL, "doesn't come back");
    check("never", judge_return, VERDICT_FAIL, "doesn't come back");
    f->info.spi_in = 1;
    check("IPsec alone", judge_return, VERDICT_FAIL, "BGP is not");
    f->info.up = true;
    check("the old one is still there", judge_delete, VERDICT_FAIL, NULL);
    f->child_new++;
    check("back", judge_delete, VERDICT_PASS, "60.0 s");
    check("back", judge_return, VERDICT_PASS, "60.0 s");
    begin();
    check("reset, not yet", judge_reset, VERDICT_NONE, NULL);
    f->bgp_down++;
    check("reset", judge_reset, VERDICT_PASS, "came back");
    f->info.bgp_state = 1;
    now.over = true;
    check("reset, never", judge_reset, VERDICT_FAIL, "Administrative Reset");
    f->child_new++;
    check("reset, all anew", judge_reset, VERDICT_WARN, "whole tunnel");
}

static void traffic_moves_or_does_not(void)
{
    struct tunnel_facts *here = &now.tunnel[0], *there = &now.tunnel[1];

    begin();
    check("withdraw, unused", judge_withdraw, VERDICT_SKIP, "doesn't send by tunnel 1");
    was.tunnel[0].in_lately = here->in_lately = 10;
    after(4, false);
    check("withdraw, not yet", judge_withdraw, VERDICT_NONE, NULL);
    now.over = true;
    check("withdraw, stays", judge_withdraw, VERDICT_FAIL, "goes on sending by tunnel 1");
    here->in_lately = 0;
    check("withdraw, nothing", judge_withdraw, VERDICT_FAIL, "nothing comes back");
    there->in_lately = 10;
    check("withdraw", judge_withdraw, VERDICT_PASS, "by tunnel 2");

    begin();
    check("failover, not yet", judge_failover, VERDICT_NONE, NULL);
    now.over = true;
    check("failover, not noticed", judge_failover, VERDICT_FAIL, "isn't given up");
    here->info.up = false;
    check("failover, nothing", judge_failover, VERDICT_FAIL, "DPD, BGP's hold time");
    there->in_lately = 10;
    now.through.first_ns = was.now_ns + 6 * SECOND_NS;
    check("failover", judge_failover, VERDICT_PASS, "by tunnel 2, 6.0 s");
    now.through.asked = false;
    check("failover, no pings", judge_failover, VERDICT_PASS, "without --ping");
    there->info.up = false;
    check("failover, both", judge_failover, VERDICT_FAIL, "tunnel 2 went down with tunnel 1");

    begin();
    check("maintenance, not yet", judge_maintenance, VERDICT_NONE, NULL);
    here->child_new++;
    check("maintenance", judge_maintenance, VERDICT_PASS, "no ping");
    now.through.lost = 3;
    check("maintenance, loss", judge_maintenance, VERDICT_WARN, "MED");
    now.through.asked = false;
    check("maintenance, no pings", judge_maintenance, VERDICT_PASS, NULL);
    here->info.up = false;
    now.over = true;
    check("maintenance, never", judge_maintenance, VERDICT_FAIL, "doesn't come back");
}

static void limits_and_liveness_are_judged(void)
{
    struct tunnel_facts *f = &now.tunnel[0];

    begin();
    check("limit, not yet", judge_over_limit, VERDICT_NONE, NULL);
    f->bgp_down++;
    check("limit, look on", judge_over_limit, VERDICT_NONE, NULL);
    after(4, false);
    check("limit", judge_over_limit, VERDICT_PASS, "IPsec stays");
    f->info.spi_in = 0;
    check("limit, IPsec too", judge_over_limit, VERDICT_WARN, "IPsec as well");

    begin();
    check("ours", judge_dpd, VERDICT_PASS, "answers");
    f->info.ike_asks = true;
    check("ours, not yet", judge_dpd, VERDICT_NONE, NULL);
    after(15, true);
    check("ours, never", judge_dpd, VERDICT_FAIL, "doesn't answer ours");
    f->info.ike_version = 0;
    check("ours, fell", judge_dpd, VERDICT_FAIL, "the tunnel fell");
    begin();
    check("dpd, not yet", judge_no_dpd, VERDICT_NONE, NULL);
    after(60, true);
    check("dpd, none", judge_no_dpd, VERDICT_WARN, "sent no liveness check");
    f->unanswered = 4;
    check("dpd, unheeded", judge_no_dpd, VERDICT_FAIL, "asked 4 times");
    f->info.spi_in = 0;
    check("dpd, closed", judge_no_dpd, VERDICT_PASS, "closed");
    f->child_new++;
    check("dpd, anew", judge_no_dpd, VERDICT_PASS, "anew");
}

const CU_TestInfo s2_test_judge[] = {
    {"what is as it should be passes", what_is_as_it_should_be_passes},
    {"without an IKE SA the cause is named", without_an_ike_sa_the_cause_is_named},
    {"without IPsec SAs the cause is named", without_ipsec_sas_the_cause_is_named},
    {"without BGP the cause is named", without_bgp_the_cause_is_named},
    {"prefixes are counted", prefixes_are_counted},
    {"a narrow path is measured", a_narrow_path_is_measured},
    {"a rekey may lose nothing", a_rekey_may_lose_nothing},
    {"a device comes back or does not", a_device_comes_back_or_does_not},
    {"traffic moves or does not", traffic_moves_or_does_not},
    {"limits and liveness are judged", limits_and_liveness_are_judged},
    CU_TEST_INFO_NULL,
};
