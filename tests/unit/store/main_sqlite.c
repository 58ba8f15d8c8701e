/* SPDX-License-Identifier: Apache-2.0 */
/* The suites of the SQLite store. */
#include "contract.h"

extern const CU_TestInfo s2_test_sqlite_disk[], s2_test_sqlite_file[], s2_test_sqlite_kill[],
    s2_test_sqlite_life[], s2_test_sqlite_mount[];

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {
        {"store/sqlite contract", s2_test_contract},  {"store/sqlite/store", s2_test_sqlite_life},
        {"store/sqlite/file", s2_test_sqlite_file},   {"store/sqlite/writer", s2_test_sqlite_disk},
        {"store/sqlite mount", s2_test_sqlite_mount}, {"store/sqlite kill", s2_test_sqlite_kill}};

    return s2_run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
