/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets opened, with the options that they need, and closed. What a kernel lacks is left
 * out: every option but the address has something to fall back to. */
#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

#include "io/driver.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/* ---- names */

socklen_t s2_io_name_write(const s2svpn_endpoint *e, union s2_io_name *out)
{
    memset(out, 0, sizeof(*out));
    if (e->address.family == S2SVPN_FAMILY_IPV6) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(e->port);
        memcpy(&out->v6.sin6_addr, e->address.bytes, 16);
        return sizeof(out->v6);
    }
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons(e->port);
    memcpy(&out->v4.sin_addr, e->address.bytes, 4);
    return sizeof(out->v4);
}

void s2_io_name_read(const union s2_io_name *a, s2svpn_endpoint *out)
{
    memset(&out->address, 0, sizeof(out->address));
    if (a->any.sa_family == AF_INET6) {
        out->address.family = S2SVPN_FAMILY_IPV6;
        memcpy(out->address.bytes, &a->v6.sin6_addr, 16);
        out->port = ntohs(a->v6.sin6_port);
    } else {
        out->address.family = S2SVPN_FAMILY_IPV4;
        memcpy(out->address.bytes, &a->v4.sin_addr, 4);
        out->port = ntohs(a->v4.sin_port);
    }
}

size_t s2_io_count(const s2svpn_datagram *d)
{
    return d->segment ? (d->len + d->segment - 1) / d->segment : 1;
}

/* ---- options */

/* Privileged variants first, so that net.core's limits don't bind root. */
static void set_buffer(int fd, int forced, int plain, uint32_t size)
{
    const int value = (int)size;

    if (setsockopt(fd, SOL_SOCKET, forced, &value, sizeof(value)) != 0)
        setsockopt(fd, SOL_SOCKET, plain, &value, sizeof(value));
}

static bool has_option(int fd, int level, int option)
{
    int value = 0;
    socklen_t len = sizeof(value);

    return getsockopt(fd, level, option, &value, &len) == 0;
}

/* Without the DF bit the kernel must not lower its idea of the path's MTU by what anyone
 * can forge: OMIT ignores ICMP but for the error queue, which the context checks. Routers
 * of IPv6 cut nothing, so there the kernel has to know; DONT still reports. */
void s2_io_socket_set_df(struct s2_io_socket *s, bool dont_fragment)
{
    const bool v6 = s->local.address.family == S2SVPN_FAMILY_IPV6;
    const int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
    const int option = v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER;
    const int set = v6 ? IPV6_PMTUDISC_DO : IP_PMTUDISC_DO;
    const int clear = v6 ? IPV6_PMTUDISC_DONT : IP_PMTUDISC_OMIT;
    const int plain = v6 ? IPV6_PMTUDISC_DONT : IP_PMTUDISC_DONT;

    if (setsockopt(s->fd, level, option, dont_fragment ? &set : &clear, sizeof(int)) != 0)
        setsockopt(s->fd, level, option, &plain, sizeof(int));
    s->dont_fragment = dont_fragment;
}

static void set_options(struct s2_io_socket *s)
{
    const s2svpn_host_options *o = &s->host->options;
    const bool v6 = s->local.address.family == S2SVPN_FAMILY_IPV6;
    const int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
    const int on = 1;

    set_buffer(s->fd, SO_RCVBUFFORCE, SO_RCVBUF, o->receive_buffer);
    set_buffer(s->fd, SO_SNDBUFFORCE, SO_SNDBUF, o->send_buffer);
    setsockopt(s->fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
    setsockopt(s->fd, level, v6 ? IPV6_RECVTCLASS : IP_RECVTOS, &on, sizeof(on));
    setsockopt(s->fd, level, v6 ? IPV6_RECVERR : IP_RECVERR, &on, sizeof(on));
    s2_io_socket_set_df(s, false);
    if (s->local.role != S2SVPN_ROLE_NATT)
        return;
    s->segments = !o->no_udp_segment && has_option(s->fd, SOL_UDP, UDP_SEGMENT);
    s->gro = !o->no_udp_gro && setsockopt(s->fd, SOL_UDP, UDP_GRO, &on, sizeof(on)) == 0;
}

/* ---- opening */

static int make_socket(const s2svpn_endpoint *local)
{
    const int family = local->address.family == S2SVPN_FAMILY_IPV6 ? AF_INET6 : AF_INET;
    union s2_io_name name;
    const socklen_t len = s2_io_name_write(local, &name);
    const int on = 1;
    const int fd = local->role == S2SVPN_ROLE_RAW
                       ? s2_io_raw_socket(family)
                       : socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, &name.any, len) != 0) {
        const int reason = errno;

        close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

s2svpn_status s2_io_socket_open(s2svpn_host *host, const s2svpn_endpoint *local, const char *field,
                                s2svpn_error *why)
{
    struct s2_io_socket *s = &host->socket[host->socket_count];
    const int fd = make_socket(local);

    if (fd < 0)
        return s2_io_error(why, S2SVPN_E_SYSTEM, field, "%s", strerror(errno));
    s->host = host;
    s->local = *local;
    s->fd = fd;
    set_options(s);
    event_assign(&s->readable, host->base, fd, EV_READ | EV_PERSIST, s2_io_on_readable, s);
    event_assign(&s->writable, host->base, fd, EV_WRITE, s2_io_on_writable, s);
    host->local[host->socket_count++] = *local;
    return S2SVPN_OK;
}

void s2_io_socket_listen(struct s2_io_socket *s, bool on)
{
    if (on) {
        event_add(&s->readable, NULL);
        return;
    }
    event_del(&s->readable);
    event_del(&s->writable);
}

void s2_io_socket_close(struct s2_io_socket *s)
{
    s2_io_socket_listen(s, false);
    close(s->fd);
}
