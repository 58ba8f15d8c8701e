/* SPDX-License-Identifier: Apache-2.0 */
/* v2/ against peers that mean no good or know no better, without keys or with keys but
 * not authenticated; those that are authenticated: test_authenticated.c. Several tests
 * are named for a class of faults that other implementations were published for. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "ike/forge.h"

/* ---- without keys */

/* CVE-2022-23094, CVE-2020-1763 and kin: replies and log lines about a state that
 * isn't there. Every exchange, flag and ID, protected or not, to unknown SPIs. */
static void messages_for_no_sa_do_nothing(void)
{
    struct s2_pair p;

    CU_ASSERT_TRUE_FATAL(s2_forge_connect(&p, 1));
    const uint64_t known = p.end[1].info.spi_r;
    const unsigned ups = p.end[1].sa_ups;
    for (unsigned n = 0; n < 4096; n++) {
        const struct s2_ike_header h = {
            .spi_i = n & 1 ? UINT64_C(0x1122334455667788) : 0,
            .spi_r = n & 2 ? (n & 4 ? known : 77) : 0,
            .version = n & 2048   ? 0x10
                       : n & 1024 ? 0x30
                                  : 0x20,
            .exchange = (uint8_t)(33 + (n >> 3) % 6),
            .flags = (uint8_t)(n >> 6 & 0x38),
            .message_id = n >> 5 & 3,
        };

        s2_ike_compose_plain(&s2_forge_compose, &h);
        if (n & 512)
            s2_ike_add_bytes(&s2_forge_compose, S2_IKE_PAYLOAD_SK,
                             s2_span("a sealed thing, perhaps", 23));
        else
            s2_ike_add_notify(&s2_forge_compose, n & 256 ? S2_IKE_N_INVALID_IKE_SPI : 16393,
                              s2_span(NULL, 0));
        CU_ASSERT_EQUAL(s2_ike_write_end(&s2_forge_compose.w), S2SVPN_OK);
        CU_ASSERT_NOT_EQUAL(s2_ike_receive(p.end[1].ike, &p.end[1].config.local,
                                           &p.end[0].config.local, s2_forge_compose.bytes,
                                           s2_forge_compose.w.len, p.now_ns),
                            S2SVPN_DROP_NONE);
    }
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    CU_ASSERT_EQUAL(p.end[1].sa_ups, ups);
    /* Unprotected answers have a pace. */
    CU_ASSERT_TRUE(p.end[1].sent <= 4);
    s2_pair_run_for(&p, 60 * S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    s2_pair_close(&p);
}

/* CVE-2009-0790: one spoofed packet about liveness. The right SPIs, no keys. */
static void unprotected_notifies_cost_one_check_at_most(void)
{
    static const uint16_t types[] = {S2_IKE_N_INVALID_IKE_SPI, S2_IKE_N_AUTHENTICATION_FAILED,
                                     S2_IKE_N_INVALID_SYNTAX, S2_IKE_N_NO_PROPOSAL_CHOSEN,
                                     S2_IKE_N_INVALID_MAJOR_VERSION};
    struct s2_pair p;

    CU_ASSERT_TRUE_FATAL(s2_forge_connect(&p, 2));
    const unsigned sent = p.end[1].sent;
    for (size_t round = 0; round < 10; round++) {
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
            for (uint8_t flags = 0; flags < 0x40; flags += 8) {
                const struct s2_ike_header h = {.spi_i = p.end[1].info.spi_i,
                                                .spi_r = p.end[1].info.spi_r,
                                                .version = 0x20,
                                                .exchange = S2_IKE_INFORMATIONAL,
                                                .flags = flags};

                s2_ike_compose_plain(&s2_forge_compose, &h);
                s2_ike_add_notify(&s2_forge_compose, types[i], s2_span(NULL, 0));
                CU_ASSERT_EQUAL(s2_ike_write_end(&s2_forge_compose.w), S2SVPN_OK);
                (void)s2_ike_receive(p.end[1].ike, &p.end[1].config.local, &p.end[0].config.local,
                                     s2_forge_compose.bytes, s2_forge_compose.w.len, p.now_ns);
            }
        }
        s2_pair_run_for(&p, S2_SECOND / 2);
    }
    CU_ASSERT_EQUAL(p.end[1].sent, sent + 1);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    s2_pair_close(&p);
}

/* CERT VU#419128: a responder that retransmits by itself multiplies what a forger
 * sends. One request, one answer, then silence; and the same only for the same. */
static void a_responder_never_sends_unasked(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 3);
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
    p.manual = true;
    uint8_t copy[2048];
    const size_t len = p.queue[0].len;
    memcpy(copy, p.queue[0].p, len);
    CU_ASSERT_TRUE(s2_pair_deliver(&p, 1));
    s2_pair_forget(&p, 0);
    CU_ASSERT_EQUAL(p.end[1].sent, 1);
    s2_pair_run_for(&p, 20 * S2_SECOND);
    CU_ASSERT_EQUAL(p.end[1].sent, 1);
    uint8_t again[2048];
    memcpy(again, copy, len);
    CU_ASSERT_EQUAL(s2_ike_receive(p.end[1].ike, &p.end[1].config.local, &p.end[0].config.local,
                                   again, len, p.now_ns),
                    S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(p.end[1].sent, 2);
    memcpy(again, copy, len);
    again[len - 1] ^= 1; /* like it, but not it */
    CU_ASSERT_EQUAL(s2_ike_receive(p.end[1].ike, &p.end[1].config.local, &p.end[0].config.local,
                                   again, len, p.now_ns),
                    S2SVPN_DROP_IKE_STATE);
    CU_ASSERT_EQUAL(p.end[1].sent, 2);
    s2_pair_run_for(&p, 20 * S2_SECOND);
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
    s2_pair_close(&p);
}

/* Our own message, thrown back. */
static void a_reflected_message_is_dropped(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 4);
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
    p.manual = true;
    struct s2_pair_datagram *d = &p.queue[0];
    CU_ASSERT_EQUAL(s2_ike_receive(p.end[0].ike, &p.end[0].config.local, &p.end[1].config.local,
                                   d->p, d->len, p.now_ns),
                    S2SVPN_DROP_IKE_STATE);
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[0]), 1);
    p.manual = false;
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    s2_pair_close(&p);
}

/* ---- IKE_SA_INIT, not authenticated yet */

/* CVE-2016-5391: a proposal without a Diffie-Hellman transform; and without each of
 * the others. */
static void a_proposal_without_a_group_is_refused(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 5);
    p.filter = s2_forge_keep_last;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    for (size_t missing = 0; missing < 4; missing++) {
        struct s2_ike_proposal proposal = s2_forge_good_proposal;

        for (size_t i = missing; i < 3; i++)
            proposal.transform[i] = proposal.transform[i + 1];
        proposal.count = 3;
        CU_ASSERT_EQUAL(s2_forge_init_request(&p, &proposal, S2_PART_ALL, 14, 256),
                        S2SVPN_DROP_NONE);
        CU_ASSERT_EQUAL(s2_forge_told(NULL), S2_IKE_N_NO_PROPOSAL_CHOSEN);
        CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
    }
    s2_pair_close(&p);
}

/* CVE-2013-6467: mandatory payloads missing. CVE-2023-41913: a public value of any
 * length but the group's. CVE-2014-9221: a group that nobody has. */
static void incomplete_first_messages_make_no_sa(void)
{
    static const size_t lengths[] = {1, 32, 255, 257, 1024, 2048};
    struct s2_pair p;

    s2_pair_init(&p, 6);
    p.filter = s2_forge_keep_last;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    for (unsigned parts = 0; parts < 7; parts++)
        CU_ASSERT_EQUAL(s2_forge_init_request(&p, &s2_forge_good_proposal, parts, 14, 256),
                        S2SVPN_DROP_IKE_MALFORMED);
    CU_ASSERT_EQUAL(p.end[1].sent, 0);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        CU_ASSERT_EQUAL(
            s2_forge_init_request(&p, &s2_forge_good_proposal, S2_PART_ALL, 14, lengths[i]),
            S2SVPN_DROP_IKE_MALFORMED);
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
    CU_ASSERT_EQUAL(s2_forge_init_request(&p, &s2_forge_good_proposal, S2_PART_ALL, 1025, 256),
                    S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(s2_forge_told(NULL), S2_IKE_N_INVALID_KE_PAYLOAD);
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
    CU_ASSERT_EQUAL(s2_forge_init_request(&p, &s2_forge_good_proposal, S2_PART_ALL, 14, 256),
                    S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 1);
    s2_pair_close(&p);
}

/* CVE-2015-3240: a public value of zeros. filter_arg: whose, and how often. */
struct zeroing {
    unsigned to, times;
};

static bool zero_ke(struct s2_pair *p, struct s2_pair_datagram *d)
{
    struct zeroing *z = p->filter_arg;
    struct s2_ike_payloads list;

    if (d->to != z->to || d->p[18] != S2_IKE_SA_INIT || z->times == 0 ||
        s2_ike_read_chain(s2_span(d->p + 28, d->len - 28), d->p[16], &list) != S2SVPN_OK)
        return true;
    const struct s2_ike_payload *ke = s2_ike_find(&list, S2_IKE_PAYLOAD_KE);
    if (ke == NULL)
        return true;
    memset(d->p + (ke->body.p - d->p) + 4, 0, ke->body.len - 4);
    z->times--;
    return true;
}

static void a_public_value_of_zeros_ends_nothing_but_itself(void)
{
    for (unsigned to = 0; to < 2; to++) {
        struct zeroing z = {to, 1};
        struct s2_pair p;

        s2_pair_init(&p, 7);
        p.filter = zero_ke;
        p.filter_arg = &z;
        p.end[0].defer_jobs = to == 0;
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
        s2_pair_run_for(&p, 5 * S2_SECOND);
        CU_ASSERT_EQUAL(z.times, 0);
        /* To the initiator: it waits for a better answer, and gets it. To the
         * responder: the half-open SA dies; the initiator hears nothing. */
        CU_ASSERT_EQUAL(s2_pair_is_settled(&p), to == 0);
        CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), to == 0 ? 1 : 0);
        s2_pair_run_for(&p, 200 * S2_SECOND);
        CU_ASSERT_EQUAL(p.end[0].sa_downs, to == 0 ? 0 : 1);
        CU_ASSERT_TRUE(to == 0 || p.end[0].reason == S2_IKE_REASON_TIMEOUT);
        s2_pair_close(&p);
    }
}

/* Answers to IKE_SA_INIT that can't be used leave the initiator where it was. */
static bool spoil_first_answer(struct s2_pair *p, struct s2_pair_datagram *d)
{
    size_t *at = p->filter_arg;

    if (d->to == 0 && d->p[18] == S2_IKE_SA_INIT && *at < d->len) {
        uint8_t copy[2048];

        memcpy(copy, d->p, d->len);
        copy[*at] ^= 0x55;
        (void)s2_ike_receive(p->end[0].ike, &d->local, &d->remote, copy, d->len, p->now_ns);
        *at = SIZE_MAX;
    }
    return true;
}

static void a_spoilt_answer_does_not_stop_the_attempt(void)
{
    unsigned good = 0, tries = 0;

    for (size_t at = 0; at < 120; at++) {
        size_t where = at;
        struct s2_pair p;

        s2_pair_init(&p, 8);
        p.filter = spoil_first_answer;
        p.filter_arg = &where;
        good += s2_pair_connect(&p);
        tries++;
        CU_ASSERT_TRUE(where == SIZE_MAX);
        s2_pair_close(&p);
    }
    /* A changed SPI, KE value or nonce can't be s2_forge_told from a true one before AUTH. */
    CU_ASSERT_TRUE(good >= 60 && good < tries);
}

/* ---- IKE_AUTH, with keys but not authenticated */

/* CVE-2019-12312, CVE-2014-2338: INFORMATIONAL and CREATE_CHILD_SA before IKE_AUTH,
 * well sealed. Nothing is answered, nothing comes up. */
static void nothing_but_ike_auth_counts_before_ike_auth(void)
{
    static const uint8_t exchange[] = {S2_IKE_INFORMATIONAL, S2_IKE_CREATE_CHILD_SA, 38};
    struct s2_pair p;
    struct s2_ike_sa *sa = s2_forge_half_open(&p, 9);

    for (size_t round = 0; round < 2; round++) { /* before the responder has keys, and after */
        for (size_t i = 0; i < sizeof(exchange); i++) {
            struct s2_ike_compose *c = s2_forge_begin(sa, exchange[i]);

            s2_forge_add_delete(c, S2_IKE_PROTO_IKE, NULL, 0);
            s2_forge_add_parts(c, sa, S2_PART_ALL, 0x77777777);
            CU_ASSERT_NOT_EQUAL(s2_forge_give_sealed(&p, sa), S2SVPN_DROP_NONE);
        }
        CU_ASSERT_EQUAL(p.end[1].sent, 1);
        CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 1);
        /* Garbage as IKE_AUTH makes the responder compute its keys. */
        struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_AUTH);
        CU_ASSERT_EQUAL(s2_ike_sk_end(&c->sk, &sa->ike->crypto, &sa->keys, true, 5), S2SVPN_OK);
        c->bytes[c->w.len - 1] ^= 1;
        (void)s2_ike_receive(p.end[1].ike, &p.end[1].config.local, &p.end[0].config.local, c->bytes,
                             c->w.len, p.now_ns);
    }
    CU_ASSERT_EQUAL(p.end[1].jobs, 2); /* one public value, one secret: no more for garbage */
    CU_ASSERT_EQUAL(p.end[1].sa_ups, 0);
    p.manual = false;
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p)); /* and the honest request still comes through */
    s2_pair_close(&p);
}

/* CVE-2013-6467 in IKE_AUTH: INVALID_SYNTAX or AUTHENTICATION_FAILED, no SA. */
static void an_incomplete_ike_auth_brings_nothing_up(void)
{
    for (unsigned parts = 0; parts < 32; parts++) {
        struct s2_pair p;
        struct s2_ike_sa *sa = s2_forge_half_open(&p, 10);
        struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_AUTH);
        uint8_t auth[S2SVPN_PRF_MAX];

        if (parts & 1)
            s2_ike_add_id(c, S2_IKE_PAYLOAD_IDI, &sa->handshake->our_id);
        if (parts & 2) {
            CU_ASSERT_EQUAL(s2_ike_auth_compute(sa, true, &sa->handshake->our_id, auth), S2SVPN_OK);
            s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_AUTH);
            s2_ike_write_auth(&c->w, S2_IKE_AUTH_PSK, s2_span(auth, sa->keys.prf->out_len));
            s2_ike_payload_end(c->chain);
        }
        s2_forge_add_parts(c, sa,
                           (parts & 4 ? S2_PART_SA : 0) | (parts & 8 ? S2_PART_TSI : 0) |
                               (parts & 16 ? S2_PART_TSR : 0),
                           0x77777777);
        CU_ASSERT_EQUAL(s2_forge_give_sealed(&p, sa), S2SVPN_DROP_NONE);
        CU_ASSERT_EQUAL(p.end[1].sa_ups, parts == 31 ? 1 : 0);
        CU_ASSERT_EQUAL(s2_forge_told(sa), parts == 31 ? 0 : S2_IKE_N_INVALID_SYNTAX);
        CU_ASSERT_TRUE(s2_pair_balances(&p.end[1]));
        s2_pair_close(&p);
        CU_ASSERT_EQUAL(p.end[1].fake.live, 0);
    }
}

/* CVE-2024-2357: a tunnel without a key, and a peer that asks twice. */
static void a_missing_key_refuses_and_bears_a_retransmit(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 11);
    p.end[1].config.psk.len = 0;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
    p.twice = 100;
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_PEER_AUTHENTICATION);
    CU_ASSERT_PTR_NOT_NULL(strstr(p.end[1].note, "no pre-shared key"));
    s2_pair_run_for(&p, 40 * S2_SECOND);
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
    s2_pair_close(&p);
}

/* An empty key on both sides is no key. */
static void two_empty_keys_do_not_authenticate(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 12);
    p.end[0].config.psk.len = p.end[1].config.psk.len = 0;
    CU_ASSERT_FALSE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(p.end[1].sa_ups, 0);
    s2_pair_close(&p);
}

/* CVE-2023-30570: after a failure a responder SPI remains; what comes for it next
 * meets an SA that answers nothing but the same request. */
static void a_refused_peer_gets_nothing_more(void)
{
    struct s2_pair p;
    struct s2_ike_sa *sa = s2_forge_half_open(&p, 13);
    struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_AUTH);

    s2_ike_add_id(c, S2_IKE_PAYLOAD_IDI, &sa->handshake->our_id);
    s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_AUTH);
    s2_ike_write_auth(&c->w, S2_IKE_AUTH_PSK, s2_span("twenty bytes of lies", 20));
    s2_ike_payload_end(c->chain);
    s2_forge_add_parts(c, sa, S2_PART_SA | S2_PART_TSI | S2_PART_TSR, 0x77777777);
    CU_ASSERT_EQUAL(s2_forge_give_sealed(&p, sa), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(s2_forge_told(sa), S2_IKE_N_AUTHENTICATION_FAILED);
    const unsigned sent = p.end[1].sent;
    for (unsigned i = 0; i < 3; i++) {
        sa->out_id = 2;
        c = s2_forge_begin(sa, (uint8_t)(S2_IKE_AUTH + i));
        s2_forge_add_delete(c, S2_IKE_PROTO_IKE, NULL, 0);
        CU_ASSERT_EQUAL(s2_forge_give_sealed(&p, sa), S2SVPN_DROP_IKE_STATE);
    }
    CU_ASSERT_EQUAL(p.end[1].sent, sent);
    s2_pair_close(&p);
}

/* ---- anything, again */

#define KEPT 64
static struct {
    uint8_t p[1024];
    size_t len;
    unsigned to;
    s2svpn_endpoint local, remote;
} kept[KEPT];
static size_t kept_count;

static bool keep_all(struct s2_pair *p, struct s2_pair_datagram *d)
{
    (void)p;
    if (kept_count < KEPT && d->len <= sizeof(kept[0].p)) {
        memcpy(kept[kept_count].p, d->p, d->len);
        kept[kept_count].len = d->len;
        kept[kept_count].to = d->to;
        kept[kept_count].local = d->local;
        kept[kept_count++].remote = d->remote;
    }
    return true;
}

/* A life's messages, each again after each other one: nothing changes by it. */
static void replayed_messages_change_nothing(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 21);
    kept_count = 0;
    p.filter = keep_all;
    CU_ASSERT_TRUE_FATAL(s2_pair_connect(&p));
    for (unsigned e = 0; e < 2; e++) {
        struct s2_pair_end *end = &p.end[e];

        CU_ASSERT_EQUAL(
            s2_ike_rekey_child(end->ike, end, s2_pair_only_child(end)->spi_in, p.now_ns),
            S2SVPN_OK);
        s2_pair_run_for(&p, S2_SECOND);
        CU_ASSERT_EQUAL(s2_ike_rekey_sa(end->ike, end, p.now_ns), S2SVPN_OK);
        s2_pair_run_for(&p, S2_SECOND);
    }
    p.filter = NULL;
    CU_ASSERT_TRUE(kept_count >= 20);
    const unsigned up[2] = {p.end[0].children_up, p.end[1].children_up};
    for (size_t i = 0; i < kept_count; i++)
        s2_pair_inject(&p, kept[i].to, &kept[i].local, &kept[i].remote, kept[i].p, kept[i].len);
    s2_pair_run_for(&p, S2_SECOND);
    for (size_t e = 0; e < 2; e++) {
        CU_ASSERT_EQUAL(p.end[e].children_up, up[e]);
        CU_ASSERT_EQUAL(p.end[e].sa_downs, 2); /* the two rekeyed ones */
    }
    CU_ASSERT_TRUE(s2_pair_agrees(&p));
    s2_pair_run_for(&p, 60 * S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    s2_pair_close(&p);
}

/* Before each message after IKE_SA_INIT arrives, every one of its bytes is changed
 * once and the result arrives first. */
static bool precede_with_forgeries(struct s2_pair *p, struct s2_pair_datagram *d)
{
    uint8_t copy[2048];

    if (d->p[18] == S2_IKE_SA_INIT || p->end[d->to].ike == NULL)
        return true;
    for (size_t i = 0; i < d->len; i++) {
        memcpy(copy, d->p, d->len);
        copy[i] ^= (uint8_t)(1 + i % 255);
        if (copy[18] == S2_IKE_SA_INIT)
            continue;
        s2_pair_inject(p, d->to, &d->local, &d->remote, copy, d->len);
    }
    return true;
}

static bool forging;
static bool forge(struct s2_pair *p, struct s2_pair_datagram *d)
{
    if (forging)
        return true; /* a forgery itself */
    forging = true;
    const bool keep = precede_with_forgeries(p, d);
    forging = false;
    /* Forgeries first. */
    d->order = p->order++;
    return keep;
}

static void no_forgery_after_the_first_exchange_has_any_effect(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 22);
    p.filter = forge;
    p.end[0].config.esp.ke_count = p.end[1].config.esp.ke_count = 0;
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(s2_ike_rekey_child(p.end[0].ike, &p.end[0], p.end[0].child[0].spi_in, p.now_ns),
                    S2SVPN_OK);
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    for (size_t e = 0; e < 2; e++) {
        CU_ASSERT_EQUAL(p.end[e].sa_ups, 1);
        CU_ASSERT_EQUAL(p.end[e].sa_downs, 0);
        CU_ASSERT_EQUAL(p.end[e].children_up, 2);
    }
    s2_pair_close(&p);
}

const CU_TestInfo s2_test_hostile[] = {
    {"messages for no SA do nothing (CVE-2022-23094, CVE-2020-1763)",
     messages_for_no_sa_do_nothing},
    {"unprotected notifies cost one check at most (CVE-2009-0790)",
     unprotected_notifies_cost_one_check_at_most},
    {"a responder never sends unasked (CERT VU#419128)", a_responder_never_sends_unasked},
    {"a reflected message is dropped", a_reflected_message_is_dropped},
    {"a proposal without a group is refused (CVE-2016-5391)",
     a_proposal_without_a_group_is_refused},
    {"incomplete first messages make no SA (CVE-2013-6467, CVE-2023-41913, CVE-2014-9221)",
     incomplete_first_messages_make_no_sa},
    {"a public value of zeros ends nothing but itself (CVE-2015-3240)",
     a_public_value_of_zeros_ends_nothing_but_itself},
    {"a spoilt answer does not stop the attempt", a_spoilt_answer_does_not_stop_the_attempt},
    {"nothing but IKE_AUTH counts before IKE_AUTH (CVE-2019-12312, CVE-2014-2338)",
     nothing_but_ike_auth_counts_before_ike_auth},
    {"an incomplete IKE_AUTH brings nothing up (CVE-2013-6467)",
     an_incomplete_ike_auth_brings_nothing_up},
    {"a missing key refuses and bears a retransmit (CVE-2024-2357)",
     a_missing_key_refuses_and_bears_a_retransmit},
    {"two empty keys do not authenticate", two_empty_keys_do_not_authenticate},
    {"a refused peer gets nothing more (CVE-2023-30570)", a_refused_peer_gets_nothing_more},
    {"replayed messages change nothing", replayed_messages_change_nothing},
    {"no forgery after the first exchange has any effect",
     no_forgery_after_the_first_exchange_has_any_effect},
    CU_TEST_INFO_NULL,
};
