/* SPDX-License-Identifier: Apache-2.0 */
/* Subcommands for a gateway that plays: a line is asked, the answer is printed. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "control/ask.h"
#include "gateway/gateway.h"

#define NAME "s2svpn-gateway"
#define LINE_SIZE 256

static const struct {
    const char *name;
    int least, most; /* words behind it */
    bool json;
} commands[] = {
    {"status", 0, 0, true},
    {"routes", 0, 0, true},
    {"rekey", 0, 1, false},
    {"fault", 2, 2, false},
};

static void usage(FILE *to)
{
    fputs("usage: s2svpn-gateway COMMAND [--control PATH]\n"
          "  status [--json]        the connection and its tunnels\n"
          "  routes [--json]        the VPC's route table, and what the device announced\n"
          "  rekey [TUNNEL]         rekey the child SA of a tunnel, or all\n"
          "  fault TUNNEL FAULT     do to a tunnel what AWS's endpoints do:\n"
          "      blackhole          silence, both ways, until clear\n"
          "      delete             the IKE SA is deleted; the device may begin anew\n"
          "      no-dpd             liveness checks unanswered, until clear\n"
          "      rekey-now          the child SA, then the IKE SA\n"
          "      bgp-reset          Cease, Administrative Reset\n"
          "      withdraw           all prefixes withdrawn, until clear\n"
          "      over-limit         Cease, Maximum Number of Prefixes Reached, until clear\n"
          "      maintenance        the endpoint is replaced\n"
          "      clear              what lasts ends\n"
          "TUNNEL is 1 or 2, an outside address of the gateway's, or vpn-.../1.\n"
          "The gateway's socket is by default " GATEWAY_CONTROL ".\n",
          to);
}

/* The line that is sent; false: it isn't allowed so. */
static bool write_line(char *out, size_t size, int argc, char **argv, bool json)
{
    const int words = argc - 1;
    size_t len;

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(argv[0], commands[i].name) != 0)
            continue;
        if (words < commands[i].least || words > commands[i].most || (json && !commands[i].json))
            return false;
    }
    snprintf(out, size, "%s%s", argv[0], json ? " json" : "");
    for (int i = 1; i < argc; i++) {
        len = strlen(out);
        if (!ask_is_word(argv[i]) || len + strlen(argv[i]) + 3 > size)
            return false;
        snprintf(out + len, size - len, " %s", argv[i]);
    }
    len = strlen(out);
    out[len] = '\n';
    out[len + 1] = 0;
    return true;
}

int client_run(int argc, char **argv)
{
    static const struct option names[] = {
        {"json", no_argument, NULL, 'j'},
        {"control", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *control = GATEWAY_CONTROL;
    char *word = argv[0];
    bool json = false, good = true;
    char line[LINE_SIZE];
    FILE *in;
    int c, status;

    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (c == 'j') {
            json = true;
        } else if (c == 'c') {
            control = optarg;
        } else if (c == 'h') {
            usage(stdout);
            return 0;
        } else {
            good = false;
        }
    }
    argv[optind - 1] = word; /* the options stand before it now */
    if (!good || !write_line(line, sizeof(line), argc - optind + 1, argv + optind - 1, json)) {
        usage(stderr);
        return 2;
    }
    in = ask(NAME, control, line);
    if (in == NULL)
        return 1;
    status = ask_copy(NAME, in);
    fclose(in);
    return status;
}
