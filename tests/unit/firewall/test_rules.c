/* SPDX-License-Identifier: Apache-2.0 */
/* Rules and the packets that they allow; what isn't a rule. */
#include "firewall/world.h"

#define OFFICE "192.168.0.9"
#define HERE "10.0.1.10"
#define OFFICE6 "2001:db8:5::9"
#define HERE6 "2001:db8:a::10"

struct row {
    const char *name;
    int protocol, from, to;
    const char *prefix;
    struct packet packet; /* inbound */
    bool passes;
};

static const struct row rows[] = {
    {"all", -1, -1, -1, "0.0.0.0/0", {OFFICE, HERE, TCP, 5, 22, SYN}, true},
    {"all, but IPv6", -1, -1, -1, "0.0.0.0/0", {OFFICE6, HERE6, TCP, 5, 22, SYN}, false},
    {"all IPv6", -1, -1, -1, "::/0", {OFFICE6, HERE6, UDP, 5, 53}, true},
    {"all IPv6, but IPv4", -1, -1, -1, "::/0", {OFFICE, HERE, UDP, 5, 53}, false},
    {"all, a protocol without ports", -1, -1, -1, "0.0.0.0/0", {OFFICE, HERE, ESP}, true},
    {"the port", 6, 22, 22, "192.168.0.0/16", {OFFICE, HERE, TCP, 5, 22, SYN}, true},
    {"the first port", 6, 20, 30, "192.168.0.0/16", {OFFICE, HERE, TCP, 5, 20, SYN}, true},
    {"the last port", 6, 20, 30, "192.168.0.0/16", {OFFICE, HERE, TCP, 5, 30, SYN}, true},
    {"a port below", 6, 20, 30, "192.168.0.0/16", {OFFICE, HERE, TCP, 25, 19, SYN}, false},
    {"a port above", 6, 20, 30, "192.168.0.0/16", {OFFICE, HERE, TCP, 25, 31, SYN}, false},
    {"all ports", 6, 0, 65535, "192.168.0.0/16", {OFFICE, HERE, TCP, 5, 65535, SYN}, true},
    {"the source's port doesn't count", 6, 22, 22, "0.0.0.0/0", {OFFICE, HERE, TCP, 22, 5}, false},
    {"another protocol", 6, 22, 22, "0.0.0.0/0", {OFFICE, HERE, UDP, 5, 22}, false},
    {"another net", 6, 22, 22, "192.169.0.0/16", {OFFICE, HERE, TCP, 5, 22, SYN}, false},
    {"one address", 17, 0, 9, OFFICE "/32", {OFFICE, HERE, UDP, 5, 9}, true},
    {"its neighbour", 17, 0, 9, "192.168.0.8/32", {OFFICE, HERE, UDP, 5, 9}, false},
    {"one IPv6 address", 17, 9, 9, OFFICE6 "/128", {OFFICE6, HERE6, UDP, 5, 9}, true},
    {"its IPv6 neighbour", 17, 9, 9, "2001:db8:5::8/128", {OFFICE6, HERE6, UDP, 5, 9}, false},
    {"an IPv6 net", 6, 22, 22, "2001:db8:5::/48", {OFFICE6, HERE6, TCP, 5, 22, SYN}, true},
    {"another IPv6 net", 6, 22, 22, "2001:db8:6::/48", {OFFICE6, HERE6, TCP, 5, 22, SYN}, false},
    {"a net behind 64 bits", 6, 2, 2, "2001:db8:5::/125", {OFFICE6, HERE6, TCP, 5, 2}, false},
    {"the right one", 6, 2, 2, "2001:db8:5::8/125", {OFFICE6, HERE6, TCP, 5, 2}, true},
    {"all ICMP", 1, -1, -1, "0.0.0.0/0", {OFFICE, HERE, ICMP, ECHO, 7}, true},
    {"an ICMP type", 1, 8, -1, "0.0.0.0/0", {OFFICE, HERE, ICMP, ECHO, 7}, true},
    {"another type", 1, 0, -1, "0.0.0.0/0", {OFFICE, HERE, ICMP, ECHO, 7}, false},
    {"type and code", 1, 3, 1, "0.0.0.0/0", {OFFICE, HERE, ICMP, 0x0301}, true},
    {"another code", 1, 3, 4, "0.0.0.0/0", {OFFICE, HERE, ICMP, 0x0301}, false},
    {"the highest type and code", 1, 255, 255, "0.0.0.0/0", {OFFICE, HERE, ICMP, 0xffff}, true},
    {"ICMP isn't ICMPv6", 1, -1, -1, "::/0", {OFFICE6, HERE6, ICMPV6, ECHO_V6, 7}, false},
    {"all ICMPv6", 58, -1, -1, "::/0", {OFFICE6, HERE6, ICMPV6, ECHO_V6, 7}, true},
    {"ICMP of the other family", 58, -1, -1, "0.0.0.0/0", {OFFICE, HERE, ICMPV6, ECHO_V6}, true},
    {"a number", 50, -1, -1, "0.0.0.0/0", {OFFICE, HERE, ESP}, true},
    {"a number, ports don't count", 50, 7, 5, "0.0.0.0/0", {OFFICE, HERE, ESP}, true},
    {"another number", 51, -1, -1, "0.0.0.0/0", {OFFICE, HERE, ESP}, false},
    {"half a TCP header", -1, -1, -1, "0.0.0.0/0", {OFFICE, HERE, TCP, 5, 22, .cut = 13}, false},
    {"no UDP ports", -1, -1, -1, "0.0.0.0/0", {OFFICE, HERE, UDP, 5, 22, .cut = 3}, false},
    {"no ICMP type", -1, -1, -1, "0.0.0.0/0", {OFFICE, HERE, ICMP, ECHO, 7, .cut = 2}, false},
    {"no identifier", 1, 8, 0, "0.0.0.0/0", {OFFICE, HERE, ICMP, ECHO, 0, .cut = 4}, true},
};

static bool is_icmp(const struct packet *p)
{
    return p->protocol == ICMP || p->protocol == ICMPV6;
}

static struct packet answer_to(const struct packet *p)
{
    struct packet t = *p;

    t.from = p->to;
    t.to = p->from;
    if (!is_icmp(p)) {
        t.source = p->destination;
        t.destination = p->source;
    }
    return t;
}

/* The same to the other side. */
static struct packet turned(const struct packet *p)
{
    struct packet t = *p;

    t.from = p->to;
    t.to = p->from;
    return t;
}

static void rules_allow_what_they_say_in_and_out(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *r = &rows[i];
        const struct s2_firewall_rule one = rule(r->protocol, r->from, r->to, r->prefix);
        const struct packet out = turned(&r->packet), answer = answer_to(&out);
        struct world w;

        world_open(&w, NULL);
        struct s2_firewall_group *g = new_group(&w, &one, 1);
        struct s2_firewall_port *port = new_port(&w, HERE, g);
        CHECK_ROW(r->name, (world_send(&w, S2_FIREWALL_IN, port, &r->packet) == S2SVPN_DROP_NONE) ==
                               r->passes);
        s2_firewall_port_free(port);

        port = new_port(&w, HERE, g);
        set_in(g, NULL, 0);
        set_out(g, &one, 1);
        CHECK_ROW(r->name,
                  (world_send(&w, S2_FIREWALL_OUT, port, &out) == S2SVPN_DROP_NONE) == r->passes);
        CHECK_ROW(r->name, (world_send(&w, S2_FIREWALL_IN, port, &answer) == S2SVPN_DROP_NONE) ==
                               (r->passes && !is_icmp(&out)));
        s2_firewall_port_free(port);
        free_group(g);
        world_close(&w);
    }
}

static void a_port_without_groups_and_a_group_without_rules_refuse_all(void)
{
    struct world w;
    struct s2_firewall_group *g;

    world_open(&w, NULL);
    struct s2_firewall_port *none = new_port(&w, HERE, NULL);
    CU_ASSERT_FALSE(PASSES_IN(&w, none, OFFICE, HERE, TCP, 5, 22, SYN));
    CU_ASSERT_FALSE(PASSES_OUT(&w, none, HERE, OFFICE, TCP, 5, 22, SYN));
    CU_ASSERT_EQUAL_FATAL(s2_firewall_group_new(w.fw, &g), S2SVPN_OK);
    struct s2_firewall_port *port = new_port(&w, HERE, g);
    CU_ASSERT_FALSE(PASSES_IN(&w, port, OFFICE, HERE, ESP));
    CU_ASSERT_FALSE(PASSES_OUT(&w, port, HERE, OFFICE, ESP));
    s2_firewall_port_free(port);
    s2_firewall_port_free(none);
    free_group(g);
    world_close(&w);
}

static void any_rule_of_any_group_allows(void)
{
    struct world w;
    struct s2_firewall_group *g[S2_FIREWALL_PORT_GROUPS + 1];
    struct s2_firewall_port *port;

    world_open(&w, NULL);
    for (int i = 0; i <= S2_FIREWALL_PORT_GROUPS; i++) {
        struct s2_firewall_rule two[2] = {rule(TCP, 100 + i, 100 + i, "0.0.0.0/0"),
                                          rule(UDP, 200 + i, 200 + i, "0.0.0.0/0")};

        g[i] = new_group(&w, two, 2);
    }
    CU_ASSERT_EQUAL_FATAL(s2_firewall_port_new(w.fw, &port), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_firewall_port_set_groups(port, g, S2_FIREWALL_PORT_GROUPS + 1),
                    S2SVPN_E_LIMIT);
    CU_ASSERT_EQUAL(s2_firewall_port_set_groups(port, g, S2_FIREWALL_PORT_GROUPS), S2SVPN_OK);
    for (uint16_t i = 0; i < S2_FIREWALL_PORT_GROUPS; i++) {
        CU_ASSERT(PASSES_IN(&w, port, OFFICE, HERE, TCP, 5, (uint16_t)(100 + i), SYN));
        CU_ASSERT(PASSES_IN(&w, port, OFFICE, HERE, UDP, 5, (uint16_t)(200 + i)));
    }
    CU_ASSERT_FALSE(PASSES_IN(&w, port, OFFICE, HERE, TCP, 5, 100 + S2_FIREWALL_PORT_GROUPS, SYN));
    s2_firewall_port_free(port);
    for (unsigned i = 0; i <= S2_FIREWALL_PORT_GROUPS; i++)
        free_group(g[i]);
    world_close(&w);
}

static void a_prefix_list_is_what_it_holds_now(void)
{
    struct world w;
    struct s2_firewall_list *list;
    const s2svpn_prefix two[2] = {rule(-1, 0, 0, "192.168.0.0/16").prefix,
                                  rule(-1, 0, 0, "2001:db8:5::/48").prefix};

    world_open(&w, NULL);
    CU_ASSERT_EQUAL_FATAL(s2_firewall_list_new(w.fw, &list), S2SVPN_OK);
    const struct s2_firewall_rule one = list_rule(UDP, 53, 53, list);
    struct s2_firewall_group *g = new_group(&w, &one, 1);
    struct s2_firewall_port *port = new_port(&w, HERE, g);
    CU_ASSERT_FALSE(PASSES_IN(&w, port, OFFICE, HERE, UDP, 5, 53));
    CU_ASSERT_EQUAL(s2_firewall_list_set(list, two, 2), S2SVPN_OK);
    CU_ASSERT(PASSES_IN(&w, port, OFFICE, HERE, UDP, 5, 53));
    CU_ASSERT(PASSES_IN(&w, port, OFFICE6, HERE6, UDP, 5, 53));
    CU_ASSERT_FALSE(PASSES_IN(&w, port, OFFICE6, HERE6, UDP, 5, 54));
    CU_ASSERT_FALSE(PASSES_IN(&w, port, "2001:db8:6::1", HERE6, UDP, 5, 53));
    CU_ASSERT_EQUAL(s2_firewall_list_set(list, two + 1, 1), S2SVPN_OK);
    CU_ASSERT_FALSE(PASSES_IN(&w, port, OFFICE, HERE, UDP, 5, 53));
    CU_ASSERT_EQUAL(s2_firewall_list_free(list), S2SVPN_E_IN_USE);
    set_in(g, NULL, 0);
    CU_ASSERT_EQUAL(s2_firewall_list_free(list), S2SVPN_OK);
    s2_firewall_port_free(port);
    free_group(g);
    world_close(&w);
}

static void what_is_no_rule_is_refused_and_named(void)
{
    static const struct {
        const char *name;
        int protocol, from, to;
        uint8_t family, length;
    } wrong[] = {
        {"protocol 256", 256, 0, 0, 4, 0},     {"protocol -2", -2, 0, 0, 4, 0},
        {"ports turned round", 6, 9, 8, 4, 0}, {"port -1", 17, -1, 8, 4, 0},
        {"port 65536", 6, 0, 65536, 4, 0},     {"type 256", 1, 256, 0, 4, 0},
        {"code 256", 58, 0, 256, 6, 0},        {"a code for any type", 1, -1, 0, 4, 0},
        {"type -2", 1, -2, -1, 4, 0},          {"no family", -1, 0, 0, 0, 0},
        {"33 bits", -1, 0, 0, 4, 33},          {"129 bits", -1, 0, 0, 6, 129},
    };
    struct world w;

    world_open(&w, NULL);
    const struct s2_firewall_rule good = rule(TCP, 22, 22, "0.0.0.0/0");
    struct s2_firewall_group *g = new_group(&w, &good, 1);
    struct s2_firewall_port *port = new_port(&w, HERE, g);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct s2_firewall_rule two[2] = {rule(UDP, 1, 1, "0.0.0.0/0")};

        two[1] = (struct s2_firewall_rule){
            .protocol = (int16_t)wrong[i].protocol, .from = wrong[i].from, .to = wrong[i].to};
        two[1].prefix.address.family = wrong[i].family;
        two[1].prefix.length = wrong[i].length;
        CHECK_ROW(wrong[i].name,
                  s2_firewall_group_set_rules(g, S2_FIREWALL_IN, two, 2) == S2SVPN_E_ARGUMENT);
    }
    CU_ASSERT(PASSES_IN(&w, port, OFFICE, HERE, TCP, 5, 22, SYN));
    CU_ASSERT_FALSE(PASSES_IN(&w, port, OFFICE, HERE, UDP, 5, 1));
    s2_firewall_port_free(port);
    free_group(g);
    world_close(&w);
}

static void too_many_rules_are_refused(void)
{
    static struct s2_firewall_rule many[S2_FIREWALL_RULES_MAX + 1];
    struct world w;

    world_open(&w, NULL);
    struct s2_firewall_group *g = new_group(&w, NULL, 0);
    for (size_t i = 0; i < S2_FIREWALL_RULES_MAX + 1; i++)
        many[i] = rule(TCP, (int)i, (int)i, "0.0.0.0/0");
    CU_ASSERT_EQUAL(s2_firewall_group_set_rules(g, S2_FIREWALL_IN, many, S2_FIREWALL_RULES_MAX + 1),
                    S2SVPN_E_LIMIT);
    CU_ASSERT_EQUAL(s2_firewall_group_set_rules(g, S2_FIREWALL_IN, many, S2_FIREWALL_RULES_MAX),
                    S2SVPN_OK);
    free_group(g);
    world_close(&w);
}

const CU_TestInfo s2_test_rules[] = {
    {"rules allow what they say, in and out", rules_allow_what_they_say_in_and_out},
    {"a port without groups and a group without rules refuse all",
     a_port_without_groups_and_a_group_without_rules_refuse_all},
    {"any rule of any group allows", any_rule_of_any_group_allows},
    {"a prefix list is what it holds now", a_prefix_list_is_what_it_holds_now},
    {"what is no rule is refused and named", what_is_no_rule_is_refused_and_named},
    {"too many rules are refused", too_many_rules_are_refused},
    CU_TEST_INFO_NULL,
};
