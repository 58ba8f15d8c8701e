/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/roaming.c and the look-ups of ike_link.c: which tunnel a device is for that comes
 * from anywhere. */
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "vpn/certified.h"
#include "vpn/vpn.h"

static struct certified c;

/* ---- among many */

#define MANY 1500

static s2svpn_status another(unsigned number, const s2svpn_tunnel_options *o)
{
    char subject[64];
    struct s2_pki_spec spec = {.subject = subject};
    struct s2_pki_holder *holder;
    s2svpn_connection *conn;
    s2svpn_status rc;

    snprintf(subject, sizeof(subject), "CN=device-%u.example/O=Example", number);
    holder = s2_pki_new(&spec, NULL);
    rc = certified_customer(&c.rig, s2_pki_pem(holder), o, &conn);
    s2svpn_connection_release(conn);
    s2_pki_free(holder);
    return rc;
}

static size_t candidates(const char *local)
{
    const s2svpn_endpoint at = {.address = rig_address(local), .port = 500};
    const s2svpn_endpoint from = {.address = rig_address("192.0.2.77"), .port = 1000};
    const struct s2_ike_config *out[S2_IKE_CANDIDATES_MAX];

    return s2_ike_link_candidates(c.rig.gateway.ctx, &at, &from, out, S2_IKE_CANDIDATES_MAX);
}

static void the_right_one_is_found_among_many(void)
{
    s2svpn_status rc = S2SVPN_OK;

    certified_init(&c);
    if (rig_open(&c.rig, &c.plan) == S2SVPN_OK) {
        for (unsigned i = 0; rc == S2SVPN_OK && i < MANY; i++)
            rc = another(i, NULL);
        CU_ASSERT_EQUAL(rc, S2SVPN_OK);
        CU_ASSERT_EQUAL(candidates("198.51.100.1"), 1);
        CU_ASSERT_EQUAL(s2svpn_connection_start(c.rig.site), S2SVPN_OK);
        CU_ASSERT_TRUE(certified_wait_up(&c));
        CU_ASSERT_TRUE(certified_crosses(&c));
    }
    certified_close(&c);
}

/* ---- kinds of tunnels */

static s2svpn_tunnel_options kind(unsigned n)
{
    const s2svpn_tunnel_options o = {
        .phase1_encryption = S2SVPN_AES256_GCM_16,
        .phase1_integrity = S2SVPN_SHA2_384,
        .phase1_dh_groups = (n & 15) << 14,
        .phase2_lifetime_s = 1800,
    };

    return o;
}

static void each_kind_has_one_who_answers_for_all(void)
{
    certified_init(&c);
    if (rig_open(&c.rig, &c.plan) == S2SVPN_OK) {
        for (unsigned i = 1; i < 7; i++) {
            const s2svpn_tunnel_options o = kind(1 + i % 3);

            CU_ASSERT_EQUAL(another(i, &o), S2SVPN_OK);
        }
        CU_ASSERT_EQUAL(candidates("198.51.100.1"), 4); /* the rig's and three */
        CU_ASSERT_EQUAL(candidates("198.51.100.2"), 4);
        CU_ASSERT_EQUAL(candidates("198.51.100.9"), 0);
        CU_ASSERT_EQUAL(s2svpn_connection_start(c.rig.site), S2SVPN_OK);
        CU_ASSERT_TRUE(certified_wait_up(&c));
    }
    certified_close(&c);
}

static void more_kinds_than_can_answer_are_refused(void)
{
    certified_init(&c);
    if (rig_open(&c.rig, &c.plan) == S2SVPN_OK) {
        s2svpn_tunnel_options o;

        for (unsigned i = 1; i < S2_IKE_CANDIDATES_MAX - 1; i++) {
            o = kind(i);
            CU_ASSERT_EQUAL(another(i, &o), S2SVPN_OK);
        }
        CU_ASSERT_EQUAL(candidates("198.51.100.1"), S2_IKE_CANDIDATES_MAX - 1);
        o = kind(15);
        rig_check_error(c.rig.gateway.ctx, another(15, &o), S2SVPN_E_LIMIT, "outside_address",
                        "one too many");
        o = kind(3);
        CU_ASSERT_EQUAL(another(16, &o), S2SVPN_OK); /* of a kind that is there */
        /* One that changes its kind takes its place among the others. */
        o = (s2svpn_tunnel_options){0};
        s2svpn_tunnel_get_options(s2svpn_connection_tunnel(c.rig.cloud, 0), &o);
        o.phase1_encryption = S2SVPN_AES128_GCM_16;
        rig_check_error(c.rig.gateway.ctx,
                        s2svpn_tunnel_modify(s2svpn_connection_tunnel(c.rig.cloud, 0), &o),
                        S2SVPN_E_LIMIT, "options", "changed to one too many");
        const s2svpn_tunnel_options third = kind(3);
        o.phase1_encryption = third.phase1_encryption;
        o.phase1_integrity = third.phase1_integrity;
        o.phase1_dh_groups = third.phase1_dh_groups;
        CU_ASSERT_EQUAL(s2svpn_tunnel_modify(s2svpn_connection_tunnel(c.rig.cloud, 0), &o),
                        S2SVPN_OK);
        CU_ASSERT_EQUAL(candidates("198.51.100.1"), S2_IKE_CANDIDATES_MAX - 2);
    }
    certified_close(&c);
}

static void one_that_is_stopped_lets_the_next_answer(void)
{
    s2svpn_connection *conn[3] = {NULL};

    certified_init(&c);
    if (rig_open(&c.rig, &c.plan) == S2SVPN_OK) {
        CU_ASSERT_EQUAL(s2svpn_connection_stop(c.rig.cloud), S2SVPN_OK);
        CU_ASSERT_EQUAL(candidates("198.51.100.1"), 0);
        for (unsigned i = 0; i < 3; i++) {
            char subject[] = "CN=0";
            struct s2_pki_holder *h;

            subject[3] = (char)('0' + i);
            h = s2_pki_new(&(struct s2_pki_spec){.subject = subject}, NULL);
            CU_ASSERT_EQUAL(certified_customer(&c.rig, s2_pki_pem(h), NULL, &conn[i]), S2SVPN_OK);
            s2_pki_free(h);
            CU_ASSERT_EQUAL(candidates("198.51.100.1"), 1);
        }
        for (unsigned i = 0; i < 3; i++) {
            CU_ASSERT_EQUAL(s2svpn_connection_stop(conn[i]), S2SVPN_OK);
            CU_ASSERT_EQUAL(candidates("198.51.100.1"), i < 2);
        }
        CU_ASSERT_EQUAL(s2svpn_connection_start(conn[1]), S2SVPN_OK);
        CU_ASSERT_EQUAL(candidates("198.51.100.1"), 1);
        CU_ASSERT_EQUAL(s2svpn_connection_delete(conn[1]), S2SVPN_OK);
        CU_ASSERT_EQUAL(candidates("198.51.100.1"), 0);
        CU_ASSERT_EQUAL(s2svpn_connection_start(c.rig.cloud), S2SVPN_OK);
        CU_ASSERT_EQUAL(candidates("198.51.100.1"), 1);
        for (unsigned i = 0; i < 3; i++)
            s2svpn_connection_release(conn[i]);
    }
    certified_close(&c);
}

/* A customer gateway with a key has the very address that the device comes from: a NAT's. */
static void a_neighbour_with_a_key_does_not_get_in_its_way(void)
{
    s2svpn_customer_gateway_spec spec = S2SVPN_CUSTOMER_GATEWAY_INIT;
    s2svpn_connection_spec neighbour = S2SVPN_CONNECTION_INIT;
    s2svpn_customer_gateway *cgw = NULL;
    s2svpn_connection *conn = NULL;

    spec.address = "203.0.113.7";
    neighbour.static_routes_only = true;
    neighbour.tunnel[0].phase1_dh_groups = neighbour.tunnel[1].phase1_dh_groups = S2SVPN_GROUP(21);
    certified_init(&c);
    if (rig_open(&c.rig, &c.plan) == S2SVPN_OK) {
        CU_ASSERT_EQUAL_FATAL(s2svpn_customer_gateway_new(c.rig.gateway.ctx, &spec, &cgw),
                              S2SVPN_OK);
        CU_ASSERT_EQUAL_FATAL(s2svpn_connection_new(c.rig.vgw, cgw, &neighbour, &conn), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_connection_start(c.rig.site), S2SVPN_OK);
        CU_ASSERT_TRUE(certified_wait_up(&c));
        CU_ASSERT_TRUE(certified_crosses(&c));
        CU_ASSERT_FALSE(rig_tunnel(conn, 0).up);
        s2svpn_connection_release(conn);
        s2svpn_customer_gateway_release(cgw);
    }
    certified_close(&c);
}

/* ---- on the way */

/* Where the device is seen now. */
static s2svpn_address seen;

static void behind_nat(struct rig *rig, s2svpn_datagram *d)
{
    if (s2_address_equal(&d->local.address, &seen)) {
        d->local.address = rig_address("203.0.113.7");
        d->local.port = (uint16_t)(d->local.port - 20000);
    } else if (d->remote.address.bytes[0] == 203) {
        d->remote.address = seen;
        d->remote.port = (uint16_t)(d->remote.port + 20000);
    }
    (void)rig;
}

static void a_device_that_moves_is_followed_and_comes_back(void)
{
    static const char *const places[] = {"192.0.2.8", "100.64.0.1", "192.0.2.8"};

    certified_init(&c);
    rig_init(&c.rig, &c.plan);
    seen = rig_address(places[0]);
    if (certified_up(&c)) {
        c.rig.translates = behind_nat;
        for (size_t i = 0; i < 3; i++) {
            seen = rig_address(places[i]);
            CU_ASSERT_EQUAL(s2svpn_tunnel_reset(s2svpn_connection_tunnel(c.rig.site, 0)),
                            S2SVPN_OK);
            CU_ASSERT_EQUAL(s2svpn_tunnel_reset(s2svpn_connection_tunnel(c.rig.site, 1)),
                            S2SVPN_OK);
            CU_ASSERT_TRUE(certified_wait_up(&c));
            CU_ASSERT_TRUE(certified_crosses(&c));

            const s2svpn_tunnel_info t = rig_tunnel(c.rig.cloud, 0);
            CU_ASSERT_TRUE(s2_address_equal(&t.remote.address, &seen));
            CU_ASSERT_TRUE(t.udp);
        }
        /* and with a child that is there */
        seen = rig_address("100.64.0.9");
        CU_ASSERT_TRUE(certified_crosses(&c));
        CU_ASSERT_TRUE(certified_crosses(&c));
        const s2svpn_tunnel_info t = rig_tunnel(c.rig.cloud, 0);
        CU_ASSERT_TRUE(s2_address_equal(&t.remote.address, &seen));
    }
    certified_close(&c);
}

static void a_device_that_starts_anew_displaces_its_own(void)
{
    certified_init(&c);
    if (certified_up(&c)) {
        /* Its context is gone without a word. */
        s2svpn_connection_release(c.rig.site);
        s2svpn_port_release(c.rig.device.port);
        c.rig.site = NULL;
        c.rig.device.port = NULL;
        s2svpn_context_free(c.rig.device.ctx);
        c.rig.device.ctx = NULL;
        rig_drop_all(&c.rig.device.outside);
        c.rig.now_ns += 5 * RIG_SECOND;
        CU_ASSERT_EQUAL_FATAL(rig_make_device(&c.rig), S2SVPN_OK);
        CU_ASSERT_EQUAL_FATAL(rig_make_site(&c.rig), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_connection_start(c.rig.site), S2SVPN_OK);
        rig_run(&c.rig, 5 * RIG_SECOND);
        CU_ASSERT_TRUE(certified_wait_up(&c));
        CU_ASSERT_TRUE(certified_crosses(&c));
    }
    certified_close(&c);
}

static void a_certificate_of_nobody_here_is_told(void)
{
    struct s2_pki_holder *other;

    certified_init(&c);
    other = s2_pki_new(&(struct s2_pki_spec){.subject = "CN=other/O=Example"}, c.pki.authority);
    if (rig_open(&c.rig, &c.plan) == S2SVPN_OK) {
        CU_ASSERT_EQUAL(certified_set_holder(&c.rig.device, other, NULL), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_connection_start(c.rig.site), S2SVPN_OK);
        rig_run(&c.rig, 10 * RIG_SECOND);
        CU_ASSERT_FALSE(rig_tunnel(c.rig.site, 0).up);
        CU_ASSERT_TRUE(rig_event_says(&c.rig.gateway, S2SVPN_EVENT_NOTE,
                                      "shows a certificate of nobody here: CN=other, O=Example"));
        CU_ASSERT_TRUE(rig_count_events(&c.rig.gateway, S2SVPN_EVENT_NOTE) < 20);
    }
    s2_pki_free(other);
    certified_close(&c);
}

/* By their ports, where several are behind one address; an error about protocol 50, or of the
 * kernel's own, names none. */
static void a_paths_mtu_finds_who_is_there_now(void)
{
    certified_init(&c);
    seen = rig_address("192.0.2.8");
    c.rig.translates = NULL;
    if (certified_up(&c)) {
        s2svpn_context *ctx = c.rig.gateway.ctx;

        c.rig.translates = behind_nat;
        CU_ASSERT_TRUE(certified_crosses(&c));
        const s2svpn_tunnel_info before = rig_tunnel(c.rig.cloud, 0);
        s2svpn_endpoint to = before.remote;

        CU_ASSERT_TRUE(s2_address_equal(&to.address, &seen));
        to.port++;
        s2svpn_receive_outside_error(ctx, &before.local, &to, S2SVPN_IO_TOO_BIG, 1300,
                                     c.rig.now_ns);
        CU_ASSERT_EQUAL(rig_tunnel(c.rig.cloud, 0).mtu, before.mtu); /* another's */
        to.port--;
        s2svpn_receive_outside_error(ctx, &before.local, &to, S2SVPN_IO_TOO_BIG, 1300,
                                     c.rig.now_ns);
        const uint16_t narrow = rig_tunnel(c.rig.cloud, 0).mtu;
        CU_ASSERT_TRUE(narrow < before.mtu && narrow > 1200);
        to.port = 0;
        s2svpn_receive_outside_error(ctx, &before.local, &to, S2SVPN_IO_TOO_BIG, 1200,
                                     c.rig.now_ns);
        CU_ASSERT_TRUE(rig_tunnel(c.rig.cloud, 0).mtu < narrow);
        s2svpn_receive_outside_error(ctx, &before.local, &before.remote, S2SVPN_IO_UNREACHABLE, 0,
                                     c.rig.now_ns);
        rig_run(&c.rig, RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&c.rig));
    }
    certified_close(&c);
}

static void what_is_swallowed_is_swallowed_wherever_it_comes_from(void)
{
    certified_init(&c);
    if (certified_up(&c)) {
        for (size_t i = 0; i < 2; i++)
            s2svpn_tunnel_set_blackhole(s2svpn_connection_tunnel(c.rig.cloud, i), true);
        rig_run(&c.rig, 600 * RIG_SECOND);
        CU_ASSERT_FALSE(rig_tunnel(c.rig.site, 0).up);
        CU_ASSERT_FALSE(rig_tunnel(c.rig.cloud, 1).up);
        for (size_t i = 0; i < 2; i++)
            s2svpn_tunnel_set_blackhole(s2svpn_connection_tunnel(c.rig.cloud, i), false);
        CU_ASSERT_TRUE(certified_wait_up(&c));
    }
    certified_close(&c);
}

/* The cloud's end can't start it, so what silence leads to elsewhere leads to waiting. */
static void a_silent_device_is_waited_for(void)
{
    certified_init(&c);
    c.plan.tunnel.dpd_action = S2SVPN_DPD_RESTART;
    if (certified_up(&c)) {
        s2svpn_tunnel_set_blackhole(s2svpn_connection_tunnel(c.rig.site, 0), true);
        s2svpn_tunnel_set_blackhole(s2svpn_connection_tunnel(c.rig.site, 1), true);
        rig_run(&c.rig, 600 * RIG_SECOND);
        const s2svpn_tunnel_info t = rig_tunnel(c.rig.cloud, 0);
        CU_ASSERT_EQUAL(t.phase, S2SVPN_TUNNEL_IDLE);
        CU_ASSERT_TRUE(rig_reason_says(&t, "may come back"));
    }
    certified_close(&c);
}

const CU_TestInfo s2_test_roaming[] = {
    {"the right one is found among many", the_right_one_is_found_among_many},
    {"each kind has one who answers for all", each_kind_has_one_who_answers_for_all},
    {"more kinds than can answer are refused", more_kinds_than_can_answer_are_refused},
    {"one that is stopped lets the next answer", one_that_is_stopped_lets_the_next_answer},
    {"a neighbour with a key does not get in its way",
     a_neighbour_with_a_key_does_not_get_in_its_way},
    {"a device that moves is followed and comes back",
     a_device_that_moves_is_followed_and_comes_back},
    {"a device that starts anew displaces its own", a_device_that_starts_anew_displaces_its_own},
    {"a certificate of nobody here is told", a_certificate_of_nobody_here_is_told},
    {"a path's MTU finds who is there now", a_paths_mtu_finds_who_is_there_now},
    {"what is swallowed is swallowed wherever it comes from",
     what_is_swallowed_is_swallowed_wherever_it_comes_from},
    {"a silent device is waited for", a_silent_device_is_waited_for},
    CU_TEST_INFO_NULL,
};
