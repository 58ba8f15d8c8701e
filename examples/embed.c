/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest complete host: a device on two UDP sockets and poll(), no libevent.
 * usage: embed LOCAL_ADDRESS <CONFIG.xml */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <s2svpn/s2svpn.h>

static struct pollfd fds[2]; /* ports of IKE and of NAT traversal */
static s2svpn_endpoint local[2] = {{.port = 500, .role = 1}, {.port = 4500, .role = 2}};
static uint64_t deadline_ns;

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
static size_t outside(void *io, s2svpn_worker *w, const s2svpn_datagram *d, size_t n)
{
    for (size_t i = 0; i < n; i++) { /* a train goes out one by one */
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(d[i].remote.port)};
        uint32_t step = d[i].segment ? d[i].segment : d[i].len;
        memcpy(&to.sin_addr, d[i].remote.address.bytes, 4);
        for (uint32_t at = 0, left; (left = d[i].len - at) > 0; at += left < step ? left : step)
            sendto(fds[d[i].local.role - 1].fd, d[i].data + at, left < step ? left : step, 0,
                   (void *)&to, sizeof(to));
    }
    return (void)io, (void)w, n;
}
static size_t inside(void *io, s2svpn_worker *w, uint32_t port, const s2svpn_packet *p, size_t n)
{
    printf("port %u: %u bytes\n", port, p->len); /* a host of yours has a use for them */
    return (void)io, (void)w, n;
}
static void set_deadline(void *io, uint64_t at_ns)
{
    deadline_ns = ((void)io, at_ns);
}
static void show(void *user, s2svpn_log_level level, const char *line)
{
    ((void)user, (void)level, fprintf(stderr, "%s\n", line));
}
static const s2svpn_io_ops ops = {sizeof(ops), outside, inside, set_deadline, NULL, 0};

int main(int argc, char **argv)
{
    static uint8_t buf[65536];
    s2svpn_options o = {sizeof(o), .role = S2SVPN_ROLE_DEVICE, .io_ops = &ops, .now_ns = now()};
    s2svpn_context *ctx;
    s2svpn_device_config *config;
    s2svpn_connection *conn;
    s2svpn_error why = {0};
    for (int i = 0; argc == 2 && i < 2; i++) {
        struct sockaddr_in a = {AF_INET, htons(local[i].port), {inet_addr(argv[1])}, {0}};
        fds[i] = (struct pollfd){socket(AF_INET, SOCK_DGRAM, 0), POLLIN, 0};
        if (!s2svpn_address_read(argv[1], &local[i].address) || bind(fds[i].fd, (void *)&a, 16))
            return perror("bind"), 1;
    }
    o.local = local, o.local_count = 2, o.log = show, o.log_level = S2SVPN_LOG_INFO;
    if (s2svpn_config_read((char *)buf, fread(buf, 1, 65536, stdin), &config, &why) ||
        s2svpn_context_new(&o, &ctx, &why) || s2svpn_device_open(ctx, config, NULL, &conn) ||
        s2svpn_connection_start(conn))
        return fprintf(stderr, "%s: %s\n", why.field, why.message), 1;
    for (;; s2svpn_advance(ctx, now())) {
        uint64_t t = now(), ms = deadline_ns > t ? (deadline_ns - t) / 1000000 + 1 : 0;
        poll(fds, 2, ms > 60000 ? 60000 : (int)ms);
        for (int i = 0; i < 2; i++) {
            struct sockaddr_in a;
            s2svpn_datagram d = {.local = local[i], .remote.address.family = 4, .data = buf};
            ssize_t n = recvfrom(fds[i].fd, buf, 65536, MSG_DONTWAIT, (void *)&a, &(socklen_t){16});
            memcpy(d.remote.address.bytes, &a.sin_addr, 4);
            d.remote.port = ntohs(a.sin_port), d.len = (uint32_t)n;
            s2svpn_receive_outside(s2svpn_context_worker(ctx, 0), &d, n > 0, now());
        }
    }
}
