/* SPDX-License-Identifier: Apache-2.0 */
/* s2svpn-gateway: the cloud's end. Which of its parts the command line asks for. */
#include <stddef.h>
#include <string.h>

#include "gateway/gateway.h"

/* One row a word; the part declares its function in gateway.h. */
static const struct {
    const char *word;
    subcommand_fn *run;
} subcommands[] = {
    /* of a gateway that plays */
    {"status", client_run},
    {"routes", client_run},
    {"rekey", client_run},
    {"fault", client_run},
    /* by itself */
    {"examine", examine},
    /* the end */
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && subcommands[i].word != NULL; i++) {
        if (strcmp(argv[1], subcommands[i].word) == 0)
            return subcommands[i].run(argc - 1, argv + 1);
    }
    return play(argc, argv);
}
