/* SPDX-License-Identifier: Apache-2.0 */
/* A store that answers when and as a test says: at once, later, refusing. */
#ifndef S2_TESTS_VPN_FAKE_STORE_H
#define S2_TESTS_VPN_FAKE_STORE_H

#include "s2svpn/store.h"

#define FAKE_STORE_MAX 256

struct fake_change {
    s2svpn_store_done *done;
    void *arg;
    s2svpn_id id;
    uint64_t revision;
    uint32_t kind;
    bool remove;
    char text[512];
};

struct fake_store {
    bool later;            /* answers wait for fake_store_answer */
    s2svpn_status answer;  /* what is answered at once */
    s2svpn_status refusal; /* what submit returns, without an answer */
    size_t refuse_at;      /* from 1: this submit gets E_CONFLICT, others OK; 0: none */
    size_t submits, answers, cancels;
    struct fake_change pending[FAKE_STORE_MAX];
    size_t waiting;
    struct fake_change last; /* the newest that was submitted */
};

const s2svpn_store_ops *fake_store_ops(void);
/* Answer the oldest that waits, or the index-th; false if there is none. */
bool fake_store_answer(struct fake_store *s, s2svpn_status result);
bool fake_store_answer_at(struct fake_store *s, size_t index, s2svpn_status result);
void fake_store_answer_all(struct fake_store *s, s2svpn_status result);

#endif
