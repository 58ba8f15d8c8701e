/* SPDX-License-Identifier: Apache-2.0 */
/* Groups that rules name: their members come and go; what is in use stays. */
#include "firewall/world.h"

#include <stdlib.h>

#define A "10.0.1.10"
#define B "10.0.1.11"
#define B6 "2001:db8:a::11"
#define A6 "2001:db8:a::10"

static bool b_reaches_a(struct world *w, struct s2_firewall_port *a)
{
    return PASSES_IN(w, a, B, A, TCP, 5, 443, ACK);
}

static void members_come_and_go(void)
{
    struct world w;

    world_open(&w, NULL);
    struct s2_firewall_group *clients = new_group(&w, NULL, 0);
    const struct s2_firewall_rule one = group_rule(TCP, 443, 443, clients);
    struct s2_firewall_group *servers = new_group(&w, &one, 1);
    struct s2_firewall_port *a = new_port(&w, A, servers), *b = new_port(&w, B, NULL);
    const s2svpn_address both[2] = {addr(B6), addr(B)};

    CU_ASSERT_FALSE(b_reaches_a(&w, a));
    CU_ASSERT_EQUAL(s2_firewall_port_set_groups(b, &clients, 1), S2SVPN_OK);
    CU_ASSERT(b_reaches_a(&w, a));
    CU_ASSERT_FALSE(PASSES_IN(&w, a, B, A, TCP, 5, 444, SYN));
    CU_ASSERT_FALSE(PASSES_IN(&w, a, A, A, TCP, 5, 443, SYN));
    CU_ASSERT_FALSE(PASSES_IN(&w, a, B6, A6, TCP, 5, 443, SYN));
    CU_ASSERT_EQUAL(s2_firewall_port_set_addresses(b, both, 2), S2SVPN_OK);
    CU_ASSERT(b_reaches_a(&w, a));
    CU_ASSERT(PASSES_IN(&w, a, B6, A6, TCP, 5, 443, SYN));
    CU_ASSERT_EQUAL(s2_firewall_port_set_addresses(b, both, 1), S2SVPN_OK);
    CU_ASSERT_FALSE(b_reaches_a(&w, a)); /* the flow was open */
    CU_ASSERT(PASSES_IN(&w, a, B6, A6, TCP, 5, 443, SYN));
    CU_ASSERT_EQUAL(s2_firewall_port_set_addresses(b, both, 2), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_firewall_port_set_groups(b, NULL, 0), S2SVPN_OK);
    CU_ASSERT_FALSE(b_reaches_a(&w, a));
    CU_ASSERT_EQUAL(s2_firewall_port_set_groups(b, &clients, 1), S2SVPN_OK);
    CU_ASSERT(b_reaches_a(&w, a));
    s2_firewall_port_free(b);
    CU_ASSERT_FALSE(b_reaches_a(&w, a));
    s2_firewall_port_free(a);
    free_group(servers);
    free_group(clients);
    world_close(&w);
}

static void an_address_of_two_ports_stays_while_one_has_it(void)
{
    struct world w;

    world_open(&w, NULL);
    struct s2_firewall_group *self = new_group(&w, NULL, 0);
    const struct s2_firewall_rule one = group_rule(-1, -1, -1, self);
    set_in(self, &one, 1); /* AWS's default group: all from itself */
    struct s2_firewall_port *a = new_port(&w, A, self), *b = new_port(&w, B, self),
                            *c = new_port(&w, B, self);

    CU_ASSERT(b_reaches_a(&w, a));
    s2_firewall_port_free(b);
    CU_ASSERT(b_reaches_a(&w, a));
    s2_firewall_port_free(c);
    CU_ASSERT_FALSE(b_reaches_a(&w, a));
    s2_firewall_port_free(a);
    free_group(self);
    world_close(&w);
}

static void many_members_are_found_and_no_others(void)
{
    struct s2_firewall_port *port[300];
    struct world w;
    char text[S2SVPN_ADDRESS_TEXT] = "10.0.0.0";
    s2svpn_address a = addr(text);

    world_open(&w, NULL);
    struct s2_firewall_group *self = new_group(&w, NULL, 0);
    const struct s2_firewall_rule one = group_rule(-1, -1, -1, self);
    set_in(self, &one, 1);
    for (unsigned i = 0; i < 300; i++) { /* in no order */
        a.bytes[2] = (uint8_t)(i * 7 % 300 >> 8);
        a.bytes[3] = (uint8_t)(i * 7 % 300);
        port[i] = new_port(&w, s2svpn_address_print(&a, text), self);
    }
    for (unsigned i = 0; i < 300; i += 2)
        s2_firewall_port_free(port[i]);
    for (unsigned i = 0; i < 310; i++) {
        bool there = false;

        for (unsigned k = 1; k < 300; k += 2)
            there = there || k * 7 % 300 == i;
        a.bytes[2] = (uint8_t)(i >> 8);
        a.bytes[3] = (uint8_t)i;
        CHECK_ROW(text,
                  PASSES_IN(&w, port[1], s2svpn_address_print(&a, text), A, UDP, 1, 1) == there);
    }
    for (unsigned i = 1; i < 300; i += 2)
        s2_firewall_port_free(port[i]);
    free_group(self);
    world_close(&w);
}

static void what_is_in_use_is_not_freed(void)
{
    struct world w;

    world_open(&w, NULL);
    struct s2_firewall_group *named = new_group(&w, NULL, 0);
    const struct s2_firewall_rule one = group_rule(TCP, 443, 443, named);
    struct s2_firewall_group *names = new_group(&w, &one, 1);

    CU_ASSERT(s2_firewall_group_in_use(named));
    CU_ASSERT_FALSE(s2_firewall_group_in_use(names));
    CU_ASSERT_EQUAL(s2_firewall_group_free(named), S2SVPN_E_IN_USE);
    set_in(names, &one, 1);
    CU_ASSERT_EQUAL(s2_firewall_group_free(named), S2SVPN_E_IN_USE);
    set_in(names, NULL, 0);
    struct s2_firewall_port *port = new_port(&w, A, named);
    CU_ASSERT_EQUAL(s2_firewall_group_free(named), S2SVPN_E_IN_USE);
    s2_firewall_port_free(port);
    set_in(names, &one, 1);
    free_group(names);
    const struct s2_firewall_rule itself = group_rule(-1, -1, -1, named);
    set_in(named, &itself, 1);
    CU_ASSERT_FALSE(s2_firewall_group_in_use(named));
    free_group(named);
    world_close(&w);
}

static void a_port_that_goes_takes_its_flows_along(void)
{
    struct world w;

    world_open(&w, NULL);
    struct s2_firewall_group *g = new_group(&w, NULL, 0);
    struct s2_firewall_port *a = new_port(&w, A, g), *b = new_port(&w, B, g);
    for (uint16_t i = 0; i < 500; i++) {
        CU_ASSERT(PASSES_OUT(&w, a, A, B, UDP, i, 53));
        CU_ASSERT(PASSES_OUT(&w, b, B, A, UDP, i, 53));
    }
    CU_ASSERT_EQUAL(world_counts(&w).flows, 1000);
    /* a worker that is still inside may open another */
    s2_epoch_enter(&w.epochs, 0);
    s2_firewall_port_free(a);
    CU_ASSERT_FALSE(PASSES_OUT(&w, a, A, B, UDP, 600, 53));
    CU_ASSERT_EQUAL(world_counts(&w).flows, 1000);
    s2_epoch_leave(&w.epochs, 0);
    s2_epoch_reclaim(&w.epochs);
    CU_ASSERT_EQUAL(world_counts(&w).flows, 500);
    CU_ASSERT(PASSES_IN(&w, b, A, B, UDP, 53, 499));
    s2_firewall_port_free(b);
    free_group(g);
    world_close(&w);
}

static void what_is_no_address_and_no_set_of_groups_is_refused(void)
{
    struct world w, v;

    world_open(&w, NULL);
    world_open(&v, NULL);
    struct s2_firewall_group *g[2] = {new_group(&w, NULL, 0)}, *foreign = new_group(&v, NULL, 0);
    struct s2_firewall_port *port = new_port(&w, A, g[0]);
    s2svpn_address bad[2] = {addr(B)};

    g[1] = g[0];
    CU_ASSERT_EQUAL(s2_firewall_port_set_groups(port, g, 2), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(s2_firewall_port_set_groups(port, &foreign, 1), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(s2_firewall_port_set_addresses(port, bad, 2), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(s2_firewall_port_set_addresses(port, bad, S2_FIREWALL_ADDRESSES_MAX + 1),
                    S2SVPN_E_LIMIT);
    CU_ASSERT(PASSES_OUT(&w, port, A, B, UDP, 1, 53));
    s2_firewall_port_free(port);
    free_group(g[0]);
    free_group(foreign);
    world_close(&v);
    world_close(&w);
}

/* ---- memory */

static s2svpn_status build(struct s2_firewall *fw, struct s2_firewall_group **g,
                           struct s2_firewall_port **p, struct s2_firewall_list **l)
{
    const s2svpn_address a[2] = {addr(A), addr(A6)};
    struct s2_firewall_rule all[2];
    s2svpn_status rc;

    s2_firewall_allow_all(all);
    for (unsigned i = 0; i < 2; i++) {
        if ((rc = s2_firewall_group_new(fw, &g[i])) != S2SVPN_OK ||
            (rc = s2_firewall_group_set_rules(g[i], S2_FIREWALL_OUT, all, 2)) != S2SVPN_OK)
            return rc;
    }
    if ((rc = s2_firewall_list_new(fw, l)) != S2SVPN_OK ||
        (rc = s2_firewall_list_set(*l, &all[0].prefix, 1)) != S2SVPN_OK)
        return rc;
    const struct s2_firewall_rule in[2] = {group_rule(-1, -1, -1, g[0]), list_rule(6, 1, 9, *l)};
    if ((rc = s2_firewall_group_set_rules(g[1], S2_FIREWALL_IN, in, 2)) != S2SVPN_OK)
        return rc;
    for (unsigned i = 0; i < 2; i++) {
        if ((rc = s2_firewall_port_new(fw, &p[i])) != S2SVPN_OK ||
            (rc = s2_firewall_port_set_addresses(p[i], a, 1)) != S2SVPN_OK ||
            (rc = s2_firewall_port_set_groups(p[i], g, 2)) != S2SVPN_OK ||
            (rc = s2_firewall_port_set_addresses(p[i], a, 2)) != S2SVPN_OK ||
            (rc = s2_firewall_port_set_groups(p[i], g + i, 1)) != S2SVPN_OK)
            return rc;
    }
    return S2SVPN_OK;
}

static bool build_and_free(struct s2_fake_env *f, void *arg)
{
    struct s2_firewall_group *g[2] = {NULL, NULL};
    struct s2_firewall_port *p[2] = {NULL, NULL};
    struct s2_firewall_list *l = NULL;
    struct s2_firewall *fw = NULL;
    struct s2_epochs epochs;
    s2svpn_status rc;

    (void)arg;
    s2_epochs_init(&epochs, 1);
    rc = s2_firewall_new(&f->env, &epochs, NULL, &fw);
    if (rc == S2SVPN_OK)
        rc = build(fw, g, p, &l);
    for (unsigned i = 0; i < 2; i++)
        s2_firewall_port_free(p[i]);
    /* none of these needs memory */
    for (unsigned i = 2; i-- > 0;) {
        if (g[i] != NULL)
            free_group(g[i]);
    }
    if (l != NULL)
        CU_ASSERT_EQUAL(s2_firewall_list_free(l), S2SVPN_OK);
    s2_firewall_free(fw);
    s2_epochs_clear(&epochs);
    return rc == S2SVPN_OK;
}

static void every_allocation_may_fail(void)
{
    s2_fail_every_allocation(build_and_free, NULL);
}

/* A change that fails changes nothing. */
static void a_failed_change_changes_nothing(void)
{
    struct world w;

    world_open(&w, NULL);
    struct s2_firewall_group *clients = new_group(&w, NULL, 0), *more = new_group(&w, NULL, 0);
    const struct s2_firewall_rule two[2] = {group_rule(TCP, 443, 443, clients),
                                            group_rule(TCP, 444, 444, more)};
    struct s2_firewall_group *servers = new_group(&w, two, 2), *both[2] = {more, servers};
    struct s2_firewall_port *a = new_port(&w, A, servers), *b = new_port(&w, B, clients);
    const s2svpn_address other = addr("10.0.1.12");

    for (unsigned n = 1; n <= 3; n++) {
        w.fake.fail_at = w.fake.allocations + n;
        CU_ASSERT_EQUAL(s2_firewall_port_set_groups(b, both, 2), S2SVPN_E_MEMORY);
        CU_ASSERT(b_reaches_a(&w, a));
        CU_ASSERT_FALSE(PASSES_IN(&w, a, B, A, TCP, 5, 444, SYN));
    }
    for (unsigned n = 1; n <= 2; n++) {
        w.fake.fail_at = w.fake.allocations + n;
        CU_ASSERT_EQUAL(s2_firewall_port_set_addresses(b, &other, 1), S2SVPN_E_MEMORY);
        CU_ASSERT(b_reaches_a(&w, a));
    }
    w.fake.fail_at = w.fake.allocations + 1;
    CU_ASSERT_EQUAL(s2_firewall_group_set_rules(servers, S2_FIREWALL_IN, NULL, 0), S2SVPN_E_MEMORY);
    CU_ASSERT(b_reaches_a(&w, a));
    w.fake.fail_at = 0;
    CU_ASSERT_EQUAL(s2_firewall_port_set_groups(b, both, 2), S2SVPN_OK);
    CU_ASSERT_FALSE(b_reaches_a(&w, a));
    CU_ASSERT(PASSES_IN(&w, a, B, A, TCP, 5, 444, SYN));
    s2_firewall_port_free(a);
    s2_firewall_port_free(b);
    free_group(servers);
    free_group(clients);
    free_group(more);
    world_close(&w);
}

const CU_TestInfo s2_test_group[] = {
    {"members come and go", members_come_and_go},
    {"an address of two ports stays while one has it",
     an_address_of_two_ports_stays_while_one_has_it},
    {"many members are found, and no others", many_members_are_found_and_no_others},
    {"what is in use is not freed", what_is_in_use_is_not_freed},
    {"a port that goes takes its flows along", a_port_that_goes_takes_its_flows_along},
    {"what is no address and no set of groups is refused",
     what_is_no_address_and_no_set_of_groups_is_refused},
    {"every allocation may fail", every_allocation_may_fail},
    {"a failed change changes nothing", a_failed_change_changes_nothing},
    CU_TEST_INFO_NULL,
};
