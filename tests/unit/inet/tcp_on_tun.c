/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lib/inet's host on a TUN device, for tests/interop/tcp_against_linux.sh: opens one
 * stream, sends a file, writes what comes to another, and says how it ended. No test
 * by itself.
 *
 *   tcp_on_tun DEVICE OURS PEER PORT HOW IN OUT [END]
 *
 * HOW: listen, connect, or both: connect, but the SYN is held back until the peer's is
 * there, so that both open at once (RFC 9293 figure 7).
 * END: first (our FIN behind the last byte of IN; the default), last (the peer's FIN
 * comes first), abort (RST once the first byte has come), keepalive (as last, asking a
 * silent peer every second).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/address.h"
#include "fake_env.h"
#include "inet/host.h"

#define MTU 1500
#define PACKETS_AT_ONCE 64
#define SYN_LEN_MAX 128
#define LINGER (3 * S2_SECOND)       /* our last ACK may have to be sent again */
#define LINGER_FIN (120 * S2_SECOND) /* our FIN has to arrive */

struct program {
    struct s2_fake_env fake;
    struct s2_host *host;
    struct s2_tcp *tcp;
    int fd;
    const char *how, *end;
    uint8_t *text;
    size_t len, sent, received;
    FILE *out;
    bool ready, finished, failed; /* ready: the peer's SYN has come */
    uint64_t until_ns;
    uint8_t syn[SYN_LEN_MAX];
    size_t syn_len;
};

static uint64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * S2_SECOND + (uint64_t)t.tv_nsec;
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* A full device loses the packet, as a wire would. */
static void put(const struct program *m, const uint8_t *p, size_t len)
{
    if (write(m->fd, p, len) < 0 && errno != EAGAIN && errno != ENOBUFS)
        perror("write");
}

static void on_send(void *user, const uint8_t *p, size_t len, uint64_t now_ns)
{
    struct program *m = user;

    (void)now_ns;
    if (is(m->how, "both") && !m->ready && len <= sizeof(m->syn)) {
        memcpy(m->syn, p, len);
        m->syn_len = len;
        return;
    }
    put(m, p, len);
}

static void send_more(struct program *m, uint64_t now_ns)
{
    if (m->tcp && m->sent < m->len)
        m->sent += s2_tcp_send(m->tcp, m->text + m->sent, m->len - m->sent, now_ns);
    if (m->tcp && m->sent == m->len && is(m->end, "first"))
        s2_tcp_close(m->tcp, now_ns);
}

static void on_opened(void *user, struct s2_tcp *tcp, bool passive, uint64_t now_ns)
{
    struct program *m = user;

    printf("opened %s\n", passive ? "passive" : "active");
    m->tcp = tcp;
    if (is(m->end, "keepalive"))
        s2_tcp_keepalive(tcp, S2_SECOND, now_ns);
    send_more(m, now_ns);
}

static void finish(struct program *m, const char *end, uint64_t linger_ns, uint64_t now_ns)
{
    struct s2_host_counters c;

    s2_host_get_counters(m->host, &c);
    printf("closed %s, sent %zu, received %zu, segments %llu out, %llu in, %llu again\n", end,
           m->sent, m->received, (unsigned long long)c.segments_out,
           (unsigned long long)c.segments_in, (unsigned long long)c.retransmitted);
    m->tcp = NULL;
    m->finished = true;
    m->until_ns = s2_after(now_ns, linger_ns);
}

static void on_received(void *user, struct s2_tcp *tcp, const uint8_t *p, size_t len,
                        uint64_t now_ns)
{
    struct program *m = user;

    m->failed = m->failed || fwrite(p, 1, len, m->out) != len;
    m->received += len;
    if (is(m->end, "abort")) {
        s2_tcp_abort(tcp, now_ns);
        finish(m, "ABORT", 0, now_ns);
    }
}

static void on_sendable(void *user, struct s2_tcp *tcp, uint64_t now_ns)
{
    (void)tcp;
    send_more(user, now_ns);
}

static void on_closed(void *user, struct s2_tcp *tcp, enum s2_tcp_end end, uint64_t now_ns)
{
    static const char *const ends[] = {"CLOSED", "RESET", "TIMEOUT", "REFUSED", "PEER_FIN"};

    (void)tcp;
    finish(user, ends[end], end == S2_TCP_PEER_FIN ? LINGER_FIN : LINGER, now_ns);
}

static const struct s2_host_ops ops = {on_send, on_opened, on_received, on_sendable, on_closed};

static bool open_device(struct program *m, const char *name)
{
    struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};

    m->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
    if (m->fd < 0 || ioctl(m->fd, TUNSETIFF, &r) != 0)
        return false;
    usleep(300000); /* until the kernel has seen that the device has a carrier */
    return true;
}

static bool read_file(struct program *m, const char *name)
{
    FILE *in = fopen(name, "rb");
    size_t n, size = 0;

    do {
        if (m->len == size)
            m->text = realloc(m->text, size = size ? 2 * size : 1 << 20);
        n = in && m->text ? fread(m->text + m->len, 1, size - m->len, in) : 0;
        m->len += n;
    } while (n);
    if (in)
        fclose(in);
    return in && m->text;
}

static s2svpn_address address(const char *text)
{
    const bool ipv6 = strchr(text, ':') != NULL;
    uint8_t bytes[16] = {0};

    if (inet_pton(ipv6 ? AF_INET6 : AF_INET, text, bytes) != 1)
        return (s2svpn_address){0};
    return s2_address_from(ipv6 ? S2SVPN_FAMILY_IPV6 : S2SVPN_FAMILY_IPV4, bytes);
}

static void take_packets(struct program *m)
{
    uint8_t packet[MTU + 64];
    ssize_t n;

    for (unsigned i = 0; i < PACKETS_AT_ONCE; i++) {
        n = read(m->fd, packet, sizeof(packet));
        if (n <= 0)
            return;
        const bool is_tcp = packet[0] >> 4 == 6 ? packet[6] == 6 : packet[9] == 6;
        if (is_tcp && !m->ready) {
            m->ready = true;
            if (m->syn_len)
                put(m, m->syn, m->syn_len);
        }
        (void)s2_host_input(m->host, packet, (size_t)n, clock_ns());
    }
}

/* Until the stream has ended and nothing of it is left, or that took too long. */
static void run(struct program *m)
{
    while (!m->finished || (m->fake.live > 1 && clock_ns() < m->until_ns)) {
        const uint64_t now_ns = clock_ns(), next_ns = s2_timers_next(&m->fake.timers);
        struct pollfd p = {.fd = m->fd, .events = POLLIN};
        int wait_ms = 500;

        if (next_ns < now_ns + 500 * S2_MS)
            wait_ms = next_ns > now_ns ? (int)((next_ns - now_ns) / S2_MS) + 1 : 0;
        if (poll(&p, 1, wait_ms) > 0)
            take_packets(m);
        s2_timers_advance(&m->fake.timers, clock_ns(), 100);
    }
}

int main(int argc, char **argv)
{
    static struct program m;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 8) {
        fprintf(stderr, "usage: tcp_on_tun DEVICE OURS PEER PORT HOW IN OUT [END]\n");
        return 2;
    }
    const uint16_t port = (uint16_t)strtoul(argv[4], NULL, 10);
    const struct s2_host_spec spec = {.address = address(argv[2]),
                                      .peer = address(argv[3]),
                                      .mtu = MTU,
                                      .listen_port = is(argv[5], "listen") ? port : 0};
    m.how = argv[5];
    m.end = argc > 8 ? argv[8] : "first";
    m.out = fopen(argv[7], "wb");
    s2_fake_env_init(&m.fake, clock_ns() ^ (uint64_t)getpid());
    if (!open_device(&m, argv[1]) || !m.out || !read_file(&m, argv[6]) ||
        s2_host_new(&m.fake.env, &spec, &ops, &m, &m.host) != S2SVPN_OK) {
        perror("tcp_on_tun");
        return 2;
    }
    if (spec.listen_port == 0) {
        if (s2_tcp_connect(m.host, port, NULL, clock_ns(), &m.tcp) != S2SVPN_OK)
            return 2;
        if (m.tcp)
            printf("port %u\n", s2_tcp_local_port(m.tcp));
    }
    printf("ready\n");
    run(&m);
    s2_host_free(m.host);
    free(m.text);
    close(m.fd);
    m.failed = fclose(m.out) != 0 || m.failed;
    return m.failed ? 1 : 0;
}
