/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: the first look at an outside datagram. The first byte is the role of
 * the endpoint, the rest the datagram. What is classified says exactly one thing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "s2svpn/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    s2svpn_classification out, before;

    if (size == 0)
        return 0;
    memset(&before, 0xa5, sizeof(before));
    out = before;
    if (!s2svpn_classify(data[0], data + 1, size - 1, &out)) {
        if (memcmp(&out, &before, sizeof(out)) != 0)
            abort();
        return 0;
    }
    if (out.ike && (out.keepalive || out.spi != 0))
        abort();
    if (!out.ike && (out.spi_i != 0 || out.spi_r != 0 || (out.keepalive && out.spi != 0)))
        abort();
    if (data[0] == S2SVPN_ROLE_IKE && !out.ike)
        abort();
    return 0;
}
