#pragma once

/*
 * Greeting: the first packet of a MySQL server, and the request for TLS that answers it.
 *
 * Only as much as it takes to get to TLS without a login; the rest is libmariadb's. Pure: bytes in,
 * a value out. Sources: MySQL's protocol documentation, "MySQL Packets", Protocol::HandshakeV10,
 * ERR_Packet, Protocol::SSLRequest.
 */

#include <stddef.h>
#include <stdint.h>

#define MYSQL_GREETING_HEAD 4 /* three bytes of length, the lowest first, and the packet's number */
#define MYSQL_GREETING_MAX \
        1024 /* of payload; the longest known one, an error, has room in the half */

#define MYSQL_GREETING_REQUEST_SIZE (MYSQL_GREETING_HEAD + 32)

typedef enum MysqlGreetingKind {
        MYSQL_GREETING_TLS,    /* protocol 10, and TLS may be asked for */
        MYSQL_GREETING_NO_TLS, /* protocol 10 without it */
        MYSQL_GREETING_ERROR,  /* an error in its place, such as 1040, too many connections */
        MYSQL_GREETING_OTHER_PROTOCOL, /* number is the protocol's */
        MYSQL_GREETING_BROKEN,
        _MYSQL_GREETING_KIND_MAX,
} MysqlGreetingKind;

typedef struct MysqlGreeting {
        MysqlGreetingKind kind;
        unsigned number;
        char text[128]; /* the error's, or the server's version */
} MysqlGreeting;

/* The payload's size; 0 when it is not the first packet of anybody, or larger than MYSQL_GREETING_MAX. */
size_t mysql_greeting_size(const uint8_t head[MYSQL_GREETING_HEAD]);

/* `size` bytes of payload, none of which needs to be what it should. */
void mysql_greeting_parse(MysqlGreeting *ret, const uint8_t *payload, size_t size);

/* The whole packet: no user, no password, nothing but the wish. */
void mysql_greeting_request_tls(uint8_t packet[MYSQL_GREETING_REQUEST_SIZE]);
