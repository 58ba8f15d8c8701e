/* SPDX-License-Identifier: Apache-2.0 */
/* Peers made and freed. Their sessions: test_session.c. */
#include <string.h>

#include "world.h"

static void a_spec_that_cannot_work_is_refused_and_named(void)
{
    static const struct {
        const char *field;
        struct s2_bgp_spec change; /* members that are not 0 are taken over */
    } bad[] = {
        {"local_asn", {.local_asn = 23456}},
        {"peer_asn", {.peer_asn = 64512}},
        {"hold_time_s", {.hold_time_s = 2}},
        {"peer_address", {.peer_address = {.family = S2SVPN_FAMILY_IPV6}}},
    };
    struct s2_bgp_peer *peer;
    struct s2_bgp_spec none = world_spec(0);

    world_open_pair();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct s2_bgp_spec spec = world_spec(0);

        if (bad[i].change.local_asn != 0)
            spec.local_asn = bad[i].change.local_asn;
        if (bad[i].change.peer_asn != 0)
            spec.peer_asn = bad[i].change.peer_asn;
        if (bad[i].change.hold_time_s != 0)
            spec.hold_time_s = bad[i].change.hold_time_s;
        if (bad[i].change.peer_address.family != 0)
            spec.peer_address = bad[i].change.peer_address;
        CHECK_ROW(bad[i].field,
                  s2_bgp_peer_new(w.side[0].bgp, &spec, NULL, &peer) == S2SVPN_E_ARGUMENT);
        CHECK_ROW(bad[i].field, strcmp(w.f.error.field, bad[i].field) == 0 && peer == NULL);
    }
    none.router_id = 0;
    CU_ASSERT_EQUAL(s2_bgp_peer_new(w.side[0].bgp, &none, NULL, &peer), S2SVPN_E_ARGUMENT);
    CU_ASSERT_STRING_EQUAL(w.f.error.field, "router_id");
    none = world_spec(0);
    none.ipv4 = none.ipv6 = false;
    CU_ASSERT_EQUAL(s2_bgp_peer_new(w.side[0].bgp, &none, NULL, &peer), S2SVPN_E_ARGUMENT);
    world_close();
}

static void freeing_a_peer_is_silent(void)
{
    world_open_pair();
    world_advertise(1, S2SVPN_FAMILY_IPV4, 1, 1);
    world_start();
    world_run(S2_SECOND);
    const size_t reports = strlen(w.side[0].states);
    s2_bgp_peer_free(w.side[0].peer);
    CU_ASSERT(strlen(w.side[0].states) == reports && w.side[0].ended == 0);
    const struct s2_bgp_spec spec = world_spec(0);
    CU_ASSERT_EQUAL_FATAL(s2_bgp_peer_new(w.side[0].bgp, &spec, &w.side[0], &w.side[0].peer),
                          S2SVPN_OK);
    world_close();
}

/* Without randomness timers lose their jitter, and nothing else. */
static void a_session_lives_without_randomness(void)
{
    world_open_pair();
    w.f.random_fails = true;
    world_start();
    world_run(600 * S2_SECOND);
    CU_ASSERT(world_both_established() && w.side[0].established == 1);
    CU_ASSERT_EQUAL(w.least_gap_ns, 10 * S2_SECOND);
    world_close();
}

const CU_TestInfo s2_test_peer[] = {
    {"a spec that cannot work is refused and named", a_spec_that_cannot_work_is_refused_and_named},
    {"freeing a peer is silent", freeing_a_peer_is_silent},
    {"a session lives without randomness", a_session_lives_without_randomness},
    CU_TEST_INFO_NULL,
};
