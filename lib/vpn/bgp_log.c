/* SPDX-License-Identifier: Apache-2.0 */
/* A tunnel's BGP log: each step of the session and each route that comes, changes or goes,
 * with the fields that AWS's BGP logs have. RFC 4271, RFC 4486, RFC 4724. */
#include "bgp/trace.h"
#include "vpn/log.h"
#include "vpn/vpn.h"

#define BGP_VERSION 4

static s2svpn_context *ctx_of(const s2svpn_tunnel *t)
{
    return t->connection->object.ctx;
}

static bool wanted(const s2svpn_tunnel *t)
{
    return t->options.bgp_log != S2SVPN_LOG_OUTPUT_OFF && ctx_of(t)->options.tunnel_log != NULL;
}

/* ---- lines */

static void begin(struct s2_log_line *line, s2svpn_tunnel *t, const char *type, const char *status)
{
    char address[S2SVPN_ADDRESS_TEXT], resource[S2SVPN_ID_SIZE + S2SVPN_ADDRESS_TEXT + 1];

    s2svpn_address_print(s2_log_address(t), address);
    s2_print(resource, sizeof(resource), "%s_%s", t->connection->object.id.text, address);
    s2_log_begin(line, t, S2SVPN_TUNNEL_LOG_BGP);
    s2_log_word(line, "resource_id", resource);
    s2_log_time(line, S2_MS);
    s2_log_word(line, "type", type);
    s2_log_word(line, "status", status);
    s2_log_open(line, "message");
}

static void end(struct s2_log_line *line)
{
    s2_log_close(line);
    s2_log_end(line);
}

static bool is_up(const s2svpn_tunnel *t)
{
    struct s2_bgp_info info;

    if (t->bgp == NULL)
        return false;
    s2_bgp_get_info(t->bgp, &info);
    return info.state == S2_BGP_ESTABLISHED;
}

static void write_status(s2svpn_tunnel *t, const char *details)
{
    struct s2_log_line line;

    begin(&line, t, "BGPStatus", is_up(t) ? "UP" : "DOWN");
    s2_log_text(&line, "details", details);
    end(&line);
}

static void say(s2svpn_tunnel *t, const char *fmt, ...) S2SVPN_PRINTF(2, 3);
static void say(s2svpn_tunnel *t, const char *fmt, ...)
{
    char details[512];
    va_list args;

    if (!s2_log_may(t, S2_LOG_PACE_BGP))
        return;
    va_start(args, fmt);
    s2_print_v(details, sizeof(details), fmt, args);
    va_end(args);
    write_status(t, details);
}

void s2_log_bgp_left_out(s2svpn_tunnel *t, const char *text)
{
    if (wanted(t))
        write_status(t, text);
}

/* ---- the session */

static const char *neighbor(const s2svpn_tunnel *t, char out[S2SVPN_ADDRESS_TEXT])
{
    s2svpn_address_print(&t->inside_remote, out);
    return out;
}

static const char *side(const s2svpn_tunnel *t)
{
    return t->connection->device ? "Device-side" : "AWS-side";
}

void s2_log_bgp_state(s2svpn_tunnel *t, const char *from, const char *to, const char *why)
{
    char address[S2SVPN_ADDRESS_TEXT];

    if (wanted(t))
        say(t, "%s peer BGP session state has changed from %s to %s with neighbor %s%s%s", side(t),
            from, to, neighbor(t, address), why[0] != '\0' ? ": " : "", why);
}

void s2_log_bgp_notification(s2svpn_tunnel *t, bool sent, uint8_t code, uint8_t subcode,
                             const char *text)
{
    char address[S2SVPN_ADDRESS_TEXT], words[96];

    if (wanted(t))
        say(t, "%s peer %s NOTIFICATION %u/%u %s neighbor %s: %s%s%s", side(t),
            sent ? "sent" : "received", code, subcode, sent ? "to" : "from", neighbor(t, address),
            s2_bgp_notification_text(code, subcode, words, sizeof(words)),
            text[0] != '\0' ? ": " : "", text);
}

void s2_log_bgp_near_limit(s2svpn_tunnel *t, uint32_t count, uint32_t most)
{
    char address[S2SVPN_ADDRESS_TEXT];

    if (wanted(t))
        say(t, "%s peer warns: %u prefixes received from neighbor %s, the limit is %u", side(t),
            (unsigned)count, neighbor(t, address), (unsigned)most);
}

/* ", capabilities: IPv4 unicast, route refresh" */
static void print_capabilities(const struct s2_bgp_open *open, char *out, size_t size)
{
    const struct {
        bool has;
        const char *words;
    } all[] = {
        {open->families & S2_BGP_IPV4, "IPv4 unicast"},
        {open->families & S2_BGP_IPV6, "IPv6 unicast"},
        {open->four_octet_as, "four-octet AS"},
        {open->refresh, "route refresh"},
        {open->graceful_restart, "graceful restart"},
    };
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i].has)
            len += s2_print(out + len, size - len, "%s%s", len == 0 ? ", capabilities: " : ", ",
                            all[i].words);
    }
}

static void print_id(uint32_t id, char *out, size_t size)
{
    s2_print(out, size, "%u.%u.%u.%u", id >> 24, id >> 16 & 255, id >> 8 & 255, id & 255);
}

static void say_open(s2svpn_tunnel *t, const struct s2_bgp_trace *trace)
{
    const struct s2_bgp_open *open = trace->open;
    char address[S2SVPN_ADDRESS_TEXT], id[16], capabilities[128];

    print_id(open->router_id, id, sizeof(id));
    print_capabilities(open, capabilities, sizeof(capabilities));
    say(t, "%s peer %s OPEN %s neighbor %s: version %u, AS %u, hold time %u, router-id %s%s",
        side(t), trace->sent ? "sent" : "received", trace->sent ? "to" : "from",
        neighbor(t, address), BGP_VERSION, open->asn, open->hold_time_s, id, capabilities);
}

static void say_bad_open(s2svpn_tunnel *t, const struct s2_bgp_trace *trace)
{
    char address[S2SVPN_ADDRESS_TEXT], words[96], id[16];

    print_id(trace->open->router_id, id, sizeof(id));
    say(t,
        "%s peer received a bad OPEN from neighbor %s: %s: remote AS %u, expected %u, hold time "
        "%u, router-id %s",
        side(t), neighbor(t, address),
        s2_bgp_notification_text(trace->error->code, trace->error->subcode, words, sizeof(words)),
        trace->open->asn, trace->asn, trace->open->hold_time_s, id);
}

static void say_end_of_rib(s2svpn_tunnel *t, const struct s2_bgp_trace *trace)
{
    const bool ipv4 = trace->families & S2_BGP_IPV4, ipv6 = trace->families & S2_BGP_IPV6;
    char address[S2SVPN_ADDRESS_TEXT];

    say(t, "%s peer %s End-of-RIB %s neighbor %s: %s%s%s unicast", side(t),
        trace->sent ? "sent" : "received", trace->sent ? "to" : "from", neighbor(t, address),
        ipv4 ? "IPv4" : "", ipv4 && ipv6 ? ", " : "", ipv6 ? "IPv6" : "");
}

/* ---- routes */

static void print_path(const struct s2_bgp_attributes *a, struct s2_buffer *out)
{
    for (size_t i = 0; i < a->as_count; i++)
        s2_buffer_print(out, "%s%u", i > 0 ? " " : "", (unsigned)a->as_path[i]);
}

static void add_attributes(struct s2_log_line *line, const struct s2_bgp_attributes *a)
{
    struct s2_buffer path;

    for (int i = 0; a == NULL && i < 3; i++)
        s2_log_none(line);
    if (a == NULL)
        return;
    s2_buffer_init(&path, line->text.memory, 4096);
    print_path(a, &path);
    s2_log_text(line, "asPath", path.data != NULL ? path.data : "");
    if (path.rc != S2SVPN_OK) /* a part of it would be worse than no line */
        line->text.rc = path.rc;
    s2_buffer_clear(&path);
    s2_log_number(line, "localPref", a->has_local_pref ? a->local_pref : 100);
    s2_log_number(line, "med", a->has_med ? a->med : 0);
}

static void write_route(s2svpn_tunnel *t, const struct s2_bgp_trace *trace)
{
    const struct s2_bgp_attributes *a = trace->attributes;
    const s2svpn_address *from = trace->sent ? &t->inside_local : &t->inside_remote;
    const char *status = a == NULL ? "WITHDRAWN" : trace->fresh ? "ADVERTISED" : "UPDATED";
    char prefix[S2SVPN_PREFIX_TEXT], next_hop[S2SVPN_ADDRESS_TEXT];
    struct s2_log_line line;

    if (!s2_log_may(t, S2_LOG_PACE_ROUTES))
        return;
    s2svpn_prefix_print(trace->prefix, prefix);
    s2svpn_address_print(from, next_hop);
    begin(&line, t, "RouteStatus", status);
    s2_log_word(&line, "prefix", prefix);
    add_attributes(&line, a);
    s2_log_word(&line, "nextHopIp", next_hop);
    if (a != NULL)
        s2_log_number(&line, "weight", 0);
    else
        s2_log_none(&line);
    if (trace->why != NULL)
        s2_log_text(&line, "details", trace->why);
    end(&line);
}

void s2_log_bgp_trace(void *user, struct s2_bgp_peer *peer, const struct s2_bgp_trace *trace,
                      uint64_t now_ns)
{
    s2svpn_tunnel *t = user;
    char address[S2SVPN_ADDRESS_TEXT];

    (void)peer;
    (void)now_ns;
    if (!wanted(t))
        return;
    switch (trace->kind) {
    case S2_BGP_TRACE_OPEN:
        say_open(t, trace);
        break;
    case S2_BGP_TRACE_OPEN_BAD:
        say_bad_open(t, trace);
        break;
    case S2_BGP_TRACE_HOLD_EXPIRED:
        say(t, "%s peer hold timer expired: nothing from neighbor %s for %u seconds", side(t),
            neighbor(t, address), trace->hold_time_s);
        break;
    case S2_BGP_TRACE_LIMIT:
        say(t, "%s peer: prefix limit violated by neighbor %s: more than %u prefixes", side(t),
            neighbor(t, address), trace->most);
        break;
    case S2_BGP_TRACE_END_OF_RIB:
        say_end_of_rib(t, trace);
        break;
    default:
        write_route(t, trace);
    }
}
