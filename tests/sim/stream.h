/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two streams across a scene, one each way: numbered packets at even distances. Says
 * which never came, which came twice, and how long the receiver heard nothing.
 *
 * It takes what arrives at both ports of the scene, which then get no pings.
 */
#ifndef S2_TESTS_SIM_STREAM_H
#define S2_TESTS_SIM_STREAM_H

#include "scene.h"

#define STREAM_EVERY_NS (10 * MILLISECOND)
#define STREAM_MOST 60000 /* packets of each direction: ten minutes */

struct stream_way {
    struct scene_side *from, *to;
    uint32_t sent;
    unsigned twice, wrong;
    uint64_t sent_ns[STREAM_MOST];
    uint64_t arrived_ns[STREAM_MOST]; /* 0: not yet */
};

struct stream {
    struct scene *scene;
    struct stream_way to_device, to_gateway;
    bool stopping, stopped;
};

void stream_begin(struct stream *t, struct scene *s);
/* No more are sent; those under way arrive. */
void stream_end(struct stream *t);

/* Of the packets that were sent from a time to another (0: to the last one). */
unsigned stream_lost(const struct stream_way *way, uint64_t from_ns, uint64_t to_ns);
/* From a time until, of those that were sent after it, all arrive; UINT64_MAX: the last
 * one hasn't arrived. */
uint64_t stream_gap(const struct stream_way *way, uint64_t from_ns, uint64_t to_ns);

#endif
