/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/profile.c: the defaults, printed and compared with the reviewed defaults.txt;
 * what AWS's names mean to IKE, lowest first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

/* ---- the table of defaults */

static size_t print_set(char *out, size_t size, const char *name, uint32_t encryption,
                        uint32_t integrity, uint32_t groups)
{
    struct s2_ike_choices c;
    char text[64];
    size_t len = s2_print(out, size, "%s", name);

    s2_choices_make(encryption, integrity, groups, &c);
    for (size_t i = 0; i < c.encr_count; i++) {
        s2_algorithms_print(c.encr[i].id, c.encr[i].key_bits, 0, 0, 0, text, sizeof(text));
        len += s2_print(out + len, size - len, " %s", text);
    }
    for (size_t i = 0; i < c.integ_count; i++) {
        s2_algorithms_print(S2SVPN_ENCR_AES_CBC, 128, c.integ[i], c.prf[i], 0, text, sizeof(text));
        len += s2_print(out + len, size - len, " %s", text + strlen("AES_CBC_128/"));
    }
    for (size_t i = 0; i < c.ke_count; i++)
        len += s2_print(out + len, size - len, " %u", c.ke[i]);
    return len + s2_print(out + len, size - len, "\n");
}

static size_t print_profile(char *out, size_t size, const char *name, enum s2svpn_profile profile)
{
    const struct rig_plan plan = {.profile = profile};
    static struct rig rig;
    s2svpn_tunnel_options o = {0};
    size_t n = s2_print(out, size, "%s\n", name);

    CU_ASSERT_EQUAL(s2_options_resolve(rig_gateway(&rig, &plan), "tunnel[0]", &o), S2SVPN_OK);
    n += s2_print(out + n, size - n, "  ike_versions%s%s\n",
                  o.ike_versions & S2SVPN_IKEV1 ? " 1" : "",
                  o.ike_versions & S2SVPN_IKEV2 ? " 2" : "");
    n += print_set(out + n, size - n, "  phase1_encryption", o.phase1_encryption, 0, 0);
    n += print_set(out + n, size - n, "  phase1_integrity", 0, o.phase1_integrity, 0);
    n += print_set(out + n, size - n, "  phase1_dh_groups", 0, 0, o.phase1_dh_groups);
    n += print_set(out + n, size - n, "  phase2_encryption", o.phase2_encryption, 0, 0);
    n += print_set(out + n, size - n, "  phase2_integrity", 0, o.phase2_integrity, 0);
    n += print_set(out + n, size - n, "  phase2_dh_groups", 0, 0, o.phase2_dh_groups);
    n += s2_print(out + n, size - n,
                  "  phase1_lifetime_s %u\n  phase2_lifetime_s %u\n  rekey_margin_s %u\n"
                  "  rekey_fuzz %u %%\n  replay_window %u\n  dpd_timeout_s %u\n",
                  o.phase1_lifetime_s, o.phase2_lifetime_s, o.rekey_margin_s,
                  o.rekey_fuzz_percent - 1, o.replay_window, o.dpd_timeout_s);
    n += s2_print(out + n, size - n, "  dpd_action %s\n  startup_action %s\n",
                  o.dpd_action == S2SVPN_DPD_CLEAR ? "clear" : "?",
                  o.startup_action == S2SVPN_STARTUP_ADD ? "add" : "?");
    rig_close(&rig);
    return n;
}

static void defaults_are_the_reviewed_ones(void)
{
    static char printed[8192], reviewed[8192];
    const char *source = getenv("S2_SRC");
    char path[512];
    FILE *file;
    size_t n;

    n = print_profile(printed, sizeof(printed), "aws", S2SVPN_PROFILE_AWS);
    n += print_profile(printed + n, sizeof(printed) - n, "classic", S2SVPN_PROFILE_CLASSIC);
    print_profile(printed + n, sizeof(printed) - n, "hardened", S2SVPN_PROFILE_HARDENED);
    s2_print(path, sizeof(path), "%s/tests/unit/vpn/defaults.txt", source ? source : ".");
    file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL(file);
    if (file == NULL)
        return;
    reviewed[fread(reviewed, 1, sizeof(reviewed) - 1, file)] = 0;
    fclose(file);
    CU_ASSERT_STRING_EQUAL(printed, reviewed);
    if (strcmp(printed, reviewed) != 0)
        printf("%s", printed);
}

/* ---- sets and lists */

static void choices_are_lowest_first_whatever_was_set(void)
{
    struct s2_ike_choices c;

    s2_choices_make(S2SVPN_AES256_GCM_16 | S2SVPN_AES128, S2SVPN_SHA2_512 | S2SVPN_SHA1,
                    S2SVPN_GROUP(31) | S2SVPN_GROUP(2) | S2SVPN_GROUP(20), &c);
    CU_ASSERT_EQUAL(c.encr_count, 2);
    CU_ASSERT_TRUE(c.encr[0].id == 12 && c.encr[0].key_bits == 128);
    CU_ASSERT_TRUE(c.encr[1].id == 20 && c.encr[1].key_bits == 256);
    CU_ASSERT_TRUE(c.integ_count == 2 && c.integ[0] == 2 && c.integ[1] == 14);
    CU_ASSERT_TRUE(c.prf_count == 2 && c.prf[0] == 2 && c.prf[1] == 7);
    CU_ASSERT_TRUE(c.ke_count == 3 && c.ke[0] == 2 && c.ke[1] == 20 && c.ke[2] == 31);
}

static void sets_that_are_too_full_stop_at_the_lists_end(void)
{
    struct s2_ike_choices c;

    s2_choices_make(UINT32_MAX, UINT32_MAX, UINT32_MAX, &c);
    CU_ASSERT_EQUAL(c.encr_count, 4);
    CU_ASSERT_EQUAL(c.integ_count, 4);
    CU_ASSERT_EQUAL(c.ke_count, 16);
    s2_choices_make(0, 0, 0, &c);
    CU_ASSERT_TRUE(c.encr_count == 0 && c.integ_count == 0 && c.prf_count == 0 && c.ke_count == 0);
}

static void numbers_and_bits_are_each_others_reverse(void)
{
    struct s2_ike_choices c;

    for (unsigned i = 0; i < 4; i++) {
        s2_choices_make(1u << i, 1u << i, 0, &c);
        CU_ASSERT_EQUAL(s2_encryption_bit(c.encr[0].id, c.encr[0].key_bits), 1u << i);
        CU_ASSERT_EQUAL(s2_integrity_bit(c.integ[0]), 1u << i);
    }
    CU_ASSERT_EQUAL(s2_encryption_bit(S2SVPN_ENCR_AES_CBC, 192), 0);
    CU_ASSERT_EQUAL(s2_encryption_bit(S2SVPN_ENCR_CHACHA20_POLY1305, 0), 0);
    CU_ASSERT_EQUAL(s2_integrity_bit(S2SVPN_INTEG_NONE), 0);
}

static void strong_groups_are_all_but_2_5_and_22_to_24(void)
{
    const uint32_t weak =
        S2SVPN_GROUP(2) | S2SVPN_GROUP(5) | S2SVPN_GROUP(22) | S2SVPN_GROUP(23) | S2SVPN_GROUP(24);

    CU_ASSERT_EQUAL(s2_strong_only(UINT32_MAX), ~weak);
    CU_ASSERT_EQUAL(s2_strong_only(weak), 0);
}

static void algorithms_are_printed_with_their_names(void)
{
    static const struct {
        uint16_t encr, bits, integ, prf, ke;
        const char *text;
    } rows[] = {
        {12, 128, 2, 2, 2, "AES_CBC_128/HMAC_SHA1_96/PRF_HMAC_SHA1/MODP_1024"},
        {20, 256, 0, 5, 19, "AES_GCM_16_256/PRF_HMAC_SHA2_256/ECP_256"},
        {12, 256, 14, 7, 31, "AES_CBC_256/HMAC_SHA2_512_256/PRF_HMAC_SHA2_512/CURVE25519"},
        {20, 128, 0, 0, 0, "AES_GCM_16_128"},
        {28, 0, 0, 0, 22, "28/group_22"},
        {12, 192, 99, 98, 97, "12/99/98/group_97"},
    };
    char text[64];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2_algorithms_print(rows[i].encr, rows[i].bits, rows[i].integ, rows[i].prf, rows[i].ke,
                            text, sizeof(text));
        CHECK_ROW(rows[i].text, strcmp(text, rows[i].text) == 0);
    }
    s2_algorithms_print(12, 256, 14, 7, 31, text, 20); /* a short room cuts, and ends */
    CU_ASSERT_TRUE(strlen(text) < 20);
}

static void the_hardened_profile_refuses_what_is_weak(void)
{
    static const struct {
        const char *field;
        size_t member;
        uint32_t value;
    } rows[] = {
        {"phase1_integrity", offsetof(s2svpn_tunnel_options, phase1_integrity), S2SVPN_SHA1},
        {"phase2_integrity", offsetof(s2svpn_tunnel_options, phase2_integrity), S2SVPN_SHA1 | 2},
        {"phase1_dh_groups", offsetof(s2svpn_tunnel_options, phase1_dh_groups), S2SVPN_GROUP(2)},
        {"phase2_dh_groups", offsetof(s2svpn_tunnel_options, phase2_dh_groups), S2SVPN_GROUP(5)},
        {"phase2_dh_groups", offsetof(s2svpn_tunnel_options, phase2_dh_groups), S2SVPN_GROUP(24)},
    };
    const struct rig_plan plan = {.profile = S2SVPN_PROFILE_HARDENED};
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, &plan);
    char field[64];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_tunnel_options o = {0};

        memcpy((uint8_t *)&o + rows[i].member, &rows[i].value, 4);
        s2_print(field, sizeof(field), "t.%s", rows[i].field);
        rig_check_error(ctx, s2_options_resolve(ctx, "t", &o), S2SVPN_E_ARGUMENT, field,
                        rows[i].field);
    }
    rig_close(&rig);
}

static void hardened_ends_come_up_without_sha1_and_weak_groups(void)
{
    const struct rig_plan plan = {.profile = S2SVPN_PROFILE_HARDENED,
                                  .offers = S2SVPN_OFFERS_EXACT};
    static struct rig rig;

    if (rig_up(&rig, &plan)) {
        CU_ASSERT_STRING_EQUAL(rig_tunnel(rig.cloud, 0).ike_algorithms,
                               "AES_CBC_128/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048");
    }
    rig_close(&rig);
}

const CU_TestInfo s2_test_profile[] = {
    {"defaults are the reviewed ones", defaults_are_the_reviewed_ones},
    {"choices are lowest first, whatever was set", choices_are_lowest_first_whatever_was_set},
    {"sets that are too full stop at the list's end", sets_that_are_too_full_stop_at_the_lists_end},
    {"numbers and bits are each other's reverse", numbers_and_bits_are_each_others_reverse},
    {"strong groups are all but 2, 5 and 22 to 24", strong_groups_are_all_but_2_5_and_22_to_24},
    {"algorithms are printed with their names", algorithms_are_printed_with_their_names},
    {"the hardened profile refuses what is weak", the_hardened_profile_refuses_what_is_weak},
    {"hardened ends come up without SHA-1 and weak groups",
     hardened_ends_come_up_without_sha1_and_weak_groups},
    CU_TEST_INFO_NULL,
};
