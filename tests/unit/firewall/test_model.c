/* SPDX-License-Identifier: Apache-2.0 */
/* Random rules, members, packets and pauses, against a model that asks everything anew
 * for each packet: no generations, no compiled rules, no table. */
#include "firewall/world.h"

#include <string.h>

#include "base/address.h"

#define SEEDS 40
#define STEPS 2500
#define PORTS 3
#define GROUPS 4
#define RULES 5
#define FLOWS 4000

static const char *const here[PORTS][2] = {{"10.0.1.10", "2001:db8:a::10"},
                                           {"10.0.1.11", "2001:db8:a::11"},
                                           {"10.0.1.12", "2001:db8:a::12"}};
static const char *const there[][2] = {{"192.168.0.9", "2001:db8:5::9"},
                                       {"192.168.1.9", "2001:db8:6::9"},
                                       {"10.0.1.10", "2001:db8:a::10"},
                                       {"10.0.1.11", "2001:db8:a::11"}};
static const char *const prefixes[] = {
    "0.0.0.0/0",       "::/0",          "192.168.0.0/24",   "192.168.0.0/16", "10.0.1.10/32",
    "2001:db8:5::/48", "2001:db8::/32", "2001:db8:6::9/128"};

/* ---- the model */

struct model_group {
    struct s2_firewall_rule rule[2][RULES];
    size_t count[2];
};

struct model_flow {
    unsigned port;
    struct packet out; /* as it goes out */
    bool opened_out;
    uint64_t last_s;
    bool revoked, answered, established, closing, opener_fin, answer_fin; /* TCP */
    unsigned requests, responses;                                         /* UDP, in turns */
};

struct model {
    struct model_group group[GROUPS];
    bool in_group[PORTS][GROUPS];
    bool has_address[PORTS][2];
    struct model_flow flow[FLOWS];
    size_t flows;
    uint64_t now_s;
};

static bool same_address(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static bool end_matches(const struct model *m, const struct s2_firewall_rule *r,
                        struct s2_firewall_group *const *groups, const char *remote)
{
    const s2svpn_address a = addr(remote);

    if (r->group == NULL)
        return s2_prefix_contains(&r->prefix, &a);
    for (unsigned g = 0; g < GROUPS; g++) {
        for (unsigned p = 0; p < PORTS; p++) {
            for (unsigned k = 0; k < 2; k++) {
                if (r->group == groups[g] && m->in_group[p][g] && m->has_address[p][k] &&
                    same_address(here[p][k], remote))
                    return true;
            }
        }
    }
    return false;
}

static bool rules_allow(const struct model *m, struct s2_firewall_group *const *groups,
                        unsigned port, bool out, const struct packet *p)
{
    for (unsigned g = 0; g < GROUPS; g++) {
        for (size_t i = 0; m->in_group[port][g] && i < m->group[g].count[out]; i++) {
            const struct s2_firewall_rule *r = &m->group[g].rule[out][i];
            bool fits = r->protocol == -1 || r->protocol == p->protocol;

            if (r->protocol == TCP || r->protocol == UDP)
                fits = fits && p->destination >= r->from && p->destination <= r->to;
            if (r->protocol == ICMP || r->protocol == ICMPV6)
                fits = fits && (r->from == -1 || r->from == p->source >> 8) &&
                       (r->to == -1 || r->to == (p->source & 255));
            if (fits && end_matches(m, r, groups, out ? p->to : p->from))
                return true;
        }
    }
    return false;
}

static bool is_request(const struct packet *p)
{
    return p->source == ECHO || p->source == ECHO_V6;
}

static bool is_icmp(const struct packet *p)
{
    return p->protocol == ICMP || p->protocol == ICMPV6;
}

/* As the packet, or the one that it answers, would go out. */
static struct packet outward(const struct packet *p, bool out)
{
    struct packet o = *p;

    if (!out) {
        o.from = p->to;
        o.to = p->from;
        o.source = p->destination;
        o.destination = p->source;
    }
    if (is_icmp(p)) { /* identifier, and who has asked */
        o.source = p->destination;
        o.destination = out == is_request(p);
    }
    if (p->protocol == ESP)
        o.source = o.destination = 0;
    return o;
}

static uint64_t quiet_s(const struct model_flow *f)
{
    if (f->revoked)
        return 180;
    if (f->out.protocol == TCP)
        return f->established && !f->closing ? 350 : 60;
    if (f->out.protocol == UDP)
        return f->responses >= 2 ? 180 : 30;
    return f->out.protocol == ESP ? 600 : 30;
}

static struct model_flow *find_flow(struct model *m, unsigned port, const struct packet *o)
{
    for (size_t i = 0; i < m->flows; i++) {
        struct model_flow *f = &m->flow[i];

        if (f->port != port || f->out.protocol != o->protocol || f->out.source != o->source ||
            f->out.destination != o->destination || !same_address(f->out.from, o->from) ||
            !same_address(f->out.to, o->to))
            continue;
        if (m->now_s - f->last_s < quiet_s(f))
            return f;
        *f = m->flow[--m->flows];
        return NULL;
    }
    return NULL;
}

/* The packet that opened the flow, back from its outward form. */
static struct packet opener_of(const struct model_flow *f)
{
    struct packet p = f->out;

    if (is_icmp(&p)) {
        p.source = p.protocol == ICMP ? ECHO : ECHO_V6;
        p.destination = f->out.source;
    } else if (!f->opened_out) {
        p.source = f->out.destination;
        p.destination = f->out.source;
    }
    if (!f->opened_out) {
        p.from = f->out.to;
        p.to = f->out.from;
    }
    return p;
}

static void begin(struct model_flow *f, bool out, uint64_t now_s)
{
    const struct packet o = f->out;
    const unsigned port = f->port;

    *f = (struct model_flow){.port = port, .out = o, .opened_out = out, .last_s = now_s};
    f->requests = 1;
}

static void move_tcp(struct model_flow *f, const struct packet *p, bool opener)
{
    if (p->flags & RST) {
        f->closing = true;
        return;
    }
    if (f->closing)
        return;
    if (opener && f->answered && p->flags != SYN)
        f->established = true;
    if (!opener)
        f->answered = true;
    if (f->established && p->flags & FIN)
        *(opener ? &f->opener_fin : &f->answer_fin) = true;
    f->closing = f->opener_fin && f->answer_fin;
}

static void move_udp(struct model_flow *f, bool opener)
{
    if (opener && f->requests == f->responses)
        f->requests++;
    else if (!opener && f->responses < f->requests)
        f->responses++;
}

static bool opens_anew(const struct model_flow *f, const struct packet *p, bool opener)
{
    if (p->protocol != TCP || p->flags != SYN)
        return false;
    return f->revoked || f->closing ||
           (f->established && (!opener || f->opener_fin || f->answer_fin));
}

static bool model_flow_packet(struct model *m, struct s2_firewall_group *const *groups,
                              struct model_flow *f, bool out, const struct packet *p)
{
    const struct packet first = opener_of(f);
    const bool opener = f->opened_out == out;

    if (!rules_allow(m, groups, f->port, f->opened_out, &first))
        f->revoked = true;
    else if (f->revoked)
        begin(f, f->opened_out, m->now_s);
    if (opens_anew(f, p, opener)) {
        if (!rules_allow(m, groups, f->port, out, p))
            return false;
        begin(f, out, m->now_s);
        return true;
    }
    f->last_s = m->now_s;
    if (f->revoked)
        return false;
    if (p->protocol == TCP)
        move_tcp(f, p, opener);
    if (p->protocol == UDP)
        move_udp(f, opener);
    return true;
}

static bool model_error(struct model *m, struct s2_firewall_group *const *groups, unsigned port,
                        bool out, const struct packet *p)
{
    const struct packet o = outward(p->quote, !out);
    struct model_flow *f = same_address(p->to, p->quote->from) ? find_flow(m, port, &o) : NULL;

    if (f != NULL) {
        const struct packet first = opener_of(f);
        const bool allowed = rules_allow(m, groups, port, f->opened_out, &first);

        if (!allowed && !f->revoked) {
            f->revoked = true;
            f->last_s = m->now_s;
        } else if (allowed && f->revoked) {
            begin(f, f->opened_out, m->now_s);
        }
        if (allowed)
            return true;
    }
    return rules_allow(m, groups, port, out, p);
}

static bool model_packet(struct model *m, struct s2_firewall_group *const *groups, unsigned port,
                         bool out, const struct packet *p)
{
    const struct packet o = outward(p, out);
    struct model_flow *f;

    if (p->quote)
        return model_error(m, groups, port, out, p);
    f = find_flow(m, port, &o);
    if (f != NULL)
        return model_flow_packet(m, groups, f, out, p);
    if (!rules_allow(m, groups, port, out, p))
        return false;
    if ((is_icmp(p) && !is_request(p)) || (p->protocol == TCP && p->flags & RST))
        return true;
    f = &m->flow[m->flows++];
    *f = (struct model_flow){.port = port, .out = o};
    begin(f, out, m->now_s);
    return true;
}

/* ---- random steps */

struct random {
    uint64_t state;
};

static unsigned pick(struct random *r, unsigned n)
{
    uint64_t v = r->state += UINT64_C(0x9e3779b97f4a7c15);

    v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((v ^ v >> 31) % n);
}

static struct packet random_packet(struct random *r, unsigned port, bool out)
{
    static const uint8_t flags[] = {SYN, SYN | ACK, ACK, ACK, ACK, FIN | ACK, RST};
    const unsigned family = pick(r, 3) == 0;
    const char *ours = here[port][family], *theirs = there[pick(r, 4)][family];
    static const uint8_t protocols[] = {TCP, TCP, TCP, UDP, UDP, ICMP, ESP};
    struct packet p = {.from = out ? ours : theirs, .to = out ? theirs : ours};
    const uint16_t low = (uint16_t)(22 + pick(r, 2)), high = 4000;
    const bool serves = pick(r, 2);

    p.protocol = protocols[pick(r, 7)];
    if (p.protocol == ICMP && family == 1)
        p.protocol = ICMPV6;
    if (p.protocol == TCP)
        p.flags = flags[pick(r, 7)];
    p.source = serves ? low : high;
    p.destination = serves ? high : low;
    if (is_icmp(&p)) {
        p.source = family == 1 ? (serves ? ECHO_V6 : ECHO_REPLY_V6) : serves ? ECHO : ECHO_REPLY;
        p.destination = (uint16_t)(7 + pick(r, 2));
    }
    if (p.protocol == ESP)
        p.source = p.destination = 0;
    return p;
}

struct case_ {
    struct world w;
    struct random random;
    struct model model;
    struct s2_firewall_group *group[GROUPS];
    struct s2_firewall_port *port[PORTS];
};

static void change_rules(struct case_ *c)
{
    static const int16_t protocols[] = {-1, TCP, TCP, UDP, ICMP, ICMPV6, ESP};
    const unsigned g = pick(&c->random, GROUPS), direction = pick(&c->random, 2);
    struct model_group *m = &c->model.group[g];

    m->count[direction] = pick(&c->random, RULES + 1);
    for (size_t i = 0; i < m->count[direction]; i++) {
        const int protocol = protocols[pick(&c->random, 7)];
        struct s2_firewall_rule *r = &m->rule[direction][i];
        const char *prefix = prefixes[pick(&c->random, 8)];

        *r = rule(protocol, 0, 65535, prefix);
        if (protocol == ICMP || protocol == ICMPV6) {
            r->from = pick(&c->random, 2) ? -1 : pick(&c->random, 2) ? 8 : 128;
            r->to = r->from == -1 || pick(&c->random, 2) ? -1 : (int)pick(&c->random, 2);
        } else if (pick(&c->random, 2)) {
            r->from = 22;
            r->to = 22 + (int)pick(&c->random, 2);
        }
        if (pick(&c->random, 4) == 0)
            *r = group_rule(r->protocol, r->from, r->to, c->group[pick(&c->random, GROUPS)]);
    }
    CU_ASSERT_EQUAL_FATAL(s2_firewall_group_set_rules(c->group[g],
                                                      (enum s2_firewall_direction)direction,
                                                      m->rule[direction], m->count[direction]),
                          S2SVPN_OK);
}

static void change_port(struct case_ *c)
{
    const unsigned p = pick(&c->random, PORTS);
    struct s2_firewall_group *groups[GROUPS];
    s2svpn_address a[2];
    size_t n = 0;

    if (pick(&c->random, 2)) {
        for (unsigned g = 0; g < GROUPS; g++) {
            c->model.in_group[p][g] = pick(&c->random, 2);
            if (c->model.in_group[p][g])
                groups[n++] = c->group[g];
        }
        CU_ASSERT_EQUAL_FATAL(s2_firewall_port_set_groups(c->port[p], groups, n), S2SVPN_OK);
        return;
    }
    for (unsigned k = 0; k < 2; k++) {
        c->model.has_address[p][k] = pick(&c->random, 4) != 0;
        if (c->model.has_address[p][k])
            a[n++] = addr(here[p][k]);
    }
    CU_ASSERT_EQUAL_FATAL(s2_firewall_port_set_addresses(c->port[p], a, n), S2SVPN_OK);
}

/* One packet, asked of both. Counts what passes, so that a run that only drops shows. */
static bool send_packet(struct case_ *c, bool *passed)
{
    const unsigned port = pick(&c->random, PORTS);
    const bool out = pick(&c->random, 2);
    struct packet p = random_packet(&c->random, port, out), quote;

    if (is_icmp(&p) && pick(&c->random, 3) == 0) {
        const bool v6 = p.protocol == ICMPV6;

        do
            quote = random_packet(&c->random, port, !out);
        while ((strchr(quote.from, ':') != NULL) != v6);
        p.quote = &quote;
        p.source = v6 ? 0x0100 : UNREACHABLE;
        p.destination = 0;
    }
    *passed = world_send(&c->w, out ? S2_FIREWALL_OUT : S2_FIREWALL_IN, c->port[port], &p) ==
              S2SVPN_DROP_NONE;
    return *passed == model_packet(&c->model, c->group, port, out, &p);
}

static void step(struct case_ *c, size_t *passed)
{
    static const unsigned pauses[] = {1, 10, 29, 30, 31, 60, 180, 350};
    const unsigned what = pick(&c->random, 100);
    bool passes = false;

    if (what < 3) {
        change_rules(c);
    } else if (what < 5) {
        change_port(c);
    } else if (what < 12) {
        const unsigned s = pauses[pick(&c->random, 8)];

        world_wait(&c->w, s);
        c->model.now_s += s;
    } else {
        CU_ASSERT_FATAL(send_packet(c, &passes));
        *passed += passes;
    }
}

static void random_packets_are_judged_as_the_model_judges_them(void)
{
    static struct case_ c;

    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        size_t passed = 0;

        memset(&c, 0, sizeof(c));
        c.random.state = seed;
        world_open(&c.w, NULL);
        for (unsigned i = 0; i < GROUPS; i++)
            CU_ASSERT_EQUAL_FATAL(s2_firewall_group_new(c.w.fw, &c.group[i]), S2SVPN_OK);
        for (unsigned i = 0; i < PORTS; i++)
            CU_ASSERT_EQUAL_FATAL(s2_firewall_port_new(c.w.fw, &c.port[i]), S2SVPN_OK);
        for (unsigned i = 0; i < 20; i++) {
            change_rules(&c);
            change_port(&c);
        }
        for (unsigned i = 0; i < STEPS; i++)
            step(&c, &passed);
        CU_ASSERT(passed > STEPS / 20 && passed < STEPS * 9 / 10);
        CU_ASSERT(world_counts(&c.w).revoked > 0);
        for (unsigned i = 0; i < PORTS; i++)
            s2_firewall_port_free(c.port[i]);
        for (unsigned i = 0; i < GROUPS; i++) {
            set_in(c.group[i], NULL, 0);
            set_out(c.group[i], NULL, 0);
        }
        for (unsigned i = 0; i < GROUPS; i++)
            free_group(c.group[i]);
        world_close(&c.w);
    }
}

const CU_TestInfo s2_test_model[] = {
    {"random packets are judged as the model judges them",
     random_packets_are_judged_as_the_model_judges_them},
    CU_TEST_INFO_NULL,
};
