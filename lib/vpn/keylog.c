/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of Wireshark's ikev2_decryption_table, ikev1_decryption_table and esp_sa, with the words that its
 * version 4.0 has for algorithms. */
#include "vpn/keylog.h"

#define LINE_MAX 1024
#define HEX_MAX (2 * S2SVPN_KEY_MAX + 1)

static const char *ike_cipher(uint16_t encr, uint16_t key_bits)
{
    if (encr == S2SVPN_ENCR_AES_GCM_16)
        return key_bits == 256 ? "AES-GCM-256 with 16 octet ICV [RFC5282]"
                               : "AES-GCM-128 with 16 octet ICV [RFC5282]";
    return key_bits == 256 ? "AES-CBC-256 [RFC3602]" : "AES-CBC-128 [RFC3602]";
}

static const char *ike_integrity(uint16_t integ)
{
    switch (integ) {
    case S2SVPN_INTEG_HMAC_SHA1_96:
        return "HMAC_SHA1_96 [RFC2404]";
    case S2SVPN_INTEG_HMAC_SHA2_256_128:
        return "HMAC_SHA2_256_128 [RFC4868]";
    case S2SVPN_INTEG_HMAC_SHA2_384_192:
        return "HMAC_SHA2_384_192 [RFC4868]";
    case S2SVPN_INTEG_HMAC_SHA2_512_256:
        return "HMAC_SHA2_512_256 [RFC4868]";
    default:
        return "NONE [RFC4306]";
    }
}

/* With the first key, when there can be subscribers: whoever has a log sees it too. */
static void warn(s2svpn_context *ctx)
{
    const s2svpn_event event = {
        .kind = S2SVPN_EVENT_NOTE, .tunnel = UINT32_MAX, .reason = "keylog"};

    if (ctx->keylog_told)
        return;
    ctx->keylog_told = true;
    s2_log(&ctx->env, S2_LOG_WARNING, "the key log is on: whoever reads it can read the traffic");
    s2_emit(ctx, &event, NULL, "the key log is on: whoever reads it can read the traffic");
}

/* The initiator's cookie and the one key of phase 1. */
static void log_v1(s2svpn_context *ctx, const struct s2_ike_sa_info *k)
{
    char key[HEX_MAX], line[LINE_MAX];

    s2_print_hex(key, k->sk_ei.p, k->sk_ei.len);
    s2_print(line, sizeof(line), "%016llx,%s", (unsigned long long)k->spi_i, key);
    ctx->options.keylog(ctx->options.keylog_user, S2SVPN_KEYLOG_IKEV1, line);
    s2_wipe(key, sizeof(key));
    s2_wipe(line, sizeof(line));
}

static void log_v2(s2svpn_context *ctx, const struct s2_ike_sa_info *k)
{
    char ei[HEX_MAX], er[HEX_MAX], ai[HEX_MAX], ar[HEX_MAX], line[LINE_MAX];

    s2_print_hex(ei, k->sk_ei.p, k->sk_ei.len);
    s2_print_hex(er, k->sk_er.p, k->sk_er.len);
    s2_print_hex(ai, k->sk_ai.p, k->sk_ai.len);
    s2_print_hex(ar, k->sk_ar.p, k->sk_ar.len);
    s2_print(line, sizeof(line), "%016llx,%016llx,%s,%s,\"%s\",%s,%s,\"%s\"",
             (unsigned long long)k->spi_i, (unsigned long long)k->spi_r, ei, er,
             ike_cipher(k->encr, k->key_bits), ai, ar, ike_integrity(k->integ));
    ctx->options.keylog(ctx->options.keylog_user, S2SVPN_KEYLOG_IKE, line);
    s2_wipe(ei, sizeof(ei));
    s2_wipe(er, sizeof(er));
    s2_wipe(ai, sizeof(ai));
    s2_wipe(ar, sizeof(ar));
    s2_wipe(line, sizeof(line));
}

void s2_keylog_ike(s2svpn_context *ctx, const struct s2_ike_sa_info *k)
{
    if (ctx->options.keylog == NULL)
        return;
    warn(ctx);
    if (k->version == 1)
        log_v1(ctx, k);
    else
        log_v2(ctx, k);
}

static const char *esp_cipher(uint16_t encr)
{
    return encr == S2SVPN_ENCR_AES_GCM_16 ? "AES-GCM with 16 octet ICV [RFC4106]"
                                          : "AES-CBC [RFC3602]";
}

static const char *esp_integrity(uint16_t integ)
{
    switch (integ) {
    case S2SVPN_INTEG_HMAC_SHA1_96:
        return "HMAC-SHA-1-96 [RFC2404]";
    case S2SVPN_INTEG_HMAC_SHA2_256_128:
        return "HMAC-SHA-256-128 [RFC4868]";
    case S2SVPN_INTEG_HMAC_SHA2_384_192:
        return "HMAC-SHA-384-192 [RFC4868]";
    case S2SVPN_INTEG_HMAC_SHA2_512_256:
        return "HMAC-SHA-512-256 [RFC4868]";
    default:
        return "NULL";
    }
}

static void log_direction(s2svpn_context *ctx, const struct s2_ike_child *k,
                          const s2svpn_address *from, const s2svpn_address *to, uint32_t spi,
                          s2svpn_span encr_key, s2svpn_span integ_key)
{
    char source[S2SVPN_ADDRESS_TEXT], destination[S2SVPN_ADDRESS_TEXT];
    char encr[HEX_MAX], integ[HEX_MAX], line[LINE_MAX];

    s2svpn_address_print(from, source);
    s2svpn_address_print(to, destination);
    s2_print_hex(encr, encr_key.p, encr_key.len);
    s2_print_hex(integ, integ_key.p, integ_key.len);
    s2_print(line, sizeof(line),
             "\"IPv%u\",\"%s\",\"%s\",\"0x%08x\",\"%s\",\"0x%s\",\"%s\",\"%s%s\"", from->family,
             source, destination, spi, esp_cipher(k->encr), encr, esp_integrity(k->integ),
             integ_key.len ? "0x" : "", integ);
    ctx->options.keylog(ctx->options.keylog_user, S2SVPN_KEYLOG_ESP, line);
    s2_wipe(encr, sizeof(encr));
    s2_wipe(integ, sizeof(integ));
    s2_wipe(line, sizeof(line));
}

void s2_keylog_child(s2svpn_context *ctx, const s2svpn_tunnel *t, const struct s2_ike_child *k)
{
    (void)t;
    if (ctx->options.keylog == NULL)
        return;
    log_direction(ctx, k, &k->remote.address, &k->local.address, k->spi_in, k->encr_key_in,
                  k->integ_key_in);
    log_direction(ctx, k, &k->local.address, &k->remote.address, k->spi_out, k->encr_key_out,
                  k->integ_key_out);
}
