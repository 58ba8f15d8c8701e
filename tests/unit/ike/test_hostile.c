/* SPDX-License-Identifier: Apache-2.0 */
/* v2/ against peers that mean no good or know no better: without keys, with keys but
 * not authenticated, and authenticated. Several tests are named for a class of faults
 * that other implementations were published for. End 0 misbehaves, end 1 is looked
 * at. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "harness.h"
#include "ike/pair.h"
#include "ike/sa.h"
#include "ike/v2/v2.h"

/* ---- looking at answers */

static uint8_t last_answer[4096]; /* the last datagram to end 0 */
static size_t last_len;

static bool keep_last(struct s2_pair *p, struct s2_pair_datagram *d)
{
    (void)p;
    if (d->to == 0 && d->len <= sizeof(last_answer)) {
        memcpy(last_answer, d->p, d->len);
        last_len = d->len;
    }
    return true;
}

/* The payloads of the last answer, decrypted with the SA's keys if it has any. */
static bool open_last(struct s2_ike_sa *sa, struct s2_ike_payloads *list)
{
    struct s2_ike_header h;
    struct s2_reader r;
    s2svpn_span inner;

    s2_reader_init(&r, last_answer, last_len);
    if (last_len == 0 || s2_ike_parse_header(&r, &h) != S2SVPN_OK ||
        s2_ike_parse_payloads(&r, h.next_payload, list) != S2SVPN_OK)
        return false;
    const struct s2_ike_payload *sk = s2_ike_find(list, S2_IKE_PAYLOAD_SK);
    if (sk == NULL)
        return true;
    const struct s2_ike_payload seal = *sk;
    return s2_ike_sk_open(&sa->ike->crypto, &sa->keys, sa->initiator, last_answer, last_len, &seal,
                          &inner) == S2SVPN_OK &&
           s2_ike_read_chain(inner, seal.next, list) == S2SVPN_OK;
}

/* The error that the last answer tells; 0: none; 65535: it can't be read. */
static uint16_t told(struct s2_ike_sa *sa)
{
    struct s2_ike_payloads list;
    struct s2_ike_notifies says;

    if (!open_last(sa, &list) || s2_ike_read_notifies(&list, &says) != S2SVPN_OK)
        return 65535;
    return says.error;
}

/* ---- sending what no honest engine would */

static bool connect_with(struct s2_pair *p, uint64_t seed)
{
    s2_pair_init(p, seed);
    p->filter = keep_last;
    last_len = 0;
    return s2_pair_connect(p);
}

static struct s2_ike_sa *sa_of(struct s2_pair *p, unsigned number)
{
    return s2_ike_find_up(p->end[number].ike, &p->end[number]);
}

static struct s2_ike_compose compose;

static struct s2_ike_compose *begin(struct s2_ike_sa *sa, uint8_t exchange)
{
    CU_ASSERT_EQUAL_FATAL(s2_ike_compose_request(&compose, sa, exchange), S2SVPN_OK);
    return &compose;
}

static void send_it(struct s2_pair *p, struct s2_ike_sa *sa, uint8_t exchange)
{
    s2_ike_enter(sa->ike, p->now_ns);
    CU_ASSERT_EQUAL(s2_ike_send_request(sa, &compose, exchange), S2SVPN_OK);
    s2_ike_leave(sa->ike);
}

static void add_delete(struct s2_ike_compose *c, uint8_t protocol, const uint32_t *spi, uint16_t n)
{
    struct s2_ike_delete_payload d = {.protocol = protocol, .count = n};

    for (uint16_t i = 0; i < n; i++)
        d.spi[i] = spi[i];
    s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_DELETE);
    s2_ike_write_delete(&c->w, &d);
    s2_ike_payload_end(c->chain);
}

static void add_rekey(struct s2_ike_compose *c, uint8_t protocol, s2svpn_span spi)
{
    const struct s2_ike_notify_payload n = {
        .protocol = protocol, .type = S2_IKE_N_REKEY_SA, .spi = spi};

    s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_NOTIFY);
    s2_ike_write_notify(&c->w, &n);
    s2_ike_payload_end(c->chain);
}

/* The parts of a CREATE_CHILD_SA request for a child; bits say which. */
enum part { PART_SA = 1, PART_NONCE = 2, PART_KE = 4, PART_TSI = 8, PART_TSR = 16, PART_ALL = 31 };

static void add_parts(struct s2_ike_compose *c, struct s2_ike_sa *sa, unsigned parts, uint32_t spi)
{
    struct s2_ike_making m = {.spi_in = spi};
    uint8_t value[256] = {5};

    s2_ike_child_want_ts(sa, &m);
    if (parts & PART_SA)
        CU_ASSERT_EQUAL(s2_ike_child_add_offer(sa, c, &m, true), S2SVPN_OK);
    if (parts & PART_NONCE)
        s2_ike_add_bytes(c, S2_IKE_PAYLOAD_NONCE, s2_span("twenty or more bytes", 20));
    if (parts & PART_KE) {
        s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_KE);
        s2_ike_write_ke(&c->w, S2SVPN_KE_MODP_2048, s2_span(value, sizeof(value)));
        s2_ike_payload_end(c->chain);
    }
    for (unsigned t = 0; t < 2; t++) {
        if (!(parts & (PART_TSI << t)))
            continue;
        s2_ike_payload_begin(c->chain, (uint8_t)(S2_IKE_PAYLOAD_TSI + t));
        s2_ike_write_ts(&c->w, t == 0 ? &m.local_ts : &m.remote_ts);
        s2_ike_payload_end(c->chain);
    }
}

/* ---- without keys */

/* CVE-2022-23094, CVE-2020-1763 and kin: replies and log lines about a state that
 * isn't there. Every exchange, flag and ID, protected or not, to unknown SPIs. */
static void messages_for_no_sa_do_nothing(void)
{
    struct s2_pair p;

    CU_ASSERT_TRUE_FATAL(connect_with(&p, 1));
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

        s2_ike_compose_plain(&compose, &h);
        if (n & 512)
            s2_ike_add_bytes(&compose, S2_IKE_PAYLOAD_SK, s2_span("a sealed thing, perhaps", 23));
        else
            s2_ike_add_notify(&compose, n & 256 ? S2_IKE_N_INVALID_IKE_SPI : 16393,
                              s2_span(NULL, 0));
        CU_ASSERT_EQUAL(s2_ike_write_end(&compose.w), S2SVPN_OK);
        CU_ASSERT_NOT_EQUAL(s2_ike_receive(p.end[1].ike, &p.end[1].config.local,
                                           &p.end[0].config.local, compose.bytes, compose.w.len,
                                           p.now_ns),
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

    CU_ASSERT_TRUE_FATAL(connect_with(&p, 2));
    const unsigned sent = p.end[1].sent;
    for (size_t round = 0; round < 10; round++) {
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
            for (uint8_t flags = 0; flags < 0x40; flags += 8) {
                const struct s2_ike_header h = {.spi_i = p.end[1].info.spi_i,
                                                .spi_r = p.end[1].info.spi_r,
                                                .version = 0x20,
                                                .exchange = S2_IKE_INFORMATIONAL,
                                                .flags = flags};

                s2_ike_compose_plain(&compose, &h);
                s2_ike_add_notify(&compose, types[i], s2_span(NULL, 0));
                CU_ASSERT_EQUAL(s2_ike_write_end(&compose.w), S2SVPN_OK);
                (void)s2_ike_receive(p.end[1].ike, &p.end[1].config.local, &p.end[0].config.local,
                                     compose.bytes, compose.w.len, p.now_ns);
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

/* Writes IKE_SA_INIT requests by hand: any proposal, any parts. */
static enum s2svpn_drop init_request(struct s2_pair *p, const struct s2_ike_proposal *proposal,
                                     unsigned parts, uint16_t group, size_t value_len)
{
    const struct s2_ike_header h = {.spi_i = UINT64_C(0x0102030405060708) + parts,
                                    .version = 0x20,
                                    .exchange = S2_IKE_SA_INIT,
                                    .flags = S2_IKE_FLAG_INITIATOR};
    const struct s2_ike_sa_payload offer = {.count = 1, .proposal = {*proposal}};
    static const uint8_t value[2048] = {1};

    s2_ike_compose_plain(&compose, &h);
    if (parts & PART_SA)
        s2_ike_add_sa(&compose, &offer);
    if (parts & PART_KE) {
        s2_ike_payload_begin(compose.chain, S2_IKE_PAYLOAD_KE);
        s2_ike_write_ke(&compose.w, group, s2_span(value, value_len));
        s2_ike_payload_end(compose.chain);
    }
    if (parts & PART_NONCE)
        s2_ike_add_bytes(&compose, S2_IKE_PAYLOAD_NONCE, s2_span("twenty or more bytes", 20));
    CU_ASSERT_EQUAL(s2_ike_write_end(&compose.w), S2SVPN_OK);
    return s2_ike_receive(p->end[1].ike, &p->end[1].config.local, &p->end[0].config.local,
                          compose.bytes, compose.w.len, p->now_ns);
}

static const struct s2_ike_proposal good_proposal = {
    .number = 1,
    .protocol = S2_IKE_PROTO_IKE,
    .count = 4,
    .transform = {{S2SVPN_TRANSFORM_ENCR, 12, 128},
                  {S2SVPN_TRANSFORM_INTEG, 2, 0},
                  {S2SVPN_TRANSFORM_PRF, 2, 0},
                  {S2SVPN_TRANSFORM_KE, 14, 0}},
};

/* CVE-2016-5391: a proposal without a Diffie-Hellman transform; and without each of
 * the others. */
static void a_proposal_without_a_group_is_refused(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 5);
    p.filter = keep_last;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    for (size_t missing = 0; missing < 4; missing++) {
        struct s2_ike_proposal proposal = good_proposal;

        for (size_t i = missing; i < 3; i++)
            proposal.transform[i] = proposal.transform[i + 1];
        proposal.count = 3;
        CU_ASSERT_EQUAL(init_request(&p, &proposal, PART_ALL, 14, 256), S2SVPN_DROP_NONE);
        CU_ASSERT_EQUAL(told(NULL), S2_IKE_N_NO_PROPOSAL_CHOSEN);
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
    p.filter = keep_last;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    for (unsigned parts = 0; parts < 7; parts++)
        CU_ASSERT_EQUAL(init_request(&p, &good_proposal, parts, 14, 256),
                        S2SVPN_DROP_IKE_MALFORMED);
    CU_ASSERT_EQUAL(p.end[1].sent, 0);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        CU_ASSERT_EQUAL(init_request(&p, &good_proposal, PART_ALL, 14, lengths[i]),
                        S2SVPN_DROP_IKE_MALFORMED);
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
    CU_ASSERT_EQUAL(init_request(&p, &good_proposal, PART_ALL, 1025, 256), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(told(NULL), S2_IKE_N_INVALID_KE_PAYLOAD);
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
    CU_ASSERT_EQUAL(init_request(&p, &good_proposal, PART_ALL, 14, 256), S2SVPN_DROP_NONE);
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
    /* A changed SPI, KE value or nonce can't be told from a true one before AUTH. */
    CU_ASSERT_TRUE(good >= 60 && good < tries);
}

/* ---- IKE_AUTH, with keys but not authenticated */

/* An initiator up to IKE_AUTH, whose own request is held back. */
static struct s2_ike_sa *half_open(struct s2_pair *p, uint64_t seed)
{
    s2_pair_init(p, seed);
    p->filter = keep_last;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(p));
    CU_ASSERT_TRUE(s2_pair_initiate(p, 0));
    p->manual = true;
    CU_ASSERT_TRUE(s2_pair_deliver(p, 1));
    CU_ASSERT_TRUE(s2_pair_deliver(p, 0));
    const struct s2_ike_owner *owner = s2_ike_find_owner(p->end[0].ike, &p->end[0]);
    CU_ASSERT_PTR_NOT_NULL_FATAL(owner);
    struct s2_ike_sa *sa = S2_CONTAINER(owner->sas.next, struct s2_ike_sa, owner_link);
    CU_ASSERT_EQUAL_FATAL(sa->state, S2_IKE_STATE_AUTH_SENT);
    last_len = 0;
    return sa;
}

/* Take the datagram that waits for end 1 out of the queue, and give it a sealed
 * message made with the initiator's keys instead. */
static enum s2svpn_drop give_sealed(struct s2_pair *p, struct s2_ike_sa *sa)
{
    const s2svpn_status rc =
        s2_ike_sk_end(&compose.sk, &sa->ike->crypto, &sa->keys, true, 1000 + p->end[1].received++);

    CU_ASSERT_EQUAL(rc, S2SVPN_OK);
    return s2_ike_receive(p->end[1].ike, &p->end[1].config.local, &p->end[0].config.local,
                          compose.bytes, compose.w.len, p->now_ns);
}

/* CVE-2019-12312, CVE-2014-2338: INFORMATIONAL and CREATE_CHILD_SA before IKE_AUTH,
 * well sealed. Nothing is answered, nothing comes up. */
static void nothing_but_ike_auth_counts_before_ike_auth(void)
{
    static const uint8_t exchange[] = {S2_IKE_INFORMATIONAL, S2_IKE_CREATE_CHILD_SA, 38};
    struct s2_pair p;
    struct s2_ike_sa *sa = half_open(&p, 9);

    for (size_t round = 0; round < 2; round++) { /* before the responder has keys, and after */
        for (size_t i = 0; i < sizeof(exchange); i++) {
            struct s2_ike_compose *c = begin(sa, exchange[i]);

            add_delete(c, S2_IKE_PROTO_IKE, NULL, 0);
            add_parts(c, sa, PART_ALL, 0x77777777);
            CU_ASSERT_NOT_EQUAL(give_sealed(&p, sa), S2SVPN_DROP_NONE);
        }
        CU_ASSERT_EQUAL(p.end[1].sent, 1);
        CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 1);
        /* Garbage as IKE_AUTH makes the responder compute its keys. */
        struct s2_ike_compose *c = begin(sa, S2_IKE_AUTH);
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
        struct s2_ike_sa *sa = half_open(&p, 10);
        struct s2_ike_compose *c = begin(sa, S2_IKE_AUTH);
        uint8_t auth[S2SVPN_PRF_MAX];

        if (parts & 1)
            s2_ike_add_id(c, S2_IKE_PAYLOAD_IDI, &sa->handshake->our_id);
        if (parts & 2) {
            CU_ASSERT_EQUAL(s2_ike_auth_compute(sa, true, &sa->handshake->our_id, auth), S2SVPN_OK);
            s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_AUTH);
            s2_ike_write_auth(&c->w, S2_IKE_AUTH_PSK, s2_span(auth, sa->keys.prf->out_len));
            s2_ike_payload_end(c->chain);
        }
        add_parts(c, sa,
                  (parts & 4 ? PART_SA : 0) | (parts & 8 ? PART_TSI : 0) |
                      (parts & 16 ? PART_TSR : 0),
                  0x77777777);
        CU_ASSERT_EQUAL(give_sealed(&p, sa), S2SVPN_DROP_NONE);
        CU_ASSERT_EQUAL(p.end[1].sa_ups, parts == 31 ? 1 : 0);
        CU_ASSERT_EQUAL(told(sa), parts == 31 ? 0 : S2_IKE_N_INVALID_SYNTAX);
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
    struct s2_ike_sa *sa = half_open(&p, 13);
    struct s2_ike_compose *c = begin(sa, S2_IKE_AUTH);

    s2_ike_add_id(c, S2_IKE_PAYLOAD_IDI, &sa->handshake->our_id);
    s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_AUTH);
    s2_ike_write_auth(&c->w, S2_IKE_AUTH_PSK, s2_span("twenty bytes of lies", 20));
    s2_ike_payload_end(c->chain);
    add_parts(c, sa, PART_SA | PART_TSI | PART_TSR, 0x77777777);
    CU_ASSERT_EQUAL(give_sealed(&p, sa), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(told(sa), S2_IKE_N_AUTHENTICATION_FAILED);
    const unsigned sent = p.end[1].sent;
    for (unsigned i = 0; i < 3; i++) {
        sa->out_id = 2;
        c = begin(sa, (uint8_t)(S2_IKE_AUTH + i));
        add_delete(c, S2_IKE_PROTO_IKE, NULL, 0);
        CU_ASSERT_EQUAL(give_sealed(&p, sa), S2SVPN_DROP_IKE_STATE);
    }
    CU_ASSERT_EQUAL(p.end[1].sent, sent);
    s2_pair_close(&p);
}

/* ---- authenticated */

/* CVE-2023-38710: REKEY_SA for protocols that have no children, or SPIs of any size. */
static void a_rekey_of_nothing_is_not_found(void)
{
    static const struct {
        const char *row;
        uint8_t protocol;
        size_t spi_len;
    } rows[] = {
        {"protocol 0", 0, 4}, {"IKE", 1, 8},       {"IKE with four", 1, 4},
        {"AH", 2, 4},         {"unknown", 200, 4}, {"no SPI", 3, 0},
        {"short SPI", 3, 3},  {"long SPI", 3, 8},  {"a wrong SPI", 3, 4},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s2_pair p;

        CU_ASSERT_TRUE_FATAL(connect_with(&p, 14));
        struct s2_ike_sa *sa = sa_of(&p, 0);
        struct s2_ike_compose *c = begin(sa, S2_IKE_CREATE_CHILD_SA);
        add_rekey(c, rows[i].protocol, s2_span("12345678", rows[i].spi_len));
        add_parts(c, sa, PART_ALL, 0x77777777);
        send_it(&p, sa, S2_IKE_CREATE_CHILD_SA);
        s2_pair_run_for(&p, S2_SECOND);
        CHECK_ROW(rows[i].row, told(sa) == S2_IKE_N_CHILD_SA_NOT_FOUND);
        CHECK_ROW(rows[i].row, s2_pair_is_settled(&p));
        s2_pair_close(&p);
    }
}

/* CVE-2013-6467 in CREATE_CHILD_SA: fatal, as section 2.21.3 says, but tidy. */
static void an_incomplete_create_child_sa_ends_the_sa_tidily(void)
{
    for (unsigned parts = 0; parts < PART_ALL; parts++) {
        struct s2_pair p;

        CU_ASSERT_TRUE_FATAL(connect_with(&p, 15));
        struct s2_ike_sa *sa = sa_of(&p, 0);
        struct s2_ike_compose *c = begin(sa, S2_IKE_CREATE_CHILD_SA);
        add_parts(c, sa, parts, 0x77777777);
        send_it(&p, sa, S2_IKE_CREATE_CHILD_SA);
        s2_pair_run_for(&p, 15 * S2_MS);
        if (parts == (PART_ALL & ~PART_KE)) {
            CU_ASSERT_EQUAL(told(sa), S2_IKE_N_INVALID_KE_PAYLOAD);
            CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        } else {
            CU_ASSERT_EQUAL(told(sa), S2_IKE_N_INVALID_SYNTAX);
            CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
            CU_ASSERT_EQUAL(p.end[1].reason, S2_IKE_REASON_SYNTAX);
            CU_ASSERT_EQUAL(p.end[1].children_down, 1);
        }
        CU_ASSERT_TRUE(s2_pair_balances(&p.end[1]));
        s2_pair_close(&p);
        CU_ASSERT_EQUAL(p.end[1].fake.live, 0);
    }
}

/* CVE-2023-38712: the IKE SA is deleted, and the same message goes on. */
static void what_follows_a_delete_is_done_or_not_but_never_on_the_dead(void)
{
    for (unsigned order = 0; order < 2; order++) {
        struct s2_pair p;

        CU_ASSERT_TRUE_FATAL(connect_with(&p, 16));
        struct s2_ike_sa *sa = sa_of(&p, 0);
        const uint32_t spi[2] = {s2_pair_only_child(&p.end[0])->spi_in, 99};
        struct s2_ike_compose *c = begin(sa, S2_IKE_INFORMATIONAL);
        if (order == 0)
            add_delete(c, S2_IKE_PROTO_IKE, NULL, 0);
        add_delete(c, S2_IKE_PROTO_ESP, spi, 2);
        s2_ike_add_notify(c, S2_IKE_N_AUTHENTICATION_FAILED, s2_span(NULL, 0));
        add_rekey(c, S2_IKE_PROTO_ESP, s2_span("1234", 4));
        add_delete(c, S2_IKE_PROTO_IKE, NULL, 0);
        add_delete(c, S2_IKE_PROTO_ESP, spi, 1);
        add_delete(c, S2_IKE_PROTO_AH, spi, 1);
        send_it(&p, sa, S2_IKE_INFORMATIONAL);
        s2_pair_run_for(&p, 15 * S2_MS);
        CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
        CU_ASSERT_EQUAL(p.end[1].children_down, 1);
        CU_ASSERT_EQUAL(p.end[1].sa_downs, 1);
        CU_ASSERT_EQUAL(told(sa), 0); /* it was answered */
        s2_pair_close(&p);
        CU_ASSERT_EQUAL(p.end[1].fake.live, 0);
    }
}

/* CVE-2015-3991: payload types of IKEv1, and unknown ones, critical and not. */
static void foreign_payloads_are_passed_over_or_refused_by_name(void)
{
    for (unsigned type = 1; type < 256; type++) {
        for (unsigned critical = 0; critical < 2; critical++) {
            struct s2_pair p;

            if (type >= 33 && type <= 54)
                continue; /* IKEv2's own */
            CU_ASSERT_TRUE_FATAL(connect_with(&p, 17));
            struct s2_ike_sa *sa = sa_of(&p, 0);
            struct s2_ike_compose *c = begin(sa, S2_IKE_INFORMATIONAL);
            s2_ike_add_bytes(c, (uint8_t)type, s2_span("whatever", 8));
            /* The flag stands behind the "next payload" byte, 12 bytes from the end. */
            s2_write_patch_u8(&c->w, c->w.len - 11, critical ? 0x80 : 0);
            send_it(&p, sa, S2_IKE_INFORMATIONAL);
            s2_pair_run_for(&p, S2_SECOND);
            CU_ASSERT_EQUAL(told(sa), critical ? S2_IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD : 0);
            CU_ASSERT_TRUE(s2_pair_is_settled(&p));
            s2_pair_close(&p);
        }
    }
}

/* A peer that rekeys the same child twice, or gives an SPI twice. */
static void a_child_is_rekeyed_once(void)
{
    struct s2_pair p;
    uint8_t spi[4];

    CU_ASSERT_TRUE_FATAL(connect_with(&p, 18));
    struct s2_ike_sa *sa = sa_of(&p, 0);
    s2_put_u32(spi, s2_pair_only_child(&p.end[0])->spi_in);
    for (unsigned i = 0; i < 3; i++) {
        struct s2_ike_compose *c = begin(sa, S2_IKE_CREATE_CHILD_SA);

        add_rekey(c, S2_IKE_PROTO_ESP, s2_span(spi, 4));
        add_parts(c, sa, PART_ALL, 0x77777777);
        send_it(&p, sa, S2_IKE_CREATE_CHILD_SA);
        s2_pair_run_for(&p, S2_SECOND);
        CU_ASSERT_EQUAL(told(sa), i == 0 ? 0 : S2_IKE_N_TEMPORARY_FAILURE);
    }
    struct s2_ike_compose *c = begin(sa, S2_IKE_CREATE_CHILD_SA);
    add_parts(c, sa, PART_ALL, 0x77777777); /* a new child, but its SPI is in use */
    send_it(&p, sa, S2_IKE_CREATE_CHILD_SA);
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_EQUAL(told(sa), S2_IKE_N_NO_ADDITIONAL_SAS);
    CU_ASSERT_EQUAL(s2_pair_children_up(&p.end[1]), 2);
    s2_pair_close(&p);
}

/* A peer that makes child upon child and deletes none. */
static void children_are_bounded_and_the_newest_counts(void)
{
    struct s2_pair p;
    unsigned made = 0;

    CU_ASSERT_TRUE_FATAL(connect_with(&p, 19));
    struct s2_ike_sa *sa = sa_of(&p, 0);
    for (uint32_t i = 0; i < 10; i++) {
        struct s2_ike_compose *c = begin(sa, S2_IKE_CREATE_CHILD_SA);

        add_parts(c, sa, PART_ALL, 0x77777700 + i);
        send_it(&p, sa, S2_IKE_CREATE_CHILD_SA);
        s2_pair_run_for(&p, 50 * S2_MS);
        made += told(sa) == 0;
    }
    CU_ASSERT_EQUAL(made, S2_IKE_CHILDREN_MAX - 1);
    CU_ASSERT_EQUAL(s2_pair_children_up(&p.end[1]), S2_IKE_CHILDREN_MAX);
    const uint32_t newest = s2_ike_child_current(sa_of(&p, 1))->spi_out;
    CU_ASSERT_EQUAL(newest, 0x77777700 + made - 1);
    /* In time the displaced ones are deleted by us. */
    s2_pair_run_for(&p, 125 * S2_SECOND);
    CU_ASSERT_EQUAL(s2_pair_children_up(&p.end[1]), 1);
    s2_pair_close(&p);
}

/* Whatever the peer deletes, what is left is used. */
static void a_replaced_child_is_current_again_when_its_successor_goes(void)
{
    struct s2_pair p;
    const uint32_t spi = 0x77777777;

    CU_ASSERT_TRUE_FATAL(connect_with(&p, 20));
    struct s2_ike_sa *sa = sa_of(&p, 0);
    struct s2_ike_compose *c = begin(sa, S2_IKE_CREATE_CHILD_SA);
    add_parts(c, sa, PART_ALL, spi);
    send_it(&p, sa, S2_IKE_CREATE_CHILD_SA);
    s2_pair_run_for(&p, 50 * S2_MS);
    CU_ASSERT_EQUAL(s2_ike_child_current(sa_of(&p, 1))->spi_out, spi);
    c = begin(sa, S2_IKE_INFORMATIONAL);
    add_delete(c, S2_IKE_PROTO_ESP, &spi, 1);
    send_it(&p, sa, S2_IKE_INFORMATIONAL);
    s2_pair_run_for(&p, 130 * S2_SECOND); /* longer than the grace of the replaced one */
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    CU_ASSERT_PTR_NOT_NULL(s2_ike_child_current(sa_of(&p, 1)));
    s2_pair_close(&p);
}

/* ---- answers that no honest peer gives */

struct bad_answer {
    const char *row;
    unsigned parts; /* of a CREATE_CHILD_SA answer, written as if we were initiator */
    uint16_t error; /* a notify; 0: none */
    uint16_t group; /* data of INVALID_KE_PAYLOAD; 0: none */
    bool survives;  /* the IKE SA and its old child */
};

static const struct bad_answer bad_answers[] = {
    {"nothing", 0, 0, 0, false},
    {"no nonce", PART_ALL & ~PART_NONCE, 0, 0, false},
    {"no proposal", PART_ALL & ~PART_SA, 0, 0, false},
    {"no value", PART_ALL & ~PART_KE, 0, 0, false},
    {"no selectors", PART_ALL & ~PART_TSI, 0, 0, false},
    {"two proposals of many transforms, for one", PART_ALL, 0, 0, false},
    {"refused: proposal", 0, S2_IKE_N_NO_PROPOSAL_CHOSEN, 0, true},
    {"refused: selectors", 0, S2_IKE_N_TS_UNACCEPTABLE, 0, true},
    {"refused: something new", 0, 12345, 0, true},
    {"refused: busy", 0, S2_IKE_N_TEMPORARY_FAILURE, 0, true},
    {"refused: no more", 0, S2_IKE_N_NO_ADDITIONAL_SAS, 0, true},
    {"refused: a group, but which?", 0, S2_IKE_N_INVALID_KE_PAYLOAD, 0, true},
    {"refused: a group that we don't allow", 0, S2_IKE_N_INVALID_KE_PAYLOAD, 2, true},
    {"refused: the group that we sent", 0, S2_IKE_N_INVALID_KE_PAYLOAD, 14, true},
    {"refused: syntax, which is fatal", 0, S2_IKE_N_INVALID_SYNTAX, 0, false},
};

/* End 1's answer to the request of end 0 that is in the queue, and is thrown away. */
static void answer_badly(struct s2_pair *p, uint8_t exchange, const struct bad_answer *bad)
{
    struct s2_ike_sa *sa = sa_of(p, 1);
    uint8_t group[2];

    while (p->queued > 0)
        free(p->queue[--p->queued].p);
    sa->asked.path = sa->path;
    CU_ASSERT_EQUAL(s2_ike_compose_response(&compose, sa, exchange), S2SVPN_OK);
    s2_put_u16(group, bad->group);
    if (bad->error != 0)
        s2_ike_add_notify(&compose, bad->error, s2_span(group, bad->group != 0 ? 2 : 0));
    add_parts(&compose, sa, bad->parts, 0x77777777);
    s2_ike_enter(sa->ike, p->now_ns);
    CU_ASSERT_EQUAL(s2_ike_send_response(sa, &compose), S2SVPN_OK);
    s2_ike_leave(sa->ike);
    CU_ASSERT_TRUE(s2_pair_deliver(p, 0));
}

static void bad_answers_to_a_rekey_leave_no_mess(void)
{
    for (size_t i = 0; i < 2 * sizeof(bad_answers) / sizeof(bad_answers[0]); i++) {
        const struct bad_answer *bad = &bad_answers[i / 2];
        struct s2_pair p;

        CU_ASSERT_TRUE_FATAL(connect_with(&p, 23));
        p.manual = true;
        if (i % 2 == 0)
            (void)!s2_ike_rekey_child(p.end[0].ike, &p.end[0], p.end[0].child[0].spi_in, p.now_ns);
        else
            (void)!s2_ike_rekey_sa(p.end[0].ike, &p.end[0], p.now_ns);
        answer_badly(&p, S2_IKE_CREATE_CHILD_SA, bad);
        p.manual = false;
        s2_pair_run_for(&p, S2_SECOND);
        CHECK_ROW(bad->row, s2_pair_is_settled(&p) == bad->survives);
        CHECK_ROW(bad->row, (p.end[0].sa_downs == 0) == bad->survives);
        CHECK_ROW(bad->row, s2_pair_balances(&p.end[0]));
        s2_pair_run_for(&p, 60 * S2_SECOND); /* tried again, if it was only refused */
        CHECK_ROW(bad->row, s2_pair_is_settled(&p) == bad->survives);
        s2_pair_close(&p);
        CHECK_ROW(bad->row, p.end[0].fake.live == 0);
    }
}

/* IKE_AUTH is answered by somebody who did the key exchange but is not the peer. */
static bool swallow_auth(struct s2_pair *p, struct s2_pair_datagram *d)
{
    (void)p;
    return !(d->to == 0 && d->p[18] == S2_IKE_AUTH && d->len != last_len);
}

static void nobody_but_the_peer_answers_ike_auth(void)
{
    static const struct {
        const char *row;
        bool id, auth;
        uint16_t error;
        enum s2_ike_reason reason;
    } rows[] = {
        {"nothing", false, false, 0, S2_IKE_REASON_SYNTAX},
        {"an identity alone", true, false, 0, S2_IKE_REASON_SYNTAX},
        {"a proof that is none", true, true, 0, S2_IKE_REASON_AUTHENTICATION},
        {"a proof of nobody", false, true, 0, S2_IKE_REASON_SYNTAX},
        {"a false proof with a reason", true, true, S2_IKE_N_TS_UNACCEPTABLE,
         S2_IKE_REASON_AUTHENTICATION},
        {"no proposal", false, false, S2_IKE_N_NO_PROPOSAL_CHOSEN, S2_IKE_REASON_NO_PROPOSAL},
        {"something new", false, false, 12345, S2_IKE_REASON_PEER_ERROR},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s2_pair p;

        last_len = 0;
        (void)half_open(&p, 24);
        p.filter = swallow_auth;
        CU_ASSERT_TRUE(s2_pair_deliver(&p, 1)); /* end 1 is up; its answer is swallowed */
        struct s2_ike_sa *sa = sa_of(&p, 1);
        const struct s2_ike_id id = s2_ike_id_of(&p.end[1].config.local.address);

        sa->in_id = 1;
        CU_ASSERT_EQUAL(s2_ike_compose_response(&compose, sa, S2_IKE_AUTH), S2SVPN_OK);
        if (rows[i].error != 0)
            s2_ike_add_notify(&compose, rows[i].error, s2_span(NULL, 0));
        if (rows[i].id)
            s2_ike_add_id(&compose, S2_IKE_PAYLOAD_IDR, &id);
        if (rows[i].auth) {
            s2_ike_payload_begin(compose.chain, S2_IKE_PAYLOAD_AUTH);
            s2_ike_write_auth(&compose.w, S2_IKE_AUTH_PSK, s2_span("twenty bytes of lies", 20));
            s2_ike_payload_end(compose.chain);
        }
        p.filter = NULL;
        s2_ike_enter(sa->ike, p.now_ns);
        CU_ASSERT_EQUAL(s2_ike_send_response(sa, &compose), S2SVPN_OK);
        s2_ike_leave(sa->ike);
        p.manual = false;
        s2_pair_run_for(&p, 30 * S2_SECOND);
        CHECK_ROW(rows[i].row, p.end[0].sa_ups == 0);
        CHECK_ROW(rows[i].row, p.end[0].reason == rows[i].reason);
        CHECK_ROW(rows[i].row, p.end[0].sa_downs == 1);
        CHECK_ROW(rows[i].row, s2_pair_sas(&p.end[0]) == 0);
        CHECK_ROW(rows[i].row, s2_pair_balances(&p.end[0]));
        s2_pair_close(&p);
        CHECK_ROW(rows[i].row, p.end[0].fake.live == 0);
    }
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
    {"a rekey of nothing is not found (CVE-2023-38710)", a_rekey_of_nothing_is_not_found},
    {"an incomplete CREATE_CHILD_SA ends the SA tidily (CVE-2013-6467)",
     an_incomplete_create_child_sa_ends_the_sa_tidily},
    {"what follows a delete is never done on the dead (CVE-2023-38712)",
     what_follows_a_delete_is_done_or_not_but_never_on_the_dead},
    {"foreign payloads are passed over or refused by name (CVE-2015-3991)",
     foreign_payloads_are_passed_over_or_refused_by_name},
    {"a child is rekeyed once", a_child_is_rekeyed_once},
    {"children are bounded and the newest counts", children_are_bounded_and_the_newest_counts},
    {"a replaced child is current again when its successor goes",
     a_replaced_child_is_current_again_when_its_successor_goes},
    {"bad answers to a rekey leave no mess", bad_answers_to_a_rekey_leave_no_mess},
    {"nobody but the peer answers IKE_AUTH", nobody_but_the_peer_answers_ike_auth},
    {"replayed messages change nothing", replayed_messages_change_nothing},
    {"no forgery after the first exchange has any effect",
     no_forgery_after_the_first_exchange_has_any_effect},
    CU_TEST_INFO_NULL,
};
