/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/attempt.c, the offers: what a device proposes, and what it does when that is refused. */
#include <string.h>

#include "harness.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

#define CLASSIC                                                                                    \
    {                                                                                              \
        .phase1_encryption = S2SVPN_AES128, .phase2_encryption = S2SVPN_AES128,                    \
        .phase1_integrity = S2SVPN_SHA1, .phase2_integrity = S2SVPN_SHA1,                          \
        .phase1_dh_groups = S2SVPN_GROUP(2), .phase2_dh_groups = S2SVPN_GROUP(2)                   \
    }
#define CLASSIC_IKE "AES_CBC_128/HMAC_SHA1_96/PRF_HMAC_SHA1/MODP_1024"
#define STRONG_IKE "AES_CBC_128/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048"
#define CLASSIC_ESP "AES_CBC_128/HMAC_SHA1_96"
#define STRONG_ESP "AES_CBC_128/HMAC_SHA2_256_128"

static const struct offer_row {
    const char *name;
    s2svpn_tunnel_options gateway; /* what it allows; the document names the lowest */
    uint8_t offers;
    const char *ike, *esp; /* NULL: it doesn't come up */
} offer_rows[] = {
    {"auto, all allowed", {0}, S2SVPN_OFFERS_AUTO, STRONG_IKE, STRONG_ESP},
    {"auto, only the document's", CLASSIC, S2SVPN_OFFERS_AUTO, CLASSIC_IKE, CLASSIC_ESP},
    {"auto, phase 1 is the document's",
     {.phase1_integrity = S2SVPN_SHA1, .phase1_dh_groups = S2SVPN_GROUP(2)},
     S2SVPN_OFFERS_AUTO,
     CLASSIC_IKE,
     CLASSIC_ESP},
    {"auto, phase 2 is the document's",
     {.phase2_integrity = S2SVPN_SHA1, .phase2_encryption = S2SVPN_AES128},
     S2SVPN_OFFERS_AUTO,
     CLASSIC_IKE,
     CLASSIC_ESP},
    {"exact, all allowed", {0}, S2SVPN_OFFERS_EXACT, CLASSIC_IKE, CLASSIC_ESP},
    {"minimum, all allowed", {0}, S2SVPN_OFFERS_MINIMUM, CLASSIC_IKE, CLASSIC_ESP},
    {"minimum, only the document's", CLASSIC, S2SVPN_OFFERS_MINIMUM, CLASSIC_IKE, CLASSIC_ESP},
};

static void what_is_offered_follows_the_choice(void)
{
    for (size_t i = 0; i < sizeof(offer_rows) / sizeof(offer_rows[0]); i++) {
        const struct offer_row *row = &offer_rows[i];
        const struct rig_plan plan = {.tunnel = row->gateway, .offers = row->offers};
        static struct rig rig;
        s2svpn_tunnel_info info;

        CHECK_ROW(row->name, rig_open(&rig, &plan) == S2SVPN_OK);
        CHECK_ROW(row->name, s2svpn_connection_start(rig.site) == S2SVPN_OK);
        rig_run(&rig, 5 * RIG_SECOND); /* no long back-off between the two offers */
        CHECK_ROW(row->name, rig_both_up(&rig));
        info = rig_tunnel(rig.cloud, 0);
        CHECK_ROW(row->name, strcmp(info.ike_algorithms, row->ike) == 0);
        CHECK_ROW(row->name, strcmp(info.esp_algorithms, row->esp) == 0);
        rig_close(&rig);
    }
}

/* Who named strong algorithms gets no weaker ones by asking for the minimum. */
static void the_minimum_is_the_documents_and_above(void)
{
    const struct rig_plan plan = {.offers = S2SVPN_OFFERS_MINIMUM,
                                  .tunnel = {.phase1_encryption = S2SVPN_AES256,
                                             .phase1_integrity = S2SVPN_SHA2_384,
                                             .phase1_dh_groups = S2SVPN_GROUP(16)}};
    static struct rig rig;
    s2svpn_tunnel_options o;

    CU_ASSERT_EQUAL(rig_open(&rig, &plan), S2SVPN_OK);
    s2svpn_tunnel_get_options(s2svpn_connection_tunnel(rig.site, 0), &o);
    CU_ASSERT_EQUAL(o.phase1_encryption,
                    S2SVPN_AES256 | S2SVPN_AES128_GCM_16 | S2SVPN_AES256_GCM_16);
    CU_ASSERT_EQUAL(o.phase1_integrity, S2SVPN_SHA2_384 | S2SVPN_SHA2_512);
    CU_ASSERT_EQUAL(o.phase1_dh_groups, S2SVPN_GROUP(16) | S2SVPN_GROUP(17) | S2SVPN_GROUP(18) |
                                            S2SVPN_GROUP(19) | S2SVPN_GROUP(20) | S2SVPN_GROUP(21));
    CU_ASSERT_TRUE(o.phase2_integrity & S2SVPN_SHA1);
    CU_ASSERT_EQUAL(o.phase2_dh_groups & S2SVPN_GROUP(5), 0);
    rig_close(&rig);
}

static void a_second_offer_is_a_warning_and_remembered(void)
{
    const struct rig_plan plan = {.tunnel = CLASSIC};
    static struct rig rig;

    if (rig_up(&rig, &plan)) {
        const size_t notes = rig_count_events(&rig.device, S2SVPN_EVENT_NOTE);

        CU_ASSERT_TRUE(
            rig_event_says(&rig.device, S2SVPN_EVENT_NOTE, "refused all strong algorithms"));
        CU_ASSERT_TRUE(rig_event_says(&rig.device, S2SVPN_EVENT_NOTE, "SHA1 SHA2-256"));
        CU_ASSERT_TRUE(rig_event_says(&rig.device, S2SVPN_EVENT_TUNNEL, "no common proposal"));
        CU_ASSERT_EQUAL(s2svpn_tunnel_reset(s2svpn_connection_tunnel(rig.site, 0)), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_tunnel_reset(s2svpn_connection_tunnel(rig.site, 1)), S2SVPN_OK);
        rig_run(&rig, 20 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        /* Both went straight to it: nobody was asked for anything else. */
        for (size_t i = notes; i < rig_count_events(&rig.device, S2SVPN_EVENT_NOTE); i++)
            CU_ASSERT_FALSE(
                i + 1 == rig_count_events(&rig.device, S2SVPN_EVENT_NOTE) &&
                strstr(rig_last_event(&rig.device, S2SVPN_EVENT_NOTE)->text, "refused all strong"));
    }
    rig_close(&rig);
}

/* The group of phase 2 is heard of in the first rekey alone. */
static void a_rekey_that_is_refused_for_its_group_offers_more(void)
{
    const struct rig_plan plan = {.static_routes = true,
                                  .tunnel = {.phase2_dh_groups = S2SVPN_GROUP(2)}};
    static struct rig rig;

    if (rig_up(&rig, &plan)) {
        CU_ASSERT_STRING_EQUAL(rig_tunnel(rig.site, 0).esp_algorithms, STRONG_ESP);
        CU_ASSERT_EQUAL(s2svpn_tunnel_rekey(s2svpn_connection_tunnel(rig.site, 0)), S2SVPN_OK);
        rig_run(&rig, 30 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        CU_ASSERT_EQUAL(rig_tunnel(rig.site, 0).rekeys, 1);
        CU_ASSERT_PTR_NOT_NULL(strstr(rig_tunnel(rig.site, 0).esp_algorithms, "MODP_1024"));
        CU_ASSERT_TRUE(
            rig_event_says(&rig.device, S2SVPN_EVENT_NOTE, "refused all strong algorithms"));
    }
    rig_close(&rig);
}

static void an_end_without_any_common_proposal_says_what_was_offered(void)
{
    static const struct {
        const char *name;
        s2svpn_tunnel_options gateway;
        const char *words;
    } rows[] = {
        {"IKE",
         {.phase1_encryption = S2SVPN_AES256},
         "no common proposal for IKE; offered: AES128, SHA1, groups 2"},
        {"ESP",
         {.phase2_integrity = S2SVPN_SHA2_512, .phase2_encryption = S2SVPN_AES256},
         "no common proposal for ESP; offered: AES128, SHA1, groups 2"},
    };
    const struct rig_plan plan = {0};
    static struct rig rig;

    for (size_t i = 0; i < 2; i++) {
        s2svpn_device_options options = S2SVPN_DEVICE_OPTIONS_INIT;
        s2svpn_device_config *config = NULL;
        s2svpn_tunnel_info info;
        s2svpn_text xml = {0};

        rig_init(&rig, &plan);
        CU_ASSERT_EQUAL_FATAL(rig_make_gateway(&rig), S2SVPN_OK);
        CU_ASSERT_EQUAL_FATAL(rig_make_device(&rig), S2SVPN_OK);
        CU_ASSERT_EQUAL_FATAL(rig_make_vpc(&rig), S2SVPN_OK);
        CU_ASSERT_EQUAL_FATAL(rig_make_connection(&rig), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_connection_device_config(rig.cloud, &xml), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_config_read(xml.data, xml.len, &config, NULL), S2SVPN_OK);
        s2svpn_text_free(&xml);
        options.offers = S2SVPN_OFFERS_EXACT;
        CU_ASSERT_EQUAL(s2svpn_device_open(rig.device.ctx, config, &options, &rig.site), S2SVPN_OK);
        s2svpn_config_free(config);
        for (size_t t = 0; t < 2; t++) { /* what it allows now isn't what its document says */
            s2svpn_tunnel *tunnel = s2svpn_connection_tunnel(rig.cloud, t);

            if (rows[i].gateway.phase1_encryption)
                tunnel->options.phase1_encryption = rows[i].gateway.phase1_encryption;
            if (rows[i].gateway.phase2_encryption)
                tunnel->options.phase2_encryption = rows[i].gateway.phase2_encryption;
            if (rows[i].gateway.phase2_integrity)
                tunnel->options.phase2_integrity = rows[i].gateway.phase2_integrity;
            s2_tunnel_configure(tunnel);
        }
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
        rig_run(&rig, 3 * RIG_SECOND);
        info = rig_tunnel(rig.site, 0);
        CHECK_ROW(rows[i].name, !info.up && rig_reason_says(&info, rows[i].words));
        rig_close(&rig);
    }
}

/* The engine's word for a group that we left out counts as a refusal too. */
static void a_peer_that_wants_a_group_left_out_gets_the_second_offer(void)
{
    static struct rig rig;
    const struct rig_plan plan = {0};
    char words[128];

    CU_ASSERT_EQUAL(rig_open(&rig, &plan), S2SVPN_OK);
    s2svpn_tunnel *t = s2svpn_connection_tunnel(rig.site, 0);
    CU_ASSERT_EQUAL(
        s2_attempt_ended(t, S2_IKE_REASON_INVALID_KE, "it wants group 2", words, sizeof(words)),
        S2_VERDICT_NOW);
    CU_ASSERT_PTR_NOT_NULL(strstr(words, "it wants group 2"));
    CU_ASSERT_TRUE(t->options.phase1_dh_groups & S2SVPN_GROUP(2));
    CU_ASSERT_EQUAL(s2_attempt_ended(t, S2_IKE_REASON_INVALID_KE, "", words, sizeof(words)),
                    S2_VERDICT_LATER);
    rig_close(&rig);
}

static void offers_are_printed_in_awss_words(void)
{
    static const struct {
        uint32_t encryption, integrity, groups;
        const char *text;
    } rows[] = {
        {1, 1, S2SVPN_GROUP(2), "AES128, SHA1, groups 2"},
        {15, 15, S2SVPN_GROUP(2) | S2SVPN_GROUP(14) | S2SVPN_GROUP(15) | S2SVPN_GROUP(16),
         "AES128 AES256 AES128-GCM-16 AES256-GCM-16, SHA1 SHA2-256 SHA2-384 SHA2-512, groups 2 "
         "14-16"},
        {4, 0, S2SVPN_GROUP(19) | S2SVPN_GROUP(20), "AES128-GCM-16, groups 19 20"},
    };
    char text[160];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct s2_offer offer = {.encryption = {rows[i].encryption, 0},
                                       .integrity = {rows[i].integrity, 0},
                                       .dh_groups = {rows[i].groups, 0}};

        s2_offer_print(&offer, 1, text, sizeof(text));
        CHECK_ROW(rows[i].text, strcmp(text, rows[i].text) == 0);
        for (size_t size = 1; size < 40; size++) { /* a short room cuts, and ends */
            s2_offer_print(&offer, 1, text, size);
            CHECK_ROW(rows[i].text, strlen(text) < size);
        }
    }
}

const CU_TestInfo s2_test_offers[] = {
    {"what is offered follows the choice", what_is_offered_follows_the_choice},
    {"the minimum is the document's and above", the_minimum_is_the_documents_and_above},
    {"a second offer is a warning, and remembered", a_second_offer_is_a_warning_and_remembered},
    {"a rekey that is refused for its group offers more",
     a_rekey_that_is_refused_for_its_group_offers_more},
    {"an end without any common proposal says what was offered",
     an_end_without_any_common_proposal_says_what_was_offered},
    {"a peer that wants a group left out gets the second offer",
     a_peer_that_wants_a_group_left_out_gets_the_second_offer},
    {"offers are printed in AWS's words", offers_are_printed_in_awss_words},
    CU_TEST_INFO_NULL,
};
