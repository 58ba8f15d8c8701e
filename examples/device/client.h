/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands: the other end of the control socket. */
#ifndef S2_DEVICE_CLIENT_H
#define S2_DEVICE_CLIENT_H

#include <stdbool.h>

/* Is it one? */
bool client_is_command(const char *word);
/* argv[0] is the subcommand. Returns the program's exit status: 0, 1 if it failed or no
 * device answers, 2 for a wrong command line. */
int client_run(int argc, char **argv);

#endif
