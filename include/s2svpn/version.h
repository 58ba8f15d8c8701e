/* SPDX-License-Identifier: Apache-2.0 */
/* The package's version, of the headers and of the library that is linked. */
#ifndef S2SVPN_VERSION_H
#define S2SVPN_VERSION_H

#include "s2svpn/types.h"

S2SVPN_BEGIN

#define S2SVPN_VERSION_MAJOR 0
#define S2SVPN_VERSION_MINOR 1
#define S2SVPN_VERSION_PATCH 0
#define S2SVPN_VERSION "0.1.0"

/** The linked library's version, "0.1.0".
 * @threads any */
S2SVPN_API const char *s2svpn_version(void);

S2SVPN_END
#endif
