/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour solicitations, byte by byte: RFC 4861 sections 7.1.1 and 7.2.4. */
#include <string.h>

#include "base/address.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "fake_env.h"
#include "harness.h"
#include "inet/host.h"
#include "inet/packet.h"

static const char us_text[] = "fd00::1:2:3", peer_text[] = "fd00::9";

static s2svpn_address address(const char *text)
{
    s2svpn_address a = {0};

    CU_ASSERT(s2svpn_address_read(text, &a));
    return a;
}

/* What a row says; NULL and 0: the usual value. */
struct question {
    const char *from, *to, *target; /* peer, our solicited-node group, us */
    uint8_t hop_limit, type, code;  /* 255, 135, 0 */
    s2svpn_span options;
    size_t cut; /* bytes off the end */
    bool spoiled;
};

static size_t write_question(uint8_t *out, const struct question *q)
{
    const s2svpn_address from = address(q->from ? q->from : peer_text);
    const s2svpn_address to = address(q->to ? q->to : "ff02::1:ff02:3");
    const s2svpn_address target = address(q->target ? q->target : us_text);
    const size_t len = 24 + q->options.len - q->cut;
    uint8_t *icmp = out + 40;

    memset(out, 0, 64);
    out[0] = 0x60;
    s2_put_u16(out + 4, (uint16_t)len);
    out[6] = S2_IP_ICMPV6;
    out[7] = q->hop_limit ? q->hop_limit : 255;
    memcpy(out + 8, from.bytes, 16);
    memcpy(out + 24, to.bytes, 16);
    icmp[0] = q->type ? q->type : 135;
    icmp[1] = q->code;
    memcpy(icmp + 8, target.bytes, 16);
    if (q->options.len > 0)
        memcpy(icmp + 24, q->options.p, q->options.len);
    const uint64_t sum = s2_inet_pseudo_sum(&from, &to, S2_IP_ICMPV6, len);
    s2_put_u16(icmp + 2, s2_checksum_finish(s2_checksum_add(sum, icmp, len)));
    if (q->spoiled)
        icmp[23] ^= 1;
    return 40 + len;
}

static const uint8_t link_layer[] = {1, 1, 2, 0, 0, 0, 0, 7};
static const uint8_t unknown_option[] = {253, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
static const uint8_t empty_option[] = {253, 0, 0, 0, 0, 0, 0, 0};
static const uint8_t long_option[] = {253, 2, 0, 0, 0, 0, 0, 0};

static const struct row {
    const char *name;
    struct question question;
    const char *answered; /* to whom; NULL: not */
    bool solicited;
} rows[] = {
    {"to the group", {0}, peer_text, true},
    {"to us", {.to = us_text}, peer_text, true},
    {"with a link-layer address", {.options = {link_layer, 8}}, peer_text, true},
    {"with an unknown option", {.options = {unknown_option, 16}}, peer_text, true},
    {"from a link-local address", {.from = "fe80::1"}, "fe80::1", true},
    {"is it taken?", {.from = "::"}, "ff02::1", false},
    {"from nobody, to us", {.from = "::", .to = us_text}, NULL, false},
    {"from nobody, whose link-layer address it says",
     {.from = "::", .options = {link_layer, 8}},
     NULL,
     false},
    {"from a group", {.from = "ff02::1"}, NULL, false},
    {"for another address of the group", {.target = "fd00::7:1:2:3"}, NULL, false},
    {"that a router has passed on", {.hop_limit = 254}, NULL, false},
    {"of another type", {.type = 136}, NULL, false},
    {"of another code", {.code = 1}, NULL, false},
    {"with a wrong checksum", {.spoiled = true}, NULL, false},
    {"that ends within the target", {.cut = 1}, NULL, false},
    {"without a target", {.cut = 16}, NULL, false},
    {"with an option of no length", {.options = {empty_option, 8}}, NULL, false},
    {"with an option behind the end", {.options = {long_option, 8}}, NULL, false},
};

static void check_answer(const struct row *r, const uint8_t *p, size_t len)
{
    const s2svpn_address us = address(us_text), to = address(r->answered);
    const struct s2_inet_view v = s2_must_view(p, len);
    const uint8_t *icmp = p + 40;

    CHECK_ROW(r->name, len == 64 && v.total_len == 64 && v.protocol == S2_IP_ICMPV6);
    CHECK_ROW(r->name, s2_check_packet(p, len) && v.ttl == 255);
    CHECK_ROW(r->name, s2_address_equal(&v.source, &us) && s2_address_equal(&v.destination, &to));
    CHECK_ROW(r->name, icmp[0] == 136 && icmp[1] == 0);
    CHECK_ROW(r->name, icmp[4] == (r->solicited ? 0x60 : 0x20)); /* never a router */
    CHECK_ROW(r->name, memcmp(icmp + 8, us.bytes, 16) == 0);
}

static void solicitations_are_answered_as_they_deserve(void)
{
    const s2svpn_address us = address(us_text);
    uint8_t p[128], out[64];
    struct s2_inet_view v;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const size_t len = write_question(p, &rows[i].question);
        size_t n;

        CHECK_ROW(rows[i].name, s2_inet_view(p, len, &v));
        n = s2_inet_answer_solicitation(out, sizeof(out), p, &v, &us);
        CHECK_ROW(rows[i].name, (n > 0) == (rows[i].answered != NULL));
        if (n > 0 && rows[i].answered)
            check_answer(&rows[i], out, n);
        CHECK_ROW(rows[i].name, s2_inet_answer_solicitation(out, sizeof(out) - 1, p, &v, &us) == 0);
    }
}

/* ---- the in-tunnel host */

struct box {
    unsigned sent;
    uint8_t last[256];
    size_t len;
};

static void on_send(void *user, const uint8_t *p, size_t len, uint64_t now_ns)
{
    struct box *b = user;

    (void)now_ns;
    b->sent++;
    b->len = len < sizeof(b->last) ? len : 0;
    memcpy(b->last, p, b->len);
}
static void on_opened(void *user, struct s2_tcp *tcp, bool passive, uint64_t now_ns)
{
    (void)user, (void)tcp, (void)passive, (void)now_ns;
}
static void on_received(void *user, struct s2_tcp *tcp, const uint8_t *p, size_t len,
                        uint64_t now_ns)
{
    (void)user, (void)tcp, (void)p, (void)len, (void)now_ns;
}
static void on_sendable(void *user, struct s2_tcp *tcp, uint64_t now_ns)
{
    (void)user, (void)tcp, (void)now_ns;
}
static void on_closed(void *user, struct s2_tcp *tcp, enum s2_tcp_end end, uint64_t now_ns)
{
    (void)user, (void)tcp, (void)end, (void)now_ns;
}

static const struct s2_host_ops ops = {on_send, on_opened, on_received, on_sendable, on_closed};

static void the_in_tunnel_host_answers_with_hop_limit_255(void)
{
    const struct s2_host_spec spec = {.address = address(us_text),
                                      .peer = address(peer_text),
                                      .mtu = 1438,
                                      .listen_port = 179,
                                      .ttl = 1};
    const s2svpn_address group = address("ff02::1:ff02:3");
    struct s2_fake_env fake;
    struct s2_host *host;
    struct box b = {0};
    uint8_t p[128];
    size_t len;

    s2_fake_env_init(&fake, 1);
    CU_ASSERT_FATAL(s2_host_new(&fake.env, &spec, &ops, &b, &host) == S2SVPN_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const unsigned before = b.sent;

        len = write_question(p, &rows[i].question);
        const enum s2svpn_drop drop = s2_host_input(host, p, len, 1);
        CHECK_ROW(rows[i].name, (b.sent > before) == (rows[i].answered != NULL));
        CHECK_ROW(rows[i].name, (drop == S2SVPN_DROP_NONE) == (rows[i].answered != NULL));
        if (b.sent > before && rows[i].answered)
            check_answer(&rows[i], b.last, b.len);
    }
    /* Nothing else that goes to the group is for us. */
    b.sent = 0;
    len = s2_inet_write_icmp_echo(p, sizeof(p), &spec.peer, &group, false, 1, 1, s2_span("x", 1));
    CU_ASSERT_EQUAL(s2_host_input(host, p, len, 1), S2SVPN_DROP_HOST);
    len = s2_inet_write_udp(p, sizeof(p), &spec.peer, 1, &group, 179, s2_span("x", 1));
    CU_ASSERT_EQUAL(s2_host_input(host, p, len, 1), S2SVPN_DROP_HOST);
    CU_ASSERT_EQUAL(b.sent, 0);
    s2_host_free(host);
    CU_ASSERT_EQUAL(fake.live, 0);
}

const CU_TestInfo s2_test_neighbour[] = {
    {"solicitations are answered as they deserve", solicitations_are_answered_as_they_deserve},
    {"the in-tunnel host answers with hop limit 255",
     the_in_tunnel_host_answers_with_hop_limit_255},
    CU_TEST_INFO_NULL,
};
