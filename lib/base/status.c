/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses in words and by name, both made from S2SVPN_STATUS_LIST. */
#include "s2svpn/error.h"

const char *s2svpn_status_text(s2svpn_status status)
{
    switch (status) {
#define CASE(name, number, words)                                                                  \
    case S2SVPN_##name:                                                                            \
        return words;
        S2SVPN_STATUS_LIST(CASE)
#undef CASE
    }
    return "unknown status";
}

const char *s2svpn_status_name(s2svpn_status status)
{
    switch (status) {
#define CASE(name, number, words)                                                                  \
    case S2SVPN_##name:                                                                            \
        return #name;
        S2SVPN_STATUS_LIST(CASE)
#undef CASE
    }
    return "unknown status";
}
