/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine is lent: memory, randomness, a log, an error to fill, timers,
 * a hash key. Engines see this and never the context. */
#ifndef S2_BASE_ENV_H
#define S2_BASE_ENV_H

#include "s2svpn/error.h"
#include "s2svpn/types.h"

struct s2_timers;

enum s2_log_level { S2_LOG_ERROR, S2_LOG_WARNING, S2_LOG_INFO, S2_LOG_DEBUG };

struct s2_env {
    const s2svpn_memory *memory; /* never NULL */
    s2svpn_status (*random)(void *user, uint8_t *out, size_t len);
    void *random_user;
    void (*log)(void *user, enum s2_log_level level, const char *text); /* NULL: no log */
    void *log_user;
    enum s2_log_level log_level; /* messages above it are not even printed */
    s2svpn_error *error;         /* NULL: details are dropped */
    struct s2_timers *timers;
    uint8_t hash_key[16]; /* SipHash key of this context's tables */
};

/* Zeroed memory, or NULL. release accepts NULL. */
void *s2_alloc(const struct s2_env *env, size_t len);
void *s2_alloc_array(const struct s2_env *env, size_t count, size_t len); /* checks overflow */
void s2_free(const struct s2_env *env, void *p);

/* Fill out with unpredictable bytes; S2SVPN_E_RANDOM after a failure. */
S2SVPN_NODISCARD s2svpn_status s2_random(const struct s2_env *env, void *out, size_t len);

/* Record a failure's details in env->error, where it is first known, and return
 * rc. field may be NULL. */
s2svpn_status s2_fail(const struct s2_env *env, s2svpn_status rc, const char *field,
                      const char *fmt, ...) S2SVPN_PRINTF(4, 5);
/* The same for an error that the caller owns; error may be NULL. */
s2svpn_status s2_error_set(s2svpn_error *error, s2svpn_status rc, const char *field,
                           const char *fmt, ...) S2SVPN_PRINTF(4, 5);

void s2_log(const struct s2_env *env, enum s2_log_level level, const char *fmt, ...)
    S2SVPN_PRINTF(3, 4);

/* malloc and free as an s2svpn_memory: the default of the public functions. */
const s2svpn_memory *s2_memory_default(void);

#endif
