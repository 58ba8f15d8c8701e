/* SPDX-License-Identifier: Apache-2.0 */
/* The classes of faults for which other IKE implementations were published: each has a
 * test here or elsewhere, or a reason why it can't be one of ours. The list is checked
 * against the tests that there are, so that none of them goes unnoticed. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "base/text.h"
#include "harness.h"
#include "ike/forge.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

extern const CU_TestInfo s2_test_authenticated[], s2_test_cve_lengths[], s2_test_fragment[],
    s2_test_fragment_exchange[], s2_test_hostile[], s2_test_message[], s2_test_payload_id[],
    s2_test_sk[], s2_test_suites[], s2_test_v1_authenticated[], s2_test_v1_fragment[],
    s2_test_v1_hostile[];
extern const CU_TestInfo s2_test_cve_classes[];

#define CERTIFICATES "no certificate, CRL or signature is read: AUTH is by pre-shared key alone"
#define EAP "there is no EAP: its payload is passed over"

static const struct {
    const char *cve, *class;
    const CU_TestInfo *suite; /* NULL: see where for the reason */
    const char *where;        /* the test's name begins so */
} classes[] = {
    {"CVE-2026-12413", "more payloads than fit", s2_test_fragment_exchange,
     "thirty payloads and more"},
    {"CVE-2026-50721, -50722", "lax PKCS#1 signatures", NULL, CERTIFICATES},
    {"CVE-2026-14957", "an unusable RSA key", NULL, CERTIFICATES},
    {"CVE-2024-3652", "quick mode with a bogus proposal", s2_test_v1_authenticated,
     "wrong quick modes are refused"},
    {"CVE-2024-2357", "no key, and a retransmit", s2_test_hostile, "a missing key refuses"},
    {"CVE-2023-38710", "a rekey for protocol 0 or 1", s2_test_authenticated, "a rekey of nothing"},
    {"CVE-2023-38711", "quick mode with a name for an address", s2_test_v1_authenticated,
     "wrong quick modes are refused"},
    {"CVE-2023-38712", "a delete, and more behind it", s2_test_authenticated,
     "what follows a delete"},
    {"CVE-2023-30570", "an SPI that a failure leaves", s2_test_hostile, "a refused peer"},
    {"CVE-2023-23009", "malformed selectors, freed twice", s2_test_cve_lengths,
     "malformed selectors are freed once"},
    {"CVE-2022-23094, CVE-2020-1763", "log lines of no state", s2_test_hostile,
     "messages for no SA"},
    {"CVE-2019-12312", "INFORMATIONAL before IKE_AUTH", s2_test_hostile, "nothing but IKE_AUTH"},
    {"CVE-2019-10155", "integrity not checked", s2_test_v1_hostile,
     "an unauthenticated informational"},
    {"CVE-2016-5391", "a proposal without a group", s2_test_hostile, "a proposal without a group"},
    {"CVE-2015-3240", "bad public values", s2_test_suites, "bad public values"},
    {"CVE-2013-6467", "mandatory payloads missing", s2_test_hostile, "an incomplete IKE_AUTH"},
    {"CVE-2023-41913", "a public value of any length", s2_test_hostile,
     "incomplete first messages"},
    {"CVE-2014-9221", "a private group", s2_test_hostile, "incomplete first messages"},
    {"CVE-2014-2338", "a rekey of what isn't up", s2_test_hostile, "nothing but IKE_AUTH"},
    {"CVE-2015-4171", "the peer is checked too late", s2_test_cve_classes,
     "nothing comes up before the peer is who it should be"},
    {"CVE-2015-3991", "payloads of the other version", s2_test_v1_authenticated,
     "payload types of the other version"},
    {"CVE-2013-6076", "an IKEv1 fragment of nothing", s2_test_v1_hostile, "crafted pieces"},
    {"CVE-2013-6075", "names compared beyond their end", s2_test_payload_id, "ids are equal by"},
    {"CVE-2018-17540, -16151, -16152, CVE-2017-11185, -9022", "RSA's sizes", NULL, CERTIFICATES},
    {"CVE-2021-41990, CVE-2018-6459", "PSS parameters", NULL, CERTIFICATES},
    {"CVE-2021-41991", "the certificate cache", NULL, CERTIFICATES},
    {"CVE-2017-9023", "a loop in ASN.1", s2_test_payload_id, "distinguished names"},
    {"CVE-2026-35331", "name constraints", NULL, CERTIFICATES},
    {"CVE-2022-40617", "URIs that a peer names", NULL,
     "nothing is fetched: CERT and CERTREQ are passed over, test_rules_errors.c"},
    {"CVE-2021-45079, CVE-2015-8023, CVE-2025-62291, CVE-2026-25075", "EAP's states", NULL, EAP},
    {"CVE-2026-35330, -35333", "lengths of zero", s2_test_cve_lengths, "no length makes a loop"},
    {"CVE-2013-2944", "an error taken for a yes", s2_test_cve_classes,
     "a proof is right or it is none"},
    {"CVE-2018-10811", "a provider that refuses", s2_test_cve_classes,
     "a provider that refuses leaves no keys"},
    {"CVE-2009-0790", "liveness by one spoofed packet", s2_test_hostile, "unprotected notifies"},
    {"CVE-2018-5389", "main mode's key guessed offline", NULL,
     "it is IKEv1's own; vpn refuses keys of fewer than 8 characters and draws 32"},
    {"CVE-2002-1623", "aggressive mode's hash", s2_test_v1_hostile, "aggressive mode is not"},
    {"CVE-2016-1287", "two sums of fragments' lengths", s2_test_fragment, "the sum of all lengths"},
    {"CVE-2016-6415", "memory returned to the sender", s2_test_cve_lengths,
     "an unprotected answer has its length"},
    {"CVE-2016-10396", "the worst order of fragments", s2_test_fragment, "no order costs more"},
    {"CVE-2020-16088", "wrong logic in a comparison", s2_test_cve_classes,
     "a proof is right or it is none"},
    {"CVE-2022-46397", "predictable and repeated IVs", s2_test_cve_classes,
     "no IV comes twice with one key"},
    {"CVE-2018-0131", "RSA encrypted nonces", NULL, "IKEv1 authenticates by pre-shared key alone"},
    {"CVE-2022-34721", "a length beyond the datagram", s2_test_message, "a header's length"},
    {"CVE-2023-28771", "a peer's words in a command", s2_test_cve_classes,
     "nothing of a peer's goes raw into a log line"},
    {"CERT VU#419128", "amplification by retransmits", s2_test_hostile, "a responder never sends"},
    /* the same in IKEv1 */
    {"CVE-2016-5391", "a proposal without a group", s2_test_v1_hostile,
     "a proposal without a group"},
    {"CVE-2015-3240", "bad public values", s2_test_v1_hostile, "a public value of nothing"},
    {"CVE-2013-6467, CVE-2023-41913", "payloads missing, public values of any length",
     s2_test_v1_hostile, "what lacks something"},
    {"CVE-2016-1287", "two sums of fragments' lengths", s2_test_v1_fragment, "sets are bounded"},
    {"CVE-2016-6415", "memory returned to the sender", s2_test_v1_hostile,
     "no changed or shortened message"},
    {"CVE-2016-10396", "the worst order of fragments", s2_test_v1_fragment, "no order costs more"},
    {"CVE-2019-12312", "sealed before there are keys", s2_test_v1_hostile, "sealed messages"},
    {"CERT VU#419128", "amplification by retransmits", s2_test_v1_hostile,
     "a first message is answered once"},
};

static void every_class_has_a_test_or_a_reason(void)
{
    for (size_t i = 0; i < COUNT(classes); i++) {
        const CU_TestInfo *t = classes[i].suite;

        CHECK_ROW(classes[i].cve, classes[i].class[0] != '\0' && classes[i].where[0] != '\0');
        while (t != NULL && t->pName != NULL &&
               strncmp(t->pName, classes[i].where, strlen(classes[i].where)) != 0)
            t++;
        CHECK_ROW(classes[i].cve, t == NULL || t->pName != NULL);
    }
}

/* ---- CVE-2015-4171: right key, wrong peer. Neither side is up for a moment, and the
 * responder's answer is one error, without identity or proof. */
static void nothing_comes_up_before_the_peer_is_who_it_should_be(void)
{
    static const struct s2_ike_id other = {.type = S2_IKE_ID_FQDN, .len = 5, .data = "other"};

    for (unsigned who = 0; who < 3; who++) {
        struct s2_ike_payloads list = {0};
        struct s2_pair p;

        s2_pair_init(&p, 1);
        p.filter = s2_forge_keep_last;
        if (who < 2)
            p.end[who].config.remote_id = other;
        else
            p.end[1].config.psk.bytes[0] ^= 1;
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
        p.manual = true;
        for (unsigned i = 0; i < 3; i++)
            CU_ASSERT_TRUE(s2_pair_deliver(&p, 1 - i % 2));
        struct s2_ike_sa *sa = S2_CONTAINER(s2_ike_find_owner(p.end[0].ike, &p.end[0])->sas.next,
                                            struct s2_ike_sa, owner_link);
        CU_ASSERT_TRUE(who == 0 || (s2_forge_open_last(sa, &list) && list.count == 1));
        CU_ASSERT_TRUE(who == 0 || list.item[0].type == S2_IKE_PAYLOAD_NOTIFY);
        p.manual = false;
        s2_pair_run_for(&p, S2_SECOND);
        CU_ASSERT_EQUAL(p.end[0].sa_ups + p.end[0].children_up, 0);
        CU_ASSERT_EQUAL(p.end[1].sa_ups, who == 0); /* it was content, and hears of it */
        CU_ASSERT_EQUAL(s2_pair_sas(&p.end[0]), 0);
        CU_ASSERT_EQUAL(s2_pair_children_up(&p.end[1]), 0);
        s2_pair_close(&p);
    }
}

/* ---- CVE-2013-2944, CVE-2020-16088 */

static const struct {
    const char *row;
    size_t len;     /* of the proof that is sent; the right one has 20 bytes */
    size_t changed; /* this byte of it is; 99: none, 98: all zero */
    bool up;
} proofs[] = {
    {"the right one", 20, 99, true},          {"nothing", 0, 99, false},
    {"all but the last byte", 19, 99, false}, {"one byte more", 21, 99, false},
    {"its first byte", 1, 99, false},         {"zeros", 20, 98, false},
    {"another first byte", 20, 0, false},     {"another last byte", 20, 19, false},
    {"longer than any", 64, 99, false},
};

static unsigned try_proof(size_t i, size_t fail_at)
{
    struct s2_pair p;
    struct s2_ike_sa *sa = s2_forge_half_open(&p, 2);
    struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_AUTH);
    uint8_t auth[S2SVPN_PRF_MAX] = {0};

    s2_ike_add_id(c, S2_IKE_PAYLOAD_IDI, &sa->handshake->our_id);
    CU_ASSERT_EQUAL(s2_ike_auth_compute(sa, true, &sa->handshake->our_id, auth), S2SVPN_OK);
    if (proofs[i].changed == 98)
        memset(auth, 0, sizeof(auth));
    else if (proofs[i].changed < sizeof(auth))
        auth[proofs[i].changed] ^= 0x80;
    s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_AUTH);
    s2_ike_write_auth(&c->w, S2_IKE_AUTH_PSK, s2_span(auth, proofs[i].len));
    s2_ike_payload_end(c->chain);
    s2_forge_add_parts(c, sa, S2_PART_SA | S2_PART_TSI | S2_PART_TSR, 0x77777777);
    if (fail_at > 0)
        p.end[1].crypto.fail_at = p.end[1].crypto.calls + fail_at;
    (void)s2_forge_give_sealed(&p, sa);
    const unsigned ups = p.end[1].sa_ups;
    s2_pair_close(&p);
    CU_ASSERT_EQUAL(p.end[1].fake.live, 0);
    return ups;
}

/* Also when the backend fails anywhere on the way: its error is no yes. */
static void a_proof_is_right_or_it_is_none(void)
{
    for (size_t i = 0; i < COUNT(proofs); i++) {
        CHECK_ROW(proofs[i].row, try_proof(i, 0) == proofs[i].up);
        for (size_t n = 1; n < 60 && !proofs[i].up; n++)
            CHECK_ROW(proofs[i].row, try_proof(i, n) == 0);
    }
}

/* ---- CVE-2018-10811: a function of the backend that never works, and leaves what it
 * should have written as it was: zeros. */

static s2svpn_status no_hash(void *user, uint16_t id, const s2svpn_span *in, size_t n, uint8_t *out)
{
    (void)user, (void)id, (void)in, (void)n, (void)out;
    return S2SVPN_E_UNSUPPORTED;
}

static s2svpn_status no_mac(void *user, uint16_t id, s2svpn_span key, const s2svpn_span *in,
                            size_t n, uint8_t *out)
{
    (void)user, (void)id, (void)key, (void)in, (void)n, (void)out;
    return S2SVPN_E_UNSUPPORTED;
}

static s2svpn_status no_cbc(void *user, uint16_t encr, bool encrypt, s2svpn_span key,
                            const uint8_t *iv, uint8_t *data, size_t len)
{
    (void)user, (void)encr, (void)encrypt, (void)key, (void)iv, (void)data, (void)len;
    return S2SVPN_E_UNSUPPORTED;
}

static void a_provider_that_refuses_leaves_no_keys(void)
{
    static const char *const names[] = {"hash", "prf", "integ", "cipher"};

    for (unsigned i = 0; i < 2 * COUNT(names); i++) {
        s2svpn_crypto_ops ops = *s2_fake_crypto_ops();
        struct s2_pair p;

        ops.hash = i / 2 == 0 ? no_hash : ops.hash;
        ops.prf = i / 2 == 1 ? no_mac : ops.prf;
        ops.integ = i / 2 == 2 ? no_mac : ops.integ;
        ops.ike_cbc = i / 2 == 3 ? no_cbc : ops.ike_cbc;
        s2_pair_init(&p, 3);
        p.end[i % 2].options.crypto = &ops;
        CHECK_ROW(names[i / 2], !s2_pair_connect(&p));
        s2_pair_run_for(&p, 200 * S2_SECOND);
        for (size_t e = 0; e < 2; e++) {
            CHECK_ROW(names[i / 2], p.end[e].sa_ups == 0 && p.end[e].children_up == 0);
            CHECK_ROW(names[i / 2], s2_pair_sas(&p.end[e]) == 0);
            CHECK_ROW(names[i / 2], s2_pair_balances(&p.end[e]));
        }
        s2_pair_close(&p);
        CHECK_ROW(names[i / 2], p.end[0].fake.live + p.end[1].fake.live == 0);
    }
}

/* ---- CVE-2022-46397: under one key, an IV is there once, but for the very same bytes */

#define SEALED 512
static struct {
    uint64_t whole;
    uint8_t iv[8 + 8 + 1 + 16]; /* behind SPIs and direction, that is, behind the key */
} sealed[SEALED];
static size_t sealed_count;
static unsigned repeated, iv_len;

static bool watch_ivs(struct s2_pair *p, struct s2_pair_datagram *d)
{
    static const uint8_t zero[16];
    const bool skf = d->p[16] == S2_IKE_PAYLOAD_SKF;
    uint8_t iv[sizeof(sealed[0].iv)] = {0};

    (void)p;
    if ((d->p[16] != S2_IKE_PAYLOAD_SK && !skf) || sealed_count == SEALED)
        return true;
    const uint64_t whole = s2_siphash(zero, d->p, d->len);
    memcpy(iv, d->p, 16);
    iv[16] = (uint8_t)d->to;
    memcpy(iv + 17, d->p + 28 + (skf ? 8 : 4), iv_len);
    for (size_t i = 0; i < sealed_count; i++)
        repeated += memcmp(sealed[i].iv, iv, sizeof(iv)) == 0 && sealed[i].whole != whole;
    sealed[sealed_count].whole = whole;
    memcpy(sealed[sealed_count++].iv, iv, sizeof(iv));
    return true;
}

static void no_iv_comes_twice_with_one_key(void)
{
    for (unsigned variant = 0; variant < 4; variant++) {
        const bool aead = variant & 1, fragments = variant & 2;
        struct s2_pair p;

        s2_pair_init(&p, 4 + variant);
        iv_len = aead ? 8 : 16;
        sealed_count = repeated = 0;
        for (size_t e = 0; e < 2; e++) {
            struct s2_ike_choices *c = &p.end[e].config.ike;

            c->encr[0] = c->encr[aead];
            c->encr_count = 1;
            p.end[e].options.fragment_size = fragments ? 300 : 1280;
        }
        p.filter = watch_ivs;
        p.loss = 20;
        p.twice = 20;
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
        for (unsigned i = 0; i < 12; i++) {
            struct s2_pair_end *e = &p.end[i % 2];

            s2_pair_run_for(&p, 20 * S2_SECOND);
            if (i % 6 == 5)
                (void)!s2_ike_rekey_sa(e->ike, e, p.now_ns);
            for (size_t k = 0; k < e->children && i % 3 == 1; k++)
                (void)!s2_ike_rekey_child(e->ike, e, e->child[k].spi_in, p.now_ns);
        }
        CU_ASSERT_TRUE(sealed_count > 60);
        CU_ASSERT_EQUAL(repeated, 0);
        s2_pair_close(&p);
    }
}

/* ---- CVE-2023-28771: no library function runs a command (an architecture test knows
 * all that are called), and what a peer says can't even break a line */

static unsigned notes, raw_notes;

static void look_at_note(struct s2_pair_end *end, const char *callback)
{
    if (strcmp(callback, "note") != 0 && strcmp(callback, "sa_down") != 0)
        return;
    notes++;
    for (const char *c = end->note; *c != '\0'; c++)
        raw_notes += (unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f;
    for (const char *c = end->detail; *c != '\0'; c++)
        raw_notes += (unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f;
}

static void nothing_of_a_peer_s_goes_raw_into_a_log_line(void)
{
    static const struct s2_ike_id ids[] = {
        {S2_IKE_ID_FQDN, 10, "a\nb: c\r\n\t\v"},  {S2_IKE_ID_FQDN, 8, "\x1b]0;x\a\x7f"},
        {S2_IKE_ID_KEY_ID, 4, "\n\n\n\n"},        {S2_IKE_ID_RFC822_ADDR, 4, "%s%n"},
        {S2_IKE_ID_DER_ASN1_DN, 4, "\x30\2\n\n"}, {200, 3, "\xff\xfe\0"},
    };

    notes = raw_notes = 0;
    for (size_t i = 0; i < 2 * COUNT(ids); i++) {
        struct s2_pair p;

        s2_pair_init(&p, 5);
        for (size_t e = 0; e < 2; e++) {
            p.end[e].config.local_id = ids[i / 2];
            p.end[e].hook = look_at_note;
        }
        p.end[i % 2].config.remote_id = s2_ike_id_of(&p.end[1 - i % 2].config.local.address);
        CU_ASSERT_FALSE(s2_pair_connect(&p));
        s2_pair_close(&p);
    }
    CU_ASSERT_TRUE(notes >= 2 * COUNT(ids));
    CU_ASSERT_EQUAL(raw_notes, 0);
}

const CU_TestInfo s2_test_cve_classes[] = {
    {"every class has a test or a reason", every_class_has_a_test_or_a_reason},
    {"nothing comes up before the peer is who it should be",
     nothing_comes_up_before_the_peer_is_who_it_should_be},
    {"a proof is right or it is none", a_proof_is_right_or_it_is_none},
    {"a provider that refuses leaves no keys", a_provider_that_refuses_leaves_no_keys},
    {"no IV comes twice with one key", no_iv_comes_twice_with_one_key},
    {"nothing of a peer's goes raw into a log line", nothing_of_a_peer_s_goes_raw_into_a_log_line},
    CU_TEST_INFO_NULL,
};
