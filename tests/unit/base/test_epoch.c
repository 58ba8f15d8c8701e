/* SPDX-License-Identifier: Apache-2.0 */
/* Epochs in one thread: what waits for whom. Threads: test_epoch_threads.c. */
#include "base/epoch.h"

#include "base/list.h"
#include "harness.h"

struct node {
    struct s2_retired retired;
    struct s2_epochs *epochs;
    struct node *child; /* retired when this one is freed */
    unsigned *freed;
};

static void on_free(void *arg, struct s2_retired *retired)
{
    struct node *n = S2_CONTAINER(retired, struct node, retired);

    CU_ASSERT(arg == n->freed);
    (*n->freed)++;
    if (n->child != NULL)
        s2_epoch_retire(n->epochs, &n->child->retired, on_free, n->freed);
}

static void retire(struct s2_epochs *e, struct node *n, struct node *child, unsigned *freed)
{
    *n = (struct node){.epochs = e, .child = child, .freed = freed};
    s2_epoch_retire(e, &n->retired, on_free, freed);
}

static void without_readers_inside_a_node_goes_at_once(void)
{
    struct s2_epochs e;
    struct node n;
    unsigned freed = 0;

    s2_epochs_init(&e, 4);
    CU_ASSERT(s2_epoch_reclaim(&e) == 0);
    retire(&e, &n, NULL, &freed);
    CU_ASSERT(freed == 0); /* never inside retire */
    CU_ASSERT(e.waiting == 1);
    CU_ASSERT(s2_epoch_reclaim(&e) == 0);
    CU_ASSERT(freed == 1);
}

static void a_node_waits_for_every_reader_that_was_inside(void)
{
    struct s2_epochs e;
    struct node n[2];
    unsigned freed = 0;

    s2_epochs_init(&e, 3);
    s2_epoch_enter(&e, 0);
    s2_epoch_enter(&e, 2);
    retire(&e, &n[0], NULL, &freed);
    CU_ASSERT(s2_epoch_reclaim(&e) == 1);
    s2_epoch_leave(&e, 0);
    CU_ASSERT(s2_epoch_reclaim(&e) == 1);
    s2_epoch_enter(&e, 0); /* later: can't hold it */
    retire(&e, &n[1], NULL, &freed);
    s2_epoch_leave(&e, 2);
    CU_ASSERT(s2_epoch_reclaim(&e) == 1); /* the first goes, the second waits */
    CU_ASSERT(freed == 1);
    s2_epoch_leave(&e, 0);
    CU_ASSERT(s2_epoch_reclaim(&e) == 0);
    CU_ASSERT(freed == 2);
}

static void nested_visits_end_with_the_outermost(void)
{
    struct s2_epochs e;
    struct node n;
    unsigned freed = 0;

    s2_epochs_init(&e, 1);
    s2_epoch_enter(&e, 0);
    retire(&e, &n, NULL, &freed);
    s2_epoch_enter(&e, 0);
    s2_epoch_leave(&e, 0);
    CU_ASSERT(s2_epoch_reclaim(&e) == 1);
    s2_epoch_leave(&e, 0);
    CU_ASSERT(s2_epoch_reclaim(&e) == 0);
}

static void what_a_free_function_retires_gets_a_look_of_its_own(void)
{
    struct s2_epochs e;
    struct node parent, child;
    unsigned freed = 0;

    s2_epochs_init(&e, 1);
    child = (struct node){.epochs = &e, .freed = &freed};
    retire(&e, &parent, &child, &freed);
    CU_ASSERT(s2_epoch_reclaim(&e) == 1);
    CU_ASSERT(freed == 1);
    CU_ASSERT(s2_epoch_reclaim(&e) == 0);
    CU_ASSERT(freed == 2);
}

static void clearing_frees_everything(void)
{
    struct s2_epochs e;
    struct node n[10], child;
    unsigned freed = 0;

    s2_epochs_init(&e, S2_EPOCH_READERS + 1);
    CU_ASSERT(e.readers == S2_EPOCH_READERS);
    child = (struct node){.epochs = &e, .freed = &freed};
    for (int i = 0; i < 10; i++)
        retire(&e, &n[i], i == 3 ? &child : NULL, &freed);
    s2_epochs_clear(&e);
    CU_ASSERT(freed == 11);
    CU_ASSERT(e.waiting == 0);
    retire(&e, &n[0], NULL, &freed);
    s2_epochs_clear(&e);
    CU_ASSERT(freed == 12);
}

const CU_TestInfo s2_test_epoch[] = {
    {"without readers inside a node goes at once", without_readers_inside_a_node_goes_at_once},
    {"a node waits for every reader that was inside",
     a_node_waits_for_every_reader_that_was_inside},
    {"nested visits end with the outermost", nested_visits_end_with_the_outermost},
    {"what a free function retires gets a look of its own",
     what_a_free_function_retires_gets_a_look_of_its_own},
    {"clearing frees everything", clearing_frees_everything},
    CU_TEST_INFO_NULL,
};
