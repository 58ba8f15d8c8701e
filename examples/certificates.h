/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of the two programs: files read, given to the context, read again, and their
 * end watched. The public API alone. */
#ifndef S2_EXAMPLES_CERTIFICATES_H
#define S2_EXAMPLES_CERTIFICATES_H

#include "program.h"

struct event;

/* Options that both programs have, for usage texts and getopt_long. */
#define CERTIFICATES_USAGE                                                                         \
    "  --certificate FILE, --private-key FILE, --authorities FILE, --crls FILE\n"                  \
    "                         PEM, where the document has no pre-shared key: ours with those\n"    \
    "                         above it, its key, whom we trust, their revocation lists\n"
enum {
    CERTIFICATES_CERTIFICATE = 1000,
    CERTIFICATES_PRIVATE_KEY,
    CERTIFICATES_AUTHORITIES,
    CERTIFICATES_CRLS
};
#define CERTIFICATES_OPTIONS                                                                       \
    {"certificate", required_argument, NULL, CERTIFICATES_CERTIFICATE},                            \
        {"private-key", required_argument, NULL, CERTIFICATES_PRIVATE_KEY},                        \
        {"authorities", required_argument, NULL, CERTIFICATES_AUTHORITIES},                        \
    {                                                                                              \
        "crls", required_argument, NULL, CERTIFICATES_CRLS                                         \
    }

struct certificates {
    struct program *program;
    /* Paths of PEM files, borrowed; NULL: not given. */
    const char *certificate, *private_key, *authorities, *crls;
    /* What is in use. */
    char subject[256];
    uint64_t not_after_s;
    struct event *hourly, *hangup;
};

/* False: it is none of these options. */
bool certificates_take(struct certificates *c, int option, const char *value);

/* Ends the program with status 2 unless all that is needed is given, or nothing is. */
void certificates_check(const struct program *p, const struct certificates *c);
bool certificates_given(const struct certificates *c);
/* Read the files and use them from now on; the log says what is wrong with them, and then
 * the former ones are still in use. */
bool certificates_read(struct certificates *c);
/* The first time; the end of the certificate is watched from then on. */
bool certificates_init(struct program *p, struct certificates *c);
/* Read them again on SIGHUP, for a program that reads nothing else then. */
bool certificates_on_hangup(struct certificates *c);
void certificates_clear(struct certificates *c);
/* A PEM text from a file, zero at its end, for free(); NULL: the log says why. */
char *certificates_text(const struct program *p, const char *path, bool secret);
/* Play a document's cloud end; the file with the device's certificate, NULL: there is none.
 * Ends the program if it can't be done. */
void certificates_play(const struct certificates *c, const char *device_certificate,
                       const s2svpn_device_config *config, s2svpn_virtual_gateway **vgw,
                       s2svpn_connection **conn);
/* "2027-01-31 12:00:00 UTC" */
char *certificates_date(uint64_t unix_s, char *out, size_t size);

#endif
