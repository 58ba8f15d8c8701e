/* SPDX-License-Identifier: Apache-2.0 */
/* What can be asked of a gateway over its control socket. */
#ifndef S2_GATEWAY_COMMAND_H
#define S2_GATEWAY_COMMAND_H

#include "gateway/play.h"

/*
 *   status [json]
 *   routes [json]
 *   rekey [TUNNEL]         the child SAs
 *   fault TUNNEL WORD      a word of s2svpn/fault.h, or clear
 *
 * TUNNEL is 1 or 2, an outside address of ours, or the connection's id and, behind a slash
 * or a dot, 1 or 2. @line is cut into pieces. @out is the answer, or in words why not. */
bool command_run(struct client *client, char *line, struct text *out);

#endif
