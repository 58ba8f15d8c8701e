/* SPDX-License-Identifier: Apache-2.0 */
/* What a tunnel's log is told of messages, and how far its SAs are. The words for it are
 * vpn's. RFC 7296 section 3.1, RFC 2408 section 3.1. */
#include "ike/trace.h"

#include "ike/sa.h"
#include "ike/v1/v1.h"
#include "ike/v2/v2.h"

/* In the header of both versions. */
#define VERSION_AT 17
#define EXCHANGE_AT 18
#define FLAGS_AT 19
#define MESSAGE_ID_AT 20
#define LENGTH_AT 24

/* X(number, "name") */
#define EXCHANGE_LIST(X)                                                                           \
    X(S2_IKE1_MAIN, "main mode")                                                                   \
    X(S2_IKE1_INFORMATIONAL, "an informational exchange")                                          \
    X(S2_IKE1_QUICK, "quick mode")                                                                 \
    X(S2_IKE_SA_INIT, "IKE_SA_INIT")                                                               \
    X(S2_IKE_AUTH, "IKE_AUTH")                                                                     \
    X(S2_IKE_CREATE_CHILD_SA, "CREATE_CHILD_SA")                                                   \
    X(S2_IKE_INFORMATIONAL, "INFORMATIONAL")

static const char *exchange_name(uint8_t exchange)
{
    switch (exchange) {
#define CASE(number, name)                                                                         \
    case (number):                                                                                 \
        return name;
        EXCHANGE_LIST(CASE)
#undef CASE
    default:
        return "?";
    }
}

void s2_ike_trace_for(struct s2_ike *ike, const struct s2_ike_config *config,
                      const s2svpn_endpoint *remote, struct s2_ike_trace trace)
{
    if (ike->ops.trace == NULL)
        return;
    trace.exchange_name = exchange_name(trace.exchange);
    trace.error_name =
        trace.version == 1 ? s2_ike1_notify_name(trace.error) : s2_ike_notify_name(trace.error);
    trace.remote = remote;
    ike->ops.trace(ike->user, config->owner, &trace, ike->now_ns);
}

void s2_ike_trace(struct s2_ike_sa *sa, struct s2_ike_trace trace)
{
    if (sa->ike->ops.trace == NULL || sa->forgotten)
        return;
    const s2svpn_endpoint remote = sa->path.remote;

    trace.version = sa->v1 != NULL ? 1 : 2;
    trace.half =
        !sa->initiator && (sa->state == S2_IKE_STATE_NEW || s2_ike_state_is_half(sa->state));
    s2_ike_trace_for(sa->ike, sa->config, &remote, trace);
}

/* One message, or its fragments one after the other. */
static uint32_t count_pieces(const struct s2_ike_bytes *message)
{
    uint32_t count = 0;

    for (size_t at = 0; at + LENGTH_AT + 4 <= message->len;) {
        const uint32_t len = s2_get_u32(message->p + at + LENGTH_AT);

        count++;
        if (len == 0)
            break;
        at += len;
    }
    return count;
}

void s2_ike_trace_message(struct s2_ike_sa *sa, enum s2_ike_trace_kind kind,
                          const struct s2_ike_bytes *message, uint32_t tries)
{
    if (sa->ike->ops.trace == NULL || message->p == NULL || message->len < LENGTH_AT + 4)
        return;
    s2_ike_trace(
        sa, (struct s2_ike_trace){
                .kind = (uint8_t)kind,
                .exchange = message->p[EXCHANGE_AT],
                .response = sa->v1 == NULL && (message->p[FLAGS_AT] & S2_IKE_FLAG_RESPONSE) != 0,
                .message_id = s2_get_u32(message->p + MESSAGE_ID_AT),
                .pieces = count_pieces(message),
                .tries = tries,
            });
}

/* ---- how far */

static void add_making(const struct s2_ike_making *m, struct s2_ike_progress *out)
{
    if (m == NULL)
        return;
    out->rekeying = out->rekeying || m->kind == S2_IKE_REKEY_IKE;
    out->rekeying_child = out->rekeying_child || m->kind == S2_IKE_REKEY_CHILD;
    out->negotiating_child = out->negotiating_child || m->kind == S2_IKE_MAKE_CHILD;
}

static void add_quicks(const struct s2_ike_sa *sa, struct s2_ike_progress *out)
{
    S2_LIST_EACH(&sa->v1->quicks, it) {
        const struct s2_ike1_quick *q = S2_CONTAINER(it, const struct s2_ike1_quick, link);

        if (q->making == NULL)
            continue;
        out->rekeying_child = out->rekeying_child || q->making->replaces != 0;
        out->negotiating_child = true;
    }
}

void s2_ike_get_progress(const struct s2_ike *ike, const void *owner, struct s2_ike_progress *out)
{
    const struct s2_ike_owner *o = s2_ike_find_owner(ike, owner);
    bool up = false;

    *out = (struct s2_ike_progress){0};
    if (o == NULL)
        return;
    S2_LIST_EACH(&o->sas, it) {
        const struct s2_ike_sa *sa = S2_CONTAINER(it, const struct s2_ike_sa, owner_link);

        if (sa->state == S2_IKE_STATE_UP) {
            up = true;
            add_making(sa->asking, out);
            add_making(sa->answering, out);
            out->rekeying = out->rekeying || sa->heir != NULL;
        } else if (!s2_ike_state_is_up(sa->state)) {
            out->negotiating = out->negotiating || sa->state != S2_IKE_STATE_CLOSING;
        }
        out->negotiating_child =
            out->negotiating_child || (sa->v1 == NULL && sa->state == S2_IKE_STATE_AUTH_SENT);
        if (sa->v1 != NULL && s2_ike_state_is_up(sa->state))
            add_quicks(sa, out);
    }
    out->rekeying = out->rekeying || (up && out->negotiating);
}
