/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

struct kernel kernel;

void kernel_reset(void)
{
    memset(&kernel, 0, sizeof(kernel));
}

static bool is_train(struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_SEGMENT)
            return true;
    }
    return false;
}

static bool strikes(struct msghdr *m)
{
    if (kernel.fail_send == 0 || (kernel.only_trains && !is_train(m)))
        return false;
    if (kernel.after > 0) {
        kernel.after--;
        return false;
    }
    return true;
}

static int fail(void)
{
    const int reason = kernel.fail_send;

    if (kernel.times > 0 && --kernel.times == 0)
        kernel.fail_send = 0;
    errno = reason;
    return -1;
}

/* As the kernel does: an error behind the first message only shortens the count. */
int sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
    unsigned good = 0;
    int sent;

    kernel.sends++;
    kernel.longest_call = n > kernel.longest_call ? n : kernel.longest_call;
    while (good < n && !strikes(&m[good].msg_hdr))
        good++;
    if (good == 0 && n > 0)
        return fail();
    sent = (int)syscall(SYS_sendmmsg, fd, m, good, flags);
    for (int i = 0; i < sent; i++)
        kernel.train_sends += is_train(&m[i].msg_hdr);
    return sent;
}

int getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict len)
{
    if (kernel.no_segment && level == SOL_UDP && option == UDP_SEGMENT) {
        errno = ENOPROTOOPT;
        return -1;
    }
    return (int)syscall(SYS_getsockopt, fd, level, option, value, len);
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
    if (kernel.no_gro && level == SOL_UDP && option == UDP_GRO) {
        errno = ENOPROTOOPT;
        return -1;
    }
    return (int)syscall(SYS_setsockopt, fd, level, option, value, len);
}
