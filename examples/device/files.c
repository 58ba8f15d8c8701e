/* SPDX-License-Identifier: Apache-2.0 */
/* Files and folders read into documents. */
#include "device/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void document_clear(struct document *d)
{
    free(d->path);
    s2svpn_config_free(d->config);
    s2svpn_text_free(&d->canonical);
    memset(d, 0, sizeof(*d));
}

void files_clear(struct documents *d)
{
    for (size_t i = 0; i < d->count; i++)
        document_clear(&d->item[i]);
    memset(d, 0, sizeof(*d));
}

/* ---- one file */

/* "FILE:LINE: ELEMENT: what is wrong", as compilers do. */
static void say_wrong(const struct log *log, const char *path, const s2svpn_error *why)
{
    char where[4200];

    if (why->line)
        snprintf(where, sizeof(where), "%s:%u", path, why->line);
    else
        snprintf(where, sizeof(where), "%s", path);
    log_line(log, S2SVPN_LOG_ERROR, where, "%s%s%s", why->field, why->field[0] ? ": " : "",
             why->message);
}

static bool read_stream(FILE *f, struct document *d, s2svpn_error *why)
{
    const size_t room = S2SVPN_CONFIG_MAX + 1; /* one more is too long, and seen to be */
    char *text = malloc(room);
    bool ok = false;

    if (text != NULL) {
        const size_t len = fread(text, 1, room, f);

        if (ferror(f))
            snprintf(why->message, sizeof(why->message), "%s", strerror(errno));
        else
            ok = s2svpn_config_read(text, len, &d->config, why) == S2SVPN_OK &&
                 s2svpn_config_write(d->config, &d->canonical, why) == S2SVPN_OK;
        explicit_bzero(text, len);
    } else {
        snprintf(why->message, sizeof(why->message), "out of memory");
    }
    free(text);
    return ok;
}

static void read_file(const struct log *log, const char *path, bool missing_is_wrong,
                      struct documents *out)
{
    s2svpn_error why = {.code = S2SVPN_E_SYSTEM};
    struct document *d = &out->item[out->count];
    struct stat s;
    FILE *f = fopen(path, "rbe");

    if (f == NULL && errno == ENOENT && !missing_is_wrong)
        return;
    if (out->count == DOCUMENTS_MAX) {
        log_line(log, S2SVPN_LOG_ERROR, path, "more than %d documents", DOCUMENTS_MAX);
        out->incomplete = true;
        if (f)
            fclose(f);
        return;
    }
    memset(d, 0, sizeof(*d));
    d->path = strdup(path);
    if (d->path == NULL) {
        log_line(log, S2SVPN_LOG_ERROR, path, "out of memory");
        out->incomplete = true;
        if (f)
            fclose(f);
        return;
    }
    out->count++;
    if (f == NULL) {
        snprintf(why.message, sizeof(why.message), "%s", strerror(errno));
    } else {
        if (read_stream(f, d, &why))
            why.code = S2SVPN_OK;
        if (why.code == S2SVPN_OK && d->config->tunnel[0].pre_shared_key[0] &&
            fstat(fileno(f), &s) == 0 && (s.st_mode & S_IROTH))
            log_line(log, S2SVPN_LOG_WARNING, path,
                     "everyone may read it, and it holds the pre-shared keys");
        fclose(f);
    }
    if (why.code == S2SVPN_OK)
        return;
    s2svpn_config_free(d->config);
    d->config = NULL;
    out->wrong++;
    say_wrong(log, path, &why);
}

/* ---- folders */

static bool has_document_name(const char *name)
{
    const size_t len = strlen(name);

    return len > 4 && strcmp(name + len - 4, ".xml") == 0;
}

static int is_document(const struct dirent *e)
{
    return e->d_name[0] != '.' && has_document_name(e->d_name);
}

static void read_folder(const struct log *log, const char *path, struct documents *out)
{
    struct dirent **entry;
    char *name;
    const int n = scandir(path, &entry, is_document, alphasort);

    if (n < 0) {
        log_line(log, S2SVPN_LOG_ERROR, path, "%s", strerror(errno));
        out->incomplete = true;
        return;
    }
    for (int i = 0; i < n; i++) {
        if (asprintf(&name, "%s/%s", path, entry[i]->d_name) >= 0) {
            read_file(log, name, false, out); /* it may go between the two calls */
            free(name);
        }
        free(entry[i]);
    }
    free(entry);
}

/* A document that is gone is meant to be; a folder more likely is an accident. */
static bool is_lost_folder(const char *path, bool missing_is_wrong)
{
    return errno == ENOENT && !missing_is_wrong && !has_document_name(path);
}

void files_read(const struct log *log, char *const *paths, size_t n, bool missing_is_wrong,
                struct documents *out)
{
    struct stat s;

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < n; i++) {
        const bool there = stat(paths[i], &s) == 0;

        if (!there && is_lost_folder(paths[i], missing_is_wrong)) {
            log_line(log, S2SVPN_LOG_ERROR, paths[i], "%s: nothing is closed", strerror(errno));
            out->incomplete = true;
        } else if (there && S_ISDIR(s.st_mode)) {
            read_folder(log, paths[i], out);
        } else {
            read_file(log, paths[i], missing_is_wrong, out);
        }
    }
}
