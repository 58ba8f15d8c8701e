/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves through sockets: datagrams and trains in batches. A train goes as one message
 * with UDP_SEGMENT; where that is off, or the kernel refuses one, it is cut into messages
 * here. Nothing is kept: what the kernel doesn't take now is the context's again. */
#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#include "io/driver.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/* A place in the array that is being sent. */
struct place {
    size_t index;  /* of a datagram */
    size_t offset; /* in it: not 0 only where a train is cut */
};

struct run {
    struct s2_io_socket *s;
    const s2svpn_datagram *d;
    size_t n;
    struct place next; /* not yet taken by the kernel */
    size_t cut;        /* the train at this index is cut; SIZE_MAX: none */
    size_t left;       /* pieces of d[next.index] that have left: it was on the wire */
};

/* ---- messages */

static void put_int(struct msghdr *m, struct cmsghdr **c, int level, int type, int value)
{
    (*c)->cmsg_level = level;
    (*c)->cmsg_type = type;
    (*c)->cmsg_len = CMSG_LEN(sizeof(value));
    memcpy(CMSG_DATA(*c), &value, sizeof(value));
    m->msg_controllen += CMSG_SPACE(sizeof(value));
    *c = (struct cmsghdr *)(void *)((char *)*c + CMSG_SPACE(sizeof(value)));
}

static void put_control(const struct s2_io_socket *s, const s2svpn_datagram *d, bool train,
                        char *control, struct msghdr *m)
{
    const bool v6 = s->local.address.family == S2SVPN_FAMILY_IPV6;
    const int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
    struct cmsghdr *c = (struct cmsghdr *)(void *)control;

    m->msg_controllen = 0;
    if (train) {
        c->cmsg_level = SOL_UDP;
        c->cmsg_type = UDP_SEGMENT;
        c->cmsg_len = CMSG_LEN(sizeof(d->segment));
        memcpy(CMSG_DATA(c), &d->segment, sizeof(d->segment));
        m->msg_controllen = CMSG_SPACE(sizeof(d->segment));
        c = (struct cmsghdr *)(void *)(control + m->msg_controllen);
    }
    if (d->tos)
        put_int(m, &c, level, v6 ? IPV6_TCLASS : IP_TOS, d->tos);
    if (d->hop_limit)
        put_int(m, &c, level, v6 ? IPV6_HOPLIMIT : IP_TTL, d->hop_limit);
    m->msg_control = m->msg_controllen ? control : NULL;
}

/* Is the datagram at this index sent as one message? */
static bool is_whole(const struct run *r, size_t index)
{
    return r->d[index].segment == 0 || (r->s->segments && index != r->cut);
}

static size_t piece_len(const struct run *r, struct place at)
{
    const s2svpn_datagram *d = &r->d[at.index];
    const size_t rest = d->len - at.offset;

    return is_whole(r, at.index) || rest < d->segment ? rest : d->segment;
}

static struct place behind(const struct run *r, struct place at)
{
    at.offset += piece_len(r, at);
    if (at.offset >= r->d[at.index].len)
        at = (struct place){at.index + 1, 0};
    return at;
}

/* As many messages as there is room for; all with the same DF bit, which is the socket's. */
static size_t fill(struct run *r)
{
    struct s2_io_batch *b = &r->s->host->out;
    struct place at = r->next;
    size_t count = 0;

    while (at.index < r->n && count < S2_IO_BATCH_MAX &&
           r->d[at.index].dont_fragment == r->s->dont_fragment) {
        const s2svpn_datagram *d = &r->d[at.index];
        struct msghdr *m = &b->message[count].msg_hdr;

        b->piece[count] = (struct iovec){d->data + at.offset, piece_len(r, at)};
        *m = (struct msghdr){
            .msg_name = &b->name[count], .msg_iov = &b->piece[count], .msg_iovlen = 1};
        m->msg_namelen = s2_io_name_write(&d->remote, &b->name[count]);
        put_control(r->s, d, d->segment != 0 && is_whole(r, at.index), b->control[count], m);
        at = behind(r, at);
        count++;
    }
    return count;
}

/* ---- what became of them */

/* One message is done with: sent, or lost. */
static void step(struct run *r, bool sent)
{
    s2svpn_host *host = r->s->host;
    const s2svpn_datagram *d = &r->d[r->next.index];
    const bool whole = is_whole(r, r->next.index);
    const size_t count = whole ? s2_io_count(d) : 1;
    const struct place next = behind(r, r->next);

    if (sent) {
        host->counters.datagrams_out += count;
        host->counters.trains_out += whole && d->segment != 0;
        r->left += count;
    } else {
        host->counters.datagrams_refused += count;
    }
    if (next.index != r->next.index) {
        if (r->left > 0 && host->wire)
            host->wire(host->wire_user, d, true, s2svpn_host_now());
        r->left = 0;
    }
    r->next = next;
}

/* The kernel takes no more. The rest of a train that is on its way counts as lost there:
 * the context would send all of it again, or none. */
static void give_up(struct run *r)
{
    const size_t index = r->next.index;

    event_add(&r->s->writable, NULL);
    while (r->next.offset > 0 && r->next.index == index)
        step(r, false);
}

/* Does it say "no trains", or "not this one" (its segments are longer than the path's
 * MTU, or too many)? */
static bool refuses_train(struct run *r, int reason)
{
    if (r->d[r->next.index].segment == 0 || !is_whole(r, r->next.index))
        return false;
    if (reason == EIO || reason == EOPNOTSUPP || reason == ENOPROTOOPT)
        r->s->segments = false;
    else if (reason == EINVAL || reason == EMSGSIZE)
        r->cut = r->next.index;
    else
        return false;
    return true;
}

/* The call failed with its first message; false: nothing more will go now. */
static bool take_refusal(struct run *r, int reason, struct place *failed)
{
    const bool again = failed->index == r->next.index && failed->offset == r->next.offset;

    *failed = r->next;
    if (reason == EAGAIN || reason == EWOULDBLOCK) {
        give_up(r);
        return false;
    }
    if (refuses_train(r, reason)) {
        failed->index = SIZE_MAX;
        return true;
    }
    /* An error that an earlier packet left behind is told once, and stands in the error
     * queue too. The second time it is about this message, which is then lost as on the
     * way. ENOBUFS (a full queue of the device) has lost it already. */
    if (again || reason == ENOBUFS) {
        step(r, false);
        return true;
    }
    r->s->errors = true;
    return true;
}

/* The datagrams of one socket; how many were taken. */
static size_t send_run(struct s2_io_socket *s, const s2svpn_datagram *d, size_t n)
{
    struct run r = {.s = s, .d = d, .n = n, .cut = SIZE_MAX};
    struct place failed = {SIZE_MAX, 0};

    while (r.next.index < n) {
        size_t count;
        int sent;

        if (d[r.next.index].dont_fragment != s->dont_fragment)
            s2_io_socket_set_df(s, d[r.next.index].dont_fragment);
        count = fill(&r);
        sent = sendmmsg(s->fd, s->host->out.message, (unsigned)count, MSG_DONTWAIT);
        s->host->counters.writes++;
        for (int i = 0; i < sent; i++)
            step(&r, true);
        if (sent < 0 && !take_refusal(&r, errno, &failed))
            break;
    }
    return r.next.index;
}

/* ---- the seam */

static struct s2_io_socket *socket_of(s2svpn_host *host, const s2svpn_endpoint *local)
{
    for (size_t i = 0; i < host->socket_count; i++) {
        const s2svpn_endpoint *e = &host->socket[i].local;

        if (e->role == local->role && e->port == local->port &&
            memcmp(&e->address, &local->address, sizeof(e->address)) == 0)
            return &host->socket[i];
    }
    return NULL;
}

static size_t run_length(const s2svpn_datagram *d, size_t n)
{
    size_t run = 1;

    while (run < n && memcmp(&d[run].local, &d[0].local, sizeof(d[0].local)) == 0)
        run++;
    return run;
}

size_t s2_io_send_outside(void *io, s2svpn_worker *worker, const s2svpn_datagram *d, size_t n)
{
    s2svpn_host *host = io;
    size_t i = 0;

    (void)worker;
    while (i < n) {
        const size_t run = run_length(d + i, n - i);
        struct s2_io_socket *s = socket_of(host, &d[i].local);
        size_t taken = run;

        if (s)
            taken = send_run(s, d + i, run);
        else /* an endpoint that isn't ours: nothing to wait for */
            for (size_t k = 0; k < run; k++)
                host->counters.datagrams_refused += s2_io_count(&d[i + k]);
        i += taken;
        if (taken < run)
            break;
    }
    return i;
}

void s2_io_on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct s2_io_socket *s = arg;

    (void)fd;
    (void)what;
    if (s->host->ctx)
        s2svpn_writable(s->host->ctx, s2svpn_host_now());
}
