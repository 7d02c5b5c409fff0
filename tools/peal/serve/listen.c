/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/serve/listen.h"

#include "tools/peal/kit/units.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define BACKLOG 64

/* ---- addresses ---- */

/* Splits "HOST", "HOST:PORT", "[V6]" or "[V6]:PORT"; *port is "" if there is none. */
static bool split(const char *text, char *host, size_t room_bytes, const char **port)
{
    size_t length;
    if (text[0] == '[') {
        text++;
        length = strcspn(text, "]");
        if (text[length] != ']')
            return false;
        *port = text + length + 1;
    } else {
        length = strcspn(text, ":");
        *port = text + length;
    }
    if (length == 0 || length >= room_bytes || ((*port)[0] != '\0' && (*port)[0] != ':'))
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    if ((*port)[0] == ':')
        (*port)++;
    return true;
}

/* An address in figures. The port is 0. */
static bool read_address(const char *text, struct listen_place *place)
{
    *place = (struct listen_place){.also_host = place->also_host};
    if (inet_pton(AF_INET, text, &place->address.v4.sin_addr) == 1) {
        place->address.v4.sin_family = AF_INET;
        place->address_bytes = sizeof(place->address.v4);
        return true;
    }
    if (inet_pton(AF_INET6, text, &place->address.v6.sin6_addr) == 1) {
        place->address.v6.sin6_family = AF_INET6;
        place->address_bytes = sizeof(place->address.v6);
        return true;
    }
    return false;
}

static bool is_loopback(const struct listen_place *place)
{
    if (place->address.any.sa_family == AF_INET)
        return ntohl(place->address.v4.sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&place->address.v6.sin6_addr);
}

static bool is_wildcard(const struct listen_place *place)
{
    if (place->address.any.sa_family == AF_INET)
        return place->address.v4.sin_addr.s_addr == htonl(INADDR_ANY);
    return IN6_IS_ADDR_UNSPECIFIED(&place->address.v6.sin6_addr);
}

static bool is_same_address(const struct listen_place *a, const struct listen_place *b)
{
    if (a->address.any.sa_family != b->address.any.sa_family)
        return false;
    if (a->address.any.sa_family == AF_INET)
        return a->address.v4.sin_addr.s_addr == b->address.v4.sin_addr.s_addr;
    return IN6_ARE_ADDR_EQUAL(&a->address.v6.sin6_addr, &b->address.v6.sin6_addr);
}

static bool is_name(const char *host, const char *name)
{
    size_t length = strlen(host);
    if (length > 1 && host[length - 1] == '.') /* the root, which a name may end with */
        length--;
    return length == strlen(name) && strncasecmp(host, name, length) == 0;
}

/* ---- for others ---- */

bool listen_parse(const char *text, struct listen_place *place)
{
    char host[INET6_ADDRSTRLEN + 8] = "127.0.0.1";
    const char *port = text;
    uint64_t number;
    if (strchr(text, ':') && !split(text, host, sizeof(host), &port))
        return false;
    if (!read_address(is_name(host, "localhost") ? "127.0.0.1" : host, place))
        return false;
    if (!units_read_count(port, &number) || number > UINT16_MAX)
        return false;
    if (place->address.any.sa_family == AF_INET)
        place->address.v4.sin_port = htons((uint16_t)number);
    else
        place->address.v6.sin6_port = htons((uint16_t)number);
    return true;
}

const char *listen_read(const char *text, void *to)
{
    return listen_parse(text, to) ? NULL : "[ADDRESS:]PORT as 9464, 127.0.0.1:9464 or [::1]:0";
}

bool listen_is_set(const struct listen_place *place)
{
    return place->address_bytes > 0;
}

bool listen_is_public(const struct listen_place *place)
{
    return !is_loopback(place);
}

const char *listen_print(const struct listen_place *place, struct listen_text *text)
{
    char address[INET6_ADDRSTRLEN] = "?";
    if (place->address.any.sa_family == AF_INET) {
        (void)inet_ntop(AF_INET, &place->address.v4.sin_addr, address, sizeof(address));
        (void)snprintf(text->text, sizeof(text->text), "%s:%u", address,
                       ntohs(place->address.v4.sin_port));
    } else {
        (void)inet_ntop(AF_INET6, &place->address.v6.sin6_addr, address, sizeof(address));
        (void)snprintf(text->text, sizeof(text->text), "[%s]:%u", address,
                       ntohs(place->address.v6.sin6_port));
    }
    return text->text;
}

bool listen_host_is_ours(const struct listen_place *place, const char *header)
{
    char host[256], own[256] = "";
    struct listen_place named = {0};
    const char *port;
    if (!header || !split(header, host, sizeof(host), &port))
        return false;
    if (is_name(host, "localhost") || (place->also_host && is_name(host, place->also_host)))
        return true;
    /* Nobody can let a name of his own be figures: where all addresses are ours, any will do. */
    if (read_address(host, &named))
        return is_loopback(&named) || is_wildcard(place) || is_same_address(place, &named);
    if (is_loopback(place) || gethostname(own, sizeof(own) - 1) != 0)
        return false;
    return is_name(host, own);
}

int listen_open(struct listen_place *place)
{
    const int one = 1;
    const int fd = socket(place->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    /* A restart need not wait for connections of before to be forgotten. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        bind(fd, &place->address.any, place->address_bytes) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, &place->address.any, &place->address_bytes) != 0) {
        const int error = errno;
        (void)close(fd);
        errno = error;
        return -1;
    }
    return fd;
}
