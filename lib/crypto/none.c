/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenSSL backend of a library built --without-openssl: there is none, and the
 * host brings its own table. */
#include "s2svpn/crypto.h"

const s2svpn_crypto_ops *s2svpn_crypto_openssl(void)
{
    return NULL;
}
