/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of tunnel defaults, the checks of AWS's limits, and what AWS's option
 * names mean as numbers of IKE. */
#include <string.h>

#include "vpn/vpn.h"

#define GROUPS_14_TO_24                                                                            \
    (S2SVPN_GROUP(14) | S2SVPN_GROUP(15) | S2SVPN_GROUP(16) | S2SVPN_GROUP(17) |                   \
     S2SVPN_GROUP(18) | S2SVPN_GROUP(19) | S2SVPN_GROUP(20) | S2SVPN_GROUP(21) |                   \
     S2SVPN_GROUP(22) | S2SVPN_GROUP(23) | S2SVPN_GROUP(24))
#define WEAK_GROUPS                                                                                \
    (S2SVPN_GROUP(2) | S2SVPN_GROUP(5) | S2SVPN_GROUP(22) | S2SVPN_GROUP(23) | S2SVPN_GROUP(24))
#define ALL_ENCRYPTION (S2SVPN_AES128 | S2SVPN_AES256 | S2SVPN_AES128_GCM_16 | S2SVPN_AES256_GCM_16)
#define BOTH_VERSIONS (S2SVPN_IKEV1 | S2SVPN_IKEV2)
#define SHA2 (S2SVPN_SHA2_256 | S2SVPN_SHA2_384 | S2SVPN_SHA2_512)
#define LEAST_BYTES 65536
#define LEAST_PACKETS 64

/* X(field, default of the profile aws, of classic, of hardened, least, most); sets have no
 * limits here */
#define DEFAULTS(X)                                                                                \
    X(ike_versions, BOTH_VERSIONS, S2SVPN_IKEV1, S2SVPN_IKEV2, 0, UINT32_MAX)                      \
    X(phase1_encryption, ALL_ENCRYPTION, S2SVPN_AES128, ALL_ENCRYPTION, 0, UINT32_MAX)             \
    X(phase2_encryption, ALL_ENCRYPTION, S2SVPN_AES128, ALL_ENCRYPTION, 0, UINT32_MAX)             \
    X(phase1_integrity, S2SVPN_SHA1 | SHA2, S2SVPN_SHA1, SHA2, 0, UINT32_MAX)                      \
    X(phase2_integrity, S2SVPN_SHA1 | SHA2, S2SVPN_SHA1, SHA2, 0, UINT32_MAX)                      \
    X(phase1_dh_groups, S2SVPN_GROUP(2) | GROUPS_14_TO_24, S2SVPN_GROUP(2),                        \
      GROUPS_14_TO_24 & ~WEAK_GROUPS, 0, UINT32_MAX)                                               \
    X(phase2_dh_groups, S2SVPN_GROUP(2) | S2SVPN_GROUP(5) | GROUPS_14_TO_24, S2SVPN_GROUP(2),      \
      GROUPS_14_TO_24 & ~WEAK_GROUPS, 0, UINT32_MAX)                                               \
    X(phase1_lifetime_s, 28800, 28800, 28800, 900, 28800)                                          \
    X(phase2_lifetime_s, 3600, 3600, 3600, 900, 3600)                                              \
    X(rekey_margin_s, 270, 270, 270, 60, 1800)                                                     \
    X(rekey_fuzz_percent, 101, 101, 101, 1, 101)                                                   \
    X(replay_window, 1024, 1024, 1024, 64, 8192)                                                   \
    X(dpd_timeout_s, 30, 30, 30, 30, 86400)

#define PROFILES 3
struct limits_row {
    const char *name;
    size_t offset;
    uint32_t value[PROFILES]; /* by enum s2svpn_profile */
    uint32_t least, most;
};

static const struct limits_row rows[] = {
#define DEFAULTS_ROW(field, aws, classic, hardened, least, most)                                   \
    {#field,                                                                                       \
     offsetof(s2svpn_tunnel_options, field),                                                       \
     {(aws), (classic), (hardened)},                                                               \
     (least),                                                                                      \
     (most)},
    DEFAULTS(DEFAULTS_ROW)
#undef DEFAULTS_ROW
};

/* A profile's default is all that it has. */
static uint32_t all_of(enum s2svpn_profile profile, const char *name)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].value[profile];
    }
    return 0;
}

static s2svpn_status check_sets(s2svpn_context *ctx, const char *path,
                                const s2svpn_tunnel_options *o)
{
    static const char *const missing[PROFILES] = {"members that there aren't",
                                                  "members that the classic profile hasn't",
                                                  "members that the hardened profile hasn't"};
    const enum s2svpn_profile profile = ctx->options.profile;
    /* Group 31 isn't AWS's, but nobody need do without it. */
    const uint32_t more = profile == S2SVPN_PROFILE_CLASSIC ? 0 : S2SVPN_GROUP(31);
    const struct {
        const char *name;
        uint32_t value, allowed;
    } sets[] = {
        {"ike_versions", o->ike_versions, all_of(profile, "ike_versions")},
        {"phase1_encryption", o->phase1_encryption, all_of(profile, "phase1_encryption")},
        {"phase2_encryption", o->phase2_encryption, all_of(profile, "phase2_encryption")},
        {"phase1_integrity", o->phase1_integrity, all_of(profile, "phase1_integrity")},
        {"phase2_integrity", o->phase2_integrity, all_of(profile, "phase2_integrity")},
        {"phase1_dh_groups", o->phase1_dh_groups, all_of(profile, "phase1_dh_groups") | more},
        {"phase2_dh_groups", o->phase2_dh_groups, all_of(profile, "phase2_dh_groups") | more},
    };
    char field[S2SVPN_FIELD_SIZE];

    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        s2_print(field, sizeof(field), "%s.%s", path, sets[i].name);
        if (sets[i].value & ~sets[i].allowed)
            return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field, "%s", missing[profile]);
    }
    return S2SVPN_OK;
}

/* A child that is used up sooner than it can be rekeyed would stand still. */
static s2svpn_status check_volumes(s2svpn_context *ctx, const char *path,
                                   const s2svpn_tunnel_options *o)
{
    const struct {
        const char *name;
        uint64_t value, least;
    } volumes[] = {
        {"phase2_lifetime_bytes", o->phase2_lifetime_bytes, LEAST_BYTES},
        {"phase2_lifetime_packets", o->phase2_lifetime_packets, LEAST_PACKETS},
    };
    char field[S2SVPN_FIELD_SIZE];

    for (size_t i = 0; i < sizeof(volumes) / sizeof(volumes[0]); i++) {
        s2_print(field, sizeof(field), "%s.%s", path, volumes[i].name);
        if (volumes[i].value != 0 && volumes[i].value < volumes[i].least)
            return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field, "%llu is less than %llu",
                           (unsigned long long)volumes[i].value,
                           (unsigned long long)volumes[i].least);
    }
    return check_sets(ctx, path, o);
}

static bool psk_allowed(const char *psk)
{
    const size_t len = strlen(psk);

    if (len < 8 || len > 64 || psk[0] == '0')
        return false;
    return strspn(psk, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._") == len;
}

s2svpn_status s2_options_resolve(s2svpn_context *ctx, const char *path, s2svpn_tunnel_options *o)
{
    char field[S2SVPN_FIELD_SIZE];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t *value = (uint32_t *)(void *)((char *)o + rows[i].offset);

        if (*value == 0)
            *value = rows[i].value[ctx->options.profile];
        s2_print(field, sizeof(field), "%s.%s", path, rows[i].name);
        if (*value < rows[i].least || *value > rows[i].most)
            return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field, "%u is not in %u to %u", *value,
                           rows[i].least, rows[i].most);
    }
    s2_print(field, sizeof(field), "%s.phase2_lifetime_s", path);
    if (o->phase2_lifetime_s >= o->phase1_lifetime_s)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field, "not less than phase 1's");
    s2_print(field, sizeof(field), "%s.rekey_margin_s", path);
    if (o->rekey_margin_s > o->phase2_lifetime_s / 2)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field, "more than half of phase 2's lifetime");
    s2_print(field, sizeof(field), "%s.pre_shared_key", path);
    if (o->pre_shared_key && !psk_allowed(o->pre_shared_key))
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field,
                       "8 to 64 of letters, digits, . and _, not beginning with 0");
    s2_print(field, sizeof(field), "%s.dpd_action", path);
    if (o->dpd_action > S2SVPN_DPD_RESTART)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field, "no such action");
    s2_print(field, sizeof(field), "%s.startup_action", path);
    if (o->startup_action > S2SVPN_STARTUP_START)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field, "no such action");
    s2_print(field, sizeof(field), "%s.esn", path);
    if (o->esn > S2SVPN_ESN_REQUIRED)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field, "no such choice");
    s2_print(field, sizeof(field), "%s.dont_fragment", path);
    if (o->dont_fragment > S2SVPN_DF_CLEAR)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field, "no such choice");
    s2_print(field, sizeof(field), "%s.log", path);
    if (o->log > S2SVPN_LOG_OUTPUT_TEXT)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field, "no such format");
    s2_print(field, sizeof(field), "%s.bgp_log", path);
    if (o->bgp_log > S2SVPN_LOG_OUTPUT_TEXT)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field, "no such format");
    return check_volumes(ctx, path, o);
}

/* Lowest first: how an endpoint of AWS evaluates an offer. */
static const struct {
    uint32_t bit;
    uint16_t id, key_bits;
    const char *name; /* AWS's */
} encryptions[] = {
    {S2SVPN_AES128, S2SVPN_ENCR_AES_CBC, 128, "AES128"},
    {S2SVPN_AES256, S2SVPN_ENCR_AES_CBC, 256, "AES256"},
    {S2SVPN_AES128_GCM_16, S2SVPN_ENCR_AES_GCM_16, 128, "AES128-GCM-16"},
    {S2SVPN_AES256_GCM_16, S2SVPN_ENCR_AES_GCM_16, 256, "AES256-GCM-16"},
};
static const struct {
    uint32_t bit;
    uint16_t integ, prf;
    const char *name;
} integrities[] = {
    {S2SVPN_SHA1, S2SVPN_INTEG_HMAC_SHA1_96, S2SVPN_PRF_HMAC_SHA1, "SHA1"},
    {S2SVPN_SHA2_256, S2SVPN_INTEG_HMAC_SHA2_256_128, S2SVPN_PRF_HMAC_SHA2_256, "SHA2-256"},
    {S2SVPN_SHA2_384, S2SVPN_INTEG_HMAC_SHA2_384_192, S2SVPN_PRF_HMAC_SHA2_384, "SHA2-384"},
    {S2SVPN_SHA2_512, S2SVPN_INTEG_HMAC_SHA2_512_256, S2SVPN_PRF_HMAC_SHA2_512, "SHA2-512"},
};

void s2_choices_make(uint32_t encryption, uint32_t integrity, uint32_t groups,
                     struct s2_ike_choices *out)
{
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < sizeof(encryptions) / sizeof(encryptions[0]); i++) {
        if (!(encryption & encryptions[i].bit))
            continue;
        out->encr[out->encr_count].id = encryptions[i].id;
        out->encr[out->encr_count++].key_bits = encryptions[i].key_bits;
    }
    for (size_t i = 0; i < sizeof(integrities) / sizeof(integrities[0]); i++) {
        if (!(integrity & integrities[i].bit))
            continue;
        out->integ[out->integ_count++] = integrities[i].integ;
        out->prf[out->prf_count++] = integrities[i].prf;
    }
    for (uint16_t g = 0; g < 32; g++) {
        if ((groups & S2SVPN_GROUP(g)) && out->ke_count < sizeof(out->ke) / sizeof(out->ke[0]))
            out->ke[out->ke_count++] = g;
    }
}

uint32_t s2_encryption_bit(uint16_t encr, uint16_t key_bits)
{
    for (size_t i = 0; i < sizeof(encryptions) / sizeof(encryptions[0]); i++) {
        if (encryptions[i].id == encr && encryptions[i].key_bits == key_bits)
            return encryptions[i].bit;
    }
    return 0;
}

uint32_t s2_integrity_bit(uint16_t integ)
{
    for (size_t i = 0; i < sizeof(integrities) / sizeof(integrities[0]); i++) {
        if (integrities[i].integ == integ)
            return integrities[i].bit;
    }
    return 0;
}

uint32_t s2_strong_only(uint32_t groups)
{
    return groups & ~WEAK_GROUPS;
}

/* ---- names for people, AWS's */

static size_t print_word(char *out, size_t size, bool first, const char *name)
{
    return s2_print(out, size, "%s%s", first ? "" : " ", name);
}

/* "2 14-21": runs of three and more by their ends. */
static size_t print_groups(uint32_t groups, char *out, size_t size)
{
    size_t len = s2_print(out, size, "groups");

    for (unsigned g = 0; g < 32; g++) {
        unsigned last = g;

        if (!(groups & S2SVPN_GROUP(g)))
            continue;
        while (last < 31 && (groups & S2SVPN_GROUP(last + 1)))
            last++;
        if (last < g + 2)
            last = g;
        len += s2_print(out + len, size - len, last > g ? " %u-%u" : " %u", g, last);
        g = last;
    }
    return len;
}

void s2_offer_print(const struct s2_offer *offer, size_t phase, char *out, size_t size)
{
    const size_t i = phase - 1;
    size_t len = 0, from;

    out[0] = 0;
    for (size_t k = 0; k < sizeof(encryptions) / sizeof(encryptions[0]); k++) {
        if (offer->encryption[i] & encryptions[k].bit)
            len += print_word(out + len, size - len, len == 0, encryptions[k].name);
    }
    from = len += s2_print(out + len, size - len, ", ");
    for (size_t k = 0; k < sizeof(integrities) / sizeof(integrities[0]); k++) {
        if (offer->integrity[i] & integrities[k].bit)
            len += print_word(out + len, size - len, len == from, integrities[k].name);
    }
    if (len > from)
        len += s2_print(out + len, size - len, ", ");
    print_groups(offer->dh_groups[i], out + len, size - len);
}

/* ---- names for people, IANA's */

static const struct {
    uint8_t type;
    uint16_t id, key_bits;
    const char *name;
} names[] = {
    {S2SVPN_TRANSFORM_ENCR, S2SVPN_ENCR_AES_CBC, 128, "AES_CBC_128"},
    {S2SVPN_TRANSFORM_ENCR, S2SVPN_ENCR_AES_CBC, 256, "AES_CBC_256"},
    {S2SVPN_TRANSFORM_ENCR, S2SVPN_ENCR_AES_GCM_16, 128, "AES_GCM_16_128"},
    {S2SVPN_TRANSFORM_ENCR, S2SVPN_ENCR_AES_GCM_16, 256, "AES_GCM_16_256"},
    {S2SVPN_TRANSFORM_INTEG, S2SVPN_INTEG_HMAC_SHA1_96, 0, "HMAC_SHA1_96"},
    {S2SVPN_TRANSFORM_INTEG, S2SVPN_INTEG_HMAC_SHA2_256_128, 0, "HMAC_SHA2_256_128"},
    {S2SVPN_TRANSFORM_INTEG, S2SVPN_INTEG_HMAC_SHA2_384_192, 0, "HMAC_SHA2_384_192"},
    {S2SVPN_TRANSFORM_INTEG, S2SVPN_INTEG_HMAC_SHA2_512_256, 0, "HMAC_SHA2_512_256"},
    {S2SVPN_TRANSFORM_PRF, S2SVPN_PRF_HMAC_SHA1, 0, "PRF_HMAC_SHA1"},
    {S2SVPN_TRANSFORM_PRF, S2SVPN_PRF_HMAC_SHA2_256, 0, "PRF_HMAC_SHA2_256"},
    {S2SVPN_TRANSFORM_PRF, S2SVPN_PRF_HMAC_SHA2_384, 0, "PRF_HMAC_SHA2_384"},
    {S2SVPN_TRANSFORM_PRF, S2SVPN_PRF_HMAC_SHA2_512, 0, "PRF_HMAC_SHA2_512"},
    {S2SVPN_TRANSFORM_KE, S2SVPN_KE_MODP_1024, 0, "MODP_1024"},
    {S2SVPN_TRANSFORM_KE, S2SVPN_KE_MODP_1536, 0, "MODP_1536"},
    {S2SVPN_TRANSFORM_KE, S2SVPN_KE_MODP_2048, 0, "MODP_2048"},
    {S2SVPN_TRANSFORM_KE, S2SVPN_KE_MODP_3072, 0, "MODP_3072"},
    {S2SVPN_TRANSFORM_KE, S2SVPN_KE_MODP_4096, 0, "MODP_4096"},
    {S2SVPN_TRANSFORM_KE, S2SVPN_KE_MODP_6144, 0, "MODP_6144"},
    {S2SVPN_TRANSFORM_KE, S2SVPN_KE_MODP_8192, 0, "MODP_8192"},
    {S2SVPN_TRANSFORM_KE, S2SVPN_KE_ECP_256, 0, "ECP_256"},
    {S2SVPN_TRANSFORM_KE, S2SVPN_KE_ECP_384, 0, "ECP_384"},
    {S2SVPN_TRANSFORM_KE, S2SVPN_KE_ECP_521, 0, "ECP_521"},
    {S2SVPN_TRANSFORM_KE, S2SVPN_KE_CURVE25519, 0, "CURVE25519"},
};

static void print_name(struct s2_writer *w, uint8_t type, uint16_t id, uint16_t key_bits)
{
    char text[24];

    if (type != S2SVPN_TRANSFORM_ENCR && id == 0)
        return;
    s2_print(text, sizeof(text), type == S2SVPN_TRANSFORM_KE ? "group_%u" : "%u", id);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].type == type && names[i].id == id && names[i].key_bits == key_bits)
            s2_copy_text(text, sizeof(text), names[i].name);
    }
    if (w->len > 0)
        s2_write_u8(w, '/');
    s2_write_bytes(w, text, strlen(text));
}

void s2_algorithms_print(uint16_t encr, uint16_t key_bits, uint16_t integ, uint16_t prf,
                         uint16_t ke, char *out, size_t size)
{
    struct s2_writer w;

    s2_writer_init(&w, (uint8_t *)out, size - 1);
    print_name(&w, S2SVPN_TRANSFORM_ENCR, encr, key_bits);
    print_name(&w, S2SVPN_TRANSFORM_INTEG, integ, 0);
    print_name(&w, S2SVPN_TRANSFORM_PRF, prf, 0);
    print_name(&w, S2SVPN_TRANSFORM_KE, ke, 0);
    out[w.len] = 0;
}
