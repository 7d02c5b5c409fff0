/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where we listen, and whom we believe that it means us. Only programs of this machine reach a loopback address, but a page
 * from elsewhere in a browser of this machine can make the browser ask us, under a name of its own that it lets point here
 * (DNS rebinding). The Host header gives that away: it must name the loopback, the address that we listen on, or what
 * the user has allowed.
 */
#ifndef PEAL_TOOLS_PEAL_SERVE_LISTEN_H
#define PEAL_TOOLS_PEAL_SERVE_LISTEN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct listen_place {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    socklen_t address_bytes;
    const char *also_host; /* a name that Host may have as well; or NULL */
};

struct listen_text {
    char text[INET6_ADDRSTRLEN + 16];
};

/* [ADDR:]PORT, with ADDR in figures, IPv6 in brackets, or "localhost"; without it: 127.0.0.1. False: it is none. */
bool listen_parse(const char *text, struct listen_place *place);

/* The same for an option's table (kit/option.h): `to` is a listen_place. */
const char *listen_read(const char *text, void *to);

/* Has it been read? */
bool listen_is_set(const struct listen_place *place);

/* Do other machines reach it? */
bool listen_is_public(const struct listen_place *place);

/* As in a URL: 127.0.0.1:9464, [::1]:9464. */
const char *listen_print(const struct listen_place *place, struct listen_text *text);

/* Is a Host header's value one of ours? NULL: there was none. */
bool listen_host_is_ours(const struct listen_place *place, const char *host);

/* A socket that listens; a port 0 in `place` becomes the one that the system gave. -1 with errno. */
int listen_open(struct listen_place *place);

#endif
