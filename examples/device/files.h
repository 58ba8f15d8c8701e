/* SPDX-License-Identifier: Apache-2.0 */
/* Documents from files and folders. What is done with them: connections.h. */
#ifndef S2_DEVICE_FILES_H
#define S2_DEVICE_FILES_H

#include <s2svpn/config.h>

#include "device/log.h"

#define DOCUMENTS_MAX 64

/* A file, and what it says. */
struct document {
    char *path;
    s2svpn_device_config *config; /* NULL: it couldn't be read, and the log says why */
    s2svpn_text canonical;        /* the same written by us: equal where the meaning is */
};

struct documents {
    struct document item[DOCUMENTS_MAX];
    size_t count;
    bool incomplete; /* a folder couldn't be read, or there are more than we take */
    size_t wrong;    /* items without config */
};

/* Read the files, and of folders all files *.xml in the order of their names. A file that
 * isn't there is wrong with missing_is_wrong; else it is passed over. A folder that isn't
 * there makes the whole incomplete. */
void files_read(const struct log *log, char *const *paths, size_t n, bool missing_is_wrong,
                struct documents *out);
void files_clear(struct documents *d);
void document_clear(struct document *d); /* wipes the keys */

#endif
