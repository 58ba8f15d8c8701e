/* SPDX-License-Identifier: Apache-2.0 */
/* TUN devices as ports. Every packet carries a virtio_net_hdr (virtio 1.2 section 5.1.6),
 * so that one read or write moves a superpacket. What a device gives is switched by
 * TUNSETOFFLOAD; it takes superpackets in any case, as its header says what they are. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "io/driver.h"

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

#define HEADER_LEN sizeof(struct virtio_net_hdr)
#define UDP_HEADER_LEN 8
#define TCP_HEADER_LEN 20
#define TCP_OFFSET 12           /* of the byte with the header's length */
#define TURN_BYTES (256 * 1024) /* read before the context gets them: what a cache holds */

/* ---- from the kernel */

/* Linux's hdr_len is how much of the packet lies in one piece, which may be more than its
 * headers; it is worked out from the start of the transport header. */
static bool set_header_len(s2svpn_packet *p)
{
    const size_t start = p->csum_start;
    size_t len = UDP_HEADER_LEN;

    if (p->gso_type != S2SVPN_GSO_UDP_L4) {
        if (start + TCP_HEADER_LEN > p->len)
            return false;
        len = (size_t)(p->data[start + TCP_OFFSET] >> 4) * 4;
    }
    if (start + len >= p->len)
        return false;
    p->hdr_len = (uint16_t)(start + len);
    return true;
}

static bool take_header(const struct virtio_net_hdr *h, s2svpn_packet *p)
{
    const uint8_t type = h->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;

    p->needs_checksum = (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0;
    p->csum_start = h->csum_start;
    p->csum_offset = h->csum_offset;
    if (type == VIRTIO_NET_HDR_GSO_NONE)
        return true;
    if (type != S2SVPN_GSO_TCPV4 && type != S2SVPN_GSO_TCPV6 && type != S2SVPN_GSO_UDP_L4)
        return false;
    p->gso_type = type;
    p->gso_size = h->gso_size;
    p->hdr_len = h->hdr_len;
    return !p->needs_checksum || set_header_len(p);
}

/* The device was deleted: the descriptor stays "readable" for ever, so it goes at once. */
static void lose(struct s2_io_tun *t)
{
    s2svpn_host *host = t->host;
    const s2svpn_port_id port = t->port;
    char name[S2_IO_NAME_LEN];

    memcpy(name, t->name, sizeof(name));
    s2_io_tun_close(t);
    if (host->gone)
        host->gone(host->gone_user, port, name);
}

static bool is_gone(int reason)
{
    return reason == EBADFD || reason == ENODEV || reason == EBADF || reason == EFAULT;
}

/* One batch: how many packets. */
static size_t read_batch(struct s2_io_tun *t, bool *gone)
{
    s2svpn_host *host = t->host;
    size_t n = 0, bytes = 0;

    *gone = false;
    while (n < host->options.batch && bytes < TURN_BYTES) {
        uint8_t *buffer = host->buffer + n * S2_IO_READ_LEN;
        s2svpn_packet *p = &host->packet[n];
        struct virtio_net_hdr h;
        const ssize_t len = read(t->fd, buffer, S2_IO_READ_LEN);

        host->counters.reads++;
        if (len < 0) {
            *gone = is_gone(errno);
            break;
        }
        if (len <= (ssize_t)HEADER_LEN)
            break;
        memset(p, 0, sizeof(*p));
        p->data = buffer + HEADER_LEN;
        p->len = (uint32_t)len - (uint32_t)HEADER_LEN;
        memcpy(&h, buffer, HEADER_LEN);
        if (!take_header(&h, p)) {
            host->counters.packets_refused++;
            continue;
        }
        host->counters.packets_in++;
        host->counters.superpackets_in += p->gso_type != S2SVPN_GSO_NONE;
        bytes += p->len;
        n++;
    }
    return n;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct s2_io_tun *t = arg;
    s2svpn_host *host = t->host;
    bool gone;
    size_t n;

    (void)fd;
    (void)what;
    if (host->ctx == NULL)
        return;
    n = read_batch(t, &gone);
    if (n > 0)
        s2svpn_receive_inside(s2svpn_context_worker(host->ctx, 0), t->port, host->packet, n,
                              s2svpn_host_now());
    if (gone && t->host)
        lose(t);
}

/* ---- to the kernel */

static void put_header(const s2svpn_packet *p, struct virtio_net_hdr *h)
{
    memset(h, 0, sizeof(*h));
    h->gso_type = p->gso_type;
    if (p->needs_checksum) {
        h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        h->csum_start = p->csum_start;
        h->csum_offset = p->csum_offset;
    }
    if (p->gso_type != S2SVPN_GSO_NONE) {
        h->hdr_len = p->hdr_len;
        h->gso_size = p->gso_size;
    }
}

/* A device that is gone is taken away when the loop comes to it: here we are inside the
 * context's call. */
size_t s2_io_tun_write(struct s2_io_tun *t, const s2svpn_packet *p, size_t n)
{
    s2svpn_host *host = t->host;

    for (size_t i = 0; i < n; i++) {
        struct virtio_net_hdr h;
        struct iovec piece[2] = {{&h, HEADER_LEN}, {p[i].data, p[i].len}};

        put_header(&p[i], &h);
        host->counters.writes++;
        if (writev(t->fd, piece, 2) < 0) {
            if (errno == EAGAIN)
                return i;
            host->counters.packets_refused++;
            continue;
        }
        host->counters.packets_out++;
        host->counters.superpackets_out += p[i].gso_type != S2SVPN_GSO_NONE;
    }
    return n;
}

/* ---- opening */

static bool set_mtu(const char *name, uint16_t mtu)
{
    struct ifreq r;
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int reason;

    if (fd < 0)
        return false;
    memset(&r, 0, sizeof(r));
    snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
    r.ifr_mtu = mtu;
    reason = ioctl(fd, SIOCSIFMTU, &r) == 0 ? 0 : errno;
    close(fd);
    errno = reason;
    return reason == 0;
}

/* UDP superpackets came with Linux 6.2, and only for both families at once. */
static void set_offload(int fd)
{
    const unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;

    if (ioctl(fd, TUNSETOFFLOAD, tcp | TUN_F_USO4 | TUN_F_USO6) != 0)
        ioctl(fd, TUNSETOFFLOAD, tcp); /* refused: single packets then */
}

/* -1 and errno. name has room for S2_IO_NAME_LEN and becomes the actual one. */
static int open_device(const s2svpn_host *host, char *name)
{
    const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    struct ifreq r;
    int len = HEADER_LEN;

    if (fd < 0)
        return -1;
    memset(&r, 0, sizeof(r));
    memcpy(r.ifr_name, name, S2_IO_NAME_LEN);
    r.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
    if (ioctl(fd, TUNSETIFF, &r) != 0 || ioctl(fd, TUNSETVNETHDRSZ, &len) != 0) {
        const int reason = errno;

        close(fd);
        errno = reason;
        return -1;
    }
    memcpy(name, r.ifr_name, S2_IO_NAME_LEN);
    if (!host->options.no_tun_offload)
        set_offload(fd);
    return fd;
}

static s2svpn_status find_place(s2svpn_host *host, s2svpn_port_id port, struct s2_io_tun **out,
                                s2svpn_error *why)
{
    *out = NULL;
    for (size_t i = 0; i < S2_IO_TUNS_MAX; i++) {
        struct s2_io_tun *t = &host->tun[i];

        if (t->host && t->port == port)
            return s2_io_error(why, S2SVPN_E_EXISTS, "port", "it has the device %s", t->name);
        if (t->host == NULL && *out == NULL)
            *out = t;
    }
    if (*out == NULL)
        return s2_io_error(why, S2SVPN_E_LIMIT, "port", "at most %d devices", S2_IO_TUNS_MAX);
    return S2SVPN_OK;
}

s2svpn_status s2svpn_host_add_tun(s2svpn_host *host, s2svpn_port_id port, const char *name,
                                  uint16_t mtu, char *actual, s2svpn_error *why)
{
    struct s2_io_tun *t;
    char wanted[S2_IO_NAME_LEN] = "";
    s2svpn_status rc;
    int fd;

    if (port == 0)
        return s2_io_error(why, S2SVPN_E_ARGUMENT, "port", "0 is no port");
    if (name && strlen(name) >= sizeof(wanted))
        return s2_io_error(why, S2SVPN_E_ARGUMENT, "name", "at most %d bytes", S2_IO_NAME_LEN - 1);
    rc = find_place(host, port, &t, why);
    if (rc != S2SVPN_OK)
        return rc;
    snprintf(wanted, sizeof(wanted), "%s", name ? name : "");
    fd = open_device(host, wanted);
    if (fd < 0)
        return s2_io_error(why, S2SVPN_E_SYSTEM, "name", "TUN device: %s", strerror(errno));
    if (mtu && !set_mtu(wanted, mtu)) {
        rc = s2_io_error(why, S2SVPN_E_SYSTEM, "mtu", "TUN device's MTU: %s", strerror(errno));
        close(fd);
        return rc;
    }
    t->host = host;
    t->fd = fd;
    t->port = port;
    memcpy(t->name, wanted, sizeof(wanted));
    event_assign(&t->readable, host->base, fd, EV_READ | EV_PERSIST, on_readable, t);
    s2_io_tun_listen(t, host->ctx != NULL);
    if (actual)
        memcpy(actual, wanted, sizeof(wanted));
    return S2SVPN_OK;
}

void s2_io_tun_listen(struct s2_io_tun *t, bool on)
{
    if (on)
        event_add(&t->readable, NULL);
    else
        event_del(&t->readable);
}

void s2_io_tun_close(struct s2_io_tun *t)
{
    event_del(&t->readable);
    close(t->fd);
    t->host = NULL;
}
