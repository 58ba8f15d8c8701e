/* SPDX-License-Identifier: Apache-2.0 */
/* Form data to a sorted list of parameters, by the rules of the URL standard's
 * application/x-www-form-urlencoded but strict. What they mean is action.c's. */
#include "ec2/query.h"

#include <string.h>

#include "base/bytes.h"
#include "base/reader.h"
#include "base/text.h"
#include "ec2/time.h"

#define INDEX_MAX 999999999

/* A segment that is an index, 1 and up without leading zeros; else 0. */
static uint32_t index_of(const char *p, size_t len)
{
    uint64_t v;

    if (len == 0 || len > 9 || p[0] == '0' || !s2_read_number(p, len, INDEX_MAX, &v))
        return 0;
    return (uint32_t)v;
}

static int compare_segments(const char *a, size_t a_len, const char *b, size_t b_len)
{
    const uint32_t i = index_of(a, a_len), j = index_of(b, b_len);

    if (i != j)
        return i == 0 ? 1 : j == 0 ? -1 : i < j ? -1 : 1;
    const int c = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return c != 0 ? c : a_len < b_len ? -1 : a_len > b_len;
}

/* Segment by segment; a name comes before those below it. */
static int compare_names(const char *a, const char *b)
{
    for (;;) {
        const size_t i = strcspn(a, "."), j = strcspn(b, ".");
        const int c = compare_segments(a, i, b, j);
        if (c != 0)
            return c;
        if (a[i] == '\0' || b[j] == '\0')
            return (a[i] != '\0') - (b[j] != '\0');
        a += i + 1;
        b += j + 1;
    }
}

static void sift(struct s2_ec2_param *p, size_t root, size_t n)
{
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && compare_names(p[child].name, p[child + 1].name) < 0)
            child++;
        if (compare_names(p[root].name, p[child].name) >= 0)
            return;
        const struct s2_ec2_param kept = p[root];
        p[root] = p[child];
        p[child] = kept;
    }
}

/* Heap sort: no worst case for a sender to find, no memory. */
static void sort(struct s2_ec2_param *p, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift(p, i, n);
    for (size_t i = n; i-- > 1;) {
        const struct s2_ec2_param kept = p[0];
        p[0] = p[i];
        p[i] = kept;
        sift(p, 0, i);
    }
}

/* Length of the UTF-8 character at p, or 0: too long a form, a surrogate, above
 * U+10FFFF, or cut off (RFC 3629 section 4). */
static size_t utf8_len(const uint8_t *p, size_t left)
{
    if (p[0] < 0x80)
        return 1;
    const size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

static bool is_text(const char *p, size_t len)
{
    const uint8_t *bytes = (const uint8_t *)p;

    for (size_t i = 0, n; i < len; i += n) {
        n = bytes[i] == 0 ? 0 : utf8_len(bytes + i, len - i);
        if (n == 0)
            return false;
    }
    return true;
}

static int hex(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Decode up to stop ('=' or '&'), '&' or the end. Returns which it was, 0 for the
 * end. */
static uint8_t decode(struct s2_reader *r, uint8_t stop, char *out, size_t *len)
{
    *len = 0;
    while (r->left > 0) {
        uint8_t c = s2_read_u8(r, "query");
        if (c == '&' || c == stop)
            return c;
        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            const int high = hex(s2_read_u8(r, "percent sign"));
            const int low = hex(s2_read_u8(r, "percent sign"));
            if (high < 0 || low < 0) {
                s2_reader_fail(r, S2SVPN_E_MALFORMED, "percent sign");
                return 0;
            }
            c = (uint8_t)(high << 4 | low);
        }
        out[(*len)++] = (char)c;
    }
    return 0;
}

static s2svpn_status add(struct s2_ec2_query *q, const struct s2_ec2_param *p,
                         struct s2_ec2_fault *fault)
{
    if (!is_text(p->name, p->name_len) || !is_text(p->value, p->value_len))
        return s2_ec2_fail(fault, S2_EC2_MALFORMED_QUERY, "it is not UTF-8", NULL, NULL);
    if (p->name_len == 0 || p->name[0] == '.')
        return s2_ec2_fail(fault, S2_EC2_MALFORMED_QUERY, "a parameter has no name", NULL, NULL);
    if (p->name_len > S2_EC2_NAME_MAX || p->value_len > S2_EC2_VALUE_MAX)
        return s2_ec2_fail(fault, S2_EC2_INVALID_QUERY_PARAMETER, p->name, "it is too long", NULL);
    q->param[q->count++] = *p;
    return S2SVPN_OK;
}

static s2svpn_status parse(struct s2_ec2_query *q, s2svpn_span text, size_t most,
                           struct s2_ec2_fault *fault)
{
    struct s2_reader r;
    char *out = q->text;

    s2_reader_init(&r, text.p, text.len);
    while (r.left > 0) {
        struct s2_ec2_param p = {.name = out, .value = ""};
        uint8_t end = decode(&r, '=', out, &p.name_len);
        out += p.name_len;
        *out++ = '\0';
        if (end == '=') {
            p.value = out;
            end = decode(&r, '&', out, &p.value_len);
            out += p.value_len;
            *out++ = '\0';
        }
        if (r.rc != S2SVPN_OK)
            return s2_ec2_fail(fault, S2_EC2_MALFORMED_QUERY, "a % without two digits", NULL, NULL);
        if (p.name_len == 0 && p.value_len == 0)
            continue; /* "a=1&&b=2" */
        if (q->count == most)
            return s2_ec2_fail(fault, S2_EC2_MALFORMED_QUERY, "too many parameters", NULL, NULL);
        s2svpn_status rc = add(q, &p, fault);
        if (rc != S2SVPN_OK)
            return rc;
    }
    sort(q->param, q->count);
    for (size_t i = 1; i < q->count; i++) {
        if (strcmp(q->param[i - 1].name, q->param[i].name) == 0)
            return s2_ec2_fail(fault, S2_EC2_INVALID_QUERY_PARAMETER, q->param[i].name,
                               "it is there twice", NULL);
    }
    return S2SVPN_OK;
}

s2svpn_status s2_ec2_query_parse(struct s2_ec2_query *q, const struct s2_env *env, s2svpn_span text,
                                 struct s2_ec2_fault *fault)
{
    size_t pieces = 1;

    *q = (struct s2_ec2_query){.env = env};
    if (text.len == 0)
        return S2SVPN_OK;
    for (size_t i = 0; i < text.len && pieces < S2_EC2_PARAMS_MAX; i++)
        pieces += text.p[i] == '&';

    /* Decoded text is not longer; a zero byte takes the place of each '=' and '&',
     * but for the last. */
    q->text_len = text.len + 2;
    q->text = s2_alloc(env, q->text_len);
    q->param = s2_alloc_array(env, pieces, sizeof(*q->param));
    s2svpn_status rc = q->text != NULL && q->param != NULL
                           ? parse(q, text, pieces, fault)
                           : s2_ec2_fail(fault, S2_EC2_INTERNAL, NULL, NULL, NULL);
    if (rc != S2SVPN_OK)
        s2_ec2_query_clear(q);
    return rc;
}

void s2_ec2_query_clear(struct s2_ec2_query *q)
{
    if (q->text != NULL)
        s2_wipe(q->text, q->text_len);
    if (q->env != NULL) {
        s2_free(q->env, q->text);
        s2_free(q->env, q->param);
    }
    *q = (struct s2_ec2_query){.env = q->env};
}

/* Where name is, or would be. */
static size_t lower_bound(const struct s2_ec2_query *q, const char *name)
{
    size_t low = 0, high = q->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare_names(q->param[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct s2_ec2_param *s2_ec2_query_find(const struct s2_ec2_query *q, const char *name)
{
    const size_t i = lower_bound(q, name);

    if (i == q->count || strcmp(q->param[i].name, name) != 0)
        return NULL;
    q->param[i].used = true;
    return &q->param[i];
}

const char *s2_ec2_query_text(const struct s2_ec2_query *q, const char *name)
{
    const struct s2_ec2_param *p = s2_ec2_query_find(q, name);

    return p != NULL ? p->value : NULL;
}

bool s2_ec2_query_has(const struct s2_ec2_query *q, const char *name)
{
    const size_t i = lower_bound(q, name), len = strlen(name);

    if (i == q->count || strncmp(q->param[i].name, name, len) != 0)
        return false;
    return q->param[i].name[len] == '\0' || q->param[i].name[len] == '.';
}

const struct s2_ec2_param *s2_ec2_query_unused(const struct s2_ec2_query *q)
{
    for (size_t i = 0; i < q->count; i++) {
        if (!q->param[i].used)
            return &q->param[i];
    }
    return NULL;
}

void s2_ec2_query_use_all(struct s2_ec2_query *q, const char *prefix)
{
    for (size_t i = 0; i < q->count; i++)
        q->param[i].used |= strncmp(q->param[i].name, prefix, strlen(prefix)) == 0;
}

void s2_ec2_list_init(struct s2_ec2_list *l, const struct s2_ec2_query *q, const char *name)
{
    *l = (struct s2_ec2_list){.query = q, .at = lower_bound(q, name)};
    l->prefix_len = s2_print(l->name, sizeof(l->name), "%s.", name);
}

bool s2_ec2_list_next(struct s2_ec2_list *l)
{
    for (; l->at < l->query->count; l->at++) {
        const char *name = l->query->param[l->at].name;
        if (strncmp(name, l->name, l->prefix_len) != 0) {
            /* the name itself, without an index, comes before its list */
            if (strncmp(name, l->name, l->prefix_len - 1) == 0 && name[l->prefix_len - 1] == '\0')
                continue;
            return false;
        }
        const char *segment = name + l->prefix_len;
        const size_t len = strcspn(segment, ".");
        const uint32_t index = index_of(segment, len);
        if (index == 0)
            return false; /* indexes come first */
        if (index != l->index) {
            l->index = index;
            s2_print(l->name + l->prefix_len, sizeof(l->name) - l->prefix_len, "%u",
                     (unsigned)index);
            l->at++;
            return true;
        }
    }
    return false;
}

char *s2_ec2_name(char *out, const char *prefix, const char *member)
{
    s2_print(out, S2_EC2_NAME_MAX + 1, "%s%s%s", prefix, prefix[0] != '\0' ? "." : "", member);
    return out;
}

bool s2_ec2_read_bool(const char *text, bool *out)
{
    static const char words[2][6] = {"false", "true"};

    for (size_t i = 0; i < 2; i++) {
        size_t n = 0;
        while (text[n] != '\0' && (text[n] | 0x20) == words[i][n])
            n++;
        if (text[n] == '\0' && words[i][n] == '\0') {
            *out = i == 1;
            return true;
        }
    }
    return false;
}

bool s2_ec2_read_int(const char *text, int64_t min, int64_t max, int64_t *out)
{
    const bool minus = min < 0 && text[0] == '-';
    uint64_t v;

    if (!s2_read_number(text + minus, strlen(text + minus), INT64_MAX, &v))
        return false;
    const int64_t value = minus ? -(int64_t)v : (int64_t)v;
    if (value < min || value > max)
        return false;
    *out = value;
    return true;
}

bool s2_ec2_read_time(const char *text, int64_t *seconds)
{
    return s2_ec2_time_iso(text, strlen(text), seconds);
}
