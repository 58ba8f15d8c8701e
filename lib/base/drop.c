/* SPDX-License-Identifier: Apache-2.0 */
/* Drop reasons by name and in words, both made from S2SVPN_DROP_LIST. */
#include "s2svpn/drop.h"

const char *s2svpn_drop_name(enum s2svpn_drop drop)
{
    switch (drop) {
#define CASE(name, words)                                                                          \
    case S2SVPN_DROP_##name:                                                                       \
        return #name;
        S2SVPN_DROP_LIST(CASE)
#undef CASE
    case S2SVPN_DROP_COUNT:
        break;
    }
    return "?";
}

const char *s2svpn_drop_text(enum s2svpn_drop drop)
{
    switch (drop) {
#define CASE(name, words)                                                                          \
    case S2SVPN_DROP_##name:                                                                       \
        return words;
        S2SVPN_DROP_LIST(CASE)
#undef CASE
    case S2SVPN_DROP_COUNT:
        break;
    }
    return "?";
}
