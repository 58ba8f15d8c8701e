/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/object.c with stores: an object changes when the store has agreed, which may
 * be at once, later, or never. */
#include <string.h>

#include "harness.h"
#include "vpn/fake_store.h"
#include "vpn/object.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

static s2svpn_id id_of(const void *object)
{
    return ((const struct s2_object *)object)->id;
}

/* ---- a store that answers later */

static s2svpn_status new_customer(s2svpn_context *ctx, s2svpn_customer_gateway **cgw)
{
    s2svpn_customer_gateway_spec spec = S2SVPN_CUSTOMER_GATEWAY_INIT;

    spec.address = "203.0.113.7";
    return s2svpn_customer_gateway_new(ctx, &spec, cgw);
}

static uint32_t state_of(const void *object)
{
    return ((const struct s2_object *)object)->state;
}

static bool last_state_is(const struct rig *rig, const void *object, const char *state)
{
    const struct rig_event *e = rig_last_event(&rig->gateway, S2SVPN_EVENT_OBJECT);

    return e && strcmp(e->id, id_of(object).text) == 0 && strcmp(e->reason, state) == 0;
}

static void objects_are_pending_until_the_store_answers(void)
{
    static struct fake_store store;
    const struct rig_plan plan = {.store = fake_store_ops(), .store_user = &store};
    static struct rig rig;

    store = (struct fake_store){.later = true};
    CU_ASSERT_EQUAL(new_customer(rig_gateway(&rig, &plan), &rig.cgw), S2SVPN_OK);
    CU_ASSERT_EQUAL(state_of(rig.cgw), S2SVPN_STATE_PENDING);
    CU_ASSERT_EQUAL(rig.gateway.events, 0);
    CU_ASSERT_EQUAL(store.last.revision, 1);
    CU_ASSERT_EQUAL(store.last.kind, S2SVPN_KIND_CUSTOMER_GATEWAY);
    CU_ASSERT_STRING_EQUAL(store.last.id.text, id_of(rig.cgw).text);
    rig_check_error(rig.gateway.ctx, s2svpn_customer_gateway_delete(rig.cgw), S2SVPN_E_STATE, "",
                    "deleting it now");
    CU_ASSERT_TRUE(fake_store_answer(&store, S2SVPN_OK));
    CU_ASSERT_EQUAL(state_of(rig.cgw), S2SVPN_STATE_AVAILABLE);
    CU_ASSERT_TRUE(last_state_is(&rig, rig.cgw, "available"));

    CU_ASSERT_EQUAL(s2svpn_customer_gateway_delete(rig.cgw), S2SVPN_OK);
    CU_ASSERT_EQUAL(state_of(rig.cgw), S2SVPN_STATE_DELETING);
    CU_ASSERT_TRUE(last_state_is(&rig, rig.cgw, "deleting"));
    CU_ASSERT_TRUE(store.last.remove);
    CU_ASSERT_EQUAL(store.last.revision, 2);
    CU_ASSERT_TRUE(fake_store_answer(&store, S2SVPN_OK));
    CU_ASSERT_EQUAL(state_of(rig.cgw), S2SVPN_STATE_DELETED);
    CU_ASSERT_TRUE(last_state_is(&rig, rig.cgw, "deleted"));
    rig_close(&rig);
}

static void refusals_that_come_later_are_told_by_events(void)
{
    static const s2svpn_status refusals[] = {S2SVPN_E_CONFLICT, S2SVPN_E_STORE};
    static struct fake_store store;
    const struct rig_plan plan = {.store = fake_store_ops(), .store_user = &store};
    static struct rig rig;

    for (size_t i = 0; i < 2; i++) {
        store = (struct fake_store){.later = true};
        CU_ASSERT_EQUAL(new_customer(rig_gateway(&rig, &plan), &rig.cgw), S2SVPN_OK);
        CU_ASSERT_TRUE(fake_store_answer(&store, refusals[i]));
        CU_ASSERT_EQUAL(state_of(rig.cgw), S2SVPN_STATE_FAILED);
        CU_ASSERT_TRUE(last_state_is(&rig, rig.cgw, "failed"));
        CU_ASSERT_EQUAL(s2svpn_customer_gateway_delete(rig.cgw), S2SVPN_OK); /* never stored */
        CU_ASSERT_EQUAL(store.waiting, 0);
        CU_ASSERT_EQUAL(state_of(rig.cgw), S2SVPN_STATE_DELETED);
        s2svpn_customer_gateway_release(rig.cgw);

        CU_ASSERT_EQUAL(new_customer(rig.gateway.ctx, &rig.cgw), S2SVPN_OK);
        CU_ASSERT_TRUE(fake_store_answer(&store, S2SVPN_OK));
        CU_ASSERT_EQUAL(s2svpn_customer_gateway_delete(rig.cgw), S2SVPN_OK);
        CU_ASSERT_TRUE(fake_store_answer(&store, refusals[i]));
        CU_ASSERT_EQUAL(state_of(rig.cgw), S2SVPN_STATE_AVAILABLE); /* it lives on */
        CU_ASSERT_EQUAL(s2svpn_customer_gateway_delete(rig.cgw), S2SVPN_OK);
        CU_ASSERT_EQUAL(store.last.revision, 2);
        fake_store_answer_all(&store, S2SVPN_OK);
        rig_close(&rig);
    }
}

/* Released while the store still thinks about its deletion, with and without events
 * that hold it: freed once. */
static void an_object_released_before_the_answer_is_freed_once(void)
{
    static struct fake_store store;
    static struct rig rig;

    for (size_t i = 0; i < 2; i++) {
        const struct rig_plan plan = {
            .store = fake_store_ops(), .store_user = &store, .quiet = i == 1};

        store = (struct fake_store){.later = true};
        CU_ASSERT_EQUAL(new_customer(rig_gateway(&rig, &plan), &rig.cgw), S2SVPN_OK);
        fake_store_answer_all(&store, S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_customer_gateway_delete(rig.cgw), S2SVPN_OK);
        s2svpn_customer_gateway_release(rig.cgw);
        rig.cgw = NULL;
        CU_ASSERT_TRUE(fake_store_answer(&store, S2SVPN_OK));
        s2svpn_advance(rig.gateway.ctx, rig.now_ns);
        CU_ASSERT_TRUE(s2_list_empty(&rig.gateway.ctx->ghosts));
        CU_ASSERT_EQUAL(rig.gateway.ctx->epochs.waiting, 0);
        rig_close(&rig);
    }
}

static void an_object_has_one_change_under_way(void)
{
    static struct fake_store store;
    const struct rig_plan plan = {.store = fake_store_ops(), .store_user = &store};
    static struct rig rig;
    s2svpn_virtual_gateway_info vgw = {.size = sizeof(vgw)};
    s2svpn_vpc_info vpc = {.size = sizeof(vpc)};

    store = (struct fake_store){0};
    rig_gateway(&rig, &plan);
    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(rig.vgw), S2SVPN_OK);
    store.later = true;
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_attach(rig.vgw, rig.vpc), S2SVPN_OK);
    s2svpn_virtual_gateway_get_info(rig.vgw, &vgw);
    s2svpn_vpc_get_info(rig.vpc, &vpc);
    CU_ASSERT_EQUAL(vgw.vpc.text[0], 0); /* nothing has happened yet */
    CU_ASSERT_EQUAL(vpc.virtual_gateway.text[0], 0);
    rig_check_error(rig.gateway.ctx, s2svpn_virtual_gateway_attach(rig.vgw, rig.vpc),
                    S2SVPN_E_STATE, "vpc", "attaching again");
    rig_check_error(rig.gateway.ctx, s2svpn_virtual_gateway_delete(rig.vgw), S2SVPN_E_STATE, "",
                    "deleting the gateway");
    rig_check_error(rig.gateway.ctx, s2svpn_vpc_delete(rig.vpc), S2SVPN_E_IN_USE, "",
                    "deleting the VPC");
    CU_ASSERT_EQUAL(state_of(rig.vgw), S2SVPN_STATE_AVAILABLE);
    CU_ASSERT_TRUE(fake_store_answer(&store, S2SVPN_OK));
    s2svpn_virtual_gateway_get_info(rig.vgw, &vgw);
    s2svpn_vpc_get_info(rig.vpc, &vpc);
    CU_ASSERT_STRING_EQUAL(vgw.vpc.text, id_of(rig.vpc).text);
    CU_ASSERT_STRING_EQUAL(vpc.virtual_gateway.text, id_of(rig.vgw).text);
    CU_ASSERT_EQUAL(vgw.prefixes, 1);

    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(rig.vgw), S2SVPN_OK);
    CU_ASSERT_TRUE(fake_store_answer(&store, S2SVPN_E_CONFLICT));
    s2svpn_virtual_gateway_get_info(rig.vgw, &vgw);
    CU_ASSERT_STRING_EQUAL(vgw.vpc.text, id_of(rig.vpc).text); /* refused: it stays */
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(rig.vgw), S2SVPN_OK);
    CU_ASSERT_TRUE(fake_store_answer(&store, S2SVPN_OK));
    store.later = false;
    rig_close(&rig);
}

static void two_gateways_do_not_get_one_vpc(void)
{
    static struct fake_store store;
    const struct rig_plan plan = {.store = fake_store_ops(), .store_user = &store};
    s2svpn_virtual_gateway_spec spec = S2SVPN_VIRTUAL_GATEWAY_INIT;
    s2svpn_virtual_gateway *other = NULL;
    static struct rig rig;

    store = (struct fake_store){0};
    rig_gateway(&rig, &plan);
    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_new(rig.gateway.ctx, &spec, &other), S2SVPN_OK);
    rig_check_error(rig.gateway.ctx, s2svpn_virtual_gateway_attach(other, rig.vpc), S2SVPN_E_STATE,
                    "vpc", "attached already");
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(rig.vgw), S2SVPN_OK);
    store.later = true;
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_attach(rig.vgw, rig.vpc), S2SVPN_OK);
    rig_check_error(rig.gateway.ctx, s2svpn_virtual_gateway_attach(other, rig.vpc), S2SVPN_E_STATE,
                    "vpc", "while the first waits");
    CU_ASSERT_TRUE(fake_store_answer(&store, S2SVPN_E_STORE));
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_attach(other, rig.vpc), S2SVPN_OK); /* free again */
    fake_store_answer_all(&store, S2SVPN_OK);
    store.later = false;
    s2svpn_virtual_gateway_release(other);
    rig_close(&rig);
}

/* A whole cloud with every answer late: children are made of available parents. */
static void pending_parents_bear_no_children(void)
{
    static struct fake_store store;
    const struct rig_plan plan = {.store = fake_store_ops(), .store_user = &store};
    s2svpn_vpc_spec vpc = S2SVPN_VPC_INIT;
    s2svpn_subnet_spec subnet = S2SVPN_SUBNET_INIT;
    static struct rig rig;
    s2svpn_context *ctx;

    store = (struct fake_store){.later = true};
    ctx = rig_gateway(&rig, &plan);
    vpc.cidr = rig_prefix("10.0.0.0/16");
    subnet.cidr = rig_prefix("10.0.1.0/24");
    CU_ASSERT_EQUAL(s2svpn_vpc_new(ctx, &vpc, &rig.vpc), S2SVPN_OK);
    rig_check_error(ctx, s2svpn_subnet_new(rig.vpc, &subnet, &rig.subnet), S2SVPN_E_STATE, "vpc",
                    "a subnet");
    rig_check_error(ctx, s2svpn_route_table_new(rig.vpc, &rig.table), S2SVPN_E_STATE, "vpc",
                    "a table");
    fake_store_answer_all(&store, S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_subnet_new(rig.vpc, &subnet, &rig.subnet), S2SVPN_OK);
    rig_check_error(ctx, s2svpn_vpc_delete(rig.vpc), S2SVPN_E_IN_USE, "",
                    "a VPC whose subnet is pending");
    fake_store_answer_all(&store, S2SVPN_OK);
    rig_close(&rig);
}

/* The VPC's answer comes before its main table's, and it is deleted before that comes:
 * the table doesn't rise again. */
static void answers_out_of_order_wake_no_dead(void)
{
    static struct fake_store store;
    const struct rig_plan plan = {.store = fake_store_ops(), .store_user = &store};
    s2svpn_vpc_spec vpc = S2SVPN_VPC_INIT;
    static struct rig rig;

    store = (struct fake_store){.later = true};
    rig_gateway(&rig, &plan);
    vpc.cidr = rig_prefix("10.0.0.0/16");
    CU_ASSERT_EQUAL(s2svpn_vpc_new(rig.gateway.ctx, &vpc, &rig.vpc), S2SVPN_OK);
    rig.table = s2svpn_vpc_main_route_table(rig.vpc);
    CU_ASSERT_EQUAL(store.waiting, 2);
    CU_ASSERT_TRUE(fake_store_answer_at(&store, 1, S2SVPN_OK));
    CU_ASSERT_EQUAL(s2svpn_vpc_delete(rig.vpc), S2SVPN_OK);
    CU_ASSERT_TRUE(fake_store_answer_at(&store, 1, S2SVPN_OK));
    CU_ASSERT_EQUAL(state_of(rig.table), S2SVPN_STATE_DELETED);
    fake_store_answer_all(&store, S2SVPN_OK);
    CU_ASSERT_EQUAL(state_of(rig.table), S2SVPN_STATE_DELETED);
    rig_close(&rig);
}

static void pending_answers_are_cancelled_with_the_context(void)
{
    static struct fake_store store;
    const struct rig_plan plan = {.store = fake_store_ops(), .store_user = &store};
    static struct rig rig;

    store = (struct fake_store){0};
    rig_gateway(&rig, &plan);
    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    CU_ASSERT_EQUAL(rig_make_connection(&rig), S2SVPN_OK);
    store.later = true;
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(rig.vgw), S2SVPN_OK); /* with an argument */
    CU_ASSERT_EQUAL(s2svpn_connection_delete(rig.cloud), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_port_delete(rig.gateway.port), S2SVPN_OK);
    CU_ASSERT_EQUAL(store.waiting, 3);
    rig_close(&rig);
    CU_ASSERT_EQUAL(store.waiting, 0);
    CU_ASSERT_EQUAL(store.cancels, 3);
}

static void a_connection_starts_when_the_store_has_it(void)
{
    static struct fake_store store;
    const struct rig_plan plan = {.store = fake_store_ops(),
                                  .store_user = &store,
                                  .tunnel = {.startup_action = S2SVPN_STARTUP_START}};
    static struct rig rig;

    store = (struct fake_store){0};
    rig_gateway(&rig, &plan);
    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    store.later = true;
    CU_ASSERT_EQUAL(rig_make_connection(&rig), S2SVPN_E_STATE); /* the customer's is pending */
    fake_store_answer_all(&store, S2SVPN_OK);
    s2svpn_customer_gateway_release(rig.cgw);
    rig.cgw = NULL;
    CU_ASSERT_EQUAL(new_customer(rig.gateway.ctx, &rig.cgw), S2SVPN_OK);
    fake_store_answer_all(&store, S2SVPN_OK);
    {
        s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;

        spec.tunnel[0] = spec.tunnel[1] = plan.tunnel;
        CU_ASSERT_EQUAL(s2svpn_connection_new(rig.vgw, rig.cgw, &spec, &rig.cloud), S2SVPN_OK);
    }
    rig.gateway.deadline_ns = 0;
    s2svpn_advance(rig.gateway.ctx, rig.now_ns);
    CU_ASSERT_EQUAL(rig.gateway.outside.count, 0);
    fake_store_answer_all(&store, S2SVPN_OK);
    s2svpn_advance(rig.gateway.ctx, rig.now_ns);
    CU_ASSERT_EQUAL(rig.gateway.outside.count, 2);
    store.later = false;
    rig_close(&rig);
}

/* ---- a store that refuses at once */

/* Every submit of a whole cloud is refused once: the call fails, nothing is left. */
static void refusals_at_once_leave_nothing(void)
{
    static struct fake_store store;
    const struct rig_plan plan = {.store = fake_store_ops(), .store_user = &store};
    static struct rig rig;

    for (size_t n = 1;; n++) {
        s2svpn_status rc;

        store = (struct fake_store){.refuse_at = n};
        rig_gateway(&rig, &plan);
        rc = rig_make_vpc(&rig);
        if (rc == S2SVPN_OK)
            rc = rig_make_connection(&rig);
        if (store.submits < n) {
            CU_ASSERT_EQUAL(rc, S2SVPN_OK);
            CU_ASSERT_TRUE(n > 6);
            rig_close(&rig);
            return;
        }
        CU_ASSERT_EQUAL(rc, S2SVPN_E_CONFLICT);
        CU_ASSERT_EQUAL(s2svpn_context_error(rig.gateway.ctx)->code, S2SVPN_E_CONFLICT);
        CU_ASSERT_PTR_NULL(rig.cloud);
        s2svpn_advance(rig.gateway.ctx, rig.now_ns);
        CU_ASSERT_TRUE(s2_list_empty(&rig.gateway.ctx->ghosts));
        rig_close(&rig);
    }
}

static void a_store_that_is_gone_fails_the_call(void)
{
    static struct fake_store store;
    const struct rig_plan plan = {.store = fake_store_ops(), .store_user = &store};
    static struct rig rig;

    store = (struct fake_store){.refusal = S2SVPN_E_STORE};
    rig_gateway(&rig, &plan);
    rig_check_error(rig.gateway.ctx, new_customer(rig.gateway.ctx, &rig.cgw), S2SVPN_E_STORE, "",
                    "no store");
    CU_ASSERT_PTR_NULL(rig.cgw);
    rig_close(&rig);
}

/* Port numbers are few: those of refused ports come back. */
static void refused_ports_give_their_numbers_back(void)
{
    static struct fake_store store;
    const struct rig_plan plan = {.store = fake_store_ops(), .store_user = &store};
    s2svpn_port_spec spec = S2SVPN_PORT_INIT;
    s2svpn_port *port = NULL;
    static struct rig rig;

    store = (struct fake_store){0};
    rig_gateway(&rig, &plan);
    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    spec.subnet = rig.subnet;
    spec.address = rig_address("10.0.1.20");
    store.answer = S2SVPN_E_CONFLICT;
    for (size_t i = 0; i < 500; i++)
        CU_ASSERT_EQUAL(s2svpn_port_new(rig.gateway.ctx, &spec, &port), S2SVPN_E_CONFLICT);
    CU_ASSERT_TRUE(rig.gateway.ctx->ports.used < 100);
    store.answer = S2SVPN_OK;
    CU_ASSERT_EQUAL(s2svpn_port_new(rig.gateway.ctx, &spec, &port), S2SVPN_OK);
    CU_ASSERT_TRUE(s2svpn_port_number(port) < 100);
    s2svpn_port_release(port);
    rig_close(&rig);
}

/* ---- records */

struct expected {
    const char *id, *text;
    uint64_t revision;
    bool seen;
};
struct expectation {
    struct expected *rows;
    size_t count, records;
};

static bool look_up(void *arg, const s2svpn_record *r)
{
    struct expectation *e = arg;

    e->records++;
    for (size_t i = 0; i < e->count; i++) {
        struct expected *row = &e->rows[i];

        if (strcmp(row->id, r->id.text) != 0)
            continue;
        row->seen = true;
        CHECK_ROW(row->id, r->len == strlen(row->text));
        CHECK_ROW(row->id, memcmp(r->data, row->text, r->len) == 0);
        CHECK_ROW(row->id, r->revision == row->revision);
    }
    return true;
}

static void records_say_what_the_objects_are(void)
{
    s2svpn_memory_store *store = NULL;
    struct rig_plan plan = {.store = s2svpn_memory_store_ops()};
    static struct rig rig;
    char vpc[256], subnet[128], port[128], table[128], vgw[128], conn[512];
    s2svpn_vpc_cidr block = {0};
    s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;
    s2svpn_customer_gateway_spec customer = S2SVPN_CUSTOMER_GATEWAY_INIT;

    CU_ASSERT_EQUAL_FATAL(s2svpn_memory_store_new(NULL, &store), S2SVPN_OK);
    plan.store_user = store;
    rig_gateway(&rig, &plan);
    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    customer.address = "203.0.113.7";
    customer.device_name = "Office 7, rack 2";
    CU_ASSERT_EQUAL(s2svpn_customer_gateway_new(rig.gateway.ctx, &customer, &rig.cgw), S2SVPN_OK);
    spec.static_routes_only = true;
    for (size_t i = 0; i < 2; i++) {
        spec.tunnel[i].pre_shared_key = i ? "key.of.the.second" : "key.of.the.first";
        spec.tunnel[i].inside_cidr = rig_prefix(i ? "169.254.20.0/30" : "169.254.10.0/30");
        spec.tunnel[i].phase1_lifetime_s = 7200;
    }
    CU_ASSERT_EQUAL(s2svpn_connection_new(rig.vgw, rig.cgw, &spec, &rig.cloud), S2SVPN_OK);
    s2svpn_vpc_list_cidrs(rig.vpc, &block, 1);
    s2_print(vpc, sizeof(vpc), "cidr 10.0.0.0/16\nassociation %s\nmain %s\n",
             block.association.text, id_of(rig.table).text);
    s2_print(subnet, sizeof(subnet), "cidr 10.0.1.0/24\nvpc %s\n", id_of(rig.vpc).text);
    s2_print(port, sizeof(port), "address 10.0.1.10\nsubnet %s\n", id_of(rig.subnet).text);
    s2_print(table, sizeof(table), "vpc %s\n", id_of(rig.vpc).text);
    s2_print(vgw, sizeof(vgw), "amazon_asn 64512\nvpc %s\n", id_of(rig.vpc).text);
    s2_print(conn, sizeof(conn),
             "customer_gateway %s\nvirtual_gateway %s\nstatic_routes_only 1\n"
             "tunnel 0\noutside_address 198.51.100.1\ninside_cidr 169.254.10.0/30\n"
             "pre_shared_key key.of.the.first\nphase1_lifetime_s 7200\nphase2_lifetime_s 3600\n"
             "tunnel 1\noutside_address 198.51.100.2\ninside_cidr 169.254.20.0/30\n"
             "pre_shared_key key.of.the.second\nphase1_lifetime_s 7200\nphase2_lifetime_s 3600\n",
             id_of(rig.cgw).text, id_of(rig.vgw).text);
    struct expected rows[] = {
        {id_of(rig.vpc).text, vpc, 1, false},
        {id_of(rig.subnet).text, subnet, 1, false},
        {id_of(rig.gateway.port).text, port, 1, false},
        {id_of(rig.table).text, table, 1, false},
        {id_of(rig.vgw).text, vgw, 2, false}, /* made, attached */
        {id_of(rig.cgw).text, "bgp_asn 65000\naddress 203.0.113.7\ndevice_name Office 7, rack 2\n",
         1, false},
        {id_of(rig.cloud).text, conn, 1, false},
    };
    const s2svpn_id ids[] = {id_of(rig.vpc),   id_of(rig.subnet), id_of(rig.gateway.port),
                             id_of(rig.table), id_of(rig.vgw),    id_of(rig.cgw),
                             id_of(rig.cloud)};
    struct expectation e = {rows, sizeof(rows) / sizeof(rows[0]), 0};

    for (size_t i = 0; i < e.count; i++)
        rows[i].id = ids[i].text;
    CU_ASSERT_EQUAL(plan.store->load(store, look_up, &e), S2SVPN_OK);
    CU_ASSERT_EQUAL(e.records, e.count);
    for (size_t i = 0; i < e.count; i++)
        CHECK_ROW(rows[i].id, rows[i].seen);

    /* And when everything is deleted, nothing is left. */
    CU_ASSERT_EQUAL(s2svpn_connection_delete(rig.cloud), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_customer_gateway_delete(rig.cgw), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(rig.vgw), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_virtual_gateway_delete(rig.vgw), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_port_delete(rig.gateway.port), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_subnet_delete(rig.subnet), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_vpc_delete(rig.vpc), S2SVPN_OK);
    e = (struct expectation){NULL, 0, 0};
    CU_ASSERT_EQUAL(plan.store->load(store, look_up, &e), S2SVPN_OK);
    CU_ASSERT_EQUAL(e.records, 0);
    rig_close(&rig);
    s2svpn_memory_store_free(store);
}

static void names_cannot_forge_lines_of_records(void)
{
    s2svpn_customer_gateway_spec spec = S2SVPN_CUSTOMER_GATEWAY_INIT;
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, NULL);
    char long_name[258];

    memset(long_name, 'n', sizeof(long_name));
    long_name[256] = 0;
    spec.address = "203.0.113.7";
    spec.device_name = "router\npre_shared_key 12345678";
    rig_check_error(ctx, s2svpn_customer_gateway_new(ctx, &spec, &rig.cgw), S2SVPN_E_ARGUMENT,
                    "device_name", "two lines");
    spec.device_name = long_name;
    rig_check_error(ctx, s2svpn_customer_gateway_new(ctx, &spec, &rig.cgw), S2SVPN_E_ARGUMENT,
                    "device_name", "256 bytes");
    long_name[255] = 0;
    CU_ASSERT_EQUAL(s2svpn_customer_gateway_new(ctx, &spec, &rig.cgw), S2SVPN_OK);
    rig_close(&rig);
}

const CU_TestInfo s2_test_object_store[] = {
    {"objects are pending until the store answers", objects_are_pending_until_the_store_answers},
    {"refusals that come later are told by events", refusals_that_come_later_are_told_by_events},
    {"an object released before the answer is freed once",
     an_object_released_before_the_answer_is_freed_once},
    {"an object has one change under way", an_object_has_one_change_under_way},
    {"two gateways do not get one VPC", two_gateways_do_not_get_one_vpc},
    {"pending parents bear no children", pending_parents_bear_no_children},
    {"answers out of order wake no dead", answers_out_of_order_wake_no_dead},
    {"pending answers are cancelled with the context",
     pending_answers_are_cancelled_with_the_context},
    {"a connection starts when the store has it", a_connection_starts_when_the_store_has_it},
    {"refusals at once leave nothing", refusals_at_once_leave_nothing},
    {"a store that is gone fails the call", a_store_that_is_gone_fails_the_call},
    {"refused ports give their numbers back", refused_ports_give_their_numbers_back},
    {"records say what the objects are", records_say_what_the_objects_are},
    {"names cannot forge lines of records", names_cannot_forge_lines_of_records},
    CU_TEST_INFO_NULL,
};
