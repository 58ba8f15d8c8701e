/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP: replies by type and identifier, errors by what they quote. */
#include "firewall/world.h"

#define OFFICE "192.168.0.9"
#define ROUTER "192.168.0.1"
#define HERE "10.0.1.10"
#define OFFICE6 "2001:db8:5::9"
#define HERE6 "2001:db8:a::10"

struct rig {
    struct world w;
    struct s2_firewall_group *g;
    struct s2_firewall_port *port;
};

static void open_rig(struct rig *r, const struct s2_firewall_rule *in, size_t n)
{
    world_open(&r->w, NULL);
    r->g = new_group(&r->w, in, n);
    r->port = new_port(&r->w, HERE, r->g);
}

static void close_rig(struct rig *r)
{
    s2_firewall_port_free(r->port);
    free_group(r->g);
    world_close(&r->w);
}

static void a_reply_belongs_to_its_request(void)
{
    struct rig r;

    open_rig(&r, NULL, 0);
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, OFFICE, HERE, ICMP, ECHO_REPLY, 7));
    CU_ASSERT(PASSES_OUT(&r.w, r.port, HERE, OFFICE, ICMP, ECHO, 7));
    CU_ASSERT(PASSES_IN(&r.w, r.port, OFFICE, HERE, ICMP, ECHO_REPLY, 7));
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, OFFICE, HERE, ICMP, ECHO_REPLY, 8));
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, OFFICE, HERE, ICMP, ECHO, 7));
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, ROUTER, HERE, ICMP, ECHO_REPLY, 7));
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, OFFICE, HERE, ICMP, 0x0e00, 7));
    CU_ASSERT(PASSES_OUT(&r.w, r.port, HERE6, OFFICE6, ICMPV6, ECHO_V6, 7));
    CU_ASSERT(PASSES_IN(&r.w, r.port, OFFICE6, HERE6, ICMPV6, ECHO_REPLY_V6, 7));
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, OFFICE6, HERE6, ICMPV6, ECHO_V6, 7));
    close_rig(&r);
}

static void a_reply_opens_nothing(void)
{
    struct rig r;

    open_rig(&r, NULL, 0);
    CU_ASSERT(PASSES_OUT(&r.w, r.port, HERE, OFFICE, ICMP, ECHO_REPLY, 7));
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, OFFICE, HERE, ICMP, ECHO, 7));
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, OFFICE, HERE, ICMP, ECHO_REPLY, 7));
    CU_ASSERT_EQUAL(world_counts(&r.w).flows, 0);
    close_rig(&r);
}

static void the_other_requests_have_replies_too(void)
{
    static const uint16_t requests[] = {0x0d00, 0x0f00, 0x1100};
    struct rig r;

    open_rig(&r, NULL, 0);
    for (unsigned i = 0; i < 3; i++) {
        CU_ASSERT(PASSES_OUT(&r.w, r.port, HERE, OFFICE, ICMP, requests[i], 7));
        CU_ASSERT(PASSES_IN(&r.w, r.port, OFFICE, HERE, ICMP, (uint16_t)(requests[i] + 0x100), 7));
        CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, OFFICE, HERE, ICMP, requests[i], 7));
    }
    close_rig(&r);
}

static void an_error_about_a_known_flow_passes(void)
{
    const struct packet sent = {HERE, OFFICE, TCP, 4000, 80, SYN};
    const struct packet other = {HERE, OFFICE, TCP, 4001, 80, SYN};
    const struct packet pinged = {HERE, OFFICE, ICMP, ECHO, 7};
    const struct packet stranger = {"10.0.1.11", OFFICE, TCP, 4000, 80, SYN};
    const struct packet sent6 = {HERE6, OFFICE6, UDP, 4000, 80};
    struct rig r;

    open_rig(&r, NULL, 0);
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, ROUTER, HERE, ICMP, UNREACHABLE, .quote = &sent));
    CU_ASSERT(world_send(&r.w, S2_FIREWALL_OUT, r.port, &sent) == S2SVPN_DROP_NONE);
    CU_ASSERT(world_send(&r.w, S2_FIREWALL_OUT, r.port, &pinged) == S2SVPN_DROP_NONE);
    CU_ASSERT(world_send(&r.w, S2_FIREWALL_OUT, r.port, &sent6) == S2SVPN_DROP_NONE);
    CU_ASSERT(PASSES_IN(&r.w, r.port, ROUTER, HERE, ICMP, UNREACHABLE, .quote = &sent));
    CU_ASSERT(PASSES_IN(&r.w, r.port, ROUTER, HERE, ICMP, 0x0b00, .quote = &sent));
    CU_ASSERT(PASSES_IN(&r.w, r.port, ROUTER, HERE, ICMP, 0x0304, .quote = &pinged));
    CU_ASSERT(PASSES_IN(&r.w, r.port, "2001:db8:5::1", HERE6, ICMPV6, 0x0200, .quote = &sent6));
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, ROUTER, HERE, ICMP, UNREACHABLE, .quote = &other));
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, ROUTER, HERE, ICMP, 0x0501, .quote = &sent));
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, ROUTER, "10.0.1.11", ICMP, 0x0b00, .quote = &sent));
    CU_ASSERT_FALSE(PASSES_IN(&r.w, r.port, ROUTER, HERE, ICMP, 0x0b00, .quote = &stranger));
    close_rig(&r);
}

static void an_error_goes_back_the_other_way_too(void)
{
    const struct s2_firewall_rule in = rule(UDP, 53, 53, "0.0.0.0/0");
    const struct packet came = {OFFICE, HERE, UDP, 5, 53};
    const struct packet never = {OFFICE, HERE, UDP, 6, 53};
    struct rig r;

    open_rig(&r, &in, 1);
    set_out(r.g, NULL, 0);
    CU_ASSERT(world_send(&r.w, S2_FIREWALL_IN, r.port, &came) == S2SVPN_DROP_NONE);
    CU_ASSERT(PASSES_OUT(&r.w, r.port, HERE, OFFICE, ICMP, 0x0303, .quote = &came));
    CU_ASSERT_FALSE(PASSES_OUT(&r.w, r.port, HERE, OFFICE, ICMP, 0x0303, .quote = &never));
    close_rig(&r);
}

static void an_error_keeps_no_flow_alive_and_none_of_a_revoked_one_passes(void)
{
    const struct s2_firewall_rule in = rule(UDP, 53, 53, "0.0.0.0/0");
    const struct packet came = {OFFICE, HERE, UDP, 5, 53};
    struct rig r;

    open_rig(&r, &in, 1);
    set_out(r.g, NULL, 0);
    CU_ASSERT(world_send(&r.w, S2_FIREWALL_IN, r.port, &came) == S2SVPN_DROP_NONE);
    world_wait(&r.w, 20);
    CU_ASSERT(PASSES_OUT(&r.w, r.port, HERE, OFFICE, ICMP, 0x0303, .quote = &came));
    world_wait(&r.w, 10);
    CU_ASSERT_FALSE(PASSES_OUT(&r.w, r.port, HERE, OFFICE, ICMP, 0x0303, .quote = &came));
    CU_ASSERT(world_send(&r.w, S2_FIREWALL_IN, r.port, &came) == S2SVPN_DROP_NONE);
    set_in(r.g, NULL, 0);
    CU_ASSERT_FALSE(PASSES_OUT(&r.w, r.port, HERE, OFFICE, ICMP, 0x0303, .quote = &came));
    close_rig(&r);
}

static void a_quote_cut_short_is_judged_by_rules(void)
{
    const struct packet sent = {HERE, OFFICE, UDP, 4000, 80};
    struct rig r;

    open_rig(&r, NULL, 0);
    CU_ASSERT(world_send(&r.w, S2_FIREWALL_OUT, r.port, &sent) == S2SVPN_DROP_NONE);
    for (size_t len = 1; len <= 8; len++) {
        struct packet quote = sent;

        quote.cut = len;
        CU_ASSERT_EQUAL(PASSES_IN(&r.w, r.port, ROUTER, HERE, ICMP, UNREACHABLE, .quote = &quote),
                        len >= 4);
    }
    close_rig(&r);
}

const CU_TestInfo s2_test_related[] = {
    {"a reply belongs to its request", a_reply_belongs_to_its_request},
    {"a reply opens nothing", a_reply_opens_nothing},
    {"the other requests have replies too", the_other_requests_have_replies_too},
    {"an error about a known flow passes", an_error_about_a_known_flow_passes},
    {"an error goes back the other way too", an_error_goes_back_the_other_way_too},
    {"an error keeps no flow alive, and none of a revoked one passes",
     an_error_keeps_no_flow_alive_and_none_of_a_revoked_one_passes},
    {"a quote cut short is judged by rules", a_quote_cut_short_is_judged_by_rules},
    CU_TEST_INFO_NULL,
};
