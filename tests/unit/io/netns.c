/* SPDX-License-Identifier: Apache-2.0 */
#include "netns.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ipv6.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int netns_here(void)
{
    const int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        abort();
    return fd;
}

void netns_new(void)
{
    if (unshare(CLONE_NEWNET) != 0)
        abort();
    netns_up("lo");
}

void netns_enter(int fd)
{
    if (setns(fd, CLONE_NEWNET) != 0)
        abort();
}

static void ask(int family, unsigned long request, void *argument)
{
    const int fd = socket(family, SOCK_DGRAM, 0);

    if (fd < 0 || ioctl(fd, request, argument) != 0) {
        perror("    netns");
        abort();
    }
    close(fd);
}

static struct ifreq request_for(const char *device)
{
    struct ifreq r;

    memset(&r, 0, sizeof(r));
    snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", device);
    return r;
}

void netns_up(const char *device)
{
    struct ifreq r = request_for(device);

    ask(AF_INET, SIOCGIFFLAGS, &r);
    r.ifr_flags |= IFF_UP;
    ask(AF_INET, SIOCSIFFLAGS, &r);
}

void netns_set_mtu(const char *device, int mtu)
{
    struct ifreq r = request_for(device);

    r.ifr_mtu = mtu;
    ask(AF_INET, SIOCSIFMTU, &r);
}

int netns_mtu(const char *device)
{
    struct ifreq r = request_for(device);

    ask(AF_INET, SIOCGIFMTU, &r);
    return r.ifr_mtu;
}

/* struct in6_ifreq is in a header that doesn't go with netinet/in.h. */
struct ipv6_request {
    struct in6_addr address;
    uint32_t length;
    int index;
};

/* A new address is tentative until a worker of the kernel's has looked at it. */
static void wait_for_ipv6(const struct in6_addr *address)
{
    const struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_addr = *address};
    const int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    int tries = 2000;

    while (bind(fd, (const struct sockaddr *)(const void *)&name, sizeof(name)) != 0) {
        if (--tries == 0)
            abort();
        usleep(1000);
    }
    close(fd);
}

void netns_add_address(const char *device, const char *address)
{
    struct ifreq r = request_for(device);
    struct sockaddr_in *a = (struct sockaddr_in *)(void *)&r.ifr_addr;

    if (strchr(address, ':')) {
        struct ipv6_request six = {.length = 64, .index = (int)if_nametoindex(device)};

        if (inet_pton(AF_INET6, address, &six.address) != 1)
            abort();
        ask(AF_INET6, SIOCSIFADDR, &six);
        wait_for_ipv6(&six.address);
        return;
    }
    a->sin_family = AF_INET;
    if (inet_pton(AF_INET, address, &a->sin_addr) != 1)
        abort();
    ask(AF_INET, SIOCSIFADDR, &r);
    a->sin_addr.s_addr = htonl(0xffffff00);
    ask(AF_INET, SIOCSIFNETMASK, &r);
}

void netns_delete(const char *device)
{
    struct {
        struct nlmsghdr head;
        struct ifinfomsg info;
    } m;
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    memset(&m, 0, sizeof(m));
    m.head.nlmsg_len = sizeof(m);
    m.head.nlmsg_type = RTM_DELLINK;
    m.head.nlmsg_flags = NLM_F_REQUEST;
    m.info.ifi_index = (int)if_nametoindex(device);
    if (fd < 0 || send(fd, &m, sizeof(m), 0) != (ssize_t)sizeof(m))
        abort();
    close(fd);
}

bool netns_has(const char *device)
{
    return if_nametoindex(device) != 0;
}
