/* SPDX-License-Identifier: Apache-2.0 */
/* Subcommands: a line is asked, the answer is printed; a capture is written to files, with
 * the rights of whoever asks. */
#include "device/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/ask.h"
#include "device/log.h"
#include "device/netlink.h"
#include "device/options.h"
#include "device/undo.h"

#define NAME "s2svpn-device"
#define FRAME_MAX 131072

struct request {
    const char *control;
    const char *command;
    const char *object; /* connection or tunnel; NULL: all */
    bool json;
    const char *pcap, *keylog;
    const char *seconds;
};

static void usage(FILE *to)
{
    fputs("usage: s2svpn-device COMMAND [options]\n"
          "  status [--json]            connections and tunnels\n"
          "  routes [--json]            what was learned, and what is in the host's table\n"
          "  up [CONNECTION]            start its tunnels, or all\n"
          "  down [CONNECTION]          close them and answer nobody\n"
          "  rekey [CONNECTION[.N]]     rekey its child SAs, or that of one tunnel, or all\n"
          "  rekey-ike [CONNECTION[.N]] the same of IKE SAs\n"
          "  reload                     as SIGHUP\n"
          "  capture CONNECTION.N --pcap FILE [--keylog DIR] [--seconds N]\n"
          "                             packets of a tunnel's outside; 60 seconds by default,\n"
          "                             0: until interrupted\n"
          "  clean                      take away what a killed device left in the host's table\n"
          "  --control PATH             the device's socket; default " CONTROL_DEFAULT "\n",
          to);
}

#define fail(...) ask_fail(NAME, __VA_ARGS__)

/* The line of command.h; false: it is too long. */
static bool write_line(const struct request *r, char *line, size_t size)
{
    int len;

    if (strcmp(r->command, "capture") == 0)
        len = snprintf(line, size, "capture %s %s%s\n", r->object, r->seconds,
                       r->keylog ? " keys" : "");
    else
        len = snprintf(line, size, "%s%s%s\n", r->command, r->object || r->json ? " " : "",
                       r->object ? r->object
                       : r->json ? "json"
                                 : "");
    return len > 0 && (size_t)len < size;
}

/* ---- captures */

static FILE *create(const char *path, int how)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | how, 0600);
    FILE *f = fd >= 0 ? fdopen(fd, how & O_APPEND ? "ae" : "we") : NULL;

    if (f == NULL)
        fail("%s: %s", path, strerror(errno));
    return f;
}

static bool append_key(const char *folder, const char *name, const uint8_t *p, size_t len)
{
    char path[4200];
    FILE *f;
    bool ok;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = create(path, O_APPEND);
    if (f == NULL)
        return false;
    ok = fwrite(p, 1, len, f) == len && fputc('\n', f) != EOF;
    if (fclose(f) != 0 || !ok)
        return fail("%s: %s", path, strerror(errno)) == 0;
    return true;
}

static bool take_frame(const struct request *r, FILE *pcap, char kind, const uint8_t *p, size_t len)
{
    switch (kind) {
    case 'p':
        if (fwrite(p, 1, len, pcap) == len && fflush(pcap) == 0)
            return true;
        return fail("%s: %s", r->pcap, strerror(errno)) == 0;
    case 'i':
        return append_key(r->keylog, "ikev2_decryption_table", p, len);
    case 'e':
        return append_key(r->keylog, "esp_sa", p, len);
    default:
        fprintf(stderr, "%.*s\n", (int)len, (const char *)p);
        return true;
    }
}

static int capture(FILE *in, const struct request *r)
{
    FILE *pcap = create(r->pcap, O_TRUNC);
    uint8_t *frame = malloc(FRAME_MAX);
    int status = pcap && frame ? 0 : 1;
    int kind;
    uint32_t len;

    while (status == 0 && (kind = fgetc(in)) != EOF) {
        if (fread(&len, sizeof(len), 1, in) != 1 || ntohl(len) > FRAME_MAX ||
            fread(frame, 1, ntohl(len), in) != ntohl(len))
            status = fail("the device closed the connection");
        else if (!take_frame(r, pcap, (char)kind, frame, ntohl(len)))
            status = 1;
    }
    if (frame)
        explicit_bzero(frame, FRAME_MAX);
    free(frame);
    if (pcap && fclose(pcap) != 0)
        status = fail("%s: %s", r->pcap, strerror(errno));
    return status;
}

/* ---- what needs no device */

static int clean(const char *control)
{
    struct log log = {0};
    struct undo undo = {.fd = -1};
    struct netlink nl;
    const char *why;
    char path[4200];
    int failed;

    log_open(&log, NAME, S2SVPN_LOG_INFO);
    snprintf(path, sizeof(path), "%s.undo", control);
    if (access(path, F_OK) != 0)
        return errno == ENOENT ? 0 : fail("%s: %s", path, strerror(errno));
    why = undo_open(&undo, control);
    if (why)
        return fail("%s: %s", control, why);
    failed = netlink_open(&nl);
    if (failed) {
        undo_close(&undo, false);
        return fail("%s", strerror(failed));
    }
    undo_do(&undo, &nl, &log);
    netlink_close(&nl);
    undo_close(&undo, true);
    return 0;
}

/* ---- the command line */

static const struct {
    const char *name;
    bool object_needed, object_allowed;
} commands[] = {
    {"status", false, false}, {"routes", false, false}, {"up", false, true},
    {"down", false, true},    {"rekey", false, true},   {"reload", false, false},
    {"capture", true, true},  {"clean", false, false},  {"rekey-ike", false, true},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

bool client_is_command(const char *word)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(word, commands[i].name) == 0)
            return true;
    }
    return false;
}

/* False: it isn't allowed so. */
static bool check_request(const struct request *r)
{
    const bool captures = strcmp(r->command, "capture") == 0;
    const bool lists = strcmp(r->command, "status") == 0 || strcmp(r->command, "routes") == 0;

    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(r->command, commands[i].name) != 0)
            continue;
        if (r->object ? !commands[i].object_allowed : commands[i].object_needed)
            return false;
    }
    if (r->object && !ask_is_word(r->object))
        return false;
    return (!r->json || lists) && captures == (r->pcap != NULL) && (captures || !r->keylog);
}

static bool read_request(struct request *r, int argc, char **argv)
{
    static const struct option names[] = {
        {"json", no_argument, NULL, 'j'},
        {"control", required_argument, NULL, 'c'},
        {"pcap", required_argument, NULL, 'p'},
        {"keylog", required_argument, NULL, 'k'},
        {"seconds", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (c == 'j')
            r->json = true;
        else if (c == 'c')
            r->control = optarg;
        else if (c == 'p')
            r->pcap = optarg;
        else if (c == 'k')
            r->keylog = optarg;
        else if (c == 's')
            r->seconds = optarg;
        else if (c == 'h') {
            usage(stdout);
            exit(0);
        } else
            return false;
    }
    if (argc - optind > 1 || strspn(r->seconds, "0123456789") != strlen(r->seconds))
        return false;
    r->object = optind < argc ? argv[optind] : NULL;
    return check_request(r);
}

int client_run(int argc, char **argv)
{
    struct request r = {.control = CONTROL_DEFAULT, .command = argv[0], .seconds = "60"};
    char line[512];
    FILE *in;
    int status;

    if (!read_request(&r, argc, argv) || !write_line(&r, line, sizeof(line))) {
        usage(stderr);
        return 2;
    }
    if (strcmp(r.command, "clean") == 0)
        return clean(r.control);
    in = ask(NAME, r.control, line);
    if (in == NULL)
        return 1;
    status = r.pcap ? capture(in, &r) : ask_copy(NAME, in);
    fclose(in);
    return status;
}
