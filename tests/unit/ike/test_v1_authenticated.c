/* SPDX-License-Identifier: Apache-2.0 */
/* IKEv1 messages that are authentic and wrong, and quick modes done by hand: proposals,
 * identities, what stands behind a delete, narrower and wider answers, the commit bit. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "harness.h"
#include "ike/v1_forge.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- authentic, and wrong */

struct wrong_quick {
    const char *row;
    uint8_t transform; /* ESP's */
    uint16_t integ;    /* 0: no such attribute */
    uint16_t key_bits;
    uint8_t id_type[2]; /* of IDci and IDcr; 0: none */
    uint16_t says;      /* the notification that refuses it */
};
static const struct wrong_quick wrong_quicks[] = {
    {"AES-GMAC, bogus (CVE-2024-3652)", 23, 0, 128, {4, 4}, S2_IKE1_N_NO_PROPOSAL_CHOSEN},
    {"AES-GMAC with a hash", 23, 2, 128, {4, 4}, S2_IKE1_N_NO_PROPOSAL_CHOSEN},
    {"NULL encryption", 11, 2, 0, {4, 4}, S2_IKE1_N_NO_PROPOSAL_CHOSEN},
    {"AES-CBC without a hash", 12, 0, 128, {4, 4}, S2_IKE1_N_NO_PROPOSAL_CHOSEN},
    {"a cipher that nobody has", 250, 2, 128, {4, 4}, S2_IKE1_N_NO_PROPOSAL_CHOSEN},
    {"a name as IDcr (CVE-2023-38711)", 12, 2, 128, {4, 2}, S2_IKE1_N_INVALID_ID_INFORMATION},
    {"a name as IDci", 12, 2, 128, {2, 4}, S2_IKE1_N_INVALID_ID_INFORMATION},
    {"one ID alone", 12, 2, 128, {4, 0}, S2_IKE1_N_INVALID_ID_INFORMATION},
    {"an ID of type 200", 12, 2, 128, {4, 200}, S2_IKE1_N_INVALID_ID_INFORMATION},
};

static void add_quick_sa(const struct wrong_quick *w)
{
    static struct s2_ike1_sa_payload sa;

    sa = (struct s2_ike1_sa_payload){
        .count = 1,
        .transforms = 1,
        .proposal = {{.number = 1,
                      .protocol = S2_IKE1_PROTO_ESP,
                      .spi_len = 4,
                      .spi = {1, 2, 3, 4},
                      .count = 1}},
        .transform = {{.number = 1,
                       .id = w->transform,
                       .key_bits = w->key_bits,
                       .integ = w->integ,
                       .encapsulation = S2_IKE1_TUNNEL,
                       .life_s = 3600}},
    };
    s2_ike1_payload_begin(&s2_v1_forged.chain, S2_IKE1_PAYLOAD_SA);
    s2_ike1_write_sa(&s2_v1_forged.w, &sa);
    s2_ike1_payload_end(&s2_v1_forged.chain);
}

static void add_id(uint8_t type, unsigned second)
{
    const uint8_t net[] = {type, 0, 0, 0, second ? 172 : 10, second ? 31 : 0, 0, 0, 255, 255, 0, 0};
    const uint8_t name[] = {type, 0, 0, 0, 'a', '.', 'b'};

    if (type == 4)
        s2_v1_add(S2_IKE1_PAYLOAD_ID, net, sizeof(net));
    else if (type != 0)
        s2_v1_add(S2_IKE1_PAYLOAD_ID, name, sizeof(name));
}

static void wrong_quick_modes_are_refused_and_named(void)
{
    static const uint8_t nonce[16] = {1};

    for (size_t i = 0; i < COUNT(wrong_quicks); i++) {
        const struct wrong_quick *w = &wrong_quicks[i];
        struct s2_pair p;

        s2_pair_init_v1(&p, 10);
        p.end[0].config.esp.ke_count = p.end[1].config.esp.ke_count = 0;
        CU_ASSERT_TRUE_FATAL(s2_pair_connect(&p));
        const struct s2_ike_sa *sa = s2_v1_sa_of(&p, 0);
        s2_v1_begin_sealed(sa, S2_IKE1_QUICK, 5000);
        add_quick_sa(w);
        s2_v1_add(S2_IKE1_PAYLOAD_NONCE, nonce, sizeof(nonce));
        add_id(w->id_type[0], 0);
        add_id(w->id_type[1], 1);
        CHECK_ROW(w->row, s2_v1_give_sealed(&p, sa, 5000) == S2SVPN_DROP_NONE);
        CHECK_ROW(w->row, strstr(p.end[1].note, s2_ike1_notify_name(w->says)) != NULL);
        CHECK_ROW(w->row, p.end[1].children == 1 && s2_pair_balances(&p.end[1]));
        s2_v1_unharmed(&p, w->row);
    }
}

/* What stands behind the delete of the SA itself finds none. */
static void nothing_is_looked_at_behind_a_delete(void)
{
    static const uint8_t number[4] = {0, 0, 0, 9};
    uint8_t cookies[16] = {0};

    for (unsigned orphan = 0; orphan < 2; orphan++) {
        struct s2_pair p;

        s2_v1_up(&p, 11);
        const struct s2_ike_sa *sa = s2_v1_sa_of(&p, 0);
        s2_put_u64(cookies, s2_ike_spi_i(sa));
        s2_put_u64(cookies + 8, s2_ike_spi_r(sa));
        s2_v1_begin_sealed(sa, S2_IKE1_INFORMATIONAL, 6000);
        if (orphan == 0)
            s2_v1_add_delete(sa, p.end[0].child[0].spi_in);
        s2_v1_add_delete(sa, 0);
        s2_v1_add_notify(S2_IKE1_N_R_U_THERE, s2_span(cookies, 16), s2_span(number, 4));
        s2_v1_add_delete(sa, 0);
        const unsigned sent = p.end[1].sent;
        CU_ASSERT_EQUAL(s2_v1_give_sealed(&p, sa, 6000), S2SVPN_DROP_NONE);
        CU_ASSERT_EQUAL(p.end[1].sent, sent);
        CU_ASSERT_EQUAL(p.end[1].sa_downs, 1 - orphan);
        s2_pair_close(&p);
        CU_ASSERT_EQUAL(p.end[0].fake.live + p.end[1].fake.live, 0);
    }
}

/* Types of IKEv2, unknown ones, thirty and more; in plain and sealed messages. */
static void payload_types_of_the_other_version_mean_nothing(void)
{
    static const uint8_t body[64] = {0};
    uint32_t id = 7000;
    struct s2_pair p;

    s2_v1_up(&p, 12);
    const struct s2_ike_sa *sa = s2_v1_sa_of(&p, 0);
    for (unsigned type = 2; type < 256; type++) {
        if (type == S2_IKE1_PAYLOAD_NOTIFY || type == S2_IKE1_PAYLOAD_DELETE)
            continue;
        s2_v1_begin_sealed(sa, S2_IKE1_INFORMATIONAL, ++id);
        s2_v1_add((uint8_t)type, body, sizeof(body));
        (void)s2_v1_give_sealed(&p, sa, id);
        s2_ike1_compose(&s2_v1_forged, sa, S2_IKE1_MAIN, 0);
        for (unsigned i = 0; i < 40; i++)
            s2_v1_add((uint8_t)type, body, sizeof(body));
        CU_ASSERT_EQUAL(s2_ike1_write_end(&s2_v1_forged.w), S2SVPN_OK);
        CU_ASSERT_NOT_EQUAL(s2_v1_give_forged(&p), S2SVPN_DROP_NONE);
    }
    s2_v1_unharmed(&p, "types of the other version");
}

/* ---- what a peer answers to our quick mode */

/* End 0's first message, read with its keys; then the second, by hand: with a network of
 * that length behind end 1. */
static void answer_by_hand(struct s2_pair *p, const struct s2_ike_sa *sa, uint8_t mask)
{
    static const uint8_t nonce[16] = {3};
    const uint8_t local[] = {4, 0, 0, 0, 10, 0, 0, 0, 255, 255, 0, 0};
    const uint8_t remote[] = {4, 0, 0, 0, 172, 31, 0, 0, 255, mask, 0, 0};
    const struct s2_ike_crypto *crypto = &sa->ike->crypto;
    const struct s2_ike1_keys *keys = &sa->v1->keys;
    const struct wrong_quick good = {"good", 12, 2, 128, {4, 4}, 0};
    const uint32_t id = s2_get_u32(s2_v1_heard[1][0] + 20);
    struct s2_ike1_payloads list;
    struct s2_ike1_iv iv, next;
    uint8_t ni[S2_IKE1_NONCE_MAX];
    struct s2_reader r;
    s2svpn_span plain;

    CU_ASSERT_EQUAL(s2_ike1_iv_message(crypto, keys, &sa->v1->iv, id, &iv), S2SVPN_OK);
    CU_ASSERT_EQUAL(
        s2_ike1_open(crypto, keys, &iv, s2_v1_heard[1][0], s2_v1_heard_len[1][0], &plain, &next),
        S2SVPN_OK);
    s2_reader_init(&r, plain.p, plain.len);
    CU_ASSERT_EQUAL(s2_ike1_parse_payloads(&r, S2_IKE1_PAYLOAD_HASH, true, &list), S2SVPN_OK);
    const struct s2_ike1_payload *n = s2_ike1_find(&list, S2_IKE1_PAYLOAD_NONCE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(n);
    memcpy(ni, n->body.p, n->body.len);
    s2_v1_begin_sealed(sa, S2_IKE1_QUICK, id);
    add_quick_sa(&good);
    s2_v1_add(S2_IKE1_PAYLOAD_NONCE, nonce, sizeof(nonce));
    s2_v1_add(S2_IKE1_PAYLOAD_ID, local, sizeof(local));
    s2_v1_add(S2_IKE1_PAYLOAD_ID, remote, sizeof(remote));
    CU_ASSERT_EQUAL(
        s2_ike1_hashed_end(&s2_v1_forged.w, crypto, keys, id, s2_span(ni, n->body.len), &next),
        S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_v1_give(p, 0, s2_v1_forged.bytes, s2_v1_forged.w.len), S2SVPN_DROP_NONE);
}

static void narrower_selectors_in_an_answer_are_taken_and_wider_refused(void)
{
    static const struct {
        uint8_t mask; /* second octet of it */
        bool up;
    } rows[] = {{255, true}, {0, false}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct s2_pair p;

        s2_pair_init_v1(&p, 15);
        for (unsigned e = 0; e < 2; e++) {
            p.end[e].config.esp.ke_count = 0;
            p.end[e].config.esp.integ[0] = S2SVPN_INTEG_HMAC_SHA1_96;
        }
        p.end[0].config.remote_net.length = 12; /* 172.16.0.0/12 */
        p.end[0].config.remote_net.address.bytes[1] = 16;
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
        s2_pair_run_for(&p, 55 * S2_MS);
        p.manual = true; /* the sixth message is on its way, and quick mode stays here */
        s2_v1_heard_count[1] = 0;
        p.filter = s2_v1_hear;
        CU_ASSERT_TRUE(s2_pair_deliver(&p, 0));
        CU_ASSERT_EQUAL_FATAL(s2_v1_heard_count[1], 1);
        answer_by_hand(&p, s2_v1_sa_of(&p, 0), rows[i].mask);
        CU_ASSERT_EQUAL(s2_pair_children_up(&p.end[0]) == 1, rows[i].up);
        if (rows[i].up)
            CU_ASSERT_EQUAL(p.end[0].child[0].remote_ts.last[1], 31);
        CU_ASSERT_EQUAL(p.end[0].sa_downs == 0, rows[i].up);
        s2_pair_close(&p);
    }
}

/* ---- the commit bit */

static void the_commit_bit_is_answered_by_connected(void)
{
    static const uint8_t nonce[16] = {2};
    const struct wrong_quick good = {"good", 12, 2, 128, {4, 4}, 0};
    struct s2_ike1_payloads list;
    struct s2_ike1_iv iv, next;
    uint8_t hash[S2_IKE1_HASH_MAX];
    struct s2_reader r;
    s2svpn_span plain;
    struct s2_pair p;

    s2_pair_init_v1(&p, 14);
    p.end[0].config.esp.ke_count = p.end[1].config.esp.ke_count = 0;
    CU_ASSERT_TRUE_FATAL(s2_pair_connect(&p));
    const struct s2_ike_sa *sa = s2_v1_sa_of(&p, 0);
    const struct s2_ike_crypto *crypto = &sa->ike->crypto;
    s2_v1_begin_sealed(sa, S2_IKE1_QUICK, 8000);
    s2_v1_forged.bytes[19] |= S2_IKE1_FLAG_COMMIT;
    add_quick_sa(&good);
    s2_v1_add(S2_IKE1_PAYLOAD_NONCE, nonce, sizeof(nonce));
    add_id(4, 0);
    add_id(4, 1);
    p.manual = true;
    s2_v1_heard_count[0] = 0;
    p.filter = s2_v1_hear;
    CU_ASSERT_EQUAL(s2_v1_give_sealed(&p, sa, 8000), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL_FATAL(s2_v1_heard_count[0], 1);
    CU_ASSERT_EQUAL(p.end[1].children, 2); /* there before the third message */
    CU_ASSERT_PTR_EQUAL(p.end[1].outbound, &p.end[1].child[0]);

    /* IV of the third: the second's last block; the second's IV: the first's. */
    memcpy(iv.bytes, s2_v1_forged.bytes + s2_v1_forged.w.len - 16, 16);
    CU_ASSERT_EQUAL(s2_ike1_open(crypto, &sa->v1->keys, &iv, s2_v1_heard[0][0],
                                 s2_v1_heard_len[0][0], &plain, &next),
                    S2SVPN_OK);
    s2_reader_init(&r, plain.p, plain.len);
    CU_ASSERT_EQUAL(s2_ike1_parse_payloads(&r, S2_IKE1_PAYLOAD_HASH, true, &list), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_ike1_hashed_check(crypto, &sa->v1->keys, 8000, s2_span(nonce, 16), &list),
                    S2SVPN_OK);
    const struct s2_ike1_payload *nr = s2_ike1_find(&list, S2_IKE1_PAYLOAD_NONCE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(nr);
    CU_ASSERT_EQUAL(s2_ike1_hash_3(crypto, &sa->v1->keys, 8000, s2_span(nonce, 16), nr->body, hash),
                    S2SVPN_OK);
    s2_ike1_compose(&s2_v1_forged, sa, S2_IKE1_QUICK, 8000);
    s2_v1_add(S2_IKE1_PAYLOAD_HASH, hash, s2_ike1_hash_len(&sa->v1->keys));
    CU_ASSERT_EQUAL(s2_ike1_seal(&s2_v1_forged.w, crypto, &sa->v1->keys, &next), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_v1_give_forged(&p), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL_FATAL(s2_v1_heard_count[0], 2);
    CU_ASSERT_EQUAL(s2_v1_heard[0][1][18], S2_IKE1_INFORMATIONAL);
    const uint32_t id = s2_get_u32(s2_v1_heard[0][1] + 20);
    CU_ASSERT_EQUAL(s2_ike1_iv_message(crypto, &sa->v1->keys, &sa->v1->iv, id, &iv), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_ike1_open(crypto, &sa->v1->keys, &iv, s2_v1_heard[0][1],
                                 s2_v1_heard_len[0][1], &plain, &next),
                    S2SVPN_OK);
    s2_reader_init(&r, plain.p, plain.len);
    CU_ASSERT_EQUAL(s2_ike1_parse_payloads(&r, S2_IKE1_PAYLOAD_HASH, true, &list), S2SVPN_OK);
    const struct s2_ike1_payload *n = s2_ike1_find(&list, S2_IKE1_PAYLOAD_NOTIFY);
    struct s2_ike1_notify_payload notify = {0};
    CU_ASSERT_PTR_NOT_NULL_FATAL(n);
    s2_reader_init(&r, n->body.p, n->body.len);
    CU_ASSERT_EQUAL(s2_ike1_parse_notify(&r, &notify), S2SVPN_OK);
    CU_ASSERT_EQUAL(notify.type, S2_IKE1_N_CONNECTED);
    s2_pair_close(&p);
}

const CU_TestInfo s2_test_v1_authenticated[] = {
    {"wrong quick modes are refused and named (CVE-2024-3652, CVE-2023-38711)",
     wrong_quick_modes_are_refused_and_named},
    {"nothing is looked at behind a delete (CVE-2023-38712)", nothing_is_looked_at_behind_a_delete},
    {"payload types of the other version mean nothing (CVE-2015-3991)",
     payload_types_of_the_other_version_mean_nothing},
    {"narrower selectors in an answer are taken and wider refused",
     narrower_selectors_in_an_answer_are_taken_and_wider_refused},
    {"the commit bit is answered by CONNECTED", the_commit_bit_is_answered_by_connected},
    CU_TEST_INFO_NULL,
};
