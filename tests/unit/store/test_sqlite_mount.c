/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite store on a small file system of its own, in a child process with a mount
 * namespace: really full, really read-only. */
#include "lab.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_ALLOWED 77

static int small_disk(struct s2_lab *lab)
{
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return NOT_ALLOWED;
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", lab->folder, "tmpfs", 0, "size=256k,mode=0700") != 0)
        return NOT_ALLOWED;
    return 0;
}

/* A file that takes all the room there is. */
static int fill_up(struct s2_lab *lab)
{
    static const char block[4096] = "x";
    const int fd = open(s2_lab_file(lab, "filler"), O_WRONLY | O_CREAT, 0600);
    ssize_t n;

    if (fd < 0)
        return 1;
    while ((n = write(fd, block, sizeof(block))) > 0)
        ;
    close(fd);
    return n < 0 && errno == ENOSPC ? 0 : 1;
}

static s2svpn_status put_numbered(struct s2_lab *lab, unsigned number)
{
    char id[16], text[3001];

    snprintf(id, sizeof(id), "r%03u", number);
    memset(text, 'x', 3000);
    text[3000] = '\0';
    return s2_lab_put(lab, id, 1, text);
}

static int live_on_a_full_disk(struct s2_lab *lab)
{
    s2svpn_error problem;
    unsigned i;
    int rc = small_disk(lab);

    if (rc != 0)
        return rc;
    if (s2_lab_open(lab) != S2SVPN_OK || put_numbered(lab, 0) != S2SVPN_OK || fill_up(lab) != 0)
        return 1;
    for (i = 1; i < 100 && put_numbered(lab, i) == S2SVPN_OK; i++)
        ;
    if (i == 100 || lab->answer != S2SVPN_E_STORE)
        return 2;
    s2svpn_sqlite_store_problem(lab->store, &problem);
    if (strstr(problem.message, "no room on the disk") == NULL)
        return 3;
    if (put_numbered(lab, 0) != S2SVPN_E_CONFLICT) /* it still knows what it has */
        return 4;
    if (unlink(s2_lab_file(lab, "filler")) != 0 || put_numbered(lab, i) != S2SVPN_OK)
        return 5;
    s2_lab_close(lab);
    if (s2_lab_open(lab) != S2SVPN_OK || put_numbered(lab, i) != S2SVPN_E_CONFLICT)
        return 6;
    return 0;
}

/* No store is begun that couldn't keep anything; and it is begun once it can. */
static int begin_on_a_read_only_disk(struct s2_lab *lab)
{
    int rc = small_disk(lab);

    if (rc != 0)
        return rc;
    if (s2_lab_open(lab) != S2SVPN_OK || put_numbered(lab, 0) != S2SVPN_OK)
        return 1;
    s2_lab_close(lab);
    if (mount("none", lab->folder, NULL, MS_REMOUNT | MS_RDONLY, NULL) != 0)
        return NOT_ALLOWED;
    if (s2_lab_open(lab) != S2SVPN_E_SYSTEM || strstr(lab->why.message, "read-only") == NULL)
        return 2;
    if (mount("none", lab->folder, NULL, MS_REMOUNT, NULL) != 0)
        return NOT_ALLOWED;
    if (s2_lab_open(lab) != S2SVPN_OK || put_numbered(lab, 0) != S2SVPN_E_CONFLICT)
        return 3;
    return 0;
}

static void in_a_child(int (*live)(struct s2_lab *lab))
{
    struct s2_lab lab;
    int status = -1;

    s2_lab_make(&lab);
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0)
        _exit(live(&lab));
    CU_ASSERT_FATAL(child > 0);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_FATAL(WIFEXITED(status));
    if (WEXITSTATUS(status) == NOT_ALLOWED)
        printf("    no mount namespace may be made here: nothing was tried\n");
    else
        CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
    if (WEXITSTATUS(status) != 0)
        printf("    step %d\n", WEXITSTATUS(status));
    s2_lab_clear(&lab);
}

static void a_full_disk_is_told_and_got_over(void)
{
    in_a_child(live_on_a_full_disk);
}

static void a_read_only_disk_is_refused_in_words(void)
{
    in_a_child(begin_on_a_read_only_disk);
}

const CU_TestInfo s2_test_sqlite_mount[] = {
    {"a full disk is told and got over", a_full_disk_is_told_and_got_over},
    {"a read-only disk is refused in words", a_read_only_disk_is_refused_in_words},
    CU_TEST_INFO_NULL,
};
