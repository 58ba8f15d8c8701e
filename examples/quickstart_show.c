/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be seen: a line for each thing that happens, and a table at the end. In
 * colours on a terminal, plain elsewhere and where NO_COLOR is set. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "quickstart.h"

#define COLUMN 27
#define DIM "\033[2m"
#define BOLD "\033[1m"
#define RED "\033[31m"
#define GREEN "\033[32m"
#define BLUE "\033[34m"
#define MAGENTA "\033[35m"
#define CYAN "\033[36m"
#define PLAIN "\033[0m"

static const char *ink(const char *code)
{
    const char *term = getenv("TERM");

    if (!isatty(STDOUT_FILENO) || getenv("NO_COLOR") || term == NULL || strcmp(term, "dumb") == 0)
        return "";
    return code;
}

void show_begin(const struct quickstart *q)
{
    printf("%slibs2svpn %s: both ends of a Site-to-Site VPN connection in one process%s\n",
           ink(BOLD), s2svpn_version(), ink(PLAIN));
    if (q->fast)
        printf("It takes about 4 seconds; without --fast a tunnel is cut, too.\n\n");
    else
        printf("It takes about 40 seconds: AWS's timers are real.\n\n");
    fputs("  office host                  ┌── tunnel 1 ── 127.0.0.1 ──┐                  instance\n"
          "  192.168.1.9 ──── device ─────┤                           ├── gateway ───── 10.0.1.10\n"
          "               127.0.0.7       └── tunnel 2 ── 127.0.0.2 ──┘   AS 64512\n"
          "               AS 65000                                        VPC 10.0.0.0/16\n"
          "\n",
          stdout);
}

void show(const struct quickstart *q, const char *who, const char *format, ...)
{
    static const struct {
        const char *who, *colour;
    } colours[] = {{"gateway", BLUE}, {"device", MAGENTA}, {"office", CYAN}, {"!", RED}};
    const char *colour = "";
    va_list args;

    for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++) {
        if (strcmp(colours[i].who, who) == 0)
            colour = colours[i].colour;
    }
    printf("%s%6.2f s%s  %s%-7s%s  %s", ink(DIM), (double)(s2svpn_host_now() - q->start_ns) / 1e9,
           ink(PLAIN), ink(colour), who, ink(PLAIN),
           ink(who[0] ? strcmp(who, "!") == 0 ? RED : "" : DIM));
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("%s\n", ink(PLAIN));
}

/* ---- the table: a label and a column for each tunnel */

static void row(const char *label, const char *first, const char *second)
{
    printf("  %s%-20s%s%-*s %s\n", ink(DIM), label, ink(PLAIN), COLUMN, first, second);
}

/* One algorithm a line: they stand one behind the other with slashes. */
static void algorithm_rows(const char *label, const char *first, const char *second)
{
    while (*first || *second) {
        const size_t a = strcspn(first, "/"), b = strcspn(second, "/");

        printf("  %s%-20s%s%-*.*s %.*s\n", ink(DIM), label, ink(PLAIN), COLUMN, (int)a, first,
               (int)b, second);
        first += a + (first[a] == '/');
        second += b + (second[b] == '/');
        label = "";
    }
}

static void endpoint_row(const char *label, const s2svpn_endpoint *first,
                         const s2svpn_endpoint *second)
{
    char a[S2SVPN_ENDPOINT_TEXT], b[S2SVPN_ENDPOINT_TEXT];

    row(label, s2svpn_endpoint_print(first, a), s2svpn_endpoint_print(second, b));
}

static void address_row(const char *label, const s2svpn_address *first,
                        const s2svpn_address *second)
{
    char a[S2SVPN_ADDRESS_TEXT], b[S2SVPN_ADDRESS_TEXT];

    row(label, s2svpn_address_print(first, a), s2svpn_address_print(second, b));
}

static void count_row(const char *label, uint64_t first, uint64_t second)
{
    char a[24], b[24];

    snprintf(a, sizeof(a), "%llu", (unsigned long long)first);
    snprintf(b, sizeof(b), "%llu", (unsigned long long)second);
    row(label, a, b);
}

static void session_rows(const struct quickstart *q, const s2svpn_tunnel_info now[2])
{
    char prefixes[2][48];

    for (size_t i = 0; i < 2; i++)
        snprintf(prefixes[i], sizeof(prefixes[i]), "%u to device, %u to gateway",
                 now[i].accepted_routes, stage_tunnel(&q->gateway, i).accepted_routes);
    row("BGP session", s2svpn_bgp_state_text((enum s2svpn_bgp_state)now[0].bgp_state),
        s2svpn_bgp_state_text((enum s2svpn_bgp_state)now[1].bgp_state));
    row("prefixes", prefixes[0], prefixes[1]);
}

static void show_tunnels(const struct quickstart *q)
{
    const s2svpn_tunnel_info now[2] = {stage_tunnel(&q->device, 0), stage_tunnel(&q->device, 1)};
    s2svpn_tunnel_info was[2]; /* as they were when up, or are if they never were */

    for (size_t i = 0; i < 2; i++)
        was[i] = q->device.was[i].changed_ns ? q->device.was[i] : now[i];

    printf("\n  %20s%s%-*s tunnel 2%s\n", "", ink(BOLD), COLUMN, "tunnel 1", ink(PLAIN));
    row("state", now[0].up ? "up" : "down", now[1].up ? "up" : "down");
    session_rows(q, now);
    endpoint_row("device, outside", &was[0].local, &was[1].local);
    endpoint_row("gateway, outside", &was[0].remote, &was[1].remote);
    address_row("device, inside", &was[0].inside_local, &was[1].inside_local);
    address_row("gateway, inside", &was[0].inside_remote, &was[1].inside_remote);
    algorithm_rows("IKE", was[0].ike_algorithms, was[1].ike_algorithms);
    algorithm_rows("ESP", was[0].esp_algorithms, was[1].esp_algorithms);
    count_row("packets to gateway", now[0].packets_out, now[1].packets_out);
    count_row("packets to device", now[0].packets_in, now[1].packets_in);
}

/* How a route came into the table, in the EC2 API's words. */
static const char *origin_text(uint8_t origin)
{
    switch (origin) {
    case S2SVPN_ORIGIN_PROPAGATED:
        return "EnableVgwRoutePropagation";
    case S2SVPN_ORIGIN_CREATE_ROUTE:
        return "CreateRoute";
    default:
        return "CreateRouteTable";
    }
}

static void show_routes(const struct quickstart *q)
{
    s2svpn_route route[16];
    const size_t n = s2svpn_route_table_list(q->table, route, 16);

    printf("\n  %smain route table %s%s\n", ink(BOLD), s2svpn_route_table_id(q->table), ink(PLAIN));
    printf("  %s%-20s%-23s%-27s%-8s%s%s\n", ink(DIM), "destination", "target", "origin", "state",
           "path", ink(PLAIN));
    for (size_t i = 0; i < n && i < 16; i++) {
        const bool local = route[i].target == S2SVPN_TARGET_LOCAL;
        char text[S2SVPN_PREFIX_TEXT];

        printf("  %-20s%-23s%-27s%-8s", s2svpn_prefix_print(&route[i].prefix, text),
               local ? "local" : route[i].target_id.text, origin_text(route[i].origin),
               route[i].blackhole ? "blackhole" : "active");
        if (local)
            printf("in the VPC\n");
        else if (route[i].usable)
            printf("tunnel %u\n", q->gateway.route_tunnel + 1);
        else
            printf("none is up\n");
    }
}

/* What became of the way that a side sends by. */
static void path_row(const struct quickstart *q, const char *label, const struct side *side)
{
    if (side->moved_ns)
        printf("  %-20smoved from tunnel %zu to tunnel %u, %.1f s after the cut\n", label,
               q->cut_tunnel + 1, side->route_tunnel + 1,
               (double)(side->moved_ns - q->cut_ns) / 1e9);
    else
        printf("  %-20swas and is tunnel %u\n", label, side->route_tunnel + 1);
}

static void show_pings(const struct quickstart *q)
{
    const struct ping_sum sum = ping_sum(q, 0, PINGS_MAX);

    printf("\n  %spings%s               %zu sent, %zu answered, %zu lost\n", ink(BOLD), ink(PLAIN),
           sum.sent, sum.answered, sum.sent - sum.answered);
    if (sum.answered)
        printf("  latency             min %.2f, avg %.2f, max %.2f ms\n", sum.least_ms, sum.mean_ms,
               sum.most_ms);
    if (!q->moved_ns)
        return;
    path_row(q, "path to the VPC", &q->device);
    path_row(q, "path to the office", &q->gateway);
    printf("  failover            %.1f s after the cut\n", (double)(q->moved_ns - q->cut_ns) / 1e9);
}

void show_table(const struct quickstart *q)
{
    show_tunnels(q);
    show_routes(q);
    show_pings(q);
    if (q->pcap_path)
        printf("\n  %s: what was on the wire; IKE's port is %u, that of ESP in UDP %u\n",
               q->pcap_path, q->ike_port, q->natt_port);
    if (q->keylog_path)
        printf("  %s: the keys; whoever has them can read the traffic\n", q->keylog_path);
    if (q->pcap_path && q->keylog_path)
        printf("  WIRESHARK_CONFIG_DIR=%s tshark -o esp.enable_encryption_decode:TRUE \\\n"
               "      -d udp.port==%u,isakmp -d udp.port==%u,udpencap -r %s\n",
               q->keylog_path, q->ike_port, q->natt_port, q->pcap_path);
}

void show_verdict(const struct quickstart *q, const char *what_not)
{
    if (what_not)
        printf("\n%sIt did not work: %s.%s\n", ink(RED), what_not, ink(PLAIN));
    else if (q->fast)
        printf("\n%sBoth tunnels came up, BGP brought one prefix each way, pings crossed.%s\n",
               ink(GREEN), ink(PLAIN));
    else
        printf("\n%sBoth tunnels came up, BGP brought one prefix each way, pings crossed, and\n"
               "traffic moved from tunnel %zu to tunnel %zu when the first was cut.%s\n",
               ink(GREEN), q->cut_tunnel + 1, 2 - q->cut_tunnel, ink(PLAIN));
}
