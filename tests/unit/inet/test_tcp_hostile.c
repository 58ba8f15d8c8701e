/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP and peers that mean harm, or that somebody else pretends to be: every class of attack
 * on TCP that has a name, as rows. Who sees the stream (the peer itself) may end it, but
 * takes no more than its bounded memory; who only guesses (blind) changes nothing.
 */
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/text.h"
#include "inet/tcp.h"

#include "harness.h"
#include "tcp_script.h"

#define PASSIVE                                                                                    \
    "< S 0 0 mss=1000\n"                                                                           \
    "> SA 0 1 mss=1000\n"                                                                          \
    "< A 1 1\n"                                                                                    \
    "! opened passive\n"
/* The stream goes on: text still crosses both ways. */
#define LIVES "< A 1 1 len=5\n! received 5\nsend 3\n> A 1 6 len=3\n< A 6 4\nwait 200000\n"

static void run_rows(const struct script_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *wrong = run_script(rows[i].script);
        char text[400];

        s2_print(text, sizeof(text), "%s: %s", rows[i].name, wrong ? wrong : "fine");
        CHECK_ROW(text, wrong == NULL);
    }
}
#define RUN_ROWS(rows) run_rows(rows, sizeof(rows) / sizeof((rows)[0]))

/* RFC 5961 sections 3 to 5; CVE-2004-0230 (a reset anywhere in the window). */
static void who_only_guesses_changes_nothing(void)
{
    static const struct script_row rows[] = {
        {"CVE-2004-0230: RST next to the number", PASSIVE "< R 2 0\n> A 1 1\n" LIVES},
        {"RST at the window's last byte", PASSIVE "< R 65535 0\n> A 1 1\n" LIVES},
        {"RST right below", PASSIVE "< R 0 0\n" LIVES},
        {"RST right behind the window", PASSIVE "< R 65537 0\n" LIVES},
        {"RST with text, in the window", PASSIVE "< R 2 0 len=10\n> A 1 1\n" LIVES},
        {"RST and ACK of nonsense, in the window", PASSIVE "< RA 2 99\n> A 1 1\n" LIVES},
        {"RST and SYN, in the window", PASSIVE "< RS 9 0\n> A 1 1\n" LIVES},
        {"SYN in the window", PASSIVE "< S 2 0\n> A 1 1\n" LIVES},
        {"SYN at the number", PASSIVE "< S 1 0\n> A 1 1\n" LIVES},
        {"SYN of the handshake again", PASSIVE "< S 0 0\n> A 1 1\n" LIVES},
        {"SYN far outside", PASSIVE "< S 900000 0\n> A 1 1\n" LIVES},
        {"SYN and ACK", PASSIVE "< SA 1 1\n> A 1 1\n" LIVES},
        {"SYN and FIN", PASSIVE "< SF 1 0\n> A 1 1\n" LIVES},
        {"SYN with text", PASSIVE "< S 1 0 len=20\n> A 1 1\n" LIVES},
        {"no flags", PASSIVE "< - 1 1 len=5 bad=1\n" LIVES},
        {"every flag", PASSIVE "< SFRAU 2 1 len=5 bad=1\n> A 1 1\n" LIVES},
        {"FIN without ACK", PASSIVE "< F 1 1\n" LIVES},
        {"text with an ACK ahead", PASSIVE "< A 1 2 len=5 bad=1\n> A 1 1\n" LIVES},
        {"text with an ACK far ahead", PASSIVE "< A 1 1000000 len=5 bad=1\n> A 1 1\n" LIVES},
        {"text with an ACK too old", PASSIVE "< A 1 -65535 len=5 bad=1\n> A 1 1\n" LIVES},
        {"FIN with an ACK ahead", PASSIVE "< FA 1 7\n> A 1 1\n" LIVES},
        {"text behind the window", PASSIVE "< A 65536 1 len=10 bad=1\n> A 1 1\n" LIVES},
        {"text far outside", PASSIVE "< A 2000000000 1 len=10 bad=1\n> A 1 1\n" LIVES},
        {"FIN behind the window", PASSIVE "< FA 65536 1\n> A 1 1\n" LIVES},
        {"a window from outside isn't believed",
         PASSIVE "< A -9 1 win=0\n> A 1 1\n< A 70000 1 win=0\n> A 1 1\n" LIVES},
    };

    RUN_ROWS(rows);
}

/* The same while a stream opens or ends. */
static void other_states_are_no_softer(void)
{
    static const struct script_row rows[] = {
        {"SYN-SENT: RST without ACK", "connect\n> S 0 0\n< R 0 0\n< R 1 0\n< SA 0 1\n"
                                      "! opened active\n> A 1 1\n"},
        {"SYN-SENT: RST and SYN with a wrong ACK",
         "connect\n> S 0 0\n< RSA 0 9\n< SA 0 1\n! opened active\n> A 1 1\n"},
        {"SYN-SENT: SYN and ACK with a wrong ACK",
         "connect\n> S 0 0\n< SA 0 0\n> R 0 0\n< SA 0 1\n! opened active\n> A 1 1\n"},
        {"SYN-SENT: text and FIN", "connect\n> S 0 0\n< FA 0 1 len=5 bad=1\n< SA 0 1\n"
                                   "! opened active\n> A 1 1\n"},
        {"SYN-RECEIVED: RST in the window",
         "< S 0 0\n> SA 0 1\n< R 2 0\n> A 1 1\n< A 1 1\n! opened passive\n"},
        {"SYN-RECEIVED: RST right at the SYN",
         "< S 0 0\n> SA 0 1\n< R 0 0\n< A 1 1\n! opened passive\n"},
        {"SYN-RECEIVED: ACK of nothing sent",
         "< S 0 0\n> SA 0 1\n< A 1 2\n> R 2 0\n< A 1 1\n! opened passive\n"},
        {"SYN-RECEIVED: text without ACK",
         "< S 0 0\n> SA 0 1\n< - 1 0 len=9 bad=1\n< A 1 1\n! opened passive\n"},
        {"SYN-RECEIVED, both at once: another SYN",
         "connect\n> S 0 0\n< S 0 0\n> SA 0 1\n< S 5 0\n> A 1 1\n< A 1 1\n! opened active\n"},
        {"FIN-WAIT-1: RST in the window", PASSIVE "close\n> FA 1 1\n< R 2 0\n> A 2 1\n"
                                                  "< FA 1 2\n! closed CLOSED\n> A 2 2\n"},
        {"FIN-WAIT-2: SYN", PASSIVE "close\n> FA 1 1\n< A 1 2\n< S 1 0\n> A 2 1\n"
                                    "< FA 1 2\n! closed CLOSED\n> A 2 2\n"},
        {"FIN-WAIT-2: RST at the number",
         PASSIVE "close\n> FA 1 1\n< A 1 2\n< R 1 0\n! closed RESET\n"},
        {"CLOSING: RST in the window, then its ACK",
         PASSIVE "close\n> FA 1 1\n< FA 1 1\n> A 2 2\n< R 3 0\n> A 2 2\n< A 2 2\n"
                 "! closed CLOSED\n"},
        {"LAST-ACK: the FIN again is acknowledged again",
         PASSIVE "< FA 1 1\n! closed PEER_FIN\n> FA 1 2\n< FA 1 1\n> A 2 2\n< A 2 2\n"},
        {"LAST-ACK: SYN in the window",
         PASSIVE "< FA 1 1\n! closed PEER_FIN\n> FA 1 2\n< S 3 0\n> A 2 2\n< A 2 2\n"},
        {"TIME-WAIT: RFC 1337, a reset",
         PASSIVE "close\n> FA 1 1\n< FA 1 2\n! closed CLOSED\n> A 2 2\n< R 2 0\n< FA 1 2\n"
                 "> A 2 2\n"},
        {"TIME-WAIT: RFC 1337, old text",
         PASSIVE "close\n> FA 1 1\n< FA 1 2\n! closed CLOSED\n> A 2 2\n"
                 "< A -20 1 len=9 bad=1\n> A 2 2\n< A 1 1 len=9 bad=1\n< A 5 2 len=9 bad=1\n"},
        {"CLOSED: an ACK is answered in its own numbers", "< A 5 7 to=80\n> R 7 0\n"},
        {"CLOSED: FIN and text count", "< F 10 0 to=80 len=4\n> RA 0 15\n"},
        {"CLOSED: a reset never answers a reset", "< RA 5 7 to=80\n< R 5 0\n"},
    };

    RUN_ROWS(rows);
}

/* Ptacek and Newsham, "Insertion, Evasion, and Denial of Service" (1998): what was told to
 * the user stays; what waits behind a hole yields to what comes later. */
static void overlaps_have_one_outcome(void)
{
    static const struct script_row rows[] = {
        {"other bytes for what was told",
         PASSIVE "< A 1 1 len=50\n! received 50\n< A 1 1 len=50 bad=1\n> A 1 51\n"
                 "< A 51 1 len=5\n! received 5\nwait 40\n> A 1 56\n"},
        {"other bytes for the end of what was told",
         PASSIVE "< A 1 1 len=50\n! received 50\n< A 31 1 len=20 bad=1\n> A 1 51\n"},
        {"a forged island yields to the true bytes",
         PASSIVE "< A 11 1 len=10 bad=1\n> A 1 1\n< A 1 1 len=20\n! received 20\n> A 1 21\n"},
        {"and to a true island", PASSIVE "< A 11 1 len=10 bad=1\n> A 1 1\n< A 11 1 len=10\n"
                                         "> A 1 1\n< A 1 1 len=10\n! received 10\n"
                                         "! received 10\n> A 1 21\n"},
        {"a forged FIN before its text ends nothing that went on before",
         PASSIVE "< A 11 1 len=10\n> A 1 1\n< FA 6 1\n> A 1 1\n< A 1 1 len=10\n! received 10\n"
                 "! received 10\n> A 1 21\n"},
        {"urgent is ordinary text (CVE-1999-0153)",
         PASSIVE "< AU 1 1 len=20\n! received 20\nwait 40\n> A 1 21\n"},
    };

    RUN_ROWS(rows);
}

static void windows_that_mean_harm_only_slow_it_down(void)
{
    static const struct script_row rows[] = {
        {"it shrinks under text: what no longer fits waits",
         PASSIVE "send 3000\n> A 1 1 len=1000\n> A 1001 1 len=1000\n> A 2001 1 len=1000\n"
                 "< A 1 1001 win=500\nwait 1000\n> A 1001 1 len=500\n"
                 "< A 1 1501 win=500\n> A 1501 1 len=500\n< A 1 3001\n"},
        {"it shrinks, and what fitted before arrives all the same",
         PASSIVE "send 2000\n> A 1 1 len=1000\n> A 1001 1 len=1000\n< A 1 1 win=10\n"
                 "< A 1 2001 win=10\nwait 100000\n"},
        {"one byte at a time (CVE-2008-4609): whole at the peer's pace",
         PASSIVE "send 3\n> A 1 1 len=3\n< A 1 1 win=1\nwait 1000\n> A 1 1 len=1\n"
                 "< A 1 2 win=1\n> A 2 1 len=1\n< A 1 3 win=1\n> A 3 1 len=1\n< A 1 4 win=1\n"
                 "wait 100000\n"},
        {"closed for ever (CVE-2008-4609): the user may end it",
         PASSIVE "send 10\n> A 1 1 len=10\n< A 1 1 win=0\nwait 1000\nwait 2000\n"
                 "> A 1 1 len=1\n< A 1 1 win=0\nabort\n> RA 1 1\n< A 1 1\n> R 1 0\n"},
        {"FIN-WAIT-1 with a closed window (CVE-2009-1926): silence ends it",
         "< S 0 0 mss=1000 win=0\n> SA 0 1\n< A 1 1 win=0\n! opened passive\nclose\n"
         "wait 662999\n> FA 1 1\n> FA 1 1\n> FA 1 1\n> FA 1 1\n> FA 1 1\n> FA 1 1\n> FA 1 1\n"
         "> FA 1 1\n> FA 1 1\n> FA 1 1\n> FA 1 1\n> FA 1 1\n> FA 1 1\n> FA 1 1\n"
         "> FA 1 1\nwait 1\n! closed TIMEOUT\n> RA 1 1\n"},
        {"CVE-2019-11479: a tiny MSS still carries 48 bytes",
         "< S 0 0 mss=8\n> SA 0 1\n< A 1 1\n! opened passive\nsend 60\n> A 1 1 len=48\n"
         "> A 49 1 len=12\n"},
        {"an MSS of nothing is none", "< S 0 0 mss=0\n> SA 0 1\n< A 1 1\n! opened passive\n"
                                      "send 600\n> A 1 1 len=536\n> A 537 1 len=64\n"},
        {"ACKs split small (Savage 1999) buy a byte's growth each, not a segment's",
         PASSIVE "send 9000\n> A 1 1 len=1000\n> A 1001 1 len=1000\n> A 2001 1 len=1000\n"
                 "> A 3001 1 len=1000\n< A 1 11\n< A 1 21\n< A 1 31\n< A 1 41\n< A 1 51\n"},
        {"ACKs ahead of the text (Savage 1999) move nothing",
         PASSIVE "send 9000\n> A 1 1 len=1000\n> A 1001 1 len=1000\n> A 2001 1 len=1000\n"
                 "> A 3001 1 len=1000\n< A 1 5001\n> A 4001 1\n< A 1 9001\n> A 4001 1\n"},
    };

    RUN_ROWS(rows);
}

/* Two ends that each take the other's ACK for unacceptable would go on for ever. */
static void no_exchange_of_acks_is_endless(void)
{
    static const struct script_row rows[] = {
        {"ten challenges, then quiet",
         PASSIVE "< A -5 1\n> A 1 1\n< A -5 1\n> A 1 1\n< A -5 1\n> A 1 1\n< A -5 1\n> A 1 1\n"
                 "< A -5 1\n> A 1 1\n< A -5 1\n> A 1 1\n< A -5 1\n> A 1 1\n< A -5 1\n> A 1 1\n"
                 "< A -5 1\n> A 1 1\n< A -5 1\n> A 1 1\n< A -5 1\n< A -5 1\n" LIVES},
        {"a keepalive is answered", PASSIVE "< A 0 1\n> A 1 1\n< A 0 1 len=1 bad=1\n> A 1 1\n"},
    };

    RUN_ROWS(rows);
}

/* ---- what a script can't say: memory, and more than one stream */

#define US 0x0a000001u
#define PEER 0x0a000002u
#define NOW (1000 * S2_SECOND)

struct box {
    struct s2_fake_env fake;
    struct s2_host *host;
    struct s2_tcp *last;
    uint32_t iss, ack;
    size_t bytes, most, received, answers;
    unsigned opened, closed;
};

static void on_send(void *user, const uint8_t *p, size_t len, uint64_t now_ns)
{
    struct box *b = user;
    struct s2_tcp_segment s;
    struct s2_inet_view v;

    (void)now_ns;
    b->answers++;
    if (!s2_inet_view(p, len, &v) || !s2_tcp_parse(p, &v, &s))
        return;
    if (s.flags & S2_TCP_SYN)
        b->iss = s.seq;
    b->ack = s.ack;
}

static void on_opened(void *user, struct s2_tcp *tcp, bool passive, uint64_t now_ns)
{
    struct box *b = user;

    (void)passive, (void)now_ns;
    b->opened++;
    b->last = tcp;
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

    (void)tcp, (void)end, (void)now_ns;
    b->closed++;
}

static const struct s2_host_ops ops = {on_send, on_opened, on_received, on_sendable, on_closed};

static void begin(struct box *b)
{
    const struct s2_host_spec spec = {.address = s2_address_ipv4(US),
                                      .peer = s2_address_ipv4(PEER),
                                      .mtu = 1446,
                                      .listen_port = 179};

    memset(b, 0, sizeof(*b));
    s2_fake_env_init(&b->fake, 3);
    CU_ASSERT_EQUAL_FATAL(s2_host_new(&b->fake.env, &spec, &ops, b, &b->host), S2SVPN_OK);
}

static void end(struct box *b)
{
    s2_host_free(b->host);
    CU_ASSERT_EQUAL(b->fake.live, 0);
}

static enum s2svpn_drop put_from(struct box *b, uint32_t from, uint16_t port, uint8_t flags,
                                 uint32_t seq, size_t len, uint16_t window)
{
    const s2svpn_address us = s2_address_ipv4(US), peer = s2_address_ipv4(from);
    static const uint8_t text[1400];
    uint8_t packet[1500];
    const struct script_packet p = {.from_port = port,
                                    .to_port = 179,
                                    .seq = seq,
                                    .ack = b->iss + 1,
                                    .flags = flags,
                                    .window = window,
                                    .text = text,
                                    .len = len};

    return s2_host_input(b->host, packet, write_packet(packet, sizeof(packet), &peer, &us, &p),
                         NOW);
}

static void put(struct box *b, uint16_t port, uint8_t flags, uint32_t seq, size_t len)
{
    (void)put_from(b, PEER, port, flags, seq, len, 65535);
}

static void shake_hands(struct box *b, uint16_t port)
{
    put(b, port, S2_TCP_SYN, 0, 0);
    put(b, port, S2_TCP_ACK, 1, 0);
}

/* CVE-2018-5390: every second byte of the window, so that nothing joins. */
static void islands_of_a_byte_cost_little_and_end(void)
{
    struct box b;

    begin(&b);
    shake_hands(&b, 1000);
    for (uint32_t seq = 65533; seq > 1; seq -= 2)
        put(&b, 1000, S2_TCP_ACK, seq, 1);
    CU_ASSERT_EQUAL(b.received, 0);
    CU_ASSERT(b.last->range_count <= S2_TCP_RANGES_MAX);
    CU_ASSERT(b.last->in.size <= S2_TCP_BUFFER);
    CU_ASSERT_EQUAL(b.fake.live, 3); /* host, stream, one ring */
    for (uint32_t seq = 1; seq < 65534; seq += 1000)
        put(&b, 1000, S2_TCP_ACK, seq, 1000);
    CU_ASSERT(b.received >= 65533 && b.ack >= 65534);
    CU_ASSERT_EQUAL(b.fake.live, 2); /* the ring went with its last byte */
    end(&b);
}

/* CVE-2008-4609: every stream with a closed window and a full queue. */
static void closed_windows_hold_no_more_than_the_queues(void)
{
    static const uint8_t text[2 * S2_TCP_BUFFER];
    struct box b;

    begin(&b);
    for (uint16_t port = 1000; port < 1000 + S2_HOST_STREAMS_MAX; port++) {
        (void)put_from(&b, PEER, port, S2_TCP_SYN, 0, 0, 0);
        (void)put_from(&b, PEER, port, S2_TCP_ACK, 1, 0, 0);
        CU_ASSERT_EQUAL(s2_tcp_send(b.last, text, sizeof(text), NOW), S2_TCP_BUFFER);
        CU_ASSERT_EQUAL(s2_tcp_send(b.last, text, sizeof(text), NOW), 0);
    }
    CU_ASSERT_EQUAL(b.opened, S2_HOST_STREAMS_MAX);
    CU_ASSERT_EQUAL(b.fake.live, 1 + 2 * S2_HOST_STREAMS_MAX);
    CU_ASSERT_EQUAL(put_from(&b, PEER, 2000, S2_TCP_SYN, 0, 0, 0), S2SVPN_DROP_HOST);
    CU_ASSERT_EQUAL(b.opened, S2_HOST_STREAMS_MAX);
    CU_ASSERT_EQUAL(b.fake.live, 1 + 2 * S2_HOST_STREAMS_MAX);
    end(&b);
}

/* CVE-2016-5696: a limit that streams share tells one who guesses of another. */
static void each_stream_counts_its_own_challenges(void)
{
    struct box b;
    size_t before;

    begin(&b);
    shake_hands(&b, 1000);
    shake_hands(&b, 1001);
    for (unsigned i = 0; i < 3 * S2_TCP_CHALLENGES; i++)
        put(&b, 1000, S2_TCP_RST, 2, 0);
    before = b.answers;
    put(&b, 1000, S2_TCP_RST, 2, 0);
    CU_ASSERT_EQUAL(b.answers, before);
    put(&b, 1001, S2_TCP_RST, 2, 0);
    CU_ASSERT_EQUAL(b.answers, before + 1);
    CU_ASSERT_EQUAL(b.closed, 0);
    end(&b);
}

/* Land (CVE-1999-0016), and everybody else who isn't the peer. */
static void strangers_and_ourselves_are_not_spoken_with(void)
{
    const uint32_t from[] = {US, PEER + 1, 0xe0000001, 0xffffffff, 0, 0x7f000001};
    struct box b;

    begin(&b);
    for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++)
        CU_ASSERT_EQUAL(put_from(&b, from[i], 179, S2_TCP_SYN, 0, 0, 65535), S2SVPN_DROP_HOST);
    CU_ASSERT_EQUAL(b.answers, 0);
    CU_ASSERT_EQUAL(b.fake.live, 1);
    end(&b);
}

/* A storm of guesses all over the place, 200,000 of them: the stream, its numbers and
 * its memory are as before. */
static void a_storm_of_guesses_leaves_all_as_it_was(void)
{
    static const uint8_t flags[] = {S2_TCP_RST, S2_TCP_SYN, S2_TCP_SYN | S2_TCP_ACK, S2_TCP_FIN, 0};
    uint32_t random = 1;
    struct box b;

    begin(&b);
    shake_hands(&b, 1000);
    for (unsigned i = 0; i < 200000; i++) {
        random = random * 1664525 + 1013904223;
        if (random != 1) /* the one right number */
            put(&b, 1000, flags[i % sizeof(flags)], random, random >> 8 & 31);
    }
    CU_ASSERT_EQUAL(b.closed, 0);
    CU_ASSERT_EQUAL(b.received, 0);
    CU_ASSERT_EQUAL(b.fake.live, 2);
    CU_ASSERT(b.answers < 200000);
    put(&b, 1000, S2_TCP_ACK, 1, 100);
    CU_ASSERT_EQUAL(b.received, 100);
    end(&b);
}

const CU_TestInfo s2_test_tcp_hostile[] = {
    {"who only guesses changes nothing", who_only_guesses_changes_nothing},
    {"other states are no softer", other_states_are_no_softer},
    {"overlaps have one outcome", overlaps_have_one_outcome},
    {"windows that mean harm only slow it down", windows_that_mean_harm_only_slow_it_down},
    {"no exchange of ACKs is endless", no_exchange_of_acks_is_endless},
    {"islands of a byte cost little and end", islands_of_a_byte_cost_little_and_end},
    {"closed windows hold no more than the queues", closed_windows_hold_no_more_than_the_queues},
    {"each stream counts its own challenges", each_stream_counts_its_own_challenges},
    {"strangers and ourselves are not spoken with", strangers_and_ourselves_are_not_spoken_with},
    {"a storm of guesses leaves all as it was", a_storm_of_guesses_leaves_all_as_it_was},
    CU_TEST_INFO_NULL,
};
