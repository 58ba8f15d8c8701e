/* SPDX-License-Identifier: Apache-2.0 */
/* ESP's part of the faults that others had, class by class: each test names one of the
 * CVEs that show it. Packets lie in memory of exactly their size, so that a sanitizer
 * sees every byte too many. (CVE-2022-34718's other half, IPv6 fragments inside, is in
 * vpn/inner and inet/reassembly.) */
#include "esp/esp.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "harness.h"
#include "pair.h"

#define IV_LEN 16
#define SEALED 2000

static bool begin_cbc(struct s2_pair *p)
{
    if (s2svpn_crypto_openssl() == NULL) {
        CU_PASS("built without OpenSSL");
        return false;
    }
    const struct s2_esp_spec spec = s2_pair_spec(s2svpn_crypto_openssl(), S2SVPN_ENCR_AES_CBC, 128,
                                                 S2SVPN_INTEG_HMAC_SHA2_256_128);
    if (!s2_pair_begin(p, s2svpn_crypto_openssl(), &spec))
        CU_FAIL_FATAL("no pair of SAs");
    return true;
}

static bool among(uint8_t seen[][IV_LEN], size_t n, const uint8_t *iv)
{
    for (size_t i = 0; i < n; i++) {
        if (memcmp(seen[i], iv, IV_LEN) == 0)
            return true;
    }
    return false;
}

/* VPP: an IV that could be told beforehand, from a counter or from the packet before. */
static void cve_2022_46397_cbc_ivs_can_not_be_foretold(void)
{
    static uint8_t seen[SEALED][IV_LEN];
    static const uint8_t inner[46] = {0x45};
    uint8_t packet[200], before[200] = {0};
    struct s2_pair p;
    size_t len = 0, repeated = 0, chained = 0, close = 0;
    unsigned bits[IV_LEN * 8] = {0};

    if (!begin_cbc(&p))
        return;
    for (size_t i = 0; i < SEALED; i++) {
        const uint8_t *iv = packet + S2_ESP_HEADER_LEN;

        CU_ASSERT_EQUAL(s2_pair_seal(&p, s2_span(inner, sizeof(inner)), 4, packet, &len),
                        S2SVPN_DROP_NONE);
        repeated += among(seen, i, iv);
        chained += i > 0 && memcmp(iv, before + len - 16 - IV_LEN, IV_LEN) == 0;
        close += i > 0 && memcmp(iv, seen[i - 1], 8) == 0; /* a counter changes its end */
        close += i > 0 && memcmp(iv + 8, seen[i - 1] + 8, 8) == 0;
        for (size_t b = 0; b < IV_LEN * 8; b++)
            bits[b] += iv[b / 8] >> b % 8 & 1;
        memcpy(seen[i], iv, IV_LEN);
        memcpy(before, packet, len);
    }
    CU_ASSERT_EQUAL(repeated, 0);
    CU_ASSERT_EQUAL(chained, 0);
    CU_ASSERT_EQUAL(close, 0);
    for (size_t b = 0; b < IV_LEN * 8; b++) /* six standard deviations */
        CU_ASSERT_TRUE(bits[b] > SEALED / 2 - 135 && bits[b] < SEALED / 2 + 135);
    s2_pair_end(&p);
}

/* The same product: the same keys after a restart, and with them the same IVs. */
static void cve_2022_46397_a_restart_repeats_no_iv(void)
{
    static uint8_t seen[16 * 8][IV_LEN];
    static const uint8_t inner[46] = {0x45};
    uint8_t packet[200];
    size_t len = 0, n = 0, repeated = 0;

    for (size_t start = 0; start < 16; start++) {
        struct s2_pair p;

        if (!begin_cbc(&p))
            return;
        for (size_t i = 0; i < 8; i++, n++) {
            CU_ASSERT_EQUAL(s2_pair_seal(&p, s2_span(inner, sizeof(inner)), 4, packet, &len),
                            S2SVPN_DROP_NONE);
            repeated += among(seen, n, packet + S2_ESP_HEADER_LEN);
            memcpy(seen[n], packet + S2_ESP_HEADER_LEN, IV_LEN);
        }
        s2_pair_end(&p);
    }
    CU_ASSERT_EQUAL(repeated, 0);
}

/* A packet of the fake suite with any plain text, of this length. */
static enum s2svpn_drop open_text(struct s2_pair *p, const uint8_t *text, size_t text_len)
{
    static uint8_t sealed[70000];
    const size_t len = S2_ESP_HEADER_LEN + p->form.iv_len + text_len + p->form.icv_len;
    s2svpn_esp_op op = {.session = p->out->session,
                        .spi = PAIR_SPI,
                        .seq = ++p->out->seq,
                        .iv = sealed + S2_ESP_HEADER_LEN,
                        .out = sealed + S2_ESP_HEADER_LEN + p->form.iv_len};
    uint8_t *exact = malloc(len);
    s2svpn_span inner;

    memcpy(op.out, text, text_len);
    op.in[0].p = op.out;
    op.in[0].len = (uint32_t)text_len;
    op.icv = op.out + text_len;
    s2_put_u32(sealed, PAIR_SPI);
    s2_put_u32(sealed + 4, (uint32_t)op.seq);
    p->lane.crypto->esp_seal(p->lane.crypto_user, p->lane.crypto_worker, &op, 1);
    CU_ASSERT_EQUAL(op.result, S2SVPN_ESP_OK);
    memcpy(exact, sealed, len);
    const enum s2svpn_drop drop = s2_pair_open(p, exact, len, &inner);
    if (drop == S2SVPN_DROP_NONE) {
        CU_ASSERT_TRUE(inner.p >= exact && inner.p + inner.len <= exact + len);
    }
    free(exact);
    return drop;
}

/* Windows: the next header's place was taken from the packet and lay outside of it. All
 * padding lengths in all short packets. */
static void cve_2022_34718_trailers_stay_inside_the_packet(void)
{
    struct s2_pair p;
    size_t wrong = 0;

    s2_pair_begin_fake(&p);
    for (size_t len = 4; len <= 264; len += 4) {
        for (size_t pad = 0; pad < 256; pad++) {
            uint8_t text[264];
            const bool inside = pad + 2 <= len;

            for (size_t i = 0; i < len; i++) /* right padding, as far as there is any */
                text[i] = (uint8_t)(inside && i >= len - 2 - pad ? i - (len - 2 - pad) + 1 : 7);
            text[len - 2] = (uint8_t)pad;
            text[len - 1] = 41;
            wrong +=
                open_text(&p, text, len) != (inside ? S2SVPN_DROP_NONE : S2SVPN_DROP_ESP_PADDING);
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    s2_pair_end(&p);
}

/* Every next header but the three that mean something. */
static void cve_2022_34718_other_next_headers_go_nowhere(void)
{
    struct s2_pair p;

    s2_pair_begin_fake(&p);
    for (unsigned next = 0; next < 256; next++) {
        uint8_t text[8] = {0x45, 0, 0, 0, 0, 0, 0, (uint8_t)next};
        const enum s2svpn_drop drop = open_text(&p, text, sizeof(text));

        if (next == 4 || next == 41) {
            CU_ASSERT_EQUAL(drop, S2SVPN_DROP_NONE);
        } else {
            CU_ASSERT_EQUAL(drop, next == 59 ? S2SVPN_DROP_ESP_DUMMY : S2SVPN_DROP_ESP_NEXT_HEADER);
        }
    }
    s2_pair_end(&p);
}

/* Linux: a packet of more than 32 KiB written behind the memory that was made for it. */
static void cve_2022_27666_no_length_writes_behind_its_room(void)
{
    static const size_t lengths[] = {1, 1500, 9000, 32767, 32768, 65000, 65535};
    static uint8_t inner[65535];
    struct s2_pair p;

    s2_pair_begin_fake(&p);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (size_t short_by = 0; short_by < 2; short_by++) {
            const size_t room = s2_esp_sealed_len(&p.form, lengths[i]) - short_by;
            struct s2_esp_seal v = {.sa = p.out,
                                    .piece = {s2_span(inner, lengths[i])},
                                    .out = malloc(room),
                                    .room = room,
                                    .next_header = 4};

            s2_esp_seal(&p.lane, &v, 1, 1);
            CU_ASSERT_EQUAL(v.drop, short_by ? S2SVPN_DROP_NO_ROOM : S2SVPN_DROP_NONE);
            free(v.out);
        }
    }
    s2_pair_end(&p);
}

/* Encryption that nothing authenticates: many stacks took it once; RFC 8221 section 4. */
static void encryption_without_authentication_is_refused(void)
{
    const s2svpn_crypto_ops *crypto = &s2_fake_crypto_gather;
    struct s2_esp_form form;

    for (const s2svpn_algorithm *a = crypto->algorithms; a->type != 0; a++) {
        const struct s2_esp_suite suite = {a->id, a->key_bits, S2SVPN_INTEG_NONE};

        if (a->type == S2SVPN_TRANSFORM_ENCR && a->out_len == 0)
            CU_ASSERT_EQUAL(s2_esp_form_of(crypto, &suite, &form), S2SVPN_E_UNSUPPORTED);
    }
}

/* What isn't authentic moves no window, whatever its number: else one forged packet ends
 * the tunnel. */
static void forged_numbers_move_no_window(void)
{
    static const uint8_t inner[46] = {0x45};
    uint8_t packet[200], forged[200];
    struct s2_pair p;
    s2svpn_span opened;
    size_t len = 0;

    s2_pair_begin_fake(&p);
    CU_ASSERT_EQUAL(s2_pair_seal(&p, s2_span(inner, sizeof(inner)), 4, packet, &len),
                    S2SVPN_DROP_NONE);
    for (unsigned bit = 0; bit < 32; bit++) {
        memcpy(forged, packet, len);
        s2_put_u32(forged + 4, UINT32_C(1) << bit | 2);
        CU_ASSERT_EQUAL(s2_pair_open(&p, forged, len, &opened), S2SVPN_DROP_ESP_AUTHENTICATION);
    }
    CU_ASSERT_EQUAL(p.in->seq, 0);
    CU_ASSERT_EQUAL(s2_pair_open(&p, packet, len, &opened), S2SVPN_DROP_NONE);
    s2_pair_end(&p);
}

const CU_TestInfo s2_test_cve_classes[] = {
    {"CVE-2022-46397: CBC IVs can't be foretold", cve_2022_46397_cbc_ivs_can_not_be_foretold},
    {"CVE-2022-46397: a restart repeats no IV", cve_2022_46397_a_restart_repeats_no_iv},
    {"CVE-2022-34718: trailers stay inside the packet",
     cve_2022_34718_trailers_stay_inside_the_packet},
    {"CVE-2022-34718: other next headers go nowhere", cve_2022_34718_other_next_headers_go_nowhere},
    {"CVE-2022-27666: no length writes behind its room",
     cve_2022_27666_no_length_writes_behind_its_room},
    {"encryption without authentication is refused", encryption_without_authentication_is_refused},
    {"forged numbers move no window", forged_numbers_move_no_window},
    CU_TEST_INFO_NULL,
};
