/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets of IP protocol 50: ESP without UDP (RFC 4303 section 2), for peers with no NAT
 * between them. Everything else about them is as with UDP, without trains. */
#include <errno.h>
#include <unistd.h>

#include "io/driver.h"

#define IPV4_HEADER_LEN 20
#define IPV4_TOS 1
#define IPV4_TTL 8

int s2_io_raw_socket(int family)
{
    return socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ESP);
}

bool s2_io_raw_allowed(const s2svpn_address *a)
{
    const int fd = s2_io_raw_socket(a->family == S2SVPN_FAMILY_IPV6 ? AF_INET6 : AF_INET);

    if (fd < 0)
        return errno != EPERM && errno != EACCES && errno != EPROTONOSUPPORT;
    close(fd);
    return true;
}

/* The kernel has checked the header and put fragments together. */
bool s2_io_raw_strip(s2svpn_datagram *d)
{
    size_t len;

    if (d->len < IPV4_HEADER_LEN)
        return false;
    len = (size_t)(d->data[0] & 15) * 4;
    if (len < IPV4_HEADER_LEN || len > d->len)
        return false;
    d->tos = d->data[IPV4_TOS];
    d->hop_limit = d->data[IPV4_TTL];
    d->data += len;
    d->len -= (uint32_t)len;
    return true;
}
