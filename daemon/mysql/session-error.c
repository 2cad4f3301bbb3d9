#include "daemon/mysql/session-error.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/macro.h"
#include "common/text.h"

/* Numbers of the client error reference. */
#define CONNECTION_ERROR 2002
#define TLS_ERROR        2026

bool session_error_is_valid(const SessionError *error)
{
        return error->number <= UINT16_MAX && TEXT_IS_RECEIVED(error->text);
}

void session_error_set(SessionError *ret, unsigned number, const char *text)
{
        *ret = (SessionError){.number = number};
        text_set(ret->text, sizeof(ret->text), text);
}

bool session_error_is_of_library(unsigned number)
{
        return (number >= 2000 && number <= 2999) || (number >= 5000 && number <= 5999);
}

/* Connector/C 3.3 has no number for a time-out under TLS and puts ETIMEDOUT in the text. The same
 * words in a server's text mean something else. */
static bool is_timeout(unsigned number, const char *text)
{
        return session_error_is_of_library(number) &&
                (strstr(text, "(110)") || strstr(text, "system error: 110") ||
                        strstr(text, "timed out"));
}

/* Numbers of MySQL's server and client error references with which a login is refused. */
static bool is_refused_login(unsigned number)
{
        switch (number) {
        case 1044: /* no access to the database */
        case 1045: /* wrong user, host or password */
        case 1130: /* the host may not connect */
        case 1251: /* authentication protocol not supported */
        case 1524: /* plugin not loaded at the server */
        case 1698: /* refused without password */
        case 1820: /* password must be changed */
        case 1862: /* password expired */
        case 2054: /* old authentication protocol */
        case 3118: /* account locked */
        case 4151: /* account locked, MariaDB */
        case SESSION_ERROR_PLUGIN_NOT_LOADED:
        case SESSION_ERROR_PLUGIN_NOT_ALLOWED:
                return true;
        default:
                return false;
        }
}

/* Connector/C 3.4 continues with a plugin that answers nothing: the text of the one that it
 * could not load remains, with the number of what the server did then. */
static bool is_unloaded_plugin(unsigned number, const char *text)
{
        return session_error_is_of_library(number) &&
                strncmp(text, "Plugin ", strlen("Plugin ")) == 0 &&
                strstr(text, "could not be loaded");
}

/* A server refuses a connection before TLS, with an error that libmariadb puts into a text of its
 * own. The number says what to do next; the result stays that of an unreachable server, because
 * anybody on the way can have sent it. */
static bool is_unverified(unsigned *number, const char *text)
{
        static const unsigned numbers[] = {1040, 1129, 1130};
        static const char before[] = "following error cannot be verified: ";
        const char *found = strstr(text, before);
        unsigned long claimed = found ? strtoul(found + strlen(before), NULL, 10) : 0;

        if (!session_error_is_of_library(*number) || !found)
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
                if (numbers[i] == claimed)
                        *number = numbers[i];
        return true;
}

static SessionResult classify_connect(unsigned number, const char *text)
{
        if (is_timeout(number, text))
                return SESSION_TIMED_OUT;
        if (number == TLS_ERROR)
                return SESSION_TLS;
        return is_refused_login(number) ? SESSION_AUTH : SESSION_UNREACHABLE;
}

/* libmariadb's text of 5010 points into a reused buffer: it can show a part of the
 * data sent last, which can be the password (doc/aurora.md, "Connector/C"). */
SessionResult session_error_connect(SessionError *ret, unsigned number, const char *text,
        const char *plugins, const char *peer_reason)
{
        char *in_progress;

        session_error_set(ret, number, text);
        /* EINPROGRESS, the first result of connect(2), is not the reason. */
        in_progress = strstr(ret->text, " (115)");
        if (ret->number == CONNECTION_ERROR && in_progress)
                *in_progress = '\0';
        if (is_unloaded_plugin(ret->number, ret->text))
                ret->number = SESSION_ERROR_PLUGIN_NOT_LOADED;
        if (ret->number == TLS_ERROR && peer_reason[0] != '\0')
                text_set(ret->text, sizeof(ret->text), peer_reason);
        if (ret->number == SESSION_ERROR_PLUGIN_NOT_ALLOWED)
                text_format(ret->text, sizeof(ret->text),
                        "the server asks for an authentication plugin other than %s", plugins);
        if (is_unverified(&ret->number, ret->text))
                return SESSION_UNREACHABLE;
        return classify_connect(ret->number, ret->text);
}

/* After an answer that libmariadb could not read the server's action is unknown, as after a broken
 * connection. With 1053 and 1927 the server ends the connection. */
static SessionResult classify_use(unsigned number, const char *text)
{
        if (is_timeout(number, text))
                return SESSION_TIMED_OUT;
        if (session_error_is_of_library(number) || number == 1053 || number == 1927)
                return SESSION_LOST;
        return SESSION_SERVER;
}

/* After the socket deadline libmariadb reports a connection that the server closed. */
SessionResult session_error_use(
        SessionError *ret, unsigned number, const char *text, bool deadline_expired)
{
        SessionResult result;

        session_error_set(ret, number, text);
        result = classify_use(number, ret->text);
        if (result != SESSION_LOST || !deadline_expired)
                return result;
        text_set(ret->text, sizeof(ret->text), "the server has not answered in time");
        return SESSION_TIMED_OUT;
}
