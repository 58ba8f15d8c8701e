/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: a chain of payloads as it comes out of SK. The first byte of the
 * input is the first payload's type, the rest is the chain. */
#include "tests/fuzz/ike_chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct s2_ike_payloads list;

    if (size > 0 && size <= S2_IKE_MESSAGE_MAX)
        s2_fuzz_ike_chain(data[0], s2_span(data + 1, size - 1), &list);
    return 0;
}
