#include "daemon/mysql/error-advice.h"

#include <stddef.h>

#include "common/macro.h"

static const struct {
        unsigned number;
        const char *advice;
} advices[] = {
        {1021, "the server's disk is full: free space there"},
        {1040,
                "the server has as many connections as max_connections permits: raise it, or end idle "
                "ones"},
        {1041, "the server has no memory left: restart it, or lower what uses it"},
        {1114, "a table or the disk of the server is full: free space there"},
        {1129,
                "the server has blocked this host after failed connections (max_connect_errors): "
                "TRUNCATE TABLE performance_schema.host_cache, on MariaDB FLUSH HOSTS"},
        {1130, "the account does not accept this host: compare the part of its name after the @"},
        {ERROR_ADVICE_PACKET,
                "the payload is larger than max_allowed_packet of the server: raise that, or send fewer "
                "CAs"},
        {1184,
                "the server has ended the connection: see its error log, and init_connect, which fails "
                "for this user"},
        {1203,
                "the user has as many connections as max_user_connections permits: raise it, or end "
                "some"},
        {1226,
                "the account has reached the limit that the message names: ALTER USER ... WITH raises "
                "it"},
        {1820,
                "the password must be changed: ALTER USER ... IDENTIFIED BY on the cluster, and write "
                "the new one"},
        {1862,
                "the password has expired: ALTER USER ... IDENTIFIED BY on the cluster, and write the "
                "new one"},
        {3118, "the account is locked: ALTER USER ... ACCOUNT UNLOCK"},
        {4151, "the account is locked: ALTER USER ... ACCOUNT UNLOCK"},
};

const char *error_advice(unsigned number)
{
        for (size_t i = 0; i < ARRAY_SIZE(advices); i++)
                if (advices[i].number == number)
                        return advices[i].advice;
        return "";
}
