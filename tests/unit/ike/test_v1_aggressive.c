/* SPDX-License-Identifier: Apache-2.0 */
/* Aggressive mode as initiator, against a responder that is played here: none of ours
 * answers it. RFC 2409 section 5.4. */
#include <string.h>

#include <CUnit/CUnit.h>

#include "base/address.h"
#include "base/text.h"
#include "harness.h"
#include "ike/fake_crypto.h"
#include "ike/v1_forge.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum wrong {
    NOTHING,
    KEY,
    HASH_BYTE,
    GROUP,
    NO_COOKIE,
    NO_ID,
    NO_HASH,
    SHORT_KE,
    MAIN_INSTEAD,
};

/* The responder: what it has heard, what it says. */
struct responder {
    enum wrong wrong;
    bool nat;
    unsigned firsts, thirds;
    bool third_right;
    uint16_t third_port; /* where it was sent to */
    struct s2_ike1_keys keys;
    struct s2_ike1_iv iv;
    struct s2_ike1_phase1 words;
    uint8_t first[8192], second[4096];
    size_t second_len;
    uint8_t value[1024], shared[1024];
};

#define COOKIE_R UINT64_C(0x7e57)

static const uint8_t nonce_r[32] = {7};
static const uint8_t id_r[] = {1, 0, 0, 0, 192, 0, 2, 99}; /* ID_IPV4_ADDR */

struct message {
    struct s2_ike1_header h;
    struct s2_ike1_payloads list;
};

static bool read_message(const uint8_t *p, size_t len, struct message *out)
{
    struct s2_reader r;

    s2_reader_init(&r, p, len);
    return s2_ike1_parse_header(&r, &out->h) == S2SVPN_OK &&
           s2_ike1_parse_payloads(&r, out->h.next_payload, false, &out->list) == S2SVPN_OK;
}

static s2svpn_span body_of(const struct message *m, uint8_t type)
{
    const struct s2_ike1_payload *p = s2_ike1_find(&m->list, type);

    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    return p->body;
}

/* Its Diffie-Hellman is the fake backend's. */
static void make_values(struct responder *r, const s2svpn_algorithm *row, s2svpn_span theirs)
{
    static const uint8_t secret[S2SVPN_KE_PRIVATE_MAX] = {5};
    struct s2_fake_crypto fake = {0};
    s2svpn_job job = {.size = sizeof(job),
                      .kind = S2SVPN_JOB_KE_PUBLIC,
                      .ke = row->id,
                      .secret = {secret, row->private_len},
                      .out = r->value,
                      .out_len = row->out_len};
    s2svpn_status rc;

    (void)s2_fake_crypto_ops()->start_job(&fake, &job, &rc);
    CU_ASSERT_EQUAL(rc, S2SVPN_OK);
    job.kind = S2SVPN_JOB_KE_SHARED;
    job.in = theirs;
    job.out = r->shared;
    job.out_len = row->secret_len;
    (void)s2_fake_crypto_ops()->start_job(&fake, &job, &rc);
    CU_ASSERT_EQUAL(rc, S2SVPN_OK);
}

static struct s2_ike_crypto fake_backend(void)
{
    static struct s2_fake_crypto fake;

    return (struct s2_ike_crypto){s2_fake_crypto_ops(), &fake};
}

/* The offer's first transform, and the group of all of them. */
static void choose(struct s2_pair *p, struct responder *r, const struct message *m,
                   struct s2_ike1_suite *suite, struct s2_ike1_sa_payload *answer)
{
    const struct s2_ike_choices all = p->end[1].config.ike;
    const struct s2_ike1_terms terms = {.crypto = s2_fake_crypto_ops(),
                                        .choices = &all,
                                        .protocol = S2_IKE1_PROTO_ISAKMP,
                                        .life_s = 3600};
    const s2svpn_span body = body_of(m, S2_IKE1_PAYLOAD_SA);
    static struct s2_ike1_sa_payload offer;
    struct s2_reader reader;

    s2_reader_init(&reader, body.p, body.len);
    CU_ASSERT_EQUAL_FATAL(s2_ike1_parse_sa(&reader, &offer), S2SVPN_OK);
    for (size_t i = 1; i < offer.transforms; i++)
        CU_ASSERT_EQUAL(offer.transform[i].group, offer.transform[0].group);
    CU_ASSERT_EQUAL_FATAL(s2_ike1_choose(&terms, &offer, suite, answer), S2SVPN_OK);
    if (r->wrong == GROUP) {
        answer->transform[0].group++;
        answer->transform[0].attributes = s2_span(NULL, 0);
    }
}

static void begin_message(struct s2_ike1_compose *c, const struct responder *r, uint64_t cookie_i)
{
    const struct s2_ike1_header h = {
        .cookie_i = cookie_i,
        .cookie_r = r->wrong == NO_COOKIE ? 0 : COOKIE_R,
        .version = S2_IKE1_VERSION,
        .exchange = r->wrong == MAIN_INSTEAD ? S2_IKE1_MAIN : S2_IKE1_AGGRESSIVE,
    };

    s2_writer_init(&c->w, c->bytes, sizeof(c->bytes));
    s2_ike1_write_header(&c->w, &h);
    s2_ike1_chain_begin(&c->chain, &c->w);
}

/* HDR, SA, KE, Nr, IDir, HASH_R. */
static void compose_second(struct s2_pair *p, struct responder *r, const struct message *m)
{
    static const uint8_t elsewhere[32] = {0};
    const struct s2_ike_crypto crypto = fake_backend();
    const s2svpn_span theirs = body_of(m, S2_IKE1_PAYLOAD_KE);
    const s2svpn_span psk =
        r->wrong == KEY ? s2_span("another", 7) : s2_secret_span(&p->end[1].config.psk);
    static struct s2_ike1_sa_payload answer;
    static struct s2_ike1_compose c;
    struct s2_ike1_suite suite;
    uint8_t hash[S2_IKE1_HASH_MAX];

    choose(p, r, m, &suite, &answer);
    const s2svpn_algorithm *row = s2_ike_algorithm(&crypto, S2SVPN_TRANSFORM_KE, suite.ke, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    CU_ASSERT_EQUAL_FATAL(theirs.len, row->out_len);
    make_values(r, row, theirs);
    CU_ASSERT_EQUAL(s2_ike1_derive_keys(&crypto, &suite, psk, s2_span(r->shared, row->secret_len),
                                        body_of(m, S2_IKE1_PAYLOAD_NONCE),
                                        s2_span(nonce_r, sizeof(nonce_r)), m->h.cookie_i, COOKIE_R,
                                        &r->keys),
                    S2SVPN_OK);
    r->words = (struct s2_ike1_phase1){.gxi = theirs,
                                       .gxr = {r->value, row->out_len},
                                       .sa = body_of(m, S2_IKE1_PAYLOAD_SA),
                                       .id = {id_r, sizeof(id_r)}};
    CU_ASSERT_EQUAL(s2_ike1_hash_phase1(&crypto, &r->keys, false, &r->words, hash), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_ike1_iv_first(&crypto, &r->keys, r->words.gxi, r->words.gxr, &r->iv),
                    S2SVPN_OK);
    hash[3] ^= r->wrong == HASH_BYTE;
    begin_message(&c, r, m->h.cookie_i);
    s2_ike1_payload_begin(&c.chain, S2_IKE1_PAYLOAD_SA);
    s2_ike1_write_sa(&c.w, &answer);
    s2_ike1_payload_end(&c.chain);
    s2_ike1_write_payload(&c.chain, S2_IKE1_PAYLOAD_KE,
                          s2_span(r->value, row->out_len - (r->wrong == SHORT_KE)));
    s2_ike1_write_payload(&c.chain, S2_IKE1_PAYLOAD_NONCE, s2_span(nonce_r, sizeof(nonce_r)));
    if (r->wrong != NO_ID)
        s2_ike1_write_payload(&c.chain, S2_IKE1_PAYLOAD_ID, r->words.id);
    if (r->wrong != NO_HASH)
        s2_ike1_write_payload(&c.chain, S2_IKE1_PAYLOAD_HASH,
                              s2_span(hash, s2_ike1_hash_len(&r->keys)));
    if (r->nat) { /* hashes of places where nobody is */
        s2_ike1_write_vendor(&c.chain, S2_IKE1_VENDOR_NATT_RFC);
        for (unsigned i = 0; i < 2; i++)
            s2_ike1_write_payload(&c.chain, S2_IKE1_PAYLOAD_NAT_D,
                                  s2_span(elsewhere, s2_ike1_hash_len(&r->keys)));
    }
    CU_ASSERT_EQUAL(s2_ike1_write_end(&c.w), S2SVPN_OK);
    memcpy(r->second, c.bytes, c.w.len);
    r->second_len = c.w.len;
}

/* HDR*, HASH_I, and NAT-D where the second had it. */
static void check_third(struct responder *r, const struct s2_pair_datagram *d)
{
    const struct s2_ike_crypto crypto = fake_backend();
    uint8_t copy[2048], expected[S2_IKE1_HASH_MAX];
    struct s2_ike1_header h;
    struct s2_ike1_payloads list;
    struct s2_ike1_iv next;
    struct s2_reader reader;
    struct message first;
    s2svpn_span plain;

    CU_ASSERT_TRUE_FATAL(d->len <= sizeof(copy));
    memcpy(copy, d->p, d->len);
    s2_reader_init(&reader, copy, d->len);
    CU_ASSERT_EQUAL_FATAL(s2_ike1_parse_header(&reader, &h), S2SVPN_OK);
    CU_ASSERT_EQUAL(h.cookie_r, COOKIE_R);
    CU_ASSERT_EQUAL_FATAL(s2_ike1_open(&crypto, &r->keys, &r->iv, copy, d->len, &plain, &next),
                          S2SVPN_OK);
    s2_reader_init(&reader, plain.p, plain.len);
    CU_ASSERT_EQUAL_FATAL(s2_ike1_parse_payloads(&reader, h.next_payload, true, &list), S2SVPN_OK);
    CU_ASSERT_TRUE_FATAL(read_message(r->first, s2_get_u32(r->first + 24), &first));
    r->words.id = body_of(&first, S2_IKE1_PAYLOAD_ID);
    CU_ASSERT_EQUAL(s2_ike1_hash_phase1(&crypto, &r->keys, true, &r->words, expected), S2SVPN_OK);
    const struct s2_ike1_payload *hash = s2_ike1_find(&list, S2_IKE1_PAYLOAD_HASH);
    r->third_right = hash != NULL && s2_ike1_hash_equal(&r->keys, expected, hash->body) &&
                     s2_ike1_count(&list, S2_IKE1_PAYLOAD_NAT_D) == (r->nat ? 2 : 0);
    r->third_port = d->local.port;
}

static bool respond(struct s2_pair *p, struct s2_pair_datagram *d)
{
    struct responder *r = p->filter_arg;
    struct message m;

    if (d->to != 1)
        return true;
    if (d->p[18] != S2_IKE1_AGGRESSIVE)
        return false; /* what comes after: quick mode */
    if ((d->p[19] & S2_IKE1_FLAG_ENCRYPTED) != 0) {
        r->thirds++;
        check_third(r, d);
        return false;
    }
    CU_ASSERT_TRUE_FATAL(d->len <= sizeof(r->first));
    memcpy(r->first, d->p, d->len);
    CU_ASSERT_TRUE_FATAL(read_message(r->first, d->len, &m));
    CU_ASSERT_EQUAL(m.h.cookie_r, 0);
    r->firsts++;
    compose_second(p, r, &m);
    s2_pair_inject(p, 0, &d->remote, &d->local, r->second, r->second_len);
    return false;
}

static void start(struct s2_pair *p, struct responder *r)
{
    s2_pair_init_v1(p, 1);
    p->end[0].config.aggressive = true;
    p->end[0].config.remote_id = (struct s2_ike_id){.type = S2_IKE_ID_NONE};
    p->filter = respond;
    p->filter_arg = r;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(p));
    CU_ASSERT_TRUE(s2_pair_initiate(p, 0));
}

static void done(struct s2_pair *p)
{
    s2_pair_close(p);
    CU_ASSERT_EQUAL(p->end[0].fake.live + p->end[1].fake.live, 0);
}

/* ---- the tests */

static void three_messages_bring_it_up(void)
{
    for (unsigned nat = 0; nat < 2; nat++) {
        static struct responder r;
        struct s2_pair p;

        r = (struct responder){.nat = nat == 1};
        start(&p, &r);
        s2_pair_run_for(&p, S2_SECOND);
        CU_ASSERT_EQUAL(p.end[0].sa_ups, 1);
        CU_ASSERT_TRUE(r.firsts == 1 && r.thirds == 1 && r.third_right);
        CU_ASSERT_EQUAL(r.third_port, nat == 1 ? 4500 : 500);
        CU_ASSERT_EQUAL(p.end[0].info.nat_local, nat == 1);
        CU_ASSERT_PTR_NOT_NULL(strstr(p.end[0].note, "aggressive mode"));
        /* The third was lost, and the second comes again. */
        s2_pair_inject(&p, 0, &p.end[0].config.local, &p.end[1].config.local, r.second,
                       r.second_len);
        s2_pair_run_for(&p, S2_SECOND / 2);
        CU_ASSERT_EQUAL(r.thirds, 2);
        CU_ASSERT_EQUAL(p.end[0].sa_ups, 1);
        done(&p);
    }
}

static const struct {
    const char *row;
    enum wrong wrong;
    enum s2_ike_reason reason;
} wrongs[] = {
    {"another key", KEY, S2_IKE_REASON_AUTHENTICATION},
    {"a changed hash", HASH_BYTE, S2_IKE_REASON_AUTHENTICATION},
    {"another group", GROUP, S2_IKE_REASON_TIMEOUT},
    {"no cookie", NO_COOKIE, S2_IKE_REASON_TIMEOUT},
    {"no ID", NO_ID, S2_IKE_REASON_TIMEOUT},
    {"no HASH", NO_HASH, S2_IKE_REASON_TIMEOUT},
    {"a short public value", SHORT_KE, S2_IKE_REASON_TIMEOUT},
    {"main mode's answer", MAIN_INSTEAD, S2_IKE_REASON_TIMEOUT},
};

/* Whoever sends it can only delay: the right one still brings it up. */
static void a_wrong_answer_is_waited_out_and_named(void)
{
    for (size_t i = 0; i < 2 * COUNT(wrongs); i++) {
        const char *row = wrongs[i / 2].row;
        static struct responder r;
        struct s2_pair p;

        r = (struct responder){.wrong = wrongs[i / 2].wrong};
        start(&p, &r);
        s2_pair_run_for(&p, S2_SECOND);
        CHECK_ROW(row, p.end[0].sa_ups == 0 && r.thirds == 0);
        CHECK_ROW(row, s2_pair_sas(&p.end[0]) == 1);
        if (i % 2 == 1)
            r.wrong = NOTHING;
        s2_pair_run_for(&p, 300 * S2_SECOND);
        if (i % 2 == 1) {
            CHECK_ROW(row, p.end[0].sa_ups >= 1 && r.third_right);
        } else {
            CHECK_ROW(row, p.end[0].sa_ups == 0 && r.thirds == 0 && r.firsts > 3);
            CHECK_ROW(row, p.end[0].reason == wrongs[i / 2].reason);
        }
        done(&p);
    }
}

static void an_unexpected_identity_gets_no_proof(void)
{
    static struct responder r;
    struct s2_pair p;

    r = (struct responder){.wrong = NOTHING};
    s2_pair_init_v1(&p, 1);
    p.end[0].config.aggressive = true;
    p.end[0].config.remote_id = s2_ike_id_of(&p.end[1].config.local.address);
    p.filter = respond;
    p.filter_arg = &r;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_IDENTITY);
    CU_ASSERT_TRUE(r.thirds == 0 && p.end[0].sa_ups == 0);
    done(&p);
}

/* CVE-2002-1623: asked for, there is no hash to guess from; the tunnel's log says who asks. */
static void nobody_of_ours_answers_it(void)
{
    struct s2_pair p;

    s2_pair_init_v1(&p, 1);
    p.end[0].config.aggressive = p.end[1].config.aggressive = true;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
    s2_pair_run_for(&p, 100 * S2_SECOND);
    CU_ASSERT_EQUAL(p.end[1].sent, 0);
    CU_ASSERT_TRUE(p.end[1].notes > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(p.end[1].note, "aggressive mode is refused"));
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
    done(&p);
}

static const char *play(struct s2_pair *p, struct responder *r, size_t fail_at)
{
    s2_pair_init_v1(p, 1);
    p->end[0].config.aggressive = true;
    p->filter = respond;
    p->filter_arg = r;
    if (!s2_pair_open(p))
        return "it opens";
    p->end[0].fake.fail_at = p->end[0].fake.allocations + fail_at;
    (void)s2_pair_initiate(p, 0);
    s2_pair_run_for(p, S2_SECOND);
    p->end[0].fake.fail_at = 0;
    s2_pair_run_for(p, 200 * S2_SECOND);
    return NULL;
}

static void every_allocation_may_fail(void)
{
    bool failed = true;

    for (size_t n = 1; failed && n < 100; n++) {
        static struct responder r;
        struct s2_pair p;

        r = (struct responder){.wrong = NOTHING};
        CU_ASSERT_PTR_NULL(play(&p, &r, n));
        failed = p.end[0].sa_ups == 0 || n < 10;
        done(&p);
    }
    CU_ASSERT_FALSE(failed);
}

const CU_TestInfo s2_test_v1_aggressive[] = {
    {"three messages bring it up", three_messages_bring_it_up},
    {"a wrong answer is waited out and named", a_wrong_answer_is_waited_out_and_named},
    {"an unexpected identity gets no proof", an_unexpected_identity_gets_no_proof},
    {"nobody of ours answers it (CVE-2002-1623)", nobody_of_ours_answers_it},
    {"every allocation may fail", every_allocation_may_fail},
    CU_TEST_INFO_NULL,
};
