/* SPDX-License-Identifier: Apache-2.0 */
/* What Wireshark opens: the datagrams on the device's sockets as a capture, and the
 * session keys as its tables ikev2_decryption_table and esp_sa. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "quickstart.h"

static bool failed(const char *path)
{
    fprintf(stderr, "quickstart: %s: %s\n", path, strerror(errno));
    return false;
}

static bool open_pcap(struct quickstart *q)
{
    uint8_t header[S2SVPN_PCAP_HEADER_LEN];

    q->pcap = fopen(q->pcap_path, "wb");
    if (q->pcap == NULL)
        return failed(q->pcap_path);
    s2svpn_pcap_header(header);
    if (fwrite(header, sizeof(header), 1, q->pcap) != 1)
        return failed(q->pcap_path);
    return true;
}

bool tap_open(struct quickstart *q)
{
    struct stat st;

    if (q->keylog_path && mkdir(q->keylog_path, 0700) != 0) {
        if (errno != EEXIST || stat(q->keylog_path, &st) != 0)
            return failed(q->keylog_path);
        if (!S_ISDIR(st.st_mode)) {
            errno = ENOTDIR;
            return failed(q->keylog_path);
        }
    }
    return q->pcap_path == NULL || open_pcap(q);
}

bool tap_close(struct quickstart *q)
{
    FILE *f = q->pcap;
    bool whole;

    q->pcap = NULL;
    if (f == NULL)
        return true;
    whole = !ferror(f);
    if (fclose(f) == 0 && whole)
        return true;
    fprintf(stderr, "quickstart: %s is not whole\n", q->pcap_path);
    return false;
}

/* The wall clock belongs to the file, the monotonic one to everything else. */
static uint64_t unix_ns(uint64_t now_ns)
{
    struct timespec wall;

    clock_gettime(CLOCK_REALTIME, &wall);
    return (uint64_t)wall.tv_sec * SECOND_NS + (uint64_t)wall.tv_nsec -
           (s2svpn_host_now() - now_ns);
}

void tap_on_wire(void *user, const s2svpn_datagram *d, bool sent, uint64_t now_ns)
{
    static const size_t room = 65535 + S2SVPN_PCAP_OVERHEAD;
    struct quickstart *q = user;
    uint8_t record[65535 + S2SVPN_PCAP_OVERHEAD];
    size_t len;

    for (size_t i = 0; (len = s2svpn_pcap_datagram(record, room, d, i, sent, unix_ns(now_ns))); i++)
        fwrite(record, len, 1, q->pcap);
    fflush(q->pcap); /* a look while it runs, or after Ctrl-C, shows whole packets */
}

/* Appended, as the folder may be a profile of Wireshark's that has lines already. */
void tap_on_keylog(void *user, enum s2svpn_keylog_kind kind, const char *line)
{
    const struct quickstart *q = user;
    char path[4096];
    FILE *f;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", q->keylog_path,
             kind == S2SVPN_KEYLOG_IKE ? "ikev2_decryption_table" : "esp_sa");
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    f = fd >= 0 ? fdopen(fd, "a") : NULL;
    if (f == NULL) {
        failed(path);
        if (fd >= 0)
            close(fd);
        return;
    }
    fprintf(f, "%s\n", line);
    fclose(f);
}
