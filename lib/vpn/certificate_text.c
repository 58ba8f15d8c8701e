/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a peer's certificate, in words: made from S2SVPN_CERTIFICATE_RESULT_LIST. */
#include "s2svpn/certificate.h"

const char *s2svpn_certificate_result_text(enum s2svpn_certificate_result result)
{
    switch (result) {
#define CASE(name, words)                                                                          \
    case S2SVPN_CERTIFICATE_##name:                                                                \
        return words;
        S2SVPN_CERTIFICATE_RESULT_LIST(CASE)
#undef CASE
    case S2SVPN_CERTIFICATE_RESULTS:
        break;
    }
    return "?";
}
