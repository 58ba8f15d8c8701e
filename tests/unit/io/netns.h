/* SPDX-License-Identifier: Apache-2.0 */
/* Network namespaces of the test's own, and what is needed to furnish them. All abort()
 * when the kernel refuses. */
#ifndef S2_TESTS_IO_NETNS_H
#define S2_TESTS_IO_NETNS_H

#include <stdbool.h>
#include <stdint.h>

/* A descriptor of the one we are in; a new one is entered; back into one. */
int netns_here(void);
void netns_new(void);
void netns_enter(int fd);

void netns_up(const char *device);
void netns_set_mtu(const char *device, int mtu);
int netns_mtu(const char *device);
/* With a /24 or /64 around it; the device is up. */
void netns_add_address(const char *device, const char *address);
void netns_delete(const char *device);
bool netns_has(const char *device);

#endif
