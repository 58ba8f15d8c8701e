/* SPDX-License-Identifier: Apache-2.0 */
/* v2/: who doesn't get in by certificate: those whose certificate or proof isn't good, those
 * who use the other kind of proof, and those who send what no honest engine sends. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "harness.h"
#include "ike/certificates.h"
#include "ike/forge.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

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

/* ---- whose certificate isn't good */

enum flaw { NONE, EXPIRED, REVOKED, WRONG_CA, NO_INTERMEDIATE, WRONG_ID, WRONG_SUBJECT, NO_KEY };

static void spoil(struct s2_pair *p, unsigned e, enum flaw flaw)
{
    struct s2_fake_credentials *c = &mine[e];
    struct s2_ike_config *judge = &p->end[1 - e].config;

    switch (flaw) {
    case EXPIRED:
        c->certificate[0][2] = 'E';
        break;
    case REVOKED:
        c->certificate[0][2] = 'R';
        break;
    case WRONG_CA:
        c->certificate[0][0] = 'B';
        break;
    case NO_INTERMEDIATE:
        c->certificate[0][0] = 'I';
        break;
    case WRONG_ID:
        c->credentials.id.data[3] = 'Z';
        break;
    case WRONG_SUBJECT:
        judge->remote_subject = s2_span("0\2.Z", 4);
        break;
    case NO_KEY:
        c->identity.subject = 'Z';
        break;
    case NONE:
        break;
    }
}

static const struct {
    enum flaw flaw;
    const char *words;
} flaws[] = {
    {EXPIRED, "expired"},           {REVOKED, "revoked"},
    {WRONG_CA, "no authority"},     {NO_INTERMEDIATE, "no authority"},
    {WRONG_ID, "identity"},         {WRONG_SUBJECT, "somebody else's"},
    {NO_KEY, "signature is wrong"},
};

/* The peer learns that it failed and nothing else; the tunnel's log learns why, of whom. */
static void an_initiator_is_refused_and_the_reason_noted(void)
{
    for (size_t i = 0; i < 2 * COUNT(flaws); i++) {
        const char *row = flaws[i / 2].words;
        struct s2_pair p;

        s2_certificates_init(&p, i, mine);
        p.end[1].defer_jobs = i % 2 == 1;
        p.filter = s2_forge_keep_last;
        spoil(&p, 0, flaws[i / 2].flaw);
        s2_certificates_attempt(&p, S2_SECOND);
        CHECK_ROW(row, p.end[0].sa_ups + p.end[1].sa_ups == 0);
        CHECK_ROW(row, p.end[0].reason == S2_IKE_REASON_PEER_AUTHENTICATION);
        CHECK_ROW(row, p.end[1].verifies == 1 && p.end[1].signs == 0);
        CHECK_ROW(row, p.end[1].notes == 1 && strstr(p.end[1].note, row) != NULL);
        CHECK_ROW(row, strstr(p.end[1].note, "(peer 3002") != NULL);
        CHECK_ROW(row, p.end[1].spis_drawn == 0);
        s2_pair_run_for(&p, 60 * S2_SECOND);
        CHECK_ROW(row, s2_pair_sas(&p.end[0]) + s2_pair_sas(&p.end[1]) == 0);
        end_well(&p);
    }
}

static void a_responder_is_refused_and_told(void)
{
    for (size_t i = 0; i < 2 * COUNT(flaws); i++) {
        const char *row = flaws[i / 2].words;
        struct s2_pair p;

        s2_certificates_init(&p, 20 + i, mine);
        p.end[0].defer_jobs = i % 2 == 1;
        spoil(&p, 1, flaws[i / 2].flaw);
        s2_certificates_attempt(&p, 3 * S2_SECOND);
        CHECK_ROW(row, p.end[0].sa_ups == 0 && p.end[0].children == 0);
        CHECK_ROW(row, p.end[0].reason == S2_IKE_REASON_CERTIFICATE);
        CHECK_ROW(row, strstr(p.end[0].detail, row) != NULL);
        CHECK_ROW(row, p.end[1].sa_ups == 1 && p.end[1].reason == S2_IKE_REASON_PEER_DELETE);
        CHECK_ROW(row, s2_pair_sas(&p.end[0]) + s2_pair_sas(&p.end[1]) == 0);
        end_well(&p);
    }
}

static void another_identity_than_the_expected_one_costs_no_signature(void)
{
    for (unsigned e = 0; e < 2; e++) {
        struct s2_pair p;

        s2_certificates_init(&p, 40 + e, mine);
        p.end[e].config.remote_id = mine[e].credentials.id; /* the peer's is another */
        p.end[e].config.remote_id.data[3] = 'Q';
        s2_certificates_attempt(&p, 3 * S2_SECOND);
        CU_ASSERT_EQUAL(p.end[0].sa_ups, 0);
        CU_ASSERT_EQUAL(p.end[e].verifies, 0);
        CU_ASSERT_EQUAL(p.end[0].reason,
                        e == 0 ? S2_IKE_REASON_IDENTITY : S2_IKE_REASON_PEER_AUTHENTICATION);
        s2_pair_run_for(&p, 60 * S2_SECOND);
        end_well(&p);
    }
}

/* ---- the other kind of proof */

static void neither_kind_of_tunnel_takes_the_others_proof(void)
{
    for (unsigned by_key = 0; by_key < 2; by_key++) { /* the initiator */
        struct s2_pair p;

        s2_certificates_init(&p, 50 + by_key, mine);
        p.end[by_key ? 0 : 1].config.auth_by = S2_IKE_BY_PSK;
        for (size_t e = 0; e < 2; e++)
            (void)s2_secret_set(&p.end[e].config.psk, "the same", 8);
        s2_certificates_attempt(&p, S2_SECOND);
        CU_ASSERT_EQUAL(p.end[0].sa_ups + p.end[1].sa_ups, 0);
        CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_PEER_AUTHENTICATION);
        CU_ASSERT_EQUAL(p.end[1].verifies, 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(p.end[1].note, "pre-shared key"));
        CU_ASSERT_PTR_NOT_NULL(strstr(p.end[1].note, by_key ? "this tunnel certificates"
                                                            : "which the peer doesn't use"));
        s2_pair_run_for(&p, 60 * S2_SECOND);
        end_well(&p);
    }
}

/* The config of end 0 is changed while its IKE_AUTH is out: so the answer is by the other
 * kind. */
static void nor_does_an_initiator(void)
{
    for (unsigned by_key = 0; by_key < 2; by_key++) {
        struct s2_pair p;

        s2_certificates_init(&p, 60 + by_key, mine);
        for (size_t e = 0; e < 2; e++) {
            if (by_key)
                p.end[e].config.auth_by = S2_IKE_BY_PSK;
            (void)s2_secret_set(&p.end[e].config.psk, "the same", 8);
        }
        s2_certificates_attempt(&p, 25 * S2_MS);
        const struct s2_ike_owner *owner = s2_ike_find_owner(p.end[0].ike, &p.end[0]);
        struct s2_ike_sa *sa = S2_CONTAINER(owner->sas.next, struct s2_ike_sa, owner_link);
        CU_ASSERT_EQUAL_FATAL(sa->state, S2_IKE_STATE_AUTH_SENT);
        p.end[0].live->auth_by = by_key ? S2_IKE_BY_CERTIFICATE : S2_IKE_BY_PSK;
        if (by_key)
            s2_ike_handshake_use(sa->handshake, &mine[0].credentials);
        s2_pair_run_for(&p, 3 * S2_SECOND);
        CU_ASSERT_EQUAL(p.end[0].sa_ups, 0);
        CU_ASSERT_EQUAL(p.end[0].verifies, 0);
        CU_ASSERT_EQUAL(p.end[0].reason,
                        by_key ? S2_IKE_REASON_CERTIFICATE : S2_IKE_REASON_AUTHENTICATION);
        CU_ASSERT_PTR_NOT_NULL(strstr(p.end[0].detail, by_key ? "the peer uses a pre-shared key"
                                                              : "the peer doesn't use one"));
        CU_ASSERT_EQUAL(s2_pair_sas(&p.end[0]) + s2_pair_sas(&p.end[1]), 0);
        end_well(&p);
    }
}

static void without_certificates_nothing_comes_up_and_it_is_said(void)
{
    struct s2_pair p;

    s2_certificates_init(&p, 70, mine);
    p.end[1].config.credentials = NULL;
    s2_certificates_attempt(&p, S2_SECOND);
    CU_ASSERT_EQUAL(p.end[0].sa_ups + p.end[1].sa_ups, 0);
    CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_PEER_AUTHENTICATION);
    CU_ASSERT_PTR_NOT_NULL(strstr(p.end[1].note, "this tunnel has no certificate"));
    CU_ASSERT_EQUAL(s2_ike_initiate(p.end[1].ike, p.end[1].live, p.now_ns), S2SVPN_E_STATE);
    CU_ASSERT_STRING_EQUAL(p.end[1].fake.error.field, "certificates");
    p.end[1].live->credentials = &mine[1].credentials; /* now there are */
    s2_pair_run_for(&p, 60 * S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 1));
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    end_well(&p);
}

/* ---- what no honest engine sends */

/* An initiator up to IKE_AUTH, whose own request is held back. */
static struct s2_ike_sa *half_open(struct s2_pair *p, uint64_t seed)
{
    s2_certificates_init(p, seed, mine);
    p->filter = s2_forge_keep_last;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(p));
    CU_ASSERT_TRUE(s2_pair_initiate(p, 0));
    p->manual = true;
    CU_ASSERT_TRUE(s2_pair_deliver(p, 1));
    CU_ASSERT_TRUE(s2_pair_deliver(p, 0));
    const struct s2_ike_owner *owner = s2_ike_find_owner(p->end[0].ike, &p->end[0]);
    CU_ASSERT_PTR_NOT_NULL_FATAL(owner);
    struct s2_ike_sa *sa = S2_CONTAINER(owner->sas.next, struct s2_ike_sa, owner_link);
    CU_ASSERT_EQUAL_FATAL(sa->state, S2_IKE_STATE_AUTH_SENT);
    s2_forge_last_len = 0;
    return sa;
}

struct forged {
    const char *row;
    const char *encodings; /* of its CERT payloads, a byte each */
    size_t data_len;       /* of each certificate */
    int method;            /* 0: no AUTH payload */
    size_t auth_len;
    unsigned auths;
    uint16_t told;
    unsigned verifies;
    const char *note; /* NULL: none */
};

#define FAILED S2_IKE_N_AUTHENTICATION_FAILED
#define SYNTAX S2_IKE_N_INVALID_SYNTAX
#define EIGHT "\4\4\4\4\4\4\4\4"

static const struct forged forged[] = {
    {"no certificate", "", 9, 14, 64, 1, FAILED, 0, "no certificate"},
    {"odd encodings alone", "\1\2\3\7\13\14\15\377", 9, 14, 64, 1, FAILED, 0, "no certificate"},
    {"odd ones between", "\14\4\1", 400, 14, 64, 1, FAILED, 1, "signature"},
    {"nine certificates", EIGHT "\4", 9, 14, 64, 1, FAILED, 0, "too many certificates"},
    {"eight, and an odd one", EIGHT "\14", 9, 14, 64, 1, FAILED, 0, "too many certificates"},
    {"eight", EIGHT, 9, 14, 64, 1, FAILED, 1, "signature"},
    {"a short certificate", "\4", 1, 14, 64, 1, FAILED, 1, "malformed"},
    {"an empty certificate", "\4", 0, 14, 64, 1, SYNTAX, 0, NULL},
    {"an empty one of an odd encoding", "\4\14", 0, 14, 64, 1, SYNTAX, 0, NULL},
    {"no AUTH", "\4", 9, 0, 0, 0, SYNTAX, 0, NULL},
    {"two AUTHs", "\4", 9, 14, 64, 2, SYNTAX, 0, NULL},
    {"an empty AUTH", "\4", 9, 14, 0, 1, SYNTAX, 0, NULL},
    {"a pre-shared key's proof", "\4", 9, 2, 20, 1, FAILED, 0, "pre-shared key"},
    {"DSS", "\4", 9, 3, 40, 1, FAILED, 0, "method"},
    {"a null proof", "\4", 9, 13, 20, 1, FAILED, 0, "method"},
    {"method 255", "\4", 9, 255, 64, 1, FAILED, 0, "method"},
    {"a signature of a byte", "\4", 9, 1, 1, 1, FAILED, 1, "signature"},
    {"the longest signature", "\4", 9, 1, S2SVPN_AUTH_MAX, 1, FAILED, 1, "signature"},
    {"a longer one", "\4", 9, 1, S2SVPN_AUTH_MAX + 1, 1, FAILED, 0, "malformed"},
};

static void compose(struct s2_ike_sa *sa, const struct forged *f)
{
    uint8_t bytes[1 + 1200] = {0}, auth[1200];
    const size_t head = f->data_len < 3 ? f->data_len : 3;

    memset(auth, 'x', sizeof(auth));
    CU_ASSERT_EQUAL_FATAL(s2_ike_compose_request(&s2_forge_compose, sa, S2_IKE_AUTH), S2SVPN_OK);
    s2_ike_add_id(&s2_forge_compose, S2_IKE_PAYLOAD_IDI, &mine[0].credentials.id);
    for (size_t i = 0; i < strlen(f->encodings); i++) {
        bytes[0] = (uint8_t)f->encodings[i];
        memcpy(bytes + 1, "AL-", head);
        s2_ike_add_bytes(&s2_forge_compose, S2_IKE_PAYLOAD_CERT, s2_span(bytes, 1 + f->data_len));
    }
    for (size_t i = 0; i < f->auths; i++) {
        s2_ike_payload_begin(s2_forge_compose.chain, S2_IKE_PAYLOAD_AUTH);
        s2_ike_write_auth(&s2_forge_compose.w, (uint8_t)f->method, s2_span(auth, f->auth_len));
        s2_ike_payload_end(s2_forge_compose.chain);
    }
    s2_forge_add_parts(&s2_forge_compose, sa, S2_PART_ALL & ~(S2_PART_KE | S2_PART_NONCE),
                       0x77777777);
}

static void what_is_wrong_in_form_costs_no_signature(void)
{
    for (size_t i = 0; i < COUNT(forged); i++) {
        const struct forged *f = &forged[i];
        struct s2_pair p;

        struct s2_ike_sa *sa = half_open(&p, 80 + i);
        compose(sa, f);
        CHECK_ROW(f->row, s2_forge_give_sealed(&p, sa) == S2SVPN_DROP_NONE);
        CHECK_ROW(f->row, s2_forge_told(sa) == f->told);
        CHECK_ROW(f->row, p.end[1].verifies == f->verifies);
        CHECK_ROW(f->row, p.end[1].signs == 0 && p.end[1].sa_ups == 0);
        CHECK_ROW(f->row, p.end[1].notes == (f->note != NULL));
        CHECK_ROW(f->row, f->note == NULL || strstr(p.end[1].note, f->note) != NULL);
        s2_pair_forget(&p, 0);
        p.manual = false;
        s2_pair_run_for(&p, 60 * S2_SECOND);
        CHECK_ROW(f->row, s2_pair_sas(&p.end[1]) == 0);
        end_well(&p);
    }
}

/* AUTHENTICATION_FAILED alone: no IDr, no certificate of ours, no AUTH. */
static void a_refusal_says_nothing_else(void)
{
    struct s2_ike_payloads list;
    struct s2_pair p;

    struct s2_ike_sa *sa = half_open(&p, 110);
    mine[0].certificate[0][2] = 'R';
    compose(sa, &forged[2]);
    CU_ASSERT_EQUAL(s2_forge_give_sealed(&p, sa), S2SVPN_DROP_NONE);
    CU_ASSERT_TRUE(s2_forge_open_last(sa, &list));
    CU_ASSERT_EQUAL(list.count, 1);
    CU_ASSERT_EQUAL(list.item[0].type, S2_IKE_PAYLOAD_NOTIFY);
    s2_pair_forget(&p, 0);
    p.manual = false;
    s2_pair_run_for(&p, 60 * S2_SECOND);
    end_well(&p);
}

/* One IKE SA, one path to check: whatever else comes on it meanwhile or afterwards. */
static void a_second_attempt_on_an_ike_sa_costs_no_second_check(void)
{
    for (unsigned later = 0; later < 2; later++) {
        struct s2_pair p;

        struct s2_ike_sa *sa = half_open(&p, 120 + later);
        p.end[1].defer_jobs = true;
        compose(sa, &forged[2]);
        CU_ASSERT_EQUAL(s2_forge_give_sealed(&p, sa), S2SVPN_DROP_NONE);
        s2_pair_run_for(&p, S2_MS); /* the shared secret is there */
        CU_ASSERT_EQUAL(p.end[1].verifies, 1);
        if (later)
            s2_pair_run_for(&p, 3 * S2_MS);
        for (size_t i = 0; i < 5; i++) {
            compose(sa, &forged[i]);
            CU_ASSERT_NOT_EQUAL(s2_forge_give_sealed(&p, sa), S2SVPN_DROP_NONE);
        }
        s2_pair_run_for(&p, S2_SECOND);
        CU_ASSERT_EQUAL(p.end[1].verifies, 1);
        CU_ASSERT_EQUAL(p.end[1].notes, 1);
        s2_pair_forget(&p, 0);
        p.manual = false;
        s2_pair_run_for(&p, 60 * S2_SECOND);
        end_well(&p);
    }
}

/* Noise in its place is no attempt: the real one comes up after it. */
static void what_cant_be_decrypted_takes_nobodys_turn(void)
{
    struct s2_pair p;

    struct s2_ike_sa *sa = half_open(&p, 130);
    CU_ASSERT_EQUAL_FATAL(s2_ike_compose_request(&s2_forge_compose, sa, S2_IKE_AUTH), S2SVPN_OK);
    s2_ike_add_id(&s2_forge_compose, S2_IKE_PAYLOAD_IDI, &mine[0].credentials.id);
    CU_ASSERT_EQUAL(s2_ike_sk_end(&s2_forge_compose.sk, &sa->ike->crypto, &sa->keys, true, 999),
                    S2SVPN_OK);
    s2_forge_compose.bytes[s2_forge_compose.w.len - 1] ^= 1;
    (void)s2_ike_receive(p.end[1].ike, &p.end[1].config.local, &p.end[0].config.local,
                         s2_forge_compose.bytes, s2_forge_compose.w.len, p.now_ns);
    CU_ASSERT_EQUAL(p.end[1].verifies, 0);
    p.manual = false;
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    CU_ASSERT_EQUAL(p.end[1].verifies, 1);
    end_well(&p);
}

const CU_TestInfo s2_test_certificate_refused[] = {
    {"an initiator is refused and the reason noted", an_initiator_is_refused_and_the_reason_noted},
    {"a responder is refused and told", a_responder_is_refused_and_told},
    {"another identity than the expected one costs no signature",
     another_identity_than_the_expected_one_costs_no_signature},
    {"neither kind of tunnel takes the other's proof",
     neither_kind_of_tunnel_takes_the_others_proof},
    {"nor does an initiator", nor_does_an_initiator},
    {"without certificates nothing comes up, and it is said",
     without_certificates_nothing_comes_up_and_it_is_said},
    {"what is wrong in form costs no signature", what_is_wrong_in_form_costs_no_signature},
    {"a refusal says nothing else", a_refusal_says_nothing_else},
    {"a second attempt on an IKE SA costs no second check",
     a_second_attempt_on_an_ike_sa_costs_no_second_check},
    {"what can't be decrypted takes nobody's turn", what_cant_be_decrypted_takes_nobodys_turn},
    CU_TEST_INFO_NULL,
};
