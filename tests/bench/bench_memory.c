/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an idle tunnel takes of memory: IKE SA, pair of children, in-tunnel host and BGP
 * session with one prefix each way. 500 connections, 1,000 tunnels, between one gateway
 * and ten devices come up in the simulator with AWS's defaults and are left alone for ten
 * minutes; what both roles hold then is compared with what they held when each device had
 * its first connection, so that a context's own working memory doesn't count.
 *
 *     memory_tunnel_gateway, _device   bytes that the library has asked for, of each role
 *     memory_tunnel_openssl            bytes that OpenSSL has asked for, for one end
 *     memory_heap_…                    the same with what malloc adds
 *
 * Lines are "name value unit". Argument: --quick: 60 connections. What a gateway's process
 * takes, as the kernel sees it, is in bench_ike.sh.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "s2svpn/s2svpn.h"

#define SECOND_NS 1000000000ull
#define MINUTE_NS (60 * SECOND_NS)

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench_memory: %s\n", what);
    exit(1);
}

/* ---- counting: every block carries its length before it */

struct counter {
    size_t asked, heap;
};

union head {
    size_t len;
    max_align_t align;
};

static void *counted_alloc(struct counter *c, size_t len)
{
    union head *h = malloc(sizeof(*h) + len);

    if (h == NULL)
        return NULL;
    h->len = len;
    c->asked += len;
    /* What malloc keeps: a word before each block; our head is not its fault. */
    c->heap += malloc_usable_size(h) + sizeof(size_t) - sizeof(*h);
    return h + 1;
}

static void counted_free(struct counter *c, void *p)
{
    union head *h = p;

    if (h == NULL)
        return;
    h--;
    c->asked -= h->len;
    c->heap -= malloc_usable_size(h) + sizeof(size_t) - sizeof(*h);
    free(h);
}

static void *allocate(void *user, size_t len)
{
    return counted_alloc(user, len);
}

static void release(void *user, void *p)
{
    counted_free(user, p);
}

static struct counter openssl;

static void *openssl_alloc(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return counted_alloc(&openssl, len);
}

static void openssl_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    counted_free(&openssl, p);
}

static void *openssl_realloc(void *p, size_t len, const char *file, int line)
{
    void *q = openssl_alloc(len, file, line);
    const size_t old = p ? ((union head *)p - 1)->len : 0;

    if (q == NULL)
        return NULL;
    if (p)
        memcpy(q, p, old < len ? old : len);
    counted_free(&openssl, p);
    return q;
}

/* ---- the network: a gateway and some devices with many connections each */

#define DEVICES 10
#define EACH_MAX 50 /* connections of a device, each from an address of its own */

struct device {
    s2svpn_sim_node *node;
    s2svpn_context *ctx;
    s2svpn_port *lan;
    s2svpn_connection *cloud[EACH_MAX], *here[EACH_MAX];
};

struct world {
    s2svpn_sim *sim;
    s2svpn_sim_node *node;
    s2svpn_context *ctx;
    s2svpn_vpc *vpc;
    s2svpn_virtual_gateway *vgw;
    struct device device[DEVICES];
    size_t each; /* connections of a device that are open */
    struct counter gateway, devices;
    s2svpn_memory gateway_memory, device_memory;
};

static s2svpn_address ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (s2svpn_address){.family = S2SVPN_FAMILY_IPV4, .bytes = {a, b, c, d}};
}

static s2svpn_address device_address(size_t device, size_t connection)
{
    return ipv4(203, 0, (uint8_t)(113 + device), (uint8_t)(1 + connection));
}

static s2svpn_context *open_context(s2svpn_sim_node *node, enum s2svpn_context_role role,
                                    const s2svpn_memory *memory, const s2svpn_address *address,
                                    size_t n)
{
    s2svpn_options o = S2SVPN_OPTIONS_INIT;
    s2svpn_endpoint local[2 * EACH_MAX];
    s2svpn_context *ctx = NULL;

    for (size_t i = 0; i < n; i++) {
        local[2 * i] = (s2svpn_endpoint){address[i], 500, S2SVPN_ROLE_IKE, 0};
        local[2 * i + 1] = (s2svpn_endpoint){address[i], 4500, S2SVPN_ROLE_NATT, 0};
    }
    o.role = role;
    o.memory = memory;
    o.local = local;
    o.local_count = 2 * n;
    s2svpn_sim_prepare(node, &o);
    must(s2svpn_context_new(&o, &ctx, NULL) == S2SVPN_OK &&
             s2svpn_sim_attach(node, ctx, &o) == S2SVPN_OK,
         "no context");
    return ctx;
}

static void open_gateway(struct world *w)
{
    const s2svpn_address address[] = {ipv4(198, 51, 100, 1), ipv4(198, 51, 100, 2)};
    s2svpn_vpc_spec vpc = S2SVPN_VPC_INIT;
    s2svpn_virtual_gateway_spec vgw = S2SVPN_VIRTUAL_GATEWAY_INIT;
    s2svpn_route_table *table;

    must(s2svpn_sim_node_new(w->sim, "gateway", &w->node) == S2SVPN_OK, "no node");
    w->gateway_memory = (s2svpn_memory){sizeof(s2svpn_memory), &w->gateway, allocate, release};
    w->ctx = open_context(w->node, S2SVPN_ROLE_GATEWAY, &w->gateway_memory, address, 2);
    vpc.cidr = (s2svpn_prefix){.address = ipv4(10, 0, 0, 0), .length = 16};
    must(s2svpn_vpc_new(w->ctx, &vpc, &w->vpc) == S2SVPN_OK &&
             s2svpn_virtual_gateway_new(w->ctx, &vgw, &w->vgw) == S2SVPN_OK &&
             s2svpn_virtual_gateway_attach(w->vgw, w->vpc) == S2SVPN_OK,
         s2svpn_context_error(w->ctx)->message);
    table = s2svpn_vpc_main_route_table(w->vpc);
    must(s2svpn_route_table_enable_propagation(table, w->vgw) == S2SVPN_OK, "no propagation");
    s2svpn_route_table_release(table);
}

static void open_device(struct world *w, size_t i)
{
    struct device *device = &w->device[i];
    const s2svpn_prefix lan = {.address = ipv4(192, 168, (uint8_t)i, 0), .length = 24};
    s2svpn_port_spec port = S2SVPN_PORT_INIT;
    s2svpn_address address[EACH_MAX];

    for (size_t k = 0; k < EACH_MAX; k++)
        address[k] = device_address(i, k);
    must(s2svpn_sim_node_new(w->sim, "device", &device->node) == S2SVPN_OK, "no node");
    device->ctx =
        open_context(device->node, S2SVPN_ROLE_DEVICE, &w->device_memory, address, EACH_MAX);
    port.prefix = &lan;
    port.prefix_count = 1;
    must(s2svpn_port_new(device->ctx, &port, &device->lan) == S2SVPN_OK,
         s2svpn_context_error(device->ctx)->message);
}

static void connect(struct world *w, size_t i, size_t k)
{
    struct device *device = &w->device[i];
    const s2svpn_address address = device_address(i, k);
    s2svpn_customer_gateway_spec spec = S2SVPN_CUSTOMER_GATEWAY_INIT;
    s2svpn_customer_gateway *cgw = NULL;
    s2svpn_device_config *config = NULL;
    char text[S2SVPN_ADDRESS_TEXT];
    s2svpn_text xml = {0};

    spec.address = s2svpn_address_print(&address, text);
    must(s2svpn_customer_gateway_new(w->ctx, &spec, &cgw) == S2SVPN_OK &&
             s2svpn_connection_new(w->vgw, cgw, NULL, &device->cloud[k]) == S2SVPN_OK &&
             s2svpn_connection_device_config(device->cloud[k], &xml) == S2SVPN_OK,
         s2svpn_context_error(w->ctx)->message);
    s2svpn_customer_gateway_release(cgw);
    must(s2svpn_config_read(xml.data, xml.len, &config, NULL) == S2SVPN_OK, "the document is bad");
    s2svpn_text_free(&xml);
    must(s2svpn_device_open(device->ctx, config, NULL, &device->here[k]) == S2SVPN_OK &&
             s2svpn_connection_start(device->here[k]) == S2SVPN_OK,
         s2svpn_context_error(device->ctx)->message);
    s2svpn_config_free(config);
}

static bool all_up(void *arg)
{
    const struct world *w = arg;

    for (size_t n = DEVICES * w->each; n-- > 0;) {
        const struct device *device = &w->device[n % DEVICES];
        s2svpn_connection_info cloud = {.size = sizeof(cloud)}, here = {.size = sizeof(here)};

        s2svpn_connection_get_info(device->cloud[n / DEVICES], &cloud);
        s2svpn_connection_get_info(device->here[n / DEVICES], &here);
        if (cloud.up != 2 || here.up != 2)
            return false;
    }
    return true;
}

/* All devices get so many connections; all come up and are left alone. */
static void bring_up(struct world *w, size_t each)
{
    for (; w->each < each; w->each++) {
        for (size_t i = 0; i < DEVICES; i++)
            connect(w, i, w->each);
    }
    must(s2svpn_sim_run_until(w->sim, all_up, w, s2svpn_sim_now(w->sim) + 5 * MINUTE_NS),
         "not all tunnels came up");
    s2svpn_sim_run(w->sim, s2svpn_sim_now(w->sim) + 10 * MINUTE_NS);
    must(all_up(w), "not all tunnels stayed up");
}

static void close_world(struct world *w)
{
    for (size_t i = 0; i < DEVICES; i++) {
        struct device *device = &w->device[i];

        s2svpn_sim_detach(device->node);
        for (size_t k = 0; k < w->each; k++) {
            s2svpn_connection_release(device->here[k]);
            s2svpn_connection_release(device->cloud[k]);
        }
        s2svpn_port_release(device->lan);
        s2svpn_context_free(device->ctx);
    }
    s2svpn_sim_detach(w->node);
    s2svpn_virtual_gateway_release(w->vgw);
    s2svpn_vpc_release(w->vpc);
    s2svpn_context_free(w->ctx);
    s2svpn_sim_free(w->sim);
}

static void print(const char *role, struct counter before, struct counter after, size_t tunnels)
{
    printf("memory_tunnel_%s %zu bytes\n", role, (after.asked - before.asked) / tunnels);
    printf("memory_heap_%s %zu bytes\n", role, (after.heap - before.heap) / tunnels);
}

int main(int argc, char **argv)
{
    static struct world w;
    const size_t each = argc > 1 && strcmp(argv[1], "--quick") == 0 ? 6 : EACH_MAX;
    const size_t tunnels = 2 * DEVICES * (each - 1);
    struct counter gateway, devices, ssl;

    if (s2svpn_crypto_openssl() == NULL) {
        printf("skip bench_memory (built without OpenSSL)\n");
        return 77;
    }
    must(CRYPTO_set_mem_functions(openssl_alloc, openssl_realloc, openssl_free) == 1,
         "OpenSSL is at work already");
    must(s2svpn_sim_new(1, &w.sim) == S2SVPN_OK, "no simulation");
    open_gateway(&w);
    w.device_memory = (s2svpn_memory){sizeof(s2svpn_memory), &w.devices, allocate, release};
    for (size_t i = 0; i < DEVICES; i++)
        open_device(&w, i);
    bring_up(&w, 1);
    gateway = w.gateway;
    devices = w.devices;
    ssl = openssl;
    bring_up(&w, each);
    printf("memory_tunnels %zu up\n", 2 * DEVICES * each);
    print("gateway", gateway, w.gateway, tunnels);
    print("device", devices, w.devices, tunnels);
    print("openssl", ssl, openssl, 2 * tunnels);
    close_world(&w);
    must(w.gateway.asked == 0 && w.devices.asked == 0, "memory is left over");
    return 0;
}
