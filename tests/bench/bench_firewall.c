/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What security groups cost a packet: s2_firewall_check with 5 groups of 60 rules, in
 * memory, one thread, batches of 64, beside the reading of its IP header (s2_inet_view),
 * which any packet costs, in the same run.
 *
 *     view       the header alone: what a port without groups pays
 *     known      view, and the check of packets of 4096 flows that are known
 *     known1     the same with one group of one rule
 *     opening    view, and the check of packets that each open a flow, by the last of the
 *                300 rules; the table is full, so that each pushes one out
 *     refused    view, and the check of packets that none of 300 rules allows
 *
 * The variants take turns for ROUNDS rounds; the figures are medians. Lines are "name
 * value unit" and "ratio name/view value", of packets a second. Argument: --quick.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "firewall/firewall.h"
#include "inet/inet.h"

#define BATCH 64
#define FLOWS 4096
#define GROUPS 5
#define RULES 60
#define ROUNDS 21
#define PACKET 60

enum variant { VIEW, KNOWN, KNOWN1, OPENING, REFUSED, VARIANTS };
static const char *const names[VARIANTS] = {"view", "known", "known1", "opening", "refused"};

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench_firewall: %s\n", what);
    exit(1);
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct bench {
    struct s2_env env;
    struct s2_epochs epochs;
    struct s2_firewall *fw;
    struct s2_firewall_port *many, *one;
    uint8_t packet[FLOWS][PACKET];
    uint32_t opened;
    uint64_t now_ns;
};

/* Rules that don't match but the last: TCP and UDP, one port each, from one net each. */
static void make_rules(struct s2_firewall_rule *rules, size_t n, bool last)
{
    for (size_t i = 0; i < n; i++) {
        rules[i] = (struct s2_firewall_rule){
            .protocol = i % 2 ? S2_IP_TCP : S2_IP_UDP, .from = 1000 + (int)i, .to = 1000 + (int)i};
        must(s2svpn_prefix_read("192.168.0.0/16", &rules[i].prefix), "prefix");
    }
    if (last) {
        rules[n - 1].protocol = S2_IP_UDP;
        rules[n - 1].from = rules[n - 1].to = 53;
    }
}

static struct s2_firewall_port *make_port(struct bench *b, size_t groups, size_t rules)
{
    struct s2_firewall_group *g[GROUPS];
    struct s2_firewall_rule r[RULES];
    struct s2_firewall_port *port;

    for (size_t i = 0; i < groups; i++) {
        make_rules(r, rules, i == groups - 1);
        must(s2_firewall_group_new(b->fw, &g[i]) == S2SVPN_OK &&
                 s2_firewall_group_set_rules(g[i], S2_FIREWALL_IN, r, rules) == S2SVPN_OK,
             "group");
    }
    must(s2_firewall_port_new(b->fw, &port) == S2SVPN_OK &&
             s2_firewall_port_set_groups(port, g, groups) == S2SVPN_OK,
         "port");
    return port;
}

static void make(struct bench *b)
{
    const s2svpn_address to = {.family = S2SVPN_FAMILY_IPV4, .bytes = {10, 0, 1, 10}};
    uint8_t data[PACKET - 28] = {0};

    *b = (struct bench){.env.memory = s2_memory_default(), .now_ns = 1000000000};
    s2_epochs_init(&b->epochs, 1);
    must(s2_firewall_new(&b->env, &b->epochs,
                         &(struct s2_firewall_limits){.flows = 65536, .port_flows = 65536},
                         &b->fw) == S2SVPN_OK,
         "memory");
    b->many = make_port(b, GROUPS, RULES);
    b->one = make_port(b, 1, 1);
    for (uint32_t i = 0; i < FLOWS; i++) {
        const s2svpn_address from = {.family = S2SVPN_FAMILY_IPV4,
                                     .bytes = {192, 168, (uint8_t)(i >> 8), (uint8_t)i}};

        must(s2_inet_write_udp(b->packet[i], PACKET, &from, (uint16_t)(5000 + i), &to, 53,
                               s2_span(data, sizeof(data))) == PACKET,
             "packet");
    }
}

/* The opening and the refused differ in their ports, which no checksum covers here. */
static size_t run_batch(struct bench *b, enum variant v, uint32_t from)
{
    struct s2_firewall_packet p[BATCH];
    struct s2_inet_view view[BATCH];

    for (uint32_t i = 0; i < BATCH; i++) {
        const uint8_t *bytes = b->packet[(from + i) % FLOWS];
        struct s2_inet_view *w = &view[i];

        must(s2_inet_view(bytes, PACKET, w), "view");
        if (v == OPENING)
            w->source_port = (uint16_t)(b->opened++ / FLOWS);
        else if (v == REFUSED)
            w->destination_port = 54;
        p[i] = (struct s2_firewall_packet){
            .port = v == KNOWN1 ? b->one : b->many,
            .source = &w->source,
            .destination = &w->destination,
            .protocol = w->protocol,
            .source_port = w->source_port,
            .destination_port = w->destination_port,
            .transport = s2_span(bytes + w->header_len, (size_t)w->total_len - w->header_len),
        };
    }
    return v == VIEW ? BATCH : s2_firewall_check(b->fw, S2_FIREWALL_IN, p, BATCH, b->now_ns);
}

static double run(struct bench *b, enum variant v, uint32_t packets)
{
    size_t passed = 0;
    const double start = seconds();

    b->now_ns += 1000000;
    for (uint32_t i = 0; i < packets; i += BATCH)
        passed += run_batch(b, v, i);
    must(passed == (v == REFUSED ? 0 : packets), "a packet was judged wrong");
    return packets / (seconds() - start);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static struct bench b;
    const bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    const unsigned rounds = quick ? 3 : ROUNDS;
    double rate[VARIANTS][ROUNDS];

    make(&b);
    for (unsigned r = 0; r < rounds; r++) {
        for (unsigned v = 0; v < VARIANTS; v++)
            rate[v][r] = run(&b, (enum variant)v, 64 * FLOWS / (quick ? 4 : 1));
    }
    for (unsigned v = 0; v < VARIANTS; v++) {
        qsort(rate[v], rounds, sizeof(double), compare);
        printf("firewall_%s %.2f Mpps\n", names[v], rate[v][rounds / 2] / 1e6);
        printf("firewall_%s_packet %.1f ns\n", names[v], 1e9 / rate[v][rounds / 2]);
    }
    for (unsigned v = KNOWN; v < VARIANTS; v++)
        printf("ratio firewall_%s/firewall_view %.3f\n", names[v],
               rate[v][rounds / 2] / rate[VIEW][rounds / 2]);
    return 0;
}
