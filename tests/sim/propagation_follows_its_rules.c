/* SPDX-License-Identifier: Apache-2.0 */
/* By dice: networks are offered and withdrawn over BGP and by static routes, two sites and
 * more offer the same, tunnels are cut and mended, connections stopped, started, deleted and
 * made, propagation is enabled and disabled in four route tables of two VPCs, the gateway
 * attached to one or the other and detached, routes made by hand, instances taken away.
 * After each, when it has settled, every table is just what the model says, and packets to
 * an address of every prefix come where the model says, or are dropped for its reason. */
#include "campaign.h"
#include "hub.h"
#include "propagation_model.h"

#include <string.h>

#define SETTLE_NS (3 * SECOND)
#define ROUTES_MAX (2 * MODEL_PREFIXES + 1)

struct world {
    struct hub h; /* first: hub_wait hands it back */
    struct model m;
    s2svpn_sim *dice;
    struct vpc {
        s2svpn_vpc *vpc;
        s2svpn_subnet *subnet;
        s2svpn_port *instance, *appliance; /* the latter is what routes by hand lead to */
        uint32_t answered, caught;         /* bits of addresses */
        bool other;                        /* the subnet uses the second table */
    } vpc[MODEL_VPCS];
    s2svpn_route_table *table[MODEL_TABLES];
    s2svpn_port *port[MODEL_SITES][MODEL_PREFIXES]; /* behind which the offered networks are */
    bool exists[MODEL_SITES], stopped[MODEL_SITES];
    uint8_t cut[MODEL_SITES]; /* bits of tunnels */
};

static size_t roll(struct world *w, size_t below)
{
    return (size_t)campaign_roll(w->dice, 0, below - 1);
}

static s2svpn_address address_of(uint32_t a)
{
    return (s2svpn_address){
        .family = S2SVPN_FAMILY_IPV4,
        .bytes = {(uint8_t)(a >> 24), (uint8_t)(a >> 16), (uint8_t)(a >> 8), (uint8_t)a}};
}

static s2svpn_prefix prefix_of(size_t p)
{
    return (s2svpn_prefix){.address = address_of(model_prefix[p].address),
                           .length = (uint8_t)model_prefix[p].length};
}

/* ---- the scene */

static void on_inside(void *user, s2svpn_sim_node *node, s2svpn_port_id port,
                      const s2svpn_packet *p, size_t n, uint64_t now_ns)
{
    struct world *w = user;
    struct echo e;

    (void)node;
    (void)now_ns;
    for (size_t i = 0; i < n; i++) {
        if (packet_is_icmp_error(p[i].data, p[i].len) ||
            !CHECK(packet_read_echo(p[i].data, p[i].len, &e)))
            continue;
        for (size_t v = 0; v < MODEL_VPCS; v++) {
            struct vpc *of = &w->vpc[v];

            if (s2svpn_port_number(of->instance) == port && CHECK(e.type == ECHO_REPLY))
                of->answered |= 1u << e.seq;
            if (of->appliance && s2svpn_port_number(of->appliance) == port)
                of->caught |= 1u << e.seq;
        }
    }
}

static bool make_port(struct world *w, size_t vpc, uint8_t last, s2svpn_port **out)
{
    s2svpn_port_spec spec = S2SVPN_PORT_INIT;

    spec.subnet = w->vpc[vpc].subnet;
    spec.address = address_of(packet_address(10, 0, 1, last));
    spec.no_source_dest_check = last != 10;
    return CHECK(s2svpn_port_new(w->h.ctx, &spec, out) == S2SVPN_OK);
}

static bool make_vpc(struct world *w, size_t v)
{
    s2svpn_vpc_spec vpc = S2SVPN_VPC_INIT;
    s2svpn_subnet_spec subnet = S2SVPN_SUBNET_INIT;

    vpc.cidr = (s2svpn_prefix){.address = address_of(packet_address(10, 0, 0, 0)), .length = 16};
    subnet.cidr = (s2svpn_prefix){.address = address_of(packet_address(10, 0, 1, 0)), .length = 24};
    if (!CHECK(s2svpn_vpc_new(w->h.ctx, &vpc, &w->vpc[v].vpc) == S2SVPN_OK) ||
        !CHECK(s2svpn_subnet_new(w->vpc[v].vpc, &subnet, &w->vpc[v].subnet) == S2SVPN_OK))
        return false;
    w->table[2 * v] = s2svpn_vpc_main_route_table(w->vpc[v].vpc);
    return CHECK(s2svpn_route_table_new(w->vpc[v].vpc, &w->table[2 * v + 1]) == S2SVPN_OK) &&
           make_port(w, v, 10, &w->vpc[v].instance) && make_port(w, v, 20, &w->vpc[v].appliance);
}

static bool open_world(struct world *w, uint64_t seed)
{
    struct hub_plan plan = HUB_PLAN_INIT;

    memset(w, 0, sizeof(*w));
    w->m.vpc = MODEL_NOWHERE;
    if (!CHECK(s2svpn_sim_new(seed, &w->dice) == S2SVPN_OK))
        return false;
    plan.seed = seed;
    plan.sites = MODEL_SITES;
    plan.statics = roll(w, 3);
    plan.networks = 1;
    plan.no_vpc = true;
    plan.link.delay_ns = campaign_roll(w->dice, 1, 60) * MILLISECOND;
    if (!hub_open(&w->h, &plan))
        return false;
    s2svpn_sim_on_inside(w->h.node, on_inside, w);
    for (size_t v = 0; v < MODEL_VPCS; v++) {
        if (!make_vpc(w, v))
            return false;
    }
    for (size_t s = 0; s < MODEL_SITES; s++) {
        w->exists[s] = true;
        w->m.site[s].is_static = w->h.site[s].is_static;
        model_offer(&w->m, s, s, true);
    }
    return true;
}

static void close_world(struct world *w)
{
    for (size_t t = 0; t < MODEL_TABLES; t++)
        s2svpn_route_table_release(w->table[t]);
    for (size_t v = 0; v < MODEL_VPCS; v++) {
        s2svpn_port_release(w->vpc[v].instance);
        s2svpn_port_release(w->vpc[v].appliance);
        s2svpn_subnet_release(w->vpc[v].subnet);
        s2svpn_vpc_release(w->vpc[v].vpc);
    }
    for (size_t s = 0; s < MODEL_SITES; s++) {
        for (size_t p = 0; p < MODEL_PREFIXES; p++)
            s2svpn_port_release(w->port[s][p]);
    }
    hub_close(&w->h);
    s2svpn_sim_free(w->dice);
}

/* ---- what may happen */

static bool is_expected_up(const struct world *w, size_t s, size_t k)
{
    return w->exists[s] && !w->stopped[s] && !(w->cut[s] & 1 << k);
}

static bool is_settled(void *hub)
{
    const struct world *w = hub;

    for (size_t s = 0; s < MODEL_SITES; s++) {
        for (size_t k = 0; k < 2 && w->exists[s]; k++) {
            const bool up = is_expected_up(w, s, k);

            if (hub_tunnel(w->h.site[s].cloud, k).up != up ||
                hub_tunnel(w->h.site[s].site, k).up != up)
                return false;
        }
    }
    return true;
}

static bool settle(struct world *w)
{
    if (!CHECK(hub_wait(&w->h, is_settled, CAMPAIGN_BOUND_NS))) {
        hub_describe(&w->h);
        return false;
    }
    hub_run(&w->h, SETTLE_NS);
    for (size_t s = 0; s < MODEL_SITES; s++) {
        for (size_t k = 0; k < 2; k++)
            model_set_up(&w->m, s, k, is_expected_up(w, s, k));
    }
    return true;
}

/* A network behind a port of the device's, so that the site answers from it. */
static void set_port(struct world *w, size_t s, size_t p, bool on)
{
    const s2svpn_prefix prefix = prefix_of(p);
    s2svpn_port_spec spec = S2SVPN_PORT_INIT;
    s2svpn_port **port = &w->port[s][p];

    spec.prefix = &prefix;
    spec.prefix_count = 1;
    if (on && *port == NULL) {
        CHECK(s2svpn_port_new(w->h.site[s].ctx, &spec, port) == S2SVPN_OK);
    } else if (!on && *port) {
        CHECK(s2svpn_port_delete(*port) == S2SVPN_OK);
        s2svpn_port_release(*port);
        *port = NULL;
    }
}

static void flip_offer(struct world *w)
{
    const size_t s = roll(w, MODEL_SITES), p = MODEL_SITES + roll(w, MODEL_PREFIXES - MODEL_SITES);
    const s2svpn_prefix prefix = prefix_of(p);
    s2svpn_connection *conn = w->h.site[s].cloud;
    const bool on = !w->m.site[s].offers[p];

    if (w->m.site[s].is_static && !w->exists[s])
        return;
    set_port(w, s, p, on);
    if (w->m.site[s].is_static)
        CHECK((on ? s2svpn_connection_add_static_route(conn, &prefix)
                  : s2svpn_connection_remove_static_route(conn, &prefix)) == S2SVPN_OK);
    model_offer(&w->m, s, p, on);
}

static void flip_cut(struct world *w)
{
    const size_t s = roll(w, MODEL_SITES);
    const uint8_t bits = (uint8_t)(1 + roll(w, 3));

    for (size_t k = 0; k < 2; k++) {
        if (!(bits & 1 << k))
            continue;
        w->cut[s] ^= (uint8_t)(1 << k);
        hub_cut(&w->h, s, k, (w->cut[s] & 1 << k) != 0);
    }
}

static void flip_stopped(struct world *w)
{
    const size_t s = roll(w, MODEL_SITES);

    if (!w->exists[s])
        return;
    w->stopped[s] = !w->stopped[s];
    CHECK((w->stopped[s] ? s2svpn_connection_stop(w->h.site[s].site)
                         : s2svpn_connection_start(w->h.site[s].site)) == S2SVPN_OK);
}

static void flip_connection(struct world *w)
{
    const size_t s = roll(w, MODEL_SITES);

    w->exists[s] = !w->exists[s];
    if (!w->exists[s]) {
        hub_disconnect(&w->h.site[s]);
        model_delete(&w->m, s);
        return;
    }
    w->stopped[s] = false;
    if (!hub_connect(&w->h, &w->h.site[s]))
        return;
    for (size_t p = MODEL_SITES; p < MODEL_PREFIXES && w->m.site[s].is_static; p++) {
        const s2svpn_prefix prefix = prefix_of(p);

        if (w->m.site[s].offers[p])
            CHECK(s2svpn_connection_add_static_route(w->h.site[s].cloud, &prefix) == S2SVPN_OK);
    }
    model_create(&w->m, s);
}

static void check_answer(enum model_answer want, s2svpn_status got)
{
    static const s2svpn_status status[] = {
        [ANSWER_OK] = S2SVPN_OK,
        [ANSWER_STATE] = S2SVPN_E_STATE,
        [ANSWER_EXISTS] = S2SVPN_E_EXISTS,
        [ANSWER_NOT_FOUND] = S2SVPN_E_NOT_FOUND,
        [ANSWER_ARGUMENT] = S2SVPN_E_ARGUMENT,
    };
    const bool the_call_ends_as_the_model_says = got == status[want];

    CHECK(the_call_ends_as_the_model_says);
}

static void flip_attachment(struct world *w)
{
    s2svpn_virtual_gateway *vgw = w->h.gateway[0].vgw;
    const size_t v = roll(w, MODEL_VPCS);

    if (w->m.vpc == MODEL_NOWHERE) {
        CHECK(s2svpn_virtual_gateway_attach(vgw, w->vpc[v].vpc) == S2SVPN_OK);
        model_attach(&w->m, v);
    } else {
        CHECK(s2svpn_virtual_gateway_detach(vgw) == S2SVPN_OK);
        model_detach(&w->m);
    }
}

static void change_propagation(struct world *w)
{
    if (w->m.vpc == MODEL_NOWHERE && roll(w, 2)) {
        flip_attachment(w);
        return;
    }
    /* Mostly where it can be: in the attached VPC. */
    const size_t vpc = w->m.vpc != MODEL_NOWHERE && roll(w, 4) ? w->m.vpc : roll(w, MODEL_VPCS);
    const size_t t = 2 * vpc + roll(w, 2);

    if (roll(w, 3) > 0)
        check_answer(model_enable(&w->m, t),
                     s2svpn_route_table_enable_propagation(w->table[t], w->h.gateway[0].vgw));
    else
        check_answer(model_disable(&w->m, t),
                     s2svpn_route_table_disable_propagation(w->table[t], w->h.gateway[0].vgw));
}

static void change_by_hand(struct world *w)
{
    const size_t t = roll(w, MODEL_TABLES), p = roll(w, MODEL_PREFIXES);
    const s2svpn_prefix prefix = prefix_of(p);
    s2svpn_port *appliance = w->vpc[t / 2].appliance;

    if (roll(w, 3) == 0)
        check_answer(model_remove(&w->m, t, p), s2svpn_route_table_remove(w->table[t], &prefix));
    else if (appliance && roll(w, 2))
        check_answer(model_add(&w->m, t, p, MANUAL_PORT),
                     s2svpn_route_table_add(w->table[t], &prefix, NULL, appliance));
    else
        check_answer(model_add(&w->m, t, p, MANUAL_GATEWAY),
                     s2svpn_route_table_add(w->table[t], &prefix, w->h.gateway[0].vgw, NULL));
}

static void flip_appliance(struct world *w)
{
    const size_t v = roll(w, MODEL_VPCS);
    s2svpn_port **a = &w->vpc[v].appliance;

    if (*a == NULL) {
        (void)make_port(w, v, 20, a);
        return;
    }
    CHECK(s2svpn_port_delete(*a) == S2SVPN_OK);
    s2svpn_port_release(*a);
    *a = NULL;
    model_port_gone(&w->m, v);
}

static void flip_association(struct world *w)
{
    struct vpc *v = &w->vpc[roll(w, MODEL_VPCS)];
    const size_t t = 2 * (size_t)(v - w->vpc) + 1;

    v->other = !v->other;
    CHECK(s2svpn_route_table_associate(v->other ? w->table[t] : NULL, v->subnet) == S2SVPN_OK);
}

static const struct happening {
    const char *words;
    void (*happen)(struct world *w);
    unsigned weight;
} happenings[] = {
    {"a network is offered or withdrawn", flip_offer, 8},
    {"tunnels are cut or mended", flip_cut, 3},
    {"a connection is stopped or started", flip_stopped, 3},
    {"a connection is deleted or made", flip_connection, 2},
    {"propagation is enabled or disabled", change_propagation, 5},
    {"the gateway is attached or detached", flip_attachment, 2},
    {"a route is made or removed by hand", change_by_hand, 5},
    {"an instance that routes is taken away or made", flip_appliance, 1},
    {"the subnet gets another table", flip_association, 2},
};
#define HAPPENINGS (sizeof(happenings) / sizeof(happenings[0]))

static const char *happen(struct world *w)
{
    size_t at, all = 0, i = 0;

    for (i = 0; i < HAPPENINGS; i++)
        all += happenings[i].weight;
    at = roll(w, all);
    for (i = 0; at >= happenings[i].weight; i++)
        at -= happenings[i].weight;
    happenings[i].happen(w);
    return happenings[i].words;
}

/* ---- what must be */

static bool some_path(const struct model *m, size_t prefix)
{
    for (size_t p = 0; p < MODEL_PREFIXES; p++) {
        if (model_overlaps(p, prefix) && model_is_usable(m, p))
            return true;
    }
    return false;
}

/* The line of the list that says this, if there is one. */
static const s2svpn_route *line_of(const s2svpn_route *r, size_t n, size_t p, uint8_t origin)
{
    const s2svpn_prefix prefix = prefix_of(p);

    for (size_t i = 0; i < n; i++) {
        if (r[i].origin == origin && r[i].prefix.length == prefix.length &&
            memcmp(r[i].prefix.address.bytes, prefix.address.bytes, 4) == 0)
            return &r[i];
    }
    return NULL;
}

static bool is_as_modelled(const struct world *w, size_t table, const s2svpn_route *r, size_t n)
{
    const struct model_table *t = &w->m.table[table];
    size_t lines = 1; /* the local route */

    for (size_t p = 0; p < MODEL_PREFIXES; p++) {
        const s2svpn_route *entry = line_of(r, n, p, S2SVPN_ORIGIN_PROPAGATED);
        const s2svpn_route *manual = line_of(r, n, p, S2SVPN_ORIGIN_CREATE_ROUTE);
        const enum model_manual to = t->manual[p];

        if (t->entry[p] != (entry != NULL) || (to != MANUAL_NONE) != (manual != NULL))
            return false;
        lines += (entry != NULL) + (manual != NULL);
        if (entry && (entry->target != S2SVPN_TARGET_GATEWAY || entry->blackhole ||
                      entry->usable != model_is_usable(&w->m, p)))
            return false;
        if (manual && (manual->blackhole != (to >= MANUAL_DETACHED) ||
                       manual->usable !=
                           (to == MANUAL_PORT || (to == MANUAL_GATEWAY && some_path(&w->m, p)))))
            return false;
        if (entry && manual && manual > entry)
            return false; /* clients take the first */
    }
    return n == lines;
}

static void say_table(const struct world *w, size_t table, const s2svpn_route *r, size_t n)
{
    char text[S2SVPN_PREFIX_TEXT];

    for (size_t i = 0; i < n; i++) {
        s2svpn_prefix_print(&r[i].prefix, text);
        scene_say("table %zu: %s origin %u target %u%s%s", table, text, r[i].origin, r[i].target,
                  r[i].blackhole ? " blackhole" : "", r[i].usable ? " usable" : "");
    }
    for (size_t p = 0; p < MODEL_PREFIXES; p++) {
        s2svpn_prefix prefix = prefix_of(p);

        s2svpn_prefix_print(&prefix, text);
        scene_say("model %zu: %s entry %d manual %d usable %d", table, text,
                  w->m.table[table].entry[p], (int)w->m.table[table].manual[p],
                  model_is_usable(&w->m, p));
    }
}

static bool check_table(const struct world *w, size_t t)
{
    s2svpn_route r[ROUTES_MAX], taken;
    const size_t n = s2svpn_route_table_list(w->table[t], r, ROUTES_MAX);
    const bool the_table_is_what_the_model_says = n <= ROUTES_MAX && is_as_modelled(w, t, r, n);

    if (!CHECK(the_table_is_what_the_model_says)) {
        say_table(w, t, r, n);
        return false;
    }
    for (size_t a = 0; a < MODEL_ADDRESSES; a++) {
        const s2svpn_address address = address_of(model_address[a]);
        const s2svpn_status rc = s2svpn_route_table_lookup(w->table[t], &address, &taken);
        bool manual = false;
        size_t p = 0;

        if (model_is_local(a)) {
            CHECK(rc == S2SVPN_OK && taken.target == S2SVPN_TARGET_LOCAL);
        } else if (!model_lookup(&w->m, t, a, &p, &manual)) {
            CHECK(rc == S2SVPN_E_NOT_FOUND);
        } else {
            CHECK(rc == S2SVPN_OK && taken.prefix.length == model_prefix[p].length &&
                  manual == (taken.origin == S2SVPN_ORIGIN_CREATE_ROUTE));
        }
    }
    return true;
}

/* One packet to each address from each VPC: where it comes, and why it doesn't. */
static void check_packets(struct world *w)
{
    static const enum s2svpn_drop reason[] = {S2SVPN_DROP_NO_ROUTE, S2SVPN_DROP_NO_PATH,
                                              S2SVPN_DROP_BLACKHOLE};
    uint64_t before[3], want[3] = {0};

    for (size_t i = 0; i < 3; i++)
        before[i] = s2svpn_context_drops(w->h.ctx, reason[i]);
    for (size_t v = 0; v < MODEL_VPCS; v++) {
        w->vpc[v].answered = w->vpc[v].caught = 0;
        for (size_t a = 0; a < MODEL_ADDRESSES; a++) {
            w->h.gateway[0].instance = w->vpc[v].instance;
            hub_echo(&w->h, 0, NULL, packet_address(10, 0, 1, 10), model_address[a], (uint16_t)a);
        }
    }
    w->h.gateway[0].instance = NULL;
    hub_run(&w->h, SECOND);
    for (size_t v = 0; v < MODEL_VPCS; v++) {
        uint32_t answered = 0, caught = 0;

        for (size_t a = 0; a < MODEL_ADDRESSES; a++) {
            const enum model_way way = model_way(&w->m, 2 * v + w->vpc[v].other, a);

            answered |= (uint32_t)(way == WAY_SITE) << a;
            caught |= (uint32_t)(way == WAY_PORT) << a;
            want[0] += way == WAY_NO_ROUTE;
            want[1] += way == WAY_NO_PATH;
            want[2] += way == WAY_BLACKHOLE || way == WAY_LOCAL; /* nobody has the address */
        }
        CHECK(w->vpc[v].answered == answered);
        CHECK(w->vpc[v].caught == caught);
        if (w->vpc[v].answered != answered || w->vpc[v].caught != caught)
            scene_say("vpc %zu: answered %x, want %x; caught %x, want %x", v, w->vpc[v].answered,
                      answered, w->vpc[v].caught, caught);
    }
    for (size_t i = 0; i < 3; i++) {
        const bool dropped_for_the_reason_that_the_model_says =
            s2svpn_context_drops(w->h.ctx, reason[i]) - before[i] == want[i];

        if (!CHECK(dropped_for_the_reason_that_the_model_says))
            scene_say("%s: %u, want %u", s2svpn_drop_name(reason[i]),
                      (unsigned)(s2svpn_context_drops(w->h.ctx, reason[i]) - before[i]),
                      (unsigned)want[i]);
    }
}

static bool check_all(struct world *w)
{
    bool good = true;

    for (size_t t = 0; t < MODEL_TABLES; t++)
        good = check_table(w, t) && good;
    if (good)
        check_packets(w);
    return good;
}

static void play(uint64_t seed)
{
    static struct world w;
    size_t left;

    if (open_world(&w, seed) && settle(&w) && check_all(&w)) {
        flip_attachment(&w);
        for (left = 12 + roll(&w, 20); left > 0; left--) {
            const char *words = happen(&w);

            if (scene_is_verbose())
                scene_say("%.1f s: %s", (double)s2svpn_sim_now(w.h.sim) / 1e9, words);
            if (!settle(&w) || !check_all(&w)) {
                scene_say("after: %s", words);
                break;
            }
        }
        CHECK(hub_drops(&w.h, S2SVPN_DROP_TTL) == 0);
        CHECK(w.h.leaks == 0 && w.h.mistaken == 0);
    }
    close_world(&w);
}

int main(int argc, char **argv)
{
    const struct scene_test tests[] = {
        {"route tables are what the model says after each change", play, campaign_seeds(200)},
    };

    return scene_main(argc, argv, "sim/propagation_follows_its_rules", tests,
                      sizeof(tests) / sizeof(tests[0]));
}
