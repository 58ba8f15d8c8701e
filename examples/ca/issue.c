/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that make certificates: init, issue, sign. */
#include "ca/ca.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#define AUTHORITY_DAYS 3650
#define LEAF_DAYS 365

static void refuse_to_write_over(const struct ca *ca, const char *file, const struct ca_options *o)
{
    if (!o->force && ca_exists(ca, file))
        ca_fail("%s/%s: there already; --force writes over it", ca->folder, file);
}

static void say(const struct ca *ca, const char *name, const X509 *x)
{
    char subject[CA_SUBJECT_MAX], until[CA_TIME_SIZE];

    ca_subject_text(X509_get_subject_name(x), subject);
    ca_time_text(ca_time_of(X509_get0_notAfter(x)), until);
    printf("%s/%s.pem: %s, until %s\n", ca->folder, name, subject, until);
}

/* ---- init ---- */

/* The root's subject with another CN, for an authority below it. */
static X509_NAME *intermediate_name(const X509_NAME *root)
{
    X509_NAME *name = X509_NAME_dup(root);
    const int at = X509_NAME_get_index_by_NID(root, NID_commonName, -1);
    static const char text[] = "VPN issuing authority";

    if (name == NULL)
        ca_fail("out of memory");
    if (at >= 0)
        X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, at));
    if (X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const uint8_t *)text, -1,
                                   at >= 0 ? at : -1, 0) != 1)
        ca_crypto_fail("the intermediate authority's name");
    return name;
}

/* The old index and lists tell of certificates by another key: they go with it. An
 * intermediate authority's files are gone too, so that nothing is issued by it. */
void ca_init(struct ca *ca, const struct ca_options *o)
{
    static const char *const files[] = {CA_ROOT ".pem", CA_ROOT ".key", CA_INTERMEDIATE ".pem",
                                        CA_INTERMEDIATE ".key", CA_INDEX};
    X509_NAME *subject =
        ca_subject_read("--name", o->subject != NULL ? o->subject : "CN=VPN authority");
    const unsigned days = o->days != 0 ? o->days : AUTHORITY_DAYS;
    struct ca_index index = {.entry = NULL};
    struct ca_signer root = {.key = ca_make_key(o->kind)};

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        refuse_to_write_over(ca, files[i], o);
    if (!o->intermediate && ca_exists(ca, CA_INTERMEDIATE ".pem"))
        ca_fail("%s: has an intermediate authority: begin in another folder", ca->folder);
    root.x = ca_make_certificate(o->intermediate ? CA_IS_ROOT_OF_OTHERS : CA_IS_ROOT, subject, NULL,
                                 root.key, NULL, days);
    if (o->intermediate) {
        struct ca_signer below = {.key = ca_make_key(o->kind)};

        below.x = ca_make_certificate(CA_IS_INTERMEDIATE, intermediate_name(subject), NULL,
                                      below.key, &root, days);
        ca_index_add(&index, below.x, CA_ROOT, CA_INTERMEDIATE);
        ca_index_write(ca, &index);
        ca_write_key(ca, CA_INTERMEDIATE, below.key);
        ca_write_certificates(ca, CA_INTERMEDIATE, below.x, NULL);
        say(ca, CA_INTERMEDIATE, below.x);
    } else {
        ca_index_write(ca, &index);
    }
    ca_write_key(ca, CA_ROOT, root.key);
    ca_write_certificates(ca, CA_ROOT, root.x, NULL);
    say(ca, CA_ROOT, root.x);
}

/* ---- issue and sign ---- */

static const char *issuer_of(const struct ca *ca)
{
    return ca_exists(ca, CA_INTERMEDIATE ".pem") ? CA_INTERMEDIATE : CA_ROOT;
}

/* The index first: see there. new_key NULL: its owner has it. */
static void issue(struct ca *ca, const struct ca_options *o, const char *name,
                  const X509_NAME *subject, const GENERAL_NAMES *names, EVP_PKEY *public_key,
                  EVP_PKEY *new_key)
{
    const char *issuer = issuer_of(ca);
    const struct ca_signer by = ca_signer_of(ca, issuer, true);
    X509 *x = ca_make_certificate(CA_IS_LEAF, subject, names, public_key, &by,
                                  o->days != 0 ? o->days : LEAF_DAYS);
    struct ca_index index;

    ca_index_read(ca, &index);
    ca_index_add(&index, x, issuer, name);
    ca_index_write(ca, &index);
    if (new_key != NULL)
        ca_write_key(ca, name, new_key);
    ca_write_certificates(ca, name, x, strcmp(issuer, CA_ROOT) != 0 ? by.x : NULL);
    say(ca, name, x);
}

void ca_issue(struct ca *ca, const struct ca_options *o)
{
    char common_name[CA_NAME_MAX + 8];

    ca_check_name(o->what);
    refuse_to_write_over(ca, ca_file(o->what, ".pem"), o);
    refuse_to_write_over(ca, ca_file(o->what, ".key"), o);
    snprintf(common_name, sizeof(common_name), "CN=%s", o->what);
    X509_NAME *subject =
        ca_subject_read("--subject", o->subject != NULL ? o->subject : common_name);
    const GENERAL_NAMES *names = ca_names_of(o);
    EVP_PKEY *key = ca_make_key(o->kind);
    issue(ca, o, o->what, subject, names, key, key);
}

/* What it asks for; other kinds of names are left out. */
static GENERAL_NAMES *names_asked_for(X509_REQ *request)
{
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
    GENERAL_NAMES *asked = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();

    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    if (names == NULL)
        ca_fail("out of memory");
    for (int i = 0; i < sk_GENERAL_NAME_num(asked); i++) {
        GENERAL_NAME *name = sk_GENERAL_NAME_value(asked, i);

        if (name->type != GEN_DNS && name->type != GEN_IPADD && name->type != GEN_EMAIL)
            continue;
        GENERAL_NAME *copy = GENERAL_NAME_dup(name);
        if (copy == NULL || sk_GENERAL_NAME_push(names, copy) <= 0)
            ca_fail("out of memory");
    }
    GENERAL_NAMES_free(asked);
    return sk_GENERAL_NAME_num(names) > 0 ? names : NULL;
}

/* "site/device.csr.pem" is "device". */
static const char *name_of_path(const char *path, char out[CA_NAME_MAX + 1])
{
    static const char *const endings[] = {".pem", ".csr"};
    const char *begin = strrchr(path, '/');

    begin = begin != NULL ? begin + 1 : path;
    if (strlen(begin) > CA_NAME_MAX)
        ca_fail("%s: too long a name: say one with --as", path);
    snprintf(out, CA_NAME_MAX + 1, "%s", begin);
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        const size_t len = strlen(out), end = strlen(endings[i]);

        if (len > end && strcmp(out + len - end, endings[i]) == 0)
            out[len - end] = 0;
    }
    return out;
}

void ca_sign(struct ca *ca, const struct ca_options *o)
{
    char buffer[CA_NAME_MAX + 1];
    const char *name = o->alias != NULL ? o->alias : name_of_path(o->what, buffer);

    ca_check_name(name);
    refuse_to_write_over(ca, ca_file(name, ".pem"), o);
    BIO *bio = BIO_new_mem_buf(ca_read_path(o->what, NULL), -1);
    X509_REQ *request = bio != NULL ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;
    if (request == NULL)
        ca_crypto_fail(o->what);
    EVP_PKEY *key = X509_REQ_get0_pubkey(request);
    ca_check_key(key, o->what);
    if (X509_REQ_verify(request, key) != 1)
        ca_fail("%s: not signed by its own key", o->what);
    const X509_NAME *subject = o->subject != NULL ? ca_subject_read("--subject", o->subject)
                                                  : X509_REQ_get_subject_name(request);
    GENERAL_NAMES *names = ca_names_of(o);
    if (names == NULL)
        names = names_asked_for(request);
    issue(ca, o, name, subject, names, key, NULL);
}
