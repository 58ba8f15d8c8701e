/* SPDX-License-Identifier: Apache-2.0 */
/* Ports: where plain packets enter and leave. */
#include <string.h>

#include "s2svpn/vpc.h"
#include "vpn/vpn.h"

#define RESERVED_FIRST 4 /* network, router, DNS, one more; and broadcast at the end */

static s2svpn_port *self(struct s2_object *o)
{
    return (s2svpn_port *)(void *)o;
}

static bool checks(const s2svpn_port *p)
{
    return !atomic_load_explicit(&p->unchecked, memory_order_relaxed);
}

static void print_as(struct s2_buffer *b, const s2svpn_port *p, bool check)
{
    char text[S2SVPN_ADDRESS_TEXT];

    if (p->address.family != S2SVPN_FAMILY_NONE)
        s2_record_text(b, "address", s2svpn_address_print(&p->address, text));
    if (p->ipv6_address.family != S2SVPN_FAMILY_NONE)
        s2_record_text(b, "ipv6_address", s2svpn_address_print(&p->ipv6_address, text));
    if (p->subnet)
        s2_record_text(b, "subnet", p->subnet->object.id.text);
    if (p->tunnel)
        s2_record_text(b, "tunnel", p->tunnel->name);
    for (size_t i = 0; i < p->prefix_count; i++)
        s2_record_prefix(b, "prefix", &p->prefix[i]);
    if (p->subnet && !check)
        s2_record_number(b, "source_dest_check", 0);
}

static void print(struct s2_buffer *b, const struct s2_object *o)
{
    const s2svpn_port *p = (const s2svpn_port *)(const void *)o;

    print_as(b, p, checks(p));
}

/* One of its addresses within the VPC; family 0 is harmless. */
static void unset_address(s2svpn_port *p, const s2svpn_address *a)
{
    const s2svpn_prefix host = s2_host_prefix(a);
    struct s2_fib *addresses = p->subnet->vpc->addresses;

    if (a->family != S2SVPN_FAMILY_NONE &&
        s2_fib_get(addresses, &host) == s2_target_make(p, S2_TARGET_PORT))
        s2_fib_unset(addresses, &host);
}

static s2svpn_status set_address(s2svpn_port *p, const s2svpn_address *a)
{
    const s2svpn_prefix host = s2_host_prefix(a);

    if (a->family == S2SVPN_FAMILY_NONE)
        return S2SVPN_OK;
    return s2_fib_set(p->subnet->vpc->addresses, &host, s2_target_make(p, S2_TARGET_PORT));
}

static void unset_tunnel(s2svpn_port *p)
{
    s2svpn_tunnel *t = p->tunnel;

    if (atomic_load_explicit(&t->port, memory_order_relaxed) == p)
        atomic_store_explicit(&t->port, NULL, memory_order_release);
    if (!p->counted)
        return;
    p->counted = t->has_port = false;
    t->connection->object.children--;
}

/* Everything that published() and port_new() did; harmless where they didn't get to. */
static void end(struct s2_object *o)
{
    s2svpn_port *p = self(o);

    s2_slots_give_back(&o->ctx->ports, p->number);
    if (p->tunnel)
        unset_tunnel(p);
    if (p->subnet) {
        s2svpn_vpc *vpc = p->subnet->vpc;

        unset_address(p, &p->address);
        unset_address(p, &p->ipv6_address);
        S2_LIST_EACH(&vpc->tables, l)
            s2_table_port_gone(S2_CONTAINER(l, s2svpn_route_table, in_vpc), p);
        if (!s2_list_empty(&p->in_subnet))
            p->subnet->object.children--;
        s2_list_remove(&p->in_subnet);
        return;
    }
    for (size_t i = 0; i < p->prefix_count; i++)
        s2_router_remove_local(o->ctx->device, &p->prefix[i], p);
}

static void destroy(struct s2_object *o)
{
    s2_free(&o->ctx->env, self(o)->prefix);
    s2_free(&o->ctx->env, o);
}

/* Workers may find the port from now on. */
static s2svpn_status ready(struct s2_object *o)
{
    s2svpn_port *p = self(o);
    s2svpn_context *ctx = o->ctx;
    s2svpn_status rc = S2SVPN_OK;

    if (p->subnet) {
        rc = set_address(p, &p->address);
        if (rc == S2SVPN_OK)
            rc = set_address(p, &p->ipv6_address);
        atomic_store_explicit(&p->fib, s2_subnet_fib(p->subnet), memory_order_release);
    } else {
        atomic_store_explicit(&p->fib, ctx->device->fib, memory_order_release);
        for (size_t i = 0; rc == S2SVPN_OK && i < p->prefix_count; i++)
            rc = s2_router_add_local(ctx->device, &p->prefix[i], p);
    }
    if (rc != S2SVPN_OK)
        return s2_fail(&ctx->env, rc, "", "no room to publish the port");
    if (p->tunnel)
        atomic_store_explicit(&p->tunnel->port, p, memory_order_release);
    s2_slots_set(&ctx->ports, p->number, p);
    return S2SVPN_OK;
}

static const struct s2_class class = {
    .kind = S2SVPN_KIND_PORT,
    .prefix = "eni",
    .size = sizeof(s2svpn_port),
    .print = print,
    .ready = ready,
    .end = end,
    .destroy = destroy,
};

/* AWS keeps the first four addresses of an IPv6 block too, and its last. */
static bool is_reserved_ipv6(const s2svpn_prefix *cidr, const s2svpn_address *a)
{
    bool first = a->bytes[15] < RESERVED_FIRST, last = a->bytes[15] == 0xff;

    for (size_t bit = cidr->length; bit < 120; bit++) {
        const bool set = a->bytes[bit / 8] >> (7 - bit % 8) & 1;

        first = first && !set;
        last = last && set;
    }
    return first || last;
}

static s2svpn_status check_ipv6(s2svpn_context *ctx, const s2svpn_subnet *s,
                                const s2svpn_address *a)
{
    if (a->family == S2SVPN_FAMILY_NONE)
        return S2SVPN_OK;
    if (!s2_prefix_contains(&s->ipv6_cidr, a))
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "ipv6_address", "not inside the subnet");
    if (is_reserved_ipv6(&s->ipv6_cidr, a))
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "ipv6_address",
                       "one of the five reserved ones");
    S2_LIST_EACH(&s->ports, l) {
        if (s2_address_equal(&S2_CONTAINER(l, s2svpn_port, in_subnet)->ipv6_address, a))
            return s2_fail(&ctx->env, S2SVPN_E_EXISTS, "ipv6_address", "in use by another port");
    }
    return S2SVPN_OK;
}

static s2svpn_status check_cloud(s2svpn_context *ctx, const s2svpn_port_spec *spec)
{
    const s2svpn_subnet *s = spec->subnet;
    s2svpn_status rc;
    uint32_t offset, size;

    if (s == NULL)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "subnet", "a gateway's port is in a subnet");
    if (spec->prefix_count > 0)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "prefix", "only a device's port has any");
    if (spec->tunnel)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "tunnel", "only a device's port has one");
    if (s->object.ctx != ctx)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "subnet", "it is another context's");
    rc = s2_object_check(&s->object, "subnet");
    if (rc != S2SVPN_OK)
        return rc;
    if (!s2_prefix_contains(&s->cidr, &spec->address))
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "address", "not inside the subnet");
    size = UINT32_C(1) << (32 - s->cidr.length);
    offset = s2_address_ipv4_value(&spec->address) - s2_address_ipv4_value(&s->cidr.address);
    if (offset < RESERVED_FIRST || offset == size - 1)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "address", "one of the five reserved ones");
    S2_LIST_EACH(&s->ports, l) {
        if (s2_address_equal(&S2_CONTAINER(l, s2svpn_port, in_subnet)->address, &spec->address))
            return s2_fail(&ctx->env, S2SVPN_E_EXISTS, "address", "in use by another port");
    }
    return check_ipv6(ctx, s, &spec->ipv6_address);
}

static s2svpn_status check_tunnel(s2svpn_context *ctx, const s2svpn_port_spec *spec)
{
    const s2svpn_connection *c = spec->tunnel->connection;
    s2svpn_status rc;

    if (c->object.ctx != ctx)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "tunnel", "it is another context's");
    rc = s2_object_check(&c->object, "tunnel");
    if (rc != S2SVPN_OK)
        return rc;
    if (!c->device_options.external_bgp)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "tunnel",
                       "its connection was opened without external_bgp");
    if (spec->prefix_count > 0)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "prefix", "a tunnel's port has none");
    if (spec->tunnel->has_port)
        return s2_fail(&ctx->env, S2SVPN_E_EXISTS, "tunnel", "it has a port");
    return S2SVPN_OK;
}

static s2svpn_status check_device(s2svpn_context *ctx, const s2svpn_port_spec *spec)
{
    char field[S2SVPN_FIELD_SIZE];

    if (spec->subnet)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "subnet", "a device has none");
    if (spec->no_source_dest_check)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "no_source_dest_check",
                       "a device's port checks nothing");
    if (spec->ipv6_address.family == S2SVPN_FAMILY_IPV4)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "ipv6_address", "it is IPv4");
    if (spec->tunnel)
        return check_tunnel(ctx, spec);
    if (spec->prefix_count > S2_PORT_PREFIXES_MAX || (spec->prefix_count > 0 && !spec->prefix))
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "prefix", "at most %d", S2_PORT_PREFIXES_MAX);
    for (size_t i = 0; i < spec->prefix_count; i++) {
        s2svpn_prefix masked = s2_prefix_make(&spec->prefix[i].address, spec->prefix[i].length);

        s2_print(field, sizeof(field), "prefix[%zu]", i);
        if (masked.address.family == S2SVPN_FAMILY_NONE ||
            !s2_prefix_equal(&masked, &spec->prefix[i]))
            return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field,
                           "a prefix whose bits behind its length are zero");
        if (s2_fib_get(ctx->device->fib, &masked) != 0 &&
            s2_target_kind(s2_fib_get(ctx->device->fib, &masked)) == S2_TARGET_PORT)
            return s2_fail(&ctx->env, S2SVPN_E_EXISTS, field, "it is another port's");
    }
    return S2SVPN_OK;
}

/* The first host of the subnet, or the LAN's own address. */
static void set_routers(s2svpn_port *p)
{
    const s2svpn_subnet *s = p->subnet;

    p->router = p->address;
    p->ipv6_router = p->ipv6_address;
    if (s == NULL)
        return;
    p->router = s2_address_ipv4(s2_address_ipv4_value(&s->cidr.address) + 1);
    p->ipv6_router = s->ipv6_cidr.address;
    if (p->ipv6_router.family != S2SVPN_FAMILY_NONE)
        p->ipv6_router.bytes[15] |= 1;
}

static s2svpn_status port_new(s2svpn_context *ctx, const s2svpn_port_spec *spec, s2svpn_port **out)
{
    const bool device = ctx->options.role == S2SVPN_ROLE_DEVICE;
    s2svpn_port *p;
    uint32_t number;
    void *o;
    s2svpn_status rc = device ? check_device(ctx, spec) : check_cloud(ctx, spec);

    if (rc == S2SVPN_OK)
        rc = s2_object_new(ctx, &class, NULL, &o);
    if (rc != S2SVPN_OK)
        return rc;
    p = o;
    p->subnet = spec->subnet;
    p->tunnel = spec->tunnel;
    p->address = spec->address;
    p->ipv6_address = spec->ipv6_address;
    atomic_init(&p->unchecked, device || spec->no_source_dest_check);
    s2_list_init(&p->in_subnet);
    set_routers(p);
    p->prefix = s2_alloc_array(&ctx->env, spec->prefix_count + 1, sizeof(*p->prefix));
    if (p->prefix)
        p->prefix_count = spec->prefix_count;
    if (p->prefix_count > 0)
        memcpy(p->prefix, spec->prefix, p->prefix_count * sizeof(*p->prefix));
    rc = p->prefix ? s2_slots_take(&ctx->ports, &p->number) : S2SVPN_E_MEMORY;
    if (rc != S2SVPN_OK) {
        s2_object_discard(&p->object);
        return s2_fail(&ctx->env, rc, "", "no room for a port");
    }
    number = p->number;
    rc = s2_object_create(&p->object);
    if (rc != S2SVPN_OK) {
        s2_slots_give_back(&ctx->ports, number); /* harmless if end has done it */
        return rc;
    }
    if (p->subnet) {
        s2_list_append(&p->subnet->ports, &p->in_subnet);
        p->subnet->object.children++;
    }
    if (p->tunnel) {
        p->counted = p->tunnel->has_port = true;
        p->tunnel->connection->object.children++;
    }
    *out = p;
    return S2SVPN_OK;
}

s2svpn_status s2svpn_port_new(s2svpn_context *ctx, const s2svpn_port_spec *spec, s2svpn_port **out)
{
    s2svpn_port_spec full = S2SVPN_PORT_INIT;
    s2svpn_status rc;

    s2_enter(ctx, 0);
    *out = NULL;
    memcpy(&full, spec, spec->size < sizeof(full) ? spec->size : sizeof(full));
    rc = port_new(ctx, &full, out);
    s2_leave(ctx);
    return rc;
}

s2svpn_status s2svpn_port_delete(s2svpn_port *port)
{
    return s2_object_delete_public(&port->object);
}

s2svpn_status s2svpn_port_hold(s2svpn_context *ctx, const char *id, s2svpn_port **port)
{
    void *o = NULL;
    s2svpn_status rc = s2_object_hold(ctx, S2SVPN_KIND_PORT, id, &o);

    *port = o;
    return rc;
}

void s2svpn_port_release(s2svpn_port *port)
{
    if (port)
        s2_object_release(&port->object);
}

s2svpn_port_id s2svpn_port_number(const s2svpn_port *port)
{
    return port->number;
}

void s2svpn_port_get_info(const s2svpn_port *p, s2svpn_port_info *out)
{
    s2svpn_port_info info = {
        .size = out->size,
        .id = p->object.id,
        .state = p->object.state,
        .number = p->number,
        .address = p->address,
        .ipv6_address = p->ipv6_address,
        .source_dest_check = checks(p),
    };

    if (p->subnet && p->object.state != S2SVPN_STATE_DELETED)
        info.subnet = p->subnet->object.id;
    s2_info_copy(out, out->size, &info, sizeof(info));
}

/* ---- the source and destination check */

static void print_check(struct s2_buffer *b, struct s2_object *o, void *arg)
{
    print_as(b, self(o), *(const bool *)arg);
}

static void apply_check(struct s2_object *o, void *arg, s2svpn_status result)
{
    if (result == S2SVPN_OK)
        atomic_store_explicit(&self(o)->unchecked, !*(const bool *)arg, memory_order_relaxed);
}

static s2svpn_status set_check(s2svpn_port *p, bool on)
{
    struct s2_env *env = &p->object.ctx->env;
    struct s2_change change = {.object = &p->object, .print = print_check, .apply = apply_check};
    s2svpn_status rc = s2_object_check(&p->object, "port");
    bool *arg;

    if (rc != S2SVPN_OK)
        return rc;
    if (p->subnet == NULL)
        return s2_fail(env, S2SVPN_E_ARGUMENT, "port", "a device's port checks nothing");
    arg = s2_alloc(env, sizeof(*arg));
    if (arg == NULL)
        return s2_fail(env, S2SVPN_E_MEMORY, "", "no memory for a change");
    *arg = on;
    change.arg = arg;
    rc = s2_object_change(&change);
    if (rc != S2SVPN_OK)
        s2_free(env, arg);
    return rc;
}

s2svpn_status s2svpn_port_set_source_dest_check(s2svpn_port *port, bool on)
{
    s2svpn_status rc;

    s2_enter(port->object.ctx, 0);
    rc = set_check(port, on);
    s2_leave(port->object.ctx);
    return rc;
}
