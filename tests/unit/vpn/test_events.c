/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/events.c: who is told what, when, and what may be called from there. */
#include "vpn/events.h"

#include <string.h>

#include "harness.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

static s2svpn_customer_gateway *customer(s2svpn_context *ctx)
{
    s2svpn_customer_gateway_spec spec = S2SVPN_CUSTOMER_GATEWAY_INIT;
    s2svpn_customer_gateway *cgw = NULL;

    spec.address = "203.0.113.7";
    CU_ASSERT_EQUAL(s2svpn_customer_gateway_new(ctx, &spec, &cgw), S2SVPN_OK);
    return cgw;
}

/* ---- subscriptions */

struct tally {
    unsigned count, kinds;
    uint64_t last;
    bool gap;
};

static void count(void *user, s2svpn_context *ctx, const s2svpn_event *e)
{
    struct tally *t = user;

    (void)ctx;
    t->gap |= t->count > 0 && e->sequence != t->last + 1;
    t->last = e->sequence;
    t->kinds |= e->kind;
    t->count++;
    CU_ASSERT_EQUAL(e->size, sizeof(*e));
    CU_ASSERT_PTR_NOT_NULL(e->reason);
    CU_ASSERT_TRUE(e->text && e->text[0]);
}

static void there_are_sixteen_subscriptions(void)
{
    const struct rig_plan plan = {.quiet = true};
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, &plan);
    struct tally t[17] = {{0}};
    uint32_t id[17] = {0};

    for (size_t i = 0; i < 16; i++) {
        CU_ASSERT_EQUAL(s2svpn_context_subscribe(ctx, S2SVPN_EVENT_ALL, count, &t[i], &id[i]),
                        S2SVPN_OK);
        CU_ASSERT_NOT_EQUAL(id[i], 0);
    }
    rig_check_error(ctx, s2svpn_context_subscribe(ctx, S2SVPN_EVENT_ALL, count, &t[16], &id[16]),
                    S2SVPN_E_LIMIT, "", "the seventeenth");
    s2svpn_context_unsubscribe(ctx, id[3]);
    s2svpn_context_unsubscribe(ctx, id[3]); /* twice is harmless */
    s2svpn_context_unsubscribe(ctx, 0);
    s2svpn_context_unsubscribe(ctx, 12345);
    CU_ASSERT_EQUAL(s2svpn_context_subscribe(ctx, S2SVPN_EVENT_ALL, count, &t[16], &id[16]),
                    S2SVPN_OK);
    CU_ASSERT_NOT_EQUAL(id[16], id[3]);
    s2svpn_customer_gateway_release(customer(ctx));
    for (size_t i = 0; i < 17; i++)
        CU_ASSERT_EQUAL(t[i].count, i == 3 ? 0 : 1);
    rig_check_error(ctx, s2svpn_context_subscribe(ctx, S2SVPN_EVENT_ALL, NULL, NULL, NULL),
                    S2SVPN_E_ARGUMENT, "fn", "no function");
    rig_close(&rig);
}

static void subscribers_get_the_kinds_that_they_asked_for(void)
{
    static const uint32_t kinds[] = {S2SVPN_EVENT_OBJECT, S2SVPN_EVENT_TUNNEL,
                                     S2SVPN_EVENT_BGP,    S2SVPN_EVENT_ROUTE,
                                     S2SVPN_EVENT_CHILD,  S2SVPN_EVENT_BGP | S2SVPN_EVENT_CHILD};
    static struct rig rig;
    struct tally t[6] = {{0}}, all = {0};

    if (rig_open(&rig, NULL) == S2SVPN_OK) {
        for (size_t i = 0; i < 6; i++)
            CU_ASSERT_EQUAL(s2svpn_context_subscribe(rig.gateway.ctx, kinds[i], count, &t[i], NULL),
                            S2SVPN_OK);
        CU_ASSERT_EQUAL(
            s2svpn_context_subscribe(rig.gateway.ctx, S2SVPN_EVENT_ALL, count, &all, NULL),
            S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
        rig_run(&rig, 30 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        s2svpn_customer_gateway_release(customer(rig.gateway.ctx));
        for (size_t i = 0; i < 6; i++) {
            CU_ASSERT_TRUE(t[i].count > 0);
            CU_ASSERT_EQUAL(t[i].kinds, kinds[i]);
        }
        CU_ASSERT_FALSE(all.gap); /* the sequence has no gaps */
        CU_ASSERT_EQUAL(t[5].count, t[2].count + t[4].count);
    }
    rig_close(&rig);
}

static s2svpn_event seen;
static s2svpn_connection *seen_connection;

static void look(void *user, s2svpn_context *ctx, const s2svpn_event *e)
{
    (void)user;
    (void)ctx;
    seen = *e;
    seen_connection = e->connection;
}

static void an_event_names_its_object(void)
{
    static struct rig rig;

    if (rig_open(&rig, NULL) == S2SVPN_OK) {
        s2svpn_customer_gateway *cgw;

        CU_ASSERT_EQUAL(
            s2svpn_context_subscribe(rig.gateway.ctx, S2SVPN_EVENT_OBJECT, look, NULL, NULL),
            S2SVPN_OK);
        CU_ASSERT_EQUAL(
            s2svpn_context_subscribe(rig.gateway.ctx, S2SVPN_EVENT_TUNNEL, look, NULL, NULL),
            S2SVPN_OK);
        cgw = customer(rig.gateway.ctx);
        CU_ASSERT_EQUAL(seen.kind, S2SVPN_EVENT_OBJECT);
        CU_ASSERT_EQUAL(seen.object_kind, S2SVPN_KIND_CUSTOMER_GATEWAY);
        CU_ASSERT_STRING_EQUAL(seen.id.text, cgw->object.id.text);
        CU_ASSERT_EQUAL(seen.tunnel, UINT32_MAX);
        CU_ASSERT_TRUE(seen.up);
        CU_ASSERT_PTR_NULL(seen_connection);
        s2svpn_customer_gateway_release(cgw);
        CU_ASSERT_EQUAL(s2svpn_connection_stop(rig.cloud), S2SVPN_OK);
        CU_ASSERT_EQUAL(seen.kind, S2SVPN_EVENT_TUNNEL);
        CU_ASSERT_PTR_EQUAL(seen_connection, rig.cloud);
        CU_ASSERT_EQUAL(seen.tunnel, 1);
        CU_ASSERT_FALSE(seen.up);
    }
    rig_close(&rig);
}

/* ---- calls from inside */

/* Makes another object for each one that it hears of, so many times. */
struct maker {
    unsigned left, made, told;
    s2svpn_customer_gateway *cgw[8];
};

static void make_more(void *user, s2svpn_context *ctx, const s2svpn_event *e)
{
    struct maker *m = user;

    (void)e;
    m->told++;
    if (m->left > 0) {
        m->left--;
        m->cgw[m->made++] = customer(ctx);
    }
}

static void objects_can_be_made_in_an_event(void)
{
    const struct rig_plan plan = {.quiet = true};
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, &plan);
    struct maker m = {.left = 5};
    uint32_t id;

    CU_ASSERT_EQUAL(s2svpn_context_subscribe(ctx, S2SVPN_EVENT_OBJECT, make_more, &m, &id),
                    S2SVPN_OK);
    s2svpn_customer_gateway_release(customer(ctx));
    CU_ASSERT_EQUAL(m.told, 6); /* within the one call */
    CU_ASSERT_EQUAL(m.made, 5);
    s2svpn_context_unsubscribe(ctx, id);
    for (size_t i = 0; i < 5; i++)
        s2svpn_customer_gateway_release(m.cgw[i]);
    rig_close(&rig);
}

static void delete_it(void *user, s2svpn_context *ctx, const s2svpn_event *e)
{
    s2svpn_customer_gateway *cgw = NULL, **kept = user;
    s2svpn_customer_gateway_info info = {.size = sizeof(info)};

    if (e->object_kind != S2SVPN_KIND_CUSTOMER_GATEWAY || !e->up)
        return;
    CU_ASSERT_EQUAL(s2svpn_customer_gateway_hold(ctx, e->id.text, &cgw), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_customer_gateway_delete(cgw), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_customer_gateway_hold(ctx, e->id.text, kept), S2SVPN_E_NOT_FOUND);
    s2svpn_customer_gateway_get_info(cgw, &info);
    CU_ASSERT_EQUAL(info.state, S2SVPN_STATE_DELETED);
    s2svpn_customer_gateway_release(cgw);
}

/* The object of the event itself: unlinked at once, freed after the outermost call. */
static void objects_can_be_deleted_in_their_own_event(void)
{
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, NULL);
    s2svpn_customer_gateway *kept = NULL, *cgw;
    s2svpn_customer_gateway_info info = {.size = sizeof(info)};

    CU_ASSERT_EQUAL(s2svpn_context_subscribe(ctx, S2SVPN_EVENT_OBJECT, delete_it, &kept, NULL),
                    S2SVPN_OK);
    cgw = customer(ctx);
    s2svpn_customer_gateway_get_info(cgw, &info); /* our handle keeps it readable */
    CU_ASSERT_EQUAL(info.state, S2SVPN_STATE_DELETED);
    s2svpn_customer_gateway_release(cgw);
    s2svpn_advance(ctx, rig.now_ns);
    CU_ASSERT_TRUE(s2_list_empty(&ctx->ghosts));
    rig_close(&rig);
}

static void delete_the_connection(void *user, s2svpn_context *ctx, const s2svpn_event *e)
{
    struct rig *rig = user;

    (void)ctx;
    if (rig->cloud == NULL || !e->up)
        return;
    CU_ASSERT_EQUAL(s2svpn_connection_delete(rig->cloud), S2SVPN_OK);
    s2svpn_connection_release(rig->cloud);
    rig->cloud = NULL;
}

/* In the middle of a handshake, for each kind of event that speaks of it. */
static void a_connection_can_be_deleted_in_any_of_its_events(void)
{
    static const uint32_t kinds[] = {S2SVPN_EVENT_TUNNEL, S2SVPN_EVENT_BGP, S2SVPN_EVENT_ROUTE,
                                     S2SVPN_EVENT_CHILD};
    static struct rig rig;

    for (size_t i = 0; i < 4; i++) {
        if (rig_open(&rig, NULL) == S2SVPN_OK) {
            CU_ASSERT_EQUAL(s2svpn_context_subscribe(rig.gateway.ctx, kinds[i],
                                                     delete_the_connection, &rig, NULL),
                            S2SVPN_OK);
            CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
            rig_run(&rig, 60 * RIG_SECOND);
            CU_ASSERT_PTR_NULL(rig.cloud);
            CU_ASSERT_FALSE(rig_tunnel(rig.site, 0).up);
        }
        rig_close(&rig);
    }
}

struct leaver {
    uint32_t own, other;
    unsigned told;
};

static void leave_both(void *user, s2svpn_context *ctx, const s2svpn_event *e)
{
    struct leaver *l = user;

    (void)e;
    l->told++;
    s2svpn_context_unsubscribe(ctx, l->own);
    s2svpn_context_unsubscribe(ctx, l->other);
}

static void subscriptions_can_end_in_an_event(void)
{
    const struct rig_plan plan = {.quiet = true};
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, &plan);
    struct leaver l = {0};
    struct tally t = {0};

    CU_ASSERT_EQUAL(s2svpn_context_subscribe(ctx, S2SVPN_EVENT_ALL, leave_both, &l, &l.own),
                    S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_context_subscribe(ctx, S2SVPN_EVENT_ALL, count, &t, &l.other),
                    S2SVPN_OK);
    s2svpn_customer_gateway_release(customer(ctx));
    s2svpn_customer_gateway_release(customer(ctx));
    CU_ASSERT_EQUAL(l.told, 1);
    CU_ASSERT_EQUAL(t.count, 0);
    rig_close(&rig);
}

/* ---- too many */

struct storm {
    bool done;
    unsigned notes, objects;
    char text[192];
};

static void storm(void *user, s2svpn_context *ctx, const s2svpn_event *e)
{
    struct storm *s = user;

    s->objects += e->kind == S2SVPN_EVENT_OBJECT;
    if (e->kind == S2SVPN_EVENT_NOTE) {
        s->notes++;
        s2_copy_text(s->text, sizeof(s->text), e->text);
    }
    if (s->done)
        return;
    s->done = true; /* thousands wait while this one is told */
    for (size_t i = 0; i < 5000; i++)
        s2svpn_customer_gateway_release(customer(ctx));
}

static void events_beyond_the_bound_are_counted_in_a_note(void)
{
    const struct rig_plan plan = {.quiet = true};
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, &plan);
    struct storm s = {0};

    CU_ASSERT_EQUAL(s2svpn_context_subscribe(ctx, S2SVPN_EVENT_ALL, storm, &s, NULL), S2SVPN_OK);
    s2svpn_customer_gateway_release(customer(ctx));
    CU_ASSERT_EQUAL(s.objects, 1 + S2_EVENTS_MAX);
    CU_ASSERT_EQUAL(s.notes, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(s.text, "904 events were lost"));
    rig_close(&rig);
}

static void without_subscribers_nothing_is_kept(void)
{
    const struct rig_plan plan = {.quiet = true};
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, &plan);

    s2svpn_customer_gateway_release(customer(ctx));
    CU_ASSERT_EQUAL(ctx->events.waiting, 0);
    CU_ASSERT_EQUAL(ctx->events.sequence, 0);
    CU_ASSERT_EQUAL(ctx->events.lost, 0);
    rig_close(&rig);
}

const CU_TestInfo s2_test_events[] = {
    {"there are sixteen subscriptions", there_are_sixteen_subscriptions},
    {"subscribers get the kinds that they asked for",
     subscribers_get_the_kinds_that_they_asked_for},
    {"an event names its object", an_event_names_its_object},
    {"objects can be made in an event", objects_can_be_made_in_an_event},
    {"objects can be deleted in their own event", objects_can_be_deleted_in_their_own_event},
    {"a connection can be deleted in any of its events",
     a_connection_can_be_deleted_in_any_of_its_events},
    {"subscriptions can end in an event", subscriptions_can_end_in_an_event},
    {"events beyond the bound are counted in a note",
     events_beyond_the_bound_are_counted_in_a_note},
    {"without subscribers nothing is kept", without_subscribers_nothing_is_kept},
    CU_TEST_INFO_NULL,
};
