/* SPDX-License-Identifier: Apache-2.0 */
/* s2svpn-device: a customer gateway device from the documents that AWS lets people
 * download. Brings all up in its order, and down again. */
#include <errno.h>
#include <event2/event.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device/check.h"
#include "device/client.h"
#include "device/command.h"
#include "device/device.h"
#include "device/events.h"
#include "device/notify.h"
#include "device/privileges.h"

/* ---- signals */

static void on_stopping(void *user)
{
    struct device *d = user;

    notify("STOPPING=1");
    log_line(&d->log, S2SVPN_LOG_INFO, NULL, "ends");
}

/* Somebody deleted the device. What the host had on it went with it and is put on the new
 * one; where we may not make one any more, a fresh start can. */
static void on_gone(void *user, s2svpn_port_id port, const char *name)
{
    struct device *d = user;
    s2svpn_error why = {0};

    if (d->options.device.external_bgp) {
        links_on_gone(d, port, name);
        return;
    }
    log_line(&d->log, S2SVPN_LOG_WARNING, NULL, "TUN device %s is gone", name);
    if (s2svpn_host_add_tun(d->program.host, port, name, TUN_MTU, d->tun, &why) == S2SVPN_OK) {
        log_line(&d->log, S2SVPN_LOG_INFO, NULL, "TUN device %s is made anew", d->tun);
        routes_on_new_tun(d);
        return;
    }
    log_line(&d->log, S2SVPN_LOG_ERROR, NULL, "and can't be made anew: %s", why.message);
    d->failed = true;
    kill(getpid(), SIGTERM);
}

static void on_hangup(evutil_socket_t number, short what, void *arg)
{
    (void)number;
    (void)what;
    reload_start(arg);
}

static void on_rekey(evutil_socket_t number, short what, void *arg)
{
    struct device *d = arg;

    (void)number;
    (void)what;
    if (command_rekey_all(d) == 0)
        log_line(&d->log, S2SVPN_LOG_INFO, NULL, "no tunnel has a child SA to rekey");
}

/* ---- up */

static bool is_this_hosts(const struct ifaddrs *all, const s2svpn_address *a)
{
    for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
        if (i->ifa_addr == NULL)
            continue;
        if (a->family == S2SVPN_FAMILY_IPV4 && i->ifa_addr->sa_family == AF_INET &&
            memcmp(&((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr, a->bytes, 4) == 0)
            return true;
        if (a->family == S2SVPN_FAMILY_IPV6 && i->ifa_addr->sa_family == AF_INET6 &&
            memcmp(&((struct sockaddr_in6 *)(void *)i->ifa_addr)->sin6_addr, a->bytes, 16) == 0)
            return true;
    }
    return false;
}

/* Behind NAT the document's address is the NAT's. Then ours is of no matter to anyone, and
 * may change: sockets that are bound to none send from what there is. */
static void choose_local(struct device *d, const struct documents *all)
{
    struct ifaddrs *here = NULL;
    char text[S2SVPN_ADDRESS_TEXT];

    if (d->options.device.local.family != S2SVPN_FAMILY_NONE || getifaddrs(&here) != 0)
        return;
    for (size_t i = 0; i < all->count; i++) {
        const s2svpn_address *a = &all->item[i].config->tunnel[0].customer.outside;

        if (a->family == S2SVPN_FAMILY_NONE || is_this_hosts(here, a))
            continue; /* with none, it sends from what there is anyhow */
        log_line(&d->log, S2SVPN_LOG_WARNING, all->item[i].path,
                 "%s is not an address of this host: sends from what it has, as behind NAT "
                 "(--local)",
                 s2svpn_address_print(a, text));
        d->options.device.local = (s2svpn_address){.family = a->family};
        break;
    }
    freeifaddrs(here);
}

static void read_documents(struct device *d, struct documents *out)
{
    files_read(&d->log, d->options.paths, d->options.path_count, true, out);
    if (out->count == 0)
        log_line(&d->log, S2SVPN_LOG_ERROR, NULL, "there is no document");
    if (out->count == 0 || out->wrong > 0 || out->incomplete)
        exit(1);
    choose_local(d, out);
    for (size_t i = 0; i < out->count; i++) {
        const s2svpn_config_tunnel *t = &out->item[i].config->tunnel[0];
        const s2svpn_address any = {.family = t->gateway.outside.family};

        program_add_address(&d->program, d->options.device.local.family ? &d->options.device.local
                                         : t->customer.outside.family   ? &t->customer.outside
                                                                        : &any);
    }
}

static void open_port(struct device *d)
{
    s2svpn_context *ctx = d->program.ctx;
    s2svpn_port_spec spec = S2SVPN_PORT_INIT;
    s2svpn_error why = {0};
    s2svpn_port *port;

    if (d->options.device.external_bgp)
        return; /* each tunnel has its own */
    spec.prefix = d->options.lan;
    spec.prefix_count = d->options.lan_count;
    if (d->options.address_count > 0)
        spec.address = d->options.address[0]; /* ICMP errors come from it */
    if (s2svpn_port_new(ctx, &spec, &port) != S2SVPN_OK)
        program_fail(&d->program, s2svpn_context_error(ctx));
    if (s2svpn_host_add_tun(d->program.host, s2svpn_port_number(port), d->options.tun, TUN_MTU,
                            d->tun, &why) != S2SVPN_OK)
        program_fail(&d->program, &why);
    s2svpn_port_release(port);
    log_line(&d->log, S2SVPN_LOG_INFO, NULL, "TUN device %s", d->tun);
}

/* The control socket is of use to most and asked of nobody: where its default place can't
 * be had, the device works without. Not so where the host's routes are ours: the file
 * beside the socket knows them. */
static void open_control(struct device *d)
{
    const char *path = d->options.control;
    const char *why = control_make_folder(&d->control, path);

    d->control.base = d->program.base;
    d->control.user = d;
    d->control.run = command_run;
    d->control.leave = capture_stop;
    if (why == NULL)
        why = undo_open(&d->undo, path);
    if (why == NULL)
        why = control_open(&d->control, path);
    if (why == NULL)
        return;
    if (d->options.control_given || options_manage_host(&d->options)) {
        log_line(&d->log, S2SVPN_LOG_ERROR, path, "%s", why);
        exit(1);
    }
    log_line(&d->log, S2SVPN_LOG_WARNING, path, "%s: no control socket", why);
}

static void undo_leftovers(struct device *d)
{
    struct netlink nl;

    if (d->undo.fd < 0 || netlink_open(&nl) != 0)
        return;
    undo_do(&d->undo, &nl, &d->log);
    netlink_close(&nl);
}

/* Later there may be no right to. */
static void open_logs(struct device *d, const struct documents *all)
{
    for (size_t i = 0; d->program.logs && i < all->count; i++) {
        const s2svpn_device_config *c = all->item[i].config;

        for (size_t k = 0; k < c->tunnel_count; k++)
            tunnel_logs_open(d->program.logs, c->connection.text, &c->tunnel[k].gateway.outside);
    }
}

static void drop_privileges(struct device *d)
{
    const char *user = d->options.user;
    const char *failed = NULL;
    uid_t uid;
    gid_t gid;

    if (user && !privileges_find(user, &uid, &gid))
        failed = "there is no such user";
    if (user && failed == NULL && geteuid() == 0 &&
        !(control_give(&d->control, uid, gid) &&
          (d->undo.fd < 0 || fchown(d->undo.fd, uid, gid) == 0)))
        failed = strerror(errno);
    if (failed == NULL)
        failed = privileges_drop(user, options_manage_host(&d->options) ||
                                           d->options.device.external_bgp);
    if (failed == NULL)
        return;
    log_line(&d->log, S2SVPN_LOG_ERROR, user, "privileges can't be dropped: %s", failed);
    exit(1);
}

static void open_connections(struct device *d, struct documents *documents)
{
    for (size_t i = 0; i < documents->count; i++) {
        if (!connections_open(d, &documents->item[i], false))
            exit(1);
    }
    files_clear(documents);
    routes_update(d);
}

static void hook(struct device *d)
{
    struct program *p = &d->program;

    p->user = d;
    p->log = events_on_log;
    p->stopping = on_stopping;
    p->gone = on_gone;
    if (d->options.keep_keys)
        p->keys = events_on_key;
}

static void open_all(struct device *d)
{
    struct documents *documents = calloc(1, sizeof(*documents));

    if (documents == NULL)
        exit(1);
    if (!policies_read(&d->log, &d->options.policies, &d->policies))
        exit(1);
    read_documents(d, documents);
    program_open(&d->program, S2SVPN_ROLE_DEVICE);
    if (s2svpn_context_subscribe(d->program.ctx, S2SVPN_EVENT_ALL, events_on_event, d, NULL) !=
        S2SVPN_OK)
        program_fail(&d->program, s2svpn_context_error(d->program.ctx));
    open_control(d);
    undo_leftovers(d);
    open_port(d);
    if (!routes_init(d) || !links_init(d) || !reload_init(d))
        exit(1);
    open_logs(d, documents);
    if (!certificates_init(&d->program, &d->options.certificates))
        exit(1);
    drop_privileges(d);
    open_connections(d, documents);
    free(documents);
}

/* ---- down */

static void close_all(struct device *d)
{
    d->ready = false;
    routes_clear(d);
    reload_clear(d);
    certificates_clear(&d->options.certificates);
    control_close(&d->control);
    undo_close(&d->undo, true);
    control_remove_folder(&d->control);
    connections_clear(d);
    policies_clear(&d->policies);
    links_clear(d);
    program_close(&d->program);
    captures_clear(d);
}

static void run(struct device *d)
{
    struct event *hangup = evsignal_new(d->program.base, SIGHUP, on_hangup, d);
    struct event *rekey = evsignal_new(d->program.base, SIGUSR1, on_rekey, d);

    event_add(hangup, NULL);
    event_add(rekey, NULL);
    d->ready = true;
    notify("READY=1\nMAINPID=%u", (unsigned)getpid());
    events_notify_status(d);
    program_loop(&d->program);
    event_free(hangup);
    event_free(rekey);
}

int main(int argc, char **argv)
{
    struct device *d = calloc(1, sizeof(*d));
    int status = 0;

    if (argc > 1 && client_is_command(argv[1])) {
        free(d);
        return client_run(argc - 1, argv + 1);
    }
    if (d == NULL)
        return 1;
    d->program.name = "s2svpn-device";
    d->program.raw = S2SVPN_HOST_RAW_AUTO;
    d->program.log_level = S2SVPN_LOG_INFO;
    d->undo.fd = d->control.fd = d->links_netlink.fd = -1;
    options_read(&d->program, &d->options, argc, argv);
    log_open(&d->log, d->program.name, d->program.log_level);
    d->started_ns = s2svpn_host_now();
    signal(SIGPIPE, SIG_IGN);
    if (d->options.check) {
        status = check_run(d);
    } else {
        hook(d);
        open_all(d);
        run(d);
        close_all(d);
        status = d->failed ? 1 : 0;
    }
    free(d);
    return status;
}
