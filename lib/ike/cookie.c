/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies: a responder with many half-open SAs makes an initiator prove that it
 * receives at its address, and keeps nothing meanwhile. RFC 7296 section 2.6.
 *
 *     version (1) | first 16 bytes of SHA2-256(secret | Ni | address | SPIi)
 */
#include "ike/engine.h"

#include <string.h>

#include "base/address.h"

#define SECRET_LIFE_NS (60 * S2_SECOND) /* then a new one; the one before is good as long again */

/* The secret of that version; NULL if it is too old or never was. */
static const uint8_t *secret_of(const struct s2_ike *ike, uint8_t version)
{
    const uint64_t age = ike->now_ns - ike->cookie_made_ns;

    if (ike->cookie_made_ns == 0 || age >= 2 * SECRET_LIFE_NS)
        return NULL;
    if (version == ike->cookie_version)
        return ike->cookie_secret[version & 1];
    if ((uint8_t)(version + 1) == ike->cookie_version && age < SECRET_LIFE_NS)
        return ike->cookie_secret[version & 1];
    return NULL;
}

/* The first secret makes both, so that no cookie is ever made of zeros. */
static s2svpn_status renew(struct s2_ike *ike)
{
    uint8_t fresh[2][S2_IKE_COOKIE_SECRET_LEN];

    if (ike->cookie_made_ns != 0 && ike->now_ns - ike->cookie_made_ns < SECRET_LIFE_NS)
        return S2SVPN_OK;
    s2svpn_status rc = s2_random(ike->env, fresh, sizeof(fresh));
    if (rc != S2SVPN_OK)
        return rc;
    const bool both = secret_of(ike, ike->cookie_version) == NULL;
    ike->cookie_version++;
    memcpy(ike->cookie_secret[ike->cookie_version & 1], fresh[0], sizeof(fresh[0]));
    if (both)
        memcpy(ike->cookie_secret[(ike->cookie_version + 1) & 1], fresh[1], sizeof(fresh[1]));
    ike->cookie_made_ns = ike->now_ns > 0 ? ike->now_ns : 1;
    s2_wipe(fresh, sizeof(fresh));
    return S2SVPN_OK;
}

static s2svpn_status compute(struct s2_ike *ike, uint8_t version, const uint8_t *secret,
                             s2svpn_span nonce, const s2svpn_address *remote, uint64_t spi_i,
                             uint8_t out[S2_IKE_COOKIE_LEN])
{
    uint8_t digest[64], spi[8] = {0};
    const s2svpn_span in[] = {s2_span(secret, S2_IKE_COOKIE_SECRET_LEN), nonce,
                              s2_span(remote->bytes, s2_address_len(remote)), s2_span(spi, 8)};

    s2_put_u64(spi, spi_i);
    s2svpn_status rc = ike->crypto.ops->hash(ike->crypto.user, S2SVPN_HASH_SHA2_256, in, 4, digest);
    if (rc != S2SVPN_OK)
        return rc;
    out[0] = version;
    memcpy(out + 1, digest, S2_IKE_COOKIE_LEN - 1);
    return S2SVPN_OK;
}

s2svpn_status s2_ike_cookie_make(struct s2_ike *ike, s2svpn_span nonce,
                                 const s2svpn_address *remote, uint64_t spi_i,
                                 uint8_t out[S2_IKE_COOKIE_LEN])
{
    s2svpn_status rc = renew(ike);

    if (rc != S2SVPN_OK)
        return rc;
    return compute(ike, ike->cookie_version, ike->cookie_secret[ike->cookie_version & 1], nonce,
                   remote, spi_i, out);
}

s2svpn_status s2_ike_cookie_check(struct s2_ike *ike, s2svpn_span cookie, s2svpn_span nonce,
                                  const s2svpn_address *remote, uint64_t spi_i)
{
    uint8_t expected[S2_IKE_COOKIE_LEN];

    if (cookie.len != S2_IKE_COOKIE_LEN)
        return S2SVPN_E_AUTHENTICATION;
    const uint8_t *secret = secret_of(ike, cookie.p[0]);
    if (secret == NULL)
        return S2SVPN_E_AUTHENTICATION;
    s2svpn_status rc = compute(ike, cookie.p[0], secret, nonce, remote, spi_i, expected);
    if (rc != S2SVPN_OK)
        return rc;
    return s2_equal_ct(expected, cookie.p, S2_IKE_COOKIE_LEN) ? S2SVPN_OK : S2SVPN_E_AUTHENTICATION;
}
