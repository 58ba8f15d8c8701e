/* SPDX-License-Identifier: Apache-2.0 */
/* s2svpn-gateway examine: options, the scene, the reports. */
#include "examine/examine.h"
#include "gateway/gateway.h"

#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_S 60
#define TIMEOUT_S 1800

enum form { FORM_TEXT, FORM_JSON, FORM_JUNIT };
struct order {
    enum form form;
    const char *path; /* NULL: standard output */
};
struct orders {
    struct order order[REPORTS_MAX];
    size_t count;
};

static void usage(FILE *to)
{
    fputs("usage: s2svpn-gateway examine CONFIG.xml [options]\n"
          "Plays AWS's end of the document, and says what is wrong with the device that calls.\n"
          "  --ping ADDRESS         of a host behind the device, which answers pings\n"
          "  --report FORM[=PATH]   text (default), json or junit; again for more\n"
          "  --only STEP,...        \"failover\" or \"failover-1\"; --only help lists them\n"
          "  --wait SECONDS         for a tunnel to come up; default 60\n"
          "  --timeout SECONDS      for everything; default 1800, 0: none\n"
          "  --repeat[=COUNT]       again, until something fails, or so often\n"
          "  --vpc CIDR, --instance ADDRESS, --vpc6 CIDR, --instance6 ADDRESS, --route PREFIX,\n"
          "  --ports IKE,NATT, --peer-ports IKE,NATT, --start, --encapsulation auto|udp|raw,\n"
          "  --no-offload WHAT, --keylog DIR, --verbose, --version, --help: as with --play\n"
          "Exit status: 0 nothing failed, 1 something did, 2 wrong usage.\n",
          to);
}

static void list_steps(void)
{
    for (size_t i = 0; i < step_count; i++)
        printf("%-20s %s\n", steps[i].id, steps[i].what);
}

static uint32_t read_number(struct examine *x, const char *option, const char *text)
{
    char *end;
    const unsigned long value = strtoul(text, &end, 10);

    if (end == text || *end != 0 || value > 1000000)
        program_usage_error(&x->program, option, text);
    return (uint32_t)value;
}

static void read_order(struct examine *x, struct orders *orders, const char *text)
{
    static const char *const forms[] = {"text", "json", "junit"};
    const size_t len = strcspn(text, "=");

    for (size_t i = 0; i < 3 && orders->count < REPORTS_MAX; i++) {
        if (strlen(forms[i]) == len && memcmp(text, forms[i], len) == 0 &&
            (text[len] == 0 || text[len + 1] != 0)) {
            orders->order[orders->count++] =
                (struct order){.form = (enum form)i, .path = text[len] ? text + len + 1 : NULL};
            return;
        }
    }
    program_usage_error(&x->program, "--report", text);
}

enum { OPTION_PING = 256, OPTION_REPORT, OPTION_ONLY, OPTION_WAIT, OPTION_TIMEOUT, OPTION_REPEAT };

static const struct option names[] = {
    {"ping", required_argument, NULL, OPTION_PING},
    {"report", required_argument, NULL, OPTION_REPORT},
    {"only", required_argument, NULL, OPTION_ONLY},
    {"wait", required_argument, NULL, OPTION_WAIT},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"repeat", optional_argument, NULL, OPTION_REPEAT},
    {"vpc", required_argument, NULL, 'c'},
    {"instance", required_argument, NULL, 'i'},
    {"vpc6", required_argument, NULL, 'C'},
    {"instance6", required_argument, NULL, 'I'},
    {"route", required_argument, NULL, 'r'},
    {"ports", required_argument, NULL, 'p'},
    {"peer-ports", required_argument, NULL, 'q'},
    {"start", no_argument, NULL, 's'},
    {"encapsulation", required_argument, NULL, 'w'},
    {"no-offload", required_argument, NULL, 'o'},
    {"keylog", required_argument, NULL, 'k'},
    {"verbose", no_argument, NULL, 'd'},
    {"version", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* What --play has too. @return false: it hasn't. */
static bool read_plays(struct examine *x, int c)
{
    struct program *p = &x->program;

    switch (c) {
    case 'c':
        x->vpc = program_prefix(p, "--vpc", optarg);
        return true;
    case 'i':
        x->instance = program_address(p, "--instance", optarg);
        return true;
    case 'C':
        x->vpc_ipv6 = program_prefix(p, "--vpc6", optarg);
        return true;
    case 'I':
        x->instance_ipv6 = program_address(p, "--instance6", optarg);
        return true;
    case 'r':
        program_add_route(p, "--route", optarg);
        return true;
    case 'p':
        program_ports(p, "--ports", optarg, &p->ike_port, &p->natt_port);
        return true;
    case 'q':
        program_ports(p, "--peer-ports", optarg, &p->peer_ike_port, &p->peer_natt_port);
        return true;
    case 's':
        x->start = true;
        return true;
    case 'w':
        program_encapsulation(p, "--encapsulation", optarg);
        return true;
    case 'o':
        program_no_offload(p, "--no-offload", optarg);
        return true;
    case 'k':
        p->keylog = optarg;
        return true;
    case 'd':
        p->log_level = S2SVPN_LOG_DEBUG;
        return true;
    default:
        return false;
    }
}

static void read_own(struct examine *x, struct orders *orders, int c)
{
    switch (c) {
    case OPTION_PING:
        x->ping = program_address(&x->program, "--ping", optarg);
        break;
    case OPTION_REPORT:
        read_order(x, orders, optarg);
        break;
    case OPTION_ONLY:
        x->only = optarg;
        break;
    case OPTION_WAIT:
        x->wait_s = read_number(x, "--wait", optarg);
        break;
    case OPTION_TIMEOUT:
        x->timeout_s = read_number(x, "--timeout", optarg);
        break;
    case OPTION_REPEAT:
        x->repeat = optarg ? read_number(x, "--repeat", optarg) : 0;
        break;
    case 'v':
        printf("s2svpn-gateway %s\n", s2svpn_version());
        exit(0);
    case 'h':
        usage(stdout);
        exit(0);
    default:
        usage(stderr);
        exit(2);
    }
}

static void read_options(struct examine *x, struct orders *orders, int argc, char **argv)
{
    int c;

    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (!read_plays(x, c))
            read_own(x, orders, c);
    }
    if (x->only && strcmp(x->only, "help") == 0) {
        list_steps();
        exit(0);
    }
    if (optind + 1 != argc) {
        usage(stderr);
        exit(2);
    }
    x->document = argv[optind];
    if (orders->count == 0)
        orders->order[orders->count++] = (struct order){.form = FORM_TEXT};
    x->quiet = true;
    for (size_t i = 0; i < orders->count; i++)
        x->quiet = x->quiet && (orders->order[i].form != FORM_TEXT || orders->order[i].path);
}

/* ---- the scene */

static void must(const struct examine *x, s2svpn_status rc)
{
    if (rc != S2SVPN_OK)
        program_fail(&x->program, s2svpn_context_error(x->program.ctx));
}

static s2svpn_port_id build_vpc(const struct examine *x, s2svpn_virtual_gateway *vgw)
{
    s2svpn_vpc_spec vpc_spec = S2SVPN_VPC_INIT;
    s2svpn_subnet_spec subnet_spec = S2SVPN_SUBNET_INIT;
    s2svpn_port_spec port_spec = S2SVPN_PORT_INIT;
    s2svpn_vpc *vpc;
    s2svpn_subnet *subnet;
    s2svpn_port *port;
    s2svpn_route_table *table;
    s2svpn_port_id number;

    vpc_spec.cidr = subnet_spec.cidr = x->vpc;
    vpc_spec.ipv6_cidr = subnet_spec.ipv6_cidr = x->vpc_ipv6;
    must(x, s2svpn_vpc_new(x->program.ctx, &vpc_spec, &vpc));
    must(x, s2svpn_subnet_new(vpc, &subnet_spec, &subnet));
    port_spec.subnet = subnet;
    port_spec.address = x->instance;
    port_spec.ipv6_address = x->instance_ipv6;
    must(x, s2svpn_port_new(x->program.ctx, &port_spec, &port));
    must(x, s2svpn_virtual_gateway_attach(vgw, vpc));
    table = s2svpn_vpc_main_route_table(vpc);
    must(x, s2svpn_route_table_enable_propagation(table, vgw));
    number = s2svpn_port_number(port);
    s2svpn_route_table_release(table);
    s2svpn_port_release(port);
    s2svpn_subnet_release(subnet);
    s2svpn_vpc_release(vpc);
    return number;
}

static void print_phase(const s2svpn_config_phase *p, char *out, size_t size)
{
    const char *hash = p->integ == 2    ? "sha1"
                       : p->integ == 12 ? "sha2-256"
                       : p->integ == 13 ? "sha2-384"
                       : p->integ == 14 ? "sha2-512"
                                        : "";

    snprintf(out, size, "aes-%u-%s%s%s, group %u", p->key_bits, p->encr == 20 ? "gcm-16" : "cbc",
             hash[0] ? ", " : "", hash, p->ke);
}

static void note_document(struct examine *x, const s2svpn_device_config *config)
{
    struct facts *f = &x->now;

    f->bgp = !config->static_routes;
    f->limit = 100;
    f->customer_asn = config->tunnel[0].customer.asn;
    f->amazon_asn = config->tunnel[0].gateway.asn;
    s2svpn_address_print(&config->tunnel[0].customer.outside, f->customer);
    s2svpn_address_print(&x->ping, f->ping);
    s2svpn_address_print(&x->through.from, f->instance);
    s2svpn_prefix_print(x->ping.family == S2SVPN_FAMILY_IPV6 ? &x->vpc_ipv6 : &x->vpc, f->vpc);
    for (size_t t = 0; t < config->tunnel_count; t++) {
        s2svpn_address_print(&config->tunnel[t].gateway.outside, f->outside[t]);
        print_phase(&config->tunnel[t].ike, f->algorithms[t][0], sizeof(f->algorithms[t][0]));
        print_phase(&config->tunnel[t].ipsec, f->algorithms[t][1], sizeof(f->algorithms[t][1]));
    }
    snprintf(x->report.connection, sizeof(x->report.connection), "%s", config->connection.text);
    x->report.document = x->document;
}

static void on_inside(void *user, s2svpn_context *ctx, s2svpn_port_id port, const s2svpn_packet *p,
                      size_t n, uint64_t now_ns)
{
    struct examine *x = user;

    (void)ctx;
    for (size_t i = 0; i < n && port == x->through.port; i++)
        through_packet(&x->through, &p[i], now_ns);
}

/* The log is for --verbose; without it the report says what matters. */
static void on_log(void *user, s2svpn_log_level level, const char *line)
{
    const struct examine *x = user;

    if (x->program.log_level == S2SVPN_LOG_DEBUG || level == S2SVPN_LOG_ERROR)
        fprintf(stderr, "%s: %s\n", x->program.name, line);
}

static void open_scene(struct examine *x)
{
    s2svpn_device_config *config = program_config(&x->program, x->document);
    s2svpn_virtual_gateway *vgw;
    const char *bad;

    x->planned = plan_make(x->only, config->tunnel_count, x->plan, &bad);
    if (bad || x->planned == 0)
        program_usage_error(&x->program, "--only", bad ? bad : x->only);
    x->through.to = x->ping;
    x->through.from = x->ping.family == S2SVPN_FAMILY_IPV6 ? x->instance_ipv6 : x->instance;
    for (size_t i = 0; i < config->tunnel_count; i++)
        program_add_address(&x->program, &config->tunnel[i].gateway.outside);
    program_open(&x->program, S2SVPN_ROLE_GATEWAY);
    must(x, s2svpn_gateway_play(x->program.ctx, config, &vgw, &x->conn));
    note_document(x, config);
    s2svpn_config_free(config);
    x->through.ctx = x->program.ctx;
    x->through.port = build_vpc(x, vgw);
    s2svpn_virtual_gateway_release(vgw);
    s2svpn_host_on_inside(x->program.host, on_inside, x);
    program_add_connection(&x->program, x->conn);
    if (x->start)
        must(x, s2svpn_connection_start(x->conn));
}

/* ---- the reports */

static bool write_report(const struct examine *x, const struct order *order)
{
    FILE *to = order->path ? fopen(order->path, "w") : stdout;
    bool good;

    if (to == NULL) {
        fprintf(stderr, "%s: %s: %s\n", x->program.name, order->path, strerror(errno));
        return false;
    }
    if (order->form == FORM_JSON)
        report_json(to, &x->report);
    else if (order->form == FORM_JUNIT)
        report_junit(to, &x->report);
    else if (order->path)
        report_text(to, &x->report);
    else
        report_text_end(to, &x->report); /* the lines came as they were found */
    good = fflush(to) == 0 && !ferror(to);
    if (to != stdout && fclose(to) != 0)
        good = false;
    if (!good)
        fprintf(stderr, "%s: a report could not be written\n", x->program.name);
    return good;
}

int examine(int argc, char **argv)
{
    struct examine *x = calloc(1, sizeof(*x));
    struct orders orders = {0};
    bool good;

    if (x == NULL)
        return 1;
    x->program = (struct program){.name = "s2svpn-gateway",
                                  .log_level = S2SVPN_LOG_WARNING,
                                  .raw = S2SVPN_HOST_RAW_AUTO,
                                  .user = x,
                                  .log = on_log,
                                  .stopping = run_interrupt};
    x->wait_s = WAIT_S;
    x->timeout_s = TIMEOUT_S;
    x->repeat = 1;
    x->vpc = program_prefix(&x->program, "--vpc", "10.0.0.0/16");
    x->instance = program_address(&x->program, "--instance", "10.0.1.10");
    read_options(x, &orders, argc, argv);
    open_scene(x);
    run_begin(x);
    program_loop(&x->program);
    event_free(x->tick);
    program_close(&x->program);
    good = report_is_good(&x->report) && x->report.ended == NULL;
    for (size_t i = 0; i < orders.count; i++)
        good = write_report(x, &orders.order[i]) && good;
    report_clear(&x->report);
    free(x);
    return good ? 0 : 1;
}
