/* SPDX-License-Identifier: Apache-2.0 */
/* The room's suites, for its programs. */
#ifndef S2_TESTS_IO_SUITES_H
#define S2_TESTS_IO_SUITES_H

#include "harness.h"

extern const CU_TestInfo s2_test_loop[], s2_test_send[], s2_test_receive[];
/* These need a network namespace of their own. */
extern const CU_TestInfo s2_test_path[], s2_test_raw[], s2_test_tun[];

/* This one is with real contexts. */
extern const CU_TestInfo s2_test_scene[];

#endif
