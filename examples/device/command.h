/* SPDX-License-Identifier: Apache-2.0 */
/* What can be asked over the control socket. */
#ifndef S2_DEVICE_COMMAND_H
#define S2_DEVICE_COMMAND_H

#include "control/control.h"
#include "control/text.h"

struct device;

/*
 *   status [json]
 *   routes [json]
 *   up [CONNECTION]
 *   down [CONNECTION]
 *   rekey [CONNECTION | CONNECTION.N]       the child SAs
 *   rekey-ike [CONNECTION | CONNECTION.N]   the IKE SAs
 *   reload
 *   capture CONNECTION.N SECONDS [keys]     0 seconds: until the client goes
 *
 * @line is cut into pieces. @out is the answer, or in words why not. */
bool command_run(struct client *client, char *line, struct text *out);

/* Rekey the child SAs of all tunnels that have one; how many. */
unsigned command_rekey_all(struct device *d);

#endif
