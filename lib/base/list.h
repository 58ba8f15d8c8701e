/* SPDX-License-Identifier: Apache-2.0 */
/* Doubly linked lists whose links live inside the members. A list is a head that
 * points at itself when empty; a member that is in no list points at itself. */
#ifndef S2_BASE_LIST_H
#define S2_BASE_LIST_H

#include "s2svpn/types.h"

struct s2_link {
    struct s2_link *next, *prev;
};

#define S2_CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void s2_list_init(struct s2_link *l)
{
    l->next = l->prev = l;
}

static inline bool s2_list_empty(const struct s2_link *l)
{
    return l->next == l;
}

static inline void s2_list_append(struct s2_link *list, struct s2_link *member)
{
    member->prev = list->prev;
    member->next = list;
    list->prev->next = member;
    list->prev = member;
}

/* Unlink; harmless on a member that is in no list but was initialised. */
static inline void s2_list_remove(struct s2_link *member)
{
    member->prev->next = member->next;
    member->next->prev = member->prev;
    s2_list_init(member);
}

/* The first member, unlinked, or NULL. */
static inline struct s2_link *s2_list_take_first(struct s2_link *list)
{
    struct s2_link *first = list->next;

    if (first == list)
        return NULL;
    s2_list_remove(first);
    return first;
}

/* The body may remove the current member, and no other. */
#define S2_LIST_EACH(list, it)                                                                     \
    for (struct s2_link *it = (list)->next, *it##_next = it->next; it != (list);                   \
         it = it##_next, it##_next = it->next)

#endif
