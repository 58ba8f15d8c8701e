/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small packets as fast as the way bears them without loss: UDP datagrams, at most a
 * window of them under way; the sink answers every few with how many have come, as TCP
 * does. So sender and way share the processors, and no way starves for having to drop
 * what nobody asked for. Many leave in one system call, but each alone, never as a train.
 *
 *     sink    receives until it is killed; says "ready"
 *     source  sends for some seconds; prints "packets DELIVERED" and "seconds WALL"
 *
 * usage: bench_packets sink ADDRESS
 *        bench_packets source FROM TO SECONDS
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT 5202
#define PAYLOAD 64
#define WINDOW 256 /* under way; less than a TUN device's queue of 500 holds */
#define BATCH 32
#define ACKNOWLEDGE 32
#define LOST_MS 50 /* nothing comes for so long: what was under way is lost */

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench_packets: %s\n", what);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct sockaddr_in name_of(const char *address, uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

    must(inet_pton(AF_INET, address, &a.sin_addr) == 1, "an address is wrong");
    return a;
}

static int open_socket(const char *address, uint16_t port)
{
    const struct sockaddr_in a = name_of(address, port);
    const int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 4 << 20;

    must(fd >= 0 && bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0, "no socket");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    return fd;
}

/* The arrays of one call, all of them over the same memory. */
struct batch {
    struct mmsghdr message[BATCH];
    struct iovec piece[BATCH];
    uint8_t data[BATCH][PAYLOAD];
};

static void init_batch(struct batch *b)
{
    memset(b, 0, sizeof(*b));
    for (size_t i = 0; i < BATCH; i++) {
        b->piece[i] = (struct iovec){b->data[i], PAYLOAD};
        b->message[i].msg_hdr.msg_iov = &b->piece[i];
        b->message[i].msg_hdr.msg_iovlen = 1;
    }
}

/* Every datagram carries how many were sent before it; the answer says the highest that
 * came, and how many came. */
struct answer {
    uint64_t highest, count;
};

static void sink(const char *address)
{
    static struct batch b;
    const int fd = open_socket(address, PORT);
    struct answer a = {0};
    uint64_t answered = 0;
    struct sockaddr_in from;

    init_batch(&b);
    puts("ready");
    fflush(stdout);
    for (;;) {
        int n;

        b.message[0].msg_hdr.msg_name = &from;
        b.message[0].msg_hdr.msg_namelen = sizeof(from);
        n = recvmmsg(fd, b.message, BATCH, MSG_WAITFORONE, NULL);
        for (int i = 0; i < n; i++) {
            uint64_t number;

            memcpy(&number, b.data[i], sizeof(number));
            if (number == 0) { /* a new source */
                memset(&a, 0, sizeof(a));
                answered = 0;
            }
            a.highest = number + 1 > a.highest ? number + 1 : a.highest;
            a.count++;
        }
        if (a.count - answered < ACKNOWLEDGE && a.highest % WINDOW != 0)
            continue;
        answered = a.count;
        /* An answer that is lost is made good by the next one. */
        if (sendto(fd, &a, sizeof(a), MSG_DONTWAIT, (struct sockaddr *)&from, sizeof(from)) < 0)
            continue;
    }
}

static uint64_t send_some(int fd, struct batch *b, uint64_t sent, uint64_t room)
{
    const unsigned want = room < BATCH ? (unsigned)room : BATCH;
    int n;

    for (unsigned i = 0; i < want; i++) {
        const uint64_t number = sent + i;

        memcpy(b->data[i], &number, sizeof(number));
    }
    n = sendmmsg(fd, b->message, want, 0);
    return n > 0 ? (uint64_t)n : 0;
}

static void source(const char *from, const char *to, unsigned seconds)
{
    static struct batch b;
    const int fd = open_socket(from, 0);
    const struct sockaddr_in remote = name_of(to, PORT);
    const uint64_t begin = now_ns(), end = begin + seconds * 1000000000ull;
    struct answer a = {0};
    uint64_t sent = 0, done = 0; /* done: arrived or given up */

    must(connect(fd, (const struct sockaddr *)&remote, sizeof(remote)) == 0, "no way there");
    init_batch(&b);
    while (now_ns() < end) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        const bool full = sent - done >= WINDOW;
        struct answer got;

        if (!full)
            sent += send_some(fd, &b, sent, WINDOW - (sent - done));
        if (full && poll(&ready, 1, LOST_MS) == 0)
            done = sent;
        while (recv(fd, &got, sizeof(got), MSG_DONTWAIT) == (ssize_t)sizeof(got))
            a = got;
        done = a.highest > done && a.highest <= sent ? a.highest : done;
    }
    printf("packets %llu\n", (unsigned long long)a.count);
    printf("lost %llu\n", (unsigned long long)(a.highest - a.count));
    printf("seconds %.3f\n", (double)(now_ns() - begin) / 1e9);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "sink") == 0)
        sink(argv[2]);
    must(argc == 5 && strcmp(argv[1], "source") == 0,
         "usage: sink ADDRESS | source FROM TO SECONDS");
    source(argv[2], argv[3], (unsigned)strtoul(argv[4], NULL, 10));
    return 0;
}
