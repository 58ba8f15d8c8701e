/* SPDX-License-Identifier: Apache-2.0 */
/* Ties a store to a libevent loop: its answers are given on the loop's thread. */
#include "s2svpn/sqlite.h"

#include <event2/event.h>

#include "store/sqlite/sqlite.h"

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    s2svpn_sqlite_store_poll(arg);
}

void s2_sqlite_unwatch(s2svpn_sqlite_store *store)
{
    if (store->ready != NULL)
        event_free(store->ready);
    store->ready = NULL;
}

s2svpn_status s2svpn_sqlite_store_watch(s2svpn_sqlite_store *store, struct event_base *base,
                                        s2svpn_error *why)
{
    struct event *ready = NULL;

    if (base != NULL) {
        ready = event_new(base, store->fd, EV_READ | EV_PERSIST, on_ready, store);
        if (ready == NULL)
            return s2_sqlite_error(why, S2SVPN_E_MEMORY, "", "no memory for an event");
        if (event_add(ready, NULL) != 0) {
            event_free(ready);
            return s2_sqlite_error(why, S2SVPN_E_SYSTEM, "", "libevent refuses the descriptor");
        }
    }
    s2_sqlite_unwatch(store);
    store->ready = ready;
    return S2SVPN_OK;
}
