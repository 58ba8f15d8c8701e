/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds a BGP speaker a table of its own making: one eBGP session, count IPv4 prefixes,
 * End-of-RIB, then keepalives until it is ended. Repeatable: a number's own sequence makes
 * the table. Five to ten prefixes share an attribute set and an UPDATE, paths are three to
 * six ASNs long, half of the sets carry communities, a fifth a MED.
 * usage: bgp_feed PEER_ADDRESS PORT OUR_ADDRESS OUR_ASN COUNT
 * Prints "begun SECONDS" (of CLOCK_MONOTONIC) at the first UPDATE, "sent SECONDS" behind
 * the last. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEADER 19
#define MESSAGE_MAX 4096
#define OPEN 1
#define UPDATE 2
#define KEEPALIVE 4
#define OUT_MAX 65536

static uint64_t sequence = 0x9e3779b97f4a7c15u;

static uint32_t dice(uint32_t sides)
{
    sequence = sequence * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(sequence >> 33) % sides;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint32_t number(const char *text)
{
    char *end;
    const unsigned long v = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != 0 || v > UINT32_MAX) {
        fprintf(stderr, "bgp_feed: %s: a number is needed\n", text);
        exit(2);
    }
    return (uint32_t)v;
}

struct message {
    uint8_t bytes[MESSAGE_MAX];
    size_t len;
};

static void put(struct message *m, uint64_t v, unsigned bytes)
{
    while (bytes-- > 0)
        m->bytes[m->len++] = (uint8_t)(v >> (8 * bytes));
}

static void begin(struct message *m, uint8_t type)
{
    memset(m->bytes, 0xff, 16);
    m->len = 18;
    put(m, type, 1);
}

static void end(struct message *m)
{
    m->bytes[16] = (uint8_t)(m->len >> 8);
    m->bytes[17] = (uint8_t)m->len;
}

static void make_open(struct message *m, uint32_t asn, uint32_t id)
{
    begin(m, OPEN);
    put(m, 4, 1);
    put(m, asn <= UINT16_MAX ? asn : 23456, 2);
    put(m, 90, 2); /* hold time */
    put(m, id, 4);
    put(m, 14, 1);             /* parameters */
    put(m, 0x020c, 2);         /* capabilities */
    put(m, 0x010400010001, 6); /* IPv4 unicast */
    put(m, 0x4104, 2);         /* four-octet AS */
    put(m, asn, 4);
    end(m);
}

static void make_attributes(struct message *m, uint32_t asn, uint32_t next_hop)
{
    const uint32_t hops = 3 + dice(4), communities = dice(2) ? 1 + dice(5) : 0;

    put(m, 0x400101, 3);
    put(m, dice(8) == 0 ? 2 : 0, 1); /* origin */
    put(m, 0x4002, 2);
    put(m, 2 + 4 * hops, 1);
    put(m, 2, 1);
    put(m, hops, 1);
    put(m, asn, 4);
    for (uint32_t i = 1; i < hops; i++)
        put(m, 1000 + dice(60000), 4);
    put(m, 0x400304, 3);
    put(m, next_hop, 4);
    if (dice(5) == 0) {
        put(m, 0x800404, 3);
        put(m, dice(1000), 4);
    }
    if (communities == 0)
        return;
    put(m, 0xc008, 2);
    put(m, 4 * communities, 1);
    for (uint32_t i = 0; i < communities; i++)
        put(m, dice(UINT32_MAX), 4);
}

/* The next UPDATE, with prefixes /24 from 16.0.0.0 upwards; returns how many. */
static uint32_t make_update(struct message *m, uint32_t first, uint32_t left, uint32_t asn,
                            uint32_t next_hop)
{
    const uint32_t wanted = 5 + dice(6), n = wanted < left ? wanted : left;
    size_t at;

    begin(m, UPDATE);
    put(m, 0, 2);
    put(m, 0, 2);
    at = m->len;
    make_attributes(m, asn, next_hop);
    m->bytes[at - 2] = (uint8_t)((m->len - at) >> 8);
    m->bytes[at - 1] = (uint8_t)(m->len - at);
    for (uint32_t i = 0; i < n; i++) {
        put(m, 24, 1);
        put(m, 0x100000 + first + i, 3);
    }
    end(m);
    return n;
}

static void send_all(int s, const uint8_t *p, size_t len)
{
    while (len > 0) {
        const ssize_t n = write(s, p, len);

        if (n <= 0)
            die("write");
        p += n;
        len -= (size_t)n;
    }
}

/* Wait for a message of this type; all others are passed over. */
static void expect(int s, uint8_t type)
{
    uint8_t m[MESSAGE_MAX];
    size_t have = 0, want = HEADER;

    for (;;) {
        const ssize_t n = read(s, m + have, want - have);

        if (n <= 0)
            die("the peer closed");
        have += (size_t)n;
        if (have == HEADER)
            want = (size_t)m[16] << 8 | m[17];
        if (have < want || want < HEADER || want > sizeof(m))
            continue;
        if (m[18] == type)
            return;
        if (m[18] == 3)
            fprintf(stderr, "bgp_feed: notification %d/%d\n", m[19], m[20]);
        have = 0;
        want = HEADER;
    }
}

static void feed(int s, uint32_t count, uint32_t asn, uint32_t next_hop)
{
    static uint8_t out[OUT_MAX];
    struct message m;
    size_t len = 0;

    for (uint32_t at = 0; at < count;) {
        at += make_update(&m, at, count - at, asn, next_hop);
        if (len + m.len > sizeof(out)) {
            send_all(s, out, len);
            len = 0;
        }
        memcpy(out + len, m.bytes, m.len);
        len += m.len;
    }
    begin(&m, UPDATE); /* End-of-RIB */
    put(&m, 0, 4);
    end(&m);
    send_all(s, out, len);
    send_all(s, m.bytes, m.len);
}

static int connect_from(const char *from, const char *to, uint16_t port)
{
    struct sockaddr_in here = {.sin_family = AF_INET}, there = {.sin_family = AF_INET};
    const int s = socket(AF_INET, SOCK_STREAM, 0);

    there.sin_port = htons(port);
    if (inet_pton(AF_INET, from, &here.sin_addr) != 1 ||
        inet_pton(AF_INET, to, &there.sin_addr) != 1)
        die("an address");
    if (s < 0 || bind(s, (void *)&here, sizeof(here)) != 0 ||
        connect(s, (void *)&there, sizeof(there)) != 0)
        die("connect");
    return s;
}

int main(int argc, char **argv)
{
    struct message m;

    if (argc != 6) {
        fprintf(stderr, "usage: bgp_feed PEER_ADDRESS PORT OUR_ADDRESS OUR_ASN COUNT\n");
        return 2;
    }
    const uint32_t asn = number(argv[4]), count = number(argv[5]);
    const uint32_t address = ntohl(inet_addr(argv[3]));
    const int s = connect_from(argv[3], argv[1], (uint16_t)number(argv[2]));

    make_open(&m, asn, address);
    send_all(s, m.bytes, m.len);
    expect(s, OPEN);
    begin(&m, KEEPALIVE);
    end(&m);
    send_all(s, m.bytes, m.len);
    expect(s, KEEPALIVE);
    printf("begun %.6f\n", now());
    fflush(stdout);
    feed(s, count, asn, address);
    printf("sent %.6f\n", now());
    fflush(stdout);
    for (;;) { /* what the peer sends isn't read: it has nothing that we need */
        struct pollfd p = {s, 0, 0};

        if (poll(&p, 1, 10000) != 0)
            return 0;
        begin(&m, KEEPALIVE);
        end(&m);
        send_all(s, m.bytes, m.len);
    }
}
