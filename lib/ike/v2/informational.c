/* SPDX-License-Identifier: Apache-2.0 */
/* INFORMATIONAL: deletes and signs of life. All of a message is read before any of
 * it is done, and the delete of the IKE SA comes last. RFC 7296 sections 1.4, 1.4.1,
 * 2.25.1, 2.25.2. */
#include "ike/v2/v2.h"

/* What a request asks for, in terms of our own children. */
struct request {
    bool delete_ike, failed_authentication;
    bool names_children;
    uint32_t child[S2_IKE_CHILDREN_MAX]; /* our inbound SPIs */
    size_t count;
    uint32_t unknown[S2_IKE_GONE_MAX]; /* the peer's */
    size_t unknown_count;
};

static void add_child(struct request *q, const struct s2_ike_child_sa *child)
{
    for (size_t i = 0; i < q->count; i++) {
        if (q->child[i] == child->spi_in)
            return;
    }
    if (q->count < S2_IKE_CHILDREN_MAX)
        q->child[q->count++] = child->spi_in;
}

static void trace_delete(struct s2_ike_sa *sa, enum s2_ike_trace_kind kind, bool child,
                         uint64_t spi)
{
    s2_ike_trace(sa, (struct s2_ike_trace){.kind = (uint8_t)kind,
                                           .exchange = S2_IKE_INFORMATIONAL,
                                           .child = child,
                                           .spi = spi});
}

static s2svpn_status read_delete(const struct s2_ike_sa *sa, const struct s2_ike_payload *payload,
                                 struct request *q)
{
    struct s2_ike_delete_payload d;
    struct s2_reader r;

    s2_reader_init(&r, payload->body.p, payload->body.len);
    s2svpn_status rc = s2_ike_parse_delete(&r, &d);
    if (rc != S2SVPN_OK)
        return rc;
    q->delete_ike = q->delete_ike || d.protocol == S2_IKE_PROTO_IKE;
    q->names_children = q->names_children || (d.protocol == S2_IKE_PROTO_ESP && d.count > 0);
    for (size_t i = 0; d.protocol == S2_IKE_PROTO_ESP && i < d.count; i++) {
        const struct s2_ike_child_sa *child = s2_ike_child_find_out(sa, d.spi[i]);

        if (child != NULL)
            add_child(q, child);
        else if (q->unknown_count < S2_IKE_GONE_MAX)
            q->unknown[q->unknown_count++] = d.spi[i];
    }
    return S2SVPN_OK;
}

static s2svpn_status read_request(const struct s2_ike_sa *sa, const struct s2_ike_payloads *list,
                                  struct request *q)
{
    struct s2_ike_notifies says;
    s2svpn_status rc = s2_ike_read_notifies(list, &says);

    *q = (struct request){0};
    for (size_t i = 0; i < list->count && rc == S2SVPN_OK; i++) {
        if (list->item[i].type == S2_IKE_PAYLOAD_DELETE)
            rc = read_delete(sa, &list->item[i], q);
    }
    if (rc == S2SVPN_OK)
        q->failed_authentication = says.error == S2_IKE_N_AUTHENTICATION_FAILED;
    return rc;
}

static void add_delete(struct s2_ike_compose *c, const struct s2_ike_delete_payload *d)
{
    s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_DELETE);
    s2_ike_write_delete(&c->w, d);
    s2_ike_payload_end(c->chain);
}

/* A child that we are deleting ourselves isn't answered with a delete, section
 * 2.25.1. */
static s2svpn_status answer(struct s2_ike_sa *sa, const struct request *q)
{
    struct s2_ike_delete_payload d = {.protocol = S2_IKE_PROTO_ESP};
    struct s2_ike_compose c;
    s2svpn_status rc = s2_ike_compose_response(&c, sa, S2_IKE_INFORMATIONAL);

    if (rc != S2SVPN_OK)
        return rc;
    for (size_t i = 0; i < q->count; i++) {
        const struct s2_ike_child_sa *child = s2_ike_child_find_in(sa, q->child[i]);

        if (!(child->state == S2_IKE_CHILD_DELETING && child->asked))
            d.spi[d.count++] = child->spi_in;
    }
    if (d.count > 0 && !q->delete_ike)
        add_delete(&c, &d);
    return s2_ike_send_response(sa, &c);
}

static enum s2_ike_reason reason_of(const struct s2_ike_child_sa *child)
{
    switch (child->state) {
    case S2_IKE_CHILD_CURRENT:
        return S2_IKE_REASON_PEER_DELETE;
    case S2_IKE_CHILD_REPLACED:
        return S2_IKE_REASON_REPLACED;
    default:
        return child->reason;
    }
}

/* An IKE SA whose child ran out without a successor is of no use to anyone. */
static void after_expiry(struct s2_ike_sa *sa)
{
    if (sa->state == S2_IKE_STATE_UP && sa->child_count == 0)
        s2_ike_sa_close(sa, S2_IKE_REASON_LIFETIME, "its child SA could not be rekeyed");
}

static void apply_ike(struct s2_ike_sa *sa, const struct request *q)
{
    if (sa->state == S2_IKE_STATE_CLOSING || sa->want_close)
        s2_ike_sa_kill(sa, sa->reason, sa->detail); /* both closed it: ours is why */
    else if (q->failed_authentication)
        s2_ike_sa_kill(sa, S2_IKE_REASON_PEER_AUTHENTICATION, "");
    else if (sa->state == S2_IKE_STATE_REKEYED || sa->heir != NULL)
        s2_ike_sa_kill(sa, S2_IKE_REASON_REPLACED, "");
    else
        s2_ike_sa_kill(sa, S2_IKE_REASON_PEER_DELETE, "");
}

/* Nothing but a question whether we are there, section 1.4. What else a peer says in it as a
 * status changes nothing here. */
static bool is_check(const struct s2_ike_payloads *list)
{
    struct s2_ike_notifies says;

    for (size_t i = 0; i < list->count; i++) {
        if (list->item[i].type != S2_IKE_PAYLOAD_NOTIFY)
            return false;
    }
    return s2_ike_read_notifies(list, &says) == S2SVPN_OK && says.error == 0;
}

enum s2_ike_step s2_ike_info_request(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    struct request q;
    bool expired = false;

    if (sa->config->no_liveness && is_check(&packet->list)) {
        s2_ike_note(sa, S2_IKE_UNANSWERED);
        return S2_IKE_IGNORED;
    }
    if (read_request(sa, &packet->list, &q) != S2SVPN_OK) {
        if (s2_ike_answer_notify(sa, S2_IKE_INFORMATIONAL, S2_IKE_N_INVALID_SYNTAX,
                                 s2_span(NULL, 0)) != S2SVPN_OK)
            s2_ike_note(sa, "a malformed INFORMATIONAL request could not be answered");
        s2_ike_sa_kill(sa, S2_IKE_REASON_SYNTAX, "in an INFORMATIONAL request");
        return S2_IKE_ENDED;
    }
    /* The children come to an heir when it is decided on: by then the request is here
     * again. */
    if (sa->predecessor != NULL && q.names_children && !q.delete_ike)
        return S2_IKE_IGNORED;
    if (answer(sa, &q) != S2SVPN_OK)
        return S2_IKE_IGNORED;
    for (size_t i = 0; i < q.unknown_count; i++)
        s2_ike_create_gone(sa, q.unknown[i]);
    for (size_t i = 0; i < q.count && sa->state != S2_IKE_STATE_DEAD; i++) {
        struct s2_ike_child_sa *child = s2_ike_child_find_in(sa, q.child[i]);

        if (child == NULL)
            continue;
        expired = expired || reason_of(child) == S2_IKE_REASON_LIFETIME;
        trace_delete(sa, S2_IKE_TRACE_DELETE_RECEIVED, true, child->spi_out);
        s2_ike_child_remove(sa, child, reason_of(child));
    }
    if (expired)
        after_expiry(sa);
    if (q.delete_ike && sa->state != S2_IKE_STATE_DEAD)
        trace_delete(sa, S2_IKE_TRACE_DELETE_RECEIVED, false, sa->spi_peer);
    if (q.delete_ike || q.failed_authentication)
        apply_ike(sa, &q);
    return sa->state == S2_IKE_STATE_DEAD ? S2_IKE_ENDED : S2_IKE_STAY;
}

/* ---- ours */

static struct s2_ike_child_sa *find_asked(const struct s2_ike_sa *sa)
{
    S2_LIST_EACH(&sa->children, it) {
        struct s2_ike_child_sa *child = S2_CONTAINER(it, struct s2_ike_child_sa, link);

        if (child->state == S2_IKE_CHILD_DELETING && child->asked)
            return child;
    }
    return NULL;
}

enum s2_ike_step s2_ike_info_response(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    struct s2_ike_child_sa *child;
    struct s2_ike_notifies says;
    bool expired = false;

    if (s2_ike_read_notifies(&packet->list, &says) == S2SVPN_OK &&
        says.error == S2_IKE_N_INVALID_SYNTAX) { /* fatal on both sides, section 2.21.3 */
        s2_ike_sa_kill(sa, S2_IKE_REASON_PEER_ERROR, s2_ike_notify_name(says.error));
        return S2_IKE_ENDED;
    }
    while (sa->state != S2_IKE_STATE_DEAD && (child = find_asked(sa)) != NULL) {
        expired = expired || child->reason == S2_IKE_REASON_LIFETIME;
        s2_ike_child_remove(sa, child, child->reason);
    }
    if (expired)
        after_expiry(sa);
    return sa->state == S2_IKE_STATE_DEAD ? S2_IKE_ENDED : S2_IKE_STAY;
}

enum s2_ike_step s2_ike_info_closed(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    (void)packet;
    s2_ike_sa_kill(sa, sa->reason, sa->detail);
    return S2_IKE_ENDED;
}

void s2_ike_info_send_close(struct s2_ike_sa *sa)
{
    const struct s2_ike_delete_payload d = {.protocol = S2_IKE_PROTO_IKE};
    struct s2_ike_compose c;
    s2svpn_status rc = s2_ike_compose_request(&c, sa, S2_IKE_INFORMATIONAL);

    if (rc == S2SVPN_OK) {
        trace_delete(sa, S2_IKE_TRACE_DELETE_SENT, false, sa->spi_own);
        add_delete(&c, &d);
        rc = s2_ike_send_request(sa, &c, S2_IKE_INFORMATIONAL);
    }
    if (rc != S2SVPN_OK)
        s2_ike_sa_kill(sa, sa->reason, sa->detail);
}

void s2_ike_info_delete_children(struct s2_ike_sa *sa)
{
    struct s2_ike_delete_payload d = {.protocol = S2_IKE_PROTO_ESP};
    struct s2_ike_compose c;

    S2_LIST_EACH(&sa->children, it) {
        const struct s2_ike_child_sa *child = S2_CONTAINER(it, struct s2_ike_child_sa, link);

        if (child->state == S2_IKE_CHILD_DELETING)
            d.spi[d.count++] = child->spi_in;
    }
    if (s2_ike_compose_request(&c, sa, S2_IKE_INFORMATIONAL) != S2SVPN_OK)
        return;
    add_delete(&c, &d);
    if (s2_ike_send_request(sa, &c, S2_IKE_INFORMATIONAL) != S2SVPN_OK)
        return;
    S2_LIST_EACH(&sa->children, it) {
        struct s2_ike_child_sa *child = S2_CONTAINER(it, struct s2_ike_child_sa, link);

        if (child->state == S2_IKE_CHILD_DELETING) {
            child->asked = true;
            trace_delete(sa, S2_IKE_TRACE_DELETE_SENT, true, child->spi_in);
        }
    }
}

void s2_ike_info_check(struct s2_ike_sa *sa)
{
    struct s2_ike_compose c;

    if (s2_ike_compose_request(&c, sa, S2_IKE_INFORMATIONAL) == S2SVPN_OK &&
        s2_ike_send_request(sa, &c, S2_IKE_INFORMATIONAL) == S2SVPN_OK)
        sa->want_check = false;
}
