/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

int main(int argc, char **argv)
{
    static const struct s2_suite suites[] = {
        {"io/loop", s2_test_loop},
        {"io/send", s2_test_send},
        {"io/receive", s2_test_receive},
    };

    return s2_run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
