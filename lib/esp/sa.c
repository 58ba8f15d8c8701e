/* SPDX-License-Identifier: Apache-2.0 */
/* Security associations and lanes: making, limits, ending. Seals and opens
 * nothing. RFC 4301 section 4.4.2 (what an SA holds), 4303 section 3.3.3. */
#include "esp/esp.h"

#include "base/bytes.h"

#define WORD_BITS 64
/* So many numbers before the last, a successor should be on its way: half a minute
 * at 10 million packets a second. */
#define SEQUENCE_MARGIN (UINT64_C(1) << 28)
/* What one key may encrypt with a block of 16 bytes, whichever limit the caller has:
 * 2^48 blocks keep the distinguishing advantage, about blocks^2 / 2^129, at 2^-33
 * (SP 800-38D appendix C's bound for GCM; the birthday bound for CBC). A sequence
 * number is never used twice, so there is no limit to packets. */
#define AES_BYTES_MAX (UINT64_C(1) << 52)

static uint64_t limit(uint64_t asked, uint64_t safe)
{
    return asked != 0 && asked < safe ? asked : safe;
}

static uint64_t safe_bytes(uint16_t encr)
{
    const bool aes = encr == S2SVPN_ENCR_AES_CBC || encr == S2SVPN_ENCR_AES_GCM_16;

    return aes ? AES_BYTES_MAX : UINT64_MAX;
}

/* Words of a window's ring: at least one more than it fills, a power of two. */
static uint32_t ring_words(uint32_t window)
{
    uint32_t words = 2;

    while (words < window / WORD_BITS + 1)
        words *= 2;
    return words;
}

static s2svpn_status check_spec(const struct s2_env *env, const s2svpn_crypto_ops *crypto,
                                const struct s2_esp_spec *spec, struct s2_esp_form *form)
{
    const s2svpn_algorithm *encr =
        s2_esp_algorithm(crypto, S2SVPN_TRANSFORM_ENCR, spec->suite.encr, spec->suite.key_bits);
    const s2svpn_algorithm *integ =
        s2_esp_algorithm(crypto, S2SVPN_TRANSFORM_INTEG, spec->suite.integ, 0);

    if (crypto->esp_session_new == NULL || crypto->esp_seal == NULL || crypto->esp_open == NULL ||
        s2_esp_form_of(crypto, &spec->suite, form) != S2SVPN_OK)
        return s2_fail(env, S2SVPN_E_UNSUPPORTED, "suite",
                       "the crypto backend has no ESP with encryption %u, %u bits, integrity %u",
                       spec->suite.encr, spec->suite.key_bits, spec->suite.integ);
    if (spec->spi == 0)
        return s2_fail(env, S2SVPN_E_ARGUMENT, "spi", "0 is no SPI (RFC 4303 section 2.1)");
    if (spec->encr_key.len != encr->key_len)
        return s2_fail(env, S2SVPN_E_ARGUMENT, "encr_key", "the key has %zu bytes, not %u",
                       spec->encr_key.len, encr->key_len);
    const size_t integ_len = integ != NULL ? integ->key_len : 0;
    if (spec->integ_key.len != integ_len)
        return s2_fail(env, S2SVPN_E_ARGUMENT, "integ_key", "the key has %zu bytes, not %zu",
                       spec->integ_key.len, integ_len);
    if (!spec->outbound && spec->window != 0 &&
        (spec->window < WORD_BITS || spec->window > S2_ESP_WINDOW_MAX))
        return s2_fail(env, S2SVPN_E_ARGUMENT, "window", "%u packets are not in %d to %d",
                       spec->window, WORD_BITS, S2_ESP_WINDOW_MAX);
    return S2SVPN_OK;
}

static s2svpn_status make_session(const struct s2_env *env, struct s2_esp_sa *sa,
                                  const struct s2_esp_spec *spec)
{
    const s2svpn_esp_session_spec session_spec = {
        .size = sizeof(session_spec),
        .encr = spec->suite.encr,
        .key_bits = spec->suite.key_bits,
        .integ = spec->suite.integ,
        .esn = spec->esn,
        .outbound = spec->outbound,
        .encr_key = spec->encr_key,
        .integ_key = spec->integ_key,
    };
    void *session = NULL;
    const s2svpn_status rc = sa->crypto->esp_session_new(sa->crypto_user, &session_spec, &session);

    if (rc != S2SVPN_OK)
        return s2_fail(env, rc, "suite", "the crypto backend %s made no ESP session",
                       sa->crypto->name);
    sa->session = session;
    return S2SVPN_OK;
}

static size_t sa_size(uint32_t words)
{
    return sizeof(struct s2_esp_sa) + words * sizeof(uint64_t);
}

s2svpn_status s2_esp_sa_new(const struct s2_env *env, const s2svpn_crypto_ops *crypto,
                            void *crypto_user, const struct s2_esp_spec *spec,
                            struct s2_esp_sa **out)
{
    struct s2_esp_form form;
    s2svpn_status rc = check_spec(env, crypto, spec, &form);

    if (rc != S2SVPN_OK)
        return rc;
    const uint32_t window =
        spec->outbound ? 0 : (spec->window + WORD_BITS - 1) / WORD_BITS * WORD_BITS;
    const uint32_t words = window > 0 ? ring_words(window) : 0;
    struct s2_esp_sa *sa = s2_alloc(env, sa_size(words));
    if (sa == NULL)
        return s2_fail(env, S2SVPN_E_MEMORY, NULL, "no memory for an ESP SA");
    sa->form = form;
    sa->spi = spec->spi;
    sa->outbound = spec->outbound;
    sa->esn = spec->esn;
    sa->window_used = window > 0;
    sa->window = window;
    if (window > 0) {
        sa->bitmap_mask = words - 1;
        sa->bitmap = (uint64_t *)(sa + 1);
    }
    sa->soft_packets = limit(spec->soft_packets, UINT64_MAX);
    sa->hard_packets = limit(spec->hard_packets, UINT64_MAX);
    sa->hard_bytes = limit(spec->hard_bytes, safe_bytes(spec->suite.encr));
    sa->soft_bytes = limit(spec->soft_bytes, safe_bytes(spec->suite.encr) / 2);
    sa->crypto = crypto;
    sa->crypto_user = crypto_user;
    rc = make_session(env, sa, spec);
    if (rc != S2SVPN_OK) {
        s2_esp_sa_free(env, sa);
        return rc;
    }
    *out = sa;
    return S2SVPN_OK;
}

void s2_esp_sa_free(const struct s2_env *env, struct s2_esp_sa *sa)
{
    if (sa == NULL)
        return;
    if (sa->session != NULL)
        sa->crypto->esp_session_free(sa->crypto_user, (void *)(uintptr_t)sa->session);
    s2_wipe(sa, sa_size(sa->bitmap != NULL ? sa->bitmap_mask + 1 : 0));
    s2_free(env, sa);
}

bool s2_esp_soft_limit(const struct s2_esp_sa *sa)
{
    const uint64_t last = sa->esn ? UINT64_MAX : UINT32_MAX;
    const uint64_t packets = sa->outbound ? sa->seq : s2_esp_counted(&sa->counters.packets);
    const uint64_t bytes = sa->outbound ? sa->begun : s2_esp_counted(&sa->counters.bytes);

    return packets >= sa->soft_packets || bytes >= sa->soft_bytes ||
           last - sa->seq <= SEQUENCE_MARGIN;
}

s2svpn_status s2_esp_lane_init(struct s2_esp_lane *lane, const s2svpn_crypto_ops *crypto,
                               void *crypto_user)
{
    *lane = (struct s2_esp_lane){.crypto = crypto, .crypto_user = crypto_user};
    if (crypto->esp_worker_new == NULL)
        return S2SVPN_OK;
    return crypto->esp_worker_new(crypto_user, &lane->crypto_worker);
}

void s2_esp_lane_clear(struct s2_esp_lane *lane)
{
    if (lane->crypto_worker != NULL && lane->crypto->esp_worker_free != NULL)
        lane->crypto->esp_worker_free(lane->crypto_user, lane->crypto_worker);
    s2_wipe(lane, sizeof(*lane));
}
