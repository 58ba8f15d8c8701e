/* SPDX-License-Identifier: Apache-2.0 */
/* The version of the library that is linked, as opposed to the headers'. */
#include "s2svpn/version.h"

const char *s2svpn_version(void)
{
    return S2SVPN_VERSION;
}
