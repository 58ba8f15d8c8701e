/* SPDX-License-Identifier: Apache-2.0 */
/* Gives a fuzz target every file of its corpus, and every beginning of each:
 * the corpora as regression tests, with any compiler. fuzz_x reads
 * tests/fuzz/corpus/x below $S2_SRC, or the files named as arguments. Finding
 * new inputs is libFuzzer's job (--enable-fuzz). */
#define _GNU_SOURCE
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_SEED 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input lies in a block of exactly its size, so that a sanitizer or
 * valgrind sees a read behind it. */
static int give(const uint8_t *bytes, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);

    if (exact == NULL)
        return -1;
    memcpy(exact, bytes, len);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    return 0;
}

static int replay(const char *path)
{
    static uint8_t bytes[LONGEST_SEED];
    FILE *f = fopen(path, "rb");

    if (f == NULL) {
        perror(path);
        return -1;
    }
    size_t len = fread(bytes, 1, sizeof(bytes), f);
    fclose(f);
    printf("  %s: %zu bytes\n", path, len);
    fflush(stdout); /* the last line names the culprit */
    for (size_t n = 0; n < len; n += 1 + n / 512)
        if (give(bytes, n) != 0)
            return -1;
    return give(bytes, len);
}

static int replay_folder(const char *folder, size_t *count)
{
    struct dirent **entry;
    int n = scandir(folder, &entry, NULL, alphasort);
    int failed = 0;

    for (int i = 0; i < n; i++) {
        char path[PATH_MAX + sizeof(entry[i]->d_name) + 1];

        if (entry[i]->d_name[0] != '.') {
            snprintf(path, sizeof(path), "%s/%s", folder, entry[i]->d_name);
            failed |= replay(path);
            ++*count;
        }
        free(entry[i]);
    }
    if (n >= 0)
        free(entry);
    return failed;
}

int main(int argc, char **argv)
{
    const char *name = strstr(argv[0], "fuzz_");
    const char *source = getenv("S2_SRC");
    size_t count = 0;
    int failed = 0;

    for (const char *next = name; next != NULL; next = strstr(next + 1, "fuzz_"))
        name = next;
    name = name != NULL ? name + strlen("fuzz_") : argv[0];
    for (int i = 1; i < argc; i++, count++)
        failed |= replay(argv[i]);
    if (argc < 2) {
        char folder[PATH_MAX];

        snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/%s", source != NULL ? source : ".",
                 name);
        failed |= replay_folder(folder, &count);
    }
    if (failed || count == 0) {
        printf("not ok fuzz/%s: its corpus can be read\n", name);
        printf("0 passed, 1 failed, 0 skipped\n");
        return 1;
    }
    printf("ok fuzz/%s: %zu seeds and their beginnings do no harm\n", name, count);
    printf("1 passed, 0 failed, 0 skipped\n");
    return 0;
}
