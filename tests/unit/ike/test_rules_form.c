/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 7296 section 2.5 (versions, critical payloads, reserved fields) and section 3.2:
 * what a receiver must pass over, and what it must refuse. End 0 is the peer, end 1 is
 * looked at. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "base/text.h"
#include "harness.h"
#include "ike/forge.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- versions and flags */

/* A first message in this form; true if it makes a half-open SA. */
static bool first_message(uint8_t version, uint8_t flags, uint64_t spi_r, uint32_t id,
                          uint8_t *answer_version)
{
    struct s2_ike_payloads list;
    struct s2_pair p;

    s2_pair_init(&p, 1);
    p.filter = s2_forge_keep_last;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
    struct s2_pair_datagram *d = &p.queue[0];
    d->p[17] = version;
    d->p[19] = flags;
    s2_put_u64(d->p + 8, spi_r);
    s2_put_u32(d->p + 20, id);
    s2_forge_last_len = 0;
    p.manual = true;
    CU_ASSERT_TRUE(s2_pair_deliver(&p, 1));
    *answer_version = s2_forge_last_len > 0 ? s2_forge_last_answer[17] : 0;
    const bool told = s2_forge_last_len > 0 && s2_forge_open_last(NULL, &list) &&
                      s2_forge_told(NULL) == S2_IKE_N_INVALID_MAJOR_VERSION;
    const bool made = s2_pair_sas(&p.end[1]) == 1;
    CU_ASSERT_TRUE(!(made && told));
    if (told)
        *answer_version |= 0x01; /* marks it as a refusal */
    s2_pair_close(&p);
    return made;
}

static void versions_are_told_apart_by_their_major_number(void)
{
    static const struct {
        const char *row;
        uint8_t version, flags, answer;
        bool made;
    } rows[] = {
        {"2.0", 0x20, 0x08, 0x20, true},
        {"2.1, a minor one that is newer", 0x21, 0x08, 0x20, true},
        {"2.15", 0x2f, 0x08, 0x20, true},
        {"2.0 of who knows a higher one", 0x20, 0x18, 0x20, true},
        {"3.0 is told what we speak", 0x30, 0x08, 0x21, false},
        {"15.15", 0xff, 0x08, 0x21, false},
        {"1.0", 0x10, 0x08, 0, false},
        {"0.0", 0x00, 0x08, 0, false},
        {"3.0 in a response", 0x30, 0x28, 0, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t answer;

        CHECK_ROW(rows[i].row,
                  first_message(rows[i].version, rows[i].flags, 0, 0, &answer) == rows[i].made);
        CHECK_ROW(rows[i].row, answer == rows[i].answer);
    }
}

static void flags_without_a_meaning_are_passed_over(void)
{
    static const struct {
        const char *row;
        uint8_t flags;
        uint64_t spi_r;
        uint32_t id;
        bool made;
    } rows[] = {
        {"all that are reserved", 0xc7 | 0x08, 0, 0, true},
        {"no initiator", 0, 0, 0, false},
        {"a response", 0x28, 0, 0, false},
        {"a responder's SPI already", 0x08, 1, 0, false},
        {"not the first number", 0x08, 0, 1, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t answer;

        CHECK_ROW(rows[i].row, first_message(0x20, rows[i].flags, rows[i].spi_r, rows[i].id,
                                             &answer) == rows[i].made);
        CHECK_ROW(rows[i].row, (answer != 0) == rows[i].made);
    }
}

/* ---- reserved fields, inside the encryption */

/* Sets what is reserved in one payload: seven flags, and what the payload has of its
 * own. */
static void set_reserved(struct s2_ike_compose *c, size_t at, uint8_t type)
{
    uint8_t *body = c->bytes + at + 4;

    c->bytes[at + 1] |= 0x7f;
    switch (type) {
    case S2_IKE_PAYLOAD_SA:
        body[1] = 0xff; /* of the first proposal, and of its first transform */
        body[8 + body[6] + 1] = body[8 + body[6] + 5] = 0xff;
        break;
    case S2_IKE_PAYLOAD_KE:
        body[2] = body[3] = 0xff;
        break;
    case S2_IKE_PAYLOAD_TSI:
    case S2_IKE_PAYLOAD_TSR:
        body[1] = body[2] = body[3] = 0xff;
        break;
    default:
        break;
    }
}

/* The payloads of a request for a child, in the order of a text: S N K i r. */
static void add_in_order(struct s2_ike_compose *c, struct s2_ike_sa *sa, const char *order,
                         bool reserved, bool critical)
{
    static const struct {
        char letter;
        unsigned part;
        uint8_t type;
    } parts[] = {
        {'S', S2_PART_SA, S2_IKE_PAYLOAD_SA},   {'N', S2_PART_NONCE, S2_IKE_PAYLOAD_NONCE},
        {'K', S2_PART_KE, S2_IKE_PAYLOAD_KE},   {'i', S2_PART_TSI, S2_IKE_PAYLOAD_TSI},
        {'r', S2_PART_TSR, S2_IKE_PAYLOAD_TSR},
    };

    for (; *order != '\0'; order++) {
        for (size_t i = 0; i < COUNT(parts); i++) {
            const size_t at = c->w.len;

            if (parts[i].letter != *order)
                continue;
            s2_forge_add_parts(c, sa, parts[i].part, 0x77777777);
            if (reserved)
                set_reserved(c, at, parts[i].type);
            if (critical)
                c->bytes[at + 1] |= 0x80;
        }
    }
}

static const struct {
    const char *order;
    bool reserved, critical;
} forms[] = {
    {"SNKir", false, false}, {"SNKir", true, false},  {"SNKir", false, true},
    {"rKiNS", false, false}, {"iSrNK", false, false}, {"NSKri", false, false},
    {"KrSNi", true, true},   {"irKNS", false, false},
};

static void payloads_come_in_any_order_and_with_any_reserved_bits(void)
{
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct s2_pair p;
        char row[64];

        s2_print(row, sizeof(row), "%s reserved %d critical %d", forms[i].order, forms[i].reserved,
                 forms[i].critical);
        CU_ASSERT_TRUE_FATAL(s2_forge_connect(&p, 2));
        struct s2_ike_sa *sa = s2_forge_sa(&p, 0);
        struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_CREATE_CHILD_SA);
        add_in_order(c, sa, forms[i].order, forms[i].reserved, forms[i].critical);
        s2_forge_send(&p, sa, S2_IKE_CREATE_CHILD_SA);
        s2_pair_run_for(&p, S2_SECOND);
        CHECK_ROW(row, s2_forge_told(sa) == 0);
        CHECK_ROW(row, s2_ike_child_current(s2_forge_sa(&p, 1))->spi_out == 0x77777777);
        s2_pair_close(&p);
    }
}

/* Twice what may be there once: never the first or the last of them by chance. */
static void a_payload_that_may_come_once_comes_once(void)
{
    static const char *const orders[] = {"SSNKir", "SNNKir", "SNKKir", "SNKiir", "SNKirr"};

    for (size_t i = 0; i < COUNT(orders); i++) {
        struct s2_pair p;

        CU_ASSERT_TRUE_FATAL(s2_forge_connect(&p, 3));
        struct s2_ike_sa *sa = s2_forge_sa(&p, 0);
        struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_CREATE_CHILD_SA);
        add_in_order(c, sa, orders[i], false, false);
        s2_forge_send(&p, sa, S2_IKE_CREATE_CHILD_SA);
        s2_pair_run_for(&p, 15 * S2_MS);
        CHECK_ROW(orders[i], s2_forge_told(sa) == S2_IKE_N_INVALID_SYNTAX);
        CHECK_ROW(orders[i], s2_pair_sas(&p.end[1]) == 0);
        s2_pair_close(&p);
    }
}

/* ---- exchanges that nobody knows, and known ones at the wrong time */

static void an_exchange_that_is_not_expected_changes_nothing(void)
{
    for (unsigned exchange = 0; exchange < 256; exchange++) {
        struct s2_pair p;
        char row[32];

        if (exchange == S2_IKE_CREATE_CHILD_SA || exchange == S2_IKE_INFORMATIONAL)
            continue;
        s2_print(row, sizeof(row), "exchange %u", exchange);
        CU_ASSERT_TRUE_FATAL(s2_forge_connect(&p, 4));
        struct s2_ike_sa *sa = s2_forge_sa(&p, 0);
        struct s2_ike_compose *c = s2_forge_begin(sa, (uint8_t)exchange);
        s2_forge_add_delete(c, S2_IKE_PROTO_IKE, NULL, 0);
        const unsigned sent = p.end[1].sent;
        CHECK_ROW(row, s2_forge_give_sealed(&p, sa) != S2SVPN_DROP_NONE);
        CHECK_ROW(row, p.end[1].sent == sent);
        CHECK_ROW(row, s2_pair_is_settled(&p));
        /* Its number is still free for a message that makes sense. */
        c = s2_forge_begin(sa, S2_IKE_INFORMATIONAL);
        CHECK_ROW(row, s2_forge_give_sealed(&p, sa) == S2SVPN_DROP_NONE);
        s2_pair_close(&p);
    }
}

const CU_TestInfo s2_test_rules_form[] = {
    {"versions are told apart by their major number",
     versions_are_told_apart_by_their_major_number},
    {"flags without a meaning are passed over", flags_without_a_meaning_are_passed_over},
    {"payloads come in any order and with any reserved bits",
     payloads_come_in_any_order_and_with_any_reserved_bits},
    {"a payload that may come once comes once", a_payload_that_may_come_once_comes_once},
    {"an exchange that is not expected changes nothing",
     an_exchange_that_is_not_expected_changes_nothing},
    CU_TEST_INFO_NULL,
};
