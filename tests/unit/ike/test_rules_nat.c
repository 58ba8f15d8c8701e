/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 7296 section 2.23 and RFC 3948 section 4: who is behind a NAT, what keeps it
 * open, and who may move to another address. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "ike/forge.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- detection */

/* A first message of end 0 with these hashes: r right, w wrong, one letter a notify. */
static struct s2_ike_sa *give_hashes(struct s2_pair *p, const char *source, const char *destination)
{
    const struct s2_ike_header h = {.spi_i = 77,
                                    .version = S2_IKE_VERSION_2,
                                    .exchange = S2_IKE_SA_INIT,
                                    .flags = S2_IKE_FLAG_INITIATOR};
    const struct s2_ike_sa_payload offer = {.count = 1, .proposal = {s2_forge_good_proposal}};
    const struct s2_ike_crypto crypto = {s2_fake_crypto_ops(), &p->end[0].crypto};
    struct s2_ike_compose *c = &s2_forge_compose;
    static const uint8_t value[256] = {1};

    s2_ike_compose_plain(c, &h);
    s2_ike_add_sa(c, &offer);
    s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_KE);
    s2_ike_write_ke(&c->w, S2SVPN_KE_MODP_2048, s2_span(value, sizeof(value)));
    s2_ike_payload_end(c->chain);
    s2_ike_add_bytes(c, S2_IKE_PAYLOAD_NONCE, s2_span("twenty or more bytes", 20));
    for (unsigned n = 0; n < 2; n++) {
        for (const char *letter = n == 0 ? source : destination; *letter != '\0'; letter++) {
            uint8_t hash[20];

            CU_ASSERT_EQUAL(s2_ike_nat_hash(&crypto, 77, 0, &p->end[n].config.local, hash),
                            S2SVPN_OK);
            hash[0] ^= *letter == 'w';
            s2_ike_add_notify(c,
                              n == 0 ? S2_IKE_N_NAT_DETECTION_SOURCE_IP
                                     : S2_IKE_N_NAT_DETECTION_DESTINATION_IP,
                              s2_span(hash, *letter == 's' ? 19 : 20));
        }
    }
    CU_ASSERT_EQUAL(s2_ike_write_end(&c->w), S2SVPN_OK);
    (void)s2_ike_receive(p->end[1].ike, &p->end[1].config.local, &p->end[0].config.local, c->bytes,
                         c->w.len, p->now_ns);
    return s2_ike_find_init(p->end[1].ike, 77, &p->end[0].config.local);
}

static void a_nat_is_where_no_hash_fits(void)
{
    static const struct {
        const char *row, *source, *destination;
        bool local, remote, udp;
    } rows[] = {
        {"none between", "r", "r", false, false, false},
        {"the peer is behind one", "w", "r", false, true, true},
        {"we are", "r", "w", true, false, true},
        {"both", "w", "w", true, true, true},
        {"a peer with many addresses", "wwr", "r", false, false, false},
        {"many, and none of them", "www", "r", false, true, true},
        {"no hashes: no NAT traversal", "", "", false, false, false},
        {"half of them: the same", "w", "", false, false, false},
        {"the other half", "", "w", false, false, false},
        {"a hash that is cut", "s", "r", false, true, true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct s2_pair p;

        s2_pair_init(&p, 1);
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        const struct s2_ike_sa *sa = give_hashes(&p, rows[i].source, rows[i].destination);
        CU_ASSERT_PTR_NOT_NULL_FATAL(sa);
        CHECK_ROW(rows[i].row, sa->nat_local == rows[i].local);
        CHECK_ROW(rows[i].row, sa->nat_remote == rows[i].remote);
        CHECK_ROW(rows[i].row, sa->udp == rows[i].udp);
        s2_pair_close(&p);
    }
}

/* ---- keepalives */

static void only_who_is_behind_a_nat_keeps_it_open(void)
{
    static const struct {
        const char *row;
        bool nat, force_udp;
        uint32_t dpd_delay_s, keepalive_s;
        unsigned least, most; /* in 100 s, of the one behind */
    } rows[] = {
        {"no NAT", false, false, 0, 0, 0, 0},
        {"UDP without a NAT", false, true, 0, 0, 0, 0},
        {"a NAT", true, false, 0, 0, 4, 5},
        {"every five seconds", true, false, 0, 5, 19, 20},
        {"what is sent anyway does it", true, false, 10, 0, 0, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct s2_pair p;

        s2_pair_init(&p, 2);
        p.nat = rows[i].nat;
        for (size_t e = 0; e < 2; e++) {
            p.end[e].config.dpd_delay_s = rows[i].dpd_delay_s;
            p.end[e].config.force_udp = rows[i].force_udp;
            p.end[e].options.keepalive_s = rows[i].keepalive_s;
        }
        p.end[1].config.remote.family = S2SVPN_FAMILY_NONE;
        p.end[1].config.remote_id = s2_ike_id_of(&p.end[0].config.local.address);
        CHECK_ROW(rows[i].row, s2_pair_connect(&p));
        s2_pair_run_for(&p, 100 * S2_SECOND);
        CHECK_ROW(rows[i].row, p.end[0].keepalives >= rows[i].least);
        CHECK_ROW(rows[i].row, p.end[0].keepalives <= rows[i].most);
        CHECK_ROW(rows[i].row, p.end[1].keepalives == 0);
        if (p.end[0].keepalives > 0) {
            CHECK_ROW(rows[i].row, p.end[0].keepalive_from.port == 4500);
            CHECK_ROW(rows[i].row, p.end[0].keepalive_from.role == S2SVPN_ROLE_NATT);
            CHECK_ROW(rows[i].row, p.end[0].keepalive_to.port == 4500);
        }
        /* They go on after a rekey of the IKE SA, and end with the last SA. */
        CU_ASSERT_EQUAL(s2_ike_rekey_sa(p.end[0].ike, &p.end[0], p.now_ns), S2SVPN_OK);
        s2_pair_run_for(&p, S2_SECOND);
        const unsigned before = p.end[0].keepalives;
        s2_pair_run_for(&p, 50 * S2_SECOND);
        CHECK_ROW(rows[i].row, (p.end[0].keepalives > before) == (rows[i].least > 0));
        s2_ike_terminate(p.end[0].ike, &p.end[0], true, p.now_ns);
        s2_pair_run_for(&p, S2_SECOND);
        const unsigned after = p.end[0].keepalives;
        s2_pair_run_for(&p, 100 * S2_SECOND);
        CHECK_ROW(rows[i].row, p.end[0].keepalives == after);
        s2_pair_close(&p);
    }
}

/* ---- another address */

static void connect_by_nat(struct s2_pair *p, bool nat, bool follow)
{
    s2_pair_init(p, 3);
    p->nat = nat;
    for (size_t e = 0; e < 2; e++)
        p->end[e].config.dpd_delay_s = 0;
    p->end[1].config.follow = follow;
    p->end[1].config.remote.family = S2SVPN_FAMILY_NONE;
    p->end[1].config.remote_id = s2_ike_id_of(&p->end[0].config.local.address);
    CU_ASSERT_TRUE_FATAL(s2_pair_connect(p));
}

static uint16_t port_at_1(struct s2_pair *p)
{
    struct s2_ike_sa_info info;

    CU_ASSERT_TRUE(s2_ike_get_info(p->end[1].ike, &p->end[1], &info));
    return info.remote.port;
}

/* A check of end 0 arrives at end 1 from another port than usual. */
static void a_peer_moves_only_by_an_authentic_new_message_and_only_behind_a_nat(void)
{
    static const struct {
        const char *row;
        bool nat, forged, replayed, moves;
    } rows[] = {
        {"behind a NAT, authentic", true, false, false, true},
        {"a forgery", true, true, false, false},
        {"a message that was there before", true, false, true, false},
        {"no NAT", false, false, false, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct s2_pair p;
        uint8_t copy[256];

        connect_by_nat(&p, rows[i].nat, false);
        const uint16_t usual = port_at_1(&p);
        p.manual = true;
        CU_ASSERT_EQUAL(s2_ike_check(p.end[0].ike, &p.end[0], p.now_ns), S2SVPN_OK);
        CU_ASSERT_TRUE_FATAL(p.queued == 1 && p.queue[0].len <= sizeof(copy));
        const s2svpn_endpoint local = p.queue[0].local;
        s2svpn_endpoint remote = p.queue[0].remote;
        const size_t len = p.queue[0].len;
        memcpy(copy, p.queue[0].p, len);
        copy[len - 1] ^= rows[i].forged;
        if (rows[i].replayed)
            CU_ASSERT_TRUE(s2_pair_deliver(&p, 1));
        remote.port = 39999;
        (void)s2_ike_receive(p.end[1].ike, &local, &remote, copy, len, p.now_ns);
        CHECK_ROW(rows[i].row, (p.end[1].moves == 1) == rows[i].moves);
        CHECK_ROW(rows[i].row, port_at_1(&p) == (rows[i].moves ? 39999 : usual));
        p.manual = false;
        s2_pair_close(&p);
    }
}

/* What vpn tells of a child's packets: authentic, newest, from another port. */
static void a_childs_packet_moves_the_peer_too(void)
{
    static const struct {
        const char *row;
        bool nat, ours_too, follow, moves;
    } rows[] = {
        {"behind a NAT", true, false, false, true},
        {"no NAT", false, false, true, false},
        {"we are behind one too", true, true, false, false},
        {"so we are, but are to follow", true, true, true, true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct s2_pair p;
        s2svpn_endpoint remote;

        connect_by_nat(&p, rows[i].nat, rows[i].follow);
        struct s2_ike_sa *sa = s2_ike_find_up(p.end[1].ike, &p.end[1]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(sa);
        const uint16_t usual = port_at_1(&p);
        sa->nat_local = rows[i].ours_too;
        remote = sa->path.remote;
        remote.port = 39999;
        s2_ike_heard_from(p.end[1].ike, &p.end[1], &remote, p.now_ns);
        s2_ike_heard_from(p.end[1].ike, &p.end[1], &remote, p.now_ns);
        CHECK_ROW(rows[i].row, port_at_1(&p) == (rows[i].moves ? 39999 : usual));
        s2_ike_heard_from(p.end[1].ike, &p.end[0], &remote, p.now_ns); /* nobody's */
        s2_pair_close(&p);
    }
}

/* An answer goes to where its request came from, whatever is known of the peer. */
static s2svpn_endpoint answered_to;

static bool note_answer(struct s2_pair *p, struct s2_pair_datagram *d)
{
    (void)p;
    if (d->to == 0 && (d->p[19] & S2_IKE_FLAG_RESPONSE) != 0)
        answered_to = d->local; /* where end 1 sent it */
    return true;
}

static void an_answer_goes_to_where_its_request_came_from(void)
{
    struct s2_pair p;
    uint8_t copy[256];

    connect_by_nat(&p, false, false);
    p.manual = true;
    CU_ASSERT_EQUAL(s2_ike_check(p.end[0].ike, &p.end[0], p.now_ns), S2SVPN_OK);
    const size_t len = p.queue[0].len;
    memcpy(copy, p.queue[0].p, len);
    s2svpn_endpoint remote = p.queue[0].remote;
    remote.port = 39999;
    p.filter = note_answer;
    CU_ASSERT_EQUAL(s2_ike_receive(p.end[1].ike, &p.queue[0].local, &remote, copy, len, p.now_ns),
                    S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(answered_to.port, 39999);
    /* Its retransmit too, from yet another place. */
    memcpy(copy, p.queue[0].p, len);
    remote.port = 29999;
    CU_ASSERT_EQUAL(s2_ike_receive(p.end[1].ike, &p.queue[0].local, &remote, copy, len, p.now_ns),
                    S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(answered_to.port, 29999);
    p.manual = false;
    s2_pair_close(&p);
}

/* What is out when the peer moves is sent again to where it is now. */
static uint16_t asked_at;

static bool lose_requests(struct s2_pair *p, struct s2_pair_datagram *d)
{
    if (d->to != 0 || (d->p[19] & S2_IKE_FLAG_RESPONSE) != 0)
        return true;
    asked_at = (uint16_t)(d->local.port + p->nat_shift); /* before the NAT took it off */
    return false;
}

static void a_request_follows_the_peer(void)
{
    struct s2_pair p;

    connect_by_nat(&p, true, false);
    p.filter = lose_requests;
    CU_ASSERT_EQUAL(s2_ike_check(p.end[1].ike, &p.end[1], p.now_ns), S2SVPN_OK);
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_EQUAL(asked_at, 24500);
    p.nat_shift = 30000;
    CU_ASSERT_EQUAL(s2_ike_check(p.end[0].ike, &p.end[0], p.now_ns), S2SVPN_OK);
    s2_pair_run_for(&p, 100 * S2_MS); /* not when its back-off ends */
    CU_ASSERT_EQUAL(asked_at, 34500);
    p.filter = NULL;
    s2_pair_run_for(&p, 20 * S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    s2_pair_close(&p);
}

const CU_TestInfo s2_test_rules_nat[] = {
    {"a NAT is where no hash fits", a_nat_is_where_no_hash_fits},
    {"only who is behind a NAT keeps it open", only_who_is_behind_a_nat_keeps_it_open},
    {"a peer moves only by an authentic new message and only behind a NAT",
     a_peer_moves_only_by_an_authentic_new_message_and_only_behind_a_nat},
    {"a child's packet moves the peer too", a_childs_packet_moves_the_peer_too},
    {"an answer goes to where its request came from",
     an_answer_goes_to_where_its_request_came_from},
    {"a request follows the peer", a_request_follows_the_peer},
    CU_TEST_INFO_NULL,
};
