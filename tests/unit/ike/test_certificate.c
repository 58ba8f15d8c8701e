/* SPDX-License-Identifier: Apache-2.0 */
/* v2/: tunnels that go by certificates, between two engines that mean well, with toy
 * certificates. Who is refused: test_certificate_refused.c; what happens while jobs run:
 * test_certificate_jobs.c. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "base/address.h"
#include "harness.h"
#include "ike/certificates.h"
#include "ike/sa.h"
#include "ike/v2/v2.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define EXCHANGE_AT 18 /* in an IKE header */
#define NEXT_AT 16

static struct s2_fake_credentials mine[2];

static void end_well(struct s2_pair *p)
{
    CU_ASSERT_EQUAL(mine[0].credentials.users, 0);
    CU_ASSERT_EQUAL(mine[1].credentials.users, 0);
    CU_ASSERT_TRUE(s2_pair_balances(&p->end[0]));
    CU_ASSERT_TRUE(s2_pair_balances(&p->end[1]));
    s2_pair_close(p);
    CU_ASSERT_EQUAL(p->end[0].fake.live + p->end[1].fake.live, 0);
}

static struct s2_ike_id fqdn(const char *name)
{
    struct s2_ike_id id = {.type = S2_IKE_ID_FQDN, .len = (uint16_t)strlen(name)};

    memcpy(id.data, name, id.len);
    return id;
}

static void certificates_bring_up_a_tunnel(void)
{
    struct s2_pair p;

    s2_certificates_init(&p, 1, mine);
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    for (size_t e = 0; e < 2; e++) {
        CU_ASSERT_EQUAL(p.end[e].sent, 2);
        CU_ASSERT_EQUAL(p.end[e].jobs, 4);
        CU_ASSERT_EQUAL(p.end[e].signs, 1);
        CU_ASSERT_EQUAL(p.end[e].verifies, 1);
        CU_ASSERT_EQUAL(p.end[e].notes, 0);
        CU_ASSERT_TRUE(s2_ike_id_equal(&p.end[e].info.peer_id, &mine[1 - e].credentials.id));
    }
    /* vpn saw the initiator's before anything was checked */
    CU_ASSERT_EQUAL(p.end[1].shown_len, 400);
    CU_ASSERT_EQUAL(memcmp(p.end[1].shown, "AL-", 3), 0);
    end_well(&p);
}

/* ---- IKE_SA_INIT */

static struct {
    bool hashes, certreq;
    size_t authorities;
} init[2]; /* by where it went */

static bool look_at_init(struct s2_pair *p, struct s2_pair_datagram *d)
{
    struct s2_ike_payloads list;
    struct s2_ike_notifies says;
    struct s2_ike_certreq_payload certreq;
    struct s2_reader r;

    (void)p;
    if (d->p[EXCHANGE_AT] != S2_IKE_SA_INIT)
        return true;
    CU_ASSERT_EQUAL_FATAL(
        s2_ike_read_chain(s2_span(d->p + S2_IKE_HEADER_LEN, d->len - S2_IKE_HEADER_LEN),
                          d->p[NEXT_AT], &list),
        S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_ike_read_notifies(&list, &says), S2SVPN_OK);
    init[d->to].hashes = says.hashes == (1u << 2 | 1u << 3 | 1u << 4); /* SHA2 */
    const struct s2_ike_payload *payload = s2_ike_find(&list, S2_IKE_PAYLOAD_CERTREQ);
    init[d->to].certreq = payload != NULL;
    if (payload == NULL)
        return true;
    s2_reader_init(&r, payload->body.p, payload->body.len);
    CU_ASSERT_EQUAL(s2_ike_parse_certreq(&r, &certreq), S2SVPN_OK);
    init[d->to].authorities = certreq.authorities.len;
    return true;
}

static void what_certificates_call_for_is_in_the_first_messages(void)
{
    struct s2_pair p;

    memset(init, 0, sizeof(init));
    s2_certificates_init(&p, 2, mine);
    p.filter = look_at_init;
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_TRUE(init[1].hashes && !init[1].certreq);
    CU_ASSERT_TRUE(init[0].hashes && init[0].certreq);
    CU_ASSERT_EQUAL(init[0].authorities, 40);
    end_well(&p);

    s2_pair_init(&p, 3); /* pre-shared keys: nothing of it */
    p.filter = look_at_init;
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_FALSE(init[1].hashes || init[1].certreq || init[0].hashes || init[0].certreq);
    s2_pair_close(&p);
}

static void many_authorities_are_named_as_far_as_a_message_goes(void)
{
    static uint8_t many[20 * 500];
    struct s2_pair p;

    s2_certificates_init(&p, 4, mine);
    p.filter = look_at_init;
    mine[0].credentials.authorities = mine[1].credentials.authorities = s2_span(many, sizeof(many));
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(init[0].authorities, 32 * 20);
    mine[0].credentials.authorities = mine[1].credentials.authorities = s2_span(NULL, 0);
    end_well(&p);
}

/* Who doesn't know RFC 7427 says nothing of hashes; so its sender's own copy goes with it. */
static bool of_old;

static void spoil_notify(uint8_t *p, size_t len)
{
    for (size_t i = S2_IKE_HEADER_LEN; i + 4 < len; i++) {
        if (p[i] == 0 && p[i + 1] == 0 && p[i + 2] == 0x40 && p[i + 3] == 0x2f)
            p[i + 2] = 0x9f; /* a private status: nobody knows it */
    }
}

static bool make_old(struct s2_pair *p, struct s2_pair_datagram *d)
{
    struct s2_pair_end *from = &p->end[1 - d->to];

    if (d->p[EXCHANGE_AT] != S2_IKE_SA_INIT || (d->to == 0) != of_old)
        return true;
    struct s2_ike_sa *sa = s2_ike_find_spi(from->ike, s2_get_u64(d->p + (d->to == 0 ? 8 : 0)));
    CU_ASSERT_PTR_NOT_NULL_FATAL(sa);
    spoil_notify(d->p, d->len);
    if (d->to == 1)
        spoil_notify(sa->request.bytes.p, sa->request.bytes.len);
    else
        spoil_notify(sa->handshake->message_r.p, sa->handshake->message_r.len);
    return true;
}

static void old_peers_get_the_old_methods(void)
{
    static const uint8_t methods[] = {S2SVPN_AUTH_RSA, S2SVPN_AUTH_ECDSA_256, S2SVPN_AUTH_ECDSA_384,
                                      S2SVPN_AUTH_ECDSA_521};

    for (size_t i = 0; i < 2 * COUNT(methods); i++) {
        struct s2_pair p;

        s2_certificates_init(&p, 5 + i, mine);
        of_old = i % 2 == 1;
        p.filter = make_old;
        mine[0].identity.old_method = mine[1].identity.old_method = methods[i / 2];
        CU_ASSERT_TRUE(s2_pair_connect(&p));
        CU_ASSERT_EQUAL(p.end[of_old ? 0 : 1].method, methods[i / 2]);
        CU_ASSERT_EQUAL(p.end[of_old ? 1 : 0].method, S2SVPN_AUTH_SIGNATURE);
        end_well(&p);
    }
}

/* ---- chains */

static unsigned fragments[2];

static bool count_fragments(struct s2_pair *p, struct s2_pair_datagram *d)
{
    (void)p;
    fragments[d->to] += d->p[NEXT_AT] == S2_IKE_PAYLOAD_SKF;
    CU_ASSERT_TRUE(d->len <= 1280);
    return true;
}

/* 'R' is by 'I', 'I' by 'A'. */
static void lengthen(struct s2_fake_credentials *c, size_t certificates, size_t len)
{
    const char subject = c->identity.subject;

    c->credentials.chain_count = 0;
    s2_fake_credentials_add(c, certificates > 1 ? 'I' : 'A', subject, '-', len);
    for (size_t i = 1; i + 1 < certificates; i++)
        s2_fake_credentials_add(c, 'X', 'Y', '-', len);
    if (certificates > 1)
        s2_fake_credentials_add(c, 'A', 'I', '-', len);
}

static void chains_go_with_the_certificate_in_fragments(void)
{
    static const struct {
        const char *row;
        size_t certificates, len;
        bool split;
    } rows[] = {
        {"one", 1, 300, false},
        {"an intermediate one", 2, 300, false},
        {"long ones", 2, 1400, true},
        {"the most", S2SVPN_CHAIN_MAX, 300, true},
        {"the most, and long", 8, 1800, true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct s2_pair p;

        s2_certificates_init(&p, 20 + i, mine);
        memset(fragments, 0, sizeof(fragments));
        p.filter = count_fragments;
        lengthen(&mine[0], rows[i].certificates, rows[i].len);
        lengthen(&mine[1], rows[i].certificates, rows[i].len);
        CHECK_ROW(rows[i].row, s2_pair_connect(&p));
        CHECK_ROW(rows[i].row, (fragments[0] > 0) == rows[i].split);
        CHECK_ROW(rows[i].row, (fragments[1] > 0) == rows[i].split);
        CHECK_ROW(rows[i].row, p.end[0].verifies == 1 && p.end[1].verifies == 1);
        end_well(&p);
    }
}

static void without_fragments_a_chain_goes_whole(void)
{
    struct s2_pair p;

    s2_certificates_init(&p, 30, mine);
    p.end[1].options.no_fragmentation = true;
    lengthen(&mine[0], S2SVPN_CHAIN_MAX, 1800);
    lengthen(&mine[1], S2SVPN_CHAIN_MAX, 1800);
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    end_well(&p);
}

/* A longer one is no reason to give it more memory than any stranger gets. */
static void a_chain_that_is_too_long_brings_nothing_up(void)
{
    for (unsigned e = 0; e < 2; e++) {
        struct s2_pair p;

        s2_certificates_init(&p, 31 + e, mine);
        lengthen(&mine[e], S2SVPN_CHAIN_MAX, 2048);
        s2_certificates_attempt(&p, 100 * S2_SECOND);
        CU_ASSERT_EQUAL(p.end[0].sa_ups, 0);
        CU_ASSERT_EQUAL(p.end[0].sa_downs, 1);
        CU_ASSERT_EQUAL(p.end[1 - e].verifies, 0);
        CU_ASSERT_EQUAL(s2_pair_sas(&p.end[0]), 0);
        s2_pair_run_for(&p, 200 * S2_SECOND);
        CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
        end_well(&p);
    }
}

/* ---- whose */

static void names_of_the_config_go_before_the_subject(void)
{
    struct s2_pair p;

    s2_certificates_init(&p, 40, mine);
    p.end[0].config.local_id = fqdn("device.L");
    p.end[1].config.local_id = fqdn("gateway.R");
    p.end[0].config.remote_id = fqdn("GATEWAY.r");
    p.end[1].config.remote_id = fqdn("device.L");
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(p.end[1].info.peer_id.type, S2_IKE_ID_FQDN);
    end_well(&p);
}

static void subjects_that_are_asked_for_are_found(void)
{
    struct s2_pair p;

    s2_certificates_init(&p, 41, mine);
    p.end[0].config.remote_subject = s2_span("0\2.R", 4);
    p.end[1].config.remote_subject = s2_span("0\2.L", 4);
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    end_well(&p);
}

/* AWS's customer gateway with a certificate and without an address. */
static void a_peer_may_come_from_anywhere(void)
{
    struct s2_pair p;

    s2_certificates_init(&p, 42, mine);
    p.end[1].config.remote = (s2svpn_address){0};
    p.nat = true;
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(p.end[1].info.remote.port, 24500);
    CU_ASSERT_TRUE(p.end[1].info.nat_remote);
    CU_ASSERT_EQUAL(s2_ike_rekey_sa(p.end[1].ike, &p.end[1], p.now_ns), S2SVPN_OK);
    s2_pair_run_for(&p, 3 * S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    s2_ike_terminate(p.end[0].ike, &p.end[0], true, p.now_ns);
    s2_pair_run_for(&p, 3 * S2_SECOND);
    CU_ASSERT_EQUAL(s2_ike_initiate(p.end[1].ike, p.end[1].live, p.now_ns), S2SVPN_E_STATE);
    end_well(&p);
}

/* By its address it may be either's; which it is, only IKE_AUTH tells. */
static void tunnels_of_both_kinds_share_an_address(void)
{
    for (unsigned by_key = 0; by_key < 2; by_key++) {
        static struct s2_ike_config other;
        struct s2_pair p;

        s2_certificates_init(&p, 43 + by_key, mine);
        other = p.end[1].config;
        if (by_key) {
            p.end[0].config.auth_by = p.end[1].config.auth_by = S2_IKE_BY_PSK;
            (void)s2_secret_set(&p.end[0].config.psk, "key", 3);
            (void)s2_secret_set(&p.end[1].config.psk, "key", 3);
        } else {
            other.auth_by = S2_IKE_BY_PSK;
            other.credentials = NULL;
        }
        p.end[1].candidate[0] = &other;
        p.end[1].candidate[1] = NULL;
        p.end[1].candidates = 2;
        p.filter = look_at_init;
        CU_ASSERT_TRUE(s2_pair_connect(&p));
        CU_ASSERT_TRUE(init[0].certreq);
        CU_ASSERT_EQUAL(p.end[1].verifies, !by_key);
        end_well(&p);
    }
}

/* ---- life */

static void a_cookie_comes_first_where_it_must(void)
{
    struct s2_ike_counters counters;
    struct s2_pair p;

    s2_certificates_init(&p, 50, mine);
    p.end[1].options.limits.cookie_threshold = 1;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
    s2_pair_run_for(&p, 15 * S2_MS); /* half open; the answer is on its way */
    s2_pair_forget(&p, 0);
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
    s2_pair_run_for(&p, S2_SECOND);
    s2_ike_get_counters(p.end[1].ike, &counters);
    CU_ASSERT_EQUAL(counters.cookies_sent, 1);
    CU_ASSERT_EQUAL(p.end[0].sa_ups, 1);
    CU_ASSERT_TRUE(s2_pair_agrees(&p));
    CU_ASSERT_EQUAL(mine[1].credentials.users, 1); /* of the one that is left half open */
    s2_pair_run_for(&p, 60 * S2_SECOND);
    end_well(&p);
}

static void rekeys_need_no_certificate(void)
{
    struct s2_pair p;

    s2_certificates_init(&p, 51, mine);
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    for (unsigned e = 0; e < 2; e++) {
        const uint32_t spi_in = s2_pair_only_child(&p.end[e])->spi_in;

        p.end[e].live->credentials = NULL; /* taken away meanwhile */
        CU_ASSERT_EQUAL(s2_ike_rekey_child(p.end[e].ike, &p.end[e], spi_in, p.now_ns), S2SVPN_OK);
        s2_pair_run_for(&p, S2_SECOND);
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        CU_ASSERT_EQUAL(s2_ike_rekey_sa(p.end[e].ike, &p.end[e], p.now_ns), S2SVPN_OK);
        s2_pair_run_for(&p, S2_SECOND);
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        CU_ASSERT_TRUE(s2_ike_id_equal(&p.end[e].info.peer_id, &mine[1 - e].credentials.id));
    }
    CU_ASSERT_EQUAL(p.end[0].signs + p.end[1].signs, 2);
    CU_ASSERT_EQUAL(p.end[0].verifies + p.end[1].verifies, 2);
    end_well(&p);
}

static void certificates_are_ikev2_alone(void)
{
    static const uint8_t versions[] = {0, S2_IKE_ALLOW_V1, S2_IKE_ALLOW_V2,
                                       S2_IKE_ALLOW_V1 | S2_IKE_ALLOW_V2};

    for (size_t i = 0; i < COUNT(versions); i++) {
        struct s2_pair p;

        s2_certificates_init(&p, 52 + i, mine);
        for (size_t e = 0; e < 2; e++) {
            p.end[e].config.versions = versions[i];
            p.end[e].config.ikev1_first = true;
            (void)s2_secret_set(&p.end[e].config.psk, "left over", 9);
        }
        CU_ASSERT_TRUE(s2_pair_connect(&p));
        CU_ASSERT_EQUAL(p.end[0].info.version, 2);
        CU_ASSERT_EQUAL(p.end[1].verifies, 1);
        end_well(&p);
    }
}

/* The key that a certificate tunnel still has opens no door of IKEv1 either. */
static void an_ikev1_peer_finds_no_certificate_tunnel(void)
{
    struct s2_pair p;

    s2_certificates_init(&p, 56, mine);
    p.end[0].config.auth_by = S2_IKE_BY_PSK;
    p.end[0].config.versions = S2_IKE_ALLOW_V1;
    p.end[1].config.versions = S2_IKE_ALLOW_V1 | S2_IKE_ALLOW_V2;
    (void)s2_secret_set(&p.end[0].config.psk, "key", 3);
    (void)s2_secret_set(&p.end[1].config.psk, "key", 3);
    s2_certificates_attempt(&p, S2_SECOND);
    CU_ASSERT_EQUAL(p.end[1].drop, S2SVPN_DROP_IKE_VERSION);
    CU_ASSERT_EQUAL(p.end[1].sent, 0);
    end_well(&p);
}

static void both_sides_may_start_at_once(void)
{
    for (uint64_t seed = 60; seed < 80; seed++) {
        struct s2_pair p;

        s2_certificates_init(&p, seed, mine);
        p.end[0].defer_jobs = p.end[1].defer_jobs = true;
        p.jitter_ms = 20;
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
        CU_ASSERT_TRUE(s2_pair_initiate(&p, 1));
        s2_pair_run_for(&p, 60 * S2_SECOND);
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        end_well(&p);
    }
}

const CU_TestInfo s2_test_certificate[] = {
    {"certificates bring up a tunnel", certificates_bring_up_a_tunnel},
    {"what certificates call for is in the first messages",
     what_certificates_call_for_is_in_the_first_messages},
    {"many authorities are named as far as a message goes",
     many_authorities_are_named_as_far_as_a_message_goes},
    {"old peers get the old methods (no RFC 7427)", old_peers_get_the_old_methods},
    {"chains go with the certificate, in fragments", chains_go_with_the_certificate_in_fragments},
    {"without fragments a chain goes whole", without_fragments_a_chain_goes_whole},
    {"a chain that is too long brings nothing up", a_chain_that_is_too_long_brings_nothing_up},
    {"names of the config go before the subject", names_of_the_config_go_before_the_subject},
    {"subjects that are asked for are found", subjects_that_are_asked_for_are_found},
    {"a peer may come from anywhere", a_peer_may_come_from_anywhere},
    {"tunnels of both kinds share an address", tunnels_of_both_kinds_share_an_address},
    {"a cookie comes first where it must", a_cookie_comes_first_where_it_must},
    {"rekeys need no certificate", rekeys_need_no_certificate},
    {"certificates are IKEv2 alone", certificates_are_ikev2_alone},
    {"an IKEv1 peer finds no certificate tunnel", an_ikev1_peer_finds_no_certificate_tunnel},
    {"both sides may start at once", both_sides_may_start_at_once},
    CU_TEST_INFO_NULL,
};
