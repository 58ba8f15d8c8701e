/* SPDX-License-Identifier: Apache-2.0 */
/* Joining segments: the superpacket is right, cutting it gives the same packets
 * again, and whatever differs is left apart. */
#include "inet/inet.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "harness.h"
#include "packet.h"

#define BUFFER 200000
#define PACKETS 400

static uint8_t buffer[BUFFER], original[BUFFER], data[PACKET_ROOM];
/* Where packet i of a run begins, in buffer and in original alike. */
static size_t start[PACKETS + 1];
static size_t packets;

static void begin_run(void)
{
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 29 + i / 256);
    packets = 0;
    start[0] = 0;
}

static void add_packet(const struct s2_packet *k)
{
    static uint8_t p[PACKET_ROOM];
    const size_t len = s2_write_packet(p, k);

    if (packets == PACKETS || start[packets] + len > BUFFER)
        CU_FAIL_FATAL("the run is too long");
    memcpy(original + start[packets], p, len);
    start[packets + 1] = start[packets] + len;
    packets++;
}

/* A superpacket as its receiver would complete it: is it a right packet? */
static bool is_right(const struct s2_inet_super *s)
{
    static uint8_t p[PACKET_ROOM];

    memcpy(p, s->p, s->len);
    if (s->needs_checksum)
        s2_put_u16(
            p + s->csum_start + s->csum_offset,
            s2_checksum_finish(s2_checksum_add(0, p + s->csum_start, s->len - s->csum_start)));
    return s2_check_packet(p, s->len);
}

/* Cut s and compare with the originals from packet number first on. */
static bool cuts_into(const struct s2_inet_super *s, size_t first)
{
    uint8_t header[S2_INET_HEADER_MAX];
    struct s2_inet_cut c;
    s2svpn_span payload;
    size_t header_len, i = first;

    if (!s2_inet_cut_begin(&c, s))
        return false;
    while (s2_inet_cut_next(&c, header, &header_len, &payload)) {
        const uint8_t *expected = original + start[i];

        if (i >= packets || header_len + payload.len != start[i + 1] - start[i])
            return false;
        if (memcmp(expected, header, header_len) != 0 ||
            memcmp(expected + header_len, payload.p, payload.len) != 0)
            return false;
        i++;
    }
    return i == first + s->segments;
}

/* Join the run greedily, as a worker would, and check every superpacket. Returns
 * their number, or 0 if something was wrong. */
static size_t join_run(void)
{
    size_t supers = 0, i = 0;

    memcpy(buffer, original, start[packets]);
    while (i < packets) {
        const size_t first = i;
        struct s2_inet_view v = s2_must_view(buffer + start[i], start[i + 1] - start[i]);
        struct s2_inet_super s;

        s2_inet_join_begin(&s, buffer + start[i], &v);
        for (i++; i < packets; i++) {
            v = s2_must_view(buffer + start[i], start[i + 1] - start[i]);
            if (!s2_inet_join_append(&s, buffer + start[i], &v))
                break;
        }
        s2_inet_join_end(&s);
        if (s.segments != i - first || s.len > 65535 || !is_right(&s) || !cuts_into(&s, first))
            return 0;
        if ((s.segments > 1) != (s.gso_type != S2_GSO_NONE) || s.needs_checksum != (s.segments > 1))
            return 0;
        supers++;
    }
    return supers;
}

static const uint8_t timestamps[12] = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};

/* Segment number i of a flow: 1000 bytes each. */
static struct s2_packet part(uint8_t version, size_t i)
{
    return (struct s2_packet){.version = version,
                              .id = (uint16_t)(65530 + i),
                              .from_port = 5001,
                              .to_port = 40000,
                              .seq = (uint32_t)(4294965000u + i * 1000),
                              .ack = 77,
                              .window = 501,
                              .tcp_options = {timestamps, 12},
                              .payload = {data + i * 1000, 1000}};
}

static void segments_of_a_flow_become_one_superpacket(void)
{
    for (uint8_t version = 4; version <= 6; version += 2) {
        begin_run();
        for (size_t i = 0; i < 40; i++) {
            struct s2_packet k = part(version, i);

            if (i == 39) { /* the last: shorter, and pushed */
                k.payload.len = 333;
                k.flags = ACK | PSH;
            }
            add_packet(&k);
        }
        CU_ASSERT_EQUAL(join_run(), 1);

        struct s2_inet_view v = s2_must_view(original, start[1]);
        struct s2_inet_super s;
        memcpy(buffer, original, start[packets]);
        s2_inet_join_begin(&s, buffer, &v);
        for (size_t i = 1; i < packets; i++) {
            v = s2_must_view(buffer + start[i], start[i + 1] - start[i]);
            CU_ASSERT_TRUE(s2_inet_join_append(&s, buffer + start[i], &v));
        }
        s2_inet_join_end(&s);
        CU_ASSERT_EQUAL(s.gso_type, version == 4 ? S2_GSO_TCPV4 : S2_GSO_TCPV6);
        CU_ASSERT_EQUAL(s.gso_size, 1000);
        CU_ASSERT_EQUAL(s.hdr_len, (version == 4 ? 20 : 40) + 32);
        CU_ASSERT_EQUAL(s.csum_start, version == 4 ? 20 : 40);
        CU_ASSERT_EQUAL(s.csum_offset, 16);
        CU_ASSERT_EQUAL(s.len, s.hdr_len + 39 * 1000 + 333U);
        CU_ASSERT_EQUAL(memcmp(s.p + s.hdr_len, data, 39333), 0);
        CU_ASSERT_EQUAL(s.p[s.csum_start + 13], ACK | PSH);
    }
}

static void the_superpacket_stays_below_64_kib(void)
{
    begin_run();
    for (size_t i = 0; i < 69; i++) {
        struct s2_packet k = part(4, i);

        k.tcp_options.len = 0;
        add_packet(&k);
    }
    CU_ASSERT_EQUAL(join_run(), 2);           /* 65 parts of 1000 and a header of 40, then 4 */
    for (size_t more = 0; more < 2; more++) { /* exactly 65535 bytes, then one more */
        begin_run();
        for (size_t i = 0; i < 2; i++) {
            struct s2_packet k = part(4, 0);

            k.tcp_options.len = 0;
            k.id = (uint16_t)i;
            k.seq = (uint32_t)(i * 40000);
            k.payload.len = i == 0 ? 40000 : 25495 + more;
            add_packet(&k);
        }
        CU_ASSERT_EQUAL(join_run(), 1 + more);
    }
}

static void a_packet_alone_stays_as_it_was(void)
{
    for (uint8_t version = 4; version <= 6; version += 2) {
        struct s2_inet_super s;
        const struct s2_packet k = part(version, 0);

        begin_run();
        add_packet(&k);
        CU_ASSERT_EQUAL(join_run(), 1);
        memcpy(buffer, original, start[1]);
        const struct s2_inet_view v = s2_must_view(buffer, start[1] + 50); /* padding behind */
        s2_inet_join_begin(&s, buffer, &v);
        s2_inet_join_end(&s);
        CU_ASSERT_EQUAL(s.len, start[1]);
        CU_ASSERT_EQUAL(s.gso_type, S2_GSO_NONE);
        CU_ASSERT_FALSE(s.needs_checksum);
        CU_ASSERT_EQUAL(memcmp(s.p, original, start[1]), 0);
    }
}

enum change {
    PORT,
    OTHER_WAY,
    SEQ,
    ACK_NUMBER,
    WINDOW,
    URGENT,
    OPTION_BYTES,
    OPTION_LENGTH,
    TOS,
    TTL,
    DONT_FRAGMENT,
    ID,
    LONGER,
    EMPTY,
    FLAG_FIN,
    FLAG_SYN,
    FLAG_RST,
    FLAG_URG,
    FLAG_ECE,
    FLAG_CWR,
    NO_ACK,
    PROTOCOL,
    FAMILY,
    FRAGMENT,
    CHANGES
};
static const char *const change_names[CHANGES] = {
    "port",
    "other way",
    "sequence number",
    "acknowledgement",
    "window",
    "urgent pointer",
    "option byte",
    "option length",
    "TOS",
    "TTL",
    "DF",
    "identification",
    "longer",
    "empty",
    "FIN",
    "SYN",
    "RST",
    "URG",
    "ECE",
    "CWR",
    "no ACK",
    "protocol",
    "family",
    "fragment",
};

static void apply(struct s2_packet *k, enum change change)
{
    static const uint8_t other[12] = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 9};

    switch (change) {
    case PORT:
        k->to_port++;
        break;
    case OTHER_WAY:
        k->swapped = true;
        break;
    case SEQ:
        k->seq++;
        break;
    case ACK_NUMBER:
        k->ack++;
        break;
    case WINDOW:
        k->window++;
        break;
    case URGENT:
        k->urgent = 1;
        break;
    case OPTION_BYTES:
        k->tcp_options.p = other;
        break;
    case OPTION_LENGTH:
        k->tcp_options.len = 8;
        break;
    case TOS:
        k->tos = 1;
        break;
    case TTL:
        k->ttl = 63;
        break;
    case DONT_FRAGMENT:
        k->dont_fragment = true;
        break;
    case ID:
        k->id++;
        break;
    case LONGER:
        k->payload.len++;
        break;
    case EMPTY:
        k->payload.len = 0;
        break;
    case FLAG_FIN:
        k->flags = ACK | FIN;
        break;
    case FLAG_SYN:
        k->flags = ACK | SYN;
        break;
    case FLAG_RST:
        k->flags = ACK | RST;
        break;
    case FLAG_URG:
        k->flags = ACK | URG;
        break;
    case FLAG_ECE:
        k->flags = ACK | ECE;
        break;
    case FLAG_CWR:
        k->flags = ACK | CWR;
        break;
    case NO_ACK:
        k->flags = PSH;
        break;
    case PROTOCOL:
        k->protocol = S2_IP_UDP;
        break;
    case FAMILY:
        k->version = k->version == 4 ? 6 : 4;
        break;
    case FRAGMENT:
        k->place = 0x2000;
        break;
    case CHANGES:
        break;
    }
}

/* Three parts of which the second (or the first) differs in one thing. */
static void whatever_differs_is_left_apart(void)
{
    for (int version = 4; version <= 6; version += 2) {
        for (int change = 0; change < CHANGES; change++) {
            const bool of_ipv4 = change == DONT_FRAGMENT || change == ID || change == FRAGMENT;

            if (version == 6 && of_ipv4)
                continue;
            for (size_t which = 0; which < 2; which++) {
                begin_run();
                for (size_t i = 0; i < 3; i++) {
                    struct s2_packet k = part((uint8_t)version, i);

                    if (i == which)
                        apply(&k, (enum change)change);
                    add_packet(&k);
                }
                /* the first changed leaves two that fit, but the second changed none;
                 * a shorter second could be a last part, but none is */
                const size_t expected = which == 0 ? 2 : 3;
                if (change == FRAGMENT) { /* has no checksum of its own */
                    struct s2_inet_super s;
                    memcpy(buffer, original, start[packets]);
                    struct s2_inet_view v = s2_must_view(buffer, start[1]);
                    s2_inet_join_begin(&s, buffer, &v);
                    v = s2_must_view(buffer + start[1], start[2] - start[1]);
                    CHECK_ROW(change_names[change],
                              !s2_inet_join_append(&s, buffer + start[1], &v));
                    continue;
                }
                CHECK_ROW(change_names[change], join_run() == expected);
            }
        }
    }
}

static void a_short_or_pushed_part_is_the_last(void)
{
    static const struct {
        const char *row;
        size_t len;
        uint8_t flags;
    } rows[] = {{"short", 999, ACK}, {"pushed", 1000, ACK | PSH}, {"both", 1, ACK | PSH}};

    for (size_t r = 0; r < 3; r++) {
        begin_run();
        for (size_t i = 0; i < 6; i++) {
            struct s2_packet k = part(4, i);

            k.seq = (uint32_t)(100 + i * 1000 - (i > 2 ? 1000 - rows[r].len : 0));
            if (i == 2) {
                k.payload.len = rows[r].len;
                k.flags = rows[r].flags;
            }
            add_packet(&k);
        }
        CHECK_ROW(rows[r].row, join_run() == 2);
    }
}

static void a_first_part_that_is_pushed_stays_alone(void)
{
    begin_run();
    for (size_t i = 0; i < 3; i++) {
        struct s2_packet k = part(4, i);

        if (i == 0)
            k.flags = ACK | PSH;
        add_packet(&k);
    }
    CU_ASSERT_EQUAL(join_run(), 2);
}

/* A wrong checksum must reach the receiver as it is: joining would repair it. */
static void wrong_checksums_are_never_joined(void)
{
    for (uint8_t version = 4; version <= 6; version += 2) {
        for (size_t which = 0; which < 3; which++) {
            struct s2_inet_super s;
            size_t joined = 1;

            begin_run();
            for (size_t i = 0; i < 3; i++) {
                const struct s2_packet k = part(version, i);

                add_packet(&k);
            }
            original[start[which] + 80] ^= 1;
            memcpy(buffer, original, start[packets]);
            struct s2_inet_view v = s2_must_view(buffer, start[1]);
            s2_inet_join_begin(&s, buffer, &v);
            for (size_t i = 1; i < 3; i++) {
                v = s2_must_view(buffer + start[i], start[i + 1] - start[i]);
                if (!s2_inet_join_append(&s, buffer + start[i], &v))
                    break;
                joined++;
            }
            CU_ASSERT_EQUAL(joined, which == 0 ? 1 : which);
            s2_inet_join_end(&s);
            CU_ASSERT_EQUAL(s.segments, joined);
            if (joined == 1)
                CU_ASSERT_EQUAL(memcmp(s.p, original, start[1]), 0);
        }
    }
}

/* Checksums may be sent as 0xffff where the cutter writes 0: right, but not the same
 * bytes. */
static void the_other_zero_is_left_apart(void)
{
    struct s2_inet_super s;
    struct s2_packet k = part(4, 1);

    begin_run();
    k.payload.len = 1000;
    for (unsigned v = 0; v < 65536; v++) { /* find the window that makes the sum zero */
        static uint8_t p[PACKET_ROOM];

        k.window = (uint16_t)v;
        s2_write_packet(p, &k);
        if (s2_get_u16(p + 36) == 0)
            break;
    }
    struct s2_packet first = part(4, 0);
    first.window = k.window;
    add_packet(&first);
    add_packet(&k);
    CU_ASSERT_EQUAL(s2_get_u16(original + start[1] + 36), 0);
    CU_ASSERT_EQUAL(join_run(), 1);
    s2_put_u16(original + start[1] + 36, 0xffff);
    memcpy(buffer, original, start[2]);
    struct s2_inet_view v = s2_must_view(buffer, start[1]);
    s2_inet_join_begin(&s, buffer, &v);
    v = s2_must_view(buffer + start[1], start[2] - start[1]);
    CU_ASSERT_TRUE(s2_inet_checksum_right(buffer + start[1], &v));
    CU_ASSERT_FALSE(s2_inet_join_append(&s, buffer + start[1], &v));
}

/* A random run of several flows, broken in random ways; whatever gets joined must
 * come apart as it was. */
static void random_runs_come_apart_as_they_were(void)
{
    uint64_t state = 20240607;
    size_t joined = 0, wrong = 0;

    for (unsigned run = 0; run < 400; run++) {
        struct s2_packet flow[2] = {part(4, 0), part(6, 0)};
        size_t size[2] = {1 + s2_next_random(&state) % 1448, 1 + s2_next_random(&state) % 1428};

        begin_run();
        const size_t n = 1 + s2_next_random(&state) % 60;
        size_t at = 0;
        for (size_t i = 0; i < n; i++) {
            if (s2_next_random(&state) % 12 == 0)
                at = 1 - at;
            struct s2_packet k = flow[at];
            const uint32_t r = s2_next_random(&state);

            k.payload = s2_span(data + r % 50000, size[at]);
            if (r % 9 == 0)
                k.payload.len = 1 + r % size[at];
            if (r % 17 == 0)
                k.flags = ACK | PSH;
            if (r % 23 == 0) { /* no fragments: their checksums belong to the whole */
                const enum change change = (enum change)(r % FRAGMENT);
                if (change != FAMILY && change != LONGER)
                    apply(&k, change);
            }
            add_packet(&k);
            flow[at].seq += (uint32_t)k.payload.len;
            flow[at].id++;
        }
        const size_t supers = join_run();
        wrong += supers == 0;
        joined += n - supers;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_TRUE(joined > 2000); /* the runs are not all broken */
}

const CU_TestInfo s2_test_coalesce[] = {
    {"segments of a flow become one superpacket", segments_of_a_flow_become_one_superpacket},
    {"the superpacket stays below 64 KiB", the_superpacket_stays_below_64_kib},
    {"a packet alone stays as it was", a_packet_alone_stays_as_it_was},
    {"whatever differs is left apart", whatever_differs_is_left_apart},
    {"a short or pushed part is the last", a_short_or_pushed_part_is_the_last},
    {"a first part that is pushed stays alone", a_first_part_that_is_pushed_stays_alone},
    {"wrong checksums are never joined", wrong_checksums_are_never_joined},
    {"the other zero is left apart", the_other_zero_is_left_apart},
    {"random runs come apart as they were", random_runs_come_apart_as_they_were},
    CU_TEST_INFO_NULL,
};
