/* SPDX-License-Identifier: Apache-2.0 */
/* --check: what the documents say, and what of it we would refuse. */
#ifndef S2_DEVICE_CHECK_H
#define S2_DEVICE_CHECK_H

struct device;

/* Opens no socket and touches nothing. @return the program's exit status: 0, or 1 if
 * anything is wrong. */
int check_run(struct device *d);

#endif
