#pragma once

/*
 * MySQL greeting: parses the first packet of a MySQL server and builds the TLS request that answers
 * it.
 *
 * Covers only the part of the protocol that leads to TLS without a login; libmariadb implements the
 * rest. Pure functions. Sources: MySQL's protocol documentation, "MySQL Packets",
 * Protocol::HandshakeV10, ERR_Packet, Protocol::SSLRequest.
 */

#include <stddef.h>
#include <stdint.h>

#define MYSQL_GREETING_HEAD 4 /* three bytes of payload size, lowest first, and the packet number */
#define MYSQL_GREETING_MAX \
        1024 /* bytes of payload; the longest known one, an error, fits in half */

#define MYSQL_GREETING_REQUEST_SIZE (MYSQL_GREETING_HEAD + 32)

typedef enum MysqlGreetingKind {
        MYSQL_GREETING_TLS,            /* protocol 10 with TLS */
        MYSQL_GREETING_NO_TLS,         /* protocol 10 without TLS */
        MYSQL_GREETING_ERROR,          /* an error packet, such as 1040, too many connections */
        MYSQL_GREETING_OTHER_PROTOCOL, /* `number` is the protocol */
        MYSQL_GREETING_BROKEN,
        _MYSQL_GREETING_KIND_MAX,
} MysqlGreetingKind;

typedef struct MysqlGreeting {
        MysqlGreetingKind kind;
        unsigned number; /* of the error or the protocol */
        char text[128];  /* of the error, or the server's version */
} MysqlGreeting;

/* Returns the payload size; 0 if the packet is not the first one of a connection, or larger than
 * MYSQL_GREETING_MAX. */
size_t mysql_greeting_size(const uint8_t head[MYSQL_GREETING_HEAD]);

/* Accepts any `size` bytes. */
void mysql_greeting_parse(MysqlGreeting *ret, const uint8_t *payload, size_t size);

/* The complete packet; it holds no user and no password. */
void mysql_greeting_request_tls(uint8_t packet[MYSQL_GREETING_REQUEST_SIZE]);
