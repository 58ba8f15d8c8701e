/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 7296 section 3.5 (identities of every type) and section 2.4 (INITIAL_CONTACT,
 * signs of life, a peer that starts anew). */
#include <CUnit/CUnit.h>
#include <string.h>

#include "base/text.h"
#include "harness.h"
#include "ike/forge.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- 3.5: each type, from one configuration to the other's status and log */

#define DN                                                                                         \
    "\x30\x16\x31\x14\x30\x12\x06\x03\x55\x04\x03\x0c\x0b"                                         \
    "vpn.example"
#define BYTES(text) (text), sizeof(text) - 1

static const struct {
    const char *row;
    uint8_t type;
    const char *data;
    size_t len;
    const char *shown;
    const char *other; /* of the same length, another peer */
} ids[] = {
    {"IPv4", S2_IKE_ID_IPV4_ADDR, BYTES("\xc0\0\2\x09"), "192.0.2.9", "\xc0\0\2\x08"},
    {"IPv6", S2_IKE_ID_IPV6_ADDR, BYTES("\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\7"), "2001:db8::7",
     "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\6"},
    {"FQDN", S2_IKE_ID_FQDN, BYTES("vpn.example"), "vpn.example", "vpx.example"},
    {"RFC822", S2_IKE_ID_RFC822_ADDR, BYTES("a@vpn.example"), "a@vpn.example", "b@vpn.example"},
    {"DN", S2_IKE_ID_DER_ASN1_DN, BYTES(DN), "CN=vpn.example",
     "\x30\x16\x31\x14\x30\x12\x06\x03\x55\x04\x0a\x0c\x0b"
     "vpn.example"},
    {"GN", S2_IKE_ID_DER_ASN1_GN, BYTES("\x82\3vpn"), "820376706e", "\x82\3vpx"},
    {"KEY_ID as text", S2_IKE_ID_KEY_ID, BYTES("branch-7"), "branch-7", "branch-8"},
    {"KEY_ID as bytes", S2_IKE_ID_KEY_ID, BYTES("\0\1\2"), "000102", "\0\1\3"},
    {"a type that nobody knows", 200, BYTES("any"), "616e79", "anx"},
};

static struct s2_ike_id id_of(uint8_t type, const char *data, size_t len)
{
    struct s2_ike_id id = {.type = type, .len = (uint16_t)len};

    memcpy(id.data, data, len);
    return id;
}

/* wrong: which of the two expects another one; 2: nobody. */
static bool meet(struct s2_pair *p, size_t i, unsigned wrong)
{
    const struct s2_ike_id id = id_of(ids[i].type, ids[i].data, ids[i].len);
    const struct s2_ike_id other = id_of(ids[i].type, ids[i].other, ids[i].len);

    s2_pair_init(p, i);
    for (unsigned e = 0; e < 2; e++) {
        p->end[e].config.local_id = id;
        p->end[e].config.remote_id = e == wrong ? other : id;
    }
    return s2_pair_connect(p);
}

static void identities_of_every_type_are_matched_and_shown(void)
{
    for (size_t i = 0; i < COUNT(ids); i++) {
        struct s2_ike_sa_info info;
        struct s2_pair p;
        char text[80];

        CHECK_ROW(ids[i].row, meet(&p, i, 2));
        for (unsigned e = 0; e < 2; e++) {
            CHECK_ROW(ids[i].row, s2_ike_get_info(p.end[e].ike, &p.end[e], &info));
            CHECK_ROW(ids[i].row, strcmp(s2_ike_id_print(&info.peer_id, text, sizeof(text)),
                                         ids[i].shown) == 0);
        }
        s2_pair_close(&p);
        CHECK_ROW(ids[i].row, !meet(&p, i, 0) && p.end[0].reason == S2_IKE_REASON_IDENTITY);
        CHECK_ROW(ids[i].row, strcmp(p.end[0].detail, ids[i].shown) == 0);
        s2_pair_close(&p);
        CHECK_ROW(ids[i].row,
                  !meet(&p, i, 1) && p.end[0].reason == S2_IKE_REASON_PEER_AUTHENTICATION);
        CHECK_ROW(ids[i].row, strstr(p.end[1].note, ids[i].shown) != NULL);
        s2_pair_close(&p);
    }
}

/* The same bytes as another type are another identity. */
static void a_type_is_part_of_an_identity(void)
{
    for (size_t i = 0; i < COUNT(ids); i++) {
        for (size_t k = 0; k < COUNT(ids); k++) {
            const struct s2_ike_id a = id_of(ids[i].type, ids[i].data, ids[i].len);
            const struct s2_ike_id b = id_of(ids[k].type, ids[i].data, ids[i].len);

            CHECK_ROW(ids[i].row, s2_ike_id_equal(&a, &b) == (ids[i].type == ids[k].type));
        }
    }
}

/* ---- 2.4 */

/* INITIAL_CONTACT belongs to IKE_AUTH; an established peer can't take down anything
 * with it. */
static void initial_contact_counts_in_ike_auth_alone(void)
{
    struct s2_pair p;

    CU_ASSERT_TRUE_FATAL(s2_forge_connect(&p, 1));
    struct s2_ike_sa *sa = s2_forge_sa(&p, 0);
    struct s2_ike_compose *c = s2_forge_begin(sa, S2_IKE_INFORMATIONAL);
    s2_ike_add_notify(c, S2_IKE_N_INITIAL_CONTACT, s2_span(NULL, 0));
    s2_forge_send(&p, sa, S2_IKE_INFORMATIONAL);
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_EQUAL(s2_forge_told(sa), 0);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    CU_ASSERT_EQUAL(p.end[1].sa_downs, 0);
    s2_pair_close(&p);
}

/* Another identity's SAs stay, though they come from the same address. */
static void initial_contact_is_of_one_tunnel(void)
{
    struct s2_ike_config second[2];
    struct s2_pair p;
    char other[2];

    s2_pair_init(&p, 2);
    for (size_t e = 0; e < 2; e++) {
        second[e] = p.end[e].config;
        second[e].owner = &other[e];
    }
    CU_ASSERT_TRUE_FATAL(s2_pair_connect(&p));
    p.end[1].candidate[0] = &second[1];
    CU_ASSERT_EQUAL(s2_ike_initiate(p.end[0].ike, &second[0], p.now_ns), S2SVPN_OK);
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 2);
    CU_ASSERT_EQUAL(p.end[1].sa_downs, 0);
    CU_ASSERT_PTR_NOT_NULL(s2_ike_find_up(p.end[1].ike, &other[1]));
    CU_ASSERT_PTR_NOT_NULL(s2_ike_find_up(p.end[1].ike, &p.end[1]));
    s2_pair_close(&p);
}

/* Only what is protected and new is a sign of life: neither replays nor what anybody
 * can send keep a dead peer alive. */
static uint8_t copy[1024];
static size_t copy_len;

static bool keep_sealed(struct s2_pair *p, struct s2_pair_datagram *d)
{
    (void)p;
    if (d->to == 1 && d->p[18] != S2_IKE_SA_INIT && d->len <= sizeof(copy)) {
        memcpy(copy, d->p, d->len);
        copy_len = d->len;
    }
    return true;
}

static void replays_and_forgeries_are_no_signs_of_life(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 3);
    p.filter = keep_sealed;
    CU_ASSERT_TRUE_FATAL(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(s2_ike_check(p.end[0].ike, &p.end[0], p.now_ns), S2SVPN_OK);
    s2_pair_run_for(&p, S2_SECOND);
    p.filter = NULL;
    s2_pair_forget(&p, 0); /* it is dead */
    for (unsigned i = 0; i < 100 && p.end[1].sa_downs == 0; i++) {
        uint8_t again[1024];

        memcpy(again, copy, copy_len);
        again[copy_len - 1] ^= i & 1;
        (void)s2_ike_receive(p.end[1].ike, &p.end[1].config.local, &p.end[0].config.local, again,
                             copy_len, p.now_ns);
        s2_pair_run_for(&p, S2_SECOND);
    }
    CU_ASSERT_EQUAL(p.end[1].sa_downs, 1);
    CU_ASSERT_EQUAL(p.end[1].reason, S2_IKE_REASON_DPD);
    CU_ASSERT_TRUE(p.now_ns < 1060 * S2_SECOND);
    s2_pair_close(&p);
}

/* A peer that lost its memory comes back at once, by INITIAL_CONTACT, whoever
 * initiates, and the old SA's children go with it. */
static void a_peer_that_starts_anew_replaces_what_it_forgot(void)
{
    for (unsigned e = 0; e < 2; e++) {
        struct s2_pair p;

        s2_pair_init(&p, 4 + e);
        CU_ASSERT_TRUE_FATAL(s2_pair_connect(&p));
        s2_pair_run_for(&p, 3 * S2_SECOND);
        s2_pair_forget(&p, e);
        p.end[e].children = p.end[e].children_up = p.end[e].children_down = 0;
        p.end[e].spis_drawn = p.end[e].spis_given_back = 0;
        CU_ASSERT_TRUE(s2_pair_initiate(&p, e));
        s2_pair_run_for(&p, S2_SECOND / 2);
        CU_ASSERT_EQUAL(p.end[1 - e].sa_downs, 1);
        CU_ASSERT_EQUAL(p.end[1 - e].reason, S2_IKE_REASON_INITIAL_CONTACT);
        CU_ASSERT_EQUAL(s2_pair_children_up(&p.end[1 - e]), 1);
        CU_ASSERT_EQUAL(s2_pair_sas(&p.end[0]) + s2_pair_sas(&p.end[1]), 2);
        s2_pair_close(&p);
    }
}

const CU_TestInfo s2_test_rules_peers[] = {
    {"identities of every type are matched and shown",
     identities_of_every_type_are_matched_and_shown},
    {"a type is part of an identity", a_type_is_part_of_an_identity},
    {"INITIAL_CONTACT counts in IKE_AUTH alone", initial_contact_counts_in_ike_auth_alone},
    {"INITIAL_CONTACT is of one tunnel", initial_contact_is_of_one_tunnel},
    {"replays and forgeries are no signs of life", replays_and_forgeries_are_no_signs_of_life},
    {"a peer that starts anew replaces what it forgot",
     a_peer_that_starts_anew_replaces_what_it_forgot},
    CU_TEST_INFO_NULL,
};
