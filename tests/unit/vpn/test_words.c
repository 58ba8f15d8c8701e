/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of a tunnel: the reason why it is down, a NAT that is found, whose each line of
 * the log is. */
#include <string.h>

#include "harness.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

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
    const struct rig_plan plan = {.adjust = take_log,
                                  .tunnel = {.phase1_integrity = S2SVPN_SHA1,
                                             .phase2_integrity = S2SVPN_SHA1,
                                             .phase1_dh_groups = S2SVPN_GROUP(2),
                                             .phase2_dh_groups = S2SVPN_GROUP(2)}};
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
         "no answer from the peer at 198.51.100.99:", NULL},
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
        CHECK_ROW(rows[i].name, !info.up && rig_reason_says(&info, rows[i].site));
        if (rows[i].note)
            CHECK_ROW(rows[i].name, rig_event_says(&rig.device, S2SVPN_EVENT_NOTE, rows[i].note));
        rig_close(&rig);
    }
}

static bool is_raw(struct rig *rig, const struct rig_side *from, const s2svpn_datagram *d)
{
    (void)rig;
    (void)from;
    return d->local.role == S2SVPN_ROLE_RAW;
}

/* A firewall that lets UDP pass: IKE comes up, and nothing else. */
static void protocol_50_that_is_filtered_is_told(void)
{
    const struct rig_plan plan = {.raw = true};
    static struct rig rig;
    s2svpn_tunnel_info info;

    CU_ASSERT_EQUAL(rig_open(&rig, &plan), S2SVPN_OK);
    rig.loses = is_raw;
    CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
    rig_run(&rig, 35 * RIG_SECOND);
    info = rig_tunnel(rig.site, 0);
    CU_ASSERT_EQUAL(info.phase, S2SVPN_TUNNEL_IPSEC_UP);
    CU_ASSERT_TRUE(rig_reason_says(&info, "nothing comes by IP protocol 50"));
    CU_ASSERT_TRUE(rig_event_says(&rig.gateway, S2SVPN_EVENT_NOTE, "where ESP in UDP would pass"));
    rig_close(&rig);
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

const CU_TestInfo s2_test_words[] = {
    {"every line on a tunnel begins with its connection",
     every_line_on_a_tunnel_begins_with_its_connection},
    {"why a tunnel is down is told in words", why_a_tunnel_is_down_is_told_in_words},
    {"protocol 50 that is filtered is told", protocol_50_that_is_filtered_is_told},
    {"a NAT that is found is told", a_nat_that_is_found_is_told},
    CU_TEST_INFO_NULL,
};
