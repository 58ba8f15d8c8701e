/* SPDX-License-Identifier: Apache-2.0 */
/* What sockets bring: datagrams and trains in batches, and the error queue, where the
 * kernel keeps ICMP messages about what was sent. */
#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <time.h>

#include <linux/errqueue.h>

#include "io/driver.h"

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define ERRORS_A_TURN 64

/* ---- the error queue */

/* What the context wants to hear of; 0: nothing. */
static int kind_of(const struct sock_extended_err *e)
{
    switch (e->ee_errno) {
    case EMSGSIZE:
        return S2SVPN_IO_TOO_BIG;
    case ECONNREFUSED: /* port */
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENONET:
    case ENOPROTOOPT: /* protocol */
    case EACCES:      /* administratively prohibited */
        return S2SVPN_IO_UNREACHABLE;
    default:
        return 0;
    }
}

static void take_error(struct s2_io_socket *s, struct msghdr *m, const union s2_io_name *to)
{
    s2svpn_endpoint remote = {.role = s->local.role};

    s2_io_name_read(to, &remote);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c && s->host->ctx; c = CMSG_NXTHDR(m, c)) {
        struct sock_extended_err e;
        const bool is_error = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
                              (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
        int kind;

        if (!is_error || c->cmsg_len < CMSG_LEN(sizeof(e)))
            continue;
        memcpy(&e, CMSG_DATA(c), sizeof(e));
        kind = kind_of(&e);
        if (kind == 0)
            continue;
        s->host->counters.errors_in++;
        s2svpn_receive_outside_error(s->host->ctx, &s->local, &remote, (enum s2svpn_io_error)kind,
                                     kind == S2SVPN_IO_TOO_BIG ? e.ee_info : 0, s2svpn_host_now());
    }
}

static void drain_errors(struct s2_io_socket *s)
{
    s->errors = false;
    for (int i = 0; i < ERRORS_A_TURN && s->host->ctx; i++) {
        _Alignas(struct cmsghdr) char control[512];
        uint8_t data[64]; /* of the packet that the error is about: not needed */
        union s2_io_name to;
        struct iovec piece = {data, sizeof(data)};
        struct msghdr m = {.msg_name = &to,
                           .msg_namelen = sizeof(to),
                           .msg_iov = &piece,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof(control)};

        s->host->counters.reads++;
        if (recvmsg(s->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            return;
        if (m.msg_namelen > 0)
            take_error(s, &m, &to);
    }
}

/* ---- datagrams */

static void count_missed(struct s2_io_socket *s, const struct cmsghdr *c)
{
    uint32_t missed;

    memcpy(&missed, CMSG_DATA(c), sizeof(missed));
    s->host->counters.datagrams_missed += (uint32_t)(missed - s->missed);
    s->missed = missed;
}

static void read_control(struct s2_io_socket *s, struct msghdr *m, s2svpn_datagram *d)
{
    int value;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
            d->tos = *CMSG_DATA(c);
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
            count_missed(s, c);
        } else if (c->cmsg_len >= CMSG_LEN(sizeof(value))) {
            memcpy(&value, CMSG_DATA(c), sizeof(value));
            if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS)
                d->tos = (uint8_t)value;
            else if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO && value > 0 &&
                     (uint32_t)value < d->len)
                d->segment = (uint16_t)value;
        }
    }
}

/* Message number i of the batch; false: not one for the context. */
static bool take_message(struct s2_io_socket *s, size_t i, s2svpn_datagram *d)
{
    s2svpn_host *host = s->host;
    struct mmsghdr *m = &host->in.message[i];

    memset(d, 0, sizeof(*d));
    d->local = s->local;
    d->remote.role = s->local.role;
    s2_io_name_read(&host->in.name[i], &d->remote);
    d->data = host->in.piece[i].iov_base;
    d->len = m->msg_len;
    read_control(s, &m->msg_hdr, d);
    m->msg_hdr.msg_namelen = sizeof(host->in.name[i]); /* used up: for the next batch */
    m->msg_hdr.msg_controllen = S2_IO_CONTROL_LEN;
    if (s->local.role == S2SVPN_ROLE_RAW) {
        d->remote.port = 0;
        if (s->local.address.family == S2SVPN_FAMILY_IPV4 && !s2_io_raw_strip(d))
            return false;
    }
    host->counters.trains_in += d->segment != 0;
    host->counters.datagrams_in += s2_io_count(d);
    return true;
}

/* What UDP_GRO does, for sockets without it: a datagram that goes on where the one before
 * it ends becomes part of a train. It costs a copy within the cache, and saves the context
 * and the devices behind it most of what single packets cost. */
static bool join(const s2svpn_host *host, s2svpn_datagram *train, const s2svpn_datagram *d)
{
    const uint32_t segment = train->segment ? train->segment : train->len;
    const size_t piece = (size_t)(train->data - host->buffer) / S2_IO_READ_LEN;
    const uint8_t *end = host->buffer + (piece + 1) * S2_IO_READ_LEN;

    if (d->len == 0 || d->len > segment || train->len % segment != 0 || segment > UINT16_MAX ||
        d->len > (size_t)(end - train->data) - train->len)
        return false;
    if (memcmp(&train->remote, &d->remote, sizeof(d->remote)) != 0 || train->tos != d->tos ||
        train->hop_limit != d->hop_limit)
        return false;
    memmove(train->data + train->len, d->data, d->len);
    train->segment = (uint16_t)segment;
    train->len += d->len;
    return true;
}

/* One batch; how many there are for the context. *idle: the socket had none. */
static size_t read_batch(struct s2_io_socket *s, bool *idle)
{
    s2svpn_host *host = s->host;
    const bool joins = !s->gro && s->local.role != S2SVPN_ROLE_IKE;
    size_t count = 0;
    int n;

    n = recvmmsg(s->fd, host->in.message, host->options.batch, MSG_DONTWAIT, NULL);
    host->counters.reads++;
    *idle = n <= 0;
    for (int i = 0; i < n; i++) {
        s2svpn_datagram *d = &host->datagram[count];

        if (!take_message(s, (size_t)i, d))
            continue;
        if (host->wire)
            host->wire(host->wire_user, d, false, s2svpn_host_now());
        if (joins && count > 0 && join(host, &host->datagram[count - 1], d))
            continue;
        count++;
    }
    return count;
}

/* The poll says "readable" for the error queue too, and goes on to say so until it is
 * empty. The error itself is told but once, to whichever call comes first, so a turn that
 * finds no datagram looks there. */
void s2_io_on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct s2_io_socket *s = arg;
    bool idle;
    size_t n;

    (void)fd;
    (void)what;
    if (s->host->ctx == NULL)
        return;
    n = read_batch(s, &idle);
    if (n > 0 && s->host->ctx)
        s2svpn_receive_outside(s2svpn_context_worker(s->host->ctx, 0), s->host->datagram, n,
                               s2svpn_host_now());
    if (idle || s->errors)
        drain_errors(s);
}

void s2_io_receive_init(s2svpn_host *host)
{
    struct s2_io_batch *b = &host->in;

    for (size_t i = 0; i < host->options.batch; i++) {
        b->piece[i].iov_base = host->buffer + i * S2_IO_READ_LEN;
        b->piece[i].iov_len = S2_IO_READ_LEN;
        b->message[i].msg_hdr = (struct msghdr){.msg_name = &b->name[i],
                                                .msg_namelen = sizeof(b->name[i]),
                                                .msg_iov = &b->piece[i],
                                                .msg_iovlen = 1,
                                                .msg_control = b->control[i],
                                                .msg_controllen = S2_IO_CONTROL_LEN};
    }
}
