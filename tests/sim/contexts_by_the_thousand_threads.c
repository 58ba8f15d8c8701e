/* SPDX-License-Identifier: Apache-2.0 */
/* A thousand contexts at once in one process, made, used and freed by several threads:
 * they share nothing. */
#include "scene.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define THREADS 8
#define SCENES 63 /* of two contexts, on each thread: 1,008 altogether */
#define UP_EVERY 9

struct crew {
    pthread_t thread;
    uint64_t seed;
    struct scene *scenes;
    unsigned opened, up, crossed;
    atomic_uint *contexts, *most; /* alive, of all threads */
    pthread_barrier_t *all_open;
};

static void open_scenes(struct crew *c)
{
    for (size_t i = 0; i < SCENES; i++) {
        struct scene_plan plan = SCENE_PLAN_INIT;

        plan.seed = c->seed + i;
        plan.static_routes = i % 2;
        plan.store = i % 3 == 0;
        if (scene_open(&c->scenes[i], &plan) == S2SVPN_OK &&
            scene_start(&c->scenes[i]) == S2SVPN_OK)
            c->opened++;
        const unsigned now = atomic_fetch_add(c->contexts, 2) + 2;
        unsigned most = atomic_load(c->most);
        while (now > most && !atomic_compare_exchange_weak(c->most, &most, now))
            ;
    }
}

static void use_scenes(struct crew *c)
{
    for (size_t i = 0; i < SCENES; i += UP_EVERY) {
        struct scene *s = &c->scenes[i];

        c->up += scene_wait(s, scene_both_up, MINUTE);
        scene_run(s, 5 * SECOND);
        scene_ping(&s->gateway, 56);
        scene_ping(&s->device, 56);
        scene_run(s, SECOND);
        c->crossed += scene_nothing_lost(s);
    }
}

/* Not in the order in which they were made. */
static void close_scenes(struct crew *c)
{
    for (size_t i = 0; i < SCENES; i++) {
        scene_close(&c->scenes[i * 20 % SCENES]);
        atomic_fetch_sub(c->contexts, 2);
    }
}

static void *work(void *arg)
{
    struct crew *c = arg;

    open_scenes(c);
    pthread_barrier_wait(c->all_open);
    use_scenes(c);
    close_scenes(c);
    return NULL;
}

static void all_at_once(uint64_t seed)
{
    static struct crew crew[THREADS];
    pthread_barrier_t all_open;
    atomic_uint contexts = 0, most = 0;

    CHECK(pthread_barrier_init(&all_open, NULL, THREADS) == 0);
    for (size_t i = 0; i < THREADS; i++) {
        crew[i] = (struct crew){.seed = seed * 100000 + i * 1000,
                                .scenes = calloc(SCENES, sizeof(struct scene)),
                                .contexts = &contexts,
                                .most = &most,
                                .all_open = &all_open};
        if (!crew[i].scenes || pthread_create(&crew[i].thread, NULL, work, &crew[i]) != 0)
            abort(); /* the others would wait for it for ever */
    }
    for (size_t i = 0; i < THREADS; i++) {
        CHECK(pthread_join(crew[i].thread, NULL) == 0);
        CHECK(crew[i].opened == SCENES);
        CHECK(crew[i].up == SCENES / UP_EVERY);
        CHECK(crew[i].crossed == SCENES / UP_EVERY);
        free(crew[i].scenes);
    }
    CHECK(atomic_load(&most) == THREADS * SCENES * 2);
    CHECK(atomic_load(&contexts) == 0);
    pthread_barrier_destroy(&all_open);
}

int main(int argc, char **argv)
{
    static const struct scene_test tests[] = {
        {"a thousand contexts on eight threads share nothing", all_at_once, 1},
    };

    return scene_main(argc, argv, "sim/contexts_by_the_thousand_threads", tests,
                      sizeof(tests) / sizeof(tests[0]));
}
