/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s2svpn-ca: a small certificate authority in a folder, for gateways and devices that prove
 * themselves by certificates. OpenSSL's libcrypto and the C library alone.
 *
 *     main.c    command line
 *     files.c   the folder: lock, reading, writing so that a crash leaves the old or the new
 *     index.c   index.txt: what was issued and what was revoked
 *     name.c    subjects and alternative names
 *     make.c    keys, certificates, revocation lists
 *     issue.c   init, issue, sign
 *     revoke.c  revoke, crl, list
 *
 * Every function ends the program with a message and status 1 if it can't do its work.
 * Memory is given back by the program's end.
 */
#ifndef S2_EXAMPLES_CA_H
#define S2_EXAMPLES_CA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <openssl/x509v3.h>

#define CA_PROGRAM "s2svpn-ca"
#define CA_NAME_MAX 64
#define CA_SUBJECT_MAX 512
#define CA_SERIAL_MAX 40 /* hexadecimal digits of 20 bytes, RFC 5280 section 4.1.2.2 */
#define CA_TIME_SIZE 24  /* "2027-01-14T08:00:00Z" */
#define CA_NAMES_MAX 32

/* Files in the folder. NAME.pem and NAME.key are what was issued to NAME. */
#define CA_ROOT "ca"                   /* ca.pem: whom the peers trust; ca.key */
#define CA_INTERMEDIATE "intermediate" /* issues in the root's place, if it is there */
#define CA_CRL "crl.pem"
#define CA_CRL_NUMBER "crl-number"
#define CA_INDEX "index.txt"

enum ca_kind { CA_EC, CA_RSA };

/* The command line behind the folder and the command. */
struct ca_options {
    const char *what; /* NAME, SERIAL or CSR.pem */
    const char *subject;
    const char *alias; /* --as */
    const char *dns[CA_NAMES_MAX], *ip[CA_NAMES_MAX];
    size_t dns_count, ip_count;
    unsigned days; /* 0: the command's own */
    enum ca_kind kind;
    bool force, intermediate;
};

struct ca {
    const char *folder;
    int fd; /* of the folder, locked */
};

/* One who signs. */
struct ca_signer {
    X509 *x;
    EVP_PKEY *key;
};

struct ca_entry {
    bool revoked;
    char serial[CA_SERIAL_MAX + 1];
    char until[CA_TIME_SIZE], revoked_at[CA_TIME_SIZE]; /* "-": not */
    char issuer[CA_NAME_MAX + 1];                       /* CA_ROOT or CA_INTERMEDIATE */
    char name[CA_NAME_MAX + 1];
    char subject[CA_SUBJECT_MAX];
};
struct ca_index {
    struct ca_entry *entry;
    size_t count;
};

/* ---- main.c */

/* Print and end the program with status 1; the second adds what OpenSSL says. */
_Noreturn void ca_fail(const char *form, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void ca_crypto_fail(const char *what);
/* The first with status 2. */
_Noreturn void ca_usage_fail(const char *form, ...) __attribute__((format(printf, 1, 2)));

/* ---- files.c */

/* Opens and locks the folder; create: makes it, if it isn't there. */
void ca_open(struct ca *ca, const char *folder, bool create);
bool ca_exists(const struct ca *ca, const char *file);
/* The whole file and a zero byte behind it. A secret one must be ours alone. */
char *ca_read(const struct ca *ca, const char *file, bool secret, size_t *len);
/* The same for a path of the command line. */
char *ca_read_path(const char *path, size_t *len);
void ca_write(const struct ca *ca, const char *file, const char *text, size_t len, bool secret);
/* name and suffix; borrowed until the fourth call after this one. */
const char *ca_file(const char *name, const char *suffix);

/* ---- index.c */

void ca_index_read(const struct ca *ca, struct ca_index *index);
void ca_index_write(const struct ca *ca, const struct ca_index *index);
struct ca_entry *ca_index_add(struct ca_index *index, const X509 *x, const char *issuer,
                              const char *name);
/* The one valid certificate of a name, or that of a serial number. */
struct ca_entry *ca_index_find(struct ca_index *index, const char *what);
void ca_time_text(time_t t, char out[CA_TIME_SIZE]);
time_t ca_time_of(const ASN1_TIME *t);
ASN1_TIME *ca_time_read(const char *text);

/* ---- name.c */

/* "CN=vpn.example, O=Example"; a backslash before a comma keeps it. */
X509_NAME *ca_subject_read(const char *option, const char *text);
void ca_subject_text(const X509_NAME *name, char out[CA_SUBJECT_MAX]);
/* NULL: none were given. */
GENERAL_NAMES *ca_names_of(const struct ca_options *o);
/* A name of files: letters, digits, ".", "_", "-". */
void ca_check_name(const char *name);

/* ---- make.c */

EVP_PKEY *ca_make_key(enum ca_kind kind);
/* RSA of 2048 to 8192 bits, or EC on P-256, P-384, P-521: what s2svpn takes. */
void ca_check_key(const EVP_PKEY *key, const char *whose);
enum ca_role { CA_IS_ROOT, CA_IS_ROOT_OF_OTHERS, CA_IS_INTERMEDIATE, CA_IS_LEAF };
/* by NULL: signed by own. It ends when its issuer does, if that is sooner. */
X509 *ca_make_certificate(enum ca_role role, const X509_NAME *subject, const GENERAL_NAMES *names,
                          EVP_PKEY *own, const struct ca_signer *by, unsigned days);
X509_CRL *ca_make_list(const struct ca_signer *by, const char *issuer, const struct ca_index *index,
                       unsigned days, uint64_t number);
void ca_write_certificates(const struct ca *ca, const char *name, X509 *first, X509 *second);
void ca_write_key(const struct ca *ca, const char *name, EVP_PKEY *key);
struct ca_signer ca_signer_of(const struct ca *ca, const char *name, bool with_key);

/* ---- the commands: issue.c, revoke.c */

void ca_init(struct ca *ca, const struct ca_options *o);
void ca_issue(struct ca *ca, const struct ca_options *o);
void ca_sign(struct ca *ca, const struct ca_options *o);
void ca_revoke(struct ca *ca, const struct ca_options *o);
void ca_crl(struct ca *ca, const struct ca_options *o);
void ca_list(struct ca *ca, const struct ca_options *o);

#endif
