/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes: what a suite adds to a packet, and what of an MTU is left for the inner
 * one. Touches no packet. RFC 4303 section 2; 4106, 7634, 3602, 4868 by the
 * backend's rows. */
#include "esp/esp.h"

#define TRAILER_LEN 2 /* pad length, next header */
#define UDP_LEN 8
#define ALIGNMENT 4 /* RFC 4303 section 2.4 */

const s2svpn_algorithm *s2_esp_algorithm(const s2svpn_crypto_ops *crypto, uint8_t type, uint16_t id,
                                         uint16_t key_bits)
{
    for (const s2svpn_algorithm *a = crypto->algorithms; a != NULL && a->type != 0; a++) {
        if (a->type == type && a->id == id && a->key_bits == key_bits &&
            (a->use & S2SVPN_USE_ESP) != 0)
            return a;
    }
    return NULL;
}

/* Block lengths are powers of two and trailers fit into a lane's scratch. */
static bool is_usable(const s2svpn_algorithm *encr, size_t icv_len)
{
    const size_t block = encr->block_len;

    return block > 0 && block <= 16 && (block & (block - 1)) == 0 && icv_len > 0 &&
           icv_len <= S2SVPN_ICV_MAX;
}

s2svpn_status s2_esp_form_of(const s2svpn_crypto_ops *crypto, const struct s2_esp_suite *suite,
                             struct s2_esp_form *form)
{
    const s2svpn_algorithm *encr =
        s2_esp_algorithm(crypto, S2SVPN_TRANSFORM_ENCR, suite->encr, suite->key_bits);
    const s2svpn_algorithm *integ =
        s2_esp_algorithm(crypto, S2SVPN_TRANSFORM_INTEG, suite->integ, 0);

    if (encr == NULL || (integ == NULL && suite->integ != S2SVPN_INTEG_NONE))
        return S2SVPN_E_UNSUPPORTED;
    /* An AEAD authenticates alone, all else needs INTEG: RFC 8221 section 4. */
    if ((encr->out_len > 0) != (suite->integ == S2SVPN_INTEG_NONE))
        return S2SVPN_E_UNSUPPORTED;
    const uint16_t icv_len = integ != NULL && encr->out_len == 0 ? integ->out_len : encr->out_len;
    if (!is_usable(encr, icv_len))
        return S2SVPN_E_UNSUPPORTED;
    *form = (struct s2_esp_form){
        .iv_len = encr->iv_len,
        .icv_len = icv_len,
        .block_len = encr->block_len > ALIGNMENT ? encr->block_len : ALIGNMENT,
    };
    return S2SVPN_OK;
}

size_t s2_esp_sealed_len(const struct s2_esp_form *form, size_t len)
{
    const size_t mask = form->block_len - 1U;

    return S2_ESP_HEADER_LEN + form->iv_len + ((len + TRAILER_LEN + mask) & ~mask) + form->icv_len;
}

size_t s2_esp_inner_mtu(const struct s2_esp_form *form, size_t mtu, size_t outer_header_len,
                        bool udp)
{
    const size_t taken =
        outer_header_len + (udp ? UDP_LEN : 0) + S2_ESP_HEADER_LEN + form->iv_len + form->icv_len;

    if (mtu < taken + form->block_len)
        return 0;
    return ((mtu - taken) & ~(size_t)(form->block_len - 1U)) - TRAILER_LEN;
}
