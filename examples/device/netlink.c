/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of rtnetlink(7), made and read by hand. Answers come from the kernel alone. */
#include "device/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define REQUEST_ROOM 512
#define ANSWER_ROOM 32768

struct request {
    union {
        struct nlmsghdr head;
        uint8_t bytes[REQUEST_ROOM];
    };
};

static uint8_t kernel_family(uint8_t family)
{
    return family == S2SVPN_FAMILY_IPV6 ? AF_INET6 : AF_INET;
}

static size_t address_len(const s2svpn_address *a)
{
    return a->family == S2SVPN_FAMILY_IPV6 ? 16 : 4;
}

/* ---- requests */

static void *begin(struct request *r, uint16_t type, uint16_t flags, size_t len)
{
    memset(r, 0, sizeof(*r));
    r->head.nlmsg_len = NLMSG_LENGTH(len);
    r->head.nlmsg_type = type;
    r->head.nlmsg_flags = NLM_F_REQUEST | flags;
    return NLMSG_DATA(&r->head);
}

/* All that we ask for fits by far. */
static void put(struct request *r, uint16_t type, const void *value, size_t len)
{
    struct rtattr *a = (struct rtattr *)(void *)(r->bytes + NLMSG_ALIGN(r->head.nlmsg_len));

    a->rta_type = type;
    a->rta_len = (uint16_t)RTA_LENGTH(len);
    memcpy(RTA_DATA(a), value, len);
    r->head.nlmsg_len = NLMSG_ALIGN(r->head.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

static void put_address(struct request *r, uint16_t type, const s2svpn_address *a)
{
    if (a->family != S2SVPN_FAMILY_NONE)
        put(r, type, a->bytes, address_len(a));
}

static void put_gateway(struct request *r, const struct host_route *route)
{
    const s2svpn_address *a = &route->gateway;
    struct {
        uint16_t family;
        uint8_t bytes[16];
    } via = {.family = kernel_family(a->family)};

    if (a->family == S2SVPN_FAMILY_NONE || a->family == route->prefix.address.family) {
        put_address(r, RTA_GATEWAY, a);
        return;
    }
    memcpy(via.bytes, a->bytes, address_len(a));
    put(r, RTA_VIA, &via, sizeof(via.family) + address_len(a));
}

/* The kernel's word on our last request: an errno, 0 if it was done. */
static int answer(struct netlink *nl)
{
    union {
        struct nlmsghdr head;
        uint8_t bytes[4096];
    } in;

    for (;;) {
        const ssize_t len = recv(nl->fd, &in, sizeof(in), 0);
        const struct nlmsgerr *error = NLMSG_DATA(&in.head);

        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            return errno == EAGAIN ? ETIMEDOUT : errno;
        if ((size_t)len < NLMSG_LENGTH(sizeof(*error)) || in.head.nlmsg_type != NLMSG_ERROR ||
            in.head.nlmsg_seq != nl->sequence)
            continue; /* left over from a listing */
        return -error->error;
    }
}

static int ask(struct netlink *nl, struct request *r)
{
    r->head.nlmsg_flags |= NLM_F_ACK;
    r->head.nlmsg_seq = ++nl->sequence;
    if (send(nl->fd, r, r->head.nlmsg_len, 0) < 0)
        return errno;
    return answer(nl);
}

int netlink_route(struct netlink *nl, const struct host_route *route, bool add)
{
    struct request r;
    /* Without NLM_F_EXCL or _REPLACE: before another one of the same prefix and metric. */
    struct rtmsg *m =
        begin(&r, add ? RTM_NEWROUTE : RTM_DELROUTE, add ? NLM_F_CREATE : 0, sizeof(*m));

    m->rtm_family = kernel_family(route->prefix.address.family);
    m->rtm_dst_len = route->prefix.length;
    m->rtm_table = route->table < 256 ? (uint8_t)route->table : RT_TABLE_UNSPEC;
    m->rtm_protocol = NETLINK_PROTOCOL;
    m->rtm_type = route->type;
    m->rtm_scope = RT_SCOPE_UNIVERSE;
    if (route->type == RTN_UNICAST && route->gateway.family == S2SVPN_FAMILY_NONE)
        m->rtm_scope = RT_SCOPE_LINK;
    if (route->gateway.family != S2SVPN_FAMILY_NONE)
        m->rtm_flags = RTNH_F_ONLINK; /* a learned prefix may cover the gateway itself */
    put_address(&r, RTA_DST, &route->prefix.address);
    put(&r, RTA_TABLE, &route->table, sizeof(route->table));
    put(&r, RTA_PRIORITY, &route->metric, sizeof(route->metric));
    put_gateway(&r, route);
    put_address(&r, RTA_PREFSRC, &route->source);
    if (route->interface)
        put(&r, RTA_OIF, &route->interface, sizeof(route->interface));
    return ask(nl, &r);
}

static int change_address(struct netlink *nl, uint32_t interface, const s2svpn_address *a,
                          const s2svpn_address *peer, uint8_t length, uint32_t flags, bool add)
{
    struct request r;
    struct ifaddrmsg *m =
        begin(&r, add ? RTM_NEWADDR : RTM_DELADDR, add ? NLM_F_CREATE | NLM_F_EXCL : 0, sizeof(*m));

    m->ifa_family = kernel_family(a->family);
    m->ifa_prefixlen = length;
    m->ifa_index = interface;
    put_address(&r, IFA_LOCAL, a);
    put_address(&r, IFA_ADDRESS, peer);
    put(&r, IFA_FLAGS, &flags, sizeof(flags));
    return ask(nl, &r);
}

int netlink_address(struct netlink *nl, uint32_t interface, const s2svpn_address *a, bool add)
{
    return change_address(nl, interface, a, a, (uint8_t)(address_len(a) * 8),
                          IFA_F_NOPREFIXROUTE | IFA_F_NODAD, add);
}

int netlink_link_address(struct netlink *nl, uint32_t interface, const s2svpn_address *a,
                         const s2svpn_address *peer, uint8_t length, bool add)
{
    return change_address(nl, interface, a, peer, length, IFA_F_NODAD, add);
}

int netlink_delete(struct netlink *nl, uint32_t interface)
{
    struct request r;
    struct ifinfomsg *m = begin(&r, RTM_DELLINK, 0, sizeof(*m));

    m->ifi_index = (int)interface;
    return ask(nl, &r);
}

int netlink_up(struct netlink *nl, uint32_t interface)
{
    struct request r;
    struct ifinfomsg *m = begin(&r, RTM_NEWLINK, 0, sizeof(*m));

    m->ifi_index = (int)interface;
    m->ifi_change = m->ifi_flags = IFF_UP;
    return ask(nl, &r);
}

/* ---- listing */

static bool take_address(const struct rtattr *a, uint8_t family, s2svpn_address *out)
{
    memset(out, 0, sizeof(*out));
    if (RTA_PAYLOAD(a) != (family == AF_INET6 ? 16 : 4))
        return false;
    out->family = family == AF_INET6 ? S2SVPN_FAMILY_IPV6 : S2SVPN_FAMILY_IPV4;
    memcpy(out->bytes, RTA_DATA(a), RTA_PAYLOAD(a));
    return true;
}

static void take_via(const struct rtattr *a, s2svpn_address *out)
{
    const uint8_t *p = RTA_DATA(a);
    const size_t len = RTA_PAYLOAD(a);
    uint16_t family;

    if (len < sizeof(family))
        return;
    memcpy(&family, p, sizeof(family));
    if (len != sizeof(family) + (family == AF_INET6 ? 16 : 4))
        return;
    out->family = family == AF_INET6 ? S2SVPN_FAMILY_IPV6 : S2SVPN_FAMILY_IPV4;
    memcpy(out->bytes, p + sizeof(family), len - sizeof(family));
}

static void take_number(const struct rtattr *a, uint32_t *out)
{
    if (RTA_PAYLOAD(a) == sizeof(*out))
        memcpy(out, RTA_DATA(a), sizeof(*out));
}

static void take_hop(const struct rtattr *a, uint8_t family, struct host_route *out)
{
    if (a->rta_type == RTA_GATEWAY)
        take_address(a, family, &out->gateway);
    else if (a->rta_type == RTA_VIA)
        take_via(a, &out->gateway);
    else if (a->rta_type == RTA_OIF)
        take_number(a, &out->interface);
}

/* Of several equal ways, the first that is alive. */
static void take_hops(const struct rtattr *a, uint8_t family, struct listed_route *out)
{
    const struct rtnexthop *hop = RTA_DATA(a);
    int len = (int)RTA_PAYLOAD(a);

    for (; RTNH_OK(hop, len); len -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop)) {
        int rest = hop->rtnh_len - (int)RTNH_LENGTH(0);

        memset(&out->route.gateway, 0, sizeof(out->route.gateway));
        out->route.interface = (uint32_t)hop->rtnh_ifindex;
        out->dead = (hop->rtnh_flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) != 0;
        for (const struct rtattr *h = RTNH_DATA(hop); RTA_OK(h, rest); h = RTA_NEXT(h, rest))
            take_hop(h, family, &out->route);
        if (!out->dead)
            return;
    }
}

static bool take_route(const struct nlmsghdr *head, struct listed_route *out)
{
    const struct rtmsg *m = NLMSG_DATA(head);
    struct host_route *r = &out->route;
    int rest = (int)head->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*m));

    memset(out, 0, sizeof(*out));
    if (rest < 0 ||
        (m->rtm_type != RTN_UNICAST && m->rtm_type != RTN_UNREACHABLE &&
         m->rtm_type != RTN_THROW) ||
        (m->rtm_flags & RTM_F_CLONED))
        return false;
    r->type = m->rtm_type;
    r->table = m->rtm_table;
    r->prefix.address.family = m->rtm_family == AF_INET6 ? S2SVPN_FAMILY_IPV6 : S2SVPN_FAMILY_IPV4;
    r->prefix.length = m->rtm_dst_len;
    out->protocol = m->rtm_protocol;
    out->dead = (m->rtm_flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) != 0;
    for (const struct rtattr *a = RTM_RTA(m); RTA_OK(a, rest); a = RTA_NEXT(a, rest)) {
        if (a->rta_type == RTA_DST && !take_address(a, m->rtm_family, &r->prefix.address))
            return false;
        if (a->rta_type == RTA_PREFSRC)
            take_address(a, m->rtm_family, &r->source);
        else if (a->rta_type == RTA_TABLE)
            take_number(a, &r->table);
        else if (a->rta_type == RTA_PRIORITY)
            take_number(a, &r->metric);
        else if (a->rta_type == RTA_MULTIPATH)
            take_hops(a, m->rtm_family, out);
        else
            take_hop(a, m->rtm_family, r);
    }
    return true;
}

/* One read's messages. Returns -1 as long as more are to come; else an errno, or 0. */
static int take_messages(const uint8_t *p, size_t len, uint32_t sequence, netlink_route_fn *fn,
                         void *user)
{
    struct listed_route route;
    struct nlmsghdr h;

    for (size_t step; len >= sizeof(h); p += step, len -= step) {
        memcpy(&h, p, sizeof(h));
        if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > len)
            return EBADMSG;
        step = NLMSG_ALIGN(h.nlmsg_len) < len ? NLMSG_ALIGN(h.nlmsg_len) : len;
        if (h.nlmsg_seq != sequence)
            continue;
        if (h.nlmsg_type == NLMSG_DONE)
            return 0;
        if (h.nlmsg_type == NLMSG_ERROR)
            return -((const struct nlmsgerr *)NLMSG_DATA(p))->error;
        if (h.nlmsg_type == RTM_NEWROUTE &&
            take_route((const struct nlmsghdr *)(const void *)p, &route))
            fn(user, &route);
    }
    return -1;
}

int netlink_list(struct netlink *nl, uint8_t family, netlink_route_fn *fn, void *user)
{
    _Alignas(struct nlmsghdr) uint8_t in[ANSWER_ROOM];
    struct request r;
    struct rtmsg *m = begin(&r, RTM_GETROUTE, NLM_F_DUMP, sizeof(*m));
    int result = -1;

    m->rtm_family = kernel_family(family);
    r.head.nlmsg_seq = ++nl->sequence;
    if (send(nl->fd, &r, r.head.nlmsg_len, 0) < 0)
        return errno;
    while (result < 0) {
        const ssize_t len = recv(nl->fd, in, sizeof(in), 0);

        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            return errno == EAGAIN ? ETIMEDOUT : errno;
        result = take_messages(in, (size_t)len, nl->sequence, fn, user);
    }
    return result;
}

/* ---- opening */

static int open_socket(int flags, uint32_t groups)
{
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE);
    const struct sockaddr_nl local = {.nl_family = AF_NETLINK, .nl_groups = groups};

    if (fd >= 0 && bind(fd, (const struct sockaddr *)&local, sizeof(local)) != 0) {
        const int reason = errno;

        close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

int netlink_open(struct netlink *nl)
{
    const struct timeval patience = {2, 0};

    nl->sequence = 0;
    nl->fd = open_socket(0, 0);
    if (nl->fd < 0)
        return errno;
    setsockopt(nl->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return 0;
}

void netlink_close(struct netlink *nl)
{
    if (nl->fd >= 0)
        close(nl->fd);
    nl->fd = -1;
}

int netlink_monitor(void)
{
    return open_socket(SOCK_NONBLOCK, RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_LINK);
}

bool netlink_drain(int fd)
{
    char bytes[8192];
    bool any = false;

    /* ENOBUFS: more happened than the socket holds, which is a change too */
    while (recv(fd, bytes, sizeof(bytes), 0) >= 0 || errno == ENOBUFS)
        any = true;
    return any;
}
