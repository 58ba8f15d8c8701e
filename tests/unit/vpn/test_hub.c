/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/hub.c: what BGP says of one site, told to the others. The rig's device is one
 * site; the other one is a connection without a device, whose routes the test sets. */
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

static const struct rig_plan bgp = {0};
static const uint32_t plain[] = {65010}, changed[] = {65011}, two[] = {65010, 65020},
                      looped[] = {65010, 65000};

struct hub {
    struct rig rig;
    s2svpn_customer_gateway *cgw;
    s2svpn_connection *other;
};

static bool open(struct hub *h)
{
    s2svpn_customer_gateway_spec cgw = S2SVPN_CUSTOMER_GATEWAY_INIT;

    memset(h, 0, sizeof(*h));
    if (!rig_up(&h->rig, &bgp))
        return false;
    cgw.address = "203.0.113.8";
    cgw.bgp_asn = 65010;
    CU_ASSERT_EQUAL(s2svpn_customer_gateway_new(h->rig.gateway.ctx, &cgw, &h->cgw), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_connection_new(h->rig.vgw, h->cgw, NULL, &h->other), S2SVPN_OK);
    return h->other != NULL;
}

static void close(struct hub *h)
{
    s2svpn_connection_release(h->other);
    s2svpn_customer_gateway_release(h->cgw);
    rig_close(&h->rig);
}

/* As if the tunnel's peer had announced it. */
static s2svpn_status announce(struct hub *h, s2svpn_tunnel *t, const char *prefix, uint8_t kind,
                              const uint32_t *as_path, size_t as_count)
{
    const struct s2_bgp_attributes a = {.as_count = (uint16_t)as_count, .as_path = as_path};
    const s2svpn_prefix p = rig_prefix(prefix);
    s2svpn_context *ctx = h->rig.gateway.ctx;
    struct s2_router *r = &h->rig.vgw->router;
    struct s2_rib_path path = {.source = t,
                               .kind = kind,
                               .usable = true,
                               .local_pref = 100,
                               .as_path_len = (uint16_t)as_count};
    bool fresh;
    s2svpn_status rc;

    s2_enter(ctx, 0);
    rc = s2_hub_attributes(r, &p, t, &a, &path.attributes, &fresh);
    if (rc == S2SVPN_OK)
        rc = s2_rib_set(r->rib, &p, &path, ctx->now_ns);
    if (rc != S2SVPN_OK && fresh)
        s2_free(&ctx->env, path.attributes);
    s2_leave(ctx);
    return rc;
}

static void announce_by_other(struct hub *h, const char *prefix, const uint32_t *as_path,
                              size_t as_count)
{
    CU_ASSERT_EQUAL(announce(h, &h->other->tunnel[0], prefix, S2_ROUTE_BGP, as_path, as_count),
                    S2SVPN_OK);
    rig_run(&h->rig, 2 * RIG_SECOND);
}

static void withdraw_by_other(struct hub *h, const char *prefix)
{
    const s2svpn_prefix p = rig_prefix(prefix);
    s2svpn_context *ctx = h->rig.gateway.ctx;

    s2_enter(ctx, 0);
    s2_rib_unset(h->rig.vgw->router.rib, &p, &h->other->tunnel[0], ctx->now_ns);
    s2_leave(ctx);
    rig_run(&h->rig, 3 * RIG_SECOND);
}

struct known {
    s2svpn_prefix prefix;
    bool found;
    uint16_t as_count;
    uint32_t as_path[8], med;
};

static bool look(void *arg, const s2svpn_prefix *prefix, const struct s2_bgp_attributes *a)
{
    struct known *k = arg;

    if (!s2_prefix_equal(prefix, &k->prefix))
        return true;
    k->found = true;
    k->as_count = a->as_count;
    k->med = a->med;
    for (size_t i = 0; i < a->as_count && i < 8; i++)
        k->as_path[i] = a->as_path[i];
    return false;
}

/* What the device was told over this tunnel. */
static struct known known(const struct hub *h, size_t tunnel, const char *prefix)
{
    struct known k = {.prefix = rig_prefix(prefix)};

    s2_bgp_each_route(h->rig.site->tunnel[tunnel].bgp, look, &k);
    return k;
}

/* Its path is ours and then these; count 0: it isn't known. On both tunnels. */
static void check_known(const struct hub *h, const char *prefix, const uint32_t *as_path,
                        size_t as_count)
{
    for (size_t i = 0; i < 2; i++) {
        const struct known k = known(h, i, prefix);

        CU_ASSERT_EQUAL(k.found, as_count > 0);
        if (!k.found || as_count == 0)
            continue;
        CU_ASSERT_EQUAL(k.as_count, as_count + 1);
        CU_ASSERT_EQUAL(k.as_path[0], 64512);
        CU_ASSERT_EQUAL(memcmp(k.as_path + 1, as_path, as_count * sizeof(as_path[0])), 0);
        CU_ASSERT_EQUAL(k.med, i == 0 ? 100 : 200); /* the first tunnel is preferred */
    }
}

static void a_route_is_told_with_its_path_behind_ours_and_taken_back(void)
{
    static struct hub h;

    if (open(&h)) {
        announce_by_other(&h, "172.16.0.0/16", two, 2);
        check_known(&h, "172.16.0.0/16", two, 2);
        withdraw_by_other(&h, "172.16.0.0/16");
        check_known(&h, "172.16.0.0/16", NULL, 0);
    }
    close(&h);
}

static void a_path_that_changes_alone_is_told_again(void)
{
    static struct hub h;

    if (open(&h)) {
        announce_by_other(&h, "172.16.0.0/16", plain, 1);
        check_known(&h, "172.16.0.0/16", plain, 1);
        announce_by_other(&h, "172.16.0.0/16", changed, 1);
        check_known(&h, "172.16.0.0/16", changed, 1);
    }
    close(&h);
}

static void it_is_not_told_while_its_tunnel_is_down(void)
{
    static struct hub h;

    if (open(&h)) {
        s2svpn_context *ctx = h.rig.gateway.ctx;

        announce_by_other(&h, "172.16.0.0/16", plain, 1);
        for (unsigned i = 0; i < 2; i++) {
            s2_enter(ctx, 0);
            s2_rib_set_usable(h.rig.vgw->router.rib, &h.other->tunnel[0], i == 1, ctx->now_ns);
            s2_leave(ctx);
            rig_run(&h.rig, 2 * RIG_SECOND);
            check_known(&h, "172.16.0.0/16", plain, i);
        }
    }
    close(&h);
}

static bool other_is_told(const struct hub *h, const char *prefix)
{
    const s2svpn_prefix p = rig_prefix(prefix);

    return h->other->told && s2_fib_get(h->other->told, &p) != 0;
}

static void it_does_not_go_back_to_its_own_connection(void)
{
    static struct hub h;

    if (open(&h)) {
        s2_router_advertise_all(&h.rig.vgw->router, &h.other->tunnel[0]); /* as at its UP */
        check_known(&h, "192.168.0.0/16", NULL, 0);
        CU_ASSERT_EQUAL(rig_tunnel(h.rig.site, 0).accepted_routes, 1); /* the VPC */
        CU_ASSERT_TRUE(other_is_told(&h, "192.168.0.0/16"));
        /* The other site has it as well, and is worse: still not. */
        announce_by_other(&h, "192.168.0.0/16", two, 2);
        check_known(&h, "192.168.0.0/16", NULL, 0);
        /* Ours goes: the other's is told at once, and no longer to itself. */
        CU_ASSERT_EQUAL(s2svpn_port_delete(h.rig.device.port), S2SVPN_OK);
        rig_run(&h.rig, 5 * RIG_SECOND);
        check_known(&h, "192.168.0.0/16", two, 2);
        CU_ASSERT_FALSE(other_is_told(&h, "192.168.0.0/16"));
    }
    close(&h);
}

static void a_device_refuses_its_own_as_in_the_path(void)
{
    static struct hub h;

    if (open(&h)) {
        announce_by_other(&h, "172.16.0.0/16", looped, 2);
        check_known(&h, "172.16.0.0/16", NULL, 0);
        CU_ASSERT_TRUE(rig_both_up(&h.rig)); /* and it costs no session */
    }
    close(&h);
}

static void a_static_route_is_not_told_and_hides_what_was(void)
{
    static struct hub h;

    if (open(&h)) {
        announce_by_other(&h, "172.16.0.0/16", plain, 1);
        CU_ASSERT_EQUAL(
            announce(&h, &h.other->tunnel[1], "172.16.0.0/16", S2_ROUTE_STATIC, NULL, 0),
            S2SVPN_OK);
        rig_run(&h.rig, 2 * RIG_SECOND);
        check_known(&h, "172.16.0.0/16", NULL, 0);
    }
    close(&h);
}

/* Local wins; when the VPC goes, the site's takes its place and is told. */
static void the_vpcs_prefix_is_told_in_place_of_a_sites(void)
{
    static struct hub h;

    if (open(&h)) {
        announce_by_other(&h, "10.0.0.0/16", plain, 1);
        CU_ASSERT_EQUAL(known(&h, 0, "10.0.0.0/16").as_count, 1);
        CU_ASSERT_EQUAL(s2svpn_virtual_gateway_detach(h.rig.vgw), S2SVPN_OK);
        rig_run(&h.rig, 2 * RIG_SECOND);
        check_known(&h, "10.0.0.0/16", plain, 1);
        CU_ASSERT_EQUAL(s2svpn_virtual_gateway_attach(h.rig.vgw, h.rig.vpc), S2SVPN_OK);
        rig_run(&h.rig, 2 * RIG_SECOND);
        CU_ASSERT_EQUAL(known(&h, 0, "10.0.0.0/16").as_count, 1);
    }
    close(&h);
}

static void a_session_that_comes_later_is_told_everything(void)
{
    static struct hub h;

    if (open(&h)) {
        announce_by_other(&h, "172.16.0.0/16", plain, 1);
        CU_ASSERT_EQUAL(s2svpn_connection_stop(h.rig.site), S2SVPN_OK);
        rig_run(&h.rig, 5 * RIG_SECOND);
        announce_by_other(&h, "172.17.0.0/16", two, 2);
        CU_ASSERT_EQUAL(s2svpn_connection_start(h.rig.site), S2SVPN_OK);
        rig_run(&h.rig, 60 * RIG_SECOND);
        check_known(&h, "172.16.0.0/16", plain, 1);
        check_known(&h, "172.17.0.0/16", two, 2);
    }
    close(&h);
}

static void a_deleted_connection_takes_its_routes_along(void)
{
    static struct hub h;

    if (open(&h)) {
        announce_by_other(&h, "172.16.0.0/16", plain, 1);
        CU_ASSERT_EQUAL(s2svpn_connection_delete(h.other), S2SVPN_OK);
        rig_run(&h.rig, 2 * RIG_SECOND);
        check_known(&h, "172.16.0.0/16", NULL, 0);
    }
    close(&h);
}

static void a_device_is_told_no_more_than_it_may_take(void)
{
    static struct hub h;
    char text[32];

    if (open(&h)) {
        for (unsigned i = 0; i < S2_HUB_PREFIXES_MAX + 20; i++) {
            snprintf(text, sizeof(text), "172.%u.%u.0/24", 16 + i / 256, i % 256);
            CU_ASSERT_EQUAL(announce(&h, &h.other->tunnel[0], text, S2_ROUTE_BGP, plain, 1),
                            S2SVPN_OK);
        }
        rig_run(&h.rig, 5 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&h.rig));
        CU_ASSERT_EQUAL(rig_tunnel(h.rig.site, 0).accepted_routes, S2_HUB_PREFIXES_MAX + 1);
        check_known(&h, text, NULL, 0);
        for (unsigned i = 0; i < 15; i++) { /* room for others */
            snprintf(text, sizeof(text), "172.16.%u.0/24", i);
            withdraw_by_other(&h, text);
        }
        CU_ASSERT_EQUAL(rig_tunnel(h.rig.site, 0).accepted_routes, S2_HUB_PREFIXES_MAX + 1);
        for (unsigned i = 15; i < 40; i++) {
            snprintf(text, sizeof(text), "172.16.%u.0/24", i);
            withdraw_by_other(&h, text);
        }
        CU_ASSERT_EQUAL(rig_tunnel(h.rig.site, 0).accepted_routes, S2_HUB_PREFIXES_MAX + 1 - 20);
    }
    close(&h);
}

static void a_full_route_table_takes_what_waits_when_others_go(void)
{
    enum { ROUTES = 1120, TABLE = 1100, OTHERS = 2 /* local, and the device's */ };
    static struct hub h;
    char text[32];

    if (open(&h)) {
        for (unsigned i = 0; i < ROUTES; i++) {
            snprintf(text, sizeof(text), "172.%u.%u.0/24", 16 + i / 256, i % 256);
            CU_ASSERT_EQUAL(announce(&h, &h.other->tunnel[0], text, S2_ROUTE_BGP, plain, 1),
                            S2SVPN_OK);
        }
        CU_ASSERT_EQUAL(s2svpn_route_table_list(h.rig.table, NULL, 0), TABLE);
        for (unsigned i = 0; i < 40; i++) {
            snprintf(text, sizeof(text), "172.16.%u.0/24", i);
            withdraw_by_other(&h, text);
            CU_ASSERT_EQUAL(s2svpn_route_table_list(h.rig.table, NULL, 0),
                            i < 22 ? TABLE : ROUTES + OTHERS - 1 - i);
        }
    }
    close(&h);
}

/* A path that ours would make too long stays where it is, and nothing is tried for ever. */
static void a_path_too_long_to_prolong_is_not_told(void)
{
    static uint32_t path[S2_BGP_AS_PATH_MAX];
    static struct hub h;

    for (size_t i = 0; i < S2_BGP_AS_PATH_MAX; i++)
        path[i] = 65010;
    if (open(&h)) {
        announce_by_other(&h, "172.16.0.0/16", path, S2_BGP_AS_PATH_MAX);
        check_known(&h, "172.16.0.0/16", NULL, 0);
        CU_ASSERT_FALSE(h.rig.vgw->router.repair.armed);
        announce_by_other(&h, "172.16.0.0/16", path, 3);
        check_known(&h, "172.16.0.0/16", path, 3);
    }
    close(&h);
}

static void memory_that_was_missing_is_made_good(void)
{
    static struct hub h;

    if (open(&h)) {
        struct rig_heap *heap = &h.rig.gateway.heap;
        char text[32];

        for (unsigned n = 1; n < 30; n++) {
            snprintf(text, sizeof(text), "172.%u.0.0/16", n);
            heap->failed = false;
            heap->fail_at = heap->allocations + n;
            if (announce(&h, &h.other->tunnel[0], text, S2_ROUTE_BGP, plain, 1) != S2SVPN_OK) {
                heap->fail_at = 0;
                rig_run(&h.rig, 3 * RIG_SECOND);
                check_known(&h, text, NULL, 0);
                continue;
            }
            heap->fail_at = 0;
            rig_run(&h.rig, 3 * RIG_SECOND);
            check_known(&h, text, plain, 1);
        }
    }
    close(&h);
}

/* From the device by a route that leads to the device: dropped, not sent to and fro. */
static void a_packet_does_not_go_back_to_its_site(void)
{
    const struct packet_spec spec = {
        .from = "192.168.10.20", .to = "172.16.0.1", .protocol = 17, .payload = 20};
    static uint8_t p[PACKET_ROOM];
    static struct hub h;

    if (open(&h)) {
        s2svpn_context *ctx = h.rig.gateway.ctx;
        const size_t len = packet_write(p, &spec);

        announce_by_other(&h, "172.16.0.0/16", plain, 1);
        CU_ASSERT_EQUAL(
            announce(&h, &h.rig.cloud->tunnel[1], "172.16.0.0/24", S2_ROUTE_BGP, changed, 1),
            S2SVPN_OK);
        const uint64_t before = s2svpn_context_drops(ctx, S2SVPN_DROP_NO_ROUTE);
        rig_send(&h.rig.device, p, len);
        rig_run(&h.rig, RIG_SECOND);
        CU_ASSERT_EQUAL(s2svpn_context_drops(ctx, S2SVPN_DROP_NO_ROUTE), before + 1);
        CU_ASSERT_EQUAL(s2svpn_context_drops(h.rig.device.ctx, S2SVPN_DROP_TTL), 0);
        rig_drop_all(&h.rig.device.inside); /* unreachable */
    }
    close(&h);
}

/* A block that another site's route names, too: the VPC's word counts, and with it gone
 * the site's again. */
static void a_block_of_the_vpc_goes_before_a_sites_route(void)
{
    const s2svpn_prefix block = rig_prefix("10.7.0.0/24");
    static struct hub h;

    if (open(&h)) {
        CU_ASSERT_EQUAL(s2svpn_route_table_disable_propagation(h.rig.table, h.rig.vgw), S2SVPN_OK);
        announce_by_other(&h, "10.7.0.0/24", plain, 1);
        check_known(&h, "10.7.0.0/24", plain, 1);
        CU_ASSERT_EQUAL(s2svpn_vpc_add_cidr(h.rig.vpc, &block, NULL), S2SVPN_OK);
        rig_run(&h.rig, 3 * RIG_SECOND);
        for (size_t i = 0; i < 2; i++) {
            CU_ASSERT_TRUE(known(&h, i, "10.7.0.0/24").found);
            CU_ASSERT_EQUAL(known(&h, i, "10.7.0.0/24").as_count, 1); /* ours alone */
        }
        CU_ASSERT_EQUAL(s2svpn_vpc_remove_cidr(h.rig.vpc, &block), S2SVPN_OK);
        rig_run(&h.rig, 3 * RIG_SECOND);
        check_known(&h, "10.7.0.0/24", plain, 1);
    }
    close(&h);
}

const CU_TestInfo s2_test_hub[] = {
    {"a block of the VPC goes before a site's route", a_block_of_the_vpc_goes_before_a_sites_route},
    {"a route is told with its path behind ours, and taken back",
     a_route_is_told_with_its_path_behind_ours_and_taken_back},
    {"a path that changes alone is told again", a_path_that_changes_alone_is_told_again},
    {"it is not told while its tunnel is down", it_is_not_told_while_its_tunnel_is_down},
    {"it does not go back to its own connection", it_does_not_go_back_to_its_own_connection},
    {"a device refuses its own AS in the path", a_device_refuses_its_own_as_in_the_path},
    {"a static route is not told, and hides what was",
     a_static_route_is_not_told_and_hides_what_was},
    {"the VPC's prefix is told in place of a site's", the_vpcs_prefix_is_told_in_place_of_a_sites},
    {"a session that comes later is told everything",
     a_session_that_comes_later_is_told_everything},
    {"a deleted connection takes its routes along", a_deleted_connection_takes_its_routes_along},
    {"a device is told no more than it may take", a_device_is_told_no_more_than_it_may_take},
    {"a full route table takes what waits when others go",
     a_full_route_table_takes_what_waits_when_others_go},
    {"a path too long to prolong is not told", a_path_too_long_to_prolong_is_not_told},
    {"memory that was missing is made good", memory_that_was_missing_is_made_good},
    {"a packet does not go back to its site", a_packet_does_not_go_back_to_its_site},
    CU_TEST_INFO_NULL,
};
