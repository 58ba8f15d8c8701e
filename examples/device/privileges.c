/* SPDX-License-Identifier: Apache-2.0 */
/* Users and capabilities by system calls alone: capabilities(7). */
#include "device/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

bool privileges_find(const char *user, uid_t *uid, gid_t *gid)
{
    const struct passwd *entry = getpwnam(user);

    if (entry == NULL)
        return false;
    *uid = entry->pw_uid;
    *gid = entry->pw_gid;
    return true;
}

static bool has_capability(int number)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];

    if (syscall(SYS_capget, &head, data) != 0)
        return false;
    return (data[number / 32].permitted & (1u << (number % 32))) != 0;
}

static bool set_capabilities(bool net_admin)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];

    memset(data, 0, sizeof(data));
    if (net_admin && has_capability(CAP_NET_ADMIN))
        data[0].permitted = data[0].effective = 1u << CAP_NET_ADMIN;
    return syscall(SYS_capset, &head, data) == 0;
}

/* What an execve could still give. Without CAP_SETPCAP the bounding set stays, and
 * no_new_privs makes it worthless. */
static void close_doors(void)
{
    const struct rlimit none = {0, 0};

    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (int i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
        prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &none); /* keys are in the memory */
}

static const char *become(const char *user)
{
    uid_t uid;
    gid_t gid;

    if (!privileges_find(user, &uid, &gid))
        return "there is no such user";
    if (geteuid() == uid && getegid() == gid)
        return NULL;
    if (initgroups(user, gid) != 0 || setresgid(gid, gid, gid) != 0 ||
        setresuid(uid, uid, uid) != 0)
        return strerror(errno);
    return NULL;
}

const char *privileges_drop(const char *user, bool keep_net_admin)
{
    const char *failed = NULL;

    /* Without it the change of user takes the capabilities that are to stay. */
    if (user && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
        return strerror(errno);
    close_doors();
    if (user)
        failed = become(user);
    if (failed)
        return failed;
    prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
    return set_capabilities(keep_net_admin) ? NULL : strerror(errno);
}
