/* SPDX-License-Identifier: Apache-2.0 */
/* Those tests of the room that need a network namespace: devices, raw sockets, ICMP errors
 * made by hand. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lab.h"
#include "netns.h"
#include "suites.h"

static int skip(const char *what, int reason)
{
    printf("skip io/netns: all (%s: %s)\n0 passed, 0 failed, 1 skipped\n", what, strerror(reason));
    return 77;
}

int main(int argc, char **argv)
{
    static const struct s2_suite suites[] = {
        {"io/path", s2_test_path},
        {"io/raw", s2_test_raw},
        {"io/tun", s2_test_tun},
    };

    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return skip("no network namespace", errno);
    if (access("/dev/net/tun", R_OK | W_OK) != 0)
        return skip("/dev/net/tun", errno);
    netns_up("lo");
    if (!lab_has_ipv6())
        return skip("IPv6", EAFNOSUPPORT);
    return s2_run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
