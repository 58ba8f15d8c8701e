/* SPDX-License-Identifier: Apache-2.0 */
/* Leads a request from its bytes to its answer. Each step is another file's. */
#include "ec2/ec2.h"

#include <string.h>

#include "base/bytes.h"
#include "ec2/header.h"

#define PENDING_MAX 256
#define ANSWER_MAX ((size_t)64 << 20)

struct s2svpn_ec2_lookup {
    struct s2_link link;
    struct s2svpn_ec2 *ec2;
    const s2svpn_ec2_request_data *request;
    void (*respond)(void *arg, const s2svpn_ec2_answer *answer);
    void *arg;
    struct s2_ec2_query url, body;
    struct s2_ec2_auth auth;
    struct s2_ec2_filters filters;
    struct s2_ec2_fault fault;
    enum s2_ec2_service service;
    char request_id[S2_EC2_REQUEST_ID_SIZE];
};

/* ---- answers */

static const char no_memory[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<Response><Errors><Error><Code>InternalError</Code><Message>Out of memory</Message></Error>"
    "</Errors><RequestID/></Response>\n";

static void respond_without_memory(void (*respond)(void *arg, const s2svpn_ec2_answer *answer),
                                   void *arg)
{
    const s2svpn_ec2_answer answer = {
        .size = sizeof(answer),
        .status = 500,
        .content_type = "text/xml;charset=UTF-8",
        .request_id = "",
        .code = "InternalError",
        .body = s2_span(no_memory, sizeof(no_memory) - 1),
    };

    respond(arg, &answer);
}

static void question_free(struct s2svpn_ec2_lookup *q)
{
    struct s2svpn_ec2 *ec2 = q->ec2;

    s2_list_remove(&q->link);
    ec2->pending_count--;
    s2_ec2_query_clear(&q->url);
    s2_ec2_query_clear(&q->body);
    s2_free(&ec2->env, q);
}

/* The last step: the question is gone before the host hears, so that the host may
 * call anything. */
static void finish(struct s2svpn_ec2_lookup *q, struct s2_buffer *body)
{
    void (*respond)(void *arg, const s2svpn_ec2_answer *answer) = q->respond;
    void *arg = q->arg;
    char request_id[S2_EC2_REQUEST_ID_SIZE];

    if (body->rc == S2SVPN_OK && q->fault.id != S2_EC2_NONE) {
        s2_buffer_clear(body);
        s2_ec2_xml_fault(body, q->service, &q->fault, q->request_id);
    }
    const s2svpn_ec2_answer answer = {
        .size = sizeof(answer),
        .status = s2_ec2_fault_http(q->fault.id),
        .content_type = "text/xml;charset=UTF-8",
        .request_id = request_id,
        .code = q->fault.id != S2_EC2_NONE ? s2_ec2_fault_code(q->fault.id) : NULL,
        .body = s2_span(body->data, body->len),
    };
    memcpy(request_id, q->request_id, sizeof(request_id));
    question_free(q);
    if (body->rc == S2SVPN_OK)
        respond(arg, &answer);
    else
        respond_without_memory(respond, arg);
    s2_buffer_clear(body);
}

static void refuse(struct s2svpn_ec2_lookup *q)
{
    struct s2_buffer body;

    s2_buffer_init(&body, q->ec2->env.memory, ANSWER_MAX);
    finish(q, &body);
}

/* ---- from the key on */

static bool is_post(const s2svpn_ec2_request_data *r)
{
    return s2_span_equal(r->method, s2_span("POST", 4));
}

/* Parameters stand in the body or in the query; the other one holds none. */
static s2svpn_status choose_query(struct s2svpn_ec2_lookup *q, struct s2_ec2_query **params)
{
    *params = q->body.count > 0 ? &q->body : &q->url;
    if (q->body.count > 0 && s2_ec2_query_unused(&q->url) != NULL)
        return s2_ec2_fail(&q->fault, S2_EC2_MALFORMED_QUERY,
                           "parameters stand in the body or in the query, not in both", NULL, NULL);
    return S2SVPN_OK;
}

static s2svpn_status choose_action(struct s2svpn_ec2_lookup *q, const struct s2_ec2_query *params,
                                   const struct s2_ec2_action **action)
{
    const bool sts = q->service == S2_EC2_SERVICE_STS;
    const char *name = s2_ec2_query_text(params, "Action");
    const char *version = s2_ec2_query_text(params, "Version");

    if (name == NULL || name[0] == '\0')
        return s2_ec2_fail(&q->fault, S2_EC2_MISSING_ACTION, NULL, NULL, NULL);
    if (version == NULL)
        return s2_ec2_fail(&q->fault, S2_EC2_MISSING_PARAMETER, "Version", NULL, NULL);
    if (strcmp(version, sts ? S2_EC2_STS_VERSION : S2_EC2_VERSION) != 0)
        return s2_ec2_fail(&q->fault, S2_EC2_NO_SUCH_VERSION, version, sts ? "sts" : "ec2", NULL);
    *action = s2_ec2_action_find(q->service, name);
    if (*action == NULL)
        return s2_ec2_fail(&q->fault, S2_EC2_INVALID_ACTION, name, NULL, NULL);
    return S2SVPN_OK;
}

static s2svpn_status authorize(struct s2svpn_ec2_lookup *q, const struct s2_ec2_action *action,
                               const s2svpn_ec2_key *key)
{
    const s2svpn_ec2_options *o = &q->ec2->options;
    const bool sts = action->service == S2_EC2_SERVICE_STS;

    if (action->no_rights)
        return S2SVPN_OK;
    if ((action->mutates && key->rights != S2SVPN_EC2_FULL) ||
        (o->authorize != NULL &&
         !o->authorize(o->user, key->account, sts ? "sts" : "ec2", action->name)))
        return s2_ec2_fail(&q->fault, S2_EC2_UNAUTHORIZED, NULL, NULL, NULL);
    return S2SVPN_OK;
}

/* What isn't of the action's own row: DryRun, filters, paging. */
static s2svpn_status decode(struct s2svpn_ec2_lookup *q, struct s2_ec2_call *call, bool *dry_run)
{
    const struct s2_ec2_action *a = call->action;
    struct s2_ec2_fault later = {.id = S2_EC2_NONE};
    const char *flag = a->no_dry_run ? NULL : s2_ec2_query_text(call->query, "DryRun");

    *dry_run = false;
    q->filters.count = 0;
    if (flag != NULL && !s2_ec2_read_bool(flag, dry_run))
        (void)s2_ec2_fail(&later, S2_EC2_INVALID_VALUE, flag, "DryRun", "Expecting true or false.");
    if (a->pages)
        (void)!s2_ec2_page_parse(&call->page, &q->ec2->crypto, q->ec2->page_key, call->query,
                                 a->name, call->account, a->ids, &later);
    if (a->filters != NULL && later.id == S2_EC2_NONE)
        (void)!s2_ec2_filters_parse(&q->filters, call->query, a->filters, &later);
    if (later.id != S2_EC2_NONE) {
        q->fault = later;
        return s2_ec2_fail(&q->fault, later.id, NULL, NULL, NULL);
    }
    return s2_ec2_check(a, call->query, &q->fault);
}

static s2svpn_status run(struct s2svpn_ec2_lookup *q, struct s2_ec2_call *call,
                         struct s2_buffer *out)
{
    bool dry_run;

    s2svpn_status rc = decode(q, call, &dry_run);
    if (rc != S2SVPN_OK)
        return rc;
    if (dry_run)
        return s2_ec2_fail(&q->fault, S2_EC2_DRY_RUN, NULL, NULL, NULL);
    s2_ec2_xml_init(&call->xml, out);
    s2_ec2_xml_answer_begin(&call->xml, q->service, call->action->name, q->request_id);
    rc = call->action->run(call);
    s2_ec2_xml_answer_end(&call->xml, q->service, call->action->name, q->request_id);
    return rc;
}

static bool key_is_whole(const s2svpn_ec2_key *key)
{
    return key->size >= sizeof(*key) && key->secret != NULL && key->secret[0] != '\0' &&
           strlen(key->secret) <= S2_EC2_SECRET_MAX && key->account != NULL &&
           strlen(key->account) == 12 && strspn(key->account, "0123456789") == 12;
}

static s2svpn_status authenticate(struct s2svpn_ec2_lookup *q, const s2svpn_ec2_key *key)
{
    if (key == NULL || key->rights == S2SVPN_EC2_DISABLED)
        return s2_ec2_auth_unknown(&q->auth, &q->fault);
    if (!key_is_whole(key))
        return s2_ec2_fail(&q->fault, S2_EC2_INTERNAL, NULL, NULL, NULL);
    return s2_ec2_auth_verify(&q->ec2->crypto, q->request, &q->url, &q->auth, key->secret,
                              key->session_token, &q->fault);
}

void s2svpn_ec2_answer_lookup(s2svpn_ec2_lookup *q, const s2svpn_ec2_key *key)
{
    struct s2_ec2_call call = {
        .ec2 = q->ec2,
        .filters = &q->filters,
        .region = q->auth.region,
        .now_s = q->request->time_s,
        .fault = &q->fault,
    };
    struct s2_buffer out;

    s2_buffer_init(&out, q->ec2->env.memory, ANSWER_MAX);
    s2svpn_status rc = authenticate(q, key);
    if (rc == S2SVPN_OK)
        rc = choose_query(q, &call.query);
    if (rc == S2SVPN_OK)
        rc = choose_action(q, call.query, &call.action);
    if (rc == S2SVPN_OK)
        rc = authorize(q, call.action, key);
    if (rc == S2SVPN_OK) {
        call.account = key->account;
        call.user = key->user;
        call.user_id = key->user_id;
        rc = run(q, &call, &out);
    }
    if (rc != S2SVPN_OK)
        (void)s2_ec2_fail(&q->fault, S2_EC2_INTERNAL, NULL, NULL, NULL);
    finish(q, &out);
}

/* ---- up to the key */

static s2svpn_status parse_request(struct s2svpn_ec2_lookup *q)
{
    const s2svpn_ec2_request_data *r = q->request;
    const struct s2_ec2_target target = s2_ec2_split_target(r->target);
    s2svpn_status rc;

    if (!is_post(r) && !s2_span_equal(r->method, s2_span("GET", 3)))
        return s2_ec2_fail(&q->fault, S2_EC2_METHOD_NOT_ALLOWED, NULL, NULL, NULL);
    if (r->body.len > S2SVPN_EC2_BODY_MAX || r->target.len > S2SVPN_EC2_BODY_MAX)
        return s2_ec2_fail(&q->fault, S2_EC2_REQUEST_TOO_LONG, NULL, NULL, NULL);
    rc = s2_ec2_query_parse(&q->url, &q->ec2->env, target.query, &q->fault);
    if (rc == S2SVPN_OK)
        rc = s2_ec2_auth_parse(r, &q->url, &q->auth, &q->fault);
    if (strcmp(q->auth.service, "sts") == 0)
        q->service = S2_EC2_SERVICE_STS;
    if (rc == S2SVPN_OK)
        rc = s2_ec2_query_parse(&q->body, &q->ec2->env, r->body, &q->fault);
    return rc;
}

void s2svpn_ec2_request(s2svpn_ec2 *ec2, const s2svpn_ec2_request_data *request,
                        void (*respond)(void *arg, const s2svpn_ec2_answer *answer), void *arg)
{
    struct s2svpn_ec2_lookup *q = s2_alloc(&ec2->env, sizeof(*q));

    if (q == NULL) {
        respond_without_memory(respond, arg);
        return;
    }
    q->ec2 = ec2;
    q->request = request;
    q->respond = respond;
    q->arg = arg;
    q->service = S2_EC2_SERVICE_EC2;
    s2_list_append(&ec2->pending, &q->link);
    const bool full = ++ec2->pending_count > ec2->options.pending_max;

    s2svpn_status rc = s2_ec2_request_id(&ec2->env, q->request_id);
    if (rc != S2SVPN_OK)
        rc = s2_ec2_fail(&q->fault, S2_EC2_INTERNAL, NULL, NULL, NULL);
    else if (full)
        rc = s2_ec2_fail(&q->fault, S2_EC2_LIMIT_EXCEEDED, NULL, NULL, NULL);
    else
        rc = parse_request(q);
    if (rc != S2SVPN_OK)
        refuse(q);
    else
        ec2->options.lookup(ec2->options.user, q->auth.access_key, q);
}

/* ---- the object */

static s2svpn_status backend_random(void *user, uint8_t *out, size_t len)
{
    const s2svpn_ec2 *ec2 = user;

    return ec2->options.crypto->random(ec2->options.crypto_user, out, len);
}

/* Does a table of the caller's reach to the end of this member? */
#define HAS(table, type, member)                                                                   \
    ((table)->size >= offsetof(type, member) + sizeof(((type *)0)->member))

static s2svpn_status check_options(const s2svpn_ec2_options *o, s2svpn_error *why)
{
    if (o->lookup == NULL)
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "lookup", "a required member is missing");
    if (o->crypto == NULL)
        return s2_error_set(why, S2SVPN_E_UNSUPPORTED, "crypto",
                            "this build has no crypto backend of its own: bring one");
    if (!HAS(o->crypto, s2svpn_crypto_ops, prf) || !o->crypto->hash || !o->crypto->prf)
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "crypto", "a required member is missing");
    if (o->crypto->random == NULL && o->random == NULL)
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "random",
                            "neither the backend nor the options bring randomness");
    for (size_t i = 0; o->regions != NULL && i < o->region_count; i++) {
        if (o->regions[i] == NULL || o->regions[i][0] == '\0' || strlen(o->regions[i]) > 32)
            return s2_error_set(why, S2SVPN_E_ARGUMENT, "regions", "names of 1 to 32 bytes");
    }
    return S2SVPN_OK;
}

s2svpn_status s2svpn_ec2_new(const s2svpn_ec2_options *options, s2svpn_ec2 **out, s2svpn_error *why)
{
    s2svpn_ec2_options o = {0};

    *out = NULL;
    if (options == NULL || options->size < sizeof(options->size))
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "options", "they are needed");
    memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
    if (o.crypto == NULL)
        o.crypto = s2svpn_crypto_openssl();
    if (o.memory == NULL)
        o.memory = s2_memory_default();
    if (o.pending_max == 0)
        o.pending_max = PENDING_MAX;
    s2svpn_status rc = check_options(&o, why);
    if (rc != S2SVPN_OK)
        return rc;

    s2svpn_ec2 *ec2 = o.memory->allocate(o.memory->user, sizeof(*ec2));
    if (ec2 == NULL)
        return s2_error_set(why, S2SVPN_E_MEMORY, NULL, "out of memory");
    *ec2 = (s2svpn_ec2){.options = o};
    ec2->env.memory = o.memory;
    ec2->env.random = o.random != NULL ? o.random : backend_random;
    ec2->env.random_user = o.random != NULL ? o.random_user : ec2;
    ec2->crypto = (struct s2_ec2_crypto){&ec2->env, o.crypto, o.crypto_user};
    s2_list_init(&ec2->pending);
    rc = s2_random(&ec2->env, ec2->page_key, sizeof(ec2->page_key));
    if (rc != S2SVPN_OK) {
        o.memory->release(o.memory->user, ec2);
        return s2_error_set(why, rc, "random", "no randomness to be had");
    }
    *out = ec2;
    return S2SVPN_OK;
}

void s2svpn_ec2_free(s2svpn_ec2 *ec2)
{
    if (ec2 == NULL)
        return;
    while (!s2_list_empty(&ec2->pending)) {
        struct s2svpn_ec2_lookup *q =
            S2_CONTAINER(ec2->pending.next, struct s2svpn_ec2_lookup, link);
        (void)s2_ec2_fail(&q->fault, S2_EC2_UNAVAILABLE, NULL, NULL, NULL);
        refuse(q);
    }
    const s2svpn_memory *memory = ec2->options.memory;
    s2_wipe(ec2, sizeof(*ec2));
    memory->release(memory->user, ec2);
}
