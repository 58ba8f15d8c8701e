/* SPDX-License-Identifier: Apache-2.0 */
/* The interpreter of tcp_script.h's conversations. */
#include "tcp_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/checksum.h"
#include "base/text.h"
#include "base/writer.h"

#define SENT_MAX 256
#define TOLD_MAX 64
#define PEER_PORT 40000

struct sent {
    struct s2_tcp_segment segment;
    uint8_t text[2048];
};

struct script {
    struct s2_fake_env fake;
    struct s2_host *host;
    struct s2_tcp *tcp; /* the user's one */
    uint64_t now_ns;
    uint16_t peer_port, our_port;
    uint32_t iss;
    bool has_iss;
    struct sent sent[SENT_MAX];
    unsigned sent_count, sent_read;
    char told[TOLD_MAX][32];
    unsigned told_count, told_read;
    char hook_event[32], hook_call[32];
    uint32_t received, queued; /* bytes so far, each way */
    const char *wrong;
};

static uint8_t pattern(uint32_t i)
{
    return (uint8_t)(i * 7 + (i >> 8));
}

size_t write_packet(uint8_t *out, size_t room, const s2svpn_address *from, const s2svpn_address *to,
                    const struct script_packet *p)
{
    const size_t header = p->mss ? 24 : 20;
    const bool ipv6 = from->family == S2SVPN_FAMILY_IPV6;
    struct s2_writer w;

    s2_writer_init(&w, out, room);
    if (ipv6) {
        s2_write_u32(&w, 0x60000000);
        s2_write_u16(&w, (uint16_t)(header + p->len));
        s2_write_u16(&w, 0x0640);
    } else {
        s2_write_u16(&w, 0x4500);
        s2_write_u16(&w, (uint16_t)(20 + header + p->len));
        s2_write_u32(&w, 0);
        s2_write_u32(&w, 0x40060000);
    }
    s2_write_bytes(&w, from->bytes, s2_address_len(from));
    s2_write_bytes(&w, to->bytes, s2_address_len(to));
    if (!ipv6)
        s2_write_patch_u16(&w, 10, s2_checksum_finish(s2_checksum_add(0, out, 20)));
    const size_t at = w.len;
    s2_write_u16(&w, p->from_port);
    s2_write_u16(&w, p->to_port);
    s2_write_u32(&w, p->seq);
    s2_write_u32(&w, p->ack);
    s2_write_u8(&w, (uint8_t)(header << 2));
    s2_write_u8(&w, p->flags);
    s2_write_u16(&w, p->window);
    s2_write_u32(&w, 0);
    if (p->mss) {
        s2_write_u16(&w, 0x0204);
        s2_write_u16(&w, p->mss);
    }
    s2_write_bytes(&w, p->text, p->len);
    if (s2_writer_finish(&w) != S2SVPN_OK)
        return 0;
    uint64_t sum = s2_tcp_pseudo_sum(from, to, S2_IP_TCP, w.len - at);
    s2_write_patch_u16(&w, at + 16, s2_checksum_finish(s2_checksum_add(sum, out + at, w.len - at)));
    return w.len;
}

static void fail(struct script *s, const char *what)
{
    if (!s->wrong)
        s->wrong = what;
}

static void call(struct script *s, const char *line);

static void tell(struct script *s, const char *event)
{
    if (s->told_count == TOLD_MAX) {
        fail(s, "too many events");
        return;
    }
    s2_copy_text(s->told[s->told_count++], sizeof(s->told[0]), event);
    if (s->hook_call[0] && strncmp(event, s->hook_event, strlen(s->hook_event)) == 0) {
        char line[32];
        s2_copy_text(line, sizeof(line), s->hook_call);
        s->hook_call[0] = 0;
        call(s, line);
    }
}

static void on_send(void *user, const uint8_t *p, size_t len, uint64_t now_ns)
{
    struct script *s = user;
    struct sent *sent = &s->sent[s->sent_count];
    struct s2_inet_view v;

    (void)now_ns;
    if (s->sent_count == SENT_MAX || !s2_inet_view(p, len, &v) ||
        !s2_tcp_parse(p, &v, &sent->segment)) {
        fail(s, "a bad packet was sent, or too many");
        return;
    }
    memcpy(sent->text, sent->segment.text.p, sent->segment.text.len);
    if ((sent->segment.flags & S2_TCP_SYN) && !s->has_iss) {
        s->has_iss = true;
        s->iss = sent->segment.seq;
        s->our_port = sent->segment.source_port;
        s->peer_port = sent->segment.destination_port;
    }
    s->sent_count++;
}

static void on_opened(void *user, struct s2_tcp *tcp, bool passive, uint64_t now_ns)
{
    struct script *s = user;

    (void)now_ns;
    s->tcp = tcp;
    tell(s, passive ? "opened passive" : "opened active");
}

static void on_received(void *user, struct s2_tcp *tcp, const uint8_t *p, size_t len,
                        uint64_t now_ns)
{
    struct script *s = user;
    char text[32];

    (void)tcp, (void)now_ns;
    for (size_t i = 0; i < len; i++) {
        if (p[i] != pattern(++s->received))
            fail(s, "wrong text received");
    }
    s2_print(text, sizeof(text), "received %zu", len);
    tell(s, text);
}

static void on_sendable(void *user, struct s2_tcp *tcp, uint64_t now_ns)
{
    (void)tcp, (void)now_ns;
    tell(user, "sendable");
}

static void on_closed(void *user, struct s2_tcp *tcp, enum s2_tcp_end end, uint64_t now_ns)
{
    static const char *const ends[] = {"CLOSED", "RESET", "TIMEOUT", "REFUSED", "PEER_FIN"};
    struct script *s = user;
    char text[32];

    (void)now_ns;
    s2_print(text, sizeof(text), "closed %s", ends[end]);
    tell(s, text);
    if (s->tcp == tcp)
        s->tcp = NULL;
}

static const struct s2_host_ops ops = {on_send, on_opened, on_received, on_sendable, on_closed};

/* "name=N" in a line, or what it is otherwise. */
static uint32_t option(const char *line, const char *name, uint32_t otherwise)
{
    const char *at = strstr(line, name);

    return at ? (uint32_t)strtoul(at + strlen(name), NULL, 0) : otherwise;
}

static uint8_t flags_of(const char *text)
{
    uint8_t flags = 0;

    for (; *text; text++)
        flags |= *text == 'S'   ? S2_TCP_SYN
                 : *text == 'A' ? S2_TCP_ACK
                 : *text == 'F' ? S2_TCP_FIN
                 : *text == 'R' ? S2_TCP_RST
                 : *text == 'U' ? 0x20
                                : 0;
    return flags;
}

static void peer_sends(struct script *s, const char *line)
{
    uint8_t text[4096], packet[4096 + 64];
    char flags[8];
    long seq, ack;

    if (sscanf(line, "< %7s %ld %ld", flags, &seq, &ack) != 3) {
        fail(s, "can't read this line");
        return;
    }
    struct script_packet p = {
        .from_port = (uint16_t)option(line, "port=", s->peer_port),
        .to_port = (uint16_t)option(line, "to=", s->our_port),
        .seq = SCRIPT_PEER_ISN + (uint32_t)seq,
        .ack = s->iss + (uint32_t)ack,
        .flags = flags_of(flags),
        .window = (uint16_t)option(line, "win=", 65535),
        .mss = (uint16_t)option(line, "mss=", 0),
        .text = text,
        .len = option(line, "len=", 0),
    };
    for (uint32_t i = 0; i < p.len && i < sizeof(text); i++)
        text[i] = pattern((uint32_t)seq + i + !!(p.flags & S2_TCP_SYN)) ^
                  (option(line, "bad=", 0) ? 0xff : 0);
    const s2svpn_address us = s2_address_ipv4(0xa9fe0a02), peer = s2_address_ipv4(0xa9fe0a01);
    const size_t len = write_packet(packet, sizeof(packet), &peer, &us, &p);
    if (len == 0)
        fail(s, "text too long");
    (void)s2_host_input(s->host, packet, len, s->now_ns);
}

static void expect_sent(struct script *s, const char *line)
{
    const struct sent *sent = &s->sent[s->sent_read];
    const struct s2_tcp_segment *g = &sent->segment;
    char flags[8];
    long seq, ack;

    if (sscanf(line, "> %7s %ld %ld", flags, &seq, &ack) != 3)
        fail(s, "can't read this line");
    else if (s->sent_read == s->sent_count)
        fail(s, "nothing was sent");
    else if ((g->flags & ~S2_TCP_PSH) != flags_of(flags))
        fail(s, "other flags");
    else if (g->seq != s->iss + (uint32_t)seq)
        fail(s, "another sequence number");
    else if ((g->flags & S2_TCP_ACK) && g->ack != SCRIPT_PEER_ISN + (uint32_t)ack)
        fail(s, "another acknowledgement");
    else if (g->text.len != option(line, "len=", 0))
        fail(s, "another length");
    else if (g->mss != option(line, "mss=", g->mss))
        fail(s, "another MSS");
    else if (!(g->flags & S2_TCP_RST) && g->window != 65535)
        fail(s, "not the whole window");
    for (uint32_t i = 0; i < g->text.len && !s->wrong; i++) {
        if (sent->text[i] != pattern((uint32_t)seq + i))
            fail(s, "wrong text sent");
    }
    s->sent_read++;
}

static void expect_told(struct script *s, const char *line)
{
    if (s->told_read == s->told_count)
        fail(s, "nothing was told");
    else if (strcmp(s->told[s->told_read], line + 2) != 0)
        fail(s, "another event");
    s->told_read++;
}

static void user_sends(struct script *s, uint32_t len)
{
    uint8_t *text = malloc(len + 1u);
    char event[32];

    for (uint32_t i = 0; i < len; i++)
        text[i] = pattern(s->queued + 1 + i);
    const size_t taken = s->tcp ? s2_tcp_send(s->tcp, text, len, s->now_ns) : 0;
    free(text);
    s->queued += (uint32_t)taken;
    if (taken == len)
        return;
    s2_print(event, sizeof(event), "took %zu", taken);
    tell(s, event);
}

static void wait_for(struct script *s, uint64_t ms)
{
    const uint64_t end_ns = s->now_ns + ms * S2_MS;

    while (s2_timers_next(&s->fake.timers) <= end_ns) {
        const uint64_t at_ns = s2_timers_next(&s->fake.timers);
        s->now_ns = at_ns > s->now_ns ? at_ns : s->now_ns;
        s2_timers_advance(&s->fake.timers, s->now_ns, 1);
    }
    s->now_ns = end_ns;
}

static void call(struct script *s, const char *line)
{
    unsigned n = 0;

    if (strcmp(line, "connect") == 0) {
        struct s2_tcp *tcp;
        s->has_iss = false;
        if (s2_tcp_connect(s->host, 179, s, s->now_ns, &tcp) != S2SVPN_OK)
            tell(s, "can't connect");
        if (tcp)
            s->tcp = tcp;
    } else if (sscanf(line, "send %u", &n) == 1) {
        user_sends(s, n);
    } else if (strcmp(line, "close") == 0 && s->tcp) {
        s2_tcp_close(s->tcp, s->now_ns);
    } else if (strcmp(line, "abort") == 0 && s->tcp) {
        struct s2_tcp *tcp = s->tcp;
        s->tcp = NULL;
        s2_tcp_abort(tcp, s->now_ns);
    } else if (sscanf(line, "listen %u", &n) == 1) {
        s2_host_listen(s->host, n);
    } else if (sscanf(line, "mtu %u", &n) == 1) {
        s2_host_set_mtu(s->host, (uint16_t)n);
    } else if (sscanf(line, "keepalive %u", &n) == 1 && s->tcp) {
        s2_tcp_keepalive(s->tcp, n * S2_MS, s->now_ns);
    } else if (sscanf(line, "wait %u", &n) == 1) {
        wait_for(s, n);
    } else if (sscanf(line, "starve %u", &n) == 1) {
        s->fake.fail_at = s->fake.allocations + n + 1;
    } else if (line[0] == '<') {
        peer_sends(s, line);
    } else {
        fail(s, "can't read this line");
    }
}

static void step(struct script *s, const char *line)
{
    if (line[0] == '>')
        expect_sent(s, line);
    else if (line[0] == '!')
        expect_told(s, line);
    else if (s->sent_read < s->sent_count || s->told_read < s->told_count)
        fail(s, "more was sent or told before this");
    else if (strncmp(line, "on ", 3) == 0) {
        if (sscanf(line, "on %31s %31[^\n]", s->hook_event, s->hook_call) != 2)
            fail(s, "can't read this line");
    } else
        call(s, line);
}

static bool begin(struct script *s)
{
    struct s2_host_spec spec = {
        .address = s2_address_ipv4(0xa9fe0a02),
        .peer = s2_address_ipv4(0xa9fe0a01),
        .mtu = 1040,
        .listen_port = 179,
    };

    s2_fake_env_init(&s->fake, 7);
    s->now_ns = 1000 * S2_SECOND;
    s->peer_port = PEER_PORT;
    s->our_port = 179;
    return s2_host_new(&s->fake.env, &spec, &ops, s, &s->host) == S2SVPN_OK;
}

static const char *report(const struct script *s, const char *line)
{
    static char text[256];
    const bool sent = s->sent_count && s->sent_read <= s->sent_count;
    const struct sent *last = &s->sent[sent && s->sent_read ? s->sent_read - 1 : 0];

    s2_print(text, sizeof(text),
             "%s: %s (sent %u of %u: flags %02x seq %d ack %d len %zu; told %u of %u: %s)", line,
             s->wrong, s->sent_read, s->sent_count, last->segment.flags,
             (int)(last->segment.seq - s->iss), (int)(last->segment.ack - SCRIPT_PEER_ISN),
             last->segment.text.len, s->told_read, s->told_count,
             s->told_count ? s->told[s->told_count - 1] : "-");
    return text;
}

const char *run_script(const char *script)
{
    struct script *s = calloc(1, sizeof(*s));
    const char *result = NULL;
    char line[128];

    if (!s || !begin(s)) {
        free(s);
        return "can't begin";
    }
    while (*script && !s->wrong) {
        const size_t n = strcspn(script, "\n");
        s2_print(line, sizeof(line), "%.*s", (int)n, script);
        if (n)
            step(s, line);
        script += n + (script[n] == '\n');
    }
    if (!s->wrong && s->sent_read < s->sent_count) {
        s->sent_read++;
        fail(s, "more was sent");
    }
    if (!s->wrong && s->told_read < s->told_count)
        fail(s, "more was told");
    if (s->wrong)
        result = report(s, line);
    s2_host_free(s->host);
    if (!result && s->fake.live)
        result = "memory is left over";
    free(s);
    return result;
}
