/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/vpc_block.c, route_table.c, port.c: changes of a VPC's record, and what happens
 * when the store or the memory refuses one: all of it, or nothing. */
#include <string.h>

#include "harness.h"
#include "vpn/fake_store.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

static s2svpn_status add(s2svpn_vpc *vpc, const char *cidr)
{
    const s2svpn_prefix p = rig_prefix(cidr);

    return s2svpn_vpc_add_cidr(vpc, &p, NULL);
}

static s2svpn_status take_out(s2svpn_vpc *vpc, const char *cidr)
{
    const s2svpn_prefix p = rig_prefix(cidr);

    return s2svpn_vpc_remove_cidr(vpc, &p);
}

static bool is_main(const s2svpn_route_table *t)
{
    s2svpn_route_table_info info = {.size = sizeof(info)};

    s2svpn_route_table_get_info(t, &info);
    return info.main;
}

static size_t routes(const s2svpn_route_table *t)
{
    return s2svpn_route_table_list(t, NULL, 0);
}

/* Of the block that came last; 0: there is the primary one alone. */
static uint32_t state_of_last(const s2svpn_vpc *vpc)
{
    s2svpn_vpc_cidr list[4];
    const size_t n = s2svpn_vpc_list_cidrs(vpc, list, 4);

    return n == 2 ? list[1].state : 0;
}

static bool in_router(const struct rig *rig, const char *prefix)
{
    const s2svpn_prefix p = rig_prefix(prefix);

    return s2_fib_get(rig->vgw->router.fib, &p) != 0;
}

static struct fake_store store;

static struct rig_plan plan_of_store(void)
{
    store = (struct fake_store){0};
    return (struct rig_plan){.store = fake_store_ops(), .store_user = &store};
}

static void the_record_follows_the_blocks_and_the_main_table(void)
{
    const struct rig_plan plan = plan_of_store();
    static struct rig rig;
    s2svpn_route_table *custom = NULL;
    s2svpn_vpc_cidr list[2];
    char wanted[400];

    rig_gateway(&rig, &plan);
    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    CU_ASSERT_EQUAL(add(rig.vpc, "fd12::/56"), S2SVPN_OK);
    s2svpn_vpc_list_cidrs(rig.vpc, list, 2);
    s2_print(wanted, sizeof(wanted),
             "cidr 10.0.0.0/16\nassociation %s\nipv6_cidr fd12::/56\nassociation %s\nmain %s\n",
             list[0].association.text, list[1].association.text, s2svpn_route_table_id(rig.table));
    CU_ASSERT_STRING_EQUAL(store.last.text, wanted);
    CU_ASSERT_EQUAL(store.last.revision, 2);
    CU_ASSERT_EQUAL(take_out(rig.vpc, "fd12::/56"), S2SVPN_OK);
    CU_ASSERT_PTR_NULL(strstr(store.last.text, "fd12"));
    CU_ASSERT_EQUAL(store.last.revision, 3);
    CU_ASSERT_EQUAL(s2svpn_route_table_new(rig.vpc, &custom), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_route_table_set_main(custom), S2SVPN_OK);
    s2_print(wanted, sizeof(wanted), "cidr 10.0.0.0/16\nassociation %s\nmain %s\n",
             list[0].association.text, s2svpn_route_table_id(custom));
    CU_ASSERT_STRING_EQUAL(store.last.text, wanted);
    CU_ASSERT_EQUAL(store.last.revision, 4);
    CU_ASSERT_EQUAL(s2svpn_port_set_source_dest_check(rig.gateway.port, false), S2SVPN_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(store.last.text, "\nsource_dest_check 0\n"));
    CU_ASSERT_EQUAL(s2svpn_port_set_source_dest_check(rig.gateway.port, true), S2SVPN_OK);
    CU_ASSERT_PTR_NULL(strstr(store.last.text, "source_dest_check"));
    s2svpn_route_table_release(custom);
    rig_close(&rig);
}

static void blocks_wait_for_the_store(void)
{
    const struct rig_plan plan = plan_of_store();
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, &plan);
    s2svpn_subnet_spec spec = S2SVPN_SUBNET_INIT;
    s2svpn_subnet *none = NULL;

    spec.cidr = rig_prefix("10.1.0.0/25");
    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    store.later = true;
    CU_ASSERT_EQUAL(add(rig.vpc, "10.1.0.0/24"), S2SVPN_OK);
    CU_ASSERT_EQUAL(state_of_last(rig.vpc), S2SVPN_STATE_PENDING);
    CU_ASSERT_EQUAL(routes(rig.table), 1);
    CU_ASSERT_FALSE(in_router(&rig, "10.1.0.0/24"));
    rig_check_error(ctx, s2svpn_subnet_new(rig.vpc, &spec, &none), S2SVPN_E_ARGUMENT, "cidr",
                    "its block is pending");
    rig_check_error(ctx, add(rig.vpc, "10.1.0.0/24"), S2SVPN_E_EXISTS, "prefix", "twice");
    rig_check_error(ctx, add(rig.vpc, "10.2.0.0/24"), S2SVPN_E_STATE, "", "another meanwhile");
    rig_check_error(ctx, take_out(rig.vpc, "10.1.0.0/24"), S2SVPN_E_STATE, "prefix", "pending");
    CU_ASSERT_TRUE(fake_store_answer(&store, S2SVPN_OK));
    CU_ASSERT_EQUAL(state_of_last(rig.vpc), S2SVPN_STATE_AVAILABLE);
    CU_ASSERT_EQUAL(routes(rig.table), 2);
    CU_ASSERT_TRUE(in_router(&rig, "10.1.0.0/24"));
    CU_ASSERT_EQUAL(take_out(rig.vpc, "10.1.0.0/24"), S2SVPN_OK);
    CU_ASSERT_EQUAL(state_of_last(rig.vpc), S2SVPN_STATE_DELETING);
    CU_ASSERT_EQUAL(routes(rig.table), 2); /* as long as it is stored */
    rig_check_error(ctx, s2svpn_subnet_new(rig.vpc, &spec, &none), S2SVPN_E_ARGUMENT, "cidr",
                    "its block goes");
    CU_ASSERT_TRUE(fake_store_answer(&store, S2SVPN_E_CONFLICT));
    CU_ASSERT_EQUAL(state_of_last(rig.vpc), S2SVPN_STATE_AVAILABLE);
    CU_ASSERT_EQUAL(take_out(rig.vpc, "10.1.0.0/24"), S2SVPN_OK);
    CU_ASSERT_TRUE(fake_store_answer(&store, S2SVPN_OK));
    CU_ASSERT_EQUAL(state_of_last(rig.vpc), 0);
    CU_ASSERT_EQUAL(routes(rig.table), 1);
    CU_ASSERT_EQUAL(add(rig.vpc, "10.1.0.0/24"), S2SVPN_OK);
    CU_ASSERT_TRUE(fake_store_answer(&store, S2SVPN_E_CONFLICT));
    CU_ASSERT_EQUAL(state_of_last(rig.vpc), 0);
    CU_ASSERT_EQUAL(add(rig.vpc, "10.1.0.0/24"), S2SVPN_OK); /* pending at the context's end */
    rig_close(&rig);
}

/* A gateway that is attached while the block waits has it afterwards, too, or never. */
static void an_attachment_and_a_block_wait_for_each_other(void)
{
    static const struct {
        const char *row;
        size_t first; /* answered: 0 the block, 1 the attachment */
        s2svpn_status block;
    } rows[] = {
        {"the block first", 0, S2SVPN_OK},
        {"the attachment first", 1, S2SVPN_OK},
        {"the attachment first, and no block", 1, S2SVPN_E_CONFLICT},
    };
    static struct rig rig;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct rig_plan plan = plan_of_store();

        rig_gateway(&rig, &plan);
        CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(rig.vgw), S2SVPN_OK);
        store.later = true;
        CU_ASSERT_EQUAL(add(rig.vpc, "10.1.0.0/24"), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_virtual_gateway_attach(rig.vgw, rig.vpc), S2SVPN_OK);
        fake_store_answer_at(&store, rows[i].first, rows[i].first ? S2SVPN_OK : rows[i].block);
        fake_store_answer_at(&store, 0, rows[i].first ? rows[i].block : S2SVPN_OK);
        CHECK_ROW(rows[i].row, in_router(&rig, "10.0.0.0/16"));
        CHECK_ROW(rows[i].row, in_router(&rig, "10.1.0.0/24") == (rows[i].block == S2SVPN_OK));
        store.later = false;
        rig_close(&rig);
    }
}

/* A route that comes while the block waits counts until then, and is hidden afterwards. */
static void a_route_inside_a_block_that_waits_counts_until_it_is_there(void)
{
    static const s2svpn_status answers[] = {S2SVPN_OK, S2SVPN_E_CONFLICT};
    const s2svpn_prefix inside = rig_prefix("10.1.0.128/25");
    static struct rig rig;

    for (size_t i = 0; i < 2; i++) {
        struct rig_plan plan = plan_of_store();

        plan.static_routes = true;
        if (rig_up(&rig, &plan)) {
            store.later = true;
            CU_ASSERT_EQUAL(add(rig.vpc, "10.1.0.0/24"), S2SVPN_OK);
            store.later = false;
            CU_ASSERT_EQUAL(s2svpn_connection_add_static_route(rig.cloud, &inside), S2SVPN_OK);
            CU_ASSERT_EQUAL(s2_target_kind(s2_fib_get(rig.table->fib, &inside)), S2_TARGET_ROUTER);
            fake_store_answer_all(&store, answers[i]);
            CU_ASSERT_EQUAL(s2_fib_get(rig.table->fib, &inside) == 0, i == 0);
            CU_ASSERT_EQUAL(routes(rig.table), i == 0 ? 4 : 3); /* listed all the time */
        }
        rig_close(&rig);
    }
}

static void the_main_table_and_the_check_wait_for_the_store(void)
{
    const struct rig_plan plan = plan_of_store();
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, &plan);
    s2svpn_port_info info = {.size = sizeof(info)};
    s2svpn_route_table *custom = NULL;

    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_route_table_new(rig.vpc, &custom), S2SVPN_OK);
    store.later = true;
    CU_ASSERT_EQUAL(s2svpn_route_table_set_main(custom), S2SVPN_OK);
    CU_ASSERT_FALSE(is_main(custom));
    rig_check_error(ctx, s2svpn_route_table_set_main(custom), S2SVPN_E_STATE, "route_table",
                    "twice");
    rig_check_error(ctx, s2svpn_route_table_delete(custom), S2SVPN_E_IN_USE, "", "it waits");
    CU_ASSERT_TRUE(fake_store_answer(&store, S2SVPN_E_CONFLICT));
    CU_ASSERT_FALSE(is_main(custom));
    CU_ASSERT_TRUE(is_main(rig.table));
    CU_ASSERT_EQUAL(s2svpn_route_table_set_main(custom), S2SVPN_OK);
    CU_ASSERT_TRUE(fake_store_answer(&store, S2SVPN_OK));
    CU_ASSERT_TRUE(is_main(custom));
    CU_ASSERT_FALSE(is_main(rig.table));
    CU_ASSERT_EQUAL(s2svpn_port_set_source_dest_check(rig.gateway.port, false), S2SVPN_OK);
    s2svpn_port_get_info(rig.gateway.port, &info);
    CU_ASSERT_TRUE(info.source_dest_check);
    CU_ASSERT_TRUE(fake_store_answer(&store, S2SVPN_OK));
    s2svpn_port_get_info(rig.gateway.port, &info);
    CU_ASSERT_FALSE(info.source_dest_check);
    store.later = false;
    s2svpn_route_table_release(custom);
    rig_close(&rig);
}

static void a_refusal_at_once_changes_nothing(void)
{
    const struct rig_plan plan = plan_of_store();
    static struct rig rig;
    s2svpn_port_info info = {.size = sizeof(info)};
    s2svpn_route_table *custom = NULL;

    rig_gateway(&rig, &plan);
    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_route_table_new(rig.vpc, &custom), S2SVPN_OK);
    CU_ASSERT_EQUAL(add(rig.vpc, "10.1.0.0/24"), S2SVPN_OK);
    store.answer = S2SVPN_E_CONFLICT;
    CU_ASSERT_EQUAL(add(rig.vpc, "10.2.0.0/24"), S2SVPN_E_CONFLICT);
    CU_ASSERT_EQUAL(take_out(rig.vpc, "10.1.0.0/24"), S2SVPN_E_CONFLICT);
    CU_ASSERT_EQUAL(s2svpn_route_table_set_main(custom), S2SVPN_E_CONFLICT);
    CU_ASSERT_EQUAL(s2svpn_port_set_source_dest_check(rig.gateway.port, false), S2SVPN_E_CONFLICT);
    CU_ASSERT_EQUAL(state_of_last(rig.vpc), S2SVPN_STATE_AVAILABLE);
    CU_ASSERT_EQUAL(routes(rig.table), 2);
    CU_ASSERT_FALSE(is_main(custom));
    s2svpn_port_get_info(rig.gateway.port, &info);
    CU_ASSERT_TRUE(info.source_dest_check);
    store.answer = S2SVPN_OK;
    CU_ASSERT_EQUAL(s2svpn_route_table_delete(custom), S2SVPN_OK);
    s2svpn_route_table_release(custom);
    rig_close(&rig);
}

/* ---- memory */

/* With the block or without it, in the list, every table, and the gateway's FIB. */
static bool all_say(const struct rig *rig, const s2svpn_route_table *custom, bool there)
{
    const s2svpn_prefix p = rig_prefix("10.1.0.0/24");
    const size_t n = there ? 2 : 1;

    return state_of_last(rig->vpc) == (there ? S2SVPN_STATE_AVAILABLE : 0) &&
           routes(rig->table) == n && routes(custom) == n &&
           (s2_fib_get(rig->table->fib, &p) != 0) == there &&
           (s2_fib_get(custom->fib, &p) != 0) == there && in_router(rig, "10.1.0.0/24") == there;
}

/* Both ways, every allocation fails once; with a store its record says the same. */
static void every_allocation_fails_once(void)
{
    static struct rig rig;
    unsigned failures = 0;

    for (unsigned with_store = 0; with_store < 2; with_store++) {
        bool more = true;

        for (size_t n = 1; more && n < 200; n++) {
            const struct rig_plan plan = plan_of_store();
            s2svpn_route_table *custom = NULL;
            s2svpn_status rc;

            rig_gateway(&rig, with_store ? &plan : NULL);
            CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
            CU_ASSERT_EQUAL(rig_make_connection(&rig), S2SVPN_OK);
            CU_ASSERT_EQUAL_FATAL(s2svpn_route_table_new(rig.vpc, &custom), S2SVPN_OK);
            rig.gateway.heap.fail_at = rig.gateway.heap.allocations + n;
            rc = add(rig.vpc, "10.1.0.0/24");
            CU_ASSERT_TRUE(rc == S2SVPN_OK || rc == S2SVPN_E_MEMORY);
            CU_ASSERT_TRUE(all_say(&rig, custom, rc == S2SVPN_OK));
            if (with_store)
                CU_ASSERT_TRUE((strstr(store.last.text, "10.1.0.0/24") != NULL) ==
                                   (rc == S2SVPN_OK) ||
                               store.last.kind != S2SVPN_KIND_VPC);
            if (rc != S2SVPN_OK) {
                failures++;
                CU_ASSERT_EQUAL(add(rig.vpc, "10.1.0.0/24"), S2SVPN_OK);
                CU_ASSERT_TRUE(all_say(&rig, custom, true));
            }
            rc = take_out(rig.vpc, "10.1.0.0/24");
            CU_ASSERT_TRUE(rc == S2SVPN_OK || rc == S2SVPN_E_MEMORY);
            CU_ASSERT_TRUE(all_say(&rig, custom, rc != S2SVPN_OK));
            failures += rc != S2SVPN_OK;
            more = rig.gateway.heap.failed;
            s2svpn_route_table_release(custom);
            rig_close(&rig);
        }
        CU_ASSERT_FALSE(more);
    }
    CU_ASSERT_TRUE(failures > 10);
}

const CU_TestInfo s2_test_vpc_store[] = {
    {"the record follows the blocks and the main table",
     the_record_follows_the_blocks_and_the_main_table},
    {"blocks wait for the store", blocks_wait_for_the_store},
    {"an attachment and a block wait for each other",
     an_attachment_and_a_block_wait_for_each_other},
    {"a route inside a block that waits counts until it is there",
     a_route_inside_a_block_that_waits_counts_until_it_is_there},
    {"the main table and the check wait for the store",
     the_main_table_and_the_check_wait_for_the_store},
    {"a refusal at once changes nothing", a_refusal_at_once_changes_nothing},
    {"every allocation fails once", every_allocation_fails_once},
    CU_TEST_INFO_NULL,
};
