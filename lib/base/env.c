/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine does with what it was lent: allocate, draw randomness, fail,
 * log. It keeps nothing and calls only the lent functions and malloc. */
#include "base/env.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

#define LOG_LINE_SIZE 512

static void *allocate_default(void *user, size_t len)
{
    (void)user;
    return calloc(1, len);
}

static void release_default(void *user, void *p)
{
    (void)user;
    free(p);
}

const s2svpn_memory *s2_memory_default(void)
{
    static const s2svpn_memory memory = {
        .size = sizeof(memory),
        .allocate = allocate_default,
        .release = release_default,
    };

    return &memory;
}

void *s2_alloc(const struct s2_env *env, size_t len)
{
    const s2svpn_memory *memory = env->memory;

    if (len == 0)
        len = 1; /* NULL means failure and nothing else */
    void *p = memory->allocate(memory->user, len);
    if (p != NULL && memory->allocate != allocate_default)
        memset(p, 0, len);
    return p;
}

void *s2_alloc_array(const struct s2_env *env, size_t count, size_t len)
{
    if (len != 0 && count > SIZE_MAX / len)
        return NULL;
    return s2_alloc(env, count * len);
}

void s2_free(const struct s2_env *env, void *p)
{
    env->memory->release(env->memory->user, p);
}

s2svpn_status s2_random(const struct s2_env *env, void *out, size_t len)
{
    if (len == 0)
        return S2SVPN_OK;
    if (env->random != NULL && env->random(env->random_user, out, len) == S2SVPN_OK)
        return S2SVPN_OK;
    /* Half a key is worse than none: somebody might use it. */
    s2_wipe(out, len);
    return s2_fail(env, S2SVPN_E_RANDOM, NULL, "the source of randomness failed");
}

/* Printed aside first, so that the arguments may be the old error's own texts. */
static void set_error(s2svpn_error *error, s2svpn_status rc, const char *field, const char *fmt,
                      va_list args)
{
    s2svpn_error e = {.code = rc};

    if (error == NULL)
        return;
    s2_copy_text(e.field, sizeof(e.field), field);
    s2_print_v(e.message, sizeof(e.message), fmt, args);
    *error = e;
}

s2svpn_status s2_fail(const struct s2_env *env, s2svpn_status rc, const char *field,
                      const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    set_error(env->error, rc, field, fmt, args);
    va_end(args);
    return rc;
}

s2svpn_status s2_error_set(s2svpn_error *error, s2svpn_status rc, const char *field,
                           const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    set_error(error, rc, field, fmt, args);
    va_end(args);
    return rc;
}

void s2_log(const struct s2_env *env, enum s2_log_level level, const char *fmt, ...)
{
    char line[LOG_LINE_SIZE];
    va_list args;

    if (env->log == NULL || level > env->log_level)
        return;
    va_start(args, fmt);
    s2_print_v(line, sizeof(line), fmt, args);
    va_end(args);
    env->log(env->log_user, level, line);
}
