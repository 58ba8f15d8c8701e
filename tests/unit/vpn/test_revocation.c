/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/peer_certificate.c and certificates.c: certificates and lists replaced while tunnels
 * are up. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "vpn/certified.h"
#include "vpn/vpn.h"

static struct certified c;

static void newer_lists_close_whom_they_name(void)
{
    static const bool deferred[] = {false, true};

    for (size_t i = 0; i < 2; i++) {
        certified_init(&c);
        if (certified_up(&c)) {
            c.rig.gateway.deferred = deferred[i];
            CU_ASSERT_EQUAL(certified_set(&c.rig.gateway, c.pki.crls_device_revoked), S2SVPN_OK);
            rig_run(&c.rig, RIG_SECOND);
            for (size_t k = 0; k < 2; k++) {
                const s2svpn_tunnel_info t = rig_tunnel(c.rig.cloud, k);

                CU_ASSERT_FALSE(t.up);
                CU_ASSERT_TRUE(rig_reason_says(&t, "has been revoked"));
                CU_ASSERT_EQUAL(t.peer_subject[0], 0);
            }
            CU_ASSERT_TRUE(rig_event_says(&c.rig.gateway, S2SVPN_EVENT_NOTE,
                                          "certificate has been revoked: CN=device.example"));
            rig_run(&c.rig, 100 * RIG_SECOND);
            CU_ASSERT_FALSE(rig_tunnel(c.rig.cloud, 0).up);
            /* taken off the list again */
            CU_ASSERT_EQUAL(certified_set(&c.rig.gateway, c.pki.crls), S2SVPN_OK);
            CU_ASSERT_TRUE(certified_wait_up(&c));
        }
        certified_close(&c);
    }
}

static void newer_lists_leave_the_others_alone(void)
{
    certified_init(&c);
    if (certified_up(&c)) {
        const size_t events = c.rig.device.events + c.rig.gateway.events;

        CU_ASSERT_EQUAL(certified_set(&c.rig.gateway, c.pki.crls), S2SVPN_OK);
        /* the device's own is named, which isn't its peer's */
        CU_ASSERT_EQUAL(certified_set(&c.rig.device, c.pki.crls_device_revoked), S2SVPN_OK);
        rig_run(&c.rig, 5 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&c.rig));
        CU_ASSERT_EQUAL(c.rig.device.events + c.rig.gateway.events, events);
        CU_ASSERT_TRUE(certified_crosses(&c));
    }
    certified_close(&c);
}

/* A look that is under way as the tunnel ends, and as the context does. */
static void a_look_that_is_under_way_is_forgotten(void)
{
    certified_init(&c);
    if (certified_up(&c)) {
        c.rig.gateway.deferred = true;
        CU_ASSERT_EQUAL(certified_set(&c.rig.gateway, c.pki.crls_device_revoked), S2SVPN_OK);
        s2svpn_advance(c.rig.gateway.ctx, c.rig.now_ns);
        CU_ASSERT_EQUAL(c.rig.gateway.jobs, 1);
        CU_ASSERT_EQUAL(s2svpn_tunnel_reset(s2svpn_connection_tunnel(c.rig.cloud, 0)), S2SVPN_OK);
        CU_ASSERT_EQUAL(certified_set(&c.rig.gateway, c.pki.crls), S2SVPN_OK);
        s2svpn_advance(c.rig.gateway.ctx, c.rig.now_ns);
    }
    certified_close(&c); /* looks that nothing is left over */
}

static void renewed_certificates_come_without_an_outage(void)
{
    struct s2_pki_holder *renewed;
    struct s2_pki_spec spec = {.subject = "CN=device.example/O=Example",
                               .to_s = S2_PKI_NOW + 700 * S2_PKI_DAY};

    certified_init(&c);
    renewed = s2_pki_new(&spec, c.pki.authority);
    if (certified_up(&c)) {
        CU_ASSERT_EQUAL(certified_set_holder(&c.rig.device, renewed, NULL), S2SVPN_OK);
        rig_run(&c.rig, 5 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&c.rig));
        CU_ASSERT_TRUE(certified_crosses(&c));
        CU_ASSERT_EQUAL(rig_tunnel(c.rig.cloud, 0).peer_not_after_s,
                        (uint64_t)(S2_PKI_NOW + 365 * S2_PKI_DAY));
        CU_ASSERT_EQUAL(s2svpn_tunnel_reset(s2svpn_connection_tunnel(c.rig.site, 0)), S2SVPN_OK);
        CU_ASSERT_TRUE(certified_wait_up(&c));
        CU_ASSERT_EQUAL(rig_tunnel(c.rig.cloud, 0).peer_not_after_s,
                        (uint64_t)(S2_PKI_NOW + 700 * S2_PKI_DAY));
    }
    s2_pki_free(renewed);
    certified_close(&c);
}

/* Accepted by the lists that were in force, and by the time it is known no longer. */
static void one_that_was_checked_by_older_lists_is_looked_at_again(void)
{
    certified_init(&c);
    if (certified_up(&c)) {
        s2svpn_tunnel *t = s2svpn_connection_tunnel(c.rig.cloud, 0);
        const s2svpn_span chain[] = {s2_pki_der(c.pki.device), s2_pki_der(c.pki.authority)};
        const s2svpn_verify verify = {.size = sizeof(verify),
                                      .trust = &verify, /* none that there is any more */
                                      .chain = chain,
                                      .chain_count = 2,
                                      .id = s2_pki_subject(c.pki.device),
                                      .id_type = S2_IKE_ID_DER_ASN1_DN};

        CU_ASSERT_EQUAL(certified_set(&c.rig.gateway, c.pki.crls_device_revoked), S2SVPN_OK);
        rig_run(&c.rig, RIG_SECOND);
        const size_t notes = rig_count_events(&c.rig.gateway, S2SVPN_EVENT_NOTE);
        s2_peer_certificate_keep(t, &verify);
        rig_run(&c.rig, RIG_SECOND / 10);
        CU_ASSERT_TRUE(rig_count_events(&c.rig.gateway, S2SVPN_EVENT_NOTE) > notes);
        CU_ASSERT_PTR_NULL(t->peer_certificate);
    }
    certified_close(&c);
}

/* The handshake under way keeps those that it began with. */
static void a_handshake_under_way_keeps_its_own(void)
{
    certified_init(&c);
    if (rig_open(&c.rig, &c.plan) == S2SVPN_OK) {
        c.rig.device.deferred = c.rig.gateway.deferred = true;
        CU_ASSERT_EQUAL(s2svpn_connection_start(c.rig.site), S2SVPN_OK);
        for (size_t i = 0; i < 40 && !rig_both_up(&c.rig); i++) {
            CU_ASSERT_EQUAL(certified_set(&c.rig.device, NULL), S2SVPN_OK);
            CU_ASSERT_EQUAL(certified_set(&c.rig.gateway, NULL), S2SVPN_OK);
            rig_run(&c.rig, RIG_SECOND / 100);
        }
        CU_ASSERT_TRUE(certified_wait_up(&c));
        s2svpn_advance(c.rig.gateway.ctx, c.rig.now_ns);
        CU_ASSERT_TRUE(s2_list_empty(&c.rig.gateway.ctx->certificates.replaced));
    }
    certified_close(&c);
}

static void whom_nobody_here_vouches_for_is_refused_with_words(void)
{
    static const struct {
        const char *row;
        bool impostor;
        int64_t to_s;
        const char *words;
    } rows[] = {
        {"another authority's", true, 0, "no authority that is trusted here"},
        {"expired", false, S2_PKI_NOW - 1, "has expired"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s2_pki_spec spec = {.subject = "CN=device.example/O=Example", .to_s = rows[i].to_s};
        struct s2_pki_holder *shown;

        certified_init(&c);
        shown = s2_pki_new(&spec, rows[i].impostor ? c.pki.stranger : c.pki.authority);
        if (rig_open(&c.rig, &c.plan) == S2SVPN_OK) {
            CU_ASSERT_EQUAL(certified_set_holder(&c.rig.device, shown, NULL), S2SVPN_OK);
            CU_ASSERT_EQUAL(s2svpn_connection_start(c.rig.site), S2SVPN_OK);
            rig_run(&c.rig, 10 * RIG_SECOND);

            const s2svpn_tunnel_info t = rig_tunnel(c.rig.cloud, 0);
            const s2svpn_tunnel_info u = rig_tunnel(c.rig.site, 0);
            CU_ASSERT_FALSE(t.up);
            CU_ASSERT_TRUE(rig_reason_says(&t, rows[i].words));
            CU_ASSERT_TRUE(rig_reason_says(&u, "check the pre-shared key or certificate"));
        }
        s2_pki_free(shown);
        certified_close(&c);
    }
}

const CU_TestInfo s2_test_revocation[] = {
    {"newer lists close whom they name", newer_lists_close_whom_they_name},
    {"newer lists leave the others alone", newer_lists_leave_the_others_alone},
    {"a look that is under way is forgotten", a_look_that_is_under_way_is_forgotten},
    {"renewed certificates come without an outage", renewed_certificates_come_without_an_outage},
    {"one that was checked by older lists is looked at again",
     one_that_was_checked_by_older_lists_is_looked_at_again},
    {"a handshake under way keeps its own", a_handshake_under_way_keeps_its_own},
    {"whom nobody here vouches for is refused with words",
     whom_nobody_here_vouches_for_is_refused_with_words},
    CU_TEST_INFO_NULL,
};
