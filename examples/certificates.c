/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates from files. */
#include "certificates.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_MAX (16u << 20) /* revocation lists may be long */
#define DAY_S 86400u
#define SOON_S (30 * DAY_S)

static void say(const struct program *p, s2svpn_log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void say(const struct program *p, s2svpn_log_level level, const char *fmt, ...)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    char line[4700];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    if (p->log)
        p->log(p->user, level, line);
    else if (level <= p->log_level)
        fprintf(stderr, "%s: %s: %s\n", p->name, names[level], line);
}

bool certificates_take(struct certificates *c, int option, const char *value)
{
    switch (option) {
    case CERTIFICATES_CERTIFICATE:
        c->certificate = value;
        return true;
    case CERTIFICATES_PRIVATE_KEY:
        c->private_key = value;
        return true;
    case CERTIFICATES_AUTHORITIES:
        c->authorities = value;
        return true;
    case CERTIFICATES_CRLS:
        c->crls = value;
        return true;
    default:
        return false;
    }
}

bool certificates_given(const struct certificates *c)
{
    return c->certificate != NULL;
}

void certificates_check(const struct program *p, const struct certificates *c)
{
    const bool all = c->certificate && c->private_key && c->authorities;

    if (all || (!c->certificate && !c->private_key && !c->authorities && !c->crls))
        return;
    fprintf(stderr, "%s: --certificate, --private-key and --authorities belong together\n",
            p->name);
    exit(2);
}

/* ---- files */

/* Whoever reads the key can be us. */
static bool is_private(const struct program *p, const char *path, const struct stat *s)
{
    if (!S_ISREG(s->st_mode)) {
        say(p, S2SVPN_LOG_ERROR, "%s: not a file", path);
        return false;
    }
    if ((s->st_mode & (S_IRWXG | S_IRWXO)) == 0)
        return true;
    say(p, S2SVPN_LOG_ERROR,
        "%s: others than its owner may use it, and it holds the private key (chmod 600)", path);
    return false;
}

static char *read_all(int fd, size_t *len)
{
    size_t room = 65536, n = 0;
    char *text = malloc(room + 1);

    while (text) {
        const ssize_t got = read(fd, text + n, room - n);

        if (got < 0)
            break;
        n += (size_t)got;
        if (got == 0) {
            text[n] = 0;
            *len = n;
            return text;
        }
        if (n < room)
            continue;

        char *more = room < FILE_MAX ? malloc(2 * room + 1) : NULL;

        if (more)
            memcpy(more, text, n);
        else
            errno = room < FILE_MAX ? ENOMEM : EFBIG;
        explicit_bzero(text, n);
        free(text);
        text = more;
        room *= 2;
    }
    if (text)
        explicit_bzero(text, n);
    free(text);
    return NULL;
}

char *certificates_text(const struct program *p, const char *path, bool secret)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = NULL;
    struct stat s;
    size_t len = 0;

    if (fd < 0 || fstat(fd, &s) != 0) {
        say(p, S2SVPN_LOG_ERROR, "%s: %s", path, strerror(errno));
    } else if (!secret || is_private(p, path, &s)) {
        text = read_all(fd, &len);
        if (text == NULL)
            say(p, S2SVPN_LOG_ERROR, "%s: %s", path, strerror(errno));
    }
    if (fd >= 0)
        close(fd);
    return text;
}

static void free_text(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

/* ---- dates */

char *certificates_date(uint64_t unix_s, char *out, size_t size)
{
    const time_t t = (time_t)unix_s;
    struct tm tm;

    if (gmtime_r(&t, &tm) == NULL || strftime(out, size, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
        snprintf(out, size, "?");
    return out;
}

static void watch_end(const struct certificates *c)
{
    const uint64_t now = (uint64_t)time(NULL);
    char date[32];

    certificates_date(c->not_after_s, date, sizeof(date));
    if (now >= c->not_after_s)
        say(c->program, S2SVPN_LOG_ERROR, "our certificate has expired, at %s: no peer takes it",
            date);
    else if (c->not_after_s - now < SOON_S)
        say(c->program, S2SVPN_LOG_WARNING, "our certificate expires in %llu days, at %s",
            (unsigned long long)((c->not_after_s - now) / DAY_S), date);
}

/* Told once a day. */
static void on_hour(evutil_socket_t fd, short what, void *arg)
{
    const struct certificates *c = arg;

    (void)fd;
    (void)what;
    if ((uint64_t)time(NULL) % DAY_S < 3600)
        watch_end(c);
}

/* ---- into the context */

static bool set(struct certificates *c, const s2svpn_certificates *given)
{
    s2svpn_certificate_info info = {.size = sizeof(info)};
    s2svpn_context *ctx = c->program->ctx;
    const s2svpn_error *why = s2svpn_context_error(ctx);
    const struct {
        const char *field, *path;
    } files[] = {{"chain", c->certificate},
                 {"private_key", c->private_key},
                 {"authorities", c->authorities},
                 {"crls", c->crls}};
    const char *path = "certificates";
    char date[32];

    if (s2svpn_context_set_certificates(ctx, given) != S2SVPN_OK ||
        s2svpn_certificate_read(ctx, given->chain, strlen(given->chain), &info) != S2SVPN_OK) {
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
            if (files[i].path && strcmp(files[i].field, why->field) == 0)
                path = files[i].path;
        }
        say(c->program, S2SVPN_LOG_ERROR, "%s: %s", path, why->message);
        return false;
    }
    memcpy(c->subject, info.subject, sizeof(c->subject));
    c->not_after_s = info.not_after_s;
    say(c->program, S2SVPN_LOG_INFO, "our certificate: %s, serial %s, by %s, valid until %s%s",
        info.subject, info.serial, info.issuer,
        certificates_date(info.not_after_s, date, sizeof(date)),
        c->crls ? "" : "; nobody's revocation is checked (--crls)");
    watch_end(c);
    return true;
}

bool certificates_read(struct certificates *c)
{
    s2svpn_certificates given = S2SVPN_CERTIFICATES_INIT;
    char *chain, *key, *authorities, *crls;
    bool ok;

    if (!certificates_given(c))
        return true;
    chain = certificates_text(c->program, c->certificate, false);
    key = certificates_text(c->program, c->private_key, true);
    authorities = certificates_text(c->program, c->authorities, false);
    crls = c->crls ? certificates_text(c->program, c->crls, false) : NULL;
    given.chain = chain;
    given.private_key = key;
    given.authorities = authorities;
    given.crls = crls;
    ok = chain && key && authorities && (crls || c->crls == NULL) && set(c, &given);
    free_text(chain);
    free_text(key);
    free_text(authorities);
    free_text(crls);
    return ok;
}

bool certificates_init(struct program *p, struct certificates *c)
{
    const struct timeval hour = {3600, 0};

    c->program = p;
    if (!certificates_given(c))
        return true;
    if (!certificates_read(c))
        return false;
    c->hourly = event_new(p->base, -1, EV_PERSIST, on_hour, c);
    return c->hourly && event_add(c->hourly, &hour) == 0;
}

static void on_hangup(evutil_socket_t number, short what, void *arg)
{
    struct certificates *c = arg;

    (void)number;
    (void)what;
    if (!certificates_given(c))
        say(c->program, S2SVPN_LOG_INFO, "there is nothing to read again");
    else if (certificates_read(c))
        say(c->program, S2SVPN_LOG_INFO, "certificates read again");
}

bool certificates_on_hangup(struct certificates *c)
{
    c->hangup = evsignal_new(c->program->base, SIGHUP, on_hangup, c);
    return c->hangup && event_add(c->hangup, NULL) == 0;
}

void certificates_clear(struct certificates *c)
{
    if (c->hourly)
        event_free(c->hourly);
    if (c->hangup)
        event_free(c->hangup);
    c->hourly = c->hangup = NULL;
}

void certificates_play(const struct certificates *c, const char *device_certificate,
                       const s2svpn_device_config *config, s2svpn_virtual_gateway **vgw,
                       s2svpn_connection **conn)
{
    s2svpn_play_options options = S2SVPN_PLAY_OPTIONS_INIT;
    char *text = NULL;

    if (device_certificate) {
        text = certificates_text(c->program, device_certificate, false);
        if (text == NULL)
            exit(1);
    }
    options.device_certificate = text;
    if (s2svpn_gateway_play_with(c->program->ctx, config, &options, vgw, conn) != S2SVPN_OK)
        program_fail(c->program, s2svpn_context_error(c->program->ctx));
    free(text);
}
