/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of s2svpn-ca. Exit status 0: done; 1: it couldn't be done; 2: wrong use. */
#include "ca/ca.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>

static void print_line(const char *form, va_list values)
{
    fputs(CA_PROGRAM ": ", stderr);
    vfprintf(stderr, form, values);
    fputc('\n', stderr);
}

void ca_fail(const char *form, ...)
{
    va_list values;

    va_start(values, form);
    print_line(form, values);
    va_end(values);
    exit(1);
}

void ca_usage_fail(const char *form, ...)
{
    va_list values;

    va_start(values, form);
    print_line(form, values);
    va_end(values);
    fputs("Try " CA_PROGRAM " --help.\n", stderr);
    exit(2);
}

void ca_crypto_fail(const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    ca_fail("%s: %s", what, reason != NULL ? reason : "OpenSSL failed");
}

static const char usage[] =
    "Usage: s2svpn-ca DIR COMMAND [options]\n"
    "\n"
    "A certificate authority in the folder DIR, for s2svpn's gateways and devices.\n"
    "\n"
    "  init                 make it: DIR/ca.pem (whom peers trust), ca.key, index.txt\n"
    "      --name DN        \"CN=Example VPN, O=Example\"\n"
    "      --intermediate   an authority below the root issues; ca.key may then leave\n"
    "                       this machine until it signs a revocation list\n"
    "      --days N         3650 if not given\n"
    "  issue NAME           make DIR/NAME.key and DIR/NAME.pem, a key and its chain\n"
    "      --subject DN     CN=NAME if not given\n"
    "      --dns NAME       a host name that its holder may call itself; any number\n"
    "      --ip ADDRESS     an address, likewise\n"
    "      --days N         365 if not given\n"
    "  sign CSR.pem         the same for a request: the key stays with its owner\n"
    "      --as NAME        of the files and in the index; the request's file name if\n"
    "                       not given; --subject, --dns, --ip replace what it asks for\n"
    "  revoke NAME|SERIAL   in the next revocation list\n"
    "  crl                  write DIR/crl.pem, the lists of all authorities here\n"
    "      --days N         until the next has to be there; 30 if not given\n"
    "  list                 what was issued\n"
    "\n"
    "  --ec, --rsa          with init and issue: keys on P-256, or RSA of 3072 bits;\n"
    "                       --ec if not given\n"
    "  --force              with init, issue and sign: write over what is there\n"
    "\n"
    "Exit status: 0 done, 1 not done, 2 wrong use.\n";

enum { TAKES_WHAT = 1, TAKES_KIND = 2, TAKES_DAYS = 4, TAKES_FORCE = 8, TAKES_NAMES = 16 };

static const struct command {
    const char *word;
    void (*run)(struct ca *ca, const struct ca_options *o);
    unsigned takes;
} commands[] = {
    {"init", ca_init, TAKES_KIND | TAKES_DAYS | TAKES_FORCE},
    {"issue", ca_issue, TAKES_WHAT | TAKES_KIND | TAKES_DAYS | TAKES_FORCE | TAKES_NAMES},
    {"sign", ca_sign, TAKES_WHAT | TAKES_DAYS | TAKES_FORCE | TAKES_NAMES},
    {"revoke", ca_revoke, TAKES_WHAT},
    {"crl", ca_crl, TAKES_DAYS},
    {"list", ca_list, 0},
};

static unsigned days_of(const char *text)
{
    char *end;
    const unsigned long n = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != 0 || n == 0 || n > 36500)
        ca_usage_fail("--days %s: not a number from 1 to 36500", text);
    return (unsigned)n;
}

static void add(const char *option, const char **list, size_t *count, const char *value)
{
    if (*count == CA_NAMES_MAX)
        ca_usage_fail("%s: more than %d", option, CA_NAMES_MAX);
    list[(*count)++] = value;
}

/* Options without a value; false: it is none of them. */
static bool read_switch(const struct command *c, const char *option, struct ca_options *o)
{
    if ((c->takes & TAKES_KIND) != 0 && strcmp(option, "--ec") == 0)
        o->kind = CA_EC;
    else if ((c->takes & TAKES_KIND) != 0 && strcmp(option, "--rsa") == 0)
        o->kind = CA_RSA;
    else if ((c->takes & TAKES_FORCE) != 0 && strcmp(option, "--force") == 0)
        o->force = true;
    else if (c->run == ca_init && strcmp(option, "--intermediate") == 0)
        o->intermediate = true;
    else
        return false;
    return true;
}

static void read_value(const struct command *c, const char *option, const char *value,
                       struct ca_options *o)
{
    const bool names = (c->takes & TAKES_NAMES) != 0;

    if ((c->takes & TAKES_DAYS) != 0 && strcmp(option, "--days") == 0)
        o->days = days_of(value != NULL ? value : "");
    else if (value == NULL)
        ca_usage_fail("%s: no such option of %s, or its value is missing", option, c->word);
    else if (c->run == ca_init && strcmp(option, "--name") == 0)
        o->subject = value;
    else if (names && strcmp(option, "--subject") == 0)
        o->subject = value;
    else if (names && strcmp(option, "--dns") == 0)
        add(option, o->dns, &o->dns_count, value);
    else if (names && strcmp(option, "--ip") == 0)
        add(option, o->ip, &o->ip_count, value);
    else if (c->run == ca_sign && strcmp(option, "--as") == 0)
        o->alias = value;
    else
        ca_usage_fail("%s: no such option of %s", option, c->word);
}

static void read_options(const struct command *c, char **argv, struct ca_options *o)
{
    for (; *argv != NULL; argv++) {
        if (strncmp(*argv, "--", 2) == 0) {
            if (!read_switch(c, *argv, o)) {
                read_value(c, argv[0], argv[1], o);
                argv++;
            }
        } else if ((c->takes & TAKES_WHAT) != 0 && o->what == NULL) {
            o->what = *argv;
        } else {
            ca_usage_fail("%s: one word too many for %s", *argv, c->word);
        }
    }
    if ((c->takes & TAKES_WHAT) != 0 && o->what == NULL)
        ca_usage_fail("%s: of what?", c->word);
}

int main(int argc, char **argv)
{
    struct ca_options options = {.kind = CA_EC};
    const struct command *command = NULL;
    struct ca ca;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return 0;
        }
    }
    if (argc < 3)
        ca_usage_fail("a folder and a command are needed");
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(argv[2], commands[i].word) == 0)
            command = &commands[i];
    }
    if (command == NULL)
        ca_usage_fail("%s: no such command", argv[2]);
    read_options(command, argv + 3, &options);
    umask(022);
    ca_open(&ca, argv[1], command->run == ca_init);
    command->run(&ca, &options);
    if (fflush(stdout) != 0)
        ca_fail("standard output can't be written");
    return 0;
}
