/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/attempt.c: offers, ports, DPD's and startup's actions, lifetimes, and the words
 * for what came to nothing. */
#include <string.h>

#include "harness.h"
#include "ike/engine.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

static bool says(const s2svpn_tunnel_info *info, const char *words)
{
    if (strstr(info->reason, words))
        return true;
    printf("    the reason is \"%s\"\n", info->reason);
    return false;
}

/* ---- offers */

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
        CHECK_ROW(rows[i].name, !info.up && says(&info, rows[i].words));
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

/* ---- ports */

static uint16_t filtered;

static bool lose_port(struct rig *rig, const struct rig_side *from, const s2svpn_datagram *d)
{
    (void)rig;
    (void)from;
    return filtered == 0 || d->local.port == filtered || d->remote.port == filtered;
}

static void with_500_filtered_it_comes_up_by_4500(void)
{
    static const struct rig_plan plans[] = {{0}, {.raw = true}};
    static struct rig rig;

    for (size_t i = 0; i < 2; i++) {
        filtered = 500;
        CU_ASSERT_EQUAL(rig_open(&rig, &plans[i]), S2SVPN_OK);
        rig.loses = lose_port;
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
        rig_run(&rig, 12 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        CU_ASSERT_TRUE(rig_tunnel(rig.site, 0).udp); /* protocol 50 hasn't a chance there */
        CU_ASSERT_TRUE(rig_event_says(&rig.device, S2SVPN_EVENT_TUNNEL,
                                      "no answer from the peer at 198.51.100.1:500, UDP; next at "
                                      "port 4500"));
        /* It is remembered: after a reset it is back at once. */
        CU_ASSERT_EQUAL(s2svpn_tunnel_reset(s2svpn_connection_tunnel(rig.site, 0)), S2SVPN_OK);
        rig_run(&rig, 5 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_tunnel(rig.site, 0).spi_in != 0);
        rig_run(&rig, 10 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        rig_close(&rig);
    }
}

/* Who took to 4500 in a bad moment isn't bound to it. */
static void both_ports_are_tried_in_turns(void)
{
    static struct rig rig;
    const struct rig_plan plan = {.raw = true};

    filtered = 0;
    CU_ASSERT_EQUAL(rig_open(&rig, &plan), S2SVPN_OK);
    rig.loses = lose_port;
    CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
    rig_run(&rig, 60 * RIG_SECOND);
    CU_ASSERT_TRUE(rig_event_says(&rig.device, S2SVPN_EVENT_TUNNEL, "next at port 4500"));
    rig_run(&rig, 60 * RIG_SECOND);
    CU_ASSERT_TRUE(rig_event_says(&rig.device, S2SVPN_EVENT_TUNNEL,
                                  "no answer from the peer at 198.51.100.1:4500, UDP; next at "
                                  "port 500"));
    filtered = 4500;
    rig_run(&rig, 200 * RIG_SECOND);
    CU_ASSERT_TRUE(rig_both_up(&rig));
    CU_ASSERT_FALSE(rig_tunnel(rig.site, 0).udp);
    rig_close(&rig);
}

/* ---- DPD's actions, startup's actions */

static bool lose_all(struct rig *rig, const struct rig_side *from, const s2svpn_datagram *d)
{
    (void)rig;
    (void)from;
    (void)d;
    return true;
}

/* The gateway's action, with a device that starts nothing; or the device's, with a gateway
 * that starts nothing. */
static const struct dpd_row {
    const char *name;
    uint8_t action;
    bool device;
    bool stays, returns; /* the SA outlives the silence; the tunnel is tried again */
} dpd_rows[] = {
    {"gateway, clear", S2SVPN_DPD_CLEAR, false, false, false},
    {"gateway, restart", S2SVPN_DPD_RESTART, false, false, true},
    {"gateway, none", S2SVPN_DPD_NONE, false, true, true},
    {"device, clear", S2SVPN_DPD_CLEAR, true, false, false},
    {"device, restart", S2SVPN_DPD_RESTART, true, false, true},
    {"device, none", S2SVPN_DPD_NONE, true, true, true},
};

static void play_dpd(const struct dpd_row *row)
{
    s2svpn_device_options options = S2SVPN_DEVICE_OPTIONS_INIT;
    const struct rig_plan plan = {
        .static_routes = true,
        .device_options = &options,
        .tunnel = {.dpd_action = row->device ? (uint8_t)S2SVPN_DPD_NONE : row->action,
                   .startup_action =
                       row->device ? (uint8_t)S2SVPN_STARTUP_ADD : (uint8_t)S2SVPN_STARTUP_START}};
    static struct rig rig;

    options.dpd_action = (row->device ? row->action : S2SVPN_DPD_NONE) + 1;
    options.startup_action = (row->device ? S2SVPN_STARTUP_START : S2SVPN_STARTUP_ADD) + 1;
    CHECK_ROW(row->name, rig_open(&rig, &plan) == S2SVPN_OK);
    s2svpn_connection *who = row->device ? rig.site : rig.cloud;
    CHECK_ROW(row->name, s2svpn_connection_start(rig.site) == S2SVPN_OK);
    rig_run(&rig, 30 * RIG_SECOND);
    CHECK_ROW(row->name, rig_both_up(&rig));
    CHECK_ROW(row->name, rig_tunnel(who, 0).initiator);
    const uint32_t spi = rig_tunnel(who, 0).spi_in;
    rig.loses = lose_all;
    rig_run(&rig, 120 * RIG_SECOND);
    const s2svpn_tunnel_info silent = rig_tunnel(who, 0);
    CHECK_ROW(row->name, silent.up == row->stays);
    if (!row->stays)
        CHECK_ROW(row->name, says(&silent, row->returns ? "no answer from the peer" : "liveness"));
    if (!row->stays && !row->returns)
        CHECK_ROW(row->name, silent.phase == S2SVPN_TUNNEL_IDLE);
    rig.loses = NULL;
    rig_run(&rig, 300 * RIG_SECOND);
    CHECK_ROW(row->name, rig_tunnel(who, 0).up == row->returns);
    CHECK_ROW(row->name, (rig_tunnel(who, 0).spi_in == spi) == row->stays);
    if (!row->returns) { /* the host can always start it */
        CHECK_ROW(row->name, s2svpn_connection_start(who) == S2SVPN_OK);
        rig_run(&rig, 30 * RIG_SECOND);
        CHECK_ROW(row->name, rig_tunnel(who, 0).up);
    }
    rig_close(&rig);
}

static void dpds_actions_do_what_they_say_on_both_sides(void)
{
    for (size_t i = 0; i < sizeof(dpd_rows) / sizeof(dpd_rows[0]); i++)
        play_dpd(&dpd_rows[i]);
}

/* Restart is for the end that usually only answers, too. */
static void a_gateway_that_only_answers_restarts_after_dpd(void)
{
    s2svpn_device_options options = S2SVPN_DEVICE_OPTIONS_INIT;
    const struct rig_plan plan = {.static_routes = true,
                                  .device_options = &options,
                                  .tunnel = {.dpd_action = S2SVPN_DPD_RESTART}};
    static struct rig rig;

    options.dpd_action = S2SVPN_DPD_CLEAR + 1;
    if (rig_up(&rig, &plan)) {
        CU_ASSERT_TRUE(rig_tunnel(rig.site, 0).initiator);
        rig.loses = lose_all;
        rig_run(&rig, 120 * RIG_SECOND);
        CU_ASSERT_EQUAL(rig_tunnel(rig.site, 0).phase, S2SVPN_TUNNEL_IDLE);
        rig.loses = NULL;
        rig_run(&rig, 200 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        CU_ASSERT_TRUE(rig_tunnel(rig.cloud, 0).initiator);
        /* Once it is up, all is as before: it answers only. */
        CU_ASSERT_EQUAL(s2svpn_tunnel_reset(s2svpn_connection_tunnel(rig.cloud, 0)), S2SVPN_OK);
        CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 0).phase, S2SVPN_TUNNEL_IDLE);
    }
    rig_close(&rig);
}

static void a_device_that_only_answers_waits_for_the_gateway(void)
{
    s2svpn_device_options options = S2SVPN_DEVICE_OPTIONS_INIT;
    const struct rig_plan plan = {.device_options = &options};
    static struct rig rig;

    options.startup_action = S2SVPN_STARTUP_ADD + 1;
    CU_ASSERT_EQUAL(rig_open(&rig, &plan), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
    rig_run(&rig, 100 * RIG_SECOND);
    CU_ASSERT_EQUAL(rig_tunnel(rig.site, 0).phase, S2SVPN_TUNNEL_IDLE);
    CU_ASSERT_EQUAL(s2svpn_connection_start(rig.cloud), S2SVPN_OK);
    rig_run(&rig, 30 * RIG_SECOND);
    CU_ASSERT_TRUE(rig_both_up(&rig));
    CU_ASSERT_TRUE(rig_tunnel(rig.cloud, 0).initiator);
    CU_ASSERT_EQUAL(s2svpn_connection_stop(rig.site), S2SVPN_OK);
    rig_run(&rig, RIG_SECOND);
    CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
    rig_run(&rig, 100 * RIG_SECOND);
    CU_ASSERT_TRUE(rig_both_up(&rig)); /* the gateway goes on trying */
    rig_close(&rig);
}

static size_t children_of(const s2svpn_connection *c, size_t index)
{
    size_t n = 0;

    S2_LIST_EACH(&s2svpn_connection_tunnel(c, index)->children, l)
        n++;
    return n;
}

/* Both begin at once, at every distance in time that matters: one way is 1 us. */
static void both_ends_starting_at_once_end_with_one_pair(void)
{
    for (uint64_t apart = 0; apart <= 12000; apart += 500) {
        const struct rig_plan plan = {.static_routes = apart % 1000 != 0};
        static struct rig rig;

        CU_ASSERT_EQUAL(rig_open(&rig, &plan), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.cloud), S2SVPN_OK);
        if (apart > 0)
            rig_run(&rig, apart);
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
        rig_run(&rig, 60 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        for (size_t i = 0; i < 2; i++) {
            const s2svpn_tunnel_info cloud = rig_tunnel(rig.cloud, i),
                                     site = rig_tunnel(rig.site, i);

            CU_ASSERT_EQUAL(cloud.spi_in, site.spi_out);
            CU_ASSERT_EQUAL(cloud.spi_out, site.spi_in);
            CU_ASSERT_EQUAL(children_of(rig.cloud, i), 1);
            CU_ASSERT_EQUAL(children_of(rig.site, i), 1);
        }
        rig_close(&rig);
    }
}

/* ---- lifetimes */

/* Seconds until the first tunnel's child, and its IKE SA, were first replaced. */
static void first_rekeys(struct rig *rig, double *child_s, double *sa_s)
{
    const uint64_t begin = rig->now_ns;
    const s2svpn_tunnel *t = s2svpn_connection_tunnel(rig->site, 0);
    struct s2_ike_sa_info info;
    uint64_t spi;

    *child_s = *sa_s = 0;
    CU_ASSERT_TRUE(s2_ike_get_info(rig->device.ctx->ike, t, &info));
    spi = info.spi_i;
    while (rig->now_ns - begin < 1100 * RIG_SECOND && (*child_s == 0 || *sa_s == 0)) {
        rig_run(rig, RIG_SECOND / 4);
        if (*child_s == 0 && rig_tunnel(rig->site, 0).rekeys > 0)
            *child_s = (double)(rig->now_ns - begin) / 1e9;
        if (*sa_s == 0 && s2_ike_get_info(rig->device.ctx->ike, t, &info) && info.spi_i != spi)
            *sa_s = (double)(rig->now_ns - begin) / 1e9;
    }
}

/* AWS: inside the margin before the end, or with fuzz up to a margin earlier. */
static void rekeys_come_with_the_margin_and_the_fuzz_of_the_options(void)
{
    static const struct {
        const char *name;
        uint32_t margin_s, fuzz; /* plus 1 */
        double least, most;      /* before the end */
    } rows[] = {
        {"60 s, no fuzz", 60, 1, 60, 60},
        {"60 s, 100 %", 60, 101, 60, 120},
        {"300 s, no fuzz", 300, 1, 300, 300},
        {"120 s, 50 %", 120, 51, 120, 180},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct rig_plan plan = {.static_routes = true,
                                      .tunnel = {.phase1_lifetime_s = 1000,
                                                 .phase2_lifetime_s = 900,
                                                 .rekey_margin_s = rows[i].margin_s,
                                                 .rekey_fuzz_percent = rows[i].fuzz,
                                                 .startup_action = S2SVPN_STARTUP_START}};
        static struct rig rig;
        double child_s, sa_s;

        CU_ASSERT_EQUAL(rig_open(&rig, &plan), S2SVPN_OK);
        /* The device's own clock is the document's and comes later: lift it out of the way. */
        for (size_t t = 0; t < 2; t++) {
            s2svpn_connection_tunnel(rig.site, t)->ike.child_lifetime_s = 0;
            s2svpn_connection_tunnel(rig.site, t)->ike.ike_lifetime_s = 0;
        }
        rig_run(&rig, RIG_SECOND);
        CHECK_ROW(rows[i].name, rig_both_up(&rig));
        first_rekeys(&rig, &child_s, &sa_s);
        child_s += 1;
        sa_s += 1;
        CHECK_ROW(rows[i].name, 900 - child_s >= rows[i].least - 1.5);
        CHECK_ROW(rows[i].name, 900 - child_s <= rows[i].most + 0.5);
        CHECK_ROW(rows[i].name, 1000 - sa_s >= rows[i].least - 1.5);
        CHECK_ROW(rows[i].name, 1000 - sa_s <= rows[i].most + 0.5);
        if (CU_get_number_of_failures() > 0)
            printf("    %s: child after %.2f s, IKE SA after %.2f s\n", rows[i].name, child_s,
                   sa_s);
        rig_close(&rig);
    }
}

/* Each option of the tunnel that IKE has a use for, and its value there. */
static void options_reach_the_engine(void)
{
    static const struct {
        const char *name;
        s2svpn_tunnel_options o;
        size_t offset, size; /* in struct s2_ike_config */
        uint32_t value;
    } rows[] = {
#define IN_CONFIG(member)                                                                          \
    offsetof(struct s2_ike_config, member), sizeof(((struct s2_ike_config *)0)->member)
        {"phase1_lifetime_s", {.phase1_lifetime_s = 7200}, IN_CONFIG(ike_lifetime_s), 7200},
        {"phase2_lifetime_s", {.phase2_lifetime_s = 1800}, IN_CONFIG(child_lifetime_s), 1800},
        {"rekey_margin_s", {.rekey_margin_s = 99}, IN_CONFIG(rekey_margin_s), 99},
        {"rekey_fuzz_percent 0", {.rekey_fuzz_percent = 1}, IN_CONFIG(rekey_fuzz_percent), 0},
        {"rekey_fuzz_percent", {0}, IN_CONFIG(rekey_fuzz_percent), 100},
        {"dpd_timeout_s", {.dpd_timeout_s = 45}, IN_CONFIG(dpd_timeout_s), 45},
        {"dpd_action clear", {0}, IN_CONFIG(dpd_delay_s), 10},
        {"dpd_action none", {.dpd_action = S2SVPN_DPD_NONE}, IN_CONFIG(dpd_delay_s), 0},
        {"esn", {.esn = S2SVPN_ESN_REQUIRED}, IN_CONFIG(esn), S2SVPN_ESN_REQUIRED},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct rig_plan plan = {.tunnel = rows[i].o};
        static struct rig rig;
        const uint8_t *config;
        uint32_t value = 0;

        CHECK_ROW(rows[i].name, rig_open(&rig, &plan) == S2SVPN_OK);
        config = (const uint8_t *)&s2svpn_connection_tunnel(rig.cloud, 1)->ike;
        if (rows[i].size == 1)
            value = config[rows[i].offset];
        else
            memcpy(&value, config + rows[i].offset, sizeof(value));
        CHECK_ROW(rows[i].name, value == rows[i].value);
        rig_close(&rig);
    }
}

/* Those that AWS hasn't: named when they can't be, else kept as they are. */
static void options_beyond_awss_are_checked_and_kept(void)
{
    static const struct {
        const char *field; /* NULL: good */
        s2svpn_tunnel_options o;
    } rows[] = {
        {NULL,
         {.esn = S2SVPN_ESN_ALLOWED,
          .dont_fragment = S2SVPN_DF_CLEAR,
          .replay_window = 8192,
          .phase2_lifetime_bytes = 65536,
          .phase2_lifetime_packets = 64}},
        {NULL, {.phase2_lifetime_bytes = UINT64_MAX, .phase2_lifetime_packets = UINT64_MAX}},
        {"tunnel[0].esn", {.esn = 3}},
        {"tunnel[0].dont_fragment", {.dont_fragment = 2}},
        {"tunnel[0].replay_window", {.replay_window = 8193}},
        {"tunnel[0].phase2_lifetime_bytes", {.phase2_lifetime_bytes = 65535}},
        {"tunnel[0].phase2_lifetime_packets", {.phase2_lifetime_packets = 63}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct rig_plan plan = {.tunnel = rows[i].o};
        static struct rig rig;
        s2svpn_tunnel_options o;
        const s2svpn_status rc = rig_open(&rig, &plan);

        if (rows[i].field) {
            rig_check_error(rig.gateway.ctx, rc, S2SVPN_E_ARGUMENT, rows[i].field, rows[i].field);
        } else {
            CU_ASSERT_EQUAL(rc, S2SVPN_OK);
            s2svpn_tunnel_get_options(s2svpn_connection_tunnel(rig.cloud, 1), &o);
            CU_ASSERT_EQUAL(o.esn, rows[i].o.esn);
            CU_ASSERT_EQUAL(o.dont_fragment, rows[i].o.dont_fragment);
            CU_ASSERT_EQUAL(o.phase2_lifetime_bytes, rows[i].o.phase2_lifetime_bytes);
            CU_ASSERT_EQUAL(o.phase2_lifetime_packets, rows[i].o.phase2_lifetime_packets);
            if (rows[i].o.replay_window)
                CU_ASSERT_EQUAL(o.replay_window, rows[i].o.replay_window);
        }
        rig_close(&rig);
    }
}

/* ---- what a device's options and its document make of a tunnel */

static void a_devices_options_and_document_are_its_tunnels(void)
{
    s2svpn_device_options options = S2SVPN_DEVICE_OPTIONS_INIT;
    const struct rig_plan plan = {.device_options = &options};
    static struct rig rig;
    s2svpn_tunnel_options o;

    CU_ASSERT_EQUAL(rig_open(&rig, &plan), S2SVPN_OK);
    s2svpn_tunnel_get_options(s2svpn_connection_tunnel(rig.site, 0), &o);
    CU_ASSERT_EQUAL(o.dpd_action, S2SVPN_DPD_RESTART);
    CU_ASSERT_EQUAL(o.startup_action, S2SVPN_STARTUP_START);
    CU_ASSERT_EQUAL(o.dont_fragment, S2SVPN_DF_CLEAR); /* every document of AWS's says so */
    CU_ASSERT_EQUAL(o.esn, S2SVPN_ESN_OFF);
    CU_ASSERT_EQUAL(o.replay_window, 1024);
    rig_close(&rig);
    options.esn = S2SVPN_ESN_ALLOWED;
    options.replay_window = 8192;
    options.dpd_action = S2SVPN_DPD_NONE + 1;
    options.startup_action = S2SVPN_STARTUP_ADD + 1;
    CU_ASSERT_EQUAL(rig_open(&rig, &plan), S2SVPN_OK);
    s2svpn_tunnel_get_options(s2svpn_connection_tunnel(rig.site, 1), &o);
    CU_ASSERT_EQUAL(o.dpd_action, S2SVPN_DPD_NONE);
    CU_ASSERT_EQUAL(o.startup_action, S2SVPN_STARTUP_ADD);
    CU_ASSERT_EQUAL(o.esn, S2SVPN_ESN_ALLOWED);
    CU_ASSERT_EQUAL(o.replay_window, 8192);
    rig_close(&rig);
}

static void device_options_that_cannot_be_are_named(void)
{
    static const struct {
        const char *field;
        s2svpn_device_options o;
    } rows[] = {
        {"tunnel[0].esn", {.size = sizeof(s2svpn_device_options), .esn = 3}},
        {"tunnel[0].dpd_action", {.size = sizeof(s2svpn_device_options), .dpd_action = 4}},
        {"tunnel[0].startup_action", {.size = sizeof(s2svpn_device_options), .startup_action = 3}},
        {"tunnel[0].replay_window", {.size = sizeof(s2svpn_device_options), .replay_window = 63}},
        {"offers", {.size = sizeof(s2svpn_device_options), .offers = 3}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct rig_plan plan = {.device_options = &rows[i].o};
        static struct rig rig;

        const s2svpn_status rc = rig_open(&rig, &plan);
        rig_check_error(rig.device.ctx, rc, S2SVPN_E_ARGUMENT, rows[i].field, rows[i].field);
        CHECK_ROW(rows[i].field, rig.site == NULL);
        rig_close(&rig);
    }
}

/* ---- words */

struct log_kept {
    unsigned lines, without_name;
    bool warned;
};
static struct log_kept kept;

static void on_log(void *user, s2svpn_log_level level, const char *line)
{
    (void)user;
    kept.lines++;
    kept.without_name += strstr(line, "tunnel ") && strncmp(line, "vpn-", 4) != 0;
    kept.warned |= level == S2SVPN_LOG_WARNING;
}

static void take_log(struct rig_side *side)
{
    side->options.log = on_log;
    side->options.log_level = S2SVPN_LOG_DEBUG;
}

static void every_line_on_a_tunnel_begins_with_its_connection(void)
{
    const struct rig_plan plan = {.adjust = take_log, .tunnel = CLASSIC};
    static struct rig rig;

    memset(&kept, 0, sizeof(kept));
    if (rig_up(&rig, &plan)) {
        CU_ASSERT_EQUAL(s2svpn_connection_stop(rig.cloud), S2SVPN_OK);
        rig_run(&rig, 200 * RIG_SECOND);
    }
    CU_ASSERT_TRUE(kept.lines > 20);
    CU_ASSERT_EQUAL(kept.without_name, 0);
    CU_ASSERT_TRUE(kept.warned); /* of the second offer */
    rig_close(&rig);
}

static void wrong_key(struct s2svpn_device_config *c)
{
    memcpy(c->tunnel[0].pre_shared_key, "quite.another.key", 18);
}
static void wrong_asn(struct s2svpn_device_config *c)
{
    c->tunnel[0].gateway.asn = c->tunnel[1].gateway.asn = 64999;
}
static void wrong_gateway(struct s2svpn_device_config *c)
{
    c->tunnel[0].gateway.outside = rig_address("198.51.100.99");
}

static void why_a_tunnel_is_down_is_told_in_words(void)
{
    static const struct {
        const char *name;
        void (*change)(struct s2svpn_device_config *c);
        const char *site, *note; /* NULL: nothing of the kind */
    } rows[] = {
        {"another pre-shared key", wrong_key, "pre-shared key", NULL},
        {"a gateway that isn't there", wrong_gateway,
         "no answer from the peer at 198.51.100.99:4500, UDP", NULL},
        {"another ASN", wrong_asn,
         "BGP has not come up for 30 s: ", "IPsec is up, but BGP has not come up"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        static struct rig rig;
        s2svpn_device_config *config = NULL;
        s2svpn_text xml = {0};
        s2svpn_tunnel_info info;

        rig_init(&rig, NULL);
        CU_ASSERT_EQUAL_FATAL(rig_make_gateway(&rig), S2SVPN_OK);
        CU_ASSERT_EQUAL_FATAL(rig_make_device(&rig), S2SVPN_OK);
        CU_ASSERT_EQUAL_FATAL(rig_make_vpc(&rig), S2SVPN_OK);
        CU_ASSERT_EQUAL_FATAL(rig_make_connection(&rig), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_connection_device_config(rig.cloud, &xml), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_config_read(xml.data, xml.len, &config, NULL), S2SVPN_OK);
        s2svpn_text_free(&xml);
        rows[i].change(config);
        CU_ASSERT_EQUAL(s2svpn_device_open(rig.device.ctx, config, NULL, &rig.site), S2SVPN_OK);
        s2svpn_config_free(config);
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
        rig_run(&rig, 100 * RIG_SECOND);
        info = rig_tunnel(rig.site, 0);
        CHECK_ROW(rows[i].name, !info.up && says(&info, rows[i].site));
        if (rows[i].note)
            CHECK_ROW(rows[i].name, rig_event_says(&rig.device, S2SVPN_EVENT_NOTE, rows[i].note));
        rig_close(&rig);
    }
}

static uint16_t nat_port;

static void translate(struct rig *rig, s2svpn_datagram *d)
{
    (void)rig;
    if (d->remote.address.bytes[0] == 203)
        d->remote.port = nat_port;
    else if (d->local.port == nat_port)
        d->local.port = d->remote.port; /* the device's ports are the gateway's */
}

static void a_nat_that_is_found_is_told(void)
{
    static struct rig rig;
    const struct rig_plan plan = {0};

    nat_port = 40001;
    CU_ASSERT_EQUAL(rig_open(&rig, &plan), S2SVPN_OK);
    rig.translates = translate;
    CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
    rig_run(&rig, 30 * RIG_SECOND);
    CU_ASSERT_TRUE(rig_both_up(&rig));
    CU_ASSERT_TRUE(rig_event_says(&rig.device, S2SVPN_EVENT_NOTE, "NAT found: the peer 198.51."));
    CU_ASSERT_TRUE(rig_event_says(&rig.gateway, S2SVPN_EVENT_NOTE,
                                  "NAT found: the peer is behind one, seen as 203.0.113.7:40001"));
    rig_close(&rig);
    if (rig_up(&rig, &plan)) { /* and one that isn't there isn't */
        CU_ASSERT_FALSE(rig_event_says(&rig.device, S2SVPN_EVENT_NOTE, "NAT found"));
        CU_ASSERT_FALSE(rig_event_says(&rig.gateway, S2SVPN_EVENT_NOTE, "NAT found"));
    }
    rig_close(&rig);
}

const CU_TestInfo s2_test_attempt[] = {
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
    {"with 500 filtered it comes up by 4500", with_500_filtered_it_comes_up_by_4500},
    {"both ports are tried in turns", both_ports_are_tried_in_turns},
    {"DPD's actions do what they say on both sides", dpds_actions_do_what_they_say_on_both_sides},
    {"a gateway that only answers restarts after DPD",
     a_gateway_that_only_answers_restarts_after_dpd},
    {"a device that only answers waits for the gateway",
     a_device_that_only_answers_waits_for_the_gateway},
    {"both ends starting at once end with one pair", both_ends_starting_at_once_end_with_one_pair},
    {"rekeys come with the margin and the fuzz of the options",
     rekeys_come_with_the_margin_and_the_fuzz_of_the_options},
    {"options reach the engine", options_reach_the_engine},
    {"options beyond AWS's are checked and kept", options_beyond_awss_are_checked_and_kept},
    {"a device's options and document are its tunnels'",
     a_devices_options_and_document_are_its_tunnels},
    {"device options that cannot be are named", device_options_that_cannot_be_are_named},
    {"every line on a tunnel begins with its connection",
     every_line_on_a_tunnel_begins_with_its_connection},
    {"why a tunnel is down is told in words", why_a_tunnel_is_down_is_told_in_words},
    {"a NAT that is found is told", a_nat_that_is_found_is_told},
    CU_TEST_INFO_NULL,
};
