/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of a scenario program: its arguments, its seeds, its lines. */
#include "scene.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAILURES_SHOWN 8

/* One program, one test at a time; checks come from the thread that plays. */
static uint64_t seed_now;
static unsigned failures;
static bool verbose;

bool scene_is_verbose(void)
{
    return verbose;
}

void scene_say(const char *format, ...)
{
    va_list args;

    fputs("    ", stdout);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    fputc('\n', stdout);
}

bool scene_check(bool ok, const char *what, const char *file, int line)
{
    if (ok)
        return true;
    if (failures++ < FAILURES_SHOWN) {
        const char *base = strrchr(file, '/');

        scene_say("seed %" PRIu64 ": %s:%d: %s", seed_now, base ? base + 1 : file, line, what);
    }
    return false;
}

static bool play(const struct scene_test *t, const char *suite, uint64_t first, uint64_t last)
{
    unsigned bad_seeds = 0;

    failures = 0;
    for (seed_now = first; seed_now <= last && bad_seeds < 3; seed_now++) {
        const unsigned before = failures;

        t->play(seed_now);
        if (failures > before) {
            bad_seeds++;
            scene_say("to repeat it alone: --seed %" PRIu64 ", with -v for all that happens",
                      seed_now);
        }
    }
    printf("%s %s: %s\n", failures ? "not ok" : "ok", suite, t->name);
    fflush(stdout);
    return failures == 0;
}

int scene_main(int argc, char **argv, const char *suite, const struct scene_test *tests, size_t n)
{
    unsigned passed = 0, failed = 0;
    uint64_t first = 1, last = 0; /* 0: as the test says */

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") == 0) {
            verbose = true;
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            first = last = strtoull(argv[++i], NULL, 0);
        } else if (strcmp(argv[i], "--seeds") == 0 && i + 1 < argc) {
            last = strtoull(argv[++i], NULL, 0);
        } else {
            fprintf(stderr, "usage: %s [-v] [--seed N | --seeds N]\n", argv[0]);
            return 2;
        }
    }
    for (size_t i = 0; i < n; i++) {
        const bool ok = play(&tests[i], suite, first, last ? last : tests[i].seeds);

        passed += ok;
        failed += !ok;
    }
    printf("%u passed, %u failed, 0 skipped\n", passed, failed);
    return failed ? 1 : 0;
}
