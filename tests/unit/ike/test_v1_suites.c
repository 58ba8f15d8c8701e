/* SPDX-License-Identifier: Apache-2.0 */
/* Every algorithm that AWS lists for IKEv1, from main mode to a rekeyed child and a
 * rekeyed phase 1, with the real crypto backend. GCM is of phase 2 alone, and IKEv1 has
 * no number for Curve25519. */
#include <CUnit/CUnit.h>

#include "base/text.h"
#include "harness.h"
#include "ike/v1_pair.h"
#include "s2svpn/crypto.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint16_t groups[] = {2, 5, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24};

static const struct {
    const char *row;
    uint16_t encr, key_bits, integ, prf;
} suites[] = {
    {"AES-128, SHA-1", 12, 128, 2, 2},       {"AES-256, SHA-1", 12, 256, 2, 2},
    {"AES-128, SHA-256", 12, 128, 12, 5},    {"AES-256, SHA-256", 12, 256, 12, 5},
    {"AES-128, SHA-384", 12, 128, 13, 6},    {"AES-256, SHA-384", 12, 256, 13, 6},
    {"AES-128, SHA-512", 12, 128, 14, 7},    {"AES-256, SHA-512", 12, 256, 14, 7},
    {"AES-128-GCM, SHA-256", 20, 128, 0, 5}, {"AES-256-GCM, SHA-384", 20, 256, 0, 6},
};

static void configure(struct s2_pair *p, size_t suite, uint16_t group)
{
    s2_pair_init_v1(p, suite + group);
    for (size_t e = 0; e < 2; e++) {
        struct s2_ike_choices *c = &p->end[e].config.esp;

        p->end[e].options.crypto = s2svpn_crypto_openssl();
        p->end[e].options.crypto_user = NULL;
        c->encr[0].id = suites[suite].encr;
        c->encr[0].key_bits = suites[suite].key_bits;
        c->integ[0] = suites[suite].integ;
        c->prf[0] = suites[suite].prf;
        c->ke[0] = group;
        c->encr_count = c->prf_count = c->ke_count = 1;
        c->integ_count = suites[suite].integ != 0;
        p->end[e].config.ike = *c;
        p->end[e].config.ike.encr[0].id = S2SVPN_ENCR_AES_CBC;
    }
}

static void live(struct s2_pair *p, size_t suite, uint16_t group)
{
    const char *row = suites[suite].row;

    CHECK_ROW(row, s2_pair_connect(p));
    CHECK_ROW(row, p->end[1].info.encr == S2SVPN_ENCR_AES_CBC);
    CHECK_ROW(row, p->end[1].info.key_bits == suites[suite].key_bits);
    CHECK_ROW(row, p->end[1].info.prf == suites[suite].prf);
    CHECK_ROW(row, p->end[1].info.ke == group);
    CHECK_ROW(row, s2_ike_rekey_child(p->end[0].ike, &p->end[0], p->end[0].child[0].spi_in,
                                      p->now_ns) == S2SVPN_OK);
    s2_pair_run_for(p, S2_V1_SETTLE_NS);
    CHECK_ROW(row, s2_pair_is_settled(p) && p->end[0].child[1].ke == group);
    CHECK_ROW(row, s2_ike_rekey_sa(p->end[1].ike, &p->end[1], p->now_ns) == S2SVPN_OK);
    s2_pair_run_for(p, S2_V1_SETTLE_NS);
    CHECK_ROW(row, s2_pair_is_settled(p) && p->end[0].sa_ups == 2);
    s2_pair_close(p);
    CHECK_ROW(row, p->end[0].fake.live + p->end[1].fake.live == 0);
}

static void every_suite_lives_a_life(void)
{
    for (size_t i = 0; i < COUNT(suites); i++) {
        struct s2_pair p;

        configure(&p, i, S2SVPN_KE_ECP_256);
        live(&p, i, S2SVPN_KE_ECP_256);
    }
}

static void every_group_agrees_on_keys(void)
{
    for (size_t i = 0; i < COUNT(groups); i++) {
        struct s2_pair p;
        char row[32];

        configure(&p, 2, groups[i]);
        s2_print(row, sizeof(row), "group %u", groups[i]);
        if (groups[i] < 16 || groups[i] > 18) {
            live(&p, 2, groups[i]);
            continue;
        }
        CHECK_ROW(row, s2_pair_connect(&p)); /* the long ones once */
        CHECK_ROW(row, p.end[0].info.ke == groups[i]);
        s2_pair_close(&p);
    }
}

const CU_TestInfo s2_test_v1_suites[] = {
    {"every suite lives a life", every_suite_lives_a_life},
    {"every group agrees on keys", every_group_agrees_on_keys},
    CU_TEST_INFO_NULL,
};
