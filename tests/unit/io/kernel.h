/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel with moods: the system calls that the host sends and probes with, linked in
 * place of libc's. Without a mood they are the real ones. */
#ifndef S2_TESTS_IO_KERNEL_H
#define S2_TESTS_IO_KERNEL_H

#include <stdbool.h>

struct kernel {
    int fail_send;         /* errno of the calls to come; 0: none */
    unsigned after;        /* messages that go before the first failure */
    unsigned times;        /* failures to come; 0: for ever */
    bool only_trains;      /* the failure strikes messages with UDP_SEGMENT alone */
    bool no_segment;       /* this kernel doesn't know UDP_SEGMENT */
    bool no_gro;           /* nor UDP_GRO */
    unsigned sends;        /* calls of sendmmsg */
    unsigned train_sends;  /* messages with UDP_SEGMENT that went out */
    unsigned longest_call; /* messages in one call */
};
extern struct kernel kernel;

/* The real one again, counts at 0. */
void kernel_reset(void);

#endif
