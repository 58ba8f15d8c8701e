/* SPDX-License-Identifier: Apache-2.0 */
/* kill -9 under a stream of transactions, again and again on one file: nothing that was
 * acknowledged is lost, and nothing is there by half. */
#include "lab.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILLS 300
#define OWED 16 /* transactions under way at a time */

/* Transaction i makes "l-i" and "r-i", which belong together, takes away those of i - 100,
 * and counts on in "counter". */
static size_t make(uint32_t i, s2svpn_change *c, char (*text)[64])
{
    char id[S2SVPN_ID_SIZE];
    size_t n = 0;

    snprintf(text[0], 64, "the left half of %u", i);
    snprintf(text[1], 64, "the right half of %u", i);
    snprintf(text[2], 64, "%u", i);
    snprintf(id, sizeof(id), "l-%08u", i);
    c[n++] = s2_contract_put(id, 1, text[0]);
    snprintf(id, sizeof(id), "r-%08u", i);
    c[n++] = s2_contract_put(id, 1, text[1]);
    c[n++] = s2_contract_put("counter", i, text[2]);
    if (i > 100) {
        snprintf(id, sizeof(id), "l-%08u", i - 100);
        c[n++] = s2_contract_take(id, 2);
        snprintf(id, sizeof(id), "r-%08u", i - 100);
        c[n++] = s2_contract_take(id, 2);
    }
    return n;
}

/* ---- the child: numbers that were acknowledged go into the pipe */

struct stream {
    int pipe;
    uint32_t acknowledged;
};

static void on_done(void *arg, s2svpn_status result)
{
    struct stream *s = arg;

    if (result != S2SVPN_OK)
        _exit(3);
    s->acknowledged++;
    if (write(s->pipe, &s->acknowledged, sizeof(s->acknowledged)) != sizeof(s->acknowledged))
        _exit(4);
}

static void run_stream(struct s2_lab *lab, uint32_t begin, int pipe_end)
{
    struct stream stream = {.pipe = pipe_end, .acknowledged = begin};
    uint32_t next = begin + 1;

    if (s2_lab_open(lab) != S2SVPN_OK)
        _exit(2);
    for (;;) {
        while (next - stream.acknowledged <= OWED) {
            s2svpn_change c[5];
            char text[3][64];
            const size_t n = make(next++, c, text);

            if (lab->s.ops->submit(lab->store, c, n, on_done, &stream) != S2SVPN_OK)
                _exit(5);
        }
        if (!s2_lab_wait(lab))
            _exit(6);
    }
}

/* ---- the parent: what is there after it */

struct found {
    uint32_t counter, left, right, halves_of_other, wrong;
    uint32_t first_left, last_left, last_right;
};

static bool look(void *arg, const s2svpn_record *r)
{
    struct found *f = arg;
    char expected[64] = "";

    if (strcmp(r->id.text, "counter") == 0) {
        f->counter = (uint32_t)r->revision;
        snprintf(expected, sizeof(expected), "%u", f->counter);
    } else {
        const uint32_t number = (uint32_t)strtoul(r->id.text + 2, NULL, 10);
        const bool left = r->id.text[0] == 'l';

        snprintf(expected, sizeof(expected), "the %s half of %u", left ? "left" : "right", number);
        if (left && f->left++ == 0)
            f->first_left = number;
        if (left)
            f->last_left = number;
        else
            f->last_right = number;
        f->right += !left;
    }
    f->wrong += r->len != strlen(expected) || memcmp(r->data, expected, r->len) != 0;
    return true;
}

/* The last transaction that is there; all that should be and no more. */
static uint32_t check_what_is_there(struct s2_lab *lab)
{
    struct found f = {.counter = 0};

    CU_ASSERT_EQUAL(s2_lab_open(lab), S2SVPN_OK);
    if (lab->store == NULL) {
        printf("    %s\n", lab->why.message);
        return 0;
    }
    CU_ASSERT_EQUAL(lab->s.ops->load(lab->store, look, &f), S2SVPN_OK);
    s2_lab_close(lab);
    const uint32_t n = f.counter < 100 ? f.counter : 100;
    CU_ASSERT(f.wrong == 0 && f.left == n && f.right == n);
    CU_ASSERT(f.last_left == f.counter && f.last_right == f.counter);
    CU_ASSERT(f.counter == 0 || f.first_left == f.counter - n + 1);
    return f.counter;
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* Kill it after some acknowledgements and a moment more; the last one that came. */
static uint32_t run_and_kill(struct s2_lab *lab, uint32_t begin, uint32_t *random)
{
    uint32_t last = begin, want = next_random(random) % 40, number;
    int ends[2], status = 0;

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        run_stream(lab, begin, ends[1]);
    }
    close(ends[1]);
    CU_ASSERT_FATAL(child > 0);
    while (last < begin + want && read(ends[0], &number, sizeof(number)) == sizeof(number))
        last = number;
    usleep(next_random(random) % 3000); /* where the next commit is, or while it opens */
    kill(child, SIGKILL);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT(WIFSIGNALED(status)); /* it didn't end by itself */
    if (WIFEXITED(status))
        printf("    the child ended with %d\n", WEXITSTATUS(status));
    while (read(ends[0], &number, sizeof(number)) == sizeof(number))
        last = number;
    close(ends[0]);
    return last;
}

static void nothing_acknowledged_is_lost_by_kill_9(void)
{
    uint32_t there = 0, random = (uint32_t)getpid(), acknowledged = 0;
    struct s2_lab lab;

    printf("    seed %u\n", random);
    s2_lab_make(&lab);
    for (unsigned i = 0; i < KILLS; i++) {
        const uint32_t last = run_and_kill(&lab, there, &random);
        const uint32_t now = check_what_is_there(&lab);

        acknowledged += last - there;
        CU_ASSERT(now >= last && now <= last + OWED + 1);
        if (now < last)
            break;
        there = now;
    }
    printf("    %u kills, %u transactions acknowledged, %u made\n", KILLS, acknowledged, there);
    CU_ASSERT(acknowledged > KILLS);
    s2_lab_clear(&lab);
}

const CU_TestInfo s2_test_sqlite_kill[] = {
    {"nothing acknowledged is lost by kill -9", nothing_acknowledged_is_lost_by_kill_9},
    CU_TEST_INFO_NULL,
};
