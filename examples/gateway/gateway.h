/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of s2svpn-gateway share. */
#ifndef S2_GATEWAY_GATEWAY_H
#define S2_GATEWAY_GATEWAY_H

#define GATEWAY_CONTROL "/run/s2svpn-gateway/control"

/* A word in the first place of the command line, and what it does: @argv[0] is the word.
 * @return the exit status. The table of them is main.c's. */
typedef int subcommand_fn(int argc, char **argv);

/* Words for a gateway that plays, over its control socket. */
subcommand_fn client_run;
/* Without such a word: play AWS's end of a document. */
subcommand_fn play;
/* Play it, and judge what a device makes of it, step by step: examine/. */
subcommand_fn examine;

#endif
