/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 7296 section 2.21, read as a table: which error is told to whom, and which of
 * them ends an SA. End 0 is the peer, end 1 is looked at. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "ike/forge.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A payload of a type that nobody knows, critical or not. The flag stands behind the
 * "next payload" byte. */
static void add_unknown(struct s2_ike_compose *c, bool critical)
{
    const size_t at = c->w.len;

    s2_ike_add_bytes(c, 200, s2_span("whatever", 8));
    s2_write_patch_u8(&c->w, at + 1, critical ? 0x80 : 0);
}

static void add_raw_notify(struct s2_ike_compose *c, const char *body, size_t len)
{
    s2_ike_add_bytes(c, S2_IKE_PAYLOAD_NOTIFY, s2_span(body, len));
}

/* ---- 2.21.1: IKE_SA_INIT, unprotected */

enum init_fault { NO_FAULT, OTHER_CIPHER, OTHER_GROUP, CRITICAL, CRITICAL_AND_STRANGE, BAD_NONCE };

static enum s2svpn_drop give_init(struct s2_pair *p, enum init_fault fault)
{
    struct s2_ike_sa_payload offer = {.count = 1, .proposal = {s2_forge_good_proposal}};
    const struct s2_ike_header h = {.spi_i = 77,
                                    .version = S2_IKE_VERSION_2,
                                    .exchange = S2_IKE_SA_INIT,
                                    .flags = S2_IKE_FLAG_INITIATOR};
    static const uint8_t value[256] = {1};

    if (fault == OTHER_CIPHER)
        offer.proposal[0].transform[0].id = 3;
    s2_ike_compose_plain(&s2_forge_compose, &h);
    s2_ike_add_sa(&s2_forge_compose, &offer);
    s2_ike_payload_begin(s2_forge_compose.chain, S2_IKE_PAYLOAD_KE);
    s2_ike_write_ke(&s2_forge_compose.w, fault == OTHER_GROUP ? 2 : 14, s2_span(value, 256));
    s2_ike_payload_end(s2_forge_compose.chain);
    s2_ike_add_bytes(&s2_forge_compose, S2_IKE_PAYLOAD_NONCE,
                     s2_span("twenty or more bytes", fault == BAD_NONCE ? 15 : 20));
    if (fault == CRITICAL || fault == CRITICAL_AND_STRANGE)
        add_unknown(&s2_forge_compose, true);
    CU_ASSERT_EQUAL(s2_ike_write_end(&s2_forge_compose.w), S2SVPN_OK);
    s2svpn_endpoint from = p->end[0].config.local;
    from.address.bytes[3] ^= fault == CRITICAL_AND_STRANGE;
    return s2_ike_receive(p->end[1].ike, &p->end[1].config.local, &from, s2_forge_compose.bytes,
                          s2_forge_compose.w.len, p->now_ns);
}

static void a_first_message_that_is_refused_is_told_why_and_makes_no_sa(void)
{
    static const struct {
        const char *row;
        enum init_fault fault;
        uint16_t told;
        const char *data;
        size_t data_len;
        uint64_t sas;
    } rows[] = {
        {"a good one", NO_FAULT, 0, "", 0, 1},
        {"no common proposal", OTHER_CIPHER, S2_IKE_N_NO_PROPOSAL_CHOSEN, "", 0, 0},
        {"another group", OTHER_GROUP, S2_IKE_N_INVALID_KE_PAYLOAD, "\0\x0e", 2, 0},
        {"an unknown critical payload", CRITICAL, S2_IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD, "\xc8", 1,
         0},
        /* INVALID_SYNTAX is for encrypted messages alone, section 3.10.1. */
        {"malformed", BAD_NONCE, 65535, "", 0, 0},
        {"critical, from a stranger", CRITICAL_AND_STRANGE, 65535, "", 0, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct s2_ike_payloads list;
        struct s2_ike_notifies says = {0};
        struct s2_pair p;

        s2_pair_init(&p, 1);
        p.filter = s2_forge_keep_last;
        s2_forge_last_len = 0;
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        (void)give_init(&p, rows[i].fault);
        CHECK_ROW(rows[i].row, (s2_forge_last_len > 0) == (rows[i].told != 65535));
        if (s2_forge_last_len > 0) {
            CHECK_ROW(rows[i].row, s2_forge_open_last(NULL, &list) &&
                                       s2_ike_read_notifies(&list, &says) == S2SVPN_OK);
            CHECK_ROW(rows[i].row, says.error == rows[i].told);
            CHECK_ROW(rows[i].row,
                      says.error == 0 ||
                          s2_span_equal(says.error_data, s2_span(rows[i].data, rows[i].data_len)));
        }
        CHECK_ROW(rows[i].row, s2_pair_sas(&p.end[1]) == rows[i].sas);
        s2_pair_close(&p);
        CHECK_ROW(rows[i].row, p.end[1].fake.live == 0);
    }
}

/* Strangers that are answered at all are answered at a pace. */
static void unprotected_errors_have_a_pace(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 2);
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    for (unsigned i = 0; i < 100; i++) {
        (void)give_init(&p, CRITICAL);
        s2_pair_run_for(&p, 10 * S2_MS);
    }
    CU_ASSERT_TRUE(p.end[1].sent >= 9 && p.end[1].sent <= 11);
    s2_pair_close(&p);
}

/* An answer that isn't protected, before the true one arrives. */
static uint16_t false_answer;

static bool answer_falsely(struct s2_pair *p, struct s2_pair_datagram *d)
{
    const struct s2_ike_header h = {.spi_i = s2_get_u64(d->p),
                                    .version = S2_IKE_VERSION_2,
                                    .exchange = S2_IKE_SA_INIT,
                                    .flags = S2_IKE_FLAG_RESPONSE};

    if (d->to != 0 || d->p[18] != S2_IKE_SA_INIT || false_answer == 0)
        return true;
    s2_ike_compose_plain(&s2_forge_compose, &h);
    s2_ike_add_notify(&s2_forge_compose, false_answer, s2_span(NULL, 0));
    CU_ASSERT_EQUAL(s2_ike_write_end(&s2_forge_compose.w), S2SVPN_OK);
    false_answer = 0;
    (void)s2_ike_receive(p->end[0].ike, &d->local, &d->remote, s2_forge_compose.bytes,
                         s2_forge_compose.w.len, p->now_ns);
    return true;
}

static void an_error_in_answer_to_the_first_message_is_believed_only_if_it_may_be_one(void)
{
    static const struct {
        const char *row;
        uint16_t type;
        bool up;
        enum s2_ike_reason reason;
    } rows[] = {
        {"no proposal", S2_IKE_N_NO_PROPOSAL_CHOSEN, false, S2_IKE_REASON_NO_PROPOSAL},
        {"syntax", S2_IKE_N_INVALID_SYNTAX, false, S2_IKE_REASON_PEER_ERROR},
        {"version", S2_IKE_N_INVALID_MAJOR_VERSION, false, S2_IKE_REASON_PEER_ERROR},
        {"a group, but which?", S2_IKE_N_INVALID_KE_PAYLOAD, true, 0},
        {"a cookie without bytes", S2_IKE_N_COOKIE, true, 0},
        {"critical", S2_IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD, true, 0},
        {"what belongs to IKE_AUTH", S2_IKE_N_AUTHENTICATION_FAILED, true, 0},
        {"busy", S2_IKE_N_TEMPORARY_FAILURE, true, 0},
        {"no such SA", S2_IKE_N_INVALID_IKE_SPI, true, 0},
        {"an error that nobody knows", 8191, true, 0},
        {"a status", S2_IKE_N_INITIAL_CONTACT, true, 0},
        {"a status that nobody knows", 40960, true, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct s2_pair p;

        s2_pair_init(&p, 3);
        p.filter = answer_falsely;
        false_answer = rows[i].type;
        CHECK_ROW(rows[i].row, s2_pair_connect(&p) == rows[i].up);
        CHECK_ROW(rows[i].row, false_answer == 0);
        CHECK_ROW(rows[i].row, rows[i].up || p.end[0].reason == rows[i].reason);
        s2_pair_close(&p);
    }
}

/* ---- 2.21.2: IKE_AUTH */

struct auth_row {
    const char *row;
    uint8_t method; /* of AUTH; 0: PSK */
    bool lie;       /* its data is wrong */
    unsigned parts; /* of the child */
    int extra;      /* what else is in it; see below */
    uint16_t told;  /* 0: nothing */
    bool up, child;
};
enum {
    NOTHING_ELSE,
    UNKNOWN_CRITICAL,
    UNKNOWN,
    CERTIFICATES,
    TRANSPORT,
    STATUSES,
    CONFIGURATION,
    SHORT_NOTIFY,
    TWO_IDS,
    OTHER_SELECTORS,
    OTHER_CHILD_CIPHER
};

#define CHILD (S2_PART_SA | S2_PART_TSI | S2_PART_TSR)
static const struct auth_row auth_rows[] = {
    {"a good one", 0, false, CHILD, NOTHING_ELSE, 0, true, true},
    {"a false proof", 0, true, CHILD, NOTHING_ELSE, S2_IKE_N_AUTHENTICATION_FAILED, false, false},
    {"a signature", S2SVPN_AUTH_RSA, false, CHILD, NOTHING_ELSE, S2_IKE_N_AUTHENTICATION_FAILED,
     false, false},
    {"no child", 0, false, 0, NOTHING_ELSE, S2_IKE_N_INVALID_SYNTAX, false, false},
    {"two identities", 0, false, CHILD, TWO_IDS, S2_IKE_N_INVALID_SYNTAX, false, false},
    {"a notify of two bytes", 0, false, CHILD, SHORT_NOTIFY, S2_IKE_N_INVALID_SYNTAX, false, false},
    {"an unknown critical payload", 0, false, CHILD, UNKNOWN_CRITICAL,
     S2_IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD, false, false},
    {"an unknown payload", 0, false, CHILD, UNKNOWN, 0, true, true},
    {"certificates and requests for some", 0, false, CHILD, CERTIFICATES, 0, true, true},
    {"transport mode, which is the responder's choice", 0, false, CHILD, TRANSPORT, 0, true, true},
    {"notifies that nobody knows", 0, false, CHILD, STATUSES, 0, true, true},
    {"a request for an inside address", 0, false, CHILD, CONFIGURATION, 0, true, true},
    /* The IKE SA is there without a child. */
    {"other selectors", 0, false, CHILD, OTHER_SELECTORS, S2_IKE_N_TS_UNACCEPTABLE, true, false},
    {"another cipher for the child", 0, false, CHILD, OTHER_CHILD_CIPHER,
     S2_IKE_N_NO_PROPOSAL_CHOSEN, true, false},
};

static void add_extra(struct s2_ike_compose *c, int extra)
{
    switch (extra) {
    case UNKNOWN_CRITICAL:
    case UNKNOWN:
        add_unknown(c, extra == UNKNOWN_CRITICAL);
        break;
    case CERTIFICATES:
        s2_ike_add_bytes(c, S2_IKE_PAYLOAD_CERT, s2_span("\4certificate", 12));
        s2_ike_add_bytes(c, S2_IKE_PAYLOAD_CERTREQ, s2_span("\4", 1));
        s2_ike_add_bytes(c, S2_IKE_PAYLOAD_VENDOR, s2_span("a vendor", 8));
        break;
    case TRANSPORT:
        s2_ike_add_notify(c, S2_IKE_N_USE_TRANSPORT_MODE, s2_span(NULL, 0));
        break;
    case STATUSES:
        s2_ike_add_notify(c, 16500, s2_span("data", 4));
        s2_ike_add_notify(c, 65535, s2_span(NULL, 0));
        break;
    case CONFIGURATION:
        s2_ike_add_bytes(c, S2_IKE_PAYLOAD_CP, s2_span("\1\0\0\0\0\1\0\0", 8));
        break;
    case SHORT_NOTIFY:
        add_raw_notify(c, "\0\0", 2);
        break;
    default:
        break;
    }
}

static void compose_auth(struct s2_pair *p, struct s2_ike_sa *sa, const struct auth_row *row)
{
    struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_AUTH);
    uint8_t auth[S2SVPN_PRF_MAX];

    s2_ike_add_id(c, S2_IKE_PAYLOAD_IDI, &sa->handshake->our_id);
    if (row->extra == TWO_IDS)
        s2_ike_add_id(c, S2_IKE_PAYLOAD_IDI, &sa->handshake->our_id);
    CU_ASSERT_EQUAL(s2_ike_auth_compute(sa, true, &sa->handshake->our_id, auth), S2SVPN_OK);
    auth[0] ^= row->lie;
    s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_AUTH);
    s2_ike_write_auth(&c->w, row->method != 0 ? row->method : S2_IKE_AUTH_PSK,
                      s2_span(auth, sa->keys.prf->out_len));
    s2_ike_payload_end(c->chain);
    if (row->extra == OTHER_SELECTORS)
        p->end[0].live->local_net.address.bytes[0] = 99;
    if (row->extra == OTHER_CHILD_CIPHER) {
        p->end[0].live->esp.encr[0].key_bits = 256;
        p->end[0].live->esp.encr_count = 1;
    }
    s2_forge_add_parts(c, sa, row->parts, 0x77777777);
    add_extra(c, row->extra);
}

/* Each of them as the first IKE_AUTH, which waits for its keys, and as a later one. */
static void ike_auth_comes_to_an_sa_or_to_one_error(void)
{
    for (size_t i = 0; i < 2 * COUNT(auth_rows); i++) {
        const struct auth_row *row = &auth_rows[i / 2];
        struct s2_pair p;
        struct s2_ike_sa *sa = s2_forge_half_open(&p, 4);

        if (i % 2 == 1) { /* garbage makes it compute its keys */
            struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_AUTH);
            CU_ASSERT_EQUAL(s2_ike_sk_end(&c->sk, &sa->ike->crypto, &sa->keys, true, 5), S2SVPN_OK);
            c->bytes[c->w.len - 1] ^= 1;
            (void)s2_ike_receive(p.end[1].ike, &p.end[1].config.local, &p.end[0].config.local,
                                 c->bytes, c->w.len, p.now_ns);
        }
        compose_auth(&p, sa, row);
        (void)s2_forge_give_sealed(&p, sa);
        CHECK_ROW(row->row, s2_forge_told(sa) == row->told);
        CHECK_ROW(row->row, p.end[1].sa_ups == row->up);
        CHECK_ROW(row->row, p.end[1].children_up == row->child);
        CHECK_ROW(row->row, s2_pair_balances(&p.end[1]));
        s2_pair_close(&p);
        CHECK_ROW(row->row, p.end[1].fake.live == 0);
    }
}

/* ---- 2.21.3: requests of an authenticated peer */

static void add_short_delete(struct s2_ike_compose *c, struct s2_ike_sa *sa)
{
    (void)sa;
    s2_ike_add_bytes(c, S2_IKE_PAYLOAD_DELETE, s2_span("\3\4\0\2\1\2\3\4", 8)); /* two, says it */
}

static void add_short_notify(struct s2_ike_compose *c, struct s2_ike_sa *sa)
{
    (void)sa;
    add_raw_notify(c, "\0\4\0\1\1", 5); /* an SPI of four, says it */
}

static void add_critical(struct s2_ike_compose *c, struct s2_ike_sa *sa)
{
    (void)sa;
    add_unknown(c, true);
}

static void add_uncritical(struct s2_ike_compose *c, struct s2_ike_sa *sa)
{
    (void)sa;
    add_unknown(c, false);
}

static void add_critical_child(struct s2_ike_compose *c, struct s2_ike_sa *sa)
{
    s2_forge_add_parts(c, sa, S2_PART_ALL, 0x77777777);
    add_unknown(c, true);
}

static void add_nothing(struct s2_ike_compose *c, struct s2_ike_sa *sa)
{
    (void)c;
    (void)sa;
}

static void add_cut_payload(struct s2_ike_compose *c, struct s2_ike_sa *sa)
{
    const size_t at = c->w.len;

    (void)sa;
    s2_ike_add_bytes(c, S2_IKE_PAYLOAD_VENDOR, s2_span("vendor", 6));
    s2_write_patch_u16(&c->w, at + 2, 60000);
}

static void add_all_errors(struct s2_ike_compose *c, struct s2_ike_sa *sa)
{
    static const uint16_t types[] = {
        S2_IKE_N_INVALID_MESSAGE_ID, S2_IKE_N_INVALID_SPI,       S2_IKE_N_INVALID_SELECTORS,
        S2_IKE_N_TEMPORARY_FAILURE,  S2_IKE_N_INVALID_IKE_SPI,   S2_IKE_N_NO_PROPOSAL_CHOSEN,
        S2_IKE_N_TS_UNACCEPTABLE,    S2_IKE_N_NO_ADDITIONAL_SAS, 8191,
    };

    (void)sa;
    for (size_t i = 0; i < COUNT(types); i++)
        s2_ike_add_notify(c, types[i], s2_span("some", 4));
}

static void add_statuses(struct s2_ike_compose *c, struct s2_ike_sa *sa)
{
    (void)sa;
    s2_ike_add_notify(c, S2_IKE_N_INITIAL_CONTACT, s2_span(NULL, 0));
    s2_ike_add_notify(c, S2_IKE_N_ADDITIONAL_TS_POSSIBLE, s2_span(NULL, 0));
    s2_ike_add_notify(c, 40960, s2_span("private", 7));
}

static void add_failed_authentication(struct s2_ike_compose *c, struct s2_ike_sa *sa)
{
    (void)sa;
    s2_ike_add_notify(c, S2_IKE_N_AUTHENTICATION_FAILED, s2_span(NULL, 0));
}

static void add_ike_delete(struct s2_ike_compose *c, struct s2_ike_sa *sa)
{
    (void)sa;
    s2_forge_add_delete(c, S2_IKE_PROTO_IKE, NULL, 0);
}

static const struct {
    const char *row;
    uint8_t exchange;
    void (*add)(struct s2_ike_compose *c, struct s2_ike_sa *sa);
    uint16_t told;
    bool survives;
    enum s2_ike_reason reason;
} requests[] = {
    {"a sign of life", S2_IKE_INFORMATIONAL, add_nothing, 0, true, 0},
    {"a delete that is cut", S2_IKE_INFORMATIONAL, add_short_delete, S2_IKE_N_INVALID_SYNTAX, false,
     S2_IKE_REASON_SYNTAX},
    {"a notify that is cut", S2_IKE_INFORMATIONAL, add_short_notify, S2_IKE_N_INVALID_SYNTAX, false,
     S2_IKE_REASON_SYNTAX},
    {"a payload longer than the message", S2_IKE_INFORMATIONAL, add_cut_payload,
     S2_IKE_N_INVALID_SYNTAX, false, S2_IKE_REASON_SYNTAX},
    {"a child that is cut", S2_IKE_CREATE_CHILD_SA, add_short_notify, S2_IKE_N_INVALID_SYNTAX,
     false, S2_IKE_REASON_SYNTAX},
    {"no child at all", S2_IKE_CREATE_CHILD_SA, add_nothing, S2_IKE_N_INVALID_SYNTAX, false,
     S2_IKE_REASON_SYNTAX},
    {"something critical", S2_IKE_INFORMATIONAL, add_critical,
     S2_IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD, true, 0},
    {"a child with something critical", S2_IKE_CREATE_CHILD_SA, add_critical_child,
     S2_IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD, true, 0},
    {"something unknown", S2_IKE_INFORMATIONAL, add_uncritical, 0, true, 0},
    {"errors of all kinds, without a question", S2_IKE_INFORMATIONAL, add_all_errors, 0, true, 0},
    {"statuses that say nothing here", S2_IKE_INFORMATIONAL, add_statuses, 0, true, 0},
    /* These two end it without a delete, or with one. */
    {"an authentication that failed after all", S2_IKE_INFORMATIONAL, add_failed_authentication, 0,
     false, S2_IKE_REASON_PEER_AUTHENTICATION},
    {"a delete", S2_IKE_INFORMATIONAL, add_ike_delete, 0, false, S2_IKE_REASON_PEER_DELETE},
};

static void only_malformed_requests_end_an_sa(void)
{
    for (size_t i = 0; i < COUNT(requests); i++) {
        struct s2_pair p;

        CU_ASSERT_TRUE_FATAL(s2_forge_connect(&p, 5));
        struct s2_ike_sa *sa = s2_forge_sa(&p, 0);
        struct s2_ike_compose *c = s2_forge_begin(sa, requests[i].exchange);
        requests[i].add(c, sa);
        const unsigned sent = p.end[1].sent;
        s2_forge_send(&p, sa, requests[i].exchange);
        s2_pair_run_for(&p, 15 * S2_MS);
        CHECK_ROW(requests[i].row, p.end[1].sent == sent + 1); /* always answered */
        CHECK_ROW(requests[i].row, s2_forge_told(sa) == requests[i].told);
        CHECK_ROW(requests[i].row, s2_pair_sas(&p.end[1]) == requests[i].survives);
        CHECK_ROW(requests[i].row, requests[i].survives || p.end[1].reason == requests[i].reason);
        s2_pair_run_for(&p, S2_SECOND);
        CHECK_ROW(requests[i].row, s2_pair_is_settled(&p) == requests[i].survives);
        CHECK_ROW(requests[i].row, s2_pair_balances(&p.end[1]));
        s2_pair_close(&p);
        CHECK_ROW(requests[i].row, p.end[1].fake.live == 0);
    }
}

/* ---- 2.21.3: answers of an authenticated peer, to a check of ours */

static const struct {
    const char *row;
    void (*add)(struct s2_ike_compose *c, struct s2_ike_sa *sa);
    uint16_t error;
    bool survives, tells; /* tells: the peer gets a delete, for it doesn't know */
    enum s2_ike_reason reason;
} answers[] = {
    {"nothing", add_nothing, 0, true, false, 0},
    {"syntax, fatal for both", add_nothing, S2_IKE_N_INVALID_SYNTAX, false, false,
     S2_IKE_REASON_PEER_ERROR},
    {"something critical of ours, which there is not", add_nothing,
     S2_IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD, true, false, 0},
    {"busy", add_nothing, S2_IKE_N_TEMPORARY_FAILURE, true, false, 0},
    {"errors of all kinds", add_all_errors, 0, true, false, 0},
    {"something unknown", add_uncritical, 0, true, false, 0},
    {"something critical", add_critical, 0, false, true, S2_IKE_REASON_SYNTAX},
    {"a payload longer than the message", add_cut_payload, 0, false, true, S2_IKE_REASON_SYNTAX},
};

static void an_answer_that_makes_no_sense_ends_the_sa_and_is_told(void)
{
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct s2_pair p;

        CU_ASSERT_TRUE_FATAL(s2_forge_connect(&p, 6));
        p.manual = true;
        CU_ASSERT_EQUAL(s2_ike_check(p.end[1].ike, &p.end[1], p.now_ns), S2SVPN_OK);
        struct s2_ike_sa *sa = s2_forge_sa(&p, 0);
        p.filter = NULL;
        while (p.queued > 0)
            free(p.queue[--p.queued].p);
        sa->asked.path = sa->path;
        CU_ASSERT_EQUAL(s2_ike_compose_response(&s2_forge_compose, sa, S2_IKE_INFORMATIONAL),
                        S2SVPN_OK);
        if (answers[i].error != 0)
            s2_ike_add_notify(&s2_forge_compose, answers[i].error, s2_span(NULL, 0));
        answers[i].add(&s2_forge_compose, sa);
        s2_ike_enter(sa->ike, p.now_ns);
        CU_ASSERT_EQUAL(s2_ike_send_response(sa, &s2_forge_compose), S2SVPN_OK);
        s2_ike_leave(sa->ike);
        const unsigned sent = p.end[1].sent;
        CU_ASSERT_TRUE(s2_pair_deliver(&p, 1));
        CHECK_ROW(answers[i].row, (p.end[1].sent > sent) == answers[i].tells);
        p.manual = false;
        s2_pair_run_for(&p, S2_SECOND);
        CHECK_ROW(answers[i].row, s2_pair_sas(&p.end[1]) == answers[i].survives);
        CHECK_ROW(answers[i].row, answers[i].survives || p.end[1].reason == answers[i].reason);
        CHECK_ROW(answers[i].row, !answers[i].tells || s2_pair_sas(&p.end[0]) == 0);
        s2_pair_close(&p);
    }
}

/* ---- 2.21.4: outside of any SA */

static void a_message_for_no_sa_is_told_so_with_its_own_numbers(void)
{
    static const struct {
        const char *row;
        uint8_t exchange, flags;
        uint32_t id;
        bool known, told;
    } rows[] = {
        {"a check", S2_IKE_INFORMATIONAL, S2_IKE_FLAG_INITIATOR, 7, true, true},
        {"of a responder", S2_IKE_INFORMATIONAL, 0, 0, true, true},
        {"a child", S2_IKE_CREATE_CHILD_SA, S2_IKE_FLAG_INITIATOR, UINT32_MAX, true, true},
        {"an exchange that nobody knows", 77, S2_IKE_FLAG_INITIATOR, 1, true, true},
        {"a response", S2_IKE_INFORMATIONAL, S2_IKE_FLAG_RESPONSE, 7, true, false},
        {"from a stranger", S2_IKE_INFORMATIONAL, S2_IKE_FLAG_INITIATOR, 7, false, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct s2_ike_header h = {.spi_i = UINT64_C(0x1122334455667788),
                                  .spi_r = UINT64_C(0x99aabbccddeeff00),
                                  .version = S2_IKE_VERSION_2,
                                  .exchange = rows[i].exchange,
                                  .flags = rows[i].flags,
                                  .message_id = rows[i].id},
                             got;
        struct s2_pair p;
        struct s2_reader r;

        s2_pair_init(&p, 7);
        p.filter = s2_forge_keep_last;
        s2_forge_last_len = 0;
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        s2svpn_endpoint from = p.end[0].config.local;
        from.address.bytes[3] ^= !rows[i].known;
        s2_ike_compose_plain(&s2_forge_compose, &h);
        s2_ike_add_bytes(&s2_forge_compose, S2_IKE_PAYLOAD_SK, s2_span("a sealed thing, no?", 19));
        CU_ASSERT_EQUAL(s2_ike_write_end(&s2_forge_compose.w), S2SVPN_OK);
        CHECK_ROW(rows[i].row, s2_ike_receive(p.end[1].ike, &p.end[1].config.local, &from,
                                              s2_forge_compose.bytes, s2_forge_compose.w.len,
                                              p.now_ns) == S2SVPN_DROP_IKE_UNKNOWN_SPI);
        CHECK_ROW(rows[i].row, (s2_forge_last_len > 0) == rows[i].told);
        if (rows[i].told) {
            CHECK_ROW(rows[i].row, s2_forge_told(NULL) == S2_IKE_N_INVALID_IKE_SPI);
            s2_reader_init(&r, s2_forge_last_answer, s2_forge_last_len);
            CHECK_ROW(rows[i].row, s2_ike_parse_header(&r, &got) == S2SVPN_OK);
            CHECK_ROW(rows[i].row, got.spi_i == h.spi_i && got.spi_r == h.spi_r);
            CHECK_ROW(rows[i].row, got.exchange == h.exchange && got.message_id == h.message_id);
            CHECK_ROW(rows[i].row,
                      got.flags == (S2_IKE_FLAG_RESPONSE | (~h.flags & S2_IKE_FLAG_INITIATOR)));
        }
        s2_pair_close(&p);
    }
}

const CU_TestInfo s2_test_rules_errors[] = {
    {"a first message that is refused is told why and makes no SA",
     a_first_message_that_is_refused_is_told_why_and_makes_no_sa},
    {"unprotected errors have a pace", unprotected_errors_have_a_pace},
    {"an error in answer to the first message is believed only if it may be one",
     an_error_in_answer_to_the_first_message_is_believed_only_if_it_may_be_one},
    {"IKE_AUTH comes to an SA or to one error", ike_auth_comes_to_an_sa_or_to_one_error},
    {"only malformed requests end an SA", only_malformed_requests_end_an_sa},
    {"an answer that makes no sense ends the SA and is told",
     an_answer_that_makes_no_sense_ends_the_sa_and_is_told},
    {"a message for no SA is told so with its own numbers",
     a_message_for_no_sa_is_told_so_with_its_own_numbers},
    CU_TEST_INFO_NULL,
};
