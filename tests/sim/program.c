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
static bool ikev1, ike_auto;

bool scene_is_verbose(void)
{
    return verbose;
}

bool scene_is_ikev1(void)
{
    return ikev1;
}

bool scene_is_ike_auto(void)
{
    return ike_auto;
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
    printf("%s %s: %s%s\n", failures ? "not ok" : "ok", suite,
           ikev1      ? "ikev1: "
           : ike_auto ? "either ike: "
                      : "",
           t->name);
    fflush(stdout);
    return failures == 0;
}

/* What the arguments say. */
struct wish {
    uint64_t first, last; /* seeds; last 0: as the test says */
    enum { ALL, IKEV1, IKEV2, AUTO } ike;
};

static bool read_ike(const char *word, struct wish *w)
{
    static const char *const words[] = {[IKEV1] = "1", [IKEV2] = "2", [AUTO] = "auto"};

    for (unsigned i = IKEV1; i <= AUTO; i++) {
        if (strcmp(word, words[i]) == 0) {
            w->ike = i;
            return true;
        }
    }
    return false;
}

static bool read_wish(int argc, char **argv, struct wish *w)
{
    *w = (struct wish){.first = 1};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") == 0) {
            verbose = true;
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            w->first = w->last = strtoull(argv[++i], NULL, 0);
        } else if (strcmp(argv[i], "--seeds") == 0 && i + 1 < argc) {
            w->last = strtoull(argv[++i], NULL, 0);
        } else if (strcmp(argv[i], "--ike") == 0 && i + 1 < argc && read_ike(argv[i + 1], w)) {
            i++;
        } else {
            fprintf(stderr, "usage: %s [-v] [--ike 1|2|auto] [--seed N | --seeds N]\n", argv[0]);
            return false;
        }
    }
    return true;
}

/* One version's tests; how many failed. */
static unsigned play_all(const struct wish *w, const char *suite, const struct scene_test *tests,
                         size_t n)
{
    unsigned failed = 0;

    for (size_t i = 0; i < n; i++)
        failed += !play(&tests[i], suite, w->first, w->last ? w->last : tests[i].seeds);
    return failed;
}

int scene_main_plays(int argc, char **argv, const char *suite, const struct scene_plays *plays)
{
    unsigned failed = 0, played = 0;
    struct wish w;

    if (!read_wish(argc, argv, &w))
        return 2;
    if (w.ike == ALL || w.ike == IKEV2) {
        failed += play_all(&w, suite, plays->v2, plays->v2_count);
        played += (unsigned)plays->v2_count;
    }
    if (w.ike == ALL || w.ike == IKEV1) {
        ikev1 = true;
        failed += play_all(&w, suite, plays->v1, plays->v1_count);
        played += (unsigned)plays->v1_count;
        ikev1 = false;
    }
    if (w.ike == ALL || w.ike == AUTO) {
        ike_auto = true;
        failed += play_all(&w, suite, plays->either, plays->either_count);
        played += (unsigned)plays->either_count;
    }
    printf("%u passed, %u failed, 0 skipped\n", played - failed, failed);
    return failed > 0 ? 1 : 0;
}

int scene_main_versions(int argc, char **argv, const char *suite, const struct scene_test *tests,
                        size_t n, const struct scene_test *v1_tests, size_t v1_n)
{
    const struct scene_plays plays = {.v2 = tests, .v2_count = n, .v1 = v1_tests, .v1_count = v1_n};

    return scene_main_plays(argc, argv, suite, &plays);
}

int scene_main(int argc, char **argv, const char *suite, const struct scene_test *tests, size_t n)
{
    return scene_main_versions(argc, argv, suite, tests, n, NULL, 0);
}
