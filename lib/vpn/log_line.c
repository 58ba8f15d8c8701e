/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the tunnels' own logs: values become JSON or plain text, each tunnel keeps its
 * pace, and what is ready waits until the outermost call hands it out. What a line is about
 * is tunnel_log.c's and bgp_log.c's business. */
#include "vpn/log.h"

#include <string.h>

#include "base/json.h"
#include "vpn/vpn.h"

#define LINE_MAX_BYTES 8192 /* an AS path of 255 numbers takes 2.8 kB */
#define WINDOW_NS S2_SECOND

struct waiting {
    struct s2_link in_context;
    s2svpn_tunnel_log_line line;
    char stream[S2SVPN_ID_SIZE + S2SVPN_ADDRESS_TEXT + 16];
    char text[];
};

struct s2_tunnel_log {
    s2svpn_tunnel *tunnel;
    struct s2_timer due; /* what was left out is told */
    struct {
        uint64_t since_ns;
        uint32_t lines, left_out;
    } pace[S2_LOG_PACES];
};

static const struct {
    uint32_t most;
    const char *words;
} paces[S2_LOG_PACES] = {
#define PACE(name, most, words) [S2_LOG_PACE_##name] = {(most), words},
    S2_LOG_PACE_LIST(PACE)
#undef PACE
};

static s2svpn_context *ctx_of(const s2svpn_tunnel *t)
{
    return t->connection->object.ctx;
}

/* ---- pace */

static void tell_left_out(struct s2_tunnel_log *log, enum s2_log_pace pace)
{
    const uint32_t left_out = log->pace[pace].left_out;
    char text[160];

    log->pace[pace].left_out = 0;
    if (left_out == 0)
        return;
    s2_print(text, sizeof(text), "%u %s were left out: more than %u in a second",
             (unsigned)left_out, paces[pace].words, (unsigned)paces[pace].most);
    if (pace == S2_LOG_PACE_BGP || pace == S2_LOG_PACE_ROUTES)
        s2_log_bgp_left_out(log->tunnel, text);
    else
        s2_log_ike_left_out(log->tunnel, text);
}

static uint64_t window_end(const struct s2_tunnel_log *log, size_t pace)
{
    return s2_after(log->pace[pace].since_ns, WINDOW_NS);
}

static void on_due(void *arg, uint64_t now_ns)
{
    struct s2_tunnel_log *log = arg;
    uint64_t next = S2SVPN_NEVER;

    for (size_t i = 0; i < S2_LOG_PACES; i++) {
        if (log->pace[i].left_out == 0)
            continue;
        if (window_end(log, i) <= now_ns)
            tell_left_out(log, (enum s2_log_pace)i);
        else if (window_end(log, i) < next)
            next = window_end(log, i);
    }
    if (next != S2SVPN_NEVER)
        s2_timer_set(&ctx_of(log->tunnel)->timers, &log->due, next);
}

static struct s2_tunnel_log *log_of(s2svpn_tunnel *t)
{
    if (t->log == NULL) {
        t->log = s2_alloc(&ctx_of(t)->env, sizeof(*t->log));
        if (t->log == NULL)
            return NULL; /* no line either, then */
        t->log->tunnel = t;
        s2_timer_init(&t->log->due, on_due, t->log);
    }
    return t->log;
}

bool s2_log_may(s2svpn_tunnel *t, enum s2_log_pace pace)
{
    s2svpn_context *ctx = ctx_of(t);
    struct s2_tunnel_log *log = log_of(t);

    if (log == NULL)
        return false;
    if (log->pace[pace].lines == 0 || ctx->now_ns >= window_end(log, pace)) {
        tell_left_out(log, pace);
        log->pace[pace].since_ns = ctx->now_ns;
        log->pace[pace].lines = 0;
    }
    if (log->pace[pace].lines < paces[pace].most && ctx->log_line_count < S2_LOG_LINES_MAX) {
        log->pace[pace].lines++;
        return true;
    }
    log->pace[pace].left_out++;
    if (!log->due.armed)
        s2_timer_set(&ctx->timers, &log->due, window_end(log, pace));
    return false;
}

void s2_tunnel_log_clear(s2svpn_tunnel *t)
{
    if (t->log == NULL)
        return;
    s2_timer_cancel(&ctx_of(t)->timers, &t->log->due);
    s2_free(&ctx_of(t)->env, t->log);
    t->log = NULL;
}

/* ---- values */

/* A date of the proleptic Gregorian calendar from days since 1970. */
static void date_of(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned y = 1970, m = 0;

    for (;; y++) {
        const bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

        if (days < 365u + leap)
            break;
        days -= 365u + leap;
    }
    for (;; m++) {
        const bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
        const unsigned length = lengths[m] + (m == 1 && leap ? 1u : 0u);

        if (days < length)
            break;
        days -= length;
    }
    *year = y;
    *month = m + 1;
    *day = (unsigned)days + 1;
}

static void print_time(uint64_t unix_ns, char *out, size_t size)
{
    const uint64_t s = unix_ns / S2_SECOND;
    const unsigned rest = (unsigned)(s % 86400);
    unsigned year, month, day;

    date_of(s / 86400, &year, &month, &day);
    s2_print(out, size, "%04u-%02u-%02u %02u:%02u:%02u.%03uZ", year, month, day, rest / 3600,
             rest / 60 % 60, rest % 60, (unsigned)(unix_ns % S2_SECOND / S2_MS));
}

static void name(struct s2_log_line *line, const char *name)
{
    if (!line->first)
        s2_buffer_add(&line->text, line->json ? "," : " ", 1);
    line->first = false;
    if (line->json)
        s2_buffer_print(&line->text, "\"%s\":", name);
}

void s2_log_text(struct s2_log_line *line, const char *member, const char *value)
{
    name(line, member);
    s2_json_string(&line->text, value);
}

void s2_log_word(struct s2_log_line *line, const char *member, const char *value)
{
    name(line, member);
    if (line->json)
        s2_json_string(&line->text, value);
    else
        s2_buffer_add(&line->text, value, strlen(value));
}

void s2_log_number(struct s2_log_line *line, const char *member, uint64_t value)
{
    name(line, member);
    s2_buffer_print(&line->text, "%llu", (unsigned long long)value);
}

void s2_log_none(struct s2_log_line *line)
{
    if (!line->json)
        s2_buffer_add(&line->text, " -", 2);
}

void s2_log_bool(struct s2_log_line *line, const char *member, bool value)
{
    name(line, member);
    s2_buffer_print(&line->text, value ? "true" : "false");
}

void s2_log_time(struct s2_log_line *line, uint64_t unit_ns)
{
    const uint64_t unix_ns = s2_unix_ns(ctx_of(line->tunnel));
    char text[40];

    s2_log_number(line, "event_timestamp", unix_ns / unit_ns);
    print_time(unix_ns, text, sizeof(text));
    s2_log_text(line, "timestamp", text);
}

void s2_log_open(struct s2_log_line *line, const char *member)
{
    if (!line->json)
        return;
    name(line, member);
    s2_buffer_add(&line->text, "{", 1);
    line->first = true;
}

void s2_log_close(struct s2_log_line *line)
{
    if (line->json)
        s2_buffer_add(&line->text, "}", 1);
    line->first = false;
}

/* ---- a line */

const s2svpn_address *s2_log_address(const s2svpn_tunnel *t)
{
    return t->connection->device ? &t->ike.remote : &t->ike.local.address;
}

void s2_log_begin(struct s2_log_line *line, s2svpn_tunnel *t, enum s2svpn_tunnel_log_kind kind)
{
    const uint8_t output = kind == S2SVPN_TUNNEL_LOG_IKE ? t->options.log : t->options.bgp_log;

    *line = (struct s2_log_line){.tunnel = t,
                                 .kind = (uint32_t)kind,
                                 .json = output != S2SVPN_LOG_OUTPUT_TEXT,
                                 .first = true};
    s2_buffer_init(&line->text, &ctx_of(t)->memory, LINE_MAX_BYTES);
    if (line->json)
        s2_buffer_add(&line->text, "{", 1);
}

static void put(struct s2_log_line *line)
{
    const s2svpn_tunnel *t = line->tunnel;
    s2svpn_context *ctx = ctx_of(t);
    char address[S2SVPN_ADDRESS_TEXT];
    struct waiting *w = s2_alloc(&ctx->env, sizeof(*w) + line->text.len + 1);

    if (w == NULL)
        return;
    s2svpn_address_print(s2_log_address(t), address);
    s2_print(w->stream, sizeof(w->stream), "%s-%s-%s.log", t->connection->object.id.text, address,
             line->kind == S2SVPN_TUNNEL_LOG_IKE ? "IKE" : "BGP");
    memcpy(w->text, line->text.data, line->text.len + 1);
    w->line = (s2svpn_tunnel_log_line){.size = sizeof(w->line),
                                       .kind = line->kind,
                                       .tunnel = t->index,
                                       .connection = t->connection->object.id,
                                       .unix_ns = s2_unix_ns(ctx)};
    s2_list_append(&ctx->log_lines, &w->in_context);
    ctx->log_line_count++;
}

void s2_log_end(struct s2_log_line *line)
{
    if (line->json)
        s2_buffer_add(&line->text, "}", 1);
    if (line->text.rc == S2SVPN_OK)
        put(line);
    s2_buffer_clear(&line->text);
}

bool s2_logs_deliver(s2svpn_context *ctx)
{
    struct s2_link *it;
    bool any = false;

    while ((it = s2_list_take_first(&ctx->log_lines)) != NULL) {
        struct waiting *w = S2_CONTAINER(it, struct waiting, in_context);

        ctx->log_line_count--;
        any = true;
        w->line.stream = w->stream;
        w->line.line = w->text;
        ctx->options.tunnel_log(ctx->options.tunnel_log_user, &w->line);
        s2_free(&ctx->env, w);
    }
    return any;
}

void s2_logs_clear(s2svpn_context *ctx)
{
    struct s2_link *it;

    while ((it = s2_list_take_first(&ctx->log_lines)) != NULL)
        s2_free(&ctx->env, S2_CONTAINER(it, struct waiting, in_context));
    ctx->log_line_count = 0;
}
