#include "daemon/tls/mysql-greeting.h"

#include <string.h>

#include "common/text.h"

#define PROTOCOL 10
#define ERROR    0xff

/* Between the server's version and its capabilities: thread, first part of the scramble, a NUL. */
#define AFTER_VERSION (4 + 8 + 1)

/* Capabilities Flags of the protocol documentation. */
#define CLIENT_LONG_PASSWORD     0x0001
#define CLIENT_PROTOCOL_41       0x0200 /* without it the request has another form */
#define CLIENT_SSL               0x0800
#define CLIENT_SECURE_CONNECTION 0x8000

#define PACKET_SIZE_MAX 0x10000
#define UTF8MB4         45

size_t mysql_greeting_size(const uint8_t head[MYSQL_GREETING_HEAD])
{
        size_t size = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;

        return head[3] == 0 && size <= MYSQL_GREETING_MAX ? size : 0;
}

/* An error has no SQL state before the client has sent its capabilities; some servers send one. */
static void parse_error(MysqlGreeting *ret, const uint8_t *payload, size_t size)
{
        size_t start = 3;

        if (size < start)
                return;
        ret->kind = MYSQL_GREETING_ERROR;
        ret->number = payload[1] | (unsigned)payload[2] << 8;
        if (size >= start + 6 && payload[start] == '#')
                start += 6;
        text_copy(ret->text, sizeof(ret->text), (const char *)payload + start, size - start);
}

void mysql_greeting_parse(MysqlGreeting *ret, const uint8_t *payload, size_t size)
{
        const uint8_t *end;
        size_t at;
        unsigned capabilities;

        *ret = (MysqlGreeting){.kind = MYSQL_GREETING_BROKEN};
        if (size == 0)
                return;
        if (payload[0] == ERROR) {
                parse_error(ret, payload, size);
                return;
        }
        if (payload[0] != PROTOCOL) {
                ret->kind = MYSQL_GREETING_OTHER_PROTOCOL;
                ret->number = payload[0];
                return;
        }
        end = memchr(payload + 1, '\0', size - 1);
        if (!end)
                return;
        at = (size_t)(end - payload) + 1 + AFTER_VERSION;
        if (size < at + 2)
                return;
        text_copy(ret->text, sizeof(ret->text), (const char *)payload + 1,
                (size_t)(end - payload) - 1);
        capabilities = payload[at] | (unsigned)payload[at + 1] << 8;
        ret->kind = (capabilities & CLIENT_SSL) && (capabilities & CLIENT_PROTOCOL_41)
                ? MYSQL_GREETING_TLS
                : MYSQL_GREETING_NO_TLS;
}

/* CLIENT_LONG_PASSWORD: MariaDB then reads no flags of its own from the filler. */
void mysql_greeting_request_tls(uint8_t packet[MYSQL_GREETING_REQUEST_SIZE])
{
        static const uint32_t capabilities =
                CLIENT_LONG_PASSWORD | CLIENT_PROTOCOL_41 | CLIENT_SSL | CLIENT_SECURE_CONNECTION;

        memset(packet, 0, MYSQL_GREETING_REQUEST_SIZE);
        packet[0] = MYSQL_GREETING_REQUEST_SIZE - MYSQL_GREETING_HEAD;
        packet[3] = 1; /* the greeting was number 0 */
        for (unsigned i = 0; i < 4; i++) {
                packet[MYSQL_GREETING_HEAD + i] = (uint8_t)(capabilities >> 8 * i);
                packet[MYSQL_GREETING_HEAD + 4 + i] = (uint8_t)((uint32_t)PACKET_SIZE_MAX >> 8 * i);
        }
        packet[MYSQL_GREETING_HEAD + 8] = UTF8MB4;
}
