/* SPDX-License-Identifier: Apache-2.0 */
/* A line is asked, the answer is printed. */
#include "control/ask.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int ask_fail(const char *program, const char *fmt, ...)
{
    va_list args;

    fprintf(stderr, "%s: ", program);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    return 1;
}

bool ask_is_word(const char *word)
{
    return word[0] != 0 && strpbrk(word, " \n") == NULL;
}

static int connect_to(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (strlen(path) >= sizeof(to.sun_path)) {
        errno = ENAMETOOLONG;
        close(fd);
        return -1;
    }
    memcpy(to.sun_path, path, strlen(path) + 1);
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        const int reason = errno;

        close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

/* "ok", or the error's words on standard error. */
static bool read_verdict(const char *program, FILE *in)
{
    char line[512];

    if (fgets(line, sizeof(line), in) == NULL) {
        ask_fail(program, "the other end closed the connection");
        return false;
    }
    line[strcspn(line, "\n")] = 0;
    if (strcmp(line, "ok") == 0)
        return true;
    ask_fail(program, "%s", strncmp(line, "error: ", 7) == 0 ? line + 7 : line);
    return false;
}

FILE *ask(const char *program, const char *path, const char *line)
{
    const int fd = connect_to(path);
    const size_t len = strlen(line);
    FILE *in = fd >= 0 ? fdopen(fd, "re") : NULL;

    if (in == NULL || send(fd, line, len, MSG_NOSIGNAL) != (ssize_t)len) {
        ask_fail(program, "%s: %s", path, strerror(errno));
        if (in)
            fclose(in);
        else if (fd >= 0)
            close(fd);
        return NULL;
    }
    if (read_verdict(program, in))
        return in;
    fclose(in);
    return NULL;
}

int ask_copy(const char *program, FILE *in)
{
    char bytes[8192];
    size_t n;

    while ((n = fread(bytes, 1, sizeof(bytes), in)) > 0) {
        if (fwrite(bytes, 1, n, stdout) != n)
            return ask_fail(program, "%s", strerror(errno));
    }
    return fflush(stdout) == 0 ? 0 : ask_fail(program, "%s", strerror(errno));
}
