/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that fails or hangs on demand: an SQLite VFS over the default one. */
#ifndef S2_TESTS_STORE_FAULT_VFS_H
#define S2_TESTS_STORE_FAULT_VFS_H

#include <stdbool.h>

#define S2_FAULT_VFS "fault"

/* Register it, once; all is well with it then. */
void s2_fault_vfs_reset(void);
/* SQLite codes that writes and syncs give from now on; 0: they work. */
void s2_fault_vfs_fail(int write_rc, int sync_rc);
/* Writes that still work before write_rc is given. */
void s2_fault_vfs_fail_after(unsigned writes, int write_rc);
/* Syncs wait until they are let go. */
void s2_fault_vfs_hold(void);
void s2_fault_vfs_let_go(void);
/* Wait until a sync is held; false if none is for a minute. */
bool s2_fault_vfs_wait_held(void);
/* Of logs, since reset. */
unsigned s2_fault_vfs_syncs(void);

#endif
