/* SPDX-License-Identifier: Apache-2.0 */
/* The host: what is for it and what isn't, ping, who gets a place for a stream. */
#include "inet/host.h"

#include <string.h>

#include "base/address.h"
#include "base/checksum.h"

#include "harness.h"
#include "tcp_script.h"

#define US 0xa9fe0a02
#define PEER 0xa9fe0a01
#define NOW (1000 * S2_SECOND)

struct box {
    struct s2_fake_env fake;
    struct s2_host *host;
    uint8_t sent[2048]; /* the last one */
    size_t sent_len;
    unsigned sent_count, opened, closed;
    size_t received;
    struct s2_tcp *tcp[8]; /* opened ones */
    enum s2_tcp_end end;
};

static void on_send(void *user, const uint8_t *p, size_t len, uint64_t now_ns)
{
    struct box *b = user;

    (void)now_ns;
    b->sent_count++;
    b->sent_len = len;
    CU_ASSERT_FATAL(len <= sizeof(b->sent));
    memcpy(b->sent, p, len);
}

static void on_opened(void *user, struct s2_tcp *tcp, bool passive, uint64_t now_ns)
{
    struct box *b = user;

    (void)passive, (void)now_ns;
    if (b->opened < 8)
        b->tcp[b->opened] = tcp;
    b->opened++;
}

static void on_received(void *user, struct s2_tcp *tcp, const uint8_t *p, size_t len,
                        uint64_t now_ns)
{
    struct box *b = user;

    (void)tcp, (void)p, (void)now_ns;
    b->received += len;
}

static void on_sendable(void *user, struct s2_tcp *tcp, uint64_t now_ns)
{
    (void)user, (void)tcp, (void)now_ns;
}

static void on_closed(void *user, struct s2_tcp *tcp, enum s2_tcp_end end, uint64_t now_ns)
{
    struct box *b = user;

    (void)tcp, (void)now_ns;
    b->closed++;
    b->end = end;
}

static const struct s2_host_ops ops = {on_send, on_opened, on_received, on_sendable, on_closed};

static s2svpn_address address6(uint8_t last)
{
    const uint8_t bytes[16] = {0xfd, [15] = last};

    return s2_address_from(S2SVPN_FAMILY_IPV6, bytes);
}

static void begin_spec(struct box *b, const struct s2_host_spec *spec)
{
    memset(b, 0, sizeof(*b));
    s2_fake_env_init(&b->fake, 3);
    CU_ASSERT_EQUAL_FATAL(s2_host_new(&b->fake.env, spec, &ops, b, &b->host), S2SVPN_OK);
}

static void begin(struct box *b)
{
    const struct s2_host_spec spec = {.address = s2_address_ipv4(US),
                                      .peer = s2_address_ipv4(PEER),
                                      .mtu = 1446,
                                      .listen_port = 179,
                                      .ttl = 1};

    begin_spec(b, &spec);
}

static void begin6(struct box *b)
{
    const struct s2_host_spec spec = {
        .address = address6(2), .peer = address6(1), .mtu = 1446, .listen_port = 179};

    begin_spec(b, &spec);
}

static void end(struct box *b)
{
    s2_host_free(b->host);
    CU_ASSERT_EQUAL(b->fake.live, 0);
}

/* A SYN or ACK from this port of the peer, to 179. */
static enum s2svpn_drop segment(struct box *b, uint16_t port, uint8_t flags, uint32_t seq,
                                uint32_t ack, size_t len)
{
    const s2svpn_address us = s2_address_ipv4(US), peer = s2_address_ipv4(PEER);
    static const uint8_t text[64];
    uint8_t packet[256];
    const struct script_packet p = {.from_port = port,
                                    .to_port = 179,
                                    .seq = seq,
                                    .ack = ack,
                                    .flags = flags,
                                    .window = 65535,
                                    .text = text,
                                    .len = len};
    const size_t n = write_packet(packet, sizeof(packet), &peer, &us, &p);

    return s2_host_input(b->host, packet, n, NOW);
}

/* The sequence number in the last segment sent. */
static uint32_t sent_seq(const struct box *b)
{
    return s2_get_u32(b->sent + 24);
}

static void shake_hands(struct box *b, uint16_t port)
{
    CU_ASSERT_EQUAL(segment(b, port, S2_TCP_SYN, 0, 0, 0), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(segment(b, port, S2_TCP_ACK, 1, sent_seq(b) + 1, 0), S2SVPN_DROP_NONE);
}

static void bad_specs_are_refused_and_named(void)
{
    static const struct s2_host_ops no_closed = {on_send, on_opened, on_received, on_sendable,
                                                 NULL};
    const s2svpn_address us = s2_address_ipv4(US), peer = s2_address_ipv4(PEER);
    const struct {
        const char *row, *field;
        struct s2_host_spec spec;
        const struct s2_host_ops *ops;
    } bad[] = {
        {"no address", "address", {.peer = peer, .mtu = 1400}, &ops},
        {"no peer", "peer", {.address = us, .mtu = 1400}, &ops},
        {"other family", "peer", {.address = us, .peer = address6(1), .mtu = 1400}, &ops},
        {"itself", "peer", {.address = us, .peer = us, .mtu = 1400}, &ops},
        {"tiny MTU", "mtu", {.address = us, .peer = peer, .mtu = 87}, &ops},
        {"tiny MTU of IPv6",
         "mtu",
         {.address = address6(2), .peer = address6(1), .mtu = 107},
         &ops},
        {"no callback", "ops", {.address = us, .peer = peer, .mtu = 1400}, &no_closed},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct s2_fake_env fake;
        struct s2_host *host;

        s2_fake_env_init(&fake, 1);
        CHECK_ROW(bad[i].row, s2_host_new(&fake.env, &bad[i].spec, bad[i].ops, NULL, &host) ==
                                  S2SVPN_E_ARGUMENT);
        CHECK_ROW(bad[i].row, host == NULL && fake.live == 0);
        CHECK_ROW(bad[i].row, strcmp(fake.error.field, bad[i].field) == 0);
    }
}

static void ping_is_answered(void)
{
    struct s2_host_counters counters;
    struct s2_inet_view v;
    uint8_t packet[256];
    struct box b;

    for (unsigned family = 0; family < 2; family++) {
        const s2svpn_address us = family ? address6(2) : s2_address_ipv4(US);
        const s2svpn_address far = family ? address6(77) : s2_address_ipv4(0x0a000005);
        if (family)
            begin6(&b);
        else
            begin(&b);
        const size_t len = s2_inet_write_icmp_echo(packet, sizeof(packet), &far, &us, false, 7, 9,
                                                   s2_span("hello", 5));
        CU_ASSERT_EQUAL(s2_host_input(b.host, packet, len, NOW), S2SVPN_DROP_NONE);
        CU_ASSERT_EQUAL(b.sent_count, 1);
        CU_ASSERT(s2_inet_view(b.sent, b.sent_len, &v));
        CU_ASSERT(s2_address_equal(&v.destination, &far) && s2_address_equal(&v.source, &us));
        CU_ASSERT_EQUAL(v.ttl, 64);
        CU_ASSERT_EQUAL(b.sent[v.header_len], family ? 129 : 0);
        CU_ASSERT_EQUAL(s2_get_u16(b.sent + v.header_len + 4), 7);
        CU_ASSERT_EQUAL(s2_get_u16(b.sent + v.header_len + 6), 9);
        CU_ASSERT(s2_span_equal(s2_span(b.sent + v.header_len + 8, b.sent_len - v.header_len - 8),
                                s2_span("hello", 5)));
        packet[len - 1] ^= 1;
        CU_ASSERT_EQUAL(s2_host_input(b.host, packet, len, NOW), S2SVPN_DROP_INNER_MALFORMED);
        CU_ASSERT_EQUAL(b.sent_count, 1);
        s2_host_get_counters(b.host, &counters);
        CU_ASSERT_EQUAL(counters.echo_requests, 1);
        end(&b);
    }
}

static void pings_that_deserve_no_answer_get_none(void)
{
    static const struct {
        const char *row;
        uint32_t from, to;
    } rows[] = {
        {"from a multicast address", 0xe0000001, US},
        {"from everybody", 0xffffffff, US},
        {"from nobody", 0, US},
        {"from ourselves", US, US},
        {"to another address", PEER, US + 1},
    };
    struct box b;

    begin(&b);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const s2svpn_address from = s2_address_ipv4(rows[i].from), to = s2_address_ipv4(rows[i].to);
        uint8_t packet[128];
        const size_t len = s2_inet_write_icmp_echo(packet, sizeof(packet), &from, &to, false, 1, 1,
                                                   s2_span("x", 1));
        CHECK_ROW(rows[i].row, s2_host_input(b.host, packet, len, NOW) == S2SVPN_DROP_HOST);
        CHECK_ROW(rows[i].row, b.sent_count == 0);
    }
    end(&b);
}

static void our_ping_is_counted_when_it_returns(void)
{
    struct s2_host_counters counters;
    struct box here, there;

    begin(&here);
    const struct s2_host_spec spec = {
        .address = s2_address_ipv4(PEER), .peer = s2_address_ipv4(US), .mtu = 1446};
    begin_spec(&there, &spec);
    s2_host_ping(here.host, 1, 2, NOW);
    CU_ASSERT_EQUAL(here.sent_count, 1);
    CU_ASSERT_EQUAL(here.sent[8], 1);
    CU_ASSERT_EQUAL(s2_host_input(there.host, here.sent, here.sent_len, NOW), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(there.sent_count, 1);
    CU_ASSERT_EQUAL(s2_host_input(here.host, there.sent, there.sent_len, NOW), S2SVPN_DROP_NONE);
    s2_host_get_counters(here.host, &counters);
    CU_ASSERT_EQUAL(counters.echo_replies, 1);
    CU_ASSERT_EQUAL(counters.echo_requests, 0);
    end(&here);
    end(&there);
}

static void a_ping_has_the_length_that_was_asked_for(void)
{
    static const struct {
        const char *row;
        uint16_t len;
        unsigned sent;
    } rows[] = {
        {"too short", 35, 0}, {"the least", 36, 1},     {"odd", 37, 1},
        {"long", 1446, 1},    {"the longest", 2048, 1},
    };
    struct s2_host_counters counters;
    struct box here, there;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct s2_host_spec spec = {
            .address = s2_address_ipv4(PEER), .peer = s2_address_ipv4(US), .mtu = 1446};
        begin(&here);
        begin_spec(&there, &spec);
        s2_host_ping_sized(here.host, 7, 300, rows[i].len, NOW);
        CHECK_ROW(rows[i].row, here.sent_count == rows[i].sent);
        if (rows[i].sent) {
            CHECK_ROW(rows[i].row, here.sent_len == rows[i].len);
            CHECK_ROW(rows[i].row, (here.sent[6] & 0x40) != 0); /* DF */
            CHECK_ROW(rows[i].row,
                      s2_host_input(there.host, here.sent, here.sent_len, NOW) == S2SVPN_DROP_NONE);
            CHECK_ROW(rows[i].row, s2_host_input(here.host, there.sent, there.sent_len, NOW) ==
                                       S2SVPN_DROP_NONE);
            s2_host_get_counters(here.host, &counters);
            CHECK_ROW(rows[i].row, counters.echo_replies == 1 && counters.reply_id == 7 &&
                                       counters.reply_seq == 300 &&
                                       counters.reply_len == rows[i].len);
        }
        end(&here);
        end(&there);
    }
}

static void what_is_not_for_us_is_dropped_and_named(void)
{
    const s2svpn_address us = s2_address_ipv4(US), peer = s2_address_ipv4(PEER);
    const s2svpn_address far = s2_address_ipv4(0x0a000005);
    const struct script_packet syn = {
        .from_port = 9, .to_port = 179, .flags = S2_TCP_SYN, .window = 1000, .mss = 1000};
    uint8_t packet[128];
    struct box b;
    size_t len;

    begin(&b);
    CU_ASSERT_EQUAL(s2_host_input(b.host, packet, 0, NOW), S2SVPN_DROP_INNER_MALFORMED);
    len = write_packet(packet, sizeof(packet), &far, &us, &syn);
    CU_ASSERT_EQUAL(s2_host_input(b.host, packet, len, NOW), S2SVPN_DROP_HOST);
    len = write_packet(packet, sizeof(packet), &peer, &far, &syn);
    CU_ASSERT_EQUAL(s2_host_input(b.host, packet, len, NOW), S2SVPN_DROP_HOST);
    len = write_packet(packet, sizeof(packet), &peer, &us, &syn);
    packet[len - 1] ^= 1;
    CU_ASSERT_EQUAL(s2_host_input(b.host, packet, len, NOW), S2SVPN_DROP_INNER_MALFORMED);
    len = s2_inet_write_udp(packet, sizeof(packet), &peer, 1, &us, 2, s2_span("x", 1));
    CU_ASSERT_EQUAL(s2_host_input(b.host, packet, len, NOW), S2SVPN_DROP_HOST);
    len = write_packet(packet, sizeof(packet), &peer, &us, &syn);
    s2_put_u16(packet + 6, 0x2000); /* more fragments */
    s2_put_u16(packet + 10, 0);
    s2_put_u16(packet + 10, s2_checksum_finish(s2_checksum_add(0, packet, 20)));
    CU_ASSERT_EQUAL(s2_host_input(b.host, packet, len, NOW), S2SVPN_DROP_HOST);
    CU_ASSERT_EQUAL(b.sent_count, 0);
    end(&b);
}

static void segments_carry_ttl_and_checksums(void)
{
    struct s2_tcp_segment s;
    struct s2_inet_view v;
    struct s2_tcp *tcp;
    struct box b;

    begin(&b);
    CU_ASSERT_EQUAL(s2_tcp_connect(b.host, 179, &b, NOW, &tcp), S2SVPN_OK);
    CU_ASSERT(s2_inet_view(b.sent, b.sent_len, &v) && s2_tcp_parse(b.sent, &v, &s));
    CU_ASSERT_EQUAL(v.ttl, 1);
    CU_ASSERT_EQUAL(v.tos, 0xc0);
    CU_ASSERT(v.dont_fragment && v.total_len == b.sent_len);
    CU_ASSERT_EQUAL(s.mss, 1406);
    CU_ASSERT_EQUAL(s2_tcp_user(tcp), &b);
    CU_ASSERT_EQUAL(s2_tcp_remote_port(tcp), 179);
    CU_ASSERT_EQUAL(s2_tcp_local_port(tcp), s.source_port);
    s2_tcp_set_user(tcp, NULL);
    CU_ASSERT_EQUAL(s2_tcp_user(tcp), NULL);
    end(&b);
    begin6(&b);
    CU_ASSERT_EQUAL(s2_tcp_connect(b.host, 179, &b, NOW, &tcp), S2SVPN_OK);
    CU_ASSERT(s2_inet_view(b.sent, b.sent_len, &v) && s2_tcp_parse(b.sent, &v, &s));
    CU_ASSERT_EQUAL(v.ttl, 64);
    CU_ASSERT_EQUAL(v.tos, 0xc0);
    CU_ASSERT_EQUAL(v.total_len, b.sent_len);
    CU_ASSERT_EQUAL(s.mss, 1386);
    end(&b);
}

static void streams_are_bounded(void)
{
    struct s2_tcp *tcp;
    struct box b;

    begin(&b);
    for (uint16_t i = 0; i < S2_HOST_STREAMS_MAX; i++)
        shake_hands(&b, (uint16_t)(1000 + i));
    CU_ASSERT_EQUAL(b.opened, S2_HOST_STREAMS_MAX);
    CU_ASSERT_EQUAL(segment(&b, 2000, S2_TCP_SYN, 0, 0, 0), S2SVPN_DROP_HOST);
    CU_ASSERT_EQUAL(b.sent[33] & S2_TCP_RST, S2_TCP_RST);
    CU_ASSERT_EQUAL(s2_tcp_connect(b.host, 179, NULL, NOW, &tcp), S2SVPN_E_LIMIT);
    CU_ASSERT_EQUAL(tcp, NULL);
    s2_tcp_abort(b.tcp[0], NOW);
    CU_ASSERT_EQUAL(s2_tcp_connect(b.host, 179, NULL, NOW, &tcp), S2SVPN_OK);
    CU_ASSERT_NOT_EQUAL(tcp, NULL);
    end(&b);
}

static void a_flood_of_syns_harms_no_stream(void)
{
    struct s2_tcp *tcp;
    struct box b;

    begin(&b);
    for (unsigned i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(segment(&b, (uint16_t)(500 + i), S2_TCP_SYN, 0, 0, 0), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(b.fake.live, 1 + S2_HOST_HALF_OPEN_MAX);
    end(&b);

    begin(&b);
    shake_hands(&b, 1000);
    CU_ASSERT_EQUAL(s2_tcp_connect(b.host, 179, NULL, NOW, &tcp), S2SVPN_OK);
    const size_t before = b.fake.live;
    for (unsigned i = 0; i < 1000; i++)
        CU_ASSERT_EQUAL(segment(&b, (uint16_t)(2000 + i), S2_TCP_SYN, 0, 0, 0), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(b.fake.live, before + S2_HOST_HALF_OPEN_MAX);
    CU_ASSERT_EQUAL(b.closed, 0);
    CU_ASSERT_EQUAL(segment(&b, 1000, S2_TCP_ACK, 1, b.tcp[0]->snd_nxt, 10), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(b.received, 10);
    shake_hands(&b, 1001); /* and a good one still comes through */
    CU_ASSERT_EQUAL(b.opened, 2);
    end(&b);
}

static void those_that_wait_to_end_yield(void)
{
    struct s2_tcp *tcp;
    struct box b;

    begin(&b);
    for (uint16_t i = 0; i < S2_HOST_STREAMS_MAX; i++)
        shake_hands(&b, (uint16_t)(1000 + i));
    const uint32_t next = b.tcp[1]->snd_nxt;
    s2_tcp_close(b.tcp[1], NOW);
    CU_ASSERT_EQUAL(segment(&b, 1001, S2_TCP_FIN | S2_TCP_ACK, 1, next + 1, 0), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(b.closed, 1); /* in TIME-WAIT */
    CU_ASSERT_EQUAL(b.end, S2_TCP_CLOSED);
    CU_ASSERT_EQUAL(s2_tcp_connect(b.host, 179, NULL, NOW, &tcp), S2SVPN_OK);
    CU_ASSERT_EQUAL(segment(&b, 1002, S2_TCP_FIN | S2_TCP_ACK, 1, b.tcp[2]->snd_nxt, 0),
                    S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(b.end, S2_TCP_PEER_FIN); /* in LAST-ACK */
    CU_ASSERT_EQUAL(s2_tcp_connect(b.host, 179, NULL, NOW, &tcp), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_tcp_connect(b.host, 179, NULL, NOW, &tcp), S2SVPN_E_LIMIT);
    end(&b);
}

static s2svpn_status no_surprise(void *user, uint8_t *out, size_t len)
{
    (void)user;
    memset(out, 0, len);
    return S2SVPN_OK;
}

static void a_port_in_use_is_not_chosen(void)
{
    const struct s2_host_spec spec = {.address = s2_address_ipv4(US),
                                      .peer = s2_address_ipv4(PEER),
                                      .mtu = 1446,
                                      .listen_port = 49152};
    struct s2_tcp *first, *second, *other;
    struct box b;

    begin_spec(&b, &spec);
    b.fake.env.random = no_surprise;
    CU_ASSERT_EQUAL(s2_tcp_connect(b.host, 179, NULL, NOW, &first), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_tcp_connect(b.host, 179, NULL, NOW, &second), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_tcp_connect(b.host, 180, NULL, NOW, &other), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_tcp_local_port(first), 49153); /* 49152 listens */
    CU_ASSERT_EQUAL(s2_tcp_local_port(second), 49154);
    CU_ASSERT_EQUAL(s2_tcp_local_port(other), 49153);
    end(&b);
}

static void no_randomness_no_port(void)
{
    struct s2_tcp *tcp;
    struct box b;

    begin(&b);
    b.fake.random_fails = true;
    CU_ASSERT_EQUAL(s2_tcp_connect(b.host, 179, NULL, NOW, &tcp), S2SVPN_E_RANDOM);
    CU_ASSERT_EQUAL(tcp, NULL);
    CU_ASSERT_EQUAL(s2_tcp_connect(b.host, 0, NULL, NOW, &tcp), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(b.sent_count, 0);
    end(&b);
}

/* Everything that allocates, once each: a host, both opens, a ping. */
static bool some_of_everything(struct s2_fake_env *fake, void *arg)
{
    const struct s2_host_spec spec = {.address = s2_address_ipv4(US),
                                      .peer = s2_address_ipv4(PEER),
                                      .mtu = 1446,
                                      .listen_port = 179};
    const s2svpn_address us = s2_address_ipv4(US), peer = s2_address_ipv4(PEER);
    struct box *b = arg;
    struct s2_tcp *tcp;
    uint8_t packet[64];
    bool good = true;

    memset(b, 0, sizeof(*b));
    if (s2_host_new(&fake->env, &spec, &ops, b, &b->host) != S2SVPN_OK)
        return false;
    good = s2_tcp_connect(b->host, 179, NULL, NOW, &tcp) == S2SVPN_OK;
    good = good && s2_tcp_send(tcp, (const uint8_t *)"hello", 5, NOW) == 5;
    good = segment(b, 1000, S2_TCP_SYN, 0, 0, 0) == S2SVPN_DROP_NONE && good;
    if (good) {
        const uint32_t next = sent_seq(b) + 1;
        segment(b, 1000, S2_TCP_ACK, 1, next, 0);
        segment(b, 1000, S2_TCP_ACK, 11, next, 10);
        segment(b, 1000, S2_TCP_ACK, 1, next, 10);
        good = b->received == 20;
    }
    const size_t len =
        s2_inet_write_icmp_echo(packet, sizeof(packet), &peer, &us, false, 1, 1, s2_span("x", 1));
    good = s2_host_input(b->host, packet, len, NOW) == S2SVPN_DROP_NONE && good;
    s2_host_free(b->host);
    return good;
}

static void every_failed_allocation_is_survived(void)
{
    struct box b;

    s2_fail_every_allocation(some_of_everything, &b);
}

const CU_TestInfo s2_test_host[] = {
    {"bad specs are refused and named", bad_specs_are_refused_and_named},
    {"ping is answered", ping_is_answered},
    {"pings that deserve no answer get none", pings_that_deserve_no_answer_get_none},
    {"our ping is counted when it returns", our_ping_is_counted_when_it_returns},
    {"a ping has the length that was asked for", a_ping_has_the_length_that_was_asked_for},
    {"what is not for us is dropped and named", what_is_not_for_us_is_dropped_and_named},
    {"segments carry TTL and checksums", segments_carry_ttl_and_checksums},
    {"streams are bounded", streams_are_bounded},
    {"a flood of SYNs harms no stream", a_flood_of_syns_harms_no_stream},
    {"those that wait to end yield", those_that_wait_to_end_yield},
    {"a port in use is not chosen", a_port_in_use_is_not_chosen},
    {"no randomness, no port", no_randomness_no_port},
    {"every failed allocation is survived", every_failed_allocation_is_survived},
    CU_TEST_INFO_NULL,
};
